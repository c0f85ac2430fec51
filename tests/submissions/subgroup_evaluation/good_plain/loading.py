"""Read the card and the three files; say of each patient which level of each axis they belong to."""

import csv
import math
import re
import tomllib
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime

import numpy as np

MISSING = "missing"


@dataclass
class Data:
    card: dict
    encounter: list
    patient: np.ndarray  # (n,) text
    owner: np.ndarray  # (n,) whole number of the patient
    site: np.ndarray
    day: np.ndarray  # (n,) ordinal of index_date
    version: np.ndarray
    score: np.ndarray
    y: np.ndarray
    followup: np.ndarray
    need: np.ndarray  # NaN where blank
    cost: np.ndarray
    keep: np.ndarray  # bool: counts by the card's censor_rule
    level: dict = field(default_factory=dict)  # axis -> (n,) text

    def part(self, mask):
        pick = {k: getattr(self, k)[mask] for k in
                ("patient", "site", "day", "version", "score", "y", "followup", "need", "cost", "keep", "owner")}
        _, pick["owner"] = np.unique(pick["patient"], return_inverse=True)
        names = [e for e, m in zip(self.encounter, mask, strict=True) if m]
        return Data(self.card, names, level={a: v[mask] for a, v in self.level.items()}, **pick)


# ---- words ---------------------------------------------------------------------------------------


def plain(text):
    """Lower case, no accents, no punctuation."""
    text = unicodedata.normalize("NFKD", text or "")
    text = "".join(c for c in text if not unicodedata.combining(c)).lower()
    return " ".join(re.sub(r"[^a-z0-9]+", " ", text).split())


NOTHING_EXACT = {"", "unk", "u", "un", "na", "n a", "nan", "null", "none", "ni", "asku", "nask", "nav", "msk", "oth", "x", "xx",
                 "9", "99", "999", "blank", "missing", "tbd", "nr", "dk", "no", "und", "zz"}
NOTHING_PART = re.compile(
    r"\b(unknown|declin\w*|refus\w*|not (reported|recorded|specified|stated|asked|given|available|provided|collected|documented|disclosed|known|applicable|obtained|answered|listed)"
    r"|prefer\w* not|unreported|unspecified|unavailable|undisclosed|unable|no (answer|response|information|data|entry)|did not|does not know|don t know"
    r"|patient (does|did|is)|choose not|chose not|not to (say|answer|disclose)|missing|pending|undetermined|withheld|not entered)\b")

RACE_CODES = {"2106 3": "White", "2054 5": "Black", "2135 2": "Hispanic", "2028 9": "Asian", "1002 5": "AIAN", "2076 8": "NHPI",
              "2131 1": "Other", "w": "White", "wh": "White", "c": "White", "cau": "White", "nhw": "White", "b": "Black", "bl": "Black",
              "blk": "Black", "aa": "Black", "nhb": "Black", "h": "Hispanic", "hi": "Hispanic", "his": "Hispanic", "hisp": "Hispanic",
              "l": "Hispanic", "a": "Asian", "as": "Asian", "asn": "Asian", "i": "AIAN", "n": "AIAN", "ai": "AIAN", "ai an": "AIAN",
              "aian": "AIAN", "na": "AIAN", "p": "NHPI", "pi": "NHPI", "nh": "NHPI", "nhpi": "NHPI", "nh pi": "NHPI",
              "nhopi": "NHPI", "m": "Multiple", "mu": "Multiple", "mr": "Multiple", "multi": "Multiple", "2": "Multiple"}
RACE_CODES["2"] = None
# In this order: the first that fits counts.
RACE_WORDS = [
    ("Multiple", r"two or more|more than one|2 or more|multi\w*|mixed|biracial|bi racial|several races|more than 1|2 races"),
    ("NHPI", r"hawaii\w*|pacific|islander|samoa\w*|guam\w*|chamorro|tonga\w*|fiji\w*|nhpi|nhopi|micronesia\w*|polynesia\w*"),
    ("AIAN", r"american indian|alaska\w*|native american|indigenous|aian|amer\w* ind\w*|am ind\w*|first nation\w*"),
    ("Hispanic", r"(?<!non )(?<!not )(hispanic|latin\w*|hisp|spanish origin|mexican|chicano|puerto rican|cuban)"),
    ("Black", r"black|african|afro\w*|haitian|afr am\w*|blk|negro"),
    ("White", r"white|caucasian|caucas\w*|european|wht|anglo"),
    ("Asian", r"asian|chinese|vietnamese|filipino|korean|japanese|indian|south asian"),
]


