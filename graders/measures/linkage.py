"""A linkage attack: how many inhabitants of the public register fit what a release says about each patient."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from graders.measures.evidence import flagged
from graders.measures.places import ramp
from graders.measures.release import as_text
from graders.measures.release_fhir import listed
from graders.measures.release_tables import OLDEST, ninety
from synthetic_data import vocab
from synthetic_data.formats.fhir_people import LANGUAGES, RACE_NAMES, RACES

if TYPE_CHECKING:
    import pandas as pd

    from graders.measures.release import Release, Resource
    from synthetic_data.recipes.deidentification import Truth

Flags = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]
Told = Sequence[set[str]]

# The columns of the register, in the order of the axes of `tabulate`.
QUASI = ("birth_year", "sex", "zip3", "race", "language")
OLD = f"{OLDEST}+"
# (nothing from here, width of the ramp down to full marks): share of patients who alone fit, and mean of 1/k.
# tests/test_linkage.py says what Safe Harbor alone leaves, and that a few cells in a hundred, well chosen, are enough.
UNIQUE, MEAN_RISK = (0.010, -0.0075), (0.075, -0.025)
# What the letter allows, and so full marks.
MOST_UNIQUE, MOST_RISK = 0.0025, 0.05
# People of the register who fit: a patient with no more is named as evidence.
FEW = 5
# Other ways to write a value, in lower case: renaming it hides nobody.
OTHER_NAMES = {
    **{code.casefold(): race.casefold() for race, code in RACES.items()},
    **{name.casefold(): race.casefold() for race, name in RACE_NAMES.items()},
    **{name.casefold(): code for code, name in LANGUAGES.items()},
    "f": "female",
    "m": "male",
}


def judge(release: Release, truth: Truth) -> tuple[float, str, tuple[str, ...]]:
    """(fraction, message, evidence): how far the release protects its patients from being found in the register."""
    fit = fitting(known(release, truth), truth)
    alone, risk = int((fit == 1).sum()), float((1 / fit).mean())
    # In a small release one patient is already above the share: one is always let off.
    spare = max(0.0, 1 / len(fit) - MOST_UNIQUE)
    fraction = ramp(alone / len(fit) - spare, *UNIQUE) * ramp(risk, *MEAN_RISK)
    message = (
        f"the register has only one person who fits for {alone} of {len(fit)} patients, "
        f"mean 1/k {risk:.3f} (bounds {MOST_UNIQUE:.2%}, {MOST_RISK:.2f}"
        f"{', and one is let off among so few' if spare else ''})"
    )
    where = "patients.csv with fhir/Patient.ndjson"
    some = (fit == 1, "fit one person of the register"), ((fit > 1) & (fit <= FEW), f"fit 2 to {FEW} of the register")
    evidence = [text for wrong, verb in some for text in flagged(where, wrong, verb)] if fraction < 1 else []
    return fraction, message, tuple(evidence)


def fitting(codes: Mapping[str, Flags], truth: Truth) -> Counts:
    """(n,) number of people in the register who share with a patient what is `known` of the patient; 1 or more.

    n: patients, in the order of patients.csv.  Where the area is not known, all of the patient's site come into
    question, for the site is released; where of the year only 90 or more is known, all the old.
    """
    people, register = truth.tables["patients"], truth.register
    counts = tabulate(truth)
    axes = {name: levels(register[name]) for name in QUASI}
    true = people.assign(birth_year=people["birth_date"].str[:4].astype(int), zip3=people["zip"].str[:3])
    exact = {name: positions(true[name], axes[name]) for name in QUASI}
    # Behind the values of an axis stand its sums.
    summed = {name: np.full(len(people), len(axes[name])) for name in QUASI}
    summed["birth_year"] += ~codes["old"]
    summed["zip3"] += positions(people["site"], levels(people["site"]))
    # The register lists every inhabitant, the patients among them: nobody is alone by being missing from it.
    return np.maximum(counts[tuple(np.where(codes[name], exact[name], summed[name]) for name in QUASI)], 1)


def known(release: Release, truth: Truth) -> dict[str, Flags]:
    """(n,) bool by column of the register: the true value is told in patients.csv or in the patient's resource.

    "old": told to be 90 or more, whether or not the year is told as well.
    A false value tells nothing. That is no defence either: the true one beside it, in the other place, counts.
    """
    people = truth.tables["patients"]
    true = {
        "birth_year": people["birth_date"].str[:4],
        "old": ninety(people["birth_date"], truth.card["as_of"]).map({True: OLD, False: "nobody says so"}),
        "zip3": people["zip"].str[:3],
        **{name: people[name].str.casefold() for name in ("sex", "race", "language")},
    }
    told = said(release, truth)
    return {
        name: np.array([value in cell for value, cell in zip(values, told[name], strict=True)], bool)
        for name, values in true.items()
    }


def said(release: Release, truth: Truth) -> dict[str, Told]:
    """Column of the register -> what table and FHIR say of each patient, in the order of patients.csv.

    Years are all runs of four digits, areas the first three digits; other values are in lower case and by the name
    that the register uses.
    """
    table = release.tables["patients"]
    row = {name: n for n, name in enumerate(truth.tables["patients"]["patient_id"])}
    resources: list[Resource] = [{}] * len(row)
    for name, resource in zip(truth.fhir["Patient"], release.fhir["Patient"], strict=True):
        resources[row[name]] = resource
    born = [[t, as_text(r.get("birthDate"))] for t, r in zip(table["birth_date"], resources, strict=True)]
    zips = [
        [t, *(as_text(address.get("postalCode")) for address in listed(r.get("address")))]
        for t, r in zip(table["zip"], resources, strict=True)
    ]
    return {
        "birth_year": [set(re.findall(r"\d{4}", " ".join(cells))) for cells in born],
        "old": [{re.sub(r"\s", "", cell) for cell in cells} for cells in born],
        "zip3": [{re.sub(r"\D", "", cell)[:3] for cell in cells} for cells in zips],
        "sex": [plain([t, r.get("gender")]) for t, r in zip(table["sex"], resources, strict=True)],
        "race": [plain([t, *_races(r)]) for t, r in zip(table["race"], resources, strict=True)],
        "language": [
            # "es-US" says Spanish.
            {word.partition("-")[0] for word in plain([t, *_languages(r)])}
            for t, r in zip(table["language"], resources, strict=True)
        ],
    }


def plain(values: Iterable[Any]) -> set[str]:
    """The texts in lower case, each by the register's name for it."""
    words = (as_text(value).strip().casefold() for value in values)
    return {OTHER_NAMES.get(word, word) for word in words}


