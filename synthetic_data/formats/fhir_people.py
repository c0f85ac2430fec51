"""FHIR resources of people and organisations."""

from __future__ import annotations

from html import escape
from typing import Any

from synthetic_data.network import Site

Resource = dict[str, Any]

SYSTEM = "https://fhir.example.org/id"
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition"
RACE_SYSTEM = "urn:oid:2.16.840.1.113883.6.238"
V2_0203 = "http://terminology.hl7.org/CodeSystem/v2-0203"
ROLES = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"

# OMB categories of US Core; a race outside them is given as text alone.
RACES = {
    "White": "2106-3",
    "Black": "2054-5",
    "Asian": "2028-9",
    "American Indian or Alaska Native": "1002-5",
    "Pacific Islander": "2076-8",
}
RACE_NAMES = {
    "Black": "Black or African American",
    "Pacific Islander": "Native Hawaiian or Other Pacific Islander",
}
ETHNICITIES = {"Hispanic or Latino": "2135-2", "Not Hispanic or Latino": "2186-5"}
LANGUAGES = {"en": "English", "es": "Spanish", "vi": "Vietnamese", "zh": "Chinese", "ar": "Arabic", "hi": "Hindi"}
RELATIONSHIPS = {
    "spouse": ("SPS", "spouse"),
    "parent": ("PRN", "parent"),
    "child": ("CHILD", "child"),
    "sibling": ("SIB", "sibling"),
    "neighbor": ("NBOR", "neighbor"),
    "friend": ("FRND", "unrelated friend"),
}


def concept(system: str, code: str, display: str) -> Resource:
    """A CodeableConcept of one code."""
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


def reference(kind: str, key: str, display: str = "") -> Resource:
    """A relative reference, with the name that many systems put beside it."""
    return {"reference": f"{kind}/{key}", "display": display} if display else {"reference": f"{kind}/{key}"}


def organization_id(site: str) -> str:
    """The id of a site's Organization."""
    return f"organization-{site}"


def organization(site: Site) -> Resource:
    """A hospital of the network."""
    return {
        "resourceType": "Organization",
        "id": organization_id(site.code),
        "identifier": [{"system": SYSTEM + "/site", "value": site.code}],
        "active": True,
        "name": site.name,
        "telecom": [{"system": "phone", "value": f"{site.area_codes[0]}-555-0100", "use": "work"}],
        "address": [{"use": "work", "city": site.city, "state": site.state, "country": "US"}],
    }


def practitioner(key: str, given: str, family: str) -> Resource:
    """A clinician."""
    return {
        "resourceType": "Practitioner",
        "id": key,
        "identifier": [{"system": SYSTEM + "/staff", "value": key.rsplit("-", 1)[1]}],
        "name": [{"family": family, "given": [given], "prefix": ["Dr."]}],
    }


def patient(row: Resource, contacts: list[Resource]) -> Resource:
    """A patient, from a row of the patients table and the contacts made by `contact`."""
    given = [row["given"], row["middle"]] if row["middle"] else [row["given"]]
    name = {"use": "official", "family": row["family"], "given": given}
    mrn, ssn, plan = row["mrn"], row["ssn"], row["health_plan_id"]
    resource = {
        "resourceType": "Patient",
        "id": row["patient_id"],
        "text": {"status": "generated", "div": _narrative(row)},
        "extension": [_race(row["race"]), _ethnicity(row["ethnicity"])],
        "identifier": [
            _identifier("MR", "Medical record number", f"{SYSTEM}/mrn/{row['site']}", mrn),
            _identifier("SS", "Social Security number", "http://hl7.org/fhir/sid/us-ssn", ssn),
            _identifier("MB", "Member Number", SYSTEM + "/health-plan", plan),
        ],
        "active": True,
        "name": [name],
        "telecom": _telecom(row),
        "gender": row["sex"],
        "birthDate": row["birth_date"],
        "address": [
            {
                "use": "home",
                "text": f"{row['street']}, {row['city']}, {row['state']} {row['zip']}",
                "line": [row["street"]],
                "city": row["city"],
                "district": row["county"],
                "state": row["state"],
                "postalCode": row["zip"],
                "country": "US",
            }
        ],
        "communication": [{"language": concept("urn:ietf:bcp:47", row["language"], LANGUAGES[row["language"]])}],
        "managingOrganization": reference("Organization", organization_id(row["site"])),
    }
    if contacts:
        resource["contact"] = contacts
    return resource


def contact(row: Resource) -> Resource:
    """A Patient.contact from a row of the contacts table."""
    return {
        "relationship": [concept(ROLES, *RELATIONSHIPS[row["relationship"]])],
        "name": {"family": row["family"], "given": [row["given"]]},
        "telecom": _telecom(row),
    }


def related_person(row: Resource, subject: Resource) -> Resource:
    """The same contact as a resource of its own."""
    return {
        "resourceType": "RelatedPerson",
        "id": row["contact_id"],
        "active": True,
        "patient": subject,
        "relationship": [concept(ROLES, *RELATIONSHIPS[row["relationship"]])],
        "name": [{"family": row["family"], "given": [row["given"]]}],
        "telecom": _telecom(row),
    }


def _narrative(row: Resource) -> str:
    born, name = row["birth_date"], escape(f"{row['given']} {row['family']}")
    return (
        f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{name}, born {born}, MRN {escape(row["mrn"])}</p>'
        f"<p>{escape(row['street'])}, {escape(row['city'])}; {row['phone']}</p></div>"
    )


def _identifier(code: str, display: str, system: str, value: str) -> Resource:
    return {"type": {"coding": [{"system": V2_0203, "code": code}], "text": display}, "system": system, "value": value}


def _telecom(row: Resource) -> list[Resource]:
    return [
        {"system": "phone", "value": row["phone"], "use": "home"},
        {"system": "email", "value": row["email"]},
    ]


def _race(race: str) -> Resource:
    name = RACE_NAMES.get(race, race)
    parts: list[Resource] = [{"url": "text", "valueString": name}]
    if race in RACES:
        parts.insert(0, _category(RACES[race], name))
    return {"url": f"{US_CORE}/us-core-race", "extension": parts}


def _ethnicity(ethnicity: str) -> Resource:
    parts = [_category(ETHNICITIES[ethnicity], ethnicity), {"url": "text", "valueString": ethnicity}]
    return {"url": f"{US_CORE}/us-core-ethnicity", "extension": parts}


def _category(code: str, display: str) -> Resource:
    return {"url": "ombCategory", "valueCoding": {"system": RACE_SYSTEM, "code": code, "display": display}}
