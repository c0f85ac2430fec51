"""The rubric of drift_response: a perfect course earns all, and every flaw loses what it should."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import perfect_course as by_hand
import pytest
from perfect_course import (
    CALM,
    FIRST,
    PLAN,
    PREDICTIONS,
    SECOND,
    changed,
    outcome,
    with_actions,
    with_month,
    with_stream,
)

from graders import test_drift_response as rubric
from graders.measures import drift_causes
from graders.measures.drift_utility import Worth
from synthetic_data.drift_accounts import MONTHS, Event, Month, accounts
from synthetic_data.drift_events import CAUSES as ALL_CAUSES

CRITERIA = {name: value for name, value in vars(rubric).items() if name.startswith("test_")}
UTILITY, CAUSES = "test_patients_are_better_off", "test_causes_are_told_apart"
FOLLOWED, PLANNED = "test_alerted_feeds_are_acted_on", "test_changes_were_foreseen"
ODD, SELF = "test_odd_deliveries_are_survived", "test_candidate_knows_how_the_monitor_does"
CALMLY = "test_harmless_changes_are_left_alone"


@cache
def perfect() -> Any:
    return by_hand.perfect()


def awards(truth: Any = None, given: Any = None) -> dict[str, Any]:
    truth = truth or perfect()
    return {name: criterion(given or outcome(), truth) for name, criterion in CRITERIA.items()}


def earned(truth: Any = None, given: Any = None) -> dict[str, float]:
    return {name: award.fraction for name, award in awards(truth, given).items()}


def lost(truth: Any = None, given: Any = None) -> set[str]:
    """The criteria that give less than all."""
    return {name for name, fraction in earned(truth, given).items() if fraction < 0.995}


def course_of(truth: Any, change: Any) -> Any:
    """The truth with every month as change(stream number from 0, month, Month) says."""
    for number, stream in enumerate(truth.streams):
        course = tuple(change(number, month, done) for month, done in enumerate(stream.course))
        truth = with_stream(truth, number, course=course)
    return truth


def without_actions(truth: Any = None) -> Any:
    """Nobody does anything, and every event goes on harming."""

    def change(number: int, month: int, done: Month) -> Month:
        return Month(by_hand.flags(done.risk, month >= FIRST), done.risk)

    return course_of(truth or perfect(), change)


def renamed(number: int, month: int, cause: str | None, **places: str) -> Any:
    """The causes that one month's actions claim, changed; with places, these stand in for their own."""

    def change(action: Any) -> Any:
        kept = {k: v for k, v in action.items() if k not in ("cause", *places)}
        return {**kept, **places, **({} if cause is None else {"cause": cause})}

    actions = tuple(map(change, perfect().streams[number].course[month].actions))
    return with_month(perfect(), number, month, actions=actions)


# ---------------------------------------------------------------- the whole


def test_a_perfect_course_earns_everything():
    found = awards()
    assert {name: award.message for name, award in found.items() if award.fraction < 0.995} == {}
    assert not any(award.hold for award in found.values())


def test_the_points_are_a_hundred():
    assert sum(c.criterion.points for c in CRITERIA.values()) == 100
    assert [name for name, c in CRITERIA.items() if c.criterion.critical] == [FOLLOWED]


def test_doing_nothing_earns_nothing():
    assert sum(earned(without_actions()).values()) == 0


def test_not_starting_earns_nothing():
    truth = perfect()
    for number in range(6):
        truth = with_stream(truth, number, course=())
    found = awards(truth)
    assert sum(award.fraction for award in found.values()) == 0
    assert "did not start in stream 1, 2, 3, 4, 5, 6" in found[UTILITY].message


def test_always_alerting_earns_nothing():
    def change(number: int, month: int, done: Month) -> Month:
        return dataclasses.replace(done, actions=({"type": "alert"},))

    assert sum(earned(course_of(without_actions(), change)).values()) == 0


def test_alerting_on_top_of_nothing_in_only_the_worst_months_earns_nothing():
    """Breaking the silence is worth something, but not what watching is."""

    def change(number: int, month: int, done: Month) -> Month:
        return dataclasses.replace(done, actions=({"type": "alert"},) if month in (FIRST, SECOND) else ())

    found = earned(course_of(without_actions(), change))
    assert found[UTILITY] < 0.5


def test_messages_name_no_kind_and_no_cause():
    truth = renamed(0, FIRST, "concept_drift")
    truth = with_actions(truth, 3, CALM, {"type": "recalibrate", "train_months": 3})
    for given in (perfect(), truth, without_actions()):
        text = " ".join(award.message for award in awards(given, outcome(None, None)).values())
        secret = {event.kind for stream in given.streams for event in stream.events} | set(ALL_CAUSES)
        assert not [word for word in secret - {"release"} if word in text]


