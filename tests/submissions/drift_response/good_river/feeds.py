"""Feeds by site: detectors say that one has moved, contracts what it is and whether it is worth a fix."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from intake import LABORATORY, NUMBERS, ratios
from streams import Standard, Watch

FEW = 20  # values from which a feed's month is judged
FAR, FAR_ELSEWHERE = 1.0, 1.4  # sd of its patients by which a feed must move; at a site without a year of its own
APART = 0.5  # log ratio of spreads, likewise
GAP, STOPPED = 0.25, 0.9  # more missing than usual; share missing when nothing comes
NEAR = 0.3  # of the way to a factor of the card that a month may be off, on the log scale
MORE_OFTEN = 0.12  # by which a diagnosis is more frequent in a site with a new ward


@dataclass(frozen=True)
class Fault:
    """What is wrong with a feed since which month, and what mends it."""

    cause: str
    method: str
    since: int
    factor: float = 1.0


class Feed:
    """One feature at one site. year: (n,) ratios, NaN is missing.  month_of: (n,).  own: whether it is of this site."""

    def __init__(self, name, year, month_of, own=True, roam=0.0):
        self.name, self.own = name, own
        self.values = year[~np.isnan(year)]
        self.centre, self.sd = float(self.values.mean()), float(self.values.std()) + 1e-6
        months = [year[month_of == m] for m in np.unique(month_of)]
        self.missing = float(np.median([np.isnan(v).mean() for v in months]))
        full = [v[~np.isnan(v)] for v in months if (~np.isnan(v)).sum() >= 8]
        means, sds = [v.mean() for v in full], [np.log(v.std() + 1e-6) for v in full]
        self.mean = Standard(means, max(0.12 * self.sd, roam))
        self.spread = Standard(sds, 0.12)
        self.watches = {
            "mean": Watch([self.mean.score(v) for v in means], slack=1.5, limit=2.5),
            "spread": Watch([self.spread.score(v) for v in sds], slack=1.5, limit=2.0),
            # An interface that is down is so for a month or two.
            "gap": Watch([0.0] * len(months), slack=0.2, limit=1.7),
            "constant": Watch([0.0] * len(months), slack=0.2, limit=0.5),
        }

    def gap(self, values):
        """Whether many more values than usual are missing, and not because only the ill are tested."""
        if len(values) < FEW // 2 or np.isnan(values).mean() < self.missing + GAP:
            return False
        return not self.chosen(values)

    def chosen(self, values):
        """Whether those who still have a value are nearly all on one side of the usual ones."""
        there = values[~np.isnan(values)]
        if len(there) < FEW // 2 or np.isnan(values).mean() < self.missing + GAP / 2:
            return False
        middle = float(np.median(self.values))
        above = float((there > middle).mean() + (there == middle).mean() / 2)
        return abs(above - 0.5) > 0.2

    def constant(self, there):
        """Whether one value is far more frequent than it used to be."""
        value, times = Counter(there.tolist()).most_common(1)[0]
        return times / len(there) > float((self.values == value).mean()) + 0.3

    def inspect(self, values, plain, month):
        """The Fault of a month's (n,) ratios, or None. plain: (n,) patients who are not of a new ward."""
        gap = self.gap(values)
        if self.watches["gap"].update(float(gap), month) or (gap and np.isnan(values).mean() > STOPPED):
            return Fault("missing_data", "mask", self.watches["gap"].began or month)
        there = values[~np.isnan(values)]
        if len(there) < FEW:
            return None
        if self.watches["constant"].update(float(self.constant(there)), month):
            return Fault("corrupt_values", "mask", month)
        rest = values[plain & ~np.isnan(values)]
        if len(rest) < FEW or self.chosen(values):
            return None
        shift, wider = self.shape(rest)
        wide = self.watches["spread"].update(self.spread.score(np.log(rest.std() + 1e-6)), month)
        if wide and abs(wider) > APART:
            return Fault("corrupt_values", "mask", self.watches["spread"].began or month)
        moved = self.watches["mean"].update(self.mean.score(rest.mean()), month)
        enough = abs(shift) > (FAR if self.own else FAR_ELSEWHERE) * self.sd
        return ("moved", shift, self.watches["mean"].began or month) if moved and enough else None

    def shape(self, there):
        """(by how much values moved, log ratio of spreads)."""
        return float(there.mean() - self.centre), float(np.log((there.std() + 1e-6) / self.sd))

    def sound(self, values, plain, fault):
        """Whether values as recorded need no fix any more."""
        there = values[plain & ~np.isnan(values)]
        if len(there) < FEW // 2:
            return False
        if fault.cause == "missing_data":
            return not self.gap(values)
        shift, wider = self.shape(there)
        if fault.method == "rescale":
            return abs(shift) < abs(shift + np.log(fault.factor)) and abs(shift) < FAR * self.sd
        return abs(shift) < FAR * self.sd and abs(wider) < APART and not self.constant(there)

    def forget(self):
        """Detectors begin anew."""
        for watch in self.watches.values():
            watch.reset()


