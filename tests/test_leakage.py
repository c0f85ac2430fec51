import base64
import hashlib

import numpy as np
import pandas as pd
import pytest

from graders.measures import disguises, leakage
from graders.measures.leakage import IdentifierScan


def how(kind: str, value: str, *cells: str, kept: str | None = None) -> str:
    """What the scan says of one identifier and the output cells of its row."""
    identifiers = pd.DataFrame({"owner": ["r"], "kind": [kind], "value": [value]})
    rows = pd.DataFrame({"owner": ["r"] * len(cells), "text": pd.Series(cells, dtype="str")})
    allowed = None if kept is None else pd.DataFrame({"owner": ["r"], "text": [kept]})
    return IdentifierScan(identifiers, ["036"], allowed).scan(rows).how[0]


def sha(name: str, text: str) -> str:
    return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(
    ("kind", "value", "left", "gone"),
    [
        (
            "NAME",
            "Rosa Quintero",
            ["Rosa Quintero", "QUINTERO, ROSA", "Mrs. Quintero", "Rosa", "rosa_quintero.txt"],
            [],
        ),
        (
            "NAME",
            "Quintero",
            ["Quintero", "Qu\u200bintero", "Quinter\u043e", "Quint&#101;ro"],
            ["Quinterosa", "Q.", "X"],
        ),
        ("NAME", "Jos\u00e9", ["Jose", "JOSE\u0301"], ["Joseph"]),
        ("NAME", "Li", ["Li", "LI, Wei"], ["Lisinopril 10 mg", "L"]),
        ("NAME", "Crohn", ["Crohn"], ["Crohns"]),
        ("NAME", "Mr. de la Cruz", ["Cruz"], ["de la", "Mr.", "Santa Clara"]),
        (
            "PHONE",
            "559-555-0143",
            ["5595550143", "(559) 555 0143", "+1 559.555.0143", "559-555-0143 x22", "1-5595550143"],
            ["559-555-0188", "559", "140 3.5 0143", "XXX"],
        ),
        ("SSN", "900-12-3457", ["900123457", "900 12 3457", "900123457.0"], ["912-33-7001", "***-**-3457"]),
        (
            "MRN",
            "00485721",
            ["485721", "00485721", "485721.0", "MRN:0485721"],
            ["913377", "4857", "48572100000.5 mg"[-4:]],
        ),
        ("MRN", "A-77-4821-Q", ["A774821Q", "a-77-4821-q", "77-4821"], ["4821", "B-12-3456-Z"]),
        ("HEALTH_PLAN", "1EG4-TE5-MK73", ["1EG4TE5MK73", "1eg4 te5 mk73"], ["2AB1-CD2-EF34"]),
        ("EMAIL", "rosa.p@example.org", ["rosa.p@example.org", "rosa.p at example.org"], ["info@example.org", ""]),
        ("LOCATION", "1432 W Alder Ave", ["1432 W Alder Ave", "Alder Ave", "1432 [STREET]"], ["W Ave", "Ave"]),
        ("LOCATION", "93722", ["93722", "93722-1234"], ["937", "93701", "937**", "1937221"]),
        ("LOCATION", "03601", ["03601", "036", "036**"], ["000", "0.036", "1036", "10630"]),
        ("LOCATION", "Tulare County", ["Tulare", "TULARE"], ["County", "Kern County"]),
        (
            "DATE",
            "1931-03-14",
            ["1931-03-14", "03/14/1931", "14 March", "19310314"],
            ["1931", "1931-03-20", "2001-03-14"],
        ),
        ("IP", "192.0.2.17", ["192.0.2.17"], ["192.0.2.44"]),
        ("URL", "portal.example.com/rp1931", ["https://portal.example.com/rp1931"], ["portal.example.com"]),
        ("DEVICE", "SN74479380", ["SN74479380", "74479380"], ["SN12345678"]),
    ],
)
def test_spellings_of_each_kind(kind, value, left, gone):
    assert [w for w in left if how(kind, value, "Na 140", w, "female") != "plain"] == []
    assert [w for w in gone if how(kind, value, "Na 140", w, "female") != ""] == []


