"""De-identifies the hospital network's charts after the expert's letter and the release's policy card.

One module: codes are random (nothing can be recomputed, `key` is unused), text is cleaned with a dictionary of each
patient's own identifiers plus regular expressions for what the tables do not know.
"""

import csv
import heapq
import html
import json
import math
import multiprocessing
import os
import re
import tomllib
import secrets
import unicodedata
from collections import Counter, defaultdict
from functools import lru_cache
from datetime import date, timedelta

import regex  # for look-behinds of varying width
from rapidfuzz.distance import OSA

TABLES = ["patients", "contacts", "encounters", "conditions", "labs", "meds"]
RELEASED = ["Patient", "Encounter", "Condition", "Observation", "MedicationRequest"]
BLANK = {
    "patients": ["mrn", "ssn", "health_plan_id", "given", "middle", "family", "street", "city", "county", "phone", "email",
                 "employer"],
    "contacts": ["given", "family", "phone", "email"],
}
IDS = {"contact_id", "encounter_id", "condition_id", "lab_id", "med_id", "note_id"}
TEXTS = {"labs": ["comment"], "meds": ["sig"], "encounters": ["reason"]}
LETTERS = "bcdfghjkmnpqrstvwxz"


def deidentify(in_dir, out_dir, key):
    Release(in_dir, out_dir).run()


# ---- codes ---------------------------------------------------------------------------------------


class Codes(dict):
    """identifier -> a random code, never given twice; consonants only, so that no code reads like a name or number."""

    def __init__(self, prefix, used):
        super().__init__()
        self.prefix, self.used = prefix, used

    def __missing__(self, name):
        while True:
            n, code = int.from_bytes(os.urandom(9), "big"), self.prefix
            for _ in range(14):
                n, k = divmod(n, len(LETTERS))
                code += LETTERS[k]
            if code not in self.used:
                self.used.add(code)
                self[name] = code
                return code


# ---- the release ---------------------------------------------------------------------------------


