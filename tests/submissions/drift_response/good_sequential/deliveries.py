"""A delivery as arrays, or the reason why it is none; and what the card says about features and codes."""

import math
from dataclasses import dataclass

import numpy as np

NUMBERS = ("age", "admissions", "los", "creatinine", "haemoglobin", "sodium", "glucose", "albumin", "bnp")
LABS = NUMBERS[3:]  # values that have a unit and a method
COLUMN = {name: j for j, name in enumerate(NUMBERS)}
STATED = {"age", "haemoglobin", "sodium", "albumin"}  # about normal as they are; the others on a log scale


class NotAMonth(ValueError):
    """A delivery that cannot be read as a month."""


@dataclass
class Delivery:
    """x: (n, 9) as recorded, NaN is missing.  code, site, names: (n,) texts.  score: (n,) as deployed."""

    month: int
    release: str
    x: np.ndarray
    code: np.ndarray
    site: np.ndarray
    names: np.ndarray
    score: np.ndarray
    labels: dict
    reports: list
    month_of: np.ndarray | None = None


def read(batch):
    """A Delivery. Raises NotAMonth."""
    try:
        columns = [[math.nan if v is None else v for v in batch["X"][name]] for name in NUMBERS]
        texts = [batch["X"]["diagnosis"], batch["site"], batch["encounter"]]
        score = batch["score"]
        n = len(score)
        if n == 0 or any(len(column) != n for column in (*columns, *texts)):
            raise NotAMonth("columns of unequal length, or none")
        if any(type(v) not in (int, float) for column in (*columns, score) for v in column):
            raise NotAMonth("a text where a number belongs")
        labels = {key: list(batch["labels"][key]) for key in ("encounter", "y", "matured")}
        if len({len(column) for column in labels.values()}) != 1 or type(batch["month"]) is not int:
            raise NotAMonth("outcomes of unequal length, or no month")
        code, site, names = (np.array([str(v) for v in text], object) for text in texts)
        x, p = np.array(columns, float).T, np.array(score, float)
        if not np.isfinite(p).all() or np.isinf(x).any():
            raise NotAMonth("a number that is none")
        when = np.array(batch["month_of"]) if "month_of" in batch else None
        return Delivery(
            batch["month"], str(batch["release_id"]), x, code, site, names, p, labels, list(batch["reports"]), when
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise NotAMonth(str(error)) from error


class Card:
    """The house's rules, and what they say of features."""

    def __init__(self, card):
        features = card.get("features", {})
        self.normal = np.array([float(features[name]["normal"]) for name in NUMBERS])
        self.factor = {name: features[name]["factor"] for name in NUMBERS if "factor" in features[name]}
        self.crosswalk = dict(card["crosswalk"])
        self.known = sorted(set(self.crosswalk.values()))
        self.min_events, self.most_months = int(card["min_events"]), int(card["most_train_months"])
        self.first = int(card["first_calendar_month"])

    def winter(self, month):
        """1 in January, -1 in July; also of (n,) months."""
        return np.cos(2 * np.pi * (self.first - 1 + np.asarray(month)) / 12)

    def translated(self, code):
        """(n,) codes by the crosswalk."""
        return np.array([self.crosswalk.get(c, c) for c in code.tolist()], object)

    def natural(self, x):
        """(n, 9) on the scale on which a feature is about normal; missing stays NaN."""
        out = np.array(x, float)
        for name, j in COLUMN.items():
            if name not in STATED:
                out[:, j] = np.log1p(np.maximum(out[:, j], 0)) if name == "admissions" else logs(out[:, j])
        return out


def logs(values):
    """(n,) natural logarithms of positive values; NaN stays."""
    return np.log(np.where(np.isnan(values), np.nan, np.maximum(values, 1e-3)))


def logit(p):
    """Log-odds, of rounded scores too."""
    p = np.clip(p, 1e-4, 1 - 1e-4)
    return np.log(p / (1 - p))
