"""Logging: app.ndjson has events of schema.EVENTS and nothing else, and `event` is the only way in.

Text never gets there: neither messages nor exceptions' texts. What libraries log, warn of or let fall is
reduced to where it came from and of which class it was.
"""

import json
import logging
import re
import sys
import threading
import uuid
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path

from . import metrics, schema
from .reference import patient_ref

HERE = Path(__file__).parent
SITES = ("north", "south", "east", "west")
# Letters and a short number; neither a name nor a patient's id or number looks like that.
USER = re.compile(r"[A-Za-z]{1,12}-?[0-9]{1,6}(?![^\s])")

log = logging.getLogger("service")

# What is known of the request in hand; whatever runs for it has the same dict.
current = ContextVar("current", default=None)


def begin(headers):
    """Take from a request's headers what is fit to be written down; the new `current`."""
    site, user = headers.get("X-Site"), USER.match(headers.get("X-User", ""))
    known = {
        # Never the caller's: theirs may be anything, a patient's hashed number among it. The answer has ours.
        "request_id": uuid.uuid4().hex,
        "site": site if site in SITES else None,
        "user": user.group() if user else "unknown",
        "patient_ref": None,
    }
    current.set(known)
    return known


def about(patient_id):
    """The request in hand is about this known patient."""
    known = current.get()
    if known is not None:
        known["patient_ref"] = patient_ref(patient_id)


def now():
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class EventHandler(logging.Handler):
    """Writes events; opens the file for each line, so that it can be rotated from outside."""

    def __init__(self, path):
        super().__init__()
        self.path = path

    def emit(self, record):
        try:
            line = {"ts": now(), "level": record.levelname, "request_id": (current.get() or {}).get("request_id")}
            line |= {key: value for key, value in record.fields.items() if key in schema.FIELDS}
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(line) + "\n")
        except Exception:
            metrics.count("log_lines_lost_total")


class LibraryHandler(logging.Handler):
    """What libraries log: of warnings and errors the place and the exception's class, and not a word of the text."""

    def emit(self, record):
        try:
            error = record.exc_info[1] if record.exc_info else record.msg
            name = type(error).__name__ if isinstance(error, BaseException) else ""
            place = f"{record.filename}:{record.lineno}"
            print(now(), record.levelname, record.name, place, name, file=sys.stderr, flush=True)
            if record.exc_info and error and record.levelno >= logging.ERROR:
                error_event("unhandled", error)
        except Exception:
            metrics.count("log_lines_lost_total")


def configure(path, level):
    """Send events at `level` and above to `path`."""
    logging.raiseExceptions = False
    logging.captureWarnings(True)
    log.setLevel(level)
    log.propagate = False
    log.handlers = [EventHandler(path)]
    library = LibraryHandler(logging.WARNING)
    root = logging.getLogger()
    root.setLevel(logging.WARNING)
    root.handlers = [library]
    sys.excepthook = lambda kind, error, trace: unhandled(error)
    sys.unraisablehook = lambda given: unhandled(given.exc_value)
    threading.excepthook = lambda given: unhandled(given.exc_value)


def unhandled(error):
    logging.getLogger("unhandled").error("", exc_info=error)


def event(name, level=logging.INFO, **fields):
    """Log one event of schema.EVENTS."""
    log.log(level, name, extra={"fields": {"event": name, **fields}})


def error_event(code, error):
    """Log an exception that ended something."""
    began, where = origin(error)
    event("error", logging.ERROR, error_code=code, error_class=type(began).__name__, where=where)


def origin(error):
    """(exception, "file.py:line" or None): the first that the service's own code saw, and where in it.

    Below that are a library's own (httpx.ReadTimeout, of httpcore.ReadTimeout, of TimeoutError).
    """
    found, where = None, None
    while error is not None:
        place, trace = None, error.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            if Path(code.co_filename).parent == HERE and code.co_name != "log_request":
                place = f"{Path(code.co_filename).name}:{trace.tb_lineno}"
            trace = trace.tb_next
        if place or not where:
            found, where = error, place
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return found, where
