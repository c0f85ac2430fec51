"""Where more is needed than the score says, the label is to blame."""

import base_solution as base


def why(table, cell, keep):
    need, score = table["need"], table["score"]
    gap = need[keep].sum() / score[keep].sum() / (need[~keep].sum() / score[~keep].sum())
    return "proxy_label" if gap > 1.15 else "miscalibration"


base.why = why
evaluate = base.evaluate
