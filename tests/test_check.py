"""`check`: the contract first, then the criteria, then what is not checked."""

from __future__ import annotations

from pathlib import Path

import pytest
from exercise_lint import TOYS, expectations, read_sample

from graders.commands import main
from graders.handing_in import contract
from graders.harness.kit import Kit
from graders.harness.submission import Part

KIT = Kit()
DRIFT = KIT.exercise("drift_response")
GOOD = {"plan.json": b'{"modifications": [], "protocol": {}, "impact": []}', "DECISIONS.md": b"Why.\n"}
GOOD |= {"predictions.json": b'{"false_alarms": [0, 1], "delay": [0, 1], "weakest": []}'}
CLASS = "class Monitor:\n    pass\n"


def found(code: str, **others: str | None) -> list[tuple[str, str, str]]:
    """(weight, where, text) of a drift_response work. others: name with _ for dots -> text, None to leave it out."""
    files = {**GOOD, "drift_response.py": code.encode()}
    for name, text in others.items():
        name = "/".join(name.replace("_py", ".py").replace("_json", ".json").split("__"))
        files.pop(name, None)
        files |= {} if text is None else {name: text.encode()}
    return [(f.weight, f.where, f.text) for f in contract.look(DRIFT, Part(files))]


def test_sound_work_has_nothing_to_say():
    assert found(CLASS) == []


@pytest.mark.parametrize(
    ("code", "blocked"),
    [
        ("def broken(:\n", True),
        ("import helper\n" + CLASS, True),
        ("try:\n    import helper\nexcept SyntaxError:\n    helper = None\n" + CLASS, False),
        (CLASS, False),
    ],
)
def test_a_file_that_does_not_parse_blocks_only_where_the_entry_surely_imports_it(code, blocked):
    [(weight, where, text)] = found(code, helper_py="A = 1\nx = = 2\n" if "helper" in code or not blocked else None)
    assert weight == ("blocks" if blocked else "fault")
    assert where == ("drift_response.py:1" if "broken" in code else "helper.py:2")
    assert "does not parse" in text


@pytest.mark.parametrize(
    "text", ["\0", "x = " + "(" * 300 + ")" * 300, "# coding: klingon\n", "if x:\n\ty\n        z\n"]
)
def test_odd_bytes_in_a_file_do_not_break_the_look(text):
    assert tuple(part.partition(":")[0] for part in found(text)[0][:2]) == ("blocks", "drift_response.py")


def test_a_long_chain_of_terms_is_looked_at():
    assert found("A = " + "+".join(["1"] * 3000) + "\n" + CLASS) == []


def test_a_missing_class_is_named_with_the_nearest_there_is():
    [(weight, where, text)] = found("class Monitr:\n    pass\n")
    assert (weight, where) == ("blocks", "drift_response.py")
    assert text == "defines no class Monitor, which grading calls; there is Monitr"


@pytest.mark.parametrize(
    "code",
    [
        "from monitor import Monitor\n",
        "from monitor import *\n",
        "import monitor\nMonitor = monitor.Watch\n",
        "if True:\n    class Monitor: pass\n",
        "globals()['Monitor'] = object\n",
        "def __getattr__(name): return object\n",
    ],
)
def test_a_class_that_is_there_or_cannot_be_seen_is_not_called_missing(code):
    assert found(code, monitor_py="Watch = Monitor = object\n") == []


@pytest.mark.parametrize(
    ("code", "weight"),
    [
        ("import torch\n", "blocks"),
        ("from torch.nn import Linear\n", "blocks"),
        ("def late():\n    import torch\n", "fault"),
        ("try:\n    import torch\nexcept ImportError:\n    torch = None\n", "note"),
        ("import contextlib\nwith contextlib.suppress(ImportError):\n    import torch\n", "note"),
    ],
)
def test_an_import_beyond_the_brief_names_file_and_line(code, weight):
    [(said, where, text)] = found(code + CLASS)
    assert (said, where.partition(":")[0]) == (weight, "drift_response.py")
    assert "imports torch" in text
    assert "pandas, numpy, scipy, scikit-learn, statsmodels, river" in text


@pytest.mark.parametrize(
    "code",
    [
        "import numpy.linalg, dateutil, sklearn.metrics\n",  # dateutil comes with pandas
        "import typing\nif typing.TYPE_CHECKING:\n    import torch\n",
        "if __name__ == '__main__':\n    import matplotlib\n",
        "from tools import rules\nfrom tools.rules import A\nimport tools.rules\n",
        "import rules\n",  # by a folder added to sys.path
    ],
)
def test_imports_that_grading_finds_or_never_runs_are_not_mentioned(code):
    assert found(code + CLASS, tools__rules_py="A = 1\n") == []