def is_nothing(text):
    return text in NOTHING_EXACT or bool(NOTHING_PART.search(text))


def race_of(value, levels):
    text = plain(value)
    by_name = {plain(x): x for x in levels if x != MISSING}
    if text in by_name:
        return by_name[text]
    found = RACE_CODES.get(text)
    if found is None:
        for code in re.findall(r"\b\d{4} \d\b", text):
            found = RACE_CODES.get(code)
    if found is None and text not in NOTHING_EXACT and not NOTHING_PART.search(text):
        found = next((name for name, words in RACE_WORDS if re.search(rf"\b({words})\b", text)), None)
    if found is None and not is_nothing(text):
        found = "Other"
    if found is None:
        return None
    if found not in levels:
        return "Other" if "Other" in levels else None
    return found


LANGUAGE_CODES = {"en": "English", "eng": "English", "e": "English", "es": "Spanish", "spa": "Spanish", "sp": "Spanish", "span": "Spanish",
                  "esp": "Spanish", "espanol": "Spanish", "castellano": "Spanish", "castilian": "Spanish", "s": "Spanish",
                  "ingles": "English", "vi": "Vietnamese", "vie": "Vietnamese", "zh": "Chinese", "zho": "Chinese", "chi": "Chinese",
                  "cmn": "Mandarin", "yue": "Cantonese", "ar": "Arabic", "ara": "Arabic", "tl": "Tagalog", "tgl": "Tagalog",
                  "ru": "Russian", "rus": "Russian", "ko": "Korean", "kor": "Korean", "fr": "French", "fra": "French", "fre": "French",
                  "pt": "Portuguese", "por": "Portuguese", "ht": "Haitian Creole", "hat": "Haitian Creole", "de": "German",
                  "ger": "German", "deu": "German", "pl": "Polish", "pol": "Polish", "ja": "Japanese", "jpn": "Japanese",
                  "hi": "Hindi", "hin": "Hindi", "so": "Somali", "som": "Somali", "fa": "Persian", "fas": "Persian", "hmn": "Hmong",
                  "tieng viet": "Vietnamese", "kreyol": "Haitian Creole"}


def language_of(value, levels):
    text = plain(value)
    by_name = {plain(x): x for x in levels}
    if text in by_name:
        return by_name[text]
    name = LANGUAGE_CODES.get(text) or LANGUAGE_CODES.get(text.split(" ")[0] if re.fullmatch(r"[a-z]{2} [a-z]{2}", text) else "")
    if name is None:
        name = next((x for x in ("English", "Spanish") if re.search(rf"\b({x.lower()}|{ {'English': 'eng', 'Spanish': 'espanol'}[x]})\b", text)), None)
    if name is None:
        name = next((by_name[w] for w in text.split() if w in by_name), None)
    if name in levels:
        return name
    if is_nothing(text) and value not in ("No",):
        # Letters of another script leave nothing behind but are a name.
        return "Other" if any(c.isalpha() for c in value or "") and not text else None
    return "Other" if "Other" in levels else None


PAYER_WORDS = [
    ("Self-pay", r"self ?pay|selfpay|self|uninsured|no insurance|no coverage|cash|charity|out of pocket|none|sp|private pay|uncompensated|slf|indigent|not insured"),
    ("Medicaid", r"medicaid|mcd|mdcd|caid|chip|medi cal|medical|mcaid|masshealth|state plan|title xix|xix|managed medicaid|md"),
    ("Medicare", r"medicare|mcr|mdcr|care|mcare|part a|part b|medicare advantage|ma|title xviii|xviii|a b|cms|mc"),
    ("Commercial", r"commercial|ppo|hmo|epo|pos|hdhp|employer\w*|private|blue ?cross|blue ?shield|bcbs|aetna|cigna|united\w*|uhc|humana|kaiser"
                   r"|group plan|group|comm|com|exchange|marketplace|plan|insurance|insured|anthem|tricare"),
]


