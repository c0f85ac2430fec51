"""Style: whole columns in pandas; each word of a note is compared with its patient's own names by rapidfuzz."""

import json
import shutil
import tomllib
from collections import defaultdict

import pandas as pd

from fhir_release import RELEASED, release, vendor_map
from keyed import Keyed
from same_person import same_people
from known_people import Known
from register_risk import cells_to_blank
from table_release import first_encounters, release_tables
from text_release import TextRelease, table_rows

TABLES = ["patients", "contacts", "encounters", "conditions", "labs", "meds"]


def deidentify(in_dir, out_dir, key):
    """Read the packet in in_dir, write its de-identified copy to out_dir."""
    card = tomllib.loads((in_dir / "card.toml").read_text(encoding="utf-8"))
    tables = {name: read_table(in_dir / f"{name}.csv") for name in TABLES}
    zips = read_table(in_dir / "zip_population.csv")
    notes = read_lines(in_dir / "notes.jsonl")
    persons = read_lines(in_dir / "fhir" / "Patient.ndjson")
    hospitals = [o["name"] for o in read_lines(in_dir / "fhir" / "Organization.ndjson") if o.get("name")]

    # The laboratories know a patient by site and number: the same number at another site is another person.
    patients = tables["patients"]
    by_number = dict(zip(zip(patients["site"], patients["mrn"]), patients["patient_id"]))
    labs = tables["labs"]
    labs["patient_id"] = [by_number.get(pair, "?".join(pair)) for pair in zip(labs["site"], labs["mrn"])]

    same = same_people(patients)
    keyed = Keyed(key, card, same, first_encounters(tables["encounters"], same))
    known = Known.of(tables, same)
    known.rows = table_rows(patients, zips, card)
    text = TextRelease(known, keyed, card, zips, hospitals, [note["text"] for note in notes])
    blank = cells_to_blank(patients, zips, card)

    (out_dir / "fhir").mkdir(parents=True, exist_ok=True)
    (out_dir / "attachments").mkdir(exist_ok=True)
    for name, table in release_tables(tables, zips, card, keyed, text, blank).items():
        table.to_csv(out_dir / f"{name}.csv", index=False, lineterminator="\n")

    released = []
    for note in notes:
        pid = note["patient_id"]
        released.append(
            {
                "note_id": keyed.code("note", note["note_id"]),
                "patient_id": keyed.person(pid),
                "encounter_id": keyed.code("encounter", note["encounter_id"]),
                "written_at": keyed.moved(pid, note["written_at"]),
                "text": text.clean(pid, note["text"]),
            }
        )
    write_lines(out_dir / "notes.jsonl", released)

    owners = vendor_map(persons, by_number, patients)
    for name in RELEASED:
        resources = lines_of(in_dir / "fhir" / f"{name}.ndjson")
        released = (release(resource, owners, card, keyed, text, blank) for resource in resources)
        write_lines(out_dir / "fhir" / f"{name}.ndjson", released)
    for name in ("Organization", "Practitioner"):
        shutil.copyfile(in_dir / "fhir" / f"{name}.ndjson", out_dir / "fhir" / f"{name}.ndjson")

    documents = lines_of(in_dir / "fhir" / "DocumentReference.ndjson", '"title"')
    for pid, names in letters(documents, owners, same).items():
        for number, name in enumerate(sorted(names), 1):
            content = (in_dir / "attachments" / name).read_text(encoding="utf-8")
            target = out_dir / "attachments" / f"{keyed.person(pid)}-{number}.txt"
            target.write_text(text.clean(pid, content), encoding="utf-8")


def letters(documents, owners, same):
    """First chart of a person -> the file names of the person's letters."""
    found = defaultdict(set)
    for document in documents:
        vendor = document["subject"]["reference"].split("/")[1]
        for content in document.get("content", []):
            if title := content["attachment"].get("title"):
                found[same.get(owners[vendor], owners[vendor])].add(title)
    return found


def read_table(path):
    """Every column as text: record numbers and ZIP codes have leading zeros."""
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")


def lines_of(path, sign=""):
    """One line of JSON after the other; with `sign`, those that hold it."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip() and sign in line:
                yield json.loads(line)


def read_lines(path):
    return list(lines_of(path))


def write_lines(path, items):
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for item in items:
            file.write(json.dumps(item, ensure_ascii=False, separators=(",", ":")) + "\n")
