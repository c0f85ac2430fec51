"""Small text files beside the chart, whose names give their patients away."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np

from synthetic_data.addresses import ascii_word
from synthetic_data.streams import Seed

if TYPE_CHECKING:
    import pandas as pd

    from synthetic_data.network import Site

SHARE = 0.15
"""Of encounters that have an attachment."""

TYPES = ("referral", "fax-cover", "consent", "records-request")
_BODIES = {
    "referral": "REFERRAL\n\nTo: Specialty clinic\nRe: {name}, born {born}\n\n"
    "Thank you for seeing {title} {family} for {reason}.\nThe record is at your disposal.\n\n{provider}\n{facility}\n",
    "fax-cover": "FAX COVER SHEET\n\nFrom: {facility}\nPages: 3\nPatient: {name}\nDate of birth: {born}\n"
    "MRN: {mrn}\n\nIf this reached you in error, call the sender.\n",
    "consent": "CONSENT TO TREATMENT\n\nI, {name}, born {born}, agree to the treatment explained to me "
    "by {provider}.\n\n{facility}, {day}\n",
    "records-request": "REQUEST FOR RECORDS\n\n{name} (born {born}, telephone {phone}) asks for a copy of "
    "the record of the visit on {day}.\nSend it to {street}, {city}, {state} {zip}.\n\n{facility}\n",
}
# What the file is called; every form holds an identifier.
_FILE_NAMES = (
    "{family_word}_{given_word}_{year}_{type}.txt",
    "{mrn_word}_{type}.txt",
    "{given_word}-{family_word}-{day}-{type}.txt",
    "{type}_{family_word}_dob{born_digits}.txt",
)


def attachments(seed: Seed, patients: pd.DataFrame, encounters: pd.DataFrame, sites: tuple[Site, ...]) -> pd.DataFrame:
    """attachment_id patient_id encounter_id file_name content_type content, for about 15 % of encounters.

    File names are unique within an encounter, not across the data: two patients may share name and year of birth.
    """
    import pandas as pd

    person = pd.Index(patients["patient_id"]).get_indexer(encounters["patient_id"])
    order = np.lexsort((encounters["start"].to_numpy(dtype="datetime64[s]"), person))
    encounters, person = encounters.iloc[order], person[order]
    # The encounter's number within its patient keys the draws.
    number = encounters.groupby("patient_id").cumcount().to_numpy(np.int64)
    ids = patients["number"].to_numpy(np.int64)[person]
    draw = seed.stream("attachments")
    chosen = draw.uniform(ids, number) < SHARE
    encounters, ids, number = encounters[chosen], ids[chosen], number[chosen]
    who = patients.iloc[person[chosen]]
    kinds = draw.choice(len(TYPES), ids, number, 1).tolist()
    names = draw.choice(len(_FILE_NAMES), ids, number, 2).tolist()
    facts = zip(
        encounters.to_dict("records"), who.to_dict("records"), kinds, names, strict=True
    )  # one file at a time: each is a letter of its own, and there are few
    facilities = {site.code: site.name for site in sites}
    rows = [
        _file(encounter, patient, facilities[encounter["site"]], TYPES[kind], _FILE_NAMES[name])
        for encounter, patient, kind, name in facts
    ]
    columns = ["attachment_id", "patient_id", "encounter_id", "file_name", "content_type", "content"]
    return pd.DataFrame(rows, columns=columns).astype("str")


def _file(
    encounter: dict[Hashable, Any], patient: dict[Hashable, Any], facility: str, kind: str, pattern: str
) -> tuple[str, ...]:
    born, day = patient["birth_date"], encounter["start"][:10]
    facts = {str(column): value for column, value in patient.items()} | {
        # A site's numbering may use signs that a file name cannot.
        "mrn_word": re.sub(r"[^A-Za-z0-9-]", "-", patient["mrn"]),
        "name": f"{patient['given']} {patient['family']}",
        "title": "Ms." if patient["sex"] == "female" else "Mr.",
        "given_word": ascii_word(patient["given"]),
        "family_word": ascii_word(patient["family"]),
        "born": f"{born[5:7]}/{born[8:]}/{born[:4]}",
        "born_digits": born.replace("-", ""),
        "year": born[:4],
        "day": day,
        "reason": encounter["reason"],
        "provider": f"{encounter['provider_given']} {encounter['provider_family']}",
        "facility": facility,
        "type": kind,
    }
    return (
        f"D-{encounter['encounter_id']}",
        encounter["patient_id"],
        encounter["encounter_id"],
        pattern.format_map(facts),
        "text/plain",
        _BODIES[kind].format_map(facts),
    )
