from __future__ import annotations

import re
from datetime import date

import numpy as np
import pandas as pd
import pytest

from synthetic_data import clinical, note_text, phi, vocab
from synthetic_data import notes as notes_module
from synthetic_data.network import SITES
from synthetic_data.notes import NoteSet, notes
from synthetic_data.population import contacts, population, whole_years
from synthetic_data.streams import Seed

SEED = Seed.from_int(20261121)
PATIENTS = 1000

Tables = dict[str, pd.DataFrame]


def tables_of(ids: np.ndarray) -> Tables:
    patients = population(SEED, ids, SITES)
    encounters = clinical.encounters(SEED, patients)
    conditions = clinical.conditions(SEED, patients, encounters)
    return {
        "patients": patients,
        "contacts": contacts(SEED, patients),
        "encounters": encounters,
        "conditions": conditions,
        "labs": clinical.labs(SEED, patients, encounters, conditions),
        "meds": clinical.meds(SEED, patients, encounters, conditions),
    }


def notes_of(tables: Tables) -> NoteSet:
    return notes(SEED, **tables, sites=SITES)


@pytest.fixture(scope="module")
def tables() -> Tables:
    return tables_of(np.arange(PATIENTS))


@pytest.fixture(scope="module")
def written(tables: Tables) -> NoteSet:
    return notes_of(tables)


@pytest.fixture(scope="module")
def mentions(written: NoteSet) -> pd.DataFrame:
    """The spans with what they mark."""
    text = written.spans["note_id"].map(written.notes.set_index("note_id")["text"])
    return written.spans.assign(
        said=[t[a:b] for t, a, b in zip(text, written.spans.start, written.spans.end, strict=True)]
    )


@pytest.fixture(scope="module")
def outside(written: NoteSet) -> pd.Series:
    """Each note's text with every span cut out, by note_id."""
    return without(written, written.spans)


@pytest.fixture(scope="module")
def unmarked(written: NoteSet) -> pd.Series:
    """Each note's text with every span and every look-alike cut out, by note_id."""
    return without(written, pd.concat([written.spans, written.keeps]).sort_values(["note_id", "start"]))


def without(written: NoteSet, cut: pd.DataFrame) -> pd.Series:
    stretches = dict(list(cut.groupby("note_id")))
    found = {}
    for note_id, text in zip(written.notes["note_id"], written.notes["text"], strict=True):
        kept, at = [], 0
        for start, end in zip(stretches[note_id]["start"], stretches[note_id]["end"], strict=True):
            kept.append(text[at:start])
            at = end
        found[note_id] = "\x00".join([*kept, text[at:]])
    return pd.Series(found)


def graded(spans: pd.DataFrame) -> pd.DataFrame:
    return spans[spans["kind"].isin(phi.KINDS)]


def test_emergency_and_inpatient_encounters_all_have_a_note_and_about_half_of_the_others(tables, written):
    has_note = tables["encounters"]["encounter_id"].isin(written.notes["encounter_id"])
    share = has_note.groupby(tables["encounters"]["class"]).mean()
    assert share["EMER"] == share["IMP"] == 1
    assert 0.45 < share["AMB"] < 0.55
    assert written.notes["note_id"].is_unique


def test_spans_lie_in_their_text_in_order_and_never_overlap(written, mentions):
    length = written.spans["note_id"].map(written.notes.set_index("note_id")["text"].str.len())
    assert (written.spans["end"] <= length).all()
    assert (written.spans["start"] < written.spans["end"]).all()
    same_note = written.spans["note_id"].eq(written.spans["note_id"].shift())
    assert (written.spans["start"] >= written.spans["end"].shift())[same_note].all()
    assert not mentions["said"].str.match(r"^\s|.*\s$").any()


