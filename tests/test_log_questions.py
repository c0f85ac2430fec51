"""The operational questions: a perfect log answers all, and every flaw costs the question that it touches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import perfect_log
import pytest
from perfect_log import Event

from graders.measures.log_questions import QUESTIONS, Usefulness, usefulness

Change = Callable[[list[Event]], Any]
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


def asked(change: Change = perfect_log.keep) -> Usefulness:
    return usefulness(perfect_log.lives(change), perfect_log.truth())


def flawed(change: Change) -> dict[str, float]:
    return {name: share for name, share in asked(change).shares.items() if share < 1}


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
    "paths for routes": (each("request", lambda line: line.update(route=line["route"] + "/7")), "counts"),
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
