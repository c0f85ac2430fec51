"""Results from the laboratory, over HTTP."""

import time

import httpx
from structlog.contextvars import get_contextvars

from .failures import refusing
from .telemetry import log

ATTEMPTS, TIMEOUT_S = 3, 0.4
BUSY = 503


class Laboratory:
    def __init__(self, url):
        self.client = httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S, trust_env=False)

    async def close(self):
        await self.client.aclose()

    async def creatinine(self, mrn):
        """The latest creatinine in mg/dl. Raises Refusal."""
        query = {"mrn": mrn, "request_id": get_contextvars()["request_id"]}
        with (
            refusing(httpx.HTTPError, status=502, code="lab_failed"),
            # The inner one is asked first: a timeout is an HTTPError too.
            refusing(httpx.TimeoutException, status=504, code="lab_timeout"),
        ):
            response = await self.answer(query)
        # Its address and its text are about a person; what came is told by the class alone.
        with refusing(ValueError, KeyError, TypeError, status=502, code="lab_garbled"):
            return plausible(response.json()["creatinine"])

    async def answer(self, query):
        """The first answer that is one. Raises what the last attempt raised."""
        for attempt in range(1, ATTEMPTS):
            try:
                return await self.attempt(query, attempt)
            except httpx.TimeoutException:
                pass
            except httpx.HTTPStatusError as error:
                if error.response.status_code != BUSY:
                    raise
            log.warning("retry", upstream="lab", attempt=attempt + 1)
        return await self.attempt(query, ATTEMPTS)

    async def attempt(self, query, attempt):
        """One call, and its line."""
        call = log.bind(upstream="lab", attempt=attempt)
        began = time.perf_counter()
        try:
            response = await self.client.get("/results", params=query)
        except httpx.HTTPError as error:
            call.warning("upstream", status=None, ms=passed(began), error_class=type(error).__name__)
            raise
        failure = httpx.HTTPStatusError.__name__ if response.is_error else None
        say = call.warning if failure else call.info
        say("upstream", status=response.status_code, ms=passed(began), error_class=failure)
        return response.raise_for_status()


def plausible(value):
    """A number of mg/dl. Raises ValueError, TypeError."""
    if not 0 < float(value) < 50:
        raise ValueError
    return float(value)


def passed(began):
    """Milliseconds since."""
    return round((time.perf_counter() - began) * 1000, 1)
