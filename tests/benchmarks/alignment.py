"""How often the notes' measure finds a planted leak, and how often it cries wolf.

Invented notes are de-identified in nine styles; in each, a known share of the mentions is left readable in one of the
ways that happen. The table compares the measure's verdicts with what was planted:

    python tests/benchmarks/alignment.py [NOTES]
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from graders.measures.alignment import measure_notes

_GIVEN_TEXT = "Rosa Will Amara Chidinma Jesus Marisol Tremaine Latoya Grace Hope Mark Summer Kate Ivy Dolores Oscar Li"
GIVEN = _GIVEN_TEXT.split()
_FAMILY_TEXT = "Parkinson May Crohn Okonkwo Nguyen Diallo Quintero Henderson Graves Bell Long Wilson Foley Price Yu"
FAMILY = _FAMILY_TEXT.split()
_OTHER_GIVEN_TEXT = "Helen Victor Paula Simon Teresa Umar Naomi Felix Bridget Desmond Carla Edgar"
OTHER_GIVEN = _OTHER_GIVEN_TEXT.split()
_OTHER_FAMILY_TEXT = "Albright Castillo Eriksen Fontaine Ibarra Jankowski Lindqvist Moreau Osterman Vandermeer"
OTHER_FAMILY = _OTHER_FAMILY_TEXT.split()
TOWNS = ["Visalia", "Tulare", "Porterville", "Dinuba", "Exeter", "Lindsay", "Hanford"]
OTHER_TOWNS = ["Marlow", "Kingsbury", "Ashford", "Brampton", "Coldwater", "Underhill"]
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]

LINES = (
    "PATIENT: {last_first} | MRN {mrn} | DOB {date} | VISIT {date} | SSN {ssn}",
    "Name | {full} | MRN | {mrn} |",
    "{full} {date} {mrn}",
    "Pt {full} reports he will return in may if the tremor of Parkinson disease gets worse.",
    "Seen with pt {full} and wife {given} for follow-up of Crohn disease, K 4.2, HbA1c 8.1 %.",
    "Mr. {family} was admitted on {date} with chest pain radiating to the left arm, BP 120/80, HR 72, SpO2 94% on RA.",
    "Daughter ({given}) can be reached at {phone} or {email} after 5 pm.",
    "From {date} to {date} she took metformin 500 mg twice daily, 1/2 tablet on days 3 and 14 of the trial.",
    "Held {date}, {date} and {date} for low potassium, then resumed without further events.",
    "A {age}-year-old with AF, EF 35-40% by echo, ICD-10 I50.9, L4-L5 stenosis, Foley catheter removed.",
    "Lives in {town} with {given} {given}; ZIP {zip}; insurance {plan}, device serial {device}.",
    "Stroke in early {month}; recovered, Wilson disease ruled out; Graves disease likely, Glasgow Coma Scale 15.",
    "Call {full} ({phone}) on the {day} about the MRI; the order is for T2 FLAIR with and without contrast.",
    "Patient denies fever, chills, N/V; the family of {family} was updated and will discuss hospice in the long term.",
    "Assessment and plan: continue warfarin 5 mg qHS with INR 2.3, repeat labs in 2 weeks, hope to stop in summer.",
    "Physical exam: lungs clear, abdomen soft, no edema, grace of movement preserved, mark on the left heel unchanged.",
)


@dataclass(frozen=True)
class Made:
    """A mention as drawn: its kind, text, what it denotes and, for dates, the form and the day."""

    kind: str
    text: str
    denotes: str = ""
    form: str = ""
    day: date = date(2000, 1, 1)


def write_date(day: date, form: str) -> str:
    """A day as {iso, us, words, army, short, compact} text."""
    month = MONTHS[day.month - 1]
    return {
        "iso": f"{day}",
        "us": f"{day:%m/%d/%Y}",
        "words": f"{month} {day.day}, {day.year}",
        "army": f"{day.day:02d}{month[:3].upper()}{day:%y}",
        "short": f"{day.day}-{month[:3]}",
        "compact": f"{day:%Y%m%d}",
    }[form]


def make(slot: str, rng: np.random.Generator, other: bool = False) -> Made:
    """A mention for a slot, from the patients' pools or, with `other`, from those of the stand-ins."""

    def digits(n: int) -> str:
        return "".join(map(str, rng.integers(0, 10, n)))

    given = str(rng.choice(OTHER_GIVEN if other else GIVEN))
    family = str(rng.choice(OTHER_FAMILY if other else FAMILY))
    if slot in ("full", "last_first", "family", "given"):
        text = {"full": f"{given} {family}", "last_first": f"{family.upper()},{given.upper()}"}
        return Made("NAME", text.get(slot, family if slot == "family" else given))
    if slot == "date":
        day = date(2023, 1, 1) + timedelta(days=int(rng.integers(0, 1000)))
        form = str(rng.choice(["iso", "us", "words", "army", "short", "compact"]))
        return Made("DATE", write_date(day, form), f"-{day:-%m-%d}" if form == "short" else str(day), form, day)
    if slot == "month":
        number = int(rng.integers(1, 13))
        return Made("DATE", MONTHS[number - 1], f"--{number:02d}")
    if slot == "day":
        number = int(rng.integers(4, 20))
        return Made("DATE", f"{number}th", f"---{number:02d}")
    if slot == "age":
        return Made("AGE", str(rng.integers(90, 105)))
    made = {
        "phone": lambda: Made("PHONE", f"{rng.integers(201, 989)}-555-01{digits(2)}"),
        "email": lambda: Made("EMAIL", f"{given.lower()}.{family.lower()}@example.org"),
        "ssn": lambda: Made("SSN", f"9{digits(2)}-{digits(2)}-{digits(4)}"),
        "mrn": lambda: Made("MRN", rng.choice(["00", "A-"]) + digits(6)),
        "plan": lambda: Made("HEALTH_PLAN", f"1EG{digits(1)}-TE{digits(1)}-MK{digits(2)}"),
        "device": lambda: Made("DEVICE", f"SN{digits(8)}"),
        "zip": lambda: Made("LOCATION", f"932{digits(2)}"),
        "town": lambda: Made("LOCATION", str(rng.choice(OTHER_TOWNS if other else TOWNS))),
    }
    return made[slot]()


