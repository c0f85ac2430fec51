"""Picks from DECISIONS.md what its author can be asked about: sentences that claim, assume, give a reason or admit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from graders.round.code_reading import cut

# Kind -> what a sentence of it says, the most telling first.
KINDS = {
    "limit": r"\b(weak\w*|not (?:been )?(?:run|tried|tested|covered|measured)|untested|unfinished|no time"
    r"|without a look|I expect misses|a guess|would not show|cannot (?:tell|know|say|see))\b"
    r"|^what (?:is|I know is) left",
    "assumption": r"\b(assum\w+|presum\w+|probably|I (?:think|believe|expect|guess)|likely|we expect)\b",
    # A share, a decimal, or so many of something; no range, code or age.
    "number": r"(?<![\w./-])\d+(?:[.,]\d+)*\s?%|(?<![\w./-])\d+\.\d+(?![\w./-])"
    r"|(?<![\w./§+-])(?:[2-9]|\d{2,7})\s+(?!and\b|or\b|are\b|days?\b)[a-z]{3,}",
    "not_followed": r"\b(not follow\w*|instead of|rather than"
    r"|memo'?s? (?:says|said|is|was)|undoes|undone|is wrong|was wrong|too old|mostly;)\b",
    "reason": r"\b(because|since|so that|therefore|otherwise|which is why|as it|as an?)\b",
}
SHORTEST, LONGEST, MOST = 35, 240, 60_000


@dataclass(frozen=True)
class Statement:
    """A sentence as written, cut and safe to show. line: where its paragraph begins, from 1.  kinds: all that it is."""

    text: str
    line: int
    kinds: tuple[str, ...]


def statements(data: bytes) -> list[Statement]:
    """What is worth a question, the most telling first; of equals, in the order of the text."""
    found = []
    for line, sentence in sentences(data.decode("utf-8-sig", "replace")[:MOST]):
        kinds = tuple(kind for kind, words in KINDS.items() if re.search(words, sentence, re.IGNORECASE))
        if kinds and len(sentence) >= SHORTEST:
            found.append(Statement(cut(sentence, LONGEST), line, kinds))
    # One that is several things at once says most; very long ones say less.
    order = list(KINDS)
    return sorted(found, key=lambda s: (-len(s.kinds), len(s.text) >= LONGEST, order.index(s.kinds[0]), s.line))


def sentences(text: str) -> Iterator[tuple[int, str]]:
    """(line, sentence) of every paragraph and list item; no headings, tables or code."""
    block: list[str] = []
    start, fenced = 1, False
    for number, raw in enumerate([*text.replace("\r", "\n").split("\n"), ""], 1):
        line = raw.strip()
        fence = line.startswith(("```", "~~~"))
        fenced ^= fence
        skipped = not line or fence or fenced or line.startswith(("#", "|", ">"))
        if skipped or re.match(r"[-*+] |\d+[.)] ", line):
            yield from ((start, part) for part in parts(" ".join(block)))
            block = []
        if not skipped:
            start = start if block else number
            block.append(re.sub(r"^([-*+]|\d+[.)])\s+", "", line))


def parts(paragraph: str) -> list[str]:
    """Its sentences, without Markdown's emphasis."""
    words = re.sub(r"\*\*|__|(?<!\w)\*|\*(?!\w)|`", "", paragraph)
    return [part.strip() for part in re.split(r"(?<=[a-z0-9)\"”.][.!?])\s+(?=[\"“A-Z])", words) if part.strip()]
