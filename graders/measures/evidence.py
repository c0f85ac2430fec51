"""Where points were lost, in words for whoever opens the stored output: numbers, and names of the kit's own lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

MOST_NAMED, MOST_MONTHS = 3, 8
# How a table's rows are counted, as a spreadsheet does: its header is row 1. A line of JSON is one as any editor says.
ROW, LINE = "row", "line"
FIRST = {ROW: 2, LINE: 1}


def located(where: str, wrong: Sequence[int], unit: str = ROW, total: int | None = None, verb: str = "wrong") -> str:
    """One entry: file and column, how many of how many, and the first few.

    wrong: positions from 0, ascending.  unit: in the singular; it is counted from 1, or as FIRST says.
    """
    count = f"{len(wrong)} of {total}" if total is not None else f"{len(wrong)}"
    numbers = [n + FIRST.get(unit, 1) for n in wrong[:MOST_NAMED]]
    return f"{where}: {count} {verb}; {some(unit, numbers, len(wrong))}"


def some(unit: str, numbers: Sequence[int], count: int) -> str:
    """The first few of `count` things: "rows 4, 19, 77", or "first in rows 4, 19, 77" of more."""
    told = f"{unit}{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
    return f"first in {told}" if count > len(numbers) else f"in {told}"


def by_stream(found: Iterable[tuple[int, int]], what: str) -> list[str]:
    """One entry for each stream: its months, and what was wrong there. found: (stream, month), from 1 and from 0."""
    months: dict[int, set[int]] = {}
    for stream, month in found:
        months.setdefault(stream, set()).add(month)
    worst = sorted(months.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return [f"stream {stream}, {several('month', sorted(those))}: {what}" for stream, those in worst]


def several(unit: str, numbers: Sequence[int], most: int = MOST_MONTHS) -> str:
    """A few numbers with their unit, "months 3, 4, 7", and how many more there are."""
    rest = f" and {len(numbers) - most} more" if len(numbers) > most else ""
    return f"{unit}{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers[:most]))}{rest}"


def fields(file: str, earned: Mapping[str, float]) -> tuple[str, ...]:
    """One entry for each field of a file that did not earn all, in [0, 1]."""
    return tuple(f"{file}, field {name}: earned {part:.0%}" for name, part in earned.items() if part < 1)
