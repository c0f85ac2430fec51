"""The de-identification exercise's data: what the packet, the second play and the truth hold, and for which cards."""

from __future__ import annotations

import base64
import io
import json
import re
import tomllib
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthetic_data import dataset, phi, phi_pack
from synthetic_data import register as regions
from synthetic_data.network import SITES
from synthetic_data.phi_pack import Forms
from synthetic_data.population import PLACEHOLDER_SSN, population, whole_years
from synthetic_data.recipes import deidentification as recipe
from synthetic_data.recipes.deidentification import GIVEN, RELEASED, Scene, Truth
from synthetic_data.scene import Files, Reply, Request
from synthetic_data.streams import Seed

SEED = Seed.from_int(20261121)
CARD = recipe.draw_card(SEED)
PATIENTS = 300


@pytest.fixture(scope="module")
def scene() -> Scene:
    return recipe.scene(SEED, {"patients": PATIENTS}, CARD)


@pytest.fixture(scope="module")
def truth(scene: Scene) -> Truth:
    return recipe.read_truth(scene.truth)


@pytest.fixture(scope="module")
def larger() -> Truth:
    """Enough patients for what few have: 90 years, or letters in two charts."""
    return recipe.read_truth(recipe.scene(SEED, {"patients": 600}, CARD).truth)


def table(files: Files, name: str) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(files[f"{name}.csv"]), dtype=str, keep_default_na=False)


def lines(files: Files, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in files[name].splitlines()]


def resources(files: Files, kind: str) -> list[dict[str, Any]]:
    return lines(files, f"fhir/{kind}.ndjson")


# Determinism and the card


def test_the_same_seed_and_card_make_the_same_bytes(scene):
    again = recipe.scene(SEED, {"patients": PATIENTS}, dict(CARD))
    assert (again.public, again.second, again.truth, again.keys) == (
        scene.public,
        scene.second,
        scene.truth,
        scene.keys,
    )


def test_another_seed_makes_other_people_and_keys(scene):
    other = recipe.scene(Seed.from_int(5), {"patients": 20}, CARD)
    numbers = [set(table(files, "patients")["ssn"]) for files in (other.public, scene.public)]
    assert numbers[0] & numbers[1] <= {PLACEHOLDER_SSN}
    assert not set(other.keys) & set(scene.keys)


@pytest.mark.parametrize("number", range(12))
def test_a_drawn_card_passes_its_own_check_and_reads_back_from_its_text(number):
    card = recipe.draw_card(Seed.from_int(number))
    recipe.check_card(card)
    assert tomllib.loads(recipe.card_text(card)) == card
    assert card["mrn_format"]["A"] == card["mrn_format"]["B"] != card["mrn_format"]["C"]
    assert [len(card["withhold"][name]) for name in ("patients", "contacts", "encounters")] in ([2, 1, 0], [2, 0, 1])


def test_cards_differ_in_rule_anchor_and_withheld_columns():
    cards = [recipe.draw_card(Seed.from_int(number)) for number in range(40)]
    assert {card["dates"]["rule"] for card in cards} == {"shift", "relative"}
    assert {card["dates"]["anchor"] for card in cards} == set(recipe.ANCHORS)
    withheld = {name for card in cards for columns in card["withhold"].values() for name in columns}
    assert withheld == {"ethnicity", "insurance", "state", "relationship", "reason"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda card: card.pop("as_of"), "'as_of' is missing"),
        (lambda card: card.update(as_of="2026-02-30"), "'as_of' must be a date"),
        (lambda card: card.update(surprise=1), "unknown: surprise"),
        (lambda card: card.update(dates=7), "'dates' is missing"),
        (lambda card: card["dates"].pop("anchor"), r"\[dates\] must have anchor, max_days, rule"),
        (lambda card: card["dates"].update(rule="year"), r"\[dates\] rule must be shift or relative"),
        (lambda card: card["dates"].update(max_days=True), r"\[dates\] max_days"),
        (lambda card: card["dates"].update(max_days=0), r"\[dates\] max_days"),
        (lambda card: card["dates"].update(anchor="soon"), r"\[dates\] anchor"),
        (lambda card: card["withhold"].pop("contacts"), r"\[withhold\] must have"),
        (lambda card: card["withhold"].update(patients=["race"]), r"\[withhold\] patients"),
        (lambda card: card["withhold"].update(encounters="reason"), r"\[withhold\] encounters"),
        (lambda card: card["withhold"].update(contacts=[3]), r"\[withhold\] contacts"),
        (lambda card: card["mrn_format"].update(B="##"), r"\[mrn_format\] B"),
        (lambda card: card["mrn_format"].update(C='#####"'), r"\[mrn_format\] C"),
    ],
)
def test_a_card_that_the_data_cannot_follow_is_refused_by_its_key(change: Callable[[dict], Any], message: str):
    card = json.loads(json.dumps(CARD))
    change(card)
    with pytest.raises(ValueError, match=message):
        recipe.scene(SEED, {"patients": 5}, card)


