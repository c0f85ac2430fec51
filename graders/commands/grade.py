"""Run a submission, or all of a round, in the sandbox on hidden patients and score it."""

from __future__ import annotations

import argparse
import os
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from graders.commands._options import add_kit, exit_code, grade_all, open_kit, progress
from graders.harness import grading
from graders.harness.errors import UsageError
from graders.harness.kit import Kit

if TYPE_CHECKING:
    from graders.round.many import Verdict
    from graders.round.roles import Role


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "path", type=Path, metavar="PATH", help="a submission: folder, zip or notebook; or a folder with submissions/"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where results are kept")
    parser.add_argument("--secret-file", type=Path, metavar="F", help="the team's secret; without it, practice data")
    parser.add_argument("--variant", metavar="ID", help="whose data and policy card (default: the submission's name)")
    parser.add_argument("--exercise", metavar="NAME", help="grade this exercise only")
    parser.add_argument("--card", type=Path, metavar="FILE", help="use this policy card instead of the variant's own")
    parser.add_argument("--small", action="store_true", help="the small settings of the tests; stamps the scorecard")
    parser.add_argument("--unsafe-no-sandbox", action="store_true", help="run without a sandbox; stamps the scorecard")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="of a round, at a time")
    add_kit(parser)


def run(args: argparse.Namespace) -> int:
    """Grade, store, print; returns the exit code."""
    from graders.report import html, terminal
    from graders.round import many, rounds

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
    if rounds.is_round(path):
        return grade_round(kit, path, terms, args)
    if path.name == rounds.SUBMISSIONS and (path.parent / "round.toml").is_file():
        raise UsageError(f"{path}: holds a round's submissions; grade {path.parent}")
    rounds.check_identity(terms.variant, "--variant" if args.variant else path.name)
    many.same_terms(args.out, terms)
    results = grade_all(kit, path, terms, args.exercise)
    for graded in results:
        grading.store(graded, args.out, terms.variant)
    cards = [graded.scorecard for graded in results]
    page = html.write(cards, args.out / terms.variant / "scorecard.html", kit)
    terminal.show(cards)
    print(f"scorecard: {page}")
    return exit_code(results)


def grade_round(kit: Kit, path: Path, terms: grading.Terms, args: argparse.Namespace) -> int:
    """Grade many; 0 when all that was handed in has its scores, 3 when any has none."""
    from graders.report import terminal
    from graders.round import index, many, results, rounds

    if args.variant:
        raise UsageError("--variant is for one submission; in a round, round.toml or the name of each says it")
    if args.workers < 1:
        raise UsageError(f"--workers must be at least 1, not {args.workers}")
    found = rounds.read(kit, path)
    verdicts = []
    with progress("grading", len(found.submissions)) as step:
        for verdict in many.grade(kit, found, terms, args.exercise, args.out, args.workers):
            verdicts.append(verdict)
            step()
    role = found.role if not args.exercise else None
    for verdict in sorted(verdicts, key=lambda v: v.identity):
        print(line(role, verdict, practice=terms.secret is None))
    for identity in found.missing:
        print(f"{identity}: nothing handed in")
    left = sum(not verdict.complete for verdict in verdicts)
    if any(verdict.scores for verdict in verdicts):
        graded = results.read(kit, args.out)
        index.write(graded, args.out / index.NAME)
        for identity, own in graded.found.items():
            for name, result in own.items():
                if result.card["status"] == "blocked":
                    print(f"{identity}, {name}: {terminal.plain(result.card['reason'])}")
    if terms.secret is None:
        print("PRACTICE: without --secret-file everybody met the public data, and the scores say little")
    print(f"{len(verdicts) - left} of {len(verdicts)} graded; results: {args.out}")
    if left:
        print(f"{left} have no score: run the same command again, finished ones are kept", file=sys.stderr)
    return 3 if left else 0


def line(role: Role | None, verdict: Verdict, practice: bool) -> str:
    """One submission: by a role's weights where there is one, and each exercise. practice: no band is said."""
    if verdict.trouble:
        return f"{verdict.identity}: {verdict.trouble}"
    parts = [f"{name} {score or 'no score'} ({status})" for name, (status, score) in verdict.scores.items()]
    if role is None:
        return f"{verdict.identity}: {', '.join(parts)}"
    total = role.total({name: Decimal(score) if score else None for name, (_, score) in verdict.scores.items()})
    said = "no score" if total is None else f"{total} of 100, {'practice' if practice else role.place(total)}"
    return f"{verdict.identity}: {said}: {', '.join(parts)}"
