"""What a release is good for: a perfect one keeps everything, and each loss costs what it takes away."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import perfect_release
import pytest

from graders.measures import downstream
from graders.measures.release import Release
from graders.measures.release_tables import birth_words
from synthetic_data.recipes import deidentification as recipe
from synthetic_data.streams import Seed

PATIENTS = 400
DEMOGRAPHY = ["birth_date", "sex", "zip", "race", "language"]


@pytest.fixture(scope="module")
def truth():
    seed = Seed.from_int(4)
    return recipe.read_truth(recipe.scene(seed, {"patients": PATIENTS}, recipe.draw_card(seed)).truth)


@pytest.fixture(scope="module")
def perfect(truth):
    return Release.read(perfect_release.files(perfect_release.perfect(truth)), truth)


@pytest.fixture(scope="module")
def whole(truth, perfect):
    """A perfect release that blanks no demographic cell."""
    people = truth.tables["patients"]
    area = people["zip"].str[:3]
    return changed(
        perfect,
        "patients",
        **people[["sex", "race", "language"]],
        birth_date=birth_words(truth),
        zip=area.mask(area.isin(truth.small_zip3), "000"),
    )


def changed(release: Release, table: str, **columns: Any) -> Release:
    """The release with other columns in one table."""
    return dataclasses.replace(release, tables={**release.tables, table: release.tables[table].assign(**columns)})


def joined(release: Release, truth: Any, codes: dict[str, str]) -> Release:
    """The release with these codes by patient_id in its tables."""
    for name, original in truth.tables.items():
        release = changed(
            release, name, **{"mrn" if name == "labs" else "patient_id": original["patient_id"].map(codes)}
        )
    return release


def shuffled(release: Release, table: str, column: str) -> Release:
    values = np.random.default_rng(1).permutation(release.tables[table][column].to_numpy(object))
    return changed(release, table, **{column: values})


def worth(release: Release, truth: Any) -> float:
    return downstream.judge(release, truth)[0]


def lost_auroc(release: Release, truth: Any) -> float:
    """How much less a model trained on the release tells."""
    original = downstream.released(truth)
    return downstream.auroc(original, original, truth) - downstream.auroc(release.tables, original, truth)


def test_a_release_that_loses_nothing_is_worth_everything(truth, whole):
    assert downstream.judge(whole, truth)[0] == 1
    assert lost_auroc(whole, truth) == 0, "the same charts under other names give the same model"


def test_the_perfect_release_is_worth_everything(truth, perfect):
    fraction, message, _ = downstream.judge(perfect, truth)
    assert fraction == 1, message


def test_codes_and_moved_dates_make_no_difference(truth, whole):
    assert (whole.tables["encounters"]["start"] != truth.tables["encounters"]["start"]).all()
    again = joined(whole, truth, perfect_release.coded(truth, "another"))
    assert downstream.judge(again, truth) == downstream.judge(whole, truth)


def test_two_codes_for_the_charts_of_a_person_cost_next_to_nothing_here(truth, whole):
    """One code per person is judged where codes are; a chart of one's own still joins."""
    by_chart = dict(zip(truth.persons.index, truth.persons.index, strict=True))
    assert abs(lost_auroc(joined(whole, truth, by_chart), truth)) < sum(downstream.LOSS)


def test_two_charts_of_a_person_are_one_history_to_the_model(truth, whole):
    rows = truth.tables["patients"].reset_index().groupby("person")["index"].agg(list)
    twice = np.array([charts for charts in rows if len(charts) == 2])
    assert len(twice) > 5
    found, outcome = downstream.features(whole.tables, truth), downstream.admitted(whole.tables)
    assert np.array_equal(found[twice[:, 0]], found[twice[:, 1]])
    assert np.array_equal(outcome[twice[:, 0]], outcome[twice[:, 1]])


def test_the_model_tells_more_than_chance_on_what_was_given(truth):
    original = downstream.released(truth)
    assert downstream.auroc(original, original, truth) > 0.75


def test_an_empty_release_is_worth_nothing(truth, whole):
    empty = {name: pd.DataFrame("", index=t.index, columns=t.columns) for name, t in whole.tables.items()}
    fhir = {kind: [{} for _ in resources] for kind, resources in whole.fhir.items()}
    assert worth(dataclasses.replace(whole, tables=empty, fhir=fhir), truth) == 0


