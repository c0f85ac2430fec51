"""One trivial task graded by this kit, by `nbgrader autograde` and by `otter run`, in turn, in one run.

The task is `double(x)`, with one graded question. Every second submission is wrong, and every score is checked. Each
tool gets notebooks of its own making, handed in with the same cell. This kit plays the code in its sandbox; the others
run it with the user's own rights, nbgrader in one process for all submissions, otter in one for each.

nbgrader is the one of this environment (the extra `course`); otter-grader has an environment of its own, which
`make bench` makes: it cannot be installed beside the versions pinned for this kit, which hold a newer wrapt.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

from graders.harness import grading, sandbox, submission
from graders.harness.kit import HOME, Kit

NAME = "double"
RIGHT, WRONG = "def double(x):\n    return 2 * x", "def double(x):\n    return 3 * x"
TEST = "assert double(21) == 42"
BRIEF = "Write `double(x)`, which returns twice x."

MANIFEST = """
schema = 1
title = "Double"
minutes = 1
skills = ["numbers"]

[submit]
entry = "double.py"
allow = ["**/*.py"]
max_files = 5
max_mb = 1

[run]
kind = "call"
target = "double"
packages = []
limits = { wall_s = 20, cpu_s = 20, mem_mb = 500, procs = 32, out_mb = 1, out_files = 1 }
outputs = []

[data]
practice_seed = "11b1d6a40f1c2f1b2a0f4f9cc61a5f6f0cbe0bd1d9f1d27f5a9f3c55a1b0c401"
settings = {}
ci_settings = {}
"""
RECIPE = """
from dataclasses import dataclass

from synthetic_data.scene import Request


@dataclass(frozen=True)
class Scene:
    public = {}
    truth = {}

    def steps(self):
        yield Request("call", "double", (21,))
        return {}


def draw_card(seed):
    return {}


def scene(seed, settings, card):
    return Scene()


def read_truth(files):
    return None
"""
RUBRIC = """
from graders.harness.criterion import criterion


@criterion(points=100, skill="numbers")
def test_double(outcome, truth):
    \"\"\"Twice 21 is 42.\"\"\"
    assert outcome.replies[-1].value == 42, "twice 21 is not 42"
"""
# In otter's environment: what its API takes for each submission once it is loaded.
IN_PROCESS = """
import json, sys, time
from otter.api import grade_submission
times = []
for path in sys.argv[2:]:
    started = time.perf_counter()
    grade_submission(path, sys.argv[1], quiet=True)
    times.append(time.perf_counter() - started)
