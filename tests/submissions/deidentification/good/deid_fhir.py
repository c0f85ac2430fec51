"""FHIR: only listed elements are copied, so an element nobody thought of is not released."""

import re

from deid_policy import OLD_AGE

RELEASED = ["Patient", "Encounter", "Condition", "Observation", "MedicationRequest"]

KEPT = {
    "Patient": {"active", "gender", "communication", "managingOrganization", "maritalStatus", "deceasedBoolean",
                "deceasedDateTime"},
    "Encounter": {"status", "class", "type", "subject", "participant", "period", "reasonCode", "serviceProvider",
                  "priority", "serviceType", "length", "hospitalization"},
    "Condition": {"clinicalStatus", "verificationStatus", "category", "severity", "code", "bodySite", "subject",
                  "encounter", "onsetDateTime", "onsetPeriod", "abatementDateTime", "abatementPeriod", "recordedDate",
                  "note"},
    "Observation": {"status", "category", "code", "subject", "encounter", "effectiveDateTime", "effectivePeriod",
                    "issued", "value*", "dataAbsentReason", "interpretation", "note", "bodySite", "method",
                    "referenceRange", "component", "performer"},
    "MedicationRequest": {"status", "intent", "category", "priority", "medicationCodeableConcept", "subject",
                          "encounter", "authoredOn", "requester", "reasonCode", "note", "dosageInstruction",
                          "dispenseRequest", "substitution"},
}
# What a column of a table is called in FHIR, for withheld columns.
SAME_AS = {
    ("patients", "sex"): ("Patient", ["gender"]),
    ("patients", "language"): ("Patient", ["communication"]),
    ("patients", "site"): ("Patient", ["managingOrganization"]),
    ("encounters", "site"): ("Encounter", ["serviceProvider"]),
    ("encounters", "class"): ("Encounter", ["class", "type"]),
    ("encounters", "reason"): ("Encounter", ["reasonCode"]),
    ("encounters", "provider_given"): ("Encounter", ["participant"]),
    ("encounters", "provider_family"): ("Encounter", ["participant"]),
    ("conditions", "clinical_status"): ("Condition", ["clinicalStatus"]),
    ("conditions", "onset_date"): ("Condition", ["onsetDateTime"]),
    ("labs", "category"): ("Observation", ["category"]),
    ("labs", "interpretation"): ("Observation", ["interpretation"]),
    ("labs", "comment"): ("Observation", ["note"]),
    ("meds", "sig"): ("MedicationRequest", ["dosageInstruction"]),
    ("meds", "start_date"): ("MedicationRequest", ["authoredOn"]),
}
DEMOGRAPHIC = {"us-core-race": "race", "us-core-ethnicity": "ethnicity"}
DATE = re.compile(r"\d{4}-\d\d(-\d\d)?(T[\d:.]+(Z|[+-]\d\d:\d\d)?)?")
FREE_TEXT = {"note.text", "dosageInstruction.text", "valueString", "patientInstruction"}
DROPPED_INSIDE = {"identifier", "extension", "id", "contained", "meta"}


def clean_resource(resource, policy, scrubber):
    kind = resource["resourceType"]
    patient_id = resource["id"] if kind == "Patient" else resource["subject"]["reference"].split("/")[-1]
    withheld = {name for (table, column), (its_kind, names) in SAME_AS.items() for name in names
                if its_kind == kind and column in policy.withheld(table)}
    out = {"resourceType": kind}
    out["id"] = policy.patient_code(patient_id) if kind == "Patient" else policy.id_code(resource["id"])
    for name, value in resource.items():
        listed = name in KEPT[kind] or ("value*" in KEPT[kind] and name.startswith("value"))
        if listed and name not in withheld:
            out[name] = clean_value(value, patient_id, policy, scrubber, name)
    if kind == "Patient":
        out.update(clean_person(resource, policy))
    return out


def clean_person(patient, policy):
    """What is left of a Patient beyond plain copies."""
    out = {}
    withheld = policy.withheld("patients")
    extensions = [e for e in patient.get("extension", [])
                  if DEMOGRAPHIC.get(e["url"].rsplit("/", 1)[-1], "race") not in withheld
                  and e["url"].rsplit("/", 1)[-1] in DEMOGRAPHIC]
    if extensions:
        out["extension"] = extensions
    year = policy.birth_year(patient.get("birthDate", ""))
    if year and year != f"{OLD_AGE}+" and "birth_date" not in withheld:
        out["birthDate"] = year
    places = [{k: a[k] for k in ("use", "state", "country") if k in a and not (k == "state" and k in withheld)}
              for a in patient.get("address", [])]
    if places:
        out["address"] = places
    if "relationship" not in policy.withheld("contacts"):
        contacts = [{"relationship": c["relationship"]} for c in patient.get("contact", []) if "relationship" in c]
        if contacts:
            out["contact"] = contacts
    return out


def clean_value(value, patient_id, policy, scrubber, name):
    if isinstance(value, list):
        return [clean_value(part, patient_id, policy, scrubber, name) for part in value]
    if isinstance(value, dict):
        reference = value.get("reference", "")
        about_patient = reference.startswith(("Patient/", "RelatedPerson/"))
        return {k: clean_value(v, patient_id, policy, scrubber, f"{name}.{k}" if k == "text" else k)
                for k, v in value.items()
                if k not in DROPPED_INSIDE and k != "div" and not (k == "display" and about_patient)}
    if not isinstance(value, str):
        return value
    if name == "reference":
        kind, _, its_id = value.partition("/")
        if kind in ("Organization", "Practitioner", "PractitionerRole", "Location"):
            return value
        return f"{kind}/{policy.patient_code(its_id) if kind == 'Patient' else policy.id_code(its_id)}"
    if DATE.fullmatch(value):
        return policy.date(value, patient_id)
    if name in FREE_TEXT:
        return scrubber.scrub(value, patient_id)
    return value
