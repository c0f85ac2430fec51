"""How much of the patients' identity, and how much of the clinical text, is left in de-identified notes.

The words of a note and of the submission's version are aligned in order (longest common subsequence). Words outside
every mention that found their equal hold the two texts together; a mention is judged by what stands between the
nearest two of them. What counts as still readable is in `mentions`.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from graders.measures.dates import said
from graders.measures.disguises import MOST_CODES, Codes
from graders.measures.mentions import CODE_KINDS, Mention, Stretch
from graders.measures.tokens import Words, visible

NEITHER_WAY = frozenset({"PROVIDER", "FACILITY", "YEAR"})

_FREE, _NEUTRAL = -1, -2  # owners of words outside all mentions, and inside mentions graded neither way


@dataclass(frozen=True)
class NotesMeasure:
    """caught, graded: (spans,) bool; only graded mentions count.  words, kept, read: (notes,).

    keeps_kept: (keeps,) bool: all words of the look-alike are in the output, in order and with the same letters.
    words: how many words of the note belong to no mention; kept: how many of them are in the output, in order and with
    the same letters.  read: False where the note was missing, or has more characters or words than `longest_read` and
    `most_words` allow, or more codes than disguises.MOST_CODES; then nothing is caught and nothing kept.
    """

    caught: npt.NDArray[np.bool_]
    graded: npt.NDArray[np.bool_]
    words: npt.NDArray[np.int64]
    kept: npt.NDArray[np.int64]
    read: npt.NDArray[np.bool_]
    keeps_kept: npt.NDArray[np.bool_]

    @property
    def recall(self) -> float:
        """Share of the graded mentions that are caught; 1 where there is none."""
        return float(self.caught[self.graded].mean()) if self.graded.any() else 1.0

    @property
    def kept_share(self) -> float:
        """Share of all words outside mentions that are kept; 1 where there is none."""
        return float(self.kept.sum() / self.words.sum()) if self.words.sum() else 1.0


def longest_read(original: str) -> int:
    """Characters of output that are read for a note; a longer one counts as missing, which bounds the time.

    They are counted as given and once more as `visible`: one character may stand for eighteen.
    """
    return 2 * len(original) + 500


def most_words(original: int) -> int:
    """Words of output that are read for a note of so many words."""
    return 2 * original + 50


def measure_notes(
    originals: Sequence[str],
    outputs: Sequence[str | None],
    spans: pd.DataFrame,
    keeps: pd.DataFrame | None = None,
    small_zip3: frozenset[str] = frozenset(),
) -> NotesMeasure:
    """Judge every gold mention and look-alike, and count the kept words.

    spans: one row per mention: note (position in `originals`), start, end, kind, denotes and, optional, year_tells:
    a birth date whose year gives away an age of 90 or more, and has to go too. Mentions of one note do not overlap.
    keeps: one row per look-alike: note, start, end.  small_zip3: three-digit ZIP areas that may not stay.
    The results are in the order of the rows, whatever it is.
    """
    if len(originals) != len(outputs):
        raise ValueError(f"{len(originals)} notes, but {len(outputs)} outputs")
    count = len(originals)
    graded = ~spans["kind"].isin(NEITHER_WAY).to_numpy(bool)
    caught = np.zeros(len(spans), bool)
    words, kept = np.zeros(count, np.int64), np.zeros(count, np.int64)
    read = np.zeros(count, bool)
    keeps = spans.iloc[:0] if keeps is None else keeps
    keeps_kept = np.zeros(len(keeps), bool)

    rows_of, keeps_of = _by_note(spans, count), _by_note(keeps, count)
    starts, ends = spans["start"].tolist(), spans["end"].tolist()
    kinds, denotes = spans["kind"].tolist(), spans["denotes"].tolist()
    year_tells = spans["year_tells"].tolist() if "year_tells" in spans else [False] * len(spans)
    firsts, lasts = keeps["start"].tolist(), keeps["end"].tolist()
    # A loop over notes: the alignment is of one text with one text, and its inner loops run in C++.
    for note, (original, output) in enumerate(zip(originals, outputs, strict=True)):
        rows = rows_of[note]
        given = _Given.of(original, [(starts[r], ends[r]) for r in rows], [kinds[r] for r in rows])
        words[note] = given.owners.count(_FREE)
        most = longest_read(original)
        if output is None or len(output) > most:
            continue
        shown = visible(output, most)
        if len(shown) > most:
            continue
        out = Words.of(shown)
        # A code has six characters or more: most notes are too short for too many.
        crowded = len(shown) > 6 * MOST_CODES and Codes.of(shown).too_many
        if crowded or len(out.keys) > most_words(len(given.owners)):
            continue
        read[note] = True
        mentions = [
            Mention(kinds[r], original[starts[r] : ends[r]], given.keys(i), denotes[r], year_tells[r], small_zip3)
            for i, r in enumerate(rows)
        ]
        pair = _Pair.of(given, mentions, out)
        same = pair.same()
        kept[note] = sum(flag and owner == _FREE for flag, owner in zip(same, given.owners, strict=True))
        for k in keeps_of[note]:
            keeps_kept[k] = all(same[i] for i in given.within(original, firsts[k], lasts[k]))
        survived = pair.survivors()
        caught[rows] = [graded[r] and i not in survived for i, r in enumerate(rows)]
    return NotesMeasure(caught, graded, words, kept, read, keeps_kept)


def _by_note(frame: pd.DataFrame, count: int) -> list[list[int]]:
    """For each note, the positions of its rows, by `start`."""
    notes = frame["note"].to_numpy(np.int64)
    order = np.lexsort((frame["start"].to_numpy(), notes))
    edges = np.searchsorted(notes[order], np.arange(count + 1)).tolist()
    ordered = order.tolist()
    return [ordered[a:z] for a, z in pairwise(edges)]


@dataclass(frozen=True)
class _Given:
    """A note's words, each part of one mention or of none. owners: (words,) the mention, or _FREE, _NEUTRAL.

    pieces: start in the original and in `words.text`, of each stretch inside or outside a mention; firsts: (mentions,)
    the position of each mention's first word, and lasts that after its last.
    """

    words: Words
    owners: list[int]
    firsts: list[int]
    lasts: list[int]
    pieces: list[tuple[int, int]]

    @classmethod
    def of(cls, original: str, bounds: list[tuple[int, int]], kinds: list[str]) -> _Given:
        """Words are cut at the edges of mentions; what a mention's entities and accents stand for is read by itself."""
        names = [_NEUTRAL if kind in NEITHER_WAY else i for i, kind in enumerate(kinds)]
        # A text that looks as it is written does so in all its parts.
        if visible(original) == original:
            words = Words.of(original)
            firsts = [bisect_left(words.starts, start) for start, _ in bounds]
            lasts = [bisect_left(words.starts, end) for _, end in bounds]
            cuts = [(f, start) for f, (start, _) in zip(firsts, bounds, strict=True)]
            cuts += [(z, end) for z, (_, end) in zip(lasts, bounds, strict=True)]
            if not any(at and words.ends[at - 1] > edge for at, edge in cuts):
                owners = [_FREE] * len(words.keys)
                for name, first, last in zip(names, firsts, lasts, strict=True):
                    owners[first:last] = [name] * (last - first)
                return cls(words, owners, firsts, lasts, [(0, 0)])
        text, pieces, at = "", [], 0
        written: list[str] = []
        keys: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        owners, firsts, lasts = [], [], []

        def add(start: int, end: int, owner: int) -> None:
            nonlocal text
            pieces.append((start, len(text)))
            part = Words.of(visible(original[start:end]))
            written.extend(part.written)
            keys.extend(part.keys)
            starts.extend(s + len(text) for s in part.starts)
            ends.extend(e + len(text) for e in part.ends)
            owners.extend([owner] * len(part.keys))
            text += part.text

        for name, (start, end) in zip(names, bounds, strict=True):
            add(at, start, _FREE)
            firsts.append(len(keys))
            add(start, end, name)
            lasts.append(len(keys))
            at = end
        add(at, len(original), _FREE)
        return cls(Words(text, written, keys, starts, ends), owners, firsts, lasts, pieces)

    def keys(self, mention: int) -> list[str]:
        """The words of a mention."""
        return self.words.keys[self.firsts[mention] : self.lasts[mention]]

    def within(self, original: str, start: int, end: int) -> range:
        """The positions of the words that stand, whole or in part, between two places of the original."""
        first, last = bisect_right(self.words.ends, self._at(original, start)), self._at(original, end)
        return range(first, bisect_left(self.words.starts, last))

    def _at(self, original: str, place: int) -> int:
        """Where a place of the original is in the words' text."""
        before, at = self.pieces[bisect_right(self.pieces, (place, len(self.words.text))) - 1]
        return place if len(self.pieces) == 1 else at + len(visible(original[before:place]))


