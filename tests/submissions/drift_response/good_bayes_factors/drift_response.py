"""Drift monitor: likelihood ratios for feeds, Bayes factors for outcomes, and the deployed score read back as a formula."""

import re
from math import log

import numpy as np

NUM = ["age", "admissions", "los", "creatinine", "haemoglobin", "sodium", "glucose", "albumin", "bnp"]
AT = {f: i for i, f in enumerate(NUM)}
SICK = {"creatinine": 1, "haemoglobin": -1, "sodium": -1, "glucose": 1, "albumin": -1, "bnp": 1, "los": 1, "age": 1, "admissions": 1}
EMPTY = {"", "na", "n/a", "nan", "null", "none", "-", "--", ".", "?", "missing", "unknown"}
LIMIT = {"data_fix": 10, "recalibrate": 4, "retrain": 2, "rollback": 4}
MARGIN = {"net_benefit": -0.3, "o_e_error": -0.05}
SEASON = 0.17  # log odds, at its height in January


def parse(x, strange):
    if x is None:
        return np.nan
    if isinstance(x, (int, float)):
        return float(x)
    text = str(x).strip().lower()
    if text in EMPTY:
        return np.nan
    m = re.fullmatch(r"[<>≥≤~=]*\s*([-+]?\d[\d ']*(?:[.,]\d+)?(?:e[-+]?\d+)?)\s*\+?[a-zµ/%]*\s*", text)
    if not m:
        strange.append(text)
        return np.nan
    return float(re.sub(r"[ ']", "", m[1]).replace(",", "."))


def code(x):
    return str(x).upper().replace(".", "").strip()


class Rows:
    """Encounters, a column an array: x (features by NUM), dx and dx9 (numbers of codes), icd10, site (a number), month …"""

    def __init__(self, **columns):
        self.__dict__.update(columns)

    def __len__(self):
        return len(self.month)

    def __getitem__(self, which):
        return Rows(**{k: v[which] for k, v in self.__dict__.items()})

    def __add__(self, other):
        return Rows(**{k: np.concatenate([v, other.__dict__[k]]) for k, v in self.__dict__.items()})


def lbf(z2, v, s2=0.2):
    """log Bayes factor of theta ~ N(0, s2) against 0, from an estimate with z² and variance v."""
    return -0.5 * log(1 + s2 / v) + 0.5 * z2 * s2 / (s2 + v)


class Density:
    """Smooth density of a feed's log values in the reference year, on a grid."""

    def __init__(self, v):
        self.lo, self.step = -14.0, 0.01
        n = 2800
        h = max(0.02, 0.9 * min(np.std(v), (np.percentile(v, 75) - np.percentile(v, 25)) / 1.34 + 0.01) * len(v) ** -0.2)
        hist = np.bincount(np.clip(((v - self.lo) / self.step).astype(int), 0, n - 1), minlength=n).astype(float)
        k = np.arange(-int(4 * h / self.step), int(4 * h / self.step) + 1) * self.step
        ker = np.exp(-0.5 * (k / h) ** 2)
        d = np.convolve(hist, ker / ker.sum(), "same") / len(v) / self.step
        self.d = 0.985 * d + 0.015 / 12
        self.log_d = np.log(self.d)

    def at(self, v):
        return np.clip(((v - self.lo) / self.step).astype(int), 0, len(self.d) - 1)

    def moved(self, v, by):
        """Density of the values, moved by each of a grid (one row each)."""
        return self.d[self.at(v - by[:, None])]

    def log_lik(self, v, by):
        """Log likelihood of the values, moved by each of a grid."""
        return self.log_d[self.at(v - by[:, None])].sum(1)


def fit_logit(X, y, offset, ridge=1e-3, prior=None):
    b = np.zeros(X.shape[1]) if prior is None else prior.copy()
    c = b.copy()
    for _ in range(12):
        p = 1 / (1 + np.exp(-(offset + X @ b)))
        H = X.T @ (X * (p * (1 - p))[:, None]) + ridge * np.eye(len(b))
        step = np.linalg.solve(H, X.T @ (y - p) - ridge * (b - c))
        b = b + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-6:
            break
    p = np.clip(1 / (1 + np.exp(-(offset + X @ b))), 1e-9, 1 - 1e-9)
    return b, np.linalg.inv(H), float((y * np.log(p) + (1 - y) * np.log(1 - p)).sum())


