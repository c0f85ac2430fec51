"""The interview asks each candidate about their own work, and gives away nothing that the scorecard does not."""

from __future__ import annotations

import itertools
import json
import re
import shlex
import shutil
import tomllib
from pathlib import Path

import pytest
from exercise_lint import SECRET, TOYS, expectations, read_sample, sample_path

from graders.commands import main
from graders.harness import grading
from graders.harness.errors import ExerciseError
from graders.harness.grading import Terms
from graders.harness.kit import HOME, Kit
from graders.harness.submission import digest
from graders.round import code_reading, interview, live_change, many, question_bank, results, statements, wording

KIT, TOY_KIT = Kit(), Kit(TOYS)
NAMES = KIT.names()
# Those of their own: a sample with a base holds that one's code. All of them together take a minute.
GOOD = {
    name: sorted(s for s, said in expectations(KIT, name).items() if s.startswith("good") and "base" not in said)[:4]
    for name in NAMES
}
BIDI = "\u202e"


def stored(folder, kit, exercise, files, missed=(), identity="c01", **more):
    """A result as grading leaves it, made by hand: every criterion met but those named."""
    place = folder / identity / exercise
    lines = [
        {
            "id": c.id, "title": c.title, "skill": c.skill, "points": f"{c.points:.2f}", "critical": c.critical,
            "earned": "0.00" if c.id in missed else f"{c.points:.2f}", "remedy": c.remedy,
            "verdict": "not met" if c.id in missed else "met", "message": f"the message of {c.id}",
        }
        for c in kit.criteria(exercise)
    ]  # fmt: skip
    card = {
        "exercise": exercise, "variant": identity, "seed": "hidden", "submission": digest(files), "stamps": [],
        "status": "graded", "reason": "", "hold": [], "score": "80.00", "points": "100.00", "criteria": lines,
        "kit": "0", "outcome": "sha256:0", "truth": "sha256:0", **more,
    }  # fmt: skip
    for name, data in files.items():
        path = place / "submitted" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    place.mkdir(parents=True, exist_ok=True)
    (place / "scorecard.json").write_text(json.dumps(card))
    return folder


def prepared(folder, kit=KIT, identity="c01", secret=SECRET):
    return interview.prepare(kit, results.read(kit, folder), identity, secret)


def sample_files(exercise, sample):
    return dict(read_sample(KIT, KIT.exercise(exercise), sample).files)


def seen(source, starter=b"", card=None, name="work.py"):
    code = code_reading.read({name: source.encode()}, {"starter.py": starter})
    return {s.kind: s for s in code_reading.sightings(code, card or {}, "evaluate")}


@pytest.mark.parametrize("exercise", NAMES)
def test_two_good_answers_share_at_most_half_of_their_questions(exercise, tmp_path):
    asked = []
    for sample in GOOD[exercise]:
        made = prepared(stored(tmp_path / sample, KIT, exercise, sample_files(exercise, sample)))
        assert len(made.questions) >= 6
        asked.append({q.text for q in made.questions})
    for one, other in itertools.combinations(asked, 2):
        assert len(one & other) <= min(len(one), len(other)) / 2, one & other


@pytest.mark.parametrize("exercise", NAMES)
def test_quoted_lines_are_theirs_and_few(exercise, tmp_path):
    files = sample_files(exercise, "good")
    made = prepared(stored(tmp_path, KIT, exercise, files))
    quotes = [q.quote for q in made.questions if q.quote]
    assert len(quotes) >= 3
    for quote in quotes:
        text = files[quote.file].decode().split("\n")
        assert 1 <= len(quote.lines) <= 8
        for given, line in zip(quote.lines, text[quote.line - 1 :], strict=False):
            assert line.expandtabs(4).startswith(given.removesuffix("…"))


def test_the_same_submission_gives_the_same_pages(tmp_path):
    folder = stored(tmp_path, KIT, "safe_logging", sample_files("safe_logging", "good"))
    secret = tmp_path / "s.key"
    secret.write_bytes(SECRET)
    words = ["interview", str(folder), "c01", "--secret-file", str(secret)]
    assert main(words) == 0
    first = [(folder / "c01" / f"interview.{kind}").read_bytes() for kind in ("md", "html")]
    assert main(words) == 0
    assert first == [(folder / "c01" / f"interview.{kind}").read_bytes() for kind in ("md", "html")]


