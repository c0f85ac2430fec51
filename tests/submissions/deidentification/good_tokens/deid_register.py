"""The public register: which cells to blank so that linking it with the release singles nobody out.

Nobody here has the register, so the number of inhabitants who fit a patient is estimated: people in the ZIP area x
share of the sex x share of the birth year x share of race with language. The area comes from zip_population.csv, the
shares from the other patients; the patient's own row is left out, else the only one of a kind would look frequent.
"""

from collections import Counter
from itertools import combinations

ENOUGH = 5   # estimated people; not 2, as the estimate is rough and patients are older than inhabitants
AROUND = 5   # years before and after a birth year that its share is taken from
MAY_GO = ["language", "race", "birth_date"]  # in this order of preference; ZIP areas and sex stay


def cells_to_blank(patients, policy):
    """patient_id -> the columns of patients.csv to blank, most often none."""
    rows = [{**row, "birth_date": policy.birth_year(row["birth_date"])} for row in patients]
    kinds = [("sex",), ("birth_date",), (), ("race",), ("language",), ("race", "language")]
    counts = {columns: Counter(values(row, columns) for row in rows) for columns in kinds}
    choices = [set(some) for size in range(len(MAY_GO) + 1) for some in combinations(MAY_GO, size)]
    blank = {}
    for row in rows:
        enough = (some for some in choices if people_like(row, some, counts, policy) >= ENOUGH)
        blank[row["patient_id"]] = next(enough, set(MAY_GO))
    return blank


def people_like(row, blank, counts, policy):
    """The estimated number of inhabitants who fit a row whose columns `blank` are blank."""

    def others(columns):
        return counts[columns][values(row, columns)] - 1

    everybody = max(1, others(()))
    ethnic = tuple(column for column in ("race", "language") if column not in blank)
    share = others(("sex",)) / everybody * others(ethnic) / everybody
    if "birth_date" not in blank:
        share *= share_of_birth_year(row["birth_date"], counts["birth_date",]) / everybody
    return policy.population.get(row["zip"][:3], 0) * share


def share_of_birth_year(year, counts):
    """How many other patients have the year, smoothed over its neighbours; of the very old as counted."""
    if not year.isdigit():
        return counts[year,] - 1
    return (sum(counts[str(int(year) + k),] for k in range(-AROUND, AROUND + 1)) - 1) / (2 * AROUND + 1)


def values(row, columns):
    return tuple(row[column] for column in columns)
