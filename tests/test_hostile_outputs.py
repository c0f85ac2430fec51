"""No output file takes more memory than a little, and each is parsed or refused for its own reason."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import reading_cost
from hostile_outputs import EXERCISES, FILES, JSONS, LINES, MOST_MB, PARSED, READERS, TABLES

from graders.harness.leftovers import MAX_VALUES, Refused, told
from graders.harness.reading import BOM, Unreadable, read_ndjson, read_table
from graders.measures.release import Resources

ROOT = Path(__file__).parents[1]


def test_there_are_enough_of_them():
    assert len(FILES) >= 36
    assert {file.how for file in FILES.values()} == set(READERS)


@pytest.mark.parametrize("group", [TABLES, JSONS, LINES, EXERCISES], ids=["tables", "json", "lines", "exercises"])
def test_each_is_parsed_or_refused_with_its_reason_and_within_256_mb(group):
    # A process of its own: to fork this one, with its threads and plugins, is nothing to rely on.
    command = [sys.executable, reading_cost.__file__, *group]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    printed = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=300).stdout
    found = {one["name"]: one for one in json.loads(printed)}
    assert list(found) == list(group)
    wrong = {
        name: one["came"]
        for name, one in found.items()
        if (one["came"] != PARSED if group[name].says == PARSED else group[name].says not in one["came"])
    }
    assert not wrong
    assert not {name: one["memory_mb"] for name, one in found.items() if one["memory_mb"] > MOST_MB}


def test_reasons_hold_nothing_of_the_file():
    for data in (b"secret,secret\n1,2\n", b'a\n"secret', b"a,b\n1,2,secret\n", b"\xffsecret"):
        with pytest.raises(Unreadable) as error:
            read_table({"t.csv": data}, "t.csv")
        assert "secret" not in str(error.value)


def test_a_row_may_have_as_many_cells_as_the_header_whatever_they_hold():
    row = b'\n"a,b\n""c"",",,x"y,"z"\n'
    assert read_table({"t.csv": BOM + b"\n \na,b,c,d\n" + row}, "t.csv").to_dict("records") == [
        {"a": 'a,b\n"c",', "b": "", "c": 'x"y', "d": "z"}
    ]
    text = b'"' + b"so, " * 1000 + b'"'
    assert len(read_table({"t.csv": b"a,b\n1," + text + b"\n"}, "t.csv")) == 1


def test_a_long_number_keeps_its_digits_among_long_strings():
    long = 2**64
    value = {"a": "1" * 40, "b": long, "c": [-long, 2**63, -(2**63), 1e30], "d": 'x"' + "2" * 30}
    assert read_ndjson({"x": json.dumps(value).encode()}, "x") == [value]


def test_resources_are_what_was_read():
    read = [{"a": 1}, {"a": "é", "n": 2**70}, {}]
    kept = Resources((one, b"") for one in read)
    assert list(kept) == read
    assert (kept[1], kept[-1], kept[:2], len(kept)) == (read[1], read[2], read[:2], 3)
    with pytest.raises(IndexError):
        kept[3]


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (b'{"status":"ok","value":[' + b"[]," * MAX_VALUES + b"1]}", "values"),
        (b'{"status":"ok","value":' + b"[" * 70 + b"]" * 70 + b"}", "60 levels"),
        (b'{"status":"ok","value":NaN}', "plain JSON"),
        (b'{"status":"ok"}', "not a reply"),
        (b"[]", "not a reply"),
        (b"[" * 100_000, "not a reply"),
    ],
)
def test_what_a_step_returns_is_counted_before_it_is_parsed(reply, why):
    with pytest.raises(Refused, match=why):
        told(reply)


def test_an_honest_reply_is_read():
    assert told(b'{"status":"ok","value":{"a":[1,2.5,"x"]}}') == ("ok", {"a": [1, 2.5, "x"]})
