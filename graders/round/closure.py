"""The part of this kit that some of its modules need: for packets, which hold nothing of other exercises."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

OURS = ("graders", "synthetic_data")


def modules(root: Path, first: Iterable[str]) -> list[str]:
    """Paths of all modules of ours that these modules import, themselves included, relative to `root`, sorted.

    Read from their source: nothing is imported. What only type checkers would import does not count.
    """
    found, waiting = set[str](), list(first)
    while waiting:
        path = waiting.pop()
        if path in found or not (root / path).is_file():
            continue
        found.add(path)
        # A package is imported before what lies in it.
        waiting += [str(folder / "__init__.py") for folder in Path(path).parents if str(folder) != "."]
        for name in imported(ast.parse((root / path).read_text("utf-8"))):
            stem = name.replace(".", "/")
            waiting += [f"{stem}.py", f"{stem}/__init__.py"]
    return sorted(found)


def imported(tree: ast.AST) -> set[str]:
    """Dotted names of ours that a module imports; `from a import b` may name the module a.b."""
    names, waiting = set[str](), [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            waiting += node.orelse
            continue
        waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.partition(".")[0] in OURS}
