"""Hides counts below 5, as the last network did."""

import base_solution as base

hide = base.hide


def below_five(rows, table, cells, card):
    counts = [r["n"] for r in rows]
    rows = hide(rows, table, cells, card)
    for r, n in zip(rows, counts):
        if 5 <= n < card["min_cell"]:
            r |= {"n": n, "suppressed": False}
    return rows


base.hide = below_five
evaluate = base.evaluate
