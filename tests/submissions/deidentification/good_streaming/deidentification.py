"""De-identified copy of the charts. Style: two passes, row by row, standard library and regex, random codes, tags.

Pass 1 (`survey`) learns who is known and how words are used; pass 2 writes. Tables and FHIR are built from what may
stay, free text goes through `deid.notes`.
"""

import csv
import json
import shutil
import tomllib
from collections import Counter

from deid.notes import Engine
from deid.people import Network, words
from deid.register import Register
from deid.release import Release, read_date

TABLES = ["patients", "contacts", "encounters", "conditions", "labs", "meds"]
CODED = {"encounter_id": "E", "condition_id": "C", "lab_id": "L", "med_id": "M", "contact_id": "K", "note_id": "N"}
DATES = {"start", "end", "onset_date", "taken_at", "start_date", "written_at"}
FREE = {"comment", "sig", "reason", "text"}
# Columns that go out as they came; one that is in no list here goes out blank.
KEPT = set(
    "site sex race ethnicity language state insurance relationship class provider_given provider_family code display "
    "clinical_status category loinc name value unit ref_low ref_high interpretation rxnorm".split()
)
FHIR_CODES = {"Patient": "P", "Encounter": "E", "Condition": "C", "Observation": "L", "MedicationRequest": "M"}
# Elements that go out, by type; Patient's others are made one by one.
FHIR_KEPT = {
    "Patient": {"active", "gender", "managingOrganization"},
    "Encounter": {"status", "class", "type", "participant", "period", "reasonCode", "serviceProvider"},
    "Condition": {"clinicalStatus", "verificationStatus", "category", "code", "onsetDateTime"},
    "Observation": {
        "status",
        "category",
        "code",
        "effectiveDateTime",
        "valueQuantity",
        "interpretation",
        "referenceRange",
        "note",
    },
    "MedicationRequest": {
        "status",
        "intent",
        "medicationCodeableConcept",
        "authoredOn",
        "requester",
        "dosageInstruction",
    },
}
# What FHIR says of a withheld column. A contact is not released at all: without its name it would not be valid.
WITHHELD_IN_FHIR = {("encounters", "reason"): "reasonCode"}
# Columns with texts from pick lists. One that several patients have names nobody, and its words are ordinary ones.
PICKED = [
    ("conditions", "display"),
    ("encounters", "reason"),
    ("meds", "name"),
    ("meds", "sig"),
    ("labs", "name"),
    ("labs", "comment"),
]
COMMON = 5
COPIED = ("Organization", "Practitioner")


class Job:
    """All that the second pass needs to know."""

    def __init__(self, in_dir, card):
        self.release = Release(card)
        self.register = Register(in_dir / "zip_population.csv", self.release)
        self.network = Network()
        self.by_record, self.by_ssn, self.by_vendor = {}, {}, {}  # ways to a patient_id
        self.blanks = {}  # patient_id -> cells that the register forbids

    def person(self, patient):
        return self.network.people.get(patient)

    def withheld(self, table, column):
        return column in self.release.withheld.get(table, ())


def deidentify(in_dir, out_dir, key):
    card = tomllib.loads((in_dir / "card.toml").read_text(encoding="utf-8"))
    job = Job(in_dir, card)
    survey(in_dir, job)
    engine = Engine(job.network, card)
    for folder in ("fhir", "attachments"):
        (out_dir / folder).mkdir(parents=True, exist_ok=True)
    for table in TABLES:
        copy_table(table, in_dir / f"{table}.csv", out_dir / f"{table}.csv", job, engine)
    with (out_dir / "notes.jsonl").open("w", encoding="utf-8") as out:
        for note in each_line(in_dir / "notes.jsonl"):
            out.write(dump(clean_row("notes", note, note["patient_id"], job, engine)))
    for kind in FHIR_KEPT:
        with (out_dir / "fhir" / f"{kind}.ndjson").open("w", encoding="utf-8") as out:
            for resource in each_line(in_dir / "fhir" / f"{kind}.ndjson"):
                out.write(dump(clean_resource(resource, job, engine)))
    for kind in COPIED:
        shutil.copyfile(in_dir / "fhir" / f"{kind}.ndjson", out_dir / "fhir" / f"{kind}.ndjson")
    copy_letters(in_dir, out_dir / "attachments", job, engine)