# What a mention must look like, by form: catches offsets that are off by any amount.
SHAPES = {
    "date.iso": r"\d{4}-\d\d-\d\d",
    "date.military": r"\d\d[A-Z]{3}\d\d",
    "date.timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([+-]\d\d:\d\d|Z)",
    "date.dash_no_year": r"1?\d-[1-3]?\d",
    "date.ordinal_words": r"the [a-z-]+ of [A-Z][a-z]+",
    "age.year_old": r"(9\d|1[01]\d)-year-old",
    "phone.dots_ext": r"\d{3}\.555\.01\d\d x\d\d",
    "phone.bare": r"\d{3}55501\d\d",
    "ssn.dashes": r"9\d\d-\d\d-\d{4}",
    "ssn.sha1": r"sha1=[0-9a-f]{40}",
    "email.words": r"\S+( dot \S+| underscore \S+)* at example dot (com|org|net)",
    "vehicle.vin": r"[A-HJ-NPR-Z0-9]{8}Z[A-HJ-NPR-Z0-9]{8}",
    "other.alias": r"[A-Z]{3,4}\d\d",
    "phone.last_four": r"01\d\d",
    "name.household_lower": r"\w[\w' -]*",
    "name.last_comma_first": r"\w.*, \w.*",
    "name.spelled": r"\w(-\w)*",
    "name.plural": r".*s",
    "location.zip": r"\d{5}",
    "year.alone": r"(19|20)\d\d",
}


@pytest.mark.parametrize("form", SHAPES)
def test_a_mention_has_the_shape_of_its_form(mentions, form):
    said = mentions.loc[mentions["form"] == form, "said"]
    assert len(said)
    assert said.str.fullmatch(SHAPES[form]).all(), said[~said.str.fullmatch(SHAPES[form])].head()


def test_a_mention_says_what_the_chart_says(tables, written, mentions):
    patients = tables["patients"].set_index("patient_id")
    own = mentions.join(patients, on="patient_id", suffixes=("", "_chart"))
    for form, column in (("mrn.as_charted", "mrn"), ("ssn.dashes", "ssn"), ("plan.as_charted", "health_plan_id")):
        rows = own[own["form"] == form]
        assert len(rows)
        assert (rows["said"] == rows[column]).all(), form
    first = own.drop_duplicates("note_id", keep=False)
    assert first.empty, "every note has several mentions"
    # The first full name of a note is the patient's own.
    names = own[own["kind"] == "NAME"].groupby("note_id").first()
    names = names[names["form"] == "name.full"]
    assert (names["said"] == names["given"] + " " + names["family"]).all()
    visits = mentions[mentions["form"] == "date.timestamp"].merge(written.notes, on="note_id")
    encounters = tables["encounters"].set_index("encounter_id")
    known = encounters.loc[visits["encounter_id"]]
    assert (
        (visits["said"].str[:19].to_numpy() == known["start"]) | (visits["said"].str[:19].to_numpy() == known["end"])
    ).all()


def test_no_identifier_of_the_patient_stands_outside_the_spans(tables, written, outside):
    people = tables["patients"].set_index("patient_id")
    kin = tables["contacts"].groupby("patient_id")
    found = []
    for note_id, patient_id in zip(written.notes["note_id"], written.notes["patient_id"], strict=True):
        p, text = people.loc[patient_id], outside[note_id].lower()
        bare = re.sub(r"[-.() +]", "", text)
        secrets = [f"{p.given} {p.family}", f"{p.family}, {p.given}", p.mrn, p.ssn, p.phone, p.email, p.street]
        secrets += [p.health_plan_id, p.birth_date]
        digits = [p.ssn.replace("-", ""), p.phone.replace("-", "")]
        if patient_id in kin.groups:
            relatives = kin.get_group(patient_id)
            secrets += [*relatives["email"], *relatives["phone"], *(relatives["given"] + " " + relatives["family"])]
        found += [(note_id, s) for s in secrets if s.lower() in text] + [(note_id, d) for d in digits if d in bare]
    assert not found, found[:5]


