"""What fairlearn's MetricFrame shows by race, sex and age; gaps of 0.1 to everybody are flagged."""

import json
import tomllib

from base_solution import load
from fairlearn.metrics import MetricFrame, count, true_negative_rate, true_positive_rate
from sklearn.metrics import average_precision_score, brier_score_loss, precision_score, roc_auc_score

OF_SCORES = {"auroc": roc_auc_score, "auprc": average_precision_score, "brier": brier_score_loss}
OF_FLAGS = {"n": count, "sensitivity": true_positive_rate, "specificity": true_negative_rate, "ppv": precision_score}


def evaluate(in_dir, out_dir):
    card = tomllib.loads((in_dir / "card.toml").read_text())
    table = load(in_dir, card)
    flags = (table["score"] >= card["threshold"]).astype(int)
    rows, findings = [], []
    for axis in ("race", "sex", "age"):
        for metrics, given in ((OF_FLAGS, flags), (OF_SCORES, table["score"])):
            frame = MetricFrame(metrics=metrics, y_true=table["readmit30"], y_pred=given, sensitive_features=table[axis])
            for level, values in frame.by_group.iterrows():
                n = int(values["n"]) if "n" in values else rows_n(rows, axis, level)
                for metric, value in values.drop("n", errors="ignore").items():
                    if value != value:
                        continue
                    row = {"by": {axis: level}, "metric": metric, "n": n, "est": value}
                    rows.append(row | {"lo": None, "hi": None, "suppressed": False})
                    gap = value - frame.overall[metric]
                    if abs(gap) >= 0.1:
                        direction = "higher" if gap > 0 else "lower"
                        found = {"by": {axis: level}, "metric": metric, "direction": direction, "size": gap}
                        findings.append(found | {"tier": "act", "cause": "miscalibration", "action": "retrain"})
    report = {"rows": rows, "findings": findings, "threshold": {"value": card["threshold"], "chosen_on": "the card"}}
    report["mitigation"] = [{"type": "none", "group_by": [], "params": {}, "justification": ""}]
    (out_dir / "report.json").write_text(json.dumps(report))


def rows_n(rows, axis, level):
    return next(r["n"] for r in rows if r["by"] == {axis: level})
