"""FHIR: every resource is built from listed elements, so that one which nobody thought of is not released."""

from deid_policy import OLD, as_day

RELEASED = ["Patient", "Encounter", "Condition", "Observation", "MedicationRequest"]
KEPT = {
    "Patient": ["active", "gender", "communication", "managingOrganization"],
    "Encounter": ["status", "class", "type", "subject", "participant", "period", "reasonCode", "serviceProvider"],
    "Condition": ["clinicalStatus", "verificationStatus", "category", "code", "subject", "encounter", "onsetDateTime",
                  "abatementDateTime", "recordedDate", "note"],
    "Observation": ["status", "category", "code", "subject", "encounter", "effectiveDateTime", "issued",
                    "valueQuantity", "valueCodeableConcept", "valueString", "dataAbsentReason", "interpretation",
                    "note", "referenceRange", "component"],
    "MedicationRequest": ["status", "intent", "medicationCodeableConcept", "subject", "encounter", "authoredOn",
                          "requester", "reasonCode", "note", "dosageInstruction", "dispenseRequest"],
}
# Inside the listed elements: never copied.
DROPPED_INSIDE = {"identifier", "extension", "id", "contained", "meta", "div"}
STAFF = ("Practitioner", "Organization")
# Elements that hold what people typed. The texts of codes are the terminology's.
TYPED = {"note", "dosageInstruction", "valueString"}
DEMOGRAPHIC = {"us-core-race": "race", "us-core-ethnicity": "ethnicity"}
# R4 wants a contact to have a name, an address or the like (pat-1); this says that there is one, and no more.
MASKED = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}]}


class FhirCleaner:
    def __init__(self, directory, policy, scrubber, blank):
        self.directory, self.policy, self.scrubber, self.blank = directory, policy, scrubber, blank

    def resource(self, given):
        kind = given["resourceType"]
        is_patient = kind == "Patient"
        patient_id = self.directory.of_vendor[given["id"] if is_patient else vendor_id(given["subject"])]
        code = self.policy.patient_code(patient_id) if is_patient else self.policy.id_code(kind, given["id"])
        out = {"resourceType": kind, "id": code}
        for name in KEPT[kind]:
            if name in given and not (name == "reasonCode" and "reason" in self.policy.withheld("encounters")):
                out[name] = self.value(given[name], patient_id, name in TYPED)
        if is_patient:
            self.add_person(out, given, patient_id)
        return out

    def add_person(self, out, given, patient_id):
        """What is left of a Patient beyond plain copies."""
        hidden = {*self.policy.withheld("patients"), *self.blank[patient_id]}
        if "language" in hidden:
            out.pop("communication", None)
        named = [(DEMOGRAPHIC.get(e["url"].rsplit("/", 1)[-1]), e) for e in given.get("extension", [])]
        if extensions := [e for column, e in named if column and column not in hidden]:
            out["extension"] = extensions
        year = self.policy.birth_year(given.get("birthDate", ""))
        if year and year != OLD and "birth_date" not in hidden:
            out["birthDate"] = year
        out["address"] = [self.address(address, hidden) for address in given.get("address", [])]
        if "relationship" not in self.policy.withheld("contacts"):
            out["contact"] = [
                {"relationship": contact["relationship"], "name": MASKED}
                for contact in given.get("contact", []) if "relationship" in contact
            ]
        for name in ("address", "contact"):
            if not out.get(name):
                out.pop(name, None)  # an empty list is no valid FHIR

    def address(self, given, hidden):
        out = {k: given[k] for k in ("use", "state", "country") if k in given and k not in hidden}
        zip3 = self.policy.zip3(given.get("postalCode", ""))
        if zip3 != "000" and "zip" not in hidden:
            out["postalCode"] = zip3
        return out

    def value(self, given, patient_id, typed):
        """A copy of an element: references by code, dates moved, typed text cleaned."""
        if isinstance(given, list):
            return [self.value(part, patient_id, typed) for part in given]
        if isinstance(given, dict):
            out = {
                k: self.value(v, patient_id, typed or k in TYPED)
                for k, v in given.items() if k not in DROPPED_INSIDE and k not in ("reference", "display")
            }
            if "reference" in given:
                out["reference"] = self.reference(given["reference"])
            # Beside a reference to a patient, `display` is the patient's name.
            if "display" in given and given.get("reference", "Practitioner/").startswith(STAFF):
                out["display"] = given["display"]
            return out
        if isinstance(given, str):
            if typed:
                return self.scrubber.scrub(given, patient_id)
            return self.policy.date(given, patient_id) if as_day(given) else given
        return given

    def reference(self, given):
        kind, _, its_id = given.partition("/")
        if kind in STAFF:
            return given
        if kind == "Patient":
            return f"{kind}/{self.policy.patient_code(self.directory.of_vendor[its_id])}"
        return f"{kind}/{self.policy.id_code(kind, its_id)}"


def vendor_id(reference):
    return reference["reference"].split("/")[-1]
