"""Processors of the log's chain. The last but one is the list of what a line may hold."""

import re
from datetime import UTC, datetime
from pathlib import Path

from .schema import EVENTS

PACKAGE = Path(__file__).parent

# Every value is matched as text, whole. What does not fit is left out, whoever logged it: that a field has
# the right name does not make its value right.
ALLOWED = {
    field: re.compile(form, re.ASCII)
    for field, form in {
        "ts": r"[0-9T:.-]{23}Z",
        "level": r"DEBUG|INFO|WARNING|ERROR|CRITICAL",
        "event": "|".join(EVENTS),
        "request_id": r"[0-9a-f]{32}",
        "route": r"unmatched|(/[a-z]+){1,2}(/\{id\})?",
        "status": r"[1-5][0-9]{2}",
        "ms": r"[0-9]{1,7}(\.[0-9]{1,3})?",
        "error_code": r"[a-z_]{1,40}",
        "error_class": r"[A-Za-z_][A-Za-z0-9_]{0,79}",
        "where": r"[a-z_]+\.py:[0-9]{1,5}",
        "site": r"north|south|east|west",
        "attempt": r"[0-9]{1,3}",
        "upstream": r"lab|anchor",
        "model_version": r"readmission-[0-9]+(\.[0-9]+){1,2}",
        "patient_ref": r"[0-9a-f]{16}",
    }.items()
}


def fits(field, value):
    """Whether a value may stand in a line."""
    return type(value) in (str, int, float) and ALLOWED[field].fullmatch(str(value)) is not None


def stamp(logger, method, event):
    """Adds ts: UTC, milliseconds."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return {**event, "ts": now.removesuffix("+00:00") + "Z"}


def foreign(logger, method, event):
    """What a library logged, told as ours: an unforeseen error. Its message is the library's, with our data in it."""
    kept = {key: event[key] for key in ("_record", "_from_structlog", "exc_info")}
    return {**kept, "event": "error", "error_code": "internal_error"}


def exception_facts(logger, method, event):
    """error_class and where, in place of exc_info. Of a traceback, lines of code are all that may be told."""
    error = event.pop("exc_info", None)
    if isinstance(error, tuple):
        error = error[1]
    if not isinstance(error, BaseException):
        return event
    return {**event, "error_class": type(error).__name__, "where": innermost(error)}


def innermost(error):
    """file.py:line of the last line of this package that the exception passed, or None."""
    found, trace = None, error.__traceback__
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if file.parent == PACKAGE:
            found = f"{file.name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found


def allowed_only(logger, method, event):
    """The end of the chain: fields of the list, with values of their form; null for what has none."""
    event = {**event, "level": str(event.get("level", "")).upper()}
    return {field: event[field] if fits(field, event[field]) else None for field in ALLOWED if field in event}
