"""Python source as tokens that stay the same when names, texts, comments, order and layout are changed."""

from __future__ import annotations

import ast
import builtins
import hashlib
import keyword
import re
import sys
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from graders.round.folding import folded, identities, straight

# Of one submission, comments apart and a text being one: some 25,000 lines. So that time and memory are bounded.
MAX_TOKENS = 250_000
BUILTINS = frozenset(dir(builtins)) | {"__builtins__"}
STANDARD = frozenset(sys.stdlib_module_names)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
UNITS = (*FUNCTIONS, ast.ClassDef)
NOTHING = (ast.Import, ast.ImportFrom, ast.Pass, ast.Global, ast.Nonlocal)
BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
# Types, and what only repeats the kind of a node.
SILENT = ("annotation", "returns", "type_comment", "type_params", "kind", "ctx", "simple", "conversion")
# Escapes are passed over: what is found of a text stays in proportion to its length, however it is written.
LEXEME = re.compile(
    r"""(?P<skip>\#[^\n]*|[ \t\f\\]+)|(?P<line>\n)
    |(?P<text>[rbfuRBFU]{0,2}(?:'''.*?'''|\"\"\".*?\"\"\"|'[^'\n]*'|"[^"\n]*"))
    |(?P<name>[^\W\d]\w*)|(?P<other>\d[\w.]*|.)""",
    re.VERBOSE | re.DOTALL,
)

Token = tuple[str, int]


@dataclass(frozen=True)
class Unit:
    """A stretch of code whose place does not matter: a function, a class without its methods, a statement of a module.

    tokens: what stands there.  lines: (same length) on which line of `file` each is, from 1.
    """

    file: str
    tokens: tuple[str, ...]
    lines: tuple[int, ...]


@dataclass(frozen=True)
class Code:
    """whole: does every file parse?  syntax: units of the files that do.  words: of all files, without their syntax.

    cut: was there more than MAX_TOKENS?  unparsed: files of which there is no syntax.
    """

    whole: bool
    syntax: tuple[Unit, ...]
    words: tuple[Unit, ...]
    cut: bool
    unparsed: frozenset[str]


@dataclass(frozen=True)
class Own:
    """names: what a submission's own modules and folders are called.  foreign: Python's modules and the packages.

    given: module -> names that it imports from elsewhere -> their full names there, as others may take them from it.
    same: functions that return their argument.
    """

    names: frozenset[str]
    foreign: frozenset[str]
    given: Mapping[str, Mapping[str, str]]
    same: frozenset[str]


def read(files: Mapping[str, bytes], packages: Collection[str] = ()) -> Code:
    """The Python files of one submission, at most MAX_TOKENS of them. packages: that it may import. Raises nothing."""
    texts = {n: files[n].decode("utf-8", "replace").removeprefix("\ufeff") for n in files if n.endswith(".py")}
    sizes = {name: measured(text, MAX_TOKENS)[0] for name, text in texts.items()}
    for name, room in rooms(sizes).items():
        if sizes[name] > room:
            texts[name] = texts[name][: measured(texts[name], room)[1]]
    syntax, words, trees = list[Unit](), list[Unit](), dict[str, ast.Module]()
    for name, text in sorted(texts.items()):
        words += by_words(name, text)
        if tree := parsed(text):
            trees[name] = tree
    own = own_names(trees, [name for name, size in sizes.items() if size], packages)
    for name in list(trees):
        try:
            syntax += list(Reader(name, trees[name], own).units())
        except (ValueError, RecursionError, MemoryError):
            del trees[name]
    unparsed = frozenset(texts.keys() - trees.keys())
    return Code(not unparsed, tuple(syntax), tuple(words), sum(sizes.values()) > MAX_TOKENS, unparsed)


