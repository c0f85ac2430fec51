"""What is so about every cell of a scene: true gaps, recomputed metrics, and intervals by the cluster bootstrap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from graders.measures import cluster_bootstrap
from graders.measures.cluster_bootstrap import Interval
from graders.measures.subgroup_report import Cell, cell_name
from synthetic_data.readmission import in_cell, need_ratio
from synthetic_data.recipes.subgroup_evaluation import Truth, cells

if TYPE_CHECKING:
    from graders.measures.subgroup_metrics import BoolArray, FloatArray

# A cell is null when the truth is nearer than this to everybody else's: O/E and need as ratios, sensitivity in points.
# Tenths of scores are coarse: those of older patients lie higher within each, which is worth up to .06 of need_ratio.
NULL_RATIO, NULL_NEED, NULL_POINTS = 0.05, 0.08, 0.02
DRAWS, SEED = 400, 20261122


@dataclass(frozen=True)
class Gap:
    """How far a cell is from everybody else. o_e, need: ratios.  sensitivity: what wrong scores cost, in points.

    crude: the whole difference of sensitivities, most of which may be that the patients are more or less ill.
    """

    o_e: float
    need: float
    sensitivity: float
    crude: float

    @property
    def null(self) -> bool:
        """Whether there is nothing to find."""
        ratios = abs(np.log(self.o_e)) < NULL_RATIO and abs(np.log(self.need)) < NULL_NEED
        return bool(ratios and abs(self.sensitivity) < NULL_POINTS)

    @property
    def explained(self) -> bool:
        """Whether most of the difference of sensitivities is case-mix."""
        return bool(abs(self.sensitivity) < abs(self.crude) / 2)

    def towards(self, sign: int) -> bool:
        """Whether risk or need is read as too low here (sign 1), or too high (-1), by more than in a null cell."""
        ratios = sign * np.log(self.o_e) >= NULL_RATIO or sign * np.log(self.need) >= NULL_NEED
        return bool(ratios or -sign * self.sensitivity >= NULL_POINTS)


class Measured:
    """One scene's encounters, counted; every part is worked out once."""

    def __init__(self, truth: Truth) -> None:
        self.truth, self.card, self.table = truth, truth.card, truth.counted
        self._gaps: dict[str, Gap | None] = {}
        self.score: FloatArray = self.table["score"].to_numpy(float)
        self.y: FloatArray = self.table["y"].to_numpy(float)

    @cached_property
    def cells(self) -> Mapping[str, Cell]:
        """Name -> cell, of all that are reported."""
        return {cell_name(cell, self.card): cell for cell in cells(self.card)}

    @cached_property
    def inside(self) -> Mapping[str, BoolArray]:
        """Name -> (n,) its encounters."""
        return {name: in_cell(self.table, cell) for name, cell in self.cells.items()}

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """Name -> how many it has, in the card's unit."""
        patient = self.table["patient"].to_numpy()
        if self.card["counts"] == "encounters":
            return {name: int(rows.sum()) for name, rows in self.inside.items()}
        return {name: len(set(patient[rows])) for name, rows in self.inside.items()}

    @cached_property
    def events(self) -> Mapping[str, tuple[int, int]]:
        """Name -> encounters with and without the event."""
        return {name: (int(self.y[rows].sum()), int((1 - self.y[rows]).sum())) for name, rows in self.inside.items()}

    @cached_property
    def intervals(self) -> Mapping[str, Mapping[str, Interval]]:
        """Name -> metric -> estimate and interval."""
        large = {name: rows for name, rows in self.inside.items() if self.counts[name] >= self.card["min_cell"]}
        return cluster_bootstrap.evaluate(
            self.score, self.y, self.table["patient"].to_numpy(), large, self.card["threshold"], seed=SEED, draws=DRAWS
        )

    @cached_property
    def plant_gaps(self) -> Mapping[str, Mapping[str, Interval]]:
        """Name -> metric -> gap to everybody else and its interval, of the cells where something is planted."""
        planted = [cell_name(plant["cell"], self.card) for plant in self.truth.plants]
        return cluster_bootstrap.gap_intervals(
            self.score,
            self.y,
            self.table["patient"].to_numpy(),
            {name: self.inside[name] for name in planted},
            self.card["threshold"],
            need=self.table["need"].to_numpy(float),
            seed=SEED,
            draws=DRAWS,
        )

    def gap(self, cell: Cell) -> Gap | None:
        """The true gap of any cell; None where it is empty or is everybody."""
        # Thousands of findings may be about a few cells.
        name = cell_name(cell, self.card)
        if name not in self._gaps:
            self._gaps[name] = self._gap(cell)
        return self._gaps[name]

    def _gap(self, cell: Cell) -> Gap | None:
        inside = in_cell(self.table, cell)
        if not inside.any() or inside.all():
            return None
        risk, need = self.table["risk"].to_numpy(float), self.table["need_risk"].to_numpy(float)
        ratio = [risk[rows].sum() / self.score[rows].sum() for rows in (inside, ~inside)]
        flagged = self.score >= self.card["threshold"]
        caught = [risk[rows & flagged].sum() / risk[rows].sum() for rows in (inside, ~inside)]
        return Gap(
            ratio[0] / ratio[1],
            need_ratio(self.score, need, inside),
            self.missed(inside) - self.missed(~inside),
            float(caught[0] - caught[1]),
        )

    def missed(self, rows: BoolArray) -> float:
        """Sensitivity of the score less that of the true risk, at the card's threshold."""
        risk, line = self.table["risk"].to_numpy(float)[rows], self.card["threshold"]
        return float(risk[self.score[rows] >= line].sum() - risk[risk >= line].sum()) / float(risk.sum())

    def is_small(self, cell: Cell) -> bool:
        """Whether a cell is below the card's least count, which no finding may be about."""
        table = self.table[in_cell(self.table, cell)]
        count = table["patient"].nunique() if self.card["counts"] == "patients" else len(table)
        return bool(count < self.card["min_cell"])

    def covers(self, rows: Mapping[tuple[str, str], Any]) -> tuple[int, int]:
        """How many intervals of o_e hold what the true risks give, and of how many."""
        risk = self.table["risk"].to_numpy(float)
        held = total = 0
        for name, inside in self.inside.items():
            row = rows.get((name, "o_e"))
            if row is None or row.lo is None or row.hi is None or self.counts[name] < self.card["min_cell"]:
                continue
            total += 1
            held += row.lo <= risk[inside].sum() / self.score[inside].sum() <= row.hi
        return held, total
