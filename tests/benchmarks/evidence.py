"""Play every sample at full size, and good ones over hidden variants; write docs/evidence/NAME.md for each exercise.

make evidence        (about two hours for an exercise, on 2 cores)
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from exercise_lint import SECRET, check_expected, expectations, losses, play_sample

from graders.harness import grading
from graders.harness import outcome as outcomes
from graders.harness.kit import HOME, Kit

VARIANTS = 20  # where the manifest says nothing
GOOD = 80  # samples expected to score this or more are good ones
CHOSEN: list[str] = []  # the samples of --samples


def full_row(name: str, sample: str) -> str:
    """One sample at full size, as a row of the table."""
    started = time.perf_counter()
    graded = play_sample(Kit(), name, sample, small=False)
    card = graded.scorecard
    # What remains is scoring: the record's seconds end with the play.
    seconds = time.perf_counter() - started - graded.record["seconds"]
    held = ", ".join(card.hold) or "-"
    return f"| {sample} | {card.score} | {card.status} | {held} | {graded.record['seconds']:.1f} | {seconds:.1f} |"


def as_expected(name: str, sample: str) -> str:
    """A change of another sample at small size: what it loses, and whether expected.toml says so too."""
    kit = Kit()
    graded = play_sample(kit, name, sample)
    lost = ", ".join(losses(kit, name, sample, graded)) or "-"
    try:
        check_expected(kit, name, sample, graded)
        verdict = "yes"
    except AssertionError as error:
        verdict = f"NO: {error}"
    return f"| {sample} | {graded.scorecard.score} | {lost} | {verdict} |"


def sweep_settings(name: str) -> dict[str, int]:
    """Sizes of the runs over many variants: those of the manifest's [data] sweep, or the small ones."""
    exercise = Kit().exercise(name)
    return {**exercise.ci_settings, **{key: value for key, value in exercise.sweep.items() if key != "variants"}}


def verdicts(name: str, sample: str, variant: str, card: dict[str, Any] | None = None) -> dict[str, tuple[float, str]]:
    """One sample on one hidden variant, size of the sweep: criterion -> (fraction earned, verdict)."""
    graded = play_sample(Kit(), name, sample, variant=variant, card=card, settings=sweep_settings(name))
    if graded.scorecard.score is None:
        raise RuntimeError(f"{sample} on {variant}: {graded.scorecard.status}: {graded.scorecard.reason}")
    return {
        line.criterion.id: (float(line.earned or 0) / line.criterion.points, line.verdict)
        for line in graded.scorecard.lines
    }


def total(name: str, found: dict[str, tuple[float, str]]) -> float:
    """Points of 100."""
    points = {c.id: c.points for c in Kit().criteria(name)}
    return 100 * sum(points[i] * fraction for i, (fraction, _) in found.items()) / sum(points.values())


def flips(runs: Sequence[dict[str, tuple[float, str]]]) -> list[str]:
    """Criteria whose verdict changes between variants although the mean is a tenth or more from any boundary."""
    found = []
    for name in runs[0]:
        mean = statistics.mean(run[name][0] for run in runs)
        if 0.1 <= mean <= 0.9 and len({run[name][1] for run in runs}) > 1:
            found.append(name)
    return found


def sweep(pool: Executor, name: str, sample: str, variants: Sequence[str]) -> str:
    """A sample over hidden variants, as a row of the table."""
    n = len(variants)
    runs = list(pool.map(verdicts, [name] * n, [sample] * n, variants))
    scores = [total(name, run) for run in runs]
    spread = f"{statistics.mean(scores):.2f} | {statistics.stdev(scores):.2f} | {min(scores):.2f} | {max(scores):.2f}"
    return f"| {sample} | {spread} | {', '.join(flips(runs)) or '-'} |"


