"""Say whose packet leaked practice data come from."""

from __future__ import annotations

import argparse
import functools
import gzip
import math
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from graders.commands._options import add_kit, open_kit, working
from graders.harness import grading, submission
from graders.harness.errors import UsageError

# Bytes that are read of one file and of all together.
MOST_OF_ONE, MOST = 2**28, 2**30
TOO_MUCH = "holds too much to be read; some thousand rows of one file are enough"
ZIPPED, GZIPPED = (".zip", ".xlsx"), (".gz", ".tgz")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="what was found: a file, folder or zip")
    parser.add_argument("--round", type=Path, required=True, metavar="ROUND.toml", help="role and candidates")
    parser.add_argument("--secret-file", type=Path, required=True, metavar="F", help="the secret of the packets")
    add_kit(parser)


def run(args: argparse.Namespace) -> int:
    """Print each candidate whose marks are in the files, all taken together; 0 when there is one, 1 when not."""
    from graders.round import canaries, rounds

    kit, secret = open_kit(args.kit), grading.read_secret(args.secret_file)
    described = rounds.described(kit, args.round)
    kinds = canaries.marks(kit, described.role.weights)
    unmarked = [name for name, found in kinds.items() if not found]
    if len(unmarked) == len(kinds):
        raise UsageError(f"{args.round}: no exercise of this role marks its practice data; nothing can be traced")
    with working("reading what was found"):
        found = canaries.trace(kit, kinds, described.variants, secret, texts(args.files))
    for identity, traced in sorted(found.items(), key=lambda one: one[1].chance):
        share = f"{traced.count} of {traced.seen} identifiers of {traced.exercise} are as in this candidate's packet"
        print(f"{identity}: {share}; chance of a coincidence: below 1e{math.ceil(traced.chance)}")
    if not found:
        print(f"none of {len(described.variants)} candidates under this secret: too few marks of anybody, or none")
    if unmarked:
        print(f"practice data without marks: {', '.join(unmarked)}")
    return 0 if found else 1


def texts(paths: list[Path]) -> Iterator[bytes]:
    """The bytes of every file, of zips and gzips as unpacked in memory. Raises UsageError."""
    room = MOST
    for path in paths:
        for fetch in contents(path):
            try:
                data = fetch(min(room, MOST_OF_ONE))
            except submission.Fault as fault:
                raise UsageError(f"{path}: {fault}") from None
            except (OSError, EOFError, zlib.error) as error:
                raise UsageError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or 'damaged'})") from None
            room -= len(data)
            yield data


def contents(path: Path) -> Iterator[Callable[[int], bytes]]:
    """For every file a function: the most bytes that it may have -> its bytes. Zips in a folder are opened too."""
    try:
        if path.is_dir():
            for name in submission.list_folder(path).sizes:
                yield from contents_of_file(path / name)
        elif path.is_file():
            yield from contents_of_file(path)
        else:
            raise UsageError(f"{path}: there is no such file or folder")
    except submission.Fault as fault:
        raise UsageError(f"{path}: {fault}") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from None


def contents_of_file(path: Path) -> Iterator[Callable[[int], bytes]]:
    """The same of one file."""
    if path.is_symlink():
        return
    if path.suffix.lower() in ZIPPED:
        listing = submission.list_zip(path)
        for name, size in listing.sizes.items():
            if size >= 0:
                yield functools.partial(limited, functools.partial(listing.read, name), size)
    elif path.suffix.lower() in GZIPPED:
        yield functools.partial(unpacked, path)
    else:
        yield functools.partial(limited, functools.partial(submission.read_regular, path), path.stat().st_size)


def limited(read: Callable[[int], bytes], size: int, cap: int) -> bytes:
    """The bytes of a file of this size. Raises Fault."""
    if size > cap:
        raise submission.Fault(TOO_MUCH)
    return read(cap)


def unpacked(path: Path, cap: int) -> bytes:
    """What a gzip holds. Raises Fault, OSError."""
    with gzip.open(path) as stream:
        data = stream.read(cap + 1)
    if len(data) > cap:
        raise submission.Fault(TOO_MUCH)
    return data
