"""Grades every submission of a round in parallel; what is finished is kept, so a run that was stopped goes on."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from graders.harness import grading, outcome, sandbox, submission
from graders.harness.errors import ExerciseError, InfrastructureError, UsageError
from graders.harness.grading import Graded, Terms
from graders.harness.kit import Kit
from graders.report import html
from graders.round.workers import Done, each

SUBMISSIONS = "submissions"
# Beside the truth, for nobody else: on what terms the results were made, and where a run keeps its folders meanwhile.
TERMS, SCRATCH = ".truth/terms", ".truth/scratch"


@dataclass(frozen=True)
class Task:
    """One submission to grade. terms: its variant is the submission's identity."""

    kit: Kit
    path: Path
    terms: Terms
    only: str | None
    results: Path
    scratch: Path


@dataclass(frozen=True)
class Verdict:
    """What came of one submission. scores: exercise -> status and score.  trouble: why there is none."""

    identity: str
    scores: dict[str, tuple[str, str | None]]
    trouble: str = ""

    @property
    def complete(self) -> bool:
        """Has every exercise a score?"""
        return not self.trouble and all(score is not None for _, score in self.scores.values())


def is_round(path: Path) -> bool:
    """Does a folder hold many submissions?"""
    return (path / SUBMISSIONS).is_dir()


def identities(place: Path) -> dict[str, Path]:
    """Identity -> folder, zip or notebook, sorted. The name of the file is all that says whose it is.

    Raises UsageError for two of one identity, and for names that cannot be one.
    """
    found: dict[str, Path] = {}
    for path in sorted(place.iterdir()):
        if path.name.startswith("."):
            continue
        identity = path.name if path.is_dir() else path.stem
        check_identity(identity, str(path))
        if identity in found:
            raise UsageError(f"{place}: {found[identity].name} and {path.name} are of one identity: remove one")
        found[identity] = path
    if not found:
        raise UsageError(f"{place}: holds no submission")
    return found


def check_identity(identity: str, source: str) -> None:
    """An identity becomes a folder's name. Raises UsageError."""
    if not identity.isascii() or not identity.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise UsageError(f"{source!a}: an identity is made of letters, digits, '-', '_' and '.', not {identity!a}")
    if identity[0] == "." or len(identity) > 100:
        raise UsageError(f"{source!a}: an identity begins with no '.' and has at most 100 characters")


def grade(kit: Kit, place: Path, terms: Terms, only: str | None, results: Path, workers: int) -> Iterator[Verdict]:
    """Grade what is not finished, then yield the verdict of every submission, in the order of completion.

    Raises UsageError when `results` were made on other terms, InfrastructureError when they cannot be written.
    """
    if only:
        kit.exercise(only)
    if not terms.unsafe:
        sandbox.best()
    found = identities(place)
    keep_terms(results, terms)
    with scratch_folder(results) as scratch:
        tasks = [Task(kit, path, replace(terms, variant=i), only, results, scratch) for i, path in found.items()]
        for done in each(grade_one, tasks, workers):
            yield done.result or given_up(done)


def grade_one(task: Task) -> Verdict:
    """In a worker: one submission, unless it is finished already."""
    tempfile.tempdir = str(task.scratch)
    identity = task.terms.variant
    try:
        parts = submission.read(task.path, task.kit.exercises())
        parts = {name: part for name, part in sorted(parts.items()) if task.only in (None, name)}
        if scores := finished(task, parts):
            return Verdict(identity, scores)
        graded = [grading.grade(task.kit, task.kit.exercise(name), part, task.terms) for name, part in parts.items()]
        keep(task, graded)
    except (UsageError, ExerciseError, InfrastructureError) as error:
        return Verdict(identity, {}, str(error))
    return Verdict(identity, {g.scorecard.outcome.exercise: shown(g) for g in graded})


def keep(task: Task, graded: list[Graded]) -> None:
    """Store what was graded, the page last."""
    folder = task.results / task.terms.variant
    for part in folder.glob(".*.part"):
        part.unlink(missing_ok=True)
    for result in graded:
        grading.store(result, task.results, task.terms.variant)
    html.write([result.scorecard for result in graded], folder / "scorecard.html")


def shown(graded: Graded) -> tuple[str, str | None]:
    """Status and score."""
    card = graded.scorecard
    return card.status, None if card.score is None else str(card.score)


def finished(task: Task, parts: dict[str, submission.Part]) -> dict[str, tuple[str, str | None]]:
    """The scores of a submission that was graded before, by this kit, and kept whole; else nothing."""
    scores: dict[str, tuple[str, str | None]] = {}
    folder = task.results / task.terms.variant
    for name, part in parts.items():
        try:
            card = json.loads((folder / name / "scorecard.json").read_bytes())
            header = (folder / name / "outcome.json").read_bytes()
        except (OSError, ValueError):
            return {}
        whole = card["outcome"] == outcome.sha256(header) and (folder / "scorecard.html").is_file()
        same = card["submission"] == part.digest and card["kit"] == task.kit.digest(name)
        if not whole or not same or card["score"] is None:
            return {}
        scores[name] = card["status"], card["score"]
    return scores


def given_up(done: Done[Task, Verdict]) -> Verdict:
    """The verdict of a submission whose workers died, or broke: no score, and said so where it would be."""
    task = done.task
    reason = "the worker that graded it died twice"
    if done.error:
        reason = f"the worker that graded it broke: {type(done.error).__name__}"
    try:
        parts = submission.read(task.path, task.kit.exercises())
        parts = {name: part for name, part in parts.items() if task.only in (None, name)}
        graded = [
            grading.unplayed(task.kit, task.kit.exercise(name), part, task.terms, reason)
            for name, part in parts.items()
        ]
        keep(task, graded)
    except (UsageError, ExerciseError, InfrastructureError) as error:
        reason = str(error)
    return Verdict(task.terms.variant, {}, reason)


def keep_terms(results: Path, terms: Terms) -> None:
    """Results of one folder are comparable: made with one secret, card, size and pack. Raises UsageError."""
    said = repr((terms.secret, terms.card, terms.small, terms.unsafe, terms.packs))
    fingerprint = hashlib.sha256(said.encode()).hexdigest()
    path = results / TERMS
    if path.is_file() and path.read_text() != fingerprint:
        raise UsageError(f"{results}: holds results made with another secret, card, pack or size: choose another --out")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InfrastructureError(f"{path.parent}: cannot be written ({error.strerror})") from None
    outcome.write_file(path, fingerprint.encode(), 0o600)


@contextlib.contextmanager
def scratch_folder(results: Path) -> Iterator[Path]:
    """Where this run's folders lie meanwhile; those of a run that was killed are removed first."""
    kept = results / SCRATCH
    if kept.is_file():
        old = Path(kept.read_text())
        if old.parent == Path(tempfile.gettempdir()) and old.name.startswith("caredrill-"):
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix="caredrill-"))
    # The sandbox's uid passes through.
    folder.chmod(0o711)
    try:
        outcome.write_file(kept, str(folder).encode(), 0o600)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        kept.unlink(missing_ok=True)
