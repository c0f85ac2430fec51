"""Labels for the wristband."""

import subprocess
import sys
from pathlib import Path

PRINTER = Path(__file__).with_name("printer.py")


def print_label(patient):
    """Raises subprocess.CalledProcessError if the printer refuses."""
    text = f"{patient.family}, {patient.given}\n{patient.birth_date}\n{patient.mrn}\n"
    # Through a pipe: no file to leave behind, and no name on a command line.
    command = [sys.executable, "-I", str(PRINTER), "/dev/stdin"]
    subprocess.run(command, check=True, capture_output=True, input=text.encode())
