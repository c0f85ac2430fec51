"""Flags groups of race, sex and age whose accuracy is five points from everybody's."""

import json
import tomllib

from base_solution import load


def evaluate(in_dir, out_dir):
    card = tomllib.loads((in_dir / "card.toml").read_text())
    table = load(in_dir, card)
    right = (table["score"] >= card["threshold"]) == (table["readmit30"] == 1)
    findings = []
    for axis in ("race", "sex", "age"):
        for level, gap in (right.groupby(table[axis]).mean() - right.mean()).items():
            if abs(gap) >= 0.05:
                direction = "lower" if gap > 0 else "higher"
                finding = {"by": {axis: level}, "metric": "brier", "direction": direction, "size": -gap}
                findings.append(finding | {"tier": "act", "cause": "miscalibration", "action": "retrain"})
    report = {"rows": [], "findings": findings, "threshold": {"value": card["threshold"], "chosen_on": "the card"}}
    report["mitigation"] = [{"type": "none", "group_by": [], "params": {}, "justification": ""}]
    (out_dir / "report.json").write_text(json.dumps(report))
