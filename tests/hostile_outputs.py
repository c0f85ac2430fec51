"""Output files made to break whoever reads them: what each is, how it is read, and what comes of it.

They are made when they are needed: some are as large as a manifest allows. tests/reading_cost.py tells what each costs:
tests/test_hostile_outputs.py holds that to MOST_MB, tests/benchmarks/outputs.py prints it.
"""

from __future__ import annotations

import codecs
import gzip
import io
import os
import pickle
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from graders.harness.reading import (
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_ROWS,
    MAX_SIZE,
    MAX_SLOW,
    MAX_VALUES,
    Unreadable,
    read_json,
    read_ndjson,
    read_table,
    read_text,
)
from graders.measures import release
from graders.measures.drift_plan import Plan
from graders.measures.log_life import MOST_LINES, MOST_OF_LOG, MOST_VALUES, lines_of
from graders.measures.subgroup_report import Report

MOST_MB = 256
PARSED = "parsed"
MB = 2**20
# Of deidentification at full size: results, all resources, notes. And what the manifests let a submission write.
RESULTS, RESOURCES, NOTES = 37_000, 54_000, 2_900
RELEASE, REPORT, LOG, DRIFT = 120 * MB, 20 * MB, 12 * MB, 5 * MB
LARGEST = RELEASE


@dataclass(frozen=True)
class Hostile:
    """One file. how: a key of READERS.  make: its bytes.  says: PARSED, or a part of the reason it is refused for."""

    how: str
    make: Callable[[], bytes]
    says: str


def refuse(faults: Iterable[str]) -> None:
    """Report.read and its like collect faults, and raise nothing."""
    for fault in faults:
        raise Unreadable(fault)


def resources(data: bytes) -> object:
    """fhir/Observation.ndjson as the exercise reads it."""
    faults: list[str] = []
    most = release.RESOURCE_VALUES * RESOURCES + release.SPARE
    found = release._resources({"fhir/Observation.ndjson": data}, "Observation", RESULTS, most, faults)
    refuse(faults)
    return found


def report(data: bytes) -> object:
    """report.json of subgroup_evaluation."""
    found = Report.read({"report.json": data}, {"levels": {}, "intersections": []})
    refuse(found.faults)
    return found


# A caller that names no caps of its own, then each exercise's own way.
READERS: dict[str, Callable[[bytes], object]] = {
    "table": lambda data: read_table({"x": data}, "x"),
    "json": lambda data: read_json({"x": data}, "x"),
    "ndjson": lambda data: read_ndjson({"x": data}, "x"),
    "text": lambda data: read_text({"x": data}, "x"),
    "labs.csv": lambda data: read_table({"x": data}, "x", (), *release.table_limits(RESULTS)),
    "notes.jsonl": lambda data: read_ndjson({"x": data}, "x", *release.line_limits(NOTES, note=True)),
    "Observation.ndjson": resources,
    "report.json": report,
    "app.ndjson": lines_of,
    "plan.json": Plan.read,
}


