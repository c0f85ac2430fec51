"""Timelines of the streams, for the scorecard's evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graders.harness.figure import Figure, Mark
from synthetic_data.drift_accounts import QUIET

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
