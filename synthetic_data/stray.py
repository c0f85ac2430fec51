"""Identifiers in free-text fields where nobody expects them: a result's comment, a prescription's instructions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthetic_data.streams import IntArray, Seed

COMMENT_PHI_SHARE = 0.04
COMMENT_CLINICAL_SHARE = 0.12
SIG_PHI_SHARE = 0.02

VITAL_COMMENTS = (
    "Patient seated, left arm",
    "Patient seated, right arm",
    "Repeated after 5 minutes of rest",
    "Patient refused second reading",
)
LABORATORY_COMMENTS = (
    "Specimen slightly hemolyzed",
    "Repeat in 3 months",
    "Fasting sample",
    "Result verified by repeat analysis",
    "Nonfasting",
    "Consistent with prior result",
)
# A text is a row of pieces; a piece in braces is an identifier and says which kind. The first three also suit
# vital signs.
COMMENTS = (
    ("called ", "{title_family}", " at ", "{phone}", " with result"),
    ("left voicemail ", "{phone}"),
    ("pt asks for copy to ", "{email}"),
    ("result faxed per pt request, DOB ", "{birth_date}"),
    ("wrong label on tube, relabelled for ", "{full_name}", " MRN ", "{mrn}"),
    ("sample dropped off by ", "{full_name}"),
)
COMMENTS_FOR_VITALS = 3
SIGS = (
    ("; call ", "{title_family}", " at ", "{phone}", " before refill"),
    ("; mail to ", "{street}", ", ", "{city}"),
    ("; send refill notice to ", "{email}"),
)
KINDS = {
    "title_family": "NAME",
    "full_name": "NAME",
    "phone": "PHONE",
    "email": "EMAIL",
    "mrn": "MRN",
    "birth_date": "DATE",
    "street": "LOCATION",
    "city": "LOCATION",
}

Texts = npt.NDArray[np.object_]
BoolArray = npt.NDArray[np.bool_]


def comments(
    seed: Seed, patients: pd.DataFrame, lab_id: list[str], row: IntArray, vital: BoolArray
) -> tuple[Texts, pd.DataFrame]:
    """The comment of every result, mostly empty, and the spans of identifiers in them.

    row: (results,) the row of each result's patient.  vital: (results,) whether it is a vital sign.
    """
    who, item = patients["number"].to_numpy(np.int64)[row], _line_numbers(lab_id)
    draw = seed.stream("stray/comments")
    u = draw.uniform(who, item, 0)
    of_vitals = np.array(VITAL_COMMENTS, dtype=object)[draw.choice(len(VITAL_COMMENTS), who, item, 1)]
    of_laboratory = np.array(LABORATORY_COMMENTS, dtype=object)[draw.choice(len(LABORATORY_COMMENTS), who, item, 1)]
    clinical = np.where(vital, of_vitals, of_laboratory)
    texts = np.where(u >= 1 - COMMENT_CLINICAL_SHARE, clinical, "").astype(object)
    any_form = draw.integers(0, np.where(vital, COMMENTS_FOR_VITALS, len(COMMENTS)), who, item, 2)
    form = np.where(u < COMMENT_PHI_SHARE, any_form, -1)
    spans = _write(texts, patients, row, form, COMMENTS, lab_id, "labs", "comment")
    return texts, spans


def sigs(seed: Seed, patients: pd.DataFrame, meds: pd.DataFrame) -> tuple[Texts, pd.DataFrame]:
    """The instructions of every prescription, a few with an identifier added at the end, and the spans of those.

    meds["sig"] holds the plain instructions; given the finished table, the same ones are found and kept.
    """
    row = _rows(patients, meds)
    who, item = patients["number"].to_numpy(np.int64)[row], _line_numbers(meds["med_id"].tolist())
    draw = seed.stream("stray/sigs")
    form = np.where(draw.uniform(who, item, 0) < SIG_PHI_SHARE, draw.choice(len(SIGS), who, item, 1), -1)
    texts = meds["sig"].to_numpy(dtype=object).copy()
    for here in np.flatnonzero(form >= 0):
        # Undo what an earlier call added.
        texts[here] = texts[here].split(SIGS[form[here]][0])[0]
    spans = _write(texts, patients, row, form, SIGS, meds["med_id"].tolist(), "meds", "sig")
    return texts, spans


def spans(seed: Seed, patients: pd.DataFrame, labs: pd.DataFrame, meds: pd.DataFrame) -> pd.DataFrame:
    """Where identifiers stand in labs.comment and meds.sig: table, row_id, field, start, end, kind, patient_id.

    In the order of patients, so that blocks of patients can be put end to end.
    """
    vital = (labs["category"] == "vital-signs").to_numpy(bool)
    in_comments = comments(seed, patients, labs["lab_id"].tolist(), _rows(patients, labs), vital)[1]
    in_sigs = sigs(seed, patients, meds)[1]
    both = pd.concat([in_comments, in_sigs], ignore_index=True)
    return both.iloc[np.argsort(_rows(patients, both), kind="stable")].reset_index(drop=True)


def _rows(patients: pd.DataFrame, table: pd.DataFrame) -> IntArray:
    row_of = pd.Series(np.arange(len(patients)), index=patients["patient_id"])
    return row_of.reindex(table["patient_id"]).to_numpy(np.int64)


def _line_numbers(row_ids: list[str]) -> IntArray:
    """A number per row that is its own within the patient, from the digits of the id after the patient's part."""
    # "A-000123-E2-L5" -> 2005, "A-000123-M3" -> 3
    tails = [row_id.split("-")[2:] for row_id in row_ids]
    return np.array([1000 * int(t[0][1:]) + int(t[1][1:]) if len(t) == 2 else int(t[0][1:]) for t in tails], np.int64)


def _write(
    texts: Texts,
    patients: pd.DataFrame,
    row: IntArray,
    form: IntArray,
    forms: tuple[tuple[str, ...], ...],
    row_ids: list[str],
    table: str,
    field: str,
) -> pd.DataFrame:
    """Appends the pieces of each row's form (-1: none) to its text, in place; returns the spans."""
    found: list[tuple[str, str, str, int, int, str, str]] = []
    # One text at a time: only a few in a hundred have a form.
    for here in np.flatnonzero(form >= 0).tolist():
        person = patients.iloc[int(row[here])]
        values = {
            "title_family": f"{'Ms.' if person['sex'] == 'female' else 'Mr.'} {person['family']}",
            "full_name": f"{person['given']} {person['family']}",
            **{name: person[name] for name in ("phone", "email", "mrn", "birth_date", "street", "city")},
        }
        text = texts[here]
        for piece in forms[int(form[here])]:
            if piece.startswith("{"):
                # The title is no identifier: the span of "Ms. Quintero" is "Quintero".
                value, start = values[piece[1:-1]], len(text)
                if piece == "{title_family}":
                    start += 4
                text += value
                kind = KINDS[piece[1:-1]]
                found.append((table, row_ids[here], field, start, len(text), kind, person["patient_id"]))
            else:
                text += piece
        texts[here] = text
    frame = pd.DataFrame(found, columns=["table", "row_id", "field", "start", "end", "kind", "patient_id"])
    # Said outright, because an empty frame would have no types.
    return frame.astype({name: "int64" if name in ("start", "end") else "str" for name in frame.columns})
