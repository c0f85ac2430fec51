"""Takes identifiers out of free text and leaves the medicine in it."""

import re
import unicodedata
from collections import Counter, defaultdict

from lexicon import (CLINICAL_ABBR, COMMON, EPONYM_NOUN, EPONYMS, FIRST, LAST, NICK, PARTICLES, STATES)
from rapidfuzz.distance import OSA

SPECIAL = {"đ": "d", "Đ": "D", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "ı": "i", "’": "'", "‘": "'", "ʼ": "'", "`": "'",
           "–": "-", "—": "-", "‐": "-", "‑": "-", "\u00a0": " ", "\u2009": " ", "\u202f": " "}


def fold(text):
    """Without accents, with plain quotes and dashes; as long as the text (which should be in NFC)."""
    if text.isascii():
        return text
    return "".join(SPECIAL.get(c) or (c if ord(c) < 128 else unicodedata.normalize("NFKD", c)[0]) for c in text)


def lower(text):
    low = text.lower()
    return low if len(low) == len(text) else "".join(c.lower()[0] for c in text)


def nfc(text):
    return unicodedata.normalize("NFC", text or "")


WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")


def words_of(text):
    return [w.lower() for w in WORD.findall(fold(nfc(text)))]


class Known:
    """What the tables and FHIR know about one person and the people around."""

    def __init__(self):
        self.names, self.own, self.full, self.numbers = set(), [], [], set()
        self.phrases, self.places, self.patterns = set(), set(), None

    def add_name(self, text, own=False):
        tokens = [w for w in words_of(text) if w not in ("jr", "sr", "ii", "iii", "mr", "mrs", "ms", "dr", "unknown", "none")]
        for token in tokens:
            self.names.update({token, token.replace("'", "")})
            for nick in NICK.get(token, "").split():
                self.names.add(nick)
        if len(tokens) > 1:
            self.names.add("".join(tokens))
            self.full.append(tokens)
        if own and tokens:
            self.own.extend(t for t in tokens if t not in self.own)

    def add_number(self, text):
        value = (text or "").strip()
        plain = re.sub(r"[^0-9A-Za-z]", "", value)
        if len(plain) >= 5:
            self.numbers.add(plain.lower())
            only = re.sub(r"\D", "", value)
            if len(only) >= 6:
                self.numbers.add(only)
                if len(only.lstrip("0")) >= 6:
                    self.numbers.add(only.lstrip("0"))
            if len(only) == 11 and only[0] == "1":
                self.numbers.add(only[1:])

    def add_phrase(self, text):
        if len((text or "").strip()) >= 4:
            self.phrases.add(lower(fold(nfc(text.strip()))))

    def add_place(self, text):
        text = lower(fold(nfc((text or "").strip())))
        if len(text) >= 3:
            self.places.add(text)

    def compiled(self):
        if self.patterns is None:
            self.patterns = []
            for phrase in self.phrases:
                self.patterns.append(("ID", re.compile(re.escape(phrase))))
            for place in self.places:
                address = re.match(r"(\d+\w?)\s+(.*)", place)
                if address:
                    core = [w for w in re.findall(r"\w+", address[2])]
                    body = r"\W+".join(map(re.escape, core[:-1] or core))
                    self.patterns.append(("ADDRESS", re.compile(
                        rf"\b(?:{re.escape(address[1])}\W+)?{body}\W+(?:{SUFFIX})\b\.?(?:\s*,?\s*(?:apt|unit|suite|#)\.?\s*\w+)?")))
                    self.patterns.append(("ADDRESS", re.compile(rf"\b{re.escape(address[1])}\W+{body}\b(?:\W+{re.escape(core[-1])}\b)?")))
                else:
                    core = re.findall(r"\w+", place)
                    if len(core) > 1:
                        self.patterns.append(("PLACE", re.compile(r"\b" + r"\W+".join(map(re.escape, core)) + r"\b")))
        return self.patterns


SUFFIX = (r"street|str|st|avenue|ave|av|road|rd|lane|ln|drive|dr|court|ct|boulevard|blvd|place|pl|way|circle|cir|terrace|ter|"
          r"parkway|pkwy|highway|hwy|trail|trl|square|sq|loop|alley|pike|crossing|run|ridge|row|path|turnpike|tpke|plaza")
I = re.IGNORECASE
MON = (r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
       r"nov(?:ember)?|dec(?:ember)?)\b\.?")
MON_OPEN = MON.replace(r"\b", "")
DAY = r"(?:3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?"
YEAR = r"(?:(?:18|19|20)\d\d|'\d\d)"
ORDINAL = (r"(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|fourteenth|"
           r"fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|twentieth|thirtieth|twenty[ -](?:first|second|third|fourth|"
           r"fifth|sixth|seventh|eighth|ninth)|thirty[ -]first)")
