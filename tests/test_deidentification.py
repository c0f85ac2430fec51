"""The rubric of deidentification: a perfect release gets everything, and each flaw costs its own criterion."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
from typing import Any

import pandas as pd
import perfect_release
import pytest
from perfect_release import Made, perfect

from graders.harness.grading import Terms, make_scene
from graders.harness.kit import Kit
from graders.harness.outcome import Outcome
from graders.harness.scorecard import score
from graders.measures.places import same_text
from synthetic_data.scene import Reply

KIT, NAME = Kit(), "deidentification"
DIRECT = "no_direct_identifier_is_left"
NOTES = "notes_lose_the_patient_and_keep_the_medicine"
HARD, GROUPS = "hard_forms_go_and_look_alikes_stay", "names_of_every_group_are_found_alike"
CODES, DATES = "one_code_per_person", "dates_move_together"
REGISTER, UTILITY = "nobody_is_singled_out", "release_is_still_useful"
KNOWS = "candidate_knows_what_is_left"
PREDICTIONS = b'{"recall": [0.99, 1.0], "kept": [0.99, 1.0], "weakest": ["NAME"], "worst_group": ["anglo"]}'
# What costs this share of a criterion's points is no loss of it: the parts multiply.
FELT = 0.1


def known(variant: str, card: dict[str, Any] | None = None, patients: int = 60):
    """(files of the truth, the truth, the public files) of a small hidden scene."""
    exercise = dataclasses.replace(KIT.exercise(NAME), ci_settings={"patients": patients})
    scene = make_scene(KIT, exercise, Terms(variant, b"s" * 32, card=card, small=True))
    return scene.truth, KIT.recipe(NAME).read_truth(scene.truth), scene.public


def scored(truth_files, release: Made, truth, more: dict[str, bytes] | None = None, second: Made | None = None):
    """The scorecard of a release. more: files beyond what the brief asks for.  second: the second play's."""
    files = {**perfect_release.files(release), **(more or {})}
    again = perfect_release.files(second or perfect_release.second(truth))
    replies = (Reply("ok", None, files), Reply("ok", None, again))
    submitted = {"predictions.json": PREDICTIONS}
    return score(KIT, Outcome(NAME, "v", "hidden", "sha256:0", replies=replies, submitted=submitted), truth_files)


@pytest.mark.parametrize("variant", ["a", "b", "c", "d", "e", "f"])
def test_a_perfect_release_gets_every_point_on_every_card(variant):
    files, truth, _ = known(variant, patients=200)
    card = scored(files, perfect(truth), truth)
    assert str(card.score) == "100.00", [(line.criterion.id, line.message) for line in card.lines]
    assert card.hold == []


@pytest.fixture(scope="module")
def base():
    """One scene, its perfect release, and what that earns by criterion."""
    files, truth, _ = known("flaws", patients=100)
    release = perfect(truth)
    return files, truth, release, lines(scored(files, release, truth))


def lines(card) -> dict[str, Any]:
    """The scorecard's lines by criterion."""
    return {line.criterion.id: line for line in card.lines}


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


def years_only(release, truth):
    for name, columns in {"encounters": ["start", "end"], "labs": ["taken_at"]}.items():
        for column in columns:
            release["tables"][name][column] = truth.tables[name][column].str[:4]


def times_dropped(release, truth):
    release["tables"]["labs"]["taken_at"] = release["tables"]["labs"]["taken_at"].str[:10]


def another_move_in_fhir(release, truth):
    for resource in release["fhir"]["Encounter"]:
        day = pd.Timestamp(resource["period"]["start"][:10]) + pd.Timedelta(days=3)
        resource["period"]["start"] = f"{day:%Y-%m-%d}{resource['period']['start'][10:]}"


def same_move_for_all(release, truth):
    days = dict.fromkeys(truth.tables["patients"]["patient_id"], 7)
    moved_by(release, truth, days)


def moved_by(release, truth, days):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(perfect_release, "moves", lambda _: days)
        release |= perfect(truth)


def true_dates_in_notes(release, truth):
    spans = truth.spans.sort_values("start", ascending=False)
    texts = dict(zip(truth.notes["note_id"], truth.notes["text"], strict=True))
    for row in spans[spans["kind"] != "DATE"].itertuples():
        texts[row.note_id] = f"{texts[row.note_id][: row.start]}[{row.kind}]{texts[row.note_id][row.end :]}"
    for row, note in zip(release["notes"], truth.notes["note_id"], strict=True):
        row["text"] = texts[note]


