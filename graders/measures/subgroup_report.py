"""A submission's report.json on subgroups, as frozen values; what cannot be read is said in words for the candidate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graders.harness.reading import Unreadable, read_json
from synthetic_data.recipes.subgroup_evaluation import CAUSES, METRICS, MITIGATIONS, NEED_RATIO
from synthetic_data.scene import Files

NAME = "report.json"
MAX_ROWS, MAX_FINDINGS, MAX_STEPS = 20_000, 2_000, 20
# Of a report that has the most rows and findings; a good one has a tenth of the values and a fiftieth of the bytes.
MAX_VALUES, MAX_BYTES = 400_000, 8 * 2**20
DIRECTIONS, TIERS = ("higher", "lower"), ("act", "watch")
Cell = Mapping[str, str]


@dataclass(frozen=True)
class Row:
    """One metric of one cell; None for what is not shown."""

    est: float | None
    lo: float | None
    hi: float | None


@dataclass(frozen=True)
class Finding:
    """A gap between a cell and everybody else. cell: axis -> level, of any of the card's axes.

    number: in the report's list, from 1.
    """

    cell: Cell
    metric: str
    direction: str
    size: float | None
    tier: str
    cause: str
    number: int = 0


@dataclass(frozen=True)
class Report:
    """report.json. rows: (cell, metric) -> row.  counts: cell -> n of its rows, as given.

    Cells are named as by `cell_name`.  steps: the mitigations, in order.  faults: what could not be read, in words.
    """

    rows: Mapping[tuple[str, str], Row] = field(default_factory=dict)
    counts: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    findings: Sequence[Finding] = ()
    threshold: float | None = None
    steps: Sequence[Mapping[str, Any]] = ()
    fails_safely: bool = False
    faults: Sequence[str] = ()

    @property
    def fault(self) -> str:
        """What could not be read, as an end of a message: "" for nothing."""
        return f"; {NAME}: " + ", ".join(self.faults[:4]) if self.faults else ""

    @classmethod
    def read(cls, files: Files, card: Mapping[str, Any]) -> Report:
        """A report of which every part stands for itself: one that cannot be read leaves the others as they are."""
        try:
            value = read_json(files, NAME, MAX_VALUES, MAX_BYTES)
        except Unreadable as error:
            return cls(faults=[str(error).removeprefix(f"{NAME} ")])
        if not isinstance(value, dict):
            return cls(faults=["is not a JSON object"])
        faults: list[str] = []
        rows, counts = _rows(_objects(value, "rows", MAX_ROWS, faults), card, faults)
        threshold = value.get("threshold")
        steps = value.get("mitigation")
        safe = value.get("safe_failure")
        return cls(
            rows,
            counts,
            _findings(_objects(value, "findings", MAX_FINDINGS, faults), card, faults),
            number(threshold.get("value")) if isinstance(threshold, dict) else None,
            _steps([steps] if isinstance(steps, dict) else steps, faults),
            isinstance(safe, dict) and all(str(safe.get(key) or "").strip() for key in ("trigger", "fallback")),
            faults,
        )


def cell_name(cell: Cell, card: Mapping[str, Any]) -> str:
    """One text per cell, "race=Black&sex=female": axes in the order of the card's intersection, or of its levels."""
    pairs = [tuple(pair) for pair in card["intersections"]]
    order = next((pair for pair in pairs if set(pair) == set(cell)), tuple(card["levels"]))
    return "&".join(f"{axis}={cell[axis]}" for axis in order if axis in cell)


def number(value: object) -> float | None:
    """A finite number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def as_cell(value: object, card: Mapping[str, Any]) -> Cell | None:
    """`by` as a cell of the card's axes and levels; None where it is none."""
    if not isinstance(value, dict) or not all(isinstance(level, str) for level in value.values()):
        return None
    levels = card["levels"]
    return value if all(axis in levels and level in levels[axis] for axis, level in value.items()) else None


def _objects(value: Mapping[str, Any], key: str, most: int, faults: list[str]) -> list[dict[str, Any]]:
    found = value.get(key)
    if not isinstance(found, list):
        faults.append(f"no list '{key}'")
        return []
    if len(found) > most:
        faults.append(f"more than {most} '{key}'")
        return []
    objects = [item for item in found if isinstance(item, dict)]
    if len(objects) < len(found):
        faults.append(f"{len(found) - len(objects)} of '{key}' are no objects")
    return objects


def _rows(
    objects: list[dict[str, Any]], card: Mapping[str, Any], faults: list[str]
) -> tuple[dict[tuple[str, str], Row], dict[str, list[Any]]]:
    rows: dict[tuple[str, str], Row] = {}
    counts: dict[str, list[Any]] = {}
    twice, strange = set(), 0
    for item in objects:
        cell, metric = as_cell(item.get("by"), card), item.get("metric")
        if cell is None:
            strange += 1
            continue
        name = cell_name(cell, card)
        # What a row shows, it shows: neither the flag `suppressed` hides it nor a metric that nobody asked for.
        counts.setdefault(name, []).append(item.get("n"))
        if metric not in METRICS:
            strange += 1
            continue
        row = Row(*(number(item.get(key)) for key in ("est", "lo", "hi")))
        if rows.setdefault((name, metric), row) != row:
            twice.add((name, metric))
    for key in twice:
        # Of two answers to one question neither counts.
        del rows[key]
    if twice:
        faults.append(f"{len(twice)} rows stand twice, with different numbers")
    if strange:
        faults.append(f"{strange} rows have a 'by' or 'metric' that the card does not have")
    return rows, counts


def _findings(objects: list[dict[str, Any]], card: Mapping[str, Any], faults: list[str]) -> list[Finding]:
    found, strange = [], 0
    for place, item in enumerate(objects, 1):
        cell = as_cell(item.get("by"), card)
        texts = [item.get(key) for key in ("metric", "direction", "tier", "cause")]
        allowed = ((*METRICS, NEED_RATIO), DIRECTIONS, TIERS, CAUSES)
        if not cell or not all(text in choices for text, choices in zip(texts, allowed, strict=True)):
            strange += 1
            continue
        metric, direction, tier, cause = map(str, texts)
        found.append(Finding(cell, metric, direction, number(item.get("size")), tier, cause, place))
    if strange:
        faults.append(f"{strange} findings have a by, metric, direction, tier or cause that the brief does not have")
    return found


def _steps(value: object, faults: list[str]) -> list[Mapping[str, Any]]:
    steps = value if isinstance(value, list) else []
    good: list[Mapping[str, Any]] = [
        s for s in steps[:MAX_STEPS] if isinstance(s, dict) and s.get("type") in MITIGATIONS
    ]
    if not good or len(good) < len(steps):
        faults.append("a mitigation is missing or of no known type")
    return good
