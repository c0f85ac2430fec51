"""What every exercise must satisfy; used on the kit, on the toys and on what `new-exercise` writes."""

from __future__ import annotations

import dataclasses
import functools
import json
import re
import tomllib
from pathlib import Path

from graders.harness import grading, submission
from graders.harness.exercise import Exercise
from graders.harness.grading import Graded, Terms
from graders.harness.kit import HOME, Kit
from graders.harness.scorecard import Line
from graders.report import brief, notebook

TOYS = HOME / "tests/toys"
SECRET = b"the secret of the tests, 32 bytes"
# The parts of a rubric may multiply: what costs a criterion less than this share of its points has not lost it, unless
# nothing else costs more; and what costs less than the second has lost nothing.
LOST, FELT = 0.1, 0.01
KINDS = {".md", ".toml", ".py", ".ipynb", ".csv", ".txt", ".json"}


def expectations(kit: Kit, name: str) -> dict[str, dict[str, object]]:
    """expected.toml of one exercise."""
    return tomllib.loads((kit.root / "tests/submissions" / name / "expected.toml").read_text("utf-8"))


def sample_path(kit: Kit, name: str, sample: str) -> Path:
    """Where a sample lies: the starter with its exercise, the others beside expected.toml."""
    if sample == "starter":
        return kit.root / "exercises" / name / "starter"
    found = [p for p in (kit.root / "tests/submissions" / name).iterdir() if p.stem == sample and p.suffix != ".toml"]
    assert found, f"{name}: expected.toml names {sample}, and there is no such sample"
    return found[0]


def all_samples(kit: Kit) -> list[tuple[str, str]]:
    """(exercise, sample) of everything expected."""
    return [(name, sample) for name in kit.names() for sample in expectations(kit, name)]


def in_ci(kit: Kit, name: str, sample: str) -> bool:
    """Whether CI plays a sample: reference, starter and hostile ones, and all toys; `make evidence` plays the rest."""
    return kit.root == TOYS or sample in ("starter", "good") or sample.startswith("hostile")


def play_sample(
    kit: Kit,
    name: str,
    sample: str,
    *,
    variant: str = "tests",
    small: bool = True,
    card: dict[str, object] | None = None,
    settings: dict[str, int] | None = None,
) -> Graded:
    """Grade one sample on hidden data. settings: in place of the manifest's small ones."""
    exercise = kit.exercise(name)
    if settings:
        exercise = dataclasses.replace(exercise, ci_settings={**exercise.ci_settings, **settings})
    expected = expectations(kit, name)[sample]
    # A hang or a memory bomb need not take the manifest's whole limits in every run of the tests.
    lower = {key: expected[key] for key in ("wall_s", "mem_mb") if key in expected}
    exercise = dataclasses.replace(exercise, limits=dataclasses.replace(exercise.limits, **lower))
    part = read_sample(kit, exercise, sample)
    return grading.grade(kit, exercise, part, Terms(variant, SECRET, card=card, small=small))


def read_sample(kit: Kit, exercise: Exercise, sample: str) -> submission.Part:
    """A sample as handed in. With `base`, it changes another one, whose entry it finds as base_solution.

    Where the entry is a folder, its files take the place of those of the same name.
    """
    part = submission.read(sample_path(kit, exercise.name, sample), [exercise])[exercise.name]
    base = expectations(kit, exercise.name)[sample].get("base")
    if not base:
        return part
    files = dict(read_sample(kit, exercise, str(base)).files)
    if exercise.entry in files:
        files["base_solution.py"] = files.pop(exercise.entry)
    return dataclasses.replace(part, files=files | dict(part.files))


def check_expected(kit: Kit, name: str, sample: str, graded: Graded) -> None:
    """Score, status, hold and lost criteria are as expected.toml says."""
    expected, card = expectations(kit, name)[sample], graded.scorecard
    assert card.status == expected["status"], f"{sample}: {card.status} ({card.reason})"
    low, high = expected["score"]
    assert card.score is not None, f"{sample}: no score ({card.reason})"
    assert low <= card.score <= high, f"{sample} got {card.score}, expected {low} to {high}"
    assert card.hold == expected.get("hold", []), f"{sample}: on hold for {card.hold}"
    if "loses" in expected:
        lost = losses(kit, name, sample, graded)
        assert lost == expected["loses"], f"{sample} lost {lost}"


def losses(kit: Kit, name: str, sample: str, graded: Graded) -> list[str]:
    """The criteria not met; for a change of another sample, what cost most and what cost over a tenth of its points."""
    lines, base = graded.scorecard.lines, expectations(kit, name)[sample].get("base")
    if not base:
        return [line.criterion.id for line in lines if line.verdict != "met"]
    cost = {
        line.criterion.id: (float((before.earned or 0) - (line.earned or 0)), line.criterion.points)
        for line, before in zip(lines, base_lines(kit, name, str(base)), strict=True)
    }
    most = max(points for points, _ in cost.values())
    return [i for i, (lost, points) in cost.items() if lost > LOST * points or lost == most > FELT * points]


@functools.cache
def base_lines(kit: Kit, name: str, sample: str) -> tuple[Line, ...]:
    """What a sample that others change gets on the same data."""
    return play_sample(kit, name, sample).scorecard.lines


def check_folder(kit: Kit, name: str) -> None:
    """The folder is complete, generated parts are current, and nothing in it is secret."""
    exercise, criteria = kit.exercise(name), kit.criteria(name)
    assert name.isidentifier()
    text = (exercise.folder / "README.md").read_text("utf-8")
    assert brief.with_criteria(text, criteria) == text, f"caredrill new-exercise {name} --refresh"
    book = (exercise.folder / f"{name}.ipynb").read_text("utf-8")
    assert book == notebook.build(exercise, criteria), f"caredrill new-exercise {name} --refresh"
    starter = {
        str(p.relative_to(exercise.folder / "starter")): p.read_bytes()
        for p in (exercise.folder / "starter").rglob("*")
        if p.is_file() and exercise.allows(str(p.relative_to(exercise.folder / "starter")))
    }
    extracted = submission.code_files(book.encode())
    for file, data in starter.items():
        if file.endswith(".py"):
            assert extracted[file].startswith(data.rstrip()), f"the notebook's {file} is not the starter's"
    for path in exercise.folder.rglob("*"):
        if path.is_dir() or "__pycache__" in path.parts:
            continue
        assert path.suffix in KINDS, f"{path}: a kind of file that an exercise does not hold"
        words = path.read_text("utf-8")
        assert not re.search(r"^\s*(from|import) (graders|synthetic_data)", words, re.MULTILINE), path
        assert SECRET.decode() not in words


def check_samples(kit: Kit, name: str) -> None:
    """Every sample is expected, every expectation has its sample, and no expectation lies inside one."""
    folder = kit.root / "tests/submissions" / name
    expected = set(expectations(kit, name))
    assert {"starter"} <= expected
    there = {p.stem for p in folder.iterdir() if p.name != "expected.toml"}
    assert there == expected - {"starter"}
    assert [p.parent for p in folder.rglob("expected.toml")] == [folder]
    good = [s for s, e in expectations(kit, name).items() if e["score"][0] >= 80]
    assert good, "no sample that should pass"


def canonical(card: dict[str, object]) -> bytes:
    """The serialisation that a scorecard's hash and comparison use."""
    return json.dumps(card, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
