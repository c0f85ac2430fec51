"""De-identified letters beside the originals: what is gone from their names and contents, and which survived."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from graders.harness.reading import uncollected
from graders.measures.evidence import LETTER
from graders.measures.leakage import LONGEST_READ, IdentifierScan
from graders.measures.places import Place
from graders.measures.release_tables import hold_numbers, numbers_of
from graders.measures.tokens import WORD, fold, squeezed
from synthetic_data.network import SITES

if TYPE_CHECKING:
    from graders.measures.release import Release
    from synthetic_data.recipes.deidentification import Truth

# Columns of the patients table that letters state: kind of identifier, name of the place.
STATED = {
    "given": ("NAME", "names"),
    "family": ("NAME", "names"),
    "mrn": ("MRN", "numbers"),
    "ssn": ("SSN", "numbers"),
    "phone": ("PHONE", "numbers"),
    "email": ("EMAIL", "numbers"),
    "street": ("LOCATION", "streets"),
    "city": ("LOCATION", "towns"),
    "zip": ("LOCATION", "towns"),
    "birth_date": ("DATE", "birth dates"),
}
INDIRECT = {"towns"}
# Of a letter's other words, so many must be there for it to have survived.
MOST_WORDS = 0.9
# Unknown files that are looked at for one letter; there are four kinds of letters.
MOST_TRIED = 50
_DAY = re.compile(r"\b\d{4}-\d\d-\d\d\b")
_TOKEN = re.compile(r"[^\s,;:()]+")


@dataclass(frozen=True)
class _Letters:
    """The originals (truth.attachments) with their owners' rows, and which output file is which.

    people: one row of the patients table per letter.  rows: (letters,) which row that is.  given: (letters,) the
    content as released, "" where it is not under the letter's new name, or at least its old one.  unknown: the output's
    other files.
    """

    people: pd.DataFrame
    rows: npt.NDArray[np.int64]
    contents: list[str]
    given: list[str]
    unknown: dict[str, str]

    @classmethod
    def of(cls, release: Release, truth: Truth) -> _Letters:
        original, patients = truth.attachments, truth.tables["patients"]
        codes = pd.Series(release.tables["patients"]["patient_id"].to_numpy(), index=patients["patient_id"])
        keys = zip(codes[original["patient_id"]], original["number"], strict=True)
        letter = {f"{code}-{number}.txt": n for n, (code, number) in enumerate(keys)}
        letter |= {name: n for n, name in enumerate(original["file_name"])}
        given = [""] * len(original)
        unknown = {}
        for name, content in release.attachments.items():
            if name in letter:
                # The code in a letter is no identifier, whatever it looks like.
                code = re.escape(name.rsplit("-", 1)[0])
                # A letter that is there twice is read as one.
                given[letter[name]] += re.sub(rf"(?<![^\W_]){code}(?![^\W_])", " ", content)
            else:
                unknown[name] = content
        people = patients.set_index("patient_id", drop=False).loc[original["patient_id"]].reset_index(drop=True)
        rows = pd.Index(patients["patient_id"]).get_indexer(pd.Index(original["patient_id"])).astype(np.int64)
        return cls(people, rows, original["content"].tolist(), given, unknown)


@uncollected()
def judge(release: Release, truth: Truth) -> tuple[list[Place], list[Place], list[str]]:
    """(places that must be clean, places that must survive, faults) of one play's attachments."""
    letters = _Letters.of(release, truth)
    if not letters.contents:
        return [], [], []
    harmless, kept = unidentified(letters, truth)
    must_go = [*clean_places(letters, harmless, truth), *name_places(release, letters, truth)]
    told = hold_numbers(letters.given, numbers_of(truth.tables["patients"]))
    what = "numbers of any patient"
    must_go.append(Place.of(f"letters: {what}", ~told, f"attachments, {what}", LETTER, letters.rows, direct=True))
    if letters.unknown:
        clean = nobody(letters.unknown, truth)
        where = "attachments, files under other names than the codes give"
        must_go.append(Place("letters of unknown patients", int(clean.sum()), len(clean), direct=True, where=where))
        # A renamed letter is one for one; more files than letters are none that were asked for.
        if (more := len(letters.unknown) - letters.given.count("")) > 0:
            where = "attachments, files that are no letters"
            must_go.append(Place("files that are no letters", 0, more, direct=True, where=where))
    stayed = Place.of("letters", surviving(letters, kept), "attachments, letters", LETTER, letters.rows)
    return must_go, [stayed], []


def clean_places(letters: _Letters, harmless: list[str], truth: Truth) -> list[Place]:
    """What of its patient each letter said must be gone from it."""
    # "Marlow Valley Medical Center" does not say that the patient lives in Marlow.
    stated = [squeezed(without_hospitals(content)) for content in letters.contents]
    parts = []
    for column, (kind, place) in STATED.items():
        values = letters.people[column].tolist()
        shown = [_us_date(value) if column == "birth_date" else value for value in values]
        there = [v != "" and squeezed(v) in text for v, text in zip(shown, stated, strict=True)]
        owners = np.flatnonzero(there)
        part = {"owner": owners, "kind": kind, "value": [values[n] for n in owners], "place": place}
        parts.append(pd.DataFrame(part))
    wanted = pd.concat(parts, ignore_index=True)
    everybody = range(len(letters.given))
    kept = pd.DataFrame({"owner": everybody, "text": harmless})
    given = pd.DataFrame({"owner": everybody, "text": pd.Series(letters.given, dtype=object)})
    found = wanted.assign(leaked=IdentifierScan(wanted, truth.small_zip3, kept).scan(given).leaked)
    return [
        Place.of(
            f"letters: {place}",
            ~part["leaked"],
            f"attachments, {place}",
            LETTER,
            letters.rows[part["owner"].to_numpy(int)],
            direct=place not in INDIRECT,
        )
        for place, part in found.groupby("place", sort=False)
    ]


