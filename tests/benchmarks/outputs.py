"""What reading hostile output files costs, worst first, and what reading honest ones does. Prints Markdown.

python tests/benchmarks/outputs.py > docs/evidence/hostile_outputs.md        (about two minutes)
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from hostile_outputs import FILES, MOST_MB, PARSED, READERS, Hostile
from reading_cost import Measured, measured, measured_files
from reading_cost import alone as apart

from graders.harness import grading
from graders.harness.grading import Terms
from graders.harness.kit import Kit
from graders.harness.reading import Unreadable
from graders.measures import release

TIMES = 3
NAME = "deidentification"
SECRET = b"the secret of this benchmark, 32 b"


def main() -> None:
    """Measure both; print."""
    found = sorted(measured(FILES, TIMES), key=lambda one: -max(one.seconds, one.memory_mb / MOST_MB))
    parsed = sum(one.came == PARSED for one in found)
    seconds, memory = max(one.seconds for one in found), max(one.memory_mb for one in found)
    print(f"""# Evidence: hostile output files

Made by `python tests/benchmarks/outputs.py > docs/evidence/hostile_outputs.md`.

Files of [tests/hostile_outputs.py](../../tests/hostile_outputs.py): {parsed} are parsed, {len(found) - parsed} refused.
The worst took {seconds:.2f} s and {memory:.0f} MB.

Each was made and read in processes of its own, {TIMES} times. Seconds are the least CPU time. Memory is the most that
the reader held beyond what it held with the file's bytes in hand. `table`, `json`, `ndjson` and `text` are read with
the caps of a caller that names none; the others as the exercise reads that file at full size.
""")
    print_table(["file", "read as", "MB", "seconds", "MB of memory", "what came of it"], map(row, found))
    print("""
## Honest files

What deidentification gives at full size, read as its criteria read the release, and by the parser alone: orjson line by
line, keeping nothing, or pandas. A release is of about the same size.
""")
    kept, plain = honest()
    rows = [
        [one.name, f"{one.mb:.1f}", f"{one.seconds:.2f}", f"{bare.seconds:.2f}", f"{one.memory_mb:.0f}"]
        for one, bare in zip(kept, plain, strict=True)
    ]
    print_table(["file", "MB", "seconds", "parser alone", "MB of memory"], rows)


def row(one: Measured) -> list[str]:
    """One hostile file."""
    # The name that a reader was called with is no part of the reason.
    came = one.came.removeprefix("x ")
    return [one.name, f"`{one.how}`", f"{one.mb:.1f}", f"{one.seconds:.2f}", f"{one.memory_mb:.0f}", came]


def print_table(head: list[str], rows: Iterable[list[str]]) -> None:
    """A table of Markdown."""
    for cells in (head, ["---"] * len(head), *rows):
        print("| " + " | ".join(cells) + " |")


def honest() -> tuple[list[Measured], list[Measured]]:
    """The largest files of each sort: as the criteria read them, and by the parser alone."""
    with tempfile.TemporaryDirectory() as folder:
        # In a process of its own: memory that this one once held would be none that the readers ask for.
        apart(lambda: lay_out(Path(folder)))
        return measured_honest(Path(folder))


def lay_out(folder: Path) -> None:
    """The files that a submission is given, at full size."""
    kit = Kit()
    scene = grading.make_scene(kit, kit.exercise(NAME), Terms("benchmark", SECRET))
    for name, data in next(scene.steps()).files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)


def measured_honest(folder: Path) -> tuple[list[Measured], list[Measured]]:
    """The same, of the files in a folder."""
    names = ("fhir/Observation.ndjson", "fhir/Condition.ndjson", "fhir/Patient.ndjson", "notes.jsonl", "labs.csv")
    total = sum(lines(path) for path in folder.glob("fhir/*.ndjson"))
    for name in names:
        READERS[name] = reader(name, lines(folder / name), total)
        READERS[f"{name}, parser alone"] = alone(name)
    kept = {name: Hostile(name, (folder / name).read_bytes, PARSED) for name in names}
    plain = {name: Hostile(f"{name}, parser alone", (folder / name).read_bytes, PARSED) for name in names}
    found = [*measured_files(kept, TIMES)], [*measured_files(plain, TIMES)]
    assert all(one.came == PARSED for some in found for one in some)
    return found


def lines(path: Path) -> int:
    """How many a file has."""
    return int(apart(lambda: path.read_bytes().count(b"\n")))


def reader(name: str, count: int, total: int) -> Callable[[bytes], object]:
    """How the criteria read this file."""
    if name == "notes.jsonl":
        return lambda data: release.read_ndjson({name: data}, name, *release.line_limits(count, note=True))
    if name.endswith(".csv"):
        return lambda data: release.read_table({name: data}, name, (), *release.table_limits(count - 1))

    def resources(data: bytes) -> object:
        faults: list[str] = []
        most = release.RESOURCE_VALUES * total + release.SPARE
        found = release._resources({name: data}, Path(name).stem, count, most, faults)
        if faults:
            raise Unreadable(faults[0])
        return found

    return resources


def alone(name: str) -> Callable[[bytes], object]:
    """The parser without checks."""
    import orjson
    import pandas as pd

    if name.endswith(".csv"):
        return lambda data: pd.read_csv(io.BytesIO(data), dtype=str, na_filter=False)

    def loads(data: bytes) -> None:
        for line in io.BytesIO(data):
            orjson.loads(line)

    return loads


if __name__ == "__main__":
    main()
