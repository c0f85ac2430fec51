"""Toy: stepwise. The reading of hour t is made from the dose given at hour t-1; the course becomes truth."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from synthetic_data.scene import Files, Request, Steps
from synthetic_data.streams import Seed, canonical_text


@dataclass(frozen=True)
class Truth:
    """glucose: (hours,) mg/dL as it really went.  low, high: the card's range."""

    glucose: list[float]
    low: float
    high: float


@dataclass(frozen=True)
class Scene:
    """One patient's hidden sensitivity and disturbances."""

    card: Mapping[str, Any]
    rise: list[float]
    sensitivity: float

    @property
    def public(self) -> Files:
        """Only the card: readings exist once they are asked for."""
        return {"card.toml": f"low = {self.card['low']}\nhigh = {self.card['high']}\n".encode()}

    @property
    def truth(self) -> Files:
        """Nothing beforehand."""
        return {}

    def steps(self) -> Steps:
        """Create the pump, then one step an hour."""
        glucose, course = 160.0, []
        reply = yield Request("call", "", (dict(self.card),))
        for hour, rise in enumerate(self.rise):
            if reply.status != "ok":
                break
            reply = yield Request("call", "dose", ({"hour": hour, "glucose": round(glucose, 1)},))
            dose = reply.value if isinstance(reply.value, (int, float)) and 0 <= reply.value <= 50 else 0
            glucose = max(20.0, glucose + rise - self.sensitivity * dose)
            course.append(glucose)
        return {"truth.json": canonical_text({"glucose": course, **self.card}).encode()}


def draw_card(seed: Seed) -> dict[str, Any]:
    """The range differs between candidates."""
    low = [90, 110, 130][int(seed.stream("card").choice(3, 0))]
    return {"low": low, "high": low + 50}


def scene(seed: Seed, settings: Mapping[str, int], card: Mapping[str, Any]) -> Scene:
    """A patient: hourly rises of about 30 mg/dL, 8 to 16 mg/dL fall per unit."""
    hours = np.arange(settings["hours"])
    rise = 30 + 6 * seed.stream("rise").normal(hours)
    return Scene(card, [float(r) for r in rise], 8 + 8 * float(seed.stream("sensitivity").uniform(0)))


def read_truth(files: Files) -> Truth:
    """The stored truth."""
    return Truth(**json.loads(files["truth.json"]))
