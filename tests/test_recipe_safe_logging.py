"""The safe-logging exercise's data: who is invented, what is asked in which order, and what is kept from whom."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
import tomllib
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import ahocorasick
import pytest

from synthetic_data import log_people
from synthetic_data.log_people import FIELDS, MOST, Person
from synthetic_data.log_workload import AT_ONCE, HUGE, KINDS, LAB_ATTEMPTS, ODD_USERS, ONCE, RESERVE, planned
from synthetic_data.log_writer import SITES, Asked, Writer, risk_of
from synthetic_data.recipes import safe_logging as recipe
from synthetic_data.scene import IN_DIR, OUT_DIR, Reply, Request
from synthetic_data.streams import Seed

BRIEF = Path(__file__).parents[1] / "exercises" / "safe_logging" / "README.md"
CARD = {"anchor_every": 20}
SIZES = (1, 2, 6)
TIMEOUT_S = 0.4  # the brief's: what takes longer has not come
OK = Reply("ok", None, {})
REFUSED = Reply("exited", {"why": "ended"}, {})


@cache
def made(each: int = 2, number: int = 5, hidden: int = 1) -> recipe.Scene:
    return recipe.scene(Seed.from_int(number), {"each": each, "hidden": hidden}, CARD)


@cache
def people(number: int = 5) -> list[Person]:
    return log_people.drawn(Seed.from_int(number), recipe.PEOPLE)


@cache
def truth(each: int = 2) -> recipe.Truth:
    return recipe.read_truth(made(each).truth)


def asked(part: recipe.Part) -> list[Asked]:
    return [one for batch in part.batches for one in batch]


def everything(each: int = 2) -> list[Asked]:
    return [one for part in made(each).parts for one in asked(part)]


def content(one: Asked) -> str:
    """Of its body, whatever its character set."""
    if "body64" in one.sent:
        return base64.b64decode(one.sent["body64"]).decode("latin-1")
    return str(one.sent.get("body", ""))


def registrations(part: recipe.Part) -> list[Asked]:
    return [one for one in asked(part) if one.kind == "create"]


def of_kind(kind: str) -> list[Asked]:
    return [one for one in everything() if one.kind == kind]


def who(one: Asked) -> dict[str, str]:
    """The details of whom it is about."""
    return dict(made().details[one.person][1])


def header(one: Asked, name: str) -> str:
    return str(one.sent["headers"][name])


def id_of(one: Asked) -> str:
    return made().details[one.person][0]


# People


def test_the_same_seed_draws_the_same_people():
    assert log_people.drawn(Seed.from_int(5), 40) == log_people.drawn(Seed.from_int(5), 40)


def test_how_many_there_are_does_not_change_their_numbers():
    few = log_people.drawn(Seed.from_int(5), 40)
    for name in ("id", "mrn", "birth_date", "sex", "phone", "ssn"):
        assert [getattr(one, name) for one in few] == [getattr(one, name) for one in people()[:40]], name


def test_there_are_no_more_people_than_birthdays():
    assert len({one.birth_date for one in log_people.drawn(Seed.from_int(1), MOST)}) == MOST
    with pytest.raises(ValueError, match=f"birthdays for {MOST} people, not for {MOST + 1}"):
        log_people.drawn(Seed.from_int(1), MOST + 1)


@pytest.mark.parametrize("field", [*FIELDS, "id"])
@pytest.mark.parametrize("number", range(4))
def test_nobody_shares_a_detail(field, number):
    values = [{**one.details, "id": one.id}[field].lower() for one in people(number)]
    assert len(set(values)) == len(values)


@pytest.mark.parametrize("number", range(12))
def test_no_detail_is_part_of_a_detail_of_somebody_else(number):
    """A trace of one person would be taken for a trace of two."""
    search = ahocorasick.Automaton()
    for one in people(number):
        for field, value in one.details.items():
            search.add_word(value.lower(), (one.id, field))
    search.make_automaton()
    for one in people(number):
        found = search.iter("|".join(one.details.values()).lower())
        assert [hit for _, hit in found if hit[0] != one.id] == []


SHAPES = {
    "ssn": r"9\d\d-\d\d-\d{4}",
    "phone": r"\([2-9]\d\d\) 555-01\d\d",
    "email": r"[a-z]+\.[a-z]+@example\.org",
    "mrn": r"MRN\d{8}",
    "id": r"p-[0-9a-f]{12}",
    "birthDate": r"19\d\d-\d\d-\d\d|200[0-4]-\d\d-\d\d",
    "sex": "female|male|other|unknown",
    "family": "[A-Z][a-z]{6,}",
    "given": "[A-Z][a-z]{6,}",
}


@pytest.mark.parametrize("field", SHAPES)
def test_details_have_a_shape_that_belongs_to_nobody(field):
    """Area numbers from 900 are never SSNs, 555-01xx is kept for fiction, and example.org for examples."""
    for number in range(3):
        assert all(re.fullmatch(SHAPES[field], one.body[field]) for one in people(number))


def test_a_body_and_the_note_hold_every_detail():
    for one in people():
        assert tuple(one.details) == FIELDS
        assert set(one.body) == {"id", "sex", *FIELDS} - {"note"}
        assert all(one.body[field] == text for field, text in one.details.items() if field != "note")


# What is asked


def test_the_same_seed_writes_the_same_bytes():
    first, again = (recipe.scene(Seed.from_int(5), {"each": 2, "hidden": 0}, CARD) for _ in range(2))
    assert (dict(first.public), dict(first.truth)) == (dict(again.public), dict(again.truth))
    assert list(played(first)) == list(played(again))


def test_another_seed_gives_other_people_order_ids_and_keys():
    scenes = [made(number=number) for number in range(4)]
    assert len({scene.details[0] for scene in map(frozen, scenes)}) == 4
    assert len({one for scene in scenes for one in scene.keys.values()}) == 8
    assert len({tuple(one.kind for one in asked(scene.parts[0])) for scene in scenes}) == 4
    rids = [one.rid for scene in scenes for part in scene.parts for one in asked(part)]
    assert len(set(rids)) == len(rids)


def frozen(scene: recipe.Scene) -> Any:
    """With details that can be counted."""
    return type("Frozen", (), {"details": [(name, tuple(of.values())) for name, of in scene.details]})


@pytest.mark.parametrize("each", SIZES)
def test_every_kind_comes_at_both_levels(each):
    parts = made(each).parts
    assert [part.level for part in parts] == ["INFO", "DEBUG", "blocked"]
    for part, times in zip(parts, (each, max(1, each // 3)), strict=False):
        counts = Counter(one.kind for one in asked(part))
        assert set(counts) == {*KINDS, *RESERVE}
        for kind, makers in {**KINDS, **RESERVE}.items():
            if kind not in (*ONCE, "create"):
                per_unit = {"notify": 2, "unknown_patient": 2, "crlf": 2, "ansi": 2, "lab_timeout": 2}.get(
                    kind, len(makers)
                )
                # Metrics are asked for once more at the end of each half.
                assert counts[kind] == times * per_unit + 2 * (kind == "metrics"), kind
        assert counts["concurrent"] == AT_ONCE
        assert counts["huge"] == 1
    assert recipe.kinds(truth(each)) == sorted({*KINDS, *RESERVE, "blocked"})


@pytest.mark.parametrize("each", SIZES)
def test_practice_lacks_the_reserve_only(each):
    for part in made(each, hidden=0).parts[:2]:
        assert {one.kind for one in asked(part)} == set(KINDS)
    assert not {*KINDS, "blocked"} & set(RESERVE)


def test_a_plan_leaves_registrations_to_the_writer():
    writer = Writer(Seed.from_int(5), people(), "INFO")
    plan = planned(writer, 2, reserve=True)
    assert {one.kind for one in writer.setup} == {"create"}
    assert {one.kind for one in plan} == {*KINDS, *RESERVE}
    needed = {one.person for one in plan if one.ref} - {one.person for one in plan if one.status == 201}
    assert needed <= {one.person for one in writer.setup}
    assert max(one.person for one in plan + writer.setup) == writer.used - 1


@pytest.mark.parametrize("each", SIZES)
def test_request_ids_are_unique_and_told_in_the_header(each):
    rids = [one.rid for one in everything(each)]
    assert len(set(rids)) == len(rids)
    for one in everything(each):
        assert header(one, "X-Request-ID") == one.rid
        assert bool(re.fullmatch("[0-9a-f]{32}", one.rid)) == (one.kind != "session_id")


@pytest.mark.parametrize("each", SIZES)
def test_users_are_practitioners_but_for_the_odd_ones(each):
    for one in everything(each):
        assert re.fullmatch(r"prac-\d+", one.user)
        assert (header(one, "X-User") == one.user) == (ODD_USERS.get(one.kind) != one.route), one.kind


@pytest.mark.parametrize("each", SIZES)
def test_only_a_site_that_is_one_is_to_be_counted(each):
    for one in everything(each):
        assert one.site == ("" if one.kind == "ward" else header(one, "X-Site"))
        assert one.site in (*SITES, "")


def test_an_old_client_makes_request_ids_of_the_patient_s_number():
    assert of_kind("old_client")
    for one in of_kind("old_client"):
        assert one.rid == hashlib.md5(who(one)["mrn"].encode(), usedforsecurity=False).hexdigest()


def test_a_session_id_says_whose_it_is_and_looks_like_nothing():
    assert of_kind("session_id")
    for one in of_kind("session_id"):
        assert re.fullmatch(r"[\w-]+", one.rid)
        assert not [value for value in who(one).values() if value.lower() in one.rid.lower()]
        told = json.loads(base64.urlsafe_b64decode(one.rid + "=" * (-len(one.rid) % 4)))
        assert told["user"] == who(one)["email"]


def test_patients_are_the_users_of_a_portal():
    assert of_kind("portal")
    for one in of_kind("portal"):
        assert header(one, "X-User") == "{given}.{family}".format(**who(one)).lower()


def test_a_ward_s_site_holds_a_name():
    assert of_kind("ward")
    for one in of_kind("ward"):
        assert header(one, "X-Site").startswith(f"{SITES[0]},")
        assert header(one, "X-Site").endswith("{given} {family}".format(**who(one)))


@pytest.mark.parametrize("kind", ["old_client", *RESERVE])
def test_of_an_odd_caller_nothing_but_the_header_tells(kind):
    """One prediction, with a note of nobody: whatever leaks is the header's."""
    for one in of_kind(kind):
        assert (one.route, one.status, one.access, one.calls) == ("/predict", 200, "E", ())
        assert json.loads(content(one))["note"] == "-"
        assert not [value for value in who(one).values() if value in content(one)]
    assert len(of_kind(kind)) == len({one.person for one in of_kind(kind)}) == 3  # 2 at INFO, 1 at DEBUG


