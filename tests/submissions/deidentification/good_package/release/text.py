"""Free text: find the spans that identify somebody, replace each by a mark."""

import re as _re
import unicodedata
from collections import defaultdict

import regex as re
from rapidfuzz.distance import OSA

from .words import WORDS

# ---- folding: the same length, no accents, entities as blanks ------------------------------------

_SPECIAL = {"đ": "d", "Đ": "D", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "ı": "i", "’": "'", "‘": "'", "ʼ": "'", "‐": "-",
            "‑": "-", "–": "-", "—": "-", "\u00a0": " ", "\u2009": " ", "\u202f": " ", "ß": "s", "æ": "a", "œ": "o", "ð": "d", "þ": "t"}
_FOLDED = {}


def _fold_char(c):
    if c not in _FOLDED:
        plain = _SPECIAL.get(c)
        if plain is None:
            plain = next((d for d in unicodedata.normalize("NFD", c) if not unicodedata.combining(d)), " ")
            plain = plain[:1] or c
        _FOLDED[c] = plain
    return _FOLDED[c]


def fold(text):
    text = _re.sub(r"&#?\w{2,6};", lambda m: " " * len(m[0]), text)
    if text.isascii():
        return text
    return "".join(c if c < "\x80" else _fold_char(c) for c in text)


def words_of(name):
    return [w for w in re.findall(r"[A-Za-z]+", fold(name or "")) if len(w) > 1]


# ---- patterns ------------------------------------------------------------------------------------

MONTH = (r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|"
         r"Nov(?:ember)?|Dec(?:ember)?)")
ORD = (r"(?:twenty[- ]first|twenty[- ]second|twenty[- ]third|twenty[- ]fourth|twenty[- ]fifth|twenty[- ]sixth|"
       r"twenty[- ]seventh|twenty[- ]eighth|twenty[- ]ninth|thirty[- ]first|thirtieth|twentieth|nineteenth|eighteenth|"
       r"seventeenth|sixteenth|fifteenth|fourteenth|thirteenth|twelfth|eleventh|tenth|ninth|eighth|seventh|sixth|fifth|"
       r"fourth|third|second|first)")
NTH = r"\d{1,2}(?:st|nd|rd|th)"
YEAR = r"(?:19|20)\d\d"
DAYNAME = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?"
DAYSHORT = r"(?:Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun)\b\.?"
CLOCK = r"(?:T\d{2}:?\d{2}(?::?\d{2})?(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?)?"

DATES = [
    rf"(?<![\d.])\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}(?!\d){CLOCK}",
    rf"(?<![\d./-])\d{{1,2}}([-/.])\d{{1,2}}\1(?:\d{{4}}|\d{{2}})(?![\d/]|[.-]\d){CLOCK}",
    rf"(?<!\d){YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d){CLOCK}",
    rf"(?<![\w.,/]){NTH}?(?:\d{{1,2}})?(?<=\w)[ ]?[-/ ]?[ ]?(?:of )?(?i:{MONTH})(?![a-z])\.?(?:[-/., ']{{0,2}}{YEAR}|[-/']?\d\d)?(?!\d)",
    rf"\b(?i:{MONTH})\.?[- /]{{1,2}}(?:the )?(?:{NTH}|\d{{1,2}}|{ORD})(?![\d:%]|\.\d)(?:,? ?(?:of )?{YEAR}(?!\d)|, ?'?\d\d(?!\d))?",
    rf"\b(?i:{MONTH})\.?(?:,? (?:of )?|[-/'])(?:{YEAR}|'\d\d)(?!\d)",
    rf"\b(?:[Tt]he )?(?i:{ORD})(?: day)?,? (?:of )?(?i:{MONTH})\b(?:,? (?:of )?{YEAR})?",
    rf"\b[Tt]he {NTH}(?! (?:&|percentile|grade|floor|rib|toe|finger|digit|metatarsal|metacarpal|cranial|nerve|ventricle|visit|dose|day|time|"
    rf"week|intercostal|degree|generation|attempt|episode))(?: of the month)?",
    rf"\b(?:on|by|until|before|since|from|till|after) the {ORD}(?=[ ]*(?:[.,;)\n]|$|and\b|or\b))",
    rf"\b(?i:early|mid|late|end of|beginning of|start of|middle of)[ -](?i:{MONTH})\b",
    r"\b(?:January|February|March|April|June|July|August|September|October|November|December)\b",
    r"\b(?:JANUARY|FEBRUARY|MARCH|APRIL|JUNE|JULY|AUGUST|SEPTEMBER|OCTOBER|NOVEMBER|DECEMBER)\b",
    r"\b(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?",
    r"\b(?:in|since|of|during|until|by|from|last|this|next|through|before|after|and|to|late|early|mid)[ -]May\b(?![ -]Thurner)",
    rf"\b(?i:{DAYNAME})\b,?",
    rf"\b{DAYSHORT},?(?= ?(?:\d|{MONTH}\b|the \d))",
    rf"(?<=\b(?:on|since|last|next|until|by|this|every|from|of) )(?:{DAYSHORT})",
    rf"(?<![\d/.])(?:0?[1-9]|1[0-2])[/-]{YEAR}(?!\d)",
    rf"(?<![\d/.-]){YEAR}[-/](?:0[1-9]|1[0-2])(?![\d/-])",
    r"\b(?:born|b\.|birth year|year of birth|DOB|YOB)[:|]? *(?:in +)?(?P<only>(?:18|19|20)\d\d)\b",
]
DATE_RX = [re.compile(p) for p in DATES]
SHORT_DATE = re.compile(r"(?<![\w/.])(0?[1-9]|1[0-2])/(0?[1-9]|[12]\d|3[01])(?![\d/%]|\.\d)")
DAY_FIRST = re.compile(
    r"(?i)\b(?:on|out|by|until|till|since|due|before|after|from|seen|removal|next|review|visit|f/u|fu|check|through|started|stopped|admitted|discharged|returns?|back|rtc|appointment|appt|recheck|dated|of|booked|"
    r"scheduled|date|surgery|onset|adm|d/c|labs|last|clinic|follow-up|again|placed|removed|changed|given|and|born|dob|drawn|called|sent) "
    r"(?P<only>(?:(?:1[3-9]|2\d|3[01])[/.](?:0?[1-9]|1[0-2])|(?:0?[1-9]|1[0-2])-(?:0?[1-9]|[12]\d|3[01])|(?:1[3-9]|2\d|3[01])-(?:0?[1-9]|1[0-2])))(?![\w/%-]|\.\d| ?(?:days?|weeks?|months?|hours?|hrs?|years?|min|times|tablets?|tabs?|puffs?|units?|lbs?|kg|mg|to\b|points?|beats|of\b|drinks|cigarettes|packs))")
NOT_BEFORE = re.compile(
    r"(?i)(?:PHQ-?\d*|GAD-?\d*|MMSE|MoCA|AUDIT(?:-C)?|CAGE|NIHSS|Norton|Braden|Morse|Barthel|APACHE|CURB-?\d*|CHA\w*|HAS-BLED|STOP-?BANG|EPDS|FLACC|RASS|Katz|Lawton|Tinetti|Berg|SLUMS|ESAS|KPS|ECOG|TIMI|MELD|ASA|WOMAC|Epworth|Bishop|Ranson|Aldrete|Silverman|PEDS|IPSS|AUA|Y-BOCS|Karnofsky|recall|orientation|items?|quadrants?|nodes?|cores?|joints?|points?|positive in|out of|stage|\bpain|strength|power|motor|\btakes?|\bhalf|\bscore|\bscale|\bgrade|\bBP|pressure|apgar|murmur|reflex(?:es)?|acuity|vision|\bVA|"
    r"\bGCS|rat(?:ed|ing)|severity|intensity|\bNRS|\bVAS|\bSOFA|\bROM|pulses?|\bvisual|\bI/O|\bgive|dose|fraction|about|ratio|tablets?|\btabs?)"
    r"(?:\W+\w+){0,2}\W*$")
