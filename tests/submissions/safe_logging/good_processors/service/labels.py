"""Labels for the wristband."""

import subprocess
import sys
import tempfile
from pathlib import Path

PRINTER = Path(__file__).with_name("printer.py")


def print_label(patient):
    """Raises subprocess.CalledProcessError if the printer refuses.

    The file has a name that says nothing, belongs to the service alone and goes in any case. Nobody's name is in the command,
    which every process of the machine can read.
    """
    text = f"{patient.family}, {patient.given}\n{patient.birth_date}\n{patient.mrn}\n"
    with tempfile.TemporaryDirectory(prefix="label-") as folder:
        path = Path(folder) / "label.txt"
        path.write_text(text, encoding="utf-8")
        subprocess.run([sys.executable, "-I", str(PRINTER), str(path)], check=True, capture_output=True)