# ---------------------------------------------------------------- utility


def test_the_first_stream_unanswered_costs_a_sixth():
    truth = with_stream(perfect(), 0, course=without_actions().streams[0].course)
    assert Worth(truth).mean == pytest.approx(5 / 6)


def test_a_stream_that_did_not_start_counts_as_one_with_nothing_done():
    truth = with_stream(perfect(), 0, course=())
    assert Worth(truth).mean == pytest.approx(5 / 6)


def test_one_stream_is_at_most_minus_one():
    worst = with_actions(perfect(), 0, 1, *[{"type": "retrain", "train_months": 12}] * 40)
    assert Worth(worst).mean == pytest.approx((5 - 1) / 6)


def test_better_than_the_oracle_is_capped():
    truth = with_stream(perfect(), 0, oracle=perfect().streams[0].nothing + 1)
    assert Worth(truth).mean == pytest.approx((5 + 1.05) / 6)


def test_a_stream_in_which_knowing_does_not_help_is_left_out():
    truth = with_stream(perfect(), 0, oracle=perfect().streams[0].nothing)
    assert Worth(truth).shares[0] is None
    assert lost(truth) == set()


def test_the_best_blind_policy_is_worth_nothing():
    truth = perfect()
    for number, stream in enumerate(truth.streams):
        done = accounts(stream.events, stream.course, by_hand.THRESHOLD)
        truth = with_stream(truth, number, blind={"nothing": stream.nothing, "monthly_retrain": done.total})
    assert Worth(truth).u == 0
    assert sum(earned(truth).values()) == 0


def test_blind_policies_worse_than_nothing_do_not_help():
    truth = perfect()
    for number, stream in enumerate(truth.streams):
        truth = with_stream(truth, number, blind={"always_alert": stream.nothing - 100})
    assert Worth(truth).blind == 0


def test_half_the_way_counts_half_the_way():
    truth = perfect()
    for number in range(3):
        truth = with_stream(truth, number, course=without_actions().streams[number].course)
        truth = with_stream(truth, number, blind={})
    worth = Worth(truth)
    assert earned(truth)[UTILITY] == pytest.approx(worth.u / 0.70)
    assert worth.gate == 1


def test_below_a_quarter_the_other_criteria_shrink():
    truth = with_stream(without_actions(), 0, course=perfect().streams[0].course)
    worth = Worth(truth)
    assert 0 < worth.gate < 1
    assert earned(truth)[ODD] == pytest.approx(worth.gate)
    assert earned(truth)[CALMLY] == pytest.approx(worth.gate)


# ---------------------------------------------------------------- causes


def test_a_wrong_cause_costs_its_event():
    truth = renamed(4, FIRST, "prevalence_shift")
    assert lost(truth) == {CAUSES, SELF}  # which was not foreseen
    assert earned(truth)[CAUSES] == pytest.approx(11 / 12)


def test_no_cause_costs_its_event():
    assert lost(renamed(4, FIRST, None)) == {CAUSES}


def test_a_word_that_is_no_cause_is_none():
    assert lost(renamed(4, FIRST, "none")) == {CAUSES}


@pytest.mark.parametrize("count", [1, 2, 8])
def test_causes_named_beside_the_right_one_divide_what_it_earns(count):
    wrong = [cause for cause in ALL_CAUSES if cause != "bad_release"][:count]
    truth = with_actions(perfect(), 4, FIRST, *({"type": "rollback", "cause": cause} for cause in wrong))
    assert earned(truth)[CAUSES] == pytest.approx((11 + 1 / (1 + count)) / 12)


def test_every_cause_for_every_event_is_worth_little():
    truth = perfect()
    for number in range(6):
        for month in (FIRST, SECOND):
            truth = with_actions(truth, number, month, *({"type": "alert", "cause": cause} for cause in ALL_CAUSES))
    assert earned(truth)[CAUSES] < 0.15


def test_the_same_wrong_cause_again_is_one_wrong_cause():
    more = {"type": "alert", "cause": "concept_drift"}
    assert earned(with_actions(perfect(), 4, FIRST, more, more, more))[CAUSES] == pytest.approx(11.5 / 12)


def test_any_accepted_cause_is_right():
    assert lost(renamed(5, FIRST, "missing_data")) == set()


def test_the_wrong_site_is_no_right_cause():
    assert CAUSES in lost(renamed(0, FIRST, "unit_change", site="west"))


def test_the_wrong_feature_is_no_right_cause():
    assert CAUSES in lost(renamed(0, FIRST, "unit_change", feature="sodium"))


