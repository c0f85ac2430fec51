"""Recalibrates all scores alike, as the model is too low over all."""

import json

import base_solution as base


def evaluate(in_dir, out_dir):
    base.evaluate(in_dir, out_dir)
    path = out_dir / "report.json"
    report = json.loads(path.read_text())
    shift = next(r["est"] for r in report["rows"] if r["metric"] == "intercept" and not r["by"])
    step = {"type": "recalibrate", "group_by": [], "params": {"": {"intercept": shift, "slope": 1.0}}}
    report["mitigation"] = [step | {"justification": "O/E is above 1"}]
    path.write_text(json.dumps(report))
