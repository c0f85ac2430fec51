"""What belongs to one release: random codes and the date rule. The crosswalk lives in memory and dies with the job."""

import re
import secrets
from datetime import date, timedelta

ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?!\d)(.*)", re.S)
LETTERS = b"bcdfghjklmnpqrstvwxz"  # no digit and no vowel: a code is never by chance a number or a name
TO_LETTER = bytes(LETTERS[i % len(LETTERS)] for i in range(256))


def read_date(text):
    """(date, rest) of a text that begins with an ISO day, as all dates of tables and FHIR do; else (None, "")."""
    if m := ISO.fullmatch(text.strip()):
        try:
            return date(int(m[1]), int(m[2]), int(m[3])), m[4]
        except ValueError:
            pass
    return None, ""


class Release:
    """One release: draws a random code for each id and a shift for each patient. No key, no hash, no crosswalk file."""

    def __init__(self, card):
        dates = card["dates"]
        self.relative = dates["rule"] == "relative"
        self.max_days = int(dates.get("max_days", 1))
        self.anchor = read_date(str(dates.get("anchor", "")))[0]
        self.as_of = read_date(str(card["as_of"]))[0]
        self.withheld = {table: set(columns) for table, columns in card.get("withhold", {}).items()}
        self.first = {}  # person -> day of the first encounter
        self._known, self._same = {}, {}  # what tells a person -> first chart; chart -> first chart
        self._codes, self._used, self._shifts = {}, set(), {}

    def person(self, row):
        """Note a row of patients.csv: somebody who is known at two hospitals has two of them."""
        tells = (row["ssn"], row["birth_date"], row["given"].casefold(), row["family"].casefold())
        self._same[row["patient_id"]] = self._known.setdefault(tells, row["patient_id"])

    def code(self, kind, real):
        """The code of this id: random, one per id, never given twice. kind: one letter that says what it names.

        For a patient ("P") it is the person's.
        """
        if not real:
            return ""
        if kind == "P":
            real = self._same.get(real, real)
        if (kind, real) not in self._codes:
            new = ""
            while not new or new in self._used:
                new = kind + secrets.token_bytes(14).translate(TO_LETTER).decode()
            self._used.add(new)
            self._codes[kind, real] = new
        return self._codes[kind, real]

    def encounter(self, patient, start):
        """Note the start of an encounter: the rule "relative" needs the first one."""
        day, patient = read_date(start or "")[0], self._same.get(patient, patient)
        if day and day < self.first.get(patient, date.max):
            self.first[patient] = day

    def shift(self, patient):
        """The person's number of days."""
        patient = self._same.get(patient, patient)
        if patient not in self._shifts:
            if self.relative and patient in self.first:
                self._shifts[patient] = (self.anchor - self.first[patient]).days
            else:
                self._shifts[patient] = (secrets.randbelow(self.max_days) + 1) * secrets.choice((-1, 1))
        return self._shifts[patient]

    def when(self, text, patient):
        """A date or time of the patient, moved; the time of day and the offset stay. What is no date is dropped."""
        day, rest = read_date(text)
        if day is None:
            return ""
        try:
            return (day + timedelta(days=self.shift(patient))).isoformat() + rest
        except OverflowError:
            return ""

    def age(self, born):
        return self.as_of.year - born.year - ((self.as_of.month, self.as_of.day) < (born.month, born.day))

    def birth(self, text):
        """Year of birth, or 90+."""
        born = read_date(text or "")[0]
        if born is None:
            return ""
        return f"{born.year:04d}" if self.age(born) < 90 else "90+"
