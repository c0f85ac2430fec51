"""Logging: a JSON line an event in app.ndjson, of the fields of schema.FIELDS and nothing else.

Nothing but event() gets there: what libraries log is not quoted, for it quotes addresses, statements and input.
"""

import json
import logging
import sys
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path

from .errors import WRAPPERS
from .schema import EVENTS, FIELDS

log = logging.getLogger("service")

# What is known of the request in hand; its tasks and threads share the dict.
current = ContextVar("current", default={"request_id": None, "user": None, "patient_ref": None})

HERE = Path(__file__).parent


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record):
        line = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "level": record.levelname,
            **record.fields,
        }
        return json.dumps(line)


class AppendHandler(logging.Handler):
    """Opens the file for each line, so that it can be rotated from outside; the console has it when that fails."""

    def __init__(self, path):
        super().__init__()
        self.path = path
        self.setFormatter(JsonFormatter())
        self.addFilter(lambda record: hasattr(record, "fields"))

    def emit(self, record):
        line = self.format(record)
        try:
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(line + "\n")
        except OSError:
            console(line)


class ForeignHandler(logging.Handler):
    """What a library calls an error: where it did, and the exception's class, on the console."""

    def emit(self, record):
        error_class = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else "-"
        console(f"{record.levelname} {record.name} {record.module}:{record.lineno} {error_class}")


def console(line):
    with suppress(OSError, ValueError):  # It may be gone as well.
        print(line, file=sys.stderr, flush=True)


def configure(path, level):
    """Send events to `path`; of all else, only that there was an error is said, on the console."""
    logging.raiseExceptions = False
    logging.captureWarnings(True)
    logging.getLogger().handlers = [ForeignHandler(logging.ERROR)]
    log.setLevel(level)
    log.propagate = False
    log.handlers = [AppendHandler(path)]


def event(name, **fields):
    """Log one event of schema.EVENTS."""
    if name not in EVENTS or not fields.keys() <= FIELDS.keys():
        raise ValueError("not in the schema")
    level = logging.ERROR if name == "error" else logging.INFO
    log.log(level, name, extra={"fields": {"event": name, "request_id": current.get()["request_id"], **fields}})


def error_event(code, error, endpoint=None):
    """Log an exception: the class that began it, and the service's line in which that was raised. Never its text.

    endpoint: the route's function, for what the framework refuses before it is called.
    """
    while isinstance(error, WRAPPERS) and error.__cause__ is not None:
        error = error.__cause__
    where, trace = None, error.__traceback__
    while trace:
        path = Path(trace.tb_frame.f_code.co_filename)
        if path.parent == HERE:
            where = f"{path.name}:{trace.tb_lineno}"
        trace = trace.tb_next
    if where is None and endpoint is not None and Path(endpoint.__code__.co_filename).parent == HERE:
        where = f"{Path(endpoint.__code__.co_filename).name}:{endpoint.__code__.co_firstlineno}"
    event("error", error_code=code, error_class=type(error).__name__, where=where)
