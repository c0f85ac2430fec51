"""De-identified tables beside the originals: which places are clean and which cells survived."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from graders.harness.reading import uncollected
from graders.measures.evidence import LINE, ROW
from graders.measures.leakage import IdentifierScan
from graders.measures.places import Place, free_of, one_text, same_text
from synthetic_data.population import PLACEHOLDER_SSN
from synthetic_data.recipes.deidentification import NOTE_FIELDS, RELEASED
from synthetic_data.scene import Files

if TYPE_CHECKING:
    from graders.measures.release import Release
    from synthetic_data.recipes.deidentification import Truth

# table -> column -> kind of identifier. Kinds are those of mentions in notes.
IDENTIFIERS = {
    "patients": {
        "patient_id": "MRN",
        "mrn": "MRN",
        "ssn": "SSN",
        "health_plan_id": "HEALTH_PLAN",
        "given": "NAME",
        "middle": "NAME",
        "family": "NAME",
        "street": "LOCATION",
        "city": "LOCATION",
        "county": "LOCATION",
        "zip": "LOCATION",
        "phone": "PHONE",
        "email": "EMAIL",
        "employer": "OTHER",
    },
    "contacts": {"given": "NAME", "family": "NAME", "phone": "PHONE", "email": "EMAIL"},
    **{name: {} for name in ("encounters", "conditions", "labs", "meds")},
}
# Named in the brief; left in more than 1 % of rows they put the submission on hold.
DIRECT = {"mrn", "ssn", "given", "family", "phone", "email", "street"}
KEPT = {
    "patients": ["site", "sex", "race", "ethnicity", "language", "insurance", "state"],
    "contacts": ["relationship"],
    "encounters": ["site", "class", "reason"],
    "conditions": ["code", "display", "clinical_status"],
    "labs": ["site", "category", "loinc", "name", "value", "unit", "ref_low", "ref_high", "interpretation"],
    "meds": ["rxnorm", "name"],
}
# Single cells of these may be blanked against re-identification; what that costs is measured elsewhere.
MAY_BE_BLANKED = {"sex", "race", "language"}
DATES = {"encounters": ["start", "end"], "conditions": ["onset_date"], "labs": ["taken_at"], "meds": ["start_date"]}
CLINICIANS = ("provider_given", "provider_family")
# A code, a number, a mask: nothing that tells a story.
ID = r"[^\s,;|]{0,80}"
# Organization and Practitioner are copies, which hold nobody's numbers.
RELEASED_FILES = {
    *(f"{name}.csv" for name in KEPT),
    "notes.jsonl",
    *(f"fhir/{kind}.ndjson" for kind in RELEASED),
}
LETTERS = "attachments/"
KNOWING = ("patients.csv", "contacts.csv", "notes.jsonl", "fhir/Patient.ndjson")
FREE_TEXT = {"labs": ("lab_id", "comment"), "meds": ("med_id", "sig")}
OLDEST = 90
# A number as it stands in a text, whatever sign is before it: "SSN#900-12-3457".
_WORD = re.compile(r"[A-Za-z0-9][\w.@-]*[A-Za-z0-9]")
# So much of a file that nobody asked for is read: more of it changes nothing.
MOST_READ = 2_000_000


@uncollected()
def judge(release: Release, truth: Truth) -> tuple[list[Place], list[Place], list[str]]:
    """(places that must be clean, places that must survive, faults) of one play's tables, note fields and files."""
    must_go: list[Place] = []
    must_stay: list[Place] = []
    for name, original in truth.tables.items():
        # A column that is not there is clean, and has not survived.
        table, extra = release.tables[name], release.extra[name]
        if len(extra.columns):
            what = f"{name}.csv (columns that are not asked for)"
            where = f"{name}.csv, columns that are not asked for"
            must_go.append(Place(what, 0, len(extra.columns), direct=True, where=where))
        must_go += clean_places(name, pd.concat([table, extra], axis=1), original, truth)
        must_stay += surviving_places(name, table, original, truth)
    must_go += note_places(release, truth)
    if release.others:
        what = "files that are not asked for"
        must_go.append(Place(what, 0, len(release.others), direct=True, where=what))
    return must_go, must_stay, []


