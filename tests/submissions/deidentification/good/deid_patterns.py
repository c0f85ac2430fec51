"""Patterns for identifiers of any patient. All run on folded text (no accents, plain spaces and dashes)."""

import re

MONTH = (r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
         r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)(?![a-z])\.?")
CAP_MONTH = (r"(?:January|February|March|April|May|June|July|August|September|October|November|December|"
             r"Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec|"
             r"JANUARY|FEBRUARY|MARCH|APRIL|MAY|JUNE|JULY|AUGUST|SEPTEMBER|OCTOBER|NOVEMBER|DECEMBER|"
             r"JAN|FEB|MAR|APR|JUN|JUL|AUG|SEPT|SEP|OCT|NOV|DEC)\b")
WEEKDAY = r"(?:mon(?:day)?|tues?(?:day)?|wed(?:nesday)?|thu(?:rs?)?(?:day)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)\b\.?"
YEAR = r"(?:19|20)\d\d"
DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
NUM_MONTH = r"(?:0?[1-9]|1[0-2])"
ORDINAL = (r"(?:(?:twenty|thirty)[- ])?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)|tenth|eleventh|"
           r"twelfth|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|twentieth|thirtieth")
TIME = r"(?:[T ,]+(?:at )?\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?: ?[ap]\.?m\.?)?(?: ?Z\b| ?[+-]\d\d:?\d\d)?)?"

DATES = [
    rf"(?:{WEEKDAY},?\s+(?:the\s+)?)?(?:{YEAR}\s?[-/._]\s?\d\d?\s?[-/._]\s?\d\d?{TIME}|"
    rf"\d\d?\s?[-/._]\s?\d\d?\s?[-/._]\s?{YEAR}{TIME}|\d\d?([-/._])\d\d?\1\d\d(?!\d){TIME}|"
    rf"{DAY}[\s\-/._]*(?:of\s+)?{MONTH}(?:[\s\-/._,]*{YEAR}(?![\w%/])|(?:[-/._]| ?'|(?<=[a-z]))\d\d(?![\w%/]))?{TIME}|"
    rf"(?:the\s+)?(?:{ORDINAL})(?:\s+day)?\s+of\s+{MONTH}(?:,?\s+{YEAR})?|"
    rf"{MONTH}[\s\-/._]*(?:the\s+)?{DAY}\b(?:[\s\-/._,]*(?:{YEAR}|'\d\d|(?<=[-/])\d\d)(?!\d))?{TIME}|"
    rf"{MONTH}\s+(?:the\s+)?(?:{ORDINAL})\b(?:,?\s+{YEAR})?)",
    rf"{MONTH}(?:\s+of)?[\s\-/,.]*(?:{YEAR}|'\d\d)(?!\d)",
    r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:T?\d{4,6})?(?!\d)",
    rf"(?:0?[1-9]|1[0-2])/{YEAR}(?!\d)",
    rf"{YEAR}[-/](?:0[1-9]|1[0-2])(?![\d])",
    r"the\s+(?:[12]?(?:1st|2nd|3rd)|[12]?\dth|30th|31st)\b(?!\s+(?:percentile|rib|digit|toe|finger|metatarsal|"
    r"metacarpal|nerve|ventricle|week|cranial|degree|dose|time|floor|intercostal))",
    rf"on\s+the\s+(?:{ORDINAL})\b(?=\s*(?:[.,;]|$|and\b|at\b|for\b|of this))|again\s+on\s+the\s+(?:{ORDINAL})\b",
    r"(?:christmas|new year'?s|thanksgiving|easter|labor|memorial|independence|valentine'?s|halloween|ramadan|diwali)"
    r"(?:\s+(?:day|eve|sunday))(?:,?\s+(?:19|20)\d\d)?|fourth of july",
    r"(?:spring|summer|autumn|fall|winter)\s+(?:of\s+)?(?:19|20)\d\d",
]
# A month on its own is a date only with a capital letter and something before it.
LONE_MONTH = (rf"\b(?:[Ee]arly|[Ll]ate|[Mm]id|[Mm]iddle of|[Ee]nd of|[Bb]eginning of|[Ii]n|[Ss]ince|[Uu]ntil|[Bb]y|"
              rf"[Ll]ast|[Nn]ext|[Tt]his|[Ff]rom|[Dd]uring|[Oo]f)[- ]+(?P<x>{CAP_MONTH})(?![- ]Thurner)")
