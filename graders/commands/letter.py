"""Write feedback letters: what a candidate met, what not, what helps, and how to appeal."""

from __future__ import annotations

import argparse
from pathlib import Path

from graders.commands._options import add_kit, open_kit, progress
from graders.harness.errors import UsageError
from graders.round.letters import FILES
from graders.round.retention import YEARS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("results", type=Path, metavar="RESULTS", help="what `caredrill grade --out` wrote")
    parser.add_argument("identity", nargs="?", metavar="ID", help="one candidate; all unless told")
    parser.add_argument("--without-scores", action="store_true", help="verdicts and advice, no points")
    parser.add_argument("--keep-years", type=int, default=YEARS, metavar="N", help="how long results are kept")
    add_kit(parser)


def run(args: argparse.Namespace) -> int:
    """Write letter.md and letter.html beside each candidate's scorecard."""
    from graders.round import letters, results

    if args.keep_years < 1:
        raise UsageError(f"--keep-years must be at least 1, not {args.keep_years}")
    kit = open_kit(args.kit)
    found = results.read(kit, args.results)
    chosen = [args.identity] if args.identity else list(found.found)
    with progress("letters", len(chosen)) as step:
        for identity in chosen:
            told = letters.compose(kit, found, identity, args.keep_years, not args.without_scores)
            letters.write(told, found.folder / identity)
            step()
    for identity in () if args.identity else found.missing:
        print(f"{identity}: nothing handed in, no letter")
    where = found.folder / (args.identity or "<id>")
    count = "1 letter" if len(chosen) == 1 else f"{len(chosen)} letters"
    print(f"{count}: {where}/{{{','.join(FILES)}}}; read before sending")
    return 0
