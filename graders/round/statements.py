"""Picks from DECISIONS.md what its author can be asked about: sentences that claim, assume, give a reason or admit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from graders.report.terminal import plain

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
    "reason": r"\b(because|since|so that|therefore|which is why|as it)\b|(?:^|[.,;:] )otherwise\b",
}
# A figure was seen, or came out; a threshold, a budget or a number of draws was set.
SEEN = (
    r"\b(found|measured|count(?:s|ed)?|there (?:are|were)|belongs?|in the \w*\s?data|saw|seen|recall|precision|kept|"
    r"lost|miss\w*|caught|came|gave|scored?|shares?|average|median|mean|fall\w*|fell|rose|changed)\b"
)
SET = (
    r"\b(thresholds?|limits?|budget|bar|at least|at most|minimum|maximum|min|max|alpha|seed|draws?|replicates?|"
    r"bootstrap\w*|set to|asked for|below|above|under|over|or more|or fewer|level|tolerance|significan\w*|family-wise|"
    r"percentiles?)\b|\|z\|"
)
SHORTEST, LONGEST, MOST = 35, 200, 60_000


@dataclass(frozen=True)
class Statement:
    """A sentence as written, whole and safe to show. line: where its paragraph begins.  kinds: all of them."""

    text: str
    line: int
    kinds: tuple[str, ...]


def statements(data: bytes) -> list[Statement]:
    """What is worth a question, the most telling first; of equals, in the order of the text."""
    found = []
    for line, sentence in sentences(data.decode("utf-8-sig", "replace")[:MOST]):
        # Looking for words in a stranger's sentence can take the square of its length.
        if not SHORTEST <= len(sentence) <= LONGEST:
            continue
        if kinds := tuple(kind for kind, words in KINDS.items() if says(kind, words, sentence)):
            found.append(Statement(plain(sentence), line, kinds))
    # With a reason there is more to ask; one that is several things at once says most.
    order = list(KINDS)
    return sorted(found, key=lambda s: ("reason" not in s.kinds, -len(s.kinds), order.index(s.kinds[0]), s.line))


def says(kind: str, words: str, sentence: str) -> bool:
    """Is the sentence of this kind?"""
    fits = re.search(words, sentence, re.IGNORECASE) is not None
    if fits and kind == "number":
        return not re.search(SET, sentence, re.IGNORECASE) and re.search(SEEN, sentence, re.IGNORECASE) is not None
    return fits


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
