"""What it costs to read the files of hostile_outputs.py: each is made and read in processes of its own.

python tests/reading_cost.py [name...]        prints JSON
"""

from __future__ import annotations

import json
import mmap
import os
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass

from hostile_outputs import FILES, LARGEST, MB, PARSED, READERS, Hostile

from graders.harness.reading import Unreadable

ADDRESS_SPACE, CPU_S = 4 * 2**30, 60


@dataclass(frozen=True)
class Measured:
    """What reading a file came to. mb: its size.  seconds: of CPU.  memory_mb: at most, beyond the file's own bytes."""

    name: str
    how: str
    mb: float
    seconds: float
    memory_mb: float
    came: str


def measured(names: Iterable[str], times: int = 1) -> Iterator[Measured]:
    """What the hostile files of these names cost."""
    yield from measured_files({name: FILES[name] for name in names}, times)


def measured_files(files: Mapping[str, Hostile], times: int) -> Iterator[Measured]:
    """Make and read each file in processes of their own; of so many times, the least seconds and the most memory."""
    for how, small in {"table": b"a\n1\n", "ndjson": b'{"a":[1]}\n', "text": b"a", "json": b"[1e400]"}.items():
        attempt(how, small)  # what is loaded at the first use is no memory of a file's
    with mmap.mmap(-1, LARGEST) as shared:  # which the children share with one another
        for name, file in files.items():
            size = int(alone(lambda file=file: lay_out(file.make(), shared)))
            found = [
                json.loads(alone(lambda file=file, n=size: cost(file.how, shared, n)) or "null") for _ in range(times)
            ]
            if None in found:
                yield Measured(name, file.how, size / MB, CPU_S, ADDRESS_SPACE / MB, "the reader died")
                continue
            seconds, memory = min(one[0] for one in found), max(one[1] for one in found)
            yield Measured(name, file.how, size / MB, seconds, memory, found[0][2])


def lay_out(data: bytes, shared: mmap.mmap) -> int:
    """Put the file where the reader finds it; its size."""
    shared[: len(data)] = data
    return len(data)


def alone(work: Callable[[], object]) -> str:
    """What a child of this process says, "" when it dies: nothing that it does to memory is left here."""
    down, up = os.pipe()
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
        try:
            os.write(up, str(work()).encode())
        finally:
            os._exit(0)
    os.close(up)
    with os.fdopen(down, "rb") as stream:
        said = stream.read()
    os.waitpid(child, 0)
    return said.decode()


def cost(how: str, shared: mmap.mmap, size: int) -> str:
    """[seconds of CPU, MB beyond the file's bytes at most, what came of it] of reading a file here."""
    data = shared[:size]
    before, started = most_kb(), time.process_time()
    came = attempt(how, data)
    return json.dumps([time.process_time() - started, (most_kb() - before) / 1024, came])


def attempt(how: str, data: bytes) -> str:
    """PARSED or the reason. What was read is held until it is measured."""
    try:
        READERS[how](data)
    except Unreadable as error:
        return str(error)
    return PARSED


def most_kb() -> int:
    """The most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    json.dump([asdict(one) for one in measured(sys.argv[1:] or FILES)], sys.stdout)
