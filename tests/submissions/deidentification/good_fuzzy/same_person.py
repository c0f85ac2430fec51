"""Which charts are one person's: the same name and birth date, and no two social security numbers that both count."""

import pandas as pd

from known_people import squeeze


def same_people(patients):
    """patient_id -> the least patient_id of the same person."""
    table = patients.assign(
        name=[f"{squeeze(g)} {squeeze(f)}" for g, f in zip(patients["given"], patients["family"])],
        number=patients["ssn"].str.replace(r"\D", "", regex=True),
    )
    # A number of people with several names and birthdays is what clerks type who were told none.
    people = table.drop_duplicates(["number", "name", "birth_date"]).groupby("number").size()
    table["number"] = table["number"].where(table["number"].map(people).fillna(1) <= 2, "")
    parent = {pid: pid for pid in table["patient_id"]}

    def root(pid):
        while parent[pid] != pid:
            pid = parent[pid]
        return pid

    def join(group):
        for other in group[1:]:
            a, b = sorted((root(group[0]), root(other)))
            parent[b] = a

    # By number and birthday, whatever the name is now; a number mistyped into a stranger's chart joins nobody.
    for _, group in table[table["number"] != ""].groupby(["number", "birth_date"])["patient_id"]:
        join(group.tolist())
    # By name and birthday, when at most one of the charts has a number.
    for _, group in table.groupby(["name", "birth_date", "sex"]):
        if len(group) > 1 and group.loc[group["number"] != "", "number"].nunique() <= 1:
            join(group["patient_id"].tolist())
    return pd.Series({pid: root(pid) for pid in parent}).to_dict()
