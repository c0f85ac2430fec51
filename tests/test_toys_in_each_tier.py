"""The toys' samples, hostile ones among them, get their verdict in every tier, and nothing of them is left running."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from each_tier import TIERS
from exercise_lint import TOYS, all_samples, check_expected, play_sample

from graders.harness import grading, outcome, sandbox
from graders.harness.kit import HOME, Kit
from graders.harness.play import frame_of
from graders.harness.scorecard import score
from synthetic_data.scene import Request

pytestmark = pytest.mark.sandbox
KIT = Kit(TOYS)


@pytest.fixture(params=TIERS)
def tier(request) -> sandbox.Tier:
    return TIERS[request.param]


def tree() -> dict[str, tuple[int, int]]:
    """Size and time of every file of the kit, and what lies in the folder that the tests run in."""
    found = {}
    for folder in ("graders", "synthetic_data", "exercises", "docs", "tests"):
        for path in (HOME / folder).rglob("*"):
            if "__pycache__" not in path.parts:
                known = path.lstat()
                found[str(path)] = (known.st_size if path.is_file() else 0, known.st_mtime_ns)
    # Importing leaves bytecode: a folder that gets its first is changed by us.
    found = {name: known for name, known in found.items() if not Path(name).is_dir()}
    names = {str(path) for path in (*HOME.iterdir(), *Path.cwd().iterdir()) if not path.name.startswith(".")}
    return found | dict.fromkeys(names, (0, 0))


@pytest.fixture(scope="module", autouse=True)
def the_kit_is_left_alone():
    before = tree()
    yield
    assert tree() == before


def left_running(mark: str) -> list[str]:
    listed = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if mark in line]


# Root gets a user namespace only here: hostile samples in it are played by tests/benchmarks/attacks.py.
PLAYS = [
    (why, *sample)
    for why, tier in TIERS.items()
    for sample in all_samples(KIT)
    if os.geteuid() != 0 or tier.as_root or not sample[1].startswith("hostile")
]


@pytest.mark.parametrize(("why", "name", "sample"), PLAYS)
def test_a_sample_gets_its_verdict(why, name, sample, tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox, "best", lambda: TIERS[why])
    # The run's folders, wherever they are made, and every command line that names them.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    tmp_path.chmod(0o755)
    tmp_path.parent.chmod(0o755)
    graded = play_sample(KIT, name, sample)
    assert left_running(str(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []
    check_expected(KIT, name, sample, graded)
    card = graded.scorecard.to_bytes()
    assert not re.search(rb"P\d{4}|pt-\d{5}", card), "the scorecard names a patient"
    assert "".join([graded.scorecard.reason, *(line.message for line in graded.scorecard.lines)]).isprintable()
    # Whatever it did can be stored, and scored again.
    folder = grading.store(graded, tmp_path, "somebody")
    truth = outcome.read_truth(tmp_path / ".truth/somebody" / name)
    assert score(KIT, outcome.read(folder), truth).to_bytes() == card


SURVIVORS = """
import os, time
def look(mark):
    try:
        open("/dev/shm/left", "w").close()
    except OSError:
        pass
    for _ in range(6):
        if os.fork() == 0:
            for change in (os.setsid, lambda: os.setpgid(0, 0)):
                try:
                    change()
                except OSError:
                    pass
            # A chain of children, each of which leaves before it can be seen.
            until = time.monotonic() + 60
            while time.monotonic() < until:
                try:
                    if os.fork():
                        os._exit(0)
                except OSError:
                    os._exit(1)
    time.sleep(0.3)
    return os.getpid()
"""


def alive(uid: int | None, group: int) -> list[str]:
    """Processes of a uid or a process group, zombies left out."""
    listed = subprocess.run(["ps", "axn", "-o", "stat=,uid=,pgid="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listed.splitlines()]
    return [row for row in rows if row[0][0] != "Z" and (int(row[1]) == uid or int(row[2]) == group)]


@pytest.mark.parametrize("how", ["step ends", "sandbox is closed", "runner is killed"])
def test_processes_that_keep_forking_away_do_not_survive(tier, how, tmp_path):
    if tier.name != "B":
        return  # one call ends a PID namespace
    for path in (tmp_path.parent, tmp_path):
        path.chmod(0o755)
    (tmp_path / "p.py").write_text(
        SURVIVORS if how == "step ends" else SURVIVORS.replace("    return os.getpid()", "    time.sleep(60)")
    )
    limits = sandbox.Limits(wall_s=1.5, cpu_s=20, mem_mb=500, procs=24, out_mb=1, out_files=1)
    pipe = sandbox.open_pipe(tier, sandbox.Mounts(tmp_path), limits, sandbox.Program("call", "p.py", "look", []))
    uid = pipe.config["uid"]
    if how == "runner is killed":
        # The child that answers; the one that was started stays to clear up.
        import signal
        import threading

        def kill() -> None:
            for task in Path(f"/proc/{pipe.process.pid}/task").iterdir():
                for child in (task / "children").read_text().split():
                    os.kill(int(child), signal.SIGKILL)

        threading.Timer(0.8, kill).start()
        with pytest.raises(sandbox.InfrastructureError):
            pipe.ask(frame_of(Request("call", "look", ("x",))), {})
    else:
        pipe.ask(frame_of(Request("call", "look", ("x",))), {})
    pipe.close()
    time.sleep(0.1)
    assert alive(uid, -1) == [] if uid else left_running(str(pipe.scratch)) == []
    assert [entry.name for entry in os.scandir("/dev/shm") if entry.stat().st_uid == uid] == []
    assert not pipe.scratch.exists()