def test_without_a_site_an_action_is_about_all():
    assert lost(renamed(0, FIRST, "unit_change", site="")) == set()


def test_a_wrong_cause_elsewhere_is_not_said_of_the_event():
    elsewhere = {"type": "data_fix", "cause": "coding_change", "site": "west", "feature": "bnp", "method": "mask"}
    assert CAUSES not in lost(with_actions(perfect(), 0, FIRST, elsewhere))


@pytest.mark.parametrize(("month", "right"), [(FIRST - 1, False), (FIRST + 8, True), (FIRST + 9, False)])
def test_a_cause_counts_from_its_onset_to_eight_months_later(month, right):
    truth = with_actions(renamed(4, FIRST, None), 4, month, {"type": "rollback", "cause": "bad_release"})
    assert (CAUSES not in lost(truth)) == right


@pytest.mark.parametrize("kind", ["investigate", "deploy", "none", "reject"])
def test_questions_and_answers_claim_nothing(kind):
    every = [{"type": kind, "cause": cause, "report": "x"} for cause in ALL_CAUSES]
    assert earned(with_actions(perfect(), 4, FIRST, *every))[CAUSES] == 1


def test_of_two_events_that_are_on_an_action_is_about_the_one_it_names():
    stream = perfect().streams[4]
    other = Event("concept_drift", ("concept_drift",), True, FIRST)
    truth = with_stream(perfect(), 4, events=(*stream.events, other))
    truth = with_actions(truth, 4, FIRST + 1, {"type": "alert", "cause": "concept_drift"})
    assert earned(truth)[CAUSES] == 1


def test_a_cause_of_an_old_event_that_is_still_on_is_not_wrong_of_a_new_one():
    again = {"type": "rollback", "cause": "bad_release"}
    assert earned(with_actions(perfect(), 4, SECOND, again))[CAUSES] == 1


def test_examples_say_what_was_missed():
    award = awards(renamed(4, FIRST, None))[CAUSES]
    assert award.examples == ("stream 5 month 3: bad_release, of which bad_release is the cause",)


# ---------------------------------------------------------------- alerts that are followed


def unfollowed(alert: dict[str, Any], *actions: dict[str, Any], month: int = FIRST) -> Any:
    """The first stream with its fix at once, and an alert three months later with `actions` in the month after it."""
    truth = with_actions(perfect(), 0, month + 3, {"type": "alert", "cause": "unit_change", **alert})
    return with_actions(truth, 0, month + 4, *actions)


NORTH = {"site": "north", "feature": "albumin"}
FIX = {"type": "data_fix", "method": "mask"}


def test_an_alert_that_nothing_follows_loses_its_share_and_holds():
    award = awards(unfollowed(NORTH))[FOLLOWED]
    assert lost(unfollowed(NORTH)) == {FOLLOWED}
    assert award.fraction == pytest.approx(4 / 5)
    assert award.hold
    assert "stream 1 month 6" in award.message


@pytest.mark.parametrize(
    "action",
    [
        {**FIX, **NORTH},
        {**FIX, "feature": "albumin"},
        {**NORTH, "type": "data_fix", "method": "rescale", "factor": 10.0},
        {"type": "pause", "fallback": "nobody"},
        {"type": "rollback"},
    ],
)
def test_a_fix_a_pause_or_a_rollback_follows(action):
    assert not awards(unfollowed(NORTH, action))[FOLLOWED].hold


@pytest.mark.parametrize(
    "action",
    [
        {**FIX, "feature": "albumin", "site": "west"},
        {**FIX, "feature": "sodium", "site": "north"},
        {**NORTH, "type": "data_fix", "method": "clear"},
        {**NORTH, "type": "data_fix", "method": "rescale", "factor": 1.0},
        {"type": "investigate", **NORTH},
        {"type": "recalibrate", "site": "north", "train_months": 3},
        {"type": "alert", "cause": "concept_drift"},
    ],
)
def test_what_leaves_the_feed_as_it_is_does_not(action):
    assert awards(unfollowed(NORTH, action))[FOLLOWED].hold


def test_two_months_later_is_too_late():
    assert awards(with_actions(unfollowed(NORTH), 0, FIRST + 5, {**FIX, **NORTH}))[FOLLOWED].hold


def test_an_alert_without_a_site_is_followed_by_any_fix():
    assert not awards(unfollowed({}, {**FIX, "feature": "bnp", "site": "west"}))[FOLLOWED].hold


def test_an_alert_of_another_cause_asks_for_nothing():
    assert FOLLOWED not in lost(unfollowed({"cause": "concept_drift"}))


def test_an_alert_in_the_last_month_may_be_followed_later():
    truth = with_actions(perfect(), 0, MONTHS - 1, {"type": "alert", "cause": "unit_change", **NORTH})
    assert FOLLOWED not in lost(truth)


