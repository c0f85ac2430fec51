"""Rubric of deidentification: what is gone, times what is still there."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from graders.harness.criterion import Award, criterion
from graders.harness.outcome import Outcome
from graders.harness.reading import Unreadable, read_ndjson
from graders.measures import release_fhir, release_tables
from graders.measures.places import Place, credit, mean_share, worst
from synthetic_data.scene import Files

if TYPE_CHECKING:
    import pandas as pd

    from graders.measures.alignment import NotesMeasure
    from synthetic_data.recipes.deidentification import Truth

# Above this share of a direct identifier left, a person looks at the submission.
HOLD_SHARE = 0.01


@criterion(points=30, skill="privacy", critical=True, remedy="docs/remedies.md#tables")
def test_tables_hold_no_direct_identifier(outcome: Outcome, truth: Truth) -> Award:
    """No identifier of a patient, relative or employer is left in any table, and what the card releases is intact."""
    betrayed = max(release_tables.betrayed(reply.files, truth) for reply in outcome.replies)
    if betrayed:
        # However clean the tables are, a crosswalk or a copy beside them undoes all of it.
        people = f"{betrayed} of {len(truth.tables['patients'])} patients"
        return Award(0, f"a file that is not asked for holds ids, record numbers or SSNs of {people}", hold=True)
    return judged([release_tables.judge(reply.files, truth) for reply in outcome.replies])


@criterion(points=25, skill="privacy", critical=True, remedy="docs/remedies.md#fhir")
def test_fhir_holds_no_direct_identifier(outcome: Outcome, truth: Truth) -> Award:
    """No identifier of a patient or relative is left in any FHIR resource, and the clinical content is intact."""
    return judged([release_fhir.judge(reply.files, truth) for reply in outcome.replies])


@criterion(points=45, skill="privacy", remedy="docs/remedies.md#notes")
def test_notes_lose_the_patient_and_keep_the_medicine(outcome: Outcome, truth: Truth) -> Award:
    """Identifiers are gone from the notes, in all the forms people write them, and the clinical text is kept."""
    awards: list[tuple[list[str | None] | str, Award]] = []
    for reply in outcome.replies:
        texts = note_texts(reply.files, len(truth.notes))
        # Both plays often give the same texts, and the alignment is the costly part.
        known = [award for seen, award in awards if seen == texts]
        awards.append((texts, known[0] if known else notes_award(texts, truth)))
    fraction = sum(award.fraction for _, award in awards) / len(awards)
    worse = min((award for _, award in awards), key=lambda award: award.fraction)
    return dataclasses.replace(worse, fraction=fraction)


def judged(plays: list[tuple[list[Place], list[Place], list[str]]]) -> Award:
    """Protection times survival, averaged over the plays; the message speaks of the worse one."""
    found = []
    for must_go, must_stay, faults in plays:
        protection, survival = mean_share(must_go), mean_share(must_stay)
        parts = [*faults, worst(must_go, "still there:"), worst(must_stay, "lost or changed:")]
        text = "; ".join(p for p in parts if p) or "nothing left, nothing lost"
        hold = any(p.direct and p.share < 1 - HOLD_SHARE for p in must_go)
        found.append((credit(protection) * credit(survival), text, hold))
    fraction = sum(f for f, _, _ in found) / len(found)
    return Award(fraction, min(found)[1], hold=any(h for _, _, h in found))


def note_texts(files: Files, count: int) -> list[str | None] | str:
    """The notes' texts in order, None where there is none; or why they cannot be read."""
    try:
        rows = read_ndjson(files, "notes.jsonl", max_rows=2 * count, max_line=200_000)
    except Unreadable as error:
        return str(error)
    if len(rows) != count:
        return f"notes.jsonl has {len(rows)} notes for {count}"
    texts = [row.get("text") for row in rows]
    return [text if isinstance(text, str) else None for text in texts]


def notes_award(texts: list[str | None] | str, truth: Truth) -> Award:
    """Recall by alignment times words kept, for one play."""
    from graders.measures.alignment import measure_notes

    if isinstance(texts, str):
        return Award(0, texts)
    position = {note: n for n, note in enumerate(truth.notes["note_id"])}
    spans = truth.spans.assign(note=truth.spans["note_id"].map(position))
    measure = measure_notes(truth.notes["text"].tolist(), texts, spans)
    recall, kept = measure.recall, measure.kept_share
    kinds = spans.assign(caught=measure.caught)[measure.graded].groupby("kind")["caught"].mean().sort_values()
    weakest = ", ".join(f"{kind} {share:.0%}" for kind, share in kinds.items() if share < 0.985 and len(kinds))
    text = f"{recall:.1%} of {int(measure.graded.sum())} mentions caught, {kept:.1%} of other words kept"
    text += f"; weakest: {', '.join(weakest.split(', ')[:5])}" if weakest else ""
    # Off-the-shelf tools reach about 80 % recall with 85 % of words kept: credit starts where they end.
    fraction = ramp(recall, 0.80, 0.185) * ramp(kept, 0.85, 0.13)
    return Award(fraction, text, examples=tuple(note_examples(truth, spans, measure)))


def note_examples(truth: Truth, spans: pd.DataFrame, measure: NotesMeasure) -> list[str]:
    """Some missed mentions in their surroundings, and the notes that lost most; for practice data."""
    kinds, names, notes = spans["kind"].tolist(), spans["note_id"].tolist(), spans["note"].tolist()
    starts, ends, texts = spans["start"].tolist(), spans["end"].tolist(), truth.notes["text"].tolist()
    missed = np.flatnonzero(measure.graded & ~measure.caught).tolist()
    found = [
        f"{kinds[m]} left in {names[m]}: …{texts[notes[m]][max(0, starts[m] - 25) : ends[m] + 10]}…".replace("\n", " ")
        for m in missed[:: max(1, len(missed) // 8)][:8]
    ]
    lost = measure.words - measure.kept
    ids = truth.notes["note_id"].tolist()
    worst_notes = [n for n in lost.argsort()[::-1][:3].tolist() if lost[n]]
    return found + [f"{ids[n]}: {lost[n]} of {measure.words[n]} other words lost" for n in worst_notes]


def ramp(value: float, start: float, width: float) -> float:
    """0 up to `start`, 1 from `start` + `width`."""
    return min(1.0, max(0.0, (value - start) / width))
