"""One text of one patient: rules of protection, then finders in turn; what one has found the next leaves alone."""

import re
import unicodedata
from collections import defaultdict

from fuzzy_names import NameFinder
from known_people import shadow
from moved_dates import DateMover
from register_risk import birth_years, released_zips
from shapes import (
    KEEP,
    PRODUCTS,
    announced_spans,
    derived_spans,
    number_spans,
    own_spans,
    record_shapes,
    strong_spans,
)

STREET_ENDS = set(
    "street st avenue ave road rd lane ln drive dr court ct boulevard blvd way place pl terrace ter circle cir "
    "highway hwy "
    "parkway pkwy trail loop square plaza row path route alley run".split()
)
APT = r"(?:,?\s*(?:apt|apartment|unit|suite|ste|lot|room|#)\.?\s*#?\w{1,5}\b)?"
CAP = r"(?-i:[A-Z][\w'.]*)"
FIRM = r"(?-i:[A-Z][\w'&]*)"
PO_BOX = re.compile(r"\b(?:p\.?\s?o\.?\s?)?box\s+#?\d+", re.I)
NUMBERED = r"\d{1,3}(?:st|nd|rd|th)(?:\s(?:st|ave|street|avenue))?"
CROSSING = re.compile(rf"\b(?:{NUMBERED}\s?&\s?\w+|(?:{CAP}|{NUMBERED})(?:\s(?:st|ave|street|avenue))?\s?(?:&|/|"
                      rf"\band\b|\bat\b|@)\s?"
                      rf"(?:{CAP}|{NUMBERED})(?:\s(?:st|ave|street|avenue|road))?)", re.I)  # fmt: skip
SCHOOL = re.compile(rf"(?:{CAP} ){{1,3}}(?:elementary|middle|high|primary|grammar|charter|"
                    rf"junior high)(?:\s+school)?\b|"
                    rf"(?:{CAP} ){{1,3}}(?:school|academy|college|university|preschool|kindergarten)\b",
                    re.I)  # fmt: skip
COUNTY = re.compile(rf"(?:{CAP} ){{1,2}}(?:county|parish|borough)\b", re.I)
WORKS = re.compile(
    rf"(?:\b(?:works?|working|worked|employed|job)\s+(?:for|at|by|with)|employer\s*[:|]|employed by)\s*(?:the\s)?"
    rf"({FIRM}(?:(?:,?\s(?:and|&|of)\s|,\s|[ -]){FIRM})*)", re.I
)  # fmt: skip
UNIQUE = [
    re.compile(r"\b(?:recogni[sz]ed|known|identified|remembered|introduced|famous|described)\b[^.\n;|"
               r"]{0,25}?\bas\s+((?:the|a|an|our)\s(?:[^.,;\n|]{3,60}?\s(?:of|in|at|"
               r"from)\s(?-i:[A-Z][\w'-]*(?: [A-Z][\w'-]*)*)|[^.,;\n|]+))", re.I),
    re.compile(r"\b(?:is|was)\s+(the\s+(?:only|sole|first|last|oldest|youngest|current|former|reigning|"
               r"longest-\w+|town's|city's|county's)\s[^.,;\n|]+)", re.I),
    re.compile(r"\b(the\s+(?:mayor|sheriff|fire chief|police chief|superintendent|governor|senator|"
               r"champion)\s+(?:of|in|at)\s[^.,;\n|]+)", re.I),
]  # fmt: skip
HOUSE = (
    r"(?:\w*house\w*|\w*home|\w*boat|cabin|trailer|cottage|barn|bungalow|duplex|apartment|shack|lodge|ranch|"
    r"mansion|building|villa|"
    r"tower|condo|flat|studio|loft|room|camper|van|yurt|tent|church|store|shop|mill|gate|door|place)"
)
BESIDE = (
    r"(?:above|behind|below|beneath|beside|next to|next door to|across from|opposite|over|under|near|in front of|"
    r"around the corner from|down the road from|past|upstairs from|downstairs from|in back of|at the corner of|"
    r"at the end of)"
)
# Where somebody lives, in words: only neighbours would know, and they do.
DESCRIBED = [
    re.compile(rf"\b(?:lives?|living|lived|resides?|residing|rents?(?:\s\w+){{0,3}}|sublets|rooms|renting|"
               rf"dwells|stays?|staying|sleeps|moved|home is|house is|visit|found)\s+(?:right\s|just\s)?"
               rf"({BESIDE}\s(?:the|a|an|his|her|their)\s[^.,;\n|]+?)(?=\s(?:and|with|since|where|but|who)\b|"
               rf"[.,;\n|]|$)", re.I),
    re.compile(rf"\b((?:the|a|an)\s(?:[\w'-]+\s){{0,3}}?{HOUSE}\s(?:{BESIDE}|with|by|on|off|at)\s(?:the|a|an|"
               rf"old|his|her)\s[^.,;\n|]+?)"
               rf"(?=\s(?:and|since|where|but|who)\b|[.,;\n|]|$)", re.I),
    re.compile(r"\b(?:look for|looking for|directions:|home visit:|house:|find)\s((?:the|a|"
               r"an)\s(?=[\w' -]*\b(?:\w*house\w*|home|\w*boat|"
               r"cabin|trailer|cottage|barn|apartment|door|gate|shop|store)\b)[^.,;\n|]+)", re.I),
]  # fmt: skip
FOUR = re.compile(r"(?<![\w.])\d{4}(?!\w)")
SOCIAL = re.compile(r"social|ssn|last|ending|identity", re.I)
FIRST_WORD = re.compile(r"\b[A-Za-z]\w*")
TENS = r"(?:nine?ty|(?:one|a) hundred)"
ONES = r"(?:[-\s](?:and\s)?(?:one|two|three|four|five|six|seven|eight|nine|ten))?"
OLD = r"(?:9\d|1[0-2]\d)"
AGES = [
    re.compile(rf"(?<![\w./]){OLD}(?=[-\s]{{0,2}}(?:y\W?\s?o\b|yrs?\b|years?\b|y/o\b|y\b(?!\w)))", re.I),
    re.compile(rf"(?<![\w./])(?:{OLD})(?=\s?-?yo)", re.I),
    re.compile(rf"\b{TENS}{ONES}(?=[-\s](?:years?|yrs?|y)\b)", re.I),
    re.compile(rf"(?<=\b)(?:(?<=age )|(?<=age: )|(?<=aged )|(?<=turned )|(?<=turning )|(?<=turns )|"
               rf"(?<=died at )|(?<=A&W at )|(?<=well at )|(?<=alive at )|"
               rf"(?<=living at )|(?<=lived to )|(?<=age of )|(?<=passed at )|(?<=reached ))(?:{OLD}|"
               rf"{TENS}{ONES})\b(?!\s?(?:%|mg|kg|mm|bpm|/|lb))", re.I),
]  # fmt: skip


