"""What is always a little off in the feeds of hospitals, in the reference year as later: nobody need act on it."""

from __future__ import annotations

import dataclasses

import numpy as np

from synthetic_data.drift_patients import FEATURES, LABORATORY, NAMES, TEN_OF, Encounters, backward, forward
from synthetic_data.streams import Seed

COLUMNS = [NAMES.index(name) for name in LABORATORY]
# How far a laboratory's results wander from month to month, in sd of the patients: most a little, one a site more.
STEADY, RESTLESS = 0.10, 0.35
# Usual shares of missing values, one for each site and laboratory value, and how far they wander on the logit.
USUALLY_MISSING, WANDERS = (0.02, 0.04, 0.08, 0.15), 0.4
# A month in which an interface was down, and what it lost.
OUTAGE, LOST = 0.04, 0.6
# Shares of diagnoses in codes that the model's table does not hold: the site's own, or another edition's.
LOCAL_CODES = (0.0, 0.02, 0.04, 0.08)


def as_fed(seed: Seed, month: int, sites: list[str], encounters: Encounters) -> Encounters:
    """Encounters as the feeds of a usual month show them. month: from 0; sites: in an order that is always the same."""
    number = encounters.number
    home = np.array([sites.index(name) for name in encounters.site.tolist()], np.int64)
    site, value = np.meshgrid(np.arange(len(sites)), np.arange(len(COLUMNS)), indexing="ij")
    key = site * 100 + value
    restless = seed.stream("restless").choice(len(COLUMNS), np.arange(len(sites)))
    far = np.where(value == restless[:, None], RESTLESS, STEADY)
    off = far * seed.stream("wander").normal(key, month)  # (site, value)
    scores = forward(encounters.x)
    scores[:, COLUMNS] += off[home]
    x = np.where(np.isnan(encounters.x), np.nan, backward(scores))
    rows = np.delete(np.arange(len(FEATURES)), COLUMNS)
    x[:, rows] = encounters.x[:, rows]
    usual = np.array(USUALLY_MISSING)[seed.stream("missing/usual").choice(len(USUALLY_MISSING), key)]
    logit = np.log(usual / (1 - usual)) + WANDERS * seed.stream("missing/wander").normal(key, month)
    share = 1 / (1 + np.exp(-logit))
    share = np.where(seed.stream("missing/outage").uniform(key, month) < OUTAGE, LOST, share)
    gone = seed.stream("missing").uniform(number[:, None], np.arange(len(COLUMNS))[None, :]) < share[home]
    lab = x[:, COLUMNS]
    lab[gone] = np.nan
    x[:, COLUMNS] = lab
    local = np.array(LOCAL_CODES)[seed.stream("codes/usual").permutation(len(LOCAL_CODES))]
    own = local[home % len(local)]
    draw = seed.stream("codes").uniform(number)
    code = encounters.code.copy()
    for i in np.flatnonzero(draw < own).tolist():
        # Half of them are the next edition's, as where two departments have moved on already.
        code[i] = TEN_OF[code[i]] if draw[i] < own[i] / 2 else f"L{100 + int(1e6 * draw[i]) % 40}"
    return dataclasses.replace(encounters, x=x, code=code)
