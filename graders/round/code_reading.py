"""Reads a candidate's code for what is worth asking about: its text and syntax tree. Nothing of it is run."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from graders.round.wording import cut, shown

# Beyond these a file is not read: no honest one is so large, and a tree takes a hundred times its text.
MOST_BYTES, MOST_TOGETHER, MOST_FILES = 400_000, 2_000_000, 120
QUOTED_LINES, QUOTED_WIDTH = 8, 130
BRANCHES = (
    ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.IfExp, ast.BoolOp, ast.comprehension,
    ast.match_case,
)  # fmt: skip
# A function that holds more functions than this is a frame for them.
FRAME = 3
# With fewer there is no case to walk through.
FEW_BRANCHES = 4
Def = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Quote:
    """Consecutive lines of a file handed in, safe to show. line: the number of the first, from 1."""

    file: str
    line: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Function:
    """A function or method. line, end: its first and last line, from 1.  branches: decisions in it."""

    name: str
    file: str
    line: int
    end: int
    branches: int

    @property
    def place(self) -> str:
        """How a question names it."""
        return f"{shown(self.name)}() ({shown(self.file)}, line {self.line})"


@dataclass(frozen=True)
class Sighting:
    """Something worth asking about. kind: which question of the bank.  weight: how telling, the highest first."""

    kind: str
    weight: float
    quote: Quote | None = None
    slots: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Code:
    """texts: file -> lines.  trees: those that parse.  broken: file -> line and fault of those that do not.

    supplied: stripped lines of the starter; what only repeats them is not the candidate's.
    copied: files left as they were.
    """

    texts: Mapping[str, Sequence[str]]
    trees: Mapping[str, ast.Module]
    broken: Mapping[str, tuple[int, str]]
    supplied: frozenset[str]
    copied: frozenset[str]

    def own(self, file: str, line: int) -> bool:
        """Did the candidate write this line?"""
        return file not in self.copied and self.texts[file][line - 1].strip() not in self.supplied

    def quote(self, file: str, line: int, count: int = QUOTED_LINES) -> Quote:
        """Some lines from `line` on, cut and without what could drive a terminal or a page."""
        lines = self.texts[file][line - 1 : line - 1 + min(count, QUOTED_LINES)]
        while lines and not lines[-1].strip():
            lines = lines[:-1]
        return Quote(shown(file), line, tuple(cut(text.expandtabs(4), QUOTED_WIDTH) for text in lines))

    @cached_property
    def nodes(self) -> tuple[tuple[str, Any], ...]:
        """(file, node) of everything in all trees."""
        return tuple((file, node) for file, tree in self.trees.items() for node in ast.walk(tree))

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        """The candidate's own, in the order of files and lines; inner ones belong to the outer."""
        found = []
        for file, tree in self.trees.items():
            for node in outer_functions(tree):
                end = node.end_lineno or node.lineno
                if not any(self.own(file, n) for n in range(node.lineno, end + 1) if self.texts[file][n - 1].strip()):
                    continue
                branches = sum(isinstance(part, BRANCHES) for part in ast.walk(node))
                found.append(Function(node.name, file, node.lineno, end, branches))
        return tuple(found)

    def about(self, words: Sequence[str]) -> tuple[Function, Quote] | None:
        """The function that is about the first of these regular expressions, and its lines that say so; else None.

        A function is named to a person only if lines of it say the first, and others of them too: whoever is
        asked about a function that has nothing to do with the matter stops to listen.
        """
        patterns = [re.compile(word, re.IGNORECASE) for word in words]

        def hits(text: str) -> int:
            return sum((4 if p is patterns[0] else 1) for p in patterns if p.search(text))

        def topical(text: str) -> bool:
            return patterns[0].search(text.partition("#")[0]) is not None

        best: tuple[float, Function] | None = None
        for function in self.functions:
            lines = self.texts[function.file][function.line - 1 : function.end]
            own = [text[:500] for n, text in enumerate(lines, function.line) if self.own(function.file, n)]
            # How much of the function speaks of it: else the longest would always win.
            score = 4.0 * topical(function.name) + sum(map(hits, own)) / (6 + len(own)) ** 0.6
            second = len(patterns) == 1 or any(p.search(text) for p in patterns[1:] for text in own)
            if second and any(map(topical, own)) and (best is None or score > best[0]):
                best = score, function
        if best is None:
            return None
        function = best[1]
        last = max(function.line, function.end - QUOTED_LINES + 1)
        lines = [text[:500] for text in self.texts[function.file][function.line - 1 : function.end]]
        each = [hits(text) * topical(text) * 10 + hits(text) for text in lines]
        starts = range(function.line, last + 1)
        start = max(starts, key=lambda n: (sum(each[n - function.line : n - function.line + QUOTED_LINES]), -n))
        return function, self.quote(function.file, start, function.end - start + 1)


