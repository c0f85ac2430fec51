"""What somebody on call wants to know of a service, answered from its application log alone.

Requests that the caller gave up are asked about once, by `cancelled`: whether the laboratory was still asked for them,
or a prediction made, is left to the service.
"""

# ruff: noqa: D103 - a question says in QUESTIONS what it asks

from __future__ import annotations

import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from graders.measures.log_reading import LEVELS, Event, Log, moment, number, text
from synthetic_data.log_writer import VERSION

if TYPE_CHECKING:
    from graders.measures.log_life import Life
    from synthetic_data.recipes.safe_logging import Expected, Truth

OF_THE_FRAMEWORK = "invalid_input"  # refused before a line of the service was reached
TIMEOUT_MS, LONGEST_MS = 400.0, 60_000.0
EARLY = 0.95  # of a time that must have passed: clocks are coarse
MOST_NAMED = 3  # questions that a message names
PLACE = re.compile(r"(?:\w+/|/)*\w+\.py:[1-9]\d{0,5}")
CLASS = re.compile(r"_*[A-Z]\w*")
# What the name of the exception must hold to say why a request of a kind failed. That nobody has a patient's id needs
# no exception, so unknown_patient is not asked about.
WHY: Mapping[str, re.Pattern[str]] = {
    kind: re.compile(names, re.IGNORECASE)
    for kind, names in {
        "malformed_json": "json|value|validation",
        "charset": "unicode|json|value|validation",
        "missing_field": "validation",
        "wrong_type": "validation",
        "validator_text": "validation",
        "unknown_key": "validation",
        "bad_query": "value|validation|parse|date",
        "duplicate": "integrity|unique",
        "constraint": "integrity|check",
        "lab_timeout": "timeout",
        "lab_down": "status|httperror",
        "lab_error": "status|httperror",
        "lab_garbled": "json|value|decod|key|type|validation",
        "bundle_invalid": "value|validation",
        "batch_invalid": "value|validation|type|pars",
        "batch_missing_column": "key|value|validation|column",
        "label_fails": "calledprocess|unicode",
    }.items()
}


def share(rights: Iterable[float]) -> float:
    """Mean; 1 of none: what did not happen cannot be told wrong."""
    values = [float(right) for right in rights]
    return sum(values) / len(values) if values else 1.0


def agreement(found: Counter[Any], wanted: Counter[Any]) -> float:
    """Jaccard index of two multisets; 1 when both are empty."""
    union = (found | wanted).total()
    return (found & wanted).total() / union if union else 1.0


def counts(log: Log) -> float:
    # A path that is none has no template either.
    left = {one.rid for one in log.life.asked if one.status == 499 or not one.route}
    lines = [line for line in log.named("request") if log.owner(line) not in left]
    found: Counter[Hashable] = Counter((text(line.get("route")), number(line.get("status"))) for line in lines)
    wanted: Counter[Hashable] = Counter((one.route, float(one.status)) for one in log.whole if one.route)
    wrong = sum(abs(found[what] - wanted[what]) for what in found | wanted)
    return max(0.0, 1 - wrong / max(1, wanted.total()))


def requests(log: Log) -> float:
    found = Counter(log.owner(line) for line in log.named("request"))
    return agreement(found, Counter(one.rid for one in log.life.asked))


def latency(log: Log) -> float:
    def plausible(one: Expected, least: float) -> bool:
        times = [number(line.get("ms")) for line in log.of(one, "request")]
        return bool(times) and all(ms is not None and least <= ms < LONGEST_MS for ms in times)

    late = [(one, EARLY * TIMEOUT_MS * one.calls.count(0)) for one in log.callers if 0 in one.calls]
    # A log in seconds or microseconds has plausible numbers too, but not for those that had to wait; one that always
    # says the same has no shorter ones for those that had nothing to wait for.
    waited, quick = (typical(log, [one for one in log.whole if some(one)]) for some in (slow, idle))
    told = waited is not None and quick is not None and quick < waited / 2
    every = min(share(plausible(one, 0) for one in log.whole), share(plausible(one, least) for one, least in late))
    return every if told else 0.0


def slow(one: Expected) -> bool:
    """Whether a request had to wait for a laboratory that did not answer."""
    return 0 in one.calls


def idle(one: Expected) -> bool:
    """Whether it had nothing to do."""
    return one.route == "/health"


