"""What a piece of text says about a date, in the formats people write, and whether that is the truth."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ORDINALS = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
    "twenty-first",
    "twenty-second",
    "twenty-third",
    "twenty-fourth",
    "twenty-fifth",
    "twenty-sixth",
    "twenty-seventh",
    "twenty-eighth",
    "twenty-ninth",
    "thirtieth",
    "thirty-first",
]

_MONTH = (
    r"(?P<{0}>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)(?![a-z])\.?"
)
_ORDINAL = (
    "(?P<{0}>" + "|".join(o.replace("-", "[- ]?") for o in sorted(_ORDINALS, key=len, reverse=True)) + ")(?![a-z])"
)
_TH = r"(?:st|nd|rd|th)?"
_HIDDEN = r"[*#x_?]{1,2}"

# Tried in this order at each place. Letters before the underscore: y year, m month, d day, a and b either, w weekday.
# The first two groups are for speed: nothing begins inside a word or a number, or with another character.
_PATTERN = re.compile(
    r"(?:(?![a-z\d])|(?<![a-z])(?=[a-z])|(?<!\d)(?=\d))(?=[\d*#x_?\]>}jfmasondtwe])(?:"
    + "|".join(
        (
            r"(?<!\d)(?P<y_0>\d{4})[-/.](?P<m_0>\d{1,2})[-/.](?P<d_0>\d{1,2})(?!\d)(?:T[\d:.+\-Z]*)?",
            r"(?<!\d)(?P<y_1>(?:19|20)\d\d)(?P<m_1>0[1-9]|1[0-2])(?P<d_1>[0-3]\d)(?:\d{4}(?:\d\d)?)?(?!\d)",
            r"(?<![\d/])(?P<a_2>\d{1,2})(?P<s_2>[-/.])(?P<b_2>\d{1,2})(?P=s_2)(?P<y_2>\d{4}|\d{2})(?!\d)",
            # Parts hidden: 03/**/2024, XX/14/2024, 2024-03-**, 2024-XX-14, 03/**.
            rf"(?<!\d)(?P<m_3>\d{{1,2}})[-/.]{_HIDDEN}(?:[-/.](?:\d{{4}}|\d{{2}}|{_HIDDEN}))?(?!\w)",
            rf"(?<![\w]){_HIDDEN}[-/.](?P<d_4>\d{{1,2}})(?:[-/.](?:\d{{4}}|\d{{2}}|{_HIDDEN}))?(?!\w)",
            rf"(?<!\d)(?P<y_5>\d{{4}})[-/.](?P<m_5>\d{{1,2}})[-/.]{_HIDDEN}(?!\w)",
            rf"(?<!\d)(?P<y_6>\d{{4}})[-/.]{_HIDDEN}[-/.](?P<d_6>\d{{1,2}})(?!\d)",
            # A mask in the month's place: "[MONTH] 14, 2024".
            rf"[\]>}}*]\s*(?P<d_7>\d{{1,2}}){_TH},?\s+(?P<y_7>\d{{4}})(?!\d)",
            rf"(?<!\d)(?P<d_8>\d{{1,2}}){_TH}(?:\s+day)?(?:\s+of\s+|[-\s/.,]*){_MONTH.format('m_8')}"
            r"(?:[-\s/.,]*(?P<y_8>\d{4})(?!\d)|[-/.']?(?P<z_8>\d{2})(?![\d:]))?",
            rf"(?<![a-z]){_MONTH.format('m_9')}[-\s/]*(?:the\s+)?(?P<d_9>\d{{1,2}})(?!\d){_TH}(?![\d:])"
            r"(?:[-\s/.,]*(?P<y_9>\d{4})(?!\d)|(?:[-/]|,?\s*')(?P<z_9>\d{2})(?![\d:]))?",
            rf"(?<![a-z]){_ORDINAL.format('o_10')}(?:\s+day)?(?:\s+of)?\s+{_MONTH.format('m_10')}"
            r"(?:[\s,]*(?P<y_10>\d{4})(?!\d))?",
            rf"(?<![a-z]){_MONTH.format('m_11')}\s+(?:the\s+)?{_ORDINAL.format('o_11')}(?:[\s,]*(?P<y_11>\d{{4}})(?!\d))?",
            rf"(?<![a-z]){_MONTH.format('m_12')}(?:[-\s,/']*(?P<y_12>\d{{4}})(?!\d))?",
            r"(?<![\d/.])(?P<m_13>\d{1,2})[-/](?P<y_13>\d{4})(?!\d)",
            r"(?<!\d)(?P<y_14>\d{4})[-/](?P<m_14>\d{1,2})(?!\d)",
            r"(?<![\d/.])(?P<a_15>\d{1,2})[-/](?P<b_15>\d{1,2})(?![\d/])",
            r"(?<![\d/.])(?P<d_16>\d{1,2})(?:st|nd|rd|th)(?![a-z])",
            rf"(?<![a-z]){_ORDINAL.format('o_17')}",
            r"(?<![a-z])(?P<w_18>mon|tue|wed|thu|fri|sat|sun)(?:s|days?|sdays?|nesdays?|rs|rsdays?|urs|ursdays?|"
            r"urdays?)?(?![a-z])\.?",
        )
    )
    + ")",
    # Without ASCII, a long s or a dotless i passes for a letter of a month that no list has.
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True)
class Said:
    """The parts of a date that a text states; 0 is "not stated".

    year: of two digits where the text has two (1 to 100, "00" being 100). weekday: 1 Monday … 7 Sunday.
    """

    year: int = 0
    month: int = 0
    day: int = 0
    weekday: int = 0

    @classmethod
    def of_denotes(cls, denotes: str) -> Said:
        """Read a span's `denotes`: "2024-03-14", "--03-14", "2024-03", "--03", "---27"; "weekday" says nothing more."""
        match = re.match(r"(\d{4}|-)-(\d\d)?(?:-(\d\d))?", denotes)
        return cls(*(int(p) if p and p != "-" else 0 for p in match.groups())) if match else cls()


