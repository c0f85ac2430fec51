"""What every feed of every site is held to, month by month: its own reference year."""

from dataclasses import dataclass

import numpy as np

from tables import CODE, CROSSWALK, NAMES, UNIT_FACTOR

FEWEST = 25  # values from which a site's month is judged
LABORATORY = ("creatinine", "haemoglobin", "sodium", "glucose", "albumin", "bnp")  # measured, so in some unit
LASTING = 3  # months of a feed's missing values that are more than an interface that was down
MORE_OFTEN = 0.15  # by which a diagnosis is more frequent when other patients come
SHIFT = 1.1  # sd of the feature; other patients shift it by .3, a restless laboratory by .6, a factor by more


@dataclass(frozen=True)
class Fault:
    """What is wrong with a feed, and what mends it. factor: for rescale."""

    cause: str
    method: str
    factor: float = 1.0


MISSING = Fault("missing_data", "mask")
UNTOLD = Fault("", "")  # too few values to tell


def on_log(name, values):
    """(m,) of the values that are there; ratios become distances."""
    there = values[~np.isnan(values)]
    return np.log1p(np.maximum(there, 0)) if name == "admissions" else np.log(np.maximum(there, 1e-2))


class Contracts:
    """The reference year by site; a site that was not there is held to all sites together."""

    def __init__(self, table, month_of):
        self.sites = sorted(set(table.site.tolist()))
        self.known = set(CROSSWALK.values())
        self.usual, self.shares, self.missing, self.wander = {}, {}, {}, {}
        for site in ["", *self.sites]:
            rows = table.site == site if site else np.full(len(table), True)
            codes = table.code[rows]
            self.shares[site] = {code: float((codes == code).mean()) for code in sorted(self.known)}
            for name in NAMES:
                values = table.values[name][rows]
                months = [values[month_of[rows] == m] for m in np.unique(month_of)]
                # Interfaces are down for a month now and then: the usual month, not the mean.
                self.missing[site, name] = float(np.median([np.isnan(v).mean() for v in months]))
                self.usual[site, name] = values
                means = [on_log(name, v).mean() for v in months if (~np.isnan(v)).sum() >= 10]
                self.wander[site, name] = float(np.std(means, ddof=1)) if len(means) > 2 else 0.0
        self.local = float(np.mean([c not in self.known for c in table.code.tolist()]))

    def usual_patients(self, site, code):
        """(n,) rows but for those of diagnoses that have become much more frequent: a ward's new patients are ill."""
        more = [c for c, share in self.shares[site].items() if (code == c).mean() > share + MORE_OFTEN]
        return ~np.isin(code, np.array(more, object))

    def gone(self, site, name, values):
        """Whether many more values than usual are missing."""
        there = self.missing[site if site in self.sites else "", name]
        return bool(len(values) >= FEWEST and np.isnan(values).mean() > there + 0.25)

    def chosen(self, site, name, values):
        """Whether those who are still tested are those who need it: then nearly all lie in one half of the usual."""
        there = values[~np.isnan(values)]
        middle = np.nanmedian(self.usual[site if site in self.sites else "", name])
        if len(there) < FEWEST // 2:
            return False
        above = float((there > middle).mean() + (there == middle).mean() / 2)
        return not 0.36 < above < 0.64

    def numbers(self, site, name, values, code):
        """The Fault of a feature's (n,) values of a month at a site, None when they are as usual. code: (n,)."""
        site = site if site in self.sites else ""
        usual = self.usual[site, name]
        there = ~np.isnan(values)
        if there.sum() < FEWEST:
            return UNTOLD
        kinds, counts = np.unique(values[there], return_counts=True)
        most = kinds[counts.argmax()]
        if counts.max() / there.sum() > (usual == most).mean() + 0.3:
            return Fault("corrupt_values", "mask")
        now = on_log(name, values[self.usual_patients(site, code)])
        fault = self.moved(name, on_log(name, usual), now, self.wander[site, name])
        tested = fault and fault.method == "rescale" and self.gone(site, name, values)
        return None if tested and self.chosen(site, name, values) else fault

    @staticmethod
    def moved(name, usual, now, wander):
        """A factor where all values moved together; else a mask for values that are not of this feature."""
        if len(now) < FEWEST:
            return UNTOLD
        sd = usual.std()
        shift = float(now.mean() - usual.mean())
        wider = (now.std() + 1e-6) / (sd + 1e-6)
        low, high = np.quantile(usual, [0.002, 0.998])
        outside = float(((now < low - 0.1 * sd) | (now > high + 0.1 * sd)).mean())
        alike = 0.6 < wider < 1.5
        if abs(shift) > max(SHIFT * sd, 4 * wander) and alike and name in LABORATORY:
            factor = UNIT_FACTOR.get(name)
            for known in (factor, 1 / factor) if factor else ():
                if abs(shift - np.log(known)) < max(0.1, 0.35 * sd, 2 * wander):
                    return Fault("unit_change", "rescale", 1 / known)
            return Fault("assay_change", "rescale", float(np.exp(-shift)))
        if not 0.4 < wider < 2 or outside > 0.35 or abs(shift) > 2 * sd + 4 * wander:
            return Fault("corrupt_values", "mask")
        return None

    def unknown(self, code):
        """Fault of (n,) diagnoses: codes that the model does not hold."""
        strange = [c for c in code.tolist() if c not in self.known]
        if len(strange) < (self.local + 0.15) * len(code):
            return None
        tens = sum(c in CROSSWALK for c in strange)
        return Fault("coding_change", "remap" if tens > len(strange) / 2 else "mask")


