"""The rubric of safe_logging: a perfect service earns all, every flaw loses what it should, and nothing trips it."""

from __future__ import annotations

import copy
import dataclasses
import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import perfect_log
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from perfect_log import Event

from graders import test_safe_logging as rubric
from graders.harness.outcome import Outcome
from graders.measures import log_evidence, log_leaks, log_life, log_predictions, log_questions
from graders.measures.log_audit import START, WORDS, WORTH, seal
from graders.measures.log_forms import FIELDS
from graders.measures.log_leaks import Leak, Leaks, scanner
from graders.measures.log_life import LONGEST_LINE, MOST_LINES, Answer, Life
from graders.measures.log_starter_leaks import LEAKS, weight
from graders.measures.log_traces import Traces
from synthetic_data.log_workload import RESERVE
from synthetic_data.recipes.safe_logging import Expected, Play
from synthetic_data.scene import Reply

CRITERIA = {name: value for name, value in vars(rubric).items() if name.startswith("test_")}
LOGS, AUDIT = "test_logs_tell_of_the_service_and_of_nobody", "test_accesses_can_be_audited"
CALLERS, ROBUST = "test_callers_are_told_no_more_than_a_code", "test_logging_is_robust"
FORESEEN = "test_candidate_knows_what_may_still_leak"
Files = dict[str, bytes]
Raw = dict[str, Any]
WATCHED = ("INFO", "DEBUG")

truth, keep = perfect_log.truth, perfect_log.keep


# ---------------------------------------------------------------- a play made by hand


@dataclasses.dataclass(frozen=True)
class Change:
    """What is otherwise than in a perfect play; each function alters what it is given in place.

    log: (level, events of app.ndjson).  audit: (level, lines).  answers: (request, raw answer).  files: (level, what
    is left at the end of a life).  sent: what the anchor was sent.  predictions: predictions.json, None for no file.
    """

    log: Callable[[str, list[Event]], Any] = lambda level, events: None
    audit: Callable[[str, list[Event]], Any] = lambda level, lines: None
    answers: Callable[[Expected, Raw], Any] = lambda one, answer: None
    files: Callable[[str, Files], Any] = lambda level, files: None
    sent: Callable[[list[Raw]], Any] = keep
    predictions: bytes | None = b'{"may_still_leak": []}'


PERFECT = Change()


@cache
def everybody() -> Traces:
    """What finds their details."""
    return scanner(perfect_log.lives())


@pytest.fixture(autouse=True)
def _same_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """All outcomes here are of the same people; to prepare the search for them takes most of the time."""
    monkeypatch.setattr(log_leaks, "scanner", lambda lives: everybody())


def accesses(play: Play) -> list[Event]:
    """The audit log of a life."""
    lines: list[Event] = []
    prev = START
    for one in play.requests:
        if one.access:
            event = {
                "resourceType": "AuditEvent",
                "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"},
                "action": one.access,
                "recorded": "2026-03-01T09:30:00.123Z",
                "outcome": "0",
                "agent": [{"who": {"reference": f"Practitioner/{one.user}"}, "requestor": True}],
                "source": {"observer": {"reference": f"Device/{one.site}"}},
            }
            if one.found:
                event["entity"] = [{"what": {"reference": f"Patient/{one.patient}"}}]
            mac = seal(truth().keys["AUDIT_KEY"], prev, event)
            lines.append({"seq": len(lines) + 1, "prev": prev, "mac": mac, "event": event})
            prev = mac
    return lines


@cache
def lived(level: str) -> tuple[list[Event], list[Event]]:
    """(lines of app.ndjson, of audit.ndjson) of a perfect life."""
    play = next(play for play in truth().plays if play.level == level)
    return list(perfect_log.events(play)), accesses(play)


def raw(one: Expected) -> Raw:
    """A perfect answer as the sandbox tells it."""
    answer = perfect_log.answer(one)
    if answer.status == 499:
        return {"error": "hung up"}
    headers = {name.title(): text for name, text in answer.headers.items()}
    return {"status": answer.status, "headers": headers, "body": answer.body}


