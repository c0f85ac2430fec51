"""Leaves it to pandas which century two digits of a birth year are in."""

import base_solution as base
import pandas as pd

iso = base.iso


def by_pandas(text, **given):
    if text.name == "recorded_on":
        return iso(text, **given)
    return pd.to_datetime(text, format="mixed").dt.strftime("%Y-%m-%d")


base.iso = by_pandas
evaluate = base.evaluate
