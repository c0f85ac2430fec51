"""Rubric of the toy `vitals_service`."""

from __future__ import annotations

from typing import Any

from graders.harness.criterion import Award, criterion
from graders.harness.outcome import Outcome
from graders.harness.reading import Unreadable, parse_json, read_text


@criterion(points=70, skill="services")
def test_latest_readings_are_right(outcome: Outcome, truth: Any) -> Award:
    """The service answers with the latest reading of a patient, and 404 for one it has not seen."""
    right = 0
    for answer, want in zip(outcome.replies[-1].value, truth.latest, strict=True):
        right += answer.get("status") == 404 if want is None else value_of(answer) == want
    # Answering 404 to everything is not half right: unseen patients count only beside seen ones.
    seen = sum(1 for a, w in zip(outcome.replies[-1].value, truth.latest, strict=True) if w and value_of(a) == w)
    return Award(right / len(truth.latest) if seen else 0.0, f"{right} of {len(truth.latest)} answers are right")


def value_of(answer: dict[str, Any]) -> Any:
    """The value in an answer's body, or None."""
    try:
        body = parse_json(answer["body"].encode())
        return body["value"] if answer["status"] == 200 else None
    except (Unreadable, KeyError, TypeError):
        return None


@criterion(points=30, skill="privacy", critical=True)
def test_the_log_names_no_patient(outcome: Outcome, truth: Any) -> None:
    """Every request is logged, and the log holds no patient's id."""
    try:
        log = read_text(outcome.replies[-1].files, "access.log")
    except Unreadable as error:
        raise AssertionError(str(error)) from None
    named = sum(patient in log for patient in truth.asked)
    assert not named, f"the log names {named} of {len(truth.asked)} patients"
    wanted = sum(len(r.value) for r in outcome.replies if isinstance(r.value, list))
    assert len(log.splitlines()) >= wanted, f"the log has {len(log.splitlines())} lines for {wanted} requests"