def measured(text: str, room: int) -> tuple[int, int]:
    """How many tokens it has, up to one more than `room`; and where the last statement that begins in them does."""
    count, end, margin, found = 0, 0, True, None
    for found in LEXEME.finditer(text):
        kind = found.lastgroup
        if kind == "line":
            margin = True
            continue
        if kind != "skip":
            if margin:
                end = found.start()
            value = found.group()
            # The fields of an f-string are code.
            count += 1 + (len(value) // 4 if kind == "text" and "f" in value[:2].lower() else 0)
            if count > room:
                return room + 1, end or found.start()
        margin = False
    return count, len(text)


def rooms(sizes: Mapping[str, int]) -> dict[str, int]:
    """Tokens that are read of each file: all; or as many of each as of any other, so that none takes another's room."""
    found, left = dict[str, int](), MAX_TOKENS
    for n, name in enumerate(sorted(sizes, key=lambda name: (sizes[name], name))):
        found[name] = min(sizes[name], left // (len(sizes) - n))
        left -= found[name]
    return found


def own_names(trees: Mapping[str, ast.Module], filled: Iterable[str], packages: Collection[str]) -> Own:
    """What modules are the submission's own: with code in them, and no names of Python's or of a package's."""
    foreign = STANDARD | frozenset(packages)
    # In any folder: somebody may add one to sys.path.
    names = {part for name in filled for part in name.removesuffix(".py").split("/")} - foreign
    given, same = dict[str, dict[str, str]](), set[str]()
    for file, tree in trees.items():
        same |= identities(tree)
        taken = dict[str, str]()
        for node in tree.body:
            if isinstance(node, ast.Import):
                taken |= {a.asname: a.name for a in node.names if a.asname}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                taken |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names if a.name != "*"}
        module = file.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2]
        given.setdefault(module, {}).update({n: full for n, full in taken.items() if full.split(".")[0] not in names})
    return Own(frozenset(names), foreign, given, frozenset(same))


