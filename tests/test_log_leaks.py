"""Traces of people in a service's logs, output, files, metrics and answers: whose they are, and what they cost."""

from __future__ import annotations

import gzip
import json
import random
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from graders.harness import sandbox
from graders.harness.exercise import load
from graders.harness.outcome import Outcome
from graders.harness.play import play
from graders.measures import log_leaks
from graders.measures.log_forms import FIELDS
from graders.measures.log_leaks import DIRECT, Leak, Leaks
from graders.measures.log_life import Answer, Life, lives
from graders.measures.log_starter_leaks import HEADERS, LEAKS, WORTH, weight
from synthetic_data.log_workload import KINDS, RESERVE
from synthetic_data.recipes import safe_logging as recipe
from synthetic_data.recipes.safe_logging import Expected, Truth
from synthetic_data.streams import Seed

EXERCISE = Path(__file__).parents[1] / "exercises" / "safe_logging"
SEED = Seed.from_int(5)


def scene() -> recipe.Scene:
    return recipe.scene(SEED, {"each": 1, "hidden": 1}, recipe.draw_card(SEED))


@cache
def truth() -> Truth:
    return recipe.read_truth(scene().truth)


def request(kind: str, level: str = "INFO") -> Expected:
    """The first of a kind that is about somebody."""
    asked = next(play.requests for play in truth().plays if play.level == level)
    return next(one for one in asked if one.kind == kind and one.patient)


def registration(one: Expected) -> Expected:
    """The request that registered the person of another."""
    asked = (other for play in truth().plays for other in play.requests)
    return next(other for other in asked if other.patient == one.patient and other.kind == "create")


def life(level: str = "INFO", answers: dict[str, Answer] | None = None, **left: Any) -> Life:
    """A life that left nothing about anybody but this. answers: request id -> other than 200 {}."""
    asked = next(play.requests for play in truth().plays if play.level == level)
    told = tuple((answers or {}).get(one.rid, Answer(200, {}, "{}")) for one in asked)
    return Life(level, asked, told, 2, **({"app": b"", "audit": b"", "printed": b"", "home": {}} | left))


def everything(lives: Any, calls: Any = None) -> Leaks:
    return log_leaks.found(lives, calls or {}, log_leaks.scanner(lives))


def found(level: str = "INFO", calls: Any = None, **left: Any) -> set[tuple[str, str, str, str]]:
    leaks = everything((life(level, **left),), calls)
    return {(leak.level, leak.channel, leak.kind, leak.field) for leak in leaks.found}


def line(one: Expected, **more: Any) -> bytes:
    return json.dumps({"event": "request", "request_id": one.rid, **more}).encode() + b"\n"


def test_what_the_log_may_hold_is_no_leak():
    one = request("read")
    app = line(one, patient_ref="0123456789abcdef", route="/patients/{id}", site=one.site, ms=12.3, where="app.py:19")
    audit = json.dumps({"event": {"entity": [{"what": {"reference": f"Patient/{one.patient}"}}]}}).encode()
    assert found(app=app, audit=audit, printed=b"listening on 127.0.0.1:8000\n", home={"cache/a.txt": b"ok"}) == set()


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("channel", ["app", "audit", "printed"])
def test_every_field_is_found_with_its_level_channel_and_kind(channel, field):
    for level in ("INFO", "DEBUG"):
        one = request("read", level)
        text = line(one, message=f"about {one.details[field]}")
        assert found(level, **{channel: text}) == {(level, channel, "read", field)}


@pytest.mark.parametrize("channel", ["app", "printed"])
def test_a_logical_id_in_clear_is_a_leak(channel):
    one = request("predict")
    assert found(**{channel: line(one, path=f"/patients/{one.patient}")}) == {("INFO", channel, "predict", "id")}
    assert found(**{channel: line(one, path="/patients/p-000000000000")}) == set()


