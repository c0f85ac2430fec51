"""Every interval is the estimate plus and minus 0.05."""

import json

import base_solution as base


def evaluate(in_dir, out_dir):
    base.evaluate(in_dir, out_dir)
    path = out_dir / "report.json"
    report = json.loads(path.read_text())
    for r in report["rows"]:
        if r["lo"] is not None:
            r["lo"], r["hi"] = r["est"] - 0.05, r["est"] + 0.05
    path.write_text(json.dumps(report))
