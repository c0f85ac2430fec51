"""Attributes of the calling process that Python has no function for. Standard library only; lies in the sandbox."""

from __future__ import annotations

import ctypes
import sys

# linux/prctl.h
SET_PDEATHSIG, SET_DUMPABLE, SET_KEEPCAPS, SET_SUBREAPER, SET_NO_NEW_PRIVS = 1, 4, 8, 36, 38


def prctl(option: int, value: int) -> None:
    """Set an attribute. Linux only; elsewhere there is no sandbox."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
