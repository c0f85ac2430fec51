"""The ten metrics of a risk score in one group of encounters, and the need of a group against that of its peers.

Recomputed from scores and outcomes alone. A metric that cannot be computed (no event, no alert ...) is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthetic_data.recipes.subgroup_evaluation import METRICS

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

# Scores of 0 and 1 have no logit.
LEAST = 1e-6
# A fit has arrived when a step changes no log odds by more. One that goes beyond the others is taken to have no finite
# optimum, as where the scores of events and of the rest do not overlap.
ARRIVED, MOST_STEPS, STEEPEST = 1e-7, 200, 50.0
DECILES = 10


def metrics(score: FloatArray, y: FloatArray, threshold: float) -> dict[str, float]:
    """The metrics of a group by name, in the order of METRICS; NaN where one cannot be computed.

    score: (n,) predicted probability in [0, 1].  y: (n,) 1 for an event, else 0.  n may be 0.
    """
    found = ratios(Sums.of(score, y, threshold), threshold)
    values = {
        "auroc": auroc(score, y),
        "auprc": auprc(score, y),
        "slope": calibration(score, y)[1],
        "intercept": calibration(score, y, free_slope=False)[0],
        **{name: float(value) for name, value in found.items()},
    }
    return {name: values[name] for name in METRICS}


def auroc(score: FloatArray, y: FloatArray) -> float:
    """Area under the ROC curve: the share of pairs in which the event has the higher score, ties counting half.

    Hanley & McNeil 1982 (doi:10.1148/radiology.143.1.7063747): the Wilcoxon statistic.
    """
    events, others = score[y > 0], np.sort(score[y == 0])
    if not len(events) or not len(others):
        return np.nan
    below, up_to = np.searchsorted(others, events, "left"), np.searchsorted(others, events, "right")
    return float((below + up_to).mean() / 2 / len(others))


def auprc(score: FloatArray, y: FloatArray) -> float:
    """Average precision: the mean, over the events, of the ppv of flagging all who score at least as high as the event.

    A sum of steps as in scikit-learn's average_precision_score, not the area under straight lines between the points
    of the curve, which is too high (Davis & Goadrich 2006, doi:10.1145/1143844.1143874).
    """
    events, everybody = np.sort(score[y > 0]), np.sort(score)
    if not len(events):
        return np.nan
    hits = len(events) - np.searchsorted(events, events, "left")
    alerts = len(everybody) - np.searchsorted(everybody, events, "left")
    return float((hits / alerts).mean())


@dataclass(frozen=True)
class Sums:
    """Sums over a group's encounters, each a number or an array of one shape, as (cells, draws).

    expected: of the scores.  squared: of (score - y)^2.  alerts: score >= threshold.  hits: events among the alerts.
    """

    n: Any
    events: Any
    expected: Any
    squared: Any
    alerts: Any
    hits: Any

    @classmethod
    def of(cls, score: FloatArray, y: FloatArray, threshold: float) -> Sums:
        """The sums of one group."""
        return cls(*summands(score, y, threshold).sum(1))


def summands(score: FloatArray, y: FloatArray, threshold: float) -> FloatArray:
    """(6, n) what each encounter adds to the fields of `Sums`, in their order."""
    alert = score >= threshold
    return np.array([np.ones_like(score), y, score, (score - y) ** 2, alert, alert * y], np.float64)


def ratios(sums: Sums, threshold: float) -> dict[str, Any]:
    """The six metrics that are ratios of sums, in the shape of the sums.

    brier: mean squared error (Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2; half of his P, which
    adds both outcomes).
    o_e: observed over expected events (Van Calster 2019, doi:10.1186/s12916-019-1466-7).
    net_benefit: per encounter, (hits - false alarms x t/(1 - t)) / n (Vickers & Elkin 2006,
    doi:10.1177/0272989X06295361, eq. 1).
    """
    false_alarms, others = sums.alerts - sums.hits, sums.n - sums.events
    return {
        "brier": over(sums.squared, sums.n),
        "o_e": over(sums.events, sums.expected),
        "sensitivity": over(sums.hits, sums.events),
        "specificity": over(others - false_alarms, others),
        "ppv": over(sums.hits, sums.alerts),
        "net_benefit": over(sums.hits - false_alarms * threshold / (1 - threshold), sums.n),
    }


def over(above: Any, below: Any) -> Any:
    """The quotient; NaN where there is nothing above 0 to divide by."""
    above, below = np.broadcast_arrays(np.asarray(above, np.float64), np.asarray(below, np.float64))
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)


def logit(score: FloatArray) -> FloatArray:
    """(n,) log odds; of scores nearer than LEAST to 0 or 1, those at that distance."""
    clipped = np.clip(score, LEAST, 1 - LEAST)
    return np.log(clipped / (1 - clipped))


def calibration(score: FloatArray, y: FloatArray, free_slope: bool = True) -> tuple[float, float]:
    """(intercept a, slope b) of logit P(y) = a + b logit(score); with the slope held at 1 unless `free_slope`.

    Cox 1958 (doi:10.1093/biomet/45.3-4.562). The slope is read where both are free, the intercept where the slope is
    1: calibration-in-the-large (Van Calster 2019, doi:10.1186/s12916-019-1466-7).
    """
    a, b = recalibrate(logit(score), np.ones((1, len(score))), y[None, :].astype(np.float64), free_slope)
    return float(a[0]), float(b[0])


def recalibrate(
    logits: FloatArray,
    n: FloatArray,
    events: FloatArray,
    free_slope: bool = True,
    start: tuple[float, float] = (0.0, 1.0),
) -> tuple[FloatArray, FloatArray]:
    """(draws,) intercepts and (draws,) slopes of as many logistic regressions of y on the same logits, unpenalised.

    logits: (k,).  n, events: (draws, k) how many encounters, and events among them, have each logit.
    start: where the search begins, for all draws.  NaN where there is no finite optimum.
    Newton's method with steps of ln(1 + d)/d, d being the most by which the full step would change a log odds: it
    arrives from every start, unlike full steps (Sun & Tran-Dinh 2019, doi:10.1007/s10107-018-1282-4, for nu = 2).
    """
    a, b = np.full((2, len(n)), np.nan)
    total, observed, observed_x = n.sum(1), events.sum(1), events @ logits
    todo = np.flatnonzero((observed > 0) & (observed < total))
    if not len(todo):
        return a, b
    a_now, b_now = np.full(len(n), start[0]), np.full(len(n), start[1])
    extremes, squares = np.array([[logits.min()], [logits.max()]]), logits**2
    # Of a fit that runs away, odds overflow and curvatures vanish: its NaN is the answer.
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        for _ in range(MOST_STEPS):
            risk = 1 / (1 + np.exp(-(a_now[todo, None] + b_now[todo, None] * logits)))
            expected = n[todo] * risk
            curvature = expected * (1 - risk)
            pull = observed[todo] - expected.sum(1)
            h = curvature.sum(1)
            if free_slope:
                pull_x = observed_x[todo] - expected @ logits
                h_x, h_xx = curvature @ logits, curvature @ squares
                determinant = h * h_xx - h_x**2
                # All weight on one logit has no slope: what is left of the difference is rounding.
                determinant = np.where(determinant > 1e-10 * h * h_xx, determinant, np.nan)
                step_a = (h_xx * pull - h_x * pull_x) / determinant
                step_b = (h * pull_x - h_x * pull) / determinant
            else:
                step_a, step_b = pull / h, np.zeros(len(todo))
            d = np.abs(step_a + step_b * extremes).max(0)
            damping = np.where(d > 0, np.log1p(d) / d, 1.0)
            a_now[todo] += damping * step_a
            b_now[todo] += damping * step_b
            # NaN compares as False: what is lost leaves as well.
            gentle = np.abs(b_now[todo]) <= STEEPEST
            arrived, todo = todo[gentle & (d < ARRIVED)], todo[gentle & (d >= ARRIVED)]
            a[arrived], b[arrived] = a_now[arrived], b_now[arrived]
            if not len(todo):
                break
    return a, b


def need_ratio(score: FloatArray, need: FloatArray, group: BoolArray, known: BoolArray) -> float:
    """Need in a group over the need that everybody else has at the same scores; above 1, the score hides need.

    score, need: (n,), need 0 or 1 where `known`.  group, known: (n,) bool.  After Obermeyer 2019
    (doi:10.1126/science.aax2342), who compare groups at the same score; indirect standardisation by decile.
    """
    decile = deciles(score, known)
    counts = [by_decile(decile, need, known & rows) for rows in (group, ~group)]
    return float(standardised(*counts[0], *counts[1]))


def deciles(score: FloatArray, known: BoolArray) -> IntArray:
    """(n,) 0 to 9: tenth of the scores of the known encounters into which each encounter falls, known or not."""
    if not known.any():
        return np.zeros(len(score), np.int64)
    edges = np.quantile(score[known], np.arange(1, DECILES) / DECILES)
    return np.searchsorted(edges, score, side="right").astype(np.int64)


def by_decile(decile: IntArray, need: FloatArray, rows: BoolArray) -> tuple[FloatArray, FloatArray]:
    """(10,) need and (10,) encounters in each decile, of the rows."""
    return (
        np.bincount(decile[rows], weights=need[rows], minlength=DECILES).astype(np.float64),
        np.bincount(decile[rows], minlength=DECILES).astype(np.float64),
    )


def standardised(need: FloatArray, n: FloatArray, others_need: FloatArray, others: FloatArray) -> Any:
    """Need of a group over its expected need, over the last axis of (..., 10) sums by decile; others: everybody else.

    NaN where the group has encounters in a decile in which nobody else has one, or where no need is expected.
    """
    expected = np.where(n > 0, n * over(others_need, others), 0.0)
    return over(need.sum(-1), expected.sum(-1))
