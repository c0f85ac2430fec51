"""Drift response: a risk model runs at four sites, and somebody's policy watches and acts month by month."""

from __future__ import annotations

import functools
import itertools
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from synthetic_data import canaries
from synthetic_data.canaries import Mark
from synthetic_data.drift_accounts import COST, Event, Month, best
from synthetic_data.scene import Files, Reply, Request, Steps
from synthetic_data.streams import FloatArray, Seed, canonical_text

if TYPE_CHECKING:
    from synthetic_data.drift_stream import Stream

THRESHOLD = 0.2
# A stream is drawn again until acting well is worth so much more than nothing, and each answer adds so much (one month
# of flagging by true risk is worth about 40).
FLOOR, EACH, MOST_DRAWS = 80.0, 15.0, 25
# Tables of card.toml that are the same for everybody and are written anew.
COMMON = ("costs", "crosswalk", "features")
ODD = ("empty", "malformed", "late", "duplicate")
# What of a packet's practice data tells whose packet it was.
ENCOUNTER = Mark("encounter", r"(e(?<![a-z0-9].)\d{6})(\d)(?!\w)")
MARKS = (ENCOUNTER,)
OVER = ("timeout", "exited", "refused")  # after which the process cannot be spoken to


@dataclass(frozen=True)
class Extra:
    """A delivery that is not as it should be. listed: the answer was a list.  types: of the actions in it."""

    kind: str
    month: int
    status: str
    listed: bool
    types: tuple[str, ...]


