"""Which direct identifiers of a row or resource can still be read in it after de-identification."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from graders.measures.dates import Said, may_say, said, years_differ
from graders.measures.disguises import Codes
from graders.measures.mentions import CODE_KINDS, SMALL_ZIP3, identifying_words
from graders.measures.tokens import WORD, fold, spelled, visible

LONGEST_READ = 4_000
"""Characters of one row or resource that are read. In a longer one every identifier counts as left.

Twice the longest resource of the kit's own data. They are counted as given, and once more as `visible` text:
one character may stand for eighteen.
"""

_CELL = "\x1e"  # ASCII record separator: no identifier runs from one cell into the next
_TOKEN = re.compile(rf"{WORD.pattern}|{_CELL}")
_NUMBER = re.compile(r"\d(?:[ ().\-/+_]{0,3}\d)*")
# With any separators, such as colons. Times run together as well, so that only long numbers are looked for in these.
_LOOSE_NUMBER = re.compile(rf"\d(?:[^\w{_CELL}]{{0,3}}\d){{6,}}")
_NOT_DIGITS = re.compile(r"\D+")


@dataclass(frozen=True)
class Leaks:
    """how: (identifiers,) "" where it is gone, else plain, reversed, encoded, hashed or "not read".

    not read: the owner's output has more characters than LONGEST_READ or more codes than disguises.MOST_CODES.
    """

    how: npt.NDArray[np.object_]

    @property
    def leaked(self) -> npt.NDArray[np.bool_]:
        """(identifiers,) True where the identifier can still be read."""
        return np.asarray(self.how != "", bool)


@dataclass(frozen=True)
class _Row:
    """One row's or resource's output, in the forms in which it is searched."""

    words: frozenset[str]
    cells: str  # letters and digits only, cells apart
    spelled: str  # what single characters in a row spell, apart
    numbers: frozenset[str]  # runs of digits, separators inside them removed
    bare_numbers: frozenset[str]  # the same without leading zeros
    long_numbers: str  # those of six digits or more, apart
    loose_numbers: str  # the same of seven or more, whatever stands between the digits
    text: str

    @classmethod
    def of(cls, text: str) -> _Row:
        """text: as `visible`."""
        text = fold(text)
        tokens = _TOKEN.findall(text)
        words = frozenset(tokens)
        numbers = frozenset(_digits(_NUMBER.findall(text)))
        return cls(
            words,
            "".join(tokens),
            _CELL.join(spelled("  " if t == _CELL else t for t in tokens)),
            numbers,
            frozenset(n.lstrip("0") for n in numbers),
            _CELL.join(n for n in numbers if len(n) >= 6),
            _CELL.join(_digits(_LOOSE_NUMBER.findall(text.replace("_", "-")))),
            text,
        )

    @cached_property
    def dates(self) -> list[Said]:
        """The dates it states."""
        return said(self.text.replace(_CELL, " ; "))


@dataclass(frozen=True)
class _Identifier:
    """One identifier of a row, in the forms in which it is searched for."""

    kind: str
    value: str
    words: tuple[str, ...]
    whole: str
    digits: str
    bare: str  # the digits without leading zeros

    @classmethod
    def of(cls, kind: str, value: str) -> _Identifier:
        words = tuple(w for w in identifying_words(kind, value) if len(w) > 1)
        whole = "".join(WORD.findall(fold(visible(value))))
        digits = "".join(c for c in whole if c.isdigit())
        return cls(kind, value, words, whole, digits, digits.lstrip("0"))

    @cached_property
    def backwards(self) -> _Identifier | None:
        """Written backwards; None for short words, dates and ZIP codes, which are other ones then ("Ana", 12/11)."""
        if self.kind == "DATE" or len(self.whole) < (6 if self.whole.isdigit() else 5):
            return None
        words = tuple(w[::-1] for w in self.words if len(w) >= 5)
        return replace(self, words=words, whole=self.whole[::-1], digits=self.digits[::-1], bare=self.bare[::-1])

    @cached_property
    def hashed_as(self) -> list[str]:
        """The texts of it that people hash."""
        words = self.words if self.kind == "NAME" else ()
        return list(dict.fromkeys([self.value, *words, *(w.capitalize() for w in words)]))

    def stands_in(self, row: _Row, allowed: frozenset[str]) -> bool:
        """Whether it can be read in a row whose kept cells rightly hold the words `allowed`."""
        if self.kind == "DATE":
            mine = said(self.value)
            if not mine or not may_say(row.text, mine[0]):
                return False
            return any(_same_day(mine[0], other) for other in row.dates)
        if self.kind == "LOCATION" and self.whole.isdigit() and len(self.whole) == 5:
            # A ZIP code: the first three digits may stay, save where few people live. "0.059" is no ZIP code.
            if any(n.startswith(self.whole) and len(n) in (5, 9) for n in row.numbers):
                return True
            area = self.whole[:3]
            return area in SMALL_ZIP3 and re.search(rf"(?<![\d.,:-]){area}(?![\d.,:-])", row.text) is not None
        if self.kind in CODE_KINDS or self.whole.isdigit():
            return self._number_stands_in(row)
        if self.kind in {"NAME", "LOCATION"}:
            if any(w in row.words and w not in allowed for w in self.words if w.isalpha() or len(w) > 3):
                return True
        elif len(self.words) > 0 and all(w in row.words for w in self.words) and not allowed.issuperset(self.words):
            return True
        if row.spelled and any(w in row.spelled and w not in allowed for w in (*self.words, self.whole) if len(w) >= 4):
            return True
        # One word inside a longer one is another word: "Quinteros", "parkinsonism".
        apart = self.kind not in {"NAME", "LOCATION"} or len(self.words) > 1
        return apart and len(self.whole) >= 6 and not allowed.issuperset(self.words) and self.whole in row.cells

    def _number_stands_in(self, row: _Row) -> bool:
        bare = self.bare
        if len(bare) >= 5 and (bare in row.bare_numbers or bare in row.spelled):
            return True
        # Longer runs hold a country code, an extension, ".0" or a neighbour; short numbers would turn up by chance.
        if (len(bare) >= 6 and bare in row.long_numbers) or (len(bare) >= 7 and bare in row.loose_numbers):
            return True
        if len(self.digits) >= 4 and self.digits in row.numbers:
            return True
        return len(self.whole) >= 6 and not self.whole.isdigit() and self.whole in row.cells


def _digits(runs: list[str]) -> Iterator[str]:
    return (run if run.isdigit() else _NOT_DIGITS.sub("", run) for run in runs)


def _same_day(mine: Said, other: Said) -> bool:
    """The same month and day, and no other year."""
    return not years_differ(mine, other) and bool(other.day) and (mine.month, mine.day) == (other.month, other.day)


class IdentifierScan:
    """Looks for each owner's own identifiers in the output that belongs to the owner, and nowhere else.

    identifiers: one row per place that held a direct identifier: owner (the row or resource, any hashable), kind (as
    for mentions in notes), value (text).
    kept: owner, text of the cells that may stay. A name or place word that they hold themselves, as of a Mr. White
    whose race is "White", is no evidence.

    Every cell of an owner is searched for all its identifiers. To hold a date against its own column only, as shifted
    dates require, let the owner be the cell.
    """

    def __init__(self, identifiers: pd.DataFrame, kept: pd.DataFrame | None = None) -> None:
        values = identifiers["value"].astype("str").fillna("").tolist()
        kinds = identifiers["kind"].tolist()
        self._count = len(identifiers)
        self._places: dict[Hashable, list[int]] = {}
        for place, owner in enumerate(identifiers["owner"].tolist()):
            self._places.setdefault(owner, []).append(place)
        made: dict[tuple[str, str], _Identifier] = {}
        self._identifiers = [
            made.get(key) or made.setdefault(key, _Identifier.of(*key)) for key in zip(kinds, values, strict=True)
        ]
        self._allowed = (
            {}
            if kept is None
            else {owner: frozenset(WORD.findall(fold(visible(text)))) for owner, text in _by_owner(kept)}
        )

    def scan(self, rows: pd.DataFrame) -> Leaks:
        """Judge every identifier against the output.

        rows: owner, text; any number of cells per owner. An owner without rows has nothing left.
        """
        how = np.full(self._count, "", dtype=object)
        # A loop over owners: each is searched for its own identifiers only, by substring search in C.
        for owner, text in _by_owner(rows):
            places = self._places.get(owner)
            if places is None:
                continue
            for place, way in self._search(places, text, self._allowed.get(owner, frozenset())):
                how[place] = way
        return Leaks(how)

    def _search(self, places: Iterable[int], text: str, allowed: frozenset[str]) -> Iterator[tuple[int, str]]:
        shown = visible(text, LONGEST_READ) if len(text) <= LONGEST_READ else text
        codes = Codes.of(shown) if len(shown) <= LONGEST_READ else Codes(too_many=True)
        inside = _CELL.join(codes.readable)
        if codes.too_many or len(inside) > LONGEST_READ:
            yield from ((place, "not read") for place in places)
            return
        row = _Row.of(shown)
        hidden = _Row.of(inside) if inside else None
        glued = self._glued(places, row.words)
        for place in places:
            identifier = self._identifiers[place]
            if not identifier.whole:
                continue
            backwards = identifier.backwards
            in_one_word = identifier.kind == "NAME" and not glued.isdisjoint(identifier.words)
            if in_one_word or identifier.stands_in(row, allowed):
                yield place, "plain"
            elif backwards and backwards.stands_in(row, allowed):
                yield place, "reversed"
            elif hidden and identifier.stands_in(hidden, frozenset()):
                yield place, "encoded"
            elif codes.hash_any(identifier.hashed_as):
                yield place, "hashed"

    def _glued(self, places: Iterable[int], words: frozenset[str]) -> set[str]:
        """The words of names that stand in one of `words` with another of them: "rosaquintero"."""
        names = {w for p in places if self._identifiers[p].kind == "NAME" for w in self._identifiers[p].words}
        initials = {name[0] for name in names}
        candidates = [word for word in words if len(word) >= 6 and word[0] in initials]
        pairs = ((n, word[len(n) :]) for word in candidates for n in names if word.startswith(n))
        return {name for pair in pairs if pair[1] in names and pair[0] != pair[1] for name in pair}


def _by_owner(rows: pd.DataFrame) -> Iterator[tuple[Any, str]]:
    """Owner and the text of all its cells."""
    cells: dict[Hashable, list[str]] = {}
    # Not astype("str"): Arrow strings refuse the lone surrogates that a submission's JSON may hold.
    for owner, text, missing in zip(rows["owner"].tolist(), rows["text"].tolist(), rows["text"].isna(), strict=True):
        if not missing and text != "":
            cells.setdefault(owner, []).append(str(text).replace(_CELL, ""))
    for owner, texts in cells.items():
        yield owner, _CELL.join(texts)