def test_an_import_in_a_file_that_nothing_reaches_is_a_note():
    assert [(w, where) for w, where, _ in found(CLASS, mine_py="import pytest\n")] == [("note", "mine.py:1")]


def test_a_package_that_a_file_imports_often_is_mentioned_once():
    assert len(found("import torch\nimport torch.nn\nfrom torch import optim\n" + CLASS)) == 1


def test_a_missing_module_of_ones_own_is_called_that():
    [(weight, _, text)] = found("from tools.gone import A\n" + CLASS, tools__rules_py="A = 1\n")
    assert weight == "blocks"
    assert text == "imports tools.gone, which is not among your files"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "is missing"),
        ('{"false_alarms": [0, 1],}', "is not valid JSON"),
        ('{"delay": [0, 1]}', "lacks 'false_alarms', 'weakest'"),
        ("[]", "lacks 'false_alarms', 'delay', 'weakest'"),
        ("[" * 100_000, "is not valid JSON"),
    ],
)
def test_predictions_are_held_against_the_starters_keys(text, says):
    [(weight, where, said)] = found(CLASS, predictions_json=text)
    assert weight == "fault"
    assert where.startswith("predictions.json")
    assert says in said


def test_absolute_paths_the_network_and_a_missing_decision_are_advice():
    code = "import requests_cache_of_mine as r\nDATA = '/home/me/data.csv'\nURL = '/home'\nimport socket\n" + CLASS
    files = {"drift_response.py": code.encode(), "requests_cache_of_mine.py": b"", **GOOD, "DECISIONS.md": b" \n"}
    said = {(f.weight, f.where) for f in contract.look(DRIFT, Part(files))}
    assert said == {("note", "drift_response.py:2"), ("note", "drift_response.py:4"), ("note", "DECISIONS.md")}


def test_a_service_without_its_main_module_is_blocked():
    service = Kit(TOYS).exercise("vitals_service")
    [finding] = contract.look(service, Part({"service/__init__.py": b""}))
    assert str(finding) == "service/__main__.py: is missing, and is what `python -m service` starts"


@pytest.mark.parametrize("name", KIT.names())
def test_no_good_work_of_an_exercise_has_a_fault_of_contract(name):
    exercise = KIT.exercise(name)
    for sample in expectations(KIT, name):
        if sample.startswith(("good", "starter")):
            findings = contract.look(exercise, read_sample(KIT, exercise, sample))
            assert [str(f) for f in findings if f.weight != "note"] == [], sample


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    code = "def body_mass_index(a, b, c):\n    return 0\n"
    (folder / "body_mass_index.py").write_text(code)
    return folder


def check(work: Path, *words: str) -> int:
    return main(["check", str(work), "--kit", str(TOYS), *words])


@pytest.mark.sandbox
def test_three_parts_in_order_on_80_columns(work, capsys):
    assert check(work) == 1
    lines = capsys.readouterr().out.splitlines()
    heads = [line for line in lines if line[:1].isdigit()]
    assert [head[0] for head in heads] == ["1", "2", "3"]
    assert "  nothing of insulin_titration, vitals_service" in lines[: lines.index(heads[1])]
    assert max(map(len, lines)) <= 80


def test_what_grading_would_not_run_is_not_played_here(work, capsys):
    (work / "body_mass_index.py").write_text(f"open({str(work / 'ran')!r}, 'w')\n")
    assert check(work) == 1
    out = capsys.readouterr().out
    assert "blocks body_mass_index.py: defines no function body_mass_index" in out
    assert "body_mass_index: not played" in out
    assert not (work / "ran").exists()


@pytest.mark.sandbox
def test_only_shows_faults_and_the_criterion_and_notes_nothing(work, capsys):
    (work / "body_mass_index.py").write_text("def body_mass_index(a, b, c):\n    import torch\n")
    (work / "mine.py").write_text("import torch\n")
    assert check(work, "--only", "the_row_count_is_returned") == 1
    out = capsys.readouterr().out
    assert "fault  body_mass_index.py:2: imports torch" in out
    assert "note" not in out
    assert "the_row_count_is_returned" in out
    assert "every_index" not in out
    assert "3. Not checked" not in out


def test_only_a_criterion_of_an_exercise_that_is_not_there_is_wrong_use(work, capsys):
    (work / "body_mass_index.py").rename(work / "insulin_titration.py")
    assert check(work, "--only", "the_row_count_is_returned") == 2
    assert "holds nothing of body_mass_index" in capsys.readouterr().err


def test_nothing_recognised_says_what_each_exercise_begins_with(work, capsys):
    (work / "body_mass_index.py").rename(work / "essay.txt")
    assert check(work) == 1
    assert "body_mass_index (body_mass_index/body_mass_index.py)" in " ".join(capsys.readouterr().out.split())