def betrayed(files: Files, truth: Truth) -> int:
    """How many patients have their id, record number or SSN in a file that is not asked for: a crosswalk, a copy.

    A letter that holds those of two patients is no letter.
    """
    owner = numbers_of(truth.tables["patients"])
    found: set[int] = set()
    for name, data in files.items():
        if name in RELEASED_FILES:
            continue
        words = _WORD.findall(data[:MOST_READ].decode("utf-8", "replace"))
        here = {owner[word] for word in words if word in owner}
        if not name.startswith(LETTERS) or len(here) > 1:
            found |= here
    return len(found)


def exposed(files: Files, people: pd.DataFrame) -> float:
    """Share of `people` whose SSN, record number or patient id stands in the files where most is known of them."""
    owner = numbers_of(people)
    hit: set[int] = set()
    for name in KNOWING:
        text = files.get(name, b"")[: 10 * MOST_READ].decode("utf-8", "replace")
        # One by one: a list of so many words would take ten times the memory of the file.
        hit |= {owner[word] for match in _WORD.finditer(text) if (word := match.group()) in owner}
    return len(hit) / len(people) if len(people) else 0.0


def clean_places(name: str, table: pd.DataFrame, original: pd.DataFrame, truth: Truth) -> list[Place]:
    """What must be gone: identifiers, ids, stray ones in free text, birth dates, withheld columns."""
    wanted = identifiers(name, original, truth)
    withheld = truth.card["withhold"].get(name, [])
    may_stay = original[[c for c in KEPT[name] if c not in withheld]]
    if name == "patients":
        # A house number that equals the year of birth is no street left.
        may_stay = may_stay.assign(born=birth_words(truth))
    # Most rows of the large tables hold no identifier but the patient's ids; only the others are searched for more.
    held = wanted["owner"].unique().tolist()
    may_stay = may_stay.iloc[held]
    if name in FREE_TEXT:
        may_stay = may_stay.assign(harmless=harmless(name, original.iloc[held], truth))
    searched, kept = long_form(table.iloc[held]), long_form(may_stay)
    found = wanted.assign(leaked=IdentifierScan(wanted, truth.small_zip3, kept).scan(searched).leaked)
    places = id_places(name, table, original, truth)
    for column, rows in found.groupby("place", sort=False):
        gone, owners = ~rows["leaked"].to_numpy(bool), rows["owner"].to_numpy(int)
        where = f"{name}.csv, {column}"
        if column == "zip":
            clean = zip_clean(table["zip"], truth.small_zip3).to_numpy()[owners]
            small = original["zip"].str[:3].isin(truth.small_zip3).to_numpy(bool)[owners]
            what = "patients.zip (small areas)"
            places.append(Place.of(what, clean[small], f"{where} of small areas", owners=owners[small]))
            gone = (gone & clean) | small
        elif column in IDENTIFIERS[name] and column != "patient_id":
            # Somebody else's number, or a code for it, in place of one's own is still an identifier.
            gone &= one_text(table[column]).to_numpy()[owners]
        direct = name in ("patients", "contacts") and column in DIRECT
        places.append(Place.of(f"{name}.{column}", gone, where, owners=owners, direct=direct))
    if name == "patients":
        clean = born_clean(table["birth_date"], original["birth_date"], truth).to_numpy(bool)
        where = "patients.csv, birth_date"
        places += by_age("patients.birth_date", clean, original["birth_date"], truth, where)
    if name in FREE_TEXT:
        # What was not said before is none of the hospital's.
        field = FREE_TEXT[name][1]
        empty = np.flatnonzero(original[field] == "")
        silent = table[field].iloc[empty].str.strip() == ""
        what = f"{field} (where it was empty)"
        places.append(Place.of(f"{name}.{what}", silent, f"{name}.csv, {what}", owners=empty))
    for column in withheld:
        given = table[column].str.strip()
        clean = (given == "") | (one_text(given) & (given != original[column]))
        what = f"{column} (withheld)"
        places.append(Place.of(f"{name}.{what}", clean, f"{name}.csv, {what}"))
    return places


def by_age(
    name: str, clean: npt.NDArray[np.bool_], born: pd.Series, truth: Truth, where: str, unit: str = ROW
) -> list[Place]:
    """Birth dates, and apart those of people of 90 or more: a few among many must not be lost sight of."""
    old = ninety(born, truth.card["as_of"]).to_numpy(bool)
    return [
        Place.of(f"{name}{what}", clean[those], f"{where}{what}", unit, np.flatnonzero(those), direct=True)
        for what, those in (("", ~old), (" (90 or older)", old))
    ]


