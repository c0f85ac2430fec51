"""Hospital stays of invented adults, a readmission model's scores of them, and where the model or the data fail.

Scores are right by construction where nothing is planted: the outcome of a stay is drawn with just the probability that
the score states, and stays of one patient share luck (a Gaussian copula), so that the patient, not the stay, is the
unit of resampling.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from synthetic_data.streams import FloatArray, IntArray, Seed

if TYPE_CHECKING:
    import pandas as pd

SITES, SITE_SHARES = ("A", "B", "C"), (0.38, 0.34, 0.28)
RACES = {"White": 55.0, "Hispanic": 16, "Black": 16, "Asian": 8, "Multiple": 3.5, "AIAN": 1.5}
NO_RACE_SHARE = 0.07  # more have none that says anything once the records are read
# Language by race, and payer by whether a patient is 65: shares of LANGUAGES and of PAYERS.
LANGUAGES = ("English", "Spanish", "Other")
LANGUAGE_SHARES = {"Hispanic": (0.45, 0.53, 0.02), "Asian": (0.55, 0, 0.45), "Multiple": (0.85, 0.10, 0.05)}
OTHER_LANGUAGE_SHARES = (0.95, 0.01, 0.04)
PAYERS = ("Medicare", "Medicaid", "Commercial", "Self-pay")
PAYER_SHARES = {True: (0.88, 0.04, 0.06, 0.02), False: (0.08, 0.28, 0.49, 0.15)}
BANDS = (("18-44", 19, 45), ("45-64", 45, 65), ("65-79", 65, 80), ("80+", 80, 98))
BAND_SHARES = (0.23, 0.30, 0.29, 0.18)
AGES_ON = np.datetime64("2025-07-01")
YEAR_FROM, YEAR_DAYS = np.datetime64("2025-01-01"), 365
# A cell that is small by any card: so many people of one race, with a stay each, none of them at the last site.
TINY_RACE, TINY_COUNT = "NHPI", 7
# Stays beyond the first: a negative binomial with this mean and size; a few people come very often.
MORE_STAYS_MEAN, MORE_STAYS_SIZE = 0.82, 0.21
MOST_STAYS = 24
MOST_RISK = 0.95  # of a recorded readmission where transfers count too
# Latent correlation of the outcomes of one patient's stays; that of the outcomes themselves is about .35.
LATENT_RHO = 0.52
NEED_RHO = 0.75  # latent correlation of a stay's need with its readmission
# Logits: AHRQ's statistical brief 248 (2016) has 13.9 % of adults' stays followed by another within 30 days, Medicare
# 17.1 %; the effects of age are our choice, large on purpose: crude rates differ between ages and nothing is wrong.
BASE, PATIENT_SD, STAY_SD = -1.90, 0.75, 0.45
AGE_EFFECTS = {"18-44": -0.95, "45-64": -0.25, "65-79": 0.20, "80+": 0.60}
PILOT_EFFECT = -0.45  # the pilot ward took planned admissions
NEED_FACTOR = 1.1  # some who need a readmission do not get one
KINDS = ("group", "missing_race", "intersection", "proxy", "data_fault")
FAULTS = ("stuck", "scale", "transfers")


@dataclass(frozen=True)
class Plan:
    """What is wrong, drawn per seed.

    cells: kind -> axis -> level, for group, missing_race, intersection, proxy and data_fault, of which two to four are
    there.  fault: one of FAULTS.  censored: the site whose outcome feed stopped, on the day `stopped`.
    """

    cells: Mapping[str, Mapping[str, str]]
    fault: str
    censored: str
    stopped: np.datetime64


def plan(seed: Seed) -> Plan:
    """Draws kinds and places so that no two plants stand in each other's way."""
    draw = seed.stream("plan")
    order = [SITES[int(i)] for i in draw.permutation(3, 1)]
    count = int(draw.choice((0.25, 0.45, 0.30), 0)) + 2
    kinds = [KINDS[int(i)] for i in draw.permutation(len(KINDS), 2)[:count]]
    # The intersection is of one race; group and proxy are of other axes or of the other race, and do not overlap much.
    race, other = (("Black", {"language": "Spanish"}), ("Hispanic", {"race": "Black"}))[int(draw.choice(2, 3))]
    places = [{"payer": ("Medicaid", "Self-pay")[int(draw.choice(2, 4))]}, other]
    if draw.uniform(5) < 0.5:
        places.reverse()
    group, proxy = places
    # A site that the model misreads all year long looks like a fault until one looks at when it began.
    if draw.uniform(6) < 0.4 and "data_fault" not in kinds:
        group = {"site": order[1]}
    second = {"age": "65-79"} if "site" in group or draw.uniform(7) < 0.5 else {"site": order[1]}
    cells = {
        "group": group,
        "missing_race": {"race": "missing"},
        "intersection": {"race": race, **second},
        "proxy": proxy,
        "data_fault": {"site": order[0]},
    }
    stopped = np.datetime64("2025-08-25") + int(draw.integers(0, 30, 8))
    return Plan({k: cells[k] for k in sorted(kinds)}, FAULTS[int(draw.choice(3, 9))], order[2], stopped)