@dataclass(frozen=True)
class _Pair:
    """A note and its output, aligned. to: (words of the note,) position of the equal word in the output, or -1."""

    mentions: list[Mention]
    given: _Given
    out: Words
    to: list[int]

    @classmethod
    def of(cls, given: _Given, mentions: list[Mention], out: Words) -> _Pair:
        """A note beside the submission's text."""
        # Dates are judged by what they say. As words, "02" and "2024" would pair up with parts of other dates.
        dates = {m for m, mention in enumerate(mentions) if mention.kind == "DATE"}
        to = align(given.words, out, [o >= 0 for o in given.owners], [o in dates for o in given.owners])
        return cls(mentions, given, out, to)

    @property
    def note(self) -> Words:
        """The words of the note."""
        return self.given.words

    @property
    def owners(self) -> list[int]:
        """The mentions they belong to."""
        return self.given.owners

    def same(self) -> list[bool]:
        """Which words of the note have an equal with the same letters, upper and lower case included."""
        out = self.out.written
        return [t >= 0 and out[t] == word for t, word in zip(self.to, self.note.written, strict=True)]

    def survivors(self) -> set[int]:
        """The mentions that can still be read, in their place or elsewhere."""
        firm = [i for i, (o, t) in enumerate(zip(self.owners, self.to, strict=True)) if o < 0 and t >= 0]
        owner_of_out = {t: o for o, t in zip(self.owners, self.to, strict=True) if o >= 0 and t >= 0}
        # The gap of a mention: how many firm words stand before it.
        gaps: dict[int, list[int]] = {}
        for m, mention in enumerate(self.mentions):
            first = self.given.firsts[m]
            if mention.kind not in NEITHER_WAY and first < self.given.lasts[m]:
                gaps.setdefault(bisect_left(firm, first), []).append(m)
        survived = set()
        edges = [-1, *(self.to[i] for i in firm), len(self.out.keys)]
        for gap, members in gaps.items():
            left, right = edges[gap], edges[gap + 1]
            if right == left + 1:
                continue  # without a letter or digit, nothing can be read
            text = self.out.between(left, right)
            low = firm[gap - 1] + 1 if gap else 0
            high = firm[gap] if gap < len(firm) else len(self.owners)
            # A clinical word of the gap that the alignment could not place is no evidence of a mention.
            lost = Counter([self.note.keys[i] for i in range(low, high) if self.owners[i] < 0])
            spare = [p for p in range(left + 1, right) if p in owner_of_out or not _take(lost, self.out.keys[p])]
            start = self.out.ends[left] if left >= 0 else 0
            shares = self._shares(members, text) or [(members, 0, len(text))]
            for sharing, begin, end in shares:
                inside = [
                    p for p in spare if begin <= self.out.starts[p] - start < end or owner_of_out.get(p) in sharing
                ]
                survived |= self._readable(sharing, inside, text[begin:end], start + begin, owner_of_out)
        return survived | self._moved(gaps, edges)

    def _shares(self, members: list[int], text: str) -> list[tuple[list[int], int, int]] | None:
        """Each mention's own part of a gap's output, where what stood between the mentions still stands there."""
        if len(members) == 1:
            return None
        firsts, lasts = self.given.firsts, self.given.lasts
        between = [
            self.note.text[self.note.ends[lasts[a] - 1] : self.note.starts[firsts[b]]] for a, b in pairwise(members)
        ]
        bare = text.strip()
        # Blanks are no landmark: deleting a mention leaves its own behind.
        if any(not b.strip() or bare.count(b) != between.count(b) for b in between):
            return None
        begin, cuts = text.index(bare), [0]
        for b in between:
            begin = text.find(b, begin)
            if begin < 0:
                return None
            begin += len(b)
            cuts.append(begin)
        return [([m], a, z) for m, a, z in zip(members, cuts, [*cuts[1:], len(text)], strict=True)]

    def _readable(
        self, members: list[int], positions: list[int], text: str, start: int, owner_of_out: dict[int, int]
    ) -> set[int]:
        """Those of the mentions that can be read in `text`, which is at `start` of the output."""
        dated = [m for m in members if self.mentions[m].kind == "DATE"]
        if dated and len(dated) < len(members):
            # The patient called May left beside a date is not the month.
            of_dates = {k for m in dated for k in self.mentions[m].keys}
            others = {k for m in members if m not in dated for k in self.mentions[m].keys} - of_dates
            for p in positions:
                a, z = self.out.starts[p] - start, self.out.ends[p] - start
                if self.out.keys[p] in others and a >= 0:
                    text = f"{text[:a]}{'.' * (z - a)}{text[z:]}"
        in_order = said(text) if len(dated) > 1 else []
        # Two dates side by side, both shifted: the first that stands there is for the first, and so on.
        one_each = len(in_order) == len(dated) > 1
        # Most mentions found no word of theirs; they are judged by the same stretch.
        found = {owner_of_out[p] for p in positions if p in owner_of_out}
        shared = Stretch.of(self.out, [p for p in positions if p not in owner_of_out] if found else positions, text)
        survived = set()
        for m in members:
            mention, stretch = self.mentions[m], shared
            if m in found:
                stretch = Stretch.of(self.out, [p for p in positions if owner_of_out.get(p, m) == m], text)
            dates = [in_order[dated.index(m)]] if one_each and mention.kind == "DATE" else None
            if mention.survives(stretch, dates):
                survived.add(m)
        return survived

    def _moved(self, gaps: dict[int, list[int]], edges: list[int]) -> set[int]:
        """Mentions that were taken from their place and stand, whole, in another."""
        strays = {
            gap: self.out.keys[left + 1 : right]
            for gap, (left, right) in enumerate(pairwise(edges))
            if right > left + 1
        }
        if not strays:
            return set()
        home = {m: gap for gap, members in gaps.items() for m in members}
        # Another date or age may stand anywhere in its own right.
        movable = [m for m in home if self.mentions[m].kind not in {"DATE", "AGE"}]
        mine = {m: set(self.mentions[m].words) for m in movable}
        survived = set()
        for gap, keys in strays.items():
            found, joined = set(keys), "".join(keys)
            residents = set().union(*(mine.get(m, set()) for m in gaps.get(gap, [])))
            for m in movable:
                words = mine[m]
                if home[m] == gap or words & residents:
                    continue
                if self.mentions[m].kind in CODE_KINDS:
                    code = self.mentions[m].code
                    if len(code) >= 6 and code in joined:
                        survived.add(m)
                # Where another mention stood, one word may be the invented name of somebody else.
                elif words <= found and (len(words) > 1 or gap not in gaps) and max(map(len, words)) >= 4:
                    survived.add(m)
        return survived


