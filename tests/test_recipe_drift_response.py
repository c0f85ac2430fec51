"""The drift exercise's data: what a play shows and when, what it keeps, and how it goes on when a monitor fails."""

from __future__ import annotations

import itertools
import json
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest

from synthetic_data import drift_events, drift_policies, drift_stream
from synthetic_data.drift_accounts import COST, best
from synthetic_data.drift_events import MONTHS
from synthetic_data.drift_patients import DIAGNOSIS, NAMES
from synthetic_data.recipes import drift_response as recipe
from synthetic_data.scene import Files, Reply, Request
from synthetic_data.streams import Seed, canonical_text

SEED = Seed.from_int(20261122)
CARD = recipe.draw_card(SEED) | {"min_events": 5}
SETTINGS = {"streams": 6, "patients": 400}
# Another kind of event first in each, and all harmless ones.
KINDS = (
    ("unit_change", "missing_feed", "new_site", "release"),
    ("covid", "bad_release", "late_negatives", "new_ward"),
    ("concept_drift", "coding_change", "fewer_tests", "new_site"),
    ("programme", "swapped", "release", "late_negatives"),
)
Answer = Callable[[str, dict[str, Any]], Any]


@cache
def small(practice: bool = False) -> recipe.Scene:
    """Four streams of few patients, none drawn again."""
    streams = tuple(drift_stream.made(Seed.from_int(n), kinds, 60, CARD) for n, kinds in enumerate(KINDS))
    return recipe.Scene(CARD, streams, recipe.odd_months(SEED, streams), practice=practice)


@cache
def full(number: int) -> recipe.Scene:
    """A scene as candidates meet it."""
    seed = Seed.from_int(number)
    return recipe.scene(seed, SETTINGS, recipe.draw_card(seed))


def idle(target: str, batch: dict[str, Any]) -> list[Any]:
    return []


def busy(target: str, batch: dict[str, Any]) -> list[dict[str, Any]]:
    """Asks, fixes, trains and deploys whatever comes of it."""
    if target != "month":
        return []
    actions: list[dict[str, Any]] = [{"type": "deploy", "report": report["id"]} for report in batch["reports"]]
    actions += [{"type": "investigate", "site": site} for site in ("north", "south")]
    if batch["month"] % 5 == 2:
        actions += [{"type": "recalibrate", "train_months": 3}, {"type": "retrain", "train_months": 6}]
        actions += [{"type": "data_fix", "feature": "bnp", "method": "rescale", "factor": 0.5 + batch["month"]}]
    return actions


def play(scene: recipe.Scene, answer: Answer) -> tuple[list[tuple[str, str]], Files]:
    """Requests as (target, JSON), and what the play adds to the truth. An answer that is a Reply is sent as it is."""
    steps, requests = scene.steps(), []
    reply: Reply | None = None
    while True:
        try:
            request: Request = steps.send(reply) if reply else next(steps)
        except StopIteration as end:
            return requests, end.value
        assert not request.files
        assert not request.requests
        target = request.op if request.op == "restart" else request.target
        requests.append((target, json.dumps(request.args, allow_nan=False)))
        value = None if target == "restart" else answer(target, json.loads(requests[-1][1])[0])
        reply = value if isinstance(value, Reply) else Reply("ok", value, {})


@cache
def played(answer: Answer) -> tuple[list[tuple[str, str]], Files]:
    return play(small(), answer)


@cache
def lives(answer: Answer) -> list[list[tuple[str, Any]]]:
    """Per stream, the requests as (target, what the monitor is given)."""
    streams: list[list[tuple[str, Any]]] = [[]]
    for target, text in played(answer)[0]:
        if target == "restart":
            streams.append([])
        else:
            streams[-1].append((target, json.loads(text)[0]))
    return streams[:-1]


def truth(answer: Answer) -> recipe.Truth:
    return recipe.read_truth({**small().truth, **played(answer)[1]})


