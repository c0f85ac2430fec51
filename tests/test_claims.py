"""A number in DECISIONS.md is right, wrong or not checkable by its query alone, and the query can do no harm."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest
from exercise_lint import TOYS
from hypothesis import given, settings
from hypothesis import strategies as st

from graders.commands import main
from graders.decisions import claims, numbers, queries
from graders.harness import sandbox
from graders.harness.kit import HOME, Kit
from synthetic_data.scene import Reply

KIT = Kit(TOYS)
EXERCISE = KIT.exercise("body_mass_index")
COUNT = "`= select count(*) from patients`"


def asked(text):
    """(number, query) of every claim with a query."""
    return [(claim.text, " ".join(claim.query.split())) for claim in numbers.read(text) if claim.query]


def listed(text):
    return [claim.text for claim in numbers.read(text)]


def agrees(text, computed, query="select x from y"):
    (claim,) = numbers.read(f"{text} `= {query}`")
    return claim.number.agrees(computed, query)


def verdicts(text):
    return [
        (one.claim.text, one.verdict)
        for one in claims.check(KIT, EXERCISE, text, None, sandbox.best())
        if one.claim.query
    ]


def connection():
    """Two tables, as the sandbox makes them."""
    found = sqlite3.connect(":memory:", isolation_level=None)
    found.execute("CREATE TABLE patients (patient_id, kg)")
    found.executemany("INSERT INTO patients VALUES (?, ?)", [("p1", 60.5), ("p2", 80), ("p3", None)])
    found.execute("CREATE TABLE notes (line INTEGER, doc TEXT)")
    found.execute("""INSERT INTO notes VALUES (1, '{"words": [3, 4]}')""")
    return found


def test_a_query_is_of_the_last_number_before_it_in_its_sentence():
    text = "Of 12 sites 3 fail. We saw 135 pairs `= select 1`.\nNext: 7\n`= select 2` and 8.5 %, says\n`= select\n3`."
    assert asked(text) == [("135", "select 1"), ("7", "select 2"), ("8.5 %", "select 3")]


def test_a_query_may_stand_in_a_block_below_its_sentence():
    text = "There are 17 of them:\n\n```sql\n= select 5\n```\n\nAnd no more."
    assert asked(text) == [("17", "select 5")]


def test_a_query_reaches_into_no_other_item_or_paragraph():
    text = "- 12 of them.\n- None here `= select 1`.\n\nIt was 4.\n\nNot this one `= select 2`."
    assert asked(text) == [("", "select 1"), ("", "select 2")]


def test_headings_lists_dates_versions_sections_identifiers_and_code_are_no_numbers():
    text = (
        "# 3 things\n1. On 2024-05-01 and 12 May 2024, at 12:05, in 2025.\n2) 45 CFR 164.312(b), section 3.4 and § 5.\n"
        "Python 3.11, v1.2.3, HMAC-SHA256, A-000703, p95, 555-0143, 999-99-9999, 03524, 90+, the 26th, `0.17`.\n"
        "~~~\n99\n~~~\nhttps://example.org/7 and 10.0.0.1.\n"
    )
    assert listed(text) == []


def test_every_other_number_is_listed_with_its_line():
    found = [
        (claim.line, claim.text)
        for claim in numbers.read("a 12.3 %\nb \u22120.5, 1,234 and .75\n\nabout 20, 65-79, 1.8x")
    ]
    assert found == [
        (1, "12.3 %"),
        (2, "\u22120.5"),
        (2, "1,234"),
        (2, ".75"),
        (4, "about 20"),
        (4, "65-79"),
        (4, "1.8x"),
    ]


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        ("135", [135, 134.6], [134, 136, 135.6]),
        ("1,234", [1234], [1235, 1]),
        ("0.217", [0.2168, 0.2175], [0.2162, 21.7]),
        ("12.3 %", [0.1234, 12.34], [0.1244, 12.44, 0.00123]),
        ("about 30 %", [0.2905, 31], [0.315, 28.9]),
        ("~1,200", [1100, 1299], [1050, 1301]),
        ("more than 40", [41, 400], [40, 39]),
        ("no more than 40", [40, 3], [41]),
        ("29 thousand", [29011], [28400]),
        ("-0.12", [-0.1234], [0.1234]),
    ],
)
def test_a_number_is_compared_at_the_precision_it_is_written_with(text, right, wrong):
    assert [value for value in right if not agrees(text, value)] == []
    assert [value for value in wrong if agrees(text, value)] == []


def test_a_share_is_no_percentage_unless_its_query_made_it_one():
    assert not agrees("0.13 %", 0.13)
    assert agrees("0.13 %", 0.13, "select 100.0 * a / b from t")
    assert agrees("13 %", 0.13)


def test_of_several_numbers_in_a_sentence_the_one_that_agrees_is_meant():
    (first, second) = claims.settled(numbers.read("13 % were not seen for 30 days `= q`"), {"q": (0.13, "")})
    assert [(first.claim.text, first.verdict), (second.claim.text, second.verdict)] == [
        ("13 %", "right"),
        ("30", "not checkable"),
    ]
    found = claims.settled(numbers.read("14 % were not seen for 30 days `= q`"), {"q": (0.13, "")})
    assert [one.claim.text for one in found if one.verdict == "wrong"] == ["14 % or 30"]


def test_a_bound_elsewhere_in_the_sentence_takes_no_query_from_its_number():
    found = claims.settled(numbers.read("Of areas with fewer than 20,000 people 4 count `= q`"), {"q": (3, "")})
    assert [one.claim.text for one in found if one.verdict == "wrong"] == ["4"]


def test_a_comment_in_a_query_ends_with_its_line():
    (claim,) = numbers.read("It is 3:\n\n```\n= select count(*) -- all\nfrom patients\n```\n")
    assert queries.ask(connection(), claim.query) == {"number": 3}


@pytest.mark.parametrize(
    ("text", "query", "computed"),
    [
        ("135", "select 135 from t limit 1", 135),
        ("999", "select 999.0 from t limit 1", 999.0),
        ("135", "select 1.35e2 from t limit 1", 135.0),
        ("135", "select 0x87 from t limit 1", 135),
        ("135", "select '135' + 0 from t limit 1", 135),
        ("0.50", "select .50 from t limit 1", 0.5),
        ("13.5 %", "select 0.135 from t limit 1", 0.135),
        ("0.17", "select 17 / 100.0 from t limit 1", 0.17),
        ("more than 40", "select 41 from t limit 1", 41),
    ],
)
def test_a_query_that_holds_its_number_is_to_be_looked_at(text, query, computed):
    (one,) = claims.settled(numbers.read(f"{text} `= {query}`"), {query: (computed, "")})
    assert (one.verdict, one.why) == ("right", claims.TYPED)
    assert claims.TYPED in claims.lines([one.as_dict()], "DECISIONS.md")[1]


def test_a_threshold_in_a_query_is_nothing_to_look_at():
    query = "select avg(score >= 0.17) from stream_1 where line > 1"
    (one,) = claims.settled(numbers.read(f"30.2 % `= {query}`"), {query: (0.302, "")})
    assert (one.verdict, one.why) == ("right", "")


@pytest.mark.sandbox
def test_right_wrong_and_not_checkable_are_told_apart():
    text = (
        f"There are 200 patients {COUNT}. There are 13 patients {COUNT}. One of 9 `= select kg from patients`. "
        "Or 9 `= select count(*) from strangers`. Or 4 `= select 4`. Or 5 `= selec`. And 6 more."
    )
    assert verdicts(text) == [
        ("200", "right"),
        ("13", "wrong"),
        ("9", "not checkable"),
        ("9", "not checkable"),
        ("4", "not checkable"),
        ("5", "not checkable"),
    ]


@pytest.mark.sandbox
def test_a_query_that_ruins_its_process_is_not_checkable_and_the_next_one_is_run():
    text = (
        "Of 1 `= select count(*) from patients where regexp('(a+)+$', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!')`, "
        f"200 are here {COUNT}."
    )
    limits = replace(claims.LIMITS, wall_s=2)
    found = claims.answers(
        EXERCISE, [query for _, query in asked(text)], claims.practice(KIT, EXERCISE, None), sandbox.best(), limits
    )
    assert found == [(None, "the query: ran past its limit of 2 s"), (200, "")]


@pytest.mark.sandbox
def test_after_three_queries_that_take_too_long_no_more_are_run():
    slow = "select regexp('(a+)+$', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!') + {} from patients"
    asked, public = [slow.format(i) for i in range(5)], {"patients.csv": b"kg\n60\n"}
    found = claims.answers(EXERCISE, asked, public, sandbox.best(), replace(claims.LIMITS, wall_s=0.7))
    said = "the query: ran past its limit of 0.7 s"
    assert [why for _, why in found] == [said] * 3 + ["queries before it took too long"] * 2


@pytest.mark.sandbox
def test_an_honest_query_that_sorts_a_large_table_comes_to_its_end():
    table = "patient,value\n" + "".join(f"p{i * 7919 % 9973},{i % 613}.5\n" for i in range(37_000))
    query = (
        "select 100.0 * avg(mean > 300 and patient regexp '[13579]$') from (select l.patient, avg(l.value) over "
        "(partition by l.patient order by l.value) as mean from labs l join "
        "(select distinct patient from labs) using (patient))"
    )
    ((number, why),) = claims.answers(EXERCISE, [query], {"labs.csv": table.encode()}, sandbox.best())
    assert (type(number), why) == (float, "")


@pytest.mark.parametrize(
    "query",
    [
        "attach '/etc/passwd' as other",
        "select count(*) from patients, (select readfile('/etc/passwd'))",
        "select load_extension('x') from patients",
        "select count(*) from sqlite_master",
        "select count(*) from pragma_table_info('patients')",
        "pragma hard_heap_limit = 0",
        "delete from patients",
        "create temp table t as select * from patients",
        "vacuum into '/tmp/x'",
        "select count(*) from patients; drop table patients",
        "select length(zeroblob(10000000000)) from patients limit 1",
        "select sum(length(printf('%*s', 100000000, kg))) from patients",
        "select random() from patients limit 1",
        "select julianday('now') from patients limit 1",
        "select 1e999 from patients limit 1",
        "select kg from patients where patient_id = 'p3'",
        "select 'p1' from patients limit 1",
        "select 5",
        "explain select count(*) from patients",
        "",
    ],
)
def test_what_is_not_one_number_selected_from_the_tables_is_refused(query):
    assert set(queries.ask(connection(), query)) == {"why"}


ENDLESS = "with recursive t(x) as (select 1 union all select x + 1 from t) select count(*) from t, patients"
LARGE = "select count(*) from (select distinct x, hex(zeroblob(2000)) from t, patients)"


@pytest.mark.parametrize(
    ("setting", "most", "query"),
    [
        ("MOST_STEPS", 1_000_000, ENDLESS),
        (
            "MOST_HEAP",
            20 * 2**20,
            ENDLESS.replace("from t)", "from t where x < 1e5)").partition("select count")[0] + LARGE,
        ),
    ],
)
def test_work_and_memory_of_a_query_have_an_end(monkeypatch, setting, most, query):
    monkeypatch.setattr(queries, setting, most)
    found = queries.ask(connection(), query)
    assert found["why"] in ("it takes too long", f"it takes more than {most >> 20} MB")


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("select count(*) from patients", 3),
        ("select avg(kg is not null) * 3 from patients", 2),
        ("select median(kg) from patients", 70.25),
        ("select count(*) from patients where patient_id regexp '[12]$'", 2),
        ("select sum(value) from notes, json_each(doc, '$.words')", 7),
        ("with heavy as (select * from patients where kg > 70) select count(*) from heavy;", 1),
    ],
)
def test_honest_queries_give_their_number(query, number):
    assert queries.ask(connection(), query) == {"number": number}


@pytest.mark.parametrize(
    "query",
    [
        "select sum(value) from json_each('[100,35]')",
        "with patients as (select 135) select * from patients",
        "select 999",
    ],
)
def test_a_query_has_to_read_a_table_of_the_data(query):
    assert queries.ask(connection(), query) == {"why": "it reads no table of the practice data"}


@pytest.mark.parametrize(
    "query",
    [
        "select 100 + 35 from patients limit 1",
        "select sum(value) from json_each('[100,35]'), (select 1 from patients limit 1)",
        "select 135 + 0 * count(*) from patients",
        "select max(135.0, count(*)) from patients",
    ],
)
def test_a_query_that_gives_its_number_without_the_data_is_not_checkable(query):
    assert queries.ask(connection(), query) == {"why": "the query gives this on any data"}


def test_that_nobody_is_concerned_can_be_claimed_but_is_to_be_looked_at():
    found = queries.ask(connection(), "select count(*) from patients where kg > 500")
    assert found == {"number": 0, "remark": "its query gives this without any data as well: look at it"}


def test_a_column_is_of_numbers_where_every_cell_is_one(tmp_path):
    (tmp_path / "t.csv").write_text('zip,n,x,"odd ""name"""\n03524,1,.5,a\n10001,,1e3,\n')
    found = sqlite3.connect(":memory:")
    queries.load(found, "t", tmp_path / "t.csv")
    assert found.execute("SELECT * FROM t").fetchall() == [("03524", 1, 0.5, "a"), ("10001", None, 1000.0, None)]


