"""What happens to a stream of encounters: events that harm patients unless somebody acts, and harmless ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synthetic_data.drift_accounts import Event
from synthetic_data.drift_patients import (
    DIAGNOSIS,
    FEATURES,
    GROUPS,
    NAMES,
    TEN_OF,
    TRUE_GROUPS,
    TRUE_WEIGHTS,
    Encounters,
)
from synthetic_data.streams import FloatArray, Seed, Stream

MONTHS = 24
SITES = ("north", "south", "east", "west")
NEW_SITE = "harbour"
SHARES = (0.34, 0.28, 0.22, 0.16)

# Kind -> causes that name it, the proper one first.
HARMFUL = {
    "unit_change": ("unit_change",),
    "assay_change": ("assay_change",),
    "coding_change": ("coding_change",),
    "missing_feed": ("missing_data",),
    "null_burst": ("missing_data",),
    "prevalence_shift": ("prevalence_shift",),
    "concept_drift": ("concept_drift",),
    "covid": ("temporary_shock", "prevalence_shift", "concept_drift"),
    "bad_release": ("bad_release",),
}
RESERVE = {
    "default_value": ("corrupt_values", "missing_data"),
    "swapped": ("corrupt_values",),
    "decimal_lost": ("corrupt_values", "unit_change"),
    "programme": ("prevalence_shift",),
}
# Those of the reserve that practice streams have.
PRACTISED = ("default_value", "programme")
BENIGN = ("new_site", "case_mix", "late_negatives", "release")
CAUSES = (
    "unit_change",
    "assay_change",
    "coding_change",
    "missing_data",
    "corrupt_values",
    "prevalence_shift",
    "concept_drift",
    "temporary_shock",
    "bad_release",
)
# Of two events of a stream one begins early and one late, so that one can be answered before the other comes.
EARLY, LATE = (3, 8), (11, 17)
# Kinds whose answer needs months of labels, or that the stream must outlive, begin early.
SLOW = ("concept_drift", "prevalence_shift", "programme")
# What the model takes most from, so that its loss is felt.
STRONG = ("admissions", "albumin", "bnp")


@dataclass(frozen=True)
class Planned:
    """An event and its size: factor, log-odds or share, as its kind says."""

    event: Event
    size: float = 0.0


def month_on(event: Event, month: int) -> bool:
    """Whether the event is on in this month."""
    return event.onset <= month <= (MONTHS if event.end is None else event.end)


def paired(seed: Seed, count: int, *, hidden: bool) -> list[list[str]]:
    """`count` streams of kinds of events: two harmful ones and a benign one each, the same multiset for every seed.

    Twelve harmful ones over six streams: the nine named, two of the reserve, and a second unit change. Hidden streams
    have one kind at least that practice streams have not.
    """
    draw = seed.stream("pairing")
    reserve = list(PRACTISED)
    if hidden:
        unseen = [kind for kind in RESERVE if kind not in PRACTISED]
        reserve = [unseen.pop(int(draw.choice(len(unseen), 0)))]
        others = [*PRACTISED, *unseen]
        reserve.append(others[int(draw.choice(len(others), 1))])
    kinds = [*HARMFUL, *reserve, "unit_change"]
    early = [k for k in kinds if k in SLOW]
    others = [k for k in kinds if k not in SLOW]
    others = [others[k] for k in draw.permutation(len(others), 2).tolist()]
    half = len(kinds) // 2
    first, second = early + others[: half - len(early)], others[half - len(early) :]
    first = [first[k] for k in draw.permutation(half, 4).tolist()]
    for attempt in range(50):
        mixed = [second[k] for k in draw.permutation(half, 100 + attempt).tolist()]
        # A new release takes the answer to a concept drift away with it: no way to act would be fair to judge.
        if ("concept_drift", "bad_release") not in zip(first, mixed, strict=True):
            second = mixed
            break
    calm = [BENIGN[k % len(BENIGN)] for k in draw.permutation(half, 5).tolist()]
    return [list(triple) for triple in zip(first, second, calm, strict=True)][:count]


def planned(seed: Seed, kinds: Sequence[str], sizes: dict[str, float]) -> tuple[Planned, ...]:
    """The events of one stream. kinds: early, late, benign.  sizes: site -> share of the encounters."""
    draw = seed.stream("events")
    early = int(draw.integers(*EARLY, 0))
    late = int(draw.integers(*LATE, 1))
    calm = int(draw.integers(8, 11, 2)) if draw.uniform(3) < 0.5 else int(draw.integers(17, 19, 2))
    return (
        harmful(draw, kinds[0], early, sizes, 10),
        harmful(draw, kinds[1], late, sizes, 20),
        benign(draw, kinds[2], calm, sizes, 30),
    )


def one_site(draw: Stream, sizes: dict[str, float], low: float, high: float, owner: int) -> tuple[str, ...]:
    """A site whose share lies between low and high."""
    fit = sorted(site for site, share in sizes.items() if low <= share <= high)
    return (fit[int(draw.choice(len(fit), owner))],)


def harmful(draw: Stream, kind: str, onset: int, sizes: dict[str, float], owner: int) -> Planned:
    """One harmful event."""
    end: int | None = None
    site: tuple[str, ...] = ()
    feature: tuple[str, ...] = ()
    size = 0.0
    causes = {**HARMFUL, **RESERVE}[kind]

    def pick(names: Sequence[str]) -> str:
        return names[int(draw.choice(len(names), owner + 1))]

    if kind == "unit_change":
        site = one_site(draw, sizes, 0.2, 0.3, owner)
        feature = (pick(("creatinine", "haemoglobin", "glucose", "albumin", "bnp")),)
        size = FEATURES[NAMES.index(feature[0])].factor
    elif kind == "assay_change":
        site, feature = one_site(draw, sizes, 0.25, 0.4, owner), (pick(("bnp", "creatinine")),)
        size = 6.0 + 3.0 * float(draw.uniform(owner + 2)) if feature == ("bnp",) else 2.4
        if draw.uniform(owner + 3) < 0.5:
            size = 1 / size
    elif kind == "coding_change":
        site, feature = tuple(sorted(sizes, key=lambda s: -sizes[s])[:3]), (DIAGNOSIS,)
    elif kind == "missing_feed":
        site, feature = tuple(sorted(sizes, key=lambda s: -sizes[s])[:2]), (pick(STRONG),)
    elif kind == "null_burst":
        feature, size = (pick(STRONG[1:]),), 0.6
        end = onset + 5 + int(draw.integers(0, 3, owner + 2))
    elif kind == "prevalence_shift":
        size = 0.8 if draw.uniform(owner + 2) < 0.5 else -0.8
    elif kind == "covid":
        end = onset + 7 + int(draw.integers(0, 2, owner + 2))
        size = 1.3
    elif kind == "default_value":
        site, feature = one_site(draw, sizes, 0.2, 0.4, owner), (pick(("albumin", "bnp", "creatinine")),)
        size = {"albumin": 9.9, "bnp": 5000.0, "creatinine": 9.99}[feature[0]]
    elif kind == "swapped":
        site, feature = one_site(draw, sizes, 0.2, 0.4, owner), ("glucose", "sodium")
    elif kind == "decimal_lost":
        site, feature = one_site(draw, sizes, 0.2, 0.4, owner), (pick(("albumin", "creatinine", "haemoglobin")),)
        size = 0.6
    elif kind == "programme":
        site, size = one_site(draw, sizes, 0.25, 0.4, owner), -1.5
    return Planned(Event(kind, causes, True, onset, end, site, feature), size)


def benign(draw: Stream, kind: str, onset: int, sizes: dict[str, float], owner: int) -> Planned:
    """One event that asks for nothing."""
    if kind == "case_mix":
        site = one_site(draw, sizes, 0.2, 0.4, owner)
        size = 0.6 if draw.uniform(owner + 1) < 0.5 else -0.6
        return Planned(Event(kind, (), False, onset, onset + 5, site, ()), size)
    if kind == "late_negatives":
        return Planned(Event(kind, (), False, onset, onset + 4, (), ()), 0.45)
    site = (NEW_SITE,) if kind == "new_site" else ()
    return Planned(Event(kind, (), False, onset, None, site, ()), 0.15 if kind == "new_site" else 0.0)


def touched(event: Event, encounters: Encounters) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(n,) encounters at the event's sites."""
    if not event.site:
        return np.full(len(encounters), True)
    return np.isin(encounters.site.astype(str), event.site)


