"""Toy: one call per play, two plays with different factors."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from synthetic_data.scene import IN_DIR, OUT_DIR, Files, Request, Steps
from synthetic_data.streams import Seed, canonical_text

FACTORS = (1, 10)


@dataclass(frozen=True)
class Truth:
    """indices: patient id -> body mass index, or None where the height is implausible.  word: what the card wants."""

    indices: Mapping[str, float | None]
    word: str


@dataclass(frozen=True)
class Scene:
    """A table of weights and heights."""

    public: Files
    truth: Files

    def steps(self) -> Steps:
        """Two plays; stops when the submission would not run."""
        for factor in FACTORS:
            reply = yield Request("call", "body_mass_index", (IN_DIR, OUT_DIR, factor), files=self.public)
            if reply.status != "ok":
                break
        return {}


def draw_card(seed: Seed) -> dict[str, Any]:
    """The word for an implausible height differs between candidates."""
    words = ["unknown", "implausible", "missing"]
    return {"implausible": words[int(seed.stream("card").choice(len(words), 0))]}


def scene(seed: Seed, settings: Mapping[str, int], card: Mapping[str, Any]) -> Scene:
    """Weights and heights of invented patients; about one height in ten is implausible."""
    ids = np.arange(settings["patients"])
    kg = np.round(75 + 14 * seed.stream("kg").normal(ids), 1)
    cm = np.round(170 + 9 * seed.stream("cm").normal(ids), 1)
    bad = seed.stream("bad").uniform(ids) < 0.1
    names = [f"P{n:04d}" for n in seed.stream("id").permutation(len(ids))]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["patient_id", "kg", "cm"])
    writer.writerows(zip(names, kg, np.where(bad, 0, cm), strict=True))
    indices = {n: None if b else float(w / (h / 100) ** 2) for n, w, h, b in zip(names, kg, cm, bad, strict=True)}
    public = {
        "patients.csv": text.getvalue().encode(),
        "card.toml": f'implausible = "{card["implausible"]}"\n'.encode(),
    }
    return Scene(public, {"truth.json": canonical_text({"indices": indices, "word": card["implausible"]}).encode()})


def read_truth(files: Files) -> Truth:
    """The stored truth."""
    return Truth(**json.loads(files["truth.json"]))
