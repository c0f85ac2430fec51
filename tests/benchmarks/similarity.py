"""What the similarity of two submissions tells apart: independent work, disguised copies, half copies.

Independent are the samples that somebody wrote on their own: good*, ai_answer*. Printed for each exercise: the least,
the middle and the greatest similarity of each kind of pair, and how many reach the thresholds.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import disguised_copy  # noqa: E402 - the tests' own, from the folder above

from graders.harness import submission  # noqa: E402
from graders.harness.exercise import Exercise  # noqa: E402
from graders.harness.kit import Kit  # noqa: E402
from graders.round import similarity  # noqa: E402
from graders.round.similarity import ADVISORY, NEAR_IDENTITY, Fingerprint  # noqa: E402


def independent(kit: Kit, exercise: Exercise) -> dict[str, Mapping[str, bytes]]:
    """Files of the samples of which none was made from another."""
    place = kit.root / "tests/submissions" / exercise.name
    found = [p for p in sorted(place.iterdir()) if p.name.startswith(("good", "ai_answer"))]
    return {p.name: submission.read(p, [exercise])[exercise.name].files for p in found}


def compared(first: Fingerprint, second: Fingerprint) -> float:
    """0 where nothing is said of them."""
    found = similarity.pairs({"a": first, "b": second})
    return found[0].similarity if found else 0.0


def row(kind: str, exercise: str, values: Iterable[float]) -> list[float]:
    """Print one line of the table."""
    of = sorted(values)
    over, near = sum(v >= ADVISORY for v in of), sum(v >= NEAR_IDENTITY for v in of)
    figures = f"{of[0]:.3f} | {statistics.median(of):.3f} | {of[-1]:.3f} | {over} | {near}"
    print(f"| {kind} | {exercise} | {len(of)} | {figures} |", flush=True)
    return of


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    kit, every, seeds = Kit(), dict[str, list[float]](), range(args.seeds)
    print(f"| pairs | exercise | number | least | middle | greatest | >= {ADVISORY} | >= {NEAR_IDENTITY} |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    seconds = 0.0
    for exercise in kit.exercises():
        starter, files = similarity.starter_files(exercise), independent(kit, exercise)
        known = (starter, similarity.packages(exercise))

        def print_of(
            one: Mapping[str, bytes], known: tuple[Mapping[str, bytes], frozenset[str]] = known
        ) -> Fingerprint:
            return similarity.fingerprint(one, *known)

        prints = {name: print_of(one) for name, one in files.items()}
        names = sorted(prints)
        kinds = {
            "independent": [p.similarity for p in similarity.pairs(prints)],
            "disguised copy": [
                compared(prints[n], print_of(disguised_copy.disguise(files[n], s))) for n in names for s in seeds
            ],
            "the same, 1 statement of 10 rewritten": [
                compared(prints[n], print_of(disguised_copy.thinned(files[n], 0.1, s))) for n in names for s in seeds
            ],
            "the same, 3 of 10": [
                compared(prints[n], print_of(disguised_copy.thinned(files[n], 0.3, s))) for n in names for s in seeds
            ],
            "half copy": [
                compared(prints[a], print_of(disguised_copy.half(files[a], files[b], n)))
                for n, (a, b) in enumerate(itertools.permutations(names, 2))
            ],
        }
        for kind, values in kinds.items():
            every.setdefault(kind, []).extend(row(kind, exercise.name, values))
        started = time.perf_counter()
        samples = similarity.sample_prints(kit, exercise)
        many = {f"c{n:02}": print_of(files[names[n % len(names)]]) for n in range(30)}
        similarity.pairs(many)
        similarity.nearest(many, samples)
        seconds = max(seconds, time.perf_counter() - started)
    for kind, values in every.items():
        row(f"**{kind}**", "all", values)
    print(f"\n30 submissions among each other and with all samples of an exercise: at most {seconds:.1f} s")


if __name__ == "__main__":
    main()
