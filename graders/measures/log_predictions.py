"""Whether a candidate knew which kinds of requests still leave traces of people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graders.harness.reading import Unreadable
from graders.measures.evidence import listed
from graders.measures.predictions import keyed, names
from synthetic_data.log_workload import RESERVE

if TYPE_CHECKING:
    from graders.measures.log_leaks import Leaks

KEY, MOST = "may_still_leak", 5
FORM = f'it must be {{"{KEY}": [up to {MOST} kinds of requests]}}'


def judge(submitted: bytes | None, leaks: Leaks) -> tuple[float, str, tuple[str, ...]]:
    """Fraction in [0, 1], message and evidence: hits over what was named, or leaks and could have been named.

    Where nothing leaks, naming nothing is right, and each name costs half of the rest: doubt is no fault.
    submitted: the bytes of predictions.json.
    """
    if submitted is None:
        return 0.0, f"predictions.json is missing; {FORM}", ()
    try:
        named = set(names(keyed(submitted, [KEY]), KEY, MOST))
    except Unreadable as error:
        return 0.0, f"predictions.json {error}; {FORM}", ()
    # Nobody can name what practice does not show.
    leaking = leaks.kinds - set(RESERVE)
    hits = len(named & leaking)
    # What was named may be any text: only kinds of requests are shown.
    told = (("does not leak", named - leaking), ("leaks and is not named", leaking - named))
    places = tuple(
        listed(f"predictions.json, {KEY}, {what}: ", sorted(some & leaks.asked) or ["another name"])
        for what, some in told
        if some
    )
    if not leaking:
        return 0.5 ** len(named), f"nothing leaks, {len(named)} kinds of requests were named", places
    wanted = min(len(leaking), MOST)
    fraction = hits / (wanted + len(named - leaking))
    return fraction, f"{len(leaking)} kinds of requests leak, of {len(named)} named {hits} do", places
