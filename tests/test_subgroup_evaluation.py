"""The rubric of subgroup_evaluation: a perfect report earns all, and every flaw loses what it should."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import perfect_report
import pytest

from graders import test_subgroup_evaluation as rubric
from graders.harness.outcome import Outcome
from graders.measures.subgroup_report import Report
from graders.measures.subgroup_truth import Measured
from synthetic_data.recipes import subgroup_evaluation as recipe
from synthetic_data.scene import Reply
from synthetic_data.streams import Seed

CRITERIA = {name: value for name, value in vars(rubric).items() if name.startswith("test_")}
SURE = {"found": [1, 1], "confirmed": [1, 1], "covered": [0.9, 1]}
NUMBERS, INTERVALS = "test_numbers_are_right", "test_uncertainty_is_right"
FINDINGS, CAUSES = "test_problems_are_found_and_nothing_else", "test_causes_are_named"
SMALL, ACTION = "test_small_cells_stay_hidden", "test_action_helps_the_worst_off"
WORTH = "test_candidate_knows_what_it_is_worth"


@cache
def truth() -> Any:
    """A scene with a group, a missing race, an intersection or a fault, and a proxy: four problems."""
    for number in range(60):
        seed = Seed.from_int(number)
        card = {**recipe.draw_card(seed), "min_cell": 20, "counts": "patients"}
        from synthetic_data import readmission

        kinds = set(readmission.plan(seed).cells)
        if kinds == {"group", "intersection", "proxy", "data_fault"}:
            return recipe.read_truth(recipe.scene(seed, {"patients": 6000}, card).truth)
    raise AssertionError("no seed has these four problems")


@cache
def report() -> Any:
    return perfect_report.perfect(truth())


def outcome(change: Any = lambda made: None, said: Any = SURE) -> Outcome:
    submitted = (
        {} if said is None else {"predictions.json": said if isinstance(said, bytes) else json.dumps(said).encode()}
    )
    files = change if isinstance(change, dict) else perfect_report.changed(report(), change)
    return Outcome(
        "subgroup_evaluation", "v", "hidden", "sha256:0", replies=(Reply("ok", None, files),), submitted=submitted
    )


def earned(given: Outcome) -> dict[str, float]:
    return {name: criterion(given, truth()).fraction for name, criterion in CRITERIA.items()}


def lost(change: Any, said: Any = SURE) -> set[str]:
    """The criteria that give less than all."""
    return {name for name, fraction in earned(outcome(change, said)).items() if fraction < 0.995}


def test_a_perfect_report_earns_everything():
    awards = {name: criterion(outcome(), truth()) for name, criterion in CRITERIA.items()}
    assert {name: award.message for name, award in awards.items() if award.fraction < 0.995} == {}
    assert not any(award.hold for award in awards.values())


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b'{"rows": 1, "findings": {}}', b'{"rows": [1, {}], "findings": [[]]}']
)
def test_a_report_that_is_none_earns_nothing_and_says_why(content):
    given = outcome({"report.json": content})
    assert sum(earned(given).values()) == 0
    assert CRITERIA[NUMBERS](given, truth()).message


def test_no_report_earns_nothing():
    assert sum(earned(outcome({})).values()) == 0


def rows_where(made: Any, **conditions: Any) -> list[Any]:
    return [row for row in made["rows"] if all(row[key] == value for key, value in conditions.items())]


def shift(metric: str, by: float) -> Any:
    def change(made: Any) -> None:
        for row in rows_where(made, metric=metric):
            row["est"] = row["est"] and row["est"] + by

    return change


def test_rounding_to_two_decimals_costs_nothing():
    def change(made: Any) -> None:
        for row in made["rows"]:
            for key in ("est", "lo", "hi"):
                row[key] = row[key] and round(row[key], 2)

    assert NUMBERS not in lost(change)


@pytest.mark.parametrize("metric", recipe.METRICS)
def test_each_metric_is_a_tenth_of_the_numbers(metric):
    """A tenth wrong of what runs from 30 % to 97 %."""
    found = earned(outcome(shift(metric, 0.02)))
    assert found[NUMBERS] == pytest.approx((0.9 - 0.3) / 0.67, abs=0.02)
    assert found[INTERVALS] > 0.99


def test_a_metric_left_out_is_wrong():
    def change(made: Any) -> None:
        made["rows"] = [row for row in made["rows"] if row["metric"] != "slope"]

    assert earned(outcome(change))[NUMBERS] < 0.92


def test_of_two_answers_to_one_question_neither_counts():
    def change(made: Any) -> None:
        made["rows"] += [{**row, "est": 0.5} for row in made["rows"]]

    assert earned(outcome(change))[NUMBERS] == 0


def test_the_same_row_twice_is_one_row():
    def change(made: Any) -> None:
        made["rows"] *= 2

    assert lost(change) == set()


def stretch(factor: float) -> Any:
    def change(made: Any) -> None:
        for row in made["rows"]:
            if row["lo"] is not None:
                middle = (row["lo"] + row["hi"]) / 2
                row["lo"], row["hi"] = (middle + factor * (row[key] - middle) for key in ("lo", "hi"))

    return change


@pytest.mark.parametrize("factor", [0.85, 1.2])
def test_intervals_that_are_nearly_right_are_right(factor):
    assert lost(stretch(factor)) == set()


@pytest.mark.parametrize("factor", [0.7, 1.4, -1])
def test_intervals_too_narrow_too_wide_or_turned_round_are_wrong(factor):
    assert lost(stretch(factor)) - {WORTH} == {INTERVALS}  # fewer hold the truth, which may be foreseen or not
    assert earned(outcome(stretch(factor)))[INTERVALS] == 0


def test_intervals_beside_the_estimate_are_wrong():
    def change(made: Any) -> None:
        for row in made["rows"]:
            if row["lo"] is not None:
                width = row["hi"] - row["lo"]
                row["lo"], row["hi"] = row["lo"] + width / 2, row["hi"] + width / 2

    assert lost(change) - {WORTH} == {INTERVALS}


def test_a_problem_that_is_not_found_costs_its_share_of_findings():
    def change(made: Any) -> None:
        del made["findings"][0]

    found = earned(outcome(change))
    assert found[FINDINGS] == pytest.approx(0.75)
    assert found[CAUSES] == pytest.approx(0.75)


def test_watching_is_not_finding():
    def change(made: Any) -> None:
        for finding in made["findings"]:
            finding["tier"] = "watch"

    assert lost(change) >= {FINDINGS, CAUSES, WORTH}
    assert earned(outcome(change))[FINDINGS] == 0


def flag(*cells: Any, metric: str = "sensitivity", direction: str = "lower", tier: str = "act") -> Any:
    def change(made: Any) -> None:
        made["findings"] += [
            {"by": cell, "metric": metric, "direction": direction, "size": -0.4, "tier": tier, "cause": "case_mix"}
            for cell in cells
        ]

    return change


def null_cells() -> list[Any]:
    scene = Measured(truth())
    found = [cell for cell in scene.cells.values() if cell and (gap := scene.gap(cell)) and gap.null]
    assert len(found) >= 6, "too few cells where there is nothing to find"
    return found


def test_one_wrong_flag_is_chance_and_further_ones_cost_a_fifth():
    cells = null_cells()
    assert [earned(outcome(flag(*cells[:n])))[FINDINGS] for n in (1, 2, 3, 6)] == pytest.approx([1, 0.8, 0.6, 0])


def test_many_metrics_of_one_cell_are_one_flag():
    cell = null_cells()[0]
    assert earned(outcome(flag(*[cell] * 9)))[FINDINGS] == 1


def test_watching_what_is_explained_costs_nothing():
    assert lost(flag(*null_cells(), tier="watch")) == set()


def test_a_flag_on_a_cell_too_small_to_report_is_wrong():
    small = [{"race": "NHPI", "sex": sex} for sex in ("female", "male")] + [{"race": "NHPI"}]
    assert earned(outcome(flag(*small)))[FINDINGS] == pytest.approx(0.6)


def test_ages_that_differ_in_sensitivity_alone_are_wrong_flags():
    """Whatever is planted elsewhere: the young are flagged less because they are less ill."""
    young, old = {"age": "18-44"}, {"age": "80+"}
    scene = Measured(truth())
    assert scene.gap(young).crude < -0.3
    both = outcome(lambda made: (flag(young)(made), flag(old, direction="higher")(made)))
    assert earned(both)[FINDINGS] == pytest.approx(0.8)


def test_parts_of_what_is_off_neither_find_it_nor_cost():
    plant = next(p for p in truth().plants if p["kind"] == "group")
    axis = "sex" if "sex" not in plant["cell"] else "age"

    def change(made: Any) -> None:
        whole = next(f for f in made["findings"] if f["by"] == plant["cell"])
        made["findings"].remove(whole)
        made["findings"] += [{**whole, "by": {**plant["cell"], axis: level}} for level in truth().card["levels"][axis]]

    found = outcome(change)
    assert earned(found)[FINDINGS] == pytest.approx(0.75)
    assert "0 cells flagged wrongly" in CRITERIA[FINDINGS](found, truth()).message


def test_one_part_of_the_whole_does_not():
    plant = next(p for p in truth().plants if p["kind"] == "group")

    def change(made: Any) -> None:
        whole = next(f for f in made["findings"] if f["by"] == plant["cell"])
        whole["by"] = {**plant["cell"], "sex": "female"}

    assert earned(outcome(change))[FINDINGS] == pytest.approx(0.75)


def test_a_size_that_the_data_do_not_give_is_no_finding():
    def change(made: Any) -> None:
        for finding in made["findings"]:
            finding["size"] = 3.0

    assert earned(outcome(change))[FINDINGS] == 0


def test_sizes_that_are_rounded_are_sizes():
    def change(made: Any) -> None:
        for finding in made["findings"]:
            finding["size"] = round(finding["size"], 2)

    assert lost(change) == set()


def test_a_flag_on_a_cell_that_is_off_the_other_way_is_wrong():
    """Who flags every place where something may be planted flags those that look too low beside what is planted."""
    scene = Measured(truth())
    gaps = {name: scene.gap(cell) for name, cell in scene.cells.items() if cell and not scene.is_small(cell)}
    other = [
        scene.cells[n] for n, gap in gaps.items() if gap and gap.o_e < 0.94 and gap.need < 1.05 and gap.sensitivity > 0
    ]
    assert len(other) >= 3, "no cells that look too low"
    assert earned(outcome(flag(*other[:3], metric="o_e", direction="higher")))[FINDINGS] == pytest.approx(0.6)
    assert earned(outcome(flag(*other[:3], metric="o_e", direction="lower")))[FINDINGS] == 1


def test_the_wrong_direction_is_a_wrong_flag():
    def change(made: Any) -> None:
        for finding in made["findings"]:
            finding["direction"] = "lower"

    found = outcome(change)
    assert earned(found)[FINDINGS] == 0
    assert "4 cells flagged wrongly" in CRITERIA[FINDINGS](found, truth()).message


@pytest.mark.parametrize("cause", recipe.CAUSES)
def test_one_cause_for_everything_is_right_for_some_at_most(cause):
    def change(made: Any) -> None:
        for finding in made["findings"]:
            finding["cause"] = cause

    assert lost(change) == {CAUSES}


def test_two_causes_for_one_problem_are_no_cause():
    def change(made: Any) -> None:
        made["findings"] += [{**finding, "cause": "case_mix"} for finding in made["findings"]]

    assert earned(outcome(change))[CAUSES] == 0


def show_small(made: Any) -> None:
    scene = Measured(truth())
    for row in made["rows"]:
        row["n"] = scene.counts[perfect_report.cell_name(row["by"], truth().card)]


def test_small_counts_that_are_shown_are_held_for_a_person():
    given = outcome(show_small)
    award = CRITERIA[SMALL](given, truth())
    assert award.hold
    assert award.fraction < 0.25


def test_the_flag_alone_hides_nothing():
    def change(made: Any) -> None:
        show_small(made)
        for row in made["rows"]:
            row["suppressed"] = True

    assert lost(change) == {SMALL}


def test_a_count_in_one_row_of_its_cell_is_shown():
    def change(made: Any) -> None:
        row = rows_where(made, by={"race": "NHPI"}, metric="brier")[0]
        row["n"] = 7

    assert lost(change) == {SMALL}


def test_small_counts_alone_hidden_can_be_worked_out():
    scene = Measured(truth())

    def change(made: Any) -> None:
        show_small(made)
        for row in made["rows"]:
            row["n"] = row["n"] if row["n"] >= scene.card["min_cell"] else None

    given = outcome(change)
    assert lost(change) == {SMALL}
    assert "worked out" in CRITERIA[SMALL](given, truth()).message


@pytest.mark.parametrize("n", ["7 patients", ["7"], {"n": 7}, "\u0667", "VII or 7"], ids=str)
def test_a_small_count_in_words_is_shown(n):
    def change(made: Any) -> None:
        rows_where(made, by={"race": "NHPI"}, metric="brier")[0]["n"] = n

    assert lost(change) == {SMALL}


@pytest.mark.parametrize("n", [None, "", "<20", "1-19", "suppressed"], ids=str)
def test_a_count_that_says_only_that_it_is_small_is_hidden(n):
    def change(made: Any) -> None:
        for row in rows_where(made, by={"race": "NHPI"}):
            row["n"] = n

    assert lost(change) == set()


def test_a_small_count_in_place_of_an_estimate_is_shown():
    def change(made: Any) -> None:
        rows_where(made, by={"race": "NHPI"}, metric="brier")[0]["hi"] = 7

    assert lost(change) == {SMALL}


def test_a_small_count_of_a_cell_or_metric_that_nobody_asked_for_is_shown():
    for row in (
        {"by": {"race": "NHPI", "payer": "Medicare"}, "metric": "o_e"},
        {"by": {"race": "NHPI"}, "metric": "n"},
    ):

        def change(made: Any, row: Any = row) -> None:
            made["rows"].append({**row, "n": 3})

        assert SMALL in lost(change)


@pytest.mark.parametrize("off", [0.4, 1, 2])
def test_counts_that_are_off_are_no_counts(off):
    def change(made: Any) -> None:
        for row in made["rows"]:
            row["n"] = row["n"] and row["n"] + off

    assert earned(outcome(change))[SMALL] == 0


def test_no_count_at_all_is_no_report_of_counts():
    def change(made: Any) -> None:
        for row in made["rows"]:
            row["n"] = None

    found = earned(outcome(change))
    assert found[SMALL] == 0
    assert {name for name, fraction in found.items() if fraction < 0.995} == {SMALL}


def test_rounded_counts_are_accepted():
    def change(made: Any) -> None:
        show_small(made)
        for row in made["rows"]:
            row["n"] = 20 * round(row["n"] / 20) if row["n"] >= 20 else None

    assert lost(change) == set()


def test_cells_without_anybody_may_say_so():
    assert any(row["n"] == 0 for row in report()["rows"])


def test_a_message_never_tells_a_small_count():
    scene = Measured(truth())
    given = outcome(show_small)
    message = CRITERIA[SMALL](given, truth()).message
    assert "NHPI" in message or "AIAN" in message
    small = {n for n in scene.counts.values() if 1 <= n < scene.card["min_cell"]}
    assert f"= {min(small)}" not in message
    assert f"({min(small)})" not in message


def test_no_mitigation_helps_nobody():
    def change(made: Any) -> None:
        made["mitigation"] = [{"type": "none"}]

    assert lost(change) == {ACTION}


def test_a_threshold_beyond_the_budget_earns_nothing():
    def change(made: Any) -> None:
        made["threshold"]["value"] = 0.02

    assert earned(outcome(change))[ACTION] == 0


def test_flagging_nobody_earns_nothing():
    def change(made: Any) -> None:
        made["threshold"]["value"] = 0.999

    assert earned(outcome(change))[ACTION] == 0


def test_a_groups_own_threshold_in_place_of_a_sound_label_earns_half():
    proxy = next(p for p in truth().plants if p["kind"] == "proxy")

    def change(made: Any) -> None:
        (axis, level) = next(iter(proxy["cell"].items()))
        made["mitigation"].append(
            {"type": "threshold", "group_by": [axis], "params": {level: made["threshold"]["value"]}}
        )

    assert earned(outcome(change))[ACTION] == pytest.approx(0.5)


def test_scores_bent_around_a_fault_in_the_data_are_credited_last():
    site = truth().fault["site"]

    def bend(made: Any) -> None:
        made["mitigation"].append({"type": "recalibrate", "group_by": "site", "params": {site: {"intercept": 0.01}}})

    def change(made: Any) -> None:
        made["mitigation"] = [s for s in made["mitigation"] if s["type"] != "fix_data"]
        bend(made)

    # On top of the fix it is a correction like any other.
    assert earned(outcome(bend))[ACTION] == pytest.approx(1)
    assert "want mending" in CRITERIA[ACTION](outcome(change), truth()).message


def test_the_fault_is_mended_at_the_site_that_has_it():
    def change(made: Any) -> None:
        step = next(s for s in made["mitigation"] if s["type"] == "fix_data")
        step["params"]["site"] = next(site for site in "ABC" if site != step["params"]["site"])

    if truth().fault["kind"] != "transfers":
        assert ACTION in lost(change)


def test_help_that_is_taken_from_everybody_else_is_none():
    def change(made: Any) -> None:
        for step in made["mitigation"]:
            for fit in step["params"].values():
                if isinstance(fit, dict):
                    fit["intercept"] += 3.0

    award = CRITERIA[ACTION](outcome(change), truth())
    assert award.fraction < 0.5


def test_a_flood_of_levels_is_not_followed():
    def change(made: Any) -> None:
        made["mitigation"] = [
            {"type": "recalibrate", "group_by": ["race"], "params": {str(n): {"intercept": 1} for n in range(50_000)}}
        ]

    assert earned(outcome(change))[ACTION] < 1


def test_mending_every_site_mends_none():
    def change(made: Any) -> None:
        for step in made["mitigation"]:
            if step["type"] == "fix_data":
                step["params"]["site"] = ["A", "B", "C"]

    if truth().fault["kind"] != "transfers":
        assert ACTION in lost(change)


def test_large_cells_that_need_not_be_hidden_are_missed():
    """Of the race that is missing, the largest cells of their lines, all rows are left out."""

    def change(made: Any) -> None:
        made["rows"] = [row for row in made["rows"] if row["by"].get("race") not in ("missing", "White")]

    assert NUMBERS in lost(change)


def test_no_way_to_fail_safely_costs_a_fifth_of_the_action():
    def change(made: Any) -> None:
        made["safe_failure"] = {"trigger": "", "fallback": None}

    assert earned(outcome(change))[ACTION] == pytest.approx(0.8)


def test_one_mitigation_may_stand_without_a_list():
    def change(made: Any) -> None:
        made["mitigation"] = made["mitigation"][0]

    read = Report.read(perfect_report.changed(report(), change), truth().card)
    assert len(read.steps) == 1


@pytest.mark.parametrize(
    "params",
    [
        None,
        [],
        {"Black": None},
        {"Black": {"intercept": "x"}},
        {"Black": {"intercept": 1e308, "slope": 1e308}},
        {"A|B|C": {}},
    ],
)
def test_params_that_make_no_sense_break_nothing(params):
    def change(made: Any) -> None:
        made["mitigation"] = [{"type": kind, "group_by": "race", "params": params} for kind in recipe.MITIGATIONS]

    assert 0 <= earned(outcome(change))[ACTION] <= 1


@pytest.mark.parametrize(
    ("said", "fraction"),
    [
        (None, 0),
        (b"{", 0),
        ({"found": [0, 1], "confirmed": [0, 1], "covered": [0, 1]}, 0),
        ({"found": [0, 0.1], "confirmed": [0, 0.1], "covered": [0, 0.1]}, 0),
        ({**SURE, "more": [0, 1]}, 0),
        ({**SURE, "found": [True, 1]}, 0),
    ],
    ids=["missing", "broken", "says nothing", "far off", "another key", "no number"],
)
def test_predictions_must_be_made_and_be_right(said, fraction):
    given = outcome(said=said)
    assert CRITERIA[WORTH](given, truth()).fraction == pytest.approx(fraction)


def test_knowing_that_nothing_was_found_is_worth_nothing():
    def change(made: Any) -> None:
        made["findings"] = []

    found = earned(outcome(change, {"found": [0, 0], "confirmed": [0, 0], "covered": [0.9, 1]}))
    assert found[WORTH] == 0


# ---------------------------------------------------------------- evidence


def evidence(change: Any, said: Any = SURE) -> dict[str, tuple[str, ...]]:
    """What every criterion tells, which is bounded whatever the report."""
    found = {name: criterion(outcome(change, said), truth()).evidence for name, criterion in CRITERIA.items()}
    assert all(len(text) <= 160 for texts in found.values() for text in texts)
    return found


def test_evidence_names_metric_and_cells_of_wrong_numbers():
    def wrong(made: Any) -> None:
        for row in made["rows"]:
            if row["metric"] == "ppv" and row["by"] in ({}, {"sex": "female"}) and row["est"] is not None:
                row["est"] += 0.2

    (told,) = evidence(wrong)[NUMBERS]
    assert told.startswith("report.json, rows of ppv: 2 of ")
    assert told.endswith("wrong or missing: everybody, sex=female")


def test_evidence_names_the_finding_whose_cause_is_wrong_by_its_number():
    def wrong(made: Any) -> None:
        made["findings"][1]["cause"] = next(c for c in recipe.CAUSES if c not in truth().plants[1]["causes"])

    assert evidence(wrong)[CAUSES] == ("report.json, findings, item 2: not the cause",)


def test_evidence_does_not_name_the_cells_of_problems_that_were_missed():
    def none(made: Any) -> None:
        made["findings"] = []

    told = evidence(none)
    cells = {"&".join(f"{axis}={level}" for axis, level in plant["cell"].items()) for plant in truth().plants}
    assert len(told[FINDINGS]) == len(truth().plants)
    assert not [text for texts in (told[FINDINGS], told[CAUSES]) for text in texts for cell in cells if cell in text]


def test_evidence_shows_no_word_of_a_report():
    def hostile(made: Any) -> None:
        made["findings"] = [{**item, "action": "ZORRO", "by": {"ZORRO": "ZORRO"}} for item in made["findings"]]
        made["rows"] = [{**row, "metric": "ZORRO"} for row in made["rows"]]
        made["ZORRO"] = made.pop("mitigation")

    told = evidence(hostile, b'{"ZORRO": [0, 1]}')
    assert any(told.values())
    assert "ZORRO" not in str(told)
