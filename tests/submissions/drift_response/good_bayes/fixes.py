"""From beliefs about feeds to fixes: what is mended, and what is taken back."""

import numpy as np
from feeds import CAUSE, LOST, SURE, Feed, Histogram
from scipy.special import expit
from scipy.stats import betabinom

BURST = (2e-3, 0.88)  # monthly chance that values go missing everywhere at once, and that this stays


class Fixes:
    """Every feed's state, and the fixes that are on: (site, feature) -> (method, factor, state)."""

    def __init__(self, card, batch, when):
        self.card, self.names = card, list(card["features"])
        self.on = {}
        self.histograms = {n: Histogram(n, v[~np.isnan(v)]) for n, v in batch.values.items()}
        self.year = [
            ({n: v[when == m] for n, v in batch.values.items()}, batch.site[when == m]) for m in np.unique(when)
        ]
        self.feeds = {(s, n): self.feed(s, n) for s in sorted(set(batch.site.tolist())) for n in self.names}
        self.burst = dict.fromkeys(self.names, 0.0)
        model = set(card["crosswalk"].values())
        self.model = np.array(sorted(model), object)
        strange = ~np.isin(batch.code, self.model)
        self.local = max(float(strange[batch.site == s].mean()) for s in set(batch.site.tolist())) + 0.02
        self.translate = np.vectorize(lambda c: card["crosswalk"].get(c, c), otypes=[object])
        places = {s: batch.code[(batch.site == s) | (s == "")] for s in ["", *set(batch.site.tolist())]}
        # Half a patient more of each, so that none is impossible.
        self.shares = {
            s: np.array([(code == one).sum() + 0.5 for one in self.model]) / (len(code) + 10)
            for s, code in places.items()
        }

    def feed(self, site, name):
        """A Feed; of a site without a year of its own, by all sites."""
        known = any((where == site).any() for _, where in self.year)
        months = [values[name][(where == site) | (not known)] for values, where in self.year]
        h = self.histograms[name]
        everything = {n: np.concatenate([values[n] for values, _ in self.year]) for n in self.names}
        others = [h.density(v[~np.isnan(v)]) for n, v in everything.items() if n != name]
        return Feed(h, months, self.card["features"][name].get("factor"), others, strange=not known)

    def rows(self, site, where):
        """(n,) of a site, "" for all."""
        return (where == site) | (site == "")

    def mended(self, batch):
        """(feature -> (n,) values as the model reads them, (n, 9) masked, (n,) codes)."""
        values = {name: v.copy() for name, v in batch.values.items()}
        masked = np.zeros((len(batch), len(self.names)), bool)
        code = batch.code
        for (site, name), (method, factor, _) in self.on.items():
            rows = self.rows(site, batch.site)
            if method == "remap":
                code = self.translate(code)
            elif method == "rescale":
                values[name][rows] *= factor
            elif name in self.names:
                masked[rows, self.names.index(name)] = True
        return values, masked, code

    def month(self, batch):
        """(actions, (n,) rows whose score of this month was wrong)."""
        actions, wrong = [], np.zeros(len(batch), bool)
        sites = sorted(set(batch.site.tolist()))
        ward = {site: self.ward(site, batch.code[batch.site == site]) for site in sites}
        for name in self.names:
            parts = {site: batch.values[name][batch.site == site] for site in sites}
            for site, values in parts.items():
                if (site, name) not in self.feeds:
                    self.feeds[site, name] = self.feed(site, name)
                self.feeds[site, name].update(values, ward[site])
            done = self.everywhere(name, parts)
            if done and done[0]["method"] == "mask":
                wrong |= True
            for site, values in parts.items():
                one = self.one(site, name, values)
                if one and one[0].pop("late", True):
                    wrong |= batch.site == site
                done += one
            actions += done
        coded = self.codes(batch)
        return actions + coded, wrong | bool(coded)

    def ward(self, site, code):
        """Log odds that one diagnosis has become frequent, as where a ward has opened: Beta-binomial, within reason."""
        n, usual = len(code), self.shares.get(site, self.shares[""])
        code = self.translate(code)
        odds = [-2.0]
        for one, share in zip(self.model.tolist(), usual.tolist(), strict=True):
            k, a = int((code == one).sum()), 80 * share
            if k > share * n:
                odds.append(float(betabinom.logpmf(k, n, 3, 4) - betabinom.logpmf(k, n, a, 80 - a)))
        return min(max(odds), 6.0)

    def everywhere(self, name, parts):
        """A burst is one thing that happens to all sites, not as many accidents as there are sites."""
        usual, burst = 0.0, 0.0
        for site, values in parts.items():
            k, n = int(np.isnan(values).sum()), len(values)
            feed = self.feeds[site, name]
            usual += float(
                np.logaddexp(feed.lost("usual", k, n) + np.log(0.97), np.log(0.03) + betabinom.logpmf(k, n, *LOST))
            )
            burst += float(betabinom.logpmf(k, n, *LOST))
        before = self.burst[name] * BURST[1] + (1 - self.burst[name]) * BURST[0]
        self.burst[name] = float(np.clip(expit(np.log(before / (1 - before)) + burst - usual), 1e-9, 1 - 1e-9))
        if self.burst[name] > SURE and ("", name) not in self.on and len(parts) > 1:
            self.on["", name] = ("mask", 1.0, "down")
            return [{"type": "data_fix", "feature": name, "method": "mask", "cause": "missing_data"}]
        if self.burst[name] < 1 - SURE and ("", name) in self.on:
            del self.on["", name]
            for site in parts:  # what looked like an interface that stays down at a site was the burst
                feed = self.feeds[site, name]
                feed.belief = np.where(np.arange(len(feed.belief)) == 0, 1.0, 1e-9)
            return [{"type": "data_fix", "feature": name, "method": "clear"}]
        return []

    def one(self, site, name, values):
        """At most one action about a feed."""
        feed, have = self.feeds[site, name], self.on.get((site, name))
        if have and feed.harmless > SURE:
            del self.on[site, name]
            # Mended at its source: what was rescaled this month was right as it came.
            late = have[0] == "rescale"
            return [{"type": "data_fix", "feature": name, "site": site, "method": "clear", "late": late}]
        state = feed.fault()
        if not state or (have and have[2] == state) or ("", name) in self.on or (have and np.isnan(values).all()):
            return []
        if state in ("card", "free"):
            factor = float(np.exp(-feed.shift(state, values)))
            if state == "card":
                known = self.card["features"][name]["factor"]
                factor = min((known, 1 / known), key=lambda f: abs(np.log(f / factor)))
            fix = ("rescale", factor, state)
        else:
            fix = ("mask", 1.0, state)
        if have and have[0] == "mask" and fix[0] == "mask":
            self.on[site, name] = fix
            return []
        self.on[site, name] = fix
        action = {"type": "data_fix", "feature": name, "site": site, "method": fix[0], "cause": CAUSE[state]}
        action["confidence"] = round(1 - feed.harmless, 3)
        return [action | ({"factor": fix[1]} if fix[0] == "rescale" else {})]

    def codes(self, batch):
        """Another edition: Beta-binomial of codes that the model does not hold."""
        if ("", "diagnosis") in self.on:
            return []
        strange = ~np.isin(batch.code, self.model)
        odds = -np.inf
        for site in set(batch.site.tolist()):
            k, n = int(strange[batch.site == site].sum()), int((batch.site == site).sum())
            a = 40 * self.local
            odds = max(odds, float(betabinom.logpmf(k, n, 4, 1) - betabinom.logpmf(k, n, a, 40 - a)))
        if expit(odds + np.log(1e-3)) < SURE:
            return []
        method = "remap" if np.isin(batch.code[strange], list(self.card["crosswalk"])).mean() > 0.5 else "mask"
        self.on["", "diagnosis"] = (method, 1.0, "codes")
        return [{"type": "data_fix", "feature": "diagnosis", "method": method, "cause": "coding_change"}]
