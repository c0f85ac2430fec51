"""Run a submission in the sandbox on hidden patients and score it."""

from __future__ import annotations

import argparse
from pathlib import Path

from graders.commands._options import add_kit, exit_code, grade_all, open_kit
from graders.harness import grading
from graders.harness.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("path", type=Path, metavar="PATH", help="a submission: folder, zip or notebook")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where results are kept")
    parser.add_argument("--secret-file", type=Path, metavar="F", help="the team's secret; without it, practice data")
    parser.add_argument("--variant", metavar="ID", help="whose data and policy card (default: the submission's name)")
    parser.add_argument("--exercise", metavar="NAME", help="grade this exercise only")
    parser.add_argument("--card", type=Path, metavar="FILE", help="use this policy card instead of the variant's own")
    parser.add_argument("--small", action="store_true", help="the small settings of the tests; stamps the scorecard")
    parser.add_argument("--unsafe-no-sandbox", action="store_true", help="run without a sandbox; stamps the scorecard")
    add_kit(parser)


def run(args: argparse.Namespace) -> int:
    """Grade, store, print; returns the exit code."""
    from graders.report import html, terminal

    kit = open_kit(args.kit)
    path = args.path.absolute()
    terms = grading.Terms(
        variant=args.variant or path.stem,
        secret=grading.read_secret(args.secret_file) if args.secret_file else None,
        packs=grading.read_packs(args.secret_file) if args.secret_file else {},
        card=grading.read_card(args.card) if args.card else None,
        unsafe=args.unsafe_no_sandbox,
        small=args.small,
    )
    if not terms.variant.replace("-", "").replace("_", "").replace(".", "").isalnum() or terms.variant[0] == ".":
        raise UsageError(f"--variant must be letters, digits, '-', '_' and '.', not {terms.variant!a}")
    results = grade_all(kit, path, terms, args.exercise)
    for graded in results:
        grading.store(graded, args.out, terms.variant)
    cards = [graded.scorecard for graded in results]
    page = html.write(cards, args.out / terms.variant / "scorecard.html")
    terminal.show(cards)
    print(f"scorecard: {page}")
    return exit_code(results)
