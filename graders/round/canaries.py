"""Whose packet a leaked text comes from, by the marks in its practice data (synthetic_data/canaries.py)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from graders.harness import grading
from graders.harness.errors import GraderError, place
from graders.harness.exercise import Exercise
from graders.harness.grading import Terms
from graders.harness.kit import Kit
from graders.round import rounds
from graders.round.results import DESCRIPTION, Results
from synthetic_data.canaries import Mark
from synthetic_data.scene import Files

# Log10: somebody is named only when a coincidence is less likely, all candidates and kinds of marks counted.
CHANCE = -9.0
# Below this a chance is not told apart.
LEAST = -300.0
# Identifiers of one kind that are looked at; a tenth of a packet has a tenth of that.
MOST = 200_000


@dataclass(frozen=True)
class Traced:
    """Marks of one candidate's packet in a text.

    count: different identifiers of `exercise` that carry its mark, of `seen` that could.  chance: log10 of what is at
    most the chance that any candidate has so many by coincidence.
    """

    exercise: str
    count: int
    seen: int
    chance: float


@dataclass(frozen=True)
class Hit:
    """A submission that holds marks of another candidate's packet.

    identity: who handed it in.  of: whose marks.  exercise, count, chance: as in Traced.
    """

    identity: str
    of: str
    exercise: str
    count: int
    chance: float


def marked(kit: Kit, exercise: Exercise, public: Files, terms: Terms) -> Files:
    """Practice data with the candidate's marks; as they are when the recipe has none. Raises GraderError."""
    mark = getattr(kit.recipe(exercise.name), "mark", None)
    if mark is None:
        return public
    try:
        return dict(mark(public, grading.seed_for(exercise, terms, "canary")))
    except Exception as error:
        raise GraderError(f"the marks of {exercise.name} broke: {type(error).__name__}{place(error)}") from error


def marks(kit: Kit, exercises: Iterable[str]) -> dict[str, Sequence[Mark]]:
    """Exercise -> the kinds of marks in its practice data, () for none."""
    return {name: tuple(getattr(kit.recipe(name), "MARKS", ())) for name in exercises}


def trace(
    kit: Kit, exercises: Iterable[str], variants: Mapping[str, str], secret: bytes, texts: Iterable[bytes]
) -> dict[str, Traced]:
    """Identity -> what of its packet is in the texts, taken together; only those for whom it is no coincidence.

    variants: identity -> variant, of the candidates who come into question.
    """
    kinds = [(name, mark) for name, found in marks(kit, exercises).items() for mark in found]
    seen: list[set[tuple[bytes, int]]] = [set() for _ in kinds]
    for text in texts:
        small = text.lower()
        for (_, mark), there in zip(kinds, seen, strict=True):
            for one in mark.seen(small):
                if len(there) == MOST:
                    break
                there.add(one)
    found: dict[str, Traced] = {}
    for identity, variant in variants.items():
        for (name, mark), there in zip(kinds, seen, strict=True):
            number = mark.checker(grading.seed_for(kit.exercise(name), Terms(variant, secret), "canary"))
            count = sum(number(message) == tag for message, tag in there)
            chance = coincidence(count, len(there), mark.space) + math.log10(len(variants) * len(kinds))
            if chance <= CHANCE and (identity not in found or chance < found[identity].chance):
                found[identity] = Traced(name, count, len(there), chance)
    return found


def coincidence(count: int, seen: int, space: int) -> float:
    """Log10 of the chance that so many or more of `seen` identifiers carry marks of a key they do not depend on."""
    from scipy.stats import binom

    return max(LEAST, float(binom.logsf(count - 1, seen, 1 / space)) / math.log(10)) if count else 0.0


def hits(kit: Kit, results: Results, secret: bytes) -> list[Hit]:
    """Every submission that holds marks of another candidate's packet, in any file handed in. Sorted.

    Raises InfrastructureError when what was handed in cannot be read.
    """
    variants = {identity: next(str(r.card["variant"]) for r in by.values()) for identity, by in results.found.items()}
    # Also of those who handed in nothing: their packet may be in somebody's work.
    if (path := results.folder / DESCRIPTION).is_file():
        variants |= rounds.described(kit, path).variants
    found = []
    for identity, by in results.found.items():
        texts = [data for result in by.values() for data in result.submitted.values()]
        others = {other: variant for other, variant in variants.items() if other != identity}
        for other, traced in trace(kit, asked(kit, results), others, secret, texts).items():
            found.append(Hit(identity, other, traced.exercise, traced.count, traced.chance))
    return found


def asked(kit: Kit, results: Results) -> list[str]:
    """The exercises of a round: the role's, or those that results are of."""
    names = results.role.weights if results.role else {name for by in results.found.values() for name in by}
    return [name for name in names if name in kit.names()]
