"""Check your own work on practice data, in the words of the scorecard."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from graders.commands._options import add_kit, exit_code, grade_all, open_kit
from graders.decisions import claims
from graders.handing_in import work
from graders.handing_in.work import Work
from graders.harness import grading, sandbox
from graders.harness.errors import UsageError
from graders.harness.exercise import Exercise
from graders.harness.grading import Graded
from graders.harness.kit import Kit

WORDS = {"blocks": "blocks", "fault": "fault ", "note": "note  "}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("path", type=Path, metavar="DIR", help="your work: a folder, zip or notebook")
    parser.add_argument("--only", metavar="CRITERION", help="show one criterion")
    parser.add_argument("--exercise", metavar="NAME", help="check this exercise only")
    parser.add_argument("--card", type=Path, metavar="FILE", help="your policy card (default: card.toml beside it)")
    parser.add_argument("--full", action="store_true", help="full-sized practice data instead of a small sample")
    add_kit(parser)


def run(args: argparse.Namespace) -> int:
    """The contract first; then what can be played, on practice data; then what is not checked here."""
    kit, path = open_kit(args.kit), args.path.resolve()
    asked = wanted(kit, args.exercise, args.only)
    found = work.look(path, kit.exercises())
    if args.only and not set(asked) & set(found.parts):
        raise UsageError(f"--only {args.only}: {path.name} holds nothing of {', '.join(asked)}")
    faults = show_contract(found, asked, brief=bool(args.only))
    playable = [name for name in asked if name in found.parts and not found.blocking(name)]
    cards = {name: card for name in playable if (card := card_for(name, path, args.card)) is not None}
    graded = show_criteria(kit, found, asked, playable, cards, args)
    if not args.only:
        show_unchecked([kit.exercise(name) for name in playable], cards, full=args.full)
    # A course's cells ask about one criterion each: a fault elsewhere must not cost that one's points.
    return max(verdict(graded, args.only), int((faults and not args.only) or not graded))


def wanted(kit: Kit, exercise: str | None, criterion: str | None) -> list[str]:
    """The exercises that are asked about. Raises UsageError for unknown names."""
    names = [kit.exercise(exercise).name] if exercise else kit.names()
    if not criterion:
        return names
    known = {name: [c.id for c in kit.criteria(name)] for name in names}
    found = [name for name in names if criterion in known[name]]
    if not found:
        choices = ", ".join(sorted({c for ids in known.values() for c in ids}))
        raise UsageError(f"unknown criterion {criterion!r}: choose from {choices}")
    return found


def card_for(exercise: str, path: Path, given: Path | None) -> dict[str, Any] | None:
    """The policy card of one exercise: as given, or card.toml in the exercise's folder, or beside the work."""
    beside = path if path.is_dir() else path.parent
    places = [given] if given else [beside / exercise / "card.toml", beside / "card.toml"]
    found = next((place for place in places if place == given or place.is_file()), None)
    return grading.read_card(found) if found else None


def show_contract(found: Work, asked: Sequence[str], brief: bool) -> bool:
    """Part 1: what can be said without running anything. brief: faults alone. Is there a fault?"""
    from graders.report import terminal

    findings = {name: found.findings[name] for name in asked if name in found.parts}
    faults = any(finding.weight != "note" for some in findings.values() for finding in some)
    if brief and not faults:
        return False
    print("1. The contract, before anything is played")
    for name, some in findings.items():
        count = len(found.parts[name].files)
        terminal.note(f"{name}: {count} file{'' if count == 1 else 's'}{'' if some else ', nothing to say'}", 2)
        for finding in some:
            if not brief or finding.weight != "note":
                terminal.note(f"{WORDS[finding.weight]} {finding}", 4)
    if missing := [exercise for exercise in found.exercises if exercise.name in {*asked} & {*found.nothing}]:
        # Whoever has begun one knows where it lies.
        said = [e.name if found.parts else f"{e.name} ({e.name}/{e.entry})" for e in missing]
        terminal.note(f"nothing of {', '.join(said)}", 2)
    return faults


def show_criteria(
    kit: Kit,
    found: Work,
    asked: Sequence[str],
    playable: Sequence[str],
    cards: Mapping[str, Mapping[str, Any]],
    args: argparse.Namespace,
) -> list[Graded]:
    """Part 2: the play on practice data, in the scorecard's words."""
    from graders.report import terminal

    tier, _ = sandbox.probe()
    # Your own code on your own machine: without a sandbox it runs as it would under plain Python.
    terms = grading.Terms(variant=found.path.stem, unsafe=tier is None, small=not args.full)
    print("2. The criteria, on practice patients")
    for name in asked:
        if name in found.parts and name not in playable:
            terminal.note(f"{name}: not played; it would not run in grading either, for 0 points", 2)
    results = [graded for name in playable for graded in grade_all(kit, found.path, terms, name, cards)]
    for graded in results:
        if graded.scorecard.status == "blocked" and graded.log:
            print(terminal.plain(graded.log.rstrip()[-3000:]))
        for reply in graded.scorecard.outcome.replies:
            if reply.status == "raised" and isinstance(reply.value, dict):
                print(terminal.plain(str(reply.value.get("text", "")))[-3000:])
    terminal.show([graded.scorecard for graded in results], only=args.only, examples=True)
    for graded in results:
        exercise = kit.exercise(graded.scorecard.outcome.exercise)
        print(f"The play took {graded.record['seconds']} s; each step may take {exercise.limits.wall_s:g} s.")
    for graded in [] if args.only else results:
        name, submitted = graded.scorecard.outcome.exercise, graded.scorecard.outcome.submitted
        for line in claims.for_candidate(kit, kit.exercise(name), submitted, cards.get(name), tier or sandbox.UNSAFE):
            terminal.note(line)
    return results


def show_unchecked(exercises: Sequence[Exercise], cards: Mapping[str, object], full: bool) -> None:
    """Part 3: what a good result here does not say."""
    from graders.report import terminal

    print("3. Not checked here")
    terminal.note("- The hidden patients: other people, other forms of identifiers and numbers, other problems.", 2)
    for exercise in exercises:
        sizes = exercise.settings.items()
        differs = [
            f"{n} {what} (here {exercise.ci_settings[what]})"
            for what, n in sizes
            if n != exercise.ci_settings.get(what, n)
        ]
        if differs and not full:
            terminal.note(f"- {exercise.name} at full size: {', '.join(differs)}; --full plays that here.", 2)
        if exercise.name not in cards:
            terminal.note(f"- {exercise.name} under your policy card: this was the practice one (--card FILE).", 2)
    if any(exercise.allows("predictions.json") for exercise in exercises):
        terminal.note("- predictions.json against the hidden result: here it is held against this one.", 2)
    if any(exercise.allows("DECISIONS.md") for exercise in exercises):
        terminal.note("- The written part, DECISIONS.md: people rate it; only numbers with a query are checked.", 2)


def verdict(results: list[Graded], only: str | None) -> int:
    """0 all met, 1 not, 3 when something has no score by a fault that is ours."""
    if not only:
        return exit_code(results)
    lines = [line for graded in results for line in graded.scorecard.lines if line.criterion.id == only]
    return 3 if any(line.earned is None for line in lines) else int(any(line.verdict != "met" for line in lines))
