"""Labels for the wristband."""

import subprocess
import sys
import tempfile
from pathlib import Path

PRINTER = Path(__file__).with_name("printer.py")


def print_label(patient):
    """Raises subprocess.CalledProcessError if the printer refuses.

    The file has no name in any folder; it is gone with its descriptor, even if we are killed here.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
        file.write(f"{patient.family}, {patient.given}\n{patient.birth_date}\n{patient.mrn}\n")
        file.flush()
        number = file.fileno()
        command = [sys.executable, "-I", str(PRINTER), f"/proc/self/fd/{number}"]
        subprocess.run(command, check=True, capture_output=True, pass_fds=[number])
