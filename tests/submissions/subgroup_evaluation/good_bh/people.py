"""Who the patients are: values in each source's words to the card's levels, and which record counts."""

import re
import unicodedata

import numpy as np
import pandas as pd

NOTHING = {
    "", "unk", "unknown", "declined", "decline", "not reported", "refused", "missing", "na", "n a", "none", "null",
    "not recorded", "not available", "not applicable", "unspecified", "not specified", "not stated", "prefer not to say",
    "asked but unknown", "asku", "nask", "unavailable", "nan", "u", "ni", "no information", "patient declined", "un",
    "declined to answer", "refused to answer", "choose not to disclose", "chose not to answer", "nullflavor", "undisclosed",
    "unable to obtain", "not asked", "unreported", "x", "not disclosed", "not known", "no answer", "blank", "und", "?",
}  # fmt: skip
RACE_CODES = {
    "1002-5": "AIAN", "2028-9": "Asian", "2054-5": "Black", "2076-8": "NHPI", "2106-3": "White", "2135-2": "Hispanic",
    "2186-5": None, "2131-1": None,
}  # fmt: skip
RACE = {
    "White": ["w", "wh", "white", "caucasian", "european", "white non hispanic", "non hispanic white", "nhw", "cauc", "wht", "c", "white caucasian"],
    "Black": ["b", "bl", "black", "black african american", "african american", "black or african american", "aa", "b aa", "afr am", "african", "blk", "baa", "nhb", "afro american"],
    "Hispanic": ["h", "hisp", "his", "hispanic", "hispanic latino", "hispanic or latino", "latino", "latina", "latinx", "latine", "hispano", "hl", "h l", "l", "spanish origin", "latin american"],
    "Asian": ["a", "as", "asian", "asian american", "asn", "oriental", "asian indian", "chinese", "korean", "japanese", "filipino", "vietnamese"],
    "AIAN": ["aian", "ai an", "american indian or alaska native", "american indian alaska native", "american indian", "native american", "alaska native", "ai", "an", "i", "na an", "amerind", "indigenous"],
    "NHPI": ["nhpi", "nhopi", "nh pi", "native hawaiian or other pacific islander", "native hawaiian", "pacific islander", "hawaiian", "pi", "p", "native hawaiian pacific islander", "nh", "hp", "samoan"],
    "Multiple": ["m", "mu", "multi", "multiple", "multiracial", "multi racial", "two or more races", "two or more", "2 or more races", "2+ races", "2+", "more than one race", "mixed", "mixed race", "multiple races", "biracial", "tm", "more than one"],
}  # fmt: skip
LANGUAGE = {
    "English": ["english", "eng", "en", "e", "en us", "en gb", "ingles", "anglais", "englisch", "american english", "engl"],
    "Spanish": ["spanish", "spa", "es", "espanol", "castellano", "castilian", "sp", "span", "s", "es mx", "es us", "es es", "esp", "spanish castilian", "spn", "spanisch"],
}  # fmt: skip
PAYER = {
    "Medicare": ["mcr", "medicare", "medicare a b", "mcare", "cms medicare", "mc", "mdcr", "part a", "part b"],
    "Medicaid": ["mcd", "medicaid", "mcaid", "medi cal", "chip", "mdcd", "title xix", "masshealth", "medical assistance", "state medicaid"],
    "Commercial": ["commercial", "commercial ppo", "ppo", "hmo", "epo", "pos", "employer plan", "private", "com", "comm", "employer", "blue cross", "bcbs", "aetna", "cigna", "hdhp", "group plan", "private insurance", "marketplace", "group health"],
    "Self-pay": ["self pay", "selfpay", "uninsured", "no insurance", "sp", "cash", "self", "none", "private pay", "out of pocket", "slf", "no coverage", "self paid", "charity care"],
}  # fmt: skip
SEX = {"female": ["f", "female", "woman", "fem", "girl", "w", "2"], "male": ["m", "male", "man", "boy", "1"]}


