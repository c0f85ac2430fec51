"""Adverse impact: how many of each group were selected, by the four-fifths rule and an exact test.

Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4 D; groups come from the team and stay counts.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from graders.harness.errors import UsageError

# Fewer people than these are too few to say anything of; then numbers are shown and no flag.
LEAST_IN_GROUP, LEAST_IN_ALL = 5, 30
# A column of more groups is no group: a name, an address, a date of birth.
MOST_GROUPS = 12
# Lines that are no group: nobody is compared with them, and no flag is theirs.
NOT_STATED, SMALL = "not stated", f"groups of fewer than {LEAST_IN_GROUP}, together"
NO_GROUPS = (NOT_STATED, SMALL)
YES, NO = ("yes", "y", "true", "1"), ("no", "n", "false", "0")


@dataclass(frozen=True)
class Group:
    """selected of `people` were selected."""

    name: str
    people: int
    selected: int

    @property
    def rate(self) -> float:
        """The selection rate."""
        return self.selected / self.people


@dataclass(frozen=True)
class Line:
    """A group beside the one with the highest rate.

    ratio: of the rates, None when nobody was selected.  p: two-sided, of Fisher's exact test; None for the highest.
    flag: is the ratio below four fifths; None when there are too few people to say.
    """

    group: Group
    highest: bool
    ratio: float | None
    p: float | None
    flag: bool | None


@dataclass(frozen=True)
class Worksheet:
    """One column of groups. small: how many groups of fewer than LEAST_IN_GROUP are together in one line."""

    column: str
    people: int
    lines: tuple[Line, ...]
    small: int


@dataclass(frozen=True)
class Supplied:
    """What the team says. groups: column -> identity -> group.  selected: by identity, None without such a column."""

    groups: Mapping[str, Mapping[str, str]]
    selected: Mapping[str, bool] | None


def lines(groups: Sequence[Group]) -> tuple[Line, ...]:
    """Each group, in the order given, beside the highest rate of those that are groups and large enough.

    groups: of at least one person each.  Where none is large enough there is nothing to compare with.
    """
    large = [g for g in groups if g.people >= LEAST_IN_GROUP and g.name not in NO_GROUPS]
    best = max(large, key=lambda g: (g.rate, g.people), default=None)
    enough = sum(g.people for g in groups) >= LEAST_IN_ALL
    return tuple(line(group, best, enough and group in large) for group in groups)


def line(group: Group, best: Group | None, enough: bool) -> Line:
    """One group beside the one with the highest rate."""
    if best is None:
        return Line(group, False, None, None, None)
    ratio = group.rate / best.rate if best.selected else None
    if group is best:
        return Line(group, True, ratio, None, None)
    # In whole numbers: 4 of 10 beside 5 of 10 is exactly four fifths, and floats are not sure of it.
    below = 5 * group.selected * best.people < 4 * best.selected * group.people
    return Line(group, False, ratio, exact_p(group, best), below if enough else None)


def exact_p(first: Group, second: Group) -> float:
    """Two-sided p of Fisher's exact test of two selection rates."""
    from scipy.stats import fisher_exact

    table = [[g.selected, g.people - g.selected] for g in (first, second)]
    return float(fisher_exact(table)[1])


def worksheet(column: str, people: Iterable[tuple[str, bool]]) -> Worksheet:
    """(group, selected) of everybody who was assessed. Groups too small to name are together in one line."""
    counts: dict[str, list[bool]] = {}
    for name, selected in people:
        counts.setdefault(name, []).append(selected)
    groups = [Group(name, len(said), sum(said)) for name, said in sorted(counts.items())]
    large = [g for g in groups if g.people >= LEAST_IN_GROUP]
    small = [g for g in groups if g.people < LEAST_IN_GROUP]
    if small:
        large.append(Group(SMALL, sum(g.people for g in small), sum(g.selected for g in small)))
    return Worksheet(column, sum(g.people for g in groups), lines(large), len(small))


def read_groups(path: Path, everybody: Iterable[str]) -> Supplied:
    """A CSV with a column `id`, one column or more of groups, and maybe `selected` (yes or no).

    Who is not in it, or has a blank there, is "not stated".  Raises UsageError.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            rows = list(reader)
            names = list(reader.fieldnames or [])
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: is no CSV in UTF-8 ({error})") from None
    columns = [name for name in names if name not in ("id", "selected")]
    if "id" not in names or not columns or len(set(names)) < len(names) or not all(columns):
        raise UsageError(f"{path}: needs a header with 'id' and one column or more of groups, each named once")
    known, by_id = set(everybody), dict[str, dict[str, str]]()
    for number, row in enumerate(rows, 2):
        if None in row or None in row.values():
            raise UsageError(f"{path}, row {number}: has another number of cells than the header")
        identity = row["id"].strip()
        if identity not in known:
            raise UsageError(f"{path}, row {number}: {identity!a} is no candidate of these results")
        if identity in by_id:
            raise UsageError(f"{path}, row {number}: {identity!a} is there twice")
        by_id[identity] = {name: (row[name] or "").strip() for name in names}
    for column in columns:
        count = len({row[column] for row in by_id.values() if row[column]})
        if count > MOST_GROUPS or (count > 1 and count == len(by_id)):
            what = f"{count} groups among {len(by_id)} people"
            raise UsageError(f"{path}: column {column!a} has {what}: make it coarser, or leave it out")
    groups = {c: {identity: row[c] or NOT_STATED for identity, row in by_id.items()} for c in columns}
    return Supplied(groups, chosen(path, by_id) if "selected" in names else None)


def chosen(path: Path, by_id: Mapping[str, Mapping[str, str]]) -> dict[str, bool]:
    """The column `selected`; a blank leaves a person out. Raises UsageError for another word than yes or no."""
    said = {identity: row["selected"].lower() for identity, row in by_id.items() if row["selected"]}
    if strange := sorted(set(said.values()) - {*YES, *NO}):
        raise UsageError(f"{path}: 'selected' must be yes or no, not {strange[0]!a}")
    return {identity: word in YES for identity, word in said.items()}


def worksheets(supplied: Supplied, selected: Mapping[str, bool]) -> list[Worksheet]:
    """One for each column. selected: of everybody who was assessed."""
    return [
        worksheet(column, ((groups.get(identity, NOT_STATED), yes) for identity, yes in selected.items()))
        for column, groups in supplied.groups.items()
    ]
