"""An interview of 45 minutes about one submission: what its own results, code and DECISIONS.md give to ask."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from graders.harness import grading
from graders.harness.errors import ExerciseError
from graders.harness.grading import Terms
from graders.harness.kit import Kit
from graders.round import code_reading, live_change, question_bank, signs, statements
from graders.round.code_reading import Code, Quote
from graders.round.live_change import LiveChange
from graders.round.question_bank import Bank, Entry, LiveKey
from graders.round.results import Result, Results
from graders.round.signs import Likeness
from graders.round.wording import cut, shortened

MINUTES, OPENING, LIVE = 45, 2, 15
FEWEST = 6
# Words of a DECISIONS.md below which it is said to say little.
SHORT = 60
# Whose turn it is: the next question comes from the next of these that has one left.
TURNS = (
    "status", "hold", "alike", "missed", "code", "missed", "decisions", "code", "predictions", "missed", "code",
    "decisions", "met",
)  # fmt: skip
FILL = ("met", "code", "decisions", "missed", "predictions", "general")
# Of these the weightiest comes first, whichever exercise it is of.
URGENT, SHORTEST, MOST_ROUNDS = ("status", "hold", "alike", "missed"), 3, 10
# These are of one finding each; any other template is used once, as the second answer to it shows little.
REPEATED = ("status", "hold")
# "found 93% (said 60.0% to 100.0%)" in a scorecard's message.
FORETOLD = re.compile(
    r"[^;,:()]*?(?P<came>[0-9]+(?:[.][0-9]+)?)%? "
    r"[(]said (?P<low>[0-9.]*[0-9])%? to (?P<high>[0-9.]*[0-9])%?[)]"
)
TITLES = {
    "hold": "HOLD on the scorecard", "alike": "comparing code", "status": "the scorecard", "missed": "the scorecard",
    "met": "the scorecard", "code": "their code", "decisions": "DECISIONS.md", "predictions": "predictions.json",
    "general": "the exercise",
}  # fmt: skip


@dataclass(frozen=True)
class Question:
    """source: where it comes from, a key of TITLES.  evidence: what the results say there.  why: what it shows.

    weight: points lost of the role's 100, or how telling a detector finds it.  template: the bank's words.
    """

    exercise: str
    source: str
    text: str
    why: str
    evidence: str
    strong: str
    adequate: str
    weak: str
    minutes: int
    quote: Quote | None = None
    weight: float = 0.0
    template: str = ""


@dataclass(frozen=True)
class Change:
    """A live change, and what is said about it. terms: as the candidate was graded."""

    exercise: str
    change: LiveChange
    key: LiveKey
    terms: Terms


@dataclass(frozen=True)
class Interview:
    """Questions in the order in which they are asked. changes: one an exercise, the proposed one first.

    stamps: of the scorecards.  hold: exercise -> criteria for which a person has to look.  unread: exercise ->
    status and reason, of a submission of which no file could be read; there is nothing to ask about it then.
    """

    identity: str
    scores: Mapping[str, str]
    questions: tuple[Question, ...]
    changes: tuple[Change, ...]
    notes: tuple[str, ...] = ()
    stamps: tuple[str, ...] = ()
    hold: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)

    @property
    def minutes(self) -> int:
        """Opening, questions and one live change."""
        return OPENING + sum(q.minutes for q in self.questions) + (LIVE if self.changes else 0)


@dataclass(frozen=True)
class Work:
    """One exercise of the submission, read. share: of the role's 100 points.  card: their policy card.

    alike: a published sample's code, or another submission's, as far as it has to be asked about.
    """

    result: Result
    bank: Bank
    files: Mapping[str, bytes]
    code: Code
    share: Decimal
    card: Mapping[str, Any] = field(default_factory=dict)
    target: str = ""
    alike: Likeness | None = None

    @property
    def name(self) -> str:
        """Of the exercise."""
        return self.result.exercise


def prepare(kit: Kit, results: Results, identity: str, secret: bytes | None) -> Interview:
    """The interview of one submission. secret: the team's, for the candidate's own policy card; else a practice card.

    The same results give the same interview. Raises UsageError when there are none, ExerciseError for a faulty bank.
    """
    found = results.one(identity)
    weights = results.role.weights if results.role else {}
    stamps = tuple(sorted({stamp for result in found.values() for stamp in result.card["stamps"]}))
    if not any(result.submitted for result in found.values()):
        return Interview(identity, {}, (), (), (), stamps, unread={name: came(found[name]) for name in found})
    works, changes, notes = [], [], list[str]()
    for name in [*(n for n in weights if n in found), *(n for n in found if n not in weights)]:
        share = Decimal(weights.get(name, 100 // len(found)))
        alike = signs.likeness_of(kit, results, identity, name)
        work = replace(read(kit, found[name], share, secret), alike=alike)
        works.append(work)
        if work.result.card["status"] == "graded" and (made := change_of(kit, work, secret)):
            changes.append(made)
            if not made.change.own:
                notes.append(
                    f"{name}: the live change alters a practice card, as the candidate's own is not known here."
                )
    changes.sort(key=lambda c: -next(w.share for w in works if w.name == c.exercise))
    budget = MINUTES - OPENING - (LIVE if changes else 0)
    scores = {w.name: "no score" if w.result.score is None else f"{w.result.score} of 100" for w in works}
    if missing := [name for name in weights if name not in found]:
        notes.append(f"Not handed in: {', '.join(missing)}.")
    hold = {w.name: reasons for w in works if (reasons := holds_of(w))}
    return Interview(identity, scores, chosen(works, budget), tuple(changes), tuple(notes), stamps, hold)


def holds_of(work: Work) -> tuple[str, ...]:
    """Why a person has to look, as the report on the round says it."""
    copied = ("code that is like a published sample's",) if work.alike and not work.alike.second else ()
    return (*work.result.card["hold"], *copied)


def came(result: Result) -> str:
    """What there is in place of files, in words."""
    status = str(result.card["status"]).replace("_", " ")
    return f"{status}: {shortened(str(result.card['reason']), 200)}".rstrip(": ")


def read(kit: Kit, result: Result, share: Decimal, secret: bytes | None) -> Work:
    """What was handed in, beside the starter. Nothing of it is run."""
    exercise = kit.exercise(result.exercise)
    place = exercise.folder / "starter"
    starter = {p.relative_to(place).as_posix(): p.read_bytes() for p in sorted(place.rglob("*")) if p.is_file()}
    files = result.submitted
    card = kit.recipe(exercise.name).draw_card(grading.seed_for(exercise, terms_of(result, secret), "card"))
    bank = question_bank.load(kit, exercise.name)
    return Work(result, bank, files, code_reading.read(files, starter), share, card, exercise.target)


def terms_of(result: Result, secret: bytes | None) -> Terms:
    """As the candidate was graded."""
    return Terms(str(result.card["variant"]), secret if result.card["seed"] == "hidden" else None)


def change_of(kit: Kit, work: Work, secret: bytes | None) -> Change | None:
    """One line of the candidate's card altered, a rule that the bank names where it can be."""
    terms = terms_of(work.result, secret)
    graded_so = work.result.card["seed"] == ("hidden" if terms.secret is not None else "practice")
    own = graded_so and "OTHER CARD" not in work.result.card["stamps"]
    exercise, whose = kit.exercise(work.name), str(work.result.card["submission"])
    keys = {key.key: key for key in work.bank.live}
    made = live_change.draw(kit, exercise, terms, [k for k in keys if k != "*"], whose, own)
    if made is None:
        return None
    key = keys.get(made.key) or keys.get("*") or question_bank.general().live[0]
    return Change(work.name, made, key, terms)


