"""A round of 200 toy submissions, undisturbed and with kill -9 of workers and of the run itself at random moments.

Printed: whether every submission has its scorecard, once, the same as undisturbed. With --moments N, instead: N runs of
a round of 12, each killed once (the run itself, at a random moment) and run again.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import interrupted_round  # noqa: E402 - the tests' own, from the folder above


def one_kill_each(place: Path, moments: int, rng: random.Random) -> bool:
    """Print what came of so many runs, each killed once; is all the same as undisturbed, and nothing left over?"""
    submissions = len(list((place / "submissions").iterdir()))
    started = time.monotonic()
    interrupted_round.start(place, place / "calm").communicate()
    seconds = time.monotonic() - started
    calm = interrupted_round.scorecards(place / "calm")
    finished, same, strays, early = list[int](), 0, 0, 0
    while len(finished) < moments:
        out = place / f"out{len(finished)}_{early}"
        begun = time.monotonic()
        found = interrupted_round.kill_once(place, out, rng.uniform(0, seconds))
        if found is None:
            # Ended before its moment: a round takes less than it did, on a machine with others on it.
            early, seconds = early + 1, min(seconds, time.monotonic() - begun)
            continue
        finished.append(found)
        same += interrupted_round.scorecards(out) == calm
        strays += len(interrupted_round.strays(out))
    cards = sum(name.endswith("scorecard.json") for name in calm)
    print(f"undisturbed        {submissions} submissions, {cards} scorecards, {len(calm)} files")
    print(f"killed             {moments} runs, each once; {early} more had ended before their moment")
    print(f"finished by then   {' '.join(map(str, sorted(finished)))}")
    print(f"all files the same {same} of {moments} (scorecards, outcomes, pages)")
    print(f"left unfinished    {strays} files")
    return same == moments and not strays and cards == submissions


def main() -> None:
    """Print one line per figure; exit code 1 when anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=200)
    parser.add_argument("--kills", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--moments", type=int, default=0, help="so many runs, each killed once")
    args = parser.parse_args()
    if args.moments:
        with tempfile.TemporaryDirectory(prefix="caredrill-") as name:
            place = interrupted_round.make(Path(name) / "round", 12)
            sys.exit(0 if one_kill_each(place, args.moments, random.Random(args.seed)) else 1)
    with tempfile.TemporaryDirectory(prefix="caredrill-") as name:
        place = interrupted_round.make(Path(name) / "round", args.submissions)
        started = time.monotonic()
        calm = interrupted_round.start(place, Path(name) / "calm")
        calm.communicate()
        seconds = time.monotonic() - started
        pause = 2 * seconds / (args.kills + 1)
        rng = random.Random(args.seed)
        killed, parents, runs = interrupted_round.disturb(place, Path(name) / "out", args.kills, pause, rng)
        first = interrupted_round.scorecards(Path(name) / "calm")
        second = interrupted_round.scorecards(Path(name) / "out")
        cards = [key for key in second if key.endswith("scorecard.json")]
        same = sum(first.get(key) == second[key] for key in cards)
        strays = interrupted_round.strays(Path(name) / "out")
    print(f"undisturbed        {args.submissions} submissions in {seconds:.0f} s, 2 workers")
    print(f"killed             {killed} workers, {parents} run; {runs} runs until all were graded")
    print(f"scorecards         {len(cards)} of {args.submissions}, {same} the same as undisturbed")
    print(f"left unfinished    {len(strays)} files")
    sys.exit(0 if len(cards) == same == args.submissions and not strays and first == second else 1)


if __name__ == "__main__":
    main()
