"""De-identified copy of the charts. Tables and FHIR are rebuilt from what may stay; free text goes through deid.notes."""

import csv
import json
import shutil
import tomllib

from deid.notes import Engine
from deid.people import Network, words
from deid.release import Release, read_date

TABLES = ["patients", "contacts", "encounters", "conditions", "labs", "meds"]
RELEASED = ["Patient", "Encounter", "Condition", "Observation", "MedicationRequest"]
IDENTIFYING = {
    "patients": {"mrn", "ssn", "health_plan_id", "given", "middle", "family", "street", "city", "county", "zip", "phone", "email", "employer"},
    "contacts": {"given", "middle", "family", "phone", "email", "street", "city", "county", "zip", "employer"},
}
CODED = {"contact_id": "K", "encounter_id": "E", "condition_id": "C", "lab_id": "L", "med_id": "M", "note_id": "N"}
DATES = {"start", "end", "onset_date", "taken_at", "start_date", "written_at", "abatement_date", "end_date"}
FREE = {"comment", "sig", "reason"}
KEPT_AS_IS = {"site", "sex", "race", "ethnicity", "language", "state", "insurance", "relationship", "class", "provider_given", "provider_family", "code", "display",
              "clinical_status", "category", "loinc", "name", "value", "unit", "ref_low", "ref_high", "interpretation", "rxnorm"}
# a withheld column, and where FHIR says the same
WITHHELD_IN_FHIR = {
    ("patients", "race"): ("Patient", "us-core-race"), ("patients", "ethnicity"): ("Patient", "us-core-ethnicity"), ("patients", "language"): ("Patient", "communication"),
    ("patients", "sex"): ("Patient", "gender"), ("patients", "state"): ("Patient", "address"), ("patients", "birth_date"): ("Patient", "birthDate"),
    ("patients", "site"): ("Patient", "managingOrganization"),
    ("encounters", "site"): ("Encounter", "serviceProvider"), ("encounters", "class"): ("Encounter", "class type"), ("encounters", "start"): ("Encounter", "period"),
    ("encounters", "reason"): ("Encounter", "reasonCode"), ("encounters", "provider_given"): ("Encounter", "participant"), ("encounters", "provider_family"): ("Encounter", "participant"),
    ("conditions", "onset_date"): ("Condition", "onsetDateTime"), ("conditions", "clinical_status"): ("Condition", "clinicalStatus"),
    ("labs", "comment"): ("Observation", "note"), ("labs", "interpretation"): ("Observation", "interpretation"), ("labs", "ref_low"): ("Observation", "referenceRange"),
    ("labs", "ref_high"): ("Observation", "referenceRange"), ("labs", "taken_at"): ("Observation", "effectiveDateTime"), ("labs", "value"): ("Observation", "valueQuantity"),
    ("labs", "category"): ("Observation", "category"),
    ("meds", "sig"): ("MedicationRequest", "dosageInstruction"), ("meds", "start_date"): ("MedicationRequest", "authoredOn"),
}
DROPPED = {"identifier", "name", "telecom", "photo", "contact", "text", "contained", "link", "meta", "implicitRules", "maidenName", "partOf", "basedOn", "performer", "asserter", "recorder"}


def deidentify(in_dir, out_dir, key):
    card = tomllib.loads((in_dir / "card.toml").read_text(encoding="utf-8"))
    release, network = Release(card), survey(in_dir)
    engine = Engine(network, card)
    (out_dir / "fhir").mkdir(parents=True, exist_ok=True)
    for table in TABLES:
        copy_table(table, in_dir / f"{table}.csv", out_dir / f"{table}.csv", release, network, engine)
    with (out_dir / "notes.jsonl").open("w", encoding="utf-8") as out:
        for note in each_line(in_dir / "notes.jsonl"):
            out.write(dump(clean_note(note, release, network, engine)))
    for kind in RELEASED:
        source = in_dir / "fhir" / f"{kind}.ndjson"
        if source.exists():
            with (out_dir / "fhir" / source.name).open("w", encoding="utf-8") as out:
                for resource in each_line(source):
                    out.write(dump(clean_resource(resource, release, network, engine)))
    for kind in ("Organization", "Practitioner"):
        source = in_dir / "fhir" / f"{kind}.ndjson"
        if source.exists():
            shutil.copyfile(source, out_dir / "fhir" / source.name)


def survey(in_dir):
    """First pass: who is known, and how words are used."""
    network = Network()
    for row in each_row(in_dir / "patients.csv"):
        network.patient(row)
    for row in each_row(in_dir / "contacts.csv"):
        network.contact(row)
    for table, column in (("conditions", "display"), ("meds", "name"), ("labs", "name")):
        seen = set()
        for row in each_row(in_dir / f"{table}.csv"):
            if row.get(column) not in seen:
                seen.add(row.get(column))
                network.clinical.update(words(row.get(column) or ""))
    source = in_dir / "fhir" / "Organization.ndjson"
    if source.exists():
        network.hospitals.update(r.get("name", "") for r in each_line(source))
    for note in each_line(in_dir / "notes.jsonl"):
        network.read(note.get("text") or "", network.people.get(note.get("patient_id")))
    network.settle()
    return network


