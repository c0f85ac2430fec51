"""auprc is the area under straight lines between the points of the precision-recall curve."""

import base_solution as base
import numpy as np
from sklearn.metrics import auc, precision_recall_curve

metrics = base.metrics


def with_lines(score, y, w, line):
    found = metrics(score, y, w, line)
    if len(w) > 1 or not y.any():
        return found
    precision, recall, _ = precision_recall_curve(y, score)
    return found | {"auprc": np.array([auc(recall, precision)])}


base.metrics = with_lines
evaluate = base.evaluate
