"""How often safe_logging holds work that is careful but not perfect.

python tests/benchmarks/log_hold.py        (plays the starter once, about half a minute)

What the starter leaks is put down to CAUSES; simulated work has closed each of them but with a chance, and what is left
open leaks as the starter does.
"""

from __future__ import annotations

import random
import statistics
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from exercise_lint import SECRET, read_sample

from graders.harness import grading, sandbox
from graders.harness.kit import Kit
from graders.harness.outcome import Outcome
from graders.harness.play import play
from graders.measures import log_leaks
from graders.measures.log_leaks import Leak, Leaks
from graders.measures.log_life import lives

NAME = "safe_logging"
DRAWS, LEFT_OPEN = 10_000, (0.5, 1, 2)
VALIDATION = frozenset({"missing_field", "wrong_type", "validator_text", "unknown_key", "bundle_invalid", "bad_query"})
LABORATORY = frozenset({"lab_timeout", "lab_down", "lab_error", "lab_garbled"})
CALLS = frozenset({"predict_lab", "lab_retry", "concurrent", "cancelled"})
# What is open together, as one line of code is behind it: (channels, kinds).
CAUSES: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    f"{name} in {channels}": (frozenset(channels.split()), frozenset(kinds))
    for name, kinds in {
        "text of validation errors": VALIDATION,
        "text of laboratory errors": LABORATORY,
        "text of SQL errors": {"constraint", "duplicate"},
        "text of pandas errors": {"batch_invalid", "batch_missing_column"},
        "command that failed": {"label_fails"},
    }.items()
    for channels in ("app printed", "errors")
} | {
    name: (frozenset(channels.split()), frozenset(kinds.split()))
    for name, (channels, kinds) in {
        "addresses that were called": ("app printed", " ".join(CALLS | LABORATORY)),
        "line on who was read": ("app", "read crlf ansi"),
        "access log": ("printed", "search_by_name bad_query read crlf ansi unknown_patient unknown_path"),
        "tasks and threads": ("app printed", "notify_task_fails notify_thread_fails"),
        "warnings": ("printed", "huge"),
        "paths that are none": ("app metrics", "unknown_path"),
        "request ids": ("app", "old_client session_id"),
        "sites": ("app", "ward"),
        "labels left behind": ("files", "label label_fails blocked"),
        "label of a metric": ("metrics", "notify"),
    }.items()
}


def of_cause(leak: Leak, cause: tuple[frozenset[str], frozenset[str]]) -> bool:
    """Whether a leak is put down to it."""
    return leak.channel in cause[0] and leak.kind in cause[1]


def main() -> None:
    """Play the starter, draw, print."""
    kit = Kit()
    exercise = kit.exercise(NAME)
    scene = grading.make_scene(kit, exercise, grading.Terms("tests", SECRET, small=True))
    played = play(exercise, read_sample(kit, exercise, "starter").files, scene, sandbox.best())
    outcome = Outcome(NAME, "tests", "hidden", "", replies=played.replies)
    lived, calls = lives(outcome, kit.recipe(NAME).read_truth(played.truth))
    leaks = log_leaks.found(lived, calls, log_leaks.scanner(lived))
    by_cause = {name: [leak for leak in leaks.found if of_cause(leak, cause)] for name, cause in CAUSES.items()}
    print(f"{len(CAUSES)} causes; held alone:")
    for name, some in by_cause.items():
        if log_leaks.hold(left_with(leaks, some)):
            print(f"  {name}")
    print("| left open, mean | mean of P | held |\n|---:|---:|---:|")
    draw = random.Random(0)
    for mean in LEFT_OPEN:
        shares, held = [], 0
        for _ in range(DRAWS):
            open_ones = [leak for some in by_cause.values() if draw.random() < mean / len(CAUSES) for leak in some]
            mine = left_with(leaks, sorted(set(open_ones)))
            shares.append(log_leaks.protection(mine)[0])
            held += bool(log_leaks.hold(mine))
        print(f"| {mean} | {statistics.mean(shares):.2f} | {held / DRAWS:.1%} |")


def left_with(leaks: Leaks, some: list[Leak]) -> Leaks:
    """Only these leaks, of nobody in particular."""
    return replace(leaks, found=tuple(some), people=0)


if __name__ == "__main__":
    main()