def severity(planned: Sequence[Planned], month: int, site: np.ndarray[tuple[int], np.dtype[np.object_]]) -> FloatArray:
    """(n,) by how much patients are more ill than usual, in sd, because of events."""
    out = np.zeros(len(site))
    for plan in planned:
        if not month_on(plan.event, month):
            continue
        if plan.event.kind == "case_mix":
            out[np.isin(site.astype(str), plan.event.site)] += plan.size
        elif plan.event.kind == "covid":
            out += 0.4
        elif plan.event.kind == "new_site":
            out[site == NEW_SITE] += 0.5
    return out


def true_weights(planned: Sequence[Planned], month: int) -> tuple[FloatArray, FloatArray, float]:
    """Weights of the features (9,) and groups (9,), and what is added to everybody's log-odds."""
    weights, groups, shift = TRUE_WEIGHTS.copy(), TRUE_GROUPS.copy(), 0.0
    for plan in planned:
        if not month_on(plan.event, month):
            continue
        if plan.event.kind == "prevalence_shift":
            shift += plan.size
        elif plan.event.kind == "covid":
            shift += plan.size
            weights[NAMES.index("age")] += 0.4
            weights[NAMES.index("admissions")] *= 0.3
        elif plan.event.kind == "concept_drift":
            # A new pathway for people who come often, and a drug that takes the risk out of a failing heart.
            weights[NAMES.index("admissions")] *= 0.1
            weights[NAMES.index("bnp")] *= 0.3
            weights[NAMES.index("age")] += 0.4
            groups[0] -= 0.6
    return weights, groups, shift