def merged_by_record_number(release, truth):
    people = truth.tables["patients"]
    first = dict(zip(people["mrn"], release["tables"]["patients"]["patient_id"], strict=True))
    of_patient = {p: first[m] for p, m in zip(people["patient_id"], people["mrn"], strict=True)}
    for name, table in truth.tables.items():
        column = "mrn" if name == "labs" else "patient_id"
        release["tables"][name][column] = table["patient_id"].map(of_patient)


def codes_of_notes_differ(release, truth):
    for row in release["notes"]:
        row["patient_id"] = "n" + row["patient_id"]


def letters_not_renamed(release, truth):
    release["attachments"] = {f"letter{n}.txt": t for n, t in enumerate(release["attachments"].values())}


def letters_untouched(release, truth):
    names = dict(zip(truth.attachments["file_name"], truth.attachments["content"], strict=True))
    for made, content in zip(list(release["attachments"]), names.values(), strict=True):
        release["attachments"][made] = content


def exact_zip(release, truth):
    release["tables"]["patients"]["zip"] = truth.tables["patients"]["zip"]


def identity_of(truth) -> pd.Series:
    """patient_id -> all that a patient is known by, in one line."""
    people = truth.tables["patients"].set_index("patient_id")
    return people["given"] + " " + people["family"] + " SSN#" + people["ssn"] + " MRN#" + people["mrn"]


def told_as_clinician(release, truth):
    whose = truth.tables["encounters"]["patient_id"]
    release["tables"]["encounters"]["provider_given"] = whose.map(identity_of(truth))


def told_in_ids(release, truth):
    whose = truth.tables["conditions"]["patient_id"]
    release["tables"]["conditions"]["condition_id"] = whose.map(identity_of(truth).str.replace(" ", "-"))


def told_as_performer(release, truth):
    whose = truth.tables["labs"].set_index("lab_id").loc[truth.fhir["Observation"], "patient_id"]
    for resource, line in zip(release["fhir"]["Observation"], whose.map(identity_of(truth)), strict=True):
        resource["performer"] = [{"display": line}]


def told_to_the_next(release, truth):
    lines = truth.tables["patients"].set_index("patient_id").loc[truth.fhir["Patient"], "ssn"].tolist()
    for resource, line in zip(release["fhir"]["Patient"], lines[1:] + lines[:1], strict=True):
        resource["identifier"] = [{"value": line}]


def told_in_others_letters(release, truth):
    line = identity_of(truth).iloc[0]
    release["attachments"] = {name: f"{text}\ncc: {line}" for name, text in release["attachments"].items()}


def told_in_files_called_letters(release, truth):
    lines = identity_of(truth).tolist()
    parts = {f"part{n}.txt": "\n".join(lines[n : n + 9]) for n in range(0, len(lines), 9)}
    release["attachments"] = release["attachments"] | parts


def told_in_empty_comments(release, truth):
    empty = truth.tables["labs"]["comment"] == ""
    release["tables"]["labs"].loc[empty, "comment"] = "drawn " + truth.tables["labs"]["taken_at"][empty]


def true_day_behind_the_moved_one(release, truth):
    for name, column in (("encounters", "start"), ("labs", "taken_at")):
        release["tables"][name][column] += " (true: " + truth.tables[name][column] + ")"


def true_day_as_issued(release, truth):
    taken = truth.tables["labs"].set_index("lab_id").loc[truth.fhir["Observation"], "taken_at"]
    for resource, day in zip(release["fhir"]["Observation"], taken, strict=True):
        resource["issued"] = f"{day}Z"


def demography_blank(release, truth):
    for column in ("race", "language"):
        release["tables"]["patients"][column] = ""


def results_shuffled(release, truth):
    labs = release["tables"]["labs"]
    labs["value"] = labs["value"].to_numpy()[::-1]


def lose_units(release, truth):
    release["tables"]["labs"]["unit"] = ""


def one_code_for_all(release, truth):
    release["tables"]["labs"]["mrn"] = "c00000x"


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
    for row, text in zip(release["notes"], truth.notes["text"], strict=True):
        row["text"] = text


def notes_blank(release, truth):
    for row in release["notes"]:
        row["text"] = "[REDACTED]"


