"""Besides what else is done, gives patients below 45 half the threshold of the others."""

import json

import base_solution as base


def evaluate(in_dir, out_dir):
    base.evaluate(in_dir, out_dir)
    path = out_dir / "report.json"
    report = json.loads(path.read_text())
    line = report["threshold"]["value"] / 2
    step = {"type": "threshold", "group_by": ["age"], "params": {"18-44": line}}
    report["mitigation"].append(step | {"justification": "their sensitivity is low"})
    path.write_text(json.dumps(report))
