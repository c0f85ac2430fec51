"""The contract of an exercise, looked at before anything is played: entry, syntax, target, imports, JSON, limits."""

from __future__ import annotations

import ast
import difflib
import json
import re
import sys
from collections.abc import Iterator, Mapping

from graders.handing_in.finding import Finding, Weight
from graders.handing_in.modules import Broken, Certainty, Import, imports, is_own, own_files, parse, reached
from graders.harness.errors import ExerciseError
from graders.harness.exercise import Exercise
from graders.harness.packages import importable
from graders.harness.submission import Part, shown

Trees = Mapping[str, ast.Module | Broken]
# Folders of one person's machine; /tmp is there in grading.
ELSEWHERE = re.compile(r"(?:/home/|/Users/|/root/|/mnt/|/media/|/content/|/kaggle/|[A-Za-z]:[\\/])[\w.~ -]")
NETWORK = {"aiohttp", "boto3", "ftplib", "httpx", "requests", "smtplib", "socket", "urllib3", "paramiko"}
NETWORK_PARTS = {"urllib.request", "http.client"}
DYNAMIC = {"exec", "globals", "setattr", "vars", "__import__"}


def look(exercise: Exercise, part: Part) -> list[Finding]:
    """Everything that can be said of one exercise without running it; what blocks comes first."""
    if part.status:
        return [Finding("blocks", "", part.fault)]
    trees = {name: parse(data) for name, data in sorted(part.files.items()) if name.endswith(".py")}
    runs = reached(exercise, trees)
    found = [*syntax(trees, runs), *entry(exercise, trees), *packages(exercise, trees, runs)]
    found += [*data_files(exercise, part), *written(exercise, part), *untouched(exercise, part)]
    found += advice(exercise, trees)
    return sorted(found, key=lambda finding: ("blocks", "fault", "note").index(finding.weight))


def syntax(trees: Trees, runs: Mapping[str, Certainty]) -> Iterator[Finding]:
    """Files that do not parse."""
    for name, tree in trees.items():
        if isinstance(tree, Broken):
            weight: Weight = "blocks" if runs.get(name) == "always" else "fault"
            yield Finding(weight, f"{shown(name)}:{tree.line}", f"does not parse: {tree.reason}")


def entry(exercise: Exercise, trees: Trees) -> Iterator[Finding]:
    """Is what grading calls there, as far as the source shows?"""
    if exercise.kind == "serve":
        start = f"{exercise.target}/__main__.py"
        if start not in trees:
            yield Finding("blocks", start, f"is missing, and is what `python -m {exercise.target}` starts")
        return
    tree = trees.get(exercise.entry)
    if tree is None or isinstance(tree, Broken):
        return
    names = bound(tree)
    if names is None or exercise.target in names:
        return
    what = "class" if exercise.kind == "object" else "function"
    near = difflib.get_close_matches(exercise.target, sorted(names), 1)
    hint = f"; there is {near[0]}" if near else ""
    yield Finding("blocks", exercise.entry, f"defines no {what} {exercise.target}, which grading calls{hint}")


def bound(tree: ast.Module) -> set[str] | None:
    """Names that a module has once it is imported; None when its source does not tell."""
    names, waiting = set[str](), list[ast.AST](tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
            continue
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Store):
                names.add(node.id)
            elif node.id in DYNAMIC:
                return None
        elif isinstance(node, ast.Attribute) and node.attr in ("modules", "import_module"):
            return None
        waiting += ast.iter_child_nodes(node)
    return None if names & {"*", "__getattr__"} else names