# The packet


def test_tables_have_the_columns_that_are_announced(scene, truth):
    for name, columns in GIVEN.items():
        given = table(scene.public, name)
        assert tuple(given.columns) == columns
        pd.testing.assert_frame_equal(given, truth.tables[name][list(columns)])
    assert {"patient_id", "encounter_id"} <= set(truth.tables["labs"])
    assert {"person", "name_group", "fhir_id"} <= set(truth.tables["patients"])


def test_labs_know_a_patient_by_site_and_record_number_alone(scene, truth):
    labs, patients = truth.tables["labs"], truth.tables["patients"]
    owner = patients.set_index(["site", "mrn"])["patient_id"]
    assert owner.index.is_unique
    assert (owner.loc[pd.MultiIndex.from_frame(labs[["site", "mrn"]])].to_numpy() == labs["patient_id"]).all()
    text = scene.public["labs.csv"].decode()
    assert not any(key in text for key in patients["patient_id"])


def test_a_map_by_record_number_alone_mixes_more_than_a_tenth_of_the_patients():
    patients = population(SEED, np.arange(2000), recipe.network(CARD))
    assert patients["mrn"].duplicated(keep=False).mean() > 0.1
    assert not patients.duplicated(["site", "mrn"]).any()


def test_accession_numbers_are_unique_and_depend_on_patient_and_line_alone(truth):
    labs = truth.tables["labs"]
    assert labs["lab_id"].is_unique
    assert labs["lab_id"].str.fullmatch(r"[ABC]\d{7}").all()
    fewer = recipe.read_truth(recipe.scene(SEED, {"patients": 40}, CARD).truth).tables["labs"]
    shared = labs.merge(fewer, on="lab_id")
    assert len(shared) == len(fewer)
    assert (shared["taken_at_x"] == shared["taken_at_y"]).all()


def test_the_vendors_ids_hold_digits_of_ssn_and_birth_date_and_nothing_of_the_tables_ids(scene, truth):
    patients = truth.tables["patients"].set_index("fhir_id")
    assert patients.index.is_unique
    assert patients.index.str.fullmatch(r"\d{4}-\d{4}-[A-Z]{4}").all()
    for resource in resources(scene.public, "Patient"):
        person = patients.loc[resource["id"]]
        assert resource["id"][:9] == f"{person['ssn'][-4:]}-{person['birth_date'][5:].replace('-', '')}"
        assert {i["value"] for i in resource["identifier"]} == {person["mrn"], person["ssn"], person["health_plan_id"]}
    text = b"\n".join(data for name, data in scene.public.items() if name.startswith("fhir/")).decode()
    found = set(re.findall(r"[ABC]-\d{6}(?=\D)", text))
    assert not found & set(patients["patient_id"])
    assert not set(re.findall(r"[ABC]\d{7}", text)) & set(truth.tables["labs"]["lab_id"])


def test_resources_state_the_rows_that_the_truth_names_in_that_order(scene, truth):
    fhir_id = truth.tables["patients"].set_index("patient_id")["fhir_id"]
    for kind, (name, key) in RELEASED.items():
        rows = truth.tables[name].set_index(key).loc[truth.fhir[kind]]
        owners = fhir_id.loc[truth.fhir[kind] if kind == "Patient" else rows["patient_id"]]
        given = resources(scene.public, kind)
        assert len(given) == len(rows)
        assert all(resource["id"].startswith(owner) for resource, owner in zip(given, owners, strict=True))
    labs = truth.tables["labs"].set_index("lab_id").loc[truth.fhir["Observation"]]
    values = [resource["valueQuantity"]["value"] for resource in resources(scene.public, "Observation")]
    assert np.array_equal(labs["value"].astype(float), np.array(values, float))
    codes = [resource["code"]["coding"][0]["code"] for resource in resources(scene.public, "Observation")]
    assert labs["loinc"].tolist() == codes


