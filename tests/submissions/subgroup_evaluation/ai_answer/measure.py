"""Rows: metrics of every cell, intervals by drawing patients, what is hidden; and the mitigation."""

import math

import numpy as np
from cells import derivable
from helpers import calibration_fit, cluster_draws, logit
from scipy.special import expit

METRICS = ["auroc", "auprc", "brier", "slope", "intercept", "o_e", "sensitivity", "specificity", "ppv", "net_benefit"]
DRAWS = 300
SAFE_FAILURE = {
    "trigger": "In a month, at a site or in a group of at least min_cell: events or need over expected leave 1 by more than the card's "
    "ratio, with an interval without 1; the share flagged is above the budget for two weeks; scores are missing or change from "
    "one day to the next; more than a tenth of outcomes fail to arrive.",
    "fallback": "The score is switched off there and its owner told. Until it is mended a nurse reviews every discharge by a fixed "
    "checklist, within the budget, and stays that the faulty score passed over are reviewed again.",
}

def cells_of(card):
    levels = card["levels"]
    found = [{}] + [{axis: level} for axis in levels for level in levels[axis]]
    return found + [{a: x, b: y} for a, b in card["intersections"] for x in levels[a] for y in levels[b]]

def member(table, by):
    mask = np.ones(len(table), bool)
    for axis, level in by.items():
        mask &= (table[axis] == level).to_numpy()
    return mask

def rows(table, card):
    """(the rows, (draws, encounters) how often each counts, the cells that are not hidden)."""
    draws = np.array(list(cluster_draws(table["patient"].to_numpy(), DRAWS, seed=1)), dtype=np.float32)
    score, y = table["score"].to_numpy(float), table["readmit30"].to_numpy(float)
    cells = cells_of(card)
    masks = [member(table, by) for by in cells]
    by_patient = card["counts"] == "patients"
    exact = [int(table.loc[m, "patient"].nunique() if by_patient else m.sum()) for m in masks]
    shown = public(cells, exact, card)
    found, visible = [], []
    for by, mask, count, n in zip(cells, masks, exact, shown, strict=True):
        blank = {m: (None, None, None) for m in METRICS}
        values = blank if n is None or count == 0 else cell(score[mask], y[mask], draws[:, mask], card["threshold"])
        if n is not None and count:
            visible.append(by)
        found += [
            {"by": by, "metric": m, "n": n, "est": values[m][0], "lo": values[m][1], "hi": values[m][2], "suppressed": n is None}
            for m in METRICS
        ]
    return found, draws, visible

def cell(score, y, draws, t):
    """{metric: (est, lo, hi)}"""
    est = {m: float(v[0]) for m, v in metrics(score, y, np.ones((1, len(y)), np.float32), t).items()}
    again = metrics(score, y, draws, t)
    of = {"sensitivity": y.sum(), "specificity": (1 - y).sum(), "ppv": (score >= t).sum()}
    found = {}
    for m in METRICS:
        values = again[m][np.isfinite(again[m])]
        if not math.isfinite(est[m]):
            found[m] = (None, None, None)
            continue
        lo = hi = None
        if len(values) >= 0.8 * len(draws):
            lo, hi = (float(v) for v in np.quantile(values, [0.025, 0.975]))
        if m == "o_e" and est[m] == 0:
            lo, hi = 0.0, 3.69 / score.sum()
        elif m == "o_e" and len(values) and values.min() > 0:
            half = 1.96 * np.log(values).std(ddof=1)
            lo, hi = est[m] * math.exp(-half), est[m] * math.exp(half)
        # Decimals of a proportion of few give its numerator and denominator away.
        digits = 4 if m not in of or of[m] >= 1000 else 3 if of[m] >= 100 else 2
        found[m] = tuple(None if v is None else round(v, digits) for v in (est[m], lo, hi))
    return found

