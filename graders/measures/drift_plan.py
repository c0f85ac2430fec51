"""A submission's plan.json, a record of which changes may be made and how they are tested, as frozen values.

After the FDA's guidance on predetermined change control plans (December 2024): a description of modifications, a
modification protocol and an impact assessment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graders.harness.reading import Unreadable, parse_json

CHANGES = ("data_fix", "recalibrate", "retrain", "rollback", "pause")
FIELDS = ("net_benefit", "auroc", "o_e_error")
# A margin of non-inferiority may be so wide: net benefit is per 100 encounters.
MARGIN = {"net_benefit": 1.0, "auroc": 0.02, "o_e_error": 0.1}
WIDEST = 5  # times the margin: what no rule goes beyond
MAX_BYTES, MAX_RULES, MAX_TEXT = 100_000, 10, 4_000
# A sentence has so many characters and different words; less says nothing.
SHORTEST, FEWEST_WORDS = 20, 3
MOST_PER_YEAR, MOST_MONTHS, MOST_EVENTS = 24, 36, 500
EFFECTS = ("benefit", "risk", "mitigation")


@dataclass(frozen=True)
class Rule:
    """A candidate is accepted when `field` is better than the current model's by `at_least`."""

    field: str
    at_least: float


@dataclass(frozen=True)
class Plan:
    """plan.json. most_per_year: by change.  assessed: changes whose impact is assessed.

    min_events, train_months: what a candidate must be trained and tested on.  accept: rules that all must hold.
    """

    most_per_year: Mapping[str, int]
    assessed: frozenset[str]
    min_events: int
    train_months: tuple[int, int]
    accept: tuple[Rule, ...]

    @classmethod
    def read(cls, data: bytes) -> Plan:
        """Raises Unreadable with a sentence for the candidate."""
        if len(data) > MAX_BYTES:
            raise Unreadable(f"is larger than {MAX_BYTES // 1000} KB")
        value = parse_json(data.removeprefix(b"\xef\xbb\xbf"))  # some editors begin with a byte order mark
        if not isinstance(value, dict):
            raise Unreadable("is not an object")
        protocol = member(value, "protocol", dict)
        needs = member(protocol, "data", dict)
        sentence(protocol, "train", "protocol")
        sentence(protocol, "rollback", "protocol")
        changes = by_type(value, "modifications")
        for kind, entry in changes.items():
            sentence(entry, "when", f"modifications, {kind}")
        months = member(needs, "train_months", list)
        if len(months) != 2 or not all(whole(m, 1, MOST_MONTHS) for m in months) or months[0] > months[1]:
            raise Unreadable(f"has no two whole numbers from 1 to {MOST_MONTHS} in train_months, the lower one first")
        return cls(
            {kind: count(entry, "most_per_year", 0, MOST_PER_YEAR) for kind, entry in changes.items()},
            assessed(by_type(value, "impact")),
            count(needs, "min_events", 1, MOST_EVENTS),
            (months[0], months[1]),
            rules(member(protocol, "accept", list)),
        )


def rules(found: list[Any]) -> tuple[Rule, ...]:
    """The rules of acceptance. Raises Unreadable, also where they would accept whatever comes."""
    if len(found) > MAX_RULES or not all(
        isinstance(rule, dict) and rule.get("field") in FIELDS and number(rule.get("at_least")) for rule in found
    ):
        raise Unreadable(
            f"needs up to {MAX_RULES} rules in accept, each with a field ({', '.join(FIELDS)}) and a number at_least"
        )
    if any(abs(rule["at_least"]) > WIDEST * MARGIN[rule["field"]] for rule in found):
        raise Unreadable("has a rule in accept that no model or every model meets")
    if not any(rule["at_least"] >= -MARGIN[rule["field"]] for rule in found):
        margins = ", ".join(f"{field} {-margin:g}" for field, margin in MARGIN.items())
        raise Unreadable(f"accepts models that are clearly worse; one rule of accept must ask for at_least {margins}")
    return tuple(Rule(rule["field"], float(rule["at_least"])) for rule in found)


def by_type(value: Mapping[str, Any], key: str) -> dict[str, dict[str, Any]]:
    """Entries by the change they are about. Raises Unreadable."""
    found = member(value, key, list)
    kinds = [entry.get("type") if isinstance(entry, dict) else None for entry in found[: len(CHANGES) + 1]]
    if any(kind not in CHANGES for kind in kinds):
        raise Unreadable(f"has an entry in {key} whose type is none of {', '.join(CHANGES)}")
    if len(set(kinds)) < len(found):
        raise Unreadable(f"has two entries of the same type in {key}")
    return {entry["type"]: entry for entry in found}


def assessed(entries: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """Changes whose benefit, risk and mitigation are each said, and not in another's words. Raises Unreadable."""
    said = {
        kind: tuple(sentence(entry, effect, f"impact, {kind}") for effect in EFFECTS) for kind, entry in entries.items()
    }
    every = list(said.values())
    return frozenset(kind for kind, own in said.items() if len(set(own)) == len(EFFECTS) and every.count(own) == 1)


def member(value: Mapping[str, Any], key: str, kind: type) -> Any:
    """value[key], an object or a list. Raises Unreadable."""
    found = value.get(key)
    if not isinstance(found, kind):
        raise Unreadable(f"has no {'object' if kind is dict else 'list'} '{key}'")
    return found


def sentence(value: Mapping[str, Any], key: str, where: str) -> str:
    """A text long enough to say something, in lower case and with single blanks. Raises Unreadable."""
    found = value.get(key)
    text = " ".join(found.lower().split()) if isinstance(found, str) and len(found) <= MAX_TEXT else ""
    if len(text) < SHORTEST or len(set(text.split())) < FEWEST_WORDS:
        raise Unreadable(f"has no sentence of {SHORTEST} to {MAX_TEXT} characters in '{key}' ({where})")
    return text


def count(value: Mapping[str, Any], key: str, low: int, high: int) -> int:
    """A whole number. Raises Unreadable."""
    found = value.get(key)
    if not whole(found, low, high):
        raise Unreadable(f"has no whole number from {low} to {high} in '{key}'")
    return int(found or 0)


def whole(value: object, low: int, high: int) -> bool:
    """Whether a value is a whole number from `low` to `high`."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def number(value: object) -> bool:
    """Whether a value is a number of a size that a difference of metrics may have."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -1000 <= value <= 1000
