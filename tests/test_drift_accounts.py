"""The accounts of a stream: worked examples, and a plain loop that must come to the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from synthetic_data.drift_accounts import COST, MONTHS, Event, Month, accounts, best, fatigue, net_benefit

T = 0.2
RISK = np.array([0.6, 0.5, 0.1, 0.0])
GOOD = RISK >= T  # worth (.6 - .1) + (.5 - .125) = .875
BAD = ~GOOD  # worth (.1 - .225) + (0 - .25) = -.375
HARM = Event("unit_change", ("unit_change",), True, 4)


def months(answers: dict[int, list[dict[str, Any]]] | None = None, bad: Any = ()) -> list[Month]:
    answers = answers or {}
    return [Month(BAD if m in bad else GOOD, RISK, tuple(answers.get(m, ()))) for m in range(MONTHS)]


def test_net_benefit_is_that_of_vickers_and_elkin():
    assert net_benefit(GOOD, RISK, T) == pytest.approx(0.875)
    assert net_benefit(BAD, RISK, T) == pytest.approx(-0.375)
    assert net_benefit(np.zeros(4, bool), RISK, T) == 0
    assert net_benefit(np.zeros(0, bool), np.zeros(0), T) == 0


def test_at_a_threshold_of_a_half_a_false_positive_costs_a_true_one():
    assert net_benefit(np.array([True, True]), np.array([1.0, 0.0]), 0.5) == pytest.approx(0)


@pytest.mark.parametrize("threshold", [0, 1, -1, 2, float("nan")])
def test_a_threshold_that_is_none_is_refused(threshold):
    with pytest.raises(ValueError, match="threshold"):
        net_benefit(GOOD, RISK, threshold)


def test_no_flags_are_better_than_those_by_true_risk():
    rng = np.random.default_rng(11)
    risk = rng.random(8)
    every = [np.array([bool(k >> i & 1) for i in range(8)]) for k in range(256)]
    assert best(risk, T) == pytest.approx(max(net_benefit(flag, risk, T) for flag in every))


def test_a_stream_where_nothing_happens_is_worth_its_net_benefit():
    found = accounts([], months(), T)
    assert found.total == pytest.approx(24 * 0.875)
    assert not found.active.any()
    assert found.silence.sum() == found.cost.sum() == found.false_alarms.sum() == 0


def test_a_course_of_other_length_is_refused():
    with pytest.raises(ValueError, match="24 months"):
        accounts([], months()[:5], T)


@pytest.mark.parametrize("kind", COST)
def test_actions_cost_what_they_cost(kind):
    """In a month with an active event, so that none is a false alarm."""
    found = accounts([HARM], months({4: [{"type": kind}, {"type": kind}]}), T)
    assert found.cost[4] == found.cost.sum() == 2 * COST[kind]
    assert found.alarms.sum() == 0


@pytest.mark.parametrize("kind", COST)
def test_alarms_without_a_reason_are_false_and_answers_to_reports_are_none(kind):
    found = accounts([], months({4: [{"type": kind}]}), T)
    assert found.alarms[4] == (3 if kind == "data_fix" else kind not in ("none", "deploy", "reject"))
    assert found.false_alarms.sum() == (6 if kind == "data_fix" else found.alarms[4])


def test_taking_an_own_fix_away_is_no_alarm():
    found = accounts([], months({4: [{"type": "data_fix", "method": "clear"}]}), T)
    assert (found.alarms.sum(), found.cost.sum()) == (0, 1)


def test_taking_an_own_fix_away_is_no_answer_to_harm():
    clear = months({4: [{"type": "data_fix", "method": "clear"}]}, range(4, 24))
    assert accounts([HARM], clear, T).silence[4:].sum() == pytest.approx(20 * 0.5 * 1.25)


def test_false_alarms_cost_more_while_earlier_ones_are_remembered():
    # From the fifth within six months on, each costs five.
    assert fatigue(np.array([1.0] * 7 + [0.0] * 17)).tolist()[:7] == [1, 2, 3, 4, 5, 5, 5]
    counts = np.zeros(MONTHS)
    counts[[0, 6, 13]] = 1
    assert fatigue(counts)[[0, 6, 13]].tolist() == [1, 2, 1]


def test_false_alarms_of_one_month_add_up():
    counts = np.zeros(MONTHS)
    counts[3], counts[4] = 3, 7
    assert fatigue(counts)[3] == 1 + 2 + 3
    assert fatigue(counts)[4] == 4 + 6 * 5


@pytest.mark.parametrize(("end", "last"), [(6, 10), (4, 8), (22, 23), (None, 23)])
def test_an_event_may_be_acted_on_until_four_months_after_its_end(end, last):
    event = Event("covid", ("temporary_shock",), True, 4, end)
    found = accounts([event], months(bad=range(4, 24)), T)
    assert np.flatnonzero(found.active).tolist() == list(range(4, last + 1))


def test_from_the_eighth_month_on_only_harm_is_a_reason():
    found = accounts([HARM], months(bad=(14,)), T)
    assert np.flatnonzero(found.active).tolist() == [4, 5, 6, 7, 8, 9, 10, 11, 14]


def test_a_benign_event_is_no_reason():
    event = Event("new_site", (), False, 4)
    found = accounts([event], months({4: [{"type": "alert"}]}, range(4, 24)), T)
    assert not found.active.any()
    assert found.alarms[4] == 1
    assert found.silence.sum() == 0


def test_harm_that_nobody_acts_on_counts_half_again():
    found = accounts([HARM], months(bad=range(4, 24)), T)
    assert found.silence[4:].tolist() == pytest.approx([0.5 * 1.25] * 20)
    assert found.silence[:4].sum() == 0
    assert found.total == pytest.approx(4 * 0.875 - 20 * 0.375 - 20 * 0.625)


AT_NORTH = Event("unit_change", ("unit_change",), True, 4, None, ("north",), ("sodium",))
EVERYWHERE = Event("covid", ("temporary_shock", "concept_drift"), True, 4)
ALARMS = [kind for kind in COST if kind not in ("none", "deploy", "reject")]


@pytest.mark.parametrize("kind", [kind for kind in ALARMS if kind != "investigate"])
def test_whoever_points_at_it_breaks_the_silence_from_that_month_on(kind):
    found = accounts([HARM], months({7: [{"type": kind, "cause": "unit_change"}]}, range(4, 24)), T)
    assert np.flatnonzero(found.silence).tolist() == [4, 5, 6]


def test_a_question_does_not_break_it():
    asked = months({7: [{"type": "investigate", "cause": "unit_change", "site": "north"}]}, range(4, 24))
    assert np.count_nonzero(accounts([AT_NORTH], asked, T).silence) == 20


@pytest.mark.parametrize("kind", ALARMS)
def test_saying_that_something_is_wrong_somewhere_does_not_break_it(kind):
    found = accounts([HARM, AT_NORTH], months({7: [{"type": kind}]}, range(4, 24)), T)
    assert np.flatnonzero(found.silence).tolist() == list(range(4, 24))


@pytest.mark.parametrize(
    ("event", "action", "points"),
    [
        (AT_NORTH, {"feature": "sodium"}, True),
        (AT_NORTH, {"feature": "sodium", "cause": "missing_data"}, True),
        (AT_NORTH, {"feature": "sodium", "site": "south"}, False),
        (AT_NORTH, {"feature": "bnp", "site": "north", "cause": "unit_change"}, False),
        (AT_NORTH, {"site": "north"}, True),
        (AT_NORTH, {"site": "north", "cause": "prevalence_shift"}, False),
        (AT_NORTH, {"cause": "unit_change"}, True),
        (EVERYWHERE, {"cause": "concept_drift"}, True),
        (EVERYWHERE, {"cause": "concept_drift", "feature": "bnp", "site": "north"}, True),
        (EVERYWHERE, {"cause": "unit_change"}, False),
        (EVERYWHERE, {"site": "north"}, False),
        (EVERYWHERE, {"feature": "bnp"}, False),
    ],
)
def test_an_action_points_at_an_event_by_its_feature_its_cause_or_its_site(event, action, points):
    found = accounts([event], months({7: [{"type": "alert", **action}]}, range(4, 24)), T)
    assert np.count_nonzero(found.silence) == (3 if points else 20)


@pytest.mark.parametrize(
    ("event", "fix", "false"),
    [
        (AT_NORTH, {"feature": "sodium"}, False),
        (AT_NORTH, {"feature": "sodium", "site": "north"}, False),
        (AT_NORTH, {"feature": "sodium", "site": "south"}, True),
        (AT_NORTH, {"feature": "bnp", "site": "north"}, True),
        (EVERYWHERE, {"feature": "bnp", "cause": "temporary_shock"}, True),
    ],
)
def test_mending_what_is_not_broken_is_a_false_alarm(event, fix, false):
    found = accounts([event], months({6: [{"type": "data_fix", "method": "mask", **fix}]}), T)
    assert (found.alarms.sum(), found.false_alarms.sum()) == ((3, 1 + 2 + 3) if false else (0, 0))
    # Whatever else is done in the months of an event is none.
    assert not accounts([event], months({6: [{**fix, "type": "alert"}]}), T).alarms.any()


@pytest.mark.parametrize("month", [0, 3])
def test_what_was_done_before_an_event_is_no_answer_to_it(month):
    found = accounts([HARM], months({month: [{"type": "alert", "cause": "unit_change"}]}, range(4, 24)), T)
    assert np.count_nonzero(found.silence) == 20


def test_an_answer_to_one_event_is_none_to_the_next():
    later = Event("bad_release", ("bad_release",), True, 10)
    said = {4: [{"type": "alert", "cause": "unit_change"}]}
    found = accounts([HARM, later], months(said, range(4, 24)), T)
    assert np.flatnonzero(found.silence).tolist() == list(range(10, 24))


def test_small_harm_is_not_silence():
    risk = np.array([0.6, 0.5, 0.25])  # worth .5, .375 and .0625: the last one missed is 6.7 % of the best
    quiet = [Month(np.array([True, True, False]), risk) for _ in range(MONTHS)]
    found = accounts([HARM], quiet, T)
    assert found.silence.sum() == 0
    assert np.flatnonzero(found.active).tolist() == list(range(4, 12))


def test_where_nobody_is_worth_flagging_flags_are_harm():
    risk = np.array([0.1, 0.1])
    for flagged, charged in ((True, 20), (False, 0)):
        quiet = [Month(np.full(2, flagged), risk) for _ in range(MONTHS)]
        assert np.count_nonzero(accounts([HARM], quiet, T).silence) == charged


def pointed(event: Event, action: dict[str, Any]) -> bool:
    site, feature, cause = (action.get(key) for key in ("site", "feature", "cause"))
    if action["type"] == "investigate" or (site and event.site and site not in event.site):
        return False
    if feature and event.feature:
        return feature in event.feature
    return cause in event.cause if cause else bool(site and event.site)


def fixed(event: Event, fix: dict[str, Any]) -> bool:
    elsewhere = fix.get("site") and event.site and fix["site"] not in event.site
    return not elsewhere and fix["feature"] in event.feature


def slow(events: Any, course: Any, t: float) -> dict[str, list[float]]:
    """The same in plain loops, from the specification."""
    rows: dict[str, list[float]] = {
        k: [] for k in ("benefit", "best", "cost", "alarms", "false_alarms", "silence", "active")
    }
    noisy = [
        [a for a in m.actions if a["type"] not in ("none", "deploy", "reject") and a.get("method") != "clear"]
        for m in course
    ]
    for month, done in enumerate(course):
        got = most = 0.0
        for f, r in zip(done.flag, done.risk, strict=True):
            worth = r - (1 - r) * t / (1 - t)
            got += worth if f else 0
            most += max(worth, 0)
        short = 1 - got / most if most > 0 else float(got < 0)
        active = silent = False
        there = []
        for event in events:
            end = 23 if event.end is None else event.end
            if not event.harmful:
                continue
            if event.onset <= month <= end + 4:
                there.append(event)
                active |= month < event.onset + 8 or short >= 0.12 or month > end
            said = [action for actions in noisy[event.onset : month + 1] for action in actions]
            if event.onset <= month <= end and short > 0.15 and not any(pointed(event, action) for action in said):
                silent = True
        fixes = [a for a in noisy[month] if a["type"] == "data_fix"]
        unfit = sum(not active or not any(fixed(event, fix) for event in there) for fix in fixes)
        count = 3 * unfit + (0 if active else len(noisy[month]) - len(fixes))
        before = int(sum(rows["alarms"][max(0, month - 6) : month]))
        rows["benefit"].append(got)
        rows["best"].append(most)
        rows["cost"].append(sum(COST[a["type"]] for a in done.actions))
        rows["alarms"].append(count)
        rows["false_alarms"].append(sum(1 + min(before + i, 4) for i in range(count)))
        rows["silence"].append(0.5 * (most - got) if silent else 0.0)
        rows["active"].append(active)
    return rows


SITES, NAMES = ("north", "south"), ("sodium", "bnp")


def details(rng: np.random.Generator, kind: str) -> dict[str, Any]:
    drawn = {
        key: str(rng.choice(values))
        for key, values in (("site", SITES), ("feature", NAMES), ("cause", ("unit_change", "concept_drift")))
        if rng.random() < 0.5
    }
    if kind == "data_fix":
        return {"feature": "sodium", **drawn, "method": str(rng.choice(["clear", "mask"]))}
    return drawn


@pytest.mark.parametrize("seed", range(40))
def test_the_columns_are_those_of_a_plain_loop(seed):
    rng = np.random.default_rng(seed)
    events = []
    for _ in range(rng.integers(0, 5)):
        onset = int(rng.integers(0, 24))
        end = None if rng.random() < 0.5 else onset + int(rng.integers(0, 8))
        site, feature = (tuple(rng.choice(names, int(rng.integers(0, 3)))) for names in (SITES, NAMES))
        events.append(Event("x", ("unit_change",), bool(rng.random() < 0.7), onset, end, site, feature))
    course = []
    for _ in range(MONTHS):
        risk = rng.beta(1, 5, rng.integers(0, 30))
        flag = risk + rng.normal(0, rng.choice([0, 0.05, 0.3]), len(risk)) >= T
        kinds = rng.choice(list(COST), rng.integers(0, 4))
        actions = tuple({"type": str(kind), **details(rng, str(kind))} for kind in kinds)
        course.append(Month(flag, risk, actions if rng.random() < 0.5 else ()))
    found, wanted = accounts(events, course, T), slow(events, course, T)
    for name, column in wanted.items():
        assert getattr(found, name).shape == (MONTHS,)
        assert getattr(found, name).tolist() == pytest.approx(column), name
    total = sum(wanted["benefit"]) - sum(sum(wanted[k]) for k in ("cost", "false_alarms", "silence"))
    assert found.total == pytest.approx(total)