# 1/2 tablet, strength 5/5 and pain 3/10 are no dates.
MONTH_DAY = (rf"(?<![\d/.\-]){NUM_MONTH}/(?:0?[1-9]|[12]\d|3[01])(?![\d/%]|\.\d)"
             r"(?!\s*(?:to\s+\d+\s+)?(?:tab|cap|puff|dose|strength|in\s+(?:both|all|the)|bilat|power|pill|scale|murmur|"
             r"systolic|cup|pack|ppd|teasp|mL|of\s+a\b|on\s+arrival|on\s+the\s+(?:visual|pain)|throughout|positive|"
             r"SIRS|criteria|beats|points|strip|n\.?s\b|normal\s+saline|an?\s+(?:tab|pill|cup|pack)|inch|hours?\b))")
BEFORE_FRACTION = re.compile(
    r"(?:pain|strength|power|motor|score|scale|grade|murmur|bp|pulses?|reflexes|take|takes|taking|apgars?|gcs|vision|"
    r"acuity|mrc|severity|rated|intensity|nrs|vas|phq|a ?& ?o ?x|half)\s*(?:is|was|of|:|=)?\s*$", re.I)

NUMBERS = {
    "URL": [r"(?:\buser(?:name)?|\blogin|\bhandle|\bskype|\bportal id)\s*(?:is|"
            r":)?\s+(?P<x>@?[\w.\-]*[\d_.][\w.\-]*\w)", r"(?<![\w.])@[a-z][\w.]{3,}",
            r"\bhttps?://[^\s|<>\"]*[^\s|<>\".,;:)]", r"\bwww\.[^\s|<>\"]*[^\s|<>\".,;:)]",
            r"\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org|net|edu|gov|io|us)(?:/[^\s|<>\"]*[^\s|<>\".,;:)])?"],
    "EMAIL": [r"(?<![\w.+\-])[\w.+\-]+\s?@\s?[\w\-]+(?:\.[\w\-]+)+",
              r"(?<![\w.+\-])[\w.+\-]+(?:\s+(?:dot|underscore|dash|hyphen|period|plus|minus)\s+[\w.+\-]+)*\s*"
              r"(?:\s+at\s+(?=[\w\-]*(?:\s+dot\b|\s*[\[({<]\s*dot))|\s*[\[({<]\s*at\s*[\])}>]\s*)"
              r"[\w\-]+(?:\.[\w\-]+|\s*[\[({<]\s*dot\s*[\])}>]\s*\w+|\s+dot\s+\w+)+",
              r"(?<![\w.+\-])(?=[\w.+\-]*[\d._])[\w.+\-]+\w\s+at\s+[a-z][\w\-]*\.(?:com|org|net|edu|gov)\b"],
    "IP": [r"\b(?:\d{1,3}\.){3}\d{1,3}\b", r"(?<![\w:])(?:[0-9a-f]{1,4}:){2,7}(?::?[0-9a-f]{1,4}|"
                                           r":)(?::[0-9a-f]{1,4})*(?![\w:])",
           r"\b(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}\b",
           r"(?<![\w:])(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*)?::(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*)?(?![\w:])"],
    "SSN": [r"(?<!\d)\d{3}[-. /]\d\d[-. /]\d{4}(?!\d)", r"\b[x*#]{3}[- ]?[x*#]{2}[- ]?\d{4}\b",
            r"(?:social security(?: number| no\.?)?|\bssn?#?|last (?:four|4)[^.;\n|]{0,40}?)"
            r"[^\d\n|;.]{0,25}(?P<x>\d{4,9})(?!\d)"],
    "PHONE": [r"(?<![\d/])(?:\+?1[\s.\-]*)?(?:\(\s*\d{3}\s*\)|"
              r"(?<!\d)\d{3})[\s.\-/]*\d{3}[\s.\-]*\d\d[\s.\-]?\d\d(?![\d/])"
              r"(?:\s*,?\s*(?:x|ext?n?\.?|extension|#)\s*\.?\d{1,6})?",
              r"(?<![\d.\-/])\d{3}[-. ]\d{4}(?![\d/]|\.\d)(?:\s*,?\s*(?:x|ext?n?\.?|extension)\s*\.?\d{1,6})?",
              r"\+\d{1,3}(?:[\s.\-]?\(?\d{2,4}\)?){3,5}",
              r"\b(?:(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)[\s,\-]+){6,}"
              r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)\b"],
    "ID": [r"\b[a-z]{2,4}[- ]?\d{7}\b", r"\bacc[-\s]?\d{4}[-\s]?\d{5,6}\b",
           r"\b(?=(?:[a-z0-9]*\d){3})[A-HJ-NPR-Z0-9]{17}\b", r"\bsha\d*\s*[=:]\s*[0-9a-f]+", r"\b[0-9a-f]{16,}\b",
           r"\bFP-[0-9a-f]+(?:-[0-9a-f]+)*", r"\(01\)[\w()\-./+]+", r"\bIMG[_\-]?[\w\-]+(?:\.\w+)?",
           r"\b[\w\-]+\.(?:jpe?g|png|tiff?|dcm|pdf|gif|heic|bmp|mp4|docx?)\b",
           r"(?:\bplates?\b|licen[cs]e plate|\btag\b)(?: number| no\.?)?\s*(?:is|:|"
           r"#)?\s*(?P<x>(?=[a-z0-9 \-]*\d)[a-z0-9]{1,4}[ \-]?[a-z0-9]{2,4}(?:[ \-]?[a-z]?\d{1,4})?)\b",
           r"\b(?:account|acct|guarantor|billing|member|policy|claim|case|group)\b[^\d\n|"
           r"]{0,15}(?P<x>\d{2,5}(?:[ \-]\d{2,5}){1,4})(?![\w/%]|\.\d)",
           r"(?<![\w.\-/+])\d{3,4} \d{3} \d{3,4}(?![\w%/]| \d|\.\d)",
           r"\b(?:licen[cs]e|passport|d\.?l\.?|vehicle|vin|serial|s/n|sn|member|policy|subscriber|insurance|group|"
           r"account|acct|"
           r"guarantor|certificate|medicare|medicaid|beneficiary|badge|device|implant|lot|template|registry|token|"
           r"label reads|card shows|badge id|case|claim|permit|chart|mrn|record)"
           r"(?: (?:number|no\.?|id|card|key|code|label|account|reads|shows|ending in|ending))*"
           r"[\s:#=]*(?P<x>(?=[\w\-/.()]*\d[\w\-/.()]*\d[\w\-/.()]*\d)[\w()][\w\-/()]*(?:\.\w+)*)",
           r"(?:record|mrn|medical record|chart)\b[^\d\n|]{0,20}#?(?P<x>\d[\d \-]{4,12}\d)",
           r"(?<![\w.])#?\d{7,}(?!\d|\s*(?:units|iu\b|copies|cells))", r"\b(?=\w*[a-z])(?=(?:\w*\d){6})[a-z0-9]{8,}\b"],
    "ADDRESS": [r"\bp\.?\s?o\.?\s?box\s+#?\d+|\bpost office box\s+#?\d+"],
}
SUFFIX = ("Alley|Avenue|Ave|Bend|Boulevard|Blvd|Branch|Bridge|Brook|Brooks|Burg|Burgs|Bypass|Camp|Canyon|Cape|Causeway|"
          "Center|Centers|Circle|Circles|Cliff|Cliffs|Club|Common|Commons|Corner|Corners|Course|Court|Courts|Ct|"
          "Cove|Coves|"
          "Creek|Crescent|Crest|Crossing|Crossroad|Crossroads|Curve|Dale|Dam|Divide|Drive|Drives|Dr|Estate|Estates|"
          "Expressway|Extension|Extensions|Fall|Falls|Ferry|Field|Fields|Flat|Flats|Ford|Fords|Forest|Forge|Forges|"
          "Fork|"
          "Forks|Fort|Freeway|Garden|Gardens|Gateway|Glen|Glens|Green|Greens|Grove|Groves|Harbor|Harbors|Haven|Heights|"
          "Highway|Hwy|Hill|Hills|Hollow|Inlet|Island|Islands|Isle|Junction|Junctions|Key|Keys|Knoll|Knolls|Lake|Lakes|"
          "Land|Landing|Lane|Ln|Light|Lights|Loaf|Lock|Locks|Lodge|Loop|Mall|Manor|Manors|Meadow|Meadows|Mews|Mill|"
          "Mills|"
          "Mission|Motorway|Mount|Mountain|Mountains|Neck|Orchard|Oval|Overpass|Park|Parks|Parkway|Parkways|Pkwy|Pass|"
          "Passage|Path|Pike|Pine|Pines|Place|Pl|Plain|Plains|Plaza|Point|Points|Pond|Port|Ports|Prairie|Radial|Ramp|"
          "Ranch|Rapid|Rapids|Rest|Ridge|Ridges|River|Road|Roads|Rd|Route|Row|Rue|Run|Shoal|Shoals|Shore|Shores|Skyway|"
          "Spring|"
          "Springs|Spur|Spurs|Square|Squares|Station|Stravenue|Stream|Street|Streets|St|Summit|Terrace|Ter|Throughway|"
          "Trace|Track|Trafficway|Trail|Tr|Tunnel|Turnpike|Underpass|Union|Unions|Valley|Valleys|Via|Viaduct|View|"
          "Views|"
          "Village|Villages|Ville|Vista|Walk|Walks|Wall|Way|Ways|Well|Wells|Highway \\d+|Road \\d+")