class Feeds:
    """Fixes that are on, and what is to be changed about them."""

    def __init__(self, contracts):
        self.contracts = contracts
        self.translate = np.vectorize(lambda c: CROSSWALK.get(c, c), otypes=[object])
        self.misread = None  # (n,) rows of the last month with a number that was read wrongly
        self.weak = {}  # (site, feature) -> months in a row with many values missing
        self.fixes = {}  # (site, feature) -> Fault; site "" is all

    def mended(self, table):
        """Feature -> (n,) values as the model reads them, but for masks."""
        values = {name: v.copy() for name, v in table.values.items()}
        for (site, name), fault in self.fixes.items():
            if fault.method == "rescale":
                values[name][(table.site == site) | (site == "")] *= fault.factor
        return values

    def coded(self, table):
        """(n,) diagnoses as the model reads them."""
        fault = self.fixes.get(("", CODE))
        return self.translate(table.code) if fault and fault.method == "remap" else table.code

    def masked(self, table):
        """(n, 9) whether a value is masked."""
        out = np.zeros((len(table), len(NAMES)), bool)
        for (site, name), fault in self.fixes.items():
            if fault.method == "mask" and name in NAMES:
                out[(table.site == site) | (site == ""), NAMES.index(name)] = True
        return out

    def check(self, table):
        """(actions, (n,) rows that were read wrongly this month)."""
        actions, wrong = [], np.zeros(len(table), bool)
        sites = sorted(set(table.site.tolist()))
        for name in NAMES:
            found = {site: self.judged(table, site, name) for site in sites} | self.absent(table, name, sites)
            for key in [key for key in self.fixes if key[1] == name]:
                ended = self.over(table, key, found)
                if ended and ended[0].pop("misread", False):
                    wrong |= table.site == key[0]
                actions += ended
            new = {
                site: fault
                for site, fault in found.items()
                if fault and fault != UNTOLD and not self.covers(site, name, fault)
            }
            for site in new:
                wrong |= table.site == site
            actions += self.fix(name, new, sites)
        self.misread = wrong.copy()
        fault = self.contracts.unknown(table.code)
        if fault and ("", CODE) not in self.fixes:
            actions.append(self.action("", CODE, fault))
            strange = ~np.isin(table.code, np.array(sorted(self.contracts.known), object))
            wrong |= np.isin(table.site, [site for site in sites if strange[table.site == site].mean() > 0.3])
        return actions, wrong

    def absent(self, table, name, sites):
        """Site -> MISSING: nothing comes, or at most sites at once too little; a single feed's bad months are usual."""
        values = {site: table.values[name][table.site == site] for site in sites}
        gone = [site for site in sites if self.contracts.gone(site, name, values[site])]
        for site in sites:
            random = site in gone and not self.contracts.chosen(site, name, values[site])
            self.weak[site, name] = self.weak.get((site, name), 0) + 1 if random else 0
        most = len(gone) >= max(3, len(sites) - 1)
        return {
            site: MISSING
            for site in gone
            if most
            or np.isnan(values[site]).mean() > 0.92
            or self.weak[site, name] >= LASTING
            or self.fixes.get((site, name)) == MISSING
        }

    def judged(self, table, site, name, factor=1.0):
        """The Fault of a feature at a site as recorded, or as rescaled."""
        mine = table.site == site
        return self.contracts.numbers(site, name, table.values[name][mine] * factor, self.translate(table.code[mine]))

    def covers(self, site, name, fault):
        """Whether a fix is on for this fault; a mask is one for whatever is recorded."""
        have = self.fixes.get((site, name)) or self.fixes.get(("", name))
        return bool(have) and (have.method == "mask" or have.method == fault.method)

    def over(self, table, key, found):
        """Takes a fix away when what it was for is over, or when it no longer mends the feed."""
        site, name = key
        fault = self.fixes[key]
        here = [found.get(s) for s in ([site] if site else found)]
        if site and site not in found:
            return []
        if fault.method == "mask":
            # A burst that is over may give way to another fault at one of its sites.
            told = [f for f in here if f != UNTOLD]
            stays = not told or any(f and (f.cause == fault.cause or site) for f in told)
        else:
            stays = self.judged(table, site, name, fault.factor) in (None, UNTOLD)
            if not stays and here[0]:
                del self.fixes[key]  # replaced by the fix of what is wrong now
                return []
        if stays:
            return []
        del self.fixes[key]
        action = {"type": "data_fix", "feature": name, "method": "clear", **({"site": site} if site else {})}
        # Mended at its source: this month it was rescaled in vain.
        return [action | ({"misread": True} if fault.method == "rescale" else {})]

    def fix(self, name, new, sites):
        """One action for all sites where all have the same fault, else one a site."""
        everywhere = len(new) == len(sites) > 1 and set(new.values()) == {MISSING}
        if everywhere:
            return [self.action("", name, next(iter(new.values())))]
        return [self.action(site, name, fault) for site, fault in new.items()]

    def action(self, site, name, fault):
        """Notes the fix and says it."""
        self.fixes[site, name] = fault
        out = {"type": "data_fix", "feature": name, "method": fault.method, "cause": fault.cause, "confidence": 0.95}
        if fault.method == "rescale":
            out["factor"] = fault.factor
        return out | ({"site": site} if site else {})
