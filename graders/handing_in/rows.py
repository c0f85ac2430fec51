"""Patient data in what is handed in: files of data, rows pasted into code, values of the practice patients."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from graders.handing_in.finding import Finding
from graders.handing_in.modules import parse
from graders.harness.submission import shown

MAGIC = {
    b"SQLite format 3\0": "SQLite",
    b"PAR1": "Parquet",
    b"PK\3\4": "zip",
    b"\x1f\x8b": "gzip",
    b"\x80\4\x95": "pickle",
}
# The same, as base64 in a text; zip and pickle begin with too little to tell.
PACKED = {"U1FMaXRlIGZvcm1hdCAz": "SQLite", "H4sIA": "gzip"}
LARGEST_PACKED = 2_000  # characters of base64: a small icon passes
# A person's own identifiers; dates and codes are what constant tables are made of.
OWN = re.compile(rb"\b(?:\d{3}-\d{2}-\d{4}|\(?\d{3}\)?[ .-]\d{3}-\d{4}|[\w.+-]{1,64}@[\w-]{1,64}\.[\w.]{2,20})\b")
MOST_OWN = 20  # distinct ones in a file
TOKEN = re.compile(rb"[A-Za-z0-9][\w.@+-]{6,63}")
# Dates, times, decimal numbers, ICD-10, LOINC: in code as well as in data.
COMMON = re.compile(rb"\d{4}-\d{2}(?:-\d{2}.*)?|\d+\.\d*(?:e[+-]?\d+)?|[A-Z]\d[0-9A-Z]\.[0-9A-Z]{1,4}|\d{1,5}-\d")
MOST_SHARED = 10  # values of practice patients in a file: a few may be quoted
MOST_SEEN = 200  # what stands oftener in practice data is a code and nobody's own
DATED = re.compile(r"\b(?:19|20)\d{2}-\d{2}-\d{2}\b")
MOST_ROWS = 30  # dated rows in one literal
MOST_NUMBERS = 20_000  # in one literal
# A column of practice data: so many numbers one after the other, of which so many differ.
RUN, DIFFER = 40, 4
LARGEST_READ = 64 * 2**20


def find(files: Mapping[str, bytes], practice: Iterable[Path]) -> Iterator[Finding]:
    """Data in the files that would be handed in. practice: folders of practice data to compare with, if any."""
    practice = list(practice)
    shared = columns(files, practice) | in_practice(files, practice) if practice else {}
    for name, data in sorted(files.items()):
        reason = shared.get(name) or kind_of_file(data) or pasted(name, data)
        if reason:
            where, text = reason
            yield Finding("blocks", shown(name) + where, text)


def kind_of_file(data: bytes) -> tuple[str, str] | None:
    """Data under another name, and files full of people."""
    for start, kind in MAGIC.items():
        if data.startswith(start):
            return "", f"is a {kind} file under another name"
    people = {match[0] for match in OWN.finditer(data)}
    if len(people) > MOST_OWN:
        return "", f"holds {len(people)} different phone numbers, e-mail addresses or SSNs: patients' data?"
    return None


def pasted(name: str, data: bytes) -> tuple[str, str] | None:
    """Rows in a literal of code, or a table in JSON."""
    if name.endswith(".json"):
        return table(data)
    tree = parse(data) if name.endswith(".py") else None
    if not isinstance(tree, ast.Module):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
            text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
            lines = [
                line for line in text.splitlines() if DATED.search(line) and line.count(",") + line.count("\t") > 2
            ]
            if len(lines) > MOST_ROWS:
                return f":{node.lineno}", f"a text of {len(lines)} dated rows: patients' data?"
            packed = next((kind for start, kind in PACKED.items() if text.startswith(start)), "")
            if packed and len(text) > LARGEST_PACKED:
                return f":{node.lineno}", f"a {packed} file packed into a text"
        elif isinstance(node, (ast.List, ast.Tuple, ast.Set)) and len(node.elts) > MOST_ROWS:
            rows = [row for row in node.elts if isinstance(row, (ast.List, ast.Tuple, ast.Dict)) and dated(row)]
            if len(rows) > MOST_ROWS:
                return f":{node.lineno}", f"a literal of {len(rows)} dated rows: patients' data?"
            numbers = sum(isinstance(part, ast.Constant) for part in node.elts)
            if numbers > MOST_NUMBERS:
                return f":{node.lineno}", f"a literal of {numbers} values: data, and not a table of constants?"
    return None


def dated(row: ast.AST) -> bool:
    """Is a date among the values of a row?"""
    values = (part.value for part in ast.walk(row) if isinstance(part, ast.Constant))
    return any(isinstance(value, str) and DATED.match(value) for value in values)


def table(data: bytes) -> tuple[str, str] | None:
    """JSON that is a table of dated rows."""
    for item in values(data):
        if isinstance(item, list):
            rows = [row for row in item if isinstance(row, (dict, list)) and DATED.search(str(row)[:2000])]
            if len(rows) > MOST_ROWS:
                return "", f"holds a table of {len(rows)} dated rows: patients' data?"
    return None


def values(data: bytes) -> Iterator[object]:
    """Every value of a JSON text, outer ones first; none where it cannot be read."""
    try:
        waiting = [json.loads(data)]
    except (ValueError, RecursionError):
        return
    while waiting:
        item = waiting.pop()
        yield item
        if isinstance(item, (list, dict)):
            waiting += item.values() if isinstance(item, dict) else item


def columns(files: Mapping[str, bytes], practice: Iterable[Path]) -> dict[str, tuple[str, str]]:
    """Files with a list of numbers that stands in practice data as well."""
    runs = {run: name for name, data in files.items() for run in number_lists(name, data)}
    found: dict[str, tuple[str, str]] = {}
    for data in texts(practice) if runs else ():
        close = data.replace(b" ", b"")
        hits = {name for run, name in runs.items() if run in close}
        found |= dict.fromkeys(hits, ("", "holds a column of the practice data: data stay with you"))
    return found


def number_lists(name: str, data: bytes) -> set[bytes]:
    """The first numbers of each long list in code or JSON, as compact JSON has them."""
    lists: list[list[object]] = []
    tree = parse(data) if name.endswith(".py") else None
    if isinstance(tree, ast.Module):
        nodes = [node for node in ast.walk(tree) if isinstance(node, (ast.List, ast.Tuple)) and len(node.elts) >= RUN]
        lists = [[part.value for part in n.elts[:RUN] if isinstance(part, ast.Constant)] for n in nodes]
    elif name.endswith(".json"):
        lists = [item[:RUN] for item in values(data) if isinstance(item, list)]
    numbers = [run for run in lists if len(run) == RUN and all(type(value) in (int, float) for value in run)]
    return {",".join(map(repr, run)).encode() for run in numbers if len(set(run)) >= DIFFER}


def texts(practice: Iterable[Path]) -> Iterator[bytes]:
    """The files of practice data."""
    for path in (p for folder in practice for p in sorted(folder.rglob("*")) if p.is_file() and not p.is_symlink()):
        if path.stat().st_size <= LARGEST_READ:
            yield path.read_bytes()


def in_practice(files: Mapping[str, bytes], practice: Iterable[Path]) -> dict[str, tuple[str, str]]:
    """Files that hold many values that are some practice patient's own, with how many."""
    held = {name: {t for t in TOKEN.findall(data) if telling(t)} for name, data in files.items()}
    held = {name: tokens for name, tokens in held.items() if len(tokens) > MOST_SHARED}
    wanted, seen = set[bytes]().union(*held.values()), Counter[bytes]()
    if not wanted:
        return {}
    for data in texts(practice):
        seen.update(token for token in TOKEN.findall(data) if token in wanted)
    own = {token for token, count in seen.items() if count <= MOST_SEEN}
    found = {name: len(tokens & own) for name, tokens in held.items()}
    return {
        name: ("", f"holds {count} values of practice patients (numbers, addresses): data stay with you")
        for name, count in found.items()
        if count > MOST_SHARED
    }


def telling(token: bytes) -> bool:
    """May a value be somebody's own: a number, an address?"""
    return (b"@" in token or sum(48 <= c <= 57 for c in token) >= 4) and not COMMON.fullmatch(token)
