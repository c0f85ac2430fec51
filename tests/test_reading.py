"""Outputs of strangers are read as data: capped, strict, and refused with a reason."""

from __future__ import annotations

import pytest

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