def read(files: Mapping[str, bytes], starter: Mapping[str, bytes]) -> Code:
    """The Python files of a submission. What does not parse, or is too large, is said to be so and left."""
    texts, trees, broken = dict[str, list[str]](), dict[str, ast.Module](), dict[str, tuple[int, str]]()
    room = MOST_TOGETHER
    for name in sorted(n for n in files if n.endswith(".py"))[:MOST_FILES]:
        texts[name] = lines_of(files[name][:MOST_BYTES])
        room -= len(files[name])
        if len(files[name]) > MOST_BYTES or room < 0:
            broken[name] = 1, f"has {len(files[name]):,} bytes"
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                trees[name] = ast.parse("\n".join(texts[name]))
        except SyntaxError as error:
            broken[name] = min(error.lineno or 1, len(texts[name])), "does not parse"
        except (ValueError, RecursionError, MemoryError):
            broken[name] = 1, "does not parse"
    supplied = {line.strip() for name, data in starter.items() if name.endswith(".py") for line in lines_of(data)}
    copied = frozenset(name for name in texts if starter.get(name) == files[name])
    return Code(texts, trees, broken, frozenset(supplied), copied)


def sightings(code: Code, card: Mapping[str, Any], target: str, unread: Sequence[str] = ()) -> list[Sighting]:
    """What every detector saw, the most telling of each kind, in the order of weight.

    card: the candidate's policy card, {} if it has none.  target: the function or class that is called from outside.
    unread: keys of the card that nobody need read.
    """
    found: list[Sighting] = []
    for seen in (
        unparsed(code), untouched(code), card_written(code, card), card_unread(code, card, unread), swallowed(code),
        expressions(code), word_lists(code), chance(code), unused(code, target), left_to_do(code), limits(code),
        complex_functions(code),
    ):  # fmt: skip
        ordered = sorted(seen, key=lambda s: -s.weight)
        found += ordered[:1]
    return sorted(found, key=lambda s: -s.weight)


def unparsed(code: Code) -> Iterator[Sighting]:
    """Files that Python cannot read, or that nobody would."""
    for file, (line, fault) in code.broken.items():
        yield Sighting("unparsed", 10, code.quote(file, max(1, line - 3)), {"file": shown(file), "fault": fault})


def untouched(code: Code) -> Iterator[Sighting]:
    """Nothing but the starter."""
    if code.texts and len(code.copied) == len(code.texts):
        file = max(code.copied, key=lambda name: (len(code.texts[name]), name))
        yield Sighting("untouched", 9, code.quote(file, 1), {"file": shown(file)})


def card_written(code: Code, card: Mapping[str, Any]) -> Iterator[Sighting]:
    """A policy card as a text or a dictionary in the code."""
    kinds = {path[-1]: type(value) for path, value in leaves_of(card)}
    for file, node in code.nodes:
        keys: set[str] = set()
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" in node.value[:20_000]:
            keys = set(re.findall(r"^[ \t]*(\w+)[ \t]*=", node.value[:20_000], re.MULTILINE))
        elif isinstance(node, ast.Dict):
            pairs = [(k, v) for k, v in zip(node.keys, node.values, strict=True) if isinstance(k, ast.Constant)]
            keys = {
                str(k.value)
                for k, v in pairs
                if isinstance(v, ast.Constant) and kinds.get(str(k.value)) is type(v.value)
            }
        if len(keys & set(kinds)) >= 2 and code.own(file, node.lineno):
            yield Sighting("card_written", 9.5, code.quote(file, node.lineno), where(file, node))


