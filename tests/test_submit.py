"""`submit`: what goes into the zip, what is refused in clear words, and the receipt."""

from __future__ import annotations

import hashlib
import json
import random
import string
import sys
import zipfile
from pathlib import Path

import pytest
from exercise_lint import TOYS, expectations, read_sample

from graders.commands import main
from graders.handing_in import credentials, receipt, rows
from graders.harness import submission
from graders.harness.errors import GraderError
from graders.harness.kit import HOME, Kit

KIT = Kit()
RNG = random.Random(20261122)
LETTERS = string.ascii_letters + string.digits


def chance(count: int, of: str = LETTERS) -> str:
    """Random characters that end in a digit: no literal in this file looks like a secret."""
    return "".join(RNG.choices(of, k=count - 1)) + "7"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "body_mass_index.py").write_text("def body_mass_index(a, b, c):\n    return 0\n")
    return folder


def submit(work: Path, *words: str, kit: Path = TOYS) -> int:
    return main(["submit", str(work), "--kit", str(kit), *words])


SECRETS = {
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "an AWS access key": "AK" + "IA" + chance(16, string.ascii_uppercase),
    "a Google API key": "AI" + "za" + chance(35),
    "a GitHub token": "gh" + "p_" + chance(36),
    "a Slack token": "xo" + "xb-" + chance(24),
    "an Anthropic key": "sk-" + "ant-api03-" + chance(40),
    "an OpenAI key": "sk-" + "proj-" + chance(48),
    "a Hugging Face token": "hf" + "_" + chance(34),
    "a JSON web token": "ey" + "J" + chance(20) + ".ey" + "J" + chance(40) + "." + chance(43),
    "a password in an address": "postgresql://me:" + chance(12) + "@db.internal/charts",
    "a .netrc line": "machine db.internal login me pass" + "word " + chance(12),
    "a literal for password": "PASSWORD = 'Tr0ub4dor&" + chance(6) + "'",
    "a literal for api_key": f'{{"api_key": "{chance(32, "0123456789abcdef")}"}}',
    "a literal for client_secret": f"client_secret: str = '{chance(30)}-{chance(9)}'",
}


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_is_refused_by_kind_file_and_line_and_never_shown(work, capsys, kind):
    secret = SECRETS[kind]
    (work / "settings.py").write_text(f"A = 1\n# {secret}\n")
    assert submit(work, "--anyway", "--leave-strays") == 1
    said = capsys.readouterr()
    assert f"settings.py:2: looks like {kind}" in said.out
    assert secret.split()[-1].strip("'\"}")[-12:] not in said.out + said.err
    assert not work.with_name("work.zip").exists()


HARMLESS = [
    "key = card['key'].encode(); token = hmac.new(key, b'x', 'sha256').hexdigest()",
    "SECRET = os.environ['AUDIT_KEY']; password = getpass.getpass('password: ')",
    "TOKEN = re.compile(r'[A-Za-z]+(?:[A-Z][a-z])+9')",
    f"secret = '{hashlib.sha256(b'vector').hexdigest()}'",
    f"expected = '{hashlib.md5(b'vector').hexdigest()}'; token = '{hashlib.sha1(b'x').hexdigest()}'",
    "password = '3f9a60c1-d27e-48b5-906c-fa13e85d7b24'",
    "api_key = 'your-api-key-goes-Here-1'",
    "password = 'test-Password-1'",
    "PATTERN = 'sk-learn-0.24-and-scikit-learn-1.2-are-both-fine'",
    "url = 'postgresql://user:password@localhost/db'; other = 'https://{user}:{word}@host/'",
    "AWS = 'AKIA' 'IOSFODNN7EXAMPLE'",
    "'mrn': 'MRN10579702', 'email': 'knuzz.tretz@example.org', 'ssn': '966-32-0654'",
    "tokens = ['[NAME]', '[DATE-1]']; secrets = 'Q1w2'",
]


@pytest.mark.parametrize("line", HARMLESS)
def test_digests_keys_of_the_card_and_placeholders_are_no_secrets(line):
    assert list(credentials.find("a.py", line.encode())) == []


@pytest.mark.parametrize("name", KIT.names())
def test_no_sample_is_refused_for_secrets_or_data(name):
    folder = HOME / "tests/submissions" / name
    files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
    del files["expected.toml"]
    assert len(files) > 50
    findings = [f for file, data in files.items() for f in credentials.find(file, data)]
    assert [str(f) for f in [*findings, *rows.find(files, [])]] == []


@pytest.mark.parametrize("name", KIT.names())
def test_good_work_is_packed_without_a_word_against_it(name, tmp_path, capsys):
    exercise = KIT.exercise(name)
    for sample in ("starter", "good", "ai_answer"):
        part = read_sample(KIT, exercise, sample)
        for file, data in part.files.items():
            path = tmp_path / sample / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        (tmp_path / sample / name / "card.toml").write_text("anchor_every = 5\n")
        assert submit(tmp_path / sample, kit=HOME) == 0, capsys.readouterr().out
        assert f"receipt {part.digest}" in capsys.readouterr().out
    assert expectations(KIT, name)["good"]


