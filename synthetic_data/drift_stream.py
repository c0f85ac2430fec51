"""One stream: a reference year and 24 months of encounters, what is recorded of them, and when outcomes arrive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from synthetic_data import drift_events, drift_models, drift_noise, drift_patients
from synthetic_data.drift_accounts import MONTHS, BoolArray, Event
from synthetic_data.drift_events import NEW_SITE, SHARES, SITES, Planned
from synthetic_data.drift_models import Fix, Imputer, Model
from synthetic_data.drift_patients import BASE, SEASON, Encounters
from synthetic_data.streams import FloatArray, Seed

REFERENCE = 12  # months before the stream begins
LABELS_AFTER = 2  # months until the first outcomes of a month arrive
CLOSED_AFTER = 3  # months until all have, unless they are late
LATE_CLOSED_AFTER = 5
WARD_MIX = 0.15  # by how much a site's patients differ from month to month, in sd of how ill they are
EARLY_NEGATIVES = 0.8  # that arrive with the first
FIRST_RELEASE = "4.0"
# How sites write what they deliver, in the reference year as later; the others write plainly.
HABITS = ("commas", "no dots", "blanks")


@dataclass(frozen=True)
class MonthData:
    """A month's encounters as recorded. risk: (n,) true, 4 decimals.  y: (n,) outcome.  first: (n,) y arrives early."""

    seen: Encounters
    risk: FloatArray
    y: FloatArray
    first: BoolArray
    closed: int

    @property
    def names(self) -> list[str]:
        """Encounter ids."""
        return [f"E{number:07d}" for number in self.seen.number.tolist()]


@dataclass(frozen=True)
class Stream:
    """What does not depend on anybody's actions.

    months: -12 to 23.  releases: month -> the vendor's new model.  habits: site -> how it writes what it delivers.
    designs: what models read, kept once made.
    """

    seed: Seed
    sizes: Mapping[str, float]
    planned: tuple[Planned, ...]
    months: Mapping[int, MonthData]
    model: Model
    releases: Mapping[int, Model]
    imputer: Imputer
    habits: Mapping[str, str]
    designs: dict[tuple[int, tuple[Fix, ...]], FloatArray] = field(default_factory=dict, compare=False)

    @property
    def events(self) -> tuple[Event, ...]:
        """As the accounts take them."""
        return tuple(plan.event for plan in self.planned)

    def design(self, month: int, fixes: tuple[Fix, ...]) -> FloatArray:
        """(n, 19) what a model reads of a month under these fixes."""
        on = tuple(fix for fix in fixes if fix.since <= month)
        if (month, on) not in self.designs:
            self.designs[month, on] = drift_models.seen(self.months[month].seen, month, on, self.imputer)
        return self.designs[month, on]

    def closed(self, month: int) -> list[int]:
        """Months whose outcomes are all known in `month`."""
        return [m for m, data in self.months.items() if data.closed <= month]


def made(seed: Seed, kinds: Sequence[str], patients: int, card: Mapping[str, Any]) -> Stream:
    """A stream with these kinds of events (early, late, benign) and about `patients` encounters a month."""
    order = seed.stream("shares").permutation(len(SITES))
    sizes = {SITES[k]: SHARES[i] for i, k in enumerate(order.tolist())}
    planned = drift_events.planned(seed, kinds, sizes)
    months = {
        month: month_data(seed, planned, month, sizes, patients, card["first_calendar_month"])
        for month in range(-REFERENCE, MONTHS)
    }
    year = range(-REFERENCE, 0)
    matrix = np.vstack([drift_patients.design(months[m].seen) for m in year])
    y = np.concatenate([months[m].y for m in year])
    weights = drift_models.fitted(matrix, y, np.zeros(matrix.shape[1]))
    imputer = Imputer.fit(matrix)
    coming = sorted(
        (plan.event.onset, plan.event.kind) for plan in planned if plan.event.kind in ("bad_release", "release")
    )
    releases = {
        onset: next_release(kind, f"4.{number}", matrix, y, weights) for number, (onset, kind) in enumerate(coming, 1)
    }
    own = seed.stream("habits").permutation(len(SITES)).tolist()
    habits = {SITES[k]: habit for k, habit in zip(own, HABITS, strict=False)}
    return Stream(seed, sizes, planned, months, Model(FIRST_RELEASE, weights), releases, imputer, habits)


