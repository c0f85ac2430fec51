"""What a release is still good for: cells that are kept, and what a model trained on it can tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from graders.measures import linkage, release_fhir, release_tables
from graders.measures.evidence import flagged
from graders.measures.places import Place, evidence, mean_share, ramp, worst

if TYPE_CHECKING:
    import pandas as pd

    from graders.measures.release import Release
    from synthetic_data.recipes.deidentification import Truth

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# (nothing up to here, width of the ramp to full marks): mean over columns of the share of cells unchanged.
CLINICAL = (0.90, 0.095)
# Likewise for demographic cells. One in twelve may be blanked against the register, a whole column of five may not.
DEMOGRAPHIC = (0.70, 0.22)
# Loss of AUROC: nothing from here, full marks a width below it.
LOSS = (0.06, -0.04)
LABS = 8
# No honest feature comes near; a submission's 1e308 must not overflow the model.
LARGEST = 1e6


def judge(release: Release, truth: Truth) -> tuple[float, str, tuple[str, ...]]:
    """(fraction, message, evidence): clinical cells x demographic cells x what the model still tells."""
    cells, same = clinical_cells(release, truth), kept_alike(release, truth)
    people = {name: float(flags.mean()) for name, flags in same.items()}
    original = released(truth)
    before, after = auroc(original, original, truth), auroc(release.tables, original, truth)
    kept, known = mean_share(cells), float(np.mean(list(people.values())))
    fraction = ramp(kept, *CLINICAL) * ramp(known, *DEMOGRAPHIC) * ramp(round(before - after, 4), *LOSS)
    enough = sum(DEMOGRAPHIC)
    lost = [f"{name} {share:.0%}" for name, share in people.items() if share < enough and known < enough]
    parts = [
        f"{kept:.1%} of clinical cells kept",
        worst(cells, "lost or changed:") if kept < sum(CLINICAL) else "",
        f"{known:.1%} of demographic cells kept" + (f" ({', '.join(lost)})" if lost else ""),
        f"a model trained on the release tells who was admitted with AUROC {after:.3f}, on the original {before:.3f}",
    ]
    lost_cells = evidence([], cells if kept < sum(CLINICAL) else [])
    blanked = [
        text
        for name in sorted(people, key=lambda name: people[name])
        for text in flagged(f"patients.csv, {name}", ~same[name], "lost or changed")
        if known < enough
    ]
    return fraction, "; ".join(part for part in parts if part), (*lost_cells[:3], *blanked[:3], *lost_cells[3:])


def clinical_cells(release: Release, truth: Truth) -> list[Place]:
    """Codes, values, units and classes of tables and FHIR: per column, how many are unchanged."""
    places = []
    for name, original in truth.tables.items():
        places += release_tables.surviving_places(name, release.tables[name], original, truth)
    for kind, (name, key, _) in release_fhir.KEPT.items():
        rows = truth.tables[name].set_index(key, drop=False).loc[truth.fhir[kind]].reset_index(drop=True)
        places += release_fhir.surviving_places(kind, release, rows, truth)
    return places


def demographic_cells(release: Release, truth: Truth) -> dict[str, float]:
    """Column of patients.csv -> share of its cells that say what the rules let them say."""
    return {name: float(same.mean()) for name, same in kept_alike(release, truth).items()}


def kept_alike(release: Release, truth: Truth) -> dict[str, Flags]:
    """Column of patients.csv -> (n,) bool: the cell says what the rules let it say.

    "90+" of the old and "000" of small areas are what the rules want, and count as kept.
    """
    table, people = release.tables["patients"], truth.tables["patients"]
    area, digits = people["zip"].str[:3], table["zip"].str.replace(r"\D", "", regex=True).str[:3]
    kept = {name: table[name].str.strip() == people[name] for name in ("sex", "race", "language")}
    kept["birth_date"] = table["birth_date"].str.strip() == release_tables.birth_words(truth)
    # The ZIP of a small area is judged where identifiers are; who uses the release has not lost it.
    kept["zip"] = (digits == area) | ((digits == "000") & area.isin(truth.small_zip3))
    return {name: same.to_numpy(bool) for name, same in sorted(kept.items())}


def released(truth: Truth) -> dict[str, pd.DataFrame]:
    """The tables as a release that loses nothing has them, the person standing for the code."""
    persons = truth.persons
    tables = {name: table.assign(patient_id=table["patient_id"].map(persons)) for name, table in truth.tables.items()}
    tables["patients"] = tables["patients"].assign(birth_date=release_tables.birth_words(truth))
    tables["labs"] = tables["labs"].assign(mrn=tables["labs"]["patient_id"])
    return tables


def auroc(tables: Mapping[str, pd.DataFrame], original: Mapping[str, pd.DataFrame], truth: Truth) -> float:
    """How well a logistic regression tells who was ever admitted; four decimals, 0.5 is chance.

    It is trained on one half of the people, every other one in patients.csv, features and outcome as these tables
    have them, and tried on the other half, whose outcome is the true one; then the other way round. Charts that no
    longer fit together cost at either end. The mean of both halves.  original: as `released` makes them.
    """
    import pandas as pd
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    found, outcome, true = features(tables, truth), admitted(tables), admitted(original)
    # By people: a second chart in the other half would tell the model what it is asked.
    person, areas = pd.factorize(truth.tables["patients"]["person"])[0], []
    for half in (0, 1):
        train = person % 2 == half
        if outcome[train].all() or not outcome[train].any() or true[~train].all() or not true[~train].any():
            areas.append(0.5)
            continue
        spread = found[train].std(axis=0)
        scaled = (found - found[train].mean(axis=0)) / np.where(spread > 0, spread, 1)
        # Shrunk, as a hundred charts of a check at home bear no more coefficients than these.
        model = LogisticRegression(C=0.1, max_iter=500).fit(scaled[train], outcome[train])
        # Scores alike but for the last bits of a sum are ties on every machine.
        areas.append(roc_auc_score(true[~train], model.decision_function(scaled[~train]).round(6)))
    return round(float(np.mean(areas)), 4)


def admitted(tables: Mapping[str, pd.DataFrame]) -> Flags:
    """(patients,) bool: has an inpatient encounter, joined by the tables' own codes."""
    stays, codes = tables["encounters"], tables["patients"]["patient_id"]
    return codes.isin(stays.loc[stays["class"] == "IMP", "patient_id"]).to_numpy(bool) & (codes != "").to_numpy(bool)


