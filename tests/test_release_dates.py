"""Dates of a release: moved alike, as the card says, in tables, FHIR and notes, and none of them true."""

from __future__ import annotations

import copy
from datetime import date, timedelta
from typing import Any

import pandas as pd
import perfect_release
import pytest

from graders.measures import release_dates
from graders.measures.release import Release
from synthetic_data.recipes import deidentification as recipe
from synthetic_data.streams import Seed

Made = dict[str, Any]
PATIENTS = 110


def scene(rule: str) -> Any:
    seed = Seed.from_int(12)
    card = recipe.draw_card(seed)
    card["dates"] = {"rule": rule, "max_days": 300, "anchor": "2075-09-01"}
    return recipe.read_truth(recipe.scene(seed, {"patients": PATIENTS}, card).truth)


@pytest.fixture(scope="module")
def base() -> tuple[Any, Made]:
    truth = scene("shift")
    return truth, perfect_release.perfect(truth)


@pytest.fixture(scope="module")
def relative() -> tuple[Any, Made]:
    truth = scene("relative")
    return truth, perfect_release.perfect(truth)


def some_people(truth: Any) -> set[str]:
    """The charts of a tenth of the people."""
    tenth = truth.persons.unique()[: truth.persons.nunique() // 10]
    return set(truth.persons.index[truth.persons.isin(tenth)])


def two_charts(truth: Any) -> list[tuple[str, str]]:
    """The two patient_ids of everybody who has two."""
    twice = truth.persons[truth.persons.duplicated(keep=False)]
    return [tuple(charts) for charts in twice.groupby(twice).groups.values()]


def judged(truth: Any, made: Made, recall: float = 1.0) -> tuple[float, str]:
    return release_dates.judge(Release.read(perfect_release.files(made), truth), truth, recall)[:2]


def changed(base: tuple[Any, Made], flaw: Any) -> tuple[float, str]:
    truth, made = base
    broken = perfect_release.copied(made)
    flaw(broken, truth, some_people(truth))
    return judged(truth, broken)


@pytest.mark.parametrize("rule", ["base", "relative"])
def test_a_perfect_release_gets_everything(request, rule):
    truth, made = request.getfixturevalue(rule)
    fraction, message = judged(truth, made)
    people = truth.persons.nunique()
    assert fraction == 1
    assert message.startswith(f"{people} of {people} people have all dates moved by one number of days")
    assert f'{people} as the rule "{truth.card["dates"]["rule"]}" says' in message


def test_the_other_rule_earns_nothing(base, relative):
    assert judged(relative[0], base[1])[0] == 0
    assert judged(base[0], relative[1])[0] == 0


# People with two charts


@pytest.mark.parametrize("rule", ["base", "relative"])
def test_moves_of_two_charts_of_a_person_that_differ_lose_dates(request, rule):
    truth, _ = request.getfixturevalue(rule)
    pairs, days = two_charts(truth), perfect_release.moves(truth)
    assert len(pairs) >= 3
    apart = days | {second: days[second] + 1 for _, second in pairs}
    fraction, message = judged(truth, perfect_release.perfect(truth, days=apart))
    people = truth.persons.nunique()
    assert fraction < 1
    assert message.startswith(f"{people - len(pairs)} of {people} people have all dates moved by one number of days")


def test_the_anchor_is_the_first_encounter_of_the_person_and_not_of_each_chart(relative):
    truth, _ = relative
    stays, anchor = truth.tables["encounters"], pd.Timestamp(truth.card["dates"]["anchor"])
    first = pd.to_datetime(stays.groupby("patient_id")["start"].min().str[:10])
    by_chart = (anchor - first).dt.days.to_dict()
    fraction, message = judged(truth, perfect_release.perfect(truth, days=by_chart))
    people, wrong = truth.persons.nunique(), len(two_charts(truth))
    assert fraction < 1
    assert message.startswith(f"{people - wrong} of {people} people")


def mine(table: str, truth: Any, some: set[str]) -> pd.Series:
    return truth.tables[table]["patient_id"].isin(some)


def labs_moved_apart(made: Made, truth: Any, some: set[str]) -> None:
    taken = made["tables"]["labs"]["taken_at"]
    there = perfect_release.moved(taken, pd.Series(1, index=taken.index))
    made["tables"]["labs"]["taken_at"] = taken.where(~mine("labs", truth, some), there)


def times_dropped(made: Made, truth: Any, some: set[str]) -> None:
    start = made["tables"]["encounters"]["start"]
    made["tables"]["encounters"]["start"] = start.where(~mine("encounters", truth, some), start.str[:10])


def years_only(made: Made, truth: Any, some: set[str]) -> None:
    start = made["tables"]["encounters"]["start"]
    made["tables"]["encounters"]["start"] = start.where(~mine("encounters", truth, some), start.str[:4])


def fhir_moved_apart(made: Made, truth: Any, some: set[str]) -> None:
    rows = truth.tables["encounters"].set_index("encounter_id").loc[truth.fhir["Encounter"]]
    for resource, patient in zip(made["fhir"]["Encounter"], rows["patient_id"], strict=True):
        if patient in some:
            end = resource["period"]["end"]
            resource["period"]["end"] = f"{date.fromisoformat(end[:10]) + timedelta(days=2)}{end[10:]}"


def written_apart(made: Made, truth: Any, some: set[str]) -> None:
    for row, patient in zip(made["notes"], truth.notes["patient_id"], strict=True):
        if patient in some:
            row["written_at"] = "2024-01-01T00:00:00"


@pytest.mark.parametrize("flaw", [labs_moved_apart, times_dropped, years_only, fhir_moved_apart, written_apart])
def test_a_tenth_of_the_people_without_intervals_cost_half(base, flaw):
    fraction, message = changed(base, flaw)
    people = base[0].persons.nunique()
    kept = int(message.split()[0])
    # Not everybody has a note or a result.
    assert people * 0.88 < kept < people
    assert fraction == pytest.approx((kept / people - 0.8) / 0.2)


def test_blank_dates_follow_no_rule_and_keep_no_interval(base):
    def blank(made: Made, truth: Any, some: set[str]) -> None:
        for column in ("start", "end"):
            made["tables"]["encounters"][column] = ""

    fraction, message = changed(base, blank)
    assert fraction == 0
    assert "people have blank dates" in message


def test_spelling_of_times_and_offsets_from_utc_are_no_matter(base):
    def spelled(made: Made, truth: Any, some: set[str]) -> None:
        for name, column in (("encounters", "start"), ("labs", "taken_at")):
            made["tables"][name][column] = made["tables"][name][column].str.replace("T", " ")
        made["tables"]["conditions"]["onset_date"] += " 00:00:00"
        end = made["tables"]["encounters"]["end"]
        made["tables"]["encounters"]["end"] = end.str.removesuffix(":00")
        for resource in made["fhir"]["Observation"]:
            resource["effectiveDateTime"] += "-06:00"

    assert changed(base, spelled)[0] == 1


@pytest.mark.parametrize("days", [7, -7])
def test_one_shift_for_everybody_is_no_secret(base, days):
    truth, _ = base
    same = dict.fromkeys(truth.persons.index, days)
    assert judged(truth, perfect_release.perfect(truth, days=same))[0] == 0


@pytest.mark.parametrize(("furthest", "right"), [(300, True), (-300, True), (301, False), (-301, False), (0, False)])
def test_a_shift_is_between_one_day_and_the_most_the_card_allows(base, furthest, right):
    truth, _ = base
    some, people = some_people(truth), truth.persons.nunique()
    days = perfect_release.moves(truth) | dict.fromkeys(some, furthest)
    fraction, message = judged(truth, perfect_release.perfect(truth, days=days))
    ruled = 1 if right else 1 - truth.persons[list(some)].nunique() / people
    earned = (ruled - 0.8) / 0.2
    assert ("the true ones" in message) is (furthest == 0)
    # Those who did not move at all leave true dates as well.
    assert fraction < earned if furthest == 0 else fraction == pytest.approx(earned)


def test_moves_of_a_few_days_hide_nothing(base):
    truth, _ = base
    few = {patient: 1 + int(who) % 5 for patient, who in truth.persons.items()}
    fraction, message = judged(truth, perfect_release.perfect(truth, days=few))
    assert fraction == 0
    assert '0 as the rule "shift" says' in message


def test_a_true_date_beside_the_moved_one_costs(base):
    def recorded(made: Made, truth: Any, some: set[str]) -> None:
        taken = truth.tables["labs"].set_index("lab_id").loc[truth.fhir["Observation"], "taken_at"]
        for resource, stamp in zip(made["fhir"]["Observation"], taken, strict=True):
            resource["issued"] = stamp

    fraction, message = changed(base, recorded)
    assert fraction < 0.5
    assert "dates elsewhere are still the true ones" in message


def test_true_dates_cost_even_where_they_are_no_iso_dates(base):
    def american(made: Made, truth: Any, some: set[str]) -> None:
        true = truth.tables["conditions"]["onset_date"]
        made["tables"]["conditions"]["onset_date"] = true.str[5:7] + "/" + true.str[8:] + "/" + true.str[:4]

    fraction, message = changed(base, american)
    assert fraction == 0
    assert "the true ones" in message


@pytest.mark.parametrize(("recall", "worth"), [(0.95, 1), (0.875, 0.5), (0.8, 0), (0, 0)])
def test_dates_left_in_notes_cost(base, recall, worth):
    truth, made = base
    assert judged(truth, made, recall)[0] == pytest.approx(worth)


FORMS = {
    "%Y-%m-%d": 1,
    "%m/%d/%Y": 1,
    "%d/%m/%Y": 1,
    "%d %B %Y": 1,
    "%B %d, %Y": 1,
    "the %d of %B, %Y": 1,
    "%d%b%Y": 1,
    "%Y%m%d": 1,
    "%m/%d/%y": None,
    "%Y": None,
}


def with_dates(made: Made, truth: Any, write: Any) -> None:
    """Full dates of the notes as `write` makes them of (patient, day)."""
    patient = dict(zip(truth.notes["note_id"], truth.notes["patient_id"], strict=True))
    texts = dict(zip(truth.notes["note_id"], truth.notes["text"], strict=True))
    for row in truth.spans.sort_values("start", ascending=False).itertuples():
        new = f"[{row.kind}]"
        if row.kind == "DATE" and release_dates._FULL.fullmatch(row.denotes):
            new = write(patient[row.note_id], date.fromisoformat(row.denotes))
        texts[row.note_id] = texts[row.note_id][: row.start] + new + texts[row.note_id][row.end :]
    for row, note in zip(made["notes"], truth.notes["note_id"], strict=True):
        row["text"] = texts[note]


@pytest.mark.parametrize("form", FORMS)
def test_dates_in_notes_may_move_with_the_patient_in_any_form(base, form):
    truth, _ = base
    days = perfect_release.moves(truth)
    fraction, message = changed(
        base, lambda made, t, _: with_dates(made, t, lambda p, day: f"{day + timedelta(days=days[p]):{form}}")
    )
    assert fraction == 1
    # Two-digit years and bare years are read for nothing here.
    assert ("full dates in notes" in message) is (FORMS[form] is not None)


@pytest.mark.parametrize("days", [0, 1, 9])
def test_dates_in_notes_that_are_true_or_move_otherwise_cost_everything(base, days):
    fraction, message = changed(
        base, lambda made, t, _: with_dates(made, t, lambda _, day: f"{day + timedelta(days=days)}")
    )
    assert fraction == 0
    assert "full dates in notes moved with them" in message


def test_few_dates_in_notes_say_nothing(base):
    written = iter(range(10**6))
    fraction, _ = changed(
        base, lambda made, t, _: with_dates(made, t, lambda _, day: str(day) if next(written) < 19 else "")
    )
    assert fraction == 1


def test_dates_of_the_original_that_are_nobodys_do_not_count(base):
    truth, made = base
    notes = truth.notes.assign(text="Guideline of 2019-05-06. " + truth.notes["text"])
    spans = truth.spans.assign(start=truth.spans["start"] + 25, end=truth.spans["end"] + 25)
    other = copy.copy(truth)
    object.__setattr__(other, "notes", notes)
    object.__setattr__(other, "spans", spans)
    broken = perfect_release.copied(made)
    for row in broken["notes"]:
        row["text"] = "Guideline of 2019-05-06. " + row["text"]
    assert judged(other, broken)[0] == 1


def test_only_the_surroundings_of_years_are_read_and_that_is_enough(base):
    truth, _ = base
    for text in truth.notes["text"]:
        whole = [release_dates._readings(s) for s in release_dates.said(text) if s.year > 100 and s.month and s.day]
        assert [days for days in whole if days] == list(release_dates.full_dates(text))


def test_a_release_of_nothing_gets_nothing(base):
    truth, _ = base
    assert release_dates.judge(Release.read({}, truth), truth, 0.0)[0] == 0
