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
                event("retry", upstream="lab")
            started = time.perf_counter()
            try:
                response = self.client.get("/results", params={"mrn": mrn, "request_id": request_id})
            except httpx.TimeoutException as error:
                event("upstream", upstream="lab", status=None, ms=passed(started))
                if attempt == ATTEMPTS:
                    raise ServiceError(504, "lab_timeout", f"no answer about MRN {mrn}") from error
                continue
            except httpx.HTTPError as error:
                raise ServiceError(502, "lab_failed", str(error)) from error
            event("upstream", upstream="lab", status=response.status_code, ms=passed(started))
            if response.status_code != 503:
                break
        try:
            response.raise_for_status()
        except httpx.HTTPStatusError as error:
            raise ServiceError(502, "lab_failed", str(error)) from error
        try:
            return plausible(response.json()["creatinine"])
        except (ValueError, KeyError, TypeError) as error:
            raise ServiceError(502, "lab_garbled", f"{response.url} sent {response.text[:200]!r}") from error


def plausible(value):
    """A number of mg/dl. Raises ValueError, TypeError."""
    if not 0 < float(value) < 50:
        raise ValueError(f"creatinine of {value}")
    return float(value)


def passed(started):
    """Milliseconds since."""
    return round((time.perf_counter() - started) * 1000, 1)
