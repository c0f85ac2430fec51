"""The application log: one writer, which knows what each field may look like and writes nothing else.

Nothing here takes free text. What libraries log goes through `LibraryHandler`, which keeps an error's class and
place and throws its words away; the level of the command line changes nothing of that.
"""

import json
import logging
import re
import sys
import threading
import traceback
import warnings
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from . import metrics, schema

HERE = str(Path(__file__).parent)
SITES = ("north", "south", "east", "west")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
ROUTES = set()  # templates, filled in by make_app


@dataclass
class Call:
    """What is known of the request in hand. Threads and tasks that work for it share it."""

    request_id: str | None = None
    site: str | None = None
    user: str | None = None
    patient_ref: str | None = None
    error_code: str | None = None
    status: int | None = None
    hung_up: bool = False


NOBODY = Call()
current = ContextVar("call", default=NOBODY)


def shaped(pattern):
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value, re.ASCII) is not None


def number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


# A value that does not fit is left out: the line says less, and never more.
FITS = {
    "request_id": shaped(r"[0-9a-f]{32}"),
    "route": lambda value: value in ROUTES,
    "status": number,
    "ms": number,
    "error_code": shaped(r"[a-z_]{1,40}"),
    "error_class": shaped(r"[A-Za-z_][A-Za-z0-9_]{0,79}"),
    "where": shaped(r"[a-z_]{1,40}\.py:[0-9]{1,6}"),
    "site": lambda value: value in SITES,
    "attempt": number,
    "upstream": lambda value: value in ("lab", "anchor"),
    "model_version": shaped(r"[a-z]{1,40}-[0-9]+\.[0-9]+\.[0-9]+"),
    "patient_ref": shaped(r"[0-9a-f]{16}"),
}


class Writer:
    """Appends lines; opens the file for each, so that it can be rotated from outside."""

    def __init__(self):
        self.path, self.lock, self.failing = None, threading.Lock(), False

    def write(self, line):
        """Never raises: the service goes on without its log. The console is told once, with no more than a class."""
        try:
            with self.lock, self.path.open("ab", buffering=0) as stream:
                stream.write(line)
            self.failing = False
        except Exception as error:
            metrics.count("log_lines_lost_total")
            if not self.failing:
                self.failing = True
                console(f"app.ndjson cannot be written: {type(error).__name__}")


writer = Writer()


def console(text):
    """A line of our own words on standard error. Never raises."""
    try:
        print(f"service: {text}", file=sys.stderr, flush=True)
    except (OSError, ValueError, AttributeError):
        pass


def event(name, level="INFO", **fields):
    """Log one event of schema.EVENTS, with the id of the request in hand."""
    if name not in schema.EVENTS or level not in LEVELS:
        name, level = "error", "ERROR"
    fields = {"request_id": current.get().request_id, **fields}
    line = {"ts": now(), "level": level, "event": name}
    for key, value in fields.items():
        if key in FITS:
            line[key] = value if value is not None and FITS[key](value) else None
    writer.write(json.dumps(line).encode() + b"\n")


def error_event(error, code, level="ERROR"):
    """Log that an exception ended a request, or work after it: its class and its place, and none of its words."""
    fields = {"error_class": None if error is None else type(error).__name__, "where": place(error)}
    event("error", level, error_code=code, patient_ref=current.get().patient_ref, **fields)


def place(error):
    """file.py:line of the innermost frame of the service's own code; None if there is none."""
    found = None
    for frame, line in traceback.walk_tb(getattr(error, "__traceback__", None)):
        path = Path(frame.f_code.co_filename)
        if str(path.parent) == HERE and path.name != "middleware.py":
            found = f"{path.name}:{line}"
    return found


def now():
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class LibraryHandler(logging.Handler):
    """What libraries log as an error becomes an event without their message; all else that they say is dropped."""

    def emit(self, record):
        try:
            error = record.exc_info[1] if record.exc_info else record.msg
            error_event(error if isinstance(error, BaseException) else None, "library_error")
        except Exception:
            metrics.count("log_lines_lost_total")


def configure(path):
    """Point the log at `path`, and everything that Python would print by itself at the log."""
    writer.path = path
    logging.raiseExceptions = False
    logging.lastResort = None
    root = logging.getLogger()
    handler = LibraryHandler(logging.ERROR)
    root.handlers = [handler]
    root.setLevel(logging.ERROR)
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    warnings.showwarning = lambda *args, **kwargs: None

    def fatal(kind, error, trace):
        error_event(error, "service_failed", "CRITICAL")
        console(f"ended by {kind.__name__} at {place(error)}")

    sys.excepthook = fatal
    threading.excepthook = lambda args: error_event(args.exc_value, "thread_failed")
    sys.unraisablehook = lambda args: error_event(args.exc_value, "unraisable")
