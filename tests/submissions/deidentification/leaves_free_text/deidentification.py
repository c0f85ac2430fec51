"""Forgets that comments and instructions are free text."""

import pandas as pd
from base_solution import deidentify as good


def deidentify(in_dir, out_dir, key):
    good(in_dir, out_dir, key)
    for name, column in [("labs", "comment"), ("meds", "sig")]:
        table = pd.read_csv(out_dir / f"{name}.csv", dtype=str, keep_default_na=False)
        table[column] = pd.read_csv(in_dir / f"{name}.csv", dtype=str, keep_default_na=False)[column]
        table.to_csv(out_dir / f"{name}.csv", index=False)
