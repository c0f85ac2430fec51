import tomllib

import pandas as pd


def body_mass_index(in_dir, out_dir, factor):
    word = tomllib.loads((in_dir / "card.toml").read_text())["implausible"]
    table = pd.read_csv(in_dir / "patients.csv", dtype={"patient_id": str})
    bmi = (table["kg"] / (table["cm"] / 100) ** 2 * factor).round(4)
    table["bmi"] = bmi.astype(str).where(table["cm"] > 0, word)
    table[["patient_id", "bmi"]].to_csv(out_dir / "bmi.csv", index=False)
    return len(table)
