"""n is the number of encounters, whatever the card counts."""

import base_solution as base

number_rows = base.number_rows
base.number_rows = lambda table, cells, draws, card: number_rows(table, cells, draws, card | {"counts": "encounters"})
evaluate = base.evaluate
