"""The application log, by structlog: the only way anything is written to app.ndjson.

    log.info("request", status=200, ...)

An event has a name of schema.EVENTS and fields of schema.FIELDS; `fields.fitting` leaves out all else, whatever the level.
"""

import json
import logging
import os
import sys
import threading
from datetime import UTC, datetime

import structlog

from .context import current
from .fields import fitting
from .schema import EVENTS

log = structlog.get_logger()


def add_level(_, method, line):
    line["level"] = method.upper()
    return line


def add_time(_, __, line):
    line["ts"] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return line


def add_request(_, __, line):
    """Which request this is for, and about whom."""
    state = current()
    line.setdefault("request_id", state.request_id)
    line.setdefault("patient_ref", state.patient_ref)
    return line


def keep_fitting(_, __, line):
    if line.get("event") not in EVENTS:
        raise structlog.DropEvent
    return fitting(line)


def render(_, __, line):
    return json.dumps(line, ensure_ascii=True)


class AppendLogger:
    """Opens the file for each line, so that it can be rotated from outside. Never raises."""

    lock = threading.Lock()
    failing = False

    def __init__(self, path):
        self.path = path

    def write(self, line):
        data = (line + "\n").encode("ascii")
        with self.lock:
            try:
                descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
                try:
                    os.write(descriptor, data)
                finally:
                    os.close(descriptor)
            except OSError as error:
                self.tell(True, f"app.ndjson cannot be written: {type(error).__name__} {error.errno}")
            else:
                self.tell(False, "app.ndjson can be written again")

    debug = info = warning = error = critical = write

    def tell(self, failing, words):
        """On the console, once each time it changes."""
        if failing != AppendLogger.failing:
            AppendLogger.failing = failing
            say(words)


def say(words):
    """A line on the console; only for words that are written in this code."""
    try:
        print(f"service: {words}", file=sys.stderr, flush=True)
    except (OSError, ValueError):
        pass


def configure(path, level):
    structlog.configure(
        processors=[add_level, add_time, add_request, keep_fitting, render],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        logger_factory=lambda *_: AppendLogger(path),
        cache_logger_on_first_use=False,
    )
