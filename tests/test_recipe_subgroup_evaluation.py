"""The subgroup exercise's data: what is right by construction, what is planted, and what the card decides."""

from __future__ import annotations

import io
import tomllib

import numpy as np
import pandas as pd
import pytest

from graders.measures.subgroup_truth import Measured
from synthetic_data import demographic_records, readmission
from synthetic_data.recipes import subgroup_evaluation as recipe
from synthetic_data.recipes.subgroup_evaluation import Truth
from synthetic_data.streams import Seed

SEED = Seed.from_int(20261122)
CARD = recipe.draw_card(SEED)
PLANS = [readmission.plan(Seed.from_int(n)) for n in range(300)]


@pytest.fixture(scope="module")
def scene() -> recipe.Scene:
    return recipe.scene(SEED, {"patients": 8000}, CARD)


@pytest.fixture(scope="module")
def truth(scene: recipe.Scene) -> Truth:
    return recipe.read_truth(scene.truth)


def table(scene: recipe.Scene, name: str) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(scene.public[name]), dtype=str, keep_default_na=False)


def test_the_same_seed_writes_the_same_bytes():
    first, second = (recipe.scene(SEED, {"patients": 400}, CARD) for _ in range(2))
    assert first.public == second.public
    assert first.truth == second.truth


def test_the_packet_has_the_columns_of_the_brief_and_no_more(scene):
    assert set(scene.public) == {"card.toml", "scores.csv", "outcomes.csv", "demographics.csv"}
    assert list(table(scene, "scores.csv")) == ["encounter", "patient", "site", "index_date", "score", "model_version"]
    assert list(table(scene, "outcomes.csv")) == ["encounter", "readmit30", "followup_days", "cost", "need"]
    assert list(table(scene, "demographics.csv")) == ["patient", "recorded_on", "source", "field", "value"]


def test_the_card_that_is_written_is_the_card_that_holds(scene):
    assert tomllib.loads(scene.public["card.toml"].decode()) == CARD


def test_cards_differ_in_every_rule():
    cards = [recipe.draw_card(Seed.from_int(n)) for n in range(60)]
    for rule in ("threshold", "alert_budget", "race_rule", "censor_rule", "age_on", "min_cell", "counts"):
        assert len({card[rule] for card in cards}) > 1, rule


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"threshold": 2}, "threshold must be a number"),
        ({"min_cell": "11"}, "min_cell must be a whole number"),
        ({"race_rule": "first"}, "race_rule must be one of"),
        ({"age_on": "July"}, "age_on must be a date"),
        ({"pilot": {"site": "Z", "until": "2025-02-28"}}, "pilot"),
        ({"intersections": [["race", "shoe"]]}, "intersections must be"),
        ({"levels": {}}, "levels"),
        ({"material": {"ratio": 3, "points": 0.1}}, "material"),
        ({"more": 1}, "must have"),
    ],
)
def test_a_card_that_cannot_be_followed_is_refused_by_name(change, message):
    with pytest.raises(ValueError, match=message):
        recipe.check_card({**CARD, **change})


def test_two_to_four_problems_of_every_kind_are_planted():
    assert {len(plan.cells) for plan in PLANS} == {2, 3, 4}
    assert {kind for plan in PLANS for kind in plan.cells} == set(readmission.KINDS)
    assert {plan.fault for plan in PLANS} == set(readmission.FAULTS)


def test_no_two_problems_are_planted_in_one_place():
    for plan in PLANS:
        places = [tuple(sorted(cell.items())) for cell in plan.cells.values()]
        assert len(set(places)) == len(places)
        sites = [cell["site"] for cell in plan.cells.values() if "site" in cell]
        assert len(set(sites)) == len(sites)
        assert plan.censored not in sites


def test_a_site_that_is_misread_all_year_is_among_the_groups():
    assert any("site" in plan.cells.get("group", {}) for plan in PLANS)