NOT_AFTER = re.compile(
    r"(?i)\s*-?(?:tab|tablet|pill|cup|dose|in both|strength|bilat|murmur|systolic|on arrival|pain|teaspoon|tsp|ml\b|cc\b|mg\b|of (?:a|the) (?:tab|pill|dose)|"
    r"throughout|hours|to \d/\d|at rest|on exertion|today on|of pain|severity|upper|lower|prn|days|NS\b|normal saline|per\b|strain|pulses|power|mmHg|inch|normal strength)")

NUMBERS = [
    ("URL", r"(?:https?|ftp)://[^\s|<>\"')\]]+|\bwww\.[^\s|<>\"')\]]+"),
    ("URL", r"\b(?:[\w-]+\.)+(?:com|org|net|edu|gov|io|info|health|us|example|test)/[^\s|<>\"')\]]*"),
    ("EMAIL", r"[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+"),
    ("EMAIL", r"(?i)\b[\w+-]+(?:(?:\s+(?:dot|underscore|dash|hyphen|minus|plus)\s+|[._+-]|\s*[\[(](?:dot|underscore)[\])]\s*)[\w+-]+)*\s*"
              r"(?:[\[({<]\s*at\s*[\])}>]|\sat\s|\s@\s|@)\s*[\w-]+(?:(?:\s+dot\s+|\s*[\[({]\s*dot\s*[\])}]\s*|\s?\.\s?)[\w-]+)*"
              r"(?:\s+dot\s+|\s*[\[({]\s*dot\s*[\])}]\s*|\.)(?i:com|org|net|edu|gov|io|us|info|mail|test|example)\b"),
    ("PHOTO", r"[^\s|,;:()\"]+\.(?i:jpe?g|png|heic|tiff?|gif|bmp|dcm|pdf|docx?|mp4|mov|webp|raw)\b"),
    ("PHOTO", r"\b(?:IMG|DSC|DSCN|PHOTO|PIC|SCAN)[_-]\w[\w-]*"),
    ("IP", r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)(?::\d+)?"),
    ("IP", r"\b(?:[0-9A-Fa-f]{0,4}:){3,7}[0-9A-Fa-f]{1,4}\b(?!:)(?<=[a-fA-F0-9:]{6,})"),
    ("SSN", r"(?<![\d-])\d{3}([- .]?)\d{2}\1\d{4}(?![\d-]*\d)"),
    ("SSN", r"(?i)(?<!\w)[x*#]{3}[- ]?[x*#]{2}[- ]?\d{4}\b"),
    ("SSN", r"(?i:last (?:four|4)|\bSSN|social(?: security)?|social ending in)[^.\n\d|]{0,60}(?P<only>\d[\d -]{2,11}\d)"),
    ("PHONE", r"(?<![\w.])(?:\+?1[\s.-]?)?\(?[2-9]\d{2}\)?[\s./-]{0,3}\d{3}[\s./-]{0,3}\d{2}[\s.-]?\d{2}(?!\d)(?:[\s,]*(?i:x|ext\.?|extension)[\s.]*\d{1,5}\b)?"),
    ("PHONE", r"(?<![\w.-])\d{3}[-. ]\d{4}(?![\d-])(?:[\s,]*(?i:x|ext\.?|extension)[\s.]*\d{1,5}\b)?"),
    ("PHONE", r"(?i:phone|telephone|tel|cell|mobile|call(?:ed)?(?: back)?(?: at)?|cb|fax|reached at|voicemail)[:#. ]{1,3}(?P<only>\+?\d[\d ().x/-]{5,}\d)"),
    ("PHONE", r"(?i)\b(?:ends?|ending)(?: in| with)? (?P<only>\d{3,4})\b(?! mg)"),
    ("PHONE", r"(?i)\b(?:(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple)[\s,-]+){6,}(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)\b"),
    ("HEALTH", r"(?<![\w-])[A-Z]{2,4}[- ]?\d{2,4}[- ]?\d{4,7}(?!\w)"),
    ("HEALTH", r"(?i:member|subscriber|policy|plan|beneficiary|group|insurance)(?: (?i:number|no\.?|id|card shows|nr))*[:# ]+(?P<only>(?=[A-Z0-9 -]*\d)[A-Z0-9]+(?:[ -](?=[A-Z0-9]*\d)[A-Z0-9]+){0,3})"),
    ("ACCOUNT", r"\b(?:ACC|ACCT|INV|GUAR)[-# ]?\d[\d-]+\b"),
    ("ACCOUNT", r"(?i:account|acct|invoice|billing|guarantor|claim|card|statement)(?:\.? (?i:number|no\.?|id|ending(?: in)?))*[:# ]+(?P<only>(?=[A-Z0-9-]*\d{3})[A-Z0-9]+(?:[ -]\d+)*)"),
    ("VEHICLE", r"\b(?=[A-HJ-NPR-Z0-9]*\d)(?=[A-Z0-9]*[A-Z])[A-HJ-NPR-Z0-9]{17}\b"),
    ("VEHICLE", r"(?i:plate|vehicle(?: number)?|VIN|license plate|tag|registration)(?: (?i:number|no\.?|reads?|is))*[:# ]+(?P<only>(?=[A-Z0-9- ]{0,9}\d)[A-Z0-9]{1,17}(?:[- ](?=[A-Z0-9]*(?:\d|[A-Z]{2}))[A-Z0-9]{1,5}){0,3})"),
    ("VEHICLE", r"(?i:\bplates?|license tag)(?: (?:number|no\.?|reads?|is))*[:# ]+(?P<only>(?=(?:\w{1,4}[- ]?){0,3}\d)(?:\d[A-Za-z0-9]{0,7}|[A-Za-z]{1,3}\d[A-Za-z0-9]*|[A-Z]{1,4}|[a-z]{1,3}(?=[- ]\d))(?:[- ]?(?:\d+[A-Za-z]{0,4}|[A-Z]{1,4}\b|(?<=\d[- ])[a-z]{1,3}(?=[- ]\d))){0,3})"),
    ("VEHICLE", r"(?i:\b(?:asks? to move|move|moved|towed|tow|parked|parking|car|truck|van|pickup|jeep|sedan|suv|motorcycle|drives an?|valet|reg\.?)) (?:(?:the|a|an|his|her|car|truck|van|with|in|is|tag|reg|number|no\.?) )*(?P<only>(?=[A-Za-z0-9 -]{0,9}\d)(?:\d{1,3}[ -]?[A-Za-z]{2,3}[ -]?\d{2,4}|[A-Z]{2,3}[ -]?\d{3,4}|[a-z]{3}[ -]\d{3,4}|\d{3,4}[ -]?[A-Z]{2,3}))\b"),
    ("VEHICLE", r"(?<![\w.])\d [a-z]{3} \d{3}(?![\w.]\d|\d| ?(?:mg|ml|kg))"),
    ("DEVICE", r"\(\d{2}\)\w+(?:\(\d{2}\)\w+)*"),
    ("DEVICE", r"(?i:serial(?: number| no\.?)?|S/N|SN|UDI|lot|implant|device(?: id| number| no\.?)?|model)[:# ]+(?P<only>(?=[A-Z0-9-]*\d)[A-Z0-9][A-Z0-9-]{3,})"),
    ("OTHER", r"(?i:sha-?\d+|md5|hash|token|key)[=: ]+(?P<only>[0-9A-Za-z+/_-]{8,})"),
    ("OTHER", r"\b(?=[0-9a-fA-F]*\d)(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{12,}\b"),
    ("OTHER", r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){2,3}-[0-9a-fA-F]{8,12}\b"),
    ("OTHER", r"\b(?:FP|BIO|IRIS|FACE|VOICE|RET|PALM)[-_ ][0-9A-Za-z]*\d[0-9A-Za-z-]*"),
    ("OTHER", r"(?i:fingerprint|retina|iris|voice|palm|biometric|face)(?: (?i:template|scan|print|id|number|code))*[:# ]+(?P<only>(?=[\w-]*\d)[\w-]{4,})"),
    ("OTHER", r"(?i:licen[cs]e|badge|passport|permit|certificate|DEA|NPI|ID card|locker|case|visa|union|student|employee|staff|service)(?: (?i:number|no\.?|id|card))*[:# ]+(?P<only>(?=[A-Z0-9-]*\d{3})[A-Z0-9][A-Z0-9-]*)"),
    ("LOCATION", r"(?i:\bP\. ?O\. ?Box|\bPO Box|\bPOB|\bPost Office Box|\bBox)[ #]*\d+"),
]
NUMBER_RX = [(label, re.compile(p)) for label, p in NUMBERS]
TLD = (".com", ".org", ".net", ".edu", ".gov", ".io", ".info", ".health", ".us", ".example", ".test", ".mail")
AT = ("@", " at ", "[at]", "(at)", "<at>", "{at}", "[ at", "( at")
KEYWORDS = {
    "(?i:last (?:four": ("last four", "last 4", "ssn", "social"),
    "(?i)(?:phone|": ("phone", "tel", "cell", "mobile", "call", "cb", "fax", "reached at", "voicemail"),
    "(?i:phone|": ("phone", "tel", "cell", "mobile", "call", "cb", "fax", "reached at", "voicemail"),
    "(?i:member|": ("member", "subscriber", "policy", "plan", "beneficiary", "group", "insurance"),
    "(?i:account|": ("account", "acct", "invoice", "billing", "guarantor", "claim", "card", "statement"),
    "(?i:plate|": ("plate", "vehicle", "vin", "tag", "registration"),
    r"(?i:\bplates?": ("plate", "license tag"),
    "(?i:serial": ("serial", "s/n", "sn", "udi", "lot", "implant", "device", "model"),
    "(?i:sha": ("sha", "md5", "hash", "token", "key"),
    "(?i:fingerprint": ("fingerprint", "retina", "iris", "voice", "palm", "biometric", "face"),
    "(?i:licen": ("licen", "badge", "passport", "permit", "certificate", "dea", "npi", "id card", "locker", "case", "visa", "union", "student",
                  "employee", "staff", "service"),
}
NEEDS = []
for _label, _p in NUMBERS:
    _need = None
    if _label == "URL":
        _need = ("http", "ftp", "www.") if "https?" in _p else TLD
    elif _label == "EMAIL":
        _need = ("@",) if _p.startswith(r"[\w.+%") else AT
    elif _label == "PHOTO" and "jpe?g" in _p:
        _need = (".jp", ".png", ".heic", ".tif", ".gif", ".bmp", ".dcm", ".pdf", ".doc", ".mp4", ".mov", ".webp", ".raw")
    for _first, _words in KEYWORDS.items():
        if _p.startswith(_first):
            _need = _words
    NEEDS.append(_need)
