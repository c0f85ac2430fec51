"""Many submissions at once: each gets the verdict it gets alone, whatever dies meanwhile."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys

import interrupted_round
import pytest
from exercise_lint import TOYS

from graders.harness.kit import HOME
from graders.round import rounds
from graders.round.workers import each


def grade(place, out, *more):
    words = ["grade", place, "--out", out, "--kit", TOYS, "--small", "--workers", 2, *more]
    command = [sys.executable, "-m", "graders.commands", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=HOME)


@pytest.fixture
def place(tmp_path):
    return interrupted_round.make(tmp_path / "round", 6)


@pytest.mark.sandbox
def test_killed_workers_and_a_killed_run_change_no_scorecard(tmp_path):
    place = interrupted_round.make(tmp_path / "round", 10)
    assert grade(place, tmp_path / "calm").returncode == 0
    interrupted_round.disturb(place, tmp_path / "out", 3, 1.0, random.Random(5))
    calm = interrupted_round.scorecards(tmp_path / "calm")
    assert len(calm) == 3 * 10
    assert interrupted_round.scorecards(tmp_path / "out") == calm
    assert interrupted_round.strays(tmp_path / "out") == []


@pytest.mark.sandbox
def test_a_submission_gets_the_scorecard_that_it_gets_alone(tmp_path, place):
    assert grade(place, tmp_path / "many").returncode == 0
    for path in sorted((place / "submissions").iterdir())[:2]:
        grade(path, tmp_path / "alone")
    alone = interrupted_round.scorecards(tmp_path / "alone")
    assert alone
    many = interrupted_round.scorecards(tmp_path / "many")
    assert {name: many[name] for name in alone} == alone


@pytest.mark.sandbox
def test_what_is_finished_is_kept_and_what_changed_is_graded_again(tmp_path, place):
    out = tmp_path / "out"
    grade(place, out)
    first = {p: p.stat().st_mtime_ns for p in out.glob("*/*/scorecard.json")}
    shutil.rmtree(place / "submissions/c001")
    shutil.copytree(interrupted_round.SAMPLES / "body_mass_index/wrong_units", place / "submissions/c001")
    (out / "c002/body_mass_index/outcome.json").write_text("{}")
    done = grade(place, out)
    assert done.returncode == 0
    changed = {p.parent.parent.name for p, time in first.items() if p.stat().st_mtime_ns != time}
    assert changed == {"c001", "c002"}
    assert float(json.loads((out / "c001/body_mass_index/scorecard.json").read_text())["score"]) < 50


@pytest.mark.sandbox
def test_results_of_another_secret_are_not_mixed(tmp_path, place):
    grade(place, tmp_path / "out")
    (tmp_path / "secret").write_text("a secret of this test, long enough")
    done = grade(place, tmp_path / "out", "--secret-file", tmp_path / "secret")
    assert done.returncode == 2
    assert "made without a secret" in done.stderr
    alone = grade(place / "submissions/c001", tmp_path / "out", "--secret-file", tmp_path / "secret")
    assert (alone.returncode, "made without a secret" in alone.stderr) == (2, True)
    assert len(done.stderr.strip().splitlines()) == 1


def nothing(place):
    shutil.rmtree(place / "submissions")
    (place / "submissions").mkdir()


def twice(place):
    shutil.copytree(place / "submissions/c001", place / "submissions/c003")


def odd_name(place):
    (place / "submissions/c001").rename(place / "submissions/c\n1; rm -rf")


@pytest.mark.parametrize(
    ("change", "words", "says"),
    [
        (nothing, [], "holds no submission"),
        (twice, [], "of one identity"),
        (odd_name, [], "an identity is made of"),
        (None, ["--workers", 0], "at least 1"),
        (None, ["--variant", "x"], "in a round"),
        (None, ["--exercise", "no_such"], "unknown exercise"),
    ],
)
def test_wrong_use_gets_one_clear_line_and_exit_code_2(tmp_path, place, change, words, says):
    if change:
        change(place)
    done = grade(place, tmp_path / "out", *words)
    assert done.returncode == 2, done.stdout + done.stderr
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_receipt_beside_a_zip_is_no_submission(tmp_path):
    (tmp_path / "c01.zip").write_bytes(b"")
    (tmp_path / "c01.receipt.txt").write_text("sha256:…")
    assert list(rounds.identities(tmp_path)) == ["c01"]


def die_or_double(number: int) -> int:
    import os
    import signal

    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 5:
        raise ValueError("five")
    return 2 * number


def test_a_task_that_kills_its_worker_twice_is_given_up_and_the_others_are_done():
    done = {d.task: d for d in each(die_or_double, range(8), 2)}
    assert {task: d.result for task, d in done.items()} == {n: None if n in (3, 5) else 2 * n for n in range(8)}
    assert done[3].error is None
    assert isinstance(done[5].error, ValueError)


def test_a_worker_ends_when_its_run_is_killed_while_it_starts(tmp_path):
    script = tmp_path / "run.py"
    script.write_text(
        "import os, signal\n"
        "from graders.round.workers import new_executor\n"
        "if __name__ == '__main__':\n"
        "    new_executor().submit(os.getpid)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    # Whoever is left holds the pipe of its output open, and communicate() would wait for it.
    command = [sys.executable, str(script)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=100, env={"PYTHONPATH": str(HOME)})
    assert done.returncode == -signal.SIGKILL
