"""The operational questions: a perfect log answers all, and every flaw costs the question that it touches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import perfect_log
import pytest
from perfect_log import ODD_IDS, Event

from graders.measures.log_life import Answer
from graders.measures.log_questions import QUESTIONS, Usefulness, usefulness
from graders.measures.log_reading import Log
from synthetic_data.recipes.safe_logging import Expected

Change = Callable[[list[Event]], Any]
Came = list[tuple[Expected, Answer]]
ODD: tuple[Any, ...] = (
    None,
    True,
    "",
    "12",
    "x" * 10_000,
    -1,
    10**400,
    1.5,
    float("nan"),
    float("inf"),
    [],
    [[]],
    {},
    {"a": 1},
    "\ud800",
)


def asked(change: Change = perfect_log.keep, answers: Callable[[Came], Any] = perfect_log.keep) -> Usefulness:
    return usefulness(perfect_log.lives(change, answers), perfect_log.truth())


def flawed(change: Change = perfect_log.keep, answers: Callable[[Came], Any] = perfect_log.keep) -> dict[str, float]:
    return {name: share for name, share in asked(change, answers).shares.items() if share < 1}


def each(event: str, alter: Callable[[Event], Any]) -> Change:
    """Alter the lines of an event."""

    def change(events: list[Event]) -> None:
        for line in events:
            if line["event"] == event:
                alter(line)

    return change


def without(drop: Callable[[Event], bool]) -> Change:
    """Leave lines out."""

    def change(events: list[Event]) -> None:
        events[:] = [line for line in events if not drop(line)]

    return change


def put(field: str, value: Any) -> Callable[[Event], Any]:
    return lambda line: line.update({field: value})


def is_background(line: Event) -> bool:
    return line.get("error_code") == "notify_failed"


def unless_background(alter: Callable[[Event], Any]) -> Callable[[Event], Any]:
    return lambda line: None if is_background(line) else alter(line)


def left_twice(events: list[Event]) -> None:
    events += [line for line in events if line.get("status") == 499]


def a_third_call_unsaid(line: Event) -> bool:
    return line["event"] == "upstream" and line["attempt"] == 3 and line["status"] is None


def backwards(events: list[Event]) -> None:
    for line, ts in zip(events, [line["ts"] for line in reversed(events)], strict=True):
        line["ts"] = ts


def wrong_codes(events: list[Event]) -> None:
    for line in events:
        if line.get("error_code") and not is_background(line):
            line["error_code"] = "failed"


def one_start(events: list[Event]) -> None:
    del events[:1]


def gone(line: Event) -> None:
    if line["status"] is None:
        line["status"] = 504


def stayed(line: Event) -> None:
    if line["status"] == 499:
        line["status"] = 200


def quiet(events: list[Event]) -> None:
    for line in events:
        line["level"] = "INFO"


def other_key(events: list[Event]) -> None:
    for line in events:
        if "patient_ref" in line:
            line["patient_ref"] = perfect_log.ref(line["patient_ref"], "other")


FLAWS: dict[str, tuple[Change, str]] = {
    "paths for routes": (each("request", lambda line: line.update(route=f"{line['route']}/7")), "counts"),
    "two lines for one request": (left_twice, "requests"),
    "seconds for milliseconds": (each("request", lambda line: line.update(ms=line["ms"] / 1000)), "latency"),
    "times as text": (each("request", lambda line: line.update(ms=str(line["ms"]))), "latency"),
    "one code for everything": (wrong_codes, "codes"),
    "a wrapper for a cause": (each("error", unless_background(put("error_class", "ServiceError"))), "reasons"),
    "no cause": (each("error", unless_background(lambda line: line.pop("error_class"))), "reasons"),
    "the error handler's line": (each("error", put("where", "app.py:175")), "places"),
    "no line": (each("error", unless_background(put("where", None))), "places"),
    "no site": (each("request", lambda line: line.pop("site")), "sites"),
    "a call that is not told of": (without(a_third_call_unsaid), "calls"),
    "no attempts": (each("upstream", lambda line: line.pop("attempt")), "attempts"),
    "a status that nobody sent": (each("upstream", gone), "outcomes"),
    "no retries": (without(lambda line: line["event"] == "retry"), "retries"),
    "no times": (lambda events: [line.pop("ts") for line in events], "outage"),
    "times turned round": (backwards, "outage"),
    "times without a zone": (lambda events: [line.update(ts=line["ts"][:-1]) for line in events], "outage"),
    "no model version": (each("prediction", put("model_version", None)), "model"),
    "no model version at the start": (each("startup", put("model_version", "")), "model"),
    "references under another key": (other_key, "accesses"),
    "references on requests only": (each("request", lambda line: line.pop("patient_ref", None)), "accesses"),
    "a start that is not told of": (one_start, "starts"),
    "silent background": (without(is_background), "background"),
    "hung up as answered": (each("request", stayed), "cancelled"),
    "everything at INFO": (quiet, "levels"),
    "everything is an error": (lambda events: [line.update(level="ERROR") for line in events], "levels"),
}


def test_a_perfect_log_answers_everything() -> None:
    assert len(QUESTIONS) >= 14
    assert asked() == Usefulness(dict.fromkeys(QUESTIONS, 1.0))
    assert asked().message == f"the application log answers 100% of {len(QUESTIONS)} operational questions"


@pytest.mark.parametrize("name", FLAWS)
def test_a_flaw_costs_its_question_and_no_other(name: str) -> None:
    change, question = FLAWS[name]
    assert set(flawed(change)) == {question}


def test_every_question_can_be_lost() -> None:
    assert {question for _, question in FLAWS.values()} == set(QUESTIONS)


def test_a_service_that_says_nothing_answers_nothing() -> None:
    assert asked(list.clear).v == 0
    assert asked(lambda events: [line.pop("event") for line in events]).v == 0


def test_starts_alone_are_hardly_an_answer() -> None:
    assert asked(without(lambda line: line["event"] != "startup")).v < 0.1


def test_request_lines_alone_are_less_than_half_an_answer() -> None:
    assert 0.25 < asked(without(lambda line: line["event"] not in ("request", "startup"))).v < 0.6


def test_an_own_exception_says_why_when_it_is_raised_for_one_thing() -> None:
    def own(line: Event) -> None:
        line["error_class"] = "".join(map(str.title, line["error_code"].split("_")))

    assert not flawed(each("error", own))


def test_a_log_that_knows_seconds_only_says_when_the_laboratory_was_down() -> None:
    assert not flawed(lambda events: [line.update(ts=line["ts"][:19] + "Z") for line in events])


def test_many_wrong_lines_about_one_request_do_not_help() -> None:
    def all_of_them(events: list[Event]) -> None:
        codes = {line["error_code"] for line in events if line.get("error_code")}
        events += [{**line, "error_code": code} for line in events if line["event"] == "error" for code in codes]

    assert flawed(all_of_them)["codes"] < 0.1


def test_requests_that_did_not_fail_have_no_code() -> None:
    assert flawed(each("request", lambda line: line.update(error_code=line["error_code"] or "ok")))["codes"] < 0.6


def test_a_message_names_questions_and_nobody() -> None:
    message = asked(FLAWS["no site"][0]).message
    assert "from which site a request came (0%)" in message
    assert not any(one.rid in message for one in perfect_log.truth().plays[0].requests)


def of_kind(*kinds: str) -> list[Expected]:
    return [one for one in perfect_log.truth().plays[0].requests if one.kind in kinds]


def renamed(names: Mapping[str, str]) -> Change:
    """A log in which requests have other ids."""

    def change(events: list[Event]) -> None:
        for line in events:
            line["request_id"] = names.get(line.get("request_id", ""), line.get("request_id"))

    return change


def telling(names: Mapping[str, str]) -> Callable[[Came], None]:
    """Answers whose headers say these ids, by those that were sent."""

    def change(came: Came) -> None:
        came[:] = [
            (one, replace(answer, headers={"x-request-id": names[one.rid]}) if one.rid in names else answer)
            for one, answer in came
        ]

    return change


BY_THEIR_IDS = {"requests", "sites", "latency", "model", "accesses", "levels"}


def test_an_odd_id_that_is_replaced_is_found_by_the_header() -> None:
    odd = of_kind(*ODD_IDS)
    log = Log(perfect_log.lives()[0], perfect_log.truth().keys["LOG_KEY"])
    there = [one for one in log.life.asked if one.kind in ODD_IDS]
    assert [one.rid for one in there] == [perfect_log.own_id(one) for one in odd]
    assert not {one.rid for one in there} & {one.rid for one in odd}
    assert all([line["event"] for line in log.of(one)] == ["prediction", "request"] for one in there)
    # The same service, whose callers are not told.
    assert set(flawed(answers=telling({one.rid: one.rid for one in odd}))) == BY_THEIR_IDS
    assert set(flawed(answers=telling(dict.fromkeys((one.rid for one in odd), "")))) == BY_THEIR_IDS


def test_an_odd_id_that_is_kept_is_found_too() -> None:
    """What it costs is another matter."""
    odd = of_kind(*ODD_IDS)
    kept = renamed({perfect_log.own_id(one): one.rid for one in odd})
    assert not flawed(kept, telling({one.rid: one.rid for one in odd}))


@pytest.mark.parametrize("kind", ["predict", "portal", "ward"])
def test_any_id_may_be_replaced_if_the_caller_is_told(kind: str) -> None:
    names = {one.rid: f"{number:032x}" for number, one in enumerate(of_kind(kind))}
    assert not flawed(renamed(names), telling(names))
    assert set(flawed(renamed(names))) == BY_THEIR_IDS - ({"sites"} if kind == "ward" else set())


def test_an_id_that_is_told_twice_is_none() -> None:
    one, other = of_kind("predict")
    both = {one.rid: "x", other.rid: "x"}
    assert set(flawed(renamed(both), telling(both))) == BY_THEIR_IDS
    # Nor is that of another request.
    taken = {one.rid: other.rid}
    assert "requests" in flawed(renamed(taken), telling(taken))
    asked = perfect_log.lives(answers=telling(both))[0].asked
    assert {one.rid, other.rid} <= {request.rid for request in asked}


def test_the_id_of_a_caller_who_hung_up_is_found_by_the_patient() -> None:
    """As nobody was there to be told."""
    left = of_kind("cancelled")
    assert {one.status for one in left} == {499}
    names = {one.rid: f"{number:032x}" for number, one in enumerate(left)}
    assert not flawed(renamed(names))

    def without_ref(events: list[Event]) -> None:
        renamed(names)(events)
        for line in events:
            if line.get("request_id") in names.values():
                line.pop("patient_ref", None)

    assert {"requests", "cancelled"} <= set(flawed(without_ref))


def of_paths(alter: Callable[[Event], Any]) -> Change:
    """Alter the lines of requests whose path is none."""
    rids = {one.rid for one in of_kind("unknown_path")}
    return each("request", lambda line: alter(line) if line["request_id"] in rids else None)


@pytest.mark.parametrize("route", [None, "", "none", "/patients/{id}", "/patients/p-1/x", 7])
def test_a_path_that_is_none_has_no_template_to_be_counted(route: Any) -> None:
    assert of_kind("unknown_path")
    assert not flawed(of_paths(put("route", route)))


def test_a_path_that_is_none_is_still_a_request_that_failed() -> None:
    rids = {one.rid for one in of_kind("unknown_path")}
    gone = without(lambda line: line.get("request_id") in rids)
    assert set(flawed(gone)) == {"requests", "codes", "latency", "sites"}

    def other_code(events: list[Event]) -> None:
        for line in events:
            if line.get("request_id") in rids:
                line["error_code"] = "unknown_patient"

    assert set(flawed(other_code)) == {"codes"}


@pytest.mark.parametrize("site", [None, "", "north", "other", "north, ward 4", 4])
def test_a_site_that_is_none_is_nobody_s_to_count(site: Any) -> None:
    wards = {one.rid for one in of_kind("ward")}
    assert wards
    assert not flawed(each("request", lambda line: line.update(site=site) if line["request_id"] in wards else None))


FIELDS = sorted({field for line in perfect_log.events(perfect_log.truth().plays[0]) for field in line})


@pytest.mark.parametrize("field", FIELDS)
def test_no_field_need_have_its_type(field: str) -> None:
    def odd(events: list[Event]) -> None:
        for number, line in enumerate(events):
            line[field] = ODD[number % len(ODD)]

    assert all(0 <= share <= 1 for share in asked(odd).shares.values())


def test_lines_that_are_no_json_are_passed_over() -> None:
    def broken(events: list[Any]) -> None:
        events += ["{", "[1]", "null", '"x"', "\0", "[" * 100_000]

    assert not flawed(broken)