def copy_table(table, source, target, release, network, engine):
    with source.open(newline="", encoding="utf-8") as file, target.open("w", newline="", encoding="utf-8") as out:
        reader = csv.DictReader(file)
        writer = csv.DictWriter(out, fieldnames=reader.fieldnames, lineterminator="\n")
        writer.writeheader()
        for row in reader:
            writer.writerow(clean_row(table, row, release, network, engine))


def clean_row(table, row, release, network, engine):
    patient = row.get("patient_id", "")
    person = network.people.get(patient)
    hidden = release.withheld.get(table, set())
    new = {}
    for column, value in row.items():
        if column == "patient_id":
            new[column] = release.code("P", value)
        elif column in hidden or column in IDENTIFYING.get(table, ()) or not value:
            new[column] = ""
        elif column in CODED:
            new[column] = release.code(CODED[column], value)
        elif column == "birth_date":
            new[column] = release.birth(value)
        elif column in DATES or (column not in KEPT_AS_IS | FREE and read_date(value)[0]):
            new[column] = release.when(value, patient)
        elif column in KEPT_AS_IS:
            new[column] = value
        else:
            new[column] = engine.clean(value, person)
    return new


def clean_note(note, release, network, engine):
    patient = note.get("patient_id", "")
    new = {}
    for field, value in note.items():
        if field == "patient_id":
            new[field] = release.code("P", value)
        elif field in CODED:
            new[field] = release.code(CODED[field], value)
        elif field in DATES:
            new[field] = release.when(value, patient)
        else:
            new[field] = engine.clean(value, network.people.get(patient)) if isinstance(value, str) else value
    return new


# ---- FHIR

ID_CODE = {"Patient": "P", "Encounter": "E", "Condition": "C", "Observation": "L", "MedicationRequest": "M"}


def clean_resource(resource, release, network, engine):
    kind = resource["resourceType"]
    patient = resource.get("id") if kind == "Patient" else ((resource.get("subject") or resource.get("patient") or {}).get("reference") or "").rpartition("/")[2]
    person = network.people.get(patient)
    hidden = set()
    for table, columns in release.withheld.items():
        for column in columns:
            where, names = WITHHELD_IN_FHIR.get((table, column), ("", ""))
            if where == kind:
                hidden.update(names.split())
    new = {}
    for name, value in resource.items():
        if name in DROPPED or name in hidden:
            continue
        if name == "id":
            new[name] = release.code(ID_CODE.get(kind, "R"), value)
        elif name == "birthDate":
            if (year := release.birth(value)).isdigit():
                new[name] = year
        elif name == "address":
            if states := [{"state": a["state"], **({"country": a["country"]} if a.get("country") else {})} for a in value if a.get("state")]:
                new[name] = states
        elif name == "extension":
            kept = [e for e in value if e.get("url", "").rpartition("/")[2] in {"us-core-race", "us-core-ethnicity", "us-core-birthsex"} - hidden]
            if kept:
                new[name] = kept
        else:
            new[name] = walk(name, value, patient, person, release, engine)
    return new


def walk(name, value, patient, person, release, engine):
    if isinstance(value, dict):
        if "reference" in value and isinstance(value["reference"], str):
            kind, _, real = value["reference"].rpartition("/")
            kept = kind in ("Organization", "Practitioner")
            return {"reference": value["reference"] if kept else f"{kind}/{release.code(ID_CODE.get(kind.rpartition('/')[2], 'R'), real)}"}
        if "system" in value and ("code" in value or "value" in value):
            return value
        coded = "coding" in value  # the text of a coded concept is its display
        return {part: inner if coded and part == "text" else walk(part, inner, patient, person, release, engine)
                for part, inner in value.items() if part not in ("identifier", "telecom")}
    if isinstance(value, list):
        return [walk(name, part, patient, person, release, engine) for part in value]
    if isinstance(value, str):
        if read_date(value)[0] or name in ("start", "end") or name.endswith(("DateTime", "Date", "authoredOn", "issued", "recordedDate")):
            return release.when(value, patient)
        return free(name, value, person, engine)
    return value


def free(name, value, person, engine):
    """Texts in notes, instructions and the like; codes and their displays are not free."""
    if name in ("code", "system", "display", "url", "status", "intent", "unit", "use"):
        return value
    return engine.clean(value, person)


# ---- plumbing


def each_row(path):
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def each_line(path):
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def dump(item):
    return json.dumps(item, ensure_ascii=False) + "\n"
