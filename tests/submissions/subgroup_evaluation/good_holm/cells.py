"""Small counts that a report shows, or lets a reader work out from its other counts: a check, it hides nothing for you.

    python cells.py --cells report.json card.toml

prints one line for each and ends with 1; with 0 if there is none, with 2 if a file cannot be read. It knows no more
than a reader of the report: everybody is the sum of the levels of an axis, a level the sum over the other axis of an
intersection, and no count is below 0. What percentages give away it does not look at.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array


def derivable(rows: list[dict[str, Any]], card: dict[str, Any]) -> list[dict[str, Any]]:
    """The counts of 1 … min_cell-1 that `rows` give away: [{"by": {"race": "Black"}, "n": 4, "how": "subtraction"}].

    how: "shown" or "subtraction".  rows: those of report.json; a cell that has no row, or null or a text like "<11" as
    its n, is hidden.  Raises ValueError if a row is not about a cell of the card, or two rows of a cell disagree.
    """
    return attack(rows, card)[0]


def attack(rows: list[dict[str, Any]], card: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    """(as `derivable`, the sums that do not add up and are left out of account).

    Counts that do not add up and are all multiples of 3 or more are rounded: each is known only to within that base.
    """
    cells, sums, names = table(card)
    n = counts(rows, cells)
    bad = clashing(sums, bounds(n, 0))
    base = math.gcd(*map(int, n[~np.isnan(n)]))
    spread = base - 1 if bad.any() and base >= 3 else 0
    if spread:
        bad = clashing(sums, bounds(n, spread))
    holding = csr_array(sums[~bad])
    found = []
    for i, cell in enumerate(cells):
        value = only_value(i, holding, bounds(n, spread)) if np.isnan(n[i]) else int(n[i])
        if value in range(1, card["min_cell"]):
            found.append({"by": cell, "n": value, "how": "subtraction" if np.isnan(n[i]) else "shown"})
    return found, [names[i] for i in np.flatnonzero(bad)]


def bounds(n: np.ndarray[Any, Any], spread: int) -> np.ndarray[Any, Any]:
    """(cells, 2) the least and the most that each cell can have, by its own count alone."""
    return np.column_stack([np.nan_to_num(np.maximum(n - spread, 0)), np.nan_to_num(n + spread, nan=np.inf)])


def clashing(sums: np.ndarray[Any, Any], within: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """(sums,) bool: those to give up so that the others hold, chosen so that least is missing from them."""
    excess = np.eye(len(sums))
    aim = np.repeat([0, 1], [len(within), 2 * len(sums)])
    most = np.vstack([within, np.repeat([[0, np.inf]], 2 * len(sums), axis=0)])
    missing = linprog(aim, A_eq=np.hstack([sums, excess, -excess]), b_eq=np.zeros(len(sums)), bounds=most).x
    return np.asarray(missing[len(within) :].reshape(2, -1).sum(axis=0) > 1e-5)


def only_value(i: int, sums: csr_array, within: np.ndarray[Any, Any]) -> int | None:
    """The one whole number that cell i can have, if there is just one."""
    aim = np.zeros(len(within))
    aim[i] = 1
    least, most = (linprog(c, A_eq=sums, b_eq=np.zeros(sums.shape[0]), bounds=within) for c in (aim, -aim))
    # No `most` is found where there is none.
    if not (least.success and most.success):
        return None
    value = math.ceil(least.fun - 1e-5)
    return value if math.floor(-most.fun + 1e-5) <= value else None


def table(card: dict[str, Any]) -> tuple[list[dict[str, str]], np.ndarray[Any, Any], list[str]]:
    """(the cells of the card, sums x cells matrix of a whole as 1 and its parts as -1, what each sum is over)."""
    levels, pairs = card["levels"], card["intersections"]
    cells: list[dict[str, str]] = [{}, *({axis: level} for axis in levels for level in levels[axis])]
    cells += [{one: a, other: b} for one, other in pairs for a in levels[one] for b in levels[other]]
    sums: list[tuple[dict[str, str], str]] = [({}, axis) for axis in levels]
    sums += [({one: a}, other) for pair in pairs for one, other in (pair, pair[::-1]) for a in levels[one]]
    place = {key(cell): i for i, cell in enumerate(cells)}
    matrix = np.zeros((len(sums), len(cells)))
    for row, (whole, axis) in enumerate(sums):
        matrix[row, place[key(whole)]] = 1
        matrix[row, [place[key({**whole, axis: level})] for level in levels[axis]]] = -1
    return cells, matrix, [f"{name(whole)} over {axis}" for whole, axis in sums]


def counts(rows: list[dict[str, Any]], cells: list[dict[str, str]]) -> np.ndarray[Any, Any]:
    """(cells,) the count that the rows show for each cell, NaN where it is hidden."""
    place = {key(cell): i for i, cell in enumerate(cells)}
    n = np.full(len(cells), np.nan)
    for number, row in enumerate(rows, 1):
        by = row.get("by") if isinstance(row, dict) else None
        if not isinstance(by, dict) or not all(isinstance(level, str) for level in by.values()):
            raise ValueError(f'row {number}: \'by\' must name the cell, as in {{"sex": "female"}}')
        if key(by) not in place:
            raise ValueError(f"row {number}: {name(by)} is not a cell of the card")
        value, i = count(row.get("n"), number), place[key(by)]
        if value is not None and not np.isnan(n[i]) and n[i] != value:
            raise ValueError(f"row {number}: n of {name(by)} is {value}, in an earlier row it is {n[i]:.0f}")
        n[i] = n[i] if value is None else value
    return n


def count(n: Any, number: int) -> int | None:
    """A row's n as a number; None where it is hidden."""
    if isinstance(n, str):
        digits = n.replace(",", "").strip()
        n = float(digits) if re.fullmatch(r"[0-9]{1,15}(\.0*)?", digits) else None
    if n is None:
        return None
    if isinstance(n, bool) or not isinstance(n, int | float) or not 0 <= n < 1e9 or n != int(n):
        raise ValueError(f"row {number}: 'n' must be a whole number of 0 or more, or null")
    return int(n)