# ---- first pass


def survey(in_dir, job):
    """Who is known under which numbers, when each patient came first, and how words are used."""
    network, register = job.network, job.register
    for row in each_row(in_dir / "patients.csv"):
        network.patient(row)
        register.patient(row)
        job.release.person(row)
        job.by_record[row["site"], row["mrn"]] = row["patient_id"]
        job.by_ssn[row["ssn"]] = row["patient_id"]
    for row in each_row(in_dir / "patients.csv"):
        job.blanks[row["patient_id"]] = register.blanks(row)
    for row in each_row(in_dir / "contacts.csv"):
        network.contact(row)
    for row in each_row(in_dir / "encounters.csv"):
        job.release.encounter(row["patient_id"], row["start"])
    for patient in each_line(in_dir / "fhir" / "Patient.ndjson"):
        job.by_vendor[patient["id"]] = whose(patient, job)
    for table, column in PICKED:
        rows = each_row(in_dir / f"{table}.csv")
        seen = {(row[column], row.get("patient_id") or (row["site"], row["mrn"])) for row in rows}
        for text, patients in Counter(text for text, _ in seen).items():
            if patients >= COMMON:
                network.clinical.update(words(text))
    for organization in each_line(in_dir / "fhir" / "Organization.ndjson"):
        network.hospitals.add(organization.get("name", ""))
    for note in each_line(in_dir / "notes.jsonl"):
        network.read(note["text"], job.person(note["patient_id"]))
    network.settle()


def whose(patient, job):
    """The patient_id of a FHIR Patient, by record number and site, else by SSN. A number alone may name two people."""
    numbers = [(i.get("system", ""), i.get("value")) for i in patient.get("identifier", [])]
    found = [job.by_record.get((system.rsplit("/", 1)[-1], value)) for system, value in numbers if "/mrn/" in system]
    found += [job.by_ssn.get(value) for system, value in numbers if system.endswith("/us-ssn")]
    return next((patient_id for patient_id in found if patient_id), None)


# ---- tables and notes


def copy_table(table, source, target, job, engine):
    with source.open(newline="", encoding="utf-8") as file, target.open("w", newline="", encoding="utf-8") as out:
        reader = csv.DictReader(file)
        writer = csv.DictWriter(out, fieldnames=reader.fieldnames, lineterminator="\n")
        writer.writeheader()
        for row in reader:
            patient = job.by_record.get((row["site"], row["mrn"])) if table == "labs" else row["patient_id"]
            writer.writerow(clean_row(table, row, patient, job, engine))


def clean_row(table, row, patient, job, engine):
    """One row of a table, or one note, of the patient."""
    release = job.release
    blank = job.blanks.get(patient, ()) if table == "patients" else ()
    new = {}
    for column, value in row.items():
        if column == "patient_id" or (table, column) == ("labs", "mrn"):
            new[column] = release.code("P", patient)
        elif column in CODED:
            new[column] = release.code(CODED[column], value)
        elif column == "zip":
            new[column] = "000" if column in blank else job.register.zip3(value)
        elif job.withheld(table, column) or column in blank or not value:
            new[column] = ""
        elif column == "birth_date":
            new[column] = release.birth(value)
        elif column in DATES:
            new[column] = release.when(value, patient)
        elif column in FREE:
            new[column] = engine.clean(value, job.person(patient))
        else:
            new[column] = value if column in KEPT else ""
    return new


