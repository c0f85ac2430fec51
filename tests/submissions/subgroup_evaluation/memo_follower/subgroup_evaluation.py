"""Good work that trusts the memo: ids, race, follow-up, the young, the label, sites, the threshold, small cells."""

import json
import tomllib

import base_solution as base
import pandas as pd

people, find, read_csv = base.people, base.find, pd.read_csv


def as_written(path, **options):
    table = read_csv(path, **options)
    return table[table["patient"].str.match(r"P\d")] if path.name == "demographics.csv" else table


def load(in_dir, card):
    table = pd.read_csv(in_dir / "scores.csv").merge(pd.read_csv(in_dir / "outcomes.csv"), on="encounter")
    table = table.merge(people(in_dir, card | {"race_rule": "latest"}), on="patient", how="left")
    kept = (table["followup_days"] >= 30) | (table["readmit30"] == 1)
    kept &= table["race"] != "missing"
    return table[kept].sort_values("score", kind="stable").reset_index(drop=True)


base.pd.read_csv = as_written
base.load = load
base.find = lambda *given: [p for p in find(*given) if p["finding"]["metric"] != "need_ratio"]
base.why = lambda table, cell, keep: "miscalibration"
base.derivable = lambda rows, card: []


def evaluate(in_dir, out_dir):
    base.evaluate(in_dir, out_dir)
    path = out_dir / "report.json"
    report = json.loads(path.read_text())
    card = tomllib.loads((in_dir / "card.toml").read_text())
    report["threshold"] = {"value": card["threshold"], "chosen_on": "the pilot"}
    rows = [r for r in report["rows"] if r["metric"] == "sensitivity"]
    gap = next(r["est"] for r in rows if r["by"] == {"age": "18-44"}) - rows[0]["est"]
    finding = {"by": {"age": "18-44"}, "metric": "sensitivity", "direction": "lower", "size": gap}
    finding |= {"tier": "act", "cause": "miscalibration", "action": "lower threshold"}
    report["findings"].insert(0, finding)
    step = {"type": "threshold", "group_by": ["age"], "params": {"18-44": card["threshold"] / 2}}
    report["mitigation"].append(step | {"justification": "closes the largest gap"})
    path.write_text(json.dumps(report))
