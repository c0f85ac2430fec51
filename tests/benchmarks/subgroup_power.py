"""How often the reference's search finds what is planted in subgroup_evaluation, and how often it flags what is not.

python tests/benchmarks/subgroup_power.py        (100 variants at full size, about ten minutes on 2 cores)

The reference runs in this process and without its table of numbers, which its search does not use.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from exercise_lint import SECRET

from graders.harness import grading
from graders.harness.kit import HOME, Kit
from graders.measures import subgroup_findings
from graders.measures.subgroup_report import Report
from graders.measures.subgroup_truth import Measured

NAME = "subgroup_evaluation"
REFERENCE = HOME / "tests/submissions" / NAME / "good"
# Each cell is tested by O/E and by need.
TESTS_PER_CELL = 2


@dataclass(frozen=True)
class Run:
    """One variant. planted, found: kinds.  causes: right ones.  false: cells flagged wrongly, of so many null tests."""

    planted: list[str]
    found: list[str]
    causes: int
    false: int
    tests: int
    fraction: float


def run(variant: str, patients: int) -> Run:
    """Makes the scene, searches it and judges the findings."""
    sys.path.insert(0, str(REFERENCE))
    import subgroup_evaluation as reference

    reference.number_rows = lambda *_: []
    reference.hide = lambda rows, *_: rows
    kit, terms = Kit(), grading.Terms(variant, SECRET)
    exercise, recipe = kit.exercise(NAME), kit.recipe(NAME)
    card = recipe.draw_card(grading.seed_for(exercise, terms, "card"))
    scene = recipe.scene(grading.seed_for(exercise, terms, "scene"), {"patients": patients, "hidden": 1}, card)
    with tempfile.TemporaryDirectory() as folder:
        for name, data in scene.public.items():
            (Path(folder) / name).write_bytes(data)
        reference.evaluate(Path(folder), Path(folder))
        files = {"report.json": (Path(folder) / "report.json").read_bytes()}
    truth = recipe.read_truth(scene.truth)
    measured = Measured(truth)
    judged = subgroup_findings.judge(Report.read(files, card), measured)
    null = sum(1 for cell in measured.cells.values() if cell and (gap := measured.gap(cell)) and gap.null)
    planted = [plant["kind"] for plant in truth.plants]
    tests = null * TESTS_PER_CELL
    return Run(planted, sorted(judged.found), judged.right_causes, len(judged.false), tests, judged.fraction)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variants", type=int, default=100)
    parser.add_argument("--patients", type=int, default=16000)
    args = parser.parse_args()
    n = args.variants
    with ProcessPoolExecutor(2) as pool:
        runs = list(pool.map(run, [f"power{k}" for k in range(n)], [args.patients] * n))
    planted = Counter(kind for one in runs for kind in one.planted)
    found = Counter(kind for one in runs for kind in one.found)
    print(f"The reference's search, {n} variants of {args.patients} patients.\n")
    print("| problem | planted | found | |\n|---|---:|---:|---:|")
    for kind in sorted(planted):
        print(f"| {kind} | {planted[kind]} | {found[kind]} | {found[kind] / planted[kind]:.1%} |")
    print(f"| all | {planted.total()} | {found.total()} | {found.total() / planted.total():.1%} |\n")
    false, tests = sum(one.false for one in runs), sum(one.tests for one in runs)
    print(f"Wrong flags: {false} of {tests} null tests, {false / tests:.2%}.")
    print(f"Causes: {sum(one.causes for one in runs)} of {found.total()} right.")
    whole = sum(one.fraction == 1 for one in runs)
    print(f"All points for findings in {whole} of {n} variants.")


if __name__ == "__main__":
    main()
