"""Say what works on this machine, and the one command that would help."""

from __future__ import annotations

import argparse
import platform
import shutil
import sys

from graders.commands._options import add_kit, open_kit
from graders.harness import packages, sandbox
from graders.harness.errors import ExerciseError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    add_kit(parser)


def run(args: argparse.Namespace) -> int:
    """Print one line per check; 0 when grading works here, 3 when it does not."""
    kit = open_kit(args.kit)
    print(f"python      {platform.python_version()} at {sys.base_prefix}")
    good = True
    for exercise in kit.exercises():
        try:
            found = packages.importable(exercise.packages)
            print(f"packages    {exercise.name}: {', '.join(exercise.packages)} ({len(found)} paths)")
        except ExerciseError as error:
            good = False
            print(f"packages    {exercise.name}: {error}")
    tier, failures = sandbox.probe()
    for failure in failures:
        print(f"no sandbox  {failure}")
    if tier:
        print(f"sandbox     tier {tier.name}: {tier.why} ({tier.bwrap})")
    else:
        good = False
        print(f"sandbox     none: you can solve and check here, not grade. {help_line()}")
    return 0 if good else 3


def help_line() -> str:
    """The one command that would help on this system."""
    if sys.platform == "darwin":
        return "Grade in a Linux VM: docs/install.md#macos"
    if sys.platform == "win32":
        return "Grade in WSL2: docs/install.md#windows"
    if shutil.which("apt-get") and not shutil.which("bwrap"):
        return "Run  sudo apt-get install bubblewrap"
    return "Allow user namespaces: docs/install.md#user-namespaces"
