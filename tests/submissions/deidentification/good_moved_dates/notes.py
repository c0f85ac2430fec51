"""Free text: one Note knows a text, the people of its patient, and marks what has to go."""

import re
import unicodedata
from collections import Counter, defaultdict
from datetime import date, timedelta
from functools import cached_property

from rapidfuzz.distance import OSA

from words import WORDS

# ---- characters --------------------------------------------------------------------------------

SPECIAL = {"đ": "d", "Đ": "D", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "’": "'", "‘": "'", "–": "-", "‑": "-", "\u00a0": " "}


def flat(text):
    """The same text without accents, of the same length."""
    text = re.sub(r"&[a-z]{2,6};|&#\d+;", lambda m: " " * len(m[0]), text)
    if text.isascii():
        return text
    out = []
    for c in text:
        if c in SPECIAL:
            out.append(SPECIAL[c])
        elif c.isascii():
            out.append(c)
        else:
            base = unicodedata.normalize("NFKD", c)[0]
            out.append(base if len(base) == 1 else c)
    return "".join(out)


TOKEN = re.compile(r"[A-Za-z]+(?:'(?=[A-Z][a-z])[A-Za-z]+)?")
PARTICLES = {"al", "el", "de", "la", "del", "las", "los", "van", "von", "da", "dos", "bin", "abu", "ben", "ibn", "st", "der", "di", "du", "le"}
NOT_NAMES = {"mr", "ms", "mrs", "dr", "miss", "jr", "sr", "md", "rn", "do", "np", "pa", "the", "and", "of", "is", "she", "he", "or", "in", "on", "at", "to", "with"}

# ---- calendar ----------------------------------------------------------------------------------

MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"]
MON = r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)"
DAY = r"(?:Mon|Tue|Tues|Wed|Weds|Thu|Thur|Thurs|Fri|Sat|Sun|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)"
WD = rf"(?:\b{DAY}\b\.?,?\s+(?:the\s+)?)?"
UNITS = "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth".split()
ORD = {w: i for i, w in enumerate(UNITS)} | {f"twenty-{w}": 20 + i for i, w in enumerate(UNITS[:10])} | {"thirtieth": 30, "thirty-first": 31}
ORD |= {k.replace("-", " "): v for k, v in ORD.items()}
ORDINAL = {v: k for k, v in ORD.items() if " " not in k}
ORDS = "|".join(sorted(ORD, key=len, reverse=True))
Y4 = r"(?:19|20)\d\d"

DATES = [re.compile(p, re.I) for p in [
    rf"{WD}(?<![\d\w])(?P<y>{Y4})(?P<s>[-/.])(?P<m>\d\d?)(?P=s)(?P<d>\d\d?)(?![\d])",
    rf"{WD}(?<![\d.\w/])(?P<a>\d\d?)(?P<s>[-/.])(?P<b>\d\d?)(?P=s)(?P<y>{Y4}|\d\d)(?![\d%]|[./-]\d)",
    rf"(?<![\w-])(?P<y>{Y4})(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])(?![\w-])",
    rf"{WD}(?<![\w.])(?:the\s+)?(?P<d>\d\d?)(?:st|nd|rd|th)?(?P<s>(?:\s+of)?[ -]?)(?P<mon>{MON})(?![a-z])(?:\.?,?[ -]?(?P<y>{Y4})(?!\d)|[-']?(?P<y2>\d\d)(?![\d:]))?",
    rf"{WD}\b(?P<mon>{MON})(?![a-z])\.?(?P<s>[ -]*)(?:the\s+)?(?P<d>\d\d?)(?:st|nd|rd|th)?(?!\d|/|\.\d|:\d|\s?(?:mg|mcg|kg|mL))(?:\s?[-–]\s?\d\d?(?!\d))?(?:,?\s+(?P<y>{Y4})(?!\d)|,?\s+'(?P<y2>\d\d))?",
    rf"{WD}\b(?:the\s+)?(?P<ord>{ORDS})\s+(?:day\s+)?of\s+(?P<mon>{MON})(?![a-z])(?:,?\s+(?P<y>{Y4}))?",
    rf"{WD}\b(?P<mon>{MON})\s+(?:the\s+)?(?P<ord>{ORDS})\b(?:,?\s+(?P<y>{Y4}))?",
]]
MONTH_YEAR = re.compile(rf"(?:\b(?:mid|early|late|(?:the\s+)?(?:end|beginning|start|middle)\s+of)[ -])?(?<![\w-])(?:{MON}\.?(?:,|\s+of)?\s+'?(?P<y>{Y4})\b|(?:0?[1-9]|1[0-2])/(?P<y1>{Y4})(?![\d/]))", re.I)
MONTH_ALONE = re.compile(rf"\b(?:(?:mid|early|late)[ -]{MON}|(?:end|beginning|start|middle)\s+of\s+{MON})\b(?![a-z])", re.I)
MONTH_PREP = re.compile(rf"\b(?:[Ii]n|[Ss]ince|[Uu]ntil|[Bb]y|[Ll]ast|[Tt]his|[Nn]ext|[Dd]uring|[Ff]rom|[Tt]hrough|[Bb]efore|[Aa]fter|[Aa]round|[Tt]ill|[Oo]f)\s+(?P<x>{MON})\b(?!\s+[A-Z]|[a-z])")
DAYMONTH = re.compile(rf"{WD}(?<![\d/.\w-])(?P<m>\d\d?)/(?P<d>\d\d?)(?![\d/%]|\.\d|\s?(?:mg|mL|mmHg|tab|pill|dose|strength|pain|in both|hours|hrs|cups?)\b)", re.I)
DATE_CUE = re.compile(r"(?:\bon|\bof|around|before|\bby|through|until|since|from|after|\bfor|session|\bout|\bsent|check|drawn|taken|removed|onset|updated|seen|visit|labs|\bdone|\bto|\bdated|~|\(|\bpreviously|voiding|dx|adm|stay|call|eval|rtc|f/u|service|date:?|\w+day,?|biba.*,|\)|mtg held|handed out|till|starting|due|\bas of|\w+:|[,|;])\s*$", re.I)
NOT_DATE = re.compile(r"\b(?:phq-?\d?|gad-?\d?|moca|mmse|ecog|nihss|mrc|motor|epds|audit|edss|barthel|kps|od|os|ou|c|l|t|promis|bishop|curb|pain|strength|power|vision|gcs|scores?|take|apgar|ratio|bp|pressure|pulses|murmur|grade|reflexes|scale|rated|vas|severity|by mouth|give|than|below|above|under|over)(?:\s+\w+)?(?:\s+(?:is|was|of|at|to))?:?\s*$", re.I)
THE_NTH = re.compile(rf"\bthe (?:\d\d?(?:st|nd|rd|th)|(?P<w>{ORDS}))(?=\s*(?:[,.;|\n)]|$|w/|(?:and|or|for|at|with|is|was|are|were|to|by|if|then|again|in|as|unless|we|he|she|but|so|still|showed|grew|will|has|had|came)\b))", re.I)
NTH_CUE = re.compile(r"(?:\bon|\bin|\bof|\bat|again|\bfor|due|back|come|seen|looked at|\bis|until|\bby|before|since|after|,|and|or|through|from|\bto)\s*$", re.I)
WEEKDAY = re.compile(r"\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day(?:'s)?(?!s)\b|\b(?:on|last|next|this|by|until|since)\s+(?P<x>(?:Mon|Tues?|Wed|Thurs?|Thu|Fri|Sat|Sun)\b\.?)(?=[\s,.;])")

