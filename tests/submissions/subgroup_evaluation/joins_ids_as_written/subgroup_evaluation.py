"""Joins records to patients by the ids as they stand; those of other forms find nobody."""

import base_solution as base
import pandas as pd

read_csv = pd.read_csv


def as_written(path, **options):
    table = read_csv(path, **options)
    return table[table["patient"].str.match(r"P\d")] if path.name == "demographics.csv" else table


base.pd.read_csv = as_written
evaluate = base.evaluate
