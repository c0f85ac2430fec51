"""Rounds every result to a whole number: "exact values single people out"."""

import pandas as pd
from base_solution import deidentify as good


def deidentify(in_dir, out_dir, key):
    good(in_dir, out_dir, key)
    table = pd.read_csv(out_dir / "labs.csv", dtype=str, keep_default_na=False)
    table["value"] = pd.to_numeric(table["value"], errors="coerce").round().astype("Int64").astype(str)
    table.to_csv(out_dir / "labs.csv", index=False)
