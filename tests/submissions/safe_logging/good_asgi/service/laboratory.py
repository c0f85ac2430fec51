"""Results from the laboratory, over HTTP."""

import time

import httpx

from .records import Called, Code, Failure, Retry, Upstream, class_name

ATTEMPTS, TIMEOUT_S = 3, 0.4
BUSY = 503
GARBLED = (ValueError, KeyError, TypeError, OverflowError, RecursionError)


def connected(url):
    return httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False)


def creatinine(client, visit, mrn):
    """The latest creatinine in mg/dl. Raises Failure."""
    for attempt in range(1, ATTEMPTS + 1):
        if attempt > 1:
            visit.tell(Retry(visit.request_id, attempt))
        status, value, error = ask(client, visit, mrn, attempt)
        if error is None:
            return value
        if not (status == BUSY or isinstance(error, httpx.TimeoutException)):
            break
    raise Failure(code_of(error)) from error


def ask(client, visit, mrn, attempt):
    """One call, told to the log: (status or None, value or None, what went wrong or None)."""
    started, status, value, wrong = time.perf_counter(), None, None, None
    try:
        response = client.get("/results", params={"mrn": mrn, "request_id": visit.request_id})
        status = response.status_code
        value = read(response)
    except (httpx.HTTPError, *GARBLED) as error:
        wrong = error
    ms = round((time.perf_counter() - started) * 1000, 1)
    visit.tell(Called(visit.request_id, Upstream.LAB, attempt, status, ms, class_name(wrong)))
    return status, value, wrong


def read(response):
    """The value in an answer. Raises httpx.HTTPStatusError or one of GARBLED."""
    response.raise_for_status()
    value = float(response.json()["creatinine"])
    if not 0 < value < 50:
        raise ValueError("no creatinine of anybody")
    return value


def code_of(error):
    if isinstance(error, httpx.TimeoutException):
        return Code.LAB_TIMEOUT
    return Code.LAB_FAILED if isinstance(error, httpx.HTTPError) else Code.LAB_GARBLED