def fit_level(y, offset, ridge=1e-3):
    """fit_logit of a level alone, and its variance."""
    b = 0.0
    for _ in range(12):
        p = 1 / (1 + np.exp(-(offset + b)))
        h = (p * (1 - p)).sum() + ridge
        step = ((y - p).sum() - ridge * b) / h
        b += min(max(step, -2), 2)
        if abs(step) < 1e-6:
            break
    return float(b), 1 / h


class Monitor:
    def __init__(self, card):
        self.card = card
        self.f = card["features"]
        self.cw = {code(a): code(b) for a, b in card["crosswalk"].items()}
        self.codes = sorted(set(self.cw.values()))
        self.index = {c: i for i, c in enumerate(self.codes)}
        self.number = {}      # site -> its number; those of the reference year come first, in order
        self.diagnosis = {}   # as written -> (number of the code, number after the crosswalk, ICD-10?)
        self.seen, self.known_text, self.suspect_text = set(), set(), set()
        self.faults = {}      # (site, feature) -> dict(kind, method, factor, since)
        self.dirty = set()    # (site, month) whose score was wrong because of a feed
        self.log_lik = {}     # (site, feature, month) -> log likelihood by class
        self.missing = {}     # (site, feature, month) -> (missing, n, mean sickness of the rest)
        self.table = None
        self.rows = {}        # encounter -> its rows in the table
        self.bad_ids = set()
        self.count = []       # (month, type)
        self.pending = {}     # what a report of ours is for
        self.own = set()
        self.release = None
        self.run = 0
        self.named = {}
        self.last_cal = -9
        self.shuf = {}

    # ---- reading
    def read(self, batch, reference=False):
        try:
            X, n = batch["X"], len(batch["site"])
            if n < 20 or not all(isinstance(X.get(f), list) and len(X[f]) == n for f in NUM + ["diagnosis"]):
                return None
            if len(batch["score"]) != n or len(batch["encounter"]) != n:
                return None
            lab = batch["labels"]
            if not isinstance(lab, dict) or not len(lab["encounter"]) == len(lab["y"]) == len(lab["matured"]):
                return None
            strange = []
            x = np.array([[v if type(v) is float else parse(v, strange) for v in X[f]] for f in NUM]).T
            if reference:
                self.known_text |= set(strange)
            else:
                new = set(strange) - self.known_text
                if new - self.suspect_text:
                    self.suspect_text |= new
                    self.suspect_month = batch["month"]
                    return None
                if new and self.suspect_month == batch["month"]:
                    return None
            dx = np.array([self.coded(d) for d in X["diagnosis"]])
            if reference:
                self.number = {s: i for i, s in enumerate(sorted(set(batch["site"])))}
            site = np.array([self.number.setdefault(s, len(self.number)) for s in batch["site"]])
            s = np.array(batch["score"], float)
            if not np.isfinite(s).all():
                return None
            s = np.clip(s, 1e-6, 1 - 1e-6)
            month = np.array(batch["month_of"]) if reference else np.full(n, batch["month"])
            return Rows(x=x, dx=dx[:, 0], dx9=dx[:, 1], icd10=dx[:, 2] == 1, site=site, month=month, lo=np.log(s / (1 - s)),
                        y=np.zeros(n), mature=np.zeros(n, bool))
        except Exception:
            return None

    def coded(self, d):
        found = self.diagnosis.get(d)
        if found is None:
            c = code(d)
            found = self.diagnosis[d] = (self.index.get(c, -1), self.index.get(self.cw.get(c, c), -1), int(c in self.cw))
        return found

    def hit(self, t, keys):
        """Rows whose (site, month) is among keys."""
        return np.isin(t.site * 1000 + t.month, [self.number[s] * 1000 + q for s, q in keys])

    def design(self, t):
        x, dx = t.x.copy(), t.dx.copy()
        for (s, f), k in list(self.faults.items()) + self.past:
            here = (t.site == self.number[s]) & (t.month >= k["since"]) & (t.month < k.get("until", 99))
            if k["method"] == "rescale":
                x[here, AT[f]] *= k["factor"]
            elif k["method"] == "mask" and f != "diagnosis":
                x[here, AT[f]] = np.nan
            elif k["method"] == "remap":
                dx[here] = t.dx9[here]
        X = np.zeros((len(t), len(NUM) + 1 + len(self.codes)), order="F")
        for i, f in enumerate(NUM):
            v = np.where(np.isnan(x[:, i]), self.f[f]["normal"], x[:, i])
            v = np.maximum(v, 1e-3 if f != "admissions" else 0)
            X[:, i] = np.log1p(v) if f == "admissions" else np.log(v) if f in ("los", "creatinine", "glucose", "bnp") else v
        X[:, len(NUM)] = (X[:, 0] - 65) ** 2
        known = np.flatnonzero(dx >= 0)
        X[known, len(NUM) + 1 + dx[known]] = 1
        return (X - self.mu) / self.sd

    def start(self, batch):
        t = self.read(batch, True)
        lab = dict(zip(batch["labels"]["encounter"], batch["labels"]["y"]))
        t.y = np.array([float(lab.get(e, 0)) for e in batch["encounter"]])
        t.mature[:] = True
        self.release = batch["release_id"]
        self.past, self.tainted, self.alerted = [], set(), {}
        self.mu, self.sd = 0, 1
        X = self.design(t)
        self.mu, self.sd = X.mean(0), X.std(0) + 1e-9
        X = (X - self.mu) / self.sd
        self.X0, self.y0 = X, t.y
        self.b0 = self.surrogate(X, t.lo)
        self.models, self.order = {self.release: self.b0}, [self.release]
        self.centre = {}
        self.dens, self.tau, self.p_miss, self.spike, self.icd = {}, {}, {}, {}, {}
        self.ref = {s: t[t.site == i] for s, i in self.number.items()}
        grid = np.arange(-0.8, 0.81, 0.02)
        for s, g in self.ref.items():
            self.icd[s] = g.icd10.mean()
            months = [g.x[g.month == q] for q in np.unique(g.month)]
            for i, f in enumerate(NUM):
                v = self.values(g.x[:, i], f)
                self.p_miss[s, f] = float(np.median([np.isnan(h[:, i]).mean() for h in months]))
                if len(v) < 100:
                    continue
                d = self.dens[s, f] = Density(v)
                self.centre[s, f] = (float(v.mean()), float(v.std()) + 1e-6)
                self.spike[s, f] = np.unique(v, return_counts=True)[1].max() / len(v)
                est, se2 = [], []
                for h in months:
                    w = self.values(h[:, i], f)
                    if len(w) > 15:
                        ll = d.log_lik(w, grid)
                        p = np.exp(ll - ll.max()); p /= p.sum()
                        mean = (p * grid).sum()
                        est.append(mean); se2.append((p * (grid - mean) ** 2).sum())
                self.tau[s, f] = float(np.sqrt(max(0.02 ** 2, 1.3 * (np.var(est) - np.mean(se2)))))
        Z = np.vstack([self.zmat(g, s) for s, g in self.ref.items()])
        self.wz, self.r2 = {}, {}
        for i, f in enumerate(NUM):
            ok = ~np.isnan(Z[:, i])
            A = np.nan_to_num(Z[ok]); z = A[:, i].copy(); A[:, i] = 0
            self.wz[f] = np.linalg.solve(A.T @ A + 5 * np.eye(len(NUM)), A.T @ z)
            self.r2[f] = max(0.01, float(np.corrcoef(A @ self.wz[f], z)[0, 1] ** 2))

    def values(self, x, f):
        v = x[~np.isnan(x)]
        return np.log(np.maximum(v, 0) + 1) if f == "admissions" else np.log(np.maximum(v, 1e-4))

    def surrogate(self, X, lo):
        A = np.column_stack([np.ones(len(X)), X])
        return np.linalg.solve(A.T @ A + 1e-4 * np.eye(A.shape[1]), A.T @ lo)

    # ---- feeds
    def classes(self, s, f, v):
        d, tau = self.dens[s, f], self.tau[s, f]
        d1 = d.d[d.at(v)]
        grid = np.arange(-0.6, 0.61, 0.03) if tau > 0.05 else np.arange(-0.15, 0.151, 0.01)
        ll = d.log_lik(v, grid)
        w = np.exp(-0.5 * (grid / tau) ** 2) / (1 + 0) + 1e-4
        w /= w.sum()
        lse = lambda a, p: a.max() + log((p * np.exp(a - a.max())).sum())
        out = {"normal": (lse(ll, w), None)}
        low = max(0.1 if f in ("sodium", "haemoglobin", "albumin") else 0.2, 3.0 * tau)
        a = np.concatenate([np.arange(-1.6, -low, 0.02), np.arange(low, 1.6, 0.02)])
        lla = d.log_lik(v, a)
        if len(a):
            out["assay"] = (lse(lla, np.ones(len(a)) / len(a)), float(a[lla.argmax()]))
        if "factor" in self.f[f]:
            for sign in (1, -1):
                c = sign * log(self.f[f]["factor"])
                g2 = c + np.array([-1.5, -1, 0, 1, 1.5]) * min(tau, 0.15)
                l2 = d.log_lik(v, g2)
                out["unit" + "+-"[sign < 0]] = (lse(l2, np.ones(5) / 5), c)
                if not (sign == SICK[f] and abs(c) < 1.6):
                    d2 = d.d[d.at(v - c)]
                    l3 = np.array([np.log((1 - q) * d1 + q * d2).sum() for q in (0.2, 0.4, 0.6, 0.8)])
                    out["mixed" + "+-"[sign < 0]] = (lse(l3, np.ones(4) / 4), None)
        far = np.concatenate([np.arange(-7, -1.6, 0.04), np.arange(1.6, 7, 0.04)])
        l6 = d.log_lik(v, far)
        out["scale"] = (lse(l6, np.ones(len(far)) / len(far)), float(far[l6.argmax()]))
        ward = SICK[f] * (np.arange(0.25, 1.7, 0.12) if f in ("creatinine", "bnp", "glucose", "los", "admissions") else np.arange(0.03, 0.4, 0.04))
        dw = d.moved(v, ward)
        l4 = np.concatenate([np.log((1 - q) * d1 + q * dw).sum(1) for q in (0.25, 0.4, 0.55, 0.7)])
        out["ward"] = (lse(l4, np.ones(len(l4)) / len(l4)), None)
        l5 = [np.log((1 - q) * d1 + q / 12).sum() for q in (0.3, 0.6, 0.9)]
        out["noise"] = (lse(np.array(l5), np.ones(3) / 3), None)
        return out

    PRIOR = {"normal": 0.0, "assay": log(0.006), "unit+": log(0.005), "unit-": log(0.005), "mixed+": log(0.001), "mixed-": log(0.001),
             "ward": log(0.02), "scale": log(0.001), "noise": log(0.001)}

    def verdict(self, s, f, m, g):
        """What this feed is now: None, or (kind, method, factor, cause, since)."""
        n = len(g)
        if n < 15:
            return "keep"
        x = g.x[:, AT[f]]
        miss = np.isnan(x).mean()
        p0 = self.p_miss[s, f]
        v = self.values(x, f)
        sick = 0.0
        if (s, f) in self.dens and len(v) > 5:
            mu, sd = self.centre[s, f]
            z = np.clip(SICK[f] * (v - mu) / sd, -2.5, 2.5)
            sick = float((0.4 * z - 0.4 ** 2 / 2).sum())
        high = miss > max(0.4, p0 + 0.28)
        self.missing[s, f, m] = (high, miss, sick, n)
        if len(v) >= 10 and (s, f) in self.dens:
            # a spike at one value
            value, times = np.unique(x[~np.isnan(x)], return_counts=True)
            top = times.max()
            share = top / len(v)
            if share > max(0.25, self.spike[s, f] + 0.15):
                kref = max((self.ref[s].x[:, AT[f]] == value[times.argmax()]).mean(), 0.01) + 0.03
                if kref < 1 and top * log(max(share, 1e-9) / kref) + (len(v) - top) * log(max(1 - share, 1e-9) / (1 - kref)) > 12:
                    return ("default", "mask", None, "corrupt_values", m)
            if (s, f) not in self.cache:
                self.cache[s, f] = self.classes(s, f, v)
            c = self.cache[s, f]
            ll = {k: a[0] for k, a in c.items()}
            self.log_lik[s, f, m] = ll
            post = {k: ll[k] + self.PRIOR[k] for k in ll}
            best = max(post, key=post.get)
            odds = post[best] - max(post["normal"], post["ward"])
            since = m
            if odds < 8:  # too little in one month: up to four in a row, added up
                both, q = dict(post), m - 1
                while q > m - 4 and (s, f, q) in self.log_lik:
                    both = {k: both[k] + self.log_lik[s, f, q].get(k, -1e9) for k in ll}
                    best2 = max(both, key=both.get)
                    if best2 not in ("normal", "ward") and both[best2] - max(both["normal"], both["ward"]) > 5 and post[best2] > post["normal"] + 3:
                        best, odds, since = best2, 99, q
                        break
                    q -= 1
            if best in ("assay", "scale", "unit+", "unit-", "mixed+", "mixed-", "noise"):
                if odds < (6 if best.startswith("unit") else 8 if best == "assay" else 12) and odds != 99:
                    return "keep"
                iqr = lambda w: np.subtract(*np.percentile(w, [75, 25])) + 0.01
                if best[:4] in ("scal", "unit") and not 0.55 < iqr(v) / iqr(self.values(self.ref[s].x[:, AT[f]], f)) < 1.8:
                    return (best, "mask", None, "corrupt_values", since)  # another quantity, not another unit
                if best.startswith("unit"):
                    return (best, "rescale", float(np.exp(-c[best][1])), "unit_change", since)
                if best in ("assay", "scale"):
                    return (best, "rescale", float(np.exp(-c[best][1])), "assay_change" if best == "assay" else "unit_change", since)
                return (best, "mask", None, "corrupt_values", since)
        if miss > 0.9 and p0 < 0.6:
            return ("missing", "mask", None, "missing_data", m)
        if high:
            others = sum(self.missing.get((o, f, m), (0,))[0] for o in self.sites)
            prev = self.missing.get((s, f, m - 1), (False, 0, 0, 0))
            if others >= 3:
                return ("missing", "mask", None, "missing_data", m)
            if not prev[0]:
                return "keep"
            llr, q = 0.0, m  # of tests ordered for the sicker only, against values lost at random
            while self.missing.get((s, f, q), (False,))[0]:
                llr += self.missing[s, f, q][2]
                q -= 1
            if llr < -2:
                return ("missing", "mask", None, "missing_data", max(q + 1, m - 3))
            return None if llr > 2 else "keep"
        if (s, f) in self.dens and len(v) >= 10:
            self.shuf[s, f, m] = self.link(s, f, g)
            total = sum(self.shuf.get((s, f, q), 0.0) for q in (m, m - 1, m - 2))
            if self.faults.get((s, f), {}).get("kind") == "shuffled":
                return "keep" if self.shuf[s, f, m] > -1 else None
            if total > 9 and self.shuf[s, f, m] > 0:
                return ("shuffled", "mask", None, "corrupt_values", m - 1)
        return None

    def zmat(self, g, s):
        Z = np.zeros((len(g), len(NUM)))
        for i, f in enumerate(NUM):
            if (s, f) in self.dens:
                v = g.x[:, i]
                v = np.log1p(np.maximum(v, 0)) if f == "admissions" else np.log(np.maximum(v, 1e-4))
                mu, sd = self.centre[s, f]
                Z[:, i] = np.clip((v - mu) / sd, -3, 3)
        return Z

    def link(self, s, f, g):
        """log likelihood ratio of values that belong to other patients, against the reference year's dependence."""
        i = AT[f]
        if s not in self.cache:
            self.cache[s] = self.zmat(g, s)
        Z = self.cache[s]
        ok = ~np.isnan(Z[:, i])
        Z0 = np.nan_to_num(Z)
        Z0[:, i] = 0
        for (o, k) in self.faults:
            if o == s and k in AT:
                Z0[:, AT[k]] = 0
        mu = (Z0 @ self.wz[f])[ok]
        r2 = self.r2[f]
        z = Z[ok, i]
        z = (z - z.mean()) / (z.std() + 1e-6)
        return float((0.5 * (z - mu) ** 2 / (1 - r2) - 0.5 * z ** 2 + 0.5 * log(1 - r2)).sum())

    def coding(self, s, m, g):
        if len(g) < 15:
            return "keep"
        share = g.icd10.mean()
        known = (g.dx >= 0).mean()
        if share > max(0.45, self.icd.get(s, 0) + 0.3):
            return ("coding", "remap", None, "coding_change", m)
        if share > 0.2 or known < 0.5:
            if known + share < 0.4:
                return ("codes", "mask", None, "corrupt_values", m)
            return "keep"
        return None

    def feeds(self, m, table, out):
        here = {s: table[table.site == i] for s, i in self.number.items() if s in self.icd}
        here = {s: g for s, g in here.items() if len(g)}
        self.sites = list(here)
        found, self.cache = {}, {}
        for _ in range(2):  # twice: the share of sites with a gap is known only after the first
            for s, g in here.items():
                for f in NUM:
                    found[s, f] = self.verdict(s, f, m, g)
                found[s, "diagnosis"] = self.coding(s, m, g)
        fixes, clears = [], []
        if m >= 23:
            found = {k: v for k, v in found.items() if v is not None}
        for (s, f), k in found.items():
            old = self.faults.get((s, f))
            if k == "keep":
                continue
            if k is None:
                if old:
                    clears.append((s, f))
                continue
            kind, method, factor, cause, since = k
            self.dirty |= {(s, q) for q in range(since, m + 1)} if not old else set()
            if old and old["method"] == method and (factor is None or abs(log(factor / old["factor"])) < 0.35):
                continue
            fixes.append((f, method, factor, cause, since, s))
        self.tainted |= {(s, m) for (s, f), k in self.faults.items() if k["method"] == "mask"}
        done = set()
        for f, method, factor, cause, since, s in fixes:
            if (s, f) in done:
                continue
            same = [x for x in fixes if x[0] == f and x[1] == method and x[3] == cause and (factor is None or abs(log(x[2] / factor)) < 0.2)]
            a = {"type": "data_fix", "feature": f, "method": method, "cause": cause, "confidence": 0.9, "since": min(x[4] for x in same)}
            if factor is not None:
                a["factor"] = float(np.exp(np.mean([log(x[2]) for x in same]))) if len(same) >= len(self.sites) else factor
            whole = len(same) == len(self.sites) and len(same) > 1
            if not whole:
                a["site"] = s
                same = [x for x in same if x[5] == s]
            if self.allowed("data_fix", m):
                out.append(a); self.count.append((m, "data_fix"))
                for x in same:
                    done.add((x[5], f))
                    self.faults[x[5], f] = {"method": method, "factor": a.get("factor"), "since": a["since"], "kind": cause}
        for f in {f for _, f in clears}:
            which = [s for s, g in clears if g == f]
            active = [s for s, g in self.faults if g == f]
            if not self.allowed("data_fix", m):
                continue
            if set(which) == set(active) and len(which) == len(self.sites):
                out.append({"type": "data_fix", "feature": f, "method": "clear"}); self.count.append((m, "data_fix"))
            else:
                for s in which:
                    out.append({"type": "data_fix", "feature": f, "site": s, "method": "clear"}); self.count.append((m, "data_fix"))
            for s in which:
                self.past.append(((s, f), {**self.faults.pop((s, f)), "until": m})); self.dirty.add((s, m))

    def allowed(self, kind, m):
        return sum(1 for q, k in self.count if k == kind and m - q < 12) < LIMIT[kind]

    # ---- releases
    def releases(self, m, batch, table, out):
        if batch["release_id"] == self.release:
            return
        old, self.release = self.release, batch["release_id"]
        old_run, self.run = self.run, m
        if self.release in self.order:  # rolled back
            del self.order[self.order.index(self.release) + 1:]
            return
        own = any(i in self.release and i not in old for i in self.own)
        bad = [i for s, i in self.number.items() if s not in self.icd or any(k[0] == s for k in self.faults) or (s, m) in self.dirty]
        t = table[~np.isin(table.site, bad)]
        if len(t) < 100:
            t = table
        b = self.surrogate(self.design(t), t.lo)
        self.order.append(self.release)
        self.models[self.release] = b
        if own:
            return
        H = self.history(m, 12)
        X, y = self.X0, self.y0
        H = H[~self.hit(H, self.tainted)]
        if len(H):
            X, y = np.vstack([X, self.design(H)]), np.concatenate([y, H.y])
        A = np.column_stack([np.ones(len(X)), X])
        ll = []
        for w in (b, self.models.get(old, self.b0)):
            lo = A @ w
            ll.append(fit_logit(np.column_stack([np.ones(len(lo)), lo]), y, np.zeros(len(lo)))[2])
        if ll[0] - ll[1] < -max(12, 0.008 * len(y)) and self.allowed("rollback", m):
            out.append({"type": "rollback", "cause": "bad_release", "confidence": 0.9})
            self.bad_ids.add(self.release)
            self.count.append((m, "rollback"))
        elif abs(np.mean(A @ b - A @ self.models.get(old, self.b0))) < 0.08:
            self.run = old_run  # sound and much the same: the months before it count on

    # ---- outcomes
    def history(self, m, back, since=-99):
        """Months whose readmissions are all known, without those a broken feed scored."""
        t = self.table
        t = t[(t.month <= m - 2) & (t.month > m - 2 - back) & (t.month >= since) & (t.site < len(self.icd))]
        return t[~self.hit(t, self.dirty)]

    def season(self, month):
        cal = (self.card["first_calendar_month"] - 1 + month) % 12
        return SEASON * np.cos(2 * np.pi * cal / 12)

    def shift(self, H):
        """Best recent window: (log Bayes factor, theta, months)."""
        best = (-9.0, 0.0, 0)
        if not len(H):
            return best
        months = np.unique(H.month)[::-1]
        o = H.lo + self.season(H.month)
        for k in range(1, min(10, len(months)) + 1):
            w = H.month >= months[k - 1]
            if w.sum() < 25:
                continue
            b, v = fit_level(H.y[w], o[w])
            v += 0.12 ** 2 / k
            l = lbf(b ** 2 / v, v)
            if l > best[0] + (0.0 if k == 1 else 0.3):
                best = (l, b, int(months[0] - months[k - 1] + 1))
        return best

    def concept(self, H, X, k):
        """log Bayes factor (BIC) of other weights than the reference model's, in the last k months."""
        here = np.isin(H.month, np.unique(H.month)[::-1][:k])
        h, X = H[here], X[here]
        if h.y.sum() < 40:
            return -9
        lo0 = np.column_stack([np.ones(len(X)), X]) @ self.b0
        y, o = h.y, self.season(h.month)
        one = np.ones((len(h), 1))
        _, _, l0 = fit_logit(one, y, lo0 + o)
        b, _, l1 = fit_logit(np.column_stack([one, lo0]), y, o)
        parts = [X[:, [i]] * self.b0[i + 1] for i in range(9)]
        parts[0] = parts[0] + X[:, [9]] * self.b0[10]
        parts.append((X[:, 10:] @ self.b0[11:])[:, None])
        P = np.column_stack([one] + parts)
        _, _, l2 = fit_logit(P, y, lo0 + o)
        return max(l1 - l0 - 0.5 * log(len(h)) if b[1] < 1 else -9, l2 - l0 - 0.5 * 10 * log(len(h) / 3))

    def outcomes(self, m, out):
        H = self.history(m, 10, self.run)
        if not len(H) or m - self.last_cal < 2:
            return
        if self.pending:
            return
        l, _, k = self.shift(H)
        site = None
        per = {s: self.shift(H[H.site == i]) for s, i in self.number.items() if (H.site == i).any()}
        worst = max(per, key=lambda s: per[s][0])
        if per[worst][0] > 5:
            r = self.shift(H[H.site != self.number[worst]])
            if r[0] < 2.0 or np.sign(r[1]) != np.sign(per[worst][1]):
                site, (l, _, k) = worst, per[worst]
        t = self.table
        open_months = set(t.month[~t.mature].tolist())
        n_mat = max((q for q in set(t.month.tolist()) if q not in open_months), default=-9)
        # other weights?
        All = self.history(m, 10)
        All = All[~self.hit(All, self.tainted)]
        cbic = -9
        if len(All):
            X = self.design(All)
            for kk in (2, 3, 4, 6):
                c = self.concept(All, X, kk)
                if c > cbic:
                    cbic, ck = c, kk
        if cbic > 5 and m <= 20 and not self.named.get("concept", False):
            start = m - 2 - ck + 1
            months = n_mat - start + 1
            events = t.y[(t.month >= start) & (t.month <= n_mat)].sum()
            if months >= 2 and events >= self.card["min_events"] * 1.2 and self.allowed("retrain", m):
                out.append({"type": "retrain", "train_months": int(min(8, max(2, months))), "cause": "concept_drift", "confidence": 0.8})
                self.count.append((m, "retrain")); self.last_cal = m; self.pending["x"] = m
                self.named["concept"] = True
                return
        if l > (4.5 if site is None else 5.5) and k >= 1:
            onset = m - 2 - k + 1
            months = n_mat - onset + 1
            key = ("shift", site)
            # does a model that was there before fit what comes now?
            if site is None and len(self.order) > 1 and m <= 22:
                h = H[H.month > m - 2 - k]
                h = h[~self.hit(h, self.tainted)]
                if len(h) > 100:
                    A = np.column_stack([np.ones(len(h)), self.design(h)])
                    for back in range(1, len(self.order)):
                        b, v = fit_level(h.y, A @ self.models[self.order[-1 - back]] + self.season(h.month))
                        v += 0.12 ** 2 / k
                        if self.order[-1 - back] in self.bad_ids:
                            continue
                        if lbf(b ** 2 / v, v) < 0.3 and self.allowed("rollback", m):
                            for _ in range(back):
                                out.append({"type": "rollback"}); self.count.append((m, "rollback"))
                            self.last_cal = m
                            return
            if m > 21:
                return
            there = t.site == self.number[site] if site else t.site < len(self.icd)
            events = t.y[(t.month >= onset) & (t.month <= n_mat) & there].sum()
            if months < 1 or events < self.card["min_events"] * 1.1:
                if self.alerted.get(key, -99) < m - 6:
                    self.alerted[key] = m
                    a = {"type": "alert", "cause": "prevalence_shift", "confidence": 0.7}
                    if site is not None:
                        a["site"] = site
                    out.append(a)
                return
            if months >= 1 and self.allowed("recalibrate", m):
                a = {"type": "recalibrate", "train_months": int(min(8, months)), "cause": "prevalence_shift", "confidence": 0.7}
                if site is not None:
                    a["site"] = site
                out.append(a); self.count.append((m, "recalibrate")); self.last_cal = m; self.pending["x"] = m

    def month(self, batch):
        try:
            return self._month(batch)
        except Exception:
            return []

    def _month(self, batch):
        if not isinstance(batch, dict) or not isinstance(batch.get("month"), int):
            return []
        m = batch["month"]
        if m in self.seen:
            return []
        table = self.read(batch)
        if table is None:
            return []
        self.seen.add(m)
        late = m < max(self.seen)
        n = len(self.table) if self.table else 0
        self.table = self.table + table if self.table else table
        for i, e in enumerate(batch["encounter"], n):
            self.rows.setdefault(e, []).append(i)
        lab = batch["labels"]
        for e, y, matured in zip(lab["encounter"], lab["y"], lab["matured"]):
            for i in self.rows.get(e, ()):
                self.table.y[i], self.table.mature[i] = y, matured
        out = []
        if late:
            return out
        self.feeds(m, table, out)
        self.releases(m, batch, table, out)
        for r in batch.get("reports") or []:
            out += self.judge(r, m)
        if all(a["type"] == "data_fix" for a in out):
            self.outcomes(m, out)
        return out[:12]

    def judge(self, r, m):
        self.pending.clear()
        if r.get("refused") or not r.get("candidate") or not r.get("current"):
            return []
        a, b = r["current"], r["candidate"]
        gain = {"net_benefit": b["net_benefit"] - a["net_benefit"], "auroc": b["auroc"] - a["auroc"],
                "o_e_error": abs(log(max(a["o_e"], 1e-6))) - abs(log(max(b["o_e"], 1e-6)))}
        if all(gain[f] >= x for f, x in MARGIN.items()):
            self.own.add(r["id"])
            return [{"type": "deploy", "report": r["id"]}]
        return [{"type": "reject", "report": r["id"]}]
