"""Flags every cell, in the direction in which its O/E is off."""

import json

import base_solution as base


def evaluate(in_dir, out_dir):
    base.evaluate(in_dir, out_dir)
    path = out_dir / "report.json"
    report = json.loads(path.read_text())
    rows = [r for r in report["rows"] if r["metric"] == "o_e" and r["est"] is not None]
    whole = rows[0]["est"]
    report["findings"] = [
        {"by": r["by"], "metric": "o_e", "direction": "higher" if r["est"] > whole else "lower", "size": r["est"] / whole}
        | {"tier": "act", "cause": "miscalibration", "action": "recalibrate"}
        for r in rows[1:]
    ]
    path.write_text(json.dumps(report))
