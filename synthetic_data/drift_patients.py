"""Encounters of four hospitals and the true risk of readmission that a risk model meets, month by month.

Everything is invented. Units and factors are those of clinical chemistry; the sizes of effects are chosen so that a
linear model ranks well (AUROC about .87): what goes wrong is felt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthetic_data.streams import FloatArray, IntArray, Seed

Texts = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Feature:
    """A number that the model reads.

    scale: "linear", "log" or "log1p", on which it is normal with `mean` and `sd` (log: natural).  severity: its
    correlation with how ill the patient is.  weight: log-odds per sd.  normal: what a missing value counts as.
    factor: another unit's value per value of `unit`; 0 where no other unit is in use.
    """

    name: str
    scale: str
    mean: float
    sd: float
    severity: float
    weight: float
    normal: float
    digits: int
    unit: str
    factor: float = 0.0
    other_unit: str = ""


FEATURES = (
    Feature("age", "linear", 64, 15, 0.25, 0.25, 50, 0, "years"),
    Feature("admissions", "log1p", 0.55, 0.55, 0.45, 0.75, 0, 0, "in 12 months"),
    Feature("los", "log", 1.4, 0.65, 0.40, 0.25, 2, 0, "days"),
    # Factors: SI conversion by molar mass, e.g. creatinine 113.12 g/mol, glucose 180.16 g/mol.
    Feature("creatinine", "log", 0.10, 0.40, 0.40, 0.55, 0.9, 2, "mg/dL", 88.4, "umol/L"),
    Feature("haemoglobin", "linear", 12.3, 1.9, -0.35, -0.40, 14, 1, "g/dL", 10.0, "g/L"),
    Feature("sodium", "linear", 138, 4, -0.20, -0.25, 140, 0, "mmol/L"),
    Feature("glucose", "log", 4.85, 0.32, 0.20, 0.35, 95, 0, "mg/dL", 1 / 18.016, "mmol/L"),
    Feature("albumin", "linear", 3.6, 0.55, -0.45, -0.65, 4.2, 1, "g/dL", 10.0, "g/L"),
    # 1 pg/mL of BNP (3464 g/mol) is .289 pmol/L.
    Feature("bnp", "log", 5.2, 1.0, 0.40, 0.70, 50, 0, "pg/mL", 0.289, "pmol/L"),
)
NAMES = tuple(f.name for f in FEATURES)
DIAGNOSIS = "diagnosis"
LABORATORY = ("creatinine", "haemoglobin", "sodium", "glucose", "albumin", "bnp")


@dataclass(frozen=True)
class Group:
    """Principal diagnoses that are alike. share: of encounters.  weight: log-odds."""

    name: str
    share: float
    weight: float
    icd9: tuple[str, ...]
    icd10: tuple[str, ...]


# Pairs of codes: CMS General Equivalence Mappings 2018 (approximate matches, as the GEMs mark most of them).
GROUPS = (
    Group("heart failure", 0.16, 0.9, ("428.0", "428.22", "428.32"), ("I50.9", "I50.22", "I50.32")),
    Group("chronic lung disease", 0.12, 0.6, ("491.21", "496"), ("J44.1", "J44.9")),
    Group("kidney", 0.09, 0.7, ("584.9", "585.6"), ("N17.9", "N18.6")),
    Group("sepsis", 0.11, 0.3, ("038.9",), ("A41.9",)),
    Group("pneumonia", 0.12, 0.0, ("486",), ("J18.9",)),
    Group("stroke", 0.08, -0.2, ("434.91",), ("I63.9",)),
    Group("rhythm", 0.10, -0.1, ("427.31",), ("I48.91",)),
    Group("hip fracture", 0.08, -0.6, ("820.8",), ("S72.009A",)),
    Group("chest pain", 0.14, -1.2, ("786.50",), ("R07.9",)),
)
GROUP_OF = {code: k for k, g in enumerate(GROUPS) for code in g.icd9}
CROSSWALK = {ten: nine for g in GROUPS for nine, ten in zip(g.icd9, g.icd10, strict=True)}
TEN_OF = {nine: ten for ten, nine in CROSSWALK.items()}
BASE = -2.75  # log-odds of the average encounter
SEASON = 0.2  # log-odds, winter to the yearly mean
TRUE_WEIGHTS = np.array([f.weight for f in FEATURES])
TRUE_GROUPS = np.array([g.weight for g in GROUPS])
PARAMETERS = 1 + len(FEATURES) + len(GROUPS)


@dataclass(frozen=True)
class Encounters:
    """A month's encounters. site: (n,) names.  x: (n, 9) as in FEATURES, NaN is missing.  code: (n,) of diagnosis."""

    number: IntArray
    site: Texts
    x: FloatArray
    code: Texts

    def __len__(self) -> int:
        return len(self.number)


def forward(values: FloatArray) -> FloatArray:
    """(n, 9) values in their own units -> standard scores; a missing one counts as normal, an impossible one is cut."""
    out = np.empty_like(values)
    for j, f in enumerate(FEATURES):
        v = np.where(np.isnan(values[:, j]), f.normal, values[:, j])
        if f.scale == "log":
            v = np.log(np.maximum(v, 1e-3))
        elif f.scale == "log1p":
            v = np.log1p(np.maximum(v, 0))
        out[:, j] = (v - f.mean) / f.sd
    # As deployed software does, so that one absurd value cannot make the sum absurd.
    return np.clip(out, -6, 6)


def backward(scores: FloatArray) -> FloatArray:
    """(n, 9) standard scores -> values in their own units, rounded as they are recorded."""
    out = np.empty_like(scores)
    for j, f in enumerate(FEATURES):
        v = f.mean + f.sd * scores[:, j]
        if f.scale == "log":
            v = np.exp(v)
        elif f.scale == "log1p":
            v = np.maximum(np.expm1(v), 0)
        out[:, j] = np.round(v, f.digits)
    out[:, NAMES.index("age")] = np.clip(out[:, NAMES.index("age")], 18, 102)
    out[:, NAMES.index("los")] = np.maximum(out[:, NAMES.index("los")], 1)
    return out


def drawn(seed: Seed, number: IntArray, site: Texts, severity: FloatArray) -> Encounters:
    """Encounters as they are. severity: (n,) mean of how ill patients are, in sd."""
    ill = severity + seed.stream("severity").normal(number)
    noise = seed.stream("features").normal(number[:, None], np.arange(len(FEATURES))[None, :])
    rho = np.array([f.severity for f in FEATURES])
    x = backward(rho * ill[:, None] + np.sqrt(1 - rho**2) * noise)
    group = seed.stream("group").choice([g.share for g in GROUPS], number)
    pick = seed.stream("code").uniform(number)
    code = np.array(
        [GROUPS[g].icd9[int(u * len(GROUPS[g].icd9))] for g, u in zip(group.tolist(), pick.tolist(), strict=True)],
        dtype=object,
    )
    return Encounters(number, site, x, code)


def groups_of(code: Texts) -> FloatArray:
    """(n, 9) which group a code is in by the model's table; a code that it does not hold is in none."""
    found = np.array([GROUP_OF.get(c, -1) for c in code.tolist()], np.int64)
    return np.asarray(found[:, None] == np.arange(len(GROUPS)), np.float64)


def design(encounters: Encounters) -> FloatArray:
    """(n, 19) what a linear model sees: 1, standard scores, groups."""
    return np.column_stack([np.ones(len(encounters)), forward(encounters.x), groups_of(encounters.code)])


def sigmoid(logit: FloatArray) -> FloatArray:
    """1 / (1 + exp(-x))."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logit, -30, 30))))
