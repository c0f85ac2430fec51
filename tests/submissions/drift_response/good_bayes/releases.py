"""What a model is made of, read off its scores, and how much worse one is than another where outcomes are known."""

import numpy as np
from reading import logit
from scipy.special import expit
from scipy.stats import norm

LOSS = 1.0  # net benefit a month that is worth a rollback
PRIOR = (0.0, 4.0)  # of the difference of two models, net benefit a month
FEWEST = 60


def weights(matrix, score):
    """(p,) of the linear model that gives these scores."""
    return np.linalg.solve(matrix.T @ matrix + 1e-4 * np.eye(matrix.shape[1]), matrix.T @ logit(score))


def worse(old, new, matrix, y, months, threshold):
    """Probability that a model loses more than LOSS a month against another, on (n, p) patients of known outcome.

    A mean of paired differences is normal; its prior says that most releases differ little.
    """
    flags = [expit(matrix @ w) >= threshold for w in (new, old)]
    gain = (flags[0].astype(float) - flags[1]) * (y - (1 - y) * threshold / (1 - threshold))
    mean, sd = gain.sum() / months, np.sqrt(max((gain**2).sum(), 1.0)) / months
    precision = 1 / sd**2 + 1 / PRIOR[1] ** 2
    return float(norm.cdf(-LOSS, mean / sd**2 / precision, precision**-0.5))
