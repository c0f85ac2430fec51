"""The written part of a stored submission: its text, its checked numbers, and what became of its predictions."""

from __future__ import annotations

import dataclasses
import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from graders.decisions import claims
from graders.harness import grading, sandbox
from graders.harness.grading import Terms
from graders.harness.kit import Kit
from graders.harness.outcome import sha256, write_file
from graders.report.terminal import plain
from graders.round import many
from graders.round.results import Result

SCHEMA = "caredrill.claims/1"
STORED = "claims.json"
PREDICTIONS = "predictions.json"
WIDTH = 78
# What begins a line of its own: items, headings, quotations, rows.
BEGINS = re.compile(r"\s*(?:[-*+]|\d{1,3}[.)]|#{1,6}|>|\|)\s+")


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
    when it is needed and not there.  Raises UsageError for another secret than the results were made with.
    """
    key = {"schema": SCHEMA, "text": digest_of(result), "kit": kit.digest(result.exercise)}
    path = result.folder / STORED
    try:
        kept = json.loads(path.read_bytes())
        if all(kept[name] == value for name, value in key.items()):
            return list(kept["numbers"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    found = computed(kit, result, terms)
    if found is None:
        return None
    rows = [one.as_dict() for one in found]
    write_file(path, (json.dumps({**key, "numbers": rows}, indent=1, sort_keys=True) + "\n").encode())
    return rows


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
        many.check_secret(result.folder.parents[1], result.card["stamps"], terms.secret, terms.packs)
        own = dataclasses.replace(terms, variant=str(result.card["variant"]))
        card = kit.recipe(exercise.name).draw_card(grading.seed_for(exercise, own, "card"))
    return claims.check(kit, exercise, text, card, sandbox.best())


def wrapped(text: str, indent: str = "") -> list[str]:
    """A stranger's Markdown in lines of a terminal, without control characters. Code keeps its lines."""
    found, waiting, code = [], "", False
    for line in [*plain(text.replace("\r\n", "\n").replace("\t", "    ")).split("\n"), ""]:
        fence = line.lstrip().startswith(("```", "~~~"))
        if waiting and (code or fence or not line.strip() or BEGINS.match(line)):
            found += filled(waiting, indent)
            waiting = ""
        code ^= fence
        if code or fence or not line.strip():
            found += filled(line, indent) or [""]
        else:
            waiting = f"{waiting} {line.strip()}" if waiting else line.rstrip()
    return found[:-1]


def filled(line: str, indent: str) -> list[str]:
    """One paragraph, an item of a list below its mark."""
    mark = BEGINS.match(line)
    below = " " * min(20, len(mark[0]) if mark else len(line) - len(line.lstrip()))
    return textwrap.wrap(line, WIDTH, initial_indent=indent, subsequent_indent=indent + below)