def plain(value):
    """Small letters, no accents, no punctuation."""
    text = unicodedata.normalize("NFKD", str(value))
    text = "".join(c for c in text if not unicodedata.combining(c)).casefold()
    return re.sub(r"[^\w+?]+", " ", text).replace("_", " ").strip()


def lookup(words, levels):
    table = {w: level for level, ws in words.items() for w in ws}
    table |= {plain(level): level for level in levels}
    return table


def race_level(value, levels, table):
    raw = str(value).strip()
    for code, level in RACE_CODES.items():
        if raw == code or code in raw.split():
            return level
    p = plain(value)
    if p in table:
        return None if table[p] == "missing" else table[p]
    if p in NOTHING or re.search(r"unknown|declin|refus|not (report|record|stat|known|avail|disclos|answer|specif)|prefer not|chose", p):
        return None
    p2 = re.sub(r"\b(non|not) (hispanic|latin\w*)( or latin\w*| latin\w*)?\b", " ", p).strip()
    for pattern, level in (
        (r"multi|two or more|2 or more|more than one|mixed|biracial", "Multiple"),
        (r"hispanic|latin|mexican|puerto rican|cuban", "Hispanic"),
        (r"pacific|hawai|samoa|guam|nhpi|chamorro", "NHPI"),
        (r"american indian|alaska|native am|indigen|aian|first nation", "AIAN"),
        (r"\bblack|african|\bafro", "Black"),
        (r"asian|chinese|filipin|vietnam|korean|japan", "Asian"),
        (r"white|caucas|europe", "White"),
    ):
        if re.search(pattern, p2):
            return level
    return None


def language_level(value, levels, table):
    p = plain(value)
    if p in table:
        return table[p]
    for level in levels:
        if plain(level) in p.split():
            return level
    if p.startswith("english"):
        return "English"
    if p.startswith(("spanish", "espanol", "castellan")):
        return "Spanish"
    if p in NOTHING:
        return None
    return "Other"


def payer_level(value, levels, table):
    p = plain(value)
    if p in table:
        return table[p]
    if p in NOTHING:
        return None
    for pattern, level in (
        (r"medicaid|mcd|medi cal|\bchip\b|mcaid", "Medicaid"),
        (r"medicare|mcr|mcare", "Medicare"),
        (r"self|uninsur|no insur|cash|out of pocket|charity|indigent", "Self-pay"),
        (r"commerc|ppo|hmo|epo|employ|private|group|blue|aetna|cigna|united|humana|plan|insur", "Commercial"),
    ):
        if re.search(pattern, p):
            return level
    return None


def sex_level(value, levels, table):
    p = plain(value)
    if p in table:
        return table[p]
    return "female" if p.startswith("f") else "male" if p.startswith("m") else None


def map_values(values, how, words, levels):
    table = lookup(words, levels)
    known = {v: how(v, levels, table) for v in pd.unique(values)}
    return values.map(lambda v: known[v])


def birth_dates(part):
    """Dates of birth in each source's own format; whether day or month is first is told from the source's values."""
    out = pd.Series(pd.NaT, index=part.index, dtype="datetime64[ns]")
    text = part["value"].str.strip()
    for _, rows in part.groupby("source"):
        t = text[rows.index]
        iso = t.str.match(r"^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}")
        eight = t.str.match(r"^\d{8}$")
        other = t.str.match(r"^\d{1,2}[-/. ]\d{1,2}[-/. ]\d{4}") & ~iso
        got = pd.to_datetime(t[iso].str.slice(0, 10).str.replace(r"[/.]", "-", regex=True), errors="coerce", format="%Y-%m-%d")
        out[got.index] = got
        got = pd.to_datetime(t[eight], errors="coerce", format="%Y%m%d")
        out[got.index] = got
        if other.any():
            bits = t[other].str.extract(r"^(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})").astype(int)
            day_first = (bits[0] > 12).sum() > (bits[1] > 12).sum()
            d, m = (bits[0], bits[1]) if day_first else (bits[1], bits[0])
            swap = (m > 12) & (d <= 12)
            d, m = d.where(~swap, m), m.where(~swap, d)
            got = pd.to_datetime(pd.DataFrame({"year": bits[2], "month": m, "day": d}), errors="coerce")
            out[got.index] = got
        rest = t[~(iso | eight | other)]
        if len(rest):
            got = pd.to_datetime(rest, errors="coerce", format="mixed")
            out[got.index] = got
    return out


