"""De-identification: one network's tables, notes and FHIR; two plays with different keys."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synthetic_data.network import SITES, Site
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
MRN_PATTERNS = ("########", "##-##-##-##", "@@######", "MC#######", "A-##-####-@", "####-@-####", "7########")
OPTIONAL = ("race", "ethnicity", "language", "insurance", "state")
PLAYS = 2


@dataclass(frozen=True)
class Truth:
    """tables: as given to the candidate, in that row order.  notes: likewise, with `text`.

    spans: note_id start end kind form denotes hard.  stray: table row_id field start end kind: identifiers in free
    text.  fhir: type -> keys of the tables' rows, in the order of the resources.
    """

    card: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    notes: pd.DataFrame
    spans: pd.DataFrame
    stray: pd.DataFrame
    fhir: Mapping[str, list[str]]


@dataclass(frozen=True)
class Scene:
    """public: the packet's data.  keys: one per play, 64 hexadecimal digits."""

    public: Files
    truth: Files
    keys: tuple[str, ...]

    def steps(self) -> Steps:
        """The same data under different keys; stops when the submission would not run."""
        for key in self.keys:
            reply = yield Request("call", "deidentify", (IN_DIR, OUT_DIR, key), files=self.public)
            if reply.status != "ok":
                break
        return {}


def draw_card(seed: Seed) -> dict[str, Any]:
    """The rules that differ between candidates: date rule, withheld columns, record number formats."""
    stream = seed.stream("card")
    order = stream.permutation(len(OPTIONAL), 1)
    withheld = sorted(OPTIONAL[int(i)] for i in order[:2])
    # Sites A and B keep one format, so that the same number can mean two people.
    first, second = (MRN_PATTERNS[int(i)] for i in stream.permutation(len(MRN_PATTERNS), 2)[:2])
    return {
        "as_of": AS_OF,
        "dates": {
            "rule": ("shift", "year")[int(stream.choice(2, 0))],
            "max_days": int(stream.integers(6, 13, 1)) * 30,
        },
        "withhold": {"patients": withheld},
        "mrn_format": {"A": first, "B": first, "C": second},
    }