class Release:
    def __init__(self, in_dir, out_dir):
        self.inp, self.out = in_dir, out_dir
        self.card = tomllib.loads((in_dir / "card.toml").read_text(encoding="utf-8"))
        self.as_of = to_date(str(self.card.get("as_of", ""))) or date.today()
        self.withhold = {k: set(v) for k, v in self.card.get("withhold", {}).items()}
        self.tables = {name: read_csv(in_dir / f"{name}.csv") for name in TABLES}
        self.notes = read_lines(in_dir / "notes.jsonl")
        self.fhir = {k: read_lines(in_dir / "fhir" / f"{k}.ndjson") for k in ("Patient", "Encounter")}  # the rest is streamed
        for k in ["DocumentReference", "RelatedPerson", "Practitioner", "Organization"]:
            path = in_dir / "fhir" / f"{k}.ndjson"
            self.fhir[k] = read_lines(path) if path.exists() else []
        for doc in self.fhir["DocumentReference"]:
            for part in doc.get("content", []):
                part.get("attachment", {}).pop("data", None)
        self.patients = {r["patient_id"]: r for r in self.tables["patients"][1]}
        self.by_mrn = {(r["site"], norm_id(r["mrn"])): p for p, r in self.patients.items()}
        self.link_fhir()
        self.link_charts()
        used = set()
        self.codes = Codes("p", used)
        self.ids = {name: Codes(name[0], used) for name in IDS}
        self.fhir_ids = {name: Codes(name[0].lower(), used) for name in RELEASED}
        self.make_shifts()
        self.zip_rules()
        self.hide_from_register()
        self.scrub = Scrubber(self)

    def link_fhir(self):
        """The vendor's Patient.id -> patient_id, by record number and site; other identifiers if that fails."""
        count = Counter(norm_id(r["ssn"]) for r in self.patients.values())
        by_ssn = {norm_id(r["ssn"]): p for p, r in self.patients.items() if r["ssn"] and count[norm_id(r["ssn"])] == 1}
        by_plan = {norm_id(r["health_plan_id"]): p for p, r in self.patients.items() if r["health_plan_id"]}
        self.vendor = {}
        for res in self.fhir["Patient"]:
            pid = None
            for i in res.get("identifier", []):
                system, value = i.get("system", ""), norm_id(i.get("value", ""))
                if "/mrn" in system:
                    pid = pid or self.by_mrn.get((system.rstrip("/").split("/")[-1], value))
            for i in res.get("identifier", []):
                value = norm_id(i.get("value", ""))
                pid = pid or by_ssn.get(value) or by_plan.get(value)
            self.vendor[res["id"]] = pid or "fhir:" + res["id"]
        self.subject = lambda r: self.vendor.get(r.get("subject", {}).get("reference", "").split("/")[-1])

    def link_charts(self):
        """patient_id -> one of the patient_ids of the same person: people who went to two hospitals have two charts.

        A social security number that many charts share is a placeholder and proves nothing; a record number is only a
        number within its site; a name and a birth date alone prove it unless two real social security numbers differ.
        """
        rows = self.patients
        top = {p: p for p in rows}

        def root(p):
            while top[p] != p:
                p = top[p]
            return p

        squeeze = lambda s: re.sub(r"[^a-z]", "", flat(s).lower())
        name = {p: (squeeze(r["given"]), squeeze(r["family"])) for p, r in rows.items()}
        born = {p: r["birth_date"] for p, r in rows.items()}
        users = defaultdict(set)
        for p, r in rows.items():
            users[norm_id(r["ssn"])].add((name[p], born[p]))
        real = {}
        for p, r in rows.items():
            v = norm_id(r["ssn"])
            if len(v) == 9 and len(set(v)) > 1 and v != "123456789" and len(users[v]) <= 3:
                real[p] = v
        groups = defaultdict(list)
        for p, r in rows.items():
            if p in real:
                groups["ssn", real[p]].append(p)
            groups["name", name[p], born[p]].append(p)
            groups["name", name[p][::-1], born[p]].append(p)
            if r["email"]:
                groups["email", r["email"].lower(), born[p]].append(p)
            if r["health_plan_id"]:
                groups["plan", norm_id(r["health_plan_id"]), born[p]].append(p)
        for g, ps in groups.items():
            for i, a in enumerate(ps):
                for b in ps[i + 1:]:
                    ra, rb = rows[a], rows[b]
                    same_ssn = a in real and real.get(b) == real[a]
                    differ = a in real and b in real and not same_ssn
                    close = differ and OSA.distance(real[a], real[b]) <= 1
                    if g[0] == "ssn":
                        same = born[a] == born[b] or name[a] == name[b]
                    elif g[0] == "name":
                        same = ra["sex"] == rb["sex"] and (not differ or close or bool(ra["email"] and ra["email"] == rb["email"]))
                    else:
                        same = (name[a][0] == name[b][0] or name[a][1] == name[b][1]) and ra["sex"] == rb["sex"] and not (
                            name[a] != name[b] and differ)
                    if same:
                        top[root(b)] = root(a)
        self.same = {p: root(p) for p in rows}

    def one(self, pid):
        return self.same.get(pid, pid)

    def code(self, pid):
        return self.codes[self.one(pid)]

    # -- dates --

    def make_shifts(self):
        rule = self.card.get("dates", {})
        true, first = defaultdict(set), {}
        for name in TABLES:
            for r in self.tables[name][1]:
                pid = self.one(self.owner(name, r))
                for col in DATE_COLUMNS.get(name, []):
                    d = to_date(r.get(col, ""))
                    if d:
                        true[pid].add(d)
                        if name == "encounters" and col == "start":
                            first[pid] = min(first.get(pid, d), d)
        self.shift = {}
        people = {self.one(p) for p in set(self.patients) | set(self.vendor.values())}
        anchor = to_date(str(rule.get("anchor", "2050-01-01")))
        top = int(rule.get("max_days", 365) or 365)
        for pid in people:
            if rule.get("rule") == "relative":
                start = first.get(pid) or min(true[pid], default=anchor)
                self.shift[pid] = (anchor - start).days
            else:
                for _ in range(40):  # prefer a shift that puts no date onto another true date of this patient
                    n = secrets.choice([-1, 1]) * (1 + secrets.randbelow(top))
                    self.shift[pid] = n
                    if not any(d + timedelta(n) in true[pid] for d in true[pid]):
                        break

    def owner(self, table, row):
        if table == "labs":
            return self.by_mrn.get((row["site"], norm_id(row["mrn"])), "lab:" + row["site"] + row["mrn"])
        return row["patient_id"]

    def move(self, text, pid):
        """The text of a date or time, moved; blank if it cannot be read."""
        if not text:
            return text
        d = to_date(text)
        pid = self.one(pid)
        if d is None or pid not in self.shift:
            return ""
        try:
            return (d + timedelta(self.shift[pid])).isoformat() + text[10:]
        except OverflowError:
            return ""

    # -- zip, age, register --

    def zip_rules(self):
        self.area = Counter()
        for r in read_csv(self.inp / "zip_population.csv")[1]:
            self.area[r["zip"].strip().zfill(5)[:3]] += int(float(r["population"] or 0))
        self.zip_codes = {r["zip"].strip().zfill(5) for r in read_csv(self.inp / "zip_population.csv")[1]}

    def zip3(self, text):
        z = text.strip().split("-")[0].zfill(5)[:3] if text.strip() else ""
        return "" if not z else z if self.area[z] > 20000 else "000"

    def old(self, pid):
        d = to_date(self.patients.get(pid, {}).get("birth_date", ""))
        if not d:
            return False
        age = self.as_of.year - d.year - ((self.as_of.month, self.as_of.day) < (d.month, d.day))
        return age >= 90

    def hide_from_register(self):
        """Blanks single cells until the expected risk of a link with the register is what the letter accepts.

        The register is not at hand; the number of people in it who fit is estimated from the area's population and the
        shares of birth years, sexes, and race with language among the patients.
        """
        rows = self.patients
        n = len(rows) or 1
        year = {p: int(r["birth_date"][:4]) for p, r in rows.items() if r["birth_date"][:4].isdigit()}
        count = Counter(year.values())
        lo, hi = (min(count), max(count)) if count else (1950, 1950)
        smooth = {y: sum(count[y + k] for k in range(-4, 5)) / 9 for y in range(lo, hi + 1)}
        smooth = {y: 0.9 * v / (sum(smooth.values()) or 1) + 0.1 / len(smooth) for y, v in smooth.items()}
        senior = [y for p, y in year.items() if self.old(p)]
        p_old = sum(v for y, v in smooth.items() if senior and y <= max(senior))
        sexes = Counter(r["sex"] for r in rows.values())
        race = Counter(r["race"] for r in rows.values())
        lang = Counter(r["language"] for r in rows.values())
        pair = Counter((r["race"], r["language"]) for r in rows.values())
        everyone = sum(self.area.values()) or 1
        small = sum(v for v in self.area.values() if v <= 20000)
        gone = {"patients." + c for c in self.withhold.get("patients", ())}

        def fit(pid, hidden):
            r = rows[pid]
            has = lambda c: c not in hidden and "patients." + c not in gone and r[c]
            people = everyone
            if has("zip"):
                z = self.zip3(r["zip"])
                people = small if z == "000" else self.area[z]
            elif r["zip"] and self.zip3(r["zip"]) != "000":
                people = everyone * 0.5
            share = 1.0
            if has("birth_date"):
                share *= p_old if self.old(pid) else smooth.get(year.get(pid), 1 / len(smooth))
            if has("sex"):
                share *= sexes[r["sex"]] / n
            if has("race") and has("language"):
                share *= max(pair[r["race"], r["language"]] - 0.5, 0.25) / n
            elif has("race"):
                share *= max(race[r["race"]] - 0.5, 0.25) / n
            elif has("language"):
                share *= max(lang[r["language"]] - 0.5, 0.25) / n
            return people * share * 0.9

        def risk(lam):
            return (1 - math.exp(-lam)) / lam if lam > 1e-9 else 1.0

        self.hidden = {p: set() for p in rows}
        now = {p: fit(p, ()) for p in rows}
        mean = sum(risk(v) for v in now.values())
        alone = sum(math.exp(-v) for v in now.values())
        price = {"language": 1.0, "race": 1.0, "birth_date": 1.2, "zip": 1.2}

        def best(p):
            out = None
            for c, cost in price.items():
                if c in self.hidden[p] or not rows[p][c]:
                    continue
                v = fit(p, self.hidden[p] | {c})
                gain = (risk(now[p]) - risk(v) + 2 * (math.exp(-now[p]) - math.exp(-v))) / cost
                if out is None or gain > out[0]:
                    out = (gain, c, v)
            return out

        heap = [(-b[0], p) for p in rows if (b := best(p))]
        heapq.heapify(heap)
        while heap and (mean > MEAN_RISK * n or alone > ALONE_RISK * n):
            _, p = heapq.heappop(heap)
            b = best(p)
            if not b or b[0] <= 1e-6:
                continue
            mean += risk(b[2]) - risk(now[p])
            alone += math.exp(-b[2]) - math.exp(-now[p])
            now[p] = b[2]
            self.hidden[p].add(b[1])
            if again := best(p):
                heapq.heappush(heap, (-again[0], p))
        self.estimate = (mean / n, alone / n)

    # -- writing --

    def run(self):
        for name in TABLES:
            columns, rows = self.tables[name]
            write_csv(self.out / f"{name}.csv", columns, [self.row(name, r) for r in rows])
        notes = []
        texts = self.clean_all([(n["text"], n["patient_id"], n.get("encounter_id")) for n in self.notes])
        for n, text in zip(self.notes, texts):
            pid = n["patient_id"]
            new = dict(n)
            new["text"] = text
            new["patient_id"] = self.code(pid)
            new["note_id"] = self.ids["note_id"][n["note_id"]]
            if n.get("encounter_id"):
                new["encounter_id"] = self.ids["encounter_id"][n["encounter_id"]]
            new["written_at"] = self.move(n.get("written_at"), pid)
            notes.append(new)
        write_lines(self.out / "notes.jsonl", notes)
        self.write_fhir()
        self.write_letters()

    def clean_all(self, jobs):
        """The texts of many jobs, cleaned by several processes if that is possible."""
        if len(jobs) > 300:
            try:
                global AT_WORK
                AT_WORK = self.scrub
                with multiprocessing.get_context("fork").Pool(2) as pool:
                    return pool.map(work, jobs, chunksize=60)
            except OSError:
                pass
        return [self.scrub.clean(*job) for job in jobs]

    def row(self, table, row):
        pid = self.owner(table, row)
        hold = self.withhold.get(table, set())
        new = {}
        for col, value in row.items():
            if col in hold or col in BLANK.get(table, ()):
                new[col] = ""
            elif col == "patient_id" or (table == "labs" and col == "mrn"):
                new[col] = self.code(pid)
            elif col in IDS:
                new[col] = self.ids[col][value] if value else ""
            elif col in DATE_COLUMNS.get(table, ()):
                new[col] = self.move(value, pid)
            elif col in TEXTS.get(table, ()):
                new[col] = self.scrub.clean(value, pid) if value else value
            else:
                new[col] = value
        if table == "patients":
            hidden = self.hidden[pid]
            if "zip" not in hold:
                new["zip"] = ("000" if row["zip"] else "") if "zip" in hidden else self.zip3(row["zip"])
            if "birth_date" not in hold:
                new["birth_date"] = "90+" if self.old(pid) else row["birth_date"][:4]
            for col in hidden - {"zip"}:
                new[col] = ""
        return new

    def held(self, table, *columns):
        return any(c in self.withhold.get(table, ()) for c in columns)

    def write_fhir(self):
        makers = {"Patient": self.f_patient, "Encounter": self.f_encounter, "Condition": self.f_condition,
                  "Observation": self.f_observation, "MedicationRequest": self.f_medication}
        provider = not self.held("encounters", "provider_given", "provider_family")
        self.staff = {}
        names = Codes("s", self.codes.used)
        if provider:
            self.staff = {f"Practitioner/{r['id']}": names[r["id"]] for r in self.fhir["Practitioner"]}
        self.houses = {f"Organization/{r['id']}": r["id"] for r in self.fhir["Organization"]}
        # an encounter's FHIR id gets the code that its row in encounters.csv has
        start = {}
        for r in self.tables["encounters"][1]:
            start.setdefault((r["patient_id"], r["start"][:19], r["end"][:19]), []).append(r["encounter_id"])
        for r in self.fhir["Encounter"]:
            period = r.get("period", {})
            rows = start.get((self.subject(r), period.get("start", "")[:19], period.get("end", "")[:19]), [])
            if rows:
                self.fhir_ids["Encounter"][r["id"]] = self.ids["encounter_id"][rows.pop(0)]
        for kind in RELEASED:
            path = self.out / "fhir" / f"{kind}.ndjson"
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w", encoding="utf-8") as file, (self.inp / "fhir" / path.name).open(encoding="utf-8") as lines:
                for line in lines:
                    if line.strip():
                        file.write(json.dumps(prune(makers[kind](json.loads(line))), ensure_ascii=False) + "\n")
        if self.staff:
            write_lines(self.out / "fhir" / "Practitioner.ndjson", [
                prune({"resourceType": "Practitioner", "id": self.staff[f"Practitioner/{r['id']}"],
                       "name": [{"family": x.get("family"), "given": x.get("given"), "prefix": x.get("prefix")}
                                for x in r.get("name", [])]}) for r in self.fhir["Practitioner"]])
        if self.houses:
            write_lines(self.out / "fhir" / "Organization.ndjson", [
                {"resourceType": "Organization", "id": r["id"], "active": True, "name": r.get("name")}
                for r in self.fhir["Organization"]])

    def who(self, res):
        return {"reference": "Patient/" + self.code(self.subject(res))}

    def visit(self, res):
        ref = res.get("encounter", {}).get("reference")
        return {"reference": "Encounter/" + self.fhir_ids["Encounter"][ref.split("/")[-1]]} if ref else None

    def person(self, ref):
        name = self.staff.get((ref or {}).get("reference"))
        return {"reference": "Practitioner/" + name} if name else None

    def house(self, ref):
        name = self.houses.get((ref or {}).get("reference"))
        return {"reference": "Organization/" + name} if name else None

    def f_patient(self, r):
        pid = self.vendor[r["id"]]
        hidden = self.hidden.get(pid, set()) | self.withhold.get("patients", set())
        new = {"resourceType": "Patient", "id": self.code(pid), "active": r.get("active")}
        ext = []
        for e in r.get("extension", []):
            url = e.get("url", "")
            if url.endswith("us-core-race") and "race" not in hidden or \
                    url.endswith("us-core-ethnicity") and "ethnicity" not in hidden:
                parts = [{k: coding(v) if k == "valueCoding" else v for k, v in p.items()
                          if k in ("url", "valueCoding", "valueString")} for p in e.get("extension", [])]
                ext.append({"url": url, "extension": parts})
        new["extension"] = ext
        if "sex" not in hidden:
            new["gender"] = r.get("gender")
        if "birth_date" not in hidden and not self.old(pid) and r.get("birthDate"):
            new["birthDate"] = r["birthDate"][:4]
        address = []
        for a in r.get("address", [])[:1]:
            b = {"use": a.get("use"), "country": a.get("country")}
            if "state" not in hidden:
                b["state"] = a.get("state")
            if "zip" not in self.withhold.get("patients", ()) and a.get("postalCode"):
                b["postalCode"] = "000" if "zip" in hidden else self.zip3(a["postalCode"])
            address.append(b)
        new["address"] = address
        if "language" not in hidden:
            new["communication"] = [{"language": concept(c.get("language")), "preferred": c.get("preferred")}
                                    for c in r.get("communication", [])]
        if "site" not in hidden:
            new["managingOrganization"] = self.house(r.get("managingOrganization"))
        return new

    def f_encounter(self, r):
        pid = self.subject(r)
        new = {"resourceType": "Encounter", "id": self.fhir_ids["Encounter"][r["id"]], "status": r.get("status")}
        if self.held("encounters", "class"):
            new["class"] = {"system": "http://terminology.hl7.org/CodeSystem/v3-NullFlavor", "code": "MSK"}
        else:
            new["class"] = coding(r.get("class"))
            new["type"] = [concept(t) for t in r.get("type", [])]
        new["subject"] = self.who(r)
        new["participant"] = [{"individual": p} for x in r.get("participant", [])
                              if (p := self.person(x.get("individual")))]
        period = r.get("period", {})
        new["period"] = {k: self.move(period.get(k), pid) for k in ("start", "end") if not self.held("encounters", k)}
        if not self.held("encounters", "reason"):
            new["reasonCode"] = [self.cleaned(c, pid) for c in r.get("reasonCode", [])]
        if not self.held("encounters", "site"):
            new["serviceProvider"] = self.house(r.get("serviceProvider"))
        return new

    def f_condition(self, r):
        pid, held = self.subject(r), self.withhold.get("conditions", set())
        new = {"resourceType": "Condition", "id": self.fhir_ids["Condition"][r["id"]]}
        if "clinical_status" not in held:
            new["clinicalStatus"] = concept(r.get("clinicalStatus"))
        new["verificationStatus"] = concept(r.get("verificationStatus"))
        new["category"] = [concept(c) for c in r.get("category", [])]
        new["code"] = concept(r.get("code"))
        new["subject"], new["encounter"] = self.who(r), self.visit(r)
        if "onset_date" not in held:
            new["onsetDateTime"] = self.move(r.get("onsetDateTime"), pid)
        for k in ("recordedDate", "abatementDateTime"):
            new[k] = self.move(r.get(k), pid)
        return new

    def f_observation(self, r):
        pid, held = self.subject(r), self.withhold.get("labs", set())
        new = {"resourceType": "Observation", "id": self.fhir_ids["Observation"][r["id"]], "status": r.get("status"),
               "category": [concept(c) for c in r.get("category", [])], "code": concept(r.get("code")),
               "subject": self.who(r), "encounter": self.visit(r)}
        for k in ("effectiveDateTime", "issued"):
            new[k] = self.move(r.get(k), pid)
        q = ("value", "comparator", "unit", "system", "code")
        if "valueQuantity" in r:
            new["valueQuantity"] = {k: r["valueQuantity"][k] for k in q if k in r["valueQuantity"]}
        if "valueCodeableConcept" in r:
            new["valueCodeableConcept"] = concept(r["valueCodeableConcept"])
        if "valueString" in r:
            new["valueString"] = self.scrub.clean(r["valueString"], pid)
        if "interpretation" not in held:
            new["interpretation"] = [concept(c) for c in r.get("interpretation", [])]
        new["referenceRange"] = [
            {side: {k: x[side][k] for k in q if k in x[side]} for side in ("low", "high")
             if side in x and "ref_" + side not in held} for x in r.get("referenceRange", [])]
        if "comment" not in held:
            new["note"] = [{"text": self.scrub.clean(x["text"], pid)} for x in r.get("note", []) if x.get("text")]
        return new

    def f_medication(self, r):
        pid, held = self.subject(r), self.withhold.get("meds", set())
        new = {"resourceType": "MedicationRequest", "id": self.fhir_ids["MedicationRequest"][r["id"]],
               "status": r.get("status"), "intent": r.get("intent"),
               "medicationCodeableConcept": concept(r.get("medicationCodeableConcept")),
               "subject": self.who(r), "encounter": self.visit(r), "authoredOn": self.move(r.get("authoredOn"), pid),
               "requester": self.person(r.get("requester"))}
        if "start_date" in held:
            new.pop("authoredOn")
        if "sig" not in held:
            new["dosageInstruction"] = [{"text": self.scrub.clean(x["text"], pid)}
                                        for x in r.get("dosageInstruction", []) if x.get("text")]
        return new

    def cleaned(self, c, pid):
        c = concept(c)
        if c and c.get("text"):
            c["text"] = self.scrub.clean(c["text"], pid)
        return c

    def write_letters(self):
        (self.out / "attachments").mkdir(parents=True, exist_ok=True)
        names = defaultdict(set)
        for doc in self.fhir["DocumentReference"]:
            for part in doc.get("content", []):
                if title := part.get("attachment", {}).get("title"):
                    names[self.one(self.subject(doc))].add(title)
        for pid, titles in names.items():
            if pid is None:
                continue
            files = [t for t in sorted(titles) if (self.inp / "attachments" / t).is_file()]
            for k, name in enumerate(files, 1):
                text = (self.inp / "attachments" / name).read_text(encoding="utf-8")
                write_text(self.out / "attachments" / f"{self.code(pid)}-{k}.txt", self.scrub.clean(text, pid))


