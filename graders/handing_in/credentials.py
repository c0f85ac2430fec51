"""Secrets that must not leave a candidate's machine: where they stand and of what kind, never the secret itself."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from graders.handing_in.finding import Finding
from graders.harness.submission import shown

# Kinds whose shape alone says what they are.
SHAPES = {
    "a private key": r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----",
    "an AWS access key": r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b",
    "a Google API key": r"\bAIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])",
    "a Google OAuth secret": r"\bGOCSPX-[0-9A-Za-z_-]{20,60}|\bya29\.[0-9A-Za-z_-]{20,400}",
    "a GitHub token": r"\b(?:gh[pousr]_[0-9A-Za-z]{36,255}|github_pat_[0-9A-Za-z_]{22,255})\b",
    "a GitLab token": r"\bglpat-[0-9A-Za-z_-]{20,60}",
    "a Slack token": r"\bxox[abeoprs]-[0-9A-Za-z-]{10,250}|hooks\.slack\.com/services/T\w{6,}/B\w{6,}/\w{12,}",
    "an Anthropic key": r"\bsk-ant-[0-9A-Za-z_-]{20,250}",
    "an OpenAI key": r"\bsk-(?:proj-|svcacct-|admin-)?(?=[0-9A-Za-z_-]{0,80}[0-9])[0-9A-Za-z_-]{32,250}",
    "a Hugging Face token": r"\bhf_[0-9A-Za-z]{30,60}\b",
    "a Stripe key": r"\b[rs]k_live_[0-9A-Za-z]{16,250}\b",
    "a PyPI or npm token": r"\bpypi-AgE[0-9A-Za-z_-]{50,500}|\bnpm_[0-9A-Za-z]{36}\b",
    "a JSON web token": r"\beyJ[0-9A-Za-z_-]{8,4000}\.eyJ[0-9A-Za-z_-]{8,4000}\.[0-9A-Za-z_-]{10,1000}",
    "a password in an address": r"\b[a-z][a-z0-9+]{1,20}://[^\s:/@'\"<>{}$%]{1,60}:(?P<word>[^\s:/@'\"<>{}$%]{6,100})@",
    "a .netrc line": r"\bmachine\s+\S{1,100}\s+login\s+\S{1,100}\s+password\s+\S{1,100}",
}
# A literal that is given to something called so.
ASSIGNED = re.compile(
    r"(?i)(?P<name>pass(?:word|wd|phrase)|\bpwd|(?:api|access|account|auth|client|secret|subscription)[_-]?"
    r"(?:key|secret|token)|secret|token|credential)s?[\"']?\s{0,9}(?::\s{0,9}str\s{0,9})?[:=]\s{0,9}"
    r"[bru]{0,2}[\"'](?P<word>[^\"'\s]{8,300})[\"']"
)
# Names of what is drawn from chance as often in a test as in earnest; digests under them are test vectors.
VAGUE = re.compile(r"(?i)secret|token|credential")
DIGEST = re.compile(r"(?:sha\d+:|0x)?[0-9a-fA-F]+|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
MADE_UP = re.compile(r"(?i)example|sample|dummy|placeholder|change[_-]?me|your|test|fake|xxx|\.\.\.|12345|abcdef")


def find(name: str, data: bytes) -> Iterator[Finding]:
    """Secrets in one file, in the order of its lines; at most one of a kind on a line."""
    text = data.decode("utf-8", "replace")
    hits = [(m.start(), kind) for kind, shape in SHAPES.items() for m in re.finditer(shape, text) if real(kind, m)]
    hits += [(m.start(), f"a literal for {m['name'].lower()}") for m in ASSIGNED.finditer(text) if earnest(m)]
    said = set()
    for start, kind in sorted(hits):
        line = text.count("\n", 0, start) + 1
        if (line, kind) not in said:
            said.add((line, kind))
            yield Finding("blocks", f"{shown(name)}:{line}", f"looks like {kind}")


def real(kind: str, match: re.Match[str]) -> bool:
    """Is it not one of those that documentation shows?"""
    word = match.groupdict().get("word")
    if word is not None:
        return not MADE_UP.search(word) and word.lower() not in ("password", "secret", "passwd")
    return kind == "a private key" or not re.search("EXAMPLE|X{8}|x{8}", match[0])


def earnest(match: re.Match[str]) -> bool:
    """Is a literal as disorderly as a secret, and neither a digest, an identifier nor made up for a test?"""
    word = match["word"]
    if MADE_UP.search(word) or re.fullmatch(r"[\w.]*[{$%<].*", word):
        return False
    if DIGEST.fullmatch(word):
        return not VAGUE.fullmatch(match["name"]) and "-" not in word and len(word) in (32, 40, 64)
    classes = sum(bool(re.search(kind, word)) for kind in ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]"))
    return bool(re.search("[0-9]", word)) and classes >= 3 and entropy(word) >= (3.0 if len(word) < 16 else 3.4)


def entropy(word: str) -> float:
    """Shannon's, in bits per character."""
    return -sum(n / len(word) * math.log2(n / len(word)) for n in Counter(word).values())
