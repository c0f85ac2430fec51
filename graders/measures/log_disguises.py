"""What stands encoded or hashed in a log: the texts it may be read as, and the unkeyed hashes of known values."""

from __future__ import annotations

import ast
import base64
import binascii
import gzip
import hashlib
import html
import io
import itertools
import re
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from quopri import decodestring
from urllib.parse import unquote_plus

import ahocorasick  # type: ignore[import-not-found]  # ships no types

UNPACKED, DEEPEST_PACKED = 1_000_000, 2
"""Bytes that are unpacked for one text, and how deep: a short text can hold a thousand times its length."""

CHANCE = 1e-3
"""Agreements of eight hexadecimal digits count where one by chance is less likely than that in the whole text."""

_TOKEN = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,6}")
_HEX = re.compile(r"[0-9a-f]{12,}")
# Bytes of text, in UTF-8 or UTF-16, from the beginning to the end of a run of hexadecimal digits; or something packed.
_HEX_TEXT = re.compile(
    r"(?<![0-9a-f])[0-9a-f]?((?:00|0[9ad]|[2-7][0-9a-f]|[c-f][0-9a-f](?:[89ab][0-9a-f])+){4,}"
    r"|(?:1f8b|789c|fffe|feff)(?:[0-9a-f]{2}){4,})(?![0-9a-f])"
)
_BASE32 = re.compile(r"(?<![A-Za-z0-9+/])[A-Z2-7]{8,}={0,6}")
_HEX_PARTS = re.compile(r"[0-9a-fA-F-]+")  # a UUID or a hash, and a date
_UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_CRC = re.compile(r"^[0-9a-f]{8}$", re.MULTILINE)
_LENGTHS = frozenset({12, 16, 20, 24, 32, 40, 48, 56, 64, 96, 128})  # of hashes, whole and cut
_SPLITS = re.compile(r"[/_-]")
# One kind of character and another after it; written so that what holds none takes no square of its length.
_MIXED = re.compile(r"[^a-z]*[a-z][^A-Z0-9]*[A-Z0-9]|[^A-Z]*[A-Z][^a-z]*[a-z]|[^0-9]*[0-9][^A-Za-z]*[A-Za-z]|[^+]*[+]")
_URL_SAFE = str.maketrans("-_", "+/")

_BACKSLASHES = re.compile(r"\\{2,}")
_UNICODE = re.compile(r"\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})|\\u\{([0-9a-fA-F]{1,6})\}")
_BYTES = re.compile(r"(?:\\x[0-9a-fA-F]{2}|\\[0-3][0-7]{2})+")
_ONE_BYTE = re.compile(r"\\x([0-9a-fA-F]{2})|\\([0-3][0-7]{2})")
_LITERAL = re.compile(r"""\bb('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")""")
_HUGE_ENTITY = re.compile(r"&#\d{8,}")  # no character, and a number that Python may refuse to read
_PACKED = frozenset({b"\x1f\x8b", b"\x78\x01", b"\x78\x9c", b"\x78\xda"})
_LONG_CODE = 200
_ONE = r"""(?:\d{2,7}|\\?"[^"\n]\\?"|'[^'\n]')"""
_LIST = re.compile(rf"\[\s{{0,3}}{_ONE}(?:\s{{0,3}},\s{{0,3}}{_ONE}){{4,}}")
_MEMBER = re.compile(r"""(\d{2,7})|\\?["'](.)\\?["']""")
_ASCII85 = re.compile(r"<~[!-uz\s]{8,}~>")


@dataclass
class Room:
    """What may still be done for one text. unpack: bytes.  read: characters of decoded pieces."""

    unpack: int = UNPACKED
    read: int = UNPACKED


@dataclass(frozen=True)
class Piece:
    """A text read out of another. how: its encoding.  code: what stood there.  line: its number, -1: not sought yet."""

    how: str
    text: str
    code: str
    line: int = -1


