"""Acting on a stream: what each action does and when, which answers are understood, and when outcomes arrive."""

from __future__ import annotations

import math
from collections import defaultdict
from functools import cache
from typing import Any

import numpy as np
import pytest

from synthetic_data import drift_course, drift_models, drift_stream
from synthetic_data.drift_course import MOST_ACTIONS, Course, understood
from synthetic_data.drift_events import MONTHS, NEW_SITE, SITES
from synthetic_data.drift_patients import DIAGNOSIS, NAMES
from synthetic_data.drift_stream import CLOSED_AFTER, LATE_CLOSED_AFTER
from synthetic_data.streams import Seed

CARD = {
    "threshold": 0.2,
    "first_calendar_month": 4,
    "min_events": 20,
    "most_train_months": 8,
    "rule_admissions": 2,
}
UNITS = ("unit_change", "missing_feed", "late_negatives")
RELEASES = ("covid", "coding_change", "release")
RESCALE = {"type": "data_fix", "feature": "bnp", "method": "rescale", "factor": 0.2}
RETRAIN = {"type": "retrain", "train_months": 6}


@cache
def stream(kinds: tuple[str, ...] = UNITS, number: int = 1, patients: int = 120) -> drift_stream.Stream:
    return drift_stream.made(Seed.from_int(number), kinds, patients, CARD)


def lived(answers: dict[int, list[dict[str, Any]]], until: int, made: Any = None, **card: Any) -> Course:
    """A course of which `until` months are over, with these answers."""
    course = Course(made or stream(), {**CARD, **card})
    for month in range(until):
        course.answer(answers.get(month, ()))
    return course


def onset(kind: str, made: drift_stream.Stream) -> int:
    return next(event.onset for event in made.events if event.kind == kind)


def scores(course: Course) -> list[float]:
    return [float(score) for score in course.score()]


# When actions take effect


@pytest.mark.parametrize("action", [RESCALE, {"type": "pause", "fallback": "everybody"}], ids=lambda a: a["type"])
def test_an_action_takes_effect_in_the_next_month(action):
    calm, acted = lived({}, 5), lived({3: [action]}, 5)
    same = [np.array_equal(a.flag, b.flag) for a, b in zip(calm.months, acted.months, strict=True)]
    assert same == [True, True, True, True, False]


def test_an_action_changes_the_scores_of_the_next_month_and_not_of_its_own():
    course = Course(stream(), CARD)
    before = scores(course)
    course.answer([RESCALE])
    assert scores(lived({}, 0)) == before
    assert scores(course) != scores(lived({}, 1))


@pytest.mark.parametrize(
    "action",
    [
        {"type": "none"},
        {"type": "alert", "site": "north"},
        {"type": "investigate"},
        {"type": "reject", "report": "retrain-2-0"},
        {"type": "rollback"},
        {"type": "retrain", "train_months": 6},
        {"type": "recalibrate", "train_months": 6},
    ],
    ids=lambda action: action["type"],
)
def test_what_changes_no_model_changes_no_score(action):
    assert scores(lived({3: [action]}, 6)) == scores(lived({}, 6))


def test_a_course_notes_what_was_flagged_and_at_what_risk():
    course = lived({2: [{"type": "alert"}]}, MONTHS)
    assert [len(month.flag) for month in course.months] == [len(stream().months[m].y) for m in range(MONTHS)]
    assert all(np.array_equal(month.risk, stream().months[m].risk) for m, month in enumerate(course.months))
    assert [month.actions for month in course.months if month.actions] == [({"type": "alert"},)]


def test_patients_with_a_score_of_the_threshold_are_flagged():
    course = Course(stream(), CARD)
    assert course.flag(np.array([0.1999, 0.2, 0.2001])).tolist() == [False, True, True]


@pytest.mark.parametrize("fallback", ["nobody", "everybody", "rule"])
def test_a_pause_lasts_the_coming_month(fallback):
    calm, paused = (lived(answers, 7) for answers in ({}, {4: [{"type": "pause", "fallback": fallback}]}))
    admissions = stream().months[5].seen.x[:, NAMES.index("admissions")]
    expected = {"nobody": admissions < 0, "everybody": admissions >= 0, "rule": admissions >= CARD["rule_admissions"]}
    assert np.array_equal(paused.months[5].flag, expected[fallback])
    for month in (4, 6):
        assert np.array_equal(paused.months[month].flag, calm.months[month].flag)