# ---- numbers and addresses -----------------------------------------------------------------------

URL = re.compile(r"(?:https?|ftp|hxxps?)://\S+|\bwww\.\S+|\b(?:[a-z0-9-]+\.)+(?:com|org|net|io|edu|gov|health)/[^\s,;]*", re.I)
EMAIL = re.compile(r"[\w.+%'-]+\s?(?:@|\(at\)|\[at\])\s?[\w-]+(?:\.[\w-]+)+|\b[\w+-]+(?:(?:\.| dot | underscore | dash )[\w+-]+)* (?:at|\(at\)|@) [\w-]+(?: dot |\.)(?:com|org|net|edu|gov|io)\b", re.I)
PHOTO = re.compile(r"[\w()%+.-]*\w\.(?:jpe?g|png|gif|tiff?|bmp|heic|dcm|pdf|docx?|mp4|mov|wav|mp3|txt|webp|avi|zip)\b", re.I)
HASH = re.compile(r"\b(?:sha-?\d*|md5|hash|blake2?\w*|crc\d*)\s*[=:]\s*\S*\w|\b(?=[0-9a-f]*\d)[0-9a-f]{16,}\b|\b(?=\w*\d)(?=\w*[A-Za-z])[A-Za-z0-9+/_-]{22,}=*", re.I)
IP = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d]|\.\d)(?::\d+)?|(?<![\w:])(?:[0-9a-f]{1,4}:){3,7}:?[0-9a-f]{1,4}\b|\b(?:[0-9a-f]{1,4}:)+:(?:[0-9a-f]{1,4}:?)*|\b(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}\b", re.I)
DEVICE = re.compile(r"\(01\)\s*\d{10,14}(?:\s*\(\d\d\)\s*[\w-]+)*|\b(?:serial|S/N|SN|UDI|device)\s*(?:number|no\.?|#|id)?\s*(?:is|:|#)?\s*(?=[\w-]*\d)[A-Z0-9][\w/-]{4,}", re.I)
VEHICLE = re.compile(r"\b(?=[A-HJ-NPR-Z0-9]*\d)(?=[A-HJ-NPR-Z0-9]*[A-Z])[A-HJ-NPR-Z0-9]{17}\b|(?<=\bplate )(?:(?=[A-Z]*\d)[A-Z0-9]{5,8}|(?=[A-Z0-9 -]*\d)[A-Z0-9]{1,4}[ -][A-Z0-9]{2,4}(?:[ -]\d{2,4})?)\b(?!\.\d)", re.I)
ACCOUNT = re.compile(r"\bACC[ -]?\d{3,4}[ -]?\d{5,7}\b|\b(?:account|acct|acc)\.?\s*(?:number|no\.?|#|id)?\s*:?\s*(?P<x>[A-Z]{0,4}[-# ]?\d[\d -]{4,}\d)", re.I)
SSN = re.compile(r"(?<![\w-])\d{3}[- .]\d{2}[- .]\d{4}(?![\w-])|\b[x*#]{3}[- ]?[x*#]{2}[- ]?\d{4}\b", re.I)
SSN4 = re.compile(r"(?:social|ssn|\bss ?#|last (?:four|4)|ending in|ending)[^.\n|]{0,50}?\b(?P<x>\d{4})\b", re.I)
PHONE = re.compile(r"(?<![\w./-])(?:\+?1[\s.-]?)?(?:\(\d{3}\)|\d{3})[\s./-]{0,2}\d{3}[\s.-]?\d{2}[\s.-]?\d{2}(?:\s*(?:x|ext\.?|extension|#)\s*\d{1,6})?(?:(?:\s?/\s?|,? or )\d{2,4}\b(?!/))*(?![\w])", re.I)
PHONE7 = re.compile(r"(?<![\w./-])555[\s.-]?\d{2}[\s.-]?\d{2}(?:\s*(?:x|ext\.?)\s*\d{1,6})?(?!\w)|(?:tel|phone|call|called|cell|mobile|fax|cb|reach\w*|voicemail|text)\W{0,3}(?:at |is |no\.? )?(?P<x>\d{3}-\d{4})(?:\s*(?:x|ext\.?)\s*\d{1,6})?(?![\w-])", re.I)
ENDS = re.compile(r"\b(?:cell|phone|mobile|number|line|tel|card|account|ssn|record|mrn|chart|home|work)\w*\s+(?:ends|ending|finishes)(?:\s+(?:in|on|with))?\s+(?P<x>\d{2,6})\b|\blast (?:four|4|three|3)(?: digits)?(?: of \w+)*:?\s+(?P<y>\d{3,4})\b", re.I)
TAG = re.compile(r"(?<![\w.])(?P<i>[A-Z]{2,3}) (?P<a>\d{1,2})[/.-](?P<b>\d{1,2})(?![\d/%])")
DERIVED = re.compile(r"(?<![A-Za-z0-9@])[A-Za-z]{1,12}[._-]?\d{2,4}(?![A-Za-z0-9-])")
LOGIN = re.compile(r"\b(?:log-?in|username|user name|user id|userid|signed in (?:with|as)|portal use is as|logs? in as|alias|handle|screen name|account name|portal name)\W{0,3}(?:is |as |of |with )?(?P<x>(?=[\w.-]*\d)[\w.-]*\w)", re.I)
PLATE = re.compile(r"(?<![\w.-])(?:\d[A-Z]{3}\d{3}|\d [a-z]{3} \d{3}|[A-Z]{3}[ -]\d{3,4}(?=[^\n]{0,30}(?:tow|bay|parked|plate)))(?![\w-])")
HYPHEN_DATE = re.compile(r"(?P<cue>\b(?:sent|out|check|due|on|drawn|taken|seen|repeat|recheck|visit|removal|removed|changed|placed|back|by|until|since|before|after|session|follow-up|f/u|rtc|scheduled|booked)\s+)(?P<x>(?P<m>\d{1,2})(?P<s>[-/.])(?P<d>\d{1,2}))(?![\w/%-]|\.\d|\s?(?:days?|weeks?|months?|years?|times|x\b|tab|hours?|hrs?|min|mg|ml|pills?|units|cm|mm|minutes|liters?|flights|pounds|steps|of))", re.I)
DWELLING = r"(?:house|houseboat|cabin|trailer|farmhouse|cottage|barn|apartment|bungalow|shack|camper|yurt|boat|home|mobile home|hut|flat|loft|rooms?|shed|lodge|ranch|tent|caravan|cabin|duplex|rv|barge|mill|silo|studio|garage|place|building|tower|rowhouse|townhouse|basement|attic)"
SPOT = r"(?:behind|above|over|beside|opposite|across from|next to|next door to|under|below|near|by|past|facing|in front of|at the end of|up the hill from|down the road from)"
DWELLS = re.compile(rf"\bthe (?:[a-z-]+ ){{0,3}}{DWELLING} {SPOT} the [a-z-]+(?: [a-z-]+)?(?: on [A-Z][\w'-]+(?: [A-Z][\w'-]+)?)?(?=[.,;|\n)]|$| and\b| then\b)|(?<![a-z])(?:the rooms? |a room |a flat )?{SPOT} the [a-z-]+(?: [a-z-]+)? on [A-Z][\w'-]+(?: [A-Z][\w'-]+)?|(?:[Hh]ome visit:|look for|picks (?:him|her|them) up at|[Dd]rop(?:ped)? off at)\s+(?P<x>the [a-z][a-z' -]+?)(?=[.,;|\n)]|$| and\b)")
LODGER = re.compile(r"\b(?i:lodger|roommate|room-mate|housemate|flatmate|tenant|boarder|landlord|landlady|caretaker|housekeeper|nanny|girlfriend|boyfriend|fianc[e]{1,2}|partner|coworker|co-worker|colleague|boss|pastor|teacher|coach|godmother|godfather|cleaner|driver|carer|caregiver|babysitter|au pair|let to|sublet to|rented to|rents to|lives with|shared with|named|called)(?:,? (?:is|named|called))?,?\s?\(?\s?(?P<x>[A-Za-z]+(?:-[A-Za-z]+)?(?: [A-Za-z]+)?)(?=[,.;)|\n]| has\b| does\b| who\b| helps\b| drives\b| and\b|'s\b|$)")