FULL_MONTH = r"(?:January|February|March|April|June|July|August|September|October|November|December)"
DATES = [re.compile(p, f) for p, f in [
    (r"(?<![\d.])(?:18|19|20)\d\d([-/.])(?:1[0-2]|0?[1-9])\1(?:3[01]|[12]\d|0?[1-9])(?!\d)", 0),
    (r"(?<![\d./-])(?:3[01]|[12]\d|0?[1-9])\s?([-/.])\s?(?:3[01]|[12]\d|0?[1-9])\s?\1\s?(?:(?:18|19|20)\d\d|'?\d\d)(?![\d/]|[-.]\d)", 0),
    (rf"\b{MON}\s*(?:the\s+)?-?{DAY}(?:\s*(?:-|to|and|through|&)\s*{DAY})?\b(?!\s*(?:%|mg|mcg|ml|tab|cap|unit|puff|times|day|week|hour|/\d))(?:\s*(?:,|of|-|/)?\s*{YEAR}(?!\d))?", I),
    (rf"\b{DAY}(?:\s*-\s*{DAY})?(?:\s+day)?[\s-]*(?:of\s+)?{MON}(?:[\s,/-]*{YEAR}(?!\d))?", I),
    (rf"\b{DAY}{MON_OPEN}(?:19|20)?\d\d\b", I),
    (rf"\b{MON}[\s,/-]*(?:of\s+)?{YEAR}(?!\d)", I),
    (r"(?<![\d/.])(?:1[0-2]|0?[1-9])/(?:18|19|20)\d\d(?![\d/])", 0),
    (r"(?<![\d.])(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:T?\d{4}(?:\d\d)?)?(?![\d.])", 0),
    (rf"\b(?:the\s+)?{ORDINAL}\s+(?:day\s+)?of\s+{MON}(?:\s*,?\s*{YEAR})?", I),
    (rf"\b{MON}\s+(?:the\s+)?{ORDINAL}\b(?:\s*,?\s*{YEAR})?", I),
    (r"\b(?:on|since|until|by|before|after|from|of)\s+the\s+((?:3[01]|[12]?\d)(?:st|nd|rd|th))\b(?!\s+(?:percentile|digit|"
     r"metatarsal|metacarpal|rib|toe|finger|floor|week|day|nerve|intercostal|grade|time|dose|cycle|ventricle|visit))", I),
    (rf"\b{FULL_MONTH}\b", 0),
    (r"\b(?:in|since|last|early|late|of|until|by|from|through|this|next|mid|end of|before|after|during)[\s-](May|Jan|Feb|Mar|Apr|Jun|"
     r"Jul|Aug|Sept?|Oct|Nov|Dec)\b(?!\s+(?:have|be|need|take|use))", 0),
    (r"\b(?:january|february|april|june|july|august|september|october|november|december)\b", 0),
    (r"\b(?<!every )(?<!each )(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?\b", I),
    (r"\b(?:Mon|Tues?|Wed|Thurs?|Thu|Fri)\b(?=[\s,.;:)]|$)", 0),
    (r"\b(?:on|last|next|this|since|until|by|from)\s+(Sat|Sun)\b(?!\s*\d+\s*%)", 0),
    (r"\b(?:Christmas(?: Eve| Day)?|Thanksgiving|New Year'?s?(?: Eve| Day)?|Independence Day|Fourth of July|Halloween|Labor Day|"
     r"Memorial Day|Valentine'?s Day|Mother'?s Day|Father'?s Day|Easter(?: Sunday)?|Good Friday|Veterans'? Day|St\.? Patrick'?s Day|"
     r"Martin Luther King Day|MLK Day|Presidents'? Day|Columbus Day|Juneteenth|Diwali|Tet|Eid(?: al-\w+)?|Lunar New Year)\b", 0),
    (r"\b(?:on|since|until|till|from|by|before|after|last|dated|through|thru|seen|due|d/c'?d?|admitted|discharged|visit|appt|"
     r"appointment|of|for|date|dos|drawn|between|and|to|started|begun|stopped|surgery|labs?|xr|ct|mri|echo|f/u|as of|"
     r"collected|effective|onset|lmp|born|dob)\s*:?\s+((?:1[0-2]|0?[1-9])[/-](?:3[01]|[12]\d|0?[1-9]))(?![\d/%-])(?!\s*(?:strength|"
     r"pain|murmur|systolic|tab|cup|pack|motor|bilat|in all|intens|scale|weeks?|days?|hours?|mg|ml|times|doses?|bottles?|sets?|"
     r"criteria|points?|oriented|power|reflex|objects|words|recall|severity|vision|lobes?|cm|mm|of\b|tsp|tbsp))", I),
    (r"(?<![\d/])(?:1[0-2]|0?[1-9])/(?:3[01]|[12]\d|0?[1-9])(?=\s*:\s)(?![\d/])", 0),
    (r"(?<![\d/])(?:1[0-2]|0?[1-9])/(?:3[01]|[12]\d|0?[1-9])\s*(?:-|to|thru|through)\s*(?:1[0-2]|0?[1-9])/(?:3[01]|[12]\d|0?[1-9])(?![\d/])", I),
]]

NINETIES = r"(?:ninety(?:[\s-]*(?:one|two|three|four|five|six|seven|eight|nine))?|(?:one|a)[\s-]+hundred(?:[\s-]+(?:and[\s-]+)?\w+)?|hundred(?:[\s-]+and[\s-]+\w+)?)"
OLD = rf"(?:9\d|1[01]\d|{NINETIES})"
AGES = [re.compile(p, I) for p in [
    rf"\b({OLD})(?=[\s-]*(?:years?|yrs?|yr)\b[\s-]*(?:old|of age|young)?(?!\s*(?:ago|pack|smok|history)))",
    rf"\b({OLD})(?=[\s-]*(?:y\.?\s?/?\s?o\b|y/o|yo[mfw]?\b|y\.o\.?|yrs?\.?\s*old|year-old|a[nñ]os))",
    r"\b(9\d|1[01]\d)(?=\s?(?:[MF]|male|female|man|woman|gentleman|lady|widow|widower|grandmother|grandfather)\b)",
    r"\b(9\d|1[01]\d)(?=y\b)",
    rf"\b(?:age[ds]?|aged?\s+of|turn(?:ed|ing|s)|lived\s+to(?:\s+be)?|died\s+at|passed(?:\s+away)?\s+at|now\s+at|nearly|almost|"
    rf"celebrated\s+(?:his|her|their))\s*(?:age\s*|of\s*|:\s*|is\s*|=\s*)*({OLD})(?:st|nd|rd|th)?\b(?!\s*(?:%|mg|kg|/|mmhg|bpm|lbs?|percent|\.\d))",
    r"\b(9\d(?:st|nd|rd|th)|1[01]\d(?:st|nd|rd|th)|ninet(?:y[\s-]\w+|ieth)|(?:one[\s-])?hundredth)(?=\s+(?:birthday|year\b|bday))",
    r"\b(?:in|into)\s+(?:his|her|their|the|one's)\s+(?:early|mid|late)?[\s-]*((?:19)?90'?s|'90s|nineties)\b",
    r"\b((?:super)?centenarian|nonagenarian)s?\b",
    rf"\b(?:he|she|pt|patient|who)\s+(?:is|was|'s)\s+(?:now\s+)?({OLD})\b(?=\s*(?:and\b|,|\.(?!\d)|;|$|now|with))",
    rf"\b(?:mother|father|grandmother|grandfather|wife|husband|aunt|uncle|sister|brother|mom|dad)\s*[,(]\s*({OLD})\b(?=\s*[,)])",
]]

