"""pytest's door: `pytest graders/ --submission=PATH` reports the verdicts that `score` gives.

Named in addopts, not written as a conftest: with the option declared in a conftest, pytest takes PATH for a test
path and imports PATH/conftest.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from graders.harness.errors import ExerciseError, GraderError, InfrastructureError, UsageError

CARDS = pytest.StashKey[dict[str, Any]]()
REMARKS = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the grading door."""
    group = parser.getgroup("caredrill", "grading a submission")
    group.addoption("--submission", metavar="PATH", help="folder, zip or notebook to grade (write --submission=PATH)")
    group.addoption("--secret-file", metavar="F", help="the team's secret; without it the practice seed is used")
    group.addoption("--variant", metavar="ID", help="whose data and policy card (default: the submission's name)")
    group.addoption("--scorecard", metavar="FILE", help="write the scorecards there as JSON")
    group.addoption("--unsafe-no-sandbox", action="store_true", help="run without a sandbox; stamps the scorecard")
    group.addoption("--small", action="store_true", help="the manifest's small ci_settings; stamps the scorecard")


def pytest_configure(config: pytest.Config) -> None:
    """Scorecards by exercise, filled as exercises are played."""
    config.stash[CARDS] = {}
    config.stash[REMARKS] = []


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """graders/test_<exercise>.py is a rubric: its criteria are the tests."""
    root = module_path.parent.parent
    name = module_path.stem.removeprefix("test_")
    if module_path.parent.name == "graders" and (root / "exercises" / name / "exercise.toml").is_file():
        return Rubric.from_parent(parent, path=module_path)
    return None


class Rubric(pytest.File):
    """One exercise's criteria."""

    def collect(self) -> Iterator[pytest.Item]:
        """The same functions that `score` calls, in the same order."""
        from graders.harness.kit import Kit

        kit, name = Kit(self.path.parent.parent), self.path.stem.removeprefix("test_")
        try:
            for criterion in kit.criteria(name):
                yield CriterionItem.from_parent(self, name=criterion.id, kit=kit, exercise=name)
        except (UsageError, ExerciseError) as error:
            raise self.CollectError(str(error)) from None


class CriterionItem(pytest.Item):
    """Passes when the criterion is met; the report shows its message, not a traceback."""

    def __init__(self, *, kit: Any, exercise: str, **rest: Any) -> None:
        super().__init__(**rest)
        self.kit, self.exercise = kit, exercise

    def setup(self) -> None:
        """Play the submission at the first criterion; our own faults surface here, as errors, not as failures."""
        card = scorecard(self.config, self.kit, self.exercise)
        if card is None:
            pytest.skip(f"{self.exercise} is not in this submission")
        if card.score is None:
            raise InfrastructureError(f"{card.status}: {card.reason}; not scored")

    def runtest(self) -> None:
        """Report the stored verdict."""
        card = scorecard(self.config, self.kit, self.exercise)
        line = next(line for line in card.lines if line.criterion.id == self.name)
        if line.verdict != "met":
            held = " [HOLD]" if line.hold else ""
            raise NotMet(f"{line.verdict}, {line.earned} of {line.criterion.points:g}{held}: {line.message}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        """One line for a verdict or a known fault; pytest's own report for anything else."""
        if isinstance(excinfo.value, (NotMet, InfrastructureError, GraderError, UsageError, ExerciseError)):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """How pytest names the criterion."""
        return self.path, None, f"{self.exercise}: {self.name}"


class NotMet(Exception):
    """A criterion is not, or only partly, met."""


def scorecard(config: pytest.Config, kit: Any, exercise: str) -> Any:
    """The exercise's scorecard, played once a session; None when the submission holds other exercises only."""
    from graders.harness import grading, submission

    done = config.stash[CARDS]
    key = f"{kit.root}:{exercise}"
    if key not in done:
        path = Path(config.getoption("submission")).absolute()
        secret = config.getoption("secret_file")
        terms = grading.Terms(
            variant=config.getoption("variant") or path.stem,
            secret=grading.read_secret(Path(secret)) if secret else None,
            packs=grading.read_packs(Path(secret)) if secret else {},
            unsafe=config.getoption("unsafe_no_sandbox"),
            small=config.getoption("small"),
        )
        part = submission.read(path, kit.exercises()).get(exercise)
        done[key] = part and grading.grade(kit, kit.exercise(exercise), part, terms).scorecard
    return done[key]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where no sandbox works, its tests are deselected, and one line says so (CI fails before it comes here)."""
    asked = [item for item in items if item.get_closest_marker("sandbox")]
    if not asked:
        return
    from graders.harness import sandbox

    tier, failures = sandbox.probe()
    if tier is None:
        config.hook.pytest_deselected(items=asked)
        items[:] = [item for item in items if item not in asked]
        config.stash[REMARKS].append(f"no sandbox works here: {len(asked)} tests left out ({failures[0]})")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Wrong use ends before anything is played, in one line."""
    config = session.config
    if config.option.collectonly or not any(isinstance(i, CriterionItem) for i in session.items):
        return
    if not config.getoption("submission"):
        raise pytest.UsageError("graders/ scores a submission: add --submission=PATH")
    from graders.harness import grading

    try:
        if config.getoption("secret_file"):
            grading.read_secret(Path(config.getoption("secret_file")))
            grading.read_packs(Path(config.getoption("secret_file")))
        if not Path(config.getoption("submission")).exists():
            raise UsageError(f"{config.getoption('submission')}: there is no such file or folder")
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the scorecards where --scorecard says."""
    target = session.config.getoption("scorecard")
    if target:
        cards = [json.loads(card.to_bytes()) for _, card in sorted(session.config.stash[CARDS].items()) if card]
        text = json.dumps({"scorecards": cards}, sort_keys=True, ensure_ascii=False, indent=1)
        Path(target).write_text(text + "\n", "utf-8")


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """One line per exercise: the score and what to know before using it; then what was left out."""
    for remark in config.stash[REMARKS]:
        terminalreporter.write_line(remark)
    for _, card in sorted(config.stash[CARDS].items()):
        if card:
            shown = "no score" if card.score is None else f"{card.score} of 100"
            notes = [card.status, *card.outcome.stamps, *(f"HOLD {name}" for name in card.hold)]
            terminalreporter.write_line(f"{card.outcome.exercise}: {shown} ({', '.join(notes)})")