def test_a_path_that_is_none_names_somebody_who_is_not_registered():
    assert of_kind("unknown_path")
    for one in of_kind("unknown_path"):
        assert (one.route, one.status, one.code, one.ref, one.access) == ("", 404, "not_found", False, "")
        assert one.sent["path"] == f"/patients/{id_of(one)}/{who(one)['family']}"


@pytest.mark.parametrize("each", SIZES)
def test_everybody_is_in_requests_of_one_kind_and_the_registration_they_need(each):
    """And in one life only, so that a trace of a person says when and by what it was left.

    But for those who are registered at DEBUG, to be asked about while no log can be written.
    """
    found = [(one.person, one.kind) for one in everything(each) if one.person >= 0]
    registered = Counter(person for person, kind in found if kind == "create")
    assert set(registered.values()) == {1}
    kinds = Counter(person for person, kind in set(found) if kind != "create")
    assert set(kinds.values()) == {1}
    assert registered.keys() | kinds.keys() == set(range(len(made(each).details)))
    info, debug, blocked = ({one.person for one in asked(part)} - {-1} for part in made(each).parts)
    assert not info & (debug | blocked)
    both = debug & blocked
    assert len(both) == recipe.BLOCKED
    assert {one.kind for one in asked(made(each).parts[1]) if one.person in both} == {"create"}