NUM = r"[A-Za-z0-9](?:[A-Za-z0-9]|[-./ ](?=[A-Za-z0-9]*\d)){3,24}"
LABELED = [(kind, re.compile(p, I)) for kind, p in [
    ("SSN", r"\b(?:ssn|ss\s?#|soc(?:ial)?\.?\s+sec(?:urity)?)\b[^\d\n]{0,25}((?:[x*]{3}[- ]?[x*]{2}[- ]?)?\d[\d -]{2,10}\d)"),
    ("SSN", r"\blast\s+(?:four|4)\b[^\d\n]{0,25}(\d{4})\b"),
    ("MRN", rf"\b(?:mrn|m\.r\.n\.|mr\s?#|med(?:ical)?\.?\s+rec(?:ord)?s?\.?|chart|record|visit|encounter|csn|fin)\s*(?:number|num|no\.?|nr\.?|id|#)?\s*(?:is|was|:|#|=|-)?\s*#?((?=[\w-]*\d{{3}}){NUM})\b"),
    ("HEALTH_PLAN", rf"\b(?:member|subscriber|policy|group|plan|insurance|medicare|medicaid|beneficiary|hicn|mbi|coverage)\s*(?:id|number|num|no\.?|#|card)*\s*(?:is|:|#|=)?\s*#?((?=[\w-]*\d{{2}}){NUM})\b"),
    ("ACCOUNT", rf"\b(?:acc(?:oun)?t|a/c|billing|invoice|iban|bank|card|guarantor|routing|checking|claim)\.?\s*(?:id|number|num|no\.?|#|ending(?:\s+in)?)*\s*(?:is|:|#|=)?\s*#?((?=[\w -]*\d{{3}}){NUM})\b"),
    ("ID", rf"\b(?:driver'?s?\s+licen[sc]e|licen[sc]e|d\.?l\.?|badge|passport|certificate|cert|permit|employee|student|inmate|case|file|"
           rf"finger\s?print|biometric|retina\w*|iris\s+scan|voice\s?print|template|military|veteran|visa|alien|green\s+card)\s*(?:id|number|num|no\.?|nr\.?|#|template|code|hash)*\s*(?:is|:|#|=)?\s*#?((?=[\w-]*\d{{2}}){NUM})\b"),
    ("DEVICE", rf"\b(?:serial|s/n|sn|ser\.?|udi|imei|device|implant|pacemaker|icd|pump|meter|stimulator|prosthesis|mac)\s*(?:id|identifier|number|num|no\.?|#|serial|s/n|sn)*\s*(?:is|:|#|=)?\s*#?((?=[\w-]*\d{{3}}){NUM})\b"),
    ("VEHICLE", rf"\b(?:vin|plates?|tag|license\s+plate|registration|reg)\s*(?:id|number|num|no\.?|#|reads?)*\s*(?:is|:|#|=)?\s*#?((?=[\w -]{{0,8}}\d)[A-Z0-9](?:[A-Z0-9]|[- ](?=[A-Z0-9]*\d)){{2,16}})\b"),
]]
PLAIN = [(kind, re.compile(p, f)) for kind, p, f in [
    ("EMAIL", r"[\w.+'-]+\s?@\s?[\w-]+(?:\.[\w-]+)+", I),
    ("EMAIL", r"\b[\w.+-]+\s*(?:\(at\)|\[at\]|\{at\}|<at>|\sat\s)\s*[\w-]+(?:\s*(?:\.|\(dot\)|\[dot\]|\sdot\s)\s*[\w-]+)*\s*(?:\.|\(dot\)|\[dot\]|\sdot\s)\s*(?:com|org|net|edu|gov|us|io|mail|example|test|info)\b", I),
    ("URL", r"\b(?:https?://|www\.)[^\s<>\"')\]]+", I),
    ("URL", r"\b[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|io|me|us|info|example|blog|social)(?:/[^\s<>\"')\]]*)?", I),
    ("PHOTO", r"\b[\w()-]+(?:[.\w()-]*)\.(?:jpe?g|png|heic|tiff?|dcm|bmp|gif|webp|mov|mp4|pdf|docx?)\b", I),
    ("HANDLE", r"(?<![\w@])@[A-Za-z_][\w.]{2,}", 0),
    ("IP", r"(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.])", 0),
    ("IP", r"\b(?:[0-9a-f]{1,4}:){4,7}[0-9a-f]{0,4}\b|\b[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){1,6}::[0-9a-f:]*", I),
    ("DEVICE", r"\b(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}\b", I),
    ("DEVICE", r"\(01\)\d{12,14}(?:\(\d\d\)[\w-]+)*", 0),
    ("SSN", r"(?<![\d-])\d{3}[-. ]\d{2}[-. ]\d{4}(?![\d-])", 0),
    ("SSN", r"\b[xX*]{3}-?[xX*]{2}-?\d{4}\b", 0),
    ("PHONE", r"(?<![\d.-])(?:\+?1[\s.-]{0,2})?(?:\(\s?\d{3}\s?\)|\d{3})\s?[-./]?\s?\d{3}\s?[-. ]\s?\d{4}(?!\d)(?:\s*,?\s*(?:x|ext\.?|extension)\s*\d{1,6})?", I),
    ("PHONE", r"(?<![\d.-])(?:\(\d{3}\)\s?)?\d{3}\s?[-.]\s?\d{4}(?![\d-])(?:\s*,?\s*(?:x|ext\.?|extension)\s*\d{1,6})?", I),
    ("PHONE", r"(?<!\d)\+\d{1,3}[\s.-]?(?:\(?\d{1,4}\)?[\s.-]?){2,5}\d{2,4}(?!\d)", 0),
    ("PHONE", r"\b(?:(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)[\s,-]+){6,}(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)\b", I),
    ("PHONE", r"\b(?:ext|extension)\.?\s*\d{2,6}\b", I),
    ("VEHICLE", r"\b(?=[A-HJ-NPR-Z0-9]*\d)(?=[A-HJ-NPR-Z0-9]*[A-Z])[A-HJ-NPR-Z0-9]{17}\b", 0),
    ("ADDRESS", rf"(?<![\d./-])\d{{1,6}}[A-Za-z]?\s+(?:[NSEW]\.?\s+|(?:North|South|East|West)\s+)?(?:[A-Z0-9][\w'.]*\s+){{1,4}}(?i:{SUFFIX})\b\.?(?:\s*,?\s*(?i:apt|apartment|unit|suite|ste|#|no)\.?\s*#?\w+)?", 0),
    ("ADDRESS", rf"(?<![\d./-])\d{{2,6}}\s+(?:[a-z']+\s+){{1,3}}(?:street|avenue|ave|road|lane|drive|court|blvd|boulevard|terrace|circle|parkway)\b", I),
    ("ADDRESS", r"\b(?:[A-Z][\w']+\s+){1,3}(?:Street|Avenue|Ave|Road|Rd|Lane|Ln|Boulevard|Blvd|Drive|Terrace|Parkway|Pkwy|Highway|Hwy)\b\.?(?:\s*#?\d+)?", 0),
    ("ADDRESS", r"\bP\.?\s?O\.?\s+Box\s+\w+|\b(?:apt|apartment|trailer|lot)\s*#?\.?\s*\d+\w?\b|\b(?:RR|Rural Route|Route|Rte|Hwy|Highway)\s+\d+(?:\s+Box\s+\d+)?", I),
    ("PLACE", r"\b(?:[A-Z][\w']+\s+){1,2}(?:County|Parish|Township|Borough)\b", 0),
    ("PLACE", r"\b[A-Z]{2}\s+\d{5}(?:-\d{4})?\b|\b(?i:zip(?:\s*code)?)\s*:?\s*(?:is\s+)?\d{5}(?:-\d{4})?\b|(?<!\d)\d{5}-\d{4}(?!\d)", 0),
    ("PLACE", r"\b(?:[A-Z][\w'.-]+\s+){1,4}(?:Elementary|Middle School|High School|High|Academy|College|University|Preschool|Kindergarten|Montessori|Charter|ISD)\b(?!\s+(?:Hospital|Medical|Clinic|dose|risk|fever))(?:\s+School)?(?:\s+(?:of|at)\s+[A-Z]\w+)?", 0),
    ("PLACE", r"\b(?:[A-Z][\w'&.-]+\s+){1,4}(?:&\s+[A-Z]\w+\s+)?(?:Inc|LLC|Ltd|Corp|Corporation|Company|Co\.|Industries|Farms?|Foods|Logistics|Motors|Manufacturing|"
              r"Bakery|Diner|Brewery|Lumber|Steel|Freight|Trucking|Construction|Plumbing|Electric|Roofing|Bank|Insurance|Hardware|Market|Grocery|Mills?|"
              r"Textiles|Orchards|Dairy|Printing|Press|Hotel|Airlines|Airways|Works|Packing|Cannery|Supply|Partners|Associates|Group|Holdings|Solutions|Systems|Technologies|& Sons?|Bros\.?|Brothers)\b\.?", 0),
]]
ROLE = (r"mayor|vice[ -]mayor|sheriff|governor|senator|congress(?:man|woman)|councill?or|councilwoman|councilman|judge|bishop|rabbi|imam|"
        r"superintendent|fire chief|police chief|chief of police|principal|postmaster|coroner|poet laureate|lieutenant governor|ambassador|"
        r"astronaut|olympi\w+|quarterback|goalkeeper|head coach|anchor(?:man|woman)?|news anchor|weather(?:man|woman)|conductor|"
        r"lighthouse keeper|ferry captain|harbou?r master|state champion|world champion|gold medal\w*|lottery winner|beauty queen|miss [A-Z]\w+")
