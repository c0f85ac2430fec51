"""What a service answered and what its log withstood: a perfect one earns all, a flaw costs its part."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import perfect_log
import pytest
from perfect_log import ODD_IDS, Event

from graders.measures import log_service
from graders.measures.log_life import Answer, Look
from graders.measures.log_service import Judged
from synthetic_data.recipes.safe_logging import Expected

Came = list[tuple[Expected, Answer]]
Alter = Callable[[Expected, Any], Any]


def where(chosen: Callable[[Expected], bool], alter: Callable[[Expected, Answer], Answer]) -> Callable[[Came], None]:
    """Alter the answers of the requests that are chosen."""

    def change(came: Came) -> None:
        came[:] = [(one, alter(one, answer) if chosen(one) else answer) for one, answer in came]

    return change


def saying(alter: Callable[[Expected, Any], None]) -> Callable[[Expected, Answer], Answer]:
    """The answer with its JSON altered in place."""

    def change(one: Expected, answer: Answer) -> Answer:
        value = json.loads(answer.body)
        alter(one, value)
        return dataclasses.replace(answer, body=json.dumps(value))

    return change


def contract(change: Callable[[Came], None]) -> Judged:
    return log_service.contract(perfect_log.lives(answers=change), perfect_log.calls())


def errors(change: Callable[[Came], None]) -> dict[str, float]:
    return lost(log_service.errors(perfect_log.lives(answers=change), perfect_log.traces()))


def robustness(change: Callable[[list[Event]], Any], info: float = 0, debug: float = 0) -> dict[str, float]:
    return lost(log_service.robustness(perfect_log.lives(change), perfect_log.truth(), info, debug))


def lost(judged: Judged) -> dict[str, float]:
    """First word of a part -> share, of those that are not whole."""
    assert 0 <= judged.fraction <= 1
    return {name.split()[0]: part for name, part in judged.parts.items() if part < 1}


def is_error(one: Expected) -> bool:
    return bool(one.code)


def kind(name: str) -> Callable[[Expected], bool]:
    return lambda one: one.kind == name


def test_a_perfect_service_earns_everything() -> None:
    lives = perfect_log.lives()
    assert log_service.contract(lives, perfect_log.calls()).fraction == 1
    assert log_service.errors(lives, perfect_log.traces()).fraction == pytest.approx(1)
    assert log_service.robustness(lives, perfect_log.truth(), 0, 0).fraction == 1


def test_a_dead_service_earns_nothing_but_what_it_could_not_leak() -> None:
    dead = tuple(
        dataclasses.replace(life, app=b"", looks=(), answers=(Answer(0, {}, ""),) * len(life.asked))
        for life in perfect_log.lives()
    )
    assert log_service.contract(dead, {}).fraction == 0
    assert log_service.errors(dead, perfect_log.traces()).fraction == 0
    assert log_service.robustness(dead, perfect_log.truth(), 0, 0).fraction == pytest.approx(1 / 6)
    assert log_service.contract((), {}).fraction == log_service.errors((), perfect_log.traces()).fraction == 0


def test_attempts_that_were_told_and_not_made_are_no_answers() -> None:
    once = {call["path"]: call for call in perfect_log.calls()["@lab"]}
    assert log_service.contract(perfect_log.lives(), {"@lab": list(once.values())}).fraction < 1
    assert log_service.contract(perfect_log.lives(), {}).fraction < 1
    odd = {"@lab": [{"path": 7}, {}]}
    assert log_service.contract(perfect_log.lives(), odd).fraction < 1


WRONG: dict[str, tuple[str, Callable[[Expected, Answer], Answer]]] = {
    "status": ("health", lambda one, answer: dataclasses.replace(answer, status=204)),
    "one id for all": ("notify", lambda one, answer: dataclasses.replace(answer, headers={"x-request-id": "other"})),
    "code": ("bad_query", saying(lambda one, value: value["error"].update(code="failed"))),
    "risk": ("predict", saying(lambda one, value: value.update(risk=value["risk"] + 0.0003))),
    "risk as text": ("predict_lab", saying(lambda one, value: value.update(risk=str(value["risk"])))),
    "model version": ("huge", saying(lambda one, value: value.pop("model_version"))),
    "batch": ("batch", saying(lambda one, value: value["risks"].append(0.5))),
    "created": ("create", saying(lambda one, value: value.update(id="p-0"))),
    "found": ("search_by_name", saying(lambda one, value: value.update(ids=["p-0"]))),
    "patient": ("read", saying(lambda one, value: value.update(family="withheld"))),
    "bundle": ("bundle", saying(lambda one, value: value.update(patients=0))),
    "label": ("label", saying(lambda one, value: value.clear())),
    "empty": ("metrics", lambda one, answer: dataclasses.replace(answer, body="")),
    "not JSON": ("notify", lambda one, answer: dataclasses.replace(answer, body="<html>")),
    "a list": ("notify", lambda one, answer: dataclasses.replace(answer, body="[]")),
    "no request id": ("old_client", lambda one, answer: dataclasses.replace(answer, headers={})),
    "an empty request id": (
        "session_id",
        lambda one, answer: dataclasses.replace(answer, headers={"x-request-id": ""}),
    ),
    "code of a patient": ("unknown_path", saying(lambda one, value: value["error"].update(code="unknown_patient"))),
    "stayed": ("cancelled", lambda one, answer: Answer(200, {}, "{}")),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_contract_is_kept_for_every_kind_but_the_wrong_one(name: str) -> None:
    which, alter = WRONG[name]
    asked = [one.kind for play in perfect_log.truth().plays if play.level != "blocked" for one in play.requests]
    judged = contract(where(kind(which), alter))
    assert judged.fraction == pytest.approx(1 - asked.count(which) / len(asked))
    assert f"; not {which} (" in judged.message


def test_the_last_of_four_decimals_may_differ() -> None:
    assert (
        contract(where(kind("predict"), saying(lambda one, value: value.update(risk=value["risk"] + 1e-4)))).fraction
        == 1
    )


def as_sent(one: Expected, answer: Answer) -> Answer:
    return dataclasses.replace(answer, headers={"x-request-id": one.rid})


def with_another(one: Expected, answer: Answer) -> Answer:
    return dataclasses.replace(answer, headers={"x-request-id": f"r-{one.patient}"})


@pytest.mark.parametrize("name", [*ODD_IDS, "predict", "label"])
def test_an_id_may_come_back_as_it_is_or_as_another(name: str) -> None:
    for alter in (as_sent, with_another):
        assert contract(where(kind(name), alter)).fraction == 1
        assert not errors(where(kind(name), alter))


def test_an_odd_id_tells_whose_it_is() -> None:
    for name in ODD_IDS:
        assert all(perfect_log.traces().find(one.rid) for one in odd(name))


def test_an_error_s_body_has_the_id_of_its_header() -> None:
    def both(one: Expected, answer: Answer) -> Answer:
        rid = f"r-{one.kind}-{one.rid}"
        return with_id(answer, rid, rid)

    def apart(one: Expected, answer: Answer) -> Answer:
        return with_id(answer, f"r-{one.rid}", one.rid)

    assert not errors(where(is_error, both))
    assert set(errors(where(is_error, apart))) == {"errors"}


def with_id(answer: Answer, header: str, body: str) -> Answer:
    value = json.loads(answer.body)
    value["error"]["request_id"] = body
    return dataclasses.replace(answer, headers={"x-request-id": header}, body=json.dumps(value))


@pytest.mark.parametrize("name", ODD_IDS)
def test_an_odd_id_may_come_back_in_its_header_only(name: str) -> None:
    def beside(one: Expected, answer: Answer) -> Answer:
        return dataclasses.replace(answer, headers={**answer.headers, "x-trace": one.rid})

    assert set(errors(where(kind(name), beside))) == {"other"}
    assert set(errors(where(kind(name), saying(lambda one, value: value.update(request_id=one.rid))))) == {"other"}


def odd(name: str) -> list[Expected]:
    return [one for play in perfect_log.truth().plays for one in play.requests if one.kind == name]


def test_a_path_that_is_none_does_not_come_back() -> None:
    path = where(
        kind("unknown_path"), saying(lambda one, value: value["error"].update(path=f"/{one.details['family']}"))
    )
    assert set(errors(path)) == {"errors"}
    assert contract(path).fraction == 1


def test_a_plain_word_beside_the_code_tells_nothing() -> None:
    assert not errors(where(is_error, saying(lambda one, value: value["error"].update(detail="see the manual"))))


@pytest.mark.parametrize("field", ["family", "mrn", "birthDate", "email", "note"])
def test_an_error_that_echoes_is_none(field: str) -> None:
    # Who is unknown has details here too: they are of the person whose id was sent.
    part = errors(where(is_error, saying(lambda one, value: value["error"].update(detail=one.details.get(field, "")))))
    assert part == {"errors": 0.0}


def test_a_header_is_part_of_an_answer() -> None:
    def told(one: Expected, answer: Answer) -> Answer:
        return dataclasses.replace(answer, headers={**answer.headers, "x-error": one.details["mrn"]})

    assert set(errors(where(kind("lab_down"), told))) == {"errors"}


def test_an_error_without_its_request_id_cannot_be_looked_up() -> None:
    assert errors(where(is_error, saying(lambda one, value: value["error"].pop("request_id")))) == {"errors": 0.0}


def test_metrics_name_nobody() -> None:
    family = perfect_log.truth().plays[0].requests[0].details["family"]
    metrics = where(
        kind("metrics"), lambda one, answer: dataclasses.replace(answer, body=f'patients{{f="{family}"}} 1')
    )
    assert set(errors(metrics)) == {"other"}


def test_without_an_audit_log_nothing_is_given() -> None:
    open_door = where(
        lambda one: one.code == "audit_unavailable",
        lambda one, answer: Answer(201, answer.headers, json.dumps({"id": one.patient})),
    )
    assert errors(open_door) == {"no": 0.0}
    assert set(errors(where(kind("blocked"), lambda one, answer: Answer(0, {}, "")))) == {"no"}


CLOSED = [one for one in perfect_log.truth().plays[2].requests if one.code]


def test_each_route_that_takes_or_gives_is_asked_without_an_audit_log() -> None:
    routes = [one.route for one in CLOSED]
    assert routes == ["/patients", "/patients/{id}", "/patients", "/predict", "/label", "/notify"]


@pytest.mark.parametrize("number", range(len(CLOSED)), ids=[f"{n} {one.route}" for n, one in enumerate(CLOSED)])
def test_each_request_that_is_served_without_an_audit_log_costs(number: int) -> None:
    served = where(
        lambda one: one.rid == CLOSED[number].rid,
        lambda one, answer: Answer(200, answer.headers, json.dumps({"id": 1})),
    )
    assert errors(served) == {"no": pytest.approx(1 - 1 / len(CLOSED))}
    # Nothing of it is among the requests that the contract counts.
    assert contract(served).fraction == 1


def forged(events: list[Event]) -> None:
    if events:
        events.append({**events[-1], "request_id": "forged", "route": "/forged"})


def mixed(events: list[Event]) -> None:
    """References of requests at the same time go to the neighbour."""
    at_once = {one.rid for play in perfect_log.truth().plays for one in play.requests if one.kind == "concurrent"}
    lines = [line for line in events if line.get("request_id") in at_once and "patient_ref" in line]
    for line, ref in zip(lines, [line["patient_ref"] for line in lines[2:] + lines[:2]], strict=True):
        line["patient_ref"] = ref


def test_a_forged_line_spoils_the_log() -> None:
    assert robustness(forged) == {"a": 0.0}


@pytest.mark.parametrize(("field", "value"), [("event", 5), ("level", "loud"), ("ts", "2026-03-01 09:30"), ("ts", 7)])
def test_lines_are_events_with_level_and_time(field: str, value: Any) -> None:
    assert robustness(lambda events: [line.update({field: value}) for line in events])["a"] == 0


def test_lines_that_are_no_events_count() -> None:
    def stray(events: list[Any]) -> None:
        events += ["Traceback (most recent call last):"] * len(events)

    assert robustness(stray) == {"a": 0.5}


def test_debug_is_as_safe_as_info() -> None:
    assert robustness(perfect_log.keep, 0.2, 0.2) == robustness(perfect_log.keep, 0.5, 0.1) == {}
    assert robustness(perfect_log.keep, 0, 0.25) == {"as": 0.75}
    assert robustness(perfect_log.keep, 1, 1) == {"as": 0.0}


def test_requests_at_the_same_time_keep_their_own_patient() -> None:
    assert set(robustness(mixed)) == {"requests"}


def test_a_service_goes_on_without_its_log() -> None:
    down = perfect_log.lives(answers=where(kind("blocked"), lambda one, answer: Answer(500, {}, "")))
    assert lost(log_service.robustness(down, perfect_log.truth(), 0, 0)) == {"up": 0.0}


LOOKS: dict[str, tuple[list[Look], float]] = {
    "at once": ([Look((4, 4), (0, 0), 0)], 1),
    "the last on its way": ([Look((9, 10), (9, 10), 0)], 1),
    "half": ([Look((45, 100), (0, 0), 0)], 0.5),
    "at the end": ([Look((0, 10), (0, 10), 0)], 0),
    "one log of two": ([Look((10, 10), (0, 10), 0)], 0.5 / 0.9),
    "after a restart at the end": ([Look((10, 10), (0, 0), 0), Look((10, 20), (0, 0), 0)], 0.5 / 0.9),
    "begun anew": ([Look((10, 10), (0, 0), 0), Look((2, 20), (0, 0), 0)], 0.5 / 0.9),
    "nothing new": ([Look((10, 10), (0, 0), 0), Look((10, 10), (0, 0), 0)], 1),
    "never looked at": ([], 0),
}


@pytest.mark.parametrize("name", LOOKS)
def test_logs_are_there_before_the_service_is_told_to_leave(name: str) -> None:
    looks, share = LOOKS[name]
    lives = tuple(dataclasses.replace(life, looks=tuple(looks)) for life in perfect_log.lives())
    parts = lost(log_service.robustness(lives, perfect_log.truth(), 0, 0))
    assert parts == ({"logs": pytest.approx(share)} if share < 1 else {})


def test_messages_name_kinds_and_nobody() -> None:
    change = where(is_error, saying(lambda one, value: value["error"].update(detail=one.details.get("family", ""))))
    lives = perfect_log.lives(answers=change)
    said = log_service.errors(lives, perfect_log.traces()).message
    assert "wrong_type (" in said
    assert not perfect_log.traces().find(said)


@pytest.mark.parametrize(
    "body", ["", "null", "[]", '{"error": 7}', '{"error": {"code": ["x"]}}', "{", "\ud800", "[" * 9999]
)
def test_no_answer_need_have_its_shape(body: str) -> None:
    lives = perfect_log.lives(
        answers=where(lambda one: True, lambda one, answer: dataclasses.replace(answer, body=body))
    )
    assert log_service.contract(lives, perfect_log.calls()).fraction < 0.1
    assert log_service.errors(lives, perfect_log.traces()).fraction < 0.01
    assert 0 <= log_service.robustness(lives, perfect_log.truth(), 0, 0).fraction <= 1


def test_one_answer_that_tells_costs_its_code():
    first = next(one for play in perfect_log.truth().plays for one in play.requests if one.kind == "duplicate")

    def tell(one: Expected, value: Any) -> None:
        value["error"]["hint"] = one.details["family"]

    codes = {one.code for play in perfect_log.truth().plays[:2] for one in play.requests if one.code}
    assert errors(where(lambda one: one == first, saying(tell))) == {"errors": pytest.approx(1 - 1 / len(codes))}
