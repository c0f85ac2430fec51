"""Sequential tests: log likelihood ratios by the month, added up from the month in which a change explains more."""

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.optimize import minimize_scalar
from scipy.special import expit

MOST = 15.0  # that one month may say, so that no month is believed for ever


@dataclass
class Cusum:
    """Page's (1954) statistic of log likelihood ratios: max(0, S + llr). since: first month of its excursion."""

    total: float = 0.0
    since: int | None = None

    def add(self, llr, month):
        """The sum after a month."""
        llr = float(np.clip(llr, -MOST, MOST))
        if self.total + llr <= 0:
            self.total, self.since = 0.0, None
        else:
            self.since = month if self.since is None else self.since
            self.total += llr
        return self.total


def moved(value, sd, width):
    """LLR of one N(0, sd) value for a change of unknown size N(0, width) over none."""
    return stats.norm.logpdf(value, 0, np.hypot(sd, width)) - stats.norm.logpdf(value, 0, sd)


def at(value, sd, size):
    """LLR for a change of a size that is known."""
    return stats.norm.logpdf(value, size, sd) - stats.norm.logpdf(value, 0, sd)


def counted(k, n, p1, p0):
    """LLR of k of n for the probability p1 over p0."""
    p0, p1 = np.clip([p0, p1], 1e-4, 1 - 1e-4)
    return k * np.log(p1 / p0) + (n - k) * np.log((1 - p1) / (1 - p0))


def outcomes(offset, y, change):
    """LLR of (n,) outcomes for log-odds offset + change over offset."""
    a, b = offset + change, offset
    return float((y * (a - b) - np.logaddexp(0, a) + np.logaddexp(0, b)).sum())


def shift(offset, y):
    """(log-odds by which (n,) outcomes differ from what was expected, its LLR), within 3 either way."""
    if not len(y):
        return 0.0, 0.0
    found = minimize_scalar(lambda d: -outcomes(offset, y, d), bounds=(-3, 3), method="bounded")
    return float(found.x), -float(found.fun)


def weights(offset, y, x, prior=1.0):
    """((p,) change of weights of x, a column of ones first, and its LLR), weights ~ N(0, prior) but for the first."""
    beta = np.zeros(x.shape[1])
    penalty = np.r_[1e-6, np.full(x.shape[1] - 1, 1 / prior**2)]
    for _ in range(12):
        p = expit(offset + x @ beta)
        step = np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + np.diag(penalty), x.T @ (y - p) - penalty * beta)
        beta = beta + np.clip(step, -1, 1)
    return beta, outcomes(offset, y, x @ beta)
