"""Safe logging: a risk service in use, with everything that goes wrong in a day, and what it should have said of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from synthetic_data import canaries
from synthetic_data.canaries import Mark
from synthetic_data.scene import OUT_DIR, Files, Reply, Request, Steps
from synthetic_data.streams import Seed, canonical_text

if TYPE_CHECKING:
    from synthetic_data.log_writer import Asked

GRACE_S = 4.0  # from SIGTERM to the end of a service that does not leave
PEOPLE = 990
BLOCKED = 5
EVERY = (10, 20, 25)  # events between two anchors
# What of a packet's practice data tells whose packet it was: the second half of request ids, except of callers whose
# ids say something about the patient.
REQUEST = Mark("request", r"([0-9a-f](?<![a-z0-9].)[0-9a-f]{15})([0-9a-f]{16})(?!\w)", "0123456789abcdef", 16)
MARKS = (REQUEST,)
SPEAKING = ("old_client", "session_id")
ROUTES = ("/health", "/metrics", "/patients", "/patients/{id}", "/predict", "/bundle", "/batch", "/label", "/notify")


@dataclass(frozen=True)
class Expected:
    """One request and what should have come of it, as log_writer.Asked. patient: logical id, "" for nobody.

    details: field -> value of the person it is about.
    """

    rid: str
    kind: str
    route: str
    status: int
    code: str
    patient: str
    site: str
    user: str
    ref: bool
    access: str
    found: bool
    calls: tuple[int, ...]
    risk: float | None
    background: str
    details: Mapping[str, str]


@dataclass(frozen=True)
class Play:
    """One life of the service. level: INFO or DEBUG, or "blocked" where it could not write its logs.

    requests: as they were sent.  steps: per step (role, number of requests), roles start, http, look, stop.
    starts: how often it was started.
    """

    level: str
    requests: tuple[Expected, ...]
    steps: tuple[tuple[str, int], ...]
    starts: int


@dataclass(frozen=True)
class Truth:
    """card, keys: name -> value of the environment.  plays: in their order; the last step asks the peers."""

    card: Mapping[str, Any]
    keys: Mapping[str, str]
    plays: tuple[Play, ...]


@dataclass(frozen=True)
class Part:
    """One life of the service, to be played: batches of requests, between which it is stopped and started again."""

    level: str
    batches: tuple[tuple[Asked, ...], ...]


@dataclass(frozen=True)
class Scene:
    """The parts, whom they are about, and the keys that logs are made with."""

    card: Mapping[str, Any]
    keys: Mapping[str, str]
    parts: tuple[Part, ...]
    details: tuple[tuple[str, Mapping[str, str]], ...]
    practice: bool

    @property
    def public(self) -> Files:
        """The card; of practice data the requests too."""
        files = {"card.toml": card_text(self.card).encode()}
        if self.practice:
            lines = [
                canonical_text({"level": part.level, "kind": one.kind, "status": one.status, **dict(one.sent)}) + "\n"
                for part in self.parts
                for batch in part.batches
                for one in batch
            ]
            files["requests.ndjson"] = "".join(lines).encode()
        return files

    @property
    def truth(self) -> Files:
        """What should come of every request."""
        plays = [
            {
                "level": part.level,
                "requests": [asdict(self.expected(one)) for batch in part.batches for one in batch],
                "steps": [[role, len(batch)] for role, batch in steps_of(part)],
                "starts": len(part.batches),
            }
            for part in self.parts
        ]
        return {"truth.json": canonical_text({"card": self.card, "keys": self.keys, "plays": plays}).encode()}

    def expected(self, one: Asked) -> Expected:
        """As the truth tells it."""
        patient, details = self.details[one.person] if one.person >= 0 else ("", {})
        return Expected(
            one.rid, one.kind, one.route, one.status, one.code, patient, one.site, one.user, one.ref, one.access,
            one.found, one.calls, one.risk, one.background, details,
        )  # fmt: skip

    def steps(self) -> Steps:
        """Start, ask, stop and start again; at the end, what laboratory and anchor were asked."""
        first = True
        for part in self.parts:
            # Who was registered at DEBUG is known while no log can be written.
            kept = part.level == "blocked"
            for role, batch in steps_of(part):
                if role == "start":
                    reply: Reply = yield self.start(part, kept)
                    kept = True
                    if first and reply.status != "ok":
                        return {}
                    first = False
                elif role == "look":
                    # What is there before it is told to leave: logs are for those who read along.
                    yield Request("peers")
                elif role == "stop":
                    yield Request("stop", grace_s=GRACE_S)
                else:
                    yield Request("http", requests=tuple(one.sent for one in batch), collect=False)
        yield Request("peers", collect=False)
        return {}

    def start(self, part: Part, kept: bool) -> Request:
        """Start the service for a part. kept: its files are there already."""
        rules = [rule for batch in part.batches for one in batch for rule in one.rules]
        always = {"path": r"/anchor.*", "replies": [{"status": 200, "body": "{}"}]}
        blocked = part.level == "blocked"
        # A folder that the service may not write to, as when a disk is full.
        folder = "@in" if blocked else OUT_DIR
        return Request(
            "restart",
            args=("--port", "@port", "--log-dir", folder, "--level", "INFO" if blocked else part.level),
            env={
                **self.keys,
                "ANCHOR_URL": "@anchor/anchor",
                "LAB_URL": "@lab",
                "DB_PATH": f"{OUT_DIR}/patients.sqlite",
                "ANCHOR_EVERY": str(self.card["anchor_every"]),
            },
            peers={"@lab": rules, "@anchor": [always]},
            keep_out=kept,
            grace_s=GRACE_S,
            collect=False,
        )


def steps_of(part: Part) -> Iterator[tuple[str, tuple[Asked, ...]]]:
    """(role, requests) of each step of a part. Each stop takes files up: a new start finds its home empty."""
    for batch in part.batches:
        yield "start", ()
        yield "http", batch
        yield "look", ()
        yield "stop", ()


def mark(public: Files, seed: Seed) -> Files:
    """Practice data with marks."""
    rid = '(?<="X-Request-ID":")[0-9a-f]{32}(?=")'
    lines = public["requests.ndjson"].splitlines(keepends=True)
    plain = [json.loads(line)["kind"] not in SPEAKING for line in lines]
    ids = set().union(*(canaries.found(line, rid) for line, ours in zip(lines, plain, strict=True) if ours))
    new = canaries.ended(REQUEST, seed, ids)
    written = [canaries.replaced(line, rid, new) if ours else line for line, ours in zip(lines, plain, strict=True)]
    return {**public, "requests.ndjson": b"".join(written)}


def read_truth(files: Files) -> Truth:
    """The stored truth."""
    value = json.loads(files["truth.json"])
    plays = tuple(
        Play(
            play["level"],
            tuple(Expected(**{**one, "calls": tuple(one["calls"])}) for one in play["requests"]),
            tuple((role, count) for role, count in play["steps"]),
            play["starts"],
        )
        for play in value["plays"]
    )
    return Truth(value["card"], value["keys"], plays)


def draw_card(seed: Seed) -> dict[str, Any]:
    """The rules that differ between candidates."""
    return {"anchor_every": EVERY[int(seed.stream("card").choice(len(EVERY), 0))]}


def card_text(card: Mapping[str, Any]) -> str:
    """card.toml."""
    return f"""# The house's rules for what the service writes down.