def months_lived(answer: Answer) -> Iterator[tuple[drift_stream.Stream, int, dict[str, Any]]]:
    """(stream, latest month that the team may know of, what it is given)."""
    for stream, requests in zip(small().streams, lives(answer), strict=True):
        now = -1
        for target, batch in requests:
            if target == "month":
                now = max(now, batch["month"])
                yield stream, now, batch


def month_of(encounter: str) -> int:
    """Encounters are numbered by month."""
    return int(encounter[1:]) // 10_000 - 13


def parts(value: Any) -> Iterator[tuple[str, Any]]:
    """Every (key, value) in a value, whatever its depth; "" for what is in a list."""
    inside = value.items() if isinstance(value, dict) else (("", part) for part in value)
    for key, part in inside:
        yield key, part
        if isinstance(part, (dict, list)):
            yield from parts(part)


# Card and scene


def test_the_same_seed_writes_the_same_bytes():
    found = []
    for _ in range(2):
        recipe.drawn.cache_clear()
        scene = recipe.scene(SEED, {"streams": 2, "patients": 400}, recipe.draw_card(SEED))
        requests, added = play(scene, busy)
        found.append((dict(scene.public), dict(scene.truth), requests, dict(added)))
    assert found[0] == found[1]


def test_two_plays_of_one_scene_are_alike():
    assert play(small(), busy) == played(busy)


def test_scenes_differ_between_seeds():
    texts = {canonical_text([recipe.told(e) for s in full(n).streams for e in s.events]) for n in range(3)}
    assert len(texts) == 3
    first = {full(n).streams[0].months[0].risk.tobytes() for n in range(3)}
    assert len(first) == 3


def test_streams_of_a_scene_differ():
    assert len({stream.months[0].risk.tobytes() for stream in full(0).streams}) == SETTINGS["streams"]


def test_cards_differ_in_every_rule_but_the_threshold():
    cards = [recipe.draw_card(Seed.from_int(n)) for n in range(60)]
    for rule in set(CARD) - {"threshold"}:
        assert len({card[rule] for card in cards}) > 1, rule


def test_a_drawn_card_can_be_followed():
    for number in range(60):
        recipe.check_card(recipe.draw_card(Seed.from_int(number)))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *itertools.product(("first_calendar_month",), (0, 13, 4.0, "4", True, None)),
        *itertools.product(("min_events",), (0, 501, 25.0, None)),
        *itertools.product(("most_train_months",), (7, 37, "8", [8])),
        *itertools.product(("rule_admissions",), (0, 21, 2.0, False)),
        *itertools.product(("threshold",), (0.1, 0, 1, "0.2", None)),
    ],
)
def test_a_card_that_cannot_be_followed_is_refused_by_name(key, value):
    with pytest.raises(ValueError, match=key):
        recipe.scene(SEED, SETTINGS, {**CARD, key: value})


@pytest.mark.parametrize("key", [*CARD, "more"])
def test_a_card_with_a_key_too_few_or_too_many_is_refused(key):
    changed = {**CARD, key: 1} if key not in CARD else {k: v for k, v in CARD.items() if k != key}
    with pytest.raises(ValueError, match=r"has the keys .*min_events"):
        recipe.scene(SEED, SETTINGS, changed)


def test_the_card_that_is_written_is_the_card_that_holds():
    written = tomllib.loads(small().public["card.toml"].decode())
    assert {key: written[key] for key in CARD} == CARD
    assert written["costs"] == COST
    assert set(written["features"]) == set(NAMES)


@pytest.mark.parametrize("number", range(5))
def test_acting_well_is_worth_it_and_so_is_each_answer(number):
    """In every stream, but for those of which none of many draws would do."""
    scene, seed = full(number), Seed.from_int(number)
    for k, stream in enumerate(scene.streams):
        if fit(stream, scene.card) < 1:
            last = Seed.derive(seed.key, "drift_response", str(k), str(recipe.MOST_DRAWS - 1))
            kinds = [plan.event.kind for plan in stream.planned]
            assert fit(drift_stream.made(last, kinds, SETTINGS["patients"], scene.card), scene.card) < 1


