"""From a bank of sentences with blanks to texts with exact spans, whole columns at a time."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthetic_data import note_chart, phi, vocab
from synthetic_data.note_chart import Columns
from synthetic_data.phi_forms import Menu, Rows, TextArray, write
from synthetic_data.streams import IntArray, Seed

BoolArray = npt.NDArray[np.bool_]

# "{patient.phone}" is a blank for a mention, "{dx1}" one for a word of the chart, "[[Foley]]" a look-alike to keep.
_PIECE = re.compile(r"\{([A-Za-z0-9_.]+)\}|\[\[(.+?)\]\]")
# Chart words that a de-identifier must leave alone.
CLINICAL = frozenset(
    ["dx1", "dx2", "code1", "code2", "drug1", "drug2", "drug3", "lab1", "lab2", "lab3", "lab4",
     "bp", "hr", "temp", "spo2", "weight", "young_age"]
)  # fmt: skip
# A sentence that begins with these keeps its capital in mid-sentence.
_PROPER = ("Wells ",)
_SOURCE_COLUMN = {
    "NAME": "given",
    "PROVIDER": "given",
    "DATE": "date",
    "AGE": "age",
    "YEAR": "year",
    "FACILITY": "name",
}
_OWN_COLUMN = {"phone", "email", "employer"}
# Room for the pieces of one note in the numbers that key its draws.
MAX_PIECES = 1024


@dataclass(frozen=True)
class Bank:
    """Sentences cut into pieces. A block is a run of pieces: a sentence, its lower-case twin or a fixed text.

    text, blank, keep: per piece, its text, the number of its blank (-1: none) and whether it is a look-alike.
    start, count: per block, its first piece and how many.  blanks: names of the blanks.
    members: (pool, style, kind) -> sentences that fit there.  needs: (sentences, columns) what each needs of the chart.
    twin: block number of sentence 0 in lower case.  fixed: fixed text -> block.
    """

    text: TextArray
    blank: IntArray
    keep: BoolArray
    start: IntArray
    count: IntArray
    blanks: tuple[str, ...]
    members: dict[tuple[str, str, str], IntArray]
    needs: BoolArray
    columns: tuple[str, ...]
    twin: int
    fixed: dict[str, int]


@functools.cache
def bank(fixed: tuple[str, ...]) -> Bank:
    """The sentences of vocab/note_sentences.csv and the fixed texts between them."""
    table = vocab.read("note_sentences")
    sentences = [_cut(text.replace("\\n", "\n")) for text in table["text"]]
    blocks = [*sentences, *(_lowered(s) for s in sentences), *([("text", text)] for text in fixed)]
    pieces = [piece for block in blocks for piece in block]
    blanks = tuple(sorted({value for what, value in pieces if what == "blank"}))
    columns = tuple(sorted({needed_column(name) for name in blanks}))
    needs = np.zeros((len(sentences), len(columns)), bool)
    members: dict[tuple[str, str, str], list[int]] = {}
    for k, (sentence, pool, styles, kinds) in enumerate(
        zip(sentences, table["pool"], table["styles"], table["kinds"], strict=True)
    ):
        for what, value in sentence:
            if what == "blank":
                needs[k, columns.index(needed_column(value))] = True
        for style in styles:
            for kind in kinds:
                members.setdefault((pool, style, kind), []).append(k)
    counts = np.array([len(block) for block in blocks], np.int64)
    return Bank(
        text=np.array([value if what != "blank" else "" for what, value in pieces], object),
        blank=np.array([blanks.index(value) if what == "blank" else -1 for what, value in pieces], np.int64),
        keep=np.array([what == "keep" for what, _ in pieces], bool),
        start=np.cumsum(counts) - counts,
        count=counts,
        blanks=blanks,
        members={where: np.array(found, np.int64) for where, found in members.items()},
        needs=needs,
        columns=columns,
        twin=len(sentences),
        fixed={text: 2 * len(sentences) + k for k, text in enumerate(fixed)},
    )


def needed_column(blank: str) -> str:
    """The chart column without which a blank cannot be filled; "number", which nobody lacks, if there is none."""
    source, dot, menu = blank.partition(".")
    if not dot:
        return blank
    column = menu if menu in _OWN_COLUMN else _SOURCE_COLUMN.get(phi.MENUS[menu].kind, "")
    return f"{source}_{column}" if column and menu != "pager" else "number"


def eligible(words: Bank, columns: Columns) -> BoolArray:
    """(notes, sentences) whether the chart can fill every blank of the sentence."""
    missing = np.stack([~note_chart.available(columns, name) for name in words.columns], axis=1)
    lacking: BoolArray = missing.astype(np.float32) @ words.needs.T.astype(np.float32) > 0
    return ~lacking


@dataclass(frozen=True)
class Spans:
    """Marked stretches, in the order of notes and then of the text; `note` is the number of the note."""

    note: IntArray
    start: IntArray
    end: IntArray
    kind: TextArray
    form: TextArray
    denotes: TextArray
    hard: BoolArray


def fill(
    seed: Seed, words: Bank, blocks: IntArray, columns: Columns, menus: Mapping[str, Menu] = phi.MENUS
) -> tuple[list[str], Spans, Spans]:
    """Texts, mentions and look-alikes of the notes whose blocks, in order, are the rows of `blocks` (-1: none).

    menus: the forms that mentions may take, for every menu of the catalogue.
    """
    present = blocks.ravel() >= 0
    block = blocks.ravel()[present]
    note_of_block = np.repeat(np.arange(len(blocks)), blocks.shape[1])[present]
    counts = words.count[block]
    note = np.repeat(note_of_block, counts)
    within = np.arange(len(note)) - np.repeat(np.cumsum(counts) - counts, counts)
    piece = np.repeat(words.start[block], counts) + within
    first = np.searchsorted(note, np.arange(len(blocks)))
    place = np.arange(len(note)) - first[note]
    if len(place) and int(place.max()) >= MAX_PIECES:
        raise ValueError(f"a note has {int(place.max()) + 1} pieces; there is room for {MAX_PIECES}")
    items = columns["encounter"][note] * MAX_PIECES + place

    text, keep = words.text[piece], words.keep[piece]
    kind, form, denotes = (np.full(len(note), "", object) for _ in range(3))
    hard = np.zeros(len(note), bool)
    blank = words.blank[piece]
    order = np.argsort(blank, kind="stable")
    edges = np.searchsorted(blank[order], np.arange(len(words.blanks) + 1))
    for name, low, high in zip(words.blanks, edges[:-1], edges[1:], strict=True):
        where = order[low:high]
        source, dot, menu_name = name.partition(".")
        if not len(where):
            continue
        if not dot:
            text[where] = columns[name][note[where]]
            keep[where] = name in CLINICAL
            continue
        menu = menus[menu_name]
        written = write(menu, Rows(columns, note[where], items[where], source, seed), word_names())
        text[where], form[where], denotes[where] = written.text, written.form, written.denotes
        hard[where], kind[where] = written.hard, menu.kind

    texts = text.tolist()
    ends = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))
    whole = "".join(texts)
    bounds = np.r_[0, ends[np.r_[first[1:], len(note)] - 1]] if len(blocks) else np.zeros(1, np.int64)
    end = ends - bounds[note]
    start = np.r_[0, ends[:-1]][: len(note)] - bounds[note]

    def marked(mask: BoolArray) -> Spans:
        return Spans(
            note[mask], start[mask], end[mask], kind[mask], form[mask], denotes[mask], hard[mask]
        )  # fmt: skip

    edges_of_notes = zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
    return [whole[a:b] for a, b in edges_of_notes], marked(kind != ""), marked(keep)


@functools.cache
def word_names() -> frozenset[str]:
    """Names that are also common words or diseases, in lower case."""
    tables = (vocab.read(name) for name in ("given_names", "family_names"))
    return frozenset(v.lower() for t in tables for v in t.loc[t["common"] == "1", "value"])


def _cut(text: str) -> list[tuple[str, str]]:
    """A sentence as (what, value) pieces, what being text, blank or keep."""
    pieces, at = [], 0
    for match in _PIECE.finditer(text):
        if match.start() > at:
            pieces.append(("text", text[at : match.start()]))
        pieces.append(("blank", match[1]) if match[1] else ("keep", match[2]))
        at = match.end()
    if at < len(text):
        pieces.append(("text", text[at:]))
    return pieces


def _lowered(pieces: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The sentence as it stands after "and": abbreviations, names and look-alikes keep their capitals."""
    (what, value), *rest = pieces
    plain = what == "text" and not value[1:2].isupper() and not value.startswith(_PROPER)
    if plain or value in ("He", "His"):
        value = value[:1].lower() + value[1:]
    return [(what, value), *rest]
