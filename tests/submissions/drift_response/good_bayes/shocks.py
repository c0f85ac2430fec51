"""Whether a shock is on: fewer patients and sicker ones everywhere, long before their outcomes are known."""

import numpy as np
from scipy.special import expit
from scipy.stats import norm

BEGINS, STAYS = 0.01, 0.9
FEWER, SICKER = (-0.15, 0.06), (0.2, 0.1)  # mean and sd: log number of patients, sd of the mean standard score


class Shock:
    """Two states, and how numbers and patients of the reference year varied about its seasons."""

    def __init__(self, design, batch, when, wave):
        z = design.scores(batch.values)
        s = np.array([np.corrcoef(z[:, j], batch.score)[0, 1] for j in range(z.shape[1])])
        self.signs, self.on = np.sign(s) / z.shape[1], 0.0
        self.usual = {site: self.ill(z[batch.site == site]).mean() for site in design.sites}
        months = np.unique(when)
        waves = np.column_stack([np.ones(len(months)), wave(months)])
        numbers = np.log([float((when == m).sum()) for m in months])
        sick = np.array([self.sick(z[when == m], batch.site[when == m], None) for m in months])
        self.fit = np.linalg.lstsq(waves, np.column_stack([numbers, sick]), rcond=None)[0]
        left = np.column_stack([numbers, sick]) - waves @ self.fit
        # Ten degrees of freedom, and what a linear season leaves.
        self.sd = np.sqrt((left**2).sum(axis=0) / 10) * 1.2 + 0.01

    def ill(self, z):
        """(n,) mean standard score on the side of more risk."""
        return np.clip(z, -3, 3) @ self.signs

    def sick(self, z, site, use):
        """Mean over sites of how much more ill patients are than usual; the median, where a ward opened at one."""
        use = np.full(len(site), True) if use is None else use
        ill = self.ill(z)
        found = [ill[(site == s) & use].mean() - u for s, u in self.usual.items() if ((site == s) & use).sum() > 15]
        return float(np.median(found)) if found else np.nan

    def month(self, wave, n, sick):
        """Probability after a month with n patients at the sites of the reference year, `sick` more ill."""
        expected = np.array([1.0, wave]) @ self.fit
        before = self.on * STAYS + (1 - self.on) * BEGINS
        odds = np.log(before / (1 - before))
        if np.log(n) < expected[0] - 0.5:  # rows were lost on the way
            return self.on
        for value, mean, sd, (shift, spread) in zip((np.log(n), sick), expected, self.sd, (FEWER, SICKER), strict=True):
            if np.isfinite(value):
                odds += norm.logpdf(value, mean + shift, np.hypot(sd, spread)) - norm.logpdf(value, mean, sd)
        self.on = float(np.clip(expit(odds), 1e-4, 1 - 1e-4))
        return self.on
