"""Forms that need no knowledge of the patient: numbers, addresses, dates, ages. Labelled regular expressions."""

import regex

R = regex.compile
MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct"
    r"(?:ober)?|Nov(?:ember)?|Dec(?:ember)?"
    r"|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre)(?![\p{L}])(?:\."
    r"(?=[ ]?\d))?"
)
WEEKDAY = r"(?:Mon|Tue|Tues|Wed|Weds|Thu|Thur|Thurs|Fri|Sat|Sun)(?:day|sday|nesday|rsday|urday)?"
ONES = "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth"
ORDINAL_WORD = (
    rf"(?:thirty[- ]first|thirtieth|twenty[- ](?:{ONES})|twentieth|nineteenth|eighteenth|seventeenth|sixteenth"
    rf"|fifteenth|"
    rf"fourteenth|thirteenth|twelfth|eleventh|tenth|{ONES})"
)
DAY = r"(?:3[01]|[12]\d|0?[1-9])"
NTH = rf"{DAY}(?:st|nd|rd|th)"
YEAR = r"(?:(?:19|20)\d\d)"
YEAR2 = rf"(?:{YEAR}|['’]?\d\d)"
TIME = r"(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
MM = r"(?:1[0-2]|0?[1-9])"

LABELLED = []


def rule(label, *patterns):
    for p in patterns:
        LABELLED.append((label, R(p)))


# ---- numbers and addresses of the electronic kind
LOCAL = r"[\p{L}\d._%+'-]++(?:[ ]?(?:\(dot\)|\[dot\]|\bdot\b|\bunderscore\b|\bdash\b|\bhyphen\b)[ ]?[\p{L}\d._%+'-]++)*"
rule(
    "EMAIL",
    rf"(?i){LOCAL}[ ]?(?:@|\(at\)|\[at\]|\{{at\}})[ ]?[\p{{L}}\d-]+(?:\.[\p{{L}}\d-]+|[ ]?(?:\(dot\)|\[dot\]"
    rf"|\{{dot\}}|\bdot\b)[ ]?[\p{{L}}\d-]+)+",
    rf"(?i){LOCAL} at [\p{{L}}\d-]+(?: dot [\p{{L}}\d-]+)* ?(?:dot |\.)(?:com|org|net|edu|gov|health|io)\b",
)
rule(
    "URL",
    r"(?i)\b(?:https?://|ftp://|www\.)[^\s|,;<>\"')]+[^\s|,;<>\"').]",
    r"(?i)\b[a-z\d-]+(?:\.[a-z\d-]+)*\.(?:com|org|net|edu|gov|io|health)/[^\s|,;<>\"')]*[^\s|,;<>\"').]",
)
# A label's rules are tried only where its guard finds something: most texts have no e-mail address or hash.
GUARDS = {
    "EMAIL": R(r"(?i)@|[(\[{]at[)\]}]|\bat [\p{L}\d-]+(?: dot |\.\p{L})"),
    "URL": R(r"(?i)www|://|\.(?:com|org|net|edu|gov|io|health)/"),
    "HASH": R(r"(?i)[\da-f-]{16}|sha|md5|hash|uuid|guid|token"),
    "FILE": R(r"\.\p{L}{3}|\.mp\d"),
    "DEVICE": R(r"\d\)"),
}
rule(
    "IP",
    r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]\d)",
    r"(?i)(?<![\p{L}\d:])(?:[\da-f]{1,4}:){2,7}(?::?[\da-f]{1,4}){0,6}(?:::)?(?![\p{L}\d])(?<!\d\d:\d\d:\d\d)",
    r"(?i)(?<![\p{L}\d])(?:[\da-f]{2}[:-]){5}[\da-f]{2}(?![\p{L}\d])",
    r"(?i)(?<![\p{L}\d:])[\da-f]{1,4}(?::[\da-f]{1,4})*::(?:[\da-f]{1,4}(?::[\da-f]{1,4})*)?",
)
rule("HANDLE", r"(?<![\p{L}\d.])@[\p{L}_][\p{L}\d_.]{2,}")
rule(
    "HASH",
    r"(?i)\b(?:sha-?\d+|md5|hash|uuid|guid|token)\s*[=:]\s*[\p{L}\d+/=-]{8,}",
    r"(?i)(?<![\p{L}\d])(?=[\da-f]*\d)[\da-f]{16,}(?![\p{L}\d])",
    r"(?i)(?<![\p{L}\d])[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}(?![\p{L}\d])",
)
rule(
    "FILE",
    r"(?i)(?<![\p{L}\d])[\p{L}\d_-]+\.(?:jpe?g|png|gif|tiff?|bmp|heic|dcm|pdf|docx?|txt|wav|mp[34]|mov|zip|xlsx?"
    r"|csv)\b",
)
rule("DEVICE", r"\(01\)\s?\d{10,}(?:\s?\(\d{2,3}\)[\p{L}\d-]+)*", r"\b\d{2,3}\)\d{6,}\(\d\d\)[\p{L}\d]+")

