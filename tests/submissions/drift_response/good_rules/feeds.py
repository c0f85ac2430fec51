"""Rules for feeds: a site's month is held to the months of that site's own reference year."""

import numpy as np

FEWEST = 25  # values that a month must have to be judged
RATIOS = [0.1, 0.5, 0.9]  # quantiles that move together when a unit or a method changes
WIDER, NARROWER = 1.8, 0.4  # spread against the usual, from which values are not of this feature
MANY = 0.25  # missing, or of one value, more than usual
LEFT = 0.08  # or less: nothing comes any more
PATIENCE = 3  # months of an interface that is down at one site; elsewhere two months, or one that is twice as far


def quantiles(values):
    """Of the logs: a ratio is then a distance."""
    return np.log(values.clip(lower=0.01)).quantile(RATIOS)


def most_common(values):
    """Share of the most frequent value."""
    return values.value_counts(normalize=True).iloc[0]


class Usual:
    """One feature at one site in the reference year."""

    def __init__(self, table, name):
        values, by_month = table[name].dropna(), table.groupby("month_of")[name]
        self.quantiles, self.middle, self.common = quantiles(values), values.median(), most_common(values)
        self.spread = self.quantiles[0.9] - self.quantiles[0.1]
        # Interfaces are down for a month now and then, in the reference year too: the usual month counts.
        self.missing = by_month.apply(lambda v: v.isna().mean()).median()
        wander = (np.log(by_month.median().clip(lower=0.01)) - self.quantiles[0.5]).abs().max()
        self.far = max(2 * wander, 0.2 * self.spread)

    def missed(self, values):
        """Whether many more are missing than usual."""
        return values.isna().mean() > self.missing + MANY

    def chosen(self, values):
        """Whether those who are still tested lie on one side of the usual median: somebody chose whom to test."""
        above = (values.dropna() > self.middle).mean()
        return values.notna().sum() >= FEWEST // 2 and not 0.3 < above < 0.7

    def fault(self, values, factors):
        """(cause, method, factor, whether it is far beyond doubt), or None. factors: of other units, may be none."""
        there = values.dropna()
        if len(there) < FEWEST:
            return None
        if most_common(there) > self.common + MANY:
            return "corrupt_values", "mask", 1.0, True
        now = quantiles(there)
        if self.missed(values) and self.chosen(values) and (now - self.quantiles).abs().min() < 2 * self.far:
            return None
        moved, wider = now - self.quantiles, (now[0.9] - now[0.1]) / self.spread
        if factors and moved.abs().min() > self.far and 1 / WIDER < wider < WIDER:
            sure = bool(moved.abs().min() > 2 * self.far)
            for factor in factors:
                if abs(moved[0.5] - np.log(factor)) < min(max(0.15, self.far), 0.35):
                    return "unit_change", "rescale", 1 / factor, sure
            return "assay_change", "rescale", float(np.exp(-moved.mean())), sure
        if not NARROWER < wider < WIDER:
            return "corrupt_values", "mask", 1.0, bool(wider < NARROWER / 2 or wider > 2 * WIDER)
        return None


