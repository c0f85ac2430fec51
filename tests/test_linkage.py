"""The linkage attack: it counts right, no place and no spelling escapes it, and a thoughtful release stands it."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import perfect_release
import pytest

from graders.measures import linkage
from graders.measures.release import Release
from graders.measures.release_tables import birth_words
from synthetic_data.formats.fhir_people import LANGUAGES, RACES, US_CORE
from synthetic_data.recipes import deidentification as recipe
from synthetic_data.streams import Seed

PATIENTS = 500


@pytest.fixture(scope="module")
def truth():
    seed = Seed.from_int(4)
    return recipe.read_truth(recipe.scene(seed, {"patients": PATIENTS}, recipe.draw_card(seed)).truth)


@pytest.fixture(scope="module")
def harbor(truth):
    """What the rules allow for everybody: Safe Harbor's year or 90+ and ZIP3 or 000, race and language."""
    people = truth.tables["patients"]
    area = people["zip"].str[:3]
    allowed = people[["sex", "race", "language"]].assign(
        birth_date=birth_words(truth), zip=area.mask(area.isin(truth.small_zip3), "000")
    )
    release = Release.read(perfect_release.files(perfect_release.perfect(truth)), truth)
    return stating(release, truth, table=allowed, fhir=allowed)


def stating(release: Release, truth: Any, table: pd.DataFrame, fhir: pd.DataFrame) -> Release:
    """The release with these demographics in patients.csv and in the Patient resources; rows as in patients.csv."""
    said = fhir.set_index(truth.tables["patients"]["patient_id"]).loc[truth.fhir["Patient"]].to_dict("records")
    resources = [{"resourceType": "Patient", "id": "x", **demographics(row)} for row in said]
    tables = {**release.tables, "patients": release.tables["patients"].assign(**table)}
    return dataclasses.replace(release, tables=tables, fhir={**release.fhir, "Patient": resources})


def demographics(row: dict[str, str]) -> dict[str, Any]:
    """Elements of a Patient; none for a blank cell, no birth date for 90+."""
    found: dict[str, Any] = {"gender": row["sex"]} if row["sex"] else {}
    if row["birth_date"].isdigit():
        found["birthDate"] = row["birth_date"]
    if row["zip"]:
        found["address"] = [{"use": "home", "postalCode": row["zip"]}]
    if row["language"]:
        coding = {"system": "urn:ietf:bcp:47", "code": row["language"]}
        found["communication"] = [{"language": {"coding": [coding], "text": LANGUAGES[row["language"]]}}]
    if row["race"]:
        parts: list[dict[str, Any]] = [{"url": "text", "valueString": row["race"]}]
        if row["race"] in RACES:
            parts.append({"url": "ombCategory", "valueCoding": {"code": RACES[row["race"]]}})
        found["extension"] = [{"url": f"{US_CORE}/us-core-race", "extension": parts}]
    return found


def stated(release: Release) -> pd.DataFrame:
    """The demographics as patients.csv of the release has them."""
    return release.tables["patients"][["birth_date", "sex", "zip", "race", "language"]].copy()


def in_table(release: Release, **columns: Any) -> Release:
    """The release with other columns in patients.csv, FHIR as it was."""
    tables = {**release.tables, "patients": release.tables["patients"].assign(**columns)}
    return dataclasses.replace(release, tables=tables)


def fit(release: Release, truth: Any) -> Any:
    return linkage.fitting(linkage.known(release, truth), truth)


def expected(cells: pd.DataFrame, truth: Any) -> Any:
    """How many a candidate must expect in the register: people of the area x shares seen in the patients."""
    people, zips = truth.tables["patients"], truth.zip_population
    of_area = zips.groupby(zips["zip"].str[:3])["population"].sum()
    area = people["zip"].str[:3]
    of_site = {site: of_area[sorted(set(rows))].sum() for site, rows in area.groupby(people["site"])}
    count = area.map(of_area).where(cells["zip"] != "000", people["site"].map(of_site)).astype(float)
    decade = people["birth_date"].str[:3]
    count *= decade.map(decade.value_counts(normalize=True)) / np.where(cells["birth_date"] == "90+", 1, 10) / 2
    both = people["race"] + people["language"]
    for known, values in (
        ((cells["race"] != "") & (cells["language"] != ""), both),
        ((cells["race"] != "") & (cells["language"] == ""), people["race"]),
        ((cells["race"] == "") & (cells["language"] != ""), people["language"]),
    ):
        count = count.where(~known, count * values.map(values.value_counts(normalize=True)))
    return count