# ---- social security, phone
rule(
    "SSN",
    r"(?<![\p{L}\d])\d{3}([- .])\d{2}\1\d{4}(?!\d)",
    r"(?i)(?<![\p{L}\d])(?:xxx|\*\*\*|###)[- ]?(?:xx|\*\*|##)[- ]?\d{4}(?!\d)",
    r"(?i)(?:\bssn|social security|\bss ?#|last (?:four|4))[^\d\n|]{0,40}?\K\d{3,4}(?!\d|[/-]\d)",
    r"(?i)(?:\bssn|social security|\bss ?#)[^\d\n|]{0,30}?\K\d{3}[- .]?\d{2}[- .]?\d{4}(?!\d)",
    r"(?i)\b(?:ending|ends) (?:in|with) \K[\p{L}\d-]*\d{2,}[\p{L}\d-]*",
)
EXT = r"(?:\s*(?:,\s*)?(?:x|ext\.?|extension|#)\s*\d{1,6}\b)?"
rule(
    "PHONE",
    rf"(?i)(?<![\p{{L}}\d])(?:\+?1[-. ]?)?\(\d{{3}}\)[-. ]?\d{{3}}[-. ]?\d{{2}}[-. ]?\d{{2}}{EXT}(?!\d)",
    rf"(?i)(?<![\p{{L}}\d.-])(?:\+?1[-. /]?)?\d{{3}}[-. /]\d{{3}}[-. ]\d{{2}}[-. ]?\d{{2}}{EXT}(?!\d)",
    rf"(?i)(?<![\p{{L}}\d])\+\d{{1,3}}[-. ]?(?:\(?\d{{2,4}}\)?[-. ]?){{2,5}}\d{{0,4}}{EXT}(?!\d)",
    rf"(?i)(?<![\p{{L}}\d./-])\d{{3}}[-.]\d{{4}}{EXT}(?!\d|[./-]\d)",
    rf"(?i)(?<![\p{{L}}\d./-])555 ?\d{{4}}{EXT}(?!\d)",
    rf"(?i)\b(?:tel|telephone|phone|cell|mobile|fax|cb|ph|home|call(?:ed)?|reached|ring|text)\b[^\d\n"
    rf"|]{{0,25}}?\K\d[\d(). -]{{5,14}}\d{EXT}(?!\d)",
    rf"(?i)(?<![\p{{L}}\d])[2-9]\d{{9}}{EXT}(?![\p{{L}}\d])",
    r"(?i)(?:\b(?:five|four|three|two|one|zero|oh|six|seven|eight|nine|double)[ -]){6,}(?:five|four|three|two|one"
    r"|zero|oh|six|seven|eight|nine)\b",
)

