"""Readmission model by subgroup."""

import json
import sys
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
import pandas as pd
from cells import derivable
from measure import METRICS, fit, logit, measure, measure_point
from people import people
from problems import expit, key, search

DRAWS = 200


def evaluate(in_dir, out_dir):
    card = tomllib.loads((in_dir / "card.toml").read_text(encoding="utf-8"))
    everything, kept = load(in_dir, card)
    cells = all_cells(card)
    masks = [mask(kept, c) for c in cells]
    out_rows = rows(kept, cells, masks, card)
    report = {"rows": out_rows}
    problems = search(kept, cells, masks, card, say=print)
    hidden = {key(r["by"]) for r in out_rows if r["suppressed"]}
    report["findings"] = findings(kept, cells, masks, problems, hidden, card)
    report |= mend(everything, kept, problems, card)
    out_dir.mkdir(parents=True, exist_ok=True)
    (out_dir / "report.json").write_text(json.dumps(report, indent=0), encoding="utf-8")


def load(in_dir, card):
    """(every encounter, those that the card keeps), one row each."""
    scores = pd.read_csv(in_dir / "scores.csv", dtype={"patient": str, "encounter": str, "site": str}).drop_duplicates("encounter")
    scores["index_date"] = pd.to_datetime(scores["index_date"])
    outcomes = pd.read_csv(in_dir / "outcomes.csv", dtype={"encounter": str}).drop_duplicates("encounter")
    demo = pd.read_csv(in_dir / "demographics.csv", dtype=str, keep_default_na=False)
    t = scores.merge(outcomes, on="encounter", validate="one_to_one")
    who = people(demo, card)
    t = t.merge(who, left_on="patient", right_index=True, how="left")
    t["race"] = t["race"].fillna("missing")
    t["site"] = t["site"].str.strip()
    t["y"] = t["readmit30"].astype(float)
    t = t.sort_values("index_date", kind="stable").reset_index(drop=True)
    flag = t["followup_days"].fillna(0) < 30
    if card["censor_rule"] == "month":
        flag = flag.groupby([t["site"], t["index_date"].dt.to_period("M")]).transform("any")
    kept = t[~flag].reset_index(drop=True)
    kept["owner"] = np.unique(kept["patient"], return_inverse=True)[1]
    return t, kept


def all_cells(card):
    levels = card["levels"]
    cells = [{}] + [{a: x} for a in levels for x in levels[a]]
    return cells + [{a: x, b: y} for a, b in card["intersections"] for x in levels[a] for y in levels[b]]


def mask(t, by):
    m = np.ones(len(t), bool)
    for axis, level in by.items():
        m &= (t[axis] == level).to_numpy()
    return m


def draw_weights(count, draws, seed=1):
    rng = np.random.default_rng(seed)
    return np.stack([np.bincount(rng.integers(0, count, count), minlength=count) for _ in range(draws)], axis=1).astype(np.uint8)


def rows(t, cells, masks, card):
    s, y, owner = t["score"].to_numpy(float), t["y"].to_numpy(float), t["owner"].to_numpy()
    counts = [int(m.sum()) if card["counts"] == "encounters" else len(np.unique(owner[m])) for m in masks]
    shown = hide(cells, counts, card)
    times = draw_weights(owner.max() + 1, DRAWS)
    out = []
    for c, m, n in zip(cells, masks, counts):
        if key(c) not in shown:
            out += [{"by": c, "metric": k, "n": None, "est": None, "lo": None, "hi": None, "suppressed": True} for k in METRICS]
            continue
        est, starts = measure_point(s[m], y[m], card["threshold"])
        lo = hi = {}
        if n:
            parts = []
            for block in np.array_split(np.arange(DRAWS), max(1, int(m.sum() * DRAWS / 1_500_000) + 1)):
                parts.append(measure(s[m], y[m], times[owner[m]][:, block].astype(float), card["threshold"], starts))
            draws = {k: np.concatenate([p[k] for p in parts]) for k in METRICS}
            lo, hi = {}, {}
            for k in METRICS:
                v = draws[k][np.isfinite(draws[k])]
                if len(v) > DRAWS * 0.5:
                    lo[k], hi[k] = np.quantile(v, [0.025, 0.975])
        for k in METRICS:
            e = clean(est[k])
            has = e is not None
            out.append({"by": c, "metric": k, "n": n, "est": e, "lo": clean(lo.get(k)) if has else None, "hi": clean(hi.get(k)) if has else None, "suppressed": False})
    return out