CAPS = r"[A-Z][A-Za-z'\-]*"
APARTMENT = r"(?:,? *(?:Apt|APT|Apartment|Unit|UNIT|Suite|Ste|STE|#)\.? *#? *\w{1,5}\b)?"
STREETS = [rf"\b\d{{1,5}} +(?:[NSEW]\.? +)?(?:{CAPS} +){{1,3}}(?:{SUFFIX}|{SUFFIX.upper()})\b\.?{APARTMENT}",
           r"\b\d{1,5} +(?:County|State|US|Route|COUNTY|STATE|ROUTE) +(?:Road|Route|Highway|ROAD|ROUTE|HIGHWAY|"
           r"Rte) +\d+" + APARTMENT,
           rf"(?<=near )(?:the corner of )?[\w']+(?: +{CAPS})* *(?:&|and) *[\w']+(?: +{CAPS}){{0,2}}\b",
           rf"\b\d{{1,3}}(?:st|nd|rd|th) *& *{CAPS}(?: +{CAPS}){{0,2}}\b",
           rf"(?:[Cc]orner of|(?:BIBA|biba|found|picked up|collapsed) (?:from|at|near|"
           rf"on)) (?P<x>[\w']+(?: +{CAPS})* *(?:&|and|/) *{CAPS}(?: +{CAPS}){{0,2}})\b"]