@pytest.mark.parametrize(
    "files", [{"DECISIONS.md": b"\n"}, {"deidentification.py": b"def deidentify(a, b, c):\n    pass\n"}]
)
def test_there_are_six_questions_even_where_next_to_nothing_was_handed_in(files, tmp_path):
    status = "graded" if "deidentification.py" in files else "not_submitted"
    every = [c.id for c in KIT.criteria("deidentification")] if status == "graded" else []
    made = prepared(stored(tmp_path, KIT, "deidentification", files, every, status=status))
    assert len(made.questions) >= 6
    assert made.minutes <= 45
    assert all(q.strong and q.adequate and q.weak and q.minutes > 0 for q in made.questions)


def test_what_was_missed_is_asked_first_by_what_it_cost(tmp_path):
    missed = ["one_code_per_person", "notes_lose_the_patient_and_keep_the_medicine"]
    made = prepared(stored(tmp_path, KIT, "deidentification", sample_files("deidentification", "good"), missed))
    found = [q.evidence.split(":")[0] for q in made.questions if q.source == "missed"]
    assert found == ["notes_lose_the_patient_and_keep_the_medicine", "one_code_per_person"]


def test_a_held_criterion_is_asked_about_once_and_first(tmp_path):
    held = ["no_direct_identifier_is_left"]
    files = sample_files("deidentification", "good")
    made = prepared(stored(tmp_path, KIT, "deidentification", files, held, hold=held))
    assert made.questions[0].source == "hold"
    assert [q.source for q in made.questions if held[0] in q.evidence] == ["hold"]


@pytest.mark.parametrize("path", sorted((HOME / "graders/questions").glob("*.toml")), ids=lambda p: p.stem)
def test_no_question_accuses(path):
    assert not re.search(
        r"cheat|plagiar|dishonest|copied from|did you copy|really write|suspici", path.read_text(), re.I
    )


@pytest.mark.parametrize("exercise", NAMES)
def test_every_criterion_has_its_question_whether_met_or_not(exercise):
    bank = question_bank.load(KIT, exercise)
    own = {(entry.about, entry.id, entry.when) for entry in bank.entries}
    for criterion, when in itertools.product(KIT.criteria(exercise), ("met", "missed")):
        predicts = criterion.id.startswith("candidate_knows")
        assert predicts or ("criterion", criterion.id, when) in own, (criterion.id, when)
        # Whatever the message says.
        assert bank.find("predictions" if predicts else "criterion", criterion.id, when) is not None


@pytest.mark.parametrize("exercise", NAMES)
def test_every_question_of_a_bank_has_slots_that_are_filled(exercise, tmp_path):
    result = results.read(KIT, stored(tmp_path, KIT, exercise, sample_files(exercise, "good"))).one("c01")[exercise]
    work = interview.read(KIT, result, 100, None)
    slots = {"message": "m", "earned": "1", "points": "2", "reason": "r", "statement": "s", "off": "o"}
    given = {
        **slots,
        **dict.fromkeys(("file", "line", "key", "value", "size", "count", "word", "branches", "fault"), "x"),
    }
    for entry in work.bank.entries:
        more = dict.fromkeys(re.compile(entry.match).groupindex, "g")
        question = interview.fill(work, "met", entry, given | more, "")
        assert "{" not in question.text, entry.question


@pytest.mark.parametrize("exercise", NAMES)
@pytest.mark.parametrize("variant", ["c01", "c02", "c03"])
def test_the_altered_card_differs_from_the_candidates_own_in_one_line_and_suits_the_data(exercise, variant):
    terms, manifest = Terms(variant, SECRET), KIT.exercise(exercise)
    recipe = KIT.recipe(exercise)
    keys = [key.key for key in question_bank.load(KIT, exercise).live]
    change = live_change.draw(KIT, manifest, terms, keys, variant)
    own = recipe.card_text(recipe.draw_card(grading.seed_for(manifest, terms, "card"))).split("\n")
    new = change.card.split("\n")
    assert [n for n, (a, b) in enumerate(zip(own, new, strict=True), 1) if a != b] == [change.line]
    assert (own[change.line - 1], new[change.line - 1]) == (change.old, change.new)
    assert change.key == next(k for k in keys if live_change.draw(KIT, manifest, terms, [k], variant))
    recipe.check_card(
        {k: v for k, v in tomllib.loads(change.card).items() if k not in ("costs", "crosswalk", "features")}
    )


