"""Numbers that no float holds, and things that are no numbers, wherever a report may have one."""

import json

HUGE = 10**400


def evaluate(in_dir, out_dir):
    odd = [1e308, -1e308, 5e-324, HUGE, True, "1e400", [[[]]], {"": None}]
    rows = [
        {"by": by, "metric": "o_e", "n": n, "est": n, "lo": -1e308, "hi": 1e308}
        for by in ({}, {"race": "NHPI"}, {"race": ["NHPI"]}, {"race": {"NHPI": 1}}, ["race"], None)
        for n in odd
    ]
    findings = [
        {"by": {"race": "Black"}, "metric": m, "direction": "higher", "size": n, "tier": "act", "cause": "case_mix"}
        for n in odd
        for m in ("o_e", ["o_e"], {})
    ]
    steps = [{"type": "recalibrate", "group_by": "race", "params": {"Black": {"intercept": n, "slope": n}}} for n in odd]
    report = {"rows": rows, "findings": findings, "threshold": {"value": HUGE}, "mitigation": steps}
    (out_dir / "report.json").write_text(json.dumps(report))
