"""De-identify a hospital network's charts as the letter and the policy card say."""

import re
import tomllib
from collections import defaultdict
from datetime import date

from release import calendar, fhir, persons, register
from release.codes import Codes
from release.files import read_csv, read_lines, write_csv, write_lines, write_text
from release.text import Cleaner

TABLES = ["patients", "contacts", "encounters", "conditions", "labs", "meds"]
RELEASED = ["Patient", "Encounter", "Condition", "Observation", "MedicationRequest"]
BLANK = {
    "patients": ["mrn", "ssn", "health_plan_id", "given", "middle", "family", "street", "city", "county", "phone", "email", "employer"],
    "contacts": ["given", "family", "phone", "email"],
}
IDS = {"contact_id": "contact", "encounter_id": "encounter", "condition_id": "condition", "lab_id": "lab", "med_id": "med", "note_id": "note"}
DATES = {"encounters": ["start", "end"], "conditions": ["onset_date"], "labs": ["taken_at"], "meds": ["start_date"]}
TEXTS = {"labs": ["comment"], "meds": ["sig"], "encounters": ["reason"]}


def deidentify(in_dir, out_dir, key):
    card = tomllib.loads((in_dir / "card.toml").read_text(encoding="utf-8"))
    as_of = card["as_of"] if isinstance(card["as_of"], date) else date.fromisoformat(str(card["as_of"])[:10])
    withhold = card.get("withhold", {})
    codes = Codes(key)
    tables = {name: read_csv(in_dir / f"{name}.csv") for name in TABLES}
    patients = tables["patients"][1]
    notes = read_lines(in_dir / "notes.jsonl")
    resources = {kind: read_lines(in_dir / "fhir" / f"{kind}.ndjson") for kind in
                 RELEASED + ["DocumentReference", "Organization", "Practitioner"]}

    whose = persons.group(patients)
    people = people_of(patients, tables["encounters"][1], card, as_of, codes, whose)
    by_record = {(r["site"], r["mrn"]): r["patient_id"] for r in patients}
    blank_cells(in_dir, patients, people, as_of, withhold, whose)

    letters = letters_of(in_dir, resources, by_record, whose)
    texts = [(n["patient_id"], n["text"]) for n in notes] + [(pid, text) for pid, items in letters.items() for _, text in items]
    providers = {(r.get("provider_given", ""), r.get("provider_family", "")) for r in tables["encounters"][1]}
    cleaner = Cleaner(card, patients, tables["contacts"][1], providers, [o.get("name") for o in resources["Organization"]], texts, whose)
    for row in patients:
        if people[row["patient_id"]]["birth"] == "90+":
            cleaner.year[row["patient_id"]] = row["birth_date"][:4]
    picked = {}
    often = pick_list(tables, by_record)

    def clean(text, pid):
        if not text or text in often:
            return text
        if (text, pid) not in picked:
            picked[text, pid] = cleaner.clean(text, pid)
        return picked[text, pid]

    for name, (columns, rows) in tables.items():
        out = [clean_row(name, row, people, by_record, codes, withhold.get(name, []), clean) for row in rows]
        write_csv(out_dir / f"{name}.csv", columns, out)

    for note in notes:
        person = people[note["patient_id"]]
        note["text"] = cleaner.clean(note["text"], note["patient_id"])
        note["written_at"] = calendar.move(note["written_at"], person["days"])
        note["patient_id"] = person["code"]
        for column in ("note_id", "encounter_id"):
            if note.get(column):
                note[column] = codes.code(IDS[column], note[column], IDS[column][0].upper())
    write_lines(out_dir / "notes.jsonl", notes)

    vendor = {}
    for r in resources["Patient"]:
        if (pid := patient_of(r, by_record)) is not None:
            person = dict(people[pid])
            person["clean"] = lambda text, pid=pid: clean(text, pid)
            vendor[r["id"]] = person
    builder = fhir.Builder(
        codes, vendor, withhold, {r["id"] for r in resources["Encounter"]},
        {r["id"] for r in resources["Practitioner"]}, {r["id"] for r in resources["Organization"]},
    )
    for kind in RELEASED:
        built = (builder.build(r) for r in resources[kind] if kind != "Patient" or r["id"] in vendor)
        write_lines(out_dir / "fhir" / f"{kind}.ndjson", [r for r in built if r])
    for kind in ("Organization", "Practitioner"):
        write_lines(out_dir / "fhir" / f"{kind}.ndjson", resources[kind])

    for pid, items in letters.items():
        for number, (_, text) in enumerate(items, 1):
            write_text(out_dir / "attachments" / f"{people[pid]['code']}-{number}.txt", cleaner.clean(text, pid))


