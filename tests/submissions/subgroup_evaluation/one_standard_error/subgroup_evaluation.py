"""Intervals are the estimate plus and minus one standard error."""

import json

import base_solution as base


def evaluate(in_dir, out_dir):
    base.evaluate(in_dir, out_dir)
    path = out_dir / "report.json"
    report = json.loads(path.read_text())
    for r in report["rows"]:
        if r["lo"] is not None:
            error = (r["hi"] - r["lo"]) / 3.92
            r["lo"], r["hi"] = r["est"] - error, r["est"] + error
    path.write_text(json.dumps(report))
