"""De-identify a hospital network's charts: tables, FHIR resources and free-text notes.

Overview
  * Policy  - what the card says (date rule, withheld columns, record number formats, as_of).
  * Person  - what the tables tell about one patient: every name, number, place, employer, relatives.
  * Scrubber - finds identifier spans in free text (known values in any spelling + general patterns),
               drops those that are clinical terms (eponyms, diagnoses, drugs), and replaces the rest.
  * clean_row / clean_resource - structured data.
"""

import csv
import datetime as dt
import hashlib
import hmac
import json
import re
import tomllib
import unicodedata
from collections import defaultdict

from dateutil import parser as dates
from rapidfuzz.distance import OSA

TABLES = ["patients", "contacts", "encounters", "conditions", "labs", "meds"]
RELEASED = ["Patient", "Encounter", "Condition", "Observation", "MedicationRequest"]

DIRECT = {
    "patients": {"mrn", "ssn", "health_plan_id", "given", "middle", "family", "street", "city", "county", "zip",
                 "phone", "email", "employer"},
    "contacts": {"given", "middle", "family", "name", "phone", "email", "street", "city", "county", "zip", "employer"},
}
# columns that are identifying in any table, should a new one show up
SUSPECT = re.compile(r"^(ssn|mrn|phone|mobile|fax|email|street|address|city|county|zip|postal.*|employer|maiden.*|"
                     r"prefix|suffix|nickname|birth_?place|license.*|passport.*|account.*|url|ip|photo)$", re.I)
FREE_TEXT = {"labs": {"comment"}, "meds": {"sig"}, "encounters": {"reason"}}
DATE_COLUMN = re.compile(r"(date|_at$|^start|^end|onset|_on$|time$)", re.I)


def deidentify(in_dir, out_dir, key):
    card = tomllib.loads((in_dir / "card.toml").read_text(encoding="utf-8"))
    out_dir.mkdir(parents=True, exist_ok=True)
    (out_dir / "fhir").mkdir(exist_ok=True)

    tables, headers = {}, {}
    for name in TABLES:
        headers[name], tables[name] = read_csv(in_dir / f"{name}.csv")
    notes = read_lines(in_dir / "notes.jsonl")
    patients_fhir = read_lines(in_dir / "fhir" / "Patient.ndjson")

    policy = Policy(card, key)
    world = World(tables, notes, patients_fhir, policy)

    for name in TABLES:
        write_csv(out_dir / f"{name}.csv", headers[name], [clean_row(name, row, world) for row in tables[name]])

    cleaned = []
    for note in notes:
        person = world.person(note.get("patient_id"))
        out = {}
        for field, value in note.items():
            if field == "patient_id":
                out[field] = policy.code("patient", value)
            elif field.endswith("_id"):
                out[field] = policy.code(field, value) if value else value
            elif field == "text":
                out[field] = world.scrub(value or "", person)
            elif isinstance(value, str) and (DATE_COLUMN.search(field) or ISO.fullmatch(value)):
                out[field] = policy.date(value, person.pid)
            elif isinstance(value, str):
                out[field] = world.scrub(value, person)
            else:
                out[field] = value
        cleaned.append(out)
    write_lines(out_dir / "notes.jsonl", cleaned)

    for kind in RELEASED:
        path = in_dir / "fhir" / f"{kind}.ndjson"
        resources = patients_fhir if kind == "Patient" else read_lines(path)
        write_lines(out_dir / "fhir" / f"{kind}.ndjson", [clean_resource(r, world) for r in resources])


# ---- policy ------------------------------------------------------------------------------------

ISO = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(Z|[+-]\d{2}:?\d{2})?)?")


def flatten(value, path=()):
    if isinstance(value, dict):
        for name, part in value.items():
            yield from flatten(part, path + (str(name),))
    else:
        yield path, value


class Policy:
    def __init__(self, card, key):
        self.key = bytes.fromhex(key) if re.fullmatch(r"(?:[0-9a-fA-F]{2})+", key) else key.encode()
        self.as_of = dt.date.today()
        self.rule, self.low, self.high = None, None, None
        self.weekday, self.direction = False, 0
        self.withheld, self.record_patterns = set(), []
        for path, value in flatten(card):
            where = ".".join(path).lower()
            last = path[-1].lower()
            if last.replace("-", "_") in ("as_of", "asof"):
                if isinstance(value, dt.datetime):
                    self.as_of = value.date()
                elif isinstance(value, dt.date):
                    self.as_of = value
                elif (parsed := parse_date(str(value))) is not None:
                    self.as_of = parsed.date()
            elif "withh" in where:
                self._withhold(path, value)
            elif ("record" in where or "mrn" in where) and not isinstance(value, (int, float, bool)):
                for item in value if isinstance(value, list) else [value]:
                    for _, text in flatten(item) if isinstance(item, dict) else [((), item)]:
                        if isinstance(text, str):
                            self._record_format(text)
            elif "date" in where or "shift" in where:
                if isinstance(value, bool):
                    if "week" in last:
                        self.weekday = value
                    elif "shift" in last and value:
                        self.rule = "shift"
                elif isinstance(value, int):
                    if "min" in last:
                        self.low = value
                    else:
                        self.high = value
                elif isinstance(value, list) and len(value) == 2 and all(isinstance(v, int) for v in value):
                    self.low, self.high = value
                elif isinstance(value, str):
                    text = value.lower()
                    if any(w in last for w in ("direction", "sign")):
                        self.direction = -1 if re.search("back|past|earl|neg|minus", text) else 1
                    elif self.rule is None or "rule" in last:
                        if "shift" in text or "offset" in text:
                            self.rule = "shift"
                        elif "year" in text:
                            self.rule = "year"
                        elif re.search("remove|blank|drop|none|withh", text):
                            self.rule = "remove"
        self.rule = self.rule or "year"

    def _withhold(self, path, value):
        table = next((p for p in path if p in TABLES), None)
        if value is True:
            self.withheld.add((table, path[-1]))
            return
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str):
                for name in re.split(r"[,\s]+", item):
                    if "." in name:
                        self.withheld.add(tuple(name.rsplit(".", 1)))
                    elif name:
                        self.withheld.add((table, name))

    def _record_format(self, text):
        text = text.strip()
        if not text or len(text) > 80:
            return
        if "\\d" in text or "[" in text:
            pattern = text.strip("^$")
        elif re.search(r"[#9NdDX?@]", text) and re.fullmatch(r"[A-Za-z0-9#?@\-./ ]+", text):
            pattern = ""
            for c in text:
                if c in "#9Nd0D":
                    pattern += r"\d"
                elif c in "X?@Ll":
                    pattern += "[A-Z]"
                elif c in "-./ ":
                    pattern += r"[-./ ]?"
                else:
                    pattern += re.escape(c)
        else:
            return
        if not re.search(r"\\d|\[0-9", pattern):
            return
        try:
            compiled = re.compile(rf"(?<![A-Za-z0-9])(?:{pattern})(?![A-Za-z0-9])", re.I)
        except re.error:
            return
        if not compiled.search("") and not compiled.search("7") and not compiled.search("120"):
            self.record_patterns.append(compiled)

    def withholds(self, table, column):
        return (None, column) in self.withheld or (table, column) in self.withheld

    def digest(self, *parts):
        return hmac.new(self.key, "\x1f".join(parts).encode(), hashlib.sha256).digest()

    def code(self, kind, value):
        """A keyed code of letters only, so that it can never look like a number of the patient."""
        letters = "".join("bcdfghjkmnpqrstv"[b >> 4] + "bcdfghjkmnpqrstv"[b & 15] for b in self.digest("id", kind, value or "")[:10])
        return letters

    def offset(self, pid):
        number = int.from_bytes(self.digest("shift", pid or "")[:8], "big")
        high = self.high if self.high is not None else 365
        low = self.low if self.low is not None else 1
        if low > high:
            low, high = high, low
        step = 7 if self.weekday else 1
        if low < 0:
            choices = [d for d in range(low, high + 1) if d and d % step == 0]
        else:
            sizes = [d for d in range(max(low, 1), high + 1) if d % step == 0]
            choices = [s * d for d in sizes for s in ((self.direction,) if self.direction else (-1, 1))]
        if not choices:
            choices = [-1]
        return dt.timedelta(days=choices[number % len(choices)])

    def date(self, text, pid):
        """A whole cell that is a date."""
        text = (text or "").strip()
        if not text or self.rule == "remove":
            return ""
        match = ISO.fullmatch(text)
        if self.rule == "year":
            if match or re.fullmatch(r"\d{4}", text):
                return text[:4]
            parsed = parse_date(text)
            return str(parsed.year) if parsed else ""
        if re.fullmatch(r"\d{4}", text):
            return text
        if match and match[3]:
            try:
                moved = dt.date(int(match[1]), int(match[2]), int(match[3])) + self.offset(pid)
            except (ValueError, OverflowError):
                return ""
            return moved.isoformat() + text[10:]
        if match:
            return match[1]
        parsed = parse_date(text)
        if not parsed:
            return ""
        moved = parsed + self.offset(pid)
        return moved.date().isoformat() if len(text) <= 12 else moved.isoformat()

    def birth(self, text):
        parsed = parse_date(text or "")
        if not parsed:
            year = re.search(r"(1[89]|20)\d\d", text or "")
            return year[0] if year else ""
        return "90+" if self.age(parsed.date()) >= 90 else str(parsed.year)

    def age(self, born):
        return self.as_of.year - born.year - ((self.as_of.month, self.as_of.day) < (born.month, born.day))


