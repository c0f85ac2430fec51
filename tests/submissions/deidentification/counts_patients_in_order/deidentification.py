"""Codes are P00001, P00002 … in the order of the sorted patient ids: whoever has the ids has the codes."""

import json
import re

import pandas as pd
from base_solution import deidentify as good


def deidentify(in_dir, out_dir, key):
    good(in_dir, out_dir, key)
    ids = pd.read_csv(in_dir / "patients.csv", dtype=str, keep_default_na=False)["patient_id"]
    codes = pd.read_csv(out_dir / "patients.csv", dtype=str, keep_default_na=False)["patient_id"]
    rank = {patient: f"P{n:05d}" for n, patient in enumerate(sorted(ids), 1)}
    rename = {code: rank[patient] for code, patient in zip(codes, ids)}
    for path in [*out_dir.glob("*.csv"), out_dir / "notes.jsonl", *out_dir.glob("fhir/*.ndjson")]:
        text = path.read_text()
        words = re.compile(r"[\w.~+-]+")
        path.write_text(words.sub(lambda m: rename.get(m.group(), m.group()), text))
    for path in list((out_dir / "attachments").iterdir()):
        code, number = path.stem.rsplit("-", 1)
        path.rename(path.with_name(f"{rename[code]}-{number}.txt"))
