"""Gives the year of birth of everybody, also of those who are 90 and more."""

import json

import pandas as pd
from base_solution import deidentify as good


def deidentify(in_dir, out_dir, key):
    good(in_dir, out_dir, key)
    table = pd.read_csv(out_dir / "patients.csv", dtype=str, keep_default_na=False)
    born = pd.read_csv(in_dir / "patients.csv", dtype=str, keep_default_na=False)["birth_date"]
    table["birth_date"] = table["birth_date"].where(table["birth_date"] != "90+", born.str[:4])
    table.to_csv(out_dir / "patients.csv", index=False)