def test_tables_are_named_as_their_files_and_of_two_of_one_name_the_second_as_its_folder():
    files = {
        "a.csv": b"",
        "fhir/A.ndjson": b"",
        "notes.jsonl": b"",
        "letters/x.txt": b"",
        "card.toml": b"",
        "e.json": b"",
    }
    assert claims.tables(files) == {"a": "a.csv", "fhir_A": "fhir/A.ndjson", "notes": "notes.jsonl", "e": "e.json"}


PIECES = (
    "1 ", "`", "1,", "`= select 1` ", "~~~\n", "about ", "May ", "1.", "# 1\n", "- 1\n", "1(", "\u202e1\x00 ", "\u00a7",
    "| ", "\t", "e-", "(", "%", "`=", "1 `=1`", "Marr", "1.1.1x", "CFR ", "1 CFR ",
    "le\u017fs than 3 ", "3 thou\u017fand ", "``a",
)  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_a_text_of_any_length_is_read_without_end_or_fault(piece):
    for text in (piece * (200_000 // len(piece)), f"q {piece * (39_000 // len(piece))}x `= select 1`"):
        assert len(numbers.read(text)) <= numbers.MOST_TEXT


@pytest.mark.parametrize(
    "text", ["```sql" + "\n" * 39_000 + "x\n```", "".join("`" * length + "a" for length in range(1, 280))]
)
def test_code_that_does_not_end_is_read_in_time(text):
    assert numbers.read(text) == []


@settings(derandomize=True, database=None, deadline=None, max_examples=150)
@given(
    st.lists(
        st.sampled_from([*PIECES, "0" * 400, "9" * 31, " million", "~", "\n\n", "select 0xfg 1e999"])
        | st.text(max_size=8)
    ),
    st.floats() | st.integers() | st.just(10**400),
)
def test_no_text_and_no_answer_raises(pieces, answer):
    found = claims.read("".join(pieces))
    given = claims.number_of(Reply("ok", {"number": answer}, {}))
    settled = claims.settled(found, {claim.query: given for claim in found})
    assert len(claims.lines([one.as_dict() for one in settled], "DECISIONS.md")) >= 1


def test_a_number_of_too_many_digits_is_no_figure():
    (one,) = claims.settled(numbers.read(f"about 1{'0' * 400} patients `= q`"), {"q": (3, "")})
    assert (one.verdict, one.computed) == ("not checkable", None)


def test_what_a_stranger_wrote_is_said_without_control_characters():
    (one,) = claims.settled(
        numbers.read("5 `= select \x1b[31m\u202e`"), {"select \x1b[31m\u202e": (None, claims.one_line("no \x1b[2J"))}
    )
    said = claims.lines([one.as_dict()], "DECISIONS.md")
    assert all(line.isprintable() for line in said)


@pytest.mark.sandbox
def test_check_tells_the_candidate(tmp_path, capsys):
    work = tmp_path / "work"
    work.mkdir()
    (work / "body_mass_index.py").write_bytes(
        (TOYS / "tests/submissions/body_mass_index/good/body_mass_index.py").read_bytes()
    )
    (work / "DECISIONS.md").write_text(f"There are 200 patients {COUNT}, 30 rows {COUNT} and 4 more.\n")
    main(["check", str(work), "--kit", str(TOYS)])
    said = " ".join(capsys.readouterr().out.split())
    assert "Numbers in body_mass_index/DECISIONS.md: 1 right, 1 wrong, 0 not checkable; 1 without a query." in said
    assert "line 1: 30: wrong, its query gives 200" in said
    assert "tables of the practice data: patients" in said


@pytest.mark.parametrize("name", Kit().names())
def test_the_brief_shows_how_a_number_is_checked_and_names_a_table_that_is_there(name):
    brief = (HOME / "exercises" / name / "README.md").read_text("utf-8")
    found = [claim for claim in numbers.read(brief.replace("\n    ", "\n")) if claim.query]
    assert len(found) == 1
    assert found[0].number