def fit(stream: drift_stream.Stream, card: Any) -> float:
    """1 or more where good answers are told from none."""
    best, least = drift_policies.knowing(stream, card)
    oracle = best.total
    gain = oracle - drift_policies.worth(stream, card, drift_policies.nothing)
    return min(gain / recipe.FLOOR, least / recipe.EACH)


def test_where_no_draw_will_do_it_is_the_best_of_all():
    """Of ten patients a month nothing is worth so much."""
    seed, card = Seed.from_int(3), recipe.draw_card(Seed.from_int(3))
    (stream,) = recipe.scene(seed, {"streams": 1, "patients": 10}, card).streams
    (kinds,) = drift_events.paired(seed, 1, hidden=True)
    seeds = [Seed.derive(seed.key, "drift_response", "0", str(n)) for n in range(recipe.MOST_DRAWS)]
    fits = [fit(drift_stream.made(one, kinds, 10, card), card) for one in seeds]
    assert max(fits) < 1
    assert fit(stream, card) == max(fits)


# Files


def test_hidden_data_show_the_card_and_no_more():
    assert set(small().public) == set(full(0).public) == {"card.toml"}


def test_practice_data_show_streams_and_events():
    names = {f"stream_{n}.ndjson" for n in range(1, 1 + len(KINDS))}
    assert set(small(practice=True).public) == {"card.toml", "events.json", *names}
    events = json.loads(small(practice=True).public["events.json"])
    assert [tuple(event["kind"] for event in stream) for stream in events] == list(KINDS)


@pytest.mark.parametrize(("hidden", "practice"), [({}, False), ({"hidden": 1}, False), ({"hidden": 0}, True)])
def test_data_are_hidden_unless_they_are_asked_for_as_practice(hidden, practice):
    card = recipe.draw_card(SEED)
    assert recipe.scene(SEED, {"streams": 1, "patients": 300, **hidden}, card).practice == practice


def test_a_recorded_stream_is_what_a_monitor_sees_that_does_nothing():
    lines = small(practice=True).public["stream_1.ndjson"].decode().splitlines()
    assert len(lines) == 1 + MONTHS
    lived = {batch["month"]: batch for target, batch in lives(idle)[0] if target}
    # An odd delivery of a month may stand before the right one, never behind it.
    for month, line in enumerate(lines, -1):
        assert json.loads(line) == lived[month], month


def test_the_truth_gives_back_what_was_flagged_and_at_what_risk():
    for stream, told, requests in zip(small().streams, truth(idle).streams, lives(idle), strict=True):
        shown = {batch["month"]: batch for target, batch in requests if target == "month"}
        for month, done in enumerate(told.course):
            assert np.array_equal(done.risk, stream.months[month].risk)
            score = np.array(shown[month]["score"])
            sure = np.abs(score - CARD["threshold"]) > 1e-4  # scores are shown with 4 decimals
            assert np.array_equal(done.flag[sure], score[sure] >= CARD["threshold"])


def test_the_truth_gives_back_events_and_policies():
    for stream, told in zip(small().streams, truth(idle).streams, strict=True):
        assert told.events == stream.events
        assert told.best == pytest.approx([best(stream.months[m].risk, CARD["threshold"]) for m in range(MONTHS)])
        assert told.nothing == told.blind["nothing"] <= told.oracle
        assert set(told.blind) == set(drift_policies.BLIND)
    assert truth(idle).card == CARD


