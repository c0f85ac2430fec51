"""The interview's pages: Markdown to type into, and one printable HTML page without script."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from graders.harness.kit import HOME, Kit
from graders.harness.outcome import write_file
from graders.report import html
from graders.report.terminal import plain
from graders.round.interview import LIVE, OPENING, TITLES, Change, Interview, altered_card


@dataclass(frozen=True)
class Live:
    """A live change as the pages show it. before, after: the commands that grade with the old card and the new one."""

    change: Change
    card: str
    copy: str
    before: str
    after: str


def write(made: Interview, kit: Kit, results: Path, folder: Path) -> list[tuple[str, Path]]:
    """Write pages and altered cards into a folder; returns what and where. Raises InfrastructureError."""
    live = [commands(change, made.identity, kit, results, folder) for change in made.changes]
    for change in made.changes:
        write_file(altered_card(folder, change), change.change.card.encode())
    values = {
        "made": made, "live": live, "titles": TITLES, "opening": OPENING, "live_minutes": LIVE,
        "stamps": {stamp: html.STAMPS.get(stamp, "") for stamp in made.stamps},
        "secret": any(change.terms.secret is not None for change in made.changes),
    }  # fmt: skip
    page = html.environment().get_template("interview.html.j2").render(values)
    # Markdown has escapes of its own.
    text = html.environment().overlay(lstrip_blocks=True)
    text.filters = text.filters | {"md": md, "fenced": fenced}
    words = re.sub(r"\n{3,}", "\n\n", text.get_template("interview.md.j2").render(values))
    written = [("interview", folder / "interview.html"), ("as Markdown", folder / "interview.md")]
    write_file(folder / "interview.html", page.encode("utf-8", "replace"))
    write_file(folder / "interview.md", words.encode("utf-8", "replace"))
    return written + [(f"altered card of {c.exercise}", altered_card(folder, c)) for c in made.changes]


def commands(change: Change, identity: str, kit: Kit, results: Path, folder: Path) -> Live:
    """What is typed before and after."""
    name, card, work = change.exercise, altered_card(folder, change), folder / "live" / change.exercise
    options = ["--exercise", name, "--variant", change.terms.variant]
    # Practice data stay practice data: a secret would bring other patients.
    if change.terms.secret is not None:
        # Pages are passed on; where the secret lies is not.
        options += ["--secret-file", "F"]
    if kit.root != HOME:
        options += ["--kit", str(kit.root)]
    grade = ["caredrill", "grade", str(work), *options, "--small", "--out"]
    return Live(
        change,
        str(card),
        shlex.join(["cp", "-r", str(results / identity / name / "submitted"), str(work)]),
        shlex.join([*grade, str(folder / "live" / "before")]),
        shlex.join([*grade, str(folder / "live" / "after"), "--card", str(card)]),
    )


def md(text: str) -> str:
    """Somebody else's text in a line of Markdown: shown as it is, no markup, no HTML."""
    line = " ".join(plain(text).split())
    return re.sub(r"([\\`*\[\]<>|~#&]|(?<!\w)_|_(?!\w))", r"\\\1", line)


def fenced(text: str) -> str:
    """Lines of code, in a fence longer than any within."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{plain(text)}\n{fence}"
