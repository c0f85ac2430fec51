"""Broken input ends in one clear line, the right status and the right exit code; nothing is lost, no traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from exercise_lint import TOYS

from graders.harness import sandbox
from graders.harness.kit import HOME

pytestmark = pytest.mark.sandbox
ENTRY = "body_mass_index.py"


def grade(path: Path, out: Path, *more: object, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [*prefix, sys.executable, "-m", "graders.commands", "grade", str(path), "--out", str(out)]
    command += ["--exercise", "body_mass_index", "--small", "--kit", str(TOYS), *map(str, more)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=HOME)


def code(body: str):
    def make(folder: Path) -> Path:
        work = folder / "work"
        work.mkdir()
        (work / ENTRY).write_text(f"def body_mass_index(in_dir, out_dir, factor):\n    {body}\n")
        return work

    return make


def source(text: str):
    def make(folder: Path) -> Path:
        work = folder / "work"
        work.mkdir()
        (work / ENTRY).write_text(text)
        return work

    return make


def empty_zip(folder: Path) -> Path:
    path = folder / "work.zip"
    zipfile.ZipFile(path, "w").close()
    return path


def broken_zip(folder: Path) -> Path:
    path = folder / "work.zip"
    path.write_bytes(b"PK\x03\x04 and then nothing of use")
    return path


def no_entry(folder: Path) -> Path:
    (folder / "work/body_mass_index").mkdir(parents=True)
    (folder / "work/body_mass_index/solution.py").write_text("pass\n")
    return folder / "work"


def deep_zip(folder: Path) -> Path:
    path = folder / "work.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/" * 500 + ENTRY, "pass\n")
    return path


def zip_bomb(folder: Path) -> Path:
    path = folder / "work.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(ENTRY, b"#" * 400_000_000)
    return path


def climbing_zip(folder: Path) -> Path:
    path = folder / "work.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(ENTRY, "pass\n")
        archive.writestr("../../climbed.py", "pass\n")
    return path


def linked(folder: Path) -> Path:
    work = folder / "work"
    work.mkdir()
    (work / ENTRY).symlink_to("/etc/passwd")
    return work


# name: (how it is made, status, a part of the reason)
SUBMISSIONS = {
    "empty zip": (empty_zip, "not_submitted", "holds no body_mass_index/body_mass_index.py"),
    "broken zip": (broken_zip, "blocked", "not a readable zip"),
    "no entry": (no_entry, "not_submitted", "holds no body_mass_index.py"),
    "deep zip": (deep_zip, "blocked", "nested more than 12 deep"),
    "zip bomb": (zip_bomb, "blocked", "times its packed size"),
    "path that climbs": (climbing_zip, "blocked", "leaves its folder"),
    "linked entry": (linked, "blocked", "is a link"),
    "syntax error": (source("def body_mass_index(:\n"), "blocked", "raised SyntaxError at body_mass_index.py:1"),
    "import error": (
        source("import nothing_like_it\n"),
        "blocked",
        "raised ModuleNotFoundError at body_mass_index.py:1",
    ),
    "no function": (source("x = 1\n"), "blocked", "raised AttributeError"),
    "hang": (code("while True: pass"), "blocked", "ran past its limit of 2"),
    "exception": (
        code("raise ValueError(str(open(in_dir / 'patients.csv').read()))"),
        "blocked",
        "raised ValueError at",
    ),
    "2 GB output": (code("open(out_dir / 'bmi.csv', 'wb').write(b'x' * 2**31)"), "blocked", "more than"),
    "2 GB sparse output": (code("open(out_dir / 'bmi.csv', 'wb').truncate(2**31)"), "blocked", "wrote more than 5 MB"),
    "many outputs": (
        code("[(out_dir / f'{n}.csv').write_text('x') for n in range(50)]"),
        "blocked",
        "more than 5 files",
    ),
    "wrong return": (code("return object()"), "graded", ""),
    "missing output": (code("return 20"), "graded", "bmi.csv is missing"),
    "garbage output": (
        code("(out_dir / 'bmi.csv').write_bytes(bytes(range(256)))"),
        "graded",
        "bmi.csv is not UTF-8 text",
    ),
}


@pytest.mark.parametrize("kind", SUBMISSIONS)
def test_a_broken_submission_gets_one_clear_line_and_exit_code_1(tmp_path, kind, request):
    make, status, reason = SUBMISSIONS[kind]
    folder = tmp_path / "in"
    folder.mkdir()
    path, kit = make(folder), TOYS
    if kind == "hang":
        kit = with_wall_limit(tmp_path, 2)
    done = grade(path, tmp_path / "out", "--kit", kit)
    assert done.returncode == 1, done.stderr
    assert not done.stderr
    assert "Traceback" not in done.stdout
    card = json.loads((tmp_path / "out/work/body_mass_index/scorecard.json").read_text())
    assert card["status"] == status
    assert float(card["score"]) <= 20
    assert reason in (card["reason"] or card["criteria"][0]["message"])
    assert "\n" not in card["reason"]
    # The exception of the submission holds its input; nothing of it may reach the scorecard.
    assert "P0" not in json.dumps(card)


def with_wall_limit(tmp_path: Path, seconds: int) -> Path:
    """The toys with a shorter limit: a hang need not take 20 s of every test run."""
    import shutil

    kit = tmp_path / "kit"
    shutil.copytree(TOYS, kit)
    manifest = kit / "exercises/body_mass_index/exercise.toml"
    manifest.write_text(manifest.read_text().replace("wall_s = 20", f"wall_s = {seconds}"))
    return kit


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--secret-file", "/nonexistent/secret"], "cannot be read"),
        (["--exercise", "no_such_exercise"], "unknown exercise"),
        (["--frobnicate"], "unrecognized arguments"),
        (["--variant", "../../etc"], "an identity"),
        (["--card", "/nonexistent/card.toml"], "cannot be read"),
        (["--kit", "/nonexistent"], "holds no exercises"),
    ],
)
def test_wrong_use_gets_one_clear_line_and_exit_code_2(tmp_path, words, says):
    done = grade(TOYS / "tests/submissions/body_mass_index/good", tmp_path / "out", *words)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert says in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_short_secret_is_refused(tmp_path):
    (tmp_path / "secret").write_text("short")
    done = grade(
        TOYS / "tests/submissions/body_mass_index/good", tmp_path / "out", "--secret-file", tmp_path / "secret"
    )
    assert done.returncode == 2
    assert "at least 16" in done.stderr


def test_a_path_that_does_not_exist_is_wrong_use(tmp_path):
    done = grade(tmp_path / "nowhere", tmp_path / "out")
    assert done.returncode == 2
    assert "no such file" in done.stderr


def test_a_full_disk_is_an_infrastructure_error_and_not_a_score(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    # A results folder of 16 KB, in a mount namespace of its own.
    bwrap = sandbox.best().bwrap
    small = (bwrap, "--dev-bind", "/", "/", "--size", "16384", "--tmpfs", str(out))
    done = grade(TOYS / "tests/submissions/body_mass_index/good", out, prefix=small)
    assert done.returncode == 3, done.stdout + done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "No space left" in done.stderr


def sandboxes_of(pid: int) -> list[int]:
    """Processes below `pid` that run inside.py."""
    found, waiting = [], [pid]
    while waiting:
        for task in Path("/proc").glob(f"{waiting.pop()}/task/*/children"):
            try:
                children = [int(word) for word in task.read_text().split()]
            except OSError:
                continue
            waiting += children
            for child in children:
                try:
                    if b"inside.py" in Path(f"/proc/{child}/cmdline").read_bytes():
                        found.append(child)
                except OSError:
                    continue
    return found


@pytest.mark.parametrize("kills", [1, 99])
def test_a_killed_worker_is_retried_once_and_then_no_score(tmp_path, kills):
    work = code("import time; time.sleep(1.5); (out_dir / 'bmi.csv').write_text('patient_id,bmi'); return 20")(tmp_path)
    command = [sys.executable, "-m", "graders.commands", "grade", str(work), "--out", str(tmp_path / "out")]
    process = subprocess.Popen(
        [*command, "--exercise", "body_mass_index", "--small", "--kit", str(TOYS)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=HOME,
    )  # fmt: skip
    done = 0
    while process.poll() is None:
        if done < kills and (found := sandboxes_of(process.pid)):
            time.sleep(0.3)  # let it get into the step
            for pid in found:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            done += 1
        time.sleep(0.02)
    card = json.loads((tmp_path / "out/work/body_mass_index/scorecard.json").read_text())
    process.communicate()
    if kills == 1:
        assert (process.returncode, card["status"], card["score"]) == (1, "graded", "20.00")
    else:
        assert (process.returncode, card["status"], card["score"]) == (3, "infra_error", None)
        assert "the sandbox ended" in card["reason"]
        assert {c["verdict"] for c in card["criteria"]} == {"not scored"}
