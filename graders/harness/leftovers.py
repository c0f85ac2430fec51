"""What a submission leaves behind, taken up without trusting it: values, files and folders. Standard library only."""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

MAX_DEPTH = 60
# Of what one step returns. Three bytes of JSON ("[],") become eighty in memory.
MAX_VALUES = 1_000_000
MAX_NAME = 1000
MOST_ENTRIES = 20_000


class Refused(Exception):
    """The submission's output passes a limit."""


def collect(
    folder: Path, outputs: Sequence[str], most_mb: int, most_files: int, owner: int | None = None
) -> list[tuple[str, bytes]]:
    """The regular files below `folder` whose relative names match a regular expression of `outputs`. Raises Refused.

    owner: take up files of this uid only.
    """
    patterns = [re.compile(p) for p in outputs]
    found: list[tuple[str, bytes]] = []
    room = most_mb * 2**20
    for name, open_file in regular_files(folder, owner):
        if not any(p.fullmatch(name) for p in patterns):
            continue
        if not encodable(name) or not name.isprintable():
            raise Refused("wrote a file whose name cannot be printed")
        # It is stored below a longer path than here, beside what is collected from elsewhere as @printed, @home, @shm.
        if len(name.encode()) > MAX_NAME or name.startswith("@"):
            raise Refused("wrote a file whose name is too long or begins with @")
        if len(found) == most_files:
            raise Refused(f"wrote more than {most_files} files")
        try:
            with open_file() as stream:
                data = stream.read(room + 1)
        except FileNotFoundError:
            continue  # a server goes on while its files are taken up, and may move them
        room -= len(data)
        if room < 0:
            raise Refused(f"wrote more than {most_mb} MB")
        found.append((name, data))
    return found


