"""Texts that would change a page, were they not shown as text, in every place of a scorecard that holds one."""

from __future__ import annotations

from pathlib import Path

from exercise_lint import TOYS

from graders.harness.criterion import Criterion
from graders.harness.figure import Figure, Mark
from graders.harness.kit import Kit
from graders.harness.outcome import Outcome, write_file
from graders.harness.scorecard import Line, Scorecard, money
from graders.round.results import Results, read
from synthetic_data.streams import canonical_text

TEXTS = (
    "<script>document.title='100'</script>",
    "<img src=x onerror=document.body.remove()>",
    "\"><svg onload=x()><a href='javascript:x()'>met</a>",
    "</td></tr></table></section></main><h1>100 of 100</h1>",
    "</style></title><base href=//example.org><meta http-equiv=refresh content=0>",
    "<!-- ]]> --><form action=//example.org><input autofocus onfocus=x()>",
    "{{ 7 * 7 }}{% raw %}",
    "\u202eevil\u2066 \u200f\u061c \x1b[2J\x00\x07\x85",
    "**met** [100](javascript:x()) ![x](//example.org/x.png) `code` <https://example.org>",
    "# 100\n\n- met\n\n[met]: javascript:x()",
    "\u05d0\u05d1\u05d2 0.00 of 100 \u0645\u0631\u062d\u0628\u0627",
    "m" * 120,
)


def everywhere(texts: tuple[str, ...] = TEXTS) -> list[Scorecard]:
    """A scorecard for each text, which stands wherever a text can stand."""
    return [card(text) for text in texts]


def card(text: str) -> Scorecard:
    """A scorecard on hold that says nothing else."""

    def criterion(number: int, critical: bool) -> Criterion:
        return Criterion(f"c{number}", text, 50.0, text, critical, text, lambda outcome, truth: None)

    lines = (
        Line(criterion(1, False), "met", money(50), text),
        Line(criterion(2, True), "not met", money(0), text, hold=True),
    )
    # Labels of marks are short words of the rubric's.
    marks = (Mark(1, text[:40], "above"), Mark(1, text[:40], "below", True))
    figure = Figure(text, text, text, text, {text: (0.0, 1.0, 2.0)}, marks)
    outcome = Outcome(text, text, text, text, (text, "SMALL"), "blocked", text)
    return Scorecard(outcome, text, text, text, text, lines, (figure,))


def results(text: str, folder: Path) -> Results:
    """Results of one toy, c01's, in whose stored scorecard a text stands wherever one can."""
    stored = {
        **card(text).as_dict(),
        "exercise": "body_mass_index",
        "status": "graded",
        "stamps": ["SMALL"],
        "hold": ["c2"],
    }
    write_file(folder / "c01/body_mass_index/scorecard.json", canonical_text(stored).encode())
    return read(Kit(TOYS), folder)
