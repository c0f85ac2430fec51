"""One person, one code: the same in every file, nobody else's, not linkable between releases and not reversible."""

from __future__ import annotations

import base64
import hashlib
import uuid
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from graders.harness.reading import Unreadable, read_ndjson, read_table, uncollected
from graders.measures.disguises import Codes, digests
from graders.measures.evidence import LINE, ROW, flagged
from graders.measures.places import ramp
from graders.measures.release import as_text, line_limits, table_limits
from graders.measures.tokens import fold, squeezed, visible
from synthetic_data.recipes.deidentification import RELEASED
from synthetic_data.scene import Files

if TYPE_CHECKING:
    from graders.measures.release import Release
    from synthetic_data.recipes.deidentification import Truth

Flags = npt.NDArray[np.bool_]

# Credit for the share of people with one code that is theirs alone: none up to the first, all from their sum. One
# person in twenty has two charts, one in eight a record number that somebody else has at another site.
SHARE_START, SHARE_WIDTH = 0.92, 0.08
# Share of patients whose code differs from the other release's; small numbers may be equal by chance.
APART_START, APART_WIDTH = 0.90, 0.08
# Patients and rows of which the values are hashed: who hashes identifiers hashes all of them.
TRIED = 100
# A shorter code can be reversed by nobody, or stands for several values.
SHORTEST = 7
# An identifier that so few codes hold stands there by chance.
MOST_CHANCE = 0.01
MOST_CAUSES = 5
# Rank correlation of codes and an identifier. With few patients chance reaches it: then five standard deviations.
MOST_ORDER, FEWEST_ORDERED, DEVIATIONS = 0.2, 100, 5.0
# Stretches of a code that are compared between releases; one that more than this share of codes has is no code.
PART, COMMON_PART = 5, 0.01
_ORDERED = {
    "patient_id": "the order of patient_id",
    "mrn": "the order of record numbers",
    "ssn": "the order of SSNs",
    "birth_date": "the order of birth dates",
    "family": "the alphabetical order of names",
    "fhir_id": "the order of the FHIR ids",
}
_SPACES = (uuid.NAMESPACE_DNS, uuid.NAMESPACE_URL, uuid.NAMESPACE_OID, uuid.NAMESPACE_X500)


@uncollected()
def judge(first: Release, second: Files, truth: Truth) -> tuple[float, str, tuple[str, ...]]:
    """(fraction, message, evidence): patients with one code in all files x that differ in `second` x that hold.

    second: the files of the other play, of the patients truth.second.
    """
    right, causes, places = consistent(first, truth)
    apart, linked, again = unlinkable(first, second, truth)
    where, broken = given_away(first, truth)
    share = float(right.mean()) if len(right) else 0.0
    if len(causes) > MOST_CAUSES:
        causes = [*causes[:MOST_CAUSES], f"{len(causes) - MOST_CAUSES} more faults"]
    parts = [f"{share:.1%} of people have one code in all files that nobody else has", *causes, linked, broken]
    fraction = ramp(share, SHARE_START, SHARE_WIDTH) * ramp(apart, APART_START, APART_WIDTH) * (not broken)
    # Each of the three factors may have taken all.
    evidence = ([f"{where}: gives away what it stands for"] if broken else []) + again
    return fraction, "; ".join(part for part in parts if part), (*evidence, *(places if share < 1 else ()))