@pytest.mark.parametrize(
    ("kind", "value", "cell", "way"),
    [
        ("NAME", "Quintero", "oretniuQ", "reversed"),
        ("PHONE", "559-555-0143", "3410555955", "reversed"),
        ("NAME", "Quintero", base64.b64encode(b"Rosa Quintero, seen today").decode(), "encoded"),
        ("SSN", "900-12-3457", base64.b64encode(b"900123457").decode().rstrip("="), "encoded"),
        ("EMAIL", "rosa.p@example.org", base64.urlsafe_b64encode(b"rosa.p@example.org").decode(), "encoded"),
        ("NAME", "Quintero", b"Quintero".hex(), "encoded"),
        ("NAME", "Rosa Quintero", "Rosa%20Quintero", "plain"),
        ("EMAIL", "rosa.p@example.org", "rosa.p%40example.org", "plain"),
        ("MRN", "00485721", sha("sha256", "00485721"), "hashed"),
        ("MRN", "00485721", sha("md5", "485721"), "hashed"),
        ("SSN", "900-12-3457", sha("sha1", "900123457").upper(), "hashed"),
        ("SSN", "900-12-3457", "id-" + sha("sha256", "900-12-3457")[:12], "hashed"),
        ("NAME", "Rosa Quintero", sha("sha512", "quintero"), "hashed"),
        ("NAME", "Rosa Quintero", sha("sha256", "Quintero"), "hashed"),
    ],
)
def test_disguises_that_hide_nothing(kind, value, cell, way):
    assert how(kind, value, "female", cell) == way


def test_a_keyed_hash_hides():
    import hmac

    for maker in ("md5", "sha1", "sha256"):
        assert how("MRN", "00485721", hmac.new(b"a secret", b"00485721", maker).hexdigest()) == ""


@pytest.mark.parametrize(
    "cell",
    ["P{}", "PA{}", "pt_{}", "{}Z", "P{}-{}", "P{}B"],
)
@pytest.mark.parametrize("length", [8, 12, 16, 64])
def test_a_hash_cut_short_and_between_other_letters_hides_nothing(cell, length):
    digest = sha("sha256", "A-000123")[:length]
    assert not digest.isdigit()
    assert how("MRN", "A-000123", cell.format(digest, "1")) == "hashed"
    other = sha("sha256", "A-000124")[:length]
    assert how("MRN", "A-000123", cell.format(other, "1")) == ""


def test_seven_digits_of_a_hash_are_too_few():
    assert how("MRN", "A-000123", "P" + sha("sha256", "A-000123")[:7]) == ""


def test_keyed_codes_of_many_patients_raise_no_alarm():
    """Codes of 8 to 32 digits, behind a letter: none agrees with an unkeyed hash by chance."""
    import hmac

    owners = range(3000)
    identifiers = pd.DataFrame({"owner": owners, "kind": "MRN", "value": [f"A-{n:06d}" for n in owners]})
    for length in (8, 16, 32):
        codes = ["P" + hmac.new(b"a secret", b"%d" % n, "sha256").hexdigest()[:length] for n in owners]
        assert not IdentifierScan(identifiers).scan(pd.DataFrame({"owner": owners, "text": codes})).leaked.any()


INVISIBLE = [
    "\u034f",
    "\u115f",
    "\u1160",
    "\u3164",
    "\uffa0",
    "\u00ad",
    "\u2060",
    "\u180b",
    "\ufe0f",
    "\U000e0041",
    "\x08",
]


@pytest.mark.parametrize("filler", INVISIBLE, ids=ascii)
def test_invisible_characters_hide_nothing(filler):
    assert how("NAME", "Quintero", filler.join("Quintero")) == "plain"
    assert how("SSN", "900-12-3457", filler.join("900-12-3457")) == "plain"
    assert how("NAME", "Quintero", filler.join("Lindqvist")) == ""


@pytest.mark.parametrize(
    ("kind", "value", "left", "gone"),
    [
        ("NAME", "Rosa", ["R o s a", "R.o.s.a", "R_x_o_x_s_x_a", "R o s a / Q u i n t e r o", "r-o-s-a"], ["N o r a"]),
        ("NAME", "Ana", [], ["A n a l g e s i a", "n/a, n/a"]),
        ("SSN", "900-12-3457", ["9 0 0 - 1 2 - 3 4 5 7", "9 : 0 : 0 : 1 : 2 : 3 : 4 : 5 : 7"], ["9 0 0 1 2 9 9 9 9"]),
        ("SSN", "900-12-3457", ["900:12:3457", "900, 12, 3457", "900_12_3457"], ["900:12:9999"]),
        ("MRN", "00485721", ["4;8;5;7;2;1"], ["4;8;5", "04:85:721 am"]),
        ("EMAIL", "rosa.p@example.org", ["r o s a . p @ e x a m p l e . o r g"], []),
        (
            "NAME",
            "Quintero",
            ["Quinter\u1d0f", "\ua7af\u1d1c\u026a\u0274\u1d1b\u1d07\u0280\u1d0f"],
            [],
        ),
        ("PHONE", "559-555-0143", ["".join(chr(0x104A0 + int(d)) for d in "5595550143")], []),
        ("NAME", "Jos\u00e9", ["J\u034fo\u0301s\u0323e\u0301"], []),
    ],
)
def test_letters_set_apart_or_drawn_otherwise(kind, value, left, gone):
    assert [w for w in left if how(kind, value, "Na 140", w, "female") != "plain"] == []
    assert [w for w in gone if how(kind, value, "Na 140", w, "female") != ""] == []


