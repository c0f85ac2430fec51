"""What a release's notes still tell: recall by kind, form and name group, and the clinical words that are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graders.harness.criterion import MOST_EVIDENCE
from graders.harness.reading import uncollected
from graders.measures.alignment import NotesMeasure, measure_notes
from graders.measures.evidence import LINE, MOST_NAMED, counted, flagged, several
from graders.measures.places import ramp

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from graders.measures.release import Release
    from synthetic_data.recipes.deidentification import Truth

SMALLEST_GROUP = 30
"""A name group with fewer graded names in the notes says too little about how it is treated."""

# What off-the-shelf tools reach on hidden notes (tests/baselines): Presidio .74 to .78 with .94 of the other words
# kept, philter-lite .89 to .93 with .96. Credit starts where the first ends.
RECALL_START, RECALL_WIDTH = 0.80, 0.185
KEPT_START, KEPT_WIDTH = 0.85, 0.13
# The best single off-the-shelf tool measured, philter-lite, catches 84 % of the hard forms and keeps 77 % of the
# look-alikes: credit starts below that product, so that it gets .3 of the points, and is full where both are at 99 %.
HARD_START, HARD_WIDTH = 0.50, 0.48
# Percentage points between the name groups with the best and the worst recall: none for 30, all for 5.
GAP_NONE, GAP_WIDTH = 30.0, 25.0


@dataclass(frozen=True)
class Caught:
    """The share of some graded mentions that is caught, and how many they are."""

    share: float
    count: int


@dataclass(frozen=True)
class NotesVerdict:
    """How one release's notes fare. All shares are in [0, 1] and 0 where the notes cannot be used.

    recall: caught among graded mentions.  kept: words outside mentions that are kept.  kinds: recall by kind, the
    lowest first.  groups: recall of NAME by the name group of the note's patient, the lowest first; groups of
    SMALLEST_GROUP names or more.  hard_caught: recall of the hard forms.  looks_kept: look-alikes that are kept.
    date_recall: recall of DATE.  The messages and the evidence hold numbers and kinds; the examples hold the data's own
    words and are for practice data only.
    """

    recall: float
    kept: float
    kinds: Mapping[str, Caught]
    groups: Mapping[str, Caught]
    hard_caught: float
    looks_kept: float
    date_recall: float
    message: str
    hard_message: str
    groups_message: str
    examples: tuple[str, ...]
    hard_examples: tuple[str, ...]
    evidence: tuple[str, ...] = ()
    hard_evidence: tuple[str, ...] = ()
    groups_evidence: tuple[str, ...] = ()

    @property
    def gap(self) -> float:
        """Percentage points between the best and the worst group; 0 where there are not two."""
        shares = [group.share for group in self.groups.values()]
        return 100 * (max(shares) - min(shares)) if shares else 0.0


@uncollected()
def judge(release: Release, truth: Truth) -> NotesVerdict:
    """Align the released notes with the given ones."""
    place = {note: n for n, note in enumerate(truth.notes["note_id"])}
    spans, keeps = (frame.assign(note=frame["note_id"].map(place)) for frame in (truth.spans, truth.keeps))
    originals = truth.notes["text"].tolist()
    texts = release.texts or [None] * len(originals)
    measure = measure_notes(originals, texts, spans, keeps, truth.small_zip3)
    patients = truth.tables["patients"].set_index("patient_id")["name_group"]
    found = spans.assign(caught=measure.caught, group=truth.notes["patient_id"].map(patients).to_numpy()[spans["note"]])
    found = found[measure.graded]
    hard, names = found[found["hard"]], found[found["kind"] == "NAME"]
    kinds = by(found, "kind")
    groups = {name: group for name, group in by(names, "group").items() if group.count >= SMALLEST_GROUP}
    unread = int((~measure.read).sum())
    return NotesVerdict(
        recall=measure.recall,
        kept=measure.kept_share,
        kinds=kinds,
        groups=groups,
        hard_caught=share(hard["caught"]),
        looks_kept=share(measure.keeps_kept),
        date_recall=share(found.loc[found["kind"] == "DATE", "caught"]),
        message=notes_message(measure, kinds, unread if release.texts else -1),
        hard_message=hard_message(hard, measure),
        groups_message=groups_message(groups),
        examples=tuple(missed_examples(truth, found) + lost_examples(truth, measure)),
        hard_examples=tuple(missed_examples(truth, hard) + changed_examples(truth, keeps, measure)),
        evidence=(*unread_lines(measure), *left_kinds(found, measure)[:3], *lost_lines(measure)),
        hard_evidence=(*changed_lines(keeps, measure), *left_lines(hard, "kind", "hard forms of ")),
        groups_evidence=tuple(left_lines(names[names["group"].isin(worst_groups(groups))], "group", "names of group ")),
    )


def notes_fraction(verdict: NotesVerdict) -> float:
    """Recall times words kept, each rescaled from what off-the-shelf tools reach."""
    return ramp(verdict.recall, RECALL_START, RECALL_WIDTH) * ramp(verdict.kept, KEPT_START, KEPT_WIDTH)


def hard_fraction(verdict: NotesVerdict) -> float:
    """Hard forms caught times look-alikes kept, rescaled likewise."""
    return ramp(verdict.hard_caught * verdict.looks_kept, HARD_START, HARD_WIDTH)


def groups_fraction(verdict: NotesVerdict) -> float:
    """How alike the name groups fare, times the notes' own fraction: nobody is protected where nothing is done."""
    return ramp(GAP_NONE - verdict.gap, 0, GAP_WIDTH) * notes_fraction(verdict)


