"""Follows the memo: the seventeen ZIP areas of the 2000 census instead of the table that comes with the data."""

import pandas as pd
from base_solution import deidentify as good

SMALL = "036 059 063 102 203 556 692 790 821 823 830 831 878 879 884 890 893".split()


def deidentify(in_dir, out_dir, key):
    good(in_dir, out_dir, key)
    table = pd.read_csv(out_dir / "patients.csv", dtype=str, keep_default_na=False)
    area = pd.read_csv(in_dir / "patients.csv", dtype=str, keep_default_na=False)["zip"].str[:3]
    table["zip"] = area.where(~area.isin(SMALL), "000")
    table.to_csv(out_dir / "patients.csv", index=False)