class Board:
    """All feeds, and the fixes that are on: (site, feature) -> Fault, site "" for all."""

    def __init__(self, year, card):
        self.crosswalk, self.units = card["crosswalk"], card["features"]
        self.codes = set(self.crosswalk.values())
        self.sites = sorted(year["site"].unique())
        self.feeds, self.shares, self.tens, self.strange = {}, {}, {}, {}
        when = year["month"].to_numpy()
        code = self.translated(year["diagnosis"])
        for site in self.sites:
            mine = (year["site"] == site).to_numpy()
            self.shares[site] = code[mine].value_counts(normalize=True).to_dict()
            for name in NUMBERS:
                self.feeds[site, name] = Feed(name, ratios(name, year.loc[mine, name]), when[mine])
            self.strange[site] = float((~year.loc[mine, "diagnosis"].isin(self.codes)).mean())
        self.shares[""] = code.value_counts(normalize=True).to_dict()
        self.strange[""] = max(self.strange.values())
        self.code_watches = {}
        self.year, self.when = year, when
        self.together = {name: Watch([0.0] * 12, slack=1.0, limit=1.5) for name in NUMBERS}
        self.fixes = {}
        self.gaps = {}

    def translated(self, code):
        """Codes by the crosswalk."""
        return code.map(lambda c: self.crosswalk.get(c, c))

    def feed(self, site, name):
        """The feed of a site; one that was not there in the year is held to all, and to how sites differ."""
        if (site, name) not in self.feeds:
            between = 2 * float(np.std([self.feeds[s, name].centre for s in self.sites], ddof=1))
            self.feeds[site, name] = Feed(name, ratios(name, self.year[name]), self.when, own=False, roam=between)
        return self.feeds[site, name]

    def plain(self, site, code):
        """(n,) patients who are not of diagnoses that have become much more frequent there."""
        usual = self.shares.get(site, self.shares[""])
        now = code.value_counts(normalize=True)
        ward = [c for c, share in now.items() if share > usual.get(c, 0.0) + MORE_OFTEN]
        return (~code.isin(ward)).to_numpy()

    def review(self, frame):
        """(actions, (n,) rows that were read wrongly this month)."""
        month = int(frame["month"].iloc[0])
        site_of = frame["site"].to_numpy()
        sites = sorted(set(site_of.tolist()))
        rows = {site: site_of == site for site in sites}
        code = self.translated(frame["diagnosis"])
        plain = {site: self.plain(site, code[rows[site]]) for site in sites}
        wrong, actions = np.zeros(len(frame), bool), []
        for name in NUMBERS:
            values = {site: ratios(name, frame.loc[rows[site], name]) for site in sites}
            found = self.look(name, values, plain, month)
            for key in [key for key in self.fixes if key[1] == name]:
                actions += self.unfix(key, values, plain, found, rows, wrong)
            new = {s: f for s, f in found.items() if (s, name) not in self.fixes and ("", name) not in self.fixes}
            for site in new:
                wrong |= rows[site]
            if len(new) == len(sites) > 1 and {f.cause for f in new.values()} == {"missing_data"}:
                new = {"": next(iter(new.values()))}
            actions += [self.fix(site, name, fault) for site, fault in new.items()]
        return actions + self.coded(frame, rows, wrong, month), wrong

    def look(self, name, values, plain, month):
        """Site -> Fault of one feature."""
        found = {}
        for site, own in values.items():
            fault = self.feed(site, name).inspect(own, plain[site], month)
            if isinstance(fault, tuple):
                fault = self.factor(name, fault[1], self.feed(site, name), fault[2])
            if fault:
                found[site] = fault
        gaps = [site for site, own in values.items() if self.feed(site, name).gap(own)]
        # At most sites in one month: not an interface but what they share.
        if self.together[name].update(float(len(gaps)), month) and len(gaps) >= max(3, len(values) - 1):
            found |= {site: Fault("missing_data", "mask", month) for site in gaps}
        return found

    def factor(self, name, shift, feed, since):
        """A factor of the card when the shift is near one, else one of its own."""
        if name not in LABORATORY:
            return Fault("corrupt_values", "mask", since)
        factor = self.units[name].get("factor")
        for known in (factor, 1 / factor) if factor else ():
            if abs(shift - np.log(known)) < max(min(NEAR, 2.5 * feed.mean.sd), 0.1):
                return Fault("unit_change", "rescale", since, 1 / known)
        return Fault("assay_change", "rescale", since, float(np.exp(-shift)))

    def fix(self, site, name, fault):
        """Notes a fix and says it."""
        self.fixes[site, name] = fault
        action = {"type": "data_fix", "feature": name, "method": fault.method, "cause": fault.cause}
        action |= {"confidence": 0.95, "since": fault.since} | ({"site": site} if site else {})
        return action | ({"factor": fault.factor} if fault.method == "rescale" else {})

    def unfix(self, key, values, plain, found, rows, wrong):
        """Ends a fix whose feed is sound as recorded; one whose feed is wrong otherwise gives way."""
        (site, name), fault = key, self.fixes[key]
        here = [s for s in values if not site or s == site]
        told = [s for s in here if len(values[s]) >= FEW]
        other = bool(site and found.get(site) and found[site].cause != fault.cause and fault.method == "rescale")
        if not told or not (other or all(self.feed(s, name).sound(values[s], plain[s], fault) for s in told)):
            return []
        del self.fixes[key]
        for s in here:
            if fault.method == "rescale":
                wrong |= rows[s]
            if not other:
                found.pop(s, None)
                self.feed(s, name).forget()
        return [] if other else [
            {"type": "data_fix", "feature": name, "method": "clear", **({"site": site} if site else {})}
        ]  # fmt: skip

    def coded(self, frame, rows, wrong, month):
        """Diagnoses that the model does not hold, at sites where they were few."""
        if ("", "diagnosis") in self.fixes:
            return []
        found, tens = [], 0.0
        for site, mine in rows.items():
            codes = frame.loc[mine, "diagnosis"]
            share = float((~codes.isin(self.codes)).mean()) - self.strange.get(site, self.strange[""])
            watch = self.code_watches.setdefault(site, Watch([0.0] * 12, slack=0.1, limit=0.25))
            if watch.update(share, month) and mine.sum() >= FEW:
                found.append(site)
                tens = max(tens, float(codes.isin(list(self.crosswalk)).mean()))
        for site in found:
            wrong |= rows[site]
        method = "remap" if tens > 0.25 else "mask"
        return [self.fix("", "diagnosis", Fault("coding_change", method, month))] if found else []

    def as_read(self, frame):
        """(the table as the model reads it, (n, 9) values that are masked), by the fixes that are on."""
        frame, masks = frame.copy(), np.zeros((len(frame), len(NUMBERS)), bool)
        for (site, name), fault in self.fixes.items():
            mine = ((frame["site"] == site) | (not site)).to_numpy()
            if fault.method == "remap":
                frame["diagnosis"] = self.translated(frame["diagnosis"])
            elif fault.method == "rescale":
                frame[name] = frame[name].where(~mine, frame[name] * fault.factor)
            elif name in NUMBERS:
                masks[mine, NUMBERS.index(name)] = True
        return frame, masks
