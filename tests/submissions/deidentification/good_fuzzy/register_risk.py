"""Which cells to blank so that nobody is singled out in the register: an estimate of how many inhabitants fit."""

import numpy as np
import pandas as pd

ENOUGH = 12


def area_people(zips):
    """How many people live in each three-digit area."""
    return zips["population"].astype(int).groupby(zips["zip"].str[:3]).sum()


def birth_years(born, as_of):
    """A column of birth dates as released: the year, or "90+"."""
    had_birthday = born.str[5:10] <= as_of[5:10]
    age = int(as_of[:4]) - born.str[:4].astype(int) - 1 + had_birthday.astype(int)
    old = age >= 90
    return born.str[:4].mask(old, "90+")


def released_zips(zip_codes, zips):
    """A column of ZIP codes as released."""
    area = zip_codes.str[:3]
    people = area_people(zips)
    return area.where(area.map(people).fillna(0) > 20_000, "000")


def cells_to_blank(patients, zips, card):
    """patient_id -> one of "language", "race", "zip", "birth_date", for the patients who need it.

    The expected number of inhabitants who fit is the area's population times the shares of year and sex, race and
    language among the patients, who are a sample of them. Where it is too small, the one cell goes that helps most.
    """
    people, home = area_people(zips), patients["zip"].str[:3]
    area = released_zips(patients["zip"], zips)
    year = birth_years(patients["birth_date"], card["as_of"])
    # Who hides the area still tells the site: all areas of its patients come into question.
    lived_in = pd.DataFrame({"site": patients["site"], "area": home}).drop_duplicates()
    site_people = lived_in["area"].map(people).fillna(0).groupby(lived_in["site"]).sum()
    all_of_site = patients["site"].map(site_people).fillna(0)
    lived = area.map(people).where(area != "000", all_of_site).fillna(0).to_numpy(float)
    count = len(patients)
    # A single year's share is noisy in a small sample: smooth it over the neighbouring years.
    born = patients["birth_date"].str[:4].astype(int)
    years = np.arange(born.min() - 4, born.max() + 5)
    histogram = np.array([(born == y).sum() for y in years], float)
    smooth = pd.Series(np.convolve(histogram, np.ones(9) / 9, "same") / count, index=years)
    share_year = born.map(smooth).where(year != "90+", (year == "90+").mean()).to_numpy(float)

    def share(*columns):
        """Of each patient: the share of the patients of the same site who have the same values."""
        table = patients.assign(n=1)
        same = table.groupby(["site", *columns])["n"].transform("sum")
        return (same / table.groupby("site")["n"].transform("sum")).to_numpy(float)

    sex = share("sex")
    both, race, language = share("race", "language"), share("race"), share("language")
    fits = lived * share_year * sex * both
    options = pd.DataFrame(
        {
            "language": lived * share_year * sex * race,
            "race": lived * share_year * sex * language,
            "zip": all_of_site.to_numpy(float) * share_year * sex * both,
            "birth_date": lived * sex * both,
        },
        index=patients["patient_id"],
    )
    low = fits < ENOUGH
    # The year is the study's best column: it goes only where nothing else is enough.
    gentle = options[["language", "race", "zip"]]
    best = gentle.idxmax(axis=1).where(gentle.max(axis=1) >= ENOUGH, options.idxmax(axis=1))
    return best[low].to_dict()
