"""Evaluate a readmission model by subgroup: reading, who the patients are, and putting the report together."""

import difflib
import json
import re
import sys
import tomllib
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent))
import measure  # noqa: E402
import problems  # noqa: E402

def evaluate(in_dir, out_dir):
    card = tomllib.loads((Path(in_dir) / "card.toml").read_text(encoding="utf-8"))
    everything = load(Path(in_dir), card)
    kept = everything[everything["kept"]].reset_index(drop=True)
    rows, draws, visible = measure.rows(kept, card)
    findings, threshold, mitigation = problems.judge(kept, everything, card, draws, visible)
    report = {
        "rows": rows,
        "findings": findings,
        "threshold": threshold,
        "mitigation": mitigation,
        "safe_failure": measure.SAFE_FAILURE,
    }
    (Path(out_dir) / "report.json").write_text(json.dumps(report, allow_nan=False), encoding="utf-8")

def read(path):
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame.columns = [c.strip().lower() for c in frame.columns]
    return frame.apply(lambda column: column.str.strip())

def number(column):
    words = {"true": "1", "yes": "1", "y": "1", "false": "0", "no": "0", "n": "0"}
    return pd.to_numeric(column.str.lower().replace(words), errors="coerce")

def load(in_dir, card):
    """One row per encounter with its levels; `kept`: the censor rule keeps it."""
    scores, outcomes = (
        read(in_dir / f).assign(encounter=lambda d: d["encounter"].str.upper()).drop_duplicates("encounter", keep="last")
        for f in ("scores.csv", "outcomes.csv")
    )
    for name in ("readmit30", "followup_days", "cost", "need"):
        outcomes[name] = number(outcomes[name])
    table = scores.merge(outcomes, on="encounter", how="left", validate="one_to_one")
    table["score"] = pd.to_numeric(table["score"], errors="coerce")
    table["index_date"] = pd.to_datetime(table["index_date"], errors="coerce", format="mixed")
    table["site"] = table["site"].map({s: site_level(s, card) for s in table["site"].unique()})
    demographics = read(in_dir / "demographics.csv")
    table["patient"], demographics["patient"] = same_names(table["patient"], demographics["patient"])
    table = table.join(who(demographics, card), on="patient")
    for axis, levels in card["levels"].items():
        if axis not in table:
            table[axis] = None
        if "missing" in levels:
            table[axis] = table[axis].where(table[axis].notna(), "missing")
    short = ~(table["followup_days"] >= 30)
    month = [table["site"].astype(str), table["index_date"].dt.strftime("%Y-%m").astype(str)]
    table["late"] = short.astype(float).groupby(month).transform("mean")
    left_out = table["late"] > 0 if card["censor_rule"] == "month" else short
    table["kept"] = ~left_out & table["readmit30"].notna() & table["score"].notna()
    return table

def site_level(value, card):
    levels = {level.casefold(): level for level in card["levels"].get("site", [])}
    plain = value.casefold()
    return levels.get(plain) or levels.get(re.sub(r"\b(site|hospital|campus)\b|[^\w]", " ", plain).strip(), value)

def same_names(ours, theirs):
    ours, theirs = ours.str.upper(), theirs.str.upper()
    bare = [c.str.replace(r"\D", "", regex=True).str.lstrip("0") for c in (ours, theirs)]
    return bare if bare[0].isin(bare[1]).mean() > ours.isin(theirs).mean() else (ours, theirs)

FIELDS = {"dob": "birth_date", "birthdate": "birth_date", "date_of_birth": "birth_date", "gender": "sex",
          "payor": "payer", "insurance": "payer", "preferred_language": "language", "race_ethnicity": "race"}  # fmt: skip
