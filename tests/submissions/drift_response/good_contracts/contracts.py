"""What a batch must look like, and what each feed looked like in the reference year."""

from dataclasses import dataclass, field
from numbers import Number

import numpy as np
import pandas as pd

BASE = ["age", "admissions", "los"]


def is_month(batch, card):
    """True if the delivery keeps the contract: every column there, equal lengths, numbers where numbers belong."""
    try:
        if not isinstance(batch.get("month"), Number) or batch["month"] < 0:
            return False
        table, labels = batch["X"], batch["labels"]
        n = len(batch["encounter"])
        if n == 0 or len(batch["site"]) != n or len(batch["score"]) != n:
            return False
        for name in [*card["features"], "diagnosis"]:
            if len(table[name]) != n:
                return False
        for name in card["features"]:
            if any(v is not None and (isinstance(v, bool) or not isinstance(v, Number)) for v in table[name]):
                return False
        if any(not isinstance(v, Number) or not 0 <= v <= 1 for v in batch["score"]):
            return False
        if any(v is not None and not isinstance(v, str) for v in table["diagnosis"]):
            return False
        k = len(labels["encounter"])
        return len(labels["y"]) == k and len(labels["matured"]) == k and all(v in (0, 1) for v in labels["y"])
    except (KeyError, TypeError, AttributeError):
        return False


@dataclass
class Cell:
    """One feature at one site in the reference year."""

    values: np.ndarray
    missing: float
    mode_share: dict
    wander: float  # largest |log ratio| of a month's median
    spread: float  # sd of log values


@dataclass
class Finding:
    """A feed out of its contract this month."""

    site: str
    feature: str
    cause: str
    method: str
    factor: float = 1.0
    sure: bool = True


