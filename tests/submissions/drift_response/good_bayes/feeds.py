"""Which hypothesis explains a feed: a hidden Markov model for every site and feature, its year as the prior.

A month is a histogram of logs and a count of missing values. Each hypothesis has templates of the histogram, mixed with
prior weights; counts are Dirichlet-multinomial about a template and missing values Beta-binomial, so that no month is
trusted more than months of the reference year agree with each other.
"""

from dataclasses import dataclass

import numpy as np
from reading import on_log
from scipy.ndimage import gaussian_filter1d
from scipy.special import gammaln, logsumexp
from scipy.stats import betabinom, norm

STATES = ("usual", "outage", "ward", "chosen", "down", "gone", "card", "free", "corrupt")
HARMLESS = ("usual", "outage", "ward", "chosen")
# Monthly chance that a state begins, and that it stays.
BEGINS = {"outage": 0.02, "ward": 0.004, "chosen": 0.004, "down": 5e-4, "gone": 1e-3, "card": 1e-3}
BEGINS |= {"free": 5e-4, "corrupt": 5e-4}
STAYS = {"outage": 0.05} | dict.fromkeys(("ward", "chosen"), 0.97)
STAYS |= dict.fromkeys(("down", "gone", "card", "free", "corrupt"), 0.88)
SURE = 0.9  # probability of a fault, or that there is none any more, from which something is done
LOST = (5.0, 4.0)  # Beta of the share that is missing when an interface is down
CAUSE = {"down": "missing_data", "gone": "missing_data", "card": "unit_change", "free": "assay_change"}
CAUSE |= {"corrupt": "corrupt_values"}


def transitions():
    """(states, states) monthly probabilities; a fault ends, or gives way to another."""
    out = np.zeros((len(STATES), len(STATES)))
    for i, state in enumerate(STATES):
        begins = np.array([BEGINS.get(s, 0.0) for s in STATES])
        begins[0] = 1 - begins.sum()
        stays = STAYS.get(state, 0.0)
        out[i] = (1 - stays) * begins
        out[i, i] += stays
    return out


TRANSITIONS = transitions()


class Histogram:
    """Bins of a feature's logs, a third of its spread wide, far beyond what is usual on both sides."""

    def __init__(self, name, values):
        logs = on_log(name, values)
        self.name, self.spread = name, max(float(logs.std()), 0.02)
        self.step = self.spread / 3
        self.low = float(logs.min()) - 5.5
        self.size = int((float(logs.max()) + 5.5 - self.low) / self.step) + 1
        self.coarse = len(np.unique(values)) < 25  # counts: a histogram that is moved or smoothed is none of theirs

    def counts(self, values):
        """(bins,)."""
        place = ((on_log(self.name, values) - self.low) / self.step).astype(int)
        return np.bincount(np.clip(place, 0, self.size - 1), minlength=self.size).astype(float)

    def density(self, values):
        """(bins,) smoothed, with a little everywhere."""
        return self.smooth(self.counts(values) / max(len(values), 1))

    def smooth(self, p, width=0.8):
        """(bins,) of sum 1."""
        p = (p if self.coarse else gaussian_filter1d(p, width, mode="constant")) + 1e-7
        return p / p.sum()

    def moved(self, p, shift):
        """(bins,) p with all logs moved by `shift`."""
        at = np.arange(self.size)
        if self.coarse:
            return self.smooth(p * np.exp(shift / self.spread**2 * self.step * (at - at @ p)))
        return self.smooth(np.interp(at - shift / self.step, at, p, left=0, right=0), 0.3)

    def bins(self, a, b):
        """(bins,) whether a bin's middle lies between two logs."""
        middle = self.low + (np.arange(self.size) + 0.5) * self.step
        return (middle >= a) & (middle < b)


@dataclass
class Templates:
    """(k, bins) histograms that one hypothesis may give, log prior weights (k,), and the shift of each (k,)."""

    p: np.ndarray
    weight: np.ndarray
    shift: np.ndarray

    @classmethod
    def of(cls, found, weights=None, shifts=None):
        """From lists."""
        weights = np.ones(len(found)) if weights is None else np.array(weights, float)
        return cls(np.array(found), np.log(weights / weights.sum()), np.zeros(len(found)) if shifts is None else shifts)

    def each(self, counts, grip):
        """(k,) log probability of the counts and a template; grip: how much a template is believed, in patients."""
        on = counts > 0
        mass = grip * self.p[:, on]
        return self.weight + (gammaln(counts[on] + mass) - gammaln(mass)).sum(axis=1)

    def likelihood(self, counts, grip):
        """Log probability of the counts, but for what is the same for every hypothesis."""
        return float(logsumexp(self.each(counts, grip)))