def people(count: int) -> list[str]:
    """Rows of invented patients, as practice data have them."""
    return [f"A-{n:06},{900 + n}-32-{1000 + n},19{n % 60 + 30}-07-{n % 28 + 1:02},female,5.{n}" for n in range(count)]


def numbers(count: int) -> list[float]:
    """Laboratory values."""
    return [round(RNG.uniform(0.5, 9), 1) for _ in range(count)]


DATA = {
    "rows in a text": ("rows.py", lambda: 'ROWS = """\n' + "\n".join(people(60)) + '\n"""\n'),
    "rows in a list": ("rows.py", lambda: f"ROWS = {[row.split(',') for row in people(60)]}\n"),
    "rows in JSON": ("predictions.json", lambda: json.dumps([{"born": row.split(",")[2]} for row in people(60)])),
    "contacts": ("DECISIONS.md", lambda: "\n".join(f"{n}: 555-555-0{100 + n}" for n in range(40))),
    "a database": ("rows.py", lambda: "SQLite format 3\0" + "x" * 100),
    "values by the thousand": ("rows.py", lambda: f"V = {numbers(30_000)}\n"),
}


@pytest.mark.parametrize("kind", DATA)
def test_patients_data_in_an_allowed_file_are_found_without_practice_data(kind):
    name, text = DATA[kind]
    [finding] = rows.find({name: text().encode()}, [])
    assert finding.where.startswith(name)
    assert finding.weight == "blocks"


def test_values_of_practice_patients_are_found_beside_the_packet(work, capsys):
    practice = work.parent / "practice/body_mass_index"
    practice.mkdir(parents=True)
    (practice / "card.toml").write_text("")
    (practice / "patients.csv").write_text("\n".join(f"P{100000 + 7 * n},64,1.8" for n in range(500)))
    pasted = [f"P{100000 + 7 * n}" for n in range(12)]
    (work / "seen.py").write_text(f"KNOWN = {pasted[:10]}\n")
    assert submit(work) == 0
    (work / "seen.py").write_text(f"KNOWN = {pasted}\n")
    assert submit(work) == 1
    assert "seen.py: holds 12 values of practice patients" in capsys.readouterr().out


def test_a_column_of_practice_numbers_is_found(tmp_path):
    column = numbers(400)
    (tmp_path / "stream.ndjson").write_text(json.dumps({"X": {"creatinine": column}}))
    [finding] = rows.find({"a.py": f"C = {column[:60]}\n".encode()}, [tmp_path])
    assert "a column of the practice data" in finding.text
    assert list(rows.find({"a.py": f"C = {numbers(60)}\n".encode()}, [tmp_path])) == []


def test_constant_tables_and_code_lists_pass(tmp_path):
    codes = {f"E{n:02}.{n % 10}": f"disease {n}" for n in range(99)} | {
        f"{n}-{n % 10}": "test" for n in range(1000, 1400)
    }
    (tmp_path / "conditions.csv").write_text("\n".join(codes))
    words = [chance(8, string.ascii_lowercase) for _ in range(3000)]
    releases = [("2024-01-01", "2.3.1", "retrained", "all")] * 12
    code = f"CODES = {codes}\nWORDS = '''{' '.join(words)}'''\nRELEASES = {releases}\nWEIGHTS = {numbers(500)}\n"
    assert list(rows.find({"tables.py": code.encode()}, [tmp_path])) == []


def test_strays_are_named_with_the_reason_and_left_only_when_asked(work, capsys):
    (work / "words.txt").write_text("lexicon")
    (work / "labs.csv").write_text("1,2")
    (work / "body_mass_index.py").write_text("def body_mass_index(a, b, c): return open('words.txt')\n")
    assert submit(work) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert (
        "words.txt: body_mass_index takes **/*.py, DECISIONS.md; your code names it, and will not find it in grading"
        in out
    )
    assert "labs.csv: data stay with you" in out
    assert "--leave-strays" in out
    assert submit(work, "--leave-strays") == 0
    assert "2 other files stay here" in capsys.readouterr().out
    assert zipfile.ZipFile(work.with_name("work.zip")).namelist() == ["body_mass_index/body_mass_index.py"]


def test_what_belongs_to_a_packet_or_a_run_is_no_stray(work):
    for name in ("card.toml", "data/card.toml", "data/patients.csv", "out/bmi.csv", "logs/app.log", ".env/x.txt",
                 "__pycache__/a.pyc", "README.md"):  # fmt: skip
        (work / name).parent.mkdir(exist_ok=True)
        (work / name).write_text(f"{name}\n")
    brief = TOYS / "exercises/body_mass_index/README.md"
    (work / "README.md").write_bytes(brief.read_bytes())
    assert submit(work) == 0
    (work / "README.md").write_text("my own\n")
    assert submit(work) == 1


def test_a_file_beside_the_exercises_folders_is_a_stray(work, capsys):
    inner = work / "body_mass_index"
    inner.mkdir()
    (work / "body_mass_index.py").rename(inner / "body_mass_index.py")
    (work / "helper.py").write_text("")
    assert submit(work) == 1
    assert "helper.py: in no exercise's folder" in capsys.readouterr().out


