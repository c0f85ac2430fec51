"""Data contracts by site, outcomes by sequential test, releases by agreement with a model of our own."""

import math

import numpy as np
import pandas as pd
from scipy.stats import chi2, spearmanr
from sklearn.linear_model import LogisticRegression

LABS = {"creatinine": 1, "haemoglobin": -1, "sodium": -1, "glucose": 1, "albumin": -1, "bnp": 1}
LOGS = ("los", "creatinine", "glucose", "bnp", "admissions")
MIN_TRAIN, MAX_TRAIN = 2, 8


class Monitor:
    def __init__(self, card):
        self.card = card
        self.features = list(card["features"])
        self.threshold = card.get("threshold", 0.2)
        self.crosswalk = card.get("crosswalk", {})
        self.seen = {}            # month -> table
        self.labels = {}          # encounter -> (y, matured)
        self.faults = {}          # (feature, site) -> dict
        self.history = []         # closed faults, for cleaning
        self.signals = {}         # (feature, site) -> last signals by month
        self.release = None
        self.model_since = 0
        self.own_deploy = False
        self.pending = None       # month in which a model was asked for
        self.quiet_until = 0
        self.concept_done = False
        self.request_cause = {}
        self.shock_month = -99
        self.ready = False

    # ---------------------------------------------------------------- start
    def start(self, batch):
        table = pd.DataFrame(batch["X"])
        for name in ("site", "encounter", "score", "month_of"):
            table[name] = batch[name]
        for name in self.features:
            table[name] = pd.to_numeric(table[name], errors="coerce")
        labels = pd.DataFrame(batch["labels"]).drop_duplicates("encounter", keep="last").set_index("encounter")["y"]
        table["y"] = table["encounter"].map(labels).fillna(0).astype(float)
        table["month"] = table["month_of"]
        self.ref = table
        self.sites = sorted(table["site"].unique())
        self.codes = set(table["diagnosis"].dropna()) | set(self.crosswalk.values())
        self.base = {}
        for site in self.sites + [None]:
            part = table if site is None else table[table["site"] == site]
            for name in self.features:
                self.base[name, site] = self._base(part, name)
            self.base["diagnosis", site] = self._base_code(part)
        # a model of our own
        self.top_codes = sorted(self.codes)
        Z = self._design(table, [])
        self.centre, self.scale = Z.mean(0), Z.std(0) + 1e-9
        self.own = LogisticRegression(C=0.5, max_iter=500).fit((Z - self.centre) / self.scale, table["y"])
        table["p"] = self._own(table, [])
        self.ref_agree = spearmanr(table["p"], table["score"])[0]
        self.ref_gain = self._gain(table)
        # the winter, from the reference year
        rows, target, weight = [], [], []
        for month, part in table.groupby("month_of"):
            rows.append([1.0, math.cos(2 * math.pi * month / 12), math.sin(2 * math.pi * month / 12)])
            target.append(math.log((part["y"].sum() + 1) / (part["score"].sum() + 1)))
            weight.append(math.sqrt(part["y"].sum() + 1))
        A, b, w = np.array(rows), np.array(target), np.array(weight)
        penalty = np.diag([0.0, 15.0, 15.0])
        self.season = np.linalg.solve(A.T @ (A * (w ** 2)[:, None]) + penalty, A.T @ (b * w ** 2))
        self.site_offset = {}
        for site, part in table.groupby("site"):
            self.site_offset[site] = (math.log((part["y"].sum() + 20) / (part["score"].sum() + 20)) - self.season[0]) * 0.7
        months = sorted(table["month_of"].unique())
        stats = [self._score_test(table[table["month_of"].isin(months[i:i + 4])]) for i in range(0, len(months) - 3)]
        self.critical = max(chi2.ppf(1 - 1e-4, len(self.features)), 1.3 * max(stats + [0]))
        self.ready = True

    def _base(self, part, name):
        values = part[name].dropna()
        result = {"mode": values.round(6).value_counts() / max(len(part), 1), "n": len(values)}
        positive = values[values > 0]
        if len(positive) < 50:
            return result
        logs = np.log(positive)
        result["q"] = np.quantile(logs, [0.25, 0.5, 0.75])
        result["sd"] = max((result["q"][2] - result["q"][0]) / 1.35, 1e-4)
        medians, missing = [], []
        for _, month in part.groupby("month_of"):
            seen = month[name].dropna()
            seen = seen[seen > 0]
            missing.append(1 - len(month[name].dropna()) / len(month))
            if len(seen) >= 8:
                medians.append(float(np.median(np.log(seen))) - result["q"][1])
        n = max(len(positive) / 12, 5)
        result["noise"] = max(np.std(medians) if medians else 0, 1.25 * result["sd"] / math.sqrt(n))
        result["largest"] = max(np.abs(medians)) if medians else 0
        missing = np.sort(missing)
        result["missing"] = float(np.median(missing))
        result["missing_usual"] = float(missing[-2]) if len(missing) > 1 else float(missing[-1])
        result["missing_max"] = float(missing[-1])
        low, high = float(values.min()), float(values.max())
        result["range"] = (low - 0.1 * abs(low), high * 1.2)
        sign = LABS.get(name, 1)
        result["cut"] = float(np.quantile(values, 0.65 if sign > 0 else 0.35))
        result["abnormal"] = float(((part[name] * sign) > result["cut"] * sign).mean())
        return result

    def _base_code(self, part):
        foreign = [self._foreign(month["diagnosis"]) for _, month in part.groupby("month_of")]
        missing = [month["diagnosis"].isna().mean() for _, month in part.groupby("month_of")]
        return {"foreign": float(max(foreign)), "missing_max": float(max(missing)),
                "mode": part["diagnosis"].value_counts(normalize=True)}

    def _foreign(self, codes):
        """Share of codes of the other edition."""
        return float(codes.isin(list(self.crosswalk)).mean()) if len(codes) else 0.0

    # ---------------------------------------------------------------- our own model
    def _design(self, table, faults):
        columns = []
        for name in self.features:
            values = table[name].astype(float).copy()
            for fault in faults:
                if fault["feature"] != name:
                    continue
                where = (table["month"] >= fault["since"]) & (table["month"] < fault["until"])
                if fault["site"] is not None:
                    where &= table["site"] == fault["site"]
                if fault["method"] == "rescale":
                    values[where] = values[where] * fault["factor"]
                else:
                    values[where] = float(self.ref[name].median())
            values = values.fillna(self.card["features"][name].get("normal", 0)).clip(lower=0)
            columns.append(np.log1p(values).to_numpy() if name in LOGS else values.to_numpy())
        codes = table["diagnosis"].map(lambda code: self.crosswalk.get(code, code))
        for code in self.top_codes:
            columns.append((codes == code).to_numpy(float))
        return np.column_stack(columns)

    def _own(self, table, faults):
        Z = np.clip((self._design(table, faults) - self.centre) / self.scale, -6, 6)
        return self.own.predict_proba(Z)[:, 1]

    def _gain(self, table):
        """Our expectation of the net benefit of the score, as a share of what is attainable."""
        value = table["p"] - (1 - table["p"]) * self.threshold / (1 - self.threshold)
        best = value[value > 0].sum()
        return float(value[table["score"] >= self.threshold].sum() / best) if best > 0 else 1.0

    def _score_test(self, table, faults=()):
        """Do the outcomes hang on the features in another way than in the reference year?"""
        if table["y"].sum() < 40:
            return 0.0
        logit = np.log(table["p"] / (1 - table["p"])).to_numpy()
        y = table["y"].to_numpy()
        a, b = 0.0, y.mean()
        for _ in range(30):
            p = 1 / (1 + np.exp(-(logit + a)))
            step = (b - p.mean()) / max((p * (1 - p)).mean(), 1e-9)
            a += step
            if abs(step) < 1e-8:
                break
        k = len(self.features)
        Z = np.clip((self._design(table, list(faults)) - self.centre) / self.scale, -4, 4)[:, :k]
        w = p * (1 - p)
        Z = Z - (Z * w[:, None]).sum(0) / w.sum()
        U = Z.T @ (y - p)
        V = Z.T @ (Z * w[:, None]) + 1e-6 * np.eye(k)
        return float(U @ np.linalg.solve(V, U))

    # ---------------------------------------------------------------- a month
    def month(self, batch):
        try:
            table = self._valid(batch)
            if table is None:
                return []
            month = batch["month"]
            if month in self.seen:
                return []
            late = bool(self.seen) and month < max(self.seen)
            self.seen[month] = table
            self._take_labels(batch["labels"])
            if late or not self.ready:
                return []
            actions = self._decide(batch, table, month)
            return actions[:12]
        except Exception:
            return []

    def _valid(self, batch):
        if not isinstance(batch, dict):
            return None
        month, X = batch.get("month"), batch.get("X")
        if not isinstance(month, int) or isinstance(month, bool) or not isinstance(X, dict):
            return None
        if not isinstance(batch.get("labels"), (dict, list)):
            return None
        columns = {name: X.get(name) for name in self.features + ["diagnosis"]}
        for name in ("site", "encounter", "score"):
            columns[name] = batch.get(name)
        if not all(isinstance(column, list) for column in columns.values()):
            return None
        lengths = {len(column) for column in columns.values()}
        if len(lengths) != 1 or lengths == {0}:
            return None
        for name in self.features + ["score"]:
            for value in columns[name]:
                if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
                    return None
        labels = batch["labels"]
        if isinstance(labels, dict) and labels:
            if not all(isinstance(labels.get(name), list) for name in ("encounter", "y", "matured")):
                return None
            if len({len(labels[name]) for name in ("encounter", "y", "matured")}) != 1:
                return None
        table = pd.DataFrame(columns)
        for name in self.features + ["score"]:
            table[name] = pd.to_numeric(table[name]).astype(float)
        if table["score"].isna().any():
            return None
        table["month"] = month
        return table

    def _take_labels(self, labels):
        table = pd.DataFrame(labels)
        if len(table):
            for encounter, y, matured in zip(table["encounter"], table["y"], table["matured"]):
                self.labels[encounter] = (y, bool(matured))

    def _decide(self, batch, table, month):
        actions = []
        changed = self.release is not None and batch.get("release_id") != self.release
        vendor = changed and not self.own_deploy
        if changed:
            self.model_since = month
        self.release = batch.get("release_id")
        self.own_deploy = False
        actions += self._data(table, month)
        actions += self._reports(batch.get("reports") or [], month)
        rolled = False
        if vendor:
            act = self._release(table, month)
            rolled = bool(act)
            actions += act
        if not rolled and not self.own_deploy:
            actions += self._outcomes(month)
        return actions

    # ---------------------------------------------------------------- data contracts
    def _signal(self, part, name, site):
        """What is wrong with a feature at a site this month: (kind, size) or None."""
        n = len(part)
        if n < 15:
            return None
        base = self.base[name, site]
        if name == "diagnosis":
            foreign = self._foreign(part[name])
            if foreign > base["foreign"] + 0.2:
                return ("coding", foreign)
            if part[name].isna().mean() > base["missing_max"] + 0.3:
                return ("missing", float(part[name].isna().mean()))
            unknown = float((~part[name].isin(list(self.codes) + list(self.crosswalk)) & part[name].notna()).mean())
            if unknown > 0.3:
                return ("corrupt", unknown)
            return self._default(part[name], base, n)
        if "q" not in base:
            return None
        values = part[name].dropna()
        missing = 1 - len(values) / n
        if missing > max(base["missing_usual"] + 0.15, base["missing"] + 0.2):
            sign = LABS.get(name, 1)
            abnormal = float(((part[name] * sign) > base["cut"] * sign).mean())
            expected = base["abnormal"] * (1 - missing) / max(1 - base["missing"], 0.05)
            if missing > 0.85:
                return ("stopped", missing)
            if abnormal < (expected + base["abnormal"]) / 2:
                return ("missing", missing)
            return None
        if len(values) < 12:
            return None
        default = self._default(values.round(6), base, n)
        if default:
            return default
        if name not in LABS:
            outside = float(((values < base["range"][0]) | (values > base["range"][1])).mean())
            return ("corrupt", outside) if outside > 0.12 else None
        positive = values[values > 0]
        if len(positive) < 0.85 * len(values):
            return ("corrupt", 1.0)
        q = np.quantile(np.log(positive), [0.25, 0.5, 0.75]) - base["q"]
        factor = self.card["features"][name].get("factor")
        if factor:
            for sign in (1, -1):
                expected = sign * math.log(factor)
                tolerance = max(0.15, 4 * base["noise"])
                if abs(q[1] - expected) < min(tolerance, 0.4 * abs(expected)) and min(q * np.sign(expected)) > 0.5 * abs(expected):
                    return ("unit", 1 / factor if sign > 0 else factor, abs(q[1]))
        outside = float(((values < base["range"][0] * 0.8) | (values > base["range"][1] * 1.2)).mean())
        whole = min(q * np.sign(q[1])) > 0.4 * max(abs(q))
        if whole and abs(q[1]) > max(5 * base["noise"], 1.6 * base["largest"], 0.35 * base["sd"]):
            return ("assay", float(q[1]))
        if outside > 0.1:
            return ("mixed", outside)
        if q[0] * q[2] < 0 and min(abs(q[0]), abs(q[2])) > max(5 * base["noise"], 0.5 * base["sd"]):
            return ("corrupt", float(q[2] - q[0]))
        return None

    def _default(self, values, base, n):
        share = values.value_counts() / n
        if len(share):
            rise = (share - base["mode"].reindex(share.index).fillna(0)).max()
            if rise > max(0.2, 5 * math.sqrt(0.1 / n)):
                return ("default", float(rise))
        return None

    def _data(self, table, month):
        actions, found = [], []
        present = [site for site in self.sites if (table["site"] == site).any()]
        previous = max([m for m in self.seen if m < month], default=None)
        now = {}
        for site in present:
            part = table[table["site"] == site]
            for name in self.features + ["diagnosis"]:
                now[name, site] = self._signal(part, name, site)
        shifted = {key for key, value in now.items() if value and value[0] == "assay"}
        shock = len({k[0] for k in shifted}) >= 3 and len({k[1] for k in shifted}) >= 3
        if shock:
            if month - self.shock_month > 8:
                actions.append({"type": "alert", "cause": "temporary_shock", "confidence": 0.6})
            self.shock_month = month if month - self.shock_month > 8 else self.shock_month
        # faults that were mended at their source
        for key, fault in list(self.faults.items()):
            name, site = key
            sites = present if site is None else [site]
            state = [now.get((name, s)) for s in sites if (name, s) in now]
            if not state:
                continue
            healthy = all(value is None for value in state)
            fault["healthy"] = fault["healthy"] + 1 if healthy else 0
            need = 2 if fault["kind"] in ("assay", "mixed", "corrupt", "missing") else 1
            if fault["healthy"] >= need:
                fault["until"] = month - need + 1
                self.history.append(fault)
                del self.faults[key]
                if fault["method"] != "remap":
                    action = {"type": "data_fix", "feature": name, "method": "clear"}
                    if site is not None:
                        action["site"] = site
                    actions.append(action)
        # new ones
        for (name, site), value in now.items():
            past = self.signals.get((name, site), {})
            before = past.get(previous)
            past[month] = value
            self.signals[name, site] = past
            if not value or (name, site) in self.faults or (name, None) in self.faults:
                continue
            kind = value[0]
            if kind == "assay" and shock:
                continue
            quick = kind in ("unit", "coding", "default")
            if kind == "stopped":      # where interfaces are down for a month now and then, wait for the second
                quick = max(self.base[f, site].get("missing_max", 0) for f in self.features) < 0.6
            if kind == "missing":
                same = [s for s in present if now.get((name, s)) and now[name, s][0] in ("missing", "stopped")]
                quick = len(same) >= 3
            again = before is not None and (before[0] == kind or {before[0], kind} <= {"missing", "stopped"})
            if kind == "assay" and again and before[1] * value[1] < 0:
                again = False
            if not (quick or again):
                continue
            since = previous if again else month
            fix = {"feature": name, "site": site, "kind": kind, "since": since, "until": 99, "healthy": 0,
                   "method": "mask", "factor": None, "cause": "corrupt_values"}
            if kind == "unit":
                fix.update(method="rescale", factor=value[1], cause="unit_change")
            elif kind == "assay":
                shift = (value[1] + before[1]) / 2
                fix.update(method="rescale", factor=round(math.exp(-shift), 5), cause="assay_change")
            elif kind == "coding":
                fix.update(method="remap", cause="coding_change")
            elif kind in ("missing", "stopped"):
                fix.update(cause="missing_data")
            elif kind == "mixed":
                fix.update(cause="unit_change" if self.card["features"][name].get("factor") else "corrupt_values")
            found.append(fix)
        groups = {}
        for fix in found:
            groups.setdefault((fix["feature"], fix["method"], fix["cause"]), []).append(fix)
        for (name, method, cause), group in groups.items():
            if method != "rescale" and len(group) >= 3 and len(group) >= len(present) - 1:
                one = dict(group[0], site=None, since=min(fix["since"] for fix in group))
                group = [one]
            for fix in group:
                action = {"type": "data_fix", "feature": name, "method": method, "since": int(fix["since"]),
                          "cause": cause, "confidence": 0.85}
                if fix["site"] is not None:
                    action["site"] = fix["site"]
                if fix["factor"] is not None:
                    action["factor"] = float(fix["factor"])
                actions.append(action)
                fix["fixed"] = month + 1
                self.faults[name, fix["site"]] = fix
        return actions

    # ---------------------------------------------------------------- releases and reports
    def _all_faults(self):
        return list(self.faults.values()) + self.history

    def _release(self, table, month):
        known = table[table["site"].isin(self.sites)].copy()
        if len(known) < 60:
            return []
        known["p"] = self._own(known, self._all_faults())
        agree, gain = spearmanr(known["p"], known["score"])[0], self._gain(known)
        before, gain_before = self.ref_agree, self.ref_gain
        earlier = [m for m in self.seen if m < month][-2:]
        if earlier:
            last = pd.concat([self.seen[m] for m in earlier])
            last = last[last["site"].isin(self.sites)].copy()
            last["p"] = self._own(last, self._all_faults())
            before = min(before, spearmanr(last["p"], last["score"])[0])
            gain_before = min(gain_before, self._gain(last))
        if agree < before - 0.12 or (agree < before - 0.05 and gain < gain_before - 0.2):
            self.own_deploy = True
            self.pending = None
            return [{"type": "rollback", "cause": "bad_release", "confidence": 0.85}]
        return []

    def _reports(self, reports, month):
        actions = []
        for report in reports:
            if not isinstance(report, dict) or "id" not in report:
                continue
            self.pending = None
            try:
                difference = report["candidate"]["net_benefit"] - report["current"]["net_benefit"]
                good = not report.get("refused") and difference >= 0.0
            except (KeyError, TypeError):
                good = False
            if good:
                actions.append({"type": "deploy", "report": report["id"]})
                self.own_deploy = True
                self.model_since = month + 1
                self.season[0] = 0.0
                self.quiet_until = month + 4
                if report.get("kind") == "retrain":
                    self.concept_done = True
                if report.get("site") is None:
                    self.site_offset = {}
                else:
                    self.site_offset[report["site"]] = 0.0
            else:
                actions.append({"type": "reject", "report": report["id"]})
                self.quiet_until = month + 2
        return actions

    # ---------------------------------------------------------------- outcomes
    def _known(self):
        """Months whose readmissions have all come; who has no outcome yet was not readmitted."""
        frames, whole = [], []
        for month in sorted(self.seen):
            table = self.seen[month]
            state = [self.labels.get(encounter) for encounter in table["encounter"]]
            came = np.array([value is not None for value in state])
            if came.mean() < 0.6:
                continue
            table = table.copy()
            table["y"] = [float(value[0]) if value is not None and value[0] is not None else 0.0 for value in state]
            frames.append(table[table["site"].isin(self.sites)])
            if all(value is not None and value[1] for value in state):
                whole.append(month)
        return (pd.concat(frames, ignore_index=True) if frames else None), whole

    def _expected(self, table):
        m = table["month"].to_numpy(float)
        log = self.season[0] + self.season[1] * np.cos(2 * np.pi * m / 12) + self.season[2] * np.sin(2 * np.pi * m / 12)
        log = log + table["site"].map(lambda s: self.site_offset.get(s, 0.0)).to_numpy(float)
        return table["score"].to_numpy() * np.exp(log)

    def _change(self, table, smallest, limit):
        """The latest run of months in which outcomes exceed or fall short: (onset, log ratio) or None."""
        sums = table.groupby("month")[["y", "e"]].sum()
        months = list(sums.index)
        best = None
        for i in range(len(months)):
            o, e = sums["y"].iloc[i:].sum(), sums["e"].iloc[i:].sum()
            if e <= 1 or len(months) - i > 8:
                continue
            ratio = math.log((o + 0.5) / (e + 0.5))
            evidence = ((o * math.log(o / e) if o > 0 else 0) - (o - e)) / 1.3
            need = limit if len(months) - i >= 2 else limit + 4
            if abs(ratio) >= smallest and evidence > need and (best is None or evidence > best[2]):
                best = (months[i], ratio, evidence)
        return best

    def _outcomes(self, month):
        if self.pending is not None and month - self.pending < 3:
            return []
        if month < self.quiet_until:
            return []
        table, whole = self._known()
        if table is None:
            return []
        faults = self._all_faults()
        table["p"] = np.clip(self._own(table, faults), 1e-4, 1 - 1e-4)
        table["e"] = self._expected(table)
        use = table[table["month"] >= self.model_since]
        for fault in faults:      # scores that a fault had spoiled say nothing about the model
            bad = (use["month"] >= fault["since"]) & (use["month"] < fault.get("fixed", 99))
            if fault["site"] is not None:
                bad &= use["site"] == fault["site"]
            use = use[~bad]
        # other patients come back
        if not self.concept_done:
            months = sorted(table["month"].unique())
            for length in (4, 3):
                window = months[-length:]
                if len(window) < length:
                    continue
                part = table[table["month"].isin(window)]
                if self._score_test(part, faults) > self.critical:
                    clean = [m for m in whole if m >= window[0]]
                    if len(clean) >= 3 or len(clean) >= length - 1:
                        self.pending = month
                        return [{"type": "retrain", "train_months": int(min(max(len(clean), 4), MAX_TRAIN)),
                                 "cause": "concept_drift", "confidence": 0.7}]
        if use.empty:
            return []
        change = self._change(use, 0.22, 6.0)
        if change:
            clean = [m for m in whole if m >= change[0]]
            if not clean:
                return []
            cause = "temporary_shock" if month - self.shock_month < 8 else "prevalence_shift"
            self.pending = month
            return [{"type": "recalibrate", "train_months": int(min(max(len(clean), MIN_TRAIN), MAX_TRAIN)),
                     "cause": cause, "confidence": 0.7}]
        for site, part in use.groupby("site"):
            change = self._change(part, 0.35, 8.0)
            if change:
                clean = [m for m in whole if m >= change[0]]
                if len(clean) < 2:
                    continue
                self.pending = month
                return [{"type": "recalibrate", "site": site, "train_months": int(min(max(len(clean), 3), MAX_TRAIN)),
                         "cause": "prevalence_shift", "confidence": 0.6}]
        return []
