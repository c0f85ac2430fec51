"""Feeds, by site and feature: how far a month is from the reference year, in units of how far its months are apart."""

from dataclasses import dataclass

import evidence
import numpy as np
from deliveries import COLUMN, LABS, NUMBERS, logs
from evidence import Cusum
from scipy import stats

FEW = 20  # values from which a month of a feed is judged
CERTAIN = 8.0  # log likelihood ratio at which a feed is called wrong
WORTH, WORTH_NEW = 1.0, 1.4  # sd of its patients by which a feed must have moved; at a site without a year of its own
SPREAD = 0.5  # log ratio of spreads, likewise
CHOSEN = 0.85  # share on one side of the usual median when only those who need a test are tested
MORE = 0.12  # by which a diagnosis is more frequent when a ward has opened


@dataclass(frozen=True)
class Fault:
    """What is wrong, and what is done about it."""

    cause: str
    method: str
    factor: float = 1.0
    since: int = 0


@dataclass
class Usual:
    """A feed in the reference year. values: on the log scale.  apart, spreads: sd between months of the mean and of the
    log of the sd.  missing: median share of a month.
    """

    values: np.ndarray
    apart: float
    spreads: float
    missing: float

    @property
    def centre(self):
        """Mean of the values."""
        return float(self.values.mean())

    @property
    def sd(self):
        """Standard deviation of the values."""
        return float(self.values.std()) + 1e-6


def scale(x, name):
    """(n,) values of a feature as ratios, so that a factor is a distance."""
    values = x[:, COLUMN[name]]
    return np.log1p(np.maximum(values, 0)) if name == "admissions" else logs(values)