@pytest.mark.parametrize("each", SIZES)
def test_a_request_is_about_the_person_whom_the_truth_tells(each):
    """Their id or a detail is in it, but where it is the laboratory that tells of them."""
    for one in everything(each):
        if one.person < 0:
            assert (one.ref, one.access, one.calls) == (False, "", ())
            continue
        patient, details = made(each).details[one.person]
        sent = urllib.parse.unquote(one.sent["path"]) + content(one)
        assert patient in sent or details["family"] in sent


@pytest.mark.parametrize("each", SIZES)
def test_registrations_come_before_what_needs_them(each):
    registered: set[int] = set()
    for part in made(each).parts:
        # What was registered at DEBUG is still there while no log can be written, and nothing at DEBUG of INFO's.
        registered = registered if part.level == "blocked" else set()
        for one in asked(part):
            if one.kind != "create" and (one.ref or one.found):
                assert one.person in registered, one.kind
            if one.status == 404:
                assert one.person not in registered
            if one.status == 201:
                registered.add(one.person)


@pytest.mark.parametrize("each", SIZES)
def test_registrations_are_answered_and_registered_once(each):
    for part in made(each).parts[:2]:
        assert all((one.status, one.access, one.found) == (201, "C", True) for one in registrations(part))
        bodies = [json.loads(content(one)) for one in registrations(part)]
        for key in ("id", "mrn", "ssn"):
            assert len({body[key] for body in bodies}) == len(bodies)


