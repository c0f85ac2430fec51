"""Reports auroc of every cell and flags where it is 0.03 below everybody's."""

import json
import tomllib

import base_solution as base


def evaluate(in_dir, out_dir):
    base.evaluate(in_dir, out_dir)
    path = out_dir / "report.json"
    report = json.loads(path.read_text())
    report["rows"] = rows = [r for r in report["rows"] if r["metric"] == "auroc"]
    whole = rows[0]["est"]
    report["findings"] = [
        {"by": r["by"], "metric": "auroc", "direction": "lower", "size": r["est"] - whole}
    | {"tier": "act", "cause": "miscalibration"}
        for r in rows
        if r["est"] is not None and r["est"] < whole - 0.03
    ]
    report["threshold"] = {"value": tomllib.loads((in_dir / "card.toml").read_text())["threshold"], "chosen_on": "the card"}
    report["mitigation"] = [{"type": "none", "group_by": [], "params": {}, "justification": ""}]
    path.write_text(json.dumps(report))