def said(text: str, day_first: bool = False) -> list[Said]:
    """Every date-like thing in `text`, in order. A bare year is not one: it may stay.

    day_first: read 03/04/2024 as the third of April.
    """
    return list(_said(text, day_first))


# All mentions of a gap are judged by the same text.
@lru_cache(maxsize=256)
def _said(text: str, day_first: bool) -> tuple[Said, ...]:
    found = []
    for match in _PATTERN.finditer(text):
        parts = {name[0]: value for name, value in match.groupdict().items() if value}
        year = int(parts.get("y") or parts.get("z") or 0)
        if "z" in parts or len(parts.get("y", "")) == 2:
            year = year or 100
        if "a" in parts:
            first, second = int(parts["a"]), int(parts["b"])
            month, day = (second, first) if (day_first and second <= 12) or first > 12 else (first, second)
        else:
            name = parts.get("m", "0")
            month = int(name) if name.isdigit() else _MONTHS.index(name[:3].lower()) + 1
            day = int(parts.get("d", 0))
        if "o" in parts:
            day = _ORDINALS.index(re.sub(r"^(twenty|thirty)[- ]?(?=[a-z])", r"\1-", parts["o"].lower())) + 1
        weekday = _DAYS.index(parts["w"].lower()) + 1 if "w" in parts else 0
        if month <= 12 and day <= 31 and not ("a" in parts and 0 in (month, day)):
            found.append(Said(year, month, day, weekday))
    return tuple(found)


def reads_day_first(text: str, truth: Said) -> bool:
    """Whether the author of `text`, who meant `truth`, wrote numbers as day/month."""
    month_first, day_first = ([(s.month, s.day) for s in said(text, order)] for order in (False, True))
    return (truth.month, truth.day) in day_first and (truth.month, truth.day) not in month_first


def years_differ(one: Said, other: Said) -> bool:
    """Whether both state a year and not the same; "24" is 1924 as well as 2024."""
    short = 0 < one.year <= 100 or 0 < other.year <= 100
    return bool(one.year and other.year) and (one.year - other.year) % (100 if short else 10_000) != 0


def may_say(text: str, truth: Said) -> bool:
    """Whether a quick look finds the day of the month in folded `text`; where it does not, `said` need not look."""
    number = rf"(?<![1-9])0?{truth.day}(?!\d)|{truth.month:02d}{truth.day:02d}"
    return re.search(number, text) is not None or _ORDINALS[truth.day - 1].split("-")[-1] in text


def tells(found: Said, truth: Said) -> bool:
    """Whether what was found gives away a part of the truth other than its year.

    A full other day gives nothing away, though it may share the month or the day of the month with the truth.
    """
    if years_differ(found, truth):
        return False
    if found.month and found.day and truth.month and truth.day:
        return (found.month, found.day) == (truth.month, truth.day)
    if found.month and truth.month:
        return found.month == truth.month
    if found.day and truth.day:
        return found.day == truth.day and not found.month
    return bool(found.weekday) and found.weekday == truth.weekday