LONG = re.compile(r"(?<![\w.])#?(?=[A-Za-z0-9-]*\d)[A-Za-z0-9][A-Za-z0-9]*(?:-[A-Za-z0-9]+)*(?![\w]|\.\d)")
UNIT = re.compile(r"\s?(?:mg|mcg|ug|g|kg|mL|ml|L|dL|units?|IU|mEq|mmol|/|%|copies|cells|K\b|mm|cm|bpm|steps|kcal|cal|U\b|ng|pg)")
CODED = re.compile(r"(?i)(?:CPT|HCPCS|LOINC|RxNorm|NDC|SNOMED|NDA|platelets?|plt|WBC|count|BNP|CK|ferritin|troponin|viral load)(?: (?:code|of|was|is))?[ :#]*$")
ICD = re.compile(r"[A-TV-Z]\d[0-9A-Z]$")

TEENS = r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen)"
OLD_WORD = rf"(?:ninety(?:[- ]{TEENS})?|(?:(?:one|a)[- ])?hundred(?:[- ](?:and[- ])?{TEENS})?)"
OLD = r"(?:9\d|1[0-2]\d)"
AGE_AFTER = r"(?:[- ]*(?:years?|yrs?|yr)(?![a-z])(?![ -]*(?:ago|earlier|before|later|history))|[- ]*y\.? ?/?o\b|[- ]?yo\b|[- ]?y/o|[- ]?y\.o|[- ]?Y/O|[- ]?YO)"
AGES = [
    rf"(?<![\d./])(?P<only>{OLD})(?={AGE_AFTER})",
    rf"(?i:\bage[ds]?|\bturn(?:ed|s|ing)|\bA&W at|\bat age|\bwell at|\bdied at|\balive at|\bliving at|\bdeceased at|\bd\. at|\bage of|\bage:)[ :|]*(?:of |at |age )?(?P<only>{OLD})(?![\d/%]|\.\d| ?(?:mg|kg|mm|bpm|C\b|%))",
    rf"(?<![\d./]|T |[Tt]emp )(?P<only>{OLD})[- ]?(?:F|M|yoF|yoM|yof|yom|y/o)(?=[ ,.;)])(?<!\d F)",
    rf"(?P<only>\b(?i:{OLD_WORD}))(?=[- ]*(?i:years?|y\.? ?/?o))",
    rf"(?i:\bage[ds]?|\bturn(?:ed|s|ing)|\bA&W at|\bat age|\bwell at|\bdied at)[ :]*(?:of )?(?P<only>(?i:{OLD_WORD}))\b",
    r"(?i)\b(?:in (?:his|her|their|the) )?(?:early |mid[- ]?|late )(?:nineties|90'?s)\b|\bin (?:his|her|their) (?:nineties|90'?s)\b|\bnineties\b",
    r"(?i)\b(?:nonagenarian|centenarian|supercentenarian)s?\b",
    r"(?i)\b(?P<only>(?:9\d|1[0-2]\d)(?:st|nd|rd|th)|ninetieth|ninety-\w+|(?:one )?hundredth)(?= birthday)",
]
OLD_HINT = _re.compile(r"9\d|1[0-2]\d|ninet|hundred|nonagen|centena")
AGE_RX = [re.compile(p) for p in AGES]

