"""Labels for the wristband."""

import subprocess
import sys
from pathlib import Path

PRINTER = Path(__file__).with_name("printer.py")


def print_label(patient):
    """Raises subprocess.CalledProcessError if the printer refuses.

    The label goes through a pipe: there is no file to be found, whatever happens, and no argument that others can see.
    """
    text = f"{patient.family}, {patient.given}\n{patient.birth_date}\n{patient.mrn}\n"
    command = [sys.executable, "-I", str(PRINTER), "/dev/stdin"]
    subprocess.run(command, input=text.encode(), check=True, capture_output=True)
