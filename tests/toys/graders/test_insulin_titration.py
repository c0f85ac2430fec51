"""Rubric of the toy `insulin_titration`."""

from __future__ import annotations

from typing import Any

from graders.harness.criterion import Award, criterion
from graders.harness.outcome import Outcome


@criterion(points=100, skill="control")
def test_glucose_stays_in_range(outcome: Outcome, truth: Any) -> Award:
    """After six hours, glucose stays in the card's range."""
    late = truth.glucose[6:]
    inside = sum(truth.low <= value <= truth.high for value in late)
    return Award(inside / len(late), f"in range for {inside} of {len(late)} hours")
