"""The written part of a stored submission: its text, its checked numbers, and what became of its predictions."""

from __future__ import annotations

import dataclasses
import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from graders.decisions import claims, numbers
from graders.harness import grading, sandbox
from graders.harness.errors import InfrastructureError
from graders.harness.grading import Terms
from graders.harness.kit import Kit
from graders.harness.outcome import sha256, write_file
from graders.report.terminal import plain
from graders.round import many
from graders.round.results import Result

SCHEMA = "caredrill.claims/2"
STORED = "claims.json"
PREDICTIONS = "predictions.json"
WIDTH = 78
# What begins a line of its own: items, headings, quotations, rows.
BEGINS = re.compile(r"\s*(?:[-*+]|\d{1,3}[.)]|#{1,6}|>|\|)\s+")

# Of what a text names its author by, what has a form. Bounded: the text is a stranger's.
EMAIL = re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
PHONE = re.compile(
    r"""(?<![\w.,/-])(?:
        (?:\+1[ .-]?)?(?:\(\d{3}\)[ ]?|\d{3}[ .-])\d{3}[ .-]\d{4}
      | \+\d[\d ()/.-]{6,18}\d
      | \(?0\d{1,3}\)?[ /-](?:[1-9]\d{5,8}|[1-9]\d{2,3}[ -]\d{3,4}|\d\d(?:[ ]\d\d){3})
      | (?:tel|phone|mobile)[a-z]{0,8}[.: ]{0,4}\+?[\d(][\d ()/.-]{5,18}\d
    )(?![\w-])""",
    re.VERBOSE | re.IGNORECASE,
)
AUTHOR = "The text is as handed in: it may name its author. E-mail addresses and telephone numbers are masked."
UNTOLD = "Whether it is the secret of these results cannot be told: they keep no trace of the one they were made with."


def text_of(result: Result) -> str | None:
    """DECISIONS.md as handed in, or None."""
    data = result.submitted.get(claims.FILE)
    return data.decode("utf-8", "replace") if data and data.strip() else None


def digest_of(result: Result) -> str:
    """The hash of that text, by which ratings and checked numbers know it; of no text that of an empty one."""
    return sha256((text_of(result) or "").encode())


def predictions_of(result: Result) -> list[Mapping[str, Any]]:
    """The criteria that judge predictions.json, as the scorecard has them: they are those that name the file."""
    return [line for line in result.card["criteria"] if PREDICTIONS in line["title"]]


def checked_numbers(kit: Kit, result: Result, terms: Terms) -> list[dict[str, Any]] | None:
    """The numbers of the text with their verdicts, as claims.json beside the scorecard keeps them; computed once.

    terms: with the team's secret, from which a candidate's policy card and so the practice data follow; None comes back
    when it is needed and not there.  Raises UsageError for another secret than the results were made with,
    InfrastructureError for a claims.json that cannot be read.
    """
    key = {"schema": SCHEMA, "text": digest_of(result), "kit": kit.digest(result.exercise)}
    path = result.folder / STORED
    kept = read_stored(path)
    if kept and all(kept.get(name) == value for name, value in key.items()):
        return checked_rows(path, kept)
    found = computed(kit, result, terms)
    if found is None:
        return None
    rows = [one.as_dict() for one in found]
    write_file(path, (json.dumps({**key, "numbers": rows}, indent=1, sort_keys=True) + "\n").encode())
    return rows


def read_stored(path: Path) -> dict[str, Any] | None:
    """claims.json as it is, None where there is none. Raises InfrastructureError."""
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise unreadable(path)
    return found


def checked_rows(path: Path, kept: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The numbers of a claims.json. Raises InfrastructureError."""
    rows, texts = kept.get("numbers"), ("number", "query", "verdict", "why")
    if not isinstance(rows, list) or not all(
        isinstance(row, dict)
        and all(isinstance(row.get(name), str) for name in texts)
        and row["verdict"] in (claims.RIGHT, claims.WRONG, claims.NOT_CHECKABLE)
        and isinstance(row.get("computed"), str | None)
        and type(row.get("line")) is int
        for row in rows
    ):
        raise unreadable(path)
    return rows


def unreadable(path: Path) -> InfrastructureError:
    """What to do about it."""
    return InfrastructureError(f"{path}: cannot be read; remove it, and the numbers are checked anew")


def computed(kit: Kit, result: Result, terms: Terms) -> Sequence[claims.Checked] | None:
    """The same, computed now."""
    text = text_of(result) or ""
    said = claims.read(text)
    if not any(claim.query for claim in said):
        return claims.settled(said, {})
    exercise, card = kit.exercise(result.exercise), None
    if result.card["seed"] == "hidden":
        if terms.secret is None:
            return None
        same_secret(result, terms)
        own = dataclasses.replace(terms, variant=str(result.card["variant"]))
        card = kit.recipe(exercise.name).draw_card(grading.seed_for(exercise, own, "card"))
    return claims.check(kit, exercise, text, card, sandbox.best())


def same_secret(result: Result, terms: Terms) -> bool | None:
    """Is it the secret that the results were made with? None: that cannot be told. Raises UsageError when it is not.

    Other practice data make right wrong.  Results of single submissions, and those made with a card of the team's
    choice, do not say.
    """
    folder, stamps = result.folder.parents[1], result.card["stamps"]
    many.check_secret(folder, stamps, terms.secret or b"", terms.packs)
    return True if (folder / many.TERMS).is_file() and "OTHER CARD" not in stamps else None


def shown(text: str, indent: str = "") -> list[str]:
    """A handed-in text in lines for raters: masked, and as much of it as is checked."""
    found = wrapped(masked(text[: numbers.MOST_TEXT]), indent)
    if len(text) > numbers.MOST_TEXT:
        found += ["", f"[cut here: the first {numbers.MOST_TEXT:,} of {len(text):,} characters are shown and checked]"]
    return found


def masked(text: str) -> str:
    """Without e-mail addresses and telephone numbers. Names cannot be found."""
    return PHONE.sub("[phone]", EMAIL.sub("[e-mail]", text))


def wrapped(text: str, indent: str = "") -> list[str]:
    """A stranger's Markdown in lines of a terminal, without control characters. Code keeps its lines."""
    found, waiting, code = list[str](), list[str](), False
    for line in [*plain(text.replace("\r\n", "\n").replace("\t", "    ")).split("\n"), ""]:
        fence = line.lstrip().startswith(("```", "~~~"))
        if waiting and (code or fence or not line.strip() or BEGINS.match(line)):
            found += filled(" ".join(waiting), indent)
            waiting = []
        code ^= fence
        if not line.strip():
            found.append("")
        elif code or fence:
            found += filled(line, indent)
        else:
            waiting.append(line.strip() if waiting else line.rstrip())
    return found[:-1]


def filled(line: str, indent: str) -> list[str]:
    """One paragraph, an item of a list below its mark."""
    mark = BEGINS.match(line)
    below = " " * min(20, len(mark[0]) if mark else len(line) - len(line.lstrip()))
    return textwrap.wrap(line, WIDTH, initial_indent=indent, subsequent_indent=indent + below)
