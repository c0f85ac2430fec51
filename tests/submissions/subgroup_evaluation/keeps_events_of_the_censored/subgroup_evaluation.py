"""Keeps encounters that were not followed for 30 days if the event was seen: "an event is an event"."""

import base_solution as base
import pandas as pd


def load(in_dir, card):
    table = pd.read_csv(in_dir / "scores.csv").merge(pd.read_csv(in_dir / "outcomes.csv"), on="encounter")
    table = table.merge(base.people(in_dir, card), on="patient", how="left")
    kept = (table["followup_days"] >= 30) | (table["readmit30"] == 1)
    return table[kept].sort_values("score", kind="stable").reset_index(drop=True)


base.load = load
evaluate = base.evaluate