def test_every_id_in_fhir_is_unique_and_every_reference_has_its_resource(scene):
    for files in (scene.public, scene.second):
        text = b"".join(data for name, data in files.items() if name.endswith(".ndjson")).decode()
        names = [f"{r['resourceType']}/{r['id']}" for r in map(json.loads, text.splitlines())]
        assert len(set(names)) == len(names)
        assert set(re.findall(r'"reference":"([^"]+)"', text)) <= set(names)


def test_letters_have_file_names_of_their_own_and_fhir_calls_them_the_same(scene, truth):
    letters = truth.attachments
    assert letters["file_name"].is_unique
    held = {name.removeprefix("attachments/"): data for name, data in scene.public.items() if "attachments/" in name}
    assert held == {n: c.encode() for n, c in zip(letters["file_name"], letters["content"], strict=True)}
    fhir_id = truth.tables["patients"].set_index("patient_id")["fhir_id"]
    wanted = {
        (name, f"Patient/{fhir_id[patient]}", content)
        for name, patient, content in letters[["file_name", "patient_id", "content"]].itertuples(index=False)
    }
    stated = set()
    for document in resources(scene.public, "DocumentReference"):
        attachment = document["content"][0]["attachment"]
        if "title" in attachment:
            content = base64.b64decode(attachment["data"]).decode()
            stated.add((attachment["title"], document["subject"]["reference"], content))
    assert stated == wanted


def test_two_letters_of_one_name_are_told_apart():
    names = ["a_1950_fax.txt", "b.txt", "a_1950_fax.txt", "a_1950_fax.txt"]
    apart = recipe.named_apart(pd.DataFrame({"file_name": names}))["file_name"].tolist()
    assert apart == ["a_1950_fax.txt", "b.txt", "a_1950_fax_2.txt", "a_1950_fax_3.txt"]


def test_a_persons_letters_of_all_charts_are_numbered_in_the_order_of_their_names(larger):
    letters = larger.attachments.assign(person=larger.attachments["patient_id"].map(larger.persons))
    both = letters.drop_duplicates(["person", "patient_id"])["person"].duplicated()
    assert both.any(), "nobody has letters in two charts"
    for _, own in letters.groupby("person"):
        assert own.sort_values("number")["file_name"].tolist() == sorted(own["file_name"])
        assert sorted(own["number"]) == list(range(1, len(own) + 1))


def test_the_truth_alone_says_who_is_patient_of_two_sites(scene, truth):
    patients = truth.tables["patients"]
    assert truth.persons.to_dict() == dict(zip(patients["patient_id"], patients["person"], strict=True))
    twice = patients[patients["person"].duplicated(keep=False)]
    assert len(twice) > 0.05 * PATIENTS
    for _, charts in twice.groupby("person"):
        assert charts[["given", "middle", "family", "birth_date", "ssn"]].drop_duplicates().shape[0] == 1
        assert charts["site"].is_unique
        assert charts["mrn"].is_unique
    # What the candidate gets tells them by nothing but these.
    assert not any(b"person" in data.split(b"\n", 1)[0] for name, data in scene.public.items() if name.endswith(".csv"))


def test_the_placeholder_stands_for_strangers_and_other_ssns_for_one_person_each(truth):
    people = truth.tables["patients"].groupby("ssn")["person"].nunique()
    assert people[PLACEHOLDER_SSN] > 1
    assert (people.drop(PLACEHOLDER_SSN) == 1).all()


# Marks in texts


def test_spans_look_alikes_and_stray_identifiers_lie_in_their_texts(truth):
    notes = truth.notes.set_index("note_id")["text"]
    for marks in (truth.spans, truth.keeps):
        assert (marks["end"] <= marks["note_id"].map(notes).str.len()).all()
        assert (marks["start"] < marks["end"]).all()
    labs = truth.tables["labs"].set_index("lab_id")
    patients = truth.tables["patients"].set_index("patient_id")
    mrns = truth.stray[(truth.stray["table"] == "labs") & (truth.stray["kind"] == "MRN")]
    assert len(mrns)
    for row in mrns.itertuples():
        lab = labs.loc[row.row_id]
        assert lab["comment"][row.start : row.end] == patients.loc[lab["patient_id"], "mrn"]


