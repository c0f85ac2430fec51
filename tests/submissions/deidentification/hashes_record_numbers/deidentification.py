"""Codes are an unkeyed SHA-256 of site and record number, which anyone can compute for all record numbers."""

import hashlib
import re

import pandas as pd
from base_solution import deidentify as good


def deidentify(in_dir, out_dir, key):
    good(in_dir, out_dir, key)
    people = pd.read_csv(in_dir / "patients.csv", dtype=str, keep_default_na=False)
    codes = pd.read_csv(out_dir / "patients.csv", dtype=str, keep_default_na=False)["patient_id"]
    numbers = people["site"] + people["mrn"]
    rename = {c: "p" + hashlib.sha256(n.encode()).hexdigest()[:16] for c, n in zip(codes, numbers)}
    for path in [*out_dir.glob("*.csv"), out_dir / "notes.jsonl", *out_dir.glob("fhir/*.ndjson")]:
        words = re.compile(r"[\w.~+-]+")
        path.write_text(words.sub(lambda m: rename.get(m.group(), m.group()), path.read_text()))
    for path in list((out_dir / "attachments").iterdir()):
        code, number = path.stem.rsplit("-", 1)
        path.rename(path.with_name(f"{rename[code]}-{number}.txt"))
