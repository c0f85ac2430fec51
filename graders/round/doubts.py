"""Why a copy in a submission may not be seen, in words of ours: none of them is the submission's."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping

from graders.round.code_tokens import Code

# What runs code that stands in a text or elsewhere, and what unpacks such a text; by full names.
RUNNERS = {
    "": ("exec", "eval", "compile", "__builtins__", "builtins"),
    "builtins.": ("exec", "eval", "compile"),
    "marshal.": ("load", "loads"),
    "pickle.": ("load", "loads"),
    "runpy.": ("run_path",),
    "types.": ("FunctionType", "CodeType"),
    "code.": ("InteractiveInterpreter", "InteractiveConsole"),
    "importlib.util.": ("spec_from_file_location", "spec_from_loader"),
    "importlib.machinery.": ("SourceFileLoader",),
}
UNPACKERS = {
    "zlib.": ("decompress", "decompressobj"),
    "bz2.": ("decompress",),
    "lzma.": ("decompress",),
    "gzip.": ("decompress",),
    "codecs.": ("decode",),
    "base64.": ("b64decode", "urlsafe_b64decode", "standard_b64decode", "b85decode", "a85decode", "b32decode",
                "b16decode", "decodebytes"),
    "binascii.": ("a2b_base64", "unhexlify"),
}  # fmt: skip
# Declared at the top of a file; Python reads the file so, and a reader of UTF-8 sees something else.
CODING = re.compile(rb"\A(?:[^\n]*\n)?[ \t\f]*#[^\n]*?coding[:=][ \t]*([-\w.]+)")
PLAIN = ("utf8", "utf8sig", "ascii", "usascii", "latin1", "iso88591", "cp1252")


def doubts(code: Code, files: Mapping[str, bytes]) -> Iterator[str]:
    """Why not all of a submission's code can be compared."""
    if code.cut:
        yield "too much code, read in part"
    if code.unparsed:
        yield "does not parse, compared word by word"
    codings = [
        found[1].decode() for name, data in files.items() if name.endswith(".py") if (found := CODING.match(data))
    ]
    if any(re.sub("[-_]", "", coding.lower()) not in PLAIN for coding in codings):
        yield "declares an unusual encoding"
    there = {token for one in code.syntax for token in one.tokens}
    for one in code.words:
        if one.file in code.unparsed:
            there |= {token for before, token in itertools.pairwise(("", *one.tokens)) if before not in (".", "def")}
    if runs := named(there, RUNNERS):
        yield f"can run code from text ({runs})"
    if unpacks := named(there, UNPACKERS):
        yield f"unpacks texts ({unpacks})"


def named(tokens: set[str], known: Mapping[str, tuple[str, ...]]) -> str:
    """Which of these are there, with commas."""
    return ", ".join(sorted(tokens & {prefix + name for prefix, names in known.items() for name in names}))
