"""Whose fault it is. Everything that can go wrong is one of these, and each says what, where and what next."""

from __future__ import annotations


class UsageError(Exception):
    """Wrong use of a command: unknown exercise or option, unreadable secret. Exit code 2."""


class ExerciseError(Exception):
    """The kit's own exercise is incomplete or wrong: a missing grader, a bad manifest. Exit code 2."""


class GraderError(Exception):
    """Our grader or recipe broke on this submission: score null, exit code 3, never the candidate's failure."""


class InfrastructureError(Exception):
    """The machine failed: no sandbox, full disk, killed worker. Retried once, then score null and exit code 3."""


class NoSandbox(InfrastructureError):
    """No tier of the sandbox works on this machine."""


def place(error: BaseException) -> str:
    """File and line of our code where an exception came up."""
    step, found = error.__traceback__, ""
    while step:
        name = step.tb_frame.f_code.co_filename
        if "graders" in name or "synthetic_data" in name:
            found = f" at {name.rsplit('/', 1)[-1]}:{step.tb_lineno}"
        step = step.tb_next
    return found
