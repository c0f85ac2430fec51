"""Monitor: data contracts by site and feature first, outcomes (sequential tests) second, releases by re-scoring history."""

import spelling
import math

import numpy as np
import pandas as pd

NUM = ["age", "admissions", "los", "creatinine", "haemoglobin", "sodium", "glucose", "albumin", "bnp"]
LABS = NUM[3:]
SICK = {"creatinine": 1, "haemoglobin": -1, "sodium": -1, "glucose": 1, "albumin": -1, "bnp": 1}
QS = [0.1, 0.25, 0.5, 0.75, 0.9]
SEASON = 0.118  # log O/E, peak at month 6 (January)


def season(m):
    return SEASON * np.cos(2 * np.pi * (np.asarray(m, float) - 6) / 12)


def tr(f, x):
    """Scale on which the model uses a feature."""
    x = np.asarray(x, float)
    if f == "admissions":
        return np.log1p(np.clip(x, 0, None))
    if f in ("los", "creatinine", "glucose", "bnp"):
        return np.log(np.clip(x, 1e-6, None))
    return x


def lg(x):
    return np.log(np.clip(np.asarray(x, float), 1e-6, None))


def logit(p):
    p = np.clip(np.asarray(p, float), 1e-4, 1 - 1e-4)
    return np.log(p / (1 - p))


def expit(z):
    return 1 / (1 + np.exp(-np.clip(z, -30, 30)))


def auc_se(y, p):
    y = np.asarray(y) > 0
    n1, n0 = int(y.sum()), int((~y).sum())
    if n1 < 10 or n0 < 10:
        return float("nan"), float("nan")
    r = pd.Series(p).rank().to_numpy()
    a = (r[y].sum() - n1 * (n1 + 1) / 2) / (n1 * n0)
    v10 = (r[y] - pd.Series(p[y]).rank().to_numpy()) / n0
    v01 = 1 - (r[~y] - pd.Series(p[~y]).rank().to_numpy()) / n1
    return a, math.sqrt(v10.var() / n1 + v01.var() / n0)


def net_benefit(y, p, t=0.2):
    f = p >= t
    return float((y[f] - (1 - y[f]) * t / (1 - t)).sum())


