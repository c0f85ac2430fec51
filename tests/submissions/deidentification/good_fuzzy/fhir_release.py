"""FHIR R4: every resource is built anew from what may stay; references carry no display."""

RELEASED = ["Patient", "Encounter", "Condition", "Observation", "MedicationRequest"]
# Elements that leave as they came.
AS_THEY_ARE = {
    "Patient": ["active", "gender", "managingOrganization"],
    "Encounter": ["status", "class", "type", "serviceProvider"],
    "Condition": ["clinicalStatus", "verificationStatus", "category", "code"],
    "Observation": ["status", "category", "code", "valueQuantity", "interpretation", "referenceRange"],
    "MedicationRequest": ["status", "intent", "medicationCodeableConcept"],
}
DATES = {"Condition": "onsetDateTime", "Observation": "effectiveDateTime", "MedicationRequest": "authoredOn"}


def vendor_map(resources, by_number, patients):
    """The vendor's Patient.id -> patient_id, by record number and site, or by social security number."""
    alone = patients[~patients["ssn"].duplicated(keep=False)]
    by_ssn = dict(zip(alone["ssn"], alone["patient_id"]))
    owners = {}
    for resource in resources:
        for identifier in resource.get("identifier", []):
            system, value = identifier.get("system", ""), identifier.get("value", "")
            found = by_number.get((system.rsplit("/", 1)[-1], value)) if "/mrn/" in system else None
            found = found or (by_ssn.get(value) if system.endswith("us-ssn") else None)
            if found:
                owners[resource["id"]] = found
                break
        else:
            owners[resource["id"]] = "vendor " + resource["id"]
    return owners


def release(resource, owners, card, keyed, text, blank):
    """One resource as it goes out."""
    kind = resource["resourceType"]
    vendor = resource["id"] if kind == "Patient" else resource["subject"]["reference"].split("/")[1]
    pid = owners[vendor]
    out = {"resourceType": kind, "id": keyed.person(pid)}
    if kind != "Patient":
        out["id"] = own_id(resource["id"], vendor, pid, keyed)
    out |= {name: bare(resource[name]) for name in AS_THEY_ARE[kind] if name in resource}
    if kind == "Patient":
        return out | person(resource, pid, text, card, blank)
    out["subject"] = {"reference": "Patient/" + keyed.person(pid)}
    if "encounter" in resource:
        visit = resource["encounter"]["reference"].split("/")[1]
        out["encounter"] = {"reference": "Encounter/" + own_id(visit, vendor, pid, keyed)}
    if kind in DATES and DATES[kind] in resource:
        out[DATES[kind]] = keyed.moved(pid, resource[DATES[kind]])
    if kind == "Encounter":
        out["period"] = {end: keyed.moved(pid, day) for end, day in resource.get("period", {}).items()}
        out["participant"] = [
            {"individual": bare(part["individual"])}
            for part in resource.get("participant", [])
            if "individual" in part
        ]
        if "reasonCode" in resource and "reason" not in card["withhold"].get("encounters", []):
            out["reasonCode"] = resource["reasonCode"]
    if kind == "MedicationRequest" and "requester" in resource:
        out["requester"] = bare(resource["requester"])
    if "note" in resource:
        out["note"] = [{"text": text.clean(pid, note["text"])} for note in resource["note"] if note.get("text")]
    if "dosageInstruction" in resource:
        lines = [line["text"] for line in resource["dosageInstruction"] if line.get("text")]
        out["dosageInstruction"] = [{"text": text.clean(pid, line)} for line in lines]
    return {name: value for name, value in out.items() if value not in ({}, [], "")}


def own_id(vendor_id, vendor, pid, keyed):
    """A code for a resource: the vendor's id is made of the patient's SSN and birthday."""
    return keyed.code("resource", pid + vendor_id.removeprefix(vendor))


def bare(value):
    """A copy; a reference without its display and identifier."""
    if isinstance(value, dict) and "reference" in value:
        return {"reference": value["reference"]}
    return value


def person(resource, pid, text, card, blank):
    """The rest of a Patient: what the patients table says too, by the same rules."""
    withheld, cell = card["withhold"].get("patients", []), blank.get(pid)
    row, out = text.known.rows[pid] if pid in text.known.rows else None, {}
    stays = {"us-core-race": cell != "race", "us-core-ethnicity": "ethnicity" not in withheld}
    told = [e for e in resource.get("extension", []) if stays.get(e.get("url", "").rsplit("/", 1)[-1], False)]
    if told:
        out["extension"] = told
    if row is not None and row["year"] != "90+" and cell != "birth_date":
        out["birthDate"] = row["year"]
    address = {"use": "home", "country": "US"}
    if "state" not in withheld and (
        state := next((a["state"] for a in resource.get("address", []) if a.get("state")), "")
    ):
        address["state"] = state
    if row is not None and row["area"] != "000" and cell != "zip":
        address["postalCode"] = row["area"]
    out["address"] = [address]
    if "communication" in resource and cell != "language":
        out["communication"] = resource["communication"]
    return out
