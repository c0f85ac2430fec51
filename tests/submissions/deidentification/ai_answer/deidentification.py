"""Makes the research copy of the charts. Text cleaning is in scrub.py, word lists in lexicon.py."""

import csv
import datetime as dt
import hashlib
import hmac
import json
import math
import re
import sys
import tomllib
from collections import Counter, defaultdict
from pathlib import Path

from dateutil import parser as dates

sys.path.insert(0, str(Path(__file__).resolve().parent))
from scrub import Known, Scrubber, fold  # noqa: E402

TABLES = ["patients", "contacts", "encounters", "conditions", "labs", "meds"]
RELEASED = ["Patient", "Encounter", "Condition", "Observation", "MedicationRequest"]

NAME_PARTS = {"name", "first", "last", "middle", "maiden", "given", "family", "surname", "suffix", "prefix", "nick",
              "nickname", "alias", "preferred", "former", "initials", "mother", "father", "spouse", "guardian"}
NUMBER_PARTS = {"ssn", "social", "mrn", "phone", "telephone", "tel", "mobile", "cell", "fax", "plan", "member", "policy",
                "subscriber", "account", "acct", "license", "licence", "plate", "vin", "vehicle", "device", "serial",
                "badge", "passport", "visit", "record", "chart", "medicare", "medicaid", "beneficiary", "ip"}
PLACE_PARTS = {"street", "address", "addr", "line", "line1", "line2", "city", "town", "county", "district", "employer",
               "company", "school", "workplace", "birthplace", "neighborhood", "village"}
WEB_PARTS = {"email", "mail", "url", "web", "website", "photo", "image", "file", "username", "login", "handle", "portal"}
DIRECT = NAME_PARTS | NUMBER_PARTS | PLACE_PARTS | WEB_PARTS | {"lat", "lon", "latitude", "longitude", "geo"}
SAFE_PATIENT = {"site", "sex", "gender", "race", "ethnicity", "ethnic", "language", "marital", "state", "country",
                "religion", "deceased", "payer", "insurance", "smoking", "education", "interpreter", "veteran"}
FREE_TEXT = {"comment", "comments", "sig", "note", "notes", "remark", "remarks", "instruction", "instructions", "text",
             "reason", "freetext", "memo", "complaint", "directions", "narrative"}
CODE_LIKE = {"loinc", "rxnorm", "snomed", "icd", "icd10", "cpt", "ndc", "atc", "code"}


