"""The kit's lint of exercises: the product is checked like code."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from exercise_lint import TOYS, all_samples, check_expected, check_folder, check_samples, in_ci, play_sample

from graders.harness.kit import HOME, Kit

KITS = {"kit": Kit(), "toys": Kit(TOYS)}
EXERCISES = [(where, name) for where, kit in KITS.items() for name in kit.names()]
# Those of the toys are played in every tier (test_toys_in_each_tier.py).
SAMPLES = [("kit", *pair) for pair in all_samples(KITS["kit"]) if in_ci(KITS["kit"], *pair)]


@pytest.mark.parametrize(("where", "name"), EXERCISES)
def test_an_exercise_is_complete_current_and_holds_nothing_secret(where, name):
    check_folder(KITS[where], name)


@pytest.mark.parametrize(("where", "name"), EXERCISES)
def test_every_sample_is_expected_and_there(where, name):
    check_samples(KITS[where], name)


@pytest.mark.parametrize(("where", "name"), EXERCISES)
def test_two_variants_get_different_patients_and_some_variants_different_cards(where, name):
    from graders.harness.grading import Terms, make_scene, seed_for

    kit = KITS[where]
    exercise = kit.exercise(name)
    terms = [Terms(f"v{n}", b"x" * 32, small=True) for n in range(6)]
    assert len({str(kit.recipe(name).draw_card(seed_for(exercise, own, "card"))) for own in terms}) > 1
    first, second = (make_scene(kit, exercise, own) for own in terms[:2])
    assert (first.public, first.truth) != (second.public, second.truth)


@pytest.mark.parametrize(("where", "name"), EXERCISES)
def test_the_card_is_the_same_in_practice_and_hidden_scenes_when_it_is_handed_over(where, name):
    import tomllib

    from graders.harness.grading import Terms, make_scene

    kit = KITS[where]
    exercise = kit.exercise(name)
    hidden = make_scene(kit, exercise, Terms("v1", b"x" * 32, small=True)).public["card.toml"]
    card = tomllib.loads(hidden.decode())
    assert make_scene(kit, exercise, Terms("v1", card=card, small=True)).public["card.toml"] == hidden


SCENE = """
import sys
from pathlib import Path
from graders.harness.grading import Terms, make_scene
from graders.harness.kit import Kit
from graders.harness.submission import digest
kit = Kit(Path(sys.argv[1]))
for name in kit.names():
    scene = make_scene(kit, kit.exercise(name), Terms("v1", b"x" * 32, small=True))
    print(name, digest(scene.public), digest(scene.truth))
"""


@pytest.mark.parametrize("where", KITS)
def test_a_scene_depends_on_neither_hash_seed_nor_time_zone_nor_folder(where, tmp_path):
    said = set()
    for seed, zone, folder in (("0", "UTC", HOME), ("12345", "Asia/Kolkata", tmp_path)):
        env = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone}
        command = [sys.executable, "-c", SCENE, str(KITS[where].root)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder, env=env)
        said.add(done.stdout)
    assert len(said) == 1


@pytest.mark.sandbox
@pytest.mark.parametrize(("where", "name", "sample"), SAMPLES)
def test_a_sample_gets_its_expected_score(where, name, sample):
    check_expected(KITS[where], name, sample, play_sample(KITS[where], name, sample))


@pytest.mark.sandbox
def test_what_new_exercise_writes_passes_this_lint(tmp_path):
    command = [sys.executable, "-m", "graders.commands", "new-exercise", "alarm_fatigue", "--kit", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    kit = Kit(tmp_path)
    check_folder(kit, "alarm_fatigue")
    check_samples(kit, "alarm_fatigue")
    for name, sample in all_samples(kit):
        check_expected(kit, name, sample, play_sample(kit, name, sample))


@pytest.mark.parametrize("name", ["x", "Upper", "with-hyphen", "class", "a" * 50, "../out"])
def test_new_exercise_refuses_a_name_that_is_no_identifier(tmp_path, name):
    command = [sys.executable, "-m", "graders.commands", "new-exercise", name, "--kit", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())
