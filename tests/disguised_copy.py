"""Somebody else's submission, made to look different: all that a copyist can change without thinking.

Names of all kinds, texts, docstrings and type hints, comments and layout; the order of imports, functions, methods and
of neighbouring statements that do not need each other; and which file holds what. The result parses; it need not run.
"""

from __future__ import annotations

import ast
import builtins
import random
from collections.abc import Mapping

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
UNITS = (*FUNCTIONS, ast.ClassDef)
SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr)
SYLLABLES = [a + b for a in "bcdfghjklmnpqrstvwxz" for b in "aeiou"]


def disguise(files: Mapping[str, bytes], seed: int) -> dict[str, bytes]:
    """The same program in other words; by the seed, each module split in two, or all of a folder merged."""
    rng = random.Random(f"disguise {seed}")
    trees = {name: ast.parse(data) for name, data in sorted(files.items()) if name.endswith(".py")}
    one_file = rng.random() < 0.5 and mergeable(trees)
    renaming = Renaming(trees, rng)
    out = {}
    for name, body in sorted((merged(trees) if one_file else split(trees, rng)).items()):
        tree = ast.fix_missing_locations(renaming.visit(ast.Module(shuffled(body, rng), [])))
        path = "/".join(map(renaming.called, name.removesuffix(".py").split("/")))
        out[f"{path}.py"] = f"# {rng.random()}\n{ast.unparse(tree)}\n".encode()
    return out


def half(files: Mapping[str, bytes], other: Mapping[str, bytes], seed: int) -> dict[str, bytes]:
    """Half of the functions and classes of one submission, disguised, among half of those of another."""
    rng = random.Random(f"half {seed}")
    return {f"h{n}_{name}": data for n, each in enumerate((disguise(files, seed), other))
            for name, data in halved(each, rng).items()}  # fmt: skip


def thinned(files: Mapping[str, bytes], share: float, seed: int) -> dict[str, bytes]:
    """Disguised, and this share of the simple statements inside functions rewritten to something else."""
    rng = random.Random(f"thinned {seed}")
    out = {}
    for name, data in disguise(files, seed).items():
        tree = ast.parse(data)
        for node in ast.walk(tree):
            if isinstance(node, FUNCTIONS):
                node.body = [
                    other_statement(rng) if type(n) in SIMPLE and rng.random() < share else n for n in node.body
                ]
        out[name] = ast.unparse(ast.fix_missing_locations(tree)).encode()
    return out


def other_statement(rng: random.Random) -> ast.stmt:
    """Something that does not stand in any sample."""
    a, b, c = rng.sample(SYLLABLES, 3)
    form = rng.choice([f"{a} = [{b} ** {rng.randint(2, 99)} for {b} in {c}]", f"{a}, {b} = divmod({c}, {rng.random()})",
                       f"del {a}[{b}:{c}]", f"{a} = not ({b} or {c}({rng.randint(2, 99)}))"])  # fmt: skip
    return ast.parse(form).body[0]


def halved(files: Mapping[str, bytes], rng: random.Random) -> dict[str, bytes]:
    """Every other function, method or class of each file, by chance."""
    out = {}
    for name, data in sorted(files.items()):
        if name.endswith(".py"):
            tree = ast.parse(data)
            for node in [tree, *(n for n in ast.walk(tree) if isinstance(n, ast.ClassDef))]:
                node.body = [n for n in node.body if not isinstance(n, FUNCTIONS) or rng.random() < 0.5] or [ast.Pass()]
            out[name] = ast.unparse(tree).encode()
    return out


def merged(trees: Mapping[str, ast.Module]) -> dict[str, list[ast.stmt]]:
    """One file for each folder; what was another module's is said without the module."""
    out: dict[str, list[ast.stmt]] = {}
    for name, tree in trees.items():
        tree = Merging(tree, modules(trees)).visit(tree)
        out.setdefault(f"{name.rpartition('/')[0]}/all.py".lstrip("/"), []).extend(tree.body)
    return out


