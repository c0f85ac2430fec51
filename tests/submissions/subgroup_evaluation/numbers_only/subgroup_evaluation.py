"""Rows, and no word about what they mean."""

import json

import base_solution as base


def evaluate(in_dir, out_dir):
    base.evaluate(in_dir, out_dir)
    path = out_dir / "report.json"
    report = json.loads(path.read_text())
    report = {"rows": report["rows"], "findings": []}
    path.write_text(json.dumps(report))