def payer_of(value, levels):
    text = plain(value)
    by_name = {plain(x): x for x in levels}
    if text in by_name:
        return by_name[text]
    found = next((name for name, words in PAYER_WORDS if re.search(rf"\b({words})\b", text)), None)
    if found is None:
        squeezed = text.replace(" ", "")
        found = next((name for name in ("Medicaid", "Medicare", "Commercial", "Self-pay") if plain(name).replace(" ", "") in squeezed), None)
    if found in levels:
        return found
    if is_nothing(text) and found is None:
        return None
    return "Other" if "Other" in levels else None


def sex_of(value, levels):
    text = plain(value)
    by_name = {plain(x): x for x in levels}
    if text in by_name:
        return by_name[text]
    first = text.split(" ")[0] if text else ""
    if first in {"f", "fem", "female", "woman", "w", "girl", "femenino", "mujer", "2", "248152002", "fe", "femal"}:
        name = "female"
    elif first in {"m", "male", "man", "boy", "mal", "masculino", "hombre", "1", "248153007", "ma"}:
        name = "male"
    else:
        return "Other" if not is_nothing(text) and "Other" in levels else None
    return name if name in levels else None


MAPPERS = {"race": race_of, "language": language_of, "payer": payer_of, "sex": sex_of}

# ---- dates ---------------------------------------------------------------------------------------

WORD_FORMATS = ("%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d %Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%B %d %Y", "%d.%b.%Y", "%d%b%Y", "%d/%b/%Y")


def parse_date(text, day_first=False, latest=2025):
    """A date or None. day_first: 03/04/1950 is in April.  latest: where two digits of a year end."""
    text = (text or "").strip()
    text = re.sub(r"[T ]\d{1,2}:\d{2}.*$", "", text)
    try:
        if m := re.fullmatch(r"(\d{4})[-/. ](\d{1,2})[-/. ](\d{1,2})", text):
            return date(*map(int, m.groups()))
        if m := re.fullmatch(r"(\d{4})(\d{2})(\d{2})", text):
            return date(*map(int, m.groups()))
        if m := re.fullmatch(r"(\d{1,2})([-/. ])(\d{1,2})\2(\d{4}|\d{2})", text):
            a, b, year = int(m[1]), int(m[3]), int(m[4])
            year += 0 if year > 99 else (2000 if year <= latest % 100 else 1900)
            day, month = (a, b) if day_first else (b, a)
            if month > 12 >= day:
                day, month = month, day
            return date(year, month, day)
    except ValueError:
        return None
    for form in WORD_FORMATS:
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None


def day_first_sources(records):
    """The sources (with separators) whose dates 12/31/1950 are day first: their first part goes beyond 12."""
    first, second = defaultdict(int), defaultdict(int)
    for r in records:
        if m := re.match(r"\s*(\d{1,2})([-/. ])(\d{1,2})\2", r["value"]):
            key = (r["source"], m[2])
            first[key] = max(first[key], int(m[1]))
            second[key] = max(second[key], int(m[3]))
    return {key for key in first if first[key] > 12 >= second[key]}


def age_level(years, levels):
    for name in levels:
        numbers = [int(x) for x in re.findall(r"\d+", name)]
        if len(numbers) == 2 and numbers[0] <= years <= numbers[1]:
            return name
        if len(numbers) == 1:
            low = name.strip()[0] in "<≤u" or plain(name).startswith(("under", "up to", "below"))
            if low and (years < numbers[0] or ("≤" in name and years == numbers[0])):
                return name
            if not low and (years > numbers[0] if name.strip()[0] == ">" else years >= numbers[0]):
                return name
    return None


# ---- who the patients are ------------------------------------------------------------------------


def choose_race(records, levels, rule):
    """records: of one patient, sorted by date."""
    told = [(r, race_of(r["value"], levels)) for r in records]
    told = [(r, level) for r, level in told if level]
    if not told:
        return MISSING
    if rule == "self_report":
        own = [x for x in told if plain(x[0]["source"]).replace(" ", "") == "selfreport"]
        return (own or told)[-1][1]
    if rule == "majority":
        count = Counter(level for _, level in told)
        most = max(count.values())
        return next(level for _, level in reversed(told) if count[level] == most)
    return told[-1][1]