# ---- what the tables know ----------------------------------------------------------------------


def fold(text):
    """The same text without diacritics and typographic quotes, of the same length."""
    if text.isascii():
        return text
    out = []
    for c in text:
        if c in "’‘`´ʼ":
            out.append("'")
        elif c in "‐‑‒–—−":
            out.append("-")
        elif c in "\u00a0\u2009\u202f\u2007":
            out.append(" ")
        elif c in "“”":
            out.append('"')
        else:
            base = unicodedata.normalize("NFD", c)[0]
            out.append({"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i"}.get(base, base))
    return "".join(out)


PARTICLES = set("de la del las los van von der den da dos das di du le al el bin ibn st san y e and of the jr sr ii iii iv".split())

NICKNAMES_TEXT = """
abigail abby gail;alexander alex al xander sasha;alexandra alex sandra lexi sasha;alfred al fred;amanda mandy;andrea andi andy;
andrew andy drew;angela angie;anna annie ann;anne annie;anthony tony;antonio tony;arthur art artie;barbara barb babs;
benjamin ben benny benji;bernard bernie;bradley brad;calvin cal;cameron cam;carolyn carol carrie;catherine cathy cate kate katie cat;
charles charlie chuck chas;charlotte lottie charlie;christina chris tina chrissy christy;christine chris tina chrissy christy;
christopher chris topher kit;cynthia cindy;daniel dan danny;danielle dani;david dave davey;deborah deb debbie;debra deb debbie;
dennis denny;dominic dom nick;donald don donnie;dorothy dot dottie;douglas doug;edward ed eddie ted ned;edwin ed eddie;
eleanor ellie nell nora;elizabeth liz beth betty eliza lizzie libby betsy;ellen ellie nell;emily em emmy;eugene gene;
frances fran frannie;francisco paco frank pancho;francis frank fran;franklin frank;frederick fred freddie;gabriel gabe;
gabriela gabby;gerald gerry jerry;geraldine gerry;gilbert gil;gregory greg;guadalupe lupe;harold harry hal;henry hank harry;
herbert herb;isabel izzy bella;isabella izzy bella;jacob jake;jacqueline jackie;james jim jimmy jamie;janet jan;jason jay;
jeffrey jeff;jennifer jen jenny;jeremy jerry;jessica jess jessie;jesus chuy;john jack johnny jon;jonathan jon johnny;
jose pepe joe;joseph joe joey;josephine jo josie;joshua josh;judith judy;julia julie;katherine kathy kate katie kat kay;
kathleen kathy kate katie;kathryn kathy kate katie;kenneth ken kenny;kimberly kim;kristen kris;lawrence larry;leonard leo len lenny;
leslie les;lillian lily lil;linda lindy;louis lou;louise lou;lucille lucy;madeline maddie;manuel manny;margaret maggie meg peggy marge greta;
maria mari;marjorie marge;martha marty;martin marty;mary molly polly;matthew matt;maximilian max;melissa missy mel lissa;
michael mike mikey mick;michelle shelly;mildred millie;mitchell mitch;mohammed mo;nancy nan;natalie nat;nathan nate nat;
nathaniel nate nat;nicholas nick nicky;nicole nikki;olivia liv livvy;pamela pam;patricia pat patty tricia trish;patrick pat paddy;
peter pete;philip phil;phillip phil;priscilla cilla;rachel rach;randall randy;raymond ray;rebecca becky becca;reginald reg reggie;
ricardo rick ricky;richard rick dick rich ricky;robert bob bobby rob robbie bert;roberta bobbie;rodney rod;roger rog;ronald ron ronnie;
rosemary rose rosie;russell russ;samantha sam;samuel sam sammy;sandra sandy;sabrina bri;sarah sally;sharon shari;sidney sid;
stanley stan;stefanie steph stef;stephanie steph;stephen steve stevie;steven steve stevie;susan sue susie suzy;suzanne sue suzie;
sylvia syl;tamara tammy;terrance terry;terrence terry;theodore ted teddy theo;theresa terry tess;teresa terry tess tere;thomas tom tommy;
timothy tim timmy;tiffany tiff;valerie val;vanessa nessa;victor vic;victoria vicky tori;vincent vince vinny;virginia ginny;
walter walt wally;wendell wendy;wesley wes;william will bill billy liam willie;zachary zach zack
"""
NICKNAMES = defaultdict(set)
for _entry in NICKNAMES_TEXT.replace("\n", "").split(";"):
    _full, *_short = _entry.split()
    NICKNAMES[_full].update(_short)

COMMON = set("""will may grace hope rose young white black brown green gray grey long short price rush banks brooks hall wood
woods stone rich bill mark sue pat art joy faith dawn june april august summer autumn christian frank grant chance drew guy jean
miles page wells hill field fields parks park case cross day days love best small little strong hand foot head heart blood back
low high king bishop cook baker carpenter mason hunter fisher porter walker porter good gross early sharp chase bush mills
waters rivers lake lane ray jay max gene don ken rob nick buck bud jack dick kit sandy holly ivy iris lily violet daisy olive
ginger robin jade ruby pearl crystal amber melody harmony angel major sterling rusty cliff glen dale heath norm gay merry carol
penny victor dean earl duke prince noble person man power powers self singer smart speed swift weaver wise winter winters
weeks month christmas noel france english german french roman law lamb fox wolf bird crane swan finch drake hawk bear pope
abbott church temple house home barn street west east north south northern england london paris houston austin madison
jordan israel chin skin bone leg knee cancer pain tab tablet dose daily patient history social family mother father son
daughter allen key lock savage stout moody blunt bright close cox cope cure curry cutter dial downs english fast flowers
flood forest ford free french frost fry gold golden hart hood hook hurt knight land last lee light lock marsh meadows
means medina moon more moss nail neal new old pace paige pain parish peace peak pike pitts pool post potts pratt quick rains
reason reed rice ridge rock rose rowe rush sage sands sells shepherd shields silver simple skinner sparks spears staple steel
steady stark story sugar tate teller temple true turner vance vein walls ward ware warren watts wild witt wright york""".split())

CLINICAL_NOUN = (r"(?:disease|syndrome|sign|score|scale|test|lymphoma|criteria|criterion|classification|maneuver|manoeuvre|"
                 r"palsy|tumou?r|sarcoma|disorder|phenomenon|esophagus|oesophagus|catheter|reflex|stage|staging|"
                 r"contracture|fracture|thyroiditis|anemia|anaemia|dementia|chorea|ataxia|nodes?|cyst|procedure|operation|"
                 r"repair|incision|index|formula|equation|position|point|triad|law|stain|bodies|body|cell|cells|"
                 r"spots?|lesions?|ulcer|hernia|diverticulum|ring|gland|duct|tube|bag|pump|drain|tap|line|"
                 r"insulin|arthritis|arteritis|granulomatosis|purpura|edema|breathing|respirations?|murmur|"
                 r"mobility|assessment|rating|questionnaire|inventory|protocol|method|technique|virus|infection|"
                 r"deformity|joints?|toe|gait|angina|pneumonia|nephropathy|neuropathy|encephalopathy|aphasia|area)")
