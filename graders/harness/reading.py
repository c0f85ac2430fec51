"""Reads a submission's output as data: sizes, depth and shape are checked before any parser that guesses."""

from __future__ import annotations

import codecs
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

# What a file costs follows from what it holds more than from its size: three bytes of JSON ("[],") become eighty in
# memory. Each cap is what a caller gets who names none; together they keep one file below 256 MB beyond its own bytes,
# and near a second. tests/hostile_outputs.py tries them, docs/evidence/hostile_outputs.md says what each file took.
MAX_COLUMNS = 200
MAX_ROWS = 1_000_000
MAX_CELLS = 5_000_000
MAX_VALUES = 500_000
MAX_DEPTH = 60
MAX_BYTES = 200 * 2**20
MAX_SIZE = 20 * 2**20
MAX_LINE = 2**20
# So many bytes of JSON are read again where the fast parser is no judge of them (_parse_fast); of honest lines it is.
# And 24 times as many where only long numbers must be looked at again, which takes less.
MAX_SLOW = 2 * 2**20
HEADER = 64 * 1024
PIECE = 2**20
BOM = b"\xef\xbb\xbf"
# Any whole number of fewer digits fits 64 bits, and orjson keeps all of it.
_LONG_NUMBER = b"0" * 19
_DIGITS_AS_0 = bytes.maketrans(b"123456789", b"000000000")
_BLANK = re.compile(rb"\s*+")
# As pandas sees it: a quote within a cell that did not begin with one is a letter.
_CELL = re.compile(rb'(?:"[^"]*+(?:""[^"]*+)*+")?[^,\r\n]*+(?P<comma>,?)')
# Strings, to pass over them, or a whole number that may be beyond 64 bits. Possessive: nothing is tried twice.
_STRING_OR_LONG = re.compile(
    rb'(?s)"[^"\\]*+(?:\\.[^"\\]*+)*+"|(?<![\d.eE+-])(?P<long>-?\d{19,}+)(?![.eE])',
)


class Unreadable(Exception):
    """Why an output cannot be read, as a sentence for the candidate."""


def fetch(files: Files, name: str, max_bytes: int = MAX_BYTES) -> bytes:
    """The bytes of one output. Raises Unreadable when it is missing, empty or too large."""
    if name not in files:
        raise Unreadable(f"{name} is missing")
    data = files[name]
    if len(data) > max_bytes:
        raise Unreadable(f"{name} is larger than {max_bytes / 2**20:.1f} MB")
    if not data or data.isspace():
        raise Unreadable(f"{name} is empty")
    return data


def read_text(files: Files, name: str, max_bytes: int = MAX_SIZE) -> str:
    """One output as text. One rare letter makes every letter take four bytes."""
    try:
        return fetch(files, name, max_bytes).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable(f"{name} is not UTF-8 text") from None


def read_table(
    files: Files,
    name: str,
    columns: Sequence[str] = (),
    max_rows: int = MAX_ROWS,
    max_cells: int = MAX_CELLS,
    max_bytes: int = MAX_SIZE,
) -> pd.DataFrame:
    """A CSV as a frame of texts ("" for nothing), with at least `columns`. Raises Unreadable.

    max_cells: commas and line ends, which are at least as many as cells.
    """
    import pandas as pd

    data = fetch(files, name, max_bytes)
    if not is_utf8(data):
        raise Unreadable(f"{name} is not UTF-8 text")
    if b"\0" in data:
        raise Unreadable(f"{name} is not a CSV text (it holds a NUL)")
    lines = max(data.count(b"\n"), data.count(b"\r"))
    if lines > max_rows + 1:
        raise Unreadable(f"{name} has more than {max_rows} lines")
    header, rest = _header(data)
    if not header:
        raise Unreadable(f"{name} has no readable header line")
    if len(header) > MAX_COLUMNS:
        raise Unreadable(f"{name} has more than {MAX_COLUMNS} columns, or more than {HEADER >> 10} KB in its header")
    if len(set(header)) < len(header):
        raise Unreadable(f"{name} has two columns of the same name")
    if missing := [c for c in columns if c not in header]:
        raise Unreadable(f"{name} has no column {', '.join(missing)}")
    if lines + data.count(b",") > max_cells:
        raise Unreadable(f"{name} has more than {max_cells} cells")
    if not _narrow(data, rest):
        raise Unreadable(f"{name} is not a regular CSV")
    # The bytes and not their text, of which pandas would make a copy of four bytes a letter.
    stream = io.BytesIO(data)
    stream.seek(len(BOM) if data.startswith(BOM) else 0)
    try:
        with warnings.catch_warnings():
            # Cells beyond the header would be dropped unread.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(stream, dtype=str, keep_default_na=False, na_filter=False, index_col=False)
    except (ValueError, pd.errors.ParserError, pd.errors.ParserWarning):
        raise Unreadable(f"{name} is not a regular CSV") from None