ZIPS = [r"\b(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|"
        r"V[AT]|W[AIVY])"
        r",?\s+(?P<x>\d{5}(?:-\d{4})?)\b", r"(?i:zip(?: code)?)[\s:]*(?P<x>\d{5}(?:-\d{4})?)\b"]

# An age of 90 or more; only the number goes.
BIG = r"(?P<x>9\d|1[0-2]\d)"
BIG_WORD = (r"(?P<x>ninety(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?|"
            r"(?:one |a )?hundred(?: and)?(?:[- ](?:one|two|three|four|five|six|seven|eight|nine|ten))?)")
KIN = (r"(?:aunt|uncle|mother|father|parents?|brother|sister|spouse|wife|husband|partner|neighbou?r|friend|grandm\w+|"
       r"grandf\w+|grandparent|cousin|patient|pt|sibling|mom|dad|nephew|niece|in-law)")
NO_UNIT = (r"(?!\s*(?:%|mg|mm|mL|bpm|kg|lb|cm|/|mcg|U\b|units?|beats|percent|degrees|C\b|F\b|on\s+room|x\b)|"
           r"[\d./:%-]?\d)")
AGES = [
    rf"(?<![\d./]){BIG}(?=[\s\-]*(?:years?|yrs?)\b)", rf"(?<![\d./]){BIG}(?=[\s\-]*y(?:[./]?\s?o\b|\.|\b))",
    rf"\b(?:aged?|age of|ages|aging|turned|turning|turns)[\s:]+{BIG}{NO_UNIT}",
    rf"\b(?:a&w|alive and well|died|dies|deceased|passed(?: away)?|well|lived|living|independent|healthy)"
    rf"\s+(?:at|to|aged)\s+(?:age\s+)?(?:be\s+)?{BIG}{NO_UNIT}",
    rf"\b{KIN}\b[^.;\n\d|]{{0,30}}?(?:\b(?:is|was|at|of|now|aged)\s+|,\s*|\(){BIG}(?=\s*(?:[,.;)\n]|$|and\b|years|"
    rf"who\b|now\b|next\b|this\b))",
    rf"\bage\s*[:=|]\s*{BIG}{NO_UNIT}", r"(?<![\d./])(?P<x>9\d|10\d|11\d)(?= ?(?:[MF]|male|female|man|woman)\b)",
    rf"\b{BIG_WORD}(?=[\s\-]*(?:years?|yrs?|y)\b)", rf"\b(?:aged?|age of|turned|turning|at|is|was|"
                                                    rf"now)\s+{BIG_WORD}(?=\s*(?:[,.;)\n]|$|and is\b|last\b|this\b))",
    r"(?<=[Ii]n (?:his|her) )(?:mid|late|early)?[- ]?(?:90'?s|nineties|hundreds)", r"(?:super)?centenarian|"
                                                                                   r"nonagenarian",
]

