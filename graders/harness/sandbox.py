"""A closed room for one submission: the best tier that works here, and the pipe into it. Knows no exercise."""

from __future__ import annotations

import functools
import json
import marshal
import os
import select
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from graders.harness import bubblewrap, no_namespaces
from graders.harness.errors import InfrastructureError, NoSandbox
from graders.harness.leftovers import remove
from graders.harness.tier import FILES, HERE, UNSAFE, Launch, Limits, Mounts, Program, Tier

__all__ = ["FILES", "UNSAFE", "Limits", "Mounts", "Pipe", "Program", "Tier", "best", "open_pipe", "probe"]

# inside.py answers within a step's own limit; this long after it, the machine is at fault.
GRACE_S = 20.0
# Of all answers of a play: a small one takes thirty times its bytes in memory.
ALL_VALUES = 4_000_000
# Set to A or B to try that tier only: for tests of the one that would not be chosen on their machine.
ONLY = "CAREDRILL_TIER"


def candidates() -> list[Tier]:
    """The sandboxes worth trying, best first."""
    only = os.environ.get(ONLY, "")
    return [tier for tier in (*bubblewrap.tiers(), *no_namespaces.tiers()) if only in ("", tier.name)]


@functools.cache
def probe() -> tuple[Tier | None, tuple[str, ...]]:
    """The best tier that works, found by running it, and why better ones do not."""
    failures = missing()
    for tier in candidates():
        trouble = trial(tier)
        if not trouble:
            return tier, tuple(failures)
        failures.append(f"tier {tier.name}, {tier.why}: {trouble}")
    return None, (*failures, "no other tier was to be tried")[: len(failures) or 1]


def missing() -> list[str]:
    """Tiers of which there is nothing to try, and why."""
    found = []
    if not bubblewrap.tiers():
        found.append("tier A: bubblewrap is not installed")
    if trouble := no_namespaces.trouble():
        found.append(f"tier B: {trouble}")
    return found


def trial(tier: Tier) -> str:
    """Start a room of this tier and let a confined process look for open doors; why it cannot be used, or "".

    Every run looks for them again before the submission's first line (confinement.Confinement.enter).
    """
    limits = Limits(wall_s=10, cpu_s=10, mem_mb=500, procs=32, out_mb=1, out_files=1)
    start = launch(tier, Mounts(Path(os.devnull)), limits, "trial")
    config = marshal.dumps(start.config | {"limits": asdict(limits)}).hex()
    try:
        process = subprocess.Popen(
            [*start.command, config],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            pass_fds=start.handles, env=start.environment,
        )  # fmt: skip
    except OSError as error:
        return f"it did not start: {error.strerror}"
    finally:
        start.close_handles()
    with process:
        ended = ends_within(process, limits.wall_s)
        process.kill()
        assert process.stderr  # noqa: S101 - a pipe, as asked for above
        said = process.stderr.read().decode("utf-8", "replace").strip().splitlines()
    if start.scratch:
        remove(str(start.scratch))
    if not ended:
        return f"a trial did not end within {limits.wall_s:g} s"
    return (said[-1][:200] if said else f"a trial left with code {process.returncode}") if process.returncode else ""


