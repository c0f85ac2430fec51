"""The middleware that writes the application log, and answers where something went wrong.

Nothing else here writes it: what happens inside a request is told to its Visit, which hands it to this middleware.
"""

import asyncio
import contextlib
import json
import re
import sys
import threading
import time
import uuid
import warnings
from collections.abc import Callable
from dataclasses import dataclass

from . import metrics, model
from .records import (
    LEVELS,
    Code,
    PatientRef,
    Request,
    RequestId,
    Route,
    Site,
    Startup,
    Version,
    error_record,
    line,
)
from .reference import patient_ref

HUNG_UP = 499
USER = re.compile(r"prac-\d{1,6}", re.ASCII)


@dataclass
class Visit:
    """One request, as far as logs are concerned. user: for the audit log only.  tell: takes a record."""

    request_id: RequestId
    site: Site | None
    user: str
    tell: Callable
    patient_ref: PatientRef | None = None
    error_code: Code | None = None

    def concerns(self, patient_id):
        """It is about this patient, who is known here."""
        self.patient_ref = PatientRef(patient_ref(patient_id))
        return self.patient_ref


def writer(path, least):
    """A function that appends a record to the file; what cannot be written is lost, and nobody else suffers by it."""

    def write(record):
        if LEVELS.index(record.level) < LEVELS.index(least):
            return
        with contextlib.suppress(Exception), path.open("ab", buffering=0) as stream:
            stream.write(line(record).encode())

    return write


def journal(app, write):
    """The ASGI application `app`, with a log."""

    async def around(scope, receive, send):
        if scope["type"] == "lifespan":
            await app(scope, receive, on_startup(send, write))
        elif scope["type"] == "http":
            await visited(app, scope, receive, send, write)

    return around


def on_startup(send, write):
    async def send_on(message):
        if message["type"] == "lifespan.startup.complete":
            write(Startup(Version(model.VERSION)))
        await send(message)

    return send_on


async def visited(app, scope, receive, send, write):
    """One request: its line is written when the answer is out, not when the work after it is done."""
    visit, started = visit_of(dict(scope["headers"]), write), time.perf_counter()
    scope["visit"] = visit
    status, answered, logged = HUNG_UP, False, False
    gone = None

    def log():
        nonlocal logged
        if logged:
            return
        logged = True
        # The template: the path itself may hold anything.
        route = Route(getattr(scope.get("route"), "path", "unmatched"))
        metrics.count("requests_total", route=route, status=status)
        ms = round((time.perf_counter() - started) * 1000, 1)
        write(Request(visit.request_id, route, status, ms, visit.site, visit.error_code, visit.patient_ref))

    async def send_on(message):
        nonlocal status, answered
        if message["type"] == "http.response.start":
            answered = True
            status = HUNG_UP if gone.done() else message["status"]
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", visit.request_id.encode())]
        await send(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            log()

    try:
        body = await whole(receive)
        if body is None:
            return
        # From now on the caller has nothing to say but that it leaves.
        gone = asyncio.ensure_future(receive())
        try:
            await app(scope, replayed(body, gone), send_on)
        except Exception as error:
            record = error_record(visit.request_id, error)
            write(record)
            if not answered:
                visit.error_code = record.error_code
                await refuse(send_on, record.error_code, visit.request_id)
    finally:
        log()
        if gone is not None:
            gone.cancel()


def visit_of(headers, write):
    """Headers are the caller's text: one that has not the form that it should have is left out."""
    site, user = (headers.get(name, b"").decode("latin-1") for name in (b"x-site", b"x-user"))
    # Of the caller's own nobody knows what it is made of.
    request_id = RequestId(uuid.uuid4().hex)
    known = site in {one.value for one in Site}
    return Visit(request_id, Site(site) if known else None, user if USER.fullmatch(user) else "unknown", write)


async def whole(receive):
    """The body of the request; None if the caller left before its end."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def replayed(body, gone):
    """A `receive` for the application: the body in one piece, and then whether the caller is gone."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive():
        return messages.pop() if messages else await asyncio.shield(gone)

    return receive


async def refuse(send, code, request_id):
    """{"error": {"code", "request_id"}}, and nothing of the input."""
    body = json.dumps({"error": {"code": code.text, "request_id": request_id}}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": code.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def close_console(write):
    """What would be printed on standard error: of exceptions class and place go to the log, warnings nowhere."""

    def uncaught(error):
        if isinstance(error, Exception):
            write(error_record(None, error))

    sys.excepthook = lambda kind, error, trail: uncaught(error)
    sys.unraisablehook = lambda given: uncaught(given.exc_value)
    threading.excepthook = lambda given: uncaught(given.exc_value)
    warnings.showwarning = lambda *told, **more: None
    return uncaught
