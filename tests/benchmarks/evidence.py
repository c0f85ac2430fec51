"""Play every sample at full size, and a sweep of hidden variants; write docs/evidence.md.

make evidence        (about 30 minutes on 2 cores)
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from exercise_lint import all_samples, expectations, play_sample

from graders.harness import outcome as outcomes
from graders.harness.kit import HOME, Kit


def main() -> None:
    """Print progress, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variants", type=int, default=12, help="hidden variants of the sweep")
    parser.add_argument("--out", type=Path, default=HOME / "docs/evidence.md")
    args = parser.parse_args()
    kit, lines = Kit(), ["# Evidence", "", "Made by `make evidence` (tests/benchmarks/evidence.py).", ""]
    for name in kit.names():
        exercise = kit.exercise(name)
        lines += [f"## {name}", "", f"Every sample at full size ({dict(exercise.settings)}), one hidden variant.", ""]
        lines += ["| sample | score | status | hold | play s | score s |", "|---|---:|---|---|---:|---:|"]
        for _, sample in (pair for pair in all_samples(kit) if pair[0] == name):
            started = time.perf_counter()
            graded = play_sample(kit, name, sample, small=False)
            card = graded.scorecard
            seconds = time.perf_counter() - started - graded.record["seconds"]
            held = ", ".join(card.hold) or "-"
            row = f"| {sample} | {card.score} | {card.status} | {held} | {graded.record['seconds']} | {seconds:.1f} |"
            print(row, flush=True)
            lines.append(row)
        lines += ["", f"Good samples over {args.variants} hidden variants (other people, other cards), small size.", ""]
        lines += ["| sample | mean | SD | least | most |", "|---|---:|---:|---:|---:|"]
        for sample, expected in expectations(kit, name).items():
            # Samples that change another one vary as that one does.
            if expected["score"][0] < 60 or "base" in expected:
                continue
            cards = [play_sample(kit, name, sample, variant=f"v{n}").scorecard for n in range(args.variants)]
            scores = [float(card.score or 0) for card in cards]
            spread = statistics.stdev(scores)
            row = f"| {sample} | {statistics.mean(scores):.2f} | {spread:.2f} | {min(scores):.2f} | {max(scores):.2f} |"
            print(row, flush=True)
            lines.append(row)
        lines.append("")
    outcomes.write_file(args.out, ("\n".join(lines).rstrip() + "\n").encode())
    print(f"wrote {args.out}")


if __name__ == "__main__":
    main()
