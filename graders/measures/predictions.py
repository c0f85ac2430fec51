"""How well a candidate foresaw what their program leaves: interval scores, and the kinds and groups named as weakest.

An interval is scored as in Gneiting & Raftery 2007 (doi:10.1198/016214506000001437), eq. 43: its width, and 2/alpha
times the distance by which it misses. Widening it until nothing can go wrong costs as much as missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graders.harness.reading import Unreadable, parse_json
from graders.measures.evidence import fields
from graders.measures.notes_release import notes_fraction
from graders.measures.places import ramp

if TYPE_CHECKING:
    from graders.measures.notes_release import Caught, NotesVerdict

ALPHA = 0.2  # intervals of 80 % confidence
# An interval that scores .02 earns all, as does one of that width that holds the truth; one that scores .10 nothing.
FULL_SCORE, NO_SCORE = 0.02, 0.10
PARTS = {"recall": 0.4, "kept": 0.2, "weakest": 0.2, "worst_group": 0.2}
MOST_KINDS, MOST_GROUPS = 3, 2
SMALLEST_KIND = 20  # graded mentions; of a rarer kind, chance decides how many are caught
CLOSE = 0.005  # a kind or group this near to the lowest recall is as good an answer
MAX_BYTES = 10_000
FORM = (
    'it must be {"recall": [low, high], "kept": [low, high], "weakest": [up to 3 kinds], '
    '"worst_group": [up to 2 groups]} with 0 <= low <= high <= 1'
)


@dataclass(frozen=True)
class Predictions:
    """predictions.json. recall, kept: (low, high).  weakest, worst_group: as named."""

    recall: tuple[float, float]
    kept: tuple[float, float]
    weakest: tuple[str, ...]
    worst_group: tuple[str, ...]

    @classmethod
    def read(cls, data: bytes) -> Predictions:
        """Raises Unreadable with a sentence for the candidate."""
        value = keyed(data, PARTS)
        intervals = [interval(value, name) for name in ("recall", "kept")]
        return cls(
            intervals[0],
            intervals[1],
            tuple(kind.upper() for kind in names(value, "weakest", MOST_KINDS)),
            tuple(group.lower() for group in names(value, "worst_group", MOST_GROUPS)),
        )


def judge(submitted: bytes | None, verdict: NotesVerdict) -> tuple[float, str, tuple[str, ...]]:
    """Fraction in [0, 1], message, and evidence. submitted: the bytes of predictions.json."""
    if submitted is None:
        return 0.0, f"predictions.json is missing; {FORM}", ()
    try:
        said = Predictions.read(submitted)
    except Unreadable as error:
        return 0.0, f"predictions.json {error}; {FORM}", ()
    kinds = {name: caught for name, caught in verdict.kinds.items() if caught.count >= SMALLEST_KIND}
    earned = {
        "recall": interval_part(said.recall, verdict.recall),
        "kept": interval_part(said.kept, verdict.kept),
        "weakest": float(names_lowest(said.weakest, kinds)),
        "worst_group": float(names_lowest(said.worst_group, verdict.groups)),
    }
    parts = [
        f"recall {verdict.recall:.1%} ({said_interval(said.recall)})",
        f"kept {verdict.kept:.1%} ({said_interval(said.kept)})",
        "a weakest kind named" if earned["weakest"] else "no weakest kind named",
        "a worst group named" if earned["worst_group"] else "no worst group named",
    ]
    # Of notes that were not de-identified there is nothing to foresee.
    fraction = notes_fraction(verdict) * sum(PARTS[name] * part for name, part in earned.items())
    return fraction, "; ".join(parts), fields("predictions.json", earned)


def keyed(data: bytes, keys: Iterable[str]) -> dict[str, Any]:
    """predictions.json as an object of just these keys. Raises Unreadable with a sentence for the candidate."""
    if len(data) > MAX_BYTES:
        raise Unreadable(f"is larger than {MAX_BYTES // 1000} KB")
    value = parse_json(data.removeprefix(b"\xef\xbb\xbf"))  # some editors begin with a byte order mark
    if not isinstance(value, dict) or set(value) != set(keys):
        raise Unreadable("does not have just the keys " + ", ".join(keys))
    return value


def interval_part(interval: tuple[float, float], truth: float) -> float:
    """What an interval earns, in [0, 1]."""
    return ramp(NO_SCORE - interval_score(interval, truth), 0, NO_SCORE - FULL_SCORE)


def interval_score(interval: tuple[float, float], truth: float) -> float:
    """Width plus 2/ALPHA times the distance by which the interval misses; smaller is better."""
    low, high = interval
    return high - low + 2 / ALPHA * max(low - truth, truth - high, 0.0)


def names_lowest(named: Sequence[str], found: Mapping[str, Caught]) -> bool:
    """Whether one of `named` has the lowest recall, or nearly; where all are alike, any answer is right."""
    if not found:
        return True
    shares = [caught.share for caught in found.values()]
    if max(shares) - min(shares) <= CLOSE:
        return bool(named)
    # Shares that differ by just CLOSE on paper may differ by a little more as floats.
    most = min(shares) + CLOSE + 1e-9
    return any(name in found and found[name].share <= most for name in named)


def said_interval(interval: tuple[float, float]) -> str:
    """The interval as the candidate gave it."""
    return f"said {interval[0]:.1%} to {interval[1]:.1%}"


def interval(value: Mapping[str, Any], name: str) -> tuple[float, float]:
    """Two numbers, the lower one first."""
    found = value[name]
    if not isinstance(found, list) or len(found) != 2 or any(type(x) not in (int, float) for x in found):
        raise Unreadable(f"has no two numbers in {name}")
    if not 0 <= found[0] <= found[1] <= 1:
        raise Unreadable(f"has no interval between 0 and 1 in {name}")
    return float(found[0]), float(found[1])


def names(value: Mapping[str, Any], name: str, most: int) -> list[str]:
    """A list of at most so many texts."""
    found = value[name]
    if not isinstance(found, list) or len(found) > most or any(type(x) is not str for x in found):
        raise Unreadable(f"has no list of up to {most} texts in {name}")
    return [text.strip() for text in found]
