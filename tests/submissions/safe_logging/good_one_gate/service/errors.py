"""Errors that callers see: a status and a code."""

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException


class ServiceError(Exception):
    """Ends a request with this status and code. What was wrong is its __cause__, and is told to nobody."""

    def __init__(self, status, code):
        super().__init__(code)
        self.status, self.code = status, code


def origin(error):
    """The exception that began it: what one of the wrappers was raised from."""
    while isinstance(error, (ServiceError, RequestValidationError, HTTPException)) and error.__cause__ is not None:
        error = error.__cause__
    return error


def error_response(status, code, request_id, headers=None):
    """{"error": {"code", "request_id"}}."""
    return JSONResponse({"error": {"code": code, "request_id": request_id}}, status, headers=headers)
