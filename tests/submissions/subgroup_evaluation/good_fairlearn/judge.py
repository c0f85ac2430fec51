"""Which groups the model fails, and why."""

import numpy as np
import pandas as pd
from helpers import calibration_fit, logit
from load import cells, mask
from scipy.stats import norm

ALPHA = 0.05


def expit(x):
    return 1 / (1 + np.exp(-x))


class Judge:
    def __init__(self, table, card, shown):
        self.k, self.card = table, card
        self.y = table.readmit30.to_numpy(float)
        self.need = table.need.to_numpy(float)
        self.s = table.score.to_numpy(float)
        _, self.owner = np.unique(table.patient, return_inverse=True)
        self.ratio = card["material"]["ratio"]
        self.masks = {}
        for by in cells(card):
            m = mask(table, by)
            if by and shown.get(frozenset(by.items())) and m.any() and not m.all():
                self.masks[frozenset(by.items())] = m
        self.faults, self.off, self.slopes, self.proxy = [], [], [], []

    # ---- expectations ------------------------------------------------------------------------
    def adjusted(self):
        """Scores after what was found so far has been taken out."""
        z, sound = logit(self.s), self.sound()
        for m in [f["mask"] for f in self.faults]:
            a, b = calibration_fit(expit(z[m]), self.y[m])
            if np.isfinite(a):
                z[m] = a + b * z[m]
        for _ in range(3):
            for key in self.off:
                m = self.masks[key]
                fit = m & sound
                a, _ = calibration_fit(expit(z[fit]), self.y[fit], fixed_slope=True)
                base = calibration_fit(expit(z[self.clean()]), self.y[self.clean()], fixed_slope=True)[0]
                z[m] += a - base
        for key in self.slopes:
            m = self.masks[key]
            a, b = calibration_fit(expit(z[m & sound]), self.y[m & sound])
            z[m] = a + b * z[m]
        return expit(z)

    def clean(self):
        m = np.ones(len(self.s), bool)
        for key in self.off + self.slopes:
            m &= ~self.masks[key]
        for fault in self.faults:
            m &= ~fault["mask"]
        return m if m.sum() > 1000 else np.ones(len(self.s), bool)

    def sound(self):
        """Encounters that no fault has touched: only they say who else is off."""
        m = np.ones(len(self.s), bool)
        for fault in self.faults:
            m &= ~fault["mask"]
        return m

    def need_expected(self, s):
        tenth = np.searchsorted(np.quantile(s, np.arange(0.1, 1, 0.1)), s, side="right")
        has = ~np.isnan(self.need) & self.sound()
        rest = has.copy()
        known = self.proxy + self.off
        for key in known:
            rest &= ~self.masks[key]
        if rest.sum() < 1000:
            rest = has
        rate = np.array([self.need[rest & (tenth == j)].mean() if (rest & (tenth == j)).any() else self.need[rest].mean() for j in range(10)])
        e = np.where(has, rate[tenth], 0.0)
        for key in known:
            m = self.masks[key]
            e[m] *= self.need[m & has].sum() / max(e[m].sum(), 1e-9)
        return e

    def z(self, m, o, e, within=None):
        """(ratio to everybody else, z) with patients as units."""
        others = ~m if within is None else within & ~m
        if e[m].sum() <= 0 or e[others].sum() <= 0 or o[others].sum() <= 0:
            return 1.0, 0.0
        r0, r1 = o[others].sum() / e[others].sum(), o[m].sum() / e[m].sum()
        pooled = o[m | others].sum() / e[m | others].sum()
        resid = o - pooled * e
        weight = np.where(m, 1 / e[m].sum(), 0) - np.where(others, 1 / e[others].sum(), 0)
        per = np.bincount(self.owner, weights=weight * resid)
        # few events: the patients' own spread is too small then, the model's is the least
        model = (weight**2 * np.clip(pooled * e, 0, None) * (1 - np.clip(pooled * e, 0, 0.95))).sum()
        se = np.sqrt(max((per**2).sum(), model))
        return r1 / r0, (r1 - r0) / se if se else 0.0

    # ---- the search --------------------------------------------------------------------------
    def pick(self, o, e, taken):
        """The cell that explains most of what is beyond chance and material; None if there is none."""
        found = []
        for key, m in self.masks.items():
            if key in taken:
                continue
            r, z = self.z(m, o, e)
            found.append((key, r, z))
        p = np.array([2 * norm.sf(abs(z)) for _, _, z in found])
        holm = np.zeros(len(p), bool)
        for axes in (1, 2):  # levels and pairs are a family each, or the many pairs cost the levels their power
            family = np.array([i for i, (key, _, _) in enumerate(found) if len(key) == axes], int)
            for rank, i in enumerate(family[np.argsort(p[family])]):
                if p[i] * (len(family) - rank) * 2 > ALPHA:
                    break
                holm[i] = True
        good = [(key, r, z) for (key, r, z), ok in zip(found, holm, strict=True) if ok and max(r, 1 / max(r, 1e-9)) >= self.ratio]
        # a majority is off from everybody else when a minority is: only if that fits clearly better
        def strength(c):
            return abs(c[2]) * (0.8 if self.masks[c[0]].mean() > 0.5 else 1.0)
        if not good:
            return None
        best = max(good, key=strength)
        if len(best[0]) == 2:  # is the whole group off? then its other parts are too
            for one in best[0]:
                whole = frozenset([one])
                if whole not in self.masks or whole in taken:
                    continue
                rest = self.masks[whole] & ~self.masks[best[0]]
                r, z = self.z(rest, o, e, within=~self.masks[best[0]])
                also = max(r, 1 / max(r, 1e-9)) >= self.ratio and np.sign(z) == np.sign(best[2]) and abs(z) > 2
                # or it is as clear as its part, and its rest not clearly less off than that
                r, z = self.z(self.masks[whole], o, e)
                alike = whole in [g[0] for g in good] and z * best[2] > 0 and abs(z) > 0.85 * abs(best[2])
                if also or alike and abs(self.z(self.masks[best[0]], o, e, within=self.masks[whole])[1]) < 2.5:
                    return whole, r, z
        else:  # is it only a part of it?
            whole = self.masks[best[0]]
            for key, m in self.masks.items():
                if len(key) == 2 and best[0] < key:
                    rest = whole & ~m
                    r, z = self.z(rest, o, e, within=~m)
                    rk, zk = self.z(m, o, e)
                    apart = self.z(m, o, e, within=whole)[1]
                    if abs(zk) > 0.8 * abs(best[2]) and abs(z) < 2 and abs(apart) > 2.5 and max(r, 1 / max(r, 1e-9)) < 1 + (self.ratio - 1) / 2 and key in [g[0] for g in good]:
                        return key, rk, zk
        return best

    def slope_test(self, m, s, sound):
        def one(mm):
            x, y = logit(s[mm]), self.y[mm]
            a, b = calibration_fit(s[mm], y)
            if not np.isfinite(b):
                return np.nan, np.nan
            p = expit(a + b * x)
            X = np.column_stack([np.ones(mm.sum()), x])
            H = np.linalg.pinv((X * (p * (1 - p))[:, None]).T @ X)
            g = pd.DataFrame(X * (y - p)[:, None]).groupby(self.owner[mm]).sum().to_numpy()
            return b, np.sqrt((H @ (g.T @ g) @ H)[1, 1])
        (b1, e1), (b0, e0) = one(m & sound), one(~m & sound)
        return b1 - b0, (b1 - b0) / np.hypot(e1, e0)

    def change(self, m, o, e):
        """(z, day) of the sharpest change in o/e within the encounters m."""
        day = self.k.index_date.to_numpy()
        days = np.sort(day[m])
        best = (0.0, None, 1.0)
        if len(days) < 200:
            return best
        for cut in np.unique(np.quantile(days.astype("int64"), np.linspace(0.08, 0.92, 43)).astype("int64").astype(days.dtype)):
            post = m & (day >= cut)
            r, z = self.z(post, o, e, within=m)
            if abs(z) > abs(best[0]):
                best = (z, cut, r)
        return best

    def blur(self, m):
        """(z, day) of the sharpest change in how well scores order the outcomes of m."""
        x = logit(self.s)
        d = (self.y - self.s) * (x - x[m].mean())
        day, best = self.k.index_date.to_numpy(), (0.0, None)
        days = np.sort(day[m])
        if len(days) < 200:
            return best
        for cut in np.unique(days[(np.linspace(0.08, 0.92, 43) * (len(days) - 1)).astype(int)]):
            post, pre = m & (day >= cut), m & (day < cut)
            if not pre.any():
                continue
            gap = d[post].mean() - d[pre].mean()
            per = np.bincount(self.owner, weights=np.where(post, (d - d[post].mean()) / post.sum(), 0) - np.where(pre, (d - d[pre].mean()) / pre.sum(), 0))
            z = gap / max(np.sqrt((per**2).sum()), 1e-12)
            if abs(z) > abs(best[0]):
                best = (z, cut)
        return best

    def find_faults(self):
        need = np.nan_to_num(self.need)
        for name in self.card["levels"].get("site", []):
            m = self.masks.get(frozenset([("site", name)]))
            if m is None:
                continue
            tries = [self.change(m, self.y, self.s), self.change(m, need, self.need_expected(self.s))]
            z, cut, r = max(tries, key=lambda c: abs(c[0]))
            if abs(z) > 4.2 and max(r, 1 / max(r, 1e-9)) >= self.ratio:
                self.faults.append({"by": {"site": name}, "site": name, "day": pd.Timestamp(cut), "mask": m & (self.k.index_date >= cut).to_numpy(), "z": z, "ratio": r})
            else:
                z, cut = self.blur(m)
                if abs(z) > 4.5:
                    post = m & (self.k.index_date >= cut).to_numpy()
                    self.faults.append({"by": {"site": name}, "site": name, "day": pd.Timestamp(cut), "mask": post, "z": z, "ratio": 1.0})
        # is it one group at the site only?
        for fault in self.faults:
            post = fault["mask"]
            o, e = (self.y, self.s)
            base = self.z(post, o, e)
            for key, m in self.masks.items():
                if len(key) == 2 and ("site", fault["site"]) in key:
                    r, z = self.z(post & ~m, o, e, within=~m)
                    if abs(z) < 2 and abs(base[1]) > 3.5:
                        fault["by"], fault["mask"] = dict(key), post & m
                        break

    def search(self):
        self.find_faults()
        sound = self.sound()
        y, need = self.y * sound, np.nan_to_num(self.need) * sound
        while len(self.off) + len(self.proxy) < 10:
            adjusted = self.adjusted()
            s, e = adjusted * sound, self.need_expected(adjusted)
            gone = {frozenset(f["by"].items()) for f in self.faults}
            label, review = self.pick(y, s, set(self.off) | gone), self.pick(need, e, set(self.proxy + self.off) | gone)
            if label is None and review is None:
                break
            best = max((c for c in (label, review) if c), key=lambda c: abs(c[2]))
            ry = np.log(max(self.z(self.masks[best[0]], y, s)[0], 0.05))
            rn = np.log(max(self.z(self.masks[best[0]], need, e)[0], 0.05))
            # the label follows need at least half of the way: the score is at fault; else the label is
            is_label = best is not label and ry / rn < 0.5
            (self.proxy if is_label else self.off).append(best[0])
        adjusted = self.adjusted()
        tests = {key: self.slope_test(m, adjusted, sound) for key, m in self.masks.items() if (m & sound).sum() > 300}
        self.slope_tests = tests
        best = max(tests, key=lambda c: abs(np.nan_to_num(tests[c][1])), default=None)
        if best is not None and 2 * norm.sf(abs(tests[best][1])) * 2 * len(tests) < 0.001 and abs(tests[best][0]) > self.card["material"]["points"] and best not in self.off:
            self.slopes.append(best)
        return self

    def cause(self, key):
        """Cause of a group whose o_e is off."""
        if any(axis == "site" for axis, _ in key):
            z, cut, r = self.change(self.masks[key], self.y, self.s)
            zn, cutn, rn = self.change(self.masks[key], np.nan_to_num(self.need), self.need_expected(self.s))
            if max(abs(z), abs(zn)) > 3.5:
                return "data_quality", pd.Timestamp(cut if abs(z) >= abs(zn) else cutn)
        return "miscalibration", None
