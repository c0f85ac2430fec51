"""Leaves out patients whose race nobody recorded."""

import base_solution as base

load = base.load


def with_a_race(in_dir, card):
    table = load(in_dir, card)
    return table[table["race"] != "missing"].reset_index(drop=True)


base.load = with_a_race
evaluate = base.evaluate
