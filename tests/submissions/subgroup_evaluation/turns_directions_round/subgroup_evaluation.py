"""O/E above that of others means that the score is too low, so the direction is "lower"."""

import json

import base_solution as base


def evaluate(in_dir, out_dir):
    base.evaluate(in_dir, out_dir)
    path = out_dir / "report.json"
    report = json.loads(path.read_text())
    for f in report["findings"]:
        f["direction"] = "lower" if f["direction"] == "higher" else "higher"
    path.write_text(json.dumps(report))
