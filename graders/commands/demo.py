"""Grade three bundled submissions on hidden patients from a throw-away secret."""

from __future__ import annotations

import argparse
import secrets
import shutil
from pathlib import Path

from graders.commands._options import grade_all
from graders.harness import grading, sandbox
from graders.harness.kit import HOME, Kit

EXERCISE = "deidentification"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("--out", type=Path, default=Path("demo"), metavar="DIR", help="where results go")


def run(args: argparse.Namespace) -> int:
    """Grade starter, naive and good; 0 when all three have a score."""
    from graders.report import html, terminal

    kit = Kit()
    samples = HOME / "tests/submissions" / EXERCISE
    paths = {"starter": HOME / "exercises" / EXERCISE / "starter", "naive": samples / "naive", "good": samples / "good"}
    tier, failures = sandbox.probe()
    if tier is None:
        print(f"no sandbox works here ({failures[0]}): the kit's own samples run without one, stamped UNSAFE")
    secret = secrets.token_bytes(32)
    shutil.rmtree(args.out, ignore_errors=True)
    found = []
    for name, path in paths.items():
        # One variant for all three: they meet the same patients, so their scores can be compared.
        terms = grading.Terms(variant="demo", secret=secret, unsafe=tier is None, small=True)
        for graded in grade_all(kit, path, terms, EXERCISE):
            grading.store(graded, args.out, name)
            html.write([graded.scorecard], args.out / name / "scorecard.html", kit)
            card = graded.scorecard
            print(f"{name:8} {'no score' if card.score is None else card.score:>8}   {card.reason or card.status}")
            found.append(card)
    terminal.show(found[-1:])
    print(f"scorecards: {args.out}/{{{','.join(paths)}}}/scorecard.html")
    return 3 if any(card.score is None for card in found) else 0
