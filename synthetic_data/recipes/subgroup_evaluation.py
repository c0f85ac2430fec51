"""Subgroup evaluation: a readmission model's scores, outcomes, and messy records of who the patients are."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from synthetic_data import canaries
from synthetic_data.canaries import Mark
from synthetic_data.scene import IN_DIR, OUT_DIR, Files, Request, Steps
from synthetic_data.streams import Seed, canonical_text

if TYPE_CHECKING:
    import pandas as pd

    from synthetic_data.readmission import Plan

AXES: dict[str, tuple[str, ...]] = {
    "age": ("18-44", "45-64", "65-79", "80+"),
    "sex": ("female", "male"),
    "race": ("White", "Black", "Hispanic", "Asian", "AIAN", "NHPI", "Multiple", "missing"),
    "language": ("English", "Spanish", "Other"),
    "payer": ("Medicare", "Medicaid", "Commercial", "Self-pay"),
    "site": ("A", "B", "C"),
}
PAIRS = (("race", "sex"), ("race", "age"), ("race", "site"), ("age", "sex"), ("language", "payer"))
METRICS = (
    "auroc", "auprc", "brier", "slope", "intercept", "o_e", "sensitivity", "specificity", "ppv", "net_benefit",
)  # fmt: skip
NEED_RATIO = "need_ratio"
CAUSES = ("miscalibration", "case_mix", "proxy_label", "data_quality")
MITIGATIONS = ("recalibrate", "threshold", "relabel", "fix_data", "none")
COUNTS = ("patients", "encounters")
CENSOR_RULES = ("encounter", "month")
# Patients whose stays come after the report: what a threshold and a mitigation are tried on.
FRESH_SHARE = 0.5
# What a plant is called, and which metrics show it: it is found by any of them.
UNDER_READ = {
    "o_e": "higher", "intercept": "higher", "sensitivity": "lower", "ppv": "higher", NEED_RATIO: "higher",
}  # fmt: skip
FOUND_BY: dict[str, tuple[tuple[str, ...], Mapping[str, str]]] = {
    "group": (("miscalibration",), UNDER_READ),
    # Whether a score that is wrong for people without a race is wrong because of the gap is a matter of words.
    "missing_race": (("miscalibration", "data_quality"), UNDER_READ),
    "intersection": (("miscalibration",), UNDER_READ),
    "proxy": (("proxy_label",), {NEED_RATIO: "higher"}),
    "data_fault": (("data_quality",), {"o_e": "higher", "intercept": "higher", "ppv": "higher", "brier": "higher"}),
}
ENCOUNTERS = (
    "encounter", "patient", "site", "index_date", "score", "y", "need", "followup_days", "included",
    "age", "sex", "race", "language", "payer", "risk", "need_risk",
)  # fmt: skip
# What of a packet's practice data tells whose packet it was; claims write a patient's number without its letter.
ENCOUNTER = Mark("encounter", r"(e(?<![a-z0-9].)\d{5})(\d)(?!\w)")
PATIENT = Mark("patient", r"p(?<![a-z0-9].)-?(\d{5})(\d)(?!\w)")
NUMBER = Mark("patient", r"(\d(?<![\w.:-].)\d{4})(\d)(?![\w.:-])")
MARKS = (ENCOUNTER, PATIENT, NUMBER)
FRESH = ("site", "index_date", "age", "sex", "race", "language", "payer", "score", "right_score", "need_risk")


@dataclass(frozen=True)
class Truth:
    """What scoring needs of a scene.

    encounters: ENCOUNTERS, one row each, levels as the card has them; need is NaN where it is unknown; risk that of a
    recorded readmission, need_risk that of need.  plants: {kind, cell, causes, metrics: metric -> direction}.
    fresh: FRESH, stays of other people, with the score as recorded and as the model would have it.
    fault: {} or {site, from, kind}.
    """

    card: Mapping[str, Any]
    encounters: pd.DataFrame
    plants: Sequence[Mapping[str, Any]]
    fresh: pd.DataFrame
    fault: Mapping[str, str]

    @cached_property
    def counted(self) -> pd.DataFrame:
        """The encounters that the card's rule includes."""
        return self.encounters[self.encounters["included"]].reset_index(drop=True)


