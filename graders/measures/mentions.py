"""Whether a mention of an identifier is still readable in the stretch of output that stands in its place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from graders.measures.dates import Said, reads_day_first, said, tells, years_differ
from graders.measures.disguises import Codes
from graders.measures.tokens import Words, spelled, squeezed, visible

CODE_KINDS = frozenset({"PHONE", "SSN", "MRN", "HEALTH_PLAN", "ACCOUNT", "VEHICLE", "DEVICE", "IP"})

# Words that identify nobody by themselves: titles and particles, parts of addresses, file names and links.
TITLES = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "miss",
        "mx",
        "dr",
        "prof",
        "jr",
        "sr",
        "ii",
        "iii",
        "iv",
        "of",
        "and",
        "the",
        "de",
        "la",
        "del",
        "van",
        "von",
        "der",
        "da",
        "do",
        "old",
        "baby",
        "boy",
        "girl",
        "bb",
        "son",
        "wife",
        "daughter",
        "husband",
        "mother",
        "father",
        "uncle",
        "aunt",
        "brother",
        "sister",
        "big",
        "little",
    ]
)
_GENERIC_TEXT = (
    "a an at in on street st avenue ave road rd drive lane ln boulevard blvd court ct way place pl north south "
    "east west apt unit suite county city town box san santa los las el hospital clinic school elementary high "
    "church http https www com org net example portal index html php dot underscore dash plus jpg jpeg "
    "png gif tif pdf txt face photo "
    "image img scan wound left right sha1 sha256 md5 hash ext extension plate vin serial sn udi id no number "
    "above behind yellow blue pink log house trailer farmhouse cabin houseboat bakery laundromat diner shop store"
)
GENERIC = TITLES | frozenset(_GENERIC_TEXT.split())

_MASKED_TAIL = re.compile(r"x{2,}$|(?<=.)x{3,}")
_OPENS_MASK = "[<{*#•█■▒"
_CLOSES_MASK = "]>}*#•█■▒"
_LINKED = re.compile(r"[-.()+\s]{1,3}")

_LONG_CODE = re.compile(r"[0-9A-Za-z+/=_-]{8,}")

_NUMBER_WORDS = dict(
    zip(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"], range(1, 10), strict=True)
)
_AGE_IN_WORDS = re.compile(
    r"\b(?:(ninety)|(?:one|a) hundred(?: and)?)(?:[- ](one|two|three|four|five|six|seven|eight|nine))?\b", re.IGNORECASE
)
_AGE = re.compile(
    r"(?P<over>[>≥]=?\s*|\b(?:over|above|than)\s+)?(?<!\d)(?P<age>\d{1,3})(?!\d)"
    r"(?P<plus>\+|\s\+|'?s\b|\s(?:years\s)?(?:and|or)\s(?:over|older|above))?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Stretch:
    """A stretch of output: its text, and the words of it that may belong to the mention under judgement.

    before, after: the character next to each word ("" where there is none).
    links: the text between each word and the next, after the last one to the end.
    """

    text: str
    keys: Sequence[str]
    before: Sequence[str]
    after: Sequence[str]
    links: Sequence[str]

    @classmethod
    def of(cls, words: Words, chosen: Sequence[int], text: str) -> Stretch:
        """The words with the positions `chosen`, in order."""
        whole = words.text
        starts, ends = [words.starts[i] for i in chosen], [words.ends[i] for i in chosen]
        return cls(
            text,
            [words.keys[i] for i in chosen],
            [whole[s - 1 : s] if s else "" for s in starts],
            [whole[e : e + 1] for e in ends],
            [whole[e:s] for e, s in zip(ends, [*starts[1:], len(whole)], strict=False)],
        )

    # One stretch is asked about every mention of its gap.
    @cached_property
    def found(self) -> frozenset[str]:
        """Its words."""
        return frozenset(self.keys)

    @cached_property
    def joined(self) -> str:
        """Its words run together."""
        return "".join(self.keys)

    @cached_property
    def spelled(self) -> list[str]:
        """What its single characters spell."""
        return spelled(self.keys)

    @cached_property
    def numbers(self) -> list[str]:
        """Its words with digits, run together where no more than a separator stands between them."""
        groups = [""]
        for key, link in zip(self.keys, self.links, strict=True):
            for part in re.split(r"x{2,}", key) if "xx" in key else [key]:
                if any(c.isdigit() for c in part) and part not in GENERIC:
                    groups[-1] += part
                else:
                    groups.append("")
            if not _LINKED.fullmatch(link):
                groups.append("")
        return list(dict.fromkeys(group for group in [*groups, *self.spelled] if any(c.isdigit() for c in group)))

    @cached_property
    def parts(self) -> dict[str, list[_Part]]:
        """Its words as parts of hidden ones, by "^" and the first letter and, what ends a word, "$" and the last."""
        parts: dict[str, list[_Part]] = {}
        for part in dict.fromkeys(map(_Part.of, self.keys, self.before, self.after)):
            if part.shown:
                parts.setdefault("^" + part.shown[0], []).append(part)
                if part.cut_before:
                    parts.setdefault("$" + part.shown[-1], []).append(part)
        return parts


@dataclass(frozen=True)
class _Part:
    """A word of output: what it shows, and whether a mask stands before and after it."""

    shown: str
    cut_before: bool
    cut_after: bool

    @staticmethod
    @lru_cache(maxsize=4096)
    def of(key: str, before: str, after: str) -> _Part:
        """From a word and the characters next to it."""
        shown = _MASKED_TAIL.sub("", key)
        inside_tag = before in _OPENS_MASK and before != "" and before != "*"
        cut_after = len(shown) < len(key) or (after in _OPENS_MASK and after != "" and not inside_tag)
        return _Part(shown, before in _CLOSES_MASK and before != "", cut_after)


@dataclass(frozen=True)
class Mention:
    """One gold mention: its kind, what it says and, for dates, what it denotes.

    keys: its words, folded.  year_tells: a date whose year is an identifier too.  small_zip3: the areas whose first
    three digits may not stay.
    """

    kind: str
    text: str
    keys: Sequence[str]
    denotes: str = ""
    year_tells: bool = False
    small_zip3: frozenset[str] = frozenset()

    @cached_property
    def words(self) -> list[str]:
        """Its identifying words."""
        return _identifying(self.kind, self.keys)

    @cached_property
    def code(self) -> str:
        """The identifying characters of a number-like identifier, "" for other kinds."""
        return _code_of(self.kind, self.text, self.keys) if self.kind in CODE_KINDS else ""

    def survives(self, stretch: Stretch, dates: Sequence[Said] | None = None) -> bool:
        """Whether the mention, or a telling part of it, can be read in `stretch`.

        dates: what to judge a DATE by, where the caller knows which of several dates stands for this one.
        """
        if not stretch.text:
            return False
        if self.kind == "DATE":
            own = said(self.text)
            if own:
                return self._date_survives(own, stretch.text, dates)
        if self.kind == "AGE":
            return bool(_ages(self.text) & _ages(stretch.text, bounds=False))
        if _in_disguise(self.text, self.words, stretch.text):
            return True
        if self.code:
            # In a code with its own double X, that is no mask.
            if "xx" in self.code and self.code in stretch.joined:
                return True
            return any(_code_in(self.code, number, self.kind == "PHONE") for number in stretch.numbers)
        return _words_survive(self, stretch)

    def _date_survives(self, own: list[Said], text: str, dates: Sequence[Said] | None) -> bool:
        # Whether any date is said does not depend on which of its numbers is the day.
        if not (said(text) if dates is None else dates) and not self.year_tells:
            return False
        meant = Said.of_denotes(self.denotes)
        year_tells = self.year_tells and meant.year > 0
        if year_tells and _year_in(meant.year, text):
            return True
        weekday = next((s.weekday for s in own if s.weekday), 0)
        truth = Said(meant.year, meant.month, meant.day, weekday)
        day_first = reads_day_first(self.text, meant)
        found = said(text, day_first) if dates is None or day_first else dates
        # "Tuesday" beside another full date is part of that date, not of the true one.
        if any(f.month or f.day for f in found) and (truth.month or truth.day):
            found = [f for f in found if not f.weekday]
        if year_tells and any(f.year and not years_differ(f, meant) for f in found):
            return True
        return any(tells(f, truth) for f in found)


def identifying_words(kind: str, text: str) -> list[str]:
    """The folded words of a mention that could give it away; all of them where none stands out."""
    return _identifying(kind, Words.of(visible(text)).keys)


def _identifying(kind: str, keys: Sequence[str]) -> list[str]:
    if len(keys) > 2 and all(len(k) == 1 for k in keys):
        return ["".join(keys)]  # a word spelled letter by letter
    shortest = 3 if kind in {"LOCATION", "OTHER", "URL", "EMAIL", "PHOTO", "DATE"} else 1
    generic = TITLES if kind == "NAME" else GENERIC
    own = [k for k in keys if k not in generic and len(k) >= shortest]
    if kind == "PHOTO":
        # A year may stay, and "0412" beside a name is a number of the camera's.
        own = [k for k in own if not (k.isdigit() and len(k) <= 4)]
    return own or [k for k in keys if len(k) > 1] or list(keys)


def _code_of(kind: str, text: str, keys: Sequence[str]) -> str:
    """The characters of a number-like identifier that identify: separators, labels and extensions left out."""
    shown = visible(text)
    if kind == "PHONE":
        keys = Words.of(re.split(r"(?i)\s*(?:x|ext)", shown, maxsplit=1)[0]).keys
    elif kind == "DEVICE" and "(21)" in shown:
        # GS1: (01) names the product and may stay, (21) is the serial number
        keys = Words.of(shown.split("(21)", 1)[1]).keys
    keys = [k for k in keys if k not in GENERIC and (any(c.isdigit() for c in k) or kind == "IP")]
    return "".join(keys) if any(c.isdigit() for k in keys for c in k) else ""


def _year_in(year: int, text: str) -> bool:
    """Whether a text states the year: 1931, '31, **/**/31."""
    short = rf"(?:['`\u2018\u2019\u00b4]|[*#xX?_]{{2}}[-/.]){year % 100:02d}(?!\w)"
    return re.search(rf"(?<!\d){year:04d}(?!\d)|{short}", text) is not None