def age_level(age, levels):
    out = pd.Series(None, index=age.index, dtype=object)
    for level in levels:
        bits = [int(b) for b in re.findall(r"\d+", level)]
        low, high = (bits[0], bits[1]) if len(bits) > 1 else (bits[0], 999)
        if len(bits) == 1 and re.search(r"<|under|below", level):
            low, high = -1, bits[0] - 1
        out[(age >= low) & (age < high + 1)] = level
    return out


def written_alike(records):
    """The records with ids and dates of every source in one way: "P" and digits, year-month-day."""
    records = records.assign(patient="P" + records["patient"].str.extract(r"(\d+)\s*$")[0])
    born = records["field"] == "birth_date"
    # Two digits of a year: a record is of this century, an adult's birth is not of the last twenty years.
    for column, rows, last in (("recorded_on", born | ~born, 2100), ("value", born, 2008)):
        parts = records.loc[rows, column].str.extract(r"^(\d+)/(\d+)/(\d\d)$").dropna().astype(int)
        year = 2000 + parts[2]
        year = year.where(year < last, year - 100)
        records.loc[parts.index, column] = [f"{y}-{m:02}-{d:02}" for y, m, d in zip(year, parts[0], parts[1])]
    return records


def people(demo, card):
    """One row per patient: its level on each axis but site."""
    levels = card["levels"]
    demo = written_alike(demo)
    demo = demo.assign(field=demo["field"].str.strip().str.lower(), when=pd.to_datetime(demo["recorded_on"], errors="coerce"))
    demo = demo.sort_values(["when"], kind="stable")
    out = pd.DataFrame(index=pd.unique(demo["patient"]))
    for field, how, words in (
        ("sex", sex_level, SEX),
        ("language", language_level, LANGUAGE),
        ("payer", payer_level, PAYER),
    ):
        part = demo[demo["field"] == field]
        part = part.assign(level=map_values(part["value"], how, words, levels[field]))
        part = part[part["level"].notna()]
        out[field] = part.groupby("patient")["level"].last()
    part = demo[demo["field"] == "race"]
    part = part.assign(level=map_values(part["value"], race_level, RACE, levels["race"]))
    part = part[part["level"].notna()]
    rule = card["race_rule"]
    race = part.groupby("patient")["level"].last()
    if rule == "self_report":
        own = part[part["source"].str.contains("self")].groupby("patient")["level"].last()
        race = own.combine_first(race)
    elif rule == "majority":
        n = part.groupby(["patient", "level"]).agg(n=("when", "size"), last=("when", "max")).reset_index()
        race = n.sort_values(["n", "last"], kind="stable").groupby("patient")["level"].last()
    out["race"] = race
    out["race"] = out["race"].fillna("missing")
    part = demo[demo["field"] == "birth_date"]
    part = part.assign(born=birth_dates(part))
    part = part[part["born"].notna()]
    out["born"] = part.groupby("patient")["born"].last()
    on = pd.Timestamp(card["age_on"])
    b = out["born"].dt
    age = on.year - b.year - ((b.month > on.month) | ((b.month == on.month) & (b.day > on.day))).astype(int)
    out["years"] = age
    out["age"] = age_level(age, levels["age"])
    return out
