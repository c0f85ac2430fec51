"""Errors that callers see: a status, a code, and what was wrong."""

from fastapi.responses import JSONResponse


class ServiceError(Exception):
    """Ends a request with this status and code."""

    def __init__(self, status, code, detail):
        super().__init__(f"{code}: {detail}")
        self.status, self.code, self.detail = status, code, detail


def error_response(status, code, request_id, detail):
    """{"error": {"code", "request_id", "detail"}}."""
    body = {"error": {"code": code, "request_id": request_id, "detail": detail}}
    return JSONResponse(body, status, headers={"X-Request-ID": request_id or ""})
