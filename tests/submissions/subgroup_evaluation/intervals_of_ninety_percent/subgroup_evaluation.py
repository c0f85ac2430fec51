"""The ends of an interval are the 5th and the 95th percentile of the draws."""

import base_solution as base
import numpy as np

nanquantile = np.nanquantile
number_rows = base.number_rows


def at_ninety(*given):
    np.nanquantile = lambda values, _: nanquantile(values, [0.05, 0.95])
    rows = number_rows(*given)
    np.nanquantile = nanquantile
    return rows


base.number_rows = at_ninety
evaluate = base.evaluate