def test_a_pause_shows_the_scores_that_nobody_acts_on():
    paused = lived({4: [{"type": "pause", "fallback": "nobody"}]}, 5)
    assert paused.batch()["score"] == lived({}, 5).batch()["score"]


# Models


def test_a_report_comes_a_month_after_it_was_asked_for_and_once():
    counts = [len(lived({3: [RETRAIN]}, month).batch()["reports"]) for month in (3, 4, 5)]
    assert counts == [0, 1, 0]


@pytest.mark.parametrize("kind", ["retrain", "recalibrate"])
def test_a_reported_model_is_deployed_in_the_month_after(kind):
    answers = {3: [{"type": kind, "train_months": 6}], 4: [{"type": "deploy", "report": f"{kind}-3-0"}]}
    releases = [lived(answers, month).batch()["release_id"] for month in (3, 4, 5)]
    assert releases == ["4.0", "4.0", f"4.0+{kind}-3-0"]
    assert scores(lived(answers, 4)) == scores(lived({}, 4))
    assert scores(lived(answers, 5)) != scores(lived({}, 5))


def test_a_reported_model_may_be_deployed_later():
    answers = {3: [RETRAIN], 7: [{"type": "deploy", "report": "retrain-3-0"}]}
    assert lived(answers, 8).model.release == "4.0+retrain-3-0"


@pytest.mark.parametrize("name", ["retrain-2-0", "retrain-3-1", "", "4.0", "recalibrate-3-0"])
def test_deploying_an_unknown_report_does_nothing(name):
    assert lived({3: [RETRAIN], 4: [{"type": "deploy", "report": name}]}, 5).model is stream().model


def test_deploying_a_refused_report_does_nothing():
    answers = {3: [RETRAIN], 4: [{"type": "deploy", "report": "retrain-3-0"}]}
    assert lived(answers, 5, min_events=500).model is stream().model


def test_a_rejected_model_cannot_be_deployed():
    answers = {3: [RETRAIN], 4: [{"type": "reject", "report": "retrain-3-0"}]}
    answers[5] = [{"type": "deploy", "report": "retrain-3-0"}]
    assert lived(answers, 6).model is stream().model


def test_a_model_is_deployed_once():
    deploy = {"type": "deploy", "report": "retrain-3-0"}
    assert len(lived({3: [RETRAIN], 4: [deploy, deploy], 5: [deploy]}, 6).earlier) == 1


def test_a_rollback_returns_to_the_model_before_the_deploy():
    answers = {3: [RETRAIN], 4: [{"type": "deploy", "report": "retrain-3-0"}], 6: [{"type": "rollback"}]}
    assert scores(lived(answers, 7)) == scores(lived({}, 7))
    assert lived(answers, 7).batch()["release_id"] == "4.0"


def test_two_rollbacks_return_to_the_model_before_two_deploys():
    answers = {
        3: [RETRAIN],
        4: [{"type": "deploy", "report": "retrain-3-0"}, {"type": "recalibrate", "train_months": 6}],
        5: [{"type": "deploy", "report": "recalibrate-4-1"}],
        6: [{"type": "rollback"}],
        7: [{"type": "rollback"}],
    }
    found = [lived(answers, month).model.release for month in (6, 7, 8)]
    assert found == ["4.0+recalibrate-4-1", "4.0+retrain-3-0", "4.0"]


def test_a_rollback_before_any_change_does_nothing():
    assert lived({3: [{"type": "rollback"}] * 3}, 4).model is stream().model


def test_a_vendors_release_takes_over_when_it_comes():
    made = stream(RELEASES)
    when = onset("release", made)
    assert [lived({}, m, made).batch()["release_id"] for m in (when - 1, when)] == ["4.0", "4.1"]
    assert lived({}, when, made).model is made.releases[when]


def test_a_rollback_returns_to_the_model_before_a_release():
    made = stream(RELEASES)
    when = onset("release", made)
    assert lived({when: [{"type": "rollback"}]}, when + 1, made).model is made.model


# Reports


def report(action: dict[str, Any], month: int = 6, **card: Any) -> dict[str, Any]:
    return lived({month: [action]}, month + 1, **card).batch()["reports"][0]