def test_no_alert_at_all_is_fine_when_the_monitoring_is_worth_something():
    def change(number: int, month: int, done: Month) -> Month:
        return dataclasses.replace(done, actions=tuple(a for a in done.actions if a["type"] != "alert"))

    assert lost(course_of(perfect(), change)) == set()


def test_without_alerts_and_fixes_nothing_was_done_about_faulty_feeds():
    def change(number: int, month: int, done: Month) -> Month:
        return dataclasses.replace(done, actions=tuple(a for a in done.actions if a["type"] in ("retrain", "deploy")))

    assert earned(course_of(perfect(), change))[FOLLOWED] == 0


@pytest.mark.parametrize("feature", ["age", None])
def test_a_claim_about_patients_is_wrong_whatever_feature_it_names(feature):
    """Another feature's name does not keep it from being said of the fault that is on."""
    said = {"type": "alert", "cause": "prevalence_shift", "feature": feature}
    truth = with_actions(perfect(), 0, FIRST, *perfect().streams[0].course[FIRST].actions, said)
    assert earned(truth)[CAUSES] == pytest.approx(11.5 / 12)


# ---------------------------------------------------------------- the plan


def planned(change: Any) -> Any:
    return outcome(plan=changed(PLAN, change))


def test_a_plan_for_more_than_was_done_costs_nothing():
    def change(number: int, month: int, done: Month) -> Month:
        return dataclasses.replace(done, actions=tuple(a for a in done.actions if a["type"] != "pause"))

    assert PLANNED not in lost(course_of(perfect(), change))


def test_a_plan_when_nothing_was_changed_earns_nothing():
    def change(number: int, month: int, done: Month) -> Month:
        return dataclasses.replace(done, actions=tuple(a for a in done.actions if a["type"] == "alert"))

    assert lost(course_of(perfect(), change)) >= {PLANNED}
    assert earned(course_of(perfect(), change))[PLANNED] == 0


@pytest.mark.parametrize("part", ["modifications", "impact"])
@pytest.mark.parametrize("kind", [0, 1, 2, 3, 4])
def test_a_change_that_the_plan_does_not_have_costs_a_fifth(part, kind):
    given = planned(lambda plan: plan[part].pop(kind))
    assert lost(None, given) == {PLANNED}
    assert earned(None, given)[PLANNED] == pytest.approx(0.8)


@pytest.mark.parametrize(("other", "fraction"), [("risk", 0.8), ("mitigation", 0.8)])
def test_one_text_for_two_effects_assesses_nothing(other, fraction):
    given = planned(lambda plan: plan["impact"][0].update({other: plan["impact"][0]["benefit"]}))
    assert earned(None, given)[PLANNED] == pytest.approx(fraction)


def test_the_texts_of_one_change_for_all_assess_none():
    def change(plan: Any) -> None:
        for entry in plan["impact"]:
            entry.update(by_hand.TEXTS["pause"])

    assert earned(None, planned(change))[PLANNED] == 0


def test_more_changes_a_year_than_planned_are_a_breach():
    fixes = [{**FIX, **NORTH}] * 4
    truth = with_actions(perfect(), 0, FIRST, *fixes)
    assert lost(truth) == {PLANNED}
    assert earned(truth)[PLANNED] == pytest.approx(1 - 1 / count_limits(truth))


def count_limits(truth: Any) -> int:
    """Pairs of a stream and a type of change that was made in it."""
    return sum(len({a["type"] for done in s.course for a in done.actions} - {"alert", "deploy"}) for s in truth.streams)


def test_as_many_changes_over_more_than_a_year_are_none():
    truth = perfect()
    for month in (4, 5, 17, 18):
        truth = with_actions(truth, 0, month, {**FIX, **NORTH})
    assert PLANNED not in lost(truth)


def test_a_limit_that_limits_nothing_is_none():
    def change(plan: Any) -> None:
        for entry in plan["modifications"]:
            entry["most_per_year"] = 12

    assert lost(None, planned(change)) == {PLANNED}
    assert earned(None, planned(change))[PLANNED] == 0


@pytest.mark.parametrize("months", [[7, 12], [2, 5]])
def test_training_on_other_months_than_planned_is_a_breach(months):
    given = planned(lambda plan: plan["protocol"]["data"].update(train_months=months))
    assert lost(None, given) == {PLANNED}
    assert earned(None, given)[PLANNED] == 0


def test_deploying_what_has_too_few_events_is_a_breach():
    given = planned(lambda plan: plan["protocol"]["data"].update(min_events=401))
    assert lost(None, given) == {PLANNED}


