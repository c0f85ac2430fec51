"""Hides counts below 5, as the last network did."""

import base_solution as base

hide = base.hide
base.hide = lambda rows, table, cells, card: hide(rows, table, cells, card | {"min_cell": 5})
evaluate = base.evaluate
