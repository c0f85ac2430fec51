"""Make a research copy of a hospital network's data: tables, FHIR resources and notes.

deid_policy   the card: codes for ids, the date rule, withheld columns
deid_people   who stands in the tables: names, numbers, addresses, contacts
deid_text     free text: finds identifiers and replaces each with its kind, as in [NAME]
deid_fhir     FHIR resources
"""

import json
import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent))

from deid_fhir import RELEASED, clean_resource  # noqa: E402
from deid_people import Directory  # noqa: E402
from deid_policy import Policy  # noqa: E402
from deid_text import Scrubber  # noqa: E402

TABLES = ["patients", "contacts", "encounters", "conditions", "labs", "meds"]
IDENTIFIERS = {
    "patients": ["mrn", "ssn", "health_plan_id", "given", "middle", "family", "street", "city", "county", "zip",
                 "phone", "email", "employer"],
    "contacts": ["given", "family", "phone", "email"],
}
IDS = ["contact_id", "encounter_id", "condition_id", "lab_id", "med_id", "note_id"]
DATES = ["start", "end", "onset_date", "taken_at", "start_date", "written_at"]
FREE_TEXT = ["comment", "sig", "text"]


def deidentify(in_dir, out_dir, key):
    policy = Policy.read(in_dir / "card.toml", key)
    tables = {name: read_table(in_dir / f"{name}.csv") for name in TABLES}
    notes = pd.DataFrame(read_lines(in_dir / "notes.jsonl"), dtype=object)
    organizations = read_lines(in_dir / "fhir" / "Organization.ndjson")
    directory = Directory(tables, [o.get("name", "") for o in organizations])
    scrubber = Scrubber(directory, policy, notes["text"].tolist() if len(notes) else [])

    out_dir.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        clean_table(name, table, policy, scrubber).to_csv(out_dir / f"{name}.csv", index=False, lineterminator="\n")
    write_lines(out_dir / "notes.jsonl", clean_table("notes", notes, policy, scrubber).to_dict("records"))

    (out_dir / "fhir").mkdir(exist_ok=True)
    for kind in RELEASED:
        resources = read_lines(in_dir / "fhir" / f"{kind}.ndjson")
        write_lines(out_dir / "fhir" / f"{kind}.ndjson", [clean_resource(r, policy, scrubber) for r in resources])


def clean_table(name, table, policy, scrubber):
    """A copy of the table that names nobody."""
    clean = table.copy()
    if not len(table):
        return clean
    patients = table["patient_id"]
    for column in table.columns:
        if column in IDENTIFIERS.get(name, []) or column in policy.withheld(name):
            clean[column] = ""
        elif column == "patient_id":
            clean[column] = patients.map(policy.patient_code)
        elif column in IDS:
            clean[column] = table[column].map(policy.id_code)
        elif column == "birth_date":
            clean[column] = table[column].map(policy.birth_year)
        elif column in DATES:
            clean[column] = [policy.date(text, pid) for text, pid in zip(table[column], patients)]
        elif column in FREE_TEXT:
            clean[column] = [scrubber.scrub(text, pid) for text, pid in zip(table[column], patients)]
    return clean


def read_table(path):
    return pd.read_csv(path, dtype=str, keep_default_na=False, na_filter=False, encoding="utf-8")


def read_lines(path):
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


def write_lines(path, items):
    path.write_text("".join(json.dumps(i, ensure_ascii=False) + "\n" for i in items), encoding="utf-8")
