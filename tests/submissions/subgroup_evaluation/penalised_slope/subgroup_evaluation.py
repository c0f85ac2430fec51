"""Fits the calibration slope with scikit-learn's LogisticRegression as it comes."""

import base_solution as base
from sklearn.linear_model import LogisticRegression

fits = base.fits


def with_sklearn(score, y, w):
    drawn, whole = fits(score, y, w)
    slope = float(LogisticRegression().fit(base.logit(score)[:, None], y).coef_[0, 0])
    return drawn | {"slope": drawn["slope"] + slope - whole["slope"]}, whole | {"slope": slope}


base.fits = with_sklearn
evaluate = base.evaluate