def test_unmarked_text_has_no_date_number_or_address_left(unmarked):
    patterns = {
        "ISO date": r"\d{4}-\d\d-\d\d",
        "slash date": r"\b\d{1,2}/\d{1,2}/\d{2,4}\b",
        "month and day": r"\b(January|February|March|April|June|July|August|September|October|November|December)\b",
        "long number": r"\d{6,}",
        "telephone": r"555[-. ]?01",
        "e-mail": r"@|\bdot (com|org|net)\b",
        "web": r"example\.|https?:",
        "age over 89": r"\b(9\d|1[01]\d)[ -]?(-year-old|y\.o\.)",
    }
    for what, pattern in patterns.items():
        hits = unmarked[unmarked.str.contains(pattern.replace("(", "(?:"))]
        assert hits.empty, f"{what}: {hits.head(2).to_dict()}"


def test_every_class_of_identifier_occurs(written):
    counts = written.spans["kind"].value_counts()
    assert set(counts.index) == {*phi.KINDS, *phi.NEITHER}
    assert (counts >= 20).all(), counts[counts < 20]
    notes_with = written.spans.groupby("kind")["note_id"].nunique() / len(written.notes)
    assert (notes_with[["NAME", "DATE", "MRN"]] > 0.95).all()
    assert notes_with["PHONE"] > 0.5


def test_every_form_of_the_catalogue_is_written_and_no_other(written):
    catalogue = phi.catalogue()
    assert catalogue["form"].is_unique
    assert set(written.spans["form"]) == set(catalogue["form"])
    kind = written.spans.drop_duplicates("form").set_index("form")["kind"]
    assert kind.sort_index().to_dict() == catalogue.set_index("form")["kind"].sort_index().to_dict()


def test_every_class_of_identifier_has_easy_and_hard_mentions(written):
    hard = graded(written.spans).groupby("kind")["hard"].agg(["any", "all"])
    assert hard["any"].all()
    assert not hard["all"].any()


def test_about_a_third_of_the_mentions_are_hard(written):
    assert 0.27 <= graded(written.spans)["hard"].mean() <= 0.36


# Plain to whoever reads the notes of a hospital, and on no list of patterns.
HOUSE_FORMS = {
    "A": {"other.alias", "other.login", "mrn.site_letter", "phone.last_four", "name.household", "date.dash_no_year"},
    "B": {"other.alias", "other.initials_birthday", "mrn.pairs_from_the_end", "name.household_lower", "date.day_first"},
    "C": {"other.login", "mrn.dashed_halves", "phone.pair", "name.household", "date.ordinal_day"},
}
HOMES = {"location.above_shop", "location.described_home"}


def test_every_hospital_has_forms_of_its_own_and_together_they_are_5_to_6_percent(written):
    spans = graded(written.spans)
    site = spans["note_id"].map(written.notes.set_index("note_id")["site"])
    own = set().union(*HOUSE_FORMS.values()) | HOMES | {"phone.last_four"}
    for code, forms in HOUSE_FORMS.items():
        here = set(spans.loc[site == code, "form"]) & own
        assert forms | HOMES <= here
        assert here < own
    assert 0.05 < spans["form"].isin(own).mean() < 0.065


def test_a_note_has_8_to_16_mentions_mostly_and_80_to_220_words(written):
    mentions_per_note = graded(written.spans).groupby("note_id").size().reindex(written.notes["note_id"], fill_value=0)
    assert mentions_per_note.between(8, 16).mean() > 0.8
    words = written.notes["text"].str.split().str.len()
    assert words.between(80, 220).mean() > 0.99


def test_names_come_in_several_forms_per_note(written):
    forms = written.spans[written.spans["kind"] == "NAME"].groupby("note_id")["form"].nunique()
    assert forms.mean() > 2


