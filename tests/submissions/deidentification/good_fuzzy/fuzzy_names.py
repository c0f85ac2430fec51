"""Names: every word of a note against the names of its patient and the people around, slips of the pen included."""

import re
from collections import defaultdict

from rapidfuzz.distance import OSA

WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)?")
# What follows a person's name when a disease, a test or a thing is called after the person.
CALLED_AFTER = (
    r"(?:'s|s)?[ -](?:(?!\w+(?:ed|es|s)\b|(?:with|had|and|or|for|in|on|the|a|an|no|of|is|to|at|per|by|under|via|given|"
    r"seen)\b)[a-z]+[ -]|(?-i:[A-Z][a-z]+)[ -]){0,2}"
    r"(?:disease|syndrome|lymphoma|signs?|test|score|scales?|criteria|catheter|virus|palsy|tumou?r|maneuver|manoeuvre|reflex|"
    r"phenomenon|contracture|fracture|esophagus|thyroiditis|ulcer|nodes?|sarcoma|cells?|staging|classification|index|chorea|"
    r"atrophy|triad|stain(?:ing)?|tubes?|drain|clamp|speculum|block|lines|bodies|coma|encephalopathy|aphasia|disorder|"
    r"dementia|cyst|angle|fibrillation|negative|positive|absent|present|normal|infection|gastroenteritis|procedure|"
    r"operation|murmur|lesions?|chart|forceps|frame|lamp|factor|bleeding time|retractor|press|grade|pins?|rods?|wires?|"
    r"screws?|needle|blade|valve|graft|flap|suture|bandage|brace|collar|splint|formula|regimen|hernia|spots?|"
    r"rings?|arthropathy|neuropathy|purpura|anemia|nephritis|melanosis|repair|position|bag|mask|pump|monitor|cannula)\b"
)
EPONYMS = set(
    "hodgkin crohn wilson romberg norwalk homans apgar babinski parkinson graves glasgow foley may thurner "
    "wells addison "
    "cushing bell down raynaud alzheimer huntington hashimoto kaposi barrett baker marfan turner sjogren behcet "
    "murphy "
    "mcburney rovsing kernig brudzinski phalen tinel trendelenburg dupuytren colles paget osler janeway "
    "heberden bouchard "
    "charcot guillain barre meniere tourette wernicke korsakoff broca lewy epstein barr lyme coombs gram holter "
    "doppler "
    "braden morse ranson child pugh killip gleason breslow clark ewing wilms cooper still reiter virchow roux "
    "hickman "
    "swan ganz kaplan meier bartholin fallot eisenmenger ehlers danlos churg strauss wegener goodpasture berger "
    "bright "
    "hirschsprung meckel mallory weiss zenker plummer vinson whipple peyronie asperger rett angelman prader willi "
    "norton snellen ishihara rinne weber allen lachman spurling valsalva epley dix hallpike heimlich".split()
)
# Words that are names of people and words of a sentence: a capital at the beginning of one tells nothing.
EVERYDAY = set(
    "an do to in so he ha my no on or me we us be by at is it as if may will can the long hand an son art bill "
    "grant rose mark "
    "hope faith joy grace dawn summer chance home price weight field fields page day may june april august good low "
    "young white black brown green gray little small best love rich major bath salt foot head back heart temple "
    "rash cough pain plan history call review person patient street lane will sunday early late".split()
)
TITLE = re.compile(r"\b(?:mr|mrs|ms|miss|mx|mister|madam|master|sr|sra|srta|don|dona)\.?\s+$", re.I)
CAPS = r"(?-i:[A-Z][A-Za-z']+(?:-[A-Z][A-Za-z']+)*)"
CHAIN = (
    rf"(?:(?-i:{CAPS}|[A-Z]\.?|de la|de|la|del|van|von|der|da|bin|al)(?:,\s?|\s+|"
    rf"-)){{0,4}}{CAPS}(?:\s(?-i:[A-Z])\b\.?)?"
)
KIN = (
    r"(?:spouse|wife|husband|partner|son|daughter|child|mother|father|mom|dad|parent|brother|sister|sibling|"
    r"neighbou?r|friend|"
    r"aunt|uncle|niece|nephew|cousin|grand(?:mother|father|son|daughter|child|parent)|guardian|roommate|caregiver|"
    r"relative|fianc[e]+|in-law|kin|nok|family|lodger|tenant|housemate|flatmate|boarder|landlord|landlady|boyfriend|"
    r"girlfriend|stepson|stepdaughter|stepmother|stepfather|godmother|godfather|nanny|babysitter|housekeeper|carer|aide|"
    r"companion|emergency contact|visitor|host|pastor|coworker|colleague|boss|supervisor|teacher|"
    r"classmate|driver|cleaner)"
)
TOLD = [
    re.compile(rf"\b(?:mr|mrs|ms|miss|mx)\.?\s+({CHAIN})", re.I),
    re.compile(rf"\b{KIN}\b,?\s+(?:is\s+|named\s+|called\s+)?(?:(?:of the family|of kin),\s)?((?:(?-i:Old|Big|"
               rf"Little|Uncle|Aunt|Young)\s)?{CHAIN})", re.I),
    re.compile(rf"({CHAIN})\s*\({KIN}\)", re.I),
    re.compile(rf"\b{KIN}\s*\(({CHAIN})\)", re.I),
    re.compile(rf"\b({CHAIN}),?\s(?:who|whose|whom)\b", re.I),
    re.compile(rf"(?:^|\n|\|)[-\s]*(?:name|patient|pt|patient name|re|ride home|nok|next of kin|"
               rf"emergency contact)\s*[:|]\s*((?:(?-i:Old|Big|Little|Uncle|Aunt|Young)\s)?{CHAIN})", re.I),
    re.compile(rf"\b(?:prefers to be called|goes by|known as|also known as|aka|a\.k\.a\.|nicknamed|"
               rf"called)\s+[\"']?({CHAIN})", re.I),
]  # fmt: skip
KIN_LOWER = re.compile(rf"\b(?i:{KIN})[,:]?\s*\(?([a-z]{{2,}})\b")
PET = re.compile(r"\b(?:Old|Big|Little|Uncle|Auntie|Aunt|Baby|Young|Grandma|Grandpa|Cousin|Miss|Papa|Mama|Nana)\s+$")
SPELLED = re.compile(r"(?<![A-Za-z])[A-Za-z](?:[-. ]{1,2}[A-Za-z]){2,}(?![A-Za-z])")
COMPOUND = re.compile(r"(?<![\w-])[A-Za-z]{1,9}-[A-Za-z]{2,12}(?![\w-])")
INITIALS = re.compile(
    r"(?<![A-Za-z.])([A-Z])\.\s?(?:([A-Z])\.\s?)?-?([A-Za-z]\.|"
    r"[A-Z])(?:-([A-Z])\.?)?(?![A-Za-z]|\s?&)"
)
BARE_INITIALS = re.compile(
    r"\b(?:pt|patient|man|woman|lady|gentleman|for|on)\b[ ,(|]+([A-Z]{2,4})\b(?!-)|"
    r"\b([A-Z]{2,4})(?=\s(?:is|was)\san?\b|,?\s\(?\d{2,3}[- ]?y|\s(?:prefers|says|improved|tolerated|lives|takes)\b)"
)
SHORT = dict(
    pair.split("-")
    for pair in (
        "bill-william bob-robert rob-robert dick-richard rick-richard jim-james jack-john peggy-margaret meg-margaret "
        "maggie-margaret betty-elizabeth liz-elizabeth beth-elizabeth kate-katherine tony-anthony ted-edward "
        "ned-edward "
        "chuck-charles hank-henry larry-lawrence pepe-jose paco-francisco pancho-francisco lupe-guadalupe "
        "nacho-ignacio "
        "sandy-sandra molly-mary polly-mary sally-sarah becky-rebecca mike-michael nick-nicholas gene-eugene "
        "gus-august drew-andrew tina-christina trish-patricia"
    ).split()
)


