"""Empties the obvious columns, numbers the patients, and runs a few regular expressions over the notes."""

import json
import re

import pandas as pd

DROP = ["mrn", "ssn", "given", "middle", "family", "street", "city", "county", "zip", "phone", "email", "health_plan_id"]
PATTERNS = [
    (r"\b\d{3}-\d{2}-\d{4}\b", "[SSN]"),
    (r"\(?\b\d{3}\)?[-. ]\d{3}[-. ]\d{4}\b", "[PHONE]"),
    (r"\b[\w.+-]+@[\w-]+\.\w+\b", "[EMAIL]"),
    (r"\b\d{1,2}/\d{1,2}/\d{2,4}\b", "[DATE]"),
    (r"\b\d{4}-\d{2}-\d{2}\b", "[DATE]"),
    (r"\b(?:Mr|Mrs|Ms|Dr)\.? [A-Z][a-z]+\b", "[NAME]"),
    (r"\b\d{7,10}\b", "[ID]"),
]
DATES = ["birth_date", "start", "end", "onset_date", "taken_at", "start_date"]


def deidentify(in_dir, out_dir, key):
    codes = {}

    def code(patient):
        return codes.setdefault(patient, f"P{len(codes) + 1}")

    for name in ["patients", "contacts", "encounters", "conditions", "labs", "meds"]:
        table = pd.read_csv(in_dir / f"{name}.csv", dtype=str, keep_default_na=False)
        table["mrn" if name == "labs" else "patient_id"] = table["mrn" if name == "labs" else "patient_id"].map(code)
        for column in table.columns:
            if (name, column) == ("labs", "mrn"):
                continue
            if column in DROP or (column.endswith("_id") and column != "patient_id"):
                table[column] = ""
            elif column in DATES:
                table[column] = table[column].str[:4]  # whatever the card says
        table.to_csv(out_dir / f"{name}.csv", index=False)
    with open(out_dir / "notes.jsonl", "w") as out:
        for line in open(in_dir / "notes.jsonl"):
            note = json.loads(line)
            for pattern, tag in PATTERNS:
                note["text"] = re.sub(pattern, tag, note["text"])
            note["patient_id"] = code(note["patient_id"])
            out.write(json.dumps(note) + "\n")
    (out_dir / "fhir").mkdir()
    for kind in ["Patient", "Encounter", "Condition", "Observation", "MedicationRequest"]:
        with open(out_dir / f"fhir/{kind}.ndjson", "w") as out:
            for line in open(in_dir / f"fhir/{kind}.ndjson"):
                resource = json.loads(line)
                for element in ["name", "telecom", "address", "identifier"]:
                    resource.pop(element, None)
                resource["id"] = code(resource["id"])
                if "subject" in resource:  # the display keeps the name
                    resource["subject"]["reference"] = "Patient/" + code(resource["subject"]["reference"].split("/")[1])
                out.write(json.dumps(resource) + "\n")
