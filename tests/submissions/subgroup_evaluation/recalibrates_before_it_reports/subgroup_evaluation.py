"""Recalibrates the scores of every race and payer, then works out the metrics."""

import base_solution as base
import numpy as np

number_rows = base.number_rows


def corrected(table, cells, draws, card):
    score = table["score"].to_numpy().copy()
    for axis in ("race", "payer"):
        for level in table[axis].unique():
            keep = (table[axis] == level).to_numpy()
            shift, _ = base.calibration_fit(score[keep], table.loc[keep, "readmit30"], fixed_slope=True)
            score[keep] = 1 / (1 + np.exp(-(base.logit(score[keep]) + np.nan_to_num(shift))))
    order = np.argsort(score, kind="stable")
    table = table.assign(score=score).iloc[order].reset_index(drop=True)
    return number_rows(table, cells, draws[:, order], card)


base.number_rows = corrected
evaluate = base.evaluate
