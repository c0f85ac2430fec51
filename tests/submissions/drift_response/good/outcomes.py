"""Outcomes against scores: what the months that can be judged say about the model that is running."""

from dataclasses import dataclass

import numpy as np

from tables import NAMES, logit, sigmoid

# A window of months is a finding from here: standard errors, and for features the sum of nine squares; when that lies
# between the last two, level and weights cannot be told apart yet.
CLEAR, FEATURES_CLEAR, FEATURES_DOUBTFUL = 4.0, 36.0, 16.0
LEAST = 0.4  # log-odds; less is not worth an action
WINDOWS = (2, 3, 4)


@dataclass
class Month:
    """A month's encounters. matrix: (n, p), of which `design` are standard scores.  offset: (n,) log-odds expected.

    y: (n,) 1 for outcomes that came, else 0: readmissions are complete when the first outcomes arrive (judged).
    wrong: (n,) rows that a feed spoiled.
    """

    month: int
    matrix: np.ndarray
    site: np.ndarray
    encounter: np.ndarray
    offset: np.ndarray
    wrong: np.ndarray
    y: np.ndarray
    came: np.ndarray
    judged: bool = False
    closed: bool = False

    @property
    def design(self):
        """(n, 9) standard scores."""
        return self.matrix[:, 1 : 1 + len(NAMES)]


class History:
    """Months of the stream with their outcomes."""

    def __init__(self):
        self.months = {}
        self.where = {}  # encounter -> (month, row)

    def add(self, month):
        """A month's encounters."""
        self.months[month.month] = month
        self.where.update({name: (month.month, row) for row, name in enumerate(month.encounter.tolist())})

    def outcomes(self, labels):
        """Outcomes that came this month; one that comes again replaces itself."""
        touched = set()
        for name, y, matured in zip(*(labels[k] for k in ("encounter", "y", "matured")), strict=True):
            if name in self.where and y in (0, 1):
                number, row = self.where[name]
                self.months[number].y[row] = y
                self.months[number].came[row] = bool(matured)
                touched.add(number)
        for number in touched:
            month = self.months[number]
            month.judged, month.closed = True, bool(month.came.all())

    def judged(self, since):
        """Months from `since` whose readmissions are complete."""
        return [m for number, m in sorted(self.months.items()) if number >= since and m.judged]

    def closed(self, since):
        """Months from `since` whose outcomes are all known: what a model is trained on."""
        return [m for number, m in sorted(self.months.items()) if number >= since and m.closed]


def seasonal(calendar, offset, y):
    """Winter's log-odds, fitted on the reference year. calendar: (n,) months, 0 is January."""
    wave = np.cos(2 * np.pi * calendar / 12)
    beta = 0.0
    for _ in range(8):
        p = sigmoid(offset + beta * wave)
        beta += float((wave * (y - p)).sum() / (wave**2 * p * (1 - p)).sum())
    return beta


def shift(offset, y):
    """(log-odds by which outcomes differ from what was expected, its standard error)."""
    delta, info = 0.0, 1.0
    for _ in range(8):
        p = sigmoid(offset + delta)
        info = float((p * (1 - p)).sum()) + 0.5  # half a case of caution where few are expected
        delta += float(np.clip((y - p).sum() / info, -1, 1))
    return delta, info**-0.5


def rotated(design, offset, y):
    """(chi-squared of nine when weights are right, (10,) intercept and weights by which outcomes differ)."""
    delta, _ = shift(offset, y)
    p = sigmoid(offset + delta)
    x = np.column_stack([np.ones(len(y)), design])
    information = (x * (p * (1 - p))[:, None]).T @ x + np.diag([1e-6, *[1.0] * design.shape[1]])
    gradient = x.T @ (y - p)
    step = np.linalg.solve(information, gradient)
    step[0] += delta
    return float(gradient @ (step - np.array([delta, *[0.0] * design.shape[1]]))), step


@dataclass(frozen=True)
class Finding:
    """What outcomes say. site: "" for all.  onset: first month that it explains better than the model."""

    cause: str
    site: str
    onset: int
    size: float


