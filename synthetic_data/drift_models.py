"""Linear risk models as a hospital deploys them: weights, a correction per site, and fixes to the data they read."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from synthetic_data.drift_patients import CROSSWALK, DIAGNOSIS, FEATURES, NAMES, Encounters, design, sigmoid
from synthetic_data.streams import FloatArray

RIDGE = 1.0  # so that a rare group's weight stays finite
METHODS = ("rescale", "remap", "mask", "clear")


@dataclass(frozen=True)
class Fix:
    """What is done to a feature before the model reads it, from month `since` on. site: "" for all.

    factor: recorded values are multiplied by it (rescale).  Of fixes of one feature, the newest that covers an
    encounter's site and month counts; "clear" leaves the value as it is recorded.
    """

    feature: str
    site: str
    method: str
    factor: float
    since: int

    def rows(self, encounters: Encounters) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """(n,) encounters of its site."""
        return np.full(len(encounters), True) if not self.site else np.asarray(encounters.site == self.site)


@dataclass(frozen=True)
class Model:
    """weights: (19,) as in `design`.  correction: site -> (intercept, slope) of the logit; "" for other sites."""

    release: str
    weights: FloatArray
    correction: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def logit(self, matrix: FloatArray) -> FloatArray:
        """(n,) before the correction."""
        return np.asarray(matrix @ self.weights)

    def score(self, matrix: FloatArray, site: np.ndarray[tuple[int], np.dtype[np.object_]]) -> FloatArray:
        """(n,) risk as the model says it."""
        logit = self.logit(matrix)
        if not self.correction:
            return sigmoid(logit)
        a, b = np.empty(len(logit)), np.empty(len(logit))
        a[:], b[:] = self.correction.get("", (0.0, 1.0))
        for name, (intercept, slope) in self.correction.items():
            if name:
                a[site == name], b[site == name] = intercept, slope
        return sigmoid(a + b * logit)


@dataclass(frozen=True)
class Imputer:
    """What the other features say of one that is masked: least squares on the reference year."""

    coefficients: FloatArray  # (9, 19): row j predicts standard score j; its own column is 0
    groups: FloatArray  # (9,) shares of the groups

    @classmethod
    def fit(cls, matrix: FloatArray) -> Imputer:
        """From the design of the reference year."""
        rows = []
        for j in range(len(FEATURES)):
            others = matrix.copy()
            others[:, 1 + j] = 0
            gram = others.T @ others + 1e-3 * np.eye(others.shape[1])
            rows.append(np.linalg.solve(gram, others.T @ matrix[:, 1 + j]))
        return cls(np.array(rows), matrix[:, 1 + len(FEATURES) :].mean(axis=0))


def seen(encounters: Encounters, month: int, fixes: tuple[Fix, ...], imputer: Imputer) -> FloatArray:
    """(n, 19) the design that a model reads of a month's encounters as recorded, once the data are fixed."""
    x, code, masks = encounters.x, encounters.code, []
    covered: dict[str, np.ndarray[tuple[int], np.dtype[np.bool_]]] = {}
    for fix in reversed([fix for fix in fixes if fix.since <= month]):
        before = covered.get(fix.feature, np.full(len(encounters), False))
        rows = fix.rows(encounters) & ~before
        covered[fix.feature] = before | rows
        if fix.method == "mask":
            masks.append((fix, rows))
        elif fix.method == "rescale":
            x = x.copy()
            x[rows, NAMES.index(fix.feature)] *= fix.factor
        elif fix.method == "remap":
            code = np.array(
                [CROSSWALK.get(c, c) if r else c for c, r in zip(code.tolist(), rows.tolist(), strict=True)], object
            )
    matrix = design(dataclasses.replace(encounters, x=x, code=code))
    for fix, rows in masks:
        if fix.feature == DIAGNOSIS:
            matrix[np.ix_(rows, np.arange(1 + len(FEATURES), matrix.shape[1]))] = imputer.groups
        else:
            matrix[rows, 1 + NAMES.index(fix.feature)] = 0
    for fix, rows in masks:
        if fix.feature != DIAGNOSIS:
            j = NAMES.index(fix.feature)
            matrix[rows, 1 + j] = matrix[rows] @ imputer.coefficients[j]
    return matrix


def fitted(matrix: FloatArray, y: FloatArray, start: FloatArray, ridge: float = RIDGE) -> FloatArray:
    """(p,) weights of a logistic regression, penalised but for its first column; damped Newton steps."""
    penalty = np.full(len(start), ridge)
    penalty[0] = 0
    weights, loss = start, penalised(matrix, y, start, penalty)
    for _ in range(30):
        p = sigmoid(matrix @ weights)
        hessian = (matrix * (p * (1 - p))[:, None]).T @ matrix + np.diag(penalty + 1e-6)
        step = np.linalg.solve(hessian, matrix.T @ (y - p) - penalty * weights)
        size = 1.0
        # Far from the optimum a whole step may go too far.
        while (found := penalised(matrix, y, weights + size * step, penalty)) > loss and size > 1e-4:
            size /= 2
        weights, gained, loss = weights + size * step, loss - found, found
        if gained < 1e-7 * len(y):
            break
    return weights


def penalised(matrix: FloatArray, y: FloatArray, weights: FloatArray, penalty: FloatArray) -> float:
    """Negative log likelihood plus half the penalty times the squared weights."""
    logit = matrix @ weights
    return float(np.sum(np.logaddexp(0, logit) - y * logit) + 0.5 * np.sum(penalty * weights**2))


def corrected(logit: FloatArray, y: FloatArray) -> tuple[float, float]:
    """Intercept and slope of y on the logit (Cox 1958), the slope held near 1 where data are few."""
    matrix = np.column_stack([np.ones(len(logit)), logit])
    # The penalty pulls towards 0, so the logit's own slope of 1 is an offset.
    weights = np.array([0.0, 0.0])
    for _ in range(15):
        p = sigmoid(logit + matrix @ weights)
        hessian = (matrix * (p * (1 - p))[:, None]).T @ matrix + np.diag([1e-6, 5.0])
        step = np.linalg.solve(hessian, matrix.T @ (y - p) - np.array([0.0, 5.0]) * weights)
        weights = weights + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-5:
            break
    return float(weights[0]), float(1 + weights[1])


def auroc(score: FloatArray, y: FloatArray) -> float:
    """Area under the ROC curve by ranks, ties halved (Hanley & McNeil 1982); .5 where one class is missing."""
    from scipy.stats import rankdata

    positive = y > 0
    n1, n0 = int(positive.sum()), int((~positive).sum())
    if not n1 or not n0:
        return 0.5
    return float((rankdata(score)[positive].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))