def chosen(works: list[Work], budget: int) -> tuple[Question, ...]:
    """At least FEWEST questions, and more while they fit into the minutes; grouped by exercise."""
    left = {turn: [list(make(work)) for work in works] for turn, make in SOURCES.items()}
    picked: list[Question] = []
    for turn in (*TURNS, *FILL * MOST_ROUNDS):
        spent = sum(q.minutes for q in picked)
        if len(picked) >= FEWEST and spent + SHORTEST > budget:
            break
        texts, asked = {q.text for q in picked}, [q.exercise for q in picked]
        used = {q.template for q in picked if q.source not in REPEATED}
        left[turn] = [[q for q in row if q.text not in texts and q.template not in used] for row in left[turn]]
        firsts = [row[0] for row in left[turn] if row]
        if turn not in URGENT:
            # What is asked of everybody is asked of the exercise of which least was asked.
            firsts.sort(key=lambda q: (asked.count(q.exercise), -q.weight))
        else:
            firsts.sort(key=lambda q: -q.weight)
        fits = [q for q in firsts if len(picked) < FEWEST or spent + q.minutes <= budget]
        picked += fits[:1]
        if not fits:
            left[turn] = []
    order = {work.name: n for n, work in enumerate(works)}
    return tuple(sorted(picked, key=lambda q: (order[q.exercise], tuple(TITLES).index(q.source))))


