"""Counters in Prometheus' text format."""

import threading
from collections import Counter

counts = Counter()
lock = threading.Lock()


def count(name, **labels):
    """One more of `name` with these labels."""
    with lock:
        counts[name, tuple(sorted(labels.items()))] += 1


def text():
    """All counters, a line each."""
    with lock:
        rows = sorted((name, labels, value) for (name, labels), value in counts.items())
    lines = []
    for name, labels, value in rows:
        inside = ",".join(f'{key}="{word}"' for key, word in labels)
        lines.append(f"{name}{{{inside}}} {value}")
    return "\n".join(lines) + "\n"
