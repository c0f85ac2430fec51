"""The application log, by loguru: a record is made into its line, and emptied, before any sink sees it."""

import asyncio
import json
import logging
import sys
import threading
from datetime import UTC
from pathlib import Path
from typing import Annotated, Literal

from loguru import logger
from pydantic import BaseModel, ConfigDict, Field

PACKAGE = Path(__file__).parent
HIDDEN = PACKAGE.name  # exceptions of modules under this name stand for the ones that they were raised from

# pydantic matches with Rust, whose $ is the end of the text and nothing before it.
Code = Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]
ClassName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,79}$")]
Place = Annotated[str, Field(pattern=r"^[a-z_]+\.py:[0-9]{1,5}$")]
Reference = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
RequestId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]
Route = Annotated[str, Field(pattern=r"^(unmatched|/[a-z]+(/\{id\})?)$")]
Site = Literal["north", "south", "east", "west"]
Status = Annotated[int, Field(ge=100, le=599)]
Milliseconds = Annotated[float, Field(ge=0, lt=1e7)]
Version = Annotated[str, Field(pattern=r"^readmission-[0-9.]{1,20}$")]


class Entry(BaseModel):
    """An event. There is no field for text: what cannot be said here cannot be logged."""

    model_config = ConfigDict(extra="ignore", strict=True, hide_input_in_errors=True)
    request_id: RequestId | None = None
    patient_ref: Reference | None = None


class Startup(Entry):
    model_version: Version


class Request(Entry):
    route: Route
    status: Status
    ms: Milliseconds
    site: Site | None = None
    error_code: Code | None = None


class Prediction(Entry):
    model_version: Version
    patient_ref: Reference


class Upstream(Entry):
    upstream: Literal["lab", "anchor"]
    attempt: int | None = None
    status: Status | None
    ms: Milliseconds
    error_class: ClassName | None = None


class Retry(Entry):
    upstream: Literal["lab"]
    attempt: int


class Error(Entry):
    error_code: Code
    error_class: ClassName | None
    where: Place | None


ENTRIES = {kind.__name__.lower(): kind for kind in (Startup, Request, Prediction, Upstream, Retry, Error)}


def seal(record):
    """loguru's patcher: the record's fields as a line, if they are an Entry, and nothing else left of it.

    It comes before all sinks, so one that is added later, to look into something for an hour, has no more to show.
    """
    given, raised = record["extra"], record["exception"]
    record["message"], record["exception"], record["extra"] = "", None, {"line": None}
    try:
        if raised is not None:
            given = {"event": "error", "error_code": "internal_error", **given, **told_of(raised.value)}
        kind = ENTRIES.get(given.get("event"))
        if kind is not None:
            head = {"ts": stamp(record["time"]), "level": record["level"].name, "event": given["event"]}
            record["extra"]["line"] = json.dumps(head | kind.model_validate(given).model_dump()) + "\n"
    except Exception:
        # Somebody logged what is no Entry. That is a bug, and no reason to write it down or to fail a request.
        record["extra"]["line"] = None


def stamp(time):
    """UTC, milliseconds."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03}Z"


def told_of(exception):
    """error_class and where of an exception: of the one it was raised from, where it is one of ours."""
    while type(exception).__module__.partition(".")[0] == HIDDEN and exception.__cause__ is not None:
        exception = exception.__cause__
    frames, trace = [], exception.__traceback__
    while trace is not None:
        frames.append((Path(trace.tb_frame.f_code.co_filename), trace.tb_lineno))
        trace = trace.tb_next
    ours = [f"{file.name}:{line}" for file, line in frames if file.parent == PACKAGE]
    return {"error_class": type(exception).__name__, "where": ours[-1] if ours else None}


class Appender:
    """A sink that opens its file for each line: it can be rotated, and be away for a while."""

    def __init__(self, path):
        self.path = path

    def __call__(self, message):
        line = message.record["extra"]["line"]
        try:
            with self.path.open("ab", buffering=0) as file:
                file.write(line.encode())
        except OSError:
            # The service goes on without.
            pass


class Intercept(logging.Handler):
    """From the standard library's logging: an exception that a library caught, without what it says of it."""

    def emit(self, record):
        if record.levelno >= logging.ERROR and record.exc_info and record.exc_info[1] is not None:
            unforeseen(record.exc_info[1])

    def handleError(self, record):
        """Nothing: logging's own report prints the record."""


def open_at(path, level):
    """Write to this file; nothing to the console, where loguru starts and logging ends."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        pass
    sink = {
        "sink": Appender(path),
        "level": level,
        "format": lambda record: "",
        "filter": lambda record: record["extra"]["line"] is not None,
        # Both would show variables, or the record, on the console.
        "diagnose": False,
        "catch": False,
    }
    logger.configure(handlers=[sink], patcher=seal)
    logging.raiseExceptions = False
    logging.captureWarnings(True)
    logging.basicConfig(handlers=[Intercept()], level=logging.ERROR, force=True)
    sys.excepthook = lambda kind, exception, trace: unforeseen(exception)
    sys.unraisablehook = lambda given: unforeseen(given.exc_value)
    threading.excepthook = lambda given: unforeseen(given.exc_value)


def watch_this_loop():
    """What fails in a callback or a forgotten task of the running loop would be printed."""
    asyncio.get_running_loop().set_exception_handler(lambda loop, given: unforeseen(given.get("exception")))


def unforeseen(exception):
    """Log an exception that nobody foresaw."""
    if isinstance(exception, Exception):
        logger.bind(event="error", error_code="internal_error").opt(exception=exception).error("")


def tell(log, event, level="INFO", **fields):
    """Log an event, with what is bound to `log`."""
    log.bind(event=event, **fields).log(level, "")
