"""The one way to app.ndjson: events of schema.EVENTS with fields of schema.FIELDS, each checked for its form.

There is no free text. What other libraries log, warn or print as a traceback is reduced to a class and a place.
"""

import json
import logging
import os
import re
import sys
import threading
import uuid
import warnings
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from .schema import EVENTS, FIELDS

HERE = Path(__file__).resolve().parent
SITES = ("north", "south", "east", "west")
LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}
# Hex of some length (also UUIDs), ULIDs, both perhaps after a short prefix: nothing that could be a word or a number.
REQUEST_ID = re.compile(r"(?:(?!p-)[a-z]{1,4}[-_])?(?:[0-9a-fA-F-]{16,64}|[0-9A-HJKMNP-TV-Z]{26})")
FORMS = {
    "level": re.compile("|".join(LEVELS)),
    "event": re.compile("|".join(EVENTS)),
    "request_id": REQUEST_ID,
    "route": re.compile(r"/[a-z/]*(\{id\})?|unmatched"),
    "error_code": re.compile(r"[a-z_]{1,40}"),
    "error_class": re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,60}"),
    "where": re.compile(r"[a-z_]+\.py:[0-9]+"),
    "site": re.compile("|".join(SITES)),
    "upstream": re.compile("lab|anchor"),
    "model_version": re.compile(r"[a-z0-9.-]{1,40}"),
    "patient_ref": re.compile(r"[0-9a-f]{16}"),
}


@dataclass
class Context:
    """What is known of the request in hand. Threads and tasks that work for it share it."""

    request_id: str | None = None
    site: str | None = None
    user: str | None = None
    patient_ref: str | None = None
    error_code: str | None = None
    predicted: str | None = None  # the model's version, once there is a risk to give out


current: ContextVar[Context | None] = ContextVar("current", default=None)


def context():
    return current.get() or Context()


def request_id_of(given):
    """The caller's id if it has the form of one; else a new one."""
    return given if given and REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


class Writer:
    """Opens the file for each line, so that it can be rotated from outside. Never raises."""

    def __init__(self):
        self.path, self.least, self.lock, self.broken, self.torn = None, LEVELS["INFO"], threading.Lock(), False, False

    def write(self, line):
        data = (json.dumps(line) + "\n").encode("ascii")
        with self.lock:
            try:
                stream = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
                try:
                    data = b"\n" + data if self.torn else data
                    self.torn = os.write(stream, data) != len(data)
                finally:
                    os.close(stream)
                self.broken = False
            except (OSError, TypeError) as error:
                if not self.broken:
                    console(f"app.ndjson cannot be written: {type(error).__name__}")
                self.broken = True


writer = Writer()


def console(text):
    """A constant text of ours, to standard error."""
    try:
        os.write(2, f"service: {text}\n".encode("ascii", "replace"))
    except OSError:
        pass


def clean(name, value):
    """The value if it has the form of its field, else None."""
    if name in FORMS:
        return value if isinstance(value, str) and FORMS[name].fullmatch(value) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def event(name, level="INFO", **fields):
    """Write one event. Fields that the schema does not know, or of another form, are left out."""
    if LEVELS[level] < writer.least or writer.path is None:
        return
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    fields = {"level": level, "event": name, "request_id": context().request_id, **fields}
    writer.write({"ts": now, **{key: clean(key, value) for key, value in fields.items() if key in FIELDS}})


def origin(error):
    """(class, place) of the exception that began it: the earliest of the chain that came by the service's own code.

    (What httpx caught inside of httpx, say, is not it.) The place is None where the service's code has no part.
    """
    first, place, seen = error, place_of(error), set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        here = place_of(error)
        if here or not place:
            first, place = error, here or place
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return type(first).__name__, place


def place_of(error):
    """file.py:line of the innermost frame of the service's."""
    place, trace = None, error.__traceback__
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        if path.parent == HERE:
            place = f"{path.name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def error_event(code, error, where=None, level="ERROR"):
    """An exception ended a request, or work after it."""
    name, place = origin(error)
    event("error", level, error_code=code, error_class=name, where=place or where)


class Sink(logging.Handler):
    """What libraries log: an exception's class and place, or only which line of theirs wanted to say something."""

    def emit(self, record):
        try:
            error = record.exc_info[1] if record.exc_info else None
            if error is not None:
                error_event("internal_error", error)
            else:
                console(f"{record.levelname} at {record.filename}:{record.lineno}")
        except Exception:
            console("a record of a library could not be logged")


def unhandled(error):
    if isinstance(error, BaseException):
        error_event("internal_error", error)


def loop_handler(_loop, about):
    """For asyncio: its own writes the repr of tasks and their arguments."""
    unhandled(about.get("exception"))


def uncaught(_kind, error, _trace):
    name, place = origin(error)
    error_event("internal_error", error, level="CRITICAL")
    console(f"ended by {name} at {place}")


def configure(path, level):
    """app.ndjson at `path`, and nothing else anywhere: no handler but ours, no warnings, no tracebacks on the console."""
    writer.path, writer.least = path, LEVELS[level]
    logging.raiseExceptions = False
    logging.captureWarnings(False)
    root = logging.getLogger()
    root.handlers = [Sink()]
    # As silent at DEBUG: what libraries say below WARNING are addresses, statements and parameters.
    root.setLevel(logging.WARNING)
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.handlers, logger.propagate, logger.level = [], True, logging.NOTSET
    warnings.simplefilter("ignore")
    warnings.showwarning = lambda *_given, **_more: None
    sys.excepthook = uncaught
    sys.unraisablehook = lambda about: unhandled(about.exc_value)
    threading.excepthook = lambda about: unhandled(about.exc_value)
