"""Vital signs and laboratory results that agree with the diagnoses: raised HbA1c in diabetes, creatinine in CKD."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthetic_data import stray, vocab
from synthetic_data.population import whole_years
from synthetic_data.streams import FloatArray, IntArray, Seed, Stream

MOST_PER_ENCOUNTER = 10
BoolArray = npt.NDArray[np.bool_]

# eGFR of the stages, KDIGO 2012, 3 mL/min inside their borders so that rounding creatinine stays in the stage.
STAGE_EGFR = {"N18.30": (33.0, 56.0), "N18.31": (48.0, 56.0), "N18.32": (33.0, 41.0), "N18.4": (18.0, 26.0)}
BLEEDING = ("K92.2",)
COMING_WITH_FEVER = ("J18.9", "A41.9", "N39.0", "L03.90", "K57.32")


def egfr(creatinine: FloatArray, age: IntArray, female: BoolArray) -> FloatArray:
    """mL/min/1.73 m2 from creatinine in mg/dL by CKD-EPI 2021 (Inker et al., NEJM 2021;385:1737), adults."""
    kappa, alpha = np.where(female, 0.7, 0.9), np.where(female, -0.241, -0.302)
    ratio = creatinine / kappa
    low, high = np.minimum(ratio, 1) ** alpha, np.maximum(ratio, 1) ** -1.2
    return np.asarray(142 * low * high * 0.9938**age * np.where(female, 1.012, 1.0), np.float64)


def creatinine_for(egfr_wanted: FloatArray, age: IntArray, female: BoolArray) -> FloatArray:
    """The creatinine, mg/dL, at which `egfr` gives the wanted value."""
    kappa, alpha = np.where(female, 0.7, 0.9), np.where(female, -0.241, -0.302)
    at_kappa = 142 * 0.9938**age * np.where(female, 1.012, 1.0)
    exponent = np.where(egfr_wanted < at_kappa, -1.2, alpha)
    return np.asarray(kappa * (egfr_wanted / at_kappa) ** (1 / exponent), np.float64)


def labs(seed: Seed, patients: pd.DataFrame, encounters: pd.DataFrame, conditions: pd.DataFrame) -> pd.DataFrame:
    """4 to 10 vital signs and results per encounter, in the order of vocab/measurements.csv."""
    visit = _Visits(seed, patients, encounters, conditions)
    ordered, values = _ordered(visit), _values(visit)
    table = vocab.read("measurements")
    keys = table["key"].tolist()
    decimals = table["decimals"].astype(int).to_numpy()
    matrix = np.column_stack([np.round(values[key], places) for key, places in zip(keys, decimals, strict=True)])
    wanted = np.column_stack([ordered[key] for key in keys])
    wanted &= np.cumsum(wanted, axis=1) <= MOST_PER_ENCOUNTER
    at, test = np.nonzero(wanted)
    value = matrix[at, test]
    # The patient's own reference range: columns (low, high) for women, then for men.
    ranges = table[["ref_low_F", "ref_high_F", "ref_low_M", "ref_high_M"]].replace("", "nan").to_numpy(np.float64)
    offset = np.where(visit.female[at], 0, 2)
    low, high = ranges[test, offset], ranges[test, offset + 1]
    interpretation = np.where(value < low, "L", np.where(value > high, "H", "N"))
    interpretation = np.where(np.isnan(low) & np.isnan(high), "", interpretation)
    line = (np.cumsum(wanted, axis=1)[at, test]).tolist()
    encounter_id = encounters["encounter_id"].to_numpy(dtype=object)[at].tolist()
    lab_id = [f"{e}-L{k}" for e, k in zip(encounter_id, line, strict=True)]
    is_vital = (table["category"] == "vital-signs").to_numpy(bool)[test]
    # Vital signs a few minutes in, blood a little later, both before the shortest encounter ends.
    minute = np.where(is_vital, 3, 8) + visit.draw("taken").integers(0, 4, visit.who[at], visit.place[at])
    taken = encounters["start"].to_numpy("datetime64[s]")[at] + (minute * 60).astype("timedelta64[s]")
    return pd.DataFrame(
        {
            "lab_id": lab_id,
            "patient_id": encounters["patient_id"].to_numpy(dtype=object)[at].tolist(),
            "encounter_id": encounter_id,
            "taken_at": np.datetime_as_string(taken, "s").tolist(),
            "category": table["category"].to_numpy(dtype=object)[test],
            "loinc": table["loinc"].to_numpy(dtype=object)[test],
            "name": table["name"].to_numpy(dtype=object)[test],
            "value": value,
            "unit": table["unit"].to_numpy(dtype=object)[test],
            "ref_low": low,
            "ref_high": high,
            "interpretation": interpretation.tolist(),
            "comment": stray.comments(seed, patients, lab_id, visit.row[at], is_vital)[0],
        }
    ).astype({"category": "str", "loinc": "str", "name": "str", "unit": "str", "comment": "str"})


class _Visits:
    """Per encounter, shape (encounters,): whose it is, and what the chart says about that patient at that time."""

    def __init__(self, seed: Seed, patients: pd.DataFrame, encounters: pd.DataFrame, conditions: pd.DataFrame) -> None:
        row_of = pd.Series(np.arange(len(patients)), index=patients["patient_id"])
        self._seed = seed
        self.row: IntArray = row_of.reindex(encounters["patient_id"]).to_numpy(np.int64)
        self.who: IntArray = patients["number"].to_numpy(np.int64)[self.row]
        self.place: IntArray = encounters["encounter_id"].str[-1].to_numpy(np.int64) - 1
        self.female: BoolArray = (patients["sex"] == "female").to_numpy()[self.row]
        born = patients["birth_date"].to_numpy("datetime64[D]")[self.row]
        self.age: IntArray = whole_years(born, encounters["start"].to_numpy("datetime64[D]"))
        self.kind = encounters["class"].to_numpy(dtype=object)
        chronic = conditions["clinical_status"] == "active"
        self._chronic = conditions.loc[chronic].groupby("code")["patient_id"].agg(set).to_dict()
        self._acute = conditions.loc[~chronic].groupby("code")["encounter_id"].agg(set).to_dict()
        self._patient, self._encounter = encounters["patient_id"], encounters["encounter_id"]

    def has(self, *codes: str) -> BoolArray:
        """The patient has one of these chronic conditions."""
        people = set().union(*(self._chronic.get(code, set()) for code in codes))
        return self._patient.isin(people).to_numpy(bool)

    def now(self, *codes: str) -> BoolArray:
        """One of these acute conditions is why the patient came."""
        visits = set().union(*(self._acute.get(code, set()) for code in codes))
        return self._encounter.isin(visits).to_numpy(bool)

    def draw(self, name: str) -> Stream:
        return self._seed.stream(f"labs/{name}")

    def lasting(self, name: str) -> FloatArray:
        """A standard normal value that is the patient's own at every encounter."""
        return np.asarray(self.draw(name).normal(self.who, 1000), np.float64)

    def fresh(self, name: str) -> FloatArray:
        """A standard normal value of its own at each encounter."""
        return np.asarray(self.draw(name).normal(self.who, self.place), np.float64)

    def chance(self, name: str) -> FloatArray:
        return np.asarray(self.draw(name).uniform(self.who, self.place, 1), np.float64)