def _take(counter: Counter[str], key: str) -> bool:
    """Use up one of `key`, if there is one."""
    if counter[key] > 0:
        counter[key] -= 1
        return True
    return False


def align(note: Words, out: Words, in_mention: Sequence[bool], apart: Sequence[bool]) -> list[int]:
    """For each word of the note, the position of its equal in the output, or -1; in order, as many as possible.

    Where several alignments are equally long, the one is taken whose equals stand together and keep what stood between
    them; if that decides nothing, the one that finds fewer words of mentions. Words of the note that are `apart` have
    no equal.
    """
    from rapidfuzz.distance import LCSseq

    numbers: dict[tuple[str, bool], int] = {}
    a = [
        -1 if skip else numbers.setdefault((k, tag), len(numbers))
        for k, tag, skip in zip(note.keys, _in_brackets(note), apart, strict=True)
    ]
    b = [numbers.setdefault((k, tag), len(numbers)) for k, tag in zip(out.keys, _in_brackets(out), strict=True)]

    def matched(left: list[int], right: list[int]) -> list[int]:
        to = [-1] * len(left)
        for block in LCSseq.opcodes(left, right):
            if block.tag == "equal":
                to[block.src_start : block.src_end] = range(block.dest_start, block.dest_end)
        return to

    early = matched(a, b)
    late = [len(b) - 1 - t if t >= 0 else -1 for t in reversed(matched(a[::-1], b[::-1]))]
    if early != late:
        agreed = [-1, *(i for i, t in enumerate(early) if t >= 0 and t == late[i]), len(a)]
        for left, right in pairwise(agreed):
            if early[left + 1 : right] != late[left + 1 : right]:
                one, other = (_togetherness(note, out, in_mention, to, left, right) for to in (early, late))
                if other > one:
                    early[left + 1 : right] = late[left + 1 : right]
    return early