EPONYM = re.compile(rf"\b[A-Z][A-Za-z'-]+(?:[- ](?:and )?[A-Z][A-Za-z'-]+)*(?:'s)?[ -](?:[a-z]+ )?{CLINICAL_NOUN}\b")
EPONYM_NAMES = set("""parkinson alzheimer hodgkin crohn addison cushing graves hashimoto raynaud sjogren wilson bell huntington
paget barrett meniere tourette marfan down turner klinefelter lewy kaposi burkitt wegener behcet reiter still baker colles
dupuytren foley homans murphy mcburney rovsing kernig brudzinski babinski romberg wells apgar glasgow braden child pugh gleason
killip duke jones ranson bishop mallampati heimlich trendelenburg valsalva korsakoff wernicke guillain barre ewing
whipple nissen lachman phalen tinel hawkins neer spurling finkelstein morse katz lawton berg norton charcot""".split())
EPONYM_ALONE = re.compile(r"\b(?:non-)?(?:" + "|".join(sorted(EPONYM_NAMES)) + r")(?:'s)?(?=\s+" + CLINICAL_NOUN + r")", re.I)

MONTH = (r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
         r"nov(?:ember)?|dec(?:ember)?)")
FULL_MONTH = r"(?:January|February|March|April|June|July|August|September|October|November|December)"
ORD_WORD = (r"(?:(?:twenty|thirty)[- ]?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)|first|second|third|"
            r"fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|"
            r"seventeenth|eighteenth|nineteenth|twentieth|thirtieth)")
DAY = r"(?:0?[1-9]|[12]\d|3[01])"
MON = r"(?:0?[1-9]|1[0-2])"
YEAR = r"(?:(?:18|19|20)\d\d|'\d\d)"
TIME = r"(?:[T ,]*(?:at )?\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s?[ap]\.?m\.?)?(?:\s?(?:Z|[+-]\d{2}:?\d{2}))?)?"

DATE_PATTERNS = [re.compile(p, f) for p, f in [
    (rf"(?<!\d)(?:18|19|20)\d\d[-/.]{MON}[-/.]{DAY}(?!\d){TIME}", 0),
    (rf"(?<![\d/.-])\d{{1,2}}\s?[/.-]\s?\d{{1,2}}\s?[/.-]\s?(?:(?:18|19|20)\d\d|\d\d)(?![\d/]|\.\d){TIME}", 0),
    (rf"(?<!\d)(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)", 0),
    (rf"(?<![\d/])(?:0?[1-9]|1[0-2])/(?:19|20)\d\d(?!\d)", 0),
    (rf"(?<!\d)(?:19|20)\d\d-(?:0[1-9]|1[0-2])(?![\d-])", 0),
    # 31MAR81, 31-Mar-1981, 5th of March, 2023
    (rf"(?<![A-Za-z0-9])(?:the )?{DAY}(?:st|nd|rd|th)?(?:\s+day)?[\s.,-]*(?:of\s+)?{MONTH}\b\.?(?:[\s,.'-]*(?:of\s+)?(?:(?:18|19|20)\d\d|'?\d\d(?![\d:%.]|\s*(?:mg|ml|mc|unit|tab|day|week|year)))(?!\d))?{TIME}", re.I),
    (rf"(?<![A-Za-z0-9]){DAY}{MONTH}(?:\d{{4}}|\d\d)(?!\d)", re.I),
    # March 5th, 2023 / Mar. 5 / March 5-7
    (rf"\b{MONTH}\b\.?[\s-]*(?:the\s+)?{DAY}(?:st|nd|rd|th)?(?![\d%]|\.\d|\s*(?:mg|mcg|ml|tablets?|capsules?)\b)(?:\s?(?:-|to|and|through)\s?{DAY}(?:st|nd|rd|th)?(?!\d))?(?:[\s,-]+{YEAR}(?!\d))?{TIME}", re.I),
    (rf"\b{MONTH}\b\.?[\s,/-]*(?:of\s+)?{YEAR}(?!\d)", re.I),
    (rf"\b(?:the\s+)?{ORD_WORD}\s+(?:day\s+)?(?:of\s+)?{MONTH}\b(?:[\s,]+{YEAR})?", re.I),
    (rf"\b{MONTH}\s+(?:the\s+)?{ORD_WORD}\b(?:[\s,]+{YEAR})?", re.I),
    (rf"\b{FULL_MONTH}\b", 0),
    (r"(?:(?<=\bin )|(?<=\bIn )|(?<=\bsince )|(?<=\bSince )|(?<=\buntil )|(?<=\blast )|(?<=\bthis )|(?<=\bnext )|(?<=\bof )|(?<=\bearly )|"
     r"(?<=\blate )|(?<=\bmid-)|(?<=\bby )|(?<=\bduring )|(?<=\bfrom ))(?:May|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?", 0),
    (r"\b(?:on|of|by|since|until|before|after)\s+the\s+(?:\d{1,2}(?:st|nd|rd|th))\b(?!\s+(?:percentile|rib|toe|finger|digit|metatarsal|metacarpal|dose|cycle|day|week|visit|time|floor))", re.I),
    (r"\b(?:Christmas(?: Eve| Day)?|Thanksgiving(?: Day)?|New Year's(?: Eve| Day)?|Halloween|Labor Day|Memorial Day|Independence Day|"
     r"Fourth of July|Valentine's Day|Mother's Day|Father's Day|Easter(?: Sunday)?|Veterans Day|St\.? Patrick's Day)\b", 0),
]]
BARE_MD = re.compile(rf"(?<![\d/.])({MON})[/]({DAY})(?![\d/%]|\.\d)(?:\s?-\s?{MON}/{DAY}(?![\d/]))?")
MD_BEFORE = re.compile(r"(?:\b(?:on|of|from|since|until|till|by|dated?|for|through|thru|starting|started|seen|visit|before|after|"
                       r"labs?|drawn|collected|results?|to|and|next|appointment|appt|follow-?up|f/u|begun|began|around|about|"
                       r"last|admitted|discharged|between|session|ED|clinic|as of|the|due|back)|[(\[:,])\s*$", re.I)
MD_NOT_BEFORE = re.compile(r"strength|pain|power|scale|score|murmur|grade|\bBP\b|pressure|motor|rated|reflex|pulse|vision|acuity|"
                           r"severity|intensity|systolic|orientation|oriented|recall|ratio|\bout of\b|dyspnea|fatigue|mood", re.I)
MD_NOT_AFTER = re.compile(r"\s*(?:strength|pain|systolic|murmur|mm ?Hg|tab|tablet|pill|dose|cup|bilat|in (?:all|upper|lower|both)|"
                          r"throughout|power|severity|SEM|of (?:a|the))", re.I)

DIGIT_WORD = r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple)"
SUFFIX = (r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Circle|Cir|Place|Pl|Terrace|Ter|Way|Trail|Trl|"
          r"Parkway|Pkwy|Highway|Hwy|Square|Sq|Loop|Alley|Aly|Pike|Plaza|Crossing|Row|Run|Path|Point|Ridge|Hollow|Heights|Hill|Hills|"
          r"Stravenue|Pines|Union|Park|Walk|View|Views|Village|Ville|Mews|Meadow|Meadows|Manor|Lodge|Landing|Lake|Lakes|Knoll|Knolls|"
          r"Key|Keys|Junction|Isle|Island|Islands|Inlet|Harbor|Haven|Grove|Groves|Green|Glen|Gateway|Gardens|Garden|Fork|Forks|Forge|"
          r"Ford|Forest|Flat|Flats|Field|Fields|Ferry|Falls|Fall|Extension|Extensions|Expressway|Estate|Estates|Dam|Dale|Curve|Cove|"
          r"Coves|Course|Corner|Corners|Common|Club|Cliff|Cliffs|Cape|Canyon|Camp|Bypass|Burg|Brook|Brooks|Bridge|Branch|Bottom|Bluff|"
          r"Bend|Beach|Bayou|Arcade|Annex|Freeway|Mill|Mills|Mission|Motorway|Mount|Mountain|Neck|Orchard|Oval|Overpass|Parks|Parkways|"
          r"Pass|Passage|Pine|Plain|Plains|Port|Ports|Prairie|Radial|Ramp|Ranch|Rapid|Rapids|Rest|River|Route|Rue|Shoal|Shoals|Shore|"
          r"Shores|Skyway|Spring|Springs|Spur|Spurs|Station|Stream|Summit|Throughway|Trace|Track|Trafficway|Tunnel|Turnpike|Underpass|"
          r"Valley|Valleys|Via|Viaduct|Vista|Well|Wells|Crescent|Crest|Creek|Centers?|Causeway)")
