"""A release of deidentification made from the truth itself: what a criterion must give every point."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
from collections.abc import Mapping
from typing import Any

import pandas as pd

from graders.measures.release_fhir import DATES as FHIR_DATES
from graders.measures.release_fhir import KEPT as FHIR_KEPT
from graders.measures.release_tables import DATES, FREE_TEXT, KEPT, birth_words, harmless
from synthetic_data.recipes.deidentification import GIVEN

Made = dict[str, Any]
"""{"tables": name -> frame, "fhir": type -> resources, "notes": dicts, "attachments": name -> text}."""


def perfect(truth: Any, key: str = "one", days: Mapping[str, int] | None = None) -> Made:
    """Tables as frames, resources and notes as dicts, letters as texts, for the first play.

    days: patient_id -> the move of all its dates, where it is not that of `moves`.
    """
    days = days or moves(truth)
    born, zips, race, language = quasi_identifiers(truth)
    release: Made = {"tables": {}, "fhir": {}, "notes": [], "attachments": {}}
    for name, original in truth.tables.items():
        table = pd.DataFrame("", index=original.index, columns=list(GIVEN[name]))
        for column in KEPT[name]:
            if column not in truth.card["withhold"].get(name, []):
                table[column] = original[column]
        for column in DATES.get(name, []):
            table[column] = moved(original[column], original["patient_id"].map(days))
        if name in FREE_TEXT:
            table[FREE_TEXT[name][1]] = harmless(name, original, truth)
        if name == "patients":
            table = table.assign(birth_date=born, zip=zips, race=race, language=language, sex=original["sex"])
        release["tables"][name] = table
    encounters = {e: f"e{n}" for n, e in enumerate(truth.tables["encounters"]["encounter_id"])}
    for kind, (table, row_key, paths) in FHIR_KEPT.items():
        rows = truth.tables[table].set_index(row_key, drop=False).loc[truth.fhir[kind]].reset_index(drop=True)
        resources = [{"resourceType": kind} for _ in range(len(rows))]
        values = {path: rows[column] for path, column in paths.items()}
        for path, column in FHIR_DATES.get(kind, {}).items():
            values[path] = moved(rows[column], rows["patient_id"].map(days))
        for path, column in values.items():
            for resource, value in zip(resources, column, strict=True):
                put(resource, path.split("."), value)
        if kind == "Encounter":
            for resource, key_of in zip(resources, rows["encounter_id"], strict=True):
                resource["id"] = encounters[key_of]
        elif kind != "Patient":
            for resource, key_of in zip(resources, rows["encounter_id"], strict=True):
                resource["encounter"] = {"reference": f"Encounter/{encounters[key_of]}"}
        release["fhir"][kind] = resources
    spans = truth.spans.sort_values("start", ascending=False)
    by_note = dict(list(spans.groupby("note_id")))
    written = moved(truth.notes["written_at"], truth.notes["patient_id"].map(days))
    for note, at, text in zip(truth.notes["note_id"], written, truth.notes["text"], strict=True):
        for row in by_note[note].itertuples() if note in by_note else ():
            text = f"{text[: row.start]}[{row.kind}]{text[row.end :]}"
        release["notes"].append({"note_id": "", "patient_id": "", "encounter_id": "", "written_at": at, "text": text})
    release["attachments"] = letters(truth)
    return recoded(release, truth, coded(truth, key))


def recoded(release: Made, truth: Any, codes: Mapping[str, str]) -> Made:
    """The release with these codes by patient_id in place of its own."""
    tables, fhir = {}, {}
    for name, original in truth.tables.items():
        column = "mrn" if name == "labs" else "patient_id"
        tables[name] = release["tables"][name].assign(**{column: original["patient_id"].map(codes)})
    for kind, (table, row_key, _) in FHIR_KEPT.items():
        owners = truth.tables[table].set_index(row_key, drop=False).loc[truth.fhir[kind], "patient_id"]
        fhir[kind] = [
            {**r, "id": codes[p]} if kind == "Patient" else {**r, "subject": {"reference": f"Patient/{codes[p]}"}}
            for r, p in zip(release["fhir"][kind], owners, strict=True)
        ]
    whose = truth.notes["patient_id"]
    notes = [{**row, "patient_id": codes[p]} for row, p in zip(release["notes"], whose, strict=True)]
    letters = zip(truth.attachments.itertuples(), release["attachments"].values(), strict=True)
    names = {f"{codes[row.patient_id]}-{row.number}.txt": text for row, text in letters}
    return {"tables": tables, "fhir": fhir, "notes": notes, "attachments": names}


def copied(release: Made) -> Made:
    """A copy to make a flaw in; quicker than copy.deepcopy of so many small dicts."""
    return pickle.loads(pickle.dumps(release))


def second(truth: Any, key: str = "two", codes: Mapping[str, str] | None = None) -> Made:
    """The second play's codes, and nothing else of it."""
    codes = codes or coded(truth, key)
    tables = {"patients": pd.DataFrame({"patient_id": [codes[p] for p in truth.second["patients"]]})}
    fhir = {"Patient": [{"resourceType": "Patient", "id": codes[p]} for p in truth.second["Patient"]]}
    return {"tables": tables, "fhir": fhir, "notes": [], "attachments": {}}


