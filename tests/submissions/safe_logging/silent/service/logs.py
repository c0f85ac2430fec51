"""Nothing is written at all."""

import logging

log = logging.getLogger("service")
current = {"request_id": None}


def configure(path, level):
    logging.disable(logging.CRITICAL)
    logging.raiseExceptions = False


def event(name, message="", **fields):
    pass
