"""Plumbing: draws of a cluster bootstrap, and the calibration fit without a penalty."""

import numpy as np


def cluster_draws(patients, draws=200, seed=0):
    """Yield, for each draw, how often each encounter counts: (n,) whole numbers.

    patients: (n,) whose encounter it is. Patients are drawn with replacement, each with all encounters.
    """
    _, owner = np.unique(np.asarray(patients), return_inverse=True)
    count = owner.max() + 1
    rng = np.random.default_rng(seed)
    for _ in range(draws):
        times = np.bincount(rng.integers(0, count, count), minlength=count)
        yield times[owner]


def logit(score):
    """Log odds; scores are kept 1e-6 away from 0 and 1."""
    score = np.clip(np.asarray(score, float), 1e-6, 1 - 1e-6)
    return np.log(score / (1 - score))


def calibration_fit(score, y, weights=None, fixed_slope=False):
    """(intercept, slope) of logit P(y) = intercept + slope * logit(score); slope 1 if `fixed_slope`.

    weights: (n,) how often each row counts. (nan, nan) where the fit does not exist.
    """
    x, y = logit(score), np.asarray(y, float)
    w = np.ones(len(y)) if weights is None else np.asarray(weights, float)
    events = (w * y).sum()
    if events == 0 or events == w.sum():
        return np.nan, np.nan
    a, b = 0.0, 1.0
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(a + b * x, -30, 30)))
        error, spread = w * (y - p), w * p * (1 - p)
        if fixed_slope:
            step = np.array([error.sum() / max(spread.sum(), 1e-12), 0.0])
        else:
            information = np.array([[spread.sum(), (spread * x).sum()], [(spread * x).sum(), (spread * x * x).sum()]])
            try:
                step = np.linalg.solve(information, [error.sum(), (error * x).sum()])
            except np.linalg.LinAlgError:
                return np.nan, np.nan
        a, b = a + step[0], b + step[1]
        if np.abs(step).max() < 1e-8:
            return (a, b) if abs(b) < 50 else (np.nan, np.nan)
    return np.nan, np.nan
