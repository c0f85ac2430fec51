"""The round report is blind, places candidates in bands, and says what it does not know."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import json
import re
import shutil
import stat
from decimal import Decimal
from html.parser import HTMLParser

import numpy as np
import pytest

from graders.commands import main
from graders.harness import grading
from graders.harness.grading import Terms
from graders.harness.kit import HOME, Kit
from graders.report import round_page
from graders.round import canaries, comparison, holds, many, results
from graders.round.comparison import ABOVE, BELOW, DECIDE, NO_TOTAL, Column
from graders.round.signs import Likeness

TOYS = HOME / "tests/toys"
SAMPLES = TOYS / "tests/submissions"
CRITERIA = {
    "body_mass_index": {"every_index_is_right": 80, "the_row_count_is_returned": 20},
    "insulin_titration": {"glucose_stays_in_range": 100},
    "safe_logging": {"all_of_it": 100},
}
# Everything of these that a blind page must not hold.
PEOPLE = ["jane", "doe", "garcia", "maria", "okafor", "chidi", "ward7", "lee"]
ADDRESSES = ["jane.doe@example.org", "chidi@okafor.example.com", "mgarcia@example.net"]


def card(exercise, fractions, *, status="graded", hold=(), stamps=(), titles=None, kit="0 sha256:00"):
    """A scorecard as grading stores it. fractions: of each criterion's points; None without a score."""
    criteria = [
        {
            "id": name, "title": (titles or {}).get(name, f"Title of {name}."), "skill": "numbers",
            "points": f"{points}.00", "earned": None if share is None else f"{points * share:.2f}",
            "verdict": "", "critical": name in hold, "message": "", "remedy": "",
        }
        for (name, points), share in zip(CRITERIA[exercise].items(), fractions, strict=True)
    ]  # fmt: skip
    score = None if None in fractions else f"{sum(float(c['earned']) for c in criteria):.2f}"
    return {
        "schema": "caredrill.scorecard/1", "kit": kit, "exercise": exercise, "variant": "v", "seed": "hidden",
        "submission": "sha256:1", "outcome": f"sha256:{exercise}{fractions}", "truth": "sha256:2",
        "stamps": sorted(stamps), "status": status, "reason": "", "hold": list(hold), "score": score,
        "points": "100.00", "criteria": criteria,
    }  # fmt: skip


def store(folder, cards, *, role=True, missing=()):
    """A results folder. cards: identity -> scorecards."""
    for identity, found in cards.items():
        for one in found:
            place = folder / identity / one["exercise"]
            place.mkdir(parents=True)
            (place / "scorecard.json").write_text(json.dumps(one))
    if role:
        rows = [f'[[candidates]]\nid = "{identity}"\n' for identity in [*cards, *missing]]
        (folder / "round.toml").write_text('role = "toys"\n' + "".join(rows))
    return folder


def both(first, second, **more):
    """Two exercises; first, second: the share of all points of each."""
    return [card("body_mass_index", [first, first], **more), card("insulin_titration", [second], **more)]


def compared(folder, kit=TOYS):
    return comparison.compare(Kit(kit), results.read(Kit(kit), folder))


