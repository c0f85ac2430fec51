"""Read and rate the written part of a submission, and see how far two raters agree."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graders.commands._options import add_kit, open_kit, working
from graders.harness import grading
from graders.harness.errors import UsageError
from graders.harness.kit import Kit

if TYPE_CHECKING:
    from graders.round.results import Result, Results


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("results", type=Path, metavar="RESULTS", help="what `caredrill grade --out` wrote")
    parser.add_argument("identity", nargs="?", metavar="ID", help="whose work is rated")
    parser.add_argument("--rater", metavar="NAME", help="your initials or a pseudonym")
    parser.add_argument("--exercise", metavar="NAME", help="this exercise only")
    parser.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="ANCHOR=0..4", help="store your rating of one exercise"
    )
    parser.add_argument("--secret-file", type=Path, metavar="F", help="the team's secret, to check numbers once")
    parser.add_argument("--agreement", action="store_true", help="of the whole round: how far raters agree")
    add_kit(parser)


def run(args: argparse.Namespace) -> int:
    """Show, store, or compare."""
    from graders.round import ratings, results

    kit = open_kit(args.kit)
    found = results.read(kit, args.results)
    if args.agreement:
        if args.identity or args.set or args.secret_file:
            raise UsageError("--agreement is of the whole round: give neither an ID nor --set nor --secret-file")
        return agreement(found)
    if not args.identity or not args.rater:
        raise UsageError("say whose work and who rates it:  caredrill rate RESULTS ID --rater NAME")
    own = found.one(args.identity)
    rater = ratings.spelled(ratings.load(own), ratings.check_rater(args.rater))
    if args.exercise and args.exercise not in own:
        raise UsageError(f"{args.identity} has no results of {args.exercise!a}; there are {', '.join(own)}")
    chosen = {name: result for name, result in own.items() if args.exercise in (None, name)}
    terms = terms_of(args.secret_file, chosen)
    if args.set:
        return store(own, chosen, rater, ratings.parse(args.set))
    if not ratings.rateable(chosen):
        print(f"{args.identity}: no DECISIONS.md was handed in ({', '.join(chosen)}): nothing to rate.")
        return 0
    return show(kit, args, own, chosen, rater, terms)


def terms_of(secret_file: Path | None, chosen: Mapping[str, Result]) -> grading.Terms:
    """With the secret and the packs beside it. Raises UsageError for another secret than the results were made with."""
    from graders.report import terminal
    from graders.round import written

    if secret_file is None:
        return grading.Terms("")
    terms = grading.Terms("", grading.read_secret(secret_file), packs=grading.read_packs(secret_file))
    hidden = [result for result in chosen.values() if result.card["seed"] == "hidden"]
    if None in [written.same_secret(result, terms) for result in hidden]:
        print(f"caredrill rate: {terminal.plain(secret_file.name)}: {written.UNTOLD}", file=sys.stderr)
    return terms


def store(own: Mapping[str, Result], chosen: Mapping[str, Result], rater: str, levels: Mapping[str, int]) -> int:
    """Keep a rating of one exercise."""
    from graders.round import ratings

    texts = ratings.rateable(chosen)
    if not texts:
        raise UsageError(f"{', '.join(chosen)}: no DECISIONS.md was handed in, so there is nothing to rate")
    if len(texts) > 1:
        raise UsageError(f"which one? say --exercise with one of {', '.join(texts)}")
    path = ratings.rate(own, rater, next(iter(texts)), levels)
    print(f"{path}: {next(iter(texts))} rated by {rater}")
    print_levels(own, rater)
    return 0


def show(
    kit: Kit,
    args: argparse.Namespace,
    own: Mapping[str, Result],
    chosen: Mapping[str, Result],
    rater: str,
    terms: grading.Terms,
) -> int:
    """Print what is to be rated, and by what. Scores are not shown: they would colour the rating."""
    from graders.round import ratings, written

    with working("checking numbers"):
        numbers = {name: written.checked_numbers(kit, result, terms) for name, result in chosen.items()}
    print("\n".join(written.wrapped(written.AUTHOR)), end="\n\n")
    for name, result in chosen.items():
        text = written.text_of(result)
        print(f"== {args.identity}: {name}\n")
        if text is None:
            print("No DECISIONS.md was handed in: nothing to rate.\n")
            continue
        print("\n".join(written.shown(text.strip("\n"), "  ")), end="\n\n")
        for line in numbers_said(numbers[name]):
            print("\n".join(written.wrapped(written.masked(line))))
        for judged in written.predictions_of(result):
            print("\n".join(written.wrapped(f"predictions.json: {judged['verdict']}. {judged['message']}")))
        print()
    print("== anchors: the highest level of which all is there\n")
    for anchor in ratings.anchors():
        print(f"{anchor.name}: {anchor.title}")
        for level, words in enumerate(anchor.levels):
            print("\n".join(written.wrapped(f"{level}  {words}", "  ")))
    print()
    print_levels(own, rater)
    return 0


def numbers_said(rows: Sequence[Mapping[str, Any]] | None) -> list[str]:
    """What came of the numbers of a text, and the queries, for a person to read. rows: None without the secret."""
    from graders.decisions import claims

    if rows is None:
        return ["Numbers are not checked yet: give --secret-file once; whose policy card it was follows from it."]
    queries = [f"    line {row['line']}: {' '.join(row['query'].split())}" for row in rows if row["query"]]
    return [*claims.lines(rows, claims.FILE), *queries]


def print_levels(own: Mapping[str, Result], rater: str) -> None:
    """The rater's levels, and others' once both have rated all of the submission."""
    from graders.round import ratings

    stored = ratings.load(own)
    seen = ratings.others(own, stored, rater)
    for name in ratings.rateable(own):
        for anchor in ratings.anchors():
            mine, theirs = (
                [stored[who][name].levels.get(anchor.name) if name in stored.get(who, {}) else None for who in group]
                for group in ([rater], seen)
            )
            line = f"{name} {anchor.name}: {'not yet' if mine[0] is None else mine[0]}"
            for who, level in zip(seen, theirs, strict=True):
                line += f"; {who} {level} ({abs((mine[0] or 0) - (level or 0))} apart)"
            print(line)
    if not ratings.complete(own, stored, rater):
        print("Others' ratings are shown when you and they have rated everything.")


def agreement(found: Results) -> int:
    """Print how far raters agree, and what to talk about."""
    from graders.round import ratings

    pairs = ratings.pairs(found)
    if not pairs:
        print("No submission has been rated in full by two people.")
        return 0
    for row in ratings.agreement(pairs):
        if row.n < ratings.FEWEST:
            kappa = f"too few for kappa (below {ratings.FEWEST})"
        else:
            kappa = "no kappa: one level in all" if row.kappa is None else f"kappa {row.kappa:.2f}"
        print(f"{row.anchor.name}: {row.equal:.0%} equal, {row.near:.0%} within one, {kappa}, n = {row.n}")
    for identity, exercise, anchor, one, other in ratings.to_talk_about(pairs):
        print(f"talk about {identity} {exercise} {anchor}: {one} and {other}")
    return 0