def share(flags: pd.Series | npt.NDArray[np.bool_]) -> float:
    """Share of True; 1 where there is nothing to judge."""
    return float(flags.mean()) if len(flags) else 1.0


def by(found: pd.DataFrame, column: str) -> dict[str, Caught]:
    """Recall by the values of a column, the lowest first."""
    table = found.groupby(column)["caught"].agg(["mean", "size"]).sort_values("mean", kind="stable")
    return {str(name): Caught(float(mean), int(size)) for name, mean, size in table.itertuples(index=True, name=None)}


def notes_message(measure: NotesMeasure, kinds: Mapping[str, Caught], unread: int) -> str:
    """unread: notes that are missing or too long, -1 where there are no notes at all."""
    if unread < 0:
        return "no notes that can be used"
    text = f"{measure.recall:.1%} of {int(measure.graded.sum())} mentions caught, "
    text += f"{measure.kept_share:.1%} of other words kept"
    weak = [f"{kind} {caught.share:.0%}" for kind, caught in kinds.items() if caught.share < 0.985][:5]
    text += f"; weakest: {', '.join(weak)}" if weak else ""
    return text + (f"; {unread} notes are missing or far too long" if unread else "")


def hard_message(hard: pd.DataFrame, measure: NotesMeasure) -> str:
    """Shares, and the forms that are missed most."""
    text = f"{share(hard['caught']):.1%} of {len(hard)} hard forms caught, "
    text += f"{share(measure.keeps_kept):.1%} of {len(measure.keeps_kept)} look-alikes kept"
    missed = hard.loc[~hard["caught"], "kind"].value_counts()
    return text + (
        f"; missed most: {', '.join(f'{kind} {n}' for kind, n in missed.head(4).items())}" if any(missed) else ""
    )


def groups_message(groups: Mapping[str, Caught]) -> str:
    """Recall of names by group."""
    if not groups:
        return f"no name group has {SMALLEST_GROUP} names in the notes"
    return "names caught: " + ", ".join(f"{name} {caught.share:.1%}" for name, caught in groups.items())


