import csv
import json
import sqlite3
import subprocess
import sys
from datetime import date

import pytest
from exercise_lint import TOYS
from interrupted_round import make

from graders.harness.errors import UsageError
from graders.harness.kit import HOME, Kit
from graders.round import index, results, retention, rounds

pytestmark = pytest.mark.sandbox


def caredrill(*words):
    command = [sys.executable, "-m", "graders.commands", *map(str, words)]
    return subprocess.run(command, cwd=HOME, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A round of four toy submissions of the toys' role, graded; a list of people beside it."""
    place = make(tmp_path_factory.mktemp("kept") / "round", 4)
    candidates = "".join(f'\n# one of four\n[[candidates]]\nid = "c{n:03}"\nvariant = "v-{n}"\n' for n in range(5))
    (place / "round.toml").write_text('role = "toys"\n' + candidates)
    people = "".join(f"c{n:03},Person Number{n},p{n}@example.org\n" for n in range(5))
    (place / "people.csv").write_text("id,name,e-mail\n" + people)
    out = place.parent / "results"
    done = caredrill("grade", place, "--out", out, "--kit", TOYS, "--small", "--workers", 2)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture
def kept(graded, tmp_path):
    """A copy of the round and its results."""
    import shutil

    shutil.copytree(graded.parent, tmp_path / "copy")
    return tmp_path / "copy/results"


def test_results_tell_role_totals_and_who_is_missing(graded):
    found = results.read(Kit(TOYS), graded)
    assert (found.role.name, list(found.found), found.missing) == ("toys", ["c000", "c001", "c002", "c003"], ("c004",))
    weighted = sum(found.found["c000"][name].score * weight for name, weight in found.role.weights.items()) / 100
    assert found.total("c000") == weighted


def test_the_index_is_the_same_when_made_anew_from_the_files(kept):
    first = (kept / "index.sqlite").read_bytes()
    (kept / "index.sqlite").unlink()
    index.write(results.read(Kit(TOYS), kept), kept / "index.sqlite")
    assert (kept / "index.sqlite").read_bytes() == first


def test_the_index_holds_what_the_scorecards_say(graded):
    with sqlite3.connect(graded / "index.sqlite") as database:
        rows = database.execute("select id, exercise, sum(earned), count(*) from criteria group by id, exercise")
        earned = {(i, e): (round(s, 2), n) for i, e, s, n in rows}
    database.close()
    for path in graded.glob("*/*/scorecard.json"):
        lines = json.loads(path.read_bytes())["criteria"]
        said = round(sum(float(line["earned"]) for line in lines), 2), len(lines)
        assert earned[path.parent.parent.name, path.parent.name] == said
    assert len(earned) == 4 * 2


def test_an_export_has_one_row_for_each_exercise(graded, tmp_path):
    assert caredrill("export", graded, "--kit", TOYS, "--out", tmp_path / "scores.csv").returncode == 0
    with (tmp_path / "scores.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 8
    card = json.loads((graded / rows[0]["id"] / rows[0]["exercise"] / "scorecard.json").read_bytes())
    assert rows[0]["score"] == card["score"]


def test_an_export_of_another_kind_is_refused_in_one_line(graded, tmp_path):
    done = caredrill("export", graded, "--kit", TOYS, "--out", tmp_path / "scores.xls")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


def test_nothing_is_removed_without_yes(kept):
    done = caredrill("purge", kept, "c001")
    assert done.returncode == 0
    assert (kept / "c001").is_dir()


def test_after_a_purge_nothing_names_the_candidate(kept):
    place = kept.parent / "round"
    done = caredrill("purge", kept, "c001", "--also", place, "--yes")
    assert (done.returncode, done.stdout.splitlines()[-1][:23]) == (0, "0 files still name them"), done.stderr
    for word in ("c001", "v-1", "Person Number1", "p1@example.org"):
        assert not list(retention.still_named([word], [kept.parent])), word
    for word in ("c002", "v-2", "Person Number2"):
        assert list(retention.still_named([word], [kept.parent])), word
    assert results.read(Kit(TOYS), kept).missing == ("c004",)


def test_who_handed_in_nothing_can_be_removed_too(kept):
    assert caredrill("purge", kept, "c004", "--also", kept.parent / "round", "--yes").returncode == 0
    assert not list(retention.still_named(["c004", "p4@example.org"], [kept.parent]))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("round.toml", 'role = "toys"\ncandidates = [{id = "c001"}, {id = "c002"}]\n'),
        ("round.toml", "# written in Latin-1: \xe4\n[[candidates]]\nid = 'c001'\n"),
        ("people.csv", "id,name,years\nc003,Ann,c001\nc002,Bob,3\n"),
        ("rooms.csv", "week,room\n1,blue\n"),
    ],
)
def test_a_purge_leaves_alone_what_it_does_not_understand(kept, name, text):
    path = kept.parent / "round" / name
    path.write_bytes(text.encode("latin-1"))
    done = caredrill("purge", kept, "c001", "--also", path.parent, "--yes")
    assert path.read_bytes() == text.encode("latin-1")
    # What is left of them, or could not be looked at, is said.
    assert (done.returncode, name in done.stderr) == ((0, False) if "c001" not in text else (1, True)), done.stderr


def test_a_purge_follows_no_link_and_says_so(kept, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("kept")
    (kept / "c002/link").symlink_to(elsewhere)
    assert caredrill("purge", kept, "c001", "--yes").returncode == 1
    assert caredrill("purge", kept, "c002", "--yes").returncode == 1
    assert (elsewhere / "file").read_text() == "kept"


def test_one_id_that_begins_another_is_another(kept):
    (kept / "c001-b").mkdir()
    (kept / "c001-b/record.json").write_text("{}")
    assert caredrill("purge", kept, "c001", "--yes").returncode == 0
    assert (kept / "c001-b").is_dir()


@pytest.mark.parametrize(
    "identity", ["results", "submissions", "index.sqlite", "labels.csv", "a.zip", "-c1", "Round.toml"]
)
def test_an_identity_is_never_the_name_of_something_of_ours(identity):
    with pytest.raises(UsageError):
        rounds.check_identity(identity, "here")


def test_what_still_names_a_candidate_is_said(kept):
    (kept / "notes.txt").write_text("spoke with c001 on Monday")
    done = caredrill("purge", kept, "c001", "--yes")
    assert done.returncode == 1
    assert "notes.txt: still holds c001" in done.stderr


def test_the_period_counts_from_the_last_grading(kept):
    record = kept / "c002/body_mass_index/record.json"
    for path in (kept / "c002").glob("*/record.json"):
        path.write_text(path.read_text().replace('"started": "2', '"started": "1'))
    assert record.is_file()
    done = caredrill("purge", kept, "--yes")
    assert "1 of 5 candidates removed" in done.stdout
    assert [k.identity for k in retention.kept(kept)] == ["c000", "c001", "c003", "c004"]


@pytest.mark.parametrize(
    ("graded_on", "today", "due"),
    [
        ((2022, 11, 22), (2026, 11, 22), True),
        ((2022, 11, 23), (2026, 11, 22), False),
        ((2024, 2, 29), (2028, 2, 28), False),
        ((2024, 2, 29), (2028, 2, 29), True),
    ],
)
def test_a_candidate_is_due_after_four_years(graded_on, today, due):
    assert retention.Kept("c", date(*graded_on)).due(date(*today), 4) is due
