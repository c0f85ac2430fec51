"""Outcomes against scores, month by month: readmissions are complete after two months, the others later."""

from dataclasses import dataclass

import numpy as np
from intake import NUMBERS
from streams import Watch

LEVEL, LOCAL = 0.4, 0.7  # log-odds; less, in all and at one site, is worth no action
# The stream of weights, and the score test of the slope, at which another month is waited for; and how many.
DOUBTFUL, STEEP, PATIENCE = 1.5, 2.8, 3
OLDER, BETTER = 12.0, 4.0  # log likelihood: by weights over a level; by one month more in which a change was on


@dataclass
class Month:
    """design: (n, p) as read by the model, ones first, then standard scores.  offset: (n,) log-odds expected.
    usable: (n,) rows that no faulty feed spoiled.  y: (n,) 1 for readmissions that are known.
    """

    number: int
    release: str
    design: np.ndarray
    site: np.ndarray
    offset: np.ndarray
    usable: np.ndarray
    y: np.ndarray
    final: np.ndarray
    judged: bool = False
    shock: bool = False


@dataclass(frozen=True)
class Finding:
    """site: "" for all.  since: first month of it.  size: log-odds."""

    cause: str
    site: str
    since: int
    size: float = 0.0


def sigmoid(x):
    """Probability of log-odds."""
    return 1 / (1 + np.exp(-np.clip(x, -30, 30)))


def gain(offset, y, change):
    """By how much offset + change gives outcomes a higher log likelihood than offset."""
    return float((y * change - np.logaddexp(0, offset + change) + np.logaddexp(0, offset)).sum())


def moved(offset, y):
    """Log-odds by which outcomes differ from what was expected; half a case of caution."""
    delta = 0.0
    for _ in range(10):
        p = sigmoid(offset + delta)
        delta += float(np.clip((y - p).sum() / ((p * (1 - p)).sum() + 0.5), -1, 1))
    return delta


def standardised(offset, y, doubt):
    """Observed less expected in standard errors. doubt: readmissions that the model was fitted on."""
    p = sigmoid(offset)
    variance = (p * (1 - p)).sum()
    return float((y - p).sum() / np.sqrt(variance * (1 + variance / doubt) + 0.5))


def weights(offset, y, z, doubt):
    """(score test of nine weights, level allowed for, as a standardised number; (10,) change of weights)."""
    delta = moved(offset, y)
    p = sigmoid(offset + delta)
    x = np.column_stack([np.ones(len(y)), z])
    information = (x * (p * (1 - p))[:, None]).T @ x + np.diag([1e-6, *[1.0] * z.shape[1]])
    u = x.T @ (y - p)
    step = np.linalg.solve(information, u)
    squares = float(u @ step) / (1 + y.sum() / doubt)
    step[0] += delta
    return (squares - z.shape[1]) / np.sqrt(2 * z.shape[1]), step


class Review:
    """Detectors on the outcomes of the model that is running."""

    def __init__(self, sites, months, events):
        self.sites, self.past = sites, months
        self.renew(0, events, events)

    def renew(self, since, level_doubt, weights_doubt):
        """For another model, or one that is trusted anew, from a month on."""
        self.since, self.level_doubt, self.weights_doubt = since, level_doubt, weights_doubt
        self.done = set()
        self.window = []
        year = [self.streams(m, 1e9) for m in self.past]
        self.watches = {
            name: Watch([r[name] for r in year if name in r], slack=0.75, limit=4.5) for name in self.sites
        }
        self.watches[""] = Watch([r[""] for r in year], slack=0.75, limit=3.0)
        self.watches["weights"] = Watch([r["weights"] for r in year], slack=1.0, limit=3.5)
        self.alarms = {}

    def streams(self, month, doubt=None):
        """The month's standardised numbers: "" for all, each site, and weights."""
        rows = month.usable
        offset, y, site = month.offset[rows], month.y[rows], month.site[rows]
        out = {s: standardised(offset[site == s], y[site == s], (doubt or self.level_doubt) / (1 if doubt else 4))
               for s in self.sites if (site == s).any()}  # fmt: skip
        out[""] = standardised(offset, y, doubt or self.level_doubt)
        z = month.design[rows, 1 : 1 + len(NUMBERS)]
        out["weights"] = weights(offset, y, z, doubt or self.weights_doubt)[0] if len(y) > 50 else 0.0
        return out

    def update(self, months, release):
        """(Finding or None, whether something is wrong that cannot be told yet), after the months that are judged."""
        for month in months:
            fit = month.release == release and not month.shock and month.number >= self.since
            if not fit or month.number in self.done or month.usable.sum() < 50:
                continue
            self.done.add(month.number)
            values = self.streams(month)
            self.window.append((month, values))
            for name, value in values.items():
                watch = self.watches[name]
                if watch.update(value, month.number):
                    self.alarms[name] = watch.began
                elif name in self.alarms and watch.began is None:
                    del self.alarms[name]
        return self.told() if self.alarms else (None, False)

    def told(self):
        """What the alarms are about: one cause that explains the months since the first of them."""
        first = min(self.alarms.values())
        window = [(m, v) for m, v in self.window if m.number >= first]
        offset, y, site = (
            np.concatenate([getattr(m, k)[m.usable] for m, _ in window]) for k in ("offset", "y", "site")
        )
        z = np.vstack([m.design[m.usable, 1 : 1 + len(NUMBERS)] for m, _ in window])
        squares, step = weights(offset, y, z, self.weights_doubt)
        delta = moved(offset, y)
        level = gain(offset, y, delta)
        free = gain(offset, y, step[0] + z @ step[1:])
        local = {s: moved(offset[site == s], y[site == s]) for s in self.sites if (site == s).any()}
        gains = {s: gain(offset[site == s], y[site == s], d) for s, d in local.items()}
        where = max(gains, key=gains.get)
        # Weights have nine more numbers to explain with than a level.
        if squares > 5.5 and free - max(level, gains[where]) > OLDER:
            since = self.onset(lambda m: step[0] + m.design[:, 1 : 1 + len(NUMBERS)] @ step[1:])
            return Finding("concept_drift", "", since, float(np.abs(step[1:]).max())), True
        mean = float(np.mean([v["weights"] for _, v in window]))
        # A slope changes with the weights and not with the level.
        line = weights(offset, y, (offset - offset.mean())[:, None], self.weights_doubt)[0]
        if (mean > DOUBTFUL or squares > 2.5 or line > STEEP) and len(window) < PATIENCE:
            return None, True
        rest = moved(offset[site != where], y[site != where])
        if gains[where] > level + BETTER * (abs(rest) > LEVEL / 2) and abs(rest) < abs(local[where]) / 2:
            if where in self.alarms and abs(local[where]) > LOCAL:
                since = self.onset(lambda m: np.where(m.site == where, local[where], 0.0))
                return Finding("prevalence_shift", where, since, local[where]), True
            return None, False
        if "" in self.alarms and abs(delta) > LEVEL and rest * delta > 0:
            since = self.onset(lambda m: np.full(len(m.site), delta))
            return Finding("prevalence_shift", "", since, delta), True
        return None, False

    def onset(self, change):
        """The month since which a change, Month -> (n,) log-odds, explains outcomes best."""
        gains = [gain(m.offset[m.usable], m.y[m.usable], change(m)[m.usable]) for m, _ in self.window]
        return self.window[int(np.argmax(np.cumsum(gains[::-1])[::-1]))][0].number
