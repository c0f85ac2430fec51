"""A seccomp filter: which system calls a submission may not make, as a BPF program. Standard library only.

Installed by inside.py in the submission's process just before its first line, in either tier and whether or not the
grader is root: one way to test, and PID 1 keeps the calls that it needs. It binds every process started from there and
cannot be taken off. Format: the kernel's Documentation/userspace-api/seccomp_filter.rst and linux/bpf_common.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

# Not from typing, which takes longer to load than all else here (sandbox.trial).
TYPE_CHECKING = False
if TYPE_CHECKING or __package__:
    from graders.harness.syscalls import LAST, numbers
else:  # in the sandbox these files lie side by side, and there is no kit
    from syscalls import LAST, numbers

# machine -> AUDIT_ARCH_* of linux/audit.h, and the column of the table of numbers.
MACHINES = {"x86_64": (0xC000003E, 1), "aarch64": (0xC00000B7, 2)}
X32 = 0x40000000

# BPF instructions (linux/bpf_common.h) and what a filter may answer (linux/seccomp.h).
LOAD, EQUAL, GREATER, AT_LEAST, ANY_BIT, AND, RETURN = 0x20, 0x15, 0x25, 0x35, 0x45, 0x54, 0x06
ALLOW, KILL, FAIL = 0x7FFF0000, 0x80000000, 0x00050000
EPERM, ENOSYS, DONE = FAIL | errno.EPERM, FAIL | errno.ENOSYS, FAIL
# Offsets in struct seccomp_data; of an argument, its low half (both machines are little-endian).
NUMBER, ARCH = 0, 4

DENIED = {
    "processes of others": "ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp "
    "pidfd_getfd move_pages migrate_pages ioprio_set",
    "mounts, and files without a path": "mount umount2 pivot_root chroot open_tree move_mount fsopen fsconfig fsmount "
    "fspick mount_setattr statmount listmount quotactl quotactl_fd swapon swapoff name_to_handle_at open_by_handle_at "
    "fanotify_init fanotify_mark lookup_dcookie",
    "namespaces": "unshare setns",
    "large parts of the kernel that numeric and web code never needs": "add_key request_key keyctl bpf perf_event_open "
    "io_uring_setup io_uring_enter io_uring_register userfaultfd kexec_load kexec_file_load init_module finit_module "
    "delete_module create_module get_kernel_syms query_module reboot acct syslog vhangup settimeofday clock_settime "
    "adjtimex clock_adjtime sethostname setdomainname iopl ioperm modify_ldt nfsservctl _sysctl uselib sysfs vserver",
    # inside.py counts resident private memory and what lies in file systems; these hold it in neither. A pipe filled
    # by vmsplice holds a huge page for every slot; what io_setup takes is taken from all of the machine.
    "memory that is not counted": "vmsplice tee io_setup io_submit memfd_create memfd_secret shmget shmat shmctl "
    "semget semop semtimedop semctl msgget msgsnd msgrcv msgctl mq_open mq_unlink",
}
# Landlock governs opening, making and removing files. What can be done to them by path, or on a file open for reading,
# it leaves to owners and modes: times and labels to whoever may write, modes and owners to the owner, who in the
# grader's own uid is the submission.
LABELS = "setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr"
OWNERS = "chown fchown lchown fchownat"
# shutil.copy2 and zipfile set times and modes after writing; answered as done, and nothing is changed.
TIMES = "utime utimes futimesat utimensat"
MODES = "chmod fchmod fchmodat fchmodat2"
WATCHES = "inotify_init inotify_init1 inotify_add_watch"
# Without sessions and groups of its own everything it starts stays in one group, which one kill(2) ends.
GROUPS = "setsid setpgid"
SIGNALS = "kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal"

# linux/sched.h: CLONE_NEWNS, -CGROUP, -UTS, -IPC, -USER, -PID, -NET.
NEW_NAMESPACES = 0x7E020000
AF_UNIX, AF_INET, AF_INET6 = 1, 2, 10
STREAM, DATAGRAM, KIND = 1, 2, 0xF
MSG_FASTOPEN = 0x20000000
# TIOCSTI types into a terminal, TIOCLINUX pastes, TIOCSETD loads line disciplines; FIOSETOWN and SIOCSPGRP as F_SETOWN.
TERMINAL = (0x5412, 0x541C, 0x5423, 0x8901, 0x8902)
# FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR: attributes of a file that is open for reading.
ATTRIBUTES = (0x40086602, 0x401C5820)
# F_SETOWN, F_SETSIG, F_SETOWN_EX: a signal of choice to a process of choice, past kill(2).
SIGNAL_OWNERS = (8, 10, 15)

Instruction = tuple[int, int, int, int]


class Unsupported(Exception):
    """There is no filter for this machine."""


def load(offset: int) -> Instruction:
    """Read a word of the call's data."""
    return (LOAD, 0, 0, offset)


def argument(number: int) -> Instruction:
    """Read the low half of an argument; the kernel ignores the other half of those looked at here."""
    return load(16 + 8 * number)


def answer(value: int) -> Instruction:
    """End with this verdict."""
    return (RETURN, 0, 0, value)


def one_of(number: int, values: tuple[int, ...], found: int, other: int) -> list[Instruction]:
    """`found` when the argument is one of the values, else `other`."""
    tests: list[Instruction] = []
    for value in values:
        tests += [(EQUAL, 0, 1, value), answer(found)]
    return [argument(number), *tests, answer(other)]


def any_bit(number: int, bits: int) -> list[Instruction]:
    """EPERM when any of the bits is set in the argument."""
    return [argument(number), (ANY_BIT, 0, 1, bits), answer(EPERM), answer(ALLOW)]


