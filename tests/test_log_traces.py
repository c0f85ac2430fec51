import base64
import gzip
import hashlib
import hmac
import json
import random
import tracemalloc
from datetime import date

import pytest
from benchmarks.log_traces import DATE_FORMS, TRANSFORMS, clean_log, line_with, people, planted
from hypothesis import given, settings
from hypothesis import strategies as st

from graders.measures.log_forms import FIELDS, Planted
from graders.measures.log_traces import Hit, Traces

SOME = people(60, 7)
ONE = {
    "family": "Quintørra-Vexholm",
    "given": "Brysenda",
    "birthDate": "1950-03-14",
    "mrn": "MRN48213907",
    "ssn": "912-34-5678",
    "phone": "(212) 555-0143",
    "email": "brysenda.quintorra@example.org",
    "address": "4711 Zwilpert Street, Norkheim 93722",
    "note": "Patient keeps eleven zwilfinches in the glarn barn.",
}


@pytest.fixture(scope="module")
def scan() -> Traces:
    return Traces(planted([*SOME, ONE]))


def found(scan: Traces, text: str | bytes) -> set[tuple[int, str]]:
    return {(h.request, h.field) for h in scan.find(text)}


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("how", TRANSFORMS)
def test_every_transform_of_every_kind_is_caught(scan, how, field):
    # A CRC-32 of digits only is not looked for.
    cases = [n for n in range(12) if how != "CRC-32" or not TRANSFORMS[how](SOME[n][field], field, SOME[n]).isdigit()]
    lines = {n: line_with(TRANSFORMS[how](SOME[n][field], field, SOME[n]), random.Random(n)) for n in cases}
    assert [n for n, line in lines.items() if (n, field) not in found(scan, line)] == []


@pytest.mark.parametrize("form", DATE_FORMS)
@pytest.mark.parametrize("number", range(8))
def test_every_form_of_a_birth_date_is_caught(scan, form, number):
    one = SOME[number]
    text = DATE_FORMS[form](date.fromisoformat(one["birthDate"])).format(**one)
    assert (number, "birthDate") in found(scan, f'{{"level":"ERROR","detail":"{text}"}}')


def test_every_kind_has_a_value_and_the_person_of_the_negative_list_is_found(scan):
    for field, value in ONE.items():
        assert (len(SOME), field) in found(scan, f"detail={value!r}"), field


NOTHING = [
    "1950",
    "year 1950",
    "the 14th of March",
    "1950-03",
    "1950-03-15",
    "2026-03-14",
    "5678",
    "***-**-5678",
    "912-34-5679",
    "912-34",
    "0143",
    "555-0143",
    "(212) 555",
    "(213) 555-0143",
    "213907",
    "0.48213907",
    "bytes=48213907",
    '"size": 19500314',
    "took 912345678 ns",
    "148213907",
    "MRN48213908",
    "MRN482",
    "a48213907b",
    "Bryse",
    "Brys",
    "Brysendorf",
    "Quint",
    "example.org",
    "nobody@example.org",
    "Street",
    "93722",
    "4711",
    "Patient keeps",
    "birthDate",
    '{"loc": ["body", "birthDate"], "ms": -7233}',
    "-7233",
    "2026-11-22 19:50:03.14",
    "10.14.03.50",
    "GET 195 00314",
    hmac.new(b"a key", b"MRN48213907", "sha256").hexdigest(),
    hmac.new(b"a key", b"MRN48213907", "sha256").hexdigest()[:16],
    base64.b64encode(hmac.digest(b"a key", b"MRN48213907", "sha256")).decode(),
    hashlib.sha256(b"salt" + b"MRN48213907").hexdigest(),
    hashlib.sha256(b"MRN48213907").hexdigest()[:11],
    hashlib.sha256(b"MRN48213908").hexdigest(),
]


@pytest.mark.parametrize("text", NOTHING)
def test_what_tells_of_nobody_is_no_hit(scan, text):
    assert scan.find(f'{{"ts":"2026-11-22T12:23:39.482Z","detail": {text} }}') == []


def test_short_pieces_count_beside_another_value_of_the_same_request(scan):
    me, other = len(SOME), SOME[0]["family"]
    assert (me, "birthDate") in found(scan, "Brysenda, 1950-03")
    assert (me, "birthDate") not in found(scan, f"{other}, 1950-03")
    assert (me, "birthDate") in found(scan, "Brysenda, born 1950")
    assert (me, "birthDate") not in found(scan, "Brysenda, 1950 bytes")
    assert (me, "mrn") in found(scan, "mrn=***213907")
    assert (me, "birthDate") in found(scan, '"birth_days": -7233')


def test_an_email_address_is_not_reported_as_two_names(scan):
    plain = {**ONE, "family": "Quintorra"}
    hits = Traces(planted([plain])).find("sent to brysenda.quintorra@example.org")
    assert [(h.field, h.how) for h in hits] == [("email", "plain")]


