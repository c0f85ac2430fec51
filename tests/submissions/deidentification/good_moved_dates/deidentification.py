"""Makes the research copy of the charts: tables, FHIR, notes and letters, by the policy card."""

import hashlib
import hmac
import json
import multiprocessing
import re
import tomllib
from datetime import date, datetime, timedelta

import pandas as pd

from notes import Cleaner, Corpus, Person
from register import safe_cells

TABLES = ["patients", "contacts", "encounters", "conditions", "labs", "meds"]
IDENTIFIERS = {
    "patients": ["mrn", "ssn", "health_plan_id", "given", "middle", "family", "street", "city", "county", "phone", "email", "employer"],
    "contacts": ["given", "family", "phone", "email"],
}
IDS = {"contacts": "contact_id", "encounters": "encounter_id", "conditions": "condition_id", "labs": "lab_id", "meds": "med_id"}
DATES = {"encounters": ["start", "end"], "conditions": ["onset_date"], "labs": ["taken_at"], "meds": ["start_date"]}
TEXTS = {"labs": "comment", "meds": "sig"}
CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"


class Codes:
    """Keyed codes: HMAC with the release's key, so nobody without the key can reverse or link them."""

    def __init__(self, key):
        self.key = bytes.fromhex(key)

    def __call__(self, kind, value):
        return hmac.new(self.key, f"{kind}|{value}".encode(), hashlib.sha256).hexdigest()[:20] if value else ""

    def number(self, kind, value):
        return int.from_bytes(hmac.new(self.key, f"{kind}|{value}".encode(), hashlib.sha256).digest()[:8], "big")


def read(path):
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")


def read_lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()] if path.exists() else []