# A description that only one person fits.
PLACE_END = r"(?=\s*(?:[.,;|\n]|$|\band\b|\bwho\b|\bwith\b|\bbut\b|\bso\b|\bis\b|\bwas\b))"
UNIQUE = [
    r"\b(?:recogni[sz]ed|identified|remembered)\s+(?:him|her|them|the patient|[A-Z]\w+)\s+(?:as|from)\s+(?P<x>[^.;,|"
    r"\n]+?)(?=\s*(?:[.,;|\n]|$|\s(?:and|but|while)\s))",
    r"\b(?P<x>(?:[Tt]he|[Aa]n?|[Oo]ur|[Tt]heir)\s+(?:[a-z][\w\-]*\s+){0,4}?"
    r"(?:mayor|fire chief|police chief|chief of police|sheriff|governor|senator|congress\w+|judge|superintendent|"
    r"bishop|"
    r"pastor|principal|postmaster|champion|harpist|bell ringer|town clerk|chess champion|lighthouse keeper|anchor\w*|"
    r"coroner|librarian|organist|conductor|winner|astronaut|olympian|weatherman|mascot|poet laureate|beekeeper|"
    r"blacksmith|ferry\w*|lottery winner|founder|owner|head coach|quarterback)\s+(?:of|in|at|for|from)\s+"
    r"(?:the\s+)?[^.;,|\n]+?)" + PLACE_END,
    r"\b(?P<x>(?:the|our) (?:town|city|county|village|state|parish|school)'s (?:[a-z][\w\-]* ?){1,4})(?=[.,;|\n]|$)",
    r"\b(?P<x>(?:[Tt]he|[Oo]ur)\s+(?:only|reigning|oldest|longest-serving|youngest)\s+[a-z][\w\- ]{2,40}?\s+(?:of|"
    r"in|at|from)\s+[A-Z][\w']+(?: [A-Z][\w']+)*)",
    r"\b(?:known (?:locally|in town|around town|to everyone)|famous|better known) (?:as|for) (?P<x>[^.;,|\n]+)",
]