PLAN = re.compile(r"(?<![\w-])(?!NCT|IRB|REF|LOT|RRT)[A-Z]{3}(?: ?\d{2}[ -]?\d{5}|[ -]?\d{7}|[ -]\d{3}[ -]\d{2}[ -]\d{2,4})(?![\w-])")
LICENSE = re.compile(r"(?:licen[cs]e|passport|badge|certificate|permit|DEA|NPI|fingerprint|retina\w*|iris|voice ?print|biometric|template|tag|locker|employee|student|member|policy|subscriber|claim|invoice|statement|registration|visa|card|case|order|ticket|receipt|confirmation|reference|number|no\.|ID|#|MRN|record|chart)\s*(?:number|no\.?|id|#|shows|reads|is|template)?\s*:?\s*#?(?P<x>(?=[\w-]*\d)[A-Z]{0,4}-?[\w]{3,}(?:-\w{2,}){0,4})\b", re.I)
STRONG = re.compile(r"\b(?:badge|licen[cs]e|passport|certificate|permit|DEA|NPI|fingerprint|locker|visa|visitor|employee|student|member|policy|subscriber|claim)\s*(?:number|no\.?|id|#|template|shows|reads|is)*\s*:?\s*#?(?P<x>(?=[\w-]*\d)[\w-]{3,}(?: \d{3,})?)\b", re.I)
LONGID = re.compile(r"(?<![\w.])(?=(?:[\w-]*\d){4})(?=[\w-]*[A-Za-z])[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*(?![\w])|(?<![\w.,])\d{7,}(?!\w)|\bFP-[\w-]+")
CLINICAL_ID = re.compile(r"^NCT\d+$|^[A-Z]\d\d(?:\.\d{1,4})?$|^(?:19|20)\d\ds?$|^NDA\d+$|^[LTCS]\d{1,2}-[LTCS]\d{1,2}$|^COVID-\d+$|^\d+(?:mg|mcg|kg|ml|g|cm|mm|units|am|pm|h|hrs|lb|mEq|K|x\d+)$|^\d+-\d+(?:mg|mcg|kg|ml|cm|mm|%)?$|^(?:19|20)\d\d-", re.I)

SUFFIX = "Alley Avenue Branch Bridge Brooks? Burgs? Bypass Camp Canyon Cape Causeway Centers? Circles? Cliffs? Club Common Corners? Course Courts? Coves? Creek Crescent Crest Crossing Crossroad Curve Dale Dam Divide Drives? Estates? Expressway Extensions? Falls? Ferry Fields? Flats? Fords? Forest Forges? Forks? Fort Freeway Gardens? Gateway Glens? Greens? Groves? Harbors? Haven Heights Highway Hills? Hollow Inlet Islands? Isle Junctions? Keys? Knolls? Lakes? Land Landing Lane Lights? Loaf Locks? Lodge Loop Mall Manors? Meadows? Mews Mills? Mission Motorway Mountains? Mount Neck Orchard Oval Overpass Parks? Parkways? Passage Pass Path Pike Pines? Place Plains? Plaza Points? Ports? Prairie Radial Ramp Ranch Rapids? Rest Ridges? River Roads? Route Row Rue Run Shoals? Shores? Skyway Springs? Spurs? Squares? Station Stravenue Stream Streets? Summit Terrace Throughway Trace Track Trafficway Trail Tunnel Turnpike Underpass Unions? Valleys? Via Viaduct Views? Villages? Ville Vista Walks? Wall Ways? Wells? St Ave Rd Dr Ln Blvd Boulevard Ct Pl Hwy Pkwy Ter Cir".split()
APT = r"(?:,?\s*(?:Apt|Apartment|Unit|Suite|Ste|Room|Rm|Lot|#)\.?\s*#?\w{1,5}\b)?"
STREET = re.compile(rf"\b\d{{1,5}}(?:-?[A-Z])? +(?:[NSEW]\.? +)?(?:(?:County|State|Old) +(?:Road|Route|Highway) +\d+|(?:\d{{1,3}}(?:st|nd|rd|th)|[A-Z][\w'.-]*)(?: +[A-Z][\w'.-]*){{0,2}}? +(?:{'|'.join(SUFFIX)})\b\.?){APT}")
STREET_UP = re.compile(STREET.pattern, re.I)
PO_BOX = re.compile(r"\bP\.?\s?O\.?\s*Box\s*#?\d+\b|\bBox \d{3,5}\b", re.I)
CORNER = re.compile(r"\b\d{1,3}(?:st|nd|rd|th)\s*(?:&|/)\s*[A-Z][\w'-]+(?:\s+(?:St|Ave|Street|Avenue|Road|Rd)\b\.?)?|\b(?:corner|intersection|junction) of [A-Z0-9][\w'-]+(?: [A-Z][\w'-]+)? and [A-Z0-9][\w'-]+(?: [A-Z][\w'-]+)?|(?<=near )[A-Z]\w+ & [A-Z]\w+|(?<=from )[A-Z]\w+ & [A-Z]\w+")
SCHOOL = re.compile(r"(?:[A-Z][\w'.-]*\s+){1,4}(?:Elementary|Middle|High|Grade|Primary|Secondary)(?:\s+School)?\b|(?:[A-Z][\w'.-]*\s+){1,4}(?:School|College|Academy|University|Kindergarten|Preschool|Church|Parish|Temple|Mosque|Library|Seminary|Daycare)\b(?:\s+of\s+[A-Z]\w+)?")
WORKS = re.compile(r"(?:\b[Ww]orks? (?:for|at)|\b[Ww]orked (?:for|at)|\b[Ee]mployed (?:by|at)|\bEMPLOYER:|\b[Ee]mployer:?(?: is)?|\b[Jj]ob at|\b[Rr]etired from|WORK:)\s+(?P<x>[A-Z][\w&'-]*(?:(?:, | (?:and|of|&) | )[A-Z][\w&'-]*)*)")
COUNTY = re.compile(r"\b(?:[A-Z][\w'-]+\s+){1,3}(?:County|Parish|Township|Borough)\b(?!\s+Road)")
TOWN = re.compile(r"(?:\b[Ll]ives in|\b[Mm]oved to|\b[Mm]oved here from|letter was sent to|\b[Hh]ome is in|\b[Bb]orn in|\b[Rr]esides in|\b[Ff]rom the town of|\b[Gg]rew up in|\bnative of|\bresident of)\s+(?P<x>[A-Z][a-z][\w'-]+(?: [A-Z][\w'-]+){0,2})")
STATEZIP = re.compile(r",?\s*\b(?:[A-Z]{2}\s+)?\d{5}(?:-\d{4})?(?![\w-]|\.\d)")
ROLE = re.compile(r"(?:recogni[sz]ed|known|introduced|remembered|described)\s+(?:h(?:im|er|imself|erself)\s+)?(?:\w+\s+){0,3}?as\s+(?P<x>(?:the|a|an|our)\s+[^.,;\n|(]+?)(?=[.,;\n|(]|$|\s+(?:and|who|while|but|because|so)\b)|\b(?P<r>(?:the\s+)?(?:current |former |reigning |longest-serving |only |first |oldest |youngest |sole |last |retired |acting |deputy )*(?:mayor|fire chief|police chief|sheriff|chess champion|bell ringer|harpist|lottery winner|postmaster|governor|senator|town clerk|lighthouse keeper|champion|astronaut|bishop|quintuplets?)\s+(?:of|in|for|at|from)\s+[A-Z][\w-]+(?:\s+[A-Z][\w-]+)*)|\b(?P<w>the only [a-z-]+(?: [a-z-]+)? (?:in|of|from) [A-Z][\w-]+(?:\s+[A-Z][\w-]+)*)", re.I)

