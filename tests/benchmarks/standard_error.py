"""By how many points the same work varies from one candidate's patients and card to another's, at full size.

python tests/benchmarks/standard_error.py [NAME …] [--variants N] [--workers N]

Samples that an assistant wrote are work of middling quality, where decisions are made; the manifest's `standard_error`
comes from here.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from exercise_lint import play_sample

from graders.harness.kit import Kit

SAMPLES = {"deidentification": ("ai_answer", "good_streaming"), "subgroup_evaluation": ("ai_answer", "good_bh")}


def score(name: str, sample: str, variant: int) -> float:
    """Of one sample on one hidden variant."""
    card = play_sample(Kit(), name, sample, variant=f"error-{variant}", small=False).scorecard
    if card.score is None:
        raise RuntimeError(f"{name}, {sample}, error-{variant}: no score ({card.reason})")
    return float(card.score)


def main() -> None:
    """Print one row for each sample."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("names", nargs="*", default=list(SAMPLES), metavar="NAME")
    parser.add_argument("--variants", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    print("| exercise | sample | mean | SD | least | most |\n|---|---|---:|---:|---:|---:|")
    with ProcessPoolExecutor(args.workers) as pool:
        for name in args.names:
            for sample in SAMPLES[name]:
                runs = [pool.submit(score, name, sample, variant) for variant in range(args.variants)]
                found = [run.result() for run in runs]
                row = statistics.mean(found), statistics.stdev(found), min(found), max(found)
                print(f"| {name} | {sample} | {' | '.join(f'{value:.2f}' for value in row)} |", flush=True)


if __name__ == "__main__":
    main()