_BRACKETS = re.compile(r"\[[^\[\]\n]{0,60}\]|<(?=[\w/])[^<>\n]{0,60}>|\{[^{}\n]{0,60}\}")


def _in_brackets(words: Words) -> list[bool]:
    """Which words stand in brackets: the "NAME" of "[NAME]" is not the label "Name" of the note."""
    flags = [False] * len(words.starts)
    for match in _BRACKETS.finditer(words.text):
        first, last = bisect_left(words.starts, match.start()), bisect_left(words.starts, match.end())
        flags[first:last] = [True] * (last - first)
    return flags


def _togetherness(
    note: Words, out: Words, in_mention: Sequence[bool], to: list[int], left: int, right: int
) -> tuple[int, int, int]:
    """How well the words after `left` and before `right` hold together: neighbours, separators, few in mentions."""
    neighbours = separators = 0
    for i in range(left, right):
        here = to[i] if i >= 0 else -1
        there = to[i + 1] if i + 1 < len(to) else len(out.keys)
        if (here >= 0 or i < 0) and there == here + 1:
            neighbours += 1
        if here >= 0 or there >= 0:
            before = note.between(i, i + 1)
            same_before = there >= 0 and before == out.between(there - 1, there)
            same_after = here >= 0 and before == out.between(here, here + 1)
            separators += same_before + same_after
    return neighbours, separators, -sum(in_mention[i] for i in range(left + 1, right) if to[i] >= 0)
