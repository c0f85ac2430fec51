"""De-identified tables beside the originals: which places are clean and which cells survived."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pandas as pd

from graders.harness.reading import Unreadable, read_ndjson, read_table
from graders.measures.leakage import IdentifierScan
from graders.measures.places import Place, date_clean, date_follows, free_of, one_shift, one_text, one_to_one, same_text
from synthetic_data.scene import Files

if TYPE_CHECKING:
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
    "labs": ["category", "loinc", "name", "value", "unit", "ref_low", "ref_high", "interpretation"],
    "meds": ["rxnorm", "name"],
}
DATES = {"encounters": ["start", "end"], "conditions": ["onset_date"], "labs": ["taken_at"], "meds": ["start_date"]}
FHIR_TYPES = ("Patient", "Encounter", "Condition", "Observation", "MedicationRequest", "Organization", "Practitioner")
RELEASED_FILES = {
    *(f"{name}.csv" for name in KEPT),
    "notes.jsonl",
    *(f"fhir/{kind}.ndjson" for kind in (*FHIR_TYPES, "DocumentReference", "RelatedPerson")),
}
FREE_TEXT = {"labs": ("lab_id", "comment"), "meds": ("med_id", "sig")}
OLDEST = 90


def judge(files: Files, truth: Truth) -> tuple[list[Place], list[Place], list[str]]:
    """(places that must be clean, places that must survive, faults) of one play's tables."""
    must_go: list[Place] = []
    must_stay: list[Place] = []
    faults: list[str] = []
    pseudonyms: pd.Series | None = None
    moved: list[tuple[pd.Series, pd.Series, pd.Series]] = []
    for name, original in truth.tables.items():
        try:
            table = read_table(files, f"{name}.csv", max_rows=2 * len(original))
            if len(table) != len(original):
                raise Unreadable(f"{name}.csv has {len(table)} rows for {len(original)}")
        except Unreadable as error:
            faults.append(str(error))
            table = pd.DataFrame(index=original.index)
        extra = [c for c in table.columns if c not in original.columns]
        if extra:
            must_go.append(Place(f"{name}.csv (columns that are not asked for)", 0, len(extra)))
        # A column that is not there is clean, and has not survived.
        table = table.reindex(columns=[*original.columns, *extra], fill_value="")
        moved += [(table[c], original[c], original["patient_id"]) for c in DATES.get(name, [])]
        must_go += clean_places(name, table, original, truth)
        must_stay += surviving_places(name, table, original, truth)
        if name == "patients":
            pseudonyms = pd.Series(table["patient_id"].to_numpy(), index=original["patient_id"])
        must_stay.append(linked(name, table, original, pseudonyms))
    must_go += note_places(files, truth)
    if truth.card["dates"]["rule"] == "shift":
        good, total = one_shift(*map(list, zip(*moved, strict=True)))
        must_stay.append(Place("dates (one shift per patient)", good, total))
    if others := [name for name in files if name not in RELEASED_FILES]:
        must_go.append(Place("files that are not asked for", 0, len(others), direct=True))
    return must_go, must_stay, faults


def betrayed(files: Files, truth: Truth) -> int:
    """How many patients have their id, record number or SSN in a file that is not asked for: a crosswalk, a copy."""
    text = b"\n".join(data for name, data in sorted(files.items()) if name not in RELEASED_FILES)
    if not text:
        return 0
    words = set(re.findall(r"[^\s,;:|\"'{}\[\]]+", text.decode("utf-8", "replace")))
    people = truth.tables["patients"]
    return int((people["patient_id"].isin(words) | people["mrn"].isin(words) | people["ssn"].isin(words)).sum())


def clean_places(name: str, table: pd.DataFrame, original: pd.DataFrame, truth: Truth) -> list[Place]:
    """What must be gone: identifiers, stray ones in free text, true dates, birth dates, withheld columns."""
    wanted = identifiers(name, original, truth)
    withheld = truth.card["withhold"].get(name, [])
    kept = long_form(original, [c for c in KEPT[name] if c not in withheld])
    if name == "patients":
        # A house number that equals the year of birth is no street left.
        kept = pd.concat([kept, pd.DataFrame({"owner": original.index, "text": birth_words(truth)})])
    if name in FREE_TEXT:
        kept = pd.concat([kept, pd.DataFrame({"owner": range(len(original)), "text": harmless(name, original, truth)})])
    # Most rows of the large tables hold no identifier but the patient's id; only the others are searched for more.
    held = wanted["owner"].unique()
    searched = long_form(table.loc[held], table.columns).assign(owner=list(held) * len(table.columns))
    found = wanted.assign(leaked=IdentifierScan(wanted, kept).scan(searched).leaked)
    places = []
    if name != "patients":
        cells = zip(*(table[c] for c in table.columns.difference(KEPT[name])), strict=True)
        free = free_of(original["patient_id"], map("|".join, cells))
        places.append(Place(f"{name}.patient_id", int(free.sum()), len(free)))
    for column, rows in found.groupby("place", sort=False):
        direct = name in ("patients", "contacts") and column in DIRECT
        gone = ~rows["leaked"].to_numpy(bool)
        if column in IDENTIFIERS[name] and column != "patient_id":
            # Somebody else's number, or a code for it, in place of one's own is still an identifier.
            gone &= one_text(table[column]).to_numpy()[rows["owner"].to_numpy(int)]
        places.append(Place(f"{name}.{column}", int(gone.sum()), len(rows), direct))
    for column in DATES.get(name, []):
        clean = date_clean(table[column], original[column])
        places.append(Place(f"{name}.{column} (true dates)", int(clean.sum()), len(clean)))
    if name == "patients":
        clean = (table["birth_date"].str.strip() == "") | (table["birth_date"].str.strip() == birth_words(truth))
        places.append(Place("patients.birth_date", int(clean.sum()), len(clean), direct=True))
    for column in withheld:
        clean = (table[column].str.strip() != original[column]) | (original[column] == "")
        places.append(Place(f"{name}.{column} (withheld)", int(clean.sum()), len(clean)))
    return places