def left_lines(found: pd.DataFrame, column: str, what: str = "") -> list[str]:
    """Where mentions are left, by the values of a column, those with the lowest recall first."""
    parts = {str(name): part for name, part in found.groupby(column)}
    order = [(name, caught) for name, caught in by(found, column).items() if caught.share < 1]
    return [
        counted(
            f"notes.jsonl, {what}{name}",
            int((~parts[name]["caught"]).sum()),
            caught.count,
            "can still be read",
            LINE,
            sorted(set(parts[name].loc[~parts[name]["caught"], "note"]))[:MOST_NAMED],
        )
        for name, caught in order[:MOST_EVIDENCE]
    ]


def left_kinds(found: pd.DataFrame, measure: NotesMeasure) -> list[str]:
    """Where mentions are left that cost points, by kind."""
    return left_lines(found, "kind") if ramp(measure.recall, RECALL_START, RECALL_WIDTH) < 1 else []


def worst_groups(groups: Mapping[str, Caught]) -> list[str]:
    """The name groups that lie further below the best than costs nothing."""
    best = max((caught.share for caught in groups.values()), default=0.0)
    return [name for name, caught in groups.items() if 100 * (best - caught.share) > GAP_NONE - GAP_WIDTH]


def unread_lines(measure: NotesMeasure) -> tuple[str, ...]:
    """The notes that are missing or far too long."""
    return flagged("notes.jsonl", ~measure.read, "missing or far too long", LINE)


def lost_lines(measure: NotesMeasure) -> list[str]:
    """The notes that lost most of their other words."""
    if ramp(measure.kept_share, KEPT_START, KEPT_WIDTH) == 1:
        return []
    lost = measure.words - measure.kept
    worst = [n + 1 for n in (-lost).argsort(kind="stable")[:MOST_NAMED].tolist()]
    return [f"notes.jsonl, other words: {lost.sum()} of {measure.words.sum()} lost; most in {several(LINE, worst)}"]


def changed_lines(keeps: pd.DataFrame, measure: NotesMeasure) -> list[str]:
    """The notes with look-alikes that were removed or changed."""
    gone = sorted(set(keeps.loc[~measure.keeps_kept, "note"]))
    count = int((~measure.keeps_kept).sum())
    verb = "removed or changed"
    return [counted("notes.jsonl, look-alikes", count, len(keeps), verb, LINE, gone[:MOST_NAMED])] if gone else []


def missed_examples(truth: Truth, found: pd.DataFrame) -> list[str]:
    """Some missed mentions in their surroundings, spread over the release."""
    missed = some(found[~found["caught"]], 8)
    kinds = missed["kind"].tolist()
    return [f"{kind} left in {where}" for kind, (_, where) in zip(kinds, surroundings(truth, missed), strict=True)]


def lost_examples(truth: Truth, measure: NotesMeasure) -> list[str]:
    """The notes that lost most words."""
    lost = measure.words - measure.kept
    ids = truth.notes["note_id"].tolist()
    worst = [n for n in lost.argsort(kind="stable")[::-1][:3].tolist() if lost[n]]
    return [f"{ids[n]}: {lost[n]} of {measure.words[n]} other words lost" for n in worst]


def changed_examples(truth: Truth, keeps: pd.DataFrame, measure: NotesMeasure) -> list[str]:
    """Some look-alikes that were removed or changed, in their surroundings."""
    changed = some(keeps[~measure.keeps_kept], 6)
    return [f"{text!r} gone from {where}" for text, where in surroundings(truth, changed)]


def some(rows: pd.DataFrame, count: int) -> pd.DataFrame:
    """At most `count` rows, spread over all."""
    return rows.iloc[:: max(1, len(rows) // count)].head(count)


def surroundings(truth: Truth, rows: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """For each stretch of a note its text, and the note's id and the text around it, on one line."""
    texts = truth.notes["text"].tolist()
    columns = (rows[name].tolist() for name in ("note_id", "note", "start", "end"))
    for note_id, note, start, end in zip(*columns, strict=True):
        around = texts[note][max(0, start - 25) : end + 10].replace("\n", " ")
        yield texts[note][start:end], f"{note_id}: …{around}…"
