"""A drawing that a rubric adds to the scorecard's evidence: lines over time, and marks of what happened when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """Something at x. row: "above" the lines (what happened) or "below" them (what was done).  bad: drawn as such."""

    x: float
    label: str
    row: str
    bad: bool = False


@dataclass(frozen=True)
class Figure:
    """lines: name -> y at x = 0, 1, 2 …  alt: the same in a sentence, for who does not see it."""

    title: str
    alt: str
    x_name: str
    y_name: str
    lines: Mapping[str, Sequence[float]]
    marks: Sequence[Mark] = ()
