"""Leaves the dates of encounters and results as they are: "they are no names"."""

import pandas as pd
from base_solution import deidentify as good


def deidentify(in_dir, out_dir, key):
    good(in_dir, out_dir, key)
    for name, columns in [("encounters", ["start", "end"]), ("labs", ["taken_at"])]:
        table = pd.read_csv(out_dir / f"{name}.csv", dtype=str, keep_default_na=False)
        table[columns] = pd.read_csv(in_dir / f"{name}.csv", dtype=str, keep_default_na=False)[columns]
        table.to_csv(out_dir / f"{name}.csv", index=False)
