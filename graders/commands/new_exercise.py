"""Start a new exercise: a folder, a recipe, a grader file and samples that pass the kit's lint."""

from __future__ import annotations

import argparse
import hashlib
import keyword
import re
from pathlib import Path

from graders.commands._options import add_kit
from graders.harness.errors import ExerciseError, UsageError
from graders.harness.kit import Kit
from graders.harness.outcome import write_file

TEMPLATE = Path(__file__).with_name("new_exercise_template")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("name", metavar="NAME", help="a Python identifier, e.g. alarm_fatigue")
    parser.add_argument("--refresh", action="store_true", help="NAME exists: rewrite what is generated of it")
    add_kit(parser)


def run(args: argparse.Namespace) -> int:
    """Write the files, or refresh the generated parts of an exercise that is there."""
    name, root = args.name, args.kit.resolve()
    if not re.fullmatch(r"[a-z][a-z0-9_]{2,40}", name) or keyword.iskeyword(name):
        raise UsageError(f"{name!r} is not a name: use 3 to 41 of a-z, 0-9 and _, starting with a letter")
    there = (root / "exercises" / name).exists()
    if there and not args.refresh:
        raise UsageError(f"exercises/{name} exists already: choose another name, or --refresh")
    if not there:
        if args.refresh:
            raise UsageError(f"exercises/{name} does not exist: nothing to refresh")
        for source in sorted(p for p in TEMPLATE.rglob("*") if p.is_file()):
            target = root / source.relative_to(TEMPLATE).as_posix().replace("NAME", name).removesuffix(".txt")
            if target.exists():
                raise UsageError(f"{target} exists already: remove it or choose another name")
            text = source.read_text("utf-8").replace("NAME", name)
            seed = hashlib.sha256(f"practice/{name}".encode()).hexdigest()
            write_file(target, text.replace("PRACTICE_SEED", seed).encode())
            print(f"wrote {target.relative_to(root)}")
    for path in refresh(Kit(root), name):
        print(f"wrote {path.relative_to(root)}")
    print("next: pytest tests/test_exercises.py" if not there else "refreshed")
    return 0


def refresh(kit: Kit, name: str) -> list[Path]:
    """Rewrite what is generated from the criteria: the brief's table, the notebook, and the kit's page of roles."""
    from graders.report import brief, notebook, roles

    exercise, criteria = kit.exercise(name), kit.criteria(name)
    readme, book = exercise.folder / "README.md", exercise.folder / f"{name}.ipynb"
    try:
        text = brief.with_criteria(readme.read_text("utf-8"), criteria)
    except (OSError, ValueError) as error:
        raise ExerciseError(f"{readme}: {error}") from None
    write_file(readme, text.encode())
    write_file(book, notebook.build(exercise, criteria).encode())
    written = [readme, book]
    if (page := kit.root / "docs/roles.md").is_file():
        write_file(page, roles.page(kit).encode())
        written.append(page)
    return written