def cards(pool: Executor, name: str, sample: str, variants: Sequence[str]) -> str:
    """A sample on the same people under the cards of several variants, as a row of the table."""
    kit = Kit()
    drawn = []
    for variant in variants:
        seed = grading.seed_for(kit.exercise(name), grading.Terms(variant, SECRET), "card")
        drawn.append(kit.recipe(name).draw_card(seed))
    n = len(variants)
    scores = [total(name, run) for run in pool.map(verdicts, [name] * n, [sample] * n, ["cards"] * n, drawn)]
    return f"| {sample} | {' | '.join(f'{score:.2f}' for score in scores)} | {max(scores) - min(scores):.2f} |"


def full_table(pool: Executor, name: str, count: int) -> Iterator[str]:
    """Every sample that stands for itself, at full size."""
    samples = [n for n, e in expectations(Kit(), name).items() if "base" not in e]
    size = dict(Kit().exercise(name).settings)
    yield f"Samples at full size ({size}), one hidden variant; seconds with two jobs at a time.\n"
    yield "| sample | score | status | hold | play s | score s |\n|---|---:|---|---|---:|---:|"
    yield from pool.map(full_row, [name] * len(samples), samples)


def changes_table(pool: Executor, name: str, count: int) -> Iterator[str]:
    """Every sample that changes another one, at small size."""
    samples = [n for n, e in expectations(Kit(), name).items() if "base" in e]
    yield "Samples that change a good one, small size: the criteria they lose against it.\n"
    yield "| sample | score | loses | as expected |\n|---|---:|---|---|"
    yield from pool.map(as_expected, [name] * len(samples), samples)


def sweep_table(pool: Executor, name: str, count: int) -> Iterator[str]:
    """Good samples over many hidden variants."""
    yield f"Good samples over {count} hidden variants: other people, other cards, {sweep_settings(name)}."
    yield "Flips: criteria whose verdict changes although the mean is a tenth or more from its boundaries.\n"
    yield "| sample | mean | SD | least | most | flips |\n|---|---:|---:|---:|---:|---|"
    for sample in good_samples(name):
        yield sweep(pool, name, sample, [f"v{n}" for n in range(count)])


def cards_table(pool: Executor, name: str, count: int) -> Iterator[str]:
    """Good samples on the same people under other cards."""
    yield "Good samples on the same people under four variants' cards.\n"
    yield "| sample | first | second | third | fourth | range |\n|---|---:|---:|---:|---:|---:|"
    for sample in good_samples(name):
        yield cards(pool, name, sample, [f"v{n}" for n in range(4)])


PARTS = {"full": full_table, "changes": changes_table, "sweep": sweep_table, "cards": cards_table}


def good_samples(name: str) -> list[str]:
    """The samples that stand for themselves and are expected to be good work; those that were asked for, if any."""
    return CHOSEN or [n for n, e in expectations(Kit(), name).items() if e["score"][0] >= GOOD and "base" not in e]


def main() -> None:
    """Print progress, write the pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("exercise", nargs="*", help="which; all unless told")
    parser.add_argument("--variants", type=int, help="hidden variants of the sweep")
    parser.add_argument("--samples", nargs="+", default=[], help="for sweep and cards, in place of the good ones")
    parser.add_argument("--parts", default=",".join(PARTS), help="some of " + ",".join(PARTS))
    parser.add_argument("--out", type=Path, default=HOME / "docs/evidence")
    args = parser.parse_args()
    CHOSEN[:] = args.samples
    with ProcessPoolExecutor(2) as pool:
        for name in args.exercise or Kit().names():
            count = args.variants or Kit().exercise(name).sweep.get("variants", VARIANTS)
            command = f"python tests/benchmarks/evidence.py {name}"
            lines = [f"# Evidence: {name}\n\nMade by `make evidence`, one exercise: `{command}`."]
            for part in args.parts.split(","):
                lines.append("")
                for row in PARTS[part](pool, name, count):
                    print(row, flush=True)
                    lines.append(row)
            outcomes.write_file(args.out / f"{name}.md", ("\n".join(lines) + "\n").encode())
            print(f"wrote {args.out / name}.md")


if __name__ == "__main__":
    main()
