"""Which of a report's findings are true, which problems it found and whether it names their causes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graders.measures.evidence import several
from graders.measures.subgroup_report import cell_name
from synthetic_data.recipes.subgroup_evaluation import NEED_RATIO

if TYPE_CHECKING:
    from graders.measures.subgroup_report import Finding, Report
    from graders.measures.subgroup_truth import Measured

# One false flag in a report of a hundred cells is chance; each further one costs a fifth.
FREE_FLAGS, FLAG_COSTS = 1, 0.2
# A size is what the definition gives, to within a quarter of its interval: rounding is inside, and so are records that
# were read otherwise, which cost numbers and need not cost findings too. A guess from other data mostly is not.
SIZE_OFF, SIZE_LEAST = 0.25, 0.02
# In which direction these lie where a model reads a group's risk as too low; of the other metrics nothing is known.
UNDER_READ_LOWER = ("sensitivity",)
UNDER_READ_HIGHER = ("o_e", "intercept", "ppv", "brier", NEED_RATIO)
LIST = "report.json, findings"
OPPOSITE = {"higher": "lower", "lower": "higher"}


@dataclass(frozen=True)
class Judged:
    """found: kind -> causes named for it, of the plants that were found.  false: cells flagged wrongly.

    evidence, causes_evidence: findings by number, and kinds of problems; not the cells of those that were missed.
    """

    plants: int
    found: Mapping[str, tuple[str, ...]]
    right_causes: int
    false: tuple[str, ...]
    misjudged: int
    evidence: tuple[str, ...] = ()
    causes_evidence: tuple[str, ...] = ()

    @property
    def recall(self) -> float:
        """Share of the problems that were found."""
        return len(self.found) / self.plants

    @property
    def confirmed(self) -> float:
        """Of the flagged cells that are graded, the share in which there is something; 0 without any."""
        flagged = len(self.found) + len(self.false)
        return len(self.found) / flagged if flagged else 0.0

    @property
    def fraction(self) -> float:
        """What the findings are worth."""
        return self.recall * max(0.0, 1 - FLAG_COSTS * max(0, len(self.false) - FREE_FLAGS))

    @property
    def message(self) -> str:
        """How many of what; no cell is named, as the hidden data's problems are a hidden value."""
        cells = f"{len(self.false)} cell{'s' if len(self.false) != 1 else ''} flagged wrongly"
        parts = [f"{len(self.found)} of {self.plants} problems found", cells]
        if self.misjudged:
            parts.append(f"{self.misjudged} right flags with a size that the data do not give")
        return "; ".join(parts)

    @property
    def causes_message(self) -> str:
        """How many causes are right."""
        return f"{self.right_causes} of {len(self.found)} problems that were found have their cause"

    @property
    def causes_fraction(self) -> float:
        """Share of the found problems whose cause is right; 0 without any."""
        return self.right_causes / len(self.found) if self.found else 0.0


def judge(report: Report, scene: Measured) -> Judged:
    """The findings of tier "act" against the truth; "watch" neither costs nor earns.

    A problem is found by a finding about its cell; parts of it are graded neither way, unless they point the other way.
    """
    plants = {cell_name(plant["cell"], scene.card): plant for plant in scene.truth.plants}
    causes: dict[str, set[str]] = {}
    false: dict[str, list[int]] = {}
    misjudged: dict[str, list[int]] = {}
    right_at: dict[str, list[int]] = {}
    for finding in (finding for finding in report.findings if finding.tier == "act"):
        name = cell_name(finding.cell, scene.card)
        plant = plants.get(name)
        meant = plant["metrics"].get(finding.metric) if plant else None
        if plant and meant == finding.direction:
            if plausible(finding, scene.plant_gaps[name][finding.metric]):
                causes.setdefault(plant["kind"], set()).add(finding.cause)
                right_at.setdefault(plant["kind"], []).append(finding.number)
            else:
                misjudged.setdefault(plant["kind"], []).append(finding.number)
        elif meant == OPPOSITE[finding.direction] or (plant is None and is_false(finding, scene)):
            false.setdefault(name, []).append(finding.number)
    told = {kind: tuple(sorted(named)) for kind, named in causes.items()}
    wrong = [p["kind"] for p in plants.values() if not causes.get(p["kind"], {""}) <= set(p["causes"])]
    missed = sorted(plant["kind"] for plant in plants.values() if plant["kind"] not in causes)
    off = sorted(n for kind, numbers in misjudged.items() if kind not in causes for n in numbers)
    evidence = [f"{LIST}: none finds the problem of kind {kind.replace('_', ' ')}" for kind in missed]
    evidence += [f"{LIST}, {several('item', off)}: right, but of a size that the data do not give"] * bool(off)
    evidence += [f"{LIST}, {several('item', false[name])}: {name} is flagged wrongly" for name in sorted(false)]
    return Judged(
        len(plants),
        told,
        len(plants) - len(wrong),
        tuple(sorted(false)),
        len(misjudged.keys() - causes.keys()),
        tuple(evidence),
        tuple(
            f"{LIST}, {several('item', sorted(right_at[kind]))}: not the cause" for kind in wrong if kind in right_at
        ),
    )


def is_false(finding: Finding, scene: Measured) -> bool:
    """Whether what a finding says of a cell is not so: nothing to find, the other way, or case-mix.

    Cells that are off as the finding says, but not by twice what is material, are graded neither way.
    """
    gap = scene.gap(finding.cell)
    if gap is None:
        return False
    if gap.null or scene.is_small(finding.cell):
        return True
    if finding.metric == "sensitivity" and gap.explained:
        return True
    lower, higher = finding.metric in UNDER_READ_LOWER, finding.metric in UNDER_READ_HIGHER
    if not lower and not higher:
        return False
    return not gap.towards(1 if (finding.direction == "higher") == higher else -1)


def plausible(finding: Finding, gap: Any) -> bool:
    """Whether the size is one that the data give."""
    if finding.size is None:
        return False
    return bool(abs(finding.size - gap.est) <= max(SIZE_LEAST, SIZE_OFF * (gap.hi - gap.lo)))