def test_a_duplicate_has_a_number_that_is_in_use():
    for part in made().parts[:2]:
        order = asked(part)
        for n, one in enumerate(order):
            if one.kind == "duplicate":
                number = json.loads(content(one))["mrn"]
                assert number != made().details[one.person][1]["mrn"]
                assert number in {json.loads(content(q))["mrn"] for q in order[:n] if q.kind == "create"}


@pytest.mark.parametrize("number", range(12))
def test_what_comes_at_once_stays_together(number):
    """In one batch, one after the other: a restart in between would part them, and so would another request."""
    for each in (1, 2):
        for part in made(each, number).parts:
            runs = [
                group
                for batch in part.batches
                for group, _ in itertools.groupby(one.group for one in batch)
                if group >= 0
            ]
            assert len(set(runs)) == len(runs)
            sizes = Counter(one.group for one in asked(part) if one.group >= 0)
            assert part.level == "blocked" or sorted(set(sizes.values())) == [2, AT_ONCE]
            assert all(one.sent.get("group", -1) == one.group for one in asked(part))


@pytest.mark.parametrize("number", range(4))
def test_an_outage_is_on_end(number):
    for part in made(6, number).parts[:2]:
        rest = [one.kind for one in asked(part)]
        down = [n for n, kind in enumerate(rest) if kind == "lab_down"]
        assert down == list(range(down[0], down[0] + len(down)))


def test_both_batches_of_a_life_have_something_to_do():
    for part in (part for each in SIZES for part in made(each).parts[:2]):
        first, second = ([one for one in batch if one.kind != "create"] for batch in part.batches)
        assert min(len(first), len(second)) > 0.15 * len(first + second)


# What should come of it


