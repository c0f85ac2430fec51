"""The files as one table: a row per encounter, with the level of each axis."""

import re
import tomllib

import numpy as np
import pandas as pd

NOTHING = {
    "", "unk", "unknown", "declined", "decline", "refused", "not reported", "not recorded", "not specified", "none",
    "not stated", "not provided", "not asked", "not available", "not applicable", "na", "n a", "nan", "null", "missing", "blank", "u",
    "asku", "ni", "nr", "unspecified", "undetermined", "not known", "not documented", "not disclosed", "pending", "x",
    "unable to obtain", "unable to determine", "no information", "no response", "no answer", "cannot determine", "un",
}
NOTHING_WORDS = r"\b(unknown|declin\w*|refus\w*|unavailable|prefer\w* not|choose not|chose not|not (to )?(reported|recorded|" \
    r"answer\w*|say|disclose\w*|given|stated|specified|provided|asked|available|known|documented|collected|obtained)|unable|" \
    r"no (data|information|answer|response|entry)|did not|missing|unspecified|undisclosed|und)\b"

CODES = {  # CDC race and ethnicity codes; one-letter and short codes
    "race": {"1002 5": "AIAN", "2028 9": "Asian", "2054 5": "Black", "2076 8": "NHPI", "2106 3": "White", "2135 2": "Hispanic",
             "w": "White", "wh": "White", "b": "Black", "bl": "Black", "h": "Hispanic", "his": "Hispanic", "a": "Asian", "as": "Asian",
             "i": "AIAN", "ai": "AIAN", "an": "AIAN", "p": "NHPI", "pi": "NHPI", "nh": "NHPI", "nhopi": "NHPI", "m": "Multiple", "mu": "Multiple",
             "aa": "Black", "n": "AIAN", "c": "White", "aapi": "Asian", "l": "Hispanic"},
    "sex": {"f": "female", "m": "male", "w": "female", "248152002": "female", "248153007": "male", "1": "male", "2": "female"},
    "language": {"en": "English", "eng": "English", "e": "English", "es": "Spanish", "spa": "Spanish", "sp": "Spanish", "esp": "Spanish", "s": "Spanish"},
    "payer": {"mcr": "Medicare", "mcare": "Medicare", "mcd": "Medicaid", "mcaid": "Medicaid", "com": "Commercial", "comm": "Commercial",
              "sp": "Self-pay", "self": "Self-pay", "hmo": "Commercial", "ppo": "Commercial", "epo": "Commercial", "pos": "Commercial",
              "hdhp": "Commercial", "chip": "Medicaid", "ma": "Medicare", "bcbs": "Commercial", "cash": "Self-pay", "mc": "Medicare", "md": "Medicaid"},
}
PATTERNS = {  # first that fits counts
    "race": [
        ("Multiple", r"multi|two or more|2 or more|more than one|mixed|biracial|2\+|several"),
        ("Hispanic", r"^(?!.*\b(non|not)\b).*(\bhispan|latin|chican|mexican|puerto ric|cuban)"),
        ("NHPI", r"hawai|pacific|nhpi|samoa|guam|chamorro|tonga|islander"),
        ("AIAN", r"amer\w* ind|alaska|aian|ai an|native am|indigenous|first nation|am ind"),
        ("Black", r"black|african|afro|\bblk"), ("Asian", r"\basian|chinese|filipin|japan|korean|vietnam"),
        ("White", r"white|caucas|europ|\bwht"),
    ],
    "sex": [("female", r"^(f\w*|wom[ae]n|girl|mujer)\b"), ("male", r"^(m|male|man|masc\w*|boy)\b")],
    "language": [("English", r"^(en|eng|engl\w*|ingl\w*)\b"), ("Spanish", r"^(es|spa|span\w*|esp\w*|cast\w*)\b")],
    "payer": [
        ("Medicaid", r"medicaid|medi cal|\bmcd|masshealth|state plan|chip\b"),
        ("Medicare", r"medicare|\bmcr|\bpart [abcd]\b|\bcms\b"),
        ("Self-pay", r"self|uninsur|no (insur|cover)|cash|out of pocket|private pay|none|without insurance|charity|indigent"),
        ("Commercial", r"commer|employ|ppo|hmo|epo|private|group|blue|bcbs|aetna|cigna|united|uhc|humana|kaiser|anthem|insur|exchange|marketplace"),
    ],
}


def plain(value):
    return re.sub(r"[^a-z0-9+ñ]+", " ", str(value).lower()).strip()


def level(field, value, levels):
    """The card's level that a source's word means; None if the word says nothing."""
    text = plain(value)
    named = {plain(name): name for name in levels}
    if field == "payer" and text in ("none", "no insurance"):
        return "Self-pay" if "Self-pay" in levels else None
    if text in named and text != "missing":
        return named[text]
    found = CODES[field].get(text)
    if found is None and (text in NOTHING or re.search(NOTHING_WORDS, text)):
        return None
    if found is None:
        found = next((name for name, pattern in PATTERNS[field] if re.search(pattern, text)), None)
    if found in levels:
        return found
    if field == "language":
        return "Other" if "Other" in levels else None
    return "Other" if "Other" in levels else None


