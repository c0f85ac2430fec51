"""The rubric of deidentification: a perfect release gets everything, and each flaw costs its own criterion."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import io
import json
from typing import Any

import pandas as pd
import pytest

from graders.harness.grading import Terms, make_scene
from graders.harness.kit import Kit
from graders.harness.outcome import Outcome
from graders.harness.scorecard import score
from graders.measures.places import date_clean, date_follows, one_to_one, same_text
from graders.measures.release_fhir import DATES as FHIR_DATES
from graders.measures.release_fhir import KEPT as FHIR_KEPT
from graders.measures.release_tables import DATES, FREE_TEXT, KEPT, birth_words, harmless
from synthetic_data.scene import Reply

KIT, NAME = Kit(), "deidentification"
TABLES, FHIR, NOTES = (
    "tables_hold_no_direct_identifier",
    "fhir_holds_no_direct_identifier",
    "notes_lose_the_patient_and_keep_the_medicine",
)
Release = dict[str, Any]


def known(variant: str, card: dict[str, Any] | None = None, patients: int = 50):
    """(files of the truth, the truth, the public files) of a small hidden scene."""
    exercise = dataclasses.replace(KIT.exercise(NAME), ci_settings={"patients": patients})
    scene = make_scene(KIT, exercise, Terms(variant, b"s" * 32, card=card, small=True))
    return scene.truth, KIT.recipe(NAME).read_truth(scene.truth), scene.public


def shifted(dates: pd.Series, patients: pd.Series, truth) -> pd.Series:
    """What the card's rule makes of dates; where they move, each patient's by a number of days of its own."""
    if truth.card["dates"]["rule"] == "year":
        return dates.str[:4]
    days = 1 + patients.str[-3:].astype(int) % truth.card["dates"]["max_days"]
    return (pd.to_datetime(dates) + pd.to_timedelta(days, unit="D")).dt.strftime("%Y-%m-%d")


def perfect(truth) -> Release:
    """A release made from the truth itself: tables as frames, resources and notes as dicts."""
    codes = {p: f"c{n:05d}x" for n, p in enumerate(truth.tables["patients"]["patient_id"])}
    release: Release = {"tables": {}, "fhir": {}, "notes": []}
    for name, original in truth.tables.items():
        table = pd.DataFrame("", index=original.index, columns=original.columns)
        for column in KEPT[name]:
            if column not in truth.card["withhold"].get(name, []):
                table[column] = original[column]
        for column in DATES.get(name, []):
            table[column] = shifted(original[column], original["patient_id"], truth)
        if name in FREE_TEXT:
            table[FREE_TEXT[name][1]] = harmless(name, original, truth)
        if name == "patients":
            table["birth_date"] = birth_words(truth)
        table["patient_id"] = original["patient_id"].map(codes)
        release["tables"][name] = table
    for kind, (table, key, paths) in FHIR_KEPT.items():
        rows = truth.tables[table].set_index(key).loc[truth.fhir[kind]].reset_index()
        resources = [{"resourceType": kind} for _ in range(len(rows))]
        values = {path: rows[column] for path, column in paths.items()}
        values |= {
            path: shifted(rows[column], rows["patient_id"], truth) for path, column in FHIR_DATES.get(kind, {}).items()
        }
        for path, column in values.items():
            for resource, value in zip(resources, column, strict=True):
                put(resource, path.split("."), value)
        for resource, patient in zip(resources, rows["patient_id"], strict=True):
            put(resource, ["id"] if kind == "Patient" else ["subject", "reference"],
                codes[patient] if kind == "Patient" else f"Patient/{codes[patient]}")  # fmt: skip
        release["fhir"][kind] = resources
    spans = truth.spans.sort_values("start", ascending=False)
    by_note = dict(list(spans.groupby("note_id")))
    for note_id, text in zip(truth.notes["note_id"], truth.notes["text"], strict=True):
        for row in by_note[note_id].itertuples() if note_id in by_note else ():
            text = f"{text[: row.start]}[{row.kind}]{text[row.end :]}"
        release["notes"].append({"text": text})
    return release


def put(resource: dict[str, Any], steps: list[str], value: str) -> None:
    """Set a dotted path; a number is a place in a list."""
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        if following is None:
            resource[step] = value
        elif following.isdigit():
            resource = resource.setdefault(step, [{}])[0]
        elif not step.isdigit():
            resource = resource.setdefault(step, {})


def scored(truth_files, release: Release, more: dict[str, bytes] | None = None):
    """The scorecard of a release that is the same in both plays. more: files beyond what the brief asks for."""
    files = dict(more or {})
    for name, table in release["tables"].items():
        text = io.StringIO()
        table.to_csv(text, index=False)
        files[f"{name}.csv"] = text.getvalue().encode()
    for kind, resources in release["fhir"].items():
        files[f"fhir/{kind}.ndjson"] = "".join(json.dumps(r) + "\n" for r in resources).encode()
    files["notes.jsonl"] = "".join(json.dumps(n) + "\n" for n in release["notes"]).encode()
    replies = (Reply("ok", None, files), Reply("ok", None, files))
    return score(KIT, Outcome(NAME, "v", "hidden", "sha256:0", replies=replies), truth_files)


@pytest.mark.parametrize("variant", ["a", "b", "c", "d", "e", "f"])
def test_a_perfect_release_gets_every_point_on_every_card(variant):
    files, truth, _ = known(variant, patients=200)
    card = scored(files, perfect(truth))
    assert str(card.score) == "100.00", [(line.criterion.id, line.message) for line in card.lines]
    assert card.hold == []


@pytest.fixture(scope="module")
def base():
    """One scene and its perfect release, for the flaws."""
    files, truth, _ = known("flaws")
    return files, truth, perfect(truth)


def column(table: str, name: str):
    def leave(release, truth):
        release["tables"][table][name] = truth.tables[table][name]

    return leave


def leave_ids_hashed(release, truth):
    ids = truth.tables["patients"]["patient_id"].map(lambda p: hashlib.sha256(p.encode()).hexdigest())
    release["tables"]["patients"]["insurance_key"] = ids


def leave_comments(release, truth):
    release["tables"]["labs"]["comment"] = truth.tables["labs"]["comment"]


def true_dates(release, truth):
    release["tables"]["labs"]["taken_at"] = truth.tables["labs"]["taken_at"]


def other_rule(release, truth):
    taken = truth.tables["encounters"]["start"]
    year = truth.card["dates"]["rule"] == "year"
    release["tables"]["encounters"]["start"] = (
        (pd.to_datetime(taken) + pd.Timedelta(days=5)).dt.strftime("%Y-%m-%d") if year else taken.str[:4]
    )


def lose_units(release, truth):
    release["tables"]["labs"]["unit"] = ""


def one_code_for_two(release, truth):
    release["tables"]["labs"]["patient_id"] = "c00000x"


def drop_a_table(release, truth):
    del release["tables"]["meds"]


def short_table(release, truth):
    release["tables"]["labs"] = release["tables"]["labs"].iloc[:-1]


def names_in_narrative(release, truth):
    people = truth.tables["patients"].set_index("patient_id").loc[truth.fhir["Patient"]]
    for resource, given, family in zip(release["fhir"]["Patient"], people["given"], people["family"], strict=True):
        resource["text"] = {"div": f"<div><b>{given}&nbsp;{family}</b></div>"}


def names_in_display(release, truth):
    names = truth.tables["patients"].set_index("patient_id")["family"]
    rows = truth.tables["conditions"].set_index("condition_id").loc[truth.fhir["Condition"]]
    for resource, patient in zip(release["fhir"]["Condition"], rows["patient_id"], strict=True):
        resource["subject"]["display"] = names[patient]


def names_excused_as_codes(release, truth):
    names_in_display(release, truth)
    for resource in release["fhir"]["Condition"]:
        resource["code"]["text"] = resource["subject"]["display"]


def record_number_in_visit(release, truth):
    numbers = truth.tables["patients"].set_index("patient_id")["mrn"]
    rows = truth.tables["encounters"].set_index("encounter_id").loc[truth.fhir["Encounter"]]
    for resource, patient in zip(release["fhir"]["Encounter"], rows["patient_id"], strict=True):
        resource["identifier"] = [{"value": f"{numbers[patient]}-1"}]


def documents_released(release, truth):
    release["fhir"]["DocumentReference"] = [{"resourceType": "DocumentReference"}]


def lose_values(release, truth):
    for resource in release["fhir"]["Observation"]:
        resource["valueQuantity"].pop("value")


def dangling(release, truth):
    for resource in release["fhir"]["Observation"]:
        resource["subject"]["reference"] = "Patient/unknown"


def notes_untouched(release, truth):
    release["notes"] = [{"text": text} for text in truth.notes["text"]]


def notes_blank(release, truth):
    release["notes"] = [{"text": "[REDACTED]"} for _ in release["notes"]]


def names_left_in_notes(release, truth):
    spans = truth.spans[truth.spans["kind"] != "NAME"].sort_values("start", ascending=False)
    texts = dict(zip(truth.notes["note_id"], truth.notes["text"], strict=True))
    for row in spans.itertuples():
        texts[row.note_id] = f"{texts[row.note_id][: row.start]}[{row.kind}]{texts[row.note_id][row.end :]}"
    release["notes"] = [{"text": texts[n]} for n in truth.notes["note_id"]]


def one_note_missing(release, truth):
    release["notes"] = release["notes"][:-1]


# flaw: (criterion it costs, and no other; is it a place that holds?)
FLAWS = [
    *[(column("patients", c), TABLES, True) for c in ("mrn", "ssn", "given", "family", "street", "phone", "email")],
    *[(column("patients", c), TABLES, False) for c in ("health_plan_id", "city", "county", "zip")],
    # Whether it holds depends on the draw: an employer may be called like a patient ("Davis LLC").
    (column("patients", "employer"), TABLES, None),
    (column("patients", "birth_date"), TABLES, True),
    (column("contacts", "family"), TABLES, True),
    (column("encounters", "encounter_id"), TABLES, False),
    (leave_ids_hashed, TABLES, False),
    (leave_comments, TABLES, False),
    (true_dates, TABLES, False),
    (other_rule, TABLES, False),
    (lose_units, TABLES, False),
    (one_code_for_two, TABLES, False),
    (drop_a_table, TABLES, False),
    (short_table, TABLES, False),
    (names_in_narrative, FHIR, True),
    (names_in_display, FHIR, True),
    (names_excused_as_codes, FHIR, True),
    (record_number_in_visit, FHIR, True),
    (documents_released, FHIR, True),
    (lose_values, FHIR, False),
    (dangling, FHIR, False),
    (notes_untouched, NOTES, False),
    (notes_blank, NOTES, False),
    (names_left_in_notes, NOTES, False),
    (one_note_missing, NOTES, False),
]


@pytest.mark.parametrize(("flaw", "criterion", "holds"), FLAWS)
def test_a_flaw_costs_its_own_criterion_and_no_other(base, flaw, criterion, holds):
    files, truth, release = base
    broken = copy.deepcopy(release)
    flaw(broken, truth)
    card = scored(files, broken)
    lost = {line.criterion.id: line for line in card.lines if line.verdict != "met"}
    assert list(lost) == [criterion]
    if holds is not None:
        assert (card.hold == [criterion]) is holds, card.hold
    assert lost[criterion].earned <= lost[criterion].criterion.points * 0.97  # a flaw is felt
    values = {*truth.tables["patients"]["mrn"], *truth.tables["patients"]["family"]}
    assert not values & set(lost[criterion].message.replace(",", " ").split()), "a message holds a hidden value"


@pytest.mark.parametrize("content", ["{patient},P1\n", '{{"x": "{mrn}"}}', "log line with {ssn}"])
def test_a_crosswalk_beside_the_release_undoes_it(base, content):
    files, truth, release = base
    person = truth.tables["patients"].iloc[0]
    extra = content.format(patient=person["patient_id"], mrn=person["mrn"], ssn=person["ssn"]).encode()
    card = scored(files, release, {"crosswalk.csv": extra})
    assert (str(card.lines[0].earned), card.hold) == ("0.00", [TABLES])
    harmless = scored(files, release, {"log.csv": b"step,seconds\nread,1\n"})
    assert 25 < harmless.lines[0].earned < 30


def test_withheld_columns_and_the_date_rule_make_another_card_another_task():
    files, truth, _ = known("first")
    card = json.loads(files["facts.json"])["card"]
    rule = "year" if card["dates"]["rule"] == "shift" else "shift"
    kept = [c for c in ("race", "ethnicity", "language", "insurance", "state") if c not in card["withhold"]["patients"]]
    other = {**card, "dates": {**card["dates"], "rule": rule}, "withhold": {"patients": kept[:2]}}
    other_files, _, _ = known("first", other)
    assert str(scored(files, perfect(truth)).score) == "100.00"
    lines = scored(other_files, perfect(truth)).lines  # the same people, a copied answer
    assert lines[0].earned < lines[0].criterion.points * 3 / 4
    assert lines[1].earned < lines[1].criterion.points * 3 / 4


def test_the_truth_is_enough_to_score(base):
    files, truth, release = base
    again = KIT.recipe(NAME).read_truth(dict(files))
    assert dataclasses.astuple(again)[0] == truth.card
    assert scored(files, release).to_bytes() == scored(files, release).to_bytes()


def test_public_files_hold_no_truth():
    _, truth, public = known("public")
    assert not {"spans.csv", "stray.csv", "facts.json"} & set(public)
    assert b"name_group" not in public["patients.csv"]
    assert not truth.spans.empty


def test_numbers_and_texts_compare_as_a_reader_would():
    given, wanted = pd.Series(["136", " 1.50", "x", ""]), pd.Series(["136.0", "1.5", "y", ""])
    assert same_text(given, wanted).tolist() == [True, True, False, True]


def test_dates_are_judged_by_the_day_they_denote():
    true = pd.Series(["2024-03-14T08:15:00"] * 7)
    given = pd.Series(["2024-03-14", "03/14/2024", "14.03.2024", "2024", "", "2024-03-21T08:15:00", "2024-03-21"])
    assert date_clean(given, true).tolist() == [False, False, False, True, True, True, True]
    assert date_follows(given, true, "shift", 30).tolist() == [False, False, False, False, False, True, True]
    assert date_follows(given, true, "shift", 5).tolist() == [False] * 7
    assert date_follows(given, true, "year", 30).tolist() == [False, False, False, True, False, False, False]


def test_one_code_per_patient_and_one_patient_per_code():
    true = pd.Series(["p", "p", "q", "r", "s"])
    assert one_to_one(pd.Series(["1", "1", "2", "3", "3"]), true).tolist() == [True, True, True, False, False]
    assert one_to_one(pd.Series(["1", "2", "", "4", "5"]), true).tolist() == [False, False, False, True, True]
