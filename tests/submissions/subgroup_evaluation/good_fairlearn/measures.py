"""The metrics of a cell, once on the data (fairlearn's MetricFrame) and in all draws of patients at once."""

import warnings

import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame
from helpers import calibration_fit, logit
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

METRICS = ["auroc", "auprc", "brier", "slope", "intercept", "o_e", "sensitivity", "specificity", "ppv", "net_benefit"]


def ratio(over, under):
    return over / under if under else np.nan


def point_metrics(t):
    both = lambda y: 0 < np.sum(y) < len(y)
    hit = lambda y, s: np.sum((s >= t) & (y == 1))
    return {
        "auroc": lambda y, s: roc_auc_score(y, s) if both(y) else np.nan,
        "auprc": lambda y, s: average_precision_score(y, s) if np.sum(y) else np.nan,
        "brier": lambda y, s: brier_score_loss(y, s) if both(y) else np.mean((s - y) ** 2),
        "slope": lambda y, s: calibration_fit(s, y)[1],
        "intercept": lambda y, s: calibration_fit(s, y, fixed_slope=True)[0],
        "o_e": lambda y, s: ratio(np.sum(y), np.sum(s)),
        "sensitivity": lambda y, s: ratio(hit(y, s), np.sum(y)),
        "specificity": lambda y, s: ratio(np.sum((s < t) & (y == 0)), np.sum(y == 0)),
        "ppv": lambda y, s: ratio(hit(y, s), np.sum(s >= t)),
        "net_benefit": lambda y, s: (hit(y, s) - np.sum((s >= t) & (y == 0)) * t / (1 - t)) / len(y),
    }


def points(table, card):
    """{key of the cell: {metric: value}} for all cells that have an encounter."""
    metrics = {name: (lambda f: lambda y, s: f(np.asarray(y), np.asarray(s)))(f) for name, f in point_metrics(card["threshold"]).items()}
    out = {}
    y, s = table.readmit30.to_numpy(), table.score.to_numpy()
    out[frozenset()] = {name: f(y, s) for name, f in metrics.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for axes in [[axis] for axis in card["levels"]] + [list(pair) for pair in card["intersections"]]:
            known = table[axes].notna().all(axis=1)
            if not known.any():
                continue
            frame = MetricFrame(metrics=metrics, y_true=y[known], y_pred=s[known], sensitive_features=table.loc[known, axes])
            for names, row in frame.by_group.iterrows():
                names = names if isinstance(names, tuple) else (names,)
                out[frozenset(zip(axes, names, strict=True))] = row.to_dict()
    return out


def drawn(s, y, w, t):
    """{metric: (draws,)} for weights w (draws, n)."""
    w = w[:, (order := np.argsort(-s, kind="stable"))].astype(float)
    s, y = s[order], y[order].astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        wy = w * y
        total, events = w.sum(1), wy.sum(1)
        ends = np.flatnonzero(np.append(s[1:] != s[:-1], True))
        tp = np.cumsum(wy, 1)[:, ends]
        seen = np.cumsum(w, 1)[:, ends]
        step = np.diff(tp, axis=1, prepend=0)
        fp = seen - tp
        fstep = np.diff(fp, axis=1, prepend=0)
        out = {"auroc": (fstep * (tp - step / 2)).sum(1) / (events * (total - events))}
        out["auprc"] = np.where(step > 0, step * tp / np.where(seen > 0, seen, 1), 0).sum(1) / np.where(events > 0, events, np.nan)
        flag = (s >= t).astype(float)
        hit, flagged = wy @ flag, w @ flag
        out["brier"] = w @ (s - y) ** 2 / total
        out["o_e"] = events / (w @ s)
        out["sensitivity"] = hit / events
        out["specificity"] = 1 - (flagged - hit) / (total - events)
        out["ppv"] = hit / flagged
        out["net_benefit"] = (hit - (flagged - hit) * t / (1 - t)) / total
    out["intercept"], out["slope"] = fits(s, y, w)
    return out


def fits(s, y, w):
    """(intercept with the slope at 1, slope), each (draws,)."""
    x = logit(s)
    good = ((w @ y) > 0) & ((w @ (1 - y)) > 0)
    a = np.zeros(len(w))
    with np.errstate(all="ignore"):
        for _ in range(25):
            p = 1 / (1 + np.exp(-np.clip(a[:, None] + x, -30, 30)))
            step = (w * (y - p)).sum(1) / (w * p * (1 - p)).sum(1)
            a = a + np.clip(step, -3, 3)
            if np.nanmax(np.abs(step[good]), initial=0) < 1e-6:
                break
        first = np.where(good, a, np.nan)
        a, b = np.where(good, a, 0.0), np.ones(len(w))
        for _ in range(25):
            p = 1 / (1 + np.exp(-np.clip(a[:, None] + b[:, None] * x, -30, 30)))
            e, v = w * (y - p), w * p * (1 - p)
            g0, g1, h0, h1, h2 = e.sum(1), e @ x, v.sum(1), v @ x, v @ (x * x)
            det = h0 * h2 - h1 * h1
            da, db = (h2 * g0 - h1 * g1) / det, (h0 * g1 - h1 * g0) / det
            a, b = a + np.clip(da, -5, 5), b + np.clip(db, -5, 5)
            if np.nanmax(np.abs(np.concatenate([da[good], db[good]])), initial=0) < 1e-6:
                break
        done = good & (np.abs(da) < 1e-3) & (np.abs(db) < 1e-3) & (np.abs(b) < 50)
    return first, np.where(done, b, np.nan)


def interval(values):
    values = values[np.isfinite(values)]
    if len(values) < 20:
        return None, None
    return tuple(map(float, np.quantile(values, [0.025, 0.975])))
