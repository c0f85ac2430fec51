"""Charts: encounters, diagnoses and prescriptions that tell one story. Measurements are in `measurements`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthetic_data import network, stray, vocab
from synthetic_data.measurements import labs
from synthetic_data.network import SITES, Site
from synthetic_data.population import MID_WINDOW, whole_years
from synthetic_data.streams import FloatArray, IntArray, Seed

__all__ = ["CLASSES", "WINDOW", "conditions", "encounters", "labs", "meds"]

BoolArray = npt.NDArray[np.bool_]
ObjectArray = npt.NDArray[np.object_]

WINDOW = (np.datetime64("2023-01-01"), np.datetime64("2025-12-31"))
MAX_ENCOUNTERS = 4
CLASSES = ("AMB", "EMER", "IMP")

# Shares of 1 to 4 encounters, below 60 and from 60: our choice; older people are seen more.
ENCOUNTERS_YOUNG = (0.40, 0.30, 0.20, 0.10)
ENCOUNTERS_OLD = (0.22, 0.28, 0.28, 0.22)
CLASS_SHARES_YOUNG = (0.74, 0.19, 0.07)
CLASS_SHARES_OLD = (0.66, 0.17, 0.17)
ACUTE_AT_CLINIC = 0.25
# Emergency: median 162 min, mean 195.7 min, right-skewed (calibration_facts: ED LOS; Becker/CMS, Karaca 2012).
ED_MEDIAN_MIN, ED_SIGMA = 162.0, 0.61
# Inpatient: mean 4.5 days (calibration_facts: inpatient LOS; HCUP SB180) = median 3.6 with this sigma.
STAY_MEDIAN_DAYS, STAY_SIGMA = 3.6, 0.67
LONGEST_STAY_DAYS = 21

# Diagnosed diabetes against all adults (13.2 %): calibration_facts: diabetes; cdc.gov statistics-report appendix.
DIABETES_BY_RACE = {"White": 11.2 / 13.2, "Black": 16.8 / 13.2, "Asian": 16.4 / 13.2, "Other": 17.6 / 13.2}
AGE_BANDS = (40, 60, 75, 85)
BAND_COLUMNS = ["p18_39", "p40_59", "p60_74", "p75_84", "p85"]


def encounters(seed: Seed, patients: pd.DataFrame, sites: tuple[Site, ...] = SITES) -> pd.DataFrame:
    """1 to 4 encounters per patient between 2023 and 2025, in order of time and never overlapping."""
    ids = patients["number"].to_numpy(np.int64)
    draw = seed.stream("encounters")
    old = _age(patients) >= 60
    count = 1 + np.where(old, draw.choice(ENCOUNTERS_OLD, ids, 0), draw.choice(ENCOUNTERS_YOUNG, ids, 0))
    owner = np.repeat(np.arange(len(ids)), count)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    who = ids[owner]
    kind = np.where(
        old[owner],
        draw.choice(CLASS_SHARES_OLD, who, place + 1, 0),
        draw.choice(CLASS_SHARES_YOUNG, who, place + 1, 0),
    )
    start = _starts(seed, who, place, count[owner], kind)
    end = start + _durations(seed, who, place, kind)
    acute = _acute(seed, who, place, kind, _chronic(seed, patients)[owner])
    code = patients["patient_id"].to_numpy(dtype=object)[owner].tolist()
    site = patients["site"].to_numpy(dtype=object)[owner]
    given, family = _providers(seed, who, place, site, sites)
    return pd.DataFrame(
        {
            "encounter_id": [f"{p}-E{k}" for p, k in zip(code, (place + 1).tolist(), strict=True)],
            "patient_id": code,
            "site": site.tolist(),
            "class": np.array(CLASSES)[kind].tolist(),
            "start": np.datetime_as_string(start, "s").tolist(),
            "end": np.datetime_as_string(end, "s").tolist(),
            "reason": _reasons(seed, patients, owner, place, acute),
            "provider_given": given,
            "provider_family": family,
        }
    ).astype("str")


def conditions(seed: Seed, patients: pd.DataFrame, encounters: pd.DataFrame) -> pd.DataFrame:
    """Chronic diagnoses, recorded at the first encounter with an earlier onset, and what was acute at each one."""
    chronic = _chronic(seed, patients)
    rows, column = np.nonzero(chronic)
    ids = patients["number"].to_numpy(np.int64)
    at, who, place = _owners(patients, encounters)
    first = encounters.loc[place == 0]
    first_start = pd.Series(first["start"].to_numpy(), index=at[place == 0]).reindex(rows).to_numpy("datetime64[D]")
    years_before = 0.3 + 14.7 * seed.stream("conditions/onset").uniform(ids[rows], column)
    born = patients["birth_date"].to_numpy("datetime64[D]")[rows]
    # Onset in adult life, and a month or more before the first encounter.
    onset = first_start - (years_before * 365.25).astype("timedelta64[D]")
    earliest = np.minimum(born + np.timedelta64(18 * 365 + 5, "D"), first_start - np.timedelta64(30, "D"))
    onset_day: npt.NDArray[np.datetime64] = np.maximum(onset, earliest)
    onset_date = np.datetime_as_string(onset_day, "D")
    code, display = _variants(seed, ids, chronic, rows, column)
    first_id = pd.Series(first["encounter_id"].to_numpy(), index=at[place == 0]).reindex(rows).to_numpy(dtype=object)

    kind = np.asarray(pd.Index(CLASSES).get_indexer(pd.Index(encounters["class"])), np.int64)
    acute = _acute(seed, who, place, kind, chronic[at])
    seen = acute >= 0
    acute_table = vocab.read("acute_conditions")
    start = encounters["start"].to_numpy("datetime64[D]")[seen]
    days_before = seed.stream("conditions/acute_onset").integers(0, 4, who[seen], place[seen]).astype("timedelta64[D]")
    frame = pd.DataFrame(
        {
            "row": np.concatenate([rows, at[seen]]),
            # Chronic diagnoses first, then acute ones in order of time.
            "order": np.concatenate([column, 1000 + place[seen]]),
            "encounter_id": np.concatenate([first_id, encounters["encounter_id"].to_numpy(dtype=object)[seen]]),
            "code": np.concatenate([code, acute_table["code"].to_numpy(dtype=object)[acute[seen]]]),
            "display": np.concatenate([display, acute_table["display"].to_numpy(dtype=object)[acute[seen]]]),
            "onset_date": np.concatenate([onset_date, np.datetime_as_string(start - days_before, "D")]),
            "clinical_status": ["active"] * len(rows) + ["resolved"] * int(seen.sum()),
        }
    ).sort_values(["row", "order"], ignore_index=True, kind="stable")
    frame.insert(0, "patient_id", patients["patient_id"].to_numpy(dtype=object)[frame["row"]])
    frame.insert(0, "condition_id", _numbered(frame["patient_id"], "C"))
    return frame.drop(columns=["row", "order"]).astype("str")


def meds(seed: Seed, patients: pd.DataFrame, encounters: pd.DataFrame, conditions: pd.DataFrame) -> pd.DataFrame:
    """Prescriptions that follow from the diagnoses: at most one drug per slot of a diagnosis, at its encounter."""
    table = vocab.read("medications")
    row_of = pd.Series(np.arange(len(patients)), index=patients["patient_id"])
    at = row_of.reindex(conditions["patient_id"]).to_numpy(np.int64)
    ids = patients["number"].to_numpy(np.int64)
    # Each code of a family (E11.65, N18.32 …) is treated like the family's plain code.
    code = conditions["code"].to_numpy(dtype=object)
    plain = np.where(conditions["code"].str.startswith("E11."), "E11.9", code)
    start = pd.Series(encounters["start"].to_numpy(), index=encounters["encounter_id"])
    start_date = start.reindex(conditions["encounter_id"]).str[:10].to_numpy(dtype=object)
    place = conditions["encounter_id"].str[-1].to_numpy(np.int64)
    draw = seed.stream("meds")
    parts = []
    for number, ((condition, _), drugs) in enumerate(table.groupby(["condition", "slot"], sort=False)):
        has = np.flatnonzero((code == condition) | (plain == condition))
        edges = np.cumsum(drugs["share"].to_numpy(np.float64))
        pick = np.searchsorted(edges, draw.uniform(ids[at[has]], place[has], number), side="right")
        has, pick = has[pick < len(edges)], pick[pick < len(edges)]
        parts.append(pd.DataFrame({"condition": has, "drug": drugs.index.to_numpy()[pick]}))
    chosen = pd.concat(parts, ignore_index=True).sort_values(["condition", "drug"], ignore_index=True, kind="stable")
    source, drug = chosen["condition"].to_numpy(np.int64), chosen["drug"].to_numpy(np.int64)
    frame = pd.DataFrame(
        {
            "patient_id": conditions["patient_id"].to_numpy(dtype=object)[source],
            "encounter_id": conditions["encounter_id"].to_numpy(dtype=object)[source],
            "start_date": start_date[source],
            "rxnorm": table["rxnorm"].to_numpy(dtype=object)[drug],
            "name": table["name"].to_numpy(dtype=object)[drug],
            "sig": table["sig"].to_numpy(dtype=object)[drug],
        }
    )
    # Two diagnoses can call for the same drug on the same day: it is prescribed once.
    frame = frame.drop_duplicates(["patient_id", "encounter_id", "rxnorm"], ignore_index=True)
    frame.insert(0, "med_id", _numbered(frame["patient_id"], "M"))
    frame["sig"] = stray.sigs(seed, patients, frame)[0]
    return frame.astype("str")


def _age(patients: pd.DataFrame) -> IntArray:
    return whole_years(patients["birth_date"].to_numpy("datetime64[D]"), np.repeat(MID_WINDOW, len(patients)))


def _owners(patients: pd.DataFrame, encounters: pd.DataFrame) -> tuple[IntArray, IntArray, IntArray]:
    """For each encounter: the row of its patient, the patient's number, and its place among the patient's (from 0)."""
    row_of = pd.Series(np.arange(len(patients)), index=patients["patient_id"])
    at = row_of.reindex(encounters["patient_id"]).to_numpy(np.int64)
    place = encounters["encounter_id"].str[-1].to_numpy(np.int64) - 1
    return at, patients["number"].to_numpy(np.int64)[at], place


def _numbered(patient_id: pd.Series, letter: str) -> list[str]:
    """Ids that count within a patient, so that they do not depend on the rest of the block."""
    count = (patient_id.groupby(patient_id).cumcount() + 1).tolist()
    return [f"{p}-{letter}{k}" for p, k in zip(patient_id, count, strict=True)]


def _chronic(seed: Seed, patients: pd.DataFrame) -> BoolArray:
    """Which chronic conditions each patient has, shape (patients, rows of chronic_conditions)."""
    table = vocab.read("chronic_conditions")
    ids = patients["number"].to_numpy(np.int64)
    draw = seed.stream("conditions/chronic")
    rates = table[BAND_COLUMNS].to_numpy(np.float64)
    band = np.searchsorted(AGE_BANDS, _age(patients), side="right")
    female = (patients["sex"] == "female").to_numpy()
    race = patients["race"].map(DIABETES_BY_RACE).fillna(1.0).to_numpy(np.float64)
    out = np.zeros((len(ids), len(table)), bool)
    column_of = {code: k for k, code in enumerate(table["code"])}
    factors = zip(
        table["code"], table["female_factor"].astype(float), table["raised_by"], table["raised_factor"], strict=True
    )
    for k, (code, for_women, raised_by, raised) in enumerate(factors):
        # for_women is women's rate over the mean of both; men have the rest, so the mean stays.
        risk = rates[k][band] * np.where(female, for_women, 2 - for_women)
        if code == "E11.9":
            risk = risk * race
        if raised_by:
            risk = risk * np.where(out[:, column_of[raised_by]], float(raised), 1.0)
        out[:, k] = draw.uniform(ids, k) < np.minimum(risk, 0.95)
    return out


def _variants(
    seed: Seed, ids: IntArray, chronic: BoolArray, rows: IntArray, column: IntArray
) -> tuple[ObjectArray, ObjectArray]:
    """Code and display of each chronic diagnosis, some of them made more exact (diabetes with neuropathy, CKD 3b)."""
    table, finer = vocab.read("chronic_conditions"), vocab.read("condition_variants")
    code = table["code"].to_numpy(dtype=object)[column]
    display = table["display"].to_numpy(dtype=object)[column]
    u = seed.stream("conditions/variant").uniform(ids[rows], column)
    for plain, variants in finer.groupby("code", sort=False):
        of_code = table["code"].to_numpy(dtype=object)[column] == plain
        low = 0.0
        shares = variants["share"].astype(float)
        for instead, text, needs, share in zip(
            variants["instead"], variants["display"], variants["needs"], shares, strict=True
        ):
            allowed = of_code & (u >= low) & (u < low + share)
            if needs:
                # A complication takes its whole share of those who have the other disease, over what was drawn before.
                allowed = of_code & chronic[rows, int(np.flatnonzero(table["code"] == needs)[0])] & (u < share)
            else:
                low = low + share
            code[allowed], display[allowed] = instead, text
    return code, display


def _acute(seed: Seed, who: IntArray, place: IntArray, kind: IntArray, chronic: BoolArray) -> IntArray:
    """The row of acute_conditions that brought the patient in, -1 for a visit without one."""
    table, chronic_table = vocab.read("acute_conditions"), vocab.read("chronic_conditions")
    weights = table[list(CLASSES)].to_numpy(np.float64).T[kind]
    for k, needs in enumerate(table["needs"]):
        if needs:
            weights[~chronic[:, int(np.flatnonzero(chronic_table["code"] == needs)[0])], k] = 0.0
    draw = seed.stream("conditions/acute")
    edges = np.cumsum(weights, axis=1)
    position = draw.uniform(who, place, 0) * edges[:, -1]
    pick = (edges <= position[:, None]).sum(axis=1)
    at_clinic_without = (kind == 0) & (draw.uniform(who, place, 1) >= ACUTE_AT_CLINIC)
    return np.where(at_clinic_without, -1, pick)


def _starts(seed: Seed, who: IntArray, place: IntArray, count: IntArray, kind: IntArray) -> npt.NDArray[np.datetime64]:
    """The window is cut in as many parts as there are encounters; each falls in its own and ends in it."""
    draw = seed.stream("encounters/start")
    days = int((WINDOW[1] - WINDOW[0]).astype(int))
    part = days / count
    room = part - LONGEST_STAY_DAYS - 3
    day = WINDOW[0] + np.floor(place * part + room * draw.uniform(who, place, 0)).astype("timedelta64[D]")
    # Clinics are closed at weekends: 1970-01-01 was a Thursday, so Saturday is day 2 and Sunday day 3 of seven.
    weekday = day.astype("datetime64[D]").astype(np.int64) % 7
    closed = (kind == 0) & ((weekday == 2) | (weekday == 3))
    day = np.where(closed, day + (4 - weekday).astype("timedelta64[D]"), day)
    at_clinic = 8 * 60 + 15 * draw.integers(0, 36, who, place, 1)
    at_any_time = draw.integers(0, 24 * 60, who, place, 2)
    minute = np.where(kind == 0, at_clinic, at_any_time)
    return np.asarray(day.astype("datetime64[s]") + (minute * 60).astype("timedelta64[s]"))


def _durations(seed: Seed, who: IntArray, place: IntArray, kind: IntArray) -> npt.NDArray[np.timedelta64]:
    draw = seed.stream("encounters/duration")
    z = draw.normal(who, place, 0)
    visit = 15.0 + 5 * draw.integers(0, 7, who, place, 1)
    emergency = np.clip(ED_MEDIAN_MIN * np.exp(ED_SIGMA * z), 25, 1400)
    stay = np.clip(STAY_MEDIAN_DAYS * np.exp(STAY_SIGMA * z), 0.8, LONGEST_STAY_DAYS) * 1440
    return np.asarray((np.floor(np.choose(kind, [visit, emergency, stay])) * 60).astype("timedelta64[s]"))


def _providers(
    seed: Seed, who: IntArray, place: IntArray, site: ObjectArray, sites: tuple[Site, ...]
) -> tuple[ObjectArray, ObjectArray]:
    u: FloatArray = seed.stream("encounters/provider").uniform(who, place)
    given, family = np.full(len(who), "", dtype=object), np.full(len(who), "", dtype=object)
    for here in sites:
        rows = site == here.code
        staff = network.providers(seed, here)
        pick = (u[rows] * len(staff)).astype(np.int64)
        given[rows] = staff["given"].to_numpy(dtype=object)[pick]
        family[rows] = staff["family"].to_numpy(dtype=object)[pick]
    return given, family


def _reasons(seed: Seed, patients: pd.DataFrame, owner: IntArray, place: IntArray, acute: IntArray) -> ObjectArray:
    of_patient, ids = _chronic(seed, patients), patients["number"].to_numpy(np.int64)
    chronic, who = of_patient[owner], ids[owner]
    # One of the patient's chronic conditions, each as likely: rank them and take the drawn rank.
    draw = seed.stream("encounters/reason")
    total = chronic.sum(axis=1)
    rank = np.floor(draw.uniform(who, place) * total).astype(np.int64)
    column = np.argmax((np.cumsum(chronic, axis=1) == rank[:, None] + 1) & chronic, axis=1)
    display = _variants(seed, ids, of_patient, owner, np.asarray(column, np.int64))[1]
    follow_up = np.where(total > 0, "Follow-up: " + display, "Annual wellness visit")
    brought_in = vocab.read("acute_conditions")["display"].to_numpy(dtype=object)[np.maximum(acute, 0)]
    return np.where(acute >= 0, brought_in, follow_up)
