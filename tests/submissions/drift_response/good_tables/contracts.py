"""What a delivery must look like, how a site's dialect is read, and what is usual for each site (a pandas contract per site)."""

import math

import numpy as np
import pandas as pd
from rules import RULES

NUMBERS = ["age", "admissions", "los", "creatinine", "haemoglobin", "sodium", "glucose", "albumin", "bnp"]
LABS = NUMBERS[3:]
LOGGED = ["age", "los"] + LABS


class BadBatch(Exception):
    pass


def number(x):
    """(value, readable)"""
    if x is None or x == "":
        return np.nan, True
    if isinstance(x, bool):
        return np.nan, False
    if isinstance(x, (int, float)):
        return float(x), math.isfinite(x) or x != x
    if isinstance(x, str):
        t = x.strip().lstrip("<>").rstrip("+")
        if "," in t:
            t = t.replace(".", "").replace(",", ".")
        try:
            v = float(t)
            return (v, True) if np.isfinite(v) else (np.nan, False)
        except ValueError:
            return np.nan, x.strip() == ""
    return np.nan, False


def read(batch, lenient=False):
    """A delivery as a table, or BadBatch."""
    if not isinstance(batch, dict) or not isinstance(batch.get("X"), dict):
        raise BadBatch("no batch")
    X = batch["X"]
    if any(f not in X for f in NUMBERS + ["diagnosis"]):
        raise BadBatch("column missing")
    columns = [X[f] for f in NUMBERS + ["diagnosis"]] + [batch.get(k) for k in ("site", "encounter", "score")]
    if any(not isinstance(c, (list, tuple)) for c in columns):
        raise BadBatch("no list")
    if len({len(c) for c in columns}) != 1 or not len(columns[0]):
        raise BadBatch("length")
    columns, wrong = {}, 0
    for f in NUMBERS:
        pairs = [number(x) for x in X[f]]
        columns[f] = [p[0] for p in pairs]
        wrong += sum(not p[1] for p in pairs)
    table = pd.DataFrame(columns)
    table["site"], table["encounter"] = [str(s) for s in batch["site"]], [str(e) for e in batch["encounter"]]
    pairs = [number(s) for s in batch["score"]]
    table["score"] = [p[0] for p in pairs]
    wrong += sum(not p[1] or not 0 <= p[0] <= 1 for p in pairs)
    table["dx"] = ["" if d is None else str(d).replace(".", "").strip().upper() for d in X["diagnosis"]]
    if wrong and not lenient:
        raise BadBatch("no values")
    labels = batch.get("labels")
    if not isinstance(labels, dict) or any(not isinstance(labels.get(k), (list, tuple)) for k in ("encounter", "y", "matured")):
        raise BadBatch("labels")
    if len({len(labels[k]) for k in ("encounter", "y", "matured")}) != 1:
        raise BadBatch("labels' length")
    if table["encounter"].duplicated().any():
        raise BadBatch("twice the same encounter")
    return table


def logs(values):
    return np.log(np.maximum(values, 0.01))


def names(codes):
    """Columns of design()."""
    return [f + end for f in NUMBERS for end in ("", "2", "_m")] + ["d" + c for c in codes]


def design(t, normal, codes):
    """The features as a smooth model sees them, a missing value as normal."""
    X = np.zeros((len(t), 3 * len(NUMBERS) + len(codes)), order="F")
    for i, f in enumerate(NUMBERS):
        v = t[f].to_numpy(float)
        gone = np.isnan(v)
        v = np.where(gone, normal[f], v)
        v = v / 10 if f == "age" else np.log(np.maximum(v, 0.01) + (f in ("admissions", "los")))
        X[:, 3 * i], X[:, 3 * i + 1], X[:, 3 * i + 2] = v, v ** 2, gone
    at = pd.Index(codes).get_indexer(t["dx"])
    known = np.flatnonzero(at >= 0)
    X[known, 3 * len(NUMBERS) + at[known]] = 1
    return X


class Contract:
    """What is usual at one site (or, for a site without a past, in all)."""

    def __init__(self, t):
        self.mu, self.sd, self.wander, self.miss, self.miss_max, self.mode_max, self.q = {}, {}, {}, {}, {}, {}, {}
        self.dx = t["dx9"].value_counts(normalize=True)
        self.icd10 = t["icd10"].mean()
        self.unknown = t["unknown"].mean()
        months = t.groupby("month_of")
        for f in NUMBERS:
            self.miss[f] = t[f].isna().mean()
            self.miss_max[f] = t[f].isna().groupby(t["month_of"]).mean().max()
            self.mode_max[f] = months[f].apply(share_of_mode).max()
            v = t[f].dropna()
            lo, hi = v.quantile(0.001), v.quantile(0.999)
            self.range = {**getattr(self, "range", {}), f: (lo / 1.4 - 0.5 * (f in ("admissions", "los")), hi * 1.4 + 4 * (f in ("admissions", "los")))}
        for f in LOGGED:
            v = logs(t[f])
            self.mu[f] = v.median()
            self.sd[f] = max((v.quantile(0.75) - v.quantile(0.25)) / 1.35, 0.015)
            self.q[f] = v.quantile([0.25, 0.5, 0.75]).to_numpy()
            dev = v.groupby(t["month_of"]).median() - self.mu[f]
            self.wander[f] = max(float(np.sqrt((dev ** 2).mean())), 0.01)

    def usual_codes(self, t):
        """Rows whose diagnosis is not suddenly frequent: a new ward's patients are no fault of the laboratory."""
        now = t["dx9"].value_counts(normalize=True)
        usual = self.dx.reindex(now.index).fillna(0)
        return ~t["dx9"].isin(now.index[(now > 1.8 * usual + 0.07)])

    def shift(self, v, f):
        """How far a feature's usual rows have moved, and whether evenly."""
        if len(v) < 12:
            return np.nan, False
        d = np.quantile(logs(v), [0.25, 0.5, 0.75]) - self.q[f]
        even = np.ptp(d) <= RULES["assay_even"]["log"] * (1 + self.sd[f])
        return float(d[1]), bool(even)

    def outside(self, v, f):
        lo, hi = self.range[f]
        return float(((v < lo) | (v > hi)).mean()) if len(v) >= 12 else 0.0

    def spread(self, v, f):
        if len(v) < 20:
            return 0.0
        d = np.quantile(logs(v), [0.25, 0.75])
        return float(np.log(max(d[1] - d[0], 1e-3) / max(self.q[f][2] - self.q[f][0], 1e-3)))


def share_of_mode(v):
    v = np.asarray(v, float)
    v = v[~np.isnan(v)]
    return np.unique(v, return_counts=True)[1].max() / len(v) if len(v) >= 12 else 0.0