def _header(data: bytes) -> tuple[list[str], int]:
    """The header as pandas will see it, and where it ends: quoted, it may run over several lines. [] for none.

    One that does not end within HEADER bytes comes as more than MAX_COLUMNS columns.
    """
    # The end of the piece may lie within a letter.
    lines = list(io.StringIO(data[:HEADER].decode("utf-8", "ignore"), newline=""))
    reader = csv.reader([lines[0].removeprefix("\ufeff"), *lines[1:]])
    try:
        header = next((row for row in reader if row and (len(row) > 1 or row[0].strip())), [])
    except csv.Error:
        return [], 0
    ended = len(data) <= HEADER or reader.line_num < len(lines)
    end = len("".join(lines[: reader.line_num]).encode())
    return (header, end) if ended else ([""] * (MAX_COLUMNS + 1), end)


def _narrow(data: bytes, start: int) -> bool:
    """Whether the row that begins here has no more than MAX_COLUMNS cells.

    pandas refuses rows that are wider than the header, but takes the first one's width for the table's.
    """
    blank = _BLANK.match(data, start)
    position = blank.end() if blank else start
    for _ in range(MAX_COLUMNS):
        cell = _CELL.match(data, position)
        if not cell or not cell["comma"]:
            return True
        position = cell.end()
    return False


