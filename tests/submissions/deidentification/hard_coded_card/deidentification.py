"""Somebody else's answer: the rules of another policy card, written into the code."""

import shutil
import tempfile
from pathlib import Path

from base_solution import deidentify as good

CARD = """as_of = "2026-01-01"
[dates]
rule = "shift"
max_days = 210
[withhold]
patients = ["insurance", "state"]
[mrn_format]
A = "7########"
B = "7########"
C = "@@######"
"""


def deidentify(in_dir, out_dir, key):
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "in"
        shutil.copytree(in_dir, copy)
        (copy / "card.toml").chmod(0o644)
        (copy / "card.toml").write_text(CARD)
        good(copy, out_dir, key)
