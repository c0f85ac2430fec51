"""Watches data contracts site by site, releases by a copy of the model, and outcomes by month of admission."""

import math

import numpy as np
from scipy.stats import ks_2samp, rankdata

NUM = ["age", "admissions", "los", "creatinine", "haemoglobin", "sodium", "glucose", "albumin", "bnp"]
LABS = NUM[3:]
AT = {f: i for i, f in enumerate(NUM)}


def number(v):
    """A cell as a float; blanks are missing; ValueError for a text that is no value."""
    if v is None:
        return math.nan
    if isinstance(v, (int, float)):
        return float(v)
    s = str(v).strip()
    if s.lower() in ("", "na", "nan", "null", "none"):
        return math.nan
    return float(s.rstrip("+").replace(",", "."))


def sig(x):
    return 1 / (1 + np.exp(-np.clip(x, -30, 30)))


def logit(p):
    p = np.clip(np.asarray(p, float), 1e-6, 1 - 1e-6)
    return np.log(p / (1 - p))


def quartile_sd(x):
    low, high = np.quantile(x, [0.25, 0.75])
    return (high - low) / 1.35


def take(t, which):
    """Rows of a table (a dict of arrays)."""
    return {k: v[which] for k, v in t.items()}


class Bad(Exception):
    pass