def test_without_the_secret_a_practice_card_is_altered_and_the_page_says_so(tmp_path):
    folder = stored(tmp_path, KIT, "safe_logging", sample_files("safe_logging", "good"))
    made = prepared(folder, secret=None)
    assert not made.changes[0].change.own
    assert "practice card" in " ".join(made.notes)
    assert not prepared(folder).notes


def test_an_exercise_without_a_bank_gets_questions_and_a_live_change(tmp_path):
    files = {
        "body_mass_index.py": sample_path(TOY_KIT, "body_mass_index", "good")
        .joinpath("body_mass_index.py")
        .read_bytes()
    }
    made = prepared(stored(tmp_path, TOY_KIT, "body_mass_index", files), TOY_KIT)
    assert len(made.questions) >= 6
    assert made.changes[0].change.key == "implausible"


@pytest.mark.sandbox
def test_the_commands_on_the_page_show_the_effect_of_the_altered_card(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("s.key").write_bytes(SECRET)
    fixed = {
        "body_mass_index.py": sample_path(TOY_KIT, "body_mass_index", "good")
        .joinpath("body_mass_index.py")
        .read_bytes()
    }
    card = TOY_KIT.recipe("body_mass_index").draw_card(
        grading.seed_for(TOY_KIT.exercise("body_mass_index"), Terms("c01", SECRET), "card")
    )
    # The same work with the word of its own card written into the code.
    fixed["body_mass_index.py"] = re.sub(
        rb"tomllib\.loads\(.*\)\[\"implausible\"\]", f'"{card["implausible"]}"'.encode(), fixed["body_mass_index.py"]
    )
    stored(tmp_path / "results", TOY_KIT, "body_mass_index", fixed)
    assert main(["interview", "results", "c01", "--secret-file", "s.key", "--kit", str(TOYS)]) == 0
    page = (tmp_path / "results/c01/interview.md").read_text()
    page = page.replace("--secret-file F", "--secret-file s.key")
    copy, before, after = re.search(r"```\n(cp .*)\n(caredrill .*)\n(caredrill .*)\n```", page).groups()
    shutil.copytree(*shlex.split(copy)[2:])
    assert main(shlex.split(before)[1:]) == 0
    assert main(shlex.split(after)[1:]) == 1


HOSTILE = f"""def evaluate(a, b):
    '''<script>alert(1)</script> {BIDI}]]>```
    '''
    try:
        return a["</pre><img src=x onerror=alert(1)>"]  # TODO {BIDI}\x1b[2J ``` <b>bold</b>
    except Exception:
        pass
"""


def test_hostile_text_is_shown_as_text(tmp_path):
    reasons = f"We assume <script>alert(2)</script> 40 % of [it](javascript:x) {BIDI}\x1b[31m because ![a](http://x).\n"
    name = "<b>.py"
    files = {"deidentification.py": HOSTILE.encode(), name: HOSTILE.encode(), "DECISIONS.md": reasons.encode()}
    folder = stored(tmp_path, KIT, "deidentification", files)
    assert main(["interview", str(folder), "c01"]) == 0
    page = (folder / "c01/interview.html").read_text("utf-8")
    text = (folder / "c01/interview.md").read_text("utf-8")
    assert "alert(2)" in page
    assert not re.search(r"<(script|img|b)\b", page)
    assert BIDI not in page + text
    assert "\x1b" not in page + text
    assert r"\<script\>alert(2)" in text
    assert "](javascript" not in text.replace(r"\]", "")
    assert "default-src 'none'" in page


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("def f(:\n", "unparsed"),
        ("x = " + "(" * 3000 + "1" + ")" * 3000, "unparsed"),
        ("x = " + "-" * 200_000 + "1", "unparsed"),
        ("x = 1\0", "unparsed"),
        ("# " + "x" * 500_000, "unparsed"),
        ("try:\n    f()\nexcept Exception:\n    pass\n", "swallowed"),
        ("import re\nP = re.compile(r'[A-Z][a-z]+ (Street|Road|Lane) [0-9]{1,4}')\n", "expression"),
        ("N = 'ann bob cat dan eve fay gus hal ida joe kim lee'.split()\n", "word_list"),
        ("import numpy as np\nx = np.random.normal()\n", "chance"),
        ("def old(a):\n    return a\n\ndef evaluate(a, b):\n    return b\n", "unused"),
        ("x = 1  # TODO the other site\n", "to_do"),
        ("def evaluate(a, b):\n    if a > 0.37:\n        return b\n", "limit"),
        ("def evaluate(a, b):\n" + "    if a: b = 1\n" * 5, "complex"),
    ],
)
def test_each_detector_sees_what_it_is_for(source, kind):
    assert kind in seen(source)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("try:\n    f()\nexcept Exception as e:\n    raise Broken from e\n", "swallowed"),
        ("try:\n    f()\nexcept ValueError:\n    pass\n", "swallowed"),
        ("import numpy as np\nx = np.random.default_rng(7).normal()\n", "chance"),
        ("import secrets\nx = secrets.token_hex()\n", "chance"),
        ("def used(a):\n    return a\n\ndef evaluate(a, b):\n    return used(b)\n", "unused"),
        ("def evaluate(a, b):\n    return a > 0\n", "limit"),
    ],
)
def test_detectors_leave_sound_code_alone(source, kind):
    assert kind not in seen(source)


