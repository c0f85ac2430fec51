"""index.sqlite: all scorecards of a results folder as three tables, for questions of your own. Made from the files."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from graders.harness.errors import InfrastructureError
from graders.round.results import Result, Results

NAME = "index.sqlite"
TABLES = """
create table submissions (id text primary key, role text, total real, place text);
create table scorecards (id text, exercise text, status text, score real, points real, hold text, stamps text,
    variant text, seed text, kit text, submission text, outcome text, truth text, primary key (id, exercise));
create table criteria (id text, exercise text, criterion text, title text, skill text, points real, earned real,
    verdict text, critical integer, message text, primary key (id, exercise, criterion));
"""
ADD_CARD = "insert into scorecards values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
ADD_LINE = "insert into criteria values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
CARD = ("status", "score", "points", "hold", "stamps", "variant", "seed", "kit", "submission", "outcome", "truth")
LINE = ("id", "title", "skill", "points", "earned", "verdict", "critical", "message")


def write(results: Results, path: Path) -> None:
    """Make the index anew; the same results give the same rows in the same order. Raises InfrastructureError.

    Lists are texts with commas; numbers are those of the scorecards; a score that is our fault is null.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        scratch.unlink(missing_ok=True)
        with closing(sqlite3.connect(scratch)) as database, database:
            database.executescript(TABLES)
            for identity, found in sorted(results.found.items()):
                database.execute("insert into submissions values (?, ?, ?, ?)", submission(results, identity))
                for _, result in sorted(found.items()):
                    add(database, identity, result)
        # With ids and totals it tells who is who on a blind page.
        scratch.chmod(0o600)
        scratch.replace(path)
    except (OSError, sqlite3.Error) as error:
        scratch.unlink(missing_ok=True)
        raise InfrastructureError(f"{path}: cannot be written ({error})") from None


def submission(results: Results, identity: str) -> tuple[Any, ...]:
    """A row of `submissions`: by the role, where there is one."""
    total = results.total(identity)
    if results.role is None or total is None:
        return identity, results.role and results.role.name, None, None
    return identity, results.role.name, float(total), results.role.place(total)


def add(database: sqlite3.Connection, identity: str, result: Result) -> None:
    """The rows of one scorecard."""
    row = [cell(key, result.card[key]) for key in CARD]
    database.execute(ADD_CARD, (identity, result.exercise, *row))
    for line in result.card["criteria"]:
        row = [cell(key, line[key]) for key in LINE]
        database.execute(ADD_LINE, (identity, result.exercise, *row))


def cell(key: str, value: Any) -> Any:
    """A value of a scorecard as SQLite takes it."""
    if key in ("score", "points", "earned"):
        return None if value is None else float(value)
    return ",".join(value) if isinstance(value, list) else value