def packages(exercise: Exercise, trees: Trees, runs: Mapping[str, Certainty]) -> Iterator[Finding]:
    """Imports of what will not be there in grading."""
    try:
        there = {name.partition(".")[0] for name in importable(exercise.packages)}
    except ExerciseError as error:
        yield Finding("note", "", f"imports were not looked at: {error}")
        return
    there |= set(sys.stdlib_module_names)
    said = set()
    for file, tree in trees.items():
        for one in imports(tree, file) if isinstance(tree, ast.Module) else ():
            top = one.name.partition(".")[0]
            if own_files(one.name, trees) or (one.own and not one.name):
                continue
            own = one.own or is_own(top, trees)
            weight = weigh(one, runs.get(file))
            if (not own and top in there) or (file, one.name if own else top, weight) in said:
                continue
            said.add((file, one.name if own else top, weight))
            yield Finding(weight, f"{shown(file)}:{one.line}", absent(one, own, exercise))


def weigh(one: Import, runs: Certainty | None) -> Weight:
    """An import that fails blocks only where it surely runs."""
    if one.certainty == "optional" or runs is None:
        return "note"
    return "blocks" if one.certainty == runs == "always" else "fault"


def absent(one: Import, own: bool, exercise: Exercise) -> str:
    """One sentence about an import that finds nothing."""
    name = shown(one.name if own else one.name.partition(".")[0])
    optional = " (optional here)" if one.certainty == "optional" else ""
    if own:
        return f"imports {name}{optional}, which is not among your files"
    allowed = ", ".join(exercise.packages) or "none"
    return f"imports {name}{optional}, which is neither among your files nor in the brief's packages ({allowed})"


def data_files(exercise: Exercise, part: Part) -> Iterator[Finding]:
    """JSON that the starter has and grading reads: there, valid, and with the starter's keys."""
    starter = exercise.folder / "starter"
    for path in sorted(starter.rglob("*.json")):
        name = path.relative_to(starter).as_posix()
        if not exercise.allows(name):
            continue
        if name not in part.files:
            yield Finding("fault", name, "is missing; the brief says what it holds")
            continue
        try:
            value = json.loads(part.files[name].decode("utf-8"))
        except json.JSONDecodeError as error:
            yield Finding("fault", f"{name}:{error.lineno}", f"is not valid JSON: {error.msg}")
            continue
        except (ValueError, RecursionError):
            yield Finding("fault", name, "is not valid JSON in UTF-8")
            continue
        wanted = json.loads(path.read_bytes())
        if isinstance(wanted, dict):
            lacking = [key for key in wanted if key not in value] if isinstance(value, dict) else list(wanted)
            if lacking:
                yield Finding("fault", name, f"lacks {', '.join(map(repr, lacking))}")


def written(exercise: Exercise, part: Part) -> Iterator[Finding]:
    """The part that a person reads."""
    name = "DECISIONS.md"
    if exercise.allows(name) and not part.files.get(name, b"").strip():
        yield Finding("note", name, "is empty" if name in part.files else "is not there; a person would read it")


def untouched(exercise: Exercise, part: Part) -> Iterator[Finding]:
    """Work that nobody has begun."""
    starter = exercise.folder / "starter"
    code = {name: data for name, data in part.files.items() if name.endswith(".py")}
    if code and all(
        (starter / name).is_file() and (starter / name).read_bytes() == data for name, data in code.items()
    ):
        yield Finding("note", "", "the code is the starter's, unchanged")


def advice(exercise: Exercise, trees: Trees) -> Iterator[Finding]:
    """What works on one's own machine only."""
    for file, tree in trees.items():
        if isinstance(tree, Broken):
            continue
        top = file.removesuffix(".py")
        if "/" not in file and exercise.kind != "serve" and top in sys.stdlib_module_names:
            yield Finding("note", shown(file), f"hides the standard library's module {top}")
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and len(text) < 300 and ELSEWHERE.match(text):
                yield Finding(
                    "note", f"{shown(file)}:{getattr(node, 'lineno', 1)}", "an absolute path, which will not be there"
                )
        if exercise.kind != "serve":
            for one in imports(tree, file):
                if one.name.partition(".")[0] in NETWORK or {one.name, f"{one.name}.{one.member}"} & NETWORK_PARTS:
                    yield Finding("note", f"{shown(file)}:{one.line}", "there is no network in grading")