# How far a plant is off: observed to expected (for the proxy, need) against everybody else's. Twice what the card calls
# material, and more where a cell has few events, or honest analysts would fail by chance (docs/decisions/0009).
RATIO = {"group": 1.55, "missing_race": 1.45, "intersection": 1.80, "data_fault": 1.50, "proxy": 1.55}
SENSITIVITY_GAP = 0.26  # the intersection's sensitivity is lower by so much too


def people(seed: Seed, ids: IntArray, tiny_of: int) -> pd.DataFrame:
    """One row per number: number patient site race ("" unknown) sex language payer birth_date band stays.

    tiny_of: among the numbers below it, TINY_COUNT people are of TINY_RACE.
    """
    import pandas as pd

    draw = seed.stream("people")
    site = np.array(SITES, object)[draw.choice(SITE_SHARES, ids, 0)]
    race = np.array(list(RACES), object)[draw.choice(list(RACES.values()), ids, 1)]
    sex = np.where(draw.uniform(ids, 2) < 0.53, "female", "male").astype(object)
    band = draw.choice(BAND_SHARES, ids, 3)
    low, high = (np.array([b[k] for b in BANDS])[band] for k in (1, 2))
    days = np.ceil((low + (high - low) * draw.uniform(ids, 4)) * 365.2425).astype("timedelta64[D]")
    u = draw.uniform(ids, 5)
    shares = np.array([LANGUAGE_SHARES.get(str(r), OTHER_LANGUAGE_SHARES) for r in race])
    language = np.array(LANGUAGES, object)[(u[:, None] > np.cumsum(shares, 1)[:, :2]).sum(1)]
    shares = np.array([PAYER_SHARES[bool(old)] for old in band >= 2])
    payer = np.array(PAYERS, object)[(draw.uniform(ids, 6)[:, None] > np.cumsum(shares, 1)[:, :3]).sum(1)]
    stays = 1 + negative_binomial(draw.uniform(ids, 7))
    race = np.where(draw.uniform(ids, 8) < NO_RACE_SHARE, "", race)
    tiny = np.flatnonzero((ids < tiny_of) & (site != SITES[2]))
    tiny = tiny[np.argsort(draw.uniform(ids[tiny], 9), kind="stable")[:TINY_COUNT]]
    race[tiny], stays[tiny] = TINY_RACE, 1
    code = seed.stream("people/code").permutation(len(ids))
    return pd.DataFrame(
        {
            "number": ids,
            "patient": [f"P{100000 + c}" for c in code.tolist()],
            "site": site,
            "race": race,
            "sex": sex,
            "language": language,
            "payer": payer,
            "birth_date": np.datetime_as_string(AGES_ON - days, "D").astype(object),
            "band": np.array([b[0] for b in BANDS], object)[band],
            "stays": stays,
        }
    )


def negative_binomial(u: FloatArray) -> IntArray:
    """Counts of mean MORE_STAYS_MEAN and size MORE_STAYS_SIZE, by the inverse distribution function."""
    from scipy.stats import nbinom

    edges = nbinom.cdf(np.arange(MOST_STAYS), MORE_STAYS_SIZE, MORE_STAYS_SIZE / (MORE_STAYS_SIZE + MORE_STAYS_MEAN))
    return np.searchsorted(edges, u).astype(np.int64)