def tokens(text: str) -> str:
    """The different stretches of a text that may be codes, a line each."""
    return "\n".join(dict.fromkeys(_TOKEN.findall(text)))


def pieces(text: str, starts: list[int], codes: str, room: Room) -> Iterator[Piece]:
    """Everything in `text` that decodes to readable text, while there is room.

    starts: where its lines begin.  codes: its `tokens`. A piece that stands in several lines is given for the first.
    """
    for one in _pieces(text, starts, codes, room):
        room.read -= len(one.text)
        if room.read < 0:
            return
        yield one


def _pieces(text: str, starts: list[int], codes: str, room: Room) -> Iterator[Piece]:
    for how, trigger, decode in _LINE_CODES:
        read = 0  # what was joined to an earlier line is read
        for line in sorted({bisect_right(starts, m.start()) - 1 for m in trigger.finditer(text)}):
            start, end = starts[line], starts[line + 1] if line + 1 < len(starts) else len(text)
            if start < read:
                continue
            if how == "quoted-printable":
                while text[max(start, end - 3) : end].rstrip("\r\n").endswith("=") and end < len(text):
                    end = text.find("\n", end) + 1 or len(text)
                read = end
            shown = decode(text[start:end], room)
            if shown != text[start:end]:
                yield Piece(how, shown, "", line)
    for how, code, shown in itertools.chain(_decoded(codes, room), _ascii85(text, room)):
        yield Piece(how, " ".join(shown.split()), code)


def hashed(text: str, digests: Digests, codes: str) -> list[tuple[int, str, int]]:
    """(owner, algorithm, line) of every unkeyed hash of a known value that stands in `text`; codes: its `tokens`."""
    lower = codes.lower()
    runs = set(_HEX.findall(lower))
    runs.update(uuid.replace("-", "") for uuid in _UUID.findall(lower))
    # A run of another length may begin with a part of a word, as in "id".
    odd = [run for run in runs if len(run) not in _LENGTHS]
    heads = {run[:12] for run in runs}.union(*({run[k : k + 12] for run in odd} for k in (1, 2, 3)))
    heads.update([run[-12:] for run in runs if len(run) < 32])
    found: dict[str, tuple[int, str]] = {}  # by what stands there
    for code in heads & digests.long.keys():
        found[code] = found[f"{code[:8]}-{code[8:]}"] = digests.long[code]
    for code in _base64_like(codes):
        if len(code) >= 16:
            raws = {_from_base64(code[k : k + 8]).hex() for k in range(4)}
            found.update((code, digests.long[raw]) for raw in raws & digests.long.keys())
    short = dict.fromkeys(run for run in _CRC.findall(lower) if not run.isdigit())
    if len(short) * len(digests.short) / 2**32 < CHANCE:
        found |= {code: digests.short[code] for code in short if code in digests.short}
    lines = lines_of(text, found)
    return [(*owner, lines[code]) for code, owner in found.items() if code in lines]


def lines_of(text: str, codes: Iterable[str]) -> dict[str, int]:
    """Code -> number of the first line that it stands in, whatever its case, in one pass; without those that do not."""
    wanted: dict[str, list[str]] = {}
    for code in codes:
        wanted.setdefault(code.lower(), []).append(code)
    if not wanted:
        return {}
    lower = text.lower()
    first = {}
    keys = ahocorasick.Automaton()
    for key in wanted:
        if len(key) <= _LONG_CODE:
            keys.add_word(key, key)
        elif (place := lower.find(key)) >= 0:
            first[key] = lower.count("\n", 0, place)
    keys.make_automaton()
    line = at = 0
    for end, key in keys.iter(lower) if len(keys) else ():
        line, at = line + lower.count("\n", at, end), end
        first.setdefault(key, line)
    return {code: line for key, line in first.items() for code in wanted[key]}


