"""What several sources recorded about patients over the years, in their own words, and which record counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from synthetic_data.streams import IntArray, Seed, Stream

if TYPE_CHECKING:
    import pandas as pd

# 45 CFR 170.213 (USCDI) asks for race and ethnicity by OMB's categories; since 2024 they are one question
# (Statistical Policy Directive 15). The codes are those of the CDC Race and Ethnicity Code Set.
SPELLINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "race": {
        "White": ("White", "WHITE", "W", "Caucasian", "2106-3"),
        "Black": ("Black", "Black or African American", "BLACK/AFRICAN AMERICAN", "B", "2054-5"),
        "Hispanic": ("Hispanic", "Hispanic or Latino", "HISPANIC/LATINO", "H", "2135-2"),
        "Asian": ("Asian", "ASIAN", "A", "2028-9"),
        "AIAN": ("American Indian or Alaska Native", "AIAN", "1002-5"),
        "NHPI": ("Native Hawaiian or Other Pacific Islander", "NHPI", "2076-8"),
        "Multiple": ("Multiple", "Two or more races", "MULTIRACIAL"),
        "": ("Unknown", "Declined", "UNK", "Not reported", ""),
    },
    "language": {
        "English": ("English", "en", "ENG", "english"),
        "Spanish": ("Spanish", "es", "SPA", "Español"),
        "Other": ("Vietnamese", "vi", "Arabic", "Mandarin", "TAGALOG"),
    },
    "payer": {
        "Medicare": ("Medicare", "MEDICARE", "MCR", "Medicare A/B"),
        "Medicaid": ("Medicaid", "MEDICAID", "MCD"),
        "Commercial": ("Commercial", "COMMERCIAL PPO", "Employer plan", "HMO"),
        "Self-pay": ("Self-pay", "SELF PAY", "Uninsured"),
    },
    "sex": {"female": ("F", "Female", "female"), "male": ("M", "Male", "male")},
}
# Spellings that practice data does not have: one in so many of the hidden data's records.
RESERVE_SHARE = 0.03
RESERVE: dict[str, dict[str, tuple[str, ...]]] = {
    "race": {
        "White": (" white ", "White/Caucasian"),
        "Black": ("African-American", "black (african american)"),
        "Hispanic": ("Latino", "Latina", "hispanic / latino"),
        "Asian": ("Asian American", "asian"),
        "Multiple": ("2 or more races", "multi-racial"),
        "": ("Refused", "declined to answer", "unable to obtain"),
    },
    "language": {
        "English": ("English (US)", "EN-US"),
        "Spanish": ("es-MX", "SPANISH"),
        "Other": ("Somali", "Haitian Creole"),
    },
    "payer": {
        "Medicare": ("Medicare Advantage",),
        "Medicaid": ("Managed Medicaid",),
        "Commercial": ("commercial hmo",),
        "Self-pay": ("self-pay (uninsured)",),
    },
    "sex": {"female": ("FEMALE",), "male": ("MALE",)},
}
# Who writes what: how often at all, how often rightly, how often something that says nothing. Our choice; what people
# say of themselves is right most often.
SOURCES: dict[str, dict[str, tuple[float, float, float]]] = {
    "registration": {
        "race": (0.95, 0.92, 0.10),
        "language": (1.0, 0.99, 0),
        "payer": (1.0, 0.90, 0),
        "sex": (1.0, 1.0, 0),
        "birth_date": (1.0, 0.98, 0),
    },
    "self_report": {"race": (0.55, 0.98, 0.06), "language": (0.30, 1.0, 0)},
    "claims": {"race": (0.50, 0.92, 0.15), "payer": (0.50, 1.0, 0), "birth_date": (0.30, 0.99, 0)},
    "outside": {"race": (0.25, 0.85, 0.10)},
}
# Each source has its own way of writing dates, the day of the record as well as birth dates (two digits of the year are
# enough: nobody is older than 98 or younger than 18), and of writing whose record it is.
DATE_FORMATS = {"claims": "%m/%d/%y"}
ID_FORMATS = {"claims": "{}", "outside": "P-{}"}
# What a wrong record of race says instead. NHPI is nobody's mistake: the cell has a fixed number of people.
WRONG_RACES = {"White": 50, "Hispanic": 18, "Black": 16, "Asian": 8, "Multiple": 8}
RACE_RULES = ("self_report", "latest", "majority")
RECORDS_FROM, RECORDS_DAYS = np.datetime64("2019-01-01"), 2000
COLUMNS = ("patient", "recorded_on", "source", "field", "value")
"""As written; `records` has `person`, `day` and `level` besides, what they mean."""


def records(seed: Seed, people: pd.DataFrame, *, reserve: bool) -> pd.DataFrame:
    """One row per record: COLUMNS, and what they mean: person, day and level (dates in ISO; "" for nothing).

    people: number patient race ("" where nobody recorded one) language payer sex birth_date.  No two records of one
    patient and field have the same day.  reserve: whether spellings of RESERVE come too.
    """
    import pandas as pd

    parts = []
    fields = ("race", "language", "payer", "sex", "birth_date")
    for place, (source, habits) in enumerate(SOURCES.items()):
        for field in fields:
            if field not in habits:
                continue
            draw = seed.stream(f"demographics/{source}/{field}")
            present, right, silent = habits[field]
            # NHPI people are few on purpose: all their records are there, and right.
            rows = people[(draw.uniform(people["number"]) < present) | (people["race"] == "NHPI")]
            ids = rows["number"].to_numpy(np.int64)
            level = rows[field].to_numpy(object)
            level = np.where(draw.uniform(ids, 1) < right, level, mistaken(draw, ids, field, level))
            # A person whose race nobody knows has records that say nothing.
            told = (draw.uniform(ids, 2) >= silent) & (rows[field].to_numpy() != "")
            keep = rows["race"].to_numpy() == "NHPI"
            level = np.where(keep, rows[field].to_numpy(object), np.where(told, level, ""))
            after = draw.integers(0, RECORDS_DAYS // len(SOURCES), ids, 3) * len(SOURCES) + place
            day = np.datetime_as_string(RECORDS_FROM + after.astype("timedelta64[D]"), "D")
            form = ID_FORMATS.get(source, "P{}")
            parts.append(
                pd.DataFrame(
                    {
                        "patient": [form.format(name.removeprefix("P")) for name in rows["patient"]],
                        "recorded_on": dated(source, day),
                        "source": source,
                        "field": field,
                        "value": dated(source, level)
                        if field == "birth_date"
                        else written(draw, ids, field, level, reserve),
                        "person": rows["patient"].to_numpy(object),
                        "day": day,
                        "level": level,
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def mistaken(draw: Stream, ids: IntArray, field: str, level: Any) -> Any:
    """What a wrong record says: (n,) levels of the same field."""
    if field == "birth_date":
        # One digit of the year is off, as when a clerk mistypes it.
        born = level.astype("datetime64[D]")
        years = 1 + draw.integers(0, 3, ids, 4)
        return np.datetime_as_string(born - (years * 365).astype("timedelta64[D]"), "D").astype(object)
    weights: Mapping[str, float] = WRONG_RACES if field == "race" else dict.fromkeys(SPELLINGS[field], 1.0)
    return np.array(list(weights), object)[draw.choice(list(weights.values()), ids, 4)]


def dated(source: str, day: Any) -> Any:
    """ISO dates as the source writes them."""
    import pandas as pd

    return pd.to_datetime(pd.Series(day)).dt.strftime(DATE_FORMATS.get(source, "%Y-%m-%d")).to_numpy(object)


def written(draw: Stream, ids: IntArray, field: str, level: Any, reserve: bool) -> Any:
    """The levels in somebody's words."""
    value = np.full(len(ids), "", object)
    u, rare = draw.uniform(ids, 5), draw.uniform(ids, 6) < RESERVE_SHARE
    for name, forms in SPELLINGS[field].items():
        rows = level == name
        value[rows] = np.array(forms, object)[(u[rows] * len(forms)).astype(int)]
        if reserve and (kept_back := RESERVE[field].get(name)):
            rows = rows & rare
            value[rows] = np.array(kept_back, object)[(u[rows] * len(kept_back)).astype(int)]
    return value