# "the best-known baker of Dunmore": a person described by a place.
IN_PLACE = (r"\b(?P<x>(?:the|an?|our)\s+(?:(?!(?:and|but|lives?|moved|helps|works?|home|letter|hospital|"
            r"clinic)\b)[a-z][a-z\-']*\s+){{1,5}}?(?:of|in|for|at|from)\s+{cities})")

# People, told by what stands around them.
NAME = r"[A-Z][A-Za-z'\-]*\.?(?:[ ,]{1,2}[A-Z][A-Za-z'\-]*\.?){0,3}"
ONE = r"[A-Z][A-Za-z'\-]+"
TWO = rf"{ONE}(?: (?:[A-Z]\.? )?{ONE}){{0,2}}"
REVERSED = rf"{ONE}(?: {ONE})?, ?{ONE}(?: {ONE})?"
WHO = rf"(?P<x>{REVERSED}|{TWO})"
RELATION = (r"(?:spouse|wife|husband|partner|child|son|daughter|parent|mother|father|mom|dad|sibling|brother|sister|"
            r"neighbou?r|"
            r"friend|aunt|uncle|cousin|niece|nephew|grand\w+|guardian|caregiver|roommate|fianc\w+|in-law|step\w+)")
PEOPLE = [
    rf"\b(?:Mr|Mrs|Ms|Miss|Mx|Sr|Sra|Srta|MRS|Mister|Don|Dona)\b\.? (?P<x>(?:[A-Z]\. ?)*(?:(?:de|del|la|las|los|van|"
    rf"von|der|den|bin|al|el|da|dos) )*{ONE}(?: {ONE})?)",
    rf"{WHO} \((?:{RELATION}|(?:his|her) {RELATION})\)",
    rf"\b(?i:{RELATION})\s?[:,]? {WHO}(?=\s*(?:[.,;|)\n(\d]|$|[a-z]))",
    r"\b(?:nee|maiden name|formerly|previously|goes by|nicknamed?|a\.?k\.?a\.?|also known as|called|"
    r"prefers)\s+(?:Mr\.? |Mrs\.? |Ms\.? )?\"?(?P<x>[A-Z][\w'\-]+(?: [A-Z][\w'\-]+)?)",
    rf"\bfriend of the family, (?P<x>(?:Big |Little |Old |Young |Uncle |Aunt |Auntie )?{ONE})",
    rf"\b(?:Ride home|RIDE HOME|Ride)\s*: (?P<x>{TWO})",
    rf"\b(?:NOK|EMERG|EMERGENCY CONTACT|ICE|Next of kin (?:is|are)|"
    rf"Emergency contacts?)\s*:?\s*{WHO}(?:\s*/\s*(?P<y>{REVERSED}|{TWO}))?",
    r"(?m)^\W*(?:PT|Pt|PATIENT|Patient|NAME|Name|Patient name|PATIENT NAME)\s*[:|]\s*(?P<x>[^|\n:]+?)\s*(?=\||$|\n|"
    r"\s{3,}|\(|,? (?:MRN|DOB|born)\b)",
    rf"\b(?i:dictat(?:ing|ion)) on (?P<x>{NAME}?)(?=, (?:medical )?record|,? (?:end|and)\b)",
    rf"\btype this for (?P<x>{NAME}?)(?=, number|, )", rf"\b(?:is all for|dictation on) (?P<x>{ONE}(?: {ONE})*)",
    rf"\b(?:TC from|TC re|Spoke with|spoke with|D/w|d/w|Refer|refer|relabelled for|relabeled for|dropped off by|"
    rf"Pt) (?P<x>{REVERSED}|{TWO})"
    r"(?= \(|,|\.| to | by |$| MRN|\n| \d| called| today)",
    rf"\b[Tt]he (?P<x>{ONE}(?:s|es))(?= (?:were |have been |are )?(?:updated|informed|called|family))",
    rf"\b(?P<x>{ONE}) family (?:mtg|meeting|updated|informed|aware)",
    r"(?m)^\| [^|\n]*\d[^|\n]* \| (?P<x>[^|\n\d]{3,40}?) \| [^|\n]*\d",
    r"(?m)^(?P<x>[A-Z][^\d\n|:()]{2,40}?) \((?=[^)\n]*\d[^)\n]*\),? born)",
]
INITIALS = r"(?<![\w.])[A-Z]\.\s?(?:[A-Z]\.\s?)?[A-Z]\.(?!\w)"
SPELLED = r"\b[A-Z](?:-[A-Z]){2,}\b|\b[A-Z](?:[ .][A-Z]){3,}\b|(?<=spelled )[A-Za-z](?:[-. ,]+[A-Za-z]\b)+"
WORK = [r"\b(?:[Ww]orks? (?:for|at)|[Ww]orked (?:for|at)|[Ee]mploye[dr] (?:by|at|is)|EMPLOYER:|Employer:|EMPL:|"
        r"[Rr]etired from|[Jj]ob at)\s+"
        r"(?P<x>(?:the )?[A-Z][\w'&\-]*(?:(?:, | and | & | )[A-Z][\w'&\-]*)*)"]