@cache
def contract() -> dict[tuple[str, str], set[tuple[int, str]]]:
    """The brief's table: (method, route) -> (status, code) that it has."""
    table: dict[tuple[str, str], set[tuple[int, str]]] = {}
    for line in BRIEF.read_text("utf-8").splitlines():
        if line.startswith(("| `GET ", "| `POST ")):
            routes, answer, errors = (cell.strip() for cell in line.strip("|").split("|"))
            allowed = {(int(answer[:3]), "")}
            status = 0
            for number, code in re.findall(r"(\d{3} )?`(\w+)`", errors):
                status = int(number or status)
                allowed.add((status, code))
            for method, path in re.findall(r"`(GET|POST) ([^`?]+)", routes):
                table[method, path] = table.get((method, path), set()) | allowed
        elif line.startswith("| anything else | |"):
            table["GET", ""] = {(int(status), code) for status, code in re.findall(r"(\d{3}) `(\w+)`", line)}
    return table


def test_the_table_has_every_route():
    assert {route for _, route in contract()} == {*recipe.ROUTES, ""}
    assert len(contract()) == len(recipe.ROUTES) + 2  # /patients is for both, and whatever is none


@pytest.mark.parametrize("each", SIZES)
def test_statuses_and_codes_are_the_brief_s(each):
    for one in everything(each):
        allowed = contract()[one.sent["method"], one.route]
        if one.kind == "cancelled":
            assert (one.status, one.code) == (499, "")
        elif one.kind == "blocked" and one.code:
            assert (one.status, one.code) == (503, "audit_unavailable")
        else:
            assert (one.status, one.code) in allowed, one.kind


def test_every_code_of_the_table_is_asked_for():
    promised = {code for allowed in contract().values() for _, code in allowed}
    assert promised - {"method_not_allowed"} == {one.code for one in everything()} - {"audit_unavailable"}


@pytest.mark.parametrize("each", SIZES)
def test_only_what_succeeds_is_an_access(each):
    actions = {"POST /patients": "C", "GET /patients": "R", "GET /patients/{id}": "R", "POST /label": "R"}
    actions |= {"POST /notify": "R", "POST /predict": "E"}
    for one in everything(each):
        action = actions.get(f"{one.sent['method']} {one.route}", "")
        assert one.access == (action if one.status < 300 else ""), one.kind


def paths(part: recipe.Part) -> Iterator[tuple[Asked, list[Any]]]:
    """(request, the rules that a call of the laboratory for it meets)."""
    rules = [(re.compile(rule["path"]), rule["replies"]) for one in asked(part) for rule in one.rules]
    for one in asked(part):
        # Under which id the service asks is its own business.
        path = f"/results?mrn={people()[one.person].mrn if one.person >= 0 else 'MRN1'}&request_id=1&more=1"
        yield one, [replies for pattern, replies in rules if pattern.fullmatch(path)]


@pytest.mark.parametrize("each", SIZES)
def test_the_laboratory_answers_each_call_as_expected(each):
    """Up to three calls, another after one that was too slow or 503."""
    for part in made(each).parts:
        for one, rules in paths(part):
            if one.kind == "create":  # which the laboratory is not asked for
                continue
            assert len(rules) == bool(one.calls), one.kind
            came: list[int] = []
            while rules and len(came) < LAB_ATTEMPTS and (not came or came[-1] in (0, 503)):
                reply = rules[0][min(len(came), len(rules[0]) - 1)]
                came.append(0 if reply.get("delay_s", 0) > TIMEOUT_S else reply["status"])
            assert tuple(came) == one.calls, one.kind


@pytest.mark.parametrize("each", SIZES)
def test_delays_of_the_laboratory_are_clear_of_its_timeout(each):
    delays = {reply.get("delay_s", 0) for one in everything(each) for rule in one.rules for reply in rule["replies"]}
    assert not [delay for delay in delays if TIMEOUT_S - 0.04 < delay < 1.5 * TIMEOUT_S]
    left = [one for one in everything(each) if one.kind == "cancelled"]
    assert left
    for one in left:
        assert 0 < one.sent["hang_up_s"] < one.rules[0]["replies"][0]["delay_s"]
    assert all("hang_up_s" not in one.sent for one in everything(each) if one.kind != "cancelled")


