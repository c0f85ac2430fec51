"""Tables and FHIR done well; the notes only by a few regular expressions."""

import json
import re

from base_solution import deidentify as good

PATTERNS = [
    r"\b\d{3}-\d{2}-\d{4}\b",
    r"\(?\b\d{3}\)?[-. ]\d{3}[-. ]\d{4}\b",
    r"\b[\w.+-]+@[\w-]+\.\w+\b",
    r"\b\d{1,2}/\d{1,2}/\d{2,4}\b",
    r"\b\d{4}-\d{2}-\d{2}\b",
    r"\b(?:Mr|Mrs|Ms|Dr)\.? [A-Z][a-z]+\b",
    r"\b\d{7,10}\b",
]


def deidentify(in_dir, out_dir, key):
    good(in_dir, out_dir, key)
    path = out_dir / "notes.jsonl"
    cleaned = [json.loads(line) for line in path.read_text().splitlines()]
    originals = (json.loads(line) for line in (in_dir / "notes.jsonl").read_text().splitlines())
    for note, original in zip(cleaned, originals):
        note["text"] = original["text"]
        for pattern in PATTERNS:
            note["text"] = re.sub(pattern, "[REDACTED]", note["text"])
    path.write_text("".join(json.dumps(n) + "\n" for n in cleaned))
