"""Intake: what a candidate handed in, read as inert bytes by an allow-list. Nothing is imported, linked or unpacked."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import stat
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from graders.harness.errors import UsageError
from graders.harness.exercise import Exercise

MAX_ENTRIES = 5_000
MAX_DEPTH = 12
MAX_NAME = 200
MAX_RATIO = 200
# zipfile takes up the whole directory of an archive, seven times its size in memory, before entries can be counted.
MAX_ARCHIVE = 256 * 2**20

Reader = Callable[[str, int], bytes]


class Fault(Exception):
    """Why something handed in cannot be read, in one line."""


@dataclass(frozen=True)
class Part:
    """The files handed in for one exercise.

    status: "" when it can be played, else how the scorecard will say it, with the reason in `fault`.
    ignored: how many files the manifest's allow-list left out.
    """

    files: Mapping[str, bytes] = field(default_factory=dict)
    status: Literal["", "blocked", "not_submitted"] = ""
    fault: str = ""
    ignored: int = 0

    @property
    def digest(self) -> str:
        """sha256 over sorted relative paths and bytes: the same for a folder and for any zip of it."""
        return digest(self.files)


@dataclass(frozen=True)
class Listing:
    """Names of a folder or archive with their sizes (-1: a link or another thing that is not a regular file)."""

    sizes: Mapping[str, int]
    read: Reader


def digest(files: Mapping[str, bytes]) -> str:
    """sha256 over sorted (path, content) pairs, lengths included."""
    total = hashlib.sha256()
    for name in sorted(files):
        for piece in (name.encode("utf-8", "surrogateescape"), files[name]):
            total.update(len(piece).to_bytes(8, "big") + piece)
    return f"sha256:{total.hexdigest()}"


def read(path: Path, exercises: Iterable[Exercise]) -> dict[str, Part]:
    """A folder, a zip or a notebook as one part per exercise.

    When some exercise is recognised the others are absent; when none is, every one is "not_submitted"; when the
    submission cannot be read at all, every one is "blocked". Raises UsageError when nothing is at `path`.
    """
    exercises = list(exercises)
    if not path.is_dir() and not path.is_file():
        what = "is neither a file nor a folder" if path.exists() else "there is no such file or folder"
        raise UsageError(f"{path}: {what}")
    try:
        if path.is_dir():
            listing = list_folder(path)
        elif path.suffix == ".ipynb":
            listing = list_notebook(path, exercises)
        else:
            listing = list_zip(path)
        found = {e.name: part for e in exercises if (part := pick(e, unwrapped(listing, exercises)))}
    except Fault as fault:
        return {e.name: Part(status="blocked", fault=str(fault)) for e in exercises}
    except PermissionError as error:
        raise UsageError(f"{error.filename}: cannot be read (permission denied)") from None
    if found:
        return found
    return {e.name: Part(status="not_submitted", fault=f"{path.name} holds no {e.name}/{e.entry}") for e in exercises}


def list_notebook(path: Path, exercises: list[Exercise]) -> Listing:
    """A notebook that is handed in by itself: as it is under an exercise's name, else by the files in its cells."""
    if path.stem in {e.name for e in exercises}:
        return Listing({path.name: path.stat().st_size}, lambda _, cap: read_regular(path, cap))
    # In a round a submission has the candidate's name.
    room = int(max((e.max_mb for e in exercises), default=0) * 2**20)
    return in_memory(code_files(read_regular(path, room)))


def in_memory(files: Mapping[str, bytes]) -> Listing:
    """Files that are read already."""

    def fetch(name: str, cap: int) -> bytes:
        if len(files[name]) > cap:
            raise Fault("is larger than the exercise allows")
        return files[name]

    return Listing({name: len(data) for name, data in files.items()}, fetch)


def unwrapped(listing: Listing, exercises: list[Exercise]) -> Listing:
    """Without the one folder around everything that many archivers add, unless it is an exercise's own."""
    tops = {name.split("/", 1)[0] for name in listing.sizes}
    if len(tops) != 1 or any("/" not in name for name in listing.sizes):
        return listing
    top = tops.pop()
    if top in {e.name for e in exercises} | {e.entry.split("/", 1)[0] for e in exercises if "/" in e.entry}:
        return listing
    return below(listing, f"{top}/")


def below(listing: Listing, prefix: str) -> Listing:
    """The part of a listing under a folder, with names relative to it."""
    sizes = {n.removeprefix(prefix): s for n, s in listing.sizes.items() if n.startswith(prefix)}
    return Listing(sizes, lambda name, cap: listing.read(prefix + name, cap))


def pick(exercise: Exercise, listing: Listing) -> Part | None:
    """One exercise's part: from the folder of its name, or from the top when its entry or notebook lies there."""
    own = below(listing, f"{exercise.name}/")
    notebook = f"{exercise.name}.ipynb"
    place = own if own.sizes else listing
    try:
        if holds(place, exercise.entry):
            return take(exercise, place)
        if notebook in place.sizes:
            files = code_files(place.read(notebook, int(exercise.max_mb * 2**20)))
            if exercise.entry in files:
                return take(exercise, in_memory(files))
            raise Fault(f"{notebook} holds no cell for {exercise.entry}")
    except Fault as fault:
        return Part(status="blocked", fault=str(fault))
    if own.sizes:
        return Part(status="not_submitted", fault=f"{exercise.name}/ holds no {exercise.entry}")
    return None


def holds(listing: Listing, entry: str) -> bool:
    """Is the entry, a file or (ending in "/") a folder, in the listing?"""
    return entry in listing.sizes or (entry.endswith("/") and any(n.startswith(entry) for n in listing.sizes))


