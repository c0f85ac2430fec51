import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from graders.measures.notes_release import (
    Caught,
    groups_fraction,
    hard_fraction,
    judge,
    notes_fraction,
)
from graders.measures.release import Release

Mask = Callable[[str, str], str]


@pytest.fixture(scope="module")
def truth():
    from synthetic_data.recipes import deidentification as recipe
    from synthetic_data.streams import Seed

    seed = Seed.from_int(31)
    scene = recipe.scene(seed, {"patients": 150}, recipe.draw_card(seed))
    return recipe.read_truth(scene.truth)


def released(truth, texts) -> Release:
    """A release of nothing but notes."""
    lines = [json.dumps({"text": text}) for text in texts]
    return Release.read({"notes.jsonl": "\n".join(lines).encode()}, truth)


def masked(truth, spans, also=None) -> list[str]:
    """The notes with these mentions, and the look-alikes `also`, masked."""
    texts = dict(zip(truth.notes["note_id"], truth.notes["text"], strict=True))
    rows = [(r.note_id, r.start, r.end, f"[{r.kind}]") for r in spans.itertuples()]
    rows += [(r.note_id, r.start, r.end, "[X]") for r in also.itertuples()] if also is not None else []
    for note, start, end, mask in sorted(rows, key=lambda row: row[1], reverse=True):
        texts[note] = texts[note][:start] + mask + texts[note][end:]
    return list(texts.values())


def fractions(verdict) -> tuple[float, float, float]:
    return notes_fraction(verdict), hard_fraction(verdict), groups_fraction(verdict)


@pytest.fixture(scope="module")
def clean(truth):
    return judge(released(truth, masked(truth, truth.spans)), truth)


def test_notes_without_a_mention_and_with_every_other_word_earn_all(clean):
    assert fractions(clean) == (1.0, 1.0, 1.0)
    assert clean.examples == clean.hard_examples == ()
    assert "100.0% of" in clean.message
    assert "weakest" not in clean.message


def test_notes_as_they_were_given_earn_nothing(truth):
    verdict = judge(released(truth, truth.notes["text"]), truth)
    assert fractions(verdict) == (0, 0, 0)
    assert (verdict.recall, verdict.kept, verdict.hard_caught, verdict.looks_kept) == (0, 1, 0, 1)


@pytest.mark.parametrize("texts", ["blank", "absent", "no file", "too few"])
def test_notes_that_are_blank_or_missing_earn_nothing(truth, texts):
    count = len(truth.notes)
    given = {"blank": [""] * count, "absent": [None] * count, "no file": [], "too few": ["x"] * (count - 1)}[texts]
    release = released(truth, given) if given else Release.read({}, truth)
    verdict = judge(release, truth)
    assert fractions(verdict) == (0, 0, 0)
    assert verdict.kept == verdict.looks_kept == 0
    if texts != "blank":
        assert verdict.recall == verdict.date_recall == verdict.hard_caught == 0
        assert {kind.share for kind in verdict.kinds.values()} == {0}


def test_recall_is_told_by_kind_form_and_group(truth):
    people = truth.tables["patients"].set_index("patient_id")["name_group"]
    group = truth.spans["note_id"].map(truth.notes.set_index("note_id")["patient_id"]).map(people)
    spans = truth.spans
    left = (spans["kind"] == "PHONE") | (spans["kind"] == "NAME") & (group == "hispanic") | spans["hard"]
    verdict = judge(released(truth, masked(truth, spans[~left])), truth)
    assert verdict.kinds["PHONE"] == Caught(0.0, int((spans["kind"] == "PHONE").sum()))
    assert verdict.kinds["DATE"].share == verdict.date_recall > 0.5
    assert next(iter(verdict.kinds.values())).share == 0
    assert next(iter(verdict.groups)) == "hispanic"
    assert verdict.groups["hispanic"].share == 0
    assert verdict.gap > 30
    assert verdict.hard_caught < 0.01
    assert fractions(verdict)[1:] == (0, 0)
    assert "PHONE 0%" in verdict.message
    assert "hispanic 0.0%" in verdict.groups_message


def test_groups_with_few_names_are_not_compared(truth, clean):
    assert min(group.count for group in clean.groups.values()) >= 30
    assert sum(group.count for group in clean.groups.values()) <= clean.kinds["NAME"].count


def test_look_alikes_that_go_cost_the_hard_forms_points(truth, clean):
    verdict = judge(released(truth, masked(truth, truth.spans, also=truth.keeps[::4])), truth)
    assert verdict.hard_caught == clean.hard_caught
    assert verdict.looks_kept == pytest.approx(0.75, abs=0.01)
    assert hard_fraction(verdict) == pytest.approx((verdict.looks_kept - 0.5) / 0.48)


def test_a_birth_year_left_of_a_patient_of_90_counts_as_a_leak(truth, clean):
    telling = truth.spans[truth.spans["year_tells"]]
    assert len(telling) > 0
    texts = masked(truth, truth.spans.assign(kind=truth.spans["kind"].where(~truth.spans["year_tells"], "1934")))
    years = telling["denotes"].str[:4]
    assert set(years) <= {str(year) for year in range(1900, 1936)}
    verdict = judge(released(truth, texts), truth)
    graded = sum(kind.count for kind in clean.kinds.values())
    missed = round((clean.recall - verdict.recall) * graded)
    assert missed == (years == "1934").sum()


def test_fractions_run_from_what_tools_reach_to_nearly_all(clean):
    for recall, kept, expected in [(0.80, 1, 0), (0.985, 0.98, 1), (0.8925, 1, 0.5), (1, 0.915, 0.5), (1, 0.85, 0)]:
        assert notes_fraction(replace(clean, recall=recall, kept=kept)) == pytest.approx(expected)
    for hard, looks, expected in [(0.7, 0.93, 0.31), (0.99, 0.99, 1), (0.5, 1, 0)]:
        assert hard_fraction(replace(clean, hard_caught=hard, looks_kept=looks)) == pytest.approx(expected, abs=0.01)
    for worst, expected in [(0.95, 1), (0.90, 0.8), (0.70, 0)]:
        groups = {"one": Caught(worst, 50), "two": Caught(1.0, 50)}
        assert groups_fraction(replace(clean, groups=groups)) == pytest.approx(expected)
        assert groups_fraction(replace(clean, groups=groups, recall=0.8)) == 0


def test_messages_hold_no_text_of_the_notes_and_examples_do(truth):
    named = truth.spans[truth.spans["kind"] == "NAME"]
    verdict = judge(released(truth, masked(truth, truth.spans.drop(named.index), also=truth.keeps[:9])), truth)
    texts = truth.notes.set_index("note_id")["text"]
    values = {texts[r.note_id][r.start : r.end] for r in named.itertuples()}
    for message in (verdict.message, verdict.hard_message, verdict.groups_message):
        assert not [value for value in values if len(value) > 3 and value in message]
    assert any(value in example for value in values for example in verdict.examples)
    assert any("gone from" in example for example in verdict.hard_examples)
    assert "NAME" in verdict.hard_message
