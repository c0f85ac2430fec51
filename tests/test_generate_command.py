"""`caredrill generate`: an option that cannot be followed is refused, none is passed over in silence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from exercise_lint import TOYS

from graders.harness.kit import HOME


def generate(out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "graders.commands", "generate", "--out", str(out), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=HOME)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--exercise", "subgroup_evaluation", "--seed", "3"], "--seed does not go with --exercise"),
        (["--exercise", "subgroup_evaluation", "--formats", "csv"], "--formats does not go with --exercise"),
        (["--exercise", "vitals_service", "--kit", str(TOYS), "--patients", "3"], "has no number of patients"),
        (["--patients", "0"], "must be above 0"),
        (["--card", "card.toml"], "--card goes with --exercise"),
        (["--formats", "xls"], "unknown format xls"),
    ],
)
def test_options_that_cannot_be_followed_are_refused_in_one_line(tmp_path, options, message):
    done = generate(tmp_path / "out", *options)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_practice_data_of_fewer_patients_can_be_made(tmp_path):
    done = generate(tmp_path / "out", "--exercise", "subgroup_evaluation", "--patients", "300")
    assert done.returncode == 0
    rows = (tmp_path / "out/scores.csv").read_text().splitlines()[1:]
    assert len({row.split(",")[1] for row in rows}) == 300