def test_a_line_is_of_the_request_whose_id_it_holds():
    one = request("label")
    text = one.details["family"]
    assert found(app=line(one, message=text)) == {("INFO", "app", "label", "family")}


def test_a_line_with_the_id_of_a_registration_is_of_what_followed_too():
    one = request("label")
    kinds = {("INFO", "app", kind, "family") for kind in ("create", "label")}
    assert found(app=line(registration(one), message=one.details["family"])) == kinds


def test_a_long_line_is_of_the_request_at_its_beginning():
    one = request("label")
    long = line(registration(one), trace="." * 9000, message=one.details["family"])
    assert {kind for _, _, kind, _ in found(app=long)} == {"create", "label"}


def test_a_line_with_no_id_or_with_a_stranger_s_is_of_what_the_person_was_there_for():
    one, other = request("label"), request("predict")
    assert found(printed=one.details["family"].encode()) == {("INFO", "printed", "label", "family")}
    assert found(app=line(other, message=one.details["family"])) == {("INFO", "app", "label", "family")}


def test_the_number_of_somebody_who_was_there_first_is_a_leak_of_the_second_registration():
    mains = {one.patient for one in life().asked if one.kind != "create"}
    first = next(one for one in life().asked if one.kind == "create" and one.patient not in mains)
    twice = request("duplicate")
    with_id = line(twice, message=f"mrn {first.details['mrn']}")
    beside = f"({first.details['mrn']!r}, {twice.details['family']!r})".encode()
    assert found(app=with_id) == {("INFO", "app", "duplicate", "mrn")}
    fields = {("INFO", "printed", "duplicate", field) for field in ("mrn", "family")}
    assert found(printed=beside) == fields


def test_names_and_contents_of_files_are_read_packed_ones_too():
    one = request("label")
    assert found(home={f"label-{one.details['mrn']}.txt": b""}) == {("INFO", "files", "label", "mrn")}
    assert found(home={"a": one.details["family"].encode()}) == {("INFO", "files", "label", "family")}
    packed = gzip.compress(b"nothing\n" * 9 + one.details["family"].encode())
    assert found(home={"a.gz": packed}) == {("INFO", "files", "label", "family")}
    wide = ("nothing\n" * 9 + one.details["family"]).encode("utf-16")
    assert found(printed=wide) == {("INFO", "printed", "label", "family")}


def test_answers_that_show_patients_to_those_who_asked_are_none():
    one = request("read")
    assert found(answers={one.rid: Answer(200, {}, json.dumps(dict(one.details)))}) == set()


def test_error_bodies_and_their_headers_are_read():
    one = request("validator_text")
    body = json.dumps({"error": {"detail": f"not\n{one.details['mrn']}"}})
    leak = {("INFO", "errors", "validator_text", "mrn")}
    assert found(answers={one.rid: Answer(422, {}, body)}) == leak
    assert found(answers={one.rid: Answer(422, {"x-detail": one.details["mrn"]}, "{}")}) == leak


def test_metrics_tell_of_whoever_was_there_before():
    one = request("notify")
    asked = next(q for q in life().asked if q.route == "/metrics")
    answer = Answer(200, {}, f'messages_total{{recipient="{one.details["email"]}"}} 1\n')
    assert found(answers={asked.rid: answer}) == {("INFO", "metrics", "notify", "email")}


def test_what_the_anchor_is_sent_is_read_and_what_the_laboratory_is_sent_is_not():
    one = request("predict_lab")
    calls = [{"path": "/x", "body": json.dumps({"seq": 1, "note": one.details["family"]})}]
    assert found(calls={"@anchor": calls}) == {("INFO", "anchor", "predict_lab", "family")}
    assert found(calls={"@lab": calls}) == set()


