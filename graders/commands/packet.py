"""Make every candidate's packet of a round: exercises, practice data, a policy card and `check`."""

from __future__ import annotations

import argparse
from pathlib import Path

from graders.commands._options import add_kit, open_kit, progress
from graders.harness import grading
from graders.harness.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("round", type=Path, metavar="ROUND.toml", help="role and candidates")
    parser.add_argument("--secret-file", type=Path, required=True, metavar="F", help="the team's secret")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new or empty folder")
    add_kit(parser)


def run(args: argparse.Namespace) -> int:
    """Write <id>.zip and the repository <id>/ of every candidate."""
    from graders.round import packet, rounds

    kit, secret = open_kit(args.kit), grading.read_secret(args.secret_file)
    described = rounds.described(kit, args.round)
    if args.out.exists() and any(args.out.iterdir()):
        raise UsageError(f"{args.out} is not empty: choose a new folder")
    args.out.mkdir(parents=True, exist_ok=True)
    plain = 0
    with progress("packets", len(described.variants)) as step:
        for identity, variant in described.variants.items():
            found = packet.files(kit, described.role, identity, grading.Terms(variant, secret), described.contact)
            packet.write_zip(found, args.out / f"{identity}.zip")
            plain += not packet.write_repository(found, args.out / identity)
            step()
    print(f"{args.out}: {len(described.variants)} packets for {described.role.title}, a zip and a repository each")
    if plain:
        print("git is not installed: the folders are no repositories")
    return 0
