"""Two people rate the written part apart, and then see how far they agree."""

from __future__ import annotations

import json

import pytest

from graders.commands import main
from graders.harness import grading
from graders.harness.kit import Kit
from graders.round import many, ratings, results, written

ANCHORS = [anchor.name for anchor in ratings.anchors()]
TEXT = (
    "# Decisions\n\n- The memo says \x1b[Kso \u202eand\u202c I did not, as 3 sites differ in a long sentence that\n"
    "  goes on and on.\n"
)


def place(folder, identity, exercises, text=TEXT):
    """What grading leaves of a submission, as far as it is read here."""
    for name in exercises:
        here = folder / identity / name
        (here / "submitted").mkdir(parents=True)
        if text:
            (here / "submitted/DECISIONS.md").write_text(text)
        judged = {"title": "predictions.json says what is left.", "verdict": "met", "message": "said 1, was 1"}
        card = {"exercise": name, "seed": "hidden", "variant": identity, "stamps": [], "score": "61.50"}
        line, card = dict.fromkeys(results.LINE_KEYS, "") | judged, dict.fromkeys(results.KEYS, "") | card
        (here / "scorecard.json").write_text(json.dumps(card | {"criteria": [line]}))


@pytest.fixture
def folder(tmp_path):
    place(tmp_path, "c01", ["safe_logging"])
    place(tmp_path, "c02", ["safe_logging", "subgroup_evaluation"])
    place(tmp_path, "c03", ["safe_logging"], text="")
    return tmp_path


def rate(folder, identity, rater, levels, exercise="safe_logging"):
    own = results.read(Kit(), folder).one(identity)
    return ratings.rate(own, rater, exercise, dict(zip(ANCHORS, levels, strict=False)))


def run(capsys, *words):
    code = main(["rate", *map(str, words)])
    said = capsys.readouterr()
    return code, said.out, said.err


def agreement(folder):
    found = ratings.pairs(results.read(Kit(), folder))
    return found, {row.anchor.name: row for row in ratings.agreement(found)}


def test_every_anchor_has_words_for_each_of_five_levels():
    assert 3 <= len(ANCHORS) <= 5
    assert all(len(set(anchor.levels)) == 5 and all(anchor.levels) for anchor in ratings.anchors())


def test_the_page_has_text_numbers_predictions_and_anchors_and_no_score(folder, capsys):
    code, out, _ = run(capsys, folder, "c01", "--rater", "AB")
    assert code == 0
    assert "Numbers in DECISIONS.md: 1, none with a query" in out
    assert "predictions.json: met. said 1, was 1" in out
    assert all(f"{name}: " in out for name in ANCHORS)
    assert "61.5" not in out
    assert all(line.isprintable() and len(line) <= 80 for line in out.split("\n"))


def test_a_rating_is_kept_and_rating_again_replaces_ones_own_alone(folder, capsys):
    run(capsys, folder, "c01", "--rater", "AB", "--set", "reasons=3", "limits=1")
    run(capsys, folder, "c01", "--rater", "CD", "--set", "reasons=0")
    code, out, _ = run(capsys, folder, "c01", "--rater", "AB", "--set", "limits=2")
    assert code == 0
    assert "safe_logging reasons: 3\n" in out
    stored = json.loads((folder / "c01/ratings.json").read_text())["ratings"]
    assert stored["AB"]["safe_logging"]["levels"] == {"limits": 2, "reasons": 3}
    assert stored["CD"]["safe_logging"]["levels"] == {"reasons": 0}


def test_nobody_sees_anothers_levels_before_both_have_rated_everything(folder, capsys):
    rate(folder, "c02", "AB", [4, 4, 4, 4])
    rate(folder, "c02", "AB", [4, 4, 4, 4], "subgroup_evaluation")
    rate(folder, "c02", "CD", [1, 3, 3, 3])
    for rater in ("AB", "CD"):
        assert "apart" not in run(capsys, folder, "c02", "--rater", rater)[1]
    rate(folder, "c02", "CD", [2, 2, 2, 2], "subgroup_evaluation")
    assert "safe_logging reasons: 1; AB 4 (3 apart)" in run(capsys, folder, "c02", "--rater", "CD")[1]
    assert "safe_logging reasons: 4; CD 1 (3 apart)" in run(capsys, folder, "c02", "--rater", "AB")[1]
    assert "apart" not in run(capsys, folder, "c02", "--rater", "EF")[1]


def test_agreement_is_counted_on_what_each_said_before_seeing_the_other(folder):
    rate(folder, "c01", "AB", [4, 4, 4, 4])
    rate(folder, "c01", "CD", [1, 4, 4, 4])
    rate(folder, "c01", "CD", [4])
    found, rows = agreement(folder)
    assert found[0][3:] == (4, 1)
    assert rows["reasons"].equal == 0
    own = results.read(Kit(), folder).one("c01")
    assert ratings.load(own)["CD"]["safe_logging"].levels["reasons"] == 4


