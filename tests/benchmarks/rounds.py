"""Thirty mixed submissions of the default role at full size, two workers; then the same command again.

python tests/benchmarks/rounds.py [--small] [--keep DIR]      (about ten minutes on 2 cores)

Printed: what each one is and got, how long the round took, and whether the second run graded anything again.
Exit code 1 when anything is not as it must be: a fault of ours, broken work that is graded, good work that is not, or a
second run that says something else.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from exercise_lint import SECRET, read_sample  # noqa: E402 - the tests' own, from the folder above

from graders.harness.kit import HOME, Kit  # noqa: E402

# What it is, how it is handed in, and its samples of both exercises ("": nothing handed in, "-": a broken part).
MIXED = [
    ("good", "folder", "good", "good"),
    ("good", "zip", "good_fuzzy", "good_bh"),
    ("good", "wrapped zip", "good_moved_dates", "good_fairlearn"),
    ("good", "folder", "good_one_module", "good_gee"),
    ("good", "zip", "good_package", "good_holm"),
    ("good", "folder", "good_streaming", "good_plain"),
    ("good", "notebooks", "good_notebook", "good"),
    ("good", "notebook", "good_notebook", ""),
    ("an assistant's", "zip", "ai_answer", "ai_answer"),
    ("starter", "folder", "starter", "starter"),
    ("flawed", "folder", "naive", "memo_follower"),
    ("flawed", "zip", "memo_follower", "four_fifths"),
    ("flawed", "folder", "keeps_true_dates", "twenty_draws"),
    ("flawed", "notebooks", "leaves_free_text", "auroc_only"),
    ("flawed", "zip", "old_list_of_zip_areas", "hides_below_five"),
    ("flawed", "folder", "blank_all", "flag_everything"),
    ("flawed", "folder", "hard_coded_card", "cards_threshold"),
    ("one of two", "folder", "good", ""),
    ("one of two", "zip", "", "good_bh"),
    ("broken", "syntax error", "good", "good"),
    ("broken", "cut zip", "good", "good"),
    ("broken", "no zip", "good", "good"),
    ("broken", "empty folder", "", ""),
    ("hostile", "folder", "hostile_os_exit", "hostile_forged_reply"),
    ("hostile", "zip", "hostile_forged_deep", "hostile_outlives"),
    ("hostile", "folder", "hostile_exec_sleep", "hostile_two_answers"),
    ("hostile", "folder", "hostile_proc_reader", "hostile_texts_for_readers"),
    ("duplicate of c01", "zip", "good", "good"),
    ("duplicate of c02", "folder", "good_fuzzy", "good_bh"),
    ("duplicate of c09", "wrapped zip", "ai_answer", "ai_answer"),
]
EXERCISES = ("deidentification", "subgroup_evaluation")


def main() -> None:
    """Make the round, grade it twice, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--small", action="store_true", help="the small settings of the tests")
    parser.add_argument("--keep", type=Path, help="where the round and its results stay")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="caredrill-") as name:
        place = args.keep or Path(name)
        make(place / "round")
        (place / "team.secret").write_bytes(SECRET)
        words = ["grade", "round", "--secret-file", "team.secret", "--out", "results", "--workers", "2"]
        words += ["--small"] if args.small else []
        first, seconds = run(place, words)
        second, again = run(place, words)
        faults = report(place / "results", first)
    print(f"\n{len(MIXED)} submissions, 2 workers: {seconds / 60:.1f} minutes; the same command again: {again:.0f} s")
    faults += ["the second run says something else"] if first != second else []
    print("\n".join(faults) or "all as it must be")
    sys.exit(1 if faults else 0)


def make(folder: Path) -> None:
    """A round's folder with round.toml and thirty submissions."""
    kit, lines = Kit(), ['role = "default"']
    for number, (_, form, *samples) in enumerate(MIXED, 1):
        identity, files = f"c{number:02}", dict[str, bytes]()
        lines.append(f'\n[[candidates]]\nid = "{identity}"')
        for exercise, sample in zip(EXERCISES, samples, strict=True):
            if sample:
                part = read_sample(kit, kit.exercise(exercise), sample)
                files |= {f"{exercise}/{name}": data for name, data in part.files.items()}
        hand_in(folder / "submissions" / identity, form, files)
    (folder / "round.toml").write_text("\n".join(lines) + "\n")


def hand_in(target: Path, form: str, files: dict[str, bytes]) -> None:
    """Write one submission in its form."""
    archive = target.with_suffix(".zip")
    if form == "syntax error":
        files = {name: data + b"\ndef (:\n" if name.endswith(".py") else data for name, data in files.items()}
    if form in ("notebooks", "notebook"):
        files = as_notebooks(files)
    if form == "notebook":
        target.with_suffix(".ipynb").write_bytes(next(iter(files.values())))
        return
    target.mkdir(parents=True)
    for name, data in files.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    if form == "wrapped zip":
        shutil.make_archive(str(target), "zip", target.parent, target.name)
    elif form in ("zip", "cut zip"):
        shutil.make_archive(str(target), "zip", target)
    elif form == "no zip":
        archive.write_text("see the link in my e-mail")
    if form == "cut zip":
        archive.write_bytes(archive.read_bytes()[:-400])
    if archive.exists():
        shutil.rmtree(target)


def as_notebooks(files: dict[str, bytes]) -> dict[str, bytes]:
    """The same work as one notebook for each exercise, a cell for each file."""
    cells: dict[str, list[dict[str, object]]] = {}
    for path, data in files.items():
        exercise, _, name = path.partition("/")
        marks = {"caredrill": {"file": name}}
        cells.setdefault(exercise, []).append(
            {"cell_type": "code", "metadata": marks, "source": data.decode(), "outputs": [], "execution_count": None}
        )
    books = {name: {"cells": own, "metadata": {}, "nbformat": 4, "nbformat_minor": 5} for name, own in cells.items()}
    return {f"{name}/{name}.ipynb": json.dumps(book).encode() for name, book in books.items()}


def run(place: Path, words: list[str]) -> tuple[list[str], float]:
    """`caredrill` there: its lines and the seconds it took."""
    started = time.monotonic()
    command = [
        sys.executable,
        "-m",
        "graders.commands",
        words[0],
        *(str(place / w) if w in PATHS else w for w in words[1:]),
    ]
    done = subprocess.run(command, cwd=HOME, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
    return done.stdout.splitlines(), time.monotonic() - started


PATHS = ("round", "team.secret", "results")


def report(results: Path, said: list[str]) -> list[str]:
    """Print the table; returns what is not as it must be."""
    print("| id | what | handed in as | deidentification | subgroup_evaluation | total |\n|---|---|---|---|---|---|")
    faults = []
    for number, (what, form, *_) in enumerate(MIXED, 1):
        identity = f"c{number:02}"
        cards = {name: json.loads((results / identity / name / "scorecard.json").read_bytes()) for name in EXERCISES}
        cells = [f"{c['score']} {c['status']}{' HOLD' if c['hold'] else ''}" for c in cards.values()]
        total = next(line.split(": ")[1] for line in said if line.startswith(f"{identity}: "))
        print(f"| {identity} | {what} | {form} | {' | '.join(cells)} | {total.replace(' of 100', '')} |")
        states = {card["status"] for card in cards.values()}
        if states & {"grader_error", "infra_error"}:
            faults.append(f"{identity}: a fault of ours")
        if what == "broken" and "graded" in states:
            faults.append(f"{identity}: is broken and was graded")
        if what == "good" and form != "notebook" and states != {"graded"}:
            faults.append(f"{identity}: is good and was not graded")
    return faults


if __name__ == "__main__":
    main()
