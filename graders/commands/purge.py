"""Remove what is kept of candidates: those named, or all whose period has passed."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from graders.harness.errors import UsageError
from graders.round.rounds import check_identity


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    from graders.round.retention import YEARS

    parser.add_argument("results", type=Path, metavar="RESULTS", help="what `caredrill grade --out` wrote")
    parser.add_argument("identities", nargs="*", metavar="ID", help="these candidates now, whatever their age")
    parser.add_argument(
        "--years", type=int, default=YEARS, metavar="N", help=f"without ID: graded so long ago or longer ({YEARS})"
    )
    parser.add_argument(
        "--also", type=Path, action="append", default=[], metavar="DIR", help="a round's folder, or one with packets"
    )
    parser.add_argument("--yes", action="store_true", help="remove; without it, only say what would go")


def run(args: argparse.Namespace) -> int:
    """Say who is due; with --yes remove them and look for what is left: 1 when anything is."""
    from graders.round import retention

    for folder in (args.results, *args.also):
        if not folder.is_dir():
            raise UsageError(f"{folder}: is no folder")
    if args.years < 0:
        raise UsageError(f"--years must be at least 0, not {args.years}")
    folders = [args.results, *args.also]
    kept = {k.identity: k for k in retention.kept(args.results, args.also)}
    if not kept:
        raise UsageError(f"{args.results}: holds no results (<id>/<exercise>/outcome.json)")
    for identity in args.identities:
        check_identity(identity, "ID")
        if identity not in kept:
            raise UsageError(f"{args.results}: holds nothing of {identity!a}")
    today = datetime.now(UTC).date()
    due = args.identities or [identity for identity, k in kept.items() if k.due(today, args.years)]
    undated = [] if args.identities else [identity for identity, k in kept.items() if k.graded is None]
    if undated:
        print(f"{len(undated)} without a date of grading stay; name them to remove them: {', '.join(undated)[:200]}")
    if not args.yes:
        for identity in due:
            places = [str(path) for path in retention.belongings(identity, args.results, args.also)]
            print(
                f"{identity}: graded {kept[identity].graded or 'at no known date'}; {', '.join(places) or 'named only'}"
            )
        print(f"{len(due)} of {len(kept)} candidates would be removed{'; add --yes' if due else ''}")
        return 0
    skipped = retention.unsearchable(folders)
    words = [word for identity in due for word in retention.remove(identity, args.results, args.also)]
    print(f"{len(due)} of {len(kept)} candidates removed; reports of all results went with them (caredrill compare)")
    left = list(retention.still_named(dict.fromkeys(words), folders))
    for path, word in left[:20]:
        # Of people.csv the words are names: the file says where to look.
        print(f"{path}: still holds {word if word in due else 'a name or variant of theirs'}", file=sys.stderr)
    for path in skipped:
        print(f"{path}: {'a link' if path.is_symlink() else 'no UTF-8'}, was not looked through", file=sys.stderr)
    named = len({path for path, _ in left})
    print(f"{named} files still name them in {', '.join(map(str, folders))}; elsewhere look yourself")
    return 1 if left or skipped else 0