def surrogate(slot: str, old: Made, rng: np.random.Generator) -> str:
    """Something of the same kind that is not the mention: another name, another number, another day."""
    if old.form:
        return write_date(old.day + timedelta(days=int(rng.integers(1, 40))), old.form)
    for _ in range(50):
        new = make(slot, rng, other=True)
        if new.text != old.text and new.text[-4:] != old.text[-4:] and new.denotes[2:5] != (old.denotes[2:5] or "x"):
            return new.text
    return "[OTHER]"


STYLES: dict[str, Callable[[str, Made, np.random.Generator], str]] = {
    "typed tags": lambda _, m, __: f"[{m.kind}]",
    "[REDACTED]": lambda *_: "[REDACTED]",
    "numbered tags": lambda _, m, rng: f"<{m.kind}_{rng.integers(1, 9)}>",
    "stars": lambda *_: "***",
    "same-length stars": lambda _, m, __: re.sub(r"\w", "*", m.text),
    "same-length X's": lambda _, m, __: re.sub(r"\w", "X", m.text),
    "blanks": lambda *_: "____",
    "deletion": lambda *_: "",
    "surrogates": surrogate,
}


def leak(mention: Made, mask: str, rng: np.random.Generator) -> str:
    """The mention left readable, whole or in a telling part, in one of the ways that happen."""
    text = mention.text
    ways = [text, text, text.upper()]
    if mention.kind == "NAME":
        parts = re.split(r"[ ,]", text)
        ways += [f"{parts[-1]}, {parts[0]}" if len(parts) > 1 else text, f"{mask} {parts[-1]}", f"{parts[0]} {mask}"]
        if len(text) >= 6 and len(parts) == 1:
            ways += [f"{text[:-1]}*", "-".join(text)]
    elif mention.form and mention.form != "short":
        form = ["iso", "us", "words", "army", "short", "compact"]
        ways += [write_date(mention.day, f) for f in form] + [f"{mention.day:%B %Y}", f"{mention.day:%m}/**/****"]
    elif mention.kind in ("PHONE", "SSN"):
        ways += [text.replace("-", ""), text.replace("-", "."), f"XXX-XX-{text[-4:]}"]
    elif mention.kind == "MRN":
        ways += [text.removeprefix("00"), text.replace("-", " ")]
    return str(rng.choice(ways))


@dataclass(frozen=True)
class Planted:
    """Notes, their mentions (with `leaked`), and the de-identified texts."""

    originals: list[str]
    outputs: list[str]
    spans: pd.DataFrame
    words: int


def plant(style: str, notes: int, seed: int, leak_share: float = 0.15, lost_share: float = 0.02) -> Planted:
    """Notes of about 200 words; `leak_share` of the mentions leak, `lost_share` of the other words are masked too."""
    rng = np.random.default_rng(seed)
    originals: list[str] = []
    outputs: list[str] = []
    rows: list[tuple[int, int, int, str, str, bool]] = []
    for note in range(notes):
        original, output = "", ""
        for line in rng.permutation(LINES):
            for piece in re.split(r"(\{\w+\})", str(line)):
                if not piece.startswith("{"):
                    original += piece
                    output += re.sub(r"\w+", lambda w: "[X]" if rng.random() < lost_share else w.group(), piece)
                    continue
                slot = piece[1:-1]
                mention = make(slot, rng)
                while rows and original.rstrip().endswith(mention.text):
                    mention = make(slot, rng)  # of "Grace Grace", nobody could say which one was masked
                mask = STYLES[style](slot, mention, rng)
                leaks = bool(rng.random() < leak_share)
                rows.append(
                    (note, len(original), len(original) + len(mention.text), mention.kind, mention.denotes, leaks)
                )
                original += mention.text
                output += leak(mention, mask, rng) if leaks else mask
            original, output = original + "\n", output + "\n"
        originals.append(original)
        outputs.append(output)
    columns = ["note", "start", "end", "kind", "denotes", "leaked"]
    words = sum(len(o.split()) for o in originals)
    return Planted(originals, outputs, pd.DataFrame(rows, columns=columns), words)


def table(notes: int, seed: int) -> pd.DataFrame:
    """One row per style: mentions, leaks planted and found, false alarms, kept share, speed."""
    rows = []
    for style in STYLES:
        planted = plant(style, notes, seed)
        start = time.process_time()
        measure = measure_notes(planted.originals, planted.outputs, planted.spans)
        seconds = time.process_time() - start
        leaked = planted.spans["leaked"].to_numpy()
        rows.append(
            {
                "style": style,
                "mentions": len(leaked),
                "leaks": leaked.sum(),
                "found": (~measure.caught[leaked]).mean(),
                "false alarms": (~measure.caught[~leaked]).mean(),
                "kept": measure.kept_share,
                "words per note": planted.words / notes,
                "notes per CPU s": notes / seconds,
            }
        )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    notes = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    print(table(notes, seed=20261121).to_string(index=False, float_format=lambda x: f"{x:.4f}"))
