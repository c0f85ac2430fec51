"""A letter tells a candidate their own results in words: what was met, what helps, how to appeal; nothing of others."""

from __future__ import annotations

import html
import json
import re
import shutil

import pytest
from exercise_lint import TOYS, play_sample
from hostile_texts import TEXTS
from markdown_it import MarkdownIt

from graders import commands
from graders.harness import grading
from graders.harness.grading import Terms
from graders.harness.kit import Kit
from graders.harness.outcome import write_file
from graders.harness.submission import Part
from graders.report.terminal import plain
from graders.round import comparison, letters, results

TOY = Kit(TOYS)
ROUND = """
role = "toys"
contact = "hiring@example.org"
[[candidates]]
id = "c01"
[[candidates]]
id = "c02"
[[candidates]]
id = "c03"
"""
# How a submission that cannot be read, or holds nothing known, comes to be graded.
UNREAD = (("blocked", "the zip cannot be opened"), ("not_submitted", "the folder holds no body_mass_index.py"))
SAMPLES = {
    "c01": {"body_mass_index": "wrong_units", "insulin_titration": "good"},
    "c02": {"body_mass_index": "hostile_os_exit", "insulin_titration": ""},
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    results = tmp_path_factory.mktemp("results")
    for identity, samples in SAMPLES.items():
        for exercise, sample in samples.items():
            part = Part(status="not_submitted", fault=f"{identity} holds no {exercise}")
            terms = Terms(identity, None, small=True)
            one = (
                play_sample(TOY, exercise, sample)
                if sample
                else grading.grade(TOY, TOY.exercise(exercise), part, terms)
            )
            grading.store(one, results, identity)
    write_file(results / "round.toml", ROUND.encode())
    return results


def write(results, *words):
    assert commands.main(["letter", str(results), *words, "--kit", str(TOYS)]) == 0
    return {p.parent.name: p.read_text("utf-8") for p in results.glob("*/letter.md")}


def card(results, identity, exercise):
    return json.loads((results / identity / exercise / "scorecard.json").read_text())


def flat(text):
    return " ".join(text.split())


@pytest.mark.sandbox
def test_a_letter_names_every_criterion_of_what_ran_met_or_not(graded):
    told = write(graded)["c01"]
    for exercise in SAMPLES["c01"]:
        criteria = card(graded, "c01", exercise)["criteria"]
        assert criteria
        assert all(letters.literal(c["title"]) in told for c in criteria)
        assert all(letters.literal(c["message"]) in told for c in criteria if c["verdict"] != "met")


@pytest.mark.sandbox
def test_markdown_and_page_say_the_same(graded):
    write(graded)
    text = (graded / "c01/letter.html").read_text("utf-8")
    page = html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", text, flags=re.DOTALL))
    for criterion in card(graded, "c01", "body_mass_index")["criteria"]:
        assert criterion["title"] in page
        assert criterion["message"] in page or criterion["verdict"] == "met"
    for word in ("hiring@example.org", "4 years", "c01"):
        assert word in page


@pytest.mark.sandbox
def test_a_letter_tells_nothing_of_anybody_else(graded):
    told = write(graded)
    assert "c02" not in told["c01"]
    assert "c03" not in told["c01"]
    assert card(graded, "c02", "body_mass_index")["submission"] not in told["c01"]
    assert "band" not in flat(told["c01"])


@pytest.mark.sandbox
def test_a_letter_holds_no_hidden_number(tmp_path):
    one = play_sample(TOY, "body_mass_index", "wrong_units")
    grading.store(one, tmp_path, "c01")
    hidden = {n for data in one.truth.values() for n in re.findall(rb"\d+\.\d{3,}", data)}
    assert len(hidden) > 10
    told = write(tmp_path)["c01"].encode()
    assert not [n for n in hidden if n in told]


@pytest.mark.sandbox
def test_scores_can_be_left_out(graded):
    score = card(graded, "c01", "body_mass_index")["score"]
    assert score in write(graded)["c01"]
    without = write(graded, "--without-scores")["c01"]
    assert score not in without
    assert not re.search(r"[\d.]+ of 100", without)


@pytest.mark.sandbox
def test_what_would_not_run_or_was_not_handed_in_is_no_list_of_failures(graded):
    told = flat(write(graded)["c02"])
    assert "Your work would not run" in told
    assert "You handed in nothing for this exercise" in told
    assert "Not met, or not all" not in told


@pytest.mark.sandbox
def test_a_letter_says_whom_to_write_to_what_is_kept_and_how_long(graded):
    told = flat(write(graded, "--keep-years", "2")["c01"])
    assert "Write to hiring@example.org" in told
    assert "for 2 years;" in told
    assert "California" not in told
    assert "for 4 years, as California asks" in flat(write(graded)["c01"])


@pytest.mark.sandbox
def test_a_hold_is_explained_with_its_reason(tmp_path):
    one = play_sample(TOY, "vitals_service", "leaky_log")
    grading.store(one, tmp_path, "c01")
    told = flat(write(tmp_path)["c01"])
    assert "Your work was on hold" in told
    held = [line.criterion.title for line in one.scorecard.lines if line.hold]
    assert held
    assert all(f"- {letters.literal(title)}" in told for title in held)


def test_without_a_hold_on_the_scorecard_holds_are_not_spoken_of(tmp_path):
    told = flat(toy_letter(tmp_path, [card_of("body_mass_index")])).lower()
    assert not re.search(r"\bhold\b", told)


@pytest.mark.parametrize(("status", "reason"), UNREAD)
def test_what_could_not_be_read_is_asked_for_again_and_nothing_else_is_said(tmp_path, status, reason):
    for exercise in ("body_mass_index", "insulin_titration"):
        part = Part(status=status, fault=reason)
        grading.store(grading.grade(TOY, TOY.exercise(exercise), part, Terms("c01", None)), tmp_path, "c01")
    write_file(tmp_path / "round.toml", ROUND.encode())
    told = flat(write(tmp_path)["c01"])
    assert letters.literal(reason) in told
    assert told.count(letters.literal(reason)) == 1
    assert "Please send it again, or write to hiring@example.org." in told
    assert not re.search("patients|did well|receipt|caredrill|of 100|sha256", told)
    assert flat((tmp_path / "c01/letter.html").read_text("utf-8")).count("<h2>") == 0


def test_what_was_done_well_is_announced_only_where_something_was_met(tmp_path):
    met, unmet = card_of("body_mass_index"), card_of("body_mass_index", verdict="not met")
    assert "what your work did well" in flat(toy_letter(tmp_path / "a", [met]))
    assert "did well" not in flat(toy_letter(tmp_path / "b", [unmet]))


@pytest.mark.parametrize("stamp", ["PRACTICE", "SMALL"])
def test_patients_are_new_to_a_candidate_unless_they_were_the_practice_ones(tmp_path, stamp):
    told = flat(toy_letter(tmp_path, [card_of("body_mass_index", stamps=[stamp])]))
    assert ("whom you had not seen" in told) == (stamp != "PRACTICE")


def test_under_the_total_stands_the_standard_error_of_the_total(tmp_path):
    kit = tmp_path / "kit"
    shutil.copytree(TOYS / "exercises", kit / "exercises")
    shutil.copytree(TOYS / "graders/roles", kit / "graders/roles")
    for path in kit.glob("exercises/*/exercise.toml"):
        path.write_text("standard_error = 4\n" + path.read_text("utf-8"), "utf-8")
    both = [card_of(name, stamps=["SMALL"]) for name in ("body_mass_index", "insulin_titration")]
    told = flat(toy_letter(tmp_path / "r", both, kit))
    found = comparison.compare(Kit(kit), results.read(Kit(kit), tmp_path / "r"))
    assert found.error < 4
    assert f"standard error is {found.error:.1f} points" in told
    assert "on few, as here, it is larger" in told
    blocked = [card_of(name, status="blocked") for name in ("body_mass_index", "insulin_titration")]
    assert "standard error" not in toy_letter(tmp_path / "b", blocked, kit)


def card_of(exercise, *, status="graded", verdict="met", stamps=()):
    """A stored scorecard of one criterion."""
    line = {"id": "one", "title": "It is right.", "skill": "numbers", "points": "100.00", "earned": "0.00",
            "verdict": verdict, "critical": False, "message": "", "remedy": "", "evidence": []}  # fmt: skip
    return {"exercise": exercise, "status": status, "reason": "it broke", "hold": [], "score": "0.00",
            "stamps": list(stamps), "submission": "sha256:1", "outcome": exercise, "kit": "0", "points": "100.00",
            "variant": "c01", "seed": "hidden", "truth": "sha256:0",
            "criteria": [line]}  # fmt: skip


def toy_letter(folder, cards, kit=TOYS):
    """What is told to the one candidate of these results."""
    for one in cards:
        write_file(folder / "c01" / one["exercise"] / "scorecard.json", json.dumps(one).encode())
    write_file(folder / "round.toml", ROUND.encode())
    told = letters.compose(Kit(kit), results.read(Kit(kit), folder), "c01", 4, with_scores=True)
    letters.write(told, folder / "c01")
    return (folder / "c01/letter.md").read_text("utf-8")


@pytest.mark.sandbox
def test_one_letter_is_written_alone_and_a_stranger_gets_one_clear_line(graded, capsys):
    for path in graded.glob("*/letter.*"):
        path.unlink()
    assert list(write(graded, "c01")) == ["c01"]
    assert commands.main(["letter", str(graded), "c03", "--kit", str(TOYS)]) == 2
    assert capsys.readouterr().err.startswith("caredrill letter: ")
    assert not (graded / "c03").exists()


@pytest.mark.parametrize("name", Kit().names())
def test_every_remedy_of_a_criterion_is_told_in_words(name):
    for criterion in Kit().criteria(name):
        heading, text = letters.remedy(Kit(), criterion.remedy)
        assert heading
        assert len(" ".join(text).split()) >= 10


def test_a_remedy_is_read_from_the_kit_and_nowhere_else(tmp_path):
    (tmp_path / "secret.md").write_text("## Notes\n\nout of the kit\n")
    (tmp_path / "kit").mkdir()
    assert letters.remedy(Kit(tmp_path / "kit"), "../secret.md#notes") == ("", ())
    assert letters.remedy(Kit(tmp_path / "kit"), "docs/remedies.md#notes")[0] == "Notes"


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_in_markdown_means_nothing_but_itself(text):
    shown = MarkdownIt("commonmark").render(f"- seen: {plain(letters.literal(text))}")
    inside = re.fullmatch(r"<ul>\n<li>(.*)</li>\n</ul>\n", shown, re.DOTALL).group(1)
    assert "<" not in inside
    assert "href" not in inside or "href=" in text
