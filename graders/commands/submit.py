"""Pack your work for handing in: the files an exercise allows, and a receipt."""

from __future__ import annotations

import argparse
import zipfile
from pathlib import Path

from graders.commands._options import add_kit, open_kit
from graders.harness import submission
from graders.harness.errors import UsageError

# The earliest time a zip can carry: the same work gives the same bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("path", type=Path, metavar="DIR", help="your work")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the zip to write (default: DIR.zip)")
    add_kit(parser)


def run(args: argparse.Namespace) -> int:
    """Write the zip and print the receipt."""
    kit, path = open_kit(args.kit), args.path.absolute()
    target = args.out or path.with_suffix(".zip")
    if path == target:
        raise UsageError(f"{path} is a zip already: give the folder")
    parts = submission.read(path, kit.exercises())
    for name, part in parts.items():
        if part.status:
            raise UsageError(f"{name}: {part.fault}; nothing was packed")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in sorted(parts.items()):
            for file, data in sorted(part.files.items()):
                archive.writestr(zipfile.ZipInfo(f"{name}/{file}", EPOCH), data, zipfile.ZIP_DEFLATED)
    for name, part in sorted(parts.items()):
        left = f"; {part.ignored} other files stay here" if part.ignored else ""
        print(f"{name}: {len(part.files)} files{left}")
        print(f"  receipt {part.digest}")
    print(f"hand in {target}")
    return 0