def split(trees: Mapping[str, ast.Module], rng: random.Random) -> dict[str, list[ast.stmt]]:
    """Two files for each; both have its imports, and all else is dealt out."""
    out: dict[str, list[ast.stmt]] = {}
    for name, tree in trees.items():
        for n in (0, 1):
            out[name.removesuffix(".py") + "2" * n] = [
                node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))
            ]
        for node in tree.body:
            if not isinstance(node, (ast.Import, ast.ImportFrom)):
                out[name.removesuffix(".py") + "2" * rng.randrange(2)].append(node)
    return out


def shuffled(body: list[ast.stmt], rng: random.Random) -> list[ast.stmt]:
    """Imports and functions in any order, what else stands in a module where it was among its own kind."""
    imports = [n for n in body if isinstance(n, (ast.Import, ast.ImportFrom))]
    units = [n for n in body if isinstance(n, UNITS)]
    others = [n for n in body if n not in imports and n not in units]
    for group in (imports, units):
        rng.shuffle(group)
    for node in ast.walk(ast.Module(body, [])):
        if isinstance(node, ast.ClassDef):
            methods = [n for n in node.body if isinstance(n, FUNCTIONS)]
            rng.shuffle(methods)
            node.body = [n for n in node.body if not isinstance(n, FUNCTIONS)] + methods
        elif isinstance(block := getattr(node, "body", None), list):
            swap(block, rng)
    return imports + others + units


def swap(block: list[ast.stmt], rng: random.Random) -> None:
    """Neighbours that do not need each other change places, in three rounds."""
    for _ in range(3):
        for at in range(len(block) - 1):
            one, two = block[at], block[at + 1]
            if type(one) in SIMPLE and type(two) in SIMPLE and rng.random() < 0.7:
                (set_one, used_one), (set_two, used_two) = touched(one), touched(two)
                if not set_one & (used_two | set_two) and not set_two & used_one:
                    block[at], block[at + 1] = two, one


def touched(node: ast.stmt) -> tuple[set[str], set[str]]:
    """The names that a statement may change (also those whose attributes or items it sets), and those it reads."""
    targets = getattr(node, "targets", None) or [getattr(node, "target", node)]
    stored = {n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}
    return stored, {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def modules(trees: Mapping[str, ast.Module]) -> set[str]:
    """What the submission's own files and folders are called."""
    return {part.removesuffix(".py") for name in trees for part in name.split("/")}


def ours(node: ast.Import | ast.ImportFrom, own: set[str]) -> bool:
    """Does it import the submission's own?"""
    names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
    return bool(getattr(node, "level", 0)) or any(n.split(".")[0] in own for n in names)


def mergeable(trees: Mapping[str, ast.Module]) -> bool:
    """Do all files mean the same by a name that they import?"""
    meanings: dict[str, set[str]] = {}
    for node in (n for tree in trees.values() for n in ast.walk(tree)):
        if isinstance(node, (ast.Import, ast.ImportFrom)) and not ours(node, modules(trees)):
            for a in node.names:
                meanings.setdefault(a.asname or a.name, set()).add(f"{getattr(node, 'module', '')} {a.name}")
    return all(len(m) == 1 for m in meanings.values())


class Merging(ast.NodeTransformer):
    """Of one file: no imports of the submission's own, and no names of its modules."""

    def __init__(self, tree: ast.Module, own: set[str]) -> None:
        self.own, self.called = own, set[str]()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import) and ours(node, own):
                self.called |= {a.asname or a.name for a in node.names}
            elif isinstance(node, ast.ImportFrom) and ours(node, own):
                self.called |= {a.asname or a.name for a in node.names if a.name in own}

    def visit_Attribute(self, node):
        self.generic_visit(node)
        named = isinstance(node.value, ast.Name) and node.value.id in self.called
        return ast.copy_location(ast.Name(node.attr, node.ctx), node) if named else node

    def visit_Import(self, node):
        return ast.copy_location(ast.Pass(), node) if ours(node, self.own) else node

    visit_ImportFrom = visit_Import  # noqa: N815


