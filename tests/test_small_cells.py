"""The subtraction attack: what can be worked out is found, what cannot is not, and the candidates' tool agrees."""

from __future__ import annotations

import importlib.util
import itertools
import json
import subprocess
import sys

import numpy as np
import pytest

from graders.harness.kit import HOME
from graders.measures.small_cells import Exposure, Proportion, attack, denominator, lattice, number

TOOL = HOME / "exercises" / "subgroup_evaluation" / "starter" / "cells.py"
CARD = {
    "min_cell": 11,
    "levels": {"race": ["W", "B", "N", "M"], "sex": ["f", "m"], "site": ["A", "B", "C"]},
    "intersections": [["race", "sex"], ["race", "site"]],
}
# One patient per row: race, sex, site. N has 12 patients, M 6; nobody of M is at site C.
PEOPLE = (
    [("W", "f", "A")] * 40 + [("W", "m", "B")] * 50 + [("W", "m", "C")] * 30
    + [("B", "f", "A")] * 20 + [("B", "m", "B")] * 25 + [("B", "f", "C")] * 15
    + [("N", "f", "A")] * 5 + [("N", "m", "B")] * 7
    + [("M", "f", "A")] * 2 + [("M", "m", "B")] * 4
)  # fmt: skip


def table(people, card=CARD):
    """Canonical text -> how many, for every cell of the card."""
    axes = list(card["levels"])
    who = [{f"{axis}={level}" for axis, level in zip(axes, person, strict=True)} for person in people]
    return {cell: sum(set(cell.split("&")) - {""} <= person for person in who) for cell in lattice(card)[0]}


COUNTS = table(PEOPLE)


def shown(*cells, counts=COUNTS):
    return {cell: [counts[cell]] for cell in cells}


def all_but(*hidden, counts=COUNTS):
    """Everything shown but these cells and the small ones, which have a row with null."""
    return {c: [None] if c in hidden or 1 <= n < CARD["min_cell"] else [n] for c, n in counts.items()}