def consistent(release: Release, truth: Truth) -> tuple[Flags, list[str], list[str]]:
    """(persons,) bool: one code that is in all files and nobody else's; what went wrong, by place and cause; evidence.

    A person with two charts has one code in both.
    """
    patients = truth.tables["patients"]["patient_id"]
    person, people = pd.factorize(truth.tables["patients"]["person"])
    who = pd.Series(person, index=patients)
    codes = release.tables["patients"]["patient_id"].to_numpy(object)
    blank = np.array([code.strip() == "" for code in codes], bool)
    pairs = pd.DataFrame({"code": codes, "person": person})[~blank]
    one = pairs.drop_duplicates()
    shared = one.loc[one["code"].duplicated(keep=False), "person"].unique()
    split = one.loc[one["person"].duplicated(keep=False), "person"].unique()
    # Whose code it is, for what stands in the other files.
    owner = one.drop_duplicates("code").set_index("code")["person"]
    code_of = pd.Series(codes, index=patients)
    bad = np.zeros(len(people), bool)
    bad[person[blank]] = bad[shared] = bad[split] = True
    causes = [
        _count("patients", len(shared), len(people), "share a code with somebody else"),
        _count("patients", len(split), len(people), "have two charts and two codes"),
        _count("patients", len(set(person[blank])), len(people), "have no code"),
    ]
    own = "patients.csv, patient_id"
    some = (shared, "shared with somebody else"), (split, "of a person with another code too"), (person[blank], "blank")
    places = [text for found, verb in some for text in flagged(own, np.isin(person, found), verb)]
    for place, given, whose, where, unit in stated(release, truth):
        rows = who.loc[list(whose)].to_numpy()
        wrong = given != code_of.loc[list(whose)].to_numpy(object)
        if not wrong.any():
            continue
        places += flagged(where, wrong, "not as in patients.csv", unit)
        missed = set(rows[wrong & (given == "")].tolist())
        taken = owner.reindex(given[wrong]).to_numpy(float)
        others = rows[wrong][~np.isnan(taken)]
        mixed = {*others.tolist(), *taken[~np.isnan(taken)].astype(int).tolist()}
        strange = set(rows[wrong].tolist()) - missed - set(others.tolist())
        bad[list(missed | mixed | strange)] = True
        causes += [
            _count(place, len(mixed), len(people), "share a code with somebody else"),
            _count(place, len(strange), len(people), "have another code than in patients.csv"),
            _count(place, len(missed), len(people), "have rows without a code"),
        ]
    for place, wrong_patients, fault, file in (*_encounters(release, truth), _letters(release, truth)):
        found = who[list(wrong_patients)].unique()
        places += file
        bad[found] = True
        causes.append(_count(place, len(found), len(people), fault))
    return ~bad, [cause for cause in causes if cause], places


def stated(release: Release, truth: Truth) -> Iterator[tuple[str, npt.NDArray[np.object_], Sequence[str], str, str]]:
    """Where a code stands: name of the place, (rows,) the codes as released, and the patients they stand for.

    And for evidence the file with its column or field, and the unit in which it is counted.
    """
    for name, original in truth.tables.items():
        if name != "patients":
            column = "mrn" if name == "labs" else "patient_id"
            given = release.tables[name][column].to_numpy(object)
            yield name, given, original["patient_id"].tolist(), f"{name}.csv, {column}", ROW
    notes = [as_text(row.get("patient_id")) for row in release.notes or ()]
    padded, whose = _padded(notes, len(truth.notes)), truth.notes["patient_id"].tolist()
    yield "notes", padded, whose, "notes.jsonl, patient_id", LINE
    for kind, (table, key) in RELEASED.items():
        if kind == "Patient":
            given = release.told(kind, "id").to_numpy(object)
            yield "Patient.id", given, truth.fhir[kind], "fhir/Patient.ndjson, id", LINE
            continue
        owners = pd.Series(truth.tables[table]["patient_id"].to_numpy(), index=truth.tables[table][key])
        told = release.told(kind, "subject.reference")
        # A reference to anything but a Patient is to nobody.
        codes = [text[8:] if text.startswith("Patient/") else "" for text in told]
        file = f"fhir/{kind}.ndjson, subject"
        yield f"{kind}.subject", np.array(codes, object), owners[truth.fhir[kind]].tolist(), file, LINE


