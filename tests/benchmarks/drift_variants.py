"""How much scores of drift_response vary between hidden variants, and whether better policies stay ahead of worse ones.

python tests/benchmarks/drift_variants.py                        (50 variants, every sample that stands for itself)
python tests/benchmarks/drift_variants.py --samples NAME …       (some of them)
python tests/benchmarks/drift_variants.py --variants 5 FOLDER …  (other folders, with what each criterion gave)

Monitors run in this process, not in the sandbox: for samples of this repository and for your own work.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import json
import statistics
import sys
import tempfile
import traceback
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from exercise_lint import SECRET, expectations, read_sample

from graders.harness import grading
from graders.harness.kit import Kit
from graders.harness.outcome import Outcome
from synthetic_data.scene import Reply

NAME = "drift_response"


def scene_of(variant: str) -> Any:
    """A hidden variant's scene, or the practice streams' when it is "practice"."""
    kit = Kit()
    terms = grading.Terms(variant, None if variant == "practice" else SECRET)
    return grading.make_scene(kit, kit.exercise(NAME), terms)


def played(folder: Path, variant: str, scene: Any = None) -> tuple[float, list[tuple[str, float, float, str]]]:
    """Score and (criterion, earned, points, message) of the monitor in a folder on a variant's scene."""
    kit, scene = Kit(), scene or scene_of(variant)
    steps, monitor = scene.steps(), None
    request = next(steps)
    while True:
        reply = Reply("ok", None, {})
        if request.op == "restart":
            forget(folder)
        else:
            try:
                # As in the sandbox, all goes through JSON.
                arguments = json.loads(json.dumps(request.args))
                if not request.target:
                    monitor = fresh(folder)(*arguments)
                else:
                    value = getattr(monitor, request.target)(*arguments)
                    reply = Reply("ok", json.loads(json.dumps(value, default=plain, allow_nan=False)), {})
            except Exception as error:  # the sandbox counts any of them against the submission
                reply = Reply("raised", {"error": type(error).__name__, "text": str(error)}, {})
                if variant == "practice":
                    traceback.print_exc()
        try:
            request = steps.send(reply)
        except StopIteration as end:
            truth = kit.recipe(NAME).read_truth({**scene.truth, **end.value})
            break
    forget(folder)
    submitted = {p.name: p.read_bytes() for p in folder.iterdir() if p.suffix in (".json", ".md")}
    outcome = Outcome(NAME, variant, "hidden", "", submitted=submitted)
    lines = []
    for one in kit.criteria(NAME):
        award = one.function(outcome, truth)
        lines.append((one.id, award.fraction * one.points, one.points, award.message))
    return sum(line[1] for line in lines), lines


def fresh(folder: Path) -> Any:
    """The class Monitor of a folder, imported anew."""
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(NAME).Monitor
    finally:
        sys.path.remove(str(folder))


def forget(folder: Path) -> None:
    """Modules of a folder, so that another folder's of the same name can be imported."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and Path(file).is_relative_to(folder):
            del sys.modules[name]


def plain(value: Any) -> Any:
    """Values of numpy for JSON, as the sandbox's driver takes them."""
    return value.tolist()


def of_sample(sample: str, variant: str, scene: Any) -> tuple[float, list[tuple[str, float, float, str]]]:
    """The same of a sample of this repository, which may change another one."""
    kit = Kit()
    files = read_sample(kit, kit.exercise(NAME), sample).files
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return played(Path(folder).resolve(), variant, scene)


def every(samples: list[str], variant: str) -> list[float]:
    """Scores of several samples on one variant, whose scene is made once."""
    scene = scene_of(variant)
    return [of_sample(sample, variant, scene)[0] for sample in samples]


def main() -> None:
    """Print a table, or what single folders get."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--variants", type=int, default=50)
    parser.add_argument("--samples", nargs="+", help="these samples only, side by side")
    parser.add_argument("--practice", action="store_true", help="the practice streams instead")
    args = parser.parse_args()
    variants = ["practice"] if args.practice else [str(n) for n in range(args.variants)]
    if args.folders:
        for folder in args.folders:
            scores = []
            for variant in variants:
                score, lines = played(folder.resolve(), variant)
                scores.append(score)
                print(f"{folder.name} {variant}: {score:.1f}")
                for name, earned, points, message in lines:
                    print(f"    {name} {earned:.1f} of {points:.0f}: {message}")
            if len(scores) > 1:
                print(f"{folder.name}: mean {statistics.mean(scores):.1f}, SD {statistics.stdev(scores):.1f}")
        return
    kit = Kit()
    samples = args.samples or [
        name
        for name, entry in expectations(kit, NAME).items()
        if "base" not in entry and not name.startswith("hostile") and name != "starter"
    ]
    with ProcessPoolExecutor(2) as pool:
        rows = list(pool.map(every, [samples] * len(variants), variants))
    found = {sample: [row[k] for row in rows] for k, sample in enumerate(samples)}
    print(f"{len(variants)} hidden variants\n\n| policy | mean | SD | least | most |\n|---|---:|---:|---:|---:|")
    order = sorted(found, key=lambda name: -statistics.mean(found[name]))
    for name in order:
        scores = found[name]
        print(
            f"| {name} | {statistics.mean(scores):.1f} | {statistics.stdev(scores):.1f} "
            f"| {min(scores):.1f} | {max(scores):.1f} |"
        )
    tiers = {name: statistics.mean(found[name]) // 20 for name in order}
    pairs = [(a, b) for a, b in itertools.pairwise(order) if tiers[a] > tiers[b]]
    for a, b in pairs:
        ahead = statistics.mean(x > y for x, y in zip(found[a], found[b], strict=True))
        print(f"\n{a} is ahead of {b} in {ahead:.0%} of the variants.")


if __name__ == "__main__":
    main()
