"""Hides the counts below min_cell and shows all others."""

import base_solution as base

base.derivable = lambda rows, card: []
evaluate = base.evaluate