@dataclass(frozen=True)
class Scene:
    """public: the packet's data.  truth: as `truth_files` writes it."""

    public: Files
    truth: Files

    def steps(self) -> Steps:
        """One call."""
        yield Request("call", "evaluate", (IN_DIR, OUT_DIR), files=self.public)
        return {}


def cells(card: Mapping[str, Any]) -> list[dict[str, str]]:
    """All cells that are reported: everybody, each level of each axis, each pair of levels of the intersections."""
    levels = card["levels"]
    found: list[dict[str, str]] = [{}]
    found += [{axis: level} for axis in levels for level in levels[axis]]
    for pair in card["intersections"]:
        found += [dict(zip(pair, both, strict=True)) for both in itertools.product(*(levels[axis] for axis in pair))]
    return found


def draw_card(seed: Seed) -> dict[str, Any]:
    """The rules that differ between candidates."""
    draw = seed.stream("card")
    return {
        "threshold": (0.15, 0.16, 0.17)[int(draw.choice(3, 0))],
        "alert_budget": (0.18, 0.20)[int(draw.choice(2, 1))],
        "pilot": {
            "site": AXES["site"][int(draw.choice(3, 2))],
            "until": ("2025-02-28", "2025-03-15")[int(draw.choice(2, 3))],
        },
        "race_rule": ("self_report", "latest", "majority")[int(draw.choice(3, 4))],
        "censor_rule": CENSOR_RULES[int(draw.choice(2, 5))],
        "age_on": ("2025-01-01", "2025-07-01", "2026-01-01")[int(draw.choice(3, 6))],
        "min_cell": (11, 12, 15, 20)[int(draw.choice(4, 7))],
        "counts": COUNTS[int(draw.choice(2, 8))],
        "material": {"ratio": 1.15, "points": 0.10},
        "levels": {axis: list(levels) for axis, levels in AXES.items()},
        "intersections": [list(pair) for pair in PAIRS],
    }


def check_card(card: Mapping[str, Any]) -> None:
    """Raise ValueError for a card that says less or more than the data can follow."""
    from synthetic_data.demographic_records import RACE_RULES

    if set(card) != (keys := set(draw_card(Seed(bytes(32))))):
        raise ValueError(f"must have {', '.join(sorted(keys))}, and not {', '.join(sorted(set(card) ^ keys))}")
    for name, low, high in (("threshold", 0.05, 0.5), ("alert_budget", 0.05, 0.5)):
        if type(card[name]) not in (int, float) or not low <= card[name] <= high:
            raise ValueError(f"{name} must be a number from {low} to {high}")
    for name, choices in (("race_rule", RACE_RULES), ("censor_rule", CENSOR_RULES), ("counts", COUNTS)):
        if card[name] not in choices:
            raise ValueError(f"{name} must be one of {', '.join(choices)}, in quotes")
    if type(card["min_cell"]) is not int or not 8 <= card["min_cell"] <= 100:
        raise ValueError("min_cell must be a whole number from 8 to 100")
    pilot = card["pilot"]
    if not isinstance(pilot, Mapping) or set(pilot) != {"site", "until"} or pilot["site"] not in AXES["site"]:
        raise ValueError('[pilot] must have site, "A", "B" or "C", and until')
    for name, day in (("age_on", card["age_on"]), ("[pilot] until", pilot["until"])):
        try:
            fine = isinstance(day, str) and date.fromisoformat(day).isoformat() == day
        except ValueError:
            fine = False
        if not fine:
            raise ValueError(f'{name} must be a date in quotes, like "2025-07-01"')
    material = card["material"]
    if not isinstance(material, Mapping) or set(material) != {"ratio", "points"}:
        raise ValueError("[material] must have ratio and points")
    if not (1.05 <= material["ratio"] <= 1.2 and 0.05 <= material["points"] <= 0.12):
        raise ValueError(
            "[material] ratio must be from 1.05 to 1.2 and points from 0.05 to 0.12: the data have gaps of twice that"
        )
    if card["levels"] != {axis: list(levels) for axis, levels in AXES.items()}:
        raise ValueError("[levels] cannot be changed")
    pairs = card["intersections"]
    if not isinstance(pairs, list) or not all(list(p) in [list(q) for q in PAIRS] for p in pairs) or not pairs:
        raise ValueError("intersections must be one or more of " + canonical_text([list(p) for p in PAIRS]))