class Feeds:
    """What is usual, what is suspected, and what is being done."""

    def __init__(self, card, year):
        self.card = card
        self.home = sorted(set(year.site.tolist()))
        code = card.translated(year.code)
        self.usual, self.codes, self.tens = {}, {}, {}
        for site in [*self.home, ""]:
            mine = (year.site == site) | (not site)
            self.codes[site] = {c: float((code[mine] == c).mean()) for c in card.known}
            self.tens[site] = self.foreign(year.code[mine])
            for name in NUMBERS:
                self.usual[site, name] = self.year_of(scale(year.x[mine], name), year.month_of[mine])
        cells = [self.usual[site, name] for site in self.home for name in NUMBERS]
        # A year has twelve months: a feed's own variation is held to be no smaller than that of most.
        least = np.median([cell.apart / cell.sd for cell in cells]), np.median([cell.spreads for cell in cells])
        for cell in self.usual.values():
            cell.apart, cell.spreads = max(cell.apart, least[0] * cell.sd), max(cell.spreads, least[1], 0.08)
        for name in NUMBERS:
            # A site that was not there may differ as sites do.
            others = np.std([self.usual[site, name].centre for site in self.home], ddof=1)
            self.usual["", name].apart = float(np.hypot(self.usual["", name].apart, 2 * others))
        # An interface that is down for a month: how often, and what it loses.
        lost = [
            np.isnan(scale(year.x[mine], name)).mean() - self.usual[site, name].missing
            for site in self.home
            for m in np.unique(year.month_of)
            for mine in [(year.site == site) & (year.month_of == m)]
            for name in LABS
            if mine.sum() >= FEW
        ]
        down = np.array(lost) > 0.3
        self.outage = (down.sum() + 1) / (len(down) + 20)
        self.sums = {}  # (site, feature, hypothesis) -> Cusum
        self.fixes = {}  # (site, feature) -> Fault
        self.short = {}

    @staticmethod
    def year_of(values, month_of):
        """A Usual from a year of one feed."""
        months = [values[month_of == m] for m in np.unique(month_of)]
        full = [v[~np.isnan(v)] for v in months]
        full = [v for v in full if len(v) >= 8]
        missing = float(np.median([np.isnan(v).mean() for v in months]))
        means, sds = [v.mean() for v in full], [np.log(v.std() + 1e-6) for v in full]
        apart, spreads = (float(np.std(v, ddof=1)) if len(v) > 2 else 0.0 for v in (means, sds))
        return Usual(values[~np.isnan(values)], apart, spreads, missing)

    def foreign(self, code):
        """(share of codes of the other edition, share of codes that the model does not know)."""
        there = code.tolist()
        tens = sum(c in self.card.crosswalk for c in there)
        return tens / max(len(there), 1), sum(c not in self.card.known for c in there) / max(len(there), 1)

    def of(self, site):
        """The site whose year a site is held to."""
        return site if site in self.home else ""

    def review(self, now):
        """(actions, (n,) rows that a feed spoiled this month)."""
        sites = sorted(set(now.site.tolist()))
        rows = {site: now.site == site for site in sites}
        code = self.card.translated(now.code)
        spoiled = np.zeros(len(now.site), bool)
        actions = []
        for name in NUMBERS:
            values = scale(now.x, name)
            found = {s: self.judged(s, name, values[rows[s]], code[rows[s]], now.month) for s in sites}
            found |= self.absent(name, {s: values[rows[s]] for s in sites}, now.month)
            for key in [key for key in self.fixes if key[1] == name]:
                actions += self.ended(key, found, values, rows, code, spoiled)
            new = {s: f for s, f in found.items() if f and not self.fixed(s, name)}
            for site in new:
                spoiled |= rows[site]
            actions += self.mend(name, new, sites, now.month)
        return actions + self.edition(now, rows, spoiled), spoiled

    def fixed(self, site, name):
        """The fix that is on, or None."""
        return self.fixes.get((site, name)) or self.fixes.get(("", name))

    def judged(self, site, name, values, code, month):
        """The Fault that has become certain of what a feed does deliver, or None."""
        usual = self.usual[self.of(site), name]
        there = values[~np.isnan(values)]
        if len(there) < FEW:
            return None
        # Patients of diagnoses that are suddenly frequent are those of a new ward: their values are true.
        before = self.codes[self.of(site)]
        ward = [c for c, share in before.items() if (code == c).mean() > share + MORE]
        rest = values[~np.isin(code, np.array(ward, object)) & ~np.isnan(values)]
        kinds, counts = np.unique(there, return_counts=True)
        often, k = kinds[counts.argmax()], int(counts.max())
        spike = evidence.counted(k, len(there), 0.6, min((usual.values == often).mean() + 0.1, 0.5))
        constant = self.certain(site, name, "constant", spike, month)
        if constant is not None:
            return Fault("corrupt_values", "mask", since=constant)
        if len(rest) < FEW or self.selected(usual, values):
            return None
        size = float(rest.mean() - usual.centre)
        wider = float(np.log((rest.std() + 1e-6) / usual.sd))
        sd = float(np.hypot(usual.apart, usual.sd / np.sqrt(len(rest)) / 2))
        # A factor moves all values alike; what moves some, or moves them apart, is something else.
        spread = evidence.moved(wider, usual.spreads, 1.0) if abs(wider) > SPREAD else -2.0
        apart = self.certain(site, name, "spread", spread, month)
        if apart is not None:
            return Fault("corrupt_values", "mask", since=apart)
        far = abs(size) > (WORTH if site in self.home else WORTH_NEW) * usual.sd and abs(wider) <= SPREAD
        moved = self.certain(site, name, "mean", evidence.moved(size, sd, 1.0) if far else -2.0, month)
        return None if moved is None else self.factor(name, size, sd, moved)

    def factor(self, name, size, sd, since):
        """Which factor a feed has moved by: of the card's, or one of its own."""
        if name not in LABS:
            return Fault("corrupt_values", "mask", since=since)
        free = stats.norm.logpdf(size, 0, 1.5)
        factor = self.card.factor.get(name)
        for known in (factor, 1 / factor) if factor else ():
            if stats.norm.logpdf(size, np.log(known), max(sd, 0.06)) > free:
                return Fault("unit_change", "rescale", 1 / known, since)
        return Fault("assay_change", "rescale", float(np.exp(-size)), since)

    @staticmethod
    def selected(usual, values):
        """Whether those who are tested are those who need it: many are missing, and nearly all on one side are."""
        there = values[~np.isnan(values)]
        if np.isnan(values).mean() < usual.missing + 0.2 or not len(there):
            return False
        middle = float(np.median(usual.values))
        above = float((there > middle).sum() + (there == middle).sum() / 2)
        n = len(there)
        return max(evidence.counted(above, n, p, 0.5) for p in (CHOSEN, 1 - CHOSEN)) > 3

    def absent(self, name, values, month):
        """Site -> Fault of feeds that have stopped, or lose values for longer or at more sites than an outage does."""
        llr = {}
        for site, own in values.items():
            usual, n = self.usual[self.of(site), name], len(own)
            if n < FEW // 2:
                continue
            k, p = int(np.isnan(own).sum()), float(np.clip(usual.missing, 0.005, 0.6))
            normal = stats.betabinom.logpmf(k, n, 25 * p, 25 * (1 - p)) + np.log(1 - self.outage)
            down = stats.betabinom.logpmf(k, n, 6, 4) + np.log(self.outage)
            lost = np.logaddexp(stats.betabinom.logpmf(k, n, 6, 4), stats.betabinom.logpmf(k, n, 60, 0.5)) - np.log(2)
            llr[site] = float(lost - np.logaddexp(normal, down))
            if self.selected(usual, own):
                llr[site] = -evidence.MOST
        self.short[name] = {site for site, value in llr.items() if value > 0}
        # A burst is at all sites at once; outages of their interfaces are not.
        most = len(self.short[name]) >= max(3, len(llr) - 1)
        together = self.sum("", name, "missing").add(sum(llr.values()) if most else -evidence.MOST, month)
        found = {}
        for site, value in llr.items():
            own = self.sum(site, name, "missing")
            total = max(own.add(value, month), together)
            if total > CERTAIN and value > 0:
                found[site] = Fault("missing_data", "mask", since=own.since if own.since is not None else month)
        return found

    def ended(self, key, found, values, rows, code, spoiled):
        """Takes a fix away once the feed is as usual without it, or is wrong in another way."""
        site, name = key
        fault = self.fixes[key]
        here = [s for s in rows if not site or s == site]
        enough = [s for s in here if (~np.isnan(values[rows[s]])).sum() >= FEW]
        if fault.cause == "missing_data":
            over = bool(enough) and not any(s in self.short[name] for s in here)
            over = over or bool(enough and site and found.get(site) and found[site].cause != "missing_data")
        else:
            over = bool(enough) and all(self.sound(s, name, values[rows[s]], code[rows[s]], fault) for s in enough)
        if not over:
            return []
        del self.fixes[key]
        for s in here:
            if fault.method == "rescale":
                spoiled |= rows[s]
            if not found.get(s):
                self.forget(s, name)
        if site and found.get(site):
            return []  # the fix of what is wrong now takes its place
        return [{"type": "data_fix", "feature": name, "method": "clear", **({"site": site} if site else {})}]

    def sound(self, site, name, values, code, fault):
        """Whether values as recorded are nearer the usual ones than what the fix was made for."""
        usual = self.usual[self.of(site), name]
        there = values[~np.isnan(values)]
        ward = [c for c, share in self.codes[self.of(site)].items() if (code == c).mean() > share + MORE]
        there = values[~np.isin(code, np.array(ward, object)) & ~np.isnan(values)] if ward else there
        if len(there) < FEW // 2:
            return False
        size, wider = float(there.mean() - usual.centre), float(np.log((there.std() + 1e-6) / usual.sd))
        if fault.method == "rescale":
            sd = max(usual.apart, 0.2 * usual.sd)
            return evidence.at(size, sd, -np.log(fault.factor)) < -3
        most = np.unique(there, return_counts=True)
        constant = most[1].max() / len(there) > (usual.values == most[0][most[1].argmax()]).mean() + 0.25
        return abs(size) < WORTH * usual.sd and abs(wider) < SPREAD and not constant

    def edition(self, now, rows, spoiled):
        """Codes of another edition, or of none, at a site where they were rare."""
        key = ("", "diagnosis")
        if key in self.fixes:
            return []
        found = {}
        for site, mine in rows.items():
            n = int(mine.sum())
            tens, strange = self.foreign(now.code[mine])
            for name, share, usual in zip(
                ("tens", "strange"), (tens, strange), self.tens[self.of(site)], strict=True
            ):
                llr = evidence.counted(share * n, n, 0.6, usual + 0.1)
                if self.sum(site, "diagnosis", name).add(llr, now.month) > CERTAIN:
                    found.setdefault(site, name)
        if not found:
            return []
        for site in found:
            spoiled |= rows[site]
        method = "remap" if "tens" in found.values() else "mask"
        self.fixes[key] = Fault("coding_change", method, since=now.month)
        return [{"type": "data_fix", "feature": "diagnosis", "method": method, "cause": "coding_change"}]

    def mend(self, name, new, sites, month):
        """One action where all sites have lost the same, else one a site."""
        if len(new) == len(sites) > 1 and {f.cause for f in new.values()} == {"missing_data"}:
            new = {"": min(new.values(), key=lambda f: f.since)}
        actions = []
        for site, fault in new.items():
            self.fixes[site, name] = fault
            action = {"type": "data_fix", "feature": name, "method": fault.method, "cause": fault.cause}
            action |= {"confidence": 0.95, "since": min(fault.since, month)} | ({"site": site} if site else {})
            actions.append(action | ({"factor": fault.factor} if fault.method == "rescale" else {}))
        return actions

    def certain(self, site, name, what, llr, month):
        """The month since which a hypothesis holds, when it has become certain and this month says so too; or None."""
        own = self.sum(site, name, what)
        return own.since if own.add(llr, month) > CERTAIN and llr > 0 else None

    def sum(self, site, name, what):
        """The running sum of one hypothesis about one feed."""
        return self.sums.setdefault((site, name, what), Cusum())

    def forget(self, site, name):
        """Begins anew after a fault is over."""
        for key in [key for key in self.sums if key[:2] in ((site, name), ("", name))]:
            del self.sums[key]

    def as_read(self, now):
        """((n, 9) values, (n,) codes, (n, 9) masks) as the model reads them this month."""
        x, masks = now.x.copy(), np.zeros(now.x.shape, bool)
        code = now.code
        for (site, name), fault in self.fixes.items():
            rows = (now.site == site) | (not site)
            if name == "diagnosis":
                code = self.card.translated(code) if fault.method == "remap" else code
            elif fault.method == "rescale":
                x[rows, COLUMN[name]] *= fault.factor
            else:
                masks[rows, COLUMN[name]] = True
        return x, code, masks
