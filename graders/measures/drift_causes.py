"""Which cause an action claims, which event it fits, and whether a fault that was reported was also seen to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graders.measures.evidence import by_stream
from synthetic_data.drift_accounts import MONTHS, Event, is_alarm, near, points_at
from synthetic_data.drift_events import CAUSES

if TYPE_CHECKING:
    from synthetic_data.recipes.drift_response import StreamTruth, Truth

DATA_CAUSES = frozenset({"unit_change", "assay_change", "coding_change", "missing_data", "corrupt_values"})
CLAIMS = frozenset({"alert", "data_fix", "recalibrate", "retrain", "rollback", "pause"})
SOON = 8  # months from its onset in which an event's cause may be named
MOST_NAMED = 3  # places that a message names

Action = Mapping[str, Any]


@dataclass(frozen=True)
class Answered:
    """What a course says about one harmful event.

    stream: from 1.  named: an accepted cause was claimed in time.  wrong: distinct other causes claimed of it in time.
    delay: months from its onset to the first action that fits, MONTHS - onset where there is none.
    """

    stream: int
    event: Event
    named: bool
    wrong: int
    delay: int

    @property
    def credit(self) -> float:
        """1 / (1 + wrong causes) where the cause was named: naming every cause is naming none."""
        return 1 / (1 + self.wrong) if self.named else 0.0

    @property
    def seen(self) -> bool:
        """Named, or acted on in time."""
        return self.named or self.delay <= min(SOON, MONTHS - 1 - self.event.onset)


def answered(truth: Truth) -> list[Answered]:
    """Every harmful event of every stream."""
    return [
        about(event, stream, number)
        for number, stream in enumerate(truth.streams, 1)
        for event in stream.events
        if event.harmful
    ]


def about(event: Event, stream: StreamTruth, number: int) -> Answered:
    """What the stream's course says about one event."""
    named, delay = False, MONTHS - event.onset
    wrong: set[str] = set()
    for month, action in claims(stream):
        if month < event.onset or not same_place(action, event.site, event.feature):
            continue
        cause = cause_of(action)
        right = cause in event.cause
        if right or not cause:
            delay = min(delay, month - event.onset)
        if month > event.onset + SOON or not cause:
            continue
        named |= right
        # Two events may be on at once: what is said of the other one is not said wrongly of this one.
        if not right and not any(explains(other, month, action) for other in stream.events):
            wrong.add(cause)
    return Answered(number, event, named, len(wrong), delay)


def claims(stream: StreamTruth) -> Iterator[tuple[int, Action]]:
    """(month, action) of all actions that say something is wrong, in their order."""
    for month, done in enumerate(stream.course):
        for action in done.actions:
            if claims_fault(action):
                yield month, action


def claims_fault(action: Action) -> bool:
    """Whether an action reports or answers a fault; taking an own fix away again does neither."""
    return action["type"] in CLAIMS and is_alarm(action)


def explains(event: Event, month: int, action: Action) -> bool:
    """Whether the action names a harmful event that is on, or was until lately."""
    return near(event, month) and cause_of(action) in event.cause and same_place(action, event.site, event.feature)


def cause_of(action: Action) -> str:
    """The cause that an action claims; "" for none."""
    cause = action.get("cause")
    return cause if isinstance(cause, str) and cause in CAUSES else ""


def same_place(action: Action, sites: tuple[str, ...], features: tuple[str, ...]) -> bool:
    """Whether site and feature agree, where both sides name some.

    A claim about patients or a release is about all features, whatever it names.
    """
    if cause_of(action) not in {"", *DATA_CAUSES}:
        features = ()
    return all(
        not own or not action.get(key) or action[key] in own for key, own in (("site", sites), ("feature", features))
    )


def judge(found: list[Answered]) -> tuple[float, str, tuple[str, ...], tuple[str, ...]]:
    """Fraction in [0, 1], message, examples, and evidence."""
    if not found:
        return 1.0, "nothing harmful happened", (), ()
    missed = [a for a in found if not a.named]
    wrong = sum(a.wrong for a in found)
    parts = [f"{len(found) - len(missed)} of {len(found)} harmful events have their cause named within {SOON} months"]
    if wrong:
        parts.append(f"{wrong} wrong causes were named of events, each of which lowers what its event earns")
    if missed:
        parts.append("not named: " + places([(a.stream, a.event.onset) for a in missed]))
    examples = tuple(
        f"stream {a.stream} month {a.event.onset}: {a.event.kind}, of which {a.event.cause[0]} is the cause"
        for a in missed
    )
    evidence = by_stream([(a.stream, a.event.onset) for a in missed], "the cause of what began then is not named")
    confused = [(a.stream, a.event.onset) for a in found if a.named and a.wrong]
    evidence += by_stream(confused, "wrong causes, too, are named of what began then")
    return sum(a.credit for a in found) / len(found), "; ".join(parts), examples, tuple(evidence)


def follow_up(truth: Truth) -> tuple[list[tuple[int, int]], int]:
    """Alerts of a data cause that nothing followed, as (stream, month), and how many such alerts there were."""
    total = 0
    open_: list[tuple[int, int]] = []
    for number, stream in enumerate(truth.streams, 1):
        course = stream.course
        for month, alert in claims(stream):
            if alert["type"] != "alert" or cause_of(alert) not in DATA_CAUSES:
                continue
            done = [action for later in course[month : month + 2] for action in later.actions]
            followed = any(sees_to(action, alert) for action in done)
            # What is reported in the last month may be mended in a month that nobody plays.
            if not followed and month == MONTHS - 1:
                continue
            total += 1
            if not followed:
                open_.append((number, month))
    return open_, total


def neglected(truth: Truth) -> tuple[list[tuple[int, int]], int]:
    """Faulty feeds about which nothing was done while they were, as (stream, onset), and how many there were."""
    faulty = [
        (number, stream, event)
        for number, stream in enumerate(truth.streams, 1)
        for event in stream.events
        if event.harmful and event.feature
    ]
    left = [
        (number, event.onset)
        for number, stream, event in faulty
        if not any(
            sees_to(action, {}) and points_at(event, action)
            for month in stream.course[event.onset : event.last + 1]
            for action in month.actions
        )
    ]
    return left, len(faulty)


def sees_to(action: Action, alert: Action) -> bool:
    """Whether an action stops data that an alert calls wrong from reaching patients."""
    if action["type"] in ("pause", "rollback"):
        return True
    # Multiplied by one, and fixes taken away, the data stay as wrong as they are.
    changes = action.get("method") in ("remap", "mask") or (
        action.get("method") == "rescale" and action.get("factor") != 1
    )
    there = tuple((alert[key],) if alert.get(key) else () for key in ("site", "feature"))
    return action["type"] == "data_fix" and changes and same_place(action, *there)


def places(found: list[tuple[int, int]]) -> str:
    """Up to MOST_NAMED of (stream, month), in words."""
    words = ", ".join(f"stream {stream} month {month}" for stream, month in sorted(found)[:MOST_NAMED])
    rest = len(found) - MOST_NAMED
    return f"{words} and {rest} more" if rest > 0 else words
