"""Shares of places that are clean and of cells that survive, and what they are worth together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from graders.harness.criterion import MOST_EVIDENCE
from graders.measures.evidence import MOST_NAMED, ROW, counted

_SEPARATORS = bytes(c for c in range(128) if not chr(c).isalnum() and chr(c) != "|")


@dataclass(frozen=True)
class Place:
    """Somewhere that must be clean (or must survive): how many of its cells are, of how many.

    direct: the brief names it as a place of direct identifiers.  where: its file and what in it, as evidence.
    wrong: positions of the first few that are not as they should be, counted in `unit`.
    """

    name: str
    good: int
    total: int
    direct: bool = False
    where: str = ""
    unit: str = ROW
    wrong: tuple[int, ...] = ()

    @classmethod
    def of(
        cls,
        name: str,
        fine: npt.NDArray[np.bool_] | pd.Series,
        where: str,
        unit: str = ROW,
        owners: npt.NDArray[np.int64] | None = None,
        direct: bool = False,
    ) -> Place:
        """From (n,) bool, True where it is as it should be. owners: (n,) position of each, if not the n-th's is n."""
        lost = np.flatnonzero(~np.asarray(fine, bool))
        first = lost if owners is None else np.unique(owners[lost])
        return cls(name, len(fine) - len(lost), len(fine), direct, where, unit, tuple(first[:MOST_NAMED].tolist()))

    @property
    def share(self) -> float:
        """Share that is as it should be; 1 where there is nothing to judge."""
        return self.good / self.total if self.total else 1.0


def mean_share(places: Iterable[Place]) -> float:
    """Every place counts alike, however many cells it has: a column of 40,000 results must not hide one of names."""
    shares = [p.share for p in places if p.total]
    return sum(shares) / len(shares) if shares else 0.0


def credit(share: float) -> float:
    """Four of five places right is worth nothing, all of them everything: one of fifty forgotten must be felt."""
    return max(0.0, 1 - 5 * (1 - share))


def ramp(value: float, start: float, width: float) -> float:
    """0 up to `start`, 1 from `start` + `width`; with a negative width, 1 down to 0."""
    # Rounded: 0.98 - 0.90 is a little less than 0.08 as floats.
    return float(np.clip(round(value - start, 9) / width, 0, 1))


def worst(places: Iterable[Place], verb: str, most: int = 4) -> str:
    """The places furthest from what they should be, for a message: names and counts, never a value."""
    wrong = sorted((p for p in places if p.good < p.total), key=lambda p: (p.share, p.name))
    if not wrong:
        return ""
    named = ", ".join(f"{p.name} ({p.total - p.good} of {p.total})" for p in wrong[:most])
    rest = len(wrong) - most
    more = f" and {rest} more place{'s' if rest > 1 else ''}" if rest > 0 else ""
    return f"{verb} {named}{more}"


def evidence(must_go: Iterable[Place], must_stay: Iterable[Place] = (), most: int = MOST_EVIDENCE) -> tuple[str, ...]:
    """The places furthest from what they should be, of both kinds if there are both."""
    gone, stayed = (
        [
            counted(p.where, p.total - p.good, p.total, verb, p.unit, p.wrong)
            for p in sorted(places, key=lambda p: (p.share, p.name))
            if p.where and p.good < p.total
        ]
        for places, verb in ((must_go, "still there"), (must_stay, "lost or changed"))
    )
    few = max(most // 2, most - len(gone))
    return (*gone[: most - min(few, len(stayed))], *stayed[:few])


def same_text(given: pd.Series, wanted: pd.Series) -> pd.Series:
    """(n,) bool: equal as texts, or as numbers (136 is 136.0)."""
    given, wanted = given.str.strip().reset_index(drop=True), wanted.str.strip().reset_index(drop=True)
    same = given == wanted
    # Numbers are read where the texts differ, which few do.
    numbers = [pd.to_numeric(texts[~same], errors="coerce") for texts in (given, wanted)]
    same[~same] = (numbers[0] - numbers[1]).abs() < 1e-9
    return same


def date_clean(given: pd.Series, true: pd.Series) -> pd.Series:
    """(n,) bool: does not state the true day, in the usual orders of year, month and day. true: ISO texts."""
    given, true = given.reset_index(drop=True), true.reset_index(drop=True)
    digits = given.str.replace(r"\D", "", regex=True).str[:8]
    year, month, day = true.str[:4], true.str[5:7], true.str[8:10]
    stated = (digits == year + month + day) | (digits == month + day + year) | (digits == day + month + year)
    return ~stated | (true == "")


def one_text(given: pd.Series) -> pd.Series:
    """(n,) bool: blank, or the one text that most rows of the column hold: a mask says nothing about its row."""
    filled = given.str.strip()
    mask = filled[filled != ""].mode()
    return (filled == "") | (filled == (mask.iloc[0] if len(mask) and (filled == mask.iloc[0]).mean() > 0.5 else ""))


def free_of(texts: Iterable[str | bytes], *codes: pd.Series) -> npt.NDArray[np.bool_]:
    """(n,) bool: none of the row's own codes is in the row's text, whatever its case and separators ("|" parts cells).

    The plain check for large tables; disguised codes are looked for where there is one row a patient.
    """
    whole = list(map(_squeezed, texts))
    free = np.ones(len(whole), bool)
    for column in codes:
        own = {code: _squeezed(code) for code in column.unique()}
        free &= [own[code] not in text for code, text in zip(column.tolist(), whole, strict=True)]
    return free


def _squeezed(text: str | bytes) -> bytes:
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    return raw.lower().translate(None, _SEPARATORS)