NOTHING = re.compile(
    r"\b(unk\w*|declin\w*|refus\w*|undisclosed|unspecified|undetermined|unavailable|missing|withheld|pending|blank|asku|nask"
    r"|not (reported|recorded|provided|asked|available|specified|stated|disclosed|collected|answered|known|given|documented"
    r"|on file|obtained|entered|applicable)|no (answer|response|information|data|record)|prefer\w* not|chose not|choose not"
    r"|(do|does|did|don|would|rather|wish) ?(t|not)|dont|unable|un?answered|to be determined|tbd)\b"
)
EMPTY = {"", "u", "uk", "ud", "und", "none", "null", "nil", "nan", "na", "n a", "ni", "nd", "0", "9", "99", "999", "9999"}
RACE = {
    "multiple": r"\b(multi\w*|mult|(two|2) (or )?more|more than (one|1)|mixed|bi ?racial)\b",
    "hispanic": r"\b(hisp\w*|latin[oaxe]?s?|mexican|chican[oa]|puerto ric\w*|cuban|dominican|salvador\w*|spanish)\b",
    "nhpi": r"\b(hawai\w*|pacific|pac isl\w*|samoan|guam\w*|chamorro|tongan|fijian|polynes\w*|micrones\w*|nho?pi|nh pi|pi)\b",
    "aian": r"\b(am\w* ind\w*|amerind\w*|alaska\w*|native am\w*|ai an|aian|first nations?|navajo|cherokee|indigenous|eskimo|inuit)\b",
    "asian": r"\b(asian?|asn|chinese|filipin[oa]|vietnamese|korean|japanese|pakistani|hmong|cambodian|thai|api)\b",
    "black": r"\b(black|blk|afr\w*( am\w*)?|aa|haitian|jamaican|somali|nigerian|ethiopian)\b",
    "white": r"\b(white|wht|cauc\w*|europ\w*|mena|middle east\w*|anglo)\b",
}  # fmt: skip
LANGUAGE = {
    "english": "e en eng english ingles anglais", "spanish": "s sp es spa esp spanish espanol castilian castellano",
    "chinese": "zh chi zho cmn yue chinese mandarin cantonese", "vietnamese": "vi vie vietnamese", "korean": "ko kor korean",
    "arabic": "ar ara arabic", "russian": "ru rus russian", "french": "fr fre fra french", "tagalog": "tl tgl fil tagalog filipino",
    "portuguese": "pt por portuguese", "haitian": "ht hat haitian creole kreyol", "polish": "pl pol polish",
}  # fmt: skip
PAYER = {
    "medicaid": r"\b(medicaid|m[e]?caid|mcd|mdcd|medi ?cal|medical assistance|chip|managed medicaid|title xix|t19|mc|masshealth)\b",
    "medicare": r"\b(medicare|m[e]?care|mcr|mdcr|medicr|ma|mb|title xviii|t18)\b",
    "selfpay": r"\b(self ?pay\w*|self|sp|uninsured|no (insurance|coverage|payer)|without insurance|cash|out of pocket|charity|private pay|indigent)\b",
    "commercial": r"\b(comm?\w*|private\w*|employer\w*|hmo|ppo|epo|pos|bcbs\w*|blue\w*|aetna|cigna|united\w*|uhc|humana|kaiser|anthem"
    r"|group|exchange|marketplace|insured|ci|bl|pvt|third party)\b",
}  # fmt: skip
SEX = {
    "female": r"\b(f|fem\w*|wom[ae]n|girl|mujer|w|weiblich|2|248152002)\b",
    "male": r"\b(m|male\w*|man|men|boy|masc\w*|hombre|varon|mann\w*|1|248153007)\b",
}
CODES = {
    "race": {"w": "white", "c": "white", "wh": "white", "b": "black", "bl": "black", "bk": "black", "h": "hispanic", "l": "hispanic",
             "hi": "hispanic", "a": "asian", "as": "asian", "i": "aian", "n": "aian", "ai": "aian", "an": "aian", "p": "nhpi", "nh": "nhpi",
             "m": "multiple", "mu": "multiple", "mr": "multiple", "o": "other", "21063": "white", "20545": "black", "20289": "asian",
             "10025": "aian", "20768": "nhpi", "21352": "hispanic", "21311": "other", "21865": None,
             "1": "white", "2": "black", "3": "other", "4": "asian", "5": "hispanic", "6": "aian"},
    "payer": {"1": "medicare", "2": "medicaid", "5": "commercial", "6": "commercial", "8": "selfpay", "81": "selfpay", "09": "selfpay",
              "16": "medicare", "mr": "medicare", "md": "medicaid", "c": "commercial", "s": "selfpay"},
}  # fmt: skip

def concept(field, value):
    """What a source's spelling means, None if it says nothing, "other" if it says something else."""
    text = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode().casefold()
    text = re.sub(r"[^a-z0-9]+", " ", text).strip()
    if field == "language" and not text and any(c.isalpha() for c in value):
        return "other:script"
    if text in EMPTY or NOTHING.search(text):
        return None
    code = text.replace(" ", "")
    if code in CODES.get(field, {}):
        return CODES[field][code]
    if field == "language":
        words = text.split()
        for name, spellings in LANGUAGE.items():
            if words[0] in spellings.split() or any(w in spellings.split() for w in words if len(w) > 3):
                return name
        near = difflib.get_close_matches(words[0], [n for n in LANGUAGE if len(words[0]) > 4], 1, 0.84)
        return near[0] if near else "other:" + text
    if field == "race":
        coded = re.search(r"\b(\d{4}) (\d)\b", text)
        if coded and coded[1] + coded[2] in CODES["race"]:
            return CODES["race"][coded[1] + coded[2]]
        text = re.sub(r"\b(non|not)\s*(of )?(hisp\w*|latin\w*|spanish)( (or|and))?( latin\w*| spanish)*( origin)?", " ", text)
        text = re.sub(r"\bnorth african\b", "mena", text)
        text = re.sub(r"\basian (or |and )?(other )?pac\w*( isl\w*)?", "asian", text)
        if not text.strip():
            return None
    patterns = {"race": RACE, "payer": PAYER, "sex": SEX}[field]
    found = [name for name, pattern in patterns.items() if re.search(pattern, text)]
    if not found:
        names = {"white": "white", "black": "black", "hispanic": "hispanic", "latino": "hispanic", "caucasian": "white",
                 "american": None, "multiracial": "multiple"} if field == "race" else {n: n for n in patterns}  # fmt: skip
        near = [m for w in text.split() if len(w) > 3 for m in difflib.get_close_matches(w, list(names), 1, 0.8)]
        found = [names[m] for m in near if names[m]][:1]
    if field == "race" and len(found) > 1:
        return "hispanic" if "hispanic" in found and "multiple" not in found else "multiple"
    return found[0] if found else "other"

