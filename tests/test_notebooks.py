"""Exercises as nbgrader notebooks: what is released, and that a notebook is graded like a folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from exercise_lint import TOYS

from graders.harness import grading, submission
from graders.harness.kit import HOME, Kit
from graders.report import notebook

KIT = Kit()


@pytest.mark.parametrize("name", KIT.names())
def test_a_notebook_is_valid_and_its_points_are_the_rubrics(name):
    book = nbformat.read(KIT.exercise(name).folder / f"{name}.ipynb", as_version=4)
    nbformat.validate(book)
    points = {c.metadata["nbgrader"]["grade_id"]: c.metadata["nbgrader"].get("points") for c in book.cells
              if c.metadata.get("nbgrader", {}).get("grade")}  # fmt: skip
    assert points == {notebook.slug(f"grade-{c.id}"): c.points for c in KIT.criteria(name)}


@pytest.fixture(scope="module")
def released(tmp_path_factory) -> Path:
    """What `nbgrader generate_assignment` makes of every exercise, in a copy of the kit's source folder."""
    course = tmp_path_factory.mktemp("course")
    shutil.copytree(HOME / "exercises", course / "exercises", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(HOME / "nbgrader_config.py", course)
    # nbgrader calls its database tool by name, so the environment's programs must be on PATH, as when it is active.
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for name in KIT.names():
        (course / "exercises" / name / "stray_solution.py").write_text("SECRET = 1\n")
        command = [sys.executable, "-m", "nbgrader", "generate_assignment", name]
        done = subprocess.run(command, cwd=course, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
    return course / "release"


@pytest.mark.parametrize("name", KIT.names())
def test_nbgrader_releases_the_notebook_what_its_brief_links_to_and_nothing_else(released, name):
    brief = (KIT.exercise(name).folder / "README.md").read_text("utf-8")
    given = sorted(p.relative_to(released / name).as_posix() for p in (released / name).rglob("*"))
    assert given == sorted([f"{name}.ipynb", *set(re.findall(r"\]\(([\w-]+\.md)\)", brief))])


@pytest.mark.parametrize("name", KIT.names())
def test_the_released_cells_hand_in_the_starter(released, name):
    exercise = KIT.exercise(name)
    files = submission.code_files((released / name / f"{name}.ipynb").read_bytes())
    for file, data in files.items():
        starter = (exercise.folder / "starter" / file).read_text()
        assert data.decode().startswith(starter.rstrip())
        compile(data, file, "exec")


@pytest.mark.sandbox
def test_a_notebook_is_graded_like_the_folder_it_stands_for(tmp_path):
    kit = Kit(TOYS)
    exercise = kit.exercise("body_mass_index")
    good = (TOYS / "tests/submissions/body_mass_index/good/body_mass_index.py").read_text()
    book = json.loads((exercise.folder / "body_mass_index.ipynb").read_text())
    for cell in book["cells"]:
        if cell["metadata"].get("caredrill"):
            cell["source"] = good
    path = tmp_path / "body_mass_index.ipynb"
    path.write_text(json.dumps(book))
    part = submission.read(path, [exercise])["body_mass_index"]
    named_after_a_candidate = path.with_name("c07.ipynb")
    named_after_a_candidate.write_text(json.dumps(book))
    assert submission.read(named_after_a_candidate, kit.exercises()) == {"body_mass_index": part}
    card = grading.grade(kit, exercise, part, grading.Terms("n", small=True)).scorecard
    assert str(card.score) == "100.00", card.reason


def test_a_notebook_without_the_entry_says_so(tmp_path):
    path = tmp_path / "body_mass_index.ipynb"
    path.write_text(json.dumps({"cells": [], "nbformat": 4}))
    part = submission.read(path, Kit(TOYS).exercises())["body_mass_index"]
    assert (part.status, part.fault) == ("blocked", "body_mass_index.ipynb holds no cell for body_mass_index.py")
