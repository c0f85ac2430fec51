"""How well the model works for whom: rows, findings, threshold and mitigation."""

import json
import math

import numpy as np
import pandas as pd
from helpers import calibration_fit, cluster_draws, logit
from judge import Judge, expit
from load import cells, kept, load, mask
from measures import METRICS, drawn, interval, points
from privacy import shown_counts

DIGITS = 4
FALLBACK = {
    "trigger": "Any month in which the share flagged leaves the budget by a fifth, the monthly O/E of a site or of a group found "
    "here leaves 0.8 to 1.25 beyond chance, over 1 % of scores are missing, or the model version or a feed changes unannounced.",
    "fallback": "Scores are switched off at that site the same day; nurses go back to calling by the discharge team's referral and a "
    "fixed rule (two or more stays in 6 months, or discharge with home care), the list drawn so that it keeps to the budget. "
    "The quality lead is told; scores come back after the cause is mended and a month of silent running is in range.",
}


def evaluate(in_dir, out_dir):
    everything, card = load(in_dir)
    table = kept(everything, card)
    draws = np.array(list(cluster_draws(table.patient, 200)), dtype=np.int16)
    exact = {frozenset(by.items()): count(table[mask(table, by)], card) for by in cells(card)}
    shown = shown_counts(exact, card)
    judge = Judge(table, card, {key: exact[key] >= card["min_cell"] for key in exact}).search()
    threshold, mitigation = mitigate(everything, judge, card)
    report = {
        "rows": rows(table, card, draws, exact, shown),
        "findings": findings(judge, draws, card),
        "threshold": threshold,
        "mitigation": mitigation,
        "safe_failure": FALLBACK,
    }
    (out_dir / "report.json").write_text(json.dumps(report, indent=1), encoding="utf-8")


def count(part, card):
    return int(part.patient.nunique() if card["counts"] == "patients" else len(part))


def number(value, digits=DIGITS):
    return None if value is None or not math.isfinite(value) else round(float(value), digits)


def rows(table, card, draws, exact, shown):
    out, found = [], points(table, card)
    s, y = table.score.to_numpy(float), table.readmit30.to_numpy()
    for by in cells(card):
        key = frozenset(by.items())
        small = 0 < exact[key] < card["min_cell"]
        blank = {"by": by, "n": shown[key], "suppressed": shown[key] is None}
        if small or exact[key] == 0:
            out += [{**blank, "metric": metric, "est": None, "lo": None, "hi": None} for metric in METRICS]
            continue
        m = mask(table, by)
        boot = drawn(s[m], y[m], draws[:, m], card["threshold"])
        for metric in METRICS:
            est = number(found[key][metric])
            lo, hi = interval(boot[metric]) if est is not None else (None, None)
            out.append({**blank, "metric": metric, "est": est, "lo": number(lo), "hi": number(hi)})
    return out


# ---- findings ----------------------------------------------------------------------------------


def size(metric, m, judge, draws):
    """(value, lo, hi) as the brief defines it, from the files' own scores."""
    w = np.vstack([np.ones(len(m)), draws]).astype(float)
    need, y, s = np.nan_to_num(judge.need), judge.y, judge.s
    with np.errstate(divide="ignore", invalid="ignore"):
        if metric == "o_e":
            value = (w[:, m] @ y[m] / (w[:, m] @ s[m])) / (w[:, ~m] @ y[~m] / (w[:, ~m] @ s[~m]))
        elif metric == "need_ratio":
            tenth = np.searchsorted(np.quantile(s, np.arange(0.1, 1, 0.1)), s, side="right")
            expected = 0
            has = ~np.isnan(judge.need)
            for j in range(10):
                inside, out = m & has & (tenth == j), ~m & has & (tenth == j)
                # Many scores alike (or nobody else): such a tenth is empty.
                expected = expected + w[:, inside].sum(1) * (w[:, out] @ need[out]) / np.maximum(w[:, out].sum(1), 1)
            value = w[:, m] @ need[m] / expected
        else:
            one, other = drawn(s[m], y[m], w[:, m], judge.card["threshold"]), drawn(s[~m], y[~m], w[:, ~m], judge.card["threshold"])
            value = one[metric] - other[metric]
    lo, hi = interval(value[1:])
    return float(value[0]), lo, hi


def finding(by, metric, tier, cause, action, judge, draws):
    m = mask(judge.k, by)
    value, lo, hi = size(metric, m, judge, draws)
    middle = 1 if metric in ("o_e", "need_ratio") else 0
    return {"by": by, "metric": metric, "direction": "higher" if value > middle else "lower", "size": number(value),
            "lo": number(lo), "hi": number(hi), "tier": tier, "cause": cause, "action": action}


