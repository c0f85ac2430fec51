"""A round's submissions side by side, blind: bands in place of a ranking, and criterion by criterion."""

from __future__ import annotations

import hashlib
import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from graders.harness.kit import Kit
from graders.round.results import Result, Results
from graders.round.roles import Role

# Where a total lies. Between the first and the third a person decides.
ABOVE, DECIDE, BELOW, NO_TOTAL = "above", "decide", "below", "no total"
# Statuses of an exercise beyond those of a scorecard: it was never graded for this candidate.
NOT_GRADED = "not_graded"
OURS = ("grader_error", "infra_error")
# A criterion whose fractions vary by less than this (sample standard deviation), in so many submissions or more.
FLAT_SPREAD, FLAT_LEAST = 0.05, 5


@dataclass(frozen=True)
class Column:
    """One criterion in this round. fractions: of its points, of every submission that was scored on it."""

    code: str
    exercise: str
    id: str
    title: str
    points: Decimal
    critical: bool
    fractions: tuple[float, ...]

    @property
    def mean(self) -> float | None:
        """The mean fraction."""
        return statistics.fmean(self.fractions) if self.fractions else None

    @property
    def spread(self) -> float | None:
        """Sample standard deviation of the fractions."""
        return statistics.stdev(self.fractions) if len(self.fractions) > 1 else None

    @property
    def flat(self) -> str:
        """In which way it did not tell these submissions apart, or "" when it did or too few were scored."""
        if len(self.fractions) < FLAT_LEAST or self.spread is None or self.spread >= FLAT_SPREAD:
            return ""
        if min(self.fractions) == 1:
            return "all met"
        return "none met" if max(self.fractions) == 0 else "all alike"


@dataclass(frozen=True)
class Block:
    """One exercise in this round. weight: percent of the total, None without a role.  error: its standard error."""

    exercise: str
    title: str
    weight: int | None
    error: float | None
    columns: tuple[Column, ...]

    @property
    def flat_points(self) -> float:
        """Points of 100 that did not tell the submissions apart."""
        points = sum(column.points for column in self.columns)
        return float(100 * sum(c.points for c in self.columns if c.flat) / points) if points else 0.0


