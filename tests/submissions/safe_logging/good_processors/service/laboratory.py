"""Results from the laboratory, over HTTP."""

import time

import httpx

from .context import current
from .errors import ServiceError
from .logs import log

ATTEMPTS, TIMEOUT_S = 3, 0.4


class Laboratory:
    def __init__(self, url):
        self.client = httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False)

    def creatinine(self, mrn):
        """The latest creatinine in mg/dl. Raises ServiceError."""
        response = self.asked(mrn)
        try:
            response.raise_for_status()
        except httpx.HTTPStatusError as error:
            raise ServiceError(502, "lab_failed") from error
        try:
            return plausible(response.json()["creatinine"])
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise ServiceError(502, "lab_garbled") from error

    def asked(self, mrn):
        """The first answer that is not 503, or the last one."""
        for attempt in range(1, ATTEMPTS + 1):
            if attempt > 1:
                log.warning("retry", upstream="lab", attempt=attempt)
            try:
                response = self.call(mrn, attempt)
            except httpx.TimeoutException as error:
                if attempt == ATTEMPTS:
                    raise ServiceError(504, "lab_timeout") from error
                continue
            except httpx.HTTPError as error:
                raise ServiceError(502, "lab_failed") from error
            if response.status_code != 503:
                break
        return response

    def call(self, mrn, attempt):
        """One call, and its line."""
        started, status, error_class = time.perf_counter(), None, None
        try:
            response = self.client.get("/results", params={"mrn": mrn, "request_id": current().request_id})
            status = response.status_code
            return response
        except httpx.HTTPError as error:
            error_class = type(error).__name__
            raise
        finally:
            ms = round((time.perf_counter() - started) * 1000, 1)
            log.info("upstream", upstream="lab", attempt=attempt, status=status, ms=ms, error_class=error_class)


def plausible(value):
    """A number of mg/dl. Raises ValueError, TypeError, OverflowError."""
    if not 0 < float(value) < 50:
        raise ValueError("not a creatinine")
    return float(value)