def fill(work: Work, source: str, entry: Entry, slots: Mapping[str, str], evidence: str, **more: Any) -> Question:
    """An entry with its slots filled, and the code it is about quoted. Raises ExerciseError for an unknown slot."""
    words = [filled(pattern, slots) for pattern in entry.look_for]
    about = work.code.about(words) if words else None
    quote: Quote | None = more.pop("quote", None)
    known = {"exercise": work.name, "place": about[0].place if about else "your code", **slots}
    try:
        text, why = (" ".join(words.format_map(known).split()) for words in (entry.question, entry.why))
    except (KeyError, IndexError, ValueError) as error:
        raise ExerciseError(f"{work.bank.path}: {entry.about} {entry.id}: no such slot: {error}") from None
    asked = any(words in text for words in ("how us", "Where in"))
    if "{place}" in entry.question and "place" not in slots and about is None and not asked:
        text += " Show us the lines."
    # A message that was cut ends in dots of its own.
    text = text.replace("….", "…").replace(" … .", " …")
    return Question(
        work.name, source, text, why, shortened(evidence, 500), entry.strong, entry.adequate, entry.weak,
        entry.minutes, quote or (about[1] if about else None), template=entry.question, **more,
    )  # fmt: skip


def filled(pattern: str, slots: Mapping[str, str]) -> str:
    """A regular expression in which {name} stands for what the scorecard's message said."""
    return re.sub(r"\{([a-z]+)\}", lambda m: re.escape(slots.get(m[1], m[0])), pattern)


def criteria(work: Work) -> list[Mapping[str, Any]]:
    """Those of a scorecard that carries verdicts."""
    return list(work.result.card["criteria"]) if work.result.card["status"] == "graded" else []


def said_of(line: Mapping[str, Any]) -> str:
    """A criterion's line of the scorecard."""
    return f"{line['id']}: {line['verdict']}, {line['earned']} of {line['points']}. {line['message']}"


def slots_of(line: Mapping[str, Any]) -> dict[str, str]:
    """What a question about a criterion may name."""
    said = str(line["message"])
    return {"message": shortened(said, 220).rstrip("."), "earned": str(line["earned"]), "points": str(line["points"])}


def of_status(work: Work) -> Iterator[Question]:
    """It would not run, or there is nothing of it."""
    status, reason = str(work.result.card["status"]), str(work.result.card["reason"])
    if status in ("blocked", "not_submitted") and (found := work.bank.find("status", status)):
        yield fill(
            work,
            "status",
            found[0],
            {"reason": shortened(reason, 200).rstrip(".")},
            f"{status.replace('_', ' ')}: {reason}",
        )


def of_hold(work: Work) -> Iterator[Question]:
    """Criteria for which a person has to look, in neutral words."""
    for line in criteria(work):
        found = work.bank.find("hold", line["id"], message=line["message"])
        if line["id"] in work.result.card["hold"] and found:
            yield fill(work, "hold", found[0], slots_of(line) | found[1], said_of(line), weight=10.0)


def of_likeness(work: Work) -> Iterator[Question]:
    """Code that is a published sample's, or like another's, who is not named; in neutral words."""
    if work.alike and (found := work.bank.find("alike", "another" if work.alike.second else "sample")):
        what = "code of another submission" if work.alike.second else "code of a sample that this kit publishes"
        said = f"{work.alike.similarity:.2f} alike to {what} (1 is the same), without the starter"
        yield fill(work, "alike", found[0], {}, said, weight=work.alike.similarity)


