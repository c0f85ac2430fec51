"""Names the problems and changes nothing about them."""

import json

import base_solution as base


def evaluate(in_dir, out_dir):
    base.evaluate(in_dir, out_dir)
    path = out_dir / "report.json"
    report = json.loads(path.read_text())
    report["mitigation"] = [{"type": "none", "group_by": [], "params": {}, "justification": "to be discussed"}]
    path.write_text(json.dumps(report))
