"""Landlock: which files a process may reach, and which TCP ports. Standard library only; no privilege is needed.

Kernel: Documentation/userspace-api/landlock.rst and include/uapi/linux/landlock.h. The three calls have no wrapper in
the C library. What a ruleset "handles" is refused unless a rule allows it; file rules hold for all below a path.
"""

from __future__ import annotations

import ctypes
import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:  # pathlib and typing take longer to load than all else here (sandbox.trial)
    from collections.abc import Iterable

# The same numbers on every architecture.
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
# Below this, truncate(2) and O_TRUNC on files that may only be read are not governed.
OLDEST = 3

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = (1 << n for n in range(6))
MAKE_DIR, MAKE_REG, MAKE_FIFO, MAKE_SYM, REFER, TRUNCATE = (1 << n for n in (7, 8, 10, 12, 13, 14))
READ = EXECUTE | READ_FILE | READ_DIR
# No device, and no socket that another process could be waiting at.
WRITE = WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_FIFO | MAKE_SYM | REFER | TRUNCATE
# A rule for a file may hold these only.
ON_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE
BIND_TCP, CONNECT_TCP = 1, 2


def call(*words: object) -> int:
    """A system call of Landlock's. Raises OSError."""
    library = ctypes.CDLL(None, use_errno=True)
    result = library.syscall(*words)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"Landlock: {os.strerror(ctypes.get_errno())}")
    return int(result)


def abi() -> int:
    """The version of Landlock in this kernel; 0 when it has none or it is switched off."""
    try:
        return call(CREATE_RULESET, None, ctypes.c_size_t(0), 1)
    except OSError:
        return 0


def handled(version: int) -> tuple[int, int, int]:
    """All that this version can refuse: of files, of TCP, and the scopes of signals and abstract sockets."""
    files = (1 << 13) - 1
    for since, right in ((2, REFER), (3, TRUNCATE), (5, 1 << 15)):
        files |= right if version >= since else 0
    return files, (BIND_TCP | CONNECT_TCP) if version >= 4 else 0, 3 if version >= 6 else 0


class Ruleset:
    """Rules that are being put together; `restrict` binds the calling thread and all it starts to them."""

    def __init__(self, files_only: bool = False) -> None:
        self.version = abi()
        files, network, scopes = handled(self.version)
        if files_only:
            network = scopes = 0
        words = struct.pack("=QQQ", files, network, scopes)
        # An older kernel knows a shorter struct.
        size = 24 if self.version >= 6 else 16 if self.version >= 4 else 8
        self.handle = call(CREATE_RULESET, words, ctypes.c_size_t(size), 0)

    def allow(self, paths: Iterable[str], rights: int) -> None:
        """Let these paths, and what lies below them, be reached; those that do not exist are passed over."""
        for path in paths:
            try:
                handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue
            try:
                few = rights if os.path.isdir(path) else rights & ON_FILES  # noqa: PTH112 - as above
                call(ADD_RULE, self.handle, 1, struct.pack("=Qi", few & handled(self.version)[0], handle), 0)
            finally:
                os.close(handle)

    def allow_ports(self, ports: Iterable[int], right: int) -> None:
        """Let these TCP ports be bound or connected to, at whatever address."""
        for port in ports:
            call(ADD_RULE, self.handle, 2, struct.pack("=QQ", right, port), 0)

    def restrict(self) -> None:
        """From here on. Needs PR_SET_NO_NEW_PRIVS. Raises OSError."""
        call(RESTRICT_SELF, self.handle, 0)

    def close(self) -> None:
        """Forget the rules; who is bound stays so."""
        os.close(self.handle)
