"""What `caredrill doctor` says of the sandboxes, and how a weaker one shows on what it graded."""

from __future__ import annotations

import json

import pytest
from exercise_lint import TOYS

from graders.commands import doctor, main
from graders.harness import sandbox
from graders.harness.tier import Tier

SAMPLE = TOYS / "tests/submissions/body_mass_index/good_plain"
WORDS = ["doctor", "--kit", str(TOYS)]


def machine(monkeypatch, troubles: dict[str, str]) -> None:
    """A machine on which each tier named here has this trouble."""
    tiers = [Tier(name, f"the one called {name}", lacks=("it can ask",) if name == "B" else ()) for name in ("A", "B")]
    monkeypatch.setattr(sandbox, "candidates", lambda: tiers)
    monkeypatch.setattr(sandbox, "missing", list)
    monkeypatch.setattr(sandbox, "trial", lambda tier: troubles.get(tier.name, ""))
    monkeypatch.setattr(sandbox, "probe", sandbox.probe.__wrapped__)


def test_the_better_tier_is_enough(monkeypatch, capsys):
    machine(monkeypatch, {"B": "off"})
    assert main(WORDS) == 0
    said = capsys.readouterr().out
    assert "tier A: the one called A" in said
    assert "off" not in said
    assert "would help" not in said


def test_of_the_weaker_tier_it_says_why_what_is_missing_and_what_would_help(monkeypatch, capsys):
    machine(monkeypatch, {"A": "Operation not permitted"})
    assert main(WORDS) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "no sandbox  tier A, the one called A: Operation not permitted" in lines
    assert "sandbox     tier B: the one called B" in lines
    assert "weaker      it can ask (docs/security.md)" in lines
    assert sum(line.startswith("would help") for line in lines) == 1


def test_without_any_tier_it_fails_and_says_why_of_each(monkeypatch, capsys):
    machine(monkeypatch, {"A": "Operation not permitted", "B": "no Landlock"})
    assert main(WORDS) == 3
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("no sandbox") for line in lines) == 2
    assert sum(line.startswith("would help") for line in lines) == 1


@pytest.mark.parametrize(("platform", "word"), [("darwin", "limactl"), ("win32", "wsl --install")])
def test_elsewhere_the_command_makes_a_linux_machine(monkeypatch, platform, word):
    monkeypatch.setattr(doctor.sys, "platform", platform)
    assert doctor.help_line().startswith(word)


@pytest.mark.sandbox
@pytest.mark.parametrize("only", ["A", "B"])
def test_the_weaker_tier_is_stamped_and_the_record_names_either(monkeypatch, tmp_path, only):
    monkeypatch.setenv(sandbox.ONLY, only)
    monkeypatch.setattr(sandbox, "probe", sandbox.probe.__wrapped__)
    tier, _ = sandbox.probe()
    if tier is None:
        return
    assert main(["grade", str(SAMPLE), "--kit", str(TOYS), "--out", str(tmp_path)]) == 0
    folder = tmp_path / "good_plain/body_mass_index"
    assert ("TIER B" in json.loads((folder / "scorecard.json").read_text())["stamps"]) == (only == "B")
    assert ("TIER B" in (tmp_path / "good_plain/scorecard.html").read_text()) == (only == "B")
    assert json.loads((folder / "record.json").read_text())["tier"].startswith(f"{only}: ")


def test_a_tier_that_is_not_to_be_tried_leaves_none(monkeypatch):
    monkeypatch.setenv(sandbox.ONLY, "C")
    monkeypatch.setattr(sandbox, "missing", list)
    tier, failures = sandbox.probe.__wrapped__()
    assert tier is None
    assert failures == ("no other tier was to be tried",)
