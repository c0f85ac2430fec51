"""A clean release, but every patient gets the next one's names and numbers."""

import pandas as pd
from base_solution import deidentify as good

COLUMNS = ["mrn", "ssn", "health_plan_id", "given", "middle", "family", "street", "phone", "email"]


def deidentify(in_dir, out_dir, key):
    good(in_dir, out_dir, key)
    table = pd.read_csv(out_dir / "patients.csv", dtype=str, keep_default_na=False)
    original = pd.read_csv(in_dir / "patients.csv", dtype=str, keep_default_na=False)
    for column in COLUMNS:
        table[column] = list(original[column][1:]) + list(original[column][:1])
    table.to_csv(out_dir / "patients.csv", index=False)