class NameFinder:
    """Finds names in shadows of notes."""

    def __init__(self, vocabulary, texts):
        """vocabulary: name words of all people.  texts: all notes' shadows, to learn which words are ordinary."""
        self.vocabulary = vocabulary
        lower, any_case = defaultdict(int), defaultdict(int)
        for text in texts:
            found = set(WORD.findall(text))
            for word in found:
                lower[word] += word.islower()
            for word in {w.lower() for w in found}:
                any_case[word] += 1
        # In four notes with small letters, or in one note of thirty: no slip of the pen.
        small = {w for w, n in lower.items() if n >= max(4, any_case[w] / 5)}
        self.ordinary = small | {w for w, n in any_case.items() if n >= max(5, len(texts) / 30)}
        self.everyday = EVERYDAY | small

    def kept(self, plain):
        """(start, end) of diseases, signs and tests that are called after people."""
        for match in re.finditer(rf"\b({CAPS}){CALLED_AFTER}", plain, re.I):
            if match[1].lower().rstrip("s").rstrip("'") in EPONYMS or match[1].lower() in EPONYMS:
                yield match.start(1), match.end(1)
        for match in re.finditer(r"\bMay[- ](?:Thurner|Hegglin)|\bApgar\b|\bGlasgow Coma|\bMallory[- ]Weiss", plain):
            yield match.start(), match.end()

    def spans(self, plain, person, free):
        """(start, end, "NAME"). free(start, end): nothing else has been found there."""
        tokens = [m for m in WORD.finditer(plain) if free(m.start(), m.end())]
        hits = {}
        unsure = []
        for n, token in enumerate(tokens):
            verdict = self.own(token, plain, person)
            if verdict == "sure":
                hits[n] = token
            elif verdict == "beside":
                unsure.append(n)
        # A hyphen in the wrong place: both halves are the name, though neither is one.
        for match in COMPOUND.finditer(plain):
            low = match[0].lower()
            if (
                not match[0].islower()
                and person.names.isdisjoint(low.split("-"))
                and slip(low.replace("-", ""), person.names)
            ):
                hits |= {n: t for n, t in enumerate(tokens) if match.start() <= t.start() < match.end()}
        # Two short names in small letters, one after the other, are a name.
        for n in unsure:
            if (
                n + 1 in unsure
                and tokens[n][0].islower()
                and tokens[n + 1][0].islower()
                and beside(plain, tokens, n, n + 1)
            ):
                pair = {tokens[n][0].lower(), tokens[n + 1][0].lower()}
                if len(pair) == 2 and not pair <= self.ordinary:
                    hits[n], hits[n + 1] = tokens[n], tokens[n + 1]
        # A word that may be a word counts as a name beside a name.
        for n in [*unsure, *reversed(unsure)]:
            if n not in hits and any(k in hits and beside(plain, tokens, n, k) for k in (n - 1, n + 1)):
                hits[n] = tokens[n]
        runs = []
        for n, token in sorted(hits.items()):
            start, end = widen(plain, token.start(), token.end() - 2 * token[0].lower().endswith("'s"))
            if runs and bridge(plain[runs[-1][1] : start]):
                runs[-1][1] = end
            else:
                runs.append([start, end])
        for start, end in runs:
            yield start, end, "NAME"
        yield from self.strangers(plain, person, free)
        # In small letters a stranger's name is a rare word, or one that people in the tables have.
        for match in KIN_LOWER.finditer(plain):
            rest = re.match(r"[ -]([a-z]+)", plain[match.end() :])
            told = re.match(
                r"[),.;|\n]|\s(?:has|is|will|does|can|helps|drives|lives|was|who)\b", plain[match.end() :][:8]
            )
            if match[1] not in self.ordinary and (told or match[1] in self.vocabulary):
                more = rest and rest[1] in self.vocabulary and rest[1] not in self.ordinary
                yield match.start(1), match.end() + (rest.end() if more else 0), "NAME"
        yield from initials(plain, person)
        for match in SPELLED.finditer(plain):
            letters = re.sub("[^a-z]", "", match[0].lower())
            if len(letters) >= 3 and (
                "-" in match[0] or any(OSA.distance(letters, name) <= 1 for name in person.names)
            ):
                yield match.start(), match.end(), "NAME"

    def own(self, token, plain, person):
        """ "sure", "beside" (a name where it stands beside another) or "" for a word of a note."""
        text = token[0]
        word = text.lower()
        capital = text[0].isupper()
        root = self.root(word, person.names)
        if not root and capital and len(word) > 2 and word.endswith("s") and word[:-1] in person.names:
            return "beside"
        if not root:
            if not capital or len(word) < 4:
                return ""
            if word in self.ordinary or word.replace("'s", "") in self.ordinary:
                # "Room-Xiao" for Moor-Xiao
                return (
                    "beside"
                    if text.istitle() and not begins(plain, token.start()) and slip(word, person.names)
                    else ""
                )
            return "sure" if slip(word.replace("'s", ""), person.names) else ""
        if capital and eponym(plain, token):
            return ""
        if not capital:
            return "beside" if word in self.ordinary or len(word) < 4 else "sure"
        if word in self.everyday and begins(plain, token.start()) and not TITLE.search(plain[: token.start()][-8:]):
            if word in PRONOUNS:
                return "beside"
            after = plain[token.end() : token.end() + 16]
            return "sure" if ACTS.match(after) or (word not in PRONE and IS.match(after)) else "beside"
        return "sure"

    def root(self, word, names):
        """The own name that a word is a form of: itself, its possessive or its plural."""
        if word in names:
            return word
        for tail in ("'s", "s", "es", "'", "s'"):
            if word.endswith(tail) and len(word) - len(tail) >= 2 and word[: -len(tail)] in names:
                if tail.startswith("'") or len(word) - len(tail) >= 2 and word not in self.ordinary:
                    return word[: -len(tail)]
        if word in SHORT and SHORT[word] in names:
            return SHORT[word]
        if len(word) >= 7 and any(word.startswith(n) and word[len(n) :] in names for n in names):
            return word
        if len(word) >= 3 and word not in self.ordinary:
            stem = re.sub(r"(?:ie|y)$", "", word)
            return next((n for n in names if len(stem) >= 3 and len(n) > len(stem) + 1 and n.startswith(stem)), "")
        return ""

    def strangers(self, plain, person, free):
        """Names that no table knows, by a title, a relationship or a label beside them."""
        for pattern in TOLD:
            for match in pattern.finditer(plain):
                start, end = match.span(1)
                parts = [w for w in WORD.finditer(plain, start, end) if free(*w.span())]
                # From the first word on that is no word of every note.
                known = person.names
                while parts and not (self.namelike(parts[0][0]) or parts[0][0].lower() in known):
                    start = parts.pop(0).end()
                while parts and not (self.namelike(parts[-1][0]) or parts[-1][0].lower() in known):
                    end = parts.pop().start()
                if parts and free(parts[0].start(), parts[-1].end()):
                    yield widen(plain, parts[0].start(), parts[-1].end()) + ("NAME",)

    def namelike(self, text):
        word = text.lower().replace("'s", "")
        return (
            text[0].isupper()
            and len(word) > 1
            and word not in EPONYMS
            and (word not in self.ordinary or word in self.vocabulary and word not in EVERYDAY)
        )


