"""Results from the laboratory, over HTTP."""

import time

import httpx

from . import logs
from .errors import ServiceError

ATTEMPTS, TIMEOUT_S = 3, 0.4


class Laboratory:
    def __init__(self, url):
        self.client = httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False)

    def close(self):
        self.client.close()

    def creatinine(self, mrn, request_id):
        """The latest creatinine in mg/dl. Raises ServiceError."""
        for attempt in range(1, ATTEMPTS + 1):
            if attempt > 1:
                logs.event("retry", "WARNING", upstream="lab", attempt=attempt)
            started = time.perf_counter()
            try:
                response = self.client.get("/results", params={"mrn": mrn, "request_id": request_id})
            except httpx.HTTPError as error:
                called(attempt, None, started, type(error).__name__)
                if not isinstance(error, httpx.TimeoutException):
                    raise ServiceError(502, "lab_failed") from error
                if attempt == ATTEMPTS:
                    raise ServiceError(504, "lab_timeout") from error
                continue
            called(attempt, response.status_code, started)
            if response.status_code != 503:
                break
        try:
            response.raise_for_status()
        except httpx.HTTPStatusError as error:
            raise ServiceError(502, "lab_failed") from error
        try:
            return plausible(response.json()["creatinine"])
        except (ValueError, LookupError, TypeError, OverflowError, RecursionError) as error:
            raise ServiceError(502, "lab_garbled") from error


def called(attempt, status, started, error_class=None):
    """Log one call."""
    level = "INFO" if status is not None and status < 400 else "WARNING"
    ms = round((time.perf_counter() - started) * 1000, 1)
    logs.event("upstream", level, upstream="lab", attempt=attempt, status=status, ms=ms, error_class=error_class)


def plausible(value):
    """A number of mg/dl. Raises ValueError, TypeError, OverflowError."""
    if not 0 < float(value) < 50:
        raise ValueError("creatinine out of range")
    return float(value)
