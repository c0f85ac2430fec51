"""De-identified FHIR resources beside the charts they state: which places are clean and what survived."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from graders.harness.reading import uncollected
from graders.measures.evidence import LINE
from graders.measures.leakage import IdentifierScan
from graders.measures.places import Place, free_of, same_text
from graders.measures.release import as_line, as_text
from graders.measures.release_tables import (
    FREE_TEXT,
    IDENTIFIERS,
    born_clean,
    by_age,
    harmless,
    hold_numbers,
    named,
    numbers_of,
    zip_clean,
)
from synthetic_data.formats.fhir_people import ETHNICITIES, LANGUAGES, RACES, RELATIONSHIPS

if TYPE_CHECKING:
    from graders.measures.release import Release
    from synthetic_data.recipes.deidentification import Truth

Resource = dict[str, Any]
Flags = npt.NDArray[np.bool_]
_NUMBER = re.compile(r"-?\d[\d.eE+-]*")

# type -> (table, key, {path: column}): content that must survive, by where R4 puts it.
KEPT: dict[str, tuple[str, str, dict[str, str]]] = {
    "Patient": ("patients", "patient_id", {"gender": "sex"}),
    "Encounter": ("encounters", "encounter_id", {"class.code": "class"}),
    "Condition": (
        "conditions",
        "condition_id",
        {"code.coding.0.code": "code", "clinicalStatus.coding.0.code": "clinical_status"},
    ),
    "Observation": (
        "labs",
        "lab_id",
        {"code.coding.0.code": "loinc", "valueQuantity.value": "value", "valueQuantity.unit": "unit"},
    ),
    "MedicationRequest": ("meds", "med_id", {"medicationCodeableConcept.coding.0.code": "rxnorm"}),
}
DATES = {
    "Encounter": {"period.start": "start", "period.end": "end"},
    "Condition": {"onsetDateTime": "onset_date"},
    "Observation": {"effectiveDateTime": "taken_at"},
    "MedicationRequest": {"authoredOn": "start_date"},
}
# Columns of the patients table that stand in a type's resources, with the kind of identifier.
IN_PATIENT = {c: kind for c, kind in IDENTIFIERS["patients"].items() if c not in ("county", "employer")}
IN_PATIENT |= {"fhir_id": "MRN"}
NAMED = {"given": "NAME", "family": "NAME"}
STATED: dict[str, dict[str, str]] = {
    "Patient": IN_PATIENT,
    "Encounter": {**NAMED, "mrn": "MRN"},
    "Condition": NAMED,
    "Observation": {},
    "MedicationRequest": NAMED,
}
DIRECT = {"mrn", "ssn", "given", "family", "phone", "email", "street", "contacts' names", "contacts' phones"}
# Columns that rightly stay and whose words may also be somebody's name: "Graves disease", a clinician of the same name.
MAY_STAY = (
    "display",
    "reason",
    "name",
    "race",
    "ethnicity",
    "language",
    "born",
    "provider_given",
    "provider_family",
    "harmless",
)
# Blanking single cells of this is judged with the register.
MAY_BE_BLANKED = {"sex"}


@uncollected()
def judge(release: Release, truth: Truth) -> tuple[list[Place], list[Place], list[str]]:
    """(places that must be clean, places that must survive, faults) of one play's FHIR files."""
    must_go: list[Place] = []
    must_stay: list[Place] = []
    for kind, (table, key, _) in KEPT.items():
        rows = truth.tables[table].set_index(key, drop=False).loc[truth.fhir[kind]].reset_index(drop=True)
        must_go += clean_places(kind, release, rows, truth)
        must_stay += surviving_places(kind, release, rows, truth)
    return must_go, must_stay, []


def clean_places(kind: str, release: Release, rows: pd.DataFrame, truth: Truth) -> list[Place]:
    """What must be gone from one type's resources."""
    resources, lines = release.fhir[kind], release.lines[kind]
    wanted = identifiers(kind, rows, truth)
    # Most results hold no identifier but the patient's id; only the other resources are searched for more.
    held = wanted["owner"].unique().tolist()
    cells = {n: leaves(lines[n]) for n in held}
    scan = IdentifierScan(wanted, truth.small_zip3, may_stay(kind, rows.iloc[held], truth))
    found = wanted.assign(leaked=scan.scan(by_owner(cells)).leaked)
    places = id_places(kind, lines, rows, truth)
    file = f"fhir/{kind}.ndjson"
    for place, part in found.groupby("place", sort=False):
        gone, owners = ~part["leaked"].to_numpy(bool), part["owner"].to_numpy(int)
        where = f"{file}, {place}"
        if place == "zip":
            clean = postal_codes_clean(resources, truth)[owners]
            small = rows["zip"].str[:3].isin(truth.small_zip3).to_numpy(bool)[owners]
            what = "Patient: zip (small areas)"
            places.append(Place.of(what, clean[small], f"{where} of small areas", LINE, owners[small]))
            gone = (gone & clean) | small
        places.append(Place.of(f"{kind}: {place}", gone, where, LINE, owners, direct=place in DIRECT))
    if kind == "Patient":
        clean = born_clean(release.told(kind, "birthDate"), rows["birth_date"], truth)
        stated = born_in_words(resources, rows)
        clean = (clean & ~stated).to_numpy(bool)
        places += by_age("Patient.birthDate", clean, rows["birth_date"], truth, f"{file}, birthDate", LINE)
    for name, told in withheld(kind, resources, cells, rows, truth):
        places.append(Place.of(name, ~told, f"{file}, {name.removeprefix(kind).lstrip('.: ')}", LINE))
    return places


