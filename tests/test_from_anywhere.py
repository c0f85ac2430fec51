"""From a hostile folder, from the kit and from /, as root and as a user: the same verdicts, and nothing is executed."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from exercise_lint import TOYS

from graders.harness.kit import HOME

pytestmark = pytest.mark.sandbox
SAMPLES = TOYS / "tests/submissions"
NOBODY = 65534
# What Python, pytest and their helpers would load from a folder that they run in, or that they are pointed at.
TRAPS = (
    "conftest.py", "sitecustomize.py", "usercustomize.py", "graders/__init__.py", "json.py", "struct.py", "pandas.py",
    "multiprocessing.py", "pytest.py",
)  # fmt: skip
SETTINGS = {
    "pytest.ini": "[pytest]\naddopts = -p conftest\npython_files = *.py\n",
    "tox.ini": "[pytest]\naddopts = -p conftest\n",
    "setup.cfg": "[tool:pytest]\naddopts = -p conftest\n",
    "pyproject.toml": '[tool.pytest.ini_options]\naddopts = "-p conftest"\n',
    "trap.pth": "import conftest\n",
    ".env": "PYTHONPATH=.\n",
}


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that users may enter; pytest closes its own whenever another run begins."""
    with tempfile.TemporaryDirectory(prefix="caredrill-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def hostile(place: Path) -> Path:
    """A submission that does good work and lies among traps, each of which would leave a file `executed-*`."""
    work = place / "hostile"
    shutil.copytree(SAMPLES / "body_mass_index/good_plain", work)
    for name in TRAPS:
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        mark = place / "marks" / f"executed-{name.replace('/', '-')}"
        path.write_text(f"try:\n    open({str(mark)!r}, 'w').close()\nexcept OSError:\n    pass\n")
    for name, text in SETTINGS.items():
        (work / name).write_text(text)
    return work


def round_of(folder: Path, work: Path) -> Path:
    """The hostile submission in a round, beside a wrong and a blocked one; the round's own folder has the traps too."""
    place = folder / "round"
    shutil.copytree(work, place)
    for identity, source in {"a": work, "b": SAMPLES / "body_mass_index/wrong_units"}.items():
        shutil.copytree(source, place / "submissions" / identity)
    return place


def open_to_all(path: Path) -> bool:
    """May any user read this file, and walk to it?"""
    way = all(folder.stat().st_mode & stat.S_IXOTH for folder in path.resolve().parents)
    return way and bool(path.stat().st_mode & stat.S_IROTH)


def users() -> list[int | None]:
    """As whom to run: oneself, and as root a user too, where kit and Python are open to users."""
    needed = (Path(sys.executable), Path(os.__file__), Path(pytest.__file__), Path(__file__))
    return [None, NOBODY] if os.geteuid() == 0 and all(map(open_to_all, needed)) else [None]


def run(command: list[object], cwd: Path, user: int | None) -> subprocess.CompletedProcess[str]:
    """A documented command, from a folder, as a user."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "PYTHONSAFEPATH"))}
    who = {} if user is None else {"user": user, "group": user, "extra_groups": []}
    return subprocess.run(
        list(map(str, command)), cwd=cwd, env=env | {"HOME": "/"}, capture_output=True, text=True, check=False, **who
    )


@pytest.mark.parametrize("user", users())
def test_the_same_verdicts_and_nothing_is_executed(place, hostile, user):
    many_of_them = round_of(place, hostile)
    marks, found = place / "marks", []
    marks.mkdir()
    marks.chmod(0o777)
    script = Path(sys.executable).with_name("caredrill")
    for number, cwd in enumerate((hostile, HOME, Path("/"))):
        out = place / f"out-{number}"
        out.mkdir()
        out.chmod(0o777)
        common = ["--kit", TOYS, "--small"]
        one = run([script, "grade", hostile, "--out", out / "one", "--variant", "a", *common], cwd, user)
        many = run([script, "grade", many_of_them, "--out", out / "many", "--workers", "2", *common], cwd, user)
        command = [sys.executable, "-P", "-m", "pytest", "-c", HOME / "pyproject.toml", f"--rootdir={HOME}"]
        command += [f"--confcutdir={HOME}", "-q", "-p", "no:cacheprovider", TOYS / "graders", f"--submission={hostile}"]
        door = run([*command, "--variant=a", "--small", f"--scorecard={out / 'cards.json'}"], cwd, user)
        assert (one.returncode, many.returncode, door.returncode) == (0, 0, 0), one.stderr + many.stderr + door.stdout
        again = run([script, "regrade", out / "many", "--verify", "--kit", TOYS], cwd, user)
        assert again.returncode == 0, again.stdout + again.stderr
        cards = {
            "one": out / "one/a/body_mass_index/scorecard.json",
            "many": out / "many/a/body_mass_index/scorecard.json",
            "wrong": out / "many/b/body_mass_index/scorecard.json",
        }
        found.append({name: path.read_bytes() for name, path in cards.items()})
        assert found[-1]["one"] == found[-1]["many"]
        assert json.loads((out / "cards.json").read_text())["scorecards"] == [json.loads(found[-1]["one"])]
    assert list(marks.iterdir()) == []
    assert found[0] == found[1] == found[2]
    assert json.loads(found[0]["one"])["score"] == "100.00"
    assert float(json.loads(found[0]["wrong"])["score"]) < 50


def test_the_traps_work(place, hostile):
    (place / "marks").mkdir()
    subprocess.run([sys.executable, "-c", "import json"], cwd=hostile, check=False, capture_output=True)
    subprocess.run([sys.executable, "-m", "graders.commands"], cwd=hostile, check=False, capture_output=True)
    assert len(list((place / "marks").iterdir())) >= 2
