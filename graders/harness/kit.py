"""Finds exercises, recipes and graders by name in a folder laid out like this kit; there is no registry."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from graders.harness.criterion import Criterion
from graders.harness.errors import ExerciseError, UsageError
from graders.harness.exercise import Exercise, load
from graders.harness.submission import digest
from synthetic_data.scene import Recipe

if TYPE_CHECKING:
    from graders.harness.figure import Figure
    from graders.harness.outcome import Outcome

HOME = Path(__file__).resolve().parents[2]
# Where an exercise's own two programs lie in a kit.
RUBRIC, RECIPE = "graders/test_{}.py", "synthetic_data/recipes/{}.py"


@dataclass(frozen=True)
class Kit:
    """A folder with exercises/, graders/ and synthetic_data/recipes/: this clone, or a team's private one."""

    root: Path = HOME

    def names(self) -> list[str]:
        """Every exercise, sorted."""
        return sorted(p.parent.name for p in (self.root / "exercises").glob("*/exercise.toml"))

    def exercise(self, name: str) -> Exercise:
        """The manifest of one exercise. Raises UsageError when there is none of this name."""
        if name not in self.names():
            raise UsageError(f"unknown exercise {name!r}: this kit has {', '.join(self.names()) or 'none'}")
        return load(self.root / "exercises" / name)

    def exercises(self) -> list[Exercise]:
        """All manifests, by name."""
        return [self.exercise(name) for name in self.names()]

    def recipe(self, name: str) -> Recipe:
        """The module that makes an exercise's scenes."""
        return cast(Recipe, self._module(RECIPE.format(name), f"exercise {name} has no recipe"))

    def criteria(self, name: str) -> list[Criterion]:
        """An exercise's rubric, in the order of its file."""
        module = self._module(RUBRIC.format(name), f"exercise {name} has no grader")
        found = [v.criterion for v in vars(module).values() if isinstance(getattr(v, "criterion", None), Criterion)]
        if not found:
            raise ExerciseError(f"{module.__file__}: holds no function marked @criterion")
        return found

    def figures(self, name: str, outcome: Outcome, truth: Any) -> tuple[Figure, ...]:
        """What the rubric draws of an outcome, where it has a function `figures`."""
        module = self._module(RUBRIC.format(name), f"exercise {name} has no grader")
        draw = getattr(module, "figures", None)
        return tuple(draw(outcome, truth)) if draw else ()

    def digest(self, name: str) -> str:
        """Version, and hash of all code and data that can change a score of this exercise: "0.1.0 sha256:…".

        Other exercises and the installed packages are not in it; a record names the versions of these.
        """
        return f"{kit_version()} {_digest(self.root, name)}"

    def _module(self, relative: str, lack: str) -> ModuleType:
        path = self.root / relative
        if not path.is_file():
            raise ExerciseError(f"{lack}: add {relative}")
        return _load_module(path)


@functools.cache
def _load_module(path: Path) -> ModuleType:
    # Loaded from its file, past import hooks: pytest would rewrite the asserts of test_*.py, and a rewritten
    # assert puts the compared values, hidden ones among them, into its message.
    name = f"caredrill_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ExerciseError(f"{path}: cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@functools.cache
def _digest(root: Path, name: str) -> str:
    own = (RUBRIC.format(name), RECIPE.format(name), f"exercises/{name}/exercise.toml")
    files = {relative: root / relative for relative in own}
    for place in ("graders/harness", "graders/measures", "synthetic_data"):
        for path in (HOME / place).rglob("*"):
            relative = path.relative_to(HOME).as_posix()
            # Of the recipes, this exercise's alone.
            if path.is_file() and "__pycache__" not in relative and not relative.startswith("synthetic_data/recipes"):
                files[relative] = path
    return digest({relative: path.read_bytes() for relative, path in files.items()})


@functools.cache
def kit_version() -> str:
    """The version of this kit, as scorecards carry it."""
    try:
        return version("caredrill")
    except PackageNotFoundError:
        return "0"