@pytest.mark.parametrize("each", SIZES)
def test_a_risk_follows_from_what_is_sent_and_what_the_laboratory_says(each):
    for one in everything(each):
        if one.route != "/predict" or one.code == "invalid_input":
            continue
        body = json.loads(content(one))
        labs = body["labs"]
        assert ("creatinine" in labs) == (not one.calls)
        if one.status == 200:
            last = one.rules[0]["replies"][-1]["body"] if one.calls else json.dumps(labs)
            creatinine = json.loads(last)["creatinine"]
            assert one.risk == risk_of(body["age"], creatinine, labs["haemoglobin"], labs["sodium"])
        else:
            assert one.risk is None


def test_a_risk_is_what_the_model_says():
    assert risk_of(60, 1, 13, 139) == 0.0392  # 1 / (1 + e^3.2)


@pytest.mark.parametrize("each", SIZES)
def test_requests_can_be_sent(each):
    """By a client that refuses paths and headers that HTTP does not have."""
    for one in everything(each):
        json.dumps(one.sent, allow_nan=False)
        link = HTTPConnection("127.0.0.1", 9)  # nobody is called before the headers end
        link.putrequest(one.sent["method"], one.sent["path"])
        for name, value in one.sent["headers"].items():
            link.putheader(name, value)
        assert not ({"body", "body64"} <= set(one.sent))
        content(one).encode()


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("huge", lambda text: len(json.loads(text)["note"]) < 0.99 * HUGE),
        ("malformed_json", lambda text: text.endswith("}")),
        ("ansi", lambda text: text and "\\u001b" not in text),
    ],
)
def test_odd_requests_are_odd(kind: str, wrong: Callable[[str], bool]):
    assert not [one for one in everything() if one.kind == kind and wrong(content(one))]


def test_bodies_of_a_wrong_character_set_are_no_utf_8():
    for one in everything():
        if one.kind == "charset":
            with pytest.raises(UnicodeDecodeError):
                base64.b64decode(one.sent["body64"]).decode()


def test_a_line_that_is_to_be_forged_is_in_a_name_and_in_a_header():
    odd = [one for one in everything() if one.kind == "crlf"]
    names = {id_of(one): content(one) for part in made().parts for one in registrations(part)}
    assert all(r"\r\n{\"event\": \"request\"" in names[id_of(one)] for one in odd)
    assert any("/forged" in one.sent["headers"]["X-User"] for one in odd)


NO = (503, "audit_unavailable")


def test_while_no_log_can_be_written_nobody_s_data_are_taken_or_given():
    said = [(one.sent["method"], one.route, one.status, one.code) for one in asked(made().parts[2])]
    assert said == [
        ("GET", "/health", 200, ""),
        ("POST", "/patients", *NO),
        ("GET", "/patients/{id}", *NO),
        ("GET", "/patients", *NO),
        ("POST", "/predict", *NO),
        ("POST", "/label", *NO),
        ("POST", "/notify", *NO),
        ("GET", "/health", 200, ""),
    ]


def test_whom_it_asks_about_while_no_log_can_be_written_the_service_knows():
    """Or it had nothing to give: each of them was registered at DEBUG, and the one to be taken was not."""
    registered = {one.person for one in registrations(made().parts[1])}
    taken, *known = (one for one in asked(made().parts[2]) if one.person >= 0)
    assert taken.person not in registered
    assert len({one.person for one in known}) == len(known) == recipe.BLOCKED
    assert {one.person for one in known} <= registered
    assert not [one for one in (taken, *known) if one.access or one.calls or one.risk is not None]


def test_a_writer_begins_with_the_first_of_its_people():
    writer = Writer(Seed.from_int(1), people()[7:], "some")
    index, body = writer.known(sex="other")
    assert (index, body) == (0, {**people()[7].body, "sex": "other"})
    assert [one.person for one in writer.setup] == [0]
    assert writer.someone() == (1, people()[8].body)


# Card, files, truth


def test_cards_differ_and_can_be_followed():
    cards = [recipe.draw_card(Seed.from_int(n)) for n in range(40)]
    assert {card["anchor_every"] for card in cards} == set(recipe.EVERY)
    for card in cards:
        recipe.check_card(card)
        assert tomllib.loads(recipe.card_text(card)) == card


