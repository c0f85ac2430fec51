"""Flags groups of race, sex and age that are flagged by the model less than four fifths as often as the group most flagged."""

import json
import tomllib

from base_solution import load


def evaluate(in_dir, out_dir):
    card = tomllib.loads((in_dir / "card.toml").read_text())
    table = load(in_dir, card)
    flagged = table["score"] >= card["threshold"]
    findings = []
    for axis in ("race", "sex", "age"):
        rate = flagged.groupby(table[axis]).mean()
        for level, ratio in (rate / rate.max()).items():
            if ratio < 0.8:
                finding = {"by": {axis: level}, "metric": "sensitivity", "direction": "lower", "size": ratio - 1}
                findings.append(finding | {"tier": "act", "cause": "miscalibration", "action": "lower threshold"})
    report = {"rows": [], "findings": findings, "threshold": {"value": card["threshold"], "chosen_on": "the card"}}
    report["mitigation"] = [{"type": "none", "group_by": [], "params": {}, "justification": ""}]
    (out_dir / "report.json").write_text(json.dumps(report))
