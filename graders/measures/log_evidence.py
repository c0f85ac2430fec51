"""Where a service's logs and answers lost points: lines of its logs, requests by number and kind, fields of events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from graders.harness.criterion import LONGEST_EVIDENCE
from graders.measures.evidence import several

if TYPE_CHECKING:
    from graders.measures.log_leaks import Leaks, Spot
    from graders.measures.log_questions import Usefulness

# question of log_questions.QUESTIONS -> the event it is answered from, and its fields.
ANSWERED_FROM: Mapping[str, tuple[str, str]] = {
    "counts": ("request", "route, status"),
    "requests": ("request", "request_id"),
    "latency": ("request", "ms"),
    "codes": ("request, error", "error_code"),
    "reasons": ("error", "error_class"),
    "places": ("error", "where"),
    "sites": ("request", "site"),
    "calls": ("upstream", "request_id"),
    "attempts": ("upstream", "attempt"),
    "outcomes": ("upstream", "status, error_class"),
    "retries": ("retry", "request_id"),
    "outage": ("upstream", "ts, status"),
    "model": ("prediction, startup", "model_version"),
    "accesses": ("any", "patient_ref"),
    "starts": ("startup", "event"),
    "background": ("error", "error_code, error_class, where"),
    "cancelled": ("request", "status"),
    "levels": ("any", "level"),
}


def of_leaks(leaks: Leaks, levels: Sequence[str] = (), channels: Sequence[str] = ()) -> list[str]:
    """An entry for each level and file, those with most kinds of requests first: some lines, and what is in them."""
    kinds: dict[tuple[str, str], set[str]] = {}
    for leak in leaks.found:
        kinds.setdefault((leak.level, leak.channel), set()).add(leak.kind)
    some = [
        (place, spots)
        for place, spots in leaks.spots.items()
        if (not levels or place[0] in levels) and (not channels or place[1] in channels)
    ]
    some.sort(key=lambda pair: (-len(kinds[pair[0][:2]]), pair[0]))
    return [lines(f"{name} at {level}", spots) for (level, _, name), spots in some]


def lines(where: str, spots: Sequence[Spot]) -> str:
    """As many of the spots as there is room for, and at least one."""
    told = where
    for n, (unit, number, kind, field, how) in enumerate(spots):
        disguise = "" if how == "plain" else f", {how}"
        part = f"{unit} {number} ({kind}: {field}{disguise})" if number else f"{kind}: {field}{disguise}"
        if n and len(told) + len(part) + 2 > LONGEST_EVIDENCE:
            break
        told += f"{', ' if n else ': '}{part}"
    return told


def of_questions(useful: Usefulness) -> list[str]:
    """An entry for each question that the log does not answer in full: the event and fields it is answered from."""
    worst = sorted((right, name) for name, right in useful.shares.items() if right < 1)
    found = []
    for right, name in worst:
        event, fields = ANSWERED_FROM[name]
        found.append(f"app.ndjson at INFO, event {event}, {several('field', fields.split(', '))}: {right:.0%} right")
    return found


def of_requests(wrong: Iterable[tuple[str, int, str]], verb: str) -> list[str]:
    """An entry for each level of life. wrong: (level, number of the request from 1, kind)."""
    by_level: dict[str, list[tuple[int, str]]] = {}
    for level, number, kind in wrong:
        by_level.setdefault(level, []).append((number, kind))
    return [requests(f"at {level}, ", some, verb) for level, some in by_level.items()]


def requests(before: str, some: Sequence[tuple[int, str]], verb: str) -> str:
    """The first requests, by number and kind, one of each kind first: as many as there is room for."""
    first = dict[str, int]()
    for number, kind in some:
        first.setdefault(kind, number)
    told, after = "", f": {len(some)} {verb}"
    for n, (kind, number) in enumerate(first.items()):
        part = f"{', ' if n else ''}{number} (kind {kind})"
        if len(before) + len("requests ") + len(told) + len(part) + len(after) > LONGEST_EVIDENCE:
            break
        told += part
    return f"{before}request{'s' if len(some) > 1 else ''} {told}{after}"
