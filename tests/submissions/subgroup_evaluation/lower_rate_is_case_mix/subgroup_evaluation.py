"""A group with fewer readmissions than the others is less ill: case mix."""

import base_solution as base


def why(table, cell, keep):
    y = table["readmit30"]
    return "case_mix" if y[keep].mean() < y[~keep].mean() else "miscalibration"


base.why = why
evaluate = base.evaluate
