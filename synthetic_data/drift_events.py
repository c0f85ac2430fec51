"""What happens to a stream of encounters: events that harm patients unless somebody acts, and harmless ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synthetic_data.drift_accounts import MONTHS, Event
from synthetic_data.drift_patients import (
    DIAGNOSIS,
    FEATURES,
    GROUPS,
    NAMES,
    TEN_OF,
    TRUE_GROUPS,
    TRUE_WEIGHTS,
    Encounters,
    backward,
    forward,
)
from synthetic_data.streams import FloatArray, Seed, Stream

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
BENIGN = ("new_ward", "fewer_tests", "new_site", "late_negatives", "release")
# How often each comes in six streams: most often those that look like a fault of the data.
TIMES = (4, 3, 1, 2, 2)
# A fault of the data is mended at its source after some months, in so many cases; a fix must then go too.
MENDED, LASTS = 0.6, (5, 8)
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
# When a stream's first event may begin, and how long before the second one, which begins by LATEST.
FIRST, APART, LATEST = (2, 11), 5, 17
CALM = ((5, 12), (13, 20))
# Kinds whose answer needs months of labels, and by when they begin at the latest so that it is worth having.
SLOW = {"concept_drift": 12, "prevalence_shift": 14, "programme": 14}
# Pairs, in this order, of which the second could not be answered fairly: a new release takes the answer to a concept
# drift away with it, and outcomes of a shock hide what else has come over patients.
UNFAIR = frozenset({("concept_drift", "bad_release"), *(("covid", kind) for kind in SLOW)})
# Wards that a hospital opens: the value that their patients are admitted for, and their principal diagnosis.
WARDS = {"creatinine": "kidney", "bnp": "heart failure"}
WARD_SCORE = 1.6  # their mean standard score of that value
# What the model takes most from, so that its loss is felt.
STRONG = ("admissions", "albumin", "bnp")


@dataclass(frozen=True)
class Planned:
    """An event and its size: factor, log-odds or share, as its kind says."""

    event: Event
    size: float = 0.0


def month_on(event: Event, month: int) -> bool:
    """Whether the event is on in this month."""
    return event.onset <= month <= event.last


def paired(seed: Seed, count: int, *, hidden: bool) -> list[list[str]]:
    """`count` streams of kinds of events: two harmful ones and two benign ones each, the same multiset for every seed.

    Twelve harmful ones over six streams: the nine named, two of the reserve, and a second shift of prevalence. Hidden
    streams have one kind at least that practice streams have not.
    """
    draw = seed.stream("pairing")
    reserve = list(PRACTISED)
    if hidden:
        unseen = [kind for kind in RESERVE if kind not in PRACTISED]
        reserve = [unseen.pop(int(draw.choice(len(unseen), 0)))]
        others = [*PRACTISED, *unseen]
        reserve.append(others[int(draw.choice(len(others), 1))])
    kinds = [*HARMFUL, *reserve, "prevalence_shift"]
    half = len(kinds) // 2
    for attempt in range(100):
        mixed = [kinds[k] for k in draw.permutation(len(kinds), 100 + attempt).tolist()]
        first, second = mixed[:half], mixed[half:]
        if not UNFAIR & set(zip(first, second, strict=True)):
            break
    calm = [kind for kind, times in zip(BENIGN, TIMES, strict=True) for _ in range(times)]
    calm = [calm[k] for k in draw.permutation(len(calm), 5).tolist()]
    return [list(four) for four in zip(first, second, calm[:half], calm[half:], strict=True)][:count]


def planned(seed: Seed, kinds: Sequence[str], sizes: dict[str, float]) -> tuple[Planned, ...]:
    """The events of one stream. kinds: first, second, two benign ones.  sizes: site -> share of the encounters."""
    draw = seed.stream("events")
    last = SLOW.get(kinds[1], LATEST)
    first = int(draw.integers(FIRST[0], min(FIRST[1], last - APART) + 1, 0))
    second = int(draw.integers(first + APART, last + 1, 1))
    events = [harmful(draw, kinds[0], first, sizes, 10), harmful(draw, kinds[1], second, sizes, 20)]
    taken = {name for plan in events for name in plan.event.feature}
    for number, kind in enumerate(kinds[2:]):
        onset = int(draw.integers(*CALM[number], 2 + number))
        # Two releases do not come in one month.
        onset += kind == "release" and onset in [plan.event.onset for plan in events]
        events.append(benign(draw, kind, onset, sizes, taken, 30 + 10 * number))
        taken |= set(events[-1].event.feature)
    return tuple(events)


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
        low, high = (5.0, 9.0) if feature == ("bnp",) else (2.1, 2.8)
        size = low + (high - low) * float(draw.uniform(owner + 2))
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
        size = 0.7 + 0.25 * float(draw.uniform(owner + 3))
        size = size if draw.uniform(owner + 2) < 0.5 else -size
    elif kind == "covid":
        end = onset + 7 + int(draw.integers(0, 2, owner + 2))
        size = 1.15 + 0.3 * float(draw.uniform(owner + 3))
    elif kind == "default_value":
        site, feature = one_site(draw, sizes, 0.2, 0.4, owner), (pick(("albumin", "bnp", "creatinine")),)
        usual = {"albumin": (9.9, 0.9, 6.0), "bnp": (5000.0, 9999.0, 5.0), "creatinine": (9.99, 5.0, 0.1)}[feature[0]]
        size = usual[int(draw.choice(len(usual), owner + 3))]
    elif kind == "swapped":
        site, feature = one_site(draw, sizes, 0.2, 0.4, owner), ("glucose", "sodium")
    elif kind == "decimal_lost":
        site, feature = one_site(draw, sizes, 0.2, 0.4, owner), (pick(("albumin", "creatinine", "haemoglobin")),)
        size = 0.6
    elif kind == "programme":
        site, size = one_site(draw, sizes, 0.25, 0.4, owner), -1.3 - 0.5 * float(draw.uniform(owner + 3))
    if feature and kind not in ("null_burst", "coding_change") and draw.uniform(owner + 5) < MENDED:
        end = min(onset + int(draw.integers(*LASTS, owner + 6)), MONTHS - 2)
    return Planned(Event(kind, causes, True, onset, end, site, feature), size)


def benign(draw: Stream, kind: str, onset: int, sizes: dict[str, float], taken: set[str], owner: int) -> Planned:
    """One event that asks for nothing. taken: features that something else happens to."""
    if kind == "new_ward":
        # Its patients' values are true: the site's median moves as it does with another assay.
        site = one_site(draw, sizes, 0.2, 0.4, owner)
        names = [name for name in WARDS if name not in taken] or list(WARDS)
        feature = (names[int(draw.choice(len(names), owner + 1))],)
        return Planned(Event(kind, (), False, onset, None, site, feature), 0.5)
    if kind == "fewer_tests":
        names = [name for name in ("albumin", "bnp", "creatinine") if name not in taken] or ["albumin"]
        feature = (names[int(draw.choice(len(names), owner + 1))],)
        return Planned(Event(kind, (), False, onset, None, one_site(draw, sizes, 0.2, 0.4, owner), feature), 0.9)
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
        if plan.event.kind == "covid":
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
        if not (event.feature and month_on(event, month)) or event.kind == "new_ward":
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
    elif kind == "fewer_tests":
        # Ordered for those only who seem to need it: who is not tested is mostly as well as a missing value says.
        f = FEATURES[j]
        well = (f.weight > 0) == (x[:, j] < np.nanmedian(x[:, j]))
        x[rows & well & (chance < plan.size), j] = np.nan
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


def ward(planned: Sequence[Planned], month: int, encounters: Encounters, chance: FloatArray) -> Encounters:
    """Encounters after a new ward has opened at a site: part of its patients are the ward's. chance: (n,) uniform."""
    for plan in planned:
        if plan.event.kind != "new_ward" or not month_on(plan.event, month):
            continue
        (name,) = plan.event.feature
        mine = touched(plan.event, encounters) & (chance < plan.size)
        scores = forward(encounters.x)
        scores[mine, NAMES.index(name)] = WARD_SCORE + 0.6 * scores[mine, NAMES.index(name)]
        x = np.where(mine[:, None], backward(scores), encounters.x)
        x[np.isnan(encounters.x)] = np.nan
        group = next(g for g in GROUPS if g.name == WARDS[name])
        code = encounters.code.copy()
        # Nine in ten of the ward's patients have its diagnosis.
        code[mine & (chance < 0.9 * plan.size)] = group.icd9[0]
        encounters = dataclasses.replace(encounters, x=x, code=code)
    return encounters
