"""Evaluate a readmission model by subgroup: the report."""

import json
import tomllib

import numpy as np
import pandas as pd
import verdicts
from cells import derivable
from cohort import cells_of, cohort, members
from measures import SCALE_OF, measure
from scipy.special import expit

ACTIONS = {
    "data_quality": "find what changed at the site on that day and mend it there; leave the scores alone until then",
    "miscalibration": "recalibrate for this group now, refit with it in view later",
    "proxy_label": "fit to what the nurses' review found, not to paid claims",
    "case_mix": "none: at the same score their outcomes are as everybody else's",
}


def evaluate(in_dir, out_dir):
    card = tomllib.loads((in_dir / "card.toml").read_text(encoding="utf-8"))
    stays = cohort(in_dir, card)
    cells = list(cells_of(card))
    masks = [members(stays, cell) for cell in cells]
    ev = verdicts.Evidence(stays, cells, masks, card)
    judged = verdicts.judge(ev)
    steps, line = mitigate(ev, stays, card, *judged)
    report = {
        "rows": rows(stays, cells, masks, card),
        "findings": findings(ev, card, *judged[:3]),
        "threshold": {
            "value": line,
            "chosen_on": "sound stays after the pilot, with mended scores, to fill the budget",
        },
        "mitigation": steps,
        "safe_failure": {
            "trigger": "a month in which O/E at a site is below 0.8 or above 1.25, or one score is very frequent",
            "fallback": "the score is switched off there; nurses call patients with two or more stays in half a year",
        },
    }
    (out_dir / "report.json").write_text(json.dumps(report), encoding="utf-8")


def plain(value):
    return round(float(value), 4) if value is not None and np.isfinite(value) else None


# ---- rows ----------------------------------------------------------------------------------------


def rows(stays, cells, masks, card):
    unit = "person" if card["counts"] == "patients" else "encounter"
    counts = [int(stays.loc[mask, unit].nunique()) for mask in masks]
    secret = hidden(cells, counts, card)
    found = []
    for i, (cell, mask) in enumerate(zip(cells, masks, strict=True)):
        values = measure(stays[mask], card["threshold"]) if counts[i] >= card["min_cell"] else {}
        n = None if i in secret else counts[i]
        for metric in SCALE_OF:
            est, lo, hi = map(plain, values.get(metric, (None, None, None)))
            found.append(
                {"by": cell, "metric": metric, "n": n, "est": est, "lo": lo, "hi": hi, "suppressed": n is None}
            )
    return found


def hidden(cells, counts, card):
    """Numbers of the cells to hide: the small, and as few others as keep a reader from working these out."""

    def leaks(gone):
        shown = [
            {"by": cell, "n": None if i in gone else n} for i, (cell, n) in enumerate(zip(cells, counts, strict=True))
        ]
        return [cells.index(leak["by"]) for leak in derivable(shown, card)]

    small = {i for i, n in enumerate(counts) if 1 <= n < card["min_cell"]}
    gone = set(small)
    while found := leaks(gone):
        cover = [min(near, key=counts.__getitem__) for i in found if (near := beside(i, cells, counts, gone))]
        if not cover:
            # Nothing beside them is left to hide: whatever shares a level or an axis with them goes.
            cover = [
                i for i, cell in enumerate(cells) if i not in gone and any(set(cell) & set(cells[k]) for k in found)
            ]
        if not cover:
            break
        gone |= set(cover)
    for i in sorted(gone - small, key=counts.__getitem__, reverse=True):
        gone = gone - {i} if not leaks(gone - {i}) else gone
    return gone


def beside(i, cells, counts, gone):
    """Cells that stand in one sum with this one and are not hidden yet."""
    cell = cells[i]
    alike = [k for k, other in enumerate(cells) if set(other) == set(cell) and k not in gone and counts[k]]
    return [k for k in alike if len(cell) == 1 or cells[k].items() & cell.items()]


# ---- findings ------------------------------------------------------------------------------------


def findings(ev, card, begun, model, label):
    dated = {i: f"since {pd.Timestamp(day):%Y-%m-%d}" for i, day in begun.items()}
    found = [finding(ev, i, "o_e", "data_quality", since) for i, since in dated.items()]
    found += [finding(ev, i, "o_e", "miscalibration", f"shift {shift:.2f} in log odds") for i, shift in model.items()]
    found += [
        finding(ev, i, "need_ratio", "proxy_label", f"shift {shift:.2f} in log odds") for i, shift in label.items()
    ]
    for i, cell in enumerate(ev.cells):
        if len(cell) != 1 or i in {*begun, *model, *label} or ev.y[ev.masks[i]].sum() < 30:
            continue
        one = finding(ev, i, "sensitivity", "case_mix", "they run other risks", "watch")
        if abs(one["size"]) >= card["material"]["points"] and (one["lo"] or 0) * (one["hi"] or 0) > 0:
            found.append(one)
    return found


def finding(ev, i, metric, cause, why, tier="act"):
    est, lo, hi = verdicts.size(ev, i, metric)
    direction = "higher" if est > (0 if metric == "sensitivity" else 1) else "lower"
    return {
        "by": ev.cells[i],
        "metric": metric,
        "direction": direction,
        "size": plain(est),
        "lo": plain(lo),
        "hi": plain(hi),
        "tier": tier,
        "cause": cause,
        "action": f"{ACTIONS[cause]} ({why})",
    }


# ---- mitigation ----------------------------------------------------------------------------------


def mitigate(ev, stays, card, begun, model, label, sound):
    why = "outcomes at the same score change on one day"
    steps, x = [step("fix_data", ev.cells[i], dict(ev.cells[i]), why) for i in begun], ev.x.copy()
    for kind, shifts in (("relabel", label), ("recalibrate", model)):
        for i, shift in shifts.items():
            params = {"|".join(ev.cells[i].values()): {"intercept": plain(shift), "slope": 1.0}}
            steps.append(step(kind, ev.cells[i], params, "one shift for the group, of the joint model"))
            x = x + shift * ev.masks[i]
    pilot = (
        (stays["site"] == card["pilot"]["site"]) & (stays["index_date"] <= pd.Timestamp(card["pilot"]["until"]))
    ).to_numpy()
    line = np.quantile(expit(x)[sound & ~pilot], 1 - 0.97 * card["alert_budget"])
    return steps or [step("none", {}, {}, "nothing was found to be off")], plain(max(line, card["threshold"]))


def step(kind, cell, params, why):
    return {"type": kind, "group_by": list(cell), "params": params, "justification": why}