EPONYM_HEAD = (r"(?:disease|syndrome|sign|signs|score|lymphoma|test|scale|criteria|palsy|thyroiditis|virus|catheter|coma|phenomenon|cyst|fracture|"
               r"sarcoma|tumou?r|es?ophagus|body|bodies|contracture|maneuver|manoeuvre|monitor|position|stage|class|classification|method|nodes?|spots?|"
               r"point|index|reflex|chorea|granulomatosis|lymphadenitis|dementia|neuroma|arthropathy|joint|ulcer|hernia|procedure|operation|anemia|"
               r"purpura|encephalopathy|psychosis|angina|ataxia|paralysis|tetralogy|duct|loop|drain|tube|grade|respirations?|breathing|lines?|rule|"
               r"equation|formula|stain|agar|cells?|fever|infection|orbitopathy|ophthalmopathy|hyperthyroidism|nephropathy|exam|scan|level|pressure|"
               r"lesions?|lamp|light|forceps|needle|speculum|retractor|stent|valve|filter|clip|pouch|brace|collar|splint|boot|graft|flap|screw|traction|bandage|"
               r"solution|prism|membrane|glands?|triangle|canal|artery|ligament|rings?|web|diverticulum|polyp|nodules?|granuloma|antigen|antibody|titer|tracing|rhythm|"
               r"click|triad|pentad|law|reaction|crisis|dystrophy|deformity|dysplasia|carcinoma|melanoma|nevus|patch|rash|bacillus|diet|regimen|protocol|"
               r"questionnaire|inventory|view|approach|incision|fundoplication|anastomosis|shunt|pump|port|mask|chart|grid|apparatus|frame|contraction|contractions|"
               r"hicks|keratosis|papules?|macules?|telangiectasia|bump|hump|tubercles?|arthritis|osteochondritis|malformation|anomaly|defect|staging|hernias|"
               r"hydrocele|clamps?|hook|tenaculum|scissors|wires?|tape|gauze|bacteria|species|toxin|fibrosis|stool|stools|crystals?|inclusion|granules|units?|dressing|roll|wire|pins?|rods?)")
EPONYM = (r"(?:Parkinson|Crohn|Hodgkin|Graves|Wilson|Alzheimer|Huntington|Addison|Cushing|Hashimoto|Raynaud|Sjogren|Bell|Down|Marfan|Meniere|Paget|"
          r"Tourette|Turner|Whipple|Kaposi|Ewing|Barrett|Wells|Homans|Babinski|Romberg|Glasgow|Apgar|Foley|Norwalk|Thurner|Murphy|McBurney|Kernig|"
          r"Brudzinski|Lachman|Phalen|Tinel|Holter|Doppler|Braden|Gleason|Charcot|Dupuytren|Colles|Heimlich|Trendelenburg|Valsalva|Lewy|Guillain|"
          r"Epstein|Virchow|Osler|Janeway|Heberden|Bouchard|Kussmaul|Cheyne|Korsakoff|Wernicke|Broca|Lyme|Coombs|Papanicolaou|Snellen|Rinne|Weber|"
          r"Ramsay|Kawasaki|Ebstein|Fallot|Gilbert|Conn|Lynch|Peyronie|Takayasu|Wegener|Behcet|Still|Reiter|Gaucher|Fabry|Pompe|Legionnaires?)")
EPONYMS = frozenset(_re.findall(r"[a-z]+", EPONYM[3:-1].lower())) - {"down", "bell", "still", "conn", "turner", "murphy", "lynch", "weber", "ramsay", "gilbert", "paget"}
TITLED = re.compile(r"(?:Mr|Ms|Mrs|Dr|Miss)\.? ?$")
PROTECT_RX = [
    re.compile(r"\b[A-Z][a-z]+[ -][A-Z][a-z]+ (?:murmur|disease|syndrome|sign|score|test|tube|catheter|criteria|scale|procedure|lesion|line|contractions|maneuver|classification|virus|reflex|method|index)\b"),
    re.compile(r"\b(?:Austin Flint|Graham Steell|Still) murmur|\b[A-Z][a-z]+ (?:murmur|ring|rings)\b"),
    re.compile(rf"(?<!\b(?:Mr|Ms|Mrs|Miss|Dr)\.? )\b[A-Z][a-z]+(?:[- ](?:Barre|Barr|Thurner|Pugh|Hunt|Stokes|Danlos|Schonlein|White|Gehrig|West|Chiari))?(?:'?s|')? {EPONYM_HEAD}\b(?!')"),
    re.compile(rf"(?<!\b(?:Mr|Ms|Mrs|Miss|Dr)\.? )\b{EPONYM}(?:'s|s')?(?=[- ](?:Barre|Barr|Thurner|Pugh|(?:or|and) [A-Z]|{EPONYM_HEAD}\b|negative|positive))"),
    re.compile(r"\b(?:May|MAY)[- ]Thurner\b|\bGlasgow Coma Scale\b|\b(?:West Nile|Lou Gehrig)\b"),
]
TITLE = (r"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|MR|MRS|MS|DR|doctor|Doctor|nurse|Prof|Senor|Senora|Don|Dona|Sr|Sra)\b\.?\s*(?:and (?:Mr|Mrs|Ms)\.? )?")
FAMILIAR = r"\b(?:Uncle|Aunt|Auntie|Little|Old|Big|Young|Cousin|Grandma|Grandpa|Granny|Nana|Papa|Tia|Tio|Abuela|Abuelo|Sister|Brother|Father|Mother|Baby|Good|Crazy|Sweet|Miss)\s+"
ABOVE = re.compile(
    r"(?i:\b(?:lives?|living|rents?|renting|stays?|staying|resides?|rooms?|sleeps|moved in|apartment|flat|home|house|farm|trailer|cabin)\b(?: (?:a|the|with|in|her|his|rooms?|place|apartment|flat|up|alone|right|just|is))*) "
    r"(?P<only>(?i:above|behind|over|beside|next to|next door to|across from|opposite|near|below|beneath|past|under|upstairs from|around the corner from|down the road from|in back of) (?i:the|a|an|that) [^.;,\n|]{3,60}?)(?=[.;,\n|)]|$| and [a-z]+ )")
SHOP = re.compile(
    r"(?P<only>(?i:above|behind|over|beside|next to|across from|opposite|near|below|past) (?i:the|a|an) (?:[a-z-]+ ){0,3}(?:shop|store|bakery|cafe|diner|pharmacy|market|deli|laundromat|laundry|salon|barber|bank|garage|"
    r"station|bar|pub|church|school|library|mill|factory|office|restaurant|pizzeria|florist|butcher|cinema|theater|theatre)s? (?:on|at|in|by|off|near) [A-Z]\w+(?: [A-Z]\w+)?)")
DWELLING = re.compile(
    r"\b(?P<only>(?:the|a|an|that) (?:[\w-]+ ){0,3}?(?:house|farmhouse|cabin|cottage|trailer|barn|bungalow|duplex|apartment|flat|home|farm|ranch|shack|lodge|mansion|condo|"
    r"building|store|shop|bakery|cafe|diner|motel|hotel|church|rectory|parsonage|mill|boat|houseboat|camper|RV|mobile home|tower|lighthouse|hut|place|yard|gate|door|porch|windmill|silo|"
    r"gas station|garage|firehouse|schoolhouse|blockhouse|chapel|inn|tavern|pub|bar|stable|greenhouse)s? (?:just |right |directly )?(?:behind|beside|next to|next door to|across from|opposite|near|past|above|below|over|"
    r"by|at|on|off|with|between|around the corner from|down the road from|in front of|facing|under|beyond|before|after|up from|down from) (?:the |a |an |old )?[^.;,\n|]{3,60}?)(?=[.;,\n|)]|$| and [a-z]+ )")
