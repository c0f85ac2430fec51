"""The Python files of a submission as syntax trees: what they import, and what is reached from the entry."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from graders.harness.exercise import Exercise

# How sure it is that an import runs: as soon as the file is imported; perhaps; and it is expected that it may fail.
Certainty = Literal["always", "perhaps", "optional"]
FORGIVING = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


@dataclass(frozen=True)
class Import:
    """name: dotted, absolute.  member: what `from name import member` takes, or "".  own: relative, so one's own."""

    name: str
    member: str
    line: int
    certainty: Certainty
    own: bool


@dataclass(frozen=True)
class Broken:
    """Why a file does not parse."""

    line: int
    reason: str


def parse(data: bytes) -> ast.Module | Broken:
    """The tree of a file, or why there is none; one that says nothing where Python itself could read the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escapes: not our business
            return ast.parse(data)
    except SyntaxError as error:
        return Broken(error.lineno or 1, error.msg)
    except ValueError as error:
        return Broken(1, str(error))
    except (RecursionError, MemoryError):
        # Trees are shallower than what Python runs: a sum of thousands of terms is no error. exec: nothing is claimed.
        return ast.parse("exec")


def imports(tree: ast.Module, file: str) -> Iterator[Import]:
    """Every import statement of a file. What only type checkers or a direct start would run does not count."""
    waiting: list[tuple[ast.AST, Certainty]] = [(node, "always") for node in reversed(tree.body)]
    while waiting:
        node, certainty = waiting.pop()
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, "", node.lineno, certainty, own=False)
        elif isinstance(node, ast.ImportFrom):
            base = package_of(file, node.level) if node.level else ""
            name = ".".join(filter(None, (base, node.module or "")))
            for alias in node.names:
                yield Import(name, alias.name, node.lineno, certainty, own=node.level > 0)
        elif isinstance(node, ast.If) and never_runs(node, file):
            waiting += [(inner, certainty) for inner in reversed(node.orelse)]
        else:
            weaker: Certainty = "optional" if certainty == "optional" or forgives(node) else "perhaps"
            waiting += [(inner, weaker) for inner in reversed(list(ast.iter_child_nodes(node)))]


def never_runs(node: ast.If, file: str) -> bool:
    """Is it for type checkers, or for starting a file directly, which grading does of `__main__.py` alone?"""
    words = {part.value for part in ast.walk(node.test) if isinstance(part, ast.Constant)}
    started = "__name__" in names_in(node.test) and "__main__" in words and not file.endswith("__main__.py")
    return started or (isinstance(node.test, (ast.Name, ast.Attribute)) and "TYPE_CHECKING" in names_in(node.test))


def forgives(node: ast.AST) -> bool:
    """Does a statement expect that an import inside it may fail?"""
    if isinstance(node, ast.Try):
        caught = [handler.type for handler in node.handlers]
        return any(kind is None or FORGIVING & names_in(kind) for kind in caught)
    if isinstance(node, ast.With):
        return any("suppress" in names_in(item.context_expr) for item in node.items)
    return False


def names_in(node: ast.AST) -> set[str]:
    """Identifiers in an expression, those after a dot among them."""
    found = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    return found | {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}


def package_of(file: str, level: int) -> str:
    """The dotted package that a relative import of this level starts from."""
    parts = PurePosixPath(file).parent.parts
    return ".".join(parts[: len(parts) - level + 1])


def is_own(top: str, files: Mapping[str, object]) -> bool:
    """Is a name without dots a module or package at the top of the submission?"""
    return f"{top}.py" in files or any(file.startswith(f"{top}/") for file in files)


def own_files(name: str, files: Mapping[str, object]) -> list[str]:
    """The files of a submission that a dotted name leads to, its packages' `__init__.py` among them; [] for none."""
    stem, found = name.replace(".", "/"), []
    if f"{stem}.py" in files:
        found = [f"{stem}.py"]
    elif any(file.startswith(f"{stem}/") for file in files):
        found = [f"{stem}/__init__.py"]
    elif "." not in name:
        # Somebody who adds a folder to sys.path finds it by its last name.
        return [file for file in files if PurePosixPath(file).stem == name]
    if not found:
        return []
    parents = [f"{folder}/__init__.py" for folder in PurePosixPath(stem).parents if str(folder) != "."]
    return [file for file in (*found, *parents) if file in files] or [""]


def reached(exercise: Exercise, trees: Mapping[str, ast.Module | Broken]) -> dict[str, Certainty]:
    """Files that playing the exercise imports: "always", or "perhaps"."""
    start = [f"{exercise.entry}__init__.py", f"{exercise.entry}__main__.py"]
    if not exercise.entry.endswith("/"):
        start = [exercise.entry]
    found: dict[str, Certainty] = {}
    waiting: list[tuple[str, Certainty]] = [(file, "always") for file in start if file in trees]
    while waiting:
        file, certainty = waiting.pop()
        if found.get(file) in ("always", certainty):
            continue
        found[file] = certainty
        tree = trees[file]
        if isinstance(tree, Broken):
            continue
        for one in imports(tree, file):
            sure: Certainty = "always" if certainty == one.certainty == "always" else "perhaps"
            names = [one.name, f"{one.name}.{one.member}"] if one.member else [one.name]
            waiting += [(target, sure) for name in names for target in own_files(name, trees) if target]
    return found