@pytest.mark.parametrize(("kind", "field"), [("old_client", "mrn"), ("session_id", "email")])
def test_a_request_id_that_tells_whose_it_is_is_a_leak(kind, field):
    one = request(kind)
    for channel in ("app", "audit", "printed"):
        assert found(**{channel: line(one)}) == {("INFO", channel, kind, field)}
    assert found(app=line(replace(one, rid="0" * 32), patient_ref="0123456789abcdef")) == set()


@pytest.mark.parametrize(
    ("kind", "form", "fields"),
    [
        ("portal", "{given}.{family}", ["email"]),  # as which it begins
        ("ward", "north, ward 4, {given} {family}", ["family", "given"]),
    ],
)
def test_names_in_headers_are_leaks(kind, form, fields):
    one = request(kind)
    for text in (form.format(**one.details), form.format(**one.details).lower()):
        assert found(app=line(one, site=text)) == {("INFO", "app", kind, field) for field in fields}
    assert found(app=line(one, site="north", user=one.user)) == set()


def test_a_path_that_is_none_is_a_leak_where_it_is_counted():
    one = request("unknown_path")
    asked = next(q for q in life().asked if q.route == "/metrics")
    body = f'requests_total{{route="/patients/{one.patient}/{one.details["family"]}"}} 1\n'
    leak = {("INFO", "metrics", "unknown_path", field) for field in ("family", "id")}
    assert found(answers={asked.rid: Answer(200, {}, body)}) == leak


def test_an_id_that_comes_back_with_an_answer_is_no_leak():
    for one in (request("old_client"), request("session_id")):
        assert found(answers={one.rid: Answer(200, {"x-request-id": one.rid}, "{}")}) == set()


def test_those_who_are_asked_about_without_a_log_leak_by_that_at_both_levels():
    """Also where they were registered."""
    one = next(one for one in life("blocked").asked if one.kind == "blocked" and one.route == "/label")
    assert registration(one) in life("DEBUG").asked
    text = json.dumps({"message": one.details["family"]}).encode()
    both = life("DEBUG", app=text), life("blocked", printed=text)
    cells = {(leak.level, leak.channel, leak.kind) for leak in everything(both).found}
    assert cells == {("DEBUG", "app", "blocked"), ("blocked", "printed", "blocked")}


def leaks_of(*cells: tuple[str, str, str], field: str = "family") -> Leaks:
    return Leaks(tuple(Leak(*cell, field, "plain", 1) for cell in sorted(cells)))


def test_protection_is_whole_without_leaks_and_none_with_the_starter_s():
    assert log_leaks.protection(Leaks()) == (1.0, "")
    assert log_leaks.protection(leaks_of(*LEAKS))[0] == 0


@pytest.mark.parametrize("cell", [("INFO", "metrics", "notify"), ("DEBUG", "app", "read")])
def test_a_leak_that_is_left_costs_its_weight(cell):
    assert log_leaks.protection(leaks_of(cell))[0] == pytest.approx(1 - LEAKS[cell] / sum(LEAKS.values()))


def test_a_new_leak_costs_as_much_as_an_old_one_and_nothing_costs_more_than_all():
    new, old = ("INFO", "audit", "read"), ("INFO", "app", "read")
    total = sum(LEAKS.values())
    assert new not in LEAKS
    assert log_leaks.protection(leaks_of(new))[0] == pytest.approx(1 - LEAKS[old] / total)
    assert log_leaks.protection(leaks_of(new, field="birthDate"))[0] == pytest.approx(1 - LEAKS[old] / 2 / total)
    assert log_leaks.protection(leaks_of(*LEAKS, new))[0] == 0


def test_what_was_sent_is_told():
    assert everything((life(),)).asked == {*KINDS, *RESERVE}
    assert everything((life(), life("DEBUG"), life("blocked"))).asked == {*KINDS, *RESERVE, "blocked"}


