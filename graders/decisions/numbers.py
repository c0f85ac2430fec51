"""Numbers in a written text: which there are, which query stands behind one, and whether a value agrees with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

# Half a page has a tenth of it.
MOST_TEXT = 40_000
MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
MONTH = rf"\b(?:{MONTHS})[a-z]*\.?"
NUMBERED = (
    r"sections?|sec\.|art(?:icle|\.)|chapter|eq\.|fig(?:ure|\.)|table|lines?|page|step|version|rfc|iso|python|fhir|tier"
)
# Words before a number that make it a bound or an estimate.
RELATIONS = {
    "~": "about around roughly approximately nearly almost some circa ca. c. ~ ≈",
    "≤": "no_more_than not_more_than at_most up_to ≤ <=",
    "≥": "no_fewer_than no_less_than not_less_than at_least ≥ >=",
    ">": "more_than over above > exceeds",
    "<": "fewer_than less_than under below <",
}
BEFORE = {
    word.replace("_", " "): sign for sign, words in RELATIONS.items() for word in words.split()
}  # the longer ones first: "no more than" ends in "more than"
SIGN = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(BEFORE, key=len, reverse=True)))})\s*$", re.IGNORECASE)

# What is read from left to right; only `number` is a claim. The order says what wins.
TOKEN = re.compile(
    rf"""
    (?P<skip>
        https?://\S+
      | ^[ \t]*\#{{1,6}}[ ][^\n]*                                 # headings
      | ^[ \t>]*\d{{1,3}}[.)](?=\s)                               # list numbers
      | \b\d{{4}}-\d{{2}}(?:-\d{{2}})?(?:T[\d:.]+Z?)?\b            # days
      | \b\d{{1,2}}/\d{{1,2}}/\d{{2,4}}\b | \b\d{{1,2}}:\d{{2}}(?::\d{{2}})?\b
      | {MONTH}\s+\d{{1,2}}(?:,?\s+\d{{4}})?\b | \b\d{{1,2}}\.?\s+{MONTH}(?:\s+\d{{4}})?\b | {MONTH}\s+\d{{4}}\b
      | (?:\bCFR|§+|\b(?:{NUMBERED}))\s*\d[\w.:-]*(?:\(\w+\))*
      | \b\d+(?:\.\d+)?\([a-z0-9]{{1,3}}\)\S*                   # 164.312(b)
      | \b\d+\s+(?:CFR|U\.?S\.?C)\b\.?\s*(?:part\s+)?[\d.]*(?:\(\w+\))*
      | \b\d+(?:\.\d+){{2,}}\b                                  # versions, addresses
      | \b\d+\+ | \b\d+(?:st|nd|rd|th)\b                       # 90+, 26th
      | \b\d+(?:[-/]\d+){{2,}}\b | \b\d{{3}}-\d{{4}}\b | \b0\d+\b   # telephones, ZIP codes
      | \b[^\W\d]\w*(?:[-'\u2019./_:]\w+)*                      # words and identifiers
    )
  | (?P<range> \b\d+(?:\.\d+)?\s?%?\s?(?:[-\u2013\u2014/]|\bto\b)\s?\d+(?:\.\d+)?(?:\s?%)?(?!\w) )
  | (?P<number>
        (?:(?<![\w)])[-\u2212+])?
        (?P<digits>
            (?<![\w.,])(?:[1-9]\d{{0,2}}(?:[,'\u2009\u202f\u00a0]\d{{3}})+|\d+)(?:\.\d+)? | (?<![\w.,])\.\d+
        )
        (?: [ \u00a0\u202f]?(?P<percent>%|percent\b|per[ ]cent\b)
          | [ ]?(?P<times>k\b|thousand\b|million\b) | -?fold\b | x\b | \u00d7 )?
        (?!\w|[.,:]\d)
    )
  | (?P<other> \d[\w.,:-]* )
    """,
    re.VERBOSE | re.MULTILINE | re.IGNORECASE,
)
TIMES = {"": 0, "k": 3, "thousand": 3, "million": 6}
HUNDRED = re.compile(r"(?<![\w.])100(?:\.0*)?(?![\w.])")
YEAR = re.compile(r"(?:19|20)\d\d")
# A query in a span of code or a fenced block; other code is no text.
FENCE = re.compile(r"^[ \t>]*(?P<mark>```+|~~~+)(?P<body>.*?)(?:^[ \t>]*(?P=mark)[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"(?<!`)(?P<mark>`+)(?!`)(?P<body>(?:(?!\n[ \t]*\n).)+?)(?<!`)(?P=mark)(?!`)", re.DOTALL)
QUERY = re.compile(r"(?:\s*sql(?:ite)?\s*\n)?\s*=\s*(?P<sql>\S.*)", re.DOTALL | re.IGNORECASE)
# Where a sentence, a paragraph or an item of a list ends.
BREAK = re.compile(r"\n[ \t]*\n|\n[ \t]*(?:[-*+]|\d{1,3}[.)])[ \t]|[.!?][)\"'*_]*(?=\s+[A-Z0-9(\"'*_`]|\s*\Z)|\|")


@dataclass(frozen=True)
class Written:
    """A number as it is written. text: with what qualifies it, for people.  line: from 1.

    value: in its own unit, percent not divided.  unit: of the last digit written.  sign: "=" or one of RELATIONS.
    """

    text: str
    line: int
    value: float
    unit: float
    percent: bool = False
    sign: str = "="

    def agrees(self, computed: float, query: str = "") -> bool:
        """Is it this value, at the precision it is written with?

        Of a percentage, `computed` may be percent or a share.  What lies within 1 is a share, unless `query`, which
        gave it, has a 100 in it: "0.13 %" is not 13 %.
        """
        if not self.percent:
            return self.near(computed)
        scales = (1, 100) if abs(computed) > 1 else (1,) if HUNDRED.search(query) else (100,)
        return any(self.near(scale * computed) for scale in scales)

    def near(self, computed: float) -> bool:
        """The same, of a value in the number's own unit."""
        # Half a unit is where rounding ends; whether 0.5 goes up or down is no mistake of anybody's.
        slack = self.unit / 2 + 1e-9 * max(1.0, abs(self.value))
        if self.sign == "~":
            return abs(computed - self.value) <= 2 * slack
        if self.sign in "<≤":
            return computed < self.value or (self.sign == "≤" and abs(computed - self.value) <= slack)
        if self.sign in ">≥":
            return computed > self.value or (self.sign == "≥" and abs(computed - self.value) <= slack)
        return abs(computed - self.value) <= slack


@dataclass(frozen=True)
class Claim:
    """A number of a text. place: where it stands.  number: None for a range, and for a query that follows no number.

    query: the SQL that follows it, or "".  rivals: places of the numbers before it that the query could be of as well.
    """

    place: int
    line: int
    text: str
    number: Written | None
    query: str = ""
    rivals: tuple[int, ...] = ()


def read(text: str) -> list[Claim]:
    """Every number of a Markdown text in its order, with the query that follows it or alone.

    A query is of the last number before it in its sentence, or of one of its rivals there.  Dates, versions, headings,
    list numbers, sections, identifiers and code are no numbers.
    """
    text = text[:MOST_TEXT].replace("\r\n", "\n").replace("\r", "\n")
    prose = masked(text)
    found = {claim.place: claim for claim in numbers(prose)}
    for begin, start, sql in spans(text):
        near = [place for place in found if start <= place < begin]
        # A year is not what a sentence counts, nor is a range, unless there is nothing else.
        for chosen in (
            [p for p in near if found[p].number and not is_year(found[p])],
            [p for p in near if found[p].number],
            near,
        ):
            if chosen:
                last = found[chosen[-1]]
                found[chosen[-1]] = replace(last, query=sql, rivals=tuple(chosen[:-1]))
                break
        else:
            found[begin] = Claim(begin, line_of(text, begin), "", None, sql)
    return [found[place] for place in sorted(found) if found[place].query or not is_year(found[place])]


def is_year(claim: Claim) -> bool:
    """Does it look like one?"""
    return bool(YEAR.fullmatch(claim.text))


def spans(text: str) -> Iterator[tuple[int, int, str]]:
    """(where it begins, where its number may begin, SQL) of each query."""
    blank, last = masked(text), 0
    for match in code(text):
        query = QUERY.fullmatch(match["body"])
        if not query:
            continue
        begin, start = match.start(), last
        breaks = [b.end() for b in BREAK.finditer(blank, last, begin)]
        for place in reversed(breaks):
            if re.search(r"\w", blank[place:begin]):
                start = place
                break
        yield begin, start, query["sql"].strip()
        last = match.end()


def code(text: str) -> list[re.Match[str]]:
    """Spans and blocks of code, in order."""
    fences = list(FENCE.finditer(text))
    inside = FENCE.sub(lambda m: blanked(m[0]), text)
    return sorted([*fences, *SPAN.finditer(inside)], key=lambda m: m.start())


def masked(text: str) -> str:
    """The text with its code blanked, every other character where it was."""
    for match in code(text):
        text = text[: match.start()] + blanked(match[0]) + text[match.end() :]
    return text


def blanked(text: str) -> str:
    """White space of the same shape."""
    return re.sub(r"[^\n]", " ", text)


def numbers(prose: str) -> Iterator[Claim]:
    """Every number, without a query."""
    line, seen = 1, 0
    for match in TOKEN.finditer(prose):
        if match["skip"]:
            continue
        place = match.start()
        line, seen = line + prose.count("\n", seen, place), place
        if match["number"]:
            sign = SIGN.search(prose[max(0, place - 24) : place])
            number = written(match, line, sign[0].strip() if sign else "")
            yield Claim(place, line, number.text, number)
        else:
            yield Claim(place, line, " ".join(match[0].split()), None)


def written(match: re.Match[str], line: int, sign: str) -> Written:
    """The number of a match. sign: the words before it that qualify it."""
    digits = re.sub(r"[^\d.]", "", match["digits"])
    scale = 10 ** TIMES[(match["times"] or "").lower()]
    negative = match[0].lstrip()[:1] in "-\u2212"
    value = float(digits) * scale * (-1 if negative else 1)
    unit = 10.0 ** -len(digits.partition(".")[2]) * scale
    relation = BEFORE[" ".join(sign.lower().split())] if sign else "="
    if relation == "~" and "." not in digits:
        # "About 1,200" is written to the hundreds, "about 100" to the tens.
        zeros = len(digits) - len(digits.rstrip("0"))
        unit *= 10 ** max(0, min(zeros, len(digits) - 2))
    text = " ".join(f"{sign} {match[0]}".split())
    return Written(text, line, value, unit, bool(match["percent"]), relation)


def line_of(text: str, place: int) -> int:
    """From 1."""
    return text.count("\n", 0, place) + 1
