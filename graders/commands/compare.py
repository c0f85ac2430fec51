"""Compare a round's submissions on one page, blind: in bands, by criterion, and who must be read."""

from __future__ import annotations

import argparse
import csv
import io
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from graders.commands._options import add_kit, open_kit, working
from graders.harness import grading
from graders.harness.errors import UsageError
from graders.harness.kit import Kit
from graders.harness.outcome import write_file
from graders.report.terminal import plain
from graders.round import results

if TYPE_CHECKING:
    from graders.report.round_page import Report
    from graders.round.comparison import Comparison
    from graders.round.impact import Supplied, Worksheet

PAGE, OPEN_PAGE, LABELS = "round.html", "round-unblinded.html", "labels.csv"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("results", type=Path, metavar="RESULTS", help="what `caredrill grade --out` wrote")
    parser.add_argument("--out", type=Path, metavar="DIR", help=f"where {PAGE} goes (default: RESULTS)")
    parser.add_argument(
        "--secret-file", type=Path, metavar="F", help="the team's secret: also look for traces of packets"
    )
    parser.add_argument("--groups", type=Path, metavar="CSV", help="id and groups: adds a worksheet of adverse impact")
    parser.add_argument(
        "--selected", choices=("band", "above"), default="band",
        help="who counts as selected there: not below the band, or clearly above; a column 'selected' goes first",
    )  # fmt: skip
    parser.add_argument(
        "--unblind", action="store_true", help=f"name the candidates, on a page of its own: {OPEN_PAGE}"
    )
    add_kit(parser)


def run(args: argparse.Namespace) -> int:
    """Write the page and the list of labels, and print what matters."""
    from graders.report import round_page
    from graders.round import comparison

    kit = open_kit(args.kit)
    with working("comparing"):
        found = results.read(kit, args.results)
        compared = comparison.compare(kit, found)
        secret = read_secret(compared, args) if args.secret_file else None
        report = reported(kit, found, compared, secret, args)
        page = round_page.write(report, (args.out or args.results) / (OPEN_PAGE if args.unblind else PAGE))
    write_file(args.results / LABELS, label_table(compared), 0o600)
    for line in summary(report):
        print(line)
    print(f"page: {page}")
    print(f"labels: {args.results / LABELS}")
    return 0


def reported(
    kit: Kit, found: results.Results, compared: Comparison, secret: bytes | None, args: argparse.Namespace
) -> Report:
    """Everything that the page shows. Raises UsageError for groups that cannot be read."""
    from graders.report.round_page import Report
    from graders.round import holds, signs
    from graders.round.comparison import DECIDE

    prints = signs.prints(kit, found)
    alike = signs.likenesses(kit, found, compared.labels, prints)
    held = holds.holds(kit, found, compared, alike)
    waiting = [row for row in compared.of(DECIDE) if row.label not in {hold.label for hold in held}]
    leaks = signs.leaks(kit, found, compared.labels, secret) if secret else None
    sheets, words, left_out = impact_of(compared, args)
    return Report(
        compared,
        held,
        sum(holds.minutes(kit, found, row.identity, row.states) for row in waiting),
        alike,
        leaks,
        signs.unmarked(kit, [block.exercise for block in compared.blocks]) if secret else (),
        sheets,
        words,
        left_out,
        args.unblind,
        signs.uncompared(found, compared.labels, prints),
    )


def read_secret(compared: Comparison, args: argparse.Namespace) -> bytes:
    """The team's secret. Raises UsageError when these results are of another: it would find no trace of anything."""
    from graders.round import many

    secret = grading.read_secret(args.secret_file)
    many.check_secret(args.results, compared.stamps, secret, grading.read_packs(args.secret_file))
    return secret


def impact_of(compared: Comparison, args: argparse.Namespace) -> tuple[list[Worksheet] | None, str, int]:
    """Worksheets, who counts as selected in words, and how many candidates are in none of them."""
    from graders.round import impact

    if not args.groups:
        return None, "", 0
    supplied = impact.read_groups(args.groups, compared.labels)
    selected, words = chosen(compared, supplied, args.selected)
    if not selected:
        raise UsageError(f"{args.groups}: nobody of these results has a total or a decision to count")
    return impact.worksheets(supplied, selected), words, len(compared.labels) - len(selected)


