"""Six small streams of drift_response made by hand, and a course, a plan and predictions that earn everything."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from graders.harness.outcome import Outcome
from synthetic_data.drift_accounts import MONTHS, Event, Month, accounts
from synthetic_data.recipes.drift_response import Extra, StreamTruth, Truth

THRESHOLD = 0.2
ENCOUNTERS = 60
FIRST, CALM, SECOND = 3, 11, 16
# Per stream: the event of month 3, the one of month 14, and the benign one of month 9.
HARM = (
    ("unit_change", ("unit_change",), ("north",), ("albumin",)),
    ("prevalence_shift", ("prevalence_shift",), (), ()),
    ("concept_drift", ("concept_drift",), (), ()),
    ("missing_feed", ("missing_data",), ("south", "east"), ("bnp",)),
    ("bad_release", ("bad_release",), (), ()),
    ("default_value", ("corrupt_values", "missing_data"), ("east",), ("bnp",)),
)
BENIGN = ("new_site", "case_mix", "late_negatives", "release")
ANSWERS: dict[str, list[dict[str, Any]]] = {
    "unit_change": [
        {"type": "alert", "site": "north", "feature": "albumin"},
        {"type": "data_fix", "site": "north", "feature": "albumin", "method": "rescale", "factor": 0.1},
    ],
    "prevalence_shift": [{"type": "recalibrate", "train_months": 3}],
    "concept_drift": [{"type": "retrain", "train_months": 6}],
    "missing_feed": [{"type": "alert"}, {"type": "data_fix", "feature": "bnp", "method": "mask"}],
    "bad_release": [{"type": "rollback"}],
    "default_value": [{"type": "pause", "fallback": "rule", "site": "east"}],
}
TEXTS = {
    kind: {
        "benefit": f"The {kind} brings the flags back to those who need them.",
        "risk": f"A {kind} made on chance findings makes the model worse.",
        "mitigation": f"Nobody decides on a {kind} alone; it is undone when net benefit falls.",
    }
    for kind in ("data_fix", "recalibrate", "retrain", "rollback", "pause")
}
PLAN: dict[str, Any] = {
    "modifications": [
        {"type": kind, "when": f"When a {kind} is what the monitor's tests ask for.", "most_per_year": 4}
        for kind in TEXTS
    ],
    "protocol": {
        "data": {"min_events": 80, "train_months": [2, 12]},
        "train": "The card's own procedure on the newest months with closed labels.",
        "accept": [{"field": "net_benefit", "at_least": 0.1}, {"field": "o_e_error", "at_least": 0}],
        "rollback": "When a month's net benefit falls below that of the model before.",
    },
    "impact": [{"type": kind, **texts} for kind, texts in TEXTS.items()],
}
PREDICTIONS: dict[str, Any] = {"false_alarms": [0, 1], "delay": [0, 1], "weakest": ["concept_drift"]}


def report(name: str, **changes: Any) -> dict[str, Any]:
    """A validation report that meets PLAN."""
    kind = name.split("-")[0]
    made = {"id": name, "kind": kind, "site": "", "months": [0, 3], "n": 2400, "events": 400, "refused": False}
    return {
        **made,
        "current": {"auroc": 0.7, "o_e": 1.6, "net_benefit": 3.0},
        "candidate": {"auroc": 0.75, "o_e": 1.1, "net_benefit": 3.4},
        **changes,
    }


def stream(number: int) -> StreamTruth:
    """Both events are answered in the month they begin; flags are right again one month later, or two with a deploy."""
    rng = np.random.default_rng(1000 + number)
    events = [
        Event(kind, causes, True, onset, None, sites, features)
        for onset, (kind, causes, sites, features) in (
            (FIRST, HARM[number]),
            (SECOND, HARM[(number + 1) % len(HARM)]),
        )
    ]
    events.append(Event(BENIGN[number % len(BENIGN)], (), False, CALM))
    risks = [rng.beta(1.2, 6, ENCOUNTERS) for _ in range(MONTHS)]
    answers: dict[int, list[dict[str, Any]]] = {}
    reports: dict[int, list[dict[str, Any]]] = {}
    bad = set()
    for event in events[:2]:
        answers.setdefault(event.onset, []).extend(
            {"cause": event.cause[0], **action} for action in ANSWERS[event.kind]
        )
        bad.add(event.onset)
        if event.kind in ("prevalence_shift", "concept_drift"):
            name = f"{answers[event.onset][-1]['type']}-{event.onset}-0"
            reports[event.onset + 1] = [report(name)]
            answers.setdefault(event.onset + 1, []).append({"type": "deploy", "report": name})
            bad.add(event.onset + 1)
    course = tuple(
        Month(flags(risk, month in bad), risk, tuple(answers.get(month, ())), reports=tuple(reports.get(month, ())))
        for month, risk in enumerate(risks)
    )
    idle = tuple(Month(flags(risk, month >= FIRST), risk) for month, risk in enumerate(risks))
    alert = tuple(dataclasses.replace(month, actions=({"type": "alert"},)) for month in idle)
    worth = [accounts(events, months, THRESHOLD) for months in (course, idle, alert)]
    extras = tuple(
        Extra(kind, 5 + 3 * k, "ok", True, ()) for k, kind in enumerate(("empty", "malformed", "late", "duplicate"))
    )
    nothing = worth[1].total
    return StreamTruth(
        tuple(events),
        worth[0].best,
        nothing,
        worth[0].total,
        {"nothing": nothing, "always_alert": worth[2].total},
        course,
        extras,
    )


def flags(risk: Any, bad: bool) -> Any:
    """Whom the model flags: who should be, or just the others."""
    right = risk >= THRESHOLD
    return ~right if bad else right


def perfect() -> Truth:
    """What earns everything together with PLAN and PREDICTIONS."""
    return Truth({"threshold": THRESHOLD}, tuple(map(stream, range(len(HARM)))))


def outcome(plan: Any = PLAN, predictions: Any = PREDICTIONS) -> Outcome:
    """An outcome with these files: objects are written as JSON, bytes as they are, None is left out."""
    named = {"plan.json": plan, "predictions.json": predictions}
    written = {
        name: value if isinstance(value, bytes) else json.dumps(value).encode()
        for name, value in named.items()
        if value is not None
    }
    return Outcome("drift_response", "v", "hidden", "sha256:0", submitted=written)


def changed(value: Any, change: Callable[[Any], None]) -> Any:
    """A copy of an object for JSON that `change` altered in place."""
    made = copy.deepcopy(value)
    change(made)
    return made


def with_stream(truth: Truth, number: int, **fields: Any) -> Truth:
    """The truth with some fields of one stream (from 0) in place of its own."""
    streams = list(truth.streams)
    streams[number] = dataclasses.replace(streams[number], **fields)
    return dataclasses.replace(truth, streams=tuple(streams))


def with_month(truth: Truth, number: int, month: int, **fields: Any) -> Truth:
    """The truth with some fields of one month of one stream's course in place of its own."""
    course = list(truth.streams[number].course)
    course[month] = dataclasses.replace(course[month], **fields)
    return with_stream(truth, number, course=tuple(course))


def with_actions(truth: Truth, number: int, month: int, *actions: Mapping[str, Any]) -> Truth:
    """The truth with more actions in one month."""
    return with_month(truth, number, month, actions=(*truth.streams[number].course[month].actions, *actions))