def parsed(text: str) -> ast.Module | None:
    """The syntax tree, if it has one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a stranger's escapes and comparisons
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def digest(tokens: Iterable[str]) -> int:
    """64 bits of them, the same on every machine."""
    data = "\0".join(tokens).encode("utf-8", "replace")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")


def by_words(file: str, text: str) -> Iterator[Unit]:
    """Units of a text that need not be Python; one begins at each def or class that stands at the margin."""
    tokens: list[Token] = []
    line, margin = 1, True
    for found in LEXEME.finditer(text):
        kind, value = found.lastgroup, found.group()
        if margin and value in ("def", "class", "async") and tokens:
            yield unit(file, tokens)
            tokens = []
        margin = kind == "line"
        if kind == "name":
            tokens.append((value if keyword.iskeyword(value) or value in BUILTINS else "V", line))
        elif kind == "text":
            tokens.append(("S", line))
        elif kind == "other":
            tokens.append((value, line))
        line += value.count("\n")
    if tokens:
        yield unit(file, tokens)


def unit(file: str, tokens: Sequence[Token]) -> Unit:
    """Tokens and their lines, side by side."""
    return Unit(file, tuple(t for t, _ in tokens), tuple(n for _, n in tokens))


def assigned(node: ast.AST) -> set[str]:
    """Names that a function, or another statement, gives a meaning of its own, and its parameters."""
    names: set[str] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.arg):
            names.add(part.arg)
        elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            names.add(part.id)
    return names


class Reader:
    """One module, token by token. own: what the submission's modules are called.

    Names of the submission's own become numbers, in the order in which a statement uses them; what is imported from
    elsewhere stands under its full name, whatever it is called here, and so do Python's own; attributes of other things
    lose theirs, as nobody knows whose they are. Texts become one token. The statements of a block are put in an order
    of their own.
    """

    def __init__(self, file: str, tree: ast.Module, own: Own) -> None:
        self.file, self.tree, self.own = file, tree, own
        self.imported: dict[str, str] = {}
        self.names: dict[str, int] = {}
        self.modules: set[str] = set()  # the submission's own, as they are called here
        self.here: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for a in node.names:
                    top = a.name.split(".")[0]
                    if top in own.names:
                        self.modules.add(a.asname or top)
                    else:
                        self.imported[a.asname or top] = a.name if a.asname else top
            elif isinstance(node, ast.ImportFrom):
                if node.level or (node.module or "").split(".")[0] in own.names:
                    self.taken(node)
                else:
                    self.imported |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}

    def taken(self, node: ast.ImportFrom) -> None:
        """Names from another module of the submission; what that took from elsewhere is known by its name there."""
        given = self.own.given.get((node.module or "").rpartition(".")[2], {})
        for a in node.names:
            called = a.asname or a.name
            if a.name == "*":
                self.imported = {**given, **self.imported}
            elif a.name in self.own.names:
                self.modules.add(called)
            elif a.name in given or a.name in self.own.foreign:
                self.imported[called] = given.get(a.name, a.name)

    def units(self) -> Iterator[Unit]:
        """Every function, method, class and other statement of the module."""
        waiting: list[ast.stmt] = straight(self.tree.body)
        while waiting:
            node = waiting.pop()
            if isinstance(node, ast.ClassDef):
                waiting += [n for n in straight(node.body) if isinstance(n, UNITS)]
            else:
                self.here = assigned(node)
            if tokens := self.statement(node):
                yield unit(self.file, tokens)

    def statement(self, node: ast.stmt) -> list[Token]:
        """The tokens of its own line, then those of its blocks; a class's methods are not among them."""
        comment = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        declared = isinstance(node, ast.AnnAssign) and node.value is None
        if comment or declared or isinstance(node, NOTHING):
            return []
        self.names = {}
        kind = "Assign" if isinstance(node, ast.AnnAssign) else type(node).__name__
        out: list[Token] = [(kind, node.lineno)]
        self.parts(node, out, node.lineno)
        for name in BLOCKS:
            block = getattr(node, name, [])
            if isinstance(node, ast.ClassDef):
                block = [n for n in straight(block) if not isinstance(n, UNITS)]
            for part in block:
                if not isinstance(part, ast.stmt):  # handlers and cases, whose order counts
                    self.names = {}
                    line = getattr(part, "lineno", node.lineno)
                    out.append((type(part).__name__, line))
                    self.parts(part, out, line)
                    out += self.block(part.body)
            out += self.block([n for n in block if isinstance(n, ast.stmt)])
        return out

    def block(self, nodes: Iterable[ast.stmt]) -> list[Token]:
        """Statements in an order that only their tokens decide."""
        parts = [tokens for node in straight(nodes) if (tokens := self.statement(node))]
        if len(parts) > 1:
            parts.sort(key=lambda tokens: digest(t for t, _ in tokens))
        return [("{", parts[0][0][1]), *(t for part in parts for t in part), ("}", parts[-1][-1][1])] if parts else []

    def parts(self, node: ast.AST, out: list[Token], line: int) -> None:
        """The tokens of what a node consists of, blocks apart."""
        for name, value in ast.iter_fields(node):
            if name not in SILENT and not (name in BLOCKS and isinstance(value, list)):
                for part in value if isinstance(value, list) else [value]:
                    if isinstance(part, ast.AST):
                        self.add(part, out, getattr(part, "lineno", line))

    def add(self, node: ast.AST, out: list[Token], line: int) -> None:
        """The tokens of a part of a statement, parents first."""
        below, attributes = folded(node, self.own.same), list[str]()
        while isinstance(below, ast.Attribute):
            attributes.append(below.attr)
            below = folded(below.value, self.own.same)
        if isinstance(below, ast.Name):
            if below.id in self.imported and below.id not in self.here:
                out.append((".".join([self.imported[below.id], *reversed(attributes)]), line))
                return
            known = below.id in BUILTINS and below.id not in self.here
            name = below.id
            if name in self.modules and name not in self.here and attributes:
                given = self.own.given.get(name, {})
                name = attributes.pop()  # merged into one file, module.name would be name
                if name in given:
                    out.append((".".join([given[name], *reversed(attributes)]), line))
                    return
            name = name if known else f"V{self.names.setdefault(name, len(self.names))}"
            out += [("Attribute", line)] * len(attributes) + [(name, line)]
            return
        out += [("Attribute", line)] * len(attributes)
        if isinstance(below, ast.Constant):
            out.append(("S" if isinstance(below.value, (str, bytes)) else repr(below.value)[:40], line))
        elif isinstance(below, ast.JoinedStr):
            out.append(("S", line))
            for value in below.values:
                if isinstance(value, ast.FormattedValue):
                    self.add(value.value, out, line)
        else:
            out.append((type(below).__name__, line))
            self.parts(below, out, line)
