"""The six tables: what is named here goes out, as whole columns; everything else is blank."""

from functools import partial

import pandas as pd

from register_risk import birth_years, released_zips

# Columns that leave as they came. Others are codes, dates, cleaned texts, or blank.
AS_THEY_ARE = {
    "patients": ["site", "sex", "race", "ethnicity", "language", "state", "insurance"],
    "contacts": ["relationship"],
    "encounters": ["site", "class", "reason", "provider_given", "provider_family"],
    "conditions": ["code", "display", "clinical_status"],
    "labs": ["site", "category", "loinc", "name", "value", "unit", "ref_low", "ref_high", "interpretation"],
    "meds": ["rxnorm", "name"],
}
CODES = {
    "patient_id": "person",
    "contact_id": "contact",
    "encounter_id": "encounter",
    "condition_id": "condition",
    "lab_id": "lab",
    "med_id": "med",
}
DATES = {"encounters": ["start", "end"], "conditions": ["onset_date"], "labs": ["taken_at"], "meds": ["start_date"]}
TEXTS = {"labs": "comment", "meds": "sig"}
# A text that stands beside so many people is from a pick list.
PICKED = 5


def first_encounters(encounters, same):
    """First chart of a person -> the day of the person's first encounter."""
    there = encounters[encounters["start"].str.len() >= 10]
    days = there.groupby(there["patient_id"].map(lambda pid: same.get(pid, pid)))["start"].min().str[:10]
    return dict(zip(days.index, pd.to_datetime(days).dt.date))


def release_tables(tables, zips, card, keyed, text, blank):
    """name -> the released table, rows and columns in the given order."""
    done = {}
    for name, table in tables.items():
        withheld = card["withhold"].get(name, [])
        out = pd.DataFrame("", index=table.index, columns=list(table.columns), dtype=object)
        for column in AS_THEY_ARE[name]:
            if column not in withheld:
                out[column] = table[column]
        for column in set(CODES) & set(table.columns):
            code = keyed.person if column == "patient_id" else partial(keyed.code, CODES[column])
            codes = {value: code(value) for value in table[column].unique()}
            out[column] = table[column].map(codes)
        for column in DATES.get(name, []):
            out[column] = shifted(table["patient_id"], table[column], keyed)
        if name in TEXTS:
            out[TEXTS[name]] = free_text(table["patient_id"], table[TEXTS[name]], text)
        done[name] = out
    people, out = tables["patients"], done["patients"]
    out["birth_date"] = birth_years(people["birth_date"], card["as_of"])
    out["zip"] = released_zips(people["zip"], zips)
    cell = people["patient_id"].map(blank)
    for column in ("language", "race", "birth_date"):
        out[column] = out[column].mask(cell == column, "")
    out["zip"] = out["zip"].mask(cell == "zip", "000")
    done["labs"]["mrn"] = done["labs"]["patient_id"]
    done["labs"] = done["labs"].drop(columns="patient_id")
    return done


def shifted(patient_ids, column, keyed):
    """A column of dates or timestamps, every one moved by its patient's days; the time of day stays."""
    days = patient_ids.map({pid: keyed.days(pid) for pid in patient_ids.unique()})
    there = column.str.len() >= 10
    moved = pd.to_datetime(column.where(there, "2000-01-01").str[:10]) + pd.to_timedelta(days, unit="D")
    return (moved.dt.strftime("%Y-%m-%d") + column.str[10:]).where(there, "")


def free_text(patient_ids, column, text):
    """A column of comments; those from a pick list need no look, the others are cleaned like a note."""
    people = pd.DataFrame({"who": patient_ids, "text": column}).groupby("text")["who"].nunique()
    # Nobody's address or number, though several people may share one.
    plain = ~people.index.str.contains(r"@|(?:\d\D{0,2}){7}")
    picked = set(people.index[plain & (people >= PICKED)]) | {""}
    text.harmless |= picked
    wrote = [value if value in picked else text.clean(who, value) for who, value in zip(patient_ids, column)]
    return pd.Series(wrote, index=column.index)