UNIT = r"(?:[\s,]*(?:Apartment|Apt|Suite|Ste|Unit|Room|Rm|Lot|Floor|Fl|#)\.?\s*#?\s*[A-Z0-9-]+)?"

CAP = r"[A-Z][A-Za-z'\-]+"
CAPSEQ = rf"{CAP}(?:[ ]+(?:[A-Z]\.[ ]*)?(?:(?:de|la|del|van|von|der|den)[ ]+)*{CAP}){{0,3}}"
RELATION = (r"(?:wife|husband|spouse|partner|fianc[e]{1,2}|girlfriend|boyfriend|son|daughter|mother|father|mom|dad|mum|parent|"
            r"brother|sister|sibling|twin|aunt|uncle|niece|nephew|cousin|grandson|granddaughter|grandmother|grandfather|"
            r"grandchild|stepson|stepdaughter|stepmother|stepfather|son-in-law|daughter-in-law|mother-in-law|father-in-law|"
            r"sister-in-law|brother-in-law|neighbou?r|friend|roommate|caregiver|guardian|landlord|boss|supervisor|coworker|"
            r"co-worker|proxy|next of kin|emergency contact|contact person|POA)")

PATTERNS = [(re.compile(p, f), label) for p, f, label in [
    (r"[A-Za-z0-9._%+'-]+\s?@\s?[A-Za-z0-9-]+(?:\s?\.\s?[A-Za-z0-9-]+)+", 0, "EMAIL"),
    (r"\b[A-Za-z0-9._%+-]+\s*[\[({<]?\s*\bat\b\s*[\])}>]?\s*[A-Za-z0-9-]+\s*[\[({<]?\s*\bdot\b\s*[\])}>]?\s*(?:com|org|net|edu|gov|us|info)\b", re.I, "EMAIL"),
    (r"\b[A-Za-z0-9._%+-]+\s*[\[({]at[\])}]\s*[A-Za-z0-9.-]+\.[a-z]{2,}", re.I, "EMAIL"),
    (r"\bhttps?://\S+|\bwww\.\S+|\b(?:facebook|linkedin|instagram|twitter|x|tiktok)\.com/\S+", re.I, "URL"),
    (r"(?<![A-Za-z0-9])@[A-Za-z][A-Za-z0-9_.]{2,}", 0, "URL"),
    (r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])", 0, "IP"),
    (r"\b(?:[0-9A-F]{2}[:-]){5}[0-9A-F]{2}\b", re.I, "ID"),
    (r"(?<![\d-])\d{3}[-. ]\d{2}[-. ]\d{4}(?![\d-])", 0, "SSN"),
    (r"(?<![A-Za-z0-9])[x*#•]{3}[-. ]?[x*#•]{2}[-. ]?\d{4}(?!\d)", re.I, "SSN"),
    (r"(?<=SSN)[\s:#]*(?:no\.?|number|is|ending(?: in)?|ends(?: in)?|last (?:4|four)(?: digits)?|\(last (?:4|four)\)|[\s:#,-])*\d[\d -]{2,12}\d", re.I, "SSN"),
    (r"(?<=social security)[\s:#]*(?:no\.?|number|is|ending(?: in)?|ends(?: in)?|last (?:4|four)(?: digits)?|[\s:#,-])*\d[\d -]{2,12}\d", re.I, "SSN"),
    (r"\blast (?:4|four)(?: digits)?(?: of (?:the |her |his )?(?:SSN|social(?: security)?(?: number)?))?[\s:,is]*\d{4}\b", re.I, "SSN"),
    (r"(?<![\d.])\d{9}(?![\d.])", 0, "SSN"),
    # phones, with country code, extension, any separators
    (r"(?<![\dA-Za-z.-])(?:\+?1[\s./-]*)?\(?\s?[2-9]\d{2}\s?\)?[\s./-]*\d{3}[\s./-]{1,3}\d{4}(?!\d)(?:[\s,;]*(?:x|ext\.?|extension|#)\s*\.?\s*\d{1,6})?", re.I, "PHONE"),
    (r"(?<![\d.])(?:\+?1)?[2-9]\d{9}(?![\d.])(?:[\s,;]*(?:x|ext\.?|extension)\s*\d{1,6})?", re.I, "PHONE"),
    (r"(?<![\d.-])\d{3}[-.]\d{4}(?![\d-])(?:[\s,;]*(?:x|ext\.?|extension)\s*\.?\s*\d{1,6})?", re.I, "PHONE"),
    (r"(?<![\d.-])555\s?\d{4}(?![\d-])(?:[\s,;]*(?:x|ext\.?|extension)\s*\.?\s*\d{1,6})?", re.I, "PHONE"),
    (r"\+\d{1,3}(?:[\s.-]?\(?\d{2,4}\)?){2,5}", 0, "PHONE"),
    (rf"\b{DIGIT_WORD}(?:[\s,.-]+{DIGIT_WORD}){{4,}}\b", re.I, "PHONE"),
    # record, plan and account numbers by their label
    (r"(?<![A-Za-z])(?:MRN|M\.R\.N\.|MR#|med(?:ical)? rec(?:ord)?|record|chart|hospital|account|acct|member|policy|subscriber|plan|insurance|"
     r"beneficiary|license|licence|passport|plate|serial|device|certificate|claim|case|registration|patient|VIN|SN|S/N)"
     r"(?:\s+(?:no|nr|num|number|id|ID|identifier|plate)\b\.?|\s*#|\s*:)+[\s:#=]*(?:is\s+)?([A-Z0-9](?:[A-Z0-9]|[-./ ](?=[A-Z0-9]*\d)){2,24}[A-Z0-9])(?![a-z])", 0, "ID"),
    (r"(?<![A-Za-z])(?:MRN|MR#|S/N)[\s:#=]*((?:[A-Z]{1,3}[-. ]?)?\d[A-Z0-9-]{3,20})", re.I, "ID"),
    (r"(?<![A-Za-z0-9])[A-Z]{3}[- ]?\d{7}(?!\d)", 0, "ID"),
    (r"(?<![A-Za-z0-9])[A-Z][-\s]?\d{2}[-\s]\d{4}[-\s]?[A-Z](?![A-Za-z0-9])", re.I, "ID"),
    (r"(?<![A-Za-z0-9])(?:N-)?[A-Z]-\d{6}(?:-[A-Z]\d+)*(?![A-Za-z0-9])", 0, "ID"),
    # addresses
    (rf"\b\d{{1,6}}[A-Z]?\s+(?:[NSEW]\.?\s+|North |South |East |West )?(?:{CAP}\s+|\d{{1,3}}(?:st|nd|rd|th)\s+){{1,3}}{SUFFIX}\b\.?{UNIT}", 0, "ADDRESS"),
    (r"\bP\.?\s?O\.?\s?Box\s+\d+", re.I, "ADDRESS"),
    (r"\b(?:Apartment|Apt)\.?\s*#?\s*\d+[A-Z]?\b", 0, "ADDRESS"),
    (rf"\b(?:{CAP}\s){{1,3}}(?:County|Parish|Township)\b", 0, "PLACE"),
    (rf"\b(?:{CAP}\s){{0,2}}{CAP},\s*[A-Z]{{2}}\s+\d{{5}}(?:-\d{{4}})?\b", 0, "PLACE"),
    (r"(?<=\b[A-Z]{2} )\d{5}(?:-\d{4})?\b", 0, "ZIP"),
    (r"(?<=\b[zZ][iI][pP])[\s:]*(?:[cC]ode)?[\s:]*(?:is )?\d{5}(?:-\d{4})?\b", 0, "ZIP"),
    (r"(?<!\d)\d{5}-\d{4}(?!\d)", 0, "ZIP"),
    # ages of 90 and over
    (r"(?<![\d.])(?:9\d|1[01]\d)(?=[\s-]*(?:years?|yrs?|y\.?\s?/?o\.?|yo)\b(?!\s*(?:pack|ago)))", re.I, "AGE"),
    (r"(?<=\bage )(?:9\d|1[01]\d)\b|(?<=\bAge )(?:9\d|1[01]\d)\b|(?<=\b[aA]ged )(?:9\d|1[01]\d)\b|(?<=\b[aA]ge: )(?:9\d|1[01]\d)\b|(?<=\bage of )(?:9\d|1[01]\d)\b", 0, "AGE"),
    (r"(?<=\bturned )(?:9\d|1[01]\d)\b|(?<=\bturning )(?:9\d|1[01]\d)\b|(?<=\bturns )(?:9\d|1[01]\d)\b", 0, "AGE"),
    (r"(?<![\d.])(?:9\d|1[01]\d)(?=\s?[MF]\b)", 0, "AGE"),
    (r"\b(?:9\d|1[01]\d)(?:st|nd|rd|th)(?= birthday)", re.I, "AGE"),
    (r"\b(?:ninety(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?|(?:one|a) hundred(?:(?: and)?[- ](?:one|two|three|four|five|six|seven|eight|nine|ten))?)(?=[\s-]*(?:years?|yrs?)\b)", re.I, "AGE"),
    (r"(?<=\baged )ninety(?:[- ]\w+)?|(?<=\bage )ninety(?:[- ]\w+)?", re.I, "AGE"),
    (r"\b(?:early |mid(?:dle)?[- ]|late )?(?:nineties|'?90s)\b", re.I, "AGE"),
    (r"\b(?:nonagenarian|centenarian)\b", re.I, "AGE"),
    # descriptions that fit only one person
    (r"\b(?:the |our |a )?(?:current |former |retired |ex-|sitting |longtime |first female |first |only )*(?:mayor|governor|lieutenant governor|senator|congress(?:man|woman)|"
     r"sheriff|fire chief|police chief|chief of police|superintendent|poet laureate|district attorney|bishop|archbishop|chief justice|"
     r"president|principal|head coach|founder|owner|headmaster|headmistress|editor|anchor(?:man|woman)?|conductor|postmaster|pastor|librarian)\s+(?:of|for|at|in)\s+[^.,;\n]+", re.I, "DESCRIPTION"),
    (r"\b(?:the )?only\s+(?:[\w-]+\s+){1,6}(?:in|of|from) (?:the )?(?:town|city|county|state|village|valley|region|country|island|area)\b(?: of [A-Z]\w+(?: [A-Z]\w+)*)?", re.I, "DESCRIPTION"),
    (r"\b(?:the )?first (?:woman|man|person|female|male|[A-Z]\w+) to (?:be |have )?[^.,;\n]+", 0, "DESCRIPTION"),
    (r"\b(?:won|winner of|winning) the (?:\d{4} )?[^.,;\n]*(?:lottery|championship|medal|prize|election|marathon|pageant|title|jackpot|award)[^.,;\n]*", re.I, "DESCRIPTION"),
    (r"\b(?:well[- ]known|famous|known (?:throughout|across|all over|around|locally)[^.,;\n]*?) (?:as|for|from) [^.,;\n]+", re.I, "DESCRIPTION"),
]]