KIN = (r"(?:lodger|tenant|landlord|landlady|boarder|co-?worker|colleague|boss|teacher|sitter|babysitter|aide|helper|pastor|priest|carer|housemate|flatmate|classmate|godmother|godfather|godson|goddaughter|ex-wife|ex-husband|"
       r"in-law|stepmother|stepfather|stepsister|stepbrother|twin|spouse|wife|husband|partner|child|son|daughter|sibling|brother|sister|parent|mother|father|mom|dad|friend|neighbou?r|aunt|uncle|cousin|"
       r"niece|nephew|grandson|granddaughter|grandmother|grandfather|guardian|caregiver|roommate|fiancee?|stepson|stepdaughter)")
LABEL = (r"(?:\b(?:Patient|PATIENT|Name|NAME|Pt|PT|pt|Re|RE|NOK|EMERG|Client|Subject|Contact|CONTACT|Family|Caller|Spouse|Emergency contact)\b\s*[:|]?\s*(?:Name|NAME)?\s*[:|]?|"
         r"\b[Dd]ictat(?:ion|ing|ed)(?: on| for)?|\bthis for|\ball for|\bTC (?:from|re|with|to)|\bD/[wW]|\b[Ss]poke (?:with|to)|\b[Rr]efer|\b[Cc]opy to|\b[Nn]ext of kin (?:are|is)|"
         r"\b[Kk]nown (?:here )?as|\b[Cc]alls? (?:him|her)self|\b[Gg]oes by|\b[Aa]ka|\ba\.k\.a\.?|\b[Pp]refers|\b[Nn]ee|\b[Aa]lias|\b[Ff]ormerly|\bmaiden name|"
         r"\brelabelled for|\bdropped off by|\bbrought in by|\baccompanied by|\bsigned by|"
         rf"\b(?i:{KIN}),?|\b(?i:{KIN}) (?:is |was |named |called ))")
KIN_END = re.compile(rf"(?i:{KIN})[ ,:(\"']*$")
WALK_RX = [(re.compile(TITLE), False), (re.compile(FAMILIAR), True), (re.compile(LABEL + r"[\s:,|(\"']{0,4}"), False)]
HEADER = re.compile(r"(?m)(?:^|\| *|- )(?:Patient|PATIENT|Name|NAME|Pt name|PT|PATIENT NAME|Patient name)\s*[:|][ ]*(?P<only>[^|\n(;]{2,60}?)(?=\s*\||\s*\n|\s*$|\s{3,}|\s*\(|\s*;|\s+(?:MRN|DOB|Born|born|Sex|SEX)\b)")
SPELLED = re.compile(r"(?<![\w-])[A-Za-z](?:[-.][A-Za-z]){2,}(?![\w-])|(?<![\w-])[A-Z](?: [A-Z]){2,}(?![\w-])")
INITIALS = re.compile(r"(?<![\w.])([A-Z])\.\s?(?:([A-Z])\.\s?)?([A-Z])\.(?!\w)")
RUN = re.compile(r"(?<![A-Za-z0-9])(?:[A-Z]{1,4}[-. ]?)?\d(?:[-\s.()/]{0,2}\d){4,}(?:[-. ]?[A-Za-z])?(?![A-Za-z0-9])")
TOKEN = re.compile(r"[A-Za-z]+")
SUFFIX = ("street st avenue ave road rd lane ln drive dr court ct place pl boulevard blvd way terrace circle highway hwy parkway pkwy square loop trail "
          "alley crescent close row path pike turnpike run ridge hill hills crossing manor point walk route").split()
SCHOOL = r"(?:Elementary|Primary|Middle School|High School|High|Academy|College|University|School|Kindergarten|Preschool|Seminary|Church|Parish|Temple|Mosque|Synagogue|Library|Fire Department|Police Department|Village Hall|Town Hall)"
DESCRIBED = re.compile(
    r"(?i:recogni[sz]ed|identified|remembered|known(?! here)|famous|introduced|celebrated|described)(?: (?:him|her|them|himself|herself|here|locally|widely|in town|to all|everywhere)){0,2} (?:as|for being|for|because)\s+(?P<only>(?:the|a|an|our|being|having|winning) [^.;,\n|]{3,90})")
UNIQUE = (r"\b(?P<only>(?:the|our|town's|a|an) (?:[a-z][\w-]* ){{0,5}}(?:mayor|chief|champion|ringer|harpist|sheriff|judge|priest|pastor|senator|governor|councill?or|president|"
          r"winner|founder|principal|owner|captain|coach|editor|director|conductor|organist|player|singer|author|artist|teacher|doctor|veterinarian|"
          r"butcher|baker|postmaster|postmistress|librarian|keeper|survivor|holder|medalist|astronaut|pilot|centenarian|woman|man|person|resident|twin|twins|"
          r"[a-z]+er|[a-z]+ist|[a-z]+or) (?:of|in|from|for|at|to) (?:all )?{place})")


TAGGED = re.compile(r"(?i:\b(?:made out to|tagged|initiall?ed|filed under|bag reads|label reads|band reads|wristband reads|tag reads|card reads|chart reads|reads|goes under|listed as|written as|under the code|codename|username|user name|user|login|handle|alias|nickname|screen name|board as|known to staff as|sign-?in|log-?in))[: ]+(?P<only>(?=[A-Za-z /.-]{0,12}\d)[A-Za-z(][\w/().-]*(?: \d[\w/.-]*)?)")
SHORTCODE = re.compile(r"(?<![A-Za-z0-9])([A-Za-z]{2,})[ _.-]?(?:\d{1,2}[/.-]\d{1,2}(?:[/.-]\d{2,4})?|\d{2,8})(?![A-Za-z0-9%]|\.\d|/)(?! ?(?:mg|mL|kg|units))")
HOLD = re.compile(r"\bNCT ?\d{8}\b|\b(?:IRB|EudraCT|ISRCTN|CTRI|FDA|IND|IDE|PMID|DOI|CLIA|ICD|CPT|ATC|GTIN|UNII) ?#?:?(?:number |no\.? )?\d[\d/-]*\b|(?:March|Monday|Sunday|Friday) (?:fracture|disease|fever)\b|"
    r"(?i:\b(?:software|firmware|version|release|build|v\.?|ver\.?) ?\d+(?:\.\d+)+)|(?i:\b(?:order set|protocol|form|REF|catalog(?:ue)?|cat\.?|item|part|SKU|guideline|kit|tray|formulary|size|pathway|procedure|bulletin|standard|ISO|bundle) (?:number |no\.? |#)?\d[\d-]*\b)|\b[ABC]/[A-Z][\w .-]*/(?:[\w]+/)?\d+/\d{2,4}(?:\s?\(H\dN\d\))?|(?i:\b(?:vaccine|shot|dose|flu shot|batch) lot(?: (?:number|no\.?))?[ :#]*[A-Z0-9-]+)")
ONLY = re.compile(r"\b(?:the|our) (?:(?:town|city|county|village|state|region|country)'s (?:[a-z][\w-]* ?){1,5}|(?:only|first|oldest|youngest|longest-serving|last|"
                  r"reigning|former|current|acting|retired|late) (?:[a-z][\w-]* ){1,5}(?:in|of|at|for|from) (?:the |all )?(?:town|city|county|village|state|region|country|[A-Z]\w+(?: [A-Z]\w+){0,2}))(?![A-Za-z])")


def alternatives(values, flags=""):
    values = sorted({v for v in values if len(v) > 2}, key=len, reverse=True)
    if not values:
        return None
    return re.compile(flags + r"(?<![A-Za-z0-9])(?:" + "|".join(re.escape(v).replace(r"\ ", r"\s+") for v in values) + r")(?![A-Za-z0-9])")


