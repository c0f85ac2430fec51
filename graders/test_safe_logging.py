"""Rubric of safe_logging: what a service writes down about itself, and about the people it is used for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from graders.harness.criterion import Award, criterion
from graders.harness.outcome import Outcome
from graders.measures import log_audit, log_evidence, log_leaks, log_life, log_predictions, log_questions, log_service

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from graders.measures.log_leaks import Leaks
    from graders.measures.log_life import Life
    from graders.measures.log_questions import Usefulness
    from graders.measures.log_traces import Traces
    from synthetic_data.recipes.safe_logging import Truth

SAFE, USEFUL = "of what leaked is safe now", "of what is asked of the log it answers"
ANSWERED = "requests answered as the contract says"


@dataclass(frozen=True)
class Graded:
    """What several criteria need of one outcome, each worked out once."""

    outcome: Outcome
    truth: Truth

    @cached_property
    def lived(self) -> tuple[tuple[Life, ...], Mapping[str, list[Mapping[str, Any]]]]:
        """The service's lives, and what its peers were asked."""
        return log_life.lives(self.outcome, self.truth)

    @cached_property
    def traces(self) -> Traces:
        """What finds everybody's details."""
        return log_leaks.scanner(self.lived[0])

    @cached_property
    def leaks(self) -> Leaks:
        """Every trace of a person."""
        return log_leaks.found(*self.lived, self.traces)

    @cached_property
    def lost(self) -> str:
        """Why what the service left could not be taken up, or ""."""
        return next((life.lost for life in self.lived[0] if life.lost), "")

    @cached_property
    def safe(self) -> tuple[float, str]:
        """P, and what leaks. What cannot be looked at is not safe."""
        return (0.0, self.lost) if self.lost else log_leaks.protection(self.leaks)

    @cached_property
    def useful(self) -> Usefulness:
        """V, question by question."""
        return log_questions.usefulness(self.lived[0], self.truth)

    @cached_property
    def contract(self) -> log_service.Judged:
        """Which requests were answered as the contract says."""
        return log_service.contract(*self.lived)

    @property
    def answered(self) -> float:
        """The share of them."""
        return self.contract.fraction

    @cached_property
    def places(self) -> tuple[str, ...]:
        """Evidence of all that other criteria are multiplied by: leaks, requests, and questions."""
        leaks, asked = log_evidence.of_leaks(self.leaks), self.contract.evidence
        questions = log_evidence.of_questions(self.useful)
        return (*leaks[:2], *asked[:1], *questions[:2], *leaks[2:], *questions[2:])


def graded_of(outcome: Outcome, truth: Truth) -> Graded:
    """The same object for the same outcome, as the criteria are called one after the other."""
    if not _last or _last[0].outcome is not outcome or _last[0].truth is not truth:
        _last[:] = [Graded(outcome, truth)]
    return _last[0]


_last: list[Graded] = []


@criterion(points=60, skill="privacy", critical=True, remedy="docs/remedies.md#logs-that-tell-of-nobody")
def test_logs_tell_of_the_service_and_of_nobody(outcome: Outcome, truth: Truth) -> Award:
    """What the service writes, prints and leaves behind answers whoever is on call, and names no patient.

    The share of the starter's leaks that are closed, less new ones, times that of questions answered by the log,
    times that of requests answered as the contract says.
    """
    graded = graded_of(outcome, truth)
    share, leaking = graded.safe
    held = graded.lost or log_leaks.hold(graded.leaks)
    parts = [
        f"{share:.0%} {SAFE}" + (f" ({leaking})" if leaking else ""),
        graded.useful.message,
        *([held] * bool(held)),
    ]
    award = Award(share * graded.useful.v, "; ".join(parts), hold=bool(held), evidence=graded.places)
    return award.reduced(graded.answered, ANSWERED)


@criterion(points=15, skill="governance", remedy="docs/remedies.md#audit-logs")
def test_accesses_can_be_audited(outcome: Outcome, truth: Truth) -> Award:
    """Each access to patient data is recorded as a FHIR AuditEvent, in a chain in which a change or a cut shows.

    Recall x precision of accesses, times chain 25 %, anchors 20 %, restart, who and valid 15 % each, clean 10 %.
    Times what is safe now, and requests answered.
    """
    graded = graded_of(outcome, truth)
    fraction, message, places = log_audit.judge(*graded.lived, truth, graded.leaks)
    message = message or "every access is recorded, and the chain is whole"
    award = Award(fraction, message, evidence=places or graded.places)
    return award.reduced(graded.safe[0], SAFE).reduced(graded.answered, ANSWERED)


@criterion(points=10, skill="privacy", remedy="docs/remedies.md#errors-for-callers")
def test_callers_are_told_no_more_than_a_code(outcome: Outcome, truth: Truth) -> Award:
    """An error has a code and a request id and nothing of the input, and without an audit log no data are given out.

    Errors that are a code only earn 60 %, other answers that tell nothing 20 %, failing closed 20 %. Times
    questions that the log answers, and requests answered.
    """
    graded = graded_of(outcome, truth)
    judged = log_service.errors(graded.lived[0], graded.traces)
    award = Award(judged.fraction, judged.message, evidence=judged.evidence or graded.places)
    return award.reduced(graded.useful.v, USEFUL).reduced(graded.answered, ANSWERED)


@criterion(points=10, skill="robustness", remedy="docs/remedies.md#logging-that-holds")
def test_logging_is_robust(outcome: Outcome, truth: Truth) -> Award:
    """No line can be forged, DEBUG is as safe as INFO, and the service goes on when its log does not.

    The mean of the parts that are named here. Times questions that the log answers, and requests answered.
    """
    graded = graded_of(outcome, truth)
    info, debug = (1 - log_leaks.protection(graded.leaks, [level])[0] for level in ("INFO", "DEBUG"))
    judged = log_service.robustness(graded.lived[0], truth, info, debug)
    places = (*judged.evidence, *(log_evidence.of_leaks(graded.leaks, ["DEBUG"]) if debug > info else ()))
    award = Award(judged.fraction, judged.message, evidence=places or graded.places)
    return award.reduced(graded.useful.v, USEFUL).reduced(graded.answered, ANSWERED)


@criterion(points=5, skill="judgement", remedy="docs/remedies.md#what-may-still-leak")
def test_candidate_knows_what_may_still_leak(outcome: Outcome, truth: Truth) -> Award:
    """predictions.json names the kinds of requests that still leave traces of people.

    Leaking kinds named, over those that leak (at most 5) plus wrong names; where nothing leaks, each name halves
    it. Times questions that the log answers, and requests answered.
    """
    graded = graded_of(outcome, truth)
    submitted = outcome.submitted.get("predictions.json")
    fraction, message, places = (
        (0.0, graded.lost, ()) if graded.lost else log_predictions.judge(submitted, graded.leaks)
    )
    award = Award(fraction, message, evidence=places or graded.places)
    return award.reduced(graded.useful.v, USEFUL).reduced(graded.answered, ANSWERED)
