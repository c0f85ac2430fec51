"""By which requests, and where, the service of safe_logging leaks as it is handed out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

Cell = tuple[str, str, str]  # level, channel, kind
NAMED_AT_INFO = 2  # what a leak that names a person at INFO is to any other
# Kinds whose leaks are in what a caller's headers say -> the part they are of. Nothing has to go wrong for these: ids
# stand on every line of such a caller, site and user on one a request.
HEADERS = {"old_client": "ids", "session_id": "ids", "portal": "callers", "ward": "callers"}
LINES = ("app", "audit")
# Shares of the whole: of the channels, and of the headers.
CHANNELS = {"app": 0.24, "printed": 0.12, "errors": 0.08, "files": 0.08, "metrics": 0.06}
WORTH = {**CHANNELS, "ids": 0.30, "callers": 0.12}
# (level, channel) -> kinds of requests that leave what names a person, and those that leave anything else.
STARTER: Mapping[tuple[str, str], tuple[str, str]] = {
    ("INFO", "app"): (
        "ansi batch_invalid bundle_invalid cancelled concurrent constraint crlf duplicate lab_down lab_error"
        " lab_garbled lab_retry lab_timeout label_fails missing_field notify_task_fails old_client predict_lab read"
        " session_id unknown_key unknown_path validator_text ward wrong_type",
        "bad_query unknown_patient",
    ),
    ("INFO", "printed"): (
        "bad_query batch_invalid bundle_invalid constraint duplicate huge lab_down lab_error lab_garbled"
        " lab_timeout label_fails missing_field notify_task_fails notify_thread_fails search_by_name unknown_key"
        " unknown_path validator_text wrong_type",
        "ansi crlf read unknown_patient",
    ),
    ("INFO", "errors"): (
        "batch_invalid bundle_invalid constraint duplicate lab_down lab_error lab_garbled lab_timeout label_fails"
        " missing_field unknown_key validator_text wrong_type",
        "bad_query",
    ),
    ("INFO", "files"): ("label label_fails", ""),
    ("INFO", "metrics"): ("notify unknown_path", ""),
    ("DEBUG", "app"): (
        "ansi batch_invalid batch_missing_column blocked bundle_invalid cancelled concurrent constraint create crlf"
        " duplicate huge lab_down lab_error lab_garbled lab_retry lab_timeout label label_fails missing_field notify"
        " notify_task_fails notify_thread_fails old_client portal predict predict_lab read search_by_name session_id"
        " unknown_key unknown_path validator_text ward wrong_type",
        "bad_query batch unknown_patient",
    ),
    ("DEBUG", "printed"): (
        "ansi bad_query batch_invalid blocked bundle_invalid cancelled concurrent constraint create crlf duplicate"
        " huge lab_down lab_error lab_garbled lab_retry lab_timeout label label_fails missing_field notify"
        " notify_task_fails notify_thread_fails old_client portal predict predict_lab read search_by_name session_id"
        " unknown_key unknown_path validator_text ward wrong_type",
        "unknown_patient",
    ),
    ("DEBUG", "errors"): (
        "batch_invalid bundle_invalid constraint duplicate lab_down lab_error lab_garbled lab_timeout label_fails"
        " missing_field unknown_key validator_text wrong_type",
        "bad_query",
    ),
    ("DEBUG", "files"): ("label label_fails", ""),
    ("DEBUG", "metrics"): ("notify unknown_path", ""),
    ("blocked", "files"): ("blocked", ""),
    ("blocked", "printed"): ("blocked", ""),
}


def times(level: str, named: bool) -> int:
    """How often what a kind of request leaves in one channel counts."""
    return NAMED_AT_INFO if named and level != "DEBUG" else 1


def part(cell: Cell) -> str:
    """Which share of WORTH a leak belongs to."""
    level, channel, kind = cell
    # Elsewhere than on lines about the request at INFO, something else has left it.
    header = HEADERS.get(kind) if level == "INFO" and channel in LINES else None
    return header or (channel if channel in CHANNELS else "app")


CELLS: Mapping[Cell, bool] = {
    (level, channel, kind): named
    for (level, channel), kinds in STARTER.items()
    for named, some in zip((True, False), kinds, strict=True)
    for kind in some.split()
}
# Users who are none are not in the starter's logs, as it has no audit log; they would be.
_WHOLE = Counter[str]()
for _cell, _named in {**CELLS, ("INFO", "audit", "portal"): True}.items():
    _WHOLE[part(_cell)] += times(_cell[0], _named)


def weight(cell: Cell, named: bool) -> float:
    """What one kind of request that leaks in one channel costs, as a share of the whole.

    What the starter does not leak costs as much as in the application log, wherever it is.
    """
    share = part(cell)
    if cell not in CELLS and share in CHANNELS:
        share = "app"
    return times(cell[0], named) * WORTH[share] / _WHOLE[share]


LEAKS: Mapping[Cell, float] = {cell: weight(cell, named) for cell, named in CELLS.items()}
