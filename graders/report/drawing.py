"""Geometry of a figure: numbers that the page's template draws as SVG."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from graders.harness.figure import Figure, Mark

WIDTH, PLOT, LEFT, RIGHT = 760, 96, 34, 8
# Labels are written in rows so that neighbours do not overlap: so many units a character, so many a row.
CHARACTER, ROW = 4.9, 11


@dataclass(frozen=True)
class Drawn:
    """lines: (name, points of a polyline).  marks: (mark, x, baseline of its label).  ticks: (x or y, label)."""

    height: float
    top: float
    lines: list[tuple[str, str]]
    marks: list[tuple[Mark, float, float]]
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]


def drawn(figure: Figure) -> Drawn:
    """Scales lines and marks to the page."""
    values = [y for line in figure.lines.values() for y in line]
    count = max(len(line) for line in figure.lines.values())
    low, high = min(0.0, *values), max(values)
    span = high - low or 1.0

    def across(x: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * x / max(count - 1, 1), 1)

    above, rows_above = placed([m for m in figure.marks if m.row == "above"], across)
    below, rows_below = placed([m for m in figure.marks if m.row == "below"], across)
    top = 6 + ROW * rows_above
    bottom = top + PLOT

    def down(y: float) -> float:
        return round(bottom - PLOT * (y - low) / span, 1)

    lines = [
        (name, " ".join(f"{across(x)},{down(y)}" for x, y in enumerate(line))) for name, line in figure.lines.items()
    ]
    marks: list[tuple[Mark, float, float]] = [(mark, x, top - 4 - ROW * row) for mark, x, row in above]
    marks += [(mark, x, bottom + 22 + ROW * row) for mark, x, row in below]
    x_ticks = [(across(x), str(x)) for x in range(0, count, 3)]
    y_ticks = [(down(y), f"{y:.0f}") for y in (low, high)]
    return Drawn(bottom + 26 + ROW * rows_below, top, lines, marks, x_ticks, y_ticks)


def placed(marks: list[Mark], across: Callable[[float], float]) -> tuple[list[tuple[Mark, float, int]], int]:
    """Each mark with its x and the first row in which its label has room, and how many rows that takes."""
    ends: list[float] = []
    found = []
    for mark in sorted(marks, key=lambda mark: mark.x):
        x = across(mark.x)
        start = min(x, WIDTH - CHARACTER * len(mark.label))
        row = next((k for k, end in enumerate(ends) if end <= start), len(ends))
        ends[row : row + 1] = [start + CHARACTER * (len(mark.label) + 2)]
        found.append((mark, x, row))
    return found, len(ends)
