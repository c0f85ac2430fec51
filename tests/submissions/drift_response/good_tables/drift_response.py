"""A monitor of data contracts per site, outcomes by cohort, and releases against a copy of the reference model."""

import warnings

import numpy as np
import pandas as pd
from scipy.stats import rankdata, spearmanr
from sklearn.linear_model import Ridge

from contracts import LOGGED, NUMBERS, BadBatch, Contract, design, logs, names, read, share_of_mode
from rules import ACCEPT, CAPS, MIN_EVENTS, RULES

warnings.filterwarnings("ignore")


def logit(p):
    p = np.clip(np.asarray(p, float), 0.001, 0.999)
    return np.log(p / (1 - p))


def auroc(y, score):
    y, n = np.asarray(y), np.sum(y)
    return (rankdata(score)[y == 1].sum() - n * (n + 1) / 2) / (n * (len(y) - n))


def llr(o, e):
    """Poisson log likelihood ratio of a level other than expected, a little overdispersed."""
    return ((o * np.log(max(o, 0.5) / e) - (o - e)) / 1.2) if e > 0 else 0.0


class Monitor:
    def __init__(self, card):
        self.card = card
        self.month_seen = None
        self.bad = {}            # month -> malformed deliveries
        self.fixes = {}          # (site, feature) -> dict(method, value, cause, since)
        self.dirty = set()       # (site, month) whose scores were made of wrong values
        self.ledger = pd.DataFrame()
        self.history = {}        # (site, feature, kind) -> {month: value}
        self.sent = []           # (month, type)
        self.kinds = {}          # ids of own reports that were deployed, and what they were
        self.seen = set()        # releases that were looked at
        self.own = None          # what kind of own model is deployed: None, recalibrate, retrain
        self.epoch_start = 0     # first month scored by the present model (as far as levels go)
        self.release = None
        self.requested = None    # month of the last request for a model
        self.alerted = {}
        self.retrained = False

    # ------------------------------------------------------------------ the reference year
    def start(self, batch):
        t = read(batch, lenient=True)
        t["month_of"] = batch["month_of"]
        walk = self.card.get("crosswalk", {})
        self.icd10 = {k.replace(".", "").upper(): v.replace(".", "") for k, v in walk.items()}
        self.icd9 = {v.replace(".", "") for v in walk.values()}
        self.local = set(t["dx"]) - set(self.icd10) - self.icd9
        t = self.mark(t)
        y = dict(zip(map(str, batch["labels"]["encounter"]), batch["labels"]["y"]))
        t["y"] = t["encounter"].map(y)
        self.normal = {f: t[f].median() for f in NUMBERS}
        self.codes = sorted(self.icd9)
        X = design(t, self.normal, self.codes)
        self.copy = Ridge(1e-3).fit(X, logit(t["score"]))
        self.contracts = {s: Contract(g) for s, g in t.groupby("site")}
        self.volume = len(t) / 12
        self.volume_by = t.groupby("month_of").size().to_dict()
        self.auc = auroc(t["y"].fillna(0), t["score"])
        self.level = t["y"].mean() / t["score"].mean()
        self.release = batch.get("release_id")
        self.friends = {}        # each feature from the others, for values that belong to somebody else
        for f in ["admissions"] + LOGGED:
            others = np.array([not c.startswith(f) for c in names(self.codes)])
            ok = t[f].notna().to_numpy()
            v = np.log(np.maximum(t[f].to_numpy()[ok], 0.01) + (f in ("admissions", "los")))
            known = X[ok][:, others]
            m = Ridge(1.0).fit(known, v)
            weights = np.zeros(X.shape[1])
            weights[others] = m.coef_
            self.friends[f] = (weights, m.intercept_, np.corrcoef(m.predict(known), v)[0, 1])
        lg = logit(t["score"])
        there = {f: t[f].notna().to_numpy() for f in LOGGED}
        self.sick = {f: np.sign(spearmanr(logs(t[f])[k], lg[k])[0]) for f, k in there.items()}

    def mark(self, t):
        t["icd10"] = t["dx"].isin(self.icd10)
        t["unknown"] = ~(t["icd10"] | t["dx"].isin(self.icd9) | t["dx"].isin(self.local)) | (t["dx"] == "")
        t["dx9"] = t["dx"].map(lambda d: self.icd10.get(d, d))
        return t

    # ------------------------------------------------------------------ a month
    def month(self, batch):
        try:
            return self.live(batch)
        except BadBatch:
            m = batch.get("month") if isinstance(batch, dict) else None
            self.bad[m if isinstance(m, int) else None] = True
            return []
        except Exception:  # a monitor that stops helps nobody
            return []

    def live(self, batch):
        m = batch.get("month") if isinstance(batch, dict) else None
        if not isinstance(m, int) or isinstance(m, bool) or m < 0:
            raise BadBatch("month")
        if self.month_seen is not None and m <= self.month_seen:
            return []
        lenient = bool(self.bad.get(m - 1)) and self.month_seen is not None and self.month_seen < m - 1
        t = self.mark(read(batch, lenient))
        self.month_seen = m
        t["month"] = m
        self.now = m
        actions = []
        actions += self.models(batch, t)
        actions += self.data(t)
        self.book(batch, t)
        actions += self.outcomes(batch, t)
        return self.limit(actions)

    def limit(self, actions):
        out = []
        for a in actions:
            k = a["type"]
            if k in CAPS and sum(1 for mm, kk in self.sent if kk == k and mm > self.now - 12) >= CAPS[k]:
                continue
            self.sent.append((self.now, k))
            out.append(a)
        return out[:12]

    def can(self, k):
        return sum(1 for mm, kk in self.sent if kk == k and mm > self.now - 12) < CAPS[k]

    # ------------------------------------------------------------------ releases and reports
    def models(self, batch, t):
        out, rid = [], batch.get("release_id")
        if rid != self.release:
            before, self.own = self.own, next((k for i, k in self.kinds.items() if i in str(rid)), None)
            if self.own is None and str(rid) not in self.seen:
                clean = [s for s in t["site"].unique() if not any(k[0] == s for k in self.fixes) and s in self.contracts]
                g = t[t["site"].isin(clean)] if clean else t
                sur = self.copy.predict(design(g, self.normal, self.codes))
                lg = logit(g["score"])
                rank, lev = spearmanr(sur, lg)[0], float(np.mean(lg - sur))
                per = [spearmanr(sur[(g["site"] == s).to_numpy()], lg[(g["site"] == s).to_numpy()])[0] for s in clean]
                R = RULES["release"]
                if rank < R["rank"] or abs(lev) > R["level"] or (per and min(per) < R["rank"] - 0.06):
                    out.append({"type": "rollback", "cause": "bad_release", "confidence": 0.9})
                    self.dirty |= {(s, self.now) for s in t["site"].unique()}
                elif before:      # our own model was displaced: it is still wanted
                    out.append({"type": "rollback"})
                    self.dirty |= {(s, self.now) for s in t["site"].unique()}
            self.release = rid
        self.seen.add(str(rid))
        for r in batch.get("reports") or []:
            ok = self.accept(r)
            out.append({"type": "deploy" if ok else "reject", "report": r.get("id")})
            if ok:
                self.kinds[str(r.get("id"))] = str(r.get("kind") or "recalibrate")
                self.epoch_start = self.now + 1
                if "retrain" in str(r.get("kind")):
                    self.retrained = True
            self.requested = None
        return out

    @staticmethod
    def accept(r):
        a, b = r.get("current"), r.get("candidate")
        if r.get("refused") or not a or not b:
            return False
        try:
            for f, least in ACCEPT:
                if f == "o_e_error":
                    gain = abs(np.log(a["o_e"])) - abs(np.log(b["o_e"]))
                else:
                    gain = b[f] - a[f]
                if not gain >= least:
                    return False
        except Exception:
            return False
        return True

    # ------------------------------------------------------------------ data contracts
    def data(self, t):
        m, found, over = self.now, {}, {}
        groups = dict(tuple(t.groupby("site")))
        X = design(self.mend(t), self.normal, self.codes)
        for s, g in groups.items():
            c = self.contracts.get(s)
            if c is None or len(g) < 15:
                continue
            usual, values, mended = c.usual_codes(g).to_numpy(), g[NUMBERS].to_numpy(), X[(t["site"] == s).to_numpy()]
            for f, v in zip(NUMBERS, values.T):
                rec = self.history.setdefault((s, f), {})
                gone = np.isnan(v)
                miss = gone.mean()
                mode = share_of_mode(v)
                dev, even = c.shift(v[usual & ~gone], f) if f in LOGGED else (np.nan, False)
                rec[m] = (miss, mode, dev, even)
                over.setdefault(f, {})[s] = miss - c.miss[f]
                verdict = self.verdict(s, f, g, c, rec, v, usual & ~gone, mended)
                if verdict:
                    found[(s, f)] = verdict
            icd10, unknown = g["icd10"].mean() - c.icd10, g["unknown"].mean() - c.unknown
            top = g["dx"].value_counts(normalize=True).iloc[0]
            K = RULES["codes"]
            if icd10 > K["icd10"]:
                found[(s, "diagnosis")] = ("remap", None, "coding_change")
            elif unknown > K["unknown"]:
                found[(s, "diagnosis")] = ("mask", None, "missing_data" if (g["dx"] == "").mean() > 0.3 else "corrupt_values")
            elif top > K["stuck"]:
                found[(s, "diagnosis")] = ("mask", None, "corrupt_values")
        for f, by in over.items():
            hit = [s for s, v in by.items() if v > RULES["burst"]["over"]]
            if len(hit) >= RULES["burst"]["sites"]:
                for s in hit:
                    found.setdefault((s, f), ("mask", None, "missing_data"))
        out = []
        # endings: the source was mended
        ended = {}
        for (s, f), fix in list(self.fixes.items()):
            if s in groups and (s, f) not in found and self.over_now(s, f, fix, groups[s]):
                ended.setdefault(f, []).append(s)
        for f, sites in ended.items():
            fixed = [s for (s, ff) in self.fixes if ff == f]
            if len(sites) == len(fixed) and len(sites) >= 2 and self.fixes[(sites[0], f)].get("all"):
                out.append({"type": "data_fix", "feature": f, "method": "clear"})
            else:
                out += [{"type": "data_fix", "feature": f, "site": s, "method": "clear"} for s in sites]
            for s in sites:
                self.dirty.add((s, m))
                del self.fixes[(s, f)]
        # beginnings
        by = {}
        for (s, f), (method, value, cause) in found.items():
            old = self.fixes.get((s, f))
            if old and old["method"] == method:
                continue
            by.setdefault((f, method, cause), []).append((s, value))
        for (f, method, cause), hits in by.items():
            everywhere = method != "rescale" and {s for s, _ in hits} >= set(self.contracts)
            since = min([self.first(s, f, cause) for s, _ in hits])
            for s, value in hits:
                self.fixes[(s, f)] = {"method": method, "value": value, "cause": cause, "since": since, "all": everywhere}
                self.dirty |= {(s, k) for k in range(since, m + 1)}
                a = {"type": "data_fix", "feature": f, "site": s, "method": method, "since": since, "cause": cause, "confidence": 0.85}
                if method == "rescale":
                    a["factor"] = float(np.exp(-value))
                if everywhere:
                    a.pop("site")
                    if s == hits[0][0]:
                        out.append(a)
                else:
                    out.append(a)
        return out

    def first(self, s, f, cause):
        if cause in ("assay_change", "corrupt_values", "missing_data") and (s, f) in getattr(self, "since", {}):
            return self.since[(s, f)]
        return self.now

    def verdict(self, s, f, g, c, rec, v, usual, X):
        m = self.now
        miss, mode, dev, even = rec[m]
        self.since = getattr(self, "since", {})
        self.since[(s, f)] = m
        if miss > RULES["stopped"]["share"] and c.miss_max[f] < 0.8:
            return "mask", None, "missing_data"
        if mode > c.mode_max[f] + RULES["stuck"]["over"]:
            return "mask", None, "corrupt_values"
        factor = self.card["features"].get(f, {}).get("factor")
        before = rec.get(m - 1)
        if factor and np.isfinite(dev):
            far = [abs(x - np.log(factor)) for x in (dev, before[2] if before else np.nan)]
            near = RULES["unit"]["near"] + min(c.wander[f], 0.1)
            # a factor that is no further than a laboratory's wandering is believed when seen twice
            if far[0] < near and (abs(np.log(factor)) > 1.8 or far[1] < near or (s, f) in self.fixes):
                if far[1] < near:
                    self.since[(s, f)] = m - 1
                return "rescale", float(np.log(factor)), "unit_change"
        if np.isfinite(dev):
            a, b = RULES["assay_now"], RULES["assay_two"]
            big = abs(dev) > max(a["sd"] * c.sd[f], a["wander"] * c.wander[f], a["least"])
            least = max(b["sd"] * c.sd[f], b["wander"] * c.wander[f], b["least"])
            if miss > c.miss[f] + 0.2:   # those who are still tested are the ill ones
                least = max(least, 1.2 * c.sd[f])
            two = before is not None and np.isfinite(before[2]) and min(abs(dev), abs(before[2])) > least and dev * before[2] > 0
            known = self.fixes.get((s, f))
            if known and known["cause"] in ("assay_change", "corrupt_values") and known["value"] is not None:
                if abs(dev) > 0.5 * abs(known["value"]) and dev * known["value"] > 0:
                    return known["method"], known["value"], known["cause"]
            if big or two:
                value = np.mean([dev, before[2]]) if two else dev
                if two:
                    self.since[(s, f)] = m - 1
                if f == "age" or f == "los" or not even:
                    return "mask", float(value), "corrupt_values"
                return "rescale", float(value), "assay_change"
        outside = self.history.setdefault((s, f, "outside"), {})
        outside[m] = c.outside(v[~np.isnan(v)], f)
        if outside[m] > RULES["outside"]["share"]:
            return "mask", None, "corrupt_values"
        if f in LOGGED:
            h = self.history.setdefault((s, f, "spread"), {})
            h[m] = c.spread(v[usual], f)
            S = RULES["spread"]
            if abs(h[m]) > S["now"] or (m - 1 in h and min(abs(h[m]), abs(h[m - 1])) > S["two"] and h[m] * h[m - 1] > 0):
                return "mask", None, "corrupt_values"
        R = RULES["sparse"]
        if all((m - k) in rec and rec[m - k][0] > c.miss[f] + R["over"] for k in range(R["months"])):
            k = m
            while k - 1 in rec and rec[k - 1][0] > c.miss[f] + R["over"]:
                k -= 1
            old = self.ledger[(self.ledger["site"] == s) & (self.ledger["month"] >= k)]
            both = pd.concat([g, old])
            r = self.copy.predict(design(self.mend(both).assign(**{f: np.nan}), self.normal, self.codes))
            na = both[f].isna().to_numpy()
            if na.sum() > 20 and (~na).sum() > 20:
                x, y = r[~na], r[na]
                z1 = (x.mean() - y.mean()) / np.sqrt(x.var() / len(x) + y.var() / len(y))
                w = logs(both.loc[~na, f])
                z2 = self.sick[f] * (w.median() - c.mu[f]) / (1.25 * c.sd[f]) * np.sqrt(len(w)) if f in self.sick else z1
                z = (z1 + z2) / np.sqrt(2)
                if z < R["z"]:
                    self.since[(s, f)] = k
                    return "mask", None, "missing_data"
        # values that are somebody else's
        D = RULES["decoupled"]
        if f in self.friends and self.friends[f][2] > 0.22:
            weights, level, r = self.friends[f]
            if usual.sum() > 20:
                w = np.log(np.maximum(v[usual], 0.01) + (f in ("admissions", "los")))
                rr = np.corrcoef(X[usual] @ weights + level, w)[0, 1] if w.std() > 0 else 0.0
                h = self.history.setdefault((s, f, "corr"), {})
                h[m] = (rr, int(usual.sum()))
                last = [h[m - k] for k in range(D["months"]) if (m - k) in h]
                if len(last) == D["months"]:
                    n = sum(x[1] for x in last)
                    mean = sum(x[0] * x[1] for x in last) / n
                    if mean < D["share"] * r and (r - mean) * np.sqrt(n) > D["z"]:
                        self.since[(s, f)] = m - D["months"] + 1
                        return "mask", None, "corrupt_values"
        return None

    def over_now(self, s, f, fix, g):
        c = self.contracts[s]
        if f == "diagnosis":
            return g["icd10"].mean() < c.icd10 + 0.15 and g["unknown"].mean() < c.unknown + 0.12 and g["dx"].value_counts(normalize=True).iloc[0] < 0.65
        miss, mode, dev, even = self.history[(s, f)][self.now]
        if fix["value"] is not None:
            return np.isfinite(dev) and abs(dev) < 0.4 * abs(fix["value"])
        corr = self.history.get((s, f, "corr"), {}).get(self.now)
        if fix.get("cause") == "corrupt_values" and corr is not None and corr[0] < 0.4 * self.friends[f][2]:
            return False
        if self.history.get((s, f, "outside"), {}).get(self.now, 0) > 0.05 or abs(self.history.get((s, f, "spread"), {}).get(self.now, 0)) > 0.45:
            return False
        return miss < c.miss[f] + 0.2 and mode < c.mode_max[f] + 0.12

    # ------------------------------------------------------------------ outcomes
    def book(self, batch, t):
        fixed = self.mend(t)
        t = t.assign(cell=t["site"] + f" {self.now}", sur=self.copy.predict(design(fixed, self.normal, self.codes)), y=np.nan, matured=False)
        self.ledger = pd.concat([self.ledger, t], ignore_index=True)
        L = batch["labels"]
        came = pd.DataFrame({"encounter": list(map(str, L["encounter"])), "y": L["y"], "matured": L["matured"]})
        if len(came):
            came = came.sort_values("matured").drop_duplicates("encounter", keep="last").set_index("encounter")
            here = self.ledger["encounter"].isin(came.index)
            e = self.ledger.loc[here, "encounter"]
            self.ledger.loc[here, "y"] = came["y"].reindex(e).to_numpy(float)
            self.ledger.loc[here, "matured"] |= came["matured"].reindex(e).to_numpy(bool)

    def mend(self, t):
        fixed = t.copy()
        for (s, f), fix in self.fixes.items():
            rows = fixed["site"] == s
            if fix["method"] == "rescale":
                fixed.loc[rows, f] *= np.exp(-fix["value"])
            elif fix["method"] == "remap":
                fixed.loc[rows, "dx"] = fixed.loc[rows, "dx"].map(lambda d: self.icd10.get(d, d))
            elif f != "diagnosis":
                fixed.loc[rows, f] = np.nan
        return fixed

    def season(self, m):
        cal = (self.card.get("first_calendar_month", 7) - 1 + m) % 12
        return np.exp(0.12 * np.cos(2 * np.pi * cal / 12))

    def cohorts(self):
        """Months whose readmissions are all in (all come after two months; who is not among them was not readmitted)."""
        d = self.ledger[self.ledger["month"] <= self.now - 2].copy()
        if d.empty:
            return d
        come = d["y"].notna().groupby(d["month"]).transform("mean")
        d = d[come > 0.2]
        d["y"] = d["y"].fillna(0.0)
        d["p"] = np.clip(d["score"] * self.season(d["month"]) * self.level, 0, 0.98)
        return d[~d["cell"].isin([f"{s} {k}" for s, k in self.dirty])]

    def glr(self, d, least):
        """Best run of last months: (llr, ln O/E, onset)"""
        best = (0.0, 0.0, None)
        by = d.groupby("month")[["y", "p"]].sum().iloc[-RULES["level"]["months"]:]
        months, seen, expected = by.index, by["y"].to_numpy(), by["p"].to_numpy()
        for k in range(1, len(months) + 1):
            o, e = seen[-k:].sum(), expected[-k:].sum()
            if e > 0:
                x, r = llr(o, e), np.log(max(o, 0.5) / e)
                if x > best[0] and abs(r) > least:
                    best = (x, r, int(months[-k]))
        return best

    def outcomes(self, batch, t):
        out, m = [], self.now
        d = self.cohorts()
        if d.empty:
            return out
        R = RULES["level"]
        cur = d[d["month"] >= self.epoch_start]
        whole = self.ledger.groupby("month")["matured"].all()
        known = sorted(k for k, v in whole.items() if v)
        rank_onset = None if self.retrained else self.rank_drop(d)
        if cur.empty:
            return out
        x, r, onset = self.glr(cur, R["log"])
        target = None
        fire = x > R["llr"]
        sites = {}
        for s, g in cur.groupby("site"):
            if s in self.contracts:
                sx, sr, so = self.glr(g, R["site_log"])
                if sx > 3:
                    sites[s] = (sx, sr, so)
        if sites:
            s = max(sites, key=lambda k: sites[k][0])
            sx, sr, so = sites[s]
            rest = cur[(cur["site"] != s) & (cur["month"] >= so)]
            o, e = rest["y"].sum(), rest["p"].sum()
            alone = e > 0 and abs(np.log(max(o, .5) / e)) < max(0.2, 0.35 * abs(sr)) and llr(o, e) < 3.5
            if sx > R["site_llr"] and alone:
                target, x, r, onset, fire = s, sx, sr, so, True
        if fire and target is None and rank_onset is None and not self.retrained:
            rank_onset = self.rank_drop(d, R["rank_z"])
        if not fire and rank_onset is None:
            return out
        if fire and target is None and rank_onset is None and self.shocked(onset, r):
            cause = "temporary_shock"
        elif rank_onset is not None and not self.shocked(rank_onset, r):
            cause = "concept_drift"
        else:
            cause = "prevalence_shift"
        start = onset if fire else rank_onset
        # the past has come back: take the model that was right then
        if fire and "recal" in str(self.own) and self.can("rollback"):
            g = cur[cur["month"] >= onset]
            if target:
                g = g[g["site"] == target]
            p = 1 / (1 + np.exp(-g["sur"])) * self.season(g["month"]) * self.level
            back = np.log(max(g["y"].sum(), 0.5) / p.sum())
            if abs(back) < 0.3 and abs(back) < 0.5 * abs(r) and self.deployed_sign * r < 0:
                self.epoch_start = m + 1
                return [{"type": "rollback"}]
        told = self.alerted.get((target, cause))
        if self.requested is not None and m - self.requested < 2:
            return out
        usable = [k for k in known if k >= start]
        train = self.ledger[self.ledger["month"].isin(usable)]
        if target:
            train = train[train["site"] == target]
        events = train["y"].fillna(0).sum()
        act = None
        if cause == "concept_drift" and not self.retrained and len(usable) >= 3 and self.can("retrain"):
            first = min(start, rank_onset if rank_onset is not None else start)
            n = len([k for k in known if k >= first])
            act = {"type": "retrain", "train_months": int(min(max(n, 3), 10)), "cause": cause, "confidence": 0.7}
        elif fire and usable and events >= MIN_EVENTS and self.can("recalibrate") and m < 22:
            act = {"type": "recalibrate", "train_months": int(min(len(usable), 10)), "cause": cause, "confidence": 0.7}
            if target:
                act["site"] = target
            self.deployed_sign = np.sign(r)
        if act:
            self.requested = m
            self.alerted[(target, cause)] = m
            out.append(act)
        elif told is None:
            self.alerted[(target, cause)] = m
            a = {"type": "alert", "cause": cause, "confidence": 0.6}
            if target:
                a["site"] = target
            out.append(a)
        return out

    deployed_sign = 0

    def shocked(self, onset, r):
        """Fewer patients everywhere, all at once: not a ward, but the times."""
        if onset is None:
            return False
        d = self.ledger[(self.ledger["month"] >= onset) & (self.ledger["month"] <= onset + 1) & self.ledger["site"].isin(self.contracts)]
        n = d.groupby("month").size()
        ratio = np.mean([v / self.volume_by.get((k % 12) - 12, self.volume) for k, v in n.items()])
        return ratio < RULES["shock"]["volume"]

    def rank_drop(self, d, z=None):
        R = RULES["rank"]
        z = z or R["z"]
        months = sorted(d["month"].unique())
        for k in R["months"]:
            if len(months) < k:
                break
            g = d[d["month"].isin(months[-k:])]
            pos = g["y"].sum()
            if pos < 30:
                continue
            a = auroc(g["y"], g["sur"])
            q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
            n = len(g) - pos
            se = np.sqrt((a * (1 - a) + (pos - 1) * (q1 - a * a) + (n - 1) * (q2 - a * a)) / (pos * n))
            if self.auc - a > R["drop"] and (self.auc - a) / se > z:
                return int(months[-k])
        return None
