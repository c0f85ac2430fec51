"""One code per person: what holds in all files, what links two releases, and what can be reversed."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import random
import uuid
from typing import Any

import pandas as pd
import perfect_release
import pytest

from graders.measures import identity
from graders.measures.places import ramp
from graders.measures.release import Release
from synthetic_data.recipes import deidentification as recipe
from synthetic_data.streams import Seed

Made = dict[str, Any]


# Of whom some twenty have two charts, and enough others are left to be told from them.
PATIENTS = 200


@pytest.fixture(scope="module")
def base() -> tuple[Any, Made, dict[str, bytes]]:
    """A truth, its perfect release, and the files of the second one."""
    seed = Seed.from_int(11)
    scene = recipe.scene(seed, {"patients": PATIENTS}, recipe.draw_card(seed))
    truth = recipe.read_truth(scene.truth)
    return truth, perfect_release.perfect(truth), perfect_release.files(perfect_release.second(truth))


def judged(truth: Any, made: Made, second: dict[str, bytes]) -> tuple[float, str]:
    return identity.judge(Release.read(perfect_release.files(made), truth), second, truth)[:2]


def recoded(base: Any, codes: dict[str, str]) -> Made:
    """The perfect release with these codes by patient_id in place of its own."""
    truth, made, _ = base
    return perfect_release.recoded(made, truth, codes)


def by_person(truth: Any, code: Any) -> dict[str, str]:
    """patient_id -> what `code` makes of the row of the person's first chart in patients.csv."""
    first = truth.tables["patients"].drop_duplicates("person").to_dict("records")
    of_person = {row["person"]: code(row) for row in first}
    return {patient: of_person[who] for patient, who in truth.persons.items()}


def by_chart(truth: Any, code: Any) -> dict[str, str]:
    """patient_id -> what `code` makes of its own row: two charts of one person have two codes."""
    return {row["patient_id"]: code(row) for row in truth.tables["patients"].to_dict("records")}


def twofold(truth: Any) -> set[str]:
    """The patients who are one person with another patient."""
    return set(truth.persons.index[truth.persons.duplicated(keep=False)])


def worth(wrong: int, people: int) -> float:
    """What a release earns where so many people have no code of their own."""
    return ramp(1 - wrong / people, identity.SHARE_START, identity.SHARE_WIDTH)


def test_a_perfect_release_gets_everything(base):
    truth, made, second = base
    assert judged(truth, made, second) == (1.0, "100.0% of people have one code in all files that nobody else has")


def test_full_marks_need_everybody_and_eight_in_a_hundred_without_a_code_leave_nothing():
    assert [worth(wrong, 200) for wrong in (0, 2, 8, 16, 200)] == pytest.approx([1, 0.875, 0.5, 0, 0])


def labs_by_record_number(made: Made, truth: Any, some: set[str]) -> None:
    """A feed joined by mrn alone: whoever shares a record number shares a code."""
    people = truth.tables["patients"]
    first = dict(zip(people["mrn"][::-1], made["tables"]["patients"]["patient_id"][::-1], strict=True))
    made["tables"]["labs"]["mrn"] = truth.tables["labs"]["mrn"].map(first)


def another_code_in(table: str) -> Any:
    def change(made: Made, truth: Any, some: set[str]) -> None:
        codes = made["tables"][table]["patient_id"]
        made["tables"][table]["patient_id"] = codes.where(~truth.tables[table]["patient_id"].isin(some), "x" + codes)

    return change


def no_code_in_notes(made: Made, truth: Any, some: set[str]) -> None:
    for row, patient in zip(made["notes"], truth.notes["patient_id"], strict=True):
        if patient in some:
            row.pop("patient_id")


def other_resource_id(made: Made, truth: Any, some: set[str]) -> None:
    for resource, patient in zip(made["fhir"]["Patient"], truth.fhir["Patient"], strict=True):
        if patient in some:
            resource["id"] += "x"