def check_card(card: Mapping[str, Any]) -> None:
    """Raise ValueError for a card that says less or more than the data can follow."""
    shape = {"as_of": None, "dates": {"rule", "max_days"}, "withhold": {"patients"}, "mrn_format": {"A", "B", "C"}}
    for name, keys in shape.items():
        if name not in card or (keys and not isinstance(card[name], Mapping)):
            raise ValueError(f"'{name}' is missing")
        if keys and set(card[name]) != keys:
            raise ValueError(f"[{name}] must have {', '.join(sorted(keys))}, not {', '.join(sorted(card[name]))}")
    if extra := sorted(set(card) - set(shape)):
        raise ValueError(f"unknown: {', '.join(extra)}")
    if card["dates"]["rule"] not in ("shift", "year"):
        raise ValueError('[dates] rule must be "shift" or "year"')
    days = card["dates"]["max_days"]
    if not isinstance(days, int) or days < 1:
        raise ValueError("[dates] max_days must be a whole number above 0")
    if not isinstance(card["as_of"], str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", card["as_of"]):
        raise ValueError("'as_of' must be a date in quotes, like \"2026-01-01\"")
    if unknown := sorted(set(card["withhold"]["patients"]) - set(OPTIONAL)):
        raise ValueError(f"[withhold] patients may name {', '.join(OPTIONAL)}, not {', '.join(map(str, unknown))}")
    for site, pattern in card["mrn_format"].items():
        if not isinstance(pattern, str) or pattern.count("#") < 5:
            raise ValueError(f"[mrn_format] {site} must be a text with five # or more")


def card_text(card: Mapping[str, Any]) -> str:
    """card.toml, with the meaning of every rule beside it."""
    withheld = ", ".join(f'"{name}"' for name in card["withhold"]["patients"])
    formats = card["mrn_format"]
    return f"""# Policy card: the rules of this release. Another release has another card.
as_of = "{card["as_of"]}"   # ages are reckoned on this day

[dates]
# "shift": every date of a patient moves by the same number of days, never 0, at most max_days either way.
# "year": every date becomes its year, four digits.
rule = "{card["dates"]["rule"]}"
max_days = {card["dates"]["max_days"]}

[withhold]
# Columns that are left empty although they name nobody.
patients = [{withheld}]

[mrn_format]
# Medical record numbers by site: # is a digit, @ a letter, anything else stands for itself.
A = "{formats["A"]}"
B = "{formats["B"]}"
C = "{formats["C"]}"
"""


def scene(seed: Seed, settings: Mapping[str, int], card: Mapping[str, Any]) -> Scene:
    """Charts of `settings["patients"]` people; the rows of every file in an order of its own."""
    from synthetic_data import dataset as datasets
    from synthetic_data.formats.fhir import fhir

    check_card(card)
    sites = network(card)
    data = datasets.make(seed, settings["patients"], sites, unseen=bool(settings.get("hidden", 1)))
    tables = {name: shuffled(seed, name, getattr(data, name)) for name in TABLES}
    tables["patients"] = tables["patients"].drop(columns=["number", "name_group"])
    notes = shuffled(seed, "notes", data.notes)
    public = {f"{name}.csv": csv_bytes(table) for name, table in tables.items()}
    public["notes.jsonl"] = note_lines(notes)
    public["card.toml"] = card_text(card).encode()
    for row in data.attachments.to_dict("records"):
        public[f"attachments/{row['file_name']}"] = row["content"].encode()
    rows = {}
    for name, lines in fhir(data, sites).items():
        kind = name.removesuffix(".ndjson")
        if name.endswith(".ndjson"):
            kept = lines.splitlines(keepends=True)
            order = seed.stream(f"order fhir {kind}").permutation(len(kept))
            public[f"fhir/{name}"] = b"".join(kept[int(i)] for i in order)
            if kind in RELEASED:
                table, key = RELEASED[kind]
                ids = getattr(data, table)[key].tolist()
                rows[kind] = [ids[int(i)] for i in order]
        else:
            public[f"fhir/{name}"] = lines
    keys = tuple(seed.stream(f"key {n}").words(range(8))[:, 0].astype("uint32").tobytes().hex() for n in range(PLAYS))
    return Scene(public, truth_files(data, tables, notes, rows, card), keys)


def network(card: Mapping[str, Any]) -> tuple[Site, ...]:
    """The three sites with the card's record numbers."""
    return tuple(dataclasses.replace(site, mrn_pattern=card["mrn_format"][site.code]) for site in SITES)


def shuffled(seed: Seed, name: str, table: pd.DataFrame) -> pd.DataFrame:
    """The rows in a random order: position says nothing about the patient."""
    return table.iloc[seed.stream(f"order {name}").permutation(len(table))].reset_index(drop=True)


def csv_bytes(table: pd.DataFrame) -> bytes:
    """One table as CSV."""
    text = io.StringIO()
    table.to_csv(text, index=False, lineterminator="\n")
    return text.getvalue().encode()


def note_lines(notes: pd.DataFrame) -> bytes:
    """notes.jsonl."""
    rows = notes[list(NOTE_FIELDS)].to_dict("records")
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def truth_files(
    data: Dataset,
    tables: Mapping[str, pd.DataFrame],
    notes: pd.DataFrame,
    rows: Mapping[str, list[str]],
    card: Mapping[str, Any],
) -> Files:
    """Everything that scoring needs, so that it never depends on making the data again."""
    files = {f"{name}.csv": csv_bytes(table) for name, table in tables.items()}
    files["notes.jsonl"] = note_lines(notes)
    files["spans.csv"] = csv_bytes(data.spans.drop(columns="patient_id"))
    files["stray.csv"] = csv_bytes(data.stray)
    files["facts.json"] = canonical_text({"card": card, "fhir": rows}).encode()
    return files


def read_truth(files: Files) -> Truth:
    """The stored truth."""
    import pandas as pd

    def table(name: str) -> pd.DataFrame:
        return pd.read_csv(io.BytesIO(files[name]), dtype=str, keep_default_na=False)

    facts = json.loads(files["facts.json"])
    spans = table("spans.csv").astype({"start": int, "end": int})
    stray = table("stray.csv").astype({"start": int, "end": int})
    notes = pd.DataFrame([json.loads(line) for line in files["notes.jsonl"].splitlines()])
    tables = {name: table(f"{name}.csv") for name in TABLES}
    return Truth(facts["card"], tables, notes, spans, stray, facts["fhir"])
