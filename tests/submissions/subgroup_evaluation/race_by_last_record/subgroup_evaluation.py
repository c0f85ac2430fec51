"""Sorts the records by day and takes the last race of each patient."""

import base_solution as base

people = base.people
base.people = lambda in_dir, card: people(in_dir, card | {"race_rule": "latest"})
evaluate = base.evaluate