def chosen(compared: Comparison, supplied: Supplied, how: str) -> tuple[Mapping[str, bool], str]:
    """Who was selected, of those who were assessed; and by what, in words."""
    from graders.round.comparison import ABOVE, DECIDE, NO_TOTAL

    if supplied.selected is not None:
        return supplied.selected, "as the team's column says"
    if compared.role is None:
        raise UsageError("--groups needs a role's band (round.toml), or a column 'selected' with yes or no")
    good = (ABOVE,) if how == "above" else (ABOVE, DECIDE)
    words = "clearly above the band" if how == "above" else "not below the band: a person decides, or clearly above"
    return {row.identity: row.band in good for row in compared.rows if row.band != NO_TOTAL}, words


def label_table(compared: Comparison) -> bytes:
    """labels.csv: who is who."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["label", "id", "round"])
    table.writerows((label, identity, compared.mark) for identity, label in compared.labels.items())
    return text.getvalue().encode("utf-8", "surrogateescape")


def summary(report: Report) -> Sequence[str]:
    """At most 20 lines of at most 80 columns, with labels and without names."""
    from graders.report.round_page import band_name
    from graders.round.comparison import ABOVE, BELOW, DECIDE, FLAT_LEAST, NO_TOTAL
    from graders.round.holds import FIXED_MINUTES

    compared = report.compared
    handed_in = f"{len(compared.rows)} handed in, {len(compared.missing)} did not"
    lines = [handed_in + (f"; role {compared.role.name}" if compared.role else "; no role: no totals, no bands")]
    lines += [f"{stamp} on {count} of {compared.cards} scorecards" for stamp, count in compared.stamps.items()]
    if compared.role:
        lines += [
            f"{len(rows):4}  {band_name(compared, band)}"
            for band in (ABOVE, DECIDE, BELOW, NO_TOTAL)
            if (rows := compared.of(band)) or band != NO_TOTAL
        ]
        if compared.unmeasured:
            lines.append(f"standard error not measured: {', '.join(compared.unmeasured)}")
    held = [hold.label for hold in report.held]
    minutes = sum(hold.minutes for hold in report.held)
    lines.append(f"HOLD: {len(held)}, about {minutes} minutes to read: {', '.join(held)}" if held else "HOLD: nobody")
    if stopped := compared.with_status("blocked"):
        who = ", ".join(dict.fromkeys(label for label, _ in stopped))
        lines.append(f"would not run: read why, about {FIXED_MINUTES * len(stopped)} minutes: {who}")
    flat = [column.code for block in compared.blocks for column in block.columns if column.flat]
    few = len(compared.rows) < FLAT_LEAST
    asked = f"asked from {FLAT_LEAST} submissions on" if few else ", ".join(flat) or "none"
    lines.append(f"criteria that told nobody apart: {asked}")
    near = sum(one.near for one in report.alike)
    lines.append(f"alike: {near} near-identical, {len(report.alike) - near} to read side by side")
    lines += uncompared_lines(report)
    if report.leaks is not None:
        lines.append(f"traces of other packets: {len(report.leaks)}")
    for sheet in report.worksheets or ():
        flags = sum(line.flag is True for line in sheet.lines)
        said = "too few to say" if all(line.flag is None for line in sheet.lines) else f"{flags} below four fifths"
        lines.append(f"adverse impact by {plain(sheet.column)}: {said}")
    if compared.no_score:
        lines.append(f"no score by our fault: {', '.join(label for label, _ in compared.no_score)}")
    return [textwrap.shorten(line, 80, placeholder=" …") for line in lines][:20]


def uncompared_lines(report: Report) -> list[str]:
    """In whose code a copy may not be seen, by reason; at most four lines, as the page has them all."""
    by_why: dict[tuple[bool, str], list[str]] = {}
    for one in report.uncompared:
        by_why.setdefault((one.part, one.why.partition(" (")[0]), []).append(one.label)
    lines = []
    for (part, why), labels in by_why.items():
        how = "compared in part" if part else "not compared"
        line = f"{how}: {', '.join(dict.fromkeys(labels))}: {why}"
        # One that is cut short would not say why.
        lines.append(line if len(line) <= 80 else f"{how}: {len(set(labels))} candidates: {why}")
    return lines if len(lines) <= 4 else [*lines[:3], f"not compared: {len(lines) - 3} more reasons on the page"]