def ndjson(lines: list[Event]) -> bytes:
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def played(change: Change = PERFECT) -> Outcome:
    """The outcome of a play."""
    replies: list[Reply] = []
    anchor: list[Raw] = []
    left: Files = {}
    for play in truth().plays:
        requests = iter(play.requests)
        seen: list[Expected] = []
        app, audit = copy.deepcopy(lived(play.level)) if play.level in WATCHED else ([], [])
        change.log(play.level, app)
        written = len(audit)
        change.audit(play.level, audit)
        for role, count in play.steps:
            if role == "http":
                batch = [next(requests) for _ in range(count)]
                answers = [(one, raw(one)) for one in batch]
                for pair in answers:
                    change.answers(*pair)
                replies.append(Reply("ok", [answer for _, answer in answers], {}))
                seen += batch
            elif role in ("look", "stop"):
                last = len(seen) == len(play.requests)
                so_far = sum(bool(one.access) for one in seen)
                every = truth().card["anchor_every"]
                heads = [n for n in range(1, so_far + 1) if n % every == 0 or (n == so_far and role == "stop")]
                anchor += [head(lived(play.level)[1][n - 1]) for n in heads if f"{play.level} {n}" not in told(anchor)]
                files = {"@printed": b"", "app.ndjson": ndjson(app), "audit.ndjson": ndjson(audit)}
                if not written:
                    files = dict(left)  # the folder of the life before
                elif not last:
                    files["app.ndjson"] = files["app.ndjson"][: len(files["app.ndjson"]) // 3]
                    files["audit.ndjson"] = ndjson(audit[:so_far])
                if role == "look":
                    files.pop("@printed", None)
                    replies.append(Reply("ok", {"@anchor": list(anchor)}, files))
                    continue
                change.files(play.level, files)
                left = {name: data for name, data in files.items() if not name.startswith("@home/")}
                replies.append(Reply("ok", None, files))
            else:
                replies.append(Reply("ok", None, {}))
    change.sent(anchor)
    replies.append(Reply("ok", {**perfect_log.calls(), "@anchor": anchor}, {}))
    submitted = {"DECISIONS.md": b"Some.\n"}
    if change.predictions is not None:
        submitted["predictions.json"] = change.predictions
    return Outcome("safe_logging", "v", "hidden", "s", replies=tuple(replies), submitted=submitted)


def head(line: Event) -> Raw:
    """Of the chain, as the anchor gets it."""
    return {"method": "POST", "path": "/anchor", "body": json.dumps({"seq": line["seq"], "mac": line["mac"]})}


def told(anchor: list[Raw]) -> set[str]:
    """Level and number of the heads that were sent."""
    macs = {line["mac"]: f"{level} {line['seq']}" for level in WATCHED for line in lived(level)[1]}
    return {macs[json.loads(call["body"])["mac"]] for call in anchor}


def awards(outcome: Outcome) -> dict[str, Any]:
    return {name: criterion(outcome, truth()) for name, criterion in CRITERIA.items()}


def judged(**change: Any) -> dict[str, Any]:
    return awards(played(Change(**change)))


def earned(**change: Any) -> dict[str, float]:
    return {name: award.fraction for name, award in judged(**change).items()}


def lost(**change: Any) -> set[str]:
    """The criteria that give less than all."""
    return {name for name, fraction in earned(**change).items() if fraction < 0.9999}


def requests(kind: str, level: str = "INFO") -> list[Expected]:
    """Those of a kind that are about somebody."""
    (play,) = (play for play in truth().plays if play.level == level)
    return [one for one in play.requests if one.kind == kind and one.patient]


def telling(field: str, *kinds: str, levels: tuple[str, ...] = ("INFO",)) -> Callable[[str, list[Event]], None]:
    """A log in which a field of people stands after requests of these kinds."""

    def change(level: str, events: list[Event]) -> None:
        if level in levels:
            said = {one.rid: one.details[field] for kind in kinds for one in requests(kind, level)}
            for line in events:
                if line["event"] == "request" and line["request_id"] in said:
                    line["detail"] = said[line["request_id"]]

    return change


def answering(kind: str, **changes: Any) -> Callable[[Expected, Raw], None]:
    """Answers to a kind of request that are otherwise."""

    def change(one: Expected, answer: Raw) -> None:
        if one.kind == kind:
            answer.update(changes)

    return change


def without(*events: str) -> Callable[[str, list[Event]], None]:
    """A log that lacks these."""

    def change(level: str, lines: list[Event]) -> None:
        lines[:] = [line for line in lines if line["event"] not in events]

    return change


# ---------------------------------------------------------------- the whole


def test_a_perfect_service_earns_everything():
    found = judged()
    assert {name: award.message for name, award in found.items() if award.fraction < 0.9999} == {}
    assert not any(award.hold for award in found.values())


def test_the_points_are_a_hundred():
    assert {name: c.criterion.points for name, c in CRITERIA.items()} == {
        LOGS: 60, AUDIT: 15, CALLERS: 10, ROBUST: 10, FORESEEN: 5,
    }  # fmt: skip
    assert [name for name, c in CRITERIA.items() if c.criterion.critical] == [LOGS]


NOTHING = {
    "no replies": (),
    "no start": (Reply("exited", {"why": "ended"}, {}),),
    "no answers": tuple(Reply("ok", [], {}) for play in truth().plays for _ in play.steps),
    "no values": tuple(Reply("timeout", None, {}) for play in truth().plays for _ in play.steps),
}


@pytest.mark.parametrize("name", NOTHING)
@pytest.mark.parametrize("predictions", [b'{"may_still_leak": []}', None])
def test_nothing_earns_nothing(name: str, predictions: bytes | None):
    submitted = {} if predictions is None else {"predictions.json": predictions}
    outcome = dataclasses.replace(played(), replies=NOTHING[name], submitted=submitted)
    found = awards(outcome)
    assert sum(award.fraction for award in found.values()) == 0
    assert all(award.message for award in found.values())


def test_a_log_without_a_service_earns_nothing():
    assert sum(earned(answers=lambda one, answer: answer.clear()).values()) == 0


def test_a_service_without_a_log_earns_what_its_audit_log_does():
    found = earned(log=lambda level, events: events.clear())
    assert found == {LOGS: 0, AUDIT: pytest.approx(1), CALLERS: 0, ROBUST: 0, FORESEEN: 0}


def test_the_same_outcome_is_worked_out_once_and_another_again():
    one, other = played(), played(Change(log=without("retry")))
    first = rubric.graded_of(one, truth())
    assert rubric.graded_of(one, truth()) is first
    assert rubric.graded_of(other, truth()) is not first
    assert awards(one)[LOGS].fraction == pytest.approx(1)
    assert awards(other)[LOGS].fraction < 1
    assert awards(one)[LOGS].fraction == pytest.approx(1)


# ---------------------------------------------------------------- what multiplies


def test_usefulness_scales_all_but_the_audit_log():
    useful = rubric.Graded(played(Change(log=without("retry"))), truth()).useful
    assert {name for name, share in useful.shares.items() if share < 1} == {"retries"}
    found = earned(log=without("retry"))
    assert found == {name: pytest.approx(1 if name == AUDIT else useful.v) for name in CRITERIA}


def test_protection_scales_the_log_and_the_audit_log():
    change = Change(log=telling("birthDate", "read"), predictions=b'{"may_still_leak": ["read"]}')
    found = {name: award.fraction for name, award in awards(played(change)).items()}
    share = 1 - LEAKS["INFO", "app", "read"] / sum(LEAKS.values())
    assert found[LOGS] == pytest.approx(share)
    assert found[AUDIT] == pytest.approx(share)
    assert found[CALLERS] == found[FORESEEN] == pytest.approx(1)
    assert found[ROBUST] == pytest.approx(1)  # at DEBUG it is safer


def test_protection_and_usefulness_multiply():
    def both(level: str, events: list[Event]) -> None:
        telling("birthDate", "read")(level, events)
        without("retry")(level, events)

    safe = earned(log=telling("birthDate", "read"))[LOGS]
    useful = earned(log=without("retry"))[LOGS]
    assert max(safe, useful) < 1
    assert earned(log=both)[LOGS] == pytest.approx(safe * useful)


@pytest.mark.parametrize(
    "broken",
    [
        answering("health", status=500),
        answering("predict", headers={}),
        answering("lab_down", body="Internal Server Error"),
        answering("read", body="{}"),
    ],
)
def test_everything_is_times_the_share_answered_as_the_contract_says(broken: Callable[[Expected, Raw], None]):
    graded = rubric.Graded(played(Change(answers=broken)), truth())
    assert 0 < graded.answered < 1
    lives = graded.lived[0]
    own = {
        CALLERS: rubric.log_service.errors(lives, graded.traces).fraction,
        ROBUST: rubric.log_service.robustness(lives, truth(), 0, 0).fraction,
    }
    found = judged(answers=broken)
    for name, award in found.items():
        assert award.fraction == pytest.approx(own.get(name, 1) * graded.answered), name
        assert f"times {graded.answered:.1%}: requests answered as the contract says" in award.message


def test_a_criterion_says_what_it_was_multiplied_with():
    found = judged(log=without("retry"))
    for name in (CALLERS, ROBUST, FORESEEN):
        assert "times 94.4%: of what is asked of the log it answers" in found[name].message
    leaky = judged(log=telling("birthDate", "read"))[AUDIT].message
    assert re.search(r"times 9\d\.\d%: of what leaked is safe now", leaky)


# ---------------------------------------------------------------- logs


@pytest.mark.parametrize(
    ("level", "files"),
    [
        ("INFO", {"@printed": "{family}"}),
        ("INFO", {"@home/tmp/label.txt": "{mrn}"}),
        ("INFO", {"@home/{family}.txt": ""}),
        ("DEBUG", {"@printed": "{email}"}),
        ("blocked", {"@printed": "{phone}"}),
    ],
)
def test_what_is_printed_and_left_counts_as_the_log_does(level: str, files: dict[str, str]):
    details = (
        next(p for p in truth().plays if p.level == level).requests[1].details or requests("blocked", level)[0].details
    )

    def change(at: str, found: Files) -> None:
        if at == level:
            found.update({name.format(**details): text.format(**details).encode() for name, text in files.items()})

    assert {LOGS, AUDIT} <= lost(files=change)


def test_what_stops_leaking_before_the_restart_has_leaked_if_it_is_still_there():
    """A file is taken up at each stop: what an earlier one showed stays, but for what a later one has rewritten."""
    (one, *_) = requests("read")
    stops: list[Files] = []

    def change(level: str, files: Files) -> None:
        stops.append(files)
        if len(stops) == 1:
            files["@home/once.txt"] = one.details["mrn"].encode()

    assert {LOGS, AUDIT} <= lost(files=change)


def test_metrics_are_looked_through():
    (one, *_) = requests("read")
    assert {LOGS, CALLERS} <= lost(answers=answering("metrics", body=f'reads{{name="{one.details["family"]}"}} 1'))


def test_errors_are_looked_through():
    def change(one: Expected, answer: Raw) -> None:
        if one.kind == "duplicate":
            value = json.loads(answer["body"])
            value["error"]["detail"] = one.details["mrn"]
            answer["body"] = json.dumps(value)

    assert {LOGS, AUDIT, CALLERS} <= lost(answers=change)


def test_the_anchor_is_looked_through():
    (one, *_) = requests("read")
    call = {"method": "POST", "path": f"/anchor?family={one.details['family']}", "body": ""}
    assert LOGS in lost(sent=lambda sent: sent.append(call))


HABIT = ("label", "notify", "predict", "predict_lab", "read")


@pytest.mark.parametrize("field", sorted(log_leaks.DIRECT))
def test_direct_identifiers_after_five_kinds_at_info_are_held(field: str):
    award = judged(log=telling(field, *HABIT))[LOGS]
    assert award.hold
    said = rf"at INFO, app hold {field} of \d+% of all people after requests of 5 kinds: {', '.join(HABIT)}"
    assert re.search(said, award.message)
    assert award.fraction > 0.9


def test_printed_ones_are_held_too():
    def change(level: str, files: Files) -> None:
        if level == "INFO":
            lines = [f"{one.rid} {one.details['mrn']}" for kind in HABIT for one in requests(kind)]
            files["@printed"] = "\n".join(lines).encode()

    assert judged(files=change)[LOGS].hold


@pytest.mark.parametrize(
    "log",
    [
        telling("ssn", *HABIT[:4]),
        telling("birthDate", *HABIT),
        telling("note", *HABIT),
        telling("ssn", *HABIT, levels=("DEBUG",)),
    ],
    ids=["four kinds", "birth dates", "notes", "DEBUG"],
)
def test_what_leaks_less_is_not_held(log: Callable[[str, list[Event]], None]):
    award = judged(log=log)[LOGS]
    assert not award.hold
    assert award.fraction < 1


def test_only_the_log_is_held():
    found = judged(log=telling("ssn", *HABIT))
    assert [name for name, award in found.items() if award.hold] == [LOGS]


# ---------------------------------------------------------------- each of the others


def test_an_audit_log_that_lacks_an_access_costs_the_audit_only():
    def change(level: str, lines: list[Event]) -> None:
        del lines[-1:]

    assert lost(audit=change) == {AUDIT}


def test_an_audit_log_that_holds_a_name_costs_the_log_too():
    def change(level: str, lines: list[Event]) -> None:
        if level == "INFO":
            one = requests("create")[0]
            line = next(line for line in lines if one.patient in json.dumps(line))
            line["event"]["entity"][0]["name"] = one.details["family"]

    assert lost(audit=change) == {LOGS, AUDIT, FORESEEN}  # which was not foreseen


def test_no_audit_log_earns_nothing_for_it():
    found = earned(audit=lambda level, lines: lines.clear())
    assert found == {name: pytest.approx(0 if name == AUDIT else 1) for name in CRITERIA}


def test_heads_that_were_not_sent_cost_their_part():
    assert earned(sent=list.clear) == {name: pytest.approx(0.8 if name == AUDIT else 1) for name in CRITERIA}


def test_taking_data_without_an_audit_log_costs_the_callers_criterion():
    change = answering("blocked", status=201, body='{"id": "p-0"}')
    assert CALLERS in lost(answers=change)


CLOSED = [one for one in truth().plays[2].requests if one.code]


@pytest.mark.parametrize("number", range(len(CLOSED)), ids=[f"{n} {one.route}" for n, one in enumerate(CLOSED)])
def test_each_route_that_gives_data_without_an_audit_log_costs_the_callers_criterion(number: int):
    def change(one: Expected, answer: Raw) -> None:
        if one == CLOSED[number]:
            answer.update(status=200, body='{"id": 1}')

    found = earned(answers=change)
    assert found == {name: pytest.approx(1 - 0.2 / len(CLOSED) if name == CALLERS else 1) for name in CRITERIA}


def test_a_patient_who_is_named_as_the_user_of_an_access_costs_the_audit_and_the_log():
    """`who` and `clean` of the audit log, and a new leak of a header, which weighs most."""
    (one, _) = requests("portal")

    def change(level: str, lines: list[Event]) -> None:
        for line in lines:
            if level == "INFO" and line["event"]["action"] == "E" and one.patient in json.dumps(line):
                name = f"{one.details['given']}.{one.details['family']}".lower()
                line["event"]["agent"][0]["who"]["reference"] = f"Practitioner/{name}"
        chained(lines)

    found = judged(audit=change, sent=resealed(change))
    safe = 1 - weight(("INFO", "audit", "portal"), True) / sum(LEAKS.values())
    assert found[LOGS].fraction == pytest.approx(safe)
    wanted = len([one for one in requests_of("INFO") if one.access and one.found])
    assert found[AUDIT].fraction == pytest.approx(safe * (1 - WORTH["clean"] / 2 - WORTH["who"] / 2 / wanted))
    for name in ("who", "clean"):
        assert re.search(re.escape(WORDS[name]) + r" \(\d+% right: portal", found[AUDIT].message), name
    assert earned(audit=change, sent=resealed(change), predictions=b'{"may_still_leak": []}')[FORESEEN] == 1


@pytest.mark.parametrize("agent", [{}, {"who": {"reference": "Practitioner/unknown"}}, {"who": {"display": "portal"}}])
def test_a_patient_who_is_left_out_as_the_user_of_an_access_costs_nothing(agent: Raw):
    portal = {one.patient for one in requests("portal")}

    def change(level: str, lines: list[Event]) -> None:
        for line in lines:
            if level == "INFO" and line["event"]["action"] == "E" and any(who in json.dumps(line) for who in portal):
                line["event"]["agent"] = [agent | {"requestor": True}]
        chained(lines)

    assert not lost(audit=change, sent=resealed(change))


def requests_of(level: str) -> tuple[Expected, ...]:
    return next(play.requests for play in truth().plays if play.level == level)


def chained(lines: list[Event]) -> None:
    """Seal what was changed, in place."""
    prev = START
    for line in lines:
        line["prev"], line["mac"] = prev, seal(truth().keys["AUDIT_KEY"], prev, line["event"])
        prev = line["mac"]


def resealed(change: Callable[[str, list[Event]], None]) -> Callable[[list[Raw]], None]:
    """The heads that such a chain sends."""

    def sent(anchor: list[Raw]) -> None:
        macs: dict[str, Event] = {}
        for level in WATCHED:
            before, after = lived(level)[1], copy.deepcopy(lived(level)[1])
            change(level, after)
            macs |= {old["mac"]: new for old, new in zip(before, after, strict=True)}
        anchor[:] = [head(macs[json.loads(call["body"])["mac"]]) for call in anchor]

    return sent


def test_being_down_without_a_log_costs_callers_and_robustness_only():
    """What happens while no log can be written is no part of the share that is answered."""
    assert lost(answers=answering("blocked", status=500)) == {CALLERS, ROBUST}


def test_a_forged_line_costs_robustness():
    def change(level: str, events: list[Event]) -> None:
        if level == "DEBUG":
            events.append({**events[-1], "request_id": "forged", "route": "/forged"})

    assert lost(log=change) == {ROBUST}


def test_leaking_at_debug_only_costs_robustness_more_than_leaking_at_both():
    kinds = ("read", "predict_lab", "duplicate", "wrong_type", "lab_down")
    only = earned(log=telling("mrn", *kinds, levels=("DEBUG",)))
    both = earned(log=telling("mrn", *kinds, levels=WATCHED))
    assert only[ROBUST] < both[ROBUST]
    assert only[LOGS] > both[LOGS]


# ---------------------------------------------------------------- predictions


def test_a_missing_or_odd_prediction_costs_itself_only():
    for data in (None, b'{"may_still_leak": "read"}'):
        found = judged(predictions=data)
        assert [name for name, award in found.items() if award.fraction < 0.9999] == [FORESEEN]
        assert found[FORESEEN].fraction == 0
        assert "predictions.json" in found[FORESEEN].message


def test_naming_what_leaks_earns_all_of_the_prediction():
    assert earned(log=telling("mrn", "read"), predictions=b'{"may_still_leak": ["read"]}')[FORESEEN] == 1
    assert earned(log=telling("mrn", "read"))[FORESEEN] == 0


def leaking(*kinds: str) -> Leaks:
    return Leaks(tuple(Leak("INFO", "app", kind, "mrn", "plain", 1) for kind in kinds))


def foreseen(named: list[str], *kinds: str) -> float:
    return log_predictions.judge(json.dumps({"may_still_leak": named}).encode(), leaking(*kinds))[0]


@pytest.mark.parametrize(
    ("named", "kinds", "fraction"),
    [
        ([], "", 1),
        (["a"], "", 0.5),
        (["a", "b"], "", 0.25),
        (["a", "b"], "a b", 1),
        (["a"], "a b", 1 / 2),
        (["a", "c"], "a b", 1 / 3),
        (["c", "d"], "a b", 0),
        ([], "a b", 0),
        (["a", "a", " a "], "a", 1),
        (["a", "b", "c", "d", "e"], "a b c d e f g", 1),
        (["a", "b", "c", "d", "x"], "a b c d e f g", 4 / 6),
        (["a", "v", "w", "x", "y"], "a", 1 / 5),
    ],
)
def test_predictions_earn_by_hits_and_false_names(named: list[str], kinds: str, fraction: float):
    assert foreseen(named, *kinds.split()) == pytest.approx(fraction)


@pytest.mark.parametrize("kind", RESERVE)
def test_what_practice_does_not_show_cannot_be_asked_of_predictions(kind: str):
    assert foreseen([], kind) == 1
    assert foreseen(["a"], "a", kind) == 1
    assert foreseen([kind], kind) == 0.5
    assert foreseen(["a", kind], "a", kind) == 0.5
    assert foreseen(["old_client"], "old_client") == 1
    assert foreseen([], "old_client") == 0


def test_a_reserve_that_leaks_costs_the_log_and_not_the_prediction():
    change = telling("mrn", "ward")
    found = earned(log=change)
    assert found[FORESEEN] == 1
    assert found[LOGS] == pytest.approx(1 - LEAKS["INFO", "app", "ward"] / sum(LEAKS.values()))


def test_naming_one_that_does_not_leak_never_pays():
    for count in range(4):
        kinds = [f"kind{n}" for n in range(count)]
        for right in range(count + 1):
            assert foreseen([*kinds[:right], "other"], *kinds) <= foreseen(kinds[:right], *kinds)


@pytest.mark.parametrize(
    "data",
    [
        None, b"", b"null", b"[]", b"{", b"\xff\xfe", b"NaN", b"{}", b"[" * 100_000, b'{"may_still_leak": []}' * 2,
        b'{"may_still_leak": {}}', b'{"may_still_leak": null}', b'{"may_still_leak": [1]}',
        b'{"may_still_leak": [["read"]]}', b'{"may_still_leak": [], "more": 1}', b'{"may_leak": []}',
        b'{"may_still_leak": ["a", "b", "c", "d", "e", "f"]}', b'{"may_still_leak": ["\\ud800"]}',
        b'{"may_still_leak": [], "may_still_leak": []}', b" " * 20_000 + b'{"may_still_leak": []}',
    ],
)  # fmt: skip
def test_predictions_in_another_form_earn_nothing_and_say_which_is_wanted(data: bytes | None):
    fraction, said, _ = log_predictions.judge(data, leaking())
    assert fraction == 0
    assert said.startswith("predictions.json ")
    assert said.endswith(log_predictions.FORM)
    assert len(said) < 300


def test_a_byte_order_mark_is_no_fault():
    assert log_predictions.judge(b'\xef\xbb\xbf{"may_still_leak": []}', leaking())[0] == 1


def test_predictions_are_not_repeated_in_the_message():
    """Names are the candidate's, and may be anything."""
    _, said, _ = log_predictions.judge(b'{"may_still_leak": ["odd words"]}', leaking("read"))
    assert "odd words" not in said


# ---------------------------------------------------------------- messages


def shouting(level: str, events: list[Event]) -> None:
    """Every detail after requests of some kinds."""
    for field in FIELDS:
        telling(field, "read", "crlf", "duplicate", "lab_garbled", levels=WATCHED)(level, events)
        for line in events:
            line[f"person_{field}"] = line.pop("detail", None)


def echoing(one: Expected, answer: Raw) -> None:
    """Every answer holds what its person has."""
    answer["body"] = json.dumps({"error": {"code": one.details.get("family", "x"), "all": dict(one.details)}})


def named_after_people(level: str, files: Files) -> None:
    for play in truth().plays:
        if play.level == level:
            files |= {f"@home/{one.details['family']}": one.details["note"].encode() for one in play.requests[:30]
                      if one.patient}  # fmt: skip
    files["@printed"] = json.dumps(truth().keys | {"card": dict(truth().card)}).encode()


@pytest.mark.parametrize(
    "change",
    [
        Change(),
        Change(log=shouting),
        Change(answers=echoing),
        Change(files=named_after_people),
        Change(audit=lambda level, lines: [line.update(mac=truth().keys["AUDIT_KEY"]) for line in lines]),
        Change(log=shouting, answers=echoing, files=named_after_people, sent=list.clear, predictions=None),
    ],
)
def test_messages_hold_no_value(change: Change):
    said = "\n".join(award.message for award in awards(played(change)).values())
    assert not everybody().find(said)
    asked = [one for play in truth().plays for one in play.requests]
    secret = {one.rid for one in asked} | {one.patient for one in asked} | set(truth().keys.values())
    assert not [word for word in secret - {""} if word in said]
    assert len(said) < 6000


# ---------------------------------------------------------------- lives


def test_lives_are_what_was_asked_answered_and_left():
    lives, calls = log_life.lives(played(), truth())
    assert [life.level for life in lives] == ["INFO", "DEBUG", "blocked"]
    for life, play in zip(lives, truth().plays, strict=True):
        assert life.asked == log_life.renamed(play.requests, life.answers)
        assert [one.rid for one in life.asked] == [perfect_log.own_id(one) for one in play.requests]
        assert life.starts == play.starts
        assert [answer.status for answer in life.answers] == [one.status for one in play.requests]
        assert [answer.code for answer in life.answers] == [one.code for one in play.requests]
        assert life.events == (lived(play.level)[0] if play.level in WATCHED else [])
    assert set(calls) == {"@lab", "@anchor"}


def test_header_names_have_no_case():
    lives, _ = log_life.lives(played(), truth())
    assert lives[0].answers[0].headers == perfect_log.answer(lives[0].asked[0]).headers


def test_files_of_a_later_stop_replace_those_of_an_earlier_one():
    number = iter(range(9))

    def change(level: str, files: Files) -> None:
        n = next(number)
        files.update({"@printed": b"%d" % n, "@home/a/b": b"%d" % n, f"@home/{n}": b""})

    lives, _ = log_life.lives(played(Change(files=change)), truth())
    assert [life.printed for life in lives] == [b"1", b"3", b"4"]
    assert [dict(life.home) for life in lives] == [
        {"a/b": b"1", "0": b"", "1": b""}, {"a/b": b"3", "2": b"", "3": b""}, {"a/b": b"4", "4": b""},
    ]  # fmt: skip


def test_what_was_there_and_is_gone_in_the_end_was_left_too():
    outcome = played()
    number = next(n for n, (role, _) in enumerate(truth().plays[0].steps) if role == "look")
    seen = {**outcome.replies[number].files, "app.ndjson.1": b"1", "patients.sqlite-wal": b"2", "@home/a": b"3"}
    stop = outcome.replies[number + 1]
    left = Reply("ok", None, {**stop.files, "@home/a": b"34"})
    replies = (*outcome.replies[:number], Reply("ok", {}, seen), left, *outcome.replies[number + 2 :])
    lives, _ = log_life.lives(dataclasses.replace(outcome, replies=replies), truth())
    assert lives[0].home == {f"app.ndjson.1 {log_life.EARLIER}": b"1", "a": b"34"}


def test_a_look_counts_lines_and_heads_by_then():
    lives, calls = log_life.lives(played(), truth())
    for life in lives[:2]:
        assert len(life.looks) == life.starts
        assert all(early == left for look in life.looks for early, left in (look.app, look.audit))
        assert life.looks[-1].audit[1] == life.audit.count(b"\n")
    heads = [look.anchors for life in lives for look in life.looks]
    assert heads == sorted(heads)
    assert 0 < heads[0] < heads[-1] == len(calls["@anchor"])


def test_a_life_in_the_folder_of_the_last_one_has_left_only_what_came_since():
    last = Life("DEBUG", (), (), 2, b"a\n", b"b\n", b"c\n", {"same": b"1", "more": b"2", "gone": b"3"})
    home = {"same": b"1", "more": b"24", "new": b"5"}
    life = Life("blocked", (), (), 1, b"a\nd\n", b"b\n", b"c\ne\n", home, "why")
    found = log_life.since(life, last)
    assert (found.app, found.audit, found.printed) == (b"d\n", b"", b"e\n")
    assert found.home == {"more": b"24", "new": b"5"}
    assert (found.level, found.starts, found.lost) == ("blocked", 1, "why")


def test_logs_that_were_begun_anew_are_read_from_their_beginning():
    last = Life("DEBUG", (), (), 2, b"a\nb\n", b"a\n", b"a\n", {"x": b"a"})
    life = Life("blocked", (), (), 1, b"b\n", b"", b"b\na\n", {"x": b""})
    found = log_life.since(life, last)
    assert (found.app, found.audit, found.printed, found.home) == (b"b\n", b"", b"b\na\n", {"x": b""})


def test_what_was_left_at_debug_is_not_left_again_without_a_log():
    (one, *_) = requests("read", "DEBUG")

    def change(level: str, files: Files) -> None:
        if level == "DEBUG":
            files["app.ndjson.1"] = files["@printed"] = one.details["mrn"].encode()
        elif level == "blocked":
            files["@printed"] += b"down\n"

    outcome = played(Change(files=change))
    assert outcome.replies[-2].files["@printed"] != b"down\n"
    lives, _ = log_life.lives(outcome, truth())
    assert lives[1].home == {"app.ndjson.1": one.details["mrn"].encode()}
    assert (lives[2].app, lives[2].audit, lives[2].printed, lives[2].home) == (b"", b"", b"down\n", {})
    assert {leak.level for leak in rubric.Graded(outcome, truth()).leaks.found} == {"DEBUG"}


@pytest.mark.parametrize("name", ["app.ndjson", "audit.ndjson", "@printed", "app.ndjson.1"])
def test_what_comes_to_it_without_a_log_is_left_there(name: str):
    (one, *_) = requests("blocked", "blocked")

    def change(level: str, files: Files) -> None:
        if level == "blocked":
            files[name] = files.get(name, b"") + one.details["mrn"].encode()

    found = rubric.Graded(played(Change(files=change)), truth()).leaks.found
    assert {(leak.level, leak.kind, leak.field) for leak in found} == {("blocked", "blocked", "mrn")}


def test_answers_that_did_not_come_have_no_status():
    outcome = played()
    number = next(n for n, reply in enumerate(outcome.replies) if isinstance(reply.value, list))
    cut = Reply("ok", outcome.replies[number].value[:3], {})
    replies = (*outcome.replies[:number], cut, *outcome.replies[number + 1 :])
    lives, _ = log_life.lives(dataclasses.replace(outcome, replies=replies), truth())
    count = len(outcome.replies[number].value)
    assert lives[0].answers[3:count] == (Answer(0, {}, ""),) * (count - 3)
    assert [answer.status for answer in lives[0].answers[count:]] == [one.status for one in lives[0].asked[count:]]


@pytest.mark.parametrize("kept", [0, 1, 2, 3, 4, 11, 19, 20])
def test_a_play_may_end_at_any_step(kept: int):
    outcome = played()
    lives, calls = log_life.lives(dataclasses.replace(outcome, replies=outcome.replies[:kept]), truth())
    assert [len(life.answers) for life in lives] == [len(life.asked) for life in lives]
    assert calls == {}
    assert (
        sum(award.fraction for award in awards(dataclasses.replace(outcome, replies=outcome.replies[:kept])).values())
        >= 0
    )


@pytest.mark.parametrize("status", ["raised", "timeout", "exited", "refused"])
def test_steps_that_failed_left_no_answers(status: Any):
    outcome = played()
    replies = tuple(Reply(status, {"why": "it ended"}, {}) for _ in outcome.replies)
    lives, calls = log_life.lives(dataclasses.replace(outcome, replies=replies), truth())
    assert {answer for life in lives for answer in map(repr, life.answers)} == {repr(Answer(0, {}, ""))}
    assert calls == {}


def shown(value: Any) -> str:
    return repr(value)[:12]


ODD = [None, True, 7, -1.5, "text", "", [], [1], {}, {"a": 1}, 10**400, "\ud800"]


@pytest.mark.parametrize("value", ODD, ids=shown)
def test_no_value_of_a_step_need_have_its_type(value: Any):
    outcome = played()
    replies = tuple(Reply("ok", value, reply.files) for reply in outcome.replies)
    lives, _ = log_life.lives(dataclasses.replace(outcome, replies=replies), truth())
    assert [len(life.answers) for life in lives] == [len(life.asked) for life in lives]


@pytest.mark.parametrize("value", ODD, ids=shown)
@pytest.mark.parametrize("key", ["", "status", "headers", "body", "error"])
def test_no_answer_need_have_its_shape(key: str, value: Any):
    answer = log_life.answered({"status": 200, "headers": {}, "body": "{}"} | {key: value} if key else value)
    assert type(answer.status) is int
    assert isinstance(answer.code, str)
    assert all(isinstance(text, str) for pair in answer.headers.items() for text in pair)


@pytest.mark.parametrize("value", ODD, ids=shown)
def test_what_peers_were_asked_need_have_no_shape(value: Any):
    outcome = played()
    for calls in (value, {"@anchor": value}, {"@anchor": [value]}, {"@anchor": [{"body": value, "path": value}]}):
        replies = (*outcome.replies[:-1], Reply("ok", calls, {}))
        assert_calls(log_life.lives(dataclasses.replace(outcome, replies=replies), truth())[1])


def test_odd_calls_of_the_anchor_are_no_heads():
    odd = [{}, {"body": None}, {"body": 7, "path": []}, {"body": "{", "path": "\ud800"}]
    found = earned(sent=lambda sent: sent.extend(odd))
    assert all(fraction == pytest.approx(1) for fraction in found.values())


def assert_calls(calls: Any) -> None:
    """Lists of objects, as graders read them."""
    assert isinstance(calls, dict)
    for some in calls.values():
        assert isinstance(some, list)
        assert all(isinstance(call, dict) for call in some)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("status", "headers", "body", "error", "@anchor")), inner, max_size=3)
    ),
    max_leaves=8,
)
FEW = settings(max_examples=40, deadline=None, database=None, derandomize=True)


