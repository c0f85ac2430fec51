"""How alike two submissions are: copies are found under other names, independent work is not called alike."""

from __future__ import annotations

import ast
import base64
import itertools
import random
import zlib

import disguised_copy
import pytest
from exercise_lint import TOYS

from graders.harness import submission
from graders.harness.kit import Kit
from graders.round import code_tokens, doubts, similarity
from graders.round.similarity import ADVISORY, NEAR_IDENTITY

GOOD = (("deidentification", "good_package"), ("drift_response", "good_sequential"), ("safe_logging", "good"))


def sample(exercise, name):
    of = Kit().exercise(exercise)
    return submission.read(Kit().root / "tests/submissions" / exercise / name, [of])[exercise].files


def fingerprint(exercise, files):
    of = Kit().exercise(exercise)
    return similarity.fingerprint(files, similarity.starter_files(of), similarity.packages(of))


def alike(one, other):
    found = similarity.pairs({"one": one, "other": other})
    return found[0].similarity if found else None


def program(functions, first=0):
    """So many functions of four lines, each of another shape."""
    form = "def f{n}(a, b):\n    c = a[{n}:b] {sign} {n}\n    return [c, {more}, b ** {n}]\n\n"
    shapes = [(n, "+-*/@"[n % 5], "(b, " * (n % 4) + "n" + ",)" * (n % 4)) for n in range(first, first + functions)]
    return "".join(form.format(n=n, sign=sign, more=more) for n, sign, more in shapes).encode()


