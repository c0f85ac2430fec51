"""Looks for problems by race, sex and age only."""

import json

import base_solution as base


def evaluate(in_dir, out_dir):
    base.evaluate(in_dir, out_dir)
    path = out_dir / "report.json"
    report = json.loads(path.read_text())
    report["findings"] = [f for f in report["findings"] if set(f["by"]) <= {"race", "sex", "age"}]
    path.write_text(json.dumps(report))
