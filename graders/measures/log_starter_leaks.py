"""By which requests, and where, the service of safe_logging leaks as it is handed out."""

from __future__ import annotations

from collections.abc import Mapping

Cell = tuple[str, str, str]  # level, channel, kind
NAMED_AT_INFO = 2  # what a leak weighs that names a person at INFO; any other 1
# By these nothing has to happen: what a caller's headers say stands on every line of that caller, on every day.
HEADERS, EVERY_LINE = ("old_client", "session_id", "portal", "ward"), 40
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


def weight(cell: Cell, named: bool) -> int:
    """What one kind of request that leaks in one channel weighs."""
    level, _, kind = cell
    if not named or level == "DEBUG":
        return 1
    return EVERY_LINE if kind in HEADERS else NAMED_AT_INFO


LEAKS: Mapping[Cell, int] = {
    (level, channel, kind): weight((level, channel, kind), named)
    for (level, channel), kinds in STARTER.items()
    for named, some in zip((True, False), kinds, strict=True)
    for kind in some.split()
}
