"""The one way into app.ndjson: event(). A line holds fields of schema.FIELDS of the right form, and nothing else.

There is no function that takes a message. What libraries say through `logging`, `warnings` or uncaught exceptions goes to
the console as "who, how bad, which class, which line": never their text, at any level.
"""

import logging
import re
import sys
import threading
import warnings
from datetime import UTC, datetime
from pathlib import Path

import structlog

from . import context, schema
from .errors import ServiceError

HERE = Path(__file__).resolve().parent
SITES = {"north", "south", "east", "west"}
LEVELS = {"error": "error", "retry": "warning"}


def matches(pattern):
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


# The form of each field; what has another form is written as null.
FORMS = {
    "ts": matches(r"[0-9T:.Z-]{24}"),
    "level": matches(r"DEBUG|INFO|WARNING|ERROR|CRITICAL"),
    "event": lambda value: value in schema.EVENTS,
    "request_id": matches(context.REQUEST_ID.pattern),
    "route": matches(r"/[a-z/{}._]*|unmatched"),  # set by the service from its own templates
    "status": is_number,
    "ms": is_number,
    "error_code": matches(r"[a-z_]{1,40}"),
    "error_class": matches(r"[A-Za-z_][A-Za-z0-9_]{0,79}"),
    "where": matches(r"[a-z_]+\.py:[0-9]+"),
    "site": lambda value: value in SITES,
    "attempt": is_number,
    "upstream": lambda value: value in ("lab", "anchor"),
    "model_version": matches(r"[a-z]+-[0-9.]+"),
    "patient_ref": matches(r"[0-9a-f]{16}"),
}
assert set(FORMS) == set(schema.FIELDS)


def allowed_only(logger, method, fields):
    """structlog processor: the schema's fields, in their form; the time, the level and the request."""
    fields["ts"] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    fields["level"] = method.upper()
    fields.setdefault("request_id", context.now().request_id)
    return {name: fields[name] if form(fields[name]) else None for name, form in FORMS.items() if name in fields}


class Journal:
    """structlog's output: appends lines to the file, which is opened each time so that it can be rotated from outside.

    A line that cannot be written goes to standard error: it is as safe there, and the service goes on.
    """

    def __init__(self, path):
        self.path, self.lock = path, threading.Lock()

    def write(self, line):
        try:
            with self.lock, self.path.open("ab", buffering=0) as stream:
                stream.write(line.encode() + b"\n")
        except OSError:
            say(line)

    debug = info = warning = error = critical = write


def say(text):
    """To the console; a closed one is no reason to fail."""
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        pass


def event(name, **fields):
    """Log one event of schema.EVENTS. Never raises."""
    try:
        getattr(structlog.get_logger(), LEVELS.get(name, "info"))(name, **fields)
    except Exception as error:
        say(f"ERROR service.logs: {type(error).__name__} while a line was written")


def error_event(error, code):
    """The line of an exception: its class and the line of the service it came from; its text is the input's text."""
    began = origin(error)
    event("error", error_code=code, error_class=type(began).__name__, where=where(began) or where(error))


def origin(error):
    """The exception that a ServiceError stands for."""
    while isinstance(error, ServiceError) and error.__cause__ is not None:
        error = error.__cause__
    return error


def where(error):
    """file.py:line of the innermost frame that is the service's own; None without one."""
    found, trace = None, error.__traceback__
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        if path.parent == HERE:
            found = f"{path.name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found


class SafeConsole(logging.Handler):
    """Libraries' records without their text."""

    def emit(self, record):
        kind = f" {record.exc_info[0].__name__}" if record.exc_info and record.exc_info[0] else ""
        say(f"{record.levelname} {record.name} {record.filename}:{record.lineno}{kind}")


def show_warning(message, category, filename, lineno, file=None, line=None):
    say(f"WARNING {category.__name__} {Path(filename).name}:{lineno}")


def uncaught(error, code):
    if error is not None and not isinstance(error, KeyboardInterrupt):
        say(f"CRITICAL {code} {type(error).__name__} {where(error)}")
        error_event(error, code)


def configure(path, level):
    """Set up the journal in `path`, and take every other way out: logging, warnings, uncaught exceptions."""
    structlog.configure(
        processors=[allowed_only, structlog.processors.JSONRenderer(ensure_ascii=True)],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        logger_factory=lambda *_: journal,
        cache_logger_on_first_use=False,
    )
    journal = Journal(path)
    logging.raiseExceptions = False
    root = logging.getLogger()
    root.handlers = [SafeConsole()]
    root.setLevel(logging.WARNING)  # at DEBUG too: nobody can answer for what libraries say there
    warnings.showwarning = show_warning
    sys.excepthook = lambda kind, error, trace: uncaught(error, "uncaught")
    threading.excepthook = lambda given: uncaught(given.exc_value, "thread_failed")
    sys.unraisablehook = lambda given: say(f"ERROR unraisable {given.exc_type.__name__}")
