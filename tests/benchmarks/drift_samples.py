"""What every sample of drift_response gets on the hidden variant of the tests, criterion by criterion.

python tests/benchmarks/drift_samples.py [SAMPLE …]

Monitors run in this process, not in the sandbox; hostile samples are left out.
"""

from __future__ import annotations

import argparse
import functools
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from drift_variants import NAME, of_sample, scene_of
from exercise_lint import expectations

from graders.harness.kit import Kit

VARIANT = "tests"
SHORT = ("worth", "causes", "alerts", "plan", "odd", "own", "harmless")


@functools.cache
def scene() -> Any:
    """Made once a process."""
    return scene_of(VARIANT)


def points(sample: str) -> list[float]:
    """The score, and what each criterion gives."""
    score, lines = of_sample(sample, VARIANT, scene())
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
