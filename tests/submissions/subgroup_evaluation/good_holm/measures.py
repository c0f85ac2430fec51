"""The metrics of one cell, with intervals of a delete-a-group jackknife: blocks of patients are left out in turn.

What is a sum over encounters needs no second look at them: the sum without a block is the whole less the block's. Only
the two areas are computed anew. Slope and intercept have the clustered sandwich of statsmodels.
"""

import warnings

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy.special import expit, logit
from scipy.stats import norm, rankdata, t

BLOCKS = 60
# The scale on which an estimate is nearer to a normal: (there, back).
SCALES = {
    "share": (logit, expit),
    "ratio": (np.log, np.exp),
    "plain": (np.asarray, np.asarray),
}
SCALE_OF = {
    "auroc": "share",
    "auprc": "share",
    "brier": "ratio",
    "slope": "plain",
    "intercept": "plain",
    "o_e": "ratio",
    "sensitivity": "share",
    "specificity": "share",
    "ppv": "share",
    "net_benefit": "plain",
}
LEAST_EVENTS = 10


def odds(score):
    return logit(np.clip(score, 1e-6, 1 - 1e-6))


def measure(part, line):
    """{metric: (est, lo, hi)}. part: score ascending, readmit30, person."""
    if part.empty:
        return {}
    s, y = part["score"].to_numpy(), part["readmit30"].to_numpy(float)
    add = summands(s, y, line)
    est = {**from_sums(add.sum(), line), **areas(s, y)}
    if min(y.sum(), (1 - y).sum()) < LEAST_EVENTS:
        more = {m: v[0] for m, v in calibration(s, y, None).items()}
        return {m: (v, np.nan, np.nan) for m, v in {**est, **more}.items()}
    block = blocks(part["person"])
    without = pd.DataFrame(from_sums(add.sum() - add.groupby(block).sum(), line))
    without = without.join(pd.DataFrame({g: areas(s[block != g], y[block != g]) for g in without.index}).T)
    found = {m: (v, *jackknife(v, without[m], SCALE_OF[m], len(y))) for m, v in est.items()}
    return found | calibration(s, y, pd.factorize(part["person"])[0])


def blocks(person):
    """(n,) the block of each encounter: persons in random order are dealt out like cards."""
    code, persons = pd.factorize(person)
    seat = np.random.default_rng(len(persons)).permutation(len(persons))
    return seat[code] % min(BLOCKS, len(persons))


def summands(s, y, line):
    flag = s >= line
    columns = {"n": 1.0, "y": y, "s": s, "square": (s - y) ** 2, "tp": y * flag, "fp": (1 - y) * flag}
    return pd.DataFrame(columns)


def from_sums(x, line):
    """x: sums, or a table with a row of sums for each block that is left out."""
    with np.errstate(all="ignore"):
        return {
            "brier": x["square"] / x["n"],
            "o_e": x["y"] / x["s"],
            "sensitivity": np.divide(x["tp"], x["y"]),
            "specificity": 1 - np.divide(x["fp"], x["n"] - x["y"]),
            "ppv": np.divide(x["tp"], x["tp"] + x["fp"]),
            "net_benefit": (x["tp"] - x["fp"] * line / (1 - line)) / x["n"],
        }


def areas(s, y):
    """Under the ROC curve by ranks, under precision and recall by steps; s ascending."""
    events, others = y.sum(), (1 - y).sum()
    if not events:
        return {"auroc": np.nan, "auprc": np.nan}
    # At a tie all encounters of this score are flagged together.
    first = np.searchsorted(s, s, side="left")
    precision = (events - np.r_[0, np.cumsum(y)][first]) / (len(s) - first)
    above = (y @ rankdata(s)) - events * (events + 1) / 2
    return {"auroc": above / (events * others) if others else np.nan, "auprc": (y @ precision) / events}


def jackknife(est, without, scale, n):
    """(lo, hi) from the estimates without each block in turn."""
    there, back = SCALES[scale]
    if not np.isfinite(est) or (scale != "plain" and est <= 0) or (scale == "share" and est >= 1):
        return np.nan, np.nan
    edge = {"share": (0.5 / n, 1 - 0.5 / n), "ratio": (0.5 / n, np.inf), "plain": (-np.inf, np.inf)}[scale]
    values = there(np.clip(without.dropna().to_numpy(float), *edge))
    groups = len(values)
    error = np.sqrt((groups - 1) / groups * ((values - values.mean()) ** 2).sum())
    width = t.ppf(0.975, groups - 1) * error
    return float(back(there(est) - width)), float(back(there(est) + width))


def clustered(y, design, offset, group):
    """(terms, covariance, fitted) of a binomial GLM; group: whose encounter, None for no covariance."""
    model = sm.GLM(y, design, family=sm.families.Binomial(), offset=offset)
    kind = {} if group is None else {"cov_type": "cluster", "cov_kwds": {"groups": group}}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            fit = model.fit(maxiter=60, **kind)
        except np.linalg.LinAlgError:
            # A term that the data cannot tell: no fit.
            k = design.shape[1]
            return np.full(k, np.nan), np.full((k, k), np.nan), np.full(len(y), np.nan)
    fine = fit.converged and np.isfinite(fit.params).all() and np.abs(fit.params).max() < 25
    return fit.params if fine else fit.params * np.nan, fit.cov_params(), fit.fittedvalues


def calibration(s, y, person):
    """{slope, intercept: (est, lo, hi)}, without a penalty."""
    if not 0 < y.sum() < len(y) or s[0] == s[-1]:
        return {}
    x, one, found = odds(s), np.ones(len(s)), {}
    designs = {"slope": (np.column_stack([one, x]), None), "intercept": (one[:, None], x)}
    for metric, (design, offset) in designs.items():
        terms, covariance, _ = clustered(y, design, offset, person)
        width = norm.ppf(0.975) * np.sqrt(covariance[-1, -1]) if person is not None else np.nan
        found[metric] = (terms[-1], terms[-1] - width, terms[-1] + width)
    return found