def rows_of(kind: str, truth: Any) -> list[dict[str, str]]:
    table, key = recipe.RELEASED[kind]
    rows = truth.tables[table].set_index(key, drop=False).loc[truth.fhir[kind]]
    return rows.to_dict("records")


def bare_subjects(made: Made, truth: Any, some: set[str]) -> None:
    for resource, row in zip(made["fhir"]["Observation"], rows_of("Observation", truth), strict=True):
        if row["patient_id"] in some:
            resource["subject"]["reference"] = resource["subject"]["reference"].removeprefix("Patient/")


def wrong_encounters(made: Made, truth: Any, some: set[str]) -> None:
    for resource, row in zip(made["fhir"]["Condition"], rows_of("Condition", truth), strict=True):
        if row["patient_id"] in some:
            resource["encounter"]["reference"] += "x"


def one_id_for_encounters(made: Made, truth: Any, some: set[str]) -> None:
    for resource, row in zip(made["fhir"]["Encounter"], rows_of("Encounter", truth), strict=True):
        if row["patient_id"] in some:
            resource["id"] = "one"
    for kind in ("Condition", "Observation", "MedicationRequest"):
        for resource, row in zip(made["fhir"][kind], rows_of(kind, truth), strict=True):
            if row["patient_id"] in some:
                resource["encounter"]["reference"] = "Encounter/one"


def letters_counted_from_zero(made: Made, truth: Any, some: set[str]) -> None:
    codes = dict(zip(truth.tables["patients"]["patient_id"], made["tables"]["patients"]["patient_id"], strict=True))
    for patient, number in zip(truth.attachments["patient_id"], truth.attachments["number"], strict=True):
        if patient in some:
            text = made["attachments"].pop(f"{codes[patient]}-{number}.txt")
            made["attachments"][f"{codes[patient]}-{number - 1}.txt"] = text


@pytest.mark.parametrize(
    ("flaw", "says"),
    [
        (another_code_in("meds"), "meds: "),
        (another_code_in("encounters"), "encounters: "),
        (no_code_in_notes, "notes: "),
        (other_resource_id, "Patient.id: "),
        (bare_subjects, "Observation.subject: "),
        (wrong_encounters, "Condition.encounter: "),
        (one_id_for_encounters, "Observation.encounter: "),
        (letters_counted_from_zero, "attachments: "),
    ],
)
def test_one_file_that_disagrees_costs_its_patients(base, flaw, says):
    truth, made, second = base
    broken = perfect_release.copied(made)
    # All of them have notes, drugs and letters, and one chart.
    some = (
        set(truth.attachments["patient_id"]) & set(truth.notes["patient_id"]) & set(truth.tables["meds"]["patient_id"])
    )
    some = set(sorted(some - twofold(truth))[:5])
    people = truth.persons.nunique()
    flaw(broken, truth, some)
    fraction, message = judged(truth, broken, second)
    assert fraction == pytest.approx(worth(5, people))
    assert 0 < fraction < 1
    assert f"{says}5 of {people} people" in message
    assert not some & set(message.replace(",", " ").split())


def test_every_pair_of_people_under_one_code_costs_both(base):
    truth, _, second = base
    codes = by_person(truth, lambda row: "q" + hashlib.sha256(f"s{row['person']}".encode()).hexdigest()[:9])
    one, other, third, fourth = sorted(set(codes) - twofold(truth))[:4]
    codes |= {other: codes[one], fourth: codes[third]}
    fraction, message = judged(truth, recoded(base, codes), second)
    people = truth.persons.nunique()
    assert fraction == pytest.approx(worth(4, people))
    assert f"patients: 4 of {people} people share a code with somebody else" in message


# People with two charts


