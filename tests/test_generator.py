"""The generator: the same bytes whatever the circumstances, consistent charts, and valid FHIR."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthetic_data import dataset, generate, network, population, vocab
from synthetic_data.formats import csv, fhir
from synthetic_data.formats.logical import logical_hash
from synthetic_data.measurements import STAGE_EGFR, creatinine_for, egfr
from synthetic_data.streams import Seed

SEED = Seed.from_int(7)
KIT = Path(__file__).parents[1]
SMALL = 60
LARGE = 3000


@pytest.fixture(scope="module")
def small() -> dataset.Dataset:
    return dataset.make(SEED, SMALL)


@pytest.fixture(scope="module")
def large() -> dataset.Dataset:
    return dataset.make(SEED, LARGE)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("written") / "data"
    generate.write(out, SEED, SMALL)
    return out


@pytest.fixture(scope="module")
def resources(small: dataset.Dataset) -> list[dict]:
    files = fhir.fhir(small)
    return [json.loads(line) for name, body in files.items() if name.endswith("ndjson") for line in body.splitlines()]


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def encounter_days(data: dataset.Dataset) -> pd.DataFrame:
    """Encounters with the patient's birth date and completed years at the start."""
    joined = data.encounters.merge(data.patients[["patient_id", "birth_date", "sex"]], on="patient_id")
    ages = population.whole_years(
        joined["birth_date"].to_numpy("datetime64[D]"), joined["start"].to_numpy("datetime64[D]")
    )
    return joined.assign(age=ages)


# Determinism


@pytest.mark.parametrize(("block_size", "workers"), [(7, 1), (SMALL, 1), (20, 2)])
def test_block_size_and_workers_do_not_change_a_byte(written, tmp_path, block_size, workers):
    generate.write(tmp_path / "data", SEED, SMALL, block_size=block_size, workers=workers)
    assert digests(tmp_path / "data") == digests(written)


@pytest.mark.parametrize(("hash_seed", "zone"), [("0", "Pacific/Auckland"), ("4242", "America/Adak")])
def test_another_process_clock_zone_and_folder_write_the_same_bytes(written, tmp_path, hash_seed, zone):
    program = (
        "from pathlib import Path\nfrom synthetic_data import generate\nfrom synthetic_data.streams import Seed\n"
        f"generate.write(Path('data'), Seed.from_int(7), {SMALL})\n"
    )
    environment = {
        **os.environ,
        "PYTHONHASHSEED": hash_seed,
        "TZ": zone,
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONPATH": str(KIT),
    }
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True)
    assert digests(tmp_path / "data") == digests(written)


def test_blocks_of_one_patient_give_the_same_tables_and_types():
    whole, single = dataset.make(SEED, 12), dataset.make(SEED, 12, block_size=1)
    for field in dataclasses.fields(dataset.Dataset):
        pd.testing.assert_frame_equal(getattr(whole, field.name), getattr(single, field.name))


def test_text_columns_are_text_and_only_numbers_are_numbers(small):
    numbers = {"number", "person", "start", "end", "hard", "value", "ref_low", "ref_high"}
    for field in dataclasses.fields(dataset.Dataset):
        frame = getattr(small, field.name)
        for name, kind in frame.dtypes.items():
            text = name not in numbers or (field.name == "encounters")
            assert (kind == "str") == text, f"{field.name}.{name} is {kind}"


def test_patients_are_the_same_in_a_larger_data_set(small):
    twice = dataset.make(SEED, 2 * SMALL)
    people = set(small.patients["patient_id"])
    for field in dataclasses.fields(dataset.Dataset):
        part, whole = getattr(small, field.name), getattr(twice, field.name)
        if "patient_id" in whole:
            same = whole[whole["patient_id"].isin(people)]
        else:
            same = whole[whole["note_id"].isin(set(small.notes["note_id"]))]
        pd.testing.assert_frame_equal(part, same.reset_index(drop=True))


def test_another_seed_makes_other_people(small):
    others = population.population(Seed.from_int(8), np.arange(SMALL))
    assert set(small.patients["ssn"]) & set(others["ssn"]) <= {population.PLACEHOLDER_SSN}


