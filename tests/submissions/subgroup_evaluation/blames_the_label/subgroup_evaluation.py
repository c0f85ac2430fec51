"""A paid claim is no readmission: every cause is the label."""

import json

import base_solution as base


def evaluate(in_dir, out_dir):
    base.evaluate(in_dir, out_dir)
    path = out_dir / "report.json"
    report = json.loads(path.read_text())
    for f in report["findings"]:
        f["cause"] = "proxy_label"
    path.write_text(json.dumps(report))