def name_places(release: Release, letters: _Letters, truth: Truth) -> list[Place]:
    """File names: one that is made of a code is clean, another must hold nobody's name or number, nor be an old one."""
    people = truth.tables["patients"]
    old = {squeezed(name.removesuffix(".txt")) for name in truth.attachments["file_name"]}
    families = {w for name in people["family"] for w in WORD.findall(fold(name)) if len(w) > 2}
    numbers = {squeezed(number) for column in ("mrn", "ssn", "patient_id", "fhir_id") for number in people[column]}
    clean = 0
    known = release.attachments.keys() - letters.unknown.keys() - set(truth.attachments["file_name"])
    for name in release.attachments:
        if name in known:
            clean += 1
            continue
        whole = squeezed(name.removesuffix(".txt"))
        words = WORD.findall(fold(name))
        told = any(o in whole for o in old) or not families.isdisjoint(words) or any(n in whole for n in numbers)
        clean += not told
    if not release.attachments:
        return []
    where = "attachments, file names"
    return [Place("letters' file names", clean, len(release.attachments), direct=True, where=where)]


def nobody(files: dict[str, str], truth: Truth) -> npt.NDArray[np.bool_]:
    """(files,) bool: holds no number, e-mail address or full name of any patient. One too long to read may."""
    people = truth.tables["patients"]
    single = {squeezed(v) for c in ("mrn", "ssn", "phone", "email", "patient_id", "fhir_id") for v in people[c] if v}
    full = {tuple(WORD.findall(fold(f"{g} {f}"))) for g, f in zip(people["given"], people["family"], strict=True)}
    lengths = {len(name) for name in full}
    clean = []
    for text in files.values():
        words = WORD.findall(fold(text[:LONGEST_READ]))
        runs = (tuple(words[n : n + k]) for k in lengths for n in range(len(words) - k + 1))
        tokens = (squeezed(token) for token in _TOKEN.findall(text[:LONGEST_READ]))
        clean.append(len(text) <= LONGEST_READ and single.isdisjoint(tokens) and full.isdisjoint(runs))
    return np.array(clean, bool)


def unidentified(letters: _Letters, truth: Truth) -> tuple[list[str], list[Counter[str]]]:
    """The letters without their patients' identifiers, and how often each word is in them that must be kept.

    Clinicians, hospitals and dates may go or stay.
    """
    stays = truth.tables["encounters"]
    clinicians = (stays["provider_given"] + " " + stays["provider_family"]).groupby(stays["patient_id"]).agg(set)
    columns = ("patient_id", "given", "family", "birth_date", "mrn", "phone", "street", "city", "zip")
    harmless, kept = [], []
    facts = zip(letters.contents, letters.people[list(columns)].itertuples(index=False, name=None), strict=True)
    # One letter at a time: each has values of its own, and there are few.
    for whole, (patient, given, family, born, *others) in facts:
        content = without_hospitals(whole)
        for value in (f"{given} {family}", f"Ms. {family}", f"Mr. {family}", _us_date(born), born, *others):
            if value:
                content = content.replace(value, " ")
        harmless.append(" ".join([content, *(site.name for site in SITES if site.name in whole)]))
        for value in clinicians.get(patient, ()):
            content = content.replace(value, " ")
        kept.append(_words(_DAY.sub(" ", content)))
    return harmless, kept


def without_hospitals(content: str) -> str:
    """A letter without the names of the network's hospitals."""
    for site in SITES:
        content = content.replace(site.name, " ")
    return content


def surviving(letters: _Letters, kept: list[Counter[str]]) -> npt.NDArray[np.bool_]:
    """(letters,) bool: it is there with nine in ten of the words that must be kept.

    What a wrong name costs is judged where codes are: an unknown file counts as any letter that it may be.
    """
    there = np.zeros(len(kept), bool)
    spare = [_words(text) for text in letters.unknown.values()]
    for n, (text, wanted) in enumerate(zip(letters.given, kept, strict=True)):
        if text:
            there[n] = enough(_words(text), wanted)
        elif found := next((words for words in spare[:MOST_TRIED] if enough(words, wanted)), None):
            spare.remove(found)
            there[n] = True
    return there


def enough(words: Counter[str], wanted: Counter[str]) -> bool:
    """Whether nine in ten of the wanted words are among the words."""
    return (wanted & words).total() >= MOST_WORDS * wanted.total()


def _words(text: str) -> Counter[str]:
    return Counter(WORD.findall(fold(text[:LONGEST_READ])))


def _us_date(iso: str) -> str:
    return f"{iso[5:7]}/{iso[8:10]}/{iso[:4]}"
