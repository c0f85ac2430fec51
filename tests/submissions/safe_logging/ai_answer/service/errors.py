"""Errors that callers see: a status and a code, and nothing of what they sent."""

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException


class ServiceError(Exception):
    """Ends a request with this status and code. Raise it `from` what began it."""

    def __init__(self, status, code):
        super().__init__(code)
        self.status, self.code = status, code


def began(error):
    """The exception that began it: what the service's or the framework's own wrapping hides."""
    wrappers = (ServiceError, HTTPException, RequestValidationError)
    while isinstance(error, wrappers) and error.__cause__ is not None:
        error = error.__cause__
    return error


def error_response(status, code, request_id):
    """{"error": {"code", "request_id"}}."""
    return JSONResponse({"error": {"code": code, "request_id": request_id}}, status)
