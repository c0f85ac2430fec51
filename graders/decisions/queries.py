"""One SQL query of a stranger over practice tables: the program that runs in the sandbox. Standard library only.

SQLite in memory; what is not a plain SELECT over the tables at hand is refused, and work and memory are bounded.
"""

from __future__ import annotations

import csv
import json
import math
import re
import sqlite3
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Steps of SQLite's virtual machine: a few seconds, and a hundred times what an honest count over 100,000 rows takes.
MOST_STEPS, PER_CALL = 100_000_000, 100_000
MOST_HEAP = 600 * 2**20
# The longest text or row; a line of the largest practice file has a tenth of it.
MOST_LENGTH = 4 * 2**20
# What one of the functions below may keep.
MOST_VALUES = 1_000_000
TOO_LONG = "it takes too long"
# What an honest query may give of no rows, or of one without values: a count, or a share of all.
COMMON = (0, 1, 100)
# Another answer every time, or none about the data.
REFUSED = {
    "random",
    "randomblob",
    "load_extension",
    "current_date",
    "current_time",
    "current_timestamp",
    "fts3_tokenizer",
}
TODAY = re.compile(r"['\"]now['\"]|\b(?:date|time|datetime|julianday|unixepoch|strftime)\s*\(\s*\)", re.IGNORECASE)
ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE}
# No leading zero or plus: record numbers and ZIP codes stay text.
WHOLE = re.compile(r"-?(?:0|[1-9]\d{0,17})")
NUMBER = re.compile(r"-?(?:(?:0|[1-9]\d*)(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d{1,3})?")


def answer(folder: Path) -> dict[str, Any]:
    """{"number": …} or {"why": …}. folder: task.json with `query` and `tables` (name -> file), and these files."""
    task = json.loads((folder / "task.json").read_text("utf-8"))
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for table, file in task["tables"].items():
        load(connection, table, folder / file)
    return ask(connection, task["query"])


def ask(connection: sqlite3.Connection, query: str) -> dict[str, Any]:
    """The one number that a query gives, with a remark where it gives it without the data as well."""
    if TODAY.search(query):
        return {"why": "its answer changes with the day"}
    others = [bare(connection, rows) for rows in (0, 1)]
    found = run(connection, query)
    if "number" not in found or found not in [run(other, query) for other in others]:
        return found
    if found["number"] in COMMON:
        return {**found, "remark": "its query gives this without any data as well: look at it"}
    return {"why": "the query gives this on any data"}


def bare(connection: sqlite3.Connection, rows: int) -> sqlite3.Connection:
    """The same tables without what is in them. rows: so many in each, of NULLs."""
    found = sqlite3.connect(":memory:", isolation_level=None)
    for name, made in connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'"):
        found.execute(made)
        for _ in range(rows):
            found.execute(f"INSERT INTO {quoted(name)} DEFAULT VALUES")
    return found


