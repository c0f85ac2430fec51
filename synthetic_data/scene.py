"""What a recipe hands to the engine: public files, truth, and the steps of a play."""

from __future__ import annotations

from collections.abc import Generator, Mapping
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
        "http" sends `requests` to the running server; "restart" ends the process and starts a fresh one.
    files: laid out under IN_DIR for this step; the folder holds nothing else.
    requests: for "http", dicts {method, path, headers?, body?}; body is text.
    keep_out: a new process finds OUT_DIR as the last one left it; otherwise it starts empty.
    """

    op: Literal["call", "http", "restart"] = "call"
    target: str = ""
    args: tuple[Any, ...] = ()
    requests: tuple[Mapping[str, Any], ...] = ()
    files: Files = field(default_factory=dict)
    keep_out: bool = False


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
