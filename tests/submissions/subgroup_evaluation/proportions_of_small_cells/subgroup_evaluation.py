"""Hides counts and leaves the estimates of small cells where they are, with all their decimals."""

import base_solution as base

hide = base.hide


def counts_only(rows, table, cells, card):
    given = [r["est"] for r in rows]
    rows = hide(rows, table, cells, card)
    for r, est in zip(rows, given):
        r["est"] = est
    return rows


base.hide = counts_only
evaluate = base.evaluate
