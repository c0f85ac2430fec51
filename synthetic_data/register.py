"""The region around the patients: how many people live in each ZIP code, and the public register that lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_data import addresses, population, vocab
from synthetic_data.streams import IntArray, Seed

if TYPE_CHECKING:
    import pandas as pd

# Safe Harbor keeps the first three digits of a ZIP only where more people than this live, 45 CFR 164.514(b)(2)(i)(B).
SMALL_AREA = 20_000
# On the list of such areas that is copied everywhere, which is that of the 2000 Census; one of them is small here too.
LISTED = ("036", "059", "692")
# Large areas are not much larger: then a release by Safe Harbor's list alone singles people out.
SMALL_SIZES, LARGE_SIZES = (8_000, 19_900), (20_300, 25_000)
KEY = ("zip3", "birth_year", "sex", "race", "language")
SEXES = ("female", "male")


def zip_population(seed: Seed) -> pd.DataFrame:
    """Columns zip and population: all ZIPs of the patients' towns and, per area, two to four others.

    Per site one area is small, and no single ZIP has enough people to decide for its area.
    """
    import pandas as pd

    places = vocab.read("places")
    towns, areas = addresses.town_zips(), sorted(set(places["zip3"]))
    draw = seed.stream("region")
    # One at each site: else a third of all patients could live in small areas.
    small = {LISTED[int(draw.choice(len(LISTED), 0))]}
    elsewhere = places[~places["site"].isin(places.loc[places["zip3"].isin(small), "site"])]
    for k, (_, there) in enumerate(elsewhere.groupby("site")["zip3"], 1):
        unlisted = sorted(set(there) - set(LISTED))
        small.add(unlisted[int(draw.choice(len(unlisted), k))])
    parts = []
    for k, area in enumerate(areas):
        low, high = SMALL_SIZES if area in small else LARGE_SIZES
        people = int(draw.integers(low, high + 1, k, 1))
        # Numbers that no town has.
        free = np.setdiff1d(np.arange(100), [int(code[3:]) for code in towns])
        spare = free[seed.stream("region/zips").permutation(len(free), k)[: int(draw.integers(2, 5, k, 2))]]
        codes = sorted({code for code in towns if code[:3] == area} | {f"{area}{n:02d}" for n in spare.tolist()})
        weight = 0.5 + seed.stream("region/weight").uniform(np.arange(len(codes)), k)
        edges = np.rint(np.cumsum(weight) / weight.sum() * people).astype(np.int64)
        parts.append(pd.DataFrame({"zip": codes, "population": np.diff(edges, prepend=0)}))
    return pd.concat(parts, ignore_index=True)


def register(seed: Seed, zips: pd.DataFrame, patients: pd.DataFrame) -> pd.DataFrame:
    """Columns zip3, birth_year, sex, race, language and people: how many inhabitants share these, patients included.

    zips: `zip_population`.  patients: the patients' own rows. The other inhabitants are drawn as patients are, except
    that the old are no more frequent among them than in the census.
    """
    import pandas as pd

    own = pd.DataFrame(
        {
            "zip3": patients["zip"].str[:3].tolist(),
            "birth_year": patients["birth_date"].str[:4].astype("int64").tolist(),
            **{name: patients[name].tolist() for name in ("sex", "race", "language")},
        }
    )
    total = zips.groupby(zips["zip"].str[:3])["population"].sum()
    patients_there = own["zip3"].value_counts().reindex(total.index, fill_value=0)
    others = (total - patients_there).clip(lower=0)
    rows = pd.concat([own.assign(people=1), _inhabitants(seed, list(others.index), others.to_numpy(np.int64))])
    return rows.groupby(list(KEY))["people"].sum().reset_index()


def schema() -> pd.DataFrame:
    """Columns column, meaning and values: what the register says of a person."""
    import pandas as pd

    races = dict.fromkeys(_race(race) for race in population.RACES)
    spoken = sorted({"en", *population.LANGUAGES.values()})
    rows = [
        ("name", "given and family name", "text"),
        ("birth_year", "year of birth, also of people of 90 and more", "four digits"),
        ("sex", "", " | ".join(SEXES)),
        ("race", "as in patients.csv", " | ".join(races)),
        ("language", "spoken at home, as in patients.csv", " | ".join(spoken)),
        ("zip", "of the home", "five digits, one of zip_population.csv"),
    ]
    order = ["name", "birth_year", "sex", "zip", "race", "language"]
    frame = pd.DataFrame(rows, columns=["column", "meaning", "values"])
    return frame.set_index("column").loc[order].reset_index()


def _inhabitants(seed: Seed, areas: list[str], people: IntArray) -> pd.DataFrame:
    """The register's rows of `people[i]` invented inhabitants of area i."""
    import pandas as pd

    who = np.arange(int(people.sum()))
    # One draw of four 32-bit words is all that a person needs.
    u = (seed.stream("register").words(who).astype(np.float64) + 0.5) * 2.0**-32
    pairs, shares = _races_and_languages()
    pair = np.minimum(np.searchsorted(np.cumsum(shares), u[:, 0], side="right"), len(pairs) - 1)
    shares_of_ages = np.array(population.AGE_SHARES) / np.array(population.CARE_RATIOS)
    band_edges = np.cumsum(shares_of_ages) / shares_of_ages.sum()
    band = np.minimum(np.searchsorted(band_edges, u[:, 1], side="right"), len(band_edges) - 1)
    bands = np.array(population.AGE_BANDS)
    age = (bands[band] + (bands[band + 1] - bands[band]) * u[:, 2]) * population.YEAR
    born = population.MID_WINDOW - np.ceil(age).astype("timedelta64[D]")
    year = born.astype("datetime64[Y]").astype(np.int64) + 1970
    sex = (u[:, 3] < population.MALE_SHARE).astype(np.int64)
    oldest, span = int(year.min()), int(np.ptp(year)) + 1
    # One number per combination, so that counting is one pass.
    cell = ((np.repeat(np.arange(len(areas)), people) * span + year - oldest) * 2 + sex) * len(pairs) + pair
    count = np.bincount(cell)
    found = np.flatnonzero(count)
    rest, pair = np.divmod(found, len(pairs))
    rest, sex = np.divmod(rest, 2)
    area, year = np.divmod(rest, span)
    columns = {
        "zip3": np.array(areas, object)[area],
        "birth_year": year + oldest,
        "sex": np.array(SEXES, object)[sex],
        "race": np.array([race for race, _ in pairs], object)[pair],
        "language": np.array([language for _, language in pairs], object)[pair],
        "people": count[found],
    }
    return pd.DataFrame(columns)


def _races_and_languages() -> tuple[list[tuple[str, str]], list[float]]:
    """Every (race, language) that a patient can have, and its share."""
    shares: dict[tuple[str, str], float] = {}
    for race, share in zip(population.RACES, population.RACE_SHARES, strict=True):
        for group, part in population.NAME_GROUP_SHARES[race].items():
            home = population.LANGUAGES.get(group, "en")
            for language, often in ((home, population.HOME_LANGUAGE_SHARE), ("en", 1 - population.HOME_LANGUAGE_SHARE)):
                key = (_race(race), language)
                shares[key] = shares.get(key, 0.0) + share * part * often
    whole = sum(shares.values())
    return list(shares), [share / whole for share in shares.values()]


def _race(drawn: str) -> str:
    """As the patients table has it: most tables have no race for Hispanic people but "Other"."""
    return "Other" if drawn == "Hispanic" else drawn
