"""The one way to the application log: events of schema.EVENTS, with fields that are checked one by one.

There is no free text. What libraries log, warn or raise on their own is reduced to where it came from, and goes
to the console; so DEBUG cannot say more about a person than INFO.
"""

import json
import logging
import os
import re
import sys
import threading
import traceback
import warnings
from collections import deque
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime

from . import metrics
from .errors import began
from .schema import EVENTS

HERE = os.path.dirname(__file__)
LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}
SITES = ("north", "south", "east", "west")
REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+/=-]{0,127}")
ABOUT_A_PATIENT = ("request", "prediction", "error")
KEPT_LINES = 5000


@dataclass
class Facts:
    """What is known of the request in hand; shared by whatever runs for it, in whichever thread or task."""

    request_id: str | None = None
    user: str | None = None
    site: str | None = None
    patient_ref: str | None = None
    error_code: str | None = None
    model_version: str | None = None
    status: int | None = None
    answered: bool = False
    hung_up: bool = False


_current = ContextVar("request", default=None)


def current():
    """Facts of the request in hand; empty ones outside of any."""
    return _current.get() or Facts()


def enter(facts):
    return _current.set(facts)


def leave(token):
    _current.reset(token)


# --- what a line may hold


def _matches(pattern):
    whole = re.compile(pattern)
    return lambda value: isinstance(value, str) and whole.fullmatch(value) is not None


def _number(*types):
    return lambda value: isinstance(value, types) and not isinstance(value, bool)


CHECKS = {
    "request_id": lambda value: isinstance(value, str) and REQUEST_ID.fullmatch(value) is not None,
    "route": _matches(r"/[a-z0-9/{}_.-]*"),
    "status": _number(int),
    "ms": _number(int, float),
    "error_code": _matches(r"[a-z_]{1,40}"),
    "error_class": _matches(r"[A-Za-z_][A-Za-z0-9_]{0,79}"),
    "where": _matches(r"[a-z_]+\.py:[0-9]+"),
    "site": lambda value: value in SITES,
    "attempt": _number(int),
    "upstream": lambda value: value in ("lab", "anchor"),
    "model_version": _matches(r"[a-z0-9.-]{1,40}"),
    "patient_ref": _matches(r"[0-9a-f]{16}"),
}


def now():
    """2026-03-01T09:30:00.125Z."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event(name, level="INFO", **fields):
    """Write one event of schema.EVENTS. A field that nobody knows, or whose value is not of its kind, is left out."""
    if name not in EVENTS or LEVELS[level] < app_log.threshold:
        return
    facts = current()
    given = {"request_id": facts.request_id, **fields}
    if name in ABOUT_A_PATIENT:
        given.setdefault("patient_ref", facts.patient_ref)
    line = {"ts": now(), "level": level, "event": name}
    line |= {key: value for key, value in given.items() if key in CHECKS and value is not None and CHECKS[key](value)}
    if name == "upstream":
        line.setdefault("status", None)
    app_log.put(json.dumps(line) + "\n")


def error(code, exception, level="ERROR", endpoint=None):
    """Write that an exception ended a request or work after it: its class and its place, never its text."""
    first = began(exception)
    where = place(first) or place(exception) or place_of_function(endpoint)
    event("error", level, error_code=code, error_class=type(first).__name__, where=where)


def place(exception):
    """file.py:line of the innermost line of the service in the traceback; None without one."""
    found = None
    for frame, line in traceback.walk_tb(exception.__traceback__):
        folder, name = os.path.split(frame.f_code.co_filename)
        if folder == HERE and name != "middleware.py":
            found = f"{name}:{line}"
    return found


def place_of_function(function):
    """file.py:line where a function of the service begins; for what the framework raises before it is called."""
    code = getattr(function, "__code__", None)
    if code is None:
        return None
    folder, name = os.path.split(code.co_filename)
    return f"{name}:{code.co_firstlineno}" if folder == HERE else None


# --- where lines go


class AppLog:
    """Appends lines to a file, opened for each so that it can be rotated from outside.

    While the file cannot be written, the last KEPT_LINES lines wait in memory.
    """

    def __init__(self):
        self.path, self.threshold = None, LEVELS["INFO"]
        self.lock = threading.Lock()
        self.waiting = deque(maxlen=KEPT_LINES)
        self.failing = False

    def put(self, line):
        """Never raises: the service goes on without its log."""
        with self.lock:
            self.waiting.append(line)
            if self.path is None:
                return
            try:
                self.write()
            except OSError as problem:
                metrics.count("log_writes_failed_total", error_class=type(problem).__name__)
                if not self.failing:
                    console(f"ERROR the application log cannot be written: {type(problem).__name__}")
                self.failing = True
            else:
                self.failing = False

    def write(self):
        with self.path.open("ab", buffering=0) as stream:
            end, data = stream.seek(0, 2), "".join(self.waiting).encode("ascii")
            if stream.write(data) != len(data):
                stream.truncate(end)
                raise OSError("the application log is full")
        self.waiting.clear()


app_log = AppLog()


def console(text):
    """A line on standard error. Callers pass constants, class names and places in code only."""
    try:
        sys.stderr.write(f"{now()} {text}\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        pass  # nobody listens there


# --- what others would write


class Foreign(logging.Handler):
    """Reduces a library's record to its logger, level and place in code; its text and arguments are dropped."""

    def emit(self, record):
        name = record.name.split(".")[0]
        metrics.count("library_records_total", logger=name, level=record.levelname)
        kind = ""
        if record.exc_info and record.exc_info[0]:
            kind = " " + record.exc_info[0].__name__
        console(f"{record.levelname} {name} {record.filename}:{record.lineno}{kind}")


def _warned(message, category, filename, lineno, file=None, line=None):
    metrics.count("warnings_total", category=category.__name__)


def _uncaught(what, exception_type, exception):
    where = exception is not None and place(exception)
    console(f"ERROR {what} {exception_type.__name__ if exception_type else 'unknown'} {where or ''}".rstrip())


def loop_failed(loop, context):
    """For asyncio: what no task caught."""
    problem = context.get("exception")
    _uncaught("uncaught in the loop", type(problem) if problem else None, problem)


def configure(path, level):
    """Send events at `level` and above to `path`; let nothing else write of its own accord."""
    app_log.path, app_log.threshold = path, LEVELS[level]
    # A handler that fails would print the record and its arguments.
    logging.raiseExceptions = False
    root = logging.getLogger()
    root.setLevel(logging.WARNING)
    root.handlers = [Foreign(logging.WARNING)]
    warnings.showwarning = _warned
    sys.excepthook = lambda kind, problem, trace: _uncaught("uncaught", kind, problem)
    sys.unraisablehook = lambda given: _uncaught("unraisable", given.exc_type, given.exc_value)
    threading.excepthook = lambda given: _uncaught("uncaught in a thread", given.exc_type, given.exc_value)