def names_left_in_notes(release, truth):
    spans = truth.spans[truth.spans["kind"] != "NAME"].sort_values("start", ascending=False)
    texts = dict(zip(truth.notes["note_id"], truth.notes["text"], strict=True))
    for row in spans.itertuples():
        texts[row.note_id] = f"{texts[row.note_id][: row.start]}[{row.kind}]{texts[row.note_id][row.end :]}"
    for row, note in zip(release["notes"], truth.notes["note_id"], strict=True):
        row["text"] = texts[note]


def one_note_missing(release, truth):
    release["notes"] = release["notes"][:-1]


# flaw: (criteria it costs, and no other; is it a place that holds?)
NOTED = [NOTES, HARD, GROUPS, KNOWS]
FLAWS = [
    *[(column("patients", c), [DIRECT], True) for c in ("mrn", "ssn", "given", "family", "street", "phone", "email")],
    *[(column("patients", c), [DIRECT], False) for c in ("health_plan_id", "city", "county")],
    # Whether it holds depends on the draw: an employer may be called like a patient ("Davis LLC").
    (column("patients", "employer"), [DIRECT], None),
    (column("patients", "birth_date"), [DIRECT, REGISTER, UTILITY], True),
    (exact_zip, [DIRECT], False),
    (column("contacts", "family"), [DIRECT], True),
    (column("encounters", "encounter_id"), [DIRECT], False),
    (leave_ids_hashed, [DIRECT], True),
    (leave_comments, [DIRECT], True),
    (drop_a_table, [DIRECT, CODES, DATES, UTILITY], False),
    (names_in_narrative, [DIRECT], True),
    (names_in_display, [DIRECT], True),
    (names_excused_as_codes, [DIRECT], True),
    (record_number_in_visit, [DIRECT], True),
    (documents_released, [DIRECT], True),
    (letters_untouched, [DIRECT], None),
    (told_as_clinician, [DIRECT], True),
    (told_in_ids, [DIRECT], True),
    (told_as_performer, [DIRECT], True),
    (told_to_the_next, [DIRECT], True),
    (told_in_others_letters, [DIRECT], True),
    (told_in_empty_comments, [DIRECT], False),
    (true_day_behind_the_moved_one, [DATES], False),
    (true_day_as_issued, [DATES], False),
    (lose_units, [DIRECT, UTILITY], False),
    (lose_values, [DIRECT, UTILITY], False),
    (results_shuffled, [DIRECT, UTILITY], False),
    (notes_untouched, [*NOTED, DATES], False),
    (notes_blank, NOTED, False),
    (names_left_in_notes, NOTED, False),
    (one_code_for_all, [CODES, UTILITY], False),
    (merged_by_record_number, [CODES], False),
    (codes_of_notes_differ, [CODES], False),
    (letters_not_renamed, [CODES], False),
    (dangling, [CODES], False),
    (true_dates, [DATES], False),
    (years_only, [DATES, UTILITY], False),
    (times_dropped, [DATES], False),
    (another_move_in_fhir, [DATES], False),
    (true_dates_in_notes, [*NOTED, DATES], False),
    (demography_blank, [UTILITY, REGISTER], False),
]


@pytest.mark.parametrize(("flaw", "criteria", "holds"), FLAWS)
def test_a_flaw_costs_its_own_criteria_and_no_other(base, flaw, criteria, holds):
    files, truth, release, before = base
    broken = copy.deepcopy(release)
    flaw(broken, truth)
    card = scored(files, broken, truth)
    felt = {
        name: line
        for name, line in lines(card).items()
        if float(line.earned) < float(before[name].earned) - FELT * line.criterion.points
    }
    # A place of many is a small part of the first criterion, and is told there all the same.
    lost = {name for name, line in felt.items() if name != DIRECT}
    direct = lines(card)[DIRECT]
    lost |= {DIRECT} if float(direct.earned) < float(before[DIRECT].earned) * 0.98 else set()
    # What a release is worth is a factor of the register's points.
    lost -= {REGISTER} if UTILITY in lost and REGISTER not in criteria else set()
    assert lost == set(criteria), {name: line.message for name, line in lines(card).items()}
    if holds is not None:
        assert (DIRECT in card.hold) is holds, card.hold
    values = {*truth.tables["patients"]["mrn"], *truth.tables["patients"]["family"]}
    for line in card.lines:
        told = " ".join((line.message, *line.evidence))
        assert not values & set(told.replace(",", " ").split()), "a message holds a hidden value"


def test_the_card_says_whose_move_it_is(base):
    _, _, _, _ = base
    for variant in ("a", "b", "c", "d"):
        files, truth, _ = known(variant, patients=100)
        if truth.card["dates"]["rule"] == "shift":
            break
    release = perfect(truth)
    same_move_for_all(release, truth)
    assert float(lines(scored(files, release, truth))[DATES].earned) == 0


