"""Around every request: its span, its counters, and the answer where something went wrong."""

import re
import uuid

from fastapi.responses import JSONResponse
from opentelemetry import baggage, context
from opentelemetry.trace import SpanKind
from starlette.exceptions import HTTPException

from . import metrics
from .problems import Problem
from .telemetry import SITES, failed, note, span

HUNG_UP = 499
HTTP_CODES = {400: "malformed_json", 404: "not_found", 405: "method_not_allowed"}
USER = re.compile(r"prac-[0-9]+")


def install(app):
    """Spans around all routes of this app, and its error answers."""

    @app.middleware("http")
    async def in_a_span(request, call_next):
        # An id of our own: the caller's may tell of a patient, in clear or hashed.
        request_id, site = uuid.uuid4().hex, request.headers.get("X-Site")
        request.state.request_id = request_id
        # For the audit log. Baggage goes along to threads and tasks, and no exporter writes it.
        carried = baggage.set_baggage("user", user_of(request))
        token = context.attach(baggage.set_baggage("site", site if site in SITES else "", carried))
        try:
            with span("request", SpanKind.SERVER, app__request_id=request_id, http__response__status_code=HUNG_UP):
                note(app__site=site if site in SITES else None)
                response = await answered(request, call_next)
                response.headers["X-Request-ID"] = request_id
                # The path itself may hold anything.
                route = getattr(request.scope.get("route"), "path", "unmatched")
                status = HUNG_UP if await request.is_disconnected() else response.status_code
                note(http__route=route, http__response__status_code=status, log__level=level_of(status))
                metrics.requests.add(1, {"route": route, "status": status})
                return response
        finally:
            context.detach(token)

    @app.exception_handler(Problem)
    async def problem(request, error):
        failed(error.code, error, level_of(error.status))
        return answer(request, error.status, error.code)

    @app.exception_handler(HTTPException)
    async def no_such_route(request, error):
        return answer(request, error.status_code, HTTP_CODES.get(error.status_code, "http_error"))


async def answered(request, call_next):
    try:
        return await call_next(request)
    except Exception as error:
        failed("internal_error", error)
        return answer(request, 500, "internal_error")


def answer(request, status, code):
    """{"error": {"code", "request_id"}}, and nothing of the input."""
    note(app__error_code=code)
    return JSONResponse({"error": {"code": code, "request_id": request.state.request_id}}, status)


def level_of(status):
    return "ERROR" if status >= 500 else "WARNING" if status >= 400 else "INFO"


def user_of(request):
    """X-User, if it is the id of anybody."""
    user = request.headers.get("X-User", "")
    return user if USER.fullmatch(user) else "unknown"
