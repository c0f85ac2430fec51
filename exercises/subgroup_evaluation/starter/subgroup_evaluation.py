"""Starter: reads every file and writes a report; the decisions are yours. As shipped it says next to nothing."""

import json
import tomllib

import pandas as pd
from sklearn.metrics import roc_auc_score


def evaluate(in_dir, out_dir):
    card = tomllib.loads((in_dir / "card.toml").read_text(encoding="utf-8"))
    table = load(in_dir, card)
    report = {
        "rows": rows(table, card),
        "findings": findings(table, card),
        "threshold": {"value": card["threshold"], "chosen_on": "taken from the card"},
        "mitigation": [{"type": "none", "group_by": [], "params": {}, "justification": ""}],
        "safe_failure": {"trigger": "", "fallback": ""},
    }
    (out_dir / "report.json").write_text(json.dumps(report), encoding="utf-8")


def load(in_dir, card):
    """One row per encounter. `demographics` is not joined yet, and no encounter is left out."""
    scores = pd.read_csv(in_dir / "scores.csv", parse_dates=["index_date"])
    outcomes = pd.read_csv(in_dir / "outcomes.csv")
    demographics = pd.read_csv(in_dir / "demographics.csv", dtype=str, keep_default_na=False)
    print(f"{len(demographics)} records of who the patients are, not used yet")
    return scores.merge(outcomes, on="encounter", validate="one_to_one")


# ---- your decisions ----------------------------------------------------------------------------


def rows(table, card):
    """One row per cell and metric."""
    found = []
    for site in card["levels"]["site"]:
        part = table[table["site"] == site]
        found.append(row({"site": site}, "auroc", part, roc_auc_score(part["readmit30"], part["score"])))
    return found


def row(by, metric, part, est, lo=None, hi=None):
    return {"by": by, "metric": metric, "n": len(part), "est": est, "lo": lo, "hi": hi, "suppressed": False}


def findings(table, card):
    """What somebody must act on, and what is worth watching."""
    return []
