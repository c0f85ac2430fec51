"""How requests fail: a status and a code for the caller, class and line for the log, and no text for anybody."""

import contextlib

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from structlog.contextvars import bind_contextvars, get_contextvars

from .telemetry import log

FRAMEWORK = {404: "not_found", 405: "method_not_allowed"}


class Refusal(Exception):
    """Ends a request. It has no message; what happened is its __cause__."""

    def __init__(self, status, code):
        super().__init__()
        self.status, self.code = status, code


@contextlib.contextmanager
def refusing(*kinds, status, code):
    """Exceptions of these kinds, raised inside, end the request with this status and code."""
    try:
        yield
    except kinds as error:
        raise Refusal(status, code) from error


def failed(status, code, error=None):
    """The answer; with an exception, it is logged too. The code is bound, so that the request's line has it."""
    bind_contextvars(error_code=code)
    if error is not None:
        say = log.error if status >= 500 else log.warning
        say("error", exc_info=error)
    return JSONResponse({"error": {"code": code, "request_id": get_contextvars().get("request_id")}}, status)


def install(app):
    """Let the application answer with them."""

    @app.exception_handler(Refusal)
    async def refusal(request, error):
        return failed(error.status, error.code, error.__cause__ or error)

    @app.exception_handler(RequestValidationError)
    async def not_as_declared(request, error):
        return failed(422, "invalid_input", error)

    @app.exception_handler(HTTPException)
    async def of_the_framework(request, error):
        return failed(error.status_code, FRAMEWORK.get(error.status_code, "http_error"))
