"""Detours of an expression that a machine can put in without a thought, taken back."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# What changes nothing at the right, and at the left, of an operator.
RIGHT: dict[type[ast.operator], int] = {
    ast.Add: 0, ast.Sub: 0, ast.Mult: 1, ast.Div: 1, ast.FloorDiv: 1, ast.Pow: 1, ast.BitOr: 0, ast.BitXor: 0,
    ast.LShift: 0, ast.RShift: 0,
}  # fmt: skip
LEFT: dict[type[ast.operator], int] = {ast.Add: 0, ast.Mult: 1, ast.BitOr: 0, ast.BitXor: 0}


def folded(node: ast.AST, same: Collection[str] = ()) -> ast.AST:
    """The expression without detours around it; what lies inside stays. same: functions that return their argument.

    `(x,)[0]`, `{0: x}[0]`, `[x].pop()`, `x if True else y`, `True and x`, `not not x`, `x + 0`, `x * 1`, `x[:]`,
    `(lambda: x)()`, `(lambda y: y)(x)` and `getattr(x, "name")` are meant.
    """
    while (shorter := step(node, same)) is not None:
        node = shorter
    return node


def straight(nodes: Iterable[ast.stmt]) -> list[ast.stmt]:
    """Statements, with the branch that is taken in place of an `if` on a constant."""
    found, waiting = list[ast.stmt](), list(nodes)[::-1]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and (known := truth(node.test)) is not None:
            waiting += (node.body if known else node.orelse)[::-1]
        else:
            found.append(node)
    return found


def identities(tree: ast.Module) -> set[str]:
    """Functions of a module that return their only argument."""
    found = set[str]()
    for node in tree.body:
        if isinstance(node, FUNCTIONS) and isinstance(last := node.body[-1], ast.Return):
            if returns_argument(node.args, last.value) and all(silent(part) for part in node.body[:-1]):
                found.add(node.name)
        elif isinstance(node, ast.Assign) and isinstance(to := node.value, ast.Lambda):
            named = {target.id for target in node.targets if isinstance(target, ast.Name)}
            found |= named if returns_argument(to.args, to.body) else set()
    return found


def silent(node: ast.stmt) -> bool:
    """Does a statement do nothing?"""
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def returns_argument(args: ast.arguments, value: ast.expr | None) -> bool:
    """Is there one parameter, and is it what comes back?"""
    named = [*args.posonlyargs, *args.args]
    alone = len(named) == 1 and not (args.vararg or args.kwarg or args.kwonlyargs)
    return alone and isinstance(value, ast.Name) and value.id == named[0].arg


def step(node: ast.AST, same: Collection[str]) -> ast.AST | None:
    """One detour less, or None when there is none."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        return picked(node)
    if isinstance(node, ast.IfExp) and (known := truth(node.test)) is not None:
        return node.body if known else node.orelse
    if isinstance(node, ast.BoolOp):
        return remaining(node)
    if isinstance(node, ast.UnaryOp):
        inner = node.operand
        if isinstance(node.op, ast.UAdd):
            return inner
        return inner.operand if isinstance(inner, ast.UnaryOp) and type(inner.op) is type(node.op) else None
    if isinstance(node, ast.BinOp):
        if neutral(node.right, RIGHT.get(type(node.op)), isinstance(node.op, ast.Add)):
            return node.left
        return node.right if neutral(node.left, LEFT.get(type(node.op)), isinstance(node.op, ast.Add)) else None
    return called(node, same) if isinstance(node, ast.Call) else None


def truth(node: ast.expr) -> bool | None:
    """Of a constant; None for anything else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not) and isinstance(node.operand, ast.Constant):
        return not node.operand.value
    return bool(node.value) if isinstance(node, ast.Constant) else None


def number(node: ast.AST | None) -> int | None:
    """A whole number that stands there."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        positive = number(node.operand)
        return None if positive is None else -positive
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else None


def neutral(node: ast.expr, known: int | None, adds: bool) -> bool:
    """Is it what changes nothing, or an empty text, list or tuple that is added?"""
    if known is not None and number(node) == known:
        return True
    empty = isinstance(node, (ast.List, ast.Tuple)) and not node.elts
    return adds and (empty or (isinstance(node, ast.Constant) and node.value in ("", b"")))


def picked(node: ast.Subscript) -> ast.AST | None:
    """An element of a list, tuple or dictionary that stands there; all of it for `[:]`."""
    of, index = node.value, node.slice
    if isinstance(index, ast.Slice):
        return None if index.lower or index.upper or index.step else of
    if isinstance(of, ast.Dict) and len(of.keys) == 1 and isinstance(of.keys[0], ast.Constant):
        there = isinstance(index, ast.Constant) and of.keys[0].value == index.value
        return of.values[0] if there else None
    at = number(index)
    return None if at is None else element(of, at)


def element(of: ast.expr, at: int) -> ast.AST | None:
    """One of a list or tuple that stands there."""
    if not isinstance(of, (ast.List, ast.Tuple)) or any(isinstance(part, ast.Starred) for part in of.elts):
        return None
    return of.elts[at] if -len(of.elts) <= at < len(of.elts) else None


def remaining(node: ast.BoolOp) -> ast.AST | None:
    """`True and x`, `False or x` and `x or x` without what decides nothing."""
    neutral_here = isinstance(node.op, ast.And)
    values = [value for value in node.values[:-1] if truth(value) is not neutral_here] + node.values[-1:]
    names = {value.id for value in values if isinstance(value, ast.Name)}
    if len(values) == 1 or (len(names) == 1 and all(isinstance(value, ast.Name) for value in values)):
        return values[-1]
    return ast.copy_location(ast.BoolOp(node.op, values), node) if len(values) < len(node.values) else None


def called(node: ast.Call, same: Collection[str]) -> ast.AST | None:
    """What a call stands for, of a lambda, of a function in `same`, of `getattr` and of `pop`."""
    if node.keywords or any(isinstance(part, ast.Starred) for part in node.args):
        return None
    to, given = node.func, node.args
    if isinstance(to, ast.Lambda):
        of = to.args
        if not given and not (of.posonlyargs or of.args or of.vararg or of.kwarg or of.kwonlyargs):
            return to.body
        return given[0] if len(given) == 1 and returns_argument(of, to.body) else None
    if isinstance(to, ast.Name) and to.id in same and len(given) == 1:
        return given[0]
    if isinstance(to, ast.Name) and to.id == "getattr" and len(given) == 2 and isinstance(given[1], ast.Constant):
        name = given[1].value
        if isinstance(name, str) and name.isidentifier():
            return ast.copy_location(ast.Attribute(given[0], name, ast.Load()), node)
    if isinstance(to, ast.Attribute) and to.attr in ("pop", "__getitem__") and len(given) <= 1:
        at = number(given[0]) if given else -1
        return None if at is None else element(to.value, at)
    return None
