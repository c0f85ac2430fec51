"""What a submission's process gives up between fork and its first line: limits, uid, files, ports, system calls.

Standard library only; lies in the sandbox. The order matters: what needs a right comes before the right is given up.
"""

from __future__ import annotations

import _socket  # what socket is made of, and a tenth of its time to load
import ctypes
import errno
import os
import resource
import struct
import sys

# Not from typing, which takes longer to load than all else here (sandbox.trial).
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any
if TYPE_CHECKING or __package__:
    from graders.harness import landlock, seccomp
    from graders.harness.kernel import SET_KEEPCAPS, SET_NO_NEW_PRIVS, SET_PDEATHSIG, prctl
else:  # in the sandbox these files lie side by side, and there is no kit
    import landlock
    import seccomp
    from kernel import SET_KEEPCAPS, SET_NO_NEW_PRIVS, SET_PDEATHSIG, prctl

# linux/prctl.h, linux/capability.h
AMBIENT, RAISE = 47, 2
# linux/socket.h, linux/net.h
AF_NETLINK, RAW = 16, 3
# signal(7); the module of that name takes longer to load than all else here.
SIGKILL = 9
DAC_READ_SEARCH = 2
CAPABILITY_VERSION_3 = 0x20080522
OPEN_FILES = 1024


class Network:
    """What a server needs. addresses: name -> address of the services it talks to.  bind, connect: TCP ports."""

    def __init__(self, addresses: dict[str, str], bind: list[int], connect: list[int]) -> None:
        self.addresses, self.bind, self.connect = addresses, bind, connect


class Confinement:
    """Made before the fork, as far as possible; `enter` runs in the child.

    config: as inside.py got it.  write: folders that the submission may change.  network: None for one that needs none.
    """

    def __init__(self, config: dict[str, Any], write: Sequence[str], network: Network | None) -> None:
        self.tier, self.uid, self.limits = config["tier"], config.get("uid"), config["limits"]
        self.keep_search, self.work = config.get("keep_search", False), config["work"]
        self.filter, self.rules = b"", None
        if self.tier == "A":
            self.filter = seccomp.program("A")
        elif self.tier == "B":
            version = landlock.abi()
            self.filter = seccomp.program("B", self.uid is not None, network is not None, version >= 6)
            self.rules = landlock.Ruleset()
            allow_files(self.rules, config, write)
            if network and version < 4:
                raise SystemExit("servers need Landlock ABI 4 (Linux 6.7) here: nothing else closes the network")
            if network:
                self.rules.allow_ports(network.bind, landlock.BIND_TCP)
                self.rules.allow_ports(network.connect, landlock.CONNECT_TCP)

    def enter(self) -> None:
        """In the child, before exec. Raises OSError, and nothing is started."""
        limits = self.limits
        if self.tier != "unsafe":
            # As a user in tier B this counts the user's other processes too: what is left to that user is the limit.
            resource.setrlimit(resource.RLIMIT_NPROC, (self.processes(), self.processes()))
            files = min(OPEN_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (limits["cpu_s"], limits["cpu_s"] + 1))
        size = limits["out_mb"] * 2**20
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        if self.uid is not None:
            self.change_uid(self.uid)
        if self.tier == "B":
            # After the change of uid, which clears it.
            prctl(SET_PDEATHSIG, SIGKILL)
        if self.rules:
            prctl(SET_NO_NEW_PRIVS, 1)
            # Its own folder there, not the list of the machine's processes: many programs look at /proc/self.
            self.rules.allow([f"/proc/{os.getpid()}"], landlock.READ_FILE | landlock.READ_DIR)
            self.rules.restrict()
        if self.filter:
            seccomp.install(self.filter)
        if open_doors := self.open_doors():
            # A kernel that says yes and does nothing: better no run than one that is not shut in.
            raise OSError(f"it could still {', '.join(open_doors)}")

    def open_doors(self) -> list[str]:
        """What this process can do and must not: one try for each of the filter, the uid or Landlock, and Landlock."""
        doors: dict[str, Callable[[], None]] = {}
        if self.tier != "unsafe":
            doors["open a netlink socket"] = lambda: _socket.socket(AF_NETLINK, RAW).close()
        if self.tier == "B" or self.uid is not None:
            # As a user, PID 1 and the submission of tier A share a uid, and the folder is a file system of their own.
            beside, flags = f"{self.work}/{os.getpid()}", os.O_WRONLY | os.O_CREAT
            doors["write beside its folders"] = lambda: os.close(os.open(beside, flags, 0o600))
        if self.tier == "B":
            doors["read the kit"] = lambda: os.close(os.open(sys.argv[0], os.O_RDONLY))
        found = []
        for what, attempt in doors.items():
            try:
                attempt()
                found.append(what)
            except OSError as error:
                # Any other refusal is none of the sandbox's.
                if error.errno not in (errno.EPERM, errno.EACCES):
                    found.append(f"try to {what} ({errno.errorcode.get(error.errno or 0, '?')})")
        return found

    def processes(self) -> int:
        """The process limit to set."""
        if self.tier != "B" or self.uid is not None:
            return int(self.limits["procs"])
        return int(self.limits["procs"]) - 1 + processes_of_user()

    def change_uid(self, uid: int) -> None:
        """Become another user, for good; capabilities go with root's uid."""
        if self.keep_search:
            prctl(SET_KEEPCAPS, 1)
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        if self.keep_search:
            # Python lies in a folder that is closed to others (root's home): this one capability opens folders and
            # files for reading, of which Landlock leaves only those of the rules.
            bit = 1 << DAC_READ_SEARCH
            library = ctypes.CDLL(None, use_errno=True)
            words = struct.pack("=6I", bit, bit, bit, 0, 0, 0)
            if library.capset(struct.pack("=Ii", CAPABILITY_VERSION_3, 0), words):
                raise OSError(ctypes.get_errno(), "the capability to read Python cannot be kept")
            if library.prctl(AMBIENT, RAISE, DAC_READ_SEARCH, 0, 0):
                raise OSError(ctypes.get_errno(), "the capability to read Python cannot be kept")

    def close(self) -> None:
        """In the parent, after the fork."""
        if self.rules:
            self.rules.close()