@FEW
@given(JSON)
def test_any_value_may_be_an_answer(value: Any):
    assert type(log_life.answered(value).status) is int


@FEW
@given(JSON)
def test_any_value_may_be_that_of_a_step(value: Any):
    replies = tuple(Reply("ok", value, {}) for play in truth().plays for _ in play.steps)
    outcome = Outcome("safe_logging", "v", "hidden", "s", replies=(*replies, Reply("ok", value, {})))
    lives, calls = log_life.lives(outcome, truth())
    assert [len(life.answers) for life in lives] == [len(life.asked) for life in lives]
    assert_calls(calls)


@pytest.mark.parametrize(
    ("data", "values"),
    [
        (b"", []),
        (b"\n \n\r\n", []),
        (b'{"a": 1}', [{"a": 1}]),
        (b'{"a": 1}\r\n{"b": 2}\n', [{"a": 1}, {"b": 2}]),
        (b'{"a": 1}{"b": 2}\n', [None]),
        (b"text\n[1]\n7\nnull\n", [None] * 4),
        (b'{"a": "\xff"}\n{"a": \x00}\n', [None, None]),
        (b"[" * 100_000, [None]),
        (b'{"a": "' + b"x" * LONGEST_LINE + b'"}\n{"b": 2}', [None, {"b": 2}]),
        (b'{"a": ' + b"9" * 5000 + b"}", [None]),
    ],
    ids=lambda value: repr(value)[:14],
)
def test_lines_that_are_no_objects_are_lines(data: bytes, values: list[Any]):
    assert [line.value for line in log_life.read_lines(data)] == values


