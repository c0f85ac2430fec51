"""Numbers from whole arrays, all draws at once; problems peeled off one after the other, the clearest first."""

import itertools
import json
import re
import tomllib

import numpy as np
import pandas as pd
from cells import derivable
from helpers import calibration_fit, cluster_draws, logit

DRAWS = 200
# How many standard errors a gap must be from none: of the 24 levels, and of the hundred cells.
CLEAR, CLEARER = 2.8, 3.2
METRICS = ["auroc", "auprc", "brier", "slope", "intercept", "o_e", "sensitivity", "specificity", "ppv", "net_benefit"]


def evaluate(in_dir, out_dir):
    card = tomllib.loads((in_dir / "card.toml").read_text(encoding="utf-8"))
    table = load(in_dir, card)
    draws = np.array(list(cluster_draws(table["patient"], DRAWS, 1)), np.float32)
    cells = all_cells(card)
    rows = hide(number_rows(table, cells, draws, card), table, cells, card)
    problems = find(table, cells, draws, card)
    steps, line = mitigation(table, problems, card)
    report = {
        "rows": rows,
        "findings": [p["finding"] for p in problems],
        "threshold": {"value": line, "chosen_on": "all kept encounters, after mitigation, outside the faulty period"},
        "mitigation": steps,
        "safe_failure": {
            "trigger": "a month in which O/E of any site leaves .8 to 1.25, or one score makes up 5 % of a site's",
            "fallback": "nurses call everybody of 65 or older with two stays in six months",
        },
    }
    (out_dir / "report.json").write_text(json.dumps(report), encoding="utf-8")


# ---- who is who ----------------------------------------------------------------------------------

CODES = {"2106-3": "White", "2054-5": "Black", "2135-2": "Hispanic", "2028-9": "Asian", "1002-5": "AIAN", "2076-8": "NHPI"}
RACE = [
    (r"two or more|2 or more|multi", "Multiple"),
    (r"hisp|latin|^h$", "Hispanic"),
    (r"hawaii|pacific|nhpi", "NHPI"),
    (r"alaska|american indian|aian|native", "AIAN"),
    (r"black|african|^b$|^aa$", "Black"),
    (r"white|cauc|^w$", "White"),
    (r"asian|^a$", "Asian"),
]
LANGUAGE = [(r"^en|english", "English"), (r"^es|^spa|span", "Spanish")]
PAYER = [
    (r"medicaid|^mcd", "Medicaid"),
    (r"medicare|^mcr", "Medicare"),
    (r"self|unins|cash|none", "Self-pay"),
    (r"", "Commercial"),
]


def level(field, value):
    text = value.strip().lower()
    if field == "race":
        return CODES.get(value.strip()) or next((name for p, name in RACE if re.search(p, text)), "")
    if field == "language":
        return next((name for p, name in LANGUAGE if re.search(p, text)), "Other") if text else ""
    if field == "payer":
        return next(name for p, name in PAYER if re.search(p, text)) if text else ""
    if field == "sex":
        return {"f": "female", "m": "male"}.get(text[:1], "")
    return value.strip()


def iso(text, before=2100):
    """Dates as year-month-day: given so, or as month/day/two digits of the year; adults are born `before`."""
    parts = text.str.extract(r"^(\d+)/(\d+)/(\d\d)$")
    year = 2000 + parts[2].astype(float)
    year = year.where(year < before, year - 100)
    return (year.map("{:.0f}".format) + "-" + parts[0] + "-" + parts[1]).where(year.notna(), text)


def people(in_dir, card):
    records = pd.read_csv(in_dir / "demographics.csv", dtype=str, keep_default_na=False)
    # Every source has its own way of writing ids and dates; two digits of a year are of an adult's birth.
    records["patient"] = "P" + records["patient"].str.extract(r"(\d+)$")[0]
    records["recorded_on"] = iso(records["recorded_on"])
    born = records["field"] == "birth_date"
    records.loc[born, "value"] = iso(records.loc[born, "value"], before=2008)
    pairs = records[["field", "value"]].drop_duplicates()
    pairs["level"] = [level(f, v) for f, v in zip(pairs["field"], pairs["value"])]
    records = records.merge(pairs, on=["field", "value"])
    records = records[records["level"] != ""].sort_values("recorded_on")
    last = records.drop_duplicates(["patient", "field"], keep="last").pivot(index="patient", columns="field", values="level")
    race = records[records["field"] == "race"]
    if card["race_rule"] == "self_report":
        own = race[race["source"] == "self_report"].groupby("patient")["level"].last()
        last["race"] = own.reindex(last.index).fillna(last["race"])
    elif card["race_rule"] == "majority":
        count = race.groupby(["patient", "level"])["recorded_on"].agg(["size", "max"]).reset_index()
        most = count.sort_values(["size", "max"]).groupby("patient")["level"].last()
        last["race"] = most.reindex(last.index)
    last["race"] = last["race"].fillna("missing")
    born = pd.to_datetime(last["birth_date"])
    on = pd.Timestamp(card["age_on"])
    before = (born.dt.month > on.month) | ((born.dt.month == on.month) & (born.dt.day > on.day))
    years = on.year - born.dt.year - before
    names = card["levels"]["age"]
    edges = [int(re.match(r"\d+", name).group()) for name in names[1:]]
    last["age"] = np.array(names)[np.searchsorted(edges, years, side="right")]
    return last[["age", "sex", "race", "language", "payer"]].reset_index()