@pytest.mark.parametrize(
    ("field", "fits", "beyond"), [("net_benefit", 0.4, 0.41), ("auroc", 0.05, 0.051), ("o_e_error", 0.37, 0.38)]
)
def test_deploying_what_does_not_meet_the_rules_is_a_breach(field, fits, beyond):
    for least, held in ((fits, True), (beyond, False)):
        rule = [{"field": field, "at_least": least}]
        given = planned(lambda plan, rule=rule: plan["protocol"].update(accept=rule))
        assert earned(None, given)[PLANNED] == (1 if held else 0)


def test_deploying_what_nobody_validated_is_a_breach():
    truth = with_actions(perfect(), 0, 8, {"type": "deploy", "report": "retrain-8-0"})
    assert lost(truth) == {PLANNED}


def test_deploying_before_the_report_is_there_is_a_breach():
    truth = with_actions(perfect(), 1, FIRST, {"type": "deploy", "report": f"recalibrate-{FIRST}-0"})
    assert lost(truth) == {PLANNED}


@pytest.mark.parametrize(
    "report",
    [
        {"candidate": None, "refused": True},
        {"refused": True},
        {"current": None},
        {"candidate": {"auroc": None, "o_e": None, "net_benefit": None}},
        {"candidate": {"auroc": 0.8, "o_e": 0.0, "net_benefit": 4.0}},
        {"events": 0},
    ],
)
def test_deploying_a_report_without_numbers_is_a_breach(report):
    made = by_hand.report("retrain-8-0", **report)
    truth = with_month(perfect(), 0, 9, reports=(made,), actions=({"type": "deploy", "report": "retrain-8-0"},))
    assert lost(truth) == {PLANNED}


def test_leaving_a_good_candidate_lying_is_a_breach():
    truth = with_month(perfect(), 0, 9, reports=(by_hand.report("retrain-8-0"),))
    assert lost(truth) == {PLANNED}


@pytest.mark.parametrize(("months", "breach"), [(0, False), (3, False), (4, True)])
def test_a_newer_candidate_takes_the_place_of_a_good_one_soon(months, breach):
    early = by_hand.report("retrain-8-0")
    name = f"recalibrate-{SECOND}-0"  # deployed when it comes, a month later
    truth = with_month(
        perfect(), 0, SECOND + 1 - months, reports=(early, by_hand.report(name))[: 2 if not months else 1]
    )
    assert (PLANNED in lost(truth)) == breach


def test_leaving_a_poor_candidate_lying_is_not():
    poor = by_hand.report("retrain-8-0", candidate={"auroc": 0.7, "o_e": 1.6, "net_benefit": 3.0})
    assert lost(with_month(perfect(), 0, 9, reports=(poor,))) == set()


def test_rejecting_a_good_candidate_is_a_breach():
    truth = with_actions(perfect(), 1, FIRST + 2, {"type": "reject", "report": f"recalibrate-{FIRST}-0"})
    assert lost(truth) == {PLANNED}


def test_of_two_good_candidates_one_is_enough():
    name = f"recalibrate-{FIRST}-0"
    both = (by_hand.report(name), by_hand.report("retrain-3-1"))
    assert lost(with_month(perfect(), 1, FIRST + 1, reports=both)) == set()


def test_a_report_of_the_last_month_asks_for_no_answer():
    truth = with_month(perfect(), 0, MONTHS - 1, reports=(by_hand.report("retrain-22-0"),))
    assert lost(truth) == set()


@pytest.mark.parametrize(("asked", "share"), [(3, 1.0), (4, 0.5)])
def test_rules_that_no_candidate_meets_decide_nothing(asked, share):
    poor = by_hand.report("retrain-8-0", candidate={"auroc": 0.7, "o_e": 1.6, "net_benefit": 3.0})
    reports = tuple({**poor, "id": f"retrain-8-{number}"} for number in range(asked))
    truth = perfect()
    for number, stream in enumerate(truth.streams):
        for month, done in enumerate(stream.course):
            kept = tuple(action for action in done.actions if action["type"] != "deploy")
            truth = with_month(truth, number, month, reports=(), actions=kept)
    assert earned(with_month(truth, 0, 9, reports=reports))[PLANNED] == pytest.approx(share)


def broken(*path: Any, value: Any = None) -> Any:
    """A change of the plan: the value at a path, or without one its removal."""

    def change(plan: Any) -> None:
        for key in path[:-1]:
            plan = plan[key]
        if value is None:
            del plan[path[-1]]
        else:
            plan[path[-1]] = value

    return planned(change)


