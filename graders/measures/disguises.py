"""Forms of an identifier that do not hide it: base64, hexadecimal, and hashes anyone can compute."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from graders.measures.tokens import visible

MOST_CODES = 200
"""Different stretches of one text that are examined as base64, hexadecimal or hashes; a text of more is not read.

The fullest note and resource of the kit's own data hold under 60, pseudonyms included.
"""

_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{6,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){4,}")
_HEX_RUN = re.compile(r"[0-9a-f]{8,}")
_UUID = re.compile(r"([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})")
_URL_SAFE = str.maketrans("-_", "+/")

_SHORTEST = 8  # hexadecimal digits of a hash that are recognised: fewer turn up by chance
_AROUND = 4  # characters before and after it that may look like a part of it: "PA" + hash, hash + "B"


@dataclass(frozen=True)
class Codes:
    """What stands encoded or hashed in a text.

    readable: the decoded texts, as `visible`.  hashes: first eight digits -> beginnings of which one must agree.
    too_many: the text holds more than MOST_CODES stretches that look like codes; then nothing was examined.
    """

    readable: tuple[str, ...] = ()
    hashes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    too_many: bool = False

    @classmethod
    def of(cls, text: str) -> Codes:
        """text: as `visible`, in upper and lower case, which matter in base64."""
        codes = [code for code in dict.fromkeys(_ENCODED.findall(text)) if _may_be_encoded(code)]
        runs = [run for run in dict.fromkeys(_HEX_RUN.findall(_joined(text))) if not run.isdigit()]
        if len(codes) > MOST_CODES or len(runs) > MOST_CODES:
            return cls(too_many=True)
        readable = tuple(visible(found) for code in codes for found in _decoded(code))
        hashes: dict[str, tuple[str, ...]] = {}
        for run in runs:
            for start in range(min(_AROUND, len(run) - _SHORTEST) + 1):
                rest = run[start:]
                # As much of it as must agree.
                rest = rest[: min(16, max(_SHORTEST, len(rest) - _AROUND))]
                hashes[rest[:_SHORTEST]] = (*hashes.get(rest[:_SHORTEST], ()), rest)
        return cls(readable, hashes)

    def hash_any(self, values: Iterable[str]) -> bool:
        """Whether an unkeyed hash of one of `values`, whole or cut short, stands in the text."""
        return bool(self.hashes) and any(
            digest.startswith(self.hashes.get(digest[:_SHORTEST], ())) for value in values for digest in digests(value)
        )


def _joined(text: str) -> str:
    lower = text.lower()
    return _UUID.sub(r"\1\2\3\4\5", lower) if "-" in lower else lower


def _may_be_encoded(code: str) -> bool:
    """Not an ordinary word or number: base64 of a name mixes cases or digits."""
    bare = code.rstrip("=")
    if bare.isdigit() or bare[1:].islower() or bare.isupper():
        return _HEX.fullmatch(code) is not None
    return len(bare) % 4 != 1 or _HEX.fullmatch(code) is not None


def _decoded(code: str) -> Iterable[str]:
    """The texts that a stretch may be read as, in hexadecimal and in base64."""
    if _HEX.fullmatch(code) and (text := _readable(bytes.fromhex(code))):
        yield text
    bare = code.rstrip("=")
    if len(bare) % 4 == 1 or bare.isdigit() or bare[1:].islower() or bare.isupper():
        return
    try:
        raw = base64.b64decode(bare.translate(_URL_SAFE) + "=" * (-len(bare) % 4))
    except binascii.Error:
        return
    if text := _readable(raw):
        yield text


def _readable(raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return ""
    text = " ".join(text.split())
    return text if len(text) >= 3 and text.isprintable() else ""


# As many as the values of a few hundred patients: each is asked for by several tables, plays and criteria in turn.
@lru_cache(maxsize=8192)
def digests(value: str) -> tuple[str, ...]:
    """Hexadecimal MD5, SHA-1, SHA-256 and SHA-512 of the spellings of `value` that people hash."""
    bare = "".join(c for c in value if c.isalnum())
    spellings = {value, value.lower(), value.upper(), bare, bare.lower(), bare.lstrip("0")} - {""}
    # MD5 and SHA-1 are recognised here, not relied on.
    makers = (
        lambda b: hashlib.md5(b, usedforsecurity=False),
        lambda b: hashlib.sha1(b, usedforsecurity=False),
        hashlib.sha256,
        hashlib.sha512,
    )
    return tuple(make(s.encode("utf-8", "surrogatepass")).hexdigest() for s in sorted(spellings) for make in makers)
