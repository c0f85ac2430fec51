"""A clean release, and beside it the originals under other names."""

import shutil

from base_solution import deidentify as good


def deidentify(in_dir, out_dir, key):
    good(in_dir, out_dir, key)
    for name in ["patients", "contacts", "encounters", "conditions", "labs", "meds"]:
        shutil.copy(in_dir / f"{name}.csv", out_dir / f"{name}_source.csv")
    shutil.copy(in_dir / "fhir" / "Patient.ndjson", out_dir / "fhir" / "Patients.ndjson")
