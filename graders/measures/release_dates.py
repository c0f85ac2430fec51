"""Whether the dates of a release moved as the card says: by one number of days per person, everywhere alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from graders.harness.reading import uncollected
from graders.measures import release_fhir, release_tables
from graders.measures.dates import Said, said
from graders.measures.evidence import LINE, MOST_NAMED, ROW, counted, flagged
from graders.measures.places import date_clean, ramp
from graders.measures.release import as_text

if TYPE_CHECKING:
    from graders.measures.release import Release
    from synthetic_data.recipes.deidentification import Truth

Flags = npt.NDArray[np.bool_]

# (no credit up to here, width of the ramp to full credit).
INTERVALS = (0.80, 0.20)
RULE = (0.80, 0.20)
IN_NOTES = (0.80, 0.18)
CLEAN = (0.90, 0.10)
RECALL = (0.80, 0.15)
# A patient with a larger share of blank dates has no intervals left.
MOST_BLANK = 0.05
# A move that so many share is no secret: any known date of any patient gives it away.
COMMONEST = 0.5
# Standard deviation of the moves, in days: the brief asks for a week; of a card that allows few days, a fifth of them.
ENOUGH, LEAST_SPREAD, LEAST_PART = 50, 7.0, 0.2
# Fewer full dates in all notes say nothing about how they were moved.
FEWEST_STATED = 20
# Where a full date of a four-digit year may be, so that the rest of the text need not be read.
_YEAR = re.compile(r"(?<!\d)(?:\d{4}|\d{8}|\d{12}|\d{14})(?!\d)")
_BEFORE, _AFTER = 44, 24
_FULL = re.compile(r"\d{4}-\d\d-\d\d")
_STAMP = r"\d{4}-\d\d-\d\d(?:[T ]\d\d(?::\d\d){0,2}(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)?"
_NO_YEAR = re.compile(r"--(\d\d)-(\d\d)")


@uncollected()
def judge(release: Release, truth: Truth, date_recall: float) -> tuple[float, str, tuple[str, ...]]:
    """(fraction, message, evidence): intervals x the card's rule x the notes' dates x no true date left.

    date_recall: share of the dates in notes that are caught.
    """
    cells = Cells.of(release, truth)
    kept = cells.moved_alike()
    ruled = follows_rule(cells, truth)
    right, stated, astray = in_notes(release, cells.moves(), truth)
    others = beside(release, truth)
    true = int(cells.true_day.sum()) + sum(int(times.sum()) for times in others.values())
    clean = 1 - min(1.0, true / max(1, len(cells.who)))
    agree = right / stated if stated >= FEWEST_STATED else 1.0
    fraction = ramp(float(kept.mean()), *INTERVALS) * ramp(float(ruled.mean()), *RULE) * ramp(agree, *IN_NOTES)
    fraction *= ramp(clean, *CLEAN) * ramp(date_recall, *RECALL)
    rule = truth.card["dates"]["rule"]
    parts = [
        f"{int(kept.sum())} of {len(kept)} people have all dates moved by one number of days, time of day kept",
        f'{int(ruled.sum())} as the rule "{rule}" says',
        f"{right} of {stated} full dates in notes moved with them" if stated >= FEWEST_STATED else "",
        f"{true} of {len(cells.who)} dates elsewhere are still the true ones" if true else "",
        f"{date_recall:.1%} of dates in notes caught",
        cells.blanks(),
    ]
    person = _people(truth)[0][truth.tables["patients"]["patient_id"]].to_numpy()
    evidence = [
        *cells.evidence(cells.true_day, "still the true day")[:2],
        *(
            text
            for kind, times in others.items()
            for text in flagged(f"fhir/{kind}.ndjson, beside its own dates", times > 0, "with the true day", LINE)
        ),
        *cells.evidence(cells.astray(), "not moved with the person's others, or another time of day")[:2],
        *flagged("patients.csv", ~ruled[person], f'whose dates do not follow the rule "{rule}"'),
        *cells.evidence(cells.blank, "blank")[: 2 * (not cells.usable().all())],
    ]
    if agree < 1:
        verb = "with dates that did not move with the patient's"
        evidence.append(counted("notes.jsonl", len(astray), len(truth.notes), verb, LINE, astray))
    if ramp(date_recall, *RECALL) < 1:
        evidence.append(f"notes.jsonl, DATE: {1 - date_recall:.1%} can still be read")
    return fraction, "; ".join(part for part in parts if part), tuple(evidence)


@dataclass(frozen=True)
class Cells:
    """All date cells of tables, FHIR and written_at.

    who: (cells,) number of the person.  patients: how many there are.  days: (cells,) how far each date was moved, NaN
    where what is given is no ISO date.  blank, time_kept, true_day: (cells,) bool.
    columns: of each column file and name, unit, and (rows,) bool: has a date. Its cells come one after another.
    """

    who: npt.NDArray[np.int64]
    patients: int
    days: npt.NDArray[np.float64]
    blank: Flags
    time_kept: Flags
    true_day: Flags
    columns: tuple[tuple[str, str, Flags], ...] = ()

    @classmethod
    def of(cls, release: Release, truth: Truth) -> Cells:
        """The cells where the original has a date."""
        who_is, people = _people(truth)
        columns = list(_columns(release, truth))
        given = pd.concat([given for given, *_ in columns], ignore_index=True).str.strip()
        true = pd.concat([true for _, true, *_ in columns], ignore_index=True)
        who = np.concatenate([who_is[patients].to_numpy() for _, _, patients, *_ in columns]).astype(np.int64)
        there = (true != "").to_numpy(bool)
        given, true, who = given[there].reset_index(drop=True), true[there].reset_index(drop=True), who[there]
        days = np.asarray((_day(given) - _day(true)).dt.days, np.float64)
        # What is no ISO date may still state the true one.
        odd = np.isnan(days) & (given != "").to_numpy(bool)
        true_day = days == 0
        true_day[odd] = ~date_clean(given[odd], true[odd]).to_numpy(bool)
        dated = tuple((where, unit, (true != "").to_numpy(bool)) for _, true, _, where, unit in columns)
        return cls(who, people, days, (given == "").to_numpy(bool), _time_kept(given, true), true_day, dated)

    def moves(self) -> npt.NDArray[np.float64]:
        """(patients,) by how many days most of a patient's dates moved; NaN where there is none."""
        by_patient = pd.Series(self.days).groupby(self.who).median()
        return np.asarray(by_patient.reindex(range(self.patients)), np.float64)

    def usable(self) -> Flags:
        """(patients,) bool: few of the patient's dates are blank."""
        return np.asarray(self._per_patient(self.blank) <= MOST_BLANK, bool)

    def moved_alike(self) -> Flags:
        """(patients,) bool: all dates moved by one number of days, and the time of day stayed."""
        return np.asarray(self.usable() & (self._per_patient(self.astray()) == 0), bool)

    def astray(self) -> Flags:
        """(cells,) bool: did not move as most of the patient's, or has another time of day."""
        return np.asarray(~self.blank & ((self.days != self.moves()[self.who]) | ~self.time_kept), bool)

    def evidence(self, wrong: Flags, verb: str) -> list[str]:
        """The columns with most of the cells that are wrong, by share."""
        found, start = [], 0
        for where, unit, there in self.columns:
            rows = np.flatnonzero(there)
            lost = rows[wrong[start : start + len(rows)]]
            start += len(rows)
            if len(lost):
                told = counted(where, len(lost), len(rows), verb, unit, lost[:MOST_NAMED].tolist())
                found.append((-len(lost) / len(rows), told))
        return [told for _, told in sorted(found)]

    def blanks(self) -> str:
        """A message, where patients have too many blank dates."""
        count = int((~self.usable()).sum())
        return f"{count} people have blank dates" if count else ""

    def _per_patient(self, flags: Flags) -> npt.NDArray[np.float64]:
        """(patients,) share of the patient's cells that are flagged."""
        flagged = np.bincount(self.who, flags, self.patients)
        return np.asarray(flagged / np.maximum(np.bincount(self.who, minlength=self.patients), 1), np.float64)