HOMES = [r"\b(?:[Ll]ives in|[Mm]oved (?:to|from)|[Hh]ome is in|[Ll]etter was sent to|[Rr]esides in|"
         r"[Ff]rom the town of|[Bb]orn in|LIVES IN|^- Lives)\s+"
         r"(?P<x>[A-Z][\w']+(?: [A-Z][\w']+){0,3})",
         r"\b(?:[Hh]elps out at|[Vv]olunteers at|[Tt]eaches at|[Ss]tudent at|"
         r"[Aa]ttends) (?P<x>[A-Z][\w'\-]+(?: [A-Z][\w'\-]+){0,4})"]

# Words of medicine that look like names.
EPONYM_NOUNS = (r"disease|syndromes?|lymphoma|score|sign|scale|criteria|catheter|virus|palsy|tumou?r|stage|staging|"
                r"classification|test|man(?:o?eu|eu)ver|reflex|contracture|thyroiditis|o?esophagus|node|cyst|fracture|"
                r"procedure|repair|tube|drain|stain|index|encephalopathy|sarcoma|phenomenon|ulcer|hernia|"
                r"diverticulum|duct|splint|dressing|disorder|dementia|nephropathy|arthritis|chorea|ataxia|dystrophy|"
                r"formula|"
                r"protocol|ratio|respirations?|breathing|murmur|cells?|bodies|rings?|spots|plaque|purpura|angina|coma|"
                r"thurner|barr|turner|tourette|guillain|kappa|law|triad|line|pouch|position|bandage|stockings|grade|"
                r"fossa|canal")
PROTECTED = [
    rf"\b[A-Z][A-Za-z]+(?:[- ][A-Z][A-Za-z]+)?(?:'s)?\s+(?:Coma Scale|coma scale|{EPONYM_NOUNS})\b",
    r"\b(?:Romberg|Babinski|Homans|Murphy|Kernig|Brudzinski|Phalen|Tinel|Lasegue|Rovsing|McBurney|Trousseau|"
    r"Chvostek)\b(?:'s)?"
    r"(?=\s+(?:negative|positive|absent|present|sign|test))",
    r"\bMay[- ]Thurner\b|\bFoley (?:out|in|removed|placed|bag|catheter)\b|\bFOLEY\b|\bApgar(?= (?:and|score|of|\d))|"
    r"\bGlasgow(?= Coma)|"
    r"\bParkinson(?:'s)?(?= (?:disease|plus|medic))|\bDoppler\b|\bHolter\b|\bRinger\b|\bKegel\b|\bTylenol\b",
    r"\bT[12] FLAIR\b|\b[LTC]\d{1,2}-[LTCS]?\d{1,2}\b|\bSpO2\b|\bHbA1c\b",
]

