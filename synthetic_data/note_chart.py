"""What a note may say: one row per note with the facts of its encounter, gathered from the tables."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from synthetic_data import vocab
from synthetic_data.phi_forms import TextArray
from synthetic_data.streams import IntArray, Seed

if TYPE_CHECKING:
    import pandas as pd

    from synthetic_data.network import Site

Days = npt.NDArray[np.datetime64]
Columns = dict[str, npt.NDArray[Any]]

STYLES = "ABC"
# Share of ambulatory encounters with a note; every emergency and inpatient encounter has one.
AMBULATORY_SHARE = 0.5
OLD = 90  # 45 CFR 164.514(b)(2)(i)(C): ages over 89

# Standard time of the states of the network's sites; elsewhere stamps are written in UTC.
_ZONES = {"CA": "-08:00", "NE": "-06:00", "NH": "-05:00"}
_UNITS = {"mL/min/{1.73_m2}": "mL/min/1.73 m2", "[degF]": "F", "Cel": "C", "10*3/uL": "K/uL", "10*6/uL": "M/uL"}
# What surrounds ingredient and strength in an RxNorm name: product number, release time, pack size; form and brand.
_AROUND_DOSE = re.compile(
    r"^(NDA\d+ )?(\d+ (HR|ACTUAT|ML) )?|( Delayed Release| Extended Release)?"
    r" (Oral|Topical|Inhalation|Metered|Injection|Injectable|Prefilled|Pen|Nasal|Dry)\b.*| \[.*"
)
_SYSTOLIC, _DIASTOLIC = "8480-6", "8462-4"
_VITALS = {
    "hr": ("8867-4", "{}"),
    "temp": ("8310-5", "{} {}"),
    "spo2": ("59408-5", "{}{}"),
    "weight": ("29463-7", "{} {}"),
}


def chart(
    seed: Seed,
    patients: pd.DataFrame,
    contacts: pd.DataFrame,
    encounters: pd.DataFrame,
    conditions: pd.DataFrame,
    labs: pd.DataFrame,
    meds: pd.DataFrame,
    sites: tuple[Site, ...],
) -> Columns:
    """Columns of equal length, one value per note: text "" , date NaT or age 0 where the chart says nothing.

    A column `<source>_<column>` belongs to a person, place or date a note can mention (see phi_forms.Rows).
    """
    import pandas as pd

    person = pd.Index(patients["patient_id"]).get_indexer(encounters["patient_id"])
    start = encounters["start"].to_numpy(dtype="datetime64[s]")
    order = np.lexsort((start, person))
    person, encounters = person[order], encounters.iloc[order]
    start = start[order]
    first = np.r_[True, person[1:] != person[:-1]] if len(person) else np.zeros(0, bool)
    count = np.arange(len(person)) - np.maximum.accumulate(np.where(first, np.arange(len(person)), 0))
    previous = np.where(first, np.datetime64("NaT"), np.roll(start, 1).astype("datetime64[D]"))

    numbers = patients["number"].to_numpy(np.int64)
    draw = seed.stream("notes.written")
    written = (encounters["class"] != "AMB").to_numpy() | (draw.uniform(numbers[person], count) < AMBULATORY_SHARE)
    person, count, previous, start = person[written], count[written], previous[written], start[written]
    encounters = encounters[written]
    ids = numbers[person]
    visit, end = start.astype("datetime64[D]"), encounters["end"].to_numpy(dtype="datetime64[s]")
    columns: Columns = {
        "number": ids,
        "encounter": count,
        "patient_id": _text(encounters["patient_id"]),
        "encounter_id": _text(encounters["encounter_id"]),
        "class": _text(encounters["class"]),
        "written_at": np.datetime_as_string(end, "s").astype(object),
        "provider_given": _text(encounters["provider_given"]),
        "provider_family": _text(encounters["provider_family"]),
        "reason": _map(_text(encounters["reason"]), _reason),
        "prev_date": previous,
        "visit_date": visit,
        "end_date": end.astype("datetime64[D]"),
    }
    columns |= _person(patients, person, visit)
    columns |= _site(_text(encounters["site"]), sites, start, end)
    columns |= _drawn_dates(seed, ids, count, columns)
    columns |= _contacts(patients, contacts, person)
    columns |= _conditions(patients, conditions, person, columns)
    columns |= _meds(patients, meds, person, columns)
    columns |= _labs(labs, columns)
    return columns


def available(columns: Columns, name: str) -> npt.NDArray[np.bool_]:
    """(notes,) whether the chart says something in this column."""
    values = columns[name]
    if values.dtype.kind == "M":
        return ~np.isnat(values)
    if name == "number":  # patient 0 is a patient
        return np.ones(len(values), bool)
    return values != "" if values.dtype == object else values > 0


def _person(patients: pd.DataFrame, person: IntArray, visit: Days) -> Columns:
    from synthetic_data.population import whole_years

    own = ("given", "middle", "family", "mrn", "ssn", "phone", "email", "street", "city", "county", "zip", "employer")
    columns: Columns = {f"patient_{name}": _text(patients[name])[person] for name in own}
    columns["patient_plan"] = _text(patients["health_plan_id"])[person]
    born = patients["birth_date"].to_numpy(dtype="datetime64[D]")[person]
    age = whole_years(born, visit)
    female = (patients["sex"] == "female").to_numpy()[person]
    words = {
        "he": ("she", "he"), "He": ("She", "He"), "his": ("her", "his"), "His": ("Her", "His"), "him": ("her", "him"),
        "woman": ("woman", "man"), "title": ("Ms.", "Mr."), "sex": ("F", "M"),
    }  # fmt: skip
    columns |= {name: np.where(female, *pair).astype(object) for name, pair in words.items()}
    columns |= {
        "state": _text(patients["state"])[person],
        "insurance": _text(patients["insurance"])[person],
        "dob_date": born,
        "patient_birth_year": born.astype("datetime64[Y]").astype(np.int64) + 1970,
        "patient_age": np.where(age >= OLD, age, 0),
        "young_age": _objects("" if a >= OLD else f"{a}-year-old" for a in age.tolist()),
    }
    return columns


def _site(codes: TextArray, sites: tuple[Site, ...], start: Days, end: Days) -> Columns:
    """House style by the site's place in the network: A headed, B terse, C dictated."""
    place = {site.code: k for k, site in enumerate(sites)}
    index = np.array([place[code] for code in codes], np.int64)
    zones = [_ZONES.get(site.state, "Z") for site in sites]
    columns: Columns = {
        "site": codes,
        "style": index % len(STYLES),
        "site_name": _objects(site.name for site in sites)[index],
    }
    for name, moment in (("visit", start), ("end", end)):
        clock = (text[11:] for text in np.datetime_as_string(moment, "s").tolist())
        columns[f"{name}_time"] = _objects(f"{t}{zones[k]}" for t, k in zip(clock, index, strict=True))
    return columns


