"""Write synthetic patients, or an exercise's practice data."""

from __future__ import annotations

import argparse
import dataclasses
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
    parser.add_argument("--patients", type=int, metavar="N", help="1000; with --exercise, as many as grading has")
    parser.add_argument(
        "--seed", type=int, metavar="S", help="a number, 0 unless given; the same number, the same bytes"
    )
    parser.add_argument("--formats", metavar="LIST", help="csv,fhir")
    parser.add_argument("--workers", type=int, metavar="N", help="1")
    add_kit(parser)


def run(args: argparse.Namespace) -> int:
    """Write the files and say what they are."""
    if args.out.exists() and any(args.out.iterdir()):
        raise UsageError(f"{args.out} is not empty: choose a new folder")
    if any(number is not None and number < 1 for number in (args.patients, args.workers)):
        raise UsageError("--patients and --workers must be above 0")
    return practice_data(args) if args.exercise else patients(args)


def practice_data(args: argparse.Namespace) -> int:
    """What a candidate gets of one exercise."""
    if given := [name for name in ("seed", "formats", "workers") if getattr(args, name) is not None]:
        raise UsageError(f"--{given[0]} does not go with --exercise: practice data are the same for everybody")
    kit = open_kit(args.kit)
    exercise = kit.exercise(args.exercise)
    if args.patients:
        if "patients" not in exercise.settings:
            raise UsageError(f"--patients: {exercise.name} has no number of patients")
        exercise = dataclasses.replace(exercise, settings={**exercise.settings, "patients": args.patients})
    terms = grading.Terms("practice", card=grading.read_card(args.card) if args.card else None)
    with working(f"{exercise.name}: practice data"):
        files = grading.make_scene(kit, exercise, terms).public
    for name, data in files.items():
        write_file(args.out / name, data)
    print(f"{args.out}: {len(files)} files of practice data for {exercise.name}")
    return 0


def patients(args: argparse.Namespace) -> int:
    """Patients of the generator."""
    if args.card:
        raise UsageError("--card goes with --exercise")
    wanted = args.formats or ",".join(FORMATS)
    formats = tuple(wanted.split(","))
    if unknown := sorted(set(formats) - set(FORMATS)):
        raise UsageError(f"unknown format {', '.join(unknown)}: choose from {', '.join(FORMATS)}")
    from synthetic_data import generate

    count, seed = args.patients or 1000, args.seed or 0
    with working(f"{count} patients"):
        generate.write(args.out, Seed.from_int(seed), count, formats=formats, workers=args.workers or 1)
    print(f"{args.out}: {count} patients, seed {seed}, {wanted}; the truth lies in truth/")
    return 0