def test_the_truth_gives_back_what_was_done():
    for requests, told in zip(lives(busy), truth(busy).streams, strict=True):
        assert len(told.course) == MONTHS
        assert {action["type"] for month in told.course for action in month.actions} >= {"deploy", "retrain"}
        given = [batch["reports"] for target, batch in requests if target == "month"]
        assert [list(month.reports) for month in told.course if month.reports] == [
            r for r, _ in itertools.groupby(given) if r
        ]


# Nothing of the future


@pytest.mark.parametrize("answer", [idle, busy])
def test_no_encounter_is_shown_before_its_month(answer):
    for _, now, batch in months_lived(answer):
        assert all(month_of(name) <= now for name in batch["encounter"])


@pytest.mark.parametrize("answer", [idle, busy])
def test_no_outcome_is_shown_before_it_is_due(answer):
    for stream, now, batch in months_lived(answer):
        known = batch["labels"] or {"encounter": [], "matured": []}
        for name, matured in zip(known["encounter"], known["matured"], strict=True):
            data = stream.months[month_of(name)]
            row = int(name[1:]) - int(data.seen.number[0])
            assert now >= data.closed or (now >= month_of(name) + 2 and data.first[row])
            assert matured == (now >= data.closed)


def test_the_reference_year_is_of_the_year_before():
    for requests in lives(idle):
        year = requests[1][1]
        assert [month_of(name) for name in year["encounter"]] == year["month_of"]
        assert set(year["month_of"]) == set(range(-12, 0))
        assert year["labels"]["encounter"] == year["encounter"]


def test_a_batch_has_no_key_but_those_of_the_brief():
    allowed = {
        *("month", "release_id", "X", "site", "encounter", "score", "labels", "answers", "reports", "month_of"),
        *("y", "matured", *NAMES, DIAGNOSIS),
        *("feature", "topic", "text"),
        *("id", "kind", "months", "n", "events", "refused", "current", "candidate", "auroc", "o_e", "net_benefit"),
    }
    for requests in lives(busy):
        for target, batch in requests[1:]:
            assert target in ("start", "month")
            assert {key for key, _ in parts(batch)} - {""} <= allowed


@pytest.mark.parametrize("answer", [idle, busy])
def test_no_request_says_what_happens(answer):
    """Topics of notes are the owners' words, and may be wrong."""
    kinds = {*drift_events.HARMFUL, *drift_events.RESERVE, *drift_events.BENIGN}
    secret = {"cause", "risk", "oracle", "onset", "harmful", "blind", "best", "planned"}
    for requests in lives(answer):
        for _, given in requests:
            found = list(parts(given))
            assert not secret & {key for key, _ in found}
            said = {part for key, part in found if isinstance(part, str) and key != "topic"}
            assert not kinds & said


@pytest.mark.parametrize("answer", [idle, busy])
def test_no_request_holds_the_true_risks(answer):
    for stream, requests in zip(small().streams, lives(answer), strict=True):
        risks = {tuple(sorted(data.risk.tolist())) for data in stream.months.values()}
        for _, given in requests:
            for _, part in parts(given):
                if isinstance(part, list) and len(part) > 5 and all(isinstance(v, float) for v in part):
                    assert tuple(sorted(part)) not in risks
                    assert not any(np.isin(one, part).all() for one in risks)


def test_what_is_done_does_not_reach_back():
    """Two plays with other answers from month 9 on are the same up to that month's batch, in every stream."""

    def later(target: str, batch: dict[str, Any]) -> list[dict[str, Any]]:
        if target != "month" or batch["month"] < 9:
            return []
        return [{"type": "data_fix", "feature": "bnp", "method": "rescale", "factor": 0.1}, {"type": "investigate"}]

    differ = 0
    for one, other in zip(lives(idle), lives(later), strict=True):
        assert len(one) == len(other)
        number = next(k for k, (target, batch) in enumerate(one) if target == "month" and batch["month"] == 9)
        assert one[: number + 1] == other[: number + 1]
        differ += one[number + 1 :] != other[number + 1 :]
    assert differ == len(KINDS)