def people(in_dir, card):
    """patient -> {axis: level}"""
    with open(in_dir / "demographics.csv", encoding="utf-8-sig", newline="") as stream:
        records = list(csv.DictReader(stream))
    by = defaultdict(list)
    for r in records:
        r["on"] = parse_date(r["recorded_on"]) or date.min
        r["value"] = r["value"] or ""
        r["patient"] = "P" + re.search(r"\d+", r["patient"])[0]  # P123456, P-123456 and 123456 are one person
        by[r["patient"], r["field"].strip().lower()].append(r)
    for group in by.values():
        group.sort(key=lambda r: r["on"])  # stable: of the same day, the later line is later
    day_first = day_first_sources([r for r in records if r["field"].strip().lower() == "birth_date"])
    on = card["age_on"]
    on = parse_date(on) if isinstance(on, str) else on
    answer = defaultdict(dict)
    cache = {}
    for (patient, what), group in by.items():
        if what == "birth_date" and "age" in card["levels"]:
            for r in reversed(group):
                m = re.match(r"\s*\d{1,2}([-/. ])", r["value"])
                born = parse_date(r["value"], bool(m) and (r["source"], m[1]) in day_first, latest=2007)
                if born:
                    years = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
                    answer[patient]["age"] = age_level(years, card["levels"]["age"])
                    break
        elif what == "race" and "race" in card["levels"]:
            answer[patient]["race"] = choose_race(group, card["levels"]["race"], card["race_rule"])
        elif what in MAPPERS and what in card["levels"]:
            for r in reversed(group):
                key = what, r["value"]
                if key not in cache:
                    cache[key] = MAPPERS[what](r["value"], card["levels"][what])
                if cache[key]:
                    answer[patient][what] = cache[key]
                    break
    return answer


def number(text):
    try:
        return float(text)
    except (TypeError, ValueError):
        return math.nan


def load(in_dir):
    card = tomllib.loads((in_dir / "card.toml").read_text(encoding="utf-8"))
    with open(in_dir / "outcomes.csv", encoding="utf-8-sig", newline="") as stream:
        outcomes = {r["encounter"]: r for r in csv.DictReader(stream)}
    with open(in_dir / "scores.csv", encoding="utf-8-sig", newline="") as stream:
        scores = [r for r in csv.DictReader(stream) if r["encounter"] in outcomes]
    who = people(in_dir, card)
    out = [outcomes[r["encounter"]] for r in scores]
    patient = np.array([r["patient"] for r in scores])
    day = [parse_date(r["index_date"]) for r in scores]
    _, owner = np.unique(patient, return_inverse=True)
    site = np.array([r["site"] for r in scores])
    followup = np.array([number(r["followup_days"]) for r in out])
    late = ~(followup >= 30)
    if card["censor_rule"] == "month":
        month = np.array([f"{s} {d:%Y-%m}" for s, d in zip(site, day, strict=True)])
        keep = ~np.isin(month, np.unique(month[late]))
    else:
        keep = ~late
    score = np.array([number(r["score"]) for r in scores])
    y = np.array([number(r["readmit30"]) for r in out])
    keep &= np.isfinite(score) & np.isfinite(y)
    data = Data(card, [r["encounter"] for r in scores], patient, owner, site, np.array([d.toordinal() for d in day]),
                np.array([r["model_version"] for r in scores]), score, y, followup,
                np.array([number(r["need"]) for r in out]), np.array([number(r["cost"]) for r in out]), keep)
    for axis, levels in card["levels"].items():
        if axis == "site":
            data.level[axis] = site
        else:
            rest = MISSING if MISSING in levels else "Other" if "Other" in levels else ""
            data.level[axis] = np.array([who[p].get(axis) or rest for p in patient])
    return data


def cells_of(card):
    """All cells, everybody first."""
    levels = card["levels"]
    cells = [{}] + [{axis: level} for axis in levels for level in levels[axis]]
    for one, other in card["intersections"]:
        cells += [{one: a, other: b} for a in levels[one] for b in levels[other]]
    return cells


def inside(data, by):
    mask = np.ones(len(data.score), bool)
    for axis, level in by.items():
        mask &= data.level[axis] == level
    return mask
