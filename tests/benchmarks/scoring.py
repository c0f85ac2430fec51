"""Seconds to score one stored outcome of the reference sample at full size: in a fresh process, and once more.

python tests/benchmarks/scoring.py        (about a minute, on a machine that does nothing else)
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from exercise_lint import play_sample

from graders.harness import grading
from graders.harness import outcome as outcomes
from graders.harness.kit import Kit
from graders.harness.scorecard import score

SAMPLE = "good"


def main() -> None:
    """Play and store; then score in a process that has imported nothing but the engine."""
    if len(sys.argv) == 3:
        seconds(Path(sys.argv[1]), sys.argv[2])
        return
    for name in Kit().names():
        with tempfile.TemporaryDirectory() as folder:
            grading.store(play_sample(Kit(), name, SAMPLE, small=False), Path(folder), SAMPLE)
            subprocess.run([sys.executable, __file__, folder, name], check=True)


def seconds(results: Path, name: str) -> None:
    """Score a stored outcome twice and print how long each took."""
    outcome = outcomes.read(results / SAMPLE / name)
    truth = outcomes.read_truth(results / ".truth" / SAMPLE / name)
    for which in ("fresh process", "again"):
        started = time.perf_counter()
        card = score(Kit(), outcome, truth)
        print(f"{name} {dict(outcome.settings)}: {card.score} points, {time.perf_counter() - started:.1f} s ({which})")


if __name__ == "__main__":
    main()
