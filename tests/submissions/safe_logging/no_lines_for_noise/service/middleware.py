"""Around every request: its context, its log line, and the answer when nobody else has one."""

import asyncio
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders

from . import logs, metrics
from .context import SITES, USER, Context, current, well_formed
from .errors import error_response

HUNG_UP = 499
# Mistyped ids and impatient callers: nothing that we could mend.
NOISE = (404, HUNG_UP)


class RequestLog:
    """ASGI middleware: endpoints, their threads and their tasks see the same Context."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers, started, status = Headers(scope=scope), time.perf_counter(), HUNG_UP
        site = headers.get("X-Site")
        context = Context(
            # The caller's own may be made of anything, and a hash looks like any other id.
            request_id=uuid.uuid4().hex,
            user=well_formed(headers.get("X-User"), USER, "unknown"),
            site=site if site in SITES else None,
        )
        current.set(context)
        answered = False

        async def send_on(message):
            nonlocal answered, status
            if message["type"] == "http.response.start":
                answered = True
                MutableHeaders(scope=message)["X-Request-ID"] = context.request_id
                if not await has_hung_up(receive):
                    status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_on)
        except Exception as error:
            logs.error("internal_error", error)
            if not answered:
                await error_response(500, "internal_error")(scope, receive, send_on)
        finally:
            # The path itself may hold anything.
            route = getattr(scope.get("route"), "path", "unmatched")
            metrics.count("requests_total", route=route, status=status)
            if status not in NOISE:
                logs.event(
                    "request",
                    route=route,
                    status=status,
                    ms=round((time.perf_counter() - started) * 1000, 1),
                    site=context.site,
                    error_code=context.error_code,
                    patient_ref=context.patient_ref,
                )


async def has_hung_up(receive):
    """Whether the client is gone. Takes what is left of the body."""
    while True:
        waiting = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        if not waiting.done():
            waiting.cancel()
            return False
        if waiting.result()["type"] == "http.disconnect":
            return True
