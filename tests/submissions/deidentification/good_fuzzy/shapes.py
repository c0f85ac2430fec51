"""Identifiers by their shape and by the words in a window before them; and what looks like one and is medicine."""

import re


def rule(pattern, flags=re.I):
    return re.compile(pattern, flags)


UNIT = (
    r"(?:mg|mcg|ug|g|kg|lbs?|ml|l|dl|mmol|meq|units?|iu|m\[iu\]|k/ul|u/l|ng|pg|mm|cm|ft|bpm|mmhg|mm\[hg\]|"
    r"tab(?:let)?s?|"
    r"puffs?|caps(?:ules?)?|drops?|hours?|hrs?|min(?:utes)?|days?|weeks?|months?|\{inr\}|msec|mci|cc|"
    r"actuat(?:ion)?s?|cigarettes|packs?)(?![a-z0-9])"
)
# Numbers of products, studies and programs belong to nobody.
PRODUCTS = [
    rule(r"(?<!\d )\b(?:lot|batch|ref|cat(?:alog)?|order set|protocol|irb|trial|study|version|software|firmware|"
         r"release|"
         r"strain|"
         r"edition|loinc|cpt|hcpcs|ndc|snomed|rxnorm|pmid|isbn|guideline|figure|table|chapter)(?:\s+(?:no|"
         r"number|code|id)\b)?"
         r"[.:#\s]{1,3}(?=[\w/.-]*\d)\w+(?:[-./]\w+)*"),
    rule(r"\bNCT ?\d{8}\b"),
    rule(r"\b[ABC]/[A-Za-z ]+/\d+/\d{2,4}\b"),
]  # fmt: skip
# Medicine that must stay as it is.
KEEP = [
    rule(rf"(?<![\w.-])\d+(?:[.,]\d+)?(?:\s?-\s?\d+(?:[.,]\d+)?)?\s?(?:{UNIT}|%)(?:/[\w.\[\]{{}}]+(?: m2)?)*"),
    rule(r"(?<![\w.-])\d{1,3}(?:\.\d)?\s?(?:C|F)(?![\w'.-])", 0),
    rule(r"(?<![\w./-])24/7(?![\w/])"),
    rule(r"(?<![\w./-])(?:[6-9]\d|1\d\d|2[0-4]\d)/(?:[3-9]\d|1[0-4]\d)(?![\w/])"),
    rule(r"\b(?:bp|blood pressure)\s*(?:was|is|of|:)?\s*\d{2,3}/\d{2,3}"),
    rule(r"\b(?:hr|pulse|rr|spo2|sats?|saturation|gcs|wt|weight|ht|temp(?:erature)?|t|rate|o2|bmi|"
         r"ef)(?:\s+(?:was|is|of|today))?"
         r"[\s:=]+\d{1,3}(?:\.\d+)?%?(?![\w/-])"),
    rule(r"(?<![\w-])[A-TV-Z]\d[0-9A-Z]\.[0-9A-Z]{1,4}(?![\w-])", 0),
    rule(r"(?<=icd-10 )[A-TV-Z]\d[0-9A-Z](?![\w-])"),
    rule(r"\b[CTLS]\d{1,2}\s?-\s?[CTLS]?\d{1,2}\b", 0),
    rule(r"\b(?:pain|strength|power|apgar|scale|score)[\s:=]+(?:(?:is|was|of|score|level|rated|now|at|"
         r"scale)\s+){0,2}\d{1,2}(?:/\d{1,2})?(?![\w/-])"),
    rule(r"(?<![\w.-])\d{1,3}-\d{1,3}(?![\w-]|\.\d)(?=\s+(?:before|after|at|units?|fasting|range|in|over|with|mg|mm|"
         r"times|x)\b)"),
    rule(r"(?<![\w./-])\d{1,2}(?:-\d{1,2}){3,}(?![\w-])"),
    rule(r"\b(?:[A-Z]{3,7}-\d{1,2}|MMSE|MoCA|SLUMS|APGAR|NIHSS|GDS|PHQ|GAD|AUDIT|EPDS|OD|OS|OU|"
         r"VA)\s\d{1,2}/\d{1,3}(?![\w/])", 0),
    rule(r"\b1/[2-4] (?:tablet|tab|pill|dose|cup)\w*"),
    rule(r"\b(?:hba1c|spo2|covid-19|sars-cov-2|fev1|a1c|t2|vitamin [bd]\d*)\b"),
]  # fmt: skip

