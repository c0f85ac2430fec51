"""Estimates with the sandwich: every statistic is a sum of what each encounter adds, and patients are independent.

A patient's influence is the sum of those of the encounters; the variance is the sum of its squares. For a proportion
that is an intercept-only GEE with independence as working correlation, in closed form (statsmodels would take minutes
for a hundred cells); slope and intercept are such GEEs as statsmodels fits them.
"""

import warnings

import numpy as np
import statsmodels.api as sm
from scipy.stats import norm

Z95 = norm.ppf(0.975)


def logit(p):
    p = np.clip(p, 1e-6, 1 - 1e-6)
    return np.log(p / (1 - p))


def expit(x):
    return 1 / (1 + np.exp(-x))


def standard_error(influence, patient):
    """influence: (n,).  patient: (n,) codes from 0."""
    return np.sqrt((np.bincount(patient, influence) ** 2).sum())


def ratio(top, bottom):
    """(sum of top over sum of bottom, influence)."""
    below = bottom.sum()
    value = top.sum() / below if below > 0 else np.nan
    return value, (top - value * bottom) / max(below, 1e-12)


def auroc(s, y):
    """Placement values (DeLong 1988), to be summed by patient (Obuchowski 1997)."""
    case, control = np.sort(s[y == 1]), np.sort(s[y == 0])
    if not len(case) or not len(control):
        return np.nan, 0 * s
    below = [(np.searchsorted(g, s, "left") + np.searchsorted(g, s, "right")) / 2 / len(g) for g in (control, case)]
    placed = np.where(y == 1, below[0], 1 - below[1])
    value = placed[y == 1].mean()
    return value, (placed - value) / np.where(y == 1, len(case), len(control))


def auprc(s, y):
    """Average precision: what an encounter adds by itself, and what it does to the precision at lower scores."""
    if not y.sum():
        return np.nan, 0 * s
    order = np.argsort(s)
    first, upto = (np.searchsorted(s[order], s, side) for side in ("left", "right"))
    alerts = len(s) - first
    precision = np.cumsum(y[order][::-1])[::-1][first] / alerts
    value = precision[y == 1].mean()
    gain, loss = (np.r_[0, np.cumsum((y * part / alerts)[order])][upto] for part in (np.ones(len(s)), precision))
    return value, (y * (precision - value) + y * gain - loss) / y.sum()


def gee(y, design, offset, patient):
    """Binomial GEE, independence, robust covariance: (terms, standard errors), NaN where it does not arrive."""
    independence, family = sm.cov_struct.Independence(), sm.families.Binomial()
    model = sm.GEE(y, design, groups=patient, offset=offset, family=family, cov_struct=independence)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        fit = model.fit(maxiter=100)
    fine = fit.converged and np.isfinite(fit.bse).all() and np.abs(fit.params).max() < 20
    return np.array([fit.params, fit.bse]) * (1 if fine else np.nan)


def numbers(s, y, patient, line):
    """metric -> (est, lo, hi) of one cell; NaN for what cannot be computed."""
    flag, one = (s >= line).astype(float), np.ones(len(s))
    parts = {
        "auroc": ("logit", *auroc(s, y)),
        "auprc": ("logit", *auprc(s, y)),
        "brier": ("", *ratio((s - y) ** 2, one)),
        "o_e": ("log", *ratio(y, s)),
        "sensitivity": ("logit", *ratio(y * flag, y)),
        "specificity": ("logit", *ratio((1 - y) * (1 - flag), 1 - y)),
        "ppv": ("logit", *ratio(y * flag, flag)),
        "net_benefit": ("", *ratio(flag * (y - (1 - y) * line / (1 - line)), one)),
    }
    found = {metric: (scale, est, standard_error(u, patient)) for metric, (scale, est, u) in parts.items()}
    if 0 < y.sum() < len(y) and len(np.unique(s)) > 1:
        found["slope"] = ("", *gee(y, np.c_[one, logit(s)], None, patient)[:, 1])
        found["intercept"] = ("", *gee(y, one[:, None], logit(s), patient)[:, 0])
    # Of a handful of events the sandwich is far too narrow: no interval is better than a wrong one.
    enough = min(y.sum(), len(y) - y.sum()) >= 10
    return {m: (est, *(interval(scale, est, se) if enough else (np.nan,) * 2)) for m, (scale, est, se) in found.items()}


def interval(scale, est, se):
    """Wald, on the scale on which it is nearer to a normal."""
    if scale == "logit":
        width = Z95 * se / (est * (1 - est)) if 0 < est < 1 else np.nan
        return expit(logit(est) - width), expit(logit(est) + width)
    if scale == "log":
        width = Z95 * se / est if est > 0 else np.nan
        return est * np.exp(-width), est * np.exp(width)
    return est - Z95 * se, est + Z95 * se
