"""What a criterion may give, and whose fault it is when one breaks."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from graders.harness.criterion import criterion
from graders.harness.kit import Kit
from graders.harness.outcome import Outcome, read, write
from graders.harness.scorecard import money, score
from synthetic_data.scene import Reply

PLAYED = Outcome("drill", "v1", "hidden", "sha256:0", replies=(Reply("ok", 1, {"a.csv": b"x"}),))


def kit_with(tmp_path: Path, grader: str) -> Kit:
    """A kit whose one exercise has this rubric."""
    for name, text in {
        "exercises/drill/exercise.toml": "",
        "synthetic_data/recipes/drill.py": "def read_truth(files):\n    return files\n",
        "graders/test_drill.py": "from graders.harness.criterion import Award, criterion\n" + textwrap.dedent(grader),
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return Kit(tmp_path)


def rubric(body: str, **options: object) -> str:
    words = ", ".join(f"{k}={v!r}" for k, v in ({"points": 10, "skill": "care"} | options).items())
    return f'@criterion({words})\ndef test_one(outcome, truth):\n    """One."""\n    {body}\n'


@pytest.mark.parametrize(
    ("body", "verdict", "earned"),
    [
        ("return Award(1, '')", "met", "10.00"),
        ("return None", "met", "10.00"),
        ("return Award(0.5, 'half')", "partly met", "5.00"),
        ("return Award(0.0001, 'hardly')", "not met", "0.00"),
        ("assert False, 'no'", "not met", "0.00"),
    ],
)
def test_a_verdict_follows_from_the_award(tmp_path, body, verdict, earned):
    card = score(kit_with(tmp_path, rubric(body)), PLAYED, {})
    assert (card.lines[0].verdict, str(card.lines[0].earned), card.status) == (verdict, earned, "graded")


@pytest.mark.parametrize(
    "body",
    [
        "return {}['hidden value']",
        "return 1.0",
        "return Award(1.2, '')",
        "return Award(float('nan'), '')",
        "raise SystemError('hidden value')",
    ],
)
def test_a_criterion_that_breaks_gives_no_score_and_tells_no_hidden_value(tmp_path, body):
    card = score(kit_with(tmp_path, rubric("return Award(1, '')") + rubric(body).replace("_one", "_two")), PLAYED, {})
    assert (card.status, card.score) == ("grader_error", None)
    assert all(line.verdict == "not scored" for line in card.lines)
    assert b"hidden value" not in card.to_bytes()


@pytest.mark.sandbox
@pytest.mark.parametrize("where", ["scene", "steps"])
def test_a_recipe_that_breaks_gives_no_score_and_tells_no_hidden_value(tmp_path, where):
    import shutil

    from exercise_lint import TOYS, play_sample

    shutil.copytree(TOYS, tmp_path / "kit")
    recipe = tmp_path / "kit/synthetic_data/recipes/body_mass_index.py"
    mark = '    ids = np.arange(settings["patients"])\n' if where == "scene" else "            if reply.status"
    broken = "    {}['hidden value']\n" if where == "scene" else "            {}['hidden value']\n"
    recipe.write_text(recipe.read_text().replace(mark, broken + mark))
    card = play_sample(Kit(tmp_path / "kit"), "body_mass_index", "good").scorecard
    assert (card.status, card.score) == ("grader_error", None)
    assert "KeyError at body_mass_index.py" in card.reason
    assert b"hidden value" not in card.to_bytes()


def test_a_comparing_assert_prints_no_compared_values(tmp_path):
    card = score(kit_with(tmp_path, rubric("assert truth.get('x', 'Rosa') == 'Amara', 'they differ'")), PLAYED, {})
    assert card.lines[0].message == "they differ"


def test_a_critical_criterion_not_met_holds_and_rejects_nothing(tmp_path):
    grader = rubric("assert False, 'no'", critical=True) + rubric("return None").replace("_one", "_two")
    card = score(kit_with(tmp_path, grader), PLAYED, {})
    assert (card.hold, str(card.score)) == (["one"], "50.00")


def test_blocked_is_zero_and_infrastructure_is_no_score(tmp_path):
    import dataclasses

    kit = kit_with(tmp_path, rubric("return None"))
    blocked = score(kit, dataclasses.replace(PLAYED, status="blocked", reason="ran past"), {})
    assert (str(blocked.score), blocked.hold) == ("0.00", [])
    broken = score(kit, dataclasses.replace(PLAYED, status="infra_error", reason="disk"), {})
    assert broken.score is None


def test_a_criterion_needs_a_sentence():
    with pytest.raises(TypeError, match="docstring"):

        @criterion(points=1, skill="x")
        def test_x(outcome, truth):
            pass


def test_money_rounds_half_to_even():
    assert [str(money(v)) for v in (0.125, 0.135, 2.005, 1)] == ["0.12", "0.14", "2.00", "1.00"]


def test_an_outcome_survives_the_disk(tmp_path):
    write(PLAYED, tmp_path, {"seconds": 1})
    again = read(tmp_path)
    assert again == PLAYED
    assert again.digest == PLAYED.digest


MANY = "return Award({}, 'm', evidence=tuple(f'file {{n}}, ' + 'x' * 300 for n in range(9)))"


def test_evidence_is_stored_and_bounded(tmp_path):
    card = score(kit_with(tmp_path, rubric(MANY.format(0.5))), PLAYED, {})
    stored = card.as_dict()["criteria"][0]["evidence"]
    assert [text[:7] for text in stored] == [f"file {n}," for n in range(5)]
    assert {len(text) for text in stored} == {160}


def test_a_criterion_that_is_met_needs_no_evidence(tmp_path):
    card = score(kit_with(tmp_path, rubric(MANY.format(1))), PLAYED, {})
    assert card.as_dict()["criteria"][0]["evidence"] == []


def test_evidence_stands_on_the_page_and_in_the_terminal(tmp_path, capsys):
    from graders.report import html, terminal

    card = score(kit_with(tmp_path, rubric("return Award(0.5, 'm', evidence=('a.csv, <b>: rows 4',))")), PLAYED, {})
    page = html.write([card], tmp_path / "card.html").read_text("utf-8")
    terminal.show([card])
    assert "<li>a.csv, &lt;b&gt;: rows 4</li>" in page
    assert "where: a.csv, <b>: rows 4" in capsys.readouterr().out
