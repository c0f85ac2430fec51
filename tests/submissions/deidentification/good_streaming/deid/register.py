"""Against the public register: which ZIP areas may be named, which cells to blank so that nobody stands alone in it.

The register itself is not given. How many inhabitants fit a patient is estimated: the area's population times the
share of people with that year of birth and sex, times the share with that race and language. The shares are the
patients' own.
"""

import csv
from collections import Counter
from itertools import combinations

SMALL = 20_000
ENOUGH = (
    7  # inhabitants that should fit; the estimate may be off by a factor of two, and 1/k must be 0.05 on average only
)
WINDOW = 5  # years on either side over which births are averaged
AGED, AGED_MORE = 60, 1.7  # people of this age are seen in hospitals so much more often than they live in the region
MAY_GO = ("language", "race", "birth_date", "zip")  # in the order of what the study misses least


class Register:
    def __init__(self, path, release):
        self.release = release
        self.area = Counter()
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                self.area[row["zip"][:3]] += int(row["population"])
        self.born, self.sex, self.spoken, self.race, self.language = (Counter() for _ in range(5))
        self.of_site, self.total = {}, 0

    def zip3(self, code):
        """The first three digits, or 000 where few people live."""
        code = (code or "").strip()[:3]
        return code if self.area[code] > SMALL else "000"

    def patient(self, row):
        """First pass: count."""
        self.total += 1
        self.born[self.release.birth(row["birth_date"])] += 1
        self.sex[row["sex"]] += 1
        self.race[row["race"]] += 1
        self.language[row["language"]] += 1
        self.spoken[row["race"], row["language"]] += 1
        if self.zip3(row["zip"]) == "000":
            self.of_site.setdefault(row["site"], set()).add(row["zip"][:3])

    def fit(self, row, blank):
        """About how many inhabitants fit what is left of the row."""
        zip3 = "000" if "zip" in blank else self.zip3(row["zip"])
        areas = self.of_site.get(row["site"], ()) if zip3 == "000" else (zip3,)
        people = sum(self.area[a] for a in areas) or SMALL
        people *= self.sex[row["sex"]] / self.total
        year = self.release.birth(row["birth_date"])
        if "birth_date" not in blank:
            people *= self.born_share(year)
        if "race" not in blank and "language" not in blank:
            people *= self.spoken[row["race"], row["language"]] / self.total
        elif "race" not in blank:
            people *= self.race[row["race"]] / self.total
        elif "language" not in blank:
            people *= self.language[row["language"]] / self.total
        return people

    def born_share(self, year):
        """The share of inhabitants born in a year, smoothed; of the old, all of them together."""
        if not year.isdigit():
            return self.born[year] / self.total / AGED_MORE
        middle = int(year)
        near = sum(self.born[str(y)] for y in range(middle - WINDOW, middle + WINDOW + 1))
        share = near / (2 * WINDOW + 1) / self.total
        return share / AGED_MORE if self.release.as_of.year - middle >= AGED else share

    def blanks(self, row):
        """The fewest cells that must go so that enough inhabitants fit."""
        for count in range(len(MAY_GO)):
            for blank in combinations(MAY_GO, count):
                if self.fit(row, blank) >= ENOUGH:
                    return set(blank)
        return set(MAY_GO)
