"""De-identification: one network's tables, notes, letters and FHIR; a part of the patients again under another key."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from synthetic_data import canaries
from synthetic_data import register as regions
from synthetic_data.canaries import Mark
from synthetic_data.network import LETTERS, SITES, Site
from synthetic_data.phi_pack import Forms
from synthetic_data.register import SMALL_AREA
from synthetic_data.scene import IN_DIR, OUT_DIR, Files, Request, Steps
from synthetic_data.streams import Seed, canonical_text

if TYPE_CHECKING:
    import pandas as pd

    from synthetic_data.dataset import Dataset

TABLES = ("patients", "contacts", "encounters", "conditions", "labs", "meds")
# Resource type -> the table whose rows it states, and that table's key.
RELEASED = {
    "Patient": ("patients", "patient_id"),
    "Encounter": ("encounters", "encounter_id"),
    "Condition": ("conditions", "condition_id"),
    "Observation": ("labs", "lab_id"),
    "MedicationRequest": ("meds", "med_id"),
}
NOTE_FIELDS = ("note_id", "patient_id", "encounter_id", "written_at", "text")
# Ages are reckoned on this day; the charts end with the day before.
AS_OF = "2026-01-01"
RULES = ("shift", "relative")
MRN_PATTERNS = ("########", "##-##-##-##", "@@######", "MC#######", "A-##-####-@", "####-@-####", "7########")
# What a card may withhold although it names nobody: it takes two of the first group and one of the others.
OPTIONAL: dict[str, tuple[str, ...]] = {
    "patients": ("ethnicity", "insurance", "state"),
    "contacts": ("relationship",),
    "encounters": ("reason",),
}
ANCHORS = ("2100-01-01", "2050-06-15", "2075-09-01", "2120-04-10")
# The second play has this part of the patients, and never fewer than so many.
SECOND_SHARE, SECOND_LEAST = 0.3, 20
# What of a packet's practice data tells whose packet it was: the ends of patients' numbers in tables and notes, of the
# laboratory's accession numbers, and of the FHIR vendor's ids.
PATIENT = Mark("patient", r"([abc](?<![a-z0-9].)-\d{4})(\d\d)(?!\w)", size=2)
ACCESSION = Mark("accession", r"([abc](?<![a-z0-9].)\d{5})(\d\d)(?!\w)", size=2)
VENDOR = Mark("vendor", r"(\d(?<![a-z0-9].)\d{3}-\d{4}-[a-z])([a-z]{3})(?!\w)", LETTERS, 3)
MARKS = (PATIENT, ACCESSION, VENDOR)
# Table -> the columns that the candidate gets.
GIVEN: dict[str, tuple[str, ...]] = {
    "patients": (
        "patient_id", "site", "mrn", "ssn", "health_plan_id", "given", "middle", "family", "birth_date", "sex", "race",
        "ethnicity", "language", "street", "city", "county", "state", "zip", "phone", "email", "insurance", "employer",
    ),
    "contacts": ("contact_id", "patient_id", "relationship", "given", "family", "phone", "email"),
    "encounters": (
        "encounter_id", "patient_id", "site", "class", "start", "end", "reason", "provider_given", "provider_family",
    ),
    "conditions": (
        "condition_id", "patient_id", "encounter_id", "code", "display", "onset_date", "clinical_status",
    ),
    "labs": (
        "lab_id", "site", "mrn", "taken_at", "category", "loinc", "name", "value", "unit", "ref_low", "ref_high",
        "interpretation", "comment",
    ),
    "meds": ("med_id", "patient_id", "encounter_id", "start_date", "rxnorm", "name", "sig"),
}  # fmt: skip


@dataclass(frozen=True)
class Truth:
    """What scoring needs of a scene; rows in the order of play 1's files.

    tables: as given to the candidate, all text, and with hidden columns: labs has patient_id and encounter_id,
    patients has person (one of two charts may be another's), name_group and fhir_id.  notes: as given, with `text`.
    spans: note_id start end kind form denotes hard year_tells, the last true of the birth date of a patient of 90 or
    more, whose year is an identifier too.  keeps: note_id start end, look-alikes that must stay.
    stray: table row_id field start end kind: identifiers in free text.
    fhir: type -> keys of the tables' rows, in the order of the resources.
    attachments: file_name patient_id number content, by file name; number counts a person's files in that order.
    zip_population: zip population.  register: zip3 birth_year sex race language people, the patients among them.
    second: play 2's patients, by row or line of "patients", "notes" and "labs" and by resource of "Patient".
    """

    card: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    notes: pd.DataFrame
    spans: pd.DataFrame
    keeps: pd.DataFrame
    stray: pd.DataFrame
    fhir: Mapping[str, list[str]]
    attachments: pd.DataFrame
    zip_population: pd.DataFrame
    register: pd.DataFrame
    second: Mapping[str, list[str]]

    @cached_property
    def persons(self) -> pd.Series:
        """patient_id -> the person; a few people have two charts."""
        return self.tables["patients"].set_index("patient_id")["person"]

    @cached_property
    def small_zip3(self) -> frozenset[str]:
        """The three-digit areas with 20,000 people or fewer."""
        people = self.zip_population.groupby(self.zip_population["zip"].str[:3])["population"].sum()
        return frozenset(people.index[people <= SMALL_AREA])


@dataclass(frozen=True)
class Scene:
    """public: the packet's data, which is play 1's.  second: play 2's.  keys: one per play, 64 hexadecimal digits."""

    public: Files
    second: Files
    truth: Files
    keys: tuple[str, str]

    def steps(self) -> Steps:
        """All patients, then some of them under another key; stops when the submission would not run."""
        for files, key in zip((self.public, self.second), self.keys, strict=True):
            reply = yield Request("call", "deidentify", (IN_DIR, OUT_DIR, key), files=files)
            if reply.status != "ok":
                break
        return {}


def draw_card(seed: Seed) -> dict[str, Any]:
    """The rules that differ between candidates: date rule, withheld columns, record number formats."""
    stream = seed.stream("card")
    order = stream.permutation(len(OPTIONAL["patients"]), 1)
    other = ("contacts", "encounters")[int(stream.choice(2, 3))]
    withheld = {name: list(columns) if name == other else [] for name, columns in OPTIONAL.items()}
    withheld["patients"] = sorted(OPTIONAL["patients"][int(i)] for i in order[:2])
    # Sites A and B keep one format, so that the same number can mean two people.
    first, second = (MRN_PATTERNS[int(i)] for i in stream.permutation(len(MRN_PATTERNS), 2)[:2])
    return {
        "as_of": AS_OF,
        "dates": {
            "rule": RULES[int(stream.choice(2, 0))],
            "max_days": int(stream.integers(6, 13, 1)) * 30,
            "anchor": ANCHORS[int(stream.choice(len(ANCHORS), 2))],
        },
        "withhold": withheld,
        "mrn_format": {"A": first, "B": first, "C": second},
    }


def check_card(card: Mapping[str, Any]) -> None:
    """Raise ValueError for a card that says less or more than the data can follow."""
    shape = {
        "as_of": None,
        "dates": {"rule", "max_days", "anchor"},
        "withhold": set(OPTIONAL),
        "mrn_format": {"A", "B", "C"},
    }
    for name, keys in shape.items():
        if name not in card or (keys and not isinstance(card[name], Mapping)):
            raise ValueError(f"'{name}' is missing")
        if keys and set(card[name]) != keys:
            raise ValueError(f"[{name}] must have {', '.join(sorted(keys))}, not {', '.join(sorted(card[name]))}")
    if extra := sorted(set(card) - set(shape)):
        raise ValueError(f"unknown: {', '.join(extra)}")
    if not is_day(card["as_of"]):
        raise ValueError("'as_of' must be a date in quotes, like \"2026-01-01\"")
    dates = card["dates"]
    if dates["rule"] not in RULES:
        raise ValueError(f"[dates] rule must be {' or '.join(RULES)}, in quotes")
    if type(dates["max_days"]) is not int or dates["max_days"] < 1:
        raise ValueError("[dates] max_days must be a whole number above 0")
    if not is_day(dates["anchor"]):
        raise ValueError('[dates] anchor must be a date in quotes, like "2100-01-01"')
    for table, columns in OPTIONAL.items():
        named = card["withhold"][table]
        if not isinstance(named, list) or not all(name in columns for name in named):
            raise ValueError(f"[withhold] {table} must be a list of none, one or more of {', '.join(columns)}")
    for site, pattern in card["mrn_format"].items():
        if not isinstance(pattern, str) or pattern.count("#") < 5 or not re.fullmatch(r"[A-Za-z0-9#@ ./-]+", pattern):
            raise ValueError(f"[mrn_format] {site} must be a text with five # or more, and @, letters, digits, - . /")


def is_day(value: object) -> bool:
    """Whether it is the text of a day that exists, "2026-01-31"."""
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def card_text(card: Mapping[str, Any]) -> str:
    """card.toml, with the meaning of every rule beside it."""
    dates, formats = card["dates"], card["mrn_format"]
    lists = {table: ", ".join(f'"{name}"' for name in names) for table, names in card["withhold"].items()}
    return f"""# Policy card: the rules of this release. Another release has another card.
as_of = "{card["as_of"]}"   # ages are reckoned on this day

[dates]
# What becomes of every date of a person except the birth date, of which at most the year stays. The time of day stays.
# "shift": all of them move by one number of days that is the person's own: never 0, at most max_days either way.
# "relative": all of them move by one number of days so that the person's first encounter starts on the anchor.
rule = "{dates["rule"]}"
max_days = {dates["max_days"]}        # used by "shift" only
anchor = "{dates["anchor"]}"   # used by "relative" only

[withhold]
# Columns that are left empty although they name nobody; what FHIR says of the same thing goes too.
patients = [{lists["patients"]}]
contacts = [{lists["contacts"]}]
encounters = [{lists["encounters"]}]

[mrn_format]
# Medical record numbers by site: # is a digit, @ a letter, anything else stands for itself.
A = "{formats["A"]}"
B = "{formats["B"]}"
C = "{formats["C"]}"
"""


def scene(seed: Seed, settings: Mapping[str, Any], card: Mapping[str, Any]) -> Scene:
    """Charts of `settings["patients"]` people; the rows of every file in an order of its own, new in play 2."""
    from synthetic_data import dataset as datasets

    check_card(card)
    sites = network(card)
    hidden = bool(settings.get("hidden", 1))
    forms = Forms(reserve=hidden, pack=settings.get("pack", {}) if hidden else {})
    data = datasets.make(seed, settings["patients"], sites, forms=forms)
    source = Source.of(seed, data, sites, card)
    first = source.packet(seed, "order", set(data.patients["patient_id"]))
    second = source.packet(seed, "second order", some_patients(seed, data.patients["patient_id"].tolist()))
    one, two = (seed.stream(f"key {n}").words(range(8))[:, 0].astype("uint32").tobytes().hex() for n in range(2))
    return Scene(first.files, second.files, truth_files(seed, source, first, second, card), (one, two))


def mark(public: Files, seed: Seed) -> Files:
    """Practice data with marks. References hold, and patients keep the order of their numbers."""
    ids = canaries.found(public["patients.csv"], "^[ABC]-[0-9]{6}(?=,)")
    patients = canaries.grown(PATIENT, seed, ids, keep=2)
    row = "^[ABC][0-9]{7}(?=,)"
    labs = canaries.ended(ACCESSION, seed, canaries.found(public["labs.csv"], row))
    resource = r"(?<![A-Za-z0-9])[0-9]{4}-[0-9]{4}-[A-Z]{4}(?!\w)"
    vendors = canaries.ended(VENDOR, seed, canaries.found(public["fhir/Patient.ndjson"], resource))
    files = dict(public)
    for name, data in public.items():
        if name == "labs.csv":
            files[name] = canaries.replaced(data, row, labs)
        elif name == "notes.jsonl" or name.removesuffix(".csv") in TABLES:
            files[name] = canaries.replaced(data, r"(?<![A-Za-z0-9])[ABC]-[0-9]{6}(?!\w)", patients)
        elif name.startswith("fhir/"):
            files[name] = canaries.replaced(data, resource, vendors)
    return files


def network(card: Mapping[str, Any]) -> tuple[Site, ...]:
    """The three sites with the card's record numbers."""
    return tuple(dataclasses.replace(site, mrn_pattern=card["mrn_format"][site.code]) for site in SITES)


def some_patients(seed: Seed, patient_ids: list[str]) -> set[str]:
    """The patients of play 2."""
    count = max(SECOND_LEAST, round(SECOND_SHARE * len(patient_ids)))
    return {patient_ids[int(i)] for i in seed.stream("second").permutation(len(patient_ids))[:count]}


@dataclass(frozen=True)
class Packet:
    """What one play is given.

    tables: the rows of every table and of "notes", hidden columns included, and fhir: the rows of `Source.resources`,
    in the order of the files.
    """

    files: Files
    tables: Mapping[str, pd.DataFrame]
    fhir: Mapping[str, list[int]]


@dataclass(frozen=True)
class Source:
    """All that the packets are made of, in the order of patients' numbers.

    tables: with hidden columns, and "notes".  resources: type -> lines.  owners: type -> the patient of each line.
    fixed: files that are the same for everybody.
    """

    data: Dataset
    tables: Mapping[str, pd.DataFrame]
    resources: Mapping[str, list[bytes]]
    owners: Mapping[str, list[str]]
    fixed: Files

    @classmethod
    def of(cls, seed: Seed, data: Dataset, sites: tuple[Site, ...], card: Mapping[str, Any]) -> Source:
        """The sources, as the hospitals, the laboratory and the FHIR vendor would send them."""
        from synthetic_data import feeds
        from synthetic_data.formats import fhir

        data = dataclasses.replace(data, attachments=named_apart(data.attachments))
        ids = feeds.vendor_ids(seed, data.patients)
        made = fhir.fhir(feeds.vendor(data, ids), sites)
        data = feeds.laboratory(seed, data)
        fixed = {f"fhir/{kind}.ndjson": made[f"{kind}.ndjson"] for kind in ("Organization", "Practitioner")}
        fixed["card.toml"] = card_text(card).encode()
        fixed["zip_population.csv"] = csv_bytes(regions.zip_population(seed))
        fixed["register_schema.csv"] = csv_bytes(regions.schema())
        tables = {name: getattr(data, name) for name in (*TABLES, "notes")}
        tables["patients"] = tables["patients"].drop(columns="number").assign(fhir_id=ids)
        resources = {kind: made[f"{kind}.ndjson"].splitlines(keepends=True) for kind in fhir.BY_PATIENT}
        documents = [*data.notes["patient_id"], *data.attachments["patient_id"]]
        owners = {kind: getattr(data, table)["patient_id"].tolist() for kind, (table, _) in RELEASED.items()}
        owners["RelatedPerson"] = data.contacts["patient_id"].tolist()
        # A patient's notes and letters stand together.
        place = {key: k for k, key in enumerate(data.patients["patient_id"])}
        owners["DocumentReference"] = sorted(documents, key=place.__getitem__)
        return cls(data, tables, resources, owners, fixed)

    def packet(self, seed: Seed, order: str, chosen: set[str]) -> Packet:
        """The files of the chosen patients. order: names the streams of the rows' orders."""
        from synthetic_data.formats import fhir

        tables = {
            name: shuffled(seed, f"{order} {name}", table[table["patient_id"].isin(chosen)])
            for name, table in self.tables.items()
        }
        files = dict(self.fixed)
        files |= {f"{name}.csv": csv_bytes(tables[name][list(columns)]) for name, columns in GIVEN.items()}
        files["notes.jsonl"] = note_lines(tables["notes"])
        letters = self.data.attachments
        for row in letters[letters["patient_id"].isin(chosen)].to_dict("records"):
            files[f"attachments/{row['file_name']}"] = row["content"].encode()
        rows = {}
        for kind, owners in self.owners.items():
            theirs = [k for k, owner in enumerate(owners) if owner in chosen]
            turned = seed.stream(f"{order} fhir {kind}").permutation(len(theirs)).tolist()
            rows[kind] = [theirs[k] for k in turned]
            lines = self.resources[kind]
            files[f"fhir/{kind}.ndjson"] = b"".join([lines[k] for k in rows[kind]])
        counts = {kind: files[f"fhir/{kind}.ndjson"].count(b"\n") for kind in fhir.TYPES}
        files["fhir/manifest.json"] = fhir.manifest(counts)
        return Packet(files, tables, rows)


def named_apart(attachments: pd.DataFrame) -> pd.DataFrame:
    """The attachments with file names that are unique: the second of a name gets "_2"."""
    place = attachments.groupby("file_name").cumcount()
    names = zip(attachments["file_name"], place.tolist(), strict=True)
    apart = [f"{name.removesuffix('.txt')}_{k + 1}.txt" if k else name for name, k in names]
    return attachments.assign(file_name=apart)


def shuffled(seed: Seed, name: str, table: pd.DataFrame) -> pd.DataFrame:
    """The rows in a random order: position says nothing about the patient."""
    return table.iloc[seed.stream(name).permutation(len(table))].reset_index(drop=True)


def csv_bytes(table: pd.DataFrame) -> bytes:
    """One table as CSV."""
    text = io.StringIO()
    table.to_csv(text, index=False, lineterminator="\n")
    return text.getvalue().encode()


def note_lines(notes: pd.DataFrame) -> bytes:
    """notes.jsonl."""
    rows = notes[list(NOTE_FIELDS)].to_dict("records")
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def truth_files(seed: Seed, source: Source, first: Packet, second: Packet, card: Mapping[str, Any]) -> Files:
    """Everything that scoring needs, so that it never depends on making the data again."""
    data = source.data
    files = {f"{name}.csv": csv_bytes(table) for name, table in first.tables.items() if name != "notes"}
    files["notes.jsonl"] = note_lines(first.tables["notes"])
    files["spans.csv"] = csv_bytes(with_year_tells(data, card["as_of"]))
    files["keeps.csv"] = csv_bytes(data.keeps)
    files["stray.csv"] = csv_bytes(data.stray)
    letters = data.attachments.sort_values("file_name", ignore_index=True)
    person = data.patients.set_index("patient_id")["person"]
    letters["number"] = letters.groupby(letters["patient_id"].map(person)).cumcount() + 1
    files["attachments.csv"] = csv_bytes(letters[["file_name", "patient_id", "number", "content"]])
    zips = regions.zip_population(seed)
    files["zip_population.csv"] = csv_bytes(zips)
    files["register.csv"] = csv_bytes(regions.register(seed, zips, data.patients))
    keys = {kind: getattr(data, table)[key].tolist() for kind, (table, key) in RELEASED.items()}
    facts = {
        "card": card,
        "fhir": {kind: [keys[kind][k] for k in first.fhir[kind]] for kind in RELEASED},
        "second": {name: second.tables[name]["patient_id"].tolist() for name in ("patients", "notes", "labs")}
        | {"Patient": [keys["Patient"][k] for k in second.fhir["Patient"]]},
    }
    files["facts.json"] = canonical_text(facts).encode()
    return files


def with_year_tells(data: Dataset, as_of: str) -> pd.DataFrame:
    """The spans, and whether each is the birth date of a patient who is 90 or more on the day `as_of`."""
    import numpy as np

    from synthetic_data.population import whole_years

    born = data.patients.set_index("patient_id")["birth_date"]
    old = born[whole_years(born.to_numpy("datetime64[D]"), np.repeat(np.datetime64(as_of), len(born))) >= 90]
    tells = (data.spans["kind"] == "DATE") & (data.spans["denotes"] == data.spans["patient_id"].map(old))
    return data.spans.drop(columns="patient_id").assign(year_tells=tells)


def read_truth(files: Files) -> Truth:
    """The stored truth."""
    import pandas as pd

    def table(name: str, **types: type) -> pd.DataFrame:
        frame = pd.read_csv(io.BytesIO(files[f"{name}.csv"]), dtype=str, keep_default_na=False)
        for column, kind in types.items():
            frame[column] = frame[column] == "True" if kind is bool else frame[column].astype(kind)
        return frame

    facts = json.loads(files["facts.json"])
    return Truth(
        card=facts["card"],
        tables={name: table(name) for name in TABLES},
        notes=pd.DataFrame([json.loads(line) for line in files["notes.jsonl"].splitlines()], columns=NOTE_FIELDS),
        spans=table("spans", start=int, end=int, hard=bool, year_tells=bool),
        keeps=table("keeps", start=int, end=int),
        stray=table("stray", start=int, end=int),
        fhir=facts["fhir"],
        attachments=table("attachments", number=int),
        zip_population=table("zip_population", population=int),
        register=table("register", birth_year=int, people=int),
        second=facts["second"],
    )
