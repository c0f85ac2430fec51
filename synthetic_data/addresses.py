"""How people are reached and numbered: addresses, telephones, e-mail and the numbers that stand for a person."""

from __future__ import annotations

import unicodedata

import numpy as np
import numpy.typing as npt

from synthetic_data import network, vocab
from synthetic_data.network import Site
from synthetic_data.streams import IntArray, Seed

# Mobile numbers move with their owners; with local numbers alone, 100 per area code, households would collide.
LOCAL_NUMBER_SHARE = 0.45
EMAIL_DOMAINS = ("example.com", "example.org", "example.net")
# Patients 2k and 2k + 1, when at different sites, have the same record number this often.
SHARED_MRN_SHARE = 0.50
ZIPS_PER_TOWN = 3
PLAN_PATTERN = "@@@#######"


def ascii_word(text: str) -> str:
    """A name as it stands in an e-mail address or file name: ASCII letters and digits only, lower case."""
    folded = unicodedata.normalize("NFKD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(c for c in folded if c.isascii() and c.isalnum()).lower()


def site_index(seed: Seed, ids: IntArray, sites: tuple[Site, ...]) -> IntArray:
    """Which of the sites each patient belongs to."""
    shares = [site.share for site in sites]
    return np.asarray(seed.stream("population/site").choice(shares, ids), np.int64)


def health_plan_ids(seed: Seed, ids: IntArray) -> list[str]:
    """One per patient, unique in the network."""
    values = network.scatter(seed.stream("population/health_plan"), ids, network.capacity(PLAN_PATTERN))
    return network.fill(PLAN_PATTERN, values)


def record_numbers(seed: Seed, ids: IntArray, persons: IntArray, site: IntArray, sites: tuple[Site, ...]) -> list[str]:
    """Unique within a site; two sites may give the same one to different people, and never to one person."""
    # Patients 2k and 2k+1 form a pair; the odd one takes the even one's number if it is at another site.
    # Nobody else is ever given that number, so it stays unique within each site.
    partner = ids - ids % 2
    pair_shares = seed.stream("population/shared_mrn").uniform(partner) < SHARED_MRN_SHARE
    shares = pair_shares & (site != site_index(seed, partner, sites)) & (persons == ids)
    counted = np.where(shares, partner, ids)
    out = np.full(len(ids), "", dtype=object)
    for place, here in enumerate(sites):
        rows = site == place
        # The stream is the network's, not the site's: equal patterns then give equal texts.
        values = network.scatter(seed.stream("population/mrn"), counted[rows], network.capacity(here.mrn_pattern))
        out[rows] = network.fill(here.mrn_pattern, values)
    return list(out)


def social_security_numbers(seed: Seed, ids: IntArray) -> list[str]:
    """One per patient, unique in the network, and never issued to anybody."""
    # Area 9xx is never issued; groups 50 and up are taxpayer numbers (ITIN), so only 01 to 49 are used.
    value = network.scatter(seed.stream("population/ssn"), ids, 100 * 49 * 9999)
    area, rest = 900 + value // (49 * 9999), value % (49 * 9999)
    return [
        f"{a}-{g:02d}-{s:04d}"
        for a, g, s in zip(area.tolist(), (rest // 9999 + 1).tolist(), (rest % 9999 + 1).tolist(), strict=True)
    ]


def places(seed: Seed, ids: IntArray, site: IntArray, sites: tuple[Site, ...]) -> dict[str, list[str]]:
    """Columns street, city, county, state and zip: an invented town in the region of the patient's site."""
    draw = seed.stream("population/place")
    table = vocab.read("places")
    at_site = table["site"].to_numpy(dtype=object)
    where = np.zeros(len(ids), np.int64)
    for place, here in enumerate(sites):
        towns = np.flatnonzero(at_site == here.code)
        if not len(towns):
            raise ValueError(f"vocab/places.csv has no town for site {here.code}")
        rows = site == place
        where[rows] = towns[draw.choice(len(towns), ids[rows], 0)]
    last_two = (where * ZIPS_PER_TOWN + draw.choice(ZIPS_PER_TOWN, ids, 1)) % 100
    house = draw.integers(1, 9900, ids, 2)
    unit = draw.integers(1, 40, ids, 3)
    has_unit = draw.uniform(ids, 4) < 0.2
    streets = pool("streets", "street")
    names_of_streets = streets[draw.choice(len(streets), ids, 5)]
    zip3 = table["zip3"].to_numpy(dtype=object)[where]
    return {
        "street": [
            f"{h} {s}, Apt {k}" if apt else f"{h} {s}"
            for h, s, k, apt in zip(house.tolist(), names_of_streets, unit.tolist(), has_unit, strict=True)
        ],
        "city": table["city"].to_numpy(dtype=object)[where].tolist(),
        "county": table["county"].to_numpy(dtype=object)[where].tolist(),
        "state": table["state"].to_numpy(dtype=object)[where].tolist(),
        "zip": [f"{z}{k:02d}" for z, k in zip(zip3, last_two.tolist(), strict=True)],
    }


def town_zips() -> list[str]:
    """Every ZIP code that a patient can have, in the order of vocab/places.csv."""
    areas = vocab.read("places")["zip3"].tolist()
    return [
        f"{area}{(ZIPS_PER_TOWN * town + k) % 100:02d}" for town, area in enumerate(areas) for k in range(ZIPS_PER_TOWN)
    ]


def phones(seed: Seed, ids: IntArray, local: list[tuple[str, ...]], item: npt.ArrayLike) -> list[str]:
    """555-0100 to 555-0199 is set aside for fiction, so no real person is called."""
    draw = seed.stream("phones")
    elsewhere = vocab.read("area_codes")["value"].tolist()
    is_local = draw.uniform(ids, item, 0) < LOCAL_NUMBER_SHARE
    which = draw.uniform(ids, item, 1)
    last = draw.integers(0, 100, ids, item, 2)
    return [
        f"{codes[int(u * len(codes))]}-555-01{k:02d}"
        for codes, u, k in zip(
            (own if here else elsewhere for own, here in zip(local, is_local, strict=True)),
            which.tolist(),
            last.tolist(),
            strict=True,
        )
    ]


def emails(
    seed: Seed, ids: IntArray, given: list[str], family: list[str], born: npt.NDArray[np.datetime64]
) -> list[str]:
    """Addresses made of the name and, for half of them, the year of birth; not unique."""
    draw = seed.stream("emails")
    shape = draw.choice(4, ids, 0).tolist()
    domain = draw.choice(len(EMAIL_DOMAINS), ids, 1).tolist()
    year = born.astype("datetime64[Y]").astype(np.int64) + 1970
    number = draw.integers(1, 1000, ids, 2)
    out = []
    for g, f, s, d, y, n in zip(given, family, shape, domain, year.tolist(), number.tolist(), strict=True):
        first, last = ascii_word(g), ascii_word(f)
        local = (f"{first}.{last}", f"{first[:1]}{last}{y % 100:02d}", f"{first}_{last}{n}", f"{last}.{first}{y}")[s]
        out.append(f"{local}@{EMAIL_DOMAINS[d]}")
    return out


def pool(name: str, group: str) -> npt.NDArray[np.object_]:
    """The values of one group of a table in vocab/."""
    table = vocab.read(name)
    return table.loc[table["group"] == group, "value"].to_numpy(dtype=object)
