"""The one way to app.ndjson: `event`, with the fields of schema.FIELDS. Nothing else is logged or printed."""

import json
import logging
import sys
import threading
import warnings
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path

from . import metrics
from .schema import FIELDS

HOME = Path(__file__).resolve().parent
WRAPPERS = {__package__, "fastapi", "starlette"}

# What is known of the request in hand: a dict that its threads and tasks share.
current = ContextVar("current", default=None)
lock = threading.Lock()
target = {"path": None}


def configure(path):
    """Write to `path`; silence the loggers, warnings and tracebacks of everybody else."""
    target["path"] = path
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    sys.excepthook = lambda kind, error, trace: complain(error)
    threading.excepthook = lambda args: complain(args.exc_value)
    sys.unraisablehook = lambda args: complain(args.exc_value)


def complain(error):
    """Class and place of what nobody caught, on the console."""
    print(f"{type(error).__name__} at {where(error)}", file=sys.stderr)


def now():
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event(name, level="INFO", **fields):
    """Write one event of schema.EVENTS. Never raises OSError."""
    here = current.get() or {}
    known = {"request_id": here.get("request_id"), "patient_ref": here.get("patient_ref")}
    line = {"ts": now(), "level": level, "event": name, **known, **fields}
    data = json.dumps({key: value for key, value in line.items() if key in FIELDS}) + "\n"
    try:
        with lock, target["path"].open("ab", buffering=0) as stream:
            stream.write(data.encode())
    except OSError:
        metrics.count("log_lines_lost_total")


def error(code, exception, level="ERROR"):
    """Log an exception: its class and its place, never its text."""
    began = first(exception)
    event("error", level, error_code=code, error_class=type(began).__name__, where=where(began))


def first(exception):
    """The exception behind those that the service and its framework put around it."""
    while exception.__cause__ is not None and type(exception).__module__.split(".")[0] in WRAPPERS:
        exception = exception.__cause__
    return exception


def where(exception):
    """file.py:line of the innermost frame of the service, or None."""
    found, trace = None, exception.__traceback__
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        if path.parent == HOME:
            found = f"{path.name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found