def key(by: dict[str, str]) -> frozenset[tuple[str, str]]:
    """The same for {"race": …, "sex": …} and {"sex": …, "race": …}."""
    return frozenset(by.items())


def name(by: dict[str, str]) -> str:
    return ", ".join(f"{axis}={level}" for axis, level in by.items()) or "everybody"


def read_rows(path: Path) -> list[dict[str, Any]]:
    report = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(report, dict) or not isinstance(report.get("rows"), list):
        raise ValueError("there is no list 'rows'")
    return list(report["rows"])


def read_card(path: Path) -> dict[str, Any]:
    card = tomllib.loads(path.read_text(encoding="utf-8"))
    for what, kind in (("levels", dict), ("intersections", list), ("min_cell", int)):
        if not isinstance(card.get(what), kind):
            raise ValueError(f"there is no '{what}', or it is not as on the card you were given")
    levels, pairs = card["levels"], card["intersections"]
    if not all(isinstance(names, list) and all(isinstance(n, str) for n in names) for names in levels.values()):
        raise ValueError("each axis of 'levels' must be a list of texts")
    if not all(
        isinstance(pair, list) and len(pair) == 2 and all(axis in list(levels) for axis in pair) for pair in pairs
    ):
        raise ValueError("each of 'intersections' must be two axes of 'levels'")
    return card


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Find the small counts that a report gives away.")
    parser.add_argument("--cells", type=Path, required=True, metavar="report.json", help="the report to attack")
    parser.add_argument("card", type=Path, metavar="card.toml")
    given = parser.parse_args(arguments)
    path = given.card
    try:
        card = read_card(path)
        path = given.cells
        found, clashes = attack(read_rows(path), card)
    except OSError as error:
        print(f"{path}: {error.strerror}", file=sys.stderr)
        return 2
    # Broken JSON, TOML and UTF-8 are ValueErrors as well; JSON nested without end is the other.
    except (ValueError, RecursionError) as error:
        print(f"{path}: {error}", file=sys.stderr)
        return 2
    if clashes:
        more = f" and {len(clashes) - 3} more" if len(clashes) > 3 else ""
        print(f"note: counts do not add up, left out of account: {'; '.join(clashes[:3])}{more}", file=sys.stderr)
    for cell in found:
        how = "is shown" if cell["how"] == "shown" else "can be worked out from the other counts"
        print(f"{name(cell['by'])}: {cell['n']} {how}")
    if not found:
        print(f"No count from 1 to {card['min_cell'] - 1} is shown or can be worked out from the other counts.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