NAME_CUES = [re.compile(p) for p in [
    rf"\b(?:Mr|Mrs|Ms|Miss|Mx|Sra?|Srta|MR|MRS|MS)\.?[ ]+({CAPSEQ})",
    rf"\b(?i:{RELATION})(?:[ ]+(?:is|named|called|name is)|,|:|[ ]\(|[ ]-)?[ ]+\(?({CAPSEQ})",
    rf"\b({CAPSEQ})[ ]?(?:,[ ]|\()(?:(?:his|her|their|the|patient's)[ ]+)?(?i:{RELATION})\b",
    rf"\b(?:[Nn]ee|[Bb]orn|[Mm]aiden name|[Ff]ormerly(?: known as)?|[Aa]lso known as|a\.?k\.?a\.?|AKA|[Gg]oes by|[Kk]nown as|[Nn]icknamed|"
    rf"(?:[Pp]refers|[Ll]ikes) (?:to be (?:called|addressed as)|being called)|[Cc]alls (?:him|her)self|[Cc]alled)[ :]+[\"'(]?({CAPSEQ})",
    rf"(?m)^[ \t]*(?:Name|Patient|Patient name|Pt|Pt name|RE|Re|Contact|Emergency contact|Next of kin|NOK|Guardian|Accompanied by|Informant)[ ]*[:\-][ ]*({CAP},?(?:[ ]+[A-Z][A-Za-z'.\-]*){{0,3}})",
]]
EMPLOYER_CUE = re.compile(
    rf"\b(?:works?|worked|working|employed|employee|job|position|retired|laid off)(?:[ ](?:as an?|full[- ]time|part[- ]time|[a-z]+)){{0,5}}?[ ](?:at|for|by|from|with|of)[ ](?:the[ ])?({CAP}(?:[ ]+(?:and[ ]|&[ ]|of[ ])?{CAP}){{0,4}})")
LIVES_CUE = re.compile(rf"\b(?:lives?|living|resides?|residing|moved|native|resident|grew up|born|raised|from)[ ](?:alone[ ])?(?:in|at|near|to|from|of)[ ]({CAP}(?:[ ]{CAP}){{0,2}})")
VERBS = re.compile(r"(?:'s|,)?\s+(?:reports?|denies|presents?|is|was|has|had|states?|lives?|says?|takes?|came|notes?|feels?|tells?|and|who|will|"
                   r"returns?|describes?|continues?|understands?|agrees?|asks?|called|complains?|works?|drinks?|smokes?)\b")
RACE_AFTER = re.compile(r"\s+(?:woman|man|male|female|blood|cells?|count|patient|race|or|non|matter|stool)", re.I)
WORD = re.compile(r"[A-Za-z][A-Za-z'\-]*[A-Za-z]|[A-Za-z]")


def loose_digits(value):
    """A pattern for these letters and digits with any separators in between."""
    chars = [c for c in fold(value) if c.isalnum()]
    return r"[\s./()_-]{0,3}".join(re.escape(c) for c in chars)


class Person:
    def __init__(self, pid):
        self.pid = pid
        self.given, self.family, self.names = set(), set(), set()
        self.phrases = []          # (pattern, label), matched without case
        self.initials = set()
        self.old_year = None
        self.matchers = None
        self.tokens = set()