def metrics(score, y, weight, t, fit=True):
    """{metric: (draws,)}; all of them need only events and stays at each distinct score."""
    values, place = np.unique(score, return_inverse=True)
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(len(values)))
    weight = weight[:, order]
    total = np.add.reduceat(weight, starts, axis=1).astype(float)
    event = np.add.reduceat(weight * y[order].astype(np.float32), starts, axis=1).astype(float)
    none = total - event
    n, pos, neg = total.sum(1), event.sum(1), none.sum(1)
    flag = values >= t
    tp, fp = event[:, flag].sum(1), none[:, flag].sum(1)
    with np.errstate(all="ignore"):
        found = {
            "brier": (event @ (1 - values) ** 2 + none @ values**2) / n,
            "o_e": pos / (total @ values),
            "sensitivity": tp / pos,
            "specificity": (neg - fp) / neg,
            "ppv": tp / (tp + fp),
            "net_benefit": (tp - fp * t / (1 - t)) / n,
        }
        below = np.cumsum(none, axis=1) - none
        found["auroc"] = (event * (below + none / 2)).sum(1) / (pos * neg)
        hits, flagged = np.cumsum(event[:, ::-1], axis=1), np.cumsum(total[:, ::-1], axis=1)
        found["auprc"] = (event[:, ::-1] * hits / np.maximum(flagged, 1e-9)).sum(1) / pos
    if fit:
        x = logit(values)
        found["intercept"] = calibration(x, event, total, True)[0]
        found["slope"] = calibration(x, event, total, False)[1]
    return found

def calibration(x, event, total, fixed):
    """((draws,) intercepts, slopes) as helpers.calibration_fit, for all draws at once."""
    n, pos = total.sum(1), event.sum(1)
    usable = (pos > 0) & (pos < n)
    a, b = np.zeros(len(n)), np.ones(len(n))
    last = np.full(len(n), np.inf)
    with np.errstate(all="ignore"):
        for _ in range(40):
            p = expit(np.clip(a[:, None] + b[:, None] * x, -30, 30))
            error, spread = event - total * p, total * p * (1 - p)
            g0, h0 = error.sum(1), spread.sum(1)
            if fixed:
                da, db = g0 / np.maximum(h0, 1e-12), np.zeros(len(n))
            else:
                g1, h1, h2 = error @ x, spread @ x, spread @ (x * x)
                det = h0 * h2 - h1 * h1
                da, db = (h2 * g0 - h1 * g1) / det, (h0 * g1 - h1 * g0) / det
            da, db = np.clip(np.nan_to_num(da, nan=9), -4, 4), np.clip(np.nan_to_num(db, nan=9), -4, 4)
            a, b = a + da, b + db
            last = np.maximum(np.abs(da), np.abs(db))
            if not usable.any() or last[usable].max() < 1e-8:
                break
    good = usable & (last < 1e-6) & (np.abs(b) < 50)
    return np.where(good, a, np.nan), np.where(good, b, np.nan)

# ---- small cells -------------------------------------------------------------------------------