def card_unread(code: Code, card: Mapping[str, Any], unread: Sequence[str]) -> Iterator[Sighting]:
    """Rules of the card that no line of the candidate's names; with a line that has the same value, if any."""
    own = [(f, n) for f, n in code.nodes if f not in code.copied]
    said = "\n".join(word for _, node in own for word in words_of(node)).lower()
    if not card or not code.trees:
        return
    for path, value in leaves_of(card):
        key, whole = ".".join(path), [p[-1].lower() for p, _ in leaves_of(card) if p[:-1] == path[:-1]]
        # A table that is read whole names none of its keys.
        table = len(path) > 1 and path[-2].lower() in said and not any(k in said for k in whole if len(k) > 2)
        if key in unread or path[-1].lower() in said or table:
            continue
        # 2 and 0.2 stand in code for many reasons; "2100-01-01" and 210 for one.
        rare = (isinstance(value, str) and len(value) >= 6) or (type(value) is int and value >= 50)
        same = [(f, n) for f, n in own if rare and isinstance(n, ast.Constant) and n.value == value]
        quote = code.quote(same[0][0], max(1, same[0][1].lineno - 2)) if same else None
        yield Sighting("card_unread", 8.5 if same else 6.5, quote, {"key": shown(key), "value": cut(str(value), 40)})


def swallowed(code: Code) -> Iterator[Sighting]:
    """Handlers that catch everything and let nobody know."""
    for file, node in code.nodes:
        if not isinstance(node, ast.ExceptHandler) or not code.own(file, node.lineno):
            continue
        names = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        broad = any(n is None or dotted(n).rsplit(".", 1)[-1] in ("Exception", "BaseException") for n in names)
        inner = list(ast.walk(node))
        told = any(isinstance(p, ast.Raise) for p in inner) or any(
            isinstance(p, ast.Name) and p.id == node.name for p in inner
        )
        if broad and not told:
            short = isinstance(node.body[0], (ast.Pass, ast.Continue))
            yield Sighting("swallowed", 7 + short, code.quote(file, max(1, node.lineno - 3)), where(file, node))


def expressions(code: Code) -> Iterator[Sighting]:
    """Regular expressions, the longest first."""
    verbs = {"compile", "search", "match", "fullmatch", "findall", "finditer", "sub", "subn", "split"}
    for file, node in code.nodes:
        if not isinstance(node, ast.Call) or not node.args or not code.own(file, node.lineno):
            continue
        module, _, verb = dotted(node.func).rpartition(".")
        if module in ("re", "regex") and verb in verbs:
            size = len(text_of(node.args[0]))
            if size >= 25:
                slots = {**where(file, node), "size": str(size)}
                yield Sighting("expression", 5 + min(size, 400) / 200, code.quote(file, node.lineno), slots)