class World:
    def __init__(self, tables, notes, patients_fhir, policy):
        self.policy = policy
        self.people, self.full_names, self.by_number = {}, set(), {}
        cities, employers, shapes = set(), set(), set()
        for row in tables["patients"]:
            person = self.person(row["patient_id"])
            self._add_names(person, row.get("given"), row.get("middle"), row.get("family"))
            g, m, f = (fold(row.get(c) or "").strip() for c in ("given", "middle", "family"))
            if g and f:
                person.initials.add((g[0], f[0]))
                if m:
                    person.initials.add((g[0], m[0], f[0]))
            for column, label in (("mrn", "ID"), ("ssn", "SSN"), ("health_plan_id", "ID"), ("patient_id", "ID")):
                if value := (row.get(column) or "").strip():
                    self.by_number[value] = person.pid
                    person.phrases.append((rf"(?<![A-Za-z0-9]){loose_digits(value)}(?![A-Za-z0-9])", label))
                    if column == "mrn":
                        shapes.add(re.sub(r"[A-Z]", "A", re.sub(r"\d", "9", fold(value).upper())))
            self._add_phone(person, row.get("phone"))
            self._add_email(person, row.get("email"))
            self._add_place(person, row)
            if city := fold(row.get("city") or "").strip():
                cities.add(city)
            if employer := fold(row.get("employer") or "").strip():
                employers.add(employer)
                self._add_employer(person, employer)
            born = parse_date(row.get("birth_date") or "")
            if born and policy.age(born.date()) >= 90:
                person.old_year = str(born.year)
        for row in tables["contacts"]:
            person = self.person(row["patient_id"])
            self._add_names(person, row.get("given"), row.get("middle"), row.get("family"))
            self._add_phone(person, row.get("phone"))
            self._add_email(person, row.get("email"))

        # FHIR ids to patient_ids
        self.fhir_ids = {}
        for resource in patients_fhir:
            pid = resource.get("id")
            if pid not in self.people:
                for identifier in resource.get("identifier") or []:
                    if identifier.get("value") in self.by_number:
                        self.fhir_ids[pid] = self.by_number[identifier["value"]]
                        break
            self._add_fhir_patient(self.person(self.fhir_ids.get(pid, pid)), resource)

        self._vocabulary(tables, notes)
        self.shape_patterns = []
        for shape in shapes:
            pattern = "".join({"9": r"\d", "A": "[A-Z]"}.get(c, r"[-./ ]" if not c.isalnum() else re.escape(c)) for c in shape)
            if shape.count("9") >= 6:
                self.shape_patterns.append(re.compile(rf"(?<![A-Za-z0-9.]){pattern}(?![A-Za-z0-9]|\.\d)", re.I))
        self.places = self._alternation([c for c in cities if c.lower() not in self.common])
        self.employers = self._alternation(employers)

    @staticmethod
    def _alternation(values):
        if not values:
            return None
        body = "|".join(re.escape(v).replace(r"\ ", r"[\s]+") for v in sorted(values, key=len, reverse=True))
        return re.compile(rf"(?<![A-Za-z])(?:{body})(?![A-Za-z])")

    def person(self, pid):
        pid = pid or ""
        if pid not in self.people:
            self.people[pid] = Person(pid)
        return self.people[pid]

    def _add_names(self, person, given, middle, family):
        given, middle, family = (fold(x or "").strip() for x in (given, middle, family))
        for source, target in ((given, person.given), (middle, person.given), (family, person.family)):
            if not source:
                continue
            person.names.add(source)
            target.add(source.lower())
            for part in re.split(r"[\s\-]+", source):
                part = part.strip(".,'")
                if len(part) >= 2 and part.lower() not in PARTICLES:
                    person.names.add(part)
                    target.add(part.lower())
        for nick in NICKNAMES.get(given.lower(), ()):
            person.names.add(nick.capitalize())
            person.given.add(nick)
        if given and family:
            person.names.add(given + family)
            person.names.add(family + given)
            self.full_names.add((given.lower(), family.lower()))

    def _add_phone(self, person, phone):
        digits = re.sub(r"\D", "", re.split(r"(?i)x|ext", phone or "")[0])
        if len(digits) < 7:
            return
        digits = digits[-10:]
        person.phrases.append((rf"(?<!\d)(?:\+?1[\s.-]*)?\(?{loose_digits(digits)}(?!\d)(?:[\s,;]*(?:x|ext\.?|extension)\s*\d{{1,6}})?", "PHONE"))
        person.phrases.append((rf"(?<!\d){loose_digits(digits[-7:])}(?!\d)", "PHONE"))

    def _add_email(self, person, email):
        if email and "@" in email:
            user = email.split("@")[0]
            if len(user) >= 5:
                person.phrases.append((rf"(?<![A-Za-z0-9]){re.escape(user)}(?![A-Za-z0-9])", "EMAIL"))

    def _add_place(self, person, row):
        street = fold(row.get("street") or "").strip()
        if street:
            main = re.split(r",|\b(?:Apt|Suite|Unit|Ste)\b", street)[0].strip()
            words = main.split()
            person.phrases.append((re.escape(street).replace(r"\ ", r"[\s,]+"), "ADDRESS"))
            if words and re.match(r"\d", words[0]) and len(words) >= 2:
                stem = words[1:-1] or words[1:]
                name = r"\s+".join(map(re.escape, stem))
                person.phrases.append((rf"(?<!\d){re.escape(words[0])}\s+{name}(?:\s+{re.escape(words[-1])}|\s+{SUFFIX}\b\.?)?{UNIT}", "ADDRESS"))
                if len(words) >= 3:
                    person.phrases.append((rf"(?<![A-Za-z]){name}\s+(?:{re.escape(words[-1])}|(?:St|Ave|Rd|Blvd|Ln|Dr|Ct|Cir|Pl|Ter|Trl|Pkwy|Hwy|Sq)\b\.?)(?![A-Za-z])", "ADDRESS"))
            elif words:
                person.phrases.append((re.escape(main).replace(r"\ ", r"\s+"), "ADDRESS"))
        for column in ("city", "county"):
            if value := fold(row.get(column) or "").strip():
                person.phrases.append((rf"(?<![A-Za-z]){re.escape(value)}(?![A-Za-z])".replace(r"\ ", r"\s+"), "PLACE"))
                short = re.sub(r"\s+(?:County|Parish)$", "", value)
                if short != value:
                    person.phrases.append((rf"(?<![A-Za-z])(?-i:{re.escape(short)})(?:\s+(?:county|co\.))?(?![A-Za-z])".replace(r"\ ", r"\s+"), "PLACE"))
        if zip_code := (row.get("zip") or "").strip():
            person.phrases.append((rf"(?<![\d.]){re.escape(zip_code[:5])}(?:-?\d{{4}})?(?!\d)", "ZIP"))

    def _add_employer(self, person, employer):
        person.phrases.append((rf"(?<![A-Za-z]){re.escape(employer)}(?![A-Za-z])".replace(r"\ ", r"\s+"), "EMPLOYER"))
        short = re.sub(r"[\s,]+(?:Inc|LLC|Ltd|PLC|Corp|Co|Group|Company|and Sons|& Sons)\.?$", "", employer)
        for part in {short, " ".join(short.split()[:-1]) if len(short.split()) >= 3 else short}:
            if len(part) >= 4:
                person.phrases.append((rf"(?<![A-Za-z])(?-i:{re.escape(part)})(?![A-Za-z])".replace(r"\ ", r"\s+"), "EMPLOYER"))
        words = re.split(r"\s*(?:,\s*(?:and\s+)?|-|\band\b|&)\s*", short)
        if len(words) > 1:
            body = r"[\s,&-]+(?:and\s+)?".join(re.escape(w).replace(r"\ ", r"\s+") for w in words if w)
            person.phrases.append((rf"(?<![A-Za-z]){body}(?![A-Za-z])", "EMPLOYER"))

    def _add_fhir_patient(self, person, resource):
        """FHIR may hold names or numbers that the tables do not: former names, second phones."""
        for holder in [resource] + list(resource.get("contact") or []):
            names = holder.get("name") or []
            for name in names if isinstance(names, list) else [names]:
                if isinstance(name, dict):
                    given = name.get("given") or []
                    self._add_names(person, given[0] if given else "", " ".join(given[1:]), name.get("family"))
            for telecom in holder.get("telecom") or []:
                value = telecom.get("value") or ""
                self._add_email(person, value) if "@" in value else self._add_phone(person, value)
        for address in resource.get("address") or []:
            for line in address.get("line") or []:
                self._add_place(person, {"street": line})
            self._add_place(person, {"city": address.get("city"), "county": address.get("district"), "zip": address.get("postalCode")})

    def _vocabulary(self, tables, notes):
        """Words that many notes use, and clinical terms, are not names."""
        lower, capital = defaultdict(set), defaultdict(set)
        for note in notes:
            pid = note.get("patient_id") or ""
            for word in set(WORD.findall(fold(note.get("text") or ""))):
                (lower if word.islower() else capital)[word.lower()].add(pid)
        terms = defaultdict(set)
        self.clinical_words = set()
        for table, column in (("conditions", "display"), ("meds", "name"), ("labs", "name")):
            for row in tables[table]:
                if value := fold(row.get(column) or ""):
                    terms[value].add(row["patient_id"])
        for term in terms:
            self.clinical_words.update(w.lower() for w in WORD.findall(term))
        self.common = {w for w, pids in lower.items() if len(pids) >= 4} | COMMON
        self.frequent = {w for w, pids in lower.items() if len(pids) >= 2} | self.clinical_words
        self.frequent |= {w for w, pids in capital.items() if len(pids) >= max(5, len(self.people) // 50)}
        self.lower_words = set(lower) | self.clinical_words
        phrases = set()
        for term in terms:
            for piece in {term, term.split(",")[0], term.split("(")[0].strip()}:
                if len(piece) >= 6:
                    phrases.add(piece.lower())
        # index by first word, for quick search
        self.term_index = defaultdict(list)
        for phrase in phrases:
            first = WORD.search(phrase)
            if first:
                self.term_index[first[0]].append((first.start(), phrase))

    # ---- finding spans ----

    def _matchers(self, person):
        if person.matchers is None:
            names = sorted(person.names, key=len, reverse=True)
            bodies = []
            for name in names:
                pieces = re.split(r"[\s\-]+", name)
                bodies.append(r"[\s\-]*".join(re.escape(p).replace("'", "'?") for p in pieces))
            for name in names:
                if len(name) >= 5 and name.isalpha():
                    bodies.append(r"[ .\-]".join(name))          # P O T T E R
            name_re = re.compile(rf"(?<![A-Za-z])(?:{'|'.join(bodies)})(?![A-Za-rt-z]|s[A-Za-z])s?", re.I) if bodies else None
            known = [(re.compile(p, re.I), label) for p, label in person.phrases]
            if person.old_year:
                known.append((re.compile(rf"(?<!\d){person.old_year}(?!\d)"), "DATE"))
            families = [re.escape(n) for n in names if n.lower() in person.family]
            if families:
                known.append((re.compile(rf"(?<![A-Za-z])(?:[A-Z]\.?\s?){{1,2}}(?=(?:{'|'.join(families)})(?![a-z]))"), "NAME"))
                known.append((re.compile(rf"(?:(?<=[\s(])|^)(?-i:{'|'.join(families)}),\s?[A-Z]\b\.?"), "NAME"))
            for initials in person.initials:
                known.append((re.compile(r"(?<![A-Za-z.])" + r"\.\s?".join(initials) + r"\.(?![A-Za-z])"), "NAME"))
                known.append((re.compile(r"(?<=\b[Pp]t )" + "".join(initials) + r"\b|(?<=\b[Pp]atient )" + "".join(initials) +
                                         r"\b|(?<=\b[Ii]nitials )" + "".join(initials) + r"\b|(?<=\b[Ii]nitials: )" + "".join(initials) + r"\b"), "NAME"))
            person.tokens = [n.lower() for n in names if len(n) >= 5 and n.isalpha() and n.lower() not in self.common]
            person.matchers = (name_re, known)
        return person.matchers

    def _protected(self, text, lowered):
        spans = [m.span() for m in EPONYM_ALONE.finditer(text)]
        for word in WORD.finditer(lowered):
            for offset, phrase in self.term_index.get(word[0], ()):
                start = word.start() - offset
                if start >= 0 and lowered.startswith(phrase, start):
                    spans.append((start, start + len(phrase)))
        for match in EPONYM.finditer(text):
            first = WORD.match(match[0])
            base = first[0].lower().removesuffix("'s") if first else ""
            if base in EPONYM_NAMES or re.search(rf"{CLINICAL_NOUN}$", match[0]) and not re.search(r"'s\s", match[0]):
                spans.append(match.span())
        return spans

    def _name_spans(self, text, person):
        name_re, _ = self._matchers(person)
        if name_re is None:
            return []
        raw = [m for m in name_re.finditer(text)]
        spans, ends, starts = [], {m.end() for m in raw}, {m.start() for m in raw}
        for m in raw:
            word = m[0]
            low = word.lower()
            base = low[:-1] if low.endswith("s") and low not in person.given | person.family else low
            common = base in self.common or low in self.common or base in self.clinical_words
            adjacent = any(m.end() + k in starts for k in (1, 2)) or any(m.start() - k in ends for k in (1, 2))
            initial = re.match(r"\s[A-Z]\.?\s", text[m.end():m.end() + 4])
            title = re.search(r"\b(?:Mr|Mrs|Ms|Miss|Mx|Sra?)\.?\s+$", text[max(0, m.start() - 6):m.start()], re.I)
            if not common and len(base) >= 3:
                spans.append((m.start(), m.end(), "NAME"))
                continue
            if word[0].islower():
                continue
            if adjacent or title or initial:
                spans.append((m.start(), m.end(), "NAME"))
                continue
            if RACE_AFTER.match(text, m.end()):
                continue
            before = text[:m.start()].rstrip(" \t")
            at_start = not before or before[-1] in ".!?\n:"
            if not at_start or VERBS.match(text, m.end()) and base not in {"will", "may"}:
                spans.append((m.start(), m.end(), "NAME"))
        return spans

    def _looks_like_name(self, phrase):
        words = WORD.findall(phrase)
        return bool(words) and words[0].lower() not in self.lower_words and words[0].lower() not in COMMON

    def scrub(self, original, person, in_table=False):
        if not original:
            return original
        original = unicodedata.normalize("NFC", original)
        text = fold(original)
        lowered = text.lower()
        if len(lowered) != len(text):
            lowered = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
        _, known = self._matchers(person)

        names = self._name_spans(text, person)
        spans = []
        for pattern, label in known:
            target = names if label in ("NAME", "PLACE", "EMPLOYER") else spans
            target.extend((m.start(), m.end(), label) for m in pattern.finditer(text))
        for cue in NAME_CUES:
            for m in cue.finditer(text):
                if self._looks_like_name(m[1]):
                    names.append((m.start(1), m.end(1), "NAME"))
        for cue, label in ((EMPLOYER_CUE, "EMPLOYER"), (LIVES_CUE, "PLACE")):
            for m in cue.finditer(text):
                if self._looks_like_name(m[1]):
                    names.append((m.start(1), m.end(1), label))
        if self.places:
            names.extend((m.start(), m.end(), "PLACE") for m in self.places.finditer(text))
        if self.employers:
            names.extend((m.start(), m.end(), "EMPLOYER") for m in self.employers.finditer(text))
        # full names of anyone in the network, and misspelt names of this patient
        words = list(WORD.finditer(text))
        for a, b in zip(words, words[1:]):
            if text[a.end():b.start()] in (" ", ", ", ",", "  "):
                x, y = a[0].lower(), b[0].lower()
                if (x, y) in self.full_names or (y, x) in self.full_names and "," in text[a.end():b.start()]:
                    if a[0][0].isupper() or b[0][0].isupper():
                        names.append((a.start(), b.end(), "NAME"))
        for w in words:
            token = w[0].lower().removesuffix("'s")
            if len(token) >= 5 and w[0][0].isupper() and token not in self.frequent:
                for name in person.tokens:
                    limit = 2 if len(name) >= 9 else 1
                    if abs(len(name) - len(token)) <= limit and OSA.distance(name, token, score_cutoff=limit) <= limit:
                        names.append((w.start(), w.end(), "NAME"))
                        break

        for pattern, label in PATTERNS:
            for m in pattern.finditer(text):
                if pattern.groups and m[1]:
                    if any(c.isdigit() for c in m[1]):
                        spans.append((m.start(1), m.end(1), label))
                else:
                    spans.append((m.start(), m.end(), label))
        for pattern in self.policy.record_patterns + self.shape_patterns:
            spans.extend((m.start(), m.end(), "ID") for m in pattern.finditer(text))
        for pattern in DATE_PATTERNS:
            for m in pattern.finditer(text):
                if re.match(r"(?:may|mar)\b", m[0]) and not re.search(r"\d{4}|(?:st|nd|rd|th)\b", m[0]):
                    continue                                    # "may 2 times"
                spans.append((m.start(), m.end(), "DATE"))
        for m in BARE_MD.finditer(text):
            before = text[max(0, m.start() - 30):m.start()].rsplit("\n", 1)[-1]
            if MD_BEFORE.search(before) and not MD_NOT_BEFORE.search(before) and not MD_NOT_AFTER.match(text, m.end()):
                spans.append((m.start(), m.end(), "DATE"))

        if names:
            protected = self._protected(text, lowered)
            spans.extend(s for s in names if not any(s[0] < e and b < s[1] for b, e in protected))
        if not spans:
            return original
        return self._replace(original, spans, person, in_table)

    def _replace(self, text, spans, person, in_table):
        spans = sorted({s for s in spans if s[1] > s[0]}, key=lambda s: (s[0], -s[1]))
        merged = []
        for start, end, label in spans:
            if merged and start < merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], end)
            else:
                merged.append([start, end, label])
        out, at = [], 0
        for start, end, label in merged:
            piece = text[start:end]
            lead = len(piece) - len(piece.lstrip())
            tail = len(piece) - len(piece.rstrip())
            out.append(text[at:start + lead])
            out.append(self._date_in_text(piece.strip(), person) if in_table and label == "DATE" else f"[{label}]")
            at = end - tail
        out.append(text[at:])
        return re.sub(r"\[NAME\](?:[ ,]+\[NAME\])+", "[NAME]", "".join(out))

    def _date_in_text(self, piece, person):
        """Dates in the free text of tables and FHIR follow the card."""
        if not re.search(r"\d{4}|\d[/.-]\d+[/.-]\d", piece):
            return "[DATE]"
        if self.policy.rule == "shift" and re.search(r"\d{4}-\d\d-\d\d|\d+/\d+/\d+", piece):
            parsed = parse_date(piece)
            return (parsed + self.policy.offset(person.pid)).date().isoformat() if parsed else "[DATE]"
        if self.policy.rule == "year":
            parsed = parse_date(piece)
            if parsed and str(parsed.year) != person.old_year:
                return str(parsed.year)
        return "[DATE]"


