"""What is kept of candidates and for how long: finds what is due, removes it, and looks for what is left."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from graders.harness.errors import InfrastructureError
from graders.harness.outcome import write_file
from graders.round.rounds import RECEIPT, SUBMISSIONS

# California, 2 CCR 11013(c): four years for the records of automated-decision systems in employment.
YEARS = 4
# Made from all results together: made anew by `compare`, `grade` and `regrade`.
DERIVED = ("index.sqlite", "labels.csv", "round.html")
# Shorter than this, a cell of people.csv ("MD", "3.11") is found everywhere and says nobody's name.
TELLING = 4


@dataclass(frozen=True)
class Kept:
    """One candidate's results. graded: the day of the latest grading, None when no record says it."""

    identity: str
    graded: date | None

    def due(self, today: date, years: int) -> bool:
        """Has the period passed?"""
        return self.graded is not None and self.graded <= years_before(today, years)


def years_before(day: date, years: int) -> date:
    """The same day so many years earlier; of a 29 February that was none, the 28th."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def kept(results: Path) -> list[Kept]:
    """Everybody of whom a results folder holds anything, sorted."""
    names = {p.name for place in (results, results / ".truth") if place.is_dir() for p in place.iterdir() if p.is_dir()}
    return [Kept(name, latest(results / name)) for name in sorted(names) if not name.startswith(".")]


def latest(folder: Path) -> date | None:
    """The day on which a submission's last exercise was graded."""
    found = []
    for path in folder.glob("*/record.json"):
        try:
            found.append(date.fromisoformat(json.loads(path.read_bytes())["started"][:10]))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return max(found, default=None)


def remove(identity: str, results: Path, others: Iterable[Path]) -> list[str]:
    """Remove all that is named after one candidate; returns the words by which to look for what is left.

    others: a round's folder, or one with packets.  The reports of all results go too, since they show this candidate.
    Raises InfrastructureError.
    """
    others, words = list(others), [identity]
    try:
        for path in (results / identity, results / ".truth" / identity, *(results / name for name in DERIVED)):
            delete(path)
        for folder in others:
            for place in (folder, folder / SUBMISSIONS):
                for name in (identity, f"{identity}.zip", f"{identity}.ipynb", f"{identity}{RECEIPT}"):
                    delete(place / name)
        for folder in (results, *others):
            for path in sorted(folder.glob("*.csv")):
                words += leave_out_rows(path, identity)
            words += leave_out_candidate(folder / "round.toml", identity)
    except OSError as error:
        raise InfrastructureError(f"{error.filename}: cannot be removed ({error.strerror})") from None
    return list(dict.fromkeys(words))


def delete(path: Path) -> None:
    """A file, a link or a folder with all in it, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def leave_out_rows(path: Path, identity: str) -> list[str]:
    """Take a candidate's rows out of a table (people.csv, groups); returns what names them in it."""
    try:
        rows = list(csv.reader(io.StringIO(path.read_text("utf-8"))))
    except (UnicodeDecodeError, csv.Error):
        return []
    own = [row for row in rows if identity in row]
    if not own:
        return []
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(row for row in rows if identity not in row)
    write_file(path, text.getvalue().encode(), path.stat().st_mode & 0o777)
    # A cell that others have as well (a group) names nobody.
    shared = {cell for row in rows if identity not in row for cell in row}
    return [cell for row in own for cell in row if len(cell) >= TELLING and cell not in shared]


def leave_out_candidate(path: Path, identity: str) -> list[str]:
    """Take a candidate out of a round.toml, the rest as it stands; returns the variant's name if it is another."""
    if not path.is_file():
        return []
    pieces, words, left = re.split(r"(?m)^(?=[ \t]*\[)", path.read_text("utf-8")), list[str](), list[str]()
    for piece in pieces:
        try:
            said = tomllib.loads(piece).get("candidates", [{}])
        except tomllib.TOMLDecodeError:
            said = [{}]
        if isinstance(said, list) and said[0].get("id") == identity:
            words.append(str(said[0].get("variant", identity)))
        else:
            left.append(piece)
    if len(left) < len(pieces):
        write_file(path, "".join(left).encode())
    return words


def still_named(words: Iterable[str], folders: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """Files that hold any of the words as a word of its own, in their names or contents, and which."""
    patterns = {
        word: re.compile(rb"(?<![A-Za-z0-9])" + re.escape(word.encode()) + rb"(?![A-Za-z0-9])") for word in words
    }
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            data = path.relative_to(folder).as_posix().encode("utf-8", "surrogateescape") + b"\n" + path.read_bytes()
            yield from ((path, word) for word, pattern in patterns.items() if pattern.search(data))
