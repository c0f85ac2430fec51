"""Around each request: who calls, one line in the log, and nothing that escapes to the server."""

import re
import time
import uuid

import anyio
from starlette.requests import ClientDisconnect

from . import logs, metrics
from .errors import error_response


def called(headers):
    """A logs.Call of the headers (bytes); what does not look like what it should be is not taken over."""
    found = {key.lower(): value.decode("latin-1") for key, value in reversed(headers)}
    site = found.get(b"x-site")
    # A user is taken up to the first white space, so that what was folded in after it is nobody's.
    user = (found.get(b"x-user", "").split() or [""])[0]
    user = user if re.fullmatch("[a-z]{2,8}-[0-9]{1,5}", user, re.ASCII) else None
    # The id is always ours: what a caller sends may look like chance and be the hash of a patient's number.
    return logs.Call(uuid.uuid4().hex, site if site in logs.SITES else None, user)


async def hung_up(receive):
    """Whether the caller has gone. Does not wait; drops what is left of the body."""
    while True:
        message = None
        with anyio.CancelScope() as scope:
            scope.cancel()
            message = await receive()
        if message is None:
            return False
        if message["type"] == "http.disconnect":
            return True


class LogRequests:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, call = time.perf_counter(), called(scope["headers"])
        token = logs.current.set(call)

        async def receiving():
            message = await receive()
            if message["type"] == "http.disconnect" and call.status is None:
                call.hung_up = True
            return message

        async def sending(message):
            if message["type"] == "http.response.start":
                call.hung_up = call.hung_up or await hung_up(receive)
                call.status = message["status"]
                kept = [pair for pair in message.get("headers", []) if pair[0].lower() != b"x-request-id"]
                message = {**message, "headers": [*kept, (b"x-request-id", call.request_id.encode())]}
            await send(message)

        try:
            await self.app(scope, receiving, sending)
        except ClientDisconnect:
            call.hung_up = True
        except Exception as error:
            call.error_code = "internal_error"
            logs.error_event(error, call.error_code)
            if call.status is None:
                await error_response(500, call.error_code, call.request_id)(scope, receiving, sending)
        finally:
            route = getattr(scope.get("route"), "path", None)
            route = route if route in logs.ROUTES else None
            status = 499 if call.hung_up else call.status or 500
            metrics.count("requests_total", route=route or "none", status=status)
            logs.event(
                "request",
                "ERROR" if status >= 500 else "INFO",
                route=route,
                status=status,
                ms=round((time.perf_counter() - started) * 1000, 1),
                site=call.site,
                error_code=call.error_code,
                patient_ref=call.patient_ref,
            )
            logs.current.reset(token)
