"""For whom does the model work, for whom not, why, and what should be done: evaluate(in_dir, out_dir)."""

import json

import numpy as np

from helpers import cluster_draws, logit
from judge import expit, judge, when
from loading import cells_of, inside, load
from metrics import METRICS, of_cell
from small_cells import hide

DRAWS = 200
CHUNK = 3_000_000  # weights held at once


def evaluate(in_dir, out_dir):
    data = load(in_dir)
    kept = data.part(data.keep)
    card = data.card
    weights = np.array(list(cluster_draws(kept.patient, DRAWS)), dtype=np.float32)
    table = all_rows(kept, card, weights)
    problems = judge(kept)
    found = [finding(p, kept, card, weights) for p in problems] + watched(kept, card, weights, table, problems)
    steps = mitigation(problems)
    value, how = threshold(kept, card, problems)
    report = {"rows": hide(table, card), "findings": found, "threshold": {"value": value, "chosen_on": how},
              "mitigation": steps or [{"type": "none", "group_by": [], "params": {}, "justification": "nothing is off beyond chance"}],
              "safe_failure": safe_failure(card, problems)}
    out_dir.mkdir(parents=True, exist_ok=True)
    (out_dir / "report.json").write_text(json.dumps(clean(report)), encoding="utf-8")


def clean(v):
    """JSON knows no NaN and no numpy."""
    if isinstance(v, dict):
        return {k: clean(x) for k, x in v.items()}
    if isinstance(v, list | tuple):
        return [clean(x) for x in v]
    if isinstance(v, np.bool_):
        return bool(v)
    if isinstance(v, float | np.floating):
        return float(v) if np.isfinite(v) else None
    return int(v) if isinstance(v, np.integer) else v


# ---- rows ----------------------------------------------------------------------------------------