class Feed:
    """A feature at a site: what its year was like, and what its state is believed to be."""

    def __init__(self, histogram, months, factor, others, *, strange=False):
        """months: arrays of values, a month each.  factor: of another unit.  others: densities of other features.

        strange: a site without a year of its own, held to all.
        """
        self.histogram, there = histogram, np.concatenate([v[~np.isnan(v)] for v in months])
        self.belief = np.zeros(len(STATES))
        self.belief[0] = 1.0
        logs = on_log(histogram.name, there)
        sd = logs.std()
        means = [on_log(histogram.name, v[~np.isnan(v)]).mean() for v in months if (~np.isnan(v)).sum() > 5]
        # What a mean of some hundred patients does by chance is in it too.
        wander = np.hypot(np.std(means), 0.12 * sd) * 1.2 + (0.3 * sd if strange else 0)
        usual = histogram.density(there)
        self.templates = self.hypotheses(usual, logs, sd, wander, factor, others)
        shares = np.array([np.isnan(v).mean() for v in months])
        share = float(np.clip(np.median(shares), 0.004, 0.9))
        held = float(np.clip(share * (1 - share) / max(np.median((shares - share) ** 2) * 2.2, 1e-5) - 1, 8, 60))
        self.missing = {"usual": (share * held, (1 - share) * held), "gone": (80.0, 0.8), "chosen": (3.0, 3.0)}
        self.missing |= {"outage": LOST, "down": LOST}
        grips = (60.0, 120.0, 240.0, 480.0)
        fits = [sum(self.probability("usual", histogram.counts(v[~np.isnan(v)]), g) for v in months) for g in grips]
        self.grip = grips[int(np.argmax(fits))]

    def hypotheses(self, usual, logs, sd, wander, factor, others):
        """State -> Templates."""
        h = self.histogram
        steps = np.linspace(-2.5, 2.5, 11)
        near = [h.moved(usual, wander * step) for step in steps]
        out = {"usual": Templates.of(near, norm.pdf(steps))}
        ward = [
            h.smooth((1 - part) * usual + part * h.moved(h.smooth(usual, 0.1), shift * sd), 0.5)
            for part in (0.2, 0.35, 0.5, 0.65)
            for shift in (-2.2, -1.5, -0.8, 0.8, 1.5, 2.2)
        ]
        out["ward"] = Templates.of(ward)
        middle = float(np.median(logs))
        lower, upper = h.bins(-99, middle), h.bins(middle, 99)
        sides = [
            np.where(side, few, 1.0) * p for side in (lower, upper) for few in (0.05, 0.15, 0.35) for p in near[2:-2:2]
        ]
        out["chosen"] = Templates.of([h.smooth(p / p.sum(), 0.3) for p in sides])
        if factor:
            shifts = np.add.outer([np.log(factor), -np.log(factor)], wander * steps).ravel()
            out["card"] = Templates.of([h.moved(usual, s) for s in shifts], np.tile(norm.pdf(steps), 2), shifts)
            sizes = np.arange(max(0.5, sd), 3.0, h.step / 2)
            shifts = np.concatenate([-sizes, sizes])
            out["free"] = Templates.of([h.moved(usual, s) for s in shifts], None, shifts)
        wrong = [p * part + (1 - part) * usual for p in others for part in (0.6, 1.0)]
        for part in (0.3, 0.45, 0.6, 0.75, 0.9):
            wrong += [part * h.moved(usual, s) + (1 - part) * usual for s in (np.log(10), -np.log(10), 2 * np.log(10))]
        broad = h.smooth(norm.pdf(np.arange(h.size), h.counts(np.exp(logs)).argmax(), 9))
        wrong += [part * broad + (1 - part) * usual for part in (0.4, 0.7, 1.0)]
        self.base = usual
        out["corrupt"] = Templates.of([h.smooth(p, 0.2) for p in wrong])
        return out

    def probability(self, state, counts, grip):
        """Log probability of a histogram in a state."""
        templates = self.templates.get({"outage": "usual", "down": "usual"}.get(state, state))
        if state == "gone":
            templates = self.templates["usual"]
        if templates is None:
            return -np.inf
        found = templates.likelihood(counts, grip)
        if state == "corrupt" and counts.sum():
            # One value for many: any bin, so the one that is fullest costs the choice among all.
            full = np.zeros((3, len(counts)))
            full[:, int((counts / (self.base * counts.sum() + 1)).argmax())] = 1
            parts = np.array([0.4, 0.65, 0.9])[:, None]
            one = Templates.of(list(parts * full + (1 - parts) * self.base + 1e-9))
            found = float(np.logaddexp(found, one.likelihood(counts, grip) - np.log(len(counts)))) - np.log(2)
        return found

    def lost(self, state, missing, n):
        """Log probability of a number of missing values in a state."""
        usual = betabinom.logpmf(missing, n, *self.missing["usual"])
        if state in self.missing and state != "usual":
            return float(betabinom.logpmf(missing, n, *self.missing[state]))
        if state in ("card", "free", "corrupt", "ward"):  # interfaces go down then, too
            return float(np.logaddexp(np.log(0.98) + usual, np.log(0.02) + betabinom.logpmf(missing, n, *LOST)))
        return float(usual)

    def update(self, values, ward=0.0):
        """What is believed after a month of (n,) values. ward: log odds of a new ward by what else is known."""
        there = values[~np.isnan(values)]
        counts, n = self.histogram.counts(there), len(values)
        found = [self.probability(s, counts, self.grip) + self.lost(s, n - len(there), n) for s in STATES]
        found[STATES.index("ward")] += ward
        with np.errstate(divide="ignore"):
            after = np.log(self.belief @ TRANSITIONS) + np.array(found)
        # Nothing is ever believed so firmly that a month could not change it.
        belief = np.maximum(np.exp(after - logsumexp(after)), 1e-12)
        self.belief = belief / belief.sum()

    @property
    def harmless(self):
        """Probability that nothing is to be mended."""
        return float(sum(self.belief[STATES.index(s)] for s in HARMLESS))

    def fault(self):
        """The likeliest state among faults when a fault is believed in, else ""."""
        if 1 - self.harmless < SURE:
            return ""
        return max((s for s in STATES if s not in HARMLESS), key=lambda s: self.belief[STATES.index(s)])

    def shift(self, state, values):
        """By which log all values moved, under a hypothesis of a factor: mean over its templates."""
        templates = self.templates[state]
        weight = templates.each(self.histogram.counts(values[~np.isnan(values)]), self.grip)
        weight = np.exp(weight - logsumexp(weight))
        return float(weight @ templates.shift)
