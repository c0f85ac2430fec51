"""How alike two submissions are: copies are found under other names, independent work is not called alike."""

from __future__ import annotations

import itertools

import disguised_copy
import pytest
from exercise_lint import TOYS

from graders.harness import submission
from graders.harness.kit import Kit
from graders.round import similarity
from graders.round.similarity import ADVISORY, NEAR_IDENTITY

GOOD = (("deidentification", "good_package"), ("drift_response", "good_sequential"), ("safe_logging", "good"))


def sample(exercise, name):
    of = Kit().exercise(exercise)
    return submission.read(Kit().root / "tests/submissions" / exercise / name, [of])[exercise].files


def fingerprint(exercise, files):
    return similarity.fingerprint(files, similarity.starter_files(Kit().exercise(exercise)))


def alike(one, other):
    found = similarity.pairs({"one": one, "other": other})
    return found[0].similarity if found else None


def program(functions, first=0):
    """So many functions of four lines, each of another shape."""
    form = "def f{n}(a, b):\n    c = a[{n}:b] {sign} {n}\n    return [c, {more}, b ** {n}]\n\n"
    shapes = [(n, "+-*/@"[n % 5], "(b, " * (n % 4) + "n" + ",)" * (n % 4)) for n in range(first, first + functions)]
    return "".join(form.format(n=n, sign=sign, more=more) for n, sign, more in shapes).encode()


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
