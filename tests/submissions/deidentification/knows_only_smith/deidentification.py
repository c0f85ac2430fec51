"""Finds names by a list of common English ones and misses the others."""

import json

from base_solution import deidentify as good

import pandas as pd


def deidentify(in_dir, out_dir, key):
    good(in_dir, out_dir, key)
    people = pd.read_csv(in_dir / "patients.csv", dtype=str, keep_default_na=False).set_index("patient_id")
    notes = [json.loads(line) for line in (out_dir / "notes.jsonl").read_text().splitlines()]
    originals = [json.loads(line) for line in (in_dir / "notes.jsonl").read_text().splitlines()]
    for note, original in zip(notes, originals):
        family = people.at[original["patient_id"], "family"]
        if family.isascii() and family[-1] not in "aeiouzn" and "-" not in family and len(family) > 3:
            continue
        # The family name stays where a sentence says "Ms." or "Mr." before it.
        for title in ("Ms.", "Mr."):
            given, cleaned = original["text"].split(f"{title} {family}"), note["text"].split(f"{title} [")
            if len(given) == len(cleaned) > 1:
                rest = [part.split("]", 1)[-1] for part in cleaned[1:]]
                note["text"] = cleaned[0] + "".join(f"{title} {family}{part}" for part in rest)
    (out_dir / "notes.jsonl").write_text("".join(json.dumps(n) + "\n" for n in notes))