def test_agreement_gives_shares_kappa_n_and_what_to_talk_about(tmp_path, capsys):
    both = [(0, 0), (1, 1), (2, 3), (3, 3), (4, 2), (2, 2)]
    for number, (one, other) in enumerate(both):
        place(tmp_path, f"c{number:02}", ["safe_logging"])
        rate(tmp_path, f"c{number:02}", "AB", [one, 2, 2, 2])
        rate(tmp_path, f"c{number:02}", "CD", [other, 2, 2, 2])
    row = agreement(tmp_path)[1]["reasons"]
    assert (row.n, row.equal, row.near) == (6, 4 / 6, 5 / 6)
    # By hand: squares of differences 5 / 6 = 0.8333 seen; by chance (mean square of a - b over all 36 pairs) 2.9722.
    by_chance = sum((a - b) ** 2 for a, _ in both for _, b in both) / 36
    assert row.kappa == pytest.approx(1 - (5 / 6) / by_chance)
    code, out, _ = run(capsys, tmp_path, "--agreement")
    assert code == 0
    assert f"reasons: 67% equal, 83% within one, kappa {row.kappa:.2f}, n = 6" in out
    assert "limits: 100% equal, 100% within one, no kappa: one level in all, n = 6" in out
    assert out.count("talk about") == 1
    assert "talk about c04 safe_logging reasons: 4 and 2" in out


def test_too_few_ratings_for_kappa_are_said(folder, capsys):
    assert "No submission has been rated in full by two people" in run(capsys, folder, "--agreement")[1]
    rate(folder, "c01", "AB", [1, 2, 3, 4])
    rate(folder, "c01", "CD", [1, 2, 3, 3])
    assert "too few for kappa (below 5), n = 1" in run(capsys, folder, "--agreement")[1]


def test_a_rating_of_a_text_that_was_replaced_no_longer_counts(folder):
    rate(folder, "c01", "AB", [1, 2, 3, 4])
    (folder / "c01/safe_logging/submitted/DECISIONS.md").write_text("Another text.")
    assert ratings.load(results.read(Kit(), folder).one("c01")) == {}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["c01", "--rater", "A B"], "give initials or a pseudonym"),
        (["c01"], "say whose work and who rates it"),
        (["c99", "--rater", "AB"], "holds no results of 'c99'"),
        (["c01", "--rater", "AB", "--set", "reasons=5"], "a level is 0, 1, 2, 3 or 4"),
        (["c01", "--rater", "AB", "--set", "style=2"], "there is no anchor 'style'"),
        (["c01", "--rater", "AB", "--set", "limits=2", "limits=3"], "given twice"),
        (["c02", "--rater", "AB", "--set", "limits=2"], "say --exercise"),
        (["c01", "--agreement", "--secret-file", "x"], "nor --secret-file"),
        (["c03", "--rater", "AB", "--set", "limits=2"], "no DECISIONS.md was handed in"),
        (["c01", "--rater", "AB", "--exercise", "x"], "has no results of 'x'"),
        (["c01", "--agreement"], "of the whole round"),
    ],
)
def test_wrong_input_is_one_line_and_writes_nothing(folder, capsys, words, said):
    code, out, error = run(capsys, folder, *words)
    assert (code, out, error.count("\n")) == (2, "", 1)
    assert said in error
    assert list(folder.glob("*/ratings.json")) == []


@pytest.mark.parametrize(
    "stored",
    [
        '{"ratings": {"AB": {"safe_logging": {}}}}',
        "",
        "[]",
        "[" * 100_000,
        '{"ratings": {"A\\nB": {}}}',
        '{"ratings": {"AB": {"safe_logging": {"text": 1, "levels": {}, "alone": {}}}}}',
        '{"ratings": {"AB": {}, "ab": {}}}',
        "\udcff",
    ],
)
def test_ratings_that_cannot_be_read_are_no_loss_in_silence(folder, capsys, stored):
    (folder / "c01/ratings.json").write_text(stored, "utf-8", "surrogateescape")
    for words in ([], ["--set", "reasons=1"]):
        code, out, error = run(capsys, folder, "c01", "--rater", "AB", *words)
        assert (code, out, error.count("\n")) == (3, "", 1)
        assert "c01/ratings.json: " in error


@pytest.mark.parametrize(
    "stored",
    ["", "[]", "[" * 100_000, '{"numbers": 3}', '{"numbers": [3]}', '{"numbers": [{"line": 1, "number": "7"}]}'],
)
def test_checked_numbers_that_cannot_be_read_are_one_line(folder, capsys, stored):
    assert run(capsys, folder, "c01", "--rater", "AB")[0] == 0
    path = folder / "c01/safe_logging/claims.json"
    if stored.startswith("{"):
        stored = json.dumps(json.loads(path.read_text()) | json.loads(stored))
    path.write_text(stored)
    code, _, error = run(capsys, folder, "c01", "--rater", "AB")
    assert (code, error.count("\n")) == (3, 1)
    assert "claims.json: cannot be read; remove it" in error


