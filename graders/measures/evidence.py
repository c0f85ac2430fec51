"""Where points were lost, in words for whoever opens the stored output: numbers, and names of the kit's own lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from graders.harness.criterion import LONGEST_EVIDENCE

if TYPE_CHECKING:
    import numpy.typing as npt

MOST_NAMED, MOST_MONTHS = 3, 8
# How a table's rows are counted, as a spreadsheet does: its header is row 1. A line of JSON is one as any editor says.
# Letters are called by codes that the submission chose: whose they are says the patient's row.
ROW, LINE, LETTER = "row", "line", "letters of patients.csv row"
FIRST = {ROW: 2, LETTER: 2}


def counted(where: str, count: int, total: int, verb: str, unit: str = ROW, wrong: Sequence[int] = ()) -> str:
    """One entry: file and column, how many of how many, and the first few of them.

    wrong: positions from 0, ascending.  unit: in the singular; it is counted from 1, or as FIRST says.
    """
    if count == total > MOST_NAMED:
        return f"{where}: all {total} {verb}"
    numbers = [n + FIRST.get(unit, 1) for n in wrong[:MOST_NAMED]]
    told = f"{'; first' if count > len(numbers) else ''} in {several(unit, numbers)}" if numbers else ""
    return f"{where}: {count} of {total} {verb}{told}"


def flagged(where: str, wrong: npt.NDArray[np.bool_], verb: str, unit: str = ROW) -> tuple[str, ...]:
    """The entry of (n,) bool, True where something is wrong; none where nothing is."""
    places = np.flatnonzero(wrong)
    return (counted(where, len(places), len(wrong), verb, unit, places.tolist()),) if len(places) else ()


def cells(where: str, wrong: Sequence[str], total: int | None, verb: str) -> str:
    """One entry: how many cells of a report, and as many of their names as there is room for. wrong: as `cell_name`."""
    count = f"{len(wrong)} of {total}" if total is not None else f"{len(wrong)}"
    return listed(f"{where}: {count} {verb}: ", [name or "everybody" for name in wrong])


def listed(before: str, names: Sequence[str]) -> str:
    """As many of the names as there is room for, and at least one."""
    told = before + names[0]
    for n, name in enumerate(names[1:], 1):
        rest = f" and {len(names) - n} more"
        if len(told) + len(name) + 2 + (len(rest) if n + 1 < len(names) else 0) > LONGEST_EVIDENCE:
            return told + rest
        told += f", {name}"
    return told


def by_stream(found: Iterable[tuple[int, int]], what: str) -> list[str]:
    """One entry for each stream: its months, and what was wrong there. found: (stream, month), from 1 and from 0."""
    months: dict[int, set[int]] = {}
    for stream, month in found:
        months.setdefault(stream, set()).add(month)
    worst = sorted(months.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return [f"stream {stream}, {several('month', sorted(those))}: {what}" for stream, those in worst]


def several(unit: str, numbers: Sequence[object], most: int = MOST_MONTHS) -> str:
    """A few numbers with their unit, "months 3, 4, 7", and how many more there are."""
    rest = f" and {len(numbers) - most} more" if len(numbers) > most else ""
    return f"{unit}{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers[:most]))}{rest}"


def fields(file: str, earned: Mapping[str, float]) -> tuple[str, ...]:
    """One entry for each field of a file that did not earn all, in [0, 1]."""
    return tuple(f"{file}, field {name}: earned {part:.0%}" for name, part in earned.items() if part < 1)