class Renaming(ast.NodeTransformer):
    """Every name of the submission's own, every text; no docstring, no hint."""

    def __init__(self, trees: Mapping[str, ast.Module], rng: random.Random) -> None:
        self.rng, self.new, self.texts = rng, dict[str, str](), dict[str, str]()
        self.modules = modules(trees)
        self.foreign = set(dir(builtins))  # and what is imported
        self.here: set[str] = set()
        own: set[str] = set(self.modules)
        for node in (n for tree in trees.values() for n in ast.walk(tree)):
            if isinstance(node, UNITS):
                own.add(node.name)
            elif isinstance(node, ast.arg):
                own.add(node.arg)
            elif isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Store):
                own.add(node.id if isinstance(node, ast.Name) else node.attr)
            elif isinstance(node, (ast.Import, ast.ImportFrom)) and not ours(node, self.modules):
                self.foreign |= {(a.asname or a.name).split(".")[0] for a in node.names}
            elif isinstance(node, ast.ExceptHandler) and node.name:
                own.add(node.name)
        self.own = {n for n in own if not (n.startswith("__") and n.endswith("__"))}

    def called(self, name: str) -> str:
        if name not in self.own or (name in self.foreign and name not in self.here):
            return name
        while name not in self.new:
            word = "".join(self.rng.choices(SYLLABLES, k=self.rng.randint(2, 4)))
            if word not in self.new.values() and not hasattr(builtins, word):
                self.new[name] = word
        return self.new[name]

    def visit_Name(self, node):
        node.id = self.called(node.id)
        return node

    def visit_Attribute(self, node):
        self.generic_visit(node)
        if not (isinstance(node.value, ast.Name) and node.value.id in self.foreign - self.here):
            node.attr = self.called(node.attr)
        return node

    def visit_arg(self, node):
        node.arg, node.annotation = self.called(node.arg), None
        return node

    def visit_keyword(self, node):
        self.generic_visit(node)
        if node.arg:
            node.arg = self.called(node.arg)
        return node

    def visit_ExceptHandler(self, node):
        self.generic_visit(node)
        node.name = node.name and self.called(node.name)
        return node

    def visit_ImportFrom(self, node):
        if ours(node, self.modules):
            node.module = node.module and ".".join(map(self.called, node.module.split(".")))
            node.names = [ast.alias(self.called(a.name), a.asname and self.called(a.asname)) for a in node.names]
        self.rng.shuffle(node.names)
        return node

    def visit_Import(self, node):
        if ours(node, self.modules):
            for a in node.names:
                a.name, a.asname = ".".join(map(self.called, a.name.split("."))), a.asname and self.called(a.asname)
        return node

    def visit_AnnAssign(self, node):
        self.generic_visit(node)
        bare = node.value is None or not isinstance(node.target, ast.Name)
        return node if bare else ast.copy_location(ast.Assign([node.target], node.value), node)

    def visit_Constant(self, node):
        if isinstance(node.value, (str, bytes)):
            text = self.texts.setdefault(
                repr(node.value), " ".join(self.rng.choices(SYLLABLES, k=self.rng.randint(1, 6)))
            )
            node.value = text if isinstance(node.value, str) else text.encode()
        return node

    def visit_FunctionDef(self, node):
        return self.block(node)

    visit_AsyncFunctionDef = visit_ClassDef = visit_FunctionDef  # noqa: N815

    def block(self, node):
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            node.body = node.body[1:] or [ast.Pass()]
        node.name = self.called(node.name)
        outer = self.here
        if isinstance(node, FUNCTIONS):
            node.returns = None
            names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
            self.here = outer | names | {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}
        self.generic_visit(node)
        self.here = outer
        return node