# ---- other numbers that name a person
ID_WORD = (
    r"(?:accounts?|acct|acc|licen[cs]e|plates?|tag|badge|vehicle|vin|serial(?: number)?|device|implant|pacemaker"
    r"|s/n|sn|lot|member|subscriber|policy|group|"
    r"certificate|cert|registration|passport|template|fingerprint|voiceprint|retina\w*|iris scan|image|photo"
    r"(?:graph)?|record|mrn|mr|chart|case|claim|confirmation|"
    r"reference|ref|visa|permit|npi|dea|medicaid|medicare|insurance|id|identification|number|beneficiary|hicn|mbi"
    r"|udi|imei|student|employee|locker|guarantor|"
    r"visit|encounter|order|accession|invoice|statement|card|credential|username|user|login|pin)"
)
TOKEN = r"(?=[\p{L}\d./_()-]*\d[\p{L}\d./_()-]*\d)[\p{L}\d(#][\p{L}\d./_()-]*[\p{L}\d]"
rule(
    "ID",
    rf"(?i)\b{ID_WORD}\b(?: (?:number|no|id|code|label|card|is|was|reads|shows|has|under|with|plate|copied"
    rf"|#))*\.?\s*[:#=]?\s*#?\K(?={TOKEN})[\p{{L}}\d(#][\p{{L}}\d./_()-]{{3,}}[\p{{L}}\d](?:[ ]\d{{3,}})?"
    rf"(?![\p{{L}}\d])",
    # the same in groups of digits: "account 2129 602 681", never "order 20 40 mg"
    rf"(?i)\b{ID_WORD}\b(?: (?:number|no|id|code|is|was|#))*\.?\s*[:#=]?\s*#?\K\d{{3,}}(?:[ .-]\d{{2,}})+"
    rf"(?![\p{{L}}\d/]|\s*(?:mg|ml|%))",
    r"(?i)(?<![\p{L}\d])(?:ACC|ACCT|FP|ID|MRN|DL|REF|CASE|CLM|POL|SN|VIN|PT|IMG|DEV|PM|CERT|BIO|VP)[-#:_]?"
    r"(?=[\p{L}\d-]*\d{3})[\p{L}\d][\p{L}\d_-]{3,}(?![\p{L}\d])",
    r"(?<![\p{L}\d])(?=[A-HJ-NPR-Z\d]{17}(?![\p{L}\d]))(?=[A-Z\d]*\d)(?=[A-Z\d]*[A-Z])[A-Z\d]{17}",
    r"(?<![\p{L}\d-])[A-Z]{1,4}-?\d{5,}[A-Z]?(?![\p{L}\d])",
    r"(?<![\p{L}\d-])[A-Z]{3}[ -]?\d{7}(?![\p{L}\d])",
    r"(?<![\p{L}\d-])(?=(?:[A-Z]*\d){3})(?=\d*[A-Z]+\d*)[A-Z\d]{6,}(?![\p{L}\d])(?<![A-Z]\d\d?)",
    r"\b(?i:plates?|tag|registration)\b[ :#]*(?:[a-z]+[ :]+){0,2}(?:[A-Z]{2}[ ])?\K(?=[A-Z -]*\d)[A-Z\d]{1,8}"
    r"(?:[ ·-][A-Z\d]{1,5}){0,2}(?![\p{L}\d])",
    r"(?i)\b(?:plates?|license plate|tags?)[ :#]+(?:(?:no|number|is|reads)\.?[ :]+)?\K(?=[\p{L}-]*\d"
    r"|\p{L}{1,4}[ ·-]\d)[\p{L}\d]{1,8}(?:[ ·-](?=[\p{L}]{0,3}\d|[\p{L}]{1,3}[ ·-]\d)[\p{L}\d]{1,5}){0,2}"
    r"(?![\p{L}\d])",
    r"(?i)\b(?:badge|locker|bracelet|wristband|bed tag)[ :#]+(?:(?:no|number|is)\.?[ :]+)?\K#?\d{3,}",
    r"\b(?:FP|BIO|RT|VP|IRIS|FACE|TPL|DNA|GEN)-[\p{L}\d]{2,}(?:-[\p{L}\d]+)*",
    r"(?i)(?<![\p{L}\d-])(?=[\p{L}-]*\d)[\da-f]{6,}(?:-[\da-f]{3,})+(?![\p{L}\d])",
    r"(?i)\b(?:mrn|mr ?#|record(?: (?:number|no))?|chart(?: (?:number|no))?)\.?[ :#]*\K\d{1,4}"
    r"(?:[ .-]\d{1,4}){1,4}(?:[ -]?[A-Z]\b)?(?!\d)",
    r"(?<![\p{L}\d./])#?\d{7,}(?![\p{L}\d])",
    r"(?<![\p{L}\d./-])\d{4}[ -]\d{4}(?:[ -]\d{4}){0,2}(?![\d/])",
    r"(?<![\p{L}\d-])\d{2,}(?:-\d{2,}){2,}(?!\d)",
    r"(?<![\p{L}\d.,-])\d{6}(?![\p{L}\d.,]|\s*(?:/|per|cells|copies|iu|units))",
)
# ---- places
SUFFIX = (
    r"(?:Alley|Avenue|Ave|Bend|Boulevard|Blvd|Branch|Bridge|Brook|Brooks|Burgs?|Bypass|Camp|Canyon|Cape|Causeway"
    r"|Center|Centers|Circles?|Cir|Cliffs?|Club|Common|Corners?|"
    r"Course|Courts?|Ct|Coves?|Creek|Crescent|Crest|Crossing|Crossroads?|Curve|Dale|Dam|Divide|Drives?|Dr"
    r"|Estates?|Expressway|Extensions?|Falls?|Ferry|Fields?|Flats?|Fords?|"
    r"Forest|Forges?|Forks?|Fort|Freeway|Gardens?|Gateway|Glens?|Greens?|Groves?|Harbors?|Haven|Heights|Highway"
    r"|Hwy|Hills?|Hollow|Inlet|Islands?|Isle|Junctions?|Keys?|Knolls?|"
    r"Lakes?|Land|Landing|Lane|Ln|Light|Lights|Loaf|Locks?|Lodge|Loop|Mall|Manors?|Meadows?|Mews|Mills?|Mission"
    r"|Motorway|Mountains?|Neck|Orchard|Oval|Overpass|Park|Parks|"
    r"Parkways?|Pkwy|Pass|Passage|Path|Pike|Pines?|Place|Pl|Plains?|Plaza|Points?|Ports?|Prairie|Radial|Ramp"
    r"|Ranch|Rapids?|Rest|Ridges?|River|Roads?|Rd|Route|Row|Rue|Run|"
    r"Shoals?|Shores?|Skyway|Springs?|Spurs?|Squares?|Sq|Station|Stravenue|Stream|Streets?|St|Summit|Terrace|Ter"
    r"|Throughway|Trace|Track|Trafficway|Trail|Tunnel|Turnpike|Underpass|"
    r"Unions?|Valleys?|Via|Viaduct|Views?|Villages?|Ville|Vista|Walks?|Wall|Ways?|Wells?|Woods?)"
)
APT = r"(?:,?\s*(?:Apt|Apartment|Unit|Suite|Ste|Rm|Room|Lot|Floor|#)\.?\s*#?[\p{L}\d-]{1,5})?"
rule(
    "ADDRESS",
    rf"(?i)(?<![\p{{L}}\d./-])\d{{1,5}}[A-Z]?[ ]+(?-i:(?:[NSEW]\.? |North |South |East |West )?"
    rf"(?:\p{{Lu}}[\p{{L}}'’-]+[ ]+){{1,3}}(?=\p{{Lu}})){SUFFIX}\b\.?{APT}",
    rf"(?<![\p{{L}}\d./-])\d{{2,5}}\s+(?:[A-Z][a-z]+ ){{0,2}}(?i:County Road|State Road|State Route|Rural Route"
    rf"|Route|Highway|Hwy|FM|US)\s?\d+{APT}",
    rf"(?<![\p{{L}}\d./-])\d{{1,5}}\s+\p{{Lu}}\p{{L}}+(?:\s+\p{{Lu}}\p{{L}}+){{0,3}},\s*(?i:Apt|Apartment|Unit"
    rf"|Suite|Ste)\.?\s*#?[\p{{L}}\d]+",
    rf"(?<![\p{{L}}\d./-])\d{{2,5}}[ ]+(?:[a-z'-]+[ ]){{1,2}}(?:avenue|street|road|lane|drive|boulevard|court"
    rf"|highway|parkway|terrace|st|ave|rd|blvd)\b{APT}",
    r"(?i)\b(?:P\.?\s?O\.?\s*|post office |postal )box\s*#?\s*\d+",
    r"(?i)\b(?:Apt|Apartment)\.?\s*#?\d+[A-Z]?\b",
    r"(?i)\b(?:RR|rural route|county road|state route|hwy|highway)\s*#?\d+(?:\s*box\s*\d+)?\b",
    r"(?i)\b(?:near|at|from|of|on|by)\s+(?:the (?:corner|intersection|junction) of\s+)?\K(?-i:(?:\d{1,3}(?:st|nd"
    r"|rd|th)|\p{Lu}[\p{L}'’]+(?: \p{Lu}[\p{L}'’]+)?)\s*(?:&|/|@)\s*(?:\d{1,3}(?:st|nd|rd|th)|\p{Lu}[\p{L}'’]+"
    r"(?: \p{Lu}[\p{L}'’]+)?))",
    r"(?i)\b(?:corner|intersection|junction) of\s+\K(?-i:(?:\d{1,3}(?:st|nd|rd|th)|\p{Lu}[\p{L}'’]+"
    r"(?: \p{Lu}[\p{L}'’]+)?)\s*(?:and|&)\s*(?:\d{1,3}(?:st|nd|rd|th)|\p{Lu}[\p{L}'’]+(?: \p{Lu}[\p{L}'’]+)?))",
    r"(?<![\p{L}\d])\d{1,3}(?:st|nd|rd|th)\s*(?:&|/)\s*(?:\p{Lu}[\p{L}'’]+|\d{1,3}(?:st|nd|rd|th))(?: (?:St"
    r"|Street|Ave|Avenue|Rd|Road))?",
)
rule(
    "ZIP",
    r"(?<![\p{L}\d])(?:CA|NE|NH|VT|A[LKZR]|C[OT]|DE|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDJMVY]|O[HKR]|PA|RI"
    r"|S[CD]|T[NX]|UT|V[A]|W[AIVY]),?\s+\K\d{5}(?:-\d{4})?(?!\d)",
    r"(?<![\p{L}\d])\d{5}-\d{4}(?!\d)",
    r"(?i)\bzip(?:\s*code)?\s*:?\s*\K\d{3,5}",
)
rule(
    "EMPLOYER",
    r"(?i)\b(?:works?|worked|working|employed|job|employer|retired|foreman|manager|clerk|nurse|driver|teacher"
    r"|shift)\s*(?::|for|at|by|with|from|is)\s+(?:the\s+)?\K(?-i:\p{Lu}[\p{L}'’&-]*(?:(?:,\s+|\s+(?:and|of|&|de"
    r"|for|the)\s+|\s+|-)\p{Lu}(?:[\p{L}'’&-]|\.(?!\s))*)*)",
    r"\p{Lu}[\p{L}'’-]+(?:(?:,\s+|\s+and\s+|\s+|-)\p{Lu}[\p{L}'’-]+)*\s+(?:LLC|Inc|Ltd|PLC|Corp|Group|and Sons"
    r"|& Sons|Co|Company|LLP|GmbH)\b\.?",
)