def test_a_report_says_what_the_brief_promises():
    found = report(RETRAIN)
    assert set(found) == {"id", "kind", "site", "months", "n", "events", "refused", "current", "candidate"}
    assert set(found["current"]) == set(found["candidate"]) == {"auroc", "o_e", "net_benefit"}
    assert (found["id"], found["kind"], found["refused"]) == ("retrain-6-0", "retrain", False)


def test_a_report_is_on_the_last_months_whose_outcomes_are_known():
    found, months = report(RETRAIN), range(-2, 4)
    assert found["months"] == [-2, 6 - CLOSED_AFTER]
    assert found["n"] == sum(len(stream().months[m].y) for m in months)
    assert found["events"] == sum(stream().months[m].y.sum() for m in months)


def test_a_report_for_a_site_counts_that_site():
    found = report({"type": "recalibrate", "train_months": 6, "site": "north"})
    assert found["n"] == sum((stream().months[m].seen.site == "north").sum() for m in range(-2, 4))


@pytest.mark.parametrize(("least", "refused"), [(-1, False), (0, False), (1, True)])
def test_a_report_on_too_few_events_is_refused(least, refused):
    events = report(RETRAIN)["events"]
    found = report(RETRAIN, min_events=events + least)
    assert found["refused"] == refused
    assert (found["candidate"] is None) == refused


@pytest.mark.parametrize(("months", "refused"), [(8, False), (9, True)])
@pytest.mark.parametrize("kind", ["retrain", "recalibrate"])
def test_a_report_on_too_old_data_is_refused(kind, months, refused):
    found = report({"type": kind, "train_months": months})
    assert found["refused"] == refused
    assert (found["candidate"] is None) == refused


def test_a_report_on_a_site_that_is_not_there_is_refused():
    found = report({"type": "recalibrate", "train_months": 6, "site": NEW_SITE})
    assert (found["n"], found["refused"], found["current"]) == (0, True, None)


def test_a_report_measures_both_models_on_the_half_that_was_held_out():
    made, months = stream(), range(-2, 4)
    matrix = np.vstack([made.design(m, ()) for m in months])
    y = np.concatenate([made.months[m].y for m in months])
    held = np.arange(len(y)) % 2 == 1
    last = np.repeat([m > 0 for m in months], [len(made.months[m].y) for m in months])
    trial = drift_models.fitted(matrix[~held], y[~held], made.model.weights)
    found = report(RETRAIN)
    for name, weights in (("current", made.model.weights), ("candidate", trial)):
        area = drift_models.auroc(matrix[held & last] @ weights, y[held & last])
        assert found[name]["auroc"] == pytest.approx(area, abs=5.1e-4)


def test_a_recalibration_of_a_site_leaves_the_others_scores():
    answers = {6: [{"type": "recalibrate", "train_months": 6, "site": "north"}]}
    answers[7] = [{"type": "deploy", "report": "recalibrate-6-0"}]
    moved = np.array(scores(lived(answers, 8, min_events=1))) != np.array(scores(lived({}, 8)))
    assert np.array_equal(moved, stream().months[8].seen.site == "north")


# Fixes


def test_a_fix_holds_until_it_is_cleared():
    answers = {3: [RESCALE], 6: [{"type": "data_fix", "feature": "bnp", "method": "clear"}]}
    found = [scores(lived(answers, m)) == scores(lived({}, m)) for m in range(2, 10)]
    assert found == [True, True, False, False, False, True, True, True]


def test_clearing_one_feature_leaves_the_fix_of_another():
    answers = {3: [RESCALE], 4: [{"type": "data_fix", "feature": "sodium", "method": "clear"}]}
    assert scores(lived(answers, 6)) == scores(lived({3: [RESCALE]}, 6))


def test_a_newer_fix_of_a_feature_replaces_the_older():
    answers = {3: [RESCALE], 4: [{**RESCALE, "factor": 7.0}]}
    assert scores(lived(answers, 6)) == scores(lived({3: [{**RESCALE, "factor": 7.0}]}, 6))


def test_a_fix_at_a_site_leaves_the_others_scores():
    moved = np.array(scores(lived({3: [{**RESCALE, "site": "east"}]}, 4))) != np.array(scores(lived({}, 4)))
    east = stream().months[4].seen.site == "east"
    assert not moved[~east].any()
    assert moved[east].mean() > 0.9