def test_look_alikes_are_in_most_notes_and_outside_the_spans(written):
    assert written.keeps["note_id"].nunique() > 0.9 * len(written.notes)
    both = written.keeps.merge(written.spans, on="note_id", suffixes=("", "_span"))
    assert not ((both["start"] < both["end_span"]) & (both["start_span"] < both["end"])).any()
    texts = written.notes.set_index("note_id")["text"]
    kept = {texts[n][a:b] for n, a, b in written.keeps[["note_id", "start", "end"]].itertuples(index=False)}
    wanted = {"Kelly", "March", "Christmas", "lot 4417288", "OD 20/25", "Leg Press", "90s"}
    wanted |= {"Foley", "Parkinson", "Graves", "Hodgkin", "Crohn", "1/2", "L4-L5", "T2 FLAIR", "may", "will", "130/80"}
    assert wanted <= kept


def test_ages_of_90_and_more_are_spans_and_younger_ages_are_not(tables, written, mentions, outside):
    born = tables["patients"].set_index("patient_id")["birth_date"]
    start = tables["encounters"].set_index("encounter_id")["start"].str[:10]
    age = pd.Series(
        whole_years(
            born[written.notes["patient_id"]].to_numpy("datetime64[D]"),
            start[written.notes["encounter_id"]].to_numpy("datetime64[D]"),
        ),
        index=written.notes["note_id"],
    )
    old = age.index[age >= 90]
    assert len(old) > 10
    own_age = mentions[(mentions["kind"] == "AGE") & mentions["note_id"].isin(old)]
    assert own_age["note_id"].nunique() > 0.7 * len(old)
    just_90 = mentions["note_id"].isin(age.index[age == 90]) & mentions["said"].str.contains("^90-|^ninety-year|^90 y")
    assert just_90.any()
    stated = outside.str.extract(r"\b(\d+)-year-old")[0].dropna().astype(int)
    assert len(stated) > 0.7 * (age < 90).sum()
    assert (stated == age[stated.index]).all()


