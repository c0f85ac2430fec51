"""A leaked packet tells whose it was, and its marks change nothing that anybody works with or is scored by."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import zipfile

import numpy as np
import pytest
from exercise_lint import TOYS

from graders.commands import main
from graders.harness import grading
from graders.harness.grading import Terms
from graders.harness.kit import Kit
from graders.round import canaries, results
from synthetic_data.canaries import Mark, ended, grown
from synthetic_data.streams import Seed

KIT, SECRET = Kit(), b"the secret of this test, 32 bytes"
VARIANTS = {f"c{n:02d}": f"c{n:02d}" for n in range(1, 31)}
# Exercise -> a size that is enough here.
SIZES = {
    "deidentification": {"patients": 200},
    "subgroup_evaluation": {"patients": 3000},
    "safe_logging": {"each": 3},
    "drift_response": {"streams": 2, "patients": 120},
}
# Exercise -> what its identifiers look like before they are marked.
OLD = {
    "deidentification": r"(?<![A-Za-z0-9])(?:[ABC]-\d{6}(?!\w)|\d{4}-\d{4}-[A-Z]{4}(?!\w)|[ABC]\d{7}(?=,))",
    "subgroup_evaluation": r"(?m)^(?:E|P|P-)?\d{6}(?=,)|(?<=,)P\d{6}(?=,)",
    "safe_logging": r'(?<="X-Request-ID":")[0-9a-f]{32}(?=")',
    "drift_response": r'(?<=")E\d{7}(?=")',
}
EXERCISES = list(SIZES)
WORD = Mark("word", r"\b([a-z]{4})([0-9]{2})\b", size=2)


@pytest.fixture(scope="module")
def plain():
    """Exercise -> unmarked practice data."""
    found = {}
    for name, size in SIZES.items():
        exercise = dataclasses.replace(KIT.exercise(name), settings={**KIT.exercise(name).settings, **size})
        found[name] = dict(grading.make_scene(KIT, exercise, Terms("practice")).public)
    return found


@pytest.fixture(scope="module")
def marked(plain):
    """Exercise -> the same with the marks of c07."""
    return {name: mark(name, files, "c07") for name, files in plain.items()}


def mark(name, files, variant, secret=SECRET):
    return canaries.marked(KIT, KIT.exercise(name), files, Terms(variant, secret))


def trace(texts, variants=VARIANTS):
    return canaries.trace(KIT, EXERCISES, variants, SECRET, texts)


def sizeable(files):
    """Files of some rows, but for the list of staff, which is the same for everybody."""
    return {name: data for name, data in files.items() if len(data) > 20_000 and "Practitioner" not in name}


@pytest.mark.parametrize("name", EXERCISES)
def test_marks_rename_identifiers_one_to_one_and_change_nothing_else(plain, marked, name):
    new_names: dict[str, str] = {}
    for file, data in plain[name].items():
        old, new = data.decode(), marked[name][file].decode()
        position = 0
        for match in re.finditer(OLD[name], old):
            assert old[position : match.start()] == new[position : match.start()], file
            assert new_names.setdefault(match[0], new[match.start() : match.end()]) == new[match.start() : match.end()]
            position = match.end()
        assert old[position:] == new[position:], file
    assert len(set(new_names.values())) == len(new_names)
    assert sum(old != new for old, new in new_names.items()) > 0.9 * len(new_names)


@pytest.mark.parametrize("name", ["deidentification", "subgroup_evaluation", "drift_response"])
def test_counted_identifiers_keep_their_order(plain, marked, name):
    file, pattern = {
        "deidentification": ("patients.csv", r"(?m)^[ABC]-\d{6}"),
        "subgroup_evaluation": ("scores.csv", r"(?m)^E\d{6}"),
        "drift_response": ("stream_1.ndjson", r'(?<=")E\d{7}(?=")'),
    }[name]
    old, new = (re.findall(pattern, files[name][file].decode()) for files in (plain, marked))
    assert np.array_equal(np.argsort(old, kind="stable"), np.argsort(new, kind="stable"))


def test_the_old_clients_request_ids_are_still_the_digests_of_numbers(marked):
    lines = [json.loads(line) for line in marked["safe_logging"]["requests.ndjson"].splitlines()]
    numbers = {json.loads(line["body"])["mrn"] for line in lines if line["kind"] == "create"}
    digests = {hashlib.md5(number.encode(), usedforsecurity=False).hexdigest() for number in numbers}
    old = [line["headers"]["X-Request-ID"] for line in lines if line["kind"] == "old_client"]
    assert old
    assert set(old) <= digests


@pytest.mark.parametrize("name", EXERCISES)
def test_every_sizeable_file_alone_tells_whose_packet_it_was(marked, name):
    for file, data in sizeable(marked[name]).items():
        found = trace([data])
        assert list(found) == ["c07"], file
        assert found["c07"].exercise == name


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", EXERCISES)
def test_a_tenth_of_the_rows_of_a_file_tells_whose_packet_it_was(marked, name, seed):
    rng = np.random.default_rng(seed)
    for file, data in sizeable(marked[name]).items():
        lines = data.splitlines(keepends=True)
        kept = rng.choice(len(lines), max(1, len(lines) // 10), replace=False)
        assert list(trace([b"".join(lines[i] for i in kept)])) == ["c07"], file


def test_unmarked_data_and_other_teams_packets_are_nobodys(plain):
    for name, files in plain.items():
        assert trace(files.values()) == {}
        assert trace(mark(name, files, "c07", b"another secret of this test, 32 b").values()) == {}


def test_two_packets_in_one_text_are_both_named(plain, marked):
    other = mark("safe_logging", plain["safe_logging"], "c21")
    texts = [marked["safe_logging"]["requests.ndjson"] + other["requests.ndjson"]]
    assert set(trace(texts)) == {"c07", "c21"}


def test_what_check_and_grade_play_holds_no_marks():
    exercise = KIT.exercise("safe_logging")
    for terms in (Terms("c07", small=True), Terms("c07", SECRET, small=True)):
        scene = grading.make_scene(KIT, exercise, terms)
        steps, texts, reply = scene.steps(), [*scene.public.values()], None
        for _ in range(50):
            try:
                request = steps.send(reply)
            except StopIteration:
                break
            texts.append(repr(request).encode())
            reply = type("Reply", (), {"status": "ok", "value": [], "files": {}})()
        assert b"X-Request-ID" in b"".join(texts)
        assert trace(texts) == {}


def test_the_chance_of_a_coincidence_holds_over_keys():
    # Over 1,000 keys, "1 in 100 or less" is said of no more than about 1 in 100.
    rng = np.random.default_rng(5)
    text = " ".join(f"{''.join(rng.choice(list('abcdef'), 4))}{rng.integers(100):02d}" for _ in range(400)).encode()
    seen = set(WORD.seen(text))
    assert len(seen) > 300
    said = 0
    for n in range(1000):
        number = WORD.checker(Seed.derive(SECRET, "x", str(n), "canary"))
        count = sum(number(message) == tag for message, tag in seen)
        said += canaries.coincidence(count, len(seen), WORD.space) <= -2
    assert said <= 22


def test_an_identifier_whose_new_form_is_anothers_keeps_its_own():
    seed = Seed(bytes(32))
    tag = WORD.written(seed, ["word00"])["word00"][-2:]
    assert ended(WORD, seed, [f"word{tag}", "word98"]) == {}
    assert set(ended(WORD, seed, ["word98", "word99"])) == {"word98"}


def test_a_number_without_room_for_its_mark_is_refused():
    with pytest.raises(ValueError, match="no room"):
        grown(Mark("n", r"(N\d{3})(\d)"), Seed(bytes(32)), ["N1000"], keep=1)


def test_a_text_in_capitals_or_with_other_signs_around_is_traced_alike(marked):
    ids = re.findall(r"(?m)^[ABC]\d{7}", marked["deidentification"]["labs.csv"].decode())[:200]
    for text in (" ".join(ids).lower(), "|".join(ids), json.dumps(ids), "INSERT ('" + "','".join(ids) + "')"):
        assert list(trace([text.encode()])) == ["c07"]


def test_a_submission_with_anothers_marks_is_a_hit_and_one_with_its_own_is_none(marked, tmp_path):
    leaked = marked["safe_logging"]["requests.ndjson"][:20_000]
    for identity in ("c06", "c07"):
        place = tmp_path / identity / "safe_logging"
        (place / "submitted/service").mkdir(parents=True)
        (place / "submitted/service/cases.py").write_bytes(b"CASES = '''" + leaked + b"'''")
        card = dict.fromkeys(results.KEYS) | {"exercise": "safe_logging", "variant": identity, "criteria": []}
        (place / "scorecard.json").write_text(json.dumps(card))
    found = canaries.hits(KIT, results.read(KIT, tmp_path), SECRET)
    assert [(hit.identity, hit.of, hit.exercise) for hit in found] == [("c06", "c07", "safe_logging")]


def test_marks_of_a_candidate_who_handed_in_nothing_are_a_hit(marked, tmp_path):
    place = tmp_path / "c06/safe_logging"
    (place / "submitted").mkdir(parents=True)
    (place / "submitted/data.txt").write_bytes(marked["safe_logging"]["requests.ndjson"])
    card = dict.fromkeys(results.KEYS) | {"exercise": "safe_logging", "variant": "c06", "criteria": []}
    (place / "scorecard.json").write_text(json.dumps(card))
    rows = "".join(f'[[candidates]]\nid = "{identity}"\n' for identity in ("c06", "c07"))
    (tmp_path / "round.toml").write_text('role = "regulated_mlops"\n' + rows)
    assert [hit.of for hit in canaries.hits(KIT, results.read(KIT, tmp_path), SECRET)] == ["c07"]


@pytest.fixture
def command(tmp_path):
    rows = "".join(f'[[candidates]]\nid = "{identity}"\n' for identity in VARIANTS)
    (tmp_path / "round.toml").write_text('role = "regulated_mlops"\n' + rows)
    (tmp_path / "secret").write_bytes(SECRET)
    words = ["--round", str(tmp_path / "round.toml"), "--secret-file", str(tmp_path / "secret")]
    return lambda *paths: main(["trace", *map(str, paths), *words])


def test_trace_names_the_candidate_of_a_file_a_zip_and_a_folder(marked, plain, command, tmp_path, capsys):
    leaked = marked["safe_logging"]["requests.ndjson"]
    folder = tmp_path / "found"
    folder.mkdir()
    (folder / "dump.txt").write_bytes(leaked)
    with zipfile.ZipFile(tmp_path / "found.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/dump.txt", leaked)
    for path in (folder / "dump.txt", folder, tmp_path / "found.zip"):
        assert command(path) == 0
        assert capsys.readouterr().out.startswith("c07: ")
    (tmp_path / "clean").write_bytes(plain["safe_logging"]["requests.ndjson"])
    assert command(tmp_path / "clean") == 1
    assert capsys.readouterr().out.startswith("none of 30 candidates")


def test_trace_refuses_in_one_line(command, tmp_path, capsys):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(2**23))
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 and then nothing")
    (tmp_path / "broken.csv.gz").write_bytes(b"no gzip")
    for path in ("bomb.zip", "broken.zip", "broken.csv.gz", "nothing"):
        assert command(tmp_path / path) == 2
        said = capsys.readouterr().err
        assert said.startswith("caredrill trace: ")
        assert said.count("\n") == 1


def test_exercises_without_marks_are_left_as_they_are_and_said(tmp_path, capsys):
    toys = Kit(TOYS)
    exercise = toys.exercise("body_mass_index")
    public = {"patients.csv": b"patient_id\nP0001\n"}
    assert canaries.marked(toys, exercise, public, Terms("c01", SECRET)) == public
    (tmp_path / "round.toml").write_text('role = "toys"\n[[candidates]]\nid = "c01"\n')
    (tmp_path / "secret").write_bytes(SECRET)
    words = [
        str(tmp_path / "secret"),
        "--round",
        str(tmp_path / "round.toml"),
        "--secret-file",
        str(tmp_path / "secret"),
    ]
    assert main(["trace", *words, "--kit", str(TOYS)]) == 2
    assert "marks its practice data" in capsys.readouterr().err
