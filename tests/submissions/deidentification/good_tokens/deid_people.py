"""Who stands in the tables: per patient the names, numbers and addresses to look for in free text."""

import re
import unicodedata
from dataclasses import dataclass, field

PERSON_NUMBERS = ["mrn", "ssn", "health_plan_id", "phone", "patient_id"]


def fold(text):
    """The text without accents and typographic variants, letter for letter: positions stay the same."""
    text = re.sub(r"&(?:nbsp|ensp|emsp|thinsp|#160|#xa0);", lambda m: " " * len(m[0]), text, flags=re.I)
    return "".join(map(fold_letter, text))


def fold_letter(letter):
    if letter < "\x7f":
        return letter
    if letter in FOLDED:
        return FOLDED[letter]
    plain = unicodedata.normalize("NFD", letter)[0]
    if unicodedata.category(plain) == "Zs":
        plain = " "
    elif unicodedata.category(plain) == "Pd":
        plain = "-"
    FOLDED[letter] = plain
    return plain


FOLDED = {"đ": "d", "Đ": "D", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "ı": "i",
          "’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "−": "-", "·": ".", "•": "."}


def name_parts(name):
    """Words of a name that identify on their own: "Al-Najjar" gives "al-najjar" and "najjar"; "Van" alone is a name."""
    words = fold(name).lower().split()
    parts = set(words) | {p for w in words for p in w.split("-") if len(p) > 2}
    return {p for p in parts if len(p) > 1 and (p not in PARTICLES or len(words) == 1)}


PARTICLES = {"al", "el", "de", "la", "del", "los", "las", "da", "di", "van", "von", "bin", "san", "y"}


@dataclass
class Person:
    """A patient with everything around the patient that free text may mention."""

    birth_date: str = ""
    names: set = field(default_factory=set)       # single words, folded, lower case
    full_names: set = field(default_factory=set)  # (given, family) of the patient and contacts
    numbers: set = field(default_factory=set)
    literals: set = field(default_factory=set)    # street, e-mail, employer ...

    def add(self, row):
        for column in ("given", "middle", "family"):
            self.names |= name_parts(row.get(column, ""))
        if row.get("given") or row.get("family"):
            self.full_names.add((fold(row.get("given", "")).lower(), fold(row.get("family", "")).lower()))
        self.numbers |= {row[c] for c in PERSON_NUMBERS if row.get(c)}
        self.literals |= {fold(row[c]).lower() for c in ("street", "email", "employer") if row.get(c)}
        if row.get("birth_date"):  # the alias of the bed plan: "QUIR57"
            family, given = (re.sub(r"[^a-z]", "", fold(row[c]).lower()) for c in ("family", "given"))
            self.literals.add(f"{family[:3]}{given[:1]}{row['birth_date'][2:4]}")
        if row.get("email"):
            local = fold(row["email"].split("@")[0]).lower()
            self.literals |= {local} if len(local) >= 6 else set()


class Directory:
    """Who is who.

    of_vendor: the FHIR vendor's Patient.id -> patient_id.  people: patient_id -> Person.
    Two hospitals may give the same record number to different people, so that a number counts only with its site.
    """

    def __init__(self, tables, fhir_patients, organizations):
        patients, contacts = tables["patients"], tables["contacts"]
        self.of_record = {(row["site"], row["mrn"]): row["patient_id"] for row in patients if row["mrn"]}
        self.of_ssn = {row["ssn"]: row["patient_id"] for row in patients if row["ssn"]}
        self.of_vendor = {resource["id"]: self.whose(resource) for resource in fhir_patients}

        self.people = {row["patient_id"]: Person() for row in patients}
        for row in patients:
            self.people[row["patient_id"]].add(row)
            self.people[row["patient_id"]].birth_date = row["birth_date"]
        for row in contacts:
            self.people[row["patient_id"]].add({k: v for k, v in row.items() if k != "patient_id"})
        for vendor_id, patient_id in self.of_vendor.items():
            self.people[patient_id].numbers.add(vendor_id)

        places = {fold(row[column]).lower() for row in patients for column in ("city", "county") if row[column]}
        self.places = places | {re.sub(r" county$", "", p) for p in places}
        self.employers = {fold(row["employer"]).lower() for row in patients if row["employer"]}
        self.zips = {row["zip"] for row in patients} - {""}
        self.organizations = {fold(o).lower() for o in organizations if o}
        self.givens = set().union(*(name_parts(row["given"]) for row in [*patients, *contacts]))
        self.families = set().union(*(name_parts(row["family"]) for row in [*patients, *contacts]))
        self.full_names = set().union(*(person.full_names for person in self.people.values()))

    def whose(self, resource):
        """The patient_id of a FHIR Patient, by record number and site or by SSN."""
        for identifier in resource["identifier"]:
            system, value = identifier["system"], identifier["value"]
            found = self.of_record.get((system.rsplit("/", 1)[-1], value)) if "/mrn/" in system else None
            if found := found or (self.of_ssn.get(value) if system.endswith("us-ssn") else None):
                return found
        raise ValueError("a FHIR Patient who is in no table")

    def patient_of(self, table, row):
        """The patient_id of a row; the laboratories' feed knows patients by site and record number."""
        return self.of_record[row["site"], row["mrn"]] if table == "labs" else row["patient_id"]

    def letters(self, documents):
        """patient_id -> the names of the patient's letters."""
        names = {}
        for document in documents:
            if title := document["content"][0]["attachment"].get("title"):
                patient_id = self.of_vendor[document["subject"]["reference"].split("/")[-1]]
                names.setdefault(patient_id, []).append(title)
        return names
