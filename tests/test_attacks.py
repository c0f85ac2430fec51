"""Every known way to cheat has its samples, and none of them runs a line in the process that grades it."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from exercise_lint import TOYS, expectations

from graders.harness.kit import HOME, Kit

CLASSES = tomllib.loads((HOME / "tests/attacks.toml").read_text("utf-8"))
SAMPLES = {
    (name, sample): expected
    for kit in (Kit(), Kit(TOYS))
    for name in kit.names()
    for sample, expected in expectations(kit, name).items()
}
HOSTILE = {key: expected for key, expected in SAMPLES.items() if key[1].startswith("hostile_")}
TOY_NAMES = Kit(TOYS).names()
# Ways that need the grader to run something of the submission.
RUNS_IN_THE_GRADER = {*range(1, 13), 14, 16, 21, 22, 25, 36, 42}
SCRIPT = HOME / "tests/audited_play.py"


def test_there_is_a_list_of_ways_to_cheat():
    assert list(CLASSES) == [str(number) for number in range(1, 46)]
    assert len(set(CLASSES.values())) == 45


def test_every_way_to_cheat_has_a_sample_and_every_hostile_sample_its_ways():
    meant = {sample: expected.get("attacks") for (_, sample), expected in HOSTILE.items()}
    assert [sample for sample, numbers in meant.items() if not numbers] == []
    numbers = {number for found in meant.values() for number in found}
    assert numbers == set(range(1, 46))
    assert len(HOSTILE) >= 80


def test_no_honest_sample_counts_as_an_attack():
    assert [key for key, expected in SAMPLES.items() if key not in HOSTILE and "attacks" in expected] == []


def test_an_exact_score_is_expected_of_every_hostile_toy():
    toys = [(sample, expected["score"]) for (name, sample), expected in HOSTILE.items() if name in TOY_NAMES]
    inexact = [sample for sample, (low, high) in toys if low != high]
    assert inexact == []


def audited(tmp_path: Path, *words: object) -> dict[str, object]:
    """What audited_play.py says. From an empty folder, with the interpreter's search path as the command has it."""
    (tmp_path / "cwd").mkdir()
    done = subprocess.run(
        [sys.executable, "-P", str(SCRIPT), *map(str, words)],
        capture_output=True, text=True, check=False, cwd=tmp_path / "cwd",
        env={**os.environ, "PYTHONPATH": f"{HOME / 'tests'}{os.pathsep}{HOME}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert list((tmp_path / "cwd").iterdir()) == []
    return json.loads(done.stdout)


@pytest.mark.sandbox
def test_no_code_of_a_submission_runs_in_the_process_that_grades_it(tmp_path):
    wanted = [
        f"{name}/{sample}"
        for (name, sample), expected in HOSTILE.items()
        if name in TOY_NAMES and RUNS_IN_THE_GRADER & set(expected["attacks"]) and "wall_s" not in expected
    ]
    assert len(wanted) > 20
    tmp_path.chmod(0o755)
    assert audited(tmp_path, tmp_path / "results", *wanted) == {"seen": [], "canary": False}
    written = {path.name for path in (tmp_path / "results").rglob("*caredrill_canary*")}
    assert written == set()


class Harmless:
    def __reduce__(self):
        return (os.getpid, ())


def test_the_audit_sees_code_of_a_submission_when_it_does_run(tmp_path):
    folder = tmp_path / "harmless"
    folder.mkdir()
    (folder / "conftest.py").write_text("import builtins\nbuiltins.caredrill_canary = 'control'\n")
    (folder / "solution.py").write_text("open('/dev/null').close()\nanswer = 1\n")
    (folder / "model.pkl").write_bytes(pickle.dumps(Harmless()))
    said = audited(tmp_path, "--control", folder)
    assert said["canary"]
    events = [line.split()[0] for line in said["seen"]]
    assert {"import", "exec", "compile", "pickle.find_class"} <= set(events)
    # Both files were executed, and the text of one was compiled by exec itself.
    assert events.count("exec") == 2