def reconciled(table: pd.DataFrame, patients: pd.Series, race_rule: str) -> pd.DataFrame:
    """One row per patient of `patients`, in that order: race language payer sex birth_date; race "missing" for none.

    Records that say nothing do not count. The latest record of a field counts, except for race, where the rule decides:
    "self_report" takes the latest self-report, or the latest of all where there is none; "majority" the value
    recorded most often, of equals the one recorded last.
    """
    import pandas as pd

    known = table[table["level"] != ""].sort_values("day", kind="stable")
    last = known.drop_duplicates(["person", "field"], keep="last")
    wide = last.set_index(["person", "field"])["level"].unstack()  # noqa: PD010 (nothing is aggregated)
    race = known[known["field"] == "race"]
    if race_rule == "self_report":
        own = race[race["source"] == "self_report"].drop_duplicates("person", keep="last")
        wide["race"] = own.set_index("person")["level"].reindex(wide.index).fillna(wide["race"])
    elif race_rule == "majority":
        counts = race.groupby(["person", "level"]).agg(n=("day", "size"), on=("day", "max"))
        most = counts.reset_index().sort_values(["n", "on"]).drop_duplicates("person", keep="last")
        wide["race"] = most.set_index("person")["level"].reindex(wide.index)
    wide = wide.reindex(pd.Index(patients))
    wide["race"] = wide["race"].fillna("missing")
    return wide[["race", "language", "payer", "sex", "birth_date"]].reset_index(drop=True)
