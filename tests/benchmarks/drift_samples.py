"""What every sample of drift_response gets on the hidden variant of the tests, criterion by criterion.

python tests/benchmarks/drift_samples.py [SAMPLE …]

Monitors run in this process, not in the sandbox; hostile samples are left out.
"""

from __future__ import annotations

import argparse
import functools
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from drift_variants import NAME, played, scene_of
from exercise_lint import expectations, read_sample

from graders.harness.kit import Kit

VARIANT = "tests"
SHORT = ("worth", "causes", "alerts", "plan", "odd", "own", "harmless")


@functools.cache
def scene() -> Any:
    """Made once a process."""
    return scene_of(VARIANT)


def points(sample: str) -> list[float]:
    """The score, and what each criterion gives."""
    kit = Kit()
    files = read_sample(kit, kit.exercise(NAME), sample).files
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        score, lines = played(Path(folder).resolve(), VARIANT, scene())
    return [score, *(earned for _, earned, _, _ in lines)]


def main() -> None:
    """Print the tables: samples that stand for themselves, and those that change another one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("samples", nargs="*")
    args = parser.parse_args()
    entries = expectations(Kit(), NAME)
    samples = args.samples or [s for s in entries if not s.startswith("hostile") and s != "starter"]
    with ProcessPoolExecutor(2) as pool:
        found = dict(zip(samples, pool.map(points, samples), strict=True))
    for title, changed in (("Samples that stand for themselves", False), ("Samples that change the reference", True)):
        rows = {s: found[s] for s in samples if bool(entries[s].get("base")) == changed}
        print(f"## {title}\n\n| sample | score | {' | '.join(SHORT)} |\n|---|{'---:|' * (1 + len(SHORT))}")
        for sample in sorted(rows, key=lambda s: -rows[s][0]):
            print(f"| {sample} | " + " | ".join(f"{x:.1f}" for x in rows[sample]) + " |")
        print()


if __name__ == "__main__":
    main()
