"""What watching was worth: a stream's net benefit between doing nothing and knowing what happens."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from graders.measures.evidence import by_stream
from graders.measures.places import ramp
from synthetic_data.drift_accounts import Accounts, accounts

if TYPE_CHECKING:
    from synthetic_data.recipes.drift_response import StreamTruth, Truth

LEAST, MOST = -1.0, 1.05  # one stream must not outweigh the others
FULL, ENOUGH = 0.70, 0.25  # all points, and from where the other criteria count in full
MOST_NAMED = 3  # streams and months that a message names


@dataclass(frozen=True)
class Worth:
    """Every stream of a truth with what the submission did to it."""

    truth: Truth

    @cached_property
    def accounts(self) -> tuple[Accounts | None, ...]:
        """Per stream; None where the submission did not start."""
        threshold = self.truth.card["threshold"]
        return tuple(accounts(s.events, s.course, threshold) if s.course else None for s in self.truth.streams)

    @cached_property
    def shares(self) -> tuple[float | None, ...]:
        """Per stream, e = (U - nothing) / (oracle - nothing), as `share`."""
        # A monitor that does not start leaves the stream as one that does nothing would.
        both = zip(self.truth.streams, self.accounts, strict=True)
        return tuple(share(done.total if done else stream.nothing, stream) for stream, done in both)

    @cached_property
    def mean(self) -> float:
        """E: the mean of e over the streams in which knowing helps."""
        return mean(self.shares)

    @cached_property
    def blind(self) -> float:
        """E of the best policy that looks at nothing, at least 0: doing nothing is one of them."""
        policies = {name for stream in self.truth.streams for name in stream.blind}
        streams = self.truth.streams
        return max([0.0, *(mean([share(s.blind.get(name, s.nothing), s) for s in streams]) for name in policies)])

    @cached_property
    def u(self) -> float:
        """max(0, (E - E_blind) / (1 - E_blind)): 0 for the best blind policy, 1 for knowing everything."""
        return max(0.0, (self.mean - self.blind) / (1 - self.blind)) if self.blind < 1 else 0.0

    @property
    def gate(self) -> float:
        """What every criterion but utility is multiplied by, in [0, 1]."""
        return ramp(self.u, 0, ENOUGH)

    def judge(self) -> tuple[float, str, tuple[str, ...]]:
        """Fraction in [0, 1], message, and evidence."""
        parts = [
            f"{self.u:.0%} of the way from the best policy that looks at nothing to one that knows what happens "
            f"(all points at {FULL:.0%})",
            "by stream, from doing nothing (0%) to knowing (100%): "
            + ", ".join("-" if e is None else f"{round(e, 2) + 0:.0%}" for e in self.shares),
        ]
        idle = [n for n, done in enumerate(self.accounts, 1) if done is None]
        if idle:
            parts.append("the monitor did not start in stream " + ", ".join(map(str, idle)))
        done = [a for a in self.accounts if a is not None]
        alarms, unseen = (
            int(sum(x.sum() for x in xs)) for xs in ([a.alarms for a in done], [a.silence > 0 for a in done])
        )
        parts.append(f"{alarms} false alarms, {unseen} months of harm before anybody acted")
        if lost := self.furthest():
            parts.append("most was lost in " + ", ".join(f"stream {n} month {m}" for n, m in lost))
        return ramp(self.u, 0, FULL), "; ".join(parts), self.evidence(lost)

    def evidence(self, lost: list[tuple[int, int]]) -> tuple[str, ...]:
        """Of the worst streams: the months where most was `lost`, of harm that nobody acted on, of false alarms."""
        done = [(number, a) for number, a in enumerate(self.accounts, 1) if a is not None]
        loud, silent = (
            [(number, int(month)) for number, found in some for month in np.flatnonzero(found > 0)]
            for some in ([(n, a.alarms) for n, a in done], [(n, a.silence) for n, a in done])
        )
        far = [f"stream {stream}, month {month}: most was lost" for stream, month in lost]
        alarms, harm = by_stream(loud, "false alarms"), by_stream(silent, "harm before anybody acted")
        return (*far[:1], *harm[:2], *alarms[:2], *far[1:], *harm[2:])

    def furthest(self) -> list[tuple[int, int]]:
        """(stream from 1, month) where net benefit lies furthest below the best: one month for each of few streams."""
        gaps = []
        for number, done in enumerate(self.accounts, 1):
            if done is not None:
                lost = done.best - done.benefit
                month = int(np.argmax(lost))
                gaps.append((float(lost[month]), number, month))
        return [(number, month) for lost, number, month in sorted(gaps, reverse=True)[:MOST_NAMED] if lost > 0]


def share(total: float, stream: StreamTruth) -> float | None:
    """Of a course worth `total`, e, clipped to LEAST to MOST; None where knowing does not help."""
    room = stream.oracle - stream.nothing
    return float(np.clip((total - stream.nothing) / room, LEAST, MOST)) if room > 0 else None


def mean(shares: list[float | None] | tuple[float | None, ...]) -> float:
    """Mean of those that are there; 0 of none."""
    there = [e for e in shares if e is not None]
    return sum(there) / len(there) if there else 0.0