def is_utf8(data: bytes) -> bool:
    """Whether the bytes are UTF-8 text; looked at in pieces, as a text of them may take four times their memory."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), PIECE):
            decoder.decode(data[start : start + PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def parse_json(data: bytes, max_values: int = MAX_VALUES) -> Any:
    """Strict JSON: no duplicate keys, NaN, lone surrogates or depth beyond 60. Raises Unreadable.

    max_values: commas and opening brackets, which are about as many as values.
    """
    if marks(data) > max_values:
        raise Unreadable(f"holds more than {max_values} values")
    with uncollected():
        try:
            return _parse_fast(data)[0]
        except ValueError:
            if len(data) > MAX_SLOW:
                odd = "has numbers of more than 308 digits or quotes in hexadecimal"
                raise Unreadable(f"is not valid JSON (or is larger than {MAX_SLOW >> 20} MB and {odd})") from None
            return _parse_strict(data)  # it knows better, or says why


def marks(data: bytes) -> int:
    """Commas and opening brackets of a JSON text: no fewer than its values, but for the first."""
    return sum(data.count(mark) for mark in (b",", b"[", b"{"))


def _parse_fast(data: bytes) -> tuple[Any, bytes]:
    """As orjson reads it, several times faster than json, where it provably read all of it; else a ValueError.

    The second is the same as orjson writes it; b"" where there is no text, or long numbers that took longer to read.
    Raises Unreadable for what is too deep.

    orjson refuses what strict JSON refuses, and whole numbers of more than 308 digits, but keeps one of several equal
    keys and rounds numbers beyond 64 bits.
    """
    import orjson

    value = orjson.loads(data)
    if len(data) > MAX_DEPTH < data.count(b"{") + data.count(b"[") and _levels(value) > MAX_DEPTH:
        raise Unreadable(f"is nested more than {MAX_DEPTH} deep")
    # Every key and text has two quotes, and those inside it unless they are written in hexadecimal: where the counts
    # agree, no key was dropped.
    quotes = data.count(b'"')
    again = orjson.dumps(value) if quotes else b""
    if again.count(b'"') != quotes or (quotes and rb"\u0022" in data):
        raise ValueError("a key may have been dropped")
    long = len(data) > len(_LONG_NUMBER) and _LONG_NUMBER in data.translate(_DIGITS_AS_0)
    if long and again:
        # Rounded, a whole number is written with an exponent.
        digits = again.translate(_DIGITS_AS_0)
        long = b"0e0" in digits or b"0e+0" in digits
    if not long:
        return value, again
    return json.loads(data) if _rounded(data) else value, b""


def _rounded(data: bytes) -> bool:
    """Whether a whole number outside strings is beyond 64 bits. For what orjson has read."""
    found = (match["long"] for match in _STRING_OR_LONG.finditer(data))
    return any(digits and not -(2**63) <= int(digits) < 2**64 for digits in found)


def _parse_strict(data: bytes) -> Any:
    """As json reads it, with the rules that it lacks. Raises Unreadable."""
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=unique, parse_constant=refuse, parse_float=finite)
    except RecursionError:
        raise Unreadable(f"is nested more than {MAX_DEPTH} deep") from None
    except ValueError:
        raise Unreadable("is not valid JSON") from None
    if _levels(value) > MAX_DEPTH:
        raise Unreadable(f"is nested more than {MAX_DEPTH} deep")
    if rb"\ud" in data.lower() and not encodable(value):
        raise Unreadable("holds half a character (a lone surrogate)")
    return value


def _levels(value: Any) -> int:
    """How deep objects and lists are nested, counted to one more than MAX_DEPTH."""
    level, depth = [value], 0
    while depth <= MAX_DEPTH and (level := [item for item in level if isinstance(item, (dict, list))]):
        level = [child for item in level for child in (item.values() if isinstance(item, dict) else item)]
        depth += 1
    return depth


def read_json(files: Files, name: str, max_values: int = MAX_VALUES, max_bytes: int = MAX_SIZE) -> Any:
    """One output as strict JSON."""
    data = fetch(files, name, max_bytes)
    try:
        return parse_json(data, max_values)
    except Unreadable as error:
        raise Unreadable(f"{name} {error}") from None


def read_ndjson(
    files: Files,
    name: str,
    max_rows: int = MAX_ROWS,
    max_line: int = MAX_LINE,
    max_values: int = MAX_VALUES,
    max_bytes: int = MAX_SIZE,
) -> list[dict[str, Any]]:
    """One output as a list of JSON objects, one a line of at most `max_line` bytes. Raises Unreadable."""
    with uncollected():
        return [value for value, _ in each_object(files, name, max_rows, max_line, max_values, max_bytes)]


def each_object(
    files: Files, name: str, max_rows: int, max_line: int, max_values: int, max_bytes: int = MAX_BYTES
) -> Iterator[tuple[dict[str, Any], bytes]]:
    """The objects of read_ndjson one by one, for whoever does not keep them all. To be used up in uncollected().

    The second is the object as orjson writes it, or b"" where that would not be all of it, or was not needed so far.
    """
    data = fetch(files, name, max_bytes)
    if data.count(b"\n") > max_rows + 1:
        raise Unreadable(f"{name} has more than {max_rows} lines")
    if marks(data) > max_values:
        raise Unreadable(f"{name} holds more than {max_values} values")
    number = slow = 0
    for line in io.BytesIO(data):
        if line.isspace():
            continue
        number += 1
        if len(line) > max_line + line.endswith(b"\n"):
            raise Unreadable(f"{name} line {number} is longer than {max_line // 1000} KB")
        try:
            try:
                value, again = _parse_fast(line)
                slow += 0 if again else len(line) // 24
            except ValueError:
                value, again = _parse_strict(line), b""
                slow += len(line)
        except Unreadable as error:
            raise Unreadable(f"{name} line {number} {error}") from None
        if slow > MAX_SLOW:
            raise Unreadable(f"{name} has too many lines that take long to read, such as line {number}")
        if not isinstance(value, dict):
            raise Unreadable(f"{name} line {number} is not a JSON object")
        yield value, again


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