def all_rows(kept, card, weights):
    out = []
    for by in cells_of(card):
        mask = inside(kept, by)
        n = len(np.unique(kept.owner[mask])) if card["counts"] == "patients" else int(mask.sum())
        s, y, t = kept.score[mask], kept.y[mask], card["threshold"]
        if n == 0:
            out += [row(by, m, 0, None, None, None) for m in METRICS]
            continue
        whole = of_cell(s, y, t, np.ones((1, len(s))))
        drawn = {m: [] for m in METRICS}
        if n >= card["min_cell"]:
            part = weights[:, mask]
            size = max(1, CHUNK // len(s))
            for start in range(0, len(part), size):
                for m, v in of_cell(s, y, t, part[start:start + size].astype(float)).items():
                    drawn[m].append(v)
        for m in METRICS:
            lo, hi = interval(np.concatenate(drawn[m]) if drawn[m] else np.array([]))
            if m == "o_e" and y.sum() == 0:
                lo, hi = 0.0, 3.7 / max(s.sum(), 1e-9)
            out.append(row(by, m, n, float(whole[m][0]), lo, hi))
    return out


def row(by, metric, n, est, lo, hi):
    return {"by": by, "metric": metric, "n": n, "est": est, "lo": lo, "hi": hi, "suppressed": False}


def interval(v):
    v = v[np.isfinite(v)]
    if len(v) < DRAWS / 2:
        return None, None
    lo, hi = np.quantile(v, [0.025, 0.975])
    return float(lo), float(hi)


# ---- findings ------------------------------------------------------------------------------------


def against_rest(metric, kept, mask, t, w):
    """Size of a finding for each draw. w: (draws, n)."""
    s, y = kept.score, kept.y
    if metric == "o_e":
        inner = (w[:, mask] @ y[mask]) / (w[:, mask] @ s[mask])
        return inner / ((w[:, ~mask] @ y[~mask]) / (w[:, ~mask] @ s[~mask]))
    if metric == "need_ratio":
        known = np.isfinite(kept.need)
        edges = np.quantile(s, np.arange(0.1, 0.95, 0.1))
        tenth = np.searchsorted(edges, s, side="right")
        needed = expected = 0
        for k in range(10):
            inner, outer = mask & known & (tenth == k), ~mask & known & (tenth == k)
            rate = (w[:, outer] @ kept.need[outer]) / np.maximum(w[:, outer].sum(axis=1), 1)
            needed = needed + w[:, inner] @ kept.need[inner]
            expected = expected + w[:, inner].sum(axis=1) * rate
        return needed / np.maximum(expected, 1e-9)
    inner = of_cell(s[mask], y[mask], t, w[:, mask].astype(float))[metric]
    return inner - of_cell(s[~mask], y[~mask], t, w[:, ~mask].astype(float))[metric]


def sized(metric, by, kept, card, weights, draws=DRAWS):
    mask = inside(kept, by)
    one = float(against_rest(metric, kept, mask, card["threshold"], np.ones((1, len(mask))))[0])
    drawn = np.concatenate([against_rest(metric, kept, mask, card["threshold"], weights[i:i + 50]) for i in range(0, draws, 50)])
    lo, hi = np.quantile(drawn[np.isfinite(drawn)], [0.025, 0.975])
    return one, float(lo), float(hi)


ACTIONS = {
    "miscalibration": "Recalibrate the score for this group on recorded outcomes, then look for the missing predictor and retrain.",
    "proxy_label": "Change the label: train on what patients need (the nurses' review), not on paid claims; relabel until then.",
    "data_quality": "Mend the feed at this site at its source and rescore; do not recalibrate over the fault.",
}


def finding(p, kept, card, weights):
    size, lo, hi = sized(p.metric, p.by, kept, card, weights)
    action = ACTIONS[p.cause] + (f" Off since about {when(p)}." if p.since else "")
    return {"by": p.by, "metric": p.metric, "direction": p.direction, "size": size, "lo": lo, "hi": hi, "tier": "act",
            "cause": p.cause, "action": action}


def watched(kept, card, weights, table, problems):
    """Large gaps in sensitivity that vanish at the same risk: seen, explained."""
    least = card["material"]["points"]
    est = {tuple(r["by"].items()): r for r in table if r["metric"] == "sensitivity" and len(r["by"]) == 1}
    whole = next(r["est"] for r in table if r["metric"] == "sensitivity" and not r["by"])
    out = []
    for key, r in est.items():
        if r["est"] is None or r["n"] < 10 * card["min_cell"] or abs(r["est"] - whole) < least or any(p.by == r["by"] for p in problems):
            continue
        size, lo, hi = sized("sensitivity", dict(key), kept, card, weights, 100)
        out.append({"by": dict(key), "metric": "sensitivity", "direction": "higher" if size > 0 else "lower", "size": size, "lo": lo, "hi": hi,
                    "tier": "watch", "cause": "case_mix",
                    "action": "None: at the same score the outcomes are those of everybody else; the group is more or less ill."})
    return out


# ---- what to do ----------------------------------------------------------------------------------


def level_key(by, axes):
    return "|".join(by[a] for a in axes)


def mitigation(problems):
    """Data, then label, then scores. Shifts come from the common model, so they do not count anything twice."""
    steps = []
    for p in problems:
        if p.cause == "data_quality":
            params = {"site": p.by["site"]} | ({"since": when(p)} if p.since else {})
            steps.append({"type": "fix_data", "group_by": ["site"], "params": params,
                          "justification": "Off from some day on at one site: mend the source, a recalibration would outlive the fault."})
    for kind, cause, outcome, why in (
        ("relabel", "proxy_label", "need", "The score agrees with the paid claim but not with what patients need; shifted by how much more they need at the same score."),
        ("recalibrate", "miscalibration", "y", "At the same score this group's outcomes are others; its intercept, given all else that was found."),
    ):
        groups = {}
        for p in problems:
            if p.cause == cause and p.kind == "shift":
                groups.setdefault(tuple(p.by), []).append(p)
        for axes, members in groups.items():
            params = {level_key(p.by, axes): {"intercept": float(p.shift.get(outcome, p.shift["y"])), "slope": 1.0} for p in members}
            steps.append({"type": kind, "group_by": list(axes), "params": params, "justification": why})
    return steps


def mended_scores(kept, problems):
    x = logit(kept.score)
    for p in problems:
        if p.kind != "shift" or p.cause == "data_quality" and p.metric != "o_e":
            continue
        x = x + p.mask * p.shift.get("need" if p.cause == "proxy_label" else "y", p.shift["y"])
    return expit(x)


def threshold(kept, card, problems):
    """The least cut that keeps to the budget after mending, but not below the card's."""
    use = np.ones(len(kept.score), bool)
    for p in problems:
        if p.cause == "data_quality":
            use &= ~p.mask
    s = mended_scores(kept, problems)[use]
    t = card["threshold"]
    cut = float(np.quantile(s, 1 - 0.93 * card["alert_budget"]))
    value = round(max(t, cut) + 5e-5, 4)
    return value, (f"all {'stays' if use.all() else 'stays before the fault'} with complete follow-up at all sites, after the mitigation; "
                   f"the pilot (site {card['pilot']['site']} until {card['pilot']['until']}) is one site's few months and would flag "
                   f"{(s >= t).mean():.0%} for a budget of {card['alert_budget']:.0%} at {t}. To be confirmed on later stays.")


def safe_failure(card, problems):
    return {"trigger": f"Checked every month by site: the share flagged leaves {card['alert_budget']:.0%} by a quarter, or observed over expected of a site "
                       "or of a group in this report leaves 0.8-1.25 with a 95 % interval that excludes 1 (two months running), or scores are missing or "
                       "the model version or a feed has changed without a validation.",
            "fallback": "Alerts of that site are switched off the same day; nurses call by the rule they had before the model (a stay within the "
                        "last 6 months, or discharge with heart failure, COPD or renal failure, and anyone a ward nurse refers), within the same capacity, "
                        "until the fault is mended and the group's calibration has been shown again."}
