"""The application log: lines are made of known fields of known form, and of nothing that anybody wrote."""

import asyncio
import json
import logging
import re
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from .context import REQUEST_ID, SITES, current
from .errors import ServiceError
from .schema import EVENTS, FIELDS

HERE = Path(__file__).parent
log = logging.getLogger("service")

WORD = re.compile(r"[a-z0-9_]{1,40}")
FORMS = {
    "event": lambda v: v in EVENTS,
    "request_id": REQUEST_ID.fullmatch,
    "route": re.compile(r"unmatched|/[a-z]*(/\{id\})?").fullmatch,
    "status": lambda v: type(v) is int and 100 <= v <= 599,
    "ms": lambda v: type(v) in (int, float),
    "error_code": WORD.fullmatch,
    "error_class": re.compile(r"[A-Za-z_0-9]{1,80}").fullmatch,
    "where": re.compile(r"[a-z_]+\.py:[0-9]+").fullmatch,
    "site": lambda v: v in SITES,
    "attempt": lambda v: type(v) is int,
    "upstream": lambda v: v in ("lab", "anchor"),
    "model_version": re.compile(r"[a-z]+-[0-9.]+").fullmatch,
    "patient_ref": re.compile(r"[0-9a-f]{16}").fullmatch,
}


# Written when the service leaves: the disk is spared.
waiting = []


def write_all():
    for path, line in waiting:
        with path.open("a") as stream:
            stream.write(line)


class AllowListHandler(logging.Handler):
    """Writes our events; of other people's records only that an exception was in them.

    The check is here and not in a filter of a logger: records of child loggers pass a logger's filters by.
    Logging never fails a request, and says nothing on the console.
    """

    def __init__(self, path):
        super().__init__()
        self.path = path

    def emit(self, record):
        try:
            line = json.dumps(entry(record)) + "\n" if concerns_us(record) else ""
            if line:
                waiting.append((self.path, line))
        except Exception:
            # There is nowhere left to say so.
            pass

    def handleError(self, record):
        """Nothing: what logging prints here has the record's arguments in it."""


def concerns_us(record):
    return record.name == log.name or (record.levelno >= logging.ERROR and record.exc_info)


def entry(record):
    """The line of a record, as a dict."""
    if record.name == log.name:
        given = record.fields
    else:
        given = {"event": "error", "error_code": "internal_error", **cause_and_place(record.exc_info[1])}
    ts = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    line = {"ts": ts, "level": record.levelname}
    for field in FIELDS:
        if field in FORMS and field in given:
            value = given[field]
            line[field] = value if value is not None and FORMS[field](value) else None
    return line


def event(name, level=logging.INFO, **fields):
    """Log one event of schema.EVENTS, with the id of the request in hand."""
    context = current.get()
    if context is not None:
        fields = {"request_id": context.request_id, **fields}
    log.log(level, "", extra={"fields": {"event": name, **fields}})


def error(code, exception):
    """Log that this exception ended the request in hand, or work that it left in the background."""
    event("error", logging.ERROR, error_code=code, **cause_and_place(exception))


def cause_and_place(exception):
    """Class of the exception, and the innermost line of our own code that it went through."""
    if isinstance(exception, ServiceError) and exception.__cause__ is not None:
        exception = exception.__cause__
    where, trace = None, exception.__traceback__
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if file.parent == HERE:
            where = f"{file.name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return {"error_class": type(exception).__name__, "where": where}


def configure(path, level):
    """One handler for everything, and no other way to the console."""
    logging.raiseExceptions = False
    logging.captureWarnings(True)
    root = logging.getLogger()
    root.handlers = [AllowListHandler(path)]
    root.setLevel(level)
    # At DEBUG they would say a lot for the handler to drop.
    for name in ("httpx", "httpcore", "sqlalchemy", "asyncio", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)
    sys.excepthook = lambda kind, exception, trace: uncaught(exception)
    sys.unraisablehook = lambda given: uncaught(given.exc_value)
    threading.excepthook = lambda given: uncaught(given.exc_value)


def watch_loop():
    """For tasks that fail and callbacks: call in the running loop."""
    asyncio.get_running_loop().set_exception_handler(lambda loop, given: uncaught(given.get("exception")))


def uncaught(exception):
    if isinstance(exception, Exception):
        error("internal_error", exception)
