"""Looks for "asian" in the records of race before it looks for "cauc"."""

import base_solution as base

base.RACE.sort(key=lambda pair: pair[1] != "Asian")
evaluate = base.evaluate
