"""A batch as a table of encounters, when it is one, and the year's standard scores."""

import numpy as np
import pandas as pd

NUMBERS = ["age", "admissions", "los", "creatinine", "haemoglobin", "sodium", "glucose", "albumin", "bnp"]
LABORATORY = NUMBERS[3:]
SKEWED = ["los", "creatinine", "glucose", "bnp"]


def table(batch):
    """One row per encounter, or None when the batch is no month: empty, uneven, or with texts among the numbers."""
    if not isinstance(batch, dict) or type(batch.get("month")) is not int:
        return None
    try:
        columns = {name: batch["X"][name] for name in [*NUMBERS, "diagnosis"]}
        columns |= {name: batch[name] for name in ("site", "encounter", "score")}
        lengths = {len(values) for values in columns.values()}
        labels = {len(batch["labels"][name]) for name in ("encounter", "y", "matured")}
        if len(lengths) != 1 or lengths == {0} or len(labels) != 1 or not isinstance(batch["reports"], list):
            return None
        frame = pd.DataFrame(columns)
        for name in [*NUMBERS, "score"]:
            frame[name] = pd.to_numeric(frame[name])
        if (
            not np.isfinite(frame["score"]).all()
            or np.isinf(frame[NUMBERS].to_numpy(float)).any()
            or not isinstance(batch["release_id"], str)
        ):
            return None
        return frame.assign(diagnosis=frame["diagnosis"].astype(str), month=batch.get("month_of", batch["month"]))
    except (KeyError, TypeError, ValueError):
        return None


def ratios(name, values):
    """(n,) values so that a factor is a distance."""
    values = np.asarray(values, float)
    return np.log1p(np.maximum(values, 0)) if name == "admissions" else np.log(np.maximum(values, 1e-3))


def logit(p):
    """Log-odds, of rounded scores too."""
    p = np.clip(np.asarray(p, float), 1e-4, 1 - 1e-4)
    return np.log(p / (1 - p))


class Scores:
    """What a linear model may read: 1, nine standard scores, diagnoses, sites."""

    def __init__(self, year, card):
        self.normal = {name: float(card["features"][name]["normal"]) for name in NUMBERS}
        self.crosswalk = card["crosswalk"]
        self.codes = sorted(set(self.crosswalk.values()))
        self.sites = sorted(year["site"].unique())
        raw = self.raw(year)
        self.mean, self.sd = raw.mean(axis=0), raw.std(axis=0) + 1e-9

    def raw(self, frame):
        """(n, 9) on scales on which features are about normal, missing values as normal."""
        out = []
        for name in NUMBERS:
            values = frame[name].fillna(self.normal[name]).to_numpy(float)
            out.append(ratios(name, values) if name in SKEWED or name == "admissions" else values)
        return np.column_stack(out)

    def design(self, frame):
        """(n, p)."""
        z = np.clip((self.raw(frame) - self.mean) / self.sd, -6, 6)
        groups = np.column_stack([frame["diagnosis"] == code for code in self.codes])
        sites = np.column_stack([frame["site"] == site for site in self.sites])
        return np.column_stack([np.ones(len(z)), z, groups, sites]).astype(float)
