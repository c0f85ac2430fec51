"""Ratings of the written part: by whom, on which anchors, and how far two people agree."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

from graders.harness.errors import ExerciseError, InfrastructureError, UsageError
from graders.harness.outcome import write_file
from graders.round import written
from graders.round.results import Result, Results

ANCHORS = Path(__file__).with_name("anchors.toml")
STORED, SCHEMA = "ratings.json", "caredrill.ratings/1"
LEVELS = (0, 1, 2, 3, 4)
# Below so many pairs of ratings, kappa says more of chance than of the raters.
FEWEST = 5
TALK = 2


@dataclass(frozen=True)
class Anchor:
    """One thing that is rated. levels: what has to stand in the text, for 0 to 4."""

    name: str
    title: str
    levels: tuple[str, ...]


@dataclass
class Rating:
    """One person's rating of one text. text: its hash.  levels: as they are now, by anchor.

    alone: as they were when this person had not seen anybody else's; agreement is counted on these.
    """

    text: str
    levels: dict[str, int] = field(default_factory=dict)
    alone: dict[str, int] = field(default_factory=dict)


Ratings = dict[str, dict[str, Rating]]
"""Rater -> exercise -> rating, of one submission."""


@dataclass(frozen=True)
class Agreement:
    """Of one anchor. n: pairs of ratings of one text.  equal, near: shares of n that are equal, and within one.

    kappa: weighted by the square of the difference (Cohen 1968, doi:10.1037/h0026256); None where it says nothing.
    """

    anchor: Anchor
    n: int
    equal: float
    near: float
    kappa: float | None


def anchors() -> list[Anchor]:
    """What is rated, in order. Raises ExerciseError."""
    try:
        found = [
            Anchor(a["name"], a["title"], tuple(a["levels"]))
            for a in tomllib.loads(ANCHORS.read_text("utf-8"))["anchors"]
        ]
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise ExerciseError(f"{ANCHORS}: needs [[anchors]] with name, title and levels ({error})") from None
    if not all(len(anchor.levels) == len(LEVELS) for anchor in found):
        raise ExerciseError(f"{ANCHORS}: each anchor needs {len(LEVELS)} levels")
    return found


def check_rater(name: str) -> str:
    """Initials or a pseudonym. Raises UsageError."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,19}", name):
        raise UsageError(f"--rater {name!a}: give initials or a pseudonym, up to 20 letters, digits, '.', '-' and '_'")
    return name


def parse(words: Sequence[str]) -> dict[str, int]:
    """ANCHOR=0..4 of a command line. Raises UsageError."""
    known, found = [anchor.name for anchor in anchors()], dict[str, int]()
    for word in words:
        name, _, level = word.partition("=")
        if name not in known:
            raise UsageError(f"--set {word!a}: there is no anchor {name!a}; choose from {', '.join(known)}")
        if level not in map(str, LEVELS):
            raise UsageError(f"--set {word!a}: a level is 0, 1, 2, 3 or 4, as in {name}=2")
        if name in found:
            raise UsageError(f"--set: {name} is given twice")
        found[name] = int(level)
    return found


def rateable(results: Mapping[str, Result]) -> dict[str, Result]:
    """The exercises of a submission that have a text."""
    return {name: result for name, result in results.items() if written.text_of(result)}


def load(results: Mapping[str, Result]) -> Ratings:
    """What is stored of one submission; ratings of a text that was replaced meanwhile are left out."""
    path = place(results)
    try:
        stored = json.loads(path.read_bytes())["ratings"] if path.exists() else {}
        spellings = Counter(check_rater(rater).lower() for rater in stored)
        found: Ratings = {}
        for rater, exercises in stored.items():
            for name, kept in exercises.items():
                rating = Rating(kept["text"], levels_of(kept["levels"]), levels_of(kept["alone"]))
                if type(rating.text) is not str or set(rating.levels) != set(rating.alone):
                    raise ValueError
                if name in results and rating.text == written.digest_of(results[name]):
                    found.setdefault(rater, {})[name] = rating
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, UsageError):
        raise InfrastructureError(f"{path}: cannot be read; restore it, or remove it and rate again") from None
    if twice := [rater for rater in stored if spellings[rater.lower()] > 1]:
        raise InfrastructureError(f"{path}: {' and '.join(twice)} are one rater: remove all but one")
    return found


