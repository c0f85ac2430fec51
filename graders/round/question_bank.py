"""What can be asked: graders/questions/<exercise>.toml, one file an exercise, and _any.toml for what fits every one."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graders.harness.errors import ExerciseError
from graders.harness.kit import HOME, Kit

QUESTIONS, ANY = "graders/questions/{}.toml", "_any"
# criterion: a verdict.  code, decisions: what a detector saw, by its kind.  predictions: the criterion that judges
# them.  hold: a critical criterion.  alike: code like a sample's or another's.  status: blocked, not_submitted.
# general: when there is nothing else.
ABOUT = ("criterion", "code", "decisions", "predictions", "hold", "alike", "status", "general")
ANCHORS = ("strong", "adequate", "weak")


@dataclass(frozen=True)
class Entry:
    """One question and what answers to it contain; texts have slots like {place}.

    id: of a criterion, or a kind; "*" for any.  when: "met", "missed" or "" for either.  match: a regular expression
    that the scorecard's message must hold, whose named groups are slots.  look_for: what the code it is about says,
    the first what no other code says: {place} is named only where that is found.
    """

    about: str
    id: str
    question: str
    strong: str
    adequate: str
    weak: str
    when: str = ""
    match: str = ""
    look_for: tuple[str, ...] = ()
    why: str = ""
    minutes: int = 4


@dataclass(frozen=True)
class LiveKey:
    """A rule of the card worth altering before somebody's eyes. further: what to ask whose code copes at once."""

    key: str
    why: str
    expect: str
    strong: str
    adequate: str
    weak: str
    further: str = ""


@dataclass(frozen=True)
class Bank:
    """unread: rules of the card that a program need not read."""

    path: Path
    entries: tuple[Entry, ...]
    live: tuple[LiveKey, ...]
    unread: tuple[str, ...]

    def find(self, about: str, kind: str, when: str = "", message: str = "") -> tuple[Entry, dict[str, str]] | None:
        """The first entry that fits, with what its `match` found."""
        for entry in self.entries:
            if entry.about != about or entry.id not in (kind, "*") or (entry.when and entry.when != when):
                continue
            found = re.search(entry.match, message)
            if found:
                return entry, {name: text or "" for name, text in found.groupdict().items()}
        return None


def load(kit: Kit, exercise: str) -> Bank:
    """The exercise's own questions, where it has any, then those that fit every exercise. Raises ExerciseError."""
    own = kit.root / QUESTIONS.format(exercise)
    if not own.is_file():
        return general()
    bank = read(own)
    return Bank(own, bank.entries + general().entries, bank.live or general().live, bank.unread)


def general() -> Bank:
    """Questions that fit every exercise."""
    return read(HOME / QUESTIONS.format(ANY))


def read(path: Path) -> Bank:
    """One file. Raises ExerciseError, naming file, entry and key."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ExerciseError(f"{path}: cannot be read ({error})") from None
    entries = tuple(entry(path, n, row) for n, row in enumerate(data.get("question", []), 1))
    live = tuple(live_key(path, n, row) for n, row in enumerate(data.get("live", []), 1))
    unread = data.get("card_need_not_be_read", [])
    if extra := sorted(set(data) - {"question", "live", "card_need_not_be_read"}):
        raise ExerciseError(f"{path}: knows no {', '.join(extra)}; it has [[question]] and [[live]]")
    return Bank(path, entries, live, tuple(str(key) for key in unread))


def entry(path: Path, number: int, row: Mapping[str, Any]) -> Entry:
    """One [[question]], checked."""
    what = f"{path}: [[question]] {number}"
    keys = set(Entry.__dataclass_fields__)
    need(what, row, ("about", "id", "question", *ANCHORS), keys)
    if row["about"] not in ABOUT or row.get("when", "") not in ("", "met", "missed"):
        raise ExerciseError(f"{what}: about must be one of {', '.join(ABOUT)}, and when met or missed")
    try:
        for pattern in (row.get("match", ""), *row.get("look_for", [])):
            re.compile(pattern)
    except re.error as error:
        raise ExerciseError(f"{what}: a regular expression does not compile ({error})") from None
    return Entry(**{**row, "look_for": tuple(row.get("look_for", []))})


def live_key(path: Path, number: int, row: Mapping[str, Any]) -> LiveKey:
    """One [[live]], checked."""
    what = f"{path}: [[live]] {number}"
    need(what, row, ("key", "why", "expect", *ANCHORS), set(LiveKey.__dataclass_fields__))
    return LiveKey(**row)


def need(what: str, row: Mapping[str, Any], required: tuple[str, ...], known: set[str]) -> None:
    """Raises ExerciseError for what is missing or unknown."""
    missing = [key for key in required if not isinstance(row.get(key), str) or not row[key].strip()]
    if missing or not set(row) <= known:
        extra = sorted(set(row) - known)
        raise ExerciseError(f"{what}: needs {', '.join(required)}; missing {missing}, unknown {extra}")
