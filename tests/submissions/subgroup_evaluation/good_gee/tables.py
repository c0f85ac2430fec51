"""From the files to one table of kept encounters, a level per axis; the cells of the card, and which counts to hide."""

import re
import unicodedata
from itertools import product

import numpy as np
import pandas as pd

# A record's words decide, the first row that fits: whole words, for "caucasian" ends like "asian".
WORDS = {
    "race": {
        "Multiple": "two more multiple multiracial multi mixed biracial",
        "Hispanic": "hispanic latino latina latinx h 2135-2",
        "NHPI": "hawaiian hawaii pacific nhpi 2076-8",
        "AIAN": "indian alaska alaskan aian 1002-5",
        "Black": "black african b 2054-5",
        "White": "white caucasian w 2106-3",
        "Asian": "asian a 2028-9",
    },
    "payer": {
        "Medicaid": "medicaid mcd",
        "Medicare": "medicare mcr",
        "Self-pay": "self uninsured",
        "Commercial": "commercial employer hmo ppo private plan",
    },
    "language": {"English": "english en eng", "Spanish": "spanish espanol es spa"},
    "sex": {"female": "f female woman", "male": "m male man"},
}
SILENT = {"unknown", "unk", "declined", "refused", "unable", "not", "none", "undetermined"}


def level(field, value):
    """The card's level that a record means; None for a record that says nothing."""
    plain = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode().lower().strip()
    said = {plain, *re.findall(r"[a-z0-9]+", plain)}
    if field == "birth_date" or not plain:
        return plain or None
    for name, known in WORDS.get(field, {}).items():
        if said & set(known.split()):
            return name
    return "Other" if field == "language" and not said & SILENT else None


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


def people(path, card):
    """One row per patient: age, sex, race, language, payer."""
    told = written_alike(pd.read_csv(path, dtype=str, keep_default_na=False))
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
        who["race"] = votes.sort_values(["size", "last"]).groupby("patient")["level"].last()
    who["race"] = who["race"].fillna("missing")
    on, born = pd.Timestamp(card["age_on"]), pd.to_datetime(who.pop("birth_date"), format="mixed")
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
    """Cells as tuples of (axis, level); () is everybody."""
    levels = card["levels"]
    single = [((axis, name),) for axis in levels for name in levels[axis]]
    pairs = [((a, x), (b, z)) for a, b in card["intersections"] for x, z in product(levels[a], levels[b])]
    return [(), *single, *pairs]


def members(table, cell):
    return np.logical_and.reduce([np.ones(len(table), bool), *(table[axis] == name for axis, name in cell)])


def sums_of(card):
    """(whole, parts): the counts of the parts add up to that of the whole."""
    levels = card["levels"]
    yield from (((), [((axis, name),) for name in names]) for axis, names in levels.items())
    for a, b in card["intersections"]:
        yield from ((((a, x),), [((a, x), (b, z)) for z in levels[b]]) for x in levels[a])
        yield from ((((b, z),), [((a, x), (b, z)) for x in levels[a]]) for z in levels[b])


def pinned(counts, gone, sums):
    """Hidden cells that whole numbers of 0 or more leave one value: bounds are tightened until nothing moves."""
    low = {cell: 0 if cell in gone else n for cell, n in counts.items()}
    high = {cell: max(counts.values()) if cell in gone else n for cell, n in counts.items()}
    before = None
    while before != (before := sum(high.values()) - sum(low.values())):
        for whole, parts in sums:
            least, most = sum(low[p] for p in parts), sum(high[p] for p in parts)
            news = [(p, low[whole] - most + high[p], high[whole] - least + low[p]) for p in parts]
            for cell, lo, hi in [(whole, least, most), *news]:
                low[cell], high[cell] = max(lo, low[cell]), min(hi, high[cell])
    return {cell for cell in gone if low[cell] == high[cell]}


def hidden(counts, card, attacker):
    """Cells whose count must not be shown: the small, and others that keep them from being worked out.

    attacker(gone): the cells that an outside check still works out.
    """
    sums = list(sums_of(card))
    gone = {cell for cell, n in counts.items() if 1 <= n < card["min_cell"]}
    while leaks := pinned(counts, gone, sums) or attacker(gone):
        # A leak that is alone in a sum needs a companion there; one that is not, any neighbour: the smallest not empty.
        families = [{whole, *parts} for whole, parts in sums if leaks & {whole, *parts}]
        left = [[c for c in f if len(dict(c)) and c not in gone and counts[c]] for f in families]
        alone = [free for family, free in zip(families, left) if free and len(gone & family) == 1]
        if not any(left):
            break
        for free in alone or [sum(left, [])]:
            gone.add(min(free, key=lambda cell: (-len(cell), counts[cell], cell)))
    return gone
