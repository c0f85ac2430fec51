"""What a sandbox is asked for and what it promises. Both tiers speak of these; neither is known here."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
# What a probe needs in the sandbox, and all of ours that is there in a run.
TRIAL = ("trial.py", "confinement.py", "landlock.py", "kernel.py", "seccomp.py", "syscalls.py", "driver.py")
FILES = (
    "inside.py", "trial.py", "frames.py", "serving.py", "peers.py", "leftovers.py", "processes.py", "confinement.py",
    "landlock.py", "kernel.py", "seccomp.py", "syscalls.py", "driver.py",
)  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """wall_s, cpu_s: seconds a step.  play_s: seconds of all steps together.  mem_mb: everything the sandbox holds.

    out_mb, out_files: what is collected after a step.
    """

    wall_s: float = 120
    cpu_s: int = 240
    mem_mb: int = 1500
    procs: int = 128
    out_mb: int = 200
    out_files: int = 200
    play_s: float = 600

    @property
    def all_mb(self) -> int:
        """All answers and files of a play together."""
        return max(64, 4 * self.out_mb)


@dataclass(frozen=True)
class Mounts:
    """submission: a folder with the handed-in files.  packages: importable name -> path."""

    submission: Path
    packages: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Program:
    """How the submission is run. outputs: regular expressions of file names worth collecting."""

    kind: str
    entry: str
    target: str
    outputs: Sequence[str]


@dataclass(frozen=True)
class Tier:
    """A sandbox that was seen to work here. name "A", "B" or "unsafe"; why: one line for `caredrill doctor`.

    lacks: what this one does not promise, beside tier A on the best kernel; docs/security.md has it in full.
    """

    name: str
    why: str
    bwrap: str = ""
    as_root: bool = False
    lacks: tuple[str, ...] = ()


@dataclass
class Launch:
    """How to start inside.py in a tier. handles: files to hand down.  scratch: a folder to delete afterwards."""

    command: list[str]
    config: dict[str, Any]
    environment: Mapping[str, str] | None
    handles: list[int] = field(default_factory=list)
    scratch: Path | None = None

    def close_handles(self) -> None:
        """When the program has them."""
        for handle in self.handles:
            os.close(handle)


UNSAFE = Tier("unsafe", "no sandbox: the submission runs with your own rights")