AT_WORK = None


def work(job):
    return AT_WORK.clean(*job)


DATE_COLUMNS = {"encounters": ["start", "end"], "conditions": ["onset_date"], "labs": ["taken_at"], "meds": ["start_date"]}
MEAN_RISK, ALONE_RISK = 0.045, 0.0009


# ---- free text -----------------------------------------------------------------------------------

STATE = ("A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]")
CAP = r"[A-Z][A-Za-z'’]*"
PARTICLE = r"(?:de la|de los|de las|del|de|da|dos|van der|van|von|bin|ibn|al|el|la)"
NAMEWORD = rf"(?:{CAP}(?:-{CAP})*)"
NAMESEQ = rf"{NAMEWORD}(?:(?:, ?| | {PARTICLE} )(?:{NAMEWORD}|[A-Z]\.)){{0,3}}"
REL = (r"(?:spouse|husband|wife|partner|child|son|daughter|sibling|brother|sister|parent|mother|father|mom|dad|neighbor|"
       r"neighbour|friend|aunt|uncle|cousin|niece|nephew|grandson|granddaughter|grandmother|grandfather|caregiver|guardian|"
       r"lodger|tenant|boarder|roommate|fianc[eé]e?|stepson|stepdaughter|son-in-law|daughter-in-law)")
MONTHS = ("January February March April May June July August September October November December".split())
MON = "(?:" + "|".join(MONTHS) + r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec)"
MONX = "(?:" + MON + "|" + MON.upper() + ")"
ORD1 = ("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
        "sixteenth seventeenth eighteenth nineteenth").split()
ORDW = "(?:" + "|".join(ORD1) + "|twentieth|thirtieth|twenty[- ](?:" + "|".join(ORD1[:9]) + ")|thirty[- ]first)"
DAY = r"(?:0?[1-9]|[12]\d|3[01])"
YEAR = r"(?:1[89]|20)\d\d"
WEEKDAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
WD = rf"(?:{WEEKDAY}|Mon|Tues?|Wed|Thurs?|Thu|Fri|Sat|Sun)"
TIME = r"(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)"
NUMW = "(?:one|two|three|four|five|six|seven|eight|nine)"
B, E = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"

DATES = [
    rf"{B}{YEAR}[-/.]\d{{1,2}}[-/.]\d{{1,2}}(?:T\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)?{E}",
    rf"{B}{YEAR} (?:0[1-9]|1[0-2]) (?:0[1-9]|[12]\d|3[01]){E}",
    rf"{B}\d{{1,2}}([-/.])\d{{1,2}}\1(?:{YEAR}|\d\d){E}(?!\.\d)",
    rf"{B}{YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:T?\d{{4,6}}Z?)?{E}",
    rf"(?:\b[Tt]he )?{B}{DAY}(?:st|nd|rd|th)?(?: of)?[- /.]?{MONX}\.?(?:,?[- /.]?(?:{YEAR}|'?\d\d)(?!\d|[:.]\d|%|/| ?(?:mg|m[lL])))?{E}",
    rf"{B}{MONX}\.?[- ]?{DAY}(?:st|nd|rd|th)?(?:,? ?(?:of )?{YEAR}|,? '\d\d)?(?![\d/]|\.\d){E}",
    rf"{B}(?:(?:[Ee]arly|[Ll]ate|[Mm]id|[Mm]iddle of|[Ee]nd of|[Bb]eginning of)[- ])?{MONX}\.?(?:,? ?(?:of )?{YEAR}|[- /]'?\d\d(?!\d|/)){E}",
    rf"\b(?:[Ee]arly|[Ll]ate|[Mm]id|[Mm]iddle of|[Ee]nd of|[Bb]eginning of)[- ](?:in )?{MONX}{E}",
    rf"\b(?:the )?{ORDW}(?: day)? of {MONX}(?:,? ?{YEAR})?{E}",
    rf"\b{MONX} (?:the )?{ORDW}(?:,? {YEAR})?{E}",
    rf"(?<=\b[Tt]he )\d{{1,2}}(?:st|nd|rd|th)\b(?! [a-z]| ?[A-Z]|-)",
    rf"(?<=\b[Tt]he )\d{{1,2}}(?:st|nd|rd|th)\b(?= (?:and|or|at|with|w/|if|for follow|because|after|before)\b)",
    rf"(?<=[, ]on )\d{{1,2}}(?:st|nd|rd|th)\b(?! (?:floor|ward|rib))",
    rf"{B}{WEEKDAY}s?{E}",
    rf"{B}{WD}\.?,? (?=(?:the )?(?:\d|{MONX}\b))",
    rf"(?<=\b(?:on|by) ){WD}{E}(?!-)",
    rf"(?<=\b(?:next|last|this) ){WD}{E}",
    rf"{B}(?:0?[1-9]|1[0-2])/{YEAR}{E}",
    rf"(?<=\b(?:in|by|of) ){MONX}{E}(?! [A-Z])",
    rf"(?<=\b(?:since|until|after|during|before|last|next|this|early|late) )(?!March\b)(?!MAY|May [a-z]){MON}{E}(?! [A-Z])",
]
DATES = [regex.compile(p) for p in DATES]
SLASH = regex.compile(rf"(?<![\w/.])(0?[1-9]|1[0-2])/({DAY})(?![\w/%]|\.\d)")
SLASH_NO_BEFORE = regex.compile(
    r"(?:pain|strength|take|takes|bp|pressure|vs|pulses?|reflex(?:es)?|power|gcs|score|scale|grade|murmur|vision|acuity|below|"
    r"above|ratio|dose|motor|rated|apgar|apgars|severity|level|or|to|x|half|part|stage|orientation|mmse|moca)\W*$", re.I)
SLASH_NO_AFTER = regex.compile(
    r" ?(?:tab|cap|pill|mm ?hg|in (?:both|all|the)|strength|murmur|on arrival|bilateral|of (?:a|the)|inch|dose|cup|power|"
    r"systolic|holosystolic|diastolic|pain|intensity|points?|questions|words|recall|limb|motor|upper|lower|throughout|to|or|"
    r"normal saline|NS|teaspoon|l?b?s?\.? ?pack)\b", re.I)