PERSON = (r"man|woman|person|patient|resident|inhabitant|doctor|dentist|vet|veterinarian|priest|pastor|teacher|pharmacist|librarian|"
          r"fire ?fighter|police\w*|farmer|owner|baker|blacksmith|pilot|survivor|winner|player|driver|lawyer|midwife|physician|girl|boy|"
          r"student|citizen|immigrant|family|mother|father|butcher|barber|undertaker|beekeeper|clockmaker|glassblower|sculptor|violinist|organist")
UNIQUE = [re.compile(p, I) for p in [
    rf"\b(?:the\s+|a\s+|our\s+|as\s+)?(?:current\s+|former\s+|first\s+|longtime\s+|retired\s+|sitting\s+|ex-|deputy\s+|town\s+|city\s+|county\s+|local\s+)*(?:{ROLE})\b(?:\s+(?:of|for|at|in)\s+(?:the\s+)?[\w']+(?:\s+[A-Z][\w']+)*)?",
    rf"\b(?:the\s+)?(?:only|first|sole|last|oldest|youngest|tallest|one\s+and\s+only)\s+(?:[\w'-]+\s+){{0,3}}(?:{PERSON})\b(?:\s+(?:in|of|at|from|to|on|who|ever)\b[^.,;\n]{{0,60}})?",
    rf"\b(?:who\s+)?(?:won|wrote|founded|invented|hosts?|hosted|anchors|played\s+for|plays\s+for|sings\s+with|appeared\s+on|was\s+on)\s+(?:the|a|an|on)?\s*(?:[\w'$-]+\s+){{0,4}}(?:lottery|marathon|championship|olympics?|medal|prize|television|tv|newspaper|memoir|novel|team|show|pageant|election|jackpot|record)\b[^.,;\n]{{0,40}}",
]]

