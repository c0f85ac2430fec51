"""Play every sample at full size, and good ones over hidden variants; write docs/evidence.md.

make evidence        (about 15 minutes on 2 cores)
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from exercise_lint import expectations, play_sample

from graders.harness import outcome as outcomes
from graders.harness.kit import HOME, Kit


def full_row(name: str, sample: str) -> str:
    """One sample at full size, as a row of the table."""
    started = time.perf_counter()
    graded = play_sample(Kit(), name, sample, small=False)
    card = graded.scorecard
    seconds = time.perf_counter() - started - graded.record["seconds"]
    held = ", ".join(card.hold) or "-"
    return f"| {sample} | {card.score} | {card.status} | {held} | {graded.record['seconds']:.1f} | {seconds:.1f} |"


def small_score(name: str, sample: str, variant: str) -> float:
    """One sample's score on one hidden variant, small size; a run without a score counts as 0."""
    return float(play_sample(Kit(), name, sample, variant=variant).scorecard.score or 0)


def main() -> None:
    """Print progress, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variants", type=int, default=12, help="hidden variants of the sweep")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=HOME / "docs/evidence.md")
    args = parser.parse_args()
    kit, lines = Kit(), ["# Evidence", "", "Made by `make evidence` (tests/benchmarks/evidence.py).", ""]
    with ProcessPoolExecutor(args.workers) as pool:
        for name in kit.names():
            samples = expectations(kit, name)
            size = dict(kit.exercise(name).settings)
            lines += [f"## {name}", "", f"Every sample at full size ({size}), one hidden variant; two plays each, and"]
            lines += [f"{args.workers} samples at a time.", ""]
            lines += ["| sample | score | status | hold | play s | score s |", "|---|---:|---|---|---:|---:|"]
            for row in pool.map(full_row, [name] * len(samples), samples):
                print(row, flush=True)
                lines.append(row)
            lines += [
                "",
                f"Good samples over {args.variants} hidden variants (other people, other cards), small size.",
                "",
            ]
            lines += ["| sample | mean | SD | least | most |", "|---|---:|---:|---:|---:|"]
            variants = [f"v{n}" for n in range(args.variants)]
            for sample, expected in samples.items():
                # Samples that change another one vary as that one does.
                if expected["score"][0] < 60 or "base" in expected:
                    continue
                scores = list(pool.map(small_score, [name] * len(variants), [sample] * len(variants), variants))
                spread = f"{statistics.mean(scores):.2f} | {statistics.stdev(scores):.2f}"
                row = f"| {sample} | {spread} | {min(scores):.2f} | {max(scores):.2f} |"
                print(row, flush=True)
                lines.append(row)
            lines.append("")
    outcomes.write_file(args.out, ("\n".join(lines).rstrip() + "\n").encode())
    print(f"wrote {args.out}")


if __name__ == "__main__":
    main()
