"""Labels for the wristband."""

import subprocess
import sys
import tempfile
from pathlib import Path

PRINTER = Path(__file__).with_name("printer.py")


def print_label(patient):
    """Raises subprocess.CalledProcessError if the printer refuses."""
    name = f"{patient.family}, {patient.given}"
    path = Path(tempfile.gettempdir()) / f"label-{patient.mrn}.txt"
    path.write_text(f"{name}\n{patient.birth_date}\n{patient.mrn}\n", encoding="utf-8")
    command = [sys.executable, "-I", str(PRINTER), "--title", name, str(path)]
    subprocess.run(command, check=True, capture_output=True)