@pytest.mark.parametrize(
    "card",
    [
        {},
        {"anchor_every": 20, "more": 1},
        {"every": 20},
        *({"anchor_every": value} for value in (0, 1001, -1, 20.0, "20", True, None, [20])),
    ],
)
def test_a_card_that_cannot_be_followed_is_refused_in_one_line(card):
    with pytest.raises(ValueError, match="anchor_every") as refusal:
        recipe.scene(Seed.from_int(1), {"each": 1}, card)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("every", [1, 1000])
def test_the_ends_of_what_a_card_may_say(every):
    recipe.check_card({"anchor_every": every})


def test_hidden_data_show_the_card_and_no_more():
    assert dict(made(hidden=1).public) == {"card.toml": recipe.card_text(CARD).encode()}


@pytest.mark.parametrize(("settings", "practice"), [({}, False), ({"hidden": 1}, False), ({"hidden": 0}, True)])
def test_data_are_hidden_unless_they_are_asked_for_as_practice(settings, practice):
    scene = recipe.scene(Seed.from_int(1), {"each": 1, **settings}, CARD)
    assert scene.practice == practice
    assert ("requests.ndjson" in scene.public) == practice


def test_practice_data_show_what_will_be_sent_and_what_kind_it_is():
    scene = made(hidden=0)
    lines = [json.loads(line) for line in scene.public["requests.ndjson"].decode().splitlines()]
    assert len(lines) == sum(len(asked(part)) for part in scene.parts)
    for line, (level, one) in zip(lines, ((p.level, q) for p in scene.parts for q in asked(p)), strict=True):
        assert line == {"level": level, "kind": one.kind, "status": one.status, **one.sent}


@pytest.mark.parametrize("hidden", [0, 1])
def test_public_files_hold_no_key(hidden):
    text = b"".join(made(hidden=hidden).public.values()).decode()
    assert not [name for name, key in made(hidden=hidden).keys.items() if key in text or name in text]


def test_hidden_files_hold_nobody():
    text = b"".join(made().public.values()).decode().lower()
    words = {value.lower() for patient, details in made().details for value in (patient, *details.values())}
    assert not [word for word in words | {one.rid for one in everything()} if word in text]


def test_keys_are_long_and_of_their_own():
    keys = made().keys
    assert set(keys) == {"LOG_KEY", "AUDIT_KEY"}
    assert len(set(keys.values())) == 2
    assert all(re.fullmatch("[0-9a-f]{32,}", key) for key in keys.values())


@pytest.mark.parametrize("each", SIZES)
def test_the_truth_gives_back_what_should_come_of_every_request(each):
    scene, told = made(each), truth(each)
    assert (told.card, told.keys) == (CARD, scene.keys)
    assert [play.level for play in told.plays] == [part.level for part in scene.parts]
    for play, part in zip(told.plays, scene.parts, strict=True):
        assert play.requests == tuple(scene.expected(one) for one in asked(part))
        assert play.steps == tuple((role, len(batch)) for role, batch in recipe.steps_of(part))
        assert play.starts == len(part.batches) == [role for role, _ in play.steps].count("start")
        assert sum(count for role, count in play.steps if role == "http") == len(play.requests)
        assert all(count == 0 for role, count in play.steps if role != "http")


def test_the_truth_tells_of_people_as_they_were_sent():
    for play, part in zip(truth().plays, made().parts, strict=True):
        for one, sent in zip(play.requests, asked(part), strict=True):
            assert set(one.details) == (set(FIELDS) if one.patient else set())
            if one.kind == "create":
                body = json.loads(content(sent))
                assert body["id"] == one.patient
                # Some names are made longer, to be odd.
                assert all(one.details[field] in body[field] for field in set(FIELDS) - {"note"})
                assert all(one.details[f] == body[f] for f in ("mrn", "ssn", "birthDate", "email", "phone", "address"))


