"""All other ways out: libraries' loggers, warnings, and exceptions that nobody caught. None may write a text of its own."""

import logging
import sys
import threading
import warnings

from .blame import first, log_error, where
from .logs import say


class Libraries(logging.Handler):
    """Of what libraries log, an exception's class and place are kept and the text is not."""

    def emit(self, record):
        # uvicorn logs the exception itself when its port is taken.
        error = record.exc_info[1] if record.exc_info else record.msg
        if record.levelno >= logging.ERROR and isinstance(error, Exception):
            say(f"{type(error).__name__} in a library; see app.ndjson")
            log_error("library_error", error)


def crashed(kind, error, traceback):
    """The process ends."""
    if issubclass(kind, KeyboardInterrupt | SystemExit):
        return
    say(f"stopped by {kind.__name__} at {where(error.with_traceback(traceback))}")
    log_error("crashed", error.with_traceback(traceback))


def lost(args):
    """A thread ended, or something nobody could raise to."""
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        log_error("internal_error", args.exc_value)


def loop_handler(loop, found):
    if isinstance(found.get("exception"), Exception):
        log_error("internal_error", first(found["exception"]))


def install():
    logging.raiseExceptions = False
    logging.lastResort = None
    root = logging.getLogger()
    root.handlers = [Libraries()]
    root.setLevel(logging.WARNING)
    warnings.simplefilter("ignore")
    warnings.showwarning = lambda *_, **__: None
    sys.excepthook = crashed
    threading.excepthook = lost
    sys.unraisablehook = lost
