"""Reads a submission's output as data: sizes, depth and shape are checked before any parser that guesses."""

from __future__ import annotations

import csv
import gc
import io
import json
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from synthetic_data.scene import Files

if TYPE_CHECKING:
    import pandas as pd

MAX_COLUMNS = 200
MAX_ROWS = 2_000_000
MAX_DEPTH = 60
MAX_BYTES = 200 * 2**20
MAX_LINE = 4 * 2**20
HEADER = 64 * 1024
# Any whole number of fewer digits fits 64 bits, and orjson keeps all of it.
_LONG_NUMBER = b"0" * 19
_DIGITS_AS_0 = bytes.maketrans(b"123456789", b"000000000")


class Unreadable(Exception):
    """Why an output cannot be read, as a sentence for the candidate."""


def fetch(files: Files, name: str) -> bytes:
    """The bytes of one output. Raises Unreadable when it is missing, empty or too large."""
    if name not in files:
        raise Unreadable(f"{name} is missing")
    if not files[name].strip():
        raise Unreadable(f"{name} is empty")
    if len(files[name]) > MAX_BYTES:
        raise Unreadable(f"{name} is larger than {MAX_BYTES >> 20} MB")
    return files[name]


def read_text(files: Files, name: str) -> str:
    """One output as text."""
    try:
        return fetch(files, name).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable(f"{name} is not UTF-8 text") from None


def read_table(files: Files, name: str, columns: Sequence[str] = (), max_rows: int = MAX_ROWS) -> pd.DataFrame:
    """A CSV as a frame of texts ("" for nothing), with at least `columns`. Raises Unreadable."""
    import pandas as pd

    text = read_text(files, name)
    if "\0" in text:
        raise Unreadable(f"{name} is not a CSV text (it holds a NUL)")
    if max(text.count("\n"), text.count("\r")) > max_rows + 1:
        raise Unreadable(f"{name} has more than {max_rows} lines")
    # The header as pandas will see it: quoted, it may run over several lines.
    reader = csv.reader(io.StringIO(text[:HEADER], newline=""))
    try:
        header = next(row for row in reader if row)
    except (csv.Error, StopIteration):
        raise Unreadable(f"{name} has no readable header line") from None
    if len(header) > MAX_COLUMNS or (len(text) > HEADER and reader.line_num * 2 > text[:HEADER].count("\n")):
        raise Unreadable(f"{name} has more than {MAX_COLUMNS} columns")
    if len(set(header)) < len(header):
        raise Unreadable(f"{name} has two columns of the same name")
    if missing := [c for c in columns if c not in header]:
        raise Unreadable(f"{name} has no column {', '.join(missing)}")
    try:
        with warnings.catch_warnings():
            # Cells beyond the header would be dropped unread.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, na_filter=False, index_col=False)
    except (ValueError, pd.errors.ParserError, pd.errors.ParserWarning):
        raise Unreadable(f"{name} is not a regular CSV") from None


def parse_json(data: bytes) -> Any:
    """Strict JSON: no duplicate keys, NaN, lone surrogates or depth beyond 60. Raises Unreadable."""
    try:
        return _parse_fast(data)
    except ValueError:
        pass  # the strict way knows better, or says why
    if deeper_than(data, MAX_DEPTH):
        raise Unreadable(f"is nested more than {MAX_DEPTH} deep")
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=unique, parse_constant=refuse, parse_float=finite)
    except (ValueError, RecursionError):
        raise Unreadable("is not valid JSON") from None
    if rb"\ud" in data.lower() and not encodable(value):
        raise Unreadable("holds half a character (a lone surrogate)")
    return value


def _parse_fast(data: bytes) -> Any:
    """As orjson reads it, several times faster than json, where it provably read all of it; else a ValueError.

    orjson refuses what strict JSON refuses, but keeps one of several equal keys and rounds numbers beyond 64 bits.
    """
    import orjson

    value = orjson.loads(data)
    if _LONG_NUMBER in data.translate(_DIGITS_AS_0):
        raise ValueError("a number may have lost digits")
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH and _levels(value) > MAX_DEPTH:
        raise ValueError("too deep")
    # Every key and text has two quotes, and those inside it unless they are written in hexadecimal: where the counts
    # agree, no key was dropped.
    if rb"\u0022" in data or orjson.dumps(value).count(b'"') != data.count(b'"'):
        raise ValueError("a key may have been dropped")
    return value


def _levels(value: Any) -> int:
    """How deep objects and lists are nested, counted to one more than MAX_DEPTH."""
    level, depth = [value], 0
    while depth <= MAX_DEPTH and (level := [item for item in level if isinstance(item, (dict, list))]):
        level = [child for item in level for child in (item.values() if isinstance(item, dict) else item)]
        depth += 1
    return depth


def read_json(files: Files, name: str) -> Any:
    """One output as strict JSON."""
    try:
        return parse_json(fetch(files, name))
    except Unreadable as error:
        text = str(error)
        raise Unreadable(text if text.startswith(name) else f"{name} {text}") from None


def read_ndjson(files: Files, name: str, max_rows: int = MAX_ROWS, max_line: int = MAX_LINE) -> list[dict[str, Any]]:
    """One output as a list of JSON objects, one a line of at most `max_line` bytes. Raises Unreadable."""
    data = fetch(files, name)
    if data.count(b"\n") > max_rows + 1:
        raise Unreadable(f"{name} has more than {max_rows} lines")
    found = []
    with uncollected():
        for number, line in enumerate((line for line in data.split(b"\n") if line.strip()), 1):
            if len(line) > max_line:
                raise Unreadable(f"{name} line {number} is longer than {max_line // 1000} KB")
            try:
                value = parse_json(line)
            except Unreadable as error:
                raise Unreadable(f"{name} line {number} {error}") from None
            if not isinstance(value, dict):
                raise Unreadable(f"{name} line {number} is not a JSON object")
            found.append(value)
    return found


@contextmanager
def uncollected() -> Iterator[None]:
    """No search for reference cycles meanwhile: JSON has none, and among a million new values it takes long."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def deeper_than(data: bytes, limit: int) -> bool:
    """Do brackets outside strings nest deeper than `limit`? Cheap for flat lines."""
    if data.count(b"{") + data.count(b"[") <= limit:
        return False
    depth = 0
    # An unclosed string ends with the text, or looking for its end again and again would take quadratic time.
    for token in re.finditer(rb'(?s)"(?:[^"\\]|\\.)*(?:"|\Z)|[\[{]|[\]}]', data):
        mark = token.group()[:1]
        depth += (mark in b"[{") - (mark in b"]}")
        if depth > limit:
            return True
    return False


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A dict, unless a key comes twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("duplicate key")
    return found


def refuse(word: str) -> NoReturn:
    """NaN and Infinity are not JSON."""
    raise ValueError(word)


def finite(text: str) -> float:
    """1e309 is not a number."""
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(text)
    return value


def encodable(value: Any) -> bool:
    """Can every string be written as UTF-8?"""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