SLASH_YES = regex.compile(
    r"(?:\b(?:on|of|through|thru|around|before|since|until|till|by|from|after|onset|sx|adm|admit|admitted|d/c|dc|out|labs?|"
    r"session|sent|updated?|held|visit|rtc|seen|date|due|f/u|started|again|about|and|dob|born|appt|next|last|eval|"
    rf"{WD})\.?:? ?|[~(),\])] ?|\| ?)$", re.I)

OLD = r"(?:9\d|1[0-2]\d)"
OLDW = rf"(?:ninety(?:[- ]{NUMW})?|(?:one |a )?hundred(?:[- ]and)?(?:[- ](?:{NUMW}|ten|eleven|twelve))?)"
AGES = [
    rf"(?<![\w.]){OLD}(?=[- ]?(?:years?|yrs?|yo|y/o|y\.? ?o\.?|anos)\b)",
    rf"(?<![\w./])(?<!\b(?:T|Temp|temp|temperature) ){OLD}(?-i:[MF])\b(?![\[/])",
    rf"(?:(?<=\bturned )|(?<=\bturning )|(?<=\baged )|(?<=\bage )|(?<=\bage: )|(?<=\bage of )|(?<=\bA&W at )|(?<=\bwell at )"
    rf"|(?<=\balive at )|(?<=\bdied at )|(?<=\bat age )|(?<=\bnow )|(?<=\bAGE )|(?<=\bAGE: )|(?<=\bAge )|(?<=\bAge: )"
    rf"|(?<=\bis ))(?:{OLD}(?!\s?%|/|\.\d|\d| mg| beats| bpm| kg)|{OLDW}){E}",
    rf"\b{OLDW}(?=[- ]years?[- ]old)",
    r"\b(?:nonagenarian|centenarian|supercentenarian)s?\b",
    r"(?<=\bin (?:her|his) )(?:(?:early|mid|late)[- ])?(?:nineties|90s|90's|hundreds)\b",
    r"(?<=\bin their )(?:(?:early|mid|late)[- ])?(?:nineties|90s|90's)\b",
    rf"\b\d{{1,2}}(?:th|st|nd|rd) birthday\b",
]
AGES = [regex.compile(p, re.I) for p in AGES]

TOKEN_ID = r"#?(?:[A-Za-z]{1,5}(?=[ -]?\d)[ -]?)?[A-Za-z]{0,5}\d[\w:()/.-]*(?:[ -](?:\d[\w:()/-]*|[A-Za-z]{1,4}(?=[ -]\d)|[A-Z]\b))*"
ID_KEY = (r"(?:licen[cs]e|license number|plate|serial number|serial no\.?|serial|s/n|sn|badge|vehicle number|vehicle|vin|account|"
          r"acct\.?|label reads|device label|udi|template|member number|member id|member|card shows|policy number|policy|"
          r"subscriber|certificate|passport|implant|pacemaker number|lot|registration|chart number|record number|record|mrn|"
          r"number|record no\.?|enrollee|beneficiary|group number|health plan|study key|iris scan|retina|voice ?print|"
          r"fingerprint|scan|id)")
IDS_RX = [
    regex.compile(r"(?i:\bplate)(?:(?i: number| no\.?| is| reads|:))* (?P<s>[A-Za-z0-9]{1,4}(?:[ -][A-Za-z0-9]{1,4}){1,2}(?<=\d.{0,6})(?=[ .,;\n]|$))"),
    regex.compile(rf"(?<![\w-])(?i:{ID_KEY})(?:(?i: number| no\.?| id| is| was| reads| shows|:|#|=)){{0,3}} ?(?P<s>{TOKEN_ID})"),
]
EMAIL = [
    regex.compile(r"[\w.%+'-]+ ?@ ?[\w-]+(?:\.[A-Za-z][\w-]*)+"),
    regex.compile(r"[\w.%+-]+ ?[\[({<] ?(?:at|AT|@) ?[\])}>] ?[\w-]+(?:(?:\.| ?[\[({<] ?(?:dot|DOT|\.) ?[\])}>] ?| dot )[A-Za-z][\w-]*)+"),
    regex.compile(r"[\w.%+-]+(?: (?:dot|DOT|underscore|dash|hyphen) [\w.%+-]+)* (?:at|AT) [\w-]+(?: (?:dot|DOT) [A-Za-z]\w*)+"),
    regex.compile(r"[\w.%+-]+(?:@| at )example\.(?:com|org|net|edu)\b", re.I),
]
URL = [
    regex.compile(r"\b(?:https?|hxxps?|ftp|sftp)://[^\s|<>\"]+", re.I),
    regex.compile(r"\bwww\.[^\s|<>\"]+", re.I),
    regex.compile(r"\b[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|edu|io|gov|example|health|info|local|test)(?:[/:?][^\s|<>\"]*)?(?![\w@])", re.I),
]
PHOTO = regex.compile(r"(?<![\w/])[\w%.+()-]+\.(?:jpe?g|png|gif|tiff?|heic|bmp|dcm|pdf|docx?|mp4|mov|wav|mp3|txt|csv|xlsx?)\b", re.I)
IP = [
    regex.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?(?![\d]|\.\d)"),
    regex.compile(r"(?<![\w:])(?=[0-9A-Fa-f:]*[0-9A-Fa-f]:)(?=(?:[0-9A-Fa-f]*:){3,})[0-9A-Fa-f]{0,4}(?::{1,2}[0-9A-Fa-f]{1,4}){2,7}(?![\w:])"),
    regex.compile(r"(?<![\w:])[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}(?![\w:])"),
]
EXT = r"(?:/\d{4}(?!\d))?(?:,? ?(?:x|ext\.?|extension|#) ?\d{1,6})?"
PHONES = [
    regex.compile(r"(?<![\w.-])(?:\+?1[ .-]*)?\(?\d{3}\)?[ .\-/]*\d{3}[ .\-]*\d{2}[ .-]?\d{2}" + EXT + r"(?![\w])", re.I),
    regex.compile(r"(?<![\w./-])(?:\d{3}-\d{4}|555[ .-]?\d{4}|555[ .-]\d{2}[ .-]?\d{2})" + EXT + r"(?![\w])", re.I),
    regex.compile(r"(?<![\w.-])\+\d{1,3}(?:[ .-]?\d{2,4}){3,5}(?!\w)"),
]
LATER = [  # (pattern, tag): forms met late
    (regex.compile(r"(?i:\b(?:cell|phone|line|number|one|mobile|tel|landline|home)\b(?: number)?(?: is)?(?: that)? (?:ends|ending|ends in|ending in|ends with)) (?P<s>\d{2,4})\b"), "PHONE"),
    (regex.compile(rf"(?i:\b(?:out|on|by|until|before|since|after|due|from|through|seen|visit|again)) (?P<s>(?:0?[1-9]|1[0-2])-{DAY})(?![\w/-]|\.\d| ?(?:mg|units|days|weeks|times|tab|hours))"), "DATE"),
    (regex.compile(r"(?i:\b(?:out|on|by|until|before|since|after|due|from|through|seen|visit|again)) (?P<s>(?:1[3-9]|2\d|3[01])[/.-](?:0?[1-9]|1[0-2]))(?![\w/-]|\.\d| ?(?:mg|units|%))"), "DATE"),
    (regex.compile(rf"\b(?:in|on|again|by|until|for) the (?P<s>{ORDW})(?= and\b| or\b|[,.;)\n]|$)"), "DATE"),
    (regex.compile(rf"\band (?:again )?(?:on )?the (?P<s>{ORDW})(?=[,.;)\n]|$| both\b)"), "DATE"),
    (regex.compile(r"(?<![\w.@/-])(?P<s>[a-z]{4,8}\d{2,4})(?![\w@]|\.\w)"), "OTHER"),
    (regex.compile(r"(?i:bed plan(?: shows)?:?|on the board as|board alias:?|made out to|alias:?|listed as|shown as|code ?name:?|goes by) (?P<s>[A-Z]{2,6}\d{2,4})\b"), "OTHER"),
    (regex.compile(r"(?<![\w/])(?P<s>(?:[A-Z]/)?[A-Za-z]\d{5,8}[A-Za-z](?:/[A-Z])?)(?![\w/])"), "ID"),
    (regex.compile(r"(?<![\w-])(?P<s>\d[A-Z]-\d\d-\d\d-[A-Z]\d)(?![\w-])"), "ID"),
    (regex.compile(r"(?i:(?:shelf|sit under|filed under|back under|stored under|stickers for|labels? (?:printed )?for|films pulled for|came back as|went down under)) (?P<s>(?=\S*\d\S*\d\S*\d)[\w/-]*\w)"), "ID"),
    (regex.compile(r"(?<![\w-])(?P<s>\d ?(?!(?i:tab|cap|day|mcg|amp|for|and|wks|hrs|min|pum|per|mgs|est)\b)[A-Za-z]{3} ?\d{3})(?![\w-])"), "VEHICLE"),
    (regex.compile(r"(?i:above|over|behind|next to|near|beside) (?P<s>the (?:[a-z][\w-]* ){1,3}on (?:[A-Z]\w+)(?: [A-Z]\w+)?)"), "LOCATION"),
    (regex.compile(r"(?P<s>\b(?:the|a) (?:[a-z][\w-]* ){0,2}(?:house|houseboat|trailer|cabin|farmhouse|cottage|barn|shack|bungalow|duplex|mobile home|tent|boat|camper|hut|mansion|chapel|lighthouse|mill) (?:behind|beside|next to|near|by|opposite|across from|above|under|past|below|at) the [a-z][\w-]*(?: (?!and|or|with|on|at|in|for|is|was|to\b)[a-z][\w-]*)?)"), "LOCATION"),
    (regex.compile(r"(?i:\b(?:lodger|tenant|boarder|housemate|flatmate|roommate),? )\(?(?P<s>(?!is\b|was\b|does\b|has\b|who\b|and\b|lets\b|at\b)[A-Za-z]+(?: (?!does|lets|is|was|has|who|and|at|in|helps|can)[A-Za-z]+(?:-[A-Za-z]+)?)?)\)?(?=[,.;)\n]| does| lets| is| was| can| helps|$)"), "NAME"),
    (regex.compile(rf"(?:let to|rented to|shares? (?:a|the) (?:room|flat|house) with|sublet to) (?P<s>{NAMESEQ})"), "NAME"),
]
TAG = regex.compile(r"(?<![A-Za-z0-9])([A-Z]{2,3}) (?:0?[1-9]|[12]\d|3[01])/(?:0?[1-9]|[12]\d|3[01])(?![\d/])")
ALIAS = regex.compile(r"(?<![\w-])([A-Z]{3,5})\d{2}(?![\w-])")
KEEP = regex.compile(
    r"(?i:PHQ-?\d* \d+/\d+|GAD-?7 \d+/\d+|MoCA \d+/\d+|MMSE \d+/\d+|\blot #?\d+|\bmeter \d+-\d+|(?:software|version|firmware|release|build|v) ?\d+(?:\.\d+){1,4}|"
    r"\bREF #?[\d-]+|\bIRB #?[\d-]+|\bNCT ?\d{8}\b|\border set [\d-]+|\bset \d{3,4}-\d+|strain [\w/]+|\b24/7\b|insulin \d+[-/]\d+|\bday \d-\d|"
    r"\b(?:OD|OS|OU) 20/\d+|\bplate (?:LCP|DCP|VA)[ \d.]*|\bbed \d+[A-Z]?|[A-Z]\d/\d+ (?:foraminal|disc|disk|level)|systolic in the \d0s|\b\d+-\d+-\d+-\d+ on|"
    r"RxNorm \d+|LOINC [\d-]+|SNOMED \d+|ICD-10 [\w.]+|model \w+|catalog(?:ue)? [\w-]+|\bNDC [\d-]+|\bCPT \d+|\bpage #?\d+)|"
    r"\b(?:Cameron lesion|Bristol (?:chart|stool)|Leg Press|Los Angeles grade|Hill-Sachs|Rose [Bb]engal|Wood(?:'s)? lamp|Blood Bank|Kelly clamp|"
    r"Ross procedure|Austin Flint|Duke criteria|Christmas (?:factor|disease|tree)|Ivy bleeding|Allis (?:forceps|clamp)|Foster frame|Victoria|"
    r"3 Phase CT|GAD65|SCL70|[a-z]+\.(?:org|gov|edu)\b(?!/))")
