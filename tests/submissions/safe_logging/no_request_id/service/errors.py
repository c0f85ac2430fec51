"""Errors that callers see: a status and a code, and nothing of what they sent."""

from fastapi.responses import JSONResponse

from .context import current


class ServiceError(Exception):
    """Ends a request with this status and code; why is in its __cause__."""

    def __init__(self, status, code):
        super().__init__(code)
        self.status, self.code = status, code


def error_response(status, code):
    """{"error": {"code"}}; the request id is in the header."""
    context = current.get()
    context.error_code = code
    return JSONResponse({"error": {"code": code}}, status)
