"""Open every kind of page in headless Chromium, at two sizes, in two themes and on A4; write docs/evidence/pages.md.

make pages        (a quarter of an hour on 2 busy cores)

Without page files it makes its own: a round of toys, with --full also samples of the kit's exercises at small size, and
every page that the commands make of their results. It ends with 1 when a page has any fault, or when the faults planted
in a page of its own are not found.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from exercise_lint import SECRET, TOYS, play_sample
from hostile_texts import everywhere

from graders import commands
from graders.harness import grading
from graders.harness import outcome as outcomes
from graders.harness.grading import Graded, Terms
from graders.harness.kit import HOME, Kit
from graders.harness.submission import Part
from graders.report import html

# One row a submission: whose, and by exercise a sample, or "" for nothing handed in.
TOY_ROUND = {
    "good": {"body_mass_index": "good", "insulin_titration": "good"},
    "middling": {"body_mass_index": "wrong_units", "insulin_titration": "bang_bang"},
    "blocked": {"body_mass_index": "hostile_os_exit", "insulin_titration": ""},
    "hostile": {"body_mass_index": "hostile_markup", "insulin_titration": "hostile_exception_name"},
}
TOY_OTHERS = {"held": {"vitals_service": "leaky_log"}, "headers": {"vitals_service": "hostile_markup_in_headers"}}
ROUND = {
    "good": {"deidentification": "good", "subgroup_evaluation": "good"},
    "middling": {"deidentification": "ai_answer", "subgroup_evaluation": "four_fifths"},
    "held": {"deidentification": "naive", "subgroup_evaluation": ""},
    "blank": {"deidentification": "blank_all", "subgroup_evaluation": "hostile_texts_for_readers"},
    "blocked": {"deidentification": "hostile_os_exit", "subgroup_evaluation": "hostile_os_exit"},
}
OTHERS = {
    "figures": {"drift_response": "always_alert"},
    "texts": {"drift_response": "hostile_texts"},
    "logs": {"safe_logging": "hostile_borrowed_ids"},
}
# What commands make of results: words after the verb.  Those that this kit does not have are left out.
COMMANDS = {"letter": ("{results}",), "compare": ("{results}",), "interview": ("{results}", "middling")}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FAULTS = """<html><head><title></title></head><body onload="document.body.append('script')"><img src="http://x.example.org/x.png">
<p style="color: #ccc; background: #fff">pale</p><div style="width: 900px">wide</div>
<p>&#x202e;turned</p></body></html>"""


def graded(kit: Kit, exercise: str, sample: str) -> Graded:
    """A sample at small size on hidden data; nothing handed in without one."""
    if sample:
        return play_sample(kit, exercise, sample)
    part = Part(status="not_submitted", fault=f"holds no {exercise}")
    return grading.grade(kit, kit.exercise(exercise), part, Terms("tests", SECRET, small=True))


def make(kit: Kit, role: str, rows: dict[str, dict[str, str]], results: Path) -> None:
    """Results of these samples, and every page that there is of them."""
    for identity, samples in rows.items():
        found = [graded(kit, exercise, sample) for exercise, sample in samples.items()]
        for one in found:
            grading.store(one, results, identity)
        html.write([one.scorecard for one in found], results / identity / "scorecard.html", kit)
    if not role:
        return
    said = f'role = "{role}"\ncontact = "hiring@example.org"\n'
    said += "".join(f'[[candidates]]\nid = "{identity}"\n' for identity in rows)
    outcomes.write_file(results / "round.toml", said.encode())
    for verb in sorted(set(COMMANDS) & set(commands.verbs())):
        words = [word.format(results=results) for word in COMMANDS[verb]]
        heard = io.StringIO()
        with contextlib.redirect_stdout(heard):
            code = commands.main([verb, *words, "--kit", str(kit.root)])
        if code > 1:
            sys.exit(f"caredrill {verb} ended with {code}: {heard.getvalue()[-300:]}")


def own_pages(folder: Path, full: bool) -> dict[str, Path]:
    """Every page of the kit's own making, by name."""
    make(Kit(TOYS), "toys", TOY_ROUND, folder / "toys")
    make(Kit(TOYS), "", TOY_OTHERS, folder / "more toys")
    if full:
        make(Kit(), "default", ROUND, folder / "default")
        make(Kit(), "", OTHERS, folder / "others")
    html.write([], folder / "none/scorecard.html")
    html.write(everywhere(), folder / "hostile texts/scorecard.html")
    return {p.relative_to(folder).with_suffix("").as_posix(): p for p in sorted(folder.rglob("*.html"))}


def opened(peer: Path, browser: str, shots: Path, pages: dict[str, Path]) -> Iterator[dict[str, Any]]:
    """What the browser has to say: first its version, then of every page."""
    program = Path(__file__).with_name("pages_in_browser.py")
    words = [str(peer / "bin/python"), str(program), browser, str(shots.absolute())]
    words += [str(word) for name, path in pages.items() for word in (name, path.absolute())]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        for line in running.stdout:
            yield json.loads(line)
    if running.returncode:
        sys.exit(1)


