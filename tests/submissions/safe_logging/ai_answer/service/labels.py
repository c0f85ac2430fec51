"""Labels for the wristband."""

import subprocess
import sys
from pathlib import Path

PRINTER = Path(__file__).with_name("printer.py")
TIMEOUT_S = 10


def print_label(patient):
    """Raises subprocess.SubprocessError if the printer refuses, OSError, ValueError.

    The text goes through a pipe: no file is left, and no name stands in the list of processes or on the display.
    """
    text = f"{patient.family}, {patient.given}\n{patient.birth_date}\n{patient.mrn}\n"
    command = [sys.executable, "-I", str(PRINTER), "/dev/stdin"]
    subprocess.run(command, input=text.encode("utf-8"), check=True, capture_output=True, timeout=TIMEOUT_S)