def test_work_that_would_not_run_is_packed_only_anyway_and_says_what_follows(work, capsys):
    (work / "body_mass_index.py").write_text("def broken(:\n")
    assert submit(work) == 1
    assert "body_mass_index.py:1: does not parse" in capsys.readouterr().out
    assert submit(work, "--anyway") == 0
    assert "body_mass_index: will not run: 0 points" in capsys.readouterr().out


def test_an_exercise_without_any_work_is_named_and_no_error(work, capsys):
    (work / "insulin_titration").mkdir()
    (work / "insulin_titration/card.toml").write_text("")
    assert submit(work) == 0
    assert "insulin_titration, vitals_service: nothing to hand in" in capsys.readouterr().out


def test_an_exercise_begun_without_its_entry_is_refused_and_anyway_left_out(work, capsys):
    inner = work / "body_mass_index"
    inner.mkdir()
    (work / "body_mass_index.py").rename(inner / "body_mass_index.py")
    (work / "insulin_titration").mkdir()
    (work / "insulin_titration/pump.py").write_text("")
    assert submit(work) == 1
    assert "insulin_titration/ holds no insulin_titration.py" in capsys.readouterr().out
    assert submit(work, "--anyway", "--leave-strays") == 0
    assert "insulin_titration: not packed, and will not run: 0 points" in capsys.readouterr().out


def test_nothing_at_all_is_wrong_use_and_names_what_to_hand_in(work, capsys):
    (work / "body_mass_index.py").rename(work / "essay.txt")
    assert submit(work) == 2
    assert "body_mass_index/body_mass_index.py" in capsys.readouterr().err


def test_the_receipt_beside_the_zip_proves_it_and_the_same_work_gives_the_same_bytes(work, capsys):
    assert submit(work) == 0
    target = work.with_name("work.zip")
    first, said = target.read_bytes(), work.with_name("work.receipt.txt").read_text()
    assert f"sha256:{hashlib.sha256(first).hexdigest()}" in said
    part = submission.read(target, Kit(TOYS).exercises())["body_mass_index"]
    assert f"receipt {part.digest}" in said
    assert said in capsys.readouterr().out
    (work / "body_mass_index.py").touch()
    assert submit(work, "--out", str(work.parent / "work.zip")) == 0
    assert (target.read_bytes(), work.with_name("work.receipt.txt").read_text()) == (first, said)


def test_a_zip_that_does_not_read_back_is_our_fault_and_removed(tmp_path):
    exercises = Kit(TOYS).exercises()
    odd = submission.Part({"body_mass_index.py": b"", "notes.txt": b"not allowed"})
    with pytest.raises(GraderError, match="does not read back"):
        receipt.write(tmp_path / "w.zip", {"body_mass_index": odd}, exercises)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="names that Windows does not allow")
def test_names_that_would_drive_a_terminal_are_printed_without_doing_so(work, capsys):
    hostile = work.with_name("w\x1b[2J\u202ework")
    work.rename(hostile)
    (hostile / "no\u0308te.txt").write_text("")
    assert submit(hostile, "--leave-strays") == 0
    assert submit(hostile) == 1
    out = capsys.readouterr().out
    assert all(c.isprintable() or c == "\n" for c in out)
    assert all(c.isprintable() or c == "\n" for c in next(hostile.parent.glob("*.receipt.txt")).read_text())


def test_an_error_with_a_hostile_name_is_one_printable_line(tmp_path, capsys):
    assert submit(tmp_path / "w\x1b[2J\u202e.zip") == 2
    assert capsys.readouterr().err.removesuffix("\n").isprintable()


def test_among_several_exercises_a_finding_names_whose_file_it_is(work, capsys):
    for name in ("body_mass_index", "insulin_titration"):
        (work / name).mkdir()
    (work / "body_mass_index.py").rename(work / "body_mass_index/body_mass_index.py")
    (work / "insulin_titration/insulin_titration.py").write_text(f"class Pump: ...\n# {SECRETS['a GitHub token']}\n")
    assert submit(work) == 1
    assert "insulin_titration/insulin_titration.py:2: looks like a GitHub token" in capsys.readouterr().out


def test_a_notebook_is_packed_as_the_files_it_carries(tmp_path, capsys):
    cell = {"metadata": {"caredrill": {"file": "body_mass_index.py"}}, "source": ["def body_mass_index(a, b, c): ..."]}
    (tmp_path / "body_mass_index.ipynb").write_text(json.dumps({"cells": [cell]}))
    assert submit(tmp_path / "body_mass_index.ipynb") == 0
    assert zipfile.ZipFile(tmp_path / "body_mass_index.zip").namelist() == ["body_mass_index/body_mass_index.py"]
    (tmp_path / "body_mass_index.zip").unlink()
    (tmp_path / "body_mass_index.receipt.txt").unlink()
    assert submit(tmp_path) == 0
    assert "stay" not in capsys.readouterr().out