def thoughtful(cells: pd.DataFrame, truth: Any, least: int = 10) -> pd.DataFrame:
    """Language, then race, then ZIP blanked for patients whom fewer than `least` are expected to fit."""
    cells = cells.copy()
    for column, blank in (("language", ""), ("race", ""), ("zip", "000")):
        cells[column] = cells[column].mask(expected(cells, truth) < least, blank)
    return cells


def test_the_count_is_that_of_going_through_the_register_row_by_row(truth):
    rng = np.random.default_rng(1)
    codes = {name: rng.random(PATIENTS) < 0.6 for name in linkage.QUASI}
    codes["old"] = (truth.tables["patients"]["birth_date"] < "1936-01-02").to_numpy() & (rng.random(PATIENTS) < 0.7)
    found = linkage.fitting(codes, truth)
    register, areas = truth.register, dict(zip("ABC", linkage.site_areas(truth), strict=True))
    some = set(rng.choice(PATIENTS, 150, replace=False).tolist()) | set(np.flatnonzero(codes["old"]).tolist())
    for n, row in enumerate(truth.tables["patients"].to_dict("records")):
        if n in some:
            fits = register["people"] > 0
            for name in ("sex", "race", "language"):
                fits &= (register[name] == row[name]) | (not codes[name][n])
            area, year = row["zip"][:3], int(row["birth_date"][:4])
            fits &= (register["zip3"] == area) if codes["zip3"][n] else register["zip3"].isin(areas[row["site"]])
            if codes["birth_year"][n]:
                fits &= register["birth_year"] == year
            elif codes["old"][n]:
                fits &= register["birth_year"] <= 1936
            assert found[n] == register.loc[fits, "people"].sum()


def test_safe_harbor_alone_singles_people_out(truth, harbor):
    fraction, message, _ = linkage.judge(harbor, truth)
    assert fraction <= 0.35, message


def test_one_cell_in_twenty_blanked_with_thought_earns_full_marks(truth, harbor):
    cells = thoughtful(stated(harbor), truth)
    assert (cells != stated(harbor)).to_numpy().mean() <= 0.06
    fraction, message, _ = linkage.judge(stating(harbor, truth, cells, cells), truth)
    assert fraction == 1, message


def test_everything_blank_singles_nobody_out(truth, harbor):
    cells = stated(harbor).assign(birth_date="", sex="", zip="000", race="", language="")
    assert linkage.judge(stating(harbor, truth, cells, cells), truth)[0] == 1


@pytest.mark.parametrize("column", ["birth_date", "sex", "zip", "race", "language"])
def test_a_cell_blanked_in_the_table_and_left_in_fhir_hides_nobody(truth, harbor, column):
    blank = in_table(harbor, **{column: "000" if column == "zip" else ""})
    young = (truth.tables["patients"]["birth_date"] > "1936-01-01").to_numpy()
    # FHIR has no 90+: of the oldest the table alone can tell.
    same = fit(blank, truth) == fit(harbor, truth)
    assert same[young].all()


@pytest.mark.parametrize("column", ["birth_date", "sex", "zip", "race", "language"])
def test_a_cell_blanked_in_fhir_and_left_in_the_table_hides_nobody(truth, harbor, column):
    blank = stating(harbor, truth, table=stated(harbor), fhir=stated(harbor).assign(**{column: ""}))
    assert (fit(blank, truth) == fit(harbor, truth)).all()