def test_the_year_tells_in_the_birth_date_of_patients_of_90_and_more_only(larger):
    patients = larger.tables["patients"].set_index("patient_id")
    spans = larger.spans.merge(larger.notes[["note_id", "patient_id"]], on="note_id")
    born = patients["birth_date"].loc[spans["patient_id"]].to_numpy()
    age = whole_years(born, np.repeat(np.datetime64(CARD["as_of"]), len(born)))
    expected = (spans["kind"] == "DATE") & (spans["denotes"] == born) & (age >= 90)
    assert spans["year_tells"].dtype == bool
    assert spans["hard"].dtype == bool
    assert spans["year_tells"].any()
    assert (spans["year_tells"] == expected).all()


# The region


@pytest.mark.parametrize("number", range(10))
def test_one_area_at_each_site_is_small_and_a_copied_list_is_wrong_about_two_of_its_three(number):
    zips = regions.zip_population(Seed.from_int(number))
    assert zips["zip"].is_unique
    assert zips["zip"].str.fullmatch(r"\d{5}").all()
    people = zips.groupby(zips["zip"].str[:3])["population"].sum()
    small = set(people.index[people <= regions.SMALL_AREA])
    assert len(people) == 11
    assert len(small) == 3
    assert len(small & set(regions.LISTED)) == 1
    # No single ZIP says whether its area is large.
    assert zips["population"].between(1, regions.SMALL_AREA).all()


def test_every_zip_of_a_patient_is_listed_and_every_area_has_others(truth):
    zips = truth.zip_population
    patients = set(truth.tables["patients"]["zip"])
    assert patients <= set(zips["zip"])
    without = zips[~zips["zip"].isin(regions.addresses.town_zips())]
    assert without.groupby(without["zip"].str[:3]).size().between(2, 4).all()
    assert without["zip"].str[:3].nunique() == 11


def test_small_areas_are_those_of_20_000_people_or_fewer(truth):
    people = truth.zip_population.groupby(truth.zip_population["zip"].str[:3])["population"].sum()
    assert truth.small_zip3 == {area for area, count in people.items() if count <= 20_000}


def test_the_register_counts_every_inhabitant_and_every_patient(truth):
    register = truth.register
    per_area = register.groupby("zip3")["people"].sum()
    listed = truth.zip_population.groupby(truth.zip_population["zip"].str[:3])["population"].sum()
    assert per_area.to_dict() == listed.to_dict()
    counts = register.set_index(list(regions.KEY))["people"]
    assert counts.index.is_unique
    patients = truth.tables["patients"]
    own = patients.assign(zip3=patients["zip"].str[:3], birth_year=patients["birth_date"].str[:4].astype(int))
    needed = own.groupby(list(regions.KEY)).size()
    assert (counts.loc[needed.index] >= needed).all()


def test_the_register_has_the_patients_races_and_languages_in_about_their_shares():
    people = population(SEED, np.arange(2000))
    register = regions.register(SEED, regions.zip_population(SEED), people)
    for name in ("race", "language", "sex"):
        inhabitants = register.groupby(name)["people"].sum() / register["people"].sum()
        patients = people[name].value_counts(normalize=True)
        assert set(patients.index) <= set(inhabitants.index)
        assert (inhabitants - patients.reindex(inhabitants.index, fill_value=0)).abs().max() < 0.04


def test_the_registers_schema_names_its_values(truth):
    schema = regions.schema().set_index("column")
    assert list(schema.index) == ["name", "birth_year", "sex", "zip", "race", "language"]
    for name in ("sex", "race", "language"):
        assert set(truth.register[name]) <= set(schema.loc[name, "values"].split(" | "))


# The second play


def test_play_2_has_some_of_the_same_patients_in_another_order(scene, truth):
    first, second = table(scene.public, "patients"), table(scene.second, "patients")
    assert len(second) == round(0.3 * PATIENTS)
    assert set(second.itertuples(index=False)) < set(first.itertuples(index=False))
    kept = first[first["patient_id"].isin(second["patient_id"])]
    assert kept["patient_id"].tolist() != second["patient_id"].tolist()


