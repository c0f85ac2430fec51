"""What grading left behind, as everything that reports on a round reads it: files, and nothing but files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from graders.harness.errors import InfrastructureError, UsageError
from graders.harness.kit import Kit
from graders.round import rounds
from graders.round.roles import Role

# The round's description, without names, kept with its results.
DESCRIPTION = "round.toml"
# Of a stored scorecard, what reports read.
KEYS = {
    "kit",
    "exercise",
    "variant",
    "seed",
    "submission",
    "outcome",
    "truth",
    "stamps",
    "status",
    "reason",
    "hold",
    "score",
}
KEYS |= {"score", "points", "criteria"}
LINE_KEYS = {"id", "title", "skill", "points", "earned", "verdict", "critical", "message", "remedy"}


@dataclass(frozen=True)
class Result:
    """One exercise of one submission. card: its stored scorecard.json."""

    folder: Path
    card: Mapping[str, Any]

    @property
    def exercise(self) -> str:
        """Its name."""
        return str(self.card["exercise"])

    @property
    def score(self) -> Decimal | None:
        """Of 100; None when the fault was ours."""
        return None if self.card["score"] is None else Decimal(self.card["score"])

    @property
    def submitted(self) -> dict[str, bytes]:
        """What was handed in, by relative name. Raises InfrastructureError."""
        place = self.folder / "submitted"
        try:
            return {p.relative_to(place).as_posix(): p.read_bytes() for p in sorted(place.rglob("*")) if p.is_file()}
        except OSError as error:
            raise InfrastructureError(f"{place}: cannot be read ({error.strerror})") from None


@dataclass(frozen=True)
class Results:
    """role: None without a round.toml.  found: identity -> exercise -> result.  missing: who handed in nothing."""

    folder: Path
    role: Role | None
    found: Mapping[str, Mapping[str, Result]]
    missing: tuple[str, ...] = ()

    def total(self, identity: str) -> Decimal | None:
        """The weighted score of 100 by the role; None without one, or when an exercise has none."""
        results = self.found[identity]
        if self.role is None or not set(self.role.weights) <= set(results):
            return None
        return self.role.total({name: results[name].score for name in self.role.weights})

    def one(self, identity: str) -> Mapping[str, Result]:
        """The results of one submission. Raises UsageError when there are none."""
        if identity not in self.found:
            known = ", ".join(self.found)
            raise UsageError(f"{self.folder}: holds no results of {identity!a}; it has {known[:200]}")
        return self.found[identity]


def read(kit: Kit, folder: Path) -> Results:
    """Everything below a results folder, sorted. Raises UsageError when it holds none, InfrastructureError."""
    found: dict[str, dict[str, Result]] = {}
    for path in sorted(folder.glob("*/*/scorecard.json")):
        place = path.parent
        try:
            card = json.loads(path.read_bytes())
            sound = card["exercise"] == place.name and set(card) >= KEYS
            sound = sound and all(set(line) >= LINE_KEYS for line in card["criteria"])
            sound = sound and (card["score"] is None or Decimal(card["score"]).is_finite())
        except (OSError, ValueError, KeyError, TypeError, ArithmeticError, RecursionError):
            sound = False
        if not sound:
            raise InfrastructureError(f"{path}: cannot be read; `caredrill regrade` makes it anew")
        found.setdefault(place.parent.name, {})[place.name] = Result(place, card)
    if not found:
        raise UsageError(f"{folder}: holds no results (<id>/<exercise>/scorecard.json)")
    said = rounds.described(kit, folder / DESCRIPTION) if (folder / DESCRIPTION).is_file() else None
    missing = sorted(set(said.variants) - set(found)) if said else []
    return Results(folder, said.role if said else None, found, tuple(missing))