@pytest.mark.parametrize("since", [None, -4, 1])
def test_a_fix_changes_training_data_since_its_month(since):
    fix = RESCALE if since is None else {**RESCALE, "since": since}
    course = lived({3: [fix]}, 6)
    first = 3 if since is None else since
    for month in range(-12, 6):
        changed = not np.array_equal(stream().design(month, course.fixes), stream().design(month, ()))
        assert changed == (month >= first), month


def test_a_model_is_trained_on_mended_data():
    fix = {**RESCALE, "since": -12}
    plain, mended = report(RETRAIN), lived({5: [fix], 6: [RETRAIN]}, 7).batch()["reports"][0]
    assert plain["n"] == mended["n"]
    assert plain["current"] != mended["current"]


# Outcomes


@cache
def arrivals(kinds: tuple[str, ...] = UNITS) -> dict[str, list[tuple[int, int, bool]]]:
    """Encounter -> (month in which its outcome came, outcome, matured)."""
    found = defaultdict(list)
    for month in range(MONTHS):
        came = drift_course.labels(stream(kinds), month)
        for name, y, matured in zip(came["encounter"], came["y"], came["matured"], strict=True):
            found[name].append((month, y, matured))
    return found


def outcomes(month: int) -> list[tuple[str, int]]:
    """Encounters of a month and their outcomes."""
    data = stream().months[month]
    return list(zip(data.names, data.y.astype(int).tolist(), strict=True))


def closing(month: int) -> int:
    """The month in which a month's outcomes are all known."""
    late = next(event for event in stream().events if event.kind == "late_negatives")
    return month + (LATE_CLOSED_AFTER if late.onset <= month <= late.last else CLOSED_AFTER)


def test_no_outcome_comes_before_its_time_or_is_wrong():
    truth = {name: (month, y) for month in range(MONTHS) for name, y in outcomes(month)}
    for name, found in arrivals().items():
        for came, y, _ in found:
            assert came >= truth[name][0] + 2
            assert y == truth[name][1]


def test_all_readmissions_are_known_after_two_months():
    for month in range(MONTHS - 2):
        for name, y in outcomes(month):
            if y:
                assert arrivals()[name][0] == (month + 2, 1, False)


def test_most_others_come_with_them_and_fewer_while_outcomes_are_late():
    shares = {}
    for month in range(MONTHS - 5):
        others = [name for name, y in outcomes(month) if not y]
        late = closing(month) != month + CLOSED_AFTER
        shares.setdefault(late, []).extend((month + 2, 0, False) in arrivals().get(name, []) for name in others)
    assert np.mean(shares[False]) == pytest.approx(0.8, abs=0.04)
    assert np.mean(shares[True]) == pytest.approx(0.35, abs=0.1)


def test_a_months_outcomes_come_once_more_and_whole_when_it_closes():
    for month in range(MONTHS):
        for name, y in outcomes(month):
            final = [came for came in arrivals().get(name, []) if came[2]]
            assert final == ([(closing(month), y, True)] if closing(month) < MONTHS else [])


def test_some_month_closes_late():
    assert {closing(month) - month for month in range(MONTHS)} == {3, 5}


def test_a_model_is_trained_on_closed_months_alone():
    for month in range(MONTHS):
        assert [m for m in stream().closed(month) if m >= 0] == [m for m in range(MONTHS) if closing(m) <= month]


def test_the_batch_has_the_columns_of_the_brief_and_no_more():
    batch = lived({}, 4).batch()
    keys = {"month", "release_id", "X", "site", "encounter", "score", "labels", "answers", "reports"}
    assert set(batch) == keys
    assert list(batch["X"]) == [*NAMES, DIAGNOSIS]
    assert set(batch["labels"]) == {"encounter", "y", "matured"}
    rows = {len(values) for values in [*batch["X"].values(), batch["site"], batch["encounter"], batch["score"]]}
    assert rows == {len(stream().months[4].y)}


def test_missing_values_are_none():
    values = lived({}, 4).batch()["X"]["bnp"]
    assert None in values
    assert not any(isinstance(v, float) and math.isnan(v) for v in values)


