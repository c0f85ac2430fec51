"""What an altered card does to work that reads its card, and to the same work with the old card written into it.

python tests/benchmarks/live_change.py [EXERCISE …]      (writes docs/evidence/interview.md; about ten minutes)
"""

from __future__ import annotations

import dataclasses
import sys
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from exercise_lint import SECRET, read_sample

from graders.harness import grading
from graders.harness.grading import Terms
from graders.harness.kit import HOME, Kit
from graders.harness.scorecard import Scorecard
from graders.harness.submission import Part
from graders.round import live_change, question_bank
from graders.round.live_change import LiveChange

SAMPLES = {
    "deidentification": ("good", "good_one_module", "good_package"),
    "drift_response": ("good", "good_rules", "good_river"),
    "safe_logging": ("good", "good_asgi", "good_one_gate"),
    "subgroup_evaluation": ("good", "good_plain", "good_gee"),
}
FOLDERS = """
import shutil, tempfile
from pathlib import Path
import base_solution as base
CARD = {card!r}
def {target}(in_dir, out_dir, *rest):
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "in"
        shutil.copytree(in_dir, copy)
        (copy / "card.toml").chmod(0o644)
        (copy / "card.toml").write_text(CARD)
        base.{target}(copy, out_dir, *rest)
"""
OBJECT = """
import tomllib
import base_solution as base
CARD = {card!r}
class {target}(base.{target}):
    def __init__(self, card):
        super().__init__(tomllib.loads(CARD))
"""


def main() -> None:
    """Play, and write the table. With exercises named, only print their rows."""
    kit, rows = Kit(), list[str]()
    for name in sys.argv[1:] or kit.names():
        for sample in SAMPLES[name]:
            rows.append(played(kit, name, sample))
            print(rows[-1], flush=True)
    words = (
        "# Evidence: the live change\n\n"
        "Made by `python tests/benchmarks/live_change.py`: samples on hidden data of their own variant (small\n"
        "settings), graded with their own card, with the card that `caredrill interview` alters in one line, and with\n"
        "that card when the old one is written into the code. Scores of 100.\n\n"
        "| exercise | sample | rule | from | to | own card | altered | altered, old in the code | where that loses |\n"
        "|---|---|---|---|---|---:|---:|---:|---|\n"
    )
    if not sys.argv[1:]:
        (HOME / "docs/evidence/interview.md").write_text(words + "\n".join(rows) + "\n")


def played(kit: Kit, name: str, sample: str) -> str:
    """A row: the rule that the interview would alter."""
    exercise = kit.exercise(name)
    part, terms = read_sample(kit, exercise, sample), Terms(sample, SECRET, small=True)
    keys = [key.key for key in question_bank.load(kit, name).live]
    change = live_change.draw(kit, exercise, terms, keys, part.digest)
    assert change is not None, f"{name}: no card differs from {sample}'s in one line"
    old = grading.make_scene(kit, exercise, terms).public["card.toml"].decode()
    altered = dataclasses.replace(terms, card=tomllib.loads(change.card))
    before = grading.grade(kit, exercise, part, terms).scorecard
    after = grading.grade(kit, exercise, part, altered).scorecard
    fixed = grading.grade(kit, exercise, with_card_written(part, exercise.entry, exercise.target, old), altered)
    return row(name, sample, change, before, after, fixed.scorecard)


def with_card_written(part: Part, entry: str, target: str, card: str) -> Part:
    """The same work, which knows one card only."""
    files = dict(part.files)
    if entry.endswith("/"):
        main = f"{entry}__main__.py"
        every = tomllib.loads(card)["anchor_every"]
        files[main] = f'import os\nos.environ["ANCHOR_EVERY"] = "{every}"\n'.encode() + without_future(files[main])
    else:
        files["base_solution.py"] = files.pop(entry)
        template = OBJECT if target[0].isupper() else FOLDERS
        files[entry] = template.format(card=card, target=target).encode()
    return dataclasses.replace(part, files=files)


def without_future(source: bytes) -> bytes:
    """A future import must stand first; the services do without."""
    return source.replace(b"from __future__ import annotations\n", b"")


def row(name: str, sample: str, change: LiveChange, before: Scorecard, after: Scorecard, fixed: Scorecard) -> str:
    """One line of the table."""
    lost = [
        line.criterion.id
        for line, was in zip(fixed.lines, after.lines, strict=True)
        if (was.earned or 0) - (line.earned or 0) > 0.01 * line.criterion.points
    ]
    old, new = (" ".join(text.split("#")[0].partition("=")[2].split()) for text in (change.old, change.new))
    cells = (name, sample, f"`{change.key}`", f"`{old}`", f"`{new}`", before.score, after.score, fixed.score)
    return f"| {' | '.join(map(str, cells))} | {', '.join(lost) or 'nowhere'} |"


if __name__ == "__main__":
    main()