# ---- ages of 90 and more
OLD = r"(?:9\d|1[0-2]\d)"
OLD_WORD = (
    r"(?:ninety(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?|(?:one |a )?hundred(?:[ -](?:and )?"
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten))?)"
)
KIN_OLD = (
    r"(?:aunt|uncle|mother|father|mom|mum|dad|grand\w+|great\W?\w+|sister|brother|parent|wife|husband|spouse"
    r"|cousin|neighbou?r|friend|relative|nana|abuela|abuelo)"
)
rule(
    "AGE",
    rf"(?i)(?<![\p{{L}}\d.])(?:{OLD}|{OLD_WORD})(?=[\s-]*(?:years?|yrs?|y\.?\s?/?o\b|y/o|yo\b|yr\b))",
    rf"(?i)(?<![\p{{L}}\d.])\K{OLD}(?=[\s-]?(?:F|M|yF|yM)\b(?!\w|\d))(?<!\b(?:T|temp|temperature)\s\d+)",
    rf"(?i)\b(?:aged?|turned|turns|turning|is now|age of|age:)\s*:?\s*\K(?:{OLD}|{OLD_WORD})(?![\p{{L}}\d%/.]\d?)",
    rf"(?i)\bA\s?&\s?W (?:at|@)\s*\K{OLD}\b",
    rf"(?i)\b(?:died|dec(?:eased|'d)?|passed(?: away)?|alive|living|lived|well|healthy|lived to|until) (?:at|@|to"
    rf"|aged?|be|age)?\s*(?:age\s*)?\K{OLD}\b(?!\s*(?:%|mg|mm|/|bpm|F\b|C\b))",
    rf"(?i)\b{KIN_OLD}\b(?: \w+){{0,2}}[ ,(]+(?:at |is |was |now |age |aged |turned )?\K{OLD}(?!\d|\s*(?:%|/|mg"
    rf"|bpm)|\.\d)",
    r"(?i)\bin (?:his|her|their) (?:mid-?|late |early )?\K(?:90['’]?s|nineties|hundreds|100['’]?s)",
    r"(?i)\b(?:nonagenarian|centenarian)s?\b",
    r"(?i)\b(?:ninetieth|100th|9\dth|hundredth)(?= birthday)",
)

