"""The files as one table: a row per kept encounter, a column per axis of the card."""

import re
from itertools import product

import pandas as pd

# What says nothing, in any field.
SILENT = "|".join(
    [
        r"^\W*$|^un?$|^n/?a$|unk|asku|declin|refus|prefer|unable|unspec",
        r"not (rep|rec|stat|know|avail|ask|dis|spec|ans)",
    ]
)
# The first pattern that fits; hispanic before white and black, as "Hispanic, White" is the level Hispanic.
READINGS = {
    "race": {
        "Multiple": r"multi|two|2 or more|mixed|biracial|more than one",
        "Hispanic": r"(?<!non )(?<!non-)(?<!not )(hispanic|latin)|^h(isp)?$|2135-2",
        "NHPI": r"hawaii|pacific|nhpi|nhopi|2076-8",
        "AIAN": r"american indian|alaska|native|\bai/?an\b|1002-5",
        "Black": r"black|afr|^b(lk)?$|^aa$|2054-5",
        "White": r"white|caucas|europ|^w(ht)?$|2106-3",
        "Asian": r"asian|^a(sn)?$|2028-9",
    },
    "language": {"English": r"engl|^en", "Spanish": r"span|espa|castil|castell|^es\b|^spa?$", "Other": r""},
    "payer": {
        "Medicaid": r"medicaid|\bmcd|mdcd|medi-?cal|title (19|xix)",
        "Medicare": r"medicare|\bmcr|mdcr",
        "Self-pay": r"self|^none|unins|no (ins|cov)|cash|out of pocket|charity",
        "Commercial": r"",
    },
    "sex": {"female": r"^f|wom[ae]n|^w$|^2$", "male": r"^m|^1$"},
}
SHAPES = {
    "%Y-%m-%d": r"\d{4}-\d\d?-\d\d?",
    "%Y%m%d": r"\d{8}",
    "%m/%d/%Y": r"\d\d?/\d\d?/\d{4}",
    "%m/%d/%y": r"\d\d?/\d\d?/\d\d",
}


def cohort(in_dir, card):
    stays = pd.read_csv(in_dir / "scores.csv", parse_dates=["index_date"]).merge(
        pd.read_csv(in_dir / "outcomes.csv"), on="encounter", validate="one_to_one"
    )
    stays["person"] = digits(stays["patient"])
    stays = stays[followed(stays, card["censor_rule"])]
    who = people(pd.read_csv(in_dir / "demographics.csv", dtype=str, keep_default_na=False), card)
    stays = stays.merge(who, left_on="person", right_index=True, how="left")
    stays["race"] = stays["race"].fillna("missing")
    return stays.sort_values("score", kind="stable", ignore_index=True)


def digits(ids):
    """What the sources' ways to write an id have in common."""
    return ids.str.extract(r"(\d+)\D*$")[0].str.lstrip("0")


def followed(stays, rule):
    late = stays["followup_days"] < 30
    if rule == "month":
        late = late.groupby([stays["site"], stays["index_date"].dt.strftime("%Y-%m")]).transform("any")
    return ~late


def people(told, card):
    """Indexed by person: race, sex, language, payer, age."""
    told = told.assign(person=digits(told["patient"]), on=dates(told["recorded_on"].str.strip()))
    told = told.sort_values("on", kind="stable")
    fields = {field: part.assign(level=read(field, part["value"])) for field, part in told.groupby("field")}
    known = {field: part[part["level"].notna()] for field, part in fields.items()}
    who = pd.DataFrame({field: latest(known[field]) for field in ("sex", "language", "payer", "birth_date")})
    who = who.join(race_by(card["race_rule"], known["race"]).rename("race"), how="outer")
    who["age"] = age_band(who.pop("birth_date"), card)
    return who


def read(field, values):
    """The level that each value means, NaN for none."""
    text = values.str.lower().str.strip()
    if field == "birth_date":
        return text.where(text != "")
    table = {word: meaning(word, READINGS.get(field, {})) for word in text.unique()}
    return text.map(table)


def meaning(word, patterns):
    if re.search(SILENT, word):
        return None
    return next((level for level, pattern in patterns.items() if re.search(pattern, word)), None)


def latest(records):
    return records.groupby("person")["level"].last()


def race_by(rule, records):
    if rule == "self_report":
        return latest(records[records["source"] == "self_report"]).combine_first(latest(records))
    if rule == "majority":
        votes = records.groupby(["person", "level"], as_index=False).agg(times=("on", "size"), on=("on", "max"))
        return latest(votes.sort_values(["times", "on"], kind="stable"))
    return latest(records)


def dates(text):
    """Every shape by its own format; the rest is not a date."""
    parsed = [
        pd.to_datetime(text.where(text.str.fullmatch(shape)), format=form, errors="coerce")
        for form, shape in SHAPES.items()
    ]
    found = parsed[0]
    for more in parsed[1:]:
        found = found.fillna(more)
    return found


def age_band(written, card):
    day, bands = pd.Timestamp(card["age_on"]), card["levels"]["age"]
    born = dates(written.fillna(""))
    # Two digits leave the century open; patients are adults.
    born = born.where(born <= day - pd.DateOffset(years=18), born - pd.DateOffset(years=100))
    birthday = born.dt.strftime("%m%d") <= day.strftime("%m%d")
    years = day.year - born.dt.year - 1 + birthday
    starts = [int(re.search(r"\d+", band)[0]) for band in bands]
    return pd.cut(years.clip(lower=starts[0]), [*starts, float("inf")], right=False, labels=bands).astype(object)


def cells_of(card):
    """The card's cells, everybody first."""
    levels = card["levels"]
    yield {}
    yield from ({axis: level} for axis, names in levels.items() for level in names)
    for pair in card["intersections"]:
        yield from (dict(zip(pair, names, strict=True)) for names in product(*map(levels.get, pair)))


def members(stays, cell):
    """(n,) bool."""
    keep = pd.Series(True, index=stays.index)
    for axis, level in cell.items():
        keep &= stays[axis] == level
    return keep.to_numpy()
