"""What a service did and left behind in each of its lives, side by side with what it was asked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from graders.harness.reading import Unreadable, parse_json

if TYPE_CHECKING:
    from graders.harness.outcome import Outcome
    from synthetic_data.recipes.safe_logging import Expected, Truth

APP, AUDIT, PRINTED = "app.ndjson", "audit.ndjson", "@printed"
# Where patients are kept: what is in it is meant to be there.
DATABASE = frozenset({"patients.sqlite", "patients.sqlite-journal", "patients.sqlite-wal", "patients.sqlite-shm"})
HUNG_UP = "hung up"
LONGEST_LINE, MOST_LINES = 2**20, 200_000


@dataclass(frozen=True)
class Answer:
    """What came back: status (0 for none), headers by lower-case name, body as text."""

    status: int
    headers: Mapping[str, str]
    body: str

    @cached_property
    def value(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return parse_json(self.body.encode("utf-8", "replace"))
        except Unreadable:
            return None

    @property
    def code(self) -> str:
        """error.code of the body, or ""."""
        error = self.value.get("error") if isinstance(self.value, dict) else None
        code = error.get("code") if isinstance(error, dict) else None
        return code if isinstance(code, str) else ""


@dataclass(frozen=True)
class Life:
    """One life of the service: what it was asked, in order, what it answered, and what it left.

    level: INFO, DEBUG or "blocked".  starts: how often it was started.
    app, audit, printed: bytes of the logs and of standard output and error.  home: name -> bytes of all other files
    but the database's.  lost: why what it left could not be taken up, or "".
    """

    level: str
    asked: tuple[Expected, ...]
    answers: tuple[Answer, ...]
    starts: int
    app: bytes
    audit: bytes
    printed: bytes
    home: Mapping[str, bytes]
    lost: str = ""

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """Of the application log."""
        return tuple(read_lines(self.app))

    @property
    def events(self) -> list[Mapping[str, Any]]:
        """The lines that are JSON objects."""
        return [line.value for line in self.lines if line.value is not None]


@dataclass(frozen=True)
class Line:
    """One line of a log. value: the JSON object it is, or None."""

    text: bytes
    value: Mapping[str, Any] | None


def read_lines(data: bytes) -> Iterator[Line]:
    """The lines of an NDJSON file that are not empty; overlong ones and those past MOST_LINES are no objects."""
    for number, text in enumerate(data.split(b"\n")):
        if not text.strip():
            continue
        value = None
        if len(text) <= LONGEST_LINE and number < MOST_LINES:
            try:
                found = json.loads(text)
                value = found if isinstance(found, dict) else None
            except (ValueError, RecursionError):
                value = None
        yield Line(text, value)


def lives(outcome: Outcome, truth: Truth) -> tuple[tuple[Life, ...], Mapping[str, list[Mapping[str, Any]]]]:
    """The lives of a played service, and what its peers were asked: name -> [{method, path, body}]."""
    replies = iter(outcome.replies)
    found = []
    for play in truth.plays:
        answers: list[Answer] = []
        files: dict[str, bytes] = {}
        lost = ""
        for role, count in play.steps:
            reply = next(replies, None)
            if role == "http":
                values = reply.value if reply and reply.status == "ok" and isinstance(reply.value, list) else []
                answers += [answered(value) for value in [*values, *[{}] * count][:count]]
            elif role == "stop" and reply:
                files |= reply.files
                if reply.status != "ok":
                    why = reply.value.get("why") if isinstance(reply.value, dict) else None
                    lost = lost or f"at {play.level} the service {why or reply.status}"
        app, audit, printed = (files.pop(name, b"") for name in (APP, AUDIT, PRINTED))
        home = {name.removeprefix("@home/"): data for name, data in files.items() if name not in DATABASE}
        found.append(Life(play.level, play.requests, tuple(answers), play.starts, app, audit, printed, home, lost))
    last = next(replies, None)
    told = last.value if last and last.status == "ok" and isinstance(last.value, dict) else {}
    calls: dict[str, list[Mapping[str, Any]]] = {
        name: [call for call in some if isinstance(call, dict)] for name, some in told.items() if isinstance(some, list)
    }
    return tuple(found), calls


def answered(value: Any) -> Answer:
    """One answer as the sandbox tells it; 499 where the client left."""
    if not isinstance(value, dict):
        return Answer(0, {}, "")
    if value.get("error") == HUNG_UP:
        return Answer(499, {}, "")
    status, headers = value.get("status"), value.get("headers")
    named = {str(name).lower(): str(text) for name, text in headers.items()} if isinstance(headers, dict) else {}
    return Answer(status if type(status) is int else 0, named, str(value.get("body", "")))