# ---- tables ------------------------------------------------------------------------------------


def clean_row(table, row, world):
    """One row of a table, as a dict of texts."""
    policy = world.policy
    person = world.person(row.get("patient_id"))
    out = {}
    for column, value in row.items():
        value = value or ""
        if column == "patient_id":
            out[column] = policy.code("patient", value)
        elif column in DIRECT.get(table, ()) or SUSPECT.match(column) or policy.withholds(table, column):
            out[column] = ""
        elif column == "birth_date":
            out[column] = policy.birth(value)
        elif column.endswith("_id"):
            out[column] = policy.code(column, value) if value else ""
        elif column in FREE_TEXT.get(table, ()):
            out[column] = world.scrub(value, person, in_table=True)
        elif value and (ISO.fullmatch(value) or DATE_COLUMN.search(column) and re.search(r"\d", value)):
            out[column] = policy.date(value, person.pid)
        else:
            out[column] = value
    return out


# ---- FHIR --------------------------------------------------------------------------------------

REFERENCE = re.compile(r"(?:^|.*/)([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]+)(?:/_history/.*)?$")
PATIENT_KEEP = {"resourceType", "id", "meta", "active", "gender", "birthDate", "deceasedBoolean", "deceasedDateTime", "maritalStatus",
                "multipleBirthBoolean", "multipleBirthInteger", "communication", "managingOrganization", "generalPractitioner", "extension"}
