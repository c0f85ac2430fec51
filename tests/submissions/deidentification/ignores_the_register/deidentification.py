"""Follows the memo: all demography that the rules allow goes out, "there is nothing to join on"."""

import pandas as pd
from base_solution import deidentify as good


def deidentify(in_dir, out_dir, key):
    good(in_dir, out_dir, key)
    table = pd.read_csv(out_dir / "patients.csv", dtype=str, keep_default_na=False)
    original = pd.read_csv(in_dir / "patients.csv", dtype=str, keep_default_na=False)
    table[["race", "language"]] = original[["race", "language"]]
    areas = pd.read_csv(in_dir / "zip_population.csv", dtype={"zip": str})
    people = areas.groupby(areas["zip"].str[:3])["population"].sum()
    area = original["zip"].str[:3]
    table["zip"] = area.where(area.map(people) > 20_000, "000")
    years = original["birth_date"].str[:4]
    table["birth_date"] = years.where(original["birth_date"] > "1936-01-01", "90+")
    table.to_csv(out_dir / "patients.csv", index=False)