def test_patients_do_not_depend_on_what_is_done():
    for one, other in zip(lives(idle), lives(busy), strict=True):
        for (_, a), (_, b) in zip(one[1:], other[1:], strict=True):
            assert (a["month"], a["X"], a["site"], a["encounter"], a["labels"]) == (
                *(b["month"], b["X"], b["site"]),
                *(b["encounter"], b["labels"]),
            )


# Odd deliveries


@pytest.mark.parametrize("scene", [small, lambda: full(0), lambda: full(1)], ids=["small", "0", "1"])
def test_one_odd_delivery_of_each_kind_comes_when_nothing_begins(scene):
    streams = scene().streams
    for number in range(60):
        odd = recipe.odd_months(Seed.from_int(number), streams)
        assert sorted(kind for months in odd for kind in months.values()) == sorted(recipe.ODD)
        for stream, months in zip(streams, odd, strict=True):
            begins = {event.onset + near for event in stream.events for near in (-1, 0, 1)}
            assert not set(months) & begins
            assert set(months) <= set(range(2, 22))


def test_odd_deliveries_are_not_drawn_alike_for_all():
    assert len({str(recipe.odd_months(Seed.from_int(number), small().streams)) for number in range(30)}) > 25


def delivered(kind: str) -> tuple[int, list[dict[str, Any]]]:
    """The month of an odd delivery, and the batches that came from the month before to the month after."""
    number = next(k for k, odd in enumerate(small().odd) if kind in odd.values())
    (month,) = (m for m, one in small().odd[number].items() if one == kind)
    near = [batch for target, batch in lives(idle)[number] if target == "month" and abs(batch["month"] - month) <= 1]
    return month, near


def test_an_empty_batch_has_no_rows_and_the_right_one_follows():
    month, near = delivered("empty")
    assert [batch["month"] - month for batch in near] == [-1, 0, 0, 1]
    empty, right = near[1], near[2]
    assert not any([*empty["X"].values(), empty["site"], empty["encounter"], empty["score"]])
    assert set(empty["X"]) == set(right["X"])
    assert right["encounter"]


def test_a_malformed_batch_is_what_the_brief_says_and_the_right_one_follows():
    month, near = delivered("malformed")
    assert [batch["month"] - month for batch in near] == [-1, 0, 0, 1]
    broken, right = near[1], near[2]
    assert set(right["X"]) - set(broken["X"]) == {"albumin"}
    assert "n/a" in broken["X"]["creatinine"]
    assert len(broken["score"]) < len(broken["encounter"])
    assert broken["labels"] is None
    assert right["labels"] is not None


def test_a_duplicate_is_last_months_batch_once_more():
    month, near = delivered("duplicate")
    assert [batch["month"] - month for batch in near] == [-1, -1, 0, 1]
    assert near[0] == near[1]


def test_a_late_batch_comes_just_before_the_next():
    month, near = delivered("late")
    assert [batch["month"] - month for batch in near] == [-1, 0, 1]
    number = next(k for k, odd in enumerate(small().odd) if "late" in odd.values())
    assert truth(busy).streams[number].course[month].actions == ()


def test_how_an_odd_delivery_was_taken_is_noted():
    for stream, odd in zip(truth(busy).streams, small().odd, strict=True):
        # A late one is taken in the month after its own.
        assert {extra.month - (extra.kind == "late"): extra.kind for extra in stream.extras} == dict(odd)
        for extra in stream.extras:
            assert (extra.status, extra.listed) == ("ok", True)
            assert "investigate" in extra.types


def test_what_is_answered_to_a_batch_that_is_no_month_is_not_done():
    def eager(target: str, batch: dict[str, Any]) -> list[dict[str, Any]]:
        if target == "month" and (not batch["encounter"] or batch["labels"] is None):
            return [{"type": "pause", "fallback": "everybody"}]
        return []

    done = [action for stream in truth(eager).streams for month in stream.course for action in month.actions]
    assert done == []


