import base64
import hashlib
import time

import numpy as np
import pandas as pd
import pytest

from graders.measures import leakage
from graders.measures.leakage import IdentifierScan


def how(kind: str, value: str, *cells: str, kept: str | None = None) -> str:
    """What the scan says of one identifier and the output cells of its row."""
    identifiers = pd.DataFrame({"owner": ["r"], "kind": [kind], "value": [value]})
    rows = pd.DataFrame({"owner": ["r"] * len(cells), "text": pd.Series(cells, dtype="str")})
    allowed = None if kept is None else pd.DataFrame({"owner": ["r"], "text": [kept]})
    return IdentifierScan(identifiers, allowed).scan(rows).how[0]


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
    assert how("NAME", "Quintero", "x" * (leakage.LONGEST_READ + 1)) == "too long to read"


@pytest.mark.parametrize(
    "unit", ["1 ", "1   ", "a", "deadbee1 ", "1/1/", "mar ", "\ud800", "%41", "&amp;", "QXJv ", "\ufdfa"]
)
def test_hostile_text_is_scanned_in_bounded_time(unit):
    identifiers = pd.DataFrame(
        [("r", "NAME", "Quintero"), ("r", "PHONE", "559-555-0143"), ("r", "DATE", "1931-01-11")],
        columns=["owner", "kind", "value"],
    )
    text = (unit * leakage.LONGEST_READ)[: leakage.LONGEST_READ]
    start = time.process_time()
    IdentifierScan(identifiers).scan(pd.DataFrame({"owner": ["r"], "text": pd.Series([text], dtype=object)}))
    assert time.process_time() - start < 2


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


def test_a_table_is_scanned_at_fifty_thousand_cells_a_second_or_more():
    identifiers, rows = chart(1000, seed=7)
    start = time.process_time()
    IdentifierScan(identifiers).scan(rows)
    rate = len(rows) / (time.process_time() - start)
    assert rate > 50_000, f"{rate:,.0f} cells a second"
