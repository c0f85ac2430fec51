"""From exceptions to answers."""

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from .blame import log_error
from .context import current
from .errors import ServiceError, error_response

HTTP_CODES = {400: "malformed_json", 404: "not_found", 405: "method_not_allowed"}


def failed(status, code, error):
    """Log the exception and answer with its code."""
    state = current()
    state.error_code = code
    log_error(code, error, "error" if status >= 500 else "warning")
    return error_response(status, code, state.request_id)


def add_error_handlers(app):
    @app.exception_handler(ServiceError)
    async def service_error(request, error):
        return failed(error.status, error.code, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request, error):
        return failed(422, "invalid_query" if request.method == "GET" else "invalid_input", error)

    @app.exception_handler(HTTPException)
    async def http_error(request, error):
        return failed(error.status_code, HTTP_CODES.get(error.status_code, "http_error"), error)
