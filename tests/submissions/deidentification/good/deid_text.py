"""Free text: find identifiers, replace each with its kind, as in [NAME]."""

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import OSA

import deid_patterns as p
from deid_people import fold
from deid_policy import OLD

WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)?(?:-[A-Za-z]+(?:'[A-Za-z]+)?)*")
SIGNS = re.compile(r"[a-z0-9]+")
SMALL_MAY = re.compile(r"\bmay\b")
# What a person does at the start of a sentence: "Long says ..." is a name, "Long walks ..." may not be.
DOES = re.compile(r"(?:'s\b|s'|,? (?:"
                  r"is|was|has|had|says|said|lives|knows|keeps|helps|tolerated|improved|prefers|given|"
                  r"takes|will|reports?|moved|denies|denied|family|A&O|arrived|works|volunteers|"
                  r"presents?|comes|missed|wants|asks|asked|states|stated|did|does|called|can|"
                  r"and (?:his|her)|felt|feels|understands|agrees|came|went|may|walks|uses|admitted|"
                  r"seen|writes|updated|remembers?|stays|stayed|got|told|\d{2}-year|\(\d|\d\d ?y"
                  r"))", re.I)
RANGE_END = re.compile(r" ?(?:-|to|through|until) ?(?:\d{1,2}/\d{1,2}(?:/\d{2,4})?|"
                       r"(?:[12]\d|3[01]|[1-9])(?=[.,;) \n]|$)(?! ?(?:mg|mL|days|weeks|%)))", re.I)
LINE_START = re.compile(r"(?:^|[\n|]|[.!?:]\s|[-*]\s)\s*(?:[-*|]\s*)?$")
# Words of headings and forms: never a name by being near one.
FORM_WORDS = set(
    "name patient mrn dob sex born record number date birth service seen visit provider clinician address phone "
    "home tel loc written time signed pt history findings medication social administrative assessment and plan "
    "presentation examination registration disposition hospital course results discharge call review details "
    "advice medical center clinic doctor dr the a an he she his her they this that there mr mrs ms miss mx on in "
    "at of for from to with by no not nothing known next kin nok emerg spouse child parent sibling neighbor "
    "friend electronically copy dictation end please type medicare medicaid apt box street county ssn email "
    "e-mail family blood vital result laboratory labs current treatment symptoms insurance portal messages mail "
    "lives works".split())
COMMON = set(
    "may will hope grace faith joy long short young old little big low high head heart brain stone green white "
    "black brown gray grey rose june april august page price love heard day wall field fields hill woods wood "
    "rich best bright good sharp hurt bath foot hand skin car home diet mail son an my he she ho le so do the in "
    "van early late sunny rocky lucky happy fortune precious patience mark grant drew pat art bill frank chip "
    "dean major king duke earl guy miles penny summer winter autumn spring snow rain cook baker mason carpenter "
    "smith bishop pope abbott weeks month weight broad strong swift stark small cross ball lamb wolf fox fish "
    "salmon pound banks rivers lake marsh rush read reading walk case chart lane street park forest noble wise "
    "true gold silver diamond pearl ruby iris lily violet ivy olive hazel basil sage ginger candy sandy misty "
    "dusty tubes cane temple church wells norwalk glasgow wilson graves parkinson hodgkin crohn foley bell down "
    "addison".split())


class Scrubber:
    """directory: who is who.  corpus: the notes, from which common words are learnt."""

    def __init__(self, directory, policy, corpus):
        self.directory, self.policy = directory, policy
        self.common = COMMON | common_words(corpus, directory)
        self.not_names = self.common | FORM_WORDS | frequent_words(corpus)
        self.dates = [re.compile(rf"(?<![\w.]){p.DATES[0]}", re.I)]
        self.dates += [re.compile(rf"(?<![\w./]){rule}", re.I) for rule in p.DATES[1:]]
        self.dates.append(re.compile(p.LONE_MONTH))
        self.month_day = re.compile(p.MONTH_DAY, re.I)
        self.rules = [(kind, re.compile(r, re.I)) for kind, rules in p.NUMBERS.items() for r in rules]
        self.rules += [("ADDRESS", re.compile(r)) for r in p.STREETS + p.ZIPS]
        self.rules += [("ID", re.compile(mrn_pattern(f), re.I)) for f in policy.mrn_formats]
        self.rules += [("AGE", re.compile(r, re.I)) for r in p.AGES]
        self.rules += [("DESCRIPTION", re.compile(r)) for r in p.UNIQUE]
        if directory.places:
            cities = "|".join(map(spaced, sorted(directory.places, key=len, reverse=True)))
            self.rules.append(("DESCRIPTION", re.compile(p.IN_PLACE.format(cities=rf"(?:{cities})\b"), re.I)))
        self.rules += [("EMPLOYER", re.compile(r)) for r in p.WORK] + [("PLACE", re.compile(r)) for r in p.HOMES]
        # Names are told from other words by their capitals, these are not.
        self.rules += [(k, re.compile(r, 0 if k == "ADDRESS" else re.I)) for k, rules in p.HOUSE.items() for r in rules]
        self.never = [re.compile(r) for r in p.NEVER]
        self.people = [re.compile(r) for r in [*p.PEOPLE, p.LODGER]]
        self.spelled = re.compile(p.SPELLED)
        self.initials = re.compile(p.INITIALS)
        self.protected = [re.compile(r) for r in p.PROTECTED]
        self.phrases = Phrases({"PLACE": directory.places | directory.zips, "EMPLOYER": directory.employers})
        self.organizations = Phrases({"HOSPITAL": directory.organizations})
        self.read = lru_cache(maxsize=2000)(self._read)  # tables and FHIR hold the same comments
        self.matchers = lru_cache(maxsize=None)(self._matchers)

    def scrub(self, text, patient_id):
        """The text with [KIND] in the place of each identifier."""
        if not text:
            return text
        seen = self.read(text)
        spans = list(seen.spans)
        for sought in self.matchers(patient_id)["literals"]:
            spans += [(a, b, "ID") for a, b in seen.squeezed.find(sought)]
        for rule in self.matchers(patient_id)["born"]:
            spans += [(*match.span(), "ID") for match in rule.finditer(seen.text)]
        names = [(a, b, "NAME") for a, b in self.find_names(seen, patient_id)]
        spans += [piece for span in names for piece in cut(span, seen.kept)]
        return replace(text, spans)

    def _read(self, text):
        """What can be told of a text whoever its patient is."""
        folded = fold(text)
        hospitals = [(a, b) for a, b, _ in self.organizations.find(folded)]
        spans = [*self.find_numbers(folded), *self.find_dates(folded)]
        spans += [s for s in self.phrases.find(folded) if s[2] != "PLACE" or not in_form(folded[s[0]:s[1]])]
        spans = [s for s in spans if not (s[2] in ("PLACE", "ADDRESS") and inside(s, hospitals))]
        never = [m.span() for r in self.never for m in r.finditer(folded)]
        spans = [piece for span in spans for piece in cut(span, never)]
        hospitals += never
        kept = [m.span() for r in self.protected for m in r.finditer(folded)] + hospitals
        words = [(m.start(), m.end(), m[0]) for m in WORD.finditer(folded)]
        announced = [
            (rule is self.people[0], match.span(group))
            for rule in self.people for match in rule.finditer(folded)
            for group in ("x", "y") if group in rule.groupindex and match[group]
        ]
        return Seen(folded, Squeezed(folded), words, spans, kept, announced)

    # ---- numbers, places, dates

    def find_numbers(self, text):
        for kind, rule in self.rules:
            for match in rule.finditer(text):
                start, end = match.span("x" if "x" in rule.groupindex else 0)
                if kind != "PLACE" or not in_form(text[start:end]):
                    yield start, end, kind

    def find_dates(self, text):
        for rule in self.dates:
            for match in rule.finditer(text):
                if SMALL_MAY.search(match[0]) and not re.search(p.YEAR, match[0]):
                    continue  # "may 2 tablets"
                start, end = match.span("x" if "x" in rule.groupindex else 0)
                if more := RANGE_END.match(text, end):  # "March 5-7"
                    end = more.end()
                yield start, end, "DATE"
        for match in self.month_day.finditer(text):
            if p.BEFORE_FRACTION.search(text[max(0, match.start() - 25):match.start()]):
                continue
            more = RANGE_END.match(text, match.end())
            yield match.start(), more.end() if more else match.end(), "DATE"

    # ---- names

    def find_names(self, seen, patient_id):
        person = self.directory.people[patient_id]
        text = seen.text
        # Even "Mr. She" is a name; "Patient: MRN" is none, save where the patient is called so.
        spans = [
            (a, b) for sure, (a, b) in seen.announced
            if sure or not in_form(text[a:b]) or text[a:b].lower() in person.names
        ]
        spans += [m.span() for m in self.spelled.finditer(text)]
        spans += self.find_initials(text, person)
        for sought in self.matchers(patient_id)["full_names"]:
            spans += seen.squeezed.find(sought)
        spans += self.find_words(text, seen.words, person)
        return extend(text, spans)

    def find_initials(self, text, person):
        letters = {w[0].upper() for w in person.names}
        for match in self.initials.finditer(text):
            if {c for c in match[0] if c.isalpha()} <= letters:
                yield match.span()

    def find_words(self, text, words, person):
        """Names of this patient and the patient's people anywhere, of others only as given and family name."""
        own = [self.is_own(word, person) for _, _, word in words]
        for i, (start, end, word) in enumerate(words):
            if own[i]:
                if own[i] == "sure" or beside_own(text, words, own, i) or reads_as_name(text, start, end, person):
                    yield start, end
            elif i + 1 < len(words) and word[0].isupper() and words[i + 1][2][0].isupper():
                following = words[i + 1]
                between = text[end:following[0]]
                if between == " " or between in (",", ", "):
                    a, b = (word, following[2]) if between == " " else (following[2], word)
                    if self.is_someone(a, b):
                        yield start, following[1]

    def is_own(self, word, person):
        """"sure", "maybe" or "" for a word that may name the patient or the patient's people."""
        bare = re.sub(r"'s?$|'S$", "", word)
        lower = bare.lower()
        options = {lower} | {part for part in lower.split("-") if len(part) > 2}
        options |= {re.sub(e, "", lower) for e in ("s$", "es$") if word[0].isupper() and len(lower) > 3}
        found = options & person.names
        if found:
            if word[0].islower():
                return "" if found & self.common or max(map(len, found)) < 4 else "sure"
            return "maybe" if max(map(len, found)) < 3 or found <= self.common else "sure"
        if len(lower) >= 5 and word[0].isupper() and lower not in self.not_names:
            for name in person.names:
                if len(name) >= 5 and name[0] == lower[0] and abs(len(name) - len(lower)) <= 2 \
                        and OSA.distance(name, lower, score_cutoff=2) <= (1 if len(name) < 8 else 2):
                    return "sure"
        return ""

    def is_someone(self, given, family):
        given, family = given.lower(), family.lower()
        if (given, family) in self.directory.full_names:
            return True
        if {given, family} & FORM_WORDS or given in self.common and family in self.common:
            return False
        return given in self.directory.givens and bool({family, *family.split("-")} & self.directory.families)

    def _matchers(self, patient_id):
        """What to look for in the squeezed notes of one patient."""
        person = self.directory.people[patient_id]
        full = set()
        for given, family in person.full_names:
            g, f = squeeze(given), squeeze(family)
            if g and f:
                full |= {g + f, f + g}
                if len(f) > 3:
                    full.add(g[0] + f)
                if " " in family and len(f) > 3:  # "de la O"
                    full.add(f)
        literals = {squeeze(x).lstrip("0") for x in person.numbers | person.literals}
        born = []
        if person.birth_date:
            # "RP 14/3": initials with day and month of birth
            month, day = int(person.birth_date[5:7]), int(person.birth_date[8:10])
            born.append(re.compile(rf"\b[A-Z]{{2,4}} 0?{day}/0?{month}(?![\d/])"))
        if self.policy.birth_year(person.birth_date) == OLD:  # the year alone tells an age of 90 or more
            born.append(re.compile(rf"(?<![\w.]){person.birth_date[:4]}(?![\w%]|\.\d)|'{person.birth_date[2:4]}(?!\w)"))
        return {"full_names": full, "literals": {x for x in literals if len(x) > 4}, "born": born}


def beside_own(text, words, own, i):
    """Is another name of the patient's people next to word i, with or without an initial between?"""
    for step in (-1, 1):
        for k in (i + step, i + 2 * step):
            if not 0 <= k < len(words):
                break
            gap = text[words[min(i, k)][1]:words[max(i, k)][0]]
            if own[k] and (len(gap) <= 2 or re.fullmatch(r" [A-Z]\.? ", gap)):
                return True
    return False


def reads_as_name(text, start, end, person):
    """Is a common word with a capital letter a name here?"""
    word, after = text[start:end], text[end:end + 25]
    if word[0].isupper() and re.search(r"\b[A-Z]\. ?$", text[max(0, start - 4):start]):
        return True
    initial = re.match(r",? ([A-Z])\.(?=[\s,;)])", after)
    if initial and initial[1].lower() in {name[0] for name in person.names}:
        return True
    if word.isupper() and len(word) > 1 and LINE_START.search(text[max(0, start - 12):start]):
        return False
    if DOES.match(after):
        return True
    if re.match(r" [A-Z][a-z]+ (?:syndrome|disease)", after):
        return False
    return not LINE_START.search(text[max(0, start - 12):start])


@dataclass
class Seen:
    """A text without accents, and what patterns found in it.

    words: (start, end, word).  spans: (start, end, kind).  kept: medicine and hospitals, which hold no names.
    announced: (sure, span) of names told by what stands around them.
    """

    text: str
    squeezed: "Squeezed"
    words: list
    spans: list
    kept: list
    announced: list


class Phrases:
    """Finds phrases in any case, with any white space or hyphens between their words. kinds: kind -> phrases."""

    def __init__(self, kinds):
        self.by_start = {}
        for kind, phrases in kinds.items():
            for phrase in phrases:
                rule = re.compile(spaced(phrase) + r"(?![a-z0-9])", re.I)
                self.by_start.setdefault(SIGNS.search(phrase)[0], []).append((rule, kind))

    def find(self, text):
        for start in SIGNS.finditer(text.lower()):
            for rule, kind in self.by_start.get(start[0], ()):
                if match := rule.match(text, start.start()):
                    yield *match.span(), kind


class Squeezed:
    """A text reduced to its letters and digits, to find names and numbers however they are spaced."""

    def __init__(self, text):
        self.text = text
        self.places = [m.start() for m in re.finditer(r"[A-Za-z0-9]", text)]
        self.signs = squeeze(text)

    def find(self, sought):
        at = self.signs.find(sought)
        while at >= 0:
            start, end = self.places[at], self.places[at + len(sought) - 1] + 1
            whole = not self.text[start - 1:start].isalnum() or self.text[start - 1] == "0" and sought[0].isdigit()
            gaps = len(re.sub(r"[A-Za-z0-9]", "", self.text[start:end]))
            if whole and not self.text[end:end + 1].isalnum() and gaps <= max(4, len(sought) // 2):
                yield start, end
            at = self.signs.find(sought, at + 1)


def squeeze(text):
    return re.sub(r"[^A-Za-z0-9]", "", text).lower()


def common_words(corpus, directory):
    """Words that notes write in lower case more often than not; names are seldom written so."""
    lower, upper = Counter(), Counter()
    for text in corpus:
        for word in set(re.findall(r"[A-Za-z]+", fold(text))):
            (lower if word.islower() else upper)[word.lower()] += 1
    names = directory.givens | directory.families
    return {w for w, n in lower.items() if (n > upper[w] or n > 40) if w not in names or n > max(8, len(corpus) // 300)}


def frequent_words(corpus):
    """Words of one note in a hundred: no misspelled name comes as often."""
    counts = Counter(word for text in corpus for word in set(re.findall(r"[a-z]+", fold(text).lower())))
    return {word for word, n in counts.items() if n > max(3, len(corpus) / 100)}


def spaced(phrase):
    """A pattern for the phrase with any white space and hyphens between its words."""
    return r"[\s\-]+".join(re.escape(w) for w in re.split(r"[\s\-]+", phrase) if w)


def mrn_pattern(form):
    """A pattern for a record number format of the card: # is a digit, @ a letter; separators may differ."""
    signs, gaps = [], []  # gaps: what may stand before each sign
    for k, c in enumerate(form):
        if c not in "#@" and not c.isalnum():
            continue
        beside = form[k - 1:k] + c
        if beside == "##" or not beside[0].isalnum() and beside[0] not in "#@":
            gaps.append(r"[ \-./_]{0,2}")
        else:
            gaps.append(r"[\-./_]?")  # no blank: "of 11/21/25" is no "@@######"
        signs.append({"#": r"\d", "@": "[a-z]"}.get(c, re.escape(c)))
    if "@" not in form and not any(c.isalpha() for c in form):
        # Digits only are many other things as well.
        gaps = [r"[ \-._]?" if len(signs) >= 7 else ""] * len(signs)
    return r"(?<![a-z0-9])#?" + "".join(map("".join, zip(["", *gaps[1:]], signs))) + r"(?![a-z0-9])"


# ---- spans ---------------------------------------------------------------------------------------

BEFORE_NAME = re.compile(r"(?:(?:(?<![\w/&])[A-Z]\.?|"
                         r"\b(?:Al|El|De|La|Del|Van|Von|Bin|Abu|Big|Little|Old|Young|Uncle|Aunt))[ \-])+$")
AFTER_NAME = re.compile(r"(?:[ ,]+[A-Z]\.?(?=[\s|,.(]|$))?(?:'s|')?(?:-[A-Z][A-Za-z]+)*")


def extend(text, spans):
    """Names with their initials before and behind."""
    for start, end in spans:
        before = BEFORE_NAME.search(text[max(0, start - 15):start])
        if before:
            start -= len(before[0])
        after = AFTER_NAME.match(text, end)
        tail = after[0] if after else ""
        if tail.rstrip("'s").strip(" ,") or "-" in tail:
            end += len(tail)
        yield start, end


def in_form(text):
    """Is its first word one of headings and forms?"""
    word = WORD.search(text)
    return bool(word) and word[0].lower() in FORM_WORDS


def inside(span, areas):
    return any(a <= span[0] and span[1] <= b for a, b in areas)


def cut(span, areas):
    """The pieces of a span outside the areas."""
    start, end, kind = span
    for a, b in sorted(areas):
        if a < end and b > start:
            if a > start:
                yield start, a, kind
            start = max(start, b)
    if start < end:
        yield start, end, kind


def replace(text, spans):
    merged = []
    kinds = ["DATE", "NAME", "ADDRESS"]  # what to call a span that is several kinds
    for start, end, kind in sorted(spans, key=lambda s: (s[0], -s[1], kinds.index(s[2]) if s[2] in kinds else 9)):
        while start < end and text[start] in " \n|,;":
            start += 1
        while end > start and text[end - 1] in " \n|,;":
            end -= 1
        if start >= end:
            continue
        if merged and start < merged[-1][1]:
            merged[-1][1] = max(end, merged[-1][1])
        else:
            merged.append([start, end, kind])
    parts, last = [], 0
    for start, end, kind in merged:
        parts += [text[last:start], f"[{kind}]"]
        last = end
    return "".join(parts) + text[last:]