SSNS = [
    regex.compile(r"(?<![\w-])\d{3}[- .–]\d{2}[- .–]\d{4}(?![\w-])"),
    regex.compile(r"(?<![\w-])[xX*#]{3}[- ]?[xX*#]{2}[- ]?\d{4}(?!\w)"),
    regex.compile(r"(?i:social security|\bssn?\b|last (?:four|4)|tax id)[^\n.;]{0,45}?(?P<s>(?<![\w-])\d{4}|\d{9}|\d{3}[- ]?\d{2}[- ]?\d{4})(?![\w-])"),
]
LONG_ID = regex.compile(r"(?<![\w.,/%-])#?(?=(?:[A-Za-z0-9():_-]*\d){6})[A-Za-z0-9(][A-Za-z0-9():_-]*[A-Za-z0-9)](?![\w])")
SHA = regex.compile(r"\b(?:(?:sha\d*|md5|hash|uuid|guid) ?[:=] ?)?(?=[0-9a-f-]*\d)[0-9a-f]{8,}(?:-[0-9a-f]{2,})*\b", re.I)
PO_BOX = regex.compile(r"\b(?:P\.? ?O\.? ?|Post Office )Box (?:no\.? )?#?\d+(?:, )?", re.I)
CROSS = regex.compile(r"\b(?:\d{1,3}(?:st|nd|rd|th)|" + NAMEWORD + r")(?: (?:St|Ave|Street|Avenue)\.?)? (?:&|and|/|x) "
                   r"(?:\d{1,3}(?:st|nd|rd|th)|" + NAMEWORD + r")(?: " + CAP + r")?(?=[ ,.;]|$)")
CROSS_BEFORE = regex.compile(r"(?:near|from|at|corner of|intersection of|BIBA|outside|between|by) $")
SCHOOL = regex.compile(rf"(?:{CAP} ){{1,3}}(?:Elementary|Middle|High|Primary|Preparatory|Prep|Academy|College|University|"
                    rf"Kindergarten|Preschool|Montessori|Unified)(?: (?:School|District))*\b")
COUNTY = regex.compile(rf"\b{CAP}(?: (?!County){CAP})? (?:County|COUNTY|Parish|Co\.)(?!\w)")
WORKS = regex.compile(rf"(?:[Ww]orks? (?:for|at|with)|[Ww]orked (?:for|at)|[Ee]mployed (?:by|at|with)|EMPLOYER:|Employer:|"
                   rf"[Ee]mployee of|[Rr]etired from|job at|shifts at|boss at|[Ww]ork at)(?: the)? (?P<s>{NAMEWORD}(?:(?:, | and | & | of )?[ ]?{NAMEWORD})*)")
PLACE = regex.compile(rf"(?:[Ll]ives (?:in|near|outside)|[Mm]oved to|[Mm]oved from|[Gg]rew up in|[Ff]rom the town of|[Rr]esides in|"
                   rf"[Ll]etter was sent to|[Bb]orn in|[Rr]eturned from|town of|city of|village of|[Rr]esident of|native of|Lives)"
                   rf" (?P<s>(?![A-Z]{{2,}}\b){CAP}(?: {CAP}){{0,2}})")
UNIQUE = [
    regex.compile(r"(?i:recogni[sz]ed|known|identified|remembered|introduced) (?:(?:him|her|them|the patient|locally|in town|here|everywhere) )*as (?P<s>(?:the|a|an|our) [^.;\n|]+?)(?=[.;\n|]|$|, [a-z]| and [a-z])"),
    regex.compile(r"(?<![A-Za-z])(?P<s>(?:the|a|an|our|its|their) (?:(?!recogni|and|as\b|was|is\b|of\b)[a-z][\w'’-]* ){0,4}?(?:mayor|fire chief|police chief|chief of police|champion|harpist|"
               r"bell ringer|ringer|governor|senator|congress(?:man|woman)|bishop|imam|rabbi|judge|sheriff|school principal|"
               r"postmaster|librarian|lighthouse keeper|beekeeper|astronaut|olympian|lottery winner|weather ?man|newscaster|"
               r"council(?:man|woman|or)|organist|town crier|ferryman|blacksmith|puppeteer|clockmaker|falconer)(?: (?:of|in|at|for) (?:the )?[A-Z]\w+(?: [A-Z]\w+){0,2})?)", ),
    regex.compile(r"(?<![A-Za-z])(?P<s>the (?!last (?:review|visit|four|dose|time))(?:only|first|last|sole|oldest|youngest|longest-\w+|former|reigning|current|best-known|tallest|late|retired) (?:(?!and|or|review|results?|visit|history|family|of\b|in\b|at\b)[a-z][\w'’-]* ){1,4}(?:of|in|at) (?!(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|Hodgkin))[A-Z]\w+(?: [A-Z]\w+){0,2})"),
]
TITLE = regex.compile(r"(?<![A-Za-z])(?:M[rs]s?\.?|Miss|Mister|Mx\.?|MR\.?|MRS\.?|MS\.?|Sr\.|Sra\.|Se[nñ]ora?) (?P<s>(?:[A-Z]\. ?){0,2}" + rf"(?:{PARTICLE} )?{NAMEWORD}(?: {NAMEWORD}){{0,2}}|{PARTICLE} {NAMEWORD})")
NICK = regex.compile(rf"(?:friend of the family, |Ride home: |[Rr]ide from |[Dd]riven by |picked up by )(?P<s>(?:(?:Little|Big|Old|Uncle|Aunt|Auntie|Young|Cousin|Grandma|Grandpa|Papa|Mama|Tia|Tio|Miss) )?{NAMESEQ})")
RELNAMES = [
    regex.compile(rf"(?P<s>{NAMESEQ}) \((?:{REL})\)"),
    regex.compile(rf"(?<![A-Za-z])(?:[Tt]he |[Hh]er |[Hh]is |[Tt]heir |an? )?(?i:{REL}),? (?:is |named |called )?(?P<s>{NAMESEQ})(?=[,.;)\n]| can| is| was| has| at| and| w/|$)"),
    regex.compile(rf"(?:NOK:|EMERG:|Next of kin (?:are|is)|[Ee]mergency contact:?|D/w|[Ss]poke with|TC from|ICE:|CONTACT:|Contact:|w/ {REL}) (?P<s>{NAMESEQ}(?:/{NAMESEQ})?)"),
    regex.compile(rf"(?:dropped off by|relabelled for|picked up by|signed out by|called) (?P<s>{NAMESEQ})(?= MRN|$|[,.;]| at)"),
    regex.compile(rf"(?:^|\n|\| )(?:Patient|PATIENT|Name|NAME|PT|Pt|RE|Re|Dictation on|dictating on)(?: ?[:|]| Name:)? (?P<s>{NAMESEQ})(?= ?\||\n|  | \(|$)"),
    regex.compile(rf"\bI, (?P<s>{NAMESEQ}), born"),
    regex.compile(r"(?:spelled|spelt|spelling)(?: as| is)? (?P<s>[A-Z](?:[-. ]{1,2}[A-Z])+)\b"),
]
SPELLED = regex.compile(r"(?<![A-Za-z0-9])[A-Z](?:[-. ][A-Z]){2,}(?![A-Za-z0-9])")
EPONYM = regex.compile(
    r"(?:\b(?:(?:non-)?[A-Z][\w'’-]+[ -]){1,3}(?:disease|syndrome|score|sign|signs|virus|lymphoma|scale|criteria|palsy|tumou?r|sarcoma|"
    r"esophagus|oesophagus|test|maneuver|manoeuvre|reflex|catheter|contracture|fracture|esophagitis|thyroiditis|cyst|"
    r"ulcer|chorea|dementia|nodes?|node|phenomenon|anemia|disorder|classification|class|index|position|law|ataxia|"
    r"encephalopathy|aphasia|area|deformity|drain|line|block|point|triad|ring|bodies|body|lesion|rule|stain|arthritis|"
    r"gangrene|hernia|murmur|canal|procedure|operation|technique|bandage|splint|cast|tube|effect|nephropathy|"
    r"sarcoidosis|granulomatosis|vasculitis|thyroid|fever|spots|lines|crisis|stage|grade|rash|spasm|coma|stroke|"
    r"exposure|equation|formula|monitor|forceps|clamp|needle|collar|brace|boot|hip|knee)\b(?! \d{1,2}[/-]))|"
    r"\bGlasgow Coma Scale|\bApgar|\bFoley (?:catheter|out|in|removed)|\bMay[- ]Thurner|\bNorwalk virus|\bEjection fraction|"
    r"\bWells score|\b(?:Homans|Romberg|Babinski|Murphy|Kernig|Brudzinski|Tinel|Phalen|Lasegue)(?: sign)? (?:sign|negative|positive|absent|present|normal)|"
    r"\bPage(?= #?\d)|\bpage #\d+|\bHeart (?:failure|rate)|\bBest reached|\bFollow-up|\bReading(?:s)? (?:are|is)|\bLong[- ]term|"
    r"\b(?:Marlow Valley Medical Center|Granite Notch Hospital|Sandhills Regional Hospital)")
