from __future__ import annotations

import numpy as np
import pandas as pd

from synthetic_data import clinical
from synthetic_data.addresses import ascii_word
from synthetic_data.attachments import TYPES, attachments
from synthetic_data.network import SITES
from synthetic_data.population import population
from synthetic_data.streams import Seed

SEED = Seed.from_int(20261121)


def files_of(ids: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    patients = population(SEED, ids, SITES)
    encounters = clinical.encounters(SEED, patients)
    return attachments(SEED, patients, encounters, SITES), patients, encounters


def test_about_15_percent_of_encounters_have_one_file():
    files, _, encounters = files_of(np.arange(1000))
    assert 0.12 < len(files) / len(encounters) < 0.18
    assert files["attachment_id"].is_unique
    assert files["encounter_id"].is_unique
    owner = encounters.set_index("encounter_id")["patient_id"]
    assert (owner[files["encounter_id"]].to_numpy() == files["patient_id"]).all()


def test_every_file_name_gives_its_patient_away():
    files, patients, _ = files_of(np.arange(1000))
    assert files["file_name"].str.fullmatch(r"[A-Za-z0-9_-]+\.txt").all()
    owner = files.merge(patients, on="patient_id")
    family = [ascii_word(name) for name in owner["family"]]
    named = [f in file for f, file in zip(family, owner["file_name"], strict=True)]
    numbered = [mrn in file for mrn, file in zip(owner["mrn"], owner["file_name"], strict=True)]
    assert all(np.array(named) | np.array(numbered))
    assert 0.1 < np.mean(numbered) < 0.4
    assert all(any(kind in file for kind in TYPES) for file in files["file_name"])


def test_every_letter_holds_name_and_date_of_birth():
    files, patients, _ = files_of(np.arange(1000))
    owner = files.merge(patients, on="patient_id")
    born = pd.to_datetime(owner["birth_date"]).dt.strftime("%m/%d/%Y")
    assert all(b in text for b, text in zip(born, owner["content"], strict=True))
    names = owner["given"] + " " + owner["family"]
    assert all(n in text for n, text in zip(names, owner["content"], strict=True))
    assert not files["content"].str.contains("[{}]").any()


def test_a_file_depends_only_on_its_patient():
    everything = files_of(np.arange(1000))[0]
    some, patients, _ = files_of(np.arange(400, 440))
    assert len(some)
    wanted = everything[everything["patient_id"].isin(patients["patient_id"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(some, wanted)


def test_a_network_without_patients_has_no_files():
    _, patients, encounters = files_of(np.arange(5))
    none = attachments(SEED, patients.iloc[:0], encounters.iloc[:0], SITES)
    assert len(none) == 0
    assert "file_name" in none