DIABETES = ("E11.9", "E11.65", "E11.22", "E11.40")
KIDNEY = tuple(STAGE_EGFR)


def _ordered(visit: _Visits) -> dict[str, BoolArray]:
    """Which measurements are taken, by key; the first ten in the order of the table are kept."""
    everyone = np.ones(len(visit.who), bool)
    clinic, hospital = visit.kind == "AMB", visit.kind != "AMB"
    renal = hospital | visit.has(*KIDNEY, *DIABETES, "I10") & (visit.chance("order/renal") < 0.8)
    renal |= clinic & (visit.chance("order/renal") < 0.2)
    lipids = clinic & visit.has("E78.5") & (visit.chance("order/lipids") < 0.6)
    return {
        "sbp": everyone,
        "dbp": everyone,
        "heart_rate": everyone,
        "weight": clinic,
        "bmi": clinic,
        "height": clinic & (visit.place == 0),
        "temperature": hospital,
        "spo2": hospital | visit.has("J44.9", "J45.909", "I50.9"),
        "a1c": visit.has(*DIABETES) | (clinic & (visit.chance("order/a1c") < 0.15)),
        "glucose": hospital | visit.has(*DIABETES),
        "creatinine": renal,
        "egfr": renal,
        "hemoglobin": hospital | visit.has("D50.9", "D63.1"),
        "potassium": (visit.kind == "IMP") | visit.has("I50.9"),
        "sodium": visit.kind == "IMP",
        "leukocytes": visit.now(*COMING_WITH_FEVER),
        "bnp": visit.has("I50.9"),
        "troponin": visit.now("R07.9", "I21.4"),
        "lactate": visit.now("A41.9"),
        "inr": visit.has("I48.91"),
        "tsh": clinic & visit.has("E03.9"),
        "ldl": lipids,
        "hdl": lipids,
        "cholesterol": lipids,
        "triglyceride": lipids,
    }


