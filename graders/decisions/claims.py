"""Numbers in DECISIONS.md, recomputed from the candidate's practice data where a query stands behind them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from graders.decisions import numbers, queries
from graders.decisions.numbers import Claim
from graders.harness import grading
from graders.harness.exercise import Exercise
from graders.harness.grading import Terms
from graders.harness.kit import Kit
from graders.harness.play import describe, play
from graders.harness.tier import Limits, Tier
from synthetic_data.scene import Files, Reply, Request, Steps

FILE = "DECISIONS.md"
RIGHT, WRONG, NOT_CHECKABLE = "right", "wrong", "not checkable"
NO_QUERY = "no query stands behind it"
MOST_QUERIES = 40
TABLES = (".csv", ".ndjson", ".jsonl", ".json")
LIMITS = Limits(wall_s=5, cpu_s=5, mem_mb=1500, procs=16, out_mb=1, out_files=1, play_s=60)
# After so many queries that take too long no more are run.
MOST_SLOW = 3
TYPED = "its query holds this number itself: look at it"


@dataclass(frozen=True)
class Checked:
    """A claim and what came of it. computed: what its query gives, if a number.  why: not checkable, or to be seen."""

    claim: Claim
    verdict: str
    computed: float | None = None
    why: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
        claim = {"line": self.claim.line, "number": one_line(self.claim.text), "query": self.claim.query}
        return claim | {"verdict": self.verdict, "computed": self.shown(), "why": self.why}

    def shown(self) -> str | None:
        """The computed number for people, the same on every machine; a share beside a percentage as both."""
        if self.computed is None:
            return None
        text = str(self.computed) if isinstance(self.computed, int) else f"{self.computed:.6g}"
        share = self.claim.number and self.claim.number.percent and abs(self.computed) <= 1
        return f"{text} ({100 * self.computed:.6g} %)" if share else text


def read(text: str) -> list[Claim]:
    """Every number of a text, with the query that follows it or alone."""
    return numbers.read(text)


def check(
    kit: Kit, exercise: Exercise, text: str, card: Mapping[str, Any] | None, tier: Tier, small: bool = False
) -> list[Checked]:
    """The verdict on every number. card: the candidate's policy card; None, and the exercise's own is used.

    Practice data are made only where there is a query.  Raises InfrastructureError.
    """
    claims = read(text)
    asks = any(claim.query for claim in claims)
    return verdicts(exercise, claims, practice(kit, exercise, card, small) if asks else {}, tier)


def practice(kit: Kit, exercise: Exercise, card: Mapping[str, Any] | None, small: bool = False) -> Files:
    """The practice data of whoever has this card, as in their packet."""
    return grading.make_scene(kit, exercise, Terms("practice", card=card, small=small)).public


def verdicts(exercise: Exercise, claims: Sequence[Claim], public: Files, tier: Tier) -> list[Checked]:
    """The verdict on each claim. public: the practice data."""
    asked = list(dict.fromkeys(claim.query for claim in claims if claim.query and claim.number))[:MOST_QUERIES]
    given = dict(zip(asked, answers(exercise, asked, public, tier), strict=True)) if asked else {}
    return settled(claims, given)


def settled(claims: Sequence[Claim], given: Mapping[str, tuple[float | None, str]]) -> list[Checked]:
    """The verdict on each claim. given: what each query gave: a number and what is to be said of it, or None and why.

    Where a query stands behind several numbers of a sentence, it is of the last that agrees with it.
    """
    places = {claim.place: claim for claim in claims}
    found = {claim.place: judged(claim, given) for claim in claims}
    for claim in claims:
        first = found[claim.place]
        if first.verdict != WRONG or not claim.rivals:
            continue
        # A rival that looks like a year is no claim by itself, and nearly any number agrees with a bound.
        near = [places[place] for place in claim.rivals if place in places]
        rivals = [replace(rival, query=claim.query) for rival in near if rival.number and rival.number.sign in "=~"]
        tried = [judged(rival, given) for rival in reversed(rivals)]
        if fits := next((one for one in tried if one.verdict == RIGHT), None):
            found[fits.claim.place] = fits
            found[claim.place] = judged(replace(claim, query=""), given)
        else:
            texts = " or ".join([*(rival.text for rival in rivals), claim.text])
            found[claim.place] = replace(first, claim=replace(claim, text=texts))
    return list(found.values())


def judged(claim: Claim, given: Mapping[str, tuple[float | None, str]]) -> Checked:
    """One claim by itself."""
    if not claim.query:
        return Checked(claim, NOT_CHECKABLE, why=NO_QUERY)
    if claim.number is None:
        what = f"{claim.text[:40]!a} is not one number" if claim.text else "no number stands before the query"
        return Checked(claim, NOT_CHECKABLE, why=what)
    computed, why = given.get(claim.query, (None, f"only the first {MOST_QUERIES} queries are run"))
    if computed is None:
        return Checked(claim, NOT_CHECKABLE, why=why)
    if not claim.number.agrees(computed, claim.query):
        return Checked(claim, WRONG, computed)
    # "select 135 from patients limit 1" is no reason; whether this is one, a person sees.
    typed = claim.number.typed_in(claim.query, computed)
    return Checked(claim, RIGHT, computed, why or (TYPED if typed else ""))


def tables(public: Files) -> dict[str, str]:
    """Table -> file of the practice data. Two files of one stem: the second has its folder's name in front."""
    found: dict[str, str] = {}
    for file in sorted(public, key=lambda name: (name.count("/"), name)):
        path = Path(file)
        if path.suffix in TABLES:
            taken = path.stem.lower() in {name.lower() for name in found}
            found["_".join(path.with_suffix("").parts) if taken else path.stem] = file
    return found


