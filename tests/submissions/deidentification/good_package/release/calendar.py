"""Moving dates in structured fields."""

import re
from datetime import date, timedelta

FULL = re.compile(r"^(\d{4})-(\d\d)-(\d\d)(.*)$", re.S)
COMPACT = re.compile(r"^(\d{4})(\d\d)(\d\d)$")
MONTH = re.compile(r"^(\d{4})-(\d\d)$")


def move(text, days):
    """The same text with its date moved; the time of day and the offset stay. '' if it is no date."""
    if not text:
        return text
    try:
        if m := FULL.match(text):
            return (date(int(m[1]), int(m[2]), int(m[3])) + timedelta(days)).isoformat() + m[4]
        if m := COMPACT.match(text):
            return (date(int(m[1]), int(m[2]), int(m[3])) + timedelta(days)).strftime("%Y%m%d")
        if m := MONTH.match(text):
            return (date(int(m[1]), int(m[2]), 15) + timedelta(days)).strftime("%Y-%m")
        if re.fullmatch(r"\d{4}", text):
            return str((date(int(text), 7, 1) + timedelta(days)).year)
    except (ValueError, OverflowError):
        pass
    return ""


def day(text):
    m = FULL.match(text or "")
    return date(int(m[1]), int(m[2]), int(m[3])) if m else None


def age(born, on):
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def birth(text, as_of):
    """The year of birth, '90+' or ''."""
    m = re.match(r"^(\d{4})", text or "")
    if not m:
        return ""
    born = day(text)
    old = age(born, as_of) >= 90 if born else as_of.year - int(m[1]) >= 90
    return "90+" if old else m[1]