def spelled(ratings: Ratings, rater: str) -> str:
    """A rater's name as it is stored: "ab" is "AB"."""
    return next((name for name in ratings if name.lower() == rater.lower()), rater)


def levels_of(stored: Mapping[str, Any]) -> dict[str, int]:
    """Stored levels of the anchors that there are. Raises ValueError."""
    known = {anchor.name for anchor in anchors()}
    if not all(type(level) is int and level in LEVELS for level in stored.values()):
        raise ValueError
    return {name: level for name, level in stored.items() if name in known}


def rate(results: Mapping[str, Result], rater: str, exercise: str, levels: Mapping[str, int]) -> Path:
    """Store what a rater says of one exercise of a submission, in place of what they said before. Returns the file."""
    ratings = load(results)
    rater = spelled(ratings, rater)
    seen = bool(others(results, ratings, rater))
    own = ratings.setdefault(rater, {}).setdefault(exercise, Rating(written.digest_of(results[exercise])))
    own.levels.update(levels)
    if not seen:
        own.alone.update(levels)
    stored = {
        name: {part: vars(rating) for part, rating in sorted(parts.items())} for name, parts in sorted(ratings.items())
    }
    path = place(results)
    write_file(path, (json.dumps({"schema": SCHEMA, "ratings": stored}, indent=1, sort_keys=True) + "\n").encode())
    return path


def place(results: Mapping[str, Result]) -> Path:
    """Where the ratings of a submission lie."""
    return next(iter(results.values())).folder.parent / STORED


def complete(results: Mapping[str, Result], ratings: Ratings, rater: str) -> bool:
    """Has a rater rated all of a submission?"""
    own, names = ratings.get(rater, {}), {anchor.name for anchor in anchors()}
    texts = rateable(results)
    return bool(texts) and all(name in own and names <= set(own[name].levels) for name in texts)


def others(results: Mapping[str, Result], ratings: Ratings, rater: str) -> list[str]:
    """Whose ratings of a submission this rater may see: nobody's before both have rated all of it."""
    if not complete(results, ratings, rater):
        return []
    return [name for name in sorted(ratings) if name != rater and complete(results, ratings, name)]


def pairs(results: Results) -> list[tuple[str, str, str, int, int]]:
    """(identity, exercise, anchor, level, level) of every two people who rated all of one submission."""
    found = []
    for identity, own in results.found.items():
        ratings = load(own)
        done = [rater for rater in sorted(ratings) if complete(own, ratings, rater)]
        for one, other in combinations(done, 2):
            for exercise in rateable(own):
                for anchor in anchors():
                    levels = [ratings[who][exercise].alone[anchor.name] for who in (one, other)]
                    found.append((identity, exercise, anchor.name, levels[0], levels[1]))
    return found


def agreement(found: Sequence[tuple[str, str, str, int, int]]) -> list[Agreement]:
    """Per anchor, over all pairs."""
    from sklearn.metrics import cohen_kappa_score

    rows = []
    for anchor in anchors():
        both = [(a, b) for _, _, name, a, b in found if name == anchor.name]
        n, kappa = len(both), None
        # With one level in all ratings there is nothing for chance to agree on.
        if n >= FEWEST and len({level for pair in both for level in pair}) > 1:
            kappa = float(cohen_kappa_score(*zip(*both, strict=True), labels=list(LEVELS), weights="quadratic"))
        near = sum(abs(a - b) <= 1 for a, b in both)
        rows.append(Agreement(anchor, n, sum(a == b for a, b in both) / n if n else 0, near / n if n else 0, kappa))
    return rows


def to_talk_about(found: Sequence[tuple[str, str, str, int, int]]) -> list[tuple[str, str, str, int, int]]:
    """Pairs that lie two levels or more apart."""
    return [pair for pair in found if abs(pair[3] - pair[4]) >= TALK]
