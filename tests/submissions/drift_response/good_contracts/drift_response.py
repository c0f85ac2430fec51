"""A monitor of plain rules: delivery contract, feed contracts, releases, outcomes. In that order, each in one place."""

import spelling
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.metrics import roc_auc_score

from contracts import Contracts, Finding, is_month
from helpers import rows

CAP = 12
ACCEPT = {"net_benefit": -0.3, "auroc": 0.0}  # as in plan.json
MOST = {"recalibrate": 3, "retrain": 2}  # likewise


@dataclass
class Fix:
    site: str
    feature: str
    cause: str
    method: str
    factor: float
    since: int  # first month of the fault
    acted: int  # month of the action
    good: int = 0  # months in which the feed was as it used to be


@dataclass
class Pending:
    """A change of outcomes that was seen, and waits for enough known months."""

    kind: str  # prevalence_shift, concept_drift, temporary_shock
    site: str | None
    onset: int
    seen: int
    asked: int | None = None
    asked_months: int = 0
    rounds: int = 0


class Monitor:
    def __init__(self, card):
        self.card = card
        self.log = pd.DataFrame()  # every encounter since month 0
        self.outcome, self.known = {}, set()
        self.fixes, self.tainted = {}, set()  # tainted: (site, month) whose scores were made from a broken feed
        self.first_bad = {}
        self.seen = set()
        self.release, self.era = None, 0
        self.pending = []
        self.local = None  # what our deployed model was made for
        self.local_since = None
        self.asked = {}  # report id or order -> pending
        self.open_request = None
        self.shock = None
        self.level = {}
        self.told = {}
        self.mixed = set()
        self.changed_at = None
        self.used = []  # (month, type) of what the plan limits

    # ---------------------------------------------------------------- reference
    def start(self, batch):
        batch = spelling.plain(batch)
        t = rows(batch)
        for f in self.card["features"]:
            t[f] = pd.to_numeric(t[f], errors="coerce")
        y = dict(zip(batch["labels"]["encounter"], batch["labels"]["y"]))
        t["y"] = t["encounter"].map(y)
        self.contracts = Contracts(self.card, t)
        self.volume = t.groupby("month_of").size()
        self.auc = roc_auc_score(t["y"].dropna(), t.loc[t["y"].notna(), "score"])
        self.surrogate = LinearRegression().fit(self.design(t), self.logit(t["score"]))
        winter = t["month_of"].map(self.is_winter)
        ratio = {w: (t.loc[winter == w, "y"].sum() / max(t.loc[winter == w, "score"].sum(), 1)) for w in (True, False)}
        self.season = {w: 1 + 0.7 * (ratio[w] - 1) for w in ratio}
        self.site_level = {s: 1 + 0.5 * (d["y"].sum() / max(d["score"].sum(), 1) - 1) for s, d in t.groupby("site")}

    def is_winter(self, month):
        return (self.card["first_calendar_month"] - 1 + int(month)) % 12 + 1 in (11, 12, 1, 2)

    @staticmethod
    def logit(p):
        p = np.clip(np.asarray(p, float), 1e-4, 1 - 1e-4)
        return np.log(p / (1 - p))

    def design(self, t):
        cols = {}
        for f, spec in self.card["features"].items():
            v = pd.to_numeric(t[f], errors="coerce").fillna(spec["normal"]).to_numpy(float)
            cols[f], cols["log " + f] = v, np.log1p(np.clip(v, 0, None))
        dx = t["diagnosis"]
        for code in self.card["crosswalk"].values():
            cols["dx " + code] = (dx == code).to_numpy(float)
        return pd.DataFrame(cols)

    # ---------------------------------------------------------------- a month
    def month(self, batch):
        batch = spelling.plain(batch)
        if not is_month(batch, self.card) or batch["month"] in self.seen:
            return []
        try:
            return self.play(batch)[:CAP]
        except Exception:
            return []

    def play(self, batch):
        m = int(batch["month"])
        self.seen.add(m)
        t = rows(batch)
        for f in self.card["features"]:
            t[f] = pd.to_numeric(t[f], errors="coerce")
        t["month"] = m
        previous = self.log[self.log["month"] == m - 1] if len(self.log) else None
        for e, y, done in zip(*(batch["labels"][k] for k in ("encounter", "y", "matured"))):
            self.outcome[e] = y
            if done:
                self.known.add(e)
        actions = self.feeds(t, m, previous)
        self.log = pd.concat([self.log, t], ignore_index=True)
        actions += self.releases(batch, t, m)
        actions += self.volumes(t, m)
        actions += self.reports(batch, m)
        actions += self.outcomes(m)
        if any(a["type"] in ("deploy", "rollback") for a in actions):
            self.changed_at = m
        return actions

    # ---------------------------------------------------------------- feeds
    def feeds(self, t, m, previous):
        findings = {}
        for site, d in t.groupby("site"):
            if len(d) < 15:
                continue
            b = None if previous is None else previous[previous["site"] == site]
            b = None if b is None or len(b) < 15 else b
            if site not in self.contracts.sites and b is None:
                continue
            for x in self.contracts.inspect(d, site, b):
                findings[site, x.feature] = x
        for x in self.shuffled(t, m, findings):
            findings[x.site, x.feature] = x
        bad_now = {}
        for (site, f), x in findings.items():
            if x.cause == "missing_data" and x.feature != "diagnosis" and self.contracts.missing_jump(t[t.site == site], site, f) < 0.75:
                others = [s for (s, g), z in findings.items() if g == f and z.cause == "missing_data"]
                if len(others) >= 3:
                    x.sure = True
                elif x.sure and self.fewer_tests(t, previous, site, f):
                    x.sure = False
            bad_now[site, f] = x
        fresh, since = [], {}
        for key, x in bad_now.items():
            self.first_bad.setdefault(key, m)
            if x.cause == "missing_data" and not x.sure:
                continue
            self.tainted.add((key[0], m))
            if x.sure and key not in self.fixes:
                fresh.append(x)
                since[key] = self.first_bad[key]
                for k in range(self.first_bad[key], m + 1):
                    self.tainted.add((key[0], k))
        for key in [k for k in self.first_bad if k not in bad_now]:
            del self.first_bad[key]
        for key, x in bad_now.items():  # mended feeds are no longer tainted
            if key in self.fixes:
                self.tainted.discard((key[0], m))
        actions = self.ended(t, m, bad_now)
        groups = {}
        for x in fresh:
            groups.setdefault((x.feature, x.cause, x.method, round(x.factor, 3) if x.cause != "assay_change" else x.site), []).append(x)
        present = set(t["site"])
        for (f, cause, method, _), xs in groups.items():
            first = min(since[x.site, f] for x in xs)
            where = [None] if len(xs) == len(present) and len(xs) > 2 else [x.site for x in xs]
            alert = {"type": "alert", "feature": f, "cause": cause, "confidence": 0.9}
            if where != [None] and len(where) == 1:
                alert["site"] = where[0]
            actions.append(alert)
            for site in where:
                x = xs[0] if site is None else next(z for z in xs if z.site == site)
                a = {"type": "data_fix", "feature": f, "method": method, "cause": cause, "confidence": 0.9, "since": first}
                if site is not None:
                    a["site"] = site
                if method == "rescale":
                    a["factor"] = round(x.factor, 6)
                actions.append(a)
            for x in xs:
                self.fixes[x.site, f] = Fix(x.site, f, cause, method, x.factor, first, m)
        return actions

    def shuffled(self, t, m, findings):
        found = []
        recent = pd.concat([self.log[self.log["month"] >= m - 3], t]) if len(self.log) else t
        for site in self.contracts.sites:
            d = recent[recent["site"] == site]
            for f in self.contracts.features:
                fix = self.fixes.get((site, f))
                garbled_before = fix is not None and (site, f) in self.mixed
                if f == "age" or (site, f) in findings or (fix is not None and not garbled_before) or d[f].notna().sum() < 60:
                    continue
                for k in (0, 1, 2, 3):
                    x = d[d["month"] >= m - k]
                    z, share = self.contracts.garbled(x, site, f)
                    if (z < -4.3 and share < 0.2) or (garbled_before and k == 1 and share < 0.5):
                        found.append(Finding(site, f, "corrupt_values", "mask"))
                        self.mixed.add((site, f))
                        break
        return found

    def fewer_tests(self, t, previous, site, f):
        """Tests that are left out on purpose are left out for the healthier: nothing is broken."""
        both = pd.concat([x for x in (previous, t) if x is not None])
        both = both[both["site"] == site]
        neutral = both.assign(**{f: self.card["features"][f]["normal"]})
        risk = self.surrogate.predict(self.design(neutral))
        has = both[f].notna().to_numpy()
        gap = (risk[has].mean() - risk[~has].mean()) / max(risk.std(), 1e-6)
        ref = np.median(self.contracts.cell(site, f).values)
        sd = self.contracts.cell(site, f).spread
        shift = abs(np.log(max(both[f].median(), 1e-3) / ref)) / sd if has.sum() > 10 else 0
        return gap + 0.5 * shift > 0.32

    def ended(self, t, m, bad_now):
        """A fault that was mended at its source: our mending would now do harm."""
        over = []
        for key, fix in list(self.fixes.items()):
            d = t[t["site"] == fix.site]
            if len(d) < 10 or fix.acted == m:
                continue
            if key in bad_now and bad_now[key].cause == fix.cause:
                fix.good = 0
                continue
            fine = key not in bad_now
            if fine and fix.method == "rescale":
                r = np.median(self.contracts.log_ratios(d, fix.site, fix.feature)) if d[fix.feature].notna().sum() > 8 else None
                fine = r is not None and abs(r) < abs(r + np.log(fix.factor)) and abs(r) < 0.5 * abs(np.log(fix.factor))
            if fine and fix.cause == "missing_data" and fix.feature != "diagnosis":
                fine = self.contracts.missing_jump(d, fix.site, fix.feature) < 0.2
            if fine:
                over.append(fix)
        actions = []
        by = {}
        for fix in over:
            by.setdefault(fix.feature, []).append(fix)
            del self.fixes[fix.site, fix.feature]
        for f, xs in by.items():
            left = [k for k in self.fixes if k[1] == f]
            everywhere = sum(k[1] == f for k in list(self.fixes)) + len(xs) >= len(set(t["site"])) and len({x.since for x in xs}) == 1
            if len(xs) > 2 and everywhere:  # one action for the feed; a last site with an outage of its own comes along
                for k in left:
                    del self.fixes[k]
                actions.append({"type": "data_fix", "feature": f, "method": "clear", "cause": xs[0].cause})
            else:
                actions += [{"type": "data_fix", "feature": f, "site": x.site, "method": "clear", "cause": x.cause} for x in xs]
        return actions

    # ---------------------------------------------------------------- releases
    def agreement(self, t):
        """How far scores rank as the reference model would, and how much higher they are, at sites with sound feeds."""
        broken = {s for s, _ in self.fixes} | {s for s, k in self.tainted if k == int(t["month"].iloc[0])}
        d = t[~t["site"].isin(broken)]
        partial = len(d) < 60
        d = t if partial else d
        z, p = self.logit(d["score"]), self.surrogate.predict(self.design(d))
        p = np.clip(p, -8, 5)
        return pd.Series(z).corr(pd.Series(p), method="spearman"), float(np.median(z - p)), partial

    def releases(self, batch, t, m):
        rank, shift, partial = self.agreement(t)
        old, self.release = self.release, batch["release_id"]
        before = self.level.get("last")
        self.level["last"] = (rank, shift)
        ours = self.changed_at is not None and m - self.changed_at <= 1  # our own deploy or rollback has a name of its own
        new = not ours and old is not None and batch["release_id"] != old
        if not new or before is None or batch["release_id"] in self.level.get("ids", set()):
            self.level.setdefault("ids", set()).add(batch["release_id"])
            return []
        self.level["ids"].add(batch["release_id"])
        worse = before[0] - rank > 0.07
        if worse and self.local != "concept_drift":
            self.era = m + 1
            self.level["ids"].discard(old)
            self.release = old
            self.level["last"] = before
            return [{"type": "rollback", "cause": "bad_release", "confidence": 0.9}]
        if self.local and (abs(shift - before[1]) > 0.12 or abs(rank - before[0]) > 0.02):
            self.release = old
            self.level["last"] = before
            return [{"type": "rollback", "cause": self.local}]
        self.era = max(self.era, m) if abs(shift - before[1]) > 0.1 else self.era
        return []

    # ---------------------------------------------------------------- volumes
    def volumes(self, t, m):
        known = t["site"].isin(self.contracts.sites).sum()
        usual = self.volume.get(-12 + m % 12)
        ratio = known / usual if usual else 1.0
        if self.shock is None and ratio < 0.91:
            self.shock = m
            return [{"type": "alert", "cause": "temporary_shock", "confidence": 0.8}]
        if self.shock is not None and ratio > 0.945 and m > self.shock + 1:
            since, self.shock = self.shock, None
            self.pending = [p for p in self.pending if p.onset < since - 1]
            self.open_request = None
            if self.local == "temporary_shock" and self.local_since > since:
                self.local, self.era = None, m + 1
                return [{"type": "rollback", "cause": "temporary_shock"}]
            self.era = max(self.era, m)
        return []

    # ---------------------------------------------------------------- reports
    def reports(self, batch, m):
        actions = []
        for r in batch["reports"]:
            wanted, self.open_request = self.open_request, None
            if r.get("refused") or not r.get("candidate"):
                if wanted:
                    wanted.asked = None
                continue
            if wanted is not None and all(self.gain(r, f) >= least for f, least in ACCEPT.items()):
                actions.append({"type": "deploy", "report": r["id"], "cause": wanted.kind})
                self.local, self.local_since, self.era = wanted.kind, m, m + 1
            else:
                actions.append({"type": "reject", "report": r["id"]})
        return actions

    @staticmethod
    def gain(report, field):
        new, old = report["candidate"], report["current"]
        if field == "o_e_error":
            return abs(np.log(max(old["o_e"], 0.01))) - abs(np.log(max(new["o_e"], 0.01)))
        return new[field] - old[field]

    def allowed(self, kind, m):
        """plan.json limits models to so many in any twelve months."""
        if sum(k == kind and m - at < 12 for at, k in self.used) >= MOST[kind]:
            return False
        self.used.append((m, kind))
        return True

    # ---------------------------------------------------------------- outcomes
    def monthly(self, m):
        """Site-months whose readmissions have all come (two months), made by the present model from sound feeds."""
        d = self.log[(self.log["month"] <= m - 2) & (self.log["month"] >= self.era)]
        if d.empty:
            return d
        bad = pd.Series(list(zip(d["site"], d["month"])), index=d.index).isin(self.tainted)
        d = d[~bad].copy()
        d["y"] = d["encounter"].map(self.outcome).fillna(0).astype(float)
        d["e"] = d["score"] * d["month"].map(lambda k: self.season[self.is_winter(k)])
        d["v"] = d["score"] * (1 - d["score"])
        return d

    def matured_months(self, onset, m):
        n = 0
        for k in range(m - 2, onset - 1, -1):
            d = self.log.loc[self.log["month"] == k, "encounter"]
            if len(d) and d.isin(self.known).mean() > 0.999:
                n += 1
        return n

    @staticmethod
    def excess(g, slack=0.07):
        o, e, v = g["y"].sum(), g["e"].sum(), g["v"].sum()
        return (o - e) / np.sqrt(v + (slack * e) ** 2 + 1e-9), np.log((o + 0.5) / (e + 0.5))

    def outcomes(self, m):
        d = self.monthly(m)
        actions = []
        if len(d):
            actions += self.ranking(d, m)
            actions += self.levels(d, m)
        for p in list(self.pending):
            actions += self.answer(p, d, m)
        return actions

    def is_pending(self, kind=None, site=False):
        return [p for p in self.pending if (kind is None or p.kind == kind) and (site is False or p.site == site)]

    def ranking(self, d, m):
        if self.shock is not None or self.is_pending("concept_drift") or self.local == "concept_drift":
            return []
        last = sorted(d["month"].unique())
        for k in (2, 3, 4):
            months = last[-k:]
            x = d[d["month"].isin(months)]
            if len(months) < k or x["y"].sum() < 25 * k or len(x) < 200 * k:
                continue
            auc = np.mean([roc_auc_score(g["y"], g["score"]) for _, g in x.groupby("month") if g["y"].nunique() > 1])
            usual = self.auc - self.blind_share(x)
            if usual - auc > 0.04 and (usual - auc) / (0.024 / np.sqrt(k)) > 3.7:
                self.pending.append(Pending("concept_drift", None, months[0], m))
                return [{"type": "alert", "cause": "concept_drift", "confidence": 0.8}]
        return []

    def blind_share(self, d):
        """What masked features cost in AUROC: about .035 for each that nobody's score uses."""
        cost = 0.0
        for fix in self.fixes.values():
            if fix.method == "mask":
                cost += 0.035 * ((d["site"] == fix.site) & (d["month"] >= fix.since)).mean()
        return cost

    def levels(self, d, m):
        if self.is_pending():
            return []
        last = sorted(d["month"].unique())
        kind = "temporary_shock" if self.shock is not None else "prevalence_shift"
        for k in (1, 2, 3, 5):
            x = d[d["month"].isin(last[-k:])]
            if len(last) < k or x["e"].sum() < 25 * k:
                continue
            z, size = self.excess(x)
            each = [self.excess(g)[1] for _, g in x.groupby("month")]
            if abs(z) > (4.0 if k == 1 else 3.5) and abs(size) > 0.2 and all(np.sign(v) == np.sign(size) for v in each):
                if self.one_site(d, last[-k:]) is None:
                    onset = self.onset(d, last, np.sign(size))
                    self.pending.append(Pending(kind, None, onset, m))
                    return []
        for k in (3, 4, 6):
            for site, x in d[d["month"].isin(last[-k:])].groupby("site"):
                if x["month"].nunique() < k or site not in self.contracts.sites:
                    continue
                z, size = self.excess(x.assign(e=x["e"] * self.site_level[site]), 0.1)
                if abs(z) > 3.6 and abs(size) > 0.4:
                    own = d[d["site"] == site]
                    self.pending.append(Pending("prevalence_shift", site, self.onset(own, last, np.sign(size)), m))
                    told, self.told[site] = self.told.get(site, -9), m
                    return [{"type": "alert", "site": site, "cause": "prevalence_shift", "confidence": 0.7}] if m - told > 6 else []
        return []

    def one_site(self, d, months):
        x = d[d["month"].isin(months)]
        for site in x["site"].unique():
            if abs(self.excess(x[x["site"] != site])[0]) < 2.0:
                return site
        return None

    def onset(self, d, last, sign):
        best, at = -9, last[-1]
        for c in last:
            z = sign * self.excess(d[d["month"] >= c], 0)[0]
            if z > best:
                best, at = z, c
        return int(at)

    def answer(self, p, d, m):
        """Ask for a model once enough months since the onset are known."""
        if self.open_request is not None:
            return []
        known = self.matured_months(p.onset, m)
        if p.kind == "concept_drift":
            want = (3, 7)
            if p.rounds >= len(want):
                self.pending.remove(p)
                return []
            if known < want[p.rounds]:
                return []
            if not self.allowed("retrain", m):
                return []
            p.rounds += 1
            self.open_request = p
            return [{"type": "retrain", "train_months": int(min(known, self.card["most_train_months"])), "cause": p.kind}]
        x = self.log[(self.log["month"] >= p.onset) & (self.log["month"] <= m - 3)]
        if p.site:
            x = x[x["site"] == p.site]
        events = x["encounter"].map(self.outcome).fillna(0).sum()
        if known < 1 or events < self.card["min_events"] * 1.02:
            if m - p.seen > 9:
                self.pending.remove(p)
            return []
        if not self.allowed("recalibrate", m):
            return []
        self.open_request = p
        self.pending.remove(p)
        a = {"type": "recalibrate", "train_months": int(min(known, self.card["most_train_months"])), "cause": p.kind, "confidence": 0.7}
        if p.site:
            a["site"] = p.site
        return [a]
