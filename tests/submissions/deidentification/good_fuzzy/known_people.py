"""What the tables say about each patient, in the forms that notes are compared with."""

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field

STROKES = str.maketrans("đĐøØłŁßıæÆœŒ", "dDoOlLsiaAoO")
ONE_FOR_ONE = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "’": "'", "‘": "'", "`": "'", "´": "'",
                             "‐": "-", "‑": "-", "–": "-", "—": "-", "−": "-", "\uff20": "@"})  # fmt: skip
PARTICLES = {
    "de",
    "la",
    "las",
    "los",
    "del",
    "van",
    "von",
    "der",
    "da",
    "do",
    "dos",
    "di",
    "bin",
    "al",
    "el",
    "y",
    "st",
}


def shadow(text):
    """The text without accents and odd hyphens, character for character: a place in it is the place in the text."""
    if text.isascii():
        return text.replace("&nbsp;", "      ")
    text = text.translate(STROKES).translate(ONE_FOR_ONE)
    plain = "".join(c if c.isascii() else unicodedata.normalize("NFKD", c)[0] for c in text)
    return plain.replace("&nbsp;", "      ")


def squeeze(text):
    """Letters and digits only, in lower case."""
    return re.sub(r"[^0-9a-z]", "", shadow(text).lower())


def words(text):
    """The words of a name, without accents, in lower case; particles and single letters name nobody."""
    every = re.findall(r"[a-z]+", shadow(text).lower().replace("'", ""))
    return [w for w in every if len(w) > 1 and w not in PARTICLES] or [w for w in every if len(w) > 1]


def made_of(letters, names):
    """Whether letters are the beginnings of two or three different names, one after the other."""

    def rest(letters, names, parts):
        if not letters:
            return parts > 1
        for name in names:
            for size in range(min(len(name), len(letters)), 0, -1):
                if letters.startswith(name[:size]) and parts < 3:
                    left = tuple(n for n in names if n != name)
                    if rest(letters[size:], left, parts + 1):
                        return True
        return False

    return rest(letters, tuple(dict.fromkeys(names)), 0)


@dataclass
class Person:
    """A patient with the people around the patient."""

    born: str = ""
    names: set = field(default_factory=set)
    own: tuple = ()  # the words of the patient's own name
    initials: set = field(default_factory=set)
    numbers: set = field(default_factory=set)  # squeezed
    last_four: str = ""
    joined: set = field(default_factory=set)  # whole names, squeezed
    places: set = field(default_factory=set)  # as in a shadow, in lower case
    days: set = field(default_factory=set)  # true ISO days

    def add_name(self, given, middle, family):
        first, last = words(given), words(family)
        self.names |= {*first, *last, *words(middle)}
        self.names |= {w for w in ("".join(first), "".join(last), squeeze(given), squeeze(family)) if len(w) > 3}
        pair = squeeze(given), squeeze(family)
        self.joined |= {w for w in ("".join(pair), "".join(pair[::-1])) if len(w) > 4}
        for a in first:
            for b in last:
                self.initials |= {a[0] + b[0], a[0] + middle[:1].lower() + b[0]}
        if first and family:
            self.initials.add(first[0][0] + shadow(family)[0].lower())
        if len(last) > 1 and first:
            self.initials.add(first[0][0] + "".join(w[0] for w in last))

    def derived(self, letters, digits):
        """Whether a login or a label is made of parts of the patient's name and birthday: "REGD63", "direga63"."""
        year, month, day = self.born[:4], self.born[5:7], self.born[8:]
        days = {
            year,
            year[2:],
            month + day,
            day + month,
            month + year[2:],
            day + month + year[2:],
            month + day + year[2:],
        }
        days |= {day + month + year, month + day + year, f"{int(day)}{int(month)}", f"{int(month)}{int(day)}"}
        if digits and digits not in days:
            return False
        return made_of(letters, self.own) and (bool(digits) or len(letters) >= 5)

    def add_login(self, email):
        login = email.split("@")[0]
        if any(c.isdigit() for c in login):
            self.add_number(login)

    def add_number(self, number, shortest=6):
        if len(squeezed := squeeze(number)) >= shortest:
            self.numbers.add(squeezed)


@dataclass
class Known:
    """people: patient_id -> Person.  vocabulary: everybody's name words.  towns, counties, employers: shadows.

    street_ends: the last words of streets.  rows: filled by the entry with what the table released.
    """

    people: dict
    vocabulary: set
    towns: set
    counties: set
    employers: set
    street_ends: set
    rows: dict = field(default_factory=dict)

    @classmethod
    def of(cls, tables, same):
        """same: patient_id -> the first chart of that person; all charts of a person know the same."""
        people = defaultdict(Person)
        vocabulary, street_ends = set(), set()
        patients, contacts = tables["patients"], tables["contacts"]
        for row in patients.to_dict("records"):
            one = people[same.get(row["patient_id"], row["patient_id"])]
            one.born = row["birth_date"]
            one.add_name(row["given"], row["middle"], row["family"])
            one.own = tuple(words(row["given"]) + words(row["middle"]) + words(row["family"]))
            one.own += (squeeze(row["given"]), squeeze(row["family"]))
            for column in ("mrn", "ssn", "health_plan_id", "phone"):
                one.add_number(row[column])
            one.last_four = squeeze(row["ssn"])[-4:]
            one.add_login(row["email"])
            one.places |= {
                shadow(row[c]).lower() for c in ("street", "city", "county", "employer") if len(row[c]) > 3
            }
            street = shadow(row["street"]).split(",")[0].split()
            if len(street) > 2 and street[-1].isalpha():
                street_ends.add(street[-1].lower())
            vocabulary.update(words(row["given"]), words(row["family"]))
        for row in contacts.to_dict("records"):
            one = people[same.get(row["patient_id"], row["patient_id"])]
            one.add_name(row["given"], "", row["family"])
            one.add_number(row["phone"])
            one.add_login(row["email"])
            vocabulary.update(words(row["given"]), words(row["family"]))
        for name, columns in (
            ("encounters", ("start", "end")), ("conditions", ("onset_date",)), ("labs", ("taken_at",)),
            ("meds", ("start_date",)),
        ):  # fmt: skip
            table = tables[name]
            for column in columns:
                days = table[["patient_id"]].assign(day=table[column].str[:10]).drop_duplicates()
                for pid, day in zip(days["patient_id"], days["day"]):
                    people[same.get(pid, pid)].days.add(day)
        every = {
            c: {shadow(v).lower() for v in patients[c].unique() if len(v) > 3} for c in ("city", "county", "employer")
        }
        return cls(
            {pid: people[first] for pid, first in same.items()},
            vocabulary,
            every["city"],
            every["county"],
            every["employer"],
            street_ends,
        )
