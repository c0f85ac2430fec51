"""Streams of standardised months, each with a detector of river that has seen the reference year.

River's detectors see that a stream has moved, not why, nor whether it matters: contracts say that.
"""

import numpy as np
from river import drift, stats

CUT = 12.0  # standard deviations; more in one month says no more
FEWEST = 3  # months


class Standard:
    """What is usual of a monthly number: its mean and how far months are apart, at least `least`."""

    def __init__(self, months, least):
        mean, variance = stats.Mean(), stats.Var()
        for value in months:
            mean.update(float(value))
            variance.update(float(value))
        self.mean = mean.get()
        self.sd = max(float(np.sqrt(variance.get())) if len(months) >= FEWEST else 0.0, least)

    def score(self, value):
        """In sd from the mean."""
        return float(np.clip((value - self.mean) / self.sd, -CUT, CUT))


class Watch:
    """Page-Hinkley's test on a stream of standardised months. past: scores of the reference year."""

    def __init__(self, past, slack=1.0, limit=4.0):
        self.past, self.slack, self.limit = [float(v) for v in past], slack, limit
        self.reset()

    def reset(self):
        """As after the reference year: the detector knows its mean, and none of its sums."""
        self.test = drift.PageHinkley(min_instances=2, delta=self.slack, threshold=self.limit, alpha=1.0)
        for _ in range(max(len(self.past), FEWEST)):
            self.test.update(float(np.mean(self.past)) if self.past else 0.0)
        self.began, self.up = None, False

    def update(self, value, month):
        """Whether the stream has moved, this month too."""
        value = float(np.clip(value, -CUT, CUT))
        odd = abs(value) > self.slack
        run = odd and (value > 0) == self.up and self.began is not None
        self.began, self.up = (self.began if run else month) if odd else None, value > 0
        self.test.update(value)
        if not self.test.drift_detected:
            return False
        run = self.began, self.up
        # River begins anew without the year.
        self.reset()
        self.began, self.up = run
        return odd
