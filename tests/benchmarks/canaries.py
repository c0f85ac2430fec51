"""How often a tenth of a packet's practice data is traced to its candidate, and how often anything else is.

python tests/benchmarks/canaries.py [DRAWS]      (1,200 unless given; some minutes)
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
    """(exercise, file) -> bytes of unmarked practice data under a candidate's cards, without small files."""
    found = {}
    for exercise in KIT.exercises():
        card = KIT.recipe(exercise.name).draw_card(grading.seed_for(exercise, Terms(variant, SECRET), "card"))
        public = grading.make_scene(KIT, exercise, Terms("practice", card=card)).public
        found |= {(exercise.name, file): data for file, data in public.items()}
    return found


def marked(files: dict[tuple[str, str], bytes], variant: str) -> dict[tuple[str, str], bytes]:
    """The same with a candidate's marks."""
    found = {}
    for exercise in KIT.exercises():
        public = {file: data for (name, file), data in files.items() if name == exercise.name}
        new = canaries.marked(KIT, exercise, public, Terms(variant, SECRET))
        found |= {(exercise.name, file): data for file, data in new.items()}
    return found


def rows(file: str, data: bytes) -> list[Row]:
    """The rows of a file."""
    if file.endswith(".csv"):
        return [dict(row) for row in csv.DictReader(io.StringIO(data.decode()))]
    return [json.loads(line) for line in data.splitlines()]


def tenth(some: list[Row], rng: np.random.Generator, contiguous: bool) -> list[Row]:
    """A tenth of the rows, at least one: drawn one by one, or one stretch."""
    size = max(1, round(SHARE * len(some)))
    if contiguous:
        start = int(rng.integers(0, len(some) - size + 1))
        return some[start : start + size]
    return [some[int(i)] for i in rng.choice(len(some), size, replace=False)]


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


def draws(count: int) -> Iterator[tuple[str, str, str, bool, int]]:
    """(variant, "exercise/file" or "all files", way, whether contiguous, number), each candidate's together."""
    for variant in VARIANTS:
        for n in range(count // len(VARIANTS)):
            yield variant, "", list(WAYS)[n % len(WAYS)], n // len(WAYS) % 2 == 1, n


def main(count: int) -> None:
    """Print the tables of docs/evidence/canaries.md."""
    plain = practice("c01")
    sizeable = [key for key, data in marked(plain, "c01").items() if data != plain[key]]
    unmarked = {key: rows(key[1], plain[key]) for key in sizeable}
    right, wrong, false, total = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    fewest: dict[str, int] = {}
    seconds, place = [], 0
    before, data = "", {}
    for variant, _, way, contiguous, n in draws(count):
        if variant != before:
            before, new = variant, marked(plain, variant)
            data = {key: rows(key[1], new[key]) for key in sizeable}
        # Every tenth draw is of everything.
        chosen = sizeable if n % 10 == 9 else [sizeable[place % len(sizeable)]]
        place += n % 10 != 9
        rng = np.random.default_rng(place + 10_000 * n)
        label = "all files" if len(chosen) > 1 else "/".join(chosen[0])
        kind = f"{'contiguous' if contiguous else 'random'}, {way}"
        state = rng.bit_generator.state
        texts = [WAYS[way](key[1], tenth(data[key], rng, contiguous)) for key in chosen]
        started = time.process_time()
        found = canaries.trace(KIT, KIT.names(), VARIANTS, SECRET, texts)
        seconds.append(time.process_time() - started)
        rng.bit_generator.state = state
        texts = [WAYS[way](key[1], tenth(unmarked[key], rng, contiguous)) for key in chosen]
        nobody = canaries.trace(KIT, KIT.names(), VARIANTS, SECRET, texts)
        for group in (label, kind, "all draws"):
            total[group] += 1
            right[group] += variant in found
            wrong[group] += bool(set(found) - {variant})
            false[group] += bool(nobody)
        if variant in found and len(chosen) == 1:
            fewest[label] = min(fewest.get(label, 10**9), found[variant].count)
    print("| a tenth of | draws | traced | somebody else named | named without marks | fewest marks |")
    print("|---|---:|---:|---:|---:|---:|")
    for group in sorted(total, key=lambda name: (name == "all draws", ", " in name, name)):
        few = fewest.get(group, "")
        print(f"| {group} | {total[group]} | {right[group]} | {wrong[group]} | {false[group]} | {few} |")
    print(f"\nTracing took {np.median(seconds):.2f} s of CPU in the median and {max(seconds):.2f} s at most.")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1200)
