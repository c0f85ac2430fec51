"""Write synthetic patients, or an exercise's practice data."""

from __future__ import annotations

import argparse
from pathlib import Path

from graders.commands._options import add_kit, open_kit, working
from graders.harness import grading
from graders.harness.errors import UsageError
from graders.harness.outcome import write_file
from synthetic_data.streams import Seed

FORMATS = ("csv", "fhir")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new or empty folder")
    parser.add_argument("--exercise", metavar="NAME", help="the practice data of this exercise, as candidates get it")
    parser.add_argument("--card", type=Path, metavar="FILE", help="with --exercise: your policy card")
    parser.add_argument("--patients", type=int, default=1000, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="a number; the same number, the same bytes")
    parser.add_argument("--formats", default="csv,fhir", metavar="LIST", help="csv,fhir")
    parser.add_argument("--workers", type=int, default=1, metavar="N")
    add_kit(parser)


def run(args: argparse.Namespace) -> int:
    """Write the files and say what they are."""
    if args.out.exists() and any(args.out.iterdir()):
        raise UsageError(f"{args.out} is not empty: choose a new folder")
    if args.exercise:
        kit = open_kit(args.kit)
        exercise = kit.exercise(args.exercise)
        terms = grading.Terms("practice", card=grading.read_card(args.card) if args.card else None)
        with working(f"{exercise.name}: practice data"):
            files = grading.make_scene(kit, exercise, terms).public
        for name, data in files.items():
            write_file(args.out / name, data)
        print(f"{args.out}: {len(files)} files of practice data for {exercise.name}")
        return 0
    formats = tuple(args.formats.split(","))
    if unknown := sorted(set(formats) - set(FORMATS)):
        raise UsageError(f"unknown format {', '.join(unknown)}: choose from {', '.join(FORMATS)}")
    if args.patients < 1 or args.workers < 1:
        raise UsageError("--patients and --workers must be above 0")
    from synthetic_data import generate

    with working(f"{args.patients} patients"):
        generate.write(args.out, Seed.from_int(args.seed), args.patients, formats=formats, workers=args.workers)
    print(f"{args.out}: {args.patients} patients, seed {args.seed}, {args.formats}; the truth lies in truth/")
    return 0
