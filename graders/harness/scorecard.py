"""Scores an outcome against the truth: the only scorer, whichever door it is called from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from graders.harness.criterion import LONGEST_EVIDENCE, MOST_EVIDENCE, Award, Criterion
from graders.harness.errors import GraderError, place
from graders.harness.figure import Figure
from graders.harness.kit import Kit
from graders.harness.outcome import Outcome
from graders.harness.submission import digest
from synthetic_data.scene import Files
from synthetic_data.streams import canonical_text

SCHEMA = "caredrill.scorecard/1"
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Line:
    """One criterion's verdict: "met", "partly met", "not met", or "not scored" when the fault is ours.

    examples are not part of the stored scorecard: they hold values.  evidence: where points were lost, none where
    all were earned.
    """

    criterion: Criterion
    verdict: str
    earned: Decimal | None
    message: str
    hold: bool = False
    examples: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scorecard:
    """What a hiring manager reads and a regrade reproduces byte for byte.

    kit: version and hash of the code that scored.  truth: its hash.  figures are drawn from outcome and truth for the
    page, and are not part of the stored scorecard.
    """

    outcome: Outcome
    kit: str
    truth: str
    status: str
    reason: str
    lines: tuple[Line, ...]
    figures: tuple[Figure, ...] = ()

    @property
    def points(self) -> Decimal:
        """The most that can be earned."""
        return sum((money(line.criterion.points) for line in self.lines), Decimal(0))

    @property
    def score(self) -> Decimal | None:
        """Points earned of 100, or None when the fault is ours."""
        earned = [line.earned for line in self.lines if line.earned is not None]
        if len(earned) < len(self.lines) or not self.points:
            return None
        return money(Decimal(100) * sum(earned, Decimal(0)) / self.points)

    @property
    def hold(self) -> list[str]:
        """Criteria for which a person has to look before anything is decided."""
        return [line.criterion.id for line in self.lines if line.hold]

    @property
    def complete(self) -> bool:
        """Is every criterion met?"""
        return all(line.verdict == "met" for line in self.lines)

    def as_dict(self) -> dict[str, Any]:
        """The scorecard as JSON values; numbers that count are texts with two decimals."""
        return {
            "schema": SCHEMA,
            "kit": self.kit,
            "exercise": self.outcome.exercise,
            "variant": self.outcome.variant,
            "seed": self.outcome.seed,
            "submission": self.outcome.submission,
            "outcome": self.outcome.digest,
            "truth": self.truth,
            "stamps": sorted(self.outcome.stamps),
            "status": self.status,
            "reason": self.reason,
            "hold": self.hold,
            "score": None if self.score is None else str(self.score),
            "points": str(money(self.points)),
            "criteria": [
                {
                    "id": line.criterion.id,
                    "title": line.criterion.title,
                    "skill": line.criterion.skill,
                    "points": str(money(line.criterion.points)),
                    "earned": None if line.earned is None else str(line.earned),
                    "verdict": line.verdict,
                    "critical": line.criterion.critical,
                    "message": line.message,
                    "evidence": list(line.evidence),
                    "remedy": line.criterion.remedy,
                }
                for line in self.lines
            ],
        }

    def to_bytes(self) -> bytes:
        """Canonical JSON: the same bytes for the same verdict, anywhere."""
        return canonical_text(self.as_dict()).encode()


def money(value: float | Decimal) -> Decimal:
    """Two decimals, half to even."""
    return Decimal(str(value)).quantize(CENT, ROUND_HALF_EVEN)


def score(kit: Kit, outcome: Outcome, truth: Files) -> Scorecard:
    """Apply the exercise's criteria. Depends on nothing but its arguments and the kit's code.

    A criterion that breaks makes the whole exercise a "grader_error" with no score: our fault is never a zero.
    """
    if not __debug__:
        raise GraderError("criteria use assert, which python -O removes: run without -O")
    criteria, by, given = kit.criteria(outcome.exercise), kit.digest(outcome.exercise), digest(truth)
    if outcome.status in ("blocked", "not_submitted"):
        lines = [Line(c, "not met", money(0), outcome.reason) for c in criteria]
        return Scorecard(outcome, by, given, outcome.status, outcome.reason, tuple(lines))

    def unscored(status: str, reason: str) -> Scorecard:
        """No score, for faults of ours or of the machine."""
        lines = tuple(Line(c, "not scored", None, reason) for c in criteria)
        return Scorecard(outcome, by, given, status, reason, lines)

    if outcome.status != "played":
        return unscored(outcome.status, outcome.reason)
    lines = []
    try:
        known = kit.recipe(outcome.exercise).read_truth(truth)
        for criterion in criteria:
            lines.append(judge(criterion, outcome, known))
        figures = kit.figures(outcome.exercise, outcome, known)
    except GraderError as error:
        return unscored("grader_error", str(error))
    except Exception as error:
        # Its text may hold hidden values; type and place are enough to find it.
        return unscored("grader_error", f"the grader broke: {type(error).__name__}{place(error)}")
    return Scorecard(outcome, by, given, "graded", "", tuple(lines), figures)


def judge(criterion: Criterion, outcome: Outcome, known: Any) -> Line:
    """One criterion's verdict. An AssertionError is a verdict; any other exception is ours and goes through."""
    try:
        award = criterion.function(outcome, known)
    except AssertionError as error:
        award = Award(0.0, str(error) or criterion.title)
    if award is None:
        award = Award(1.0, "")
    if not isinstance(award, Award) or not math.isfinite(award.fraction) or not 0 <= award.fraction <= 1:
        raise GraderError(f"criterion {criterion.id} gave no Award with a fraction from 0 to 1")
    points = money(criterion.points)
    earned = money(float(points) * award.fraction)
    verdict = "met" if earned == points else "not met" if earned == 0 else "partly met"
    hold = criterion.critical and (verdict == "not met" or award.hold)
    # Bounds are kept here, for every exercise that will ever be.
    lost = award.evidence[:MOST_EVIDENCE] if verdict != "met" else ()
    evidence = tuple(text[:LONGEST_EVIDENCE] for text in lost)
    return Line(criterion, verdict, earned, award.message, hold, award.examples, evidence)