CARD = {"dates": {"rule": "shift", "max_days": 210}, "as_of": "2026-01-01"}


def test_a_rule_of_the_card_that_no_line_names_is_asked_about_with_the_line_that_has_its_value():
    found = seen("def evaluate(a, b):\n    return card['dates']['rule'], card['as_of'], 210\n", card=CARD)[
        "card_unread"
    ]
    assert (found.slots["key"], found.slots["value"]) == ("dates.max_days", "210")
    assert "210" in "".join(found.quote.lines)


def test_a_card_written_into_the_code_is_seen_and_one_that_is_read_is_not():
    read = "def evaluate(a, b):\n    return card['dates']['rule'], card['dates']['max_days'], card['as_of']\n"
    assert not {"card_unread", "card_written"} & set(seen(read, card=CARD))
    assert "card_written" in seen('C = """as_of = "2026-01-01"\n[dates]\nrule = "shift"\n"""\n', card=CARD)


def test_nobody_is_asked_about_the_supplied_code():
    source = "import numpy as np\nx = np.random.normal()  # TODO\n"
    assert set(seen(source + "y = 2\n", starter=source.encode())) == set()


def test_the_untouched_starter_is_named_as_such(tmp_path):
    place = KIT.exercise("subgroup_evaluation").folder / "starter"
    files = {p.name: p.read_bytes() for p in place.iterdir() if p.is_file()}
    missed = [c.id for c in KIT.criteria("subgroup_evaluation")]
    made = prepared(stored(tmp_path, KIT, "subgroup_evaluation", files, missed))
    assert any("is the starter as we gave it" in q.text for q in made.questions)


def test_code_is_read_and_never_run(tmp_path):
    left = tmp_path / "left"
    files = {"deidentification.py": f"import pathlib\npathlib.Path({str(left)!r}).touch()\n".encode()}
    prepared(stored(tmp_path / "results", KIT, "deidentification", files))
    assert not left.exists()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("We assume that the sites share no numbers with each other.", "assumption"),
        ("In the practice data 135 record numbers belong to two people.", "number"),
        ("I did not follow the list of seventeen areas that he gave.", "not_followed"),
        ("What I know is left are names in lower case that are words.", "limit"),
        ("Codes are keyed because anybody could make a plain hash again.", "reason"),
    ],
)
def test_a_statement_is_known_for_what_it_is(text, kind):
    assert statements.statements(f"# Decisions\n\n- {text}\n".encode())[0].kinds[0] == kind


def test_a_missing_decisions_file_is_asked_about(tmp_path):
    files = {n: d for n, d in sample_files("safe_logging", "good").items() if n != "DECISIONS.md"}
    made = prepared(stored(tmp_path, KIT, "safe_logging", files))
    assert any(q.source == "decisions" and q.evidence == "there is none" for q in made.questions)


def test_predictions_are_asked_about_with_what_came(tmp_path):
    made = prepared(stored(tmp_path, KIT, "deidentification", sample_files("deidentification", "good")))
    asked = next(q for q in made.questions if q.source == "predictions")
    assert "the message of candidate_knows_what_is_left" in asked.text
    assert asked.quote.file == "predictions.json"


