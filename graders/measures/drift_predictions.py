"""How well a candidate foresaw how their monitor does; scored as the predictions of other exercises are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from graders.harness.reading import Unreadable
from graders.measures.drift_causes import answered
from graders.measures.evidence import fields
from graders.measures.places import ramp
from graders.measures.predictions import interval_score, keyed, names
from synthetic_data.drift_accounts import MONTHS
from synthetic_data.drift_events import CAUSES

if TYPE_CHECKING:
    from graders.measures.drift_causes import Answered
    from graders.measures.drift_utility import Worth

PARTS = {"false_alarms": 0.35, "delay": 0.35, "weakest": 0.3}
# An interval as wide as the first that holds the truth earns all; one whose score (width and miss) is the second, none.
SCORES = {"false_alarms": (1.0, 5.0), "delay": (1.5, 6.0)}
LARGEST = {"false_alarms": 1000.0, "delay": float(MONTHS)}
MOST_KINDS = 3
NEAR = 1e-9  # means of shares that are alike differ by so much as floats
FORM = (
    'it must be {"false_alarms": [low, high], "delay": [low, high], "weakest": [up to 3 causes]}: false alarms per '
    f"stream, months from the onset of an event to the first action that fits (up to {MONTHS}), 0 <= low <= high"
)


def judge(submitted: bytes | None, worth: Worth) -> tuple[float, str, tuple[str, ...]]:
    """Fraction in [0, 1], message, and evidence. submitted: the bytes of predictions.json."""
    if submitted is None:
        return 0.0, f"predictions.json is missing; {FORM}", ()
    try:
        value = keyed(submitted, PARTS)
        said = {name: interval(value, name) for name in SCORES}
        weakest = [name.lower() for name in names(value, "weakest", MOST_KINDS)]
    except Unreadable as error:
        return 0.0, f"predictions.json {error}; {FORM}", ()
    found = answered(worth.truth)
    truth = {"false_alarms": mean_alarms(worth), "delay": mean_delay(found)}
    earned = {
        name: ramp(none - interval_score(said[name], truth[name]), 0, none - full)
        for name, (full, none) in SCORES.items()
    }
    earned["weakest"] = float(names_weakest(weakest, found))
    parts = [
        f"{name.replace('_', ' ')} {truth[name]:.1f} (said {low:g} to {high:g})" for name, (low, high) in said.items()
    ]
    parts.append("a weakest cause named" if earned["weakest"] else "no weakest cause named")
    fraction = sum(PARTS[name] * part for name, part in earned.items())
    return fraction, "; ".join(parts), fields("predictions.json", earned)


def interval(value: Mapping[str, Any], name: str) -> tuple[float, float]:
    """Two numbers, the lower one first. Raises Unreadable."""
    found = value[name]
    if not isinstance(found, list) or len(found) != 2 or any(type(x) not in (int, float) for x in found):
        raise Unreadable(f"has no two numbers in {name}")
    if not 0 <= found[0] <= found[1] <= LARGEST[name]:
        raise Unreadable(f"has no interval between 0 and {LARGEST[name]:g} in {name}")
    return float(found[0]), float(found[1])


def mean_alarms(worth: Worth) -> float:
    """False alarms per stream."""
    return sum(float(done.alarms.sum()) for done in worth.accounts if done) / max(len(worth.accounts), 1)


def mean_delay(found: list[Answered]) -> float:
    """Months from the onset of a harmful event to the first action that fits, 24 - onset where there is none."""
    return sum(a.delay for a in found) / max(len(found), 1)


def names_weakest(named: list[str], found: list[Answered]) -> bool:
    """Whether a cause is named of whose events the smallest share was named or acted on, or a kind of as small a share.

    Where all causes are alike, any of them is right.
    """
    groups: dict[str, list[bool]] = {}
    for a in found:
        groups.setdefault(a.event.cause[0], []).append(a.seen)
    causes = {cause: sum(seen) / len(seen) for cause, seen in groups.items()}
    if not causes or max(causes.values()) - min(causes.values()) <= NEAR:
        return any(name in CAUSES for name in named)
    kinds: dict[str, list[bool]] = {}
    for a in found:
        kinds.setdefault(a.event.kind, []).append(a.seen)
    shares = [causes, {kind: sum(seen) / len(seen) for kind, seen in kinds.items()}]
    most = min(causes.values()) + NEAR
    return any(share.get(name, 2.0) <= most for name in named for share in shares)
