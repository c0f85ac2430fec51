"""Around every request: its id, its line in the log, its metrics, and the answer to what nobody foresaw."""

import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request

from . import logs, metrics
from .errors import began, error_response

USER = re.compile(r"[A-Za-z0-9._-]{1,64}")


def facts_of(headers):
    """What the headers say, where it is of the form that was agreed on; a caller could write anything there."""
    request_id, user, site = (headers.get(name) for name in ("X-Request-ID", "X-User", "X-Site"))
    return logs.Facts(
        request_id=request_id if request_id and logs.REQUEST_ID.fullmatch(request_id) else uuid.uuid4().hex,
        user=user if user and USER.fullmatch(user) else None,
        site=site if site in logs.SITES else None,
    )


class RequestLog:
    """Plain ASGI and not BaseHTTPMiddleware, so that all runs in one context, and nothing above sees an exception."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, facts = time.perf_counter(), facts_of(Headers(scope=scope))

        async def watched_receive():
            message = await receive()
            if message["type"] == "http.disconnect" and not facts.answered:
                facts.hung_up = True
            return message

        async def watched_send(message):
            if message["type"] == "http.response.start":
                if not facts.hung_up:
                    # Sets hung_up by way of watched_receive.
                    await Request(scope, watched_receive).is_disconnected()
                facts.status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = facts.request_id
            elif not message.get("more_body", False):
                facts.answered = True
            await send(message)

        token = logs.enter(facts)
        try:
            await self.app(scope, watched_receive, watched_send)
        except Exception as error:
            if isinstance(began(error), ClientDisconnect):
                facts.hung_up = True
            else:
                facts.error_code = "internal_error"
                logs.error("internal_error", error, endpoint=scope.get("endpoint"))
                if facts.status is None:
                    await error_response(500, "internal_error", facts.request_id)(scope, receive, watched_send)
                else:
                    facts.status = 500
        finally:
            self.write(scope, facts, started)
            logs.leave(token)

    @staticmethod
    def write(scope, facts, started):
        if facts.status is None and not facts.hung_up:
            # Cancelled: the service is being stopped.
            facts.error_code = facts.error_code or "cancelled"
        status = 499 if facts.hung_up else facts.status or 500
        # Without a route, the path is the caller's text.
        route = getattr(scope.get("route"), "path", None)
        if facts.model_version and status == 200:
            logs.event("prediction", model_version=facts.model_version)
        metrics.count("requests_total", route=route or "unmatched", status=status)
        logs.event(
            "request",
            route=route,
            status=status,
            ms=round((time.perf_counter() - started) * 1000, 1),
            site=facts.site,
            error_code=facts.error_code,
        )
