"""A small day of safe_logging with answers and an application log made by hand, to which nothing can be said."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from graders.measures.log_forms import Planted
from graders.measures.log_life import Answer, Life, Look, renamed
from graders.measures.log_traces import Traces
from synthetic_data.log_writer import VERSION
from synthetic_data.recipes import safe_logging as recipe
from synthetic_data.recipes.safe_logging import Expected, Play, Truth
from synthetic_data.streams import Seed

Event = dict[str, Any]
Answers = list[Answer]
ODD_IDS = ("old_client", "session_id")  # whose X-Request-ID says whom they are about
MORNING = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
CLASSES = {
    "malformed_json": "JSONDecodeError",
    "charset": "UnicodeDecodeError",
    "missing_field": "ValidationError",
    "wrong_type": "ValidationError",
    "validator_text": "ValidationError",
    "unknown_key": "ValidationError",
    "unknown_patient": "KeyError",
    "unknown_path": "HTTPException",
    "bad_query": "ValueError",
    "duplicate": "IntegrityError",
    "constraint": "IntegrityError",
    "lab_timeout": "ReadTimeout",
    "lab_down": "HTTPStatusError",
    "lab_error": "HTTPStatusError",
    "lab_garbled": "JSONDecodeError",
    "bundle_invalid": "ValidationError",
    "batch_invalid": "ValueError",
    "batch_missing_column": "KeyError",
    "label_fails": "CalledProcessError",
    "notify_task_fails": "ValueError",
    "notify_thread_fails": "ValueError",
}


@cache
def truth() -> Truth:
    """Every kind of request twice at INFO."""
    made = recipe.scene(Seed.from_int(4), {"each": 2, "hidden": 1}, {"anchor_every": 20})
    return recipe.read_truth(made.truth)


@cache
def traces() -> Traces:
    """Of everybody in it."""
    people = enumerate(one for play in truth().plays for one in play.requests)
    return Traces([Planted(n, field, value) for n, one in people for field, value in one.details.items()])


def calls() -> dict[str, list[dict[str, str]]]:
    """What the laboratory was asked."""
    asked = (one for play in truth().plays for one in play.requests for _ in one.calls)
    return {
        "@lab": [
            {"method": "GET", "path": f"/results?mrn={one.details['mrn']}&request_id=x", "body": ""} for one in asked
        ]
    }


def keep(_: Any) -> None:
    """No change."""


def lives(
    log: Callable[[list[Event]], Any] = keep, answers: Callable[[list[tuple[Expected, Answer]]], Any] = keep
) -> tuple[Life, ...]:
    """Every life, of which `log` and `answers` alter the events and the (request, answer) in place."""
    return tuple(life(play, log, answers) for play in truth().plays)


def life(
    play: Play, log: Callable[[list[Event]], Any], answers: Callable[[list[tuple[Expected, Answer]]], Any]
) -> Life:
    """One life; without logs where they could not be written."""
    said = [] if play.level == "blocked" else copy.deepcopy(list(events(play)))
    log(said)
    # Whatever is no event stands there as it is.
    app = "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in said).encode()
    came = [(one, answer(one)) for one in play.requests]
    answers(came)
    count = app.count(b"\n")
    # At each stop there is all that was there before.
    looks = tuple(Look((n, n), (0, 0), 0) for n in (count * k // play.starts for k in range(1, play.starts + 1)))
    answered = tuple(given for _, given in came)
    return Life(play.level, renamed(play.requests, answered), answered, play.starts, app, b"", b"", {}, looks=looks)


def events(play: Play) -> Iterator[Event]:
    """The lines of a life in their order, a start before each batch of requests."""
    now = MORNING
    requests = iter(play.requests)
    for role, count in play.steps:
        if role == "start":
            yield {"ts": stamp(now), "level": "INFO", "event": "startup", "model_version": VERSION}
        for _ in range(count):
            for line in lines(next(requests)):
                now += timedelta(milliseconds=3)
                yield {"ts": stamp(now), **line}


def stamp(now: datetime) -> str:
    """As `ts` has it."""
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def lines(one: Expected) -> Iterator[Event]:
    """Of one request, but for `ts`."""
    about = {"patient_ref": ref(one.patient)} if one.ref else {}
    for number, status in enumerate(one.calls, 1):
        if number > 1:
            yield {"level": "INFO", "event": "retry", "request_id": own_id(one), "attempt": number}
        name = None if status == 200 else "HTTPStatusError" if status else "ReadTimeout"
        call = {"upstream": "lab", "attempt": number, "status": status or None, "ms": 2.5 if status else 401.5}
        yield {"level": "INFO", "event": "upstream", "request_id": own_id(one), **call, "error_class": name}
    if one.route == "/predict" and one.status == 200:
        yield {"level": "INFO", "event": "prediction", "request_id": own_id(one), "model_version": VERSION, **about}
    if code := one.code or one.background:
        why = {"error_code": code, "error_class": CLASSES[one.kind], "where": f"app.py:{10 + sum(code.encode())}"}
        yield {"level": "ERROR", "event": "error", "request_id": own_id(one), **why}
    ms = 402.0 * one.calls.count(0) + 4.5
    line = {"route": one.route or None, "status": one.status, "ms": ms, "site": one.site or None}
    line |= {"error_code": one.code or None}
    yield {"level": "INFO", "event": "request", "request_id": own_id(one), **line, **about}


def own_id(one: Expected) -> str:
    """Under which id the logs have a request: another where they cannot have the caller's."""
    if one.kind not in ODD_IDS:
        return one.rid
    return hmac.new(truth().keys["LOG_KEY"].encode(), one.rid.encode(), hashlib.sha256).hexdigest()[:32]


def ref(patient: str, key: str = "") -> str:
    """patient_ref, with the key of the truth if no other is given."""
    return hmac.new((key or truth().keys["LOG_KEY"]).encode(), patient.encode(), hashlib.sha256).hexdigest()[:16]


def answer(one: Expected) -> Answer:
    """As the contract says."""
    if one.status == 499:
        return Answer(499, {}, "")
    body: Any = {
        "": None,
        "/health": {"status": "ok"},
        "/metrics": None,
        "/patients": {"ids": [one.patient] * one.found} if one.kind == "search_by_name" else {"id": one.patient},
        "/patients/{id}": {"id": one.patient, **one.details},
        "/predict": {"risk": one.risk, "model_version": VERSION},
        "/bundle": {"patients": 1},
        "/batch": {"risks": [one.risk]},
        "/label": {"label": "printed"},
        "/notify": {"accepted": True},
    }[one.route]
    if one.code:
        body = {"error": {"code": one.code, "request_id": own_id(one)}}
    text = "requests_total 1" if one.route == "/metrics" else json.dumps(body)
    return Answer(one.status, {"x-request-id": own_id(one), "content-type": "application/json"}, text)
