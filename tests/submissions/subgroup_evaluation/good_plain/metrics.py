"""The metrics of the card for one cell, for many draws at once. Weights: (draws, n), how often each stay counts."""

import numpy as np

from helpers import calibration_fit, logit

METRICS = ["auroc", "auprc", "brier", "slope", "intercept", "o_e", "sensitivity", "specificity", "ppv", "net_benefit"]


def divide(a, b):
    return np.where(b > 0, a / np.where(b > 0, b, 1), np.nan)


def ranked(score, y, w):
    """(auroc, auprc), each (draws,)."""
    order = np.argsort(-score, kind="stable")
    s, w = score[order], w[:, order]
    last = np.flatnonzero(np.append(s[1:] != s[:-1], True))  # the end of each tie
    tp = np.cumsum(w * y[order], axis=1)[:, last]
    all_ = np.cumsum(w, axis=1)[:, last]
    fp = all_ - tp
    step_tp = np.diff(tp, axis=1, prepend=0)
    step_fp = np.diff(fp, axis=1, prepend=0)
    pos, neg = tp[:, -1], fp[:, -1]
    below = neg[:, None] - fp  # those who score less
    auroc = divide((step_tp * (below + step_fp / 2)).sum(axis=1), pos * neg)
    auprc = divide((step_tp * np.where(all_ > 0, tp / np.maximum(all_, 1), 0)).sum(axis=1), pos)
    return auroc, auprc


def fits(score, y, w, start, fixed):
    """(draws, 2) intercept and slope of each draw, Newton from `start`; NaN where it does not exist."""
    x = logit(score)
    a, b = np.full(len(w), start[0]), np.full(len(w), start[1])
    events, total = w @ y, w.sum(axis=1)
    bad = (events == 0) | (events == total)
    for _ in range(12):
        p = 1 / (1 + np.exp(-np.clip(a[:, None] + b[:, None] * x, -30, 30)))
        error, spread = w * (y - p), w * p * (1 - p)
        g0, h00 = error.sum(axis=1), np.maximum(spread.sum(axis=1), 1e-12)
        if fixed:
            da, db = g0 / h00, np.zeros(len(w))
        else:
            g1, h01, h11 = error @ x, spread @ x, spread @ (x * x)
            det = h00 * h11 - h01 * h01
            bad |= det < 1e-10 * np.maximum(h00 * h11, 1e-300)
            det = np.where(det == 0, np.nan, det)
            da, db = (h11 * g0 - h01 * g1) / det, (h00 * g1 - h01 * g0) / det
        da, db = np.where(bad, 0, np.clip(da, -5, 5)), np.where(bad, 0, np.clip(db, -5, 5))
        a, b = a + da, b + db
        if max(np.abs(da).max(), np.abs(db).max()) < 1e-5:
            break
    bad |= (np.abs(da) > 1e-2) | (np.abs(b) > 50) | (np.abs(a) > 50)
    return np.where(bad[:, None], np.nan, np.column_stack([a, b]))


def of_cell(score, y, t, w, with_fits=True):
    """metric -> (draws,)"""
    flag = (score >= t).astype(float)
    total = w.sum(axis=1).astype(float)
    events, expected = w @ y, w @ score
    tp, flagged = w @ (flag * y), w @ flag
    fp = flagged - tp
    out = dict(zip(("auroc", "auprc"), ranked(score, y, w), strict=True))
    out["brier"] = divide(w @ (score - y) ** 2, total)
    out["o_e"] = divide(events, expected)
    out["sensitivity"] = divide(tp, events)
    out["specificity"] = divide(total - events - fp, total - events)
    out["ppv"] = divide(tp, flagged)
    out["net_benefit"] = divide(tp - fp * t / (1 - t), total)
    if with_fits:
        for name, fixed in (("slope", False), ("intercept", True)):
            whole = calibration_fit(score, y, fixed_slope=fixed)
            column = 0 if fixed else 1
            if not np.isfinite(whole).all():
                out[name] = np.full(len(w), np.nan)
            elif len(w) == 1 and (w == 1).all():
                out[name] = np.array([whole[column]])
            else:
                out[name] = fits(score, y, w, whole, fixed)[:, column]
    return out