def clean(x, digits=4):
    return None if x is None or not np.isfinite(x) else round(float(x), digits)


def hide(cells, counts, card):
    """Keys of the cells whose count may be shown."""
    least = card["min_cell"]
    n = {key(c): v for c, v in zip(cells, counts)}
    shown = {k for k, v in n.items() if v == 0 or v >= least}
    neighbours = {}
    for c in cells:  # cells in one sum with c, as far as they are parts
        near = []
        for d in cells:
            if d == c or len(d) != len(c):
                continue
            if len(c) == 1 and set(c) == set(d):
                near.append(key(d))
            if len(c) == 2 and set(c) == set(d) and any(c[a] == d[a] for a in c):
                near.append(key(d))
        neighbours[key(c)] = near
    for _ in range(200):
        fake = [{"by": c, "n": n[key(c)] if key(c) in shown else None} for c in cells]
        leaks = derivable(fake, card)
        if not leaks:
            break
        for leak in leaks[:4]:
            k = key(leak["by"])
            open_ = [x for x in neighbours[k] if x in shown and n[x] > 0] or [x for x in shown if len(x) == 2 and n[x] > 0 and x & k]
            if not open_:
                open_ = [x for x in shown if n[x] > 0]
            shown.discard(min(open_, key=lambda x: n[x]))
    # show again what need not be hidden, the largest first
    for k in sorted((k for k, v in n.items() if k not in shown and v >= least), key=lambda k: -n[k]):
        if not derivable([{"by": c, "n": n[key(c)] if key(c) in shown | {k} else None} for c in cells], card):
            shown.add(k)
    return shown


def statistic(metric, flagged, m, w, s, y, need, tenth):
    """Each draw's value against everybody else."""
    if metric == "o_e":
        return (y[m] @ w[m] / (s[m] @ w[m])) / (y[~m] @ w[~m] / (s[~m] @ w[~m]))
    if metric == "sensitivity":
        hit = y * flagged
        return hit[m] @ w[m] / (y[m] @ w[m]) - hit[~m] @ w[~m] / (y[~m] @ w[~m])
    if metric == "need_ratio":
        ok = np.isfinite(need)
        nd, T = np.where(ok, need, 0), np.eye(10)[tenth] * ok[:, None]
        a, b = m, ~m
        rate = (T[b] * nd[b, None]).T @ w[b] / np.maximum(T[b].T @ w[b], 1e-9)
        return (nd[a] @ w[a]) / np.maximum((T[a].T @ w[a] * rate).sum(axis=0), 1e-9)
    f = lambda part: np.concatenate([measure(s[part], y[part], w[part][:, j : j + 40], 0.2)[metric] for j in range(0, w.shape[1], 40)])
    return f(m) - f(~m)


WORDS = {
    "miscalibration": "recalibrate the score for this group on recent outcomes, then check it again every quarter",
    "proxy_label": "train and evaluate on what patients need instead of on paid claims; until then correct the score on `need`",
    "data_quality": "mend the fault at this site at its source and score again; do not recalibrate it away",
}