def tabulate(truth: Truth) -> Counts:
    """The register as a table of five axes, with its sums: people by birth year, sex, area, race and language.

    Behind the sorted values of an axis stand its sums: of the years those of people of 90 and more, then all; of the
    areas one for each site, sorted; of the others all. One look-up answers for any mixture of known and unknown.
    """
    register, year = truth.register, int(str(truth.card["as_of"])[:4])
    axes = [levels(register[name]) for name in QUASI]
    counts = np.zeros([len(axis) for axis in axes], np.int64)
    where = tuple(positions(register[name], axis) for name, axis in zip(QUASI, axes, strict=True))
    np.add.at(counts, where, register["people"].to_numpy(np.int64))
    # Somebody who is 90 was born in that year or before it: the register has no days.
    old = counts[axes[0] <= year - OLDEST].sum(0, keepdims=True)
    counts = np.concatenate([counts, old, counts.sum(0, keepdims=True)])
    sites = [counts[:, :, axes[2].isin(areas)].sum(2, keepdims=True) for areas in site_areas(truth)]
    counts = np.concatenate([counts, *sites], axis=2)
    for axis in (1, 3, 4):
        counts = np.concatenate([counts, counts.sum(axis, keepdims=True)], axis=axis)
    return counts


def levels(values: pd.Series[Any]) -> pd.Index[Any]:
    """The values of a column, sorted."""
    import pandas as pd

    found: pd.Index[Any] = pd.Index(values).unique().sort_values()
    return found


def positions(values: pd.Series[Any], axis: pd.Index[Any]) -> Counts:
    """(n,) where on the axis each value stands."""
    import pandas as pd

    return np.asarray(axis.get_indexer(pd.Index(values)), np.int64)


def site_areas(truth: Truth) -> list[set[str]]:
    """For each site, sorted: the ZIP3 areas its patients may live in, those of its towns and those seen in the data."""
    import pandas as pd

    people, towns = truth.tables["patients"], vocab.read("places")
    seen = pd.DataFrame({"site": people["site"], "zip3": people["zip"].str[:3]})
    areas = pd.concat([seen, towns[["site", "zip3"]]]).groupby("site")["zip3"].agg(set)
    return areas.loc[levels(people["site"])].tolist()


def _races(resource: Resource) -> list[Any]:
    """What the us-core-race extension says, in codes and in words."""
    races = [e for e in listed(resource.get("extension")) if as_text(e.get("url")).endswith("us-core-race")]
    parts = [part for race in races for part in (race, *listed(race.get("extension")))]
    coded = listed([part.get("valueCoding") for part in parts])
    return [part.get("valueString") for part in parts] + [c.get(key) for c in coded for key in ("code", "display")]


def _languages(resource: Resource) -> list[Any]:
    """What Patient.communication says, in codes and in words."""
    concepts = listed([part.get("language") for part in listed(resource.get("communication"))])
    coded = [coding for concept in concepts for coding in listed(concept.get("coding"))]
    return [c.get("text") for c in concepts] + [c.get(key) for c in coded for key in ("code", "display")]
