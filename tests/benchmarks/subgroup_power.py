"""How often an honest analysis of subgroup_evaluation finds what is planted, and how often it flags what is not.

python tests/benchmarks/subgroup_power.py --variants 100 --sample good        (about half an hour on 2 cores)
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from exercise_lint import play_sample

from graders.harness.kit import Kit
from graders.measures import subgroup_findings
from graders.measures.subgroup_report import Report
from graders.measures.subgroup_truth import Measured

NAME = "subgroup_evaluation"
# Each cell is tested by O/E and by need.
TESTS_PER_CELL = 2


@dataclass(frozen=True)
class Run:
    """One variant. planted, found: kinds.  false: cells flagged wrongly, of so many null tests."""

    score: float
    planted: list[str]
    found: list[str]
    causes: int
    false: int
    tests: int


def run(sample: str, variant: str, patients: int) -> Run:
    """Plays the sample and judges its findings."""
    graded = play_sample(Kit(), NAME, sample, variant=variant, settings={"patients": patients})
    truth = Kit().recipe(NAME).read_truth(graded.truth)
    scene = Measured(truth)
    judged = subgroup_findings.judge(Report.read(graded.scorecard.outcome.replies[0].files, truth.card), scene)
    null = sum(1 for cell in scene.cells.values() if cell and (gap := scene.gap(cell)) and gap.null)
    planted = [plant["kind"] for plant in truth.plants]
    score = float(graded.scorecard.score or 0)
    return Run(score, planted, sorted(judged.found), judged.right_causes, len(judged.false), null * TESTS_PER_CELL)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variants", type=int, default=100)
    parser.add_argument("--sample", default="good")
    parser.add_argument("--patients", type=int, default=16000)
    args = parser.parse_args()
    n = args.variants
    with ProcessPoolExecutor(2) as pool:
        runs = list(pool.map(run, [args.sample] * n, [f"power{k}" for k in range(n)], [args.patients] * n))
    planted = Counter(kind for one in runs for kind in one.planted)
    found = Counter(kind for one in runs for kind in one.found)
    print(f"{args.sample}, {n} variants of {args.patients} patients\n")
    print("| problem | planted | found | |\n|---|---:|---:|---:|")
    for kind in sorted(planted):
        print(f"| {kind} | {planted[kind]} | {found[kind]} | {found[kind] / planted[kind]:.1%} |")
    print(f"| all | {planted.total()} | {found.total()} | {found.total() / planted.total():.1%} |\n")
    false, tests = sum(one.false for one in runs), sum(one.tests for one in runs)
    print(f"wrong flags: {false} of {tests} null tests, {false / tests:.2%}")
    print(f"causes: {sum(one.causes for one in runs)} right")
    scores = [one.score for one in runs]
    print(f"score: mean {statistics.mean(scores):.2f}, SD {statistics.stdev(scores):.2f}, least {min(scores):.2f}")


if __name__ == "__main__":
    main()