def local_shift(planned: Sequence[Planned], month: int, encounters: Encounters) -> FloatArray:
    """(n,) log-odds that events add at single sites."""
    out = np.zeros(len(encounters))
    for plan in planned:
        if plan.event.kind == "programme" and month_on(plan.event, month):
            out[touched(plan.event, encounters)] += plan.size
    return out


def recorded(seed: Seed, planned: Sequence[Planned], month: int, encounters: Encounters) -> Encounters:
    """Encounters as the feed shows them."""
    for plan in planned:
        event = plan.event
        if not (event.harmful and event.feature and month_on(event, month)):
            continue
        rows = touched(event, encounters)
        if event.feature == (DIAGNOSIS,):
            code = np.array(
                [TEN_OF.get(c, c) if r else c for c, r in zip(encounters.code.tolist(), rows.tolist(), strict=True)],
                object,
            )
            encounters = dataclasses.replace(encounters, code=code)
            continue
        columns = [NAMES.index(name) for name in event.feature]
        chance = seed.stream(f"rows/{event.kind}").uniform(encounters.number)
        encounters = dataclasses.replace(encounters, x=damaged(plan, encounters.x, rows, columns, chance))
    return encounters


def damaged(
    plan: Planned,
    x: FloatArray,
    rows: np.ndarray[tuple[int], np.dtype[np.bool_]],
    columns: list[int],
    chance: FloatArray,
) -> FloatArray:
    """(n, 9) values after the event. chance: (n,) uniform draws."""
    x, kind, j = x.copy(), plan.event.kind, columns[0]
    if kind in ("unit_change", "assay_change"):
        digits = FEATURES[j].digits
        if kind == "unit_change" and plan.size < 1:
            digits += 1
        x[rows, j] = np.round(x[rows, j] * plan.size, digits)
    elif kind == "missing_feed":
        x[rows, j] = np.nan
    elif kind == "null_burst":
        x[rows & (chance < plan.size), j] = np.nan
    elif kind == "default_value":
        x[rows & (chance < 0.85), j] = plan.size
    elif kind == "swapped":
        other = columns[1]
        x[rows, j], x[rows, other] = x[rows, other], x[rows, j].copy()
    elif kind == "decimal_lost":
        x[rows & (chance < plan.size), j] = np.round(x[rows & (chance < plan.size), j] * 10, FEATURES[j].digits)
    return x


def group_weights(groups: FloatArray, matrix: FloatArray) -> FloatArray:
    """(n,) log-odds of the diagnosis groups. matrix: (n, 9) of 0 and 1."""
    return np.asarray(matrix @ groups[: len(GROUPS)])