def junk(lines, seed):
    """So many lines of functions that no two seeds share."""
    rng = random.Random(seed)
    out = [
        f"def g{n}(a, b):\n    for c in range(a, {rng.randint(2, 10**6)}):\n"
        f"        b {rng.choice('+-*/|&^')}= {rng.choice(['max', 'min', 'pow'])}(c, a[{rng.randint(2, 10**6)}])\n"
        f"    return b if a {rng.choice(['<', '>', 'in', 'is'])} {rng.randint(2, 10**6)} else [b, -a]\n"
        for n in range(lines // 4)
    ]
    return "".join(out).encode()


class Detours(ast.NodeTransformer):
    """A share of the names that are read, each in a detour."""

    def __init__(self, form, share):
        self.form, self.share, self.rng = form, share, random.Random(form)

    def visit_Name(self, node):
        if not isinstance(node.ctx, ast.Load) or self.rng.random() >= self.share:
            return node
        return ast.parse(self.form.format(x=node.id), mode="eval").body


def detoured(files, form, share=0.35):
    return {
        name: ast.unparse(ast.fix_missing_locations(Detours(form, share).visit(ast.parse(data)))).encode()
        for name, data in files.items()
        if name.endswith(".py")
    }


def padded(files, comment=0):
    return {name: data + b"\n#" + b"z" * comment if name.endswith(".py") else data for name, data in files.items()}


@pytest.mark.parametrize(("exercise", "name"), GOOD)
@pytest.mark.parametrize("seed", [0, 3])
def test_a_renamed_reordered_copy_is_nearly_identical(exercise, name, seed):
    files = sample(exercise, name)
    copy = disguised_copy.disguise(files, seed)
    assert not set(copy.values()) & set(files.values())
    assert alike(fingerprint(exercise, files), fingerprint(exercise, copy)) >= NEAR_IDENTITY


@pytest.mark.parametrize("exercise", Kit().names())
def test_independent_good_solutions_are_not_alike(exercise):
    place = Kit().root / "tests/submissions" / exercise
    names = sorted(p.name for p in place.iterdir() if p.name.startswith(("good", "ai_answer")))
    found = similarity.pairs({name: fingerprint(exercise, sample(exercise, name)) for name in names})
    assert len(found) == len(list(itertools.combinations(names, 2)))
    assert found[0].similarity < ADVISORY <= 0.4


def test_half_a_copy_is_seen():
    files, other = sample(*GOOD[1]), sample("drift_response", "good_tables")
    print_of_half = fingerprint("drift_response", disguised_copy.half(files, other, 1))
    assert alike(fingerprint("drift_response", files), print_of_half) >= ADVISORY


def test_a_sample_with_one_flaw_is_next_to_what_it_was_made_from():
    kit = Kit()
    prints = similarity.sample_prints(kit, kit.exercise("safe_logging"))
    found = similarity.nearest(
        {"c01": prints["accesses_in_the_log"]}, {"good": prints["good"], "ai": prints["ai_answer"]}
    )
    assert [(p.first, p.second) for p in found] == [("c01", "good")]
    assert found[0].similarity >= NEAR_IDENTITY


@pytest.mark.parametrize("exercise", Kit().names())
def test_the_starter_alone_is_compared_with_nothing(exercise):
    prints = fingerprint(exercise, similarity.starter_files(Kit().exercise(exercise)))
    assert similarity.pairs({"a": prints, "b": prints}) == []
    assert similarity.nearest({"a": prints}, {"b": prints}) == []


def test_a_notebook_is_compared_with_files():
    files = sample("deidentification", "good_notebook")
    assert alike(fingerprint("deidentification", files), fingerprint("deidentification", dict(files))) == 1


def test_a_kit_without_samples_has_no_prints(tmp_path):
    assert similarity.sample_prints(Kit(tmp_path), Kit().exercise("deidentification")) == {}


def test_samples_of_another_kit_are_read_from_there():
    kit = Kit(TOYS)
    assert "good" in similarity.sample_prints(kit, kit.exercise("body_mass_index"))


def test_what_is_alike_is_named_by_file_and_lines():
    one = similarity.fingerprint({"mine.py": b"x = 1\n" + program(40)}, {})
    two = similarity.fingerprint({"yours.py": program(40), "more.py": program(40, 100)}, {})
    found = similarity.pairs({"a": one, "b": two})[0]
    assert found.similarity == 1
    assert found.lines == ("mine.py:2-160",)


def test_a_file_that_does_not_parse_hides_no_copy():
    clean, broken = {"a.py": program(60)}, {"a.py": program(60), "b.py": b"def f(:\n"}
    assert alike(similarity.fingerprint(clean, {}), similarity.fingerprint(broken, {})) == 1


def test_two_that_do_not_parse_are_compared_word_by_word():
    broken = {"a.py": program(60) + b"print 'x'\n"}
    other = {"b.py": b"import z  # another comment\n" + broken["a.py"].replace(b"c =", b"delta  =")}
    assert alike(similarity.fingerprint(broken, {}), similarity.fingerprint(other, {})) >= NEAR_IDENTITY


@pytest.mark.parametrize(
    "data",
    [
        b"\0" * 5_000_000,
        b"x = 1\n" * 800_000,
        b"(" * 200_000,
        b"x = " + b"-" * 5_000_000 + b"1",
        b"x = " + b"1 + " * 100_000 + b"1",
        b"x = a" + b".b" * 150_000,
        b"x = " + b"lambda: " * 50_000 + b"1",
        b"if 1: pass\n" + b"elif 1: pass\n" * 20_000,
        b"".join(b" " * n + b"if 1:\n" for n in range(700)),
        b"x = '" + b"\\'" * 150_000,
        b"'''\\" * 80_000,
        b"'\"" * 150_000,
        b"x = 0x" + b"f" * 200_000,
        b"# -*- coding: utf-7 -*-\n+AAAAIgA-",
        b"# coding: no_such\nx = 1\n",
        "x = 'é'\n".encode("utf-16"),
        b"\xff\xfe\xed\xa0\x80" * 1000,
        b"x = '\\ud800'\nf'{x!r:{x}}'\n",
        b"",
    ],
    ids=itertools.count(),
)
def test_hostile_code_is_compared_like_any_other(data):
    files = {"hostile.py": data, "own.py": program(60), "\u202egnp.py": b"\0", "data.csv": b"\xff"}
    prints = similarity.fingerprint(files, {"starter.py": b"x = 1"})
    honest = similarity.fingerprint({"own.py": program(60)}, {"starter.py": b"x = 1"})
    found = similarity.pairs({"a": prints, "b": honest})
    assert found[0].similarity >= ADVISORY
    assert all(line.isascii() and line.isprintable() for line in found[0].lines)


def test_comments_and_texts_crowd_out_no_code():
    files = sample(*GOOD[1])
    texts = {f"a{n}.py": b'T = """' + b"zzz " * 15_000 + b'"""\n' for n in range(4)}
    copy = fingerprint("drift_response", padded(files, 70_000) | texts)
    assert alike(fingerprint("drift_response", files), copy) >= NEAR_IDENTITY
    assert not copy.doubts


def test_many_small_files_crowd_out_no_code():
    files = sample(*GOOD[1])
    copy = fingerprint("drift_response", files | {f"a{n}.py": junk(250, n) for n in range(20)})
    assert alike(fingerprint("drift_response", files), copy) >= NEAR_IDENTITY


def test_a_copy_among_3000_lines_of_other_code_is_seen():
    files = sample(*GOOD[1])
    copy = files | {"drift_response.py": files["drift_response.py"] + b"\n" + junk(3000, 1)}
    assert alike(fingerprint("drift_response", files), fingerprint("drift_response", copy)) >= NEAR_IDENTITY


def test_no_file_takes_the_room_of_another_and_what_is_left_out_is_said(monkeypatch):
    monkeypatch.setattr(code_tokens, "MAX_TOKENS", 20_000)
    own = {"own.py": program(60)}
    full = similarity.fingerprint(own | {f"a{n}.py": b"x = y[1]\n" * 6_000 for n in range(2)}, {})
    assert alike(similarity.fingerprint(own, {}), full) == 1
    assert full.doubts == ("too much code, read in part",)


@pytest.mark.parametrize("place", ["", "util/"])
def test_files_named_like_packages_change_nothing(place):
    files = sample(*GOOD[1])
    named = {f"{place}{name}.py": b"" for name in ("re", "json", "math", "collections", "pandas", "numpy", "scipy")}
    copy = fingerprint("drift_response", files | named)
    assert alike(fingerprint("drift_response", files), copy) == 1


def test_modules_in_a_folder_that_is_added_to_the_path_are_its_own():
    def through(name):
        calls = b"".join(b"def f%d(a):\n    return [NAME.g(a, %d), NAME.h(a[%d:])]\n" % (n, n, n) for n in range(99))
        return {"own.py": b"import NAME\n".replace(b"NAME", name) + calls.replace(b"NAME", name),
                f"lib/{name.decode()}.py": b"def g(a, n): pass\n"}  # fmt: skip

    assert alike(similarity.fingerprint(through(b"one"), {}), similarity.fingerprint(through(b"two"), {})) == 1


def test_names_taken_from_elsewhere_by_a_module_of_its_own_are_known():
    body = b"".join(
        b"def f%d(a):\n    return n.sum(n.where(a, %d, n.abs(a))) %% n.max(a)\n" % (n, n) for n in range(99)
    )
    direct = {"own.py": b"import numpy as n\n" + body}
    through = {"own.py": b"from util import n\n" + body, "util.py": b"import numpy as n\n"}
    assert alike(similarity.fingerprint(direct, {}), similarity.fingerprint(through, {})) == 1


@pytest.mark.parametrize(
    "form",
    ["({x},)[0]", "[{x}][-1]", "{{0: {x}}}[0]", "[{x}].pop()", "({x} if True else 0)", "(True and {x})", "({x} or {x})",
     "(not not {x})", "(lambda: {x})()", "(lambda y: y)({x})", "({x} + 0)", "({x} * 1)",
     "(({x},)[0] + 0)", "same({x})"],
)  # fmt: skip
def test_detours_of_an_expression_hide_no_copy(form):
    files = {"a.py": program(60)}
    copy = detoured({"a.py": b"def same(y):\n    return y\n\n" + files["a.py"]}, form)
    if form.startswith("same"):  # its own body stands in no detour
        copy = {"a.py": copy["a.py"].replace(b"return same(y)", b"return y")}
    one = similarity.fingerprint(files, {})
    assert copy["a.py"].count(b"def f") == 60
    assert alike(one, similarity.fingerprint(copy, {})) >= NEAR_IDENTITY


def test_branches_that_are_always_taken_hide_no_copy():
    files = {"a.py": program(60)}
    copy = {"a.py": files["a.py"].replace(b"    c = ", b"    if 0:\n        d = [a, b]\n    if True:\n        c = ")}
    assert alike(similarity.fingerprint(files, {}), similarity.fingerprint(copy, {})) == 1


def packed(data):
    """A program in a text."""
    return b"import base64, zlib\nexec(zlib.decompress(base64.b64decode(%r)))\n" % base64.b64encode(zlib.compress(data))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (packed(program(60)), "can run code from text (exec)"),
        (packed(program(60)), "unpacks texts (base64.b64decode, zlib.decompress)"),
        (b"import builtins as b\nb.eval(T)\n", "can run code from text (builtins.eval)"),
        (b"run = compile\n", "can run code from text (compile)"),
        (b"getattr(__builtins__, T)(T)\n", "can run code from text (__builtins__)"),
        (b"print 'x'; exec(T)\n", "can run code from text (exec)"),
        (b"def f(:\n", "does not parse, compared word by word"),
        (b"# -*- coding: utf-7 -*-\n", "declares an unusual encoding"),
    ],
)
def test_what_may_hide_a_copy_is_said(code, said):
    assert said in similarity.fingerprint({"a.py": code, "b.py": program(60)}, {}).doubts


@pytest.mark.parametrize(
    "code",
    [
        b"import re\nre.compile(T)\n",
        b"frame.eval(T)\nmodel.eval()\nf(compile=True)\n",
        b"import base64\nbase64.b32encode(T)\n",
        b"'exec(eval)'  # exec(T)\n",
        b"# coding: utf-8\n",
    ],
)
def test_what_hides_nothing_raises_no_doubt(code):
    assert not similarity.fingerprint({"a.py": code + program(60)}, {}).doubts


@pytest.mark.parametrize("exercise", Kit().names())
def test_no_independent_sample_raises_a_doubt(exercise):
    place = Kit().root / "tests/submissions" / exercise
    for path in sorted(place.iterdir()):
        if path.name.startswith(("good", "ai_answer")):
            files = sample(exercise, path.name)
            code = code_tokens.read(files, similarity.packages(Kit().exercise(exercise)))
            assert not list(doubts.doubts(code, files)), path.name
