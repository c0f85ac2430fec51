"""What is off was recorded wrongly: every cause is the data."""

import json

import base_solution as base


def evaluate(in_dir, out_dir):
    base.evaluate(in_dir, out_dir)
    path = out_dir / "report.json"
    report = json.loads(path.read_text())
    for f in report["findings"]:
        f["cause"] = "data_quality"
    path.write_text(json.dumps(report))
