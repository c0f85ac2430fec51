"""How well a candidate foresaw what their report is worth; scored as the predictions of other exercises are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graders.harness.reading import Unreadable
from graders.measures.evidence import fields
from graders.measures.places import ramp
from graders.measures.predictions import interval, interval_score, keyed, said_interval

if TYPE_CHECKING:
    from graders.measures.subgroup_findings import Judged

PARTS = {"found": 0.35, "confirmed": 0.35, "covered": 0.3}
# An interval of this width that holds the truth earns all; one whose score (width and miss) is the second, nothing.
FULL_SCORE, NO_SCORE = 0.2, 1.0
FORM = 'it must be {"found": [low, high], "confirmed": [low, high], "covered": [low, high]} with 0 <= low <= high <= 1'


def judge(submitted: bytes | None, findings: Judged, covered: tuple[int, int]) -> tuple[float, str, tuple[str, ...]]:
    """Fraction in [0, 1], message, and evidence.

    submitted: predictions.json.  covered: intervals with the truth in, of all.
    """
    if submitted is None:
        return 0.0, f"predictions.json is missing; {FORM}", ()
    try:
        value = keyed(submitted, PARTS)
        said = {name: interval(value, name) for name in PARTS}
    except Unreadable as error:
        return 0.0, f"predictions.json {error}; {FORM}", ()
    held, total = covered
    truth = {"found": findings.recall, "confirmed": findings.confirmed, "covered": held / total if total else 0.0}
    earned = {
        name: ramp(NO_SCORE - interval_score(said[name], truth[name]), 0, NO_SCORE - FULL_SCORE) for name in PARTS
    }
    message = "; ".join(f"{name} {truth[name]:.0%} ({said_interval(said[name])})" for name in PARTS)
    return sum(PARTS[name] * part for name, part in earned.items()), message, fields("predictions.json", earned)
