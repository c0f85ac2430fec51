"""Blueprints: which exercises a role is asked, and what each weighs. One file a role, in graders/roles/."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from graders.harness.errors import ExerciseError, UsageError
from graders.harness.kit import HOME, Kit
from graders.harness.scorecard import money

# More than this is not one evening, and tests who has the time.
MOST_MINUTES = 180


@dataclass(frozen=True)
class Role:
    """weights: percent by exercise, in the packet's order.  band: scores of 100 between which a person decides."""

    name: str
    title: str
    about: str
    weights: Mapping[str, int]
    band: tuple[float, float]
    minutes: int

    def total(self, scores: Mapping[str, Decimal | None]) -> Decimal | None:
        """The weighted score of 100; None when any exercise has none."""
        found = [(scores[name], weight) for name, weight in self.weights.items()]
        if any(score is None for score, _ in found):
            return None
        return money(sum((score or Decimal(0)) * weight for score, weight in found) / Decimal(100))

    def place(self, total: Decimal) -> str:
        """Where a weighted score lies: below, in or above the band."""
        low, high = self.band
        return "below the band" if total < money(low) else "above the band" if total > money(high) else "in the band"


def folders(kit: Kit) -> list[Path]:
    """Where roles lie: in the kit at hand, then in this one."""
    return list(dict.fromkeys([kit.root / "graders/roles", HOME / "graders/roles"]))


def names(kit: Kit) -> list[str]:
    """Roles all of whose exercises this kit has, sorted."""
    found = {path.stem: path for folder in reversed(folders(kit)) for path in folder.glob("*.toml")}
    return sorted(name for name in found if set(load(kit, name, check=False).weights) <= set(kit.names()))


def load(kit: Kit, name: str, check: bool = True) -> Role:
    """One role. Raises UsageError when there is none of this name, ExerciseError for a faulty blueprint."""
    path = next((f / f"{name}.toml" for f in folders(kit) if (f / f"{name}.toml").is_file()), None)
    if path is None:
        raise UsageError(f"unknown role {name!r}: choose from {', '.join(names(kit))}")
    try:
        data = tomllib.loads(path.read_text("utf-8"))
        weights = {str(part["name"]): part["weight"] for part in data["exercises"]}
        low, high = data["band"]
        title, about = str(data["title"]), str(data["about"])
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise ExerciseError(f"{path}: needs title, about, band and exercises with name and weight ({error})") from None
    minutes = sum(kit.exercise(part).minutes for part in weights) if check else 0
    role = Role(name, title, about, weights, (low, high), minutes)
    if check:
        sound(role, path, data)
    return role


def sound(role: Role, path: Path, data: Mapping[str, Any]) -> None:
    """Raises ExerciseError for weights that are not 100 together, a band out of order, or too long an evening."""
    if len(role.weights) < len(data["exercises"]):
        raise ExerciseError(f"{path}: an exercise is named twice")
    if not all(isinstance(w, int) and w > 0 for w in role.weights.values()) or sum(role.weights.values()) != 100:
        raise ExerciseError(f"{path}: weights must be whole numbers above 0 and 100 together")
    if not 0 < role.band[0] < role.band[1] < 100:
        raise ExerciseError(f"{path}: band must be two scores between 0 and 100, the lower first")
    if role.minutes > MOST_MINUTES:
        raise ExerciseError(f"{path}: takes {role.minutes} minutes; at most {MOST_MINUTES} can be asked of anybody")


def coverage(kit: Kit, role: Role) -> list[tuple[str, dict[str, float]]]:
    """Skill -> share of the role's points by exercise, in percent; the largest first."""
    shares: dict[str, dict[str, float]] = {}
    for name, weight in role.weights.items():
        criteria = kit.criteria(name)
        points = sum(c.points for c in criteria)
        for c in criteria:
            row = shares.setdefault(c.skill, dict.fromkeys(role.weights, 0.0))
            row[name] += weight * c.points / points
    return sorted(shares.items(), key=lambda item: -sum(item[1].values()))
