"""Somebody else's words, short and safe to show."""

from __future__ import annotations

import re

from graders.report.terminal import plain


def shown(name: str) -> str:
    """A name that somebody else chose, short and in one line."""
    return cut(name, 70)


def shortened(text: str, width: int) -> str:
    """Prose in one line, at most `width` characters: whole clauses, else whole words, and no bracket left open."""
    text = plain(" ".join(text[: 4 * width].split()))
    if len(text) <= width:
        return text
    text = text[: width - 1]
    ends = [m.start() for m in re.finditer(r"[.;,](?=\s)|\s", text)]
    whole = [end for end in ends if text[:end].count("(") == text[:end].count(")")]
    far = [end for end in whole if end > width // 2]
    best = next((row for row in ([e for e in far if text[e] in marks] for marks in (".;", ",")) if row), whole)
    return (text[: best[-1]] if best else text).rstrip(" ,;:.([") + " …"


def cut(text: str, width: int) -> str:
    """At most `width` characters, in one line, nothing that could drive a terminal or turn the text's direction."""
    text = text[: width + 1]
    return plain(text.replace("\n", " ") if len(text) <= width else text[: width - 1].replace("\n", " ") + "…")
