"""Labels for the wristband."""

import subprocess
import sys
import tempfile
from pathlib import Path

PRINTER = Path(__file__).with_name("printer.py")


def print_label(patient):
    """Raises subprocess.CalledProcessError if the printer refuses.

    The file's name is random and the file is gone afterwards, whatever happens; the command line, which every
    process on the machine can read, holds nothing of the patient.
    """
    text = f"{patient.family}, {patient.given}\n{patient.birth_date}\n{patient.mrn}\n"
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", prefix="label-", suffix=".txt") as file:
        file.write(text)
        file.flush()
        command = [sys.executable, "-I", str(PRINTER), "--title", "label", file.name]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)
