"""The policy card: codes for ids, the date rule, ages, ZIP areas, withheld columns, record number formats."""

import csv
import hashlib
import hmac
import re
import tomllib
from collections import Counter
from datetime import date, timedelta
from functools import lru_cache

ISO_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T[\d:.]+(?:Z|[+-][\d:]+)?)?")
OLD_AGE = 90
OLD = f"{OLD_AGE}+"
SMALL_AREA = 20_000  # an area of so many people or fewer has no digits of its own


class Policy:
    """card: the parsed card.  key: hexadecimal.  person_of: patient_id -> the patient_id that stands for the person.
    first_days: person -> day of the first encounter.  population: first three digits of ZIP codes -> people there."""

    def __init__(self, card, key, person_of, first_days, population):
        self.key = bytes.fromhex(key)
        self.as_of = as_day(str(card["as_of"]))
        self.rule = card["dates"]["rule"]
        self.max_days = int(card["dates"].get("max_days", 365))
        self.anchor = as_day(str(card["dates"].get("anchor", "")))
        self.columns_withheld = card.get("withhold", {})
        self.mrn_formats = list(dict.fromkeys(card.get("mrn_format", {}).values()))
        self.person_of = person_of
        self.first_days = first_days
        self.population = population
        if self.rule not in ("shift", "relative"):
            raise ValueError(f"a date rule this program does not know: {self.rule}")
        self.days_moved = lru_cache(maxsize=None)(self._days_moved)

    @classmethod
    def read(cls, in_dir, key, patients, encounters):
        card = tomllib.loads((in_dir / "card.toml").read_text(encoding="utf-8"))
        person_of, first_days = persons(patients), {}
        for row in encounters:
            if day := as_day(row["start"]):
                person = person_of[row["patient_id"]]
                first_days[person] = min(day, first_days.get(person, day))
        population = Counter()
        with (in_dir / "zip_population.csv").open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                population[row["zip"][:3]] += int(row["population"])
        return cls(card, key, person_of, first_days, population)

    def withheld(self, table):
        return self.columns_withheld.get(table, [])

    # ---- codes: all keyed, so that nobody without the key can try all identifiers

    def _digest(self, purpose, text):
        return hmac.new(self.key, f"{purpose}\0{text}".encode(), hashlib.sha256)

    def patient_code(self, patient_id):
        return "P" + self._digest("patient", self.person_of[patient_id]).hexdigest()[:20]

    def id_code(self, purpose, any_id):
        return "X" + self._digest(purpose, any_id).hexdigest()[:20] if any_id else ""

    # ---- dates

    def _days_moved(self, patient_id):
        """One number per person: "shift" -max..-1 or 1..max, "relative" from the first encounter to the anchor."""
        person = self.person_of[patient_id]
        if self.rule == "relative" and person in self.first_days:
            return (self.anchor - self.first_days[person]).days
        draw = int.from_bytes(self._digest("days", person).digest()[:8], "big") % (2 * self.max_days)
        return draw - self.max_days if draw < self.max_days else draw - self.max_days + 1

    def date(self, text, patient_id):
        """A date, with or without a time of day, moved; blank when it is no full date, as it might be a true one."""
        day = as_day(text)
        return (day + timedelta(days=self.days_moved(patient_id))).isoformat() + text[10:] if day else ""

    # ---- age and place

    def birth_year(self, text):
        born = as_day(text)
        if born is None:
            return ""
        age = self.as_of.year - born.year - ((self.as_of.month, self.as_of.day) < (born.month, born.day))
        return OLD if age >= OLD_AGE else str(born.year)

    def zip3(self, text):
        """The first three digits where enough people live, by the table that comes with the data."""
        area = text.strip()[:3]
        return area if self.population.get(area, 0) > SMALL_AREA else "000"


def persons(patients):
    """patient_id -> the patient_id that stands for the person: a few people are patients of two hospitals.

    An SSN alone will not do: 999-99-9999 is what clerks type when they are not told one.
    """
    charts = {}
    for row in patients:
        known = (row["ssn"], row["birth_date"], row["given"].casefold(), row["family"].casefold())
        charts.setdefault(known, []).append(row["patient_id"])
    return {patient_id: min(same) for same in charts.values() for patient_id in same}


def as_day(text):
    """The day of an ISO date with or without a time, or None."""
    iso = ISO_DAY.fullmatch(text or "")
    try:
        return date(*map(int, iso.groups())) if iso else None
    except ValueError:
        return None
