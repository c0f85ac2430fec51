"""Pack your work for handing in: the files an exercise allows, and a receipt."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from graders.commands._options import add_kit, open_kit
from graders.handing_in import credentials, receipt, rows, work
from graders.handing_in.finding import Finding
from graders.handing_in.work import Work
from graders.harness.errors import UsageError

# So many of a kind are named; the others are counted.
MOST_SHOWN = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("path", type=Path, metavar="DIR", help="your work")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the zip to write (default: DIR.zip)")
    parser.add_argument("--leave-strays", action="store_true", help="go on; files that are not allowed stay here")
    parser.add_argument("--anyway", action="store_true", help="hand in what grading cannot run, for 0 points")
    add_kit(parser)


def run(args: argparse.Namespace) -> int:
    """Refuse in clear words what should not be handed in; else write zip and receipt."""
    from graders.report import terminal

    kit, path = open_kit(args.kit), args.path.resolve()
    target = (args.out or path.with_name(f"{path.name if path.is_dir() else path.stem}.zip")).absolute()
    if path == target:
        raise UsageError(f"{terminal.plain(path.name)} is a zip already: give the folder")
    found = work.look(path, kit.exercises())
    if not found.parts:
        wanted = " or ".join(f"{e.name}/{e.entry}" for e in found.exercises)
        raise UsageError(f"{terminal.plain(path.name)} holds no {wanted}; nothing was packed")
    packed = {name: part for name, part in found.parts.items() if part.files}
    stray = found.strays
    refused = refusals(found, kit.root)
    if stray and not args.leave_strays:
        refused.append("--leave-strays packs the rest")
        show("Not among what may be handed in; grading will not find:", stray)
    for name in found.parts:
        if (broken := found.blocking(name)) and not args.anyway:
            refused.append("--anyway hands in the work as it is")
            show(f"{name} would not run in grading: 0 points for it.", broken)
    if refused:
        terminal.note(f"Nothing was packed: {'; '.join(dict.fromkeys(refused))}.")
        return 1
    if not packed:
        first = found.findings[next(iter(found.parts))][0]
        raise UsageError(f"{terminal.plain(path.name)}: {first}; nothing was packed")
    text, beside = receipt.write(target, packed, kit.exercises())
    for name in found.parts:
        if found.blocking(name):
            terminal.note(f"{name}: {'' if name in packed else 'not packed, and '}will not run: 0 points")
    if found.nothing:
        terminal.note(f"{', '.join(found.nothing)}: nothing to hand in")
    print(terminal.plain(text), end="")
    if stray:
        print(f"{len(stray)} other file{' stays' if len(stray) == 1 else 's stay'} here")
    print(terminal.plain(f"read back: the same; receipt also in {beside.name}"))
    print(terminal.plain(f"hand in {target}"))
    return 0


def refusals(found: Work, root: Path) -> list[str]:
    """Show what must not leave in any case; what to do about each kind."""
    asked, secrets, data, practice = [], [], [], found.practice(root)
    for name, part in found.parts.items():
        # Among several exercises, a file's name alone does not say whose it is.
        folder = f"{name}/" if len(found.parts) > 1 else ""
        held = [f for file, text in sorted(part.files.items()) for f in credentials.find(file, text)]
        secrets += [replace(one, where=folder + one.where) for one in held]
        data += [replace(one, where=folder + one.where) for one in rows.find(part.files, practice)]
    if secrets:
        show("Secrets must not be handed in (and are worth changing, once in a file):", secrets)
        asked.append("take the secrets out")
    if data:
        show("Data must not be handed in:", data)
        asked.append("take the data out")
    return asked


def show(heading: str, findings: Sequence[Finding]) -> None:
    """A heading and what it is about."""
    from graders.report import terminal

    terminal.note(heading)
    for finding in findings[:MOST_SHOWN]:
        terminal.note(str(finding), 2)
    if len(findings) > MOST_SHOWN:
        terminal.note(f"and {len(findings) - MOST_SHOWN} more", 2)