def test_what_stands_on_every_line_weighs_most():
    assert set(HEADERS) == {"old_client", *RESERVE}
    usual = weight(("INFO", "app", "read"), True)
    for kind in HEADERS:
        cell = ("INFO", "app", kind)
        assert weight(cell, True) == 2 * weight(cell, False)
        assert weight(("DEBUG", "app", kind), True) == usual / 2
        assert weight(cell, True) > 3 * usual
        assert leaks_of(cell).cells == {cell: weight(cell, True)}
        assert leaks_of(cell, field="birthDate").cells == {cell: weight(cell, False)}
    assert usual == 2 * weight(("INFO", "app", "read"), False)


def test_each_part_of_what_leaks_is_worth_its_share():
    assert sum(WORTH.values()) == pytest.approx(1)
    for name in ("printed", "errors", "files", "metrics"):
        assert sum(worth for (_, channel, _), worth in LEAKS.items() if channel == name) == pytest.approx(WORTH[name])
    ids = [LEAKS["INFO", "app", kind] for kind, part in HEADERS.items() if part == "ids"]
    assert sum(ids) == pytest.approx(WORTH["ids"])


def of_practice(leaks: Leaks) -> Leaks:
    """The same where nothing of the reserve was sent."""
    return replace(leaks, asked=frozenset({*KINDS, "blocked"}))


def test_practice_s_denominator_lacks_the_reserve():
    cell = ("INFO", "app", "old_client")
    reserve = sum(worth for (_, _, kind), worth in LEAKS.items() if kind in RESERVE)
    assert reserve > LEAKS[cell]
    left = leaks_of(cell)
    assert log_leaks.protection(left)[0] == pytest.approx(1 - LEAKS[cell] / sum(LEAKS.values()))
    assert log_leaks.protection(of_practice(left))[0] == pytest.approx(
        1 - LEAKS[cell] / (sum(LEAKS.values()) - reserve)
    )
    everything_sent = replace(left, asked=frozenset({*KINDS, *RESERVE, "blocked"}))
    assert log_leaks.protection(everything_sent) == log_leaks.protection(left)


def test_the_starter_has_nothing_in_practice_either():
    sent = of_practice(leaks_of(*(cell for cell in LEAKS if cell[2] not in RESERVE)))
    assert log_leaks.protection(sent)[0] == 0
    assert log_leaks.protection(sent, ["INFO"])[0] == pytest.approx(0)
    assert log_leaks.protection(of_practice(Leaks()))[0] == 1


def test_protection_at_one_level_does_not_look_at_the_other():
    leaks = leaks_of(*(cell for cell in LEAKS if cell[0] == "DEBUG"))
    assert log_leaks.protection(leaks, ["INFO"])[0] == 1
    assert log_leaks.protection(leaks, ["DEBUG"])[0] == 0


def test_what_leaks_is_told_by_place_field_and_kind():
    said = log_leaks.protection(leaks_of(("INFO", "app", "read"), ("INFO", "audit", "read")))[1]
    assert said == "app at INFO: family after read; audit at INFO: family after read, new: read"


HABIT = ("label", "notify", "predict", "read", "search_by_name")


def test_a_submission_is_held_for_names_in_the_log_or_output_at_info_by_five_kinds():
    five = [("INFO", channel, kind) for channel, kind in zip(("app", "printed") * 3, HABIT, strict=False)]
    said = log_leaks.hold(leaks_of(*five))
    assert said == f"at INFO, app and printed hold family after requests of 5 kinds: {', '.join(HABIT)}"
    assert log_leaks.hold(leaks_of(*five[:4])) == ""
    assert log_leaks.hold(leaks_of(*five, field="birthDate")) == ""
    assert log_leaks.hold(leaks_of(*(("DEBUG", *cell[1:]) for cell in five))) == ""
    elsewhere = [("INFO", channel, kind) for channel in ("errors", "files") for kind in HABIT]
    assert log_leaks.hold(leaks_of(*elsewhere)) == ""