def features(tables: Mapping[str, pd.DataFrame], truth: Truth) -> Floats:
    """(patients, p): age, sex, diagnoses, drugs, visits, days observed, abnormal results, means of common ones.

    Joined by the tables' own codes. Unknown ages and results are the median of those known, unknown sex is between.
    Which chapters and results are looked at follows from the truth, so that every release has the same columns.
    """
    people, stays, found = tables["patients"], tables["encounters"], tables["conditions"]
    codes = people["patient_id"]

    def per_patient(values: pd.Series[Any]) -> Floats:
        # A blank code joins nothing, however many rows have it.
        return values.drop("", errors="ignore").reindex(codes).to_numpy(np.float64)

    def count(rows: pd.DataFrame, code: str = "patient_id") -> Floats:
        return np.nan_to_num(per_patient(rows.groupby(code).size()))

    columns = [_filled(_ages(people["birth_date"], truth)), people["sex"].map({"female": 1, "male": 0}).fillna(0.5)]
    columns += [count(found), count(tables["meds"]), count(stays[stays["class"] == "AMB"])]
    active, known = found[found["clinical_status"] == "active"], truth.tables["conditions"]
    for chapter in sorted(set(known.loc[known["clinical_status"] == "active", "code"].str[:1])):
        columns.append(count(active[active["code"].str[:1] == chapter]))
    start = _days(stays["start"]).groupby(stays["patient_id"])
    columns.append(np.nan_to_num(per_patient(start.max() - start.min())).clip(0, LARGEST))
    labs = tables["labs"].assign(value=_numbers(tables["labs"]["value"]))
    columns.append(count(labs[labs["interpretation"].str.strip() != ""], "mrn"))
    common = truth.tables["labs"]["loinc"].value_counts().rename_axis("loinc").reset_index()
    for loinc in common.sort_values(["count", "loinc"], ascending=[False, True])["loinc"].head(LABS):
        columns.append(_filled(per_patient(labs[labs["loinc"] == loinc].groupby("mrn")["value"].mean())))
    return np.column_stack([np.asarray(column, np.float64) for column in columns])


def _ages(born: pd.Series[Any], truth: Truth) -> Floats:
    """Years in the card's year; 90 for "90+", NaN for what is no year."""
    year = _numbers(born.str.strip().str[:4].where(born.str.match(r"\s*\d{4}"), ""))
    age: pd.Series[Any] = int(str(truth.card["as_of"])[:4]) - year
    return age.mask(born.str.strip() == linkage.OLD, release_tables.OLDEST).to_numpy(np.float64)


def _days(stamps: pd.Series[Any]) -> pd.Series[Any]:
    """Days since 1970 of ISO texts, NaN for anything else."""
    import pandas as pd

    # By way of numpy: years that no nanoseconds reach are dates too.
    days = pd.to_datetime(stamps.str[:10], format="%Y-%m-%d", errors="coerce")
    count = days.to_numpy("datetime64[D]").astype(np.float64)
    return pd.Series(count, index=stamps.index).mask(days.isna())


def _numbers(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Numbers, NaN for anything else."""
    import pandas as pd

    found = pd.to_numeric(texts, errors="coerce").astype("float64")
    return found.where(found.abs() <= LARGEST)


def _filled(values: Floats) -> Floats:
    """NaN replaced by the median of the others, by 0 where there are none."""
    known = values[~np.isnan(values)]
    return np.where(np.isnan(values), np.median(known) if len(known) else 0.0, values)