def test_equal_codes_under_two_keys_link_two_releases(base):
    files, truth, release, _ = base
    again = perfect_release.second(truth, key="one")
    card = lines(scored(files, release, truth, second=again))
    assert float(card[CODES].earned) == 0
    assert all(line.verdict == "met" for name, line in card.items() if name not in (CODES, KNOWS))


@pytest.mark.parametrize("name", ["patient_id", "mrn", "ssn"])
def test_a_code_computed_without_the_key_is_reversed(base, name):
    files, truth, release, _ = base
    broken = copy.deepcopy(release)
    people = truth.tables["patients"]
    digests = (hashlib.sha256(value.encode()).hexdigest()[:16] for value in people[name])
    hashed = dict(zip(people["patient_id"], digests, strict=True))
    for table, original in truth.tables.items():
        broken["tables"][table]["mrn" if table == "labs" else "patient_id"] = original["patient_id"].map(hashed)
    assert float(lines(scored(files, broken, truth))[CODES].earned) == 0


@pytest.mark.parametrize("content", ["{patient},P1\n", '{{"x": "{mrn}"}}', "log line with {ssn}"])
def test_a_crosswalk_beside_the_release_undoes_it(base, content):
    files, truth, release, _ = base
    person = truth.tables["patients"].iloc[0]
    extra = content.format(patient=person["patient_id"], mrn=person["mrn"], ssn=person["ssn"]).encode()
    card = scored(files, release, truth, {"crosswalk.csv": extra})
    assert (str(card.lines[0].earned), card.hold) == ("0.00", [DIRECT])
    harmless = scored(files, release, truth, {"log.csv": b"step,seconds\nread,1\n"})
    assert 12 < harmless.lines[0].earned < 15


def test_a_crosswalk_called_letters_or_hospitals_undoes_it(base):
    files, truth, release, _ = base
    letters = perfect_release.copied(release)
    told_in_files_called_letters(letters, truth)
    hospitals = "".join(json.dumps({"resourceType": "Organization", "name": n}) + "\n" for n in identity_of(truth))
    for card in (
        scored(files, letters, truth),
        scored(files, release, truth, {"fhir/Organization.ndjson": hospitals.encode()}),
    ):
        assert (str(card.lines[0].earned), card.hold) == ("0.00", [DIRECT])


def test_what_is_done_in_the_second_release_must_be_what_is_done_in_the_first(base):
    files, truth, release, _ = base
    people = truth.tables["patients"].set_index("patient_id", drop=False).loc[truth.second["patients"]]
    second = perfect_release.second(truth)
    codes = second["tables"]["patients"]["patient_id"].tolist()
    second["tables"]["patients"] = people.assign(patient_id=codes)
    card = scored(files, release, truth, second=second)
    assert (str(card.lines[0].earned), card.hold) == ("0.00", [DIRECT])


def test_codes_that_differ_in_a_prefix_only_link_two_releases(base):
    files, truth, release, _ = base
    same = {p: hashlib.sha256(f"pepper {who}".encode()).hexdigest()[:20] for p, who in truth.persons.items()}
    first = perfect_release.recoded(release, truth, {p: f"a7{code}" for p, code in same.items()})
    second = perfect_release.second(truth, codes={p: f"03{code}" for p, code in same.items()})
    assert float(lines(scored(files, first, truth, second=second))[CODES].earned) == 0


@pytest.mark.parametrize("text", ["12 \u017fep 2024", "fr\u0131 night", "\u0131 and \u212a"])
def test_letters_that_pass_for_others_break_nothing(base, text):
    files, truth, release, _ = base
    odd = perfect_release.copied(release)
    for row in odd["notes"]:
        row["text"] += f" {text}"
    assert scored(files, odd, truth).score is not None


def test_another_card_makes_it_another_task():
    files, truth, _ = known("first")
    card = json.loads(files["facts.json"])["card"]
    rule = "relative" if card["dates"]["rule"] == "shift" else "shift"
    kept = [c for c in ("ethnicity", "insurance", "state") if c not in card["withhold"]["patients"]]
    other = {**card, "dates": {**card["dates"], "rule": rule}, "withhold": {**card["withhold"], "patients": kept}}
    other_files, other_truth, _ = known("first", other)
    assert str(scored(files, perfect(truth), truth).score) == "100.00"
    found = lines(scored(other_files, perfect(truth), other_truth))  # the same people, a copied answer
    assert float(found[DATES].earned) == 0
    assert float(found[DIRECT].earned) < 14


