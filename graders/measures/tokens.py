"""Words of a text as a reader sees them, and the keys under which two spellings of one word are equal."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

WORD = re.compile(r"[^\W_]+")
_PERCENT_RUN = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_REFERENCE = re.compile(r"&#0*([0-9]{1,7})[0-9]*")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]+")  # not the blanks, and not the separators 1c to 1f
# Letters that look like Latin ones, Cyrillic, Greek and small capitals: a name written with them is still readable.
_LOOKALIKES = str.maketrans(
    "аеорсухіјѕԁһкмтвнгοανικρτυ" + "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢıɡ",
    "aeopcyxijsdhkmtbhroavikptu" + "abcdefghijklmnopqrstuvwyzig",
)
# Unicode's Default_Ignorable_Code_Point beyond the categories below: Hangul fillers and reserved code points.
_FILLERS = frozenset("\u115f\u1160\u2065\u3164\uffa0" + "".join(map(chr, range(0xFFF0, 0xFFF9))))
_ASCII_MARKS = {"\u2010": "-", "\u2212": "-", "\u2044": "/", "\u2215": "/"}  # as in dates and numbers
_LONGEST_MARKS = 4


def visible(text: str, most: int | None = None) -> str:
    """NFKC text with HTML entities and URL escapes resolved, digits and slashes in ASCII, and nothing invisible in it.

    Combining marks that are part of no composed letter go too: one of them, U+034F, cannot be seen, and the others
    leave a word readable. The text may become longer than it was, up to 18 times; where it has more than `most`
    characters then, it is given back half done, as no more than its length matters.
    """
    if "&" in text:
        # int() refuses thousands of digits.
        text = html.unescape(_REFERENCE.sub(r"&#\1", text) if "&#" in text else text)
    if "%" in text:
        text = _PERCENT_RUN.sub(_unescaped, text)
    text = _CONTROLS.sub("", text)
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", _few_marks(text))
    if most is not None and len(text) > most:
        return text
    changed = {c: shown for c in set(text) if (shown := _shown(c)) != c}
    return "".join([changed.get(c, c) for c in text]) if changed else text


def _unescaped(run: re.Match[str]) -> str:
    return bytes.fromhex(run.group().replace("%", "")).decode(errors="replace")


def _few_marks(text: str) -> str:
    """Without the marks after the fourth on one letter: normalising sorts them, in quadratic time."""
    marks = {c for c in set(text) if unicodedata.combining(c)}
    if not marks:
        return text
    kept, run = [], 0
    for c in text:
        run = run + 1 if c in marks else 0
        if run <= _LONGEST_MARKS:
            kept.append(c)
    return "".join(kept)


@lru_cache(maxsize=2**17)  # more than a text can hold: a flood of rare letters is looked up once
def _shown(c: str) -> str:
    """What a reader sees of one character of NFKC text."""
    if c.isascii():
        return c
    if unicodedata.category(c) in {"Cf", "Mn", "Me"} or c in _FILLERS or 0xE0000 <= ord(c) <= 0xE0FFF:
        return ""
    digit = unicodedata.decimal(c, None)
    return _ASCII_MARKS.get(c, c) if digit is None else str(digit)


def fold(text: str) -> str:
    """Case, accents and look-alike letters taken away: "José" and "JOSE" are one key, also with a Cyrillic o."""
    if text.isascii():
        return text.lower()
    keys = {c: _folded(c) for c in set(text)}
    return "".join([keys[c] for c in text])


@lru_cache(maxsize=2**17)
def _folded(c: str) -> str:
    bare = unicodedata.normalize("NFKD", c)
    if len(bare) > 1:
        bare = "".join(part for part in bare if not unicodedata.combining(part))
    return bare.casefold().translate(_LOOKALIKES)


def squeezed(text: str) -> str:
    """Only the letters and digits of a text, folded: "559-555-0143" is "5595550143"."""
    return "".join(WORD.findall(fold(text)))


def spelled(words: Iterable[str]) -> list[str]:
    """What four or more single characters in a row spell: "R-o-s-a", and by every second one "R_x_o_x_s_x_a"."""
    runs = "".join([w if len(w) == 1 else " " for w in words]).split()
    whole = [run for run in runs if len(run) >= 4]
    return whole + [run[first::2] for run in whole if len(run) >= 7 for first in (0, 1)]


@dataclass(frozen=True)
class Words:
    """The words of `text` (already `visible`): as written, as keys, and where they stand."""

    text: str
    written: list[str]
    keys: list[str]
    starts: list[int]
    ends: list[int]

    @classmethod
    def of(cls, text: str) -> Words:
        """Split at everything that is neither letter nor digit; underscores and apostrophes split too."""
        bounds = [m.span() for m in WORD.finditer(text)]
        written = [text[s:e] for s, e in bounds]
        if text.isascii():
            lower = text.lower()
            keys = [lower[s:e] for s, e in bounds]
        else:
            keys = [fold(w) for w in written]
        return cls(text, written, keys, [s for s, _ in bounds], [e for _, e in bounds])

    def between(self, left: int, right: int) -> str:
        """The text after word `left` and before word `right`; -1 and len(words) stand for the ends."""
        start = self.ends[left] if left >= 0 else 0
        return self.text[start : self.starts[right]] if right < len(self.starts) else self.text[start:]