def _drawn_dates(seed: Seed, ids: IntArray, count: IntArray, columns: Columns) -> Columns:
    """Days before and after the visit that no table holds."""
    draw = seed.stream("notes.dates")

    def days(low: int, high: int, k: int) -> npt.NDArray[np.timedelta64]:
        return draw.integers(low, high, ids, count, k).astype("timedelta64[D]")

    following = columns["end_date"] + days(7, 61, 1)
    birth_year = columns["patient_birth_year"]
    this_year = columns["visit_date"].astype("datetime64[Y]").astype(np.int64) + 1970
    return {
        "began_date": columns["visit_date"] - days(1, 21, 0),
        "next_date": following,
        "next2_date": following + days(3, 15, 2),
        # The same answer in every note of a patient.
        "past_year": np.minimum(draw.integers(birth_year + 16, 2023, ids, 0, 3), this_year - 1),
        "elder_age": draw.integers(OLD, 102, ids, 0, 4),
    }


def _contacts(patients: pd.DataFrame, contacts: pd.DataFrame, person: IntArray) -> Columns:
    import pandas as pd

    owner = pd.Index(patients["patient_id"]).get_indexer(contacts["patient_id"])
    columns: Columns = {}
    for column in ("given", "family", "phone", "email", "relationship"):
        wide = _first(owner, _text(contacts[column]), 2, len(patients))
        columns[f"contact_{column}"], columns[f"contact2_{column}"] = wide[0][person], wide[1][person]
    columns["relation"], columns["relation2"] = columns["contact_relationship"], columns["contact2_relationship"]
    columns["contact_middle"] = columns["contact2_middle"] = np.full(len(person), "", object)
    return columns