def _values(visit: _Visits) -> dict[str, FloatArray]:
    """A value for every measurement at every encounter, whether it was ordered or not, before rounding."""
    table = vocab.read("measurements")
    medians = {sex: dict(zip(table["key"], table[f"median_{sex}"], strict=True)) for sex in "FM"}
    spreads = {sex: dict(zip(table["key"], table[f"sd_{sex}"], strict=True)) for sex in "FM"}

    def usual(key: str, low: float, high: float, weight_of_visit: float = 0.5) -> FloatArray:
        """Around the sex's median; most of the spread is between patients, the rest between visits."""
        women, men = ((float(medians[sex][key]), float(spreads[sex][key])) for sex in "FM")
        middle, spread = (np.where(visit.female, w, m) for w, m in zip(women, men, strict=True))
        z = np.sqrt(1 - weight_of_visit**2) * visit.lasting(key) + weight_of_visit * visit.fresh(key)
        return np.asarray(np.clip(middle + spread * z, low, high), np.float64)

    fever, diabetic = visit.now(*COMING_WITH_FEVER), visit.has(*DIABETES)
    acute_stress = fever | visit.now("I21.4", "J44.1", "I26.99", "K92.2", "K85.90")
    anaemic = visit.has("D50.9", "D63.1") | visit.now(*BLEEDING)
    short_of_breath = visit.now("J44.1", "J18.9", "I26.99")
    sbp = usual("sbp", 92, 178) + np.where(visit.has("I10"), 9, -3) - np.where(visit.now("A41.9"), 22, 0)
    dbp = np.minimum(usual("dbp", 52, 106) + np.where(visit.has("I10"), 4, -1), sbp - 18)
    bmi = _body_mass(visit)
    height = np.round(usual("height", 140, 205, 0.0), 1)
    weight = np.round(bmi * (height / 100) ** 2, 1)
    a1c = _a1c(visit)
    # Estimated average glucose (ADAG; Nathan et al., Diabetes Care 2008;31:1473) is 28.7 HbA1c - 46.7.
    glucose = np.where(diabetic, 28.7 * a1c - 46.7 + 22 * visit.fresh("glucose"), usual("glucose", 66, 124))
    creatinine = _creatinine(visit, usual("creatinine", 0.45, 1.9, 0.25))
    tsh = np.exp(0.35 * visit.fresh("tsh"))
    ldl = np.clip(usual("ldl", 40, 190) + np.where(visit.has("E78.5"), 12, -4), 40, 230)
    hdl = usual("hdl", 24, 100, 0.2)
    triglyceride = np.clip(105 * np.exp(0.45 * visit.lasting("triglyceride") + 0.2 * visit.fresh("tg")), 40, 390)
    return {
        "sbp": np.clip(sbp, 78, 210),
        "dbp": np.clip(dbp, 42, 120),
        "heart_rate": np.clip(usual("heart_rate", 52, 100) + np.where(acute_stress, 16, 0), 46, 140),
        "weight": weight,
        # kg/m2 of the height and weight as written, so that a reader who checks finds no contradiction.
        "bmi": weight / (height / 100) ** 2,
        "height": height,
        "temperature": np.where(fever, 38.4 + 0.5 * visit.fresh("fever"), usual("temperature", 35.8, 37.5, 1.0)),
        "spo2": np.clip(usual("spo2", 94, 100, 0.8) - np.where(short_of_breath, 6, 0), 82, 100),
        "a1c": a1c,
        "glucose": np.clip(glucose + np.where(acute_stress, 18, 0), 58, 480),
        "creatinine": creatinine,
        "egfr": egfr(np.round(creatinine, 2), visit.age, visit.female),
        "hemoglobin": np.where(
            anaemic, np.clip(9.6 + visit.fresh("anaemia"), 6.8, 11.6), usual("hemoglobin", 12, 17.6)
        ),
        "potassium": usual("potassium", 3.1, 5.6, 0.7),
        "sodium": usual("sodium", 129, 148, 0.8),
        "leukocytes": np.clip(14 + 3 * visit.fresh("leukocytes"), 9.5, 26),
        "bnp": np.where(visit.has("I50.9"), np.clip(480 * np.exp(0.7 * visit.fresh("bnp")), 110, 4000), 45.0),
        "troponin": np.where(visit.now("I21.4"), np.clip(1.8 * np.exp(visit.fresh("nstemi")), 0.12, 25), 0.01),
        "lactate": np.clip(2.9 + 0.9 * visit.fresh("lactate"), 1.2, 7),
        # People with atrial fibrillation take warfarin here: goal 2 to 3.
        "inr": np.clip(2.4 + 0.45 * visit.fresh("inr"), 1.2, 4.4),
        "tsh": np.clip(3.0 * tsh, 0.3, 9.5),
        "ldl": ldl,
        "hdl": hdl,
        # Friedewald: LDL is calculated as total - HDL - triglycerides / 5.
        "cholesterol": np.round(ldl) + np.round(hdl) + np.round(triglyceride) / 5,
        "triglyceride": triglyceride,
    }


