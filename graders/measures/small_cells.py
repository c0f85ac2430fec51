"""A subtraction attack: which small counts a report of subgroups shows, or lets a reader work out.

The rule is that of the CMS Cell Size Suppression Policy (version of 26 January 2024, resdac.org/node/1506): no cell
with a value of 1 to 10 may be reported, zero may, and none may be derivable from other reported cells, from percentages
or by other formulas. The card's `min_cell` stands for the policy's 11.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Bounds = npt.NDArray[np.float64]

# False counts that are all multiples of 3 or more are rounded ones: Stats NZ rounds to base 3, nobody to less.
# A reader knows a rounded count to within its base, and here to within 99 at most: rounding to thousands tells nothing
# about small cells, and false counts of which there is only one have a large common divisor.
LEAST_BASE, MOST_SPREAD = 3, 99
# Two fractions with denominators below 20, the largest min_cell of a card, lie at least 1/(18·19) = 0.0029 apart: three
# decimals tell them from each other. With two a reader would have to know beforehand that the cell is small.
TELLING_DECIMALS = 3


class Proportion(NamedTuple):
    """A share of a count that a report shows: sensitivity (of events), specificity (of non-events), ppv (of alerts).

    cell: its canonical text.  shown: the estimate as the report has it.  of: the true count it is a share of.
    """

    cell: str
    metric: str
    shown: float
    of: int


@dataclass(frozen=True)
class Exposure:
    """Which small cells a report gives away, by canonical text and in the order of the card; no cell is in two lists.

    small: how many small cells there are.  shown: a count of 1 … min_cell-1 stands in the report.
    subtracted: the other counts leave one possible value.  divided: a proportion tells what it is a share of.
    """

    small: int
    shown: tuple[str, ...] = ()
    subtracted: tuple[str, ...] = ()
    divided: tuple[str, ...] = ()

    @property
    def exposed(self) -> int:
        """How many small cells are given away, one way or another."""
        return len(self.shown) + len(self.subtracted) + len(self.divided)

    @property
    def message(self) -> str:
        """Which cells and how, for a criterion; never a count."""
        if not self.exposed:
            return f"none of {self.small} small cells is shown or can be worked out"
        ways = (
            (self.shown, "shown"),
            (self.subtracted, "to be worked out by subtraction"),
            (self.divided, "to be worked out from the decimals of a proportion"),
        )
        parts = [f"{len(cells)} {way} ({_some(cells)})" for cells, way in ways if cells]
        return f"of {self.small} small cells " + ", ".join(parts)


def attack(
    counts: Mapping[str, int],
    shown: Mapping[str, Iterable[Any]],
    proportions: Iterable[Proportion],
    card: Mapping[str, Any],
) -> Exposure:
    """What the report gives away about the cells with 1 to min_cell-1 in them.

    counts: canonical text of every cell of the card -> how many it has, in the card's unit.  shown: canonical text -> n
    of each of the cell's rows, as read from the JSON; a cell that is left out is hidden, and so is what is no number
    ("<11", None).  Texts of cells that the card does not have are ignored: the reader of the report refuses them.
    Raises ValueError when a cell has no true count or the true counts do not add up.

    A small cell is shown when a number of 1 … min_cell-1 stands for it, right or wrong: the policy is about what is
    displayed. What a count tells about others, and how rounding is treated, says `known`. A hidden count is worked out
    when the sums of the table and the fact that no count is below 0 leave one whole number; that hidden counts are
    small is not used.
    """
    cells, sums = lattice(card)
    if missing := [cell for cell in cells if cell not in counts]:
        raise ValueError(f"{len(missing)} cells have no true count: {_some(missing)}")
    if wrong := [whole for whole, parts in sums if counts[whole] != sum(counts[part] for part in parts)]:
        raise ValueError(f"{len(wrong)} sums of true counts do not add up: {_some(wrong)}")
    least = int(card["min_cell"])
    small = [cell for cell in cells if 1 <= counts[cell] < least]
    numbers = {cell: [n for n in map(number, shown.get(cell, ())) if n is not None] for cell in cells}
    displayed = {cell for cell in small if any(1 <= n < least for n in numbers[cell])}
    pinned = worked_out([cell for cell in small if cell not in displayed], cells, sums, known(counts, numbers))
    told = {p.cell for p in proportions if p.of == denominator(p.shown, least)} - displayed - pinned
    return Exposure(len(small), *(tuple(c for c in small if c in given) for given in (displayed, pinned, told)))


def lattice(card: Mapping[str, Any]) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """(canonical texts of the card's cells, sums): each sum is a cell and the cells that add up to it.

    Everybody is the sum over the levels of any axis, a level that over the other axis of an intersection. Both hold for
    patients as for encounters, for a patient has one level on each axis.
    """
    levels = {axis: [f"{axis}={level}" for level in names] for axis, names in card["levels"].items()}
    sums = [("", names) for names in levels.values()]
    for one, other in card["intersections"]:
        sums += [(a, [f"{a}&{b}" for b in levels[other]]) for a in levels[one]]
        sums += [(b, [f"{a}&{b}" for a in levels[one]]) for b in levels[other]]
    # A dict keeps the order and drops the second mention of a pair.
    return list(dict.fromkeys(["", *(part for _, parts in sums for part in parts)])), sums


def number(value: Any) -> float | None:
    """The number that a row shows as its n, also as a text ("12", "1,204"); None where it shows none ("<11", null)."""
    if isinstance(value, str):
        plain = value.replace(",", "").strip()
        return float(plain) if re.fullmatch(r"[0-9]{1,15}(\.0*)?", plain) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Beyond 10^15 a count is nonsense, and an integer of JSON may be too long for a float.
    return float(value) if abs(value) < 1e15 else None


def known(counts: Mapping[str, int], numbers: Mapping[str, Sequence[float]]) -> dict[str, tuple[float, float]]:
    """Cell -> (least, most) it can have by its own rows; cells about which these tell nothing are left out.

    A true count is known exactly, whatever stands beside it, and a false one tells nothing. In a rounded report those
    that are multiples of its base are known to within the base instead: rounding up, down, to the nearest and at random
    are treated alike, and a count that happens to be its own rounding does not count as exact.
    """
    base = rounding(counts, numbers)
    spread = min(base - 1, MOST_SPREAD)
    found: dict[str, tuple[float, float]] = {}
    for cell, values in numbers.items():
        near = [n for n in values if n % base == 0 and abs(n - counts[cell]) <= spread]
        if counts[cell] in values and counts[cell] not in near:
            found[cell] = counts[cell], counts[cell]
        elif near:
            found[cell] = max(0.0, max(near) - spread), min(near) + spread
    return found


def rounding(counts: Mapping[str, int], numbers: Mapping[str, Sequence[float]]) -> int:
    """The base that the report's counts are rounded to; 1 where they are not. The false ones tell."""
    false = [n for cell, values in numbers.items() for n in values if n != counts[cell]]
    base = math.gcd(*map(int, false)) if all(n == int(n) for n in false) else 1
    return base if base >= LEAST_BASE else 1


def worked_out(
    wanted: Sequence[str],
    cells: Sequence[str],
    sums: Sequence[tuple[str, list[str]]],
    bounds: Mapping[str, tuple[float, float]],
) -> set[str]:
    """The wanted cells for which the sums leave one whole number.

    bounds: (least, most) of the cells about which something is known; the true table lies within them, so there is a
    solution.  This is the attacker's problem of the literature on cell suppression, the least and the most of a hidden
    cell by linear programming: Fischetti & Salazar 2001, Management Science 47:1008-1026; `attack` of R's sdcTable.
    """
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    place = {cell: i for i, cell in enumerate(cells)}
    matrix = np.zeros((len(sums), len(cells)))
    for row, (whole, parts) in enumerate(sums):
        matrix[row, [place[part] for part in parts]] = 1
        matrix[row, place[whole]] = -1
    within: Bounds = np.array([bounds.get(cell, (0.0, np.inf)) for cell in cells])
    equations = {"A_eq": csr_array(matrix), "b_eq": np.zeros(len(sums)), "bounds": within, "method": "highs"}

    def fixed(cell: str) -> bool:
        aim = np.zeros(len(cells))
        aim[place[cell]] = 1
        least, most = linprog(aim, **equations), linprog(-aim, **equations)
        if not least.success:
            raise RuntimeError(f"the least of {cell or 'everybody'} was not found: {least.message}")
        # There is a solution, so the most was not found because there is none. Room for the solver's 1e-7.
        return bool(most.success and math.floor(-most.fun + 1e-5) <= math.ceil(least.fun - 1e-5))

    return {cell for cell in wanted if fixed(cell)}


def denominator(shown: float, least: int) -> int | None:
    """What a proportion is a share of, if it gives away a count below `least`; None if not.

    That is the smallest q for which some k/q other than 0 and 1 rounds to the digits shown. None with fewer than
    TELLING_DECIMALS of them: 0.5 may be a share of anything.
    """
    if not math.isfinite(shown):
        return None
    exponent = Decimal(str(shown)).as_tuple().exponent
    digits = -exponent if isinstance(exponent, int) else 0
    if digits < TELLING_DECIMALS:
        return None
    q = np.arange(2, least)
    k = np.rint(shown * q)
    fits = (k > 0) & (k < q) & (np.abs(shown - k / q) <= 0.5 * 10.0**-digits + 1e-12)
    return int(q[fits][0]) if fits.any() else None


def _some(cells: Sequence[str], most: int = 4) -> str:
    """The first cells, for a message."""
    rest = len(cells) - most
    return ", ".join(cell or "everybody" for cell in cells[:most]) + (f" and {rest} more" if rest > 0 else "")
