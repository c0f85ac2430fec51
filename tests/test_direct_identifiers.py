"""Places of direct identifiers in tables, FHIR, letters and file names: each flaw is found in its place."""

from __future__ import annotations

import json
from typing import Any

import perfect_release
import pytest

from graders.measures import release_attachments, release_fhir, release_tables
from graders.measures.places import Place
from graders.measures.release import LONGEST_LETTER, Release
from synthetic_data.recipes import deidentification as recipe
from synthetic_data.streams import Seed

Made = dict[str, Any]
WITHHELD = {"patients": ["ethnicity", "state"], "contacts": ["relationship"], "encounters": ["reason"]}


@pytest.fixture(scope="module")
def base() -> tuple[Any, Made, dict[str, bytes]]:
    """A truth whose card withholds all that has a twin in FHIR, its perfect release, and what was given."""
    seed = Seed.from_int(13)
    scene = recipe.scene(seed, {"patients": 50}, recipe.draw_card(seed) | {"withhold": WITHHELD})
    truth = recipe.read_truth(scene.truth)
    return truth, perfect_release.perfect(truth), scene.public


TABLES, FHIR, LETTERS = (release_tables,), (release_fhir,), (release_attachments,)


def places(truth: Any, made: Made, parts: Any = (*TABLES, *FHIR, *LETTERS)) -> tuple[list[Place], list[Place]]:
    release = Release.read(perfect_release.files(made), truth)
    judged = [part.judge(release, truth) for part in parts]
    return [p for gone, _, _ in judged for p in gone], [p for _, kept, _ in judged for p in kept]


def felt(base: Any, flaw: Any, *parts: Any) -> tuple[dict[str, Place], dict[str, Place]]:
    """Places that are not clean, and places that did not survive. parts: where the flaw is, if not everywhere."""
    truth, made, _ = base
    broken = perfect_release.copied(made)
    flaw(broken, truth)
    found = places(truth, broken, parts) if parts else places(truth, broken)
    return tuple({p.name: p for p in some if p.good < p.total} for some in found)


def test_a_perfect_release_has_no_place_that_is_not_as_it_should_be(base):
    assert felt(base, lambda *_: None) == ({}, {})


@pytest.mark.parametrize("share", range(3))
def test_other_cards_and_people_make_no_false_alarm(share):
    seed = Seed.from_int(90 + share)
    truth = recipe.read_truth(recipe.scene(seed, {"patients": 40}, recipe.draw_card(seed)).truth)
    must_go, must_stay = places(truth, perfect_release.perfect(truth))
    assert [p for p in must_go + must_stay if p.good < p.total] == []


def left(table: str, column: str) -> Any:
    def flaw(made: Made, truth: Any) -> None:
        made["tables"][table][column] = truth.tables[table][column]

    return flaw


@pytest.mark.parametrize(
    ("table", "column", "place", "direct"),
    [
        *[
            ("patients", c, f"patients.{c}", True)
            for c in ("mrn", "ssn", "given", "family", "street", "phone", "birth_date")
        ],
        *[("patients", c, f"patients.{c}", False) for c in ("health_plan_id", "city", "county", "zip")],
        ("contacts", "family", "contacts.family", True),
        ("contacts", "contact_id", "contacts: patients' ids", False),
        ("encounters", "encounter_id", "encounters: patients' ids", False),
        ("labs", "mrn", "labs.mrn", True),
        ("labs", "lab_id", "labs.lab_id", False),
        ("labs", "comment", "labs.comment", False),
        ("meds", "sig", "meds.sig", False),
        ("patients", "ethnicity", "patients.ethnicity (withheld)", False),
        ("contacts", "relationship", "contacts.relationship (withheld)", False),
        ("encounters", "reason", "encounters.reason (withheld)", False),
    ],
)
def test_a_column_left_as_it_was_is_found_there(base, table, column, place, direct):
    dirty, lost = felt(base, left(table, column), *TABLES)
    assert lost == {}
    assert place in dirty
    assert dirty[place].direct is direct
    # Names stand in e-mail addresses and employers too, record numbers in comments.
    assert len(dirty) <= 4


def shuffled(table: str, column: str) -> Any:
    def flaw(made: Made, truth: Any) -> None:
        made["tables"][table][column] = truth.tables[table][column].to_numpy()[::-1]

    return flaw