def test_a_person_with_two_charts_and_two_codes_loses_and_the_message_says_so(base):
    truth, _, second = base
    codes = by_person(truth, lambda row: keyed(row, b"k", 12))
    person = truth.persons[truth.persons.duplicated()].iloc[0]
    charts = truth.persons.index[truth.persons == person]
    fraction, message = judged(truth, recoded(base, codes | {charts[1]: "another"}), second)
    people = truth.persons.nunique()
    assert fraction == pytest.approx(worth(1, people))
    assert f"patients: 1 of {people} people have two charts and two codes" in message
    assert not {*charts, "another"} & set(message.replace(",", " ").split())


def test_a_code_per_chart_is_worth_little(base):
    truth, _, second = base
    fraction, message = judged(truth, recoded(base, by_chart(truth, lambda row: keyed(row, b"k", 12))), second)
    split, people = truth.persons.duplicated().sum(), truth.persons.nunique()
    assert split > 0.03 * people
    assert fraction == pytest.approx(worth(split, people))
    assert fraction < 0.5
    assert f"{split} of {people} people have two charts and two codes" in message


@pytest.mark.parametrize("column", ["ssn", "mrn"])
def test_people_told_apart_by_one_number_alone_are_mixed(base, column):
    """Some SSNs are a placeholder, and two sites give the same record number to different people."""
    truth, _, second = base
    codes = by_chart(truth, lambda row: hmac.new(b"k", row[column].encode(), "sha256").hexdigest()[:12])
    fraction, message = judged(truth, recoded(base, codes), second)
    assert fraction < 1
    assert "share a code with somebody else" in message


def test_letters_are_numbered_through_both_charts_of_a_person(base):
    truth, made, second = base
    letters = truth.attachments.assign(person=truth.attachments["patient_id"].map(truth.persons))
    both = letters[letters.groupby("person")["patient_id"].transform("nunique") > 1]
    assert len(both), "somebody has letters in two charts"
    broken = perfect_release.copied(made)
    codes = dict(zip(truth.tables["patients"]["patient_id"], made["tables"]["patients"]["patient_id"], strict=True))
    # As many letters, counted anew in each chart: what comes second takes the first one's name.
    for row in both.itertuples():
        del broken["attachments"][f"{codes[row.patient_id]}-{row.number}.txt"]
    for patient, count in both.groupby("patient_id").cumcount().add(1).groupby(both["patient_id"]).max().items():
        broken["attachments"] |= {f"{codes[patient]}-{k + 1}.txt": "" for k in range(count)}
    people = both["person"].nunique()
    fraction, message = judged(truth, broken, second)
    assert fraction < 1
    assert f"attachments: {people} of {truth.persons.nunique()} people have letters that are missing" in message


def test_a_feed_joined_by_record_number_alone_merges_people(base):
    truth, made, second = base
    broken = perfect_release.copied(made)
    labs_by_record_number(broken, truth, set())
    people, labs = truth.tables["patients"], truth.tables["labs"]
    twice = people[people["mrn"].duplicated(keep=False)]
    merged = people[people["mrn"].isin(twice["mrn"]) & people["patient_id"].isin(labs["patient_id"])]
    fraction, message = judged(truth, broken, second)
    assert fraction < 1
    assert "labs: " in message
    assert "share a code with somebody else" in message
    assert len(merged) > 0


def test_blank_codes_are_no_codes(base):
    truth, made, second = base
    broken = perfect_release.copied(made)
    for name, table in broken["tables"].items():
        table["mrn" if name == "labs" else "patient_id"] = ""
    fraction, message = judged(truth, broken, second)
    assert fraction == 0
    people = truth.persons.nunique()
    assert f"patients: {people} of {people} people have no code" in message


def test_a_release_of_nothing_is_judged_and_gets_nothing(base):
    truth, _, _ = base
    assert identity.judge(Release.read({}, truth), {}, truth)[0] == 0


@pytest.mark.parametrize(("equal", "earned"), [(0, 1.0), (1, 1.0), (3, 0.625), (6, 0.0), (60, 0.0)])
def test_equal_codes_in_two_releases_link_them(base, equal, earned):
    truth, made, _ = base
    first = perfect_release.coded(truth, "one")
    codes = perfect_release.coded(truth, "two") | {p: first[p] for p in truth.second["patients"][:equal]}
    second = perfect_release.files(perfect_release.second(truth, codes=codes))
    fraction, message = judged(truth, made, second)
    assert fraction == pytest.approx(earned)
    assert ("same code in two releases" in message) is (earned < 1)