class Monitor:
    def __init__(self, card):
        self.card = card
        self.cross = dict(card.get("crosswalk", {}))
        self.normal = {f: float(card["features"][f].get("normal", 0)) for f in NUM}
        self.factor = {f: card["features"][f].get("factor") for f in NUM}
        self.min_events = int(card.get("min_events", 45))
        self.most = int(card.get("most_train_months", 10))
        self.t = float(card.get("threshold", 0.2))
        self.last = -1
        self.faults = []      # dict feature site since until method factor cause
        self.pend = {}        # counters of suspicion
        self.release = None
        self.own = False      # a deploy or rollback of ours changes the model next month
        self.waiting = None   # month of a request
        self.reports = {}
        self.k0 = 0           # outcomes are judged from this month on
        self.change = None    # what is being handled
        self.shock = None
        self.labels = {}
        self.done_reports = set()
        self.deployed_for_shock = False
        self.log = []
        self.made = {}
        self.again = None
        self.drift_k = None
        self.recorded = False  # True in a replay, where no fix has an effect

    # ---------------------------------------------------------------- intake
    def table(self, b, first=False):
        """A DataFrame if the batch is a whole month, else None."""
        try:
            if not isinstance(b, dict) or not isinstance(b.get("X"), dict):
                return None
            if not first and (isinstance(b.get("month"), bool) or not isinstance(b.get("month"), int)):
                return None
            X = b["X"]
            if any(c not in X for c in NUM + ["diagnosis"]):
                return None
            n = len(b["site"])
            if n < 20 or any(len(X[c]) != n for c in NUM + ["diagnosis"]):
                return None
            if len(b["encounter"]) != n or len(b["score"]) != n:
                return None
            lab = b.get("labels")
            if not isinstance(lab, dict) or any(k not in lab for k in ("encounter", "y")):
                return None
            if len({len(lab[k]) for k in lab}) > 1:
                return None
            d = {}
            for c in NUM:
                v = X[c]
                if any(isinstance(a, str) or isinstance(a, (list, dict)) for a in v):
                    return None
                d[c] = np.array([np.nan if a is None else float(a) for a in v], float)
            s = b["score"]
            if any(isinstance(a, str) or a is None for a in s):
                return None
            d["score"] = np.array(s, float)
            if not np.isfinite(d["score"]).all() or d["score"].min() < 0 or d["score"].max() > 1:
                return None
            T = pd.DataFrame(d)
            T["diagnosis"] = [a if isinstance(a, str) else None for a in X["diagnosis"]]
            T["site"] = [str(a) for a in b["site"]]
            T["encounter"] = list(b["encounter"])
            if T["encounter"].duplicated().any():
                return None
            T["month"] = list(b["month_of"]) if first else b["month"]
            return T
        except Exception:
            return None

    def take_labels(self, lab):
        mat = lab.get("matured") or [True] * len(lab["y"])
        for e, y, m in zip(lab["encounter"], lab["y"], mat):
            try:
                y = float(y)
            except (TypeError, ValueError):
                continue
            if y in (0.0, 1.0):
                old = self.labels.get(e)
                self.labels[e] = (y, bool(m) or bool(old and old[1]))

    # ---------------------------------------------------------------- start
    def start(self, batch):
        batch = spelling.plain(batch)
        T = self.table(batch, first=True)
        self.take_labels(batch["labels"])
        self.ref = T
        self.H = T.copy()
        self.sites = sorted(T["site"].unique())
        self.codes = sorted(T["diagnosis"].dropna().value_counts().loc[lambda s: s >= 15].index)
        self.release = batch.get("release_id")
        self.base = {}
        for s in self.sites:
            for f in NUM:
                self.base[s, f] = self.profile(T[T.site == s], f)
        for f in NUM:
            self.base[None, f] = self.profile(T, f)
        self.ref_n = T[T.month < 0].groupby("month").size().mean()
        self.unknown = {}
        self.icd10 = {}
        for s in self.sites:
            d = T.loc[T.site == s, "diagnosis"]
            self.unknown[s] = float((~d.isin(self.codes)).mean())
            self.icd10[s] = float(d.isin(self.cross).mean())
        # imputation: a feature from the others, in the reference year
        Z = self.features(T)
        Z0 = Z.fillna(Z.median())
        self.zmed = Z.median()
        self.imp = {}
        for f in NUM:
            o = [g for g in NUM if g != f]
            ok = Z[f].notna()
            A = np.c_[np.ones(ok.sum()), Z0.loc[ok, o]]
            c, *_ = np.linalg.lstsq(A, Z.loc[ok, f].to_numpy(), rcond=None)
            r = np.corrcoef(A @ c, Z.loc[ok, f])[0, 1]
            self.imp[f] = (o, c, r)
        self.beta = self.fit(T, T["score"])
        self.adj = {}
        self.models = []
        self.judge_ref()

    def profile(self, T, f):
        x = T[f].dropna().to_numpy()
        l = lg(x) if f in LABS else x
        miss = T.groupby("month")[f].apply(lambda v: v.isna().mean())
        top = pd.Series(x).value_counts(normalize=True)
        return {"q": np.quantile(l, QS), "sd": max(float(np.std(l)), 1e-3), "mean": float(l.mean()), "miss": float(miss.median()),
                "top": top.to_dict(), "lo": float(np.quantile(l, 0.002)), "hi": float(np.quantile(l, 0.998))}

    # ---------------------------------------------------------------- model, re-built from its scores
    def features(self, T):
        return pd.DataFrame({f: tr(f, T[f]) for f in NUM}, index=T.index)

    def design(self, T):
        X = T[NUM].copy()
        for f in NUM:
            X[f] = X[f].fillna(self.normal[f])
        Z = self.features(X).to_numpy()
        d = T["diagnosis"].to_numpy(object)
        D = np.column_stack([(d == c).astype(float) for c in self.codes])
        return np.c_[np.ones(len(T)), Z, D]

    def fit(self, T, score, ok=None):
        A, z = self.design(T), logit(score)
        w = np.sqrt(np.clip(score * (1 - score), 1e-3, None)).to_numpy()
        if ok is not None:
            A, z, w = A[ok], z[ok], w[ok]
        mu = A.mean(0)
        mu[0] = 0
        sd = A.std(0)
        sd[sd == 0] = 1
        B = (A - mu) / sd
        R = np.eye(B.shape[1]) * 1e-4
        R[0, 0] = 0
        c = np.linalg.solve(B.T @ (B * (w**2)[:, None]) + R, B.T @ (z * w**2))
        beta = c / sd
        beta[0] -= (mu * c / sd)[1:].sum()
        return beta

    def score(self, T, beta=None, adj=None):
        z = self.design(T) @ (self.beta if beta is None else beta)
        adj = self.adj if adj is None else adj
        if adj:
            a = T["site"].map(lambda s: adj.get(s, adj.get(None, (0, 1)))[0]).to_numpy(float)
            b = T["site"].map(lambda s: adj.get(s, adj.get(None, (0, 1)))[1]).to_numpy(float)
            z = a + b * z
        return expit(z)

    def clean(self, T, faults=None, months=None):
        """X as it should have been: faults repaired; imputed where masked. Second: which rows were imputed."""
        C = T.copy()
        imputed = np.zeros(len(T), bool)
        masks = []
        for q in self.faults if faults is None else faults:
            rows = (T.site == q["site"]) & (T.month >= q["since"]) & (T.month < q["until"])
            if not rows.any():
                continue
            f = q["feature"]
            if q["method"] == "rescale":
                C.loc[rows, f] = C.loc[rows, f] * q["factor"]
            elif q["method"] == "remap":
                C.loc[rows, "diagnosis"] = C.loc[rows, "diagnosis"].map(lambda d: self.cross.get(d, d))
            elif q["method"] == "mask":
                C.loc[rows, f] = np.nan
                masks.append((f, rows.to_numpy()))
        if masks:
            Z = self.features(C).fillna(self.zmed)
            for f, rows in masks:
                imputed |= rows
                if f == "diagnosis":
                    continue
                o, c, _ = self.imp[f]
                v = np.c_[np.ones(rows.sum()), Z.loc[rows, o]] @ c
                back = np.expm1(v) if f == "admissions" else np.exp(v) if f in ("los", "creatinine", "glucose", "bnp") else v
                C.loc[rows, f] = back
        return C, imputed

    def judge_ref(self):
        C = self.ref
        p = self.score(C)
        y = C.encounter.map(lambda e: self.labels.get(e, (np.nan,))[0]).fillna(0).to_numpy()
        self.site_off = {}
        for s in self.sites:
            i = (C.site == s).to_numpy()
            o, e = y[i].sum(), p[i].sum()
            self.site_off[s] = 0.7 * math.log((o + 5) / (e + 5))
        self.ref_auc = auc_se(y, p)[0]

    # ---------------------------------------------------------------- a month
    def month(self, batch):
        batch = spelling.plain(batch)
        try:
            r = self.limit(self.act(batch))
            return r
        except Exception as e:  # whatever comes, answer with a list
            self.log.append(repr(e))
            return []

    def limit(self, actions):
        """No more changes in twelve months than plan.json allows."""
        out = []
        for a in actions:
            top = LIMITS.get(a["type"])
            if top is not None and not (a["type"] == "data_fix" and a["method"] == "clear"):
                past = [k for k in self.made.get(a["type"], []) if k > self.last - 12]
                if len(past) >= top:
                    if a["type"] in ("recalibrate", "retrain"):
                        self.waiting = None
                    continue
                self.made.setdefault(a["type"], []).append(self.last)
            out.append(a)
        return out

    def act(self, batch):
        if isinstance(batch, dict) and isinstance(batch.get("reports"), list):
            for r in batch["reports"]:
                if isinstance(r, dict) and "id" in r and r["id"] not in self.done_reports:
                    self.reports.setdefault(r["id"], r)
        T = self.table(batch)
        if T is None or batch["month"] <= self.last:
            return []
        m = batch["month"]
        self.last = m
        self.take_labels(batch["labels"])
        self.H = pd.concat([self.H, T], ignore_index=True)
        out = []
        used = self.clean(T, [] if self.recorded else [q for q in self.faults if q["acted"] < m])
        rel = self.watch_model(m, T, used, batch.get("release_id"))
        out += self.contracts(m, T)
        if rel:
            out += rel
        decided = self.decide_reports(m)
        out += decided
        if not rel:
            out += self.outcomes(m)
        return out[:12]

    # ---------------------------------------------------------------- data contracts
    def add(self, m, f, s, method, cause, since, factor=None, site_all=False):
        self.faults.append({"feature": f, "site": s, "since": since, "until": 999, "method": method,
                            "factor": factor, "cause": cause, "acted": m})
        a = {"type": "data_fix", "feature": f, "site": s, "method": method, "cause": cause, "since": int(since), "confidence": 0.9}
        if factor is not None:
            a["factor"] = float(factor)
        return a

    def active(self, f, s):
        for q in self.faults:
            if q["feature"] == f and q["site"] == s and q["until"] == 999:
                return q
        return None

    def mix(self, T, s):
        """Weights that give a site's month the diagnoses of its reference year: a new ward is not a new method."""
        C, _ = self.clean(T)
        d = C["diagnosis"].map(lambda c: self.cross.get(c, c))
        d = d.where(d.isin(self.codes), "other")
        r = self.ref.loc[self.ref.site == s, "diagnosis"].map(lambda c: self.cross.get(c, c))
        r = r.where(r.isin(self.codes), "other")
        now, ref = d.value_counts(normalize=True), r.value_counts(normalize=True)
        return d.map(lambda c: min(ref.get(c, 0.005) / now[c], 4.0)).to_numpy(float)

    def state(self, x_all, s, f, w_all=None):
        """How one feed at one site looks this month: (verdict, detail)."""
        b = self.base[s, f]
        n = len(x_all)
        x = x_all[~np.isnan(x_all)]
        miss = 1 - len(x) / n
        if n < 15:
            return "unknown", None
        if miss > 0.9:
            return "gone", miss
        if len(x) < 12:
            return "unknown", None
        top = pd.Series(x).value_counts(normalize=True)
        if f != "admissions" or True:
            v, share = top.index[0], float(top.iloc[0])
            if share > b["top"].get(v, 0) + 0.25 and share * len(x) >= 10:
                return "default", v
        l = lg(x) if f in LABS else x
        q = np.quantile(l, QS)
        d = q - b["q"]
        dm = float(np.median(d))
        if f in LABS:
            # a unit: whole distribution moved by the card's factor
            fac = self.factor[f]
            sparse = miss > max(0.35, b["miss"] + 0.25)
            if fac:
                for sign in (1, -1):
                    if (not sparse or abs(dm) > 1.8) and abs(dm - sign * math.log(fac)) < max(0.12, 0.35 * b["sd"]) and abs(dm) > 1.0 and min(abs(d)) > 0.5 * abs(math.log(fac)):
                        return "unit", sign
            same = (np.sign(d) == np.sign(dm)).all()
            lo = float(np.min(np.abs(d))) / b["sd"] if same else 0.0
            outside = float(((l < b["lo"] - 0.3 * b["sd"]) | (l > b["hi"] + 0.3 * b["sd"])).mean())
            even = lo * b["sd"] / max(abs(dm), 1e-6)  # a method moves all values alike, a ward only some of them
            if lo > 0.4 and not sparse and w_all is not None:
                w = w_all[~np.isnan(x_all)]
                o = np.argsort(l)
                cw = (np.cumsum(w[o]) - 0.5 * w[o]) / w.sum()
                d = np.interp(QS, cw, l[o]) - b["q"]
                dm = float(d[2])
                lo = float(np.min(np.abs(d))) / b["sd"] if (np.sign(d) == np.sign(dm)).all() else 0.0
                even = lo * b["sd"] / max(abs(dm), 1e-6)
            if lo > 0.45 and not sparse:
                return "shift", (dm, lo, float(np.mean(d[1:4])), even)
            if outside > 0.2 and not sparse:
                return "strange", outside
        else:
            sd = b["sd"]
            if f == "age":
                if abs(d).min() > 0.6 * sd and (np.sign(d) == np.sign(dm)).all():
                    return "strange", dm
            else:
                r = (x.mean() + 0.05) / (b["mean"] + 0.05)
                if r > 2.2 or r < 0.4:
                    return "strange", r
        if miss > max(0.35, b["miss"] + 0.25):
            mu, sd = b["mean"], b["sd"]
            z = (l.mean() - mu) / (sd / math.sqrt(len(l))) * SICK.get(f, 1)
            return "missing", (miss, z, (l.mean() - mu) / sd * SICK.get(f, 1))
        return "fine", None

    def contracts(self, m, T):
        out = []
        found = {}
        for s in self.sites:
            t = T[T.site == s]
            if len(t) < 15:
                continue
            w = self.mix(t, s)
            for f in NUM:
                found[f, s] = self.state(t[f].to_numpy(), s, f, w)
        for f in NUM:
            burst = [s for s in self.sites if found.get((f, s), ("",))[0] == "missing"]
            for s in self.sites:
                if (f, s) not in found:
                    continue
                kind, info = found[f, s]
                q = self.active(f, s)
                key = (f, s)
                hist = self.pend.setdefault(key, [])
                hist.append((m, kind, info))
                prev = hist[-2][1:] if len(hist) > 1 and hist[-2][0] >= m - 2 else ("fine", None)
                if q:
                    # mended at its source? then our repair does harm
                    if kind == "fine" or (kind == "missing" and q["method"] == "rescale"):
                        wait = 2 if q["method"] == "rescale" and q["cause"] == "assay_change" else 1
                        if q["method"] == "mask" and m > 20:
                            continue
                        mates = [u for u in self.faults if u["feature"] == f and u["until"] == 999 and u["method"] == "mask"]
                        if kind == "fine" and len(mates) > 2:
                            if sum(found.get((f, u["site"]), ("",))[0] == "fine" for u in mates) >= len(mates) - 1:
                                for u in mates:
                                    u["until"] = m
                                out.append({"type": "data_fix", "feature": f, "method": "clear"})
                        elif len(hist) >= wait and all(h[1] == "fine" for h in hist[-wait:]):
                            back = hist[-wait][0]
                            q["until"] = back
                            out.append({"type": "data_fix", "feature": f, "site": s, "method": "clear"})
                    continue
                first = hist[-2][0] if len(hist) > 1 and prev[0] == kind else m
                if kind == "unit":
                    fac = self.factor[f] ** (-info)
                    out.append(self.add(m, f, s, "rescale", "unit_change", m, fac))
                elif kind == "shift":
                    strong = info[1] > 0.9 and info[3] > 0.6
                    months = [h[2] for h in hist[-3:] if h[1] == "shift"]
                    even = np.mean([i[3] for i in months])
                    if strong or (prev[0] == "shift" and np.sign(prev[1][0]) == np.sign(info[0]) and even > 0.62):
                        out.append(self.add(m, f, s, "rescale", "assay_change", first, math.exp(-np.mean([i[2] for i in months]))))
                elif kind == "gone":
                    out.append(self.add(m, f, s, "mask", "missing_data", m))
                elif kind == "default":
                    out.append(self.add(m, f, s, "mask", "corrupt_values", m))
                elif kind == "strange":
                    if prev[0] == "strange" or (f in LABS and info > 0.35):
                        out.append(self.add(m, f, s, "mask", "corrupt_values", first))
                elif kind == "missing":
                    miss, z, d = info
                    informative = z > 3 or d > 0.45
                    if len(burst) >= 3 or (len(burst) == 2 and not informative and all(found[f, u][1][2] < 0.45 for u in burst)):
                        # several sites at once is no interface that is down for a month
                        if len(burst) >= 3 or prev[0] == "missing":
                            out.append(self.add(m, f, s, "mask", "missing_data", first))
                    elif prev[0] == "missing" and not informative and not (prev[1][2] > 0.45):
                        if len(hist) > 2 and hist[-3][1] == "missing" or (d + prev[1][2]) / 2 < 0.22:
                            out.append(self.add(m, f, s, "mask", "missing_data", first))
        # values that no longer belong to their patients: right distribution, no relation to the others
        out += self.shuffled(m)
        # diagnoses
        for s in self.sites:
            d = T.loc[T.site == s, "diagnosis"]
            if len(d) < 15:
                continue
            new, unk = float(d.isin(self.cross).mean()), float((~d.isin(self.codes) & ~d.isin(self.cross)).mean())
            q = self.active("diagnosis", s)
            if q is None:
                if new > self.icd10[s] + 0.3:
                    out.append(self.add(m, "diagnosis", s, "remap", "coding_change", m))
                elif unk > self.unknown[s] + 0.35:
                    out.append(self.add(m, "diagnosis", s, "mask", "coding_change", m))
            elif (q["method"] == "mask" and unk < self.unknown[s] + 0.1):
                q["until"] = m
                out.append({"type": "data_fix", "feature": "diagnosis", "site": s, "method": "clear"})
        return self.merge(out)

    def merge(self, out):
        """The same fix at every site is one action."""
        groups = {}
        for a in out:
            k = (a["feature"], a["method"], a.get("cause"), a.get("since"), round(a["factor"], 6) if "factor" in a else None)
            groups.setdefault(k, []).append(a)
        res = []
        for g in groups.values():
            if "site" in g[0] and len(g) == len(self.sites) and g[0].get("cause") != "assay_change":
                a = dict(g[0])
                a.pop("site")
                res.append(a)
            else:
                res += g
        return res

    def shuffled(self, m):
        out = []
        if m < 2:
            return out
        H = self.H[self.H.month > m - 3]
        C, _ = self.clean(H)
        Z = self.features(C)
        Z0 = Z.fillna(self.zmed)
        for f in NUM:
            o, c, r0 = self.imp[f]
            if r0 < 0.2:
                continue
            pred = pd.Series(np.c_[np.ones(len(C)), Z0[o]] @ c, index=C.index)
            for s in self.sites:
                if self.active(f, s):
                    continue
                ok = (C.site == s) & Z[f].notna()
                n = int(ok.sum())
                if n < 80:
                    continue
                r = float(np.corrcoef(pred[ok], Z.loc[ok, f])[0, 1])
                z = (math.atanh(r) - math.atanh(r0)) * math.sqrt(n - 3)
                if z < -4.6:
                    out.append(self.add(m, f, s, "mask", "corrupt_values", m - 2))
        return out

    # ---------------------------------------------------------------- the model in use
    def watch_model(self, m, T, used, release):
        C, imputed = used
        new_id = release is not None and release != self.release
        old_release, self.release = self.release, release if release is not None else self.release
        own, self.own = self.own, False
        ok = ~imputed
        if ok.sum() < 120:
            ok = np.ones(len(T), bool)
            loose = True
        else:
            loose = False
        w = (T.score * (1 - T.score)).to_numpy()
        z = logit(T.score)
        base = self.design(C) @ self.beta
        adj, bad = {}, 0.0
        for s in sorted(T.site.unique()):
            i = ((T.site == s).to_numpy()) & ok
            if i.sum() < 15:
                continue
            sw = np.sqrt(w[i])
            A = np.c_[np.ones(i.sum()), base[i]]
            c, *_ = np.linalg.lstsq(A * sw[:, None], z[i] * sw, rcond=None)
            r = z[i] - A @ c
            bad = max(bad, math.sqrt((w[i] * r**2).sum() / w[i].sum()))
            adj[s] = (float(c[0]), float(c[1]))
        previous = (self.beta, dict(self.adj))
        limit = 0.5 if loose else 0.12
        if bad < limit:
            if not loose:
                if adj:
                    adj[None] = (float(np.median([a for a, _ in adj.values()])), float(np.median([b for _, b in adj.values()])))
                self.adj = {**self.adj, **adj} if self.adj else adj
        else:
            self.beta = self.fit(C, T["score"], ok)
            self.adj = {}
        if own and not new_id:
            self.log.append((m, "own change seen", round(bad, 3)))
            return []
        if not new_id and bad < limit:
            return []
        if not new_id and loose:
            self.beta, self.adj = previous
            return []
        if own and new_id:
            # ours, or a vendor's in the same month: judge it alike
            pass
        # a release: does it rank worse than what we had, on patients whose outcome is known?
        cmp = self.compare(m, previous, (self.beta, self.adj))
        self.log.append((m, "release", release, cmp, round(bad, 3), own))
        if cmp is None or own:
            return []
        d_auc, se, nb_old, nb_new, n = cmp
        if (d_auc < -0.025 and d_auc < -2.5 * se) or (d_auc < -0.05):
            self.release_bad = previous
            self.own = True
            self.waiting = None
            return [{"type": "rollback", "cause": "bad_release", "confidence": 0.95}]
        return []

    def known(self, m, since):
        H = self.H[(self.H.month >= since) & (self.H.month <= m - 2)]
        C, imputed = self.clean(H)
        y = H.encounter.map(lambda e: self.labels.get(e, (0.0,))[0]).to_numpy(float)
        return C, imputed, y

    def compare(self, m, old, new):
        C, imputed, y = self.known(m, max(m - 14, self.k0 if self.k0 > 0 else -12))
        i = ~imputed
        if y[i].sum() < 40:
            return None
        p0, p1 = self.score(C[i], *old), self.score(C[i], *new)
        y = y[i]
        a0, s0 = auc_se(y, p0)
        a1, s1 = auc_se(y, p1)
        se = math.sqrt(max(s0**2 + s1**2 - 2 * 0.7 * s0 * s1, 1e-6))
        return a1 - a0, se, net_benefit(y, p0), net_benefit(y, p1), len(y)

    # ---------------------------------------------------------------- reports
    def decide_reports(self, m):
        out = []
        for i, r in list(self.reports.items()):
            del self.reports[i]
            self.done_reports.add(i)
            self.waiting = None
            self.log.append((m, "report", r))
            c, k = r.get("current") or {}, r.get("candidate") or {}
            if r.get("refused") or not k:
                if self.change:
                    self.change["asked"] = None
                continue
            try:
                good = float(k["net_benefit"]) - float(c["net_benefit"]) >= ACCEPT
            except (KeyError, TypeError, ValueError):
                good = False
            out.append({"type": "deploy" if good else "reject", "report": i})
            if good:
                self.own = True
                if self.change:
                    self.change["deployed"] = m
                    self.k0 = max(self.k0, self.change["k"])
                    self.judged_from = self.k0
                    if self.change["cause"] == "temporary_shock":
                        self.deployed_for_shock = True
                    self.handled = self.change
                    if self.change["cause"] == "concept_drift":
                        self.again = None if self.change.get("second") else dict(self.change)
                        self.drift_k = self.change["k"]
                    self.change = None
            elif self.change:
                self.change["tries"] = self.change.get("tries", 0) + 1
                self.change["asked"] = None
                if self.change["tries"] >= 3:
                    self.k0 = max(self.k0, m - 2)
                    self.change = None
        return out

    # ---------------------------------------------------------------- outcomes
    def volume(self, m):
        H = self.H[(self.H.month == m) & self.H.site.isin(self.sites)]
        return len(H) / (self.ref_n * (1 + 0.07 * math.cos(2 * math.pi * (m - 6) / 12)))

    def matured_months(self):
        """Months whose outcomes are all known, in order."""
        H = self.H[self.H.month >= 0]
        mat = H.encounter.map(lambda e: self.labels.get(e, (0, False))[1])
        g = mat.groupby(H.month).all()
        return [int(k) for k in g.index[g]]

    def tests(self, m):
        """Generalised likelihood ratio over the month of change, all sites and each."""
        C, imputed, y = self.known(m, self.k0)
        if len(C) == 0:
            return None
        p0 = self.score(C)
        off = season(C.month) + C.site.map(lambda s: self.site_off.get(s, 0.0) if self.k0 == 0 else 0.0).to_numpy(float)
        e = p0 * np.exp(off * (1 - p0))
        v = e * (1 - np.clip(e, 0, 0.99))
        D = pd.DataFrame({"m": C.month.to_numpy(), "s": C.site.to_numpy(), "y": y, "e": e, "v": v, "p": p0, "imp": imputed})
        best = {}
        for s in [None] + self.sites:
            d = D if s is None else D[D.s == s]
            g = d.groupby("m")[["y", "e", "v"]].sum().sort_index(ascending=False).cumsum()
            if g.empty:
                continue
            phi = 1.3 if s is None else 1.15
            z = (g.y - g.e) / np.sqrt(phi * g.v)
            k = int(z.abs().idxmax())
            best[s] = (float(z[k]), k, float(np.log((g.y[k] + 1) / (g.e[k] + 1))), D)
        return best, D

    def rank_test(self, D, k):
        d = D[(D.m >= k) & ~D.imp]
        a, se = auc_se(d.y.to_numpy(), d.p.to_numpy())
        return a, se, int(d.y.sum())

    def outcomes(self, m):
        if m < 2:
            return []
        out = []
        vol = self.volume(m)
        # the end of a shock shows in the number of patients first
        if self.shock is not None and vol > 0.94:
            was, self.shock = self.shock, None
            self.k0 = m
            if self.change and self.change["cause"] == "temporary_shock":
                self.change = None
            if self.deployed_for_shock:
                self.deployed_for_shock = False
                self.own = True
                return [{"type": "rollback", "cause": "temporary_shock"}]
        got = self.tests(m)
        if got is None:
            return out
        best, D = got
        self.log.append((m, {str(s): (round(b[0], 1), b[1], round(b[2], 2)) for s, b in best.items()}, round(vol, 2)))
        if self.change is None:
            self.change = self.detect(m, best, D)
            if self.change:
                self.change["found"] = m
                self.log.append((m, "change", dict(self.change)))
                if self.change["cause"] == "temporary_shock":
                    self.shock = m
        if self.change is None and self.again and self.waiting is None:
            mat = [j for j in self.matured_months() if j >= self.again["k"]]
            if m > 17:
                self.again = None
            elif len(mat) >= 99:  # switched off: on the practice streams it made no difference
                self.change = {"cause": "concept_drift", "k": self.again["k"], "site": None, "kind": "retrain", "second": True, "told": True, "found": m, "tries": 1}
                self.again = None
        if self.change is None or self.waiting is not None:
            return out
        ch = self.change
        act = self.request(m, ch, D)
        if act:
            out.append(act)
            self.waiting = m
        elif not ch.get("told"):
            a = {"type": "alert", "cause": ch["cause"], "confidence": 0.8}
            if ch["site"]:
                a["site"] = ch["site"]
            out.append(a)
        ch["told"] = True
        return out

    def detect(self, m, best, D):
        z, k, l, _ = best[None]
        last = D.m.max()
        low_volume = [j for j in range(max(0, m - 5), m + 1) if self.volume(j) < 0.91]
        if len(low_volume) >= 2 and z > 2.5:
            kk = min(low_volume)
            d = D[D.m >= kk]
            if len(d) and (d.y.sum() - d.e.sum()) / math.sqrt(1.3 * d.v.sum()) > 3.0:
                return {"cause": "temporary_shock", "k": kk, "site": None, "kind": "recalibrate"}
        # ranking
        for kk in sorted(D.m.unique()):
            if self.drift_k is not None:
                break
            a, se, ev = self.rank_test(D, kk)
            if ev >= 70 and np.isfinite(a) and a < self.ref_auc - 0.055 and (self.ref_auc - a) / se > 3.6 and not low_volume:
                j = self.drift_onset(D)
                return {"cause": "concept_drift", "k": j, "site": None, "kind": "retrain"}
        d = D[D.m >= k]
        sites = sorted(self.sites, key=lambda s: -abs(best[s][0]) if s in best else 0)
        strong = sites[0]
        rest = d[d.s != strong]
        zr = (rest.y.sum() - rest.e.sum()) / math.sqrt(1.3 * max(rest.v.sum(), 1e-9))
        if abs(z) > 3.9 and abs(l) > 0.2 and np.sign(zr) == np.sign(z) and abs(zr) > 2.3:
            return {"cause": "prevalence_shift", "k": k, "site": None, "kind": "recalibrate"}
        zs, ks, ls, _ = best[strong]
        if (zs < -4.3 or zs > 4.8) and abs(ls) > 0.3 and last >= ks and not self.recent_fault(strong, ks):
            return {"cause": "prevalence_shift", "k": ks, "site": strong, "kind": "recalibrate"}
        return None

    def recent_fault(self, s, k):
        return False

    def drift_onset(self, D):
        """The month from which ranking is worst, by the log-likelihood of one slope before and after."""
        best, arg = -1e9, int(D.m.min())
        for k in sorted(D.m.unique()):
            a, se, ev = self.rank_test(D, k)
            if ev >= 40 and np.isfinite(a) and (self.ref_auc - a) / se > best:
                best, arg = (self.ref_auc - a) / se, int(k)
        return arg

    def request(self, m, ch, D):
        mat = [j for j in self.matured_months() if j >= ch["k"]]
        n = min(len(mat), self.most)
        if n < 1:
            return None
        d = D[D.m.isin(mat[-n:])]
        if ch["site"]:
            d = d[d.s == ch["site"]]
        ev = int(d.y.sum())
        need = max(self.min_events, 105) + 2 if ch["kind"] == "retrain" else self.min_events + 2
        if ev < need:
            return None
        a = {"type": ch["kind"], "train_months": int(n), "cause": ch["cause"], "confidence": 0.8}
        if ch["site"]:
            a["site"] = ch["site"]
        ch["asked"] = m
        return a


ACCEPT = 0.0  # net benefit per 100, as plan.json says
LIMITS = {"data_fix": 10, "recalibrate": 4, "retrain": 2, "rollback": 2}