@pytest.mark.parametrize(
    ("table", "column", "place"),
    [
        ("patients", "mrn", "patients.mrn"),
        ("encounters", "patient_id", "encounters: patients' ids"),
        ("labs", "mrn", "labs.mrn"),
        ("labs", "lab_id", "labs.lab_id"),
    ],
)
def test_somebody_elses_identifier_is_one_too(base, table, column, place):
    assert place in felt(base, shuffled(table, column), *TABLES)[0]


def in_every(kind: str, path: str, values: Any) -> Any:
    """A flaw: what `values` makes of each patient's row stands at a path of each resource."""

    def flaw(made: Made, truth: Any) -> None:
        people = truth.tables["patients"].set_index("patient_id", drop=False)
        table, key = recipe.RELEASED[kind]
        rows = truth.tables[table].set_index(key, drop=False).loc[truth.fhir[kind]].to_dict("records")
        for resource, row in zip(made["fhir"][kind], rows, strict=True):
            perfect_release.put(resource, path.split("."), values(people.loc[row["patient_id"]], row))

    return flaw


def vendor(p: Any, _: Any) -> str:
    return p["fhir_id"]


IN_FHIR = {
    "Patient: family": in_every("Patient", "text.div", lambda p, _: f"<p>{p['family'].upper()}&nbsp;&#58;</p>"),
    "Patient: mrn": in_every("Patient", "identifier.0.value", lambda p, _: p["mrn"].replace("-", "")),
    "Patient: phone": in_every("Patient", "telecom.0.value", lambda p, _: f"+1 {p['phone'].replace('-', '.')}"),
    "Patient: zip": in_every("Patient", "address.0.postalCode", lambda p, _: p["zip"]),
    "Patient: city": in_every("Patient", "address.0.text", lambda p, _: p["city"]),
    "Patient.birthDate": in_every("Patient", "birthDate", lambda p, _: p["birth_date"]),
    "Patient: fhir_id": in_every("Patient", "identifier.0.value", vendor),
    "Patient: patients' ids": in_every("Patient", "identifier.0.value", vendor),
    "Patient.address.state (withheld)": in_every("Patient", "address.0.state", lambda p, _: p["state"]),
    "Patient: us-core-ethnicity (withheld)": in_every(
        "Patient", "extension.0.valueString", lambda p, _: p["ethnicity"]
    ),
    "Encounter.reasonCode (withheld)": in_every("Encounter", "reasonCode.0.text", lambda _, r: r["reason"].upper()),
    "Encounter: mrn": in_every("Encounter", "identifier.0.value", lambda p, _: f"{p['mrn']}-1"),
    "Encounter: patients' ids": in_every("Encounter", "id", lambda p, _: f"{p['fhir_id']}-E1"),
    "Condition: family": in_every("Condition", "subject.display", lambda p, _: p["family"]),
    "Condition: patients' ids": in_every(
        "Condition", "encounter.reference", lambda p, _: f"Encounter/{p['fhir_id']}-E1"
    ),
    "Observation: patients' ids": in_every("Observation", "id", lambda p, _: f"{p['fhir_id']}-E1-L1"),
    "Observation: accession numbers": in_every("Observation", "identifier.0.value", lambda _, r: r["lab_id"]),
    "MedicationRequest: given": in_every("MedicationRequest", "note.0.text", lambda p, _: f'"{p["given"]}"'),
}


@pytest.mark.parametrize("place", IN_FHIR)
def test_what_is_left_in_a_resource_is_found_there(base, place):
    dirty, lost = felt(base, IN_FHIR[place], *FHIR)
    assert place in dirty
    # ZIP codes of small areas have a place of their own.
    assert dirty[place].good <= (0.6 if "zip" in place else 0.1) * dirty[place].total
    assert lost == {}
    assert all(name.split(":")[0].split(".")[0] == place.split(":")[0].split(".")[0] for name in dirty)


def test_relationships_go_from_patients_contacts_too(base):
    def flaw(made: Made, truth: Any) -> None:
        contacts = truth.tables["contacts"].groupby("patient_id")["relationship"].agg(list)
        for resource, patient in zip(made["fhir"]["Patient"], truth.fhir["Patient"], strict=True):
            resource["contact"] = [{"relationship": [{"text": r.upper()}]} for r in contacts.get(patient, [])]

    assert list(felt(base, flaw, *FHIR)[0]) == ["Patient.contact.relationship (withheld)"]


