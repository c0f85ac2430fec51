"""Blank single cells so that a public register with ZIP, birth year, sex, race and language singles nobody out.

The register itself is not ours; its cells are reckoned from the ZIP populations and the patients' own make-up.
"""

from collections import Counter

COST = {"language": 1.0, "race": 1.2, "zip": 1.6, "birth_date": 2.5}
CHOICES = [
    (), ("language",), ("race",), ("zip",), ("language", "race"), ("birth_date",), ("language", "zip"), ("race", "zip"),
    ("language", "race", "zip"), ("birth_date", "language"), ("birth_date", "race"), ("birth_date", "zip"),
    ("birth_date", "language", "race"), ("birth_date", "language", "race", "zip"),
]


class Register:
    def __init__(self, rows, area_people, as_of):
        """rows: dicts with year (int or None), old (bool), sex, area, race, language."""
        self.area_people = area_people
        self.total = max(1, sum(area_people.values()))
        self.n = max(1, len(rows))
        self.sex = Counter(r["sex"] for r in rows)
        self.both = Counter((r["race"], r["language"]) for r in rows)
        self.race = Counter(r["race"] for r in rows)
        self.language = Counter(r["language"] for r in rows)
        self.local = {}
        self.shares = {}
        for r in rows:
            self.local.setdefault(r["area"], Counter())[(r["race"], r["language"])] += 1
        self.years = Counter(r["year"] for r in rows if not r["old"] and r["year"])
        self.old = sum(1 for r in rows if r["old"]) / self.n
        self.small = [z for z, p in area_people.items() if p <= 20000]

    def people(self, area):
        if area == "*":
            return self.total
        if area == "000":
            return sum(self.area_people[z] for z in self.small) or self.total
        return self.area_people.get(area, 1)

    def share(self, race, language, area):
        if (race, language, area) not in self.shares:
            self.shares[race, language, area] = self._share(race, language, area)
        return self.shares[race, language, area]

    def _share(self, race, language, area):
        def of(counter):
            return sum(c for (r, l), c in counter.items() if race in (None, r) and language in (None, l))

        everywhere = max(of(self.both) - 0.5, 0.3) / self.n
        here = self.local.get(area)
        if not here:
            return everywhere
        size = sum(here.values())
        return (of(here) + 60 * everywhere) / (size + 60)

    def year_share(self, row):
        if row["old"]:
            return max(min(self.old * 0.5, 0.012), 0.003)
        near = sum(self.years[y] for y in range(row["year"] - 4, row["year"] + 5)) / 9 / self.n
        return max(min(near, 1 / 85), 1 / 400)

    def fit(self, row, blank):
        # forced: this area is small and becomes 000 anyway
        area = "*" if "zip" in blank else ("000" if row["area"] in self.small else row["area"])
        k = self.people(area)
        k *= 1 if "birth_date" in blank else self.year_share(row)
        k *= (self.sex[row["sex"]] / self.n or 0.5) if row["sex"] else 1
        race = None if "race" in blank else row["race"]
        language = None if "language" in blank else row["language"]
        if race is not None or language is not None:
            k *= self.share(race, language, row["area"])
        return k + 0.5

    def choose(self, row, least, usable):
        best = None
        for blank in CHOICES:
            if not set(blank) <= usable:
                continue
            k = self.fit(row, blank)
            cost = sum(COST[b] for b in blank)
            if k >= least and (best is None or cost < best[0]):
                best = (cost, blank, k)
        if best is None:
            return tuple(usable), self.fit(row, tuple(usable))
        return best[1], best[2]


def blanks(rows, area_people, as_of, usable):
    """For every row the cells to blank."""
    register = Register(rows, area_people, as_of)
    for least in (9, 10, 12, 14, 17, 20, 25, 30, 40):
        chosen = [register.choose(row, least, usable) for row in rows]
        if sum(1 / k for _, k in chosen) <= 0.040 * len(rows):
            break
    return [set(blank) for blank, _ in chosen]