class TextRelease:
    """clean(patient_id, text); and `known.rows`, what the patients table tells of each patient."""

    def __init__(self, known, keyed, card, zips, hospitals, notes):
        self.known, self.keyed, self.as_of = known, keyed, card["as_of"]
        self.harmless, self.movers = set(), {}
        self.hospitals = [re.compile(re.escape(shadow(name)), re.I) for name in hospitals]
        self.records = record_shapes(card["mrn_format"])
        self.names = NameFinder(known.vocabulary, [shadow(text) for text in notes])
        # By the first word, the longest first.
        self.places = defaultdict(list)
        for place in sorted(known.towns | known.counties | known.employers, key=len, reverse=True):
            self.places[re.match(r"\w*", place)[0]].append(place)
        ends = "|".join(sorted(known.street_ends | STREET_ENDS, key=len, reverse=True))
        self.street = re.compile(
            rf"(?<![\w:./-])\d{{1,6}}[A-Za-z]? +(?:(?:county|state) (?:road|route|highway) \d+|"
            rf"(?:[\w'.]+ +){{1,3}}?(?:{ends})\b\.?){APT}",
            re.I,
        )
        self.zips = set(zips["zip"])
        self.wrote = {}

    def clean(self, pid, text):
        """The text without what identifies the patient."""
        if text in self.harmless or not text:
            return text
        if (pid, text) not in self.wrote:
            self.wrote[pid, text] = self.cleaned(pid, unicodedata.normalize("NFC", text))
        return self.wrote[pid, text]

    def cleaned(self, pid, text):
        plain, person = shadow(text), self.known.people.get(pid)
        if person is None:
            return "[TEXT]"
        taken, found = bytearray(len(plain) + 1), []

        def free(start, end):
            return 1 not in taken[start:end]

        def take(spans, write=None):
            for start, end, label in spans:
                if start < end and 1 not in taken[start:end]:
                    taken[start:end] = b"\1" * (end - start)
                    found.append((start, end, label if write is None else write(label)))

        def keep(start, end):
            if free(start, end):
                taken[start:end] = b"\1" * (end - start)

        def tag(label):
            return f"[{label}]"

        mover = self.mover(pid, person)
        own = list(own_spans(plain, person))
        for pattern in PRODUCTS:
            for match in pattern.finditer(plain):
                if not any(start < match.end() and match.start() < end for start, end, _ in own):
                    keep(*match.span())
        take(strong_spans(plain), tag)
        take(own, tag)
        take(announced_spans(plain), tag)
        take(derived_spans(plain, person), tag)
        for pattern in self.hospitals:
            for match in pattern.finditer(plain):
                keep(*match.span())
        take(self.ages(plain))
        for pattern in KEEP:
            for match in pattern.finditer(plain):
                keep(*match.span())
        take(self.addresses(plain, person), tag)
        for start, end in list(self.names.kept(plain)):
            keep(start, end)
        take(mover.spans(plain))
        for pattern in self.records:
            take(((m.start(), m.end(), "NUMBER") for m in pattern.finditer(plain)), tag)
        take(number_spans(plain), tag)
        for match in FOUR.finditer(plain):
            if match[0] == person.last_four and SOCIAL.search(plain, max(0, match.start() - 70), match.start()):
                take([(*match.span(), "SSN")], tag)
            if mover.old and match[0] == person.born[:4]:
                take([(*match.span(), "YEAR")], tag)
        take(self.towns(plain, person), tag)
        take(self.names.spans(plain, person, free), tag)
        return written(text, sorted(found))

    def mover(self, pid, person):
        if pid not in self.movers:
            old = self.known.rows.get(pid, {}).get("year") == "90+"
            self.movers[pid] = DateMover(person, self.keyed.days(pid), self.as_of, old)
        return self.movers[pid]

    def ages(self, plain):
        for pattern in AGES:
            for match in pattern.finditer(plain):
                yield match.start(), match.end(), "90+"

    def addresses(self, plain, person):
        """Streets, boxes, crossings, schools, employers, what fits one person only: phrases before their words."""
        for start, end in self.known_places(plain):
            if plain[start:end].lower() in self.known.employers:
                yield start, end, "EMPLOYER"
        for pattern in DESCRIBED:
            for match in pattern.finditer(plain):
                yield match.start(1), match.end(1), "ADDRESS"
        for pattern in UNIQUE:
            for match in pattern.finditer(plain):
                phrase = match[1]
                if next(self.known_places(phrase), None) or re.search(
                    r"\b(?:only|sole|mayor|chief|champion|"
                    r"former|longest)\b",
                    phrase,
                    re.I,
                ):
                    yield match.start(1), match.end(1), "DESCRIPTION"
        low = plain.lower()
        for place in person.places:
            at = low.find(place)
            while at >= 0 and place[0].isdigit():
                yield at, at + len(place), "ADDRESS"
                at = low.find(place, at + 1)
        for match in self.street.finditer(plain):
            number, rest = match[0].split(None, 1)
            end = rest.split(",")[0].split()[-1]
            if len(end) == 2 and end.isupper() and not rest.split()[0].isupper():
                continue
            if rest[0].isupper() or rest.split()[0].lower() in self.known.vocabulary:
                yield match.start(), match.end(), "ADDRESS"
        for match in PO_BOX.finditer(plain):
            yield match.start(), match.end(), "ADDRESS"
        for match in CROSSING.finditer(plain):
            near = re.search(
                r"\b(?:near|corner of|intersection of|at|from)\s$", plain[max(0, match.start() - 18) : match.start()]
            )
            if near or ("&" in match[0] and match[0][0].isdigit()):
                yield match.start(), match.end(), "ADDRESS"
        for match in SCHOOL.finditer(plain):
            yield match.start(), match.end(), "SCHOOL"
        for match in WORKS.finditer(plain):
            yield match.start(1), match.end(1), "EMPLOYER"

    def known_places(self, plain):
        """(start, end) of towns, counties and employers in the tables."""
        low = plain.lower()
        for match in FIRST_WORD.finditer(plain):
            for place in self.places.get(match[0].lower(), ()):
                end = match.start() + len(place)
                if low.startswith(place, match.start()) and not low[end : end + 1].isalnum():
                    yield match.start(), end
                    break

    def towns(self, plain, person):
        """Towns, counties and employers of anybody, and ZIP codes."""
        for start, end in self.known_places(plain):
            if not re.match(r"\s(?:hospital|clinic|medical|regional|health)", plain[end:][:10], re.I):
                yield start, end, "PLACE"
        for match in COUNTY.finditer(plain):
            yield match.start(), match.end(), "PLACE"
        for match in re.finditer(r"(?<![\w.])\d{5}(?:-\d{4})?(?!\w)", plain):
            yield match.start(), match.end(), "ZIP"


def written(text, found):
    """The text with its spans replaced."""
    out, at = [], 0
    for start, end, new in found:
        out += [text[at:start], new]
        at = end
    return "".join(out) + text[at:]


def table_rows(patients, zips, card):
    """patient_id -> {"year", "area"} as the patients table tells them."""
    years, areas = birth_years(patients["birth_date"], card["as_of"]), released_zips(patients["zip"], zips)
    return {pid: {"year": y, "area": a} for pid, y, a in zip(patients["patient_id"], years, areas)}