def test_a_rater_is_one_person_in_capitals_and_without(folder, capsys):
    run(capsys, folder, "c01", "--rater", "AB", "--set", "reasons=3")
    out = run(capsys, folder, "c01", "--rater", "ab", "--set", "limits=1")[1]
    assert "safe_logging reasons: 3\n" in out
    stored = json.loads((folder / "c01/ratings.json").read_text())["ratings"]
    assert {rater: own["safe_logging"]["levels"] for rater, own in stored.items()} == {
        "AB": {"reasons": 3, "limits": 1}
    }


def test_where_there_is_nothing_to_rate_one_line_says_so(folder, capsys):
    code, out, error = run(capsys, folder, "c03", "--rater", "AB")
    assert (code, out, error) == (0, "c03: no DECISIONS.md was handed in (safe_logging): nothing to rate.\n", "")


def test_raters_are_shown_no_address_and_no_telephone_number(tmp_path, capsys):
    text = (
        "Decisions by Zora Quibble <zora.q+x@mail.example.org>, (617) 555-0143, 617.555.0143, +49 171 2345678 or "
        "020 7946 0018.\n\nOn 2024-05-01, 164.312(b), 999-99-9999, 100-2000, 03524 02139, 1,234,567 and 0.135.\n"
    )
    place(tmp_path, "c01", ["safe_logging"], text=text)
    out = " ".join(run(capsys, tmp_path, "c01", "--rater", "AB")[1].split())
    assert "The text is as handed in: it may name its author." in out
    assert "by Zora Quibble <[e-mail]>, [phone], [phone], [phone] or [phone]." in out
    assert "On 2024-05-01, 164.312(b), 999-99-9999, 100-2000, 03524 02139, 1,234,567 and 0.135." in out


@pytest.mark.parametrize("text", ["a\n" * 400_000, "a\n\n" + "\t" * 400_000 + "\n\nb", "x" * 50_000])
def test_of_a_long_text_as_much_is_shown_as_is_checked_and_that_is_said(text):
    found = written.shown(text)
    assert found[-1] == f"[cut here: the first 40,000 of {len(text):,} characters are shown and checked]"
    assert sum(map(len, found)) <= 42_000


def test_without_the_secret_hidden_results_say_that_numbers_are_not_checked_yet(tmp_path, capsys):
    place(tmp_path, "c01", ["safe_logging"], text="621 requests `= select count(*) from requests`")
    code, out, _ = run(capsys, tmp_path, "c01", "--rater", "AB")
    assert code == 0
    assert "Numbers are not checked yet: give --secret-file once" in out
    assert not list(tmp_path.glob("*/*/claims.json"))


@pytest.mark.sandbox
def test_numbers_are_checked_once_and_kept(tmp_path, capsys):
    place(tmp_path, "c01", ["safe_logging"], text="Of 621 requests `= select count(*) from requests`, 7 odd.")
    secret = tmp_path / "secret"
    secret.write_text("the secret of this test, 32 bytes")
    words = (tmp_path, "c01", "--rater", "AB")
    first = run(capsys, *words, "--secret-file", secret)
    assert "Numbers in DECISIONS.md: 1 right, 0 wrong, 0 not checkable; 1 without a query." in first[1]
    kept = (tmp_path / "c01/safe_logging/claims.json").read_bytes()
    assert run(capsys, *words)[1] == first[1]
    (tmp_path / "c01/safe_logging/claims.json").unlink()
    assert run(capsys, *words, "--secret-file", secret)[1] == first[1]
    assert (tmp_path / "c01/safe_logging/claims.json").read_bytes() == kept


@pytest.mark.parametrize("text", ["621 requests `= select count(*) from requests`", TEXT, ""])
def test_another_secret_than_the_rounds_is_refused(tmp_path, capsys, text):
    place(tmp_path, "c01", ["safe_logging"], text=text)
    secret = tmp_path / "secret"
    secret.write_text("the secret of this test, 32 bytes")
    (tmp_path / ".truth").mkdir()
    (tmp_path / ".truth/terms").write_text("of another secret")
    for words in ([], ["--set", "limits=1"]):
        code, _, error = run(capsys, tmp_path, "c01", "--rater", "AB", "--secret-file", secret, *words)
        assert code == 2
        assert "was graded with another secret" in error
    (tmp_path / ".truth/terms").write_text(many.fingerprint(grading.Terms("", grading.read_secret(secret))))
    code, _, error = run(capsys, tmp_path, "c01", "--rater", "AB", "--secret-file", secret)
    assert (code, "secret" in error) == (0, False)


def test_results_that_keep_no_trace_of_their_secret_say_so(folder, capsys):
    secret = folder / "secret"
    secret.write_text("the secret of this test, 32 bytes")
    code, _, error = run(capsys, folder, "c01", "--rater", "AB", "--secret-file", secret)
    assert code == 0
    assert "cannot be told" in error
