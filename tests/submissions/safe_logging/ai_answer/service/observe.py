"""Around every request: its id, whether the caller is still there, one `request` line."""

import asyncio
import time

from starlette.datastructures import Headers

from . import logs, metrics
from .errors import error_response

HUNG_UP = 499


class Observe:
    """ASGI middleware. Answers are small and are held back until it is known whether somebody waits for them."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, headers = time.perf_counter(), Headers(scope=scope)
        trace = logs.Trace(headers.get("x-request-id"), headers.get("x-site"), headers.get("x-user"))
        logs.trace.set(trace)
        body = await whole_body(receive)
        if body is None:
            finish(scope, trace, HUNG_UP, started)
            return
        answer, hung_up = await self.answered(scope, receive, body, trace, started)
        if hung_up:
            finish(scope, trace, HUNG_UP, started)
            return
        finish(scope, trace, answer[0]["status"], started)
        for message in answer:
            if message["type"] == "http.response.start":
                known = (b"x-request-id", trace.request_id.encode("ascii"))
                message = {**message, "headers": [*message.get("headers", ()), known]}
            await send(message)

    async def answered(self, scope, receive, body, trace, started):
        """The messages of the answer, and whether the caller hung up in the meantime."""
        gone, answer, bodies = asyncio.Event(), [], [body]

        async def replay():
            if bodies:
                return {"type": "http.request", "body": bodies.pop(), "more_body": False}
            await gone.wait()
            return {"type": "http.disconnect"}

        async def keep(message):
            answer.append(message)

        watcher = asyncio.create_task(watch(receive, gone))
        try:
            try:
                await self.app(scope, replay, keep)
                if not answer:
                    raise RuntimeError("no answer")
            except Exception as error:
                answer.clear()
                await failed(500, "internal_error", error)(scope, replay, keep)
            # A connection that has been closed is noticed by the loop, not by us.
            for _ in range(3):
                await asyncio.sleep(0)
        except asyncio.CancelledError as error:
            # The service is being shut down and this request took too long.
            failed(500, "internal_error", error)
            finish(scope, trace, 500, started)
            raise
        finally:
            watcher.cancel()
        return answer, gone.is_set()


async def whole_body(receive):
    """The body, or None if the caller hung up while sending it."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def watch(receive, gone):
    """Set `gone` when the caller hangs up."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            gone.set()
            return


def failed(status, code, error):
    """Log the exception that ended the request in hand; the answer to it."""
    trace = logs.trace.get()
    trace.error_code = code
    logs.failure(code, error, "ERROR" if status >= 500 else "WARNING")
    return error_response(status, code, trace.request_id)


def finish(scope, trace, status, started):
    """Count and log the request."""
    route = template(scope)
    metrics.count("requests_total", route=route or "none", status=status)
    if status == 200 and trace.model_version:
        logs.event("prediction", model_version=trace.model_version, patient_ref=trace.patient_ref)
    logs.event(
        "request",
        route=route,
        status=status,
        ms=round((time.perf_counter() - started) * 1000, 1),
        site=trace.site,
        error_code=None if status == HUNG_UP else trace.error_code,
        patient_ref=trace.patient_ref,
    )


def template(scope):
    """The route's template; None where there is none. Never the path itself."""
    route = getattr(scope.get("route"), "path", None)
    if route in logs.ROUTES:
        return route
    path = scope.get("path", "")
    if path in logs.ROUTES and "{" not in path:
        return path
    rest = path.removeprefix("/patients/")
    return "/patients/{id}" if rest != path and rest and "/" not in rest else None
