"""Score stored outcomes again, without running any submission."""

from __future__ import annotations

import argparse
from pathlib import Path

from graders.commands._options import add_kit, open_kit
from graders.harness import outcome as outcomes
from graders.harness.errors import UsageError
from graders.harness.scorecard import Scorecard, score


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("results", type=Path, metavar="RESULTS", help="what `caredrill grade --out` wrote")
    parser.add_argument("--verify", action="store_true", help="change nothing; say where a scorecard differs")
    add_kit(parser)


def run(args: argparse.Namespace) -> int:
    """Regrade every stored outcome; with --verify, 1 when any scorecard is not reproduced."""
    from graders.report import html

    kit = open_kit(args.kit)
    folders = sorted(p.parent for p in args.results.glob("*/*/outcome.json"))
    if not folders:
        raise UsageError(f"{args.results}: holds no results (<id>/<exercise>/outcome.json)")
    pages: dict[Path, list[Scorecard]] = {}
    changed = 0
    for folder in folders:
        outcome = outcomes.read(folder)
        truth = outcomes.read_truth(args.results / ".truth" / folder.parent.name / folder.name)
        card = score(kit, outcome, truth)
        stored = folder / "scorecard.json"
        same = stored.is_file() and stored.read_bytes() == card.to_bytes()
        changed += not same
        if not same:
            print(f"{folder}: {'differs' if args.verify else 'now'} {card.score} ({card.status})")
        if not args.verify:
            outcomes.write_file(stored, card.to_bytes())
            pages.setdefault(folder.parent, []).append(card)
    for place, cards in pages.items():
        html.write(cards, place / "scorecard.html")
    print(f"{len(folders)} outcomes scored again; {changed} scorecards {'differ' if args.verify else 'changed'}")
    return int(args.verify and changed > 0)
