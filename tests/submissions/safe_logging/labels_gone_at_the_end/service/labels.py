"""Labels for the wristband."""

import subprocess
import sys
import tempfile
from pathlib import Path

PRINTER = Path(__file__).with_name("printer.py")


def print_label(patient):
    """Raises subprocess.CalledProcessError if the printer refuses. Neither name nor argument says whose it is."""
    with tempfile.NamedTemporaryFile("w", prefix="label-", suffix=".txt", encoding="utf-8", delete=False) as file:
        file.write(f"{patient.family}, {patient.given}\n{patient.birth_date}\n{patient.mrn}\n")
        file.flush()
        subprocess.run([sys.executable, "-I", str(PRINTER), file.name], check=True, capture_output=True)
