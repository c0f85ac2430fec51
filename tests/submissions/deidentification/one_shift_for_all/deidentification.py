"""Every date of every patient moves by the same 30 days: one known date undoes all of them."""

import json

import pandas as pd
from base_solution import deidentify as good

DATES = {"encounters": ["start", "end"], "conditions": ["onset_date"], "labs": ["taken_at"], "meds": ["start_date"]}
ELEMENTS = {"Condition": "onsetDateTime", "Observation": "effectiveDateTime", "MedicationRequest": "authoredOn"}


def moved(text):
    return str(pd.Timestamp(text[:10]) + pd.Timedelta(days=30))[:10] + text[10:] if text else text


def deidentify(in_dir, out_dir, key):
    good(in_dir, out_dir, key)
    for name, columns in DATES.items():
        table = pd.read_csv(out_dir / f"{name}.csv", dtype=str, keep_default_na=False)
        original = pd.read_csv(in_dir / f"{name}.csv", dtype=str, keep_default_na=False)
        for column in columns:
            table[column] = original[column].map(moved)
        table.to_csv(out_dir / f"{name}.csv", index=False)
    for kind in ["Encounter", *ELEMENTS]:
        path = out_dir / "fhir" / f"{kind}.ndjson"
        cleaned = [json.loads(line) for line in path.read_text().splitlines()]
        originals = (json.loads(line) for line in (in_dir / "fhir" / f"{kind}.ndjson").read_text().splitlines())
        for resource, original in zip(cleaned, originals):
            if kind == "Encounter":
                resource["period"] = {end: moved(text) for end, text in original["period"].items()}
            else:
                resource[ELEMENTS[kind]] = moved(original[ELEMENTS[kind]])
        path.write_text("".join(json.dumps(r) + "\n" for r in cleaned))
