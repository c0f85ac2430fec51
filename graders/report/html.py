"""The scorecard page: one A4 sheet, self-contained, no script, light and dark."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from graders.harness.kit import Kit
from graders.harness.outcome import write_file
from graders.harness.scorecard import Scorecard
from graders.report import drawing
from graders.report.terminal import plain

if TYPE_CHECKING:
    import jinja2

STAMPS = {
    "PRACTICE": "Public practice data: not comparable with a graded score.",
    "UNSAFE": "Run without a sandbox: the score cannot be trusted.",
    "TIER B": "Run in the weaker of the two sandboxes.",
    "SMALL": "Few patients: the score is coarse.",
    "OTHER CARD": "Graded with another policy card than the candidate's own.",
    "PRIVATE PACK": "Hidden data with the team's own additions: comparable only with scores that carry this stamp.",
}


@functools.cache
def environment() -> jinja2.Environment:
    """Templates of this folder: whatever they print is escaped and holds no control characters."""
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=jinja2.select_autoescape(["html.j2"]),
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: type(value)(plain(value)) if isinstance(value, str) else value,
        trim_blocks=True,
    )
    made.filters["plain"] = plain
    return made


def section(pointer: str) -> str:
    """`file.md#some-heading` as a reader of the page alone finds it: file, then the words of the heading."""
    name, _, anchor = pointer.partition("#")
    return f"{name}, {anchor.replace('-', ' ')}" if anchor else name


def by_skill(card: Scorecard) -> list[tuple[str, Decimal, float]]:
    """(skill, earned, points), in the order of the rubric."""
    found: dict[str, tuple[Decimal, float]] = {}
    for line in card.lines:
        earned, points = found.get(line.criterion.skill, (Decimal(0), 0.0))
        found[line.criterion.skill] = (earned + (line.earned or 0), points + line.criterion.points)
    return [(skill, *sums) for skill, sums in found.items()]


def write(cards: Sequence[Scorecard], path: Path, kit: Kit | None = None) -> Path:
    """Write the page for one submission's scorecards; returns its path. kit: tells the exercises' titles."""
    text = (
        environment()
        .get_template("scorecard.html.j2")
        .render(
            cards=cards,
            titles={c.outcome.exercise: kit.exercise(c.outcome.exercise).title for c in cards} if kit else {},
            by_skill=by_skill,
            section=section,
            stamps=STAMPS,
            drawn=drawing.drawn,
            width=drawing.WIDTH,
            plot=drawing.PLOT,
        )
    )
    write_file(path, text.encode("utf-8", "replace"))
    return path