HOSTILE_JSON = [
    b"",
    b"null",
    b"[]",
    b"{",
    b'"plan"',
    b"NaN",
    b"\xff\xfe",
    b'{"a": NaN}',
    b'{"a": 1e999}',
    b'{"a": 1, "a": 2}',
    b'{"a": "\\ud800"}',
    b"[" * 100_000 + b"]" * 100_000,
    b'{"a":' * 5000 + b"1" + b"}" * 5000,
    b'{"a": ' + b"9" * 5000 + b"}",
    b"{" + b" " * 300_000 + b"}",
]


@pytest.mark.parametrize("data", HOSTILE_JSON, ids=lambda data: repr(data[:12]))
def test_a_plan_that_is_none_earns_nothing_and_says_why(data):
    award = awards(None, outcome(plan=data))[PLANNED]
    assert lost(None, outcome(plan=data)) == {PLANNED}
    assert award.fraction == 0
    assert award.message.startswith("plan.json ")
    assert len(award.message) < 400


def test_no_plan_earns_nothing():
    assert lost(None, outcome(plan=None)) == {PLANNED}


@pytest.mark.parametrize(
    "given",
    [
        broken("modifications"),
        broken("modifications", value={}),
        broken("modifications", 0, value="recalibrate"),
        broken("modifications", 0, value=[1]),
        broken("modifications", 0, "type"),
        broken("modifications", 0, "type", value="teleport"),
        broken("modifications", 0, "type", value=["data_fix"]),
        broken("modifications", 0, "type", value="retrain"),
        broken("modifications", 0, "when", value="often"),
        broken("modifications", 0, "when", value="a" * 40),
        broken("modifications", 0, "when", value=" \n" * 40),
        broken("modifications", 0, "when", value="many words " * 1000),
        broken("modifications", 0, "when", value=["a sentence that is long enough"]),
        broken("modifications", 0, "most_per_year"),
        broken("modifications", 0, "most_per_year", value=-1),
        broken("modifications", 0, "most_per_year", value=25),
        broken("modifications", 0, "most_per_year", value=4.0),
        broken("modifications", 0, "most_per_year", value=True),
        broken("modifications", 0, "most_per_year", value="4"),
        broken("modifications", 0, "most_per_year", value=10**400),
        broken("protocol"),
        broken("protocol", value=[]),
        broken("protocol", "train", value="as usual"),
        broken("protocol", "rollback"),
        broken("protocol", "data"),
        broken("protocol", "data", "min_events", value=-5),
        broken("protocol", "data", "min_events", value=10**30),
        broken("protocol", "data", "min_events", value="80"),
        broken("protocol", "data", "train_months", value=[2]),
        broken("protocol", "data", "train_months", value=[12, 2]),
        broken("protocol", "data", "train_months", value=[0, 10**9]),
        broken("protocol", "data", "train_months", value=[True, 12]),
        broken("protocol", "data", "train_months", value=[[2], [12]]),
        broken("protocol", "accept"),
        broken("protocol", "accept", value=[]),
        broken("protocol", "accept", value=[{"field": "net_benefit", "at_least": -5}]),
        broken("protocol", "accept", value=[{"field": "luck", "at_least": 0}]),
        broken("protocol", "accept", value=[{"field": ["auroc"], "at_least": 0}]),
        broken("protocol", "accept", value=[{"field": "auroc", "at_least": "0"}]),
        broken("protocol", "accept", value=[{"field": "auroc", "at_least": True}]),
        broken("protocol", "accept", value=[{"field": "auroc", "at_least": 10**400}]),
        broken("protocol", "accept", value=[{"field": "auroc", "at_least": 0}] * 1000),
        broken("protocol", "accept", value=["auroc"]),
        broken("impact"),
        broken("impact", value=[[]]),
        broken("impact", 0, "risk"),
        broken("impact", 0, "risk", value="none"),
        broken("impact", 0, "risk", value={"text": "a sentence that is long enough"}),
        broken("impact", value=PLAN["impact"] * 2),
        broken("impact", value=PLAN["impact"] * 40),
    ],
)
def test_a_plan_with_a_part_that_cannot_be_read_earns_nothing(given):
    award = awards(None, given)[PLANNED]
    assert lost(None, given) == {PLANNED}
    assert award.fraction == 0
    assert "plan.json" in award.message


def test_a_plan_may_say_more():
    assert lost(None, planned(lambda plan: plan.update(title="Change control", version=3))) == set()


def test_a_byte_order_mark_is_no_fault():
    import json

    given = outcome(*(b"\xef\xbb\xbf" + json.dumps(value).encode() for value in (PLAN, PREDICTIONS)))
    assert lost(None, given) == set()


# ---------------------------------------------------------------- odd deliveries