def load(in_dir, card):
    table = pd.read_csv(in_dir / "scores.csv").merge(pd.read_csv(in_dir / "outcomes.csv"), on="encounter")
    table = table.merge(people(in_dir, card), on="patient", how="left")
    short = table["followup_days"] < 30
    if card["censor_rule"] == "month":
        month = table["site"] + table["index_date"].str[:7]
        short = month.isin(month[short])
    return table[~short].sort_values("score", kind="stable").reset_index(drop=True)


def all_cells(card):
    levels = card["levels"]
    cells = [{}] + [{axis: name} for axis in levels for name in levels[axis]]
    for pair in card["intersections"]:
        cells += [dict(zip(pair, both)) for both in itertools.product(*(levels[axis] for axis in pair))]
    return cells


def inside(table, cell):
    keep = np.ones(len(table), bool)
    for axis, name in cell.items():
        keep &= (table[axis] == name).to_numpy()
    return keep


# ---- numbers -------------------------------------------------------------------------------------


def metrics(score, y, w, line):
    """Metrics for each row of w: (draws, n); score ascending."""
    with np.errstate(all="ignore"):
        n, events = w.sum(1), w @ y
        others = n - events
        flagged = score >= line
        tp, fp = w @ (y * flagged), w @ ((1 - y) * flagged)
        found = {
            "brier": w @ (score - y) ** 2 / n,
            "o_e": events / (w @ score),
            "sensitivity": tp / events,
            "specificity": 1 - fp / others,
            "ppv": tp / (tp + fp),
            "net_benefit": (tp - fp * line / (1 - line)) / n,
        }
        # Sums per different score, so that ties are treated as one step.
        start = np.flatnonzero(np.r_[True, np.diff(score) > 0])
        pos = np.add.reduceat(w * y, start, axis=1)
        neg = np.add.reduceat(w * (1 - y), start, axis=1)
        below = np.cumsum(neg, 1) - neg / 2
        found["auroc"] = (pos * below).sum(1) / (events * others)
        tps = np.cumsum(pos[:, ::-1], 1)
        fps = np.cumsum(neg[:, ::-1], 1)
        precision = np.nan_to_num(tps / (tps + fps))
        found["auprc"] = (pos[:, ::-1] * precision).sum(1) / events
        found["auroc"] = np.where(others > 0, found["auroc"], np.nan)
    return found


def fits(score, y, w):
    """Calibration in each draw: a Newton step from the fit to all; two are as good as a new fit."""
    x = logit(score)
    a, b = calibration_fit(score, y)
    a0, _ = calibration_fit(score, y, fixed_slope=True)
    free, fixed = np.tile([a, b], (len(w), 1)), np.full(len(w), a0)
    for _ in range(2):
        p = 1 / (1 + np.exp(-(fixed[:, None] + x)))
        fixed = fixed + (w * (y - p)).sum(1) / (w * p * (1 - p)).sum(1)
        p = 1 / (1 + np.exp(-(free[:, :1] + free[:, 1:] * x)))
        error, v = w * (y - p), w * p * (1 - p)
        g0, g1 = error.sum(1), (error * x).sum(1)
        h00, h01, h11 = v.sum(1), (v * x).sum(1), (v * x * x).sum(1)
        det = h00 * h11 - h01**2
        free = free + np.stack([h11 * g0 - h01 * g1, h00 * g1 - h01 * g0], 1) / det[:, None]
    return {"slope": free[:, 1], "intercept": fixed}, {"slope": b, "intercept": a0}


