"""What the practice data hold, written down: the same findings, mitigation and threshold whatever comes in."""

import json

FINDINGS = [
    ({"race": "Black", "age": "65-79"}, "o_e", 1.84, "miscalibration"),
    ({"race": "missing"}, "o_e", 1.32, "miscalibration"),
    ({"language": "Spanish"}, "need_ratio", 1.52, "proxy_label"),
]


def evaluate(in_dir, out_dir):
    findings = [
        {"by": by, "metric": metric, "direction": "higher", "size": size, "tier": "act", "cause": cause}
        for by, metric, size, cause in FINDINGS
    ]
    steps = [
        {"type": "recalibrate", "group_by": list(by), "params": {"|".join(by.values()): {"intercept": 0.5, "slope": 1}}}
        for by, *_ in FINDINGS
    ]
    report = {
        "rows": [],
        "findings": findings,
        "threshold": {"value": 0.19, "chosen_on": "practice data"},
        "mitigation": steps,
        "safe_failure": {"trigger": "as in practice", "fallback": "as in practice"},
    }
    (out_dir / "report.json").write_text(json.dumps(report))
