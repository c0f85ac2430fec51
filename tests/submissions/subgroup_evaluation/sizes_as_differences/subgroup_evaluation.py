"""The size of a gap in O/E is a difference, as with the other metrics."""

import json

import base_solution as base


def evaluate(in_dir, out_dir):
    base.evaluate(in_dir, out_dir)
    path = out_dir / "report.json"
    report = json.loads(path.read_text())
    for f in report["findings"]:
        f["size"], f["lo"], f["hi"] = f["size"] - 1, f["lo"] - 1, f["hi"] - 1
    path.write_text(json.dumps(report))