def card_text(card: Mapping[str, Any]) -> str:
    """card.toml, with the meaning of every rule beside it."""
    levels = "\n".join(f"{axis} = {json.dumps(names)}" for axis, names in card["levels"].items())
    return f"""# Policy card: the rules of this evaluation. Another network has another card.
threshold = {card["threshold"]}     # proposed: an encounter with score >= threshold is flagged. Report at this one
alert_budget = {card["alert_budget"]}   # the share of encounters that the nurses can follow up
age_on = "{card["age_on"]}"   # age in whole years on this day

# Which record of race counts. Values that say nothing (unknown, declined ...) are no records; without any: "missing".
# "self_report": the latest self-report; without one, the latest record of any source.
# "latest": the latest record of any source.  "majority": the level recorded most often; of equals, that last recorded.
# Of every other field the latest record counts.
race_rule = "{card["race_rule"]}"

# What becomes of encounters that were not followed for 30 days (followup_days below 30).
# "encounter": they are left out, with or without an event.
# "month": all encounters of a site in a calendar month are left out if any of them was not.
censor_rule = "{card["censor_rule"]}"

# A count of 1 to min_cell - 1 is neither shown nor to be worked out. counts: what n is, "patients" or "encounters".
min_cell = {card["min_cell"]}
counts = "{card["counts"]}"

intersections = {json.dumps(card["intersections"])}

[pilot]
# The threshold was chosen on these encounters: one site, up to this day.
site = "{card["pilot"]["site"]}"
until = "{card["pilot"]["until"]}"

[material]
# What matters: a group's value at least so many times everybody else's (or 1 over that), or so many points apart.
ratio = {card["material"]["ratio"]}
points = {card["material"]["points"]}

[levels]
{levels}
"""


def scene(seed: Seed, settings: Mapping[str, Any], card: Mapping[str, Any]) -> Scene:
    """A year's stays of `settings["patients"]` people."""
    import numpy as np

    from synthetic_data import readmission as world

    check_card(card)
    plan = world.plan(seed)
    count = int(settings["patients"])
    hidden = bool(settings.get("hidden", 1))
    table, demographics = made(seed, plan, np.arange(count), count, card, reserve=hidden)
    later, _ = made(seed, plan, np.arange(count, count + int(count * FRESH_SHARE)), 0, card, reserve=False)
    counted = world.included(table, card["censor_rule"])
    sizes = world.fitted(seed, table, plan, card["threshold"], counted)
    table = world.outcomes(seed, world.scored(seed, table, plan, sizes))
    table["included"] = counted
    later = world.scored(seed, later, plan, sizes)
    order = seed.stream("rows").permutation(len(table))
    code = seed.stream("encounter/code").permutation(len(table))
    table["encounter"] = [f"E{200000 + c}" for c in code.tolist()]
    table = table.iloc[order].reset_index(drop=True)
    public = {
        "card.toml": card_text(card).encode(),
        "scores.csv": csv_bytes(with_versions(seed, table)),
        "outcomes.csv": csv_bytes(
            table.iloc[seed.stream("outcome rows").permutation(len(table))][
                ["encounter", "readmit30", "followup_days", "cost", "need"]
            ]
        ),
        "demographics.csv": csv_bytes(demographics),
    }
    fault = {}
    if "data_fault" in plan.cells:
        fault = {"site": plan.cells["data_fault"]["site"], "from": str(sizes["data_fault"]["from"]), "kind": plan.fault}
    plants = [
        {"kind": kind, "cell": cell, "causes": FOUND_BY[kind][0], "metrics": FOUND_BY[kind][1]}
        for kind, cell in plan.cells.items()
    ]
    truth = {
        "encounters.csv": csv_bytes(table.rename(columns={"readmit30": "y"})[list(ENCOUNTERS)]),
        "fresh.csv": csv_bytes(later[list(FRESH)]),
        "facts.json": canonical_text({"card": card, "plants": plants, "fault": fault}).encode(),
    }
    return Scene(public, truth)


