"""A report of subgroup_evaluation made from the truth itself: what every criterion must give all its points."""

from __future__ import annotations

import copy
import itertools
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from graders.measures.subgroup_metrics import logit
from graders.measures.subgroup_report import cell_name
from graders.measures.subgroup_truth import Measured
from synthetic_data.readmission import in_cell
from synthetic_data.recipes.subgroup_evaluation import METRICS, Truth

Made = dict[str, Any]


def perfect(truth: Truth) -> Made:
    """report.json as an object: recomputed numbers, the plants as findings, their mending, a threshold that fits."""
    scene = Measured(truth)
    hidden = withheld(scene)
    return {
        "rows": list(rows(scene, hidden)),
        "findings": [finding(scene, plant) for plant in truth.plants],
        **mended(truth),
        "safe_failure": {
            "trigger": "O/E of a site leaves .8 to 1.25",
            "fallback": "nurses call whoever is 65 or older",
        },
    }


def changed(report: Made, change: Callable[[Made], None]) -> dict[str, bytes]:
    """The output files of a report that `change` altered in place."""
    made = copy.deepcopy(report)
    change(made)
    return {"report.json": json.dumps(made).encode()}


def rows(scene: Measured, hidden: set[str]) -> Any:
    """One row per cell and metric; hidden cells keep their estimates when they are large."""
    for name, cell in scene.cells.items():
        for metric in METRICS:
            found = scene.intervals.get(name, {}).get(metric)
            values = [plain(getattr(found, key, math.nan)) for key in ("est", "lo", "hi")]
            yield {
                "by": dict(cell),
                "metric": metric,
                "n": None if name in hidden else scene.counts[name],
                **dict(zip(("est", "lo", "hi"), values, strict=True)),
                "suppressed": name in hidden,
            }


def withheld(scene: Measured) -> set[str]:
    """Small cells, and with each of them cells of its line, so that no sum gives it away."""
    least = scene.card["min_cell"]
    hidden = {name for name, n in scene.counts.items() if 1 <= n < least}
    pairs = [tuple(pair) for pair in scene.card["intersections"]]
    for name in sorted(hidden):
        cell = scene.cells[name]
        if len(cell) == 1:
            (axis,) = cell
            hidden |= set(smallest(scene, hidden, [{axis: level} for level in scene.card["levels"][axis]]))
        for axis, other in itertools.permutations(next((p for p in pairs if set(p) == set(cell)), ()), 2):
            line = [{axis: cell[axis], other: level} for level in scene.card["levels"][other]]
            hidden |= set(smallest(scene, hidden, line))
    # What was hidden beside a small cell stands in a line of its own.
    for name in sorted(hidden):
        cell = scene.cells[name]
        for axis, other in itertools.permutations(cell, 2):
            line = [{axis: cell[axis], other: level} for level in scene.card["levels"][other]]
            if len([c for c in line if cell_name(c, scene.card) in hidden]) == 1:
                hidden |= set(smallest(scene, hidden, line))
    return hidden


def smallest(scene: Measured, hidden: set[str], line: list[dict[str, str]]) -> list[str]:
    """The smallest cell of a line that is neither hidden nor empty."""
    names = [cell_name(cell, scene.card) for cell in line]
    shown = [name for name in names if name not in hidden and scene.counts[name] > 0]
    return sorted(shown, key=lambda name: scene.counts[name])[:1]


def finding(scene: Measured, plant: Any) -> Made:
    """A plant as the finding that names it."""
    metric = "need_ratio" if plant["kind"] == "proxy" else "o_e"
    gap = scene.plant_gaps[cell_name(plant["cell"], scene.card)][metric]
    return {
        "by": dict(plant["cell"]),
        "metric": metric,
        "direction": plant["metrics"][metric],
        **{key: plain(value) for key, value in (("size", gap.est), ("lo", gap.lo), ("hi", gap.hi))},
        "tier": "act",
        "cause": plant["causes"][0],
        "action": "as under mitigation",
    }


def mended(truth: Truth) -> Made:
    """Mitigations by the true factors, and the threshold that fits the budget after them."""
    steps: list[Made] = []
    later = truth.fresh
    score = later["score"].to_numpy(float).copy()
    for plant in sorted(truth.plants, key=lambda plant: plant["kind"] != "data_fault"):
        inside = in_cell(later, plant["cell"])
        if plant["kind"] == "data_fault":
            steps.append({"type": "fix_data", "group_by": ["site"], "params": dict(plant["cell"])})
            score[inside] = later["right_score"].to_numpy(float)[inside]
            continue
        need = np.clip(later["need_risk"].to_numpy(float)[inside] / 1.1, 0.001, 0.999)
        slope, shift = np.polyfit(logit(score[inside]), logit(need), 1)
        kind = "relabel" if plant["kind"] == "proxy" else "recalibrate"
        key = "|".join(plant["cell"].values())
        params = {key: {"intercept": plain(shift), "slope": plain(slope)}}
        steps.append({"type": kind, "group_by": list(plant["cell"]), "params": params})
        score[inside] = 1 / (1 + np.exp(-(shift + slope * logit(score[inside]))))
    value = float(np.quantile(score, 1 - truth.card["alert_budget"]))
    return {"mitigation": steps, "threshold": {"value": value, "chosen_on": "later patients"}}


def plain(value: float) -> float | None:
    """A number for JSON."""
    return round(float(value), 6) if math.isfinite(value) else None
