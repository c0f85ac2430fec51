"""FHIR R4 resources as NDJSON, in the layout of a Bulk Data export."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from synthetic_data.formats import fhir_people as people
from synthetic_data.formats.fhir_people import concept, reference
from synthetic_data.network import SITES, Site

if TYPE_CHECKING:
    import pandas as pd

    from synthetic_data.dataset import Dataset

Resource = dict[str, Any]
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
LOINC, RXNORM, ICD10CM = (
    "http://loinc.org",
    "http://www.nlm.nih.gov/research/umls/rxnorm",
    "http://hl7.org/fhir/sid/icd-10-cm",
)
UCUM = "http://unitsofmeasure.org"
DOCUMENT_CATEGORY = "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category"
CLASS_NAMES = {"AMB": "ambulatory", "EMER": "emergency", "IMP": "inpatient encounter"}
INTERPRETATIONS = {"L": "Low", "N": "Normal", "H": "High"}
# FHIR's vital signs profile asks for the general code beside the method's own.
ALSO_CODED = {"59408-5": ("2708-6", "Oxygen saturation in Arterial blood")}
NOTE_TYPES = {
    "progress": ("11506-3", "Progress note"),
    "discharge-summary": ("18842-5", "Discharge summary"),
    "emergency": ("34111-5", "Emergency department Note"),
    "nursing": ("34746-8", "Nurse Note"),
    "attachment": ("57133-1", "Referral note"),
}
# Charts end with 2025, so an export the day after holds all of them; a clock would change the bytes.
EXPORTED_AT = "2026-01-01T00:00:00Z"
BY_PATIENT = (
    "Patient",
    "RelatedPerson",
    "Encounter",
    "Condition",
    "Observation",
    "MedicationRequest",
    "DocumentReference",
)
TYPES = ("Organization", "Practitioner", *BY_PATIENT)


def fhir(dataset: Dataset, sites: tuple[Site, ...] = SITES, exported_at: str = EXPORTED_AT) -> dict[str, bytes]:
    """Patient.ndjson and so on, and manifest.json. Subjects of references are always among the resources."""
    files = {**network_files(practitioners(dataset), sites), **patient_files(dataset, sites)}
    counts = {name: files[f"{name}.ndjson"].count(b"\n") for name in TYPES}
    return {**files, "manifest.json": manifest(counts, exported_at)}


def practitioners(dataset: Dataset) -> set[tuple[str, str, str]]:
    """(site, given, family) of everybody who has seen a patient."""
    columns = dataset.encounters[["site", "provider_given", "provider_family"]].drop_duplicates()
    return set(columns.itertuples(index=False, name=None))


def network_files(staff: Iterable[tuple[str, str, str]], sites: tuple[Site, ...] = SITES) -> dict[str, bytes]:
    """Organization.ndjson and Practitioner.ndjson: what patients' resources refer to."""
    return {
        "Organization.ndjson": _ndjson(people.organization(site) for site in sites),
        "Practitioner.ndjson": _ndjson(
            people.practitioner(practitioner_id(*person), *person[1:]) for person in sorted(staff)
        ),
    }


def patient_files(dataset: Dataset, sites: tuple[Site, ...] = SITES) -> dict[str, bytes]:
    """The resources of patients, one file a type; files of two blocks of patients can be put end to end."""
    chart = _Chart(dataset, sites)
    return {f"{name}.ndjson": _ndjson(_MAKERS[name](chart)) for name in BY_PATIENT}


def manifest(counts: dict[str, int], exported_at: str = EXPORTED_AT) -> bytes:
    """The Bulk Data status response that lists the files and how many resources each has."""
    import orjson

    output = [{"type": name, "url": f"{name}.ndjson", "count": counts[name]} for name in TYPES]
    body = {
        "transactionTime": exported_at,
        "request": "https://fhir.example.org/r4/$export",
        "requiresAccessToken": False,
        "output": output,
        "error": [],
    }
    return orjson.dumps(body, option=orjson.OPT_INDENT_2) + b"\n"


def practitioner_id(site: str, given: str, family: str) -> str:
    """The same person has the same id in every block, and two people never share one."""
    digest = hashlib.sha256("\0".join((site, given, family)).encode()).hexdigest()
    return f"practitioner-{site}-{digest[:12]}"


