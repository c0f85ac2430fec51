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


FOLDED = {"đ": "d", "Đ": "D", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "ı": "i", "’": "'", "‘": "'", "ʼ": "'",
          "`": "'", "´": "'", "−": "-", "·": ".", "•": "."}


def name_parts(name):
    """Words of a name that identify on their own: "Al-Najjar" gives "al-najjar" and "najjar"."""
    words = fold(name).lower().split()
    parts = set(words) | {p for w in words for p in w.split("-") if len(p) > 2}
    return {p for p in parts if len(p) > 1 and p not in PARTICLES}


PARTICLES = {"al", "el", "de", "la", "del", "los", "las", "da", "di", "van", "von", "bin", "san", "y"}


@dataclass
class Person:
    """A patient with everything around the patient that free text may mention."""

    given: str = ""
    family: str = ""
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
        if row.get("email"):
            local = fold(row["email"].split("@")[0]).lower()
            self.literals |= {local} if len(local) >= 6 else set()


class Directory:
    def __init__(self, tables, organizations):
        patients, contacts = tables["patients"], tables["contacts"]
        self.people = {}
        for row in patients.to_dict("records"):
            person = self.people[row["patient_id"]] = Person(fold(row["given"]), fold(row["family"]))
            person.add(row)
        for row in contacts.to_dict("records"):
            self.people.setdefault(row["patient_id"], Person()).add({k: v for k, v in row.items() if k != "patient_id"})

        places = {fold(p).lower() for column in ("city", "county") for p in patients[column] if p}
        self.places = places | {re.sub(r" county$", "", p) for p in places}
        self.employers = {fold(e).lower() for e in patients["employer"] if e}
        self.zips = set(patients["zip"]) - {""}
        self.organizations = {fold(o).lower() for o in organizations if o}
        self.givens, self.families, self.full_names = set(), set(), set()
        for person in self.people.values():
            self.full_names |= person.full_names
        for table in (patients, contacts):
            for given in table["given"]:
                self.givens |= name_parts(given)
            for family in table["family"]:
                self.families |= name_parts(family)
