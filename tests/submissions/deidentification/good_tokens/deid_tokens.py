"""Tokens: a folded text cut into words, numbers and single signs, each with tags that rules ask for.

A token knows no context; what stands around it is the business of the rules. Tags are names of shapes ("CAP", "N4"),
of word classes ("MONTH", "RELATION"), in capitals, and the token itself in lower case ("lives").
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from deid_words import CLASSES, EXTENSIONS, MONTHS, ORDINALS, SUFFIXES

PIECE = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)?|\d+|\n|[^\sA-Za-z\d]")


# Signs that the pattern language uses itself.
BRACKETS = {"(": "LPAR", ")": "RPAR", "|": "BAR", "<": "LT", ">": "GT"}


@dataclass(slots=True)
class Token:
    start: int
    end: int
    raw: str
    low: str
    glued: bool  # nothing stands between it and the token before
    tags: frozenset


def tokens_of(text):
    tokens, last = [], -1
    for piece in PIECE.finditer(text):
        raw = piece[0]
        tokens.append(Token(piece.start(), piece.end(), raw, raw.lower(), piece.start() == last, tags_of(raw)))
        last = piece.end()
    tag_runs(tokens)
    return tokens


@lru_cache(maxsize=100_000)
def tags_of(raw):
    low = raw.lower()
    tags = {low, "ANY" if raw != "\n" else "NEWLINE"}
    if raw.isdigit():
        tags |= {"ALNUM", "NUM", f"N{len(raw)}"} | number_tags(raw)
    elif raw[0].isalpha():
        tags |= {"ALNUM", "WORD", f"W{len(raw)}"} | word_tags(raw, low)
    if raw in BRACKETS:
        tags.add(BRACKETS[raw])
    if raw not in "\n.,;:|()[]!?\"" and not raw[0].isalnum():
        tags.add("JOINT")
    if raw not in "\n.,;|":
        tags.add("INCLAUSE")
    return frozenset(tags)


def number_tags(raw):
    value, tags = int(raw[:18]), set()
    if len(raw) <= 2:
        tags |= {"DAY"} if 1 <= value <= 31 else set()
        tags |= {"MM"} if 1 <= value <= 12 else set()
        tags |= {"YY"} if len(raw) == 2 else set()
    if len(raw) == 4 and raw[:2] in ("19", "20"):
        tags.add("YYYY")
    if len(raw) == 8 and raw[:2] in ("19", "20") and 1 <= int(raw[4:6]) <= 12 and 1 <= int(raw[6:]) <= 31:
        tags.add("YYYYMMDD")
    if 90 <= value <= 125 and len(raw) <= 3:
        tags.add("OLD")
    if len(raw) <= 3 and value <= 255:
        tags.add("OCTET")
    if len(raw) >= 6:
        tags.add("N6UP")
    if len(raw) >= 7:
        tags.add("N7UP")
    return tags


def word_tags(raw, low):
    tags = {name.upper() for name, words in CLASSES.items() if low in words}
    if raw[0].isupper():
        tags.add("CAP" if len(raw) > 1 else "I")
        if low in MONTHS:
            tags.add("CAPMONTH")
    else:
        tags.add("SMALL")
    if raw.isupper() and len(raw) > 1:
        tags.add("SHOUT")
    if low in MONTHS and raw != "may":
        tags.add("MONTH")
    if low in ORDINALS:
        tags.add("ORDINAL")
    if low in SUFFIXES and raw[0].isupper():
        tags.add("SUFFIX")
    if low in EXTENSIONS:
        tags.add("FILE")
    if all(c in "abcdef" for c in low):
        tags.add("HEX")
    return tags


def tag_runs(tokens):
    """The first token of letters and digits without gaps, as "1M8WURCEZKH853665", is tagged with the run's shape."""
    i = 0
    while i < len(tokens):
        j = i + 1
        while "ALNUM" in tokens[i].tags and j < len(tokens) and tokens[j].glued and "ALNUM" in tokens[j].tags:
            j += 1
        if j > i + 1:
            run = "".join(t.low for t in tokens[i:j])
            digits = sum(c.isdigit() for c in run)
            tags = {"MIXED"}
            if digits >= 6 or len(run) == 17 and digits >= 3 or len(run) >= 16 and set(run) <= set("0123456789abcdef"):
                tags.add("LONGRUN")
            if digits >= 2:
                tags.add("DIGITS2")
            tokens[i].tags = tokens[i].tags | tags
        elif "NUM" in tokens[i].tags and len(tokens[i].raw) >= 2:
            tokens[i].tags = tokens[i].tags | {"DIGITS2"}
        i = j
