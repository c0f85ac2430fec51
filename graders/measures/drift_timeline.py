"""What happened in the streams and what was done: timelines for the scorecard, and a trace for practice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from graders.harness.figure import Figure, Mark
from synthetic_data.drift_accounts import QUIET, is_alarm

if TYPE_CHECKING:
    from graders.measures.drift_utility import Worth
    from synthetic_data.drift_accounts import Accounts
    from synthetic_data.recipes.drift_response import StreamTruth


def figures(worth: Worth) -> list[Figure]:
    """One per stream that was lived."""
    return [
        timeline(number, stream, accounts)
        for number, (stream, accounts) in enumerate(zip(worth.truth.streams, worth.accounts, strict=True), 1)
        if stream.course and accounts is not None
    ]


def timeline(number: int, stream: StreamTruth, accounts: Accounts) -> Figure:
    """Events above the lines, actions below them; false alarms are drawn as bad."""
    happened = [
        Mark(
            event.onset,
            event.kind.replace("_", " ") + (f" to {event.end}" if event.end else ""),
            "above",
            event.harmful,
        )
        for event in stream.events
    ]
    done = []
    for month, lived in enumerate(stream.course):
        names = sorted({str(action["type"]).replace("_", " ") for action in lived.actions} - {"none"})
        loud = any(action["type"] not in QUIET for action in lived.actions)
        if names:
            done.append(Mark(month, ", ".join(names), "below", loud and accounts.alarms[month] > 0))
    lines = {"as monitored": accounts.benefit.tolist(), **stream.months}
    acted = sum(mark.row == "below" for mark in done)
    alarms = int(accounts.alarms.sum())
    alt = (
        f"Stream {number}: net benefit of 24 months, {accounts.benefit.sum():.0f} in all; "
        f"{len(happened)} events; actions in {acted} months, {alarms} false alarms."
    )
    return Figure(f"Stream {number}", alt, "month", "net benefit", lines, (*happened, *done))


def trace(worth: Worth) -> Iterator[str]:
    """Every report that came and every action that was taken, in a line each; false alarms are marked."""
    for number, (stream, accounts) in enumerate(zip(worth.truth.streams, worth.accounts, strict=True), 1):
        for month, lived in enumerate(stream.course):
            place = f"stream {number} month {month}"
            for report in lived.reports:
                yield f"{place}: report {report['id']}, {report['events']} events: {compared(report)}"
            for action in lived.actions:
                told = " ".join(f"{value:.4g}" if isinstance(value, float) else str(value) for value in action.values())
                alarm = accounts is not None and accounts.alarms[month] > 0 and is_alarm(action)
                yield f"{place}: {told}{' (false alarm)' if alarm else ''}"


def compared(report: Mapping[str, Any]) -> str:
    """The current model's measures against the candidate's."""
    now, then = report["current"], report["candidate"]
    if not now or not then:
        return "refused"
    return ", ".join(f"{name} {now[name]} to {then.get(name)}" for name in now)
