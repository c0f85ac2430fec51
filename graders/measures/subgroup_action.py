"""What a threshold and mitigations would have done for patients who came later, by their true need."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graders.measures.places import ramp
from graders.measures.subgroup_metrics import logit
from graders.measures.subgroup_report import number
from synthetic_data.readmission import in_cell

if TYPE_CHECKING:
    import pandas as pd

    from graders.measures.subgroup_metrics import BoolArray, FloatArray
    from graders.measures.subgroup_report import Report
    from graders.measures.subgroup_truth import Measured

# The budget may be overrun by a twentieth; a quarter over it there is nothing left.
SLACK, OVERRUN = 1.05, 1.25
# All is earned where the worst-off group loses this part less of what perfect scores would give it.
FULL_GAIN = 0.6
# And everybody together must lose this part less, or the help was taken from others.
FULL_TOTAL = 0.25
NO_FALLBACK = 0.8
MOST_LEVELS = 200  # of a step's params that are looked at
# Where the label or the data are at fault, what leaves them so is credited last (45 CFR 92.210).
LEFT_AT_FAULT = 0.5
AROUND = {"proxy": ("threshold",), "data_fault": ("threshold", "recalibrate", "relabel")}


def judge(report: Report, scene: Measured) -> tuple[float, str, tuple[str, ...]]:
    """Fraction in [0, 1], message, and evidence.

    Net benefit per encounter (Vickers & Elkin 2006, eq. 1, with the card's threshold as exchange rate) in expectation
    over the true need, so that chance has no part in it. The worst-off group is the planted cell that lies furthest
    below what flagging by true need within the budget would give it.
    """
    if report.threshold is None or not 0 < report.threshold < 1:
        return 0.0, "no threshold between 0 and 1", ("report.json, threshold.value",)
    later, card = scene.truth.fresh, scene.card
    need = later["need_risk"].to_numpy(float)
    flagged = act(report.steps, report.threshold, later, scene.truth.fault)
    share, budget = float(flagged.mean()), card["alert_budget"]
    held = ramp(OVERRUN - share / budget, 0, OVERRUN - SLACK)
    best = need >= np.quantile(need, 1 - budget)
    score = later["score"].to_numpy(float)
    now = score >= np.quantile(score, 1 - budget)
    groups = [in_cell(later, plant["cell"]) for plant in scene.truth.plants]
    everybody = [np.ones(len(later), bool)]
    gain, total = (
        gained(*(worst_loss(how, best, need, who, card["threshold"]) for how in (now, flagged)))
        for who in (groups, everybody)
    )
    fraction = held * ramp(gain, 0, FULL_GAIN) * ramp(total, 0, FULL_TOTAL)
    parts = [
        f"flags {share:.1%} of later patients (budget {budget:.0%})",
        f"the worst-off group's shortfall {'falls' if gain >= 0 else 'rises'} by {abs(gain):.0%}",
        f"everybody's {'falls' if total >= 0 else 'rises'} by {abs(total):.0%}",
    ]
    helped, shared = ramp(gain, 0, FULL_GAIN), ramp(total, 0, FULL_TOTAL)
    places = [
        text
        for part, text in (
            (held, "report.json, threshold and mitigation: more are flagged than the budget allows"),
            (helped, "report.json, mitigation: the worst-off group is not helped enough"),
            (shared, "report.json, threshold and mitigation: everybody together is not helped enough"),
        )
        if part < 1
    ]
    if instead(report.steps, scene):
        places.append("report.json, mitigation: mends neither the label nor the data where they are at fault")
        fraction *= LEFT_AT_FAULT
        parts.append("a group's scores or threshold are bent where the label or the data want mending")
    if not report.fails_safely:
        fraction *= NO_FALLBACK
        parts.append("no trigger and fallback for a safe failure")
        places.append("report.json, safe_failure: no trigger and fallback")
    return fraction, "; ".join(parts), tuple(places)


def act(
    steps: Sequence[Mapping[str, Any]], threshold: float, later: pd.DataFrame, fault: Mapping[str, str]
) -> BoolArray:
    """(n,) who is flagged once the steps are taken, in their order."""
    score = later["score"].to_numpy(float).copy()
    line = np.full(len(later), threshold)
    for step in steps:
        params = step.get("params")
        if not isinstance(params, dict):
            continue
        if step["type"] == "fix_data" and fault and as_list(params.get("site")) == [fault["site"]]:
            there = (later["site"] == fault["site"]).to_numpy()
            score[there] = later["right_score"].to_numpy(float)[there]
            continue
        for inside, value in groups_of(step, params, later):
            if step["type"] == "threshold" and (own := number(value)) is not None:
                line[inside] = own
            elif step["type"] in ("recalibrate", "relabel") and isinstance(value, dict):
                a, b = number(value.get("intercept", 0)), number(value.get("slope", 1))
                if a is not None and b is not None:
                    score[inside] = recalibrated(score[inside], a, b)
    return score >= line


def groups_of(step: Mapping[str, Any], params: Mapping[str, Any], later: pd.DataFrame) -> list[tuple[BoolArray, Any]]:
    """(rows, value) for each group of `params`: keys are levels of the axes in group_by, joined by "|"."""
    axes = as_list(step.get("group_by"))
    if not all(axis in later.columns for axis in axes):
        return []
    found = []
    for key, value in itertools.islice(params.items(), MOST_LEVELS):
        levels = str(key).split("|") if axes else []
        if len(levels) == len(axes):
            found.append((in_cell(later, dict(zip(axes, levels, strict=True))), value))
    return found


def gained(before: float, after: float) -> float:
    """By what part a shortfall fell; 1 where there was none."""
    return 1 - after / before if before > 0 else 1.0


def recalibrated(score: FloatArray, intercept: float, slope: float) -> FloatArray:
    """expit(intercept + slope logit(score)); Cox 1958."""
    # Beyond a hundred, nothing changes any more but that products overflow.
    a, b = np.clip([intercept, slope], -100, 100)
    return np.asarray(1 / (1 + np.exp(-np.clip(a + b * logit(score), -50, 50))))


def worst_loss(
    flagged: BoolArray, best: BoolArray, need: FloatArray, groups: list[BoolArray], threshold: float
) -> float:
    """The largest shortfall of net benefit per encounter, over the groups, against flagging `best`."""
    worth = need - (1 - need) * threshold / (1 - threshold)
    return max(float((worth * best)[g].mean() - (worth * flagged)[g].mean()) for g in groups)


def instead(steps: Sequence[Mapping[str, Any]], scene: Measured) -> bool:
    """Whether a step works around a label or data at fault, rather than mend them."""
    fixes = [step.get("params") for step in steps if step["type"] == "fix_data"]
    mended = [as_list(params.get("site")) for params in fixes if isinstance(params, dict)]
    for plant in scene.truth.plants:
        if plant["kind"] == "data_fault" and [plant["cell"]["site"]] in mended:
            continue
        kinds = AROUND.get(plant["kind"], ())
        if any(set(plant["cell"]) <= set(as_list(s.get("group_by"))) for s in steps if s["type"] in kinds):
            return True
    return False


def as_list(value: object) -> list[str]:
    """A text or a list of texts as a list; [] for anything else."""
    texts = [value] if isinstance(value, str) else value
    return [str(text) for text in texts] if isinstance(texts, list) else []