@dataclass(frozen=True)
class StreamTruth:
    """What happened in a stream, and what was made of it.

    best: (24,) net benefit by true risk.  nothing, oracle, blind: U of policies.  course: () if nothing ran.
    months: policy -> (24,) net benefit, for the drawing.
    """

    events: tuple[Event, ...]
    best: FloatArray
    nothing: float
    oracle: float
    blind: Mapping[str, float]
    course: tuple[Month, ...]
    extras: tuple[Extra, ...]
    months: Mapping[str, Sequence[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Truth:
    """What scoring needs of a play."""

    card: Mapping[str, Any]
    streams: tuple[StreamTruth, ...]


@dataclass(frozen=True)
class Scene:
    """Streams to be lived through. practice: whether they may be shown."""

    card: Mapping[str, Any]
    streams: tuple[Stream, ...]
    odd: tuple[Mapping[int, str], ...]
    practice: bool = False
    _measured: dict[str, bytes] = field(default_factory=dict, compare=False)

    @property
    def public(self) -> Files:
        """The card; of practice data also the streams as they go when nobody acts, and what happened in them."""
        files = {"card.toml": card_text(self.card).encode()}
        if self.practice:
            for number, stream in enumerate(self.streams, 1):
                lines = [canonical_text(batch) + "\n" for batch in recorded(stream, self.card)]
                files[f"stream_{number}.ndjson"] = "".join(lines).encode()
            events = [[told(event) for event in stream.events] for stream in self.streams]
            files["events.json"] = json.dumps(events, indent=1).encode()
        return files

    @property
    def truth(self) -> Files:
        """Events, and what policies are worth that scores are measured by."""
        if not self._measured:
            self._measured["streams.json"] = canonical_text([self._measure(stream) for stream in self.streams]).encode()
        return dict(self._measured)

    def _measure(self, stream: Stream) -> dict[str, Any]:
        from synthetic_data import drift_policies as policies

        blind = {name: policies.lived(stream, self.card, policy) for name, policy in policies.BLIND.items()}
        oracle = policies.knowing(stream, self.card)[0]
        return {
            "events": [told(event) for event in stream.events],
            "nothing": round(blind["nothing"].total, 6),
            "oracle": round(oracle.total, 6),
            "blind": {name: round(accounts.total, 6) for name, accounts in blind.items()},
            "months": {
                "doing nothing": blind["nothing"].benefit.round(3).tolist(),
                "knowing what happens": oracle.benefit.round(3).tolist(),
            },
        }

    def steps(self) -> Steps:
        """A fresh process per stream: create the monitor, show the reference year, then month after month."""
        courses: list[dict[str, Any]] = []
        for stream, odd in zip(self.streams, self.odd, strict=True):
            course, extras, alive = yield from live(stream, self.card, odd)
            if not alive and not courses:
                # A monitor that cannot be started will not start on the next stream either.
                break
            courses.append({"months": [stored(month) for month in course.months], "extras": extras})
            # Also after the last, so that a monitor that fails in one month has not failed to run.
            yield Request("restart")
        return {"course.json": canonical_text({"card": self.card, "streams": courses}).encode()}


def live(stream: Stream, card: Mapping[str, Any], odd: Mapping[int, str]) -> Any:
    """One stream as a sub-generator: yields requests, returns (course, extras, whether the monitor started)."""
    from synthetic_data.drift_course import Course, understood

    course = Course(stream, card)
    extras: list[dict[str, Any]] = []
    reply: Reply = yield Request("call", "", (tomllib.loads(card_text(card)),))
    if reply.status == "ok":
        reply = yield Request("call", "start", (reference(stream),))
    if reply.status != "ok":
        return course, extras, False
    gone, waiting = False, None
    last: dict[str, Any] | None = None
    while course.month < len(stream.months) - REFERENCE_MONTHS:
        batch, kind = course.batch(), odd.get(course.month, "")
        status = "ok"
        value: list[Any] = []
        for label, delivery in deliveries(kind, batch, last, waiting):
            if gone:
                break
            reply = yield Request("call", "month", (delivery,))
            gone = reply.status in OVER
            if label in ODD:
                extras.append(extra(label, course.month, reply))
            if label in ("", "late"):
                status = reply.status if status == "ok" else status
                value += reply.value if reply.status == "ok" and isinstance(reply.value, list) else [None]
        waiting = batch if kind == "late" else None
        actions, invalid = understood(value)
        course.answer(actions, invalid, "exited" if gone and status == "ok" else status)
        last = batch
    return course, extras, True


REFERENCE_MONTHS = 12


def deliveries(
    kind: str, batch: dict[str, Any], last: dict[str, Any] | None, waiting: dict[str, Any] | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(kind of an odd delivery or "", batch) of one month. A late batch comes just before the next month's."""
    if waiting is not None:
        yield "late", waiting
    if kind == "late":
        return
    if kind == "empty":
        yield kind, {**batch, "X": {name: [] for name in batch["X"]}, "site": [], "encounter": [], "score": []}
    elif kind == "malformed":
        broken = {name: values for name, values in batch["X"].items() if name != "albumin"}
        broken["creatinine"] = ["n/a" if i % 3 else v for i, v in enumerate(broken["creatinine"])]
        yield kind, {**batch, "X": broken, "score": batch["score"][: len(batch["score"]) // 2], "labels": None}
    elif kind == "duplicate" and last is not None:
        yield kind, last
    yield "", batch


def extra(kind: str, month: int, reply: Reply) -> dict[str, Any]:
    """How an odd delivery was taken."""
    from synthetic_data.drift_course import understood

    listed = reply.status == "ok" and isinstance(reply.value, list)
    types = sorted({str(action["type"]) for action in understood(reply.value)[0]}) if listed else []
    return {"kind": kind, "month": month, "status": reply.status, "listed": listed, "types": types}


def reference(stream: Stream) -> dict[str, Any]:
    """The year before, with all outcomes, as one batch; month_of says which month a row is of."""
    from synthetic_data.drift_course import columns

    whole: dict[str, Any] = {"month": -1, "release_id": stream.model.release, "X": {}, "month_of": []}
    whole |= {"site": [], "encounter": [], "score": [], "labels": {"encounter": [], "y": [], "matured": []}}
    whole |= {"answers": [], "reports": []}
    for month in range(-REFERENCE_MONTHS, 0):
        data = stream.months[month]
        part = columns(data, stream.habits)
        for name, values in part["X"].items():
            whole["X"].setdefault(name, []).extend(values)
        whole["site"] += part["site"]
        whole["encounter"] += part["encounter"]
        whole["month_of"] += [month] * len(part["site"])
        whole["score"] += stream.model.score(stream.design(month, ()), data.seen.site).round(4).tolist()
        whole["labels"]["encounter"] += part["encounter"]
        whole["labels"]["y"] += data.y.astype(int).tolist()
        whole["labels"]["matured"] += [True] * len(part["site"])
    return whole


def recorded(stream: Stream, card: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Reference year and months of a stream in which nobody acts."""
    from synthetic_data.drift_course import Course

    yield reference(stream)
    course = Course(stream, card)
    while course.month < len(stream.months) - REFERENCE_MONTHS:
        yield course.batch()
        course.answer(())


def mark(public: Files, seed: Seed) -> Files:
    """Practice data with marks. Labels are of the same encounters as before, and these keep the order of their ids."""
    encounter = '(?<=")E[0-9]{7}(?=")'
    streams = {name: data for name, data in public.items() if name.startswith("stream_")}
    ids = set().union(*(canaries.found(data, encounter) for data in streams.values()))
    # E, three digits of the month, four of the encounter.
    new = canaries.grown(ENCOUNTER, seed, ids, keep=4)
    return {**public, **{name: canaries.replaced(data, encounter, new) for name, data in streams.items()}}


def told(event: Event) -> dict[str, Any]:
    """An event as JSON."""
    return {
        "kind": event.kind,
        "cause": list(event.cause),
        "harmful": event.harmful,
        "onset": event.onset,
        "end": event.end,
        "site": list(event.site),
        "feature": list(event.feature),
    }


def stored(month: Month) -> dict[str, Any]:
    """A month of a course as JSON; risks have 4 decimals."""
    return {
        "flag": "".join("1" if f else "0" for f in month.flag.tolist()),
        "risk": [round(10_000 * r) for r in month.risk.tolist()],
        "actions": [dict(action) for action in month.actions],
        "invalid": month.invalid,
        "status": month.status,
        "reports": [dict(report) for report in month.reports],
    }


def read_truth(files: Files) -> Truth:
    """The stored truth."""
    import numpy as np

    played = json.loads(files["course.json"])
    streams = []
    for fixed, course in itertools.zip_longest(json.loads(files["streams.json"]), played["streams"]):
        events = tuple(
            Event(**{**event, **{key: tuple(event[key]) for key in ("cause", "site", "feature")}})
            for event in fixed["events"]
        )
        months = tuple(
            Month(
                np.array([f == "1" for f in month["flag"]], bool),
                np.array(month["risk"], float) / 10_000,
                tuple(month["actions"]),
                month["invalid"],
                month["status"],
                tuple(month["reports"]),
            )
            for month in (course or {"months": []})["months"]
        )
        extras = tuple(Extra(**{**e, "types": tuple(e["types"])}) for e in (course or {"extras": []})["extras"])
        ideal = np.array([best(month.risk, played["card"]["threshold"]) for month in months])
        made = StreamTruth(
            events, ideal, fixed["nothing"], fixed["oracle"], fixed["blind"], months, extras, fixed["months"]
        )
        streams.append(made)
    return Truth(played["card"], tuple(streams))


def draw_card(seed: Seed) -> dict[str, Any]:
    """The rules that differ between candidates."""
    draw = seed.stream("card")
    return {
        "threshold": THRESHOLD,
        "first_calendar_month": 1 + int(draw.choice(12, 0)),
        "min_events": (20, 25, 30)[int(draw.choice(3, 1))],
        "most_train_months": (8, 10, 12)[int(draw.choice(3, 2))],
        "rule_admissions": (2, 3)[int(draw.choice(2, 3))],
    }


def check_card(card: Mapping[str, Any]) -> None:
    """Raise ValueError for a card that says less or more than the streams can follow."""
    if set(card) - set(COMMON) != (keys := set(draw_card(Seed(bytes(32))))):
        raise ValueError(f"a card has the keys {', '.join(sorted(keys))}, and may have {', '.join(COMMON)}")
    limits = {
        "first_calendar_month": (1, 12),
        "min_events": (1, 500),
        "most_train_months": (8, 36),
        "rule_admissions": (1, 20),
    }
    for key, (low, high) in limits.items():
        if type(card[key]) is not int or not low <= card[key] <= high:
            raise ValueError(f"{key} must be a whole number from {low} to {high}")
    if card["threshold"] != THRESHOLD:
        raise ValueError(f"threshold must be {THRESHOLD}")


def card_text(card: Mapping[str, Any]) -> str:
    """card.toml, with what is the same for everybody: units, codes, costs."""
    from synthetic_data.drift_patients import CROSSWALK, FEATURES

    units = "\n".join(
        f'{f.name} = {{ unit = "{f.unit}", normal = {f.normal}'
        + (f', other_unit = "{f.other_unit}", factor = {round(f.factor, 6)}' if f.other_unit else "")
        + " }"
        for f in FEATURES
    )
    codes = "\n".join(f'"{ten}" = "{nine}"' for ten, nine in CROSSWALK.items())
    costs = "\n".join(f"{name} = {cost}" for name, cost in COST.items())
    return f"""# The house's rules for running the model.
threshold = {card["threshold"]}               # patients with this score or more are acted upon
first_calendar_month = {card["first_calendar_month"]}      # of month 0: 1 is January
min_events = {card["min_events"]}                # a model is offered only if it was trained on this many events or more
most_train_months = {card["most_train_months"]}         # older data may not be used for training
rule_admissions = {card["rule_admissions"]}            # the fallback "rule" acts on so many admissions or more

# What an action costs, in the unit of net benefit: one true positive.
[costs]
{costs}

# A missing value counts as `normal`. factor: another unit's value per value of the model's unit.
[features]
{units}

# ICD-10 codes and the ICD-9 codes that the model knows.
[crosswalk]
{codes}
"""


def scene(seed: Seed, settings: Mapping[str, Any], card: Mapping[str, Any]) -> Scene:
    """`settings["streams"]` streams of about `settings["patients"]` encounters a month."""
    check_card(card)
    card = {key: value for key, value in card.items() if key not in COMMON}
    hidden = bool(settings.get("hidden", 1))
    streams = drawn(seed, int(settings["streams"]), int(settings["patients"]), tuple(sorted(card.items())), hidden)
    return Scene(card, streams, odd_months(seed, streams), practice=not hidden)


@functools.lru_cache(maxsize=2)
def drawn(seed: Seed, count: int, patients: int, card: tuple[tuple[str, Any], ...], hidden: bool) -> tuple[Stream, ...]:
    """The streams, each drawn again until it tells good answers from none. Kept: a variant is graded many times."""
    from synthetic_data import drift_events, drift_policies, drift_stream

    rules, streams = dict(card), []
    for number, kinds in enumerate(drift_events.paired(seed, count, hidden=hidden)):
        tried = []
        for attempt in range(MOST_DRAWS):
            own = Seed.derive(seed.key, "drift_response", str(number), str(attempt))
            stream = drift_stream.made(own, kinds, patients, rules)
            oracle, least = drift_policies.knowing(stream, rules)
            gain = oracle.total - drift_policies.worth(stream, rules, drift_policies.nothing)
            tried.append((min(gain / FLOOR, least / EACH), attempt, stream))
            if tried[-1][0] >= 1:
                break
        streams.append(max(tried, key=lambda one: one[:2])[2])
    return tuple(streams)


def odd_months(seed: Seed, streams: tuple[Stream, ...]) -> tuple[Mapping[int, str], ...]:
    """For each stream, month -> kind of odd delivery: one of each kind over all, in months when nothing begins."""
    draw = seed.stream("odd")
    odd: list[dict[int, str]] = [{} for _ in streams]
    order = draw.permutation(len(streams)).tolist()
    for k, kind in enumerate(ODD):
        number = order[k % len(order)]
        near = {e.onset + d for e in streams[number].events for d in (-1, 0, 1, 2)}
        taken = {m + d for m in odd[number] for d in (-1, 0, 1)}
        free = [m for m in range(2, 22) if m not in near | taken]
        odd[number][free[int(draw.choice(len(free), k, 1))]] = kind
    return tuple(odd)
