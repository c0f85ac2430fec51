"""A group is off where its auroc is 0.03 below that of everybody."""

import json

import base_solution as base


def evaluate(in_dir, out_dir):
    base.evaluate(in_dir, out_dir)
    path = out_dir / "report.json"
    report = json.loads(path.read_text())
    rows = [r for r in report["rows"] if r["metric"] == "auroc" and r["est"] is not None]
    whole = rows[0]["est"]
    report["findings"] = [
        {"by": r["by"], "metric": "auroc", "direction": "lower", "size": r["est"] - whole}
        | {"tier": "act", "cause": "miscalibration", "action": "retrain"}
        for r in rows
        if r["est"] < whole - 0.03
    ]
    path.write_text(json.dumps(report))