def test_a_text_depends_only_on_its_patient(written):
    some = np.array([0, 7, 8, 311, 999])
    few = notes_of(tables_of(some))
    wanted = written.notes["patient_id"].isin(few.notes["patient_id"])
    pd.testing.assert_frame_equal(few.notes, written.notes[wanted].reset_index(drop=True))
    spans = written.spans[written.spans["note_id"].isin(few.notes["note_id"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(few.spans, spans)


def test_another_seed_writes_other_texts(tables, written):
    other = notes(Seed.from_int(2), **tables, sites=SITES)
    both = written.notes.merge(other.notes, on="note_id")
    assert len(both)
    assert (both["text_x"] != both["text_y"]).all()


def test_a_network_without_patients_has_no_notes(tables):
    none = notes_of({name: table.iloc[:0] for name, table in tables.items()})
    assert (len(none.notes), len(none.spans)) == (0, 0)
    assert list(none.notes.columns) == list(notes_of(tables_of(np.arange(3))).notes.columns)


def test_only_dates_denote_something(mentions):
    is_date = mentions["kind"] == "DATE"
    assert (mentions.loc[~is_date, "denotes"] == "").all()
    assert (mentions.loc[is_date, "denotes"] != "").all()


def test_iso_dates_denote_themselves(mentions):
    iso = mentions[mentions["form"].isin(["date.iso", "date.timestamp"])]
    assert len(iso) > 100
    assert (iso["said"].str[:10] == iso["denotes"]).all()


def test_weekdays_agree_with_the_date_beside_them(written, mentions):
    days = mentions[mentions["form"] == "date.weekday"]
    after = mentions.shift(-1).loc[days.index]
    year = written.notes.set_index("note_id")["written_at"].str[:4].astype(int)
    names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    for (note_id, said), denotes in zip(
        days[["note_id", "said"]].itertuples(index=False), after["denotes"], strict=True
    ):
        month, day = int(denotes[2:4]), int(denotes[5:])
        # The day may be just before or after the turn of the year.
        near = [date(year[note_id] + k, month, day) for k in (-1, 0, 1) if (month, day) != (2, 29)]
        assert not near or said[:3] in {names[d.weekday()] for d in near}


def test_every_pool_has_a_sentence_that_any_chart_can_fill():
    bank = note_text.bank(notes_module._fixed_texts())
    always = {"number", "visit_date", "end_date", "dob_date", "began_date", "next_date", "next2_date", "elder_age"}
    always |= {"provider_given", "patient_given", "patient_phone", "patient_email", "site_name", "past_year", "reason"}
    always |= {"he", "He", "his", "His", "him", "woman", "title", "sex", "state", "insurance"}
    ages = ("young_age", "patient_age")
    for (pool, style, kind), members in bank.members.items():
        for age in ages:
            known = np.array([c in always or c == age for c in bank.columns])
            assert not bank.needs[members][:, ~known].any(axis=1).all(), f"{pool} {style} {kind} needs more than {age}"


def test_sentences_have_known_blanks_and_a_source():
    table = vocab.read("note_sentences")
    assert (table["source"] != "").all()
    blanks = set(table["text"].str.findall(r"\{([^}]+)\}").explode().dropna())
    assert {b.split(".")[1] for b in blanks if "." in b} <= set(phi.MENUS)
    assert not table.duplicated(["pool", "styles", "kinds", "text"]).any()


def test_the_three_sites_write_in_three_styles(written):
    texts = written.notes.groupby("site")["text"]
    assert texts.get_group("A").str.contains(r"\n\nMedication\n|\n\nDischarge medication\n|\n\nReview\n").all()
    assert texts.get_group("B").str.contains(r"^[A-Z ]+:\n- ", flags=re.MULTILINE).all()
    assert not texts.get_group("C").str.contains("\n").any()


def test_a_drug_in_a_note_was_prescribed_by_then(tables, written):
    drugs = {name.split()[0].lower() for name in vocab.read("medications")["name"]} - {"nda020503"}
    both = written.notes.merge(tables["meds"], on="patient_id", suffixes=("", "_med"))
    both = both[both["start_date"] <= both["written_at"].str[:10]]
    known = both.groupby("note_id")["name"].agg(" ".join).str.lower()
    seen = 0
    for note_id, text in written.notes[["note_id", "text"]].itertuples(index=False):
        for drug in drugs & set(re.findall(r"[a-z]+", text.lower())):
            assert drug in known.get(note_id, ""), f"{note_id} names {drug}"
            seen += 1
    assert seen > 100


def test_a_diagnosis_in_a_note_is_in_the_chart_by_then(tables, written):
    said = written.notes["text"].str.extract(
        r"(?:The diagnosis of|Known|with known) (.+?)(?: since| was made|, no |, seen)"
    )
    named = written.notes.assign(said=said[0].str.lower()).dropna(subset="said")
    both = named.merge(tables["conditions"], on="patient_id", suffixes=("", "_dx"))
    both = both[both["onset_date"] <= both["written_at"].str[:10]]
    known = both.groupby("note_id")["display"].agg("|".join).str.lower()
    assert len(named) > 100
    pairs = zip(named["note_id"], named["said"], strict=True)
    unknown = [(note_id, dx) for note_id, dx in pairs if dx not in known.get(note_id, "")]
    assert not unknown, unknown[:3]


def test_blood_pressures_are_those_of_the_encounter(tables, written):
    pressures = (
        written.notes[["encounter_id", "text"]]
        .assign(bp=written.notes["text"].str.extract(r"(?:BP|Blood pressure was|blood pressure was) (\d+/\d+)")[0])
        .dropna()
    )
    labs = tables["labs"].set_index(["encounter_id", "loinc"])["value"]
    first = labs[~labs.index.duplicated()]
    for encounter, bp in zip(pressures["encounter_id"], pressures["bp"], strict=True):
        assert bp == f"{first[encounter, '8480-6']:g}/{first[encounter, '8462-4']:g}"
    assert len(pressures) > 100