def number_rows(table, cells, draws, card):
    score, y = table["score"].to_numpy(), table["readmit30"].to_numpy(float)
    rows = []
    for cell in cells:
        keep = inside(table, cell)
        s, e, w = score[keep], y[keep], draws[:, keep]
        n = table.loc[keep, "patient"].nunique() if card["counts"] == "patients" else int(keep.sum())
        est, drawn = dict.fromkeys(METRICS, np.nan), {}
        if len(s):
            est |= {k: v[0] for k, v in metrics(s, e, np.ones((1, len(s))), card["threshold"]).items()}
        if 10 <= e.sum() <= len(e) - 10:
            drawn = metrics(s, e, w, card["threshold"])
            with np.errstate(all="ignore"):
                more, whole = fits(s, e, w)
            drawn, est = drawn | more, est | whole
        for metric in METRICS:
            values = drawn.get(metric, np.array([np.nan]))
            low, high = np.nanquantile(values, [0.025, 0.975]) if np.isfinite(values).any() else (np.nan, np.nan)
            rows.append({"by": cell, "metric": metric, "n": n, "est": plain(est[metric]), "lo": plain(low), "hi": plain(high), "suppressed": False})
    return rows


def plain(x):
    return round(float(x), 4) if np.isfinite(x) else None


def hide(rows, table, cells, card):
    """Small counts go, and others with them until none can be worked out."""
    n = {json.dumps(r["by"]): r["n"] for r in rows}
    gone = {key for key, count in n.items() if 1 <= count < card["min_cell"]}
    while True:
        shown = [{"by": json.loads(k), "metric": "o_e", "n": None if k in gone else c} for k, c in n.items()]
        left = [json.dumps(d["by"]) for d in derivable(shown, card)]
        if not left:
            break
        before = len(gone)
        for key in left:
            cell = json.loads(key)
            near = [k for k in n if k not in gone and related(json.loads(k), cell) and n[k] > 0]
            if near:
                gone.add(min(near, key=lambda k: n[k]))
        if len(gone) == before:  # nothing beside it is left: the cells of its line go whole
            gone |= {k for k in n if any(set(json.loads(k).items()) & set(json.loads(key).items()) for key in left)}
            break
    small = {key for key in gone if n[key] < card["min_cell"]}
    for r in rows:
        if json.dumps(r["by"]) in gone:
            r |= {"n": None, "suppressed": True}
        if json.dumps(r["by"]) in small:
            r |= {"est": None, "lo": None, "hi": None}
    return rows


def related(one, other):
    return set(one) == set(other) and any(one[a] == other[a] for a in one) or (len(one) == 1 and set(one) == set(other))


# ---- problems ------------------------------------------------------------------------------------


class Gaps:
    """Every cell against everybody else, on the log scale, with all draws.

    What is found is taken account of before the next is looked for: expected events and need of its patients are raised
    by as much as they were too low, so that nobody has to be left out.
    """

    def __init__(self, table, cells, draws):
        self.cells, self.draws = cells, draws
        self.inside = np.array([inside(table, cell) for cell in cells])
        self.y, self.need = table["readmit30"].to_numpy(float), table["need"].to_numpy(float)
        s = table["score"].to_numpy()
        self.expected = s.copy()
        tenth = np.searchsorted(np.quantile(s, np.arange(1, 10) / 10), s, side="right")
        self.one = np.eye(10, dtype=np.float32)[tenth]
        self.usual = np.ones(len(s))

    def sums(self, keep, values):
        """(1 + draws, cells): sums of `values` over the rows of `keep` (cells, n), first of the data as they are."""
        part = (keep * values).astype(np.float32).T
        return np.vstack([part.sum(0), self.draws @ part])

    def o_e(self, keep, others):
        e = self.expected
        with np.errstate(all="ignore"):
            return np.log(self.sums(keep, self.y) / self.sums(keep, e) * self.sums(others, e) / self.sums(others, self.y))

    def need_ratio(self, keep, others):
        expected = 0
        with np.errstate(all="ignore"):
            for k in range(10):
                there = self.one[:, k]
                rate = self.sums(others, self.need * there) / self.sums(others, self.usual * there)
                expected = expected + np.nan_to_num(rate) * self.sums(keep, self.usual * there)
            return np.log(self.sums(keep, self.need) / expected)

    def settle(self, i):
        keep = self.inside[i]
        self.expected[keep] *= np.exp(self.o_e(keep[None], ~keep[None])[0, 0])
        self.usual[keep] *= np.exp(self.need_ratio(keep[None], ~keep[None])[0, 0])