def of_verdicts(work: Work, when: str) -> Iterator[Question]:
    """Criteria missed, those that cost most first; or met, those worth most first. Without HOLD and predictions."""
    found = []
    total = sum(float(line["points"]) for line in criteria(work)) or 1.0
    for line in criteria(work):
        if line["id"] in work.result.card["hold"] or is_prediction(work, line) or line["earned"] is None:
            continue
        if (line["verdict"] == "met") == (when == "met"):
            lost = float(line["points"]) - (float(line["earned"]) if when == "missed" else 0)
            found.append((float(work.share) * lost / total, line))
    for weight, line in sorted(found, key=lambda f: -f[0]):
        if fits := work.bank.find("criterion", line["id"], when, line["message"]):
            yield fill(work, when, fits[0], slots_of(line) | fits[1], said_of(line), weight=weight)


def is_prediction(work: Work, line: Mapping[str, Any]) -> bool:
    """Does this criterion judge what the candidate foretold?"""
    named = any(e.about == "predictions" and e.id == line["id"] for e in work.bank.entries)
    return named or str(line["id"]).startswith("candidate_knows")


def of_predictions(work: Work) -> Iterator[Question]:
    """What was foretold against what came, with the words of predictions.json."""
    for line in criteria(work):
        off, all_held = foretold(str(line["message"]))
        when = "met" if line["verdict"] == "met" or all_held else "missed"
        found = work.bank.find("predictions", line["id"], when, line["message"])
        if is_prediction(work, line) and found:
            data = work.files.get("predictions.json", b"")
            lines = tuple(cut(text, 130) for text in code_reading.lines_of(data[:5000])[:8] if text.strip())
            quote = Quote("predictions.json", 1, lines) if lines else None
            yield fill(
                work, "predictions", found[0], slots_of(line) | found[1] | {"off": off}, said_of(line), quote=quote
            )


def foretold(message: str) -> tuple[str, bool]:
    """Which figures came out beyond what was foretold, in the message's words; and did all hold that it gives?"""
    found = list(FORETOLD.finditer(message))
    off = [m[0].strip() for m in found if not float(m["low"]) <= float(m["came"]) <= float(m["high"])]
    return shortened("; ".join(off), 200), bool(found) and not off


def of_code(work: Work) -> Iterator[Question]:
    """What the detectors saw."""
    for seen in code_reading.sightings(work.code, work.card, work.target, work.bank.unread):
        if found := work.bank.find("code", seen.kind):
            spot = f"{seen.quote.file}, line {seen.quote.line}" if seen.quote else "all of the code"
            yield fill(work, "code", found[0], seen.slots, spot, quote=seen.quote, weight=seen.weight)


def of_decisions(work: Work) -> Iterator[Question]:
    """Statements of DECISIONS.md; that there is none."""
    if work.result.card["status"] == "not_submitted":
        return
    names = [name for name in work.files if name.lower().endswith("decisions.md")]
    found = statements.statements(work.files[names[0]]) if names else []
    short = not names or len(work.files[names[0]].split()) < SHORT
    if not found and short and (nothing := work.bank.find("decisions", "short" if names else "missing")):
        yield fill(work, "decisions", nothing[0], {}, "it says nothing to ask about" if names else "there is none")
    kinds: list[str] = []
    for said in found:
        kind = next((k for k in said.kinds if k not in kinds), said.kinds[0])
        kinds.append(kind)
        if fits := work.bank.find("decisions", kind):
            slots = {"statement": said.text}
            yield fill(work, "decisions", fits[0], slots, f"{cut(names[0], 70)}, line {said.line}")


def of_nothing_else(work: Work) -> Iterator[Question]:
    """What can always be asked."""
    for entry in work.bank.entries:
        if entry.about == "general":
            yield fill(work, "general", entry, {}, "")


SOURCES = {
    "status": of_status,
    "hold": of_hold,
    "alike": of_likeness,
    "missed": lambda work: of_verdicts(work, "missed"),
    "code": of_code,
    "decisions": of_decisions,
    "predictions": of_predictions,
    "met": lambda work: of_verdicts(work, "met"),
    "general": of_nothing_else,
}


def altered_card(folder: Path, change: Change) -> Path:
    """Where the altered card is written, below the submission's results."""
    return folder / "live" / f"{change.exercise}.card.toml"
