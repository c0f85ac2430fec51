"""The one way into app.ndjson: events of schema.EVENTS with fields of schema.FIELDS, each value checked for its form.

There is no message and no free text. What other libraries log is not passed on; of an exception that one of them
reports, class and place are kept.
"""

import asyncio
import json
import logging
import math
import os
import re
import sys
import threading
import uuid
import warnings
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime

from .errors import ServiceError
from .reference import patient_ref
from .schema import EVENTS

HERE = os.path.dirname(os.path.abspath(__file__))
# Frames of these files are under every request and say nothing of where it failed.
NOT_A_PLACE = {"observe.py", "__main__.py"}

ROUTES = {"/health", "/metrics", "/patients", "/patients/{id}", "/predict", "/bundle", "/batch", "/label", "/notify"}
SITES = {"north", "south", "east", "west"}
ERROR_CODES = {
    "malformed_json",
    "invalid_patient",
    "duplicate_patient",
    "constraint_failed",
    "unknown_patient",
    "invalid_query",
    "invalid_input",
    "lab_timeout",
    "lab_failed",
    "lab_garbled",
    "invalid_bundle",
    "invalid_batch",
    "label_failed",
    "not_found",
    "method_not_allowed",
    "internal_error",
    "audit_unavailable",
    "notify_failed",
}
REQUEST_ID = re.compile(r"[0-9a-f]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
USER = re.compile(r"prac-[0-9]{1,6}")


def one_of(words):
    return lambda value: isinstance(value, str) and value in words


def like(pattern):
    pattern = re.compile(pattern)
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def whole(low, high):
    return lambda value: isinstance(value, int) and low <= value <= high


CHECKS = {
    "request_id": like(REQUEST_ID),
    "route": one_of(ROUTES),
    "status": whole(100, 999),
    "ms": lambda value: isinstance(value, (int, float)) and math.isfinite(value),
    "error_code": one_of(ERROR_CODES),
    "error_class": like(r"[A-Za-z_][A-Za-z0-9_]{0,63}"),
    "where": like(r"[a-z_]{1,40}\.py:[0-9]{1,6}"),
    "site": one_of(SITES),
    "attempt": whole(1, 1000),
    "upstream": one_of({"lab", "anchor"}),
    "model_version": like(r"readmission-[0-9]+\.[0-9]+\.[0-9]+"),
    "patient_ref": like(r"[0-9a-f]{16}"),
}


class Trace:
    """What is known of one request. Threads and tasks that work for the request share it."""

    def __init__(self, request_id=None, site=None, user=None):
        # A caller's header is taken over only if it has the form of what it should be.
        self.request_id = request_id if request_id and REQUEST_ID.fullmatch(request_id) else uuid.uuid4().hex
        self.site = site if site in SITES else None
        self.user = user if user and USER.fullmatch(user) else "unknown"
        self.patient_ref = None
        self.error_code = None
        self.model_version = None


trace = ContextVar("trace", default=None)


def request_id():
    """The id of the request in hand, or None."""
    known = trace.get()
    return known.request_id if known else None


def about(patient_id):
    """The request in hand is about this patient, who is registered."""
    known = trace.get()
    if known:
        known.patient_ref = patient_ref(patient_id)


def console(text):
    """A line to standard error; only for what cannot be said in the log. Text without input."""
    with suppress(Exception):
        print(f"service: {text}", file=sys.stderr, flush=True)


class Writer:
    """Opens the file for each line, so that it can be rotated from outside; goes on if that fails."""

    def __init__(self):
        self.path, self.failing, self.lock = None, False, threading.Lock()

    def write(self, line):
        with self.lock:
            try:
                self.append((line + "\n").encode("ascii"))
                self.failing = False
            except Exception as error:
                if not self.failing:
                    console(f"the application log cannot be written ({type(error).__name__})")
                self.failing = True

    def append(self, data):
        if self.path is None:
            return
        with self.path.open("ab", buffering=0) as stream:
            end = stream.seek(0, 2)
            if stream.write(data) != len(data):
                # Half a line would spoil the next one.
                stream.truncate(end)
                raise OSError("the application log is full")


writer = Writer()


def event(name, level="INFO", **fields):
    """Log one event of schema.EVENTS. A value that has not the form of its field becomes null."""
    if name not in EVENTS:
        return
    line = {
        "ts": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": level,
        "event": name,
        "request_id": request_id(),
    }
    for key, value in fields.items():
        if key in CHECKS:
            line[key] = value if value is not None and CHECKS[key](value) else None
    writer.write(json.dumps(line, ensure_ascii=True))


def failure(code, error, level="ERROR"):
    """Log an exception: which class began it, and where in the service. Never its text."""
    first = began(error)
    place = where(first) or where(error)
    event("error", level, error_code=code, error_class=type(first).__name__, where=place)


def began(error):
    """The exception that a ServiceError was raised from."""
    while isinstance(error, ServiceError) and error.__cause__ is not None:
        error = error.__cause__
    return error


def where(error):
    """file.py:line of the innermost frame that is the service's own; None if there is none."""
    found, step = None, error.__traceback__
    while step is not None:
        folder, name = os.path.split(os.path.abspath(step.tb_frame.f_code.co_filename))
        if folder == HERE and name not in NOT_A_PLACE:
            found = f"{name}:{step.tb_lineno}"
        step = step.tb_next
    return found


class Bridge(logging.Handler):
    """The root's only handler: of other libraries' records, the exceptions' classes and places."""

    def emit(self, record):
        with suppress(Exception):
            error = record.exc_info[1] if record.exc_info else record.msg
            if isinstance(error, BaseException) and not isinstance(error, asyncio.CancelledError):
                failure("internal_error", error)


def configure(path):
    """Send events to `path`, and close every other way out."""
    writer.path = path
    logging.raiseExceptions = False
    logging.lastResort = None
    root = logging.getLogger()
    root.setLevel(logging.ERROR)
    root.handlers = [Bridge(level=logging.ERROR)]
    warnings.simplefilter("ignore")
    warnings.showwarning = lambda *args, **kwargs: None
    sys.excepthook = ended
    sys.unraisablehook = lambda report: loose(report.exc_value)
    threading.excepthook = lambda report: loose(report.exc_value)


def loose(error):
    """An exception that nobody caught, in a thread or a finalizer."""
    with suppress(Exception):
        if error is not None:
            failure("internal_error", error)


def ended(kind, error, traceback):
    """An exception that ends the process."""
    if issubclass(kind, KeyboardInterrupt):
        return
    loose(error)
    console(f"ended by {kind.__name__} at {where(error)}")