def sockets(families: tuple[int, ...], kinds: tuple[int, ...], protocols: tuple[int, ...] = ()) -> list[Instruction]:
    """Allow these families and kinds, for families other than AF_UNIX these protocols only; EPERM for all else."""
    block = [argument(0)]
    for index, family in enumerate(families):
        block.append((EQUAL, len(families) - index, 0, family))
    block += [answer(EPERM), argument(1), (AND, 0, 0, KIND)]
    for index, kind in enumerate(kinds):
        block.append((EQUAL, len(kinds) - index, 0, kind))
    block.append(answer(EPERM))
    return block + (one_of(2, protocols, ALLOW, EPERM) if protocols else [answer(ALLOW)])


def rules(tier: str, own_uid: bool, network: bool, signals: bool) -> dict[str, list[Instruction]]:
    """What each call that is not simply allowed is answered. Arguments as in `program`."""
    found = {name: [answer(EPERM)] for names in DENIED.values() for name in names.split()}
    # Its flags lie in memory, out of a filter's sight. The C library falls back to clone.
    found["clone3"] = [answer(ENOSYS)]
    found["clone"] = any_bit(0, NEW_NAMESPACES)
    found["personality"] = one_of(0, (0, 0xFFFFFFFF), ALLOW, EPERM)
    # Its own limits and priority only: as a user, PID 1 has the submission's uid.
    for name in ("prlimit64", "sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr"):
        found[name] = one_of(0, (0,), ALLOW, EPERM)
    found["setpriority"] = [argument(0), (EQUAL, 1, 0, 0), answer(EPERM), *one_of(1, (0,), ALLOW, EPERM)]
    # MAP_SHARED or MAP_SHARED_VALIDATE with MAP_ANONYMOUS: memory that can be held without being resident.
    found["mmap"] = [argument(3), (AND, 0, 0, 0x21), (EQUAL, 0, 1, 0x21), answer(EPERM), answer(ALLOW)]
    found["ioctl"] = one_of(1, TERMINAL, EPERM, ALLOW)
    found["fcntl"] = one_of(1, SIGNAL_OWNERS, EPERM, ALLOW)
    if tier == "A":
        found["socket"] = sockets((AF_UNIX, AF_INET, AF_INET6), (STREAM, DATAGRAM, 5))
        found["socketpair"] = sockets((AF_UNIX,), (STREAM, DATAGRAM, 5))
        return found
    # Landlock does not govern sockets with a path before ABI 9: the user's D-Bus or a container engine would start
    # anything outside. A pair of streams is connected to itself for good; a datagram socket could be connected anew.
    found["socketpair"] = sockets((AF_UNIX,), (STREAM,))
    # Plain TCP, which is all that Landlock's ports govern: not MPTCP, no names looked up by UDP, and no data with the
    # first packet, which passed the check of connect(2) (landlock-lsm/linux#41, #54).
    found["socket"] = sockets((AF_INET, AF_INET6), (STREAM,), (0, 6)) if network else [answer(EPERM)]
    found |= {"sendto": any_bit(3, MSG_FASTOPEN), "sendmsg": any_bit(2, MSG_FASTOPEN)}
    found["sendmmsg"] = any_bit(3, MSG_FASTOPEN)
    found |= {name: [answer(EPERM)] for name in f"{WATCHES} {LABELS}".split()}
    found |= {name: [answer(DONE)] for name in TIMES.split()}
    # With a path and without times: Path.touch() asks so before it creates a file, and would leave it at that.
    found["utimensat"] = [argument(1), (EQUAL, 0, 1, 0), answer(DONE), *one_of(2, (0,), EPERM, DONE)]
    if not own_uid:
        found |= {name: [answer(EPERM)] for name in f"{OWNERS} {GROUPS}".split()}
        found |= {name: [answer(DONE)] for name in MODES.split()}
        found["ioctl"] = one_of(1, TERMINAL + ATTRIBUTES, EPERM, ALLOW)
        if not signals:
            found |= {name: [answer(EPERM)] for name in SIGNALS.split()}
    return found


def program(
    tier: str, own_uid: bool = True, network: bool = True, signals: bool = True, machine: str | None = None
) -> bytes:
    """The filter, as an array of struct sock_filter. Raises Unsupported.

    tier: "A" or "B". The others matter in B only. own_uid: no other process has the submission's uid.  network: it may
    use TCP.  signals: Landlock keeps its signals to its own processes.
    """
    machine = machine or os.uname().machine
    if machine not in MACHINES:
        raise Unsupported(f"there is no seccomp filter for {machine}")
    arch, column = MACHINES[machine]
    code = [load(ARCH), (EQUAL, 1, 0, arch), answer(KILL), load(NUMBER)]
    # x32's calls have numbers of their own for what is denied by its usual one.
    code += [(AT_LEAST, 0, 1, X32), answer(ENOSYS), (GREATER, 0, 1, LAST), answer(ENOSYS)]
    known = numbers(column)
    for name, block in rules(tier, own_uid, network, signals).items():
        if name in known:
            code += [(EQUAL, 0, len(block), known[name]), *block]
    code.append(answer(ALLOW))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def install(code: bytes) -> None:
    """Bind the calling thread, and all it starts, to the filter. Raises OSError."""
    library = ctypes.CDLL(None, use_errno=True)

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))

    # PR_SET_NO_NEW_PRIVS, without which only root may install one; then PR_SET_SECCOMP, SECCOMP_MODE_FILTER.
    for words in ((38, 1, 0, 0, 0), (22, 2, ctypes.byref(Program(len(code) // 8, code)), 0, 0)):
        if library.prctl(*words):
            raise OSError(ctypes.get_errno(), "no seccomp filter can be installed")
