"""Toy: a server. Readings are posted and asked for again; some patients were never seen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from synthetic_data.scene import OUT_DIR, Files, Request, Steps
from synthetic_data.streams import Seed, canonical_text


@dataclass(frozen=True)
class Truth:
    """asked: patient ids in the order of the GET requests.  latest: the value each should give, None for 404."""

    asked: list[str]
    latest: list[float | None]


@dataclass(frozen=True)
class Scene:
    """Readings in the order they are posted."""

    readings: list[tuple[str, float]]
    card: Mapping[str, Any]

    @property
    def public(self) -> Files:
        """Only the card."""
        return {"card.toml": f'unit = "{self.card["unit"]}"\n'.encode()}

    @property
    def asked(self) -> list[str]:
        """Every patient posted, and two that were not."""
        return [*sorted({patient for patient, _ in self.readings}), "nobody-1", "nobody-2"]

    @property
    def truth(self) -> Files:
        """The latest value per patient."""
        latest = dict(self.readings)
        text = canonical_text({"asked": self.asked, "latest": [latest.get(p) for p in self.asked]})
        return {"truth.json": text.encode()}

    def steps(self) -> Steps:
        """Start the server, post, ask."""
        reply = yield Request("restart", args=("--port", "@port", "--log-dir", OUT_DIR))
        posts = [
            {"method": "POST", "path": "/readings", "body": json.dumps({"patient": p, "value": v})}
            for p, v in self.readings
        ]
        gets = [{"method": "GET", "path": f"/latest?patient={p}"} for p in self.asked]
        for requests in (posts, gets):
            if reply.status == "ok":
                reply = yield Request("http", requests=tuple(requests))
        return {}


def draw_card(seed: Seed) -> dict[str, Any]:
    """The unit, for the record."""
    return {"unit": ["mmHg", "kPa"][int(seed.stream("card").choice(2, 0))]}


def scene(seed: Seed, settings: Mapping[str, int], card: Mapping[str, Any]) -> Scene:
    """Several readings per patient, in one stream."""
    ids = np.arange(settings["readings"])
    patient = seed.stream("patient").integers(0, max(2, len(ids) // 3), ids)
    value = np.round(80 + 40 * seed.stream("value").uniform(ids), 1)
    base = int(seed.stream("base").integers(10_000, 90_000, 0))
    return Scene([(f"pt-{base + int(p)}", float(v)) for p, v in zip(patient, value, strict=True)], card)


def read_truth(files: Files) -> Truth:
    """The stored truth."""
    return Truth(**json.loads(files["truth.json"]))
