"""Fills in a race that nobody recorded with the most frequent one."""

import base_solution as base

load = base.load


def filled(in_dir, card):
    table = load(in_dir, card)
    table["race"] = table["race"].replace("missing", "White")
    return table


base.load = filled
evaluate = base.evaluate
