"""What every feed of every site is held to, month by month: its own reference year."""

from dataclasses import dataclass

import numpy as np

from tables import CODE, CROSSWALK, NAMES, UNIT_FACTOR

FEWEST = 25  # values from which a site's month is judged
LABORATORY = ("creatinine", "haemoglobin", "sodium", "glucose", "albumin", "bnp")  # measured, so in some unit
MORE_OFTEN = 0.15  # by which a diagnosis is more frequent when other patients come
SHIFT = 0.85  # sd of the feature; other patients shift a feature by .3, a factor of two by one and more


@dataclass(frozen=True)
class Fault:
    """What is wrong with a feed, and what mends it. factor: for rescale."""

    cause: str
    method: str
    factor: float = 1.0


MISSING = Fault("missing_data", "mask")


def on_log(name, values):
    """(m,) of the values that are there; ratios become distances."""
    there = values[~np.isnan(values)]
    return np.log1p(np.maximum(there, 0)) if name == "admissions" else np.log(np.maximum(there, 1e-2))


class Contracts:
    """The reference year by site; a site that was not there is held to all sites together."""

    def __init__(self, table):
        self.codes = set(table.code.tolist())
        self.sites = sorted(set(table.site.tolist()))
        self.usual, self.shares = {}, {}
        for site in ["", *self.sites]:
            rows = table.site == site if site else np.full(len(table), True)
            self.usual[site] = {name: table.values[name][rows] for name in NAMES}
            self.shares[site] = {code: float((table.code[rows] == code).mean()) for code in sorted(self.codes)}

    def usual_patients(self, site, code):
        """(n,) rows but for those of diagnoses that have become much more frequent: a ward's new patients are ill."""
        shares = self.shares[site if site in self.shares else ""]
        more = [c for c, share in shares.items() if (code == c).mean() > share + MORE_OFTEN]
        return ~np.isin(code, np.array(more, object))

    def numbers(self, site, name, values, code):
        """The Fault of a feature's (n,) values of a month at a site, None when they are as usual. code: (n,)."""
        usual = self.usual[site if site in self.usual else ""][name]
        if len(values) < FEWEST:
            return None
        if self.gone(site, name, values):
            return None if self.chosen(usual, values) else MISSING
        kinds, counts = np.unique(values[~np.isnan(values)], return_counts=True)
        most = kinds[counts.argmax()]
        if counts.max() / len(values) > (usual == most).mean() + 0.3:
            return Fault("corrupt_values", "mask")
        return self.moved(name, on_log(name, usual), on_log(name, values[self.usual_patients(site, code)]))

    def gone(self, site, name, values):
        """Whether many more values than usual are missing."""
        usual = self.usual[site if site in self.usual else ""][name]
        return bool(len(values) >= FEWEST and np.isnan(values).mean() > np.isnan(usual).mean() + 0.2)

    @staticmethod
    def chosen(usual, values):
        """Whether those who are still tested are those who need it: then nearly all lie in one half of the usual."""
        there = values[~np.isnan(values)]
        if len(there) < FEWEST // 2:
            return False
        middle = np.nanmedian(usual)
        above = float((there > middle).mean() + (there == middle).mean() / 2)
        return not 0.36 < above < 0.64

    @staticmethod
    def moved(name, usual, now):
        """A factor where all values moved together; else a mask for values that are not of this feature."""
        if len(now) < FEWEST:
            return None
        sd = usual.std()
        shift = float(now.mean() - usual.mean())
        wider = (now.std() + 1e-6) / (sd + 1e-6)
        low, high = np.quantile(usual, [0.002, 0.998])
        outside = float(((now < low - 0.1 * sd) | (now > high + 0.1 * sd)).mean())
        alike = 0.6 < wider < 1.5
        if abs(shift) > SHIFT * sd and alike and name in LABORATORY:
            factor = UNIT_FACTOR.get(name)
            for known in (factor, 1 / factor) if factor else ():
                if abs(shift - np.log(known)) < max(0.1, 0.35 * sd):
                    return Fault("unit_change", "rescale", 1 / known)
            return Fault("assay_change", "rescale", float(np.exp(-shift)))
        if not 0.4 < wider < 2 or outside > 0.2 or abs(shift) > 2 * sd:
            return Fault("corrupt_values", "mask")
        return None

    def unknown(self, code):
        """Fault of (n,) diagnoses: codes that the model does not hold."""
        strange = [c for c in code.tolist() if c not in self.codes]
        if len(strange) < 0.15 * len(code):
            return None
        # ICD-10 codes begin with a letter, the model's ICD-9 codes (but E and V) with a digit.
        tens = sum(isinstance(c, str) and c[:1].isalpha() for c in strange)
        return Fault("coding_change", "remap" if tens > len(strange) / 2 else "mask")


class Feeds:
    """Fixes that are on, and what is to be changed about them."""

    def __init__(self, contracts):
        self.contracts = contracts
        self.translate = np.vectorize(lambda c: CROSSWALK.get(c, c), otypes=[object])
        self.fixes = {}  # (site, feature) -> Fault; site "" is all

    def mended(self, table):
        """Feature -> (n,) values as the model reads them, but for masks."""
        values = {name: v.copy() for name, v in table.values.items()}
        for (site, name), fault in self.fixes.items():
            if fault.method == "rescale":
                values[name][(table.site == site) | (site == "")] *= fault.factor
        return values

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
            found = {site: self.judged(table, site, name) for site in sites}
            # One ward may choose whom it tests; all sites at once do not.
            gone = [site for site in sites if self.contracts.gone(site, name, table.values[name][table.site == site])]
            if len(gone) >= max(3, len(sites) - 1):
                found |= dict.fromkeys(gone, MISSING)
            for key in [key for key in self.fixes if key[1] == name]:
                ended = self.over(table, key, found)
                if ended and ended[0].pop("misread", False):
                    wrong |= table.site == key[0]
                actions += ended
            new = {site: fault for site, fault in found.items() if fault and not self.covers(site, name, fault)}
            for site in new:
                wrong |= table.site == site
            actions += self.fix(name, new, sites)
        fault = self.contracts.unknown(table.code)
        if fault and ("", CODE) not in self.fixes:
            actions.append(self.action("", CODE, fault))
            known = np.array([c in self.contracts.codes for c in table.code.tolist()])
            wrong |= np.isin(table.site, np.unique(table.site[~known].astype(str)))
        return actions, wrong

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
            stays = any(f and (f.cause == fault.cause or site) for f in here)
        else:
            stays = self.judged(table, site, name, fault.factor) is None
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