def test_a_hit_says_the_disguise_and_the_line(scan):
    code = base64.b64encode(gzip.compress(b"MRN48213907", mtime=0)).decode()
    text = f"first line\nx=%4DRN4%38213907\n{code}\n{hashlib.md5(b'912-34-5678').hexdigest()}\n"
    me = len(SOME)
    assert scan.find(text) == [
        Hit(me, "mrn", "URL", 11),
        Hit(me, "mrn", "gzip in base64", text.index(code)),
        Hit(me, "ssn", "md5", text.rindex("\n", 0, -1) + 1),
    ]


def test_encodings_within_one_another(scan):
    inner = base64.b64encode(json.dumps({"name": "Brysenda \u00fc"}).encode()).decode()
    assert (len(SOME), "given") in found(scan, base64.b64encode(inner.encode()).decode().replace("=", "%3D"))


def test_bytes_of_any_kind_are_read(scan):
    me = len(SOME)
    assert (me, "family") in found(scan, ONE["family"].encode("latin-1"))
    assert (me, "family") in found(scan, ONE["family"].encode("utf-16"))
    assert (me, "family") in found(scan, gzip.compress(ONE["family"].encode()))
    assert scan.find(bytes(range(256)) * 4) == []
    assert scan.find(b"") == []


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b", gzip.compress(b"nothing", mtime=0)])
def test_what_bytes_begin_with_hides_nothing(scan, mark):
    assert (len(SOME), "mrn") in found(scan, mark + b"mrn=" + ONE["mrn"].encode() + b"\n")


def test_every_member_of_a_gzip_file_is_read(scan):
    assert (len(SOME), "mrn") in found(scan, gzip.compress(b"nothing\n", mtime=0) + gzip.compress(ONE["mrn"].encode()))


def test_a_long_line_hides_nothing(scan):
    me, dots = len(SOME), "." * 997
    for before in range(0, 9000, 331):
        text = "-" * before + f" {ONE['email']} {ONE['mrn']} " + dots * 9 + ONE["family"]
        assert {(me, "email"), (me, "mrn"), (me, "family")} <= found(scan, f"first\n{text}\n{text}\n")
    assert {hit.start for hit in scan.find(f"first\n{text}\nlast")} == {6}


def _filled(text: str) -> str:
    return (text * (300_000 // len(text) + 1))[:300_000]


_BOMB = gzip.compress(b"a" * 3_000_000, mtime=0)
_EVERYBODY = " ".join(" ".join(one.values()) for one in SOME)
BOMBS = {
    "gzip in base64": "\n".join(base64.b64encode(b"%d" % n + _BOMB).decode()[4:] for n in range(30)),
    "gzip in gzip": gzip.compress(gzip.compress(b"a" * 300_000_000, 1), 1),
}
HOSTILE = {
    "quoted-printable": _filled("=3D=\n"),
    "gzip in base64": "\n".join(base64.b64encode(b"%d" % n + _BOMB).decode()[4:] for n in range(70)),
    "gzip in base64, of leaks": base64.b64encode(gzip.compress(_EVERYBODY.encode() * 30)).decode(),
    "gzip in gzip": gzip.compress(gzip.compress(_EVERYBODY.encode() * 60)),
    "letters": _filled("g"),
    "one line": _filled(_EVERYBODY),
    "one line of dates": "birth " + _filled("1-"),
    "all codes": _filled("%2541&amp;#65;\\x41=41=41 \\u0041 "),
    "a number that Python refuses": "&amp;&#" + _filled("1"),
    "separators": _filled("Brysen" + "_" * 5),
    "lists": _filled('["a", "b", "c", "d", "e", '),
    "ASCII85": _filled("<~abc"),
}


@pytest.mark.parametrize("sort", HOSTILE)
def test_any_hostile_text_is_read(scan, sort):
    """In seconds, as the benchmark says: this ends at all."""
    scan.find(HOSTILE[sort])


@pytest.mark.parametrize("sort", ["gzip in base64", "gzip in gzip"])
def test_what_is_packed_takes_little_memory(scan, sort):
    tracemalloc.start()
    scan.find(BOMBS[sort])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000_000


def test_no_value_can_be_read_in_what_is_shown(scan):
    one = Planted(3, "family", "Brysenda")
    assert "Brysenda" not in repr(one)
    with pytest.raises(ValueError, match="request 3: 'colour' is none of") as error:
        Traces([Planted(3, "colour", "Brysenda")])
    assert "Brysenda" not in str(error.value)
    assert all(v not in repr(scan.find(" ".join(ONE.values()))) for v in ONE.values())


@pytest.mark.parametrize("seed", [11, 12])
def test_clean_lines_hold_nothing(seed):
    assert Traces(planted(people(600, seed))).find(clean_log(20_000, seed)) == []


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error(text):
    Traces([Planted(0, "family", "Quintørra-Vexholm")]).find(text)
    Traces([Planted(0, "mrn", "MRN48213907")]).find(text.encode("utf-8", "replace"))
