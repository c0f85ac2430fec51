"""Check your own work on practice data, in the words of the scorecard."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from graders.commands._options import add_kit, exit_code, grade_all, open_kit
from graders.decisions import claims
from graders.harness import grading, sandbox
from graders.harness.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("path", type=Path, metavar="DIR", help="your work: a folder, zip or notebook")
    parser.add_argument("--only", metavar="CRITERION", help="show one criterion")
    parser.add_argument("--exercise", metavar="NAME", help="check this exercise only")
    parser.add_argument("--card", type=Path, metavar="FILE", help="your policy card (default: card.toml beside it)")
    parser.add_argument("--full", action="store_true", help="full-sized practice data instead of a small sample")
    add_kit(parser)


def card_for(exercise: str, path: Path, given: Path | None) -> dict[str, Any] | None:
    """The policy card of one exercise: as given, or card.toml in the exercise's folder, or beside the work."""
    beside = path if path.is_dir() else path.parent
    places = [given] if given else [beside / exercise / "card.toml", beside / "card.toml"]
    found = next((place for place in places if place == given or place.is_file()), None)
    return grading.read_card(found) if found else None


def run(args: argparse.Namespace) -> int:
    """Play on practice data and print what was found."""
    from graders.report import terminal

    kit, path = open_kit(args.kit), args.path.absolute()
    tier, _ = sandbox.probe()
    terms = grading.Terms(
        variant=path.stem,
        # Your own code on your own machine: without a sandbox it runs as it would under plain Python.
        unsafe=tier is None,
        small=not args.full,
    )
    if args.only:
        known = {c.id for name in kit.names() for c in kit.criteria(name)}
        if args.only not in known:
            raise UsageError(f"unknown criterion {args.only!r}: choose from {', '.join(sorted(known))}")
    cards = {name: card for name in kit.names() if (card := card_for(name, path, args.card))}
    results = grade_all(kit, path, terms, args.exercise, cards)
    for graded in results:
        if graded.scorecard.status == "blocked" and graded.log:
            print(graded.log.rstrip()[-3000:])
        for reply in graded.scorecard.outcome.replies:
            if reply.status == "raised" and isinstance(reply.value, dict):
                print(terminal.plain(str(reply.value.get("text", "")))[-3000:])
    terminal.show([graded.scorecard for graded in results], only=args.only, examples=True)
    for graded in results:
        exercise = kit.exercise(graded.scorecard.outcome.exercise)
        size = "" if args.full else " on the small sample (--full: as many patients as grading has)"
        print(f"The play took {graded.record['seconds']} s{size}; each step may take {exercise.limits.wall_s:g} s.")
    for graded in [] if args.only else results:
        done = graded.scorecard.outcome
        exercise = kit.exercise(done.exercise)
        for line in claims.for_candidate(
            kit, exercise, done.submitted, cards.get(done.exercise), tier or sandbox.UNSAFE
        ):
            terminal.note(line)
    terminal.note(
        "Practice patients, not the hidden ones: other people, forms of identifiers and numbers will differ. "
        "Written parts are read by a person and not checked here."
    )
    if args.only:
        lines = [line for g in results for line in g.scorecard.lines if line.criterion.id == args.only]
        return 3 if any(line.earned is None for line in lines) else int(any(line.verdict != "met" for line in lines))
    return exit_code(results)