def follows_rule(cells: Cells, truth: Truth) -> Flags:
    """(patients,) bool: the patient's dates moved as far as the card says."""
    card, moves = truth.card["dates"], cells.moves()
    if card["rule"] == "relative":
        stays = truth.tables["encounters"]
        first = stays["start"].str[:10].groupby(_people(truth)[0][stays["patient_id"]].to_numpy()).min()
        first = first.reindex(range(cells.patients)).fillna("")
        wanted = np.asarray((pd.Timestamp(card["anchor"]) - _day(first)).dt.days, np.float64)
        return np.asarray(cells.usable() & (moves == wanted), bool)
    share = pd.Series(moves).map(pd.Series(moves).value_counts() / max(1, cells.patients)).fillna(0).to_numpy()
    far = np.abs(moves)
    if cells.patients >= ENOUGH and not pd.Series(moves).std(ddof=0) >= min(
        LEAST_SPREAD, LEAST_PART * card["max_days"]
    ):
        # Moves of one to three days hide nothing.
        return np.zeros(cells.patients, bool)
    return np.asarray(cells.usable() & (far >= 1) & (far <= card["max_days"]) & (share < COMMONEST), bool)


def beside(release: Release, truth: Truth) -> dict[str, npt.NDArray[np.int64]]:
    """Type -> (resources,) how often each states its true day in another element than its own, moved date.

    Such as `issued` or `meta.lastUpdated`.
    """
    found: dict[str, npt.NDArray[np.int64]] = {}
    for kind, paths in release_fhir.DATES.items():
        table, key, _ = release_fhir.KEPT[kind]
        rows = truth.tables[table].set_index(key).loc[truth.fhir[kind]]
        own = [release.told(kind, path).str[:10].tolist() for path in paths]
        for column in paths.values():
            days = rows[column].str[:10].tolist()
            stated = zip(release.lines[kind], days, zip(*own, strict=True), strict=True)
            told = [day != "" and day not in moved and day.encode() in line for line, day, moved in stated]
            found[kind] = found.get(kind, 0) + np.array(told, np.int64)
    return found