HEADS = r"(?:disease|syndrome|signs?|score|scale|lymphoma|virus|criteria|palsy|tremor|test|maneuver|catheter|fracture|esophagus|disorder|phenomenon|thyroiditis|sarcoma|tumou?r|chorea|ulcer|hernia|nodes?|negative|positive|reflex|contracture|an(?:a)?emia|aneurysm|procedure|index|classification|triad|cysts?|bod(?:y|ies)|cells?|dementia|Coma|orbitopathy|ophthalmopathy|encephalopathy|nephropathy|arteritis|granulomatosis|swab|stain|lines?|angle|point|tube|drain|pouch|position|equation|formula|respirations?|nodules?|joints?|neuroma|deformity|purpura|pneumonia|method|bandage|stockings?|walker|ataxia|dystrophy|atrophy|neuralgia|phlebitis|thrombosis|vasculitis|carcinoma|cancer|mole|melanoma|anomaly|murmur|pulse|breathing|fever|infection|bacillus|agar|protocol|regimen|shunt|valve|loop|clamp|forceps|osteotomy|fundoplication|anesthesia|block|operation|lesion|contusion|exam|muscle|duct|gland|canal|tendon|fascia|ligament|space|fossa|tubercle|curve|rule|nomogram|staging|stage|grade|system|inventory|questionnaire|assay|antigen|antibod(?:y|ies)|factor|effect|response|chart|lymph node)"
EPONYM = re.compile(rf"(?<![A-Za-z])(?P<x>(?:[A-Z][A-Za-z]+(?:'s)?(?:[ -]|\sand\s|\sor\s)){{0,2}}[A-Z][A-Za-z]+(?:'s)?)\s+{HEADS}(?![A-Za-z])")
TITLE = re.compile(r"\b(?:Mr|Ms|Mrs|Miss|Mx|Sra|Señora|Señor|Master)\.?\s+(?P<x>[A-Z][\w'-]+(?:[ -](?:(?:de|la|del|al|van|von|bin)\s+)?[A-Z][a-z][\w'-]*)*)")
FRIEND = re.compile(r"\b(?:Uncle|Aunt|Auntie|Big|Little|Old|Cousin|Grandma|Grandpa|Granny|Nana|Tia|Tio|Brother|Sister|Papa|Mama|Young|Miss|Lil)\s+(?P<x>[A-Z][a-z]+(?:-[A-Z][a-z]+)?)(?=\W)")
SPELLED = re.compile(r"(?<![\w-])(?:[A-Za-z][-–. ]){3,}[A-Za-z](?![\w])")
INITIALS = re.compile(r"(?<![\w.])[A-Z]\.[ -]?(?:[A-Z]\.[ -]?){0,2}[A-Z]\.?(?![\w])")

TENS = "ninety|ninetie?s|hundred"
AGES = [re.compile(p, re.I) for p in [
    r"(?<![\d./-])(?P<x>(?:9\d|1[0-2]\d))(?=[\s-]*(?:years?|yrs?|y[./]?\s?o\b|y\.o|yo\b|yr\b|y/o|year-olds?|[- ]?y\b|[- ]?yof\b|[- ]?yom\b))",
    r"\b(?:aged?|turned|turning|turns|lived to(?: be)?|age of|age:|(?:A&W|well|alive|died|deceased|passed(?: away)?|healthy)(?:,)?\s+at(?: age)?|reached|celebrated (?:his|her|their))\s+(?P<x>(?:9\d|1[0-2]\d)(?:st|nd|rd|th)?)\b(?!\s?(?:%|mg|kg|/|bpm|lb|mm|cm|\.\d))",
    r"\b(?:is|now|was)\s+(?P<x>9\d|1[0-2]\d)\s+(?=and (?:well|lives)|years)",
    r"\b(?P<x>ninety(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?|(?:one|a)[- ]hundred(?:(?:[- ]and)?[- ](?:one|two|three|four|five|six|seven|eight|nine|ten))?)(?=[- ]+(?:years?|yr|y\.?o))",
    r"\b(?:aged?|turned|turning|at|age of)\s+(?P<x>ninety(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?|(?:one|a)[- ]hundred(?:(?:[- ]and)?[- ](?:one|two|three|four|five|six|seven|eight|nine|ten))?)\b",
    r"(?<![\w.])(?P<x>(?:9\d|1[0-2]\d)(?=[MF]\b))", r"\b(?P<x>(?:9\d|1[01]\d)(?:st|nd|rd|th))(?= birthday)",
    r"\b(?P<x>nonagenarian|centenarian|supercentenarian)s?\b", r"\bin (?:his|her|their)(?: (?:early|mid|late))?[- ](?P<x>nineties|90'?s)\b",
]]