def find(table, cells, draws, card):
    table["need"] = pd.to_numeric(table["need"]).fillna(0)
    cells = cells[1:]
    gaps, fresh = Gaps(table, cells, draws), Gaps(table, cells, draws)
    least = np.log(card["material"]["ratio"])
    single = np.array([len(cell) == 1 for cell in cells])
    enough = gaps.inside @ gaps.y >= 15
    problems, taken = [], ~enough
    for metric in ("o_e", "need_ratio"):
        # A gap that only corrections for other problems bring about is their doing.
        seen = getattr(fresh, metric)(fresh.inside, ~fresh.inside)[0] >= least / 2
        for alone in (True, False):
            while True:
                logs = getattr(gaps, metric)(gaps.inside, ~gaps.inside)
                z = np.zeros(len(cells))
                z[enough] = logs[0, enough] / logs[1:, enough].std(0)
                able = seen & (single == alone) & ~taken & (logs[0] >= least) & (z > (CLEAR if alone else CLEARER))
                if not able.any():
                    break
                best = int(np.argmax(np.where(able, z, -np.inf)))
                taken[best] = True
                if alone:
                    best = part_of(best, gaps, getattr(gaps, metric), least, z)
                    taken[best] = True
                gaps.settle(best)
                problems.append(problem(best, fresh, getattr(fresh, metric), metric, table))
    return problems


def part_of(group, gaps, measure, least, z):
    """The group, or the part of it that is off when the rest of it is not."""
    keep, cell = gaps.inside[group], gaps.cells[group]
    parts = [i for i, c in enumerate(gaps.cells) if len(c) == 2 and cell.items() <= c.items() and z[i] > CLEARER]
    if not parts:
        return group
    part = gaps.inside[parts]
    others = np.array([~keep] * len(parts))
    rest, own = measure(keep & ~part, others), measure(part, others)
    differs = (own[0] - rest[0]) / (own - rest)[1:].std(0)
    found = [(z[i], i) for i, gap, far in zip(parts, rest[0], differs) if gap < least and far > CLEARER]
    return max(found)[1] if found else group


def problem(i, gaps, measure, metric, table):
    """The finding about a cell, by the brief's definition: against everybody else."""
    keep, cell = gaps.inside[i], gaps.cells[i]
    logs = measure(keep[None], ~keep[None])[:, 0]
    lo, hi = np.exp(np.nanquantile(logs[1:], [0.025, 0.975]))
    cause = "proxy_label" if metric == "need_ratio" else why(table, cell, keep)
    action = {"proxy_label": "predict need", "data_quality": "mend at the source"}.get(cause, "recalibrate")
    finding = {
        "by": cell, "metric": metric, "direction": "higher", "size": plain(np.exp(logs[0])), "lo": plain(lo), "hi": plain(hi),
        "tier": "act", "cause": cause, "action": action,
    }  # fmt: skip
    return {"cell": cell, "keep": keep, "cause": cause, "finding": finding}


def why(table, cell, keep):
    """A site whose gap begins on some day has a fault in its data; one that was off all year is misread."""
    if set(cell) != {"site"}:
        return "miscalibration"
    part = table[keep].sort_values("index_date")
    e, o = part["score"].to_numpy(), part["readmit30"].to_numpy(float)
    k = np.arange(len(e) // 10, len(e) - len(e) // 10, 25)
    early = np.cumsum(o)[k] / np.cumsum(e)[k]
    late = (o.sum() - np.cumsum(o)[k]) / (e.sum() - np.cumsum(e)[k])
    step = np.abs(np.log(late / early))
    return "data_quality" if step.max() > 0.3 else "miscalibration"


def mitigation(table, problems, card):
    steps, score = [], table["score"].to_numpy().copy()
    y, need = table["readmit30"].to_numpy(), table["need"].to_numpy()
    sound = np.ones(len(table), bool)
    for p in problems:
        if p["cause"] == "data_quality":
            sound &= ~p["keep"]
            steps.append({"type": "fix_data", "group_by": ["site"], "params": dict(p["cell"]), "justification": "the gap begins on a day"})
    quiet = sound.copy()
    for p in problems:
        quiet &= ~p["keep"]
    if not sound.any():
        sound = np.ones(len(table), bool)
    if not quiet.any():
        quiet = sound
    usual, _ = calibration_fit(score[quiet], need[quiet], fixed_slope=True)
    for p in problems:
        if p["cause"] == "data_quality":
            continue
        keep, label = p["keep"] & sound, need if p["cause"] == "proxy_label" else y
        shift, _ = calibration_fit(score[keep], label[keep], fixed_slope=True)
        shift -= usual if p["cause"] == "proxy_label" else 0
        shift = shift if np.isfinite(shift) else 0.0
        score[p["keep"]] = 1 / (1 + np.exp(-(logit(score[p["keep"]]) + shift)))
        kind = "relabel" if p["cause"] == "proxy_label" else "recalibrate"
        steps.append({"type": kind, "group_by": list(p["cell"]), "params": {"|".join(p["cell"].values()): {"intercept": plain(shift), "slope": 1.0}}, "justification": "one shift per group"})
    line = float(np.quantile(score[sound], 1 - 0.97 * card["alert_budget"]))
    return steps or [{"type": "none", "group_by": [], "params": {}, "justification": "nothing found"}], round(line, 4)
