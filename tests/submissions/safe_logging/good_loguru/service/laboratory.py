"""Results from the laboratory, over HTTP."""

import time

import httpx

from .journal import tell

ATTEMPTS, TIMEOUT_S, BUSY = 3, 0.4, 503


class Garbled(Exception):
    """The laboratory sent something else than a creatinine."""


class Laboratory:
    def __init__(self, url):
        self.client = httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False)

    def creatinine(self, mrn, request_id, log):
        """The latest creatinine in mg/dl. Raises Garbled, httpx.HTTPError. log: of the request."""
        query = {"mrn": mrn, "request_id": request_id}
        for attempt in range(1, ATTEMPTS + 1):
            if attempt > 1:
                tell(log, "retry", "WARNING", upstream="lab", attempt=attempt)
            response, error = self.call(query, log, attempt)
            busy = response is not None and response.status_code == BUSY
            if not busy and not isinstance(error, httpx.TimeoutException):
                break
        if error is not None:
            raise error
        response.raise_for_status()
        try:
            return plausible(response.json()["creatinine"])
        except (ValueError, KeyError, TypeError) as error:
            raise Garbled from error

    def call(self, query, log, attempt):
        """(response, None) or (None, exception) of one call, which is logged."""
        response = error = None
        began = time.perf_counter()
        try:
            response = self.client.get("/results", params=query)
        except httpx.HTTPError as caught:
            error = caught
        ms = round((time.perf_counter() - began) * 1000, 1)
        status = None if response is None else response.status_code
        failure = type(error).__name__ if error else "HTTPStatusError" if response.is_error else None
        level = "WARNING" if failure else "INFO"
        tell(log, "upstream", level, upstream="lab", attempt=attempt, status=status, ms=ms, error_class=failure)
        return response, error


def plausible(value):
    """A number of mg/dl. Raises ValueError, TypeError."""
    if not 0 < float(value) < 50:
        raise ValueError("creatinine out of range")
    return float(value)
