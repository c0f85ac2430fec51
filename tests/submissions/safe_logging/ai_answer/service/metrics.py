"""Counters in Prometheus' text format. Labels are a route's template and a status; never anything of a person."""

import threading
from collections import Counter

LABELS = {"route", "status"}

counts = Counter()
lock = threading.Lock()


def count(name, **labels):
    """One more of `name` with these labels; others than LABELS are not kept."""
    kept = tuple(sorted((key, str(value)) for key, value in labels.items() if key in LABELS))
    with lock:
        counts[name, kept] += 1


def text():
    """All counters, a line each."""
    with lock:
        rows = sorted((name, labels, value) for (name, labels), value in counts.items())
    lines = []
    for name, labels, value in rows:
        inside = ",".join(f'{key}="{word}"' for key, word in labels)
        lines.append(f"{name}{{{inside}}} {value}")
    return "\n".join(lines) + "\n"
