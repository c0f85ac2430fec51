"""From the files to one table of kept encounters, with a level per axis; and the cells of the card."""

import re
import unicodedata
from itertools import product

import pandas as pd

# A record's words decide, the first row that fits: whole words, for "caucasian" ends like "asian".
RACE = [
    ("Multiple", {"two", "more", "multiple", "multiracial", "multi", "mixed", "biracial"}),
    ("Hispanic", {"hispanic", "latino", "latina", "latinx", "h", "2135-2"}),
    ("NHPI", {"hawaiian", "hawaii", "pacific", "nhpi", "2076-8"}),
    ("AIAN", {"indian", "alaska", "alaskan", "aian", "1002-5"}),
    ("Black", {"black", "african", "b", "2054-5"}),
    ("White", {"white", "caucasian", "w", "2106-3"}),
    ("Asian", {"asian", "a", "2028-9"}),
]
PAYER = [
    ("Medicaid", {"medicaid", "mcd"}),
    ("Medicare", {"medicare", "mcr"}),
    ("Self-pay", {"self", "uninsured"}),
    ("Commercial", {"commercial", "employer", "hmo", "ppo", "private", "plan"}),
]
LANGUAGE = [("English", {"english", "en", "eng"}), ("Spanish", {"spanish", "espanol", "es", "spa"})]
SEX = [("female", {"f", "female", "woman"}), ("male", {"m", "male", "man"})]
SILENT = {"unknown", "unk", "declined", "refused", "unable", "not", "none", "other", "undetermined"}


def words(value):
    plain = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode().lower()
    return {plain.strip()} | set(re.findall(r"[a-z0-9]+", plain))


def level(field, value):
    """The card's level that a record means; None for a record that says nothing."""
    said = words(value)
    if not value.strip():
        return None
    if field == "birth_date":
        return value.strip()
    rules = {"race": RACE, "payer": PAYER, "language": LANGUAGE, "sex": SEX}.get(field, [])
    for name, known in rules:
        if said & known:
            return name
    return "Other" if field == "language" and not said & SILENT else None


def people(path, card):
    """One row per patient: age, sex, race, language, payer."""
    told = pd.read_csv(path, dtype=str, keep_default_na=False)
    meaning = {key: level(*key) for key in set(zip(told["field"], told["value"]))}
    told["level"] = [meaning[key] for key in zip(told["field"], told["value"])]
    told = told.dropna(subset="level").sort_values("recorded_on", kind="stable")
    who = told.groupby(["patient", "field"])["level"].last().unstack()
    race = told[told["field"] == "race"]
    if card["race_rule"] == "self_report":
        own = race[race["source"] == "self_report"].groupby("patient")["level"].last()
        who["race"] = own.reindex(who.index).fillna(who["race"])
    elif card["race_rule"] == "majority":
        votes = race.groupby(["patient", "level"])["recorded_on"].agg(["size", "last"]).reset_index()
        votes = votes.sort_values(["size", "last"])
        who["race"] = votes.groupby("patient")["level"].last()
    who["race"] = who["race"].fillna("missing")
    on = pd.Timestamp(card["age_on"])
    born = pd.to_datetime(who.pop("birth_date"), format="mixed")
    had_birthday = born.dt.month * 100 + born.dt.day <= on.month * 100 + on.day
    years = on.year - born.dt.year - (~had_birthday).astype(int)
    bands = card["levels"]["age"]
    starts = [int(re.match(r"\d+", band)[0]) for band in bands]
    # Whoever is younger than the first band is counted with it.
    who["age"] = pd.cut(years.clip(lower=starts[0]), [*starts, 200], right=False, labels=bands).astype(str)
    return who


def kept(in_dir, card):
    """Encounters that the card's rule keeps, with everything known about them."""
    table = pd.read_csv(in_dir / "scores.csv", parse_dates=["index_date"])
    table = table.merge(pd.read_csv(in_dir / "outcomes.csv"), on="encounter", validate="one_to_one")
    table = table.merge(people(in_dir / "demographics.csv", card), left_on="patient", right_index=True, how="left")
    short = table["followup_days"] < 30
    if card["censor_rule"] == "month":
        short = short.groupby([table["site"], table["index_date"].dt.to_period("M")]).transform("any")
    return table[~short].reset_index(drop=True)


def cells_of(card):
    """Cells as tuples of (axis, level): nobody's is (), that of everybody."""
    levels = card["levels"]
    single = [((axis, name),) for axis in levels for name in levels[axis]]
    pairs = [
        ((a, x), (b, z)) for a, b in card["intersections"] for x, z in product(levels[a], levels[b])
    ]  # fmt: skip
    return [(), *single, *pairs]


def members(table, cell):
    inside = pd.Series(True, index=table.index)
    for axis, name in cell:
        inside &= table[axis] == name
    return inside.to_numpy()


# ---- small cells -------------------------------------------------------------------------------


def sums_of(card):
    """(whole, parts): the counts of the parts add up to that of the whole."""
    levels = card["levels"]
    yield from (((), [((axis, name),) for name in names]) for axis, names in levels.items())
    for a, b in card["intersections"]:
        yield from ((((a, x),), [((a, x), (b, z)) for z in levels[b]]) for x in levels[a])
        yield from ((((b, z),), [((a, x), (b, z)) for x in levels[a]]) for z in levels[b])


def pinned(counts, gone, sums):
    """Hidden cells that whole numbers of 0 or more leave one value: bounds are tightened until nothing moves."""
    top = max(counts.values())
    low = {cell: 0 if cell in gone else n for cell, n in counts.items()}
    high = {cell: top if cell in gone else n for cell, n in counts.items()}
    moved = True
    while moved:
        moved = False
        for whole, parts in sums:
            least, most = sum(low[p] for p in parts), sum(high[p] for p in parts)
            news = [(whole, least, most)]
            news += [(p, low[whole] - most + high[p], high[whole] - least + low[p]) for p in parts]
            for cell, lo, hi in news:
                if lo > low[cell] or hi < high[cell]:
                    low[cell], high[cell] = max(lo, low[cell]), min(hi, high[cell])
                    moved = True
    return {cell for cell in gone if low[cell] == high[cell]}


def hidden(counts, card, attacker):
    """Cells whose count must not be shown: the small, and as many others as keep them from being worked out.

    attacker(gone): the cells that an outside check can still work out.
    """
    sums = list(sums_of(card))
    gone = {cell for cell, n in counts.items() if 1 <= n < card["min_cell"]}
    while leaks := pinned(counts, gone, sums) or attacker(gone):
        before = len(gone)
        for leak in sorted(leaks):
            for whole, parts in sums:
                family = [whole, *parts]
                # A cell that is alone in a sum needs a companion: the smallest that is not empty.
                if leak in family and len(gone & set(family)) == 1 and (left := [p for p in parts if p not in gone and counts[p]]):
                    gone.add(min(left, key=lambda cell: (counts[cell], cell)))
        if len(gone) == before:
            near = [c for w, parts in sums for c in parts if leaks & set(parts) and c not in gone and counts[c]]
            if not near:
                break
            gone.add(min(near, key=lambda cell: (counts[cell], cell)))
    return gone
