"""Of an exception: its class and where in this service it was raised. Never its text."""

import traceback
from pathlib import Path

from .errors import ServiceError
from .logs import log

HOME = Path(__file__).resolve().parent


def first(error):
    """The exception behind a ServiceError, or the error itself."""
    while isinstance(error, ServiceError) and error.__cause__ is not None:
        error = error.__cause__
    return error


def where(error):
    """file.py:line of the innermost frame in this package, or None."""
    found = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        path = Path(frame.f_code.co_filename)
        if path.parent == HOME:
            found = f"{path.name}:{line}"
    return found


def log_error(code, error, level="error"):
    """One `error` event."""
    began = first(error)
    place = where(began)
    # Every request passes through there: that says nothing of what failed.
    if place is not None and place.startswith("middleware.py:"):
        place = None
    getattr(log, level)("error", error_code=code, error_class=type(began).__name__, where=place)