class _Chart:
    """A data set and what several of its resources need: names for display, and when and by whom encounters were."""

    def __init__(self, dataset: Dataset, sites: tuple[Site, ...]) -> None:
        self.dataset = dataset
        offsets = {site.code: site.utc_offset for site in sites}
        patients, encounters = dataset.patients, dataset.encounters
        shown = (f"{g} {f}" for g, f in zip(patients["given"], patients["family"], strict=True))
        self.subjects = {
            key: reference("Patient", key, name) for key, name in zip(patients["patient_id"], shown, strict=True)
        }
        # Results are many, and a reference without a name is the usual one.
        self.plain_subjects = {key: reference("Patient", key) for key in patients["patient_id"]}
        self.encounters = {key: reference("Encounter", key) for key in encounters["encounter_id"]}
        self.offset = {p: offsets[s] for p, s in zip(patients["patient_id"], patients["site"], strict=True)}
        self.mrn = dict(zip(patients["patient_id"], patients["mrn"], strict=True))
        columns = zip(
            encounters["encounter_id"],
            encounters["site"],
            encounters["provider_given"],
            encounters["provider_family"],
            strict=True,
        )
        self.seen_by = {
            key: reference("Practitioner", practitioner_id(site, given, family), f"Dr. {given} {family}")
            for key, site, given, family in columns
        }


def _patients(chart: _Chart) -> Iterator[Resource]:
    contacts: dict[str, list[Resource]] = {}
    for row in _rows(chart.dataset.contacts):
        contacts.setdefault(row["patient_id"], []).append(people.contact(row))
    return (people.patient(row, contacts.get(row["patient_id"], [])) for row in _rows(chart.dataset.patients))


def _related_persons(chart: _Chart) -> Iterator[Resource]:
    return (people.related_person(row, chart.subjects[row["patient_id"]]) for row in _rows(chart.dataset.contacts))


def _encounters(chart: _Chart) -> Iterator[Resource]:
    for row in _rows(chart.dataset.encounters):
        key, patient, kind = row["encounter_id"], row["patient_id"], row["class"]
        offset = chart.offset[patient]
        yield {
            "resourceType": "Encounter",
            "id": key,
            # Visit numbers made of the record number are common, and a place where it is easily overlooked.
            "identifier": [{"system": people.SYSTEM + "/visit", "value": f"{chart.mrn[patient]}-{key[-1]}"}],
            "status": "finished",
            "class": {"system": f"{TERMINOLOGY}/v3-ActCode", "code": kind, "display": CLASS_NAMES[kind]},
            "type": [{"text": CLASS_NAMES[kind]}],
            "subject": chart.subjects[patient],
            "participant": [{"individual": chart.seen_by[key]}],
            "period": {"start": row["start"] + offset, "end": row["end"] + offset},
            "reasonCode": [{"text": row["reason"]}],
            "serviceProvider": reference("Organization", people.organization_id(row["site"])),
        }


def _conditions(chart: _Chart) -> Iterator[Resource]:
    status = {code: concept(f"{TERMINOLOGY}/condition-clinical", code, code.title()) for code in ("active", "resolved")}
    confirmed = concept(f"{TERMINOLOGY}/condition-ver-status", "confirmed", "Confirmed")
    categories = {
        "active": [concept(f"{TERMINOLOGY}/condition-category", "problem-list-item", "Problem List Item")],
        "resolved": [concept(f"{TERMINOLOGY}/condition-category", "encounter-diagnosis", "Encounter Diagnosis")],
    }
    for row in _rows(chart.dataset.conditions):
        yield {
            "resourceType": "Condition",
            "id": row["condition_id"],
            "clinicalStatus": status[row["clinical_status"]],
            "verificationStatus": confirmed,
            "category": categories[row["clinical_status"]],
            "code": concept(ICD10CM, row["code"], row["display"]),
            "subject": chart.subjects[row["patient_id"]],
            "encounter": chart.encounters[row["encounter_id"]],
            "onsetDateTime": row["onset_date"],
        }


def _observations(chart: _Chart) -> Iterator[Resource]:
    category = {
        code: [concept(f"{TERMINOLOGY}/observation-category", code, name)]
        for code, name in (("laboratory", "Laboratory"), ("vital-signs", "Vital Signs"))
    }
    interpretation = {
        code: [concept(f"{TERMINOLOGY}/v3-ObservationInterpretation", code, name)]
        for code, name in INTERPRETATIONS.items()
    }
    # There are a few dozen kinds of results: their codes and ranges are built once and shared.
    codes: dict[str, Resource] = {}
    ranges: dict[tuple[str, str, str], list[Resource]] = {}
    labs = chart.dataset.labs
    columns = zip(*(labs[name].tolist() for name in _OBSERVED), strict=True)
    for key, patient, encounter, taken, kind, loinc, name, value, unit, low, high, flag, comment in columns:
        if loinc not in codes:
            codes[loinc] = _observed(loinc, name)
        resource = {
            "resourceType": "Observation",
            "id": key,
            "status": "final",
            "category": category[kind],
            "code": codes[loinc],
            "subject": chart.plain_subjects[patient],
            "encounter": chart.encounters[encounter],
            "effectiveDateTime": taken + chart.offset[patient],
            "valueQuantity": {"value": _number(value), "unit": unit, "system": UCUM, "code": unit},
        }
        if flag:
            resource["interpretation"] = interpretation[flag]
            # NaN is not equal to itself, so the key is the text of the bounds.
            bounds = (unit, str(low), str(high))
            if bounds not in ranges:
                ranges[bounds] = [_range(low, high, unit)]
            resource["referenceRange"] = ranges[bounds]
        if comment:
            resource["note"] = [{"text": comment}]
        yield resource