# ---- what these hospitals write, as their notes show

HOUSE = {
    "PHONE": [r"\b(?:ends|ending)(?: in)?\s+(?P<x>\d{4})(?!\d)",
              r"(?<!\d)\(?\d{3}\)?[-. ]\d{3}[-. ]\d{4}\s?/\s?\d{4}(?!\d)"],
    "DATE": [r"\bout\s+(?P<x>\d{1,2}[-/]\d{1,2})(?![\d/-])"],
    "ID": [r"(?<![a-z0-9])\d ?(?!tab|cap|pil|day|amp|puf|mcg|unit)[a-z]{3} ?\d{3}(?![a-z0-9])",
           r"\b(?:signed in with|portal use is as|login)\s+(?P<x>[\w.]*\d[\w.]*)",
           r"\b(?:shelf|sit under|filed under)\s+(?P<x>[\da-z]{1,2}(?:-[\da-z]{1,2}){2,})",
           r"\b(?:alias|bed plan(?: shows|:)|on the board as|made out to)\s+(?P<x>[a-z]{2,5}\d\d)\b",
           r"\b(?:labels printed for|films pulled for|stickers for|went down under|came back as)\s+"
           r"(?P<x>#?[\w/-]*\d[\w/-]*)"],
    "ADDRESS": [r"\b(?P<x>(?:above|over|behind|below|beside) the [a-z]+(?: [a-z]+)? on [A-Z][\w']+(?: [A-Z]\w+)*)",
                r"(?:for|up at|[Vv]isit:|[Aa]ddress:) (?P<x>the [a-z]+(?: [a-z]+)?"
                r" (?:behind|above|beside|opposite|across from|next to|near|by|past) the [a-z-]+(?: [a-z-]+)?)"],
}
LODGER = r"\b(?:[Ll]odger|room is let to)[,(\s]+(?P<x>[A-Za-z'\-]+(?: [A-Za-z'\-]+(?=[,)]))?)"
# Numbers of products, studies, rooms, scores and levels.
NEVER = [r"\bREF [\d-]+", r"\bNCT\d{8}\b", r"\b[Ll]ot \d{5,}\b", r"\bC\d/\d\b", r"\b\d Phase CT\b", r"\bIRB [\d-]+",
         r"\b(?:PHQ-?\d*|MoCA|GAD-?\d*|MMSE|NIHSS|GCS|AUDIT) \d{1,2}/\d{1,2}\b", r"(?<=andout from )\S+", r"\bPACU\b",
         r"\bsoftware [\d.]*\d", r"\bplate [A-Z]{2,4} \d\.\d", r"\btemperature \d{2,3} F\b", r"\b(?:GAD65|SCL70)\b",
         r"\b[Oo]rder set [\d-]+", r"\bRm [\d-]+", r"\bOD \d+/\d+", r"\bOS \d+/\d+", r"\b\d/\d murmur", r"\b24/7\b",
         r"\binsulin \d\d-\d\d\b", r"\bday \d-\d\b", r"\bA/[A-Z]\w+/\d+/\d{4}\b", r"\bin the 90s\b",
         r"\bmeter \d+-\d+", r"\b\d+-\d+-\d+-\d+ on the\b", r"\b(?:Kelly clamp|Hill-Sachs|Cameron lesion|Leg Press)\b",
         r"\bChristmas factor\b", r"\bMarch fracture\b", r"\bfifth metatarsal\b", r"\bLos Angeles grade\b"]
