"""Say what works on this machine, and the one command that would help."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
from pathlib import Path

from graders.commands._options import add_kit, open_kit
from graders.harness import packages, sandbox
from graders.harness.errors import ExerciseError

# Ubuntu 23.10 and later: only programs with a profile may make user namespaces.
APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
NAMESPACES = Path("/proc/sys/user/max_user_namespaces")


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
    # Why tier B would not work is of interest only where A does not.
    for failure in failures:
        if tier is None or not failure.startswith(("tier B", f"tier {tier.name}:")):
            print(f"no sandbox  {failure}")
    if tier:
        print(f"sandbox     tier {tier.name}: {tier.why}{f' ({tier.bwrap})' if tier.bwrap else ''}")
        for lack in tier.lacks:
            print(f"weaker      {lack} (docs/security.md)")
    else:
        good = False
        print("sandbox     none: you can solve and check here, not grade")
    if tier is None or tier.name != "A":
        print(f"would help  {help_line()}")
    return 0 if good else 3


def help_line() -> str:
    """The one command that would help on this system, for tier A."""
    if sys.platform == "darwin":
        return "limactl start template://debian   (grade in a Linux VM: docs/install.md#macos)"
    if sys.platform == "win32":
        return "wsl --install   (grade in WSL2: docs/install.md#windows)"
    if in_container():
        rights = "--cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
        return f"docker run {rights} …   (or grade on the host: docs/install.md#containers)"
    if shutil.which("apt-get") and not shutil.which("bwrap"):
        return "sudo apt-get install bubblewrap"
    if limit_of(NAMESPACES) == 0:
        return "sudo sysctl user.max_user_namespaces=10000"
    if limit_of(APPARMOR) == 1 and os.geteuid() != 0:
        return "sudo apt-get install --reinstall apparmor bubblewrap   (docs/install.md#user-namespaces)"
    return "allow user namespaces: docs/install.md#user-namespaces"


def limit_of(path: Path) -> int | None:
    """A number of the kernel's, or None where it has none such."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def in_container() -> bool:
    """Docker and Podman leave a file; pods have their service account's folder."""
    marks = ("/.dockerenv", "/run/.containerenv", "/var/run/secrets/kubernetes.io")
    return any(Path(mark).exists() for mark in marks)