def findings(judge, draws, card):
    out, told = [], set()

    def tell(by, metric, tier, cause, action):
        key = (frozenset(by.items()), metric)
        if key not in told:
            told.add(key)
            out.append(finding(by, metric, tier, cause, action, judge, draws))

    for fault in judge.faults:
        tell(fault["by"], "o_e" if fault["ratio"] != 1 else "slope", "act", "data_quality",
             f"Trace the feed of site {fault['site']} from about {fault['day']:%Y-%m-%d} on, mend it at the source and score again; do not recalibrate over it.")
    for key in judge.off:
        cause, day = judge.cause(key)
        action = "Recalibrate for this group and have the model refitted with it; watch O/E monthly." if day is None else f"Trace the feed from about {day:%Y-%m-%d} on and mend it at the source."
        tell(dict(key), "o_e", "act", cause, action)
    for key in judge.slopes:
        tell(dict(key), "slope", "act", judge.cause(key)[0], "Recalibrate slope and intercept for this group.")
    flagged = {frozenset(f["by"].items()) for f in out}
    for key in judge.proxy:
        if key not in flagged:
            tell(dict(key), "need_ratio", "act", "proxy_label",
                 "Replace the paid claim as the label by reviewed need; ask why needed readmissions of this group go unpaid or do not happen.")
    for key, m in judge.masks.items():
        if len(key) == 1 and next(iter(key))[0] == "age":
            value, lo, hi = size("sensitivity", m, judge, draws)
            if lo is not None and (lo > 0 or hi < 0) and abs(value) >= card["material"]["points"]:
                tell(dict(key), "sensitivity", "watch", "case_mix", "None: at the same risk they are treated alike; the group is more or less ill.")
    return out


# ---- threshold and mitigation ------------------------------------------------------------------


def mitigate(everything, judge, card):
    table = judge.k
    steps, faulty = [], np.zeros(len(table), bool)
    z_fit, z_all = logit(table.score), logit(everything.score)
    ok_all = np.ones(len(everything), bool)
    sites = [(f["site"], f["day"]) for f in judge.faults]
    miscalibrated = []
    for key in judge.off + judge.slopes:
        cause, day = judge.cause(key)
        if cause == "data_quality":
            sites.append((dict(key)["site"], day))
        else:
            miscalibrated.append(key)
    for site, day in sites:
        faulty |= ((table.site == site) & (table.index_date >= day)).to_numpy()
        ok_all &= ~((everything.site == site) & (everything.index_date >= day)).to_numpy()
        steps.append({"type": "fix_data", "group_by": ["site"], "params": {"site": site, "from": f"{day:%Y-%m-%d}"},
                      "justification": "O/E changes on one day at one site only: a fault of the feed, which a recalibration would fix in place."})
    need = judge.need
    usable = ~faulty & ~np.isnan(need)
    off = np.zeros(len(table), bool)
    for key in miscalibrated:
        off |= judge.masks[key]
    target = judge.y
    if judge.proxy and any(key not in miscalibrated for key in judge.proxy):
        target = need
        for axes in dict.fromkeys(tuple(sorted(dict(key))) for key in judge.proxy if key not in miscalibrated):
            axes, params = list(axes), {}
            for names in [tuple(by[a] for a in axes) for by in cells(card) if sorted(by) == axes]:
                m = mask(table, dict(zip(axes, names, strict=True)))
                fit = m & usable & ~off
                a, b = calibration_fit(expit(z_fit[fit]), need[fit]) if need[fit].sum() > 40 else calibration_fit(expit(z_fit[usable & ~off]), need[usable & ~off])
                params["|".join(names)] = {"intercept": number(a), "slope": number(b)}
                z_fit = np.where(m, a + b * z_fit, z_fit)
                z_all = np.where(mask(everything, dict(zip(axes, names, strict=True))), a + b * z_all, z_all)
            steps.append({"type": "relabel", "group_by": axes, "params": params,
                          "justification": "The paid claim misses what these patients need; all levels are put on the scale of reviewed need."})
    for axes in dict.fromkeys(tuple(sorted(dict(key))) for key in miscalibrated):
        axes, params = list(axes), {}
        for by in cells(card):
            if sorted(by) != axes:
                continue
            names, a, b = "|".join(by[x] for x in axes), 0.0, 1.0
            key = frozenset(by.items())
            if key in miscalibrated:
                m = judge.masks[key]
                fit = m & usable
                if key in judge.slopes:
                    a, b = calibration_fit(expit(z_fit[fit]), target[fit])
                else:
                    a, b = calibration_fit(expit(z_fit[fit]), target[fit], fixed_slope=True)[0], 1.0
                z_fit = np.where(m, a + b * z_fit, z_fit)
                z_all = np.where(mask(everything, by), a + b * z_all, z_all)
            params[names] = {"intercept": number(a), "slope": number(b)}
        steps.append({"type": "recalibrate", "group_by": axes, "params": params,
                      "justification": "At the same score these patients' outcomes are others, at all sites and all year; the label stands."})
    if not steps:
        steps = [{"type": "none", "group_by": [], "params": {}, "justification": "Nothing beyond chance and material was found."}]
    pilot = ((everything.site == card["pilot"]["site"]) & (everything.index_date <= pd.Timestamp(card["pilot"]["until"]))).to_numpy() if "pilot" in card else ~ok_all
    later = ok_all & ~pilot
    share = card["alert_budget"]
    value = float(np.quantile(expit(z_all[later]), 1 - 0.96 * share))
    value = math.ceil(max(value, card["threshold"]) * 1000) / 1000
    text = ("the mitigated scores of all stays of all sites outside the pilot's (outcomes are not needed for the share flagged): "
            f"the lowest threshold, not below the proposed {card['threshold']}, that keeps to the budget of {share:.0%} with a twenty-fifth to spare")
    return {"value": value, "chosen_on": text}, steps
