"""One person may have charts at several sites; find the charts that belong together."""

from collections import defaultdict
from itertools import combinations

import regex as re
from rapidfuzz.distance import OSA

from .text import fold


def letters(text):
    return re.sub(r"[^a-z]", "", fold(text or "").lower())


def digits(text):
    return re.sub(r"\D", "", text or "")


def alike(a, b):
    """Names that may be one name: equal, misspelled, shortened, or one part of a double name."""
    x, y = letters(a), letters(b)
    if not x or not y:
        return not x and not y
    if x == y or OSA.distance(x, y) <= (1 if min(len(x), len(y)) < 7 else 2):
        return True
    if min(len(x), len(y)) >= 3 and (x.startswith(y) or y.startswith(x)):
        return True
    parts = [{letters(p) for p in re.split(r"[\s\-]+", n) if len(letters(p)) > 1} for n in (a, b)]
    return bool(parts[0] & parts[1])


def close(a, b):
    """Given names that are one name: equal, one slip, or one cut short. Not 'one part shared': twins may share a part."""
    x, y = letters(a), letters(b)
    return bool(x) and bool(y) and (x == y or (min(len(x), len(y)) >= 4 and OSA.distance(x, y) <= 1) or (min(len(x), len(y)) >= 3 and (x.startswith(y) or y.startswith(x))))


def slip(a, b):
    """Birth dates that differ in one part, or have month and day exchanged."""
    x, y = (a or "").split("-"), (b or "").split("-")
    if len(x) != 3 or len(y) != 3:
        return False
    if x[0] == y[0] and x[1] == y[2] and x[2] == y[1]:
        return True
    return sum(p != q for p, q in zip(x, y)) == 1 and abs(int(x[0]) - int(y[0])) <= 10


def same(a, b):
    ssn = digits(a.get("ssn")), digits(b.get("ssn"))
    born = bool(a.get("birth_date")) and a.get("birth_date") == b.get("birth_date")
    sex = a.get("sex") == b.get("sex") or not a.get("sex") or not b.get("sex")
    given, family = close(a.get("given"), b.get("given")), alike(a.get("family"), b.get("family"))
    known = len(ssn[0]) >= 9 and len(ssn[1]) >= 9
    if known and ssn[0] == ssn[1]:
        return (born and given) or (given and family and sex and slip(a.get("birth_date"), b.get("birth_date"))) or (born and family and sex and alike(a.get("given"), b.get("given")))
    if not (born and given and family and sex):
        return False
    if not known or OSA.distance(*ssn) <= 1:
        return True
    shared = sum(
        bool(letters(a.get(c)) + digits(a.get(c))) and letters(a.get(c)) + digits(a.get(c)) == letters(b.get(c)) + digits(b.get(c))
        for c in ("phone", "email", "street", "health_plan_id")
    )
    return shared >= 2 and letters(a.get("given")) == letters(b.get("given"))


def group(patients):
    """patient_id -> the patient_id that stands for the person."""
    parent = {r["patient_id"]: r["patient_id"] for r in patients}

    def root(x):
        while parent[x] != x:
            parent[x] = parent[parent[x]]
            x = parent[x]
        return x

    blocks = defaultdict(list)
    for r in patients:
        for name, value in (
            ("ssn", digits(r.get("ssn"))), ("plan", (r.get("health_plan_id") or "").replace(" ", "").upper()),
            ("born", r.get("birth_date")), ("email", (r.get("email") or "").lower()),
        ):
            if value:
                blocks[name, value].append(r)
    for rows in blocks.values():
        if 2 <= len(rows) <= 60:
            for a, b in combinations(rows, 2):
                x, y = root(a["patient_id"]), root(b["patient_id"])
                if x != y and same(a, b):
                    parent[max(x, y)] = min(x, y)
    return {pid: root(pid) for pid in parent}
