"""Outcomes against scores: readmissions are complete after two months, so whoever is not among them counts as none."""

from dataclasses import dataclass

import evidence
import numpy as np
from deliveries import NUMBERS
from evidence import Cusum

CERTAIN = 7.0  # log likelihood ratio at which outcomes are held to differ
LEVEL, LOCAL = 0.6, 1.0  # log-odds that the tests look for, in all and at one site
# By how much weights must explain more than any level does; between the two, another month is waited for.
WEIGHTS, PERHAPS = 18.0, 7.0
SLOPE = 2.5  # likewise for the slope alone, which changes with the weights and not with the level
SMALL = 0.4  # log-odds; less is worth no action
CLOSE = 3.0  # log likelihood within which one site and all explain alike
MOST_WAITING = 3  # months


@dataclass
class Record:
    """A month. design: (n, p) what the model read, the first column ones, then nine standard scores.  offset: (n,)
    log-odds expected.  spoiled: (n,) rows of a faulty feed; masked: with a
    value masked.
    """

    month: int
    release: str
    design: np.ndarray
    site: np.ndarray
    offset: np.ndarray
    spoiled: np.ndarray
    masked: np.ndarray
    y: np.ndarray
    final: np.ndarray
    judged: bool = False
    shock: bool = False

    @property
    def closed(self):
        """Whether all outcomes are final."""
        return bool(self.final.all())


@dataclass(frozen=True)
class Finding:
    """A cause, its site ("" for all), the month from which it explains more than the model, and log-odds."""

    cause: str
    site: str
    onset: int
    size: float = 0.0


class Ledger:
    """Months of the stream with their outcomes."""

    def __init__(self):
        self.records, self.place = {}, {}

    def add(self, record, names):
        """A month's encounters."""
        self.records[record.month] = record
        self.place.update({name: (record.month, row) for row, name in enumerate(names.tolist())})

    def outcomes(self, labels):
        """Outcomes that came; one that comes again replaces itself."""
        for name, y, final in zip(labels["encounter"], labels["y"], labels["matured"], strict=True):
            if name in self.place and y in (0, 1):
                month, row = self.place[name]
                record = self.records[month]
                record.y[row], record.judged = y, True
                record.final[row] |= bool(final)

    def judged(self, since):
        """Months since one whose readmissions are complete."""
        return [r for month, r in sorted(self.records.items()) if month >= since and r.judged]

    def closed(self, since):
        """Months since one whose outcomes are final: what a model would be trained on."""
        return [r for month, r in sorted(self.records.items()) if month >= since and r.closed]


def pooled(months):
    """(offset, y, design, site) of the rows that can be believed."""
    parts = [(r.offset, r.y, r.design[:, : 1 + len(NUMBERS)], r.site) for r in months]
    return [np.concatenate([part[k][~r.spoiled] for part, r in zip(parts, months, strict=True)]) for k in range(4)]


def excursion(months, change, doubt, site=""):
    """(Page's statistic, its first month) for a change of log-odds. doubt: readmissions the model was fitted on."""
    total = Cusum()
    for r in months:
        mine = ~r.spoiled & ((r.site == site) | (not site))
        # A model that was fitted on few months is itself off by chance.
        llr = evidence.outcomes(r.offset[mine], r.y[mine], change) / (1 + r.y[mine].sum() / doubt)
        total.add(llr, r.month)
    return total.total, total.since


def onset(months, change):
    """The month since which a change, (design, site) -> (n,), explains outcomes best."""
    gains = [
        evidence.outcomes(r.offset[~r.spoiled], r.y[~r.spoiled], change(r.design[~r.spoiled], r.site[~r.spoiled]))
        for r in months
    ]
    return months[int(np.argmax(np.cumsum(gains[::-1])[::-1]))].month


def review(months, sites, doubt, weights_doubt):
    """(Finding or None, whether something is wrong that cannot be told yet)."""
    if not months:
        return None, False
    tests = [(excursion(months, sign * size, doubt if not s else doubt / 4, s), s) for s, size in
             [("", LEVEL), *((s, LOCAL) for s in sites)] for sign in (1, -1)]  # fmt: skip
    # A mask costs some calibration at its site.
    stopgap = {
        s for s in sites if np.mean([r.masked[r.site == s].mean() for r in months if (r.site == s).any()]) > 0.3
    }
    begun = [since for (total, since), s in tests if total > CERTAIN * (2 if s in stopgap else 1)]
    windows = [[r for r in months if r.month >= min(begun)]] if begun else []
    windows += [months[-k:] for k in (2, 3, 4) if len(months) >= k]
    for window in windows:
        offset, y, x, site = pooled(window)
        if len(y) < 100:
            continue
        delta, level = evidence.shift(offset, y)
        local = {s: evidence.shift(offset[site == s], y[site == s]) for s in sites}
        where = max(local, key=lambda s: local[s][1])
        beta, free = evidence.weights(offset, y, x)
        more = (free - max(level, local[where][1])) / (1 + y.sum() / weights_doubt)
        if more > WEIGHTS:
            first = onset(months, lambda d, _, beta=beta: d[:, : len(beta)] @ beta)
            return Finding("concept_drift", "", first, float(np.abs(beta[1:]).max())), True
        if window is not windows[0] or not begun:
            continue
        line = np.column_stack([np.ones(len(y)), offset - offset.mean()])
        slope = evidence.weights(offset, y, line)[1] - level
        if (more > PERHAPS or slope > SLOPE) and len(window) < MOST_WAITING:
            return None, True
        rest, rest_gain = evidence.shift(offset[site != where], y[site != where])
        own = local[where][0]
        both = level > CERTAIN and local[where][1] > CERTAIN and abs(local[where][1] - level) < CLOSE
        if both and len(window) < MOST_WAITING:
            return None, True
        alone = local[where][1] > max(level + CLOSE * both, CERTAIN) and abs(rest) < abs(own) / 2
        if alone and abs(own) > SMALL:
            first = onset(months, lambda _, s, own=own, where=where: np.where(s == where, own, 0.0))
            return Finding("prevalence_shift", where, first, own), True
        if level > CERTAIN and abs(delta) > SMALL and rest * delta > 0 and rest_gain > 2:
            first = onset(months, lambda d, _, delta=delta: np.full(len(d), delta))
            return Finding("prevalence_shift", "", first, delta), True
        return None, len(window) < MOST_WAITING
    return None, False