def in_notes(release: Release, moves: npt.NDArray[np.float64], truth: Truth) -> tuple[int, int, list[int]]:
    """(full dates in notes that are a date of that note, moved by the patient's move; full dates; notes with others).

    moves: (patients,) days. Dates of the original that are nobody's, such as a guideline's, do not count.
    """
    move = moves[_people(truth)[0][truth.notes["patient_id"]].to_numpy()]
    stays = truth.tables["encounters"].set_index("encounter_id")[["start", "end"]]
    stays = stays.reindex(truth.notes["encounter_id"]).fillna("")
    known = zip(truth.notes["written_at"], stays["start"], stays["end"], strict=True)
    own = [{_ordinal(text[:10]) for text in texts if text} for texts in known]
    dates = truth.spans[truth.spans["kind"] == "DATE"]
    note = pd.Index(truth.notes["note_id"]).get_indexer(dates["note_id"])
    for n, denotes in zip(note.tolist(), dates["denotes"].tolist(), strict=True):
        if n >= 0 and _FULL.fullmatch(denotes):
            own[n].add(_ordinal(denotes))
        elif n >= 0 and (partial := _NO_YEAR.fullmatch(denotes)):
            # Who moves "April 24" may well write the year that the note makes plain.
            year = int(truth.notes["written_at"].iloc[n][:4])
            month, day = map(int, partial.groups())
            own[n].update(d for y in (year - 1, year, year + 1) for d in _readings(Said(y, month, day)))
    spans: dict[int, list[tuple[int, int]]] = {}
    for n, start, end in zip(note.tolist(), dates["start"].tolist(), dates["end"].tolist(), strict=True):
        spans.setdefault(n, []).append((start, end))
    right = stated = 0
    astray = []
    # One note at a time: each is read for dates of its own.
    for n, text in enumerate(release.texts):
        # No honest note grows to more than that.
        found = list(full_dates((text or "")[: 2 * len(truth.notes["text"].iloc[n]) + 1000]))
        if not found:
            continue
        moved = set() if np.isnan(move[n]) else {day + int(move[n]) for day in own[n]}
        good = sum(not moved.isdisjoint(readings) for readings in found)
        if good < len(found):
            harmless = set().union(*full_dates(_without(truth.notes["text"].iloc[n], spans.get(n, []))))
            found = [readings for readings in found if not moved.isdisjoint(readings) or harmless.isdisjoint(readings)]
        right, stated = right + good, stated + len(found)
        if good < len(found):
            astray.append(n)
    return right, stated, astray


