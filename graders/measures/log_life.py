"""What a service did and left behind in each of its lives, side by side with what it was asked."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from graders.harness.reading import Unreadable, marks, parse_json, uncollected

if TYPE_CHECKING:
    from graders.harness.outcome import Outcome
    from synthetic_data.recipes.safe_logging import Expected, Truth
    from synthetic_data.scene import Reply

APP, AUDIT, PRINTED = "app.ndjson", "audit.ndjson", "@printed"
# Where patients are kept: what is in it is meant to be there.
DATABASE = frozenset({"patients.sqlite", "patients.sqlite-journal", "patients.sqlite-wal", "patients.sqlite-shm"})
REQUEST_ID = "x-request-id"
HUNG_UP, BLOCKED = "hung up", "blocked"
EARLIER = "while it ran"
LONGEST_LINE, MOST_LINES = 2**20, 200_000
# Values of a line and of a log that are read. An honest line has a few dozen; three bytes ("[],") may become eighty.
MOST_VALUES, MOST_OF_LOG = 20_000, 800_000


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
class Look:
    """A service's logs while it still ran and after it had left: lines of each. anchors: heads it had sent by then."""

    app: tuple[int, int]
    audit: tuple[int, int]
    anchors: int


@dataclass(frozen=True)
class Life:
    """One life of the service: what it was asked, in order, what it answered, and what it left.

    level: INFO, DEBUG or "blocked".  starts: how often it was started.
    app, audit, printed: bytes of the logs and of standard output and error.  home: name -> bytes of all other files
    but the database's, those that were gone or other in the end too.  looks: one before each stop.
    lost: why what it left could not be taken up, or "".  before: lines of app, audit and printed of the life before it
    in the same folder, which are not in them.
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
    looks: tuple[Look, ...] = ()
    before: tuple[int, int, int] = (0, 0, 0)

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """Of the application log."""
        return lines_of(self.app)

    @property
    def events(self) -> list[Mapping[str, Any]]:
        """The lines that are JSON objects."""
        return [line.value for line in self.lines if line.value is not None]


@dataclass(frozen=True)
class Line:
    """One line of a log. value: the JSON object it is, or None."""

    text: bytes
    value: Mapping[str, Any] | None


def lines_of(data: bytes) -> tuple[Line, ...]:
    """All that read_lines reads."""
    with uncollected():
        return tuple(read_lines(data))


def read_lines(data: bytes) -> Iterator[Line]:
    """The lines of an NDJSON file that are not empty; those past MOST_LINES, overlong and overfull ones are no objects.

    Past twice MOST_LINES, lines are not even counted.
    """
    room = MOST_OF_LOG
    for number, text in enumerate(io.BytesIO(data)):
        if number >= 2 * MOST_LINES:
            return
        if text.isspace():
            continue
        value = None
        # Trying what is no object at all takes longest.
        tried = number < MOST_LINES and len(text) <= LONGEST_LINE and text.rstrip().endswith(b"}")
        if tried and (held := marks(text)) <= min(MOST_VALUES, room):
            room -= held
            try:
                found = json.loads(text)
                value = found if isinstance(found, dict) else None
            except (ValueError, RecursionError):
                value = None
        yield Line(text.removesuffix(b"\n"), value)


def lives(outcome: Outcome, truth: Truth) -> tuple[tuple[Life, ...], Mapping[str, list[Mapping[str, Any]]]]:
    """The lives of a played service, and what its peers were asked: name -> [{method, path, body}]."""
    replies = iter(outcome.replies)
    found: list[Life] = []
    for play in truth.plays:
        answers: list[Answer] = []
        files: dict[str, bytes] = {}
        gone: dict[str, bytes] = {}
        looks: list[Look] = []
        seen, anchors = dict[str, bytes](), 0
        lost = ""
        for role, count in play.steps:
            reply = next(replies, None)
            if role == "http":
                values = reply.value if reply and reply.status == "ok" and isinstance(reply.value, list) else []
                answers += [answered(value) for value in [*values, *[{}] * count][:count]]
            elif role == "look" and reply:
                seen, anchors = dict(reply.files), len(calls_of(reply).get("@anchor", ()))
            elif role == "stop" and reply:
                files |= reply.files
                gone |= {f"{name} {EARLIER}": b for name, b in seen.items() if not files.get(name, b"").startswith(b)}
                before = [
                    (seen.get(name, b"").count(b"\n"), files.get(name, b"").count(b"\n")) for name in (APP, AUDIT)
                ]
                looks.append(Look(before[0], before[1], anchors))
            if role in ("look", "stop") and reply and reply.status != "ok":
                why = reply.value.get("why") if isinstance(reply.value, dict) else None
                lost = lost or f"at {play.level} the service {why or reply.status}"
        app, audit, printed = (files.pop(name, b"") for name in (APP, AUDIT, PRINTED))
        left = {**files, **gone}.items()
        home = {n.removeprefix("@home/"): data for n, data in left if n.removesuffix(f" {EARLIER}") not in DATABASE}
        asked = play.level, renamed(play.requests, answers), tuple(answers), play.starts
        life = Life(*asked, app, audit, printed, home, lost, tuple(looks))
        found.append(since(life, found[-1]) if play.level == BLOCKED and found else life)
    return tuple(found), calls_of(next(replies, None))


def calls_of(reply: Reply | None) -> Mapping[str, list[Mapping[str, Any]]]:
    """What the peers were asked by then: name -> [{method, path, body}]."""
    told = reply.value if reply and reply.status == "ok" and isinstance(reply.value, dict) else {}
    return {
        name: [call for call in some if isinstance(call, dict)] for name, some in told.items() if isinstance(some, list)
    }


def renamed(asked: Sequence[Expected], answers: Sequence[Answer]) -> tuple[Expected, ...]:
    """The requests under the ids that the answers told, as the logs have them; an id that is told twice is none."""
    told = [answer.headers.get(REQUEST_ID, "") or one.rid for one, answer in zip(asked, answers, strict=True)]
    times = Counter(told)
    return tuple(replace(one, rid=rid) if times[rid] == 1 else one for one, rid in zip(asked, told, strict=True))


def since(life: Life, last: Life) -> Life:
    """A life in the last one's folder, with only what came to it since."""
    both = (life.app, last.app), (life.audit, last.audit), (life.printed, last.printed)
    app, audit, printed = (old.count(b"\n") * new.startswith(old) for new, old in both)
    return replace(
        life,
        before=(app, audit, printed),
        app=life.app.removeprefix(last.app),
        audit=life.audit.removeprefix(last.audit),
        printed=life.printed.removeprefix(last.printed),
        home={name: data for name, data in life.home.items() if last.home.get(name) != data},
    )


def answered(value: Any) -> Answer:
    """One answer as the sandbox tells it; 499 where the client left."""
    if not isinstance(value, dict):
        return Answer(0, {}, "")
    if value.get("error") == HUNG_UP:
        return Answer(499, {}, "")
    status, headers = value.get("status"), value.get("headers")
    named = {str(name).lower(): str(text) for name, text in headers.items()} if isinstance(headers, dict) else {}
    return Answer(status if type(status) is int else 0, named, str(value.get("body", "")))