def number_pattern(value):
    """The characters of a known number with anything that people put between them."""
    chars = [re.escape(c) for c in value if c.isalnum()]
    return r"(?<![A-Za-z0-9])" + r"[\s().#_-]{0,2}".join(chars) + r"(?![A-Za-z0-9])"


def mrn_patterns(formats):
    out = []
    for form in set(formats.values()):
        signs = [c for c in form if c.isalnum() or c in "#@"]
        parts = [r"\d" if c == "#" else "[A-Za-z]" if c == "@" else re.escape(c) for c in signs]
        if all(c == "#" for c in signs):
            n = len(signs)
            out += [rf"(?<![\w.-])#?\d{{{n}}}(?![\w-])", rf"(?<![\w.-])#?\d{{{n // 2}}}[ -]\d{{{n - n // 2}}}(?![\w-])"]
        else:
            out.append(r"(?<![A-Za-z0-9])#?" + r"[ ._-]?".join(parts) + r"(?![A-Za-z0-9])")
    return re.compile("|".join(out), re.I)


class Corpus:
    """What all notes of a release know together: words everybody uses, pairs of words, places, employers, clinicians."""

    def __init__(self, texts, names_of, card, places, employers, clinicians, hospitals, zips):
        lower, pairs, capital = defaultdict(set), defaultdict(set), defaultdict(set)
        for pid, text in texts:
            own = names_of.get(pid, set())
            tokens = [(m[0], m.start(), m.end()) for m in TOKEN.finditer(flat(text))]
            for i, (w, s, e) in enumerate(tokens):
                n = w.lower()
                if n in own:
                    continue
                if w.islower():
                    lower[n].add(pid)
                else:
                    capital[n].add(pid)
                if i + 1 < len(tokens) and tokens[i + 1][1] - e <= 2:
                    pairs[n, tokens[i + 1][0].lower()].add(pid)
        self.common = WORDS | {w for w, who in lower.items() if len(who) >= 8 and len(w) > 1}
        everybody = set().union(*names_of.values()) if names_of else set()
        self.common |= {w for w, who in capital.items() if len(who) >= 8 and len(w) > 2 and w not in everybody}
        self.clinicians = {p for c in clinicians for p in re.findall(r"[a-z]+", flat(c).lower())}
        named = (everybody | self.clinicians) - self.common
        self.pairs = {k for k, who in pairs.items() if len(who) >= 4 and k[1] not in named and k[1] not in {"s"}}
        self.mrn = mrn_patterns(card["mrn_format"])
        self.zips = zips
        alt = lambda xs: "|".join(re.escape(flat(x)).replace(r"\ ", r"[\s_-]+") for x in sorted(xs, key=len, reverse=True) if x) or r"(?!)"
        self.places = re.compile(rf"(?<![A-Za-z])(?:{alt(places)})(?![A-Za-z])", re.I)
        self.employers = re.compile(rf"(?<![A-Za-z])(?:{alt(employers)})(?![A-Za-z])", re.I)
        self.hospitals = re.compile(rf"(?:{alt(hospitals)})", re.I)


class Person:
    """What is known of one patient and the people around: name parts, numbers, streets, dates."""

    def __init__(self, row, contacts, shift, year):
        self.birth = date.fromisoformat(row["birth_date"]) if row["birth_date"] else None
        self.shift, self.year = shift, year  # year: what may be said of the birth date ("" for nothing)
        self.parts, self.given, self.initials, self.letters = set(), set(), set(), set()
        for r in [row, *contacts]:
            given, family, middle = (re.findall(r"[a-z']+", flat(r.get(c) or "").lower()) for c in ("given", "family", "middle"))
            words = [w.replace("'", "") for w in given + family + middle]
            self.parts |= set(words) | {"".join(given), "".join(family)} - {""}
            self.parts |= {w for w in given + family + middle if len(w) > 1}
            self.given |= set(given) | {"".join(given)}
            firsts = [w[0] for w in words]
            self.letters |= set(firsts)
            if given and family:
                g, f, m = [w[0] for w in given], [w[0] for w in family], [w[0] for w in middle]
                ends = {f[0], f[-1], "".join(f)}
                self.initials |= {a + b + c for a in {g[0], "".join(g)} for b in {"", "".join(m)} for c in ends}
                self.initials |= {c + a for a in g[:1] for c in ends} | {a + c for a in g for c in f}
        self.parts -= {"", "s"}
        self.parts = {p for p in self.parts if len(p) > 1}
        self.long = [p for p in self.parts if len(p) >= 4]
        numbers = [r.get(c) for r in [row, *contacts] for c in ("ssn", "mrn", "health_plan_id", "phone")]
        self.raw = [n for n in numbers if n and len(re.sub(r"\W", "", n)) >= 5]
        self.bare = {re.sub(r"[^a-z0-9]", "", n.lower()) for n in self.raw}
        self.bare |= {n[::-1] for n in self.bare}
        self.mrn = re.sub(r"\W", "", row.get("mrn") or "").lower()
        self.ssn4 = (row.get("ssn") or "")[-4:]
        self.address = flat(row.get("street") or "")

    @cached_property
    def street(self):
        base = re.findall(r"[\w'.-]+", re.split(r",|\bApt\b", self.address)[0])
        return re.compile(r"(?<!\w)" + r"[\s,]+".join(map(re.escape, base)) + r"(?!\w)" + APT if base else r"(?!)", re.I)


