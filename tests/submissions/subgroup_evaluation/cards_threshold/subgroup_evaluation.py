"""Keeps the card's threshold: it was the best on the pilot."""

import json
import tomllib

import base_solution as base


def evaluate(in_dir, out_dir):
    base.evaluate(in_dir, out_dir)
    path = out_dir / "report.json"
    report = json.loads(path.read_text())
    value = tomllib.loads((in_dir / "card.toml").read_text())["threshold"]
    report["threshold"] = {"value": value, "chosen_on": "the pilot"}
    path.write_text(json.dumps(report))
