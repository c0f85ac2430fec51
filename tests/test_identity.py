"""One code per person: what holds in all files, what links two releases, and what can be reversed."""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
import random
import re
import uuid
from typing import Any

import pandas as pd
import perfect_release
import pytest

from graders.measures import identity
from graders.measures.release import Release
from synthetic_data.recipes import deidentification as recipe
from synthetic_data.streams import Seed

Made = dict[str, Any]


@pytest.fixture(scope="module")
def base() -> tuple[Any, Made, dict[str, bytes]]:
    """A truth of 200 patients, its perfect release, and the files of the second one."""
    seed = Seed.from_int(11)
    scene = recipe.scene(seed, {"patients": 200}, recipe.draw_card(seed))
    truth = recipe.read_truth(scene.truth)
    return truth, perfect_release.perfect(truth), perfect_release.files(perfect_release.second(truth))


def judged(truth: Any, made: Made | dict[str, bytes], second: dict[str, bytes]) -> tuple[float, str]:
    files = perfect_release.files(made) if "tables" in made else made
    return identity.judge(Release.read(files, truth), second, truth)


def recoded(base: Any, codes: dict[str, str]) -> dict[str, bytes]:
    """The files of the perfect release with these codes by patient_id in place of its own."""
    truth, made, _ = base
    given = zip(made["tables"]["patients"]["patient_id"], truth.tables["patients"]["patient_id"], strict=True)
    new = {code.encode(): codes[patient].encode() for code, patient in given}
    pattern = re.compile(rb"c[0-9a-f]{12}")

    def change(data: bytes) -> bytes:
        return pattern.sub(lambda match: new[match.group()], data)

    return {change(name.encode()).decode(): change(data) for name, data in perfect_release.files(made).items()}


def by_patient(truth: Any, code: Any) -> dict[str, str]:
    people = truth.tables["patients"]
    return {row["patient_id"]: code(row) for row in people.to_dict("records")}


def test_a_perfect_release_gets_everything(base):
    truth, made, second = base
    fraction, message = judged(truth, made, second)
    assert (fraction, message.split(";")) == (
        1.0,
        ["100.0% of patients have one code in all files that nobody else has"],
    )


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
    broken = copy.deepcopy(made)
    # All of them have notes, drugs and letters.
    some = (
        set(truth.attachments["patient_id"]) & set(truth.notes["patient_id"]) & set(truth.tables["meds"]["patient_id"])
    )
    some = set(sorted(some)[:10])
    assert len(some) == 10
    flaw(broken, truth, some)
    fraction, message = judged(truth, broken, second)
    assert fraction == pytest.approx(0.5)
    assert f"{says}10 of 200 patients" in message
    assert not some & set(message.replace(",", " ").split())


def test_five_in_a_hundred_patients_merged_cost_half(base):
    truth, _, second = base
    codes = by_patient(truth, lambda row: "q" + hashlib.sha256(f"s{row['patient_id']}".encode()).hexdigest()[:9])
    patients = list(codes)
    for one, other in zip(patients[:5], patients[5:10], strict=True):
        codes[other] = codes[one]
    fraction, message = judged(truth, recoded(base, codes), second)
    assert fraction == pytest.approx(0.5)
    assert "patients: 10 of 200 patients share a code with somebody else" in message


def test_a_feed_joined_by_record_number_alone_merges_people(base):
    truth, made, second = base
    broken = copy.deepcopy(made)
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
    broken = copy.deepcopy(made)
    for name, table in broken["tables"].items():
        table["mrn" if name == "labs" else "patient_id"] = ""
    fraction, message = judged(truth, broken, second)
    assert fraction == 0
    assert "patients: 200 of 200 patients have no code" in message


def test_a_release_of_nothing_is_judged_and_gets_nothing(base):
    truth, _, _ = base
    assert identity.judge(Release.read({}, truth), {}, truth)[0] == 0


