"""What belongs to one release: random codes, the date rule, ages. Nothing here is written to disk but its results."""

import re
import secrets
from datetime import date, timedelta

ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?!\d)(.*)", re.S)
MONTH = re.compile(r"(\d{4})-(\d\d)")
YEAR = re.compile(r"\d{4}")
COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)")
SLASH = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(.*)", re.S)
DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(.*)", re.S)


def read_date(text):
    """(date, writer) for a full date in a usual form; writer puts another date into the same form. Else (None, None)."""
    text = text.strip()
    for shape, order in ((ISO, "ymd"), (COMPACT, "ymd"), (SLASH, "mdy"), (DOTTED, "dmy")):
        if m := shape.fullmatch(text):
            part = dict(zip(order, (int(g) for g in m.groups()[:3])))
            try:
                day = date(part["y"], part["m"], part["d"])
            except ValueError:
                return None, None
            rest = m.group(4) if shape is not COMPACT else ""
            return day, {
                ISO: lambda d: d.isoformat() + rest,
                COMPACT: lambda d: d.strftime("%Y%m%d"),
                SLASH: lambda d: d.strftime("%m/%d/%Y") + rest,
                DOTTED: lambda d: d.strftime("%d.%m.%Y") + rest,
            }[shape]
    return None, None


LETTERS = "bcdfghjklmnpqrstvwxz"  # no digit and no vowel: a code is never by chance a number or a name


def draw(kind):
    return kind + "".join(secrets.choice(LETTERS) for _ in range(16))


class Release:
    """One release: draws a random code for each id and a random shift for each patient. No key, no hash, no crosswalk file."""

    def __init__(self, card):
        self.card = card
        rule = card.get("dates", {})
        self.rule = rule.get("rule", "year")
        self.max_days = int(rule.get("max_days", 0))
        self.as_of = read_date(str(card.get("as_of", "")))[0] or date.today()
        self.withheld = {table: set(names) for table, names in card.get("withhold", {}).items()}
        self._codes, self._used, self._shifts = {}, set(), {}

    def code(self, kind, real):
        """The code of this id: random, one per id, never given twice."""
        if not real:
            return ""
        if (kind, real) not in self._codes:
            new = draw(kind)
            while new in self._used:
                new = draw(kind)
            self._used.add(new)
            self._codes[kind, real] = new
        return self._codes[kind, real]

    def shift(self, patient):
        if patient not in self._shifts:
            span = max(1, self.max_days)
            self._shifts[patient] = (secrets.randbelow(span) + 1) * secrets.choice((-1, 1))
        return self._shifts[patient]

    def when(self, text, patient):
        """A date or time of a patient under the card's date rule."""
        if not text or not text.strip():
            return text
        day, write = read_date(text)
        if self.rule != "shift":
            if day:
                return f"{day.year:04d}"
            found = re.search(r"(?<!\d)(?:19|20)\d\d(?!\d)", text)
            return found.group() if found else ""
        if day:
            try:
                return write(day + timedelta(days=self.shift(patient)))
            except OverflowError:
                return ""
        if m := MONTH.fullmatch(text.strip()):
            moved = date(int(m[1]), max(1, min(12, int(m[2]))), 15) + timedelta(days=self.shift(patient))
            return moved.strftime("%Y-%m")
        return text if YEAR.fullmatch(text.strip()) else ""

    def age(self, born):
        return self.as_of.year - born.year - ((self.as_of.month, self.as_of.day) < (born.month, born.day))

    def birth(self, text):
        """Year of birth, or 90+."""
        born = read_date(text or "")[0]
        if born is None:
            year = re.match(r"(\d{4})\b", (text or "").strip())
            if not year:
                return ""
            return year[1] if self.as_of.year - int(year[1]) < 90 else "90+"
        return f"{born.year:04d}" if self.age(born) < 90 else "90+"
