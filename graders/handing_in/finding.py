"""What is wrong with a submission to an exercise, or worth knowing, and how much it matters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# Grading would not run it; grading would run it and miss something; worth knowing.
Weight = Literal["blocks", "fault", "note"]


@dataclass(frozen=True)
class Finding:
    """where: "file:line", a file, or "" for the whole.  text: one sentence, without any secret or data row."""

    weight: Weight
    where: str
    text: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.where}: {self.text}" if self.where else self.text
