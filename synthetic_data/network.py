"""The fictional hospital network: three sites that number, and write about, their patients in different ways."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthetic_data import names
from synthetic_data.streams import IntArray, Seed, Stream

# I and O are left out, as real numbering schemes do: they read as 1 and 0.
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
PROVIDERS_PER_SITE = 40


@dataclass(frozen=True)
class Site:
    """One hospital.

    mrn_pattern: how its medical record numbers look: # is a digit, @ a letter, anything else stands for itself.
    share: its part of the network's patients.
    area_codes: of its region; the last seven digits of every number are 555-01xx.
    utc_offset: of its winter time, which its clocks keep all year, so that a local time has one meaning.
    """

    code: str
    name: str
    city: str
    state: str
    zip3s: tuple[str, ...]
    area_codes: tuple[str, ...]
    mrn_pattern: str
    share: float
    utc_offset: str = "+00:00"


# A and B number alike, so that one number can mean two people; C does not.
SITES = (
    Site(
        "A",
        "Marlow Valley Medical Center",
        "Marlow",
        "CA",
        ("932", "936", "937"),
        ("559", "661", "209"),
        "########",
        0.45,
    ),
    Site(
        "B",
        "Granite Notch Hospital",
        "Granite Notch",
        "NH",
        ("035", "036", "050"),
        ("603", "802"),
        "########",
        0.30,
        "-05:00",
    ),
    Site(
        "C",
        "Sandhills Regional Hospital",
        "Hartwell",
        "NE",
        ("691", "692", "693"),
        ("308", "402"),
        "A-##-####-@",
        0.25,
        "-06:00",
    ),
)


def by_code(sites: tuple[Site, ...]) -> dict[str, Site]:
    """The sites under their codes. Raises ValueError when two have the same code."""
    found = {site.code: site for site in sites}
    if len(found) < len(sites):
        raise ValueError(f"{len(sites)} sites have only {len(found)} different codes")
    return found


def providers(seed: Seed, site: Site) -> pd.DataFrame:
    """given, family, sex of the clinicians of one site: the same people for every patient and every size of data."""
    # A clinician is keyed by site and place in the list, so sites do not share their staff.
    ids = np.arange(PROVIDERS_PER_SITE) + 1000 * sum(map(ord, site.code))
    draw = seed.stream("network/providers")
    sex = np.where(draw.uniform(ids, draw=0) < 0.5, "female", "male")
    groups = np.array(names.GROUPS)[draw.choice(len(names.GROUPS), ids, draw=1)]
    given = names.given(seed.stream("network/providers/given"), ids, groups, sex)
    family = names.family(seed.stream("network/providers/family"), ids, groups)
    frame = pd.DataFrame({"given": given, "family": family, "sex": sex.tolist()})
    return frame.drop_duplicates(["given", "family"], ignore_index=True)


def capacity(pattern: str) -> int:
    """How many different numbers a pattern has."""
    return math.prod(10 if mark == "#" else len(LETTERS) if mark == "@" else 1 for mark in pattern)


def fill(pattern: str, values: IntArray) -> list[str]:
    """Each value, 0 <= value < capacity(pattern), written as the pattern says; different values, different texts."""
    columns: list[npt.NDArray[np.str_]] = []
    rest = values.copy()
    for mark in reversed(pattern):
        if mark in "#@":
            alphabet = np.array(list("0123456789" if mark == "#" else LETTERS))
            columns.append(alphabet[rest % len(alphabet)])
            rest //= len(alphabet)
        else:
            columns.append(np.full(len(values), mark))
    return ["".join(marks) for marks in zip(*reversed(columns), strict=True)]


def scatter(stream: Stream, numbers: IntArray, size: int) -> IntArray:
    """A one-to-one map of 0..size-1 onto itself, so that numbers given out never collide and do not look counted.

    Raises ValueError when a number does not fit.
    """
    if len(numbers) and (int(numbers.max()) >= size or int(numbers.max() + 1) * size >= 2**63):
        raise ValueError(f"patient {int(numbers.max())} does not fit in a numbering scheme of {size}")
    word = stream.words(np.zeros(1, np.int64))[0]
    # Two words: one alone would leave the leading marks of a long pattern nearly constant.
    factor = (int(word[0]) << 32 | int(word[2])) % size
    while math.gcd(factor, size) != 1:
        factor = (factor + 1) % size
    return (numbers * factor + int(word[1]) % size) % size
