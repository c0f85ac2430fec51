"""Marks in practice data: the ends of identifiers that mean nothing, drawn anew under the key of one candidate.

A marked identifier is a fixed part and a tag, which is a keyed hash of that part: "B31267" and "35". So it is checked
by itself, wherever it stands, without the data that it comes from, and nobody can make or foresee a tag without the
key. A tag may be as short as a digit: under the right key all identifiers fit, under any other one in ten. Among n
different identifiers of a text that does not depend on a key, those that fit are Binomial(n, 1 / tags), or less spread
where some differ in the tag alone; that gives the chance of a coincidence, whatever the text is.

The marks are no secret: who compares a packet with `caredrill generate --exercise` sees them, and can undo them.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from synthetic_data.streams import Seed

DIGITS = "0123456789"


@dataclass(frozen=True)
class Mark:
    """How one kind of identifiers looks when it is marked.

    name: part of what is hashed; two ways of writing one identifier share it.  pattern: a regular expression for text
    in small letters, with the groups fixed part and tag; fastest when it looks back only after its first character.
    alphabet, size: of the tag, as it is written.
    """

    name: str
    pattern: str
    alphabet: str = DIGITS
    size: int = 1

    @property
    def space(self) -> int:
        """How many tags there are."""
        return int(len(self.alphabet) ** self.size)

    @cached_property
    def regex(self) -> re.Pattern[bytes]:
        """The pattern, for bytes."""
        return re.compile(self.pattern.encode(), re.DOTALL)

    def seen(self, text: bytes) -> Iterable[tuple[bytes, int]]:
        """(what is hashed, number of the tag) of everything in a text that looks marked, by anybody or by nobody.

        text: in small letters, so that case makes no difference.
        """
        letters = self.alphabet.lower()
        for match in self.regex.finditer(text):
            places = [letters.find(letter) for letter in match[2].decode()]
            # A letter may be in no tag.
            if min(places) >= 0:
                number = functools.reduce(lambda high, place: high * len(letters) + place, places, 0)
                yield self.message(match[1]), number

    def message(self, fixed: bytes) -> bytes:
        """What is hashed."""
        return self.name.encode() + b":" + fixed

    def checker(self, seed: Seed) -> Callable[[bytes], int]:
        """A function: what is hashed -> the number of its tag under this key."""
        start, space = hashlib.blake2b(key=seed.key, digest_size=16), self.space

        def number(message: bytes) -> int:
            state = start.copy()
            state.update(message)
            return int.from_bytes(state.digest(), "big") % space

        return number

    def written(self, seed: Seed, identifiers: Iterable[str]) -> dict[str, str]:
        """Identifier -> the same with the tag of this key. Raises ValueError for one that is not of this kind."""
        number = self.checker(seed)
        found = {}
        for one in identifiers:
            match = self.regex.fullmatch(one.lower().encode())
            if match is None:
                raise ValueError(f"an identifier is no {self.name}")
            rest, tag = number(self.message(match[1])), ""
            for _ in range(self.size):
                rest, place = divmod(rest, len(self.alphabet))
                tag = self.alphabet[place] + tag
            found[one] = one[: match.start(2)] + tag + one[match.end(2) :]
        return found


def ended(mark: Mark, seed: Seed, identifiers: Iterable[str]) -> dict[str, str]:
    """Identifier -> the same with another end. One whose new form is another's old or new one keeps its own."""
    old = sorted(set(identifiers))
    taken, found = set(old), {}
    for one, new in mark.written(seed, old).items():
        if new not in taken:
            taken.add(new)
            found[one] = new
    return found


def grown(mark: Mark, seed: Seed, identifiers: Iterable[str], keep: int, base: int = 0) -> dict[str, str]:
    """Identifier -> one as long, whose number, counted from `base`, has the tag behind it: the order stays.

    keep: the characters before the number.  Raises ValueError when a number has no room for a tag.
    """
    room = {}
    for one in sorted(set(identifiers)):
        digits = one[keep:]
        number = str((int(digits) - base) * mark.space + base).zfill(len(digits))
        if len(number) > len(digits):
            raise ValueError(f"a number of {len(digits)} digits has no room for a mark of {mark.size}")
        room[one] = one[:keep] + number
    tagged = mark.written(seed, room.values())
    return {one: tagged[new] for one, new in room.items()}


def replaced(data: bytes, pattern: str, new: Mapping[str, str]) -> bytes:
    """`data` with the identifiers that a pattern finds written anew. Others stay."""
    known = {old.encode(): text.encode() for old, text in new.items()}
    return re.sub(pattern.encode(), lambda match: known.get(match[0], match[0]), data, flags=re.MULTILINE)


def found(data: bytes, pattern: str) -> set[str]:
    """Every text that a pattern finds."""
    return {match[0].decode() for match in re.finditer(pattern.encode(), data, re.MULTILINE)}
