"""Options and steps that several verbs share."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from graders.harness import grading, submission
from graders.harness.errors import UsageError
from graders.harness.grading import Graded, Terms
from graders.harness.kit import HOME, Kit


def add_kit(parser: argparse.ArgumentParser) -> None:
    """--kit, for a team's private exercises."""
    parser.add_argument("--kit", type=Path, default=HOME, metavar="DIR", help="a folder laid out like this kit")


def open_kit(folder: Path) -> Kit:
    """The kit at a folder. Raises UsageError when it holds no exercise."""
    kit = Kit(folder.resolve())
    if not kit.names():
        raise UsageError(f"{folder}: holds no exercises/<name>/exercise.toml")
    return kit


@contextlib.contextmanager
def working(message: str) -> Iterator[None]:
    """A spinner on the terminal while something takes more than a moment."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(message):
        yield


@contextlib.contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar with the time left, on a terminal; yields what is called at each step."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)


def grade_all(
    kit: Kit, path: Path, terms: Terms, only: str | None = None, cards: Mapping[str, Mapping[str, Any]] | None = None
) -> list[Graded]:
    """Grade every exercise found in a submission, or `only` one. cards: by exercise, in place of the terms' card."""
    parts = submission.read(path, kit.exercises())
    if only:
        kit.exercise(only)
        parts = {name: part for name, part in parts.items() if name == only}
    results = []
    for name, part in sorted(parts.items()):
        with working(f"{name}: playing on {'practice' if terms.secret is None else 'hidden'} patients"):
            own = replace(terms, card=cards[name]) if cards and name in cards else terms
            results.append(grading.grade(kit, kit.exercise(name), part, own))
    return results


def exit_code(results: list[Graded]) -> int:
    """0 all met, 1 not, 3 when something is left that is our fault."""
    if any(r.scorecard.score is None for r in results):
        return 3
    return 0 if results and all(r.scorecard.complete for r in results) else 1
