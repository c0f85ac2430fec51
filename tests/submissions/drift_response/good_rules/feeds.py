"""Rules for feeds: a site's month is held to the months of that site's own reference year."""

import numpy as np

FEWEST = 25  # values that a month must have to be judged
RATIOS = [0.1, 0.5, 0.9]  # quantiles that move together when a unit or a method changes
WIDER, NARROWER = 1.8, 0.4  # spread against the usual, from which values are not of this feature
MANY = 0.25  # missing, or of one value, more than usual
LEFT = 0.08  # or less: nothing comes any more
PATIENCE = 4  # months of an interface that is down at one site; elsewhere two months, or one that is twice as far
FREQUENT = 0.15  # of a diagnosis more than usual: a ward has opened


def there(values):
    """What was measured."""
    return values[~np.isnan(values)]


def gone(values):
    """Share of what is missing."""
    return np.isnan(values).mean()


def most_common(values):
    """Share of the most frequent value."""
    return np.unique(values, return_counts=True)[1].max() / len(values)


class Usual:
    """One feature at one site in the reference year."""

    def __init__(self, months):
        """months: the values of each."""
        whole = np.concatenate(months)
        values = there(whole)
        self.more = 0.0 if values.min() > 0 else 1.0  # counts have no logs without it
        self.quantiles, self.middle, self.common = self.of(values), np.median(values), most_common(values)
        self.spread = self.quantiles[2] - self.quantiles[0]
        # Interfaces are down for a month now and then, in the reference year too: the usual month counts.
        self.missing = np.median([gone(part) for part in months])
        wander = max(abs(self.of(there(part))[1] - self.quantiles[1]) for part in months if len(there(part)))
        self.far = max(2 * wander, 0.2 * self.spread)

    def of(self, values):
        """Quantiles of the logs: a ratio is then a distance."""
        return np.quantile(np.log(np.maximum(values + self.more, 0.01)), RATIOS)

    def missed(self, values):
        """Whether many more are missing than usual."""
        return gone(values) > self.missing + MANY

    def chosen(self, values):
        """Whether those who are still tested lie on one side of the usual median: somebody chose whom to test."""
        values = there(values)
        return len(values) >= FEWEST // 2 and not 0.3 < (values > self.middle).mean() < 0.7

    def fault(self, values, factors):
        """(cause, method, factor, whether it is far beyond doubt), or None. factors: of other units, may be none."""
        known = there(values)
        if len(known) < FEWEST:
            return None
        if most_common(known) > self.common + MANY:
            return "corrupt_values", "mask", 1.0, True
        now = self.of(known)
        moved, wider = now - self.quantiles, (now[2] - now[0]) / self.spread
        nearest = abs(moved).min()
        if self.missed(values) and self.chosen(values) and nearest < 2 * self.far:
            return None
        if factors and nearest > self.far and 1 / WIDER < wider < WIDER:
            sure = bool(nearest > 2 * self.far)
            for factor in factors:
                if abs(moved[1] - np.log(factor)) < min(max(0.15, self.far), 0.35):
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
        self.usual = {}
        for site, part in places:
            months = [own for _, own in part.groupby("month_of")]
            for name in self.features:
                self.usual[site, name] = Usual([own[name].to_numpy(float) for own in months])
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
        code = part["diagnosis"].map(lambda written: self.crosswalk.get(written, written))
        more = code.value_counts(normalize=True).sub(self.codes.get(site, self.codes[""]), fill_value=0)
        return part[~code.isin(more[more > FREQUENT].index)]

    def check(self, month, table):
        """(actions, sites whose scores of this month were wrong)."""
        actions, spoiled = self.diagnoses(table), set()
        if actions:
            spoiled = set(table["site"])
        parts = dict(list(table.groupby("site")))
        usual = {site: self.usual_patients(part, site) for site, part in parts.items()}
        for name in self.features:
            values = {site: part[name].to_numpy(float) for site, part in parts.items()}
            found = self.missing(name, values)
            for site, part in usual.items():
                found.setdefault(site, self.values(name, site, part[name].to_numpy(float), month))
            ended = self.ended(name, found, values)
            actions += ended
            spoiled |= {a["site"] for a in ended if a.pop("was") == "rescale"}
            new = {s: f for s, f in found.items() if f and self.wanted(s, name, f)}
            spoiled |= set(new)
            if len(new) == len(parts) > 1 and all(f[0] == "missing_data" for f in new.values()):
                new = {"": next(iter(new.values()))}
            actions += [self.fix(site, name, *fault) for site, fault in new.items()]
        return actions, spoiled

    def values(self, name, site, values, month):
        """The fault of a site's values: seen for the second month, or far beyond doubt."""
        other = self.features[name].get("factor")
        fault = self.of(site, name).fault(values, (other, 1 / other) if other else ())
        if fault and fault[0] == "assay_change" and (site, name) not in self.usual:
            fault = None  # a new site's patients are others
        last = self.before.get((site, name))
        self.before[site, name] = fault and fault[0]
        if fault and (fault[3] or last == fault[0]):
            return (*fault[:3], month if fault[3] else month - 1)
        return None

    def missing(self, name, values):
        """Site -> fault where nothing comes, at all sites at once, or for months.

        An interface that is down for a month asks for nothing, nor do two or three of them that happen to coincide.
        """
        judged = [site for site, own in values.items() if len(own) >= FEWEST]
        fewer = [site for site in judged if self.of(site, name).missed(values[site])]
        random = [site for site in fewer if not self.of(site, name).chosen(values[site])]
        everywhere = len(fewer) == len(judged) and len(random) > len(judged) / 2
        found = {}
        for site in values:
            self.down[site, name] = self.down.get((site, name), 0) + 1 if site in random else 0
            masked = "missing_data" in [self.fixes[key][0] for key in ((site, name), ("", name)) if key in self.fixes]
            nothing = site in judged and gone(values[site]) > 1 - LEFT
            if nothing or (site in fewer and (everywhere or masked or self.down[site, name] >= PATIENCE)):
                found[site] = ("missing_data", "mask", 1.0, None)
        return found

    def wanted(self, site, name, fault):
        """Whether no fix is on that sees to this fault; a mask sees to any."""
        have = self.fixes.get((site, name)) or self.fixes.get(("", name))
        return not have or (have[1] != "mask" and have[:2] != fault[:2])

    def ended(self, name, found, values):
        """Fixes are cleared as soon as what is recorded is as usual again."""
        actions = []
        for site, feature in [key for key in self.fixes if key[1] == name]:
            here = [s for s in values if s == site or not site]
            # A month that cannot be judged clears nothing, nor does the first month of a doubtful fault.
            dark = [s for s in here if len(there(values[s])) < FEWEST or self.of(s, name).missed(values[s])]
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
