"""pytest, the command and a regrade give the same verdict; a round trip leaves nothing out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from exercise_lint import TOYS, canonical

from graders.harness.kit import HOME

SAMPLES = TOYS / "tests/submissions"


def caredrill(*words: object, cwd: Path = HOME) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "graders.commands", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=clean_env())


def run_pytest(*words: object, cwd: Path = HOME) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "pytest", "-c", HOME / "pyproject.toml", f"--rootdir={HOME}", "-q"]
    command += ["-p", "no:cacheprovider", *words]
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, cwd=cwd, env=clean_env()
    )


def clean_env() -> dict[str, str]:
    """Without what an outer pytest-xdist tells its workers."""
    return {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "team.secret"
    path.write_bytes(os.urandom(32))
    return path


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("sample", "form"),
    [
        ("body_mass_index/good", "folder"),
        ("insulin_titration/bang_bang", "zip"),
        ("vitals_service/leaky_log", "wrapped zip"),
    ],
)
def test_pytest_grade_and_regrade_agree_byte_for_byte(tmp_path, secret, sample, form):
    path = SAMPLES / sample
    if form != "folder":
        path = tmp_path / f"{path.name}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted((SAMPLES / sample).rglob("*.py")):
                prefix = "someone/" if form == "wrapped zip" else ""
                archive.write(file, f"{prefix}{file.relative_to(SAMPLES / sample)}")
    results, report = tmp_path / "results", tmp_path / "cards.json"
    graded = caredrill("grade", path, "--kit", TOYS, "--out", results, "--secret-file", secret)
    assert graded.returncode == (0 if sample.endswith("good") else 1), graded.stderr
    run_pytest(TOYS / "graders", f"--submission={path}", f"--secret-file={secret}", f"--scorecard={report}")
    cards = json.loads(report.read_text())["scorecards"]
    exercise = sample.split("/")[0]
    stored = results / path.stem / exercise / "scorecard.json"
    before = stored.read_bytes()
    assert [canonical(card) for card in cards] == [before]
    stored.unlink()
    regraded = caredrill("regrade", results, "--kit", TOYS)
    assert regraded.returncode == 0, regraded.stderr
    assert stored.read_bytes() == before
    assert caredrill("regrade", results, "--verify", "--kit", TOYS).returncode == 0


@pytest.mark.sandbox
def test_regrade_notices_a_changed_outcome_and_a_changed_scorecard(tmp_path):
    caredrill("grade", SAMPLES / "body_mass_index/good", "--kit", TOYS, "--out", tmp_path)
    card = tmp_path / "good/body_mass_index/scorecard.json"
    card.write_text(card.read_text().replace('"score":"100.00"', '"score":"99.00"'))
    verified = caredrill("regrade", tmp_path, "--verify", "--kit", TOYS)
    assert verified.returncode == 1
    assert "differs" in verified.stdout
    output = tmp_path / "good/body_mass_index/files/1/bmi.csv"
    output.write_bytes(output.read_bytes() + b"x,1\n")
    verified = caredrill("regrade", tmp_path, "--kit", TOYS)
    assert verified.returncode == 3
    assert "was changed" in verified.stderr


@pytest.mark.sandbox
@pytest.mark.parametrize("damage", ["[" * 100_000, '{"settings":[1]}', "", "null"])
def test_one_damaged_outcome_does_not_keep_the_others_from_being_scored(tmp_path, damage):
    for sample in ("good", "wrong_units"):
        caredrill("grade", SAMPLES / "body_mass_index" / sample, "--kit", TOYS, "--out", tmp_path)
    (tmp_path / "good/body_mass_index/outcome.json").write_text(damage)
    for words in ([], ["--verify"]):
        done = caredrill("regrade", tmp_path, "--kit", TOYS, *words)
        assert done.returncode == 3
        assert "cannot be read" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
        assert "1 could not be read" in done.stdout


@pytest.mark.sandbox
def test_a_replay_says_what_differs(tmp_path):
    caredrill("grade", SAMPLES / "body_mass_index/wrong_units", "--kit", TOYS, "--out", tmp_path)
    path = tmp_path / "wrong_units/body_mass_index/scorecard.json"
    first = path.read_text()
    for old, new, says in (
        ('"earned":"20.00"', '"earned":"19.00"', "criterion the_row_count_is_returned"),
        ('"variant":"wrong_units"', '"variant":"x"', "variant"),
        ('"truth":"sha256:', '"truth":"sha256:0', "truth"),
        ('"submission":"sha256:', '"submission":"sha256:0', "submission"),
    ):
        assert old in first
        path.write_text(first.replace(old, new))
        done = caredrill("regrade", tmp_path, "--verify", "--kit", TOYS)
        assert done.returncode == 1
        assert f"differs in {says}" in done.stdout
    path.write_text(first.replace('"kit":"', '"kit":"older '))
    done = caredrill("regrade", tmp_path, "--verify", "--kit", TOYS)
    assert done.returncode == 0
    assert "1 of them were scored by another kit" in done.stdout


@pytest.mark.sandbox
def test_grading_again_replaces_a_result_without_leftovers(tmp_path):
    words = ["--kit", TOYS, "--out", tmp_path, "--variant", "x"]
    caredrill("grade", SAMPLES / "body_mass_index/good", *words)
    stray = tmp_path / ".truth/x/body_mass_index/stray.json"
    stray.write_text("{}")
    (tmp_path / "x/body_mass_index/files/1/stray.csv").write_text("old")
    caredrill("grade", SAMPLES / "body_mass_index/hostile_sys_exit", *words)
    assert not stray.exists()
    assert not list((tmp_path / "x/body_mass_index").glob("files/*/*"))
    assert caredrill("regrade", tmp_path, "--verify", "--kit", TOYS).returncode == 0


@pytest.mark.sandbox
def test_a_submission_with_a_conftest_and_a_pytest_ini_runs_neither(tmp_path):
    work = tmp_path / "work"
    shutil.copytree(SAMPLES / "body_mass_index/good", work)
    for name in ("conftest.py", "sitecustomize.py", "pandas.py"):
        (work / name).write_text(f"open({str(tmp_path / 'executed')!r}, 'w')\n")
    (work / "pytest.ini").write_text("[pytest]\naddopts = -p conftest\n")
    (work / "pandas.py").unlink()
    done = run_pytest(TOYS / "graders", f"--submission={work}", cwd=work)
    assert not (tmp_path / "executed").exists(), done.stdout
    assert "100.00 of 100" in done.stdout, done.stdout


@pytest.mark.sandbox
def test_without_a_secret_the_scorecard_says_practice(tmp_path):
    caredrill("grade", SAMPLES / "body_mass_index/good", "--kit", TOYS, "--out", tmp_path)
    card = json.loads((tmp_path / "good/body_mass_index/scorecard.json").read_text())
    assert card["seed"] == "practice"
    assert card["stamps"] == ["PRACTICE"]


def test_without_a_sandbox_only_the_explicit_way_past_grades_and_it_is_stamped(tmp_path, monkeypatch):
    from graders.commands import main
    from graders.harness import sandbox

    monkeypatch.setattr(sandbox, "probe", lambda: (None, ("bubblewrap is not installed",)))
    words = ["grade", str(SAMPLES / "body_mass_index/good_plain"), "--kit", str(TOYS), "--out", str(tmp_path)]
    assert main(words) == 3
    assert not (tmp_path / "good_plain").exists()
    assert main([*words, "--unsafe-no-sandbox"]) == 0
    card = json.loads((tmp_path / "good_plain/body_mass_index/scorecard.json").read_text())
    assert "UNSAFE" in card["stamps"]
    assert "UNSAFE" in (tmp_path / "good_plain/scorecard.html").read_text()


def test_truth_is_kept_where_only_its_owner_reads(tmp_path):
    caredrill("grade", SAMPLES / "body_mass_index/hostile_os_exit", "--kit", TOYS, "--out", tmp_path)
    assert (tmp_path / ".truth").stat().st_mode & 0o777 == 0o700
    for path in (tmp_path / ".truth").rglob("*.json"):
        assert path.stat().st_mode & 0o777 == 0o600


def test_pytest_without_a_submission_says_what_to_add():
    done = run_pytest(TOYS / "graders")
    assert done.returncode == 4
    assert "--submission=PATH" in done.stderr + done.stdout


@pytest.mark.parametrize(("gone", "says"), [("graders/test_body_mass_index.py", "no grader"),
                                            ("synthetic_data/recipes/body_mass_index.py", "no recipe")])  # fmt: skip
def test_an_exercise_without_its_other_half_names_the_file_to_add(tmp_path, gone, says):
    kit = tmp_path / "kit"
    shutil.copytree(TOYS, kit)
    (kit / gone).unlink()
    done = caredrill("grade", SAMPLES / "body_mass_index/good", "--kit", kit, "--out", tmp_path / "out")
    lines = (done.stderr or done.stdout).strip().splitlines()
    assert says in lines[0]
    assert f"add {gone}" in lines[0]
    assert len(lines) == 1
    assert done.returncode in (2, 3)


@pytest.mark.sandbox
def test_check_names_the_line_that_failed_and_keeps_to_practice(tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    (work / "body_mass_index.py").write_text("def body_mass_index(a, b, c):\n    return {}['weight']\n")
    done = caredrill("check", work, "--kit", TOYS)
    assert done.returncode == 1
    assert "raised KeyError at body_mass_index.py:2" in done.stdout
    assert "Traceback" in done.stdout  # its author's own code, on practice data
    assert "PRACTICE" in done.stdout


@pytest.mark.sandbox
def test_check_only_speaks_of_one_criterion():
    done = caredrill(
        "check", SAMPLES / "body_mass_index/wrong_units", "--kit", TOYS, "--only", "the_row_count_is_returned"
    )
    assert done.returncode == 0
    assert "every_index" not in done.stdout


def test_submit_packs_what_is_allowed_and_the_receipt_is_the_graded_hash(tmp_path):
    work = tmp_path / "work"
    shutil.copytree(SAMPLES / "body_mass_index/good", work)
    (work / "patients.csv").write_text("no data may leave\n")
    words = ["submit", work, "--kit", TOYS, "--leave-strays"]
    done = caredrill(*words)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / "work.zip") as archive:
        assert archive.namelist() == ["body_mass_index/body_mass_index.py"]
    caredrill("grade", tmp_path / "work.zip", "--kit", TOYS, "--out", tmp_path / "out")
    card = json.loads((tmp_path / "out/work/body_mass_index/scorecard.json").read_text())
    assert card["submission"] in done.stdout
    first = (tmp_path / "work.zip").read_bytes()
    caredrill(*words)
    assert (tmp_path / "work.zip").read_bytes() == first
