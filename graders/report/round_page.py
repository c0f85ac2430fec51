"""The round's page: self-contained, no script, light and dark, blind unless told otherwise."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from graders.harness.outcome import write_file
from graders.report import html
from graders.report.html import STAMPS
from graders.round import comparison, holds, impact
from graders.round.comparison import ABOVE, BELOW, DECIDE, NO_TOTAL, Comparison, State
from graders.round.holds import Hold
from graders.round.impact import Worksheet
from graders.round.signs import Leak, Likeness, Uncompared

if TYPE_CHECKING:
    import jinja2

# Shades of a heat map's cells from no points to all, as red, green, blue; the ink on them; for light and dark pages.
LIGHT, DARK = ((243, 246, 249), (120, 176, 226)), ((32, 39, 46), (30, 92, 150))
INK = {"light": (28, 35, 41), "dark": (240, 243, 246)}
SHADES = 11
STATUSES = {
    "blocked": "would not run: 0",
    "not_submitted": "not handed in: 0",
    "grader_error": "no score, our fault",
    "infra_error": "no score, our fault",
    comparison.NOT_GRADED: "not graded",
}
# Scores with and without these are comparable.
COMPARABLE = ("TIER B",)
# As measured: docs/evidence/similarity.md.
FALSE_ALARMS = (
    "False alarms: of 138 pairs of work done independently none was called alike, so fewer than 2.2 % of pairs with "
    "95 % confidence; 30 submissions are 435 pairs. The same course or the same assistant may make more. "
    "Copies that were rewritten or are short stay below: nobody is cleared by not being here."
)
# Totals are counted in steps of so many points.
STEP = 5
# More pairs than these are counted, not listed.
MOST_PAIRS = 100


@dataclass(frozen=True)
class Report:
    """What the page shows. worksheets: None when no groups were given.  leaks: None when not looked for.

    unmarked: exercises in whose packets nothing can be traced.  left_out: how many are in no worksheet.
    selected: in words, who counts as selected.  uncompared: in whose code a copy may not be seen.
    """

    compared: Comparison
    held: Sequence[Hold]
    to_decide: int
    alike: Sequence[Likeness]
    leaks: Sequence[Leak] | None
    unmarked: Sequence[str]
    worksheets: Sequence[Worksheet] | None
    selected: str
    left_out: int
    unblind: bool
    uncompared: Sequence[Uncompared] = ()


def band_name(compared: Comparison, band: str) -> str:
    """A band in words; "clearly" only where the standard error is known."""
    if band == NO_TOTAL:
        return "no total"
    if compared.error is None:
        return {ABOVE: "above the band", DECIDE: "in the band: a person decides", BELOW: "below the band"}[band]
    return {
        ABOVE: "clearly above",
        DECIDE: "within one standard error or in the band: a person decides",
        BELOW: "below",
    }[band]


def percent(fraction: float | None) -> str:
    """A fraction as a whole number of percent; 100 means all of it, 0 means nothing."""
    if fraction is None:
        return "-"
    return str(round(100 * fraction) if fraction in (0, 1) else min(99, max(1, round(100 * fraction))))


def shade(fraction: float | None) -> int:
    """Which of the shades a fraction gets."""
    return 0 if fraction is None else int(fraction * (SHADES - 1) + 0.5)


def colours(ends: tuple[tuple[int, int, int], tuple[int, int, int]]) -> list[str]:
    """The shades between two colours, as CSS has them."""
    first, last = ends
    steps = [[a + (b - a) * n / (SHADES - 1) for a, b in zip(first, last, strict=True)] for n in range(SHADES)]
    return ["#" + "".join(f"{round(value):02x}" for value in step) for step in steps]


@dataclass(frozen=True)
class Bar:
    """Candidates with a total from `low` to below `high`."""

    low: int
    high: int
    count: int


def bars(compared: Comparison) -> list[Bar]:
    """Totals in steps; the last step holds 100 as well."""
    totals = [float(row.total) for row in compared.rows if row.total is not None]
    where = [min(int(total // STEP), 100 // STEP - 1) for total in totals]
    return [Bar(n * STEP, (n + 1) * STEP, where.count(n)) for n in range(100 // STEP)]


def state_text(state: State) -> str:
    """What stands in place of fractions."""
    return STATUSES.get(state.status, "no score")


def money(value: float | Decimal) -> str:
    """Points, as short as they are exact to one decimal."""
    return f"{float(value):.1f}".removesuffix(".0")


@functools.cache
def template() -> jinja2.Template:
    """The page's template; every value is escaped."""
    made = html.environment().overlay(lstrip_blocks=True)
    made.filters = made.filters | {"percent": percent, "shade": shade, "money": money}
    return made.get_template("round.html.j2")


def write(report: Report, path: Path) -> Path:
    """Write the page; returns its path."""
    compared = report.compared
    text = template().render(
        report=report,
        compared=compared,
        role=compared.role,
        bands=[(band, band_name(compared, band), compared.of(band)) for band in (ABOVE, DECIDE, BELOW, NO_TOTAL)],
        bars=bars(compared),
        tallest=max([bar.count for bar in bars(compared)] + [1]),
        identity={label: identity for identity, label in compared.labels.items()},
        held={hold.label for hold in report.held},
        false_alarms=FALSE_ALARMS,
        state_text=state_text,
        stamps=STAMPS,
        comparable=COMPARABLE,
        light=colours(LIGHT),
        dark=colours(DARK),
        ink={name: "#" + "".join(f"{value:02x}" for value in values) for name, values in INK.items()},
        speeds=holds,
        impact=impact,
        flat=comparison,
        most_pairs=MOST_PAIRS,
    )
    # With names it is as private as the list of labels.
    write_file(path, text.encode("utf-8", "replace"), 0o600 if report.unblind else 0o644)
    return path