def _encounters(release: Release, truth: Truth) -> Iterator[tuple[str, set[str], str, tuple[str, ...]]]:
    """Patients whose resources refer to another encounter than theirs, or to none, by type; and evidence."""
    ids = release.told("Encounter", "id").to_numpy(object)
    twice = pd.Series(ids).duplicated(keep=False).to_numpy() | (ids == "")
    references = pd.Series(["" if t else f"Encounter/{i}" for i, t in zip(ids, twice, strict=True)], dtype=object)
    references.index = pd.Index(truth.fhir["Encounter"])
    for kind, (table, key) in RELEASED.items():
        if kind in ("Patient", "Encounter"):
            continue
        rows = truth.tables[table].set_index(key).loc[truth.fhir[kind], ["patient_id", "encounter_id"]]
        wanted = references[rows["encounter_id"]].to_numpy(object)
        wrong = (release.told(kind, "encounter.reference").to_numpy(object) != wanted) | (wanted == "")
        fault = "have references that do not lead to their encounter"
        lines = flagged(f"fhir/{kind}.ndjson, encounter", wrong, "not that of the resource", LINE)
        yield f"{kind}.encounter", set(rows["patient_id"][wrong]), fault, lines


def _letters(release: Release, truth: Truth) -> tuple[str, set[str], str, tuple[str, ...]]:
    """Patients of whom a letter is not under the code and number it should have; and evidence."""
    codes = pd.Series(
        release.tables["patients"]["patient_id"].to_numpy(object), index=truth.tables["patients"]["patient_id"]
    )
    letters = truth.attachments
    facts = zip(letters["patient_id"], codes[letters["patient_id"]], letters["number"], strict=True)
    wrong = {patient for patient, code, number in facts if f"{code}-{number}.txt" not in release.attachments}
    fault = "have letters that are missing or under another name"
    rows = flagged("attachments, by rows of patients.csv", codes.index.isin(wrong), fault.removeprefix("have "))
    return "attachments", wrong, fault, rows


def unlinkable(first: Release, second: Files, truth: Truth) -> tuple[float, str, list[str]]:
    """Share of the second play's patients with a code that is not theirs in the first; if it matters, why and where."""
    patients = truth.tables["patients"]["patient_id"]
    codes = pd.Series(first.tables["patients"]["patient_id"].to_numpy(object), index=patients)
    chosen = set(truth.second["patients"])
    linked: set[str] = set()
    found = False
    for name, given in _second_codes(second, truth).items():
        whose = truth.second[name]
        before = codes[whose].to_numpy(object)
        common = _common_parts([*codes.unique(), *set(given.tolist())])
        # A patient has many rows, and mostly one code in all of them.
        pairs = set(zip(whose, given.tolist(), before.tolist(), strict=True))
        linked |= {patient for patient, code, old in pairs if code != "" and _share_a_part(code, old, common)}
        found |= name == "patients" and bool((given != "").any())
    if not found:
        return 0.0, "the second release has no codes", ["second release, patients.csv, patient_id: no codes"]
    apart = 1 - len(linked) / len(chosen)
    if apart >= APART_START + APART_WIDTH:
        return apart, "", []
    message = f"{len(linked)} of {len(chosen)} patients have the same code in two releases with different keys"
    same = np.array([patient in linked for patient in truth.second["patients"]], bool)
    verb = "with a code, or a part of one, of the first release"
    return apart, message, list(flagged("second release, by rows of patients.csv", same, verb))


def _parts(code: str) -> set[str]:
    """The stretches of a code that say who it is as well as the whole; a short code itself."""
    return {code[n : n + PART] for n in range(max(1, len(code) - PART + 1))}


def _common_parts(codes: Sequence[str]) -> set[str]:
    """The stretches that many codes have: a prefix, a release's own mark."""
    counts = Counter(part for code in codes for part in _parts(code))
    return {part for part, count in counts.items() if count > max(2, COMMON_PART * len(codes))}


def _share_a_part(code: str, before: str, common: set[str]) -> bool:
    """Whether two codes are equal, or share a stretch that few others have: half a code links as well as a whole."""
    return code == before or bool((_parts(code) & _parts(before)) - common)


