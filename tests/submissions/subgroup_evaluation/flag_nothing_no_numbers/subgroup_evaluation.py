"""All well: no rows, no findings, the threshold that fills the budget."""

import json
import tomllib

import pandas as pd


def evaluate(in_dir, out_dir):
    card = tomllib.loads((in_dir / "card.toml").read_text())
    line = float(pd.read_csv(in_dir / "scores.csv")["score"].quantile(1 - card["alert_budget"]))
    report = {"rows": [], "findings": [], "threshold": {"value": line, "chosen_on": "all"}}
    report["mitigation"] = [{"type": "none", "group_by": [], "params": {}, "justification": "nothing found"}]
    report["safe_failure"] = {"trigger": "complaints", "fallback": "no model"}
    (out_dir / "report.json").write_text(json.dumps(report))
