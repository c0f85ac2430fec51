"""What each field of a line may look like. What does not fit is left out: there is no field for free text."""

import re

from .callers import REQUEST_ID, SITES
from .schema import EVENTS, FIELDS

UPSTREAMS = ("lab", "anchor")
CODE = re.compile(r"[a-z]+(_[a-z]+)*")
CLASS = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,60}")
WHERE = re.compile(r"[a-z_]+\.py:[0-9]+")
VERSION = re.compile(r"readmission-[0-9.]+")
REF = re.compile(r"[0-9a-f]{16}")
ROUTE = re.compile(r"(/[a-z]+)+(/\{id\})?")
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{12}Z")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def one_of(words):
    return lambda value: value in words


def like(pattern):
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


CHECKS = {
    "ts": like(TIME),
    "level": one_of(LEVELS),
    "event": one_of(EVENTS),
    "request_id": like(REQUEST_ID),
    "route": like(ROUTE),
    "status": number,
    "ms": number,
    "error_code": like(CODE),
    "error_class": like(CLASS),
    "where": like(WHERE),
    "site": one_of(SITES),
    "attempt": number,
    "upstream": one_of(UPSTREAMS),
    "model_version": like(VERSION),
    "patient_ref": like(REF),
}
assert set(CHECKS) == set(FIELDS), "fields.py and schema.py differ"


def fitting(line):
    """The fields of `line` (a dict) that have the agreed form, in the schema's order."""
    return {name: line[name] for name in FIELDS if line.get(name) is not None and CHECKS[name](line[name])}
