"""A candidate's work as `check` and `submit` look at it: what is there of each exercise, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from graders.handing_in import contract, strays
from graders.handing_in.finding import Finding
from graders.harness import submission
from graders.harness.exercise import Exercise
from graders.harness.submission import Listing, Part, below


@dataclass(frozen=True)
class Work:
    """parts: what is there, by exercise.  findings: of the contract, by the same.  nothing: exercises without any.

    listing: None for a notebook and for what cannot be listed.
    """

    path: Path
    exercises: tuple[Exercise, ...]
    parts: Mapping[str, Part]
    findings: Mapping[str, list[Finding]]
    nothing: tuple[str, ...]
    listing: Listing | None

    def blocking(self, name: str) -> list[Finding]:
        """Why grading would not run an exercise."""
        return [finding for finding in self.findings[name] if finding.weight == "blocks"]

    @property
    def strays(self) -> list[Finding]:
        """Files that would stay behind, each with the reason."""
        return strays.find(self.listing, self.exercises, self.parts) if self.listing else []

    def practice(self, root: Path) -> list[Path]:
        """Folders of practice data in the work or beside it; root: of the kit, which may be a packet's."""
        beside = self.path if self.path.is_dir() else self.path.parent
        names = [f"practice/{name}" for name in self.parts] + ["data", "practice_data"]
        places = [place / name for place in dict.fromkeys((root, beside.parent, beside)) for name in names]
        sizes = self.listing.sizes if self.listing and self.path.is_dir() else {}
        cards = [PurePosixPath(name).parent for name in sizes if PurePosixPath(name).name == strays.CARD]
        places += [beside / card for card in cards if str(card) not in (".", *self.parts)]
        return [place for place in dict.fromkeys(places) if (place / strays.CARD).is_file()]


def look(path: Path, exercises: Iterable[Exercise]) -> Work:
    """Read a folder, zip or notebook and look at each exercise's contract. Raises UsageError when nothing is there."""
    exercises = tuple(exercises)
    parts, listing = submission.read(path, exercises), strays.listed(path, exercises)
    begun = {e.name: parts[e.name] for e in exercises if e.name in parts and is_begun(e, parts[e.name], listing)}
    findings = {e.name: contract.look(e, begun[e.name]) for e in exercises if e.name in begun}
    nothing = tuple(e.name for e in exercises if e.name not in begun)
    return Work(path, exercises, begun, findings, nothing, listing)


def is_begun(exercise: Exercise, part: Part, listing: Listing | None) -> bool:
    """Is there anything of an exercise? A folder with the policy card alone is nothing."""
    if part.status != "not_submitted" or listing is None:
        return part.status != "not_submitted"
    return any(exercise.allows(name) for name in below(listing, f"{exercise.name}/").sizes)
