"""Feedback letters: what each candidate is told of their own results, in words, and of nobody else's."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from graders.harness.exercise import Exercise
from graders.harness.kit import HOME, Kit
from graders.harness.outcome import write_file
from graders.harness.submission import digest
from graders.round import comparison, rounds
from graders.round.results import DESCRIPTION, Result, Results

FILES = ("letter.md", "letter.html")
# Of which no file could be read, or none was there.
NOTHING = digest({})
# What a stamp means for whoever reads their own score.
STAMPS = {
    "PRACTICE": "graded on the public practice data",
    "SMALL": "graded on few patients, so that the score is coarse",
    "UNSAFE": "graded without a sandbox",
    "OTHER CARD": "graded with another policy card than your own",
}


@dataclass(frozen=True)
class Advice:
    """One section of the remedies, and the criteria that point to it. text: paragraphs; none without a remedy."""

    heading: str
    text: tuple[str, ...]
    criteria: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Part:
    """One exercise. weight: percent of the score, None without a role.  card: as stored."""

    exercise: Exercise
    weight: int | None
    card: Mapping[str, Any]
    advice: tuple[Advice, ...]

    @property
    def ran(self) -> bool:
        """Was it played and scored?"""
        return bool(self.card["status"] == "graded")

    @property
    def arrived(self) -> bool:
        """Was there a file of it that could be read?"""
        return bool(self.card["submission"] != NOTHING)

    @property
    def met(self) -> list[str]:
        """The sentences of the criteria that are met."""
        return [c["title"] for c in self.card["criteria"] if c["verdict"] == "met"]

    @property
    def held(self) -> list[str]:
        """The sentences of the criteria for which a person had to look."""
        return [c["title"] for c in self.card["criteria"] if c["id"] in self.card["hold"]]

    @property
    def stamps(self) -> list[str]:
        """What its stamps mean, in words."""
        return [STAMPS[stamp] for stamp in self.card["stamps"] if stamp in STAMPS]


@dataclass(frozen=True)
class Letter:
    """All that a letter says. total: None without a role or when a score is missing.  contact: or ""."""

    identity: str
    role: str
    parts: tuple[Part, ...]
    total: Decimal | None
    contact: str
    keep_years: int
    with_scores: bool

    @property
    def held(self) -> list[str]:
        """The sentences of all criteria on hold. A person may also have to look for reasons that no scorecard knows."""
        return [title for part in self.parts for title in part.held]

    @property
    def ran(self) -> bool:
        """Was anything played and scored?"""
        return any(part.ran for part in self.parts)

    @property
    def unread(self) -> bool:
        """Is all that is known of it that it could not be read?"""
        return all(not part.arrived and part.card["status"] in ("blocked", "not_submitted") for part in self.parts)

    @property
    def reasons(self) -> list[str]:
        """Why it could not be read, each once."""
        return list(dict.fromkeys(part.card["reason"] for part in self.parts if part.card["reason"]))

    @property
    def met(self) -> bool:
        """Was any criterion met?"""
        return any(part.ran and part.met for part in self.parts)

    def stamped(self, stamp: str) -> bool:
        """Does any of what was scored carry a stamp?"""
        return any(part.ran and stamp in part.card["stamps"] for part in self.parts)

    @property
    def error(self) -> float | None:
        """The total's standard error in points, as the round report has it; None when a part was not measured."""
        one = (
            comparison.Block(part.exercise.name, part.exercise.title, part.weight, part.exercise.standard_error, ())
            for part in self.parts
        )
        return comparison.total_error(tuple(one))


def compose(kit: Kit, results: Results, identity: str, keep_years: int, with_scores: bool) -> Letter:
    """What one candidate is told. Raises UsageError when there are no results of theirs."""
    found = results.one(identity)
    weights = results.role.weights if results.role else dict.fromkeys(found)
    order = [name for name in weights if name in found] + [name for name in found if name not in weights]
    description = results.folder / DESCRIPTION
    return Letter(
        identity,
        results.role.title if results.role else "",
        tuple(part(kit, found[name], weights.get(name)) for name in order),
        results.total(identity),
        rounds.described(kit, description).contact if description.is_file() else "",
        keep_years,
        with_scores,
    )


def part(kit: Kit, result: Result, weight: int | None) -> Part:
    """One exercise of a letter. What would not run gets no advice about what it might have lacked."""
    unmet = [c for c in result.card["criteria"] if c["verdict"] in ("partly met", "not met")]
    found = advice(kit, unmet) if result.card["status"] == "graded" else ()
    return Part(kit.exercise(result.exercise), weight, result.card, found)


def advice(kit: Kit, unmet: Sequence[Mapping[str, Any]]) -> tuple[Advice, ...]:
    """Criteria by the remedy that they point to, in the order of the rubric."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for criterion in unmet:
        groups.setdefault(criterion["remedy"], []).append(criterion)
    return tuple(Advice(*remedy(kit, pointer), tuple(criteria)) for pointer, criteria in groups.items())


def remedy(kit: Kit, pointer: str) -> tuple[str, tuple[str, ...]]:
    """Heading and paragraphs of `file.md#anchor` in a kit, or in this one; empty where there is none such."""
    name, _, anchor = pointer.partition("#")
    for root in dict.fromkeys([kit.root, HOME]) if pointer.isprintable() and anchor else ():
        path = (root / name).resolve()
        if not path.is_relative_to(root) or not path.is_file():
            continue
        for section in re.split(r"^## ", path.read_text("utf-8"), flags=re.MULTILINE)[1:]:
            heading, _, body = section.partition("\n")
            if anchor_of(heading) == anchor:
                # The source is a paragraph of its own: a reader may skip it.
                told = body.replace("\nSource: ", "\n\nSource: ").strip()
                return heading.strip(), tuple(" ".join(block.split()) for block in told.split("\n\n"))
    return "", ()


def anchor_of(heading: str) -> str:
    """As GitHub makes anchors: small letters, hyphens for blanks, no punctuation."""
    return re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")


def literal(text: str) -> str:
    """A text in the middle of a line of Markdown, in which nothing means anything but itself."""
    signs = r"[\\`*~$|]|(?<!\w)_|_(?!\w)|<(?=[A-Za-z/!?])|(?<=\])[(\[:]|&(?=#|\w+;)"
    return re.sub(signs, r"\\\g<0>", " ".join(text.split()))


def marked(text: str) -> str:
    """A remedy's paragraph as HTML: `code` and *stress* are all the Markdown there is in it."""
    from markupsafe import Markup, escape

    safe = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text)))
    return Markup(re.sub(r"\*([^*]+)\*", r"<em>\1</em>", safe))  # noqa: S704 (escaped in the line above)


def write(letter: Letter, folder: Path) -> None:
    """Write a letter as Markdown and as a page."""
    from graders.report import html

    environment = html.environment().overlay()
    environment.filters = {**environment.filters, "literal": literal, "marked": marked}
    for name in FILES:
        text = environment.get_template(f"{name}.j2").render(letter=letter)
        write_file(folder / name, (re.sub(r"\n{3,}", "\n\n", text) + "\n").encode("utf-8", "replace"))
