"""What a play left behind, in memory and on disk: inert data that can be scored again at any time."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graders.harness.errors import InfrastructureError
from graders.harness.submission import digest
from synthetic_data.scene import Files, Reply
from synthetic_data.streams import canonical_text

SCHEMA = "caredrill.outcome/1"


@dataclass(frozen=True)
class Outcome:
    """One exercise of one submission, played.

    seed: "practice" or "hidden".  status: "played", or why it was not ("blocked", "not_submitted", "infra_error",
    "grader_error"), with `reason` in one line.  replies: in the order of the scene's steps.  submitted: the files of
    the submission; criteria look at those that are not code, such as predictions and written decisions.
    """

    exercise: str
    variant: str
    seed: str
    submission: str
    stamps: tuple[str, ...] = ()
    status: str = "played"
    reason: str = ""
    replies: tuple[Reply, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    submitted: Files = field(default_factory=dict)

    def header(self) -> dict[str, Any]:
        """outcome.json: everything but the values and files, of which it holds the hashes."""
        return {
            "schema": SCHEMA,
            "exercise": self.exercise,
            "variant": self.variant,
            "seed": self.seed,
            "submission": self.submission,
            "stamps": sorted(self.stamps),
            "status": self.status,
            "reason": self.reason,
            "settings": dict(self.settings),
            "submitted": {name: sha256(data) for name, data in sorted(self.submitted.items())},
            "replies": sha256(self.replies_text().encode()),
            "steps": [
                {"status": r.status, "files": {name: sha256(data) for name, data in sorted(r.files.items())}}
                for r in self.replies
            ],
        }

    def replies_text(self) -> str:
        """replies.ndjson."""
        return "".join(
            canonical_text({"id": i, "status": r.status, "value": r.value}) + "\n"
            for i, r in enumerate(self.replies, 1)
        )

    @property
    def digest(self) -> str:
        """sha256 of outcome.json, which covers every value and file."""
        return sha256(canonical_text(self.header()).encode())


def sha256(data: bytes) -> str:
    """Hash with its name in front."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def write(outcome: Outcome, folder: Path, record: Mapping[str, Any]) -> None:
    """Store an outcome; outcome.json is written last, so a folder without it is unfinished."""
    for number, reply in enumerate(outcome.replies, 1):
        for name, data in reply.files.items():
            write_file(folder / "files" / str(number) / name, data)
    for name, data in outcome.submitted.items():
        write_file(folder / "submitted" / name, data)
    write_file(folder / "replies.ndjson", outcome.replies_text().encode())
    write_file(folder / "record.json", (json.dumps(record, indent=2, sort_keys=True) + "\n").encode())
    write_file(folder / "outcome.json", canonical_text(outcome.header()).encode())


def read(folder: Path) -> Outcome:
    """A stored outcome. Raises InfrastructureError when it is incomplete or was changed."""
    try:
        header = json.loads((folder / "outcome.json").read_text("utf-8"))
        text = (folder / "replies.ndjson").read_text("utf-8")
        # Nothing was asked of a submission that was blocked at intake.
        values = [json.loads(line) for line in text.removesuffix("\n").split("\n")] if text else []
        replies = tuple(
            Reply(
                step["status"],
                value["value"],
                {name: (folder / "files" / str(number) / name).read_bytes() for name in step["files"]},
            )
            for number, (step, value) in enumerate(zip(header["steps"], values, strict=True), 1)
        )
        outcome = Outcome(
            header["exercise"],
            header["variant"],
            header["seed"],
            header["submission"],
            tuple(header["stamps"]),
            header["status"],
            header["reason"],
            replies,
            header["settings"],
            {name: (folder / "submitted" / name).read_bytes() for name in header["submitted"]},
        )
        same = outcome.header() == header and (not outcome.submitted or digest(outcome.submitted) == outcome.submission)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InfrastructureError(f"{folder}: the stored outcome cannot be read ({type(error).__name__})") from None
    if not same:
        raise InfrastructureError(f"{folder}: the stored outcome was changed; its hashes do not match")
    return outcome


def write_file(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write by a temporary name, so that a file is there whole or not at all. Raises InfrastructureError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A name of 255 bytes has no room for a suffix; 50 characters are at most 200 bytes.
        scratch = path.with_name(f".{path.name[:50]}.{os.getpid()}.part")
        scratch.unlink(missing_ok=True)
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
            stream.write(data)
        scratch.replace(path)
    except OSError as error:
        raise InfrastructureError(f"{path}: cannot be written ({error.strerror})") from None


def write_truth(truth: Files, folder: Path) -> None:
    """Store the truth of a play where only the grader's account can read it (0700, files 0600)."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for place in (folder, folder.parent, folder.parent.parent):
            place.chmod(0o700)
    except OSError as error:
        raise InfrastructureError(f"{folder}: cannot be written ({error.strerror})") from None
    for name, data in truth.items():
        write_file(folder / name, data, 0o600)


def read_truth(folder: Path) -> dict[str, bytes]:
    """The stored truth of a play."""
    try:
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.name.startswith(".")
        }
    except OSError as error:
        raise InfrastructureError(f"{folder}: the stored truth cannot be read ({error.strerror})") from None
