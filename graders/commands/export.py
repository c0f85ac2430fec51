"""Write the scores of a round to one file, by its ending: .csv, .json or .sqlite."""

from __future__ import annotations

import argparse
import csv
import io
from pathlib import Path
from typing import Any

from graders.commands._options import add_kit, open_kit
from graders.harness.errors import UsageError
from graders.harness.outcome import write_file
from graders.round.results import Results


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("results", type=Path, metavar="RESULTS", help="what `caredrill grade --out` wrote")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="scores.csv, all.json or index.sqlite")
    add_kit(parser)


def run(args: argparse.Namespace) -> int:
    """Write the file."""
    from graders.round import index, results
    from synthetic_data.streams import canonical_text

    if args.out.suffix not in (".csv", ".json", ".sqlite"):
        raise UsageError(f"{args.out}: ends in none of .csv, .json and .sqlite")
    found = results.read(open_kit(args.kit), args.results)
    if args.out.suffix == ".sqlite":
        index.write(found, args.out)
    elif args.out.suffix == ".json":
        cards = {identity: {name: r.card for name, r in own.items()} for identity, own in found.found.items()}
        write_file(args.out, (canonical_text(cards) + "\n").encode())
    else:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["id", "exercise", "status", "score", "hold", "stamps", "total", "place"])
        writer.writerows(rows(found))
        write_file(args.out, text.getvalue().encode())
    print(f"{args.out}: {len(found.found)} submission{'' if len(found.found) == 1 else 's'}")
    return 0


def rows(found: Results) -> list[list[Any]]:
    """One row for each exercise of each submission; total and place are the submission's by the role."""
    table = []
    for identity, own in found.found.items():
        total = found.total(identity)
        place = found.role.place(total) if found.role and total is not None else ""
        for name, result in own.items():
            lists = [" ".join(result.card[key]) for key in ("hold", "stamps")]
            table.append([identity, name, result.card["status"], result.score, *lists, total, place])
    return table