def stays(seed: Seed, patients: pd.DataFrame, plan_: Plan, pilot: Mapping[str, Any] | None) -> pd.DataFrame:
    """One row per stay, by patient: number item patient site index_date followup_days eta (the true logit of risk).

    pilot: {site, until}, a ward whose patients ran lower risks.
    """
    import pandas as pd

    counts = patients["stays"].to_numpy()
    owner = np.repeat(np.arange(len(patients)), counts)
    item = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    ids = patients["number"].to_numpy(np.int64)[owner]
    draw = seed.stream("stays")
    day = draw.integers(0, YEAR_DAYS, ids, item, 0)
    frame = pd.DataFrame(
        {
            "number": ids,
            "item": item,
            "patient": patients["patient"].to_numpy(object)[owner],
            "site": patients["site"].to_numpy(object)[owner],
            "index_date": YEAR_FROM + day.astype("timedelta64[D]"),
        }
    )
    eta = BASE + PATIENT_SD * draw.normal(ids, 0, 1) + STAY_SD * draw.normal(ids, item, 2)
    eta += patients["band"].map(AGE_EFFECTS).to_numpy(float)[owner]
    if pilot:
        ward = (frame["site"] == pilot["site"]) & (frame["index_date"] <= np.datetime64(pilot["until"]))
        eta += PILOT_EFFECT * ward.to_numpy()
    stop = np.where(frame["site"] == plan_.censored, plan_.stopped, np.datetime64("2026-02-01"))
    followed = np.clip((stop - frame["index_date"].to_numpy("datetime64[D]")).astype(int), 0, 30)
    return frame.assign(eta=eta, followup_days=followed)


def in_cell(table: pd.DataFrame, cell: Mapping[str, str]) -> Any:
    """(n,) bool: the rows whose axes have the cell's levels; all rows for the cell of everybody, {}."""
    inside = np.ones(len(table), bool)
    for axis, level in cell.items():
        inside &= table[axis].to_numpy() == level
    return inside


def scored(seed: Seed, table: pd.DataFrame, plan_: Plan, sizes: Mapping[str, Any]) -> pd.DataFrame:
    """`table` (stays with levels) with right_score, score as recorded, risk of a recorded readmission, need_risk.

    sizes: kind -> 1 less than the factor by which the score is too low, as found by `fitted`; for the data fault
    {"from", "share", "constant"}.  A factor of risk, not of odds, so that a plant weighs alike in patients of any age.
    """
    risk = expit(table["eta"].to_numpy())
    factor = np.ones(len(table))
    for kind in ("group", "missing_race", "intersection"):
        if kind in plan_.cells:
            factor *= 1 + float(sizes[kind]) * in_cell(table, plan_.cells[kind])
    right = rounded(risk / factor)
    need = np.minimum(NEED_FACTOR * risk, MOST_RISK)
    if "proxy" in plan_.cells:
        need = np.minimum(need * (1 + float(sizes["proxy"]) * in_cell(table, plan_.cells["proxy"])), MOST_RISK)
    score = right.copy()
    if "data_fault" in plan_.cells:
        there = in_cell(table, plan_.cells["data_fault"])
        there &= table["index_date"].to_numpy() >= sizes["data_fault"]["from"]
        share = float(sizes["data_fault"]["share"])
        u = seed.stream("fault").uniform(table["number"], table["item"])
        if plan_.fault == "stuck":
            score = np.where(there & (u < share), sizes["data_fault"]["constant"], score)
        elif plan_.fault == "scale":
            score = np.where(there, rounded(score * share), score)
        else:
            risk = np.where(there, np.minimum(risk * (1 + share), MOST_RISK), risk)
    return table.assign(right_score=right, score=score, risk=risk, need_risk=need)


def rounded(score: FloatArray) -> FloatArray:
    """As the model writes it: four decimals, never 0 or 1."""
    return np.clip(np.round(score, 4), 0.0005, 0.9995)


def expit(x: FloatArray) -> FloatArray:
    """The inverse of the logit."""
    return np.asarray(1 / (1 + np.exp(-x)))


def fitted(seed: Seed, table: pd.DataFrame, plan_: Plan, threshold: float, counted: Any) -> dict[str, Any]:
    """Sizes of the plants at which RATIO and SENSITIVITY_GAP hold in these data; counted: (n,) the stays that count.

    Each is found by bisection with the earlier ones in place, so that they do not add up to something else.
    """
    draw = seed.stream("fault/size")
    sizes: dict[str, Any] = dict.fromkeys(KINDS, 0.0)
    # The fault began after a third of the year, give or take some weeks.
    began = YEAR_FROM + int(draw.integers(100, 150, 0))
    sizes["data_fault"] = {"from": began, "share": 1.0 if plan_.fault == "scale" else 0.0}
    sizes["data_fault"]["constant"] = float(np.round(0.04 + 0.03 * draw.uniform(1), 4))
    # Twice, as each plant changes what "everybody else" is for the others.
    for kind in [k for k in KINDS if k in plan_.cells] * 2:
        low, high = (0.0, 1.0) if kind == "data_fault" else (0.0, 3.0)
        for _ in range(22):
            middle = (low + high) / 2
            part = 1 - middle if plan_.fault == "scale" else middle
            sizes[kind] = sizes[kind] | {"share": part} if kind == "data_fault" else middle
            made = scored(seed, table, plan_, sizes)[counted]
            if off(made, plan_.cells[kind], kind, threshold) < 1:
                low = middle
            else:
                high = middle
    return sizes