@dataclass
class Contracts:
    """The reference year, cell by cell, and the rules that a month's feed is held against."""

    card: dict
    table: pd.DataFrame
    cells: dict = field(default_factory=dict)
    sites: list = field(default_factory=list)
    company: dict = field(default_factory=dict)

    def __post_init__(self):
        self.sites = sorted(self.table["site"].unique())
        self.features = list(self.card["features"])
        self.icd10, self.icd9 = set(self.card["crosswalk"]), set(self.card["crosswalk"].values())
        self.codes = {s: self.code_shares(t) for s, t in self.table.groupby("site")}
        self.codes[None] = self.code_shares(self.table)
        for f in self.features:
            for s in [*self.sites, None]:
                t = self.table if s is None else self.table[self.table["site"] == s]
                v = t[f].dropna().astype(float)
                log = np.log(v.clip(lower=0) + 0.5) if f in BASE else np.log(v.clip(lower=1e-3))
                monthly = t.assign(l=log).groupby("month_of")["l"].median()
                self.cells[s, f] = Cell(
                    v.to_numpy(), float(t[f].isna().mean()), v.value_counts(normalize=True).to_dict(),
                    float((monthly - log.median()).abs().max()), float(log.std()))

    def cell(self, site, feature):
        return self.cells[site if site in self.sites else None, feature]

    def code_shares(self, t):
        known = t["diagnosis"].replace(self.card["crosswalk"])
        return known.value_counts(normalize=True)

    def same_patients(self, t, site):
        """Rows of diagnoses that did not become much more frequent: a new ward is not a broken laboratory."""
        ref = self.codes.get(site, self.codes[None])
        now = self.code_shares(t)
        grown = [c for c in now.index if now[c] > ref.get(c, 0) + 0.06 and now[c] > 1.6 * ref.get(c, 0)]
        known = t["diagnosis"].replace(self.card["crosswalk"])
        return t[~known.isin(grown)]

    def inspect(self, t, site, before):
        """Findings at one site. `before`: last month's rows of the site, for rules that want two months."""
        found = []
        for f in self.features:
            found += self.inspect_number(t, site, f, before)
        found += self.inspect_codes(t, site, before)
        return found

    def missing_jump(self, t, site, f):
        return float(t[f].isna().mean()) - self.cell(site, f).missing

    def log_ratios(self, t, site, f):
        """Log ratios of five quantiles to the reference."""
        ref = self.cell(site, f).values
        v = t[f].dropna().to_numpy(float)
        q = [0.1, 0.25, 0.5, 0.75, 0.9]
        a, b = np.quantile(v, q), np.quantile(ref, q)
        if f in BASE:
            a, b = a + 0.5, b + 0.5
        return np.log(np.clip(a, 1e-3, None) / np.clip(b, 1e-3, None))

    def inspect_number(self, t, site, f, before):
        cell = self.cell(site, f)
        out = []
        miss = self.missing_jump(t, site, f)
        present = t[f].dropna()
        if miss > 0.75 or (cell.missing + miss > 0.93):
            return [Finding(site, f, "missing_data", "mask")]
        if 0.3 < miss:
            again = before is not None and self.missing_jump(before, site, f) > 0.3
            out.append(Finding(site, f, "missing_data", "mask", sure=bool(again)))
        if len(present) < 12:
            return out
        top = present.value_counts(normalize=True)
        for value, share in top.head(2).items():
            if share - cell.mode_share.get(value, 0) > (0.3 if f not in BASE else 0.35):
                return [Finding(site, f, "corrupt_values", "mask")]
        same = self.same_patients(t, site)
        if same[f].notna().sum() < 12 or miss > 0.3:
            return out
        r = self.log_ratios(same, site, f)
        mid = float(np.median(r))
        low, high = np.quantile(cell.values, [0.005, 0.995])
        if f not in BASE and ((present > high * 1.6) | (present < low / 1.6)).mean() > 0.15 and abs(mid) < 0.5:
            return [Finding(site, f, "corrupt_values", "mask")]  # a part of the values is on another scale
        unit = self.card["features"][f].get("factor")
        if unit and abs(np.log(unit)) > 0.5 and abs(mid - np.log(unit)) < 0.3 and abs(r[1] - r[3]) < 0.8:
            return [Finding(site, f, "unit_change", "rescale", 1 / unit)]
        even = r.max() - r.min() < max(0.3, 0.45 * abs(mid)) and (np.sign(r) == np.sign(mid)).all()
        if f in BASE:
            even = even and f != "admissions"
        limit = max(0.6 * cell.spread, 1.6 * cell.wander, 0.04)
        if abs(mid) > limit and even:
            sure = abs(mid) > 0.5 and abs(mid) > 2 * limit
            if before is not None and before[f].notna().sum() >= 12 and not sure:
                b = self.log_ratios(self.same_patients(before, site), site, f)
                sure = np.sign(np.median(b)) == np.sign(mid) and abs(np.median(b)) > 0.8 * limit
            return [Finding(site, f, "assay_change", "rescale", float(np.exp(-mid)), bool(sure))]
        # wider in both directions, or values that cannot be: garbled
        odd = (present < 0).mean()
        wide = r[0] < -1.0 * max(cell.spread, 0.05) and r[-1] > 1.0 * max(cell.spread, 0.05)
        if odd > 0.1 or (wide and f not in BASE):
            return [Finding(site, f, "corrupt_values", "mask", sure=bool(odd > 0.1))]
        return out

    def together(self, t, f):
        """Rank correlation of a feature with the others' sum, within site and month, and of how many."""
        names = [g for g in self.features if g != "age"]
        key = [t["site"], t["month_of"] if "month_of" in t and t["month_of"].notna().all() else t["month"]]
        ranks = t[names].groupby(key).rank(pct=True) - 0.5
        rest = sum((-1 if g in ("haemoglobin", "sodium", "albumin") else 1) * ranks[g].fillna(0) for g in names if g != f)
        has = ranks[f].notna()
        return float(ranks.loc[has, f].corr(rest[has])), int(has.sum())

    def garbled(self, t, site, f):
        """Values of other patients: nothing moves but the company they keep. z of the loss of correlation."""
        if (site, f) not in self.company:
            self.company[site, f] = self.together(self.table[self.table["site"] == site], f)
        (ref, _), (now, n) = self.company[site, f], self.together(t, f)
        sign = np.sign(ref)
        z = (np.arctanh(np.clip(now, -0.99, 0.99)) - np.arctanh(ref)) * sign * np.sqrt(max(n - 3, 1)) / 1.15
        return z, now / ref

    def inspect_codes(self, t, site, before):
        def share(x):
            d = x["diagnosis"]
            return float(d.isin(self.icd10).mean()), float((~d.isin(self.icd10 | self.icd9) & d.notna()).mean()), float(d.isna().mean())
        ten, unknown, gone = share(t)
        ref_ten = self.table[self.table["site"] == site] if site in self.sites else self.table
        base = share(ref_ten)
        if ten - base[0] > 0.4 or (ten - base[0] > 0.2 and before is not None and share(before)[0] - base[0] > 0.2):
            return [Finding(site, "diagnosis", "coding_change", "remap")]
        if unknown - base[1] > 0.4:
            return [Finding(site, "diagnosis", "coding_change", "mask")]
        if gone - base[2] > 0.75:
            return [Finding(site, "diagnosis", "missing_data", "mask")]
        top = t["diagnosis"].value_counts(normalize=True).head(1)
        for code, s in top.items():
            if s - self.codes.get(site, self.codes[None]).get(code, 0) > 0.5:
                return [Finding(site, "diagnosis", "corrupt_values", "mask")]
        return []