def test_single_characters_of_neighbouring_cells_spell_nothing():
    assert how("NAME", "Rosa", "R", "o", "s", "a") == ""


def test_two_names_of_one_person_written_as_one_word():
    names = pd.DataFrame({"owner": 1, "kind": "NAME", "value": ["Rosa", "Quintero", "May"]})
    for text, expected in {"RosaQuintero": [True, True, False], "Rosalind Quinteros": [False] * 3}.items():
        assert IdentifierScan(names).scan(pd.DataFrame({"owner": [1], "text": [text]})).leaked.tolist() == expected


def test_only_the_rows_own_cells_are_searched():
    identifiers = pd.DataFrame({"owner": [1, 2, 3], "kind": "NAME", "value": ["White", "Quintero", "Gone"]})
    rows = pd.DataFrame({"owner": [1, 2, 2, 9], "text": ["Quintero", "White", "female", "Gone"]})
    assert IdentifierScan(identifiers).scan(rows).leaked.tolist() == [False, False, False]
    assert IdentifierScan(identifiers).scan(rows.assign(owner=[2, 1, 1, 3])).leaked.tolist() == [True, True, True]


def test_a_name_that_a_kept_cell_rightly_holds_is_no_evidence():
    assert how("NAME", "Grace White", "White", "female", kept="White female") == ""
    assert how("NAME", "Grace White", "White", "Grace", kept="White female") == "plain"
    assert how("NAME", "Grace White", "White", "female") == "plain"


def test_numbers_of_neighbouring_cells_do_not_run_together():
    assert how("PHONE", "559-555-0143", "559", "555", "0143") == ""


