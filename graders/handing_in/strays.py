"""Files in a candidate's work that the exercises' allow-lists leave out: grading will not find them."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from graders.handing_in.finding import Finding
from graders.harness.exercise import Exercise, glob_pattern
from graders.harness.submission import Fault, Listing, Part, below, holds, list_folder, list_zip, shown, unwrapped

CARD = "card.toml"
# What runs leave, beside what the manifests' outputs name.
LEFT_BY_RUNS = re.compile(r"(?:.*/)?(?:logs|venv|env|build|dist|[^/]*\.egg-info)/.*")
DATA = {".csv", ".tsv", ".ndjson", ".jsonl", ".parquet", ".feather", ".sqlite", ".sqlite3", ".db", ".xlsx", ".pkl"}


@dataclass(frozen=True)
class Place:
    """Where an exercise's work lies: the prefix of its names, "" for the top."""

    exercise: Exercise
    prefix: str
    taken: frozenset[str]


def listed(path: Path, exercises: Iterable[Exercise]) -> Listing | None:
    """Names of a folder or zip; None where it cannot be listed, and for a notebook, which is one file."""
    try:
        if path.is_dir():
            return unwrapped(list_folder(path), list(exercises))
        return None if path.suffix == ".ipynb" else unwrapped(list_zip(path), list(exercises))
    except (Fault, OSError):
        return None


def find(listing: Listing, exercises: Iterable[Exercise], parts: Mapping[str, Part]) -> list[Finding]:
    """Every file that stays behind and is not known to be harmless, by name, with the reason."""
    exercises = list(exercises)
    places = [place(listing, exercise, parts[exercise.name]) for exercise in exercises if exercise.name in parts]
    taken = frozenset().union(*(one.taken for one in places))
    code = b"\n".join(data for part in parts.values() for name, data in part.files.items() if name.endswith(".py"))
    given = [path for exercise in exercises for path in own_files(exercise)]
    practice = {str(PurePosixPath(name).parent) for name in listing.sizes if PurePosixPath(name).name == CARD}
    practice -= {one.prefix.rstrip("/") or "." for one in places}
    found = []
    for name in sorted(listing.sizes):
        if name in taken or harmless(name, listing, places, practice, given):
            continue
        found.append(Finding("blocks", shown(name), reason(name, listing.sizes[name], exercises, places, code)))
    return found


def place(listing: Listing, exercise: Exercise, part: Part) -> Place:
    """Where the part was read from, and which files it took."""
    prefix = f"{exercise.name}/"
    prefix = prefix if below(listing, prefix).sizes else ""
    own = below(listing, prefix) if prefix else listing
    notebook = f"{exercise.name}.ipynb"
    if notebook in own.sizes and not holds(own, exercise.entry) and part.files:
        return Place(exercise, prefix, frozenset([prefix + notebook]))
    return Place(exercise, prefix, frozenset(prefix + name for name in part.files))


def own_files(exercise: Exercise) -> Iterator[Path]:
    """What the candidate was given: brief, letter, starter."""
    return (path for path in exercise.folder.rglob("*") if path.is_file())


def harmless(name: str, listing: Listing, places: list[Place], practice: set[str], given: list[Path]) -> bool:
    """Is a file one that nobody would miss: a card, practice data, what was given, what a run left?"""
    file = PurePosixPath(name)
    if file.name == CARD or any(str(folder) in practice for folder in file.parents):
        return True
    if LEFT_BY_RUNS.fullmatch(name):
        return True
    size = listing.sizes[name]
    same = [path for path in given if path.name == file.name and path.stat().st_size == size]
    with contextlib.suppress(Fault):
        if any(listing.read(name, size) == path.read_bytes() for path in same):
            return True
    return any(output_of(one, name, listing) for one in places)


def output_of(one: Place, name: str, listing: Listing) -> bool:
    """Does a file lie in a folder of nothing but what the exercise writes?"""
    outputs = [glob_pattern(output) for output in one.exercise.outputs if output != "**/*"]
    inner = name.removeprefix(one.prefix)
    if not outputs or not name.startswith(one.prefix) or "/" not in inner:
        return False
    top = inner.split("/", 1)[0] + "/"
    beside = below(listing, one.prefix + top).sizes
    return all(any(re.fullmatch(output, other) for output in outputs) for other in beside)


def reason(name: str, size: int, exercises: list[Exercise], places: list[Place], code: bytes) -> str:
    """Why a file stays behind."""
    if size < 0:
        return "a link or a device, not a file"
    home = next((one for one in places if one.prefix and name.startswith(one.prefix)), None)
    home = home or next((one for one in places if not one.prefix), None)
    if home is None:
        return f"in no exercise's folder ({', '.join(e.name for e in itertools.islice(exercises, 5))})"
    if PurePosixPath(name).suffix.lower() in DATA:
        said = "data stay with you"
    else:
        said = f"{home.exercise.name} takes {', '.join(home.exercise.allow)}"
    named = PurePosixPath(name).name.encode("utf-8", "surrogateescape") in code
    return f"{said}; your code names it, and will not find it in grading" if named else said
