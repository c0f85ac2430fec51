"""The submission's processes as inside.py sees them: what they hold, and how all of them are ended.

Standard library only; lies in the sandbox.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING or __package__:
    from graders.harness.kernel import SET_PDEATHSIG, SET_SUBREAPER, prctl
else:  # in the sandbox these files lie side by side, and there is no kit
    from kernel import SET_PDEATHSIG, SET_SUBREAPER, prctl

# Of /proc/PID/status, in KB. Page tables too: many can be had for little resident memory. Shared pages are files of the
# sandbox, which are counted as files; other shared memory cannot be had (seccomp.py).
TABLES = (b"VmPTE:", b"VmSwap:")
HELD = (b"RssAnon:", *TABLES)
# Of /proc/PID/smaps_rollup: each page by the number of processes that have it.
APART = (b"Pss_Anon:",)


def everyone() -> list[int]:
    """All processes of a PID namespace but its first."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and name != "1"]  # noqa: PTH208 - 20 a second


def descendants() -> list[int]:
    """What was started below this process, orphans included when it is a subreaper."""
    found: list[int] = []
    waiting = [os.getpid()]
    while waiting:
        parent = waiting.pop()
        for task in tasks(parent):
            with contextlib.suppress(OSError):
                children = [int(word) for word in Path(f"/proc/{parent}/task/{task}/children").read_bytes().split()]
                found += children
                waiting += children
    return found


def tasks(process: int) -> list[str]:
    """The threads of a process."""
    try:
        return os.listdir(f"/proc/{process}/task")  # noqa: PTH208 - 20 times a second: names are enough
    except OSError:
        return []


def memory_of(processes: Iterable[int]) -> int:
    """Private memory and page tables of these processes, in bytes; a page that several have counts for each."""
    total = 0
    for process in processes:
        found = held_in(f"/proc/{process}/status", HELD)
        if found is None:
            # Its first thread has ended, and others go on with all the memory.
            others = (held_in(f"/proc/{process}/task/{task}/status", HELD) for task in tasks(process))
            found = next((held for held in others if held is not None), 0)
        total += found
    return total


class Memory:
    """What a submission's processes hold. Forked ones share pages, which `memory_of` counts for each of them.

    How much that is takes long to find out, so it is looked at now and then, once `most` bytes seem to be held,
    and whenever one comes or goes.
    """

    # Seconds between two such looks; and at most a fifth of the time is spent on them.
    EVERY_S = 0.05

    def __init__(self, most: float) -> None:
        self.most, self.twice, self.again, self.count = most, 0, 0.0, 0

    def held(self, processes: Sequence[int]) -> int:
        """In bytes."""
        held, now = memory_of(processes), time.monotonic()
        if len(processes) < 2 or held < self.most:
            self.twice, self.again = 0, 0.0
        elif now >= self.again or len(processes) != self.count:
            self.count = len(processes)
            self.twice = max(0, held - sum(map(apart, processes)))
            self.again = time.monotonic() + max(self.EVERY_S, 4 * (time.monotonic() - now))
        return held - self.twice


def apart(process: int) -> int:
    """Memory of a process, each page by the number of those that have it."""
    found = held_in(f"/proc/{process}/smaps_rollup", APART)
    # A process may hide its pages (PR_SET_DUMPABLE): then all of them are its own.
    return memory_of([process]) if found is None else found + (held_in(f"/proc/{process}/status", TABLES) or 0)


def held_in(path: str, names: tuple[bytes, ...]) -> int | None:
    """The sum of these lines of a file, in bytes; None when it has none, as that of a thread that has ended."""
    found = None
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path(path).read_bytes().splitlines():
            if line.startswith(names):
                found = (found or 0) + int(line.split()[1]) * 1024
    return found


def open_files(processes: Iterable[int]) -> int:
    """Files, pipes and sockets that these processes have open. Linux 6.2 and later tell; before, it is 0."""
    total = 0
    for process in processes:
        with contextlib.suppress(OSError):
            total += os.stat(f"/proc/{process}/fd").st_size  # noqa: PTH116 - 50 times a second
    return total


def reap() -> None:
    """Take leave of orphans that have ended; a zombie would still count against the process limit."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def kill_namespace() -> None:
    """Everything in this PID namespace but its first process: one call that nobody can dodge."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)


def kill_group(leader: int) -> None:
    """Every process of the group: one call, too."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def kill_uid(uid: int) -> None:
    """Every process of a user: kill(-1) by a child with that uid, which no process that is forking can slip past."""
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            os.kill(-1, signal.SIGKILL)
        finally:
            os._exit(0)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(child, 0)


def kill_tree(uid: int | None, leader: int | None) -> bool:
    """Without a PID namespace: end all that was started below this process, and see that nobody is left.

    uid: the submission's own, or None; then `leader` is its process group, which it cannot leave (seccomp.py).
    """
    for _ in range(500):
        if uid is not None:
            kill_uid(uid)
        elif leader is not None:
            kill_group(leader)
        for process in descendants():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        reap()
        if not descendants():
            return True
        time.sleep(0.005)
    return False


def pass_on(child: int) -> None:
    """Ask the child to end; when it has gone already, this process is tidying up, and must not be interrupted."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGTERM)


def keep(uid: int | None, tidy: Callable[[], None]) -> None:
    """Without a PID namespace, go on in a child; this process stays to end what that one leaves behind, and to tidy up.

    The child may be killed (by the kernel when memory is short, or by a person) with a submission below it. Should this
    process be killed, the child is told, and ends the submission itself. Only both at once leave it running: then its
    first process is killed by the kernel, and those it started are not. When the grader is killed, both are told.
    """
    prctl(SET_SUBREAPER, 1)
    child = os.fork()
    if child == 0:
        prctl(SET_SUBREAPER, 1)
        prctl(SET_PDEATHSIG, signal.SIGTERM)
        # As sys.exit does: the way out ends the submission.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        return
    # Whoever waits for the reply must see it end with the child.
    os.close(0)
    os.close(1)
    signal.signal(signal.SIGTERM, lambda *_: pass_on(child))
    prctl(SET_PDEATHSIG, signal.SIGTERM)
    while True:
        with contextlib.suppress(InterruptedError, ChildProcessError):
            ended, status = os.waitpid(-1, 0)
            if ended != child:
                continue
        break
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    kill_tree(uid, None)
    tidy()
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
