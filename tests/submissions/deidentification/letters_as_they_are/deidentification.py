"""Renames the letters and sends them out as they are."""

import json
from collections import defaultdict

import pandas as pd
from base_solution import deidentify as good


def deidentify(in_dir, out_dir, key):
    good(in_dir, out_dir, key)
    vendor = [json.loads(line)["id"] for line in (in_dir / "fhir" / "Patient.ndjson").read_text().splitlines()]
    codes = [json.loads(line)["id"] for line in (out_dir / "fhir" / "Patient.ndjson").read_text().splitlines()]
    of_vendor, names = dict(zip(vendor, codes)), defaultdict(list)
    for line in (in_dir / "fhir" / "DocumentReference.ndjson").read_text().splitlines():
        document = json.loads(line)
        if title := document["content"][0]["attachment"].get("title"):
            names[of_vendor[document["subject"]["reference"].split("/")[1]]].append(title)
    for code, titles in names.items():
        for number, title in enumerate(sorted(titles), 1):
            text = (in_dir / "attachments" / title).read_text()
            (out_dir / "attachments" / f"{code}-{number}.txt").write_text(text)
