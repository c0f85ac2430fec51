"""Rubric of drift_response: what watching the model was worth to patients, and whether the right thing was done."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from graders.harness.criterion import Award, criterion
from graders.harness.outcome import Outcome
from graders.measures import drift_agreement, drift_causes, drift_habits, drift_predictions, drift_timeline
from graders.measures.drift_utility import Worth
from graders.measures.evidence import by_stream

if TYPE_CHECKING:
    from graders.harness.figure import Figure
    from synthetic_data.recipes.drift_response import Truth

WORTH = "what the monitoring is worth"


class Graded:
    """What several criteria need of one truth, worked out once."""

    _last: Worth | None = None

    @classmethod
    def of(cls, truth: Truth) -> Worth:
        """The same object for the same truth, as the criteria are called one after the other."""
        last = cls._last
        if last is None or last.truth is not truth:
            last = cls._last = Worth(truth)
        return last


def gated(award: Award, worth: Worth) -> Award:
    """The award times the gate; where only that took points, with the evidence of what the monitoring is worth."""
    if not award.evidence and worth.gate < 1:
        award = dataclasses.replace(award, evidence=worth.judge()[2])
    return award.reduced(worth.gate, WORTH)


@criterion(points=55, skill="monitoring", remedy="docs/remedies.md#watching-a-model")
def test_patients_are_better_off(outcome: Outcome, truth: Truth) -> Award:
    """Net benefit, less the price of actions and false alarms, beats every policy that looks at nothing.

    Credit runs from the best policy that looks at nothing (0 %) to 70 % of the way from there to one that knows
    what happens.
    """
    worth = Graded.of(truth)
    fraction, message, evidence = worth.judge()
    return Award(fraction, message, examples=tuple(drift_timeline.trace(worth)), evidence=evidence)


@criterion(points=12, skill="monitoring", remedy="docs/remedies.md#causes-of-drift")
def test_causes_are_told_apart(outcome: Outcome, truth: Truth) -> Award:
    """Of what harms patients the cause is named within eight months, and no other.

    Each event whose cause is named earns 1 / (1 + wrong causes named); the mean counts. Times four times the way in
    the first criterion, at most 1.
    """
    fraction, message, examples, evidence = drift_causes.judge(drift_causes.answered(truth))
    return gated(Award(fraction, message, examples=examples, evidence=evidence), Graded.of(truth))


@criterion(points=3, skill="governance", critical=True, remedy="docs/remedies.md#alerts-that-are-followed")
def test_alerted_feeds_are_acted_on(outcome: Outcome, truth: Truth) -> Award:
    """A feed that was reported as wrong does not go on reaching patients: it is mended, paused or rolled back.

    The share of alerts of faulty data that are acted on; without any, of faulty feeds. Times four times the way in
    the first criterion, at most 1.
    """
    left, total = drift_causes.follow_up(truth)
    worth = Graded.of(truth)
    if not total:
        left, faulty = drift_causes.neglected(truth)
        mended = faulty - len(left)
        message = f"no alert called a feed corrupt; {mended} of {faulty} faulty feeds had something done about them"
        evidence = tuple(by_stream(left, "nothing was done about a feed that was wrong from then"))
        return gated(Award(mended / faulty if faulty else 1.0, message, evidence=evidence), worth)
    message = f"{total - len(left)} of {total} alerts of faulty data were followed by an action on them within a month"
    if left:
        message += f"; nothing followed in {drift_causes.places(left)}"
    evidence = tuple(by_stream(left, "a feed was called corrupt, and nothing followed"))
    return gated(Award(1 - len(left) / total, message, hold=bool(left), evidence=evidence), worth)


@criterion(points=10, skill="governance", remedy="docs/remedies.md#change-control")
def test_changes_were_foreseen(outcome: Outcome, truth: Truth) -> Award:
    """plan.json says beforehand which changes may be made, how they are tested and what may go wrong, and was kept.

    The share of types of change described and assessed, times that of each promise kept; half if rules accept
    nobody. Times four times the way in the first criterion, at most 1.
    """
    fraction, message, evidence = drift_agreement.judge(outcome.submitted.get("plan.json"), truth)
    return gated(Award(fraction, message, evidence=evidence), Graded.of(truth))


@criterion(points=5, skill="robustness", remedy="docs/remedies.md#odd-deliveries")
def test_odd_deliveries_are_survived(outcome: Outcome, truth: Truth) -> Award:
    """Empty, malformed, late and repeated deliveries neither stop the monitor nor make it change the model.

    The share of odd deliveries that are taken. Times four times the way in the first criterion, at most 1.
    """
    fraction, message, evidence = drift_habits.odd_deliveries(truth)
    return gated(Award(fraction, message, evidence=evidence), Graded.of(truth))


@criterion(points=5, skill="judgement", remedy="docs/remedies.md#what-the-monitor-is-worth")
def test_candidate_knows_how_the_monitor_does(outcome: Outcome, truth: Truth) -> Award:
    """predictions.json says before grading how often the monitor cries wolf, how late it is and what it misses.

    False alarms and delay earn 35 % each (interval scores: all to 1 and 1.5, nothing from 5 and 6), a weakest cause
    30 %. Times four times the way in the first criterion, at most 1.
    """
    worth = Graded.of(truth)
    fraction, message, evidence = drift_predictions.judge(outcome.submitted.get("predictions.json"), worth)
    return gated(Award(fraction, message, evidence=evidence), worth)


@criterion(points=10, skill="judgement", remedy="docs/remedies.md#harmless-changes")
def test_harmless_changes_are_left_alone(outcome: Outcome, truth: Truth) -> Award:
    """A new site, another mix of patients, late labels or a good release are no reason to act.

    Credit falls from all, with none acted on, to nothing where half or more are. Times four times the way in the
    first criterion, at most 1.
    """
    worth = Graded.of(truth)
    fraction, message, evidence = drift_habits.left_alone(worth)
    return gated(Award(fraction, message, evidence=evidence), worth)


def figures(outcome: Outcome, truth: Truth) -> list[Figure]:
    """A timeline for each stream: net benefit against knowing and doing nothing, what happened, and what was done."""
    return drift_timeline.figures(Graded.of(truth))