def id_places(name: str, table: pd.DataFrame, original: pd.DataFrame, truth: Truth) -> list[Place]:
    """The patient's ids, and in labs.csv record and accession numbers, in all columns but those kept as given."""
    cells = [table[c].tolist() for c in table.columns if c not in KEPT[name]]
    texts = list(map("|".join, zip(*cells, strict=True)))
    vendors = truth.tables["patients"].set_index("patient_id")["fhir_id"]
    free = free_of(texts, original["patient_id"], original["patient_id"].map(vendors))
    if name != "labs":
        free &= ~table["patient_id"].isin(vendors.index).to_numpy()
    places = [Place.of(f"{name}: patients' ids", free, f"{name}.csv, patients' ids")]
    if name not in ("patients", "contacts"):
        free = free_of(texts, *named(original["patient_id"], truth))
        for column in table.columns:
            if column.endswith("_id"):
                free &= table[column].str.fullmatch(ID).to_numpy(bool)
        where = f"{name}.csv, names and numbers"
        places.append(Place.of(f"{name}: names and numbers", free, where, direct=True))
    if name == "encounters":
        clinicians = [c for c in CLINICIANS if c in table]
        same = [((table[c] == original[c]) | one_text(table[c])).to_numpy(bool) for c in clinicians]
        both = zip(clinicians, same, strict=True)
        places += [Place.of(f"encounters.{c}", s, f"encounters.csv, {c}") for c, s in both]
    if name == "labs":
        others = table["mrn"].isin(set(truth.tables["patients"]["mrn"])) | table["mrn"].isin(vendors.index)
        free = free_of(texts, original["mrn"]) & ~others.to_numpy()
        places.append(Place.of("labs.mrn", free, "labs.csv, mrn", direct=True))
        free = free_of(texts, original["lab_id"]) & ~table["lab_id"].isin(set(original["lab_id"])).to_numpy()
        places.append(Place.of("labs.lab_id", free, "labs.csv, lab_id"))
    return places


def named(patients: pd.Series, truth: Truth) -> list[pd.Series]:
    """For rows of these patients: name, SSN, telephone, e-mail and street of each, to be looked for as they are."""
    people = truth.tables["patients"].set_index("patient_id")
    people = people.assign(name=people["given"] + people["family"])
    # Where there is none, something that stands nowhere.
    return [patients.map(people[c]).replace("", "\x00") for c in ("name", "ssn", "phone", "email", "street")]


def numbers_of(people: pd.DataFrame) -> dict[str, int]:
    """Everybody's SSN, record number, patient ids and e-mail address, as they are written in the tables -> the row."""
    columns = ("email", "fhir_id", "patient_id", "mrn", "ssn")
    return {v: n for c in columns for n, v in enumerate(people[c]) if v not in ("", PLACEHOLDER_SSN)}


def hold_numbers(texts: Iterable[str], numbers: Mapping[str, int]) -> npt.NDArray[np.bool_]:
    """(n,) bool: one of `numbers_of` stands in the text."""
    return np.array([not numbers.keys().isdisjoint(_WORD.findall(text)) for text in texts], bool)


def note_places(release: Release, truth: Truth) -> list[Place]:
    """What must be gone from the notes' fields beside the text; a missing file is clean, and costs elsewhere."""
    rows: Iterable[Mapping[str, Any]] = release.notes or ()
    texts = ["|".join(str(value) for field, value in row.items() if field != "text") for row in rows]
    if not texts:
        return []
    vendors = truth.tables["patients"].set_index("patient_id")["fhir_id"]
    free = free_of(texts, truth.notes["patient_id"], truth.notes["patient_id"].map(vendors))
    places = [Place.of("notes.jsonl: patients' ids", free, "notes.jsonl, patients' ids beside the text", LINE)]
    # The patient's own identifiers are looked for by alignment; these are anybody's, put anywhere.
    numbers = numbers_of(truth.tables["patients"])
    given = hold_numbers(truth.notes["text"], numbers)
    told = hold_numbers((str(row.get("text", "")) for row in rows), numbers) & ~given
    where = "notes.jsonl, numbers of any patient"
    places.append(Place.of("notes.jsonl: numbers of any patient", ~told, where, LINE, direct=True))
    if extra := {field for row in rows for field in row} - set(NOTE_FIELDS):
        where = "notes.jsonl, fields that are not asked for"
        places.append(Place("notes.jsonl (fields that are not asked for)", 0, len(extra), where=where))
    return places


