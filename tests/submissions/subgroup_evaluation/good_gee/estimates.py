"""Estimates with the sandwich: every statistic is a sum of what each encounter adds, and patients are what is independent.

The influence of a patient is the sum of those of the encounters; the variance is the sum of its squares. For a
proportion that is an intercept-only GEE with independence as working correlation, in closed form; slope and intercept
are such GEEs as statsmodels fits them.
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
    """influence (n,), patient (n,) codes from 0."""
    return np.sqrt((np.bincount(patient, influence) ** 2).sum())


def ratio(top, bottom):
    """(Σ top / Σ bottom, influence)."""
    below = bottom.sum()
    if below <= 0:
        return np.nan, None
    value = top.sum() / below
    return value, (top - value * bottom) / below


def auroc(s, y):
    """Placement values (DeLong 1988), to be summed by patient (Obuchowski 1997)."""
    case, control = np.sort(s[y == 1]), np.sort(s[y == 0])
    if not len(case) or not len(control):
        return np.nan, None
    other = np.where(y == 1, len(control), len(case))
    below = [(np.searchsorted(g, s, "left") + np.searchsorted(g, s, "right")) / 2 for g in (control, case)]
    placed = np.where(y == 1, below[0] / len(control), 1 - below[1] / len(case))
    value = placed[y == 1].mean()
    return value, (placed - value) / (len(y) - other)


def auprc(s, y):
    """Average precision: what an encounter adds by itself, and what it does to the precision at lower scores."""
    if not y.sum():
        return np.nan, None
    order = np.argsort(s)
    ranked, hits = s[order], np.cumsum(y[order][::-1])[::-1]
    first = np.searchsorted(ranked, s, "left")
    alerts = len(s) - first
    precision = hits[first] / alerts
    value = precision[y == 1].mean()
    upto = np.searchsorted(ranked, s, "right")
    gain, loss = (np.r_[0, np.cumsum((y * part / alerts)[order])][upto] for part in (np.ones(len(s)), precision))
    return value, (y * (precision - value) + y * gain - loss) / y.sum()


def gee(y, design, offset, patient):
    """Binomial GEE, independence, robust covariance; None where it does not arrive."""
    model = sm.GEE(
        y, design, groups=patient, offset=offset, family=sm.families.Binomial(), cov_struct=sm.cov_struct.Independence()
    )
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        fit = model.fit(maxiter=100)
    fine = fit.converged and np.isfinite(fit.bse).all() and np.abs(fit.params).max() < 20
    return fit if fine else None


def calibration(s, y, patient):
    """metric -> (est, standard error)."""
    one, found = np.ones((len(y), 1)), {"slope": (np.nan, np.nan), "intercept": (np.nan, np.nan)}
    if 0 < y.sum() < len(y):
        if len(np.unique(s)) > 1 and (fit := gee(y, np.c_[one, logit(s)], None, patient)):
            found["slope"] = fit.params[1], fit.bse[1]
        if fit := gee(y, one, logit(s), patient):
            found["intercept"] = fit.params[0], fit.bse[0]
    return found


def numbers(s, y, patient, line):
    """metric -> (est, lo, hi) of one cell; NaN for what cannot be computed."""
    flag, one = (s >= line).astype(float), np.ones(len(s))
    benefit = flag * (y - (1 - y) * line / (1 - line))
    scales = {
        "auroc": ("logit", *auroc(s, y)),
        "auprc": ("logit", *auprc(s, y)),
        "brier": ("", *ratio((s - y) ** 2, one)),
        "o_e": ("log", *ratio(y, s)),
        "sensitivity": ("logit", *ratio(y * flag, y)),
        "specificity": ("logit", *ratio((1 - y) * (1 - flag), 1 - y)),
        "ppv": ("logit", *ratio(y * flag, flag)),
        "net_benefit": ("", *ratio(benefit, one)),
    }
    enough = min(y.sum(), (1 - y).sum()) >= 10
    found = {m: (est, *(interval(scale, est, standard_error(u, patient)) if enough else (np.nan, np.nan))) for m, (scale, est, u) in scales.items()}
    for metric, (est, se) in calibration(s, y, patient).items():
        found[metric] = (est, *(interval("", est, se) if enough else (np.nan, np.nan)))
    return found


def interval(scale, est, se):
    """Wald, on the scale on which it is nearer to a normal."""
    if scale == "logit":
        if not 0 < est < 1:
            return np.nan, np.nan
        width = Z95 * se / (est * (1 - est))
        return expit(logit(est) - width), expit(logit(est) + width)
    if scale == "log":
        return (est * np.exp(-Z95 * se / est), est * np.exp(Z95 * se / est)) if est > 0 else (np.nan, np.nan)
    return est - Z95 * se, est + Z95 * se
