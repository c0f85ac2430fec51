"""Says nothing about when the model is switched off."""

import json

import base_solution as base


def evaluate(in_dir, out_dir):
    base.evaluate(in_dir, out_dir)
    path = out_dir / "report.json"
    report = json.loads(path.read_text())
    report["safe_failure"] = {"trigger": "", "fallback": ""}
    path.write_text(json.dumps(report))
