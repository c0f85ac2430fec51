"""Score stored outcomes again, without running any submission."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from graders.commands._options import add_kit, open_kit
from graders.harness import outcome as outcomes
from graders.harness.errors import ExerciseError, InfrastructureError, UsageError
from graders.harness.kit import Kit
from graders.harness.scorecard import Scorecard, score


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("results", type=Path, metavar="RESULTS", help="what `caredrill grade --out` wrote")
    parser.add_argument("--verify", action="store_true", help="change nothing; say where a scorecard differs")
    add_kit(parser)


def run(args: argparse.Namespace) -> int:
    """Regrade every stored outcome; with --verify, 1 when any scorecard is not reproduced.

    3 when an outcome cannot be read; the others are regraded all the same.
    """
    kit = open_kit(args.kit)
    folders = sorted(
        {p.parent for name in ("outcome.json", "scorecard.json") for p in args.results.glob(f"*/*/{name}")}
    )
    if not folders:
        raise UsageError(f"{args.results}: holds no results (<id>/<exercise>/outcome.json)")
    return verify(kit, args.results, folders) if args.verify else regrade(kit, args.results, folders)


def scored_again(kit: Kit, results: Path, folder: Path) -> Scorecard:
    """The scorecard of a stored outcome. Raises InfrastructureError when it cannot be read or was changed."""
    outcome = outcomes.read(folder)
    if outcome.exercise not in kit.names():
        raise InfrastructureError(f"{folder}: is of an exercise that this kit does not have")
    try:
        return score(kit, outcome, outcomes.read_truth(results / ".truth" / folder.parent.name / folder.name))
    except ExerciseError as error:
        raise InfrastructureError(f"{folder}: {error}") from None


def each_again(kit: Kit, results: Path, folders: list[Path]) -> Iterator[tuple[Path, Scorecard | None]]:
    """Every outcome with its scorecard; with None, and a line on standard error, where it cannot be scored."""
    for folder in folders:
        try:
            yield folder, scored_again(kit, results, folder)
        except InfrastructureError as error:
            print(error, file=sys.stderr)
            yield folder, None


def regrade(kit: Kit, results: Path, folders: list[Path]) -> int:
    """Write every scorecard anew."""
    from graders.report import html
    from graders.round import index
    from graders.round.results import read

    pages: dict[Path, list[Scorecard]] = {}
    changed = broken = 0
    for folder, card in each_again(kit, results, folders):
        if card is None:
            broken += 1
            continue
        stored = folder / "scorecard.json"
        if not stored.is_file() or stored.read_bytes() != card.to_bytes():
            print(f"{folder}: now {card.score} ({card.status})")
            changed += 1
        outcomes.write_file(stored, card.to_bytes())
        pages.setdefault(folder.parent, []).append(card)
    for place, cards in pages.items():
        html.write(cards, place / "scorecard.html", kit)
    if (results / index.NAME).is_file():
        index.write(read(kit, results), results / index.NAME)
    print(f"{len(folders) - broken} outcomes scored again; {changed} scorecards changed{unread(broken)}")
    return 3 if broken else 0


def verify(kit: Kit, results: Path, folders: list[Path]) -> int:
    """Say where a scorecard is not what its outcome, its truth and this kit give; changes nothing.

    Another kit with the same verdict is said, and is no difference.
    """
    differs = broken = older = 0
    for folder, card in each_again(kit, results, folders):
        if card is None:
            broken += 1
            continue
        found = differences(folder / "scorecard.json", card)
        if found == ["kit"]:
            older += 1
        elif found:
            print(f"{folder}: differs in {', '.join(found)}")
            differs += 1
    same = len(folders) - differs - broken
    by = f" ({older} of them were scored by another kit)" if older else ""
    print(f"{same} of {len(folders)} scorecards reproduced{by}; {differs} differ{unread(broken)}")
    return 3 if broken else int(differs > 0)


def differences(stored: Path, card: Scorecard) -> list[str]:
    """What of a stored scorecard is not as scored again: its keys, and criteria by name."""
    try:
        data = stored.read_bytes()
        old: dict[str, Any] = json.loads(data)
        before = {c["id"]: c for c in old["criteria"]}
    except (OSError, ValueError, KeyError, TypeError):
        return ["everything: it is missing or no scorecard"]
    new = card.as_dict()
    found = [key for key in sorted(old.keys() | new.keys()) if key != "criteria" and old.get(key) != new.get(key)]
    after = {c["id"]: c for c in new["criteria"]}
    names = sorted(before.keys() | after.keys())
    found += [f"criterion {name}" for name in names if not alike(before.get(name), after.get(name))]
    return found or ([] if data == card.to_bytes() else ["its bytes"])


def alike(old: dict[str, Any] | None, new: dict[str, Any] | None) -> bool:
    """Whether two results of a criterion are the same; older kits stored no evidence."""
    if old is None or new is None or "evidence" in old:
        return old == new
    return old == {key: value for key, value in new.items() if key != "evidence"}


def unread(broken: int) -> str:
    """How many outcomes could not be scored, for the last line."""
    return f"; {broken} could not be read" if broken else ""