def month_data(
    seed: Seed,
    planned: tuple[Planned, ...],
    month: int,
    sizes: Mapping[str, float],
    patients: int,
    first_calendar_month: int,
) -> MonthData:
    """One month. Encounters are numbered by month, so that none depends on how many others there are."""
    own = seed.stream(f"month/{month}")
    kinds = {plan.event.kind for plan in planned if drift_events.month_on(plan.event, month)}
    winter = np.cos(2 * np.pi * ((first_calendar_month - 1 + month) % 12) / 12)
    volume = (
        patients
        * (1 + 0.06 * winter)
        * (0.97 + 0.06 * own.uniform(0))
        * (0.75 + 0.25 * own.uniform(1) if "covid" in kinds else 1.0)
    )
    shares = dict(sizes)
    for plan in planned:
        if plan.event.kind == "new_site" and plan.event.kind in kinds:
            shares[NEW_SITE] = plan.size
            volume *= 1 + plan.size
    number = np.arange(int(volume)) + 10_000 * (month + REFERENCE + 1)
    names = np.array(list(shares), object)
    site = names[seed.stream("site").choice(list(shares.values()), number)]
    # Sites differ a little in whom they treat, always.
    usual = {name: 0.25 * float(seed.stream("site/usual").normal(k)) for k, name in enumerate([*SITES, NEW_SITE])}
    own_month = {name: WARD_MIX * float(own.normal(k + 1)) for k, name in enumerate([*SITES, NEW_SITE])}
    ill = np.array([usual[name] + own_month[name] for name in site.tolist()]) + 0.1 * winter
    ill = ill + drift_events.severity(planned, month, site)
    encounters = drift_patients.drawn(seed, number, site, ill)
    true = drift_events.ward(planned, month, encounters, seed.stream("ward").uniform(number))
    shown = drift_noise.as_fed(seed, month + REFERENCE, [*SITES, NEW_SITE], true)
    weights, groups, shift = drift_events.true_weights(planned, month)
    matrix = drift_patients.design(true)
    logit = BASE + SEASON * winter + shift + matrix[:, 1:] @ np.concatenate([weights, groups])
    risk = np.round(drift_patients.sigmoid(logit + drift_events.local_shift(planned, month, true)), 4)
    y = (seed.stream("outcome").uniform(number) < risk).astype(float)
    late = next((plan.size for plan in planned if plan.event.kind == "late_negatives" and plan.event.kind in kinds), 0)
    arrives = EARLY_NEGATIVES if not late else EARLY_NEGATIVES - late
    first = (y > 0) | (seed.stream("arrival").uniform(number) < arrives)
    # All outcomes of the reference year are shown with it.
    closed = -1 if month < 0 else month + (LATE_CLOSED_AFTER if late else CLOSED_AFTER)
    return MonthData(drift_events.recorded(seed, planned, month, shown), risk, y, first, closed)


def next_release(kind: str, name: str, matrix: FloatArray, y: FloatArray, weights: FloatArray) -> Model:
    """The vendor's new model: fitted on another half of the year, or with columns that a feature pipeline mixed up."""
    half = np.arange(len(y)) % 2 == 0
    refit = drift_models.fitted(matrix[half], y[half], weights)
    if kind == "bad_release":
        strong = [1 + drift_patients.NAMES.index(name) for name in ("creatinine", "haemoglobin")]
        mixed = refit.copy()
        mixed[strong] = (mixed[strong] + 2 * refit[np.roll(strong, 1)]) / 3
        refit = mixed
    return Model(name, refit)
