"""Blueprints of roles: sound, within an evening, and what a round makes of them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from decimal import Decimal

import interrupted_round
import pytest
from exercise_lint import TOYS

from graders.harness.errors import ExerciseError, UsageError
from graders.harness.kit import HOME, Kit
from graders.report import roles as page
from graders.round import roles, rounds

KIT = Kit()


@pytest.mark.parametrize("name", roles.names(KIT))
def test_a_role_fits_an_evening_and_its_points_are_a_hundred(name):
    role = roles.load(KIT, name)
    assert role.minutes <= roles.MOST_MINUTES
    total = sum(share for _, shares in roles.coverage(KIT, role) for share in shares.values())
    assert total == pytest.approx(100)


def test_the_default_is_two_exercises_of_about_105_minutes():
    role = roles.load(KIT, "default")
    assert len(role.weights) == 2
    assert 100 <= role.minutes <= 110


def test_every_skill_of_an_exercise_is_one_that_its_criteria_see():
    for exercise in KIT.exercises():
        assert {c.skill for c in KIT.criteria(exercise.name)} <= set(exercise.skills)


def test_the_page_of_roles_is_current():
    assert (HOME / "docs/roles.md").read_text("utf-8") == page.page(KIT), "caredrill new-exercise NAME --refresh"


def test_the_weighted_score_needs_all_exercises():
    role = roles.load(KIT, "default")
    assert role.total({"deidentification": Decimal("80.00"), "subgroup_evaluation": Decimal("45.01")}) == Decimal(
        "62.50"
    )
    assert role.total({"deidentification": Decimal("80.00"), "subgroup_evaluation": None}) is None
    assert [role.place(Decimal(n)) for n in (49, 50, 75, 76)] == [
        "below the band", "in the band", "in the band", "above the band",
    ]  # fmt: skip


GOOD = 'title = "t"\nabout = "a"\nband = [40, 80]\n'
PART = '[[exercises]]\nname = "{}"\nweight = {}\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD + PART.format("body_mass_index", 90), "100 together"),
        (GOOD + PART.format("body_mass_index", 50) * 2, "named twice"),
        (GOOD.replace("40", "90") + PART.format("body_mass_index", 100), "band must be"),
        ("title = 1\n", "needs title"),
        ("title = \n", "needs title"),
    ],
)
def test_a_faulty_blueprint_is_named(tmp_path, text, says):
    shutil.copytree(TOYS, tmp_path / "kit")
    (tmp_path / "kit/graders/roles/faulty.toml").write_text(text)
    with pytest.raises(ExerciseError, match=says):
        roles.load(Kit(tmp_path / "kit"), "faulty")


def test_an_unknown_role_lists_those_of_the_kit():
    with pytest.raises(UsageError, match="choose from clinical_nlp, data_engineering, default"):
        roles.load(KIT, "astronaut")
    assert roles.names(Kit(TOYS)) == ["toys"]


def make(folder, text):
    place = interrupted_round.make(folder / "round", 3)
    (place / "round.toml").write_text(text)
    return place


ROUND = 'role = "toys"\n' + "".join(f'[[candidates]]\nid = "c{n:03}"\nvariant = "v{n}"\n' for n in range(4))


@pytest.mark.sandbox
def test_a_round_is_graded_by_its_role_under_its_variants(tmp_path):
    place = make(tmp_path, ROUND)
    words = ["grade", place, "--out", tmp_path / "out", "--kit", TOYS, "--small", "--workers", 2]
    command = [sys.executable, "-m", "graders.commands", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HOME)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    # A good first toy, and nothing for the second, which the role asks as well.
    assert lines[0].startswith("c000: 60.00 of 100, practice: body_mass_index 100.00 (graded)")
    assert "insulin_titration 0.00 (not_submitted)" in lines[0]
    assert "c003: nothing handed in" in lines
    # Without a secret no band is said.
    assert any(line.startswith("PRACTICE") for line in lines)
    card = json.loads((tmp_path / "out/c001/body_mass_index/scorecard.json").read_text())
    assert card["variant"] == "v1"
    assert not (tmp_path / "out/c003").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("role = ", "round.toml"),
        ('role = "toys"\n', "needs a role"),
        (ROUND.replace("c003", "c000"), "two candidates"),
        (ROUND.replace("v3", "v0"), "have the variant 'v0'"),
        (ROUND.replace("c003", "../c"), "an identity"),
        (ROUND.replace("c002", "c009"), "no candidate of"),
        (ROUND.replace("toys", "astronaut"), "unknown role"),
    ],
)
def test_a_faulty_round_is_refused_in_one_line(tmp_path, text, says):
    with pytest.raises(UsageError, match=says) as caught:
        rounds.read(Kit(TOYS), make(tmp_path, text))
    assert "\n" not in str(caught.value)