def write_text(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def write_lines(path, items):
    write_text(path, "".join(json.dumps(i, ensure_ascii=False) + "\n" for i in items))


def parse_day(text):
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def move(text, days):
    """A date or a date with a time, moved; the time stays as it stands. A part of a date loses all but the year."""
    day = parse_day(text)
    if day is None:
        return text[:4] if re.match(r"\d{4}(-\d\d)?$", text) else ""
    return (day + timedelta(days=days)).isoformat() + text[10:]


def same_person(patients):
    """patient_id -> the patient_id that stands for the person: two sites may each have a chart of one person.

    Same social security number (a real one, not a filler that many share) and same birth date or name; or same full
    name, birth date and sex where the numbers do not contradict it."""
    p = patients.copy()
    p["name"] = (p["given"] + "|" + p["family"]).str.lower()
    digits = p["ssn"].str.replace(r"\D", "", regex=True)
    filler = (digits.str.len() != 9) | digits.map(digits.value_counts()).gt(3) | digits.str.match(r"(\d)\1{8}$|000|123456789|\d{3}00|\d{5}0000")
    p["number"] = digits.mask(filler, "")
    head = {pid: pid for pid in p["patient_id"]}

    def top(x):
        while head[x] != x:
            x = head[x]
        return x

    def join(rows, fits):
        for a, b in zip(rows[:-1], rows[1:]):
            if fits(a, b):
                head[top(b["patient_id"])] = top(a["patient_id"])

    for columns, fits in [
        (["number", "birth_date"], lambda a, b: bool(a["number"]) and a["sex"] == b["sex"]),
        (["number", "name"], lambda a, b: bool(a["number"]) and a["sex"] == b["sex"]),
        (["name", "birth_date", "sex"], lambda a, b: not (a["number"] and b["number"]) and (a["middle"] == b["middle"] or a["email"] == b["email"])),
    ]:
        doubles = p[p.duplicated(columns, keep=False) & p["birth_date"].ne("")]
        for _, rows in doubles.groupby(columns):
            join(rows.to_dict("records"), fits)
    return {pid: top(pid) for pid in head}


def shifts(tables, card, codes, person):
    """patient_id -> the number of days by which all dates of the person move."""
    rule = card["dates"]["rule"]
    true = pd.concat([t[["patient_id", c]].set_axis(["patient_id", "day"], axis=1) for name, cs in DATES.items() for t in [tables[name]] for c in cs])
    true["day"] = true["day"].str[:10]
    true["patient_id"] = true["patient_id"].map(person)
    starts = tables["encounters"].assign(patient_id=tables["encounters"]["patient_id"].map(person))
    days = true[true["day"] != ""].groupby("patient_id")["day"].agg(set).to_dict()
    first = starts.query("start != ''").groupby("patient_id")["start"].min().to_dict()
    most = max(1, int(card["dates"].get("max_days", 1)))
    anchor = date.fromisoformat(str(card["dates"]["anchor"])) if rule == "relative" else None
    out = {}
    for pid in set(person.values()):
        own = {d for d in map(parse_day, days.get(pid, ())) if d}
        if rule == "relative":
            start = parse_day(first[pid]) if pid in first else min(own, default=anchor)
            out[pid] = (anchor - start).days
            continue
        for attempt in range(40):  # a moved date should not fall on another true date of the same patient
            n = codes.number(f"shift{attempt}", pid) % (2 * most) - most
            n += n >= 0
            if not any(d + timedelta(days=n) in own for d in own):
                break
        out[pid] = n
    return {pid: out[head] for pid, head in person.items()}


def is_90(birth, as_of):
    return birth is not None and (as_of.year - birth.year - ((as_of.month, as_of.day) < (birth.month, birth.day))) >= 90


def deidentify(in_dir, out_dir, key):
    card = tomllib.loads((in_dir / "card.toml").read_text(encoding="utf-8"))
    as_of = date.fromisoformat(str(card["as_of"]))
    withhold = {(t, c) for t, cs in card.get("withhold", {}).items() for c in cs}
    codes = Codes(key)
    tables = {name: read(in_dir / f"{name}.csv") for name in TABLES}
    patients, contacts = tables["patients"], tables["contacts"]
    pid_of = dict(zip(zip(patients["site"], patients["mrn"]), patients["patient_id"]))
    tables["labs"]["patient_id"] = pd.Series(list(zip(tables["labs"]["site"], tables["labs"]["mrn"])), dtype=object).map(pid_of).fillna("")
    vendor = vendor_patients(in_dir, pid_of)
    person = same_person(patients)
    shift = shifts(tables, card, codes, person)
    code = lambda pid: codes("patient", person.get(pid, pid))

    # demography
    zips = read(in_dir / "zip_population.csv")
    area = zips["population"].astype(int).groupby(zips["zip"].str[:3]).sum()
    large = set(area[area > 20000].index)
    births = patients["birth_date"].map(parse_day)
    demo = pd.DataFrame({
        "patient_id": patients["patient_id"], "sex": patients["sex"], "race": patients["race"], "language": patients["language"],
        "zip": patients["zip"].str[:3].where(patients["zip"].str[:3].isin(large), "000"),
        "birth_date": patients["birth_date"].str[:4].mask(births.map(lambda b: is_90(b, as_of)), "90+"),
    })
    for column in ["sex", "race", "language", "zip", "birth_date"]:
        if ("patients", column) in withhold:
            demo[column] = ""
    demo = safe_cells(demo, zips, patients, as_of)
    heads = demo["patient_id"].map(person)
    for column in ["race", "language", "birth_date"]:  # what is blank in one chart of a person is blank in all
        demo[column] = demo[column].where(demo[column].ne("").groupby(heads).transform("all"), "")
    by_pid = demo.set_index("patient_id").to_dict("index")

    # people and notes
    notes = read_lines(in_dir / "notes.jsonl")
    around = {pid: rows.to_dict("records") for pid, rows in contacts.groupby("patient_id")}
    charts, people = {}, {}
    for row in patients.to_dict("records"):
        charts.setdefault(person[row["patient_id"]], []).append(row)
    for rows in charts.values():
        others = [c for r in rows for c in around.get(r["patient_id"], [])]
        for row in rows:
            pid, year = row["patient_id"], by_pid[row["patient_id"]]["birth_date"]
            people[pid] = Person(row, [r for r in rows if r is not row] + others, shift[pid], year if year.isdigit() else "")
    enc = tables["encounters"]
    clinicians = set(enc["provider_given"]) | set(enc["provider_family"])
    hospitals = {o.get("name", "") for o in read_lines(in_dir / "fhir" / "Organization.ndjson")} - {""}
    places = (set(patients["city"]) | set(patients["county"])) - {""}
    corpus = Corpus([(n["patient_id"], n["text"]) for n in notes], {p: x.parts for p, x in people.items()}, card, places,
                    set(patients["employer"]) - {""}, clinicians, hospitals, set(zips["zip"]))

    clean = Cleaner(people, corpus)

    texts = parallel(clean, [(n["text"], n["patient_id"], parse_day(n.get("written_at") or "")) for n in notes])
    out = []
    for n, text in zip(notes, texts):
        pid, written = n["patient_id"], parse_day(n.get("written_at") or "")
        new = {k: "" for k in n}
        new |= {"note_id": codes("note", n["note_id"]), "patient_id": code(pid), "encounter_id": codes("encounter", n.get("encounter_id"))}
        new |= {"written_at": move(n["written_at"], shift[pid]) if n.get("written_at") else "", "text": text}
        out.append({k: new[k] for k in n})
    write_lines(out_dir / "notes.jsonl", out)

    # tables
    for name, table in tables.items():
        columns = [c for c in read(in_dir / f"{name}.csv").columns]
        t, days = table.copy(), table["patient_id"].map(shift)
        for c in DATES.get(name, []):
            t[c] = move_column(table[c], days)
        if name in TEXTS:
            c, when = TEXTS[name], DATES[name][0]
            t[c] = [clean(x, p, parse_day(w)) for x, p, w in zip(table[c], table["patient_id"], table[when])]
        if name == "patients":
            for c in ["race", "language", "zip", "birth_date", "sex"]:
                t[c] = demo[c].to_numpy()
        if name in IDS:
            t[IDS[name]] = table[IDS[name]].map(lambda x, kind=IDS[name][:-3]: codes(kind, x))
        if name in ("conditions", "meds"):
            t["encounter_id"] = table["encounter_id"].map(lambda x: codes("encounter", x))
        t["patient_id"] = table["patient_id"].map(code)
        if name == "labs":
            t["mrn"] = t["patient_id"]
        for c in IDENTIFIERS.get(name, []):
            t[c] = ""
        for c in columns:
            if (name, c) in withhold and c != "patient_id":
                t[c] = ""
        write_text(out_dir / f"{name}.csv", t[columns].to_csv(index=False, lineterminator="\n"))

    # FHIR
    fhir = Fhir(codes, code, vendor, shift, by_pid, withhold, clean, set(enc["encounter_id"]))
    for kind in ["Patient", "Encounter", "Condition", "Observation", "MedicationRequest"]:
        write_lines(out_dir / "fhir" / f"{kind}.ndjson", [fhir.build(r) for r in read_lines(in_dir / "fhir" / f"{kind}.ndjson")])
    for kind in ["Organization", "Practitioner"]:
        if (in_dir / "fhir" / f"{kind}.ndjson").exists():
            write_text(out_dir / "fhir" / f"{kind}.ndjson", (in_dir / "fhir" / f"{kind}.ndjson").read_text(encoding="utf-8"))

    # letters
    files = {}
    for d in read_lines(in_dir / "fhir" / "DocumentReference.ndjson"):
        for content in d.get("content", [])[:1]:
            if title := content["attachment"].get("title"):
                files.setdefault(vendor.get(d["subject"]["reference"].split("/")[-1], ""), []).append((title, d.get("date", "")))
    by_person = {}
    for pid, titles in files.items():
        by_person.setdefault(person.get(pid, pid), []).extend((title, when, pid) for title, when in titles)
    for titles in by_person.values():
        for k, (title, when, pid) in enumerate(sorted(titles), 1):
            path = in_dir / "attachments" / title
            if pid and path.exists():
                text = clean(path.read_text(encoding="utf-8"), pid, parse_day(when))
                write_text(out_dir / "attachments" / f"{code(pid)}-{k}.txt", text)


def parallel(clean, jobs):
    """clean(*job) for every job, in several processes where the system lets us."""
    global CLEAN
    CLEAN = clean
    try:
        with multiprocessing.get_context("fork").Pool(3) as pool:
            return pool.map(one, jobs, chunksize=40)
    except (OSError, ValueError, AssertionError):
        return [one(job) for job in jobs]


def one(job):
    return CLEAN(*job)


def move_column(values, days):
    """A whole column of ISO dates (with or without a time), moved."""
    day = pd.to_datetime(values.str[:10], format="%Y-%m-%d", errors="coerce")
    moved = (day + pd.to_timedelta(days.fillna(0), unit="D")).dt.strftime("%Y-%m-%d") + values.str[10:]
    rest = values.where(~values.str.match(r"\d{4}-\d\d$"), values.str[:4]).where(values.str.match(r"\d{4}(-\d\d)?$"), "")
    return moved.where(day.notna(), rest)


def vendor_patients(in_dir, pid_of):
    """The vendor's Patient.id -> patient_id, by the site's record number."""
    out = {}
    for p in read_lines(in_dir / "fhir" / "Patient.ndjson"):
        for i in p.get("identifier", []):
            site = i.get("system", "").rsplit("/", 1)[-1]
            if "/mrn/" in i.get("system", "") and (site, i.get("value")) in pid_of:
                out[p["id"]] = pid_of[site, i["value"]]
    return out


class Fhir:
    """Builds resources from what may be released; nothing is copied that is not named here."""

    def __init__(self, codes, code, vendor, shift, demo, withhold, clean, encounters):
        self.codes, self.code, self.vendor, self.shift, self.demo = codes, code, vendor, shift, demo
        self.withhold, self.clean, self.encounters = withhold, clean, encounters

    def may(self, table, *columns):
        return not any((table, c) in self.withhold for c in columns)

    def build(self, r):
        kind = r["resourceType"]
        if kind == "Patient":
            return self.patient(r)
        vid = r["subject"]["reference"].split("/")[-1]
        pid = self.vendor.get(vid, "")
        self.pid, self.days = pid, self.shift.get(pid, 0)
        out = {"resourceType": kind, "id": self.encounter_code(r["id"], vid, pid) if kind == "Encounter" else self.codes(kind, r["id"])}
        for name, part in getattr(self, kind.lower())(r).items():
            if part not in (None, "", [], {}):
                out[name] = part
        out["subject"] = {"reference": f"Patient/{self.code(pid or vid)}"}
        if kind != "Encounter" and "encounter" in r:
            out["encounter"] = {"reference": "Encounter/" + self.encounter_code(r["encounter"]["reference"].split("/")[-1], vid, pid)}
        return out

    def encounter_code(self, eid, vid, pid):
        same = pid + eid[len(vid):] if eid.startswith(vid) else ""
        return self.codes("encounter", same) if same in self.encounters else self.codes("vendor-encounter", eid)

    def when(self, text):
        return move(text, self.days) if text else None

    def coded(self, concept):
        """A CodeableConcept with its codes; the text comes from code systems here."""
        if not concept:
            return None
        out = {}
        if codings := [{k: c[k] for k in ("system", "code", "display") if k in c} for c in concept.get("coding", [])]:
            out["coding"] = codings
        if "text" in concept:
            known = any(concept["text"] == c.get("display") for c in concept.get("coding", []))
            out["text"] = concept["text"] if known else self.clean(concept["text"], self.pid)
        return out

    def codeds(self, concepts):
        return [self.coded(c) for c in concepts or []]

    @staticmethod
    def quantity(q):
        return {k: q[k] for k in ("value", "comparator", "unit", "system", "code") if k in q} if q else None

    def patient(self, r):
        pid = self.vendor.get(r["id"], "")
        demo = self.demo.get(pid, dict.fromkeys(("race", "language", "zip", "birth_date", "sex"), ""))
        self.pid = pid
        out = {"resourceType": "Patient", "id": self.code(pid or r["id"])}
        extensions = []
        for e in r.get("extension", []):
            name = e.get("url", "").removeprefix(CORE)
            if name == "race" and demo["race"] or name == "ethnicity" and self.may("patients", "ethnicity"):
                parts = [{k: x[k] for k in ("url", "valueString", "valueCoding") if k in x} for x in e.get("extension", []) if x.get("url") in ("ombCategory", "detailed", "text")]
                extensions.append({"url": e["url"], "extension": parts})
        if extensions:
            out["extension"] = extensions
        if "active" in r:
            out["active"] = r["active"]
        if demo["sex"] and "gender" in r:
            out["gender"] = r["gender"]
        if demo["birth_date"].isdigit():
            out["birthDate"] = demo["birth_date"]
        address = {"state": r["address"][0].get("state")} if r.get("address") and self.may("patients", "state") else {}
        if demo["zip"]:
            address["postalCode"] = demo["zip"]
        address |= {"country": r["address"][0]["country"]} if r.get("address") and r["address"][0].get("country") else {}
        if address := {k: v for k, v in address.items() if v}:
            out["address"] = [address]
        if demo["language"] and r.get("communication"):
            out["communication"] = [{"language": {k: v for k, v in c["language"].items() if k in ("coding", "text")}} for c in r["communication"]]
        if "managingOrganization" in r and self.may("patients", "site"):
            out["managingOrganization"] = {"reference": r["managingOrganization"]["reference"]}
        return out

    def encounter(self, r):
        may = self.may
        people = [{"individual": {"reference": p["individual"]["reference"]}} for p in r.get("participant", []) if p.get("individual", {}).get("reference", "").startswith("Practitioner/")]
        masked = {"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "masked", "display": "Masked"}
        period = {k: self.when(r["period"].get(k)) for k in ("start", "end") if r.get("period", {}).get(k) and may("encounters", k)}
        return {
            "status": r["status"],
            "class": {k: r["class"][k] for k in ("system", "code", "display") if k in r["class"]} if may("encounters", "class") else masked,
            "type": self.codeds(r.get("type")) if may("encounters", "class") else None,
            "participant": people if may("encounters", "provider_given", "provider_family") else None,
            "period": period,
            "reasonCode": self.codeds(r.get("reasonCode")) if may("encounters", "reason") else None,
            "serviceProvider": {"reference": r["serviceProvider"]["reference"]} if "serviceProvider" in r and may("encounters", "site") else None,
        }

    def condition(self, r):
        may = self.may
        return {
            "clinicalStatus": self.coded(r.get("clinicalStatus")) if may("conditions", "clinical_status") else None,
            "verificationStatus": self.coded(r.get("verificationStatus")),
            "category": self.codeds(r.get("category")),
            "code": self.coded(r.get("code")) if may("conditions", "code", "display") else None,
            "onsetDateTime": self.when(r.get("onsetDateTime")) if may("conditions", "onset_date") else None,
            "recordedDate": self.when(r.get("recordedDate")),
            "abatementDateTime": self.when(r.get("abatementDateTime")),
        }

    def observation(self, r):
        may = self.may
        code = self.coded(r["code"]) if may("labs", "loinc", "name") else {"text": "withheld"}
        if code and not may("labs", "loinc") and may("labs", "name"):
            code = {"text": r["code"].get("text", "")}
        component = [{"code": self.coded(c["code"]), "valueQuantity": self.quantity(c.get("valueQuantity"))} for c in r.get("component", [])]
        ranges = [{k: self.quantity(x[k]) for k in ("low", "high") if k in x and may("labs", f"ref_{k}")} for x in r.get("referenceRange", [])]
        return {
            "status": r["status"],
            "category": self.codeds(r.get("category")) if may("labs", "category") else None,
            "code": code,
            "effectiveDateTime": self.when(r.get("effectiveDateTime")) if may("labs", "taken_at") else None,
            "issued": self.when(r.get("issued")) if may("labs", "taken_at") else None,
            "valueQuantity": self.quantity(r.get("valueQuantity")) if may("labs", "value") else None,
            "valueCodeableConcept": self.coded(r.get("valueCodeableConcept")) if may("labs", "value") else None,
            "interpretation": self.codeds(r.get("interpretation")) if may("labs", "interpretation") else None,
            "referenceRange": [x for x in ranges if x],
            "component": [{k: v for k, v in c.items() if v} for c in component],
            "note": [{"text": self.clean(n["text"], self.pid, parse_day(r.get("effectiveDateTime") or ""))} for n in r.get("note", []) if n.get("text")] if may("labs", "comment") else None,
        }

    def medicationrequest(self, r):
        may = self.may
        drug = self.coded(r.get("medicationCodeableConcept"))
        if drug and not may("meds", "name", "rxnorm"):
            drug = {"text": "withheld"}
        return {
            "status": r["status"], "intent": r["intent"],
            "medicationCodeableConcept": drug,
            "authoredOn": self.when(r.get("authoredOn")) if may("meds", "start_date") else None,
            "requester": {"reference": r["requester"]["reference"]} if r.get("requester", {}).get("reference", "").startswith("Practitioner/") else None,
            "dosageInstruction": [{"text": self.clean(d["text"], self.pid, parse_day(r.get("authoredOn") or ""))} for d in r.get("dosageInstruction", []) if d.get("text")] if may("meds", "sig") else None,
        }
