"""Whether a report's numbers and intervals are those that the card's definitions give."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from graders.measures.evidence import cells
from graders.measures.places import ramp
from graders.measures.small_cells import Proportion, attack, lattice, rounding
from graders.measures.small_cells import number as as_count
from graders.measures.subgroup_report import cell_name
from synthetic_data.recipes.subgroup_evaluation import METRICS

if TYPE_CHECKING:
    from graders.measures.small_cells import Exposure
    from graders.measures.subgroup_report import Report
    from graders.measures.subgroup_truth import Measured

# Estimates rounded to two decimals are right.
TOLERANCE = 0.0051
# Cells with fewer events, or encounters without, are graded neither way: of numbers, and of intervals.
NUMBERS_EVENTS, INTERVAL_EVENTS = 10, 50
# An interval is right when it is neither too narrow nor too wide, and stands where it should: its ends are no further
# off than a quarter of the width. A bootstrap of 200 draws is well inside; one that draws encounters mostly is not.
NARROWEST, WIDEST, OFF = 0.75, 1.33, 0.25
NUMBERS_FROM, NUMBERS_TO = 0.30, 0.97
INTERVALS_FROM, INTERVALS_TO = 0.55, 0.90
# Complementary suppression: so many cells may be hidden whole in each line of a small cell, and so many counts for it.
HIDDEN_PER_LINE, HIDDEN_PER_SMALL = 2, 2
# Of the other counts so many must be shown; a rounded one is right when it is this near, or nearer than min_cell.
SHOWN_FROM, SHOWN_TO, ROUNDED, ADD_UP = 0.5, 0.9, 0.02, 0.9
SHARES = {"sensitivity": "events", "specificity": "others", "ppv": "alerts"}


def numbers(report: Report, scene: Measured) -> tuple[float, str, tuple[str, ...]]:
    """Fraction in [0, 1], message and evidence: the share of estimates that are right, every metric weighing alike."""
    shares, worst, graded_cells = {}, {}, {}
    spared = spare(report, scene)
    for metric in METRICS:
        wrong, total = [], 0
        for name in graded(scene, metric, NUMBERS_EVENTS):
            row = report.rows.get((name, metric))
            if row is None or row.est is None:
                if name in spared:
                    continue
                wrong.append(name)
            elif abs(row.est - scene.intervals[name][metric].est) > TOLERANCE:
                wrong.append(name)
            total += 1
        shares[metric] = 1 - len(wrong) / total if total else 0.0
        worst[metric], graded_cells[metric] = wrong, total
    share = sum(shares.values()) / len(shares)
    weak = [f"{metric} {shares[metric]:.0%}" for metric in METRICS if shares[metric] < NUMBERS_TO]
    message = f"{share:.1%} of estimates right" + (f" ({', '.join(weak)})" if weak else "")
    places = [
        cells(f"report.json, rows of {metric}", worst[metric], graded_cells[metric], "wrong or missing")
        for metric in sorted(METRICS, key=lambda metric: shares[metric])
        if worst[metric]
    ]
    told = message + where(worst.values()) + report.fault
    return ramp(share, NUMBERS_FROM, NUMBERS_TO - NUMBERS_FROM), told, tuple(places)


def where(wrong: Iterable[list[str]]) -> str:
    """The axes whose own levels are wrong most often, for the end of a message: pairs follow their axes."""
    axes: dict[str, int] = {}
    names = [name for part in wrong for name in part]
    for name in [name for name in names if name and "&" not in name] or names:
        for axis in [part.split("=")[0] for part in name.split("&")] if name else ["everybody"]:
            axes[axis] = axes.get(axis, 0) + 1
    most = sorted(axes, key=lambda axis: -axes[axis])
    told = [axis for axis in most[:2] if axes[axis] >= axes[most[0]] / 2]
    return f"; mostly wrong by {' and '.join(told)}" if told else ""


def uncertainty(report: Report, scene: Measured) -> tuple[float, str, tuple[str, ...]]:
    """Fraction, message, evidence: the share of intervals as wide as the cluster bootstrap's and where it has them."""
    right = total = narrow = wide = 0
    spared = spare(report, scene)
    wrong: dict[str, list[str]] = {metric: [] for metric in METRICS}
    for metric in METRICS:
        for name in graded(scene, metric, INTERVAL_EVENTS):
            row, ours = report.rows.get((name, metric)), scene.intervals[name][metric]
            width = ours.hi - ours.lo
            if not np.isfinite(width) or width <= 0:
                continue
            if row is None or row.lo is None or row.hi is None:
                if name not in spared:
                    total += 1
                    wrong[metric].append(name)
                continue
            total += 1
            ratio = (row.hi - row.lo) / width
            narrow += ratio < NARROWEST
            wide += ratio > WIDEST
            placed = max(abs(row.lo - ours.lo), abs(row.hi - ours.hi)) <= OFF * width
            if NARROWEST <= ratio <= WIDEST and placed:
                right += 1
            else:
                wrong[metric].append(name)
    share = right / total if total else 0.0
    told = [f"{n} {word}" for n, word in ((narrow, "too narrow"), (wide, "too wide")) if n]
    message = f"{share:.1%} of {total} intervals as the cluster bootstrap has them"
    places = [
        cells(f"report.json, lo and hi of rows of {metric}", wrong[metric], None, "wrong or missing")
        for metric in sorted(METRICS, key=lambda metric: -len(wrong[metric]))
        if wrong[metric]
    ]
    message += f"; {', '.join(told)}" if told else ""
    return ramp(share, INTERVALS_FROM, INTERVALS_TO - INTERVALS_FROM), message, tuple(places)