def note_places(files: Files, truth: Truth) -> list[Place]:
    """What must be gone from the notes' fields beside the text; a missing file is clean, and costs elsewhere."""
    try:
        rows = read_ndjson(files, "notes.jsonl", max_rows=2 * len(truth.notes), max_line=200_000)
    except Unreadable:
        return []
    if len(rows) != len(truth.notes):
        return []
    ids = ("|".join(str(row.get(name, "")) for name in ("note_id", "patient_id", "encounter_id")) for row in rows)
    free = free_of(truth.notes["patient_id"], ids)
    clean = date_clean(pd.Series([str(row.get("written_at", "")) for row in rows]), truth.notes["written_at"])
    extra = {name for row in rows for name in row} - set(truth.notes.columns)
    return [
        Place("notes.patient_id", int(free.sum()), len(free)),
        Place("notes.written_at (true dates)", int(clean.sum()), len(clean)),
        Place("notes.jsonl (fields that are not asked for)", 0, len(extra)),
    ]


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
    stray = truth.stray[truth.stray["table"] == name].sort_values("start", ascending=False)
    for row, start, end in zip(stray["row_id"], stray["start"], stray["end"], strict=True):
        texts[row] = texts[row][:start] + " " + texts[row][end:]
    return [texts[row] for row in original[key]]


def surviving_places(name: str, table: pd.DataFrame, original: pd.DataFrame, truth: Truth) -> list[Place]:
    """What must still be there: released columns, dates as the card's rule makes them, free text that names nobody."""
    places = []
    for column in KEPT[name]:
        if column not in truth.card["withhold"].get(name, []):
            same = same_text(table[column], original[column])
            places.append(Place(f"{name}.{column}", int(same.sum()), len(same)))
    rule, most = truth.card["dates"]["rule"], truth.card["dates"]["max_days"]
    for column in DATES.get(name, []):
        right = date_follows(table[column], original[column], rule, most)
        places.append(Place(f"{name}.{column} (rule: {rule})", int(right.sum()), len(right)))
    if name == "patients":
        right = table["birth_date"].str.strip() == birth_words(truth)
        places.append(Place("patients.birth_date (year or 90+)", int(right.sum()), len(right)))
    if name in FREE_TEXT:
        key, field = FREE_TEXT[name]
        plain = ~original[key].isin(truth.stray["row_id"]) & (original[field] != "")
        same = same_text(table[field][plain], original[field][plain])
        places.append(Place(f"{name}.{field}", int(same.sum()), len(same)))
    return places


def linked(name: str, table: pd.DataFrame, original: pd.DataFrame, pseudonyms: pd.Series | None) -> Place:
    """One code per patient, the same in every table."""
    right = one_to_one(table["patient_id"], original["patient_id"])
    if name != "patients" and pseudonyms is not None:
        right &= table["patient_id"].to_numpy() == pseudonyms[original["patient_id"]].to_numpy()
    return Place(f"{name}.patient_id (one code per patient)", int(right.sum()), len(right))


def birth_words(truth: Truth) -> pd.Series:
    """What becomes of each birth date: the year, or "90+"."""
    born = truth.tables["patients"]["birth_date"]
    return born.str[:4].where(~ninety(born, truth.card["as_of"]), "90+")


def ninety(born: pd.Series, as_of: str) -> pd.Series:
    """(n,) bool: 90 or older on the day `as_of`. Both as ISO texts, which compare like dates."""
    return born <= f"{int(as_of[:4]) - OLDEST}{as_of[4:]}"


def long_form(table: pd.DataFrame, columns: Any) -> pd.DataFrame:
    """One row per cell: owner (row number), text."""
    if not len(columns):
        return pd.DataFrame({"owner": [], "text": []})
    parts = [pd.DataFrame({"owner": range(len(table)), "text": table[c].to_numpy()}) for c in columns]
    return pd.concat(parts, ignore_index=True)