def coded(truth: Any, key: str) -> dict[str, str]:
    """patient_id -> the person's code, which nobody without the key can work out."""
    people = truth.persons.items()
    return {p: "c" + hashlib.sha256(f"{key} of this release {who}".encode()).hexdigest()[:12] for p, who in people}


def moves(truth: Any) -> dict[str, int]:
    """patient_id -> days, by the card's rule."""
    rule, stays, persons = truth.card["dates"], truth.tables["encounters"], truth.persons
    if rule["rule"] == "relative":
        first = pd.to_datetime(stays["start"].str[:10]).groupby(stays["patient_id"].map(persons)).min()
        days = (pd.Timestamp(rule["anchor"]) - first).dt.days
        return {patient: int(days[who]) for patient, who in persons.items()}
    # Spread over all that the card allows, however few the people.
    return {patient: 1 + 97 * int(who) % rule["max_days"] for patient, who in persons.items()}


def moved(dates: pd.Series, days: pd.Series) -> pd.Series:
    """ISO dates, with their time of day if they have one, moved."""
    there = pd.to_datetime(dates.str[:10]) + pd.to_timedelta(days.to_numpy(), unit="D")
    return there.dt.strftime("%Y-%m-%d") + dates.str[10:]


def quasi_identifiers(truth: Any) -> tuple[pd.Series, pd.Series, pd.Series, pd.Series]:
    """Birth year or 90+, three-digit ZIP, race and language, blank where few people of the register fit."""
    people = truth.tables["patients"]
    born, race, language = birth_words(truth), people["race"], people["language"]
    zips = people["zip"].str[:3].where(~people["zip"].str[:3].isin(truth.small_zip3), "000")
    register = truth.register.assign(born=truth.register["birth_year"].astype(str))
    fits = register.groupby(["zip3", "born", "sex", "race", "language"])["people"].sum()
    keys = zip(people["zip"].str[:3], people["birth_date"].str[:4], people["sex"], race, language, strict=True)
    few = pd.Series([fits.get(key, 0) < 8 for key in keys], index=people.index)
    common = language == "en"
    return born, zips, race.where(~(few & common), ""), language.where(~few | common, "")


def letters(truth: Any) -> dict[str, str]:
    """The letters, by their old names, without what their patient is known by."""
    people = truth.tables["patients"].set_index("patient_id")
    found = {}
    for row in truth.attachments.to_dict("records"):
        person, text = people.loc[row["patient_id"]], row["content"]
        born = person["birth_date"]
        known = [person["street"], f"{person['given']} {person['family']}", person["family"], person["given"]]
        known += [f"{born[5:7]}/{born[8:]}/{born[:4]}"]
        known += [person[c] for c in ("mrn", "phone", "city", "zip")]
        for value in sorted(filter(None, known), key=len, reverse=True):
            text = text.replace(value, "[REMOVED]")
        stays = truth.tables["encounters"]
        for day in stays.loc[stays["patient_id"] == row["patient_id"], "start"].str[:10]:
            text = text.replace(day, "[DATE]")
        found[row["file_name"]] = text
    return found


def put(resource: dict[str, Any], steps: list[str], value: str) -> None:
    """Set a dotted path; a number is a place in a list."""
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        if following is None:
            resource[step] = value
        elif following.isdigit():
            resource = resource.setdefault(step, [{}])[0]
        elif not step.isdigit():
            resource = resource.setdefault(step, {})


def files(release: Made) -> dict[str, bytes]:
    """The release as a submission writes it."""
    found = {f"attachments/{name}": text.encode() for name, text in release["attachments"].items()}
    for name, table in release["tables"].items():
        text = io.StringIO()
        table.to_csv(text, index=False)
        found[f"{name}.csv"] = text.getvalue().encode()
    for kind, resources in release["fhir"].items():
        found[f"fhir/{kind}.ndjson"] = "".join(json.dumps(r) + "\n" for r in resources).encode()
    found["notes.jsonl"] = "".join(json.dumps(n) + "\n" for n in release["notes"]).encode()
    return found
