"""A monitor that first reads the feeds (site by site), then the release, then the outcomes, and changes little."""

import math
import re

import numpy as np
import pandas as pd
from scipy.stats import chi2
from sklearn.linear_model import LogisticRegression, Ridge

NUMBER = re.compile(r"^[<>=~ ]*([-+]?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?)")
EMPTY = {"", "na", "n/a", "nan", "null", "none", "-", "--", ".", "?"}
LIMIT = {"data_fix": 4, "recalibrate": 4, "retrain": 2, "rollback": 2}
ACCEPT = [("net_benefit", -0.2), ("o_e_error", -0.05)]
MIN_EVENTS = 60  # observed events in the months of a request; part of them is held out
COUNTS = ("age", "admissions", "los")


def number(value):
    """(value, is it a text that is no value)"""
    if value is None or isinstance(value, bool):
        return math.nan, False
    if isinstance(value, (int, float)):
        return float(value), False
    text = str(value).strip()
    if text.lower() in EMPTY:
        return math.nan, False
    found = NUMBER.match(text)
    if not found:
        return math.nan, True
    return float(found.group(1).replace(",", ".")), False


def logit(p):
    p = np.clip(np.asarray(p, float), 1e-4, 1 - 1e-4)
    return np.log(p / (1 - p))


def expit(x):
    return 1 / (1 + np.exp(-np.clip(x, -30, 30)))


def soft_auc(score, weight):
    """AUROC of score for outcomes whose probabilities (or values) are weight."""
    weight = np.asarray(weight, float)
    ranks = pd.Series(score).rank().to_numpy()
    w1, w0 = weight.sum(), (1 - weight).sum()
    if w1 <= 0 or w0 <= 0:
        return 0.5
    order = np.argsort(ranks, kind="stable")
    ranks, a, b = ranks[order], weight[order], (1 - weight)[order]
    below = np.concatenate([[0], np.cumsum(b)])
    first = np.searchsorted(ranks, ranks, side="left")
    last = np.searchsorted(ranks, ranks, side="right")
    return float((a * (below[first] + below[last]) / 2).sum() / (w1 * w0))