@pytest.mark.parametrize("seed", range(4))
def test_every_problem_is_as_large_as_is_meant(seed):
    card = recipe.draw_card(Seed.from_int(seed))
    made = recipe.read_truth(recipe.scene(Seed.from_int(seed), {"patients": 6000}, card).truth)
    measured = Measured(made)
    for plant in made.plants:
        gap = measured.gap(plant["cell"])
        ratio = gap.need if plant["kind"] == "proxy" else gap.o_e
        assert ratio == pytest.approx(readmission.RATIO[plant["kind"]], rel=0.08), plant
        if plant["kind"] == "intersection":
            risk, score = made.counted["risk"], made.counted["score"]
            inside, flagged = readmission.in_cell(made.counted, plant["cell"]), score >= card["threshold"]
            share = [(risk * flagged)[rows].sum() / risk[rows].sum() for rows in (inside, ~inside)]
            assert share[1] - share[0] >= 0.24
        if plant["kind"] == "proxy":
            assert abs(np.log(gap.o_e)) < 0.12, "the recorded label must look calibrated"


def test_where_nothing_is_planted_the_score_is_the_true_risk(truth):
    free = np.ones(len(truth.encounters), bool)
    for plant in truth.plants:
        free &= ~readmission.in_cell(truth.encounters, plant["cell"])
    rows = truth.encounters[free]
    assert rows["score"].to_numpy() == pytest.approx(rows["risk"].to_numpy(), abs=6e-4)


def test_outcomes_come_as_often_as_the_true_risk_says(truth):
    counted = truth.counted
    assert counted["y"].sum() / counted["risk"].sum() == pytest.approx(1, abs=0.08)


def test_outcomes_of_one_patient_are_alike(truth):
    """An intraclass correlation of about .35, by the products of all pairs of one patient's stays."""
    counted = truth.counted
    gap = counted["y"] - counted["y"].mean()
    by_patient = pd.DataFrame({"patient": counted["patient"], "gap": gap, "square": gap**2}).groupby("patient")
    sums, size = by_patient.sum(), by_patient.size()
    pairs = (size * (size - 1)).sum()
    icc = (sums["gap"] ** 2 - sums["square"]).sum() / pairs / counted["y"].var()
    assert 0.25 < icc < 0.45


def test_ages_differ_much_in_sensitivity_and_hardly_in_calibration():
    card = recipe.draw_card(SEED)
    made = recipe.read_truth(recipe.scene(Seed.from_int(9), {"patients": 8000}, card).truth)
    counted, measured = made.counted, Measured(made)
    shares = {}
    for level in ("18-44", "80+"):
        rows = counted[counted["age"] == level]
        shares[level] = rows.loc[rows["score"] >= card["threshold"], "risk"].sum() / rows["risk"].sum()
        assert measured.gap({"age": level}).null
    assert shares["80+"] - shares["18-44"] > 0.3


def test_one_race_has_seven_people_and_nobody_at_one_site(truth):
    few = truth.encounters[truth.encounters["race"] == "NHPI"]
    assert few["patient"].nunique() == len(few) == 7
    assert set(few["site"]) < {"A", "B", "C"}


def test_outcomes_of_one_site_stop_and_of_no_other(truth, scene):
    short = truth.encounters[truth.encounters["followup_days"] < 30]
    assert len(set(short["site"])) == 1
    assert not short["included"].any()
    blank = table(scene, "outcomes.csv").set_index("encounter")["need"] == ""
    assert set(blank.index[blank]) == set(short["encounter"])


def test_a_month_is_left_out_whole_when_the_card_says_so():
    frame = pd.DataFrame(
        {
            "site": ["A", "A", "A", "B"],
            "index_date": pd.to_datetime(["2025-08-01", "2025-08-30", "2025-07-30", "2025-08-30"]),
            "followup_days": [30, 12, 30, 30],
        }
    )
    assert readmission.included(frame, "encounter").tolist() == [True, False, True, True]
    assert readmission.included(frame, "month").tolist() == [False, False, True, True]


def record(day: int, source: str, level: str) -> dict[str, str]:
    on = f"2024-01-{day:02d}"
    return {"person": "P1", "day": on, "source": source, "field": "race", "level": level}


