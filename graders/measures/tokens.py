"""Words of a text as a reader sees them, and the keys under which two spellings of one word are equal."""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote

WORD = re.compile(r"[^\W_]+")
_PERCENT_RUN = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
# Cyrillic and Greek letters that look like Latin ones: a name written with them is still readable.
_LOOKALIKES = str.maketrans("аеорсухіјѕԁһкмтвнгοανικρτυ", "aeopcyxijsdhkmtbhroavikptu")


def visible(text: str) -> str:
    """NFKC text with HTML entities and URL escapes resolved and invisible characters removed."""
    if text.isascii() and "&" not in text and "%" not in text:
        return text
    if "&" in text:
        text = html.unescape(text)
    if "%" in text:
        text = _PERCENT_RUN.sub(lambda run: unquote(run.group(), errors="replace"), text)
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", text)
    return "".join(c for c in text if unicodedata.category(c) != "Cf")


def fold(text: str) -> str:
    """Case, accents and look-alike letters taken away: "José" and "JOSE" are one key, also with a Cyrillic o."""
    if text.isascii():
        return text.lower()
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return bare.casefold().translate(_LOOKALIKES)


def squeezed(text: str) -> str:
    """Only the letters and digits of a text, folded: "559-555-0143" is "5595550143"."""
    return "".join(WORD.findall(fold(text)))


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
        found = list(WORD.finditer(text))
        written = [m.group() for m in found]
        return cls(text, written, [fold(w) for w in written], [m.start() for m in found], [m.end() for m in found])

    def between(self, left: int, right: int) -> str:
        """The text after word `left` and before word `right`; -1 and len(words) stand for the ends."""
        start = self.ends[left] if left >= 0 else 0
        return self.text[start : self.starts[right]] if right < len(self.starts) else self.text[start:]