CAP = r"[A-Z][^\W\d_]*(?:['-][^\W\d_]+)*"
SEQ = rf"{CAP}\.?(?:\s+(?:(?:de|la|del|los|al|el|bin|van|von|da|dos|[A-Z]\.)\s+)*{CAP}){{0,3}}"
TITLE = re.compile(r"\b(?:mr|mrs|ms|miss|mx|mister|missus|sra|senora?|señora?|don|dona|master|auntie|tia|tio)\.?\s+$", I)
CLINICIAN = re.compile(r"(?:\b(?:dr|drs|doctor|prof|rn|md|np|pa|nurse|attending|resident|pager|surgeon|provider|pcp)\b[.:,]?\s+(?:[A-Z]\w*\.?\s+){0,2})$", I)
KIN = (r"wife|husband|spouse|son|daughter|mother|father|mom|mum|dad|brother|sister|aunt|uncle|niece|nephew|cousin|grand(?:son|daughter|mother|father|ma|pa|child)|"
       r"stepson|stepdaughter|stepmother|stepfather|(?:mother|father|brother|sister|son|daughter)-in-law|partner|fianc[eé]e?|boyfriend|girlfriend|friend|neighbou?r|"
       r"roommate|caregiver|carer|landlord|landlady|boss|supervisor|coworker|co-worker|guardian|proxy|poa|hcp|emergency contact|next of kin|nok|contact|twin|ex-wife|ex-husband|"
       r"interpreter|pastor|priest|godmother|godfather|babysitter|daughters|sons|parents|children|kids|siblings")
CUES = [re.compile(p) for p in [
    rf"\b(?i:{KIN})(?i:\s+(?:is|named|called|name is|name))?\s*[,:(\"-]?\s*\"?({SEQ})",
    rf"\b(?i:mr|mrs|ms|miss|mx|mister|señora|senora|sra|do[nñ]a)\.?\s+({SEQ})",
    rf"\b(?i:patient(?:'s)?\s+name|pt\s+name|name|patient|pt|re|regarding|dear|attn|a\.?k\.?a\.?|n[eé]e|goes\s+by|known\s+as|prefers(?:\s+to\s+be\s+called)?|nicknamed|alias|maiden\s+name|"
    rf"preferred\s+name|signed|sincerely|legal\s+name|formerly|contact|named|calls\s+(?:him|her)self|likes\s+to\s+be\s+called|introduced\s+as)\s*(?:is\s+|:\s*|,\s*|-\s+|\"\s*)\"?({SEQ})",
    rf"\b(?i:a\.?k\.?a\.?|n[eé]e|goes\s+by|known\s+as|nicknamed|named|prefers\s+to\s+be\s+called|spoke\s+(?:with|to)|accompanied\s+by|lives\s+with|brought\s+in\s+by|called|d/w|discussed\s+with)\s+(?:his\s+|her\s+)?\"?({SEQ})",
]]
PLACE_CUE = re.compile(rf"\b(?i:lives?\s+(?:in|near|outside|at)|living\s+in|resides?\s+in|residing\s+in|resident\s+of|moved\s+(?:from|to)|born\s+in|raised\s+in|grew\s+up\s+in|native\s+of|"
                       rf"hails\s+from|commutes?\s+(?:from|to)|drove\s+(?:in\s+)?from|travel(?:s|ed|led)\s+from|home\s+in|house\s+in|apartment\s+in|farm\s+(?:in|near|outside)|town\s+of|city\s+of|village\s+of|from\s+the\s+town\s+of)\s+((?:the\s+)?{SEQ})")
JOB_CUE = re.compile(r"\b(?i:works?\s+(?:at|for)|working\s+(?:at|for)|worked\s+(?:at|for)|employed\s+(?:at|by|with)|employer(?:\s+is|:)?|job\s+(?:at|with)|retired\s+from|hired\s+by|laid\s+off\s+(?:from|by)|"
                     r"shifts?\s+at|foreman\s+at|manager\s+at|clerk\s+at|cashier\s+at|attends|enrolled\s+(?:at|in)|student\s+at|teach(?:es|er)?\s+at|goes\s+to\s+school\s+at|graduated\s+from|school:)\s+(?:the\s+)?"
                     r"([A-Z][\w'&.-]*(?:\s+(?:(?:of|and|&|the)\s+)?[A-Z][\w'&-]*){0,5})")
CODE_CUE = re.compile(r"(?:ndc|nct|pmid|loinc|rxnorm|rxcui|snomed|icd(?:-?10|-?9)?(?:-cm)?|cpt|hcpcs|doi|isbn|lot)\s*(?:code|no\.?|number|#)?\s*[:#]?\s*$", I)
UNIT = re.compile(r"\s*(?:/|%|mg|mcg|g\b|kg|ml|dl|l\b|units?|iu|k/|x10|cells?|copies|platelets?|mm|cm|mmol|meq|ng|pg|bpm|steps|cal|hours?|days?|minutes?)", I)
DIGITS = re.compile(r"\d(?:[ \t().\-/]{0,2}\d){4,}")
MIXED = re.compile(r"\b(?=[\w-]*[A-Za-z])(?=(?:[\w-]*?\d){5})[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*\b")
PUBLIC_SITES = re.compile(r"(?:cdc|nih|fda|who|uptodate|medlineplus|mayoclinic|medicare|cms|heart|diabetes|cancer)\.(?:gov|int|com|org)", I)
SPELLED = re.compile(r"\b(?:[A-Za-z][ .\-]){2,14}[A-Za-z]\b")