@pytest.mark.parametrize("column", ["birth_date", "sex", "zip", "race", "language"])
def test_blanking_a_column_everywhere_hides_people(truth, harbor, column):
    cells = stated(harbor).assign(**{column: "000" if column == "zip" else ""})
    before, after = fit(harbor, truth), fit(stating(harbor, truth, cells, cells), truth)
    assert (after >= before).all()
    assert (1 / after).mean() < 0.7 * (1 / before).mean()


def test_exact_zips_of_small_areas_single_more_people_out(truth, harbor):
    exact = in_table(harbor, zip=truth.tables["patients"]["zip"])
    small = truth.tables["patients"]["zip"].str[:3].isin(truth.small_zip3).to_numpy()
    assert small.any()
    assert (fit(exact, truth)[small] <= fit(harbor, truth)[small]).all()
    assert (1 / fit(exact, truth)[small]).mean() > 2 * (1 / fit(harbor, truth)[small]).mean()
    assert (fit(exact, truth) == fit(harbor, truth))[~small].all()


def test_the_year_of_somebody_of_ninety_or_more_tells_more_than_the_group(truth, harbor):
    born = truth.tables["patients"]["birth_date"]
    old = (harbor.tables["patients"]["birth_date"] == "90+").to_numpy()
    assert old.any()
    assert (fit(in_table(harbor, birth_date=born.str[:4]), truth)[old] <= fit(harbor, truth)[old]).all()
    cells = stated(harbor).assign(birth_date=stated(harbor)["birth_date"].mask(old, ""))
    assert (fit(stating(harbor, truth, cells, cells), truth)[old] > fit(harbor, truth)[old]).all()


def test_other_spellings_hide_nobody(truth, harbor):
    cells = stated(harbor)
    spelled = cells.assign(
        sex=cells["sex"].str[:1].str.upper(),
        zip=cells["zip"] + "**",
        race=cells["race"].str.upper(),
        language=cells["language"].map(LANGUAGES),
        birth_date=("b. " + cells["birth_date"]).mask(cells["birth_date"] == "90+", "90 +"),
    )
    nothing = stated(harbor).assign(birth_date="", sex="", zip="", race="", language="")
    assert (fit(stating(harbor, truth, spelled, nothing), truth) == fit(harbor, truth)).all()


def test_a_false_value_counts_as_blank_and_does_not_cover_a_true_one(truth, harbor):
    cells = stated(harbor)
    lie = cells.assign(sex=cells["sex"].map({"female": "male", "male": "female"}))
    blank = cells.assign(sex="")
    assert (fit(stating(harbor, truth, lie, cells), truth) == fit(harbor, truth)).all()
    expected_fit = fit(stating(harbor, truth, blank, blank), truth)
    assert (fit(stating(harbor, truth, lie, lie), truth) == expected_fit).all()


def test_elements_of_unexpected_shapes_tell_nothing(truth, harbor):
    """A submission may write anything: what is no FHIR is no statement, and no error of ours."""
    odd: list[Any] = [
        None,
        3,
        "text",
        ["list"],
        {"a": {"b": []}},
        [[None]],
        [{"url": {}, "extension": 4}],
        float("inf"),
    ]
    fields = ("birthDate", "gender", "address", "extension", "communication")
    resources = [
        {"resourceType": "Patient", **{field: copy.copy(odd[(n + k) % len(odd)]) for k, field in enumerate(fields)}}
        for n in range(PATIENTS)
    ]
    odd_release = dataclasses.replace(harbor, fhir={**harbor.fhir, "Patient": resources})
    assert (fit(odd_release, truth) == fit(harbor, truth)).all()


def test_of_patients_of_whom_nothing_is_told_the_site_is_known(truth, harbor):
    nothing = stated(harbor).assign(birth_date="", sex="", zip="", race="", language="")
    site = truth.tables["patients"]["site"].to_numpy()
    counts = fit(stating(harbor, truth, nothing, nothing), truth)
    for name, areas in zip("ABC", linkage.site_areas(truth), strict=True):
        people = truth.register.loc[truth.register["zip3"].isin(areas), "people"].sum()
        assert (counts[site == name] == people).all()
