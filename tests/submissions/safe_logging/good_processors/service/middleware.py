"""Around every request: its id, its line in the log, and what to answer when nobody foresaw it."""

import asyncio
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request

from . import callers, context, metrics
from .handlers import failed
from .logs import log


class RequestLog:
    """ASGI, and not BaseHTTPMiddleware: that one runs the routes in a context of their own."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started, headers = time.perf_counter(), Headers(scope=scope)
        state = context.begin(callers.new_request_id(), callers.user_of(headers))
        answer = Answer(scope, receive, send, state.request_id)
        try:
            await self.app(scope, answer.receive, answer.send)
        except ClientDisconnect:
            answer.hung_up = True
        except asyncio.CancelledError as error:
            failed(500, "internal_error", error)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, only its class and place may be told
            response = failed(500, "internal_error", error)
            if answer.status is None:
                await response(scope, answer.receive, answer.send)
        finally:
            finish(scope, answer, state, started, callers.site_of(headers))


class Answer:
    """Watches what goes out, and whether anybody is there to take it."""

    def __init__(self, scope, receive, send, request_id):
        self.scope, self.given_receive, self.given_send = scope, receive, send
        self.request_id, self.status, self.hung_up = request_id, None, False

    async def receive(self):
        message = await self.given_receive()
        self.hung_up = self.hung_up or message["type"] == "http.disconnect"
        return message

    async def send(self, message):
        if message["type"] == "http.response.start":
            if not self.hung_up:
                self.hung_up = await Request(self.scope, self.given_receive).is_disconnected()
            self.status = message["status"]
            MutableHeaders(scope=message)["X-Request-ID"] = self.request_id
        await self.given_send(message)


def finish(scope, answer, state, started, site):
    """The request's line, after what is true only if the answer went out."""
    status = 499 if answer.hung_up else answer.status or 500
    route = getattr(scope.get("route"), "path", None)
    if status < 400:
        for event, fields in state.when_answered:
            log.info(event, **fields)
    metrics.count("requests_total", route=route or "none", status=status)
    ms = round((time.perf_counter() - started) * 1000, 1)
    log.info("request", route=route, status=status, ms=ms, site=site, error_code=state.error_code)
