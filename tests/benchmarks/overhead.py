"""What the engine adds to a trivial call exercise, beside a bare interpreter in the same run.

Engine: intake, recipe, sandbox, play and score of `body_mass_index` with one patient, in a running process (as for
every submission of a round). Floor: `python -c pass`, as many times as the engine starts an interpreter for the
submission. Printed: medians of pairs, run in turn.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import subprocess
import sys
import time

from graders.harness import grading, sandbox
from graders.harness.kit import HOME, Kit
from graders.harness.submission import Part

ONE = b"def body_mass_index(in_dir, out_dir, factor):\n    (out_dir / 'bmi.csv').write_text('patient_id,bmi\\n')\n"


def main() -> None:
    """Print one line per figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    runs = parser.parse_args().runs
    kit = Kit(HOME / "tests/toys")
    exercise = kit.exercise("body_mass_index")
    exercise = dataclasses.replace(exercise, ci_settings={"patients": 1})
    terms = grading.Terms("bench", b"a secret for the benchmark", small=True)
    part = Part({"body_mass_index.py": ONE})
    grading.grade(kit, exercise, part, terms)  # imports and caches, once per process
    engine, floor, plays = [], [], 2
    for _ in range(runs):
        started = time.perf_counter()
        grading.grade(kit, exercise, part, terms)
        engine.append(time.perf_counter() - started)
        started = time.perf_counter()
        for _ in range(plays):
            subprocess.run([sys.executable, "-I", "-c", "pass"], check=True)
        floor.append(time.perf_counter() - started)
    beyond = [(e - f) * 1000 for e, f in zip(engine, floor, strict=True)]
    tier = sandbox.best()
    started = time.perf_counter()
    for _ in range(runs):
        sandbox.probe.__wrapped__()
    probe = (time.perf_counter() - started) / runs * 1000
    print(f"tier {tier.name}: {tier.why}; {runs} submissions of {plays} plays each, in turn with the floor")
    print(f"engine             {statistics.median(engine) * 1000:7.1f} ms a submission (median)")
    print(f"bare interpreters  {statistics.median(floor) * 1000:7.1f} ms for {plays} (median)")
    print(f"beyond             {statistics.median(beyond):7.1f} ms a submission (median), {max(beyond):.1f} at most")
    print(f"sandbox probe      {probe:7.1f} ms")


if __name__ == "__main__":
    main()