TITLED = {"mr", "ms", "mrs", "miss", "dr", "pt", "patient", "name"}
COMMON = set("""heart long will may page best love hope grace faith joy green black white brown gray grey young old king price
stone wood woods field fields rose rivers hill hills bush lane street park wells graves wilson foley case day days early
banks bass bell bell's berry bird bishop bond boone bowl broad brook brooks buck burns butler carpenter cook cross deal drew
driver ford forest foot fox frost gift glass good goodluck grant hand hall head holder hunt ivory joy judge knight lamb law
leaf light little lord major mark marsh max miles mills mercy moon moss noble north page pain pace parent parish parker
patience peace person pitt pitts poole pope porter power powers precious priest quick ray reed rich rivers rock roman rocky
root rush rusty sage saint sharp shepherd short small snow south sparks spear spring stark steel strong summer sun sunny
swan sweet temple terry thorn tower townsend train tubes walk walker walks walls ward waters weaver weeks west winter wise
wolf worth yard angel art bill bob chance chase chip clay cliff comfort dale daisy dawn dean diamond don drew earl eve fern
gene ginger guy hazel heath holly honey ice ivy jack jade jean june april august jewel ken lance laurel lily melody mike
misty nick norm olive olivia opal pat pearl penny peace pike poppy raven rain ray reading robin rob ruby rusty sandy scout
skip sky star sterling storm sunday tad tip tom tony trace tracy trip van victoria violet wade ward an bath can do ha he in
is it ma mai me my no on or she so than the thin to tran tu was we you yes son duration ann con min man men let set van rae
bay bath back call home seen born visit patient name date cut dad mom has had her his him lives loan mail mass mean move
nurse plan pulse result results social weight works since told family friend child spouse sibling neighbor told""".split())


def fold(text):
    """ASCII folding of a text, and for every character of it the start and end of its source in the text."""
    if text.isascii() and "&" not in text and "`" not in text:
        return text, range(len(text)), range(1, len(text) + 1)
    out, starts, ends = [], [], []
    i, n = 0, len(text)
    while i < n:
        j = i + 1
        ch = text[i]
        if ch == "&":
            m = re.match(r"&(?:#\d{1,6}|#x[0-9a-fA-F]{1,5}|[A-Za-z]{2,8});", text[i:i + 12])
            if m:
                ch, j = html.unescape(m.group()), i + m.end()
        for c in unicodedata.normalize("NFKD", ch):
            if unicodedata.combining(c) or c in "\u200b\u200c\u200d\u00ad\ufeff\u2060":
                if ends:
                    ends[-1] = j
                continue
            c = FOLD.get(c, c)
            if c.isspace() and c not in "\n\t":
                c = " "
            for x in c:
                out.append(x)
                starts.append(i)
                ends.append(j)
        i = j
    return "".join(out), starts, ends


FOLD = {"đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "ı": "i", "ß": "ss", "æ": "ae", "œ": "oe",
        "’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-", "\u202f": " "}


@lru_cache(maxsize=None)
def flat(text):
    return fold(text or "")[0]