# What a person does at the beginning of a sentence, and what things do as well.
ACTS = re.compile(
    r"'s\b|\s[A-Z]\.|\s+(?:family|prefers|says|said|helps|improved|tolerated|given|knows|takes|took|lives|"
    r"reports?|reported|"
    r"states|stated|denies|denied|feels|felt|asks|asked|returned|presents|presented|called|came|comes|agrees|agreed|"
    r"understands|walks|walked|wants|wishes|works|worked|moved|does|did|A&O|speaks|drives|remembers|attends|"
    r"volunteers|"
    r"arrived|left|stayed|lost|gained|recovered|declined|refused|was (?:admitted|discharged|seen|alert|found|"
    r"brought|born|"
    r"transferred|called|told|given|treated)|is an? \d+)\b"
)
IS = re.compile(r"\s+(?:is|was|has|had|will|may|can|could|would|should|and)\b")
# Words of sentences that are seldom names there.
PRONE = set(
    "an do to in so he my no on may will can the it is as if home weight pain history plan call review cough "
    "rash head back "
    "heart page person patient price chance".split()
)


def slip(word, names):
    """Whether a word is a name with a slip of the pen: letters swapped, doubled, left out, or another one."""
    for name in names:
        if len(name) < 4 or abs(len(name) - len(word)) > 2:
            continue
        room = 1 if len(name) < 8 else 2
        if word[0] != name[0] and word[:2] != name[1::-1]:
            room = min(room, 1) if len(name) >= 6 else 0
        for form in (word, word[:-1] if word.endswith("s") else word):
            if OSA.distance(form, name, score_cutoff=room) <= room:
                return name
    return ""


