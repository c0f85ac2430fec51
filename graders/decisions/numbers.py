"""Numbers in a written text: which there are, which query stands behind one, and whether a value agrees with it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from math import isfinite

# Half a page has a tenth of it.
MOST_TEXT = 40_000
# More is no figure; a float of 400 digits is infinite.
MOST_DIGITS = 30
# The numbers before a query in its sentence that it may be of.
MOST_RIVALS = 20
MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
MONTH = rf"\b(?:{MONTHS})[a-z]{{0,9}}\.?"
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

GAP, DIGITS = r"\s{1,9}", rf"\d{{1,{MOST_DIGITS}}}"
# What is read from left to right; only `number` is a claim. The order says what wins. A text is a stranger's: what may
# be followed by something else has an end, or its length is squared.
TOKEN = re.compile(
    rf"""
    (?P<skip>
        https?://\S+
      | ^[ \t]{{0,40}}\#{{1,6}}[ ][^\n]*                           # headings
      | ^[ \t>]{{0,40}}\d{{1,3}}[.)](?=\s)                         # list numbers
      | \b\d{{4}}-\d{{2}}(?:-\d{{2}})?(?:T[\d:.]{{1,30}}Z?)?\b      # days
      | \b\d{{1,2}}/\d{{1,2}}/\d{{2,4}}\b | \b\d{{1,2}}:\d{{2}}(?::\d{{2}})?\b
      | {MONTH}{GAP}\d{{1,2}}(?:,?{GAP}\d{{4}})?\b | {MONTH}{GAP}\d{{4}}\b
      | \b\d{{1,2}}\.?{GAP}{MONTH}(?:{GAP}\d{{4}})?\b
      | (?:\bCFR|§{{1,3}}|\b(?:{NUMBERED}))\s{{0,9}}\d[\w.:-]{{0,99}}(?:\(\w{{1,9}}\)){{0,9}}
      | \b{DIGITS}(?:\.{DIGITS})?\([a-z0-9]{{1,3}}\)\S*         # 164.312(b)
      | \b{DIGITS}{GAP}(?:CFR|U\.?S\.?C)\b\.?\s{{0,9}}(?:part{GAP})?[\d.]{{0,99}}(?:\(\w{{1,9}}\)){{0,9}}
      | \b{DIGITS}(?:\.{DIGITS}){{2,20}}\b                       # versions, addresses
      | \b{DIGITS}\+ | \b{DIGITS}(?:st|nd|rd|th)\b              # 90+, 26th
      | \b{DIGITS}(?:[-/]{DIGITS}){{2,20}}\b | \b\d{{3}}-\d{{4}}\b | \b0{DIGITS}\b   # telephones, ZIP codes
      | \b[^\W\d]\w*(?:[-'\u2019./_:]\w+)*                      # words and identifiers
    )
  | (?P<range>
        \b{DIGITS}(?:\.{DIGITS})?\s?%?\s?(?:[-\u2013\u2014/]|\bto\b)\s?{DIGITS}(?:\.{DIGITS})?(?:\s?%)?(?!\w)
    )
  | (?P<number>
        (?:(?<![\w)])[-\u2212+])?
        (?P<digits>
            (?<![\w.,])(?:[1-9]\d{{0,2}}(?:[,'\u2009\u202f\u00a0]\d{{3}}){{1,20}}|{DIGITS})(?:\.{DIGITS})?
          | (?<![\w.,])\.{DIGITS}
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
LITERAL = re.compile(r"(?<![\w.])(?:0x[0-9a-f]+|(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?)(?!\w)", re.IGNORECASE)
HUNDRED = re.compile(r"(?<![\w.])100(?:\.0*)?(?![\w.])")
WORD = re.compile(r"\w")
YEAR = re.compile(r"(?:19|20)\d\d")
# A query in a span of code or a fenced block; other code is no text.
FENCE = re.compile(r"^[ \t>]*(?P<mark>```+|~~~+)(?P<body>.*?)(?:^[ \t>]*(?P=mark)[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)
TICKS = re.compile(r"`+|\n[ \t]*\n")
LANGUAGE = re.compile(r"sql(?:ite)?[ \t]*\n", re.IGNORECASE)
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

    def typed_in(self, query: str, computed: float) -> bool:
        """Does a query hold this value, or the one that it gives, as a number of its own? As a percentage, too."""
        for value in literals(query):
            for same in (value, value / 100, value * 100):
                close = abs(same - computed) <= 1e-9 * max(1e-3, abs(computed))
                if close or replace(self, sign="=").near(same):
                    return True
        return False

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


@dataclass(frozen=True)
class Code:
    """A span or block of code in a text, from begin to end. body: what is in it."""

    begin: int
    end: int
    body: str


def read(text: str) -> list[Claim]:
    """Every number of a Markdown text in its order, with the query that follows it or alone.

    A query is of the last number before it in its sentence, or of one of its rivals there.  Dates, versions, headings,
    list numbers, sections, identifiers and code are no numbers.
    """
    text = text[:MOST_TEXT].replace("\r\n", "\n").replace("\r", "\n")
    pieces = code(text)
    prose = masked(text, pieces)
    found = {claim.place: claim for claim in numbers(prose)}
    places = list(found)
    for begin, start, sql in queries(prose, pieces):
        near = places[bisect_left(places, start) : bisect_left(places, begin)]
        # A year is not what a sentence counts, nor is a range, unless there is nothing else.
        for chosen in (
            [p for p in near if found[p].number and not is_year(found[p])],
            [p for p in near if found[p].number],
            near,
        ):
            if chosen:
                last = found[chosen[-1]]
                found[chosen[-1]] = replace(last, query=sql, rivals=tuple(chosen[:-1][-MOST_RIVALS:]))
                break
        else:
            found[begin] = Claim(begin, line_of(text, begin), "", None, sql)
    return [found[place] for place in sorted(found) if found[place].query or not is_year(found[place])]


def is_year(claim: Claim) -> bool:
    """Does it look like one?"""
    return bool(YEAR.fullmatch(claim.text))


def queries(prose: str, pieces: list[Code]) -> Iterator[tuple[int, int, str]]:
    """(where it begins, where its number may begin, SQL) of each query."""
    last = 0
    for piece in pieces:
        sql = query_of(piece.body)
        if not sql:
            continue
        # The sentence is the last that has a word.
        words = piece.begin
        while words > last and not WORD.match(prose, words - 1):
            words -= 1
        ends = [b.end() for b in BREAK.finditer(prose, last, piece.begin)]
        yield piece.begin, max((end for end in ends if end < words), default=last), sql
        last = piece.end


def query_of(body: str) -> str:
    """The SQL of a piece of code, or ""."""
    body = body.lstrip()
    language = LANGUAGE.match(body)
    body = body[language.end() :].lstrip() if language else body
    return body[1:].strip() if body.startswith("=") else ""


def code(text: str) -> list[Code]:
    """Spans and blocks of code, in order."""
    fences = [Code(m.start(), m.end(), m["body"]) for m in FENCE.finditer(text)]
    return sorted([*fences, *spans(masked(text, fences))], key=lambda piece: piece.begin)


def spans(text: str) -> Iterator[Code]:
    """Spans of code: from some backticks to the next that are as many, in one paragraph."""
    runs = list(TICKS.finditer(text))
    closing, ends = dict[int, int](), dict[int, int]()
    for i in reversed(range(len(runs))):
        if runs[i][0][0] == "\n":
            closing = {}
            continue
        length = len(runs[i][0])
        if length in closing:
            ends[i] = closing[length]
        closing[length] = i
    i = 0
    while i < len(runs):
        if i in ends:
            first, final = runs[i], runs[ends[i]]
            yield Code(first.start(), final.end(), text[first.end() : final.start()])
        i = ends.get(i, i) + 1


def masked(text: str, pieces: list[Code]) -> str:
    """The text with its code blanked, every other character where it was. pieces: in order."""
    parts, last = [], 0
    for piece in pieces:
        parts += [text[last : piece.begin], blanked(text[piece.begin : piece.end])]
        last = piece.end
    return "".join([*parts, text[last:]])


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
        if match["number"] and sum(c.isdigit() for c in match["digits"]) <= MOST_DIGITS:
            sign = SIGN.search(prose[max(0, place - 24) : place])
            number = written(match, line, sign[0].strip() if sign else "")
            yield Claim(place, line, number.text, number)
        else:
            text = " ".join(match[0].split())
            yield Claim(place, line, text if len(text) <= 2 * MOST_DIGITS else f"{text[:MOST_DIGITS]}…", None)


def written(match: re.Match[str], line: int, sign: str) -> Written:
    """The number of a match. sign: the words before it that qualify it."""
    digits = re.sub(r"[^\d.]", "", match["digits"])
    # `get`: to a regular expression without regard to case, the long s (U+017F) is an s; to lower() it is not.
    scale = 10 ** TIMES.get((match["times"] or "").lower(), 0)
    negative = match[0].lstrip()[:1] in "-\u2212"
    value = float(digits) * scale * (-1 if negative else 1)
    unit = 10.0 ** -len(digits.partition(".")[2]) * scale
    relation = BEFORE.get(" ".join(sign.lower().split()), "=")
    if relation == "~" and "." not in digits:
        # "About 1,200" is written to the hundreds, "about 100" to the tens.
        zeros = len(digits) - len(digits.rstrip("0"))
        unit *= 10 ** max(0, min(zeros, len(digits) - 2))
    text = " ".join(f"{sign} {match[0]}".split())
    return Written(text, line, value, unit, bool(match["percent"]), relation)


def line_of(text: str, place: int) -> int:
    """From 1."""
    return text.count("\n", 0, place) + 1


@lru_cache(maxsize=MOST_RIVALS)
def literals(query: str) -> tuple[float, ...]:
    """The values of all numbers in a query, those in its strings among them."""
    found = {match[0].lower() for match in LITERAL.finditer(query)}
    values = (float(int(text[2:18], 16)) if text.startswith("0x") else float(text) for text in found)
    return tuple(sorted(value for value in values if isfinite(value)))