def _code_in(code: str, group: str, phone: bool) -> bool:
    bare = code.lstrip("0")
    if code in group or (len(bare) >= 4 and bare in group):
        return True
    n = len(code)
    if len(group) >= (7 if phone else 0.8 * n):
        # Another whole number stands there. All that is left to ask is whether it is ours, shortened or zeroed out.
        if group in code:
            return True
        if len(group) != n:
            return False
        changed = [i for i, (a, b) in enumerate(zip(code, group, strict=True)) if a != b]
        filler = set(group[changed[0] : changed[-1] + 1]) if changed else set()
        return filler in ({"0"}, {"9"}) and 3 <= len(changed) <= n - 4
    run = min(4, n, max(3, -(-n // 2)))
    return any(code[i : i + run] in group for i in range(n - run + 1))


def _words_survive(mention: Mention, stretch: Stretch) -> bool:
    own, mine, found = mention.keys, mention.words, stretch.found
    if len(own) > 1 and all(len(k) == 1 for k in own):
        # "M-A-R-I-S-O-L", or the initials "R.P."
        initials = "".join(k if len(k) == 1 else " " for k in stretch.keys)
        return "".join(own) in found or "".join(own) in initials
    lone = len(mine) == 1
    if any(len(k) > 1 or lone for k in mine if k in found):
        return True
    whole = "".join(own)
    if len(whole) >= 6 and whole in stretch.joined:
        return True
    if any(len(w) >= 4 and w in run for w in mine for run in stretch.spelled):
        return True
    if any(len(w) >= 4 and w.isalpha() and w[::-1] in found for w in mine):
        return True
    return any(
        _part_survives(mention, word, part)
        for word in mine
        for end in ("^" + word[0], "$" + word[-1])
        for part in stretch.parts.get(end, ())
    )


def _part_survives(mention: Mention, word: str, part: _Part) -> bool:
    """Whether `part` shows so much of `word` that the rest can be guessed, as in "Quinter*" or "Q[NAME]"."""
    kind, shown = mention.kind, part.shown
    if kind == "LOCATION" and word.isdigit() and len(word) == 5 and shown == word[:3]:
        return shown in mention.small_zip3  # other three-digit ZIP codes may stay
    enough = len(shown) >= 4 or 2 * len(shown) >= len(word)
    if part.cut_after and word.startswith(shown):
        return enough or kind == "NAME"  # an initial is derived from a name
    if part.cut_before and word.endswith(shown):
        return enough
    if not (word.isalpha() and shown.isalpha() and min(len(word), len(shown)) >= 4):
        return False
    # Without a mask beside it, "Maria" for "Mariana" may be another name; "Hendersons" for "Henderson" is not.
    longer, shorter = (word, shown) if len(word) >= len(shown) else (shown, word)
    return longer.startswith(shorter) and len(shorter) >= 0.75 * len(longer)


@lru_cache(maxsize=256)
def _ages(text: str, bounds: bool = True) -> frozenset[int]:
    """The ages a text states; without `bounds`, "90+", "over 90" and "90s" are no ages."""
    words = frozenset(
        (90 if m[1] else 100) + _NUMBER_WORDS.get((m[2] or "").lower(), 0) for m in _AGE_IN_WORDS.finditer(text)
    )
    return words | {int(m["age"]) for m in _AGE.finditer(text) if bounds or not (m["over"] or m["plus"])}


def _in_disguise(mention: str, words: Sequence[str], text: str) -> bool:
    """Whether a hash, base64 or hexadecimal form of the mention or of one of its words stands in the text."""
    if not _LONG_CODE.search(text):
        return False
    codes, shown = _disguised(text)
    telling = [mention, *(w for w in words if len(w) >= 4)]
    if shown and any(whole in shown for whole in map(squeezed, telling) if len(whole) >= 4):
        return True
    return codes.hash_any([*telling, *(w.capitalize() for w in telling[1:])])


# All mentions of a gap are judged by the same text.
@lru_cache(maxsize=64)
def _disguised(text: str) -> tuple[Codes, str]:
    codes = Codes.of(text)
    return codes, " ".join(map(squeezed, codes.readable))