def full_dates(text: str) -> Iterator[set[int]]:
    """The days, as ordinals, that each full date with a four-digit year may be: month first and day first."""
    for window in _around_years(text):
        for found in said(window):
            if found.year > 100 and found.month and found.day and (readings := _readings(found)):
                yield readings


def _around_years(text: str) -> list[str]:
    """The stretches of text that hold a year and what belongs to it."""
    windows: list[tuple[int, int]] = []
    for year in _YEAR.finditer(text):
        start, end = max(0, year.start() - _BEFORE), year.end() + _AFTER
        if windows and start <= windows[-1][1]:
            start = windows.pop()[0]
        windows.append((start, end))
    return [text[start:end] for start, end in windows]


def _readings(found: Said) -> set[int]:
    days = set()
    for month, day in ((found.month, found.day), (found.day, found.month)):
        try:
            days.add(date(found.year, month, day).toordinal())
        except ValueError:
            continue
    return days


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    for start, end in sorted(spans, reverse=True):
        text = f"{text[:start]} ; {text[end:]}"
    return text


def _ordinal(iso: str) -> int:
    return date.fromisoformat(iso).toordinal()


def _people(truth: Truth) -> tuple[pd.Series, int]:
    """patient_id -> number of the person, and how many people there are."""
    numbers, people = pd.factorize(truth.persons)
    return pd.Series(numbers, index=truth.persons.index), len(people)


def _columns(release: Release, truth: Truth) -> Iterator[tuple[pd.Series, pd.Series, pd.Series, str, str]]:
    """(as released, true, patient_id, file and name, unit) of every column of dates."""
    for name, columns in release_tables.DATES.items():
        original = truth.tables[name]
        for column in columns:
            yield release.tables[name][column], original[column], original["patient_id"], f"{name}.csv, {column}", ROW
    for kind, paths in release_fhir.DATES.items():
        table, key, _ = release_fhir.KEPT[kind]
        rows = truth.tables[table].set_index(key).loc[truth.fhir[kind]]
        for path, column in paths.items():
            yield release.told(kind, path), rows[column], rows["patient_id"], f"fhir/{kind}.ndjson, {path}", LINE
    written = [as_text(row.get("written_at")) for row in release.notes or ()]
    written = written or [""] * len(truth.notes)
    given, true = pd.Series(written, dtype="str"), truth.notes["written_at"].astype("str")
    yield given, true, truth.notes["patient_id"], "notes.jsonl, written_at", LINE


def _day(texts: pd.Series) -> pd.Series:
    """The days of ISO texts, with or without a time of day and an offset; NaT for anything else."""
    whole = texts.where(texts.str.fullmatch(_STAMP), "").str[:10]
    return pd.to_datetime(whole, format="%Y-%m-%d", errors="coerce")


def _time_kept(given: pd.Series, true: pd.Series) -> Flags:
    """(n,) bool: the same time of day. A blank for the T, missing zero seconds and an offset from UTC are no matter."""
    wanted, found = true.str[10:19], given.str[10:19].str.replace(" ", "T")
    zero = wanted.str.endswith(":00") & (found == wanted.str[:6])
    midnight = (wanted == "") & (found == "T00:00:00")
    return ((found == wanted) | zero | midnight).to_numpy(bool)
