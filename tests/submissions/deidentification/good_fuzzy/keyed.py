"""Codes and day shifts, both from an HMAC under the release's key, so that nothing needs to be remembered."""

import hmac
from datetime import date, timedelta
from functools import lru_cache

# Sixteen consonants for the sixteen hexadecimal digits: no code can hold a number or spell a name.
LETTERS = str.maketrans("0123456789abcdef", "bcdfghjkmnpqrstv")


class Keyed:
    """code(kind, identifier), person(patient), days(patient) and moved(patient, text of a date) under one key."""

    def __init__(self, key, card, same, first_days):
        """same: patient_id -> the first chart of that person.  first_days: first chart -> day it begins."""
        self.same = same
        self.secret = key.encode()
        self.rule, self.most = card["dates"]["rule"], int(card["dates"]["max_days"])
        self.anchor = date.fromisoformat(card["dates"]["anchor"])
        self.first_days = first_days
        self.days = lru_cache(maxsize=None)(self._days)
        self.code = lru_cache(maxsize=20_000)(self._code)

    def digest(self, kind, value):
        """64 hexadecimal digits."""
        return hmac.digest(self.secret, f"{kind}|{value}".encode(), "sha256").hex()

    def _code(self, kind, identifier):
        """Fourteen letters for an identifier, "" for none."""
        return self.digest(kind, identifier)[:14].translate(LETTERS) if identifier else ""

    def person(self, pid):
        """The person's code, the same for all charts of the person."""
        return self.code("patient", self.same.get(pid, pid))

    def _days(self, pid):
        pid = self.same.get(pid, pid)
        if self.rule == "relative" and pid in self.first_days:
            return (self.anchor - self.first_days[pid]).days
        number = int(self.digest("days", pid)[:12], 16)
        size = 1 + (number // 2) % self.most
        return size if number % 2 else -size

    def moved(self, pid, text):
        """An ISO date or timestamp moved by the patient's days; the time of day stays."""
        if len(text) < 10:
            return ""
        return (date.fromisoformat(text[:10]) + timedelta(self.days(pid))).isoformat() + text[10:]