def test_lines_past_a_number_are_not_read():
    lines = list(log_life.read_lines(b"{}\n" * (MOST_LINES + 2)))
    assert len(lines) == MOST_LINES + 2
    assert [line.value for line in lines[MOST_LINES - 1 :]] == [{}, None, None]


def test_a_life_s_events_are_its_objects():
    life = Life("INFO", (), (), 1, b'{"event": "startup"}\nhello\n[]\n', b"", b"", {})
    assert life.events == [{"event": "startup"}]
    assert [line.text for line in life.lines] == [b'{"event": "startup"}', b"hello", b"[]"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('{"error": {"code": "lab_failed"}}', "lab_failed"),
        ('{"error": {"code": 7}}', ""),
        ('{"error": "lab_failed"}', ""),
        ('{"error": null}', ""),
        ('["error"]', ""),
        ('{"error": {"code": "a", "code": "b"}}', ""),
        ("", ""),
        ("\ud800", ""),
        ("[" * 9999, ""),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_a_code_is_read_from_the_body(body: str, code: str):
    assert Answer(400, {}, body).code == code


HOSTILE_LOG = (
    b'\xff\xfe\x00{"event": 1}\n{"event": ["request"], "request_id": {}}\n' + b"[" * 5000 + b"\n{}\n\x1f\x8b\x00"
)


@pytest.mark.parametrize("name", ["app.ndjson", "audit.ndjson", "@printed", "@home/x", "@home/\x1b[2J"])
def test_no_file_need_have_its_form(name: str):
    found = judged(files=lambda level, files: files.update({name: HOSTILE_LOG}))
    assert all(0 <= award.fraction <= 1 for award in found.values())


def test_what_cannot_be_taken_up_while_it_runs_is_lost_too():
    outcome = played()
    steps = [role for play in truth().plays for role, _ in play.steps]
    replies = list(outcome.replies)
    replies[steps.index("look")] = Reply("refused", {"why": "left a file that nobody can take up"}, {})
    found = awards(dataclasses.replace(outcome, replies=tuple(replies)))
    assert found[LOGS].fraction == 0
    assert "nobody can take up" in found[LOGS].message


# ---------------------------------------------------------------- evidence


def test_evidence_names_the_line_that_holds_a_person():
    outcome = played(Change(log=telling("family", "read")))
    (told, *_) = awards(outcome)[LOGS].evidence
    assert told.startswith("app.ndjson at INFO: line ")
    number = int(told.split()[4])
    stops = [reply for reply in outcome.replies if "@printed" in reply.files]
    line = stops[truth().plays[0].starts - 1].files["app.ndjson"].splitlines()[number - 1].decode()
    assert requests("read")[0].details["family"] in line
    assert told.split("(")[1].startswith("read: family")


def test_evidence_names_the_event_and_fields_that_a_question_is_answered_from():
    assert "app.ndjson at INFO, event retry, field request_id: " in str(judged(log=without("retry"))[LOGS].evidence)
    assert set(log_evidence.ANSWERED_FROM) == set(log_questions.QUESTIONS)


def test_evidence_names_requests_by_number_and_kind():
    found = judged(answers=answering("lab_down", body="Internal Server Error"))
    (play,) = (play for play in truth().plays if play.level == "INFO")
    number = next(n for n, one in enumerate(play.requests, 1) if one.kind == "lab_down")
    assert f"at INFO, requests {number} (kind lab_down)" in str(found[CALLERS].evidence)


def test_evidence_names_the_line_where_the_chain_breaks():
    def edited(level: str, lines: list[Event]) -> None:
        for line in lines[9:10]:
            line["event"] = {**line["event"], "recorded": "2026-01-01T00:00:00Z"}

    assert "audit.ndjson at INFO, line 10: the chain breaks" in judged(audit=edited)[AUDIT].evidence


def test_evidence_holds_no_detail_of_anybody_and_no_name_that_a_service_chose():
    one = requests("read")[0]
    name = f"{one.details['family']}-{one.details['mrn']}"

    def everywhere(level: str, events: list[Event]) -> None:
        for field in ("family", "mrn", "phone", "birthDate"):
            telling(field, "read", "search_by_name", "lab_down", levels=("INFO", "DEBUG"))(level, events)
        for line in events[:40]:
            line["event"] = line["request_id"] = name

    def files(level: str, left: Files) -> None:
        left[f"@home/{name}/{name}.log"] = json.dumps(one.details).encode()

    def answers(one: Expected, answer: Raw) -> None:
        if one.kind in ("lab_down", "read"):
            answer.update(headers={"x-request-id": name, name: name}, body=json.dumps(one.details))

    said = json.dumps({"may_still_leak": [name, one.details["family"]]}).encode()
    found = judged(log=everywhere, files=files, answers=answers, predictions=said)
    evidence = [text for award in found.values() for text in award.evidence]
    details = {value for play in truth().plays for each in play.requests for value in each.details.values()}
    assert len(evidence) > 10
    assert all(len(text) <= 160 for text in evidence)
    assert not [value for value in details if len(value) > 3 and value in " ".join(evidence)]