print(json.dumps(times))
"""


def run(words: list[str], folder: Path, env: dict[str, str] | None = None, fine: tuple[int, ...] = (0,)) -> str:
    """Run a command in a folder; what it printed."""
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)
    if done.returncode not in fine:
        sys.exit(f"{' '.join(words[:4])} ended with {done.returncode}: {done.stderr[-800:]}")
    return done.stdout


def seconds(*words: object, **named: object) -> float:
    """How long `run` takes."""
    started = time.perf_counter()
    run(*words, **named)
    return time.perf_counter() - started


def write(path: Path, text: str) -> Path:
    """A file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def notebook(cells: list[tuple[str, str, dict[str, object]]]) -> str:
    """A notebook of cells: kind, text, metadata."""
    made = []
    for number, (kind, text, marks) in enumerate(cells):
        code = {"execution_count": None, "outputs": []} if kind == "code" else {}
        made.append({"cell_type": kind, "id": f"c{number}", "metadata": marks, "source": text, **code})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return json.dumps({"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5})


def expected(number: int) -> int:
    """The score of a submission: every second one is wrong."""
    return 1 - number % 2


def answer(number: int) -> str:
    """The cell that a student hands in."""
    return RIGHT if expected(number) else WRONG


class Caredrill:
    """A kit of one exercise, and submissions as notebooks."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        write(folder / f"kit/exercises/{NAME}/exercise.toml", MANIFEST)
        write(folder / f"kit/synthetic_data/recipes/{NAME}.py", RECIPE)
        write(folder / f"kit/graders/test_{NAME}.py", RUBRIC)
        self.secret = write(folder / "bench.secret", "a secret for the benchmark")
        self.kit = Kit(folder / "kit")
        self.paths = [
            write(folder / f"s{n}/{NAME}.ipynb", notebook([("code", answer(n), {"caredrill": {"file": f"{NAME}.py"}})]))
            for n in range(count)
        ]
        self.grade(0)  # imports and the sandbox's probe, once per process

    def grade(self, number: int) -> float:
        """From the notebook to the stored scorecard, in this process, as for every submission of a round."""
        started = time.perf_counter()
        parts = submission.read(self.paths[number], self.kit.exercises())
        terms = grading.Terms(f"s{number}", b"a secret for the benchmark")
        graded = grading.grade(self.kit, self.kit.exercise(NAME), parts[NAME], terms)
        grading.store(graded, self.folder / "results", terms.variant)
        passed = time.perf_counter() - started
        check("caredrill", number, float(graded.scorecard.score or 0) / 100)
        return passed

    def command(self, number: int) -> float:
        """The command `caredrill grade` as a process, its page and its table included."""
        words = [sys.executable, "-m", "graders.commands", "grade", str(self.paths[number]), "--kit", "kit"]
        words += ["--secret-file", str(self.secret), "--variant", f"s{number}", "--out", "by_command"]
        # 1: a criterion was not met.
        passed = seconds(words, self.folder, fine=(0, 1))
        card = json.loads((self.folder / f"by_command/s{number}/{NAME}/scorecard.json").read_text())
        check("caredrill grade", number, float(card["score"]) / 100)
        return passed


class Nbgrader:
    """A course of one assignment."""

    def __init__(self, folder: Path, count: int, env: dict[str, str]) -> None:
        self.folder, self.count, self.env = folder, count, env
        write(folder / "nbgrader_config.py", 'c = get_config()\nc.CourseDirectory.course_id = "bench"\n')
        solution = RIGHT.replace("    return", "    ### BEGIN SOLUTION\n    return") + "\n    ### END SOLUTION"
        cells = [
            ("markdown", BRIEF, {}),
            ("code", solution, self.marks("answer", 0)),
            ("code", TEST, self.marks("q1", 1)),
        ]
        write(folder / f"source/{NAME}/{NAME}.ipynb", notebook(cells))
        run([sys.executable, "-m", "nbgrader", "generate_assignment", NAME], folder, env)
        released = json.loads((folder / f"release/{NAME}/{NAME}.ipynb").read_text("utf-8"))
        for n in range(count):
            for cell in released["cells"]:
                if cell["metadata"].get("nbgrader", {}).get("solution"):
                    cell["source"] = answer(n)
            write(folder / f"submitted/s{n}/{NAME}/{NAME}.ipynb", json.dumps(released))

    def marks(self, name: str, points: int) -> dict[str, object]:
        """A cell's metadata: graded when it has points, else the student's."""
        found = {"schema_version": 3, "grade": bool(points), "solution": not points, "locked": bool(points)}
        return {"nbgrader": {**found, "task": False, "grade_id": name, **({"points": points} if points else {})}}

    def after_the_first(self) -> list[float]:
        """How long each submission but the first took in the last command, from the times of what it wrote."""
        written = sorted(path.stat().st_mtime for path in self.folder.glob(f"autograded/*/{NAME}/{NAME}.ipynb"))
        return [later - earlier for earlier, later in itertools.pairwise(written)]

    def autograde(self, *more: str) -> float:
        """One `nbgrader autograde`, of all submissions or as `more` says."""
        words = [sys.executable, "-m", "nbgrader", "autograde", NAME, "--force", *more]
        passed = seconds(words, self.folder, self.env)
        from nbgrader.api import Gradebook

        with Gradebook(f"sqlite:///{self.folder / 'gradebook.db'}") as book:
            for n in range(1 if more else self.count):
                check("nbgrader autograde", n, book.find_submission(NAME, f"s{n}").score)
        return passed


class Otter:
    """An assignment made by `otter assign`, graded by `otter run`."""

    def __init__(self, folder: Path, count: int, env: dict[str, str], bin_folder: Path) -> None:
        self.folder, self.env, self.bin = folder, env, bin_folder
        cells = [("raw", "# ASSIGNMENT CONFIG\nexport_cell: false\ncheck_all_cell: false\n", {})]
        cells += [("raw", "# BEGIN QUESTION\nname: q1\npoints: 1", {}), ("markdown", BRIEF, {})]
        cells += [("raw", "# BEGIN SOLUTION", {}), ("code", RIGHT + "  # SOLUTION", {}), ("raw", "# END SOLUTION", {})]
        cells += [("raw", "# BEGIN TESTS", {}), ("code", TEST, {}), ("raw", "# END TESTS", {})]
        write(folder / f"{NAME}.ipynb", notebook([*cells, ("raw", "# END QUESTION", {})]))
        run([str(bin_folder / "otter"), "assign", f"{NAME}.ipynb", "dist", "--no-pdfs"], folder, env)
        self.zip = str(next((folder / "dist/autograder").glob("*.zip")))
        handed_out = json.loads((folder / f"dist/student/{NAME}.ipynb").read_text("utf-8"))
        self.paths = []
        for n in range(count):
            for cell in handed_out["cells"]:
                if "otter_answer_cell" in cell["metadata"].get("tags", []):
                    cell["source"] = answer(n)
            self.paths.append(write(folder / f"s{n}/{NAME}.ipynb", json.dumps(handed_out)))

    def run(self, number: int) -> float:
        """One `otter run`."""
        words = [str(self.bin / "otter"), "run", "-a", self.zip, "--no-logo", "-o", f"s{number}"]
        passed = seconds([*words, str(self.paths[number])], self.folder, self.env)
        results = json.loads((self.folder / f"s{number}/results.json").read_text())
        check("otter run", number, sum(test.get("score", 0) for test in results["tests"]))
        return passed

    def in_process(self) -> list[float]:
        """Its API on every submission in one process, without the first, which loads more."""
        words = [str(self.bin / "python"), "-c", IN_PROCESS, self.zip, *map(str, self.paths)]
        return json.loads(run(words, self.folder, self.env).splitlines()[-1])[1:]


def check(tool: str, number: int, score: float) -> None:
    """A tool that does not grade is not measured."""
    if score != expected(number):
        sys.exit(f"{tool} gave submission {number} a score of {score}, not {expected(number)}")


def environment(folder: Path, bin_folder: Path) -> dict[str, str]:
    """A peer's environment: its own programs first, and no settings of the user's."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "JUPYTER", "IPYTHON"))}
    kept |= {"PATH": f"{bin_folder}{os.pathsep}{kept['PATH']}"}
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR"):
        kept[name] = str(folder / name.lower())
    return kept


def main() -> None:
    """Print one line per figure, then how many times as fast."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", type=Path, default=HOME / ".venv/peers", help="the environment of otter-grader")
    args = parser.parse_args()
    try:
        version = metadata.version("nbgrader")
    except metadata.PackageNotFoundError:
        sys.exit('nbgrader is not installed: run  make bench  or  pip install -c constraints.txt -e ".[course]"')
    otters = args.peers.absolute() / "bin"
    if not (otters / "otter").is_file():
        sys.exit(f"otter-grader is not installed in {args.peers}: run  make bench  which does so")
    with tempfile.TemporaryDirectory(prefix="caredrill-bench-") as name:
        measure(Path(name), args.submissions, args.rounds, version, otters)


def measure(folder: Path, count: int, rounds: int, nbgrader_version: str, otters: Path) -> None:
    """All in turn: a submission by one tool, the same by the next."""
    for part in ("caredrill", "nbgrader", "otter"):
        (folder / part).mkdir()
    ours = Caredrill(folder / "caredrill", count)
    course = Nbgrader(folder / "nbgrader", count, environment(folder / "nbgrader", Path(sys.executable).parent))
    otter = Otter(folder / "otter", count, environment(folder / "otter", otters), otters)
    words = [str(otters / "python"), "-c", "import importlib.metadata as m; print(m.version('otter-grader'))"]
    otter_version = run(words, folder, otter.env).strip()
    running, command, batch, further, alone, single, loaded = [], [], [], [], [], [], []
    for _ in range(rounds):
        for number in range(count):
            running.append(ours.grade(number))
            command.append(ours.command(number))
            single.append(otter.run(number))
        batch.append(course.autograde() / count)
        further += course.after_the_first()
        alone.append(course.autograde("--student", "s0"))
        loaded += otter.in_process()
        shutil.rmtree(folder / "caredrill/results")
    tier = sandbox.best()
    cores = len(os.sched_getaffinity(0))
    print(f"Python {platform.python_version()}, {cores} cores; {rounds} rounds of {count} submissions, in turn")
    print(f"caredrill in tier {tier.name} ({tier.why})")
    print(f"nbgrader {nbgrader_version} and otter-grader {otter_version}, without a sandbox")
    print("seconds a submission                                         minimum   median")
    show("caredrill, in a running process", running)
    show("caredrill grade, a command for each", command)
    show("nbgrader autograde, a command for one", alone)
    show(f"nbgrader autograde, one command for {count}, a share of it", batch)
    show("nbgrader autograde, each after the first in there", further)
    show("otter run, a command for each", single)
    show("otter.api.grade_submission, in a running process", loaded)
    print("times as fast, caredrill in a running process (medians)")
    for name, peer, wanted in (
        ("nbgrader autograde, share of a command", batch, "10 wanted"),
        ("nbgrader autograde, each after the first in there", further, ""),
        ("otter run", single, "20 wanted"),
        ("otter.api.grade_submission, in a running process", loaded, ""),
    ):
        print(f"  {name:<57}{ratio(peer, running):8.1f}  {wanted}".rstrip())
    print("times as fast, caredrill grade as a command (medians)")
    print(f"  {'nbgrader autograde, a command for one':<57}{ratio(alone, command):8.1f}")
    print(f"  {'otter run':<57}{ratio(single, command):8.1f}")


def show(name: str, times: list[float]) -> None:
    """One line."""
    print(f"  {name:<57}{min(times):8.3f} {statistics.median(times):8.3f}")


def ratio(peer: list[float], ours: list[float]) -> float:
    """Of the medians."""
    return statistics.median(peer) / statistics.median(ours)


if __name__ == "__main__":
    main()