def pick_list(tables, by_record):
    """Texts of the pick lists: written about many patients, without a long number."""
    who = defaultdict(set)
    for name, columns in TEXTS.items():
        for row in tables[name][1]:
            for column in columns:
                if row.get(column):
                    who[row[column]].add(by_record.get((row["site"], row["mrn"])) if name == "labs" else row["patient_id"])
    coded = {row["display"] for row in tables["conditions"][1]}
    coded |= {f"Follow-up: {c}" for c in coded}
    return {t for t, pids in who.items() if (t in coded or len(pids) >= 8) and "@" not in t and not re.search(r"\d{3}", t.replace("1000", ""))} | (coded & set(who))


def people_of(patients, encounters, card, as_of, codes, whose):
    """patient_id -> code, days to move by, year of birth, ZIP area, cells to blank."""
    first = {}
    for row in encounters:
        start = calendar.day(row["start"])
        who = whose.get(row["patient_id"])
        if start and (who not in first or start < first[who]):
            first[who] = start
    rules = card["dates"]
    anchor = rules.get("anchor")
    anchor = anchor if isinstance(anchor, date) else date.fromisoformat(str(anchor)[:10]) if anchor else None
    people = {}
    for row in patients:
        pid = row["patient_id"]
        who = whose[pid]
        days = codes.days(who, rules.get("max_days", 180))
        if rules["rule"] == "relative" and who in first:
            days = (anchor - first[who]).days
        people[pid] = {"code": codes.code("patient", who, "P"), "days": days, "birth": calendar.birth(row["birth_date"], as_of),
                       "zip3": "", "blank": set()}
    return people


def blank_cells(in_dir, patients, people, as_of, withhold, whose):
    area = defaultdict(int)
    for row in read_csv(in_dir / "zip_population.csv")[1]:
        area[row["zip"].strip().zfill(5)[:3]] += int(float(row["population"] or 0))
    hidden = set(withhold.get("patients", []))
    rows = []
    for row in patients:
        person = people[row["patient_id"]]
        z = row["zip"].strip()[:3]
        person["zip3"] = z if area.get(z, 0) > 20000 else "000"
        old = person["birth"] == "90+"
        rows.append({
            "area": z, "old": old, "year": int(person["birth"]) if person["birth"].isdigit() else None, "sex": row.get("sex", ""),
            "race": row.get("race", ""), "language": row.get("language", ""),
        })
    always = hidden & {"birth_date", "race", "language", "zip"}
    usable = {"birth_date", "race", "language", "zip"} - hidden
    for row in rows:
        for column in ("race", "language"):
            if column in always:
                row[column] = "*"
        if row["year"] is None and not row["old"]:
            row["year"] = as_of.year - 50
    joined = defaultdict(set)
    for row, blank in zip(patients, register.blanks(rows, dict(area), as_of, usable), strict=True):
        joined[whose[row["patient_id"]]] |= blank
    for row in patients:
        person = people[row["patient_id"]]
        person["blank"] = joined[whose[row["patient_id"]]]
        if "zip" in person["blank"]:
            person["zip3"] = "000"


def clean_row(name, row, people, by_record, codes, hidden, clean):
    pid = by_record.get((row["site"], row["mrn"])) if name == "labs" else row["patient_id"]
    person = people.get(pid) or {"code": "", "days": 0, "birth": "", "zip3": "", "blank": set()}
    out = dict(row)
    for column in BLANK.get(name, []):
        out[column] = ""
    for column in DATES.get(name, []):
        out[column] = calendar.move(row[column], person["days"]) if pid in people else ""
    for column in TEXTS.get(name, []):
        out[column] = clean(row[column], pid)
    for column, kind in IDS.items():
        if row.get(column):
            out[column] = codes.code(kind, row[column], kind[0].upper())
    if name == "labs":
        out["mrn"] = person["code"]
    else:
        out["patient_id"] = person["code"]
    if name == "patients":
        out["birth_date"], out["zip"] = person["birth"], person["zip3"]
        for column in person["blank"] - {"zip"}:
            out[column] = ""
    for column in hidden:
        if column in out:
            out[column] = ""
    return out


def patient_of(resource, by_record):
    """The patient_id of a FHIR Patient: by the record number and its site."""
    for identifier in resource.get("identifier", []):
        system = identifier.get("system", "")
        if "/mrn/" in system:
            pid = by_record.get((system.rsplit("/", 1)[-1], identifier.get("value")))
            if pid is not None:
                return pid
    return None


def letters_of(in_dir, resources, by_record, whose):
    """patient_id -> [(old name, text)] in the order of the old names."""
    vendor = {r["id"]: patient_of(r, by_record) for r in resources["Patient"]}
    letters = defaultdict(dict)
    for document in resources["DocumentReference"]:
        title = document["content"][0]["attachment"].get("title")
        pid = vendor.get(document["subject"]["reference"].split("/")[-1])
        if title and pid is not None and (in_dir / "attachments" / title).is_file():
            letters[whose[pid]][title] = (in_dir / "attachments" / title).read_text(encoding="utf-8")
    return {pid: sorted(items.items()) for pid, items in letters.items()}