def written(folder, capsys, *words, kit=TOYS, code=0):
    """(page, what was printed) of the command."""
    assert main(["compare", str(folder), "--kit", str(kit), *map(str, words)]) == code
    page = folder / ("round-unblinded.html" if "--unblind" in words else "round.html")
    return page.read_text("utf-8") if page.is_file() else "", capsys.readouterr()


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """The toys with a standard error of 4 and 3 points; only what a comparison needs."""
    kit = tmp_path_factory.mktemp("kit")
    shutil.copytree(TOYS / "exercises", kit / "exercises")
    shutil.copytree(TOYS / "graders/roles", kit / "graders/roles")
    for name, points in (("body_mass_index", 4), ("insulin_titration", 3)):
        path = kit / "exercises" / name / "exercise.toml"
        path.write_text(f"standard_error = {points}\n" + path.read_text("utf-8"), "utf-8")
    return kit


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Toy submissions whose names, code and texts say whose they are, graded for a role."""
    place = tmp_path_factory.mktemp("graded")
    said = "".join(f"# {person} " for person in PEOPLE) + "".join(f"# {address}\n" for address in ADDRESSES)
    for identity, sample, file in (
        ("jane.doe", "body_mass_index/good", "jane_doe_helpers.py"),
        ("Maria_Garcia", "body_mass_index/wrong_units", "okafor.py"),
        ("chidi-okafor", "insulin_titration/good", "ward7.py"),
        ("lee", "body_mass_index/hostile_os_exit", "x.py"),
        ("doe2", "body_mass_index/good", "lee.py"),
    ):
        target = place / "round/submissions" / identity
        shutil.copytree(SAMPLES / sample, target)
        (target / file).write_text(said)
        (target / "DECISIONS.md").write_text(said.replace("#", "I am"))
    broken = place / "round/submissions/jane"
    broken.mkdir()
    (broken / "body_mass_index.py").write_text(f"raise ValueError({said!r})")
    (broken / "insulin_titration").mkdir()
    (broken / "insulin_titration/maria@okafor.txt").write_text(said)
    zipped = shutil.make_archive(str(place / "round/submissions/garcia"), "zip", broken)
    assert zipped.endswith("garcia.zip")
    names = ("jane.doe", "Maria_Garcia", "chidi-okafor", "lee", "doe2", "jane", "garcia", "okafor.missing")
    rows = [f'[[candidates]]\nid = "{name}"\n' for name in names]
    (place / "round/round.toml").write_text('role = "toys"\n' + "".join(rows))
    out = place / "results"
    words = ["grade", str(place / "round"), "--out", str(out), "--kit", str(TOYS), "--small", "--workers", "1"]
    assert main(words) == 0
    return out


@pytest.mark.sandbox
@pytest.mark.parametrize("role", [True, False])
def test_a_blind_report_holds_no_name_address_or_path_of_anybody(graded, tmp_path, capsys, role):
    if not role:
        (graded / "round.toml").rename(tmp_path / "round.toml")
    page, printed = written(graded, capsys)
    if not role:
        (tmp_path / "round.toml").rename(graded / "round.toml")
    shown = (page + printed.out.replace(str(graded), "")).lower()
    words = [*PEOPLE, *ADDRESSES, str(graded.parent).lower(), "submissions/"]
    found = [word for word in words if re.search(rf"(?<![a-z]){re.escape(word)}", shown)]
    assert not found
    # They are in what was read.
    cards = "".join(path.read_text() for path in graded.glob("*/*/scorecard.json"))
    assert all(f"{name} holds no" in cards for name in ("lee", "jane.doe"))


@pytest.mark.sandbox
def test_an_open_report_names_everybody_and_says_so(graded, capsys):
    written(graded, capsys)
    blind = (graded / "round.html").read_bytes()
    page, _ = written(graded, capsys, "--unblind")
    assert (graded / "round.html").read_bytes() == blind
    assert all(f"({identity})" in page for identity in results.read(Kit(TOYS), graded).found)
    assert "Not blind" in page
    assert stat.S_IMODE((graded / "round-unblinded.html").stat().st_mode) == 0o600


def test_labels_stand_apart_for_the_owner_alone_and_stay_the_same(tmp_path, capsys):
    folder = store(tmp_path / "r", {"ann": both(1, 1), "bob": both(0.5, 0)}, missing=["eve"])
    page, _ = written(folder, capsys, "--out", tmp_path / "pages")
    table = (folder / "labels.csv").read_text()
    rows = list(csv.DictReader(table.splitlines()))
    assert stat.S_IMODE((folder / "labels.csv").stat().st_mode) == 0o600
    assert [row["label"] for row in rows] == ["K01", "K02", "K03"]
    assert {row["id"] for row in rows} == {"ann", "bob", "eve"}
    page = (tmp_path / "pages/round.html").read_text("utf-8")
    assert rows[0]["round"] in page
    assert written(folder, capsys)[0] == page
    assert (folder / "labels.csv").read_text() == table


def test_labels_follow_neither_names_nor_scores(tmp_path):
    people = {f"p{n:02}": both(n / 40, n / 40) for n in range(40)}
    labels = [int(label[1:]) for _, label in sorted(compared(store(tmp_path, people)).labels.items())]
    assert abs(np.corrcoef(labels, range(40))[0, 1]) < 0.3


def test_rows_are_in_the_order_of_bands_and_then_of_labels(tmp_path):
    people = {f"p{n:02}": both(n / 20, n / 20) for n in range(21)} | {"late": both(None, 1, status="infra_error")}
    rows = compared(store(tmp_path, people)).rows
    order = [ABOVE, DECIDE, BELOW, NO_TOTAL]
    assert [(order.index(row.band), row.label) for row in rows] == sorted(
        (order.index(row.band), row.label) for row in rows
    )
    assert {row.band for row in rows} == set(order)


@pytest.mark.parametrize(
    ("total", "band"),
    [("82.68", DECIDE), ("82.69", ABOVE), ("37.32", DECIDE), ("37.31", BELOW), ("60.00", DECIDE), (None, NO_TOTAL)],
)
def test_within_one_standard_error_of_the_band_a_person_decides(measured, tmp_path, total, band):
    error = compared(store(tmp_path, {"ann": both(1, 1)}), measured).error
    assert error == pytest.approx((2.4**2 + 1.2**2) ** 0.5)
    assert comparison.place(None if total is None else Decimal(total), (40, 80), error) == band


def test_a_standard_error_that_was_not_measured_is_said_and_nobody_is_clearly_above(tmp_path, capsys):
    page, printed = written(store(tmp_path, {"ann": both(1, 1)}), capsys)
    assert "was not measured</strong> for body_mass_index, insulin_titration" in page
    assert "clearly above" not in page + printed.out
    assert "standard error not measured: body_mass_index, insulin_titration" in printed.out


def test_where_it_was_measured_it_stands_on_the_page(measured, tmp_path, capsys):
    page, _ = written(store(tmp_path, {"ann": both(1, 1)}), capsys, kit=measured)
    assert "The standard error of a total is 2.7 points" in page
    assert "Between 37.3 and 82.7 a person decides" in page


@pytest.mark.parametrize(
    ("fractions", "said"),
    [
        ((1,) * 5, "all met"),
        ((0,) * 5, "none met"),
        ((0.5, 0.52, 0.5, 0.51, 0.5), "all alike"),
        ((1,) * 4, ""),
        ((1, 1, 1, 1, 0.5), ""),
    ],
)
def test_a_criterion_that_told_five_or_more_alike_did_not_discriminate(fractions, said):
    assert Column("A1", "x", "x", "X.", Decimal(10), False, fractions).flat == said


def test_work_that_did_not_run_says_nothing_about_a_criterion(tmp_path):
    people = {f"p{n}": both(1, n / 5) for n in range(6)} | {"out": both(0, 0, status="blocked")}
    block, other = compared(store(tmp_path, people)).blocks
    assert [(len(c.fractions), c.flat) for c in block.columns] == [(6, "all met"), (6, "all met")]
    assert (block.flat_points, other.flat_points) == (100, 0)


def test_without_a_role_there_are_exercises_and_no_bands(tmp_path, capsys):
    page, printed = written(store(tmp_path, {"ann": both(1, 0)}, role=False), capsys)
    assert "no role: no totals, no bands" in printed.out
    assert "<h2>Bands</h2>" not in page
    assert "insulin_titration" in page


def test_a_fault_of_ours_is_no_zero_and_in_no_band(tmp_path, capsys):
    people = {"ann": both(None, None, status="grader_error"), "bob": both(1, 1)}
    page, printed = written(store(tmp_path, people), capsys)
    label = compared(tmp_path).labels["ann"]
    assert f"no score by our fault: {label}" in printed.out
    assert re.search(rf"No score by our fault.*{label} \(body_mass_index\)", page)
    assert [row.band for row in compared(tmp_path).rows] == [ABOVE, NO_TOTAL]


def test_who_handed_in_nothing_is_listed_by_label(tmp_path, capsys):
    folder = store(tmp_path, {"ann": both(1, 1)}, missing=["bob", "eve"])
    page, _ = written(folder, capsys)
    labels = compared(folder).labels
    assert (
        f"Handed in nothing, or nothing that could be graded: {', '.join(sorted([labels['bob'], labels['eve']]))}."
        in page
    )


def test_a_hold_says_which_criterion_why_and_how_long_it_takes(tmp_path, capsys):
    held = card("body_mass_index", [0, 1], hold=["every_index_is_right"])
    folder = store(tmp_path, {"ann": [held, card("insulin_titration", [1])], "bob": both(1, 1)})
    handed_in = folder / "ann/body_mass_index/submitted"
    handed_in.mkdir()
    shutil.copy(TOYS / "exercises/body_mass_index/starter/body_mass_index.py", handed_in)
    (handed_in / "more.py").write_text("".join(f"x{n} = {n}\n\n" for n in range(100)) + "y = 1" + " + 1" * 100)
    (handed_in / "DECISIONS.md").write_text("Two words.\n" * 200)
    page, printed = written(folder, capsys)
    label = compared(folder).labels["ann"]
    # 5 for the exercise, 100 lines and one of 405 characters at 20 a minute, 400 words at 200 a minute.
    assert f"HOLD: 1, about 13 minutes to read: {label}" in printed.out
    assert "A1, Title of every_index_is_right. (critical, and not met)" in page
    assert f"{label} <span" in page


def test_work_that_would_not_run_is_to_be_read_before_it_counts(tmp_path, capsys):
    stopped = card("body_mass_index", [0, 0], status="blocked")
    folder = store(tmp_path, {"ann": [stopped, card("insulin_titration", [1])], "bob": both(1, 1)})
    page, printed = written(folder, capsys)
    label = compared(folder).labels["ann"]
    assert f"would not run: read why, about 5 minutes: {label}\n" in printed.out
    assert re.search(
        rf"read why before you count it</strong>, about 5 minutes each:\s+{label} \(body_mass_index\)\.", page
    )


def test_the_deviation_of_fewer_than_five_is_not_shown(tmp_path, capsys):
    shares = (0, 0.5, 1, 0.25, 0.75)
    for n, shown in ((4, False), (5, True)):
        rows = {f"c{k}": both(share, share) for k, share in enumerate(shares[:n])}
        page, _ = written(store(tmp_path / str(n), rows), capsys)
        spread = f"{100 * compared(tmp_path / str(n)).blocks[0].columns[0].spread:.1f}"
        assert (f'<td class="number">{spread}</td>' in page) == shown


def test_only_an_open_page_names_the_sample_that_work_is_nearly(measured, tmp_path, capsys):
    shutil.copytree(measured, tmp_path / "kit")
    code = "".join(
        f"def f{n}(a, b):\n    return [a ** {n}, b[{n}:], {{a: b}}, a if b else {n}]\n\n\n" for n in range(60)
    )
    folder = store(tmp_path / "r", {"ann": both(1, 1)})
    for place in (
        folder / "ann/body_mass_index/submitted", tmp_path / "kit/tests/submissions/body_mass_index/off_by_one"
    ):  # fmt: skip
        place.mkdir(parents=True)
        (place / "body_mass_index.py").write_text(code)
    blind, _ = written(folder, capsys, kit=tmp_path / "kit")
    assert "near-identity to a sample of the kit)" in blind
    assert "off_by_one" not in blind
    page, _ = written(folder, capsys, "--unblind", kit=tmp_path / "kit")
    assert "near-identity to a sample of the kit: off_by_one)" in page
    assert "a published sample (off_by_one)" in page


def test_a_starter_handed_in_as_it_is_takes_no_reading():
    exercise = Kit().exercise("subgroup_evaluation")
    starter = exercise.folder / "starter"
    assert holds.beyond(exercise, {p.name: p.read_bytes() for p in starter.iterdir() if p.is_file()}) == (0, 0)


@pytest.mark.parametrize(("near", "second", "held"), [(True, "", 1), (True, "K02", 0), (False, "", 0)])
def test_only_near_identity_to_a_sample_of_the_kit_is_a_reason_for_hold(tmp_path, near, second, held):
    folder = store(tmp_path, {"ann": both(1, 1), "bob": both(1, 1)})
    kit, found = Kit(TOYS), compared(folder)
    alike = [Likeness("body_mass_index", "K01", second, 0.97, ("jane.py:1-40",), near)]
    assert len(holds.holds(kit, results.read(kit, folder), found, alike)) == held


def test_a_pair_that_is_alike_is_shown_without_the_names_of_its_files(tmp_path, capsys):
    folder = store(tmp_path, {"ann": both(1, 1), "bob": both(1, 1)})
    code = "".join(
        f"def f{n}(a, b):\n    return [a ** {n}, b[{n}:], {{a: b}}, a if b else {n}]\n\n\n" for n in range(60)
    )
    for identity, name in (("ann", "jane_doe.py"), ("bob", "okafor.py")):
        place = folder / identity / "body_mass_index/submitted"
        place.mkdir()
        (place / name).write_text(code)
    page, printed = written(folder, capsys)
    assert "alike: 1 near-identical, 0 to read side by side" in printed.out
    assert re.search(r'K0[12]</th><td>K0[12]</td><td>body_mass_index</td><td class="number">1.00', page)
    assert not re.search("jane|okafor", page)
    assert re.search(r"(jane_doe|okafor).py:1-", written(folder, capsys, "--unblind")[0])


def test_the_rate_of_false_alarms_on_the_page_is_the_measured_one(tmp_path, capsys):
    page, _ = written(store(tmp_path, {"ann": both(1, 1)}), capsys)
    measured = " ".join((HOME / "docs/evidence/similarity.md").read_text("utf-8").split())
    pairs, most = re.search(r"of (\d+) pairs of work done independently none.*fewer than ([\d.]+) %", page).groups()
    assert f"Of {pairs} independent pairs none reaches 0.3" in measured
    assert f"rate of false alarms is below {most} % with 95 % confidence" in measured


def test_marks_of_another_candidates_packet_are_shown_by_label_to_who_has_the_secret(tmp_path, capsys):
    kit, secret = Kit(), b"the secret of this test, 32 bytes"
    exercise, terms = kit.exercise("safe_logging"), Terms("bob", secret, small=True)
    drawn = kit.recipe("safe_logging").draw_card(grading.seed_for(exercise, terms, "card"))
    scene = grading.make_scene(kit, exercise, Terms("practice", card=drawn, small=True))
    packet = canaries.marked(kit, exercise, scene.public, terms)
    folder = store(tmp_path / "r", {n: [card("safe_logging", [1])] for n in ("ann", "bob")}, role=False)
    for identity in ("ann", "bob"):
        place = folder / identity / "safe_logging"
        (place / "submitted").mkdir()
        (place / "submitted/requests.py").write_bytes(packet["requests.ndjson"][:50_000])
        text = (place / "scorecard.json").read_text()
        (place / "scorecard.json").write_text(text.replace('"variant": "v"', f'"variant": "{identity}"'))
    (tmp_path / "team.secret").write_bytes(secret)
    page, printed = written(folder, capsys, "--secret-file", tmp_path / "team.secret", kit=HOME)
    labels = compared(folder, HOME).labels
    assert "traces of other packets: 1" in printed.out
    assert f"{labels['ann']}</th><td>{labels['bob']}</td><td>safe_logging" in page


def test_without_the_secret_it_is_said_that_traces_were_not_looked_for(tmp_path, capsys):
    page, printed = written(store(tmp_path, {"ann": both(1, 1)}), capsys)
    assert "Not looked for: that needs the team" in page
    assert "traces" not in printed.out


def test_an_exercise_that_was_not_graded_is_neither_a_zero_nor_a_fault(tmp_path, capsys):
    page, _ = written(store(tmp_path, {"ann": [card("body_mass_index", [1, 1])]}), capsys)
    assert "Not graded yet, so without a total: K01 (insulin_titration)." in page
    assert [row.band for row in compared(tmp_path).rows] == [NO_TOTAL]


def test_a_secret_that_is_not_that_of_the_results_is_refused(tmp_path, capsys):
    folder = store(tmp_path / "r", {"ann": both(1, 1)})
    many.keep_terms(folder, Terms("ann", b"the secret of this test, 32 bytes"))
    (tmp_path / "team.secret").write_bytes(b"another secret, of nobody at all")
    _, printed = written(folder, capsys, "--secret-file", tmp_path / "team.secret", code=2)
    assert "is not the secret of these results" in printed.err


def luminance(colour):
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_numbers_in_the_heat_map_can_be_read_on_every_shade(theme):
    ink = luminance("#" + "".join(f"{value:02x}" for value in round_page.INK[theme]))
    for colour in round_page.colours({"light": round_page.LIGHT, "dark": round_page.DARK}[theme]):
        low, high = sorted([ink, luminance(colour)])
        assert (high + 0.05) / (low + 0.05) >= 4.5, colour


def test_a_hundred_is_all_points_and_naught_none():
    assert [round_page.percent(f) for f in (0, 0.001, 0.5, 0.9999, 1, None)] == ["0", "1", "50", "99", "100", "-"]


class Page(HTMLParser):
    """What the structure of a page is checked by."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """The report on 200 candidates, all on HOLD, with groups; and what was printed."""
    place = tmp_path_factory.mktemp("large")
    people = {
        f"p{n:03}": [card("body_mass_index", [n % 7 / 7, 0], hold=["the_row_count_is_returned"], stamps=["SMALL"]),
                     card("insulin_titration", [n % 11 / 11], stamps=["SMALL"])]
        for n in range(200)
    }  # fmt: skip
    folder, groups, printed = store(place / "results", people), place / "groups.csv", io.StringIO()
    groups.write_text("id,team,sex\n" + "".join(f"p{n:03},t{n % 9},{'fm'[n % 2]}\n" for n in range(200)))
    with contextlib.redirect_stdout(printed):
        assert main(["compare", str(folder), "--kit", str(TOYS), "--groups", str(groups)]) == 0
    return (folder / "round.html").read_text("utf-8"), printed.getvalue()


def test_the_summary_has_at_most_25_lines_of_80_columns(large):
    lines = large[1].splitlines()
    assert len(lines) <= 25
    assert [line for line in lines if len(line) > 80 and not line.startswith(("page: ", "labels: "))] == []


def test_headings_skip_no_level_and_every_header_has_a_scope(large):
    tags = Page(large[0]).tags
    levels = [int(tag[1]) for tag, _ in tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert all(found.get("scope") for tag, found in tags if tag == "th")


def test_drawings_are_told_in_words_and_scrolling_tables_can_be_reached(large):
    tags = Page(large[0]).tags
    assert [found["role"] for tag, found in tags if tag == "svg" and "aria-label" in found] == ["img"]
    regions = [found for _, found in tags if found.get("role") == "region"]
    assert all(found["tabindex"] == "0" for found in regions)
    assert len({found["aria-label"] for found in regions}) == len(regions) >= 4


def test_the_page_runs_and_loads_nothing_and_has_every_id_once(large):
    tags = Page(large[0]).tags
    ids = [found["id"] for _, found in tags if "id" in found]
    assert len(set(ids)) == len(ids)
    assert not {tag for tag, _ in tags} & {"script", "link", "img", "iframe", "object"}
    assert all(found["href"][1:] in ids for _, found in tags if "href" in found)
    assert "url(" not in large[0]


def test_groups_appear_as_counts_beside_nobody(large):
    page = large[0]
    section = page[page.index("<h2>Adverse impact</h2>") : page.index("<h2>Nothing handed in")]
    assert "<caption>By team, 200 people" in section
    assert not re.search(r"K\d", section)
    assert "p000" not in page


def test_texts_of_others_are_shown_as_text(tmp_path, capsys):
    bad = "<script>alert(1)</script>\u202e\x07"
    titles = {"glucose_stays_in_range": bad}
    people = {f"p{n}": [card("body_mass_index", [1, 1]), card("insulin_titration", [1], titles=titles)] for n in "abc"}
    groups = tmp_path / "groups.csv"
    groups.write_text(f"id,{bad}\npa,{bad}\npb,{bad}\n", "utf-8")
    page, printed = written(store(tmp_path / "r", people), capsys, "--groups", groups)
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert not set("\u202e\x07") & set(page + printed.out)


def test_selected_are_all_but_those_below_or_those_above_or_whom_the_team_names(tmp_path, capsys):
    folder = store(tmp_path / "r", {"a": both(1, 1), "b": both(0.6, 0.6), "c": both(0, 0)}, missing=["d"])
    groups = tmp_path / "groups.csv"
    groups.write_text("id,sex\na,f\nb,f\nc,f\n")

    def selected(*words):
        page, _ = written(folder, capsys, "--groups", groups, *words)
        return re.findall(r'together</th><td class="number">(\d)</td><td class="number">(\d)', page)[0]

    assert selected() == ("3", "2")
    assert selected("--selected", "above") == ("3", "1")
    groups.write_text("id,sex,selected\na,f,no\nb,f,no\nc,f,no\nd,f,no\n")
    assert selected() == ("4", "0")


@pytest.mark.parametrize(
    ("role", "rows", "says"),
    [
        (False, "id,sex\na,f\n", "--groups needs a role's band"),
        (True, "id,sex\nz,f\n", "is no candidate"),
        (True, "id,sex,selected\na,f,\n", "nobody of these results"),
    ],
)
def test_groups_that_cannot_be_counted_are_refused_in_one_line(tmp_path, capsys, role, rows, says):
    folder = store(tmp_path / "r", {"a": both(1, 1)}, role=role)
    (tmp_path / "groups.csv").write_text(rows)
    page, printed = written(folder, capsys, "--groups", tmp_path / "groups.csv", code=2)
    assert says in printed.err
    assert (page, len(printed.err.splitlines())) == ("", 1)


def test_scorecards_that_are_not_comparable_are_flagged(tmp_path, capsys):
    people = {"a": both(1, 1, stamps=["PRACTICE"]), "b": both(1, 1, kit="1 sha256:11")}
    page, printed = written(store(tmp_path, people), capsys)
    assert "PRACTICE on 2 of 4 scorecards" in printed.out
    assert "They are not comparable with the others" in page
    assert "Scored by more than one version of this kit</strong>: body_mass_index" in page


def test_work_that_was_not_compared_is_listed_with_its_reason(tmp_path, capsys):
    folder = store(tmp_path, {"ann": both(1, 1), "bob": both(1, 1)})
    code = "".join(f"def f{n}(a, b):\n    return [a ** {n}, b[{n}:], {{a: b}}, a if b else {n}]\n" for n in range(60))
    for identity, text in (("ann", "x = 1\n"), ("bob", code + "exec(jane_doe)\n")):
        place = folder / identity / "body_mass_index/submitted"
        place.mkdir()
        (place / "okafor.py").write_text(text)
    page, printed = written(folder, capsys)
    labels = {row["id"]: row["label"] for row in csv.DictReader(io.StringIO((folder / "labels.csv").read_text()))}
    assert f"not compared: {labels['ann']}: too little code beyond the starter\n" in printed.out
    assert f"compared in part: {labels['bob']}: can run code from text\n" in printed.out
    assert f"Not compared: {labels['ann']}, body_mass_index: too little code beyond the starter<" in page
    assert f"Compared in part: {labels['bob']}, body_mass_index: can run code from text (exec)<" in page
    assert "no files of it were kept" in page
    assert "HOLD: nobody" in printed.out
    assert not re.search("jane|okafor", page)


def test_the_summary_of_many_that_were_not_compared_says_every_reason_in_80_columns(tmp_path, capsys):
    people = {f"p{n}": [card("body_mass_index", [1, 1])] for n in range(40)}
    folder = store(tmp_path, people, role=False)
    _, printed = written(folder, capsys)
    assert "not compared: 40 candidates: no files of it were kept\n" in printed.out
