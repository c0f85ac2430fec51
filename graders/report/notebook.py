"""An exercise as an nbgrader source notebook: brief, starter in solution cells, one graded cell per criterion."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from graders.harness.criterion import Criterion
from graders.harness.exercise import Exercise


def build(exercise: Exercise, criteria: Sequence[Criterion]) -> str:
    """The notebook's text (nbformat 4.5). Points come from the criteria; they are typed nowhere else."""
    cells = [markdown("brief", (exercise.folder / "README.md").read_text("utf-8"))]
    cells.append(code("get-data", f"!caredrill generate --exercise {exercise.name} --out practice_data", {}))
    starter = exercise.folder / "starter"
    for path in sorted(p for p in starter.rglob("*") if p.is_file()):
        name = path.relative_to(starter).as_posix()
        if exercise.allows(name) and path.suffix == ".py":
            # nbgrader empties a solution cell without a region; the region keeps the starter's code in the release.
            text = path.read_text("utf-8") + "\n### BEGIN SOLUTION\n### END SOLUTION"
            cells.append(code(slug(f"file-{name}"), text, {"caredrill": {"file": name}}, solution=True))
        elif exercise.allows(name):
            # Handed in as it stands: a raw cell is run by nobody.
            cells.append(raw(slug(f"file-{name}"), path.read_text("utf-8"), name))
    cells.append(code("check", f"!caredrill check {exercise.name}.ipynb", {}))
    for criterion in criteria:
        text = (
            f"# {criterion.title}\n"
            "import subprocess\n\n"
            f'subprocess.run(["caredrill", "check", "{exercise.name}.ipynb", "--only", "{criterion.id}"], check=True)'
        )
        cells.append(code(slug(f"grade-{criterion.id}"), text, {}, points=criterion.points))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    book = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(book, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def slug(text: str) -> str:
    """A cell id: letters, digits, hyphens and underscores, at most 64."""
    return "".join(c if c.isalnum() else "-" for c in text)[:64]


def markdown(name: str, text: str) -> dict[str, Any]:
    """A prose cell that students cannot change."""
    marks = {"schema_version": 3, "grade": False, "solution": False, "locked": True, "task": False, "grade_id": name}
    return {"cell_type": "markdown", "id": name, "metadata": {"nbgrader": marks}, "source": text.splitlines(True)}


def raw(name: str, text: str, file: str) -> dict[str, Any]:
    """A cell that is a file of the submission and no code."""
    return {"cell_type": "raw", "id": name, "metadata": {"caredrill": {"file": file}}, "source": text.splitlines(True)}


def code(
    name: str, text: str, metadata: dict[str, Any], *, solution: bool = False, points: float | None = None
) -> dict[str, Any]:
    """A code cell: the student's (solution), graded (points) or plain."""
    marks: dict[str, Any] = {}
    if solution or points is not None:
        marks = {"schema_version": 3, "grade": points is not None, "solution": solution, "locked": points is not None}
        marks |= {"task": False, "grade_id": name} | ({"points": points} if points is not None else {})
        metadata = metadata | {"nbgrader": marks}
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": name,
        "metadata": metadata,
        "outputs": [],
        "source": text.splitlines(True),
    }