def test_a_kind_that_leaks_in_two_places_is_one():
    twice = leaks_of(*(("INFO", channel, kind) for channel in ("app", "printed") for kind in HABIT[:4]))
    assert log_leaks.hold(twice) == ""


@pytest.mark.parametrize("kind", HEADERS)
def test_a_submission_is_held_for_what_stands_on_every_line(kind):
    assert kind in log_leaks.hold(leaks_of(("INFO", "app", kind)))
    assert log_leaks.hold(leaks_of(("DEBUG", "app", kind))) == ""
    assert log_leaks.hold(leaks_of(("INFO", "app", kind), field="birthDate")) == ""


def test_a_submission_is_held_for_many_people_whatever_the_kinds():
    one = leaks_of(("INFO", "app", "read"))
    assert log_leaks.hold(replace(one, people=0.24)) == ""
    assert "25% of all people after requests of read" in log_leaks.hold(replace(one, people=0.25))


def test_people_are_counted_who_are_named_in_the_log_or_output_at_info():
    some = [request(kind) for kind in ("read", "label", "predict")]
    everybody = {one.patient for one in life().asked} - {""}
    text = b"".join(line(some[0], message=one.details["family"]) for one in some)
    assert everything((life(app=text),)).people == pytest.approx(3 / len(everybody))
    assert everything((life(app=text, printed=text),)).people == pytest.approx(3 / len(everybody))
    assert everything((life("DEBUG", app=text), life(home={"a": text}))).people == 0


def test_marks_and_line_separators_hide_nothing():
    one = request("label")
    text = line(one, message=one.details["family"])
    for before in (b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b", "\u2028\x85\x0b".encode()):
        assert found(app=before + text) == {("INFO", "app", "label", "family")}
    told = "\u2028\u0085\x0c" + one.details["family"]
    failed = {request("read").rid: Answer(500, {}, "\u2028\r"), one.rid: Answer(500, {}, told)}
    assert found(answers=failed) == {("INFO", "errors", "label", "family")}


def test_no_message_holds_a_value():
    some = [request(kind) for kind in ("read", "label", "predict")]
    text = b"".join(line(one, **one.details, id=one.patient) for one in some)
    leaks = everything((life(app=text),))
    assert {leak.field for leak in leaks.found} == DIRECT | {"birthDate", "note", "id"}
    said = log_leaks.protection(leaks)[1] + log_leaks.hold(leaks) + repr(leaks)
    hidden = {value for one in some for value in (*one.details.values(), one.patient, one.rid)}
    assert not [value for value in hidden if value in said]


@pytest.mark.parametrize("number", range(4))
def test_whatever_a_service_writes_can_be_read(number):
    draw = random.Random(number)
    one = request("read")
    junk = draw.randbytes(2000) + one.details["family"].encode() + b"\0\n\xff\xfe\x1f\x8b" * 9 + b"{" * 3000
    wild = Answer(500, {"x": "\ud800"}, "\ud800\0\n" + one.rid)
    home = {"\udcff\n": junk, "b": b"\x1f\x8b" + junk, "c": b"\xff\xfe" + junk, "d": b"\0"}
    everything(
        (life(app=junk, audit=junk, printed=junk, home=home, answers={one.rid: wild}),),
        {"@anchor": [{"path": 7, "body": None}, {}, {"body": "\ud800"}]},
    )
    short = replace(life(), answers=())
    assert everything((short,)).found == ()


@pytest.mark.sandbox
def test_the_table_is_what_the_starter_leaks():
    folder = EXERCISE / "starter"
    files = {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*") if "__pycache__" not in p.parts
    }
    played = play(load(EXERCISE), files, scene(), sandbox.best())
    outcome = Outcome("safe_logging", "v", "hidden", "", replies=played.replies)
    leaks = everything(*lives(outcome, recipe.read_truth(played.truth)))
    assert leaks.cells == LEAKS
    assert log_leaks.protection(leaks)[0] == pytest.approx(0)
    assert log_leaks.hold(leaks)
