"""structlog and logging, set up so that both end in the same chain, and the chain in a list of what may be said."""

import asyncio
import logging
import sys
import threading
from logging.handlers import WatchedFileHandler

import structlog
from structlog.contextvars import merge_contextvars
from structlog.stdlib import ProcessorFormatter

from . import processors

OURS = "service"

log = structlog.stdlib.get_logger(OURS)


class QuietFile(WatchedFileHandler):
    """Follows the file when it is rotated; a full disk or a missing folder costs lines and nothing else."""

    def emit(self, record):
        try:
            super().emit(record)
        except Exception:
            # Opening may fail here, which logging does not catch. Nobody is left to tell.
            self.stream = None

    def handleError(self, record):
        """Nothing: logging's own report prints the record."""


def worth_a_line(record):
    """Our events; of what libraries say, the exceptions that they caught for us."""
    return record.name == OURS or (record.levelno >= logging.ERROR and bool(record.exc_info))


def configure(path, level):
    """Everything at `level` and above goes to `path`, and nothing anywhere else."""
    before = [merge_contextvars, structlog.stdlib.add_log_level, processors.stamp]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *before, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = QuietFile(path, delay=True, encoding="utf-8")
    handler.addFilter(worth_a_line)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[processors.foreign, *before],
            # Formatting somebody else's message may fail, and we would not use it.
            use_get_message=False,
            processors=[
                ProcessorFormatter.remove_processors_meta,
                processors.exception_facts,
                processors.allowed_only,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.raiseExceptions = False
    logging.captureWarnings(True)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    sys.excepthook = lambda kind, error, trace: unforeseen(error)
    sys.unraisablehook = lambda given: unforeseen(given.exc_value)
    threading.excepthook = lambda given: unforeseen(given.exc_value)


def watch_this_loop():
    """What fails in a callback or a forgotten task of the running loop would be printed."""
    asyncio.get_running_loop().set_exception_handler(lambda loop, given: unforeseen(given.get("exception")))


def unforeseen(error):
    """Log an exception that nobody took."""
    if isinstance(error, Exception):
        log.error("error", error_code="internal_error", exc_info=error)