def _second_codes(files: Files, truth: Truth) -> dict[str, npt.NDArray[np.object_]]:
    """Name in truth.second -> (rows,) the codes there; what cannot be read is left out."""
    found = {}
    for name, whose in truth.second.items():
        try:
            codes = _codes_of(name, files, len(whose))
        except Unreadable:
            continue
        if len(codes) == len(whose):
            found[name] = np.array(codes, object)
    return found


def _codes_of(name: str, files: Files, count: int) -> list[str]:
    if name in ("notes", "Patient"):
        file, field = ("notes.jsonl", "patient_id") if name == "notes" else ("fhir/Patient.ndjson", "id")
        rows = read_ndjson(files, file, *line_limits(count, note=name == "notes"))
        return [as_text(row.get(field)) for row in rows]
    column = "mrn" if name == "labs" else "patient_id"
    return read_table(files, f"{name}.csv", [column], *table_limits(count))[column].tolist()


def reversible(release: Release, truth: Truth) -> str:
    """How codes or other ids give away what they stand for, as a message; "" where they do not."""
    return given_away(release, truth)[1]


def given_away(release: Release, truth: Truth) -> tuple[str, str]:
    """File and column of the codes or other ids that give away what they stand for, and how; "" where they do not."""
    people = truth.tables["patients"].reset_index(drop=True)
    codes = release.tables["patients"]["patient_id"].reset_index(drop=True).str.strip()
    there = codes != ""
    if not there.any():
        return "", ""
    own = "patients.csv, patient_id"
    people, codes = people[there], codes[there]
    if name := _held(codes, people):
        return own, f"codes contain the {name}"
    if name := _hashed(codes, people):
        return own, f"codes are an unkeyed hash of {name}: whoever tries all identifiers has them back"
    if name := _in_order(codes, people):
        return own, f"codes follow {name}"
    for table, (key, given, original) in _other_ids(release, truth).items():
        if _is_hash(given, ([value] for value in original)):
            file = "notes.jsonl" if table == "notes" else f"{table}.csv"
            return f"{file}, {key}", f"{table}: {key} is an unkeyed hash of the original id"
    return "", ""


def _held(codes: pd.Series, people: pd.DataFrame) -> str:
    """The identifier that more codes hold, plain or encoded, than chance would bring."""
    texts = ["|".join(squeezed(text) for text in (code, *Codes.of(visible(code[:200])).readable)) for code in codes]
    for column in ("patient_id", "mrn", "ssn", "fhir_id", "health_plan_id", "phone", "birth_date", "family", "given"):
        values = [squeezed(value) for value in people[column]]
        least = 4 if column in ("family", "given") else 6
        held = sum(len(v) >= least and (v in text or v[::-1] in text) for v, text in zip(values, texts, strict=True))
        if held > max(1, MOST_CHANCE * len(values)):
            return column
    return ""


def _hashed(codes: pd.Series, people: pd.DataFrame) -> str:
    """The identifier, or the combination, of which codes are a hash that anybody can compute."""
    step = 1 + len(codes) // TRIED
    some, given = people.iloc[::step], codes.iloc[::step].tolist()
    name = some["given"] + " " + some["family"]
    born = some["birth_date"]
    tried = {
        "patient_id": [some["patient_id"]],
        "mrn": [some["mrn"]],
        "site and mrn": [some["site"] + sign + some["mrn"] for sign in ("", "-", "|", ":", "_", "/", " ")]
        + [some["mrn"] + sign + some["site"] for sign in ("", "-", "|", ":", "_")],
        "ssn": [some["ssn"]],
        "the FHIR id": [some["fhir_id"]],
        "health_plan_id": [some["health_plan_id"]],
        "the name": [name, some["family"] + " " + some["given"], some["family"] + ", " + some["given"]],
        "the name and birth date": [
            a + sign + born for a in (name, some["given"] + some["family"]) for sign in ("", " ", "|", "-", "_")
        ],
        "email": [some["email"]],
        "phone": [some["phone"]],
    }
    for what, columns in tried.items():
        if _is_hash(given, zip(*(column.tolist() for column in columns), strict=True)):
            return what
    return ""