def test_one_file_of_the_second_release_is_enough_to_link(base):
    truth, made, second = base
    first = perfect_release.coded(truth, "one")
    labs = pd.DataFrame({"mrn": [first[p] for p in truth.second["labs"]]})
    assert judged(truth, made, {**second, "labs.csv": labs.to_csv(index=False).encode()})[0] == 0


def test_codes_that_differ_only_in_row_order_are_fine(base):
    truth, _, _ = base
    persons = truth.persons
    first = {p: f"P{n + 1:05d}" for p, n in zip(persons.index, pd.factorize(persons)[0], strict=True)}
    some = persons[truth.second["patients"]]
    other = {p: f"P{n + 1:05d}" for p, n in zip(some.index, pd.factorize(some)[0], strict=True)}
    second = perfect_release.files(perfect_release.second(truth, codes=other))
    assert judged(truth, recoded(base, first), second)[0] == 1


def digest(name: str, text: str) -> bytes:
    return hashlib.new(name, text.encode(), usedforsecurity=False).digest()


REVERSIBLE = {
    "sha256 of patient_id": lambda r: digest("sha256", r["patient_id"]).hex(),
    "md5 of mrn, cut": lambda r: "P" + digest("md5", r["mrn"]).hex()[:10] + r["site"],
    "sha1 of site and mrn": lambda r: digest("sha1", f"{r['site']}:{r['mrn']}").hex()[:16],
    "sha256 of mrn and site": lambda r: digest("sha256", f"{r['mrn']}|{r['site']}").hex()[:16],
    "sha512 of ssn without dashes": lambda r: digest("sha512", r["ssn"].replace("-", "")).hex()[:20],
    "sha256 of the FHIR id": lambda r: digest("sha256", r["fhir_id"]).hex()[:12],
    "sha256 of the name": lambda r: digest("sha256", f"{r['given']} {r['family']}").hex()[:12],
    "sha256 of name and birth date": lambda r: digest("sha256", f"{r['given']} {r['family']}|{r['birth_date']}").hex(),
    "base64 of sha256 of ssn": lambda r: base64.urlsafe_b64encode(digest("sha256", r["ssn"])).decode()[:12],
    "base32 of sha1 of mrn": lambda r: base64.b32encode(digest("sha1", r["site"] + r["mrn"])).decode()[:12],
    "decimal sha256 of patient_id": lambda r: str(int(digest("sha256", r["patient_id"]).hex(), 16) % 10**10),
    "uuid5 of patient_id": lambda r: str(uuid.uuid5(uuid.NAMESPACE_DNS, r["patient_id"])),
    "patient_id inside": lambda r: f"x{r['patient_id']}y",
    "mrn in capitals": lambda r: f"{r['site']}{r['mrn']}",
    "ssn backwards": lambda r: r["ssn"][::-1],
    "patient_id encoded": lambda r: base64.b64encode(f"id:{r['patient_id']}".encode()).decode(),
    "the FHIR id": lambda r: r["fhir_id"],
}


@pytest.fixture(scope="module")
def reading(base) -> Any:
    """patient_id -> code, to what the codes give away."""
    truth, made, _ = base
    whole = Release.read(perfect_release.files(made), truth)
    patients = whole.tables["patients"]

    def read(codes: dict[str, str]) -> str:
        given = patients.assign(patient_id=truth.tables["patients"]["patient_id"].map(codes))
        return identity.reversible(dataclasses.replace(whole, tables={**whole.tables, "patients": given}), truth)

    return read


@pytest.mark.parametrize("way", REVERSIBLE)
def test_a_code_computed_without_the_key_is_reversed(base, reading, way):
    assert reading(by_person(base[0], REVERSIBLE[way])).startswith("codes ")


