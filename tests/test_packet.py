"""A packet is all that its candidate needs, and nothing that is anybody else's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile

import pytest

from graders.commands import main
from graders.harness import grading
from graders.harness.grading import Terms
from graders.harness.kit import HOME, Kit
from graders.round import packet, roles

KIT, SECRET = Kit(), b"the secret of this test, 32 bytes"
EXERCISE = "safe_logging"
ROLE = roles.Role("one", "One exercise", "For tests.", {EXERCISE: 100}, (50, 75), 50)


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    return packet.files(KIT, ROLE, "c01", Terms("c01", SECRET), "hiring@example.org")


@pytest.fixture(scope="module")
def unpacked(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("packet")
    packet.write_zip(made, folder / "c01.zip")
    with zipfile.ZipFile(folder / "c01.zip") as archive:
        archive.extractall(folder)
    return folder / "c01"


def run(folder, *words):
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(folder)}
    command = [sys.executable, "-m", "graders.commands", *words]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.mark.sandbox
def test_check_and_submit_run_with_nothing_but_the_packet_and_without_its_marked_practice_data(unpacked):
    shutil.rmtree(unpacked / "practice")
    where = run(unpacked, "doctor")
    assert f"{EXERCISE}:" in where.stdout
    done = run(unpacked, "check", "work")
    assert done.returncode == 1, done.stderr
    assert f"{EXERCISE}  " in done.stdout
    assert "PRACTICE" in done.stdout
    packed = run(unpacked, "submit", "work")
    assert "receipt sha256:" in packed.stdout
    with zipfile.ZipFile(unpacked / "work.zip") as archive:
        assert not [name for name in archive.namelist() if name.endswith("card.toml")]


def test_nothing_of_other_exercises_samples_or_hidden_data_is_in_it(made):
    others = [name for name in KIT.names() if name != EXERCISE]
    assert not [name for name in made if any(other in name for other in others)]
    assert not [name for name in made if name.startswith(("tests/", "docs/", "graders/round", "graders/roles"))]
    hidden = grading.make_scene(KIT, KIT.exercise(EXERCISE), Terms("c01", SECRET))
    told = b"\n".join(made.values())
    assert SECRET not in told
    assert SECRET.hex().encode() not in told
    assert not any(data in told for name, data in hidden.truth.items() if len(data) > 200)
    assert hidden.public["requests.ndjson" if "requests.ndjson" in hidden.public else "card.toml"] != b""


def test_the_card_is_the_one_of_the_hidden_data_and_another_candidate_has_another(made):
    hidden = grading.make_scene(KIT, KIT.exercise(EXERCISE), Terms("c01", SECRET)).public["card.toml"]
    assert made[f"work/{EXERCISE}/card.toml"] == made[f"practice/{EXERCISE}/card.toml"] == hidden
    cards = {packet.files(KIT, ROLE, n, Terms(n, SECRET))[f"work/{EXERCISE}/card.toml"] for n in ("c02", "c03", "c04")}
    assert len(cards | {hidden}) > 1


def test_the_same_candidate_gets_the_same_bytes(made, tmp_path):
    again = packet.files(KIT, ROLE, "c01", Terms("c01", SECRET), "hiring@example.org")
    assert again == made
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        packet.write_zip(made, tmp_path / name / "c01.zip")
    assert (tmp_path / "a/c01.zip").read_bytes() == (tmp_path / "b/c01.zip").read_bytes()


def test_the_start_page_is_one_page_and_says_what_must_be_said():
    role = roles.load(KIT, "regulated_mlops")
    page = packet.start_page(role, [KIT.exercise(name) for name in role.weights], "c01", "")
    lines = page.splitlines()
    assert sum(1 + len(line) // 100 for line in lines) <= 60
    for word in ("Unfinished is normal", "AI assistants", "not**", "Privacy", "Accommodations", "c01", "minutes"):
        assert word in page


def test_the_repository_is_one_commit_of_nobody(made, tmp_path):
    assert packet.write_repository({name: made[name] for name in ("START.md", "pyproject.toml")}, tmp_path / "c01")
    log = subprocess.run(
        ["git", "log", "--format=%an %ae %s"], cwd=tmp_path / "c01", capture_output=True, text=True, check=True
    )
    assert log.stdout.splitlines() == ["caredrill caredrill@example.org The packet"]
    assert tomllib.loads((tmp_path / "c01/pyproject.toml").read_text())["project"]["readme"] == "START.md"


def test_packets_of_a_round(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(packet, "files", lambda kit, role, identity, terms, contact: {"START.md": identity.encode()})
    (tmp_path / "round.toml").write_text('role = "default"\n[[candidates]]\nid = "c01"\n[[candidates]]\nid = "c02"\n')
    (tmp_path / "secret").write_bytes(SECRET)
    words = ["packet", str(tmp_path / "round.toml"), "--secret-file", str(tmp_path / "secret")]
    assert main([*words, "--out", str(tmp_path / "out"), "--workers", "1"]) == 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["c01", "c01.zip", "c02", "c02.zip"]
    assert main([*words, "--out", str(tmp_path / "out")]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert main([*words[:2], "--secret-file", "/nonexistent", "--out", str(tmp_path / "other")]) == 2


def test_a_private_kit_makes_no_packets():
    from exercise_lint import TOYS

    toys = Kit(TOYS)
    with pytest.raises(packet.ExerciseError, match="clone"):
        packet.files(toys, roles.load(toys, "toys"), "c01", Terms("c01", SECRET))


def test_the_kit_of_a_packet_has_all_that_its_modules_import(unpacked):
    names = [
        p.relative_to(unpacked).with_suffix("").as_posix().replace("/", ".") for p in unpacked.rglob("graders/**/*.py")
    ]
    program = "import importlib, sys\nfor name in sys.argv[1:]:\n    importlib.import_module(name)\n"
    wanted = [n for n in names if "test_" not in n and not n.endswith(("__init__", "__main__", "driver", "trial"))]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(unpacked)}
    done = subprocess.run([sys.executable, "-c", program, *wanted], cwd=HOME, env=env, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-500:]
