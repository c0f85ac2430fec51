"""Results from the laboratory, over HTTP."""

import time

import httpx

from .context import current
from .errors import ServiceError
from .logs import event

ATTEMPTS, TIMEOUT_S = 3, 0.4


class Laboratory:
    def __init__(self, url):
        self.client = httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False)

    def creatinine(self, mrn):
        """The latest creatinine in mg/dl. Raises ServiceError."""
        query = {"mrn": mrn, "request_id": current.get().request_id}
        for attempt in range(1, ATTEMPTS + 1):
            if attempt > 1:
                event("retry", upstream="lab", attempt=attempt)
            try:
                return self.ask(query, attempt)
            except httpx.TimeoutException as error:
                if attempt == ATTEMPTS:
                    raise ServiceError(504, "lab_timeout") from error
            except httpx.HTTPStatusError as error:
                if error.response.status_code != 503 or attempt == ATTEMPTS:
                    raise ServiceError(502, "lab_failed") from error
            except httpx.HTTPError as error:
                raise ServiceError(502, "lab_failed") from error
            except (ValueError, KeyError, TypeError) as error:
                raise ServiceError(502, "lab_garbled") from error
        raise AssertionError("the last attempt returns or raises")

    def ask(self, query, attempt):
        """One attempt, and its log line."""
        started, status, kind = time.perf_counter(), None, None
        try:
            response = self.client.get("/results", params=query)
            status = response.status_code
            response.raise_for_status()
            return plausible(response.json()["creatinine"])
        except Exception as error:
            kind = type(error).__name__
            raise
        finally:
            ms = round((time.perf_counter() - started) * 1000, 1)
            event("upstream", upstream="lab", attempt=attempt, status=status, ms=ms, error_class=kind)


def plausible(value):
    """A number of mg/dl. Raises ValueError, TypeError."""
    if not 0 < float(value) < 50:
        raise ValueError("no creatinine of anybody")
    return float(value)
