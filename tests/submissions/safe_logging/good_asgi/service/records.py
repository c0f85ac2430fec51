"""What the application log is made of: a record an event, of values that cannot hold what somebody wrote.

A field is a number, one of a closed list, or a Word: a text that was checked when it was made. A plain str in a record
is a mistake, and `line` refuses it.
"""

import json
import re
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import ClassVar

HERE = Path(__file__).parent
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class Word(str):
    """A text of a known form. Raises ValueError, which does not say what was wrong."""

    __slots__ = ()
    form: ClassVar[re.Pattern]

    def __new__(cls, text):
        if not (isinstance(text, str) and cls.form.fullmatch(text)):
            raise ValueError(f"not a {cls.__name__}") from None
        return super().__new__(cls, text)


class RequestId(Word):
    form = re.compile(r"[0-9a-f]{32}")


class Route(Word):
    form = re.compile(r"unmatched|/[a-z]*(/\{id\})?")


class PatientRef(Word):
    form = re.compile(r"[0-9a-f]{16}")


class ClassName(Word):
    form = re.compile(r"[A-Za-z_]\w{0,79}", re.ASCII)


class Place(Word):
    form = re.compile(r"[a-z_]+\.py:[0-9]+")


class Version(Word):
    form = re.compile(r"[a-z]+-[0-9.]+")


class Site(Enum):
    NORTH = "north"
    SOUTH = "south"
    EAST = "east"
    WEST = "west"


class Upstream(Enum):
    LAB = "lab"
    ANCHOR = "anchor"


class Code(Enum):
    """What went wrong, as callers are told, and the status that says so."""

    MALFORMED_JSON = "malformed_json", 400
    INVALID_PATIENT = "invalid_patient", 422
    DUPLICATE_PATIENT = "duplicate_patient", 409
    CONSTRAINT_FAILED = "constraint_failed", 422
    UNKNOWN_PATIENT = "unknown_patient", 404
    INVALID_QUERY = "invalid_query", 422
    INVALID_INPUT = "invalid_input", 422
    LAB_TIMEOUT = "lab_timeout", 504
    LAB_FAILED = "lab_failed", 502
    LAB_GARBLED = "lab_garbled", 502
    INVALID_BUNDLE = "invalid_bundle", 422
    INVALID_BATCH = "invalid_batch", 422
    LABEL_FAILED = "label_failed", 500
    NOTIFY_FAILED = "notify_failed", 500  # nobody is told: the request was answered before
    AUDIT_UNAVAILABLE = "audit_unavailable", 503
    NOT_FOUND = "not_found", 404
    METHOD_NOT_ALLOWED = "method_not_allowed", 405
    INTERNAL_ERROR = "internal_error", 500

    def __init__(self, text, status):
        self.text, self.status = text, status


class Failure(Exception):
    """Ends a request, or work after it. What began it is its __cause__; it has no text of its own."""

    def __init__(self, code):
        super().__init__(code.text)
        self.code = code


@dataclass(frozen=True)
class Request:
    event: ClassVar[str] = "request"
    request_id: RequestId
    route: Route
    status: int
    ms: float
    site: Site | None
    error_code: Code | None
    patient_ref: PatientRef | None

    @property
    def level(self):
        return "ERROR" if self.status >= 500 else "INFO"


@dataclass(frozen=True)
class Prediction:
    event: ClassVar[str] = "prediction"
    level: ClassVar[str] = "INFO"
    request_id: RequestId
    model_version: Version
    patient_ref: PatientRef


@dataclass(frozen=True)
class Called:
    """A call of somebody else's service. status: None where no answer came."""

    event: ClassVar[str] = "upstream"
    request_id: RequestId | None
    upstream: Upstream
    attempt: int
    status: int | None
    ms: float
    error_class: ClassName | None

    @property
    def level(self):
        fine = "INFO" if self.upstream is Upstream.LAB else "DEBUG"
        return "WARNING" if self.error_class else fine


@dataclass(frozen=True)
class Retry:
    event: ClassVar[str] = "retry"
    level: ClassVar[str] = "INFO"
    request_id: RequestId
    attempt: int


@dataclass(frozen=True)
class Error:
    event: ClassVar[str] = "error"
    request_id: RequestId | None
    error_code: Code
    error_class: ClassName
    where: Place | None

    @property
    def level(self):
        return "ERROR" if self.error_code.status >= 500 else "WARNING"


@dataclass(frozen=True)
class Startup:
    event: ClassVar[str] = "startup"
    level: ClassVar[str] = "INFO"
    model_version: Version


def error_record(request_id, error):
    """What may be said of an exception: the class that began it, and our innermost line that it went through."""
    code = error.code if isinstance(error, Failure) else Code.INTERNAL_ERROR
    cause = error.__cause__ if isinstance(error, Failure) and error.__cause__ else error
    return Error(request_id, code, class_name(cause), place(cause) or place(error))


def class_name(error):
    return None if error is None else ClassName(type(error).__name__)


def place(error):
    found, trail = None, error.__traceback__
    while trail is not None:
        file = Path(trail.tb_frame.f_code.co_filename)
        if file.parent == HERE:
            found = Place(f"{file.name}:{trail.tb_lineno}")
        trail = trail.tb_next
    return found


def line(record):
    """A record as a line of JSON. Raises TypeError for a value that could be anything."""
    ts = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    shown = {field.name: plain(getattr(record, field.name)) for field in fields(record)}
    return json.dumps({"ts": ts, "level": record.level, "event": record.event, **shown}) + "\n"


def plain(value):
    if isinstance(value, Code):
        return value.text
    if isinstance(value, Enum):
        return value.value
    if value is None or type(value) in (int, float) or isinstance(value, Word):
        return value
    raise TypeError(f"a {type(value).__name__} does not belong in the log")