# Monitors that fail


def failing(status: Any, when: Callable[[str, dict[str, Any]], bool]) -> Answer:
    return lambda target, batch: Reply(status, None, {}) if when(target, batch) else []


def test_every_stream_is_lived_in_a_process_of_its_own():
    targets = [target for target, _ in played(idle)[0]]
    assert targets.count("restart") == targets.count("") == targets.count("start") == len(KINDS)
    assert targets[:3] == ["", "start", "month"]


@pytest.mark.parametrize(("target", "asked"), [("", 1), ("start", 2)])
@pytest.mark.parametrize("status", ["raised", "timeout", "exited"])
def test_a_monitor_that_does_not_start_ends_the_play_there(target, asked, status):
    """The engine takes the play as blocked where its last step failed."""
    requests, added = play(small(), failing(status, lambda called, batch: called == target))
    assert len(requests) == asked
    streams = recipe.read_truth({**small().truth, **added}).streams
    assert len(streams) == len(KINDS)
    assert all(stream.course == () and stream.extras == () for stream in streams)


def test_a_monitor_that_raises_goes_on():
    odd = small().odd[0]
    month = next(m for m in range(12, MONTHS) if not set(odd) & {m - 1, m})
    breaks = failing("raised", lambda called, batch: called == "month" and batch["month"] == month)
    requests, added = play(small(), breaks)
    assert [target for target, _ in requests] == [target for target, _ in played(idle)[0]]
    course = recipe.read_truth({**small().truth, **added}).streams[0].course
    assert [m for m, done in enumerate(course) if done.status != "ok"] == [month]
    assert (course[month].status, course[month].invalid, course[month].actions) == ("raised", 1, ())


@pytest.mark.parametrize("status", ["timeout", "exited", "refused"])
def test_a_monitor_that_does_not_come_back_loses_the_rest_of_its_stream_alone(status):
    place, odd = {"stream": 0}, small().odd[1]
    month = next(m for m in range(5, MONTHS) if not set(odd) & {m - 1, m})

    def stuck(target: str, batch: dict[str, Any]) -> Any:
        place["stream"] += target == ""
        there = place["stream"] == 2 and target == "month" and batch["month"] == month
        return Reply(status, None, {}) if there else []

    requests, added = play(small(), stuck)
    asked = defaultdict(list)
    number = 0
    for target, text in requests:
        number += target == "restart"
        if target == "month":
            asked[number].append(json.loads(text)[0]["month"])
    assert max(asked[1]) == month
    assert all(max(asked[k]) == MONTHS - 1 for k in (0, 2, 3))
    streams = recipe.read_truth({**small().truth, **added}).streams
    found = [done.status for done in streams[1].course]
    assert found == ["ok"] * month + [status] + ["exited"] * (MONTHS - 1 - month)
    assert all(done.status == "ok" for k in (0, 2, 3) for done in streams[k].course)


def test_the_model_runs_on_when_the_monitor_does_not():
    gone = failing("exited", lambda called, batch: called == "month" and batch["month"] == 0)
    streams = recipe.read_truth({**small().truth, **play(small(), gone)[1]}).streams
    for stream, quiet in zip(streams, truth(idle).streams, strict=True):
        assert all(np.array_equal(a.flag, b.flag) for a, b in zip(stream.course, quiet.course, strict=True))


@pytest.mark.parametrize("value", [None, {}, "none", 3, {"type": "alert"}])
def test_an_answer_that_is_no_list_is_noted_and_nothing_is_done(value):
    _, added = play(small(), lambda target, batch: value)
    for stream in recipe.read_truth({**small().truth, **added}).streams:
        assert {action["type"] for month in stream.course for action in month.actions} == set()
        assert sum(month.invalid for month in stream.course) >= MONTHS - 1
        assert not any(extra.listed for extra in stream.extras)
