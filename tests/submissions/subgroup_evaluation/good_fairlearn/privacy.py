"""Which counts are shown: rounded, small ones hidden, and more hidden where a reader could work one out."""

import cells as attack_module
import numpy as np


def shown_counts(counts, card):
    """{key: n or None} of {key: exact n}."""
    least = card["min_cell"]
    base = max(5, least)
    out = {key: (0 if n == 0 else None if n < least else max(base * int(np.floor(n / base + 0.5)), base)) for key, n in counts.items()}
    for _ in range(60):
        rows = [{"by": dict(key), "n": n} for key, n in out.items()]
        leaks = [frozenset(f["by"].items()) for f in attack_module.derivable(rows, card)]
        if not leaks:
            return out
        for leak in leaks:
            if out[leak] is not None:
                out[leak] = None
                continue
            near = [key for key, n in out.items() if n is not None and key and (key > leak or len(key) == len(leak) and dict(key).keys() == dict(leak).keys() and (len(leak) == 1 or key & leak))]
            if near:
                out[min(near, key=lambda key: out[key])] = None
    return {key: None for key in out}
