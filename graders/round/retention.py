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
from typing import Any

from graders.harness.errors import InfrastructureError
from graders.harness.outcome import write_file
from graders.round.rounds import RECEIPT, SUBMISSIONS

# California, 2 CCR 11013(c): four years for the records of automated-decision systems in employment.
YEARS = 4
# Made from all results together: made anew by `compare`, `grade` and `regrade`.
DERIVED = ("index.sqlite", "labels.csv", "round.html", "round-unblinded.html")
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


def kept(results: Path, others: Iterable[Path] = ()) -> list[Kept]:
    """Everybody of whom a results folder holds anything, or whom a description names, sorted."""
    names = {p.name for place in (results, results / ".truth") if place.is_dir() for p in place.iterdir() if p.is_dir()}
    for folder in (results, *others):
        path = folder / "round.toml"
        pieces = re.split(r"(?m)^(?=[ \t]*\[)", path.read_text("utf-8", "replace")) if path.is_file() else []
        names |= {str(said["id"]) for piece in pieces if "id" in (said := candidate_in(piece))}
    return [Kept(name, latest(results / name)) for name in sorted(names - {"letters"}) if not name.startswith(".")]


def latest(folder: Path) -> date | None:
    """The day on which a submission's last exercise was graded."""
    found = []
    for path in folder.glob("*/record.json"):
        try:
            found.append(date.fromisoformat(json.loads(path.read_bytes())["started"][:10]))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return max(found, default=None)


def belongings(identity: str, results: Path, others: Iterable[Path]) -> list[Path]:
    """What is there that is named after one candidate. others: a round's folder, or one with packets."""
    found = []
    for folder in others:
        handed_in = [folder / SUBMISSIONS / f"{identity}{ending}" for ending in ("", ".zip", ".ipynb", RECEIPT)]
        # A folder is a packet when it has the packet's first page.
        packet = [folder / identity] if (folder / identity / "START.md").is_file() else []
        found += [*handed_in, *packet, folder / f"{identity}.zip"]
    # The results last: who stopped half-way is still found there by the next run.
    found += [results / "letters" / f"{identity}{ending}" for ending in (".md", ".html")]
    found += [results / ".truth" / identity, results / identity]
    return [path for path in found if path.exists() or path.is_symlink()]


def remove(identity: str, results: Path, others: Iterable[Path]) -> list[str]:
    """Remove all that is named after one candidate; returns the words by which to look for what is left.

    The reports of all results go too, since they show this candidate.  Raises InfrastructureError.
    """
    others, words = list(others), [identity]
    try:
        for folder in (results, *others):
            for path in sorted(folder.glob("*.csv")):
                words += leave_out_rows(path, identity)
            words += leave_out_candidate(folder / "round.toml", identity)
        for path in [*(results / name for name in DERIVED), *belongings(identity, results, others)]:
            delete(path)
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
    """Take a candidate's rows out of a table with a column `id`; returns what names them in it."""
    try:
        rows = list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error):
        return []
    if not rows or "id" not in rows[0]:
        return []
    column = rows[0].index("id")
    own = [row for row in rows[1:] if row[column : column + 1] == [identity]]
    if not own:
        return []
    others = [row for row in rows if row not in own]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(others)
    write_file(path, text.getvalue().encode(), path.stat().st_mode & 0o777)
    # A cell that others have as well (a group) names nobody.
    shared = {cell for row in others for cell in row}
    return [cell for row in own for cell in row if len(cell) >= TELLING and cell not in shared]


def leave_out_candidate(path: Path, identity: str) -> list[str]:
    """Take a candidate's [[candidates]] out of a round.toml, the rest as it stands; returns the variant's name.

    A list of candidates written in another way is left alone; what still names somebody is looked for afterwards.
    """
    if not path.is_file():
        return []
    try:
        pieces = re.split(r"(?m)^(?=[ \t]*\[)", path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError:
        return []
    words, left = list[str](), list[str]()
    for piece in pieces:
        said = candidate_in(piece)
        if said and str(said.get("id")) == identity:
            words.append(str(said.get("variant", identity)))
        else:
            left.append(piece)
    if len(left) < len(pieces):
        write_file(path, "".join(left).encode())
    return words


def candidate_in(piece: str) -> dict[str, Any]:
    """The candidate of a piece of a round.toml that begins with [[candidates]]; {} when it is something else."""
    try:
        said = tomllib.loads(piece).get("candidates") if piece.lstrip().startswith("[[") else None
    except tomllib.TOMLDecodeError:
        return {}
    return said[0] if isinstance(said, list) and len(said) == 1 and isinstance(said[0], dict) else {}


def unsearchable(folders: Iterable[Path]) -> list[Path]:
    """Links, and tables and descriptions that are no UTF-8: nothing was removed in them, nothing looked for."""
    found = []
    for path in sorted(p for folder in folders for p in folder.rglob("*")):
        if path.is_symlink():
            found.append(path)
        elif path.name == "round.toml" or path.suffix == ".csv":
            try:
                path.read_bytes().decode("utf-8-sig")
            except (OSError, UnicodeDecodeError):
                found += [path] if path.is_file() else []
    return found


def still_named(words: Iterable[str], folders: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """Files that hold any of the words as a word of its own, in their names or contents, and which."""
    around = rb"[A-Za-z0-9_-]"
    patterns = {w: re.compile(rb"(?<!%b)%b(?!%b)" % (around, re.escape(w.encode()), around)) for w in words}
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink()):
            data = path.relative_to(folder).as_posix().encode("utf-8", "surrogateescape") + b"\n" + path.read_bytes()
            yield from ((path, word) for word, pattern in patterns.items() if pattern.search(data))
