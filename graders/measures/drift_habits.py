"""What a monitor does when nothing is wrong, or when what it is handed is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graders.measures.drift_causes import claims_fault, places
from graders.measures.evidence import by_stream
from synthetic_data.drift_accounts import COST, MONTHS, justified, near

if TYPE_CHECKING:
    from graders.measures.drift_utility import Worth
    from synthetic_data.recipes.drift_response import Extra, StreamTruth, Truth

WATCHED = 4  # months after a benign event's onset in which nothing should come of it
STIRRED = 0.5  # who acts on so many of the harmless changes does not tell them from harmful ones
# What may be answered to a delivery that cannot be used; to one that was seen before there is nothing to say.
CAREFUL = frozenset({"none", "alert", "pause", "investigate"})
# A late one is a month like others, which cannot be seen to be late: whatever it gives reason for may be done.
ALLOWED = {"duplicate": frozenset({"none"}), "late": frozenset(COST)}


def left_alone(worth: Worth) -> tuple[float, str, tuple[str, ...]]:
    """Fraction in [0, 1], which is 0 where half of the benign events or more were acted on, message, and evidence."""
    stirred, total = [], 0
    for number, (stream, done) in enumerate(zip(worth.truth.streams, worth.accounts, strict=True), 1):
        for event in stream.events:
            if event.harmful:
                continue
            total += 1
            watched = range(event.onset, min(event.onset + WATCHED, MONTHS - 1) + 1)
            if done is None:
                # Who watches nothing leaves nothing alone.
                stirred.append((number, event.onset))
            elif touched := [m for m in watched if stirs(stream, m, active=bool(done.active[m]))]:
                stirred.append((number, touched[0]))
    if not total:
        return 1.0, "nothing harmless happened", ()
    message = f"{total - len(stirred)} of {total} harmless changes were left alone"
    if stirred:
        message += f"; acted on at {places(stirred)}: look whether patients are worse off before acting"
    evidence = tuple(by_stream(stirred, "a harmless change was acted on, or nothing was watched"))
    return max(0.0, 1 - len(stirred) / (STIRRED * total)), message, evidence


def stirs(stream: StreamTruth, month: int, *, active: bool) -> bool:
    """Whether a month has an action on a fault that no harmful event justifies: one that is there to be acted on."""
    there = [event for event in stream.events if active and near(event, month)]
    return any(
        claims_fault(action) and not any(justified(event, action) for event in there)
        for action in stream.course[month].actions
    )


def taken(extra: Extra) -> bool:
    """Whether an odd delivery was answered with a list, and with nothing that changes the model."""
    return extra.status == "ok" and extra.listed and set(extra.types) <= ALLOWED.get(extra.kind, CAREFUL)


def odd_deliveries(truth: Truth) -> tuple[float, str, tuple[str, ...]]:
    """Fraction in [0, 1] of the odd deliveries that were taken, message, and evidence."""
    every = [(number, extra) for number, stream in enumerate(truth.streams, 1) for extra in stream.extras]
    if not every:
        return 1.0, "no odd delivery was made", ()
    lost = [(number, extra) for number, extra in every if not taken(extra)]
    message = f"{len(every) - len(lost)} of {len(every)} odd deliveries were taken"
    if lost:
        kinds = ", ".join(
            f"{kind} ({sum(extra.kind == kind for _, extra in lost)})" for kind in sorted({e.kind for _, e in lost})
        )
        raised = sum(extra.status != "ok" for _, extra in lost)
        message += (
            f"; not taken: {kinds}, of which {raised} ended in an error: {places([(n, e.month) for n, e in lost])}"
        )
    evidence = tuple(
        f"stream {number}, month {extra.month}: {extra.kind} delivery, {mishap(extra)}"
        for number, extra in sorted(lost, key=lambda pair: (pair[0], pair[1].month, pair[1].kind))
    )
    return 1 - len(lost) / len(every), message, evidence


def mishap(extra: Extra) -> str:
    """Why an odd delivery was not taken."""
    if extra.status != "ok":
        return "ended in an error"
    return "answered with an action that it gives no reason for" if extra.listed else "not answered with a list"