def number_pattern(formats):
    """Record numbers in the card's formats, with other or no separators."""
    parts = []
    for one in formats:
        chars = [c for c in one if c.isalnum() or c in "#@"]
        out = [r"\d" if c == "#" else "[A-Za-z]" if c == "@" else f"(?i:{re.escape(c)})" for c in chars]
        parts.append(r"[-\s./_]?".join(out))
    parts.sort(key=len, reverse=True)
    return re.compile(r"(?<![A-Za-z0-9])#?(?:" + "|".join(dict.fromkeys(parts)) + r")(?![A-Za-z0-9])") if parts else None


class Cleaner:
    def __init__(self, card, patients, contacts, providers, organizations, texts, whose=None):
        """texts: (patient_id, text) pairs, used to learn which words are common."""
        self.card = card
        self.lex = defaultdict(set)
        self.initials = defaultdict(set)
        self.gaz = set()
        self.ids = defaultdict(set)
        self.year = {}
        people = [(r["patient_id"], [r.get("given"), r.get("middle"), r.get("family")], r) for r in patients]
        people += [(r["patient_id"], [r.get("given"), r.get("family")], r) for r in contacts]
        for pid, names, row in people:
            for name in names:
                for w in words_of(name):
                    self.lex[pid].add(w.lower())
                    self.gaz.add(w.lower())
            first, last = fold(row.get("given") or " ")[0].upper(), fold(row.get("family") or " ")[0].upper()
            self.initials[pid].add((first, last))
            for column in ("mrn", "ssn", "health_plan_id", "phone"):
                compact = re.sub(r"\W", "", row.get(column) or "")
                if len(compact) >= 6:
                    self.ids[pid].add(compact)
        joined = defaultdict(list)
        for pid, who in (whose or {}).items():
            joined[who].append(pid)
        for pids in joined.values():
            if len(pids) > 1:
                for store in (self.lex, self.initials, self.ids):
                    union = set().union(*(store[pid] for pid in pids))
                    for pid in pids:
                        store[pid] = union
        for given, family in providers:
            for w in words_of(given) + words_of(family):
                self.gaz.add(w.lower())
        places = {fold(r[c]) for r in patients for c in ("city", "county") if r.get(c)}
        places |= {p[:-7] for p in list(places) if p.endswith(" County") and len(p) > 10}
        self.places = sorted(places, key=len, reverse=True)
        exact = places | {p.upper() for p in places} | {p.lower() for p in places if " " in p}
        self.place_rx = alternatives(exact)
        self.employers = [(e.lower(), alternatives([e], "(?i)")) for e in {fold(r["employer"]) for r in patients if r.get("employer")} if len(e) > 2]
        endings = {w.lower() for r in patients if (s := fold(r.get("street") or "").split(",")[0].split()) for w in s[-1:] if w.isalpha()}
        endings = sorted(endings | set(SUFFIX), key=len, reverse=True)
        apt = r"(?:,?\s*(?i:Apt|Apartment|Unit|Suite|Ste|No|#)\.?\s*#?\w*\d\w*)?"
        self.street_rx = [
            re.compile(rf"(?<![\w.])\d{{1,5}}[A-Z]?\s+(?:[NSEW]\.?\s+)?(?:[A-Z][A-Za-z'.]*\s+){{1,4}}?(?i:{'|'.join(endings)})\b\.?(?:\s+\d+)?{apt}"),
            re.compile(r"(?<![\w.])\d{1,5}\s+(?i:County Road|State Route|Route|Highway|Rural Route|CR|RR)\s+\d+" + apt),
            re.compile(r"\b(?:County Road|County Rd|State Route|Rural Route|Highway|Route) \d+\b"),
            re.compile(r"\b(?i:Apt|Apartment)\.?\s*#?\d+\w?\b"),
            re.compile(rf"(?i:\baddress(?: is|:)?|\blives at|\bresides at|\bhome at|\bpatient at|\bmail to|\bADDR(?:ESS)?\b ?[:|])\s*(?P<only>\d{{1,5}}\s+[A-Z][^.;\n|,]{{2,40}})"),
            re.compile(rf"\b(?:\d{{1,3}}(?:st|nd|rd|th)|[A-Z][a-z]+(?: (?i:{'|'.join(endings)}))?) ?(?:&|/|and|at|@) ?(?:\d{{1,3}}(?:st|nd|rd|th)|[A-Z][a-z]+)(?: (?i:Streets?|Sts?\.?|Avenues?|Aves?\.?))?(?<=\d(?:st|nd|rd|th)\b.*)"),
            re.compile(r"\b\d{1,3}(?:st|nd|rd|th) ?(?:&|and|/|at|@|x) ?(?:[A-Z]\w+|\d{1,3}(?:st|nd|rd|th))(?: (?:St|Ave|Street|Avenue)\b\.?)?"),
            re.compile(r"\b(?i:corner of|intersection of|near|from|at|junction of) (?P<only>[A-Z][a-z]+(?: [A-Z][a-z]+)? (?:&|and|x) (?:[A-Z][a-z]+|\d+(?:st|nd|rd|th)))(?=[ ,.;\n)])"),
        ]
        place_alt = "|".join(re.escape(p) for p in self.places) or "ZZZZ"
        self.unique_rx = re.compile(UNIQUE.format(place=rf"(?:{place_alt}|town|the county|this county|this town|our county|the state|[A-Z][a-z]+(?: [A-Z][a-z]+)?)"))
        self.school_rx = re.compile(rf"\b(?:[A-Z][A-Za-z'.]+\s+){{1,4}}{SCHOOL}\b(?: (?:School|District))*(?! (?:blood|risk|dose|fever))")
        self.generic_place = [
            re.compile(r"\b(?i:moved (?:here )?(?:to|from)|grew up in|(?i:letter )?(?:was )?sent to|lives? in|living in|resides? in|home is in|home in|born in|from the town of|town of|city of|mayor of|residents? of|commutes? (?:to|from)|travel(?:s|ed) from|retired to|drives? in from|came from)\s+(?P<only>(?:(?:St|Mt|Ft|New|Port|Fort|East|West|North|South|Lake|San|Santa|El|La|Los|Las|Villa)\.? )?[A-Z][a-z]+(?: [A-Z][a-z]+){0,2})"),
            re.compile(r"\b[A-Z][a-z]+(?: [A-Z][a-z]+)? (?:County|COUNTY|Township|Parish|Borough)\b"),
            re.compile(r"(?i:\bworks (?:for|at|with)|\bemployed (?:by|at|with)|\bemployer:?|\bretired from|\bjob at|\bEMPLOYER ?[:|])\s+(?P<only>[A-Z][\w'&-]*(?:(?:,? (?:and|&|of) |[, ]{1,2})[A-Z][\w'&-]*){0,5})"),
            re.compile(r"(?<![\w.-])\d{5}(?:-\d{4})?(?![\w-]|\.\d)"),
        ]
        self.mrn_rx = number_pattern((card.get("mrn_format") or {}).values())
        self.hospital_rx = alternatives({fold(o) for o in organizations if o} | {fold(o).upper() for o in organizations if o})
        self._learn(texts)

    def _learn(self, texts):
        """Words written by many about people who do not bear them, and pairs of words of the same kind."""
        low, cap, pair = defaultdict(set), defaultdict(set), defaultdict(set)
        for pid, text in texts:
            names = self.lex[pid]
            tokens = [(m[0], m.start(), m.end()) for m in TOKEN.finditer(fold(text))]
            for i, (word, start, end) in enumerate(tokens):
                w = word.lower()
                if w in names or len(w) < 2:
                    continue
                if word.islower():
                    low[w].add(pid)
                elif w not in self.gaz:
                    cap[w].add(pid)
                if word[0].isupper() and i + 1 < len(tokens) and tokens[i + 1][1] - end <= 2:
                    pair[(w, tokens[i + 1][0])].add(pid)
        self.common = {w for w, s in low.items() if len(s) >= 4 and (w not in self.gaz or len(s) >= 12)}
        self.common |= {w for w, s in cap.items() if len(s) >= 6}
        self.common |= set(WORDS)
        self.pairs = {p for p, s in pair.items() if len(s) >= 4 and p[1].islower() and p[0] in self.common and p[0] not in ("an", "may")}
        self.pairs -= {p for p in self.pairs if p[1] in ("is", "was", "says", "has", "will", "takes", "lives", "prefers", "knows", "improved", "helps",
                                                        "reports", "given", "tolerated", "moved") and p[0] not in ("she", "best", "pain", "weight")}

    def built(self, head, pid):
        """Is it made of the beginnings of one or two of the person's names?"""
        names = self.lex[pid]
        for i in range(1, len(head) + 1):
            if any(n.startswith(head[:i]) for n in names) and (i == len(head) or any(n.startswith(head[i:]) for n in names)):
                return True
        return False

    # ---- one text ----

    def spans(self, text, pid):
        f = fold(text)
        out = []

        def add(m, label):
            if "only" in m.re.groupindex and m.group("only") is not None:
                out.append((m.start("only"), m.end("only"), label))
            else:
                out.append((m.start(), m.end(), label))

        keep = []
        if self.hospital_rx:
            keep += [(m.start(), m.end()) for m in self.hospital_rx.finditer(f)]
        hospital = list(keep)
        for rx in PROTECT_RX:
            keep += [(m.start(), m.end()) for m in rx.finditer(f)]

        def inside(start, end, where):
            return any(a < end and start < b for a, b in where)

        lower = f.lower()
        for (label, rx), needs in zip(NUMBER_RX, NEEDS, strict=True):
            if needs and not any(n in lower for n in needs):
                continue
            for m in rx.finditer(f):
                if label == "URL" or label == "EMAIL":
                    end = m.end()
                    while f[end - 1] in ".,;:":
                        end -= 1
                    out.append((m.start(), end, label))
                elif label == "ACCOUNT" and "only" in m.re.groupindex and re.fullmatch(YEAR, m.group("only")):
                    continue
                elif label == "VEHICLE" and "only" in m.re.groupindex and (len(re.sub(r"\W", "", m.group("only"))) < 5 or re.match(r"\.\d", f[m.end():m.end() + 2])):
                    continue
                else:
                    add(m, label)
        if self.mrn_rx:
            for m in self.mrn_rx.finditer(f):
                if not UNIT.match(f, m.end()):
                    add(m, "MRN")
        for m in LONG.finditer(f):
            token = m[0].lstrip("#")
            digits = sum(c.isdigit() for c in token)
            letters = sum(c.isalpha() for c in token)
            if CODED.search(f[max(0, m.start() - 24): m.start()]):
                continue
            if re.fullmatch(r"\d{1,3}-\d{1,3}|\d{1,2}(?:-\d{1,2}){3,}", token):
                continue
            if (digits >= 5 or (digits >= 4 and letters)) and not ICD.match(token) and not UNIT.match(f, m.end()):
                if not re.fullmatch(r"\d{1,6}[a-zA-Z]{1,5}", token) or digits >= 6:
                    add(m, "ID")
        own = self.ids.get(pid)
        if own:  # the patient's own numbers with any separators
            for m in RUN.finditer(f):
                compact = re.sub(r"\W", "", m[0])
                if len(compact) >= 8 and any(known in compact for known in own):
                    add(m, "ID")
        for rx in DATE_RX:
            for m in rx.finditer(f):
                add(m, "DATE")
        for m in re.finditer(r"\b(?:May|MAY)\b(?![- ]Thurner)", f):
            after = f[m.end(): m.end() + 12]
            if not re.match(r" (?:take|skip|need|return|use|repeat|be|have|resume|increase|also|not|try|stop|shower|drive|continue|start)\b", after):
                if "may" not in self.lex[pid]:
                    add(m, "DATE")
        for m in SHORT_DATE.finditer(f):
            if not NOT_BEFORE.search(f[max(0, m.start() - 40): m.start()].rsplit("\n", 1)[-1]) and not NOT_AFTER.match(f, m.end()):
                add(m, "DATE")
        for m in DAY_FIRST.finditer(f):
            if not NOT_AFTER.match(f, m.end()) and not UNIT.match(f, m.end()):
                add(m, "DATE")
        for rx in AGE_RX if OLD_HINT.search(lower) else ():
            for m in rx.finditer(f):
                add(m, "AGE")
        if (year := self.year.get(pid)):
            for m in re.finditer(rf"(?<!\d){year}(?!\d)", f):
                add(m, "DATE")
        for rx in self.street_rx:
            for m in rx.finditer(f):
                if re.match(r"\d\s", m[0]) and re.search(r"[ ][A-Z]{2}$", m[0]) and not m[0].isupper():
                    continue
                add(m, "LOCATION")
        for m in DESCRIBED.finditer(f):
            stop = _re.search(r"(?:of|in) (?:" + "|".join(map(re.escape, self.places)) + ")", m.group("only")) if self.places else None
            cut = re.search(r" and (?=[a-z]+ )", m.group("only"))
            end = m.start("only") + (stop.end() if stop else cut.start() if cut else len(m.group("only")))
            out.append((m.start("only"), end, "OTHER"))
        for m in self.unique_rx.finditer(f):
            if any(re.search(r"\b" + re.escape(p) + r"\b", m[0]) for p in self.places) or re.search(r"(?:mayor|sheriff|champion|chief) (?:of|in)", m[0]):
                add(m, "OTHER")
        employers = [rx for e, rx in self.employers if e in lower]
        for rx in (DWELLING, ABOVE, SHOP):
            for m in rx.finditer(f):
                add(m, "LOCATION")
        for m in TAGGED.finditer(f):
            if re.search(r"\d", m.group("only")) and not UNIT.match(f, m.end()):
                add(m, "OTHER")
        for m in SHORTCODE.finditer(f):
            head = m[1].lower()
            if len(head) >= 3 and head not in self.common and self.built(head, pid) or (len(head) == 2 and (m[1][0].upper(), m[1][1].upper()) in self.initials[pid]):
                add(m, "OTHER")
        for m in ONLY.finditer(f):
            add(m, "OTHER")
        for rx in (self.place_rx, *employers, self.school_rx, *self.generic_place):
            if rx is None:
                continue
            for m in rx.finditer(f):
                span = m.span("only") if "only" in rx.groupindex else m.span()
                if rx is self.generic_place[-1] and UNIT.match(f, m.end()):
                    continue
                if rx is self.school_rx and m[0].split()[0].lower() in ("the", "she", "he"):
                    continue
                if not inside(*span, hospital):
                    add(m, "LOCATION")
        for m in SPELLED.finditer(f):
            add(m, "NAME")
        for m in INITIALS.finditer(f):
            if (m[1], m[3]) in self.initials[pid] or (m[3], m[1]) in self.initials[pid]:
                add(m, "NAME")
        holds = [m.span() for m in HOLD.finditer(f)]
        keep += holds
        out += self.names(f, pid, keep, out)
        if holds:
            out = [o for o in out if not inside(o[0], o[1], holds)]
        return self.merge(f, out)

    def names(self, f, pid, keep, found):
        lex, gaz, common = self.lex[pid], self.gaz, self.common
        tokens = [(m[0], m.start(), m.end()) for m in TOKEN.finditer(f)]
        taken = bytearray(len(f) + 1)
        for a, b, _ in found:
            taken[a:b] = b"\x01" * (b - a)
        held = bytearray(len(f) + 1)
        for a, b in keep:
            held[a:b] = b"\x01" * (b - a)
        strong = [w for w in lex if len(w) >= 4]
        mark = [False] * len(tokens)

        def bears(w):
            if w in lex:
                return w
            for cut in (1, 2):
                if len(w) - cut >= 3 and w.endswith("s" if cut == 1 else "es") and w[:-cut] in lex:
                    return w[:-cut]
            return None

        def near(w):
            if len(w) < 4 or w in common:
                return False
            for s in strong:
                if abs(len(s) - len(w)) <= 1 and OSA.distance(s, w, score_cutoff=2 if len(s) >= 8 else 1) <= (2 if len(s) >= 8 else 1):
                    return True
            return False

        def sentence_start(start):
            before = f[:start].rstrip(" *_\"'")
            return not before or before[-1] in ".;:!?\n|-([/>"

        weak = []
        eponyms = EPONYMS - lex
        for i, (word, start, end) in enumerate(tokens):
            if taken[start] or held[start]:
                continue
            w = word.lower()
            cap = word[0].isupper()
            name = bears(w)
            if name:
                if w in common or len(w) <= 2:
                    if cap and len(w) > 1:
                        following = tokens[i + 1][0] if i + 1 < len(tokens) and tokens[i + 1][1] - end <= 2 else ""
                        heading = f[end:end + 1] == ":" and sentence_start(start) and word.isupper()
                        numeric = re.match(r" ?#?\d", f[end:end + 3]) is not None and sentence_start(start)
                        line = f[f.rfind("\n", 0, start) + 1: (f.find("\n", end) + 1 or len(f) + 1) - 1]
                        alone = line.strip(" :").lower() == w
                        if (w, following) not in self.pairs and not heading and not numeric and not alone:
                            mark[i] = True
                    else:
                        weak.append(i)
                else:
                    mark[i] = True
            elif cap and w in eponyms and not TITLED.search(f[max(0, start - 8): start]):
                continue
            elif cap and len(w) > 1 and w not in common:
                if near(w):
                    mark[i] = True
                elif w in gaz or (w.endswith("s") and (w[:-1] in gaz or w[:-2] in gaz) and len(w) > 4):
                    mark[i] = True
                elif word.isupper():
                    if len(word) >= 6 and not sentence_start(start) and i and mark[i - 1]:
                        mark[i] = True
                elif not sentence_start(start) and word[1:].islower() and f[start - 1:start] not in ("-", "/") or (
                        f[start - 1:start] == "-" and i and mark[i - 1]):
                    mark[i] = True
            elif not cap and near(w) and len(w) >= 5:
                mark[i] = True
        for i in weak:  # a common word in lower case: only beside another name of the patient
            for j in (i - 1, i + 1):
                if 0 <= j < len(tokens) and (mark[j] or (j in weak and tokens[j][0].lower() in lex)):
                    gap = f[tokens[min(i, j)][2]: tokens[max(i, j)][1]]
                    if re.fullmatch(r"(?:\s+|, ?|-)", gap) and tokens[j][0].lower() in lex and tokens[i][0].lower() not in ("an", "a", "do", "de", "will", "she", "you", "may", "day"):
                        mark[i] = True
        starts = {t[1]: i for i, t in enumerate(tokens)}
        extra = []
        for rx, with_label in WALK_RX:
            for m in rx.finditer(f):
                i = starts.get(m.end())
                first = i
                last = None
                while i is not None and i < len(tokens):
                    word, start, end = tokens[i]
                    w = word.lower()
                    if taken[start] or held[start]:
                        break
                    if last is not None and not re.fullmatch(r"(?: {1,6}|, ?|\.? |-|'|\. ?|/| and )", f[tokens[i - 1][2]:start]):
                        break
                    if w in ("de", "la", "del", "los", "van", "von", "bin", "al", "el", "da", "dos", "and") and last is not None and i + 1 < len(tokens) and tokens[i + 1][0][0].isupper():
                        i += 1
                        continue
                    named = w in lex or w in gaz or bears(w)
                    if not word[0].isupper() and not mark[i]:
                        if last is None and len(w) >= 3 and w not in common and (w in gaz or rx is WALK_RX[0][0] or KIN_END.search(f[m.start():m.end()])) and f[m.end() - 1] in " ,(:\"'":
                            mark[i] = True
                            last = i
                            i += 1
                            continue
                        if last is not None and not tokens[i - 1][0][0].isupper() and len(w) >= 3 and w not in common and f[tokens[i - 1][2]:start] in (" ", "-") and (w in gaz or f[end:end + 1] in ",.;)\n"):
                            mark[i] = True
                            last = i
                            i += 1
                            continue
                        break
                    if w in common and not named:
                        break
                    if w in common and w not in lex and last is not None and f[end:end + 1] == ":":
                        break
                    if word.isupper() and not named and len(word) <= 4 and len(word) > 1 and not near(w):
                        break
                    mark[i] = mark[i] or True
                    last = i
                    i += 1
                if last is not None and with_label:
                    extra.append((m.start(), tokens[first][1], "NAME"))
        for m in HEADER.finditer(f):
            a, b = m.span("only")
            text = f[a:b].strip()
            if text and not re.search(r"\d", text) and not re.fullmatch(r"(?:MRN|DOB|SEX|NAME|---.*)", text):
                extra.append((a, a + len(f[a:b].rstrip()), "NAME"))
        spans = [(s, e, "NAME") for ok, (w, s, e) in zip(mark, tokens) if ok]
        # initials beside a name
        grown = []
        for s, e, label in spans:
            if m := re.search(r"(?<![\w.])[A-Z]\.[ ]?(?:[A-Z]\. ?)?$", f[max(0, s - 6):s]):
                s -= len(m[0])
            if m := re.match(r" [A-Z](?:\.(?! [a-z])|(?=[ ,|\n);]|$))(?!&)", f[e:e + 4]):
                if m[0].strip(" .") not in ("I", "A") or f[e + 2:e + 3] == ".":
                    if not (f[e:e + 5].startswith(" A&")):
                        e += len(m[0])
            elif m := re.match(r", ?[A-Z]\.(?!\w)", f[e:e + 5]):
                e += len(m[0])
            grown.append((s, e, label))
        return grown + extra

    @staticmethod
    def merge(f, spans):
        out = []
        for start, end, label in sorted(s for s in spans if s[0] < s[1]):
            if out and start < out[-1][1]:
                if end > out[-1][1]:
                    out[-1] = (out[-1][0], end, out[-1][2])
            elif out and label == out[-1][2] == "NAME" and re.fullmatch(r"(?: {1,6}|, ?|-|'|\.-?|/)", f[out[-1][1]:start]):
                out[-1] = (out[-1][0], end, label)
            else:
                out.append((start, end, label))
        return out

    def clean(self, text, pid):
        if not text:
            return text
        parts, at = [], 0
        for start, end, label in self.spans(text, pid):
            parts.append(text[at:start])
            parts.append(f"[{label}]")
            at = end
        parts.append(text[at:])
        return "".join(parts)