def test_a_free_text_comment_left_in_an_observation_is_found(base):
    def flaw(made: Made, truth: Any) -> None:
        rows = truth.tables["labs"].set_index("lab_id").loc[truth.fhir["Observation"]]
        for resource, comment in zip(made["fhir"]["Observation"], rows["comment"], strict=True):
            resource["note"] = [{"text": comment}]

    dirty, _ = felt(base, flaw, *FHIR)
    assert dirty["Observation: free text"].good < 0.1 * dirty["Observation: free text"].total


def test_a_zip_area_that_is_small_by_the_given_table_is_too_much(base):
    def flaw(made: Made, truth: Any) -> None:
        made["tables"]["patients"]["zip"] = truth.tables["patients"]["zip"].str[:3]
        for resource, patient in zip(made["fhir"]["Patient"], truth.fhir["Patient"], strict=True):
            resource["address"] = [{"postalCode": zips[patient][:3]}]

    truth, _, _ = base
    zips = truth.tables["patients"].set_index("patient_id")["zip"]
    small = int(zips.str[:3].isin(truth.small_zip3).sum())
    assert small > 0
    dirty, lost = felt(base, flaw)
    places = {f"{name} (small areas)" for name in ("patients.zip", "Patient: zip")}
    assert {p.name: (p.good, p.total) for p in dirty.values()} == dict.fromkeys(places, (0, small))
    assert lost == {}


def test_cells_that_may_be_blanked_against_the_register_cost_nothing_here(base):
    def flaw(made: Made, truth: Any) -> None:
        for column in ("birth_date", "race", "language"):
            made["tables"]["patients"][column] = ""
        made["tables"]["patients"]["zip"] = "000"
        for resource in made["fhir"]["Patient"]:
            resource.pop("gender")

    assert felt(base, flaw) == ({}, {})


def test_the_year_of_birth_of_the_oldest_is_too_much(base):
    truth, _, _ = base
    born = truth.tables["patients"]["birth_date"]
    old = int(release_tables.ninety(born, truth.card["as_of"]).sum())
    assert old > 0

    def flaw(made: Made, truth: Any) -> None:
        made["tables"]["patients"]["birth_date"] = born.str[:4]
        years = dict(zip(truth.tables["patients"]["patient_id"], born.str[:4], strict=True))
        for resource, patient in zip(made["fhir"]["Patient"], truth.fhir["Patient"], strict=True):
            resource["birthDate"] = years[patient]

    dirty, _ = felt(base, flaw)
    places = {f"{name} (90 or older)" for name in ("patients.birth_date", "Patient.birthDate")}
    assert {p.name: (p.good, p.total) for p in dirty.values()} == dict.fromkeys(places, (0, old))


def letters_as_they_were(made: Made, truth: Any) -> None:
    made["attachments"] = dict(zip(truth.attachments["file_name"], truth.attachments["content"], strict=True))


def contents_as_they_were(made: Made, truth: Any) -> None:
    original = dict(zip(truth.attachments["patient_id"] + truth.attachments["number"].astype(str),
                        truth.attachments["content"], strict=True))  # fmt: skip
    codes = dict(zip(made["tables"]["patients"]["patient_id"], truth.tables["patients"]["patient_id"], strict=True))
    for name in made["attachments"]:
        code, number = name.removesuffix(".txt").rsplit("-", 1)
        made["attachments"][name] = original[codes[code] + number]


def test_letters_left_as_they_were_are_found_by_what_they_say(base):
    dirty, lost = felt(base, contents_as_they_were)
    stated = {f"letters: {what}" for what in ("names", "numbers", "streets", "towns", "birth dates")}
    # The patient's own number is a patient's number as well.
    assert stated <= set(dirty) <= stated | {"letters: numbers of any patient"}
    # A town that a hospital is called after may stay.
    assert all(dirty[place].good < 0.3 * dirty[place].total for place in stated)
    assert dirty["letters: names"].direct
    assert lost == {}


def test_old_file_names_are_found_and_their_letters_read_all_the_same(base):
    dirty, lost = felt(base, letters_as_they_were)
    assert dirty["letters' file names"].good == 0
    assert dirty["letters: names"].good < 0.1 * dirty["letters: names"].total
    assert lost == {}


