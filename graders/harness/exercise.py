"""The manifest `exercise.toml` as checked values."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from graders.harness.errors import ExerciseError
from graders.harness.sandbox import Limits, Program

KINDS = ("call", "object", "serve")


@dataclass(frozen=True)
class Exercise:
    """One exercise. minutes: a competent candidate's time.  settings: sizes of the scene, `ci_settings` small ones.

    sweep: those of the runs over many variants that `make evidence` makes, and `variants`, how many there are.
    standard_error: by how many points of 100 the same work varies from one variant to another, as measured by
    `make evidence`; None when it was not.
    """

    name: str
    folder: Path
    title: str
    minutes: int
    skills: tuple[str, ...]
    entry: str
    allow: tuple[str, ...]
    max_files: int
    max_mb: float
    kind: str
    target: str
    packages: tuple[str, ...]
    limits: Limits
    outputs: tuple[str, ...]
    practice_seed: str
    settings: Mapping[str, int]
    ci_settings: Mapping[str, int]
    sweep: Mapping[str, int]
    standard_error: float | None

    def allows(self, name: str) -> bool:
        """May a submission hold a file of this relative name?"""
        return any(re.fullmatch(glob_pattern(p), name) for p in self.allow)

    @property
    def program(self) -> Program:
        """How the sandbox runs a submission to this exercise."""
        return Program(self.kind, self.entry, self.target, tuple(glob_pattern(p) for p in self.outputs))


def glob_pattern(glob: str) -> str:
    """A regular expression for a path glob: `*` stays within a folder, `**/` is any depth (also none)."""
    pieces = [
        "(?:[^/]+/)*" if piece == "**/" else "[^/]*" if piece == "*" else re.escape(piece)
        for piece in re.split(r"(\*\*/|\*)", glob)
    ]
    return "".join(pieces)


def load(folder: Path) -> Exercise:
    """Read and check one manifest. Raises ExerciseError, naming file and key."""
    path = folder / "exercise.toml"
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ExerciseError(f"{path} is missing: every exercise has a manifest") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ExerciseError(f"{path}: {error}") from None

    def take(section: str, key: str, kind: type | tuple[type, ...]) -> Any:
        table = data.get(section, {}) if section else data
        label = f"[{section}] {key}" if section else key
        if key not in table:
            raise ExerciseError(f"{path}: '{label}' is missing")
        value = table[key]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise ExerciseError(f"{path}: '{label}' has the wrong type ({type(value).__name__})")
        return value

    def words(section: str, key: str) -> tuple[str, ...]:
        value = take(section, key, list)
        if not all(isinstance(v, str) for v in value):
            raise ExerciseError(f"{path}: '[{section}] {key}' must be a list of texts")
        return tuple(value)

    if take("", "schema", int) != 1:
        raise ExerciseError(f"{path}: this kit reads schema 1, not {data['schema']}")
    minutes = take("", "minutes", int)
    if minutes <= 0:
        raise ExerciseError(f"{path}: 'minutes' must be above 0, not {minutes}")
    kind = take("run", "kind", str)
    if kind not in KINDS:
        raise ExerciseError(f"{path}: '[run] kind' must be one of {', '.join(KINDS)}, not {kind!r}")
    limits = take("run", "limits", dict)
    known = {f.name for f in fields(Limits)}
    if unknown := sorted(set(limits) - known):
        raise ExerciseError(f"{path}: '[run] limits' has unknown keys {', '.join(unknown)}; known are {sorted(known)}")
    for key, value in limits.items():
        if not isinstance(value, (int, float)) or isinstance(value, bool) or value <= 0:
            raise ExerciseError(f"{path}: '[run] limits.{key}' must be a number above 0")
    practice_seed = take("data", "practice_seed", str)
    if not re.fullmatch(r"[0-9a-f]{64}", practice_seed):
        raise ExerciseError(f"{path}: '[data] practice_seed' must be 64 hexadecimal digits")
    return Exercise(
        name=folder.name,
        folder=folder,
        title=take("", "title", str),
        minutes=minutes,
        skills=words("", "skills"),
        entry=take("submit", "entry", str),
        allow=words("submit", "allow"),
        max_files=take("submit", "max_files", int),
        max_mb=take("submit", "max_mb", (int, float)),
        kind=kind,
        target=take("run", "target", str),
        packages=words("run", "packages"),
        limits=Limits(**limits),
        outputs=words("run", "outputs"),
        practice_seed=practice_seed,
        settings=take("data", "settings", dict),
        ci_settings=take("data", "ci_settings", dict),
        sweep=take("data", "sweep", dict) if "sweep" in data["data"] else {},
        standard_error=take("", "standard_error", (int, float)) if "standard_error" in data else None,
    )