anchor_every = {card["anchor_every"]}   # after so many events of the audit log, and at shutdown, its head is sent
"""


def check_card(card: Mapping[str, Any]) -> None:
    """Raise ValueError for a card that says less or more than the service can follow."""
    if set(card) != {"anchor_every"}:
        raise ValueError("a card has the key anchor_every")
    if type(card["anchor_every"]) is not int or not 1 <= card["anchor_every"] <= 1000:
        raise ValueError("anchor_every must be a whole number from 1 to 1000")


def scene(seed: Seed, settings: Mapping[str, Any], card: Mapping[str, Any]) -> Scene:
    """`settings["each"]` requests of every kind at INFO, a third of that at DEBUG, some while no log can be kept."""
    from synthetic_data import log_people, log_workload, log_writer

    check_card(card)
    people = log_people.drawn(seed, PEOPLE)
    each = int(settings["each"])
    hidden = bool(settings.get("hidden", 1))
    parts, used = [], 0
    for level, times in (("INFO", each), ("DEBUG", max(1, each // 3))):
        start, writer = used, log_writer.Writer(seed, people[used:], level)
        rest = log_workload.planned(writer, times, reserve=hidden)
        # Those who are asked about while no log can be written.
        known = [writer.known() for _ in range(BLOCKED)] if level == "DEBUG" else []
        setup = writer.setup
        half = len(rest) // 2
        # Requests of one group are sent at once: they must not be parted.
        while rest[half].group >= 0 and rest[half].group == rest[half - 1].group:
            half += 1
        # What labels hold is seen at the end only.
        batches = tuple([*batch, *log_workload.metrics(writer)] for batch in (setup + rest[:half], rest[half:]))
        parts.append(Part(level, tuple(tuple(shifted(one, start) for one in batch) for batch in batches)))
        used += writer.used
    asked = list(log_workload.blocked(writer, known))
    parts.append(Part("blocked", (tuple(shifted(one, start) for one in asked),)))
    draw = seed.stream("keys")
    keys = {
        name: "".join(f"{int(word):08x}" for word in draw.words(number).tolist())
        for number, name in enumerate(("LOG_KEY", "AUDIT_KEY"))
    }
    whose = tuple((person.id, person.details) for person in people[: start + writer.used])
    return Scene(card, keys, tuple(parts), whose, practice=not hidden)


def shifted(one: Asked, by: int) -> Asked:
    """The same, its person counted from the first of all."""
    return replace(one, person=one.person + by) if one.person >= 0 else one


def kinds(truth: Truth) -> Sequence[str]:
    """Every kind of request that was sent."""
    return sorted({one.kind for play in truth.plays for one in play.requests})