class Monitor:
    def __init__(self, card):
        self.card = card
        self.features = list(card["features"])
        self.to9 = {k.replace(".", "").upper(): str(v).replace(".", "").upper() for k, v in card["crosswalk"].items()}
        self.codes = sorted(set(self.to9.values()))
        self.first = int(card.get("first_calendar_month", 1))
        self.months = {}  # month -> table
        self.labels = {}  # encounter -> (y, matured)
        self.last = -1
        self.reports = []
        self.seen_reports = set()
        self.text_rejected = None
        self.fixes = []  # dicts: feature, site, method, factor, since, until, kind
        self.flags = {}  # (site, feature, kind) -> list of months
        self.stats = {}  # month -> {(site, feature): statistics}
        self.done = []  # (month, type)
        self.named = set()
        self.state = {}  # site or "" -> calibration in progress
        self.base = {}  # site or "" -> first month that belongs to the present regime
        self.concept = None
        self.release = None
        self.own = None
        self.release_month = None
        self.ranking = []
        self.shock_month = None
        self.ready = False

    # ---------------------------------------------------------------- reading

    def table(self, batch):
        x = batch["X"]
        data = {name: [number(v)[0] for v in x[name]] for name in self.features}
        table = pd.DataFrame(data)
        codes = ["" if c is None else str(c).strip().upper().replace(".", "") for c in x["diagnosis"]]
        table["code"] = [self.to9.get(c, c) for c in codes]
        table["kind"] = [self.kind_of(c) for c in codes]
        table["site"] = [str(s) for s in batch["site"]]
        table["encounter"] = batch["encounter"]
        table["score"] = np.asarray(batch["score"], float)
        return table

    def kind_of(self, code):
        if code.lower() in EMPTY:
            return "none"
        if code in self.to9:
            return "ten"
        if code[0].isdigit() or code in self.codes:
            return "nine"
        return "other"

    def usable(self, batch):
        """Is this a month?"""
        if not isinstance(batch, dict):
            return False
        month = batch.get("month")
        if isinstance(month, bool) or not isinstance(month, int) or month < 0:
            return False
        x = batch.get("X")
        if not isinstance(x, dict):
            return False
        lists = [batch.get("site"), batch.get("encounter"), batch.get("score"), x.get("diagnosis")]
        lists += [x.get(name) for name in self.features]
        if any(not isinstance(one, list) for one in lists):
            return False
        size = len(lists[0])
        if size < 10 or any(len(one) != size for one in lists):
            return False
        for value in batch["score"]:
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
                return False
        labels = batch.get("labels")
        if not isinstance(labels, dict):
            return False
        columns = [labels.get(name) for name in ("encounter", "y", "matured")]
        if any(not isinstance(one, list) for one in columns) or len({len(one) for one in columns}) != 1:
            return False
        worst = max(np.mean([number(v)[1] for v in x[name]]) for name in self.features)
        if worst > self.text_share + 0.15:
            if self.text_rejected is None or self.text_rejected == month:
                self.text_rejected = month
                return False
        else:
            self.text_rejected = None
        return True

    def learn_labels(self, labels):
        for name, y, matured in zip(labels["encounter"], labels["y"], labels["matured"]):
            if y in (0, 1):
                old = self.labels.get(name)
                if old is None or matured or not old[1]:
                    self.labels[name] = (int(y), bool(matured))

    # ---------------------------------------------------------------- the reference year

    def start(self, batch):
        table = self.table(batch)
        table["month"] = np.asarray(batch["month_of"], int)
        y = dict(zip(batch["labels"]["encounter"], batch["labels"]["y"]))
        table["y"] = [float(y.get(e, 0) or 0) for e in table["encounter"]]
        self.text_share = max(np.mean([number(v)[1] for v in batch["X"][name]]) for name in self.features)
        self.sites = sorted(table["site"].unique())
        self.ref = table
        self.release = batch.get("release_id")
        self.ref_by_cell()
        t = self.transform(table)
        self.centre, self.scale = t.mean(0), t.std(0) + 1e-9
        self.fit_imputers(table)
        design = self.design(table, t)
        self.risk_model = LogisticRegression(C=1.0, max_iter=2000).fit(design, table["y"])
        q = self.risk_model.predict_proba(design)[:, 1]
        self.ref["q"] = q
        self.n_ref = len(table)
        # the season: one cosine, shrunk to a small winter
        top = bottom = 0.0
        monthly = []
        for month, part in self.ref.groupby("month"):
            wave = self.wave(month)
            o, e, v = part["y"].sum(), part["q"].sum(), (part["q"] * (1 - part["q"])).sum()
            top += wave * (o - e)
            bottom += wave * wave * v
            monthly.append((month, o, part))
        prior = 1 / 0.15**2
        self.amplitude = max(0.0, (top + prior * 0.12) / (bottom + prior))
        spread = []
        for month, o, part in monthly:
            p = expit(logit(part["q"]) + self.amplitude * self.wave(month))
            spread.append((o - p.sum()) ** 2 / (p * (1 - p)).sum())
        self.phi = float(np.clip(np.mean(spread), 1.0, 2.0))
        self.site_shift = {}
        for site, part in self.ref.groupby("site"):
            v = (part["q"] * (1 - part["q"])).sum()
            self.site_shift[site] = float((part["y"].sum() - part["q"].sum()) / (v + 50))
        self.c0 = self.offset(self.ref["score"].to_numpy(), q)
        own = soft_auc(q, q)
        self.d0 = own - soft_auc(self.ref["score"], q)
        self.gap0 = soft_auc(q, self.ref["y"]) - soft_auc(self.ref["score"], self.ref["y"])
        self.volume = len(table) / max(1, table["month"].nunique())
        self.ready = True

    def wave(self, month):
        return math.cos(2 * math.pi * ((self.first - 1 + month) % 12) / 12)  # January is the top

    def logs(self, name, values):
        values = np.asarray(values, float)
        if name in ("admissions", "los"):
            return np.where(values > -1, np.log1p(np.maximum(values, -0.999)), np.nan)
        with np.errstate(all="ignore"):
            return np.where(values > 0, np.log(np.where(values > 0, values, 1)), np.nan)

    def transform(self, table, masked=None):
        """Logs of the features; what is missing is normal, as it is for the model."""
        columns = []
        for name in self.features:
            column = self.logs(name, table[name])
            normal = float(self.logs(name, [self.card["features"][name]["normal"]])[0])
            columns.append(np.where(np.isnan(column), normal, column))
        return np.column_stack(columns)

    def dummies(self, table):
        code = table["code"].to_numpy()
        return np.column_stack([(code == one).astype(float) for one in self.codes])

    def design(self, table, t):
        z = np.clip((t - self.centre) / self.scale, -5, 5)
        return np.hstack([z, self.dummies(table)])

    def fit_imputers(self, table):
        t = self.transform(table)
        z = np.clip((t - self.centre) / self.scale, -5, 5)
        dummies = self.dummies(table)
        self.imputers, self.ref_corr, self.pred_scale = {}, {}, {}
        for j, name in enumerate(self.features):
            others = np.hstack([np.delete(z, j, 1), dummies])
            present = table[name].notna().to_numpy()
            model = Ridge(alpha=10.0).fit(others[present], z[present, j])
            guess = model.predict(others)
            self.imputers[name] = model
            self.pred_scale[name] = float(guess.std() + 1e-9)
            self.ref_corr[("", name)] = float(np.corrcoef(guess[present], z[present, j])[0, 1])
            for site in self.sites:
                here = present & (table["site"] == site).to_numpy()
                if here.sum() > 50:
                    self.ref_corr[(site, name)] = float(np.corrcoef(guess[here], z[here, j])[0, 1])

    def guess(self, name, z, dummies):
        j = self.features.index(name)
        return self.imputers[name].predict(np.hstack([np.delete(z, j, 1), dummies]))

    def cell(self, name, values):
        """Statistics of one feature at one site in one month."""
        values = np.asarray(values, float)
        present = values[~np.isnan(values)]
        out = {"n": len(present), "all": len(values), "miss": 1 - len(present) / max(1, len(values))}
        if len(present) >= 12:
            column = self.logs(name, present)
            good = column[~np.isnan(column)]
            if len(good) >= 10:
                out["q"] = np.quantile(good, [0.1, 0.2, 0.5, 0.8, 0.9])
            _, counts = np.unique(present, return_counts=True)
            out["mode"] = counts.max() / len(present)
            out["values"] = present
        return out

    def ref_by_cell(self):
        self.cells = {}
        for site, part in self.ref.groupby("site"):
            for name in self.features:
                whole = self.cell(name, part[name])
                ref = {"miss": whole["miss"], "q": whole.get("q"), "usable": "q" in whole}
                values = whole.get("values", np.array([0.0]))
                low, high = np.quantile(values, [0.002, 0.998])
                ref["low"] = low / 1.6 if low > 0 else low - 0.5
                ref["high"] = high * 1.6 + 0.5
                miss, shift, mode, out, wide, run, longest = [], [], [], [], [], 0, 0
                for _, month in part.groupby("month"):
                    one = self.cell(name, month[name])
                    miss.append(one["miss"])
                    if "q" in one and ref["usable"]:
                        shift.append(abs(self.shift(one, ref)))
                        wide.append(self.wide(one, ref))
                        mode.append(one["mode"])
                        out.append(self.outside(one, ref))
                    if one["miss"] > ref["miss"] + 0.3:
                        run += 1
                        longest = max(longest, run)
                    else:
                        run = 0
                ref["miss"] = float(np.median(miss))
                ref["miss_max"] = float(np.sort(miss)[-1])
                ref["outage"] = longest
                usual = [m for m in miss if m <= ref["miss"] + 0.3]
                ref["miss_usual"] = float(max(usual)) if usual else ref["miss"]
                ref["shift"] = max(shift, default=0.0)
                ref["mode"] = max(mode, default=1.0)
                ref["out"] = max(out, default=1.0)
                ref["wide"] = max(wide, default=1.0)
                ref["iqr"] = float(ref["q"][3] - ref["q"][1]) + 1e-6 if ref["usable"] else 1.0
                self.cells[(site, name)] = ref
        self.other_max, self.ten_max = {}, {}
        for site, part in self.ref.groupby("site"):
            by = part.groupby("month")["kind"]
            self.ten_max[site] = float(by.agg(lambda k: (k == "ten").mean()).max())
            self.other_max[site] = float(by.agg(lambda k: k.isin(["other", "none"]).mean()).max())

    @staticmethod
    def shift(one, ref):
        """By how much all of a distribution has moved: the least of three quantiles' moves, if they agree."""
        moves = one["q"][1:4] - ref["q"][1:4]
        if moves.min() > 0:
            return float(moves.min())
        if moves.max() < 0:
            return float(moves.max())
        return 0.0

    @staticmethod
    def wide(one, ref):
        """By how much both halves are wider than they were."""
        a = (one["q"][2] - one["q"][0] + 1e-6) / (ref["q"][2] - ref["q"][0] + 1e-6)
        b = (one["q"][4] - one["q"][2] + 1e-6) / (ref["q"][4] - ref["q"][2] + 1e-6)
        return float(min(a, b))

    @staticmethod
    def outside(one, ref):
        return float(np.mean((one["values"] < ref["low"]) | (one["values"] > ref["high"])))

    # ---------------------------------------------------------------- a month

    def month(self, batch):
        try:
            if not self.ready or not self.usable(batch):
                return []
            month = batch["month"]
            if month in self.months:
                return []
            self.months[month] = self.table(batch)
            self.learn_labels(batch["labels"])
            for report in batch.get("reports") or []:
                if isinstance(report, dict) and report.get("id") not in self.seen_reports:
                    self.seen_reports.add(report.get("id"))
                    self.reports.append(report)
            if month < self.last:
                return []
            self.last = month
            actions = self.decide(month, batch.get("release_id"))
            for action in actions:
                self.done.append((month, action["type"]))
            return actions[:12]
        except Exception:  # a monitor that stops helps nobody
            return []

    def allowed(self, kind, month, spare=0):
        used = sum(1 for m, k in self.done if k == kind and m > month - 12)
        return used + spare < LIMIT[kind]

    def strict(self):
        return len(self.named) >= 2

    def decide(self, month, release_id):
        actions = []
        actions += self.read_reports(month)
        feeds = self.feeds(month)
        actions += feeds
        self.prepare(month)
        actions += self.releases(month, release_id, feeds)
        rolled = any(a["type"] == "rollback" for a in actions)
        if not rolled:
            actions += self.outcomes(month)
        return actions

    # ---------------------------------------------------------------- reports

    def read_reports(self, month):
        actions, good = [], []
        for report in self.reports:
            verdict = self.meets(report)
            if verdict is None:
                self.answered(report, False)
            elif verdict:
                good.append(report)
            else:
                actions.append({"type": "reject", "report": report["id"]})
                self.answered(report, False)
        self.reports = []
        for report in good:
            actions.append({"type": "deploy", "report": report["id"]})
            self.own = (month, str(report["id"]))
            self.answered(report, True)
        return actions

    def meets(self, report):
        if report.get("refused"):
            return None
        current, candidate = report.get("current"), report.get("candidate")
        if not isinstance(current, dict) or not isinstance(candidate, dict):
            return None
        for field, least in ACCEPT:
            try:
                if field == "o_e_error":
                    gain = abs(math.log(current["o_e"])) - abs(math.log(candidate["o_e"]))
                else:
                    gain = candidate[field] - current[field]
            except (KeyError, TypeError, ValueError):
                return False
            if not gain >= least:
                return False
        return True

    def answered(self, report, deployed):
        if report.get("kind") == "retrain":
            if self.concept:
                self.concept["waiting"] = False
                if deployed:
                    self.concept["deployed"] = True
                    self.state.clear()
            return
        site = report.get("site")
        if isinstance(site, list):
            site = site[0] if site else ""
        site = site or ""
        state = self.state.get(site)
        if state:
            state["waiting"] = False
            if deployed:
                self.base[site] = state["onset"]
                del self.state[site]

    # ---------------------------------------------------------------- feeds

    def run(self, key, month):
        """Flag a cell, and say for how many months in a row it has been flagged."""
        seen = self.flags.setdefault(key, [])
        if not seen or seen[-1] != month:
            seen.append(month)
        count, at = 0, month
        for one in reversed(seen):
            if at - one > 1:
                break
            count, at = count + 1, one
        return count, at

    def active(self, site, name):
        for fix in reversed(self.fixes):
            if fix["feature"] == name and fix["until"] is None and fix["site"] in (None, site):
                return fix
        return None

    def feeds(self, month):
        table = self.months[month]
        now, found = {}, []
        for site in self.sites:
            part = table[table["site"] == site]
            if len(part) < 15:
                continue
            for name in self.features:
                now[(site, name)] = self.cell(name, part[name])
        self.stats[month] = now
        self.flagged = set()
        actions = self.clearing(month, now, table)

        for (site, name), one in now.items():
            if self.active(site, name):
                self.flagged.add(site) if self.active(site, name)["since"] >= month else None
                continue
            ref = self.cells[(site, name)]
            if not ref["usable"]:
                continue
            kind, ready, onset, extra = self.judge(month, site, name, one, ref, table)
            if kind:
                self.flagged.add(site)
                found.append((kind, site, name, ready, onset, extra))

        for site in self.sites:
            part = table[table["site"] == site]
            if len(part) < 15 or self.active(site, "diagnosis"):
                continue
            ten = float((part["kind"] == "ten").mean())
            other = float(part["kind"].isin(["other", "none"]).mean())
            if ten > self.ten_max[site] + 0.2:
                count, onset = self.run((site, "diagnosis", "ten"), month)
                found.append(("ten", site, "diagnosis", count >= 2 or ten > self.ten_max[site] + 0.4, onset, None))
                self.flagged.add(site)
            elif other > self.other_max[site] + 0.3:
                count, onset = self.run((site, "diagnosis", "other"), month)
                found.append(("other", site, "diagnosis", count >= 2, onset, None))
                self.flagged.add(site)

        # a shock moves everything at once, a fault of the data one thing
        moved = {name for kind, _, name, _, _, _ in found if kind in ("assay", "wide")}
        sites = {site for kind, site, _, _, _, _ in found if kind in ("assay", "wide")}
        size = int(table["site"].isin(self.sites).sum()) / self.volume
        if (len(moved) >= 4 and len(sites) >= 2) or (len(moved) >= 2 and len(sites) >= 2 and not 0.65 < size < 1.45):
            self.shocked = True
            found = [f for f in found if f[0] not in ("assay", "wide")]
            if self.shock_month is None or month - self.shock_month > 6:
                actions.append({"type": "alert", "cause": "temporary_shock"})
                self.named.add(("temporary_shock", ""))
            self.shock_month = month
        if not found:
            lost = self.association(month, now)
            if lost:
                found.append(lost)

        groups = {}
        for kind, site, name, ready, onset, extra in found:
            groups.setdefault((kind, name), []).append((site, ready, onset, extra))
        order = {"unit": 0, "ten": 1, "stop": 2, "burst": 3}
        for (kind, name), rows in sorted(groups.items(), key=lambda g: order.get(g[0][0], 9)):
            wide = len(rows) >= max(3, len(self.sites) - 1)
            if wide and kind in ("burst", "stop", "mixed", "stuck", "range"):
                rows = [(s, True, o, e) for s, _, o, e in rows]
            rows = [r for r in rows if r[1]]
            if not rows:
                continue
            together = len(rows) >= max(3, len(self.sites) - 1)
            if together:
                extras = [r[3] for r in rows if r[3] is not None]
                rows = [(None, True, min(r[2] for r in rows), float(np.median(extras)) if extras else None)]
            for site, _, onset, extra in rows:
                if not self.allowed("data_fix", month, sum(a["type"] == "data_fix" for a in actions) + 0):
                    break
                actions.append(self.fix(kind, site, name, onset, extra, month))
        return actions

    def fix(self, kind, site, name, onset, extra, month):
        method, cause = {
            "unit": ("rescale", "unit_change"),
            "assay": ("rescale", "assay_change"),
            "mixed": ("mask", "unit_change"),
            "ten": ("remap", "coding_change"),
            "other": ("mask", "coding_change"),
            "stop": ("mask", "missing_data"),
            "burst": ("mask", "missing_data"),
        }.get(kind, ("mask", "corrupt_values"))
        action = {"type": "data_fix", "feature": name, "method": method, "since": int(onset), "cause": cause}
        if site is not None:
            action["site"] = site
        if method == "rescale":
            action["factor"] = float(extra)
        self.fixes.append(
            {"feature": name, "site": site, "method": method, "factor": extra, "since": int(onset), "until": None,
             "kind": kind, "made": month, "well": 0}
        )
        self.named.add((cause, name))
        return action

    def judge(self, month, site, name, one, ref, table):
        """(kind, ready to act, onset, factor) for one cell."""
        nothing = (None, False, None, None)
        need = 3 if self.strict() else 2
        excess = one["miss"] - ref["miss"]
        short = excess > max(0.2, 1.5 * (ref["miss_usual"] - ref["miss"]) + 0.1)
        if short:
            if one["miss"] > 0.9:
                count, onset = self.run((site, name, "missing"), month)
                return "stop", count >= max(2, ref["outage"] + 1), onset, None
            if self.random_gaps(site, name, table):
                count, onset = self.run((site, name, "missing"), month)
                return "burst", count >= max(2, ref["outage"] + 1), onset, None
            return nothing
        if "q" not in one:
            return nothing

        moves = one["q"][1:4] - ref["q"][1:4]
        factors = []
        factor = self.card["features"][name].get("factor")
        if factor:
            factors = [factor, 1 / factor]
        elif name == "los":
            factors = [24.0, 1 / 7]
        elif name == "age":
            factors = [12.0]
        for f in factors:
            size = math.log(f)
            if np.all(np.abs(moves - size) < max(0.2, 0.3 * abs(size))) and ref["shift"] < 0.6 * abs(size):
                _, onset = self.run((site, name, "unit"), month)
                return "unit", True, onset, 1 / f
        for f in factors:
            if abs(math.log(f)) > 2:
                low, high = np.exp(ref["q"][0]) * f / 2, np.exp(ref["q"][4]) * f * 2
                v = one["values"]
                share = np.mean((v >= low) & (v <= high) & ((v < ref["low"]) | (v > ref["high"])))
                if share > ref["out"] + 0.25:
                    count, onset = self.run((site, name, "mixed"), month)
                    return "mixed", count >= 2 or share > 0.5, onset, None

        out = self.outside(one, ref)
        if out > ref["out"] + 0.12:
            count, onset = self.run((site, name, "range"), month)
            return "range", count >= need or out > ref["out"] + 0.5, onset, None
        if one["mode"] > ref["mode"] + 0.25 and one["n"] >= 20:
            count, onset = self.run((site, name, "stuck"), month)
            return "stuck", count >= need or one["mode"] > ref["mode"] + 0.5, onset, None
        if name in COUNTS:
            return nothing

        moved = self.shift(one, ref)
        least = max(1.3 * ref["shift"], 0.25 * ref["iqr"]) * (1.25 if self.strict() else 1.0)
        if abs(moved) > least:
            count, onset = self.run((site, name, "up" if moved > 0 else "down"), month)
            centre = []
            for m in range(onset, month + 1):
                then = self.stats.get(m, {}).get((site, name))
                if then and "q" in then:
                    centre.append(float(np.mean(then["q"][1:4] - ref["q"][1:4])))
            factor = math.exp(-float(np.mean(centre))) if centre else 1.0
            return "assay", count >= need or abs(moved) > 3 * least, onset, factor
        wide = self.wide(one, ref)
        if wide > max(1.6, 1.3 * ref["wide"]) and one["n"] >= 25:
            count, onset = self.run((site, name, "wide"), month)
            return "wide", count >= need, onset, None
        return nothing

    def random_gaps(self, site, name, table):
        """Do values lack at random (a fault), or for those who look well (fewer tests ordered)?"""
        part = table[table["site"] == site]
        z = np.clip((self.transform(part) - self.centre) / self.scale, -5, 5)
        guess = self.guess(name, z, self.dummies(part)) / self.pred_scale[name]
        lacks = part[name].isna().to_numpy()
        if lacks.sum() < 8 or (~lacks).sum() < 8:
            return True
        gap = guess[~lacks].mean() - guess[lacks].mean()
        before = self.ref[self.ref["site"] == site]
        z0 = np.clip((self.transform(before) - self.centre) / self.scale, -5, 5)
        guess0 = self.guess(name, z0, self.dummies(before)) / self.pred_scale[name]
        lacks0 = before[name].isna().to_numpy()
        usual = guess0[~lacks0].mean() - guess0[lacks0].mean() if 20 < lacks0.sum() < len(lacks0) - 20 else 0.0
        return abs(gap) < 0.4 or abs(gap) < abs(usual) * 0.8

    def association(self, month, now):
        """A feature that no longer goes with the others: its values belong to somebody else."""
        two = [m for m in (month - 1, month) if m in self.months]
        if len(two) < 2:
            return None
        table = pd.concat([self.cleaned(m) for m in two], ignore_index=True)
        table = table[table["site"].isin(self.sites)]
        t = self.transform(table)
        z = np.clip((t - self.centre) / self.scale, -5, 5)
        dummies = self.dummies(table)
        worst = None
        for j, name in enumerate(self.features):
            guess = self.guess(name, z, dummies)
            for site in self.sites:
                usual = self.ref_corr.get((site, name), 0)
                here = (table["site"] == site).to_numpy() & table[name].notna().to_numpy()
                if usual < 0.25 or here.sum() < 60 or self.active(site, name):
                    continue
                r = float(np.corrcoef(guess[here], z[here, j])[0, 1])
                if not np.isfinite(r):
                    continue
                lost = (math.atanh(min(usual, 0.99)) - math.atanh(float(np.clip(r, -0.99, 0.99)))) * math.sqrt(here.sum() - 3)
                if lost > (5.2 if self.strict() else 4.5) and r < 0.4 * usual and (worst is None or lost > worst[0]):
                    worst = (lost, site, name)
        if worst is None:
            return None
        return ("shuffled", worst[1], worst[2], True, month - 1, None)

    def clearing(self, month, now, table):
        """Faults that were mended at their source: what was done about them does harm from then on."""
        actions = []
        for fix in self.fixes:
            if fix["until"] is not None or fix["method"] == "remap" or fix["made"] >= month:
                continue
            sites = [fix["site"]] if fix["site"] is not None else self.sites
            name, verdicts = fix["feature"], []
            for site in sites:
                if name == "diagnosis":
                    part = table[table["site"] == site]
                    if len(part):
                        other = float(part["kind"].isin(["other", "none"]).mean())
                        verdicts.append(other < self.other_max[site] + 0.1)
                    continue
                one, ref = now.get((site, name)), self.cells[(site, name)]
                if one is None:
                    continue
                if fix["kind"] in ("stop", "burst"):
                    verdicts.append(one["miss"] < ref["miss_usual"] + 0.08)
                elif "q" not in one:
                    verdicts.append(False)
                elif fix["method"] == "rescale":
                    size = -math.log(fix["factor"])
                    middle = float(np.median(one["q"][1:4] - ref["q"][1:4]))
                    verdicts.append(abs(middle) < 0.4 * abs(size))
                elif fix["kind"] == "shuffled":
                    verdicts.append(self.goes_with_others(month, site, name))
                else:
                    fine = self.outside(one, ref) < ref["out"] + 0.04 and one["mode"] < ref["mode"] + 0.1
                    verdicts.append(fine and self.wide(one, ref) < max(1.3, 1.1 * ref["wide"]))
            well = bool(verdicts) and np.mean(verdicts) > 0.7
            fix["well"] = fix["well"] + 1 if well else 0
            need = 1 if fix["kind"] in ("unit", "stop", "burst") else 2
            if fix["well"] >= need and self.allowed("data_fix", month, len(actions)):
                action = {"type": "data_fix", "feature": name, "method": "clear", "since": month - need + 1}
                if fix["site"] is not None:
                    action["site"] = fix["site"]
                fix["until"] = month - need + 1
                actions.append(action)
        return actions

    def goes_with_others(self, month, site, name):
        table = self.months[month]
        part = table[(table["site"] == site) & table[name].notna()]
        if len(part) < 30:
            return False
        z = np.clip((self.transform(part) - self.centre) / self.scale, -5, 5)
        j = self.features.index(name)
        r = float(np.corrcoef(self.guess(name, z, self.dummies(part)), z[:, j])[0, 1])
        return r > 0.75 * self.ref_corr.get((site, name), 1.0)

    # ---------------------------------------------------------------- our own view of the risk

    def cleaned(self, month):
        """The month with all known faults taken out; what is masked is missing."""
        table = self.months[month].copy()
        for fix in self.fixes:
            name = fix["feature"]
            if name == "diagnosis" or month < fix["since"] or (fix["until"] is not None and month >= fix["until"]):
                continue
            here = np.ones(len(table), bool) if fix["site"] is None else (table["site"] == fix["site"]).to_numpy()
            if fix["method"] == "rescale":
                table.loc[here, name] = table.loc[here, name] * fix["factor"]
            elif fix["method"] == "mask":
                table.loc[here, name] = np.nan
        return table

    def prepare(self, month):
        """Own risk q for every month, on cleaned features, and the outcomes that are known."""
        self.view = {}
        for m in sorted(self.months):
            table = self.cleaned(m)
            t = self.transform(table)
            z = np.clip((t - self.centre) / self.scale, -5, 5)
            dummies = self.dummies(table)
            for fix in self.fixes:
                if fix["method"] != "mask" or fix["feature"] == "diagnosis" or m < fix["since"]:
                    continue
                if fix["until"] is not None and m >= fix["until"]:
                    continue
                here = np.ones(len(table), bool) if fix["site"] is None else (table["site"] == fix["site"]).to_numpy()
                if here.any():
                    j = self.features.index(fix["feature"])
                    z[here, j] = self.guess(fix["feature"], z[here], dummies[here])
            table["q"] = self.risk_model.predict_proba(np.hstack([z, dummies]))[:, 1]
            known = [self.labels.get(e) for e in table["encounter"]]
            came = np.array([k is not None for k in known])
            table["y"] = [0.0 if k is None else float(k[0]) for k in known]  # all readmissions have come
            table["labelled"] = bool(came.mean() > 0.5) and m <= month - 2
            table["whole"] = all(k is not None and k[1] for k in known)
            shift = table["site"].map(self.site_shift).fillna(0.0).to_numpy()
            table["lp"] = logit(table["q"]) + shift + self.amplitude * self.wave(m)
            view = table[table["site"].isin(self.sites)].reset_index(drop=True)
            self.view[m] = (view, z[table["site"].isin(self.sites).to_numpy()])

    @staticmethod
    def offset(score, q):
        """The shift of q's log odds at which it promises as many readmissions as the score."""
        low, high, base, total = -4.0, 4.0, logit(q), float(np.sum(score))
        for _ in range(50):
            middle = (low + high) / 2
            if expit(base + middle).sum() < total:
                low = middle
            else:
                high = middle
        return (low + high) / 2

    # ---------------------------------------------------------------- releases

    def releases(self, month, release_id, feeds):
        actions = []
        vendor = False
        if release_id != self.release:
            ours = self.own is not None and (self.own[1] == "rollback" or self.own[1] in str(release_id))
            vendor = not ours
            self.release = release_id
            self.release_month = month if vendor else None
        if self.own is not None and self.own[0] < month:
            self.own = None
        view = self.view[month][0]
        view = view[~view["site"].isin(self.flagged)]
        gap = None
        if len(view) >= 80:
            gap = soft_auc(view["q"], view["q"]) - soft_auc(view["score"], view["q"])
        usual = [g for _, g in self.ranking[-4:]] or [self.d0]
        base = float(np.median(usual))
        bad = False
        if self.release_month is not None and gap is not None:
            if month - self.release_month <= 2 and gap - base > 0.035:
                bad = True
        if self.release_month is not None and not bad and month - self.release_month >= 2:
            bad = self.ranks_badly(month)
        if self.release_month is None and gap is not None:
            self.ranking.append((month, gap))
        if bad and self.allowed("rollback", month):
            actions.append({"type": "rollback", "cause": "bad_release"})
            self.named.add(("bad_release", ""))
            self.own = (month, "rollback")
            self.release_month = None
        elif self.release_month is not None and month - self.release_month > 7:
            self.release_month = None
        return actions

    def ranks_badly(self, month):
        """Outcomes under the new release: is it worse than our plain model of the reference year?"""
        parts = [v for m, (v, _) in self.view.items() if m >= self.release_month and v["labelled"].iloc[0]]
        if not parts:
            return False
        table = pd.concat(parts, ignore_index=True)
        if table["y"].sum() < 40:
            return False
        y, s, q = (table[c].to_numpy() for c in ("y", "score", "q"))
        rng = np.random.default_rng(month)
        gaps = []
        for _ in range(200):
            pick = rng.integers(0, len(y), len(y))
            gaps.append(soft_auc(q[pick], y[pick]) - soft_auc(s[pick], y[pick]) - self.gap0)
        gaps = np.array(gaps)
        return gaps.mean() > 0.035 and np.quantile(gaps, 0.02) > 0.005

    # ---------------------------------------------------------------- outcomes

    def outcomes(self, month):
        actions = []
        known = [m for m in sorted(self.view) if self.view[m][0]["labelled"].iloc[0]]
        if not known:
            return actions
        actions += self.weights(month, known)
        if self.concept and not self.concept.get("deployed"):
            return actions
        actions += self.level(month, known, "")
        if "" not in self.state:
            for site in self.sites:
                actions += self.level(month, known, site)
                if actions and actions[-1]["type"] in ("alert", "recalibrate"):
                    break
        return actions

    def present_offset(self, month, site):
        view = self.view[month][0]
        view = view[view["site"] == site] if site else view[~view["site"].isin(self.flagged)]
        if len(view) < 40:
            return None
        return self.offset(view["score"].to_numpy(), view["q"].to_numpy()) - self.c0

    def window(self, months, site, c):
        o = e = v = 0.0
        for m in months:
            view = self.view[m][0]
            if site:
                view = view[view["site"] == site]
            p = expit(view["lp"].to_numpy() + c)
            o, e, v = o + view["y"].sum(), e + p.sum(), v + (p * (1 - p)).sum()
        if v <= 0:
            return 0.0, 0.0
        return (o - e) / math.sqrt(self.phi * v), (o - e) / (v + 1e-9)

    def level(self, month, known, site):
        """Is the level of risk, as the present model states it, still right?"""
        state = self.state.get(site)
        c = self.present_offset(month, site)
        if c is None:
            return []
        if site:
            c -= self.site_shift.get(site, 0.0) * 0.0
        start = max(self.base.get("", 0), self.base.get(site, 0))
        known = [m for m in known if m >= start]
        if not known:
            return []
        if state is None:
            best = None
            extra = (0.7 if self.strict() else 0.0) + (0.9 if site else 0.0)
            for k in range(1, min(6, len(known)) + 1):
                z, size = self.window(known[-k:], site, c)
                need = {1: 3.9, 2: 3.4}.get(k, 3.3) + extra
                if abs(z) > need and abs(size) > (0.35 if site else 0.25):
                    if best is None or abs(z) > abs(best[0]):
                        best = (z, size, known[-k])
            if best is None:
                return []
            shocked = self.shock_month is not None and abs(self.shock_month - best[2]) <= 4
            cause = "temporary_shock" if shocked else "prevalence_shift"
            self.state[site] = {"onset": best[2], "sign": math.copysign(1, best[1]), "size": best[1], "waiting": False,
                                "tries": 0, "cause": cause, "since": month}
            first = (cause, site) not in self.named
            self.named.add((cause, site))
            actions = []
            if first:
                alert = {"type": "alert", "cause": cause}
                if site:
                    alert["site"] = site
                actions.append(alert)
            return actions + self.recalibrate(month, site)
        if state["waiting"]:
            return []
        z, size = self.window(known[-1:], site, c)
        z2, size2 = self.window(known[-2:], site, c)
        if size * state["sign"] < 0.3 * abs(state["size"]) and size2 * state["sign"] < 0.5 * abs(state["size"]):
            self.base[site] = known[-1]  # it was over before anything had to be changed
            del self.state[site]
            return []
        return self.recalibrate(month, site)

    def recalibrate(self, month, site):
        state = self.state[site]
        whole = [m for m in sorted(self.view) if self.view[m][0]["whole"].iloc[0] and m >= state["onset"]]
        if not whole or state["tries"] >= 2 or month > 20 or not self.allowed("recalibrate", month):
            return []
        events = 0
        for m in whole:
            view = self.view[m][0]
            events += view.loc[view["site"] == site, "y"].sum() if site else view["y"].sum()
        if events < MIN_EVENTS:
            return []
        state["waiting"], state["tries"] = True, state["tries"] + 1
        most = int(self.card.get("most_train_months", 10))
        action = {"type": "recalibrate", "train_months": int(min(most, len(whole))), "cause": state["cause"]}
        if site:
            action["site"] = site
        return [action]

    def weights(self, month, known):
        """Do other patients come back than used to? A score test of the nine weights, the level left free."""
        if self.concept is None:
            usable = [m for m in known if self.shock_month is None or abs(m - self.shock_month) > 1]
            best = None
            for k in range(2, min(7, len(usable)) + 1):
                p, slope = self.score_test(usable[-k:])
                hard = 0.1 if self.strict() else 1.0
                if p < 2e-5 * hard or slope < -4.3:
                    if best is None or p < best[0]:
                        best = (p, usable[-k])
            if best is None:
                return []
            self.concept = {"onset": best[1], "waiting": False, "tries": 0}
            self.named.add(("concept_drift", ""))
            return [{"type": "alert", "cause": "concept_drift"}] + self.retrain(month)
        if self.concept.get("deployed") or self.concept["waiting"]:
            return []
        return self.retrain(month)

    def retrain(self, month):
        concept = self.concept
        whole = [m for m in sorted(self.view) if self.view[m][0]["whole"].iloc[0] and m >= concept["onset"]]
        events = sum(self.view[m][0]["y"].sum() for m in whole)
        if len(whole) < 3 + 2 * concept["tries"] or events < 140 or concept["tries"] >= 2 or month > 19:
            return []
        if not self.allowed("retrain", month):
            return []
        concept["waiting"], concept["tries"] = True, concept["tries"] + 1
        most = int(self.card.get("most_train_months", 10))
        return [{"type": "retrain", "train_months": int(min(most, len(whole))), "cause": "concept_drift"}]

    def score_test(self, months):
        views = [self.view[m] for m in months]
        y = np.concatenate([v["y"].to_numpy() for v, _ in views])
        lp = np.concatenate([v["lp"].to_numpy() for v, _ in views])
        x = np.vstack([z for _, z in views])
        shift = self.offset(y, expit(lp))
        p = expit(lp + shift)
        w = p * (1 - p)
        inflate = 1 + len(y) / self.n_ref
        centred = x - (w[:, None] * x).sum(0) / w.sum()
        u = centred.T @ (y - p)
        info = (centred * w[:, None]).T @ centred + 1e-6 * np.eye(x.shape[1])
        statistic = float(u @ np.linalg.solve(info, u)) / inflate
        line = lp - (w * lp).sum() / w.sum()
        slope = float(line @ (y - p)) / math.sqrt(float((w * line * line).sum()) * inflate)
        return float(chi2.sf(statistic, x.shape[1])), slope