def eponym(plain, token):
    """Whether a disease or a test is called by this word."""
    if TITLE.search(plain[: token.start()][-8:]):
        return False
    if re.match(r"\s(?:Thurner|Hegglin)\b", plain[token.end() :][:10]):
        return True
    after = re.match(CALLED_AFTER, plain[token.end() :][:45], re.I)
    if not after:
        return False
    noun = after[0].split()[-1]
    return token[0].lower() in EPONYMS or noun.islower() and noun not in WEAK


# After a diseases's name these say nothing: "Romberg negative" is a test, "Rose present" a visitor.
PRONOUNS = {"he", "it", "my", "me", "we", "us"}
WEAK = set(
    "negative positive present normal absent block lines infection test score index position grade bag mask pump "
    "monitor "
    "press chart frame".split()
)


def begins(plain, at):
    """Whether a sentence or a line begins there."""
    before = plain[max(0, at - 12) : at].rstrip(" -*|")
    return not before or before[-1] in ".!?\n;" and re.search(r"\b[A-Z]\.$", before) is None


def beside(plain, tokens, n, k):
    if not 0 <= k < len(tokens):
        return False
    a, b = (tokens[n], tokens[k]) if n < k else (tokens[k], tokens[n])
    return bridge(plain[a.end() : b.start()])