def report(given):
    """The rows of report.json for what is shown."""
    by = {cell: dict(part.split("=") for part in cell.split("&") if part) for cell in given}
    return [{"by": by[cell], "metric": "o_e", "n": n} for cell, values in given.items() for n in values]


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("cells", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def found_by(tool, given, card=CARD):
    """What the candidates' tool finds, by canonical text."""
    found = tool.derivable(report(given), card)
    return {"&".join(f"{axis}={level}" for axis, level in cell["by"].items()): cell["n"] for cell in found}


# ---- subtraction -------------------------------------------------------------------------------


def test_a_single_hidden_level_is_the_total_less_the_others():
    assert attack(COUNTS, shown("", "race=W", "race=B", "race=N"), [], CARD).subtracted == ("race=M",)


def test_two_hidden_levels_cannot_be_told_apart():
    assert attack(COUNTS, shown("", "race=W", "race=B"), [], CARD).exposed == 0


def test_a_hidden_cell_of_an_intersection_is_its_level_less_the_other_axis():
    given = shown("site=B", "race=W&site=B", "race=B&site=B")
    assert attack(COUNTS, given, [], CARD).subtracted == ()
    card = CARD | {"min_cell": 6}
    assert attack(COUNTS, given | shown("race=N&site=B"), [], card).subtracted == ("race=M&site=B",)


def test_a_hidden_level_is_the_sum_of_an_intersection():
    found = attack(COUNTS, shown("race=N&sex=f", "race=N&sex=m"), [], CARD | {"min_cell": 13})
    assert found.shown == ("race=N&sex=f", "race=N&sex=m")
    assert found.subtracted == ("race=N",)


def test_a_level_that_is_hidden_everywhere_still_links_two_intersections():
    """race=N is hidden, but its sexes add up to it and its sites do: 5 + 7 = A + B + 0."""
    given = shown("race=N&sex=f", "race=N&sex=m", "race=N&site=A", "race=N&site=C")
    assert attack(COUNTS, given, [], CARD).subtracted == ("race=N&site=B",)


def test_a_margin_of_zero_pins_its_parts():
    """Nobody is at site C, so nobody of N is; nothing says so of N, but A is what B leaves."""
    counts = table([("N", "f", "A")] * 5 + [("N", "m", "B")] * 20 + [("W", "m", "B")] * 20)
    given = shown("race=N", "race=N&site=B", counts=counts)
    assert attack(counts, given, [], CARD).subtracted == ()
    given |= shown("site=C", counts=counts)
    assert attack(counts, given, [], CARD).subtracted == ("race=N&site=A",)


def test_counts_that_use_up_a_margin_pin_the_others_at_zero():
    """All of site A are of W, B and N, so M has none there, and none at C: all of it is at B."""
    counts = table([person for person in PEOPLE if person[0] != "M"] + [("M", "m", "B")] * 6)
    given = ["site=A", "race=W&site=A", "race=B&site=A", "race=N&site=A", "race=M", "race=M&site=C"]
    assert "race=M&site=B" in attack(counts, shown(*given, counts=counts), [], CARD).subtracted
    assert "race=M&site=B" not in attack(counts, shown(*given[:3], *given[4:], counts=counts), [], CARD).subtracted


def test_a_line_with_two_hidden_cells_each_way_is_not_always_safe():
    """Rows 1 and 2 less columns 1 and 2 leave one cell, though no row and no column hides fewer than two."""
    rows, columns = ["1", "2", "3", "4"], ["1", "2", "3", "4"]
    card = {"min_cell": 11, "levels": {"r": rows, "c": columns}, "intersections": [["r", "c"]]}
    hidden = {"11", "12", "13", "21", "22", "33", "34", "43", "44"}
    people = [(r, c) for r, c in itertools.product(rows, columns) for _ in range(4 if r + c in hidden else 20)]
    counts = table(people, card)
    given = {cell: [n] for cell, n in counts.items() if n > 4}
    assert attack(counts, given, [], card).subtracted == ("r=1&c=3",)


def test_small_tables_agree_with_counting_all_their_solutions():
    rng = np.random.default_rng(5)
    card = {"min_cell": 11, "levels": {"r": ["1", "2"], "c": ["1", "2", "3"]}, "intersections": [["r", "c"]]}
    inner = np.array([f for f in itertools.product(range(6), repeat=6) if sum(f) <= 5]).reshape(-1, 2, 3)
    every = dict(zip(lattice(card)[0], summed(inner).T, strict=True))
    for true in rng.integers(len(inner), size=30):
        # The total is shown, so that no other solution has a count above 5.
        given = {cell for cell in every if cell == "" or rng.random() < 0.4}
        fits = np.all([every[cell] == every[cell][true] for cell in given], axis=0)
        certain = {cell for cell in every if cell not in given and len(set(every[cell][fits])) == 1}
        counts = {cell: int(values[true]) for cell, values in every.items()}
        found = attack(counts, shown(*given, counts=counts), [], card)
        assert set(found.subtracted) == {cell for cell in certain if counts[cell]}


def summed(inner):
    """(tables, cells) in the order of the lattice, from (tables, 2, 3)."""
    flat = inner.reshape(len(inner), 6)
    return np.column_stack([flat.sum(axis=1), inner.sum(axis=2), inner.sum(axis=1), flat])


# ---- what is shown -----------------------------------------------------------------------------


def test_a_row_left_out_counts_as_hidden():
    left_out = {cell: values for cell, values in all_but().items() if values != [None]}
    assert attack(COUNTS, left_out, [], CARD) == attack(COUNTS, all_but(), [], CARD)


def test_a_report_without_counts_gives_nothing_away():
    found = attack(COUNTS, {}, [], CARD)
    assert (found.exposed, found.small) == (0, sum(1 <= n < 11 for n in COUNTS.values()))


def test_zero_may_be_shown():
    given = shown(*(cell for cell, n in COUNTS.items() if n == 0))
    assert attack(COUNTS, given, [], CARD).exposed == 0


def test_zero_for_a_small_cell_is_false_but_does_not_show_it():
    assert attack(COUNTS, {"race=M": [0]}, [], CARD).exposed == 0


def test_the_limit_itself_may_be_shown_and_is_not_small():
    people = [("W", "f", "A")] * 11 + [("B", "f", "A")] * 10
    counts = table(people)
    found = attack(counts, shown("race=W", "race=B", counts=counts), [], CARD)
    assert "race=W" not in found.shown
    assert "race=B" in found.shown


@pytest.mark.parametrize("n", [6, 6.0, "6", " 6 ", "6.0"])
def test_a_small_count_is_shown_however_it_is_written(n):
    assert attack(COUNTS, {"race=M": [n]}, [], CARD).shown == ("race=M",)


@pytest.mark.parametrize("n", [None, "", "<11", "1-10", "suppressed", True, float("nan"), float("inf"), 10**400, [6]])
def test_what_is_no_number_is_hidden(n):
    assert number(n) is None
    assert attack(COUNTS, {"race=M": [n]}, [], CARD).exposed == 0


def test_one_row_in_ten_that_shows_the_count_is_enough():
    assert attack(COUNTS, {"race=M": [None] * 9 + [6]}, [], CARD).shown == ("race=M",)


def test_a_small_count_that_is_wrong_is_shown_all_the_same():
    """Who counts encounters for patients and hides nothing has not hidden anything."""
    assert attack(COUNTS, {"race=M": [7]}, [], CARD).shown == ("race=M",)


def test_cells_the_card_does_not_have_are_ignored():
    assert attack(COUNTS, {"sex=f&site=A": [3], "planet=Mars": [1]}, [], CARD).exposed == 0


def test_true_counts_that_do_not_add_up_are_our_error():
    with pytest.raises(ValueError, match="do not add up"):
        attack(COUNTS | {"race=M": 8}, {}, [], CARD)
    with pytest.raises(ValueError, match="no true count"):
        attack({"": 3}, {}, [], CARD)


# ---- rounding and false counts -----------------------------------------------------------------


@pytest.mark.parametrize("rounded", [lambda n: 5 * round(n / 5), lambda n: n // 10 * 10, lambda n: -(-n // 3) * 3])
def test_rounded_counts_give_nothing_away(rounded):
    exact = all_but()
    assert attack(COUNTS, exact, [], CARD).subtracted
    given = {cell: [rounded(n) for n in values if n is not None] for cell, values in exact.items()}
    assert attack(COUNTS, given, [], CARD).exposed == 0


def test_a_count_that_is_its_own_rounding_is_not_exact_in_a_rounded_report():
    counts = table([("B", "f", "A")] * 20 + [("B", "m", "A")] * 5 + [("W", "m", "B")] * 12)
    by_chance = {"race=B": [25], "race=B&sex=f": [20]}
    assert attack(counts, by_chance | {"": [37], "race=W": [12]}, [], CARD).subtracted == ("race=B&sex=m",)
    assert attack(counts, by_chance | {"": [35], "race=W": [10]}, [], CARD).exposed == 0


def test_what_stands_unrounded_in_a_rounded_report_is_exact():
    counts = table([*PEOPLE, *[("N", "m", "B")] * 11])
    given = {"": [205], "race=W": [125]} | shown("race=N", "race=N&sex=m", counts=counts)
    assert attack(counts, given, [], CARD).subtracted == ("race=N&sex=f",)


def test_one_false_count_does_not_hide_what_the_true_ones_tell():
    given = shown("", "race=W", "race=B", "race=N") | {"sex=f": [999], "site=A": [64]}
    assert attack(COUNTS, given, [], CARD).subtracted == ("race=M",)


def test_a_false_count_tells_nothing():
    given = shown("", "race=W", "race=B") | {"race=N": [COUNTS["race=N"] + 1]}
    assert attack(COUNTS, given, [], CARD).exposed == 0


def test_a_true_count_beside_a_false_one_tells():
    given = shown("", "race=W", "race=B") | {"race=N": [COUNTS["race=N"] + 1, COUNTS["race=N"]]}
    assert attack(COUNTS, given, [], CARD).subtracted == ("race=M",)


# ---- proportions -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimate", "least", "of"),
    [
        (3 / 7, 11, 7),
        (0.429, 11, 7),
        (0.43, 11, None),  # two decimals
        (0.5, 11, None),  # so is a half, written out in full
        (4 / 6, 11, 3),  # the smallest: no more can be known
        (0.0, 11, None),
        (1.0, 11, None),
        (0.001, 11, None),  # rounds to no small fraction but 0
        (5 / 17, 11, None),
        (5 / 17, 20, 17),
        (1 / 11, 11, None),  # no share of fewer than 11
        (1 / 11, 12, 11),
        (1e-05, 20, None),
        (1e-13, 20, None),
        (1 - 1e-13, 20, None),
        (float("nan"), 11, None),
    ],
)
def test_three_decimals_tell_what_a_proportion_is_a_share_of(estimate, least, of):
    assert denominator(estimate, least) == of


def test_three_decimals_tell_all_fractions_below_twenty_apart():
    """Each that does not end before is traced to its own denominator: the constant holds for every min_cell."""
    for k, q in itertools.combinations(range(1, 20), 2):
        if np.gcd(k, q) > 1:
            continue
        digits = f"{k / q:.3f}"
        assert denominator(float(digits), 20) == (None if digits.endswith("0") else q)


def test_a_proportion_of_a_hidden_small_cell_gives_its_count_away():
    found = attack(COUNTS, {}, [Proportion("race=M", "sensitivity", 0.3333, 3)], CARD)
    assert found.divided == ("race=M",)


@pytest.mark.parametrize(
    "proportion",
    [
        Proportion("race=M", "sensitivity", 0.33, 3),
        Proportion("race=M", "sensitivity", 0.3333, 6),  # 2 of 6: a reader would think 3
        Proportion("race=M", "ppv", 0.3333, 0),
        Proportion("race=N", "sensitivity", 0.3333, 3),  # 12 patients
        Proportion("", "specificity", 0.3333, 3),
    ],
)
def test_a_proportion_that_does_not_fit_or_is_of_a_large_cell_gives_nothing_away(proportion):
    assert attack(COUNTS, {}, [proportion], CARD).exposed == 0


# ---- the message -------------------------------------------------------------------------------


def test_the_message_names_cells_and_ways_but_no_count():
    given = shown("", "race=W", "race=B", "race=N", "race=N&sex=f")
    told = [Proportion("race=M&sex=m", "ppv", 0.667, 3), Proportion("race=M", "ppv", 0.667, 3)]
    found = attack(COUNTS, given, told, CARD)
    assert found.exposed == 4
    # race=N is shown, so its men follow from its women.
    assert found.message == (
        f"of {found.small} small cells 1 shown (race=N&sex=f), "
        "2 to be worked out by subtraction (race=M, race=N&sex=m), "
        "1 to be worked out from the decimals of a proportion (race=M&sex=m)"
    )


def test_a_long_list_is_cut_short():
    message = Exposure(9, shown=tuple("abcdefg")).message
    assert message == "of 9 small cells 7 shown (a, b, c, d and 3 more)"
    assert Exposure(9).message == "none of 9 small cells is shown or can be worked out"


# ---- the candidates' tool ----------------------------------------------------------------------


def random_people(rng, n):
    chance = {"race": [0.7, 0.2, 0.06, 0.04], "sex": [0.6, 0.4], "site": [0.6, 0.3, 0.1]}
    drawn = [rng.choice(levels, n, p=chance[axis]) for axis, levels in CARD["levels"].items()]
    return list(zip(*drawn, strict=True))


@pytest.mark.parametrize("seed", range(18))
def test_the_tool_and_the_grader_find_the_same_in_random_tables(tool, seed):
    rng = np.random.default_rng(seed)
    counts = table(random_people(rng, int(rng.integers(20, 150))))
    kept = rng.uniform(0.3, 1)
    given = {c: [n] for c, n in counts.items() if rng.random() < kept and (seed % 3 == 0 or not 1 <= n < 11)}
    found = attack(counts, given, [], CARD)
    by_tool = found_by(tool, given)
    assert set(by_tool) == {*found.shown, *found.subtracted}
    assert by_tool == {cell: counts[cell] for cell in by_tool}


def test_the_tool_takes_the_axes_of_a_cell_in_any_order(tool):
    rows = [{"by": {"sex": "f", "race": "M"}, "n": 2}, {"by": {"race": "M", "sex": "m"}, "n": 12}]
    assert tool.derivable(rows, CARD) == [{"by": {"race": "M", "sex": "f"}, "n": 2, "how": "shown"}]


def test_the_tool_leaves_sums_that_do_not_add_up_out_of_account(tool):
    given = shown("", "race=W", "race=B", "race=N") | {"sex=f": [99], "sex=m": [1], "race=W&sex=f": [500]}
    found, clashes = tool.attack(report(given), CARD)
    assert [cell["by"] for cell in found if cell["how"] == "subtraction"] == [{"race": "M"}]
    assert "everybody over sex" in clashes
    assert "race=W over sex" in clashes


@pytest.mark.parametrize("base", [3, 5])
def test_the_tool_takes_rounded_counts_for_rounded(tool, base):
    counts = table([*PEOPLE * 2, *[("B", "m", "A")] * 17, *[("W", "f", "C")] * 16])
    exact = {c: [n] for c, n in counts.items() if not 1 <= n < 14}
    assert tool.derivable(report(exact), CARD)
    given = {c: [base * round(n / base) for n in values] for c, values in exact.items()}
    assert tool.attack(report(given), CARD) == ([], [])


def test_a_count_rounded_to_nearly_nothing_is_still_not_below_0(tool):
    assert tool.bounds(np.array([3, np.nan]), 4).tolist() == [[0, 7], [0, np.inf]]


def card_text(card=CARD):
    levels = "".join(f"{axis} = {json.dumps(names)}\n" for axis, names in card["levels"].items())
    return f"min_cell = {card['min_cell']}\nintersections = {json.dumps(card['intersections'])}\n[levels]\n{levels}"


def run(tool, capsys, folder, text, card=None):
    """(exit code, stdout, stderr) of the tool on a report with this text."""
    (folder / "report.json").write_text(text, encoding="utf-8")
    (folder / "card.toml").write_text(card_text() if card is None else card, encoding="utf-8")
    code = tool.main(["--cells", str(folder / "report.json"), str(folder / "card.toml")])
    return code, *capsys.readouterr()


def test_the_tool_prints_a_line_for_each_count_and_ends_with_1(tool, capsys, tmp_path):
    given = shown("", "race=W", "race=B", "race=N", "race=N&sex=f")
    code, out, err = run(tool, capsys, tmp_path, json.dumps({"rows": report(given)}))
    assert (code, err) == (1, "")
    assert out.splitlines() == [
        "race=M: 6 can be worked out from the other counts",
        "race=N, sex=f: 5 is shown",
        "race=N, sex=m: 7 can be worked out from the other counts",
    ]


def test_the_tool_prints_one_line_and_ends_with_0_where_there_is_nothing(tool, capsys, tmp_path):
    code, out, err = run(tool, capsys, tmp_path, json.dumps({"rows": report(shown("", "race=W"))}))
    assert (code, err) == (0, "")
    assert out == "No count from 1 to 10 is shown or can be worked out from the other counts.\n"


def test_the_tool_runs_by_itself(tmp_path):
    (tmp_path / "report.json").write_text(json.dumps({"rows": report(all_but())}))
    (tmp_path / "card.toml").write_text(card_text())
    done = subprocess.run(
        [sys.executable, TOOL, "--cells", "report.json", "card.toml"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize(
    ("text", "card", "complaint"),
    [
        ("{", None, "report.json: Expecting property name"),
        ("[]", None, "report.json: there is no list 'rows'"),
        ('{"rows": {}}', None, "report.json: there is no list 'rows'"),
        ('{"rows": [1]}', None, "row 1: 'by' must name the cell"),
        ('{"rows": [{"by": {"race": ["W"]}}]}', None, "row 1: 'by' must name the cell"),
        ('{"rows": [{"by": {"race": "X"}}]}', None, "row 1: race=X is not a cell of the card"),
        ('{"rows": [{"by": {}, "n": -3}]}', None, "row 1: 'n' must be a whole number"),
        ('{"rows": [{"by": {}, "n": 2.5}]}', None, "row 1: 'n' must be a whole number"),
        ('{"rows": [{"by": {}, "n": NaN}]}', None, "row 1: 'n' must be a whole number"),
        ('{"rows": [{"by": {}, "n": 30}, {"by": {}, "n": 31}]}', None, "row 2: n of everybody is 31, in an earlier"),
        ("[" * 100_000, None, "report.json: "),
        ('{"rows": []}', "min_cell = ", "card.toml: "),
        ('{"rows": []}', "min_cell = 11", "card.toml: there is no 'levels'"),
        (
            '{"rows": []}',
            'min_cell = 11\nintersections = [["a", "b"]]\n[levels]\na = ["x"]',
            "card.toml: each of 'inter",
        ),
        ('{"rows": []}', "min_cell = 11\nintersections = []\n[levels]\na = 3", "card.toml: each axis of 'levels'"),
    ],
)
def test_bad_input_is_one_clear_line_and_ends_with_2(tool, capsys, tmp_path, text, card, complaint):
    code, out, err = run(tool, capsys, tmp_path, text, card)
    assert (code, out) == (2, "")
    assert complaint in err
    assert err.count("\n") == 1


def test_a_missing_file_is_one_clear_line(tool, capsys, tmp_path):
    assert tool.main(["--cells", str(tmp_path / "report.json"), str(tmp_path / "none.toml")]) == 2
    assert capsys.readouterr().err.endswith("none.toml: No such file or directory\n")


def test_a_report_that_shows_every_count_leaves_nothing_to_work_out(tool):
    found = tool.derivable(report({cell: [n] for cell, n in COUNTS.items()}), CARD)
    assert {cell["how"] for cell in found} == {"shown"}
