"""How alike two submissions' code is, with the starter removed.

Fingerprints are chosen by winnowing (Schleimer, Wilkerson and Aiken, SIGMOD 2003) from the tokens of code_tokens.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from graders.harness import submission
from graders.harness.errors import ExerciseError
from graders.harness.exercise import Exercise
from graders.harness.kit import Kit
from graders.harness.packages import importable
from graders.round.code_tokens import Unit, digest, read
from graders.round.doubts import doubts

# Measured: docs/evidence/similarity.md.
NEAR_IDENTITY = 0.9
ADVISORY = 0.3
# Tokens whose order is compared, and of how many such grams in a row at least one is kept: whatever two submissions
# share of GRAM + WINDOW - 1 tokens in a row is seen.
GRAM, WINDOW = 12, 4
# Grams below which nothing is said: 25 dense lines beyond the starter, or 60 plain ones.
ENOUGH = 100
# Of Pair.lines: stretches that are named, and lines between two that make them one.
STRETCHES, GAP = 5, 3

Place = tuple[str, tuple[int, ...]]


@dataclass(frozen=True)
class Fingerprint:
    """What is a submission's own, as hash -> file and lines.

    whole: does every file parse?  syntax: of what parses.  words: of all, without its syntax.
    doubts: why a copy in it may not be seen, in words; nothing in them is the submission's.
    """

    whole: bool
    syntax: Mapping[int, Place]
    words: Mapping[int, Place]
    doubts: tuple[str, ...] = ()

    @property
    def comparable(self) -> bool:
        """Is there enough beyond the starter? Short programs are alike because they are short."""
        return len(self.syntax if self.whole else self.words) >= ENOUGH


@dataclass(frozen=True)
class Pair:
    """How much of the shorter one is in the other, 0 to 1; lines: where, as "file.py:12-30" of the first."""

    first: str
    second: str
    similarity: float
    lines: tuple[str, ...]


def fingerprint(
    files: Mapping[str, bytes], starter: Mapping[str, bytes], packages: Collection[str] = ()
) -> Fingerprint:
    """Of one submission of one exercise; packages: as `packages` says. Whatever the files hold, nothing is raised."""
    code = read(files, packages)
    known = of_starter(frozenset(starter.items()), frozenset(packages))
    return Fingerprint(code.whole, own(code.syntax, known), own(code.words, known), tuple(doubts(code, files)))


def packages(exercise: Exercise) -> frozenset[str]:
    """What a submission imports from its packages, by top-level names; as far as they are installed here."""
    try:
        return frozenset(name.partition(".")[0] for name in importable(exercise.packages))
    except ExerciseError:
        return frozenset(exercise.packages)


def pairs(prints: Mapping[str, Fingerprint]) -> list[Pair]:
    """All pairs that can be compared, most alike first."""
    named = [(name, one) for name, one in sorted(prints.items()) if one.comparable]
    return ranked(pair(*first, *second) for first, second in itertools.combinations(named, 2))


def nearest(prints: Mapping[str, Fingerprint], samples: Mapping[str, Fingerprint]) -> list[Pair]:
    """Each submission with the sample most like it, most alike first; without those that cannot be compared."""
    known = [(name, sample) for name, sample in sorted(samples.items()) if sample.comparable]
    named = [(name, one) for name, one in sorted(prints.items()) if one.comparable and known]
    return ranked(ranked(pair(name, one, *sample) for sample in known)[0] for name, one in named)


def starter_files(exercise: Exercise) -> dict[str, bytes]:
    """The starter, by names relative to its folder."""
    place = exercise.folder / "starter"
    return {p.relative_to(place).as_posix(): p.read_bytes() for p in sorted(place.rglob("*")) if p.is_file()}


def sample_prints(kit: Kit, exercise: Exercise) -> dict[str, Fingerprint]:
    """The kit's samples of an exercise, by name; none where a kit holds none."""
    place, starter = kit.root / "tests/submissions" / exercise.name, starter_files(exercise)
    found, known = sorted(p for p in place.iterdir() if p.is_dir()) if place.is_dir() else [], packages(exercise)
    return {p.name: fingerprint(submission.read(p, [exercise])[exercise.name].files, starter, known) for p in found}