def run(connection: sqlite3.Connection, query: str) -> dict[str, Any]:
    """What a query gives of these tables; nothing else can be done with the connection after it."""
    names = {name.lower() for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    read = shut(connection)
    try:
        cursor = connection.execute(query)
        rows = cursor.fetchmany(2)
    except MemoryError:
        return {"why": f"it takes more than {MOST_HEAP >> 20} MB"}
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
        said = str(error)
        return {"why": TOO_LONG if said == "interrupted" else said or type(error).__name__}
    # json_each and the like are tables as well, of the query's own making.
    if not read & names:
        return {"why": "it reads no table of the practice data"}
    if len(rows) != 1 or len(rows[0]) != 1:
        return {"why": "it gives no single number: one row of one column is wanted"}
    value = rows[0][0]
    if isinstance(value, (int, float)) and math.isfinite(value):
        return {"number": value}
    return {"why": "it gives no number"}


def shut(connection: sqlite3.Connection) -> set[str]:
    """Allow SELECTs over the tables that are there and nothing else. Returns the set that holds what is read, later."""
    for name, function in (("sqrt", math.sqrt), ("ln", math.log), ("exp", math.exp), ("regexp", matches)):
        arguments = 2 if name == "regexp" else 1
        connection.create_function(name, arguments, on_values(function), deterministic=True)
    connection.create_aggregate("median", 1, Median)  # type: ignore[arg-type]
    connection.create_aggregate("stdev", 1, Deviation)  # type: ignore[arg-type]
    # What these table functions set up at their first use looks like writing.
    connection.execute("SELECT 1 FROM json_each('[]'), json_tree('[]')")
    connection.execute("PRAGMA temp_store = 2")
    connection.execute("PRAGMA trusted_schema = 0")
    connection.execute("PRAGMA query_only = 1")
    connection.execute(f"PRAGMA hard_heap_limit = {MOST_HEAP}")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_LENGTH)
    connection.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, 20_000)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    read, steps = set[str](), [0]

    def allow(action: int, first: str | None, second: str | None, _: str | None, __: str | None) -> int:
        if action == sqlite3.SQLITE_READ:
            # Its own tables, pragma_… and the like tell of the program, not of the data.
            if str(first).lower().startswith(("sqlite_", "pragma_", "dbstat", "bytecode", "tables_used")):
                return sqlite3.SQLITE_DENY
            read.add(str(first).lower())
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION:
            return sqlite3.SQLITE_DENY if str(second).lower() in REFUSED else sqlite3.SQLITE_OK
        return sqlite3.SQLITE_OK if action in ALLOWED else sqlite3.SQLITE_DENY

    def count() -> bool:
        steps[0] += PER_CALL
        return steps[0] > MOST_STEPS

    connection.set_authorizer(allow)
    connection.set_progress_handler(count, PER_CALL)
    return read


def load(connection: sqlite3.Connection, table: str, path: Path) -> None:
    """A .csv with its columns, an empty cell as NULL; of other files a row per line or element: line, doc."""
    if path.suffix != ".csv":
        connection.execute(f"CREATE TABLE {quoted(table)} (line INTEGER, doc TEXT)")
        connection.executemany(f"INSERT INTO {quoted(table)} VALUES (?, ?)", enumerate(documents(path), 1))  # noqa: S608 - our own name
        return
    with path.open(encoding="utf-8-sig", newline="") as stream:
        header, *rows = csv.reader(stream)
    columns = [typed([row[i] if i < len(row) else "" for row in rows]) for i in range(len(header))]
    connection.execute(f"CREATE TABLE {quoted(table)} ({', '.join(map(quoted, header))})")
    places = ", ".join("?" * len(header))
    connection.executemany(f"INSERT INTO {quoted(table)} VALUES ({places})", zip(*columns, strict=True))  # noqa: S608 - likewise


def documents(path: Path) -> Iterator[str]:
    """The lines of an .ndjson, or the elements of a .json that is a list, or all of it."""
    text = path.read_text("utf-8")
    if path.suffix == ".json":
        found = json.loads(text)
        yield from (json.dumps(part) for part in (found if isinstance(found, list) else [found]))
    else:
        yield from (line for line in text.split("\n") if line.strip())


def typed(cells: list[str]) -> list[Any]:
    """Numbers where every cell that says something is one; text else."""
    said = [cell for cell in cells if cell]
    kind: Any = str
    if said and all(WHOLE.fullmatch(cell) for cell in said):
        kind = int
    elif said and all(NUMBER.fullmatch(cell) for cell in said):
        kind = float
    return [kind(cell) if cell else None for cell in cells]


def quoted(name: str) -> str:
    """A name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def on_values(function: Any) -> Any:
    """A function that gives NULL for NULL and for what it is not defined for."""

    def called(*values: Any) -> Any:
        try:
            return None if None in values else function(*values)
        except (ValueError, TypeError, OverflowError, re.error):
            return None

    return called


def matches(pattern: str, text: str) -> bool:
    """X REGEXP Y, as Python's re.search."""
    return re.search(str(pattern), str(text)) is not None


class Collected:
    """An aggregate over the numbers of a group."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def step(self, value: Any) -> None:
        """One row."""
        if isinstance(value, (int, float)):
            if len(self.values) >= MOST_VALUES:
                raise MemoryError
            self.values.append(value)


class Median(Collected):
    """median(x)."""

    def finalize(self) -> float | None:
        """NULL for no numbers."""
        return statistics.median(self.values) if self.values else None


class Deviation(Collected):
    """stdev(x), of a sample."""

    def finalize(self) -> float | None:
        """NULL for fewer than two numbers."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None
