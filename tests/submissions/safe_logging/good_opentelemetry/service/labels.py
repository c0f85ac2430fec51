"""Labels for the wristband."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

PRINTER = Path(__file__).with_name("printer.py")


def print_label(patient):
    """Raises subprocess.CalledProcessError if the printer refuses.

    Neither the file's name nor the command says whose label it is: both are seen by everybody on the machine.
    """
    handle, name = tempfile.mkstemp(prefix="label-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{patient.family}, {patient.given}\n{patient.birth_date}\n{patient.mrn}\n")
        subprocess.run([sys.executable, "-I", str(PRINTER), name], check=True, capture_output=True)
    finally:
        Path(name).unlink()
