"""Intake: what is read, what is left out, and what is refused in one line."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from exercise_lint import TOYS

from graders.harness import submission
from graders.harness.errors import UsageError
from graders.harness.exercise import glob_pattern
from graders.harness.kit import Kit
from graders.harness.leftovers import Refused, collect, sound
from graders.harness.play import describe
from synthetic_data.scene import Reply

EXERCISES = Kit(TOYS).exercises()
ENTRY = b"def body_mass_index(a, b, c): ...\n"


def zipped(path: Path, entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def read(path: Path) -> submission.Part:
    return submission.read(path, EXERCISES)["body_mass_index"]


def test_a_folder_and_any_zip_of_it_have_one_hash(tmp_path):
    (tmp_path / "work/pkg").mkdir(parents=True)
    (tmp_path / "work/body_mass_index.py").write_bytes(ENTRY)
    (tmp_path / "work/pkg/a.py").write_bytes(b"A = 1\n")
    files = {"pkg/a.py": b"A = 1\n", "body_mass_index.py": ENTRY}
    stored = zipped(tmp_path / "a.zip", files, zipfile.ZIP_STORED)
    wrapped = zipped(tmp_path / "b.zip", {f"someone/{n}": d for n, d in files.items()})
    named = zipped(tmp_path / "c.zip", {f"body_mass_index/{n}": d for n, d in files.items()})
    assert len({read(p).digest for p in (tmp_path / "work", stored, wrapped, named)}) == 1


def test_only_allowed_files_are_read_and_the_rest_is_counted(tmp_path):
    files = {"body_mass_index.py": ENTRY, "notes.txt": b"x", ".venv/lib/x.py": b"x", "__pycache__/y.py": b"x"}
    part = read(zipped(tmp_path / "a.zip", files))
    assert list(part.files) == ["body_mass_index.py"]
    assert part.ignored == 1


def test_several_exercises_are_found_side_by_side(tmp_path):
    files = {"body_mass_index/body_mass_index.py": ENTRY, "vitals_service/service/__main__.py": b""}
    parts = submission.read(zipped(tmp_path / "a.zip", files), EXERCISES)
    assert set(parts) == {"body_mass_index", "vitals_service"}
    assert not any(part.status for part in parts.values())


def test_nothing_recognised_is_not_submitted_for_every_exercise(tmp_path):
    parts = submission.read(zipped(tmp_path / "a.zip", {"essay.txt": b"x"}), EXERCISES)
    assert {part.status for part in parts.values()} == {"not_submitted"}
    assert len(parts) == len(EXERCISES)


def damaged(path: Path, method: int) -> Path:
    """A zip whose directory is fine and whose data are not."""
    zipped(path, {"body_mass_index.py": ENTRY * 50}, method)
    data = bytearray(path.read_bytes())
    data[60:75] = b"\xff" * 15
    path.write_bytes(data)
    return path


BAD = {
    "file and folder of one name": lambda p: zipped(p, {"body_mass_index.py": ENTRY, "body_mass_index.py/y.py": b""}),
    "name of 300 bytes": lambda p: zipped(p, {"body_mass_index.py": ENTRY, "é" * 150 + ".py": b""}),
    "line break in a name": lambda p: zipped(p, {"body_mass_index.py": ENTRY, "a\nb.py": b""}),
    "backslash": lambda p: zipped(p, {"body_mass_index.py": ENTRY, "..\\b.py": b""}),
    "absolute": lambda p: zipped(p, {"body_mass_index.py": ENTRY, "/etc/b.py": b""}),
    "damaged deflate": lambda p: damaged(p, zipfile.ZIP_DEFLATED),
    "damaged lzma": lambda p: damaged(p, zipfile.ZIP_LZMA),
    "damaged bzip2": lambda p: damaged(p, zipfile.ZIP_BZIP2),
    "6000 entries": lambda p: zipped(p, {f"{n}.txt": b"" for n in range(6000)}),
    "too many files": lambda p: zipped(p, {"body_mass_index.py": ENTRY} | {f"m{n}.py": b"" for n in range(20)}),
    "too large": lambda p: zipped(p, {"body_mass_index.py": os.urandom(2**20 + 1)}),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_archive_is_blocked_with_one_printable_line(tmp_path, kind):
    part = read(BAD[kind](tmp_path / "a.zip"))
    assert part.status == "blocked"
    assert part.fault
    assert part.fault.isprintable()
    assert not list(tmp_path.glob("**/*.py"))


def test_a_symlink_in_a_zip_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        link = zipfile.ZipInfo("body_mass_index.py")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert "is a link" in read(tmp_path / "a.zip").fault


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_zipfile_unpacks_before_it_counts_is_refused(tmp_path, method):
    assert (
        "in another way than deflate" in read(zipped(tmp_path / "w.zip", {"body_mass_index.py": ENTRY}, method)).fault
    )


def test_an_archive_that_is_too_large_is_not_opened(tmp_path):
    path = zipped(tmp_path / "w.zip", {"body_mass_index.py": ENTRY})
    os.truncate(path, submission.MAX_ARCHIVE + 1)
    assert read(path).fault == "w.zip is larger than 256 MB"


def test_a_fifo_is_never_waited_on(tmp_path):
    os.mkfifo(tmp_path / "a.zip")
    with pytest.raises(UsageError, match="neither a file nor a folder"):
        read(tmp_path / "a.zip")
    (tmp_path / "work").mkdir()
    os.mkfifo(tmp_path / "work/body_mass_index.py")
    assert read(tmp_path / "work").status == "blocked"


def test_a_name_that_is_not_utf8_is_refused(tmp_path):
    (tmp_path / "body_mass_index.py").write_bytes(ENTRY)
    os.close(os.open(os.fsencode(tmp_path) + b"/\xff.py", os.O_CREAT))
    part = read(tmp_path)
    assert part.status == "blocked"
    assert part.fault.isascii()


def test_random_damage_to_a_zip_never_raises(tmp_path):
    import random

    rng = random.Random(7)
    whole = zipped(tmp_path / "a.zip", {"body_mass_index.py": ENTRY * 20, "b/c.py": b"x" * 500}).read_bytes()
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(rng.randrange(1, 12)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        (tmp_path / "a.zip").write_bytes(data[: rng.choice([len(data), rng.randrange(len(data))])])
        read(tmp_path / "a.zip")


@pytest.mark.parametrize(
    ("glob", "yes", "no"),
    [
        ("*.csv", ["a.csv", ".csv"], ["a/b.csv", "a.csvx"]),
        ("**/*.py", ["a.py", "a/b/c.py"], ["a.pyc", "a.py/b"]),
        ("fhir/*.ndjson", ["fhir/Patient.ndjson"], ["Patient.ndjson", "fhir/a/b.ndjson"]),
        ("service/**/*.py", ["service/a.py", "service/b/a.py"], ["a.py", "services/a.py"]),
    ],
)
def test_globs_mean_what_they_say(glob, yes, no):
    import re

    assert all(re.fullmatch(glob_pattern(glob), name) for name in yes)
    assert not any(re.fullmatch(glob_pattern(glob), name) for name in no)


@pytest.mark.parametrize("name", ["@printed/x", "@home", "/".join(["n" * 250] * 5)])
def test_an_output_that_could_not_be_stored_is_refused(tmp_path, name):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).touch()
    with pytest.raises(Refused, match="too long or begins with @"):
        collect(tmp_path, [".*"], 1, 9)


def test_a_value_is_sound_when_any_json_reader_can_take_it():
    deep: object = 0
    for _ in range(61):
        deep = [deep]
    for bad in ("\ud800", {"\ud800": 1}, [float("nan")], float("inf"), deep, 10**400):
        assert not sound(bad)
    assert sound({"a": [1, 2.5, None, True, "é", {"b": []}]})


def test_a_failure_is_described_without_words_the_submission_chose():
    files = {"a.py": b"class RosaError(Exception): ...\n\nraise KeyError\n"}

    def said(error: str, where: str) -> str:
        return describe(Reply("raised", {"error": error, "where": where}, {}), "run", files)

    assert said("KeyError", "a.py:3") == "run: raised KeyError at a.py:3"
    assert said("RosaError", "a.py:3") == "run: raised RosaError at a.py:3"
    assert said("Quintero900123457", "900-12-3457:3") == "run: raised an exception"
    assert said("KeyError", "a.py:12345678") == said("KeyError", "a.py:68501") == "run: raised KeyError"


def test_caredrill_into_a_closed_pipe_is_silent():
    command = f"{sys.executable} -m graders.commands doctor --kit {TOYS} | head -0"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""
