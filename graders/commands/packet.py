"""Make every candidate's packet of a round: exercises, practice data, a policy card and `check`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from graders.commands._options import add_kit, open_kit, progress
from graders.harness import grading
from graders.harness.errors import InfrastructureError, UsageError

if TYPE_CHECKING:
    from graders.round.packet import Task


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("round", type=Path, metavar="ROUND.toml", help="role and candidates")
    parser.add_argument("--secret-file", type=Path, required=True, metavar="F", help="the team's secret")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new or empty folder")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="packets at a time")
    add_kit(parser)


def run(args: argparse.Namespace) -> int:
    """Write <id>.zip and the repository <id>/ of every candidate."""
    from graders.round import canaries, packet, rounds

    kit, secret = open_kit(args.kit), grading.read_secret(args.secret_file)
    described = rounds.described(kit, args.round)
    if args.workers < 1:
        raise UsageError("--workers must be above 0")
    if args.out.exists() and any(args.out.iterdir()):
        raise UsageError(f"{args.out} is not empty: choose a new folder")
    args.out.mkdir(mode=0o700, parents=True, exist_ok=True)
    tasks = [
        packet.Task(kit, described.role, identity, grading.Terms(variant, secret), described.contact, args.out)
        for identity, variant in described.variants.items()
    ]
    plain = 0
    with progress("packets", len(tasks)) as step:
        for repository in made(tasks, args.workers):
            plain += not repository
            step()
    print(f"{args.out}: {len(described.variants)} packets for {described.role.title}, a zip and a repository each")
    if unmarked := [name for name, found in canaries.marks(kit, described.role.weights).items() if not found]:
        print(f"practice data that cannot be traced, as they carry no marks: {', '.join(unmarked)}")
    if plain:
        print("git is not installed: the folders are no repositories")
    return 0


def made(tasks: list[Task], workers: int) -> Iterator[bool]:
    """Make every packet; yields whether its folder is a repository. Raises what making one raises."""
    from graders.round import packet
    from graders.round.workers import each

    if workers == 1:
        yield from map(packet.make, tasks)
        return
    for done in each(packet.make, tasks, workers):
        if done.error:
            raise done.error
        if done.result is None:
            raise InfrastructureError(f"{done.task.identity}: the processes that made its packet died; try --workers 1")
        yield done.result