class Monitor:
    def __init__(self, card):
        self.card = card
        self.cross = {k.replace(".", ""): v.replace(".", "") for k, v in card["crosswalk"].items()}
        self.known9 = set(self.cross.values())
        self.names = list(card["features"]) + ["diagnosis"]
        self.normal = {k: v["normal"] for k, v in card["features"].items()}
        self.last = -1
        self.data = None
        self.row = {}        # encounter -> its rows in data
        self.ids = {c: i for i, c in enumerate(sorted(self.known9))}  # codes by number, those of ICD-9 first
        self.place = {}      # site -> number, those of the reference year first
        self.usual = {}      # (feature, site, codes left out) -> what was usual
        self.y = {}
        self.full = set()
        self.fixes = {}      # (feature, site) -> dict of the fix in force
        self.past = []       # all faults: feature, site, start, end, method, factor
        self.history = {}    # (feature, site) -> list of monthly findings
        self.pending = None  # trigger being worked upon
        self.release = None
        self.own = set()
        self.seen = set()
        self.lastmap = {}
        self.prevcorr = None
        self.maps = {}       # month -> site -> (a, b)
        self.counts = []     # (month, type)
        self.volume = []
        self.alerted = set()
        self.refit_at = None

    # ---------------------------------------------------------------- reading
    def table(self, batch):
        if not isinstance(batch, dict):
            raise Bad("not a dict")
        X = batch.get("X")
        if not isinstance(X, dict) or any(f not in X for f in self.names):
            raise Bad("columns")
        n = len(batch["encounter"])
        if n == 0:
            raise Bad("empty")
        cols = {}
        for f in self.names:
            if not isinstance(X[f], list) or len(X[f]) != n:
                raise Bad("length " + f)
        for k in ("site", "score", "encounter"):
            if not isinstance(batch.get(k), list) or len(batch[k]) != n:
                raise Bad("length " + k)
        for f in NUM:
            cols[f] = [v if type(v) is float else number(v) for v in X[f]]
        score = np.array([float(s) for s in batch["score"]])
        if len(set(batch["encounter"])) < n or not ((score >= 0) & (score <= 1)).all():
            raise Bad("score or encounter")
        codes = ["" if d is None else str(d).replace(".", "").strip().upper() for d in X["diagnosis"]]
        t = {"x": np.array([cols[f] for f in NUM]).T, "score": score}
        sites = [str(s) for s in batch["site"]]
        for s in sorted(set(sites)):
            self.place.setdefault(s, len(self.place))
        t["site"] = np.array([self.place[s] for s in sites])
        nine = [self.cross.get(c, c) for c in codes]
        t["dx"], t["dx9"] = (np.array([self.ids.setdefault(c, len(self.ids)) for c in column]) for column in (codes, nine))
        t["icd10"], t["blank"] = np.array([c in self.cross for c in codes]), np.array([c == "" for c in codes])
        lab = batch.get("labels")
        if not isinstance(lab, dict) or any(not isinstance(lab.get(k), list) for k in ("encounter", "y", "matured")):
            raise Bad("labels")
        if not len(lab["encounter"]) == len(lab["y"]) == len(lab["matured"]):
            raise Bad("labels length")
        ys = [int(v) for v in lab["y"]]
        if any(v not in (0, 1) for v in ys):
            raise Bad("labels values")
        return t, lab

    # ---------------------------------------------------------------- surrogate of the model
    def design(self, t):
        n, k = len(t["dx"]), 1 + 2 * len(NUM)
        A = np.zeros((n, k + len(self.known9)))
        A[:, 0] = 1
        for i, f in enumerate(NUM):
            v = t["x"][:, i]
            v = np.maximum(np.where(np.isnan(v), self.normal[f], v), 0)
            A[:, 2 * i + 1] = v / (self.scale[f] or 1)
            A[:, 2 * i + 2] = np.log1p(v)
        known = np.flatnonzero(t["dx"] < len(self.known9))
        A[known, k + t["dx"][known]] = 1
        return A

    def fit(self, t, target, ridge=1e-4):
        A = self.design(t)
        P = np.eye(A.shape[1]) * ridge * len(A)
        P[0, 0] = 0
        if getattr(self, "coef", None) is not None:
            return self.coef + np.linalg.solve(A.T @ A + P, A.T @ (target - A @ self.coef))
        return np.linalg.solve(A.T @ A + P, A.T @ target)

    def corrected(self, t, as_scored=False):
        """The table as it should have been recorded, as far as faults are known (or as the deployed fixes had it)."""
        x, dx, month = t["x"].copy(), t["dx"].copy(), t["month"]
        for p in self.past:
            if as_scored:
                on = (p["issued"] < month) & (month <= p["cleared"])
            else:
                on = (p["start"] <= month) & (month < p["end"])
            here = on & (t["site"] == self.place[p["site"]])
            if not here.any():
                continue
            if p["method"] == "rescale":
                x[here, AT[p["feature"]]] *= p["factor"]
            elif p["method"] == "remap":
                dx[here] = t["dx9"][here]
            elif p["method"] == "mask" and p["feature"] != "diagnosis":
                x[here, AT[p["feature"]]] = self.typical[p["feature"]]
        return {"x": x, "dx": dx}

    # ---------------------------------------------------------------- reference
    def start(self, batch):
        t, lab = self.table(batch)
        x, month = t["x"], np.array(batch["month_of"])
        here = {f: x[:, i][~np.isnan(x[:, i])] for i, f in enumerate(NUM)}
        self.scale = {f: max(1e-9, float(v.std(ddof=1))) for f, v in here.items()}
        self.typical = {f: float(np.exp(np.log(np.maximum(v, 0.1)).mean())) for f, v in here.items()}
        self.sites = list(self.place)
        self.coef = None
        self.coef = self.fit(t, logit(t["score"]), 1e-6)
        y = dict(zip(lab["encounter"], lab["y"]))
        y = np.array([y.get(e, np.nan) for e in batch["encounter"]], float)
        k = ~np.isnan(y)
        self.base_auc = self.auc(y[k], t["score"][k])
        self.stat = {}
        self.ref = {}
        for s in self.sites:
            k = t["site"] == self.place[s]
            r = self.ref[s] = take(t, k)
            months = [r["x"][month[k] == q] for q in np.unique(month[k])]
            for i, f in enumerate(NUM):
                m = np.array([np.isnan(g[:, i]).mean() for g in months])
                base = float(np.median(m))
                v = r["x"][:, i][~np.isnan(r["x"][:, i])]
                values, times = np.unique(v, return_counts=True)
                monthly = np.array([np.median(w) for w in (g[:, i][~np.isnan(g[:, i])] for g in months) if len(w)])
                self.stat[f, s] = {"miss": base, "outage": float((m > base + 0.3).mean()), "q": np.quantile(v, [0.005, 0.995]).tolist(),
                                   "share": dict(zip(values.tolist(), (times / len(v)).tolist())),
                                   "wander": float(np.log(np.maximum(monthly, 1e-3)).std(ddof=1)) if f in LABS else 0.0}
            self.stat["diagnosis", s] = {"icd10": float(r["icd10"].mean()), "unknown": float(self.unknown(r).mean())}
        self.season0 = self.card.get("first_calendar_month", 7)
        self.n0 = len(month) / max(1, len(np.unique(month)))

    def unknown(self, t):
        return ~t["icd10"] & (t["dx"] >= len(self.known9))

    def season(self, month):
        cal = (self.season0 - 1 + month) % 12
        return 0.1 * np.cos(2 * math.pi * cal / 12)

    @staticmethod
    def auc(y, s):
        r = rankdata(s)
        n1 = y.sum()
        n0 = len(y) - n1
        return (r[y == 1].sum() - n1 * (n1 + 1) / 2) / (n1 * n0) if n1 and n0 else np.nan

    # ---------------------------------------------------------------- the month
    def month(self, batch):
        try:
            t, lab = self.table(batch)
            m = int(batch["month"])
        except Exception:
            return []
        if m <= self.last or not 0 <= m <= 60:
            return []
        try:
            return self.live(m, t, lab, batch)[:12]
        except Exception:  # a monitor that stops helps nobody
            return []

    def live(self, m, t, lab, batch):
        self.last = m
        n = len(t["site"])
        t["month"] = np.full(n, m)
        t["y"] = np.array([self.y.get(e, 0) for e in batch["encounter"]], float)
        t["full"] = np.array([e in self.full for e in batch["encounter"]])
        before = 0 if self.data is None else len(self.data["site"])
        self.data = t if self.data is None else {k: np.concatenate([v, t[k]]) for k, v in self.data.items()}
        for i, e in enumerate(batch["encounter"], before):
            self.row.setdefault(e, []).append(i)
        for e, y, k in zip(lab["encounter"], lab["y"], lab["matured"]):
            self.y[e] = int(y)
            if k:
                self.full.add(e)
            for i in self.row.get(e, ()):
                self.data["y"][i] = int(y)
                self.data["full"][i] |= bool(k)
        self.volume.append((m, int((t["site"] < len(self.sites)).sum())))
        actions = []
        actions += self.feeds(m, t)
        actions += self.models(m, t, batch)
        actions += self.outcomes(m)
        for a in actions:
            self.counts.append((m, a["type"]))
        return actions

    # ---------------------------------------------------------------- feeds
    def finding(self, f, s, cur, more):
        """What is odd about one feature at one site this month: None or a dict."""
        st = self.stat[f, s]
        if len(cur["dx"]) < 20:
            return None
        if f == "diagnosis":
            if cur["icd10"].mean() > st["icd10"] + 0.4:
                return {"kind": "coding_change", "sure": True}
            unk = self.unknown(cur).mean()
            if unk > st["unknown"] + 0.4:
                blank = cur["blank"].mean() > unk / 2
                return {"kind": "missing_data" if blank else "corrupt_values", "sure": unk > 0.8}
            if np.bincount(cur["dx"]).max() / len(cur["dx"]) > 0.65:
                return {"kind": "corrupt_values", "sure": True}
            return None
        v = cur["x"][:, AT[f]]
        there = ~np.isnan(v)
        miss = np.isnan(v).mean()
        if miss >= 0.9 and miss > st["miss"] + 0.3:
            return {"kind": "missing_data", "sure": True, "all": True}
        b = v[there & ~np.isin(cur["dx9"], more)]
        if miss > st["miss"] + 0.25:
            return {"kind": "missing_data", "sure": False, "values": b}
        if len(b) < 15:
            return None
        values, times = np.unique(v[there], return_counts=True)
        if times.max() / times.sum() > st["share"].get(float(values[times.argmax()]), 0) + 0.3:
            return {"kind": "corrupt_values", "sure": True}
        middle, sd = self.usually(f, s, more)
        if f in ("admissions", "los", "age"):
            diff = np.log1p(np.maximum(b, 0)).mean() - middle
            z = diff / (sd / math.sqrt(len(b)))
            if abs(diff) > 0.8 * sd and abs(z) > 6:
                return {"kind": "corrupt_values", "sure": abs(diff) > 1.5 * sd, "ratio": math.exp(diff)}
        else:
            lb = np.log(np.maximum(b, 1e-3))
            diff = np.median(lb) - middle
            z = diff / (1.3 * sd / math.sqrt(len(b)))
            out = ((b < st["q"][0]) | (b > st["q"][1])).mean()
            new_sd = quartile_sd(lb)
            if abs(diff) > max(0.5 * sd, 3.5 * st["wander"]) and abs(z) > 4.5 and new_sd < 1.7 * sd:
                ratio = math.exp(diff)
                info = self.card["features"][f]
                fac = info.get("factor")
                if fac:
                    for k in (fac, 1 / fac):
                        if abs(diff - math.log(k)) < 0.25:
                            return {"kind": "unit_change", "sure": True, "ratio": k}
                return {"kind": "assay_change", "sure": False, "ratio": ratio, "z": z}
            if out > 0.15 or (new_sd > 1.8 * sd and len(b) > 30):
                return {"kind": "corrupt_values", "sure": out > 0.3}
        return None

    def frequent(self, s, cur):
        """Other patients than before? The diagnoses that became frequent, to be left out."""
        now, then = (np.bincount(c, minlength=len(self.ids)) / max(1, len(c)) for c in (cur["dx9"], self.ref[s]["dx9"]))
        return np.flatnonzero(now > then + 0.12)

    def usually(self, f, s, more):
        """Middle and spread of a feature's logs at a site in the reference year."""
        key = f, s, tuple(more.tolist())
        if key not in self.usual:
            r = self.ref[s]
            a = r["x"][~np.isin(r["dx9"], more), AT[f]]
            a = a[~np.isnan(a)]
            if f in ("admissions", "los", "age"):
                la = np.log1p(np.maximum(a, 0))
                self.usual[key] = la.mean(), la.std(ddof=1)
            else:
                la = np.log(np.maximum(a, 1e-3))
                self.usual[key] = np.median(la), max(quartile_sd(la), 1e-3)
        return self.usual[key]

    def fewer(self, f, s, values):
        """Only the sick are tested: those tested look otherwise than those tested before."""
        a = self.ref[s]["x"][:, AT[f]]
        a = a[~np.isnan(a)]
        b = np.asarray(values, float)
        if len(b) < 8:
            return False
        return ks_2samp(a, b).pvalue < 1e-3

    def feeds(self, m, t):
        found = {}
        here = {s: take(t, t["site"] == self.place[s]) for s in self.sites}
        for s, cur in here.items():
            more = self.frequent(s, cur)
            for f in NUM + ["diagnosis"]:
                x = self.finding(f, s, cur, more)
                self.history.setdefault((f, s), []).append(x)
                if x:
                    found[f, s] = x
        actions, new, clear = [], {}, []
        for key, fix in list(self.fixes.items()):
            h = self.history[key]
            x = h[-1]
            if fix["kind"] == "missing_data":
                gone = x is None and (key[0] == "diagnosis" or np.isnan(here[key[1]]["x"][:, AT[key[0]]]).mean() < self.stat[key]["miss"] + 0.25)
            else:
                gone = x is None or x["kind"] != fix["kind"] and x["kind"] == "missing_data" and not x.get("all")
                if x is not None and gone:
                    gone = False
            if gone:
                clear.append(key)
        for key, x in found.items():
            if key in self.fixes:
                continue
            f, s = key
            h = self.history[key]
            prev = h[-2] if len(h) > 1 else None
            ok = x["sure"]
            since = m
            if x["kind"] == "missing_data" and not ok:
                peers = sum(1 for (g, r), z in found.items() if g == f and z["kind"] == "missing_data")
                run = 0
                for z in reversed(h):
                    if z and z["kind"] == "missing_data":
                        run += 1
                    else:
                        break
                values = np.concatenate([z["values"] for z in h[-run:] if z and "values" in z] or [np.array([])])
                if self.fewer(f, s, values) and peers < 3:
                    continue
                need = 3 if self.stat[key]["outage"] < 0.12 else 4
                ok = peers >= 3 or (run >= need) or (peers >= 2 and self.stat[key]["outage"] < 0.05 and run >= 2)
                since = m - run + 1
            elif not ok:
                ok = prev is not None and prev["kind"] == x["kind"]
                since = m - 1 if ok else m
            if ok:
                new[key] = (x, since)
        by = {}
        for (f, s), (x, since) in new.items():
            by.setdefault((f, x["kind"]), []).append((s, x, since))
        for (f, kind), group in by.items():
            ratios = [x["ratio"] for _, x, _ in group if "ratio" in x]
            method, factor = "mask", None
            if kind == "unit_change":
                method, factor = "rescale", 1 / ratios[0]
            elif kind == "assay_change":
                w = [math.log(r) for r in ratios]
                method, factor = "rescale", math.exp(-float(np.mean(w)))
            elif kind == "coding_change":
                method = "remap"
            same = not ratios or max(ratios) / min(ratios) < 1.4
            whole = len(group) == len(np.unique(t["site"])) and same
            for s, x, since in group:
                fac = factor
                if kind == "assay_change" and not same:
                    fac = 1 / x["ratio"]
                self.fixes[f, s] = {"kind": kind, "since": since}
                self.past.append({"feature": f, "site": s, "start": since, "end": 999, "issued": m, "cleared": 999, "method": method, "factor": fac or 1.0})
                if not whole:
                    a = {"type": "data_fix", "feature": f, "site": s, "method": method, "since": since, "cause": kind, "confidence": 0.9}
                    if fac:
                        a["factor"] = fac
                    actions.append(a)
            if whole:
                a = {"type": "data_fix", "feature": f, "method": method, "since": min(g[2] for g in group), "cause": kind, "confidence": 0.9}
                if factor:
                    a["factor"] = factor
                actions.append(a)
        gone = {}
        for f, s in clear:
            gone.setdefault(f, []).append(s)
            del self.fixes[f, s]
            for p in self.past:
                if p["feature"] == f and p["site"] == s and p["end"] == 999:
                    p["end"] = m
                    p["cleared"] = m
        for f, ss in gone.items():
            if not any(g == f for g, _ in self.fixes) and len(ss) > 1:
                actions.append({"type": "data_fix", "feature": f, "method": "clear"})
            else:
                actions += [{"type": "data_fix", "feature": f, "site": s, "method": "clear"} for s in ss]
        return actions

    # ---------------------------------------------------------------- releases and reports
    def models(self, m, t, batch):
        actions = []
        rel = batch.get("release_id")
        c = self.corrected(t, True)
        clean = ~np.isin(t["site"], [self.place[s] for (_, s) in self.fixes])
        u = clean if clean.sum() >= 100 else np.full(len(clean), True)
        s0 = self.design(c) @ self.coef
        corr = float(np.corrcoef(s0[u], logit(t["score"])[u])[0, 1])
        changed = self.release is not None and rel != self.release
        fresh = [r for r in self.own if r in str(rel) and r not in str(self.release)]
        own = changed and bool(fresh)
        seen = rel in self.seen
        self.seen.add(rel)
        if changed and not own and not seen:
            if self.prevcorr is not None and corr < min(0.965, self.prevcorr - 0.02):
                actions.append({"type": "rollback", "cause": "bad_release", "confidence": 0.9})
                self.release = rel
                self.suspend = m + 1
                return actions + self.reports(m, batch, rolling=True)
        if own and self.refit_at:
            self.coef = self.fit(c, logit(t["score"]), 1e-3)
            s0 = self.design(c) @ self.coef
            corr = float(np.corrcoef(s0, logit(t["score"]))[0, 1])
            self.refit_at = None
        self.release = rel
        self.prevcorr = corr
        return actions + self.reports(m, batch)

    suspend = -1
    deployed = None

    def accept(self, r):
        try:
            c, k = r["current"], r["candidate"]
            gain = abs(math.log(c["o_e"])) - abs(math.log(k["o_e"]))
            return k["net_benefit"] - c["net_benefit"] >= -1.0 and gain >= 0.0
        except Exception:
            return False

    def reports(self, m, batch, rolling=False):
        actions = []
        for r in batch.get("reports") or []:
            if not isinstance(r, dict):
                continue
            if r.get("refused"):
                if self.pending:
                    self.pending["wait"] = m
                continue
            if self.accept(r):
                actions.append({"type": "deploy", "report": r["id"]})
                self.own.add(str(r["id"]))
                if r.get("kind") == "retrain":
                    self.refit_at = True
                self.deployed = {"month": m, "kind": r.get("kind"), "site": (self.pending or {}).get("scope"), "cause": (self.pending or {}).get("cause", "prevalence_shift"), "map": dict(self.maps.get(m - 1) or {})}
                self.quiet = m + 1
            else:
                actions.append({"type": "reject", "report": r["id"]})
            self.pending = None
        return actions

    quiet = -1

    # ---------------------------------------------------------------- outcomes
    def year(self, kind, m):
        return sum(1 for k, n in self.counts if n == kind and k > m - 12)

    def outcomes(self, m):
        # how the deployed model relates to the surrogate, now, site by site
        now = take(self.data, self.data["month"] == m)
        s_now = self.design(self.corrected(now, True)) @ self.coef
        l_now = logit(now["score"])
        maps = {}
        broken = {p["site"] for p in self.past if m in (p["issued"], p["cleared"])}
        for s, i in self.place.items():
            k = now["site"] == i
            if not k.any():
                continue
            if s in broken and s in self.lastmap:
                maps[s] = self.lastmap[s]
                continue
            if k.sum() > 10:
                b = float(np.clip(np.polyfit(s_now[k], l_now[k], 1)[0], 0.3, 2.5))
                maps[s] = (float(np.median(l_now[k] - b * s_now[k])), b)
            else:
                maps[s] = (0.0, 1.0)
        self.maps[m] = maps
        self.lastmap = maps
        if m < 2 or m <= self.quiet or m <= self.suspend:
            return []
        d = self.data
        d = take(d, (d["month"] >= m - 9) & (d["month"] <= m - 2) & (d["site"] < len(self.sites)))
        d["s0"] = self.design(self.corrected(d)) @ self.coef
        d["l"] = self.mapped(d, maps) + self.season(d["month"])
        d["p"] = sig(d["l"])
        hit = self.trigger(d, m)
        if hit is None:
            if self.pending and self.pending.get("asked") is None and m - self.pending["seen"] > 3:
                self.pending = None
            if not self.pending:
                return []
        actions = []
        # back to what was before?
        if self.deployed and self.deployed["kind"] == "recalibrate" and hit is not None and hit["sign"] and self.fits_previous(d, hit, m):
            actions.append({"type": "rollback", "cause": self.deployed.get("cause", hit["cause"])})
            self.deployed = None
            self.pending = None
            self.quiet = m + 1
            return actions
        if hit is not None:
            if self.pending is None or self.pending["scope"] != hit["scope"] and self.pending.get("asked") is None:
                self.pending = dict(hit, seen=m, asked=None)
            p = self.pending
            p["cause"] = hit["cause"] if p.get("asked") is None else p["cause"]
            tag = (hit["scope"], p["cause"], hit["sign"])
            if self.recent(tag, m) and m < 23:
                a = {"type": "alert", "cause": p["cause"], "confidence": 0.7}
                if hit["scope"]:
                    a["site"] = hit["scope"]
                actions.append(a)
                self.alerted.add((tag, m))
        p = self.pending
        if p is None:
            return actions
        if p["asked"] is not None and m - p["asked"] < 2:
            return actions
        months = [k for k in range(p["onset"], m + 1) if self.matured(k)]
        if months and hit is not None and m <= 20:
            k = np.isin(d["month"], months)
            if p["scope"]:
                k &= d["site"] == self.place[p["scope"]]
            need = self.card.get("min_events", 30) + 3
            n = len(months)
            events = d["y"][k].sum()
            kind = "recalibrate"
            if p["cause"] == "concept_drift" and not p["scope"] and events >= 55 and self.year("retrain", m) < 2:
                kind = "retrain"
            if events >= need and self.year("recalibrate", m) < 4:
                n = min(n, 8, int(self.card.get("most_train_months", 10)))
                a = {"type": kind, "train_months": n, "cause": p["cause"]}
                if p["scope"]:
                    a["site"] = p["scope"]
                actions.append(a)
                p["asked"] = m
        return actions

    def mapped(self, d, maps):
        a, b = np.zeros(len(self.place)), np.ones(len(self.place))
        for s, (level, slope) in maps.items():
            a[self.place[s]], b[self.place[s]] = level, slope
        return a[d["site"]] + b[d["site"]] * d["s0"]

    def recent(self, tag, m):
        return not any(x == tag and m - k < 12 for x, k in self.alerted)

    def matured(self, month):
        full = self.data["full"][self.data["month"] == month]
        return len(full) > 0 and bool(full.all())

    def fits_previous(self, d, p, m):
        old = self.deployed["map"]
        if not old or self.deployed["site"] not in (None, p["scope"]):
            return False
        k = d["month"] >= p["onset"]
        if p["scope"]:
            k &= d["site"] == self.place[p["scope"]]
        q = take(d, k)
        pr = sig(self.mapped(q, old) + self.season(q["month"]))
        z = (q["y"].sum() - pr.sum()) / math.sqrt((pr * (1 - pr)).sum() + (0.05 * pr.sum()) ** 2)
        return abs(z) < 2.5 and abs(z) < 0.5 * abs(p["z"])

    @staticmethod
    def zscore(d, which):
        y, p = d["y"][which], d["p"][which]
        o, e = y.sum(), p.sum()
        v = (p * (1 - p)).sum() + (0.05 * e) ** 2
        return (o - e) / math.sqrt(v), math.log((o + 0.5) / (e + 0.5))

    def trigger(self, d, m):
        last = m - 2
        best = None
        for scope in [None] + self.sites:
            there = np.full(len(d["y"]), True) if scope is None else d["site"] == self.place[scope]
            for k, lim, size in ((1, 4.0, 0.3), (2, 3.6, 0.22), (3, 3.4, 0.2)):
                q = there & (d["month"] > last - k)
                months = np.unique(d["month"][q])
                if len(months) < k or scope and k < 2:
                    continue
                z, r = self.zscore(d, q)
                each = [self.zscore(d, q & (d["month"] == g))[1] for g in months]
                if abs(z) > lim + (0.6 if scope else 0) and abs(r) > size * (1.6 if scope else 1) and all(x * r > 0 for x in each):
                    if best is None or (abs(z) > abs(best["z"]) and (scope is None) == (best["scope"] is None)):
                        best = {"scope": scope, "z": z, "k": k, "r": r, "onset": last - k + 1, "sign": int(np.sign(r))}
            if scope is None and best is not None:
                # is it one site alone?
                q = d["month"] >= best["onset"]
                sites = {s: q & (d["site"] == self.place[s]) for s in self.sites}
                zs = {s: self.zscore(d, k) for s, k in sites.items() if k.any()}
                strong = max(zs, key=lambda s: abs(zs[s][0]))
                zr, rr = self.zscore(d, q & ~sites[strong])
                if abs(zs[strong][0]) > 3 and abs(zr) < 1.5 and abs(zs[strong][1]) > 3 * abs(rr):
                    best = dict(best, scope=strong)
                break
        if best is None and not (self.deployed and self.deployed["kind"] == "retrain"):
            for k in (2, 3, 4):
                q = d["month"] > last - k
                if len(np.unique(d["month"][q])) == k:
                    drop, se = self.drop(take(d, q))
                    if drop > 0.05 and drop > 3.2 * se:
                        return {"scope": None, "z": -drop / se, "k": k, "r": 0.0, "onset": last - k + 1, "sign": 0, "cause": "concept_drift"}
        if best is None:
            return None
        q = take(d, d["month"] >= best["onset"])
        best["cause"] = self.cause(d, q, best, m)
        return best

    def drop(self, q):
        """By how much the ranking is worse than in the reference year, at sites whose feeds are sound, and its error."""
        k = ~np.isin(q["site"], [self.place[s] for _, s in self.fixes])
        y = q["y"][k]
        if len(y) < 150 or y.sum() < 8:
            return 0.0, 1.0
        a = self.auc(y, q["s0"][k])
        return self.base_auc - a, math.sqrt(1.2 * a * (1 - a) / y.sum())

    def cause(self, d, q, hit, m):
        if hit["scope"]:
            return "prevalence_shift"
        vols = dict(self.volume)
        for k in range(max(1, hit["onset"] - 1), hit["onset"] + 2):
            usual = np.mean([vols[j] for j in range(max(0, k - 4), k) if j in vols and j < hit["onset"]] or [self.n0])
            if k in vols and vols[k] < 0.86 * usual:
                return "temporary_shock"
        drop, se = self.drop(q)
        if drop > 0.02 + 0.9 * se:
            return "concept_drift"
        return "prevalence_shift"
