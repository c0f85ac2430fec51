"""Prepare an interview about one submission: questions from its own work, and a policy card to adapt it to."""

from __future__ import annotations

import argparse
from pathlib import Path

from graders.commands._options import add_kit, open_kit, working
from graders.harness import grading


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("results", type=Path, metavar="RESULTS", help="a folder that `caredrill grade` wrote")
    parser.add_argument("id", metavar="ID", help="whose interview")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where to write it (default: RESULTS/ID)")
    parser.add_argument("--secret-file", type=Path, metavar="F", help="the team's secret, for the candidate's own card")
    add_kit(parser)


def run(args: argparse.Namespace) -> int:
    """Write interview.md, interview.html and the altered cards; print where."""
    from graders.report import interview as pages
    from graders.round import interview, many, results

    kit = open_kit(args.kit)
    secret = grading.read_secret(args.secret_file) if args.secret_file else None
    with working("reading the submission"):
        found = results.read(kit, args.results)
        if secret:
            stamps = {stamp for result in found.one(args.id).values() for stamp in result.card["stamps"]}
            many.check_secret(args.results, stamps, secret, grading.read_packs(args.secret_file))
        made = interview.prepare(kit, found, args.id, secret)
    folder = args.out or args.results / args.id
    paths = pages.write(made, kit, args.results, folder)
    if made.unread:
        print("no file could be read: ask for it again; there is no interview on the code")
    else:
        live = (
            "with the live change" if made.changes else "without a live change: nothing was scored that could take one"
        )
        print(f"{len(made.questions)} questions, {made.minutes} minutes {live}")
    for what, path in paths:
        print(f"{what}: {path}")
    for note in made.notes:
        print(note)
    return 0
