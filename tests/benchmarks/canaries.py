"""How often a tenth of a packet's practice data is traced to its candidate, and how often anything else is.

python tests/benchmarks/canaries.py [DRAWS]      (1,020 unless given; some minutes)
"""

from __future__ import annotations

import csv
import io
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np

from graders.harness import grading
from graders.harness.grading import Terms
from graders.harness.kit import Kit
from graders.round import canaries

KIT, SECRET, SHARE = Kit(), b"the secret of this benchmark, 32 bytes", 0.1
VARIANTS = {f"c{n:02d}": f"c{n:02d}" for n in range(1, 31)}
# File, or the end of its name -> where its marks are, for the draws that keep nothing else.
COLUMNS = {
    "labs.csv": "lab_id", "patients.csv": "patient_id", "contacts.csv": "contact_id", "encounters.csv": "encounter_id",
    "conditions.csv": "condition_id", "meds.csv": "med_id", "scores.csv": "encounter", "outcomes.csv": "encounter",
    "demographics.csv": "patient",
}  # fmt: skip
Row = dict[str, object]


def practice(variant: str) -> dict[tuple[str, str], bytes]:
    """(exercise, file) -> bytes of unmarked practice data under a candidate's cards."""
    found: dict[tuple[str, str], bytes] = {}
    for exercise in KIT.exercises():
        card = KIT.recipe(exercise.name).draw_card(grading.seed_for(exercise, Terms(variant, SECRET), "card"))
        public = grading.make_scene(KIT, exercise, Terms("practice", card=card)).public
        found |= {(exercise.name, file): data for file, data in public.items()}
    return found


def marked(files: dict[tuple[str, str], bytes], variant: str) -> dict[tuple[str, str], bytes]:
    """The same with a candidate's marks."""
    found: dict[tuple[str, str], bytes] = {}
    for exercise in (KIT.exercise(name) for name in sorted({name for name, _ in files})):
        public = {file: data for (name, file), data in files.items() if name == exercise.name}
        new = canaries.marked(KIT, exercise, public, Terms(variant, SECRET))
        found |= {(exercise.name, file): data for file, data in new.items()}
    return found


def rows(file: str, lines: list[bytes]) -> list[Row]:
    """Some lines of a file, below the head of its table, as rows."""
    if file.endswith(".csv"):
        return [dict(row) for row in csv.DictReader(io.StringIO(b"\n".join(lines).decode()))]
    return [json.loads(line) for line in lines]


def tenth(file: str, data: bytes, rng: np.random.Generator, contiguous: bool) -> list[Row]:
    """A tenth of a file's rows, at least one: drawn one by one, or one stretch."""
    lines = data.rstrip(b"\n").split(b"\n")
    head, body = (lines[:1], lines[1:]) if file.endswith(".csv") else ([], lines)
    size = max(1, round(SHARE * len(body)))
    if contiguous:
        start = int(rng.integers(0, len(body) - size + 1))
        return rows(file, head + body[start : start + size])
    return rows(file, head + [body[int(i)] for i in rng.choice(len(body), size, replace=False)])


def as_it_was(file: str, some: list[Row]) -> bytes:
    """In the file's own format."""
    return as_csv(some) if file.endswith(".csv") else as_json(some)


def as_csv(some: list[Row]) -> bytes:
    """Comma-separated."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(some[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(some)
    return text.getvalue().encode()


def as_json(some: list[Row]) -> bytes:
    """A line each."""
    return "".join(json.dumps(row) + "\n" for row in some).encode()


def other_format(file: str, some: list[Row]) -> bytes:
    """CSV as one JSON array; JSON with tabs, indented."""
    return json.dumps(some, indent=None if file.endswith(".csv") else "\t", sort_keys=True).encode()


def only_marks(file: str, some: list[Row]) -> bytes:
    """The marked column alone."""
    name = file.rsplit("/", 1)[-1]
    if column := COLUMNS.get(name):
        kept = [row[column] for row in some]
    elif name == "requests.ndjson":
        kept = [row["headers"]["X-Request-ID"] for row in some]  # type: ignore[index]
    elif name.startswith("stream_"):
        kept = [one for row in some for one in row["encounter"]]  # type: ignore[attr-defined]
    else:
        kept = [row["id" if file.startswith("fhir/") else "note_id"] for row in some]
    return "\n".join(map(str, kept)).encode()


WAYS: dict[str, Callable[[str, list[Row]], bytes]] = {
    "as it was": as_it_was,
    "another format": other_format,
    "one column": only_marks,
}


def draws(count: int) -> Iterator[tuple[str, str, bool, int]]:
    """(variant, way, whether contiguous, number among the candidate's), each candidate's together."""
    for variant in VARIANTS:
        for n in range(count // len(VARIANTS)):
            yield variant, list(WAYS)[n % len(WAYS)], n // len(WAYS) % 2 == 1, n


def main(count: int) -> None:
    """Print the tables of docs/evidence/canaries.md."""
    plain = practice("c01")
    counts: dict[str, Counter[str]] = {}
    fewest: dict[str, int] = {}
    seconds, before, data, sizeable = [], "", plain, list(plain)
    for place, (variant, way, contiguous, n) in enumerate(draws(count)):
        if variant != before:
            # Candidates take turns at the exercises.
            name = KIT.names()[list(VARIANTS).index(variant) % len(KIT.names())]
            print(variant, name, file=sys.stderr)
            before, data = variant, marked({key: file for key, file in plain.items() if key[0] == name}, variant)
            sizeable = [key for key in data if data[key] != plain[key]]
        # Every twentieth draw is of all files.
        chosen = sizeable if n % 20 == 19 else [sizeable[place % len(sizeable)]]
        groups = [f"{name}: all files" if n % 20 == 19 else "/".join(chosen[0]), "all draws"]
        groups.append(f"{'contiguous' if contiguous else 'random'}, {way}")

        def texts(files: dict[tuple[str, str], bytes]) -> list[bytes]:
            rng = np.random.default_rng(place + 1)  # noqa: B023 - used before the next draw
            return [WAYS[way](key[1], tenth(key[1], files[key], rng, contiguous)) for key in chosen]  # noqa: B023

        found = texts(data)
        started = time.process_time()
        named = canaries.trace(KIT, KIT.names(), VARIANTS, SECRET, found)
        seconds.append(time.process_time() - started)
        told = Counter(draws=1, traced=variant in named, wrong=bool(set(named) - {variant}))
        # The same rows without marks, of every fourth draw.
        if n % 4 == 0:
            told["unmarked"] = 1
            told["false"] = bool(canaries.trace(KIT, KIT.names(), VARIANTS, SECRET, texts(plain)))
        for group in groups:
            counts.setdefault(group, Counter()).update(told)
        if variant in named:
            fewest[groups[0]] = min(fewest.get(groups[0], 10**9), named[variant].count)
    print("| a tenth of | draws | traced | somebody else named | unmarked: draws | named | fewest marks |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for group in sorted(counts, key=lambda name: (name == "all draws", ", " in name, name)):
        told = counts[group]
        cells = [told[name] for name in ("draws", "traced", "wrong", "unmarked", "false")]
        print(f"| {group} | {' | '.join(map(str, cells))} | {fewest.get(group, '')} |")
    print(f"\nTracing took {np.median(seconds):.2f} s of CPU in the median and {max(seconds):.2f} s at most.")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1020)