# Writing


def test_a_stopped_run_leaves_nothing_that_looks_complete_and_can_be_repeated(written, tmp_path):
    def stop(done: int) -> None:
        raise KeyboardInterrupt

    out = tmp_path / "data"
    with pytest.raises(KeyboardInterrupt):
        generate.write(out, SEED, SMALL, block_size=30, progress=stop)
    assert not out.exists()
    generate.write(out, SEED, SMALL)
    assert digests(out) == digests(written)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_folder_that_holds_something_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="is not empty"):
        generate.write(tmp_path, SEED, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_progress_counts_patients_up_to_the_number_asked_for(tmp_path):
    seen: list[int] = []
    generate.write(tmp_path / "data", SEED, 10, formats=("csv",), block_size=4, progress=seen.append)
    assert seen == [4, 8, 10]
    assert not (tmp_path / "data" / "fhir").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"formats": ("xml",)}, "not xml"),
        ({"patients": 0}, "patients must be 1"),
        ({"workers": 0}, "workers must be 1"),
    ],
)
def test_what_cannot_be_written_is_refused_by_name(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        generate.write(**{"out": tmp_path / "data", "seed": SEED, "patients": 3, **changes})


def test_the_folder_holds_the_files_that_dataset_formats_give(written, small):
    for name, body in csv.csv(small).items():
        assert (written / "csv" / name).read_bytes() == body
    for name, body in fhir.fhir(small).items():
        assert (written / "fhir" / name).read_bytes() == body
    assert len(list((written / "attachments").iterdir())) == len(small.attachments) > 0


def test_csv_has_unix_line_ends_and_reads_back_as_it_was(small):
    body = csv.table(small.labs)
    assert b"\r" not in body
    back = pd.read_csv(pd.io.common.BytesIO(body), keep_default_na=False, dtype="str")
    assert np.array_equal(back["value"].astype(float), small.labs["value"])
    assert back["comment"].tolist() == small.labs["comment"].tolist()
    assert not {"number", "person", "name_group"} & set(csv.frames(small)["patients"])


def test_the_logical_hash_sees_values_and_row_order_and_not_storage(small):
    frame = small.labs
    usual = logical_hash({"labs": frame})
    same = frame[frame.columns[::-1]].astype({"name": object}).set_axis(np.arange(len(frame)) + 5)
    assert logical_hash({"labs": same}) == usual
    assert logical_hash({"labs": frame[::-1]}) != usual
    assert logical_hash({"results": frame}) != usual
    changed = frame.assign(value=frame["value"].where(frame.index != 3, frame["value"] + 0.1))
    assert logical_hash({"labs": changed}) != usual


# People


def test_a_record_number_is_unique_at_its_site_and_sometimes_means_two_people_in_the_network(large):
    patients = large.patients
    assert not patients.duplicated(["site", "mrn"]).any()
    shared = patients["mrn"].duplicated(keep=False).mean()
    assert 0.10 < shared < 0.18
    assert patients["mrn"].str.fullmatch(r"\d{8}|A-\d\d-\d{4}-[A-Z]").all()


def test_record_numbers_follow_the_pattern_a_card_asks_for():
    sites = tuple(dataclasses.replace(site, mrn_pattern="@#-####") for site in network.SITES)
    patients = population.population(SEED, np.arange(400), sites)
    assert patients["mrn"].str.fullmatch(r"[A-HJ-NP-Z]\d-\d{4}").all()
    assert not patients.duplicated(["site", "mrn"]).any()


def test_a_pattern_too_short_for_the_patients_is_refused():
    sites = tuple(dataclasses.replace(site, mrn_pattern="##") for site in network.SITES)
    with pytest.raises(ValueError, match="does not fit in a numbering scheme of 100"):
        population.population(SEED, np.arange(300), sites)


def test_nobody_real_can_be_reached(large):
    for people in (large.patients, large.contacts):
        assert people["phone"].str.fullmatch(r"\d{3}-555-01\d\d").all()
        assert people["email"].str.fullmatch(r"[a-z0-9._]+@example\.(com|org|net)").all()
    # 9xx areas are never issued, and taxpayer numbers (ITIN) have groups from 50.
    known = large.patients[large.patients["ssn"] != population.PLACEHOLDER_SSN]
    assert known["ssn"].str.fullmatch(r"9\d\d-[0-4]\d-\d{4}").all()
    assert known.drop_duplicates(["ssn", "person"])["ssn"].is_unique
    assert not large.patients["health_plan_id"].duplicated().any()


def charts_of_two(data: dataset.Dataset) -> tuple[pd.DataFrame, pd.DataFrame]:
    """First and second charts of the people who have two, in the same order."""
    patients = data.patients
    second = patients[patients["person"] != patients["number"]].set_index("person")
    return patients.set_index("number", drop=False).loc[second.index], second


def test_about_5_percent_of_people_have_a_second_chart_and_nobody_has_three(large):
    charts = large.patients.groupby("person").size()
    assert abs((charts == 2).mean() - 0.05) < 0.01
    assert charts.max() == 2


def test_two_charts_of_a_person_agree_in_who_it_is_and_not_in_where_and_how_reached(large):
    first, second = charts_of_two(large)
    same = ["given", "middle", "family", "name_group", "birth_date", "sex", "race", "ethnicity", "language", "ssn"]
    assert (first[same] == second[same]).all(axis=None)
    # One of them moved: another site, a home of that region, and numbers of its own.
    other = ["patient_id", "site", "mrn", "health_plan_id", "street", "zip"]
    assert (first[other] != second[other]).all(axis=None)


def test_two_charts_of_a_person_never_share_a_record_number_and_those_of_strangers_do(large):
    patients = large.patients
    shared = patients[patients["mrn"].duplicated(keep=False)]
    assert len(shared) > 100
    assert (shared.groupby("mrn")["person"].nunique() == shared.groupby("mrn").size()).all()
    first, second = charts_of_two(large)
    assert (first["mrn"] != second["mrn"]).all()


def test_about_3_percent_of_people_have_the_placeholder_for_an_ssn_and_share_it_with_strangers(large):
    people = large.patients.drop_duplicates("person")
    without = people[people["ssn"] == population.PLACEHOLDER_SSN]
    assert abs(len(without) / len(people) - 0.03) < 0.01
    assert not without.duplicated(["given", "family", "birth_date"]).any()


def test_every_group_of_names_is_there_and_words_that_are_names_too(large):
    shares = large.patients["name_group"].value_counts(normalize=True)
    assert set(shares.index) == {*network.names.GROUPS}
    assert shares.min() > 0.01
    table = vocab.read("family_names")
    common = set(table.loc[table["common"] == "1", "value"])
    assert 0.07 < large.patients["family"].isin(common).mean() < 0.25
    assert not large.patients["family"].map(str.isascii).all()


def test_everybody_is_an_adult_and_about_3_percent_are_90_or_older(large):
    ages = encounter_days(large)["age"]
    assert ages.min() >= 18
    assert ages.max() < 105
    oldest = encounter_days(large).groupby("patient_id")["age"].max()
    assert abs((oldest >= 90).mean() - 0.03) < 0.012


def test_age_is_in_completed_years():
    born = ["1934-03-14", "1934-03-14", "2000-02-29", "2000-02-29", "1990-12-31"]
    day = ["2024-03-13", "2024-03-14", "2023-02-28", "2023-03-01", "2024-01-01"]
    ages = population.whole_years(np.array(born, "datetime64[D]"), np.array(day, "datetime64[D]"))
    assert ages.tolist() == [89, 90, 22, 23, 33]


def test_contacts_belong_to_patients_and_kin_mostly_share_the_name(large):
    contacts = large.contacts.merge(large.patients, on="patient_id", suffixes=("", "_patient"))
    assert len(contacts) == len(large.contacts)
    assert large.contacts.groupby("patient_id").size().max() == 2
    kin = contacts[contacts["relationship"].isin(population.KIN)]
    assert abs((kin["family"] == kin["family_patient"]).mean() - 0.80) < 0.04
    assert (large.contacts[large.contacts["relationship"] == "spouse"].groupby("patient_id").size() == 1).all()


# Charts


# (codes, population share, tolerance): vocab/chronic_conditions.csv has the rates; ages are the generator's.
@pytest.mark.parametrize(
    ("codes", "share", "tolerance"),
    [
        (("E11.9", "E11.65", "E11.40", "E11.22"), 0.13, 0.025),
        (("I10",), 0.44, 0.04),
        (("E78.5",), 0.34, 0.04),
        (tuple(STAGE_EGFR), 0.12, 0.03),
        (("J44.9",), 0.07, 0.02),
        (("F32.9",), 0.105, 0.02),
    ],
)
def test_chronic_conditions_are_about_as_frequent_as_among_adults(large, codes, share, tolerance):
    have = large.conditions.loc[large.conditions["code"].isin(codes), "patient_id"].nunique()
    assert abs(have / LARGE - share) < tolerance


def test_dementia_takes_about_a_third_from_85_and_nobody_below_60(large):
    oldest = encounter_days(large).groupby("patient_id")["age"].min()
    demented = oldest.index.isin(large.conditions.loc[large.conditions["code"] == "F03.90", "patient_id"])
    assert abs(demented[oldest >= 87].mean() - 0.30) < 0.12
    assert not demented[oldest < 57].any()


def test_encounters_follow_each_other_inside_the_window(large):
    visits = large.encounters
    assert visits["start"].min() >= "2023-01-01"
    assert visits["end"].max() < "2026-01-01"
    assert (visits["start"] < visits["end"]).all()
    previous = visits.groupby("patient_id")["end"].shift()
    assert (previous.isna() | (previous < visits["start"])).all()
    assert visits.groupby("patient_id").size().between(1, 4).all()
    assert set(visits["class"]) == {"AMB", "EMER", "IMP"}
    clinic_days = pd.to_datetime(visits.loc[visits["class"] == "AMB", "start"]).dt.day_of_week
    assert clinic_days.max() < 5


def test_stays_are_as_long_as_hospital_statistics_say(large):
    visits = large.encounters
    hours = (pd.to_datetime(visits["end"]) - pd.to_datetime(visits["start"])).dt.total_seconds() / 3600
    # HCUP SB180: mean 4.5 days; CMS: median 162 minutes.
    assert abs(hours[visits["class"] == "IMP"].mean() / 24 - 4.5) < 0.7
    assert abs(hours[visits["class"] == "EMER"].median() * 60 - 162) < 20


def test_every_row_points_to_an_encounter_of_its_own_patient(large):
    owner = large.encounters.set_index("encounter_id")["patient_id"]
    for table in (large.conditions, large.labs, large.meds, large.notes, large.attachments):
        assert (table["encounter_id"].map(owner) == table["patient_id"]).all()


def test_chronic_diseases_began_before_the_first_visit_and_in_adult_life(large):
    first = large.encounters.groupby("patient_id")["start"].min().str[:10]
    born = large.patients.set_index("patient_id")["birth_date"]
    chronic = large.conditions[large.conditions["clinical_status"] == "active"]
    assert (chronic["onset_date"] < chronic["patient_id"].map(first)).all()
    ages = population.whole_years(
        chronic["patient_id"].map(born).to_numpy("datetime64[D]"), chronic["onset_date"].to_numpy("datetime64[D]")
    )
    assert ages.min() >= 17
    assert not large.conditions.duplicated(["patient_id", "encounter_id", "code"]).any()


def test_every_encounter_has_4_to_10_results_taken_during_it(large):
    assert large.labs.groupby("encounter_id").size().reindex(large.encounters["encounter_id"]).between(4, 10).all()
    visit = large.labs[["encounter_id", "taken_at"]].merge(large.encounters, on="encounter_id")
    assert ((visit["start"] <= visit["taken_at"]) & (visit["taken_at"] <= visit["end"])).all()


def results(data: dataset.Dataset, loinc: str) -> pd.DataFrame:
    return data.labs[data.labs["loinc"] == loinc].merge(
        encounter_days(data)[["encounter_id", "age", "sex"]], on="encounter_id"
    )


def test_diabetics_have_raised_hba1c_and_metformin_and_others_do_not(large):
    diabetic = set(large.conditions.loc[large.conditions["code"].str.startswith("E11."), "patient_id"])
    a1c = results(large, "4548-4")
    theirs = a1c["patient_id"].isin(diabetic)
    assert a1c.loc[theirs, "value"].min() >= 6.0
    assert a1c.loc[~theirs, "value"].max() < 6.5
    metformin = set(large.meds.loc[large.meds["name"].str.startswith("metformin"), "patient_id"])
    assert metformin < diabetic
    assert abs(len(metformin) / len(diabetic) - 0.80) < 0.08


def test_egfr_is_ckd_epi_2021_of_the_creatinine_beside_it(large):
    pair = results(large, "2160-0").merge(results(large, "98979-8"), on="encounter_id", suffixes=("", "_egfr"))
    expected = egfr(pair["value"].to_numpy(), pair["age"].to_numpy(), (pair["sex"] == "female").to_numpy())
    assert np.array_equal(pair["value_egfr"], np.round(expected))


def test_egfr_agrees_with_a_value_worked_by_hand():
    # Inker 2021, a man of 60 with 1.0 mg/dL: 142 x (1/0.9)^-1.2 x 0.9938^60 = 86.2; a woman of 50 with 0.7: 105.3.
    value = egfr(np.array([1.0, 0.7]), np.array([60, 50]), np.array([False, True]))
    assert np.allclose(value, [86.2, 105.3], atol=0.1)
    back = creatinine_for(value, np.array([60, 50]), np.array([False, True]))
    assert np.allclose(back, [1.0, 0.7])


def test_kidney_function_agrees_with_the_diagnosed_stage(large):
    acute = set(large.conditions.loc[large.conditions["code"] == "N17.9", "encounter_id"])
    values = results(large, "98979-8")
    values = values[~values["encounter_id"].isin(acute)]
    kidney = large.conditions[large.conditions["code"].isin(STAGE_EGFR)].set_index("patient_id")["code"]
    stage = values["patient_id"].map(kidney)
    bounds = {"N18.30": (30, 59), "N18.31": (45, 59), "N18.32": (30, 44), "N18.4": (15, 29)}
    for code, (low, high) in bounds.items():
        assert values.loc[stage == code, "value"].between(low, high).all()
        assert (stage == code).any()
    assert values.loc[stage.isna(), "value"].min() >= 60


def test_bmi_is_kg_per_square_metre_of_the_weight_and_height_beside_it(large):
    wide = large.labs.pivot_table(index="encounter_id", columns="loinc", values="value").dropna(
        subset=["8302-2", "39156-5"]
    )
    expected = wide["29463-7"] / (wide["8302-2"] / 100) ** 2
    assert (wide["39156-5"] - expected).abs().max() < 0.051


def test_interpretations_follow_the_reference_range(large):
    labs = large.labs
    assert (labs.loc[labs["interpretation"] == "L", "value"] < labs.loc[labs["interpretation"] == "L", "ref_low"]).all()
    assert (
        labs.loc[labs["interpretation"] == "H", "value"] > labs.loc[labs["interpretation"] == "H", "ref_high"]
    ).all()
    without = labs["ref_low"].isna() & labs["ref_high"].isna()
    assert (labs.loc[without, "interpretation"] == "").all()
    assert (labs.loc[~without, "interpretation"] != "").all()


def test_identifiers_stray_into_about_4_percent_of_comments_and_2_percent_of_instructions(large):
    stray = large.stray
    rows = stray.groupby("table")["row_id"].nunique()
    assert abs(rows["labs"] / len(large.labs) - 0.04) < 0.005
    assert abs(rows["meds"] / len(large.meds) - 0.02) < 0.008


def test_stray_identifiers_are_marked_exactly_and_are_the_patients_own(large):
    texts = {
        **dict(zip(large.labs["lab_id"], large.labs["comment"], strict=True)),
        **dict(zip(large.meds["med_id"], large.meds["sig"], strict=True)),
    }
    own = large.patients.set_index("patient_id")
    full = own["given"] + " " + own["family"]
    for row in large.stray.itertuples():
        found = texts[row.row_id][row.start : row.end]
        person = own.loc[row.patient_id]
        assert found in {
            full[row.patient_id],
            *person[["family", "phone", "email", "mrn", "birth_date", "street", "city"]],
        }
    marked = set(large.stray["row_id"])
    digits = {key for key, text in texts.items() if re.search(r"\d{3}-555-01\d\d|@example\.", text)}
    assert digits <= marked


def test_gold_spans_are_slices_of_their_notes_and_never_overlap(small):
    texts = dict(zip(small.notes["note_id"], small.notes["text"], strict=True))
    spans = small.spans.sort_values(["note_id", "start"])
    assert len(spans) > 5 * len(texts)
    for row in spans.itertuples():
        found = texts[row.note_id][row.start : row.end]
        assert found == found.strip() != ""
    previous = spans.groupby("note_id")["end"].shift(fill_value=0)
    assert (spans["start"] >= previous).all()


# FHIR


def test_every_resource_is_valid_for_fhir_resources_r4b(resources):
    for resource in resources:
        name = resource["resourceType"]
        model = getattr(importlib.import_module(f"fhir.resources.R4B.{name.lower()}"), name)
        model.model_validate(resource)


def test_every_resource_is_valid_for_fhirkit(resources):
    import fhirkit

    problems = [issue for resource in resources for issue in fhirkit.validate(resource)]
    assert not problems, f"{len(problems)} problems, the first: {problems[0]}"


def test_ids_are_unique_and_legal_and_every_reference_has_its_resource(resources):
    names = [f"{resource['resourceType']}/{resource['id']}" for resource in resources]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9.-]{1,64}", resource["id"]) for resource in resources)
    wanted = set(re.findall(r'"reference": "([^"]+)"', json.dumps(resources)))
    assert wanted
    assert wanted <= set(names)