def test_a_row_too_long_to_read_counts_as_leaked():
    assert how("NAME", "Quintero", "x" * leakage.LONGEST_READ) == ""
    assert how("NAME", "Quintero", "x" * (leakage.LONGEST_READ + 1)) == "not read"
    assert how("NAME", "Quintero", "\ufdfa" * (leakage.LONGEST_READ // 2)) == "not read"


def test_a_row_of_more_codes_than_are_examined_counts_as_leaked():
    rng = np.random.default_rng(3)
    codes = [f"{n:08x}" for n in rng.integers(2**28, 2**32, 3 * disguises.MOST_CODES) if not f"{n:08x}".isdigit()]
    most = disguises.MOST_CODES
    assert how("NAME", "Quintero", " ".join(codes[:most])) == ""
    assert how("NAME", "Quintero", " ".join(codes[:most] * 2)[: leakage.LONGEST_READ]) == ""
    assert how("NAME", "Quintero", " ".join(codes[: most + 1])) == "not read"


@pytest.mark.parametrize(
    "unit",
    [
        *("1 ", "1   ", "a", "deadbee1 ", "1/1/", "mar ", "\ud800", "%41", "&amp;", "QXJv ", "\ufdfa", "0", "1:2 a"),
        *("0000000a ", "aGVsbG8x ", "a b ", "a\u034f", "\u0316\u0301", "\ud55c", "&#65; ", "&aaa", "1234567 ", "_x"),
        " ".join(map(chr, range(0x4E00, 0x6000))),
        " ".join(f"{n:08x}" for n in range(2**31, 2**31 + 190)) + " ",
        "\u0301" * (leakage.LONGEST_READ // 2) + "\u0316" * (leakage.LONGEST_READ // 2),
        "&#" + "9" * leakage.LONGEST_READ,
    ],
    ids=lambda unit: ascii(unit[:9]),
)
def test_hostile_text_up_to_the_limit_is_scanned(unit):
    identifiers = pd.DataFrame(
        [("r", "NAME", "Quintero"), ("r", "PHONE", "559-555-0143"), ("r", "DATE", "1931-01-11")],
        columns=["owner", "kind", "value"],
    )
    text = (unit * leakage.LONGEST_READ)[: leakage.LONGEST_READ]
    owners = [f"r{n}" for n in range(20)]
    identifiers = pd.concat([identifiers.assign(owner=owner) for owner in owners])
    scan = IdentifierScan(identifiers)
    found = scan.scan(pd.DataFrame({"owner": owners, "text": pd.Series([text] * 20, dtype=object)}))
    assert len(found.leaked) == 60


def test_missing_text_and_empty_identifiers_hold_nothing():
    identifiers = pd.DataFrame(
        {"owner": ["r", "r"], "kind": "NAME", "value": pd.Series(["Quintero", None], dtype="str")}
    )
    rows = pd.DataFrame({"owner": ["r", "r"], "text": pd.Series([None, ""], dtype="str")})
    assert IdentifierScan(identifiers).scan(rows).how.tolist() == ["", ""]


def chart(owners: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ten identifiers and twenty clean output cells per owner."""
    rng = np.random.default_rng(seed)
    numbers = rng.integers(10**7, 10**8, (owners, 8))
    places, cells = [], []
    for o in range(owners):
        a, b, c, d, e, f, g, h = numbers[o].tolist()
        places += [(o, "NAME", f"Given{a}"), (o, "NAME", f"Family{b}"), (o, "MRN", str(e)), (o, "SSN", f"9{f}")]
        places += [
            (o, "PHONE", f"559-555-01{c % 100:02d}"),
            (o, "EMAIL", f"g{d}@example.org"),
            (o, "LOCATION", f"{g} Elm"),
        ]
        places += [(o, "LOCATION", "93722"), (o, "HEALTH_PLAN", f"1EG{h}"), (o, "DATE", "1931-03-14")]
        cells += [
            (o, t) for t in ("female", "Asian", "E11.9 Type 2 diabetes mellitus without complications", "140", "mmol/L")
        ]
        cells += [
            (o, t) for t in ("2024-05-01T08:00:00", f"p{o:06d}", "metformin 500 mg oral tablet", "937", "AMB")
        ] * 3
    return pd.DataFrame(places, columns=["owner", "kind", "value"]), pd.DataFrame(cells, columns=["owner", "text"])


def test_planted_identifiers_are_found_and_clean_rows_raise_no_alarm():
    identifiers, rows = chart(300, seed=5)
    scan = IdentifierScan(identifiers)
    assert not scan.scan(rows).leaked.any()
    rng = np.random.default_rng(6)
    planted = rng.random(len(identifiers)) < 0.1
    extra = identifiers[planted].rename(columns={"value": "text"})[["owner", "text"]]
    found = scan.scan(pd.concat([rows, extra], ignore_index=True)).leaked
    assert found.tolist() == planted.tolist()


@pytest.mark.parametrize(
    ("kind", "value", "cell"),
    [
        ("NAME", "Quintero", "Quintero Family Practice"),
        ("NAME", "Quintero", "oretniuQ"),
        ("NAME", "Quintero", base64.b64encode(b"Rosa Quintero, seen").decode()),
        ("NAME", "Quintero", sha("sha256", "Quintero")[:12]),
        ("MRN", "00485721", "number 485721 of the archive"),
        ("LOCATION", "03601", "036"),
        ("DATE", "1931-03-14", "seen on 14 March 1931"),
    ],
)
def test_what_stands_in_a_cell_that_everybody_has_is_found_for_whom_it_concerns(kind, value, cell):
    owners = [*range(3 * leakage.COMMON)]
    values = [value if n % 3 == 0 else "Lindqvist" for n in owners]
    identifiers = pd.DataFrame({"owner": owners, "kind": kind, "value": values})
    rows = pd.DataFrame({"owner": owners * 2, "text": [cell] * len(owners) + ["final"] * len(owners)})
    found = IdentifierScan(identifiers, ["036"]).scan(rows)
    assert found.leaked.tolist() == [n % 3 == 0 for n in owners]


def test_two_names_in_one_word_of_a_cell_that_everybody_has_are_found():
    owners = [*range(2 * leakage.COMMON)]
    names = pd.DataFrame(
        {"owner": owners * 2, "kind": "NAME", "value": ["Rosa"] * len(owners) + ["Quintero"] * len(owners)}
    )
    rows = pd.DataFrame({"owner": owners, "text": "rosaquintero"})
    assert IdentifierScan(names).scan(rows).leaked.all()


def test_hashes_of_everybodys_identifiers_are_found_for_everybody():
    owners = [*range(5 * leakage.HASHES_TRIED)]
    identifiers = pd.DataFrame({"owner": owners, "kind": "MRN", "value": [f"A-{n:06d}" for n in owners]})
    rows = pd.DataFrame({"owner": owners, "text": [sha("sha256", f"A-{n:06d}")[:12] for n in owners]})
    codes = [t for t in rows["text"] if not t.isdigit()]
    assert (IdentifierScan(identifiers).scan(rows).how == "hashed").sum() >= len(codes)


def test_cells_that_everybody_has_make_no_row_too_long_to_read():
    owners = [*range(2 * leakage.COMMON)]
    identifiers = pd.DataFrame({"owner": owners, "kind": "NAME", "value": "Quintero"})
    cells = [f"http://example.org/fhir/a-rather-long-address/{n}" for n in range(100)]
    rows = pd.DataFrame({"owner": owners * len(cells), "text": [cell for cell in cells for _ in owners]})
    assert not IdentifierScan(identifiers).scan(rows).leaked.any()
