"""Says nothing about patients whose race is missing: they are no group."""

import json

import base_solution as base


def evaluate(in_dir, out_dir):
    base.evaluate(in_dir, out_dir)
    path = out_dir / "report.json"
    report = json.loads(path.read_text())
    report["findings"] = [f for f in report["findings"] if f["by"].get("race") != "missing"]
    path.write_text(json.dumps(report))