def parse_birth(text, day_first, today):
    short = None
    if m := re.match(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", text):
        y, mo, d = map(int, m.groups())
    elif m := re.match(r"(\d{1,2})([-/.])(\d{1,2})[-/.](\d{4}|\d{2})\b", text):
        one, two, y, short = int(m[1]), int(m[3]), int(m[4]), len(m[4]) == 2
        swap = one > 12 or ((day_first or m[2] == ".") and two <= 12)
        mo, d = (two, one) if swap else (one, two)
    elif re.fullmatch(r"\d{8}", text):
        first = 1890 < int(text[:4]) < 2030
        y, mo, d = map(int, (text[:4], text[4:6], text[6:]) if first else (text[4:], text[:2], text[2:4]))
    elif re.fullmatch(r"(19|20)\d\d", text):
        y, mo, d = int(text), 7, 1
    else:
        when = pd.to_datetime(text, errors="coerce")
        if pd.isna(when):
            return None
        y, mo, d = when.year, when.month, when.day
        y -= 100 if y > today.year else 0
    if short:
        y += 2000 if 2000 + y <= today.year - 18 else 1900
    if not (1900 < y <= today.year and 1 <= mo <= 12 and 1 <= d <= 31):
        return None
    return today.year - y - ((today.month, today.day) < (mo, d))

def age_level(age, levels):
    for level in levels:
        ends = [int(e) for e in re.findall(r"\d+", level)]
        if not ends:
            continue
        if len(ends) == 2:
            low, high = ends
        elif re.search(r"<|under|below", level, re.I):
            low, high = 0, ends[0] - 1
        else:
            low, high = ends[0] + (">" in level and "=" not in level), 115
        if age is not None and low <= age <= high:
            return level
    return None

def who(demographics, card):
    """(patients x axes) the level of each patient; values that say nothing are no records."""
    d = demographics.assign(field=demographics["field"].str.lower().replace(FIELDS), order=np.arange(len(demographics)))
    d["when"] = pd.to_datetime(d["recorded_on"], errors="coerce", format="mixed")
    d = d.sort_values(["when", "order"], na_position="first", kind="stable")
    today = pd.Timestamp(str(card["age_on"]))
    columns = {}
    for axis, levels in card["levels"].items():
        part = d[d["field"] == ("birth_date" if axis == "age" else axis)].copy()
        if axis == "site" or part.empty:
            continue
        if axis == "age":
            first = part["value"].str.extract(r"^(\d{1,2})[-/]\d{1,2}[-/]\d{2,4}")[0].astype(float)
            foreign = {s: (first[part["source"] == s] > 12).any() for s in part["source"].unique()}
            pairs = part[["source", "value"]].drop_duplicates().itertuples(index=False)
            known = {(s, v): age_level(parse_birth(v, foreign[s], today), levels) for s, v in pairs}
            part["level"] = [known[p] for p in zip(part["source"], part["value"], strict=True)]
        else:
            names = {concept(axis, level): level for level in levels if level != "missing"}
            meant = {v: concept(axis, v) for v in part["value"].unique()}
            part["level"] = part["value"].map({v: names.get(c, names.get("other")) if c else None for v, c in meant.items()})
            if axis == "language" and "Other" in levels:
                part["level"] = part["value"].map({v: names.get(c, "Other") if c else None for v, c in meant.items()})
        part = part[part["level"].notna()]
        latest = part.groupby("patient")["level"].last()
        if axis == "race" and card["race_rule"] == "self_report":
            own = part[part["source"].str.lower().str.contains("self")].groupby("patient")["level"].last()
            latest = own.combine_first(latest)
        elif axis == "race" and card["race_rule"] == "majority":
            part = part.assign(order=np.arange(len(part)))
            votes = part.groupby(["patient", "level"])["order"].agg(["size", "max"]).reset_index()
            latest = votes.sort_values(["size", "max"]).groupby("patient")["level"].last()
        columns[axis] = latest
    return pd.DataFrame(columns)
