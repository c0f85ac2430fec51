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
                event("retry", attempt=attempt, upstream="lab")
            started = time.perf_counter()
            try:
                response = self.client.get("/results", params={"mrn": mrn, "request_id": request_id})
            except httpx.TimeoutException as error:
                called(attempt, started, error=error)
                if attempt == ATTEMPTS:
                    raise ServiceError(504, "lab_timeout") from error
                continue
            except httpx.HTTPError as error:
                called(attempt, started, error=error)
                raise ServiceError(502, "lab_failed") from error
            called(attempt, started, response.status_code)
            if response.status_code != 503:
                break
        try:
            response.raise_for_status()
        except httpx.HTTPStatusError as error:
            raise ServiceError(502, "lab_failed") from error
        try:
            return plausible(response.json()["creatinine"])
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise ServiceError(502, "lab_garbled") from error


def plausible(value):
    """A number of mg/dl. Raises ValueError, TypeError."""
    if not 0 < float(value) < 50:
        raise ValueError("not a plausible creatinine")
    return float(value)


def called(attempt, started, status=None, error=None):
    """Log one call."""
    ms, error_class = round((time.perf_counter() - started) * 1000, 1), error and type(error).__name__
    event("upstream", upstream="lab", attempt=attempt, status=status, ms=ms, error_class=error_class)
