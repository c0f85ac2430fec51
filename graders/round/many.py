"""Grades every submission of a round in parallel; what is finished is kept, so a run that was stopped goes on."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from graders.harness import grading, outcome, sandbox, submission
from graders.harness.errors import ExerciseError, InfrastructureError, UsageError
from graders.harness.grading import Graded, Terms
from graders.harness.kit import Kit
from graders.report import html
from graders.round.results import DESCRIPTION
from graders.round.rounds import Round
from graders.round.workers import Done, each

# Beside the truth, for nobody else: on what terms the results were made, and where a run keeps its folders meanwhile.
TERMS, SCRATCH = ".truth/terms", ".truth/scratch"


@dataclass(frozen=True)
class Task:
    """One submission to grade. exercises: those that are asked of it, or () for those that it holds."""

    kit: Kit
    identity: str
    path: Path
    terms: Terms
    exercises: tuple[str, ...]
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


def grade(kit: Kit, round_: Round, terms: Terms, only: str | None, results: Path, workers: int) -> Iterator[Verdict]:
    """Grade what is not finished, then yield the verdict of every submission, in the order of completion.

    only: one exercise, in place of the role's.  Raises UsageError when `results` were made on other terms,
    InfrastructureError when they cannot be written.
    """
    asked = (only,) if only else tuple(round_.role.weights) if round_.role else ()
    for name in asked:
        kit.exercise(name)
    if not terms.unsafe:
        sandbox.best()
    keep_terms(results, terms)
    description = round_.folder / DESCRIPTION
    if description.is_file():
        outcome.write_file(results / DESCRIPTION, description.read_bytes())
    with scratch_folder(results) as scratch:
        tasks = [
            Task(kit, identity, path, replace(terms, variant=round_.variants[identity]), asked, results, scratch)
            for identity, path in round_.submissions.items()
        ]
        for done in each(grade_one, tasks, workers):
            yield done.result or given_up(done)


def grade_one(task: Task) -> Verdict:
    """In a worker: one submission, unless it is finished already."""
    tempfile.tempdir = str(task.scratch)
    identity = task.identity
    try:
        parts = handed_in(task)
        if scores := finished(task, parts):
            return Verdict(identity, scores)
        graded = [grading.grade(task.kit, task.kit.exercise(name), part, task.terms) for name, part in parts.items()]
        keep(task, graded)
    except (UsageError, ExerciseError, InfrastructureError) as error:
        return Verdict(identity, {}, str(error))
    return Verdict(identity, {g.scorecard.outcome.exercise: shown(g) for g in graded})


def handed_in(task: Task) -> dict[str, submission.Part]:
    """What there is of each exercise that is asked, by name. Raises UsageError when it cannot be read at all."""
    asked = [task.kit.exercise(name) for name in task.exercises] or task.kit.exercises()
    parts = submission.read(task.path, asked)
    for exercise in asked if task.exercises else []:
        fault = f"{task.path.name} holds no {exercise.name}/{exercise.entry}"
        parts.setdefault(exercise.name, submission.Part(status="not_submitted", fault=fault))
    return dict(sorted(parts.items()))


def keep(task: Task, graded: list[Graded]) -> None:
    """Store what was graded, the page last."""
    folder = task.results / task.identity
    for part in folder.glob(".*.part"):
        part.unlink(missing_ok=True)
    for result in graded:
        grading.store(result, task.results, task.identity)
    html.write([result.scorecard for result in graded], folder / "scorecard.html", task.kit)


def shown(graded: Graded) -> tuple[str, str | None]:
    """Status and score."""
    card = graded.scorecard
    return card.status, None if card.score is None else str(card.score)


def finished(task: Task, parts: dict[str, submission.Part]) -> dict[str, tuple[str, str | None]]:
    """The scores of a submission that was graded before, by this kit, and kept whole; else nothing."""
    scores: dict[str, tuple[str, str | None]] = {}
    folder = task.results / task.identity
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
        graded = [
            grading.unplayed(task.kit, task.kit.exercise(name), part, task.terms, reason)
            for name, part in handed_in(task).items()
        ]
        keep(task, graded)
    except (UsageError, ExerciseError, InfrastructureError) as error:
        reason = str(error)
    return Verdict(task.identity, {}, reason)


def keep_terms(results: Path, terms: Terms) -> None:
    """Results of one folder are comparable: made with one secret, card, size and pack. Raises UsageError."""
    path = results / TERMS
    same_terms(results, terms)
    try:
        # Results name candidates, and their index tells who is who on a blind page.
        results.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise InfrastructureError(f"{path.parent}: cannot be written ({error.strerror})") from None
    outcome.write_file(path, fingerprint(terms).encode(), 0o600)


def same_terms(results: Path, terms: Terms) -> None:
    """Raises UsageError, saying as well as can be told why, when a folder's results were made on other terms."""
    path = results / TERMS
    if not path.is_file() or path.read_text() == fingerprint(terms):
        return
    others = {
        f"{'without' if terms.small else 'with'} --small": replace(terms, small=not terms.small),
        "without a secret, on practice data": replace(terms, secret=None, packs={}),
        f"{'without' if terms.unsafe else 'with'} --unsafe-no-sandbox": replace(terms, unsafe=not terms.unsafe),
    }
    how = [words for words, other in others.items() if path.read_text() == fingerprint(other)]
    said = how[0] if how else "with another secret, card, pack or size"
    raise UsageError(f"{results}: holds results made {said}: choose another --out")


def check_secret(results: Path, stamps: Collection[str], secret: bytes, packs: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises UsageError for a secret or packs other than those the results were made with.

    stamps: of their scorecards. Results of single submissions, of practice data, and those made with a card of the
    team's choice, do not say.
    """
    terms = Terms("", secret, unsafe="UNSAFE" in stamps, small="SMALL" in stamps, packs=packs)
    kept = results / TERMS
    known = kept.is_file() and not {"PRACTICE", "OTHER CARD"} & set(stamps)
    if known and kept.read_text() != fingerprint(terms):
        raise UsageError(
            f"--secret-file is not the secret of these results: {results} was graded with another secret, "
            "or with other packs beside it"
        )


def fingerprint(terms: Terms) -> str:
    """On what terms results were made, without telling the secret."""
    said = repr((terms.secret, terms.card, terms.small, terms.unsafe, terms.packs))
    return hashlib.sha256(said.encode()).hexdigest()


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