@dataclass(frozen=True)
class Digests:
    """Unkeyed hashes of known values: first and last 12 hexadecimal digits (short: a CRC-32's 8) -> owner, name."""

    long: Mapping[str, tuple[int, str]]
    short: Mapping[str, tuple[int, str]]

    @classmethod
    def of(cls, values: Iterable[tuple[int, str]]) -> Digests:
        """values: owner (any number), text as people hash it."""
        long: dict[str, tuple[int, str]] = {}
        short: dict[str, tuple[int, str]] = {}
        for owner, value in values:
            raw = value.encode("utf-8", "surrogatepass")
            for name, make in _HASHES:
                digest = make(raw)
                long.setdefault(digest[:12], (owner, name))
                long.setdefault(digest[-12:], (owner, name))
            short.setdefault(f"{zlib.crc32(raw):08x}", (owner, "crc32"))
        return cls(long, short)


def texts(raw: bytes, room: Room, depth: int = 0) -> Iterator[tuple[str, str]]:
    """("" or the packing, text) that bytes may be read as."""
    if raw[:2] in _PACKED:
        inner = _unpacked(raw, room) if depth < DEEPEST_PACKED else b""
        for how, text in texts(inner, room, depth + 1):
            yield _within(how, "gzip"), text
    elif raw.isascii():
        text = raw.decode()
        nulls = text.count("\0")
        if nulls and nulls * 3 >= len(text):
            text = text.replace("\0", "")
            yield "UTF-16", text
        elif _printable(text):
            yield "", text
    elif raw.count(0) * 3 >= len(raw) or raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        little = raw[:2] == b"\xff\xfe" or (raw[:2] != b"\xfe\xff" and sum(raw[1::2]) < sum(raw[::2]))
        yield "UTF-16", raw.decode("utf-16-le" if little else "utf-16-be", "ignore").lstrip("\ufeff")
    else:
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            return
        if _printable(text):
            yield "", text


def _unpacked(raw: bytes, room: Room) -> bytes:
    """What can be unpacked of gzip or zlib while there is room, of several gzip members too."""
    parts = []
    try:
        if raw[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=io.BytesIO(raw)) as packed:
                while room.unpack > 0 and (part := packed.read1(min(room.unpack, 2**16))):
                    parts.append(part)
                    room.unpack -= len(part)
        elif room.unpack > 0:
            parts.append(zlib.decompressobj().decompress(raw, room.unpack))
            room.unpack -= len(parts[0])
    except (OSError, EOFError, zlib.error):
        pass
    return b"".join(parts)


def _within(inner: str, outer: str) -> str:
    return f"{inner} in {outer}" if inner else outer


def _printable(text: str) -> bool:
    return len(text) >= 4 and (text.isprintable() or " ".join(text.split()).isprintable())


def _decoded(tokens: str, room: Room) -> Iterator[tuple[str, str, str]]:
    """(encoding, as it stands, text) of base64, base32 and hexadecimal."""
    for run in dict.fromkeys(_HEX_TEXT.findall(tokens.lower())):
        for how, shown in texts(bytes.fromhex(run), room):
            yield _within(how, "hexadecimal"), run, shown
    for run in dict.fromkeys(_BASE32.findall(tokens)):
        bare = run.rstrip("=")
        try:
            raw = base64.b32decode(bare + "=" * (-len(bare) % 8))
        except binascii.Error:
            continue
        for how, shown in texts(raw, room):
            yield _within(how, "base32"), run, shown
    for code in _base64_like(tokens):
        for k in range(4 if len(code) >= 16 else 1):
            if raw := _from_base64(code[k:]):
                for how, shown in texts(raw, room):
                    yield _within(how, "base64"), code, shown


def _ascii85(text: str, room: Room) -> Iterator[tuple[str, str, str]]:
    """(encoding, as it stands, text) of base85 between the marks of Adobe."""
    for code in dict.fromkeys(_ASCII85.findall(text)):
        try:
            raw = base64.a85decode(code, adobe=True)
        except ValueError:
            continue
        for how, shown in texts(raw, room):
            yield _within(how, "ASCII85"), code, shown