def deidentify(in_dir, out_dir, key):
    in_dir, out_dir = Path(in_dir), Path(out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    Release(in_dir, out_dir, key).run()


# ---- the policy card ---------------------------------------------------------------------------


def as_date(value):
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    parsed = parse_date(value) if isinstance(value, str) and re.search(r"\d", value) else None
    return parsed.date() if parsed else None


def flat(value, path=()):
    if isinstance(value, dict):
        for name, part in value.items():
            yield from flat(part, path + (str(name).lower(),))
    else:
        yield path, value


class Card:
    """The card's rules, read leniently: its keys may be nested and differ in wording."""

    def __init__(self, raw):
        items = list(flat(raw))
        self.as_of = next((as_date(v) for p, v in items if p[-1] == "as_of" and as_date(v)), None) or dt.date.today()
        self.withheld = set()  # (table or None, column)
        words = []
        low = high = None
        self.step, self.anchor = 1, dt.date(2000, 1, 1)
        for path, value in items:
            name = "_".join(path)
            if re.search(r"withh|blank|drop|remove|omit|suppress|exclude", name):
                for item in value if isinstance(value, list) else [value]:
                    if isinstance(item, str):
                        table, _, column = item.strip().rpartition(".")
                        if not table and path[-1] in TABLES:
                            table = path[-1]
                        self.withheld.add((table.split("/")[-1].removesuffix(".csv") or None, column))
                continue
            if path[-1] == "as_of":
                continue
            unit = 7 if "week" in path[-1] else 1
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if re.search(r"anchor|origin|epoch|day_zero|day_one|reference|start", name) and as_date(value):
                self.anchor = as_date(value)
            elif re.search(r"multiple|step|granular", name) and number:
                self.step = max(1, int(value) * unit)
            elif re.search(r"weekday|whole_week", name) and value is True:
                self.step = 7
            elif number and re.search(r"min|low|least|from", path[-1]):
                low = int(value) * unit
            elif number and re.search(r"max|high|most|days|weeks|window|to$", path[-1]):
                high = int(value) * unit
            elif isinstance(value, list) and len(value) == 2 and all(isinstance(v, int) for v in value):
                low, high = sorted(v * unit for v in value)
            elif isinstance(value, str) and re.search(r"rule|date|shift|mode|direction|move", name):
                words.append(value.lower())
            elif value is True:
                words.append(path[-1])
        text = " ".join(words)
        self.relative = bool(re.search(r"\brelative\b", text))
        if re.search(r"week", text):
            self.step = max(self.step, 7)
        backward = re.search(r"back|past|earlier|before|negative|minus", text)
        forward = re.search(r"forward|future|later|after|positive|plus", text)
        if high is None:
            high = 365 if low is None or low < 365 else low + 365
        if low is None:
            low = 1 if (backward or forward) else -high
        if low >= 0 or high <= 0:
            small, big = sorted((abs(low), abs(high)))
            sizes = range(small, big + 1)
            signs = [-1] if backward or high <= 0 else [1] if forward or "range" in text else [-1, 1]
            days = [s * n for s in signs for n in sizes]
        else:
            days = list(range(low, high + 1))
            if backward and not forward:
                days = [d for d in days if d < 0]
            elif forward and not backward:
                days = [d for d in days if d > 0]
        self.days = [d for d in days if d and d % self.step == 0] or [d for d in days if d] or [-7]

    def withholds(self, table, column):
        return (table, column) in self.withheld or (None, column) in self.withheld


# ---- the release -------------------------------------------------------------------------------


class Release:
    def __init__(self, in_dir, out_dir, key):
        self.src, self.out = in_dir, out_dir
        self.key = bytes.fromhex(key) if re.fullmatch(r"(?:[0-9a-fA-F]{2})+", key) else key.encode()
        self.card = Card(tomllib.loads((in_dir / "card.toml").read_text(encoding="utf-8")))
        self.tables = {t: read_csv(in_dir / f"{t}.csv") for t in TABLES if (in_dir / f"{t}.csv").exists()}
        self.notes = read_lines(in_dir / "notes.jsonl")
        self.fhir = {}
        for kind in RELEASED + ["RelatedPerson", "DocumentReference"]:
            path = in_dir / "fhir" / f"{kind}.ndjson"
            self.fhir[kind] = read_lines(path) if path.exists() else []
        self.area = areas(in_dir / "zip_population.csv")
        self.patients = self.tables["patients"][1]
        self.sites = {norm(r["site"]): r["site"] for t in self.tables.values() for r in t[1] if r.get("site")}
        self.join_people()
        self.find_shifts()
        self.collect_known()
        self.blank = self.guard_register()

    # -- codes

    def mac(self, *parts):
        return hmac.new(self.key, "\x1f".join(map(str, parts)).encode(), hashlib.sha256).digest()

    def code(self, *parts):
        """Consonants only, so that no code looks like a number or a name."""
        number, letters = int.from_bytes(self.mac("code", *parts), "big"), []
        for _ in range(18):
            number, rest = divmod(number, 20)
            letters.append("bcdfghjklmnpqrstvwxz"[rest])
        return "".join(letters)

    def person_code(self, pid):
        return self.code("person", self.same.get(pid, pid))

    # -- who is who

    def join_people(self):
        """Sites count alike: a record number means something only together with its site."""
        self.same, seen = {}, {}
        for row in self.patients:
            ssn, born = digits(row.get("ssn", "")), as_date(row.get("birth_date", ""))
            first = fold(row.get("first_name") or row.get("given_name") or row.get("name") or "").lower().strip()
            if len(ssn) == 9 and len(set(ssn)) > 2 and born and first:
                self.same[row["patient_id"]] = seen.setdefault((ssn, born, first), row["patient_id"])
        self.by_mrn, loose, by_ssn, by_name = {}, defaultdict(set), defaultdict(set), defaultdict(set)

        def add(site, mrn, pid):
            if mrn and mrn.strip():
                self.by_mrn.setdefault((norm(site), mrn.strip()), pid)
                loose[norm(site), digits(mrn).lstrip("0")].add(self.same.get(pid, pid))

        for name, (columns, rows) in self.tables.items():
            if name == "labs" or "patient_id" not in columns:
                continue
            for row in rows:
                for column in columns:
                    if "mrn" in parts_of(column):
                        rest = norm(column.lower().replace("mrn", ""))
                        site = next((s for s in self.sites if rest and (s.startswith(rest) or rest == s)), None)
                        add(site or row.get("site", ""), row[column] or "", row["patient_id"])
        for row in self.patients:
            if len(digits(row.get("ssn", ""))) == 9:
                by_ssn[digits(row["ssn"])].add(self.same.get(row["patient_id"], row["patient_id"]))
            by_name[self.name_key(" ".join(row.get(c) or "" for c in row if parts_of(c) & {"first", "last", "name",
                    "given", "family"}), row.get("birth_date"))].add(row["patient_id"])
        self.loose, self.vendor = loose, {}
        for patient in self.fhir["Patient"]:
            pid, pairs = None, []
            for ident in patient.get("identifier", []):
                system, value = ident.get("system", ""), str(ident.get("value", ""))
                site = next((s for s in sorted(self.sites, key=len, reverse=True) if norm(system).endswith(s)), None)
                if site:
                    pairs.append((site, value))
                    pid = pid or self.find_mrn(site, value)
            for ident in patient.get("identifier", []):
                hit = by_ssn.get(digits(str(ident.get("value", ""))), ())
                if not pid and len(hit) == 1 and "ssn" in ident.get("system", "").lower():
                    pid = next(iter(hit))
            for name in patient.get("name", []) if not pid else []:
                text = " ".join(name.get("given", [])[:1] + [name.get("family", "")])
                hit = by_name.get(self.name_key(text, patient.get("birthDate")), ())
                pid = next(iter(hit)) if len(hit) == 1 else pid
            pid = pid or "vendor:" + patient["id"]
            self.vendor[patient["id"]] = pid
            for site, value in pairs:
                add(site, value, pid)

    @staticmethod
    def name_key(text, born):
        return tuple(sorted(re.findall(r"[a-z]+", fold(text).lower()))), as_date(born or "")

    def find_mrn(self, site, mrn):
        site, mrn = norm(site or ""), (mrn or "").strip()
        if (site, mrn) in self.by_mrn:
            return self.by_mrn[site, mrn]
        hit = self.loose.get((site, digits(mrn).lstrip("0")), ())
        return next(iter(hit)) if len(hit) == 1 else None

    def row_person(self, table, row):
        if table == "labs" and not row.get("patient_id"):
            return self.find_mrn(row.get("site"), row.get("mrn")) or f"lab:{norm(row.get('site') or '')}:{row.get('mrn')}"
        return row["patient_id"]

    # -- dates

    def find_shifts(self):
        self.first = {}
        if not self.card.relative:
            return
        for tables in (["encounters"], ["conditions", "meds", "labs"]):
            found = {}
            for table in tables:
                for row in self.tables.get(table, ([], []))[1]:
                    pid = self.row_person(table, row)
                    pid = self.same.get(pid, pid)
                    for cell in row.values():
                        day = cell_date(cell)
                        if day and (pid not in found or day < found[pid]):
                            found[pid] = day
            for pid, day in found.items():
                self.first.setdefault(pid, day)

    def shift(self, pid):
        pid = self.same.get(pid, pid)
        if self.card.relative:
            return (self.card.anchor - self.first[pid]).days if pid in self.first else -3653
        days = self.card.days
        return days[int.from_bytes(self.mac("shift", pid)[:8], "big") % len(days)]

    # -- what is known about each person

    def collect_known(self):
        self.known = defaultdict(Known)
        towns, employers = set(), set()
        for table in ("patients", "contacts"):
            for row in self.tables.get(table, ([], []))[1]:
                known = self.known[self.same.get(row["patient_id"], row["patient_id"])]
                for column, value in row.items():
                    parts = parts_of(column)
                    if not value or column in ("patient_id", "site") or "date" in parts:
                        continue
                    if parts & WEB_PARTS:
                        known.add_phrase(value)
                    elif parts & PLACE_PARTS:
                        known.add_place(value)
                        if parts & {"city", "town", "county", "district"}:
                            towns.add(value)
                        elif parts & {"employer", "company", "school", "workplace"}:
                            employers.add(value)
                    elif parts & NUMBER_PARTS:
                        known.add_number(value)
                    elif parts & NAME_PARTS:
                        known.add_name(value, own=table == "patients")
                    elif parts & {"zip", "postal"}:
                        known.add_number(value)
        for row in self.tables.get("labs", ([], []))[1]:
            self.known_of(self.row_person("labs", row)).add_number(row.get("mrn") or "")
        for patient in self.fhir["Patient"]:
            self.learn_fhir(patient, self.known_of(self.vendor[patient["id"]]), True)
        for person in self.fhir["RelatedPerson"]:
            if pid := self.subject(person):
                self.learn_fhir(person, self.known_of(pid), False)
        for encounter in self.fhir["Encounter"]:
            for ident in encounter.get("identifier", []):
                self.known_of(self.subject(encounter)).add_number(str(ident.get("value", "")))
        for row in read_csv(self.src / "zip_population.csv")[1]:
            towns.update(v for c, v in row.items() if v and parts_of(c) & {"city", "town", "county", "place", "name"})
        texts = [n.get("text", "") for n in self.notes]
        names = [k for k in self.known.values()]
        zips = {r for r in self.area["zips"]}
        self.scrubber = Scrubber(texts, names, towns, employers, zips, self.card.as_of)

    def known_of(self, pid):
        return self.known[self.same.get(pid, pid)]

    def learn_fhir(self, resource, known, own):
        for name in resource.get("name", []):
            for text in [name.get("text", ""), name.get("family", ""), *name.get("given", [])]:
                known.add_name(text, own=own)
        for telecom in resource.get("telecom", []):
            value = str(telecom.get("value", ""))
            known.add_phrase(value) if "@" in value or "/" in value else known.add_number(value)
        for address in resource.get("address", []):
            for text in [*address.get("line", []), address.get("city", ""), address.get("district", "")]:
                known.add_place(text or "")
        for ident in resource.get("identifier", []):
            known.add_number(str(ident.get("value", "")))
        for contact in resource.get("contact", []):
            as_lists = {k: [contact[k]] if isinstance(contact[k], dict) else contact[k]
                        for k in ("name", "address", "telecom") if k in contact}
            self.learn_fhir(as_lists, known, False)

    # -- tables

    def run(self):
        for name, (columns, rows) in self.tables.items():
            plan = {c: self.column_plan(name, c, rows) for c in columns}
            write_csv(self.out / f"{name}.csv", columns, [self.clean_row(name, row, plan) for row in rows])
        notes = []
        for note in self.notes:
            pid, new = note["patient_id"], {}
            for field, value in note.items():
                if self.card.withholds("notes", field):
                    new[field] = ""
                elif field == "patient_id":
                    new[field] = self.person_code(pid)
                elif field == "text":
                    new[field] = self.scrubber.clean(value, self.known_of(pid))
                elif field.endswith("_id"):
                    new[field] = self.code(field, value) if value else value
                elif isinstance(value, str):
                    new[field] = move_cell(value, self.shift(pid))
                else:
                    new[field] = value
            notes.append(new)
        write_lines(self.out / "notes.jsonl", notes)
        self.write_fhir()
        letters = defaultdict(list)
        for document in self.fhir["DocumentReference"]:
            pid = self.subject(document)
            for content in document.get("content", []):
                title = content.get("attachment", {}).get("title")
                if pid and title and (self.src / "attachments" / title).is_file():
                    letters[self.same.get(pid, pid)].append(title)
        for pid, titles in letters.items():
            for number, title in enumerate(sorted(set(titles)), 1):
                text = (self.src / "attachments" / title).read_text(encoding="utf-8")
                write_text(self.out / "attachments" / f"{self.person_code(pid)}-{number}.txt",
                           self.scrubber.clean(text, self.known_of(pid)))
        (self.out / "attachments").mkdir(exist_ok=True)

    def column_plan(self, table, column, rows):
        parts = parts_of(column)
        if self.card.withholds(table, column):
            return "blank"
        if column == "patient_id" or (table == "labs" and column == "mrn"):
            return "person"
        if table in ("patients", "contacts"):
            if column == "birth_date" and table == "patients":
                return "birth"
            if parts & {"zip", "postal", "postcode"}:
                return "zip"
            if table == "contacts":
                return "keep" if parts & {"relation", "relationship", "role", "kind"} else \
                    "id" if column.endswith("_id") else "blank"
            if parts & DIRECT or "birth" in parts:
                return "blank"
            if parts & SAFE_PATIENT:
                return "cell"
            if column.endswith("_id"):
                return "id"
            values = [r[column] for r in rows if r[column]]
            if values and not cell_date(values[0]) and len(set(values)) > max(25, 0.3 * len(values)):
                return "blank"  # an unknown column that nearly tells people apart
            return "cell"
        if parts & (NUMBER_PARTS | PLACE_PARTS | WEB_PARTS) and not parts & CODE_LIKE and not parts & {"type", "class"}:
            return "blank"
        if parts & NAME_PARTS and parts & {"patient", "first", "last", "relative", "contact", "mother", "spouse"}:
            return "blank"
        if (column.endswith("_id") or parts & {"accession", "specimen"}) and not parts & CODE_LIKE:
            return "id"
        if parts & {"zip", "postal"}:
            return "zip"
        if parts & FREE_TEXT:
            return "text"
        return "age" if "age" in parts else "cell"

    def clean_row(self, table, row, plan):
        pid, new = self.row_person(table, row), {}
        hidden = self.blank.get(self.same.get(pid, pid), ()) if table == "patients" else ()
        for column, value in row.items():
            what, value = plan[column], value or ""
            if what == "person":
                value = self.person_code(pid)
            elif what == "blank" or column in hidden and column != "zip":
                value = ""
            elif what == "birth":
                value = self.birth_year(value)
            elif what == "zip":
                value = "000" if value and "zip" in hidden else self.zip3(value)
            elif what == "id":
                value = self.code(column, value) if value else ""
            elif what == "text":
                value = self.scrubber.clean(value, self.known_of(pid), short=True)
            elif what == "age":
                value = "90+" if value.isdigit() and int(value) >= 90 else value
            elif what == "cell":
                value = move_cell(value, self.shift(pid))
            new[column] = value
        return new

    def zip3(self, text):
        if not text or not text.strip():
            return ""
        three = digits(text.split("-")[0]).zfill(5)[:3]
        return three if self.area["population"].get(three, 0) > 20000 else "000"

    def birth_year(self, text):
        born = as_date(text)
        if not born:
            found = re.search(r"(?:18|19|20)\d\d", text or "")
            born = dt.date(int(found[0]), 1, 1) if found else None
        if not born:
            return ""
        if born > self.card.as_of:
            born = dt.date(born.year - 100, born.month, min(born.day, 28))
        age = self.card.as_of.year - born.year - ((self.card.as_of.month, self.card.as_of.day) < (born.month, born.day))
        return "90+" if age >= 90 else str(born.year)

    # -- the register

    def guard_register(self):
        """pid -> columns to blank. The register is not ours, so how many people fit is estimated: inhabitants of the
        area times the shares of birth year, sex, race and language; the shares are those of our patients, smoothed."""
        people, count = [], Counter()
        for row in self.patients:
            year = self.birth_year(row.get("birth_date", ""))
            person = (self.zip3(row.get("zip", "")), year, row.get("sex") or row.get("gender") or "",
                      row.get("race") or "", row.get("language") or "")
            people.append((self.same.get(row["patient_id"], row["patient_id"]), person))
            count["y", year] += 1
            count["s", person[2]] += 1
            count["r", person[3]] += 1
            count["l", person[4]] += 1
            count["rl", person[3], person[4]] += 1
        total = max(1, len(people))
        inhabitants = self.area["population"]
        small = sum(n for n in inhabitants.values() if n <= 20000) or 1

        def share_year(year):
            if not year.isdigit():
                return max(count["y", year], 1) / total
            near = sum(count["y", str(int(year) + d)] for d in range(-3, 4))
            return min(max(near / 7, 0.3) / total, 0.02)

        def risk(person, hidden):
            zip3, year, sex, race, language = person
            size = (small if "zip" not in hidden else sum(inhabitants.values())) if zip3 == "000" or "zip" in hidden \
                else inhabitants.get(zip3, small)
            expect = 0.6 * size
            if "birth_date" not in hidden and year:
                expect *= share_year(year)
            expect *= max(count["s", sex], 1) / total if sex else 1
            race_on, language_on = race and "race" not in hidden, language and "language" not in hidden
            if race_on and language_on:
                independent = count["r", race] * count["l", language] / total
                expect *= max(0.7 * count["rl", race, language] + 0.3 * min(independent, count["rl", race, language] + 1),
                              0.3) / total
            elif race_on:
                expect *= max(count["r", race] - 0.5, 0.3) / total
            elif language_on:
                expect *= max(count["l", language] - 0.5, 0.3) / total
            expect = max(expect, 1e-6)
            return math.exp(-expect), (1 - math.exp(-expect)) / expect

        options = [(), ("language",), ("race",), ("race", "language"), ("zip",), ("zip", "language"), ("zip", "race"),
                   ("zip", "race", "language"), ("birth_date",), ("birth_date", "race", "language"),
                   ("birth_date", "race", "language", "zip")]
        order = sorted(((risk(p, ()), pid, p) for pid, p in people), key=lambda t: t[0][1], reverse=True)
        unique = sum(r[0] for r, _, _ in order)
        inverse = sum(r[1] for r, _, _ in order)
        chosen = {}
        for (alone, mean), pid, person in order:
            if unique <= 0.001 * total and inverse <= 0.035 * total:
                break
            for hidden in options[1:]:
                new = risk(person, hidden)
                if new[1] <= 0.03 and new[0] <= 0.0005 or hidden == options[-1]:
                    chosen[pid] = hidden
                    unique += new[0] - alone
                    inverse += new[1] - mean
                    break
        return chosen

    # -- FHIR

    def subject(self, resource):
        ref = resource.get("subject") or resource.get("patient") or {}
        kind, ident = split_reference(ref.get("reference", ""))
        if ident in self.vendor:
            return self.vendor[ident]
        logical = ref.get("identifier", {})
        for site in self.sites:
            if logical and norm(logical.get("system", "")).endswith(site):
                return self.find_mrn(site, str(logical.get("value", "")))
        return "vendor:" + ident if ident else None

    def write_fhir(self):
        self.ids = {}
        for kind in RELEASED:
            for resource in self.fhir[kind]:
                self.ids[kind, resource["id"]] = self.person_code(self.vendor[resource["id"]]) if kind == "Patient" \
                    else self.code("fhir", kind, resource["id"])
        for kind in RELEASED:
            make = self.fhir_patient if kind == "Patient" else self.fhir_other
            write_lines(self.out / "fhir" / f"{kind}.ndjson", [make(r) for r in self.fhir[kind]])

    def fhir_patient(self, old):
        pid = self.vendor[old["id"]]
        hidden = set(self.blank.get(self.same.get(pid, pid), ()))
        hidden |= {c for t, c in self.card.withheld if t in (None, "patients")}
        new = {"resourceType": "Patient", "id": self.person_code(pid)}
        extensions = []
        for extension in old.get("extension", []):
            url = extension.get("url", "").lower()
            if ("race" in url or "ethnicity" in url) and "race" not in hidden and not ("ethnicity" in url
                    and "ethnicity" in hidden) or "birthsex" in url and "sex" not in hidden:
                extensions.append(extension)
        if extensions:
            new["extension"] = extensions
        for field in ("active", "gender", "deceasedBoolean", "multipleBirthBoolean"):
            if field in old and not (field == "gender" and hidden & {"sex", "gender"}):
                new[field] = old[field]
        if "deceasedDateTime" in old:
            new["deceasedDateTime"] = move_cell(old["deceasedDateTime"], self.shift(pid))
        year = self.birth_year(old.get("birthDate", ""))
        if year.isdigit() and "birth_date" not in hidden:
            new["birthDate"] = year
        addresses = []
        for address in old.get("address", [])[:1]:
            kept = {k: address[k] for k in ("state", "country") if address.get(k)}
            if address.get("postalCode"):
                kept["postalCode"] = "000" if "zip" in hidden else self.zip3(address["postalCode"])
            if kept:
                addresses.append(kept)
        if addresses:
            new["address"] = addresses
        if old.get("maritalStatus") and not hidden & {"marital_status", "marital"}:
            new["maritalStatus"] = plain_concept(old["maritalStatus"])
        if old.get("communication") and "language" not in hidden:
            new["communication"] = [
                {"language": plain_concept(c["language"]), **({"preferred": c["preferred"]} if "preferred" in c else {})}
                for c in old["communication"] if c.get("language")]
        return new

    ALLOWED = {
        "Encounter": "status statusHistory class classHistory type serviceType priority subject period length reasonCode "
                     "reasonReference diagnosis hospitalization partOf",
        "Condition": "clinicalStatus verificationStatus category severity code bodySite subject encounter onsetDateTime "
                     "onsetAge onsetPeriod onsetRange onsetString abatementDateTime abatementAge abatementPeriod "
                     "abatementString recordedDate stage evidence note",
        "Observation": "status category code subject encounter effectiveDateTime effectivePeriod effectiveInstant issued "
                       "valueQuantity valueCodeableConcept valueString valueBoolean valueInteger valueRange valueRatio "
                       "valueTime valueDateTime valuePeriod dataAbsentReason interpretation note bodySite method "
                       "referenceRange hasMember derivedFrom component",
        "MedicationRequest": "status statusReason intent category priority doNotPerform reportedBoolean "
                             "medicationCodeableConcept subject encounter authoredOn reasonCode reasonReference "
                             "courseOfTherapyType note dosageInstruction dispenseRequest substitution",
    }

    def fhir_other(self, old):
        kind, pid = old["resourceType"], self.subject(old)
        new = {"resourceType": kind, "id": self.ids[kind, old["id"]]}
        for field in self.ALLOWED[kind].split():
            if field not in old:
                continue
            if field == "subject":
                new[field] = {"reference": f"Patient/{self.person_code(pid)}"}
                continue
            value = self.fhir_value(old[field], field, pid)
            if value not in (None, {}, [], ""):
                new[field] = value
        medication = old.get("medicationReference", {}).get("reference", "")
        for part in old.get("contained", []) if kind == "MedicationRequest" else []:
            if part.get("resourceType") == "Medication" and medication == "#" + part.get("id", "") and part.get("code"):
                new["medicationCodeableConcept"] = plain_concept(part["code"])
        if kind == "MedicationRequest" and "medicationCodeableConcept" not in new:
            new["medicationCodeableConcept"] = {"text": "unknown"}
        return new

    def fhir_value(self, value, field, pid):
        if isinstance(value, list):
            parts = [self.fhir_value(v, field, pid) for v in value]
            return [p for p in parts if p not in (None, {}, [], "")]
        if isinstance(value, dict):
            if "reference" in value or (set(value) <= {"identifier", "display", "type", "id"} and "display" in value
                                        and "code" not in value):
                target = split_reference(value.get("reference", ""))
                return {"reference": f"{target[0]}/{self.ids[target]}"} if target in self.ids else None
            if field in ("onsetAge", "abatementAge") and (value.get("value") or 0) >= 90:
                return None
            new = {}
            shown = {c.get("display") for c in value.get("coding", []) if isinstance(c, dict)} \
                if isinstance(value.get("coding"), list) else set()
            for name, part in value.items():
                if name in ("extension", "modifierExtension", "id", "identifier", "preAdmissionIdentifier", "assigner",
                            "authorReference", "authorString", "performer", "location") or name.startswith("_"):
                    continue
                if name == "text" and part in shown:
                    new[name] = part
                    continue
                part = self.fhir_value(part, name, pid)
                if part not in (None, {}, [], ""):
                    new[name] = part
            return new
        if isinstance(value, str):
            if field in ("system", "code", "unit", "display", "status", "comparator", "use", "url", "valueTime", "intent",
                         "priority", "timeOfDay"):
                return value
            if cell_date(value) or re.fullmatch(r"\d{4}-\d{2}", value):
                return move_cell(value, self.shift(pid))
            return self.scrubber.clean(value, self.known_of(pid), short=True) if " " in value else value
        return value


# ---- plumbing ----------------------------------------------------------------------------------


def norm(text):
    return re.sub(r"[^a-z0-9]", "", (text or "").lower())


def digits(text):
    return re.sub(r"\D", "", text or "")


def parts_of(column):
    return set(re.split(r"[^a-z0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column).lower()))


def split_reference(text):
    found = re.search(r"([A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/.*)?$", text or "")
    if found:
        return found[1], found[2]
    return "", (text or "").removeprefix("urn:uuid:")


def plain_concept(concept):
    new = {}
    coding = [{k: c[k] for k in ("system", "version", "code", "display") if k in c} for c in concept.get("coding", [])]
    if coding:
        new["coding"] = coding
    if concept.get("text"):
        new["text"] = concept["text"]
    return new


CELL_FORMS = [
    (re.compile(r"(\d{4}-\d{2}-\d{2})(?=$|[T ])"), "%Y-%m-%d"),
    (re.compile(r"(\d{4}/\d{2}/\d{2})(?=$|[T ])"), "%Y/%m/%d"),
    (re.compile(r"(\d{1,2}/\d{1,2}/\d{4})(?=$|[T ,])"), "%m/%d/%Y"),
    (re.compile(r"(\d{1,2}-\d{1,2}-\d{4})(?=$|[T ,])"), "%m-%d-%Y"),
    (re.compile(r"(\d{1,2}\.\d{1,2}\.\d{4})(?=$|[T ,])"), "%d.%m.%Y"),
    (re.compile(r"(\d{1,2}-[A-Za-z]{3}-\d{4})(?=$|[T ,:])"), "%d-%b-%Y"),
    (re.compile(r"(\d{1,2} [A-Za-z]{3} \d{4})(?=$|[T ,:])"), "%d %b %Y"),
    (re.compile(r"([A-Z][a-z]{2} \d{1,2}, \d{4})(?=$|[T ,])"), "%b %d, %Y"),
    (re.compile(r"([A-Z][a-z]{3,8} \d{1,2}, \d{4})(?=$|[T ,])"), "%B %d, %Y"),
    (re.compile(r"((?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(?=$|T|\d{4}(?:\d\d)?$)"), "%Y%m%d"),
    (re.compile(r"(\d{1,2}/\d{1,2}/\d{2})(?=$|[T ,])"), "%m/%d/%y"),
]


def find_cell_date(text):
    for form, how in CELL_FORMS:
        if found := form.match(text):
            try:
                return dt.datetime.strptime(found[1], how).date(), how, found.end()
            except ValueError:
                continue
    return None


def cell_date(text):
    found = find_cell_date(text.strip()) if isinstance(text, str) and text[:1] else None
    return found[0] if found else None


def move_cell(text, days):
    """A cell that is a date moves and keeps its form and its time of day; any other cell stays as it is."""
    if re.fullmatch(r"(?:19|20)\d\d-\d\d", text):
        return str((dt.date(int(text[:4]), min(max(int(text[5:]), 1), 12), 15) + dt.timedelta(days)).year)
    found = find_cell_date(text.strip())
    if not found:
        return text
    day, how, end = found
    return (day + dt.timedelta(days)).strftime(how) + text.strip()[end:]


def areas(path):
    columns, rows = read_csv(path)
    zip_column = next((c for c in columns if parts_of(c) & {"zip", "zcta", "zip5", "zipcode", "postal"}), columns[0])
    people = next((c for c in columns if re.search(r"pop|people|inhab|count|resid", c.lower())), columns[-1])
    population, zips = Counter(), set()
    for row in rows:
        code = digits(row[zip_column]).zfill(5)[:5]
        zips.add(code)
        population[code[:3]] += int(float(re.sub(r"[^\d.]", "", row[people] or "0") or 0))
    return {"population": population, "zips": zips}


def parse_date(text):
    try:
        return dates.parse(text, default=dt.datetime(2000, 1, 1))
    except (ValueError, OverflowError):
        return None


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
        return reader.fieldnames, rows


def write_csv(path, columns, rows):
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