def test_play_2_has_all_rows_resources_and_letters_of_its_patients_and_no_others(scene, truth):
    chosen = set(truth.second["patients"])
    for name, columns in GIVEN.items():
        rows = truth.tables[name]
        wanted = rows.loc[rows["patient_id"].isin(chosen), list(columns)]
        pd.testing.assert_frame_equal(
            table(scene.second, name).sort_values(columns[0], ignore_index=True),
            wanted.sort_values(columns[0], ignore_index=True),
        )
    letters = truth.attachments[truth.attachments["patient_id"].isin(chosen)]
    assert {n.removeprefix("attachments/") for n in scene.second if "attachments/" in n} == set(letters["file_name"])
    fhir_id = truth.tables["patients"].set_index("patient_id")["fhir_id"]
    ids = {fhir_id[key] for key in chosen}
    for name in scene.public:
        if not name.endswith(".ndjson"):
            continue
        one, two = scene.public[name].splitlines(), scene.second[name].splitlines()
        if name in ("fhir/Organization.ndjson", "fhir/Practitioner.ndjson"):
            assert one == two
        else:
            # Ids of patients stand in every resource about one.
            assert set(two) == {line for line in one if any(key in line.decode() for key in ids)}
    manifest = json.loads(scene.second["fhir/manifest.json"])
    assert {e["type"]: e["count"] for e in manifest["output"]}["Patient"] == len(chosen)


def test_the_truth_says_whose_each_row_of_play_2_is(scene, truth):
    assert table(scene.second, "patients")["patient_id"].tolist() == truth.second["patients"]
    assert [note["patient_id"] for note in lines(scene.second, "notes.jsonl")] == truth.second["notes"]
    owner = truth.tables["labs"].set_index("lab_id")["patient_id"]
    assert owner.loc[table(scene.second, "labs")["lab_id"]].tolist() == truth.second["labs"]
    patient = truth.tables["patients"].set_index("fhir_id")["patient_id"]
    assert [patient[r["id"]] for r in resources(scene.second, "Patient")] == truth.second["Patient"]


def test_a_scene_of_few_patients_has_all_of_them_twice():
    scene = recipe.scene(SEED, {"patients": 12}, CARD)
    assert len(table(scene.second, "patients")) == 12


def test_the_plays_have_different_data_and_keys_and_stop_at_the_first_failure(scene):
    steps = scene.steps()
    first = next(steps)
    assert isinstance(first, Request)
    second = steps.send(Reply("ok", None, {}))
    assert (first.files, second.files) == (scene.public, scene.second)
    assert (first.args[2], second.args[2]) == scene.keys
    assert len(set(scene.keys)) == 2
    with pytest.raises(StopIteration):
        steps.send(Reply("ok", None, {}))
    stopped = scene.steps()
    next(stopped)
    with pytest.raises(StopIteration):
        stopped.send(Reply("raised", None, {}))


# Forms that are kept back, and a team's own

PACK = tomllib.loads("""
[[form]]
menu = "phone"
name = "star"
text = "{phone:0-3}*{phone:3-6}*{phone:6-}"
weight = 8.0
hard = true

[[form]]
menu = "birth"
name = "backwards"
text = "{yyyy}/{dd} {mon:upper}"
weight = 20.0

[[form]]
menu = "header"
name = "bars"
text = "{family:upper}|{given}|{middle}"
weight = 20

[[form]]
menu = "mrn"
name = "cut"
text = "{mrn:0-3}_{mrn:3-}"
""")


def written(**forms: Any) -> pd.DataFrame:
    data = dataset.make(SEED, 120, forms=Forms(**forms))
    text = data.spans["note_id"].map(data.notes.set_index("note_id")["text"])
    said = [t[a:b] for t, a, b in zip(text, data.spans["start"], data.spans["end"], strict=True)]
    return data.spans.assign(said=said).merge(data.patients, on="patient_id")


def forms_of(settings: dict[str, Any]) -> set[str]:
    scene = recipe.scene(SEED, {"patients": 120, **settings}, CARD)
    return set(recipe.read_truth(scene.truth).spans["form"])


def test_practice_holds_no_form_of_the_reserve_and_hidden_data_does():
    reserve = {form.name for menu in phi.MENUS.values() for form in menu.forms if form.reserve}
    assert not forms_of({"hidden": 0}) & reserve
    assert forms_of({"hidden": 1}) & reserve


def test_a_packs_forms_are_in_hidden_notes_and_never_in_practice():
    own = {"pack.star", "pack.backwards", "pack.bars", "pack.cut"}
    assert own <= forms_of({"hidden": 1, "pack": PACK})
    assert not own & forms_of({"hidden": 0, "pack": PACK})
    assert not own & forms_of({"hidden": 1, "pack": {}})


