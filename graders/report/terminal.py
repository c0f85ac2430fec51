"""Scorecards on a terminal of 80 columns."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from graders.harness.scorecard import Scorecard

# Of the evidence of a criterion; the page and scorecard.json have all.
MOST_PLACES = 3
COLOURS = {"met": "green", "partly met": "yellow", "not met": "red", "not scored": "magenta"}


def plain(text: str) -> str:
    """Without control characters: a submission's text must not drive the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


def show(cards: Sequence[Scorecard], only: str | None = None, examples: bool = False) -> None:
    """Print each scorecard: a headline, then one line per criterion with its message.

    examples: also what went wrong in the data's own words; never on hidden data, whoever asks.
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.padding import Padding

    console = Console(highlight=False, width=None if sys.stdout.isatty() else 80)
    for card in cards:
        shown = "no score" if card.score is None else f"{card.score} of 100"
        notes = [plain(word) for word in (card.status, card.outcome.seed + " data", *card.outcome.stamps)]
        console.print(f"[bold]{escape(card.outcome.exercise)}[/]  {shown}  ({escape(', '.join(notes))})")
        if card.reason:
            console.print(Padding(escape(plain(card.reason)), (0, 2), expand=False))
        for line in card.lines:
            if only and line.criterion.id != only:
                continue
            earned = "   -  " if line.earned is None else f"{line.earned:>6}"
            mark = f"[{COLOURS[line.verdict]}]{line.verdict:10}[/]"
            held = "  [bold red]HOLD[/]" if line.hold else ""
            console.print(f"  {mark} {earned} of {line.criterion.points:>3g}  {escape(line.criterion.id)}{held}")
            if line.message and line.message != card.reason:
                console.print(Padding(escape(plain(line.message)), (0, 0, 0, 13), expand=False))
            for place in line.evidence[:MOST_PLACES]:
                console.print(Padding("where: " + escape(plain(place)), (0, 0, 0, 13), expand=False))
            if examples and card.outcome.seed == "practice":
                for example in line.examples:
                    console.print(Padding("- " + escape(plain(example)), (0, 0, 0, 13), expand=False))
        if card.hold and not only:
            console.print("  HOLD: a person reads this submission before anything is decided.")


def note(text: str, indent: int = 0) -> None:
    """A remark, wrapped; further lines are indented once more."""
    import textwrap

    first, further = " " * indent, " " * (indent + 2 if indent else 0)
    print(textwrap.fill(plain(text), 78, initial_indent=first, subsequent_indent=further))
