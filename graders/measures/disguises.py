"""Forms of an identifier that do not hide it: base64, hexadecimal, and hashes anyone can compute."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{6,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){4,}")


def revealed(text: str) -> list[str]:
    """The readable texts that stand in `text` as base64 or hexadecimal."""
    found = []
    for match in _ENCODED.finditer(text):
        code = match.group()
        if _HEX.fullmatch(code):
            found.append(_readable(bytes.fromhex(code)))
        bare = code.rstrip("=")
        # Ordinary words and numbers; base64 of a name mixes cases or digits.
        if len(bare) % 4 == 1 or bare.isdigit() or bare[1:].islower() or bare.isupper():
            continue
        try:
            raw = base64.b64decode(bare.translate(_URL_SAFE) + "=" * (-len(bare) % 4))
        except binascii.Error:
            continue
        found.append(_readable(raw))
    return [f for f in found if f]


_URL_SAFE = str.maketrans("-_", "+/")


def _readable(raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return ""
    return text if len(text) >= 3 and text.isprintable() else ""


def digests(value: str) -> list[str]:
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
    return [make(s.encode("utf-8", "surrogatepass")).hexdigest() for s in sorted(spellings) for make in makers]
