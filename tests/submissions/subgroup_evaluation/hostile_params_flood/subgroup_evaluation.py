"""As much as a report may hold: 20,000 rows, 2,000 findings, and mitigations for groups that do not exist, each of which
makes the grader look for its patients."""

import json

COUNT = 15_000  # 0.2 MB; there is room for a hundred times as many


def evaluate(in_dir, out_dir):
    axes = ["age", "sex", "race", "language", "payer", "site"]
    params = {f"|||||{number:x}": 0 for number in range(COUNT)}
    cells = [{"age": "18-44", "sex": sex, "race": race, "site": site} for sex in ("female", "male") for race in ("White", "Asian") for site in "ABC"]
    finding = {"metric": "o_e", "direction": "lower", "size": 0.5, "tier": "act", "cause": "case_mix"}
    report = {
        "rows": [{"by": {}, "metric": "o_e", "n": "9" * 100_000, "est": 1e308, "lo": -1e308, "hi": 1e308}] * 20_000,
        "findings": [{"by": cell, **finding} for cell in cells * 166],
        "threshold": {"value": 0.2},
        "mitigation": [{"type": "recalibrate", "group_by": axes, "params": params}] * 2,
    }
    report["rows"] = [row | {"n": None} for row in report["rows"][1:]] + report["rows"][:1]
    (out_dir / "report.json").write_text(json.dumps(report))