_OBSERVED: tuple[str, ...] = (
    "lab_id",
    "patient_id",
    "encounter_id",
    "taken_at",
    "category",
    "loinc",
    "name",
    "value",
    "unit",
)
_OBSERVED += ("ref_low", "ref_high", "interpretation", "comment")


def _observed(loinc: str, name: str) -> Resource:
    code = concept(LOINC, loinc, name)
    if loinc in ALSO_CODED:
        also, also_name = ALSO_CODED[loinc]
        code["coding"].append({"system": LOINC, "code": also, "display": also_name})
    return code


def _range(low: float, high: float, unit: str) -> Resource:
    bounds = {"low": low, "high": high}
    return {
        name: {"value": _number(bound), "unit": unit, "system": UCUM, "code": unit}
        for name, bound in bounds.items()
        if bound == bound  # NaN: no bound on this side
    }


def _number(value: float) -> float | int:
    """130 rather than 130.0: FHIR keeps the precision of what is written."""
    return int(value) if value == int(value) else value


def _medication_requests(chart: _Chart) -> Iterator[Resource]:
    for row in _rows(chart.dataset.meds):
        yield {
            "resourceType": "MedicationRequest",
            "id": row["med_id"],
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": concept(RXNORM, row["rxnorm"], row["name"]),
            "subject": chart.subjects[row["patient_id"]],
            "encounter": chart.encounters[row["encounter_id"]],
            "authoredOn": row["start_date"],
            "requester": chart.seen_by[row["encounter_id"]],
            "dosageInstruction": [{"text": row["sig"]}],
        }


def _documents(chart: _Chart) -> Iterator[Resource]:
    # Notes and attachments of a patient stand together, so that blocks of patients can be put end to end.
    by_patient: dict[str, list[Resource]] = {key: [] for key in chart.dataset.patients["patient_id"]}
    for row in _rows(chart.dataset.notes):
        content = {"contentType": "text/plain; charset=utf-8", "data": _base64(row["text"])}
        when = row["written_at"] + chart.offset[row["patient_id"]]
        document = _document(chart, row, row["note_id"], row["kind"], content)
        by_patient[row["patient_id"]].append({**document, "date": when, "author": [{"display": row["author"]}]})
    for row in _rows(chart.dataset.attachments):
        content = {"contentType": row["content_type"], "data": _base64(row["content"]), "title": row["file_name"]}
        by_patient[row["patient_id"]].append(_document(chart, row, row["attachment_id"], "attachment", content))
    return (document for documents in by_patient.values() for document in documents)


def _document(chart: _Chart, row: Resource, key: str, kind: str, attachment: Resource) -> Resource:
    return {
        "resourceType": "DocumentReference",
        "id": key,
        "status": "current",
        "type": concept(LOINC, *NOTE_TYPES[kind]),
        "category": [concept(DOCUMENT_CATEGORY, "clinical-note", "Clinical Note")],
        "subject": chart.subjects[row["patient_id"]],
        "content": [{"attachment": attachment}],
        "context": {"encounter": [chart.encounters[row["encounter_id"]]]},
    }


_MAKERS: dict[str, Callable[[_Chart], Iterator[Resource]]] = {
    "Patient": _patients,
    "RelatedPerson": _related_persons,
    "Encounter": _encounters,
    "Condition": _conditions,
    "Observation": _observations,
    "MedicationRequest": _medication_requests,
    "DocumentReference": _documents,
}


def _rows(frame: pd.DataFrame) -> Iterator[Resource]:
    names = list(frame.columns)
    columns = (frame[name].tolist() for name in names)
    return (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))


def _ndjson(resources: Iterable[Resource]) -> bytes:
    import orjson

    return b"".join(orjson.dumps(resource, option=orjson.OPT_APPEND_NEWLINE) for resource in resources)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