# ---- dates
SEASON = (
    r"(?:Christmas(?: Eve| Day)?|Thanksgiving(?: Day)?|New Year['’]?s?(?: Eve| Day)?|Easter(?: Sunday| Monday)?"
    r"|Halloween|Labor Day|Memorial Day|Independence Day|Fourth of July|Valentine['’]?s Day|Veterans Day"
    r"|Mother['’]?s Day|Father['’]?s Day|Groundhog Day|Cinco de Mayo|St\.? Patrick['’]?s Day|Ramadan|Eid|Diwali"
    r"|Hanukkah)"
)
rule(
    "DATE",
    rf"(?<!\d)\d{{4}}-\d{{1,2}}-\d{{1,2}}{TIME}(?!\d)",
    rf"(?<!\d){YEAR}[/.]\d{{1,2}}[/.]\d{{1,2}}(?!\d)",
    rf"(?<![\d/.-])\d{{1,2}}([/.-])\d{{1,2}}\1{YEAR}(?!\d){TIME}",
    r"(?<![\d/.-])(?:3[01]|[12]\d|0?[1-9])([/-])(?:3[01]|[12]\d|0?[1-9])\1\d\d(?![\d/-])",
    r"(?<![\d/.-])\d{1,2}\.\d{1,2}\.\d\d(?!\d|\.\d)",
    rf"(?<![\p{{L}}\d])(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:T?\d{{4,6}}Z?)?(?![\p{{L}}\d])",
    rf"(?<![\d/.-]){MM}[/-]{YEAR}(?!\d|[/-]\d)",
    rf"(?<![\d/.-]){YEAR}[-/](?:0[1-9]|1[0-2])(?![\d/-])",
    # 11-Jun-1956, 31MAR81, 4th of July 2023, 26-Feb
    rf"(?i)(?<![\p{{L}}\d])(?:{NTH}|{DAY})(?:\s*(?:of|de)\s+|[\s./-]*){MONTH}(?:(?:,?\s+|[-/.]"
    rf"|\s+de[l]?\s+)?{YEAR2}(?![\d:/]|\s*(?:mg|mcg|kg|%|mm|tab|cap|units|days|weeks|hours|years|y\b|g\b|ml)))?"
    rf"(?!\d)",
    # June 16, 1991; Apr 4th; Sept. 4; Jun '23
    rf"(?i)(?<![\p{{L}}\d]){MONTH}[\s./-]*(?:the\s+)?(?:{NTH}|{DAY})(?![\d%]|:\d|\.\d|\s*(?:mg|mcg|kg|mm|ml"
    rf"|tablets?)\b)(?:(?:,?\s+|[-/.]|,)(?:{YEAR}|['’]\d\d)(?!\d)|[-/.]\d\d(?![\d/]))?",
    rf"(?i)(?<![\p{{L}}\d])(?:the\s+)?{ORDINAL_WORD}\s+(?:day\s+)?(?:of\s+)?{MONTH}(?:(?:,?\s+(?:of\s+)?){YEAR}"
    rf"(?!\d))?",
    rf"(?i)(?<![\p{{L}}\d]){MONTH}\s+(?:the\s+)?{ORDINAL_WORD}(?:,?\s+{YEAR}(?!\d))?",
    rf"(?i)(?<![\p{{L}}\d])(?:(?:early|mid|late)[- ])?{MONTH}[\s,./-]*(?:of\s+)?(?:{YEAR}|['’]\d\d)(?!\d)",
    rf"(?i)\bmid-?{MONTH}",
    rf"(?i)\b(?:{WEEKDAY}),?\s+(?:the\s+)?(?:{NTH}|{ORDINAL_WORD})\b",
    # a month alone: only after a word that takes a date, and capitalised
    rf"(?:\b(?i:in|since|of|until|till|by|early|late|mid|last|next|this|from|through|before|after|during|around"
    rf"|about|for|to|between|and|every|on|start|end|beginning|middle|seen|onset|sx|dated?|due|:)|[(~:|-])[\s-]*\K"
    rf"(?:(?:January|February|March|April|May|June|July|August|September|October|November|December|Jan|Feb|Mar"
    rf"|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)(?!['’\p{{L}}\d])|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEPT?|OCT|NOV|DEC"
    rf"|JANUARY|FEBRUARY|MARCH|APRIL|JUNE|JULY|AUGUST|SEPTEMBER|OCTOBER|NOVEMBER|DECEMBER)(?![\p{{L}}\d]|\s+"
    rf"(?:Thurner|Hegglin))",
    r"(?<![\p{L}\d])(?:January|February|September|October|November|December)(?![\p{L}\d])",
    rf"(?i)\bthe \K{NTH}(?=\s*(?:[.,;)|\n]|$)|\s+(?:and|at|for|because|to|by|when|or|but|with|if|as|in)\b)",
    rf"(?i)\b(?:on|until|by|before|after|since) the \K(?:{NTH}|{ORDINAL_WORD})(?=\s*(?:[.,;)|\n]|$))",
    rf"(?i)\bthe (?:{NTH}|{ORDINAL_WORD}) of (?:this|last|next|the) month",
    rf"(?i)\b(?:ides|first|middle|end|beginning|start) of \K{MONTH}",
    rf"(?i)\b{SEASON}",
    rf"(?i)\b(?:spring|summer|fall|autumn|winter)(?: of)? {YEAR}",
    rf"(?<![\d/.-]){MM}/{DAY}\s?(?:-|to|–)\s?{MM}/{DAY}(?:/(?:\d\d|{YEAR}))?(?![\d/])",
    rf"(?i)\b(?:Q[1-4]|[1-4]Q)[ /-]*{YEAR2}\b",
)

