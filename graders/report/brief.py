"""The part of a brief that is generated: the table of criteria and points, between two marks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from graders.harness.criterion import Criterion

BEGIN, END = "<!-- criteria: begin (generated) -->", "<!-- criteria: end -->"


def with_criteria(text: str, criteria: Sequence[Criterion]) -> str:
    """The brief with its table of criteria as the grader has them now. Raises ValueError without the two marks."""
    rows = ["| criterion | points | skill | |", "|---|---:|---|---|"]
    for c in criteria:
        title = c.title.replace("|", "\\|")
        rows.append(f"| `{c.id}`: {title} | {c.points:g} | {c.skill} | {'critical' if c.critical else ''} |")
    table = "\n".join([BEGIN, *rows, END])
    changed, count = re.subn(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: table, text, flags=re.DOTALL)
    if count != 1:
        raise ValueError(f"needs the lines {BEGIN} and {END} once")
    return changed
