"""Frames between grader and sandbox, and faults of ours in there. Standard library only; lies in the sandbox."""

from __future__ import annotations

import errno
import json
import struct
from pathlib import Path
from typing import IO, Any


def read_exactly(stream: IO[bytes], size: int) -> bytes:
    """`size` bytes, or EOFError."""
    data = stream.read(size)
    if data is None or len(data) != size:
        raise EOFError
    return data


def write_frame(stream: IO[bytes], header: dict[str, Any], files: list[tuple[str, bytes]]) -> None:
    """Send one frame."""
    text = json.dumps(header | {"files": [[name, len(data)] for name, data in files]}).encode()
    stream.write(struct.pack(">I", len(text)) + text)
    for _, data in files:
        stream.write(data)
    stream.flush()


def in_short(error: BaseException) -> str:
    """Kind and place of a fault of ours. Its text may name files of the submission, and is nobody's to read."""
    step = error.__traceback__
    while step and step.tb_next:
        step = step.tb_next
    kind = errno.errorcode.get(error.errno or 0, "") if isinstance(error, OSError) else ""
    where = f"{Path(step.tb_frame.f_code.co_filename).name}:{step.tb_lineno}" if step else "?"
    return " ".join(filter(None, (type(error).__name__, kind, "at", where)))
