"""Results from the laboratory, over HTTP."""

import time

import httpx

from .errors import ServiceError
from .logs import event

ATTEMPTS, TIMEOUT_S = 3, 0.4


class Laboratory:
    def __init__(self, url):
        self.client = httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False)

    def creatinine(self, mrn, request_id):
        """The latest creatinine in mg/dl. Raises ServiceError."""
        for attempt in range(1, ATTEMPTS + 1):
            if attempt > 1:
                event("retry", "WARNING", upstream="lab", attempt=attempt)
            call = {"upstream": "lab", "attempt": attempt}
            started = time.perf_counter()
            try:
                response = self.client.get("/results", params={"mrn": mrn, "request_id": request_id})
            except httpx.HTTPError as error:
                name = type(error).__name__
                event("upstream", "WARNING", **call, status=None, ms=passed(started), error_class=name)
                if not isinstance(error, httpx.TimeoutException):
                    raise ServiceError(502, "lab_failed") from error
                if attempt == ATTEMPTS:
                    raise ServiceError(504, "lab_timeout") from error
                continue
            event("upstream", **call, status=response.status_code, ms=passed(started))
            if response.status_code != 503:
                break
        try:
            response.raise_for_status()
        except httpx.HTTPStatusError as error:
            raise ServiceError(502, "lab_failed") from error
        try:
            return plausible(response.json()["creatinine"])
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise ServiceError(502, "lab_garbled") from error


def plausible(value):
    """A number of mg/dl. Raises ValueError, TypeError, OverflowError."""
    if not 0 < float(value) < 50:
        raise ValueError("creatinine out of range")
    return float(value)


def passed(started):
    """Milliseconds since."""
    return round((time.perf_counter() - started) * 1000, 1)