class Note:
    def __init__(self, text, person, corpus, written=None):
        self.text = unicodedata.normalize("NFC", text)
        self.flat = flat(self.text)
        assert len(self.flat) == len(self.text)
        self.person, self.corpus, self.written = person, corpus, written
        self.spans, self.kept = [], []

    def clean(self):
        for step in (self.protect, self.links, self.known, self.dates, self.numbers, self.places, self.roles, self.names, self.ages):
            step()
        out, at = [], 0
        for start, end, new in sorted(self.spans):
            out += [self.text[at:start], new]
            at = end
        return "".join(out) + self.text[at:]

    # -- spans

    def free(self, start, end):
        return all(e <= start or s >= end for s, e, _ in self.spans) and all(e <= start or s >= end for s, e in self.kept)

    def take(self, start, end, new):
        """Claim a span; one that lies inside gives way to the larger one."""
        if start >= end or any(s < end and e > start for s, e in self.kept):
            return
        inner = [x for x in self.spans if x[0] < end and x[1] > start]
        if inner:
            start, end = min(start, *(s for s, _, _ in inner)), max(end, *(e for _, e, _ in inner))
            if any((s, e) == (start, end) for s, e, _ in inner):
                return
            self.spans = [x for x in self.spans if x not in inner]
        self.spans.append((start, end, new))

    def each(self, pattern, new, group="x"):
        for m in pattern.finditer(self.flat):
            name = next((g for g in m.re.groupindex if len(g) == 1 and m[g]), None) if m.re.groupindex else None
            start, end = m.span(name) if name else m.span()
            self.take(start, end, new)

    # -- steps

    def protect(self):
        for m in EPONYM.finditer(self.flat):
            before = self.flat[max(0, m.start() - 5):m.start()]
            if not re.search(r"\b(?:Mr|Ms|Mrs|Miss|Dr)\.?\s$", before):
                words = [w for w in re.findall(r"[A-Za-z]+", m["x"])]
                if len([w for w in words if w.lower() in self.person.parts]) < 2:
                    self.kept.append((m.start("x"), m.end("x")))
        for m in self.corpus.hospitals.finditer(self.flat):
            self.kept.append(m.span())

    def links(self):
        for m in URL.finditer(self.flat):
            self.take(m.start(), m.end() - len(m[0]) + len(m[0].rstrip(".,;:)|")), "[URL]")
        for m in EMAIL.finditer(self.flat):
            self.take(m.start(), m.end() - len(m[0]) + len(m[0].rstrip(".'-")), "[EMAIL]")
        for m in PHOTO.finditer(self.flat):
            stem = m[0].rsplit(".", 1)[0]
            if re.search(r"\d", stem) or any(self.form(w.lower()) for w in TOKEN.findall(stem)) or "_" in stem:
                self.take(*m.span(), "[FILE]")
        for m in HASH.finditer(self.flat):
            self.take(m.start(), m.end() - len(m[0]) + len(m[0].rstrip(".,;")), "[ID]")
        self.each(DEVICE, "[DEVICE]")
        self.each(VEHICLE, "[VEHICLE]")
        for m in IP.finditer(self.flat):
            if not re.search(r"(?:software|version|firmware|release|build|\bv|ver)\.?\s*$", self.flat[max(0, m.start() - 12):m.start()], re.I):
                self.take(*m.span(), "[IP]")

    def known(self):
        low = self.flat.lower()
        at = [i for i, c in enumerate(low) if c.isalnum() and c.isascii()]
        bare = "".join([low[i] for i in at])
        for n in self.person.bare:
            k = bare.find(n)
            while k >= 0:
                where = at[k:k + len(n)]
                start, end = where[0], where[-1] + 1
                gaps = all(b - a <= 3 and not set(low[a + 1:b]) - set(" \t().#_-/") for a, b in zip(where, where[1:]))
                if gaps and not (start and low[start - 1].isalnum()) and not (end < len(low) and low[end].isalnum()):
                    self.take(start, end, "[ID]")
                k = bare.find(n, k + 1)

    def moved(self, d, form="us", like=""):
        if d == self.person.birth:
            return self.person.year or "[DATE]"
        try:
            n = d + timedelta(days=self.person.shift)
        except OverflowError:
            return "[DATE]"
        if form.startswith("short"):  # a date without a year stays without one
            return {"short-us": f"{n.month}/{n.day}", "short-dmy": f"{n.day}-{n:%b}", "short-words": f"{n:%B} {n.day}",
                    "short-ordinal": f"the {ORDINAL[n.day]} of {n:%B}", "short-military": f"{n.day}-{n:%b}"}[form]
        if form == "military":
            year = f"{n:%y}" if n.year <= date.today().year + 1 and len(like) <= 7 else n.year
            return f"{n.day:02d}{n:%b}{year}".upper() if like.isupper() else f"{n.day:02d}{n:%b}{year}"
        return {
            "iso": n.isoformat(), "us": f"{n.month:02d}/{n.day:02d}/{n.year}", "dot": f"{n.day:02d}.{n.month:02d}.{n.year}",
            "compact": n.strftime("%Y%m%d"), "words": f"{n:%B} {n.day}, {n.year}", "ordinal": f"the {ORDINAL[n.day]} of {n:%B}, {n.year}", "dmy": f"{n.day:02d}-{n:%b}-{n.year}",
        }[form]

    def near(self, month, day):
        """The date of this month and day that is nearest to the day of writing."""
        if not self.written:
            return None
        found = []
        for year in range(self.written.year - 1, self.written.year + 2):
            try:
                found.append(date(year, month, day))
            except ValueError:
                pass
        return min(found, key=lambda d: abs(d - self.written), default=None)

    def dates(self):
        for number, pattern in enumerate(DATES):
            for m in pattern.finditer(self.flat):
                g = m.groupdict()
                if number == 2 and m[0].lower() == self.person.mrn or not self.free(*m.span()):
                    continue
                year = g.get("y") or g.get("y2")
                if g.get("mon"):
                    month = next(i for i, n in enumerate(MONTHS, 1) if n.startswith(g["mon"].lower()[:3]))
                    day = ORD[g["ord"].lower()] if g.get("ord") else int(g["d"])
                    if number == 3 and not g["y"] and not g["y2"] and g["mon"] == "may":
                        continue
                elif g.get("a"):
                    a, b = int(g["a"]), int(g["b"])
                    month, day = (b, a) if g["s"] == "." and b <= 12 or a > 12 else (a, b)
                else:
                    month, day = int(g["m"]), int(g["d"])
                if not (1 <= month <= 12 and 1 <= day <= 31):
                    continue
                if year and len(year) == 2:
                    top = (self.written.year if self.written else 2026) % 100 + 2
                    year = int(year) + (2000 if int(year) <= top else 1900)
                    b = self.person.birth
                    if b and (month, day) == (b.month, b.day) and year % 100 == b.year % 100:
                        year = b.year
                if year:
                    try:
                        d = date(int(year), month, day)
                    except ValueError:
                        continue
                else:
                    d = self.near(month, day)
                form = ["iso", "us", "compact", "dmy", "words", "ordinal", "words"][number]
                form = "dot" if g.get("s") == "." and number == 1 else form
                if number == 3 and re.fullmatch(r"\d\d[A-Za-z]{3}\d+", m[0]):
                    form = "military"
                if not year:
                    form = "short-" + form
                self.take(*m.span(), self.moved(d, form, m[0]) if d else "[DATE]")
        for m in MONTH_YEAR.finditer(self.flat):
            if self.free(*m.span()):
                self.take(*m.span(), m["y"] or m["y1"])
        birth = self.person.birth
        for m in TAG.finditer(self.flat):  # initials with the birthday on a label
            days = (int(m["a"]), int(m["b"]))
            mine = m["i"].lower() in self.person.initials
            if birth and (days == (birth.day, birth.month) or days == (birth.month, birth.day)) or mine and max(days) <= 31 and min(days) <= 12:
                self.take(*m.span(), "[NAME]")
        for m in HYPHEN_DATE.finditer(self.flat):
            a, b = int(m["m"]), int(m["d"])
            if m["s"] == "/" and a <= 12 or not self.free(*m.span("x")) or not (min(a, b) in range(1, 13) and max(a, b) <= 31 and max(a, b) > 0):
                continue
            month, day = (b, a) if a > 12 else (a, b)
            d = self.near(month, day) if m["s"] != "." else None
            n = d and d + timedelta(days=self.person.shift)
            new = "[DATE]" if not n else f"{n.day}{m['s']}{n.month}" if a > 12 else f"{n.month}{m['s']}{n.day}"
            self.take(*m.span("x"), new)
        for m in DAYMONTH.finditer(self.flat):
            month, day = int(m["m"]), int(m["d"])
            if not (1 <= month <= 12 and 1 <= day <= 31) or not self.free(*m.span()):
                continue
            before = self.flat[max(0, m.start() - 30):m.start()].split("\n")[-1]
            if NOT_DATE.search(before) or not (DATE_CUE.search(before) or day not in (2, 3, 4, 5, 6, 10)):
                continue
            if re.match(r"\s*(?:tab|pill|caps|dose|strength|pain|in both|in all|bilat|through)", self.flat[m.end():]) and day in (2, 3, 4, 5, 6, 10):
                continue
            d = self.near(month, day)
            self.take(*m.span(), self.moved(d, "short-us") if d else "[DATE]")
        self.each(MONTH_ALONE, "[DATE]")
        self.each(MONTH_PREP, "[DATE]")
        for m in THE_NTH.finditer(self.flat):
            if m["w"] and m["w"].lower() not in ("first", "second", "third") or NTH_CUE.search(self.flat[max(0, m.start() - 12):m.start()]) and self.free(*m.span()) or self.free(*m.span()) and m["w"] and m["w"].lower() not in ("first", "second", "third"):
                self.take(*m.span(), "[DATE]")
        for m in WEEKDAY.finditer(self.flat):
            span = m.span("x") if m["x"] else m.span()
            if self.free(*span):
                self.take(*span, "[DATE]")

    def numbers(self):
        for pattern, new in [(SSN, "[SSN]"), (SSN4, "[SSN]"), (self.corpus.mrn, "[MRN]"), (PHONE, "[PHONE]"), (PHONE7, "[PHONE]"), (ENDS, "[PHONE]"), (LOGIN, "[ID]"), (PLATE, "[VEHICLE]"), (ACCOUNT, "[ACCOUNT]"), (PLAN, "[PLAN]")]:
            for m in pattern.finditer(self.flat):
                span = next((m.span(g) for g in "xy" if g in m.re.groupindex and m[g]), m.span())
                self.take(*span, new)
        if self.person.ssn4 and not self.person.ssn4.startswith(("19", "20")):
            self.each(re.compile(rf"(?<![\w.-]){self.person.ssn4}(?![\w.-])"), "[SSN]")
        for m in DERIVED.finditer(self.flat):
            if self.free(*m.span()) and self.derived(m[0]):
                self.take(*m.span(), "[ID]")
        for m in STRONG.finditer(self.flat):
            if self.free(*m.span("x")):
                self.take(*m.span("x"), "[ID]")
        for m in LICENSE.finditer(self.flat):
            if self.free(*m.span("x")) and not CLINICAL_ID.match(m["x"]) and "page" not in self.flat[max(0, m.start() - 8):m.start()].lower():
                self.take(*m.span("x"), "[ID]")
        for m in LONGID.finditer(self.flat):
            if self.free(*m.span()) and not CLINICAL_ID.match(m[0]) and not re.search(r"\b(?:lot|batch|REF|order set|IRB|LOINC|RxNorm|catalog(?:ue)?|part)\s+(?:no\.?\s+)?$", self.flat[max(0, m.start() - 14):m.start()], re.I):
                self.take(*m.span(), "[ID]")

    def derived(self, token):
        """Made of the person's name and birth date: WILS72, rubowm75, AF-0910."""
        letters, digits = re.match(r"([A-Za-z]+)[._-]?(\d+)", token).groups()
        letters = letters.lower()
        b = self.person.birth
        known = b and digits in {f"{b.year}", f"{b.year % 100:02d}", f"{b.month:02d}{b.day:02d}", f"{b.day:02d}{b.month:02d}", f"{b.day:02d}", f"{b.month:02d}"}
        if not known and len(letters) < 5:
            return False
        for k in range(1, len(letters)):
            a, z = letters[:k], letters[k:]
            if len(letters) >= 3 and any(p.startswith(a) for p in self.person.parts) and any(p.startswith(z) for p in self.person.parts):
                return bool(known) or len(letters) >= 5
        return bool(known) and (any(p.startswith(letters) or letters.startswith(p) and len(p) > 2 for p in self.person.parts) if len(letters) > 1 else False) or bool(known) and len(letters) == 2 and letters in self.person.initials

    def places(self):
        self.each(DWELLS, "[PLACE]")
        self.each(self.person.street, "[ADDRESS]")
        self.each(STREET, "[ADDRESS]")
        for m in STREET_UP.finditer(self.flat):
            if re.search(r"(?:address|addr|lives at|mail to|patient at|send it to|home)\W*$", self.flat[max(0, m.start() - 14):m.start()], re.I):
                self.take(*m.span(), "[ADDRESS]")
        for pattern in (PO_BOX, CORNER, SCHOOL, COUNTY, self.corpus.employers, WORKS, self.corpus.places, TOWN):
            self.each(pattern, "[PLACE]")
        for m in STATEZIP.finditer(self.flat):
            digits = re.search(r"\d{5}", m[0])[0]
            if digits in self.corpus.zips or re.match(r",?\s*[A-Z]{2}\s", m[0]):
                start = m.start() + len(m[0]) - len(m[0].lstrip(", \n"))
                self.take(start, m.end(), "[ZIP]")

    def roles(self):
        for m in ROLE.finditer(self.flat):
            name = next((g for g in "xrw" if m[g]), None)
            if name:
                self.take(m.start(name), m.end(name) - len(m[name]) + len(m[name].rstrip()), "[DESCRIPTION]")

    def names(self):
        text, parts, common = self.flat, self.person.parts, self.corpus.common
        tokens = [m for m in TOKEN.finditer(text)]
        sure, maybe = {}, {}
        for i, m in enumerate(tokens):
            w, n = m[0], m[0].lower()
            if n in NOT_NAMES or not self.free(*m.span()):
                if n not in parts or not self.free(*m.span()):
                    continue
            if n in PARTICLES:
                maybe[i] = 1
                continue
            form = self.form(n)
            if form == 2 and w.isupper() and len(w) < 6:
                continue
            if not form:
                continue
            if w.islower():
                (maybe if n in common or len(n) < 3 else sure)[i] = form
            elif n in common or n in NOT_NAMES or len(n) <= 2:
                nxt = tokens[i + 1][0].lower() if i + 1 < len(tokens) and tokens[i + 1].start() - m.end() <= 2 else ""
                (maybe if (n, nxt) in self.corpus.pairs or n in NOT_NAMES and w.isupper() is False and self.opens(m.start()) else sure)[i] = form
            else:
                sure[i] = form
        # a doubtful word beside a sure one is part of the name
        changed = True
        while changed:
            changed = False
            for i in list(maybe):
                for j in (i - 1, i + 1):
                    if j in sure and 0 <= j < len(tokens):
                        a, b = sorted((i, j))
                        gap = text[tokens[a].end():tokens[b].start()]
                        if re.fullmatch(r"[\s,'.-]{0,7}", gap) and "\n" not in gap and ". " not in gap and (tokens[i][0][0].isupper() or not tokens[j][0][0].isupper() or tokens[i][0].lower() in PARTICLES or "-" in gap):
                            sure[i] = maybe.pop(i)
                            changed = True
                            break
        # full name in doubtful words only ("max foot")
        for i in list(maybe):
            if i + 1 in maybe and tokens[i][0].lower() not in PARTICLES and tokens[i + 1][0].lower() not in PARTICLES:
                a, b = tokens[i], tokens[i + 1]
                if a[0].lower() in self.person.given and b[0].lower() in parts and text[a.end():b.start()] in (" ", ", ", ","):
                    sure[i], sure[i + 1] = 1, 1
        letters = "".join(self.person.letters)
        for i in sorted(sure):
            start, end = tokens[i].span()
            m = re.search(r"(?:(?<![A-Za-z0-9.])|(?<=\s))(?:([A-Z])\.?[ -]?)?([A-Z])\.?\s{0,6}-?$", text[max(0, start - 10):start])
            if m and m[2].lower() in letters and (not m[1] or m[1].lower() in letters) and text[start].isupper():
                start = max(0, start - 10) + m.start()
            m = re.match(r"(?:,?\s{0,6}|-)([A-Z])\b(?:\.(?=[ ,|)]*(?:[A-Za-z|(,]|$))|)(?!'|\w|-\d|/)", text[end:end + 12])
            if m and m[1].lower() in letters and "\n" not in m[0]:
                end += m.end(1) + (1 if text[end + m.end(1):end + m.end(1) + 1] == "." and text[end + m.end(1) + 1:end + m.end(1) + 2] == " " and re.match(r"[A-Z]", text[end + m.end(1) + 2:]) else 0)
            if self.free(start, end):
                self.take(start, end, "[NAME]")
            else:
                self.take(*tokens[i].span(), "[NAME]")
        for m in TITLE.finditer(text):
            if self.free(*m.span("x")):
                self.take(*m.span("x"), "[NAME]")
        for m in LODGER.finditer(text):
            words = m["x"].split()
            if self.free(*m.span("x")) and (words[0][0].isupper() or words[0].lower() not in common) and words[0].lower() not in NOT_NAMES and not (words[0].lower() in common and words[0].islower()):
                if len(words) > 1 and words[1].lower() in common | NOT_NAMES:
                    self.take(m.start("x"), m.start("x") + len(words[0]), "[NAME]")
                else:
                    self.take(*m.span("x"), "[NAME]")
        for m in FRIEND.finditer(text):
            self.take(*m.span(), "[NAME]")
        for m in SPELLED.finditer(text):
            self.take(*m.span(), "[NAME]")
        for m in re.finditer(r"(?<![\w-])[A-Z](?:[-. ][A-Z]){1,2}(?![\w-])", text):
            if re.sub(r"[^a-z]", "", m[0].lower()) in parts or "spel" in text[max(0, m.start() - 12):m.start()]:
                self.take(*m.span(), "[NAME]")
        for m in INITIALS.finditer(text):
            span, got = m.span(), re.sub(r"[^a-z]", "", m[0].lower())
            two = re.match(r"[A-Z]\.[ -]?[A-Z]\.", m[0])
            if got not in self.person.initials and two and len(got) > 2:
                span, got = (m.start(), m.start() + two.end()), re.sub(r"[^a-z]", "", two[0].lower())
            if got in self.person.initials and self.free(*span):
                self.take(*span, "[NAME]")
        for m in re.finditer(r"(?:\bPt|\bfrom|\bre|\bPT:|\bfor|\(|\bPatient:?|\bpatient|\bD/w|\bRefer)\s*(?P<x>[A-Z]{2,3})\b", text):
            if m["x"].lower() in self.person.initials and self.free(*m.span("x")):
                self.take(*m.span("x"), "[NAME]")
        # neighbours become one
        merged = []
        for s, e, new in sorted(self.spans):
            if merged and new == "[NAME]" == merged[-1][2] and re.fullmatch(r"[\s,.'-]{0,7}", text[merged[-1][1]:s]) and "\n" not in text[merged[-1][1]:s] and ". " not in text[merged[-1][1]:s]:
                merged[-1] = (merged[-1][0], e, new)
            else:
                merged.append((s, e, new))
        self.spans = merged

    def opens(self, start):
        return start == 0 or bool(re.search(r"(?:[.!?:\n|]|\n-)\s*$", self.flat[max(0, start - 4):start]))

    def form(self, n):
        """Is this word a form of one of the names: the name, its plural, a misspelling, several names written together?"""
        parts = self.person.parts
        if n in parts:
            return 1
        for end in ("s", "es", "z"):
            if n.endswith(end) and n[: -len(end)] in parts and len(n) > 2 + (n in self.corpus.common):
                return 1
        if n.endswith("ies") and n[:-3] + "y" in parts:
            return 1
        if len(n) < 4 or n in self.corpus.common or n in self.corpus.clinicians:
            return 0
        for p in self.person.long:
            if abs(len(p) - len(n)) <= 2 and OSA.distance(n, p, score_cutoff=2) <= (1 if len(p) < 7 else 2) and (len(n) > 4 or n[0] == p[0]):
                return 2
        for p in self.person.long:
            if len(p) >= 4 and n.startswith(p) and n[len(p):] in parts | {"s", "es"}:
                return 1
        return 0

    def ages(self):
        for pattern in AGES:
            for m in pattern.finditer(self.flat):
                if self.free(*m.span("x")):
                    self.take(*m.span("x"), "90+")


class Cleaner:
    """Cleans texts of known patients; a text that has nothing in it for anybody is looked at once only."""

    def __init__(self, people, corpus):
        self.people, self.corpus = people, corpus
        self.nobody = Person({"birth_date": ""}, [], 0, "")
        self.plain = {}

    def __call__(self, text, pid, written=None):
        if not text:
            return text
        person = self.people.get(pid, self.nobody)
        if len(text) < 200:
            if text not in self.plain:
                same = not re.search(r"\d{4}|@", text) and Note(text, self.nobody, self.corpus, written).clean() == text
                self.plain[text] = {w.lower() for w in TOKEN.findall(flat(text))} if same else None
            words = self.plain[text]
            if words is not None and not words & person.parts and all(w in self.corpus.common or not person_form(w, person, self.corpus) for w in words):
                return text
        return Note(text, person, self.corpus, written).clean()


def person_form(word, person, corpus):
    probe = Note.__new__(Note)
    probe.person, probe.corpus = person, corpus
    return probe.form(word)
