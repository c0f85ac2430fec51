"""Every finding has the card's material ratio as its size."""

import json
import tomllib

import base_solution as base


def evaluate(in_dir, out_dir):
    base.evaluate(in_dir, out_dir)
    path = out_dir / "report.json"
    report = json.loads(path.read_text())
    ratio = tomllib.loads((in_dir / "card.toml").read_text())["material"]["ratio"]
    for f in report["findings"]:
        f["size"] = ratio
    path.write_text(json.dumps(report))
