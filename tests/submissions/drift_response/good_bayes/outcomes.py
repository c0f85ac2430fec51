"""What outcomes say of the running model: posterior over what has changed and since when, by normal approximation.

Each month gives a gradient and an information matrix of the log likelihood at the scores. A hypothesis adds columns
from its onset on; what any model is a little off by is in all of them. The log evidence of a hypothesis is then
g'(H + L)^-1 g / 2 - log det(I + H / L) / 2, with L the prior precisions (Laplace, one Newton step from the scores).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logsumexp

LEVEL, SITE, WEIGHT = 0.8, 1.2, 0.4  # sd of what may happen, in log-odds (of a feature: per sd)
# Chance that something begins in a month, by kind.
BEGINS = {"level": 0.008, "site": 0.008, "weights": 0.006}
LONGEST = 10  # months back that a change is looked for
ALWAYS = (0.08, 0.12, 0.06)  # sd by which a level, a site and a weight are always off


@dataclass
class Month:
    """x: (n, 1 + sites + 9).  offset: (n,) log-odds expected.  use: (n,) rows that a feed did not spoil."""

    number: int
    x: np.ndarray
    site: np.ndarray
    offset: np.ndarray
    use: np.ndarray
    matrix: np.ndarray
    y: np.ndarray
    closed: np.ndarray
    judged: bool = False

    def statistics(self):
        """Gradient and information of the log likelihood."""
        x, p = self.x[self.use], expit(self.offset[self.use])
        return x.T @ (self.y[self.use] - p), (x * (p * (1 - p))[:, None]).T @ x


class History:
    """Months of the stream and their outcomes. All readmissions come at once: who is not among them has not come."""

    def __init__(self):
        self.months, self.where = {}, {}

    def add(self, month, names):
        """A month's encounters."""
        self.months[month.number] = month
        self.where |= {name: (month.number, row) for row, name in enumerate(names.tolist())}

    def labelled(self, labels):
        """Outcomes that came; one that comes again replaces itself."""
        for name, y, last in zip(labels["encounter"], labels["y"], labels["matured"], strict=True):
            if name in self.where and y in (0, 1):
                number, row = self.where[name]
                month = self.months[number]
                month.y[row], month.closed[row], month.judged = y, bool(last), True

    def judged(self, since):
        """Months whose readmissions are known."""
        return [m for k, m in sorted(self.months.items()) if k >= since and m.judged]

    def closed(self, since):
        """Months whose outcomes are all known."""
        return [m for k, m in sorted(self.months.items()) if k >= since and m.closed.all()]


@dataclass(frozen=True)
class Posterior:
    """Probabilities of what changed: "" nothing, level, site, weights.  site: the likeliest.  onset: of each kind."""

    chance: dict
    site: str
    onset: dict

    @property
    def changed(self):
        """Probability that something did."""
        return 1 - self.chance[""]

    @property
    def likeliest(self):
        """Of what may have changed."""
        return max(("level", "site", "weights"), key=lambda kind: self.chance[kind])


def evidence(g, h, precision):
    """Log evidence against the scores as they are. g: (p,), h: (p, p), precision: (p,)."""
    full = h + np.diag(precision)
    _, logdet = np.linalg.slogdet(full)
    return float(g @ np.linalg.solve(full, g) / 2 - (logdet - np.log(precision).sum()) / 2)


def posterior(months, sites, off):
    """The Posterior of months judged under one model, None of none. off: sd as ALWAYS, of this model."""
    if not months:
        return None
    p, s = months[0].x.shape[1], len(sites)
    stats = [m.statistics() for m in months]
    g, h = sum(x[0] for x in stats), sum(x[1] for x in stats)
    always = 1 / np.concatenate([[off[0]], np.full(s, off[1]), np.full(p - 1 - s, off[2])]) ** 2
    found = [("", "", -1, np.log(max(1 - sum(BEGINS.values()) * len(months), 0.5)) + evidence(g, h, always))]
    for first in range(max(0, len(months) - LONGEST), len(months)):
        late = [sum(x[k] for x in stats[first:]) for k in (0, 1)]
        onset = months[first].number
        weights = np.r_[0, np.arange(1 + s, p)]
        tried = [("level", "", np.array([0]), np.array([LEVEL]))]
        tried += [("site", name, np.array([1 + k]), np.array([SITE])) for k, name in enumerate(sites)]
        tried += [("weights", "", weights, np.r_[LEVEL, np.full(p - 1 - s, WEIGHT)])]
        for kind, name, columns, sd in tried:
            both = np.block([[h, late[1][:, columns]], [late[1][columns], late[1][np.ix_(columns, columns)]]])
            value = evidence(np.r_[g, late[0][columns]], both, np.r_[always, sd**-2.0])
            chance = BEGINS[kind] / (s if kind == "site" else 1)
            found.append((kind, name, onset, np.log(chance) + value))
    logs = np.array([f[3] for f in found])
    weight = np.exp(logs - logsumexp(logs))
    chance = {k: sum(w for w, f in zip(weight, found, strict=True) if f[0] == k) for k in ("", *BEGINS)}
    best = {k: max((f for f in found if f[0] == k), key=lambda f: f[3]) for k in BEGINS}
    return Posterior(chance, best["site"][1], {k: f[2] for k, f in best.items()})


def winter(wave, offset, y):
    """Amplitude of the season in log-odds, with a prior of sd .3. wave: (n,) from -1 to 1."""
    beta = 0.0
    for _ in range(8):
        p = expit(offset + beta * wave)
        beta += (wave @ (y - p) - beta / 0.09) / (wave**2 @ (p * (1 - p)) + 1 / 0.09)
    return float(beta)