def graded(scene: Measured, metric: str, events: int) -> list[str]:
    """The cells whose metric is graded: large enough, and with something to estimate it from."""
    return [
        name
        for name, found in scene.intervals.items()
        if min(scene.events[name]) >= events and np.isfinite(found[metric].est)
    ]


def spare(report: Report, scene: Measured) -> set[str]:
    """Large cells that are hidden whole so that a small one stays hidden: the smallest of its lines, and no others."""
    least = scene.card["min_cell"]
    shown = {name for (name, _), row in report.rows.items() if row.est is not None}
    shown |= {name for name, counts in report.counts.items() if any(n is not None for n in counts)}
    fit: set[str] = set()
    for small in (name for name, n in scene.counts.items() if 1 <= n < least):
        cell = scene.cells[small]
        for axis in cell:
            line = [cell_name({**cell, axis: level}, scene.card) for level in scene.card["levels"][axis]]
            large = sorted((n for n in line if scene.counts[n] >= least), key=lambda n: scene.counts[n])
            fit |= set(large[:HIDDEN_PER_LINE])
    return fit - shown


def counts_shown(report: Report, scene: Measured) -> tuple[float, tuple[str, ...]]:
    """Fraction in [0, 1] and evidence: whether counts that need not be hidden are there; hiding all is no report."""
    least = scene.card["min_cell"]
    small = {name for name, n in scene.counts.items() if 1 <= n < least}
    large = [name for name, n in scene.counts.items() if n >= least]
    given = {name: [n for n in map(as_count, report.counts.get(name, ())) if n is not None] for name in scene.counts}
    # Miscounted patients still add up, and rounded counts are multiples of something; what is off otherwise is off so
    # that no true count stands there, and hides the small ones from nobody.
    base, honest = rounding(scene.counts, given), adds_up(given, scene)
    wrong = []
    for name in large:
        true, near = scene.counts[name], max(least, ROUNDED * scene.counts[name])
        meant = [n for n in given[name] if honest or n == true or (base > 1 and n % base == 0)]
        if not any(abs(n - true) <= near for n in meant):
            wrong.append(name)
    right = len(large) - len(wrong)
    needed = max(1, len(large) - HIDDEN_PER_SMALL * len(small))
    places = (cells("report.json, n of rows", wrong, len(large), "wrong or missing"),) if wrong else ()
    return ramp(min(1.0, right / needed), SHOWN_FROM, SHOWN_TO - SHOWN_FROM), places


def adds_up(given: Mapping[str, Sequence[float]], scene: Measured) -> bool:
    """Whether nine of ten sums of which every part is shown come out."""
    held = [
        given[whole][0] == sum(given[part][0] for part in parts)
        for whole, parts in lattice(scene.card)[1]
        if all(given[name] for name in (whole, *parts))
    ]
    return sum(held) >= ADD_UP * len(held)


def exposure(report: Report, scene: Measured) -> Exposure:
    """What the report gives away about small cells."""
    shares = []
    for (name, metric), row in report.rows.items():
        if metric not in SHARES or row.est is None or not 1 <= scene.counts.get(name, 0) < scene.card["min_cell"]:
            continue
        events, others = scene.events[name]
        alerts = int((scene.score[scene.inside[name]] >= scene.card["threshold"]).sum())
        of = {"events": events, "others": others, "alerts": alerts}[SHARES[metric]]
        shares.append(Proportion(name, metric, row.est, of))
    found = attack(scene.counts, report.counts, shares, scene.card)
    more = told_otherwise(report, scene) - set(found.shown)
    hidden = {"subtracted": found.subtracted, "divided": found.divided}
    rest = {key: tuple(name for name in names if name not in more) for key, names in hidden.items()}
    shown = tuple(dict.fromkeys([*found.shown, *sorted(more)]))
    return dataclasses.replace(found, small=max(found.small, len(shown)), shown=shown, **rest)


def given_away(found: Exposure) -> tuple[str, ...]:
    """Evidence: the small cells, by how their counts are given away."""
    ways = (
        (found.shown, "shown"),
        (found.subtracted, "to be worked out by subtraction"),
        (found.divided, "to be worked out from a proportion"),
    )
    return tuple(cells("report.json, n of rows", names, found.small, way) for names, way in ways if names)


def told_otherwise(report: Report, scene: Measured) -> set[str]:
    """Small cells whose count stands in a row otherwise: in words, as an estimate, or of cells nobody asked for."""
    least = scene.card["min_cell"]
    told = set()
    for name, values in report.counts.items():
        count = scene.counts.get(name)
        if count is None:
            told |= {name for n in map(as_count, values) if n is not None and 1 <= n < least}
        elif 1 <= count < least and any(in_words(n, least) for n in values):
            told.add(name)
    for (name, _), row in report.rows.items():
        count = scene.counts.get(name, 0)
        if 1 < count < least and count in (row.est, row.lo, row.hi):
            told.add(name)
    return told


def in_words(n: object, least: int) -> bool:
    """Whether a count that is no number holds digits that say more than "below the least"."""
    if n is None or isinstance(n, bool | int | float) or (isinstance(n, str) and as_count(n) is not None):
        return False
    text = unicodedata.normalize("NFKC", n if isinstance(n, str) else repr(n))[:1000]
    return [int(digits[:9]) for digits in re.findall(r"\d+", text)] not in ([], [0], [least], [1, least - 1])