def _conditions(patients: pd.DataFrame, conditions: pd.DataFrame, person: IntArray, columns: Columns) -> Columns:
    """Up to three diagnoses known at the visit, those of the visit first."""
    note, row = _pairs(patients, conditions, person)
    onset = conditions["onset_date"].to_numpy(dtype="datetime64[D]")[row]
    own = _text(conditions["encounter_id"])[row] == columns["encounter_id"][note]
    active = (conditions["clinical_status"] == "active").to_numpy()[row]
    # A resolved diagnosis of another visit may already have been gone.
    known = (onset <= columns["visit_date"][note]) & (active | own)
    order = np.lexsort((row, ~own, note))
    order = order[known[order]]
    note, row = note[order], row[order]
    n = len(person)
    display = _map(_text(conditions["display"]), _diagnosis)[row]
    first_onset = np.full(n, np.datetime64("NaT"), "datetime64[D]")
    starts = np.unique(note, return_index=True)[1]
    first_onset[note[starts]] = onset[order][starts]
    return (
        {f"dx{k + 1}": v for k, v in enumerate(_first(note, display, 3, n))}
        | {f"code{k + 1}": v for k, v in enumerate(_first(note, _text(conditions["code"])[row], 2, n))}
        | {"onset_date": first_onset}
    )


def _meds(patients: pd.DataFrame, meds: pd.DataFrame, person: IntArray, columns: Columns) -> Columns:
    """Up to three drugs started by the end of the encounter; each name once."""
    meds = meds.drop_duplicates(["patient_id", "name"])
    note, row = _pairs(patients, meds, person)
    started = meds["start_date"].to_numpy(dtype="datetime64[D]")[row]
    kept = started <= columns["end_date"][note]
    note, row, started = note[kept], row[kept], started[kept]
    first_start = np.full(len(person), np.datetime64("NaT"), "datetime64[D]")
    starts = np.unique(note, return_index=True)[1]
    first_start[note[starts]] = started[starts]
    names = _map(_text(meds["name"]), _drug)[row]
    return {f"drug{k + 1}": v for k, v in enumerate(_first(note, names, 3, len(person)))} | {"drug_date": first_start}


