"""Invented adults and the people around them: who they are, where they live, how they are reached and numbered."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthetic_data import addresses, names, network
from synthetic_data.network import SITES, Site
from synthetic_data.streams import FloatArray, IntArray, Seed

# Ages are drawn for this day, the middle of the charts' window (2023-01-01 to 2025-12-31).
MID_WINDOW = np.datetime64("2024-07-01")
YEAR = 365.2425

# Adults of the 2020 Census in five-year bands from 20 (calibration_facts: age/sex; planning.maryland.gov
# US_DP_2020_Census), times CARE_RATIOS: how much more often a band is seen in care (our choice). The last
# band, 90 to 101, is set so that about 3 % are 90 or older at an encounter.
AGE_BANDS = (20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85, 90, 102)
CARE_RATIOS = (0.7, 0.7, 0.7, 0.7, 1, 1, 1, 1, 1.4, 1.4, 1.4, 1.8, 1.8, 1.8, 1.8)
AGE_SHARES = (4.7, 4.7, 4.8, 4.6, 6.1, 6.1, 6.3, 6.7, 9.0, 7.7, 6.3, 5.4, 3.4, 2.3, 2.55)
MALE_SHARE = 0.491  # calibration_facts: age/sex

# calibration_facts: race/ethnicity (2020 Census). Race and ethnicity are drawn together.
RACES = (
    "White",
    "Hispanic",
    "Black",
    "Asian",
    "Two or more races",
    "American Indian or Alaska Native",
    "Pacific Islander",
)
RACE_SHARES = (57.8, 18.7, 12.1, 5.9, 4.1, 0.7, 0.2)

# Which pool a name comes from, by race: our choice, so that every group of names is large enough to be compared.
NAME_GROUP_SHARES = {
    "White": {"anglo": 0.80, "hyphenated": 0.10, "arabic": 0.10},
    "Hispanic": {"hispanic": 0.85, "anglo": 0.05, "hyphenated": 0.10},
    "Black": {"anglo": 0.55, "nigerian": 0.38, "hyphenated": 0.07},
    "Asian": {"vietnamese": 0.32, "chinese_pinyin": 0.34, "indian": 0.34},
    "Two or more races": {"anglo": 0.35, "hispanic": 0.20, "hyphenated": 0.25, "vietnamese": 0.20},
    "American Indian or Alaska Native": {"anglo": 0.80, "hispanic": 0.20},
    "Pacific Islander": {"anglo": 1.0},
}
LANGUAGES = {"hispanic": "es", "vietnamese": "vi", "chinese_pinyin": "zh", "arabic": "ar", "indian": "hi"}
HOME_LANGUAGE_SHARE = 0.35


# Patients 2k and 2k + 1, when at different sites, are one person this often: somebody who moved and is known twice.
SECOND_CHART_SHARE = 0.15
# What registration clerks type when they are not told a number; it stands for nobody.
PLACEHOLDER_SSN = "999-99-9999"
PLACEHOLDER_SHARE = 0.03

KIN = ("spouse", "parent", "child", "sibling")
RELATIONSHIPS = (*KIN, "neighbor", "friend")


def population(seed: Seed, ids: IntArray, sites: tuple[Site, ...] = SITES) -> pd.DataFrame:
    """One row per patient number in `ids`, in that order; all are 18 or older when the charts begin.

    Columns: number, person, patient_id, site, mrn, ssn, health_plan_id, given, middle ("" for a quarter), family,
    name_group, birth_date, sex (female, male), race, ethnicity, language (BCP 47), street, city, county, state, zip,
    phone, email, insurance, employer ("" for people without).
    person is the number of the person's first chart: a few people are patients of two sites, under the same name, birth
    date and SSN, and with an address, a telephone and insurance of the time. A record number is unique within a site;
    two sites may give the same one to different people. Some SSNs are PLACEHOLDER_SSN.
    """
    ids = np.asarray(ids, np.int64)
    draw = seed.stream("population")
    site = addresses.site_index(seed, ids, sites)
    who = persons(seed, ids, sites)
    sex = np.where(draw.uniform(who, 0) < MALE_SHARE, "male", "female")
    race = np.array(RACES)[draw.choice(RACE_SHARES, who, 1)]
    group = _name_groups(draw.uniform(who, 2), race)
    given_stream = seed.stream("population/given")
    given = names.given(given_stream, who, group, sex)
    doubles = names.double_given(given_stream, who, sex)
    given = [d if g == "hyphenated" and d else plain for plain, d, g in zip(given, doubles, group, strict=True)]
    middle = names.given(given_stream, who, group, sex, item=1)
    has_middle = draw.uniform(who, 3) < 0.75
    family = names.family(seed.stream("population/family"), who, group)
    born = _birth_dates(seed, who)
    places = addresses.places(seed, ids, site, sites)
    return pd.DataFrame(
        {
            "number": ids,
            "person": who,
            "patient_id": [f"{sites[s].code}-{n:06d}" for s, n in zip(site.tolist(), ids.tolist(), strict=True)],
            "site": [sites[s].code for s in site.tolist()],
            "mrn": addresses.record_numbers(seed, ids, who, site, sites),
            "ssn": _social_security_numbers(seed, who),
            "health_plan_id": addresses.health_plan_ids(seed, ids),
            "given": given,
            "middle": [m if has else "" for m, has in zip(middle, has_middle, strict=True)],
            "family": family,
            "name_group": group.tolist(),
            "birth_date": np.datetime_as_string(born, "D").tolist(),
            "sex": sex.tolist(),
            "race": np.where(race == "Hispanic", "Other", race).tolist(),
            "ethnicity": np.where(race == "Hispanic", "Hispanic or Latino", "Not Hispanic or Latino").tolist(),
            "language": [
                LANGUAGES.get(g, "en") if u < HOME_LANGUAGE_SHARE else "en"
                for g, u in zip(group.tolist(), draw.uniform(who, 4), strict=True)
            ],
            **places,
            "phone": addresses.phones(seed, ids, [sites[s].area_codes for s in site.tolist()], item=0),
            "email": addresses.emails(seed, who, given, family, born),
            "insurance": _insurance(seed, ids, born),
            "employer": _employers(seed, ids, born),
        }
    )


def persons(seed: Seed, ids: IntArray, sites: tuple[Site, ...] = SITES) -> IntArray:
    """(n,) the number of the person that each patient is: its own, or that of the other chart."""
    partner = ids - ids % 2
    known_twice = seed.stream("population/second_chart").uniform(partner) < SECOND_CHART_SHARE
    elsewhere = addresses.site_index(seed, ids, sites) != addresses.site_index(seed, partner, sites)
    return np.where(known_twice & elsewhere, partner, ids)


def contacts(seed: Seed, patients: pd.DataFrame, sites: tuple[Site, ...] = SITES) -> pd.DataFrame:
    """Nought to two people per patient: kin (who mostly share the family name), a neighbor or a friend."""
    ids = patients["number"].to_numpy(np.int64)
    draw = seed.stream("contacts")
    count = draw.choice([0.15, 0.45, 0.40], ids, 0)
    # Row k of `owner` is the patient of contact k; `place` is 1 or 2 within that patient.
    owner = np.repeat(np.arange(len(ids)), count)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count) + 1
    who = ids[owner]
    relation = np.array(RELATIONSHIPS)[draw.choice([0.35, 0.15, 0.25, 0.10, 0.09, 0.06], who, place, 1)]
    age = whole_years(patients["birth_date"].to_numpy(dtype="datetime64[D]"), np.repeat(MID_WINDOW, len(ids)))[owner]
    # One spouse at most; no parents of people past 70 and no grown children of people below 40.
    relation = np.where((relation == "spouse") & (place == 2), "sibling", relation)
    relation = np.where((relation == "parent") & (age >= 70), "child", relation)
    relation = np.where((relation == "child") & (age < 40), "parent", relation)
    kin = np.isin(relation, KIN)
    shares_name = draw.uniform(who, place, 2) < np.where(kin, 0.80, 0.0)
    # A contact's name is keyed by patient and place: 4 * number + place is nobody else's key.
    key = 4 * who + place
    sex = np.where(draw.uniform(who, place, 3) < 0.5, "female", "male")
    own_group = patients["name_group"].to_numpy(dtype=str)[owner]
    anglo = np.full(len(owner), "anglo")
    group = np.where(kin | (draw.uniform(who, place, 4) < 0.5), own_group, anglo)
    given = names.given(seed.stream("contacts/given"), key, group, sex)
    other = names.family(seed.stream("contacts/family"), key, group)
    patient_family = patients["family"].to_numpy(dtype=object)[owner]
    family = [a if same else b for a, b, same in zip(patient_family, other, shares_name, strict=True)]
    codes = network.by_code(sites)
    areas = [codes[code].area_codes for code in patients["site"].to_numpy(dtype=object)[owner]]
    patient_id = patients["patient_id"].to_numpy(dtype=object)[owner].tolist()
    born = MID_WINDOW - draw.integers(20 * 365, 80 * 365, who, place, 5).astype("timedelta64[D]")
    frame = pd.DataFrame(
        {
            "contact_id": [f"{p}-P{k}" for p, k in zip(patient_id, place.tolist(), strict=True)],
            "patient_id": patient_id,
            "relationship": relation.tolist(),
            "given": given,
            "family": family,
            "phone": addresses.phones(seed, who, areas, item=place),
            "email": addresses.emails(seed, key + (1 << 40), given, family, born),
        }
    )
    return frame.astype("str")


def whole_years(born: npt.ArrayLike, on: npt.ArrayLike) -> IntArray:
    """Completed years of age; both are ISO dates or datetime64, of the same shape. 29 February counts from 1 March."""
    birth, day = np.asarray(born, "datetime64[D]"), np.asarray(on, "datetime64[D]")
    years = day.astype("datetime64[Y]").astype(np.int64) - birth.astype("datetime64[Y]").astype(np.int64)
    return np.asarray(years - (_month_day(day) < _month_day(birth)), np.int64)


def _month_day(day: npt.NDArray[np.datetime64]) -> IntArray:
    month = day.astype("datetime64[M]")
    return np.asarray((month.astype(np.int64) % 12) * 31 + (day - month.astype("datetime64[D]")).astype(np.int64))


def _name_groups(u: FloatArray, race: npt.NDArray[np.str_]) -> npt.NDArray[np.str_]:
    group = np.full(len(u), "anglo", dtype="<U16")
    for value, shares in NAME_GROUP_SHARES.items():
        rows = race == value
        edges = np.cumsum(list(shares.values()))
        chosen = np.minimum(np.searchsorted(edges, u[rows], side="right"), len(shares) - 1)
        group[rows] = np.array(list(shares))[chosen]
    return group


def _birth_dates(seed: Seed, ids: IntArray) -> npt.NDArray[np.datetime64]:
    draw = seed.stream("population/age")
    band = draw.choice(AGE_SHARES, ids, 0)
    low, high = np.array(AGE_BANDS[:-1])[band], np.array(AGE_BANDS[1:])[band]
    age_days = (low + (high - low) * draw.uniform(ids, 1)) * YEAR
    return np.asarray(MID_WINDOW - np.ceil(age_days).astype("timedelta64[D]"))


def _social_security_numbers(seed: Seed, who: IntArray) -> list[str]:
    unknown = seed.stream("population/no_ssn").uniform(who) < PLACEHOLDER_SHARE
    numbers = addresses.social_security_numbers(seed, who)
    return [PLACEHOLDER_SSN if skip else number for number, skip in zip(numbers, unknown, strict=True)]


def _employers(seed: Seed, ids: IntArray, born: npt.NDArray[np.datetime64]) -> list[str]:
    """Empty for most people from 67 on and for a fifth of the others."""
    draw = seed.stream("population/employer")
    pool = addresses.pool("organisations", "employer")
    old = whole_years(born, np.repeat(MID_WINDOW, len(born))) >= 67
    works = draw.uniform(ids, 0) < np.where(old, 0.1, 0.8)
    return [e if w else "" for e, w in zip(pool[draw.choice(len(pool), ids, 1)], works, strict=True)]


def _insurance(seed: Seed, ids: IntArray, born: npt.NDArray[np.datetime64]) -> list[str]:
    """Medicare for nearly everybody from 65, other plans before."""
    draw = seed.stream("population/insurance")
    plans = addresses.pool("organisations", "insurance")
    others = plans[plans != "Medicare"]
    old = whole_years(born, np.repeat(MID_WINDOW, len(born))) >= 65
    medicare = draw.uniform(ids, 0) < np.where(old, 0.9, 0.05)
    return list(np.where(medicare, "Medicare", others[draw.choice(len(others), ids, 1)]))
