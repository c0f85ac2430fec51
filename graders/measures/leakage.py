"""Which direct identifiers of a row or resource can still be read in it after de-identification."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from graders.measures.dates import Said, may_say, said, years_differ
from graders.measures.disguises import Codes
from graders.measures.mentions import CODE_KINDS, identifying_words
from graders.measures.tokens import WORD, fold, spelled, visible

LONGEST_READ = 4_000
"""Characters of one row or resource that are read. In a longer one every identifier counts as left.

Twice the longest resource of the kit's own data. They are counted as given, and once more as `visible` text:
one character may stand for eighteen.
"""

HASHES_TRIED = 200
"""Owners of a scan whose identifiers are hashed and looked for; where none is found, no other owner's is."""

COMMON = 50
LONGEST_COMMON = 200
"""A cell of so many rows and no more characters than that is searched for everybody's identifiers at once."""

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

    # Tables, FHIR and letters are searched for the same ones in turn; some 20,000 of 2,000 patients.
    @staticmethod
    @lru_cache(maxsize=2**15)
    def of(kind: str, value: str) -> _Identifier:
        words = tuple(w for w in identifying_words(kind, value) if len(w) > 1)
        whole = "".join(WORD.findall(fold(visible(value))))
        digits = _NOT_DIGITS.sub("", whole)
        return _Identifier(kind, value, words, whole, digits, digits.lstrip("0"))

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

    def stands_in(self, row: _Row, allowed: frozenset[str], small_zip3: Collection[str] = ()) -> bool:
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
            return area in small_zip3 and re.search(rf"(?<![\w.,:-]){area}(?![\w.,:-])", row.text) is not None
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
    small_zip3: first three digits of ZIP codes that tell too much even alone.
    kept: owner, text of the cells that may stay. A name or place word that they hold themselves, as of a Mr. White
    whose race is "White", is no evidence.

    Every cell of an owner is searched for all its identifiers. To hold a date against its own column only, as shifted
    dates require, let the owner be the cell.
    """

    def __init__(
        self, identifiers: pd.DataFrame, small_zip3: Collection[str] = (), kept: pd.DataFrame | None = None
    ) -> None:
        self._small_zip3 = frozenset(small_zip3)
        values = identifiers["value"].astype("str").fillna("").tolist()
        kinds = identifiers["kind"].tolist()
        self._count = len(identifiers)
        self._places: dict[Hashable, list[int]] = {}
        for place, owner in enumerate(identifiers["owner"].tolist()):
            self._places.setdefault(owner, []).append(place)
        self._identifiers = list(map(_Identifier.of, kinds, values))
        self._allowed = (
            {}
            if kept is None
            else {
                owner: frozenset(WORD.findall(fold(visible(_CELL.join(cells)))))
                for owner, cells in _by_owner(kept)
                if owner in self._places
            }
        )

    def scan(self, rows: pd.DataFrame) -> Leaks:
        """Judge every identifier against the output.

        rows: owner, text; any number of cells per owner. An owner without rows has nothing left.
        """
        how = np.full(self._count, "", dtype=object)
        hashes: list[tuple[list[int], Codes]] = []
        common, touched = self._common(rows["text"].tolist())
        # A loop over owners: each is searched for its own identifiers only, by substring search in C.
        for owner, cells in _by_owner(rows):
            places = self._places.get(owner)
            if places is None:
                continue
            if owner not in touched:
                cells = [text for text in cells if text not in common]
            codes = self._search(places, _row_text(cells), self._allowed.get(owner, frozenset()), how)
            if codes.hashes:
                hashes.append((places, codes))
        # Who hashes identifiers hashes all of them, and 24 hashes of each take longer than all the rest.
        if self._hashed(hashes[:: 1 + len(hashes) // HASHES_TRIED], how):
            self._hashed(hashes, how)
        return Leaks(how)

    def _common(self, texts: list[Any]) -> tuple[frozenset[str], set[Hashable]]:
        """Cells that many rows have, such as "final" or a system's address, and the owners who must be sought in them.

        Nobody else has an identifier that stands in any of these cells: they are searched once for all.
        """
        often = [text for text, count in Counter(texts).items() if count >= COMMON and isinstance(text, str)]
        common = [text for text in often if len(text) <= LONGEST_COMMON and Codes.of(visible(text)) == Codes()]
        if not common:
            return frozenset(), set()
        whole = _Row.of(_CELL.join(visible(text.replace(_CELL, "")) for text in common))
        names = {word for identifier in self._identifiers if identifier.kind == "NAME" for word in identifier.words}
        cuts = ((word[:n], word[n:]) for word in whole.words if len(word) >= 6 for n in range(1, len(word)))
        glued = {name for pair in cuts if names.issuperset(pair) for name in pair}
        seen: dict[int, bool] = {}
        for identifier in self._identifiers:
            if id(identifier) not in seen:
                back = identifier.backwards
                seen[id(identifier)] = bool(identifier.whole) and (
                    identifier.stands_in(whole, frozenset(), self._small_zip3)
                    or (back is not None and back.stands_in(whole, frozenset()))
                    or not glued.isdisjoint(identifier.words)
                )
        touched = {o for o, places in self._places.items() if any(seen[id(self._identifiers[p])] for p in places)}
        return frozenset(common), touched

    def _search(self, places: Iterable[int], text: str, allowed: frozenset[str], how: npt.NDArray[np.object_]) -> Codes:
        """Fill in how each of `places` stands in the text; the codes found there."""
        shown = visible(text, LONGEST_READ) if len(text) <= LONGEST_READ else text
        codes = Codes.of(shown) if len(shown) <= LONGEST_READ else Codes(too_many=True)
        inside = _CELL.join(codes.readable)
        if codes.too_many or len(inside) > LONGEST_READ:
            for place in places:
                how[place] = "not read"
            return Codes()
        row = _Row.of(shown)
        hidden = _Row.of(inside) if inside else None
        glued = self._glued(places, row.words)
        for place in places:
            identifier = self._identifiers[place]
            if not identifier.whole:
                continue
            backwards = identifier.backwards
            in_one_word = identifier.kind == "NAME" and not glued.isdisjoint(identifier.words)
            if in_one_word or identifier.stands_in(row, allowed, self._small_zip3):
                how[place] = "plain"
            elif backwards and backwards.stands_in(row, allowed):
                how[place] = "reversed"
            elif hidden and identifier.stands_in(hidden, frozenset()):
                how[place] = "encoded"
        return codes

    def _hashed(self, found: Iterable[tuple[list[int], Codes]], how: npt.NDArray[np.object_]) -> bool:
        """Fill in which identifiers stand hashed among their owners' codes; whether any does."""
        hit = False
        for places, codes in found:
            for place in places:
                if how[place] in ("", "hashed") and codes.hash_any(self._identifiers[place].hashed_as):
                    how[place], hit = "hashed", True
        return hit

    def _glued(self, places: Iterable[int], words: frozenset[str]) -> set[str]:
        """The words of names that stand in one of `words` with another of them: "rosaquintero"."""
        names = {w for p in places if self._identifiers[p].kind == "NAME" for w in self._identifiers[p].words}
        initials = {name[0] for name in names}
        candidates = [word for word in words if len(word) >= 6 and word[0] in initials]
        pairs = ((n, word[len(n) :]) for word in candidates for n in names if word.startswith(n))
        return {name for pair in pairs if pair[1] in names and pair[0] != pair[1] for name in pair}


def _by_owner(rows: pd.DataFrame) -> Iterator[tuple[Any, list[str]]]:
    """Owner and the texts of all its cells that are not empty."""
    cells: dict[Hashable, list[str]] = {}
    # Not astype("str"): Arrow strings refuse the lone surrogates that a submission's JSON may hold.
    for owner, text in zip(rows["owner"].tolist(), rows["text"].tolist(), strict=True):
        # NaN is not equal to itself.
        if text is not None and text == text and text != "":
            cells.setdefault(owner, []).append(str(text))
    yield from cells.items()


def _row_text(cells: list[str]) -> str:
    """The cells with separators between them, and none in them."""
    whole = _CELL.join(cells)
    return whole if whole.count(_CELL) < len(cells) else _CELL.join(text.replace(_CELL, "") for text in cells)