def test_codes_that_are_reversed_earn_nothing(base):
    truth, _, second = base
    fraction, message = judged(truth, recoded(base, by_person(truth, REVERSIBLE["sha256 of patient_id"])), second)
    assert fraction == 0
    assert message.split("; ")[1:] == [
        "codes are an unkeyed hash of patient_id: whoever tries all identifiers has them back"
    ]


def numbered(truth: Any, column: str) -> dict[str, str]:
    people = truth.tables["patients"].sort_values([column, "patient_id"])
    place = {who: n for n, who in enumerate(people.drop_duplicates("person")["person"])}
    return {patient: f"P{place[who] + 17}" for patient, who in truth.persons.items()}


@pytest.mark.parametrize("column", ["patient_id", "mrn", "ssn", "birth_date", "family"])
def test_codes_in_the_order_of_an_identifier_give_it_away(base, reading, column):
    assert reading(numbered(base[0], column)).startswith("codes follow the ")


def keyed(row: dict[str, str], key: bytes, length: int) -> str:
    """A code that nobody without the key can work out, of the patient's id."""
    return hmac.new(key, row["patient_id"].encode(), "sha256").hexdigest()[:length]


def test_keyed_and_random_codes_of_all_shapes_are_no_ones_to_reverse(base, reading):
    rng = random.Random(4)
    shapes = {
        "hex 8": lambda r: keyed(r, b"a key", 8),
        "hex 64": lambda r: keyed(r, b"b key", 64),
        "decimal": lambda r: str(int(keyed(r, b"c key", 64), 16) % 10**9),
        "base64": lambda r: base64.urlsafe_b64encode(bytes.fromhex(keyed(r, b"d key", 24))).decode(),
        "uuid": lambda _: str(uuid.UUID(int=rng.getrandbits(128))),
        "letters": lambda _: "".join(rng.choices("bcdfghjklmnpqrstvwxz", k=9)),
        "number": lambda _: f"PT-{rng.randrange(10**12):012d}",
    }
    assert {shape: reading(by_person(base[0], code)) for shape, code in shapes.items()} == dict.fromkeys(shapes, "")


def test_a_row_id_that_is_a_hash_of_the_old_one_is_reversed(base):
    truth, made, second = base
    broken = perfect_release.copied(made)
    hashed = truth.tables["encounters"]["encounter_id"].map(lambda e: digest("sha256", e).hex()[:16])
    broken["tables"]["encounters"]["encounter_id"] = hashed
    fraction, message = judged(truth, broken, second)
    assert (fraction, message.split("; ")[-1]) == (
        0,
        "encounters: encounter_id is an unkeyed hash of the original id",
    )


def test_messages_hold_no_code_and_no_identifier(base):
    truth, made, second = base
    broken = perfect_release.copied(made)
    labs_by_record_number(broken, truth, set())
    _, message = judged(truth, broken, second)
    values = {*truth.tables["patients"]["mrn"], *made["tables"]["patients"]["patient_id"]}
    assert not values & set(message.replace(",", " ").replace(";", " ").split())


@pytest.mark.parametrize("code", ["8" * 5000, "\u00b2" * 12, "\u0663" * 12, "a" * 100_000, "=" * 40, " ", "\u00e9" * 9])
def test_codes_of_any_characters_are_judged(base, code):
    """In patients.csv alone, whose codes are looked at: in every file, the longest would fill the memory."""
    truth, made, second = base
    broken = {**made, "tables": dict(made["tables"])}
    codes = by_person(truth, lambda row: f"{code}{int(row['person']) * 7919 % 997}")
    people = truth.tables["patients"]["patient_id"]
    broken["tables"]["patients"] = made["tables"]["patients"].assign(patient_id=people.map(codes))
    release = Release.read(perfect_release.files(broken), truth)
    assert identity.reversible(release, truth) == ""
    assert identity.judge(release, second, truth)[0] == 0
