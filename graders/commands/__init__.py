"""The `caredrill` command: one module per verb, imported only when it is used."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path
from typing import NoReturn

from graders.harness.errors import ExerciseError, GraderError, InfrastructureError, UsageError, place

ALL_MET, NOT_MET, WRONG_USE, OUR_FAULT = 0, 1, 2, 3


class Parser(argparse.ArgumentParser):
    """Wrong use is one line and exit code 2."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where to read more."""
        raise UsageError(f"{message} (see  {self.prog} --help)")


def verbs() -> list[str]:
    """Every verb, from the files of this folder."""
    return sorted(p.stem.replace("_", "-") for p in Path(__file__).parent.glob("*.py") if not p.stem.startswith("_"))


def main(argv: list[str] | None = None) -> int:
    """Run one verb; returns its exit code. Known faults are one line on standard error."""
    words = sys.argv[1:] if argv is None else argv
    if not words or words[0] in ("-h", "--help"):
        print_verbs()
        return ALL_MET if words else WRONG_USE
    verb = words[0]
    try:
        if verb == "--version":
            from graders.harness.kit import kit_version

            print(kit_version())
            return ALL_MET
        if verb not in verbs():
            raise UsageError(f"unknown command {verb!r}: choose from {', '.join(verbs())}")
        module = importlib.import_module(f"graders.commands.{verb.replace('-', '_')}")
        parser = Parser(prog=f"caredrill {verb}", description=module.__doc__, allow_abbrev=False)
        module.add_arguments(parser)
        code = int(module.run(parser.parse_args(words[1:])))
        # Here, where a closed pipe is met in silence, and not at the interpreter's exit.
        sys.stdout.flush()
        return code
    except (UsageError, ExerciseError) as error:
        return fail(verb, error, WRONG_USE)
    except (GraderError, InfrastructureError) as error:
        return fail(verb, error, OUR_FAULT)
    except BrokenPipeError:
        # Whoever read our output (head, less) has seen enough; nothing more can be said there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        return fail(verb, "stopped", 130)
    except Exception as error:
        if os.environ.get("CAREDRILL_DEBUG"):
            raise
        text = f"a fault of caredrill's own: {type(error).__name__}{place(error)}; CAREDRILL_DEBUG=1 shows all of it"
        return fail(verb, text, OUR_FAULT)


def fail(verb: str, reason: object, code: int) -> int:
    """One line on standard error; a file's name in it must not drive the terminal."""
    line = " ".join(str(reason).split())
    print(f"caredrill {verb}: {''.join(c if c.isprintable() else '?' for c in line)}", file=sys.stderr)
    return code


def print_verbs() -> None:
    """What `caredrill` alone shows; docstrings are read without importing the modules."""
    import ast

    print("usage: caredrill COMMAND …    (caredrill COMMAND --help)\n")
    for verb in verbs():
        source = Path(__file__).with_name(f"{verb.replace('-', '_')}.py").read_text("utf-8")
        first = (ast.get_docstring(ast.parse(source)) or "").split("\n", 1)[0]
        print(f"  {verb:14}{first}")
