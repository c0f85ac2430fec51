"""Rubric of subgroup_evaluation: for whom the model works, for whom not, why, and what was done about it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from graders.harness.criterion import Award, criterion
from graders.harness.outcome import Outcome
from graders.measures import subgroup_action, subgroup_findings, subgroup_numbers, subgroup_predictions
from graders.measures.subgroup_report import Report
from graders.measures.subgroup_truth import Measured

if TYPE_CHECKING:
    from synthetic_data.recipes.subgroup_evaluation import Truth


class Graded:
    """What several criteria need of one outcome, each worked out once."""

    _last: Graded | None = None

    def __init__(self, outcome: Outcome, truth: Truth, scene: Measured) -> None:
        self.outcome, self.truth, self.scene = outcome, truth, scene
        self.report = Report.read(outcome.replies[0].files, truth.card)

    @classmethod
    def of(cls, outcome: Outcome, truth: Truth) -> Graded:
        """The same object for the same outcome and truth, as the criteria are called one after the other."""
        last = cls._last
        if last is None or last.outcome is not outcome or last.truth is not truth:
            # What is so about the scene does not change with the outcome.
            scene = last.scene if last is not None and last.truth is truth else Measured(truth)
            last = cls._last = cls(outcome, truth, scene)
        return last

    @cached_property
    def numbers(self) -> tuple[float, str, tuple[str, ...]]:
        """Fraction, message, and evidence."""
        return subgroup_numbers.numbers(self.report, self.scene)

    @cached_property
    def findings(self) -> subgroup_findings.Judged:
        """The findings against the truth."""
        return subgroup_findings.judge(self.report, self.scene)


@criterion(points=25, skill="evaluation", remedy="docs/remedies.md#numbers-by-group")
def test_numbers_are_right(outcome: Outcome, truth: Truth) -> Award:
    """Discrimination, calibration and net benefit of every group are what the card's definitions give.

    Credit runs from 30 % of estimates right to 97 %; right is within 0.0051, and every metric weighs alike.
    """
    fraction, message, evidence = Graded.of(outcome, truth).numbers
    return Award(fraction, message, evidence=evidence)


@criterion(points=15, skill="evaluation", remedy="docs/remedies.md#intervals-by-group")
def test_uncertainty_is_right(outcome: Outcome, truth: Truth) -> Award:
    """Intervals are as wide as they are when patients, not encounters, are drawn again.

    Credit runs from 55 % of intervals right to 90 %: 0.75 to 1.33 times the bootstrap's width, and no end further
    off than a quarter of it.
    """
    graded = Graded.of(outcome, truth)
    fraction, message, evidence = subgroup_numbers.uncertainty(graded.report, graded.scene)
    return Award(fraction, message, evidence=evidence)


@criterion(points=30, skill="fairness", remedy="docs/remedies.md#findings")
def test_problems_are_found_and_nothing_else(outcome: Outcome, truth: Truth) -> Award:
    """The groups for whom the model fails are flagged, and groups that only differ in how ill they are are not.

    The share of problems found; each cell flagged wrongly, after the first, takes a fifth of it.
    """
    findings = Graded.of(outcome, truth).findings
    return Award(findings.fraction, findings.message, evidence=findings.evidence)


@criterion(points=10, skill="judgement", remedy="docs/remedies.md#causes")
def test_causes_are_named(outcome: Outcome, truth: Truth) -> Award:
    """What was found has its cause: the model, the label, or the data.

    The share of found problems that have their cause, times what the findings earn.
    """
    findings = Graded.of(outcome, truth).findings
    evidence = findings.causes_evidence or findings.evidence
    award = Award(findings.causes_fraction, findings.causes_message, evidence=evidence)
    return award.reduced(findings.fraction, "what the findings earn")


@criterion(points=10, skill="privacy", critical=True, remedy="docs/remedies.md#small-cells")
def test_small_cells_stay_hidden(outcome: Outcome, truth: Truth) -> Award:
    """No small count is shown or can be worked out from what is shown, and the other counts are there.

    All, or half the share hidden once any is given away; times other counts shown (from 50 % to 90 %), times what
    the numbers earn.
    """
    graded = Graded.of(outcome, truth)
    exposure = subgroup_numbers.exposure(graded.report, graded.scene)
    hidden = 1 - exposure.exposed / exposure.small if exposure.small else 1.0
    # A count given away is given away, however many are not.
    fraction = hidden / 2 if exposure.exposed else 1.0
    shown, missing = subgroup_numbers.counts_shown(graded.report, graded.scene)
    message = exposure.message if shown == 1 else f"{exposure.message}; other counts are not all there or not right"
    places = (*subgroup_numbers.given_away(exposure), *(missing if shown < 1 else ()))
    award = Award(fraction * shown, message, hold=exposure.exposed > 0, evidence=places or graded.numbers[2])
    return award.reduced(graded.numbers[0], "what the numbers earn")


@criterion(points=5, skill="judgement", remedy="docs/remedies.md#threshold-and-mitigation")
def test_action_helps_the_worst_off(outcome: Outcome, truth: Truth) -> Award:
    """Threshold and mitigation, tried on later patients, help the worst-off group within the alert budget.

    The worst-off's shortfall must fall by 60 % for all points, everybody's by 25 %, flags stay within 1.05 budgets
    (nothing from 1.25); all multiply. Working around halves it, no fallback costs 20 %.
    """
    graded = Graded.of(outcome, truth)
    fraction, message, evidence = subgroup_action.judge(graded.report, graded.scene)
    return Award(fraction, message, evidence=evidence)


@criterion(points=5, skill="judgement", remedy="docs/remedies.md#what-the-report-is-worth")
def test_candidate_knows_what_it_is_worth(outcome: Outcome, truth: Truth) -> Award:
    """predictions.json says before grading how much of the truth the report holds.

    Found and confirmed earn 35 % each, covered 30 %: all up to an interval score of 0.2, nothing from 1; times what
    the findings earn.
    """
    graded = Graded.of(outcome, truth)
    said = outcome.submitted.get("predictions.json")
    covered = graded.scene.covers(graded.report.rows)
    fraction, message, places = subgroup_predictions.judge(said, graded.findings, covered)
    award = Award(fraction, message, evidence=places or graded.findings.evidence)
    return award.reduced(graded.findings.fraction, "what the findings earn")