def rows(months):
    """(design, site, offset, y) of months, without rows that a feed spoiled."""
    keep = [~m.wrong for m in months]
    parts = [(m.design, m.site, m.offset, m.y) for m in months]
    return tuple(np.concatenate([part[k][rows] for part, rows in zip(parts, keep, strict=True)]) for k in range(4))


def since(months, change):
    """The month from which a change of log-odds, (design, site) -> (n,), explains outcomes best."""
    gains = []
    for m in months:
        p, q = sigmoid(m.offset), sigmoid(m.offset + change(m.design, m.site))
        gain = m.y * np.log(q / p) + (1 - m.y) * np.log((1 - q) / (1 - p))
        gains.append(float(gain[~m.wrong].sum()))
    total = np.cumsum(gains[::-1])[::-1]
    return months[int(total.argmax())].month


def review(months, weights_on, level_on):
    """The Finding of the months judged, or None. weights_on, level_on: readmissions that the model was fitted on."""
    for width in WINDOWS:
        if len(months) < width:
            break
        found = _window(months, months[-width:], weights_on, level_on)
        if found:
            return found
    return None


def suspicious(months, level_on):
    """Whether the last month alone is far from what was expected. level_on: as in `review`."""
    if not months:
        return False
    _, _, offset, y = rows(months[-1:])
    if not len(y):
        return False
    delta, error = shift(offset, y)
    error *= (1 + y.sum() / level_on) ** 0.5
    return abs(delta) > CLEAR * error and abs(delta) > LEAST


def _window(every, window, weights_on, level_on):
    design, site, offset, y = rows(window)
    if not len(y):
        return None
    # What the model was fitted on has chance in it too.
    chance = 1 + y.sum() / level_on
    squares, step = rotated(design, offset, y)
    squares /= 1 + y.sum() / weights_on
    if squares > FEATURES_CLEAR:
        onset = since(every, lambda d, s: step[0] + d @ step[1:])
        return Finding("concept_drift", "", onset, float(np.abs(step[1:]).max()))
    delta, error = shift(offset, y)
    error *= chance**0.5
    everywhere = True  # the level differs whichever site is left out
    for name in sorted(set(site.tolist())):
        mine = site == name
        own, own_error = shift(offset[mine], y[mine])
        rest, rest_error = shift(offset[~mine], y[~mine])
        everywhere &= bool(rest * delta > 0 and abs(rest) > max(LEAST / 2, 2 * rest_error))
        apart = (own - rest) / np.hypot(own_error, rest_error)
        if abs(apart) > 3.6 * chance**0.5 and abs(own) > 0.6 and abs(rest) < LEAST:
            onset = since(every, lambda d, s, name=name, own=own: np.where(s == name, own, 0.0))
            return Finding("prevalence_shift", name, onset, own)
    # Weights that changed change the level too: while that may be it, another month is waited for.
    level = (squares < FEATURES_DOUBTFUL and everywhere) or len(window) == WINDOWS[-1]
    if level and abs(delta) > CLEAR * error and abs(delta) > LEAST:
        return Finding("prevalence_shift", "", since(every, lambda d, s: np.full(len(s), delta)), delta)
    return None


def auroc(score, y):
    """Area under the ROC curve by ranks."""
    rank = np.empty(len(score))
    rank[np.argsort(score, kind="stable")] = np.arange(1, len(score) + 1)
    n1 = y.sum()
    return float((rank[y > 0].sum() - n1 * (n1 + 1) / 2) / max(n1 * (len(y) - n1), 1))


def deviance(linear, y):
    """-2 log-likelihood of (n,) log-odds."""
    p = np.clip(sigmoid(linear), 1e-6, 1 - 1e-6)
    return float(-2 * (y * np.log(p) + (1 - y) * np.log(1 - p)).sum())


def likeness(matrix, score):
    """(p,) weights of a linear model that gives these scores: what a release is made of."""
    penalty = 1e-4 * np.eye(matrix.shape[1])
    return np.linalg.solve(matrix.T @ matrix + penalty, matrix.T @ logit(score))