@dataclass(frozen=True)
class State:
    """One exercise of one candidate. fractions: criterion -> fraction of its points, empty unless it was scored.

    hold: criteria for which a person has to look.
    """

    status: str
    score: Decimal | None = None
    fractions: Mapping[str, float | None] | None = None
    hold: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One candidate. states: by exercise, in the order of the blocks."""

    label: str
    identity: str
    total: Decimal | None
    band: str
    states: Mapping[str, State]

    @property
    def hold(self) -> bool:
        """Is there a criterion for which a person has to look?"""
        return any(state.hold for state in self.states.values())


@dataclass(frozen=True)
class Comparison:
    """error: standard error of a total in points, None when any part of it was not measured.

    rows: by band, then label, so that their order tells no score.  missing: labels of who handed in nothing.
    stamps: what a scorecard carries -> how many carry it.  kits: how many versions of the kit scored an exercise.
    mark: the same on the page and in the list of labels when they belong together.
    """

    role: Role | None
    blocks: tuple[Block, ...]
    rows: tuple[Row, ...]
    missing: tuple[str, ...]
    labels: Mapping[str, str]
    error: float | None
    stamps: Mapping[str, int]
    cards: int
    mixed: tuple[str, ...]
    mark: str

    def of(self, band: str) -> list[Row]:
        """The candidates of a band."""
        return [row for row in self.rows if row.band == band]

    @property
    def unmeasured(self) -> list[str]:
        """Exercises whose standard error was not measured."""
        return [block.exercise for block in self.blocks if block.error is None]

    def with_status(self, *statuses: str) -> list[tuple[str, str]]:
        """(label, exercise) of these statuses, by label."""
        found = [(row.label, name) for row in self.rows for name, s in row.states.items() if s.status in statuses]
        return sorted(found)

    @property
    def no_score(self) -> list[tuple[str, str]]:
        """(label, exercise) without a score by a fault of the grader or the machine."""
        return self.with_status(*OURS)


def compare(kit: Kit, results: Results) -> Comparison:
    """Everything that the report says but for signs of copying. Raises UsageError for an exercise the kit lacks."""
    there = {name for found in results.found.values() for name in found}
    weights: Mapping[str, int | None] = results.role.weights if results.role else dict.fromkeys(sorted(there))
    labels, mark = label_all(results)
    rows = [
        row(results, identity, label, list(weights)) for identity, label in labels.items() if identity in results.found
    ]
    blocks = tuple(block(kit, results, name, letter(n), weights[name]) for n, name in enumerate(weights))
    error = total_error(blocks)
    if role := results.role:
        rows = [Row(r.label, r.identity, r.total, place(r.total, role.band, error), r.states) for r in rows]
    order = [ABOVE, DECIDE, BELOW, NO_TOTAL]
    cards = [found[name].card for found in results.found.values() for name in weights if name in found]
    stamps = sorted({stamp for card in cards for stamp in card["stamps"]})
    return Comparison(
        results.role,
        blocks,
        tuple(sorted(rows, key=lambda r: (order.index(r.band), r.label))),
        tuple(sorted(labels[identity] for identity in results.missing)),
        labels,
        error,
        {stamp: sum(stamp in card["stamps"] for card in cards) for stamp in stamps},
        len(cards),
        tuple(name for name in weights if len({card["kit"] for card in cards if card["exercise"] == name}) > 1),
        mark,
    )


def label_all(results: Results) -> tuple[dict[str, str], str]:
    """Identity -> label of everybody, in an order that only the results' own hashes tell, and a mark of that order.

    The same results give the same labels.
    """
    outcomes = sorted(str(result.card["outcome"]) for found in results.found.values() for result in found.values())
    key = hashlib.sha256("\n".join(outcomes).encode()).digest()

    def drawn(text: str) -> str:
        return hashlib.sha256(key + text.encode("utf-8", "surrogateescape")).hexdigest()

    everybody = sorted([*results.found, *results.missing], key=drawn)
    digits = max(2, len(str(len(everybody))))
    return {identity: f"K{n:0{digits}}" for n, identity in enumerate(everybody, 1)}, drawn("")[:12]


def letter(number: int) -> str:
    """A, B, … of an exercise; its criteria are A1, A2, …"""
    return chr(ord("A") + number % 26) * (number // 26 + 1)


def row(results: Results, identity: str, label: str, names: list[str]) -> Row:
    """One candidate, placed in no band yet."""
    found = results.found[identity]
    states = {name: state(found[name]) if name in found else State(NOT_GRADED) for name in names}
    return Row(label, identity, results.total(identity), NO_TOTAL, states)


def state(result: Result) -> State:
    """One exercise of one candidate, from its scorecard. No text that a submission chose is taken over."""
    card = result.card
    if card["status"] != "graded":
        return State(str(card["status"]), result.score)
    fractions = {str(c["id"]): fraction(c) for c in card["criteria"]}
    return State("graded", result.score, fractions, tuple(map(str, card["hold"])))


def fraction(criterion: Mapping[str, str | None]) -> float | None:
    """Of a criterion's points, what was earned."""
    points, earned = Decimal(criterion["points"] or 0), criterion["earned"]
    return None if earned is None else float(Decimal(earned) / points) if points else 1.0


def block(kit: Kit, results: Results, name: str, first: str, weight: int | None) -> Block:
    """One exercise: its criteria as the scorecards have them, and how they fell out."""
    exercise = kit.exercise(name)
    told: dict[str, Mapping[str, str | None]] = {}
    fractions: dict[str, list[float]] = {}
    for found in results.found.values():
        if name not in found:
            continue
        for criterion in found[name].card["criteria"]:
            told.setdefault(str(criterion["id"]), criterion)
            share = fraction(criterion)
            if found[name].card["status"] == "graded" and share is not None:
                fractions.setdefault(str(criterion["id"]), []).append(share)
    columns = (
        Column(f"{first}{n}", name, key, str(c["title"]), Decimal(c["points"] or 0), bool(c["critical"]),
               tuple(fractions.get(key, ())))
        for n, (key, c) in enumerate(told.items(), 1)
    )  # fmt: skip
    return Block(name, exercise.title, weight, exercise.standard_error, tuple(columns))


def total_error(blocks: tuple[Block, ...]) -> float | None:
    """Standard error of the weighted total, of independent exercises; None when any has none measured."""
    parts = [(block.weight or 0) / 100 * block.error for block in blocks if block.error is not None]
    return math.hypot(*parts) if len(parts) == len(blocks) else None


def place(total: Decimal | None, band: tuple[float, float], error: float | None) -> str:
    """The band of a total. An error that was not measured widens nothing: the page says so."""
    if total is None:
        return NO_TOTAL
    low, high = band
    width = error or 0.0
    return ABOVE if float(total) > high + width else BELOW if float(total) < low - width else DECIDE