# Steps


def played(scene: recipe.Scene, fails: int = -1) -> Iterator[Request]:
    """The requests of a play in which one step, by number, does not succeed."""
    steps = scene.steps()
    request = next(steps)
    for number in itertools.count():
        yield request
        try:
            request = steps.send(REFUSED if number == fails else OK)
        except StopIteration:
            return


def test_a_life_is_started_asked_looked_at_and_stopped_per_batch():
    requests = list(played(made()))
    life = ["restart", "http", "peers", "stop"]
    assert [request.op for request in requests] == [*life * 2, *life * 2, *life, "peers"]
    # What a service leaves behind is taken up, and what is there before it is told to leave.
    assert [request.op for request in requests if request.collect] == ["peers", "stop"] * 5
    assert {request.grace_s for request in requests if request.op in ("restart", "stop")} == {4.0}
    assert all(not request.files for request in requests)


def test_what_is_sent_is_what_is_counted():
    sent = [request.requests for request in played(made()) if request.op == "http"]
    batches = [batch for part in made().parts for batch in part.batches]
    assert sent == [tuple(one.sent for one in batch) for batch in batches]
    counts = [count for play in truth().plays for role, count in play.steps if role == "http"]
    assert [len(requests) for requests in sent] == counts


def starts() -> list[Request]:
    return [request for request in played(made()) if request.op == "restart"]


def test_a_restart_finds_what_was_left_and_another_life_does_not():
    """But for the last, which has the patients of the one before."""
    assert [request.keep_out for request in starts()] == [False, True, False, True, True]
    assert len({request.env["DB_PATH"] for request in starts()}) == 1


def test_the_service_is_called_as_the_brief_says():
    levels = ["INFO", "INFO", "DEBUG", "DEBUG", "INFO"]
    folders = [OUT_DIR] * 4 + [IN_DIR]  # what is given is not to be written to
    for request, level, folder in zip(starts(), levels, folders, strict=True):
        assert request.args == ("--port", "@port", "--log-dir", folder, "--level", level)


def test_the_environment_is_the_brief_s():
    (line,) = re.findall(r"^ *environment: .*", BRIEF.read_text("utf-8"), re.MULTILINE)
    names = set(re.findall(r"\b[A-Z]+_[A-Z]+\b", line))
    for request in starts():
        assert set(request.env) == names
        assert {name: request.env[name] for name in made().keys} == made().keys
        assert (request.env["ANCHOR_URL"], request.env["LAB_URL"]) == ("@anchor/anchor", "@lab")
        assert request.env["ANCHOR_EVERY"] == str(CARD["anchor_every"])
        assert request.env["DB_PATH"].startswith(f"{OUT_DIR}/")


def test_peers_have_the_rules_of_the_whole_life():
    """A restart does not take away answers: all that is asked in the life may be asked after each of its starts."""
    lives = [part for part in made().parts for _ in part.batches]
    for request, part in zip(starts(), lives, strict=True):
        assert set(request.peers) == {"@lab", "@anchor"}
        assert request.peers["@lab"] == [rule for one in asked(part) for rule in one.rules]
        (anchor,) = request.peers["@anchor"]
        assert re.fullmatch(anchor["path"], "/anchor")
        assert [reply["status"] for reply in anchor["replies"]] == [200]
        assert all(re.compile(rule["path"]) for rule in request.peers["@lab"])


def test_a_service_that_does_not_start_is_asked_nothing():
    assert [request.op for request in played(made(), fails=0)] == ["restart"]


@pytest.mark.parametrize("step", [1, 2, 3, 6, 12])
def test_a_step_that_fails_later_does_not_end_the_play(step):
    assert list(played(made(), fails=step)) == list(played(made()))


@pytest.mark.parametrize("each", SIZES)
def test_each_half_ends_with_its_metrics(each):
    for part in made(each).parts[:2]:
        assert [batch[-1].kind for batch in part.batches] == ["metrics", "metrics"]