def findings(t, cells, masks, problems, hidden, card):
    s, y, owner, need = t["score"].to_numpy(float), t["y"].to_numpy(float), t["owner"].to_numpy(), t["need"].to_numpy(float)
    tenth = np.searchsorted(np.quantile(s, np.arange(1, 10) / 10), s, side="right")
    w = draw_weights(owner.max() + 1, 200, 2)[owner].astype(float)
    flagged = (s >= card["threshold"]).astype(float)
    place = {key(c): m for c, m in zip(cells, masks)}

    def one(c, metric, tier, cause, action):
        m = place[key(c)]
        size = float(statistic(metric, flagged, m, np.ones((len(t), 1)), s, y, need, tenth)[0])
        v = statistic(metric, flagged, m, w, s, y, need, tenth)
        lo, hi = np.nanquantile(v, [0.025, 0.975])
        null = 1 if metric in ("o_e", "need_ratio") else 0
        return {"by": c, "metric": metric, "direction": "higher" if size > null else "lower", "size": clean(size, 3), "lo": clean(lo, 3), "hi": clean(hi, 3), "tier": tier, "cause": cause, "action": action}

    out = []
    for c, metric, cause, extra in problems:
        if key(c) in hidden:
            continue
        since = f" (since about {extra['day']})" if "day" in extra else ""
        out.append(one(c, metric, "act", cause, WORDS[cause] + since))
    acted = {key(p[0]) for p in problems}
    for c, m in zip(cells, masks):  # how ill they are shows in sensitivity, not in calibration
        if len(c) == 1 and key(c) not in acted | hidden and y[m].sum() >= 50:
            f = one(c, "sensitivity", "watch", "case_mix", "none for the group: at the same score its outcomes are as expected, it is only more or less ill")
            ratio = float(statistic("o_e", flagged, m, np.ones((len(t), 1)), s, y, need, tenth)[0])
            if abs(f["size"]) >= card["material"]["points"] and f["lo"] * f["hi"] > 0 and 1 / card["material"]["ratio"] < ratio < card["material"]["ratio"]:
                out.append(f)
    return out


def mend(everything, kept, problems, card):
    """Mitigation in order, and the threshold that keeps to the budget after it."""
    steps = []
    z, za = logit(kept["score"]), logit(everything["score"])
    need = kept["need"].to_numpy(float)
    y = kept["y"].to_numpy(float)
    use = np.isfinite(need)
    for c, metric, cause, extra in problems:
        if cause == "data_quality":
            steps.append({"type": "fix_data", "group_by": ["site"], "params": {"site": c["site"]}, "justification": f"calibration at site {c['site']} changes from about {extra.get('day')}: a fault in the data, mended at its source"})
            if "after" in extra:
                use &= ~extra["after"]
    proxies = [p for p in problems if p[2] == "proxy_label"]
    for c, *_ in proxies:
        z, za, params = step(c, z, za, kept, everything, need, use)
        steps.append({"type": "relabel", "group_by": list(c), "params": params, "justification": "paid claims miss what this group needs; fitted to the nurses' review"})
    target = y
    for c, metric, cause, extra in problems:
        if cause == "miscalibration":
            z, za, params = step(c, z, za, kept, everything, target, use)
            steps.append({"type": "recalibrate", "group_by": list(c), "params": params, "justification": "at the same score this group's outcomes differ; label and data stand"})
    p = expit(za)
    later = (everything["index_date"] > pd.Timestamp(card.get("pilot", {}).get("until", "1900-01-01"))).to_numpy()
    for c, metric, cause, extra in problems:
        if "day" in extra:  # these scores will be others once the fault is mended
            later = later & ~((everything["site"] == c["site"]) & (everything["index_date"] >= extra["day"])).to_numpy()
    p = p[later] if later.sum() > 1000 else p
    value = float(np.quantile(p, 1 - 0.95 * card["alert_budget"]))
    value = np.ceil(value * 1000) / 1000
    return {
        "threshold": {"value": float(value), "chosen_on": "all sites' stays after the pilot's last day, scores after mitigation: the lowest threshold that flags 95 % of the alert budget. Not on the pilot: one site's early, less ill patients"},
        "mitigation": steps or [{"type": "none", "group_by": [], "params": {}, "justification": "no group must be mended"}],
        "safe_failure": {
            "trigger": "in any month the observed/expected ratio of a site or a race, age or language group leaves 0.8-1.25 with its 95 % interval (patients drawn), the share flagged exceeds the alert budget by a tenth, scores are missing for 5 % of stays of a site, or outcomes stop arriving",
            "fallback": "the score is switched off at that site; nurses call by a rule without the model (two or more admissions in the last year or age 80+, by discharge date until the budget is used) and review the rest of discharges by hand until the cause is found",
        },
    }


def step(c, z, za, kept, everything, target, use):
    m = mask(kept, c) & use
    a = fit(z[m], target[m], np.ones((m.sum(), 1)), True)[0][0]
    a = float(a) if np.isfinite(a) else 0.0
    z, za = z.copy(), za.copy()
    z[mask(kept, c)] += a
    za[mask(everything, c)] += a
    return z, za, {"|".join(c.values()): {"intercept": round(a, 4), "slope": 1.0}}