def copy_letters(in_dir, out_dir, job, engine):
    """The letters under their persons' codes, numbered in the order of their old names."""
    titles = {}
    for document in each_line(in_dir / "fhir" / "DocumentReference.ndjson"):
        patient = job.by_vendor.get(document["subject"]["reference"].rpartition("/")[2])
        for content in document["content"]:
            if patient and (title := content["attachment"].get("title")):
                titles.setdefault(job.release.code("P", patient), set()).add((title, patient))
    for code, names in titles.items():
        for number, (name, patient) in enumerate(sorted(names), 1):
            text = (in_dir / "attachments" / name).read_text(encoding="utf-8")
            target = out_dir / f"{code}-{number}.txt"
            target.write_text(engine.clean(text, job.person(patient)), encoding="utf-8")


# ---- FHIR


def clean_resource(resource, job, engine):
    kind = resource["resourceType"]
    vendor = resource["id"] if kind == "Patient" else resource["subject"]["reference"].rpartition("/")[2]
    patient = job.by_vendor.get(vendor)
    hidden = {name for (table, column), name in WITHHELD_IN_FHIR.items() if job.withheld(table, column)}
    new = {"resourceType": kind, "id": fhir_code(kind, resource["id"], vendor, patient, job)}
    if kind != "Patient":
        new["subject"] = {"reference": f"Patient/{job.release.code('P', patient)}"}
    if reference := resource.get("encounter", {}).get("reference"):
        encounter = fhir_code("Encounter", reference.rpartition("/")[2], vendor, patient, job)
        new["encounter"] = {"reference": f"Encounter/{encounter}"}
    if kind == "Patient":
        new |= of_patient(resource, patient, job)
    for name, value in resource.items():
        if name in FHIR_KEPT[kind] - hidden:
            new[name] = walk(name, value, patient, job, engine)
    return new


def fhir_code(kind, real, vendor, patient, job):
    """The code of a resource. The vendor's ids are the patient's and a tail that the tables' ids have as well."""
    if kind == "Patient":
        return job.release.code("P", patient)
    return job.release.code(FHIR_CODES[kind], f"{patient}{real.removeprefix(vendor)}")


def of_patient(resource, patient, job):
    """The demographic elements, as far as they may stay."""
    blank, new = job.blanks.get(patient, ()), {}
    year = job.release.birth(resource.get("birthDate"))
    if year.isdigit() and "birth_date" not in blank:
        new["birthDate"] = year
    addresses = []
    for address in resource.get("address", []):
        kept = {name: address[name] for name in ("use", "country") if name in address}
        if "state" in address and not job.withheld("patients", "state"):
            kept["state"] = address["state"]
        if "postalCode" in address:
            kept["postalCode"] = "000" if "zip" in blank else job.register.zip3(address["postalCode"])
        addresses.append(kept)
    if addresses:
        new["address"] = addresses
    allowed = {"us-core-race"} - ({"us-core-race"} if "race" in blank else set())
    if not job.withheld("patients", "ethnicity"):
        allowed.add("us-core-ethnicity")
    if kept := [e for e in resource.get("extension", []) if e["url"].rpartition("/")[2] in allowed]:
        new["extension"] = kept
    if "communication" in resource and "language" not in blank:
        new["communication"] = resource["communication"]
    return new


def walk(name, value, patient, job, engine):
    """A kept element: dates move, texts beside no code are cleaned, references lose their displays."""
    if isinstance(value, dict):
        if "reference" in value:
            return {"reference": value["reference"]} if value["reference"].startswith(COPIED) else {}
        if "system" in value:  # a coding or a quantity
            return value
        return {
            part: inner if part == "text" and "coding" in value else walk(part, inner, patient, job, engine)
            for part, inner in value.items()
            if part not in ("identifier", "telecom", "display")
        }
    if isinstance(value, list):
        return [walk(name, part, patient, job, engine) for part in value]
    if not isinstance(value, str):
        return value
    if read_date(value)[0]:
        return job.release.when(value, patient)
    return engine.clean(value, job.person(patient)) if name == "text" else value


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