class Scrubber:
    """Cleans free text. Everything is searched in the folded text and cut out of the original one."""

    def __init__(self, rel):
        self.rel = rel
        pats, contacts = rel.tables["patients"][1], rel.tables["contacts"][1]
        self.persons = defaultdict(list)
        for r in pats:
            self.persons[rel.one(r["patient_id"])].append(dict(r))
        for r in contacts:
            self.persons[rel.one(r["patient_id"])].append(r)
        self.add_fhir_people()
        for pid, people in self.persons.items():  # the charts and FHIR mostly say the same
            self.persons[pid] = [dict(x) for x in dict.fromkeys(tuple(p.items()) for p in people)]
        self.visit_staff = {r["encounter_id"]: words(r["provider_given"]) | words(r["provider_family"])
                            for r in rel.tables["encounters"][1]}
        self.staff = set().union(*self.visit_staff.values()) if self.visit_staff else set()
        self.staff_full = {(flat(r["provider_given"]).lower(), flat(r["provider_family"]).lower())
                           for r in rel.tables["encounters"][1]}
        cities = {flat(r["city"]) for r in pats if r["city"]} | {flat(r["county"]) for r in pats if r["county"]}
        for r in rel.fhir["Organization"]:
            cities |= {flat(a["city"]) for a in r.get("address", []) if a.get("city")}
        self.city_words = {w for c in cities for w in words(c)}
        city = "|".join(flexible(c) for c in sorted(cities, key=len, reverse=True)) or "(?!)"
        hospital = r"(?! (?:Valley )?(?:Medical|Hospital|Regional|Clinic|General|Health))"
        self.city = regex.compile(rf"{B}(?:{city}){E}(?P<tail>(?:,? (?:(?-i:[A-Z]{{2}})|California|Nebraska|Vermont|New Hampshire))?,? "
                               rf"\d{{5}}(?:-\d{{4}})?{E}|, (?-i:{STATE})\b(?! ?[:=]))?{hospital}", re.I)
        self.zip = regex.compile(rf"(?:\b[A-Z]{{2}} |\b[Zz][Ii][Pp](?: code)?:? )(?P<s>\d{{5}}(?:-\d{{4}})?){E}|{B}(?:"
                              + "|".join(sorted(rel.zip_codes)) + rf")(?:-\d{{4}})?{E}(?!\.\d)")
        suffix = {flat(re.sub(r",.*", "", r["street"])).split()[-1] for r in pats if r["street"].split()}
        suffix = {s for s in suffix if s.isalpha()} | set("""Street St Avenue Ave Road Rd Lane Ln Drive Dr Boulevard Blvd Court
            Ct Place Pl Way Terrace Ter Circle Cir Highway Hwy Parkway Pkwy Square Sq Trail Trl Loop Row Crescent""".split())
        suf = "|".join(sorted(map(re.escape, suffix), key=len, reverse=True))
        apt = r"(?:,? ?(?:Apt|Apartment|Unit|Suite|Ste|Rm|Room|Lot|#)\.? ?#?\w+)?"
        self.street = regex.compile(rf"{B}\d{{1,5}}[A-Za-z]? (?:[NSEW]\.? )?(?:(?-i:[A-Z])[\w'.-]*,? ){{0,3}}?(?:{suf})\b\.?{apt}(?:, ?(?=\d|(?-i:[A-Z])))?"
                                 .replace("\\b\\.?", r"\b(?:\.(?= ?,| Apt))?"), re.I)
        self.apt = apt
        employers = {flat(r["employer"]) for r in pats if r["employer"]}
        self.employer = regex.compile(B + "(?:" + "|".join(flexible(e) for e in sorted(employers, key=len, reverse=True)) + ")" + E, re.I) \
            if employers else None
        self.mrn = []
        for site, fmt in rel.card.get("mrn_format", {}).items():
            self.mrn.append(mrn_regex(fmt))
        self.all_names = Counter()
        for ps in self.persons.values():
            for p in ps:
                for w in set().union(*(words(p.get(c, "")) for c in ("given", "middle", "family"))):
                    self.all_names[w] += 1
        self.count_words()
        self.cache, self.short = {}, {}
        uses = defaultdict(set)  # texts without a digit of a number that many patients share come from a pick list
        for name, col in (("labs", "comment"), ("meds", "sig"), ("encounters", "reason")):
            for r in rel.tables[name][1]:
                if r[col] and not re.search(r"\d{3}|@", r[col]):
                    uses[r[col]].add(rel.owner(name, r))
        self.picked = {t for t, who in uses.items() if len(who) >= 8}

    def add_fhir_people(self):
        for r in self.rel.fhir["Patient"]:
            pid = self.rel.one(self.rel.vendor[r["id"]])
            for x in r.get("name", []):
                self.persons[pid].append({"given": " ".join(x.get("given", [])), "family": x.get("family", "")})
            for c in r.get("contact", []):
                x = c.get("name", {})
                self.persons[pid].append({"given": " ".join(x.get("given", [])), "family": x.get("family", "")})
            for t in r.get("telecom", []) + [t for c in r.get("contact", []) for t in c.get("telecom", [])]:
                self.persons[pid].append({t.get("system", ""): t.get("value", "")})
            for a in r.get("address", []):
                self.persons[pid] += [{"street": s, "city": a.get("city", "")} for s in a.get("line", [])]
        for r in self.rel.fhir["RelatedPerson"]:
            pid = self.rel.one(self.rel.vendor.get(r.get("patient", {}).get("reference", "").split("/")[-1]))
            for x in r.get("name", []):
                self.persons[pid].append({"given": " ".join(x.get("given", [])), "family": x.get("family", "")})

    def count_words(self):
        """How often a word stands in notes of people who are not called so: tells words from names."""
        self.lower, self.upper = Counter(), Counter()
        for n in self.rel.notes:
            own = set(self.visit_staff.get(n.get("encounter_id"), ()))
            for p in self.persons.get(self.rel.one(n["patient_id"]), ()):
                for c in ("given", "middle", "family", "employer", "street"):
                    own |= words(p.get(c, ""))
            seen = set(re.findall(r"[A-Za-z]+", EPONYM.sub(" ", KEEP.sub(" ", flat(n["text"])))))
            self.lower.update(w for w in seen if w.islower())
            self.upper.update({w.lower() for w in seen if w[0].isupper() and w.lower() not in own} - self.city_words - self.staff)
        self.total = len(self.rel.notes) or 1

    def ordinary(self, w):
        """A word that people use when they do not mean a person."""
        return w in COMMON or self.lower[w] > max(2, 0.002 * self.total) or self.upper[w] > max(6, 0.006 * self.total)

    def person(self, pid):
        """The patient's dictionary: words of names, numbers, and regular expressions of names and addresses."""
        if pid in self.cache:
            return self.cache[pid]
        toks, full, initials, numbers, emails, places = set(), set(), set(), set(), set(), set()
        for p in self.persons.get(pid, ()):
            g, m, f = (flat(p.get(c, "")) for c in ("given", "middle", "family"))
            for s in (g, m, f):
                toks |= words(s)
                if len(words(s)) > 1 or " " in s or "-" in s:
                    full.add(flexible(s))
            if g and f:
                a, b = re.sub(r"[^a-z]", "", g.lower()), re.sub(r"[^a-z]", "", f.lower())
                if len(a + b) > 6:
                    full |= {a + b, b + a}
            gi, fi = ([x[0] for x in re.findall(r"[A-Za-z]+", s)] for s in (g, f))
            if gi and fi:
                initials |= {gi[0] + fi[0], gi[0] + fi[-1], gi[0] + "".join(fi), "".join(gi) + fi[0], "".join(gi + fi)}
                if m:
                    initials |= {gi[0] + m[0] + fi[0], gi[0] + m[0] + fi[-1], gi[0] + m[0] + "".join(fi)}
            d = re.sub(r"\D", "", p.get("phone") or "")
            if len(d) >= 7:
                numbers |= {(d[-10:], "PHONE"), (d[-7:], "PHONE")}
            for c in ("mrn", "ssn", "health_plan_id"):
                v = re.sub(r"[^a-z0-9]", "", (p.get(c) or "").lower())
                if len(v) >= 4:
                    numbers.add((v, "ID"))
                v = re.sub(r"\D", "", v).lstrip("0")
                if len(v) >= 5:
                    numbers.add((v, "ID"))
            if p.get("email"):
                e = flat(p["email"]).lower()
                emails.add(e)
                if re.search(r"\d|[._]", e.split("@")[0]):
                    emails.add(e.split("@")[0])
            if p.get("street"):
                s = flat(p["street"])
                base = re.sub(r",.*", "", s).split()
                tail = self.apt + r"(?:, ?(?=\d|[A-Z]))?"
                places.add(flexible(re.sub(r",? (?:Apt|Unit|Suite|#).*", "", s)) + tail)
                if len(base) > 2:
                    places.add(re.escape(base[0]) + ",? " + re.escape(base[1]) + r"(?: [A-Z][\w.]*)?" + self.apt)
                    places.add(flexible(" ".join(base[1:])))
            if p.get("employer"):
                places.add(flexible(flat(p["employer"])))
                base = re.sub(r",? (?:Inc|LLC|Ltd|PLC|Group|and Sons)\.?$", "", flat(p["employer"]))
                if len(base.split()) > 1 or "-" in base:
                    places.add(flexible(base) + r"(?:,? (?:Inc|LLC|Ltd|PLC|Group|and Sons)\.?)?")
        toks = {t for t in toks if len(t) > 1}
        d = {"toks": toks, "initials": initials, "numbers": numbers, "emails": emails}
        every = sorted(full, key=len, reverse=True) + sorted(toks, key=len, reverse=True)
        if every:
            d["tok"] = re.compile(rf"(?<![A-Za-z0-9])({'|'.join(every)})('s|es'?|s'?|')?(?![A-Za-z0-9])", re.I)
        if places:
            d["place"] = re.compile(B + "(?:" + "|".join(sorted(places, key=len, reverse=True)) + ")" + E, re.I)
        self.cache[pid] = d
        return d

    # -- one text --

    def clean(self, text, pid, encounter=None):
        if text in self.picked:
            return text
        if len(text) < 200:
            if (text, pid) not in self.short:
                self.short[text, pid] = self.cut(text, pid, encounter)
            return self.short[text, pid]
        return self.cut(text, pid, encounter)

    def cut(self, text, pid, encounter):
        f, starts, ends = fold(text)
        spans = self.find(f, pid, encounter)
        out, at = [], 0
        for a, b, tag in spans:
            s, e = starts[a], ends[b - 1]
            if s < at:
                s = at
            if s >= e:
                continue
            out += [text[at:s], f"[{tag}]"]
            at = e
        out.append(text[at:])
        return "".join(out)

    def find(self, f, pid, encounter=None):
        d = self.person(self.rel.one(pid))
        spans = []

        def add(a, b, tag):
            while a < b and f[a] in " \n,":
                a += 1
            while b > a and f[b - 1] in " \n,;":
                b -= 1
            if a < b:
                spans.append((a, b, tag))

        def every(rx, tag, strip=""):
            for m in rx.finditer(f):
                a, b = (m.span("s") if "s" in rx.groupindex and m.group("s") else m.span())
                while strip and b > a and f[b - 1] in strip:
                    b -= 1
                add(a, b, tag)

        for rx in URL:
            every(rx, "URL", ".,;:)")
        for rx in EMAIL:
            every(rx, "EMAIL", ".,;:'")
        every(PHOTO, "FILE")
        for rx in IP:
            for m in rx.finditer(f):
                if ":" not in m.group() or "::" in m.group() or m.group().count(":") >= 5:
                    add(*m.span(), "IP")
        if "place" in d:
            every(d["place"], "LOCATION")
        low = f.lower()
        for e in d["emails"]:
            at = low.find(e)
            while at >= 0:
                if not (at and low[at - 1].isalnum()) and not low[at + len(e):at + len(e) + 1].isalnum():
                    add(at, at + len(e), "EMAIL")
                at = low.find(e, at + 1)
        where = [i for i, c in enumerate(low) if c.isalnum()]
        tight = "".join(low[i] for i in where)
        for v, tag in d["numbers"]:
            at = tight.find(v)
            while at >= 0:
                i, j = where[at], where[at + len(v) - 1]
                inner = where[at:at + len(v)]
                if j - i < 2 * len(v) + 4 and "\n" not in f[i:j] and all(y - x <= 3 for x, y in zip(inner, inner[1:])) \
                        and not (i and f[i - 1].isdigit()) and not f[j + 1:j + 2].isdigit():
                    if i and f[i - 1] in "#(":
                        i -= 1
                    add(i, j + 1, tag)
                at = tight.find(v, at + 1)
        for rx in PHONES:
            every(rx, "PHONE")
        for rx in SSNS:
            every(rx, "ID")
        for rx in self.mrn:
            every(rx, "ID")
        for rx, tag in LATER:
            every(rx, tag)
        for m in TAG.finditer(f):
            if m.group(1) in d["initials"]:
                add(*m.span(), "OTHER")
        for m in ALIAS.finditer(f):
            if any(t.startswith(m.group(1)[:2].lower()) for t in d["toks"]) and m.group() not in ("GAD65", "SCL70"):
                add(*m.span(), "OTHER")
        dates = []
        for rx in DATES:
            for m in rx.finditer(f):
                dates.append(m.span())
        for m in SLASH.finditer(f):
            before, after = f[max(0, m.start() - 24):m.start()], f[m.end():m.end() + 20]
            if SLASH_NO_BEFORE.search(before) or SLASH_NO_AFTER.match(after):
                continue
            if int(m.group(2)) in (2, 3, 4, 5, 6, 10) and not SLASH_YES.search(before):
                continue
            dates.append(m.span())
        for a, b in dates:
            add(a, b, "DATE")
        if self.rel.old(pid):
            y = self.rel.patients[pid]["birth_date"][:4]
            every(regex.compile(rf"{B}{y}{E}(?!\.\d)"), "DATE")
            every(regex.compile(rf"(?<=born in )(?:'\d\d|{YEAR}){E}"), "DATE")
        for rx in AGES:
            every(rx, "AGE")
        for rx in IDS_RX:
            for m in rx.finditer(f):
                s = m.group("s")
                key = m.group()[:m.start("s") - m.start()].strip().lower()
                if len(re.findall(r"\d", s)) >= 3 and (key.split()[0] in BADGES or not re.fullmatch(YEAR, s)) \
                        and not re.match(r"\d{1,4}(?:\.\d+)? ?(?:(?:mg|mcg|ml|kg|g)\b|%)", s + f[m.end():m.end() + 4], re.I):
                    add(m.start("s"), m.end("s") - (s[-1] in ".:"), "ID")
        every(SHA, "ID")
        for m in LONG_ID.finditer(f):
            if not re.fullmatch(r"\d{1,3}(?:,\d{3})+", m.group()):
                add(*m.span(), "ID")
        # places
        every(PO_BOX, "LOCATION")
        every(self.street, "LOCATION")
        every(self.city, "LOCATION")
        every(self.zip, "LOCATION")
        every(SCHOOL, "LOCATION")
        every(COUNTY, "LOCATION")
        if self.employer:
            every(self.employer, "LOCATION")
        every(WORKS, "LOCATION")
        every(PLACE, "LOCATION")
        for m in CROSS.finditer(f):
            if CROSS_BEFORE.search(f[max(0, m.start() - 18):m.start()]):
                add(*m.span(), "LOCATION")
        for rx in UNIQUE:
            for m in rx.finditer(f):
                if rx is UNIQUE[0] and re.match(r"(?:the )?(?:patient|Mr|Ms)", m.group("s")):
                    continue
                add(*m.span("s"), "OTHER")
        self.names(f, d, add, encounter)
        keep = [m.span() for m in KEEP.finditer(f)]
        spans = sorted(x for x in spans if not any(a <= x[0] and x[1] <= b for a, b in keep))
        merged = []
        for a, b, tag in spans:
            if merged and a < merged[-1][1]:
                merged[-1][1] = max(b, merged[-1][1])
            elif merged and tag == merged[-1][2] and re.fullmatch(r"[ ,]{0,2}", f[merged[-1][1]:a]):
                merged[-1][1] = max(b, merged[-1][1])
            else:
                merged.append([a, b, tag])
        return merged

    def names(self, f, d, add, encounter):
        guard = [m.span() for rx in (EPONYM, KEEP) for m in rx.finditer(f)]
        safe = lambda a, b: any(x <= a and b <= y for x, y in guard)
        staff = self.visit_staff.get(encounter, set())
        found = []

        def hit(a, b):
            if not safe(a, b):
                found.append((a, b))

        for m in INITIALS.finditer(f):
            if re.sub(r"[^A-Z]", "", m.group()) in d["initials"]:
                found.append(m.span())
        for m in INITIALS2.finditer(f):
            if m.group() in d["initials"]:
                found.append(m.span())
        weak = []
        if "tok" in d:
            for m in d["tok"].finditer(f):
                w, text = m.group(1).lower(), m.group(1)
                after = f[m.end():m.end() + 24]
                if safe(*m.span()) and not self.titled(f, m.start()):
                    continue
                if not text[0].isupper():
                    if not self.ordinary(w) and len(w) > 3:
                        found.append(m.span())
                    else:
                        weak.append(m.span())
                elif self.titled(f, m.start()) or VERB.match(after) or self.beside(f, m, d):
                    found.append(m.span())
                elif w in MONTH_NAMES:
                    if not MODAL.match(after):
                        found.append(m.span())
                elif self.ambiguous(w):
                    weak.append(m.span())
                elif re.match(r" (?:Hospital|Medical Center|Regional)", after):
                    continue
                else:
                    found.append(m.span())
        for x, y in zip(weak, weak[1:]):
            if y[0] > x[1] and re.fullmatch(r",? ?|_|-", f[x[1]:y[0]]) and f[x[0]:x[1]].lower() != f[y[0]:y[1]].lower():
                found.append((x[0], y[1]))
        if d["toks"]:
            for m in re.finditer(r"(?<![A-Za-z0-9])[A-Z][A-Za-z]{3,}(?![A-Za-z0-9])", f):
                w = m.group().lower()
                if w in d["toks"] or w in staff or self.ordinary(w) or self.upper[w] > 3 or self.lower[w] > 0 or safe(*m.span()):
                    continue
                base = re.sub(r"'?s$", "", w)
                for t in d["toks"]:
                    if len(t) < 4 or abs(len(t) - len(w)) > 2:
                        continue
                    top = 1 if len(t) < 8 else 2
                    if min(OSA.distance(w, t), OSA.distance(base, t)) <= top:
                        found.append(m.span())
                        break
        for m in SPELLED.finditer(f):
            s = re.sub(r"[^A-Z]", "", m.group()).lower()
            if s in d["toks"] or any(s in t or t in s or OSA.distance(s, t) <= 1 for t in d["toks"] if len(t) > 3 and len(s) > 2):
                found.append(m.span())
        for rx in [TITLE, NICK, *RELNAMES]:
            for m in rx.finditer(f):
                a, b = m.span("s")
                if rx is TITLE:  # further words only if they are names
                    parts = list(re.finditer(r"[^\s]+", f[a:b]))
                    end = None
                    for x in parts:
                        w = re.sub(r"[^A-Za-z-]", "", x.group()).lower()
                        if end is None or w in d["toks"] or (w in self.all_names and not self.ordinary(w)):
                            end = a + x.end()
                            if re.fullmatch(rf"{PARTICLE}|[A-Z]\.", x.group()):
                                continue
                        else:
                            break
                    b = end or b
                first = re.match(r"[A-Za-z]+", f[a:b])
                if rx in RELNAMES and first and first.group().lower() in NOT_NAMES:
                    continue
                found.append((a, b))
        # two words that are names of people in the data and not of staff
        for m in re.finditer(r"(?<![A-Za-z])([A-Z][A-Za-z]+),? ([A-Z][A-Za-z]+)(?:-([A-Z][A-Za-z]+))?", f):
            x, y = m.group(1).lower(), m.group(2).lower()
            if x in self.all_names and y in self.all_names and not safe(*m.span()) and x not in staff and y not in staff \
                    and not self.ordinary(x) and not self.ordinary(y) and x not in self.city_words and y not in self.city_words \
                    and (x, y) not in self.staff_full and (y, x) not in self.staff_full and not ({x, y} & self.staff):
                found.append(m.span())
        # ordinary words count as names beside a name
        grew = True
        while grew and weak:
            grew = False
            for w in list(weak):
                for a, b in found:
                    gap = f[b:w[0]] if b <= w[0] else f[w[1]:a] if w[1] <= a else "x"
                    if len(gap) <= 3 and re.fullmatch(r"[ ,]{0,2}[-/]?", gap):
                        found.append(w)
                        weak.remove(w)
                        grew = True
                        break
        # an initial beside a name, a possessive after it
        ini = {x[0] for i in d["initials"] for x in i} | {t[0].upper() for t in d["toks"]}
        for a, b in found:
            m = re.match(r"(?:,? ?| )([A-Z])(\.)?(?![A-Za-z0-9&/'])", f[b:b + 5])
            if m and m.group(1) in ini and (m.group(2) or m.start(1)):
                if not (m.group(2) is None and re.match(r" [a-z]", f[b + m.end():b + m.end() + 2]) and m.group(1) in "AI"):
                    b += m.end(1)
            m = re.search(r"(?<![A-Za-z./&-])((?:[A-Z]\. ?){1,2})$", f[max(0, a - 7):a])
            if m and m.group(1)[0] in ini:
                a -= len(m.group(1))
            add(a, b, "NAME")

    def beside(self, f, m, d):
        """After the patient's own initial, or a family's plural."""
        before = f[max(0, m.start() - 4):m.start()]
        i = re.search(r"(?<![A-Za-z.])([A-Z])\. ?$", before)
        if i and any(i.group(1) in x for x in d["initials"]):
            return True
        return bool(re.search(r"\b[Tt]he $", before) and (m.group(2) or "").endswith("s")
                    and re.match(r" (?:were|was|are|updated|have|had|came|called|asked|agree|know|family|visited)", f[m.end():m.end() + 12]))

    def ambiguous(self, w):
        return w in AMBIGUOUS or self.upper[w] > max(6, 0.006 * self.total)

    def titled(self, f, a):
        return bool(re.search(r"(?:M[rs]s?\.?|Miss|Pt|PT:|Patient:|Name:|NAME \||PATIENT \||[Tt]he patient,|dictating on|[Dd]ictation on|for) $",
                              f[max(0, a - 16):a]))


