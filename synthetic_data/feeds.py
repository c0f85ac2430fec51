"""How other systems name the same patients and rows: the laboratory's feed and the FHIR vendor."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from synthetic_data import network
from synthetic_data.streams import IntArray, Seed

if TYPE_CHECKING:
    import pandas as pd

    from synthetic_data.dataset import Dataset

ACCESSION_PATTERN = "#######"
LETTERS_PATTERN = "@@@@"
# Results of one patient: 4 encounters of 10.
_PER_ENCOUNTER, _PER_PATIENT = 10, 40
# What stands in front of the patient's id in these, instead of behind it.
_PREFIXED = {"note_id": "N", "attachment_id": "D"}
_BY_PATIENT = ("contact_id", "encounter_id", "condition_id", "lab_id", "med_id", *_PREFIXED)


def laboratory(seed: Seed, data: Dataset) -> Dataset:
    """The data with accession numbers for lab_id ("B0392817") in labs and stray, and site and mrn in labs.

    An accession number depends on the patient's number and the line alone. Raises ValueError when there are more
    patients than numbers.
    """
    labs = data.labs
    who = data.patients.set_index("patient_id")[["number", "site", "mrn"]].loc[labs["patient_id"]]
    line = who["number"].to_numpy(np.int64) * _PER_PATIENT + _line_in_patient(labs)
    values = network.scatter(seed.stream("laboratory"), line, network.capacity(ACCESSION_PATTERN))
    site, mrn = who["site"].tolist(), who["mrn"].tolist()
    accession = [s + number for s, number in zip(site, network.fill(ACCESSION_PATTERN, values), strict=True)]
    new = dict(zip(labs["lab_id"], accession, strict=True))
    stray = data.stray["row_id"].map(lambda key: new.get(key, key))
    return dataclasses.replace(
        data, labs=labs.assign(lab_id=accession, site=site, mrn=mrn), stray=data.stray.assign(row_id=stray)
    )


def vendor_ids(seed: Seed, patients: pd.DataFrame) -> list[str]:
    """One per patient, unique: last four of the SSN, month and day of birth, four letters ("4821-0314-KXQF")."""
    numbers = patients["number"].to_numpy(np.int64)
    values = network.scatter(seed.stream("vendor"), numbers, network.capacity(LETTERS_PATTERN))
    parts = zip(patients["ssn"], patients["birth_date"], network.fill(LETTERS_PATTERN, values), strict=True)
    return [f"{ssn[-4:]}-{born[5:7]}{born[8:]}-{letters}" for ssn, born, letters in parts]


def vendor(data: Dataset, ids: list[str]) -> Dataset:
    """The data under the vendor's ids: every id begins with that of its patient, one of `ids` by row of patients."""
    new = dict(zip(data.patients["patient_id"], ids, strict=True))
    tables = {
        name: _renamed(getattr(data, name), new)
        for name in ("patients", "contacts", "encounters", "conditions", "labs", "meds", "notes", "attachments")
    }
    return dataclasses.replace(data, **tables)


def _renamed(table: pd.DataFrame, new: dict[str, str]) -> pd.DataFrame:
    owner = table["patient_id"].tolist()
    columns = {"patient_id": [new[p] for p in owner]}
    for name in _BY_PATIENT:
        if name in table:
            front = len(_PREFIXED.get(name, "")) + 1 if name in _PREFIXED else 0
            back = f"-{_PREFIXED[name]}" if name in _PREFIXED else ""
            keys = table[name].tolist()
            columns[name] = [new[p] + key[front + len(p) :] + back for p, key in zip(owner, keys, strict=True)]
    return table.assign(**columns)


def _line_in_patient(labs: pd.DataFrame) -> IntArray:
    # "A-000123-E2-L5" -> 14
    tails = [key.split("-")[2:] for key in labs["lab_id"]]
    return np.array([_PER_ENCOUNTER * (int(e[1:]) - 1) + int(line[1:]) - 1 for e, line in tails], np.int64)
