"""Data contracts by site; a fix that was made is never taken away. No outcomes, no releases."""

import spelling
import numpy as np
import pandas as pd

SURE, LEAST = 1.1, 25  # sd of the feature by which a feed has moved; values that a month of a site must have


class Monitor:
    def __init__(self, card):
        self.factors = {n: f["factor"] for n, f in card["features"].items() if "factor" in f}
        self.last, self.fixes, self.gone = -1, {}, {}

    def start(self, batch):
        batch = spelling.plain(batch)
        table = pd.DataFrame(batch["X"]).assign(site=batch["site"])
        self.local = float(table["diagnosis"].str.contains(r"[A-Z]").mean())
        self.names = [n for n in table if n not in ("diagnosis", "site")]
        self.usual = {key: part.astype(float) for key, part in table[self.names].groupby(table["site"])}

    def month(self, batch):
        batch = spelling.plain(batch)
        try:
            table = pd.DataFrame(batch["X"]).assign(site=batch["site"], score=batch["score"])
            table = table.astype({name: float for name in self.names})
            month = batch["month"] if len(table) and batch["labels"] else -1
        except (KeyError, TypeError, ValueError):
            return []
        if month <= self.last:
            return []
        self.last = month
        actions = []
        for site, part in table.groupby("site"):
            for name in self.names:
                actions += self.feed(site, name, part[name].to_numpy())
        if ("", "diagnosis") not in self.fixes and table["diagnosis"].str.contains(r"[A-Z]").mean() > self.local + 0.3:
            self.fixes["", "diagnosis"] = "coding_change"
            actions.append({"type": "data_fix", "feature": "diagnosis", "method": "remap", "cause": "coding_change"})
        return actions

    def feed(self, site, name, values):
        if site not in self.usual or len(values) < LEAST:
            return []
        usual = self.usual[site][name].to_numpy()
        fault = self.fault(name, usual, values)
        # A month of many missing values is usual, a second one is not.
        gone = fault is not None and fault[0] == "missing_data"
        self.gone[site, name] = self.gone.get((site, name), 0) + 1 if gone else 0
        if self.gone[site, name] == 1 and np.isnan(values).mean() < 0.9:
            return []
        where = {"type": "data_fix", "feature": name, **({"site": site} if site else {})}
        if fault is None:
            return []
        if self.fixes.get((site, name)) == fault[0]:
            return []
        self.fixes[site, name] = fault[0]
        return [where | {"cause": fault[0], "method": "mask"} | fault[1]]

    def fault(self, name, usual, values):
        """(cause, what else the fix says) or None."""
        gone, before = np.isnan(values), np.isnan(usual).mean()
        if gone.mean() > before + 0.4:
            return "missing_data", {}
        there, old = values[~gone], usual[~np.isnan(usual)]
        if len(there) < LEAST:
            return None
        common = pd.Series(there).mode()[0]
        if (there == common).mean() > (old == common).mean() + 0.3:
            return "corrupt_values", {}
        low = 0.5 if name == "admissions" else 1e-2
        now, then = np.log(np.maximum(there, low)), np.log(np.maximum(old, low))
        shift = np.median(now) - np.median(then)
        if name not in self.factors or abs(shift) < SURE * then.std():
            return None
        if not 0.6 < now.std() / then.std() < 1.5:
            return "corrupt_values", {}
        for known in (self.factors[name], 1 / self.factors[name]):
            if abs(shift - np.log(known)) < 0.15:
                return "unit_change", {"method": "rescale", "factor": 1 / known}
        return "assay_change", {"method": "rescale", "factor": float(np.exp(-shift))}
