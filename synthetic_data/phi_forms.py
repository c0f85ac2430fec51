"""Surface forms: how one identifier of one chart is written in one place of a note."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthetic_data.streams import IntArray, Seed

TextArray = npt.NDArray[np.object_]
"""Python strings; an object array, because pieces of text are taken and joined one by one."""
Chart = Mapping[str, npt.NDArray[Any]]
"""Column name -> one value per note. The columns of a person or a date are `<source>_<column>`."""


@dataclass(frozen=True)
class Rows:
    """The places that are written in one go: mention i stands in note `index[i]` and is about `source`.

    items: (mentions,) a number that is unique among a patient's mentions; it keys the draws of one mention.
    """

    chart: Chart
    index: IntArray
    items: IntArray
    source: str
    seed: Seed

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, column: str) -> npt.NDArray[Any]:
        """The source's column, e.g. "family" of source "contact"."""
        values: npt.NDArray[Any] = self.chart[f"{self.source}_{column}"][self.index]
        return values

    def patient(self, column: str) -> npt.NDArray[Any]:
        """A column of the note's patient, whoever the mention is about."""
        values: npt.NDArray[Any] = self.chart[f"patient_{column}"][self.index]
        return values

    @property
    def numbers(self) -> IntArray:
        """(mentions,) patient numbers."""
        numbers: IntArray = self.chart["number"][self.index]
        return numbers

    def owned(self, what: str) -> IntArray:
        """(mentions, 4) 32-bit words that stay the same wherever the patient is mentioned."""
        return self.seed.stream(f"phi.{what}").words(self.numbers).astype(np.int64)

    def fresh(self, what: str) -> IntArray:
        """(mentions, 4) 32-bit words of this mention alone."""
        return self.seed.stream(f"phi.{what}").words(self.numbers, self.items).astype(np.int64)

    def only(self, mask: npt.NDArray[np.bool_]) -> Rows:
        """The places where `mask` holds."""
        return Rows(self.chart, self.index[mask], self.items[mask], self.source, self.seed)


Writer = Callable[[Rows], Sequence[str]]


@dataclass(frozen=True)
class Form:
    """One way to write an identifier.

    name: "<class>.<form>", e.g. "date.military".  hard: simple patterns miss it.
    denotes: what a date says, as ISO with unknown parts left out.
    shows: name columns that stand in it; when each of them is also a common word (Will May), the mention is hard.
    reserve: kept out of practice data, so that hidden notes hold forms nobody has practised on.
    """

    name: str
    write: Writer
    weight: float = 1.0
    hard: bool = False
    denotes: Writer | None = None
    shows: tuple[str, ...] = ()
    reserve: bool = False


@dataclass(frozen=True)
class Menu:
    """The forms that fit one kind of place, e.g. a name in a header."""

    kind: str
    forms: tuple[Form, ...]


@dataclass(frozen=True)
class Mentions:
    """What was written: text, form, denotes (mentions,) of str and hard (mentions,) of bool."""

    text: TextArray
    form: TextArray
    denotes: TextArray
    hard: npt.NDArray[np.bool_]


def write(menu: Menu, rows: Rows, word_names: frozenset[str]) -> Mentions:
    """Write every place of `rows` in a form drawn from the menu.

    word_names: names that are also common words or diseases, in lower case.
    """
    n = len(rows)
    text, form, denotes = (np.full(n, "", object) for _ in range(3))
    hard = np.zeros(n, bool)
    picks = rows.seed.stream("phi.form").choice([f.weight for f in menu.forms], rows.numbers, rows.items)
    for k, candidate in enumerate(menu.forms):
        mask = picks == k
        if not mask.any():
            continue
        chosen = rows.only(mask)
        text[mask] = candidate.write(chosen)
        form[mask] = candidate.name
        hard[mask] = candidate.hard
        if candidate.denotes is not None:
            denotes[mask] = candidate.denotes(chosen)
        if candidate.shows:
            shown = zip(*(chosen[column] for column in candidate.shows), strict=True)
            hard[mask] |= [all(part.lower() in word_names for part in parts) for parts in shown]
    return Mentions(text, form, denotes, hard)