EXTENSION_KEEP = re.compile(r"race|ethnicity|birthsex|gender|us-core-sex", re.I)
DROP_KEYS = {"identifier", "text_narrative", "telecom", "address", "contact", "photo", "attachment", "valueAttachment", "valueAddress",
             "valueHumanName", "valueContactPoint", "valueIdentifier", "groupIdentifier", "accession", "requisition", "fullUrl"}
AS_IS = {"resourceType", "system", "code", "unit", "url", "status", "use", "version", "profile", "comparator", "intent", "div", "gender"}
NOT_RELEASED = {"RelatedPerson", "DocumentReference", "Binary", "Media", "Person", "Account", "Coverage"}
WITHHELD_IN_FHIR = {
    "language": {"communication", "language"}, "sex": {"gender"}, "race": set(), "ethnicity": set(), "state": {"address"},
    "reason": {"reasonCode"}, "class": {"class"}, "sig": {"dosageInstruction"}, "comment": {"note"}, "interpretation": {"interpretation"},
    "site": {"managingOrganization", "serviceProvider"}, "provider_family": {"participant"}, "provider_given": {"participant"},
    "clinical_status": {"clinicalStatus"}, "onset_date": {"onsetDateTime"},
}


def clean_resource(resource, world):
    """One FHIR resource, as parsed JSON."""
    policy = world.policy
    kind = resource.get("resourceType")
    if kind == "Patient":
        pid = world.fhir_ids.get(resource.get("id"), resource.get("id"))
    else:
        reference = (resource.get("subject") or resource.get("patient") or {}).get("reference") or ""
        match = REFERENCE.match(reference)
        raw = match[2] if match else reference.rsplit(":", 1)[-1]
        pid = world.fhir_ids.get(raw, raw)
    person = world.person(pid)
    withheld = set()
    for table, column in policy.withheld:
        withheld |= WITHHELD_IN_FHIR.get(column, set())

    if kind == "Patient":
        out = {}
        for name, value in resource.items():
            if name not in PATIENT_KEEP or name in withheld:
                continue
            if name == "birthDate":
                year = policy.birth(value)
                if year and year != "90+":
                    out[name] = year
            elif name == "extension":
                kept = [clean_value(e, name, world, person, withheld) for e in value if keep_extension(e, policy)]
                if kept:
                    out[name] = kept
            elif name == "id":
                out[name] = policy.code("patient", pid)
            else:
                cleaned = clean_value(value, name, world, person, withheld)
                if cleaned not in (None, "", [], {}):
                    out[name] = cleaned
        states = [a["state"] for a in resource.get("address") or [] if a.get("state")]
        if states and not policy.withholds("patients", "state"):
            out["address"] = [{"state": states[0]}]
        return out

    out = {}
    for name, value in resource.items():
        if name in withheld or name == "text" or name.startswith("_"):
            continue
        if name == "id":
            out[name] = policy.code(kind, value)
        elif name == "extension":
            kept = [clean_value(e, name, world, person, withheld) for e in value if isinstance(e, dict)]
            if kept:
                out[name] = kept
        else:
            cleaned = clean_value(value, name, world, person, withheld)
            if cleaned not in (None, "", [], {}):
                out[name] = cleaned
    return out


def keep_extension(extension, policy):
    url = (extension.get("url") or "").lower()
    if not EXTENSION_KEEP.search(url):
        return False
    for column in ("race", "ethnicity"):
        if column in url and policy.withholds("patients", column):
            return False
    return not (policy.withholds("patients", "sex") and re.search("sex|gender", url))


def clean_value(value, name, world, person, withheld):
    policy = world.policy
    if isinstance(value, dict):
        if "reference" in value and isinstance(value["reference"], str):
            return clean_reference(value, world, person)
        if value.get("resourceType") in NOT_RELEASED | {"Patient"}:
            return None                                             # contained
        if name == "onsetAge" and isinstance(value.get("value"), (int, float)) and value["value"] >= 90:
            return None
        out = {}
        coding = "system" in value and "code" in value
        for key, part in value.items():
            if key in DROP_KEYS or key.startswith("_"):
                continue
            if coding and key == "display":
                out[key] = part
                continue
            cleaned = clean_value(part, key, world, person, withheld)
            if cleaned not in (None, "", [], {}):
                out[key] = cleaned
        return out
    if isinstance(value, list):
        return [c for c in (clean_value(part, name, world, person, withheld) for part in value) if c not in (None, "", [], {})]
    if isinstance(value, str):
        if name in AS_IS:
            return value
        if ISO.fullmatch(value):
            return policy.date(value, person.pid)
        if name == "id":
            return policy.code("element", value)
        return world.scrub(value, person, in_table=True)
    return value


def clean_reference(value, world, person):
    policy = world.policy
    reference = value["reference"]
    match = REFERENCE.match(reference)
    if not match:
        if reference.startswith("#"):
            return None
        return {"reference": "Patient/" + policy.code("patient", person.pid)} if person.pid and person.pid in reference else None
    kind, raw = match[1], match[2]
    if kind in NOT_RELEASED:
        return None
    if kind == "Patient":
        return {"reference": "Patient/" + policy.code("patient", world.fhir_ids.get(raw, raw))}
    if kind in ("Practitioner", "PractitionerRole", "Organization", "Location"):
        return {k: v for k, v in value.items() if k in ("reference", "type", "display")}
    return {"reference": f"{kind}/{policy.code(kind, raw)}"}


# ---- plumbing ----------------------------------------------------------------------------------


def parse_date(text):
    """A datetime for a date in most usual forms, or None."""
    try:
        return dates.parse(text)
    except (ValueError, OverflowError, TypeError):
        return None


def read_csv(path):
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
        return list(reader.fieldnames or []), rows


def write_csv(path, header, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=header, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def read_lines(path):
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


def write_lines(path, items):
    path.write_text("".join(json.dumps(i, ensure_ascii=False) + "\n" for i in items), encoding="utf-8")
