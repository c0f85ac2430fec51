"""Clinical notes that tell the story of the chart, with every identifier in them marked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthetic_data import note_chart, note_text, phi
from synthetic_data.note_chart import STYLES, Columns
from synthetic_data.note_text import Bank, BoolArray, Spans
from synthetic_data.phi_forms import Menu, TextArray
from synthetic_data.streams import IntArray, Seed

if TYPE_CHECKING:
    import pandas as pd

    from synthetic_data.network import Site

KINDS = ("progress", "discharge-summary", "emergency", "nursing")
_KIND_LETTERS = "pden"
# Share of nursing or telephone notes among ambulatory and among inpatient notes.
NURSING_SHARE = {"AMB": 0.2, "IMP": 0.25, "EMER": 0.1}

# Per kind: heading, and how many sentences from which pools.
Section = tuple[str, tuple[tuple[str, int], ...]]
_SECTIONS: dict[str, tuple[Section, ...]] = {
    "p": (
        ("History", (("who", 1), ("story", 2))),
        ("Findings", (("results", 2), ("keep", 1))),
        ("Medication", (("drugs", 1),)),
        ("Social history", (("social", 1), ("contact", 1))),
        ("Administrative", (("admin", 1),)),
        ("Assessment and plan", (("plan", 1), ("keep", 1))),
    ),
    "d": (
        ("Hospital course", (("who", 1), ("course", 3), ("keep", 1))),
        ("Results", (("results", 2),)),
        ("Discharge medication", (("drugs", 2),)),
        ("Home", (("social", 1), ("contact", 1))),
        ("Administrative", (("admin", 1),)),
        ("Plan", (("plan", 1), ("keep", 1))),
    ),
    "e": (
        ("Presentation", (("who", 1), ("ed", 2), ("keep", 1))),
        ("Examination", (("results", 2),)),
        ("Medication", (("drugs", 1),)),
        ("Registration", (("admin", 1), ("social", 1), ("contact", 1))),
        ("Disposition", (("plan", 1), ("keep", 1))),
    ),
    "n": (
        ("Call", (("who", 1), ("contact", 1))),
        ("Review", (("results", 2), ("drugs", 1), ("keep", 2))),
        ("Details", (("social", 1), ("admin", 1))),
        ("Advice", (("plan", 1),)),
    ),
}
# What joins the sentences of dictated prose, and how often; after all but the first the sentence runs on.
_JOINS = (". ", " and ", ", ", "; ")
_JOIN_WEIGHTS = (5, 2, 2, 1)
# Room for the sentences of one note in the numbers that key their draws.
_MAX_STEPS = 64


@dataclass(frozen=True)
class NoteSet:
    """notes: note_id patient_id encounter_id site kind written_at author text.

    spans: note_id start end kind form denotes hard patient_id; text[start:end] is exactly the mention.
    keeps: note_id start end, clinical words that must survive de-identification.
    """

    notes: pd.DataFrame
    spans: pd.DataFrame
    keeps: pd.DataFrame


def notes(
    seed: Seed,
    patients: pd.DataFrame,
    contacts: pd.DataFrame,
    encounters: pd.DataFrame,
    conditions: pd.DataFrame,
    labs: pd.DataFrame,
    meds: pd.DataFrame,
    sites: tuple[Site, ...],
    menus: Mapping[str, Menu] = phi.MENUS,
) -> NoteSet:
    """One note per emergency and inpatient encounter and for about half of the ambulatory ones, in patient order.

    menus: the forms of identifiers to write, for every menu of the catalogue.
    """
    columns = note_chart.chart(seed, patients, contacts, encounters, conditions, labs, meds, sites)
    words = note_text.bank(_fixed_texts())
    kind = _kinds(seed, columns)
    blocks = _blocks(seed, words, columns, kind)
    texts, spans, keeps = note_text.fill(seed, words, blocks, columns, menus)
    return NoteSet(*_frames(columns, kind, texts, spans, keeps))


def _kinds(seed: Seed, columns: Columns) -> IntArray:
    """(notes,) index into KINDS."""
    setting = columns["class"]
    usual = np.select([setting == "AMB", setting == "IMP"], [0, 1], 2)
    share = np.array([NURSING_SHARE[c] for c in setting], float)
    nursing = seed.stream("notes.kind").uniform(columns["number"], columns["encounter"]) < share
    return np.where(nursing, KINDS.index("nursing"), usual)


def _blocks(seed: Seed, words: Bank, columns: Columns, kind: IntArray) -> IntArray:
    """(notes, blocks) what each note is made of, in order; -1 where there is nothing."""
    ready = note_text.eligible(words, columns)
    parts: list[tuple[IntArray, IntArray]] = []
    for s, style in enumerate(STYLES):
        for k, letter in enumerate(_KIND_LETTERS):
            rows = np.flatnonzero((columns["style"] == s) & (kind == k))
            if len(rows):
                parts.append((rows, _Page(seed, words, columns, ready, rows, style, letter).blocks()))
    width = max((part.shape[1] for _, part in parts), default=0)
    out = np.full((len(kind), width), -1, np.int64)
    for rows, part in parts:
        out[rows, : part.shape[1]] = part
    return out


class _Page:
    """The notes of one style and kind while their sentences are being chosen."""

    def __init__(
        self, seed: Seed, words: Bank, columns: Columns, ready: BoolArray, rows: IntArray, style: str, letter: str
    ) -> None:
        self.words, self.style, self.letter, self.rows = words, style, letter, rows
        self.left = ready[rows]  # (notes, sentences) that fit the chart and are not used yet
        self.ids = columns["number"][rows]
        self.first_step = columns["encounter"][rows] * _MAX_STEPS
        self.choose, self.join = seed.stream("notes.sentence"), seed.stream("notes.join")
        self.steps = 0
        self.out: list[IntArray] = []

    def blocks(self) -> IntArray:
        """(notes, blocks) of these notes."""
        self._say(self._pick("head"))
        self._fixed({"A": "", "B": "\n", "C": " "}[self.style])
        sections = _SECTIONS[self.letter]
        for at, (title, pools) in enumerate(sections):
            self._fixed({"A": f"\n\n{title}\n", "B": f"{title.upper()}:\n", "C": ""}[self.style])
            picks = [pool for pool, count in pools for _ in range(count)]
            for k, pool in enumerate(picks):
                self._sentence(pool, opens=k == 0 if self.style != "C" else at + k == 0)
            self._fixed({"A": ".", "B": "", "C": ""}[self.style])
        self._fixed({"A": "\n\n", "B": "", "C": ". "}[self.style])
        self._say(self._pick("close"))
        self._fixed({"A": "\n", "B": "\n", "C": "."}[self.style])
        return np.stack(self.out, axis=1)

    def _sentence(self, pool: str, opens: bool) -> None:
        sentence = self._pick(pool)
        there = sentence >= 0
        if self.style == "A" and not opens:
            self._fixed(". ", there)
        elif self.style == "B":
            self._fixed("- ", there)
        elif self.style == "C" and not opens:
            how = self.join.choice(_JOIN_WEIGHTS, self.ids, self.first_step + self.steps)
            joins = np.array([self.words.fixed[text] for text in _JOINS], np.int64)
            self._say(np.where(there, joins[how], -1))
            sentence = np.where(there & (how > 0), sentence + self.words.twin, sentence)
        self._say(sentence)
        if self.style == "B":
            self._fixed("\n", there)

    def _pick(self, pool: str) -> IntArray:
        """(notes,) an unused sentence of the pool that fits the chart; -1 where none is left."""
        members = self.words.members[pool, self.style, self.letter]
        free = self.left[:, members]
        self.steps += 1
        u = self.choose.uniform(self.ids, self.first_step + self.steps)
        rank = np.floor(u * free.sum(axis=1)).astype(np.int64)
        chosen = np.argmax(np.cumsum(free, axis=1) > rank[:, None], axis=1)
        found = free.any(axis=1)
        sentence = members[chosen]
        self.left[np.flatnonzero(found), sentence[found]] = False
        return np.where(found, sentence, -1)

    def _fixed(self, text: str, where: BoolArray | None = None) -> None:
        if text:
            block = np.full(len(self.rows), self.words.fixed[text], np.int64)
            self._say(block if where is None else np.where(where, block, -1))

    def _say(self, blocks: IntArray) -> None:
        self.out.append(blocks)


def _fixed_texts() -> tuple[str, ...]:
    titles = dict.fromkeys(title for sections in _SECTIONS.values() for title, _ in sections)
    headed = (f"\n\n{title}\n" for title in titles)
    terse = (f"{title.upper()}:\n" for title in titles)
    return (*headed, *terse, "\n\n", "\n", " ", ".", "- ", *_JOINS)


def _frames(
    columns: Columns, kind: IntArray, texts: list[str], spans: Spans, keeps: Spans
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    import pandas as pd

    def text(values: TextArray | list[str]) -> pd.Series[str]:
        return pd.Series(values, dtype="str")

    note_id = np.array([f"N-{e}" for e in columns["encounter_id"]], object)
    authors = zip(columns["provider_given"], columns["provider_family"], strict=True)
    table = pd.DataFrame(
        {
            "note_id": text(note_id),
            "patient_id": text(columns["patient_id"]),
            "encounter_id": text(columns["encounter_id"]),
            "site": text(columns["site"]),
            "kind": text(np.array(KINDS, object)[kind]),
            "written_at": text(columns["written_at"]),
            "author": text([f"{given} {family}" for given, family in authors]),
            "text": text(texts),
        }
    )
    marked = pd.DataFrame(
        {
            "note_id": text(note_id[spans.note]),
            "start": spans.start,
            "end": spans.end,
            "kind": text(spans.kind),
            "form": text(spans.form),
            "denotes": text(spans.denotes),
            "hard": spans.hard,
            "patient_id": text(columns["patient_id"][spans.note]),
        }
    )
    kept = pd.DataFrame({"note_id": text(note_id[keeps.note]), "start": keeps.start, "end": keeps.end})
    return table, marked, kept
