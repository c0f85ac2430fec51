"""Flags every cell whose interval of O/E leaves out 1."""

import json

import base_solution as base


def evaluate(in_dir, out_dir):
    base.evaluate(in_dir, out_dir)
    path = out_dir / "report.json"
    report = json.loads(path.read_text())
    for r in report["rows"]:
        if r["metric"] == "o_e" and r["by"] and r["lo"] is not None and not r["lo"] <= 1 <= r["hi"]:
            finding = {"by": r["by"], "metric": "o_e", "direction": "higher" if r["est"] > 1 else "lower", "size": r["est"]}
            report["findings"].append(finding | {"tier": "act", "cause": "miscalibration", "action": "recalibrate"})
    path.write_text(json.dumps(report))