def id_places(kind: str, lines: Sequence[bytes], rows: pd.DataFrame, truth: Truth) -> list[Place]:
    """The hospital's and the vendor's ids of the patient, and a result's accession number, anywhere in a resource."""
    vendors = truth.tables["patients"].set_index("patient_id")["fhir_id"]
    ids = [rows["patient_id"], rows["patient_id"].map(vendors)]
    free = free_of(lines, *ids)
    file = f"fhir/{kind}.ndjson"
    places = [Place.of(f"{kind}: patients' ids", free, f"{file}, patients' ids", LINE)]
    if kind == "Patient":
        told = hold_numbers((line.decode("utf-8", "replace") for line in lines), numbers_of(truth.tables["patients"]))
        what = "numbers of any patient"
        places.append(Place.of(f"Patient: {what}", ~told, f"{file}, {what}", LINE, direct=True))
    else:
        free = free_of(lines, *named(rows["patient_id"], truth))
        what = "names and numbers"
        places.append(Place.of(f"{kind}: {what}", free, f"{file}, {what}", LINE, direct=True))
    if kind == "Observation":
        free = free_of(lines, rows["lab_id"])
        what = "accession numbers"
        places.append(Place.of(f"Observation: {what}", free, f"{file}, {what}", LINE))
    return places


def may_stay(kind: str, rows: pd.DataFrame, truth: Truth) -> pd.DataFrame:
    """Owner (index of the row) and text of what rightly stands in the resources.

    From the chart, never from the output: a submission must not excuse a name by writing it into a code.
    """
    stated, table = rows, KEPT[kind][0]
    if "encounter_id" in rows and "provider_given" not in rows:
        clinicians = truth.tables["encounters"].set_index("encounter_id")[["provider_given", "provider_family"]]
        stated = rows.join(clinicians, on="encounter_id")
    if table in FREE_TEXT:
        stated = stated.assign(harmless=harmless(table, rows, truth))
    if kind == "Patient":
        stated = stated.assign(
            language=rows["language"] + " " + rows["language"].map(LANGUAGES).fillna(""),
            race=rows["race"] + " " + rows["race"].map(RACES).fillna(""),
            ethnicity=rows["ethnicity"] + " " + rows["ethnicity"].map(ETHNICITIES).fillna(""),
            born=rows["birth_date"].str[:4],
        )
    not_kept = truth.card["withhold"].get(table, [])
    parts = [pd.DataFrame({"owner": [], "text": []}, dtype=object)]
    parts += [
        pd.DataFrame({"owner": rows.index, "text": stated[column].to_numpy(object)})
        for column in MAY_STAY
        if column in stated and column not in not_kept
    ]
    return pd.concat(parts)


def postal_codes_clean(resources: Sequence[Resource], truth: Truth) -> Flags:
    """(resources,) bool: every Address.postalCode is blank, "000" or three digits of an area that is not small."""
    codes = [
        (n, as_text(address.get("postalCode")))
        for n, resource in enumerate(resources)
        for address in listed(resource.get("address"))
    ]
    clean = np.ones(len(resources), bool)
    if codes:
        owners, given = zip(*codes, strict=True)
        clean[np.array(owners)[~zip_clean(pd.Series(given, dtype="str"), truth.small_zip3).to_numpy(bool)]] = False
    return clean


def born_in_words(resources: Sequence[Resource], rows: pd.DataFrame) -> Flags:
    """(resources,) bool: the birth date stands somewhere, save in the id: a random code may look like a date."""
    cells = {n: leaves(as_line({k: v for k, v in r.items() if k != "id"})) for n, r in enumerate(resources)}
    born = pd.DataFrame({"owner": range(len(rows)), "kind": "DATE", "value": rows["birth_date"].to_numpy()})
    return IdentifierScan(born).scan(by_owner(cells)).leaked