def test_a_packs_forms_say_what_the_chart_says():
    spans = written(pack=PACK)
    own = {name: rows for name, rows in spans.groupby("form") if name.startswith("pack.")}
    assert own["pack.star"]["said"].str.fullmatch(r"\d{3}\*555\*01\d\d").all()
    assert own["pack.star"]["hard"].all()
    born = own["pack.backwards"]
    assert born["denotes"].tolist() == born["birth_date"].tolist()
    assert born["said"].tolist() == [f"{d:%Y/%d %b}".upper() for d in pd.to_datetime(born["birth_date"])]
    assert own["pack.cut"]["said"].str.replace("_", "").tolist() == [
        re.sub("[-.]", "", mrn) for mrn in own["pack.cut"]["mrn"]
    ]
    names = own["pack.bars"]
    whole = names["family"].str.upper() + "|" + names["given"] + "|" + names["middle"]
    assert names["said"].tolist() == whole.tolist()
    assert not spans["said"].str.contains("[{}]").any()


def test_a_pack_reaches_other_processes():
    forms = Forms(pack=PACK)
    alone = dataset.make(SEED, 8, SITES, block_size=4, forms=forms)
    shared = dataset.make(SEED, 8, SITES, block_size=4, workers=2, forms=forms)
    pd.testing.assert_frame_equal(alone.notes, shared.notes)


def test_every_blank_of_every_menu_can_be_written():
    menus = [menu for menu in phi.MENUS if phi_pack.blanks(menu)]
    # Frequent enough to be written, which for rare menus means nearly always.
    forms = [
        {"menu": menu, "name": menu, "text": f".{'/'.join(f'{{{b}}}' for b in phi_pack.blanks(menu))}.", "weight": 50}
        for menu in menus
    ]
    spans = written(pack={"form": forms})
    own = spans[spans["form"].str.startswith("pack.")]
    assert set(own["form"]) == {f"pack.{menu}" for menu in menus}
    assert own["said"].str.fullmatch(r"\..+\.").all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"menu": "fone"}, "form 'star': unknown menu 'fone'"),
        ({"menu": "clinician", "text": "{family}!"}, "form 'star': unknown menu 'clinician'"),
        ({"text": "{ssn:0-3}"}, "form 'star': unknown blank 'ssn'"),
        ({"text": "{phone:0-3}*{phone"}, "form 'star': 'text' has a brace"),
        ({"text": "call"}, "form 'star': 'text' needs a blank"),
        ({"text": "{phone} "}, "form 'star': 'text' begins or ends"),
        ({"text": 3}, "form 'star': 'text' must be a text"),
        ({"weight": 0}, "form 'star': 'weight' must be above 0"),
        ({"weight": True}, "form 'star': 'weight' must be a number"),
        ({"weight": float("inf")}, "form 'star': 'weight' must be above 0"),
        ({"hard": "yes"}, "form 'star': 'hard' must be true or false"),
        ({"name": "Star!"}, "form 'Star!': a name has small letters"),
        ({"colour": "red"}, "form 'star': unknown: colour"),
        ({"menu": "header", "text": "{middle}"}, "form 'star': 'text' needs a blank"),
        ({"menu": "date", "text": "{dd}.{mm}."}, "form 'star': a date needs blanks"),
        ({"menu": "date", "text": "{yyyy}_{mm}_{dd}"}, "form 'star': a date has only"),
        ({"menu": "header", "text": "Pt. {family}"}, "form 'star': 'text' has letters"),
        ({"text": "{phone:11-}"}, "form 'star': for some people"),
    ],
)
def test_a_pack_that_cannot_be_used_is_refused_by_the_forms_name(change: dict, message: str):
    form = {"menu": "phone", "name": "star", "text": "{phone:0-3}*{phone:3-}"} | change
    with pytest.raises(ValueError, match=message):
        recipe.scene(SEED, {"patients": 40, "hidden": 1, "pack": {"form": [form]}}, CARD)


@pytest.mark.parametrize(
    ("pack", "message"),
    [
        ({"forms": []}, r"\[\[form\]\] tables only, not forms"),
        ({"form": {"menu": "phone"}}, "two pairs of brackets"),
        ({"form": [{"menu": "phone", "text": "{phone}"}]}, "form 'number 1': 'name' is missing"),
        ({"form": [{"menu": "phone", "name": "a", "text": "{phone}"}] * 2}, "form 'a': there are two"),
    ],
)
def test_a_file_that_is_no_pack_is_refused(pack: dict, message: str):
    with pytest.raises(ValueError, match=message):
        phi_pack.menus(pack)
