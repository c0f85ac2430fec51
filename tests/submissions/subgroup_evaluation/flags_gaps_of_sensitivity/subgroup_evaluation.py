"""Flags every group whose sensitivity is further from everybody's than the card's points."""

import json
import tomllib

import base_solution as base


def evaluate(in_dir, out_dir):
    base.evaluate(in_dir, out_dir)
    path = out_dir / "report.json"
    report = json.loads(path.read_text())
    points = tomllib.loads((in_dir / "card.toml").read_text())["material"]["points"]
    rows = [r for r in report["rows"] if r["metric"] == "sensitivity" and r["est"] is not None]
    whole = rows[0]["est"]
    for r in rows:
        gap = r["est"] - whole
        if abs(gap) >= points:
            finding = {"by": r["by"], "metric": "sensitivity", "direction": "higher" if gap > 0 else "lower", "size": gap}
            report["findings"].append(finding | {"tier": "act", "cause": "miscalibration", "action": "recalibrate"})
    path.write_text(json.dumps(report))
