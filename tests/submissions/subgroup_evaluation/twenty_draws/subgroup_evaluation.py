"""Intervals from 20 draws, to save time."""

import base_solution as base

number_rows = base.number_rows
base.number_rows = lambda table, cells, draws, card: number_rows(table, cells, draws[:20], card)
evaluate = base.evaluate