def filled(size: int, line: bytes, before: bytes = b"", after: bytes = b"") -> bytes:
    """`before`, as many of `line` as fit, `after`."""
    return before + line * ((size - len(before) - len(after)) // len(line)) + after


def numbered(form: bytes, count: int, between: bytes = b",") -> bytes:
    """`form` with each number in turn."""
    return between.join(form % n for n in range(count))


def zipped() -> bytes:
    """A zip archive that unpacks to a hundred times its size."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.csv", b"0," * MB)
    return stream.getvalue()


def observation(body: bytes) -> bytes:
    """One line of FHIR that says what it is."""
    return b'{"resourceType":"Observation",' + body + b"}\n"


DEEP = 10_000
EMOJI = "😀".encode()
WORDS = b"The quick brown fox, who was 93, saw (555) 555-0143 and a@b.example on 2031-02-30. "

TABLES = {
    "ten million columns": Hostile("table", lambda: b"a," * 10_000_000 + b"\n", "columns"),
    "200 000 columns in 1.5 MB": Hostile("table", lambda: numbered(b"c%06d", 200_000)[:1_500_000] + b"\n", "columns"),
    "second row of 20 million cells": Hostile("table", lambda: b"a,b\n" + b"," * 20_000_000, "cells"),
    "second row as wide as is counted": Hostile(
        "table", lambda: b"a,b\n" + b"," * (MAX_CELLS - 10) + b"\n", "not a regular CSV"
    ),
    "third row as wide as is counted": Hostile(
        "table", lambda: b"a,b\n1,2\n" + b"," * (MAX_CELLS - 10) + b"\n", "not a regular CSV"
    ),
    "second row that hides its width behind a quote": Hostile(
        "table", lambda: b'a,b\n1,x"' + b"," * (MAX_CELLS - 10) + b'"\n', "not a regular CSV"
    ),
    "as many cells as may be": Hostile(
        "table",
        lambda: (
            numbered(b"c%d", MAX_COLUMNS) + (b"\n" + b"x," * (MAX_COLUMNS - 1)) * (MAX_CELLS // MAX_COLUMNS - 2) + b"\n"
        ),
        PARSED,
    ),
    "as many different cells as may be": Hostile(
        "table", lambda: b"a,b,c,d,e\n" + b"".join(b"%d,a,,%d,%x\n" % (n, -n, n) for n in range(700_000)), PARSED
    ),
    "as many rows as may be": Hostile("table", lambda: b"a\n" + b"1\n" * (MAX_ROWS - 1), PARSED),
    "one field of 20 MB": Hostile("table", lambda: filled(MAX_SIZE, b"x", b"a,b\n1,"), PARSED),
    "one field of 20 MB, one rare letter": Hostile(
        "table", lambda: filled(MAX_SIZE, b"x", b"a,b\n1,", EMOJI + b"\n"), PARSED
    ),
    "doubled quotes": Hostile("table", lambda: filled(MAX_SIZE, b'""', b'a\n"', b'"\n'), PARSED),
    "unclosed quote over the whole file": Hostile(
        "table", lambda: filled(MAX_SIZE, b"x" * 99 + b"\n", b'a\n"'), "not a regular CSV"
    ),
    "quote opened in the header": Hostile("table", lambda: b'"a\n' + b"1,2\n" * 900_000, "columns"),
    "header over 60 000 lines": Hostile("table", lambda: b'"' + b"\n" * 60_000 + b'"\n1\n', PARSED),
    "five million empty lines": Hostile("table", lambda: b"a\n" + b"\n" * 5_000_000 + b"1\n", "lines"),
    "900 000 empty lines before the header": Hostile("table", lambda: b"\n" * 900_000 + b"a\n1\n", "header"),
    "CR line ends only": Hostile("table", lambda: b"a,b\r" + b"1,2\r" * 900_000, PARSED),
    "lines of commas": Hostile("table", lambda: b"a,b,c\n" + b",,\n" * 900_000, PARSED),
    "nothing but commas": Hostile("table", lambda: b",,\n" * 900_000, "two columns of the same name"),
    "one name twice": Hostile("table", lambda: b"a,b,a\n1,2,3\n", "two columns of the same name"),
    "NUL": Hostile("table", lambda: filled(5 * MB, b"1\n", b"a\n", b"\0\n"), "NUL"),
    "no UTF-8 at the very end": Hostile("table", lambda: filled(MAX_SIZE, b"x" * 99 + b"\n", b"a\n", b"\xff"), "UTF-8"),
    "UTF-16 with its mark": Hostile(
        "table", lambda: codecs.BOM_UTF16_LE + ("a,b\n1,2\n" * 9).encode("utf-16-le"), "UTF-8"
    ),
    "two UTF-8 marks": Hostile("table", lambda: codecs.BOM_UTF8 * 2 + b"a,b\n1,2\n", PARSED),
    "Parquet under a .csv name": Hostile("table", lambda: b"PAR1\x15\x04\x15\x00" + b"\0" * 999 + b"PAR1", "NUL"),
    "gzip under a .csv name": Hostile("table", lambda: gzip.compress(b"0," * 50 * MB, 1), "UTF-8"),
    "zip under a .csv name": Hostile("table", zipped, "UTF-8"),
    "pickle under a .csv name": Hostile("table", lambda: pickle.dumps({"a": os.system}), "UTF-8"),
    "pickle in ASCII, which is a CSV": Hostile("table", lambda: b"cos\nsystem\n(S'true'\ntR.", PARSED),
    "formulas": Hostile("table", lambda: b"a,b\n" + b"=cmd|'/C calc'!A0,@SUM(1+1)\n" * 90_000, PARSED),
    "dates and numbers out of range": Hostile(
        "table",
        lambda: b"day,n\n" + b"99999-13-45T99:99:99Z,1e999999\n-0001-00-00,0x7fffffffffffffff\n" * 90_000,
        PARSED,
    ),
    "numbers of 100 000 digits": Hostile("table", lambda: b"n\n" + (b"9" * 100_000 + b"\n") * 200, PARSED),
    "claims of billions of rows": Hostile("table", lambda: b"# rows: 99999999999\n\n1\n", PARSED),
    "nothing but blanks": Hostile("table", lambda: b" " * MAX_SIZE, "empty"),
    "larger than is read": Hostile("table", lambda: filled(MAX_SIZE + 9, b"1,2\n", b"a,b\n", b" " * 9), "larger than"),
    "text with one rare letter": Hostile("text", lambda: filled(MAX_SIZE, b"x", after=EMOJI), PARSED),
    "text of broken UTF-8": Hostile("text", lambda: filled(MAX_SIZE, b"\xc3\xa9", after=b"\xc3"), "UTF-8"),
}
JSONS = {
    "duplicate keys": Hostile("json", lambda: b"{" + b'"a":1,' * (MAX_VALUES - 9) + b'"a":1}', "not valid JSON"),
    "duplicate keys, one in hexadecimal": Hostile("json", lambda: rb'{"a":1,"\u0061":2}', "not valid JSON"),
    "NaN": Hostile("json", lambda: b'{"a":NaN}', "not valid JSON"),
    "NaN after all else": Hostile("json", lambda: b"[" + b"{}," * (MAX_VALUES // 2 - 9) + b"NaN]", "not valid JSON"),
    "Infinity": Hostile("json", lambda: b'{"a":-Infinity}', "not valid JSON"),
    "1e309": Hostile("json", lambda: b'{"a":1e309}', "not valid JSON"),
    "-0, and a claim of 10^18 rows": Hostile("json", lambda: b'{"a":-0,"b":-0.0,"rows":1000000000000000000}', PARSED),
    "whole number of 400 digits": Hostile("json", lambda: b'{"a":' + b"9" * 400 + b"}", PARSED),
    "whole number of 20 million digits": Hostile("json", lambda: b"[" + b"9" * 20_000_000 + b"]", "not valid JSON"),
    "fraction of 20 million digits": Hostile("json", lambda: b"[0." + b"9" * 20_000_000 + b"]", PARSED),
    "whole numbers of 4 299 digits": Hostile("json", lambda: b"[" + b",".join([b"9" * 4299] * 480) + b"]", PARSED),
    "whole numbers of 400 digits, 20 MB": Hostile(
        "json", lambda: b"[" + b",".join([b"9" * 400] * 50_000) + b"]", "larger than 2 MB"
    ),
    "whole numbers of 300 digits": Hostile("json", lambda: b"[" + b",".join([b"9" * 300] * 69_000) + b"]", PARSED),
    "10 000 lists deep": Hostile("json", lambda: b"[" * DEEP + b"]" * DEEP, "nested more than 60"),
    "10 000 objects deep": Hostile("json", lambda: b'{"a":' * DEEP + b"1" + b"}" * DEEP, "nested more than 60"),
    "500 deep, and wide": Hostile(
        "json", lambda: b"[" + b"[]," * (MAX_VALUES // 2 - 999) + b"[" * 500 + b"]" * 500 + b"]", "nested more than 60"
    ),
    "brackets, then quotes without end": Hostile(
        "json", lambda: b"[" * 61 + b'"' + rb"\"" * 10_000_000, "not valid JSON"
    ),
    "half a character": Hostile("json", lambda: filled(MAX_SLOW, b"x", b'["', rb'\ud800"]'), "half a character"),
    "no UTF-8 inside a string": Hostile("json", lambda: filled(MAX_SIZE, b"x", b'["', b'\xff"]'), "not valid JSON"),
    "UTF-8 mark": Hostile("json", lambda: codecs.BOM_UTF8 + b"{}", "not valid JSON"),
    "JSON in UTF-16": Hostile("json", lambda: ('{"a":"' + "x" * MB + '"}').encode("utf-16"), "not valid JSON"),
    "NUL in a string": Hostile("json", lambda: b'["\0"]', "not valid JSON"),
    "six million empty lists": Hostile("json", lambda: b"[" + b"[]," * 6_000_000 + b"[]]", "values"),
    "six million empty objects": Hostile("json", lambda: b"[" + b"{}," * 6_000_000 + b"{}]", "values"),
    "as many empty objects as may be": Hostile("json", lambda: b"[" + b"{}," * (MAX_VALUES // 2 - 9) + b"{}]", PARSED),
    "1.5 million keys": Hostile("json", lambda: b"{" + numbered(b'"%d":0', 1_500_000) + b"}", "values"),
    "as many keys as may be, numbers in a row": Hostile(
        # Keys whose hashes collide cannot be written down: Python seeds the hash of a text anew in every process.
        "json",
        lambda: b"{" + numbered(b'"%d":0', MAX_VALUES - 9) + b"}",
        PARSED,
    ),
    "as many keys as may be, with rare letters, one twice": Hostile(
        "json",
        lambda: b"{" + numbered(b'"%026d' + EMOJI + b'":0', MAX_VALUES - 9) + b',"%026d' % 0 + EMOJI + b'":0}',
        "not valid JSON",
    ),
    "objects of one rare letter each": Hostile(
        "json", lambda: b"[" + b",".join([b'{"a":"' + EMOJI + b"x" * 60 + b'"}'] * (MAX_VALUES // 2 - 9)) + b"]", PARSED
    ),
    "20 MB of escaped quotes": Hostile("json", lambda: filled(MAX_SIZE, rb"\"", b'"', b'"'), PARSED),
    "20 MB of quotes in hexadecimal": Hostile(
        "json", lambda: filled(MAX_SIZE, rb"\u0022", b'"', b'"'), "larger than 2 MB"
    ),
    "20 MB of escaped emoji": Hostile("json", lambda: filled(MAX_SIZE, rb"\ud83d\ude00", b'"', b'"'), PARSED),
    "20 MB of text, one rare letter": Hostile("json", lambda: filled(MAX_SIZE, b"x", b'["', EMOJI + b'"]'), PARSED),
    "text that looks like long numbers": Hostile(
        "json", lambda: filled(MAX_SIZE, b"9" * 20 + b'\\"', b'["', b'"]'), PARSED
    ),
    "pickle under a .json name": Hostile("json", lambda: pickle.dumps(list(range(MB))), "not valid JSON"),
}
LINES = {
    "two million {}": Hostile("ndjson", lambda: b"{}\n" * 2_000_000, "lines"),
    "as many {} as may be": Hostile("ndjson", lambda: b"{}\n" * MAX_VALUES, PARSED),
    "one line of 20 MB": Hostile("ndjson", lambda: filled(20 * MB, b"x", b'{"a":"', b'"}\n'), "line 1 is longer"),
    "10 000 deep within a line": Hostile(
        "ndjson", lambda: b'{"a":1}\n' * 9 + b'{"a":' + b"[" * DEEP + b"]" * DEEP + b"}\n", "line 10 is nested"
    ),
    "as many values as may be": Hostile(
        "ndjson", lambda: (b'{"a":[' + b"[]," * 997 + b"[]]}\n") * (MAX_VALUES // 2000), PARSED
    ),
    "objects of one rare letter each, in lines": Hostile(
        "ndjson", lambda: (b'{"a":"' + EMOJI + b"x" * 26 + b'"}\n') * MAX_VALUES, PARSED
    ),
    "lists in lists of 20 MB": Hostile("ndjson", lambda: (b'{"a":[' + b"[]," * 9999 + b"[]]}\n") * 690, "values"),
    "NaN in the last line": Hostile("ndjson", lambda: b'{"a":1}\n' * 499_000 + b'{"a":NaN}\n', "line 499001"),
    "every line read twice": Hostile(
        "ndjson", lambda: rb'{"\u0022":0}' b"\n" * (MAX_SLOW // 13 + 99), "take long to read"
    ),
    "five million empty lines of NDJSON": Hostile("ndjson", lambda: b"{}" + b"\n" * 5_000_000 + b"{}", "lines"),
    "CR line ends in NDJSON": Hostile("ndjson", lambda: b'{"a":1}\r' * 9, "line 1 is not valid JSON"),
    "half a character in a line": Hostile("ndjson", lambda: b"{}\n" * 999 + rb'{"a":"\udfff"}', "half a character"),
}


def observations(body: bytes, count: int = RESULTS) -> bytes:
    """So many resources."""
    return observation(body) * count


EXERCISES = {
    "results: lines of the full size": Hostile(
        "Observation.ndjson", lambda: observations(b'"note":"' + b"x" * (RELEASE // RESULTS - 60) + b'"'), PARSED
    ),
    "results: all texts, 120 MB": Hostile(
        "Observation.ndjson",
        lambda: observations(b'"a":"b","c":["' + b'","'.join([WORDS.replace(b",", b"")] * 36) + b'"]'),
        PARSED,
    ),
    "results: 120 MB of lists": Hostile(
        "Observation.ndjson", lambda: observations(b'"a":[' + b"[]," * 999 + b"1]"), "values"
    ),
    "results: as many lists as may be": Hostile(
        "Observation.ndjson",
        lambda: observations(b'"a":[' + b"[]," * (release.RESOURCE_VALUES * RESOURCES // RESULTS // 2 - 4) + b"1]"),
        PARSED,
    ),
    "results: 120 MB of long numbers": Hostile(
        "Observation.ndjson",
        lambda: observations(b'"a":[' + b",".join([b"9" * 300] * 10) + b"]"),
        "take long to read",
    ),
    "results: full size with long numbers": Hostile(
        "Observation.ndjson", lambda: observations(b'"id":' + b"9" * 39 + b',"a":"' + b"x" * 740 + b'"'), PARSED
    ),
    "results: 120 MB of quotes": Hostile(
        "Observation.ndjson", lambda: observations(b'"a":"' + rb"\"" * 1600 + b'"'), PARSED
    ),
    "results: 120 MB of quotes and long numbers": Hostile(
        "Observation.ndjson", lambda: observations(b'"a":"' + b"9" * 20 + rb"\"" * 1590 + b'"'), PARSED
    ),
    "results: 120 MB of quotes, long and large numbers": Hostile(
        "Observation.ndjson",
        lambda: observations(b'"n":1e30,"a":"' + b"9" * 20 + rb"\"" * 1580 + b'"'),
        "take long to read",
    ),
    "results: 120 MB of quotes in hexadecimal": Hostile(
        "Observation.ndjson", lambda: observations(b'"a":"' + rb"\u0022" * 540 + b'"'), "take long to read"
    ),
    "results: in three lines": Hostile(
        "Observation.ndjson", lambda: observation(b'"a":"' + b"x" * (5 * MB) + b'"') * 3, "longer than 40 KB"
    ),
    "results: of another type": Hostile(
        "Observation.ndjson", lambda: b'{"resourceType":"X"}\n' * RESULTS, "no Observation"
    ),
    "labs: as many cells as may be": Hostile(
        "labs.csv", lambda: numbered(b"c%d", 98) + (b"\n" + b"x," * 97) * RESULTS + b"\n", PARSED
    ),
    "labs: different cells": Hostile(
        "labs.csv",
        lambda: (
            numbered(b"c%d", 98) + b"".join(b"\n" + b"%d," % n + b"%d,a,b," % -n * 32 for n in range(RESULTS)) + b"\n"
        ),
        PARSED,
    ),
    "labs: one long field": Hostile("labs.csv", lambda: filled(36 * MB - 9, b"x", b"a,b\n1,", EMOJI), "larger than"),
    "labs: long fields": Hostile("labs.csv", lambda: b"a,b\n" + (b"1," + b"x" * 980 + b"\n") * RESULTS, PARSED),
    "notes: rare letters": Hostile(
        "notes.jsonl", lambda: (b'{"text":"' + b"x" * 4900 + EMOJI + b'"}\n') * NOTES, PARSED
    ),
    "notes: long ones": Hostile("notes.jsonl", lambda: (b'{"text":"' + b"x" * 6_000 + b'"}\n') * NOTES, "larger than"),
    "report: 20 MB": Hostile(
        "report.json", lambda: filled(REPORT, b'{"by":{}},', b'{"rows":[', b"{}]}"), "larger than"
    ),
    "report: 8 MB of rows": Hostile(
        "report.json", lambda: filled(8 * MB, b'{"by":{}},', b'{"rows":[', b"{}]}"), "values"
    ),
    "report: as many values as may be": Hostile(
        "report.json", lambda: b'{"rows":[' + b"{}," * 199_000 + b"{}]}", "more than 20000 'rows'"
    ),
    "log: 12 MB of lists in lines of 1 MB": Hostile(
        "app.ndjson", lambda: (b'{"a":[' + b"[]," * 340_000 + b"[]]}\n") * 12, PARSED
    ),
    "log: as many values as are read": Hostile(
        "app.ndjson",
        lambda: (b'{"a":[' + b"[]," * (MOST_VALUES // 2 - 9) + b"[]]}\n") * (LOG // (3 * MOST_VALUES // 2)),
        PARSED,
    ),
    "log: objects in objects": Hostile(
        "app.ndjson", lambda: (b'{"a":' * 900 + b'"' + EMOJI + b'"' + b"}" * 900 + b"\n") * 880, PARSED
    ),
    "log: 12 MB of short lines": Hostile("app.ndjson", lambda: b"x\n" * (LOG // 2), PARSED),
    "log: 12 MB of {}": Hostile("app.ndjson", lambda: b"{}\n" * (LOG // 3), PARSED),
    "log: as many lines with a value": Hostile(
        "app.ndjson", lambda: b'{"a":[{},{}]}\n' * min(MOST_LINES, MOST_OF_LOG // 5), PARSED
    ),
    "log: numbers of 4 299 digits": Hostile(
        "app.ndjson", lambda: (b'{"a":' + b"9" * 4299 + b"}\n") * (LOG // 4306), PARSED
    ),
    "plan: 5 MB": Hostile("plan.json", lambda: b"[" * DRIFT, "larger than 100 KB"),
    "plan: deep": Hostile("plan.json", lambda: b"[" * 99_999, "nested more than 60"),
}
FILES: dict[str, Hostile] = {**TABLES, **JSONS, **LINES, **EXERCISES}
assert len(FILES) == len(TABLES) + len(JSONS) + len(LINES) + len(EXERCISES), "a name is used twice"
