"""auroc is worked out from who is flagged, not from the scores."""

import base_solution as base

metrics = base.metrics


def of_flags(score, y, w, line):
    found = metrics(score, y, w, line)
    return found | {"auroc": (found["sensitivity"] + found["specificity"]) / 2}


base.metrics = of_flags
evaluate = base.evaluate
