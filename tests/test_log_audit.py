"""The audit log: a perfect one earns everything, and each flaw costs what it should and is named."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from graders.measures import log_audit
from graders.measures.audit_event import valid
from graders.measures.log_audit import START, WORDS, WORTH, seal
from graders.measures.log_leaks import Leak, Leaks
from graders.measures.log_life import Life, Look
from synthetic_data.recipes import safe_logging as recipe
from synthetic_data.recipes.safe_logging import Expected, Truth
from synthetic_data.streams import Seed

SEED = Seed.from_int(5)
Events = list[dict[str, Any]]
CLEAN = Leaks()


@cache
def truth() -> Truth:
    return recipe.read_truth(recipe.scene(SEED, {"each": 1, "hidden": 1}, {"anchor_every": 20}).truth)


def asked() -> tuple[Expected, ...]:
    return truth().plays[0].requests


def event(one: Expected) -> dict[str, Any]:
    """The record of an access."""
    made = {
        "resourceType": "AuditEvent",
        "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"},
        "subtype": [{"system": "http://hl7.org/fhir/restful-interaction", "code": "read"}],
        "action": one.access or "E",
        "recorded": "2026-11-22T10:00:00.123Z",
        "outcome": "0",
        "agent": [{"who": {"reference": f"Practitioner/{one.user}"}, "requestor": True}],
        "source": {"observer": {"reference": f"Device/{one.site}"}},
    }
    known = one.found or not one.access  # all but searches in vain
    return made | ({"entity": [{"what": {"reference": f"Patient/{one.patient}"}}]} if known else {})


def about(kind: str, skip: int = 0) -> Expected:
    """A request of a kind."""
    return [one for one in asked() if one.kind == kind][skip]


def vain(events: Events) -> list[int]:
    """Of the searches that found nobody."""
    return [k for k, one in enumerate(events) if "entity" not in one]


def wanted() -> int:
    """Accesses that must be recorded."""
    return sum(bool(one.access) and one.found for one in asked())


def place(one: Expected) -> int:
    """Of the event of a request that need not have one, among all others."""
    play, number = truth().plays[0], asked().index(one)
    before = sum(bool(other.access) for other in asked()[:number])
    # After the restart, it is behind the first that must be there, by which `judged` knows the restart.
    after = number >= next(count for role, count in play.steps if role == "http")
    return max(before, restart(play) + 1) if after else before


def perfect(play: recipe.Play) -> Events:
    return [event(one) for one in play.requests if one.access]


def chained(events: Events, seq: int = 0, mac: str = START) -> Events:
    """The lines of these events."""
    lines = []
    for one in events:
        prev, seq = mac, seq + 1
        mac = seal(truth().keys["AUDIT_KEY"], prev, one)
        lines.append({"seq": seq, "prev": prev, "mac": mac, "event": one})
    return lines


def restart(play: recipe.Play) -> int:
    """Accesses before it."""
    first = next(count for role, count in play.steps if role == "http")
    return sum(bool(one.access) for one in play.requests[:first])


def heads(lines: Events, before: int) -> Events:
    """What the anchor is sent."""
    some = [line for line in lines if line["seq"] % 20 == 0 or line["seq"] in (before, len(lines))]
    return [{"path": "/anchor", "body": json.dumps({"seq": line["seq"], "mac": line["mac"]})} for line in some]


def judged(
    events: Callable[[Events], Any] = lambda events: None,
    lines: Callable[[Events], Any] = lambda lines: None,
    sent: Callable[[Events], Any] = lambda sent: None,
    leaks: Leaks = CLEAN,
    rest: bytes = b"",
    looks: tuple[Look, ...] = (),
) -> tuple[float, str]:
    """Of the life at INFO, changed in place: its events, then its lines, then what was sent. All others are perfect."""
    made, calls = [], []
    for play in truth().plays:
        own = perfect(play) if play.level != "blocked" else []
        first = own[restart(play)] if own else None
        if play.level == "INFO":
            events(own)
        written = chained(own)
        out = heads(written, next((k for k, one in enumerate(own) if one is first), 0))
        if play.level == "INFO":
            lines(written)
            sent(out)
        calls += out
        data = "".join(json.dumps(line) + "\n" for line in written).encode() + (rest if play.level == "INFO" else b"")
        seen = looks if play.level == "INFO" else ()
        made.append(Life(play.level, play.requests, (), play.starts, b"", data, b"", {}, looks=seen))
    return log_audit.judge(made, {"@anchor": calls}, truth(), leaks)[:2]


def flaws(message: str) -> set[str]:
    return {name for name, words in WORDS.items() if words in message}


def number(kind: str) -> int:
    """Of the first event of a kind of request."""
    return [one.kind for one in asked() if one.access].index(kind)


def test_a_perfect_log_earns_everything():
    assert judged() == (pytest.approx(1), "")
    assert sum(WORTH.values()) == pytest.approx(1)


def test_no_log_earns_nothing():
    fraction, said = judged(events=list.clear)
    assert fraction == pytest.approx(0.5)
    assert said.startswith(f"at INFO: {wanted()} of {wanted()} accesses are not recorded (create ")
    assert said.endswith(" more kinds)")


def test_a_missing_access_costs_its_share_and_nothing_else():
    fraction, said = judged(events=lambda events: events.pop(number("label")))
    assert fraction == pytest.approx(1 - 0.5 / wanted())
    assert said == f"at INFO: 1 of {wanted()} accesses are not recorded (label 1)"


@pytest.mark.parametrize("kind", ["label", "search_by_name"])
def test_an_access_that_is_recorded_twice_is_one_too_many(kind):
    fraction, said = judged(events=lambda events: events.insert(number(kind), copy.deepcopy(events[number(kind)])))
    assert 0.99 < fraction < 1
    assert said.startswith("at INFO: 1 events are of no access that was granted")


SPARE = ["unknown_patient", "duplicate", "constraint", "missing_field", "charset", "wrong_type", "bad_query"]


@pytest.mark.parametrize("kind", SPARE)
@pytest.mark.parametrize("action", "CRE")
def test_a_record_of_what_was_refused_is_one_too_many(kind, action):
    one = about(kind, skip=int(kind == "wrong_type"))  # the second is a prediction
    fraction, said = judged(events=lambda events: events.append(event(one) | {"action": action}))
    assert fraction == pytest.approx(0.5 + 0.5 * wanted() / (wanted() + 1))
    # Of somebody who was registered for this, a registration is the likelier.
    kinds = {kind, "create"} if kind == "wrong_type" and action == "C" else {kind}
    assert said in {f"at INFO: 1 events are of no access that was granted ({one} 1)" for one in kinds}


@pytest.mark.parametrize("kind", ["lab_timeout", "lab_down", "lab_error", "lab_garbled", "label_fails", "cancelled"])
def test_what_was_recorded_before_it_failed_is_neither_missing_nor_spare(kind):
    one = about(kind)
    assert not one.access
    right = event(one) | {"action": "R" if kind == "label_fails" else "E"}
    here = place(one)
    for outcome in "08":
        change = lambda events, o=outcome: events.insert(here, right | {"outcome": o})  # noqa: E731
        assert judged(events=change) == (pytest.approx(1), "")
    said = judged(events=lambda events: events.__setitem__(slice(here, here), [right, right]))[1]
    assert said == f"at INFO: 1 events are of no access that was granted ({kind} 1)"
    other = right | {"agent": [{"who": {"reference": "Practitioner/prac-0"}, "requestor": True}]}
    said = judged(events=lambda events: events.insert(here, other))[1]
    assert flaws(said) == {"who"}
    assert said.endswith(f"right: {kind} 1)")


def test_searches_in_vain_may_be_recorded_or_not():
    def none(events: Events) -> None:
        for k in reversed(vain(events)):
            del events[k]

    def by_another(events: Events) -> None:
        for k in vain(events):
            events[k]["agent"][0]["who"]["reference"] = "Practitioner/prac-0"

    assert vain(perfect(truth().plays[0]))
    for change in (none, by_another):
        assert judged(events=change) == (pytest.approx(1), "")
    said = judged(events=lambda events: events.append(copy.deepcopy(events[vain(events)[0]])))[1]
    assert said == "at INFO: 1 events are of no access that was granted (no patient of theirs 1)"


@pytest.mark.parametrize("kind", ["search_by_name", "label", "notify", "predict"])
def test_what_shows_data_may_be_read_or_execute(kind):
    for action in "RE":
        assert judged(events=lambda events, a=action: events[number(kind)].update(action=a))[1] == ""
    said = judged(events=lambda events: events[number(kind)].update(action="D"))[1]
    assert "1 events are of no access" in said


def forged() -> int:
    """Of the event of a request with a folded header."""
    kept = [one for one in asked() if one.access]
    return next(k for k, one in enumerate(kept) if one.kind == "crlf" and one.route == "/patients/{id}")


def test_another_user_costs_who():
    def change(events: Events) -> None:
        for one in events:
            one["agent"][0]["who"]["reference"] = "Practitioner/unknown"

    fraction, said = judged(events=change)
    assert flaws(said) == {"who"}
    # A forged user id may be left out, so one record of it is right.
    assert fraction == pytest.approx(1 - WORTH["who"] / 2, abs=0.01)


def test_a_user_that_is_wrong_once_costs_a_share_and_the_kind_is_named():
    for who in ({"reference": "Practitioner/prac-0"}, {"display": "unknown"}, {}):
        fraction, said = judged(events=lambda events, w=who: events[number("label")]["agent"][0].update(who=w))
        assert flaws(said) == {"who"}
        assert said.endswith("right: label 1)")
        assert fraction == pytest.approx(1 - WORTH["who"] / 2 / wanted())


CLEANED: list[dict[str, Any]] = [
    {"who": {"reference": "Practitioner/prac-7"}},
    {"who": {"reference": "Practitioner/unknown"}},
    {"who": {"reference": "Practitioner/prac-7___event___request"}},
    {"who": {"reference": "Practitioner/5f3a90c1"}},
    {"who": {"display": "unknown"}},
    {},
]
AS_IT_CAME: list[dict[str, Any]] = [
    {"who": {"reference": 'Practitioner/prac-1\r\n{"event": "request"}'}},
    {"who": {"reference": 'Practitioner/prac-1 {"event": "request", "request_id": "forged"}'}},
    {"who": {"reference": "Practitioner/prac-1eventrequestlevelINFOrequestidforged"}},
    {"who": {"reference": "Practitioner/prac-1%0D%0A%7B%22route%22%3A%22%2Fforged"}},
    {"who": {"reference": "Practitioner/prac-1\r\n"}},
    {"who": {"display": 'prac-1 {"event": "request"'}},
    {"who": {"reference": "Practitioner/prac-1"}, "altId": 'prac-1 {"event": "request"'},
    {"who": {"reference": "Practitioner/"}},
    {"who": {"reference": "Device/unknown"}},
]


@pytest.mark.parametrize("agent", CLEANED)
def test_a_forged_user_may_be_cleaned_or_left_out(agent):
    change = lambda events: events[forged()].update(agent=[agent | {"requestor": True}])  # noqa: E731
    assert judged(events=change) == (pytest.approx(1), "")


@pytest.mark.parametrize("agent", AS_IT_CAME)
def test_a_forged_user_may_not_be_written_as_it_came(agent):
    said = judged(events=lambda events: events[forged()].update(agent=[agent | {"requestor": True}]))[1]
    assert flaws(said) == {"who"}
    assert said.endswith("right: crlf 1)")


def of_portal() -> tuple[int, Expected]:
    """The event of a request whose user is the patient, and the request."""
    kept = [one for one in asked() if one.access]
    return next((k, one) for k, one in enumerate(kept) if one.kind == "portal")


def agent_of(agent: dict[str, Any], one: Expected) -> dict[str, Any]:
    """With the names of whom the request is about."""
    return dict(
        json.loads(json.dumps(agent).replace("GIVEN", one.details["given"]).replace("FAMILY", one.details["family"]))
    )


@pytest.mark.parametrize("agent", CLEANED)
def test_a_user_who_is_a_patient_may_be_another_or_left_out(agent):
    k, _ = of_portal()
    change = lambda events: events[k].update(agent=[agent | {"requestor": True}])  # noqa: E731
    assert judged(events=change) == (pytest.approx(1), "")


@pytest.mark.parametrize(
    "agent",
    [
        {"who": {"reference": "Practitioner/GIVEN.FAMILY"}},
        {"who": {"reference": "Practitioner/GIVEN"}},
        {"who": {"reference": "Practitioner/u-FAMILY"}},
        {"who": {"display": "GIVEN FAMILY"}},
        {"who": {"reference": "Practitioner/prac-1"}, "altId": "FAMILY"},
        {"who": {"reference": "Patient/1"}, "name": "GIVEN"},
        {"who": {"reference": "Practitioner/"}},
    ],
)
@pytest.mark.parametrize("case", [str.lower, str.upper, str])
def test_a_user_who_is_a_patient_may_not_be_named(agent, case):
    k, one = of_portal()
    named = agent_of(agent, replace(one, details={field: case(text) for field, text in one.details.items()}))
    fraction, said = judged(events=lambda events: events[k].update(agent=[named | {"requestor": True}]))
    assert flaws(said) == {"who"}
    assert said.endswith("right: portal 1)")
    assert fraction == pytest.approx(1 - WORTH["who"] / 2 / wanted())


def test_of_the_other_crlf_requests_the_user_is_an_id():
    kept = [one for one in asked() if one.access]
    k = next(k for k, one in enumerate(kept) if one.kind == "crlf" and one.route == "/predict")
    said = judged(events=lambda events: events[k]["agent"][0]["who"].update(reference="Practitioner/unknown"))[1]
    assert flaws(said) == {"who"}


def edited(lines: Events) -> None:
    lines[7]["event"]["agent"][0]["who"]["reference"] += "0"


def swapped(lines: Events) -> None:
    lines[7], lines[8] = lines[8], lines[7]


def in_clear(lines: Events) -> None:
    for line in lines:
        line["mac"] = "0" * 64


@pytest.mark.parametrize("change", [edited, swapped])
def test_a_line_that_does_not_fit_ends_the_chain(change):
    fraction, said = judged(lines=change)
    assert "chain" in flaws(said)
    assert fraction < 1 - WORTH["chain"] / 2 * 0.85


def test_macs_that_seal_nothing_cost_the_chain_the_restart_and_the_anchors():
    fraction, said = judged(lines=in_clear)
    assert flaws(said) == {"chain", "restart", "anchors"}
    assert fraction == pytest.approx(1 - (WORTH["chain"] + WORTH["restart"] + WORTH["anchors"]) / 2)


def test_a_chain_that_begins_anew_at_a_restart_costs_the_restart_and_the_anchors_of_what_follows():
    before = restart(truth().plays[0])

    def change(lines: Events) -> None:
        lines[before:] = chained([line["event"] for line in lines[before:]])

    said = judged(lines=change)[1]
    assert flaws(said) == {"restart", "anchors"}
    assert f"{WORDS['restart']} (0% right)" in said


def test_a_log_that_is_written_over_at_a_restart_is_not_continued():
    before = restart(truth().plays[0])

    def change(lines: Events) -> None:
        lines[:] = chained([line["event"] for line in lines[before:]])

    said = judged(lines=change)[1]
    assert f"{before} of" in said
    assert f"{WORDS['restart']} (0% right)" in said


def test_every_anchor_counts():
    most = len(heads(chained(perfect(truth().plays[0])), restart(truth().plays[0])))
    fraction, said = judged(sent=lambda sent: sent.pop())
    assert flaws(said) == {"anchors"}
    assert fraction == pytest.approx(1 - WORTH["anchors"] / 2 / most)
    assert judged(sent=list.clear)[0] == pytest.approx(1 - WORTH["anchors"] / 2)


def test_anchors_of_another_rhythm_or_order_or_with_another_mac_cost_something():
    def rhythm(sent: Events) -> None:
        lines = chained(perfect(truth().plays[0]))
        sent[:] = [{"body": json.dumps({"seq": n["seq"], "mac": n["mac"]})} for n in lines if n["seq"] % 3 == 0]

    def other(sent: Events) -> None:
        sent[0] = {"body": json.dumps({"seq": 20, "mac": "0" * 64})}

    for change in (rhythm, other, list.reverse):
        assert flaws(judged(sent=change)[1]) == {"anchors"}


def test_a_head_that_is_sent_once_more_at_the_start_costs_nothing():
    def again(sent: Events) -> None:
        before = restart(truth().plays[0])
        k = next(k for k, call in enumerate(sent) if json.loads(call["body"])["seq"] == before)
        sent.insert(k, sent[k])

    assert judged(sent=again) == (pytest.approx(1), "")


def seen(behind: int) -> tuple[Look, ...]:
    """A look before each stop, at which so many of the heads that are due have not been sent."""
    play = truth().plays[0]
    last, before = len(perfect(play)), restart(play)
    sent = [json.loads(call["body"])["seq"] for call in heads(chained(perfect(play)), before)]
    # The head of a shutdown is sent after the look.
    by_then = [sum(seq <= end for seq in sent) - (end % 20 > 0) for end in (before, last)]
    return Look((0, 0), (before, before), by_then[0] - behind), Look((0, 0), (last, last), by_then[1] - behind)


def test_heads_are_due_while_the_service_runs(monkeypatch):
    play = truth().plays[0]
    due = len(perfect(play)) // 20
    assert due >= 3
    assert judged(looks=seen(0)) == (pytest.approx(1), "")
    assert judged(looks=seen(2)) == (pytest.approx(1), "")  # two may be on their way
    # Of this small day no more are due in a half.
    monkeypatch.setattr(log_audit, "ON_THE_WAY", 1)
    fraction, said = judged(looks=seen(2))
    assert flaws(said) == {"anchors"}
    assert fraction == pytest.approx(1 - WORTH["anchors"] / 2 * 2 / due)


@pytest.mark.parametrize(
    "change", [{"outcome": "8"}, {"recorded": "yesterday"}, {"agent": []}, {"name": "x"}, {"type": "rest"}]
)
def test_an_event_that_is_no_audit_event_of_a_success_costs_validity(change):
    said = judged(events=lambda events: events[3].update(change))[1]
    assert flaws(said) - {"who"} == {"valid"}


def test_details_of_people_in_the_log_are_told():
    leaks = Leaks((Leak("INFO", "audit", "read", "family", "plain", 1),))
    fraction, said = judged(leaks=leaks)
    assert flaws(said) == {"clean"}
    assert fraction == pytest.approx(1 - WORTH["clean"] / 2)


def test_no_message_names_anybody():
    said = judged(events=lambda events: events.pop(), lines=edited, sent=list.clear)[1]
    hidden = {value for one in asked() for value in (one.patient, one.rid, one.user) if value}
    assert not [value for value in hidden if value in said]


WILD = [
    b"{",
    b"[]",
    b"null",
    b"\xff\x00",
    b'{"seq": NaN, "event": 1}',
    b'{"seq": 1e999, "prev": [], "mac": {}, "event": []}',
    b'{"event": {"agent": {"who": 1}, "entity": "x", "action": ["C"], "x": NaN}, "seq": true, "prev": "", "mac": 1}',
    b'{"event": {"entity": [1, null, {"what": {"reference": ["p"]}}], "x": "\\ud800"}, "seq": 1, "prev": "\\ud800"}',
    b'{"event": {"action": '
    + b'{"a": ' * 900
    + b"1"
    + b"}" * 900
    + b', "agent": [[]]}, "seq": 1, "prev": "", "mac": ""}',
    b'{"event": ' + b'{"a": ' * 900 + b"1" + b"}" * 900 + b', "seq": 1, "prev": "", "mac": ""}',
]


@pytest.mark.parametrize("text", WILD)
def test_whatever_stands_in_the_log_or_was_sent_can_be_read(text):
    fraction, said = judged(rest=text + b"\n")
    assert 0.5 < fraction < 1
    assert "1 events are of no access" in said
    body = text.decode("utf-8", "replace")
    assert judged(sent=lambda sent: sent.extend([{"body": body}, {"body": None}, {}]))[1] == ""


def test_no_life_at_all_earns_nothing():
    assert log_audit.judge([], {}, replace(truth(), plays=()), Leaks()) == (0.0, "", ())


CHANGES: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"period": {"start": "2026-11-22"}, "outcomeDesc": "ok", "id": "a1"}, True),
    ({"purposeOfEvent": [{"coding": [{"code": "TREAT"}]}]}, True),
    ({"agent": [{"requestor": True, "network": {"address": "10.0.0.1", "type": "2"}, "altId": "x"}]}, True),
    ({"entity": [{"detail": [{"type": "t", "valueString": "v"}], "role": {"code": "1"}}]}, True),
    ({"extension": [{"url": "http://example.org", "valueString": "x"}]}, True),
    ({"type": "rest"}, False),
    ({"type": None}, False),
    ({"recorded": None}, False),
    ({"recorded": "2026-13-40T99:00:00Z"}, False),
    ({"agent": None}, False),
    ({"agent": [{"requestor": "perhaps"}]}, False),
    ({"agent": {"requestor": True}}, False),
    ({"source": {"site": "east"}}, False),
    ({"source": {"observer": "Device/east"}}, False),
    ({"entity": [{"what": "Patient/1"}]}, False),
    ({"entity": [{"detail": [{"valueString": "v"}]}]}, False),
    ({"subtype": {"code": "read"}}, False),
    ({"status": "final"}, False),
    ({"action": 1}, False),
    ({"resourceType": "Patient"}, False),
]


@pytest.mark.parametrize(("change", "good"), CHANGES)
def test_what_is_valid_is_so_for_fhir_resources_too(change, good):
    from fhir.resources.R4B.auditevent import AuditEvent

    made = {key: value for key, value in {**event(asked()[0]), **change}.items() if value is not None}
    assert valid(made) is good
    try:
        AuditEvent.model_validate(made)
    except ValueError:
        assert not good
    else:
        assert good
