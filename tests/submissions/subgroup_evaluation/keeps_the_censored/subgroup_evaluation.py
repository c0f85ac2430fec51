"""Counts every encounter; one whose outcome has not arrived is one without a readmission."""

import base_solution as base
import pandas as pd


def load(in_dir, card):
    table = pd.read_csv(in_dir / "scores.csv").merge(pd.read_csv(in_dir / "outcomes.csv"), on="encounter")
    table = table.merge(base.people(in_dir, card), on="patient", how="left")
    return table.sort_values("score", kind="stable").reset_index(drop=True)


base.load = load
evaluate = base.evaluate
