"""Batches as arrays, checked, and the numbers that models of this kind read."""

from dataclasses import dataclass

import numpy as np

# From card.toml, which is not all in the card that a monitor is given: what a missing value counts as, and the value in
# the other unit per value in the model's.
NORMAL = {"age": 50, "admissions": 0, "los": 2, "creatinine": 0.9, "haemoglobin": 14, "sodium": 140}
NORMAL |= {"glucose": 95, "albumin": 4.2, "bnp": 50}
UNIT_FACTOR = {"creatinine": 88.4, "haemoglobin": 10.0, "glucose": 0.055506, "albumin": 10.0, "bnp": 0.289}
# The card's crosswalk: ICD-10 code -> the ICD-9 code that the model knows.
CROSSWALK = {"I50.9": "428.0", "I50.22": "428.22", "I50.32": "428.32", "J44.1": "491.21", "J44.9": "496"}
CROSSWALK |= {"N17.9": "584.9", "N18.6": "585.6", "A41.9": "038.9", "J18.9": "486", "I63.9": "434.91"}
CROSSWALK |= {"I48.91": "427.31", "S72.009A": "820.8", "R07.9": "786.50"}
NAMES = tuple(NORMAL)
SKEWED = ("los", "creatinine", "glucose", "bnp")
CODE = "diagnosis"


@dataclass
class Table:
    """Encounters as recorded. values: feature -> (n,) numbers, NaN is missing.  code, site, encounter: (n,) texts."""

    values: dict
    code: np.ndarray
    site: np.ndarray
    encounter: np.ndarray
    score: np.ndarray

    def __len__(self):
        return len(self.site)


def read(batch):
    """A Table, or None when the batch is not a month: no rows, columns missing or uneven, texts for numbers."""
    try:
        x, labels = batch["X"], batch["labels"]
        values = {name: np.array([np.nan if v is None else v for v in x[name]]) for name in NAMES}
        texts = [np.array(v, object) for v in (x[CODE], batch["site"], batch["encounter"])]
        score = np.array(batch["score"], float)
        columns = [*values.values(), *texts, score]
        whole = len({len(column) for column in columns}) == 1 and len(score) > 0
        numbers = all(column.dtype.kind in "fiu" for column in values.values())
        even = len(labels["encounter"]) == len(labels["y"]) == len(labels["matured"])
        readable = isinstance(batch["release_id"], str) and isinstance(batch["reports"], list)
    except (KeyError, TypeError, ValueError):
        return None
    if not (whole and numbers and even and readable and np.isfinite(score).all()):
        return None
    return Table({k: v.astype(float) for k, v in values.items()}, *texts, score)


def logit(p):
    """Log-odds, of rounded scores too."""
    p = np.clip(p, 1e-4, 1 - 1e-4)
    return np.log(p / (1 - p))


def sigmoid(x):
    """Probability of log-odds."""
    return 1 / (1 + np.exp(-np.clip(x, -30, 30)))


def scaled(name, values):
    """(n,) on the scale on which a feature is about normal."""
    if name == "admissions":
        return np.log1p(np.maximum(values, 0))
    return np.log(np.maximum(values, 1e-3)) if name in SKEWED else values


class Standard:
    """Features in standard deviations of the reference year, and one column a diagnosis."""

    def __init__(self, table):
        raw = {name: scaled(name, self.filled(name, table.values[name])) for name in NAMES}
        self.centre = {name: (v.mean(), v.std() + 1e-9) for name, v in raw.items()}
        self.codes = sorted(set(CROSSWALK.values()))
        # How ill patients are: the direction in which the features go together.
        z = self.features(table.values)
        first = np.linalg.eigh(np.cov(z.T))[1][:, -1]
        self.severity = first * np.sign(first[NAMES.index("admissions")])

    @staticmethod
    def filled(name, values):
        """Missing values as the model takes them."""
        return np.where(np.isnan(values), NORMAL[name], values)

    def features(self, values):
        """(n, 9)."""
        columns = [
            (scaled(name, self.filled(name, values[name])) - self.centre[name][0]) / self.centre[name][1]
            for name in NAMES
        ]
        return np.clip(np.column_stack(columns), -6, 6)

    def groups(self, code):
        """(n, codes)."""
        return (code[:, None] == np.array(self.codes, object)[None, :]).astype(float)
