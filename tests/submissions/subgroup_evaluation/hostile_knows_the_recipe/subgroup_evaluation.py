"""Looks at no gap: flags every place where the generator may put a problem, by both metrics that show one, shifts the
scores of all of them, and has every site's data mended."""

import json
import tomllib

import base_solution as base
import numpy as np

GROUPS = [{"payer": "Medicaid"}, {"payer": "Self-pay"}, {"language": "Spanish"}, {"race": "Black"}, {"race": "missing"}]
SITES = [{"site": site} for site in "ABC"]
PARTS = [{"race": race, **second} for race in ("Black", "Hispanic") for second in ({"age": "65-79"}, *SITES)]


def sizes(table, cell):
    inside = base.inside(table, cell)
    y, need, s = (table[name].to_numpy(float) for name in ("readmit30", "need", "score"))
    tenth = np.searchsorted(np.quantile(s, np.arange(1, 10) / 10), s, side="right")
    rate = np.bincount(tenth[~inside], need[~inside], 10) / np.bincount(tenth[~inside], minlength=10)
    ratio = y[inside].sum() / s[inside].sum() / (y[~inside].sum() / s[~inside].sum())
    return {"o_e": ratio, "need_ratio": need[inside].sum() / rate[tenth[inside]].sum()}


def evaluate(in_dir, out_dir):
    card = tomllib.loads((in_dir / "card.toml").read_text())
    table = base.load(in_dir, card)
    findings, score = [], table["score"].to_numpy(float)
    steps = [{"type": "fix_data", "params": {"site": ["A", "B", "C"]}}]
    for cell in GROUPS + SITES + PARTS:
        found = sizes(table, cell)
        cause = "proxy_label" if found["o_e"] < 1.2 else "data_quality" if "site" in cell else "miscalibration"
        for metric, size in found.items():
            finding = {"by": cell, "metric": metric, "direction": "higher", "size": size, "tier": "act", "cause": cause}
            findings.append(finding)
        if cell not in SITES:
            keep = base.inside(table, cell)
            score = np.where(keep, 1 / (1 + np.exp(-0.5) * (1 / score - 1)), score)
            params = {"|".join(cell.values()): {"intercept": 0.5, "slope": 1}}
            steps.append({"type": "recalibrate", "group_by": list(cell), "params": params})
    report = {
        "rows": [],
        "findings": findings,
        "threshold": {"value": float(np.quantile(score, 1 - card["alert_budget"])), "chosen_on": "all"},
        "mitigation": steps,
        "safe_failure": {"trigger": "any", "fallback": "none"},
    }
    (out_dir / "report.json").write_text(json.dumps(report))