@pytest.mark.parametrize(
    ("rule", "expected"), [("self_report", "Asian"), ("latest", "Black"), ("majority", "White")], ids=str
)
def test_each_rule_takes_another_record(rule, expected):
    told = [(1, "registration", "White"), (2, "outside", "White"), (3, "self_report", "Asian"), (4, "claims", "Black")]
    records = pd.DataFrame([record(*one) for one in [*told, (5, "self_report", "")]])
    others = [("language", "English"), ("payer", "Medicare"), ("sex", "male"), ("birth_date", "1950-01-01")]
    rest = [record(1, "registration", level) | {"field": field} for field, level in others]
    found = demographic_records.reconciled(pd.concat([records, pd.DataFrame(rest)]), pd.Series(["P1", "P2"]), rule)
    assert found["race"].tolist() == [expected, "missing"]


def test_of_equals_the_majority_is_the_last_recorded():
    records = pd.DataFrame([record(1, "registration", "White"), record(2, "claims", "Black")])
    rest = [
        record(1, "registration", level) | {"field": field}
        for field, level in [("language", "English"), ("payer", "HMO"), ("sex", "male"), ("birth_date", "1950-01-01")]
    ]
    found = demographic_records.reconciled(pd.concat([records, pd.DataFrame(rest)]), pd.Series(["P1"]), "majority")
    assert found["race"].tolist() == ["Black"]


def test_hidden_data_have_spellings_that_practice_data_do_not():
    def spellings(hidden: int) -> set[str]:
        made = recipe.scene(SEED, {"patients": 1500, "hidden": hidden}, CARD)
        records = table(made, "demographics.csv")
        return set(records.loc[records["field"] == "race", "value"])

    kept_back = {form for forms in demographic_records.RESERVE["race"].values() for form in forms}
    assert not spellings(0) & kept_back
    assert spellings(1) & kept_back


def test_a_records_day_is_nobody_elses(scene):
    records = table(scene, "demographics.csv")
    day = pd.to_datetime(records["recorded_on"], format="mixed")
    patient = records["patient"].str.extract(r"(\d+)")[0]
    assert not pd.DataFrame({"patient": patient, "field": records["field"], "day": day}).duplicated().any()


def test_every_source_writes_ids_and_dates_in_its_own_way(scene):
    records = table(scene, "demographics.csv").set_index("source")
    assert records.loc["registration", "patient"].str.fullmatch(r"P\d{6}").all()
    assert records.loc["claims", "patient"].str.fullmatch(r"\d{6}").all()
    assert records.loc["outside", "patient"].str.fullmatch(r"P-\d{6}").all()
    assert records.loc["claims", "recorded_on"].str.fullmatch(r"\d\d/\d\d/\d\d").all()
    assert records.loc["registration", "recorded_on"].str.fullmatch(r"\d{4}-\d\d-\d\d").all()


def test_two_digits_of_a_birth_year_name_one_year():
    """Adults of up to 98: no year of the last century ends like one of an adult born in this one."""
    oldest, youngest = (readmission.AGES_ON - np.timedelta64(years * 366 + 3 * 365, "D") for years in (98, 15))
    assert int(str(youngest)[:4]) - int(str(oldest)[:4]) < 100


def test_the_pilot_stayed_within_the_budget_and_the_year_does_not():
    over = []
    for n in range(6):
        card = recipe.draw_card(Seed.from_int(n))
        card = {**card, "threshold": 0.16, "alert_budget": 0.20}
        made = recipe.read_truth(recipe.scene(Seed.from_int(n), {"patients": 4000}, card).truth).encounters
        pilot = (made["site"] == card["pilot"]["site"]) & (made["index_date"] <= card["pilot"]["until"])
        flagged = made["score"] >= card["threshold"]
        over.append((flagged[pilot].mean() <= 0.23, flagged[~pilot].mean() > 0.21))
    assert all(kept for kept, _ in over)
    assert all(broken for _, broken in over)