def taken(kind: str, **changes: Any) -> Any:
    """One odd delivery of the first stream taken in another way."""
    extras = tuple(
        dataclasses.replace(extra, **changes) if extra.kind == kind else extra for extra in perfect().streams[0].extras
    )
    return with_stream(perfect(), 0, extras=extras)


KINDS = ("empty", "malformed", "late", "duplicate")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", ["raised", "timeout", "exited", "refused"])
def test_an_odd_delivery_that_ends_in_an_error_is_not_taken(kind, status):
    assert lost(taken(kind, status=status, listed=False)) == {ODD}
    assert earned(taken(kind, status=status, listed=False))[ODD] == pytest.approx(23 / 24)


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_that_is_no_list_is_none(kind):
    assert lost(taken(kind, listed=False)) == {ODD}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("action", ["retrain", "recalibrate", "data_fix", "rollback"])
def test_an_odd_delivery_is_no_reason_to_change_the_model(kind, action):
    assert lost(taken(kind, types=("none", action))) == (set() if kind == "late" else {ODD})


@pytest.mark.parametrize("action", ["deploy", "reject"])
def test_what_a_late_delivery_reports_on_may_be_answered(action):
    assert [lost(taken(kind, types=(action,))) for kind in KINDS] == [{ODD}, {ODD}, set(), {ODD}]


@pytest.mark.parametrize("action", ["none", "alert", "pause", "investigate"])
def test_care_is_no_fault_except_at_what_was_seen_before(action):
    assert all(lost(taken(kind, types=(action,))) == set() for kind in ("empty", "malformed", "late"))
    assert lost(taken("duplicate", types=(action,))) == (set() if action == "none" else {ODD})


# ---------------------------------------------------------------- own predictions


def foreseen(**changes: Any) -> Any:
    return outcome(predictions={**PREDICTIONS, **changes})


@pytest.mark.parametrize(
    ("changes", "fraction"),
    [
        ({"false_alarms": [0, 0]}, 1),
        ({"false_alarms": [0, 3]}, 0.65 + 0.35 / 2),
        ({"false_alarms": [0, 1000]}, 0.65),
        ({"false_alarms": [2, 3]}, 0.65),
        ({"delay": [0, 1.5]}, 1),
        ({"delay": [0, 24]}, 0.65),
        ({"delay": [4, 5]}, 0.65),
        ({"weakest": []}, 0.7),
        ({"weakest": ["luck"]}, 0.7),
        ({"weakest": ["COVID", " Bad_Release "]}, 1),
    ],
)
def test_predictions_earn_by_part(changes, fraction):
    assert earned(None, foreseen(**changes))[SELF] == pytest.approx(fraction)
    assert lost(None, foreseen(**changes)) <= {SELF}


def test_the_weakest_cause_is_the_one_least_named():
    truth = renamed(4, FIRST, "assay_change")  # a bad release is missed, in one of two streams
    for name, right in (("bad_release", True), ("concept_drift", False)):
        given = foreseen(weakest=[name], delay=[0, 1.5])
        parts = earned(truth, given)[SELF]
        assert (parts > 0.75) == right


def test_false_alarms_are_counted_per_stream():
    truth = perfect()
    for number in range(6):
        truth = with_actions(truth, number, 1, {"type": "alert"}, {"type": "alert"})
    assert earned(truth, foreseen(false_alarms=[2, 2]))[SELF] == 1
    assert earned(truth, foreseen(false_alarms=[0, 0]))[SELF] == pytest.approx(0.65)


@pytest.mark.parametrize("data", HOSTILE_JSON, ids=lambda data: repr(data[:12]))
def test_predictions_that_are_none_earn_nothing_and_say_why(data):
    award = awards(None, outcome(predictions=data))[SELF]
    assert lost(None, outcome(predictions=data)) == {SELF}
    assert award.fraction == 0
    assert award.message.startswith("predictions.json ")


@pytest.mark.parametrize(
    "given",
    [
        outcome(predictions=None),
        foreseen(false_alarms=[1, 0]),
        foreseen(false_alarms=[-1, 0]),
        foreseen(false_alarms=[0, 10**400]),
        foreseen(false_alarms=[0]),
        foreseen(false_alarms="0-1"),
        foreseen(false_alarms=[True, True]),
        foreseen(false_alarms={"low": 0}),
        foreseen(delay=[0, 25]),
        foreseen(delay=["0", "1"]),
        foreseen(delay=[[0], [1]]),
        foreseen(weakest="concept_drift"),
        foreseen(weakest=list(ALL_CAUSES)),
        foreseen(weakest=[["concept_drift"]]),
        foreseen(weakest=[1]),
        foreseen(extra=1),
    ],
)
def test_predictions_in_another_form_earn_nothing(given):
    assert lost(None, given) == {SELF}
    assert earned(None, given)[SELF] == 0