def bridge(gap):
    """Whether what stands between two names belongs to them."""
    return re.fullmatch(
        r"(?:'s)?[ ,;\t_/\"()-]{0,6}(?:[A-Za-z]\.?[ ,-]{1,2}){0,2}(?:(?:de|la|las|los|del|van|von|der|da|dos|"
        r"bin|al|el|y|and|&)[ -]){0,2}"
        r"(?:(?:mr|mrs|ms)\.?\s)?", gap, re.I
    ) is not None and not re.search(r"\band|&", gap)  # fmt: skip


def widen(plain, start, end):
    """With the initials, nicknames and particles around a name."""
    before = plain[max(0, start - 24) : start]
    if found := re.search(r"(?<![A-Za-z'.\d/])(?:[A-Z](?:\.\s?|\s|-)){1,2}$", before):
        start -= len(before) - found.start()
    elif found := re.search(
        r"(?<![A-Za-z])(?:(?:de|la|las|los|del|van|von|der|da|dos|bin|al|el)[ -]){1,2}$", before, re.I
    ):
        start -= len(before) - found.start()
    before = plain[max(0, start - 12) : start]
    if found := PET.search(before):
        start -= len(before) - found.start()
    after = plain[end : end + 8]
    if found := re.match(r"(?:,\s?|\s)[A-Z](?:\.|(?=[\s,;|)'\n]|$))(?:\s?[A-Z]\.)?(?!\w)(?!&)", after):
        end += found.end()
    return start, end


def initials(plain, person):
    """The initials of the patient or of somebody around."""
    for match in INITIALS.finditer(plain):
        if "".join(g[0] for g in match.groups() if g).lower() in person.initials:
            yield match.start(), match.end(), "NAME"
    for match in BARE_INITIALS.finditer(plain):
        if match[match.lastindex].lower() in person.initials:
            yield *match.span(match.lastindex), "NAME"