INITIALS = regex.compile(r"(?<![A-Za-z.])(?:[A-Z]\. ?){1,4}[A-Z]\.(?:'s)?(?![A-Za-z])|(?<![A-Za-z.])(?:[A-Z]\.){2,4}(?:'s)?(?= ?[A-Z][a-z])")
INITIALS2 = regex.compile(r"(?<=PT: |Pt |TC from |Pt: |Patient |patient |NAME \| |PATIENT \| )[A-Z]{2,4}\b(?!\.)")
VERB = regex.compile(r" (?:says?|said|reports?|reported|improved|tolerated|helps|prefers|given|has been|knows|lives|denies|states|"
                  r"understands|agrees|called|wants|feels|felt|asked|asks|describes|notes|complains|A&O|family mtg|was alert|"
                  r"was admitted|works|volunteers|is an? (?:\d|[a-z-]+-year|[mw]|lady|gentle|patient)|is \d+)")
MODAL = regex.compile(r" (?:repeat|take|have|be|need|use|resume|return|shower|call|not|also|increase|give|start|stop|continue)\b|[- ]Thurner")
MONTH_NAMES = {"may", "june", "april", "august"}
BADGES = {"badge", "template", "plate", "account", "acct", "acct.", "license", "licence"}
NOT_NAMES = set("""the this these family friend spouse child sibling parent neighbor mr ms mrs dr blood labs result results no nothing
she he reports denies clinic hospital wife husband patient date mrn name dob sex call home patient telephone phone pt""".split())
AMBIGUOUS = set("""page heart wells graves wilson foley may will best call reading case day home loan mail ride diet does next
strength vital pain pulse blood weight family told take takes first sign an no so do he she on in is it to my me or""".split())


@lru_cache(maxsize=None)
def words(text):
    found = [w.lower() for w in re.findall(r"[A-Za-z]+", flat(text)) if len(w) > 1]
    return {w for w in found if len(found) < 2 or w not in
            {"de", "la", "las", "los", "del", "al", "el", "da", "dos", "der", "von", "bin", "ibn"}}


@lru_cache(maxsize=None)
def flexible(text):
    """A regular expression of a text whose spaces and hyphens may be written in other ways."""
    parts = re.split(r"[\s-]+", text.strip())
    return r"[\s_-]*".join(re.escape(p) for p in parts) if parts and text.strip() else "(?!)"


def mrn_regex(fmt):
    """Numbers of a format, with other separators or none."""
    body = [c for c in fmt if c.isalnum() or c in "#@"]
    rx = []
    for i, c in enumerate(body):
        rx.append(r"\d" if c == "#" else "[A-Za-z]" if c == "@" else re.escape(c))
    digits = sum(c == "#" for c in body)
    sep = r"[ \-./]?" if digits >= 5 else r"[\-]?"
    return regex.compile(r"(?<![A-Za-z0-9.\-/])#?" + sep.join(rx) + r"(?![A-Za-z0-9]|[/.-]\d)", re.I)


def norm_id(text):
    return re.sub(r"[^A-Z0-9]", "", (text or "").upper())


# ---- FHIR pieces -------------------------------------------------------------------------------


def coding(c):
    return {k: c[k] for k in ("system", "version", "code", "display") if k in c} if c else None


def concept(c):
    if not c:
        return None
    return {"coding": [coding(x) for x in c.get("coding", [])], "text": c.get("text")}


def prune(value):
    """Without empty parts, which FHIR does not allow."""
    if isinstance(value, dict):
        out = {k: p for k, v in value.items() if (p := prune(v)) is not None}
        return out or None
    if isinstance(value, list):
        out = [p for v in value if (p := prune(v)) is not None]
        return out or None
    return None if value is None or value == "" else value


# ---- plumbing ----------------------------------------------------------------------------------


def to_date(text):
    m = re.match(r"(\d{4})-(\d\d)-(\d\d)", text or "")
    try:
        return date(*map(int, m.groups())) if m else None
    except ValueError:
        return None


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
        return reader.fieldnames, rows


def write_csv(path, columns, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


def write_lines(path, items):
    write_text(path, "".join(json.dumps(i, ensure_ascii=False) + "\n" for i in items))


def write_text(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