def word_lists(code: Code) -> Iterator[Sighting]:
    """Lists of words in the code: names, places, spellings."""
    for file, node in code.nodes:
        words: list[str] = []
        if isinstance(node, (ast.List, ast.Set, ast.Tuple)):
            words = [e.value for e in node.elts if isinstance(e, ast.Constant) and isinstance(e.value, str)]
        elif isinstance(node, ast.Dict):
            words = [k.value for k in node.keys if isinstance(k, ast.Constant) and isinstance(k.value, str)]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "split":
            words = text_of(node.func.value).split()
        if len(words) >= 12 and code.own(file, node.lineno):
            # The middle of a list says more of it than its first word.
            slots = {**where(file, node), "count": str(len(words)), "word": cut(words[len(words) // 2], 30)}
            yield Sighting("word_list", 4.5 + min(len(words), 200) / 100, code.quote(file, node.lineno), slots)


def chance(code: Code) -> Iterator[Sighting]:
    """Random numbers whose seed nobody chose. `secrets` is meant to be unforeseeable and does not count."""
    makers = {"default_rng", "RandomState", "Random"}
    for file, node in code.nodes:
        if not isinstance(node, ast.Call) or not code.own(file, node.lineno):
            continue
        module, _, name = dotted(node.func).rpartition(".")
        bare = name in makers and not node.args and not node.keywords
        drawn = module in ("random", "np.random", "numpy.random") and name.islower() and name not in makers | {"seed"}
        if bare or (drawn and name != "default_rng"):
            yield Sighting("chance", 6, code.quote(file, max(1, node.lineno - 2)), where(file, node))


def unused(code: Code, target: str) -> Iterator[Sighting]:
    """Functions that nothing names."""
    named = {target, "main"} | {w for _, node in code.nodes if not isinstance(node, Def) for w in words_of(node)}
    tops = {(f, n.lineno) for f, t in code.trees.items() for n in t.body if isinstance(n, Def) and not n.decorator_list}
    for function in code.functions:
        if (function.file, function.line) in tops and function.name not in named:
            quote = code.quote(function.file, function.line, function.end - function.line + 1)
            yield Sighting("unused", 5.5 + (function.end - function.line) / 100, quote, {"place": function.place})


def left_to_do(code: Code) -> Iterator[Sighting]:
    """Remarks that something is not done."""
    for file, lines in code.texts.items():
        for number, text in enumerate(lines, 1):
            if re.search(r"#.{0,80}\b(TODO|FIXME|XXX|HACK)\b", text[:1000]) and code.own(file, number):
                slots = {"file": shown(file), "line": str(number)}
                yield Sighting("to_do", 6.2, code.quote(file, max(1, number - 2)), slots)


def limits(code: Code) -> Iterator[Sighting]:
    """Numbers on which something turns: in comparisons, and constants of a module."""
    for file, node in code.nodes:
        numbers: list[ast.expr] = []
        if isinstance(node, ast.Compare):
            numbers = node.comparators
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id.isupper():
            numbers = [node.value, *(node.value.elts if isinstance(node.value, ast.Tuple) else [])]
        for number in numbers:
            value = number.value if isinstance(number, ast.Constant) else None
            if not isinstance(value, (int, float)) or value in range(4) or not code.own(file, node.lineno):
                continue
            # Where an iteration has converged, and what HTTP calls things, is not a decision.
            # Python refuses to write out an integer of thousands of digits.
            if not 1e-4 <= abs(value) < 1e18 or value in range(200, 600):
                continue
            text = repr(value)
            # Why it is this one is not beside it; and 0.37 was found somewhere, 10 is anybody's guess.
            beside = code.texts[file][node.lineno - 1] + code.texts[file][max(0, node.lineno - 2)]
            telling = 1.0 * isinstance(value, float) + 0.15 * min(len(text.strip("0.")), 4) - 0.8 * ("#" in beside)
            slots = {**where(file, node), "value": cut(text, 20)}
            yield Sighting("limit", 4.6 + telling, code.quote(file, max(1, node.lineno - 3)), slots)


def complex_functions(code: Code) -> Iterator[Sighting]:
    """Where most is decided."""
    for function in code.functions:
        if function.branches < FEW_BRANCHES:
            continue
        size = function.end - function.line + 1
        slots = {"place": function.place, "size": str(size), "branches": str(function.branches)}
        weight = 5 + min(function.branches, 60) / 30 + min(size, 200) / 400
        yield Sighting("complex", weight, code.quote(function.file, function.line, size), slots)


def outer_functions(tree: ast.Module) -> list[Def]:
    """Functions and methods, by line; those within a function only where it is little more than their frame."""
    found, waiting = list[Def](), list[ast.AST](tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, Def):
            inner = [part for part in node.body if isinstance(part, Def)]
            if len(inner) > FRAME:
                waiting += inner
            else:
                found.append(node)
        elif isinstance(node, (ast.ClassDef, ast.If, ast.Try)):
            waiting += ast.iter_child_nodes(node)
    return sorted(found, key=lambda n: n.lineno)


def words_of(node: ast.AST) -> list[str]:
    """Names and texts that a node itself holds."""
    found = [getattr(node, key, None) for key in ("id", "attr", "arg", "name")]
    if isinstance(node, ast.Constant):
        found.append(node.value)
    return [word[:10_000] for word in found if isinstance(word, str)]


def dotted(node: ast.AST | None) -> str:
    """`a.b.c` as a text; "" for what is no name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def text_of(node: ast.AST) -> str:
    """The fixed part of a text in the code."""
    return "".join(n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str))


def leaves_of(card: Mapping[str, Any], path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """(path, value) of every rule of a card."""
    found = []
    for key, value in card.items():
        here = (*path, str(key))
        found += leaves_of(value, here) if isinstance(value, Mapping) else [(here, value)]
    return found


def lines_of(data: bytes) -> list[str]:
    """Lines as Python counts them."""
    return data.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")


def where(file: str, node: Any) -> dict[str, str]:
    """The slots that name a line."""
    return {"file": shown(file), "line": str(node.lineno)}