# ---------------------------------------------------------------- harmless changes


@pytest.mark.parametrize("kind", ["alert", "data_fix", "recalibrate", "retrain", "rollback", "pause"])
def test_acting_on_a_harmless_change_costs_its_share(kind):
    truth = with_actions(perfect(), 3, CALM + 2, {"type": kind})
    assert CALMLY in lost(truth)
    assert lost(truth) <= {CALMLY, PLANNED}  # a change more than planned may be a breach as well
    assert earned(truth)[CALMLY] == pytest.approx(4 / 6)


@pytest.mark.parametrize("kind", ["investigate", "none"])
def test_asking_is_no_acting(kind):
    assert lost(with_actions(perfect(), 3, CALM, {"type": kind})) == set()


@pytest.mark.parametrize(("month", "costs"), [(CALM - 1, False), (CALM, True), (CALM + 4, True), (CALM + 5, False)])
def test_five_months_are_watched(month, costs):
    """The month before, a harmful event is young enough; from five months later on, the next one is there."""
    assert (CALMLY in lost(with_actions(perfect(), 3, month, {"type": "alert"}))) == costs


def test_what_a_harmful_event_justifies_is_no_fault():
    stream = perfect().streams[3]
    other = Event("concept_drift", ("concept_drift",), True, CALM)
    truth = with_stream(perfect(), 3, events=(*stream.events, other))
    assert CALMLY not in lost(with_actions(truth, 3, CALM + 1, {"type": "alert", "cause": "concept_drift"}))


def test_taking_an_own_fix_away_is_no_fault():
    clear = {"type": "data_fix", "feature": "bnp", "method": "clear"}
    assert lost(with_actions(perfect(), 3, CALM, clear)) == set()


@pytest.mark.parametrize(("site", "costs"), [("north", False), ("", False), ("harbour", True)])
def test_amid_harm_an_action_elsewhere_is_a_fault(site, costs):
    """A new site that opens while another site's values are in a wrong unit."""
    stream = perfect().streams[0]
    events = (stream.events[0], stream.events[1], Event("new_site", (), False, FIRST + 1, None, ("harbour",)))
    truth = with_actions(with_stream(perfect(), 0, events=events), 0, FIRST + 2, {"type": "alert", "site": site})
    assert (CALMLY in lost(truth)) == costs


def test_without_a_harmless_change_there_is_nothing_to_leave_alone():
    truth = perfect()
    for number, stream in enumerate(truth.streams):
        truth = with_stream(truth, number, events=stream.events[:2])
    assert lost(truth) == set()


# ---------------------------------------------------------------- delay


@pytest.mark.parametrize(
    ("action", "delay"),
    [
        (None, MONTHS - FIRST),
        ({"type": "rollback", "cause": "bad_release"}, 7),
        ({"type": "rollback"}, 7),
        ({"type": "rollback", "cause": "concept_drift"}, MONTHS - FIRST),
        ({"type": "investigate"}, MONTHS - FIRST),
    ],
)
def test_delay_is_to_the_first_action_that_fits(action, delay):
    stream = perfect().streams[4]
    event = stream.events[0]
    course = tuple(dataclasses.replace(done, actions=()) for done in stream.course)
    truth = with_stream(perfect(), 4, course=course)
    if action:
        truth = with_actions(truth, 4, FIRST + 7, action)
    assert drift_causes.about(event, truth.streams[4], 5).delay == delay


# ---------------------------------------------------------------- evidence


def test_evidence_names_stream_and_month():
    (told, *_) = awards(renamed(4, FIRST, None))[CAUSES].evidence
    assert told == f"stream 5, month {FIRST}: the cause of what began then is not named"
    month = 9
    (told, *_) = awards(with_actions(perfect(), 2, month, {"type": "alert", "cause": "unit_change"}))[FOLLOWED].evidence
    assert told == f"stream 3, month {month}: a feed was called corrupt, and nothing followed"


def test_evidence_names_the_field_of_the_plan_that_was_not_kept():
    plan = changed(PLAN, lambda made: made["modifications"].__delitem__(0))
    kind = PLAN["modifications"][0]["type"]
    evidence = awards(given=outcome(plan))[PLANNED].evidence
    assert f"plan.json, modifications and impact: {kind} is not described and assessed" in evidence


def test_evidence_of_a_late_monitor_names_months_of_harm_within_bounds():
    late = course_of(perfect(), lambda number, month, done: dataclasses.replace(done, actions=()))
    for name, award in awards(late).items():
        assert all(len(text) <= 160 for text in award.evidence), name
    assert any("harm before anybody acted" in text for text in awards(late)[UTILITY].evidence)