SHORT_DATE = R(
    rf"(?<![\p{{L}}\d/.,-])({MM})[/-]({DAY})(?![\d/%]|\.\d|-\d|[\p{{L}}])|(?<![\d/.,])({MM})/({DAY})(?=T?\s|$|[.,;)])"
)
NOT_DATE_BEFORE = R(
    r"(?i)(?:pain|strength|power|score\w*|takes?|taking|bp|pressure|murmurs?|reflex\w*|grade|level|apgar|rated?"
    r"|visual|vision|acuity|gait|tone|pulses?|motor|scale|station|gives?|half|inhale|use|dose|"
    r"x|gcs|dtrs?|va|od|os|ou|pedal|edema|effort|sensation|ratio|i/?e|try|tablets?|fev1|readings?|below|above"
    r"|under|over|is|was|severity|rass|lvl|stage|lumbar|class)(?:\s+(?:was|is|of|about|at|only|now|a|rated|scored"
    r"|level|sounds|today))*[\s:=~]*$"
)
NOT_DATE_AFTER = R(
    r"(?i)[ \t]*(?:-|to)?[ \t]*(?:tablets?|tabs?|tbsp|tsp|caps?|strength|murmurs?|mm\s?hg|bilat\w*|both"
    r"|throughout|reflex\w*|power|systolic|diastolic|packs?|ppd|cups?|doses?|hours?|pain|in (?:both|all|the "
    r"(?:arms|legs|upper|lower|right|left))|symmetric\w*|intact|on (?:the )?(?:vas|nrs|scale|exertion|arrival"
    r"|exam)|pulses?|saline|ns\b|inch|lb|of (?:a|the) (?:tablet|pill|dose|time)|positive|points|correct|normal"
    r"|days|nights|bottles)"
)
