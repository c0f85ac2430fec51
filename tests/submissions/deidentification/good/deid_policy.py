"""The policy card: codes for ids, the date rule, withheld columns, record number formats."""

import hashlib
import hmac
import re
import tomllib
from datetime import date, timedelta
from functools import lru_cache

from dateutil import parser as dates

ISO_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?!\d)")
OLD_AGE = 90


class Policy:
    def __init__(self, card, key):
        self.card = card
        self.key = bytes.fromhex(key)
        self.as_of = as_day(str(card["as_of"]))
        rule = card.get("dates", {})
        self.rule = rule.get("rule", "year")
        self.max_days = int(rule.get("max_days", 365))
        self.mrn_formats = list(dict.fromkeys(card.get("mrn_format", {}).values()))
        self.shift_days = lru_cache(maxsize=None)(self._shift_days)

    @classmethod
    def read(cls, path, key):
        return cls(tomllib.loads(path.read_text(encoding="utf-8")), key)

    # ---- codes: all keyed, so that nobody without the key can try all identifiers

    def _digest(self, purpose, text):
        return hmac.new(self.key, f"{purpose}\0{text}".encode(), hashlib.sha256)

    def patient_code(self, patient_id):
        return "P-" + self._digest("patient", patient_id).hexdigest()[:20]

    def id_code(self, any_id):
        return "X-" + self._digest("id", any_id).hexdigest()[:20] if any_id else ""

    def withheld(self, table):
        return self.card.get("withhold", {}).get(table, [])

    # ---- dates

    def _shift_days(self, patient_id):
        """One shift per patient, in -max..-1 or 1..max."""
        draw = int.from_bytes(self._digest("shift", patient_id).digest()[:8], "big") % (2 * self.max_days)
        return draw - self.max_days if draw < self.max_days else draw - self.max_days + 1

    def date(self, text, patient_id):
        """A date or date and time, by the card's rule; blank when it cannot be read."""
        text = (text or "").strip()
        if not text or re.fullmatch(r"\d{4}", text):
            return text
        if self.rule != "shift" or re.fullmatch(r"\d{4}-\d\d", text):
            year = re.match(r"\d{4}(?=-)", text)
            day = None if year else as_day(text)
            return year[0] if year else f"{day.year:04d}" if day else ""
        day = as_day(text)
        if day is None:
            return ""
        shifted = (day + timedelta(days=self.shift_days(patient_id))).isoformat()
        return shifted + text[10:] if ISO_DAY.match(text) else shifted

    def birth_year(self, text):
        born = as_day(text)
        if born is None:
            return ""
        return f"{OLD_AGE}+" if self.age(born) >= OLD_AGE else str(born.year)

    def age(self, born):
        return self.as_of.year - born.year - ((self.as_of.month, self.as_of.day) < (born.month, born.day))


def as_day(text):
    """The day of a date in most usual forms, or None."""
    if iso := ISO_DAY.match(text):
        try:
            return date(*map(int, iso.groups()))
        except ValueError:
            return None
    try:
        return dates.parse(text).date()
    except (ValueError, OverflowError):
        return None