def rows(found: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """A page's rows of the table, each with its faults in words."""
    for screen in found["screens"]:
        faults = [*screen["violations"], *(f"{word} from a text" for word in screen["strangers"])]
        faults += [f"{screen['overflow']} px too wide"] if screen["overflow"] else []
        faults += [f"{name} reaches out" for name in screen["out"] if screen["width"] < 500]
        faults += [f"{screen['requests']} requests"] if screen["requests"] else []
        faults += [] if screen["same"] else ["another page without JavaScript"]
        cells = [found["page"], f"{screen['width']} px", screen["theme"], len(screen["violations"]), screen["overflow"]]
        yield row([*cells, screen["requests"], "same" if screen["same"] else "differs", ""], faults)
    paper = found["paper"]
    # Of the other pages, sections may begin and end where they do.
    sheets_of = paper["sheets"] if found["page"].endswith("scorecard") else []
    faults = [f"an exercise takes {count} sheets" for count in sheets_of if count != 1]
    faults += [] if paper["a4"] else ["not A4"]
    faults += ["printed pale"] if paper["pale"] else []
    faults += [f"{name} is cut off" for name in paper["out"]] + [f"'{word}' is not printed" for word in paper["lost"]]
    sheets = f", {len(sheets_of)} exercises on one each" if sheets_of else ""
    yield row([found["page"], "A4", "print", "", paper["clipped"], "", "", f"{paper['pages']}{sheets}"], faults)


def row(cells: list[Any], faults: list[str]) -> tuple[str, list[str]]:
    """A line of the table."""
    return f"| {' | '.join(map(str, [*cells, '; '.join(faults) or '-']))} |", faults


def main() -> None:
    """Print the table; write the page when the pages are our own."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pages", nargs="*", type=Path, help="page files; its own unless told")
    parser.add_argument("--full", action="store_true", help="also samples of the kit's exercises")
    parser.add_argument("--shots", type=Path, metavar="DIR", help="where screenshots and PDFs are kept")
    parser.add_argument("--peers", type=Path, default=HOME / ".venv/pages", help="the environment of playwright")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the table here, as docs/evidence/pages.md")
    args = parser.parse_args()
    if not (args.peers / "bin/playwright").is_file():
        sys.exit(f"playwright is not installed in {args.peers}: run  make pages  which does so")
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit(f"no browser is found on PATH: install one of {', '.join(BROWSERS)}")
    with tempfile.TemporaryDirectory(prefix="caredrill-pages-") as name:
        folder = Path(name)
        pages = {p.with_suffix("").as_posix().strip("./"): p for p in args.pages} or own_pages(
            folder / "pages", args.full
        )
        control = folder / "control.html"
        control.write_text(FAULTS, "utf-8")
        said = opened(args.peers, browser, args.shots or folder / "shots", {"planted faults": control, **pages})
        versions, planted = next(said), next(said)
        if missed := unseen(planted):
            sys.exit(f"the planted faults were not all found: {', '.join(missed)}")
        command = f"python tests/benchmarks/pages.py{' --full' * args.full}"
        lines = ["# Evidence: pages\n", f"Made by `make pages`: `{command}`, with Chromium {versions['browser']} and "]
        lines[-1] += (
            f"axe-core {versions['axe']}, all its default rules.\nFaults planted in a page of its own are found.\n"
        )
        lines += [
            "| page | size | theme | violations | px too wide | requests | without JavaScript | A4 sheets | faults |"
        ]
        lines += ["|---|---|---|---:|---:|---:|---|---|---|"]
        print("\n".join(lines), flush=True)
        faults = []
        for line, wrong in (found for page in said for found in rows(page)):
            print(line, flush=True)
            lines.append(line)
            faults += wrong
    last = f"\n{len(pages)} pages, {len(faults)} faults."
    print(last)
    if args.out:
        outcomes.write_file(args.out, "\n".join([*lines, last, ""]).encode())
    sys.exit(bool(faults))


def unseen(planted: dict[str, Any]) -> list[str]:
    """Which of the planted faults the browser did not see."""
    small = next(s for s in planted["screens"] if (s["width"], s["theme"]) == (390, "light"))
    seen = {violation.split(":")[0] for violation in small["violations"]}
    wanted = {"color-contrast", "document-title", "html-has-lang", "image-alt"}
    missed = sorted(wanted - seen)
    missed += [word for word in ("<img>", "body onload", "controls") if word not in small["strangers"]]
    checks = {"overflow": small["overflow"] > 0, "requests": small["requests"] > 0, "script": not small["same"]}
    return missed + [name for name, found in {**checks, "paper": planted["paper"]["clipped"] > 0}.items() if not found]


if __name__ == "__main__":
    main()
