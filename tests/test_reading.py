"""Outputs of strangers are read as data: capped, strict, and refused with a reason."""

from __future__ import annotations

import gc
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.harness.reading import Unreadable, parse_json, read_json, read_ndjson, read_table, read_text


def table(text: bytes, **options: object):
    return read_table({"t.csv": text}, "t.csv", **options)


def test_a_table_is_read_as_texts_without_guessing():
    frame = table(b'id,a\n001,NA\n2,"x,\ny"\n3,\n')
    assert frame["id"].tolist() == ["001", "2", "3"]
    assert frame["a"].tolist() == ["NA", "x,\ny", ""]


def test_a_byte_order_mark_and_windows_line_ends_are_fine():
    assert table(b"\xef\xbb\xbfid\r\n1\r\n")["id"].tolist() == ["1"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"   \n", "empty"),
        (b"id\n\xff\xfe", "not UTF-8"),
        (b"id\n\0\n", "NUL"),
        (b"id,id\n1,2\n", "two columns"),
        (b"other\n1\n", "no column id"),
        (b"id," + b"," * 300 + b"\n", "more than 200 columns"),
        (b"x" * 100_000, "more than 200 columns"),
        (b"id\n" + b"1,2,3\n" * 3, "not a regular CSV"),
        (b'id\n"unclosed\n', "not a regular CSV"),
    ],
)
def test_a_bad_table_is_refused_with_a_reason(data, says):
    with pytest.raises(Unreadable, match=says):
        table(data, columns=["id"])


def test_ten_million_columns_are_refused_before_parsing():
    with pytest.raises(Unreadable, match="columns"):
        table(b"a," * 10_000_000 + b"\n")


def test_too_many_rows_are_refused_before_parsing():
    with pytest.raises(Unreadable, match="lines"):
        table(b"a\n" + b"\n" * 2_000_001 + b"1")


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1e309}',
        b'{"a": 1, "a": 2}',
        b'{"a": 1, "\\u0061": 2}',
        b'{"a": {"b": [{"c": "x", "c": "x"}]}}',
        # What a dropped key takes away, an escaped quote could give back.
        b'{"a": 1, "a": 2, "b": "\\u0022\\u0022"}',
        b'{"a": 1, "a": 2, "b": "\\\\u0022\\u0022\\u0022"}',
        b'{"\\u0022": 1, "\\"": 2}',
        b'{"a": ' + b"[" * 60 + b"]" * 60 + b"}",
        b'{"a": ' + b"[" * 900 + b"]" * 900 + b"}",
        b"\xef\xbb\xbf{}",
        b'{"a": 1}\0',
        b'{"a": "\x01"}',
        b"{" * 10_000,
        b"[" * 200 + b"]" * 200,
        b'{"a": "\\ud800"}',
        b'{"a": "\xff"}',
        b"",
        b"{'a': 1}",
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
def test_json_that_is_not_strict_is_refused(data):
    with pytest.raises(Unreadable):
        parse_json(data)


def test_strict_json_is_read_whatever_it_holds():
    assert parse_json('{"a": [1, 2.5, "é 😀", null, {"b": "[[[["}]}'.encode()) == {
        "a": [1, 2.5, "é 😀", None, {"b": "[[[["}]
    }
    assert parse_json(b'"\\ud83d\\ude00"') == "😀"
    assert parse_json(b'{"a": ' + b"[" * 59 + b"]" * 59 + b"}") is not None
    assert parse_json(b'{"a": ' + b"[" + b"[1]," * 99 + b"[]]}") is not None
    assert parse_json(rb'{"\u0022": "\u0022", "b": "\"\\u0022"}') == {'"': '"', "b": '"\\u0022'}


def test_a_whole_number_keeps_all_its_digits():
    assert parse_json(b'{"a": 12345678901234567890123, "b": -9223372036854775809}') == {
        "a": 12345678901234567890123,
        "b": -9223372036854775809,
    }


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.booleans(),
)
def test_what_was_written_is_what_is_read(value, ascii_only):
    assert parse_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


def test_reading_lines_leaves_garbage_collection_as_it_was():
    with pytest.raises(Unreadable):
        read_ndjson({"x.ndjson": b"[1]\n"}, "x.ndjson")
    assert gc.isenabled()


def test_lines_are_numbered_in_the_reason():
    with pytest.raises(Unreadable, match=r"x\.ndjson line 2 is not valid JSON"):
        read_ndjson({"x.ndjson": b'{"a": 1}\n{"a": }\n'}, "x.ndjson")
    with pytest.raises(Unreadable, match="line 1 is not a JSON object"):
        read_ndjson({"x.ndjson": b"[1]\n"}, "x.ndjson")
    assert read_ndjson({"x.ndjson": b'{"a": 1}\n\n{"a": 2}'}, "x.ndjson") == [{"a": 1}, {"a": 2}]


def test_a_missing_file_is_named():
    for read in (read_text, read_json, read_ndjson):
        with pytest.raises(Unreadable, match=r"gone\.json is missing"):
            read({}, "gone.json")