def test_each_site_writes_in_its_own_way_and_means_the_same():
    month = lived({}, 4).batch()
    data = stream().months[4].seen
    spelled = set()
    for j, name in enumerate(NAMES):
        for value, text, site in zip(data.x[:, j], month["X"][name], month["site"], strict=True):
            if isinstance(text, str):
                spelled.add(stream().habits.get(site, "age" if name == "age" else "plain"))
                read = float(text.rstrip("+").replace(",", ".")) if text else math.nan
                assert read == pytest.approx(value, nan_ok=True) or (name == "age" and value > read)
    assert {"commas", "blanks"} <= spelled <= {"commas", "blanks", "no dots", "age"}
    codes = dict(zip(month["X"][DIAGNOSIS], data.code, strict=True))
    assert {c.replace(".", "") for c in codes} == {c.replace(".", "") for c in codes.values()}
    assert any(code != written for written, code in codes.items())


# Notes

FEEDS = ("missing_feed", "coding_change", "late_negatives")


@cache
def notes() -> list[tuple[str, str]]:
    """(topic that is right, topic of the note) of twelve questions a month about forty streams."""
    found = []
    for number in range(40):
        made = stream(FEEDS, number, 30)
        # The third event, late outcomes, is nothing that the owner of a feed could know of.
        feed, codes = made.events[:2]
        course = Course(made, CARD)
        for month in range(MONTHS):
            asked = [(site, name) for site in SITES for name in (feed.feature[0], DIAGNOSIS, "sodium")]
            course.answer([{"type": "investigate", "site": site, "feature": name} for site, name in asked])
            for (site, name), note in zip(asked, course.notes, strict=True):
                assert (note["month"], note["site"], note["feature"]) == (month, site, name)
                event = {feed.feature[0]: feed, DIAGNOSIS: codes}.get(name)
                on = event and event.onset <= month <= event.last and site in event.site
                found.append((event.cause[0] if event and on else "nothing", note["topic"]))
    return found


def test_notes_are_right_three_times_in_four():
    right = [told == topic for told, topic in notes()]
    assert len(right) > 1000
    assert np.mean(right) == pytest.approx(0.75, abs=0.04)


@pytest.mark.parametrize("topic", ["nothing", "missing_data", "coding_change"])
def test_notes_are_as_often_right_whatever_they_are_about(topic):
    right = [told == topic for true, told in notes() if true == topic]
    assert len(right) > 80
    assert np.mean(right) == pytest.approx(0.75, abs=0.13)


def test_wrong_notes_are_about_anything():
    wrong = {told for topic, told in notes() if told != topic}
    assert wrong == {"nothing", *drift_course.CAUSES}


def test_a_note_comes_in_the_next_month_and_once():
    counts = [len(lived({3: [{"type": "investigate"}]}, month).batch()["answers"]) for month in (3, 4, 5)]
    assert counts == [0, 1, 0]


# Answers

GOOD: list[dict[str, Any]] = [
    {"type": "none"},
    {"type": "alert", "cause": "unit_change", "site": "north", "feature": "bnp"},
    {"type": "investigate", "feature": DIAGNOSIS},
    {"type": "data_fix", "feature": "bnp", "method": "rescale", "factor": 0.5, "since": -12},
    {"type": "data_fix", "feature": DIAGNOSIS, "method": "remap", "site": "south"},
    {"type": "data_fix", "feature": DIAGNOSIS, "method": "mask"},
    {"type": "data_fix", "feature": "sodium", "method": "clear", "since": 23},
    {"type": "recalibrate", "train_months": 3, "site": NEW_SITE},
    {"type": "retrain", "train_months": 36},
    {"type": "deploy", "report": "retrain-3-0"},
    {"type": "reject", "report": "retrain-3-0"},
    {"type": "rollback", "cause": "bad_release"},
    {"type": "pause", "fallback": "rule"},
]


@pytest.mark.parametrize("action", GOOD, ids=lambda action: action["type"])
def test_an_action_of_the_brief_is_understood(action):
    assert understood([action]) == ((action,), 0)


@pytest.mark.parametrize("kind", ["retrain", "recalibrate"])
def test_a_year_is_what_is_trained_on_when_nothing_is_said(kind):
    assert understood([{"type": kind}])[0][0]["train_months"] == 12


