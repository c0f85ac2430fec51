"""What a submission leaves is taken up while it may still be running: nothing that it exchanges leads anywhere."""

from __future__ import annotations

import os

import pytest

from graders.harness.frames import in_short
from graders.harness.leftovers import Refused, Usage, clear_shared, collect, regular_files


def test_a_folder_exchanged_for_a_link_leads_nowhere(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/a.txt").write_text("not its own")
    out = tmp_path / "out"
    (out / "d").mkdir(parents=True)
    (out / "d/a.txt").write_text("its own")
    files = regular_files(out)
    name, open_file = next(files)
    assert name == "d/a.txt"
    (out / "d").rename(tmp_path / "moved")
    (out / "d").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refused):
        open_file()
    assert collect(out, [".*"], 1, 10) == []


def test_a_file_that_is_gone_meanwhile_is_passed_over(tmp_path, monkeypatch):
    for name in ("a.log", "b.log"):
        (tmp_path / name).write_text(name)
    opened = os.open

    def late(path, *rest, **more):
        if path == "a.log":
            (tmp_path / "a.log").unlink(missing_ok=True)
        return opened(path, *rest, **more)

    monkeypatch.setattr(os, "open", late)
    assert collect(tmp_path, [".*"], 1, 10) == [("b.log", b"b.log")]


def test_only_files_of_its_own_uid_count_in_a_folder_that_all_share(tmp_path):
    if os.geteuid() != 0:
        return  # nobody else's files can be made
    shared, root = tmp_path / "shared", tmp_path / "root"
    shared.mkdir()
    root.mkdir()
    for name, uid in (("mine", 300_000), ("others", 300_001)):
        (shared / name).write_bytes(b"x" * 2**20)
        os.chown(shared / name, uid, uid)
    used = Usage(root, shared, 300_000, mounted=False).bytes()
    assert 2**20 <= used < 1.1 * 2**20
    clear_shared(shared, 300_000)
    assert [path.name for path in shared.iterdir()] == ["others"]


def test_a_fault_of_ours_is_told_without_its_text(tmp_path):
    try:
        (tmp_path / "Mary Jones 1950").read_text()
    except OSError as error:
        said = in_short(error)
    assert said.startswith("FileNotFoundError ENOENT at ")
    assert "Mary" not in said