def dates(values):
    """Dates in whatever way they are written; slashes are month first unless the source shows otherwise."""
    values = values.str.strip()
    out = pd.to_datetime(values, format="%Y-%m-%d", errors="coerce")
    left = out.isna()
    parts = values[left].str.extract(r"^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})$").astype(float)
    if parts[0].gt(12).any() and not parts[1].gt(12).any():
        day, month = parts[0], parts[1]
    else:
        month, day = parts[0], parts[1]
    swap = month.gt(12) & day.le(12)
    month, day = month.where(~swap, day), day.where(~swap, month)
    got = pd.to_datetime(pd.DataFrame({"year": parts[2], "month": month, "day": day}), errors="coerce")
    out.loc[left] = got.astype(out.dtype)
    for form in ("%Y%m%d", "%Y/%m/%d", "%d-%b-%Y", "%d %b %Y", "%b %d, %Y", "%B %d, %Y", "%d %B %Y", "%d%b%Y", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"):
        left = out.isna()
        if left.any():
            out.loc[left] = pd.to_datetime(values[left], format=form, errors="coerce").astype(out.dtype)
    return out


def age_band(age, levels):
    for name in levels:
        low, high = (re.findall(r"\d+", name) + [None])[:2] if "+" not in name else (re.findall(r"\d+", name)[0], None)
        if high is None and re.match(r"\s*(<|under|below)", name):
            if age < int(low):
                return name
        elif int(low) <= age and (high is None or age <= int(high)):
            return name
    return None


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


def demographics(path, card):
    d = written_alike(pd.read_csv(path, dtype=str, keep_default_na=False))
    d["day"] = pd.to_datetime(d.recorded_on, errors="coerce")
    d = d.sort_values("day", kind="stable", na_position="first")
    levels, out = card["levels"], {}
    for field in ("sex", "language", "payer", "race"):
        if field not in levels:
            continue
        part = d[d.field == field].copy()
        words = {word: level(field, word, levels[field]) for word in part.value.unique()}
        part["level"] = part.value.map(words)
        part = part[part.level.notna()]
        last = part.groupby("patient")["level"].last()
        if field == "race" and card["race_rule"] == "self_report":
            own = part[part.source == "self_report"].groupby("patient")["level"].last()
            last = own.combine_first(last)
        elif field == "race" and card["race_rule"] == "majority":
            part["order"] = np.arange(len(part))
            votes = part.groupby(["patient", "level"])["order"].agg(["size", "max"]).reset_index()
            votes = votes.sort_values(["size", "max"])
            last = votes.groupby("patient")["level"].last()
        out[field] = last
    if "age" in levels:
        part = d[d.field == "birth_date"].copy()
        part["born"] = pd.concat([dates(own.value) for _, own in part.groupby("source")]).reindex(part.index)
        born = part[part.born.notna()].groupby("patient").born.last()
        on = pd.Timestamp(card["age_on"])
        before = (born.dt.month > on.month) | ((born.dt.month == on.month) & (born.dt.day > on.day))
        years = on.year - born.dt.year - before
        out["age"] = years.map({a: age_band(a, levels["age"]) for a in years.unique()})
    return pd.DataFrame(out)


def load(in_dir):
    card = tomllib.loads((in_dir / "card.toml").read_text(encoding="utf-8"))
    scores = pd.read_csv(in_dir / "scores.csv", parse_dates=["index_date"])
    outcomes = pd.read_csv(in_dir / "outcomes.csv")
    table = scores.merge(outcomes, on="encounter", validate="one_to_one")
    table = table.merge(demographics(in_dir / "demographics.csv", card), how="left", left_on="patient", right_index=True)
    if "race" in table:
        table["race"] = table.race.fillna("missing")
    if "language" in table and "Other" in card["levels"]["language"]:
        table["language"] = table.language.fillna("Other")
    return table, card


def kept(table, card):
    """The encounters that the card's censor_rule keeps."""
    late = table.followup_days < 30
    if card["censor_rule"] == "month":
        late = late.groupby([table.site, table.index_date.dt.to_period("M")]).transform("any")
    return table[~late].reset_index(drop=True)


def cells(card):
    levels = card["levels"]
    out = [{}] + [{axis: name} for axis in levels for name in levels[axis]]
    return out + [{one: a, other: b} for one, other in card["intersections"] for a in levels[one] for b in levels[other]]


def mask(table, by):
    m = np.ones(len(table), bool)
    for axis, name in by.items():
        m &= (table[axis] == name).to_numpy()
    return m