def test_a_faulty_bank_is_refused_with_its_file_and_what_is_wrong(tmp_path):
    path = tmp_path / "x.toml"
    path.write_text('[[question]]\nabout = "code"\nid = "x"\nquestion = "?"\nstrong = "a"\nweak = "b"\n')
    with pytest.raises(ExerciseError, match=r"x\.toml: \[\[question\]\] 1.*adequate"):
        question_bank.read(path)


def test_an_unknown_candidate_is_wrong_use(tmp_path, capsys):
    folder = stored(tmp_path, KIT, "deidentification", {})
    assert main(["interview", str(folder), "c99"]) == 2
    assert "holds no results of 'c99'" in capsys.readouterr().err


def test_a_secret_that_is_not_that_of_the_results_is_refused_and_nothing_is_written(tmp_path, capsys):
    folder = stored(tmp_path / "r", KIT, "safe_logging", sample_files("safe_logging", "good"))
    many.keep_terms(folder, Terms("c01", SECRET))
    (tmp_path / "s.key").write_bytes(b"another secret, of nobody at all")
    before = sorted(folder.rglob("*"))
    assert main(["interview", str(folder), "c01", "--secret-file", str(tmp_path / "s.key")]) == 2
    assert "is not the secret of these results" in capsys.readouterr().err
    assert sorted(folder.rglob("*")) == before


def test_the_page_names_stamps_and_what_is_on_hold_but_not_where_the_secret_lies(tmp_path):
    held = ["logs_tell_of_the_service_and_of_nobody"]
    files = sample_files("safe_logging", "good")
    folder = stored(tmp_path, KIT, "safe_logging", files, held, hold=held, stamps=["PRACTICE", "SMALL"])
    (tmp_path / "s.key").write_bytes(SECRET)
    assert main(["interview", str(folder), "c01", "--secret-file", str(tmp_path / "s.key")]) == 0
    for kind in ("md", "html"):
        page = (folder / f"c01/interview.{kind}").read_text("utf-8")
        top = page[: page.index("minutes:")]
        assert [word for word in ("PRACTICE", "SMALL", "HOLD", held[0]) if word not in top] == []
        assert "s.key" not in page
        assert "--secret-file F" in page


def test_of_what_could_not_be_read_nothing_is_asked_but_to_send_it_again(tmp_path, capsys):
    reason = "c01.zip is not a readable zip"
    folder = stored(tmp_path, KIT, "deidentification", {}, status="blocked", reason=reason, criteria=[])
    made = prepared(folder)
    assert (made.questions, made.changes) == ((), ())
    assert main(["interview", str(folder), "c01"]) == 0
    printed = capsys.readouterr().out
    assert "ask for it again" in printed
    assert "live change" not in printed
    for kind in ("md", "html"):
        page = (folder / f"c01/interview.{kind}").read_text("utf-8")
        assert reason in page
        assert "minutes" not in page


def test_without_a_live_change_none_is_announced(tmp_path, capsys):
    files = {"deidentification.py": b"import nothing\n"}
    folder = stored(tmp_path, KIT, "deidentification", files, status="blocked", reason="it raised", criteria=[])
    assert main(["interview", str(folder), "c01"]) == 0
    assert "minutes without a live change" in capsys.readouterr().out


def asked_about(folder, exercise, criterion, message, files):
    """The question about a criterion that was missed with this message."""
    stored(folder, KIT, exercise, files, [criterion])
    path = folder / "c01" / exercise / "scorecard.json"
    path.write_text(path.read_text().replace(f"the message of {criterion}", message))
    return next(q for q in prepared(folder).questions if q.evidence.startswith(criterion))


def test_a_function_is_named_only_where_it_reads_what_the_criterion_is_about(tmp_path):
    files = sample_files("subgroup_evaluation", "ai_answer")
    wrong = asked_about(tmp_path / "1", "subgroup_evaluation", "numbers_are_right", "mostly wrong by race", files)
    assert "who()" in wrong.text
    assert "race_rule" in "".join(wrong.quote.lines)
    hidden = asked_about(tmp_path / "2", "subgroup_evaluation", "small_cells_stay_hidden", "a count is shown", files)
    assert "age_level" not in wrong.text + hidden.text
    assert "min_cell" in "".join(hidden.quote.lines)


