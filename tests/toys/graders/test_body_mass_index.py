"""Rubric of the toy `body_mass_index`."""

from __future__ import annotations

import math
from typing import Any

from graders.harness.criterion import Award, criterion
from graders.harness.outcome import Outcome
from graders.harness.reading import Unreadable, read_table

FACTORS = (1, 10)


@criterion(points=80, skill="numbers")
def test_every_index_is_right(outcome: Outcome, truth: Any) -> Award:
    """Every patient has the right body mass index, and the card's word where the height is implausible."""
    right = 0
    for reply, factor in zip(outcome.replies, FACTORS, strict=True):
        try:
            table = read_table(reply.files, "bmi.csv", columns=["patient_id", "bmi"])
        except Unreadable as error:
            return Award(0, str(error))
        given = dict(zip(table["patient_id"], table["bmi"], strict=True))
        right += sum(matches(given.get(name, ""), want, factor, truth.word) for name, want in truth.indices.items())
    total = len(FACTORS) * len(truth.indices)
    return Award(right / total, f"{right} of {total} indices are right")


def matches(given: str, want: float | None, factor: int, word: str) -> bool:
    """Right to a hundredth of kg/m²."""
    if want is None:
        return given == word
    try:
        return math.isclose(float(given), want * factor, abs_tol=0.01 * factor)
    except ValueError:
        return False


@criterion(points=20, skill="numbers")
def test_the_row_count_is_returned(outcome: Outcome, truth: Any) -> None:
    """The function returns the number of rows it wrote."""
    for reply in outcome.replies:
        assert reply.value == len(truth.indices), "the value returned is not the number of patients"
