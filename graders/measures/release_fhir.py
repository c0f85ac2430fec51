"""De-identified FHIR resources beside the charts they state: which places are clean and what survived."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from graders.harness.reading import Unreadable, read_ndjson
from graders.measures.leakage import IdentifierScan
from graders.measures.places import Place, date_clean, date_follows, free_of, one_to_one, same_text
from graders.measures.release_tables import FREE_TEXT, IDENTIFIERS, harmless, ninety
from synthetic_data.formats.fhir_people import ETHNICITIES, LANGUAGES, RACES
from synthetic_data.scene import Files

if TYPE_CHECKING:
    from synthetic_data.recipes.deidentification import Truth

Resource = dict[str, Any]

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
WITHHELD_TYPES = ("DocumentReference", "RelatedPerson")


def judge(files: Files, truth: Truth) -> tuple[list[Place], list[Place], list[str]]:
    """(places that must be clean, places that must survive, faults) of one play's FHIR files."""
    must_go: list[Place] = []
    must_stay: list[Place] = []
    faults: list[str] = []
    ids: pd.Series | None = None
    for kind, (table, key, _) in KEPT.items():
        rows = truth.tables[table].set_index(key).loc[truth.fhir[kind]].reset_index()
        resources = read(files, kind, len(rows), faults)
        must_go += clean_places(kind, resources, rows, truth)
        must_stay += surviving_places(kind, resources, rows, truth)
        given = texts(resources, "id" if kind == "Patient" else "subject.reference")
        if kind == "Patient":
            ids = pd.Series("Patient/" + given.to_numpy(), index=rows["patient_id"])
            right = one_to_one(given, rows["patient_id"])
        else:
            assert ids is not None  # noqa: S101 - Patient comes first
            right = (given.to_numpy() == ids[rows["patient_id"]].to_numpy()) & (given != "")
        must_stay.append(Place(f"{kind} references", int(right.sum()), len(right)))
    for kind in WITHHELD_TYPES:
        if f"fhir/{kind}.ndjson" in files:
            must_go.append(Place(f"fhir/{kind}.ndjson (not released)", 0, 1, direct=True))
    return must_go, must_stay, faults


def read(files: Files, kind: str, count: int, faults: list[str]) -> list[Resource]:
    """The resources of one type, `count` of them; empty ones where the file cannot be used."""
    name = f"fhir/{kind}.ndjson"
    try:
        resources = read_ndjson(files, name, max_rows=2 * count, max_line=200_000)
        if len(resources) != count:
            raise Unreadable(f"{name} has {len(resources)} resources for {count}")
        if any(resource.get("resourceType") != kind for resource in resources):
            raise Unreadable(f"{name} holds resources that are no {kind}")
    except Unreadable as error:
        faults.append(str(error))
        return [{} for _ in range(count)]
    return resources


def clean_places(kind: str, resources: list[Resource], rows: pd.DataFrame, truth: Truth) -> list[Place]:
    """What must be gone from one type's resources."""
    table = KEPT[kind][0]
    wanted = identifiers(kind, rows, truth)
    texts_of = [list(leaves(resource)) for resource in resources]
    # Most results hold no identifier but the patient's id; only the other resources are searched for more.
    searched = pd.DataFrame([(n, t) for n in wanted["owner"].unique() for t in texts_of[n]], columns=["owner", "text"])
    # From the chart, never from the output: a submission must not excuse a name by writing it into a code.
    stated = rows
    if "encounter_id" in rows and "provider_given" not in rows:
        clinicians = truth.tables["encounters"].set_index("encounter_id")[["provider_given", "provider_family"]]
        stated = rows.join(clinicians, on="encounter_id")
    if table in FREE_TEXT:
        stated = stated.assign(harmless=harmless(table, rows, truth))
    if kind == "Patient":
        stated = stated.assign(
            language=rows["language"].map(LANGUAGES).fillna(""),
            race=rows["race"] + " " + rows["race"].map(RACES).fillna(""),
            ethnicity=rows["ethnicity"] + " " + rows["ethnicity"].map(ETHNICITIES).fillna(""),
            born=rows["birth_date"].str[:4],
        )
    withheld = truth.card["withhold"]["patients"]
    kept = pd.concat(
        [pd.DataFrame({"owner": [], "text": []}, dtype=object)]
        + [
            pd.DataFrame({"owner": range(len(rows)), "text": stated[column].to_numpy()})
            for column in MAY_STAY
            if column in stated and column not in withheld
        ]
    )
    found = wanted.assign(leaked=IdentifierScan(wanted, kept).scan(searched).leaked)
    places = [
        Place(f"{kind}: {place}", int((~part["leaked"]).sum()), len(part), direct=place in DIRECT)
        for place, part in found.groupby("place", sort=False)
    ]
    if kind != "Patient":
        free = free_of(rows["patient_id"], ["|".join(found) for found in texts_of])
        places.append(Place(f"{kind}: patient_id", int(free.sum()), len(free)))
    for path, column in DATES.get(kind, {}).items():
        clean = date_clean(texts(resources, path), rows[column])
        places.append(Place(f"{kind}.{path} (true dates)", int(clean.sum()), len(clean)))
    if kind == "Patient":
        given, year = texts(resources, "birthDate"), rows["birth_date"].str[:4]
        old = ninety(rows["birth_date"], truth.card["as_of"])
        clean = (given == "") | ((given == year) & ~old)
        places.append(Place("Patient.birthDate", int(clean.sum()), len(clean), direct=True))
    return places


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


def surviving_places(kind: str, resources: list[Resource], rows: pd.DataFrame, truth: Truth) -> list[Place]:
    """Codes, values, units and dates by the card's rule."""
    places = []
    for path, column in KEPT[kind][2].items():
        same = same_text(texts(resources, path), rows[column])
        places.append(Place(f"{kind}.{path}", int(same.sum()), len(same)))
    rule, most = truth.card["dates"]["rule"], truth.card["dates"]["max_days"]
    for path, column in DATES.get(kind, {}).items():
        right = date_follows(texts(resources, path), rows[column], rule, most)
        places.append(Place(f"{kind}.{path} (rule: {rule})", int(right.sum()), len(right)))
    return places


def texts(resources: list[Resource], path: str) -> pd.Series:
    """The value at a dotted path of every resource as text, "" where there is none."""
    steps = [int(s) if s.isdigit() else s for s in path.split(".")]
    return pd.Series([as_text(at(resource, steps)) for resource in resources], dtype="str")


def at(value: Any, steps: list[Any]) -> Any:
    """Follow a path; None where it ends early."""
    for step in steps:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and len(value) > step else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def as_text(value: Any) -> str:
    """A leaf as text; anything else is no leaf."""
    return str(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""


def leaves(value: Any) -> Iterator[str]:
    """Every text and number in a resource, and every key: a submission may put anything anywhere."""
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
