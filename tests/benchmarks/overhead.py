"""What the engine adds to a trivial call exercise, beside a bare interpreter in the same run.

Sandboxed pass: a sandbox is opened, a function that does nothing is called in it, the sandbox is closed. Engine:
intake, recipe, two plays and score of `body_mass_index` with one patient, in a running process (as for every submission
of a round). Floors: `python -c pass`, as many times as a submission is started. Printed: medians of runs in turn.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from graders.harness import grading, sandbox
from graders.harness.kit import HOME, Kit
from graders.harness.play import frame_of
from graders.harness.submission import Part
from synthetic_data.scene import Request

PASS = "def nothing():\n    pass\n"
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
    tier = sandbox.best()
    found: dict[str, list[float]] = {"bare": [], "sandboxed": [], "engine": [], "probe": []}
    with tempfile.TemporaryDirectory(prefix="caredrill-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "nothing.py").write_text(PASS)
        for _ in range(runs):
            for what, action in (
                ("bare", lambda: subprocess.run([sys.executable, "-I", "-c", "pass"], check=True)),
                ("sandboxed", lambda: sandboxed_pass(tier, folder)),
                ("engine", lambda: grading.grade(kit, exercise, part, terms)),
                ("probe", sandbox.probe.__wrapped__),
            ):
                started = time.perf_counter()
                action()
                found[what].append((time.perf_counter() - started) * 1000)
    bare, sandboxed, engine, probe = (statistics.median(found[w]) for w in ("bare", "sandboxed", "engine", "probe"))
    print(f"tier {tier.name}: {tier.why}; medians of {runs} in turn")
    print(f"python -c pass     {bare:7.1f} ms")
    print(f"sandboxed pass     {sandboxed:7.1f} ms, {sandboxed - bare:.1f} ms more")
    print(f"engine             {engine:7.1f} ms for 2 plays, {engine - 2 * bare:.1f} ms more than 2 bare ones")
    print(f"sandbox probe      {probe:7.1f} ms")


def sandboxed_pass(tier: sandbox.Tier, folder: Path) -> None:
    """Open, call, close."""
    program = sandbox.Program("call", "nothing.py", "nothing", [])
    with sandbox.open_pipe(tier, sandbox.Mounts(folder), sandbox.Limits(), program) as pipe:
        reply, _ = pipe.ask(frame_of(Request("call", "nothing")), {})
        assert reply["status"] == "ok", reply


if __name__ == "__main__":
    main()