def off(made: pd.DataFrame, cell: Mapping[str, str], kind: str, threshold: float) -> float:
    """How far a cell is off in truth, as a part of how far it is meant to be."""
    inside = in_cell(made, cell)
    score, risk = made["score"].to_numpy(), made["risk"].to_numpy()
    if kind == "proxy":
        return need_ratio(score, made["need_risk"].to_numpy(), inside) / RATIO[kind]
    part = (risk[inside].sum() / score[inside].sum()) / (risk[~inside].sum() / score[~inside].sum()) / RATIO[kind]
    if kind == "intersection":
        caught = risk * (score >= threshold)
        gap = caught[~inside].sum() / risk[~inside].sum() - caught[inside].sum() / risk[inside].sum()
        part = min(part, gap / SENSITIVITY_GAP)
    return float(part)


def need_ratio(score: FloatArray, need: FloatArray, inside: Any) -> float:
    """Need in a group by what others of the same tenth of scores need."""
    tenth = np.searchsorted(np.quantile(score, np.arange(1, 10) / 10), score, side="right")
    # One score that stands for a tenth of the stays leaves another tenth empty.
    rate = np.bincount(tenth[~inside], need[~inside], 10) / np.maximum(np.bincount(tenth[~inside], minlength=10), 1)
    return float(need[inside].sum() / rate[tenth[inside]].sum())


def outcomes(seed: Seed, table: pd.DataFrame) -> pd.DataFrame:
    """`table` with readmit30, cost, need ("" where unknown), as recorded: transfers count where the data are faulty."""
    from scipy.special import ndtri

    draw = seed.stream("outcomes")
    ids, item = table["number"].to_numpy(np.int64), table["item"].to_numpy(np.int64)
    luck = np.sqrt(LATENT_RHO) * draw.normal(ids, 0, 0) + np.sqrt(1 - LATENT_RHO) * draw.normal(ids, item, 1)
    own = expit(table["eta"].to_numpy())
    came_back = luck > -ndtri(own)
    transfer = ~came_back & (draw.uniform(ids, item, 2) < (table["risk"].to_numpy() - own) / (1 - own))
    need_luck = NEED_RHO * luck + np.sqrt(1 - NEED_RHO**2) * draw.normal(ids, item, 3)
    need = need_luck > -ndtri(table["need_risk"].to_numpy())
    on = np.where(transfer, 1, 1 + np.floor(30 * draw.uniform(ids, item, 4) ** 1.5)).astype(int)
    followed = table["followup_days"].to_numpy()
    seen = (came_back | transfer) & (on <= followed)
    # What was paid follows readmissions and risk, not need. A transfer is paid within the first stay.
    paid = np.exp(9.4 + 0.6 * draw.normal(ids, item, 5)) * (seen & ~transfer)
    clinic = np.where(draw.uniform(ids, item, 6) < 0.55, np.exp(5.2 + 0.8 * draw.normal(ids, item, 7) + own), 0)
    return table.assign(
        readmit30=seen.astype(int),
        cost=np.round(paid + clinic * followed / 30).astype(int),
        need=np.where(followed == 30, need.astype(int).astype(str), ""),
    )


def included(table: pd.DataFrame, rule: str) -> Any:
    """(n,) bool by the card's rule about stays that were not followed for 30 days: "encounter" or "month"."""
    short = table["followup_days"].to_numpy() < 30
    if rule == "encounter":
        return ~short
    month = table["site"].astype(str) + table["index_date"].astype(str).str[:7]
    return ~month.isin(set(month[short])).to_numpy()


def age_bands(born: Sequence[str] | Any, on: str) -> Any:
    """(n,) level of age in whole years on a day; born: ISO dates."""
    from synthetic_data.population import whole_years

    birth = np.asarray(born, "datetime64[D]")
    years = whole_years(birth, np.repeat(np.datetime64(on), len(birth)))
    names = np.array([name for name, _, _ in BANDS], object)
    return names[np.searchsorted([45, 65, 80], years, side="right")]