def ends_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Has a process ended, or does it within this time? Popen.wait looks again and again, and too late."""
    if process.poll() is not None:
        return True
    if hasattr(os, "pidfd_open"):
        handle = os.pidfd_open(process.pid)
        select.select([handle], [], [], seconds)
        os.close(handle)
        return process.poll() is not None
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def best() -> Tier:
    """The tier to grade with. Raises NoSandbox."""
    tier, failures = probe()
    if tier is None:
        raise NoSandbox(f"no sandbox works here ({failures[0]}): run  caredrill doctor")
    return tier


class Pipe:
    """A running sandbox. One question at a time; leaves nothing running when closed."""

    def __init__(self, tier: Tier, mounts: Mounts, limits: Limits, program: Program) -> None:
        self.tier, self.limits, self.count = tier, limits, 0
        # What all steps together have taken, and why there are no more.
        self.seconds, self.bytes, self.values, self.over = 0.0, 0, 0, ""
        self.too_long = f"ran past its limit of {limits.play_s:g} s for all steps together"
        start = launch(tier, mounts, limits, "inside")
        self.scratch = start.scratch
        self.config = asdict(program) | {"limits": asdict(limits)} | start.config
        try:
            self.process = subprocess.Popen(
                [*start.command, json.dumps(self.config)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=start.handles,
                env=start.environment,
            )
        except OSError as error:
            raise InfrastructureError(f"the sandbox did not start: {error.strerror}") from None
        finally:
            start.close_handles()
        assert self.process.stdout  # noqa: S101 - a pipe, as asked for above
        os.set_blocking(self.process.stdout.fileno(), False)

    def __enter__(self) -> Pipe:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, frame: dict[str, Any], files: Mapping[str, bytes]) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Send one step, wait for its reply: (header, files). Raises InfrastructureError when the sandbox is gone.

        A submission that has used up what all steps together may take is not asked again.
        """
        self.count += 1
        left = self.limits.play_s - self.seconds
        if self.over or left <= 0:
            return {"status": "timeout", "value": {"why": self.over or self.too_long}, "log": ""}, {}
        frame = frame | {"id": self.count, "limit_s": min(self.limits.wall_s, left)}
        started = time.monotonic()
        reply, produced = self.exchange(frame, files)
        self.seconds += time.monotonic() - started
        if reply["status"] == "timeout" and left < self.limits.wall_s:
            return reply | {"value": {"why": self.too_long}}, {}
        if self.bytes > self.limits.all_mb * 2**20:
            self.over = f"answered with more than {self.limits.all_mb} MB in all"
        elif self.values > ALL_VALUES:
            self.over = f"answered with more than {ALL_VALUES} values in all"
        if self.over:
            return {"status": "refused", "value": {"why": self.over}, "log": reply["log"]}, {}
        return reply, produced

    def exchange(self, frame: dict[str, Any], files: Mapping[str, bytes]) -> tuple[dict[str, Any], dict[str, bytes]]:
        """One frame there, one back."""
        header = json.dumps(frame | {"files": [[name, len(data)] for name, data in files.items()]}).encode()
        stream = self.process.stdin
        assert stream  # noqa: S101 - a pipe since __init__
        try:
            stream.write(struct.pack(">I", len(header)) + header)
            for data in files.values():
                stream.write(data)
            stream.flush()
        except OSError:
            raise InfrastructureError(f"the sandbox ended before step {self.count}{self.last_words()}") from None
        end = time.monotonic() + self.limits.wall_s + GRACE_S
        size = struct.unpack(">I", self.read(4, end))[0]
        header = self.read(size, end)
        self.values += header.count(b",")
        reply: dict[str, Any] = json.loads(header)
        return reply, {name: self.read(length, end) for name, length in reply.pop("files")}

    def read(self, size: int, end: float) -> bytes:
        """`size` bytes from the sandbox before `end`."""
        assert self.process.stdout  # noqa: S101 - a pipe since __init__
        handle, pieces, left = self.process.stdout.fileno(), [], size
        while left:
            ready, _, _ = select.select([handle], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                raise InfrastructureError(f"the sandbox did not answer step {self.count} in time")
            piece = os.read(handle, min(left, 1 << 20))
            if not piece:
                raise InfrastructureError(f"the sandbox ended during step {self.count}{self.last_words()}")
            pieces.append(piece)
            left -= len(piece)
        self.bytes += size
        return b"".join(pieces)

    def last_words(self) -> str:
        """What bwrap or inside.py said last, for the message."""
        self.end()
        assert self.process.stderr  # noqa: S101 - a pipe since __init__
        lines = self.process.stderr.read().decode("utf-8", "replace").strip().splitlines()
        return f": {lines[-1][:200]}" if lines else ""

    def end(self) -> None:
        """Stop it from outside. Asked first: without a PID namespace it has to end the submission itself."""
        self.process.terminate()
        try:
            self.process.wait(15 if self.tier.name == "B" else 0.1)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def close(self) -> None:
        """End the sandbox and everything in it."""
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                try:
                    stream.close()
                except OSError:
                    continue
        # Closed input tells inside.py to kill the submission and leave.
        if not ends_within(self.process, 5):
            self.end()
        if self.process.stderr:
            self.process.stderr.close()
        if self.scratch:
            remove(str(self.scratch))


def open_pipe(tier: Tier, mounts: Mounts, limits: Limits, program: Program) -> Pipe:
    """Start a sandbox of this tier. Raises InfrastructureError."""
    return Pipe(tier, mounts, limits, program)


def launch(tier: Tier, mounts: Mounts, limits: Limits, program: str) -> Launch:
    """How one of our programs is started in this tier."""
    if tier.name == "A":
        return bubblewrap.launch(tier, mounts, limits, program)
    if tier.name == "B":
        return no_namespaces.launch(tier, mounts, limits, program)
    scratch = Path(tempfile.mkdtemp(prefix="caredrill-"))
    config = {"tier": "unsafe", "work": str(scratch), "driver": str(HERE / "driver.py"), "shm": False}
    config |= {"submission": str(mounts.submission), "path": os.environ.get("PATH", ""), "python_path": ""}
    config |= {"python": sys.executable}
    return Launch([sys.executable, "-E", "-s", str(HERE / "inside.py")], config, None, scratch=scratch)