def take(exercise: Exercise, listing: Listing) -> Part:
    """Read the allowed files of one exercise within its limits. Raises Fault."""
    names = [n for n in sorted(listing.sizes) if exercise.allows(n) and not hidden(n)]
    if len(names) > exercise.max_files:
        raise Fault(f"holds {len(names)} files; the limit is {exercise.max_files}")
    room, files = int(exercise.max_mb * 2**20), {}
    for name in names:
        if listing.sizes[name] < 0:
            raise Fault(f"{shown(name)} is a link or a device: hand in the file itself")
        files[name] = listing.read(name, room)
        room -= len(files[name])
    return Part(files, ignored=len(listing.sizes) - len(files))


def hidden(name: str) -> bool:
    """Tools' leftovers: dot folders, caches, the resource forks of an archiver."""
    return any(part.startswith(".") or part in ("__pycache__", "__MACOSX") for part in name.split("/"))


def shown(name: str) -> str:
    """A stranger's file name, safe to print."""
    return ascii(name)[1:-1][:80]


def check_name(name: str) -> None:
    """Refuse names that leave their folder or cannot be written down. Raises Fault."""
    parts = name.rstrip("/").split("/")
    if name.startswith("/") or "\\" in name or ".." in parts or ":" in parts[0]:
        raise Fault(f"holds a path that leaves its folder ({shown(name)})")
    if len(parts) > MAX_DEPTH:
        raise Fault(f"holds folders nested more than {MAX_DEPTH} deep")
    if len(name.encode("utf-8", "surrogateescape")) > MAX_NAME or not name.isprintable():
        raise Fault(f"holds a file name that is too long or not printable ({shown(name)})")


def check_nesting(names: Iterable[str]) -> None:
    """Refuse names that lie below a file. Raises Fault."""
    known = set(names)
    for name in known:
        parts = name.split("/")
        if any("/".join(parts[:n]) in known for n in range(1, len(parts))):
            raise Fault(f"holds {shown(name)} inside something that is a file")


def list_folder(root: Path) -> Listing:
    """Every entry below a folder; follows no link."""
    sizes: dict[str, int] = {}
    waiting, count = [""], 0
    while waiting:
        folder = waiting.pop()
        with os.scandir(root / folder) as found:
            entries = list(itertools.islice(found, MAX_ENTRIES + 1))
        count += len(entries)
        if count > MAX_ENTRIES:
            raise Fault(f"holds more than {MAX_ENTRIES} files and folders")
        for entry in entries:
            name = f"{folder}{entry.name}"
            if hidden(entry.name):
                continue
            check_name(name)
            if entry.is_dir(follow_symlinks=False):
                waiting.append(name + "/")
            else:
                regular = entry.is_file(follow_symlinks=False)
                sizes[name] = entry.stat(follow_symlinks=False).st_size if regular else -1
    return Listing(sizes, lambda name, cap: read_regular(root / name, cap))


def read_regular(path: Path, cap: int) -> bytes:
    """The bytes of a regular file of at most `cap` bytes; no link is followed, no FIFO waited on. Raises Fault."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise Fault(f"{shown(path.name)} cannot be read ({error.strerror})") from None
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise Fault(f"{shown(path.name)} is not a regular file")
        data = stream.read(cap + 1)
    if len(data) > cap:
        raise Fault("is larger than the exercise allows")
    return data


def list_zip(path: Path) -> Listing:
    """Every entry of a zip, from its directory; contents are read on demand and never written to disk."""
    if path.stat().st_size > MAX_ARCHIVE:
        raise Fault(f"{shown(path.name)} is larger than {MAX_ARCHIVE >> 20} MB")
    try:
        archive = zipfile.ZipFile(path)
    except Exception:
        # zipfile and its decompressors raise a dozen kinds of errors on damaged or hostile archives.
        raise Fault(f"{shown(path.name)} is not a readable zip") from None
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise Fault(f"holds more than {MAX_ENTRIES} files")
    sizes: dict[str, int] = {}
    for entry in entries:
        check_name(entry.filename)
        if entry.is_dir() or hidden(entry.filename):
            continue
        if entry.filename in sizes:
            raise Fault(f"holds {shown(entry.filename)} twice")
        mode = entry.external_attr >> 16
        sizes[entry.filename] = -1 if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG) else entry.file_size
        if entry.file_size > 2**20 and entry.file_size > MAX_RATIO * max(1, entry.compress_size):
            raise Fault(f"{shown(entry.filename)} unpacks to more than {MAX_RATIO} times its packed size")
    check_nesting(sizes)

    def fetch(name: str, cap: int) -> bytes:
        if archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # Of bzip2 and LZMA, zipfile unpacks whole blocks before it counts: 300 bytes become 150 MB.
            raise Fault(f"{shown(name)} is packed in another way than deflate")
        try:
            with archive.open(name) as stream:
                data = stream.read(cap + 1)
        except Exception as error:
            raise Fault(f"{shown(name)} cannot be unpacked ({type(error).__name__})") from None
        if len(data) > cap:
            raise Fault("is larger than the exercise allows")
        return data

    return Listing(sizes, fetch)


def code_files(notebook: bytes) -> dict[str, bytes]:
    """The files that a notebook's code cells carry: cells name theirs in metadata.caredrill.file. Raises Fault."""
    try:
        cells = json.loads(notebook)["cells"]
        texts: dict[str, list[str]] = {}
        for cell in cells:
            name = cell.get("metadata", {}).get("caredrill", {}).get("file")
            if isinstance(name, str):
                check_name(name)
                texts.setdefault(name, []).append("".join(cell["source"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Fault("the notebook cannot be read") from None
    check_nesting(texts)
    return {name: ("\n\n".join(pieces) + "\n").encode("utf-8", "replace") for name, pieces in texts.items()}
