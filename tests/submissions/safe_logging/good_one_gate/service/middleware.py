"""Around each request: its context, its line in the log, and an answer to what nobody foresaw."""

import asyncio
import time

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect

from . import logs, metrics
from .errors import error_response


class RequestLog:
    """ASGI middleware. Writes the request's line just before the answer starts, so that who has it finds the line."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, headers = time.perf_counter(), Headers(scope=scope)
        site = headers.get("X-Site")
        about = logs.Context(
            request_id=logs.request_id_of(headers.get("X-Request-ID")),
            site=site if site in logs.SITES else None,
            user=headers.get("X-User"),
        )
        token, answered = logs.current.set(about), False

        def line(status):
            nonlocal answered
            answered = True
            route = route_of(scope)
            metrics.count("requests_total", route=route, status=status)
            if about.predicted and status == 200:
                logs.event("prediction", model_version=about.predicted, patient_ref=about.patient_ref)
            logs.event(
                "request",
                route=route,
                status=status,
                ms=round((time.perf_counter() - started) * 1000, 1),
                site=about.site,
                error_code=about.error_code,
                patient_ref=about.patient_ref,
            )

        async def send_and_log(message):
            if message["type"] == "http.response.start" and not answered:
                MutableHeaders(scope=message)["X-Request-ID"] = about.request_id
                line(499 if await hung_up(receive) else message["status"])
            await send(message)

        try:
            await self.app(scope, receive, send_and_log)
        except ClientDisconnect:
            # Gone in the middle of the body: nothing failed here.
            if not answered:
                line(499)
        except Exception as error:
            if answered:
                logs.error_event("internal_error", error)
            else:
                await failed(scope, 500, "internal_error", error)(scope, receive, send_and_log)
        except asyncio.CancelledError as error:
            # The service leaves, and did not finish this one.
            if not answered:
                about.error_code = "internal_error"
                logs.error_event("internal_error", error)
                line(500)
            raise
        finally:
            logs.current.reset(token)


async def hung_up(receive):
    """Whether the caller has gone; asked before the answer, as a server says it of every caller afterwards."""
    while True:
        message = None
        with anyio.CancelScope() as at_once:
            at_once.cancel()
            message = await receive()
        if message is None:
            return False
        if message["type"] == "http.disconnect":
            return True


def route_of(scope):
    """The template; never the path as it was sent."""
    return getattr(scope.get("route"), "path", "unmatched")


def failed(scope, status, code, error):
    """Log where the exception came from, and answer with its code."""
    about = logs.context()
    about.error_code = code
    # What FastAPI refuses never comes by our own code: then the place is the route's function.
    endpoint = getattr(scope.get("endpoint"), "__code__", None)
    where = f"{endpoint.co_filename.rpartition('/')[2]}:{endpoint.co_firstlineno}" if endpoint else None
    logs.error_event(code, error, where, "ERROR" if status >= 500 else "WARNING")
    return error_response(status, code, about.request_id)
