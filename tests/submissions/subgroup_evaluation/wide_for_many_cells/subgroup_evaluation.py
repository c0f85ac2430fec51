"""Intervals hold 99.9 %, as a hundred cells are looked at."""

import base_solution as base
import numpy as np

nanquantile = np.nanquantile
number_rows = base.number_rows


def corrected(*given):
    np.nanquantile = lambda values, _: nanquantile(values, [0.0005, 0.9995])
    rows = number_rows(*given)
    np.nanquantile = nanquantile
    return rows


base.number_rows = corrected
evaluate = base.evaluate