def typical(log: Log, some: Sequence[Expected]) -> float | None:
    """The median of their `ms`; None where none is told."""
    times = [number(line.get("ms")) for one in some for line in log.of(one, "request")]
    found = [ms for ms in times if ms is not None]
    return statistics.median(found) if found else None


def codes(log: Log) -> float:
    right = sum(log.said(one, "error_code") == {one.code} for one in log.failed)
    alarms = sum(bool(log.said(one, "error_code")) for one in log.whole if not (one.code or one.background))
    return right / max(1, len(log.failed) + alarms)


def broken(log: Log) -> list[Expected]:
    """The requests of which an exception says why they failed."""
    return [one for one in log.failed if one.kind in WHY]


def reasons(log: Log) -> float:
    codes_of: dict[str, set[str]] = defaultdict(set)
    for one in broken(log):
        for line in log.errors(one):
            codes_of[text(line.get("error_class"))].add(one.code)

    def told(one: Expected) -> bool:
        # An exception of the service's own says why when it is raised for nothing else.
        names = [text(line.get("error_class")) for line in log.errors(one)]
        return any(CLASS.fullmatch(name) and (WHY[one.kind].search(name) or len(codes_of[name]) == 1) for name in names)

    return share(map(told, broken(log)))


def places(log: Log) -> float:
    by_kind: dict[str, Counter[str]] = defaultdict(Counter)
    for one in broken(log):
        if one.code == OF_THE_FRAMEWORK:
            continue
        seen = [text(line.get("where")) for line in log.errors(one)]
        by_kind[one.kind][next(filter(PLACE.fullmatch, seen), "")] += 1
    usual = {count.most_common(1)[0][0] for count in by_kind.values()} - {""}
    shown = share(1 - count[""] / count.total() for count in by_kind.values())
    # One place for everything is the error handler's own; half as many as there are codes tell failures apart.
    enough = max(2, len({one.code for one in broken(log)}) // 2)
    return shown * min(1.0, max(0, len(usual) - 1) / (enough - 1))


def sites(log: Log) -> float:
    known = [one for one in log.whole if one.site]
    return share({text(line.get("site")) for line in log.of(one, "request")} == {one.site} for one in known)


def calls(log: Log) -> float:
    found = Counter({rid: len(lines) for rid, lines in log.upstream.items()})
    return agreement(found, Counter({one.rid: len(one.calls) for one in log.callers}))


def attempts(log: Log) -> float:
    def right(one: Expected) -> bool:
        numbers = [number(line.get("attempt")) for line in log.upstream[one.rid]]
        return bool(numbers) and numbers == [float(k + 1) for k in range(len(numbers))]

    return share(map(right, log.callers))


def outcomes(log: Log) -> float:
    def right(line: Event, call: int) -> bool:
        if call:
            return number(line.get("status")) == call
        return line.get("status") is None and "timeout" in text(line.get("error_class")).lower()

    def all_right(one: Expected) -> float:
        lines = log.upstream[one.rid]
        return sum(map(right, lines, one.calls)) / max(1, len(lines))

    return share(map(all_right, log.callers))


def retries(log: Log) -> float:
    found = Counter({one.rid: len(log.of(one, "retry")) for one in log.whole})
    return agreement(found, Counter({one.rid: len(one.calls) - 1 for one in log.callers}))


def outage(log: Log) -> float:
    """The requests at both ends of the time in which the laboratory was busy for everybody who asked."""
    down = [one for one in log.whole if one.kind == "lab_down"]
    refused: list[tuple[float, str]] = []
    for one in log.whole:
        lines = log.upstream[one.rid]
        if all(number(line.get("status")) == 503 for line in lines):
            refused += [(then, one.rid) for line in lines if (then := moment(line.get("ts"))) is not None]
    if not (down and refused):
        return float(not down)
    # Some logs know seconds only: of equal times the outermost request counts.
    ends = min(refused, key=itemgetter(0)), max(reversed(refused), key=itemgetter(0))
    return share(end[1] == one.rid for end, one in zip(ends, (down[0], down[-1]), strict=True))


def model(log: Log) -> float:
    predicted = [one for one in log.whole if one.route == "/predict"]
    versions = {one.rid: [line.get("model_version") for line in log.of(one, "prediction")] for one in predicted}
    found = Counter({rid: sum(version == VERSION for version in some) for rid, some in versions.items()})
    starting = share(line.get("model_version") == VERSION for line in log.named("startup"))
    return starting * agreement(found, Counter(one.rid for one in predicted if one.status == 200))


def accesses(log: Log) -> float:
    refs = {log.ref(one): one.patient for one in log.life.asked if one.patient}
    wanted: dict[str, set[str]] = defaultdict(set)
    found: dict[str, set[str]] = defaultdict(set)
    # Whether a search is about the one whom it finds is left to the service, and so is a request that was given up.
    open_kinds = ("search_by_name", "cancelled")
    free = {one.rid: one.patient for one in log.life.asked if not one.ref or one.kind in open_kinds}
    for one in log.life.asked:
        if one.ref and one.rid not in free:
            wanted[one.patient].add(one.rid)
        for line in log.of(one):
            patient = refs.get(text(line.get("patient_ref")), "")
            if patient and free.get(one.rid) != patient:
                found[patient].add(one.rid)
    return share(len(wanted[p] & found[p]) / len(wanted[p] | found[p]) for p in wanted.copy())


def starts(log: Log) -> float:
    return max(0.0, 1 - abs(len(log.named("startup")) - log.life.starts) / max(1, log.life.starts))


def background(log: Log) -> float:
    def told(one: Expected) -> float:
        lines = [line for line in log.errors(one) if text(line.get("error_code")) == one.background]
        if not lines:
            return 0.0
        name, where = (text(lines[0].get(field)) for field in ("error_class", "where"))
        # An empty message has a name of its own where anybody gave it one.
        return (1 + bool(CLASS.fullmatch(name)) + bool(PLACE.fullmatch(where))) / 3

    return share(told(one) for one in log.whole if one.background)


def cancelled(log: Log) -> float:
    left = [one for one in log.life.asked if one.status == 499]
    return share({number(line.get("status")) for line in log.of(one, "request")} == {499.0} for one in left)


def levels(log: Log) -> float:
    def seen(one: Expected) -> set[str]:
        return {text(line.get("level")) for line in log.of(one)}

    loud = share(bool(seen(one) & {"ERROR", "CRITICAL"}) for one in log.whole if one.status >= 500)
    fine = [one for one in log.whole if one.status < 400 and not one.background]
    return (loud + share(bool(seen(one)) and seen(one) <= set(LEVELS[:3]) for one in fine)) / 2


QUESTIONS: Mapping[str, tuple[str, Callable[[Log], float]]] = {
    "counts": ("how many requests each route answered with each status", counts),
    "requests": ("which requests came, each once", requests),
    "latency": ("how long requests took", latency),
    "codes": ("which requests failed, and with which error code", codes),
    "reasons": ("which exception made a request fail", reasons),
    "places": ("in which line of the service it failed", places),
    "sites": ("from which site a request came", sites),
    "calls": ("which calls of the laboratory belong to a request", calls),
    "attempts": ("which attempt a call was", attempts),
    "outcomes": ("what the laboratory answered, and when it did not", outcomes),
    "retries": ("how often a call was repeated", retries),
    "outage": ("when the laboratory was down", outage),
    "model": ("which version of the model made each prediction", model),
    "accesses": ("which requests were about one patient", accesses),
    "starts": ("how often the service was started", starts),
    "background": ("what failed after the answer, and why", background),
    "cancelled": ("which callers hung up", cancelled),
    "levels": ("whether anything needs attention", levels),
}


@dataclass(frozen=True)
class Usefulness:
    """shares: question of QUESTIONS -> share of it that the log answers, in [0, 1]."""

    shares: Mapping[str, float]

    @property
    def v(self) -> float:
        """V, their mean."""
        return sum(self.shares.values()) / len(self.shares)

    @property
    def message(self) -> str:
        """V, and the questions that lose most."""
        worst = sorted((right, name) for name, right in self.shares.items() if right < 1)[:MOST_NAMED]
        said = f"the application log answers {self.v:.0%} of {len(self.shares)} operational questions"
        return said + ("; least: " if worst else "") + ", ".join(f"{QUESTIONS[name][0]} ({s:.0%})" for s, name in worst)


def usefulness(lives: Sequence[Life], truth: Truth) -> Usefulness:
    """Of the log at INFO; nothing for a service that never wrote a line with an event."""
    log = next((Log(life, truth.keys["LOG_KEY"]) for life in lives if life.level == "INFO"), None)
    if log is None or not any(text(line.get("event")) for line in log.life.events):
        return Usefulness(dict.fromkeys(QUESTIONS, 0.0))
    return Usefulness({name: answer(log) for name, (_, answer) in QUESTIONS.items()})
