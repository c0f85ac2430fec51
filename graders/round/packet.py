"""What a candidate gets: briefs, starters, practice data, a policy card, and the part of the kit that `check` needs."""

from __future__ import annotations

import functools
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from graders.harness import grading
from graders.harness.errors import ExerciseError, InfrastructureError
from graders.harness.exercise import Exercise
from graders.harness.grading import Terms
from graders.harness.kit import HOME, RECIPE, RUBRIC, Kit
from graders.harness.tier import FILES
from graders.round import canaries, closure
from graders.round.roles import Role

VERBS = ("__main__", "check", "doctor", "generate", "submit")
# Of the kit's own folder, what an installation needs.
ROOT = ("pyproject.toml", "constraints.txt", "LICENSE")
# The earliest time that a zip can carry: the same packet has the same bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)
COMMITTED = "2000-01-01T00:00:00+0000"


def files(kit: Kit, role: Role, identity: str, terms: Terms, contact: str = "") -> dict[str, bytes]:
    """Relative name -> bytes of a candidate's packet. terms: the team's secret and the candidate's variant.

    Raises ExerciseError when the kit lacks one of the role's exercises.
    """
    exercises = [kit.exercise(name) for name in role.weights]
    found = dict(tools(kit, tuple(role.weights)))
    found["START.md"] = start_page(role, exercises, identity, contact).encode()
    for exercise in exercises:
        name = exercise.name
        for path in sorted(p for p in exercise.folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
            found[f"exercises/{name}/{path.relative_to(exercise.folder).as_posix()}"] = path.read_bytes()
        card = kit.recipe(name).draw_card(grading.seed_for(exercise, terms, "card"))
        public = grading.make_scene(kit, exercise, Terms("practice", card=card)).public
        practice = canaries.marked(kit, exercise, public, terms)
        found |= {f"practice/{name}/{file}": data for file, data in practice.items()}
        found[f"work/{name}/card.toml"] = practice["card.toml"]
        prefix = f"exercises/{name}/starter/"
        starter = {file.removeprefix(prefix): data for file, data in found.items() if file.startswith(prefix)}
        found |= {f"work/{name}/{file}": data for file, data in starter.items()}
    return found


@functools.cache
def tools(kit: Kit, exercises: tuple[str, ...]) -> Mapping[str, bytes]:
    """The part of the kit that checks these exercises, and no other exercise's rubric, recipe or measures."""
    if kit.root != HOME:
        raise ExerciseError(f"{kit.root}: packets are made of this kit's own exercises; copy yours into a clone of it")
    first = [f"graders/commands/{verb}.py" for verb in VERBS] + [f"graders/harness/{name}" for name in FILES]
    for name in exercises:
        first += [RUBRIC.format(name), RECIPE.format(name)]
    names = closure.modules(HOME, first)
    tables = (p for p in (HOME / "synthetic_data").rglob("*") if p.is_file() and p.suffix not in (".py", ".pyc"))
    names += [p.relative_to(HOME).as_posix() for p in tables] + [name for name in ROOT if (HOME / name).is_file()]
    found = {name: (HOME / name).read_bytes() for name in sorted(names)}
    # The README speaks of the whole kit.
    found["pyproject.toml"] = found["pyproject.toml"].replace(b'"README.md"', b'"START.md"')
    return found


def start_page(role: Role, exercises: list[Exercise], identity: str, contact: str) -> str:
    """START.md: one page."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - Markdown of our own words
    )
    page = environment.get_template("START.md.j2")
    return page.render(role=role, exercises=exercises, identity=identity, contact=contact) + "\n"


@dataclass(frozen=True)
class Task:
    """One packet to make, in `out`."""

    kit: Kit
    role: Role
    identity: str
    terms: Terms
    contact: str
    out: Path


def make(task: Task) -> bool:
    """Write <id>.zip and the repository <id>/; False where there is no git."""
    found = files(task.kit, task.role, task.identity, task.terms, task.contact)
    write_zip(found, task.out / f"{task.identity}.zip")
    return write_repository(found, task.out / task.identity)


def write_zip(found: Mapping[str, bytes], path: Path) -> None:
    """One zip; the same files give the same bytes. Raises InfrastructureError."""
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in sorted(found.items()):
                archive.writestr(zipfile.ZipInfo(f"{path.stem}/{name}", EPOCH), data, zipfile.ZIP_DEFLATED)
    except OSError as error:
        raise InfrastructureError(f"{path}: cannot be written ({error.strerror})") from None


def write_repository(found: Mapping[str, bytes], folder: Path) -> bool:
    """The same as a git repository of one commit; False, and a plain folder, where there is no git."""
    for name, data in found.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except OSError as error:
            raise InfrastructureError(f"{path}: cannot be written ({error.strerror})") from None
    if not shutil.which("git"):
        return False
    who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in (
        ("NAME", "caredrill"), ("EMAIL", "caredrill@example.org"), ("DATE", COMMITTED))}  # fmt: skip
    for words in (["init", "-q", "-b", "main"], ["add", "-A", "-f"], ["commit", "-q", "-m", "The packet"]):
        # No hooks, signing or ignore files of whoever makes the packet.
        settings = {
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
        }
        done = subprocess.run(
            ["git", *words], cwd=folder, env=who | settings, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise InfrastructureError(f"{folder}: git {words[0]} failed: {done.stderr.strip()[:200]}")
    return True
