"""What a recipe hands to the engine: public files, truth, and the steps of a play."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from synthetic_data.streams import Seed

Files = Mapping[str, bytes]
"""Relative POSIX path -> content."""

# Stand-ins in a request's arguments; the sandbox puts pathlib.Path objects of its own folders in their place.
IN_DIR = "@in"
OUT_DIR = "@out"


@dataclass(frozen=True)
class Request:
    """One thing the submission is asked to do.

    op: "call" calls `target` (a function of the entry; for objects, a method; "" creates the object) with `args`;
        "http" sends `requests` to the running server; "restart" ends the process and starts a fresh one, "stop" ends
        it; "peers" asks what the peers were asked: {name: [{method, path, body}, …]}.
    files: laid out under IN_DIR for this step; the folder holds nothing else.
    requests: for "http", dicts {method, path, headers?, body? (text) or body64?, group?, hang_up_s?}: those of one
        group are sent at once; with hang_up_s the client leaves after so long.
    env: added to a server's environment; a value may begin with OUT_DIR or a peer's name.
    peers: name such as "@lab" -> the rules of a service that the sandbox plays for the server (harness/peers.py).
    keep_out: a new process finds OUT_DIR as the last one left it; otherwise it starts empty.
    grace_s: a server that is ended gets SIGTERM and so long to leave.
    collect: whether the named files are taken up after this step.
    """

    op: Literal["call", "http", "restart", "stop", "peers"] = "call"
    target: str = ""
    args: tuple[Any, ...] = ()
    requests: tuple[Mapping[str, Any], ...] = ()
    files: Files = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    peers: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    keep_out: bool = False
    grace_s: float = 0
    collect: bool = True


@dataclass(frozen=True)
class Reply:
    """What came back. Only a step that ended "ok" has a value and files; both are the submission's and inert."""

    status: Literal["ok", "raised", "timeout", "exited", "refused"]
    value: Any
    files: Files


Steps = Generator[Request, Reply, Files]


class Scene(Protocol):
    """public: what the candidate may see (`card.toml` among it).  truth: for the grader only.

    steps() yields requests and is sent the replies; what it returns is added to the truth, for worlds that the
    submission's own actions change.
    """

    @property
    def public(self) -> Files:
        """Given to the candidate, and to the submission with each request that names it."""

    @property
    def truth(self) -> Files:
        """Never enters the sandbox."""

    def steps(self) -> Steps:
        """The play: yields requests, is sent replies."""


class Recipe(Protocol):
    """A module `synthetic_data/recipes/<exercise>.py` has these functions."""

    def draw_card(self, seed: Seed) -> dict[str, Any]:
        """The policy card: rules that differ between candidates. Written to the public files as card.toml."""

    def scene(self, seed: Seed, settings: Mapping[str, Any], card: Mapping[str, Any]) -> Scene:
        """The scene for this seed, size and card. Raises ValueError, naming the key, for a card it cannot follow.

        settings["hidden"] is 0 on practice data, so that something can be kept back from it. settings["pack"] holds
        the team's private additions to hidden data, {} where there are none.
        """

    def read_truth(self, files: Files) -> Any:
        """The stored truth as the frozen dataclass that the exercise's criteria take."""

    # A recipe may also have MARKS, a tuple of canaries.Mark, and mark(public, seed): the practice data of a packet with
    # these marks in it, under the candidate's key. Without them packets of the exercise cannot be traced.