def test_the_truth_is_enough_to_score(base):
    files, truth, release, _ = base
    again = KIT.recipe(NAME).read_truth(dict(files))
    assert again.card == truth.card
    assert scored(files, release, truth).to_bytes() == scored(files, release, truth).to_bytes()


def test_public_files_hold_no_truth():
    _, truth, public = known("public")
    assert not {"spans.csv", "stray.csv", "facts.json", "register.csv"} & set(public)
    assert b"name_group" not in public["patients.csv"]
    assert not truth.spans.empty


def test_numbers_and_texts_compare_as_a_reader_would():
    given, wanted = pd.Series(["136", " 1.50", "x", ""]), pd.Series(["136.0", "1.5", "y", ""])
    assert same_text(given, wanted).tolist() == [True, True, False, True]


# ---------------------------------------------------------------- evidence


def test_evidence_names_the_rows_and_lines_of_what_was_left(base):
    files, truth, release, _ = base
    broken = copy.deepcopy(release)
    people = truth.tables["patients"]
    rows = people.index[people["phone"] != ""][[3, 40]]
    broken["tables"]["patients"].loc[rows, "phone"] = people["phone"][rows]
    meds = dict(zip(truth.tables["meds"]["med_id"], truth.tables["meds"]["patient_id"], strict=True))
    line = 7
    owner = people.set_index("patient_id").loc[meds[truth.fhir["MedicationRequest"][line]]]
    broken["fhir"]["MedicationRequest"][line]["note"] = [{"text": f"for {owner['given']} {owner['family']}"}]
    evidence = lines(scored(files, broken, truth))[DIRECT].evidence
    count = int((people["phone"] != "").sum())
    written = {name: data.decode().splitlines() for name, data in perfect_release.files(broken).items()}
    # As an editor counts them: the header is line 1.
    numbers = [n for n, text in enumerate(written["patients.csv"], 1) if any(people["phone"][r] in text for r in rows)]
    assert f"patients.csv, phone: 2 of {count} still there in rows {numbers[0]}, {numbers[1]}" in evidence
    (told,) = (text for text in evidence if "MedicationRequest.ndjson, family" in text)
    assert told.endswith("still there in line 8")
    assert owner["family"] in written["fhir/MedicationRequest.ndjson"][8 - 1]


def test_evidence_of_notes_names_lines_that_hold_what_was_left(base):
    files, truth, release, _ = base
    broken = copy.deepcopy(release)
    names_left_in_notes(broken, truth)
    found = lines(scored(files, broken, truth))
    (told,) = (text for text in found[NOTES].evidence if text.startswith("notes.jsonl, NAME"))
    assert told.endswith(f"all {int((truth.spans['kind'] == 'NAME').sum())} can still be read")
    (told,) = (text for text in found[HARD].evidence if "hard forms of NAME" in text)
    assert "can still be read" in told
    assert found[GROUPS].evidence == found[NOTES].evidence


def test_evidence_holds_no_name_that_a_submission_chose(base):
    files, truth, release, _ = base
    broken = copy.deepcopy(release)
    people = truth.tables["patients"]
    names = people["family"].tolist()
    for table, chosen in zip(broken["tables"], names, strict=False):
        broken["tables"][table][chosen] = "x"
    for row, chosen in zip(broken["notes"], names, strict=False):
        row[chosen] = chosen
    for kind, resources in broken["fhir"].items():
        resources[0][names[0]] = kind
    letters = enumerate(zip(names, broken["attachments"].values(), strict=False))
    broken["attachments"] = {f"{name} {n}.txt": text for n, (name, text) in letters}
    broken["tables"]["patients"]["patient_id"] = people["family"]
    more = {f"{name}/{mrn}.csv": b"x" for name, mrn in zip(names[:5], people["mrn"][:5], strict=True)}
    card = scored(files, broken, truth, more)
    evidence = [text for line in card.lines for text in line.evidence]
    told = " ".join(evidence).lower()
    columns = ("family", "mrn", "ssn", "phone", "email", "patient_id", "fhir_id", "birth_date", "street")
    hidden = {value.lower() for column in columns for value in people[column] if value}
    assert len(evidence) > 12
    assert not {value for value in hidden if value in told}
    assert "conditions.csv, columns that are not asked for: 1 of 1 still there" in evidence
