"""The readmission model: a logistic regression on five inputs, centred."""

import io

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

VERSION = "readmission-2.3.1"
COLUMNS = ["age", "creatinine", "haemoglobin", "sodium"]
CENTRE = np.array([60.0, 1.0, 13.0, 139.0])


def fitted():
    """As trained in 2025; its four coefficients are kept here and not in a pickle."""
    model = LogisticRegression()
    model.classes_ = np.array([0, 1])
    model.coef_ = np.array([[0.03, 0.8, -0.15, -0.05]])
    model.intercept_ = np.array([-3.2])
    model.n_features_in_ = 4
    return model


MODEL = fitted()


def risks(values):
    """(n,) risk, 4 decimals, of (n, 4) values in the order of COLUMNS."""
    return MODEL.predict_proba(np.asarray(values, float) - CENTRE)[:, 1].round(4)


def batch_risks(body):
    """Risks of the patients of a CSV (bytes): id and COLUMNS. Raises ValueError, KeyError."""
    frame = pd.read_csv(io.StringIO(body.decode("utf-8")), dtype={"id": str})
    values = frame.set_index("id")[COLUMNS].astype(float)
    if values.isna().any(axis=None) or values.empty:
        raise ValueError("values are missing")
    return risks(values).tolist()
