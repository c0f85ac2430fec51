"""A round of toy submissions whose workers, and whose own process, are killed at random moments; and its results."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from exercise_lint import TOYS

from graders.harness.kit import HOME

SAMPLES = TOYS / "tests/submissions"
# Quick ones of every kind: good, wrong, blocked, refused; a folder or a zip.
KINDS = (
    "body_mass_index/good", "body_mass_index/good_plain", "body_mass_index/wrong_units", "insulin_titration/good",
    "body_mass_index/hostile_os_exit", "vitals_service/good", "insulin_titration/bang_bang", "vitals_service/leaky_log",
    "body_mass_index/hostile_disk_flood", "body_mass_index/hostile_forged_reply",
)  # fmt: skip


def make(place: Path, count: int) -> Path:
    """A round of so many submissions, every third one zipped."""
    for number in range(count):
        source = SAMPLES / KINDS[number % len(KINDS)]
        target = place / "submissions" / f"c{number:03}"
        if number % 3:
            shutil.copytree(source, target)
        else:
            shutil.make_archive(str(target), "zip", source)
    return place


def start(place: Path, out: Path) -> subprocess.Popen[str]:
    """`caredrill grade` of the round with two workers."""
    words = ["grade", str(place), "--out", str(out), "--kit", str(TOYS), "--small", "--workers", "2"]
    command = [sys.executable, "-m", "graders.commands", *words]
    return subprocess.Popen(command, cwd=HOME, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def workers(parent: int) -> list[int]:
    """The processes that grade for it."""
    found = []
    for path in Path("/proc").glob(f"{parent}/task/*/children"):
        try:
            children = map(int, path.read_text().split())
            found += [c for c in children if b"spawn_main" in Path(f"/proc/{c}/cmdline").read_bytes()]
        except OSError:
            continue
    return found


def kill(process: int) -> bool:
    """SIGKILL; False when it has just gone."""
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def disturb(place: Path, out: Path, worker_kills: int, pause_s: float, rng: random.Random) -> tuple[int, int, int]:
    """Grade the round; kill workers, and halfway the parent; run again until all is graded.

    pause_s: the most that is waited before a kill.  Returns kills of workers, of the parent, and runs.
    """
    killed, parents, runs = 0, 0, 0
    while True:
        runs += 1
        process = start(place, out)
        while process.poll() is None:
            time.sleep(rng.uniform(0, pause_s))
            if killed >= worker_kills // 2 and not parents and workers(process.pid):
                process.kill()
                parents += 1
            elif killed < worker_kills and (there := workers(process.pid)):
                killed += kill(rng.choice(there))
        said, trouble = process.communicate()
        if process.returncode == 0 and killed >= worker_kills and parents:
            return killed, parents, runs
        if process.returncode == 0 or runs > 20:
            raise RuntimeError(
                f"the round ended before all kills, or never: {killed} of {worker_kills}\n{said}{trouble}"
            )


def kill_once(place: Path, out: Path, moment_s: float) -> int | None:
    """Grade the round, kill the run itself at a moment, and run again at once until all is graded.

    Returns how many submissions had their page when it was killed; None when the run was done before.
    """
    process = start(place, out)
    try:
        process.communicate(timeout=moment_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    else:
        return None
    finished = len(list(out.glob("*/scorecard.html")))
    again = start(place, out)
    said, trouble = again.communicate()
    process.communicate()
    if again.returncode:
        raise RuntimeError(f"the second run failed: {said}{trouble}")
    return finished


def scorecards(out: Path) -> dict[str, bytes]:
    """Everything that counts of the results: the scorecards, outcomes and pages."""
    wanted = ("scorecard.json", "outcome.json", "scorecard.html")
    return {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*")) if p.name in wanted}


def strays(out: Path) -> list[str]:
    """Files that a killed run left unfinished."""
    return [str(p.relative_to(out)) for p in out.rglob("*") if p.name.endswith(".part") or p.name == "scratch"]
