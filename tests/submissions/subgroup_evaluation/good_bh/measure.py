"""Metrics of a group, for many draws at once."""

import numpy as np

METRICS = ["auroc", "auprc", "brier", "slope", "intercept", "o_e", "sensitivity", "specificity", "ppv", "net_benefit"]


def logit(score):
    score = np.clip(np.asarray(score, float), 1e-6, 1 - 1e-6)
    return np.log(score / (1 - score))


def ratio(a, b):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(b > 0, a / np.where(b > 0, b, 1), np.nan)


def fit(x, y, w, fixed=False, start=None, most=40):
    """(a, b) of each column of w, NaN where there is no fit."""
    k = w.shape[1]
    a, b = (np.zeros(k), np.ones(k)) if start is None else (np.full(k, start[0]), np.full(k, start[1]))
    events, total = y @ w, w.sum(axis=0)
    fine = (events > 0) & (events < total)
    done = ~fine
    X = np.stack([np.ones_like(x), x, x * x])
    for _ in range(most):
        go = np.flatnonzero(~done)
        if not len(go):
            break
        ww = w[:, go]
        p = 1 / (1 + np.exp(-np.clip(a[go] + np.outer(x, b[go]), -30, 30)))
        e, s = ww * (y[:, None] - p), ww * p * (1 - p)
        if fixed:
            da, db = e.sum(axis=0) / np.maximum(s.sum(axis=0), 1e-12), np.zeros(len(go))
        else:
            g0, g1 = X[:2] @ e
            h0, h1, h2 = X @ s
            det = h0 * h2 - h1 * h1
            bad = ~(det > 1e-10 * np.maximum(h0 * h2, 1e-12))
            det = np.where(bad, 1, det)
            da, db = (h2 * g0 - h1 * g1) / det, (h0 * g1 - h1 * g0) / det
            fine[go[bad]] = False
            done[go[bad]] = True
            da, db = np.where(bad, 0, da), np.where(bad, 0, db)
        a[go] += da
        b[go] += db
        done[go[(np.abs(da) < 1e-7) & (np.abs(db) < 1e-7)]] = True
    fine &= done & (np.abs(b) < 50) & np.isfinite(a) & np.isfinite(b)
    return np.where(fine, a, np.nan), np.where(fine, b, np.nan)


def measure(s, y, w, t, starts=None):
    """{metric: (k,)} of the encounters s, y under each column of the weights w: (n, k)."""
    order = np.argsort(-s, kind="stable")
    s, y, w = s[order], y[order].astype(float), w[order]
    k = w.shape[1]
    out = {m: np.full(k, np.nan) for m in METRICS}
    if not len(s):
        return out
    n = w.sum(axis=0)
    first = np.flatnonzero(np.r_[True, s[1:] != s[:-1]])
    pos = np.add.reduceat(w * y[:, None], first, axis=0)
    neg = np.add.reduceat(w, first, axis=0) - pos
    cp, cn = pos.cumsum(axis=0), neg.cumsum(axis=0)
    P, N = cp[-1], cn[-1]
    out["auroc"] = 1 - ratio((pos * (cn - neg / 2)).sum(axis=0), P * N)
    out["auprc"] = ratio((pos * np.nan_to_num(ratio(cp, cp + cn))).sum(axis=0), P)
    out["brier"] = ratio(((s - y) ** 2) @ w, n)
    out["o_e"] = ratio(P, s @ w)
    flag = (s >= t).astype(float)
    tp, fp = (flag * y) @ w, (flag * (1 - y)) @ w
    out["sensitivity"], out["specificity"] = ratio(tp, P), ratio(N - fp, N)
    out["ppv"] = ratio(tp, tp + fp)
    out["net_benefit"] = ratio(tp - fp * t / (1 - t), n)
    x = logit(s)
    starts = starts or {}
    out["slope"] = fit(x, y, w, False, starts.get("slope"))[1]
    out["intercept"] = fit(x, y, w, True, starts.get("intercept"))[0]
    return out


def measure_point(s, y, t):
    """({metric: value}, starts of the fits for its draws)."""
    est = {m: float(v[0]) for m, v in measure(s, y, np.ones((len(s), 1)), t).items()}
    starts = {}
    if len(s):
        w = np.ones((len(s), 1))
        a, b = fit(logit(s), y.astype(float), w)
        if np.isfinite(a[0]):
            starts["slope"] = (a[0], b[0])
        if np.isfinite(est["intercept"]):
            starts["intercept"] = (est["intercept"], 1.0)
    return est, starts
