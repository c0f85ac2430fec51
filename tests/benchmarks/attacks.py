"""Every hostile sample in every sandbox that works here: its score, and what it did to the machine meanwhile.

Memory and disk are the whole machine's, sampled every 5 ms, over what they were just before the play; processes and
files are all that are new: run it on an idle machine. The bound for memory is the manifest's cap and a tenth.
Written: a table; exit code 1 when a sample gained points, left a process or a file, or passed a bound.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from each_tier import TIERS  # noqa: E402 - the tests' own, from the folder above
from exercise_lint import TOYS, all_samples, check_expected, expectations, play_sample  # noqa: E402

from graders.harness import outcome, sandbox  # noqa: E402
from graders.harness.kit import HOME, Kit  # noqa: E402

EVERY_S = 0.005
PLACES = (tempfile.gettempdir(), "/dev/shm", "/var/tmp")


# Of /proc/meminfo. Not what is free: a virtual machine's freed pages take their time to be so.
HELD = ("AnonPages", "Shmem", "PageTables", "KernelStack", "SUnreclaim")


def memory_mb() -> float:
    """What programs and the kernel hold for them, in MB."""
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return sum(int(lines[name].split()[0]) for name in HELD) / 1024


def disk_mb() -> float:
    """What lies on the disk that temporary folders are on, in MB."""
    usage = os.statvfs(tempfile.gettempdir())
    return (usage.f_blocks - usage.f_bfree) * usage.f_frsize / 2**20


class Watch(threading.Thread):
    """The most memory and disk beyond what was held at the start."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.first, self.most = (memory_mb(), disk_mb()), [0.0, 0.0]
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(EVERY_S):
            now = memory_mb(), disk_mb()
            self.most = [max(m, n - f) for m, n, f in zip(self.most, now, self.first, strict=True)]

    def end(self) -> list[float]:
        self.ended.set()
        self.join()
        return self.most


def processes() -> set[int]:
    """All that run here, without the kernel's own and those that have ended."""
    found = set()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            state = (path / "stat").read_text().rpartition(")")[2].split()
            if state[0] != "Z" and int(state[1]) != 2:
                found.add(int(path.name))
        except OSError:
            continue
    return found


def files() -> dict[str, tuple[int, int]]:
    """Size and time of every file of the kit, and of what lies in the machine's common folders."""
    found = {}
    paths = [entry for place in PLACES for entry in os.scandir(place)]
    for folder, inner, _ in os.walk(HOME):
        inner[:] = [name for name in inner if name not in ("__pycache__", ".git", ".venv")]
        paths += os.scandir(folder)
    for entry in paths:
        stat = entry.stat(follow_symlinks=False)
        found[entry.path] = (0, 0) if entry.is_dir(follow_symlinks=False) else (stat.st_size, stat.st_mtime_ns)
    return found


@dataclass(frozen=True)
class Row:
    """What one play came to."""

    attacks: str
    exercise: str
    sample: str
    tier: str
    score: str
    memory: float
    cap: int
    disk: float
    seconds: float
    trouble: str

    def __str__(self) -> str:
        cells = (self.attacks, self.exercise, self.sample, self.tier, self.score)
        figures = (f"{self.memory:.0f} of {self.cap}", f"{self.disk:.0f}", f"{self.seconds:.1f}", self.trouble or "-")
        return f"| {' | '.join((*cells, *figures))} |"


def attack(kit: Kit, exercise: str, sample: str, label: str, tier: sandbox.Tier) -> Row:
    """Play one sample in one tier and look around."""
    sandbox.best = lambda: tier
    expected = expectations(kit, exercise)[sample]
    there, lying, watch = processes(), files(), Watch()
    watch.start()
    started = time.monotonic()
    troubles = []
    graded = play_sample(kit, exercise, sample)
    seconds = time.monotonic() - started
    memory, disk = watch.end()
    card = graded.scorecard
    try:
        check_expected(kit, exercise, sample, graded)
    except AssertionError as error:
        troubles.append(str(error))
    if left := processes() - there:
        troubles.append(f"{len(left)} processes left")
    if changed := [name for name, what in files().items() if lying.get(name) != what]:
        troubles.append(f"{len(changed)} files changed: {Path(changed[0]).name}")
    limits = kit.exercise(exercise).limits
    if memory > 1.1 * limits.mem_mb:
        troubles.append("memory")
    if disk > limits.mem_mb + 2 * limits.out_mb:
        troubles.append("disk")
    words = ", ".join(map(str, expected.get("attacks", [])))
    return Row(
        words, exercise, sample, label, f"{card.score}", memory, limits.mem_mb, disk, seconds, "; ".join(troubles)
    )


def main() -> None:
    """Print progress, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HOME / "docs/evidence/attacks.md")
    parser.add_argument("--only", default="", help="samples whose name holds this")
    args = parser.parse_args()
    todo = [
        (kit, exercise, sample)
        for kit in (Kit(TOYS), Kit())
        for exercise, sample in all_samples(kit)
        if sample.startswith("hostile") and args.only in sample
    ]
    rows = []
    for label, tier in TIERS.items():
        for kit, exercise, sample in todo:
            if os.geteuid() == 0 and tier.name == "A" and not tier.as_root:
                if sample == "hostile_fork_bomb":
                    continue  # the kernel exempts root from the process limit; root is never given this variant
                if kit.root != TOYS:
                    continue  # the toys are enough of the variant for users, where another one is at hand
            rows.append(attack(kit, exercise, sample, label, tier))
            print(rows[-1], flush=True)
    bad = [row for row in rows if row.trouble]
    names = tomllib.loads((HOME / "tests/attacks.toml").read_text())
    lines = [
        "# Evidence: attacks",
        "",
        "Made by `python tests/benchmarks/attacks.py` on an idle machine. Classes are those of `tests/attacks.toml`.",
        "",
        f"{len(todo)} hostile samples of {len(names)} classes in {len(TIERS)} sandboxes: {', '.join(TIERS)}.",
        f"{len(rows) - len(bad)} of {len(rows)} plays as expected; {len(bad)} not.",
        "",
        "Memory and disk: the most that the whole machine held beyond before, in MB; the cap is the manifest's.",
        "",
        "| classes | exercise | sample | sandbox | score | memory | disk | s | trouble |",
        "|---|---|---|---|---:|---:|---:|---:|---|",
        *map(str, sorted(rows, key=lambda row: (row.exercise, row.sample, row.tier))),
    ]
    outcome.write_file(args.out, ("\n".join(lines) + "\n").encode())
    print(f"{len(bad)} of {len(rows)} plays not as expected; wrote {args.out}")
    sys.exit(int(bool(bad)))


if __name__ == "__main__":
    main()
