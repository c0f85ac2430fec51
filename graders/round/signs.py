"""Signs that work was copied or a packet passed on, by labels. None of them touches a score."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from graders.harness.kit import Kit
from graders.round.results import Results

if TYPE_CHECKING:
    from graders.round.similarity import Fingerprint

# Of every submission, by exercise and identity.
Prints = Mapping[str, Mapping[str, "Fingerprint"]]


@dataclass(frozen=True)
class Likeness:
    """Code of two submissions that is alike without the starter. second: "" for a sample that this kit publishes.

    sample: its name, "" for a submission; it may tell which flaw the sample has, so no blind page shows it.

    near: is it the same work, as far as that can be told from code?  where: the longest stretches of the first,
    "file.py:12-30"; its author chose the file's name, so no blind page may show it.
    """

    exercise: str
    first: str
    second: str
    similarity: float
    where: tuple[str, ...]
    near: bool
    sample: str = ""

    @property
    def lines(self) -> int:
        """Lines of the longest stretches."""
        ends = [stretch.rpartition(":")[2].partition("-") for stretch in self.where]
        return sum(int(last) - int(first) + 1 for first, _, last in ends)


@dataclass(frozen=True)
class Leak:
    """`count` identifiers with the mark of candidate `of`'s packet lie in what candidate `label` handed in."""

    label: str
    of: str
    exercise: str
    count: int


@dataclass(frozen=True)
class Uncompared:
    """Code of one submission in which a copy may not be seen, and why. part: was some of it compared all the same?

    It is a reason to read, no HOLD: nothing here says that anything was copied.
    """

    label: str
    exercise: str
    why: str
    part: bool


def prints(kit: Kit, results: Results) -> Prints:
    """The fingerprints of all work that was handed in; it takes a second or so for each."""
    from graders.round import similarity

    found = dict[str, Mapping[str, "Fingerprint"]]()
    for name in sorted({name for there in results.found.values() for name in there}):
        exercise = kit.exercise(name)
        starter, packages = similarity.starter_files(exercise), similarity.packages(exercise)
        found[name] = {
            identity: similarity.fingerprint(files, starter, packages)
            for identity, there in results.found.items()
            if name in there and (files := there[name].submitted)
        }
    return found


def likenesses(kit: Kit, results: Results, labels: Mapping[str, str], known: Prints | None = None) -> list[Likeness]:
    """Everything alike between submissions, and with the kit's samples; the most alike first. known: as of `prints`."""
    from graders.round import similarity

    found = []
    for name, of in (prints(kit, results) if known is None else known).items():
        pairs = [(pair, labels[pair.second], "") for pair in similarity.pairs(of)]
        pairs += [(pair, "", pair.second) for pair in similarity.nearest(of, samples_of(kit.root, name))]
        found += [
            Likeness(
                name, labels[p.first], second, p.similarity, p.lines, p.similarity >= similarity.NEAR_IDENTITY, sample
            )
            for p, second, sample in pairs
            if p.similarity >= similarity.ADVISORY
        ]
    return sorted(found, key=lambda one: (-one.similarity, one.exercise, one.first, one.second))


def likeness_of(kit: Kit, results: Results, identity: str, exercise: str) -> Likeness | None:
    """What one submission's code of an exercise has to be asked about: first a published sample, else another's work.

    second: "" for a sample, "another" for a submission, which is not named.
    """
    from graders.round import similarity

    there = {who: found[exercise] for who, found in results.found.items() if exercise in found}
    starter, packages = similarity.starter_files(kit.exercise(exercise)), similarity.packages(kit.exercise(exercise))
    mine = similarity.fingerprint(there[identity].submitted, starter, packages)
    if not mine.comparable:
        return None
    samples = similarity.nearest({identity: mine}, samples_of(kit.root, exercise))
    if samples and samples[0].similarity >= similarity.NEAR_IDENTITY:
        return Likeness(exercise, identity, "", samples[0].similarity, samples[0].lines, True)
    others = {
        who: similarity.fingerprint(files, starter, packages)
        for who, result in there.items()
        if who != identity and (files := result.submitted)
    }
    found = similarity.nearest({identity: mine}, others)
    if found and (most := found[0]).similarity >= similarity.ADVISORY:
        near = most.similarity >= similarity.NEAR_IDENTITY
        return Likeness(exercise, identity, "another", most.similarity, most.lines, near)
    return None


@functools.cache
def samples_of(root: Path, exercise: str) -> Mapping[str, Fingerprint]:
    """A kit's samples do not change while it is read."""
    from graders.round import similarity

    kit = Kit(root)
    return similarity.sample_prints(kit, kit.exercise(exercise))


def uncompared(results: Results, labels: Mapping[str, str], known: Prints) -> list[Uncompared]:
    """Work of which it cannot be said whether it was copied, all of it first; known: as of `prints`."""
    found = []
    for name, of in known.items():
        for identity, there in results.found.items():
            if identity in of:
                one, label = of[identity], labels[identity]
                if not one.comparable:
                    found.append(Uncompared(label, name, "too little code beyond the starter", part=False))
                found += [Uncompared(label, name, why, part=one.comparable) for why in one.doubts]
            elif name in there and there[name].card["status"] != "not_submitted":
                found.append(Uncompared(labels[identity], name, "no files of it were kept", part=False))
    return sorted(found, key=lambda one: (one.part, one.label, one.exercise, one.why))


def leaks(kit: Kit, results: Results, labels: Mapping[str, str], secret: bytes) -> list[Leak]:
    """Marks of another candidate's packet in what one handed in."""
    from graders.round import canaries

    found = [Leak(labels[h.identity], labels[h.of], h.exercise, h.count) for h in canaries.hits(kit, results, secret)]
    return sorted(found, key=lambda leak: (leak.label, leak.of, leak.exercise))


def unmarked(kit: Kit, names: Iterable[str]) -> list[str]:
    """Exercises whose practice data carry no marks."""
    from graders.round import canaries

    return [name for name, kinds in canaries.marks(kit, names).items() if not kinds]