@lru_cache(maxsize=1)  # asked for by `pieces` and `hashed` in turn
def _base64_like(tokens: str) -> list[str]:
    """Tokens, and what stands between slashes, hyphens and underscores in them; no plain words, numbers or hex."""
    seen: dict[str, None] = {}
    for token in tokens.split("\n"):
        bare = token.rstrip("=")
        if _HEX_PARTS.fullmatch(bare):
            continue
        for code in (bare, *_SPLITS.split(bare)) if _SPLITS.search(bare) else (bare,):
            if len(code) >= 8 and code not in seen and not _HEX_PARTS.fullmatch(code) and _MIXED.match(code):
                seen[code] = None
    return list(seen)


def _from_base64(code: str) -> bytes:
    if len(code) % 4 == 1:
        code = code[:-1]
    return binascii.a2b_base64(code.translate(_URL_SAFE) + "=" * (-len(code) % 4))


def _unescape(line: str, room: Room) -> str:
    """Escapes of JSON, of str and of bytes, as JavaScript, Python and C write them."""
    line = _BACKSLASHES.sub(lambda m: "\\", line)
    line = _LITERAL.sub(lambda m: _literal(m, room), line)
    line = _BYTES.sub(_bytes, line)
    line = _UNICODE.sub(lambda m: _character(int(m[1] or m[2] or m[3], 16)), line)
    return line.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _listed(line: str, room: Room) -> str:
    """Lists of characters, of code points or of bytes written as words."""
    return _LIST.sub(_word, line)


def _word(found: re.Match[str]) -> str:
    members = [(int(code) if code else ord(c)) for code, c in _MEMBER.findall(found.group())]
    try:
        return bytes(members).decode()
    except ValueError:
        return "".join(map(_character, members))


def _literal(found: re.Match[str], room: Room) -> str:
    try:
        raw = ast.literal_eval(found.group())
    except (SyntaxError, ValueError, MemoryError):
        return found.group()
    return next((text for _, text in texts(raw, room)), found.group())


def _character(code: int) -> str:
    return chr(code) if code < 0x110000 else ""


def _bytes(found: re.Match[str]) -> str:
    raw = bytes(int(x, 16) if x else int(o, 8) for x, o in _ONE_BYTE.findall(found.group()))
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _quoted(line: str, room: Room) -> str:
    line = line.replace("=\\r\\n", "").replace("=\\n", "")
    raw = decodestring(line.encode("utf-8", "surrogatepass"))
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


_LINE_CODES: tuple[tuple[str, re.Pattern[str], Callable[[str, Room], str]], ...] = (
    ("URL", re.compile(r"%[0-9A-Fa-f]{2}"), lambda line, room: unquote_plus(line)),
    ("HTML", re.compile(r"&#?\w{2,8};"), lambda line, room: html.unescape(_HUGE_ENTITY.sub("", line))),
    ("escapes", re.compile(r"\\(?:u[0-9a-fA-F{]|U0|x[0-9a-fA-F]{2}|[0-3][0-7]{2})"), _unescape),
    ("list", _LIST, _listed),
    # Not every "=20": "status=200" is no quoted-printable text.
    (
        "quoted-printable",
        re.compile(r"=(?:[0-9A-F]{2}=[0-9A-F]{2}|[C-F][0-9A-F](?=[a-z\s])|3D|(?:\\r)?\\n)"),
        _quoted,
    ),
)


def _hash(name: str, **settings: int) -> tuple[str, Callable[[bytes], str]]:
    make = getattr(hashlib, name)
    label = f"{name}-{8 * settings['digest_size']}" if settings else name
    # MD5 and SHA-1 are recognised here, not relied on.
    return label, lambda raw: make(raw, usedforsecurity=False, **settings).hexdigest()


_HASHES = (
    *map(_hash, ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "blake2b", "blake2s")),
    _hash("blake2b", digest_size=32),
    _hash("blake2b", digest_size=16),
    _hash("blake2b", digest_size=8),
)
