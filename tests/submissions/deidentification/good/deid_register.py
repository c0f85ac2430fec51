"""The public register: which cells to blank so that linking it with the release singles nobody out.

Nobody has the register itself, so the number of inhabitants who fit a patient is estimated:
people in the ZIP area x share of the sex x share of the birth year x share of race with language. The area comes from
zip_population.csv, the shares from the other patients; the patient's own row is left out, else whoever is the only one
of a kind among the patients would look frequent.
"""

from collections import Counter
from itertools import combinations

ENOUGH = 20     # estimated people; far above 1, as the estimate is rough and patients are older than inhabitants
AROUND = 5      # years before and after a birth year that its share is taken from
BLANKED = ["language", "race", "birth_date"]  # in this order of preference; ZIP areas and sex stay


def cells_to_blank(patients, policy):
    """patient_id -> the columns of patients.csv to blank, most often none."""
    rows = [
        {**row, "birth_date": policy.birth_year(row["birth_date"]), "zip": policy.zip3(row["zip"])} for row in patients
    ]
    counts = {"sex": count(rows, ["sex"]), "birth_date": count(rows, ["birth_date"])}
    for columns in ([], ["race"], ["language"], ["race", "language"]):
        counts[tuple(columns)] = count(rows, columns)
    choices = [set(some) for size in range(len(BLANKED) + 1) for some in combinations(BLANKED, size)]
    return {
        row["patient_id"]: next(
            (some for some in choices if people_like(row, some, counts, policy, len(rows)) >= ENOUGH), set(BLANKED)
        )
        for row in rows
    }


def people_like(row, blank, counts, policy, patients):
    """The estimated number of inhabitants who fit a row whose columns `blank` are blank."""
    others = max(1, patients - 1)
    ethnic = tuple(c for c in ("race", "language") if c not in blank)
    share = counts["sex"][row["sex"],] / patients
    share *= (counts[ethnic][tuple(row[c] for c in ethnic)] - 1) / others
    if "birth_date" not in blank:
        share *= share_of_birth_year(row["birth_date"], counts["birth_date"], others)
    return people_in_area(row["zip"], policy) * share


def share_of_birth_year(year, counts, others):
    """The share of one year, smoothed over its neighbours; that of the very old as counted."""
    if not year.isdigit():
        return (counts[year,] - 1) / others
    near = sum(counts[str(int(year) + k),] for k in range(-AROUND, AROUND + 1)) - 1
    return near / (2 * AROUND + 1) / others


def people_in_area(zip3, policy):
    """A release's "000" tells at most that it is one of the small areas: the smallest counts."""
    if zip3 in policy.population:
        return policy.population[zip3]
    return min((n for area, n in policy.population.items() if policy.zip3(area) == "000"), default=0)


def count(rows, columns):
    return Counter(tuple(row[c] for c in columns) for row in rows)