def test_one_demographic_cell_in_twenty_may_be_blanked_at_no_cost(truth, whole):
    cells = whole.tables["patients"][DEMOGRAPHY]
    blank = np.random.default_rng(2).random(cells.shape) < 0.05
    release = changed(whole, "patients", **cells.mask(blank, ""))
    assert worth(release, truth) == 1, downstream.judge(release, truth)[1]


@pytest.mark.parametrize("column", DEMOGRAPHY)
def test_a_whole_demographic_column_costs_half_or_more(truth, whole, column):
    assert worth(changed(whole, "patients", **{column: ""}), truth) <= 0.5


def test_demography_blanked_altogether_leaves_nothing(truth, whole):
    assert worth(changed(whole, "patients", **dict.fromkeys(DEMOGRAPHY, "")), truth) == 0


def test_ninety_or_more_and_small_areas_count_as_kept(truth, whole):
    people = whole.tables["patients"]
    assert (people["birth_date"] == "90+").any()
    assert (people["zip"] == "000").any()
    assert set(downstream.demographic_cells(whole, truth).values()) == {1.0}


def test_000_for_everybody_keeps_only_the_small_areas(truth, whole):
    kept = downstream.demographic_cells(changed(whole, "patients", zip="000"), truth)
    small = truth.tables["patients"]["zip"].str[:3].isin(truth.small_zip3)
    assert kept["zip"] == pytest.approx(small.mean())


def test_values_given_to_other_results_cost_cells_and_the_model(truth, whole):
    release = shuffled(whole, "labs", "value")
    assert worth(release, truth) < 0.8
    assert lost_auroc(release, truth) > 0.005


def test_rounded_values_count_as_changed(truth, whole):
    numbers = pd.to_numeric(whole.tables["labs"]["value"])
    assert worth(changed(whole, "labs", value=numbers.round(-1).astype(str)), truth) < 0.8


def test_codes_cut_to_their_chapter_cost(truth, whole):
    release = changed(whole, "conditions", code=whole.tables["conditions"]["code"].str[:1], display="")
    assert worth(release, truth) < 0.6


def test_units_blanked_in_fhir_cost(truth, whole):
    bare = [{k: v for k, v in r.items() if k != "valueQuantity"} for r in whole.fhir["Observation"]]
    release = dataclasses.replace(whole, fhir={**whole.fhir, "Observation": bare})
    assert worth(release, truth) < 0.8


def test_encounters_of_the_wrong_patients_leave_nothing(truth, whole):
    assert worth(shuffled(whole, "encounters", "patient_id"), truth) == 0


def test_results_that_no_longer_join_cost_the_model(truth, whole):
    assert lost_auroc(changed(whole, "labs", mrn=""), truth) > sum(downstream.LOSS)


def test_two_patients_to_every_code_cost_the_model(truth, whole):
    shared = {patient: str(n // 2) for n, patient in enumerate(truth.persons.index)}
    assert lost_auroc(joined(whole, truth, shared), truth) > 2 * sum(downstream.LOSS)


def test_one_code_for_everybody_is_no_error_and_tells_no_more_than_chance(truth, whole):
    same = changed(whole, "patients", patient_id="x")
    for name in ("encounters", "conditions", "meds"):
        same = changed(same, name, patient_id="x")
    assert downstream.auroc(changed(same, "labs", mrn="x").tables, downstream.released(truth), truth) == 0.5


def test_wild_numbers_and_dates_are_no_error(truth, whole):
    wild = ["1e308", "-1e308", "inf", "nan", "1e-320", "ten", "٣", "9999-99-99", "0001-01-01T00:00:00", "9999-12-31"]

    def any_of(table: str) -> list[str]:
        return [wild[n % len(wild)] for n in range(len(whole.tables[table]))]

    release = changed(whole, "labs", value=any_of("labs"), interpretation="H")
    release = changed(release, "encounters", start=any_of("encounters"), end=any_of("encounters"))
    release = changed(release, "patients", birth_date=any_of("patients"))
    assert 0 <= worth(release, truth) < 0.5


def test_a_withheld_column_is_not_missed(truth, whole):
    for column in truth.card["withhold"]["patients"]:
        assert (whole.tables["patients"][column] == "").all()
        assert not [p for p in downstream.clinical_cells(whole, truth) if p.name == f"patients.{column}"]
