"""Criteria: plain functions that look at an outcome and the truth, and say how much was earned."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

# Of the evidence of one criterion: entries, and characters of each.
MOST_EVIDENCE, LONGEST_EVIDENCE = 5, 160


@dataclass(frozen=True)
class Award:
    """What one criterion gives: a fraction of its points in [0, 1], and why, in one sentence without hidden values.

    hold: a person has to look, although part of the points was earned (counts for critical criteria only).
    examples: what went wrong, with the data's own words; shown by `caredrill check` on practice data and nowhere else.
    evidence: where points were lost, for whoever opens the stored output: file, row, line, field, month or request. It
    is stored and shown for hidden data, so it holds numbers and names of the kit's own lists only: no value, and no
    name, id or key that a submission chose. Of more than MOST_EVIDENCE entries the first count.
    """

    fraction: float
    message: str
    hold: bool = False
    examples: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()

    def reduced(self, factor: float, of: str) -> Award:
        """The award times a factor in [0, 1] that another criterion's result gives; the message says so."""
        told = f"{self.message}; times {factor:.1%}: {of}" if factor < 0.9995 else self.message
        return dataclasses.replace(self, fraction=self.fraction * factor, message=told)


@dataclass(frozen=True)
class Criterion:
    """A function together with what the scorecard needs to know about it. title: the docstring's first paragraph.

    rule: its second, how part of the points is earned; "" where it has none.
    """

    id: str
    title: str
    points: float
    skill: str
    critical: bool
    remedy: str
    function: Callable[..., Award | None]
    rule: str = ""


def criterion(*, points: float, skill: str, critical: bool = False, remedy: str = "") -> Callable[[Function], Function]:
    """Make `test_<id>(outcome, truth)` a criterion worth `points`.

    The function returns an Award, or asserts and returns None (all points or none).
    """

    def mark(function: Function) -> Function:
        name = function.__name__
        if not name.startswith("test_") or not (function.__doc__ or "").strip():
            raise TypeError(f"{name}: a criterion is called test_… and its docstring is the sentence on the scorecard")
        title, rule, *_ = (*(" ".join(part.split()) for part in (function.__doc__ or "").strip().split("\n\n")), "")
        function.__dict__["criterion"] = Criterion(
            name.removeprefix("test_"), title, float(points), skill, critical, remedy, function, rule
        )
        return function

    return mark