@pytest.mark.parametrize(("equal", "worth"), [(0, 1.0), (1, 1.0), (3, 0.625), (6, 0.0), (60, 0.0)])
def test_equal_codes_in_two_releases_link_them(base, equal, worth):
    truth, made, _ = base
    codes = perfect_release.coded(truth.tables["patients"]["patient_id"], "two")
    first = perfect_release.coded(truth.tables["patients"]["patient_id"], "one")
    codes |= {patient: first[patient] for patient in truth.second["patients"][:equal]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(perfect_release, "coded", lambda *_: codes)
        second = perfect_release.files(perfect_release.second(truth))
    fraction, message = judged(truth, made, second)
    assert fraction == pytest.approx(worth)
    assert ("same code in two releases" in message) is (worth < 1)


def test_one_file_of_the_second_release_is_enough_to_link(base):
    truth, made, second = base
    first = perfect_release.coded(truth.tables["patients"]["patient_id"], "one")
    labs = pd.DataFrame({"mrn": [first[p] for p in truth.second["labs"]]})
    assert judged(truth, made, {**second, "labs.csv": labs.to_csv(index=False).encode()})[0] == 0


def test_codes_that_differ_only_in_row_order_are_fine(base):
    truth, _, _ = base
    rows = by_patient(truth, lambda _: "")
    first = {p: f"P{n + 1:05d}" for n, p in enumerate(rows)}
    with pytest.MonkeyPatch.context() as patch:
        other = {p: f"P{n + 1:05d}" for n, p in enumerate(truth.second["patients"])}
        patch.setattr(perfect_release, "coded", lambda *_: {**first, **other})
        second = perfect_release.files(perfect_release.second(truth))
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


@pytest.mark.parametrize("way", REVERSIBLE)
def test_a_code_computed_without_the_key_is_reversed(base, way):
    truth, _, second = base
    fraction, message = judged(truth, recoded(base, by_patient(truth, REVERSIBLE[way])), second)
    assert fraction == 0
    assert "code" in message.split(";")[-1]


def numbered(truth: Any, column: str) -> dict[str, str]:
    people = truth.tables["patients"].sort_values([column, "patient_id"])
    return {p: f"P{n + 17}" for n, p in enumerate(people["patient_id"])}


@pytest.mark.parametrize("column", ["patient_id", "mrn", "ssn", "birth_date", "family"])
def test_codes_in_the_order_of_an_identifier_give_it_away(base, column):
    truth, _, second = base
    fraction, message = judged(truth, recoded(base, numbered(truth, column)), second)
    assert fraction == 0
    assert "codes follow" in message


def keyed(row: dict[str, str], key: bytes, length: int) -> str:
    return hmac.new(key, row["patient_id"].encode(), "sha256").hexdigest()[:length]


def test_keyed_and_random_codes_of_all_shapes_are_no_ones_to_reverse(base):
    truth, _, second = base
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
    for shape, code in shapes.items():
        fraction, message = judged(truth, recoded(base, by_patient(truth, code)), second)
        assert (shape, fraction, message.count(";")) == (shape, 1, 0)


def test_a_row_id_that_is_a_hash_of_the_old_one_is_reversed(base):
    truth, made, second = base
    broken = copy.deepcopy(made)
    hashed = truth.tables["encounters"]["encounter_id"].map(lambda e: digest("sha256", e).hex()[:16])
    broken["tables"]["encounters"]["encounter_id"] = hashed
    fraction, message = judged(truth, broken, second)
    assert (fraction, message.split("; ")[-1]) == (
        0,
        "encounters: encounter_id is an unkeyed hash of the original id",
    )


def test_messages_hold_no_code_and_no_identifier(base):
    truth, made, second = base
    broken = copy.deepcopy(made)
    labs_by_record_number(broken, truth, set())
    _, message = judged(truth, broken, second)
    values = {*truth.tables["patients"]["mrn"], *made["tables"]["patients"]["patient_id"]}
    assert not values & set(message.replace(",", " ").replace(";", " ").split())


@pytest.mark.parametrize("code", ["9" * 5000, "\u00b2" * 12, "\u0663" * 12, "a" * 100_000, "=" * 40, " ", "\u00e9" * 9])
def test_codes_of_any_characters_are_judged(base, code):
    truth, _, second = base
    codes = {patient: f"{code}{n}" for n, patient in enumerate(truth.tables["patients"]["patient_id"])}
    assert judged(truth, recoded(base, codes), second)[0] in (0.0, 1.0)
