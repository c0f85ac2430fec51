"""Who has to be read by a person before anything is decided, why, and how long that takes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from graders.harness.exercise import Exercise
from graders.harness.kit import Kit
from graders.round.comparison import Comparison, Row
from graders.round.results import Results
from graders.round.signs import Likeness

# An estimate: for the scorecard of an exercise and its evidence, and for what was written beyond the starter.
FIXED_MINUTES, LINES_A_MINUTE, WORDS_A_MINUTE = 5, 20, 200
# A longer line counts as several.
WIDTH = 120


@dataclass(frozen=True)
class Reason:
    """code: the criterion's, or "" when it is another reason.  what: which criterion or sign.  why: in words.

    sample: the kit's that the work is nearly, or ""; no blind page shows it.
    """

    exercise: str
    code: str
    what: str
    why: str
    sample: str = ""


@dataclass(frozen=True)
class Hold:
    """One candidate on HOLD. minutes: of reading the exercises concerned."""

    label: str
    identity: str
    reasons: tuple[Reason, ...]
    minutes: int


def holds(kit: Kit, results: Results, compared: Comparison, alike: Sequence[Likeness]) -> list[Hold]:
    """By label: critical criteria that were missed, and work that is nearly one of the kit's samples."""
    found = []
    for row in sorted(compared.rows, key=lambda row: row.label):
        reasons = [*missed(compared, row), *copied(row, alike)]
        if reasons:
            concerned = {reason.exercise for reason in reasons}
            found.append(Hold(row.label, row.identity, tuple(reasons), minutes(kit, results, row.identity, concerned)))
    return found


def missed(compared: Comparison, row: Row) -> list[Reason]:
    """Critical criteria that put an exercise on HOLD."""
    found = []
    for block in compared.blocks:
        state = row.states[block.exercise]
        for column in block.columns:
            if column.id in state.hold:
                share = (state.fractions or {}).get(column.id) or 0.0
                why = "critical, and not met" if share == 0 else f"critical, and {share:.0%} of its points earned"
                found.append(Reason(block.exercise, column.code, column.title, why))
    return found


def copied(row: Row, alike: Sequence[Likeness]) -> list[Reason]:
    """Exercises whose code is nearly a sample's that this kit publishes."""
    return [
        Reason(
            one.exercise,
            "",
            f"{one.similarity:.2f} alike to a published sample",
            "near-identity to a sample of the kit",
            one.sample,
        )
        for one in alike
        if one.near and not one.second and one.first == row.label and one.exercise in row.states
    ]


def minutes(kit: Kit, results: Results, identity: str, exercises: Iterable[str]) -> int:
    """Estimated minutes to read these exercises of one candidate, rounded up."""
    total = 0.0
    for name in exercises:
        if name in results.found[identity]:
            lines, words = beyond(kit.exercise(name), results.found[identity][name].submitted)
            total += FIXED_MINUTES + lines / LINES_A_MINUTE + words / WORDS_A_MINUTE
    return math.ceil(total)


def beyond(exercise: Exercise, files: dict[str, bytes]) -> tuple[int, int]:
    """Lines of code and words of Markdown that the exercise's starter does not hold; blank lines do not count."""
    starter = exercise.folder / "starter"
    given = Counter(line for path in starter.rglob("*") if path.is_file() for line in lines_of(path.read_bytes()))
    lines = words = 0
    for name, data in files.items():
        if name.endswith((".py", ".md")):
            own = Counter(lines_of(data))
            new = own - given
            given -= own
            if name.endswith(".md"):
                words += sum(count * len(line.split()) for line, count in new.items())
            else:
                lines += sum(count * math.ceil(len(line) / WIDTH) for line, count in new.items())
    return lines, words


def lines_of(data: bytes) -> list[str]:
    """Lines that hold anything, without the space around them."""
    return [line.strip() for line in data.decode("utf-8", "replace").splitlines() if line.strip()]
