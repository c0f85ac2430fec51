"""Invented people whose every detail is their own, so that a trace in a log says whose and which it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from synthetic_data.streams import Seed, Stream

ONSETS = ("br", "dr", "fl", "gr", "kl", "kn", "pl", "qu", "sk", "sn", "thr", "tr", "vl", "wr", "zw")
VOWELS = ("a", "e", "i", "o", "u", "ae", "io", "ua", "ei", "oo")
CODAS = ("bb", "ck", "dge", "ft", "lk", "mph", "nk", "rg", "sp", "tz", "xt", "zz")
ENDS = ("a", "en", "ik", "o", "us", "yl")
STREETS = ("Lane", "Street", "Road", "Way")
EARLIEST, DAYS, MOST = date(1925, 1, 1), 29_000, 1_000
# Details that name a person; `note` is a sentence about them.
FIELDS = ("family", "given", "birthDate", "mrn", "ssn", "phone", "email", "address", "note")


@dataclass(frozen=True)
class Person:
    """One person. id: the logical id, which is no detail of theirs; other fields as a registration desk writes them."""

    id: str
    mrn: str
    family: str
    given: str
    birth_date: str
    sex: str
    phone: str
    email: str
    address: str
    ssn: str
    note: str

    @property
    def body(self) -> dict[str, str]:
        """As POST /patients takes it."""
        return {
            "id": self.id, "mrn": self.mrn, "family": self.family, "given": self.given, "birthDate": self.birth_date,
            "sex": self.sex, "phone": self.phone, "email": self.email, "address": self.address, "ssn": self.ssn,
        }  # fmt: skip

    @property
    def details(self) -> dict[str, str]:
        """Each of FIELDS."""
        return {**{name: self.body[name] for name in FIELDS[:-1]}, "note": self.note}


def drawn(seed: Seed, count: int) -> list[Person]:
    """`count` people; no two share a name, number or birthday, and SSNs are of the 9xx area that is never issued.

    Raises ValueError for more than MOST people.
    """
    if count > MOST:
        raise ValueError(f"there are birthdays for {MOST} people, not for {count}")
    number = np.arange(count)
    draw = seed.stream("people")

    def whole(low: int, high: int, item: int) -> list[int]:
        return [int(n) for n in draw.integers(low, high, number, item)]

    words = fresh(seed.stream("words"), 5 * count)
    days = (number * (DAYS // MOST) + draw.integers(0, DAYS // MOST, number, 0)).tolist()
    mrn = (10_000_000 + number * 89_993 + draw.integers(0, 89_993, number, 1)).tolist()
    line = (3 * number + draw.integers(0, 3, number, 2)).tolist()
    sexes, streets = whole(0, 4, 3), whole(0, len(STREETS), 4)
    houses, middle, ids = whole(1, 999, 5), whole(10, 99, 6), whole(0, 2**31, 7)
    people = []
    for n in range(count):
        family, given, street, town, phrase = words[5 * n : 5 * n + 5]
        people.append(
            Person(
                id=f"p-{ids[n]:08x}{n:04x}",
                mrn=f"MRN{mrn[n]}",
                family=family.title(),
                given=given.title(),
                birth_date=(EARLIEST + timedelta(days=days[n])).isoformat(),
                sex=("female", "male", "other", "unknown")[sexes[n]],
                phone=f"({201 + line[n] // 100}) 555-01{line[n] % 100:02d}",
                email=f"{given}.{family}@example.org",
                address=f"{houses[n]} {street.title()} {STREETS[streets[n]]}, {town.title()} {10_000 + n}",
                ssn=f"{900 + n % 100}-{middle[n]}-{1000 + 7 * n:04d}",
                note=f"Fell near the {phrase} at home and came in with {phrase[::-1][:4]}ache.",
            )
        )
    return people


def fresh(draw: Stream, count: int) -> list[str]:
    """`count` words of seven letters or more, each another."""
    parts = [np.array(part) for part in (ONSETS, VOWELS, CODAS, VOWELS, CODAS, ENDS)]
    found: dict[str, None] = {}
    attempt = 0
    while len(found) < count:
        picks = [part[draw.choice(len(part), np.arange(count), k, attempt)] for k, part in enumerate(parts)]
        for letters in zip(*(pick.tolist() for pick in picks), strict=True):
            found.setdefault("".join(letters))
        attempt += 1
    return list(found)[:count]
