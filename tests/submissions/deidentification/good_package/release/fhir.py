"""FHIR R4 resources built from what is allowed; whatever is not named here is not released."""

from . import calendar


def coding(value):
    return {k: value[k] for k in ("system", "version", "code", "display") if value.get(k)}


def concept(value, text=True):
    out = {}
    if codings := [c for c in (coding(v) for v in (value or {}).get("coding", [])) if c]:
        out["coding"] = codings
    if text and (value or {}).get("text"):
        out["text"] = value["text"]
    return out


def concepts(values, text=True):
    return [c for c in (concept(v, text) for v in values or []) if c]


def quantity(value):
    return {k: value[k] for k in ("value", "comparator", "unit", "system", "code") if k in value}


def keep(out, resource, *names):
    for name in names:
        if name in resource:
            out[name] = resource[name]


class Builder:
    """kinds of ids -> codes; patients: vendor id -> person (dict with code, days, birth, zip3, blank, clean)."""

    def __init__(self, codes, people, withhold, encounters, practitioners, organizations):
        self.codes, self.people, self.withhold = codes, people, withhold
        self.encounters, self.practitioners, self.organizations = encounters, practitioners, organizations

    def off(self, table, column):
        return column in self.withhold.get(table, [])

    def id(self, kind, value):
        return self.codes.code(f"fhir {kind}", value, kind[0])

    def person(self, resource):
        reference = (resource.get("subject") or {}).get("reference", "")
        return self.people.get(reference.split("/")[-1])

    def common(self, resource, person):
        out = {"resourceType": resource["resourceType"], "id": self.id(resource["resourceType"], resource["id"])}
        out["subject"] = {"reference": f"Patient/{person['code']}"}
        reference = (resource.get("encounter") or {}).get("reference", "")
        if reference and reference.split("/")[-1] in self.encounters:
            out["encounter"] = {"reference": f"Encounter/{self.id('Encounter', reference.split('/')[-1])}"}
        return out

    def known(self, reference):
        kind, _, name = (reference or "").partition("/")
        return (kind == "Practitioner" and name in self.practitioners) or (
            kind == "Organization" and name in self.organizations
        )

    def patient(self, r):
        person = self.people[r["id"]]
        blank = person["blank"]
        out = {"resourceType": "Patient", "id": person["code"]}
        extensions = []
        for e in r.get("extension", []):
            name = e.get("url", "").rsplit("/", 1)[-1]
            if name == "us-core-race":
                if self.off("patients", "race") or "race" in blank:
                    continue
            elif name == "us-core-ethnicity":
                if self.off("patients", "ethnicity"):
                    continue
            else:
                continue
            parts = []
            for part in e.get("extension", []):
                if part.get("url") in ("ombCategory", "detailed") and "valueCoding" in part:
                    parts.append({"url": part["url"], "valueCoding": coding(part["valueCoding"])})
                elif part.get("url") == "text" and "valueString" in part:
                    parts.append({"url": "text", "valueString": part["valueString"]})
            if parts:
                extensions.append({"url": e["url"], "extension": parts})
        if extensions:
            out["extension"] = extensions
        keep(out, r, "active")
        if "gender" in r and not self.off("patients", "sex"):
            out["gender"] = r["gender"]
        if person["birth"].isdigit() and not self.off("patients", "birth_date") and "birth_date" not in blank:
            out["birthDate"] = person["birth"]
        addresses = []
        for a in r.get("address", [])[:1]:
            new = {}
            if a.get("use") in ("home", "work", "temp", "old", "billing"):
                new["use"] = a["use"]
            if a.get("state") and not self.off("patients", "state"):
                new["state"] = a["state"]
            if person["zip3"] and not self.off("patients", "zip"):
                new["postalCode"] = person["zip3"]
            if a.get("country"):
                new["country"] = a["country"]
            if set(new) - {"use"}:
                addresses.append(new)
        if addresses:
            out["address"] = addresses
        if not self.off("patients", "language") and "language" not in blank:
            spoken = []
            for c in r.get("communication", []):
                if language := concept(c.get("language")):
                    spoken.append({"language": language, **({"preferred": c["preferred"]} if "preferred" in c else {})})
            if spoken:
                out["communication"] = spoken
        site = (r.get("managingOrganization") or {}).get("reference")
        if self.known(site) and not self.off("patients", "site"):
            out["managingOrganization"] = {"reference": site}
        return out

    def encounter(self, r):
        person = self.person(r)
        out = self.common(r, person)
        out.pop("encounter", None)
        keep(out, r, "status")
        shown = not self.off("encounters", "class")
        if "class" in r:
            out["class"] = coding(r["class"]) if shown else {
                "system": "http://terminology.hl7.org/CodeSystem/v3-NullFlavor", "code": "MSK", "display": "masked"}
        if shown and (types := concepts(r.get("type"))):
            out["type"] = types
        if not (self.off("encounters", "provider_given") or self.off("encounters", "provider_family")):
            who = [p["individual"]["reference"] for p in r.get("participant", []) if "individual" in p]
            if who := [w for w in who if self.known(w)]:
                out["participant"] = [{"individual": {"reference": w}} for w in who]
        period = {}
        for name in ("start", "end"):
            if (r.get("period") or {}).get(name) and not self.off("encounters", name):
                if moved := calendar.move(r["period"][name], person["days"]):
                    period[name] = moved
        if period:
            out["period"] = period
        if not self.off("encounters", "reason") and (reasons := concepts(r.get("reasonCode"))):
            for reason in reasons:
                if "text" in reason:
                    reason["text"] = person["clean"](reason["text"])
            out["reasonCode"] = reasons
        site = (r.get("serviceProvider") or {}).get("reference")
        if self.known(site) and not self.off("encounters", "site"):
            out["serviceProvider"] = {"reference": site}
        return out

    def condition(self, r):
        person = self.person(r)
        out = self.common(r, person)
        if "clinicalStatus" in r and not self.off("conditions", "clinical_status"):
            out["clinicalStatus"] = concept(r["clinicalStatus"])
        if "verificationStatus" in r:
            out["verificationStatus"] = concept(r["verificationStatus"])
        if categories := concepts(r.get("category")):
            out["category"] = categories
        if not self.off("conditions", "code"):
            code = concept(r.get("code"))
            if self.off("conditions", "display"):
                code.pop("text", None)
                for c in code.get("coding", []):
                    c.pop("display", None)
            if code:
                out["code"] = code
        if not self.off("conditions", "onset_date"):
            for name in ("onsetDateTime", "abatementDateTime", "recordedDate"):
                if r.get(name) and (moved := calendar.move(r[name], person["days"])):
                    out[name] = moved
        return out

    def observation(self, r):
        person = self.person(r)
        out = self.common(r, person)
        keep(out, r, "status")
        if not self.off("labs", "category") and (categories := concepts(r.get("category"))):
            out["category"] = categories
        code = concept(r.get("code"))
        if self.off("labs", "name"):
            code.pop("text", None)
            for c in code.get("coding", []):
                c.pop("display", None)
        if self.off("labs", "loinc"):
            code.pop("coding", None)
        out["code"] = code or {"text": "withheld"}
        if not self.off("labs", "taken_at"):
            for name in ("effectiveDateTime", "issued"):
                if r.get(name) and (moved := calendar.move(r[name], person["days"])):
                    out[name] = moved
        if not self.off("labs", "value"):
            if "valueQuantity" in r:
                value = quantity(r["valueQuantity"])
                if self.off("labs", "unit"):
                    value.pop("unit", None), value.pop("code", None), value.pop("system", None)
                out["valueQuantity"] = value
            if "valueCodeableConcept" in r:
                out["valueCodeableConcept"] = concept(r["valueCodeableConcept"])
        if not self.off("labs", "interpretation") and (what := concepts(r.get("interpretation"))):
            out["interpretation"] = what
        ranges = []
        for given in r.get("referenceRange", []):
            one = {}
            for name, column in (("low", "ref_low"), ("high", "ref_high")):
                if name in given and not self.off("labs", column):
                    one[name] = quantity(given[name])
            if one:
                ranges.append(one)
        if ranges:
            out["referenceRange"] = ranges
        if not self.off("labs", "comment"):
            notes = [{"text": person["clean"](n["text"])} for n in r.get("note", []) if n.get("text")]
            if notes:
                out["note"] = notes
        return out

    def medicationrequest(self, r):
        person = self.person(r)
        out = self.common(r, person)
        keep(out, r, "status", "intent")
        drug = concept(r.get("medicationCodeableConcept"))
        if self.off("meds", "name"):
            drug.pop("text", None)
            for c in drug.get("coding", []):
                c.pop("display", None)
        if self.off("meds", "rxnorm"):
            drug.pop("coding", None)
        out["medicationCodeableConcept"] = drug or {"text": "withheld"}
        if r.get("authoredOn") and not self.off("meds", "start_date"):
            if moved := calendar.move(r["authoredOn"], person["days"]):
                out["authoredOn"] = moved
        who = (r.get("requester") or {}).get("reference")
        if self.known(who):
            out["requester"] = {"reference": who}
        if not self.off("meds", "sig"):
            sigs = [{"text": person["clean"](d["text"])} for d in r.get("dosageInstruction", []) if d.get("text")]
            if sigs:
                out["dosageInstruction"] = sigs
        return out

    def build(self, r):
        if r["resourceType"] != "Patient" and self.person(r) is None:
            return None
        return getattr(self, r["resourceType"].lower())(r)