def test_keys_that_an_action_does_not_take_are_dropped():
    given = {"type": "alert", "confidence": 0.9, "factor": 3, "report": "x", "note": ["anything"], "site": ""}
    assert understood([given]) == (({"type": "alert"},), 0)


@pytest.mark.parametrize(
    "cause", [None, "", "none", "case_mix", 3, True, math.nan, ["unit_change"], {"a": 1}, "x" * 9999]
)
def test_a_cause_that_is_none_is_dropped_and_the_action_stays(cause):
    assert understood([{"type": "alert", "cause": cause}]) == (({"type": "alert"},), 0)


@pytest.mark.parametrize("value", [None, {}, {"type": "alert"}, "alert", b"alert", 3, 1.5, True, math.nan, ("alert",)])
def test_an_answer_that_is_no_list_is_one_that_cannot_be_read(value):
    assert understood(value) == ((), 1)


ODD = (
    None,
    True,
    False,
    math.nan,
    math.inf,
    -math.inf,
    0,
    -1,
    10**9,
    0.5,
    "",
    "no",
    "x" * 9999,
    [],
    [1],
    {},
    {"a": {}},
)


def cases() -> list[tuple[str, Any]]:
    """Actions with a value that their key may not have."""
    fix = {"type": "data_fix", "feature": "bnp", "method": "rescale", "factor": 2.0, "since": 3}
    bad: dict[str, tuple[dict[str, Any], list[Any]]] = {
        "type": ({}, [v for v in ODD if not isinstance(v, (list, dict))]),
        "site": ({"type": "alert"}, [v for v in ODD if v not in (None, "")]),
        "feature": ({"type": "alert"}, [v for v in ODD if v not in (None, "")]),
        "factor": (fix, [v for v in ODD if v not in (0.5,)] + [1e-6, 1e6, "2"]),
        "since": (
            fix,
            [v for v in ODD if v is not None and (v not in (0, -1) or isinstance(v, bool))] + [-13, 24, 3.0],
        ),
        "method": (fix, [*ODD, "Rescale", "remap"]),
        "train_months": ({"type": "retrain"}, [*ODD, 37, 6.0, "6"]),
        "fallback": ({"type": "pause"}, [*ODD, "Nobody"]),
        "report": ({"type": "deploy"}, [v for v in ODD if v not in ("", "no")]),
    }
    return [(key, {**action, key: value}) for key, (action, values) in bad.items() for value in values]


@pytest.mark.parametrize(("key", "action"), [pytest.param(k, a, id=f"{k}-{n}") for n, (k, a) in enumerate(cases())])
def test_an_action_with_a_key_of_another_kind_cannot_be_read(key, action):
    assert understood([action]) == ((), 1)


@pytest.mark.parametrize("missing", ["feature", "method"])
def test_a_fix_that_does_not_say_of_what_or_how_cannot_be_read(missing):
    assert understood([{key: value for key, value in RESCALE.items() if key != missing}]) == ((), 1)


@pytest.mark.parametrize(("feature", "method"), [(DIAGNOSIS, "rescale"), ("bnp", "remap")])
def test_a_fix_that_the_feature_does_not_take_cannot_be_read(feature, method):
    assert understood([{"type": "data_fix", "feature": feature, "method": method}]) == ((), 1)


@pytest.mark.parametrize("entry", [None, [], "alert", 3, True, math.nan, [{"type": "alert"}], {}, {1: 2}, {None: None}])
def test_an_entry_that_is_no_action_is_counted_and_the_others_stay(entry):
    assert understood([{"type": "alert"}, entry, {"type": "none"}]) == (({"type": "alert"}, {"type": "none"}), 1)


def test_no_more_than_twelve_actions_are_read():
    actions, invalid = understood([{"type": "none"}] * 100_000)
    assert (len(actions), invalid) == (MOST_ACTIONS, 100_000 - MOST_ACTIONS)


def test_what_is_deeply_nested_is_left_alone():
    deep: Any = []
    for _ in range(50_000):
        deep = [deep]
    assert understood([deep]) == ((), 1)
    assert understood([{"type": "alert", "note": deep}]) == (({"type": "alert"},), 0)


def test_every_action_that_is_understood_can_be_done():
    course = Course(stream(), CARD)
    for month in range(MONTHS):
        course.answer(understood(GOOD[month % 2 :: 2])[0])
    assert course.month == MONTHS
