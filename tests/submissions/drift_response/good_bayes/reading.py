"""Batches as arrays, checked, and features on the scales on which they are about normal."""

from dataclasses import dataclass

import numpy as np


@dataclass
class Batch:
    """values: feature -> (n,) numbers, NaN is missing.  code, site, name: (n,) texts.  score: (n,)."""

    month: int
    release: str
    values: dict
    code: np.ndarray
    site: np.ndarray
    name: np.ndarray
    score: np.ndarray
    labels: dict
    reports: list

    def __len__(self):
        return len(self.site)


def read(batch, features):
    """A Batch, or None when what was delivered is not a month."""
    try:
        x, labels = batch["X"], batch["labels"]
        values = {name: np.array([np.nan if v is None else v for v in x[name]]) for name in features}
        texts = [np.array(column, object) for column in (x["diagnosis"], batch["site"], batch["encounter"])]
        score = np.array(batch["score"], float)
        known = {key: list(labels[key]) for key in ("encounter", "y", "matured")}
        reports = [dict(report) for report in batch["reports"]]
        month, release = batch["month"], batch["release_id"]
    except (KeyError, TypeError, ValueError):
        return None
    columns = [*values.values(), *texts, score]
    even = len({len(c) for c in columns}) == 1 and len({len(c) for c in known.values()}) == 1
    numbers = all(v.dtype.kind in "fiu" for v in values.values()) and np.isfinite(score).all()
    if not (even and numbers and len(score) and type(month) is int and isinstance(release, str)):
        return None
    values = {name: v.astype(float) for name, v in values.items()}
    return Batch(month, release, values, *texts, score, known, reports)


def on_log(name, values):
    """Ratios become distances; admissions may be 0."""
    return np.log1p(np.maximum(values, 0)) if name == "admissions" else np.log(np.maximum(values, 0.01))


def logit(p):
    """Log-odds of (n,) probabilities, rounded ones too."""
    p = np.clip(p, 1e-4, 1 - 1e-4)
    return np.log(p / (1 - p))


class Design:
    """What a linear model may read: 1, sites, standard scores, diagnoses."""

    def __init__(self, card, batch, sites):
        self.card, self.sites, self.names = card, sites, list(card["features"])
        self.groups = sorted(set(card["crosswalk"].values()))
        raw = {name: on_log(name, self.filled(name, batch.values[name])) for name in self.names}
        self.centre = {name: (v.mean(), v.std()) for name, v in raw.items()}

    def filled(self, name, values):
        """A missing value counts as normal, as in the model."""
        return np.where(np.isnan(values), self.card["features"][name]["normal"], values)

    def scores(self, values):
        """(n, 9) in sd of the reference year."""
        columns = [
            (on_log(name, self.filled(name, values[name])) - self.centre[name][0]) / self.centre[name][1]
            for name in self.names
        ]
        return np.clip(np.column_stack(columns), -6, 6)

    def matrix(self, values, code, site):
        """(n, 1 + sites + 9 + codes)."""
        where = (site[:, None] == np.array(self.sites, object)[None, :]).astype(float)
        groups = (code[:, None] == np.array(self.groups, object)[None, :]).astype(float)
        return np.column_stack([np.ones(len(site)), where, self.scores(values), groups])

    @property
    def features(self):
        """Columns of the matrix that are standard scores."""
        first = 1 + len(self.sites)
        return slice(first, first + len(self.names))