class Scrubber:
    def __init__(self, texts, knowns, towns, employers, zips, as_of):
        small, big, total = Counter(), Counter(), len(texts)
        for text in texts:
            for word in set(WORD.findall(fold(nfc(text)))):
                (small if word.islower() else big)[word.lower()] += 1
        self.gazetteer = FIRST | LAST | {n for names in NICK.values() for n in names.split()}
        for known in knowns:
            self.gazetteer |= {n for n in known.names if len(n) > 1 and n not in PARTICLES}
        self.vocabulary = set()
        for word, n in small.items():
            if n >= max(3, total // 3000) and (word not in self.gazetteer or n >= 0.6 * (n + big[word])):
                self.vocabulary.add(word)
        self.places = defaultdict(list)
        for phrase in list(towns) + list(employers):
            words = words_of(phrase)
            while words and words[-1] in ("inc", "llc", "ltd", "corp", "co", "county", "company"):
                words = words[:-1]
            if words and len("".join(words)) >= 3 and " ".join(words) not in STATES:
                self.places[words[0]].append(words)
        for lists in self.places.values():
            lists.sort(key=len, reverse=True)
        self.zips, self.as_of = zips, as_of

    def ordinary(self, word):
        return word in COMMON or word in self.vocabulary or word in CLINICAL_ABBR

    def clean(self, text, known, short=False):
        if not text:
            return text
        text = nfc(text)
        plain = fold(text)
        if len(plain) != len(text):
            plain = text
        low = lower(plain)
        spans = []
        self.find_known(plain, low, known, spans)
        self.find_patterns(plain, spans, known)
        self.find_dates(plain, spans, short)
        self.find_names(plain, low, known, spans, short)
        return self.replace(text, spans)

    @staticmethod
    def replace(text, spans):
        out, at = [], 0
        merged = []
        for start, end, kind in sorted(spans, key=lambda s: (s[0], -s[1])):
            if merged and start < merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], end)
            else:
                merged.append([start, end, kind])
        for start, end, kind in merged:
            while end > start and text[end - 1] in " \t\n,;":
                end -= 1
            if end > start:
                out.append(text[at:start])
                out.append(f"[{kind}]")
                at = end
        return "".join(out) + text[at:]

    def find_known(self, plain, low, known, spans):
        for kind, pattern in known.compiled():
            spans.extend((m.start(), m.end(), kind) for m in pattern.finditer(low))
        for found in DIGITS.finditer(plain):
            run = re.sub(r"\D", "", found[0])
            if any(n in run if len(n) >= 7 else n == run for n in known.numbers if n.isdigit()) or (
                    len(run) >= 7 and any(run in n for n in known.numbers)):
                spans.append((found.start(), found.end(), "ID"))
        mixed = [n for n in known.numbers if not n.isdigit()]
        if mixed:
            for n in mixed:
                for found in re.finditer(r"[\s.\-]{0,2}".join(map(re.escape, n)), low):
                    spans.append((found.start(), found.end(), "ID"))

    def find_patterns(self, plain, spans, known):
        for kind, pattern in LABELED:
            for m in pattern.finditer(plain):
                if re.search(r"\d", m[1]) and not re.match(r"\s*\d+(?:\.\d+)?\s*(?:mg|ml|%|mm|cm|weeks|days|years|hours)", m[1] + plain[m.end():m.end() + 8], I):
                    if kind == "DEVICE" and re.match(r"(?:[A-Z]\d\d\.|Z\d)", m[1]):
                        continue
                    spans.append((m.start(1), m.end(1), kind))
        for kind, pattern in PLAIN:
            for m in pattern.finditer(plain):
                before = plain[max(0, m.start() - 22):m.start()]
                if CODE_CUE.search(before) or kind == "URL" and PUBLIC_SITES.search(m[0]):
                    continue
                if kind == "PHONE" and UNIT.match(plain[m.end():m.end() + 8]) and not re.search(r"[()x+]", m[0]):
                    continue
                start = m.start()
                if kind in ("PLACE", "ADDRESS"):  # do not swallow the capital that opens a sentence
                    first = re.match(r"[A-Z][a-z]+\s+", m[0])
                    while first and first[0].strip().lower() in self.vocabulary and first.end() < len(m[0]) - 4 \
                            and re.search(r"[A-Z]\w+\s+\w", m[0][first.end():]):
                        start += first.end()
                        first = re.match(r"[A-Z][a-z]+\s+", plain[start:m.end()])
                spans.append((start, m.end(), kind))
        for m in DIGITS.finditer(plain):
            run = re.sub(r"\D", "", m[0])
            before, after = plain[max(0, m.start() - 22):m.start()], plain[m.end():m.end() + 10]
            if re.fullmatch(r"\d{5}", m[0]) and m[0] in self.zips and not UNIT.match(after) and not CODE_CUE.search(before):
                spans.append((m.start(), m.end(), "PLACE"))
            elif len(run) >= 7 and re.fullmatch(r"\d+(?:[ -]\d{2,})*", m[0]) and not CODE_CUE.search(before) \
                    and not UNIT.match(after) and max(map(len, re.findall(r"\d+", m[0]))) >= 4:
                spans.append((m.start(), m.end(), "ID"))
        for m in MIXED.finditer(plain):
            before = plain[max(0, m.start() - 22):m.start()]
            if not CODE_CUE.search(before) and not re.match(r"(?:NCT|rs)\d", m[0]) and \
                    not re.fullmatch(r"\d+(?:mg|mcg|ml|iu|units?|k|th|s|x\d+|mm|g)|[\d-]+(?:mg|ml|units?)|(?:19|20)\d\d-\d\d-\d\dT?\w*|\d{8}T\d+Z?", m[0], I):
                spans.append((m.start(), m.end(), "ID"))
        for pattern in UNIQUE:
            spans.extend((m.start(), m.end(), "DESCRIPTION") for m in pattern.finditer(plain))
        for m in PLACE_CUE.finditer(plain):
            words = [w for w in words_of(m[1]) if w != "the"]
            if words and not all(w in STATES or w in ("new", "north", "south", "west", "united", "states", "puerto", "rico") for w in words) \
                    and not (self.ordinary(words[0]) and len(words) == 1 and words[0] not in self.places):
                spans.append((m.start(1), m.end(1), "PLACE"))
        for m in JOB_CUE.finditer(plain):
            if not re.search(r"Hospital|Clinic|Medical|Health", m[1]):
                spans.append((m.start(1), m.end(1), "PLACE"))

    def find_dates(self, plain, spans, short):
        for pattern in DATES:
            for m in pattern.finditer(plain):
                group = m.lastindex if m.lastindex and len(m[m.lastindex]) > 1 else 0
                found, start = m[group], m.start(group)
                before = plain[max(0, start - 14):start]
                if re.search(r"(?i)\bmay\b|\bmar\b|\bdec\b|\bjan\b|\bmarch\b", found) and not re.search(r"(?:18|19|20)\d\d", found):
                    if re.match(r"(?:may|mar|dec|march)\b", found) and not re.search(r"\d(?:st|nd|rd|th)", found) and not re.search(r"\d", found):
                        continue
                    if re.search(r"\bmay\b", found):  # "5 may need", "may 2"
                        continue
                if CODE_CUE.search(before) or re.search(r"(?i)\bBP:?\s*$|version\s*$|\bv\.?\s*$", before):
                    continue
                if re.fullmatch(r"\d{1,2}\.\d{1,2}\.\d{2}", found) and not re.search(r"(?i)(?:on|dob|date|born|since|:)\s*$", before):
                    continue
                if re.fullmatch(r"\d{1,2}[-/.]\d{1,2}[-/.]\S+", found):
                    one, two = [int(n) for n in re.findall(r"\d+", found)[:2]]
                    if min(one, two) > 12:
                        continue
                if re.fullmatch(r"(?i)\w+days?", found) and re.search(r"(?i)(?:every|each|weekly on|q)\s*$", before):
                    continue
                spans.append((start, m.end(group), "DATE"))
        for pattern in AGES:
            for m in pattern.finditer(plain):
                start, end = m.span(1)
                if re.search(r"(?i)(?:bp|hr|sat|sats|spo2|o2|weight|wt|pulse|glucose|rr|[/.\d])\s*:?\s*$", plain[max(0, start - 8):start]):
                    continue
                if re.match(r"\s*(?:%|/\d|mg|kg|bpm|mmhg)", plain[end:end + 6], I):
                    continue
                spans.append((start, end, "AGE"))
        for m in re.finditer(r"\b(18\d\d|19\d\d)\b", plain):
            if int(m[1]) <= self.as_of.year - 90 and not UNIT.match(plain[m.end():m.end() + 8]) and \
                    re.search(r"(?i)(?:born|b\.|dob|birth|since|in|year|of|class)\W*(?:\w+\W+){0,2}$", plain[max(0, m.start() - 24):m.start()]):
                spans.append((m.start(), m.end(), "DATE"))

    # -- names

    def find_names(self, plain, low, known, spans, short):
        words = list(WORD.finditer(plain))
        letters = [c for c in plain if c.isalpha()]
        shouting = len(letters) > 20 and sum(c.isupper() for c in letters) > 0.7 * len(letters)
        whisper = len(letters) > 20 and sum(c.isupper() for c in letters) < 0.004 * len(letters)
        flags = []
        for m in words:
            flags.append(self.name_flag(m[0], known))
        cued, titled = set(), set()
        for number, pattern in enumerate(CUES):
            for m in pattern.finditer(plain):
                for i, w in enumerate(words):
                    if m.start(1) <= w.start() < m.end(1):
                        cued.add(i)
                        if number == 1:
                            titled.add(i)
        hits = set()
        for i, m in enumerate(words):
            word, flag = m[0], flags[i]
            base = self.base(word)
            capital = word[0].isupper()
            before = plain[max(0, m.start() - 40):m.start()]
            after = base_next = self.base(words[i + 1][0]) if i + 1 < len(words) and words[i + 1].start() - m.end() <= 3 else ""
            near = [j for j in (i - 1, i + 1) if 0 <= j < len(words) and self.adjacent(plain, words, i, j)]
            beside = any(flags[j] and (words[j][0][0].isupper() or flags[j] == 3) and self.base(words[j][0]) not in EPONYM_NOUN for j in near)
            title = i in titled or bool(TITLE.search(before))
            opening = not before.strip() or bool(re.search(r"[.!?:\n]\s*$|^\s*[-*]\s*$", before))
            eponym = base_next in EPONYM_NOUN or (after in EPONYMS and i + 2 < len(words) and self.base(words[i + 2][0]) in EPONYM_NOUN)
            if base in EPONYMS and not title and not (flag == 3 and beside and not eponym):
                possessive = word.lower().endswith("'s")
                if flag < 3 or eponym or possessive and after not in KIN_WORDS or \
                        re.search(r"(?i)\b(?:with|of|no|for|negative|positive|from|has|had|hx|h/o|a|the)\s+$", before) and not shouting and eponym:
                    if not (i in cued and flag and not eponym and not possessive):
                        continue
            if eponym and not title and flag < 3 and i not in cued:
                continue
            if flag == 3:
                if eponym and not beside and not title and (base in EPONYMS or self.ordinary(base)):
                    continue
                hits.add(i)
            elif flag == 2:  # a name of this patient's that is also a word
                if title or i in cued and capital or capital and beside:
                    hits.add(i)
                elif capital and not opening and not shouting and len(base) > 2 and base not in CLINICAL_ABBR and after not in EPONYM_NOUN:
                    hits.add(i)
            elif flag == 1:
                if CLINICIAN.search(before) and not title:
                    continue
                if title or i in cued and capital:
                    hits.add(i)
                elif (capital or whisper) and not self.ordinary(base) and len(base) > 3 and base not in EPONYMS \
                        and base not in STATES and (not shouting or beside):
                    hits.add(i)
                elif capital and beside and not shouting and not self.ordinary(base) and base not in EPONYMS:
                    hits.add(i)
            elif title and capital and base not in PARTICLES and base not in self.vocabulary:
                hits.add(i)
            elif i in cued and capital and not shouting and base not in self.vocabulary and base not in COMMON \
                    and base not in STATES and base not in CLINICAL_ABBR and base not in EPONYMS and not CLINICIAN.search(before) and len(base) > 1:
                hits.add(i)
        for _ in range(2):  # initials, particles and unknown parts beside a name
            for i in sorted(hits):
                for j in (i - 1, i + 1):
                    if not 0 <= j < len(words) or j in hits or not self.adjacent(plain, words, i, j):
                        continue
                    word, base = words[j][0], self.base(words[j][0])
                    if len(word) == 1 and word.isupper() and (word not in "AI" or plain[words[j].end():words[j].end() + 1] == "."):
                        hits.add(j)
                    elif base in PARTICLES and len(base) > 1 and (j < i and word[0].isupper() or j > i and j + 1 in hits or
                                                                  j < i and j - 1 in hits):
                        hits.add(j)
                    elif word[0].isupper() and not shouting and flags[j] and base not in EPONYM_NOUN and len(word) > 1 \
                            and base not in CLINICAL_ABBR and not self.vocabulary_word(base, flags[j]):
                        hits.add(j)
                    elif word[0].isupper() and not shouting and len(word) > 2 and not self.ordinary(base) and base not in EPONYMS \
                            and base not in EPONYM_NOUN and base not in STATES and "\n" not in plain[min(words[i].end(), words[j].end()):max(words[i].start(), words[j].start())]:
                        hits.add(j)
        for i in hits:
            end = words[i].end()
            if words[i][0].lower().endswith("'s"):
                end -= 2
            spans.append((words[i].start(), end, "NAME"))
        self.find_places(plain, words, spans, shouting, whisper)
        self.find_glued(plain, low, known, spans)

    def vocabulary_word(self, base, flag):
        return base in self.vocabulary and flag < 2

    @staticmethod
    def base(word):
        base = word.lower()
        if base.endswith("'s"):
            base = base[:-2]
        return base.rstrip("'")

    @staticmethod
    def adjacent(plain, words, i, j):
        a, b = min(i, j), max(i, j)
        return bool(re.fullmatch(r"[ \t]*[.,\-]?[ \t]*\"?|\n", plain[words[a].end():words[b].start()]))

    def name_flag(self, word, known):
        """3: a name of this patient's people, 2: the same, but also a word, 1: a name of somebody, 0: no name."""
        base = self.base(word)
        for form in (base, base.replace("'", ""), base[:-1] if base.endswith("s") else base):
            if form in known.names and form not in PARTICLES and len(form) > 1:
                if form != base and form != base.replace("'", "") and self.ordinary(base):
                    continue
                return 2 if form in COMMON or form in self.vocabulary or len(form) <= 2 or form in CLINICAL_ABBR else 3
        if len(base) >= 5 and not self.ordinary(base) and base not in EPONYMS and base not in EPONYM_NOUN:
            most = 1 if len(base) < 8 else 2
            for name in known.names:
                if len(name) >= 5 and abs(len(name) - len(base)) <= most and OSA.distance(name, base, score_cutoff=most) <= most \
                        and (name[0] == base[0] or name[-2:] == base[-2:]):
                    return 3 if word[0].isupper() else 1
        return 1 if base in self.gazetteer else 0

    def find_places(self, plain, words, spans, shouting, whisper):
        for i, m in enumerate(words):
            for phrase in self.places.get(self.base(m[0]), ()):
                part = words[i:i + len(phrase)]
                if [self.base(w[0]) for w in part] != phrase:
                    continue
                if not (m[0][0].isupper() or whisper):
                    continue
                before = plain[max(0, m.start() - 12):m.start()]
                if len(phrase) == 1 and (self.ordinary(phrase[0]) or phrase[0] in EPONYMS or shouting and phrase[0] in COMMON) and \
                        not re.search(r"(?i)\b(?:in|from|to|near|at|of|outside)\s+$", before):
                    continue
                follow = plain[part[-1].end():part[-1].end() + 24]
                if re.match(r"\s+(?:\w+\s+)?(?:Hospital|Medical|Clinic|General|Health|Regional)\b", follow):
                    continue
                if len(phrase) == 1 and self.base(follow.split()[0]) in EPONYM_NOUN if follow.split() else False:
                    continue
                spans.append((m.start(), part[-1].end(), "PLACE"))
                break

    def find_glued(self, plain, low, known, spans):
        own = [n for n in known.own if n not in PARTICLES]
        if not own:
            return
        first, last = own[0], own[-1]
        joined = {first + last, last + first}
        short = {first[0] + last, last + first[0], first + last[0]} if len(last) > 3 else set()
        for m in re.finditer(r"[a-z][a-z_.]*[a-z]\d{0,4}", low):
            token = re.sub(r"[^a-z]", "", m[0])
            if any(g in token for g in joined if len(g) > 5) or token in short and len(token) > 4 and not self.ordinary(token):
                spans.append((m.start(), m.end(), "NAME"))
        for m in SPELLED.finditer(plain):
            token = re.sub(r"[^a-z]", "", m[0].lower())
            if len(token) > 2 and (token in known.names or token in self.gazetteer and token not in COMMON):
                spans.append((m.start(), m.end(), "NAME"))
        for sets in {(first[0] + last[0]).upper(), "".join(n[0] for n in own[:3]).upper()}:
            dotted = r"\.\s?".join(sets)
            for m in re.finditer(rf"(?<![\w.]){dotted}\.(?!\w)|(?<![\w.]){dotted}(?![\w.])", plain):
                spans.append((m.start(), m.end(), "NAME"))
            if sets.lower() not in CLINICAL_ABBR:
                for m in re.finditer(rf"(?:\b(?:[Pp]t|[Pp]atient|[Ii]nitials?|[Nn]ame|[Rr]e):?\s+)({sets})\b|\b({sets})(?=\s+(?:is|was|has|had|reports|denies|states|presents|returns|came|says|feels|agrees|called|and (?:his|her))\b)", plain):
                    group = 1 if m[1] else 2
                    spans.append((m.start(group), m.end(group), "NAME"))


KIN_WORDS = set("""wife husband son daughter mother father brother sister friend neighbor family home house appointment visit chart
labs medication medications pain symptoms blood room care request concerns spouse partner weight diabetes mom dad children""".split())