def test_the_manifest_counts_what_the_files_hold(written):
    manifest = json.loads((written / "fhir" / "manifest.json").read_text())
    assert {entry["type"] for entry in manifest["output"]} == set(fhir.TYPES)
    for entry in manifest["output"]:
        lines = (written / "fhir" / entry["url"]).read_bytes().splitlines()
        assert len(lines) == entry["count"] > 0
        assert all(json.loads(line)["resourceType"] == entry["type"] for line in lines)


def test_documents_carry_the_notes_and_attachments_word_for_word(resources, small):
    held = {
        resource["id"]: base64.b64decode(resource["content"][0]["attachment"]["data"]).decode()
        for resource in resources
        if resource["resourceType"] == "DocumentReference"
    }
    texts = dict(zip(small.notes["note_id"], small.notes["text"], strict=True))
    contents = dict(zip(small.attachments["attachment_id"], small.attachments["content"], strict=True))
    assert held == {**texts, **contents}


def test_identifiers_hide_where_a_careless_deidentifier_does_not_look(small):
    files = {name: body.decode() for name, body in fhir.fhir(small).items()}
    person = small.patients.iloc[0]
    full = f"{person['given']} {person['family']}"
    patient = json.loads(files["Patient.ndjson"].splitlines()[0])
    assert full in patient["text"]["div"]
    for name in ("Encounter", "Condition", "MedicationRequest", "DocumentReference"):
        assert f'"display":"{full}"' in files[f"{name}.ndjson"]
    assert f'"value":"{person["mrn"]}-1"' in files["Encounter.ndjson"]
    comment = small.labs.set_index("lab_id")["comment"][small.stray.iloc[0]["row_id"]]
    assert f'"note":[{{"text":"{comment}"}}]' in files["Observation.ndjson"]


# Tables of codes


def test_every_row_of_every_vocabulary_names_its_source():
    files = sorted((KIT / "synthetic_data" / "vocab").glob("*.csv"))
    assert len(files) >= 10
    for file in files:
        table = vocab.read(file.stem)
        assert (table["source"] != "").all(), file.name
        assert not table.duplicated().any(), file.name