def withheld(
    kind: str, resources: Sequence[Resource], cells: Mapping[int, list[str]], rows: pd.DataFrame, truth: Truth
) -> Iterator[tuple[str, Flags]]:
    """(name of the place, (resources,) bool: it still tells) for what the card withholds and this type states.

    cells: the texts of each resource.
    """
    card = truth.card["withhold"]
    if kind == "Patient" and "state" in card.get("patients", []):
        told = [
            state != ""
            and re.search(rf"\b{re.escape(state)}\b", "|".join(leaves(as_line(r.get("address"))))) is not None
            for r, state in zip(resources, rows["state"], strict=True)
        ]
        yield "Patient.address.state (withheld)", np.array(told, bool)
    words: list[set[str]] = []
    if kind == "Patient" and "ethnicity" in card.get("patients", []):
        words = [{e.casefold(), ETHNICITIES.get(e, e).casefold()} for e in rows["ethnicity"]]
        yield "Patient: us-core-ethnicity (withheld)", says_any(cells, words)
    if kind == "Patient" and "relationship" in card.get("contacts", []):
        contacts = truth.tables["contacts"].groupby("patient_id")["relationship"].agg(list)
        kin = [contacts.get(p, []) for p in rows["patient_id"]]
        words = [{w.casefold() for r in each for w in (r, *RELATIONSHIPS.get(r, ()))} for each in kin]
        yield "Patient.contact.relationship (withheld)", says_any(cells, words)
    if kind == "Encounter" and "reason" in card.get("encounters", []):
        words = [{reason.casefold()} for reason in rows["reason"]]
        yield "Encounter.reasonCode (withheld)", says_any(cells, words)


def says_any(cells: Mapping[int, list[str]], words: Sequence[set[str]]) -> Flags:
    """(resources,) bool: one of its own words is a text of the resource, in any case."""
    told = [not (mine - {""}).isdisjoint(t.strip().casefold() for t in cells[n]) for n, mine in enumerate(words)]
    return np.array(told, bool)


def identifiers(kind: str, rows: pd.DataFrame, truth: Truth) -> pd.DataFrame:
    """Owner (position of the resource), kind, value and place of the identifiers a type's resources hold."""
    patients = truth.tables["patients"].set_index("patient_id", drop=False)
    of_patient = patients.loc[rows["patient_id"]]
    parts = [pd.DataFrame({"owner": [], "kind": [], "value": [], "place": []}, dtype=object)]
    parts += [
        pd.DataFrame({"owner": range(len(rows)), "kind": code, "value": of_patient[column].to_numpy(), "place": column})
        for column, code in STATED[kind].items()
    ]
    if kind == "Patient":
        position = pd.Series(range(len(rows)), index=rows["patient_id"])
        contacts = truth.tables["contacts"]
        owners = position[contacts["patient_id"]].to_numpy()
        for column, code, place in (
            ("given", "NAME", "contacts' names"),
            ("family", "NAME", "contacts' names"),
            ("phone", "PHONE", "contacts' phones"),
        ):
            parts.append(pd.DataFrame({"owner": owners, "kind": code, "value": contacts[column], "place": place}))
    table, key, _ = KEPT[kind]
    if table in FREE_TEXT:
        field = FREE_TEXT[table][1]
        stray = truth.stray[(truth.stray["table"] == table) & (truth.stray["kind"] != "DATE")]
        owner = pd.Series(range(len(rows)), index=rows[key])[stray["row_id"]].to_numpy()
        notes = rows[field].iloc[owner]
        values = [t[a:b] for t, a, b in zip(notes, stray["start"], stray["end"], strict=True)]
        parts.append(
            pd.DataFrame({"owner": owner, "kind": stray["kind"].to_numpy(), "value": values, "place": "free text"})
        )
    found = pd.concat(parts, ignore_index=True)
    return found[found["value"] != ""].reset_index(drop=True)


def surviving_places(kind: str, release: Release, rows: pd.DataFrame, truth: Truth) -> list[Place]:
    """Codes, values and units."""
    places = []
    for path, column in KEPT[kind][2].items():
        if column not in MAY_BE_BLANKED and column not in truth.card["withhold"].get(KEPT[kind][0], []):
            same = same_text(release.told(kind, path), rows[column])
            places.append(Place.of(f"{kind}.{path}", same, f"fhir/{kind}.ndjson, {path}", LINE))
    return places


def listed(value: Any) -> list[Resource]:
    """The objects of a list; a submission may put anything anywhere."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def leaves(line: bytes) -> list[str]:
    """Every text and number in a line of JSON, and every key: a submission may put anything anywhere."""
    if b"\\" in line:
        return list(_walk(json.loads(line)))
    # Without escapes, every second stretch between quotes is a text.
    parts = line.decode().split('"')
    return parts[1::2] + _NUMBER.findall(" ".join(parts[::2]))


def _walk(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += item.values()
            yield from item
        elif isinstance(item, list):
            waiting += item
        else:
            yield as_text(item)


def by_owner(cells: Mapping[int, list[str]]) -> pd.DataFrame:
    """One row per text: owner, text."""
    owners = [owner for owner, texts in cells.items() for _ in texts]
    return pd.DataFrame({"owner": owners, "text": pd.Series([t for ts in cells.values() for t in ts], dtype=object)})