def test_where_no_function_speaks_of_it_none_is_named_and_the_lines_are_asked_for(tmp_path):
    files = {"subgroup_evaluation.py": b"def age_level(age, levels):\n    return levels[0]\n"}
    asked = asked_about(tmp_path, "subgroup_evaluation", "numbers_are_right", "mostly wrong by race", files)
    assert "Which decision in your code" in asked.text
    assert asked.text.endswith("Show us the lines.")
    assert asked.quote is None


def test_of_a_long_function_the_lines_that_are_quoted_are_about_the_topic(tmp_path):
    files = sample_files("deidentification", "naive")
    criterion = "notes_lose_the_patient_and_keep_the_medicine"
    asked = asked_about(tmp_path, "deidentification", criterion, "27.0% of 3968 mentions caught", files)
    assert "note" in "".join(asked.quote.lines)
    assert "table[column]" not in "".join(asked.quote.lines)


@pytest.mark.parametrize(
    ("came", "asked", "not_asked"),
    [
        ("found 90.0% (said 60.0% to 95.0%); kept 98% (said 97% to 99%)", "Your predictions held", "otherwise"),
        ("found 50.0% (said 60.0% to 95.0%); kept 98% (said 97% to 99%)", "otherwise: found 50.0% (said", "kept 98%"),
    ],
)
def test_a_prediction_is_asked_about_as_it_came_out_whatever_points_it_lost(came, asked, not_asked, tmp_path):
    files = sample_files("subgroup_evaluation", "good")
    criterion = "candidate_knows_what_it_is_worth"
    text = asked_about(tmp_path, "subgroup_evaluation", criterion, came, files).text
    assert asked in text
    assert not_asked not in text


def test_code_like_a_published_sample_is_asked_about_in_neutral_words(tmp_path):
    made = prepared(stored(tmp_path, KIT, "deidentification", sample_files("deidentification", "good")))
    asked = [q for q in made.questions if q.source == "alike"]
    assert len(asked) == 1
    assert "Walk us through" in asked[0].text
    assert "sample" in asked[0].evidence
    assert made.hold == {"deidentification": ("code that is like a published sample's",)}


def test_code_like_anothers_is_asked_about_without_naming_anybody(tmp_path):
    good, two = sample_files("deidentification", "good"), sample_files("subgroup_evaluation", "good")
    # Half a sample and half of something else is near to no sample.
    files = {f"a_{n}": d for n, d in good.items()} | {f"b_{n}": d for n, d in two.items()}
    for identity in ("c01", "zoe"):
        stored(tmp_path, KIT, "drift_response", files, identity=identity)
    assert not any("zoe" in q.text + q.evidence for q in prepared(tmp_path).questions)
    assert any("of another submission" in q.evidence for q in prepared(tmp_path).questions)


def test_no_template_is_used_twice_but_of_what_a_person_must_look_at(tmp_path):
    made = prepared(stored(tmp_path, KIT, "drift_response", sample_files("drift_response", "good")))
    templates = [q.template for q in made.questions if q.source not in interview.REPEATED]
    assert len(templates) == len(set(templates))


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("We flag at 5 % because that is what the network asked for.", ("reason",)),
        ("One flag may be chance: 20 % family-wise, lest a group be lost.", ()),
        ("Because " + "it is long " * 30, ()),
    ],
)
def test_settings_are_no_figures_and_paragraphs_no_statements(text, kinds):
    assert tuple(kind for said in statements.statements(text.encode()) for kind in said.kinds) == kinds


def test_text_is_cut_at_clauses_with_no_bracket_left_open():
    said = "still there: given (681 of 681), numbers (681 of 681); lost or changed: letters (73 of 73)"
    for width in range(20, len(said)):
        short = wording.shortened(said, width)
        assert len(short) <= width
        assert short.count("(") == short.count(")")
        assert said.startswith(short.removesuffix(" …"))
    assert wording.shortened(said, 80) == "still there: given (681 of 681), numbers (681 of 681) …"


def test_a_number_of_thousands_of_digits_and_a_sentence_without_end_are_passed_over():
    huge = code_reading.read({"body_mass_index.py": b"LIMIT = 0x" + b"f" * 5000 + b"\nSHARE = 0.37\n"}, {})
    found = [s.slots["value"] for s in code_reading.sightings(huge, {}, "body_mass_index") if s.kind == "limit"]
    assert found == ["0.37"]
    assert statements.statements(("Because " + "1," * 29_000).encode()) == []