def _labs(labs: pd.DataFrame, columns: Columns) -> Columns:
    """Up to four laboratory results of the encounter, abnormal ones first, and its vital signs."""
    import pandas as pd

    n = len(columns["number"])
    note = pd.Index(columns["encounter_id"]).get_indexer(pd.Index(labs["encounter_id"]))
    labs, note = labs[note >= 0], note[note >= 0]
    loinc, value, unit = _text(labs["loinc"]), labs["value"].to_numpy(float), _text(labs["unit"])
    unit = _map(unit, lambda u: _UNITS.get(u, u))
    result: Columns = {}

    def vital(code: str, line: str) -> TextArray:
        rows = loinc == code
        texts = _objects(line.format(f"{v:g}", u) for v, u in zip(value[rows], unit[rows], strict=True))
        return _first(note[rows], texts, 1, n)[0]

    upper, lower = vital(_SYSTOLIC, "{}"), vital(_DIASTOLIC, "{}")
    result["bp"] = _objects(f"{s}/{d}" if s and d else "" for s, d in zip(upper, lower, strict=True))
    result |= {name: vital(code, line) for name, (code, line) in _VITALS.items()}

    laboratory = (labs["category"] == "laboratory").to_numpy()
    normal = labs["interpretation"].isin(["N", ""]).to_numpy()
    order = np.lexsort((np.arange(len(labs)), normal, note))
    order = order[laboratory[order]]
    shorts = _lab_names()
    names = _map(loinc, lambda code: shorts.get(code, code))
    parts = zip(names[order], value[order], unit[order], strict=True)
    texts = _objects(f"{name} {v:g}{'' if u in ('%', '1') else ' '}{'' if u == '1' else u}" for name, v, u in parts)
    result |= {f"lab{k + 1}": v for k, v in enumerate(_first(note[order], texts, 4, n))}
    taken = np.full(n, np.datetime64("NaT"), "datetime64[D]")
    starts = np.unique(note[order], return_index=True)[1]
    taken[note[order][starts]] = labs["taken_at"].to_numpy(dtype="datetime64[D]")[order][starts]
    return result | {"lab_date": taken}


def _pairs(patients: pd.DataFrame, table: pd.DataFrame, person: IntArray) -> tuple[IntArray, IntArray]:
    """(note, row of table) for every row of each note's patient, in the order of notes and then of the table."""
    import pandas as pd

    owner = pd.Index(patients["patient_id"]).get_indexer(table["patient_id"])
    order = np.argsort(owner, kind="stable")
    low, high = np.searchsorted(owner[order], person), np.searchsorted(owner[order], person, side="right")
    counts = high - low
    note = np.repeat(np.arange(len(person)), counts)
    within = np.arange(len(note)) - np.repeat(np.cumsum(counts) - counts, counts)
    return note, order[np.repeat(low, counts) + within]


def _first(group: IntArray, values: TextArray, k: int, n: int) -> list[TextArray]:
    """The first k values of each of n groups as k columns; "" where there are fewer. Groups need not be sorted."""
    order = np.argsort(group, kind="stable")
    group, values = group[order], values[order]
    place = np.arange(len(group)) - np.searchsorted(group, group)
    columns = []
    for j in range(k):
        column = np.full(n, "", object)
        column[group[place == j]] = values[place == j]
        columns.append(column)
    return columns


@functools.cache
def _lab_names() -> dict[str, str]:
    table = vocab.read("note_lab_names")
    return dict(zip(table["loinc"], table["short"], strict=True))


def _diagnosis(display: str) -> str:
    return _lower_first(re.sub(r", unspecified.*|^Unspecified |, initial encounter.*", "", display))


def _reason(reason: str) -> str:
    """As it reads in a sentence: "Follow-up: Parkinson disease" -> "follow-up of Parkinson disease"."""
    opening, colon, rest = reason.partition(": ")
    return f"{_lower_first(opening)} of {_diagnosis(rest)}" if colon else _diagnosis(reason)


def _drug(name: str) -> str:
    """As clinicians write it: "metformin hydrochloride 500 MG Oral Tablet" -> "metformin hydrochloride 500 mg"."""
    return _AROUND_DOSE.sub("", name).lower().replace("/ml", "/mL").strip()


def _lower_first(text: str) -> str:
    # "HIV test" and "Parkinson disease" keep their capital.
    named = text.startswith(("Parkinson", "Alzheimer", "Crohn", "Graves", "Hodgkin"))
    return text if named or text[1:2].isupper() else text[:1].lower() + text[1:]


def _text(series: pd.Series[Any]) -> TextArray:
    return series.to_numpy(dtype=object)


def _objects(values: Any) -> TextArray:
    items = list(values)
    out = np.empty(len(items), object)
    out[:] = items
    return out


def _map(values: TextArray, change: Any) -> TextArray:
    """`change` of every value, worked out once per distinct value."""
    table = {value: change(value) for value in set(values.tolist())}
    return _objects(table[value] for value in values.tolist())
