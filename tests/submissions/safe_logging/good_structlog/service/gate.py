"""The gate that every request comes through: its names are bound, its body is read, its line is logged."""

import asyncio
import contextlib
import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from structlog.contextvars import bind_contextvars, clear_contextvars

from . import failures, metrics, processors
from .telemetry import log

HUNG_UP = 499
USER = re.compile(r"prac-[0-9]{1,9}", re.ASCII)


class Gate:
    """ASGI middleware.

    Runs the endpoint in its own task, so that whatever is bound there (patient_ref, error_code) is known here in the
    end, and is copied into the threads and tasks that the endpoint starts. The caller's line is watched meanwhile.
    """

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        request_id = bind_names(Headers(scope=scope))
        status, gone = HUNG_UP, asyncio.Event()

        async def answer(message):
            nonlocal status
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
                status = HUNG_UP if gone.is_set() else message["status"]
            await send(message)

        body = await whole_body(receive)
        if body is not None:
            watcher = asyncio.create_task(watch(receive, gone))
            try:
                await self.app(scope, replay(body, gone), answer)
            except Exception as error:
                response = failures.failed(500, "internal_error", error)
                # Of an answer that has begun, nothing can be taken back.
                if status == HUNG_UP:
                    await response(scope, receive, answer)
            finally:
                watcher.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await watcher
        route = getattr(scope.get("route"), "path", "unmatched")
        metrics.count("requests_total", route=route, status=status)
        say = log.error if status >= 500 else log.info
        say("request", route=route, status=status, ms=round((time.perf_counter() - began) * 1000, 1))


def bind_names(headers):
    """Bind who asks, and from where, as far as the headers have the form they should. Returns the request's id.

    user is bound for the audit log; the application log's list has no such field.
    """
    # The caller's id is the caller's text; ours is told in the answer.
    request_id, site = uuid.uuid4().hex, headers.get("X-Site")
    # What follows a blank is not the id; the chain would hold it for six years.
    user = USER.fullmatch((headers.get("X-User") or "").partition(" ")[0].strip())
    clear_contextvars()
    bind_contextvars(request_id=request_id, user=user.group() if user else "unknown")
    if processors.fits("site", site):
        bind_contextvars(site=site)
    return request_id


async def whole_body(receive):
    """The body, or None if the caller left over it."""
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def replay(body, gone):
    """An ASGI `receive` that has this body to give, and then waits for the caller to leave."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive():
        if messages:
            return messages.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    return receive


async def watch(receive, gone):
    """Set `gone` once the caller has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()