AT_SIGN = r"(?:\s*(?:@|\[\s*at\s*\]|\(\s*at\s*\)|\{\s*at\s*\}|<\s*at\s*>)\s*)"
DOT = r"(?:\s*(?:\[\s*dot\s*\]|\(\s*dot\s*\)|\{\s*dot\s*\})\s*|\s+dot\s+|\s?\.\s?)"
LOCAL = (
    r"[\w%+-]+(?:(?:\.|\s(?:dot|underscore|dash|hyphen|minus|plus|period|point)\s|[\[(](?:dot|underscore|"
    r"dash)[\])])[\w%+-]+)*"
)
TOP = r"(?:com|org|net|edu|gov|info|us|io|co|mil|biz)"
TOPS = tuple("." + top for top in TOP[3:-1].split("|"))
FILES = tuple("." + end for end in "jpg jpeg png gif tif bmp heic pdf doc txt dcm mp4 mov wav rtf zip".split())
# Shapes that need no context; the first that finds a place has it. Each is looked for where one of some texts stands.
STRONG = [
    ("URL", ("://", ": /"), rule(r"\b(?:https?|hxxps?|ftp)\s?:\s?//\s?[^\s<>\"|)]+")),
    ("EMAIL", ("@", "at]", "at )", "at)", "at ]", "at}", "at>"),
     rule(rf"(?<![\w.]){LOCAL}{AT_SIGN}[\w-]+(?:{DOT}[\w-]+)*?{DOT}{TOP}\b")),
    ("URL", TOPS, rule(rf"(?<![\w@.-])(?:www\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*\.{TOP}/[^\s<>\"|)]*")),
    ("EMAIL", (" dot ",), rule(rf"(?<![\w.]){LOCAL}\s+at\s+[\w-]+(?:{DOT}[\w-]+)*?\s+dot\s+{TOP}\b")),
    ("EMAIL", TOPS, rule(rf"(?<![\w.])(?=\w*[\d_.]){LOCAL}\s+at\s+[\w-]+(?:\.[\w-]+)*\.{TOP}\b")),
    ("EMAIL", ("@",), rule(r"[\w.+-]+@[\w.-]+\w")),
    ("URL", TOPS, rule(rf"\b(?:www\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*\.{TOP}(?:/[^\s<>\"|)]*)?(?![\w@])")),
    ("FILE", FILES, rule(r"[^\s|,;:()]+\.(?:jpe?g|png|gif|tiff?|bmp|heic|pdf|docx?|txt|dcm|mp4|mov|wav|rtf|zip)\b")),
    ("DEVICE", ("1)",), rule(r"\(0?1\)\s?\d{8,14}(?:\s?\(\d\d\)\s?[\w-]+)*")),
    ("HASH", ("=", ":"), rule(r"\b(?:sha-?\d{1,3}|md5|hash|crc32)\s?[=:]\s?[0-9a-f]+")),
    ("HASH", (), rule(r"\b(?=[\w+/]*\d)(?=[\w+/]*[a-z])[A-Za-z0-9+/]{16,}={0,2}(?![\w])")),
    ("IP", (".",), rule(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?!\w|\.\d)")),
    ("IP", (":",), rule(r"(?<![\w:])(?:[0-9a-f]{1,4}:){2,7}(?::?[0-9a-f]{1,4})?(?::[0-9a-f]{1,4})*(?![\w:])")),
    ("IP", (":", "-"), rule(r"\b(?<![\w:])(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}(?![\w:])")),
]  # fmt: skip
SEP = r"[ .\-/*_·]{0,3}"
EXT = r"(?:\s*,?\s*(?:x|ext|extension|#)\.?\s*\d{1,6}|\s?(?:/|,|or|&)\s?-?\d{4}(?![\d/-]))?"
PHONE = [
    rule(rf"(?<![\w.-])(?:\+|00)\d{{1,3}}[ .\-/]*(?:\(?\d{{1,4}}\)?[ .\-/]?){{2,6}}\d{EXT}(?!\d)"),
    rule(rf"(?<![\w.])(?:1{SEP})?[(\[]?\d{{3}}[)\]]?{SEP}\d{{3}}{SEP}\d{{2}}[ .-]?\d\d{EXT}(?!\w)"),
    rule(rf"(?<![\w.-])\d{{3}}[-. ]\d{{4}}{EXT}(?![\w-])"),
]
SSN = rule(r"(?<![\w-])(?:\d{3}|[x*#]{3})[ .\-/*_]{1,3}(?:\d\d|[x*#]{2})[ .\-/*_]{1,3}\d{4}(?![\w-])")
PLATE = rule(r"(?<![\w.])(?:\d [a-z]{3} \d{3}|(?-i:[A-Z]{3})[ -]\d{3,4}|\d{3}[ -](?-i:[A-Z]{3}))(?![\w-])")
DIGIT_PLATE = rule(r"(?<![\w./-])\d[ -]([a-z]{3})[ -]\d{3}(?![\w/%-]|\.\d)")
NO_PLATE = set(
    "mgs mcg tab cap day hrs min for and the per sec amp lbs cms its mls bid tid qid prn ivs was had via with".split()
)
# Letters and the digits of a day after them.
LETTERS_DIGITS = rule(
    r"(?<![\w.@/-])([a-z][a-z._-]{1,14})[ _.-]?(\d{1,2}[./-]\d{1,2}|\d{2}|\d{4}|\d{6}|\d{8})(?![\w/@-]|\.\d)"
)
CAR = rule(r"plate|\btag\b|\bcar\b|vehicle|truck|\bvan\b")
# A run without blanks, or digits in groups.
RUN = rule(r"(?<![\w.])#?\b(?=[\w./*-]*\d)\w+(?:[-./_:*]+\w+)*")
GROUPS = rule(r"(?<![\w./-])[A-Z]{0,4}\d{2,6}(?:[ ]{1,2}[A-Z]?\d{2,6}[A-Z]?){1,4}(?![\w/%]|\.\d)", 0)
# Capitals and digits in groups, for what has been announced.
CODES = rule(r"(?<![\w./-])(?=[A-Z -]{0,12}\d)[A-Z0-9]{1,9}(?:[ -][A-Z0-9]{2,9}){1,4}(?![\w/%-]|\.\d)", 0)
ANNOUNCED = re.compile(
    r"(?:\b(?:account|acct|member(?:ship)?|policy|subscriber|group|licen[cs]e|badge|plate|serial|s/n|sn|vin|"
    r"vehicle|device|"
    r"record|mrn|mr|chart|number|num|no|id|ident\w*|ssn|ssa|soc(?:ial)?|security|four|digits|ending|claim|ticket|"
    r"certificate|cert|registration|template|key|fingerprint|biometric|passport|visa|card|medicare|medicaid|"
    r"insurance|"
    r"phone|tel|telephone|cell|mobile|fax|pager|call(?:ed)?|callback|cb|reached|guarantor|invoice|locker|code|pin|"
    r"access(?:ion)?|tag|implant|plan)\b|#)\.?[^.\n;|\w]{0,3}(?:\b(?:is|was|shows?|reads?|number|no|"
    r"of|the|at|on|in|with|has|to|ends|"
    r"number is|id)\b\.?[^.\n;|\w]{0,3}){0,3}#?\s*$", re.I
)  # fmt: skip
NEAR_PAGE = re.compile(r"\bpage[r]?\b[^.\n]{0,12}$", re.I)
MEDICAL_RUN = re.compile(
    r"(?:[A-TV-Z]\d[0-9A-Z](?:\.\w{1,4})?|[CTLS]\d{1,2}(?:-[CTLS]?\d{1,2})?|\d+(?:\.\d+)?(?:-\d+(?:\.\d+)?)?|"
    r"\d+/\d+|(?:19|20)\d\d(?:-(?:19|20)?\d\d)?|\d{1,2}:\d\d(?::\d\d)?)",
)


def record_shapes(formats):
    """The card's record numbers as patterns, with or without separators."""
    patterns = []
    for text in sorted(set(formats.values())):
        parts = [
            r"\d" if c == "#" else "[A-Za-z]" if c == "@" else re.escape(c) for c in text if c.isalnum() or c in "#@"
        ]
        patterns.append(rule(r"(?<![\w-])#?" + r"[-./ ]{0,2}".join(parts) + r"(?![\w-])"))
    return patterns


def strong_spans(plain):
    """(start, end, label) of URLs, addresses of machines and people, file names, hashes."""
    low = plain.lower()
    for label, signs, pattern in STRONG:
        if signs and not any(sign in low for sign in signs):
            continue
        for match in pattern.finditer(plain):
            text = match[0]
            if label == "IP" and ":" in text and "::" not in text and text.count(":") < 5:
                continue
            if label == "URL" and "/" not in text and not any(c.isdigit() for c in text):
                continue
            end = match.end() - (len(text) - len(text.rstrip(".,;:'\"")))
            yield match.start(), end, label


def announced_spans(plain):
    """(start, end, label) of capitals and digits in groups that a word before them announces."""
    for match in CODES.finditer(plain):
        if sum(c.isdigit() for c in match[0]) >= 4 and ANNOUNCED.search(
            plain[max(0, match.start() - 48) : match.start()]
        ):
            yield match.start(), match.end(), "NUMBER"
    for match in PLATE.finditer(plain):
        if CAR.search(plain, max(0, match.start() - 40), match.start()):
            yield match.start(), match.end(), "VEHICLE"


def number_spans(plain):
    """(start, end, label) of numbers that are no medicine by their shape."""
    for pattern in PHONE:
        for match in pattern.finditer(plain):
            yield match.start(), match.end(), "PHONE"
    for match in SSN.finditer(plain):
        yield match.start(), match.end(), "SSN"
    for match in DIGIT_PLATE.finditer(plain):
        if match[1].lower() not in NO_PLATE:
            yield match.start(), match.end(), "VEHICLE"
    for pattern in (GROUPS, RUN):
        for match in pattern.finditer(plain):
            text = match[0].rstrip("-./_:*")
            digits, letters = sum(c.isdigit() for c in text), sum(c.isalpha() for c in text)
            before = plain[max(0, match.start() - 48) : match.start()]
            told = ANNOUNCED.search(before) is not None
            if NEAR_PAGE.search(before):
                continue
            if told and digits and letters and digits + letters >= 8:
                yield match.start(), match.start() + len(text), "NUMBER"
            elif told and digits >= 3 and not re.fullmatch(r"\d+(?:\.\d{1,2})?", text):
                yield match.start(), match.start() + len(text), "NUMBER"
            elif told and digits >= (3 if pattern is RUN else 4) and "." not in text:
                yield match.start(), match.start() + len(text), "NUMBER"
            elif digits >= 5 and not (digits < 7 and pattern is GROUPS) and not re.fullmatch(r"\d+\.\d+", text):
                yield match.start(), match.start() + len(text), "NUMBER"
            elif letters >= 2 and digits >= 3 and digits + letters >= 6 and not MEDICAL_RUN.fullmatch(text):
                yield match.start(), match.start() + len(text), "NUMBER"


def derived_spans(plain, person):
    """(start, end, label) of logins and labels that are made of the patient's name and birthday."""
    for match in LETTERS_DIGITS.finditer(plain):
        letters = re.sub("[^a-z]", "", match[1].lower())
        digits = re.sub(r"\D", "", match[2])
        if len(letters) > 1 and person.derived(letters, digits):
            yield match.start(), match.end(), "CODE"


def squeezed_places(plain):
    """(letters and digits of a text in lower case, where each stands in the text)."""
    places = [n for n, c in enumerate(plain) if c.isalnum()]
    return "".join(plain[n] for n in places).lower(), places


def own_spans(plain, person):
    """Numbers and whole names of the patient and the people around, whatever stands between their characters."""
    # The same characters in another order, in pairs from the end perhaps.
    mixed = {"".join(sorted(number)) for number in person.numbers if len(number) >= 7}
    for match in RUN.finditer(plain):
        text = match[0].rstrip("-./_:*")
        if len(text) >= 7 and "".join(sorted(c for c in text.lower() if c.isalnum())) in mixed:
            yield match.start(), match.start() + len(text), "NUMBER"
    squeezed, places = squeezed_places(plain)
    local = {number[3:] for number in person.numbers if number.isdigit() and len(number) == 10}
    bare = {number.lstrip("0") for number in person.numbers if number.startswith("0")}
    for form in sorted(person.numbers | local | bare | person.joined, key=len, reverse=True):
        at = squeezed.find(form)
        while at >= 0:
            start, end = places[at], places[at + len(form) - 1] + 1
            inside = plain[start:end]
            free = (start == 0 or not plain[start - 1].isdigit()) and not plain[end : end + 1].isdigit()
            short = len(inside) <= 1.6 * len(form) + 3 and "\n" not in inside and "|" not in inside
            if form in person.joined:
                # Names run together; a space between them is the business of the finder of names.
                around = plain[max(0, start - 1) : start] + plain[end : end + 1]
                if not re.search(r"[A-Za-z]", around) and not re.search(r"[\s,&/|]", inside):
                    yield start, end, "NAME"
            elif free and short:
                start -= len(
                    re.search(r"(?:(?:\+|00)?1[ .\-/]{0,2})?[(\[#+]*$|\w+$", plain[max(0, start - 12) : start])[0]
                )
                start += plain[start] in "([" and not set(")]") & set(plain[start:end])
                tail = re.match(EXT + r"\w*(?:-(?=\w*[a-z])(?=\w*\d)\w+)?", plain[end:], re.I)
                yield start, end + tail.end(), "NUMBER"
            at = squeezed.find(form, at + 1)
