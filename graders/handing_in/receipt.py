"""The zip that is handed in and its receipt: the same work gives the same bytes of both, on any machine."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from graders.harness import submission
from graders.harness.errors import GraderError
from graders.harness.exercise import Exercise
from graders.harness.outcome import write_file
from graders.harness.submission import Part

# The earliest time a zip can carry, and the same system for all.
EPOCH, UNIX, READABLE = (1980, 1, 1, 0, 0, 0), 3, 0o100644


def pack(parts: Mapping[str, Part]) -> bytes:
    """The zip. Stored, not deflated: libraries of another version deflate the same bytes otherwise."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, part in sorted(parts.items()):
            for file, data in sorted(part.files.items()):
                entry = zipfile.ZipInfo(f"{name}/{file}", EPOCH)
                entry.create_system, entry.external_attr = UNIX, READABLE << 16
                archive.writestr(entry, data)
    return stream.getvalue()


def receipt(name: str, zipped: bytes, parts: Mapping[str, Part]) -> str:
    """What proves later what was handed in. name: of the zip."""
    lines = [f"{exercise}: {files(part)}\n  receipt {part.digest}" for exercise, part in sorted(parts.items())]
    safe = "".join(c if c.isprintable() else "?" for c in name)
    return "\n".join([*lines, f"{safe}\n  sha256:{hashlib.sha256(zipped).hexdigest()}"]) + "\n"


def files(part: Part) -> str:
    """How many there are."""
    return f"{len(part.files)} file{'' if len(part.files) == 1 else 's'}"


def write(target: Path, parts: Mapping[str, Part], exercises: Iterable[Exercise]) -> tuple[str, Path]:
    """Write zip and receipt, and read the zip back; returns the receipt and where it lies.

    Raises GraderError, and leaves neither behind, when grading would read another thing than what was packed.
    """
    zipped, beside = pack(parts), target.with_name(f"{target.name.removesuffix('.zip')}.receipt.txt")
    write_file(target, zipped)
    back = submission.read(target, exercises)
    if {name: part.digest for name, part in back.items()} != {name: part.digest for name, part in parts.items()}:
        target.unlink(missing_ok=True)
        raise GraderError(f"{target.name} does not read back as it was packed: hand in the folder, and tell us")
    text = receipt(target.name, zipped, parts)
    write_file(beside, text.encode())
    return text, beside
