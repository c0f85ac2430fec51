"""Errors that callers see: a status, a code and the request's id. What was wrong with the input stays with the caller."""

from fastapi.responses import JSONResponse


class ServiceError(Exception):
    """Ends a request with this status and code; raised `from` the exception that began it."""

    def __init__(self, status, code):
        super().__init__(code)
        self.status, self.code = status, code


def error_response(status, code, request_id):
    """{"error": {"code", "request_id"}}; the header is added with every answer's."""
    return JSONResponse({"error": {"code": code, "request_id": request_id}}, status)