def allow_files(rules: landlock.Ruleset, config: dict[str, Any], write: Sequence[str]) -> None:
    """The files of tier B. config: read, what is read and executed; list, folders whose names may be listed."""
    # The work folder itself is not written to: its input folder is made anew for each step of a running submission.
    rules.allow([*config["read"], config["work"]], landlock.READ)
    rules.allow(config["list"], landlock.READ_DIR)
    rules.allow(write, landlock.READ | landlock.WRITE)
    rules.allow(["/dev/null"], landlock.READ_FILE | landlock.WRITE_FILE)


def confine_runner(config: dict[str, Any]) -> None:
    """In tier B inside.py gives up files too, and keeps those of the run and /proc.

    It takes up what a submission that is still running leaves behind: a folder exchanged for a link at the right moment
    must lead nowhere. In tier A the mounts see to that.
    """
    rules = landlock.Ruleset(files_only=True)
    allow_files(rules, config, [config["work"], *(["/dev/shm"] if config["shm"] else [])])  # noqa: S108
    rules.allow(["/proc"], landlock.READ)
    prctl(SET_NO_NEW_PRIVS, 1)
    rules.restrict()
    rules.close()


def processes_of_user() -> int:
    """Threads that this process's user runs now: the kernel counts them against the limit."""
    uid, total = os.getuid(), 0
    for name in os.listdir("/proc"):  # noqa: PTH208 - names are enough
        if name.isdigit():
            try:
                if os.stat(f"/proc/{name}/task").st_uid == uid:  # noqa: PTH116 - often a thousand of them
                    total += os.stat(f"/proc/{name}/task").st_nlink - 2  # noqa: PTH116
            except OSError:
                continue
    return total
