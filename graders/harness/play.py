"""Plays a submission through a scene's steps in the sandbox. The only loop that runs candidate code."""

from __future__ import annotations

import builtins
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from graders.harness.errors import GraderError, place
from graders.harness.exercise import Exercise
from graders.harness.packages import importable
from graders.harness.sandbox import UNSAFE, Mounts, Tier, open_pipe
from synthetic_data.scene import Files, Reply, Request, Scene


@dataclass(frozen=True)
class Played:
    """replies: one per step.  truth: what the scene knew and what its steps added.  blocked: why the play ended
    early, or "".  log: the last that the submission printed; for its author on practice data, never stored.
    """

    replies: tuple[Reply, ...]
    truth: Files
    blocked: str
    log: str


def play(exercise: Exercise, files: Files, scene: Scene, tier: Tier) -> Played:
    """Send every step of `scene` to a sandboxed copy of the submission.

    Raises InfrastructureError when the machine fails and GraderError when the recipe does.
    """
    # Outside TMPDIR-relative guesses of the submission: a fresh folder, readable by the sandbox's uid.
    folder = Path(tempfile.mkdtemp(prefix="caredrill-"))
    try:
        folder.chmod(0o755)
        for name, data in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        packages = {} if tier is UNSAFE else importable(exercise.packages)
        return run(exercise, files, Mounts(folder, packages), scene, tier)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(exercise: Exercise, files: Files, mounts: Mounts, scene: Scene, tier: Tier) -> Played:
    """The loop itself."""
    replies: list[Reply] = []
    added: Files = {}
    log, steps = "", scene.steps()
    with open_pipe(tier, mounts, exercise.limits, exercise.program) as pipe:
        try:
            request = next(steps)
        except StopIteration:
            raise GraderError(f"the recipe of {exercise.name} has no steps") from None
        while True:
            header, produced = pipe.ask(frame_of(request), request.files)
            log = header["log"] or log
            reply = Reply(header["status"], header["value"], produced)
            replies.append(reply)
            try:
                request = steps.send(reply)
            except StopIteration as end:
                added = end.value or {}
                break
            except Exception as error:
                # Type and place only: the text of the exception may hold hidden values.
                what = f"{type(error).__name__}{place(error)}"
                raise GraderError(f"the recipe of {exercise.name} broke at step {len(replies)}: {what}") from error
    return Played(tuple(replies), {**scene.truth, **added}, blocked(exercise, files, replies), log)


def frame_of(request: Request) -> dict[str, Any]:
    """A request as inside.py takes it, without its files."""
    return {name: value for name, value in asdict(request).items() if name != "files"}


def blocked(exercise: Exercise, files: Files, replies: list[Reply]) -> str:
    """Why the submission would not run, or "". A recipe that stops at a failed step leaves the play blocked there."""
    last = replies[-1]
    if last.status == "ok":
        return ""
    return describe(last, exercise.target, files)


def describe(reply: Reply, target: str, files: Files) -> str:
    """A failed reply in one line, without any text the submission chose (it could hold a hidden value)."""
    value: Mapping[str, Any] = reply.value if isinstance(reply.value, dict) else {}
    if reply.status == "raised":
        # Names that a submission can make up at run time could spell a hidden value: only Python's own exceptions
        # and those its source spells out are named, and only lines that its own files have.
        name, where = str(value.get("error", "")), str(value.get("where", ""))
        known = isinstance(getattr(builtins, name, None), type) or any(name.encode() in d for d in files.values())
        path, _, line = where.rpartition(":")
        there = path in files and re.fullmatch("[0-9]{1,6}", line) and int(line) <= files[path].count(b"\n") + 1
        place = f" at {where}" if there else ""
        return f"{target}: raised {name if known and name.isidentifier() else 'an exception'}{place}"
    return f"{target}: {value.get('why', reply.status)}"
