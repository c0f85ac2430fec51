"""Which direct identifiers of a row or resource can still be read in it after de-identification."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from graders.measures.dates import Said, may_say, said, years_differ
from graders.measures.disguises import digests, revealed
from graders.measures.mentions import CODE_KINDS, SMALL_ZIP3, identifying_words
from graders.measures.tokens import WORD, fold, visible

LONGEST_READ = 100_000
"""Characters of one row or resource that are read. In a longer one every identifier counts as left."""

_CELL = "\x1e"  # ASCII record separator: no identifier runs from one cell into the next
_NUMBER = re.compile(r"\d(?:[ ().\-/+_]{0,3}\d)*")
_NOT_DIGITS = re.compile(r"\D+")
_HASH = re.compile(r"(?<![0-9a-z])(?=[0-9]*[a-f])[0-9a-f]{8,128}(?![0-9a-z])")
_UUID = re.compile(r"\b([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})\b")
_MAY_HIDE = re.compile(r"[A-Za-z0-9+/_-]{6,}")


@dataclass(frozen=True)
class Leaks:
    """how: (identifiers,) "" where it is gone, else plain, reversed, encoded, hashed or "too long to read"."""

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
    numbers: frozenset[str]  # runs of digits, separators inside them removed
    bare_numbers: frozenset[str]  # the same without leading zeros
    long_numbers: str  # those of six digits or more, apart
    text: str

    @classmethod
    def of(cls, text: str) -> _Row:
        text = fold(visible(text))
        cells = [WORD.findall(cell) for cell in text.split(_CELL)]
        words = [w for cell in cells for w in cell]
        numbers = frozenset(_NOT_DIGITS.sub("", run) for run in _NUMBER.findall(text))
        long_numbers = _CELL.join(n for n in numbers if len(n) >= 6)
        bare_numbers = frozenset(n.lstrip("0") for n in numbers)
        return cls(frozenset(words), _CELL.join(map("".join, cells)), numbers, bare_numbers, long_numbers, text)

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

    @classmethod
    def of(cls, kind: str, value: str) -> _Identifier:
        words = tuple(w for w in identifying_words(kind, value) if len(w) > 1)
        whole = "".join(WORD.findall(fold(visible(value))))
        return cls(kind, value, words, whole, "".join(c for c in whole if c.isdigit()))

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
        # One word inside a longer one is another word: "Quinteros", "parkinsonism".
        apart = self.kind not in {"NAME", "LOCATION"} or len(self.words) > 1
        return apart and len(self.whole) >= 6 and not allowed.issuperset(self.words) and self.whole in row.cells

    def _number_stands_in(self, row: _Row) -> bool:
        bare = self.digits.lstrip("0")
        if len(bare) >= 5 and bare in row.bare_numbers:
            return True
        # Longer runs hold a country code, an extension, ".0" or a neighbour; short numbers would turn up by chance.
        if len(bare) >= 6 and bare in row.long_numbers:
            return True
        if len(self.digits) >= 4 and self.digits in row.numbers:
            return True
        return len(self.whole) >= 6 and not self.whole.isdigit() and self.whole in row.cells


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
            if len(text) > LONGEST_READ:
                how[places] = "too long to read"
                continue
            found = self._search(places, text, self._allowed.get(owner, frozenset()))
            for place, way in found:
                how[place] = way
        return Leaks(how)

    def _search(self, places: Iterable[int], text: str, allowed: frozenset[str]) -> Iterator[tuple[int, str]]:
        row = _Row.of(text)
        backwards = _Row.of(text[::-1])
        hidden = [_Row.of(t) for t in revealed(text)] if _MAY_HIDE.search(text) else []
        lower = _UUID.sub(r"\1\2\3\4\5", text.lower())
        codes = _HASH.findall(lower)
        for place in places:
            identifier = self._identifiers[place]
            if not identifier.whole:
                continue
            if identifier.stands_in(row, allowed):
                yield place, "plain"
            elif _long_enough(identifier) and identifier.stands_in(backwards, allowed):
                yield place, "reversed"
            elif any(identifier.stands_in(shown, frozenset()) for shown in hidden):
                yield place, "encoded"
            elif codes and any(d.startswith(c) for d in _digests_of(identifier) for c in codes):
                yield place, "hashed"


def _long_enough(identifier: _Identifier) -> bool:
    """Short words, dates and ZIP codes read backwards are other ones ("Ana", 12/11)."""
    return identifier.kind != "DATE" and len(identifier.whole) >= (6 if identifier.whole.isdigit() else 5)


def _digests_of(identifier: _Identifier) -> list[str]:
    values = {identifier.value, *(identifier.words if identifier.kind == "NAME" else ())}
    return [d for v in sorted(values) for d in digests(v)] + [
        d for w in identifier.words if identifier.kind == "NAME" for d in digests(w.capitalize())
    ]


def _by_owner(rows: pd.DataFrame) -> Iterator[tuple[Any, str]]:
    """Owner and the text of all its cells."""
    cells: dict[Hashable, list[str]] = {}
    # Not astype("str"): Arrow strings refuse the lone surrogates that a submission's JSON may hold.
    for owner, text, missing in zip(rows["owner"].tolist(), rows["text"].tolist(), rows["text"].isna(), strict=True):
        if not missing and text != "":
            cells.setdefault(owner, []).append(str(text).replace(_CELL, ""))
    for owner, texts in cells.items():
        yield owner, _CELL.join(texts)