def made(
    seed: Seed, plan: Plan, ids: Any, tiny_of: int, card: Mapping[str, Any], *, reserve: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The stays of some people with their levels under the card, and the records about them.

    tiny_of: as in readmission.people; 0 for people who come after the report, who were in no pilot.
    """
    from synthetic_data import demographic_records, readmission

    patients = readmission.people(seed, ids, tiny_of)
    records = demographic_records.records(seed, patients, reserve=reserve)
    known = demographic_records.reconciled(records, patients["patient"], card["race_rule"])
    known["age"] = readmission.age_bands(known["birth_date"].to_numpy(), card["age_on"])
    table = readmission.stays(seed, patients, plan, card["pilot"] if tiny_of else None)
    levels = known.assign(patient=patients["patient"]).drop(columns="birth_date")
    table = table.merge(levels, on="patient", how="left", validate="many_to_one")
    shuffled = records.iloc[seed.stream("record rows").permutation(len(records))]
    return table, shuffled[list(demographic_records.COLUMNS)]


def with_versions(seed: Seed, table: pd.DataFrame) -> pd.DataFrame:
    """scores.csv: every site got the new version of the model on a day of its own; it scores as the old one did."""
    draw = seed.stream("version")
    days = {site: 60 + 15 * int(draw.integers(0, 12, k)) for k, site in enumerate(AXES["site"])}
    since = table["site"].map(days)
    day = (table["index_date"] - table["index_date"].dt.to_period("Y").dt.start_time).dt.days
    version = (day >= since).map({True: "2.4.0", False: "2.3.1"})
    columns = ["encounter", "patient", "site", "index_date", "score"]
    return table[columns].assign(index_date=table["index_date"].dt.strftime("%Y-%m-%d"), model_version=version)


def mark(public: Files, seed: Seed) -> Files:
    """Practice data with marks. References hold, and encounters and patients keep the order of their numbers."""
    scores, outcomes, records = (public[f"{name}.csv"] for name in ("scores", "outcomes", "demographics"))
    stay, person, anybody = "^E[0-9]{6}(?=,)", "(?<=,P)[0-9]{6}(?=,)", "^(?:P-?)?[0-9]{6}(?=,)"
    stays = canaries.grown(ENCOUNTER, seed, canaries.found(scores, stay), keep=1, base=200_000)
    numbers = canaries.found(scores, person) | {one.lstrip("P-") for one in canaries.found(records, anybody)}
    people = canaries.grown(NUMBER, seed, numbers, keep=0, base=100_000)
    written = {form + old: form + new for old, new in people.items() for form in ("", "P", "P-")}
    return {
        **public,
        "scores.csv": canaries.replaced(canaries.replaced(scores, stay, stays), person, people),
        "outcomes.csv": canaries.replaced(outcomes, stay, stays),
        "demographics.csv": canaries.replaced(records, anybody, written),
    }


def csv_bytes(table: pd.DataFrame) -> bytes:
    """One table as CSV."""
    text = io.StringIO()
    table.to_csv(text, index=False, lineterminator="\n", float_format="%.10g")
    return text.getvalue().encode()


def read_truth(files: Files) -> Truth:
    """The stored truth."""
    import pandas as pd

    facts = json.loads(files["facts.json"])
    frame = pd.read_csv(io.BytesIO(files["encounters.csv"]), keep_default_na=False, na_values={"need": [""]})
    fresh = pd.read_csv(io.BytesIO(files["fresh.csv"]), keep_default_na=False)
    return Truth(facts["card"], frame, facts["plants"], fresh, facts["fault"])