def public(cells, exact, card):
    """The count that is shown for each cell, None where it is hidden."""
    least = card["min_cell"]
    small = [1 <= n < least for n in exact]
    if not any(small):
        return list(exact)
    for base in (5, 10, 20):
        floor = -(-least // base) * base
        shown = [None if s else 0 if n == 0 else max(round(n / base) * base, floor) for n, s in zip(exact, small, strict=True)]
        if not leaks(cells, shown, card):
            return shown
    shown = [None if s else n for n, s in zip(exact, small, strict=True)]
    for _ in range(80):
        given_away = leaks(cells, shown, card)
        if not given_away:
            break
        for leak in given_away:
            near = [i for i, by in enumerate(cells) if shown[i] and beside(by, leak["by"])]
            if near:
                shown[min(near, key=lambda i: shown[i])] = None
    return shown

def leaks(cells, shown, card):
    return derivable([{"by": by, "n": n} for by, n in zip(cells, shown, strict=True)], card)

def beside(one, other):
    """Both are parts of the same whole."""
    return one.keys() == other.keys() and sum(one[k] != other[k] for k in one) == 1

# ---- what is done ------------------------------------------------------------------------------

def mitigate(d, table, findings, broken):
    """Steps in their order: data, label, scores; each is fitted on the scores that the one before left."""
    faulty = [site for site, _, _ in broken] + [
        f["by"]["site"] for f in findings if f["tier"] == "act" and f["cause"] == "data_quality" and list(f["by"]) == ["site"]
    ]
    steps = [
        {"type": "fix_data", "group_by": ["site"], "params": {"site": site},
         "justification": "The fault has a day on which it began: it is mended at its source, not calibrated away."}
        for site in dict.fromkeys(faulty)
    ]  # fmt: skip
    now, known = d.s.copy(), ~np.isnan(d.need)
    acts = {c: [f for f in findings if f["tier"] == "act" and f["cause"] == c] for c in ("proxy_label", "miscalibration")}
    hidden = np.zeros(len(now), bool)
    for f in acts["proxy_label"]:
        hidden |= member(table, f["by"])
    for cause, kind in (("proxy_label", "relabel"), ("miscalibration", "recalibrate")):
        for axes in dict.fromkeys(tuple(f["by"]) for f in acts[cause]):
            params, before = {}, now.copy()
            for f in (f for f in acts[cause] if tuple(f["by"]) == axes):
                inside = member(table, f["by"])
                if kind == "relabel":
                    mine, rest = inside & known, ~hidden & known
                    a = calibration_fit(before[mine], d.need[mine], fixed_slope=True)[0]
                    a, b = a - calibration_fit(before[rest], d.need[rest], fixed_slope=True)[0], 1.0
                else:
                    clean = inside & ~hidden
                    clean = clean if d.y[clean].sum() >= 30 else inside
                    a, b = calibration_fit(before[clean], d.y[clean], fixed_slope=f["metric"] != "slope")
                if np.isfinite(a) and np.isfinite(b):
                    params["|".join(f["by"].values())] = {"intercept": round(float(a), 4), "slope": round(float(b), 4)}
                    now[inside] = expit(a + b * logit(before[inside]))
            why = "Their label hides need that others of the same score have recorded." if kind == "relabel" else (
                "At the same score their outcomes are others; mended in the score, so that one threshold serves all.")  # fmt: skip
            if params:
                steps.append({"type": kind, "group_by": list(axes), "params": params, "justification": why})
    return steps

def threshold(table, card, steps, broken, first):
    """The card's threshold, or the lowest that keeps to the budget once everything is mended."""
    table = table[table["score"].notna()]
    score, weight = table["score"].to_numpy(float).copy(), np.ones(len(table))
    for site, start, _ in broken:
        here = (table["site"] == site).to_numpy()
        after = here & ((table["index_date"] - first).dt.days >= start - 7).to_numpy()
        if (here & ~after).any():
            weight[here] = here.sum() / (here & ~after).sum()
            weight[after] = 0
    for step in steps:
        if step["type"] in ("recalibrate", "relabel"):
            before = score.copy()
            for name, p in step["params"].items():
                inside = member(table, dict(zip(step["group_by"], name.split("|"), strict=True)))
                score[inside] = expit(p["intercept"] + p["slope"] * logit(before[inside]))
    order = np.argsort(-score)
    share = np.cumsum(weight[order]) / weight.sum()
    within = 0.94 * card["alert_budget"]
    fits = score[order][share <= within]
    value = max(card["threshold"], np.ceil(1000 * (fits.min() if len(fits) else score.max())) / 1000)
    if weight[score >= card["threshold"]].sum() / weight.sum() <= within:
        value = card["threshold"]
    words = ("all sites and the whole year of scored stays, after the mitigation and without stays scored during a data fault; "
             "not the pilot's site and weeks. The card's threshold where it keeps to the alert budget with 6 % to spare, else "
             "the lowest that does.")  # fmt: skip
    return {"value": round(float(value), 4), "chosen_on": words}