def _is_hash(codes: Sequence[str], values: Iterable[Iterable[str]]) -> bool:
    """Whether codes are computed, without a key, from one of the values beside them: more of them than by chance."""
    hits = 0
    for code, beside in zip(codes, values, strict=True):
        tried = [value for value in beside if value]
        if len(code) >= SHORTEST:
            hits += Codes.of(visible(code[:200])).hash_any(tried) or any(_otherwise(code, value) for value in tried)
    return hits > MOST_CHANCE * len(codes)


def _otherwise(code: str, value: str) -> bool:
    """Whether the code is a digest of the value in decimal or base 64, 85 or 32, a UUID of it, or its CRC-32."""
    raw = value.encode("utf-8", "surrogatepass")
    if code.isascii() and code.isdigit():
        # Shorter ones are met by chance, longer ones are no digest.
        if not 8 <= len(code) <= 155:
            return False
        cut = (int(digest[:digits], 16) for digest in digests(value) for digits in (8, 12, 15, 16, 32, 40, 64, 128))
        return any(number % 10 ** len(code) == int(code) or str(number).startswith(code) for number in cut)
    bare = code.replace("-", "").lower()
    if len(bare) == 32 and any(
        make(space, value).hex == bare for make in (uuid.uuid3, uuid.uuid5) for space in _SPACES
    ):
        return True
    start = code.rstrip("=")[:16]
    for make in (hashlib.md5, hashlib.sha1, hashlib.sha256, hashlib.sha512):
        digest = make(raw, usedforsecurity=False).digest()
        shown = [
            b.decode() for b in (base64.b64encode(digest), base64.urlsafe_b64encode(digest), base64.b85encode(digest))
        ]
        if any(text.startswith(start) for text in shown) or base64.b32encode(digest).decode().startswith(start.upper()):
            return True
    return bare.lstrip("0") == f"{zlib.crc32(raw):x}"


def _in_order(codes: pd.Series, people: pd.DataFrame) -> str:
    """The identifier whose order the codes follow."""
    if len(codes) < FEWEST_ORDERED:
        return ""
    most = max(MOST_ORDER, DEVIATIONS / np.sqrt(len(codes) - 1))
    ranks = [codes.str.lower().rank()]
    numbers = pd.to_numeric(codes.str.extract(r"^\D*(\d{1,15})\D*$")[0], errors="coerce")
    if numbers.notna().mean() > 0.9:
        ranks.append(numbers.fillna(-1).rank())
    for column, name in _ORDERED.items():
        theirs = people[column].map(fold).rank()
        if any(abs(mine.corr(theirs)) > most for mine in ranks):
            return name
    return ""


def _other_ids(release: Release, truth: Truth) -> Mapping[str, tuple[str, list[str], list[str]]]:
    """Table -> the name of its rows' id, some as released and the same as given."""
    found = {}
    for name, original in truth.tables.items():
        key = original.columns[0]
        if name != "patients" and key in release.tables[name]:
            some = np.flatnonzero(release.tables[name][key].to_numpy(object) != "")
            some = some[:: 1 + len(some) // (TRIED // 4)]
            given = release.tables[name][key].iloc[some].tolist()
            found[name] = (key, given, original[key].iloc[some].tolist())
    notes = [as_text(row.get("note_id")) for row in release.notes or ()]
    pairs = list(zip(notes, truth.notes["note_id"], strict=False))
    pairs = pairs[:: 1 + len(pairs) // (TRIED // 4)]
    found["notes"] = ("note_id", [given for given, _ in pairs], [original for _, original in pairs])
    return found


def _padded(codes: list[str], count: int) -> npt.NDArray[np.object_]:
    """(count,) the codes; blanks where there are none."""
    return np.array(codes if len(codes) == count else [""] * count, object)


def _count(place: str, wrong: int, total: int, fault: str) -> str:
    return f"{place}: {wrong} of {total} people {fault}" if wrong else ""
