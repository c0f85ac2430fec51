"""Alters every number with a query in written DECISIONS.md, one at a time, and counts what is flagged.

python tests/benchmarks/claim_changes.py        (some five minutes; writes docs/evidence/claims.md)

The texts lie in claims/, and all their numbers are right as written. A change that is run runs every query of its text
anew in the sandbox; for the others the queries, which a change leaves as they are, keep what they gave.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from graders.decisions import claims
from graders.decisions.numbers import Claim
from graders.harness import sandbox
from graders.harness.kit import HOME, Kit

TEXTS = Path(__file__).with_name("claims")
PAGE = HOME / "docs/evidence/claims.md"
DIGITS = re.compile(r"[\d,]*\.?\d+")


def changes(claim: Claim) -> Iterator[tuple[str, str]]:
    """(kind, digits in place of those that are there), by the rules of the page."""
    digits = DIGITS.search(claim.text)[0]
    plain, places = digits.replace(",", ""), len(digits.partition(".")[2])
    # What is "about" a number may be one unit off.
    step = 2 if claim.number.sign == "~" else 1
    for kind, by in (("last digit up", step), ("last digit down", -step)):
        yield kind, f"{float(plain) + by * 10**-places:.{places}f}"
    yield "another first digit", str(int(plain[0]) % 9 + 1) + plain[1:]
    for i in range(len(plain) - 1):
        if plain[i] != plain[i + 1] and "." not in plain[i : i + 2] and plain[i + 1] != "0":
            yield "two digits swapped", plain[:i] + plain[i + 1] + plain[i] + plain[i + 2 :]
            break
    yield "ten times", f"{float(plain) * 10:.{max(0, places - 1)}f}"
    if claim.number.percent:
        yield "a share called percent", f"{float(plain) / 100:.{places + 2}f}"


@dataclass(frozen=True)
class Text:
    """A text, its claims with a query, and what the queries gave."""

    name: str
    text: str
    asked: list[Claim]
    given: dict[str, tuple[float | None, str]]

    def changed(self, claim: Claim, digits: str) -> str:
        """The text with one number altered."""
        begin, end = DIGITS.search(self.text, claim.place).span()
        return self.text[:begin] + digits + self.text[end:]


def flagged(found: list[claims.Checked], claim: Claim) -> tuple[bool, int]:
    """(is the query of this claim flagged as wrong?, how many others are)."""
    wrong = [one.claim.query for one in found if one.verdict == claims.WRONG]
    return claim.query in wrong, len([query for query in wrong if query != claim.query])


def read(kit: Kit, path: Path) -> Text:
    """One text with its queries run; all of its numbers are right."""
    name = path.parent.name if path.name == "README.md" else path.stem
    text = path.read_text("utf-8")
    found = claims.check(kit, kit.exercise(name), text, None, sandbox.best())
    asked = [one for one in found if one.claim.query]
    for one in asked:
        if one.verdict != claims.RIGHT:
            raise SystemExit(
                f"{path.name}, line {one.claim.line}: {one.claim.text} is {one.verdict}: {one.shown()} {one.why}"
            )
    return Text(name, text, [one.claim for one in asked], {one.claim.query: (one.computed, "") for one in asked})


def main() -> None:
    """Run it and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--out", type=Path, default=PAGE)
    out, kit = parser.parse_args().out, Kit()
    rows, kinds = [], Counter[str]()
    caught, false = Counter[str](), Counter[str]()
    number = 0
    for name in kit.names():
        read(kit, kit.exercise(name).folder / "README.md")
    for path in sorted(TEXTS.glob("*.md")):
        one = read(kit, path)
        public = claims.practice(kit, kit.exercise(one.name), None)
        hits = others = 0
        for claim in one.asked:
            possible = list(changes(claim))
            kind, digits = possible[number % len(possible)]
            number += 1
            said = claims.read(one.changed(claim, digits))
            hit, more = flagged(claims.verdicts(kit.exercise(one.name), said, public, sandbox.best()), claim)
            verdict = f"{'flagged' if hit else 'MISSED'}, others {more}"
            print(f"{one.name} line {claim.line}: {claim.text} -> {digits} ({kind}): {verdict}", flush=True)
            hits, others = hits + hit, others + more
            for kind, digits in possible:
                hit, more = flagged(claims.settled(claims.read(one.changed(claim, digits)), one.given), claim)
                if not hit or more:
                    print(f"  {claim.text} -> {digits} ({kind}): {hit}, others {more}")
                kinds[kind], caught[kind], false[kind] = kinds[kind] + 1, caught[kind] + hit, false[kind] + more
        rows.append((one.name, len(one.asked), hits, others))
    total = [sum(row[i] for row in rows) for i in (1, 2, 3)]
    lines = [
        "# Evidence: altered numbers in DECISIONS.md",
        "",
        "Made by `python tests/benchmarks/claim_changes.py`, some minutes on one core.",
        "",
        "Four texts in `tests/benchmarks/claims/`, whose numbers with a query are all right, as are those of the",
        "briefs. Each number is altered in turn, by one of the kinds below, and all queries of its text are run again",
        "in the sandbox.",
        "",
        "| exercise | altered, one at a time | flagged as wrong | others flagged |",
        "|---|---:|---:|---:|",
        *(f"| {name} | {n} | {hits} | {others} |" for name, n, hits, others in rows),
        f"| all | {total[0]} | {total[1]} | {total[2]} |",
        "",
        "Every kind of change to every number, the queries keeping what they gave:",
        "",
        "| change | made | flagged as wrong | others flagged |",
        "|---|---:|---:|---:|",
        *(f"| {kind} | {kinds[kind]} | {caught[kind]} | {false[kind]} |" for kind in kinds),
        f"| all | {sum(kinds.values())} | {sum(caught.values())} | {sum(false.values())} |",
        "",
        'The last digit of a number that is "about" something changes by two, as one unit is what the word allows.',
    ]
    out.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
