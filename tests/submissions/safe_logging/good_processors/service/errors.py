"""Errors that callers see: a status and a code."""

from fastapi.responses import JSONResponse


class ServiceError(Exception):
    """Ends a request with this status and code. What it was about is not kept; `raise ... from error` keeps the cause."""

    def __init__(self, status, code):
        super().__init__(code)
        self.status, self.code = status, code


def error_response(status, code, request_id):
    """{"error": {"code", "request_id"}}."""
    return JSONResponse({"error": {"code": code, "request_id": request_id}}, status)