@pytest.mark.parametrize("name", ["{family}-{n}.txt", "{mrn} {n}.txt", "copy_of_{old}"])
def test_new_file_names_made_of_identifiers_are_found(base, name):
    def flaw(made: Made, truth: Any) -> None:
        people = truth.tables["patients"].set_index("patient_id").loc[truth.attachments["patient_id"]]
        facts = zip(people["family"], people["mrn"], truth.attachments["file_name"], strict=True)
        made["attachments"] = {
            name.format(family=family, mrn=mrn.replace("/", "-"), old=old, n=n): "Letter"
            for n, (family, mrn, old) in enumerate(facts)
        }

    dirty, lost = felt(base, flaw)
    assert dirty["letters' file names"].good <= 0.1 * dirty["letters' file names"].total
    assert "letters" in lost


def test_cleaned_letters_under_names_of_nobody_are_judged_where_codes_are(base):
    def flaw(made: Made, truth: Any) -> None:
        made["attachments"] = {f"letter {n}.txt": text for n, text in enumerate(made["attachments"].values())}

    assert felt(base, flaw) == ({}, {})


def test_letters_as_they_were_under_names_of_nobody_are_found(base):
    def flaw(made: Made, truth: Any) -> None:
        made["attachments"] = {f"letter {n}.txt": t for n, t in enumerate(truth.attachments["content"])}

    dirty, _ = felt(base, flaw)
    assert list(dirty) == ["letters of unknown patients"]
    assert dirty["letters of unknown patients"].good <= 0.1 * dirty["letters of unknown patients"].total


def test_letters_without_their_words_have_not_survived(base):
    def flaw(made: Made, truth: Any) -> None:
        made["attachments"] = dict.fromkeys(made["attachments"], "[REMOVED]")

    dirty, lost = felt(base, flaw)
    assert dirty == {}
    assert lost["letters"].good == 0


def test_what_nobody_asked_for_is_found(base):
    truth, made, _ = base
    files = perfect_release.files(made)
    files["fhir/DocumentReference.ndjson"] = files["fhir/RelatedPerson.ndjson"] = b"{}\n"
    files["log.txt"] = b"done"
    files["meds.csv"] = files["meds.csv"].replace(b"rxnorm", b"rxnorm,more", 1).replace(b"\n", b",\n")
    files["notes.jsonl"] = files["notes.jsonl"].replace(b'{"note_id"', b'{"mrn": "", "note_id"')
    release = Release.read(files, truth)
    found = {p.name: p for p in release_tables.judge(release, truth)[0] if p.good < p.total}
    assert found["files that are not asked for"].total == 3
    assert found["files that are not asked for"].direct
    assert "notes.jsonl (fields that are not asked for)" in found


def test_a_file_far_longer_than_a_letter_is_none(base):
    truth, made, _ = base
    files = perfect_release.files(made)
    name = next(name for name in files if name.startswith("attachments/"))
    release = Release.read({**files, name: b"x" * (LONGEST_LETTER + 1)}, truth)
    assert release.others == [name]
    assert len(release.attachments) == len(truth.attachments) - 1


def test_a_crosswalk_is_counted_by_patients_also_among_the_letters(base):
    truth, made, public = base
    files = perfect_release.files(made)
    assert release_tables.betrayed(files, truth) == 0
    people = truth.tables["patients"].head(3)
    walk = "\n".join(f"{row['patient_id']},c1" for row in people.to_dict("records")).encode()
    assert release_tables.betrayed({**files, "keys.csv": walk}, truth) == 3
    assert release_tables.betrayed({**files, "attachments/x-1.txt": walk}, truth) == 3
    ids = json.dumps(people["fhir_id"].tolist()).encode()
    assert release_tables.betrayed({**files, "ids.json": ids}, truth) == 3
    # A letter of one patient, left as it was, is judged as a letter.
    letters = {name: data for name, data in public.items() if name.startswith("attachments/")}
    assert release_tables.betrayed({**files, **letters}, truth) == 0


def test_missing_files_are_clean_and_have_not_survived(base):
    truth, _, _ = base
    release = Release.read({}, truth)
    for part in (release_tables, release_fhir, release_attachments):
        must_go, must_stay, _ = part.judge(release, truth)
        assert [p for p in must_go if p.good < p.total] == []
        assert [p for p in must_stay if p.good] == []
