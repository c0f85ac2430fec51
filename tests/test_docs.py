"""Every command on a page runs, in order, and prints what the page shows; … stands for anything."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from graders.harness.kit import HOME

pytestmark = pytest.mark.sandbox
PAGES = ["README.md", "docs/candidate.md", "docs/hiring-team.md", "docs/round.md", "docs/new-exercise.md"]
# Made for reading on a terminal; wrapping at 80 columns may fall elsewhere when numbers differ.
SPACE = re.compile(r"\s+")


def console_blocks(text: str) -> list[tuple[str, str]]:
    """(command, shown output) of every ```console block, in order."""
    found = []
    for block in re.findall(r"^ *```console\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE):
        for part in re.split(r"^ *\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            found.append((command, shown))
    return found


def matches(shown: str, printed: str) -> bool:
    """Is the shown text what was printed, white space aside?"""
    pieces = [re.escape(SPACE.sub(" ", piece).strip()) for piece in shown.split("…")]
    return re.fullmatch(r"\s*" + r".*?".join(pieces) + r"\s*", SPACE.sub(" ", printed), re.DOTALL) is not None


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_print_what_it_shows(page, tmp_path):
    # A copy of the clone without its environment, so that pages may write into it.
    ignored = shutil.ignore_patterns(".venv", ".git", "__pycache__", "demo", "results", "*.egg-info", ".*_cache")
    clone = tmp_path / "clone"
    shutil.copytree(HOME, clone, ignore=ignored)
    shutil.copytree(clone / "exercises/deidentification/starter", clone / "work")
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    script = bin_folder / "caredrill"
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m graders.commands "$@"\n')
    script.chmod(0o755)
    blocks = console_blocks((HOME / page).read_text("utf-8"))
    assert blocks, f"{page} shows no command"
    for command, shown in blocks:
        if command.startswith(("make ", "git ")):
            continue  # what they run is tested by CI itself: it starts with make
        env = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}"}
        done = subprocess.run(["bash", "-c", command], cwd=clone, env=env, capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1), f"{command}: {done.stderr}"
        assert matches(shown, done.stdout), f"{page}: {command}\nprinted\n{done.stdout}\nshown\n{shown}"


def test_every_link_between_pages_leads_somewhere():
    for page in [HOME / "README.md", HOME / "CONTRIBUTING.md", *(HOME / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_remedy_of_a_criterion_is_a_heading():
    from graders.harness.kit import Kit

    for name in Kit().names():
        for criterion in Kit().criteria(name):
            path, _, anchor = criterion.remedy.partition("#")
            headings = re.findall(r"^## (.+)$", (HOME / path).read_text("utf-8"), re.MULTILINE)
            # As GitHub makes anchors: small letters, hyphens for blanks, no punctuation.
            assert anchor in [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]
