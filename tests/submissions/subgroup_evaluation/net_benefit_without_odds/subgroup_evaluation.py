"""Net benefit is true less false positives, each weighing alike."""

import base_solution as base
import numpy as np

metrics = base.metrics


def unweighted(score, y, w, line):
    gain = w @ np.where(score >= line, 2 * y - 1, 0)
    with np.errstate(all="ignore"):
        return metrics(score, y, w, line) | {"net_benefit": gain / w.sum(1)}


base.metrics = unweighted
evaluate = base.evaluate