def identifiers(name: str, original: pd.DataFrame, truth: Truth) -> pd.DataFrame:
    """Owner (row number), kind, value and place of every direct identifier in a table."""
    parts = [pd.DataFrame({"owner": [], "kind": [], "value": [], "place": []}, dtype=object)]
    parts += [
        pd.DataFrame({"owner": original.index, "kind": kind, "value": original[column], "place": column})
        for column, kind in IDENTIFIERS[name].items()
    ]
    if name in FREE_TEXT:
        key, field = FREE_TEXT[name]
        stray = truth.stray[(truth.stray["table"] == name) & (truth.stray["kind"] != "DATE")]
        row = pd.Series(original.index, index=original[key])[stray["row_id"]].to_numpy()
        texts = original[field].iloc[row]
        values = [t[a:b] for t, a, b in zip(texts, stray["start"], stray["end"], strict=True)]
        parts.append(pd.DataFrame({"owner": row, "kind": stray["kind"].to_numpy(), "value": values, "place": field}))
    found = pd.concat(parts, ignore_index=True)
    return found[found["value"] != ""].reset_index(drop=True)


def harmless(name: str, original: pd.DataFrame, truth: Truth) -> list[str]:
    """The free text of each row without the identifiers in it: what remains may stay ("1 to 2", beside a Ms. To)."""
    key, field = FREE_TEXT[name]
    texts = dict(zip(original[key], original[field], strict=True))
    stray = truth.stray[(truth.stray["table"] == name) & truth.stray["row_id"].isin(original[key])]
    stray = stray.sort_values("start", ascending=False)
    for row, start, end in zip(stray["row_id"], stray["start"], stray["end"], strict=True):
        texts[row] = texts[row][:start] + " " + texts[row][end:]
    return [texts[row] for row in original[key]]


def surviving_places(name: str, table: pd.DataFrame, original: pd.DataFrame, truth: Truth) -> list[Place]:
    """What must still be there: released columns, and free text that names nobody."""
    places = []
    for column in KEPT[name]:
        if column not in MAY_BE_BLANKED and column not in truth.card["withhold"].get(name, []):
            there = (original[column] != "").to_numpy(bool)
            same = same_text(table[column][there], original[column][there])
            places.append(Place.of(f"{name}.{column}", same, f"{name}.csv, {column}", owners=np.flatnonzero(there)))
    if name in FREE_TEXT:
        key, field = FREE_TEXT[name]
        plain = ~original[key].isin(truth.stray["row_id"]) & (original[field] != "")
        same = same_text(table[field][plain], original[field][plain])
        places.append(Place.of(f"{name}.{field}", same, f"{name}.csv, {field}", owners=np.flatnonzero(plain)))
    return places


def zip_clean(given: pd.Series, small: Iterable[str]) -> pd.Series:
    """(n,) bool: blank, "000", or three digits of an area that is not `small`; "937**" is three digits."""
    digits = given.str.replace(r"\D", "", regex=True)
    return digits.isin(["", "000", "00000"]) | ((digits.str.len() == 3) & ~digits.isin(list(small)))


def born_clean(given: pd.Series, born: pd.Series, truth: Truth) -> pd.Series:
    """(n,) bool: blank, "90+", or a year, which the oldest do not have. A wrong year gives nothing away."""
    given = given.str.strip()
    old = ninety(born, truth.card["as_of"]).to_numpy()
    return given.isin(["", f"{OLDEST}+"]) | (given.str.fullmatch(r"\d{4}") & ~old)


def birth_words(truth: Truth) -> pd.Series:
    """What becomes of each birth date: the year, or "90+"."""
    born = truth.tables["patients"]["birth_date"]
    return born.str[:4].where(~ninety(born, truth.card["as_of"]), f"{OLDEST}+")


def ninety(born: pd.Series, as_of: str) -> pd.Series:
    """(n,) bool: 90 or older on the day `as_of`. Both as ISO texts, which compare like dates."""
    return born <= f"{int(as_of[:4]) - OLDEST}{as_of[4:]}"


def long_form(table: pd.DataFrame) -> pd.DataFrame:
    """One row per cell: owner (index of the row), text."""
    cells = [text for column in table.columns for text in table[column].tolist()]
    return pd.DataFrame({"owner": table.index.tolist() * len(table.columns), "text": pd.Series(cells, dtype=object)})
