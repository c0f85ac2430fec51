"""Starter: reads and writes every file; the decisions are yours. As shipped it protects almost nobody."""

import csv
import json
import tomllib
from collections import defaultdict

from dateutil import parser as dates

TABLES = ["patients", "contacts", "encounters", "conditions", "labs", "meds"]
RELEASED = ["Patient", "Encounter", "Condition", "Observation", "MedicationRequest"]


def deidentify(in_dir, out_dir, key):
    card = tomllib.loads((in_dir / "card.toml").read_text(encoding="utf-8"))
    people = people_by_patient(in_dir)
    for name in TABLES:
        columns, rows = read_csv(in_dir / f"{name}.csv")
        write_csv(out_dir / f"{name}.csv", columns, [clean_row(name, row, card, key) for row in rows])
    for note in (notes := read_lines(in_dir / "notes.jsonl")):
        note["text"] = clean_text(note["text"], people[note["patient_id"]], card)
    write_lines(out_dir / "notes.jsonl", notes)
    for kind in RELEASED:
        resources = read_lines(in_dir / "fhir" / f"{kind}.ndjson")
        write_lines(out_dir / "fhir" / f"{kind}.ndjson", [clean_resource(r, card, key) for r in resources])
    for vendor_id, names in letters_by_patient(in_dir).items():
        for number, name in enumerate(names, 1):
            text = (in_dir / "attachments" / name).read_text(encoding="utf-8")
            write_text(out_dir / "attachments" / f"{vendor_id}-{number}.txt", clean_text(text, [], card))


# ---- your decisions ----------------------------------------------------------------------------


def clean_row(table, row, card, key):
    """One row of a table, as a dict of texts."""
    if table == "patients":
        row["ssn"] = ""
    return row


def clean_text(text, people, card):
    """The text of one note or letter. people: the rows of `patients` and `contacts` that belong to its patient."""
    return text


def clean_resource(resource, card, key):
    """One FHIR resource, as parsed JSON."""
    return resource


# ---- plumbing ----------------------------------------------------------------------------------


def each_text(value, change):
    """The same JSON value with every text in it replaced by change(text)."""
    if isinstance(value, dict):
        return {name: each_text(part, change) for name, part in value.items()}
    if isinstance(value, list):
        return [each_text(part, change) for part in value]
    return change(value) if isinstance(value, str) else value


def parse_date(text):
    """A datetime for a date in most usual forms, or None."""
    try:
        return dates.parse(text)
    except (ValueError, OverflowError):
        return None


def people_by_patient(in_dir):
    """patient_id -> the patient's row and the rows of the patient's contacts."""
    people = {}
    for name in ["patients", "contacts"]:
        for row in read_csv(in_dir / f"{name}.csv")[1]:
            people.setdefault(row["patient_id"], []).append(row)
    return people


def identifiers_in_fhir(in_dir):
    """The vendor's Patient.id -> {system: value} of its identifiers. A record number's system ends with the site."""
    return {
        patient["id"]: {i["system"]: i["value"] for i in patient["identifier"]}
        for patient in read_lines(in_dir / "fhir" / "Patient.ndjson")
    }


def letters_by_patient(in_dir):
    """The vendor's Patient.id -> the names of the patient's attachments, sorted."""
    names = defaultdict(list)
    for document in read_lines(in_dir / "fhir" / "DocumentReference.ndjson"):
        if title := document["content"][0]["attachment"].get("title"):
            names[document["subject"]["reference"].split("/")[1]].append(title)
    return {vendor_id: sorted(titles) for vendor_id, titles in names.items()}


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
        return reader.fieldnames, rows


def write_csv(path, columns, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write_lines(path, items):
    write_text(path, "".join(json.dumps(i, ensure_ascii=False) + "\n" for i in items))


def write_text(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
