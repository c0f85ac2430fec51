"""Shares of places that are clean and of cells that survive, and what they are worth together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Place:
    """Somewhere that must be clean (or must survive): how many of its cells are, of how many.

    direct: the brief names it as a place of direct identifiers.
    """

    name: str
    good: int
    total: int
    direct: bool = False

    @property
    def share(self) -> float:
        """Share that is as it should be; 1 where there is nothing to judge."""
        return self.good / self.total if self.total else 1.0


def mean_share(places: Iterable[Place]) -> float:
    """Every place counts alike, however many cells it has: a column of 40,000 results must not hide one of names."""
    shares = [p.share for p in places if p.total]
    return sum(shares) / len(shares) if shares else 0.0


def credit(share: float) -> float:
    """Half of the places right is worth nothing, all of them everything: half is what chance and routine reach."""
    return max(0.0, 2 * share - 1)


def worst(places: Iterable[Place], verb: str, most: int = 4) -> str:
    """The places furthest from what they should be, for a message: names and counts, never a value."""
    wrong = sorted((p for p in places if p.good < p.total), key=lambda p: (p.share, p.name))
    if not wrong:
        return ""
    named = ", ".join(f"{p.name} ({p.total - p.good} of {p.total})" for p in wrong[:most])
    rest = len(wrong) - most
    more = f" and {rest} more place{'s' if rest > 1 else ''}" if rest > 0 else ""
    return f"{verb} {named}{more}"


def same_text(given: pd.Series, wanted: pd.Series) -> pd.Series:
    """(n,) bool: equal as texts, or as numbers (136 is 136.0)."""
    given, wanted = given.str.strip().reset_index(drop=True), wanted.str.strip().reset_index(drop=True)
    numbers = pd.to_numeric(given, errors="coerce").sub(pd.to_numeric(wanted, errors="coerce")).abs() < 1e-9
    return (given == wanted) | numbers


def date_clean(given: pd.Series, true: pd.Series) -> pd.Series:
    """(n,) bool: does not state the true day, in the usual orders of year, month and day. true: ISO texts."""
    given, true = given.reset_index(drop=True), true.reset_index(drop=True)
    digits = given.str.replace(r"\D", "", regex=True).str[:8]
    year, month, day = true.str[:4], true.str[5:7], true.str[8:10]
    stated = (digits == year + month + day) | (digits == month + day + year) | (digits == day + month + year)
    return ~stated | (true == "")


def date_follows(given: pd.Series, true: pd.Series, rule: str, max_days: int) -> pd.Series:
    """(n,) bool: is what the card's date rule makes of the true date.

    "year": the year, four digits.  "shift": an ISO date (a time may follow) 1 to max_days away.
    """
    given, true = given.str.strip().reset_index(drop=True), true.reset_index(drop=True)
    if rule == "year":
        return given == true.str[:4]
    there = pd.to_datetime(given.where(given.str.match(r"\d{4}-\d{2}-\d{2}"), "").str[:10], errors="coerce")
    days = (there - pd.to_datetime(true.str[:10], errors="coerce")).dt.days.abs()
    return (days >= 1) & (days <= max_days)


def one_text(given: pd.Series) -> pd.Series:
    """(n,) bool: blank, or the one text that most rows of the column hold: a mask says nothing about its row."""
    filled = given.str.strip()
    mask = filled[filled != ""].mode()
    return (filled == "") | (filled == (mask.iloc[0] if len(mask) and (filled == mask.iloc[0]).mean() > 0.5 else ""))


def one_shift(given: list[pd.Series], true: list[pd.Series], patients: list[pd.Series]) -> tuple[int, int]:
    """(patients whose dates all move alike, and not as most other patients' do; patients).

    Each list holds one series per column of dates, of ISO texts and of patient ids.
    """
    days = (pd.to_datetime(pd.concat(given).str[:10], errors="coerce", format="%Y-%m-%d")
            - pd.to_datetime(pd.concat(true).str[:10])).dt.days  # fmt: skip
    moves = pd.DataFrame({"patient": pd.concat(patients).to_numpy(), "days": days.to_numpy()}).dropna()
    shifts = moves.groupby("patient")["days"].agg(["min", "max"])
    alike = shifts["min"] == shifts["max"]
    commonest = shifts["min"].map(shifts["min"].value_counts(normalize=True)).fillna(0)
    # One shift for everybody is no secret: any known date of any patient gives it away.
    return int((alike & (commonest < 0.5)).sum()), int(pd.concat(patients).nunique())


def free_of(code: pd.Series, texts: Iterable[str]) -> pd.Series:
    """(n,) bool: the row's own code is not in the row's text, whatever its case and separators.

    The plain check for large tables; disguised codes are looked for where there is one row a patient.
    """
    bare = code.str.casefold().str.replace(r"[^0-9a-z]", "", regex=True)
    squeezed = pd.Series(list(texts), dtype="str").str.casefold().str.replace(r"[^0-9a-z]", "", regex=True)
    return pd.Series([c not in t for c, t in zip(bare, squeezed, strict=True)], dtype=bool)


def one_to_one(given: pd.Series, true: pd.Series) -> pd.Series:
    """(n,) bool: the row's code stands for one original, and the original has this one code. Blank codes do not."""
    pairs = pd.DataFrame({"given": given.to_numpy(), "true": true.to_numpy()})
    codes = pairs.groupby("true")["given"].transform("nunique")
    originals = pairs.groupby("given")["true"].transform("nunique")
    return (codes == 1) & (originals == 1) & (pairs["given"].str.strip() != "")
