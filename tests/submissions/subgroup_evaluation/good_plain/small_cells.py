"""Hide small counts, and what would give them away."""

import math

from cells import attack

PROPORTIONS = {"sensitivity", "specificity", "ppv"}


def rounded_to(n, base):
    return int(base * math.floor(n / base + 0.5))


def hide(rows, card):
    """All counts are rounded; small cells lose count and estimates. Tightened until nothing can be worked out."""
    least = card["min_cell"]
    for base in (max(3, min(5, least)), 10, 20, 50):
        out = []
        for r in rows:
            r = dict(r)
            if 0 < r["n"] < least:
                r.update(n=None, est=None, lo=None, hi=None, suppressed=True)
            else:
                r["n"] = max(rounded_to(r["n"], base), base * math.ceil(least / base)) if r["n"] else 0
                digits = 6 if r["n"] > 1000 else 4
                for k in ("est", "lo", "hi"):
                    r[k] = None if r[k] is None or not math.isfinite(r[k]) else round(r[k], digits)
            out.append(r)
        if not attack(out, card)[0]:
            return out
    return [r for r in out if len(r["by"]) < 2]
