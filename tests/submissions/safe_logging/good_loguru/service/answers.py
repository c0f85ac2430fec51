"""What exceptions mean to callers: one table, so that no route has to know."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

import httpx
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from .audit import AuditUnavailable
from .laboratory import Garbled
from .store import UnknownPatient


@dataclass(frozen=True)
class Meaning:
    """An exception of these kinds on this route ("" for any) is this status and code."""

    route: str
    kinds: type[Exception] | tuple[type[Exception], ...]
    status: int
    code: str
    when: Callable[[Exception], bool] = lambda error: True


def unique(error):
    """Whether SQLite refused a second of what may be there once."""
    return "UNIQUE" in str(error.orig)


# The first that fits counts.
MEANINGS = (
    Meaning("", ClientDisconnect, 499, "hung_up"),
    Meaning("", AuditUnavailable, 503, "audit_unavailable"),
    Meaning("", UnknownPatient, 404, "unknown_patient"),
    Meaning("", HTTPException, 404, "not_found", when=lambda error: error.status_code == 404),
    Meaning("", HTTPException, 405, "method_not_allowed", when=lambda error: error.status_code == 405),
    Meaning("POST /patients", ValidationError, 422, "invalid_patient"),
    Meaning("POST /patients", IntegrityError, 409, "duplicate_patient", when=unique),
    Meaning("POST /patients", IntegrityError, 422, "constraint_failed"),
    Meaning("GET /patients", ValueError, 422, "invalid_query"),
    Meaning("POST /bundle", ValueError, 422, "invalid_bundle"),
    Meaning("POST /batch", (ValueError, KeyError), 422, "invalid_batch"),
    Meaning("POST /predict", Garbled, 502, "lab_garbled"),
    Meaning("POST /predict", httpx.TimeoutException, 504, "lab_timeout"),
    Meaning("POST /predict", httpx.HTTPError, 502, "lab_failed"),
    Meaning("POST /label", subprocess.CalledProcessError, 500, "label_failed"),
    Meaning("POST /predict", ValidationError, 422, "invalid_input"),
    Meaning("POST /label", ValidationError, 422, "invalid_input"),
    Meaning("POST /notify", ValidationError, 422, "invalid_input"),
    Meaning("", (json.JSONDecodeError, UnicodeDecodeError, RecursionError), 400, "malformed_json"),
)
UNFORESEEN = Meaning("", Exception, 500, "internal_error")


def meaning(error, route):
    """What an exception means that ended a request of "METHOD /route"."""
    for one in MEANINGS:
        if one.route in ("", route) and isinstance(error, one.kinds) and one.when(error):
            return one
    return UNFORESEEN


def answer(status, code, request_id):
    """{"error": {"code", "request_id"}}: callers know what they sent, and others may read along."""
    return JSONResponse({"error": {"code": code, "request_id": request_id}}, status)