class Feeds:
    """The rules for every feed, and the fixes that are on: (site, feature) -> (cause, method, factor)."""

    def __init__(self, card, table):
        self.features, self.crosswalk = card["features"], card["crosswalk"]
        places = [("", table), *table.groupby("site")]
        self.usual = {(site, name): Usual(part, name) for site, part in places for name in self.features}
        self.codes = {site: part["diagnosis"].value_counts(normalize=True) for site, part in places}
        model = set(self.crosswalk.values())
        by_month = table.groupby(["site", "month_of"])["diagnosis"]
        self.strange = 2 * by_month.apply(lambda codes: (~codes.isin(model)).mean()).max() + 0.1
        self.fixes, self.before, self.down = {}, {}, {}

    def of(self, site, name):
        """A new site is held to all sites together."""
        return self.usual.get((site, name)) or self.usual["", name]

    def mended(self, table):
        """The table as the model reads it; masked values are missing."""
        table = table.copy()
        for (site, name), (_, method, factor) in self.fixes.items():
            here = (table["site"] == site) | (site == "")
            if name != "diagnosis":
                table.loc[here, name] *= factor if method == "rescale" else float("nan")
        return table

    def usual_patients(self, part, site):
        """Without the patients of a diagnosis that is suddenly frequent: a new ward's are ill, their values true."""
        code = part["diagnosis"].replace(self.crosswalk)
        more = code.value_counts(normalize=True).sub(self.codes.get(site, self.codes[""]), fill_value=0)
        return part[~code.isin(more[more > 0.15].index)]

    def check(self, month, table):
        """(actions, sites whose scores of this month were wrong)."""
        actions, spoiled = self.diagnoses(table), set()
        if actions:
            spoiled = set(table["site"])
        parts = dict(list(table.groupby("site")))
        for name in self.features:
            found = self.missing(name, parts)
            for site, part in parts.items():
                found.setdefault(site, self.values(name, site, part, month))
            ended = self.ended(name, found, parts)
            actions += ended
            spoiled |= {a["site"] for a in ended if a.pop("was") == "rescale"}
            new = {s: f for s, f in found.items() if f and self.wanted(s, name, f)}
            spoiled |= set(new)
            if len(new) == len(parts) > 1 and all(f[0] == "missing_data" for f in new.values()):
                new = {"": next(iter(new.values()))}
            actions += [self.fix(site, name, *fault) for site, fault in new.items()]
        return actions, spoiled

    def values(self, name, site, part, month):
        """The fault of a site's values: seen for the second month, or far beyond doubt."""
        other = self.features[name].get("factor")
        part = self.usual_patients(part, site)
        fault = self.of(site, name).fault(part[name], (other, 1 / other) if other else ())
        last = self.before.get((site, name))
        self.before[site, name] = fault and fault[0]
        if fault and (fault[3] or last == fault[0]):
            return (*fault[:3], month if fault[3] else month - 1)
        return None

    def missing(self, name, parts):
        """Site -> fault where nothing comes, at most sites at once, or for months."""
        gone = [site for site, part in parts.items() if len(part) >= FEWEST and self.of(site, name).missed(part[name])]
        found = {}
        for site in gone:
            values = parts[site][name]
            random = not self.of(site, name).chosen(values)
            self.down[site, name] = self.down.get((site, name), 0) + random
            lasting = random and self.down[site, name] >= PATIENCE
            masked = "missing_data" in [self.fixes[key][0] for key in ((site, name), ("", name)) if key in self.fixes]
            if values.notna().mean() < LEFT or len(gone) >= max(3, len(parts) - 1) or lasting or masked:
                found[site] = ("missing_data", "mask", 1.0, None)
        for site in set(parts) - set(gone):
            self.down[site, name] = 0
        return found

    def wanted(self, site, name, fault):
        """Whether no fix is on that sees to this fault; a mask sees to any."""
        have = self.fixes.get((site, name)) or self.fixes.get(("", name))
        return not have or (have[1] != "mask" and have[:2] != fault[:2])

    def ended(self, name, found, parts):
        """Fixes are cleared as soon as what is recorded is as usual again."""
        actions = []
        for site, feature in [key for key in self.fixes if key[1] == name]:
            here = [s for s in parts if s == site or not site]
            # A month that cannot be judged clears nothing, nor does the first month of a doubtful fault.
            dark = [s for s in here if parts[s][name].notna().sum() < FEWEST or self.of(s, name).missed(parts[s][name])]
            if not here or dark or any(found.get(s) or self.before.get((s, name)) for s in here):
                continue
            actions.append({"type": "data_fix", "feature": name, "method": "clear"} | ({"site": site} if site else {}))
            actions[-1]["was"] = self.fixes.pop((site, feature))[1]
        return actions

    def diagnoses(self, table):
        """Another edition of the codes at some site."""
        strange = ~table["diagnosis"].isin(set(self.crosswalk.values()))
        by_site = strange.groupby(table["site"])
        share = by_site.mean()[by_site.size() >= FEWEST]
        if not (share > self.strange).any() or ("", "diagnosis") in self.fixes:
            return []
        known = table.loc[strange, "diagnosis"].isin(self.crosswalk).mean()
        return [self.fix("", "diagnosis", "coding_change", "remap" if known > 0.5 else "mask", 1.0, None)]

    def fix(self, site, name, cause, method, factor, since):
        """Notes a fix and says it."""
        self.fixes[site, name] = (cause, method, factor)
        action = {"type": "data_fix", "feature": name, "method": method, "cause": cause}
        action |= {"site": site} if site else {}
        action |= {"factor": factor} if method == "rescale" else {}
        return action | ({"since": since} if since is not None else {})
