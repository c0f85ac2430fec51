"""Invented given and family names, drawn from the pools in vocab/ for whole columns of people at once."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from synthetic_data import vocab
from synthetic_data.streams import IntArray, Stream

TextArray = npt.NDArray[np.str_]
ObjectArray = npt.NDArray[np.object_]

POOLS = ("anglo", "hispanic", "vietnamese", "nigerian", "chinese_pinyin", "indian", "arabic")
GROUPS = (*POOLS, "hyphenated")

# Names that are also words or diseases (Will, May, Graves) are drawn this often, on purpose more than in life.
COMMON_WORD_SHARE = 0.10
HYPHENATED_GIVEN_SHARE = 0.25


def given(stream: Stream, ids: IntArray, groups: TextArray, sexes: TextArray, item: int = 0) -> list[str]:
    """One given name per person; ids, groups and sexes have the same length. item: 0 the first name, 1 the middle."""
    groups = _pool_of_hyphenated(stream, ids, groups)[0]
    first = _pick(stream, ids, groups, sexes, item, draw=0)
    return list(first)


def double_given(stream: Stream, ids: IntArray, sexes: TextArray) -> list[str]:
    """Names like Mary-Kate, for a share of the people called; the rest get "" (their plain name stands)."""
    anglo = np.full(len(ids), "anglo")
    pairs = zip(_pick(stream, ids, anglo, sexes, 2, 0), _pick(stream, ids, anglo, sexes, 3, 0), strict=True)
    wanted = stream.uniform(ids, 4) < HYPHENATED_GIVEN_SHARE
    return [f"{a}-{b}" if use and a != b else "" for (a, b), use in zip(pairs, wanted, strict=True)]


def family(stream: Stream, ids: IntArray, groups: TextArray, item: int = 0) -> list[str]:
    """One family name per person; the group "hyphenated" gets two, joined."""
    left, right = _pool_of_hyphenated(stream, ids, groups)
    single = np.full(len(ids), "")
    first = _pick(stream, ids, left, single, item, draw=0)
    second = _pick(stream, ids, right, single, item, draw=8)
    joined = (groups == "hyphenated") & (first != second)
    return [f"{a}-{b}" if both else a for a, b, both in zip(first, second, joined, strict=True)]


def _pool_of_hyphenated(stream: Stream, ids: IntArray, groups: TextArray) -> tuple[TextArray, TextArray]:
    """The pools of the first and second half of a hyphenated name; every other group keeps its own."""
    pools = np.array(POOLS)
    is_double = groups == "hyphenated"
    # Half of the first halves are anglo or hispanic, the groups in which hyphenated names are most often met.
    left = np.where(stream.uniform(ids, 90) < 0.5, "anglo", pools[stream.choice(2, ids, 91)])
    right = pools[stream.choice(len(pools), ids, 92)]
    return np.where(is_double, left, groups), np.where(is_double, right, groups)


def _pick(stream: Stream, ids: IntArray, groups: TextArray, sexes: TextArray, item: int, draw: int) -> ObjectArray:
    common = stream.uniform(ids, item, draw) < COMMON_WORD_SHARE
    where = stream.uniform(ids, item, draw + 1)
    # Object, not fixed width: a longer name elsewhere in the block must not change anything here.
    out = np.full(len(ids), "", dtype=object)
    for pool in POOLS:
        for sex in ("", "female", "male"):
            members = (groups == pool) & (sexes == sex)
            if not members.any():
                continue
            for is_common in (False, True):
                chosen = members & (common == is_common)
                values = _pool(pool, sex, is_common)
                out[chosen] = values[(where[chosen] * len(values)).astype(np.int64)]
    return out


@functools.cache
def _pool(group: str, sex: str, common: bool) -> ObjectArray:
    """The names of a group, all of them or only those that are also words; sex "" means family names."""
    table = vocab.read("given_names" if sex else "family_names")
    rows = table["group"] == group
    if sex:
        rows &= table["sex"] == sex
    if common:
        rows &= table["common"] == "1"
    return table.loc[rows, "value"].to_numpy(dtype=object)
