"""Errors that callers see: a status and a code, and nothing of what they sent."""

from fastapi.responses import JSONResponse

from .context import current


class ServiceError(Exception):
    """Ends a request with this status and code; why is in its __cause__."""

    def __init__(self, status, code, fields=()):
        super().__init__(code)
        self.status, self.code, self.fields = status, code, fields


def error_response(status, code, fields=()):
    """{"error": {"code", "request_id", "fields"}}."""
    context = current.get()
    context.error_code = code
    error = {"code": code, "request_id": context.request_id}
    if fields:
        error["fields"] = list(fields)
    return JSONResponse({"error": error}, status)
