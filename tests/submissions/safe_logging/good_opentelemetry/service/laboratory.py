"""Results from the laboratory, over HTTP: a span for each call."""

import httpx
from opentelemetry.trace import SpanKind

from .problems import Problem
from .telemetry import mark, note, span

ATTEMPTS, TIMEOUT_S = 3, 0.4
BUSY = 503


class Laboratory:
    def __init__(self, url):
        self.client = httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False)

    def creatinine(self, mrn, request_id):
        """The latest creatinine in mg/dl. Raises Problem."""
        for attempt in range(1, ATTEMPTS + 1):
            if attempt > 1:
                mark("retry", app__attempt=attempt, peer__service="lab", log__level="WARNING")
            try:
                return self.ask(mrn, request_id, attempt)
            except httpx.HTTPError as error:
                if attempt == ATTEMPTS or not worth_another(error):
                    late = isinstance(error, httpx.TimeoutException)
                    raise Problem("lab_timeout" if late else "lab_failed") from error
            except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
                raise Problem("lab_garbled") from error
        raise AssertionError("the last attempt returns or raises")

    def ask(self, mrn, request_id, attempt):
        """One call. Raises httpx.HTTPError, or ValueError, KeyError, TypeError for nonsense."""
        with span("upstream", SpanKind.CLIENT, peer__service="lab", app__attempt=attempt):
            try:
                response = self.client.get("/results", params={"mrn": mrn, "request_id": request_id})
                note(http__response__status_code=response.status_code)
                response.raise_for_status()
                return plausible(response.json()["creatinine"])
            except Exception as error:
                note(error__type=type(error).__name__, log__level="WARNING")
                raise


def worth_another(error):
    """Whether the laboratory was only slow or busy."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code == BUSY
    return isinstance(error, httpx.TimeoutException)


def plausible(value):
    """A number of mg/dl. Raises ValueError, TypeError."""
    if not 0 < float(value) < 50:
        raise ValueError("no creatinine of anybody")
    return float(value)
