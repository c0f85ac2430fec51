"""Tier B: Landlock, a seccomp filter and limits, where no namespaces can be made (containers, hardened machines).

The submission sees the machine's own files and processes, and may not reach them. What that cannot promise is in
docs/security.md and, in short, in `Tier.lacks`.
"""

from __future__ import annotations

import functools
import os
import secrets
import stat
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path

from graders.harness import landlock, seccomp
from graders.harness import packages as installed
from graders.harness.bytecode import compiled
from graders.harness.tier import HERE, Launch, Limits, Mounts, Tier

SYSTEM = (
    "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec", "/usr/share", "/usr/local/bin",
    "/usr/local/lib", "/bin", "/sbin", "/lib", "/lib32", "/lib64",
)  # fmt: skip
# What libraries look at as they start. Not /proc itself: it lists the machine's processes and their arguments.
FACTS = (
    "/etc/ld.so.cache", "/etc/alternatives", "/etc/mime.types", "/etc/hosts", "/etc/nsswitch.conf", "/etc/localtime",
    "/dev/urandom", "/dev/random", "/dev/full", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/loadavg",
    "/proc/sys/vm/overcommit_memory", "/sys/devices/system/cpu", "/sys/fs/cgroup/cpu.max",
    "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu/cpu.cfs_period_us",
)  # fmt: skip
# linux/capability.h
CAP_CHOWN, CAP_SETGID, CAP_SETUID = 0, 6, 7


def trouble() -> str:
    """Why there is no tier B to try, or ""."""
    if sys.platform != "linux":
        return "Landlock is Linux only"
    version = landlock.abi()
    if not version:
        return "no Landlock: the kernel is older than 6.2, or has it switched off, or a container's filter hides it"
    if version < landlock.OLDEST:
        return f"Landlock ABI {version} does not govern truncating files; {landlock.OLDEST} does (Linux 6.2)"
    try:
        seccomp.program("B")
    except seccomp.Unsupported as error:
        return str(error)
    if not Path(f"/proc/self/task/{threading.get_native_id()}/children").exists():
        return "the kernel does not list a process's children (CONFIG_PROC_CHILDREN)"
    return ""


def tiers() -> list[Tier]:
    """Tier B as it is here, when there is anything to try."""
    if trouble():
        return []
    version, as_root = landlock.abi(), os.geteuid() == 0 and has(CAP_SETUID, CAP_SETGID, CAP_CHOWN)
    lacks = ["it can ask for names, sizes and times of files it cannot open"]
    if version < 4:
        lacks.append("servers cannot be graded (Landlock ABI 4, Linux 6.7)")
    else:
        lacks.append("a server reaches any address at the port numbers of its own services, and takes any caller")
    if as_root:
        lacks.append("the machine's shared memory is open to it, under a uid of its own")
    else:
        lacks.append("no shared memory, so no locks, queues or pools of multiprocessing")
        if version < 6:
            lacks.append("it cannot send signals, not even to its own processes (Landlock ABI 6, Linux 6.12)")
    how = "as root" if as_root else "as a user"
    return [Tier("B", f"Landlock ABI {version} and seccomp, {how}", as_root=as_root, lacks=tuple(lacks))]


def has(*capabilities: int) -> bool:
    """Does this process hold all of these?"""
    held = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapEff:"))
    return all(int(held.split()[1], 16) >> number & 1 for number in capabilities)


def launch(tier: Tier, mounts: Mounts, limits: Limits, program: str) -> Launch:
    """Lay out the run's folder and start one of our programs beside it.

    As root the submission gets a uid of its own: the process limit holds for it, and nothing on the machine is its own.
    """
    executable = installed.interpreter()[0]
    scratch = Path(tempfile.mkdtemp(prefix="caredrill-")).resolve()
    scratch.chmod(0o755)
    for name in ("play", "packages", "python/bin", "kit"):
        (scratch / name).mkdir(parents=True)
    for name, data in compiled(program).items():
        (scratch / "kit" / name).write_bytes(data)
    for name, path in mounts.packages.items():
        (scratch / "packages" / name).symlink_to(path)
    # An environment without packages: the base interpreter's own would be listed there, and not be readable.
    (scratch / "python/bin/python").symlink_to(executable)
    (scratch / "python/pyvenv.cfg").write_text(f"home = {executable.parent}\ninclude-system-site-packages = false\n")

    given = [path.resolve() for path in (*mounts.packages.values(), mounts.submission)]
    made = [scratch / "kit/driver.pyc", scratch / "packages", scratch / "python"]
    read = list(dict.fromkeys([*system_files(), *given, *made, *map(Path, FACTS)]))
    stdlib = [Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")]
    uid = 200_000 + secrets.randbelow(1_000_000) if tier.as_root else None
    config = {
        "tier": "B",
        "uid": uid,
        "work": str(scratch / "play"),
        "submission": str(mounts.submission.resolve()),
        "driver": str(scratch / "kit/driver.pyc"),
        "python": str(scratch / "python/bin/python"),
        "path": "/usr/bin:/bin",
        "python_path": str(scratch / "packages"),
        # With a uid of its own it cannot open what others keep there.
        "shm": tier.as_root and Path("/dev/shm").is_dir(),  # noqa: S108 - as above
        "read": [str(path) for path in read],
        "list": [str(path) for path in dict.fromkeys(stdlib)],
        "keep_search": tier.as_root and not all(open_to_others(p) for p in [executable, *stdlib, *given]),
    }
    return Launch(
        [str(executable), "-E", "-s", "-S", "-B", str(scratch / f"kit/{program}.pyc")], config, {}, scratch=scratch
    )


@functools.cache
def system_files() -> tuple[Path, ...]:
    """What a submission may read and run of the machine: system and interpreter, without packages and this kit."""
    executable, hidden = installed.interpreter()
    closed = [path.resolve() for path in [*hidden, HERE.parents[1]]]
    roots = [Path(name) for name in SYSTEM if not Path(name).is_symlink()]
    roots += [Path(sys.base_prefix) / name for name in ("bin", "lib", "lib64", "share")] + [executable]
    return tuple(path for root in roots if root.exists() for path in covering(root.resolve(), closed))


def covering(root: Path, hidden: Iterable[Path]) -> list[Path]:
    """Paths that hold all of `root` but what is hidden: Landlock can allow, and cannot except."""
    inside = [path for path in hidden if path.is_relative_to(root)]
    if root in inside:
        return []
    if not inside:
        return [root]
    # A link's target is listed itself, where it may be read.
    inner = sorted(path for path in root.iterdir() if not path.is_symlink())
    return [path for child in inner for path in covering(child, inside)]


def open_to_others(path: Path) -> bool:
    """May any user of the machine read this file or folder?"""
    real = path.resolve()
    way = all(folder.stat().st_mode & stat.S_IXOTH for folder in real.parents)
    return way and bool(real.stat().st_mode & stat.S_IROTH)
