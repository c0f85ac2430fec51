"""Every metric is a proportion of n: est plus and minus 1.96 times the root of est (1 - est) / n."""

import json
import math

import base_solution as base


def evaluate(in_dir, out_dir):
    base.evaluate(in_dir, out_dir)
    path = out_dir / "report.json"
    report = json.loads(path.read_text())
    for r in report["rows"]:
        if r["n"] and r["est"] is not None:
            half = 1.96 * math.sqrt(max(r["est"] * (1 - r["est"]), 0) / r["n"])
            r["lo"], r["hi"] = r["est"] - half, r["est"] + half
    path.write_text(json.dumps(report))