def _body_mass(visit: _Visits) -> FloatArray:
    """kg/m2: 30 and more in people with a diagnosis of obesity, below 30 in the others."""
    drift = 0.4 * visit.fresh("bmi")
    obese = np.clip(34.5 + 3.4 * np.abs(visit.lasting("bmi")) * np.sign(visit.lasting("bmi")) + drift, 30.6, 52)
    return np.where(visit.has("E66.9"), obese, np.clip(25.8 + 2.6 * visit.lasting("bmi") + drift, 18.0, 29.6))


def _a1c(visit: _Visits) -> FloatArray:
    """%: 8.5 and more with hyperglycemia (E11.65), 6.1 to 8.4 in other diabetics, below 6.5 in everybody else."""
    z = 0.8 * visit.lasting("a1c") + 0.6 * visit.fresh("a1c")
    poor, other = visit.has("E11.65"), visit.has(*DIABETES)
    return np.where(
        poor,
        np.clip(9.6 + 1.0 * z, 8.5, 13.2),
        np.where(other, np.clip(7.2 + 0.6 * z, 6.1, 8.4), np.clip(5.45 + 0.3 * z, 4.5, 6.3)),
    )


def _creatinine(visit: _Visits, usual: FloatArray) -> FloatArray:
    """mg/dL: of the diagnosed stage; without kidney disease never so high that eGFR falls below 60."""
    value = np.minimum(usual, creatinine_for(np.full(len(usual), 62.0), visit.age, visit.female))
    share = np.clip(0.5 + 0.22 * visit.lasting("egfr") + 0.10 * visit.fresh("egfr"), 0, 1)
    for code, (low, high) in STAGE_EGFR.items():
        wanted = low + (high - low) * share
        value = np.where(visit.has(code), creatinine_for(wanted, visit.age, visit.female), value)
    # Acute kidney failure at least doubles it here (KDIGO stage 2).
    return np.where(visit.now("N17.9"), value * (2.0 + 0.4 * np.abs(visit.fresh("aki"))), value)
