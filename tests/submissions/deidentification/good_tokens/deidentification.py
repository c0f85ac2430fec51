"""Make a research copy of a hospital network's data: tables, FHIR resources, notes and letters.

Style: free text is cut into tokens, and a table of short rules over tokens (a small state machine) marks what goes.

deid_policy    the card: codes, dates, ages, ZIP areas, withheld columns
deid_people    who is who in tables, laboratory feed and FHIR; per patient the identifiers to look for
deid_register  which cells to blank so that the public register singles nobody out
deid_tokens    text as tokens with tags: shapes, word classes, the word itself
deid_words     the word classes
deid_rules     the tables of rules over tokens
deid_machine   the pattern language of the rules, and the walk that matches them
deid_scrub     free text: marks tokens and replaces marked ones by their kind, as in [NAME]
deid_fhir      FHIR resources, built from what is allowed
"""

import csv
import json
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from deid_fhir import RELEASED, FhirCleaner  # noqa: E402
from deid_people import Directory  # noqa: E402
from deid_policy import Policy  # noqa: E402
from deid_register import cells_to_blank  # noqa: E402
from deid_scrub import Scrubber  # noqa: E402

TABLES = ["patients", "contacts", "encounters", "conditions", "labs", "meds"]
PUBLIC = ["Organization", "Practitioner"]  # name no patient
IDENTIFIERS = {
    "patients": ["mrn", "ssn", "health_plan_id", "given", "middle", "family", "street", "city", "county", "phone",
                 "email", "employer"],
    "contacts": ["given", "family", "phone", "email"],
}
IDS = ["contact_id", "encounter_id", "condition_id", "lab_id", "med_id", "note_id"]
DATES = ["start", "end", "onset_date", "taken_at", "start_date", "written_at"]
FREE_TEXT = ["comment", "sig", "text"]


def deidentify(in_dir, out_dir, key):
    tables = {name: read_csv(in_dir / f"{name}.csv") for name in TABLES}
    notes = read_lines(in_dir / "notes.jsonl")
    letters = {path.name: path.read_text(encoding="utf-8") for path in sorted((in_dir / "attachments").glob("*.txt"))}

    def fhir(kind):
        return read_lines(in_dir / "fhir" / f"{kind}.ndjson")

    directory = Directory(tables, fhir("Patient"), [o.get("name", "") for o in fhir("Organization")])
    policy = Policy.read(in_dir, key, tables["patients"], tables["encounters"])
    blank = cells_to_blank(tables["patients"], policy)
    scrubber = Scrubber(directory, policy, [note["text"] for note in notes])

    def clean_row(name, row):
        return clean(name, row, directory, policy, scrubber, blank)

    for name, rows in tables.items():
        write_csv(out_dir / f"{name}.csv", [clean_row(name, row) for row in rows], list(rows[0]) if rows else [])
    write_lines(out_dir / "notes.jsonl", [clean_row("notes", note) for note in notes])

    cleaner = FhirCleaner(directory, policy, scrubber, blank)
    for kind in RELEASED:
        write_lines(out_dir / "fhir" / f"{kind}.ndjson", [cleaner.resource(r) for r in fhir(kind)])
    for kind in PUBLIC:
        shutil.copyfile(in_dir / "fhir" / f"{kind}.ndjson", out_dir / "fhir" / f"{kind}.ndjson")

    of_code = {}
    for patient_id, names in directory.letters(fhir("DocumentReference")).items():
        of_code.setdefault(policy.patient_code(patient_id), []).extend((name, patient_id) for name in names)
    for code, named in of_code.items():
        for number, (name, patient_id) in enumerate(sorted(named), 1):
            write_text(out_dir / "attachments" / f"{code}-{number}.txt", scrubber.scrub(letters.pop(name), patient_id))
    if letters:
        raise ValueError(f"{len(letters)} letters belong to nobody")  # whose names to remove is not known


def clean(name, row, directory, policy, scrubber, blank):
    """A copy of a row of a table, or of a note, that names nobody."""
    patient_id = directory.patient_of(name, row)
    out = {}
    for column, value in row.items():
        if column == ("mrn" if name == "labs" else "patient_id"):
            value = policy.patient_code(patient_id)
        elif column in IDENTIFIERS.get(name, []) or column in policy.withheld(name):
            value = ""
        elif name == "patients" and column in blank[patient_id]:
            value = ""
        elif column in IDS:
            value = policy.id_code(column, value)
        elif column == "birth_date":
            value = policy.birth_year(value)
        elif column == "zip":
            value = policy.zip3(value)
        elif column in DATES:
            value = policy.date(value, patient_id)
        elif column in FREE_TEXT:
            value = scrubber.scrub(value, patient_id)
        out[column] = value
    return out


# ---- files ---------------------------------------------------------------------------------------


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_csv(path, rows, columns):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_lines(path):
    # Not splitlines(): it also splits at characters that may stand inside a text.
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


def write_lines(path, items):
    write_text(path, "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items))


def write_text(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