def told(reply: bytes) -> tuple[Any, Any]:
    """(status, value) of what the child answered. Raises Refused."""
    # Those within strings are counted as well.
    if sum(reply.count(mark) for mark in (b",", b"[", b"{")) > MAX_VALUES:
        raise Refused(f"returned more than {MAX_VALUES} values")
    try:
        read = json.loads(reply)
        status, value = read["status"], read["value"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Refused("answered with something that is not a reply") from None
    if not sound(value):
        raise Refused(f"returned a value that is not plain JSON of at most {MAX_DEPTH} levels")
    return status, value


def sound(value: Any) -> bool:
    """Can the value be stored and read again by any JSON reader? Checked here, as the child may send anything."""
    waiting = [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        if depth > MAX_DEPTH:
            return False
        if isinstance(item, dict):
            waiting += [(part, depth + 1) for pair in item.items() for part in pair]
        elif isinstance(item, list):
            waiting += [(part, depth + 1) for part in item]
        elif isinstance(item, str):
            if not encodable(item):
                return False
        elif isinstance(item, float):
            if item != item or item in (float("inf"), float("-inf")):
                return False
        elif isinstance(item, int) and item.bit_length() > 1023:
            return False
    return True


def encodable(text: str) -> bool:
    """Is it UTF-8 text, without half characters?"""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def clear(folder: Path) -> None:
    """An empty folder. What was there is moved aside first: deleting may be made slow, or impossible for rmtree."""
    if folder.is_symlink() or folder.exists():
        aside = folder.with_name(f"old-{time.monotonic_ns()}")
        folder.rename(aside)
        try:
            aside.rmdir()
        except OSError:
            remove(str(aside))
    folder.mkdir(parents=True)


def remove(*paths: str) -> None:
    """Delete files or folders that a submission made, however deep; all of its processes have ended."""
    removing = ["rm", "-rf", "--", *paths]
    with contextlib.suppress(subprocess.TimeoutExpired):
        if subprocess.run(removing, stderr=subprocess.DEVNULL, timeout=5, check=False).returncode:
            # Where both have one uid, the owner must be let in first. Neither command follows a link on its way down.
            subprocess.run(["chmod", "-R", "u+rwx", "--", *paths], stderr=subprocess.DEVNULL, timeout=5, check=False)
            subprocess.run(removing, stderr=subprocess.DEVNULL, timeout=5, check=False)


def clear_shared(folder: Path, owner: int | None) -> None:
    """Empty a folder of shared memory; owner: of what this uid left there, where the folder is the machine's."""
    found = []
    for entry in os.scandir(folder):
        # Others' files come and go meanwhile.
        with contextlib.suppress(OSError):
            if owner is None or entry.stat(follow_symlinks=False).st_uid == owner:
                found.append(entry.path)
    for first in range(0, len(found), 500):
        remove(*found[first : first + 500])


class Usage:
    """Bytes that the submission's files hold: in file systems of the sandbox's own, or below folders of the machine.

    shm: None when it may not be written to.  owner: None where `root` and `shm` are file systems of the sandbox's own;
    else whose files count in `shm`, which is everybody's (in `root` all do).
    """

    # A file costs the kernel about this much, however empty it is; what is in it is held in pages.
    FILE, PAGE = 1024, 4096
    # Growth of the disk, in bytes, after which files are looked through again at once.
    STEP = 16 * 2**20

    def __init__(self, root: Path, shm: Path | None, owner: int | None, mounted: bool) -> None:
        self.root, self.shm, self.owner, self.mounted = root, shm, owner, mounted
        self.known, self.again, self.disk = 0, 0.0, 0

    def bytes(self) -> int:
        """What is held now. Raises Refused for a folder that is closed to us, and for too many files."""
        if self.mounted:
            return sum(map(self.file_system, filter(None, (self.root, self.shm))))
        disk, started = self.file_system(self.root), time.monotonic()
        if started >= self.again or disk > self.disk + self.STEP:
            self.known = self.below(str(self.root), None)
            if self.shm:
                self.known += self.below(str(self.shm), self.owner)
            # Looking takes long when there are many files: at most a twentieth of the time.
            self.again, self.disk = time.monotonic() + 20 * (time.monotonic() - started), disk
        return self.known

    def file_system(self, place: Path) -> int:
        """Of a whole file system. Open files without a name are in it."""
        usage = os.statvfs(place)
        return (usage.f_blocks - usage.f_bfree) * usage.f_frsize + (usage.f_files - usage.f_ffree) * self.FILE

    def below(self, folder: str, owner: int | None) -> int:
        """Of a folder of a larger file system; owner: of this uid's files only."""
        total, waiting, entries = 0, [folder], 0
        while waiting:
            try:
                inner = list(os.scandir(waiting.pop()))
            except PermissionError:
                if owner is not None:
                    continue  # somebody else's
                raise Refused("made a folder that cannot be looked into") from None
            except OSError:
                continue
            for entry in inner:
                with contextlib.suppress(OSError):
                    found = entry.stat(follow_symlinks=False)
                    if owner is not None and found.st_uid != owner:
                        continue
                    entries += 1
                    total += found.st_blocks * 512 + self.FILE
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
            if entries > MOST_ENTRIES:
                raise Refused(f"wrote more than {MOST_ENTRIES} files and folders")
        return total


def regular_files(root: Path, owner: int | None = None) -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
    """Relative names of regular files below `root` in sorted order, with a way to open each; follows no link.

    The submission may still be running: every folder on the way is opened by its handle, so that one which is exchanged
    for a link leads nowhere, and what is gone meanwhile is passed over.
    """
    waiting, entries = [""], 0
    while waiting:
        folder = waiting.pop(0)
        with contextlib.suppress(OSError), open_folder(root, folder) as handle:
            for entry in sorted(os.scandir(handle), key=lambda e: e.name):
                entries += 1
                if entries > MOST_ENTRIES:
                    raise Refused(f"wrote more than {MOST_ENTRIES} files and folders")
                with contextlib.suppress(OSError):
                    if owner is not None and entry.stat(follow_symlinks=False).st_uid != owner:
                        continue
                    name = f"{folder}/{entry.name}".lstrip("/")
                    if entry.is_dir(follow_symlinks=False) and name.count("/") < 16:
                        waiting.append(name)
                    elif not entry.is_file(follow_symlinks=False):
                        continue
                    else:
                        yield name, lambda name=name: open_regular(root, name)  # type: ignore[misc]


@contextlib.contextmanager
def open_folder(root: Path, name: str) -> Iterator[int]:
    """A handle of a folder below `root`, reached step by step without following a link."""
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        for part in filter(None, name.split("/")):
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=handle)
            os.close(handle)
            handle = inner
        yield handle
    finally:
        os.close(handle)


def open_regular(root: Path, name: str) -> IO[bytes]:
    """Open without following a link and without waiting on a FIFO; anything but a regular file is refused.

    Raises FileNotFoundError when it is gone.
    """
    folder, _, last = name.rpartition("/")
    try:
        with open_folder(root, folder) as place:
            handle = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=place)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Refused("left an output file that cannot be read") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise Refused("left an output that is not a regular file")
    return os.fdopen(handle, "rb")
