"""How fast patients and FHIR resources are made: per CPU second, beside orjson alone on the same resources.

The floor is `orjson.dumps` of the finished resources: what writing them costs when nothing has to be made up.
"""

from __future__ import annotations

import argparse
import time

import orjson

from synthetic_data.dataset import make
from synthetic_data.formats.fhir import fhir
from synthetic_data.streams import Seed


def main() -> None:
    """Print one line per figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=2000)
    patients = parser.parse_args().patients
    make(Seed.from_int(1), 10)  # imports and code tables, once per process
    started = time.process_time()
    data = make(Seed.from_int(2), patients)
    made = time.process_time() - started
    started = time.process_time()
    files = fhir(data)
    written = time.process_time() - started
    resources = [
        orjson.loads(line) for name, text in files.items() if name != "manifest.json" for line in text.splitlines()
    ]
    started = time.process_time()
    for resource in resources:
        orjson.dumps(resource)
    floor = time.process_time() - started
    print(f"{patients} patients with notes: {patients / made:,.0f} patients per CPU second")
    print(f"{len(resources)} FHIR resources: {len(resources) / written:,.0f} per CPU second")
    print(f"orjson alone on the same: {len(resources) / floor:,.0f} per CPU second; ratio {written / floor:.1f}")


if __name__ == "__main__":
    main()