def pair(first: str, one: Fingerprint, second: str, other: Fingerprint) -> Pair:
    """Two submissions compared.

    Containment, not the share of all: one who takes half of another's work and adds as much has half of it, not a
    third. By syntax; where either has a file that does not parse, also word by word, and the greater counts.
    """
    views = [(one.syntax, other.syntax)]
    if not (one.whole and other.whole):
        views.append((one.words, other.words))
    mine, theirs = max(views, key=lambda view: contained(*view))
    return Pair(first, second, contained(mine, theirs), stretches(mine[key] for key in mine.keys() & theirs.keys()))


def contained(mine: Mapping[int, Place], theirs: Mapping[int, Place]) -> float:
    """The share of the fewer hashes that are among the others; 0 where there are too few."""
    least = min(len(mine), len(theirs))
    return len(mine.keys() & theirs.keys()) / least if least >= ENOUGH else 0.0


def ranked(found: Iterable[Pair]) -> list[Pair]:
    """Most alike first, then by names."""
    return sorted(found, key=lambda p: (-p.similarity, p.first, p.second))


def stretches(places: Iterable[Place]) -> tuple[str, ...]:
    """The longest runs of lines, at most STRETCHES, as "file.py:12-30"."""
    lines: dict[str, set[int]] = {}
    for file, of_gram in places:
        lines.setdefault(file, set()).update(of_gram)
    runs: list[tuple[int, str, int, int]] = []
    for file, numbers in sorted(lines.items()):
        ordered = sorted(numbers)
        ends = [n for n, after in itertools.pairwise(ordered) if after - n > GAP] + ordered[-1:]
        starts = ordered[:1] + [n for before, n in itertools.pairwise(ordered) if n - before > GAP]
        for start, end in zip(starts, ends, strict=True):
            runs.append((-sum(start <= n <= end for n in ordered), submission.shown(file), start, end))
    return tuple(f"{file}:{start}-{end}" for _, file, start, end in sorted(runs)[:STRETCHES])


def own(units: Sequence[Unit], known: frozenset[int]) -> dict[int, Place]:
    """The grams that winnowing keeps and that are not mostly the starter's, with the first place of each."""
    found: dict[int, Place] = {}
    for unit in units:
        grams = hashes(unit)
        foreign = bytearray(len(unit.tokens))
        for start, value in enumerate(grams):
            if value in known:
                foreign[start : start + GRAM] = b"\1" * GRAM
        for start in winnowed(grams):
            if sum(foreign[start : start + GRAM]) <= GRAM // 2:
                found.setdefault(grams[start], (unit.file, tuple(sorted(set(unit.lines[start : start + GRAM])))))
    return found


@functools.lru_cache(maxsize=8)
def of_starter(files: frozenset[tuple[str, bytes]], packages: frozenset[str]) -> frozenset[int]:
    """All grams of a starter, in both views."""
    code = read(dict(files), packages)
    return frozenset(value for unit in (*code.syntax, *code.words) for value in hashes(unit))


def hashes(unit: Unit) -> list[int]:
    """One for each GRAM tokens in a row; none of a shorter unit."""
    return [digest(unit.tokens[start : start + GRAM]) for start in range(len(unit.tokens) - GRAM + 1)]


def winnowed(grams: Sequence[int]) -> set[int]:
    """Where the rightmost of the least stands in every window of WINDOW."""
    keys = [(value, -start) for start, value in enumerate(grams)]
    shifted = [keys[n:] for n in range(min(WINDOW, len(keys)))]
    return {-min(window)[1] for window in zip(*shifted, strict=False)}