def answers(
    exercise: Exercise, asked: Sequence[str], public: Files, tier: Tier, limits: Limits = LIMITS
) -> list[tuple[float | None, str]]:
    """(number, remark or "") or (None, why not) of each query."""
    # A query is a stranger's: it is played like a submission, by a program of ours.
    program = Path(queries.__file__)
    runner = replace(exercise, kind="call", entry=program.name, target="answer", packages=(), limits=limits, outputs=())
    played = play(runner, {program.name: program.read_bytes()}, Asking(asked, public), tier)
    found = [number_of(reply) for reply in played.replies]
    return found + [(None, "queries before it took too long")] * (len(asked) - len(found))


@dataclass(frozen=True)
class Asking:
    """The scene that the program of ours meets: a step, and a fresh process, for each query, with what it names."""

    queries: Sequence[str]
    public: Files
    truth: Files = field(default_factory=dict)

    def steps(self) -> Steps:
        """One request a query, until too many took too long."""
        known, slow = tables(self.public), 0
        for query in self.queries:
            named = {table: file for table, file in known.items() if table.lower() in query.lower()}
            laid = {table: f"{i}{Path(file).suffix}" for i, (table, file) in enumerate(named.items())}
            files = {laid[table]: self.public[file] for table, file in named.items()}
            task = {"query": query, "tables": laid}
            reply = yield Request(
                target="answer", args=("@in",), files={**files, "task.json": json.dumps(task).encode()}
            )
            slow += reply.status == "timeout" or number_of(reply)[1] == queries.TOO_LONG
            if slow == MOST_SLOW:
                break
        return {}


def number_of(reply: Reply) -> tuple[float | None, str]:
    """What a reply says; whatever it is, it is not trusted."""
    value = reply.value if isinstance(reply.value, dict) else {}
    if reply.status != "ok":
        return None, describe(reply, "the query", {})
    number = value.get("number")
    # No whole number of SQLite's is larger; NaN is not either.
    if isinstance(number, (int, float)) and not isinstance(number, bool) and abs(number) < 1e300:
        return number, one_line(str(value.get("remark", "")))
    return None, one_line(str(value.get("why", "it gives no number")))


def one_line(text: str) -> str:
    """Of a stranger's text, what fits a line."""
    return "".join(c if c.isprintable() else " " for c in text)[:160]


def lines(rows: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    """What is said of the numbers of a text called `name`. rows: as `Checked.as_dict` has them."""
    if not rows:
        return [f"{name} holds no number."]
    asked = [row for row in rows if row["query"]]
    alone = len(rows) - len(asked)
    if not asked:
        return [f"Numbers in {name}: {alone}, none with a query; the brief says how a number is checked."]
    count = Counter(row["verdict"] for row in asked)
    parts = ", ".join(f"{count[verdict]} {verdict}" for verdict in (RIGHT, WRONG, NOT_CHECKABLE))
    said = {
        RIGHT: "right, {computed}; {why}",
        WRONG: "wrong, its query gives {computed}",
        NOT_CHECKABLE: "not checkable: {why}",
    }
    found = [f"Numbers in {name}: {parts}; {alone} without a query."]
    for row in asked:
        verdict = said[row["verdict"]].format(**row).rstrip("; ")
        found.append(f"  line {row['line']}: {row['number'] or 'a query'}: {verdict}")
    return found


def for_candidate(
    kit: Kit, exercise: Exercise, submitted: Files, card: Mapping[str, Any] | None, tier: Tier
) -> list[str]:
    """What `check` prints of DECISIONS.md: the verdicts and, where one is not "right", the tables there are."""
    if FILE not in submitted:
        return []
    claims = read(submitted[FILE].decode("utf-8", "replace"))
    public = practice(kit, exercise, card) if any(claim.query for claim in claims) else {}
    found = verdicts(exercise, claims, public, tier)
    said = lines([one.as_dict() for one in found], f"{exercise.name}/{FILE}")
    if any(one.claim.query and one.verdict != RIGHT for one in found):
        said.append(f"  tables of the practice data: {', '.join(tables(public))}")
    return said
